"""How far a member is with a challenge: what was counted, what of it counts for what, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain import calendars
from domain.challenges.challenge import Challenge, Recurrence, Step
from domain.kernel import Refusal, Row, derived_id

_PERIODS: Final = {Recurrence.DAILY: "DAY", Recurrence.WEEKLY: "WEEK", Recurrence.MONTHLY: "MONTH"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeProgress(Row):
    """What a member has of a challenge in one period, begun on `starts_on`; None where it does not come again.

    `counts` are of each step, as many as the facts say, beyond the target too. `completed` rounds stand, and
    `rewarded` of them were given their reward; `reached` says how often each step of a growth plan stands. `made`
    counts every completion there ever was. Guarded by the account.
    """

    member_id: UUID
    challenge_id: UUID
    challenge: str
    starts_on: date | None
    # The version of the set by which it was last touched.
    version: int
    counts: tuple[int, ...]
    reached: tuple[int, ...]
    completed: int = 0
    rewarded: int = 0
    made: int = 0
    completed_at: datetime | None = None
    begun_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeCompletion(Row):
    """A round of a challenge that was completed (`step` 0), or a step of a growth plan that was reached.

    `score` and `qualifying_points` count from `occurred_at` on, and not at all once it is undone. The reward is
    `points` by the rules (of the grant), a badge, and a voucher or a redemption.
    """

    parent: ClassVar[str | None] = "progress_id"
    guard: ClassVar[type[Row] | None] = ChallengeProgress

    member_id: UUID
    progress_id: UUID
    challenge: str
    number: int
    step: int
    round: int
    score: int
    qualifying_points: int
    version: int
    points: int = 0
    grant_id: UUID | None = None
    earning_id: UUID | None = None
    badge: str | None = None
    voucher_id: UUID | None = None
    redemption_id: UUID | None = None
    occurred_at: datetime
    recorded_at: datetime
    rewarded_at: datetime | None = None
    undone_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it stands."""
        return self.undone_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeMark(Row):
    """What a purchase, activity or grant counted for each step; negative where it was taken back."""

    is_fact: ClassVar[bool] = True
    parent: ClassVar[str | None] = "source_id"

    member_id: UUID
    progress_id: UUID
    source_id: UUID
    amounts: tuple[int, ...]
    recorded_at: datetime


class ChallengeState(StrEnum):
    """Where a member is with a challenge."""

    LOCKED = "LOCKED"  # another challenge is to be completed first
    OPEN = "OPEN"  # something is missing
    COMPLETED = "COMPLETED"  # its reward waits to be claimed
    CLAIMED = "CLAIMED"  # the member has all that it gives in this period


class ChallengeNotCompleted(Refusal):
    """There is nothing to claim: steps are missing. Details: `challenge`, `steps_missing`."""

    code = "CHALLENGE_NOT_COMPLETED"
    text = "The challenge {challenge!r} is not completed yet; steps that are missing: {steps_missing}."


class ChallengeLocked(Refusal):
    """There is nothing to claim: other challenges are to be completed first. Details: `challenge`, `requires`."""

    code = "CHALLENGE_LOCKED"
    text = "The challenge {challenge!r} is locked; to be completed first, each in its present period: {requires}."


class ChallengeClaimed(Refusal):
    """The member has the reward already. Details: `challenge`, `rounds`."""

    code = "CHALLENGE_CLAIMED"
    text = "The reward of the challenge {challenge!r} was given already; rounds that it was given for: {rounds}."


def progress_id(member_id: UUID, challenge_id: UUID, starts_on: date | None) -> UUID:
    """The id of a member's progress in a period: always the same, so that two that would begin it meet in it."""
    return derived_id(member_id, f"challenge|{challenge_id}|{starts_on}")


def completion_id(progress: ChallengeProgress, number: int) -> UUID:
    """The id of a member's `number`-th completion: two that would make it meet in it."""
    return derived_id(progress.id, str(number))


def starts_on(challenge: Challenge, day: date) -> date | None:
    """The first day of the period that a local date belongs to; None where there is one for ever."""
    period = _PERIODS.get(challenge.recurrence)
    return None if period is None else calendars.start_of_period(day, period)


def resets_at(challenge: Challenge, day: date, zone_name: str) -> datetime | None:
    """When the period of a local date is over and the member begins anew; None for never."""
    first = starts_on(challenge, day)
    match challenge.recurrence:
        case Recurrence.DAILY:
            return calendars.end_of(day, zone_name)
        case Recurrence.WEEKLY if first is not None:
            return calendars.start_of(calendars.add_days(first, 7), zone_name)
        case Recurrence.MONTHLY if first is not None:
            return calendars.start_of(calendars.add_months(first, 1), zone_name)
        case _:
            return None


def rounds_of(step: Step, count: int, rounds_max: int) -> int:
    """How often a count reaches a step's target."""
    return min(rounds_max, count // step.target)


def rounds(challenge: Challenge, counts: Sequence[int]) -> int:
    """How often the counts complete a challenge: all of its steps, and no more often than it may be."""
    return min(
        rounds_of(step, count, challenge.rounds_max) for step, count in zip(challenge.steps, counts, strict=True)
    )


def steps_missing(challenge: Challenge, counts: Sequence[int], completed: int) -> int:
    """How many steps the next round still needs."""
    wanted = completed + 1
    return sum(count < step.target * wanted for step, count in zip(challenge.steps, counts, strict=True))


def state_of(challenge: Challenge, progress: ChallengeProgress | None, *, is_unlocked: bool) -> ChallengeState:
    """Where a member is. What was completed stays so, whatever becomes of what it required."""
    if progress is not None and progress.completed > progress.rewarded:
        return ChallengeState.COMPLETED
    if progress is not None and progress.completed >= challenge.rounds_max:
        return ChallengeState.CLAIMED
    return ChallengeState.OPEN if is_unlocked else ChallengeState.LOCKED


def is_completed(progress: ChallengeProgress | None) -> bool:
    """Whether a challenge that is required is completed, in its own period."""
    return progress is not None and progress.completed > 0
