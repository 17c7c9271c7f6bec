"""Money as the contract shows it."""

from decimal import Decimal
from typing import Any, NamedTuple

import strawberry

from api import scalars, shapes
from api.context import Info
from domain import money


class Shown(NamedTuple):
    """An amount with its currency."""

    amount: Decimal
    currency_code: str


@shapes.shape()
class Money:
    """An amount of money, with all the decimals of its currency."""

    amount: Decimal
    currency_code: scalars.CurrencyCode


def of(amount_minor: int, info: Info) -> Shown:
    """Minor units in the caller's program."""
    currency_code = info.context.caller.currency_code
    return Shown(money.major_units(amount_minor, currency_code), currency_code)


def field(attribute: str, *, name: str | None = None, description: str | None = None) -> Any:
    """A field that shows the minor units in an attribute; null if it holds none."""

    def resolve(parent: strawberry.Parent[object], info: Info) -> Any:
        amount_minor = getattr(parent, attribute)
        return None if amount_minor is None else of(amount_minor, info)

    return strawberry.field(resolver=resolve, name=name, description=description)
