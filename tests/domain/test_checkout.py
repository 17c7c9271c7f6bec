"""Quotes: vouchers, then points, then freight; deterministic, and split so that every sum is exact (C1, C2, L9)."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import checkout, checks
from domain.checkout import Choice, quote
from domain.offsets import OffsetNotAllowed, Offsetting, default_policy
from domain.vouchers.discounts import Candidate, Cart, CartLine
from domain.vouchers.voucher import VoucherMinimum, VouchersNotCombinable
from tests.domain.mall import POINT_VALUE_BP, Mall, cart, off
from tests.domain.memory import PROGRAM_ID, START


def test_c2_vouchers_come_first_then_points_then_the_freight(mall: Mall) -> None:
    """100 yuan, 10 off, 50 yuan in points, 8 yuan freight: 48 to be paid."""
    member = mall.enroll(10_000)
    quoted = mall.quote(member, cart(6_000, 4_000, freight=800), mall.grant(member), points=500)
    assert (quoted.goods_minor, quoted.discount_minor, quoted.offset_minor) == (10_000, 1_000, 5_000)
    assert (quoted.points_max, quoted.payable_minor) == (900, 4_800)
    assert [line.paid_minor for line in quoted.lines] == [2_400, 1_600]
    assert quoted.expires_at == START.replace(minute=15)


def test_the_member_chooses_its_vouchers_or_none(mall: Mall) -> None:
    member = mall.enroll()
    ten, high = mall.grant(member), mall.grant(member, off(5_000, minimum_minor=10_000))
    told = cart(8_000)
    assert mall.quote(member, told, ten, high).discount_minor == 1_000
    assert mall.quote(member, told, is_best=False).discount_minor == 0
    assert mall.quote(member, told, ten, is_best=False).discount_minor == 1_000
    with pytest.raises(VoucherMinimum):
        mall.quote(member, told, high, is_best=False)
    with pytest.raises(VouchersNotCombinable):
        mall.quote(member, cart(20_000), ten, high, is_best=False)


def test_points_that_are_not_there_are_not_quoted(mall: Mall) -> None:
    member = mall.enroll(100)
    with pytest.raises(OffsetNotAllowed):
        mall.quote(member, cart(10_000), points=101)
    assert mall.quote(member, cart(10_000), points=0).offset_minor == 0


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        (Cart(lines=()), checks.NumberInvalid),
        (Cart(lines=(CartLine(amount_minor=1),) * 201), checks.NumberInvalid),
        (cart(-1), checks.AmountInvalid),
        (cart(1, freight=-1), checks.AmountInvalid),
        (Cart(lines=(CartLine(amount_minor=1, quantity=0),)), checks.NumberInvalid),
        (Cart(lines=(CartLine(amount_minor=1, quantity=10**6 + 1),)), checks.NumberInvalid),
        (cart(10**12, 1), checks.AmountInvalid),
    ],
)
def test_impossible_carts_are_refused(told: Cart, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        checkout.check_cart(told)


def test_a_fingerprint_tells_orders_apart() -> None:
    """By whatever is paid for, and not by the order in which vouchers are told."""
    told = [
        checkout.fingerprint(order, codes)
        for order, codes in (
            (cart(100), ()),
            (cart(101), ()),
            (cart(100, 1), ()),
            (cart(100, freight=1), ()),
            (Cart(lines=(CartLine(amount_minor=100, quantity=2),)), ()),
            (Cart(lines=(CartLine(amount_minor=100, product_id="a"),)), ()),
            (Cart(lines=(CartLine(amount_minor=100, category="a"),)), ()),
            (cart(100), ("A",)),
        )
    ]
    assert len(set(told)) == len(told)
    assert checkout.fingerprint(cart(100), ("A", "B")) == checkout.fingerprint(cart(100), ("B", "A"))


@given(
    st.lists(st.integers(0, 50_000), min_size=1, max_size=8),
    st.integers(0, 2_000),
    st.integers(0, 5_000),
    st.integers(0, 10_000),
)
def test_l9_every_line_s_shares_sum_to_the_whole(amounts: list[int], freight: int, discount: int, points: int) -> None:
    candidates = (Candidate(id=UUID(int=1), code="A", terms=off(discount)),) if discount else ()
    offsetting = Offsetting(policy=default_policy(PROGRAM_ID), point_value_bp=POINT_VALUE_BP, available=points)
    told = cart(*amounts, freight=freight)
    most = quote(told, Choice(candidates=candidates), offsetting, START).points_max
    quoted = quote(told, Choice(candidates=candidates, points=most), offsetting, START)
    assert quoted == quote(told, Choice(candidates=candidates, points=most), offsetting, START)
    assert sum(line.points for line in quoted.lines) == most <= points
    assert sum(line.offset_minor for line in quoted.lines) == quoted.offset_minor
    assert sum(line.discount_minor for line in quoted.lines) == quoted.discount_minor
    assert all(line.paid_minor >= 0 for line in quoted.lines)
    assert quoted.payable_minor == sum(line.paid_minor for line in quoted.lines) + freight >= 0
