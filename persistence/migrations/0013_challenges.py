"""Challenges and badges in their versions, members' progress and what came of it; quizzes, attempts and standings."""

import importlib
from collections.abc import Iterator
from uuid import uuid4

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.data import JSON_DUMPS
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint

from domain.challenges.badges import BadgeOrigin

_promises = importlib.import_module("persistence.migrations.0002_promises")
AddFilledField = importlib.import_module("persistence.migrations.0006_mall").AddFilledField

TABLES = (
    ops.CreateModel(
        name="ChallengeCompletionTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("progress_id", fields.UUIDField()),
            ("challenge", fields.TextField(unique=False)),
            ("number", fields.IntField()),
            ("step", fields.IntField()),
            ("round", fields.IntField()),
            ("score", fields.IntField()),
            ("qualifying_points", fields.BigIntField()),
            ("version", fields.IntField()),
            ("points", fields.BigIntField()),
            ("grant_id", fields.UUIDField(null=True)),
            ("earning_id", fields.UUIDField(null=True)),
            ("badge", fields.TextField(null=True, unique=False)),
            ("voucher_id", fields.UUIDField(null=True)),
            ("redemption_id", fields.UUIDField(null=True)),
            ("occurred_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("rewarded_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("undone_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "challenge_completions",
            "app": "tessera",
            "unique_together": (("program_id", "grant_id"), ("program_id", "id")),
            "constraints": [
                CheckConstraint(
                    check="step >= 0 AND round >= 1 AND score >= 0 AND qualifying_points >= 0 AND points >= 0",
                    name="challenge_completions_amounts",
                ),
                CheckConstraint(
                    check="rewarded_at IS NOT NULL OR (points = 0 AND num_nonnulls(grant_id, badge, voucher_id, redemption_id) = 0)",
                    name="challenge_completions_rewarded",
                ),
            ],
            "indexes": [
                Index(fields=["program_id", "progress_id", "number"], name="challenge_completions_progress"),
                Index(fields=["program_id", "occurred_at", "member_id"], name="challenge_completions_score"),
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="ChallengeMarkTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("progress_id", fields.UUIDField()),
            ("source_id", fields.UUIDField()),
            ("amounts", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "challenge_marks",
            "app": "tessera",
            "indexes": [Index(fields=["program_id", "source_id"], name="challenge_marks_source")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="ChallengeProgressTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("challenge_id", fields.UUIDField()),
            ("challenge", fields.TextField(unique=False)),
            ("starts_on", fields.DateField(null=True)),
            ("version", fields.IntField()),
            ("counts", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("reached", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("completed", fields.IntField()),
            ("rewarded", fields.IntField()),
            ("made", fields.IntField()),
            ("completed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("begun_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("changed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "challenge_progress",
            "app": "tessera",
            "unique_together": (("program_id", "id"),),
            "constraints": [
                CheckConstraint(
                    check="rewarded >= 0 AND rewarded <= completed AND completed <= made",
                    name="challenge_progress_rounds",
                ),
                CheckConstraint(
                    check="(completed > 0) = (completed_at IS NOT NULL)", name="challenge_progress_completed"
                ),
            ],
            "indexes": [Index(fields=["program_id", "member_id", "begun_at", "id"], name="challenge_progress_member")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="ChallengeSetTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("version", fields.IntField()),
            ("challenges", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("badges", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "challenge_sets",
            "app": "tessera",
            "unique_together": (("program_id", "version"),),
            "constraints": [CheckConstraint(check="version >= 1", name="challenge_sets_version")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="MemberBadgeTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("badge", fields.TextField(unique=False)),
            (
                "origin",
                fields.CharEnumField(
                    description="CHALLENGE: CHALLENGE\nPOINTS: POINTS\nSTAFF: STAFF",
                    enum_type=BadgeOrigin,
                    max_length=30,
                ),
            ),
            ("completion_id", fields.UUIDField(null=True)),
            ("reason", fields.TextField(null=True, unique=False)),
            ("awarded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("awarded_by", fields.TextField(unique=False)),
            ("revoked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("revoked_reason", fields.TextField(null=True, unique=False)),
        ],
        options={
            "table": "member_badges",
            "app": "tessera",
            "unique_together": (("program_id", "member_id", "badge"),),
            "constraints": [
                CheckConstraint(check="(origin = 'STAFF') = (reason IS NOT NULL)", name="member_badges_reason"),
                CheckConstraint(
                    check="(origin = 'CHALLENGE') = (completion_id IS NOT NULL)", name="member_badges_completion"
                ),
                CheckConstraint(check="revoked_reason IS NULL OR revoked_at IS NOT NULL", name="member_badges_revoked"),
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="QuizAttemptTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("quiz_id", fields.UUIDField()),
            ("number", fields.IntField()),
            ("order", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("started_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("answer_by", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("answers", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("answered_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("milliseconds", fields.BigIntField(null=True)),
            ("score", fields.IntField()),
            ("correct", fields.IntField()),
            ("rewarded", fields.BigIntField()),
            ("points", fields.BigIntField()),
        ],
        options={
            "table": "quiz_attempts",
            "app": "tessera",
            "unique_together": (("program_id", "quiz_id", "member_id", "number"), ("program_id", "id")),
            "constraints": [
                CheckConstraint(
                    check="number > 0 AND score >= 0 AND correct >= 0 AND rewarded >= 0 AND points >= 0",
                    name="quiz_attempts_amounts",
                ),
                CheckConstraint(
                    check="(answered_at IS NULL) = (milliseconds IS NULL) AND (answered_at IS NULL OR (answered_at >= started_at AND answered_at < answer_by))",
                    name="quiz_attempts_in_time",
                ),
                CheckConstraint(
                    check="answered_at IS NOT NULL OR (score = 0 AND points = 0 AND rewarded = 0)",
                    name="quiz_attempts_unanswered",
                ),
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="QuizStandingTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("quiz_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("attempt_id", fields.UUIDField()),
            ("lost", fields.IntField()),
            ("score", fields.IntField()),
            ("milliseconds", fields.BigIntField()),
            ("answered_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "quiz_standings",
            "app": "tessera",
            "unique_together": (("program_id", "quiz_id", "member_id"),),
            "constraints": [
                CheckConstraint(check="lost >= 0 AND score >= 0 AND milliseconds >= 0", name="quiz_standings_amounts")
            ],
            "indexes": [
                Index(fields=["program_id", "quiz_id", "lost", "milliseconds", "answered_at", "id"], name="quiz_ranks")
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="QuizTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("code", fields.TextField(unique=False)),
            ("name", fields.TextField(unique=False)),
            ("description", fields.TextField(null=True, unique=False)),
            ("questions", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("seconds", fields.IntField()),
            ("attempts_max", fields.IntField()),
            ("rewards", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ("starts_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("ends_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("is_active", fields.BooleanField()),
            ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "quizzes",
            "app": "tessera",
            "unique_together": (("program_id", "code"), ("program_id", "id")),
            "constraints": [CheckConstraint(check="seconds > 0 AND attempts_max > 0", name="quizzes_bounds")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
)
# Table, columns beside program_id, referred table, its columns beside program_id.
REFERENCES = (
    ("challenge_progress", "member_id", "points_accounts", "id"),
    ("challenge_completions", "member_id", "points_accounts", "id"),
    ("challenge_completions", "progress_id", "challenge_progress", "id"),
    ("challenge_completions", "earning_id", "point_transactions", "id"),
    ("challenge_completions", "voucher_id", "vouchers", "id"),
    ("challenge_completions", "redemption_id", "redemptions", "id"),
    ("challenge_marks", "progress_id", "challenge_progress", "id"),
    ("member_badges", "member_id", "points_accounts", "id"),
    ("member_badges", "completion_id", "challenge_completions", "id"),
    ("quiz_attempts", "member_id", "points_accounts", "id"),
    ("quiz_attempts", "quiz_id", "quizzes", "id"),
    ("quiz_standings", "member_id", "points_accounts", "id"),
    ("quiz_standings", "quiz_id", "quizzes", "id"),
    ("quiz_standings", "attempt_id", "quiz_attempts", "id"),
)
# Everything else belongs to a program through one of these.
ROOTS = ("challenge_sets", "quizzes")
FACTS = ("challenge_sets", "challenge_marks")


def _checks() -> Iterator[tuple[str, str]]:
    """The CHECKs of the new tables, which Tortoise keeps in its state and does not write."""
    for operation in TABLES:
        options = operation.options or {}
        for constraint in options.get("constraints", ()):
            yield _promises.constraint_steps(options["table"], constraint)


STEPS = (
    *_checks(),
    *(_promises.reference_steps(*reference) for reference in REFERENCES),
    *(_promises.root_steps(table) for table in ROOTS),
    *(_promises.fact_steps(table) for table in FACTS),
)


class Migration(migrations.Migration):
    dependencies = [("tessera", "0012_lotteries")]

    operations = [
        *TABLES,
        AddFilledField(model_name="ProgramTable", name="challenge_version", field=fields.IntField(), filled_with="0"),
        ops.AddConstraint(
            model_name="ProgramTable",
            constraint=CheckConstraint(check="challenge_version >= 0", name="programs_challenge_version"),
        ),
        ops.RunSQL([forward for forward, _ in STEPS], reverse_sql=[backward for _, backward in reversed(STEPS)]),
    ]
