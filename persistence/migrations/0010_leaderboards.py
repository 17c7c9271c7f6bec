"""Leaderboards: what they measure, the standings that follow from facts, and the closed periods with their prizes.

Tortoise writes no CHECK of a new table: that is done here.
"""

import importlib
from collections.abc import Iterator

from tortoise import migrations
from tortoise.migrations import operations as ops
from domain.leaderboards.board import BoardMetric, BoardScope, BoardWindow
from domain.leaderboards.closing import AwardState
from orjson import loads
from tortoise.fields.data import JSON_DUMPS
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint

_promises = importlib.import_module("persistence.migrations.0002_promises")

# Table, columns beside program_id, referred table, its columns beside program_id.
REFERENCES = (
    ("leaderboards", "store_id", "stores", "id"),
    ("leaderboards", "tier_id", "tiers", "id"),
    ("leaderboards", "segment_id", "segments", "id"),
    ("leaderboard_clocks", "id", "leaderboards", "id"),
    ("leaderboard_participations", "id", "members", "id"),
    ("leaderboard_periods", "leaderboard_id", "leaderboards", "id"),
    ("leaderboard_places", "period_id", "leaderboard_periods", "id"),
    ("leaderboard_places", "member_id", "members", "id"),
    ("leaderboard_awards", "id", "leaderboard_places", "id"),
    ("leaderboard_awards", "member_id", "points_accounts", "id"),
    ("leaderboard_awards", "transaction_id", "point_transactions", "id"),
    ("leaderboard_awards", "voucher_id", "vouchers", "id"),
    ("leaderboard_awards", "redemption_id", "redemptions", "id"),
    ("standings", "leaderboard_id", "leaderboards", "id"),
)
MODELS = [
    ops.CreateModel(
        name="LeaderboardAwardTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("leaderboard_id", fields.UUIDField()),
            ("period_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("prize", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("state", fields.CharEnumField(description="DUE: DUE\nPAID: PAID", enum_type=AwardState, max_length=30)),
            ("due_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("refused", fields.TextField(null=True, unique=False)),
            ("points", fields.BigIntField()),
            ("transaction_id", fields.UUIDField(null=True)),
            ("voucher_id", fields.UUIDField(null=True)),
            ("redemption_id", fields.UUIDField(null=True)),
            ("paid_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "leaderboard_awards",
            "app": "tessera",
            "constraints": [
                CheckConstraint(
                    check="(state = 'PAID') = (paid_at IS NOT NULL) AND (state = 'PAID') = (due_at IS NULL)",
                    name="leaderboard_awards_paid",
                ),
                CheckConstraint(check="points >= 0", name="leaderboard_awards_points"),
            ],
            "indexes": [Index(fields=["program_id", "due_at"], name="leaderboard_awards_due")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="LeaderboardClockTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("open_since", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("due_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "leaderboard_clocks",
            "app": "tessera",
            "indexes": [Index(fields=["program_id", "due_at"], name="leaderboard_clocks_due")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="LeaderboardParticipationTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("is_shown", fields.BooleanField()),
            ("is_excluded", fields.BooleanField()),
            ("reason", fields.TextField(null=True, unique=False)),
            ("changed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={"table": "leaderboard_participations", "app": "tessera", "pk_attr": "id"},
        bases=["Model"],
    ),
    ops.CreateModel(
        name="LeaderboardPeriodTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("leaderboard_id", fields.UUIDField()),
            ("starts_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("ends_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("closed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "leaderboard_periods",
            "app": "tessera",
            "unique_together": (("program_id", "leaderboard_id", "starts_at"), ("program_id", "id")),
            "constraints": [CheckConstraint(check="starts_at < ends_at", name="leaderboard_periods_span")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="LeaderboardPlaceTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("leaderboard_id", fields.UUIDField()),
            ("period_id", fields.UUIDField()),
            ("place", fields.IntField()),
            ("rank", fields.IntField()),
            ("member_id", fields.UUIDField()),
            ("score", fields.BigIntField()),
            ("reached_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("prize", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
        ],
        options={
            "table": "leaderboard_places",
            "app": "tessera",
            "unique_together": (
                ("program_id", "period_id", "place"),
                ("program_id", "period_id", "member_id"),
                ("program_id", "id"),
            ),
            "constraints": [
                CheckConstraint(
                    check="place >= 1 AND rank BETWEEN 1 AND place AND score > 0", name="leaderboard_places_order"
                )
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="LeaderboardTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("code", fields.TextField(unique=False)),
            ("name", fields.TextField(unique=False)),
            (
                "metric",
                fields.CharEnumField(
                    description="POINTS_EARNED: POINTS_EARNED\nSPEND: SPEND\nPURCHASES: PURCHASES\nCHECK_IN_STREAK: CHECK_IN_STREAK\nREFERRALS: REFERRALS\nCHALLENGE_SCORE: CHALLENGE_SCORE",
                    enum_type=BoardMetric,
                    max_length=30,
                ),
            ),
            (
                "window",
                fields.CharEnumField(
                    description="DAY: DAY\nWEEK: WEEK\nMONTH: MONTH\nALL_TIME: ALL_TIME\nCAMPAIGN: CAMPAIGN",
                    enum_type=BoardWindow,
                    max_length=30,
                ),
            ),
            (
                "scope",
                fields.CharEnumField(
                    description="PROGRAM: PROGRAM\nSTORE: STORE\nTIER: TIER\nSEGMENT: SEGMENT",
                    enum_type=BoardScope,
                    max_length=30,
                ),
            ),
            ("store_id", fields.UUIDField(null=True)),
            ("tier_id", fields.UUIDField(null=True)),
            ("segment_id", fields.UUIDField(null=True)),
            ("starts_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("ends_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("size", fields.IntField()),
            ("settle_minutes", fields.IntField()),
            ("prizes", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("masks_names", fields.BooleanField()),
            ("is_active", fields.BooleanField()),
            ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "leaderboards",
            "app": "tessera",
            "unique_together": (("program_id", "code"), ("program_id", "id")),
            "constraints": [
                CheckConstraint(check="length(code) BETWEEN 1 AND 50", name="leaderboards_code"),
                CheckConstraint(check="size BETWEEN 1 AND 1000 AND settle_minutes >= 0", name="leaderboards_bounds"),
                CheckConstraint(
                    check="(\"window\" = 'CAMPAIGN') = (starts_at IS NOT NULL) AND (\"window\" = 'CAMPAIGN') = (ends_at IS NOT NULL) AND (starts_at IS NULL OR starts_at < ends_at)",
                    name="leaderboards_campaign",
                ),
                CheckConstraint(
                    check="(scope = 'STORE') = (store_id IS NOT NULL) AND (scope = 'TIER') = (tier_id IS NOT NULL) AND (scope = 'SEGMENT') = (segment_id IS NOT NULL)",
                    name="leaderboards_scope",
                ),
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="StandingTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("leaderboard_id", fields.UUIDField()),
            ("starts_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("member_id", fields.UUIDField()),
            ("score", fields.BigIntField()),
            ("reached_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "standings",
            "app": "tessera",
            "unique_together": (("program_id", "leaderboard_id", "starts_at", "member_id"),),
            "constraints": [CheckConstraint(check="score > 0", name="standings_score")],
            "pk_attr": "id",
            "table_description": "A member's row on a board in a period: what it has, and since when. Only who has something has a row.",
        },
        bases=["Model"],
    ),
]


def _checks() -> Iterator[tuple[str, str]]:
    """The CHECKs of the new tables."""
    for model in MODELS:
        options = model.options or {}
        for constraint in options.get("constraints", ()):
            yield _promises.constraint_steps(options["table"], constraint)


STEPS = (
    *_checks(),
    *(_promises.reference_steps(*reference) for reference in REFERENCES),
    _promises.root_steps("leaderboards"),
    *(_promises.fact_steps(table) for table in ("leaderboard_periods", "leaderboard_places")),
    # The order of a board: the first, and those around a place, are read in it.
    (
        "CREATE INDEX standings_order ON standings"
        " (program_id, leaderboard_id, starts_at, score DESC, reached_at, member_id)",
        "DROP INDEX standings_order",
    ),
)


class Migration(migrations.Migration):
    dependencies = [("tessera", "0009_relay")]

    operations = [
        *MODELS,
        ops.RunSQL([forward for forward, _ in STEPS], reverse_sql=[backward for _, backward in reversed(STEPS)]),
    ]
