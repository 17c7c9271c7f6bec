"""Purchases: what is shown of one, how one is found, and how one is recorded and confirmed."""

from datetime import datetime
from typing import Annotated, Any, Final, Self

import strawberry

from api import access, connections, explanations, identities, ids, inputs, moneys, payloads, scalars, shapes
from api.connections import Connection
from api.context import Context, Info
from api.explanations import Explanation
from api.identities import IDENTITIES, IdentityInput
from api.inputs import MemberRefInput, MoneyInput
from api.members import Member
from api.moneys import Money
from api.stores import Store
from api.tiers import Tier
from domain import checks, members, stores
from domain.access import Scope
from domain.identities import TOLD_MAX
from domain.kernel import Refusal
from domain.purchases import paying, purchase, recording
from domain.purchases import refund as refunding
from domain.stores import Channel
from domain.tiers import tier as tiers
from domain.vouchers import using
from domain.vouchers.voucher import Voucher
from persistence import purchases as stored

ROWS_MAX: Final = 500

# Refunds and vouchers know purchases, so they can be named here only by where they will be.
LaterRefund = Annotated["Refund", strawberry.lazy("api.purchases.refund")]  # type: ignore[name-defined]  # noqa: F821
LaterVoucher = Annotated["Voucher", strawberry.lazy("api.vouchers.voucher")]

_STAFF: Final = access.staff(Scope.MEMBERS_READ)
_PERSONAL: Final = access.staff_or_member(Scope.MEMBERS_READ)
_WRITES: Final = access.staff(Scope.PURCHASES_WRITE)


@shapes.shape()
class PurchaseLine:
    """A line of a purchase. Part of its amount may have been covered by points (`offset`)."""

    number: int
    product_id: str | None
    name: str | None
    category: str | None
    quantity: int
    amount: Money = moneys.field("amount_minor", description="After discounts, before points were used as money.")
    earns: bool
    offset: Money = moneys.field("offset_minor")
    points: scalars.Points = strawberry.field(description="Spent on this line.")
    discount: Money = moneys.field("discount_minor", description="What vouchers took off before.")


async def _vouchers(parent: strawberry.Parent[purchase.Purchase], info: Info) -> Any:
    return [await info.context.loaders.row(Voucher, voucher_id) for voucher_id in parent.voucher_ids]


async def _explanation(parent: strawberry.Parent[purchase.Purchase], info: Info) -> Any:
    return await explanations.of_purchase(info.context, parent)


@shapes.shape(purchase.Purchase)
class Purchase(shapes.Node):
    """An order paid at a store, with what it earned, and under which rules, tier and multiplier."""

    member: Member = shapes.linked(members.Member, "member_id")
    external_id: str = strawberry.field(description="The shop's order number, unique in the program.")
    store: Store | None = shapes.linked(stores.Store, "store_id")
    channel: Channel
    amount: Money = moneys.field("amount_minor", description="All lines and freight, after discounts and vouchers.")
    freight: Money = moneys.field("freight_minor")
    offset: Money = moneys.field("offset_minor", description="What of the amount was covered by points.")
    lines: list[PurchaseLine]
    discount: Money = moneys.field("discount_minor", description="What vouchers took off goods and freight before.")
    vouchers: list[LaterVoucher] = strawberry.field(resolver=_vouchers, description="The vouchers that were used.")
    points_spent: scalars.Points
    points_earned: scalars.Points
    tier: Tier | None = shapes.linked(tiers.Tier, "tier_id")
    multiplier_bp: scalars.BasisPoints
    discount_bp: scalars.BasisPoints = strawberry.field(description="The tier's discount then.")
    rule_version: int
    explanation: Explanation = strawberry.field(
        resolver=_explanation, description="Which rules gave its points, by which inputs, and which did not and why."
    )
    refunded: Money = moneys.field("refunded_minor", description="What of the amount was refunded so far.")
    points_clawed: scalars.Points = strawberry.field(description="What refunds took back of the points earned.")
    points_returned: scalars.Points = strawberry.field(description="What refunds gave back of the points spent.")
    refunds: Connection[LaterRefund] = connections.family(
        stored.refunds_of, stored.REFUND_KEYSET, description="The oldest first."
    )
    confirmed_at: datetime | None
    occurred_at: datetime
    recorded_at: datetime
    actor: str = access.guarded(_STAFF, "actor", description="Who recorded it.")


