"""Whether what was drawn agrees with the odds: Pearson's chi-square and its p-value, in plain Python.

The p-value is the upper regularised incomplete gamma function Q(f/2, x/2), which the standard library lacks. It is
reckoned as everybody does: by the series of Abramowitz and Stegun 6.5.29 below a + 1, and above by the continued
fraction 6.5.31 with Lentz's method, as modified by Thompson and Barnett (J. Comput. Phys. 64, 1986).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

# Below so many expected draws a prize is counted together with the next rare ones: the usual rule of Cochran.
EXPECTED_MIN: Final = 5.0
_EPSILON: Final = 1e-15
_TINY: Final = 1e-300


@dataclass(frozen=True, slots=True)
class Cell:
    """How often something was expected, and how often it was drawn."""

    expected: float
    observed: int


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """The outcome: the sum of squares, its degrees of freedom, and how likely one at least as large is by chance alone.

    With fewer than two cells there is nothing to compare, and the p-value is 1.
    """

    statistic: float
    freedom: int
    p_value: float


def chi_square(cells: Iterable[Cell]) -> ChiSquare:
    """Compare what was drawn with what was expected. What cannot be and was drawn makes a p-value of 0."""
    told = tuple(cells)
    if any(cell.observed and not cell.expected for cell in told):
        return ChiSquare(math.inf, len(told) - 1, 0.0)
    pooled = _pooled([cell for cell in told if cell.expected])
    if len(pooled) < 2:
        return ChiSquare(0.0, 0, 1.0)
    statistic = math.fsum((cell.observed - cell.expected) ** 2 / cell.expected for cell in pooled)
    freedom = len(pooled) - 1
    return ChiSquare(statistic, freedom, upper_gamma(freedom / 2, statistic / 2))


def _pooled(cells: Sequence[Cell]) -> list[Cell]:
    """The cells with the rarest put together until each is expected often enough."""
    rising = sorted(cells, key=lambda cell: cell.expected)
    pooled: list[Cell] = []
    together = Cell(0.0, 0)
    for cell in rising:
        together = Cell(together.expected + cell.expected, together.observed + cell.observed)
        if together.expected >= EXPECTED_MIN:
            pooled.append(together)
            together = Cell(0.0, 0)
    if together.expected and pooled:
        last = pooled.pop()
        pooled.append(Cell(last.expected + together.expected, last.observed + together.observed))
    return pooled


def upper_gamma(a: float, x: float) -> float:
    """Q(a, x) = Γ(a, x) / Γ(a) for a > 0 and x ≥ 0."""
    assert a > 0, "the function has a pole at 0"
    assert x >= 0, "a sum of squares is not negative"
    if x == 0:
        return 1.0
    if math.isinf(x):
        return 0.0
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    return 1.0 - scale * _series(a, x) if x < a + 1 else scale * _fraction(a, x)


def _series(a: float, x: float) -> float:
    term = total = 1.0 / a
    over = a
    while abs(term) > abs(total) * _EPSILON:
        over += 1.0
        term *= x / over
        total += term
    return total


def _fraction(a: float, x: float) -> float:
    b = x + 1.0 - a
    c, d = 1.0 / _TINY, 1.0 / b
    value, change, step = d, 0.0, 0
    while abs(change - 1.0) > _EPSILON:
        step += 1
        term = -step * (step - a)
        b += 2.0
        d = 1.0 / _away_from_zero(term * d + b)
        c = _away_from_zero(b + term / c)
        change = c * d
        value *= change
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
