"""Refunds: what is shown of one, and how one is recorded."""

from datetime import datetime
from typing import Final, Self

import strawberry

from api import access, inputs, moneys, payloads, scalars, shapes
from api.context import Context, Info
from api.inputs import MoneyInput
from api.members import Member
from api.moneys import Money
from api.purchases.purchase import Purchase, PurchaseRefInput
from domain.access import Scope
from domain.points import account
from domain.purchases import purchase, recording
from domain.purchases import refund as refunding

shapes.named(account.ShortfallOutcome)

_STAFF: Final = access.staff(Scope.MEMBERS_READ)


@shapes.shape()
class RefundLine:
    """What was refunded of a line."""

    number: int
    amount: Money = moneys.field("amount_minor")
    offset: Money = moneys.field("offset_minor", description="What of the amount points had covered.")
    points: scalars.Points = strawberry.field(description="What came back of the points spent on the line.")


@shapes.shape(refunding.Refund)
class Refund(shapes.Node):
    """Money and points given back for a purchase, and the points that were taken back with it."""

    purchase: Purchase = shapes.linked(purchase.Purchase, "purchase_id")
    external_id: str = strawberry.field(description="The shop's own number, unique among the purchase's refunds.")
    lines: list[RefundLine]
    freight: Money = moneys.field("freight_minor")
    amount: Money = moneys.field("amount_minor")
    cash: Money = moneys.field("cash_minor", description="What the shop owes the member in money.")
    discount_lost: Money = moneys.field(
        "discount_lost_minor",
        description="Kept back as a voucher's minimum is no longer met; negative when it comes back with the rest.",
    )
    deducted: Money = moneys.field("deducted_minor", description="Kept back for points that could not be taken back.")
    points_due: scalars.Points = strawberry.field(description="What should have been taken back of the points earned.")
    points_cancelled: scalars.Points = strawberry.field(description="Taken back while they were pending.")
    points_reversed: scalars.Points = strawberry.field(description="Taken back from available points.")
    points_short: scalars.Points = strawberry.field(description="Could not be taken back.")
    short_outcome: account.ShortfallOutcome | None = strawberry.field(description="What became of those.")
    points_returned: scalars.Points = strawberry.field(description="Spent points that came back with their expiry.")
    points_replaced: scalars.Points = strawberry.field(description="Spent points that came back with a new expiry.")
    points_forfeited: scalars.Points = strawberry.field(description="Spent points that had expired meanwhile.")
    reason: str | None
    occurred_at: datetime
    recorded_at: datetime
    actor: str = access.guarded(_STAFF, "actor", description="Who recorded it.")


@shapes.given()
class RefundLineInput:
    """How much of a line to refund."""

    number: int
    amount: MoneyInput

    def line(self, context: Context) -> refunding.LineAmount:
        """The line for the domain. Refuses another currency than the program's."""
        return refunding.LineAmount(number=self.number, amount_minor=self.amount.minor(context, "lines.amount"))


@shapes.given()
class PurchaseRefundInput(inputs.KeyedInput):
    """A refund: of an amount, of lines and freight, or with neither of all that remains.

    `refundId` is the shop's own number (at most 100 characters): the same refund happens once, whatever the
    idempotency key. `occurredAt` lies in the past; left out, it is now.
    """

    purchase: PurchaseRefInput
    refund_id: str
    amount: MoneyInput | None = None
    lines: list[RefundLineInput] | None = inputs.bounded(recording.LINES_MAX, default=None)
    freight: MoneyInput | None = None
    reason: str | None = None
    occurred_at: datetime | None = None

    def command(self, context: Context) -> refunding.RefundPurchase:
        """The command for the domain. Refuses malformed references and another currency than the program's."""
        return refunding.RefundPurchase(
            purchase=self.purchase.ref(),
            external_id=self.refund_id,
            amount_minor=None if self.amount is None else self.amount.minor(context, "amount"),
            lines=tuple(line.line(context) for line in self.lines or ()),
            freight_minor=None if self.freight is None else self.freight.minor(context, "freight"),
            reason=self.reason,
            occurred_at=self.occurred_at,
        )


@shapes.shape()
class PurchaseRefundPayload(payloads.KeyedPayload):
    """The refund with what it gave and took back, the purchase, and the member after it."""

    refund: Refund | None = None
    purchase: Purchase | None = None
    member: Member | None = None
    is_repeat: bool = payloads.repeat()

    @classmethod
    def of(cls, refunded: refunding.Refunded) -> Self:
        """The payload of a refund."""
        return cls(
            refund=shapes.shown(refunded.refund),
            purchase=shapes.shown(refunded.purchase),
            member=shapes.shown(refunded.account),
            is_repeat=refunded.is_repeat,
        )


@shapes.shape()
class RefundMutations:
    """What can be done with refunds."""

    @access.field(access.staff(Scope.PURCHASES_WRITE))
    async def purchase_refund(self, info: Info, input: PurchaseRefundInput) -> PurchaseRefundPayload:  # noqa: A002
        """Refund a purchase in part or whole: take back what that part earned, return the points spent on it."""
        return await payloads.run(info, input, PurchaseRefundPayload)
