"""Quizzes, the attempts of members, and who stands how."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain.quizzes import attempt, quiz
from persistence import pages, rows
from persistence.tables import describes


@describes(quiz.Quiz)
class QuizTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    code = fields.TextField()
    name = fields.TextField()
    description = fields.TextField(null=True)
    questions: fields.JSONField[object] = fields.JSONField()
    seconds = fields.IntField()
    attempts_max = fields.IntField()
    rewards: fields.JSONField[object] = fields.JSONField()
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField(null=True)
    is_active = fields.BooleanField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "quizzes"
        unique_together = (("program_id", "code"), ("program_id", "id"))
        constraints = (CheckConstraint(check="seconds > 0 AND attempts_max > 0", name="quizzes_bounds"),)


@describes(attempt.QuizAttempt)
class QuizAttemptTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    quiz_id = fields.UUIDField()
    number = fields.IntField()
    order: fields.JSONField[object] = fields.JSONField()
    started_at = fields.DatetimeField()
    answer_by = fields.DatetimeField()
    answers: fields.JSONField[object] = fields.JSONField()
    answered_at = fields.DatetimeField(null=True)
    milliseconds = fields.BigIntField(null=True)
    score = fields.IntField()
    correct = fields.IntField()
    rewarded = fields.BigIntField()
    points = fields.BigIntField()

    class Meta:
        table = "quiz_attempts"
        # A member has each attempt once.
        unique_together = (("program_id", "quiz_id", "member_id", "number"), ("program_id", "id"))
        constraints = (
            CheckConstraint(
                check="number > 0 AND score >= 0 AND correct >= 0 AND rewarded >= 0 AND points >= 0",
                name="quiz_attempts_amounts",
            ),
            CheckConstraint(
                check="(answered_at IS NULL) = (milliseconds IS NULL)"
                " AND (answered_at IS NULL OR (answered_at >= started_at AND answered_at < answer_by))",
                name="quiz_attempts_in_time",
            ),
            CheckConstraint(
                check="answered_at IS NOT NULL OR (score = 0 AND points = 0 AND rewarded = 0)",
                name="quiz_attempts_unanswered",
            ),
        )


@describes(attempt.QuizStanding)
class QuizStandingTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    quiz_id = fields.UUIDField()
    member_id = fields.UUIDField()
    attempt_id = fields.UUIDField()
    lost = fields.IntField()
    score = fields.IntField()
    milliseconds = fields.BigIntField()
    answered_at = fields.DatetimeField()

    class Meta:
        table = "quiz_standings"
        unique_together = (("program_id", "quiz_id", "member_id"),)
        indexes = (
            Index(fields=("program_id", "quiz_id", "lost", "milliseconds", "answered_at", "id"), name="quiz_ranks"),
        )
        constraints = (
            CheckConstraint(check="lost >= 0 AND score >= 0 AND milliseconds >= 0", name="quiz_standings_amounts"),
        )


KEYSET: Final = pages.Keyset(("id",), is_descending=True)


async def page(program_id: UUID, part: pages.Slice, *, is_staff: bool, now: datetime) -> list[quiz.Quiz]:
    """Quizzes, the newest first; to whoever is not staff those that are shown."""
    if is_staff:
        return await pages.select(quiz.Quiz, KEYSET, part, "program_id = $1", [program_id])
    # `is_shown` in SQL.
    shown = "program_id = $1 AND is_active AND starts_at <= $2"
    return await pages.select(quiz.Quiz, KEYSET, part, shown, [program_id, now])


def is_shown(found: quiz.Quiz, now: datetime) -> bool:
    """Whether members see a quiz."""
    return found.is_active and found.starts_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A member's standing with its rank, from 1."""

    rank: int
    standing: attempt.QuizStanding


# The best first: by what is missing to the highest score, then time, then who was first.
RANKS: Final = pages.Keyset(("lost", "milliseconds", "answered_at", "id"), (int, int, datetime, UUID))


def _sql_takes_part(standings: str) -> str:
    """The condition for standings of members whom the shop has not taken off boards (B3); they take no rank either."""
    return (
        "NOT EXISTS (SELECT 1 FROM leaderboard_participations AS part WHERE part.program_id = $1"
        f" AND part.id = {standings}.member_id AND part.is_excluded)"
    )


async def standings(program_id: UUID, quiz_id: UUID, part: pages.Slice) -> list[Ranked]:
    """Who answered best. A page costs its own rows and, for the rank of its first one, a count of those above."""
    where = f"program_id = $1 AND quiz_id = $2 AND {_sql_takes_part('quiz_standings')}"
    found = await pages.select(attempt.QuizStanding, RANKS, part, where, [program_id, quiz_id])
    if not found:
        return []
    first = (await _ranks(program_id, found[:1]))[found[0].id]
    return [Ranked(rank=first + number, standing=standing) for number, standing in enumerate(found)]


async def own_standings(
    program_id: UUID, _: datetime, pairs: Sequence[tuple[UUID, UUID]]
) -> Mapping[tuple[UUID, UUID], Ranked]:
    """The standings of members in quizzes, by quiz and member; none of whom the shop takes off boards."""
    keys = [attempt.standing_id(quiz_id, member_id) for quiz_id, member_id in pairs]
    found = await rows.by_ids(attempt.QuizStanding, program_id, keys)
    ranks = await _ranks(program_id, list(found.values()))
    return {
        (standing.quiz_id, standing.member_id): Ranked(rank=ranks[standing.id], standing=standing)
        for standing in found.values()
        if standing.id in ranks
    }


async def _ranks(program_id: UUID, asked: Sequence[attempt.QuizStanding]) -> Mapping[UUID, int]:
    """One more than there are better ones, by the id of each standing that takes part."""
    records = await rows.fetch(
        "SELECT asked.id, (SELECT count(*) FROM quiz_standings AS better"
        " WHERE better.program_id = $1 AND better.quiz_id = asked.quiz_id"
        " AND (better.lost, better.milliseconds, better.answered_at, better.id)"
        " < (asked.lost, asked.milliseconds, asked.answered_at, asked.id)"
        f" AND {_sql_takes_part('better')}) + 1 AS rank"
        " FROM quiz_standings AS asked WHERE asked.program_id = $1 AND asked.id = ANY($2::uuid[])"
        f" AND {_sql_takes_part('asked')}",
        program_id,
        [standing.id for standing in asked],
    )
    return {record["id"]: record["rank"] for record in records}
