"""Tiers set by hand: whose end soon is found, to warn their members; and histories tell what is earned underneath."""

import importlib

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

_promises = importlib.import_module("persistence.migrations.0002_promises")
_STEPS = [
    _promises.reference_steps("tier_changes", column, "tiers", "id")
    for column in ("earned_tier_id", "earned_tier_id_before")
]


class Migration(migrations.Migration):
    dependencies = [("tessera", "0016_offsets_of_orders")]

    operations = [
        # Few accounts have such a tier, and every other one is written often: it must not cost them an entry.
        ops.RunSQL(
            "CREATE INDEX points_accounts_set_tier_ends ON points_accounts (program_id, manual_tier_until)"
            " WHERE manual_tier_until IS NOT NULL",
            reverse_sql="DROP INDEX points_accounts_set_tier_ends",
        ),
        ops.AddField(model_name="TierChangeTable", name="earned_tier_id", field=fields.UUIDField(null=True)),
        ops.AddField(model_name="TierChangeTable", name="earned_tier_id_before", field=fields.UUIDField(null=True)),
        ops.AddField(
            model_name="TierChangeTable",
            name="earned_valid_until",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.RunSQL([forward for forward, _ in _STEPS], reverse_sql=[backward for _, backward in _STEPS]),
    ]
