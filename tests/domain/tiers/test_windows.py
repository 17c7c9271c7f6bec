"""Windows: over which local days a metric counts, and how long a tier lasts (K2, K5)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.policies import TierPolicy, TierWindow
from domain.tiers.windows import Days, gift_window, last_day, window_of

LIFETIME = TierPolicy()
YEAR = TierPolicy(window=TierWindow.CALENDAR_YEAR)
ANNIVERSARY = TierPolicy(window=TierWindow.ANNIVERSARY)
JOINED = date(2024, 5, 20)
LEAP = date(2024, 2, 29)

DAY = st.dates(date(2001, 1, 1), date(2200, 12, 31))
POLICY = st.builds(
    TierPolicy,
    window=st.sampled_from(TierWindow),
    months=st.integers(1, 120),
    validity_days=st.none() | st.integers(1, 3650),
)


def rolling(months: int) -> TierPolicy:
    return TierPolicy(window=TierWindow.ROLLING, months=months)


def test_days_hold_their_first_and_their_last_day_and_none_beside() -> None:
    days = Days(date(2026, 1, 2), date(2026, 1, 4))
    held = [date(2026, 1, 1) + timedelta(days=number) in days for number in range(5)]
    assert held == [False, True, True, True, False]
    assert date(1900, 1, 1) in Days(None, date(2026, 1, 4))
    assert date(2026, 1, 5) not in Days(None, date(2026, 1, 4))


def test_k2_a_calendar_year_is_that_of_the_day() -> None:
    for day in (date(2026, 1, 1), date(2026, 7, 9), date(2026, 12, 31)):
        assert window_of(YEAR, day, JOINED) == Days(date(2026, 1, 1), date(2026, 12, 31))
        assert last_day(YEAR, day, JOINED) == date(2027, 12, 31)


@pytest.mark.parametrize(
    ("months", "day", "first", "last"),
    [
        (12, date(2026, 3, 10), date(2025, 3, 11), date(2027, 3, 10)),
        (12, date(2026, 3, 1), date(2025, 3, 2), date(2027, 3, 1)),
        (1, date(2026, 3, 10), date(2026, 2, 11), date(2026, 4, 10)),
        (3, date(2026, 1, 31), date(2025, 11, 1), date(2026, 4, 30)),
        (6, date(2026, 8, 31), date(2026, 3, 1), date(2027, 2, 28)),
        (12, date(2024, 2, 29), date(2023, 3, 1), date(2025, 2, 28)),
        (24, date(2026, 3, 10), date(2024, 3, 11), date(2028, 3, 10)),
    ],
)
def test_k2_a_rolling_window_is_so_many_months_to_the_day(months: int, day: date, first: date, last: date) -> None:
    assert window_of(rolling(months), day, JOINED) == Days(first, day)
    assert last_day(rolling(months), day, JOINED) == last


@pytest.mark.parametrize(
    ("joined", "day", "first", "last", "lasts_to"),
    [
        (JOINED, date(2024, 5, 20), date(2024, 5, 20), date(2025, 5, 19), date(2026, 5, 19)),
        (JOINED, date(2026, 5, 19), date(2025, 5, 20), date(2026, 5, 19), date(2027, 5, 19)),
        (JOINED, date(2026, 5, 20), date(2026, 5, 20), date(2027, 5, 19), date(2028, 5, 19)),
        (JOINED, date(2024, 5, 19), date(2023, 5, 20), date(2024, 5, 19), date(2025, 5, 19)),
        (date(2024, 1, 1), date(2026, 6, 1), date(2026, 1, 1), date(2026, 12, 31), date(2027, 12, 31)),
        # Who joined on the 29th of February begins a year on the 28th of others.
        (LEAP, date(2024, 2, 29), date(2024, 2, 29), date(2025, 2, 27), date(2026, 2, 27)),
        (LEAP, date(2025, 2, 27), date(2024, 2, 29), date(2025, 2, 27), date(2026, 2, 27)),
        (LEAP, date(2025, 2, 28), date(2025, 2, 28), date(2026, 2, 27), date(2027, 2, 27)),
        (LEAP, date(2028, 2, 28), date(2027, 2, 28), date(2028, 2, 28), date(2029, 2, 27)),
        (LEAP, date(2028, 2, 29), date(2028, 2, 29), date(2029, 2, 27), date(2030, 2, 27)),
        (LEAP, date(2026, 3, 1), date(2026, 2, 28), date(2027, 2, 27), date(2028, 2, 28)),
    ],
)
def test_k2_an_anniversary_window_begins_on_the_day_of_joining(
    joined: date, day: date, first: date, last: date, lasts_to: date
) -> None:
    assert window_of(ANNIVERSARY, day, joined) == Days(first, last)
    assert last_day(ANNIVERSARY, day, joined) == lasts_to


def test_k2_a_life_has_no_first_day_and_its_tiers_no_last() -> None:
    assert window_of(LIFETIME, date(2026, 3, 10), JOINED) == Days(None, date(2026, 3, 10))
    assert last_day(LIFETIME, date(2026, 3, 10), JOINED) is None


@pytest.mark.parametrize("window", TierWindow)
def test_k2_days_of_validity_are_counted_from_the_day_after(window: TierWindow) -> None:
    policy = TierPolicy(window=window, months=3, validity_days=30)
    assert last_day(policy, date(2026, 1, 31), JOINED) == date(2026, 3, 2)


@given(POLICY, DAY, DAY)
def test_k2_a_day_is_in_its_own_window_which_ends_no_later_than_what_is_reached_in_it(
    policy: TierPolicy, day: date, joined: date
) -> None:
    window = window_of(policy, day, joined)
    assert day in window
    last = last_day(policy, day, joined)
    assert last is None or last > day
    if last is not None and policy.validity_days is None:
        assert last > window.last


@given(DAY, DAY)
def test_k2_windows_of_a_year_follow_each_other_without_a_gap(day: date, joined: date) -> None:
    for policy in (YEAR, ANNIVERSARY):
        window = window_of(policy, day, joined)
        assert window.first is not None
        following = window_of(policy, window.last + timedelta(days=1), joined)
        assert following.first == window.last + timedelta(days=1)
        assert last_day(policy, day, joined) == following.last
        assert window_of(policy, window.first, joined) == window == window_of(policy, window.last, joined)


@given(st.integers(1, 120), DAY, DAY)
def test_k5_gift_windows_of_a_rolling_policy_follow_each_other_from_the_day_of_joining(
    months: int, day: date, joined: date
) -> None:
    first = gift_window(rolling(months), day, joined)
    assert first is not None
    assert first <= day
    # The last day before the next one begins is in this one still.
    assert gift_window(rolling(months), first, joined) == first
    before = gift_window(rolling(months), first - timedelta(days=1), joined)
    assert before is not None
    assert before < first
    assert abs((first - before).days - months * 30.44) < 4


def test_k5_gift_windows_of_other_policies_are_those_of_the_metric() -> None:
    day = date(2026, 3, 10)
    assert gift_window(YEAR, day, JOINED) == date(2026, 1, 1)
    assert gift_window(ANNIVERSARY, day, JOINED) == date(2025, 5, 20)
    assert gift_window(LIFETIME, day, JOINED) is None
    assert gift_window(rolling(3), date(2026, 5, 19), JOINED) == date(2026, 2, 20)
    assert gift_window(rolling(3), date(2026, 5, 20), JOINED) == date(2026, 5, 20)
