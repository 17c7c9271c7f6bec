"""Lotteries: what they are and how they go, where members stand in them, draws and tickets.

Tortoise gives a new column no value in the rows there are, and writes no CHECK of a new table: both are done here.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops
from domain.chances import Payment
from domain.lotteries.lottery import LotteryKind, StockOut
from orjson import loads
from tortoise.fields.data import JSON_DUMPS
import importlib
from collections.abc import Iterator
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint


_promises = importlib.import_module("persistence.migrations.0002_promises")
AddFilledField = importlib.import_module("persistence.migrations.0006_mall").AddFilledField

TABLES = (
    ops.CreateModel(
        name="ChanceGrantTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("lottery_id", fields.UUIDField()),
            ("chances", fields.IntField()),
            ("reason", fields.TextField(unique=False)),
            ("granted_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("actor", fields.TextField(unique=False)),
        ],
        options={
            "table": "chance_grants",
            "app": "tessera",
            "constraints": [CheckConstraint(check="chances > 0", name="chance_grants_chances")],
            "indexes": [Index(fields=["program_id", "member_id", "id"], name="chance_grants_member")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="DrawTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("lottery_id", fields.UUIDField()),
            ("number", fields.BigIntField()),
            ("client_seed", fields.TextField(unique=False)),
            ("nonce", fields.TextField(unique=False)),
            ("among", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("total", fields.BigIntField()),
            ("point", fields.BigIntField()),
            ("drawn", fields.TextField(unique=False)),
            ("prize", fields.TextField(unique=False)),
            ("is_guaranteed", fields.BooleanField()),
            (
                "payment",
                fields.CharEnumField(
                    null=True,
                    description="WON: WON\nFREE: FREE\nCHANCE: CHANCE\nPOINTS: POINTS",
                    enum_type=Payment,
                    max_length=30,
                ),
            ),
            ("points", fields.BigIntField()),
            ("transaction_id", fields.UUIDField(null=True)),
            ("ticket", fields.BigIntField(null=True)),
            ("points_won", fields.BigIntField()),
            ("chances_won", fields.IntField()),
            ("voucher_id", fields.UUIDField(null=True)),
            ("redemption_id", fields.UUIDField(null=True)),
            ("owed", fields.TextField(null=True, unique=False)),
            ("drawn_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("actor", fields.TextField(unique=False)),
        ],
        options={
            "table": "draws",
            "app": "tessera",
            "unique_together": (
                ("program_id", "lottery_id", "number"),
                ("program_id", "lottery_id", "nonce"),
                ("program_id", "lottery_id", "ticket"),
            ),
            "constraints": [
                CheckConstraint(check="point BETWEEN 0 AND total - 1 AND points >= 0", name="draws_point"),
                CheckConstraint(check="(payment = 'POINTS') = (transaction_id IS NOT NULL)", name="draws_paid"),
                CheckConstraint(check="(ticket IS NULL) = (payment IS NOT NULL)", name="draws_kind"),
            ],
            "indexes": [Index(fields=["program_id", "member_id", "drawn_at", "id"], name="draws_member")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="LotteryRunTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("draws", fields.BigIntField()),
            ("tickets", fields.BigIntField()),
            ("attempts", fields.BigIntField()),
            ("spent_tickets", fields.BigIntField()),
            ("steps", fields.IntField()),
            ("published_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("due_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("closed_by", fields.TextField(null=True, unique=False)),
            ("reason", fields.TextField(null=True, unique=False)),
        ],
        options={
            "table": "lottery_runs",
            "app": "tessera",
            "unique_together": (("program_id", "id"),),
            "constraints": [
                CheckConstraint(
                    check="draws >= 0 AND tickets >= 0 AND spent_tickets BETWEEN 0 AND tickets",
                    name="lottery_runs_counts",
                ),
                CheckConstraint(
                    check="(closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL OR due_at IS NULL)",
                    name="lottery_runs_closed",
                ),
            ],
            "indexes": [Index(fields=["program_id", "due_at"], name="lottery_runs_due")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="LotterySeedTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("seed", fields.TextField(unique=False)),
        ],
        options={
            "table": "lottery_seeds",
            "app": "tessera",
            "constraints": [CheckConstraint(check="seed ~ '^[0-9a-f]{64}$'", name="lottery_seeds_seed")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="LotteryStandingTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("lottery_id", fields.UUIDField()),
            ("chances", fields.IntField()),
            ("won_chances", fields.IntField()),
            ("draws", fields.IntField()),
            ("dry_draws", fields.IntField()),
            ("tickets", fields.IntField()),
            ("wins", fields.IntField()),
            ("day", fields.DateField(null=True)),
            ("free_used", fields.IntField()),
            ("day_played", fields.IntField()),
            ("week_played", fields.IntField()),
            ("month_played", fields.IntField()),
            ("year_played", fields.IntField()),
            ("played", fields.IntField()),
        ],
        options={
            "table": "lottery_standings",
            "app": "tessera",
            "unique_together": (("program_id", "lottery_id", "member_id"),),
            "constraints": [
                CheckConstraint(
                    check="chances >= 0 AND won_chances >= 0 AND dry_draws >= 0 AND free_used >= 0 AND wins BETWEEN 0 AND tickets",
                    name="lottery_standings_counts",
                )
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="LotteryTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("code", fields.TextField(unique=False)),
            ("name", fields.TextField(unique=False)),
            (
                "kind",
                fields.CharEnumField(
                    description="INSTANT: INSTANT\nTICKETED: TICKETED", enum_type=LotteryKind, max_length=30
                ),
            ),
            ("rules", fields.TextField(unique=False)),
            ("prizes", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("points", fields.BigIntField(null=True)),
            ("free_per_day", fields.IntField()),
            ("limits", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("audience", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("schedule", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("starts_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("ends_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            (
                "stock_out",
                fields.CharEnumField(
                    description="RENORMALISE: RENORMALISE\nFALLBACK: FALLBACK", enum_type=StockOut, max_length=30
                ),
            ),
            ("fallback", fields.TextField(null=True, unique=False)),
            ("guarantee_every", fields.IntField(null=True)),
            ("guarantee_rank", fields.IntField(null=True)),
            ("wins_per_member", fields.IntField()),
            ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("published_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("seed_hash", fields.TextField(null=True, unique=False)),
            ("table_hash", fields.TextField(null=True, unique=False)),
        ],
        options={
            "table": "lotteries",
            "app": "tessera",
            "unique_together": (("program_id", "code"), ("program_id", "id")),
            "constraints": [
                CheckConstraint(check="points IS NULL OR points > 0", name="lotteries_points"),
                CheckConstraint(
                    check="(published_at IS NULL) = (seed_hash IS NULL) AND (published_at IS NULL) = (table_hash IS NULL)",
                    name="lotteries_hashes",
                ),
                CheckConstraint(
                    check="(guarantee_every IS NULL) = (guarantee_rank IS NULL) AND (kind <> 'TICKETED' OR ends_at IS NOT NULL)",
                    name="lotteries_whole",
                ),
                CheckConstraint(
                    check="NOT jsonb_path_exists(prizes, '$[*] ? (@.weight < 1)')", name="lotteries_weights"
                ),
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="LotteryTicketTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("lottery_id", fields.UUIDField()),
            ("number", fields.BigIntField()),
            (
                "payment",
                fields.CharEnumField(
                    description="WON: WON\nFREE: FREE\nCHANCE: CHANCE\nPOINTS: POINTS", enum_type=Payment, max_length=30
                ),
            ),
            ("points", fields.BigIntField()),
            ("transaction_id", fields.UUIDField(null=True)),
            ("taken_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("actor", fields.TextField(unique=False)),
        ],
        options={
            "table": "lottery_tickets",
            "app": "tessera",
            "unique_together": (("program_id", "lottery_id", "number"),),
            "constraints": [
                CheckConstraint(
                    check="(payment = 'POINTS') = (transaction_id IS NOT NULL)", name="lottery_tickets_paid"
                )
            ],
            "indexes": [
                Index(fields=["program_id", "member_id", "taken_at", "number", "id"], name="lottery_tickets_member")
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="PrizeStockTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("lottery_id", fields.UUIDField()),
            ("code", fields.TextField(unique=False)),
            ("left", fields.BigIntField(null=True)),
            ("won", fields.BigIntField()),
            ("day", fields.DateField(null=True)),
            ("day_won", fields.BigIntField()),
        ],
        options={
            "table": "prize_stocks",
            "app": "tessera",
            "unique_together": (("program_id", "lottery_id", "code"),),
            "constraints": [
                CheckConstraint(check='("left" IS NULL OR "left" >= 0) AND won >= day_won', name="prize_stocks_left")
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
)
REFERENCES = (
    ("lottery_seeds", "id", "lotteries", "id"),
    ("lottery_runs", "id", "lotteries", "id"),
    ("prize_stocks", "lottery_id", "lottery_runs", "id"),
    ("lottery_standings", "member_id", "points_accounts", "id"),
    ("lottery_standings", "lottery_id", "lottery_runs", "id"),
    ("chance_grants", "member_id", "points_accounts", "id"),
    ("chance_grants", "lottery_id", "lottery_runs", "id"),
    ("lottery_tickets", "member_id", "points_accounts", "id"),
    ("lottery_tickets", "lottery_id", "lottery_runs", "id"),
    ("lottery_tickets", "transaction_id", "point_transactions", "id"),
    ("draws", "member_id", "points_accounts", "id"),
    ("draws", "lottery_id", "lottery_runs", "id"),
    ("draws", "transaction_id", "point_transactions", "id"),
    ("draws", "voucher_id", "vouchers", "id"),
    ("draws", "redemption_id", "redemptions", "id"),
)
FACTS = ("lottery_seeds", "chance_grants", "lottery_tickets", "draws")
# What was hashed is held to by the database too (D4).
KEEP_PUBLISHED = (
    """
