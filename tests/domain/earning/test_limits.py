"""Caps of a member and budgets of campaigns, by the program's calendar, and room that comes back (L13)."""

from typing import Any
from uuid import UUID

import pytest

from domain.earning import evaluation
from domain.earning.evaluation import BUDGET, Requested, Room
from domain.earning.facts import Earned
from domain.earning.rules import Cap, CapPolicy, EarningRule, Period, Trigger
from tests.domain.shop import Shop, campaign, fixed, local, per_amount, times

REJECT = CapPolicy.REJECT


def capped(points: int | None, period: Period = Period.DAY, at_most: int | None = None, **more: Any) -> EarningRule:
    """One point a yuan with a cap."""
    return per_amount(1, 100, caps=(Cap(period=period, points=points, times=at_most),), **more)


def buy(shop: Shop, member: UUID, yuan: int, **more: Any) -> int:
    """What a purchase earns."""
    return shop.buy(member, yuan * 100, **more).purchase.points_earned


# What a rule gives in the room that is left: pure.


@pytest.mark.parametrize(
    ("policy", "rooms", "expected"),
    [
        (CapPolicy.REDUCE, (), Earned(rule="a", points=50, requested=50)),
        (CapPolicy.REDUCE, (Room("DAY", 50),), Earned(rule="a", points=50, requested=50)),
        (CapPolicy.REDUCE, (Room("DAY", 49),), Earned(rule="a", points=49, requested=50, limited_by="DAY")),
        (CapPolicy.REDUCE, (Room("DAY", 0),), Earned(rule="a", points=0, requested=50, limited_by="DAY")),
        (CapPolicy.REDUCE, (Room("DAY", -9),), Earned(rule="a", points=0, requested=50, limited_by="DAY")),
        (REJECT, (Room("DAY", 50),), Earned(rule="a", points=50, requested=50)),
        (REJECT, (Room("DAY", 49),), Earned(rule="a", points=0, requested=50, limited_by="DAY")),
        (
            CapPolicy.REDUCE,
            (Room("DAY", 40), Room("MONTH", 30), Room(BUDGET, 35)),
            Earned(rule="a", points=30, requested=50, limited_by="MONTH"),
        ),
        (
            CapPolicy.REDUCE,
            (Room("DAY", 40), Room(BUDGET, 35)),
            Earned(rule="a", points=35, requested=50, limited_by="BUDGET"),
        ),
    ],
)
def test_l13_what_is_given_of_what_is_requested(policy: CapPolicy, rooms: tuple[Room, ...], expected: Earned) -> None:
    assert evaluation.limited([Requested(fixed(50, "a", cap_policy=policy), 50)], {"a": rooms}) == (expected,)


def test_l13_rules_of_one_campaign_share_its_budget_in_their_order_and_those_of_another_do_not() -> None:
    spring = [fixed(50, code, campaign="spring") for code in "ab"]
    summer = fixed(50, "c", campaign="summer")
    requested = [Requested(rule, 50) for rule in (*spring, summer, fixed(50, "d"))]
    rooms = {"a": [Room(BUDGET, 70)], "b": [Room(BUDGET, 70)], "c": [Room(BUDGET, 70)]}
    earned = evaluation.limited(requested, rooms)
    assert [(item.rule, item.points, item.limited_by) for item in earned] == [
        ("a", 50, None),
        ("b", 20, "BUDGET"),
        ("c", 50, None),
        ("d", 50, None),
    ]


# Periods.


def test_l13_a_cap_reduces_what_is_too_much_and_says_so() -> None:
    shop = Shop(rules=(capped(100),))
    member = shop.enroll()
    assert buy(shop, member, 80) == 80
    purchase = shop.buy(member, 5_000).purchase
    assert purchase.earned == (Earned(rule="base", points=20, requested=50, limited_by="DAY"),)
    nothing = shop.buy(member, 5_000)
    assert nothing.purchase.earned == (Earned(rule="base", points=0, requested=50, limited_by="DAY"),)
    assert (nothing.purchase.points_earned, nothing.purchase.earning_id) == (0, None)
    assert shop.history(member) == [("EARN", 80), ("EARN", 20)]
    assert shop.counted(member) == {("base", "DAY", "2026-01-15"): (100, 2)}
    assert buy(shop, shop.enroll(), 80) == 80, "a cap is of one member"


