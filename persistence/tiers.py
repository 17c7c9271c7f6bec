"""Tiers, and members' histories of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain.tiers import standing, tier
from persistence import pages, rows
from persistence.tables import describes


@describes(tier.Tier)
class TierTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    name = fields.TextField()
    rank = fields.IntField()
    threshold = fields.BigIntField()
    keep_threshold = fields.BigIntField(null=True)
    multiplier_bp = fields.IntField()
    benefits: fields.JSONField[object] = fields.JSONField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "tiers"
        unique_together = (("program_id", "rank"), ("program_id", "name"), ("program_id", "id"))
        constraints = (
            CheckConstraint(check="threshold >= 0 AND keep_threshold >= 0", name="tiers_threshold"),
            CheckConstraint(check="multiplier_bp > 0", name="tiers_multiplier"),
        )


@describes(standing.TierChange)
class TierChangeTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    tier_id = fields.UUIDField(null=True)
    tier_id_before = fields.UUIDField(null=True)
    cause = fields.CharEnumField(standing.TierCause, max_length=30)
    metric = fields.BigIntField()
    valid_until = fields.DatetimeField(null=True)
    earned_tier_id = fields.UUIDField(null=True)
    earned_tier_id_before = fields.UUIDField(null=True)
    earned_valid_until = fields.DatetimeField(null=True)
    reason = fields.TextField(null=True)
    actor = fields.TextField()
    occurred_at = fields.DatetimeField()
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "tier_changes"
        indexes = (Index(fields=("program_id", "member_id", "occurred_at", "id"), name="tier_changes_member"),)


HISTORY_KEYSET: Final = pages.Keyset(("occurred_at", "id"), (datetime, UUID), is_descending=True)


async def history_of(
    program_id: UUID, member_ids: Sequence[UUID], part: pages.Slice
) -> dict[UUID, list[standing.TierChange]]:
    """The same page of each member's history of tiers, the latest first."""
    return await pages.of_parents(standing.TierChange, HISTORY_KEYSET, part, program_id, "member_id", member_ids)


async def ladder(program_id: UUID) -> list[tier.Tier]:
    """Every tier of a program, the lowest first. There are at most 100: their ranks are unique."""
    return await rows.select(tier.Tier, "program_id = $1 ORDER BY rank", program_id)
