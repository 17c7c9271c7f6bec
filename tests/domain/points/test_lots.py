"""Lots: when they become available, when they expire, which pay first, and where points come back to (L3, L4, L5)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import policies
from domain.points import lots
from domain.points.account import InsufficientPoints, Lot, LotState, PointsAccount, SourceType
from domain.policies import ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from tests.domain.memory import PROGRAM_ID, START
from tests.domain.shop import SHANGHAI

MEMBER = UUID(int=7)
ACCOUNT = PointsAccount(id=MEMBER, program_id=PROGRAM_ID, enrolled_at=START)


def lot(number: int, remaining: int = 10, **more: object) -> Lot:
    base = Lot(
        id=UUID(int=number),
        program_id=PROGRAM_ID,
        member_id=MEMBER,
        transaction_id=UUID(int=1000 + number),
        source_type=SourceType.PURCHASE,
        source_id=UUID(int=2000 + number),
        amount=remaining,
        remaining=remaining,
        state=LotState.ACTIVE,
        available_at=START,
        earned_at=START,
    )
    return replace(base, **more)  # type: ignore[arg-type]


def local(zone_name: str, *parts: int) -> datetime:
    """A local time as an instant."""
    return datetime(*parts, tzinfo=ZoneInfo(zone_name)).astimezone(UTC)  # type: ignore[arg-type,misc]


def expiry(kind: ExpiryKind, count: int | None = None, on_date: date | None = None) -> ExpiryPolicy:
    return ExpiryPolicy(kind=kind, count=count, on_date=on_date)


# L3: when earned points become available.


def test_l3_immediate_points_are_available_when_they_are_earned() -> None:
    assert policies.available_at(PendingPolicy(), START, SHANGHAI) == START


def test_l3_points_after_days_wait_that_many_times_24_hours() -> None:
    policy = PendingPolicy(PendingKind.AFTER, days=7)
    assert policies.available_at(policy, START, SHANGHAI) == START + timedelta(days=7)


def test_l3_points_on_event_have_no_time_yet() -> None:
    assert policies.available_at(PendingPolicy(PendingKind.ON_EVENT), START, SHANGHAI) is None


def test_l3_points_on_a_date_come_with_its_first_local_instant() -> None:
    policy = PendingPolicy(PendingKind.ON_DATE, on_date=date(2026, 2, 1))
    assert policies.available_at(policy, START, SHANGHAI) == datetime(2026, 1, 31, 16, tzinfo=UTC)


def test_l3_points_earned_after_the_date_are_available_at_once() -> None:
    policy = PendingPolicy(PendingKind.ON_DATE, on_date=date(2025, 1, 1))
    assert policies.available_at(policy, START, SHANGHAI) == START


@pytest.mark.parametrize("on_date", [date.min, date(2026, 1, 15)])
def test_l3_a_date_that_has_begun_however_long_ago_is_no_wait(on_date: date) -> None:
    assert policies.available_at(PendingPolicy(PendingKind.ON_DATE, on_date=on_date), START, SHANGHAI) == START


# L5: when points expire.

NOON = (2026, 1, 15, 12)
EXPIRIES = [
    (expiry(ExpiryKind.NEVER), SHANGHAI, NOON, None),
    (expiry(ExpiryKind.INACTIVITY, 30), SHANGHAI, NOON, None),
    (expiry(ExpiryKind.FIXED_DATE, on_date=date(2026, 6, 30)), SHANGHAI, NOON, (2026, 7, 1)),
    (expiry(ExpiryKind.FIXED_DATE, on_date=date(9999, 12, 30)), SHANGHAI, NOON, (9999, 12, 31)),
    (expiry(ExpiryKind.FIXED_DATE, on_date=date.max), SHANGHAI, NOON, None),
    (expiry(ExpiryKind.DAYS, 1), SHANGHAI, NOON, (2026, 1, 17)),
    (expiry(ExpiryKind.DAYS, 365), SHANGHAI, NOON, (2027, 1, 16)),
    (expiry(ExpiryKind.DAYS, 365), SHANGHAI, (2024, 2, 28, 12), (2025, 2, 28)),  # over a leap day
    (expiry(ExpiryKind.DAYS, 1), SHANGHAI, (2024, 2, 28, 12), (2024, 3, 1)),  # the leap day itself counts
    (expiry(ExpiryKind.DAYS, 1), SHANGHAI, (2023, 2, 28, 12), (2023, 3, 2)),
    (expiry(ExpiryKind.END_OF_MONTH, 0), SHANGHAI, NOON, (2026, 2, 1)),
    (expiry(ExpiryKind.END_OF_MONTH, 1), SHANGHAI, (2026, 1, 31, 12), (2026, 3, 1)),
    (expiry(ExpiryKind.END_OF_MONTH, 1), SHANGHAI, (2024, 1, 31, 12), (2024, 3, 1)),
    (expiry(ExpiryKind.END_OF_MONTH, 12), SHANGHAI, (2026, 12, 31, 12), (2028, 1, 1)),
    (expiry(ExpiryKind.END_OF_QUARTER, 0), SHANGHAI, (2026, 3, 31, 23), (2026, 4, 1)),
    (expiry(ExpiryKind.END_OF_QUARTER, 0), SHANGHAI, (2026, 4, 1, 0), (2026, 7, 1)),
    (expiry(ExpiryKind.END_OF_QUARTER, 3), SHANGHAI, (2026, 5, 20, 0), (2027, 4, 1)),
    (expiry(ExpiryKind.END_OF_YEAR, 0), SHANGHAI, (2026, 12, 31, 23), (2027, 1, 1)),
    (expiry(ExpiryKind.END_OF_YEAR, 1), SHANGHAI, NOON, (2028, 1, 1)),
    # A day of 23 hours and one of 25: the local midnight decides.
    (expiry(ExpiryKind.DAYS, 1), "America/New_York", (2026, 3, 7, 12), (2026, 3, 9)),
    (expiry(ExpiryKind.DAYS, 1), "America/New_York", (2026, 10, 31, 12), (2026, 11, 2)),
    (expiry(ExpiryKind.END_OF_MONTH, 0), "Europe/Berlin", (2026, 3, 29, 1), (2026, 4, 1)),
]


@pytest.mark.parametrize(("policy", "zone_name", "earned", "over"), EXPIRIES)
def test_l5_points_last_through_the_last_local_day(
    policy: ExpiryPolicy, zone_name: str, earned: tuple[int, ...], over: tuple[int, ...] | None
) -> None:
    expected = None if over is None else local(zone_name, *over)
    assert policies.expires_at(policy, local(zone_name, *earned), zone_name) == expected


def test_l5_the_same_instant_is_another_day_in_another_zone() -> None:
    earned = datetime(2026, 1, 31, 17, tzinfo=UTC)  # already February in Shanghai
    policy = expiry(ExpiryKind.END_OF_MONTH, 0)
    assert policies.expires_at(policy, earned, SHANGHAI) == local(SHANGHAI, 2026, 3, 1)
    assert policies.expires_at(policy, earned, "America/New_York") == local("America/New_York", 2026, 2, 1)


def test_l5_a_midnight_that_does_not_exist_is_the_first_instant_after_the_gap() -> None:
    # In Santiago the clock goes from 24:00 on 5 September 2026 to 01:00 on the 6th.
    zone_name = "America/Santiago"
    policy = expiry(ExpiryKind.FIXED_DATE, on_date=date(2026, 9, 5))
    assert policies.expires_at(policy, START, zone_name) == datetime(2026, 9, 6, 4, tzinfo=UTC)
    assert policies.expires_at(policy, START, zone_name) == local(zone_name, 2026, 9, 6, 1)


def test_l5_inactivity_counts_local_days_from_the_last_activity() -> None:
    policy = expiry(ExpiryKind.INACTIVITY, 30)
    assert lots.idle_expires_at(policy, local(SHANGHAI, 2026, 1, 15, 23), SHANGHAI) == local(SHANGHAI, 2026, 2, 15)
    assert lots.idle_expires_at(expiry(ExpiryKind.DAYS, 30), START, SHANGHAI) is None


# L4: which lots pay first.


def test_l4_soonest_expiry_pays_first_then_the_oldest_then_the_lower_id_and_what_never_expires_last() -> None:
    soon, later = START + timedelta(days=1), START + timedelta(days=2)
    never_old = lot(1, earned_at=START - timedelta(days=9))
    late = lot(2, expires_at=later)
    soon_young = lot(3, expires_at=soon)
    soon_old_high = lot(5, expires_at=soon, earned_at=START - timedelta(days=1))
    soon_old_low = lot(4, expires_at=soon, earned_at=START - timedelta(days=1))
    never_young = lot(0)
    everything = [never_old, late, soon_young, soon_old_high, soon_old_low, never_young]
    chosen = lots.choose(everything, ACCOUNT, 60)
    assert [drawn.id.int for drawn, _ in chosen] == [4, 5, 3, 2, 1, 0]


def test_l4_points_that_expire_by_inactivity_stand_where_their_date_is_now() -> None:
    account = replace(ACCOUNT, idle_expires_at=START + timedelta(days=3))
    idle = lot(1, expires_when_idle=True)
    before, after = lot(2, expires_at=START + timedelta(days=2)), lot(3, expires_at=START + timedelta(days=4))
    chosen = lots.choose([after, idle, before], account, 30)
    assert [drawn.id.int for drawn, _ in chosen] == [2, 1, 3]


def test_l4_only_free_points_of_active_lots_are_chosen() -> None:
    candidates = [lot(1, 10, held=8), lot(2, 10, state=LotState.PENDING), lot(3, 10)]
    assert lots.choose(candidates, ACCOUNT, 5) == ((candidates[0], 2), (candidates[2], 3))
    with pytest.raises(InsufficientPoints) as refused:
        lots.choose(candidates, ACCOUNT, 13)
    assert refused.value.details == {"required": 13, "available": 12}


def test_l4_nothing_is_chosen_for_nothing() -> None:
    assert lots.choose([lot(1)], ACCOUNT, 0) == ()


def test_l4_what_was_drawn_last_comes_back_first() -> None:
    first, second = lot(1), lot(2)
    assert lots.giving_back([(first, 10), (second, 5)], 0, 7) == ((second, 5), (first, 2))
    assert lots.giving_back([(first, 10), (second, 5)], 7, 8) == ((first, 8),)


# The same, for any lots.

MANY_LOTS = st.lists(
    st.builds(
        lambda remaining, held, days, earned, is_pending: {
            "remaining": remaining,
            "held": min(held, remaining),
            "expires_at": None if days is None else START + timedelta(days=days),
            "earned_at": START - timedelta(days=earned),
            "state": LotState.PENDING if is_pending else LotState.ACTIVE,
        },
        st.integers(1, 50),
        st.integers(0, 50),
        st.none() | st.integers(1, 4),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=8,
)


@given(MANY_LOTS, st.integers(0, 100), st.randoms(use_true_random=False))
def test_l4_choosing_is_exact_in_order_and_independent_of_how_lots_are_listed(
    told: list[dict[str, object]], percent: int, shuffler: object
) -> None:
    candidates = [lot(number, **facts) for number, facts in enumerate(told, start=1)]  # type: ignore[arg-type]
    amount = sum(candidate.free for candidate in candidates) * percent // 100
    chosen = lots.choose(candidates, ACCOUNT, amount)
    shuffled = list(candidates)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]
    assert lots.choose(shuffled, ACCOUNT, amount) == chosen
    assert sum(taken for _, taken in chosen) == amount
    assert all(0 < taken <= drawn.free for drawn, taken in chosen)
    # Every lot before the last one is used up, and nothing that should have paid earlier was passed over.
    assert all(taken == drawn.free for drawn, taken in chosen[:-1])
    keys = [lots.spend_order(drawn, ACCOUNT) for drawn, _ in chosen]
    assert keys == sorted(keys)
    untouched = [one for one in candidates if one.free and one not in [drawn for drawn, _ in chosen]]
    assert all(lots.spend_order(one, ACCOUNT) > keys[-1] for one in untouched if keys)


@given(MANY_LOTS, st.lists(st.integers(1, 40), max_size=10))
def test_l4_given_back_in_any_parts_everything_comes_back_exactly_once(
    told: list[dict[str, object]], parts: list[int]
) -> None:
    candidates = [lot(number, **facts) for number, facts in enumerate(told, start=1)]  # type: ignore[arg-type]
    draws = lots.choose(candidates, ACCOUNT, sum(candidate.free for candidate in candidates))
    total = sum(taken for _, taken in draws)
    back: dict[UUID, int] = {}
    returned = 0
    for part in [*parts, total]:
        given_now = min(part, total - returned)
        for drawn, points in lots.giving_back(draws, returned, given_now):
            assert points > 0
            back[drawn.id] = back.get(drawn.id, 0) + points
        returned += given_now
    assert back == {drawn.id: taken for drawn, taken in draws}