def test_l13_a_rule_that_rejects_gives_all_or_nothing() -> None:
    shop = Shop(rules=(capped(100, cap_policy=REJECT),))
    member = shop.enroll()
    assert [buy(shop, member, yuan) for yuan in (80, 50, 20, 1)] == [80, 0, 20, 0]
    assert shop.counted(member) == {("base", "DAY", "2026-01-15"): (100, 2)}


def test_l13_times_are_counted_when_something_was_given() -> None:
    shop = Shop(rules=(capped(None, at_most=2),))
    member = shop.enroll()
    assert buy(shop, member, 0) == 0
    assert [buy(shop, member, 30) for _ in range(3)] == [30, 30, 0]
    purchase = shop.buy(member, 100).purchase
    assert purchase.earned == (Earned(rule="base", points=0, requested=1, limited_by="DAY"),)


@pytest.mark.parametrize(
    ("period", "zone_name", "last", "first", "starts_on"),
    [
        (Period.DAY, "Asia/Shanghai", "2026-01-15 23:59:59", "2026-01-16 00:00", "2026-01-15"),
        # Clocks go forward on the 8th of March and back on the 1st of November 2026.
        (Period.DAY, "America/New_York", "2026-03-08 23:59:59", "2026-03-09 00:00", "2026-03-08"),
        (Period.DAY, "America/New_York", "2026-11-01 23:59:59", "2026-11-02 00:00", "2026-11-01"),
        (Period.WEEK, "Asia/Shanghai", "2026-01-18 23:59:59", "2026-01-19 00:00", "2026-01-12"),
        (Period.WEEK, "Europe/Berlin", "2027-01-03 23:59:59", "2027-01-04 00:00", "2026-12-28"),
        (Period.MONTH, "Asia/Shanghai", "2028-02-29 23:59:59", "2028-03-01 00:00", "2028-02-01"),
        (Period.MONTH, "America/New_York", "2026-10-31 23:59:59", "2026-11-01 00:00", "2026-10-01"),
        (Period.YEAR, "Asia/Shanghai", "2026-12-31 23:59:59", "2027-01-01 00:00", "2026-01-01"),
    ],
)
def test_l13_a_period_is_of_the_programs_calendar(
    period: Period, zone_name: str, last: str, first: str, starts_on: str
) -> None:
    shop = Shop(rules=(capped(100, period),), time_zone=zone_name)
    member = shop.enroll()
    shop.now = local(last, zone_name)
    assert [buy(shop, member, 70), buy(shop, member, 70)] == [70, 30]
    shop.now = local(first, zone_name)
    assert [buy(shop, member, 70), buy(shop, member, 70)] == [70, 30]
    assert shop.counted(member)[("base", period.value, starts_on)] == (100, 2)
    assert len(shop.counted(member)) == 2


def test_l13_a_cap_for_life_never_begins_anew() -> None:
    shop = Shop(rules=(capped(100, Period.LIFETIME),))
    member = shop.enroll()
    assert buy(shop, member, 70) == 70
    shop.later(days=4_000)
    assert buy(shop, member, 70) == 30
    assert shop.counted(member) == {("base", "LIFETIME", "0001-01-01"): (100, 2)}


def test_l13_the_whole_of_a_week_counts_from_its_monday() -> None:
    shop = Shop(rules=(capped(100, Period.WEEK),))
    member = shop.enroll()
    shop.now = local("2026-01-12 00:00")
    assert buy(shop, member, 60) == 60
    shop.now = local("2026-01-18 12:00")
    assert buy(shop, member, 60) == 40


def test_l13_what_is_told_late_counts_in_the_period_in_which_it_happened() -> None:
    shop = Shop(rules=(capped(100),))
    member = shop.enroll()
    assert buy(shop, member, 80) == 80
    yesterday = local("2026-01-14 12:00")
    assert [buy(shop, member, 80, occurred_at=yesterday) for _ in range(2)] == [80, 20]
    assert buy(shop, member, 80) == 20


