"""Local days: where they start and end, in zones that change their clocks and in those that do not (L5)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import calendars

ZONES = (
    "Asia/Shanghai",
    "UTC",
    "America/New_York",
    "Europe/London",
    "America/Santiago",  # its clocks change at midnight
    "Africa/Cairo",
    "Asia/Beirut",
    "America/Havana",
    "Asia/Kathmandu",  # +05:45
    "Australia/Lord_Howe",  # half an hour of daylight saving
    "Pacific/Apia",
    "Pacific/Kiritimati",  # +14
)
DAYS = st.dates(date(2012, 1, 2), date(2100, 12, 30))
ZONE = st.sampled_from(ZONES)
INSTANT = timedelta(microseconds=1)


@given(DAYS, ZONE)
def test_l5_a_local_day_starts_with_its_first_instant_and_ends_with_its_last(day: date, zone_name: str) -> None:
    start, end = calendars.start_of(day, zone_name), calendars.end_of(day, zone_name)
    assert calendars.local_date(start, zone_name) == day
    assert calendars.local_date(start - INSTANT, zone_name) == day - timedelta(days=1)
    assert calendars.local_date(end - INSTANT, zone_name) == day
    assert calendars.local_date(end, zone_name) == day + timedelta(days=1)
    assert end == calendars.start_of(day + timedelta(days=1), zone_name)
    assert timedelta(hours=23) <= end - start <= timedelta(hours=25)


@given(DAYS, ZONE, st.integers(0, 24 * 60 - 1))
def test_l5_every_instant_lies_in_its_own_local_day(day: date, zone_name: str, minute: int) -> None:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minute)
    local = calendars.local_date(at, zone_name)
    assert calendars.start_of(local, zone_name) <= at < calendars.end_of(local, zone_name)


def test_l5_a_day_that_a_zone_skipped_is_empty() -> None:
    # Samoa went from the 29th straight to the 31st of December 2011.
    skipped = date(2011, 12, 30)
    assert calendars.start_of(skipped, "Pacific/Apia") == calendars.end_of(skipped, "Pacific/Apia")
    assert calendars.start_of(skipped, "Pacific/Apia") == datetime(2011, 12, 30, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "later", "last"),
    [
        (date(2026, 1, 31), 0, date(2026, 1, 31)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 1), 1, date(2024, 2, 29)),
        (date(2100, 1, 1), 1, date(2100, 2, 28)),
        (date(2026, 12, 1), 0, date(2026, 12, 31)),
        (date(2026, 11, 30), 1, date(2026, 12, 31)),
        (date(2026, 12, 31), 1, date(2027, 1, 31)),
        (date(2026, 6, 15), 120, date(2036, 6, 30)),
    ],
)
def test_l5_ends_of_months(day: date, later: int, last: date) -> None:
    assert calendars.end_of_month(day, later) == last


@given(DAYS, st.integers(0, 120))
def test_l5_ends_of_quarters_and_years_are_ends_of_months(day: date, later: int) -> None:
    quarter, year = calendars.end_of_quarter(day, later), calendars.end_of_year(day, later)
    month = calendars.end_of_month(day, later)
    assert (month + timedelta(days=1)).day == (quarter + timedelta(days=1)).day == 1
    assert quarter.month % 3 == 0
    assert (year.month, year.day) == (12, 31)
    assert (year.year - day.year) == later
    assert day <= calendars.end_of_month(day) <= calendars.end_of_quarter(day) <= calendars.end_of_year(day)
    assert (quarter.year * 12 + quarter.month - 1) // 3 == (day.year * 12 + day.month - 1) // 3 + later


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2026, 3, 15), -1, date(2026, 2, 15)),
        (date(2026, 3, 31), -13, date(2025, 2, 28)),
        (date(2026, 12, 5), 1, date(2027, 1, 5)),
        (date(2026, 5, 5), 0, date(2026, 5, 5)),
    ],
)
def test_k2_so_many_months_later_is_the_same_day_or_the_last_of_the_month(day: date, months: int, later: date) -> None:
    assert calendars.add_months(day, months) == later


def test_k2_so_many_years_later_a_leap_day_is_the_28th() -> None:
    assert calendars.add_years(date(2024, 2, 29), 1) == date(2025, 2, 28)
    assert calendars.add_years(date(2024, 2, 29), 4) == date(2028, 2, 29)
    assert calendars.add_years(date(2026, 7, 1), -2) == date(2024, 7, 1)


@pytest.mark.parametrize(
    ("period", "first"),
    [
        ("DAY", date(2027, 1, 2)),
        ("WEEK", date(2026, 12, 28)),
        ("MONTH", date(2027, 1, 1)),
        ("YEAR", date(2027, 1, 1)),
        ("LIFETIME", date.min),
    ],
)
def test_l13_periods_of_the_calendar_start(period: str, first: date) -> None:
    assert calendars.start_of_period(date(2027, 1, 2), period) == first
    assert calendars.start_of_period(first, period) == first


def test_l13_there_is_no_other_period() -> None:
    with pytest.raises(AssertionError):
        calendars.start_of_period(date(2027, 1, 2), "FORTNIGHT")


@given(DAYS, st.sampled_from([zone for zone in ZONES if zone != "Pacific/Apia"]))
def test_noon_and_the_day_before_are_of_the_local_date(day: date, zone_name: str) -> None:
    assert calendars.local_date(calendars.noon_of(day, zone_name), zone_name) == day
    assert calendars.before(day) == day - timedelta(days=1)
