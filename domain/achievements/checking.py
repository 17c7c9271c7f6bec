"""What challenges and badges must be to be saved: a bad one is refused with its field, its fault and what is right."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from domain import audiences, checks, prizes
from domain.challenges import challenge_sets
from domain.challenges.challenge import (
    FIELDS_MAX,
    REQUIRES_MAX,
    ROUNDS_MAX,
    STEPS_MAX,
    Badge,
    BadgeUnknown,
    Challenge,
    ChallengeInvalid,
    ChallengeReward,
    ChallengeUnknown,
    Recurrence,
    Step,
    StepKind,
)
from domain.earning import checking, rules
from domain.earning.checking import Known
from domain.earning.effects import CODE_MAX, POINTS_OF_RULE_MAX, RuleInvalid
from domain.kernel import State
from domain.money import AMOUNT_MINOR_MAX
from domain.prizes import Prize, PrizeKind
from domain.rewards.commands import checked_url
from domain.rewards.reward import DESCRIPTION_MAX

TIMES_MAX: Final = 10_000
QUALIFYING_MAX: Final = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What a challenge may name, and how it stood before it was edited."""

    known: Known
    challenges: Mapping[str, Challenge]
    badges: Collection[str]


def _contradiction(challenge: Challenge, field: str, why: str) -> ChallengeInvalid:
    return ChallengeInvalid(field=(field,), challenge=challenge.code.strip()[:CODE_MAX], why=why)


def check_challenge(state: State, told: Challenge, beside: Beside) -> Challenge:
    """The challenge as it is to be kept. Refuses what contradicts itself, and what could never be completed."""

    def refused(field: str, why: str) -> ChallengeInvalid:
        return _contradiction(told, field, why)

    code = checks.text("code", told.code, length_max=CODE_MAX)
    before = beside.challenges.get(code)
    challenge = replace(
        told,
        code=code,
        id=state.new_id() if before is None else before.id,
        starts_at=told.starts_at or (state.now if before is None else before.starts_at),
        name=checks.text("name", told.name),
        description=checks.optional_text("description", told.description, length_max=DESCRIPTION_MAX),
        audience=checking.checked_audience("audience", told.audience, beside.known, refused),
        requires=tuple(dict.fromkeys(told.requires)),
    )
    checking.check_times(challenge.starts_at, challenge.ends_at, refused)
    _check_rounds(challenge)
    challenge = replace(challenge, steps=_checked_steps(challenge, beside.known))
    checks.points("qualifyingPoints", challenge.qualifying_points, minimum=0, maximum=QUALIFYING_MAX)
    with checks.below("reward"):
        _check_reward(state, challenge, challenge.reward, beside.badges)
    _refuse_other_goal(state, challenge, before)
    return challenge


def _check_rounds(challenge: Challenge) -> None:
    if challenge.recurrence is Recurrence.REPEATABLE:
        checks.number("roundsMax", challenge.rounds_max, minimum=2, maximum=ROUNDS_MAX)
    elif challenge.rounds_max != 1:
        why = f"{challenge.recurrence} is completed once a period; only REPEATABLE has rounds."
        raise _contradiction(challenge, "roundsMax", why)


def _refuse_other_goal(state: State, challenge: Challenge, before: Challenge | None) -> None:
    """What counts stays the same under those who are on their way: the goal is fixed once it has begun."""
    if before is None or before.starts_at is None or before.starts_at > state.now:
        return
    remedy = "end it, and save another one under its own code."
    for field, name in (("steps", "steps"), ("recurrence", "recurrence"), ("startsAt", "starts_at")):
        if getattr(challenge, name) != getattr(before, name):
            raise _contradiction(challenge, field, f"it has begun, and its {field} cannot change any more: {remedy}")
    if challenge.rounds_max < before.rounds_max:
        why = f"it has begun, and its rounds cannot become fewer than {before.rounds_max}: {remedy}"
        raise _contradiction(challenge, "roundsMax", why)


# Steps.


def _checked_steps(challenge: Challenge, known: Known) -> tuple[Step, ...]:
    checks.at_most("steps", challenge.steps, STEPS_MAX)
    if not challenge.steps:
        raise _contradiction(challenge, "steps", "it needs at least one step.")
    return checks.each("steps", challenge.steps, lambda step: _checked_step(challenge, step, known))