def test_l13_of_several_caps_the_tightest_counts() -> None:
    caps = (Cap(period=Period.DAY, points=50), Cap(period=Period.MONTH, points=80, times=3))
    shop = Shop(rules=(per_amount(1, 100, caps=caps),))
    member = shop.enroll()
    told: list[tuple[int, str | None]] = []
    for yuan in (60, 40, 40, 1):
        (item,) = shop.buy(member, yuan * 100).purchase.earned
        told.append((item.points, item.limited_by))
        shop.later(days=1)
    assert told == [(50, "DAY"), (30, "MONTH"), (0, "MONTH"), (0, "MONTH")]
    shop.now = local("2026-02-01 00:00")
    assert buy(shop, member, 60) == 50


def test_l13_every_rule_has_a_cap_of_its_own() -> None:
    shop = Shop(rules=(capped(10), fixed(5, caps=(Cap(period=Period.DAY, times=1),)), per_amount(2, 100, "free")))
    member = shop.enroll()
    assert [buy(shop, member, 20), buy(shop, member, 20)] == [10 + 5 + 40, 40]


def test_s15_a_multiplier_may_be_capped_and_what_it_multiplies_is_not() -> None:
    shop = Shop(rules=(per_amount(1, 100), times(20_000, caps=(Cap(period=Period.DAY, points=100),))))
    member = shop.enroll()
    assert [buy(shop, member, 80), buy(shop, member, 80)] == [160, 100]


# Budgets.


def test_l13_a_budget_is_shared_by_all_members_and_by_the_rules_of_the_campaign() -> None:
    shop = Shop()
    rules = (fixed(60, "gift", campaign="spring", priority=1), per_amount(1, 100, "more", campaign="spring"))
    shop.edit(rules=rules, campaigns=(campaign(budget=200),))
    first = shop.buy(shop.enroll(), 10_000).purchase
    assert [(item.rule, item.points) for item in first.earned] == [("gift", 60), ("base", 100), ("more", 100)]
    second = shop.buy(shop.enroll(), 10_000).purchase
    assert [(item.rule, item.points, item.limited_by) for item in second.earned] == [
        ("gift", 40, "BUDGET"),
        ("base", 100, None),
        ("more", 0, "BUDGET"),
    ]
    assert shop.budget_used() == 200


def test_l13_one_purchase_takes_no_more_than_the_budget_by_several_rules() -> None:
    shop = Shop(rules=())
    rules = tuple(fixed(80, code, campaign="spring") for code in "ab")
    shop.edit(rules=rules, campaigns=(campaign(budget=100),))
    purchase = shop.buy(shop.enroll(), 100).purchase
    assert [(item.points, item.limited_by) for item in purchase.earned] == [(80, None), (20, "BUDGET")]
    assert shop.budget_used() == 100


def test_l13_a_budget_that_is_raised_goes_on_from_what_was_given() -> None:
    shop = Shop(rules=())
    shop.edit(rules=(fixed(80, campaign="spring"),), campaigns=(campaign(budget=100),))
    member = shop.enroll()
    assert [buy(shop, member, 1) for _ in range(3)] == [80, 20, 0]
    shop.edit(campaigns=(campaign(budget=130),))
    assert [buy(shop, member, 1) for _ in range(2)] == [30, 0]
    shop.edit(campaigns=(campaign(budget=50),))
    assert buy(shop, member, 1) == 0
    shop.edit(campaigns=(campaign(),))
    assert buy(shop, member, 1) == 80
    assert shop.budget_used() == 130, "what has no budget is not counted"


def test_l13_a_campaign_without_a_budget_bounds_nothing() -> None:
    shop = Shop(rules=())
    shop.edit(rules=(fixed(80, campaign="spring"),), campaigns=(campaign(),))
    assert [buy(shop, shop.enroll(), 1) for _ in range(3)] == [80, 80, 80]
    assert shop.budget_used() == 0


# Room that comes back.


def test_l13_a_refund_gives_room_back() -> None:
    shop = Shop(rules=(capped(100),))
    member = shop.enroll()
    purchase = shop.buy(member, 8_000).purchase
    assert shop.refund(purchase, 3_000).refund.points_due == 30
    assert shop.counted(member) == {("base", "DAY", "2026-01-15"): (50, 1)}
    assert buy(shop, member, 80) == 50
    assert shop.refund(purchase).refund.points_due == 50
    assert shop.counted(member) == {("base", "DAY", "2026-01-15"): (50, 1)}
    assert [buy(shop, member, 80), buy(shop, member, 80)] == [50, 0]
    shop.replay(member)


