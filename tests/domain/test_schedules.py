"""Recurring local time: which days and hours a schedule has, and which schedules are refused."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain import schedules
from domain.checks import NumberInvalid, TooMany
from domain.schedules import ALWAYS, Schedule, ScheduleInvalid
from tests.domain.shop import SHANGHAI

FIRST = date(2026, 1, 15)


def days_of(schedule: Schedule, month: str) -> list[int]:
    return [day for day in range(1, 29) if schedules.meets_day(schedule, date.fromisoformat(f"{month}-{day:02}"))]


@pytest.mark.parametrize(
    ("schedule", "days"),
    [
        (ALWAYS, list(range(1, 29))),
        (Schedule(weekdays=(1, 7)), [1, 2, 8, 9, 15, 16, 22, 23]),
        (Schedule(month_days=(8, 18, 28)), [8, 18, 28]),
        (Schedule(weekdays=(1,), month_days=(8, 9)), [9]),
        (Schedule(dates=("02-14", "2026-02-17", "2027-02-01", "03-08")), [14, 17]),
        (Schedule(dates=("02-14", "02-15"), weekdays=(7,)), [15]),
    ],
)
def test_what_is_told_must_all_hold(schedule: Schedule, days: list[int]) -> None:
    assert days_of(schedule, "2026-02") == days


@pytest.mark.parametrize(
    ("schedule", "hours"),
    [
        (ALWAYS, list(range(24))),
        (Schedule(from_hour=22), [22, 23]),
        (Schedule(until_hour=2), [0, 1]),
        (Schedule(from_hour=9, until_hour=11), [9, 10]),
        (Schedule(from_hour=0, until_hour=24), list(range(24))),
    ],
)
def test_hours_are_half_open(schedule: Schedule, hours: list[int]) -> None:
    assert [hour for hour in range(24) if schedules.meets_hour(schedule, hour)] == hours


def test_a_local_time_meets_by_day_and_hour() -> None:
    schedule = Schedule(weekdays=(4,), from_hour=9, until_hour=18)
    zone = ZoneInfo(SHANGHAI)
    assert schedules.meets(schedule, datetime(2026, 1, 15, 17, 59, 59, tzinfo=zone))
    assert not schedules.meets(schedule, datetime(2026, 1, 15, 18, tzinfo=zone))
    assert not schedules.meets(schedule, datetime(2026, 1, 16, 12, tzinfo=zone))


@pytest.mark.parametrize(
    ("anniversary", "day", "falls"),
    [
        (date(1990, 3, 9), date(2026, 3, 9), True),
        (date(1990, 3, 9), date(2026, 3, 8), False),
        (date(1990, 3, 9), date(2026, 4, 9), False),
        (date(1992, 2, 29), date(2028, 2, 29), True),
        (date(1992, 2, 29), date(2028, 2, 28), False),
        (date(1992, 2, 29), date(2027, 2, 28), True),
        (date(1992, 2, 29), date(2100, 2, 28), True),
        (date(1992, 2, 29), date(2027, 3, 1), False),
        (date(1993, 2, 28), date(2028, 2, 28), True),
    ],
)
def test_s25_a_leap_days_anniversary_is_the_28th_in_other_years(anniversary: date, day: date, falls: bool) -> None:
    assert schedules.falls_on(anniversary, day) is falls


def test_a_week_is_from_monday_to_sunday() -> None:
    week = tuple(date(2026, 12, 28).replace(day=day) for day in range(28, 32)) + tuple(
        date(2027, 1, day) for day in range(1, 4)
    )
    for day in week:
        assert schedules.week_of(day) == week


# What may be saved.


def test_lists_are_sorted_and_each_is_told_once() -> None:
    told = Schedule(weekdays=(5, 1, 5), month_days=(18, 1, 1), dates=("10-01", "05-01", "10-01"), from_hour=9)
    assert schedules.check("schedule", told, FIRST) == Schedule(
        weekdays=(1, 5), month_days=(1, 18), dates=("05-01", "10-01"), from_hour=9
    )


@pytest.mark.parametrize(
    ("told", "field", "details"),
    [
        ({"weekdays": (0,)}, "when.weekdays", {"number": 0, "minimum": 1, "maximum": 7}),
        ({"weekdays": (8,)}, "when.weekdays", {"number": 8, "minimum": 1, "maximum": 7}),
        ({"month_days": (0,)}, "when.monthDays", {"number": 0, "minimum": 1, "maximum": 31}),
        ({"month_days": (32,)}, "when.monthDays", {"number": 32, "minimum": 1, "maximum": 31}),
        ({"from_hour": -1}, "when.fromHour", {"number": -1, "minimum": 0, "maximum": 23}),
        ({"from_hour": 24}, "when.fromHour", {"number": 24, "minimum": 0, "maximum": 23}),
        ({"until_hour": 0}, "when.untilHour", {"number": 0, "minimum": 1, "maximum": 24}),
        ({"until_hour": 25}, "when.untilHour", {"number": 25, "minimum": 1, "maximum": 24}),
    ],
)
def test_numbers_have_bounds(told: dict[str, Any], field: str, details: dict[str, int]) -> None:
    with pytest.raises(NumberInvalid) as refused:
        schedules.check("when", Schedule(**told), FIRST)
    assert (refused.value.field, refused.value.details) == ((field,), {"name": field, **details})


@pytest.mark.parametrize(
    ("told", "name", "count", "count_max"),
    [
        ({"dates": ("05-01",) * 101}, "when.dates", 101, 100),
        ({"weekdays": (1,) * 8}, "when.weekdays", 8, 7),
        ({"month_days": (1,) * 32}, "when.monthDays", 32, 31),
    ],
)
def test_lists_are_bounded(told: dict[str, Any], name: str, count: int, count_max: int) -> None:
    with pytest.raises(TooMany) as refused:
        schedules.check("when", Schedule(**told), FIRST)
    assert refused.value.details == {"name": name, "count": count, "count_max": count_max}


@pytest.mark.parametrize(
    "told",
    ["", "5-1", "13-01", "02-30", "2026-02-29", "20260501", "2026-W01-1", "05/01", "2026-5-01", "0000-05-01", "٠٥-٠١"],
)
def test_dates_are_written_in_one_way(told: str) -> None:
    with pytest.raises(ScheduleInvalid) as refused:
        schedules.check("when", Schedule(dates=(told,)), FIRST)
    assert refused.value.field == ("when.dates",)
    assert refused.value.message == (
        f"The schedule does not work: {told!r} is no date; write 05-01 for every year, 2026-10-01 for once."
    )


@pytest.mark.parametrize(("first", "last"), [(10, 10), (22, 2)])
def test_hours_do_not_pass_midnight(first: int, last: int) -> None:
    with pytest.raises(ScheduleInvalid) as refused:
        schedules.check("when", Schedule(from_hour=first, until_hour=last), FIRST)
    assert refused.value.field == ("when.untilHour",)
    assert refused.value.details == {
        "why": f"no hour is from {first} and before {last}; hours past midnight need a rule of their own."
    }


@pytest.mark.parametrize(
    ("schedule", "last"),
    [
        (Schedule(month_days=(31,), dates=("04-30",)), None),
        (Schedule(dates=("2026-01-14",)), None),
        (Schedule(dates=("2026-01-17",)), date(2026, 1, 16)),
        (Schedule(weekdays=(1,)), date(2026, 1, 18)),
        (Schedule(dates=("02-29",)), date(2028, 2, 28)),
        (Schedule(dates=("2026-05-01",), weekdays=(1,)), None),
    ],
)
def test_a_schedule_without_a_day_is_refused(schedule: Schedule, last: date | None) -> None:
    with pytest.raises(ScheduleInvalid) as refused:
        schedules.check("when", schedule, FIRST, last)
    window = "from 2026-01-15 on" if last is None else f"from 2026-01-15 to {last}"
    assert refused.value.details == {"why": f"no day {window} is on all of its weekdays, days of the month and dates."}


@pytest.mark.parametrize(
    ("schedule", "last"),
    [
        (Schedule(dates=("2026-01-15",)), FIRST),
        (Schedule(weekdays=(1,)), date(2026, 1, 19)),
        # The next 29th of February that is a Monday is that of 2044.
        (Schedule(dates=("02-29",), weekdays=(1,)), None),
        (Schedule(dates=("2099-12-31",)), None),
        (Schedule(weekdays=(5,), month_days=(13,)), None),
    ],
)
def test_a_schedule_with_a_day_however_rare_is_kept(schedule: Schedule, last: date | None) -> None:
    assert schedules.check("when", schedule, FIRST, last) == schedule


@pytest.mark.parametrize("first", [date(2026, 1, 15), date(2028, 3, 1), date(2096, 3, 1)])
def test_every_day_of_the_month_and_of_the_year_comes_on_every_weekday(first: date) -> None:
    for weekday in range(1, 8):
        for day in range(1, 32):
            assert schedules.have_day((Schedule(weekdays=(weekday,), month_days=(day,)),), first)
        assert schedules.have_day((Schedule(weekdays=(weekday,), dates=("02-29",)),), first)


def test_schedules_with_a_day_or_an_hour_in_common() -> None:
    monday, first_of_month, may_day = Schedule(weekdays=(1,)), Schedule(month_days=(1,)), Schedule(dates=("05-01",))
    assert schedules.have_day((monday, first_of_month), FIRST)
    assert schedules.have_day((monday, may_day), FIRST)
    assert not schedules.have_day((monday, may_day), FIRST, date(2026, 12, 31))
    assert not schedules.have_day((first_of_month, Schedule(month_days=(2,))), FIRST)
    assert schedules.share_hour(Schedule(until_hour=10), Schedule(from_hour=9))
    assert not schedules.share_hour(Schedule(until_hour=9), Schedule(from_hour=9))


def test_what_a_schedule_says() -> None:
    assert [schedules.has_days(each) for each in (ALWAYS, Schedule(from_hour=1), Schedule(dates=("05-01",)))] == [
        False,
        False,
        True,
    ]
    assert [schedules.has_hours(each) for each in (ALWAYS, Schedule(weekdays=(1,)), Schedule(until_hour=9))] == [
        False,
        False,
        True,
    ]
