"""Rules that earn: versions with campaigns, counts and budgets, grants and activities; tiers in full.

What changes tables that hold rows already stands in `CHANGES`, in SQL, because Tortoise gives a new column no value for
them; `Noted` tells the state of it.
"""

import importlib
from typing import Any

from domain.earning.rules import Period, Trigger
from domain.points.account import SourceType
from domain.stores import Channel
from domain.tiers.standing import TierCause
from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.data import JSON_DUMPS
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint
from uuid import uuid4

_promises = importlib.import_module("persistence.migrations.0002_promises")

REFERENCES = (
    ("points_accounts", "earned_tier_id", "tiers", "id"),
    ("points_accounts", "manual_tier_id", "tiers", "id"),
    ("qualifying_entries", "member_id", "points_accounts", "id"),
    ("tier_changes", "member_id", "points_accounts", "id"),
    ("tier_changes", "tier_id", "tiers", "id"),
    ("tier_changes", "tier_id_before", "tiers", "id"),
    ("earning_counts", "member_id", "points_accounts", "id"),
    ("grants", "member_id", "points_accounts", "id"),
    ("activities", "member_id", "points_accounts", "id"),
    ("activities", "store_id", "stores", "id"),
)
FACTS = ("qualifying_entries", "tier_changes", "grants")


def _column(table: str, name: str, sql_type: str, value: str | None = None) -> tuple[tuple[str, str], ...]:
    """A new column; `value` is what rows have in it that are there already, None: nothing, and it may stay empty."""
    told = "" if value is None else f" NOT NULL DEFAULT {value}"
    added = (f"ALTER TABLE {table} ADD COLUMN {name} {sql_type}{told}", f"ALTER TABLE {table} DROP COLUMN {name}")
    if value is None:
        return (added,)
    return (added, (f"ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT", "SELECT 1"))


def _check(table: str, name: str, check: str) -> tuple[str, str]:
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({check})",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


TIERS_FOR_LIFE = (
    '\'{"metric": "QUALIFYING_POINTS", "window": "LIFETIME", "months": null, "validity_days": null,'
    ' "downgrade": "NONE", "grace_days": 0}\''
)
NO_BENEFITS = '\'{"discount_bp": 0, "birthday_points": 0, "upgrade_points": 0, "head_start_minutes": 0, "perks": []}\''