@shapes.given("PurchaseRef", one_of=True)
class PurchaseRefInput:
    """How a purchase is named: by its id or by the shop's order number."""

    id: strawberry.ID | None = strawberry.UNSET
    external_id: str | None = strawberry.UNSET

    def ref(self) -> refunding.PurchaseRef:
        """The reference for the domain. Refuses what no purchase could be named by."""
        purchase_id = ids.optional("Purchase", self.id or None, "purchase.id")
        if purchase_id is not None:
            return refunding.PurchaseRef(id=purchase_id)
        return refunding.PurchaseRef(external_id=checks.text("purchase.externalId", self.external_id or ""))


@shapes.shape()
class PurchaseQueries:
    """What can be asked about purchases."""

    @access.field(_PERSONAL)
    async def purchase(self, info: Info, ref: PurchaseRefInput) -> Purchase | None:
        """A purchase; null if there is none, and to a member if it is another's."""
        try:
            found = await _found(info.context, ref.ref())
        except Refusal:
            return None
        caller = info.context.caller
        is_anothers = found is not None and caller.is_member and found.member_id != caller.id
        return None if is_anothers else shapes.as_shape(Purchase, found)


async def _found(context: Context, ref: refunding.PurchaseRef) -> purchase.Purchase | None:
    if ref.id is not None:
        return await context.loaders.row(purchase.Purchase, ref.id)
    return await stored.find(context.caller.program_id, ref.external_id or "")


@shapes.given()
class PurchaseLineInput:
    """A line; `amount` is its value after discounts and before points are used as money.

    `discount` is what vouchers took off, as it was quoted.
    """

    amount: MoneyInput
    discount: MoneyInput | None = None
    product_id: str | None = None
    name: str | None = None
    category: str | None = None
    quantity: int = 1
    earns: bool = True

    def line(self, context: Context) -> paying.Line:
        """The line for the domain. Refuses another currency than the program's."""
        return paying.Line(
            amount_minor=self.amount.minor(context, "lines.amount"),
            product_id=self.product_id,
            name=self.name,
            category=self.category,
            quantity=self.quantity,
            earns=self.earns,
            discount_minor=0 if self.discount is None else self.discount.minor(context, "lines.discount"),
        )


@shapes.given()
class PurchaseOffsetInput:
    """Points used as money: a hold, captured whole, and the money it covers."""

    hold_id: strawberry.ID
    amount: MoneyInput

    def offset(self, context: Context) -> paying.Offset:
        """The offset for the domain. Refuses an id that is none of a hold, and another currency."""
        hold_id = ids.require("Hold", self.hold_id, "offset.holdId")
        return paying.Offset(hold_id=hold_id, amount_minor=self.amount.minor(context, "offset.amount"))


