"""Check-in activities: what signing in gives day by day, which milestones it has, and what may be made up."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain import audiences, calendars
from domain.audiences import Audience
from domain.kernel import Event, Refusal, Row
from domain.prizes import Prize, PrizeKind

CODE_MAX: Final = 50
ACTIVITIES_MAX: Final = 20
# A year of days is the longest ladder, the furthest milestone and the longest cycle.
DAYS_MAX: Final = 366
MILESTONES_MAX: Final = 20
# How far back a day may be made up: streaks keep what they need for so many days.
MAKE_UP_DAYS_MAX: Final = 31
CARDS_MAX: Final = 1000
NO_PRIZE: Final = Prize(kind=PrizeKind.NOTHING)


class CheckInCycle(StrEnum):
    """Over which window a milestone pays once (G4)."""

    DAYS = "DAYS"  # once in any so many days in a row, whether or not the streak breaks between
    MONTH = "MONTH"  # once a calendar month; only the days of the streak that are in the month count
    ONCE = "ONCE"  # once for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """What a member is given besides when its streak reaches `day` days: a prize, and make-up cards."""

    day: int
    prize: Prize = NO_PRIZE
    cards: int = 0

    @property
    def points(self) -> int:
        """The points of its prize."""
        return self.prize.points


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeUpTerms:
    """Which missed days may be made up, and what for (G3): those of the last `days`, at most `per_month` a month.

    A day costs `points`, or with `takes_cards` a make-up card; without points it costs a card.
    """

    days: int
    per_month: int
    points: int | None = None
    takes_cards: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInActivity(Row):
    """Something to sign in to, once a local day (G1).

    Day k of a streak gives rung ((k − 1) mod L) + 1 of a ladder of L rungs: a ladder of one is the same every day.
    No rung is lower than the one before, and a milestone pays once a cycle, so that to break a streak and begin anew
    gains nothing (G4). With `replaces_base` a milestone is given in place of its day's rung, and else beside it (G2).
    """

    is_configuration: ClassVar[bool] = True
    parent: ClassVar[str | None] = "program_id"
    keys: ClassVar[tuple[str, ...]] = ("code",)

    code: str
    name: str
    ladder: tuple[int, ...]
    milestones: tuple[Milestone, ...] = ()
    replaces_base: bool = False
    cycle: CheckInCycle = CheckInCycle.DAYS
    # The length of a cycle of days.
    cycle_days: int = 1
    make_up: MakeUpTerms | None = None
    audience: Audience = audiences.EVERYBODY
    # At which full local hour whoever has not signed in yet is told that a streak ends tonight; None: nobody is.
    reminder_hour: int | None = None
    is_active: bool = True
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    created_at: datetime

    def rung(self, day: int) -> int:
        """The points of the `day`-th day of a streak, counted from 1 (G2)."""
        return self.ladder[(day - 1) % len(self.ladder)]

    def first_day(self, enrolled_at: datetime, zone_name: str) -> date:
        """The first local date on which a member could have signed in, for it and the activity were there (G3)."""
        began = self.created_at if self.starts_at is None else self.starts_at
        return calendars.local_date(max(began, enrolled_at), zone_name)


class CheckInClosed(Refusal):
    """The activity cannot be signed in to now. Details: `activity`, `why`, and the time, if one is at fault."""

    code = "CHECK_IN_CLOSED"
    text = "{activity!r} cannot be signed in to now: {why}."


class CheckInNotEligible(Refusal):
    """The activity is for others: by tier, tags or segments. Details: `activity`, and `why`, which names it."""

    code = "CHECK_IN_NOT_ELIGIBLE"
    text = "{activity!r} is not for this member, by its {why}."


class CheckInActivityInvalid(Refusal):
    """Parts of an activity contradict each other. Details: `why`."""

    code = "CHECK_IN_ACTIVITY_INVALID"
    text = "The check-in activity cannot be so: {why}."


class CheckInActivityLimitReached(Refusal):
    """The program has as many check-in activities as it may. Details: `activities_max`."""

    code = "CHECK_IN_ACTIVITY_LIMIT_REACHED"
    text = "A program has at most {activities_max} check-in activities: edit one of them instead."


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInActivitySaved(Event):
    """A check-in activity was made or edited."""

    activity_id: UUID
