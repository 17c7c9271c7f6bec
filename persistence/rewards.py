"""Rewards, their stock, and redemptions."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain import redemptions, rewards, stores
from persistence import pages
from persistence.tables import describes


@describes(rewards.Reward)
class RewardTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    code = fields.TextField()
    name = fields.TextField()
    description = fields.TextField(null=True)
    points = fields.BigIntField()
    limit_per_member = fields.IntField(null=True)
    is_active = fields.BooleanField()
    starts_at = fields.DatetimeField(null=True)
    ends_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "rewards"
        unique_together = (("program_id", "code"), ("program_id", "id"))
        constraints = (CheckConstraint(check="points > 0", name="rewards_points"),)


@describes(rewards.RewardStock)
class RewardStockTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    left = fields.BigIntField(null=True)

    class Meta:
        table = "reward_stocks"
        constraints = (CheckConstraint(check='"left" >= 0', name="reward_stocks_left"),)


@describes(redemptions.Redemption, is_open="state <> 'CANCELLED'")
class RedemptionTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    reward_id = fields.UUIDField()
    quantity = fields.IntField()
    points = fields.BigIntField()
    state = fields.CharEnumField(redemptions.RedemptionState, max_length=30)
    transaction_id = fields.UUIDField()
    channel = fields.CharEnumField(stores.Channel, max_length=30)
    store_id = fields.UUIDField(null=True)
    reason = fields.TextField(null=True)
    placed_at = fields.DatetimeField()
    closed_at = fields.DatetimeField(null=True)
    actor = fields.TextField()

    class Meta:
        table = "redemptions"
        indexes = (Index(fields=("program_id", "member_id", "id"), name="redemptions_member"),)
        constraints = (
            CheckConstraint(check="quantity > 0 AND points > 0", name="redemptions_amounts"),
            CheckConstraint(check="(state = 'PLACED') = (closed_at IS NULL)", name="redemptions_closed"),
        )


KEYSET: Final = pages.Keyset(("id",))
REDEMPTION_KEYSET: Final = pages.Keyset(("id",), is_descending=True)


async def page(program_id: UUID, part: pages.Slice, *, is_active: bool | None = None) -> list[rewards.Reward]:
    """Rewards of a program, the oldest first; all of them, or those that are or are not active."""
    where, arguments = "program_id = $1", [program_id]
    if is_active is not None:
        where = f"{where} AND is_active" if is_active else f"{where} AND NOT is_active"
    return await pages.select(rewards.Reward, KEYSET, part, where, arguments)


async def redemptions_of(
    program_id: UUID, member_ids: Sequence[UUID], part: pages.Slice
) -> dict[UUID, list[redemptions.Redemption]]:
    """The same page of each member's redemptions, the latest first."""
    return await pages.of_parents(redemptions.Redemption, REDEMPTION_KEYSET, part, program_id, "member_id", member_ids)
