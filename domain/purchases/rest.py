"""What remains of a purchase after refunds, and what that means for its vouchers (C4)."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain import money
from domain.kernel import Row, State
from domain.purchases.purchase import Purchase
from domain.vouchers import using
from domain.vouchers.discounts import Cart, CartLine


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundLine:
    """What was refunded of a line: value, the part of it that points had covered, and the points that came back."""

    number: int
    amount_minor: int
    offset_minor: int
    points: int


def part(whole: int, before: int, after: int, amount: int) -> int:
    """What falls to the step from `before` to `after` of `amount`, so that all steps together are the whole."""
    return money.floor_ratio(whole, after, amount) - money.floor_ratio(whole, before, amount)


def discount_lost(state: State, purchase: Purchase, refunded: Mapping[int, int], cash: int, taken_off: int) -> int:
    """How much less money is given back because of vouchers whose minimum the rest no longer meets (C4).

    Cumulative, like the clawback: what is lost now, less what earlier refunds took off, which comes back when
    nothing is lost any more; and no more than the `cash` there is. `refunded` is by line, this refund included.
    """
    if not purchase.voucher_ids:
        return 0
    return min(cash, using.lost_discount(state, purchase.voucher_ids, _rest(purchase, refunded)) - taken_off)


def _rest(purchase: Purchase, refunded: Mapping[int, int]) -> using.Rest:
    """What remains of the lines, before vouchers, and what vouchers had taken off of it."""
    lines: list[CartLine] = []
    discount = 0
    for line in purchase.lines:
        after = refunded.get(line.number, 0)
        kept = line.amount_minor - after
        off = line.discount_minor - part(line.discount_minor, 0, after, line.amount_minor) if kept else 0
        discount += off
        lines.append(CartLine(amount_minor=kept + off, product_id=line.product_id, category=line.category))
    return using.Rest(cart=Cart(lines=tuple(lines)), discount_minor=discount)


def vouchers_back(state: State, purchase: Purchase, time_zone: str) -> tuple[Row, ...]:
    """The vouchers of a purchase of which nothing remains, as they are now (C4)."""
    if purchase.refunded_minor < purchase.amount_minor:
        return ()
    return using.give_back(state, purchase.voucher_ids, state.now, time_zone)
