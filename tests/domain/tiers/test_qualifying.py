"""What counts for tiers: earned and never spent, by the day on which it was earned (K1), and in which window (K2)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.activities import RecordActivity, ReverseActivity
from domain.earning.rules import EarningKind, EarningRule, Trigger
from domain.points.account import InsufficientPoints
from domain.policies import (
    Downgrade,
    ExpiryKind,
    ExpiryPolicy,
    PendingKind,
    PendingPolicy,
    TierMetric,
    TierPolicy,
    TierWindow,
)
from domain.programs import ShortfallPolicy
from domain.purchases.recording import ConfirmPurchase, Line
from domain.tiers.standing import TierReached
from tests.domain.memory import ref
from tests.domain.shop import bonus_at, per_amount
from tests.domain.tiers.club import Club

YEAR = TierPolicy(window=TierWindow.CALENDAR_YEAR, downgrade=Downgrade.FULL)
SPEND = TierPolicy(metric=TierMetric.NET_SPEND, window=TierWindow.CALENDAR_YEAR, downgrade=Downgrade.FULL)
ORDERS = TierPolicy(metric=TierMetric.PURCHASES, window=TierWindow.CALENDAR_YEAR, downgrade=Downgrade.FULL)
AFTER_14 = PendingPolicy(PendingKind.AFTER, days=14)


# K1: what counts.


def test_k1_spending_holding_transferring_and_expiry_take_nothing_off_what_counts() -> None:
    club = Club(YEAR, expiry=ExpiryPolicy(kind=ExpiryKind.DAYS, count=20))
    member = club.enroll()
    club.buy(member, 30_000)
    club.spend(member, 100)
    club.capture(club.hold(member, 50).hold.id)
    club.transfer(member, club.enroll(), 50)
    club.later(days=30)
    club.settle(member)
    account = club.account(member)
    assert (account.available, account.lifetime_expired) == (0, 100)
    assert (account.qualifying_points, club.tier(member), club.progress(member).metric) == (300, "Gold", 300)


def test_k1_points_that_were_not_earned_do_not_count() -> None:
    club = Club(YEAR)
    giver, member = club.enroll(500), club.enroll(400)
    club.transfer(giver, member, 500)
    assert (club.account(member).available, club.account(member).qualifying_points) == (900, 0)
    assert (club.tier(giver), club.tier(member)) == (None, None)
    assert club.counted(member) == {}


def test_k1_points_given_back_do_not_count_a_second_time() -> None:
    club = Club(YEAR)
    member = club.enroll()
    club.buy(member, 29_900)
    club.cancel(club.spend(member, 250))
    assert club.account(member).qualifying_points == 299
    assert club.tier(member) == "Silver"


def test_k1_a_refund_lowers_the_metric_on_the_day_of_its_purchase() -> None:
    club = Club(YEAR, day=date(2025, 12, 30))
    member = club.enroll()
    purchase = club.buy(member, 25_000).purchase
    club.go(2026, 1, 5)
    club.buy(member, 4_000)
    club.refund(purchase, 10_000)
    assert club.counted(member) == {"2025-12-30": (150, 15_000, 1), "2026-01-05": (40, 4_000, 1)}
    assert (club.progress(member).metric, club.account(member).qualifying_points) == (40, 190)
    club.refund(purchase)
    assert club.counted(member) == {"2026-01-05": (40, 4_000, 1)}
    assert club.tier(member) == "Silver", "a tier is lost when it expires and not before (K3)"


def test_k1_what_a_refund_cannot_take_back_lowers_the_metric_too() -> None:
    for policy in ShortfallPolicy:
        club = Club(YEAR, shortfall_policy=policy)
        member = club.enroll()
        purchase = club.buy(member, 10_000).purchase
        club.spend(member, 100)
        club.refund(purchase)
        assert club.counted(member) == {}, policy
        assert club.account(member).qualifying_points == 0


def test_k1_points_that_pay_a_debt_count_as_earned() -> None:
    club = Club(YEAR)
    member = club.enroll()
    purchase = club.buy(member, 9_000).purchase
    club.spend(member, 90)
    club.refund(purchase)
    club.buy(member, 10_000)
    assert club.figures(member) == (10, 0, 0, 0)
    assert (club.account(member).qualifying_points, club.tier(member)) == (100, "Silver")


def test_k1_pending_points_count_when_they_are_available_and_then_on_the_day_they_were_earned() -> None:
    club = Club(YEAR, day=date(2025, 12, 25), pending=AFTER_14)
    member = club.enroll()
    club.buy(member, 10_000)
    assert (club.tier(member), club.counted(member)) == (None, {"2025-12-25": (0, 10_000, 1)})
    club.go(2026, 1, 8)
    club.settle(member)
    assert club.counted(member) == {"2025-12-25": (100, 10_000, 1)}
    assert club.days(member) == [("REACHED", "Silver", "2025-12-25")]
    assert club.last_day(member) == date(2026, 12, 31), "reached in the window of 2025"
    assert club.progress(member).metric == 0, "of 2026"


def test_k1_pending_points_that_are_cancelled_never_counted() -> None:
    club = Club(YEAR, pending=AFTER_14)
    member = club.enroll()
    purchase = club.buy(member, 20_000).purchase
    club.refund(purchase, 10_000)
    assert club.account(member).qualifying_points == 0
    club.later(days=14)
    club.settle(member)
    assert (club.account(member).qualifying_points, club.tier(member)) == (100, "Silver")


def test_k1_an_order_that_is_confirmed_in_the_new_year_counts_for_the_old_one() -> None:
    club = Club(YEAR, day=date(2025, 12, 20), pending=PendingPolicy(PendingKind.ON_EVENT))
    member = club.enroll()
    purchase = club.buy(member, 30_000).purchase
    club.go(2026, 1, 3)
    club.run(ConfirmPurchase(purchase_id=purchase.id))
    assert club.days(member) == [("REACHED", "Gold", "2025-12-20")]
    assert club.last_day(member) == date(2026, 12, 31)


def test_k1_points_for_activities_count_and_a_reversal_takes_them_off_on_their_day() -> None:
    review = EarningRule(
        code="review", kind=EarningKind.FIXED, points=100, trigger=Trigger.ACTIVITY, activity_type="review"
    )
    club = Club(YEAR, day=date(2025, 12, 31), rules=(per_amount(1, 100), review))
    member = club.enroll()
    done = club.run(RecordActivity(member=ref(member), type="review", external_id="r-1")).activity
    assert (club.tier(member), club.counted(member)) == ("Silver", {"2025-12-31": (100, 0, 0)})
    club.go(2026, 1, 2)
    club.buy(member, 5_000)
    club.run(ReverseActivity(activity_id=done.id, reason="spam"))
    assert club.counted(member) == {"2026-01-02": (50, 5_000, 1)}


# K1: net spend and purchases.


def test_k1_net_spend_is_the_money_paid_for_goods_that_earn_without_freight_and_points() -> None:
    club = Club(SPEND, thresholds={"Silver": 10_000, "Gold": 30_000}, point_value_bp=100_000)
    member = club.enroll(1_000)
    lines = (Line(amount_minor=6_000), Line(amount_minor=5_000, earns=False))
    purchase = club.buy(member, 12_500, lines=lines, freight_minor=1_500).purchase
    assert (club.account(member).spend_minor, club.tier(member)) == (6_000, None)
    hold = club.hold(member, 300).hold
    club.buy(member, 6_999, offset=(hold.id, 3_000))
    assert (club.account(member).spend_minor, club.tier(member)) == (9_999, None)
    club.buy(member, 1)
    assert (club.account(member).spend_minor, club.tier(member)) == (10_000, "Silver")
    club.refund(purchase, lines={2: 5_000})
    club.refund(purchase, lines={1: 1_000}, freight_minor=1_500)
    assert (club.account(member).spend_minor, club.account(member).purchases) == (9_000, 3)


def test_k1_net_spend_counts_at_once_though_points_are_pending() -> None:
    club = Club(SPEND, thresholds={"Silver": 10_000}, pending=AFTER_14)
    member = club.enroll()
    club.buy(member, 10_000)
    assert (club.figures(member), club.tier(member)) == ((0, 100, 0, 0), "Silver")


def test_k1_net_spend_and_purchases_reach_tiers_though_nothing_is_earned() -> None:
    for policy, threshold in ((SPEND, 5_000), (ORDERS, 1)):
        club = Club(policy, thresholds={"Silver": threshold}, rules=(bonus_at(100_000, 10),))
        member = club.enroll()
        club.buy(member, 5_000)
        assert (club.tier(member), club.transactions(member)) == ("Silver", ())
        club.go(2028, 1, 1)
        club.settle(member)
        assert club.days(member)[-1] == ("LOST", None, "2028-01-01")


def test_k1_a_purchase_counts_until_all_that_was_paid_is_given_back() -> None:
    club = Club(ORDERS, thresholds={"Silver": 2, "Gold": 3})
    member = club.enroll()
    first = club.buy(member, 10_000, freight_minor=1_000).purchase
    second = club.buy(member, 500).purchase
    assert (club.account(member).purchases, club.tier(member)) == (2, "Silver")
    club.refund(first, 9_000)
    assert (club.account(member).purchases, club.counted(member)["2026-03-10"][2]) == (1, 1)
    club.refund(second, 499)
    assert club.account(member).purchases == 1
    club.refund(second)
    assert (club.account(member).purchases, club.counted(member)) == (0, {})
    club.buy(member, 0)
    assert club.account(member).purchases == 0, "where nothing was paid, nothing was bought"


# K2: in which window.


def test_k2_a_tier_is_reached_at_once_and_lasts_to_the_end_of_the_next_year() -> None:
    club = Club(YEAR)
    member = club.enroll()
    club.buy(member, 9_900)
    assert (club.tier(member), club.account(member).tier_since) == (None, None)
    club.later(hours=1)
    club.buy(member, 100)
    account = club.account(member)
    assert (club.tier(member), account.tier_since) == ("Silver", club.now)
    assert account.tier_valid_until == datetime(2027, 12, 31, 16, tzinfo=UTC), "midnight in Shanghai"
    assert account.due_at == account.tier_valid_until
    assert club.events[-1] == TierReached(member_id=member, tier_id=club.tiers["Silver"], tier_id_before=None)


def test_k2_what_counted_last_year_does_not_count_this_year() -> None:
    club = Club(YEAR, day=date(2025, 12, 31))
    member = club.enroll()
    club.buy(member, 9_900)
    club.go(2026, 1, 1)
    club.buy(member, 9_900)
    assert club.tier(member) is None
    club.buy(member, 100)
    assert club.tier(member) == "Silver"


def test_k2_a_rolling_window_forgets_to_the_day() -> None:
    policy = TierPolicy(window=TierWindow.ROLLING, months=3)
    for day, expected in ((date(2026, 6, 9), "Silver"), (date(2026, 6, 10), None)):
        club = Club(policy)
        member = club.enroll()
        club.buy(member, 5_000)
        club.go(day.year, day.month, day.day)
        club.buy(member, 5_000)
        assert club.tier(member) == expected


def test_k2_an_anniversary_year_begins_on_the_day_of_joining() -> None:
    policy = TierPolicy(window=TierWindow.ANNIVERSARY, downgrade=Downgrade.FULL)
    for day, expected in ((date(2027, 3, 9), "Silver"), (date(2027, 3, 10), None)):
        club = Club(policy)
        member = club.enroll()
        club.buy(member, 5_000)
        club.go(day.year, day.month, day.day)
        club.buy(member, 5_000)
        assert club.tier(member) == expected
        assert club.last_day(member) == (None if expected is None else date(2028, 3, 9))


def test_k2_who_joined_on_the_29th_of_february_keeps_a_tier_to_the_27th_of_common_years() -> None:
    club = Club(TierPolicy(window=TierWindow.ANNIVERSARY, downgrade=Downgrade.FULL), day=date(2024, 2, 29))
    member = club.enroll()
    club.buy(member, 10_000)
    assert club.last_day(member) == date(2026, 2, 27)
    club.go(2026, 2, 27)
    assert (club.settle(member).tier_id, club.account(member).tier_id) == (club.tiers["Silver"],) * 2
    club.buy(member, 10_000)
    club.go(2026, 2, 28)
    club.settle(member)
    assert club.days(member)[-1] == ("KEPT", "Silver", "2026-02-28")
    assert club.last_day(member) == date(2027, 2, 27)


def test_k2_a_life_forgets_nothing_and_takes_nothing_away() -> None:
    club = Club(TierPolicy(downgrade=Downgrade.FULL))
    member = club.enroll()
    club.buy(member, 5_000)
    club.go(2031, 1, 1)
    club.buy(member, 5_000)
    assert (club.tier(member), club.account(member).tier_valid_until, club.account(member).due_at) == (
        "Silver",
        None,
        None,
    )


def test_k2_validity_may_be_told_in_days() -> None:
    club = Club(TierPolicy(window=TierWindow.CALENDAR_YEAR, validity_days=30, downgrade=Downgrade.FULL))
    member = club.enroll()
    club.buy(member, 10_000)
    assert club.account(member).tier_valid_until == club.local(2026, 4, 10).astimezone(UTC), "to the 9th of April"
    club.go(2026, 4, 10)
    club.settle(member)
    assert club.days(member)[-1] == ("KEPT", "Silver", "2026-04-10"), "its year has 100 still"
    assert club.last_day(member) == date(2026, 5, 9)


@pytest.mark.parametrize(
    ("zone", "ends_at"),
    [
        ("Asia/Shanghai", datetime(2027, 12, 31, 16, tzinfo=UTC)),
        ("America/New_York", datetime(2028, 1, 1, 5, tzinfo=UTC)),
        ("UTC", datetime(2028, 1, 1, tzinfo=UTC)),
        ("Pacific/Kiritimati", datetime(2027, 12, 31, 10, tzinfo=UTC)),
    ],
)
def test_k2_years_begin_and_end_at_local_midnight(zone: str, ends_at: datetime) -> None:
    club = Club(YEAR, time_zone=zone, day=date(2026, 12, 31))
    member = club.enroll()
    club.now = club.local(2026, 12, 31, 23, 59)
    club.buy(member, 9_900)
    club.now = club.local(2027, 1, 1)
    club.buy(member, 9_900)
    assert club.tier(member) is None
    club.buy(member, 100, occurred_at=club.local(2026, 12, 31, 23, 59))
    assert club.tier(member) == "Silver"
    assert club.account(member).tier_valid_until == ends_at


def test_k2_a_tier_ends_with_a_day_whose_midnight_the_clock_skips() -> None:
    # Santiago put its clocks from 24:00 on the 5th of September 2026 to 1:00 on the 6th.
    club = Club(
        TierPolicy(window=TierWindow.CALENDAR_YEAR, validity_days=2, downgrade=Downgrade.FULL),
        time_zone="America/Santiago",
        day=date(2026, 9, 3),
        keep={"Silver": 200},
    )
    member = club.enroll()
    club.buy(member, 10_000)
    ends_at = datetime(2026, 9, 6, 4, tzinfo=UTC)
    assert club.account(member).tier_valid_until == ends_at
    club.now = ends_at - timedelta(microseconds=1)
    club.settle(member)
    assert club.tier(member) == "Silver"
    club.now = ends_at
    club.settle(member)
    assert club.tier(member) is None


def test_k2_a_refund_reaches_no_tier() -> None:
    club = Club(YEAR)
    member = club.enroll()
    purchase = club.buy(member, 5_000, freight_minor=1_000).purchase
    club.edit_tier("Silver", threshold=10)
    club.refund(purchase, lines={1: 100})
    club.refund(purchase, freight_minor=500)
    assert club.tier(member) is None
    club.review(member)
    assert club.tier(member) == "Silver"


def test_a_refused_command_counts_nothing() -> None:
    club = Club(YEAR)
    member = club.enroll()
    club.buy(member, 9_900)
    before = (club.account(member), club.counted(member), club.changes(member))
    with pytest.raises(InsufficientPoints):
        club.hold(member, 100)
    assert (club.account(member), club.counted(member), club.changes(member)) == before
