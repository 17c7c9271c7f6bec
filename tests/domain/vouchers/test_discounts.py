"""What vouchers take off, alone and together, exactly and the same every time (C2, C3)."""

import itertools
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.vouchers import discounts
from domain.vouchers.discounts import Candidate, Cart, CartLine, best, clash, combined
from domain.vouchers.template import VoucherKind, VoucherScope, VoucherTerms
from tests.domain.mall import cart, off, percent
from tests.domain.memory import START

TEA = VoucherScope(categories=("tea",))
SHIPPING = VoucherTerms(kind=VoucherKind.FREE_SHIPPING)
ITEM = VoucherTerms(kind=VoucherKind.ITEM)


def candidate(number: int, terms: VoucherTerms, days: int | None = None) -> Candidate:
    expires_at = None if days is None else START + timedelta(days=days)
    return Candidate(id=UUID(int=number), code=f"CODE-{number}", terms=terms, expires_at=expires_at)


def shop_cart(freight: int = 0) -> Cart:
    """Tea for 60 and 30 yuan (three of 10), a gift for 10."""
    return Cart(
        lines=(
            CartLine(amount_minor=6_000, product_id="pot", category="tea"),
            CartLine(amount_minor=3_000, product_id="cup", category="tea", quantity=3),
            CartLine(amount_minor=1_000, product_id="card", category="gift"),
        ),
        freight_minor=freight,
    )


@pytest.mark.parametrize(
    ("terms", "lines", "freight"),
    [
        (off(1_000), (600, 300, 100), 0),
        (off(1_000, scope=TEA), (667, 333, 0), 0),
        (off(1_000, scope=VoucherScope(product_ids=("card",))), (0, 0, 1_000), 0),
        (off(99_999), (6_000, 3_000, 1_000), 0),
        (percent(1_500), (900, 450, 150), 0),
        (percent(1_500, cap_minor=1_000), (600, 300, 100), 0),
        (percent(3_333, scope=VoucherScope(product_ids=("card",))), (0, 0, 333), 0),
        (percent(10_000), (6_000, 3_000, 1_000), 0),
        (ITEM, (6_000, 0, 0), 0),
        (VoucherTerms(kind=VoucherKind.ITEM, scope=VoucherScope(product_ids=("cup",))), (0, 1_000, 0), 0),
        (SHIPPING, (0, 0, 0), 800),
        (VoucherTerms(kind=VoucherKind.FREE_SHIPPING, cap_minor=500), (0, 0, 0), 500),
        (VoucherTerms(kind=VoucherKind.GIFT_CARD), (0, 0, 0), 0),
        (off(1_000, minimum_minor=10_000), (600, 300, 100), 0),
        (off(1_000, minimum_minor=10_001), (0, 0, 0), 0),
        (off(1_000, minimum_minor=9_001, scope=TEA), (0, 0, 0), 0),
        (off(1_000, scope=VoucherScope(categories=("none",))), (0, 0, 0), 0),
    ],
)
def test_what_one_voucher_takes_off_each_line(terms: VoucherTerms, lines: tuple[int, ...], freight: int) -> None:
    (taken,) = combined((candidate(1, terms),), shop_cart(800)).taken
    assert (taken.lines, taken.freight_minor) == (lines, freight)


def test_c2_vouchers_are_taken_off_in_one_order_each_of_what_is_left() -> None:
    """10 yuan off 100, then 10 % of the remaining 90, then the freight; however they are told."""
    told = [candidate(1, SHIPPING), candidate(2, percent(1_000)), candidate(3, off(1_000))]
    results = {
        tuple((taken.candidate.id.int, taken.total_minor) for taken in combined(order, cart(10_000, freight=500)).taken)
        for order in itertools.permutations(told)
    }
    assert results == {((3, 1_000), (2, 900), (1, 500))}


def test_the_minimum_is_measured_before_any_voucher() -> None:
    combination = combined((candidate(1, off(5_000)), candidate(2, off(1_000, minimum_minor=10_000))), cart(10_000))
    assert combination.total_minor == 6_000


