"""Rules for earning and redeeming by store, group and channel, and what their caps have left."""

from datetime import date
from typing import Final
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain import stores, trade
from persistence import pages, rows
from persistence.tables import describes


@describes(trade.TradeRule, is_open="is_active")
class TradeRuleTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    kind = fields.CharEnumField(trade.TradeKind, max_length=30)
    effect = fields.CharEnumField(trade.TradeEffect, max_length=30)
    store_id = fields.UUIDField(null=True)
    group_id = fields.UUIDField(null=True)
    channel = fields.CharEnumField(stores.Channel, max_length=30, null=True)
    points_max = fields.BigIntField(null=True)
    is_active = fields.BooleanField()

    class Meta:
        table = "trade_rules"
        unique_together = (("program_id", "id"),)
        indexes = (Index(fields=("program_id", "is_active"), name="trade_rules_active"),)
        constraints = (
            CheckConstraint(check="(effect = 'CAPPED') = (points_max IS NOT NULL)", name="trade_rules_capped"),
            CheckConstraint(check="store_id IS NULL OR group_id IS NULL", name="trade_rules_place"),
        )


@describes(trade.TradeAllowance)
class TradeAllowanceTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    rule_id = fields.UUIDField()
    day = fields.DateField()
    points = fields.BigIntField()

    class Meta:
        table = "trade_allowances"
        unique_together = (("program_id", "rule_id", "day"),)
        constraints = (CheckConstraint(check="points >= 0", name="trade_allowances_points"),)


KEYSET: Final = pages.Keyset(("id",))


async def page(program_id: UUID, part: pages.Slice) -> list[trade.TradeRule]:
    """The rules that hold, the oldest first."""
    return await pages.select(trade.TradeRule, KEYSET, part, "program_id = $1 AND is_active", (program_id,))


async def redeemable(
    program_id: UUID, day: date, store: stores.Store | None, channel: stores.Channel
) -> trade.Redeemable:
    """What rules for redeeming leave at a place on a local day; where a cap decides, with one more statement."""
    holding = await rows.select(trade.TradeRule, "program_id = $1 AND is_active", program_id)
    rule = trade.deciding(holding, trade.TradeKind.REDEEMING, store, channel)
    used = 0
    if rule is not None and rule.points_max is not None:
        key = trade.allowance_id(rule, day)
        found = (await rows.by_ids(trade.TradeAllowance, program_id, [key])).get(key)
        used = 0 if found is None else found.points
    return trade.redeemable_by(rule, used, store, channel)
