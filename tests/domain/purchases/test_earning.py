"""What purchases earn by rules that look at the member: which purchase it is, since when, in which segment."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from domain.audiences import Audience
from domain.earning.facts import Facts
from domain.earning.rules import Anniversary, Conditions, EarningRule, Ordinal, Period, Trigger
from domain.members import Profile
from domain.policies import ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from domain.profiles import UpdateMember
from domain.purchases.recording import ConfirmPurchase, Line
from domain.segments import Criteria, SaveSegment
from domain.stores import Channel, CreateStore
from domain.tiers.tier import CreateTier
from tests.domain.memory import ref
from tests.domain.shop import SHANGHAI, Shop, fixed, local, per_amount, times


def nth(number: int, period: Period = Period.LIFETIME, **more: bool) -> EarningRule:
    return fixed(10, when=Conditions(ordinal=Ordinal(number=number, period=period, **more)))


def bought(shop: Shop, member: UUID, *told: str) -> list[int]:
    """What purchases of 1 yuan at these local times earn."""
    earned: list[int] = []
    for at in told:
        shop.now = max(shop.now, local(at))
        earned.append(shop.buy(member, 100, occurred_at=local(at)).purchase.points_earned)
    return earned


# Which purchase it is.


@pytest.mark.parametrize(
    ("rule", "earned"),
    [
        (nth(3), [0, 0, 10, 0, 0, 0, 0]),
        (nth(3, repeats=True), [0, 0, 10, 0, 0, 10, 0]),
        (nth(3, onwards=True), [0, 0, 10, 10, 10, 10, 10]),
        (fixed(10, trigger=Trigger.FIRST_PURCHASE), [10, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_s14_the_nth_purchase_every_nth_and_all_from_it_on(rule: EarningRule, earned: list[int]) -> None:
    shop = Shop(rules=(rule,))
    member, other = shop.enroll(), shop.enroll()
    assert [shop.buy(member, 100).purchase.points_earned for _ in range(7)] == earned
    assert shop.buy(other, 100).purchase.points_earned == earned[0], "every member counts for itself"


@pytest.mark.parametrize(
    ("period", "told", "earned"),
    [
        (Period.DAY, ("2026-02-01 00:00", "2026-02-01 23:59", "2026-02-02 00:00", "2026-02-02 09:00"), [0, 10, 0, 10]),
        # The ISO week from Monday the 28th of December 2026 on lies in two years.
        (Period.WEEK, ("2026-12-27 23:59", "2026-12-28 00:00", "2027-01-03 23:59", "2027-01-04 00:00"), [0, 0, 10, 0]),
        (Period.MONTH, ("2028-02-01 00:00", "2028-02-29 23:59", "2028-03-01 00:00"), [0, 10, 0]),
        (Period.YEAR, ("2026-02-01 00:00", "2026-12-31 23:59", "2027-01-01 00:00", "2027-01-01 00:01"), [0, 10, 0, 10]),
    ],
)
def test_s14_the_second_purchase_of_a_period_of_the_programs_calendar(
    period: Period, told: tuple[str, ...], earned: list[int]
) -> None:
    shop = Shop(rules=(nth(2, period),))
    assert bought(shop, shop.enroll(), *told) == earned


def test_s14_what_is_told_late_counts_in_the_period_in_which_it_happened() -> None:
    shop = Shop(rules=(nth(2, Period.DAY),))
    member = shop.enroll()
    told = ("2026-02-02 12:00", "2026-02-01 12:00", "2026-02-01 09:00", "2026-02-02 09:00")
    assert bought(shop, member, *told) == [0, 0, 10, 10]


def test_s14_a_purchase_that_was_refunded_whole_counts_no_longer_and_one_of_nothing_never_did() -> None:
    shop = Shop(rules=(nth(2, Period.DAY), fixed(1, "lifetime", when=Conditions(ordinal=Ordinal(number=2)))))
    member = shop.enroll()
    first = shop.buy(member, 100).purchase
    assert shop.buy(member, 0).purchase.points_earned == 0
    shop.refund(first)
    assert shop.buy(member, 100).purchase.points_earned == 0
    half = shop.buy(member, 100).purchase
    assert half.points_earned == 11
    shop.refund(half, 50)
    assert shop.buy(member, 100).purchase.points_earned == 0, "a purchase that was refunded in part is one"


# Who it is.


def test_s22_new_members_earn_for_some_days_after_joining() -> None:
    shop = Shop(rules=(per_amount(1, 100), times(20_000, when=Conditions(new_for_days=30))))
    shop.now = local("2026-02-01 23:00")
    member = shop.enroll()
    assert shop.buy(member, 1_000).purchase.points_earned == 20
    assert shop.buy(member, 1_000, occurred_at=local("2026-01-31 12:00")).purchase.points_earned == 10
    shop.now = local("2026-03-03 23:59")
    assert shop.buy(member, 1_000).purchase.points_earned == 20
    shop.later(minutes=1)
    assert shop.buy(member, 1_000).purchase.points_earned == 10


def test_s25_a_birthday_and_an_anniversary_multiply() -> None:
    shop = Shop(
        rules=(
            per_amount(1, 100),
            times(20_000, "birthday", when=Conditions(anniversary=Anniversary.BIRTHDAY)),
            times(30_000, "joined", when=Conditions(anniversary=Anniversary.ENROLLMENT)),
        )
    )
    member = shop.join(birthday=date(1992, 2, 29))
    earned: dict[str, int] = {}
    for day in ("2026-02-28", "2026-03-01", "2027-01-15", "2028-02-28", "2028-02-29"):
        shop.now = local(f"{day} 12:00")
        earned[day] = shop.buy(member, 1_000).purchase.points_earned
    assert earned == {"2026-02-28": 20, "2026-03-01": 10, "2027-01-15": 30, "2028-02-28": 10, "2028-02-29": 20}


def test_s51_tags_and_segments_are_those_of_the_moment_and_are_kept() -> None:
    shop = Shop()
    shop.run(SaveSegment(code="fans", name="Fans", criteria=Criteria(purchases_min=1, tags=("vip",))))
    gold = shop.run(CreateTier(name="Gold", rank=1, threshold=5))
    shop.update(rules=(fixed(7, when=Conditions(audience=Audience(segments=("fans",)))),))
    member = shop.join(tags=("vip", "press"), birthday=date(1990, 3, 9))
    assert shop.buy(member, 100).purchase.points_earned == 0
    purchase = shop.buy(member, 100).purchase
    assert purchase.points_earned == 7
    assert purchase.facts == Facts(
        tags=("vip", "press"),
        segments=("fans",),
        enrolled_on=date(2026, 1, 15),
        birthday=date(1990, 3, 9),
        ordinals={"LIFETIME": 2},
        time_zone=SHANGHAI,
    )
    assert shop.account(member).tier_id == gold.id
    shop.run(UpdateMember(member=ref(member), profile=Profile(tags=())))
    assert shop.buy(member, 100).purchase.points_earned == 0
    shop.refund(purchase)
    assert shop.figures(member) == (0, 0, 0, 0)


def test_k4_a_rule_of_a_tier_asks_for_the_tier_at_the_time_of_the_purchase() -> None:
    shop = Shop()
    gold = shop.run(CreateTier(name="Gold", rank=1, threshold=100))
    shop.update(rules=(per_amount(1, 100), fixed(7, when=Conditions(audience=Audience(tiers=(gold.id,))))))
    member = shop.enroll()
    assert shop.buy(member, 10_000).purchase.points_earned == 100
    assert shop.buy(member, 10_000).purchase.points_earned == 107
    assert shop.buy(member, 10_000, occurred_at=shop.now - timedelta(days=3)).purchase.points_earned == 100


def test_s59_stores_and_channels_of_a_purchase() -> None:
    shop = Shop()
    store = shop.run(CreateStore(code="S1", name="Tea house"))
    shop.update(
        rules=(
            fixed(1, "there", when=Conditions(stores=(store.id,))),
            fixed(2, "till", when=Conditions(channels=(Channel.IN_STORE,))),
        )
    )
    member = shop.enroll()
    assert shop.buy(member, 100, store_id=store.id).purchase.points_earned == 1
    assert shop.buy(member, 100, store_id=store.id, channel=Channel.IN_STORE).purchase.points_earned == 3
    assert shop.buy(member, 100).purchase.points_earned == 0


def test_goods_are_named_without_their_surrounding_blanks() -> None:
    rule = per_amount(1, 100, when=Conditions(products=("p",), categories=("tea",)))
    shop = Shop(rules=(rule,), categories=("tea",))
    line = Line(amount_minor=1_000, product_id=" p ", category="tea\n", name=" Green tea ")
    purchase = shop.buy(shop.enroll(), 1_000, lines=[line]).purchase
    assert purchase.points_earned == 10
    assert (purchase.lines[0].product_id, purchase.lines[0].category, purchase.lines[0].name) == (
        "p",
        "tea",
        "Green tea",
    )


# When it may be spent, and how long it lasts.


def test_l3_l5_a_rule_may_have_a_wait_and_an_end_of_its_own() -> None:
    rules = (
        per_amount(1, 100),
        fixed(5, "soon", expiry=ExpiryPolicy(ExpiryKind.END_OF_MONTH, count=0)),
        fixed(7, "later", pending=PendingPolicy(PendingKind.AFTER, days=7)),
        fixed(9, "received", pending=PendingPolicy(PendingKind.ON_EVENT), expiry=ExpiryPolicy()),
    )
    shop = Shop(rules=rules, expiry=ExpiryPolicy(ExpiryKind.DAYS, count=30))
    member = shop.enroll()
    purchase = shop.buy(member, 10_000).purchase
    assert [(lot.amount, lot.available_at, lot.expires_at) for lot in shop.lots(member)] == [
        (100, shop.now, local("2026-02-15")),
        (5, shop.now, local("2026-02-01")),
        (7, shop.now + timedelta(days=7), local("2026-02-15")),
        (9, None, None),
    ]
    assert shop.figures(member) == (105, 16, 0, 0)
    shop.run(ConfirmPurchase(purchase_id=purchase.id))
    assert shop.figures(member) == (114, 7, 0, 0)
    shop.now = datetime(2026, 3, 1, tzinfo=UTC)
    shop.settle(member)
    assert shop.figures(member) == (9, 0, 0, 0)
    shop.replay(member)


def test_l3_a_rule_may_give_at_once_what_else_waits() -> None:
    rules = (per_amount(1, 100), fixed(5, pending=PendingPolicy()))
    shop = Shop(rules=rules, pending=PendingPolicy(PendingKind.ON_EVENT))
    member = shop.enroll()
    shop.buy(member, 10_000)
    assert shop.figures(member) == (5, 100, 0, 0)
