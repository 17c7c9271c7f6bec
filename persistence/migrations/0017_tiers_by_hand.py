"""Tiers set by hand: whose end soon is found, to warn their members."""

from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("tessera", "0016_offsets_of_orders")]

    operations = [
        ops.AddIndex(
            model_name="PointsAccountTable",
            index=Index(fields=["program_id", "manual_tier_until"], name="points_accounts_set_tier_ends"),
        ),
    ]
