"""Activities."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain import activities, stores
from persistence import pages
from persistence.tables import describes


@describes(activities.Activity)
class ActivityTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    key = fields.TextField()
    type = fields.TextField()
    external_id = fields.TextField()
    store_id = fields.UUIDField(null=True)
    channel = fields.CharEnumField(stores.Channel, max_length=30)
    data: fields.JSONField[object] = fields.JSONField()
    rule_version = fields.IntField()
    facts: fields.JSONField[object] = fields.JSONField()
    earned: fields.JSONField[object] = fields.JSONField()
    points_earned = fields.BigIntField()
    earning_id = fields.UUIDField(null=True)
    points_taken_back = fields.BigIntField()
    reversed_at = fields.DatetimeField(null=True)
    reason = fields.TextField(null=True)
    occurred_at = fields.DatetimeField()
    recorded_at = fields.DatetimeField()
    actor = fields.TextField()

    class Meta:
        table = "activities"
        # The business key, for ever (L11).
        unique_together = (("program_id", "key"),)
        indexes = (Index(fields=("program_id", "member_id", "occurred_at", "id"), name="activities_member"),)
        constraints = (
            CheckConstraint(
                check="points_earned >= 0 AND points_taken_back >= 0 AND points_taken_back <= points_earned",
                name="activities_points",
            ),
            CheckConstraint(check="points_taken_back = 0 OR reversed_at IS NOT NULL", name="activities_reversed"),
        )


KEYSET: Final = pages.Keyset(("occurred_at", "id"), (datetime, UUID), is_descending=True)


async def of_members(
    program_id: UUID, member_ids: Sequence[UUID], part: pages.Slice
) -> dict[UUID, list[activities.Activity]]:
    """The same page of each member's activities, the latest first."""
    return await pages.of_parents(activities.Activity, KEYSET, part, program_id, "member_id", member_ids)