# What purchases that are there already earned, by the transactions of it.
EARNED_BEFORE = """
UPDATE purchases SET earned = told.earned FROM (
    SELECT source_id, jsonb_agg(jsonb_build_object(
        'rule', rule, 'points', amount, 'requested', amount, 'limited_by', NULL) ORDER BY sequence) AS earned
    FROM point_transactions WHERE kind = 'EARN' AND source_type = 'PURCHASE' GROUP BY source_id
) AS told WHERE purchases.id = told.source_id
"""
# What was paid in all for the lines that earn, less what was refunded of them, by purchase.
REMAINING = """
CREATE TEMPORARY TABLE remaining ON COMMIT DROP AS
SELECT purchases.id, purchases.program_id, purchases.member_id, purchases.occurred_at,
    (purchases.occurred_at AT TIME ZONE programs.time_zone)::date AS day,
    coalesce((SELECT sum((line->>'amount_minor')::bigint - (line->>'offset_minor')::bigint)
        FROM jsonb_array_elements(purchases.lines) AS line WHERE (line->>'earns')::boolean), 0)
    - coalesce((SELECT sum((part->>'amount_minor')::bigint - (part->>'offset_minor')::bigint)
        FROM refunds CROSS JOIN jsonb_array_elements(refunds.lines) AS part
        JOIN jsonb_array_elements(purchases.lines) AS line ON line->>'number' = part->>'number'
        WHERE refunds.program_id = purchases.program_id AND refunds.purchase_id = purchases.id
        AND (line->>'earns')::boolean), 0) AS spend_minor
FROM purchases JOIN programs ON programs.id = purchases.program_id
"""
ACCOUNTS_BEFORE = """
UPDATE points_accounts SET enrolled_at = members.enrolled_at, earned_tier_id = tier_id
FROM members WHERE members.program_id = points_accounts.program_id AND members.id = points_accounts.id
"""
PURCHASES_BEFORE = """
UPDATE points_accounts SET spend_minor = told.spend_minor, purchases = told.purchases, last_purchase_at = told.last
FROM (
    SELECT member_id, sum(spend_minor) AS spend_minor, count(*) FILTER (WHERE spend_minor > 0) AS purchases,
        max(occurred_at) AS last
    FROM remaining GROUP BY member_id
) AS told WHERE points_accounts.id = told.member_id
"""
# Points that became available by earning, on the day they were earned, less what was taken back of them.
COUNTED_BEFORE = """
CREATE TEMPORARY TABLE counted ON COMMIT DROP AS
WITH earned AS (
    SELECT lots.program_id, lots.member_id, lots.earned_at,
        CASE WHEN activated.amount IS NOT NULL THEN activated.amount
            WHEN lots.state IN ('PENDING', 'CANCELLED') THEN 0 ELSE lots.amount END AS points
    FROM lots JOIN point_transactions AS earning ON earning.id = lots.transaction_id AND earning.kind = 'EARN'
    LEFT JOIN LATERAL (
        SELECT sum(draw.amount) AS amount FROM lot_draws AS draw
        JOIN point_transactions AS activation ON activation.id = draw.transaction_id AND activation.kind = 'ACTIVATE'
        WHERE draw.program_id = lots.program_id AND draw.lot_id = lots.id
    ) AS activated ON true
), taken AS (
    SELECT reversal.program_id, reversal.member_id, earning.occurred_at AS earned_at, reversal.amount AS points
    FROM point_transactions AS reversal JOIN point_transactions AS earning ON earning.id = reversal.reverses
    WHERE reversal.kind = 'REVERSE' AND reversal.source_type <> 'SHORTFALL'
    UNION ALL
    SELECT shortfalls.program_id, shortfalls.member_id, earning.occurred_at, -shortfalls.amount
    FROM shortfalls JOIN point_transactions AS earning ON earning.id = shortfalls.reverses
)
SELECT moved.program_id, moved.member_id, (moved.earned_at AT TIME ZONE programs.time_zone)::date AS day,
    sum(moved.points)::bigint AS points
FROM (SELECT * FROM earned UNION ALL SELECT * FROM taken) AS moved JOIN programs ON programs.id = moved.program_id
GROUP BY 1, 2, 3
"""
# The id of a member's year, as `domain.points.qualifying.year_of` derives it.
YEAR_ID = (
    "encode(substring(sha256(uuid_send(member_id) || convert_to(extract(year FROM day)::text, 'UTF8')), 1, 16), 'hex')"
)
ENTRIES_BEFORE = f"""
INSERT INTO qualifying_entries (id, program_id, member_id, year_id, day, points, spend_minor, purchases)
SELECT gen_random_uuid(), program_id, member_id, {YEAR_ID}::uuid, day,
    sum(points), sum(spend_minor), sum(purchases)
FROM (
    SELECT program_id, member_id, day, points, 0 AS spend_minor, 0 AS purchases FROM counted
    UNION ALL
    SELECT program_id, member_id, day, 0, spend_minor, (spend_minor > 0)::integer FROM remaining
    UNION ALL
    -- What the rows above do not explain is kept on the day of joining, so that sums are what they were.
    SELECT accounts.program_id, accounts.id, (accounts.enrolled_at AT TIME ZONE programs.time_zone)::date,
        accounts.qualifying_points - coalesce((SELECT sum(points) FROM counted WHERE counted.member_id = accounts.id), 0),
        0, 0
    FROM points_accounts AS accounts JOIN programs ON programs.id = accounts.program_id
) AS parts GROUP BY program_id, member_id, day
HAVING sum(points) <> 0 OR sum(spend_minor) <> 0 OR sum(purchases) <> 0
"""