CREATE FUNCTION keep_published_lotteries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the lottery % is published and never changes', OLD.code
        USING ERRCODE = 'integrity_constraint_violation';
END $$
""",
    "CREATE TRIGGER lotteries_are_kept BEFORE UPDATE ON lotteries FOR EACH ROW"
    " WHEN (OLD.published_at IS NOT NULL AND OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION keep_published_lotteries()",
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
    _promises.root_steps("lotteries"),
    *(_promises.fact_steps(table) for table in FACTS),
    (KEEP_PUBLISHED[0], "DROP FUNCTION keep_published_lotteries()"),
    (KEEP_PUBLISHED[1], "DROP TRIGGER lotteries_are_kept ON lotteries"),
    # Every draw rewrites one of these rows; room in the page keeps the rewrite in place.
    *(
        (f"ALTER TABLE {table} SET (fillfactor = 70)", f"ALTER TABLE {table} RESET (fillfactor)")
        for table in ("lottery_runs", "prize_stocks", "lottery_standings")
    ),
)


class Migration(migrations.Migration):
    dependencies = [("tessera", "0011_check_ins")]

    operations = [
        *TABLES,
        AddFilledField(
            model_name="ProgramTable",
            name="prize_value_max_minor",
            field=fields.BigIntField(),
            filled_with="5000000",
        ),
        ops.RunSQL([forward for forward, _ in STEPS], reverse_sql=[backward for _, backward in reversed(STEPS)]),
    ]
