"""What pays an order beside money: vouchers, then points (C2), and what its store and channel let it earn."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain import calendars, checkout, offsets, trade
from domain.kernel import Event, Refusal, Row, State
from domain.points.posting import Posting
from domain.stores import Channel, Store
from domain.vouchers import using
from domain.vouchers.discounts import Cart, CartLine
from domain.vouchers.voucher import Voucher, VoucherChanged


class OffsetInvalid(Refusal):
    """Points cover more than the goods cost, or the hold is another member's. Details: `offset`, `goods`."""

    code = "OFFSET_INVALID"
    text = "Points may cover at most the goods, {goods} minor units, from a hold of the same member; this is {offset}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """Points used as money: a hold to capture whole, and the money it covers."""

    hold_id: UUID
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line as the shop tells it."""

    amount_minor: int
    product_id: str | None = None
    name: str | None = None
    category: str | None = None
    quantity: int = 1
    earns: bool = True
    # What vouchers took off; the amount is what was left.
    discount_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """An order as it is told, and what is to pay it."""

    reference: str
    lines: tuple[Line, ...]
    freight_minor: int
    freight_discount_minor: int
    voucher_codes: tuple[str, ...]
    offset: Offset | None
    offset_id: UUID | None
    store: Store | None
    channel: Channel

    @property
    def goods_minor(self) -> int:
        """All lines, after vouchers."""
        return sum(line.amount_minor for line in self.lines)

    @property
    def cart(self) -> Cart:
        """The order before vouchers."""
        lines = tuple(
            CartLine(
                amount_minor=line.amount_minor + line.discount_minor,
                product_id=line.product_id,
                category=line.category,
                quantity=line.quantity,
            )
            for line in self.lines
        )
        return Cart(lines=lines, freight_minor=self.freight_minor + self.freight_discount_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What vouchers and points paid: the vouchers used, the points captured, and the rows to save."""

    means: Means
    purchase_id: UUID
    vouchers: tuple[Voucher, ...] = ()
    points: int = 0
    offset_minor: int = 0
    spending_id: UUID | None = None
    rows: tuple[Row, ...] = ()

    @property
    def events(self) -> tuple[Event, ...]:
        return tuple(
            VoucherChanged(member_id=row.member_id, voucher_id=row.id, state=row.state) for row in self.vouchers
        )


def settle(state: State, posting: Posting, means: Means, purchase_id: UUID) -> Settled:
    """Use the vouchers and capture the points of an order. Refuses what each of them does, vouchers first."""
    vouchers = _use(state, posting, means, purchase_id)
    offset, kept = _offset(state, posting, means, purchase_id)
    if offset is None:
        return Settled(means=means, purchase_id=purchase_id, vouchers=vouchers, rows=vouchers)
    hold = posting.find_hold(offset.hold_id)
    if hold.member_id != posting.account.id or not 0 < offset.amount_minor <= means.goods_minor:
        raise OffsetInvalid(field=("offset",), offset=offset.amount_minor, goods=means.goods_minor)
    _, transaction = posting.capture(hold, hold.amount)
    today = calendars.local_date(state.now, posting.program.time_zone)
    limited = trade.redeem(state, means.store, means.channel, hold.amount, today)
    return Settled(
        means=means,
        purchase_id=purchase_id,
        vouchers=vouchers,
        points=hold.amount,
        offset_minor=offset.amount_minor,
        spending_id=transaction.id,
        rows=(*vouchers, *kept, *limited),
    )


def _use(state: State, posting: Posting, means: Means, purchase_id: UUID) -> tuple[Voucher, ...]:
    given = [line.discount_minor for line in means.lines]
    if not means.voucher_codes and not any(given) and not means.freight_discount_minor:
        return ()
    order = using.Order(
        member_id=posting.account.id,
        reference=means.reference,
        cart=means.cart,
        channel=means.channel,
        store=means.store,
        purchase_id=purchase_id,
    )
    return using.use(state, means.voucher_codes, order, given, means.freight_discount_minor)


def _offset(state: State, posting: Posting, means: Means, purchase_id: UUID) -> tuple[Offset | None, tuple[Row, ...]]:
    """The hold to capture with the money it covers: as it is told, or as it was quoted for this very order."""
    if means.offset_id is None:
        return means.offset, ()
    order = offsets.Order(
        fingerprint=checkout.fingerprint(means.cart, means.voucher_codes),
        reference=means.reference,
        store_id=None if means.store is None else means.store.id,
        channel=means.channel,
    )
    hold, offset = offsets.take(state, posting, means.offset_id, order, purchase_id)
    return Offset(hold_id=hold.id, amount_minor=offset.amount_minor), (offset,)


def room(state: State, posting: Posting, means: Means, occurred_at: datetime) -> trade.Room:
    """What a purchase may earn at its store and in its channel."""
    return trade.earning_room(state, means.store, means.channel, occurred_at, posting.program.time_zone)
