"""Tiers."""

from uuid import UUID

from tortoise import fields
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain import tiers
from persistence import rows
from persistence.tables import describes


@describes(tiers.Tier)
class TierTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    name = fields.TextField()
    rank = fields.IntField()
    qualifying_points = fields.BigIntField()
    multiplier_bp = fields.IntField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "tiers"
        unique_together = (("program_id", "rank"), ("program_id", "name"), ("program_id", "id"))
        constraints = (
            CheckConstraint(check="qualifying_points >= 0", name="tiers_qualifying_points"),
            CheckConstraint(check="multiplier_bp > 0", name="tiers_multiplier"),
        )


async def ladder(program_id: UUID) -> list[tiers.Tier]:
    """Every tier of a program, the lowest first. There are at most 100: their ranks are unique."""
    return await rows.select(tiers.Tier, "program_id = $1 ORDER BY rank", program_id)