@pytest.mark.parametrize(
    ("terms", "is_clash"),
    [
        ((off(1), off(1)), True),
        ((off(1, is_combinable=True), off(1)), True),
        ((off(1, is_combinable=True), off(1, is_combinable=True)), True),
        ((off(1, is_combinable=True), off(1, is_combinable=True, stack_group="other")), False),
    ],
)
def test_c3_vouchers_go_together_if_all_may_and_their_groups_differ(terms: Any, is_clash: bool) -> None:
    pair = [candidate(number, told) for number, told in enumerate(terms, start=1)]
    assert (clash(pair) is not None) == is_clash


def codes_of(combination: discounts.Combination) -> list[int]:
    return [taken.candidate.id.int for taken in combination.taken]


def test_c3_the_best_combination_takes_off_most() -> None:
    goods = {"is_combinable": True, "stack_group": "goods"}
    told = [
        candidate(1, off(2_500)),
        candidate(2, off(1_500, **goods)),
        candidate(3, percent(2_000, **goods)),
        candidate(4, VoucherTerms(kind=VoucherKind.FREE_SHIPPING, is_combinable=True, stack_group="freight")),
        candidate(5, off(9_000, minimum_minor=99_999)),
    ]
    chosen = best(told, cart(10_000, freight=800))
    assert (codes_of(chosen), chosen.total_minor) == ([3, 4], 2_800)
    assert codes_of(best(told, cart(10_000))) == [1]
    assert best([], cart(10_000)).total_minor == 0
    assert best([candidate(5, told[4].terms)], cart(10_000)).taken == ()


def test_c3_of_equally_good_ones_the_one_that_expires_soonest_then_by_id() -> None:
    told = [candidate(1, off(100)), candidate(2, off(100), 9), candidate(3, off(100), 5), candidate(4, off(100), 5)]
    for order in itertools.permutations(told):
        assert codes_of(best(order, cart(1_000))) == [3]


def test_one_voucher_is_better_than_two_that_take_off_the_same() -> None:
    told = [
        candidate(1, off(1_000, is_combinable=True, stack_group="a")),
        candidate(2, off(1_000, is_combinable=True, stack_group="b")),
        candidate(3, off(2_000)),
    ]
    assert codes_of(best(told, cart(5_000))) == [3]


def test_the_search_is_bounded_however_many_there_are() -> None:
    told = [
        candidate(number, off(number, is_combinable=True, stack_group=f"g{number % 40}")) for number in range(1, 101)
    ]
    chosen = best(told, Cart(lines=tuple(CartLine(amount_minor=10_000) for _ in range(200))))
    assert len(chosen.taken) == discounts.GROUPS_MAX
    assert chosen.total_minor == 100 + 99 + 98 + 97


terms = st.one_of(
    st.builds(off, st.integers(1, 20_000), minimum_minor=st.sampled_from((0, 5_000)), is_combinable=st.booleans()),
    st.builds(percent, st.integers(1, 10_000), cap_minor=st.sampled_from((None, 700)), is_combinable=st.booleans()),
    st.sampled_from((ITEM, SHIPPING)),
)


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=6),
    st.lists(st.tuples(terms, st.sampled_from("abc")), max_size=7),
    st.integers(0, 1_000),
    st.randoms(use_true_random=False),
)
def test_no_line_is_ever_less_than_nothing_and_order_does_not_matter(
    amounts: list[int], told: list[tuple[VoucherTerms, str]], freight: int, shuffled: Any
) -> None:
    from dataclasses import replace

    candidates = [
        candidate(number, replace(one, stack_group=group)) for number, (one, group) in enumerate(told, start=1)
    ]
    whole = cart(*amounts, freight=freight)
    chosen = best(candidates, whole)
    assert all(0 <= chosen.line_minor(place) <= amount for place, amount in enumerate(amounts))
    assert 0 <= chosen.freight_minor <= freight
    assert chosen.total_minor == sum(taken.total_minor for taken in chosen.taken)
    assert clash([taken.candidate for taken in chosen.taken]) is None
    assert all(taken.total_minor > 0 for taken in chosen.taken)
    assert chosen.total_minor >= max((combined((one,), whole).total_minor for one in candidates), default=0)
    shuffled.shuffle(candidates)
    assert best(candidates, whole) == chosen
