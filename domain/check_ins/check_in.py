"""Check-ins: a member signed in for a local date, once for ever; and what is told of it (G1)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.check_ins.streak import Streak
from domain.kernel import Event, Refusal, Row, derived_id
from domain.points.account import PointsAccount
from domain.prizes import Prize


class MakeUpPayment(StrEnum):
    """What a day is made up for."""

    POINTS = "POINTS"  # the points that the activity asks
    CARD = "CARD"  # a make-up card


@dataclass(frozen=True, slots=True, kw_only=True)
class Attained:
    """A milestone that a check-in reached, for the streak as it was `on` a local date, and what was given for it.

    `was_given` is false where the prize had run out: the milestone is tried again with the streak's next day.
    """

    day: int
    on: date
    prize: Prize
    cards: int = 0
    points: int = 0
    voucher_id: UUID | None = None
    redemption_id: UUID | None = None
    was_given: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn(Row):
    """A local date for which a member signed in, or that it made up (G1). Check-ins are read by member and year."""

    is_fact: ClassVar[bool] = True
    parent: ClassVar[str | None] = "year_id"

    member_id: UUID
    activity_id: UUID
    year_id: UUID
    day: date
    # Which day of the streak it was when it was signed or made up, counted from 1.
    length: int
    # What the activity gave for the day itself, and all that was given in points, milestones and rules included.
    base: int
    points: int
    attained: tuple[Attained, ...] = ()
    # Of a day that was made up: what for, how many points that were, and their transaction.
    made_up_for: MakeUpPayment | None = None
    cost: int = 0
    transaction_id: UUID | None = None
    occurred_at: datetime
    actor: str


def check_in_id(member_id: UUID, activity_id: UUID, day: date) -> UUID:
    """The id of a check-in: two who would make the same one meet in its primary key."""
    return derived_id(member_id, f"check-in|{activity_id}|{day}")


def year_of(member_id: UUID, activity_id: UUID, year: int) -> UUID:
    """What a member's check-ins of a year belong to: always the same, so that it need not be looked up."""
    return derived_id(member_id, f"check-ins|{activity_id}|{year}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedIn(Event):
    """A member signed in or made a day up. `length`, `last_day` and `check_ins` are the streak's, as it is now."""

    activity_id: UUID
    check_in_id: UUID
    day: date
    is_made_up: bool
    points: int
    length: int
    last_day: date
    longest: int
    # Grows with every check-in of the member in the activity: of two events, the one with more is the later.
    check_ins: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneReached(Event):
    """A streak reached a milestone, for which something was given."""

    activity_id: UUID
    check_in_id: UUID
    day: int
    points: int
    cards: int
    voucher_id: UUID | None = None
    redemption_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInResult:
    """A check-in, the streak and the account after it. `already_signed`: the day had been signed before (G1)."""

    check_in: CheckIn
    streak: Streak
    account: PointsAccount
    cards: int
    already_signed: bool = False


class DaySigned(Refusal):
    """The day is signed or made up already. Details: `day`."""

    code = "DAY_SIGNED"
    text = "{day} is signed already: only a day that was missed is made up."


class MakeUpImpossible(Refusal):
    """The day is none that may be made up (G3). Details: `day`, `why`, and between which days one may be."""

    code = "MAKE_UP_IMPOSSIBLE"
    text = "{day} cannot be made up: {why}."


class MakeUpLimitReached(Refusal):
    """As many days as may be were made up this month (G3). Details: `limit`."""

    code = "MAKE_UP_LIMIT_REACHED"
    text = "At most {limit} days may be made up in a calendar month, and so many were."


class MakeUpPaymentInvalid(Refusal):
    """The activity does not let days be made up for that. Details: `given`, `accepted`."""

    code = "MAKE_UP_PAYMENT_INVALID"
    text = "Days of this activity are made up for {accepted}, not for {given}."


class NoMakeUpCard(Refusal):
    """The member has no make-up card."""

    code = "NO_MAKE_UP_CARD"
    text = "The member has no make-up card left."
