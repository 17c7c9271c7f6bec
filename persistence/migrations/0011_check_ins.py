"""Sign-in: activities, streaks, the days that were signed, and make-up cards."""

import importlib
from collections.abc import Iterator

from tortoise import migrations
from tortoise.migrations import operations as ops
from domain.check_ins.activity import CheckInCycle
from domain.check_ins.cards import CardSource
from domain.check_ins.check_in import MakeUpPayment
from orjson import loads
from tortoise.fields.data import JSON_DUMPS
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint

_promises = importlib.import_module("persistence.migrations.0002_promises")

TABLES = (
    ops.CreateModel(
        name="CheckInActivityTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("code", fields.TextField(unique=False)),
            ("name", fields.TextField(unique=False)),
            ("ladder", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("milestones", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("replaces_base", fields.BooleanField()),
            (
                "cycle",
                fields.CharEnumField(
                    description="DAYS: DAYS\nMONTH: MONTH\nONCE: ONCE", enum_type=CheckInCycle, max_length=30
                ),
            ),
            ("cycle_days", fields.IntField()),
            ("make_up", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
            ("audience", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("reminder_hour", fields.IntField(null=True)),
            ("is_active", fields.BooleanField()),
            ("starts_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("ends_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "check_in_activities",
            "app": "tessera",
            "unique_together": (("program_id", "code"), ("program_id", "id")),
            "constraints": [
                CheckConstraint(check="length(code) BETWEEN 1 AND 50", name="check_in_activities_code"),
                CheckConstraint(
                    check="jsonb_array_length(ladder) BETWEEN 1 AND 366", name="check_in_activities_ladder"
                ),
                CheckConstraint(check="cycle_days BETWEEN 1 AND 366", name="check_in_activities_cycle"),
                CheckConstraint(check="reminder_hour BETWEEN 0 AND 23", name="check_in_activities_hour"),
                CheckConstraint(check="ends_at > starts_at", name="check_in_activities_window"),
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="CheckInTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("activity_id", fields.UUIDField()),
            ("year_id", fields.UUIDField()),
            ("day", fields.DateField()),
            ("length", fields.IntField()),
            ("base", fields.BigIntField()),
            ("points", fields.BigIntField()),
            ("attained", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            (
                "made_up_for",
                fields.CharEnumField(
                    null=True, description="POINTS: POINTS\nCARD: CARD", enum_type=MakeUpPayment, max_length=30
                ),
            ),
            ("cost", fields.BigIntField()),
            ("transaction_id", fields.UUIDField(null=True)),
            ("occurred_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("actor", fields.TextField(unique=False)),
        ],
        options={
            "table": "check_ins",
            "app": "tessera",
            "unique_together": (("program_id", "member_id", "activity_id", "day"),),
            "constraints": [
                CheckConstraint(
                    check="length > 0 AND base >= 0 AND points >= 0 AND cost >= 0", name="check_ins_numbers"
                ),
                CheckConstraint(check="(cost > 0) = (transaction_id IS NOT NULL)", name="check_ins_spending"),
                CheckConstraint(
                    check="cost = 0 OR (made_up_for IS NOT NULL AND made_up_for = 'POINTS')", name="check_ins_cost"
                ),
            ],
            "indexes": [Index(fields=["program_id", "year_id", "day"], name="check_ins_year")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="MakeUpCardEntryTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            (
                "source",
                fields.CharEnumField(
                    description="GRANT: GRANT\nMILESTONE: MILESTONE\nMAKE_UP: MAKE_UP",
                    enum_type=CardSource,
                    max_length=30,
                ),
            ),
            ("source_id", fields.UUIDField()),
            ("cards", fields.IntField()),
            ("cards_after", fields.IntField()),
            ("reason", fields.TextField(null=True, unique=False)),
            ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("actor", fields.TextField(unique=False)),
        ],
        options={
            "table": "make_up_card_entries",
            "app": "tessera",
            "unique_together": (("program_id", "source", "source_id"),),
            "constraints": [
                CheckConstraint(check="cards <> 0 AND cards_after >= 0", name="make_up_card_entries_cards"),
                CheckConstraint(check="(source = 'GRANT') = (reason IS NOT NULL)", name="make_up_card_entries_reason"),
            ],
            "indexes": [Index(fields=["program_id", "member_id", "id"], name="make_up_card_entries_member")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="MakeUpCardsTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("cards", fields.IntField()),
        ],
        options={
            "table": "make_up_cards",
            "app": "tessera",
            "unique_together": (("program_id", "id"),),
            "constraints": [CheckConstraint(check="cards BETWEEN 0 AND 1000", name="make_up_cards_bounds")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="StreakTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("activity_id", fields.UUIDField()),
            ("first_day", fields.DateField()),
            ("last_day", fields.DateField()),
            ("length", fields.IntField()),
            ("longest", fields.IntField()),
            ("check_ins", fields.IntField()),
            ("earlier", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("paid", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("made_up_month", fields.DateField()),
            ("made_up", fields.IntField()),
        ],
        options={
            "table": "streaks",
            "app": "tessera",
            "unique_together": (("program_id", "member_id", "activity_id"),),
            "constraints": [
                CheckConstraint(check="length = last_day - first_day + 1 AND length > 0", name="streaks_run"),
                CheckConstraint(check="longest >= length AND check_ins >= longest", name="streaks_longest"),
                CheckConstraint(check="made_up BETWEEN 0 AND 31", name="streaks_made_up"),
            ],
            "indexes": [
                Index(fields=["program_id", "activity_id", "last_day", "id"], name="streaks_last_day"),
                Index(fields=["program_id", "activity_id", "length", "member_id"], name="streaks_length"),
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
)

REFERENCES = (
    ("streaks", "member_id", "points_accounts", "id"),
    ("streaks", "activity_id", "check_in_activities", "id"),
    ("check_ins", "member_id", "points_accounts", "id"),
    ("check_ins", "activity_id", "check_in_activities", "id"),
    ("check_ins", "transaction_id", "point_transactions", "id"),
    ("make_up_cards", "id", "points_accounts", "id"),
    ("make_up_card_entries", "member_id", "make_up_cards", "id"),
)


def _constraints() -> Iterator[tuple[str, str]]:
    """What models say and Tortoise does not write of a table that it makes."""
    for operation in TABLES:
        options = operation.options or {}
        for constraint in options.get("constraints", ()):
            yield _promises.constraint_steps(options["table"], constraint)


STEPS = (
    *_constraints(),
    _promises.root_steps("check_in_activities"),
    *(_promises.reference_steps(*reference) for reference in REFERENCES),
    _promises.fact_steps("check_ins"),
    _promises.fact_steps("make_up_card_entries"),
)


class Migration(migrations.Migration):
    dependencies = [("tessera", "0010_leaderboards")]

    operations = [
        *TABLES,
        ops.RunSQL([forward for forward, _ in STEPS], reverse_sql=[backward for _, backward in reversed(STEPS)]),
    ]
