"""Group deals: their units, the groups that fill up, and the seats in them."""

import importlib
from collections.abc import Iterator
from uuid import uuid4

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.data import JSON_DUMPS
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint

from domain.group_deals.group import GroupState, SeatState
from domain.stores import Channel

_promises = importlib.import_module("persistence.migrations.0002_promises")

TABLES = (
    ops.CreateModel(
        name="DealGroupTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("deal_id", fields.UUIDField()),
            ("code", fields.TextField(unique=False)),
            ("reward_id", fields.UUIDField()),
            ("points", fields.BigIntField()),
            ("size", fields.IntField()),
            ("member_ids", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            (
                "state",
                fields.CharEnumField(
                    description="OPEN: OPEN\nFILLED: FILLED\nFAILED: FAILED", enum_type=GroupState, max_length=30
                ),
            ),
            ("opened_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("lapses_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("due_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "deal_groups",
            "app": "tessera",
            "unique_together": (("program_id", "code"), ("program_id", "id")),
            "constraints": [
                CheckConstraint(
                    check="points > 0 AND CASE state WHEN 'FILLED' THEN jsonb_array_length(member_ids) = size WHEN 'OPEN' THEN jsonb_array_length(member_ids) BETWEEN 1 AND size - 1 ELSE jsonb_array_length(member_ids) < size END",
                    name="deal_groups_seats",
                ),
                CheckConstraint(
                    check="(state = 'OPEN') = (ended_at IS NULL) AND (state <> 'OPEN' OR due_at IS NOT NULL) AND (state <> 'FILLED' OR due_at IS NULL)",
                    name="deal_groups_ended",
                ),
            ],
            "indexes": [
                Index(fields=["program_id", "deal_id", "state", "lapses_at", "id"], name="deal_groups_open"),
                Index(fields=["program_id", "due_at"], name="deal_groups_due"),
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="DealSeatTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("group_id", fields.UUIDField()),
            ("deal_id", fields.UUIDField()),
            (
                "state",
                fields.CharEnumField(
                    description="HELD: HELD\nREDEEMED: REDEEMED\nLEFT: LEFT\nDROPPED: DROPPED\nLAPSED: LAPSED",
                    enum_type=SeatState,
                    max_length=30,
                ),
            ),
            ("is_opener", fields.BooleanField()),
            ("hold_id", fields.UUIDField()),
            (
                "channel",
                fields.CharEnumField(
                    description="ONLINE: ONLINE\nPHONE: PHONE\nIN_STORE: IN_STORE", enum_type=Channel, max_length=30
                ),
            ),
            ("store_id", fields.UUIDField(null=True)),
            ("redemption_id", fields.UUIDField(null=True)),
            ("joined_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("lapses_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("actor", fields.TextField(unique=False)),
        ],
        options={
            "table": "deal_seats",
            "app": "tessera",
            "unique_together": (
                ("program_id", "group_id", "member_id"),
                ("program_id", "hold_id"),
                ("program_id", "redemption_id"),
            ),
            "constraints": [
                CheckConstraint(
                    check="(state = 'REDEEMED') = (redemption_id IS NOT NULL) AND (state = 'HELD') = (ended_at IS NULL)",
                    name="deal_seats_ended",
                )
            ],
            "indexes": [Index(fields=["program_id", "member_id", "id"], name="deal_seats_member")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="GroupDealStockTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("units", fields.BigIntField(null=True)),
            ("held", fields.BigIntField()),
            ("sold", fields.BigIntField()),
        ],
        options={
            "table": "group_deal_stocks",
            "app": "tessera",
            "constraints": [
                CheckConstraint(
                    check="held >= 0 AND sold >= 0 AND (units IS NULL OR held + sold <= units)",
                    name="group_deal_stocks_are_whole",
                )
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="GroupDealTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("code", fields.TextField(unique=False)),
            ("name", fields.TextField(unique=False)),
            ("reward_id", fields.UUIDField()),
            ("points", fields.BigIntField()),
            ("size", fields.IntField()),
            ("minutes", fields.IntField()),
            ("audience", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("limit_per_member", fields.IntField(null=True)),
            ("is_active", fields.BooleanField()),
            ("starts_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("ends_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "group_deals",
            "app": "tessera",
            "unique_together": (("program_id", "code"), ("program_id", "id")),
            "constraints": [
                CheckConstraint(check="points > 0 AND size BETWEEN 2 AND 50 AND minutes > 0", name="group_deals_bounds")
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
)
# Table, columns beside program_id, referred table, its columns beside program_id.
REFERENCES = (
    ("group_deals", "reward_id", "rewards", "id"),
    ("group_deal_stocks", "id", "group_deals", "id"),
    ("deal_groups", "deal_id", "group_deals", "id"),
    ("deal_groups", "reward_id", "rewards", "id"),
    ("deal_seats", "member_id", "points_accounts", "id"),
    ("deal_seats", "group_id", "deal_groups", "id"),
    ("deal_seats", "deal_id", "group_deals", "id"),
    ("deal_seats", "hold_id", "holds", "id"),
    ("deal_seats", "store_id", "stores", "id"),
    ("deal_seats", "redemption_id", "redemptions", "id"),
)


def _checks() -> Iterator[tuple[str, str]]:
    """The CHECKs of the new tables, of which Tortoise writes none."""
    for operation in TABLES:
        options = operation.options or {}
        for constraint in options.get("constraints", ()):
            yield _promises.constraint_steps(options["table"], constraint)


STEPS = (
    *_checks(),
    *(_promises.reference_steps(*reference) for reference in REFERENCES),
    # Every seat rewrites one of these rows; room in the page keeps the rewrite in place.
    *(
        (f"ALTER TABLE {table} SET (fillfactor = 70)", f"ALTER TABLE {table} RESET (fillfactor)")
        for table in ("group_deal_stocks", "deal_groups")
    ),
)


class Migration(migrations.Migration):
    dependencies = [("tessera", "0014_referrals")]

    operations = [
        *TABLES,
        ops.RunSQL([forward for forward, _ in STEPS], reverse_sql=[backward for _, backward in reversed(STEPS)]),
    ]
