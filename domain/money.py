"""Money and rates are integers: minor units (fen, cents) and basis points (10,000 bp = 1)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from domain.kernel import Refusal

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
    assert total >= 0, "there is nothing to split"
    assert weights, "there is nobody to split among"
    assert min(weights) >= 0, "no weight is negative"
    whole = sum(weights)
    if whole == 0:
        return (total,) + (0,) * (len(weights) - 1)
    parts = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-remainders[index], index))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return tuple(parts)


# How many decimals a currency's amounts have (ISO 4217), where it is not two.
_WITHOUT_DECIMALS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITH_THREE: Final = "BHD IQD JOD KWD LYD OMR TND"
_DECIMALS: Final = {str(code): 0 for code in _WITHOUT_DECIMALS.split()} | {str(code): 3 for code in _WITH_THREE.split()}


class AmountTooPrecise(Refusal):
    """An amount of money has more decimals than its currency. Details: `amount`, `currencyCode`, `decimalsMax`."""

    code = "AMOUNT_INVALID"
    text = "Amounts in {currencyCode} have at most {decimalsMax} decimals; this is {amount}."


def decimals(currency_code: str) -> int:
    """How many decimals amounts of a currency have: two, unless ISO 4217 says otherwise."""
    return _DECIMALS.get(currency_code, 2)


def minor_units(name: str, amount: Decimal, currency_code: str) -> int:
    """An amount in minor units, exactly. Refuses `AmountTooPrecise`, naming the field; bounds are checked later."""
    minor = amount.scaleb(decimals(currency_code))
    if minor != minor.to_integral_value():
        raise AmountTooPrecise(
            field=(name,), amount=str(amount), currencyCode=currency_code, decimalsMax=decimals(currency_code)
        )
    return int(minor)


def major_units(amount_minor: int, currency_code: str) -> Decimal:
    """An amount of minor units in major ones, with all the decimals of its currency: 19990 fen are 199.90."""
    return Decimal(amount_minor).scaleb(-decimals(currency_code))
