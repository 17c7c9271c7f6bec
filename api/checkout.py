"""What an order will cost: the quote for a cart, with the best vouchers or those chosen, and points as money."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import strawberry

from api import access, ids, inputs, moneys, payloads, scalars, shapes
from api.context import Context, Info
from api.inputs import MemberRefInput, MoneyInput
from api.moneys import Money
from api.quotes import Quoted
from api.rewards import standings
from api.vouchers.voucher import Voucher
from domain import calendars, checkout, checks, codes, stores
from domain.access import Scope
from domain.checkout import Choice
from domain.kernel import NotFound, Refusal
from domain.offsets import Offsetting
from domain.stores import Channel, StoreClosed
from domain.vouchers import commands, discounts, template, using, voucher
from domain.vouchers.discounts import Candidate, Cart, CartLine
from domain.vouchers.voucher import VoucherUnknown
from persistence import offsets as stored_offsets
from persistence import rows
from persistence import trade as stored_trade
from persistence import vouchers as stored

_PERSONAL: Final = access.staff_or_member(Scope.MEMBERS_READ)


@shapes.shape()
class CheckoutLine:
    """A line of a quote: what vouchers take off of it, and what of the rest points cover."""

    number: int
    amount: Money = moneys.field("amount_minor")
    discount: Money = moneys.field("discount_minor")
    offset: Money = moneys.field("offset_minor")
    points: scalars.Points
    paid: Money = moneys.field("paid_minor", description="What of it is paid in money.")


def _voucher(parent: strawberry.Parent[discounts.Taken], info: Info) -> Any:
    return info.context.loaders.row(voucher.Voucher, parent.candidate.id)


@shapes.shape()
class CheckoutVoucher:
    """A voucher of a quote, in the order in which they are taken off, and what it takes off."""

    voucher: Voucher = strawberry.field(resolver=_voucher)
    discount: Money = moneys.field("total_minor")


def _vouchers(parent: strawberry.Parent[checkout.Quote]) -> list[CheckoutVoucher]:
    return [shapes.shown(taken) for taken in parent.combination.taken]


@shapes.shape()
class CheckoutQuote:
    """What an order will cost. Vouchers come off first, then points, then the freight is added.

    Tell `purchaseRecord` each line's amount less its discount, the discount with it, and the same voucher codes.
    """

    lines: list[CheckoutLine]
    vouchers: list[CheckoutVoucher] = strawberry.field(resolver=_vouchers)
    goods: Money = moneys.field("goods_minor", description="All lines, before vouchers.")
    discount: Money = moneys.field("discount_minor", description="What vouchers take off goods and freight.")
    freight: Money = moneys.field("freight_minor", description="Before vouchers.")
    freight_discount: Money = moneys.field("freight_discount_minor")
    points_max: scalars.Points = strawberry.field(description="The most points that may be chosen.")
    points: scalars.Points
    offset: Money = moneys.field("offset_minor", description="What the points are worth.")
    payable: Money = moneys.field("payable_minor", description="What is left to be paid in money.")
    expires_at: datetime = strawberry.field(description="The first instant at which the token is no longer taken.")


@shapes.shape()
class CheckoutQuotePayload(payloads.Payload):
    """The quote, and the token by which its points are held; or why there is none."""

    quote: CheckoutQuote | None = None
    token: str | None = None


@shapes.given()
class CheckoutLineInput:
    """A line of a cart: its value after the shop's own promotions and before vouchers."""

    amount: MoneyInput
    product_id: str | None = None
    category: str | None = None
    quantity: int = 1

    def line(self, context: Context) -> CartLine:
        """The line for the domain. Refuses another currency than the program's."""
        return CartLine(
            amount_minor=self.amount.minor(context, "lines.amount"),
            product_id=self.product_id,
            category=self.category,
            quantity=self.quantity,
        )


@shapes.given()
class CheckoutQuoteInput:
    """A cart, and what is to pay it beside money. A member leaves `member` out and asks for itself.

    Without `voucherCodes` the best of the member's vouchers are chosen; an empty list chooses none. `reference` is the
    order's number, for which vouchers may be locked already. Points are held for an order with that number, at that
    store and in that channel, where they are told; without a channel the quote is for ONLINE.
    """

    member: MemberRefInput | None = None
    lines: list[CheckoutLineInput] = inputs.bounded(checkout.LINES_MAX)
    freight: MoneyInput | None = None
    voucher_codes: list[str] | None = inputs.bounded(using.VOUCHERS_MAX, default=None)
    points: scalars.Points = scalars.Points(0)
    reference: str | None = None
    channel: Channel | None = None
    store_id: strawberry.ID | None = None

    @property
    def place(self) -> Channel:
        """The channel that the order is quoted for."""
        return self.channel or Channel.ONLINE

    def cart(self, context: Context) -> Cart:
        """The cart for the domain. Refuses amounts and quantities that are out of bounds."""
        freight = 0 if self.freight is None else self.freight.minor(context, "freight")
        return checkout.check_cart(Cart(lines=tuple(line.line(context) for line in self.lines), freight_minor=freight))


