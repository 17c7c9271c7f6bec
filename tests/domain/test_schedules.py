"""Recurring local time: which days and hours a schedule has, and which schedules are refused."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import schedules
from domain.checks import NumberInvalid, TooMany
from domain.schedules import ALWAYS, Schedule, ScheduleInvalid, Window
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


def test_schedules_with_a_day_in_common() -> None:
    monday, first_of_month, may_day = Schedule(weekdays=(1,)), Schedule(month_days=(1,)), Schedule(dates=("05-01",))
    assert schedules.have_day((monday, first_of_month), FIRST)
    assert schedules.have_day((monday, may_day), FIRST)
    assert not schedules.have_day((monday, may_day), FIRST, date(2026, 12, 31))
    assert not schedules.have_day((first_of_month, Schedule(month_days=(2,))), FIRST)


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


# Times in a window.

ZONES: Final = (
    "Asia/Shanghai",
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "America/Santiago",
    "Pacific/Apia",
)


def window(zone_name: str, starts_at: str, ends_at: str) -> Window:
    zone = ZoneInfo(zone_name)
    first, last = (datetime.fromisoformat(told).replace(tzinfo=zone).astimezone(UTC) for told in (starts_at, ends_at))
    return Window(first, last, zone_name)


def days_with_time(all_of: tuple[Schedule, ...], told: Window) -> set[date]:
    """The local days on which schedules are on at some time of a window, looked at minute by minute."""
    assert told.starts_at is not None
    assert told.ends_at is not None
    found: set[date] = set()
    at, zone = told.starts_at, ZoneInfo(told.time_zone)
    while at < told.ends_at:
        local = at.astimezone(zone)
        if all(schedules.meets(schedule, local) for schedule in all_of):
            found.add(local.date())
        at += timedelta(minutes=1)
    return found


SPELLS: Final = st.builds(
    Schedule,
    weekdays=st.sets(st.integers(1, 7), max_size=4).map(tuple),
    from_hour=st.integers(0, 4) | st.none(),
    until_hour=st.integers(5, 24) | st.none(),
) | st.builds(lambda hour: Schedule(from_hour=hour, until_hour=hour + 1), st.integers(0, 23))
# Clocks are put forward or back, or skip a day, within these.
TURNS: Final = (
    "2026-03-07",
    "2026-03-28",
    "2026-04-04",
    "2026-09-05",
    "2026-10-24",
    "2026-10-31",
    "2011-12-29",
    "2026-06-01",
)


@given(
    st.sampled_from(ZONES),
    st.sampled_from(TURNS),
    st.integers(0, 3000),
    st.integers(1, 1500),
    st.lists(SPELLS, min_size=1, max_size=2).map(tuple),
)
@settings(max_examples=150, deadline=None)
def test_days_and_hours_come_in_a_window_as_minute_by_minute(
    zone_name: str, turn: str, minutes: int, length: int, all_of: tuple[Schedule, ...]
) -> None:
    starts_at = datetime.fromisoformat(turn).replace(tzinfo=UTC) + timedelta(minutes=minutes)
    told = Window(starts_at, starts_at + timedelta(minutes=length), zone_name)
    expected = days_with_time(all_of, told)
    first = starts_at.date() - timedelta(days=2)
    days = [first + timedelta(days=number) for number in range(8)]
    assert {day for day in days if schedules.have_time_on(all_of, day, told)} == expected
    assert schedules.have_time(all_of, days[0], days[-1], told) is bool(expected)


def test_an_hour_that_the_clock_skips_never_comes() -> None:
    skipped = Schedule(from_hour=2, until_hour=3)
    spring = window("Europe/Berlin", "2026-03-29T00:00", "2026-03-30T00:00")
    assert not schedules.have_time_on((skipped,), date(2026, 3, 29), spring)
    assert schedules.have_time_on((skipped,), date(2026, 3, 28), spring._replace(starts_at=None))


def test_a_second_of_an_hour_is_enough_and_none_is_not() -> None:
    hours = Schedule(from_hour=8, until_hour=10)
    for starts_at, ends_at, comes in (
        ("2026-12-01T00:00", "2026-12-01T06:00", False),
        ("2026-12-01T00:00", "2026-12-01T08:00", False),
        ("2026-12-01T00:00", "2026-12-01T08:00:01", True),
        ("2026-12-01T09:59:59", "2026-12-01T23:00", True),
        ("2026-12-01T10:00", "2026-12-02T08:00", False),
        ("2026-12-01T10:00", "2026-12-02T08:00:01", True),
    ):
        told = window(SHANGHAI, starts_at, ends_at)
        assert schedules.have_time((hours,), date(2026, 12, 1), date(2026, 12, 2), told) is comes


def test_schedules_without_an_hour_in_common_have_no_time_and_a_day_beyond_calendars_has() -> None:
    open_ = Window(None, None, SHANGHAI)
    until, since = Schedule(until_hour=9), Schedule(from_hour=9)
    assert schedules.have_time((until, Schedule(from_hour=8)), FIRST, None, open_)
    assert not schedules.have_time((until, since), FIRST, None, open_)
    last = Schedule(dates=("9999-12-31",), from_hour=9)
    assert schedules.have_time((last,), FIRST, None, open_._replace(time_zone="America/New_York"))
