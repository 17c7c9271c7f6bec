"""Dates are those of the program's zone, the last one inclusive; days that recur are told as people say them."""

from datetime import UTC, datetime, timedelta

import pytest

from domain import calendars
from domain.schedules import ALWAYS, Schedule
from domain.terms import times
from domain.terms.wording import Terms

SHANGHAI = "Asia/Shanghai"
MIDNIGHT = datetime(2026, 2, 28, 16, tzinfo=UTC)  # 1 March in Shanghai
NOON = MIDNIGHT + timedelta(hours=12)
LATER = MIDNIGHT + timedelta(days=31)  # 1 April in Shanghai


@pytest.mark.parametrize(
    "starts_at, ends_at, chinese, english",
    [
        (MIDNIGHT, None, "自2026年3月1日起", "from 1 March 2026 on"),
        (NOON, None, "自2026年3月1日12:00起", "from 12:00 on 1 March 2026 on"),
        (None, LATER, "至2026年3月31日（含）", "through 31 March 2026"),
        (MIDNIGHT, LATER, "2026年3月1日至2026年3月31日（含）", "from 1 March 2026 through 31 March 2026"),
        (MIDNIGHT, MIDNIGHT + timedelta(days=1), "2026年3月1日当天", "on 1 March 2026"),
        (
            NOON,
            MIDNIGHT + timedelta(days=1),
            "2026年3月1日12:00至2026年3月1日（含）",
            "from 12:00 on 1 March 2026 through 1 March 2026",
        ),
        (
            MIDNIGHT,
            LATER + timedelta(seconds=1),
            "2026年3月1日至2026年4月1日00:00:01",
            "from 1 March 2026 until 00:00:01 on 1 April 2026",
        ),
    ],
)
def test_spans(starts_at: datetime | None, ends_at: datetime | None, chinese: str, english: str) -> None:
    assert times.of_span(starts_at, ends_at, SHANGHAI) == Terms(chinese, english)


def test_no_span_is_no_words() -> None:
    assert times.of_span(None, None, SHANGHAI) is None
    assert times.of_schedule(ALWAYS) is None
    assert times.of_schedule(Schedule(from_hour=0, until_hour=24)) is None


def test_the_same_instants_are_other_dates_in_another_zone() -> None:
    told = times.of_span(MIDNIGHT, LATER, "UTC")
    assert told == Terms(
        "2026年2月28日16:00至2026年3月31日16:00",
        "from 16:00 on 28 February 2026 until 16:00 on 31 March 2026",
    )


def test_a_midnight_that_a_clock_skips_begins_its_day() -> None:
    """In Beirut the clock of 29 March 2026 goes from midnight to one."""
    day = datetime(2026, 3, 29, 12, tzinfo=UTC).date()
    first, last = calendars.start_of(day, "Asia/Beirut"), calendars.end_of(day, "Asia/Beirut")
    assert last - first == timedelta(hours=23)
    assert times.of_span(first, last, "Asia/Beirut") == Terms("2026年3月29日当天", "on 29 March 2026")
    assert times.of_span(None, first, "Asia/Beirut") == Terms("至2026年3月28日（含）", "through 28 March 2026")


@pytest.mark.parametrize(
    "schedule, chinese, english",
    [
        (Schedule(weekdays=(7, 1)), "每周一、周日", "every Monday and Sunday"),
        (Schedule(weekdays=(1, 2, 3)), "每周一至周三", "every Monday to Wednesday"),
        (Schedule(weekdays=(1, 2, 4)), "每周一、周二、周四", "every Monday, Tuesday and Thursday"),
        (Schedule(month_days=(8, 18, 28)), "每月8日、18日、28日", "on the 8th, 18th and 28th of every month"),
        (Schedule(month_days=(11, 22)), "每月11日、22日", "on the 11th and 22nd of every month"),
        (
            Schedule(dates=("05-01", "2026-10-01")),
            "每年5月1日、2026年10月1日",
            "on 1 May every year and 1 October 2026",
        ),
        (Schedule(from_hour=9), "每天09:00–24:00", "every day from 09:00 to 24:00"),
        (Schedule(until_hour=9), "每天00:00–09:00", "every day from 00:00 to 09:00"),
        (
            Schedule(weekdays=(5,), month_days=(13,)),
            "每周五且逢每月13日",
            "every Friday, if that day is also the 13th of a month",
        ),
        (
            Schedule(weekdays=(4,), month_days=(8, 18), dates=("10-08",), from_hour=10, until_hour=12),
            "每周四且逢每月8日或18日且逢每年10月8日10:00–12:00",
            "every Thursday, if that day is also the 8th or 18th of a month and 8 October every year"
            " from 10:00 to 12:00",
        ),
    ],
)
def test_schedules(schedule: Schedule, chinese: str, english: str) -> None:
    assert times.of_schedule(schedule) == Terms(chinese, english)
