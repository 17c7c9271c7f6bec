"""Editing challenges and badges: every edit is a new version of the set, in force from then on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from domain import campaigns, checks
from domain.achievements import checking
from domain.achievements.checking import Beside
from domain.challenges import challenge_sets
from domain.challenges.challenge import BADGES_MAX, CHALLENGES_MAX, Badge, Challenge, ChallengesEdited
from domain.challenges.challenge_sets import ChallengeSet
from domain.kernel import FAMILY, Command, Decision, State, Want
from domain.programs import Program
from domain.segments import Segment
from domain.tiers.tier import Tier

Versioned = TypeVar("Versioned", bound=Challenge | Badge)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The program and its challenges after an edit; `challenge` and `badge` are what was saved."""

    program: Program
    challenge_set: ChallengeSet
    challenge: Challenge | None = None
    badge: Badge | None = None


def set_in_force(state: State, program: Program) -> ChallengeSet:
    """The challenges and badges of now; none, in version 0, if there never were any."""
    if program.challenge_version:
        return challenge_sets.of_version(state, program.challenge_version)
    return ChallengeSet(id=program.id, program_id=program.id, version=0, created_at=program.created_at)


def _edited(
    state: State, program: Program, before: ChallengeSet, challenges: Sequence[Challenge], badges: Sequence[Badge]
) -> tuple[Program, ChallengeSet]:
    after = ChallengeSet(
        id=state.new_id(),
        program_id=state.program_id,
        version=before.version + 1,
        challenges=tuple(challenges),
        badges=tuple(badges),
        created_at=state.now,
    )
    return replace(program, challenge_version=after.version), after


def _saved(before: Sequence[Versioned], told: Versioned, version: int) -> tuple[Versioned, ...]:
    """What stands with what is told in its place, or after it; what comes to the same keeps its version."""
    by_code = {item.code: item for item in before}
    same = by_code.get(told.code)
    if same is None or replace(told, version=same.version) != same:
        by_code[told.code] = replace(told, version=version)
    return tuple(by_code.values())


def _decision(state: State, program: Program, before: ChallengeSet, after: ChallengeSet, code: str) -> Decision[Edited]:
    """Keep what became another; what is the same stays in its version."""
    result = Edited(
        program=program,
        challenge_set=before,
        challenge=next((each for each in after.challenges if each.code == code), None),
        badge=next((each for each in after.badges if each.code == code), None),
    )
    if (before.challenges, before.badges) == (after.challenges, after.badges):
        return Decision(result)
    program, kept = _edited(state, program, before, after.challenges, after.badges)
    result = replace(result, program=program, challenge_set=kept)
    return Decision(result, save=(program, kept), events=(ChallengesEdited(version=kept.version),))


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveChallenge(Command[Edited]):
    """Save a challenge: in place of the one with its code, or as a new one, from now on unless told.

    Once it has begun, what counts is fixed: steps, recurrence and start. Refuses whatever `checking` does.
    """

    challenge: Challenge

    def decide(self, state: State) -> Decision[Edited]:
        state.need(Want(Tier, state.program_id, FAMILY), Want(Segment, state.program_id, FAMILY))
        program = state.change(Program, state.program_id)
        before = set_in_force(state, program)
        beside = Beside(
            known=campaigns.known_to(state, program, (step.when for step in self.challenge.steps)),
            challenges={each.code: each for each in before.challenges},
            badges={badge.code for badge in before.badges},
        )
        told = checking.check_challenge(state, self.challenge, beside)
        challenges = _saved(before.challenges, told, before.version + 1)
        checks.at_most("challenges", challenges, CHALLENGES_MAX)
        checking.check_requires(challenges)
        return _decision(state, program, before, replace(before, challenges=challenges), told.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveChallenge(Command[Edited]):
    """Remove a challenge: nothing counts for it any more, and what was not claimed is lost. What it gave stays.

    Refuses `ChallengeUnknown`, and one that others require.
    """

    code: str

    def decide(self, state: State) -> Decision[Edited]:
        program = state.change(Program, state.program_id)
        before = set_in_force(state, program)
        code = self.code.strip()
        after = replace(before, challenges=checking.without(before.challenges, code))
        return _decision(state, program, before, after, code)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveBadge(Command[Edited]):
    """Save a badge: in place of the one with its code, or as a new one. Badges are never removed."""

    badge: Badge

    def decide(self, state: State) -> Decision[Edited]:
        program = state.change(Program, state.program_id)
        before = set_in_force(state, program)
        told = checking.check_badge(self.badge)
        badges = _saved(before.badges, told, before.version + 1)
        checks.at_most("badges", badges, BADGES_MAX)
        return _decision(state, program, before, replace(before, badges=badges), told.code)
