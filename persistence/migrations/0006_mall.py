"""The mall: kinds and gates of rewards, the life of redemptions, vouchers, points as money, groups and rules of stores.

Tortoise gives a new column no value in the rows there are, and writes no CHECK of a new table: both are done here.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops
from domain.points.account import HoldState
from domain.redemptions.redemption import RedemptionState
from domain.rewards.reward import RewardKind
from domain.stores import Channel, StoreGroupKind
from domain.trade import TradeEffect, TradeKind
from domain.vouchers.pool import Supply
from domain.vouchers.voucher import VoucherOrigin, VoucherState
from orjson import loads
from tortoise.fields.data import JSON_DUMPS
import importlib
from collections.abc import Iterator
from typing import Any
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint


_promises = importlib.import_module("persistence.migrations.0002_promises")


class AddFilledField(ops.AddField):
    """A new column that may not be null, with a value for the rows there are."""

    def __init__(self, model_name: str, name: str, field: Any, filled_with: str) -> None:
        super().__init__(model_name, name, field)
        self.filled_with = filled_with

    async def database_forward(self, app_label: str, _: Any, new_state: Any, state_editor: Any = None) -> None:
        if not state_editor:
            return
        model = new_state.apps.get_model(f"{app_label}.{self.model_name}")
        table, kind = model._meta.db_table, model._meta.fields_map[self.name].get_for_dialect("postgres", "SQL_TYPE")
        await state_editor._run_sql(
            f'ALTER TABLE {table} ADD COLUMN "{self.name}" {kind} NOT NULL DEFAULT {self.filled_with}'
        )
        await state_editor._run_sql(f'ALTER TABLE {table} ALTER COLUMN "{self.name}" DROP DEFAULT')


TABLES = (
    ops.CreateModel(
        name="OffsetPolicyTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("is_active", fields.BooleanField()),
            ("points_max", fields.BigIntField(null=True)),
            ("percent_bp", fields.IntField()),
            ("step", fields.IntField()),
            ("minimum", fields.IntField()),
            ("leaves_minor", fields.BigIntField()),
            ("quote_minutes", fields.IntField()),
        ],
        options={
            "table": "offset_policies",
            "app": "tessera",
            "constraints": [
                CheckConstraint(check="program_id = id", name="offset_policies_one_a_program"),
                CheckConstraint(
                    check="percent_bp BETWEEN 1 AND 10000 AND step > 0 AND minimum > 0 AND leaves_minor >= 0",
                    name="offset_policies_bounds",
                ),
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="PointsOffsetTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("hold_id", fields.UUIDField()),
            ("points", fields.BigIntField()),
            ("amount_minor", fields.BigIntField()),
            ("fingerprint", fields.TextField(unique=False)),
            ("purchase_id", fields.UUIDField(null=True)),
            ("held_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("lapses_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "points_offsets",
            "app": "tessera",
            "unique_together": (("program_id", "hold_id"),),
            "constraints": [CheckConstraint(check="points > 0 AND amount_minor > 0", name="points_offsets_amounts")],
            "indexes": [Index(fields=["program_id", "member_id", "id"], name="points_offsets_member")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="RewardFavouriteTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("reward_id", fields.UUIDField()),
            ("is_favourite", fields.BooleanField()),
            ("changed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "reward_favourites",
            "app": "tessera",
            "unique_together": (("program_id", "member_id", "reward_id"),),
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="StockHoldTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("reward_id", fields.UUIDField()),
            ("quantity", fields.IntField()),
            ("day", fields.DateField(null=True)),
            (
                "state",
                fields.CharEnumField(
                    description="HELD: HELD\nCAPTURED: CAPTURED\nRELEASED: RELEASED\nLAPSED: LAPSED",
                    enum_type=HoldState,
                    max_length=30,
                ),
            ),
            ("lapses_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "stock_holds",
            "app": "tessera",
            "constraints": [CheckConstraint(check="quantity > 0", name="stock_holds_quantity")],
            "indexes": [Index(fields=["program_id", "reward_id", "state"], name="stock_holds_reward")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="StoreGroupTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("code", fields.TextField(unique=False)),
            ("name", fields.TextField(unique=False)),
            (
                "kind",
                fields.CharEnumField(
                    description="CHAIN: CHAIN\nFRANCHISE: FRANCHISE", enum_type=StoreGroupKind, max_length=30
                ),
            ),
            ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "store_groups",
            "app": "tessera",
            "unique_together": (("program_id", "code"), ("program_id", "id")),
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="TradeAllowanceTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("rule_id", fields.UUIDField()),
            ("day", fields.DateField()),
            ("points", fields.BigIntField()),
        ],
        options={
            "table": "trade_allowances",
            "app": "tessera",
            "unique_together": (("program_id", "rule_id", "day"),),
            "constraints": [CheckConstraint(check="points >= 0", name="trade_allowances_points")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="TradeRuleTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            (
                "kind",
                fields.CharEnumField(
                    description="EARNING: EARNING\nREDEEMING: REDEEMING", enum_type=TradeKind, max_length=30
                ),
            ),
            (
                "effect",
                fields.CharEnumField(
                    description="ALLOWED: ALLOWED\nREFUSED: REFUSED\nCAPPED: CAPPED",
                    enum_type=TradeEffect,
                    max_length=30,
                ),
            ),
            ("store_id", fields.UUIDField(null=True)),
            ("group_id", fields.UUIDField(null=True)),
            (
                "channel",
                fields.CharEnumField(
                    null=True,
                    description="ONLINE: ONLINE\nPHONE: PHONE\nIN_STORE: IN_STORE",
                    enum_type=Channel,
                    max_length=30,
                ),
            ),
            ("points_max", fields.BigIntField(null=True)),
            ("is_active", fields.BooleanField()),
        ],
        options={
            "table": "trade_rules",
            "app": "tessera",
            "unique_together": (("program_id", "id"),),
            "constraints": [
                CheckConstraint(check="(effect = 'CAPPED') = (points_max IS NOT NULL)", name="trade_rules_capped"),
                CheckConstraint(check="store_id IS NULL OR group_id IS NULL", name="trade_rules_place"),
            ],
            "indexes": [Index(fields=["program_id", "is_active"], name="trade_rules_active")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="VoucherCodeTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("pool_id", fields.UUIDField()),
            ("ordinal", fields.IntField()),
            ("code", fields.TextField(unique=False)),
        ],
        options={
            "table": "voucher_codes",
            "app": "tessera",
            "unique_together": (("program_id", "code"),),
            "constraints": [CheckConstraint(check="ordinal > 0", name="voucher_codes_ordinal")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="VoucherPoolTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("template_id", fields.UUIDField()),
            ("name", fields.TextField(unique=False)),
            (
                "supply",
                fields.CharEnumField(
                    description="ON_DEMAND: ON_DEMAND\nSTOCK: STOCK\nBROUGHT: BROUGHT", enum_type=Supply, max_length=30
                ),
            ),
            ("left", fields.BigIntField(null=True)),
            ("stocked", fields.BigIntField()),
            ("given", fields.BigIntField()),
            ("is_claimable", fields.BooleanField()),
            ("is_closed", fields.BooleanField()),
            ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "voucher_pools",
            "app": "tessera",
            "unique_together": (("program_id", "id"),),
            "constraints": [
                CheckConstraint(check='"left" >= 0 AND stocked >= 0 AND given >= 0', name="voucher_pools_counts"),
                CheckConstraint(
                    check="supply = 'ON_DEMAND' OR stocked = \"left\" + given", name="voucher_pools_are_whole"
                ),
            ],
            "indexes": [Index(fields=["program_id", "template_id"], name="voucher_pools_template")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="VoucherTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("template_id", fields.UUIDField()),
            ("pool_id", fields.UUIDField()),
            ("code", fields.TextField(unique=False)),
            (
                "state",
                fields.CharEnumField(
                    description="ISSUED: ISSUED\nLOCKED: LOCKED\nUSED: USED\nRETURNED: RETURNED\nEXPIRED: EXPIRED\nVOID: VOID",
                    enum_type=VoucherState,
                    max_length=30,
                ),
            ),
            (
                "origin",
                fields.CharEnumField(
                    description="GRANT: GRANT\nCLAIM: CLAIM\nREDEMPTION: REDEMPTION",
                    enum_type=VoucherOrigin,
                    max_length=30,
                ),
            ),
            ("redemption_id", fields.UUIDField(null=True)),
            (
                "channel",
                fields.CharEnumField(
                    description="ONLINE: ONLINE\nPHONE: PHONE\nIN_STORE: IN_STORE", enum_type=Channel, max_length=30
                ),
            ),
            ("store_id", fields.UUIDField(null=True)),
            ("starts_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("expires_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("locked_for", fields.TextField(null=True, unique=False)),
            ("locked_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("has_returned", fields.BooleanField()),
            ("purchase_id", fields.UUIDField(null=True)),
            ("used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            (
                "used_channel",
                fields.CharEnumField(
                    null=True,
                    description="ONLINE: ONLINE\nPHONE: PHONE\nIN_STORE: IN_STORE",
                    enum_type=Channel,
                    max_length=30,
                ),
            ),
            ("used_store_id", fields.UUIDField(null=True)),
            ("discount_minor", fields.BigIntField()),
            ("reason", fields.TextField(null=True, unique=False)),
            ("issued_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("due_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("actor", fields.TextField(unique=False)),
        ],
        options={
            "table": "vouchers",
            "app": "tessera",
            "unique_together": (("program_id", "code"), ("program_id", "id")),
            "constraints": [
                CheckConstraint(check="(state = 'USED') = (used_at IS NOT NULL)", name="vouchers_used"),
                CheckConstraint(check="(state = 'LOCKED') = (locked_until IS NOT NULL)", name="vouchers_locked"),
                CheckConstraint(check="discount_minor >= 0", name="vouchers_discount"),
            ],
            "indexes": [
                Index(fields=["program_id", "member_id", "id"], name="vouchers_member"),
                Index(fields=["program_id", "due_at"], name="vouchers_due"),
                Index(fields=["program_id", "used_store_id", "used_at"], name="vouchers_used_store"),
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="VoucherTemplateTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("code", fields.TextField(unique=False)),
            ("name", fields.TextField(unique=False)),
            ("description", fields.TextField(null=True, unique=False)),
            ("terms", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("limit_per_member", fields.IntField(null=True)),
            ("is_active", fields.BooleanField()),
            ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "voucher_templates",
            "app": "tessera",
            "unique_together": (("program_id", "code"), ("program_id", "id")),
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
)

# Table, columns beside program_id, referred table, its columns beside program_id.
REFERENCES = (
    ("stores", "group_id", "store_groups", "id"),
    ("trade_rules", "store_id", "stores", "id"),
    ("trade_rules", "group_id", "store_groups", "id"),
    ("trade_allowances", "rule_id", "trade_rules", "id"),
    ("voucher_pools", "template_id", "voucher_templates", "id"),
    ("voucher_codes", "pool_id", "voucher_pools", "id"),
    ("points_offsets", "member_id", "points_accounts", "id"),
    ("points_offsets", "hold_id", "holds", "id"),
    ("points_offsets", "purchase_id", "purchases", "id"),
    ("rewards", "pool_id", "voucher_pools", "id"),
    ("reward_favourites", "member_id", "points_accounts", "id"),
    ("reward_favourites", "reward_id", "rewards", "id"),
    ("redemptions", "hold_id", "holds", "id"),
    ("redemptions", "fulfilled_store_id", "stores", "id"),
    ("stock_holds", "reward_id", "rewards", "id"),
    ("stock_holds", "id", "redemptions", "id"),
    ("vouchers", "member_id", "points_accounts", "id"),
    ("vouchers", "template_id", "voucher_templates", "id"),
    ("vouchers", "pool_id", "voucher_pools", "id"),
    ("vouchers", "redemption_id", "redemptions", "id"),
    ("vouchers", "purchase_id", "purchases", "id"),
    ("vouchers", "store_id", "stores", "id"),
    ("vouchers", "used_store_id", "stores", "id"),
)
# Everything else belongs to a program through one of these.
ROOTS = ("store_groups", "trade_rules", "offset_policies", "voucher_templates")
# What was fulfilled or cancelled before there were counts was so as a whole.
COUNTS = (
    "UPDATE redemptions SET fulfilled = quantity WHERE state = 'FULFILLED'",
    "UPDATE redemptions SET cancelled = quantity WHERE state = 'CANCELLED'",
)
# Before, there was only placed and cancelled to be.
STATES_BEFORE = (
    "UPDATE redemptions SET state = 'PLACED' WHERE state = 'PAID'",
    "UPDATE redemptions SET state = 'CANCELLED' WHERE state IN ('RETURNED', 'LAPSED')",
)


def _checks() -> Iterator[tuple[str, str]]:
    """The CHECKs of the new tables."""
    for operation in TABLES:
        options = operation.options or {}
        for constraint in options.get("constraints", ()):
            yield _promises.constraint_steps(options["table"], constraint)


STEPS = (
    *_checks(),
    *(_promises.reference_steps(*reference) for reference in REFERENCES),
    *(_promises.root_steps(table) for table in ROOTS),
    _promises.fact_steps("voucher_codes"),
    # Every sale rewrites one of these rows; room in the page keeps the rewrite in place.
    *(
        (f"ALTER TABLE {table} SET (fillfactor = 70)", f"ALTER TABLE {table} RESET (fillfactor)")
        for table in ("voucher_pools", "trade_allowances")
    ),
)


class Migration(migrations.Migration):
    dependencies = [("tessera", "0005_duties")]

    operations = [
        *TABLES,
        ops.AddConstraint(
            model_name="HoldTable",
            constraint=UniqueConstraint(fields=("program_id", "id"), name=None),
        ),
        AddFilledField(
            model_name="PurchaseTable",
            name="discount_minor",
            field=fields.BigIntField(),
            filled_with="0",
        ),
        AddFilledField(
            model_name="PurchaseTable",
            name="freight_discount_minor",
            field=fields.BigIntField(),
            filled_with="0",
        ),
        AddFilledField(
            model_name="PurchaseTable",
            name="voucher_ids",
            field=fields.JSONField(encoder=JSON_DUMPS, decoder=loads),
            filled_with="'[]'",
        ),
        ops.AddIndex(
            model_name="PurchaseTable",
            index=Index(fields=["program_id", "store_id", "occurred_at"], name="purchases_store"),
        ),
        ops.AddConstraint(
            model_name="PurchaseTable",
            constraint=CheckConstraint(
                check="freight_discount_minor >= 0 AND discount_minor >= freight_discount_minor",
                name="purchases_discounts",
            ),
        ),
        ops.RemoveConstraint(
            model_name="RedemptionTable",
            name="redemptions_amounts",
            fields=None,
        ),
        ops.RemoveConstraint(
            model_name="RedemptionTable",
            name="redemptions_closed",
            fields=None,
        ),
        ops.AlterField(
            model_name="RedemptionTable",
            name="state",
            field=fields.CharEnumField(
                description="PLACED: PLACED\nPAID: PAID\nFULFILLED: FULFILLED\nCANCELLED: CANCELLED\nRETURNED: RETURNED\nLAPSED: LAPSED",
                enum_type=RedemptionState,
                max_length=30,
            ),
        ),
        AddFilledField(
            model_name="RedemptionTable",
            name="cancelled",
            field=fields.IntField(),
            filled_with="0",
        ),
        ops.AddField(
            model_name="RedemptionTable",
            name="carrier",
            field=fields.TextField(null=True, unique=False),
        ),
        AddFilledField(
            model_name="RedemptionTable",
            name="cash_minor",
            field=fields.BigIntField(),
            filled_with="0",
        ),
        ops.AddField(
            model_name="RedemptionTable",
            name="delivery",
            field=fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads),
        ),
        ops.AddField(
            model_name="RedemptionTable",
            name="due_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        AddFilledField(
            model_name="RedemptionTable",
            name="fulfilled",
            field=fields.IntField(),
            filled_with="0",
        ),
        ops.AddField(
            model_name="RedemptionTable",
            name="fulfilled_store_id",
            field=fields.UUIDField(null=True),
        ),
        ops.AddField(
            model_name="RedemptionTable",
            name="hold_id",
            field=fields.UUIDField(null=True),
        ),
        ops.AddField(
            model_name="RedemptionTable",
            name="paid_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="RedemptionTable",
            name="pay_by",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="RedemptionTable",
            name="payment_reference",
            field=fields.TextField(null=True, unique=False),
        ),
        ops.AddField(
            model_name="RedemptionTable",
            name="pickup_code",
            field=fields.TextField(null=True, unique=False),
        ),
        AddFilledField(
            model_name="RedemptionTable",
            name="returned",
            field=fields.IntField(),
            filled_with="0",
        ),
        ops.AddField(
            model_name="RedemptionTable",
            name="tracking_number",
            field=fields.TextField(null=True, unique=False),
        ),
        ops.RunSQL(list(COUNTS), reverse_sql=list(STATES_BEFORE)),
        ops.AddIndex(
            model_name="RedemptionTable",
            index=Index(fields=["program_id", "due_at"], name="redemptions_due"),
        ),
        ops.AddIndex(
            model_name="RedemptionTable",
            index=Index(fields=["program_id", "store_id", "placed_at"], name="redemptions_store"),
        ),
        ops.AddConstraint(
            model_name="RedemptionTable",
            constraint=UniqueConstraint(fields=("program_id", "pickup_code"), name=None),
        ),
        ops.AddConstraint(
            model_name="RedemptionTable",
            constraint=UniqueConstraint(fields=("program_id", "id"), name=None),
        ),
        ops.AddConstraint(
            model_name="RedemptionTable",
            constraint=CheckConstraint(
                check="quantity > 0 AND points > 0 AND cash_minor >= 0", name="redemptions_amounts"
            ),
        ),
        ops.AddConstraint(
            model_name="RedemptionTable",
            constraint=CheckConstraint(
                check="(state IN ('PLACED', 'PAID')) = (closed_at IS NULL)", name="redemptions_closed"
            ),
        ),
        ops.AddConstraint(
            model_name="RedemptionTable",
            constraint=CheckConstraint(
                check="cancelled >= 0 AND returned >= 0 AND fulfilled >= returned AND fulfilled + cancelled <= quantity",
                name="redemptions_counts",
            ),
        ),
        ops.AddConstraint(
            model_name="RedemptionTable",
            constraint=CheckConstraint(
                check="due_at IS NULL OR (state = 'PLACED' AND paid_at IS NULL)", name="redemptions_unpaid"
            ),
        ),
        AddFilledField(
            model_name="RefundTable",
            name="discount_lost_minor",
            field=fields.BigIntField(),
            filled_with="0",
        ),
        ops.RemoveConstraint(
            model_name="RewardStockTable",
            name="reward_stocks_left",
            fields=None,
        ),
        ops.AddField(
            model_name="RewardStockTable",
            name="day",
            field=fields.DateField(null=True),
        ),
        AddFilledField(
            model_name="RewardStockTable",
            name="day_taken",
            field=fields.BigIntField(),
            filled_with="0",
        ),
        ops.AddConstraint(
            model_name="RewardStockTable",
            constraint=CheckConstraint(check='"left" >= 0 AND day_taken >= 0', name="reward_stocks_left"),
        ),
        ops.RemoveConstraint(
            model_name="RewardTable",
            name="rewards_points",
            fields=None,
        ),
        AddFilledField(
            model_name="RewardTable",
            name="audience",
            field=fields.JSONField(encoder=JSON_DUMPS, decoder=loads),
            filled_with='\'{"tiers":[],"tags":[],"without_tags":[],"segments":[]}\'',
        ),
        AddFilledField(
            model_name="RewardTable",
            name="cash_minor",
            field=fields.BigIntField(),
            filled_with="0",
        ),
        AddFilledField(
            model_name="RewardTable",
            name="categories",
            field=fields.JSONField(encoder=JSON_DUMPS, decoder=loads),
            filled_with="'[]'",
        ),
        ops.AddField(
            model_name="RewardTable",
            name="daily_stock",
            field=fields.BigIntField(null=True),
        ),
        AddFilledField(
            model_name="RewardTable",
            name="deliveries",
            field=fields.JSONField(encoder=JSON_DUMPS, decoder=loads),
            filled_with="'[]'",
        ),
        AddFilledField(
            model_name="RewardTable",
            name="kind",
            field=fields.CharEnumField(
                description="ITEM: ITEM\nSERVICE: SERVICE\nVOUCHER: VOUCHER\nGIFT_CARD: GIFT_CARD\nEVENT: EVENT\nTRIAL: TRIAL",
                enum_type=RewardKind,
                max_length=30,
            ),
            filled_with="'ITEM'",
        ),
        AddFilledField(
            model_name="RewardTable",
            name="limits",
            field=fields.JSONField(encoder=JSON_DUMPS, decoder=loads),
            filled_with="'[]'",
        ),
        AddFilledField(
            model_name="RewardTable",
            name="pay_minutes",
            field=fields.IntField(),
            filled_with="15",
        ),
        AddFilledField(
            model_name="RewardTable",
            name="pictures",
            field=fields.JSONField(encoder=JSON_DUMPS, decoder=loads),
            filled_with="'[]'",
        ),
        ops.AddField(
            model_name="RewardTable",
            name="pool_id",
            field=fields.UUIDField(null=True),
        ),
        AddFilledField(
            model_name="RewardTable",
            name="prices",
            field=fields.JSONField(encoder=JSON_DUMPS, decoder=loads),
            filled_with="'[]'",
        ),
        AddFilledField(
            model_name="RewardTable",
            name="store_ids",
            field=fields.JSONField(encoder=JSON_DUMPS, decoder=loads),
            filled_with="'[]'",
        ),
        AddFilledField(
            model_name="RewardTable",
            name="translations",
            field=fields.JSONField(encoder=JSON_DUMPS, decoder=loads),
            filled_with="'[]'",
        ),
        AddFilledField(
            model_name="RewardTable",
            name="unlock_points",
            field=fields.BigIntField(),
            filled_with="0",
        ),
        ops.AddField(
            model_name="RewardTable",
            name="visible_from",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="RewardTable",
            name="visible_until",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddIndex(
            model_name="RewardTable",
            index=Index(fields=["program_id", "points", "id"], name="rewards_points_order"),
        ),
        ops.AddConstraint(
            model_name="RewardTable",
            constraint=CheckConstraint(check="points > 0 AND cash_minor >= 0", name="rewards_points"),
        ),
        ops.AddField(
            model_name="StoreTable",
            name="group_id",
            field=fields.UUIDField(null=True),
        ),
        ops.RunSQL([forward for forward, _ in STEPS], reverse_sql=[backward for _, backward in reversed(STEPS)]),
    ]
