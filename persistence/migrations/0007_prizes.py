"""Prizes: redemptions that cost nothing, or are the end of something else than the mall's shelf."""

import importlib
from typing import Any

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint

from domain.points.account import SourceType
from domain.redemptions.redemption import RedemptionOrigin
from domain.vouchers.voucher import VoucherOrigin

AddFilledField = importlib.import_module("persistence.migrations.0006_mall").AddFilledField


def _sources() -> Any:
    return fields.CharEnumField(
        description="\n".join(f"{source}: {source}" for source in SourceType),
        enum_type=SourceType,
        max_length=30,
    )


class Migration(migrations.Migration):
    dependencies = [("tessera", "0006_mall")]

    operations = [
        *(
            ops.AlterField(model_name=model, name="source_type", field=_sources())
            for model in ("LotTable", "PointTransactionTable", "ShortfallTable")
        ),
        ops.RemoveConstraint(model_name="RedemptionTable", name="redemptions_amounts", fields=None),
        ops.AlterField(model_name="RedemptionTable", name="transaction_id", field=fields.UUIDField(null=True)),
        # On the way back, before that, what cost nothing goes: every redemption was a spending.
        ops.RunSQL(
            [],
            reverse_sql=[
                "UPDATE vouchers SET redemption_id = NULL WHERE redemption_id IN"
                " (SELECT id FROM redemptions WHERE transaction_id IS NULL)",
                "DELETE FROM redemptions WHERE transaction_id IS NULL",
            ],
        ),
        AddFilledField(
            model_name="RedemptionTable",
            name="origin",
            field=fields.CharEnumField(
                description="REWARD: REWARD\nPRIZE: PRIZE\nFLASH_SALE: FLASH_SALE\nGROUP_DEAL: GROUP_DEAL",
                enum_type=RedemptionOrigin,
                max_length=30,
            ),
            filled_with="'REWARD'",
        ),
        ops.AddField(model_name="RedemptionTable", name="origin_id", field=fields.UUIDField(null=True)),
        ops.AddIndex(
            model_name="RedemptionTable",
            index=Index(fields=["program_id", "origin_id"], name="redemptions_origin_of"),
        ),
        ops.AddConstraint(
            model_name="RedemptionTable",
            constraint=CheckConstraint(
                check="quantity > 0 AND points >= 0 AND cash_minor >= 0 AND (points > 0 OR origin <> 'REWARD')",
                name="redemptions_amounts",
            ),
        ),
        ops.AddConstraint(
            model_name="RedemptionTable",
            constraint=CheckConstraint(
                check="(points > 0) = (transaction_id IS NOT NULL)", name="redemptions_spending"
            ),
        ),
        ops.AddConstraint(
            model_name="RedemptionTable",
            constraint=CheckConstraint(check="(origin = 'REWARD') = (origin_id IS NULL)", name="redemptions_origin"),
        ),
        ops.AlterField(
            model_name="VoucherTable",
            name="origin",
            field=fields.CharEnumField(
                description="GRANT: GRANT\nCLAIM: CLAIM\nREDEMPTION: REDEMPTION\nPRIZE: PRIZE",
                enum_type=VoucherOrigin,
                max_length=30,
            ),
        ),
    ]