def test_l13_what_was_not_given_gives_no_room_back() -> None:
    shop = Shop(rules=(capped(100),))
    member = shop.enroll()
    purchase = shop.buy(member, 30_000).purchase
    assert [shop.refund(purchase, 10_000).refund.points_due for _ in range(2)] == [0, 0]
    assert shop.counted(member) == {("base", "DAY", "2026-01-15"): (100, 1)}
    assert buy(shop, member, 10) == 0
    assert shop.refund(purchase, 5_000).refund.points_due == 50
    assert shop.counted(member) == {("base", "DAY", "2026-01-15"): (50, 1)}


def test_l13_room_comes_back_in_the_period_of_the_purchase_whenever_the_refund_is() -> None:
    shop = Shop(rules=(capped(100), fixed(5, caps=(Cap(period=Period.LIFETIME, times=1),))))
    member = shop.enroll()
    purchase = shop.buy(member, 10_000).purchase
    shop.later(days=40)
    assert buy(shop, member, 60) == 60
    shop.refund(purchase)
    counted = shop.counted(member)
    assert counted[("base", "DAY", "2026-01-15")] == (0, 0)
    assert counted[("base", "DAY", "2026-02-24")] == (60, 1)
    assert counted[("fixed", "LIFETIME", "0001-01-01")] == (0, 0)
    assert buy(shop, member, 60) == 40 + 5


def test_l13_a_budget_gets_back_what_a_refund_took() -> None:
    shop = Shop(rules=())
    shop.edit(rules=(per_amount(1, 100, campaign="spring"),), campaigns=(campaign(budget=100),))
    first, second = shop.enroll(), shop.enroll()
    purchase = shop.buy(first, 10_000).purchase
    assert buy(shop, second, 50) == 0
    shop.refund(purchase, 4_000)
    assert shop.budget_used() == 60
    assert buy(shop, second, 50) == 40


def test_l13_room_comes_back_though_the_rule_is_gone_or_its_campaign_is() -> None:
    shop = Shop(rules=())
    rule = capped(100, Period.YEAR, campaign="spring")
    shop.edit(rules=(rule,), campaigns=(campaign(budget=150),))
    member = shop.enroll()
    purchase = shop.buy(member, 10_000).purchase
    shop.edit(without_rules=("base",), without_campaigns=("spring",))
    shop.refund(purchase)
    assert shop.counted(member) == {("base", "YEAR", "2026-01-01"): (0, 0)}
    assert shop.budget_used() == 0


def test_l13_a_reversed_activity_gives_room_back() -> None:
    review = fixed(
        5, trigger=Trigger.ACTIVITY, activity_type="review", caps=(Cap(period=Period.WEEK, points=8, times=2),)
    )
    shop = Shop(rules=(review,))
    member = shop.enroll()
    done = [shop.act(member) for _ in range(3)]
    assert [each.activity.points_earned for each in done] == [5, 3, 0]
    assert done[2].activity.earned == (Earned(rule="fixed", points=0, requested=5, limited_by="WEEK"),)
    shop.reverse(done[2])
    assert shop.counted(member) == {("fixed", "WEEK", "2026-01-12"): (8, 2)}
    shop.reverse(done[1])
    assert shop.counted(member) == {("fixed", "WEEK", "2026-01-12"): (5, 1)}
    shop.reverse(done[0])
    assert shop.counted(member) == {("fixed", "WEEK", "2026-01-12"): (0, 0)}
    assert shop.figures(member) == (0, 0, 0, 0)


def test_l13_a_day_stays_the_day_it_was_when_the_program_moves_to_another_zone() -> None:
    once_a_day = (Cap(period=Period.DAY, times=1),)
    review = fixed(5, trigger=Trigger.ACTIVITY, activity_type="review", caps=once_a_day)
    shop = Shop(rules=(capped(100), review))
    member = shop.enroll()
    shop.now = local("2026-01-16 06:00")
    purchase, done = shop.buy(member, 8_000).purchase, shop.act(member)
    shop.update(time_zone="America/New_York")
    shop.refund(purchase)
    shop.reverse(done)
    assert shop.counted(member) == {("base", "DAY", "2026-01-16"): (0, 0), ("fixed", "DAY", "2026-01-16"): (0, 0)}