@shapes.given()
class PurchaseRecordInput(inputs.KeyedInput):
    """A purchase to record. Lines and freight sum to the amount; without lines, all but the freight is one line.

    `externalId` is the shop's order number (at most 100 characters): the same order earns once, whatever the
    idempotency key. `occurredAt` lies in the past; left out, it is now.
    """

    member: MemberRefInput
    external_id: str
    amount: MoneyInput
    freight: MoneyInput | None = None
    lines: list[PurchaseLineInput] | None = inputs.bounded(recording.LINES_MAX, default=None)
    offset: PurchaseOffsetInput | None = None
    offset_id: strawberry.ID | None = strawberry.field(
        default=None, description="Points held for this very order by `offsetHold`, in place of `offset`."
    )
    voucher_codes: list[str] | None = inputs.bounded(using.VOUCHERS_MAX, default=None)
    freight_discount: MoneyInput | None = strawberry.field(
        default=None, description="What vouchers took off the freight, which is told without it."
    )
    store_id: strawberry.ID | None = None
    channel: Channel = Channel.ONLINE
    occurred_at: datetime | None = None
    identities: list[IdentityInput] | None = inputs.bounded(TOLD_MAX, default=None, description=IDENTITIES)

    def command(self, context: Context) -> recording.RecordPurchase:
        """The command for the domain. Refuses malformed ids and another currency than the program's."""
        return recording.RecordPurchase(
            member=inputs.member(context, self.member),
            external_id=self.external_id,
            amount_minor=self.amount.minor(context, "amount"),
            currency_code=self.amount.currency_code,
            freight_minor=0 if self.freight is None else self.freight.minor(context, "freight"),
            lines=tuple(line.line(context) for line in self.lines or ()),
            offset=None if self.offset is None else self.offset.offset(context),
            offset_id=ids.optional("PointsOffset", self.offset_id, "offsetId"),
            voucher_codes=tuple(self.voucher_codes or ()),
            freight_discount_minor=(
                0 if self.freight_discount is None else self.freight_discount.minor(context, "freightDiscount")
            ),
            store_id=ids.optional("Store", self.store_id, "storeId"),
            channel=self.channel,
            occurred_at=self.occurred_at,
            identified=identities.hashed(context, self.identities),
        )


@shapes.given()
class PurchasesRecordInput:
    """Purchases to record, each on its own: one that is refused keeps none of the others back."""

    rows: list[PurchaseRecordInput] = inputs.bounded(ROWS_MAX)


@shapes.given()
class PurchaseConfirmInput(inputs.KeyedInput):
    """A purchase that the member has received: points that waited for it become available."""

    purchase_id: strawberry.ID

    def command(self, _: Context) -> recording.ConfirmPurchase:
        """The command for the domain. Refuses an id that is none of a purchase."""
        return recording.ConfirmPurchase(purchase_id=ids.require("Purchase", self.purchase_id, "purchaseId"))


@shapes.shape()
class _PurchasePayload(payloads.KeyedPayload):
    purchase: Purchase | None = None
    member: Member | None = None
    is_repeat: bool = payloads.repeat()

    @classmethod
    def of(cls, recorded: recording.Recorded) -> Self:
        """The payload of a purchase."""
        return cls(
            purchase=shapes.shown(recorded.purchase),
            member=shapes.shown(recorded.account),
            is_repeat=recorded.is_repeat,
        )


@shapes.shape()
class PurchaseRecordPayload(_PurchasePayload):
    """The purchase with what it earned, and the member after it."""


@shapes.shape()
class PurchaseConfirmPayload(_PurchasePayload):
    """The purchase, and the member after it."""


@shapes.shape()
class PurchasesRecordPayload(payloads.Payload):
    """What came of each row, in the order of the rows; null if there were too many and nothing was done."""

    results: list[PurchaseRecordPayload] | None = None


@shapes.shape()
class PurchaseMutations:
    """What can be done with purchases."""

    @access.field(_WRITES)
    async def purchase_record(self, info: Info, input: PurchaseRecordInput) -> PurchaseRecordPayload:  # noqa: A002
        """Record a purchase and credit what it earns. Refuses an order that was recorded with other content."""
        return await payloads.run(info, input, PurchaseRecordPayload)

    @access.field(_WRITES)
    async def purchases_record(self, info: Info, input: PurchasesRecordInput) -> PurchasesRecordPayload:  # noqa: A002
        """Record up to 500 purchases, each with its own outcome.

        If the call fails as a whole, tell it again: what was recorded is answered from its keys.
        """
        return await payloads.answered(PurchasesRecordPayload, _record_all(info, input))

    @access.field(_WRITES)
    async def purchase_confirm(self, info: Info, input: PurchaseConfirmInput) -> PurchaseConfirmPayload:  # noqa: A002
        """Say that an order was received. Again changes nothing."""
        return await payloads.run(info, input, PurchaseConfirmPayload)


async def _record_all(info: Info, given: PurchasesRecordInput) -> PurchasesRecordPayload:
    checks.at_most("rows", given.rows, ROWS_MAX)
    results = await payloads.run_all(info, given.rows, PurchaseRecordPayload)
    return PurchasesRecordPayload(results=results)
