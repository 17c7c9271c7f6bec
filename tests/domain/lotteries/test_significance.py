"""The chi-square test against published values."""

import math

import pytest

from domain.lotteries import significance
from domain.lotteries.significance import Cell, ChiSquare, upper_gamma

# Quantiles of the chi-square distribution (Abramowitz and Stegun, table 26.8): degrees, value, probability above it.
TABLE = [
    (1, 3.84145882, 0.05),
    (1, 6.63489660, 0.01),
    (2, 5.99146455, 0.05),
    (5, 11.0704977, 0.05),
    (5, 0.55429808, 0.99),
    (10, 18.3070381, 0.05),
    (10, 29.5882984, 0.001),
    (30, 43.7729718, 0.05),
    (100, 124.342113, 0.05),
]


@pytest.mark.parametrize(("freedom", "value", "above"), TABLE)
def test_published_quantiles(freedom: int, value: float, above: float) -> None:
    assert upper_gamma(freedom / 2, value / 2) == pytest.approx(above, rel=1e-6)


@pytest.mark.parametrize("x", [0.001, 0.3, 1.0, 2.5, 9.0, 40.0])
def test_where_the_function_has_another_name(x: float) -> None:
    """Q(1/2, x) is erfc(√x), Q(1, x) is e^−x, and Q(a + 1, x) is Q(a, x) + x^a e^−x / Γ(a + 1)."""
    assert upper_gamma(0.5, x) == pytest.approx(math.erfc(math.sqrt(x)), rel=1e-12)
    assert upper_gamma(1.0, x) == pytest.approx(math.exp(-x), rel=1e-12)
    for a in (0.5, 1.5, 7.0):
        step = math.exp(a * math.log(x) - x - math.lgamma(a + 1))
        assert upper_gamma(a + 1, x) == pytest.approx(upper_gamma(a, x) + step, rel=1e-11)


def test_its_ends() -> None:
    assert upper_gamma(3.0, 0.0) == 1.0
    assert upper_gamma(3.0, math.inf) == 0.0
    # Beside one another where the series hands over to the fraction.
    assert upper_gamma(5.0, 5.999_999_999) == pytest.approx(upper_gamma(5.0, 6.000_000_001), rel=1e-8)


def test_a_fair_coin_and_a_bent_one() -> None:
    fair = significance.chi_square([Cell(50.0, 55), Cell(50.0, 45)])
    assert (fair.statistic, fair.freedom) == (1.0, 1)
    assert fair.p_value == pytest.approx(0.317310508)
    assert significance.chi_square([Cell(50.0, 80), Cell(50.0, 20)]).p_value < 1e-8


def test_rare_cells_are_counted_together() -> None:
    """Those expected fewer than five times, until they are."""
    cells = [Cell(90.0, 91), Cell(3.0, 1), Cell(2.0, 3), Cell(4.0, 4), Cell(1.0, 1)]
    # 1 + 2 + 3 make 6; 4 is left over and joins the last.
    pooled = significance.chi_square(cells)
    assert pooled.freedom == 1
    assert pooled.statistic == pytest.approx((5 - 6) ** 2 / 6 + (95 - 94) ** 2 / 94)


def test_nothing_to_compare_and_what_cannot_be() -> None:
    assert significance.chi_square([]) == ChiSquare(0.0, 0, 1.0)
    assert significance.chi_square([Cell(40.0, 40)]).p_value == 1.0
    assert significance.chi_square([Cell(40.0, 39), Cell(0.0, 1)]).p_value == 0.0
    assert significance.chi_square([Cell(2.0, 2), Cell(0.0, 0)]).p_value == 1.0
