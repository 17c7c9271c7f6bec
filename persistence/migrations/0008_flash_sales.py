"""Flash sales: what they offer, the stock of their rounds, members' claims, and who wants to be reminded."""

import importlib
from collections.abc import Iterator

from tortoise import migrations
from tortoise.migrations import operations as ops
from domain.claims import ClaimState
from domain.points.account import HoldState
from domain.stores import Channel
from orjson import loads
from tortoise.fields.data import JSON_DUMPS
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint

_promises = importlib.import_module("persistence.migrations.0002_promises")

TABLES = (
    ops.CreateModel(
        name="ClaimTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("sale_id", fields.UUIDField()),
            ("item_id", fields.UUIDField()),
            ("opens_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("stock_id", fields.UUIDField()),
            ("points", fields.BigIntField()),
            ("cash_minor", fields.BigIntField()),
            (
                "state",
                fields.CharEnumField(
                    description="HELD: HELD\nCONFIRMED: CONFIRMED\nRELEASED: RELEASED\nLAPSED: LAPSED",
                    enum_type=ClaimState,
                    max_length=30,
                ),
            ),
            ("hold_id", fields.UUIDField(null=True)),
            ("pay_by", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("due_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("redemption_id", fields.UUIDField(null=True)),
            (
                "channel",
                fields.CharEnumField(
                    description="ONLINE: ONLINE\nPHONE: PHONE\nIN_STORE: IN_STORE", enum_type=Channel, max_length=30
                ),
            ),
            ("store_id", fields.UUIDField(null=True)),
            ("claimed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("actor", fields.TextField(unique=False)),
        ],
        options={
            "table": "claims",
            "app": "tessera",
            "unique_together": (("program_id", "id"),),
            "constraints": [
                CheckConstraint(check="points > 0 AND cash_minor >= 0", name="claims_amounts"),
                CheckConstraint(
                    check="(state = 'HELD') = (due_at IS NOT NULL) AND (cash_minor > 0) = (hold_id IS NOT NULL) AND (cash_minor > 0) = (pay_by IS NOT NULL)",
                    name="claims_held",
                ),
                CheckConstraint(
                    check="(state IN ('HELD', 'CONFIRMED')) = (closed_at IS NULL) AND (state <> 'CONFIRMED' OR redemption_id IS NOT NULL) AND (state IN ('CONFIRMED', 'RELEASED') OR redemption_id IS NULL)",
                    name="claims_closed",
                ),
            ],
            "indexes": [
                Index(fields=["program_id", "member_id", "id"], name="claims_member"),
                Index(fields=["program_id", "due_at"], name="claims_due"),
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="FlashSaleHoldTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("stock_id", fields.UUIDField()),
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
            "table": "flash_sale_holds",
            "app": "tessera",
            "indexes": [Index(fields=["program_id", "stock_id", "state"], name="flash_sale_holds_stock")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="FlashSaleItemTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("sale_id", fields.UUIDField()),
            ("reward_id", fields.UUIDField()),
            ("position", fields.IntField()),
            ("points", fields.BigIntField()),
            ("cash_minor", fields.BigIntField()),
            ("stock", fields.BigIntField()),
            ("limit_per_member", fields.IntField(null=True)),
            ("shares", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("is_closed", fields.BooleanField()),
        ],
        options={
            "table": "flash_sale_items",
            "app": "tessera",
            "unique_together": (("program_id", "sale_id", "reward_id"), ("program_id", "id")),
            "constraints": [
                CheckConstraint(
                    check="points > 0 AND cash_minor >= 0 AND stock >= 0 AND position > 0 AND limit_per_member > 0",
                    name="flash_sale_items_bounds",
                )
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="FlashSaleReminderTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("sale_id", fields.UUIDField()),
            ("minutes", fields.IntField()),
            ("is_wanted", fields.BooleanField()),
            ("told_for", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("timing", fields.IntField()),
            ("due_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "flash_sale_reminders",
            "app": "tessera",
            "unique_together": (("program_id", "member_id", "sale_id"),),
            "constraints": [
                CheckConstraint(
                    check="minutes >= 0 AND (is_wanted OR due_at IS NULL)", name="flash_sale_reminders_wanted"
                )
            ],
            "indexes": [
                Index(fields=["program_id", "due_at"], name="flash_sale_reminders_due"),
                Index(fields=["program_id", "sale_id", "timing"], name="flash_sale_reminders_timing"),
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="FlashSaleStockTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("item_id", fields.UUIDField()),
            ("opens_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("tier_id", fields.UUIDField(null=True)),
            ("total", fields.BigIntField()),
            ("sold", fields.BigIntField()),
            ("held", fields.BigIntField()),
        ],
        options={
            "table": "flash_sale_stocks",
            "app": "tessera",
            "unique_together": (("program_id", "id"),),
            "constraints": [
                CheckConstraint(
                    check="sold >= 0 AND held >= 0 AND sold + held <= total", name="flash_sale_stocks_never_oversold"
                )
            ],
            "indexes": [Index(fields=["program_id", "item_id", "opens_at"], name="flash_sale_stocks_round")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="FlashSaleTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("code", fields.TextField(unique=False)),
            ("name", fields.TextField(unique=False)),
            ("description", fields.TextField(null=True, unique=False)),
            ("audience", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("starts_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("ends_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("daily", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
            ("head_starts", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("pay_minutes", fields.IntField()),
            ("is_active", fields.BooleanField()),
            ("timing", fields.IntField()),
            ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "flash_sales",
            "app": "tessera",
            "unique_together": (("program_id", "code"), ("program_id", "id")),
            "constraints": [
                CheckConstraint(
                    check="starts_at < ends_at AND pay_minutes > 0 AND timing > 0", name="flash_sales_times"
                )
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
)
# Table, columns beside program_id, referred table, its columns beside program_id.
REFERENCES = (
    ("flash_sale_items", "sale_id", "flash_sales", "id"),
    ("flash_sale_items", "reward_id", "rewards", "id"),
    ("flash_sale_stocks", "item_id", "flash_sale_items", "id"),
    ("flash_sale_stocks", "tier_id", "tiers", "id"),
    ("claims", "member_id", "points_accounts", "id"),
    ("claims", "sale_id", "flash_sales", "id"),
    ("claims", "item_id", "flash_sale_items", "id"),
    ("claims", "stock_id", "flash_sale_stocks", "id"),
    ("claims", "hold_id", "holds", "id"),
    ("claims", "redemption_id", "redemptions", "id"),
    ("claims", "store_id", "stores", "id"),
    ("flash_sale_holds", "id", "claims", "id"),
    ("flash_sale_holds", "stock_id", "flash_sale_stocks", "id"),
    ("flash_sale_reminders", "member_id", "points_accounts", "id"),
    ("flash_sale_reminders", "sale_id", "flash_sales", "id"),
)


def _checks() -> Iterator[tuple[str, str]]:
    """The CHECKs of the new tables: Tortoise keeps them in its state, and writes none of them."""
    for operation in TABLES:
        options = operation.options or {}
        for constraint in options.get("constraints", ()):
            yield _promises.constraint_steps(options["table"], constraint)


STEPS = (
    *_checks(),
    *(_promises.reference_steps(*reference) for reference in REFERENCES),
    _promises.root_steps("flash_sales"),
    # Every claim rewrites one of these rows; room in the page keeps the rewrite in place.
    ("ALTER TABLE flash_sale_stocks SET (fillfactor = 70)", "ALTER TABLE flash_sale_stocks RESET (fillfactor)"),
)


class Migration(migrations.Migration):
    dependencies = [("tessera", "0007_prizes")]

    operations = [
        *TABLES,
        ops.RunSQL([forward for forward, _ in STEPS], reverse_sql=[backward for _, backward in reversed(STEPS)]),
    ]
