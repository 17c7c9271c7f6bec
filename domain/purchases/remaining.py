"""What remains of a purchase after refunds, and what that earns by the rules of its own time (L7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.earning import evaluation, rule_sets
from domain.earning.facts import Earned, Occasion
from domain.kernel import State
from domain.purchases.purchase import Purchase, PurchaseLine, facts_of, occasion_of
from domain.values import changed


class RefundedLine(Protocol):
    """What was refunded of one line, in minor units of its value, and what of that points had covered."""

    @property
    def number(self) -> int: ...
    @property
    def amount_minor(self) -> int: ...
    @property
    def offset_minor(self) -> int: ...


class Refunded(Protocol):
    """A refund, as far as it says what remains."""

    @property
    def lines(self) -> Sequence[RefundedLine]: ...
    @property
    def freight_minor(self) -> int: ...


def refunded_by_line(refunds: Sequence[Refunded]) -> dict[int, int]:
    """What was refunded of each line, in minor units, by its number."""
    refunded: dict[int, int] = {}
    for refund in refunds:
        for line in refund.lines:
            refunded[line.number] = refunded.get(line.number, 0) + line.amount_minor
    return refunded


def _kept(purchase: Purchase, refunds: Sequence[Refunded]) -> tuple[PurchaseLine, ...]:
    """The lines with what remains of them after refunds: in money, in points, and in items."""
    value = refunded_by_line(refunds)
    offset: dict[int, int] = {}
    for refund in refunds:
        for line in refund.lines:
            offset[line.number] = offset.get(line.number, 0) + line.offset_minor
    return tuple(_less(line, value.get(line.number, 0), offset.get(line.number, 0)) for line in purchase.lines)


def _less(line: PurchaseLine, value_minor: int, offset_minor: int) -> PurchaseLine:
    rest = line.amount_minor - value_minor
    # A refund tells money and no items: as many are gone as it paid for in full, so that a discount takes none.
    quantity = -(-line.quantity * rest // line.amount_minor) if line.amount_minor else line.quantity
    return changed(line, amount_minor=rest, offset_minor=line.offset_minor - offset_minor, quantity=quantity)


@dataclass(frozen=True, slots=True)
class Rest:
    """What remains of a purchase after some refunds: its lines, as its rules look at them, and what that earns."""

    lines: tuple[PurchaseLine, ...]
    occasion: Occasion
    earned: tuple[Earned, ...]


def rest_of(state: State, purchase: Purchase, refunds: Sequence[Refunded], time_zone: str) -> Rest:
    """What remains earns by the version, the facts and the room of the purchase (L7)."""
    if not refunds:
        lines, freight = purchase.lines, purchase.freight_minor
    else:
        lines = _kept(purchase, refunds)
        freight = purchase.freight_minor - sum(refund.freight_minor for refund in refunds)
    occasion = occasion_of(purchase, time_zone, lines, freight)
    if not refunds:
        return Rest(lines, occasion, purchase.earned)
    rules = rule_sets.ready(rule_sets.of_version(state, purchase.rule_version))
    return Rest(lines, occasion, evaluation.again(rules, occasion, facts_of(purchase), purchase.earned))