CHANGES = (
    *_column("earning_rules", "campaigns", "jsonb", "'[]'"),
    *_column("programs", "categories", "jsonb", "'[]'"),
    *_column("programs", "ladder_version", "integer", "1"),
    *_column("programs", "tier_policy", "jsonb", TIERS_FOR_LIFE),
    (
        "ALTER TABLE programs DROP COLUMN rules",
        "ALTER TABLE programs ADD COLUMN rules jsonb;"
        " UPDATE programs SET rules = kept.rules FROM earning_rules AS kept"
        " WHERE kept.program_id = programs.id AND kept.version = programs.rule_version;"
        " ALTER TABLE programs ALTER COLUMN rules SET NOT NULL",
    ),
    *_column("purchases", "discount_bp", "integer", "0"),
    *_column("purchases", "earned", "jsonb", "'[]'"),
    *_column("purchases", "facts", "jsonb"),
    (EARNED_BEFORE, "SELECT 1"),
    (
        "ALTER TABLE tiers DROP CONSTRAINT tiers_qualifying_points",
        "ALTER TABLE tiers ADD CONSTRAINT tiers_qualifying_points CHECK (qualifying_points >= 0)",
    ),
    (
        "ALTER TABLE tiers RENAME COLUMN qualifying_points TO threshold",
        "ALTER TABLE tiers RENAME COLUMN threshold TO qualifying_points",
    ),
    *_column("tiers", "benefits", "jsonb", NO_BENEFITS),
    *_column("tiers", "keep_threshold", "bigint"),
    _check("tiers", "tiers_threshold", "threshold >= 0 AND keep_threshold >= 0"),
    *_column("points_accounts", "earned_tier_id", "uuid"),
    *_column("points_accounts", "enrolled_at", "timestamptz", "'epoch'"),
    *_column("points_accounts", "last_purchase_at", "timestamptz"),
    *_column("points_accounts", "manual_tier_id", "uuid"),
    *_column("points_accounts", "manual_tier_until", "timestamptz"),
    *_column("points_accounts", "purchases", "integer", "0"),
    *_column("points_accounts", "spend_minor", "bigint", "0"),
    *_column("points_accounts", "tier_grace_until", "timestamptz"),
    *_column("points_accounts", "tier_since", "timestamptz"),
    *_column("points_accounts", "tier_valid_until", "timestamptz"),
    (ACCOUNTS_BEFORE, "SELECT 1"),
    (REMAINING, "SELECT 1"),
    (PURCHASES_BEFORE, "SELECT 1"),
    (COUNTED_BEFORE, "SELECT 1"),
    (ENTRIES_BEFORE, "SELECT 1"),
    (
        "CREATE INDEX points_accounts_tier_ends ON points_accounts (program_id, tier_valid_until)",
        "DROP INDEX points_accounts_tier_ends",
    ),
    _check("points_accounts", "points_accounts_purchases", "spend_minor >= 0 AND purchases >= 0"),
    _check(
        "points_accounts",
        "points_accounts_tier_in_force",
        "tier_id IS NOT DISTINCT FROM coalesce(manual_tier_id, earned_tier_id)",
    ),
    (
        # Whose birthday it is, asked once a day for every program.
        "CREATE INDEX members_birthday ON members"
        " (program_id, (extract(month FROM birthday) * 100 + extract(day FROM birthday)), id)"
        " WHERE birthday IS NOT NULL",
        "DROP INDEX members_birthday",
    ),
)


class Noted(ops.TortoiseOperation):
    """An operation that the state takes note of; its SQL stands in `CHANGES`."""

    def __init__(self, operation: ops.TortoiseOperation) -> None:
        self.operation = operation

    def describe(self) -> str:
        return self.operation.describe()

    def state_forward(self, app_label: str, state: Any) -> None:
        self.operation.state_forward(app_label, state)

    async def database_forward(self, *_: Any, **__: Any) -> None:
        """Done by `CHANGES`."""

    async def database_backward(self, *_: Any, **__: Any) -> None:
        """Done by `CHANGES`."""


