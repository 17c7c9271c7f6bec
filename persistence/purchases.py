"""Purchases and refunds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain import stores
from domain.points import account
from domain.purchases import purchase, refund
from persistence import pages, rows
from persistence.tables import describes


@describes(purchase.Purchase)
class PurchaseTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    external_id = fields.TextField()
    store_id = fields.UUIDField(null=True)
    channel = fields.CharEnumField(stores.Channel, max_length=30)
    amount_minor = fields.BigIntField()
    freight_minor = fields.BigIntField()
    offset_minor = fields.BigIntField()
    lines: fields.JSONField[object] = fields.JSONField()
    voucher_ids: fields.JSONField[object] = fields.JSONField()
    discount_minor = fields.BigIntField()
    freight_discount_minor = fields.BigIntField()
    points_spent = fields.BigIntField()
    spending_id = fields.UUIDField(null=True)
    rule_version = fields.IntField()
    tier_id = fields.UUIDField(null=True)
    multiplier_bp = fields.IntField()
    discount_bp = fields.IntField()
    facts: fields.JSONField[object] = fields.JSONField(null=True)
    earned: fields.JSONField[object] = fields.JSONField()
    points_earned = fields.BigIntField()
    earning_id = fields.UUIDField(null=True)
    refunded_minor = fields.BigIntField()
    points_clawed = fields.BigIntField()
    points_returned = fields.BigIntField()
    referral_id = fields.UUIDField(null=True)
    confirmed_at = fields.DatetimeField(null=True)
    occurred_at = fields.DatetimeField()
    recorded_at = fields.DatetimeField()
    actor = fields.TextField()

    class Meta:
        table = "purchases"
        unique_together = (("program_id", "external_id"), ("program_id", "id"))
        indexes = (
            Index(fields=("program_id", "member_id", "occurred_at", "id"), name="purchases_member"),
            Index(fields=("program_id", "store_id", "occurred_at"), name="purchases_store"),
        )
        constraints = (
            CheckConstraint(
                check="amount_minor >= 0 AND freight_minor >= 0 AND offset_minor >= 0"
                " AND freight_minor + offset_minor <= amount_minor",
                name="purchases_amounts",
            ),
            CheckConstraint(
                check="freight_discount_minor >= 0 AND discount_minor >= freight_discount_minor",
                name="purchases_discounts",
            ),
            CheckConstraint(check="refunded_minor >= 0 AND refunded_minor <= amount_minor", name="purchases_refunded"),
            CheckConstraint(
                check="points_clawed >= 0 AND points_clawed <= points_earned"
                " AND points_returned >= 0 AND points_returned <= points_spent",
                name="purchases_points",
            ),
        )


@describes(refund.Refund)
class RefundTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    purchase_id = fields.UUIDField()
    member_id = fields.UUIDField()
    external_id = fields.TextField()
    lines: fields.JSONField[object] = fields.JSONField()
    freight_minor = fields.BigIntField()
    amount_minor = fields.BigIntField()
    cash_minor = fields.BigIntField()
    deducted_minor = fields.BigIntField()
    discount_lost_minor = fields.BigIntField()
    points_due = fields.BigIntField()
    points_cancelled = fields.BigIntField()
    points_reversed = fields.BigIntField()
    points_short = fields.BigIntField()
    short_outcome = fields.CharEnumField(account.ShortfallOutcome, max_length=30, null=True)
    points_returned = fields.BigIntField()
    points_replaced = fields.BigIntField()
    points_forfeited = fields.BigIntField()
    reason = fields.TextField(null=True)
    actor = fields.TextField()
    occurred_at = fields.DatetimeField()
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "refunds"
        unique_together = (("program_id", "purchase_id", "external_id"),)
        constraints = (
            CheckConstraint(
                check="amount_minor > 0 AND cash_minor >= 0 AND deducted_minor >= 0", name="refunds_amounts"
            ),
            CheckConstraint(
                check="points_due = points_cancelled + points_reversed + points_short", name="refunds_points"
            ),
        )


KEYSET: Final = pages.Keyset(("occurred_at", "id"), (datetime, UUID), is_descending=True)
REFUND_KEYSET: Final = pages.Keyset(("id",))


async def find(program_id: UUID, external_id: str) -> purchase.Purchase | None:
    """The purchase with the shop's order number."""
    return await rows.first(purchase.Purchase, "program_id = $1 AND external_id = $2", program_id, external_id)


async def of_members(
    program_id: UUID, member_ids: Sequence[UUID], part: pages.Slice
) -> dict[UUID, list[purchase.Purchase]]:
    """The same page of each member's purchases, the latest first."""
    return await pages.of_parents(purchase.Purchase, KEYSET, part, program_id, "member_id", member_ids)


async def refunds_of(
    program_id: UUID, purchase_ids: Sequence[UUID], part: pages.Slice
) -> dict[UUID, list[refund.Refund]]:
    """The same page of each purchase's refunds, the oldest first."""
    return await pages.of_parents(refund.Refund, REFUND_KEYSET, part, program_id, "purchase_id", purchase_ids)
