"""Rounding in one place, splitting exactly, and minor units (L6, L9)."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import money

WEIGHTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("value", "numerator", "denominator", "floored"),
    [
        (19_990, 1, 100, 199),
        (19_990, 1, 1_000, 19),
        (19_990, 20_000, 10_000_000, 39),
        (0, 5, 7, 0),
        (10**12, 10**9, 1, 10**21),
    ],
)
def test_l6_one_ratio_is_floored_once(value: int, numerator: int, denominator: int, floored: int) -> None:
    assert money.floor_ratio(value, numerator, denominator) == floored


@given(st.integers(0, 10**12), st.integers(0, 10**9), st.integers(1, 10**9))
def test_l6_the_ratio_is_exact_and_less_than_one_short(value: int, numerator: int, denominator: int) -> None:
    exact = Fraction(value * numerator, denominator)
    assert 0 <= exact - money.floor_ratio(value, numerator, denominator) < 1


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, (1, 1, 1), (34, 33, 33)),
        (500, (333, 333, 334), (167, 166, 167)),
        (2, (1, 1, 1), (1, 1, 0)),
        (10, (0, 5, 0), (0, 10, 0)),
        (7, (0, 0), (7, 0)),
        (0, (3, 4), (0, 0)),
    ],
)
def test_l9_shares_go_by_largest_remainder_ties_to_the_earlier(
    total: int, weights: tuple[int, ...], parts: tuple[int, ...]
) -> None:
    assert money.shares(total, weights) == parts


@given(st.integers(0, 10**9), WEIGHTS)
def test_l9_shares_sum_exactly_and_each_is_within_one_of_its_exact_share(total: int, weights: list[int]) -> None:
    parts = money.shares(total, weights)
    assert sum(parts) == total
    assert min(parts) >= 0
    if whole := sum(weights):
        exact = [Fraction(total * weight, whole) for weight in weights]
        assert all(abs(part - share) < 1 for part, share in zip(parts, exact, strict=True))
        assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


@given(WEIGHTS.filter(any), st.integers(0, 100))
def test_l9_no_share_is_more_than_its_weight_when_the_total_is_not(weights: list[int], percent: int) -> None:
    parts = money.shares(sum(weights) * percent // 100, weights)
    assert all(part <= weight for part, weight in zip(parts, weights, strict=True))


@given(st.integers(0, 10**6), WEIGHTS.filter(any))
def test_l9_a_larger_weight_never_gets_less(total: int, weights: list[int]) -> None:
    ranked = sorted(zip(weights, money.shares(total, weights), strict=True))
    assert [part for _, part in ranked] == sorted(part for _, part in ranked)


@pytest.mark.parametrize(("total", "weights"), [(-1, (1,)), (1, ()), (1, (-1, 2))])
def test_only_a_bug_splits_nothing_or_less(total: int, weights: tuple[int, ...]) -> None:
    with pytest.raises(AssertionError):
        money.shares(total, weights)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("199.90", "CNY", 19_990),
        ("1990", "JPY", 1_990),
        ("1.234", "KWD", 1_234),
        ("-0.01", "CNY", -1),
        ("5.000", "JPY", 5),
    ],
)
def test_amounts_are_minor_units_of_their_currency(amount: str, currency: str, minor: int) -> None:
    assert money.minor_units("amount", Decimal(amount), currency) == minor
    assert money.major_units(minor, currency) == Decimal(amount)


def test_an_amount_with_more_decimals_than_its_currency_is_refused_and_not_rounded() -> None:
    with pytest.raises(money.AmountTooPrecise) as refused:
        money.minor_units("freight", Decimal("0.001"), "CNY")
    assert refused.value.details == {"amount": "0.001", "currencyCode": "CNY", "decimalsMax": 2}
    assert refused.value.field == ("freight",)
