"""Redemptions."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain import stores
from domain.redemptions import redemption
from persistence import pages
from persistence.tables import describes


@describes(redemption.Redemption, is_open="state NOT IN ('CANCELLED', 'RETURNED', 'LAPSED')")
class RedemptionTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    reward_id = fields.UUIDField()
    quantity = fields.IntField()
    points = fields.BigIntField()
    cash_minor = fields.BigIntField()
    state = fields.CharEnumField(redemption.RedemptionState, max_length=30)
    fulfilled = fields.IntField()
    cancelled = fields.IntField()
    returned = fields.IntField()
    transaction_id = fields.UUIDField(null=True)
    hold_id = fields.UUIDField(null=True)
    pay_by = fields.DatetimeField(null=True)
    due_at = fields.DatetimeField(null=True)
    paid_at = fields.DatetimeField(null=True)
    payment_reference = fields.TextField(null=True)
    delivery: fields.JSONField[object] = fields.JSONField(null=True)
    pickup_code = fields.TextField(null=True)
    carrier = fields.TextField(null=True)
    tracking_number = fields.TextField(null=True)
    origin = fields.CharEnumField(redemption.RedemptionOrigin, max_length=30)
    origin_id = fields.UUIDField(null=True)
    channel = fields.CharEnumField(stores.Channel, max_length=30)
    store_id = fields.UUIDField(null=True)
    fulfilled_store_id = fields.UUIDField(null=True)
    reason = fields.TextField(null=True)
    placed_at = fields.DatetimeField()
    closed_at = fields.DatetimeField(null=True)
    actor = fields.TextField()

    class Meta:
        table = "redemptions"
        unique_together = (("program_id", "pickup_code"), ("program_id", "id"))
        indexes = (
            Index(fields=("program_id", "member_id", "id"), name="redemptions_member"),
            # What waits for the clock.
            Index(fields=("program_id", "due_at"), name="redemptions_due"),
            Index(fields=("program_id", "store_id", "placed_at"), name="redemptions_store"),
            Index(fields=("program_id", "origin_id"), name="redemptions_origin_of"),
        )
        constraints = (
            CheckConstraint(
                check="quantity > 0 AND points >= 0 AND cash_minor >= 0 AND (points > 0 OR origin <> 'REWARD')",
                name="redemptions_amounts",
            ),
            CheckConstraint(check="(points > 0) = (transaction_id IS NOT NULL)", name="redemptions_spending"),
            CheckConstraint(check="(origin = 'REWARD') = (origin_id IS NULL)", name="redemptions_origin"),
            CheckConstraint(check="(state IN ('PLACED', 'PAID')) = (closed_at IS NULL)", name="redemptions_closed"),
            CheckConstraint(
                check="cancelled >= 0 AND returned >= 0 AND fulfilled >= returned"
                " AND fulfilled + cancelled <= quantity",
                name="redemptions_counts",
            ),
            CheckConstraint(
                check="due_at IS NULL OR (state = 'PLACED' AND paid_at IS NULL)", name="redemptions_unpaid"
            ),
        )


KEYSET: Final = pages.Keyset(("id",), is_descending=True)


async def of_members(
    program_id: UUID, member_ids: Sequence[UUID], part: pages.Slice
) -> dict[UUID, list[redemption.Redemption]]:
    """The same page of each member's redemptions, the latest first."""
    return await pages.of_parents(redemption.Redemption, KEYSET, part, program_id, "member_id", member_ids)
