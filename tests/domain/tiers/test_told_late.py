"""What a till tells late counts in its own window, and for what the clock did meanwhile (K2)."""

from datetime import date, timedelta

import pytest

from domain.policies import (
    Downgrade,
    ExpiryKind,
    ExpiryPolicy,
    PendingKind,
    PendingPolicy,
    TierPolicy,
    TierWindow,
)
from domain.purchases.recording import ConfirmPurchase
from tests.domain.tiers.club import Club

YEAR = TierPolicy(window=TierWindow.CALENDAR_YEAR, downgrade=Downgrade.FULL)


def test_k2_a_purchase_of_the_30th_of_december_told_on_the_2nd_of_january_reaches_a_tier_of_the_old_year() -> None:
    club = Club(YEAR, day=date(2025, 12, 29))
    member = club.enroll()
    club.buy(member, 20_000)
    club.go(2026, 1, 2)
    club.buy(member, 10_000, occurred_at=club.noon(2025, 12, 30))
    assert club.counted(member) == {"2025-12-29": (200, 20_000, 1), "2025-12-30": (100, 10_000, 1)}
    assert club.days(member) == [("REACHED", "Silver", "2025-12-29"), ("REACHED", "Gold", "2025-12-30")]
    assert (club.last_day(member), club.progress(member).metric) == (date(2026, 12, 31), 0)


def test_k2_a_purchase_told_late_counts_in_no_other_window() -> None:
    club = Club(YEAR, day=date(2026, 1, 2))
    member = club.enroll()
    club.buy(member, 9_900)
    club.buy(member, 9_900, occurred_at=club.noon(2025, 12, 30))
    assert club.tier(member) is None


@pytest.mark.parametrize(("keep", "yuan"), [(None, 60), ({"Gold": 250}, 10)])
def test_k2_a_purchase_told_late_keeps_a_tier_that_was_lost_meanwhile(keep: dict[str, int] | None, yuan: int) -> None:
    club = Club(YEAR, day=date(2024, 5, 1), keep=keep, gifts={"Gold": 7})
    member = club.enroll()
    club.buy(member, 30_000)
    club.go(2025, 12, 29)
    club.buy(member, 24_000)
    club.go(2026, 1, 2)
    club.settle(member)
    assert club.days(member)[-1] == ("LOST", "Silver", "2026-01-01")
    club.buy(member, yuan * 100 - 100, occurred_at=club.noon(2025, 12, 30))
    assert club.tier(member) == "Silver"
    club.buy(member, 100, occurred_at=club.noon(2025, 12, 30))
    assert club.days(member)[-1] == ("KEPT", "Gold", "2026-01-01")
    assert (club.last_day(member), club.gifts(member)) == (date(2026, 12, 31), [7]), "it was kept, not reached again"
    # A further purchase told late is reckoned with the tier that is given back.
    told = club.buy(member, 100, occurred_at=club.noon(2026, 1, 1)).purchase
    assert told.tier_id == club.tiers["Gold"]


def test_k2_a_purchase_told_late_may_both_keep_a_lost_tier_and_reach_a_higher_one() -> None:
    club = Club(YEAR, day=date(2024, 5, 1))
    member = club.enroll()
    club.buy(member, 30_000)
    club.go(2026, 1, 2)
    club.settle(member)
    assert club.tier(member) is None
    club.buy(member, 100_000, occurred_at=club.noon(2025, 12, 30))
    assert club.days(member)[-1] == ("REACHED", "Platinum", "2026-01-01")
    assert club.last_day(member) == date(2026, 12, 31)


def test_k2_a_purchase_told_late_after_the_grace_gives_the_tier_back_if_it_falls_into_the_grace() -> None:
    policy = TierPolicy(window=TierWindow.CALENDAR_YEAR, downgrade=Downgrade.FULL, grace_days=31)
    for day, expected in ((31, "Gold"), (32, "Silver")):
        club = Club(policy, day=date(2024, 5, 1))
        member = club.enroll()
        club.buy(member, 30_000)
        club.go(2025, 12, 29)
        club.buy(member, 24_000)
        club.go(2026, 2, 3)
        club.settle(member)
        assert club.steps(member) == [("REACHED", "Gold"), ("GRACE", "Gold"), ("LOST", "Silver")]
        club.buy(member, 6_000, occurred_at=club.noon(2026, 1, 1) + timedelta(days=day - 1))
        assert club.tier(member) == expected


def test_k2_a_purchase_told_late_gives_back_nothing_that_would_be_over_by_now() -> None:
    club = Club(YEAR, day=date(2022, 5, 1))
    member = club.enroll()
    club.buy(member, 30_000)
    club.go(2026, 1, 2)
    club.settle(member)
    assert club.days(member)[-1] == ("LOST", None, "2024-01-01")
    before = club.steps(member)
    club.buy(member, 90_000, occurred_at=club.noon(2023, 12, 30))
    assert club.steps(member) == before


def test_k2_a_purchase_told_late_reaches_no_tier_that_would_be_over_by_now() -> None:
    policy = TierPolicy(window=TierWindow.CALENDAR_YEAR, validity_days=40, downgrade=Downgrade.FULL)
    for days_ago, steps in ((40, [("REACHED", "Gold")]), (41, [])):
        # Its points expired in between, which the clock catches up with.
        club = Club(policy, day=date(2026, 6, 1), expiry=ExpiryPolicy(kind=ExpiryKind.DAYS, count=30))
        member = club.enroll()
        club.earn(member, 300, days_ago=days_ago)
        assert (club.account(member).lifetime_expired, club.steps(member)) == (300, steps)
        assert club.account(member).due_at == club.account(member).tier_valid_until


def test_k2_a_purchase_of_another_window_gives_nothing_back_though_less_is_needed_now() -> None:
    club = Club(YEAR, day=date(2024, 5, 1))
    member = club.enroll()
    club.buy(member, 30_000)
    club.go(2025, 6, 1)
    club.buy(member, 20_000)
    club.go(2026, 1, 2)
    club.settle(member)
    club.edit_tier("Gold", keep_threshold=200)
    club.buy(member, 100, occurred_at=club.noon(2024, 12, 30))
    assert club.tier(member) == "Silver"
    club.buy(member, 100, occurred_at=club.noon(2025, 12, 30))
    assert club.tier(member) == "Gold"


def test_k2_what_is_told_late_in_a_rolling_window_counts_in_that_of_today_too() -> None:
    policy = TierPolicy(window=TierWindow.ROLLING, months=12, downgrade=Downgrade.FULL)
    club = Club(policy)
    member = club.enroll()
    club.buy(member, 5_000)
    club.go(2026, 3, 12)
    club.buy(member, 5_000, occurred_at=club.noon(2026, 3, 5))
    assert club.days(member) == [("REACHED", "Silver", "2026-03-12")], "the window of the 5th had 50 only"
    assert club.last_day(member) == date(2027, 3, 12)


def test_k2_orders_confirmed_in_another_order_reach_the_same_tier_in_a_rolling_window() -> None:
    policy = TierPolicy(window=TierWindow.ROLLING, months=12, downgrade=Downgrade.FULL)
    club = Club(policy, pending=PendingPolicy(PendingKind.ON_EVENT))
    member = club.enroll()
    first = club.buy(member, 5_000).purchase
    club.later(days=1)
    second = club.buy(member, 5_000).purchase
    club.later(days=5)
    for purchase in (second, first):
        club.run(ConfirmPurchase(purchase_id=purchase.id))
    assert club.tier(member) == "Silver"
