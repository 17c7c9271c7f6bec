"""Money and rates are integers: minor units (fen, cents) and basis points (10,000 bp = 1)."""

from collections.abc import Sequence

BASIS = 10_000
# Ten billion of a major unit: above any real purchase, and products with rates stay exact integers.
AMOUNT_MINOR_MAX = 10**12


def floor_ratio(value: int, numerator: int, denominator: int) -> int:
    """`value × numerator / denominator`, rounded down once: the one place where points are rounded (L6)."""
    assert denominator > 0, "a ratio has a positive denominator"
    return value * numerator // denominator


def shares(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split `total` by `weights` so that the parts sum to it exactly: the largest remainder method (L9).

    Ties go to the earlier part. With all weights zero the first part takes everything.
    """
    assert total >= 0 and weights and all(weight >= 0 for weight in weights), "nothing to split"
    whole = sum(weights)
    if whole == 0:
        return (total,) + (0,) * (len(weights) - 1)
    parts = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-remainders[index], index))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return tuple(parts)
