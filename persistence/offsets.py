"""Points as money: how a program takes them, and what is held for orders."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain import offsets, stores
from persistence import rows
from persistence.tables import describes


@describes(offsets.OffsetPolicy)
class OffsetPolicyTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    is_active = fields.BooleanField()
    points_max = fields.BigIntField(null=True)
    percent_bp = fields.IntField()
    step = fields.IntField()
    minimum = fields.IntField()
    leaves_minor = fields.BigIntField()
    quote_minutes = fields.IntField()

    class Meta:
        table = "offset_policies"
        constraints = (
            CheckConstraint(check="program_id = id", name="offset_policies_one_a_program"),
            CheckConstraint(
                check="percent_bp BETWEEN 1 AND 10000 AND step > 0 AND minimum > 0 AND leaves_minor >= 0",
                name="offset_policies_bounds",
            ),
        )


@describes(offsets.PointsOffset, is_open="purchase_id IS NULL")
class PointsOffsetTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    hold_id = fields.UUIDField()
    points = fields.BigIntField()
    amount_minor = fields.BigIntField()
    fingerprint = fields.TextField()
    reference = fields.TextField(null=True)
    store_id = fields.UUIDField(null=True)
    channel = fields.CharEnumField(stores.Channel, max_length=30, null=True)
    purchase_id = fields.UUIDField(null=True)
    held_at = fields.DatetimeField()
    lapses_at = fields.DatetimeField()

    class Meta:
        table = "points_offsets"
        unique_together = (("program_id", "hold_id"),)
        indexes = (Index(fields=("program_id", "member_id", "id"), name="points_offsets_member"),)
        constraints = (CheckConstraint(check="points > 0 AND amount_minor > 0", name="points_offsets_amounts"),)


async def policy(program_id: UUID) -> offsets.OffsetPolicy:
    """How a program takes points as money; without bounds if it has set nothing."""
    found = await rows.first(offsets.OffsetPolicy, "program_id = $1", program_id)
    return found or offsets.default_policy(program_id)
