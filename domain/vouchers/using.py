"""Vouchers in a purchase: used once, checked against what the shop took off, and what a refund does to them (C4)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from domain import checks
from domain.kernel import Refusal, Row, State
from domain.stores import Channel, Store
from domain.vouchers import commands, discounts
from domain.vouchers.discounts import Candidate, Cart, Combination
from domain.vouchers.template import RefundTerms, VoucherKind, VoucherTemplate, VoucherTerms
from domain.vouchers.voucher import (
    Voucher,
    VoucherMinimum,
    VouchersNotCombinable,
    VoucherState,
    VoucherWithoutEffect,
)

VOUCHERS_MAX: Final = 10


class DiscountMismatch(Refusal):
    """The shop took another amount off than the vouchers give. Details: `line` (0: freight), `expected`, `given`."""

    code = "DISCOUNT_MISMATCH"
    text = "The vouchers take {expected} minor units off line {line} (0 is the freight); {given} were taken off."


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The purchase that vouchers are used for."""

    member_id: UUID
    reference: str
    cart: Cart
    channel: Channel
    store: Store | None
    purchase_id: UUID


def use(
    state: State, told: Sequence[str], order: Order, given: Sequence[int], freight_given: int
) -> tuple[Voucher, ...]:
    """Use vouchers for an order whose lines are less by `given`, and whose freight by `freight_given`.

    The member's account must be locked. Refuses, voucher by voucher: `VoucherUnknown`, what makes it no
    good, `VoucherNotHere`, `VoucherMinimum`; then `VouchersNotCombinable`, `VoucherWithoutEffect` and
    `DiscountMismatch`.
    """
    checks.at_most("voucherCodes", told, VOUCHERS_MAX)
    found = [_usable(state, code, order) for code in dict.fromkeys(told)]
    candidates = [candidate for _, candidate in found]
    combination = together(candidates, order.cart)
    _require_same(combination, given, freight_given)
    off = {taken.candidate.id: taken.total_minor for taken in combination.taken}
    return tuple(
        replace(
            voucher,
            state=VoucherState.USED,
            locked_for=None,
            locked_until=None,
            due_at=None,
            purchase_id=order.purchase_id,
            used_at=state.now,
            used_channel=order.channel,
            used_store_id=None if order.store is None else order.store.id,
            discount_minor=off[voucher.id],
        )
        for voucher, _ in found
    )


def _usable(state: State, told: str, order: Order) -> tuple[Voucher, Candidate]:
    voucher = commands.find(state, told, order.member_id, field="voucherCodes")
    commands.require_good(voucher, state.now, order.reference, field="voucherCodes")
    template = state.get(VoucherTemplate, voucher.template_id)
    commands.require_here(template.terms, order.store, order.channel, field="voucherCodes")
    require_minimum(template.terms, order.cart)
    return voucher, candidate_of(voucher, template.terms)


def candidate_of(voucher: Voucher, terms: VoucherTerms) -> Candidate:
    """A voucher as the reckoning of discounts sees it."""
    return Candidate(id=voucher.id, code=voucher.code, terms=terms, expires_at=voucher.expires_at)


def require_minimum(terms: VoucherTerms, cart: Cart) -> None:
    """Refuses `VoucherMinimum`."""
    spent = discounts.spent(terms, cart)
    if spent < terms.minimum_minor:
        raise VoucherMinimum(field=("voucherCodes",), required=terms.minimum_minor, spent=spent)


def together(candidates: Sequence[Candidate], cart: Cart) -> Combination:
    """What vouchers take off, each of them. Refuses `VouchersNotCombinable` and `VoucherWithoutEffect`."""
    clash = discounts.clash(candidates)
    if clash is not None:
        one, other = clash
        raise VouchersNotCombinable(field=("voucherCodes",), voucher_code=one.code, other=other.code)
    combination = discounts.combined(candidates, cart)
    for taken in combination.taken:
        if not taken.total_minor:
            raise VoucherWithoutEffect(field=("voucherCodes",), voucher_code=taken.candidate.code)
    return combination


def _require_same(combination: Combination, given: Sequence[int], freight_given: int) -> None:
    pairs = [(combination.freight_minor, freight_given)]
    pairs.extend((combination.line_minor(place), told) for place, told in enumerate(given))
    for line, (expected, told) in enumerate(pairs):
        if expected != told:
            raise DiscountMismatch(field=("lines", "discount"), line=line, expected=expected, given=told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What remains of a purchase's lines after refunds: before vouchers, and what vouchers had taken off of it."""

    cart: Cart
    discount_minor: int


def lost_discount(state: State, voucher_ids: Sequence[UUID], rest: Rest) -> int:
    """What the rest of a purchase would have cost more without vouchers whose minimum it no longer meets (C4).

    Nothing remains, nothing is lost. Only vouchers whose terms say REDUCE count; their own part of the
    rest's discount is shared as it was frozen.
    """
    if not rest.cart.goods_minor:
        return 0
    vouchers = [state.get(Voucher, voucher_id) for voucher_id in voucher_ids]
    whole = sum(voucher.discount_minor for voucher in vouchers)
    lost = 0
    for voucher in vouchers:
        terms = state.get(VoucherTemplate, voucher.template_id).terms
        is_kept = terms.refund_terms is RefundTerms.KEEP or terms.kind is VoucherKind.FREE_SHIPPING
        if not is_kept and discounts.spent(terms, rest.cart) < terms.minimum_minor:
            lost += rest.discount_minor * voucher.discount_minor // whole if whole else 0
    return lost


def give_back(state: State, voucher_ids: Sequence[UUID], now: datetime, time_zone: str) -> tuple[Row, ...]:
    """The vouchers of a purchase that was refunded whole, good again or lost by their terms (C4)."""
    back: list[Row] = []
    for voucher_id in voucher_ids:
        voucher = state.get(Voucher, voucher_id)
        if voucher.state is VoucherState.USED:
            terms = state.get(VoucherTemplate, voucher.template_id).terms
            back.append(commands.returned(voucher, terms, now, time_zone))
    return tuple(back)
