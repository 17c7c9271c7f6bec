"""Points as money: how many, what they are worth, and the hold for one order alone (C1, S31, L9, L10)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import checks, money, trade
from domain.offsets import (
    Bill,
    HoldOffset,
    OffsetChanged,
    OffsetImpossible,
    OffsetNotAllowed,
    OffsetPolicy,
    OffsetPolicyTerms,
    Offsetting,
    OffsetUnknown,
    OrderChanged,
    PointsOffset,
    QuoteExpired,
    QuoteUsed,
    ReleaseOffset,
    SetOffsetPolicy,
    default_policy,
)
from domain.points.account import Hold, HoldNotOpen, HoldState, InsufficientPoints, MemberFrozen
from domain.stores import Channel
from tests.domain.mall import POINT_VALUE_BP, Mall, cart
from tests.domain.memory import PROGRAM_ID, START, ref

NOBODY = UUID(int=99)


def offsetting(available: int, value_bp: int = POINT_VALUE_BP, **policy: Any) -> Offsetting:
    return Offsetting(
        policy=replace(default_policy(PROGRAM_ID), **policy), point_value_bp=value_bp, available=available
    )


def bill(goods: int, freight: int = 0) -> Bill:
    return Bill(goods_minor=goods, payable_minor=goods + freight)


def test_c1_a_thousand_points_on_an_order_of_95_yuan_use_950() -> None:
    """100 points = 10 yuan."""
    told = offsetting(1_000)
    assert told.points_max(bill(9_500)) == 950
    assert told.checked(950, bill(9_500)) == 9_500
    with pytest.raises(OffsetNotAllowed) as refused:
        told.checked(951, bill(9_500))
    assert refused.value.details == {"points": 951, "points_max": 950, "minimum": 1, "step": 1}


def test_f10_an_order_that_takes_no_points_names_no_bounds_that_cross() -> None:
    told = offsetting(100, minimum=200)
    with pytest.raises(OffsetImpossible) as refused:
        told.checked(200, bill(9_500))
    assert refused.value.message == "200 points cannot be used for this order: it takes none."
    assert refused.value.details == {"points": 200, "points_max": 0, "minimum": 200, "step": 1}


@pytest.mark.parametrize(
    ("available", "goods", "policy", "most"),
    [
        (1_000, 20_000, {}, 1_000),
        (0, 20_000, {}, 0),
        (5_000, 20_000, {"points_max": 300}, 300),
        (5_000, 20_000, {"percent_bp": 5_000}, 1_000),
        (5_000, 19_999, {"percent_bp": 3_000}, 599),
        (5_000, 20_000, {"step": 300}, 1_800),
        (950, 20_000, {"step": 100}, 900),
        (99, 20_000, {"minimum": 100}, 0),
        (100, 20_000, {"minimum": 100}, 100),
        (150, 20_000, {"step": 100, "minimum": 200}, 0),
        (5_000, 10_000, {"leaves_minor": 1}, 999),
        (5_000, 1, {}, 0),
        (5_000, 0, {}, 0),
        (5_000, 20_000, {"is_active": False}, 0),
    ],
)
def test_c1_the_most_points_an_order_takes(available: int, goods: int, policy: dict[str, Any], most: int) -> None:
    assert offsetting(available, **policy).points_max(bill(goods)) == most


def test_c1_money_is_left_of_the_whole_order_freight_included() -> None:
    told = offsetting(5_000, leaves_minor=100)
    assert told.points_max(bill(10_000)) == 990
    assert told.points_max(bill(10_000, freight=500)) == 1_000


def test_c1_money_is_rounded_down_to_the_cent() -> None:
    """7 points = 1 fen: 13 points are worth 1 fen, and 6 nothing, which is not taken."""
    told = offsetting(1_000, value_bp=1_429)
    assert [told.worth(points) for points in (6, 7, 13, 14)] == [0, 1, 1, 2]
    assert told.checked(13, bill(10_000)) == 1
    with pytest.raises(OffsetNotAllowed):
        told.checked(6, bill(10_000))
    assert offsetting(1_000, value_bp=0).points_max(bill(10_000)) == 0


@given(
    st.integers(0, 10**9),
    st.integers(0, 10**7),
    st.integers(0, 10**4),
    st.integers(0, 10**7),
    st.integers(1, 10_000),
    st.integers(1, 500),
    st.integers(0, 200),
)
def test_any_legal_amount_is_within_every_bound(
    available: int, goods: int, freight: int, value_bp: int, percent_bp: int, step: int, leaves: int
) -> None:
    told = offsetting(available, value_bp, percent_bp=percent_bp, step=step, leaves_minor=leaves)
    order = bill(goods, freight)
    most = told.points_max(order)
    worth = told.checked(most, order)
    assert 0 <= most <= available
    assert most % step == 0
    assert worth * money.BASIS <= goods * percent_bp
    assert not most or worth <= order.payable_minor - leaves
    if most >= 2 * step and told.worth(step):
        assert told.checked(most - step, order) <= worth


def test_staff_says_how_points_are_used(mall: Mall) -> None:
    terms = OffsetPolicyTerms(points_max=500, percent_bp=5_000, step=100, minimum=200, leaves_minor=1, quote_minutes=5)
    policy = mall.run(SetOffsetPolicy(terms=terms))
    assert policy == OffsetPolicy(
        id=PROGRAM_ID,
        program_id=PROGRAM_ID,
        points_max=500,
        percent_bp=5_000,
        step=100,
        minimum=200,
        leaves_minor=1,
        quote_minutes=5,
    )
    off = mall.run(SetOffsetPolicy(terms=OffsetPolicyTerms(is_active=False), is_unbounded=True))
    assert off == replace(policy, is_active=False, points_max=None)


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        ({"points_max": 0}, checks.PointsInvalid),
        ({"percent_bp": 0}, checks.NumberInvalid),
        ({"percent_bp": 10_001}, checks.NumberInvalid),
        ({"step": 0}, checks.PointsInvalid),
        ({"minimum": 0}, checks.PointsInvalid),
        ({"leaves_minor": -1}, checks.AmountInvalid),
        ({"quote_minutes": 0}, checks.NumberInvalid),
    ],
)
def test_impossible_policies_are_refused(mall: Mall, told: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        mall.run(SetOffsetPolicy(terms=OffsetPolicyTerms(**told)))


# Held for one order, captured with it, or released.


def test_points_are_held_captured_with_the_purchase_and_earn_nothing(mall: Mall) -> None:
    member, told = mall.enroll(1_000), cart(10_000, 5_000)
    quoted = mall.quote(member, told, points=600)
    held = mall.hold_offset(member, quoted)
    assert (held.offset.points, held.offset.amount_minor) == (600, 6_000)
    assert held.offset.lapses_at == START + timedelta(minutes=15)
    assert mall.figures(member) == (400, 0, 600, 0)
    purchase = mall.buy_quoted(member, quoted, told, offset_id=held.offset.id).purchase
    assert (purchase.points_spent, purchase.offset_minor, purchase.points_earned) == (600, 6_000, 90)
    assert [(line.offset_minor, line.points) for line in purchase.lines] == [(4_000, 400), (2_000, 200)]
    assert mall.row(PointsOffset, held.offset.id).purchase_id == purchase.id
    assert mall.row(Hold, held.offset.hold_id).state is HoldState.CAPTURED
    assert mall.figures(member) == (490, 0, 0, 0)
    with pytest.raises(OffsetUnknown):
        mall.buy_quoted(member, quoted, told, offset_id=held.offset.id)
    mall.replay(member)


def test_l9_refunds_return_points_never_cash_by_the_frozen_shares(mall: Mall) -> None:
    member, told = mall.enroll(1_000), cart(3_333, 3_333, 3_334)
    quoted = mall.quote(member, told, points=100)
    held = mall.hold_offset(member, quoted)
    purchase = mall.buy_quoted(member, quoted, told, offset_id=held.offset.id).purchase
    assert [(line.offset_minor, line.points) for line in purchase.lines] == [(333, 33), (333, 33), (334, 34)]
    refunds = [
        mall.refund(purchase, lines={number: amount}).refund for number, amount in ((3, 3_334), (1, 3_333), (2, 3_333))
    ]
    assert [refund.points_returned for refund in refunds] == [34, 33, 33]
    assert [refund.cash_minor for refund in refunds] == [3_000, 3_000, 3_000]
    assert mall.figures(member) == (1_000, 0, 0, 0)
    mall.replay(member)


def test_c1_what_was_quoted_is_reckoned_again(mall: Mall) -> None:
    member = mall.enroll(1_000)
    quoted = mall.quote(member, cart(10_000), points=500)
    mall.update(point_value_bp=50_000)
    with pytest.raises(OffsetChanged) as changed:
        mall.hold_offset(member, quoted)
    assert changed.value.details == {"expected": 2_500, "given": 5_000}
    mall.update(point_value_bp=POINT_VALUE_BP)
    mall.run(SetOffsetPolicy(terms=OffsetPolicyTerms(points_max=400)))
    with pytest.raises(OffsetNotAllowed):
        mall.hold_offset(member, quoted)
    assert mall.figures(member) == (1_000, 0, 0, 0)


def test_what_is_wrong_with_holding_is_told_in_order(mall: Mall) -> None:
    member = mall.enroll(1_000)
    quoted = mall.quote(member, cart(10_000), points=500)
    with pytest.raises(checks.PointsInvalid):
        mall.hold_offset(member, quoted, points=0)
    mall.later(minutes=15)
    with pytest.raises(QuoteExpired) as refused:
        mall.hold_offset(member, quoted)
    assert refused.value.details == {"expired_at": quoted.expires_at.isoformat()}
    fresh = mall.quote(member, cart(10_000), points=500)
    mall.freeze(member)
    with pytest.raises(MemberFrozen):
        mall.hold_offset(member, fresh)
    mall.freeze(member, is_frozen=False)
    mall.spend(member, 600)
    with pytest.raises(OffsetNotAllowed) as short:
        mall.hold_offset(member, fresh)
    assert short.value.details["points_max"] == 400


def test_the_hold_is_for_its_order_and_no_other(mall: Mall) -> None:
    member, told = mall.enroll(1_000), cart(10_000)
    quoted = mall.quote(member, told, points=500)
    offset = mall.hold_offset(member, quoted).offset
    with pytest.raises(OrderChanged):
        mall.buy(member, 10_001, lines=(10_001,), offset_id=offset.id)
    with pytest.raises(OffsetUnknown):
        mall.buy_quoted(mall.enroll(), quoted, told, offset_id=offset.id)
    assert mall.figures(member) == (500, 0, 500, 0)


def test_f3_a_quote_is_taken_up_once(mall: Mall) -> None:
    """Under whatever key, and not again after its points came back."""
    member = mall.enroll(1_000)
    quoted, once = mall.quote(member, cart(10_000), points=500), UUID(int=7)
    offset = mall.hold_offset(member, quoted, quote_id=once).offset
    assert offset.id == once
    mall.later(minutes=1)
    for _ in range(2):
        with pytest.raises(QuoteUsed) as refused:
            mall.hold_offset(member, quoted, quote_id=once)
        assert refused.value.details == {"held_at": START.isoformat()}
        assert mall.figures(member)[2] <= 500
        if mall.figures(member)[2]:
            mall.run(ReleaseOffset(offset_id=once))
    assert mall.figures(member) == (1_000, 0, 0, 0)
    mall.hold_offset(member, quoted, quote_id=UUID(int=8))


def test_f3_points_are_for_the_order_store_and_channel_that_the_quote_told(mall: Mall) -> None:
    member, told = mall.enroll(1_000), cart(10_000)
    here, there = mall.store("S1"), mall.store("S2")
    quoted = mall.quote(member, told, points=500)
    bound: dict[str, Any] = {"reference": "o-7", "store_id": here.id, "channel": Channel.IN_STORE}
    offset = mall.hold_offset(member, quoted, **bound).offset
    order: dict[str, Any] = {"external_id": "o-7", "store_id": here.id, "channel": Channel.IN_STORE}
    others: tuple[tuple[str, dict[str, Any]], ...] = (
        ("reference", {"external_id": "o-8"}),
        ("store", {"store_id": there.id}),
        ("store", {"store_id": None}),
        ("channel", {"channel": Channel.ONLINE}),
    )
    for what, other in others:
        with pytest.raises(OrderChanged) as refused:
            mall.buy_quoted(member, quoted, told, offset_id=offset.id, **(order | other))
        assert refused.value.details == {"what": what}
    assert mall.figures(member) == (500, 0, 500, 0)
    assert mall.buy_quoted(member, quoted, told, offset_id=offset.id, **order).purchase.points_spent == 500


def test_f5_rules_for_redeeming_bound_what_a_quote_offers_and_holds(mall: Mall) -> None:
    member, store = mall.enroll(1_000), mall.store()
    refused_here = trade.Redeemable(points=0, refusal=trade.refused(store, Channel.ONLINE))
    told = replace(mall.offsetting(member), redeemable=refused_here)
    assert told.points_max(bill(9_500)) == told.checked(0, bill(9_500)) == 0
    with pytest.raises(trade.RedeemingRefused):
        told.checked(1, bill(9_500))
    told = replace(mall.offsetting(member), redeemable=trade.Redeemable(points=70))
    assert told.points_max(bill(9_500)) == 70
    with pytest.raises(OffsetNotAllowed) as capped:
        told.checked(71, bill(9_500))
    assert capped.value.details["points_max"] == 70
    # Holding reckons again, where the quote said that the order is.
    mall.rule(trade.TradeKind.REDEEMING, trade.TradeEffect.REFUSED, store_id=store.id)
    mall.rule(trade.TradeKind.REDEEMING, trade.TradeEffect.CAPPED, points_max=100)
    quoted = mall.quote(member, cart(10_000), points=90)
    with pytest.raises(trade.RedeemingRefused):
        mall.hold_offset(member, quoted, store_id=store.id)
    mall.take(member, mall.reward(20))
    with pytest.raises(OffsetNotAllowed) as short:
        mall.hold_offset(member, quoted)
    assert short.value.details["points_max"] == 80
    mall.hold_offset(member, mall.quote(member, cart(10_000), points=80))


def test_a_lapsed_hold_pays_nothing(mall: Mall) -> None:
    member, told = mall.enroll(1_000), cart(10_000)
    quoted = mall.quote(member, told, points=500)
    offset = mall.hold_offset(member, quoted).offset
    mall.later(minutes=15)
    with pytest.raises(HoldNotOpen) as refused:
        mall.buy_quoted(member, quoted, told, offset_id=offset.id)
    assert refused.value.details == {"state": "LAPSED"}
    assert mall.settle(member).available == 1_000


def test_points_are_released_once(mall: Mall) -> None:
    member = mall.enroll(1_000)
    offset = mall.hold_offset(member, mall.quote(member, cart(10_000), points=500)).offset
    with pytest.raises(OffsetUnknown):
        mall.run(ReleaseOffset(offset_id=offset.id, member_id=mall.enroll()))
    assert mall.run(ReleaseOffset(offset_id=offset.id, member_id=member)).account.available == 1_000
    with pytest.raises(HoldNotOpen):
        mall.run(ReleaseOffset(offset_id=offset.id))


def test_another_s_debt_or_none_holds_nothing(mall: Mall) -> None:
    member = mall.enroll()
    with pytest.raises(OffsetNotAllowed):
        mall.run(
            HoldOffset(
                quote_id=UUID(int=1),
                member=ref(member),
                points=5,
                amount_minor=50,
                bill=Bill(goods_minor=100, payable_minor=100),
                fingerprint="x",
                quoted_until=START + timedelta(minutes=1),
            )
        )
    with pytest.raises(InsufficientPoints):
        mall.hold(member, 5)
