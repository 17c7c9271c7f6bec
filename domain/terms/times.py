"""Dates, hours and recurring days, as they stand on the program's own calendar and clock."""

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Final

from domain import calendars
from domain.earning.rules import Anniversary, Period
from domain.schedules import Schedule
from domain.terms import wording
from domain.terms.wording import Terms

_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_WEEKDAYS: Final = (
    Terms("周一", "Monday"),
    Terms("周二", "Tuesday"),
    Terms("周三", "Wednesday"),
    Terms("周四", "Thursday"),
    Terms("周五", "Friday"),
    Terms("周六", "Saturday"),
    Terms("周日", "Sunday"),
)
_EVERY_DAY: Final = Terms("每天", "every day")
# From so many weekdays in a row on they are told as a range.
_RANGE_MIN: Final = 3

PER: Final = {
    Period.DAY: Terms("每天", "a day"),
    Period.WEEK: Terms("每周（周一至周日）", "a week (Monday to Sunday)"),
    Period.MONTH: Terms("每自然月", "a calendar month"),
    Period.YEAR: Terms("每自然年", "a calendar year"),
    Period.LIFETIME: Terms("累计", "in all"),
}
WITHIN: Final = {
    Period.DAY: Terms("当天", " of the day"),
    Period.WEEK: Terms("当周（周一至周日）", " of the week (Monday to Sunday)"),
    Period.MONTH: Terms("当月", " of the month"),
    Period.YEAR: Terms("当年", " of the year"),
    Period.LIFETIME: Terms("累计", ""),
}
ANNIVERSARIES: Final = {
    Anniversary.BIRTHDAY: Terms("生日当天", "on your birthday"),
    Anniversary.BIRTHDAY_WEEK: Terms("生日当周（周一至周日）", "in the week of your birthday (Monday to Sunday)"),
    Anniversary.BIRTHDAY_MONTH: Terms("生日当月", "in the month of your birthday"),
    Anniversary.ENROLLMENT: Terms("入会周年当天", "on the anniversary of the day you joined"),
}


# Dates.


def of_date(day: date) -> Terms:
    """2026年10月1日 / 1 October 2026."""
    return Terms(f"{day.year}年{day.month}月{day.day}日", f"{day.day} {_MONTHS[day.month - 1]} {day.year}")


def of_span(starts_at: datetime | None, ends_at: datetime | None, zone_name: str) -> Terms | None:
    """From a first local day through a last one, both inclusive; with a time where that is not midnight."""
    if starts_at is None:
        return None if ends_at is None else _end(ends_at, zone_name)
    start = _start(starts_at, zone_name)
    if ends_at is None:
        return wording.said("自{start}起", "from {start} on", start=start)
    if calendars.end_of(calendars.local_date(starts_at, zone_name), zone_name) == ends_at and _is_midnight(
        starts_at, zone_name
    ):
        return wording.said("{start}当天", "on {start}", start=start)
    return wording.said("{start}{end}", "from {start} {end}", start=start, end=_end(ends_at, zone_name))


def _start(at: datetime, zone_name: str) -> Terms:
    day = of_date(calendars.local_date(at, zone_name))
    if _is_midnight(at, zone_name):
        return day
    return wording.said("{day}{hour}", "{hour} on {day}", day=day, hour=_clock(at, zone_name))


def _end(at: datetime, zone_name: str) -> Terms:
    """A half-open end: one at midnight is the day before, whole."""
    day = calendars.local_date(at, zone_name)
    if _is_midnight(at, zone_name):
        return wording.said("至{day}（含）", "through {day}", day=of_date(calendars.before(day)))
    return wording.said("至{day}{hour}", "until {hour} on {day}", day=of_date(day), hour=_clock(at, zone_name))


def _is_midnight(at: datetime, zone_name: str) -> bool:
    return calendars.start_of(calendars.local_date(at, zone_name), zone_name) == at


def _clock(at: datetime, zone_name: str) -> Terms:
    local: time = at.astimezone(calendars.zone(zone_name)).time()
    is_whole = local.second == local.microsecond == 0
    return wording.name(local.isoformat("minutes" if is_whole else "auto"))


# What recurs.


def of_schedule(schedule: Schedule) -> Terms | None:
    """The days and hours of a schedule: 每周四10:00–12:00 / every Thursday from 10:00 to 12:00."""
    days, hours = _days(schedule), _hours(schedule)
    if hours is None:
        return days
    return wording.said("{days}{hours}", "{days} {hours}", days=days or _EVERY_DAY, hours=hours)


def _hours(schedule: Schedule) -> Terms | None:
    first = schedule.from_hour or 0
    last = 24 if schedule.until_hour is None else schedule.until_hour
    if (first, last) == (0, 24):
        return None
    return Terms(f"{first:02}:00–{last:02}:00", f"from {first:02}:00 to {last:02}:00")


def _days(schedule: Schedule) -> Terms | None:
    """The first kind of day that is asked, and that such a day must be of the other kinds too."""
    asked = tuple(_kinds_of_day(schedule))
    if not asked:
        return None
    first, *others = asked
    if not others:
        return first[0]
    also = wording.listed([other for _, other in others], Terms("且逢", " and "))
    return wording.said("{first}且逢{also}", "{first}, if that day is also {also}", first=first[0], also=also)


def _kinds_of_day(schedule: Schedule) -> Iterator[tuple[Terms, Terms]]:
    """Each kind of day that is asked, as a time at which something happens and as what a day may be."""
    if schedule.weekdays:
        weekdays = sorted(set(schedule.weekdays))
        names = [_WEEKDAYS[number - 1] for number in weekdays]
        one = wording.said("{day}", "a {day}", day=wording.listed(names, wording.OR))
        yield wording.said("每{days}", "every {days}", days=_weekdays(weekdays)), one
    if schedule.month_days:
        days = [Terms(f"{day}日", wording.nth(day)) for day in sorted(set(schedule.month_days))]
        one = wording.said("每月{day}", "the {day} of a month", day=wording.listed(days, wording.OR))
        yield wording.said("每月{days}", "on the {days} of every month", days=wording.listed(days)), one
    if schedule.dates:
        dates = [_calendar_date(told) for told in sorted(set(schedule.dates))]
        one = wording.listed(dates, wording.OR)
        yield wording.said("{days}", "on {days}", days=wording.listed(dates)), one


def _weekdays(numbers: list[int]) -> Terms:
    first, last = _WEEKDAYS[numbers[0] - 1], _WEEKDAYS[numbers[-1] - 1]
    if len(numbers) >= _RANGE_MIN and numbers[-1] - numbers[0] == len(numbers) - 1:
        return wording.said("{first}至{last}", "{first} to {last}", first=first, last=last)
    return wording.listed([_WEEKDAYS[number - 1] for number in numbers])


def _calendar_date(told: str) -> Terms:
    """A date of a schedule: `05-01` is of every year, `2026-10-01` of one."""
    if len(told) > len("05-01"):
        return of_date(date.fromisoformat(told))
    month, day = (int(part) for part in told.split("-"))
    return Terms(f"每年{month}月{day}日", f"{day} {_MONTHS[month - 1]} every year")