@shapes.shape()
class CheckoutQueries:
    """What can be asked before an order is paid."""

    @access.field(_PERSONAL)
    async def checkout_quote(self, info: Info, input: CheckoutQuoteInput) -> CheckoutQuotePayload:  # noqa: A002
        """What an order will cost, with the best combination of the member's vouchers or those that are chosen.

        The same question gives the same answer; nothing is kept or changed.
        """
        return await payloads.answered(CheckoutQuotePayload, _quoted(info.context, input))


async def _quoted(context: Context, given: CheckoutQuoteInput) -> CheckoutQuotePayload:
    inputs.check(context, given)
    cart = given.cart(context)
    reference = checks.optional_text("reference", given.reference, length_max=100)
    who = await standings.somebody(context, given.member)
    if who is None:
        raise NotFound(field=("member",), kind="Member", key="")
    store = await _store(context, given.store_id)
    candidates = await _candidates(context, who.id, given, store)
    account = who.standing.account
    program = await context.loaders.program()
    offsetting = Offsetting(
        policy=await stored_offsets.policy(context.caller.program_id),
        point_value_bp=program.point_value_bp,
        available=0 if account.debt else account.available,
        redeemable=await stored_trade.redeemable(
            program.id, calendars.local_date(context.now, program.time_zone), store, given.place
        ),
    )
    choice = Choice(candidates=tuple(candidates), is_best=given.voucher_codes is None, points=given.points)
    quote = checkout.quote(cart, choice, offsetting, context.now)
    quoted = Quoted(
        id=uuid4(),
        program_id=context.caller.program_id,
        member_id=who.id,
        fingerprint=quote.fingerprint,
        points=quote.points,
        amount_minor=quote.offset_minor,
        bill=quote.bill,
        expires_at=quote.expires_at,
        reference=reference,
        store_id=None if store is None else store.id,
        channel=given.channel,
    )
    return CheckoutQuotePayload(quote=shapes.shown(quote), token=context.backend.quotes.signed(quoted))


async def _store(context: Context, store_id: strawberry.ID | None) -> stores.Store | None:
    key = ids.optional("Store", store_id, "storeId")
    if key is None:
        return None
    store = await context.loaders.row(stores.Store, key)
    if store is None:
        raise NotFound(field=("storeId",), kind="Store", key=str(key))
    if store.is_closed:
        raise StoreClosed(field=("storeId",), storeCode=store.code)
    return store


async def _candidates(
    context: Context, member_id: UUID, given: CheckoutQuoteInput, store: stores.Store | None
) -> list[Candidate]:
    """The vouchers to choose from, or those that are chosen. Refuses one of the latter that is no good here."""
    program_id, now = context.caller.program_id, context.now
    if given.voucher_codes is None:
        found = await stored.good_of(program_id, member_id, now, discounts.CANDIDATES_MAX)
    else:
        found = await _chosen(program_id, member_id, given.voucher_codes)
    templates = await context.loaders.rows(template.VoucherTemplate, [one.template_id for one in found])
    candidates: list[Candidate] = []
    for one, kept in zip(found, templates, strict=True):
        assert kept is not None, "a voucher has a template"
        try:
            commands.require_good(commands.as_of(one, now), now, given.reference, field="voucherCodes")
            commands.require_here(kept.terms, store, given.place, field="voucherCodes")
        except Refusal:
            if given.voucher_codes is not None:
                raise
            continue
        candidates.append(using.candidate_of(one, kept.terms))
    return candidates


async def _chosen(program_id: UUID, member_id: UUID, told: Sequence[str]) -> list[voucher.Voucher]:
    """The member's vouchers of these codes, as they were told. Refuses a code of none of them."""
    asked = {given: codes.find(given) for given in told}
    found = await rows.by_keys(voucher.Voucher, program_id, "code", {code for code in asked.values() if code})
    chosen: list[voucher.Voucher] = []
    for given, code in asked.items():
        one = found.get(code)
        if one is None or one.member_id != member_id:
            raise VoucherUnknown(field=("voucherCodes",), voucher_code=given[: codes.CODE_MAX])
        chosen.append(one)
    return chosen
