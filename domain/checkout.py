"""What an order will cost: the best vouchers, then points, then freight, in this order and to the minor unit (C1, C2).

Pure: the same cart, vouchers and points give the same quote. Whoever shows it signs it; when it is taken up, it
is reckoned again.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain import checks, money
from domain.offsets import Bill, Offsetting
from domain.vouchers import discounts, using
from domain.vouchers.discounts import Candidate, Cart, Combination

LINES_MAX: Final = 200
QUANTITY_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedLine:
    """A line of a quote: its amount, what vouchers take off of it, and what of the rest points cover."""

    number: int
    amount_minor: int
    discount_minor: int
    offset_minor: int
    points: int

    @property
    def paid_minor(self) -> int:
        """What of it is paid in money."""
        return self.amount_minor - self.discount_minor - self.offset_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What an order will cost. `points_max` is the most that may be chosen; any legal amount may."""

    lines: tuple[QuotedLine, ...]
    combination: Combination
    freight_minor: int
    points_max: int
    points: int
    offset_minor: int
    bill: Bill
    fingerprint: str
    expires_at: datetime

    @property
    def goods_minor(self) -> int:
        """All lines, before vouchers."""
        return sum(line.amount_minor for line in self.lines)

    @property
    def discount_minor(self) -> int:
        """What vouchers take off goods and freight."""
        return self.combination.total_minor

    @property
    def freight_discount_minor(self) -> int:
        """What vouchers take off the freight."""
        return self.combination.freight_minor

    @property
    def payable_minor(self) -> int:
        """What is left to be paid in money."""
        return self.bill.payable_minor - self.offset_minor


def fingerprint(cart: Cart, voucher_codes: Sequence[str]) -> str:
    """What tells one order from another: its lines, its freight and its vouchers."""
    told = [
        [[line.amount_minor, line.product_id, line.category, line.quantity] for line in cart.lines],
        cart.freight_minor,
        sorted(voucher_codes),
    ]
    return hashlib.sha256(json.dumps(told, ensure_ascii=True).encode()).hexdigest()


def check_cart(cart: Cart) -> Cart:
    """Refuses lines that are too many, and amounts and quantities that are out of bounds."""
    checks.number("lines", len(cart.lines), minimum=1, maximum=LINES_MAX)
    checks.amount("freight", cart.freight_minor)
    for line in cart.lines:
        checks.amount("lines.amount", line.amount_minor)
        checks.number("lines.quantity", line.quantity, minimum=1, maximum=QUANTITY_MAX)
    checks.amount("amount", cart.goods_minor + cart.freight_minor)
    return cart


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a member wants: these vouchers, or (None) the best of all; and so many points."""

    candidates: tuple[Candidate, ...] = ()
    is_best: bool = True
    points: int = 0


def quote(cart: Cart, choice: Choice, offsetting: Offsetting, now: datetime) -> Quote:
    """Reckon an order. Refuses what `using.together` and `Offsetting.checked` do, and a minimum that is not met."""
    combination = _chosen(cart, choice)
    goods = cart.goods_minor - sum(sum(taken.lines) for taken in combination.taken)
    freight = cart.freight_minor - combination.freight_minor
    bill = Bill(goods_minor=goods, payable_minor=goods + freight)
    offset = offsetting.checked(choice.points, bill)
    codes = [taken.candidate.code for taken in combination.taken]
    return Quote(
        lines=_lines(cart, combination, choice.points, offset),
        combination=combination,
        freight_minor=cart.freight_minor,
        points_max=offsetting.points_max(bill),
        points=choice.points,
        offset_minor=offset,
        bill=bill,
        fingerprint=fingerprint(cart, codes),
        expires_at=now + timedelta(minutes=offsetting.policy.quote_minutes),
    )


def _chosen(cart: Cart, choice: Choice) -> Combination:
    if choice.is_best:
        return discounts.best(choice.candidates, cart)
    for candidate in choice.candidates:
        using.require_minimum(candidate.terms, cart)
    return using.together(choice.candidates, cart)


def _lines(cart: Cart, combination: Combination, points: int, offset: int) -> tuple[QuotedLine, ...]:
    """Each line's part of points and of what they cover, by the largest remainder of what is left of it (L9)."""
    off = [combination.line_minor(place) for place in range(len(cart.lines))]
    left = [line.amount_minor - less for line, less in zip(cart.lines, off, strict=True)]
    offsets = money.shares(offset, left) if offset else (0,) * len(left)
    shares = money.shares(points, offsets) if points else (0,) * len(left)
    return tuple(
        QuotedLine(
            number=number,
            amount_minor=line.amount_minor,
            discount_minor=off[number - 1],
            offset_minor=offsets[number - 1],
            points=shares[number - 1],
        )
        for number, line in enumerate(cart.lines, start=1)
    )
