"""Challenges and badges: their versions, members' progress, what came of it, and how members stand by score.

A member's score in a window, for whoever ranks members by it, is

    SELECT member_id, sum(score) AS score, max(occurred_at) AS reached_at FROM challenge_completions
    WHERE program_id = $1 AND undone_at IS NULL AND score > 0 AND occurred_at >= $2 AND occurred_at < $3
    GROUP BY member_id

which the index `challenge_completions_score` answers. A completion that is undone counts no longer, whenever it was.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain.challenges import badges, challenge_sets, progress
from persistence import pages, rows
from persistence.tables import describes


@describes(challenge_sets.ChallengeSet)
class ChallengeSetTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    version = fields.IntField()
    challenges: fields.JSONField[object] = fields.JSONField()
    badges: fields.JSONField[object] = fields.JSONField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "challenge_sets"
        unique_together = (("program_id", "version"),)
        constraints = (CheckConstraint(check="version >= 1", name="challenge_sets_version"),)


@describes(progress.ChallengeProgress)
class ChallengeProgressTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    challenge_id = fields.UUIDField()
    challenge = fields.TextField()
    starts_on = fields.DateField(null=True)
    version = fields.IntField()
    counts: fields.JSONField[object] = fields.JSONField()
    reached: fields.JSONField[object] = fields.JSONField()
    completed = fields.IntField()
    rewarded = fields.IntField()
    made = fields.IntField()
    completed_at = fields.DatetimeField(null=True)
    begun_at = fields.DatetimeField()
    changed_at = fields.DatetimeField()

    class Meta:
        table = "challenge_progress"
        unique_together = (("program_id", "id"),)
        indexes = (Index(fields=("program_id", "member_id", "begun_at", "id"), name="challenge_progress_member"),)
        constraints = (
            # No round is rewarded that does not stand, and none stands that was never made.
            CheckConstraint(
                check="rewarded >= 0 AND rewarded <= completed AND completed <= made", name="challenge_progress_rounds"
            ),
            CheckConstraint(check="(completed > 0) = (completed_at IS NOT NULL)", name="challenge_progress_completed"),
        )


@describes(progress.ChallengeCompletion, is_open="undone_at IS NULL")
class ChallengeCompletionTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    progress_id = fields.UUIDField()
    challenge = fields.TextField()
    number = fields.IntField()
    step = fields.IntField()
    round = fields.IntField()
    score = fields.IntField()
    qualifying_points = fields.BigIntField()
    version = fields.IntField()
    points = fields.BigIntField()
    grant_id = fields.UUIDField(null=True)
    earning_id = fields.UUIDField(null=True)
    badge = fields.TextField(null=True)
    voucher_id = fields.UUIDField(null=True)
    redemption_id = fields.UUIDField(null=True)
    occurred_at = fields.DatetimeField()
    recorded_at = fields.DatetimeField()
    rewarded_at = fields.DatetimeField(null=True)
    undone_at = fields.DatetimeField(null=True)

    class Meta:
        table = "challenge_completions"
        # A grant is of one completion; that each is made once is its id's, which comes of progress and number.
        unique_together = (("program_id", "grant_id"), ("program_id", "id"))
        indexes = (
            Index(fields=("program_id", "progress_id", "number"), name="challenge_completions_progress"),
            Index(fields=("program_id", "occurred_at", "member_id"), name="challenge_completions_score"),
        )
        constraints = (
            CheckConstraint(
                check="step >= 0 AND round >= 1 AND score >= 0 AND qualifying_points >= 0 AND points >= 0",
                name="challenge_completions_amounts",
            ),
            CheckConstraint(
                check="rewarded_at IS NOT NULL"
                " OR (points = 0 AND num_nonnulls(grant_id, badge, voucher_id, redemption_id) = 0)",
                name="challenge_completions_rewarded",
            ),
        )


@describes(progress.ChallengeMark)
class ChallengeMarkTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    progress_id = fields.UUIDField()
    source_id = fields.UUIDField()
    amounts: fields.JSONField[object] = fields.JSONField()
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "challenge_marks"
        indexes = (Index(fields=("program_id", "source_id"), name="challenge_marks_source"),)


@describes(badges.MemberBadge)
class MemberBadgeTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    badge = fields.TextField()
    origin = fields.CharEnumField(badges.BadgeOrigin, max_length=30)
    completion_id = fields.UUIDField(null=True)
    reason = fields.TextField(null=True)
    awarded_at = fields.DatetimeField()
    awarded_by = fields.TextField()
    revoked_at = fields.DatetimeField(null=True)
    revoked_reason = fields.TextField(null=True)

    class Meta:
        table = "member_badges"
        # A member has each badge once.
        unique_together = (("program_id", "member_id", "badge"),)
        constraints = (
            CheckConstraint(check="(origin = 'STAFF') = (reason IS NOT NULL)", name="member_badges_reason"),
            CheckConstraint(
                check="(origin = 'CHALLENGE') = (completion_id IS NOT NULL)", name="member_badges_completion"
            ),
            CheckConstraint(check="revoked_reason IS NULL OR revoked_at IS NOT NULL", name="member_badges_revoked"),
        )


PROGRESS_KEYSET: Final = pages.Keyset(("begun_at", "id"), (datetime, UUID), is_descending=True)
BADGES_KEYSET: Final = pages.Keyset(("awarded_at", "id"), (datetime, UUID), is_descending=True)


async def progress_of(
    program_id: UUID, member_ids: Sequence[UUID], part: pages.Slice
) -> dict[UUID, list[progress.ChallengeProgress]]:
    """The same page of each member's progress with challenges, begun last first."""
    return await pages.of_parents(
        progress.ChallengeProgress, PROGRESS_KEYSET, part, program_id, "member_id", member_ids
    )


async def badges_of(
    program_id: UUID, member_ids: Sequence[UUID], part: pages.Slice
) -> dict[UUID, list[badges.MemberBadge]]:
    """The same page of the badges that each member wears, given last first."""
    return await pages.of_parents(
        badges.MemberBadge, BADGES_KEYSET, part, program_id, "member_id", member_ids, which="revoked_at IS NULL"
    )


async def sets(program_id: UUID, _: datetime, versions: Sequence[int]) -> Mapping[int, challenge_sets.ChallengeSet]:
    """Versions of the program's challenges and badges."""
    return await rows.by_keys(challenge_sets.ChallengeSet, program_id, "version", versions)
