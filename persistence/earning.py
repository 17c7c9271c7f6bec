"""Versions of earning rules, and what they gave: under caps and budgets, and for the program's own occasions."""

from uuid import UUID

from tortoise import fields
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain.earning import grants, limits, rule_sets, rules
from persistence import rows
from persistence.tables import describes


@describes(rule_sets.EarningRules)
class EarningRulesTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    version = fields.IntField()
    rules: fields.JSONField[object] = fields.JSONField()
    campaigns: fields.JSONField[object] = fields.JSONField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "earning_rules"
        unique_together = (("program_id", "version"),)


@describes(limits.EarningCount)
class EarningCountTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    rule = fields.TextField()
    period = fields.CharEnumField(rules.Period, max_length=30)
    starts_on = fields.DateField()
    points = fields.BigIntField()
    times = fields.IntField()

    class Meta:
        table = "earning_counts"
        unique_together = (("program_id", "member_id", "rule", "period", "starts_on"),)
        constraints = (CheckConstraint(check="points >= 0 AND times >= 0", name="earning_counts_not_negative"),)


@describes(limits.CampaignBudget)
class CampaignBudgetTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    campaign = fields.TextField()
    points = fields.BigIntField()

    class Meta:
        table = "campaign_budgets"
        unique_together = (("program_id", "campaign"),)
        constraints = (CheckConstraint(check="points >= 0", name="campaign_budgets_not_negative"),)


@describes(grants.Grant)
class GrantTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    trigger = fields.CharEnumField(rules.Trigger, max_length=30)
    occasion = fields.TextField()
    rule_version = fields.IntField()
    facts: fields.JSONField[object] = fields.JSONField()
    earned: fields.JSONField[object] = fields.JSONField()
    points = fields.BigIntField()
    occurred_at = fields.DatetimeField()
    recorded_at = fields.DatetimeField()
    actor = fields.TextField()

    class Meta:
        table = "grants"
        # Each occasion once, for ever.
        unique_together = (("program_id", "member_id", "trigger", "occasion"),)
        constraints = (CheckConstraint(check="points >= 0", name="grants_points"),)


async def budgets(program_id: UUID) -> dict[str, int]:
    """What the rules of each campaign with a budget gave so far, by the campaign's code."""
    found = await rows.select(limits.CampaignBudget, "program_id = $1", program_id)
    return {budget.campaign: budget.points for budget in found}
