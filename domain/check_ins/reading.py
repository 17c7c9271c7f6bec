"""What a member sees of an activity: its streak, a month's calendar, what comes next, and what may be made up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain import calendars
from domain.check_ins.activity import CheckInActivity, CheckInCycle, Milestone
from domain.check_ins.check_in import CheckIn
from domain.check_ins.eligibility import Missable, missable
from domain.check_ins.streak import Paid, Run, Streak, is_due, with_day

# Of a milestone that counts within a month: the rest of this one, and the two that follow, of which one has 31 days.
_MONTHS_DAYS: Final = 93


class CheckInDayState(StrEnum):
    """What a date is to a member."""

    SIGNED = "SIGNED"
    MADE_UP = "MADE_UP"
    MISSED = "MISSED"
    TODAY = "TODAY"  # not signed yet
    AHEAD = "AHEAD"  # not begun
    BEFORE = "BEFORE"  # before the member, or the activity, was there


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """A date of a month, what was given for it in points, and whether it may be made up now."""

    day: date
    state: CheckInDayState
    points: int = 0
    length: int | None = None
    can_be_made_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NextReward:
    """What signing in gives next: on which date, the points of its rung, and the milestones it would reach."""

    day: date
    points: int
    milestones: tuple[Milestone, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NextMilestone:
    """The milestone that comes first if every day is signed from now on: on which date, and after how many days."""

    milestone: Milestone
    day: date
    days_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A member in an activity on a local date. `made_up` is how many days were made up this month."""

    activity: CheckInActivity
    member_id: UUID
    enrolled_at: datetime
    streak: Streak | None
    time_zone: str
    today: date

    @property
    def length(self) -> int:
        """The streak in days: 0 if it ended before yesterday (G2)."""
        return 0 if self.streak is None else self.streak.length_on(self.today)

    @property
    def longest(self) -> int:
        """The longest streak ever."""
        return 0 if self.streak is None else self.streak.longest

    @property
    def check_ins(self) -> int:
        """How many days were signed or made up in all."""
        return 0 if self.streak is None else self.streak.check_ins

    @property
    def is_signed_today(self) -> bool:
        """Whether nothing more can be signed today."""
        return self.streak is not None and self.streak.has(self.today)

    @property
    def last_day(self) -> date | None:
        """The last date that was signed."""
        return None if self.streak is None else self.streak.last_day

    @property
    def missable(self) -> Missable:
        """The dates that may be made up if they were missed."""
        return missable(self.activity, self.enrolled_at, self.time_zone, self.today)

    @property
    def make_ups_left(self) -> int:
        """How many days may still be made up this month."""
        terms = self.activity.make_up
        if terms is None:
            return 0
        made_up = 0 if self.streak is None else self.streak.made_up_in(self.today)
        return max(0, terms.per_month - made_up)

    @property
    def missed_days(self) -> Sequence[date]:
        """The dates that may be made up now, the latest first; none when as many were as may be this month."""
        return tuple(self.missable.missed(self.streak)) if self.make_ups_left else ()

    @property
    def next_reward(self) -> NextReward:
        """What signing in gives next: today, or tomorrow if today is signed."""
        day, run = self._next()
        due = tuple(each for each in self.activity.milestones if is_due(self.activity, each, run, day, self._paid))
        base = 0 if due and self.activity.replaces_base else self.activity.rung(run.until(day))
        return NextReward(day=day, points=base, milestones=due)

    @property
    def next_milestone(self) -> NextMilestone | None:
        """The milestone that comes first; None if there is none, or none comes ever again."""
        day, run = self._next()
        found = [
            NextMilestone(milestone=each, day=on, days_left=(on - day).days + 1)
            for each in self.activity.milestones
            if (on := self._due_on(each, run, day)) is not None
        ]
        return min(found, key=lambda each: (each.day, each.milestone.day), default=None)

    def _next(self) -> tuple[date, Run]:
        day = self.today if not self.is_signed_today else calendars.add_days(self.today, 1)
        _, run = with_day(() if self.streak is None else self.streak.runs, day)
        return day, run

    @property
    def _paid(self) -> Sequence[Paid]:
        return () if self.streak is None else self.streak.paid

    def _due_on(self, milestone: Milestone, run: Run, day: date) -> date | None:
        """When a run that goes on reaches a milestone: of the days from one on, only some are worth a look."""
        first = max(day, calendars.add_days(run.first, milestone.day - 1))
        paid = [each for each in self._paid if each.day == milestone.day]
        if self.activity.cycle is CheckInCycle.DAYS and paid:
            last = max(each.on for each in paid)
            first = max(first, calendars.add_days(last, self.activity.cycle_days))
        candidates: Iterable[date] = (first,)
        if self.activity.cycle is CheckInCycle.MONTH:
            candidates = (calendars.add_days(first, later) for later in range(_MONTHS_DAYS))
        return next((on for on in candidates if is_due(self.activity, milestone, run, on, paid)), None)

    def calendar(self, year: int, month: int, signed: Mapping[date, CheckIn]) -> tuple[CalendarDay, ...]:
        """Every day of a month; `signed` are the check-ins of it."""
        last = calendars.end_of_month(date(year, month, 1))
        missed = frozenset(self.missed_days)
        days = (last.replace(day=number) for number in range(1, last.day + 1))
        return tuple(self._day(day, signed.get(day), can_be_made_up=day in missed) for day in days)

    def _day(self, day: date, check_in: CheckIn | None, *, can_be_made_up: bool) -> CalendarDay:
        if check_in is not None:
            state = CheckInDayState.SIGNED if check_in.made_up_for is None else CheckInDayState.MADE_UP
            return CalendarDay(day=day, state=state, points=check_in.points, length=check_in.length)
        if day >= self.today:
            return CalendarDay(day=day, state=CheckInDayState.TODAY if day == self.today else CheckInDayState.AHEAD)
        if day < self.missable.began:
            return CalendarDay(day=day, state=CheckInDayState.BEFORE)
        return CalendarDay(day=day, state=CheckInDayState.MISSED, can_be_made_up=can_be_made_up)