NEW_TABLES = (
    ops.CreateModel(
        name="ActivityTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("key", fields.TextField(unique=False)),
            ("type", fields.TextField(unique=False)),
            ("external_id", fields.TextField(unique=False)),
            ("store_id", fields.UUIDField(null=True)),
            (
                "channel",
                fields.CharEnumField(
                    description="ONLINE: ONLINE\nPHONE: PHONE\nIN_STORE: IN_STORE", enum_type=Channel, max_length=30
                ),
            ),
            ("data", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("rule_version", fields.IntField()),
            ("facts", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("earned", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("points_earned", fields.BigIntField()),
            ("earning_id", fields.UUIDField(null=True)),
            ("points_taken_back", fields.BigIntField()),
            ("reversed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("reason", fields.TextField(null=True, unique=False)),
            ("occurred_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("actor", fields.TextField(unique=False)),
        ],
        options={
            "table": "activities",
            "app": "tessera",
            "unique_together": (("program_id", "key"),),
            "constraints": [
                CheckConstraint(
                    check="points_earned >= 0 AND points_taken_back >= 0 AND points_taken_back <= points_earned",
                    name="activities_points",
                ),
                CheckConstraint(check="points_taken_back = 0 OR reversed_at IS NOT NULL", name="activities_reversed"),
            ],
            "indexes": [Index(fields=["program_id", "member_id", "occurred_at", "id"], name="activities_member")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="CampaignBudgetTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("campaign", fields.TextField(unique=False)),
            ("points", fields.BigIntField()),
        ],
        options={
            "table": "campaign_budgets",
            "app": "tessera",
            "unique_together": (("program_id", "campaign"),),
            "constraints": [CheckConstraint(check="points >= 0", name="campaign_budgets_not_negative")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="EarningCountTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("rule", fields.TextField(unique=False)),
            (
                "period",
                fields.CharEnumField(
                    description="DAY: DAY\nWEEK: WEEK\nMONTH: MONTH\nYEAR: YEAR\nLIFETIME: LIFETIME",
                    enum_type=Period,
                    max_length=30,
                ),
            ),
            ("starts_on", fields.DateField()),
            ("points", fields.BigIntField()),
            ("times", fields.IntField()),
        ],
        options={
            "table": "earning_counts",
            "app": "tessera",
            "unique_together": (("program_id", "member_id", "rule", "period", "starts_on"),),
            "constraints": [CheckConstraint(check="points >= 0 AND times >= 0", name="earning_counts_not_negative")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="GrantTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            (
                "trigger",
                fields.CharEnumField(
                    description="\n".join(f"{trigger}: {trigger}" for trigger in Trigger),
                    enum_type=Trigger,
                    max_length=30,
                ),
            ),
            ("occasion", fields.TextField(unique=False)),
            ("rule_version", fields.IntField()),
            ("facts", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("earned", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("points", fields.BigIntField()),
            ("occurred_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("actor", fields.TextField(unique=False)),
        ],
        options={
            "table": "grants",
            "app": "tessera",
            "unique_together": (("program_id", "member_id", "trigger", "occasion"),),
            "constraints": [CheckConstraint(check="points >= 0", name="grants_points")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="QualifyingEntryTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("year_id", fields.UUIDField()),
            ("day", fields.DateField()),
            ("points", fields.BigIntField()),
            ("spend_minor", fields.BigIntField()),
            ("purchases", fields.IntField()),
        ],
        options={
            "table": "qualifying_entries",
            "app": "tessera",
            "indexes": [Index(fields=["program_id", "year_id"], name="qualifying_entries_year")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="TierChangeTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("tier_id", fields.UUIDField(null=True)),
            ("tier_id_before", fields.UUIDField(null=True)),
            (
                "cause",
                fields.CharEnumField(
                    description="REACHED: REACHED\nKEPT: KEPT\nSTAYED: STAYED\nGRACE: GRACE\nLOST: LOST\nSET: SET\nSET_ENDED: SET_ENDED\nREVIEWED: REVIEWED",
                    enum_type=TierCause,
                    max_length=30,
                ),
            ),
            ("metric", fields.BigIntField()),
            ("valid_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("reason", fields.TextField(null=True, unique=False)),
            ("actor", fields.TextField(unique=False)),
            ("occurred_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "tier_changes",
            "app": "tessera",
            "indexes": [Index(fields=["program_id", "member_id", "occurred_at", "id"], name="tier_changes_member")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
)
NOTED = (
    ops.AddField(
        model_name="EarningRulesTable",
        name="campaigns",
        field=fields.JSONField(encoder=JSON_DUMPS, decoder=loads),
    ),
    ops.AlterField(
        model_name="LotTable",
        name="source_type",
        field=fields.CharEnumField(
            description="PURCHASE: PURCHASE\nREFUND: REFUND\nREDEMPTION: REDEMPTION\nSIGN_UP: SIGN_UP\nADJUSTMENT: ADJUSTMENT\nTRANSFER: TRANSFER\nHOLD: HOLD\nLOT: LOT\nACTIVITY: ACTIVITY\nGRANT: GRANT\nSHORTFALL: SHORTFALL",
            enum_type=SourceType,
            max_length=30,
        ),
    ),
    ops.AlterField(
        model_name="PointTransactionTable",
        name="source_type",
        field=fields.CharEnumField(
            description="PURCHASE: PURCHASE\nREFUND: REFUND\nREDEMPTION: REDEMPTION\nSIGN_UP: SIGN_UP\nADJUSTMENT: ADJUSTMENT\nTRANSFER: TRANSFER\nHOLD: HOLD\nLOT: LOT\nACTIVITY: ACTIVITY\nGRANT: GRANT\nSHORTFALL: SHORTFALL",
            enum_type=SourceType,
            max_length=30,
        ),
    ),
    ops.AddField(
        model_name="PointsAccountTable",
        name="earned_tier_id",
        field=fields.UUIDField(null=True),
    ),
    ops.AddField(
        model_name="PointsAccountTable",
        name="enrolled_at",
        field=fields.DatetimeField(auto_now=False, auto_now_add=False),
    ),
    ops.AddField(
        model_name="PointsAccountTable",
        name="last_purchase_at",
        field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
    ),
    ops.AddField(
        model_name="PointsAccountTable",
        name="manual_tier_id",
        field=fields.UUIDField(null=True),
    ),
    ops.AddField(
        model_name="PointsAccountTable",
        name="manual_tier_until",
        field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
    ),
    ops.AddField(
        model_name="PointsAccountTable",
        name="purchases",
        field=fields.IntField(),
    ),
    ops.AddField(
        model_name="PointsAccountTable",
        name="spend_minor",
        field=fields.BigIntField(),
    ),
    ops.AddField(
        model_name="PointsAccountTable",
        name="tier_grace_until",
        field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
    ),
    ops.AddField(
        model_name="PointsAccountTable",
        name="tier_since",
        field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
    ),
    ops.AddField(
        model_name="PointsAccountTable",
        name="tier_valid_until",
        field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
    ),
    ops.AddIndex(
        model_name="PointsAccountTable",
        index=Index(fields=["program_id", "tier_valid_until"], name="points_accounts_tier_ends"),
    ),
    ops.AddConstraint(
        model_name="PointsAccountTable",
        constraint=CheckConstraint(check="spend_minor >= 0 AND purchases >= 0", name="points_accounts_purchases"),
    ),
    ops.AddConstraint(
        model_name="PointsAccountTable",
        constraint=CheckConstraint(
            check="tier_id IS NOT DISTINCT FROM coalesce(manual_tier_id, earned_tier_id)",
            name="points_accounts_tier_in_force",
        ),
    ),
    ops.RemoveField(model_name="ProgramTable", name="rules"),
    ops.AddField(
        model_name="ProgramTable", name="categories", field=fields.JSONField(encoder=JSON_DUMPS, decoder=loads)
    ),
    ops.AddField(
        model_name="ProgramTable",
        name="ladder_version",
        field=fields.IntField(),
    ),
    ops.AddField(
        model_name="ProgramTable",
        name="tier_policy",
        field=fields.JSONField(encoder=JSON_DUMPS, decoder=loads),
    ),
    ops.AddField(
        model_name="PurchaseTable",
        name="discount_bp",
        field=fields.IntField(),
    ),
    ops.AddField(
        model_name="PurchaseTable",
        name="earned",
        field=fields.JSONField(encoder=JSON_DUMPS, decoder=loads),
    ),
    ops.AddField(
        model_name="PurchaseTable",
        name="facts",
        field=fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads),
    ),
    ops.AlterField(
        model_name="ShortfallTable",
        name="source_type",
        field=fields.CharEnumField(
            description="PURCHASE: PURCHASE\nREFUND: REFUND\nREDEMPTION: REDEMPTION\nSIGN_UP: SIGN_UP\nADJUSTMENT: ADJUSTMENT\nTRANSFER: TRANSFER\nHOLD: HOLD\nLOT: LOT\nACTIVITY: ACTIVITY\nGRANT: GRANT\nSHORTFALL: SHORTFALL",
            enum_type=SourceType,
            max_length=30,
        ),
    ),
    ops.RemoveConstraint(
        model_name="TierTable",
        name="tiers_qualifying_points",
        fields=None,
    ),
    ops.RenameField(
        model_name="TierTable",
        old_name="qualifying_points",
        new_name="threshold",
    ),
    ops.AddField(
        model_name="TierTable",
        name="benefits",
        field=fields.JSONField(encoder=JSON_DUMPS, decoder=loads),
    ),
    ops.AddField(
        model_name="TierTable",
        name="keep_threshold",
        field=fields.BigIntField(null=True),
    ),
    ops.AddConstraint(
        model_name="TierTable",
        constraint=CheckConstraint(check="threshold >= 0 AND keep_threshold >= 0", name="tiers_threshold"),
    ),
)
PROMISES = (
    *(
        _promises.constraint_steps(options["table"], constraint)
        for options in (table.options or {} for table in NEW_TABLES)
        for constraint in options.get("constraints", ())
    ),
    *(_promises.reference_steps(*reference) for reference in REFERENCES),
    _promises.root_steps("campaign_budgets"),
    *(_promises.fact_steps(table) for table in FACTS),
)


def _sql(steps: tuple[tuple[str, str], ...]) -> ops.RunSQL:
    return ops.RunSQL([forward for forward, _ in steps], reverse_sql=[backward for _, backward in reversed(steps)])


class Migration(migrations.Migration):
    dependencies = [("tessera", "0003_segments")]

    operations = [*NEW_TABLES, _sql(CHANGES), *map(Noted, NOTED), _sql(PROMISES)]