def _checked_step(challenge: Challenge, step: Step, known: Known) -> Step:
    if step.when.audience != audiences.EVERYBODY:
        why = "whom it is for is said of the challenge as a whole."
        raise _contradiction(challenge, "conditions.audience", why)
    checks.points("qualifyingPoints", step.qualifying_points, minimum=0, maximum=QUALIFYING_MAX)
    step = replace(step, name=checks.optional_text("name", step.name))
    if step.kind is StepKind.PROFILE:
        return _checked_profile(challenge, step)
    if step.fields or step.attributes:
        raise _contradiction(challenge, "fields", f"only PROFILE looks at fields, not {step.kind}.")
    most = AMOUNT_MINOR_MAX if step.kind is StepKind.SPEND else TIMES_MAX
    checks.number("target", step.target, minimum=1, maximum=most)
    bare = replace(challenge, audience=audiences.EVERYBODY)
    try:
        rule = checking.check_rule(challenge_sets.rule_of(bare, step, "step"), {}, known)
    except RuleInvalid as refusal:
        (field,) = refusal.field or ("kind",)
        raise _contradiction(challenge, field, str(refusal.details["why"])) from None
    return replace(step, activity_type=rule.activity_type, when=rule.when)


def _checked_profile(challenge: Challenge, step: Step) -> Step:
    fields = tuple(dict.fromkeys(step.fields))
    attributes = checks.texts("attributes", step.attributes, length_max=50)
    checks.at_most("fields", (*fields, *attributes), FIELDS_MAX)
    if not fields and not attributes:
        raise _contradiction(challenge, "fields", "PROFILE names the fields or attributes that are to be filled.")
    if step.when != rules.NONE or step.minimum_minor or step.activity_type is not None:
        raise _contradiction(challenge, "conditions", "a profile is looked at as it is, and has no conditions.")
    if challenge.recurrence is not Recurrence.ONCE:
        raise _contradiction(challenge, "kind", "a profile is filled once: the challenge cannot recur.")
    return replace(step, fields=fields, attributes=attributes, target=len(fields) + len(attributes))


# Rewards.


def prize_of(reward: ChallengeReward) -> Prize | None:
    """The prize of a reward; None if it has none."""
    if reward.pool_id is not None:
        return Prize(kind=PrizeKind.VOUCHER, pool_id=reward.pool_id)
    return None if reward.reward_id is None else Prize(kind=PrizeKind.ITEM, reward_id=reward.reward_id)


def _check_reward(state: State, challenge: Challenge, reward: ChallengeReward, known: Collection[str]) -> None:
    checks.points("points", reward.points, minimum=0, maximum=POINTS_OF_RULE_MAX)
    if reward.badge is not None and reward.badge not in known:
        raise BadgeUnknown(field=("badge",), badge=reward.badge[:CODE_MAX])
    prize = prize_of(reward)
    if prize is None:
        return
    if reward.pool_id is not None and reward.reward_id is not None:
        raise _contradiction(challenge, "prize", "it is a voucher or an item, not both.")
    prizes.check(state, "prize", prize)
    if challenge.is_automatic:
        why = "a prize may run out, and no purchase is to be refused for that: it is claimed, not given by itself."
        raise _contradiction(challenge, "prize", why)


# Between challenges.


def check_requires(challenges: Sequence[Challenge]) -> None:
    """Refuses a challenge that requires one that is not there, itself, or one that waits for it in turn."""
    by_code = {challenge.code: challenge for challenge in challenges}
    for challenge in challenges:
        checks.at_most("requires", challenge.requires, REQUIRES_MAX)
        for code in challenge.requires:
            if code not in by_code:
                why = f"it requires {code[:CODE_MAX]!r}, which this program does not have; save that first."
                raise _contradiction(challenge, "requires", why)
        if challenge.code in _all_required(challenge, by_code):
            raise _contradiction(challenge, "requires", "it would wait for itself, and nobody could ever complete it.")


def _all_required(challenge: Challenge, by_code: Mapping[str, Challenge]) -> set[str]:
    found: set[str] = set()
    waiting = list(challenge.requires)
    while waiting:
        code = waiting.pop()
        if code not in found and code in by_code:
            found.add(code)
            waiting.extend(by_code[code].requires)
    return found


def without(challenges: Sequence[Challenge], code: str) -> tuple[Challenge, ...]:
    """The challenges but for one. Refuses `ChallengeUnknown`, and one that others require."""
    if code not in {challenge.code for challenge in challenges}:
        raise ChallengeUnknown(field=("code",), challenge=code[:CODE_MAX])
    for challenge in challenges:
        if code in challenge.requires:
            why = f"it cannot be removed while {challenge.code!r} requires it."
            raise ChallengeInvalid(field=("code",), challenge=code, why=why)
    return tuple(challenge for challenge in challenges if challenge.code != code)


def check_badge(badge: Badge) -> Badge:
    """The badge with its texts trimmed. Refuses what is out of bounds, and an address that is no https URL."""
    if badge.unlock_points is not None:
        checks.points("unlockPoints", badge.unlock_points)
    return replace(
        badge,
        code=checks.text("code", badge.code, length_max=CODE_MAX),
        name=checks.text("name", badge.name),
        description=checks.optional_text("description", badge.description, length_max=DESCRIPTION_MAX),
        picture_url=None if badge.picture_url is None else checked_url(badge.picture_url, ("pictureUrl",)),
    )
