"""Vouchers in purchases and refunds: used once, checked to the minor unit, split by frozen shares (C2, C4, L9)."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain import checks
from domain.purchases.paying import Line
from domain.stores import Channel
from domain.vouchers.commands import VoidVoucher
from domain.vouchers.discounts import Cart, CartLine
from domain.vouchers.template import RefundTerms, VoucherKind, VoucherScope, VoucherTerms
from domain.vouchers.using import DiscountMismatch
from domain.vouchers.voucher import (
    Voucher,
    VoucherLocked,
    VoucherMinimum,
    VoucherNotHere,
    VouchersNotCombinable,
    VoucherState,
    VoucherUnknown,
    VoucherUsed,
    VoucherVoid,
    VoucherWithoutEffect,
)
from tests.domain.mall import Mall, cart, off, percent
from tests.domain.memory import START


@pytest.fixture
def member(mall: Mall) -> UUID:
    return mall.enroll()


def test_c2_a_purchase_earns_on_what_vouchers_left(mall: Mall, member: UUID) -> None:
    """200 yuan of goods, 10 off: 190 points."""
    store, voucher, told = mall.store(), mall.grant(member), cart(15_000, 5_000)
    bought = mall.buy_quoted(
        member, mall.quote(member, told, voucher), told, channel=Channel.IN_STORE, store_id=store.id
    )
    purchase = bought.purchase
    assert (purchase.amount_minor, purchase.discount_minor, purchase.points_earned) == (19_000, 1_000, 190)
    assert [(line.amount_minor, line.discount_minor) for line in purchase.lines] == [(14_250, 750), (4_750, 250)]
    used = mall.voucher(voucher)
    assert purchase.voucher_ids == (used.id,)
    assert (used.state, used.purchase_id, used.used_at, used.discount_minor) == (
        VoucherState.USED,
        purchase.id,
        START,
        1_000,
    )
    assert (used.used_channel, used.used_store_id, used.due_at) == (Channel.IN_STORE, store.id, None)


def test_a_voucher_is_used_once(mall: Mall, member: UUID) -> None:
    voucher, told = mall.grant(member), cart(5_000)
    quoted = mall.quote(member, told, voucher)
    mall.buy_quoted(member, quoted, told)
    with pytest.raises(VoucherUsed) as refused:
        mall.buy_quoted(member, quoted, told)
    assert refused.value.details == {"used_at": START.isoformat()}
    assert mall.account(member).available == 40


def test_a_locked_voucher_is_used_for_its_order_alone(mall: Mall, member: UUID) -> None:
    voucher, told = mall.grant(member), cart(5_000)
    mall.lock(voucher, "mine")
    quoted = mall.quote(member, told, voucher)
    with pytest.raises(VoucherLocked):
        mall.buy_quoted(member, quoted, told, external_id="other")
    mall.buy_quoted(member, quoted, told, external_id="mine")
    assert mall.voucher(voucher).state is VoucherState.USED


def test_the_same_order_told_twice_uses_its_voucher_once(mall: Mall, member: UUID) -> None:
    voucher, told = mall.grant(member), cart(5_000)
    quoted = mall.quote(member, told, voucher)
    first = mall.buy_quoted(member, quoted, told, external_id="o")
    again = mall.buy_quoted(member, quoted, told, external_id="o")
    assert (again.is_repeat, again.purchase) == (True, first.purchase)


def test_what_is_wrong_with_vouchers_in_a_purchase_is_told(mall: Mall, member: UUID) -> None:
    store = mall.store()
    ten, more = mall.grant(member), mall.grant(member)
    high, tea = mall.grant(member, off(1_000, minimum_minor=9_000)), mall.grant(member, off(1, scope=TEA))
    here = mall.grant(member, off(1_000, scope=VoucherScope(store_ids=(store.id,))))
    anothers = mall.grant(mall.enroll())

    def refused(refusal: type[Exception], *vouchers: Voucher, discount: int = 1_000, **told: Any) -> Any:
        lines = (Line(amount_minor=5_000 - discount, discount_minor=discount),)
        codes = told.pop("codes", tuple(voucher.code for voucher in vouchers))
        with pytest.raises(refusal) as raised:
            mall.buy(member, 5_000 - discount, lines=lines, voucher_codes=codes, **told)
        return raised.value

    assert refused(VoucherUnknown, anothers).code == "NOT_FOUND"
    refused(VoucherUnknown, codes=("NOSUCHCODE12",))
    refused(VoucherUnknown, codes=("",))
    assert refused(VoucherMinimum, high).details == {"required": 9_000, "spent": 5_000}
    assert refused(VoucherNotHere, here).details == {"store": None, "channel": "ONLINE"}
    # F10: what is at fault is what the purchase calls it.
    assert refused(VoucherNotHere, here).field == ("voucherCodes",)
    void = mall.grant(member)
    mall.run(VoidVoucher(voucher_id=void.id, reason="test"))
    assert refused(VoucherVoid, void).field == ("voucherCodes",)
    assert refused(VouchersNotCombinable, ten, more).details == {"voucher_code": ten.code, "other": more.code}
    assert refused(VoucherWithoutEffect, tea).details == {"voucher_code": tea.code}
    assert refused(DiscountMismatch, ten, discount=999).details == {"line": 1, "expected": 1_000, "given": 999}
    assert refused(DiscountMismatch, discount=1).details == {"line": 1, "expected": 0, "given": 1}
    assert refused(DiscountMismatch, ten, freight_discount_minor=5).details == {"line": 0, "expected": 0, "given": 5}
    refused(checks.TooMany, *(mall.grant(member) for _ in range(11)))
    assert mall.state.rows(type(ten))[0].state is VoucherState.ISSUED
    assert mall.account(member).available == 0


TEA = VoucherScope(categories=("tea",))


def test_free_shipping_and_goods_together(mall: Mall, member: UUID) -> None:
    goods = mall.grant(member, percent(1_000, is_combinable=True))
    freight = mall.grant(
        member, VoucherTerms(kind=VoucherKind.FREE_SHIPPING, is_combinable=True, stack_group="freight")
    )
    told = cart(10_000, freight=800)
    purchase = mall.buy_quoted(member, mall.quote(member, told, goods, freight), told).purchase
    assert (purchase.amount_minor, purchase.freight_minor) == (9_000, 0)
    assert (purchase.discount_minor, purchase.freight_discount_minor) == (1_800, 800)
    assert [mall.voucher(one).discount_minor for one in (goods, freight)] == [1_000, 800]


# Refunds.


def bought(mall: Mall, member: UUID, **terms: Any) -> tuple[Voucher, Any]:
    """300 yuan in three lines with 30 off from 250: 270 paid."""
    voucher = mall.grant(member, off(3_000, minimum_minor=25_000, **terms))
    told = cart(10_000, 10_000, 10_000)
    return voucher, mall.buy_quoted(member, mall.quote(member, told, voucher), told).purchase


def test_c4_a_full_refund_returns_the_voucher(mall: Mall, member: UUID) -> None:
    voucher, purchase = bought(mall, member)
    refund = mall.refund(purchase).refund
    assert (refund.cash_minor, refund.discount_lost_minor) == (27_000, 0)
    back = mall.voucher(voucher)
    assert (back.state, back.has_returned, back.purchase_id) == (VoucherState.RETURNED, True, None)


def test_c4_a_partial_refund_keeps_the_voucher_used_and_gives_back_the_line_s_share(mall: Mall, member: UUID) -> None:
    voucher, purchase = bought(mall, member)
    refund = mall.refund(purchase, lines={1: 9_000}).refund
    assert (refund.cash_minor, refund.discount_lost_minor) == (9_000, 0)
    assert mall.voucher(voucher).state is VoucherState.USED
    mall.refund(purchase, lines={2: 9_000})
    assert mall.voucher(voucher).state is VoucherState.USED
    mall.refund(purchase)
    assert mall.voucher(voucher).state is VoucherState.RETURNED


def test_c4_below_the_minimum_the_refund_is_less_by_the_lost_discount(mall: Mall, member: UUID) -> None:
    """100 of 300 go back: the rest, 200, would have cost 200 without the voucher and not 180, so 70 come back.

    All that was paid, 270, has come back when nothing remains.
    """
    _, purchase = bought(mall, member, refund_terms=RefundTerms.REDUCE)
    cash, lost = [], []
    for number in (1, 2, 3):
        refund = mall.refund(purchase, lines={number: 9_000}).refund
        cash.append(refund.cash_minor)
        lost.append(refund.discount_lost_minor)
    assert (cash, lost) == ([7_000, 10_000, 10_000], [2_000, -1_000, -1_000])
    assert sum(cash) == 27_000


def test_c4_no_refund_is_less_than_nothing(mall: Mall, member: UUID) -> None:
    """A line of 1 yuan breaks the minimum of 100: its 90 cents pay what they can of the lost 9.90."""
    voucher = mall.grant(member, off(1_000, minimum_minor=10_000, refund_terms=RefundTerms.REDUCE))
    told = cart(100, 9_900)
    purchase = mall.buy_quoted(member, mall.quote(member, told, voucher), told).purchase
    assert [line.amount_minor for line in purchase.lines] == [90, 8_910]
    first = mall.refund(purchase, lines={1: 90}).refund
    assert (first.cash_minor, first.discount_lost_minor) == (0, 90)
    rest = mall.refund(purchase).refund
    assert (rest.cash_minor, rest.discount_lost_minor) == (9_000, -90)


def test_c4_a_voucher_whose_minimum_is_still_met_loses_nothing(mall: Mall, member: UUID) -> None:
    scope = VoucherScope(categories=("tea",))
    voucher = mall.grant(member, off(500, minimum_minor=5_000, scope=scope, refund_terms=RefundTerms.REDUCE))
    told = Cart(lines=(CartLine(amount_minor=6_000, category="tea"), CartLine(amount_minor=4_000, category="gift")))
    purchase = mall.buy_quoted(member, mall.quote(member, told, voucher), told).purchase
    refund = mall.refund(purchase, lines={2: 4_000}).refund
    assert (refund.cash_minor, refund.discount_lost_minor) == (4_000, 0)


def test_a_voucher_given_back_by_hand_is_not_given_back_again(mall: Mall, member: UUID) -> None:
    from domain.vouchers.commands import ReturnVoucher

    voucher, purchase = bought(mall, member)
    mall.run(ReturnVoucher(voucher_id=voucher.id, reason="kind"))
    mall.refund(purchase)
    kept = mall.voucher(voucher)
    assert replace(kept, reason=None).state is VoucherState.RETURNED
