"""Refunds: cumulative, by the rules of the purchase, never a point given or taken twice (L7, L9, L11)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import checks
from domain.kernel import NotFound
from domain.policies import ExpiryKind, ExpiryPolicy
from domain.programs import ReturnPolicy
from domain.purchases.purchase import Purchase
from domain.purchases.recording import Line
from domain.purchases.refund import (
    LineAmount,
    LineUnknown,
    PurchaseRef,
    PurchaseRefunded,
    PurchaseUnknown,
    Refund,
    RefundAmbiguous,
    RefundConflict,
    RefundEmpty,
    RefundExceeds,
    RefundPurchase,
)
from domain.tiers.tier import CreateTier
from tests.domain.memory import START
from tests.domain.shop import Shop, bonus_at, per_amount

NOBODY = UUID(int=99)
DAYS_30 = ExpiryPolicy(kind=ExpiryKind.DAYS, count=30)
WITH_BONUS = (per_amount(1, 100), bonus_at(30_000, 50))


# L7


def test_l7_partial_refund_takes_the_broken_bonus_back_whole_and_the_rest_later() -> None:
    shop = Shop(rules=WITH_BONUS)
    member = shop.enroll()
    purchase = shop.buy(member, 30_000).purchase
    assert purchase.points_earned == 350
    first = shop.refund(purchase, 10_000)
    assert (first.refund.points_due, first.refund.points_reversed) == (150, 150)
    assert (first.purchase.points_clawed, first.account.available) == (150, 200)
    second = shop.refund(purchase)
    assert (second.refund.points_due, second.refund.amount_minor) == (200, 20_000)
    assert (second.purchase.points_clawed, second.account.available) == (350, 0)
    shop.replay(member)


def test_l7_a_refund_reckons_by_the_rules_of_its_purchase_though_they_changed_in_between() -> None:
    shop = Shop(rules=WITH_BONUS)
    member = shop.enroll()
    purchase = shop.buy(member, 30_000).purchase
    shop.update(rules=(per_amount(7, 100),))
    assert shop.refund(purchase, 10_000).refund.points_due == 150
    shop.update(rules=(bonus_at(1, 999),))
    assert shop.refund(purchase).refund.points_due == 200
    assert shop.figures(member) == (0, 0, 0, 0)
    assert shop.buy(member, 100).purchase.points_earned == 999


def test_l7_a_refund_reckons_by_the_tier_of_its_purchase_though_the_member_rose() -> None:
    shop = Shop(rules=(per_amount(1, 100),))
    shop.run(CreateTier(name="Silver", rank=1, threshold=100, multiplier_bp=20_000))
    member = shop.enroll()
    purchase = shop.buy(member, 10_000).purchase
    assert shop.refund(purchase, 5_000).refund.points_due == 50
    doubled = shop.buy(member, 10_000).purchase
    assert shop.refund(doubled, 5_000).refund.points_due == 100


def test_l7_flooring_is_cumulative_so_that_small_refunds_take_no_more_than_one_large(shop: Shop) -> None:
    member = shop.enroll()
    purchase = shop.buy(member, 19_990).purchase
    due = [shop.refund(purchase, amount).refund.points_due for amount in (50, 40, 1, 9_909, 9_990)]
    assert due == [0, 0, 1, 99, 99]
    assert sum(due) == purchase.points_earned == 199


def test_l7_what_does_not_earn_is_refunded_without_clawback(shop: Shop) -> None:
    member = shop.enroll()
    purchase = shop.buy(
        member, 31_000, freight_minor=1_000, lines=[10_000, Line(amount_minor=20_000, earns=False)]
    ).purchase
    assert shop.refund(purchase, lines={2: 20_000}).refund.points_due == 0
    freight = shop.refund(purchase, freight_minor=1_000).refund
    assert (freight.points_due, freight.freight_minor, freight.amount_minor) == (0, 1_000, 1_000)
    assert shop.refund(purchase).refund.points_due == 100


def test_l7_freight_that_earned_is_clawed_back_with_it() -> None:
    shop = Shop(rules=(per_amount(1, 100, includes_freight=True),))
    purchase = shop.buy(shop.enroll(), 11_000, freight_minor=1_000).purchase
    assert shop.refund(purchase, freight_minor=500).refund.points_due == 5
    assert shop.refund(purchase).refund.points_due == 105


# Refunds in any parts.

AMOUNTS = st.lists(st.integers(0, 40_000), min_size=1, max_size=4)
PARTS = st.lists(
    st.tuples(st.sampled_from(["amount", "line", "freight"]), st.integers(1, 30_000), st.integers(0, 3)), max_size=7
)


@given(AMOUNTS, st.integers(0, 2_000), st.integers(0, 100), PARTS, st.sampled_from(["rules stay", "rules change"]))
def test_l7_l9_refunded_in_any_parts_exactly_what_was_earned_and_spent_comes_back(
    amounts: list[int], freight: int, percent: int, parts: list[tuple[str, int, int]], rules: str
) -> None:
    shop = Shop(rules=(per_amount(3, 700, includes_freight=True), bonus_at(20_000, 77)))
    member = shop.enroll(1_000)
    covered = sum(amounts) * percent // 100
    offset = (shop.hold(member, 1_000).hold.id, covered) if covered else None
    lines = [Line(amount_minor=amount, earns=place != 2) for place, amount in enumerate(amounts)]
    told: dict[str, Any] = {} if offset is None else {"offset": offset}
    purchase = shop.buy(member, sum(amounts) + freight, freight_minor=freight, lines=lines, **told).purchase
    refunds: list[Refund] = []
    for how, amount, place in parts:
        if rules == "rules change":
            shop.update(rules=(per_amount(amount, 100),))
        rest, freight_rest = remaining(purchase, refunds)
        number = place % len(amounts) + 1
        match how:
            case "amount" if sum(rest) + freight_rest:
                refunds.append(shop.refund(purchase, min(amount, sum(rest) + freight_rest)).refund)
            case "line" if rest[number - 1]:
                refunds.append(shop.refund(purchase, lines={number: min(amount, rest[number - 1])}).refund)
            case "freight" if freight_rest:
                refunds.append(shop.refund(purchase, freight_minor=min(amount, freight_rest)).refund)
    rest, freight_rest = remaining(purchase, refunds)
    if sum(rest) + freight_rest:
        refunds.append(shop.refund(purchase).refund)
    check_whole(shop, purchase, refunds)


def remaining(purchase: Purchase, refunds: list[Refund]) -> tuple[list[int], int]:
    rest = [line.amount_minor for line in purchase.lines]
    for refund in refunds:
        for line in refund.lines:
            rest[line.number - 1] -= line.amount_minor
    return rest, purchase.freight_minor - sum(refund.freight_minor for refund in refunds)


def check_whole(shop: Shop, purchase: Purchase, refunds: list[Refund]) -> None:
    """After everything was refunded, everything is as if nothing had been bought."""
    whole = shop.row(Purchase, purchase.id)
    assert whole.refunded_minor == purchase.amount_minor == sum(refund.amount_minor for refund in refunds)
    assert sum(refund.cash_minor for refund in refunds) == purchase.amount_minor - purchase.offset_minor
    assert sum(refund.points_due for refund in refunds) == whole.points_clawed == purchase.points_earned
    assert sum(refund.points_returned for refund in refunds) == whole.points_returned == purchase.points_spent
    assert all(refund.points_due == refund.points_cancelled + refund.points_reversed for refund in refunds)
    for number, line in enumerate(purchase.lines, start=1):
        parts = [part for refund in refunds for part in refund.lines if part.number == number]
        assert sum(part.points for part in parts) == line.points
        assert sum(part.offset_minor for part in parts) == line.offset_minor
        assert all(0 <= part.offset_minor <= part.amount_minor and part.points >= 0 for part in parts)
    assert shop.figures(purchase.member_id) == (1_000, 0, 0, 0)
    with pytest.raises(RefundEmpty):
        shop.refund(purchase)
    shop.replay(purchase.member_id)


# L9


def paid_with_points(shop: Shop, **settings: Any) -> tuple[UUID, Purchase]:
    """Two lines, 100 and 200 yuan, of which 300 points covered 30 yuan."""
    if settings:
        shop.update(**settings)
    member = shop.enroll(300)
    hold = shop.hold(member, 300).hold
    return member, shop.buy(member, 30_000, offset=(hold.id, 3_000), lines=[10_000, 20_000]).purchase


def test_l9_a_line_returns_its_share_of_points_and_never_cash_for_them(shop: Shop) -> None:
    member, purchase = paid_with_points(shop)
    first = shop.refund(purchase, lines={1: 10_000}).refund
    assert (first.points_returned, first.cash_minor, first.amount_minor) == (100, 9_000, 10_000)
    second = shop.refund(purchase, lines={2: 20_000}).refund
    assert (second.points_returned, second.cash_minor) == (200, 18_000)
    assert shop.figures(member) == (300, 0, 0, 0)
    assert shop.account(member).lifetime_spent == 0
    with pytest.raises(RefundEmpty):
        shop.refund(purchase)
    shop.replay(member)


def test_l9_points_come_back_to_the_lots_they_came_from_however_often(shop: Shop) -> None:
    member = shop.enroll()
    for points in (10, 20, 30):
        shop.adjust(member, points)
    before = shop.lots(member)
    hold = shop.hold(member, 60).hold
    purchase = shop.buy(member, 60, offset=(hold.id, 60)).purchase
    for amount in (7, 33, 1, 19):
        assert shop.refund(purchase, amount).refund.points_returned == amount
    assert shop.lots(member) == before
    shop.replay(member)


def test_l9_points_of_expired_lots_come_back_by_policy_and_the_refund_says_which(shop: Shop) -> None:
    for policy, replaced, forfeited in ((ReturnPolicy.REPLACE, 100, 0), (ReturnPolicy.FORFEIT, 0, 100)):
        member, purchase = paid_with_points(shop, expiry=DAYS_30, return_policy=policy)
        shop.later(days=40)
        refund = shop.refund(purchase, lines={1: 10_000}).refund
        assert (refund.points_returned, refund.points_replaced, refund.points_forfeited) == (0, replaced, forfeited)
        assert shop.row(Purchase, purchase.id).points_returned == 100
        shop.replay(member)


def test_l9_an_amount_is_spread_over_what_remains_of_the_goods_then_over_freight(shop: Shop) -> None:
    member = shop.enroll()
    purchase = shop.buy(member, 10_500, freight_minor=500, lines=[3_000, 7_000]).purchase
    first = shop.refund(purchase, 1_001).refund
    assert [(line.number, line.amount_minor) for line in first.lines] == [(1, 300), (2, 701)]
    second = shop.refund(purchase, lines={1: 2_700}).refund
    assert [(line.number, line.amount_minor) for line in second.lines] == [(1, 2_700)]
    third = shop.refund(purchase, 6_400).refund
    assert [(line.number, line.amount_minor) for line in third.lines] == [(2, 6_299)]
    assert third.freight_minor == 101
    assert shop.refund(purchase).refund.freight_minor == 399


# L11


def test_l11_a_refund_told_again_changes_nothing_whatever_happened_since(shop: Shop) -> None:
    member = shop.enroll()
    purchase = shop.buy(member, 10_000, lines=[4_000, 6_000]).purchase
    by_amount = shop.refund(purchase, 1_000, external_id="R-1")
    by_line = shop.refund(purchase, external_id="R-2", lines={2: 1_000})
    the_rest = shop.refund(purchase, external_id="R-3")
    tellings: list[tuple[Any, dict[str, Any]]] = [
        (by_amount, {"external_id": " R-1 ", "amount_minor": 1_000}),
        (by_line, {"external_id": "R-2", "lines": {2: 1_000}}),
        (the_rest, {"external_id": "R-3"}),
    ]
    before = shop.history(member)
    for first, told in tellings:
        again = shop.refund(purchase, **told)
        assert (again.is_repeat, again.refund) == (True, first.refund)
        assert shop.decision.save == ()
        assert shop.events == ()
    assert shop.history(member) == before


def test_l11_a_refund_number_with_other_content_is_refused_as_such(shop: Shop) -> None:
    member = shop.enroll()
    purchase = shop.buy(member, 10_500, freight_minor=500, lines=[5_000, 5_000]).purchase
    first = shop.refund(purchase, external_id="R-1", lines={1: 1_000}).refund
    others: list[dict[str, Any]] = [
        {"amount_minor": 1_000},
        {"amount_minor": 10_000_000},
        {},
        {"lines": {2: 1_000}},
        {"lines": {1: 999}},
        {"lines": {1: 1_000, 2: 1}},
        {"lines": {3: 1_000}},
        {"lines": {1: 1_000}, "freight_minor": 1},
    ]
    for told in others:
        with pytest.raises(RefundConflict) as refused:
            shop.refund(purchase, external_id="R-1", **told)
        assert refused.value.details == {"externalId": "R-1", "refundId": str(first.id)}


def test_l11_the_same_refund_number_may_be_used_for_another_purchase(shop: Shop) -> None:
    member = shop.enroll()
    for purchase in (shop.buy(member, 100).purchase, shop.buy(member, 100).purchase):
        assert not shop.refund(purchase, external_id="R-1").is_repeat


# What is kept, and what is refused.


def test_a_refund_keeps_what_it_was_told(shop: Shop) -> None:
    member = shop.enroll()
    purchase = shop.buy(member, 10_000, external_id="A-1").purchase
    refunded = shop.run(
        RefundPurchase(
            purchase=PurchaseRef(external_id="A-1"),
            external_id=" R-1 ",
            amount_minor=100,
            reason=" broken ",
            occurred_at=START - timedelta(hours=1),
        ),
        actor="li",
    )
    refund = refunded.refund
    assert shop.row(Refund, refund.id) == refund
    assert shop.events == (PurchaseRefunded(member_id=member, purchase_id=purchase.id, refund_id=refund.id),)
    assert (refund.external_id, refund.reason, refund.actor) == ("R-1", "broken", "li")
    assert (refund.occurred_at, refund.recorded_at) == (START - timedelta(hours=1), START)
    assert refunded.purchase == replace(purchase, refunded_minor=100, points_clawed=1)


def test_more_than_remains_is_refused_with_what_remains(shop: Shop) -> None:
    member = shop.enroll()
    purchase = shop.buy(member, 10_500, freight_minor=500, lines=[4_000, 6_000]).purchase
    shop.refund(purchase, lines={1: 1_000})
    excess: list[tuple[dict[str, Any], int, int]] = [
        ({"amount_minor": 9_501}, 9_501, 9_500),
        ({"lines": {1: 3_001}}, 3_001, 3_000),
        ({"lines": {1: 1, 2: 6_001}}, 6_001, 6_000),
        ({"freight_minor": 501}, 501, 500),
    ]
    for told, requested, rest in excess:
        with pytest.raises(RefundExceeds) as refused:
            shop.refund(purchase, **told)
        assert refused.value.details == {"requested": requested, "remaining": rest}


def test_nothing_is_no_refund(shop: Shop) -> None:
    member = shop.enroll()
    for purchase in (shop.buy(member, 100).purchase, shop.buy(member, 0).purchase):
        with pytest.raises(RefundEmpty):
            shop.refund(purchase, freight_minor=0)
    with pytest.raises(RefundEmpty):
        shop.refund(shop.buy(member, 0).purchase)


def test_what_is_wrong_with_a_refund_is_told_in_order(shop: Shop) -> None:
    purchase = shop.buy(shop.enroll(), 10_000, external_id="A-1").purchase
    bad = LineAmount(number=7, amount_minor=0)
    told: dict[str, Any] = {
        "purchase": PurchaseRef(external_id="A-2"),
        "external_id": "",
        "amount_minor": 0,
        "lines": (bad,) * 201,
        "freight_minor": -1,
        "reason": "",
        "occurred_at": START + timedelta(days=1),
    }
    precedence: list[tuple[type[Exception], dict[str, Any]]] = [
        (checks.AmountInvalid, {"amount_minor": 1}),
        (RefundAmbiguous, {"amount_minor": None}),
        (checks.AmountInvalid, {"freight_minor": 1}),
        (checks.TooMany, {"lines": (bad,)}),
        (checks.AmountInvalid, {"lines": (LineAmount(number=7, amount_minor=1),)}),
        (checks.TextInvalid, {"reason": None}),
        (checks.TextInvalid, {"external_id": "R-1"}),
        (checks.TimeInvalid, {"occurred_at": None}),
        (PurchaseUnknown, {"purchase": PurchaseRef(id=NOBODY)}),
        (NotFound, {"purchase": PurchaseRef(id=purchase.id)}),
        (LineUnknown, {"lines": (LineAmount(number=1, amount_minor=1),) * 2}),
        (LineUnknown, {"lines": (LineAmount(number=1, amount_minor=10_001),)}),
        (RefundExceeds, {"lines": ()}),
        (RefundExceeds, {"freight_minor": 0}),
        (RefundEmpty, {"freight_minor": None}),
    ]
    for refusal, mended in precedence:
        with pytest.raises(refusal) as refused:
            shop.run(RefundPurchase(**told))
        assert type(refused.value) is refusal
        told |= mended
    assert shop.run(RefundPurchase(**told)).refund.amount_minor == 10_000
