"""The tables of leaderboards. Standings are no facts: they follow from facts, and the relay keeps them."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain.leaderboards import board, closing, participation
from persistence.tables import describes


@describes(board.Leaderboard, is_open="is_active")
class LeaderboardTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    code = fields.TextField()
    name = fields.TextField()
    metric = fields.CharEnumField(board.BoardMetric, max_length=30)
    window = fields.CharEnumField(board.BoardWindow, max_length=30)
    scope = fields.CharEnumField(board.BoardScope, max_length=30)
    store_id = fields.UUIDField(null=True)
    tier_id = fields.UUIDField(null=True)
    segment_id = fields.UUIDField(null=True)
    starts_at = fields.DatetimeField(null=True)
    ends_at = fields.DatetimeField(null=True)
    size = fields.IntField()
    settle_minutes = fields.IntField()
    prizes: fields.JSONField[object] = fields.JSONField()
    masks_names = fields.BooleanField()
    is_active = fields.BooleanField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "leaderboards"
        unique_together = (("program_id", "code"), ("program_id", "id"))
        constraints = (
            CheckConstraint(check="length(code) BETWEEN 1 AND 50", name="leaderboards_code"),
            CheckConstraint(check="size BETWEEN 1 AND 1000 AND settle_minutes >= 0", name="leaderboards_bounds"),
            CheckConstraint(
                check="(\"window\" = 'CAMPAIGN') = (starts_at IS NOT NULL) AND"
                " (\"window\" = 'CAMPAIGN') = (ends_at IS NOT NULL)"
                " AND (starts_at IS NULL OR starts_at < ends_at)",
                name="leaderboards_campaign",
            ),
            CheckConstraint(
                check="(scope = 'STORE') = (store_id IS NOT NULL) AND (scope = 'TIER') = (tier_id IS NOT NULL)"
                " AND (scope = 'SEGMENT') = (segment_id IS NOT NULL)",
                name="leaderboards_scope",
            ),
        )


@describes(board.LeaderboardClock)
class LeaderboardClockTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    open_since = fields.DatetimeField()
    due_at = fields.DatetimeField(null=True)

    class Meta:
        table = "leaderboard_clocks"
        indexes = (Index(fields=("program_id", "due_at"), name="leaderboard_clocks_due"),)


@describes(participation.LeaderboardParticipation)
class LeaderboardParticipationTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    is_shown = fields.BooleanField()
    is_excluded = fields.BooleanField()
    reason = fields.TextField(null=True)
    changed_at = fields.DatetimeField()

    class Meta:
        table = "leaderboard_participations"


@describes(closing.LeaderboardPeriod)
class LeaderboardPeriodTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    leaderboard_id = fields.UUIDField()
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    closed_at = fields.DatetimeField()

    class Meta:
        table = "leaderboard_periods"
        unique_together = (("program_id", "leaderboard_id", "starts_at"), ("program_id", "id"))
        constraints = (CheckConstraint(check="starts_at < ends_at", name="leaderboard_periods_span"),)


@describes(closing.LeaderboardPlace)
class LeaderboardPlaceTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    leaderboard_id = fields.UUIDField()
    period_id = fields.UUIDField()
    place = fields.IntField()
    rank = fields.IntField()
    member_id = fields.UUIDField()
    score = fields.BigIntField()
    reached_at = fields.DatetimeField()
    prize: fields.JSONField[object] = fields.JSONField(null=True)

    class Meta:
        table = "leaderboard_places"
        # A place has one member, and a member one place: a prize is won once.
        unique_together = (
            ("program_id", "period_id", "place"),
            ("program_id", "period_id", "member_id"),
            ("program_id", "id"),
        )
        constraints = (
            CheckConstraint(
                check="place >= 1 AND rank BETWEEN 1 AND place AND score > 0", name="leaderboard_places_order"
            ),
        )


@describes(closing.LeaderboardAward)
class LeaderboardAwardTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    leaderboard_id = fields.UUIDField()
    period_id = fields.UUIDField()
    member_id = fields.UUIDField()
    prize: fields.JSONField[object] = fields.JSONField()
    state = fields.CharEnumField(closing.AwardState, max_length=30)
    due_at = fields.DatetimeField(null=True)
    refused = fields.TextField(null=True)
    points = fields.BigIntField()
    transaction_id = fields.UUIDField(null=True)
    voucher_id = fields.UUIDField(null=True)
    redemption_id = fields.UUIDField(null=True)
    paid_at = fields.DatetimeField(null=True)

    class Meta:
        table = "leaderboard_awards"
        indexes = (Index(fields=("program_id", "due_at"), name="leaderboard_awards_due"),)
        constraints = (
            CheckConstraint(
                check="(state = 'PAID') = (paid_at IS NOT NULL) AND (state = 'PAID') = (due_at IS NULL)",
                name="leaderboard_awards_paid",
            ),
            CheckConstraint(check="points >= 0", name="leaderboard_awards_points"),
        )


class StandingTable(Model):
    """A member's row on a board in a period: what it has, and since when. Only who has something has a row."""

    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    leaderboard_id = fields.UUIDField()
    starts_at = fields.DatetimeField()
    member_id = fields.UUIDField()
    score = fields.BigIntField()
    reached_at = fields.DatetimeField()

    class Meta:
        table = "standings"
        unique_together = (("program_id", "leaderboard_id", "starts_at", "member_id"),)
        constraints = (CheckConstraint(check="score > 0", name="standings_score"),)
