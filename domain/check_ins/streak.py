"""Streaks: runs of consecutive local dates, reckoned from the dates alone, so that a day made up heals them (G2)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final
from uuid import UUID

from domain import calendars
from domain.check_ins.activity import MAKE_UP_DAYS_MAX, CheckInActivity, CheckInCycle, Milestone
from domain.kernel import Row, derived_id
from domain.points.account import PointsAccount
from domain.values import changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Consecutive local dates, both ends inclusive."""

    first: date
    last: date

    @property
    def length(self) -> int:
        """In days."""
        return (self.last - self.first).days + 1

    def until(self, day: date) -> int:
        """How many days of the run there are up to one of them."""
        return (day - self.first).days + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """The milestone of `day` days was given for a streak that reached it on a local date."""

    day: int
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak(Row):
    """How a member stands in an activity: the compact sum of its check-ins, so that no history is ever loaded.

    The latest run is from `first_day` to `last_day`. `earlier` are runs that a day made up may still join to it,
    `paid` the milestones that a day signed or made up may still meet.
    """

    parent: ClassVar[str | None] = "member_id"
    guard: ClassVar[type[Row] | None] = PointsAccount

    member_id: UUID
    activity_id: UUID
    first_day: date
    last_day: date
    # Of the latest run, and of the longest ever, in days.
    length: int
    longest: int
    # How many days were signed or made up in all. It only ever grows: the version of what is told of the streak.
    check_ins: int
    earlier: tuple[Run, ...] = ()
    paid: tuple[Paid, ...] = ()
    # How many days were made up in the month that begins on `made_up_month`, that of the last check-in.
    made_up_month: date
    made_up: int = 0

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs that are known, the earliest first."""
        return (*self.earlier, Run(first=self.first_day, last=self.last_day))

    def has(self, day: date) -> bool:
        """Whether a day is signed or made up; asked of the last `MAKE_UP_DAYS_MAX` days only."""
        return any(run.first <= day <= run.last for run in self.runs)

    def length_on(self, today: date) -> int:
        """The streak as of a local date: its run if it ended that day or the day before, else none (G2)."""
        return self.length if self.last_day >= calendars.before(today) else 0

    def made_up_in(self, today: date) -> int:
        """How many days were made up in the month of a date."""
        return self.made_up if self.made_up_month == today.replace(day=1) else 0


def streak_id(member_id: UUID, activity_id: UUID) -> UUID:
    """The id of a streak: a member has one an activity."""
    return derived_id(member_id, f"streak|{activity_id}")


def with_day(runs: Sequence[Run], day: date) -> tuple[tuple[Run, ...], Run]:
    """Runs with one date more, the earliest first, and the run that the date is in now."""
    joined = Run(first=day, last=day)
    others: list[Run] = []
    for run in runs:
        if run.last == calendars.before(day):
            joined = changed(joined, first=run.first)
        elif run.first == calendars.add_days(day, 1):
            joined = changed(joined, last=run.last)
        else:
            others.append(run)
    return tuple(sorted((*others, joined), key=lambda run: run.first)), joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A milestone that a check-in reaches, for the streak as it is on a local date: its own day, or a later one."""

    milestone: Milestone
    on: date


def reached(activity: CheckInActivity, run: Run, day: date, paid: Sequence[Paid]) -> tuple[Reached, ...]:
    """What a run with a day that is new in it reaches, that was not given in the same cycle before (G3, G4).

    Only days from the new one on are further into their streak than they were. Each milestone is reached once at most.
    """
    days = [calendars.add_days(day, later) for later in range((run.last - day).days + 1)]
    found: list[Reached] = []
    for milestone in activity.milestones:
        on = next((each for each in days if is_due(activity, milestone, run, each, paid)), None)
        if on is not None:
            found.append(Reached(milestone=milestone, on=on))
    return tuple(found)


def is_due(activity: CheckInActivity, milestone: Milestone, run: Run, day: date, paid: Iterable[Paid]) -> bool:
    """Whether a run has reached a milestone by one of its days, and no payment of it shares that day's cycle (G4)."""
    length = run.until(day)
    if activity.cycle is CheckInCycle.MONTH:
        length = min(length, day.day)
    return length >= milestone.day and not any(
        other.day == milestone.day and _share_cycle(activity, other.on, day) for other in paid
    )


def _share_cycle(activity: CheckInActivity, one: date, other: date) -> bool:
    match activity.cycle:
        case CheckInCycle.DAYS:
            return abs((one - other).days) < activity.cycle_days
        case CheckInCycle.MONTH:
            return (one.year, one.month) == (other.year, other.month)
        case CheckInCycle.ONCE:
            return True


# A program that moves to another time zone may go back by two dates.
_REMEMBERED_DAYS: Final = MAKE_UP_DAYS_MAX + 3


def remembered(runs: Sequence[Run], today: date) -> tuple[Run, ...]:
    """Of runs before the latest, those that a day made up from now on may still join."""
    since = calendars.add_days(today, -_REMEMBERED_DAYS)
    return tuple(run for run in runs if run.last >= since)


def still_asked(paid: Iterable[Paid], today: date) -> tuple[Paid, ...]:
    """Of milestones given, those that a day signed or made up from now on may share a cycle with.

    No day before the last `MAKE_UP_DAYS_MAX` is made up, so that of what was given before them the latest is enough.
    """
    since = calendars.add_days(today, -_REMEMBERED_DAYS)
    ordered = sorted(paid, key=lambda each: (each.day, each.on))
    before = {each.day: each for each in ordered if each.on < since}
    recent = [each for each in ordered if each.on >= since]
    return tuple(sorted((*before.values(), *recent), key=lambda each: (each.on, each.day)))
