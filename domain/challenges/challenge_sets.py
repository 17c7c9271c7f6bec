"""The versions that challenges and badges are kept in, and one of them made ready to be asked what an occasion counts.

A step is matched as an earning rule is, so that its conditions are the same ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import ClassVar
from uuid import UUID

from domain.challenges.challenge import TRIGGERS, Badge, Challenge, Step, StepKind
from domain.earning import evaluation, matching
from domain.earning.facts import Facts, Occasion
from domain.earning.matching import Candidate, Compiled
from domain.earning.rules import EarningKind, EarningRule, Trigger
from domain.kernel import Row, State

# What an occasion counts: of each challenge, by its code, what of each step, by its place from 0.
Met = Mapping[str, Mapping[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeSet(Row):
    """The challenges and badges of a program in one version, for ever."""

    is_fact: ClassVar[bool] = True
    is_configuration: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("version",)

    version: int
    challenges: tuple[Challenge, ...] = ()
    badges: tuple[Badge, ...] = ()
    created_at: datetime

    def __hash__(self) -> int:
        """A version never changes: its id says all."""
        return hash(self.id)


@dataclass(frozen=True, slots=True)
class Ready:
    """A version made ready. `by_code` has the challenges that are active, `by_id` all of them."""

    challenge_set: ChallengeSet
    by_code: Mapping[str, Challenge]
    by_id: Mapping[UUID, Challenge]
    # The triggers that some active challenge waits for.
    awaits: frozenset[Trigger]
    rules: Compiled
    # The active challenges that look at profiles.
    profiles: Compiled
    # Of each rule: its challenge's code and the place of its step.
    places: Mapping[str, tuple[str, int]]
    # By challenge and place: what chooses the lines of a purchase, for what remains of one.
    candidates: Mapping[tuple[UUID, int], Candidate]
    # How many points earned in all unlock which badge, the fewest first.
    levels: tuple[tuple[int, str], ...]

    def met(self, occasion: Occasion, facts: Facts) -> Met:
        """What an occasion counts."""
        found: dict[str, dict[int, int]] = {}
        for item in evaluation.matched(self.rules, occasion, facts)[0]:
            code, place = self.places[item.rule.code]
            is_spend = self.by_code[code].steps[place].kind is StepKind.SPEND
            found.setdefault(code, {})[place] = item.paid_minor if is_spend else 1
        return found

    def looking_at_profiles(self, at: datetime, time_zone: str, facts: Facts) -> Sequence[tuple[str, int]]:
        """The challenges, and the places of their steps, that look at a member's profile."""
        # There is no trigger for it, nor need there be: it is looked at as an activity of no type.
        occasion = Occasion(trigger=Trigger.ACTIVITY, occurred_at=at, time_zone=time_zone)
        return [self.places[item.rule.code] for item in evaluation.matched(self.profiles, occasion, facts)[0]]


@lru_cache(maxsize=256)
def ready(challenge_set: ChallengeSet) -> Ready:
    """A version made ready."""
    places: dict[str, tuple[str, int]] = {}
    all_rules: list[EarningRule] = []
    for challenge in challenge_set.challenges:
        for place, step in enumerate(challenge.steps):
            rule = rule_of(challenge, step, f"{len(all_rules)}")
            places[rule.code] = (challenge.code, place)
            all_rules.append(rule)
    challenges = {challenge.code: challenge for challenge in challenge_set.challenges}
    active = {code: challenge for code, challenge in challenges.items() if challenge.is_active}
    told = [(rule, *places[rule.code]) for rule in all_rules if places[rule.code][0] in active]
    looks = {rule.code for rule, code, place in told if active[code].steps[place].kind is StepKind.PROFILE}
    waiting = [rule for rule, _, _ in told if rule.code not in looks]
    awaits = {rule.trigger for rule in waiting}
    candidates = matching.compiled(all_rules, ()).candidates
    return Ready(
        challenge_set=challenge_set,
        by_code=active,
        by_id={challenge.id: challenge for challenge in challenge_set.challenges},
        awaits=frozenset(awaits),
        rules=matching.compiled(waiting, ()),
        profiles=matching.compiled([rule for rule, _, _ in told if rule.code in looks], ()),
        places=places,
        candidates={
            (challenges[code].id, place): candidate
            for found in candidates.values()
            for candidate in found
            for code, place in (places[candidate.rule.code],)
        },
        levels=tuple(
            sorted((badge.unlock_points, badge.code) for badge in challenge_set.badges if badge.unlock_points)
        ),
    )


def rule_of(challenge: Challenge, step: Step, code: str) -> EarningRule:
    """A step as a rule that applies to what the step counts, within the window and to the audience of its challenge."""
    return EarningRule(
        code=code,
        kind=EarningKind.FIXED,
        points=1,
        trigger=TRIGGERS.get(step.kind, Trigger.ACTIVITY),
        activity_type=step.activity_type,
        minimum_minor=step.minimum_minor,
        when=replace(step.when, audience=challenge.audience),
        starts_at=challenge.starts_at,
        ends_at=challenge.ends_at,
    )


def of_version(state: State, version: int) -> ChallengeSet:
    """A version of this program's challenges."""
    found = state.find_by(ChallengeSet, "version", version)
    assert found is not None, "a program or a member's progress names a version that was saved before"
    return found
