"""What vouchers take off a cart, and the best of them: pure, exact to the minor unit, and the same every time (C2, C3).

A cart's amounts are after the shop's own promotions and before vouchers. Vouchers are taken off one after the
other: items, amounts, percentages, shipping, and within a kind by id; each of what those before left. What a
voucher asks for at least is measured before any of them.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from domain import money
from domain.vouchers.template import VoucherKind, VoucherTerms

# The search is bounded: so many of each stack group that give most, of so many groups, are tried together.
GROUPS_MAX: Final = 4
GROUP_VOUCHERS_MAX: Final = 3
CANDIDATES_MAX: Final = 100

_ORDER: Final = {
    VoucherKind.ITEM: 0,
    VoucherKind.AMOUNT_OFF: 1,
    VoucherKind.PERCENT_OFF: 2,
    VoucherKind.FREE_SHIPPING: 3,
    VoucherKind.GIFT_CARD: 4,
}
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class CartLine:
    """A line of a cart, after the shop's own promotions and before vouchers."""

    amount_minor: int
    product_id: str | None = None
    category: str | None = None
    quantity: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """What is about to be bought."""

    lines: tuple[CartLine, ...]
    freight_minor: int = 0

    @property
    def goods_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A voucher that may be used: who it is, what it gives, and when it expires."""

    id: UUID
    code: str
    terms: VoucherTerms
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one voucher takes off: of each line, and of the freight."""

    candidate: Candidate
    lines: tuple[int, ...]
    freight_minor: int = 0

    @property
    def total_minor(self) -> int:
        return sum(self.lines) + self.freight_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """Vouchers used together, in the order in which they are taken off."""

    taken: tuple[Taken, ...] = ()

    @property
    def total_minor(self) -> int:
        return sum(taken.total_minor for taken in self.taken)

    @property
    def freight_minor(self) -> int:
        return sum(taken.freight_minor for taken in self.taken)

    def line_minor(self, index: int) -> int:
        """What is taken off a line in all."""
        return sum(taken.lines[index] for taken in self.taken)


def covered(terms: VoucherTerms, cart: Cart) -> tuple[int, ...]:
    """The places of the lines that a voucher covers."""
    scope = terms.scope
    return tuple(place for place, line in enumerate(cart.lines) if scope.covers(line.product_id, line.category))


def spent(terms: VoucherTerms, cart: Cart) -> int:
    """What is bought of what a voucher covers, before any voucher."""
    return sum(cart.lines[place].amount_minor for place in covered(terms, cart))


def combined(candidates: Iterable[Candidate], cart: Cart) -> Combination:
    """What vouchers take off together. One whose minimum is not met, or that finds nothing left, takes off nothing."""
    left = [line.amount_minor for line in cart.lines]
    freight = cart.freight_minor
    taken: list[Taken] = []
    for candidate in sorted(candidates, key=lambda one: (_ORDER[one.terms.kind], one.id.int)):
        lines, off_freight = _taken(candidate.terms, cart, left, freight)
        left = [amount - off for amount, off in zip(left, lines, strict=True)]
        freight -= off_freight
        taken.append(Taken(candidate=candidate, lines=lines, freight_minor=off_freight))
    return Combination(taken=tuple(taken))


def _taken(terms: VoucherTerms, cart: Cart, left: Sequence[int], freight: int) -> tuple[tuple[int, ...], int]:
    nothing = (0,) * len(left)
    places = covered(terms, cart)
    if not places or spent(terms, cart) < terms.minimum_minor:
        return nothing, 0
    if terms.kind is VoucherKind.FREE_SHIPPING:
        return nothing, _capped(freight, terms.cap_minor)
    if terms.kind is VoucherKind.ITEM:
        return _item(cart, left, places), 0
    rest = sum(left[place] for place in places)
    off = {
        VoucherKind.AMOUNT_OFF: min(terms.amount_minor, rest),
        VoucherKind.PERCENT_OFF: _capped(money.floor_ratio(rest, terms.percent_bp, money.BASIS), terms.cap_minor),
    }.get(terms.kind, 0)
    shares = money.shares(off, [left[place] for place in places])
    by_place = dict(zip(places, shares, strict=True))
    return tuple(by_place.get(place, 0) for place in range(len(left))), 0


def _capped(amount: int, cap: int | None) -> int:
    return amount if cap is None else min(amount, cap)


def _item(cart: Cart, left: Sequence[int], places: Sequence[int]) -> tuple[int, ...]:
    """One unit of the dearest line; of equally dear ones, the first."""
    units = {place: left[place] // cart.lines[place].quantity for place in places}
    dearest = max(places, key=lambda place: (units[place], -place))
    return tuple(units[dearest] if place == dearest else 0 for place in range(len(left)))


def clash(candidates: Sequence[Candidate]) -> tuple[Candidate, Candidate] | None:
    """Two vouchers that are not used together: one is not combinable, or both are of one group. None if all are."""
    for one, other in itertools.combinations(candidates, 2):
        are_combinable = one.terms.is_combinable and other.terms.is_combinable
        if not are_combinable or one.terms.stack_group == other.terms.stack_group:
            return one, other
    return None


def best(candidates: Sequence[Candidate], cart: Cart) -> Combination:
    """The combination that takes off most; then of the fewest vouchers, those that expire soonest, and by id (C3).

    Bounded: tried are every voucher alone, and together the best three of each of the best four groups.
    """
    alone = {one.id: combined((one,), cart) for one in candidates}
    useful = [one for one in candidates if alone[one.id].total_minor]
    tried = [alone[one.id] for one in useful]
    tried.extend(combined(several, cart) for several in _together(useful, alone))
    return min(tried, key=_rank, default=Combination())


def _rank(combination: Combination) -> tuple[int, int, list[tuple[datetime, int]]]:
    used = sorted((taken.candidate.expires_at or _NEVER, taken.candidate.id.int) for taken in combination.taken)
    return -combination.total_minor, len(used), used


def _together(useful: Sequence[Candidate], alone: dict[UUID, Combination]) -> Iterator[tuple[Candidate, ...]]:
    """Sets of at least two combinable vouchers, one of each group at most."""
    groups: dict[str, list[Candidate]] = defaultdict(list)
    for one in sorted(useful, key=lambda one: _rank(alone[one.id])):
        if one.terms.is_combinable and len(groups[one.terms.stack_group]) < GROUP_VOUCHERS_MAX:
            groups[one.terms.stack_group].append(one)
    # A dictionary keeps the order in which the groups came: the one with the best voucher first.
    chosen = [group for group in groups.values() if group][:GROUPS_MAX]
    for picks in itertools.product(*([None, *group] for group in chosen)):
        several = tuple(one for one in picks if one is not None)
        if len(several) > 1:
            yield several
