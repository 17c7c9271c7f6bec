"""Recurring local time: weekdays, hours, days of the month and dates, on which rules and campaigns are switched on.

What is not told is not asked; what is told must all hold. Days and hours are those of the program's time zone (L5).
"""

import calendar
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from domain import calendars, checks
from domain.kernel import Refusal

DATES_MAX: Final = 100
# Every day of the month is every weekday within these days.
_CYCLE_DAYS: Final = 366 * 5
# Every date that is told without a year, a 29th of February too, is every weekday within these years.
_CALENDAR_YEARS: Final = 40
_WEEK: Final = 7
_YEARLY: Final = "05-01"
_LEAP_DAY: Final = "02-29"
_HOURS: Final = 24


class Window(NamedTuple):
    """From an instant on and before another, on the clock of a zone; None for no such bound."""

    starts_at: datetime | None
    ends_at: datetime | None
    time_zone: str

    def has(self, at: datetime) -> bool:
        """Whether an instant is within it."""
        return (self.starts_at is None or self.starts_at <= at) and (self.ends_at is None or at < self.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When something recurs. `weekdays` are 1 (Monday) to 7; `month_days` 1 to 31 (a member day: every 8th).

    `dates` are holidays: `05-01` every year, `2026-10-01` once. Hours are from `from_hour`, inclusive, to
    `until_hour`, exclusive, of the local clock, 0 to 24.
    """

    weekdays: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    dates: tuple[str, ...] = ()
    from_hour: int | None = None
    until_hour: int | None = None


ALWAYS: Final = Schedule()


class ScheduleInvalid(Refusal):
    """A schedule names no date or hour that there is, or has no day. Details: `why`."""

    code = "SCHEDULE_INVALID"
    text = "The schedule does not work: {why}"


def meets_day(schedule: Schedule, day: date) -> bool:
    """Whether a schedule has a local date: by all of weekday, day of the month and dates that are told."""
    if schedule.weekdays and day.isoweekday() not in schedule.weekdays:
        return False
    if schedule.month_days and day.day not in schedule.month_days:
        return False
    told = day.isoformat()
    return not schedule.dates or told in schedule.dates or told[5:] in schedule.dates


def meets(schedule: Schedule, local: datetime) -> bool:
    """Whether a schedule has a local time."""
    return meets_hour(schedule, local.hour) and meets_day(schedule, local.date())


def meets_hour(schedule: Schedule, hour: int) -> bool:
    """Whether a schedule has an hour of the local clock."""
    return (schedule.from_hour or 0) <= hour < (24 if schedule.until_hour is None else schedule.until_hour)


def have_day(all_of: Sequence[Schedule], first: date, last: date | None = None) -> bool:
    """Whether some day from `first` to `last` (inclusive; None for no end) is one of every schedule."""
    return any(all(meets_day(schedule, day) for schedule in all_of) for day in _candidates(all_of, first, last))


def _candidates(all_of: Sequence[Schedule], first: date, last: date | None) -> Iterator[date]:
    """The days on which schedules can meet at all: dates that are told, or else those of a few years."""
    dated = next((schedule for schedule in all_of if schedule.dates), None)
    if dated is not None:
        until = last or date.max
        last_year = min(until.year, first.year + _CALENDAR_YEARS)
        yield from (day for day in _told_days(dated.dates, first.year, last_year) if first <= day <= until)
        return
    day, until = first, min(last or date.max, first + timedelta(days=_CYCLE_DAYS))
    while day <= until:
        yield day
        day += timedelta(days=1)


def _told_days(dates: Iterable[str], first_year: int, last_year: int) -> Iterator[date]:
    for told in dates:
        if len(told) > len(_YEARLY):
            yield date.fromisoformat(told)
            continue
        for year in range(first_year, last_year + 1):
            if told != _LEAP_DAY or calendar.isleap(year):
                yield date.fromisoformat(f"{year:04}-{told}")


@lru_cache(maxsize=1024)
def next_day(schedule: Schedule, first: date, last: date) -> date | None:
    """The first day from `first` to `last` (inclusive) that a schedule has; without dates, within five years."""
    found = (day for day in _candidates((schedule,), first, last) if meets_day(schedule, day))
    return min(found, default=None) if schedule.dates else next(found, None)


def have_time(all_of: Sequence[Schedule], first: date, last: date | None, window: Window) -> bool:
    """Whether all schedules have some instant of a window on a day from `first` to `last` (inclusive)."""
    return any(have_time_on(all_of, day, window) for day in _candidates(all_of, first, last))


def have_time_on(all_of: Sequence[Schedule], day: date, window: Window) -> bool:
    """Whether all schedules have some instant of a window on a local date."""
    hours = [hour for hour in range(_HOURS) if all(meets_hour(schedule, hour) for schedule in all_of)]
    if not hours or not all(meets_day(schedule, day) for schedule in all_of):
        return False
    if day == date.max:
        # No calendar has the instants of this day in every zone, and no window ends with it.
        return window.ends_at is None
    return any(window.has(at) and _is_of(at, day, hours, window) for at in _beginnings(day, hours, window))


def _beginnings(day: date, hours: Iterable[int], window: Window) -> Iterator[datetime]:
    """The first instants that hours of a day can have in a window: the window's own, or where an hour begins."""
    if window.starts_at is not None:
        yield window.starts_at
    for hour in hours:
        yield from calendars.starts_of_hour(day, hour, window.time_zone)


def _is_of(at: datetime, day: date, hours: Sequence[int], window: Window) -> bool:
    local = at.astimezone(calendars.zone(window.time_zone))
    return local.date() == day and local.hour in hours


def has_days(schedule: Schedule) -> bool:
    """Whether a schedule says which days."""
    return bool(schedule.weekdays or schedule.month_days or schedule.dates)


def has_hours(schedule: Schedule) -> bool:
    """Whether a schedule says which hours."""
    return schedule.from_hour is not None or schedule.until_hour is not None


def check(name: str, schedule: Schedule, first: date, last: date | None = None) -> Schedule:
    """The schedule, well formed; it must have a day from `first` to `last`. Refuses like `well_formed`."""
    schedule = well_formed(name, schedule)
    if not have_day((schedule,), first, last):
        when = f"from {first} on" if last is None else f"from {first} to {last}"
        why = f"no day {when} is on all of its weekdays, days of the month and dates."
        raise ScheduleInvalid(field=(name,), why=why)
    return schedule


def check_time(name: str, schedule: Schedule, first: date, last: date | None, window: Window) -> None:
    """Refuses `ScheduleInvalid` when no hour of a schedule lies in the window on any day that it has from `first` to
    `last`."""
    if not have_time((schedule,), first, last, window):
        from_hour, until_hour = schedule.from_hour or 0, _HOURS if schedule.until_hour is None else schedule.until_hour
        why = (
            f"from its start to its end no day that it has comes to an hour from {from_hour} and before {until_hour};"
            " move the start, the end or the hours."
        )
        raise ScheduleInvalid(field=(name,), why=why)


def well_formed(name: str, schedule: Schedule) -> Schedule:
    """The schedule, sorted and without repetitions. Only such a one may be asked for its days.

    Refuses `ScheduleInvalid`, `NumberInvalid` and `TooMany`, naming the field.
    """
    checks.at_most(f"{name}.dates", schedule.dates, DATES_MAX)
    sorted_out = Schedule(
        weekdays=_numbers(f"{name}.weekdays", schedule.weekdays, _WEEK),
        month_days=_numbers(f"{name}.monthDays", schedule.month_days, 31),
        dates=tuple(sorted({_checked_date(f"{name}.dates", told) for told in schedule.dates})),
        from_hour=schedule.from_hour,
        until_hour=schedule.until_hour,
    )
    _check_hours(name, sorted_out)
    return sorted_out


def _numbers(name: str, numbers: tuple[int, ...], largest: int) -> tuple[int, ...]:
    checks.at_most(name, numbers, largest)
    for number in numbers:
        checks.number(name, number, minimum=1, maximum=largest)
    return tuple(sorted(set(numbers)))


def _checked_date(name: str, told: str) -> str:
    is_yearly = len(told) == len(_YEARLY)
    try:
        # The year 2000 has a 29th of February.
        found = date.fromisoformat(f"2000-{told}" if is_yearly else told).isoformat()
    except ValueError:
        found = ""
    if not found or found[5 if is_yearly else 0 :] != told:
        why = f"{told[:20]!r} is no date; write 05-01 for every year, 2026-10-01 for once."
        raise ScheduleInvalid(field=(name,), why=why)
    return told


def _check_hours(name: str, schedule: Schedule) -> None:
    first = 0 if schedule.from_hour is None else schedule.from_hour
    last = 24 if schedule.until_hour is None else schedule.until_hour
    checks.number(f"{name}.fromHour", first, minimum=0, maximum=23)
    checks.number(f"{name}.untilHour", last, minimum=1, maximum=24)
    if first >= last:
        why = f"no hour is from {first} and before {last}; hours past midnight need a rule of their own."
        raise ScheduleInvalid(field=(f"{name}.untilHour",), why=why)


def falls_on(anniversary: date, day: date) -> bool:
    """Whether a birthday or another yearly date is on `day`; the 29th of February is the 28th in other years."""
    told = (anniversary.month, anniversary.day)
    if told == (2, 29) and not calendar.isleap(day.year):
        told = (2, 28)
    return told == (day.month, day.day)


def week_of(day: date) -> tuple[date, ...]:
    """The seven days of the ISO week of a date."""
    monday = calendars.start_of_period(day, "WEEK")
    return tuple(monday + timedelta(days=number) for number in range(_WEEK))
