"""Check-ins: activities, streaks, the days that were signed, and make-up cards."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain.check_ins import activity, cards, check_in, streak
from persistence import rows
from persistence.tables import describes


@describes(activity.CheckInActivity)
class CheckInActivityTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    code = fields.TextField()
    name = fields.TextField()
    ladder: fields.JSONField[object] = fields.JSONField()
    milestones: fields.JSONField[object] = fields.JSONField()
    replaces_base = fields.BooleanField()
    cycle = fields.CharEnumField(activity.CheckInCycle, max_length=30)
    cycle_days = fields.IntField()
    make_up: fields.JSONField[object] = fields.JSONField(null=True)
    audience: fields.JSONField[object] = fields.JSONField()
    reminder_hour = fields.IntField(null=True)
    is_active = fields.BooleanField()
    starts_at = fields.DatetimeField(null=True)
    ends_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "check_in_activities"
        unique_together = (("program_id", "code"), ("program_id", "id"))
        constraints = (
            CheckConstraint(check="length(code) BETWEEN 1 AND 50", name="check_in_activities_code"),
            CheckConstraint(check="jsonb_array_length(ladder) BETWEEN 1 AND 366", name="check_in_activities_ladder"),
            CheckConstraint(check="cycle_days BETWEEN 1 AND 366", name="check_in_activities_cycle"),
            CheckConstraint(check="reminder_hour BETWEEN 0 AND 23", name="check_in_activities_hour"),
            CheckConstraint(check="ends_at > starts_at", name="check_in_activities_window"),
        )


@describes(streak.Streak)
class StreakTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    activity_id = fields.UUIDField()
    first_day = fields.DateField()
    last_day = fields.DateField()
    length = fields.IntField()
    longest = fields.IntField()
    check_ins = fields.IntField()
    earlier: fields.JSONField[object] = fields.JSONField()
    paid: fields.JSONField[object] = fields.JSONField()
    made_up_month = fields.DateField()
    made_up = fields.IntField()

    class Meta:
        table = "streaks"
        unique_together = (("program_id", "member_id", "activity_id"),)
        indexes = (
            # Whose streak ends tonight, and who has the longest of those that go on.
            Index(fields=("program_id", "activity_id", "last_day", "id"), name="streaks_last_day"),
            Index(fields=("program_id", "activity_id", "length", "member_id"), name="streaks_length"),
        )
        constraints = (
            CheckConstraint(check="length = last_day - first_day + 1 AND length > 0", name="streaks_run"),
            CheckConstraint(check="longest >= length AND check_ins >= longest", name="streaks_longest"),
            CheckConstraint(check="made_up BETWEEN 0 AND 31", name="streaks_made_up"),
        )


@describes(check_in.CheckIn)
class CheckInTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    activity_id = fields.UUIDField()
    year_id = fields.UUIDField()
    day = fields.DateField()
    length = fields.IntField()
    base = fields.BigIntField()
    points = fields.BigIntField()
    attained: fields.JSONField[object] = fields.JSONField()
    made_up_for = fields.CharEnumField(check_in.MakeUpPayment, max_length=30, null=True)
    cost = fields.BigIntField()
    transaction_id = fields.UUIDField(null=True)
    occurred_at = fields.DatetimeField()
    actor = fields.TextField()

    class Meta:
        table = "check_ins"
        # Each date once, for ever (G1).
        unique_together = (("program_id", "member_id", "activity_id", "day"),)
        indexes = (Index(fields=("program_id", "year_id", "day"), name="check_ins_year"),)
        constraints = (
            CheckConstraint(check="length > 0 AND base >= 0 AND points >= 0 AND cost >= 0", name="check_ins_numbers"),
            CheckConstraint(check="(cost > 0) = (transaction_id IS NOT NULL)", name="check_ins_spending"),
            CheckConstraint(
                check="cost = 0 OR (made_up_for IS NOT NULL AND made_up_for = 'POINTS')", name="check_ins_cost"
            ),
        )


@describes(cards.MakeUpCards)
class MakeUpCardsTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    cards = fields.IntField()

    class Meta:
        table = "make_up_cards"
        unique_together = (("program_id", "id"),)
        constraints = (CheckConstraint(check="cards BETWEEN 0 AND 1000", name="make_up_cards_bounds"),)


@describes(cards.MakeUpCardEntry)
class MakeUpCardEntryTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    source = fields.CharEnumField(cards.CardSource, max_length=30)
    source_id = fields.UUIDField()
    cards = fields.IntField()
    cards_after = fields.IntField()
    reason = fields.TextField(null=True)
    recorded_at = fields.DatetimeField()
    actor = fields.TextField()

    class Meta:
        table = "make_up_card_entries"
        # A check-in spends a card once, and wins those of its milestones once (L11).
        unique_together = (("program_id", "source", "source_id"),)
        indexes = (Index(fields=("program_id", "member_id", "id"), name="make_up_card_entries_member"),)
        constraints = (
            CheckConstraint(check="cards <> 0 AND cards_after >= 0", name="make_up_card_entries_cards"),
            CheckConstraint(check="(source = 'GRANT') = (reason IS NOT NULL)", name="make_up_card_entries_reason"),
        )


async def activities(program_id: UUID, *, is_active: bool | None = None) -> list[activity.CheckInActivity]:
    """The check-in activities of a program, the oldest first; at most `ACTIVITIES_MAX`."""
    where = "program_id = $1" if is_active is None else f"program_id = $1 AND is_active = {str(is_active).lower()}"
    return await rows.select(activity.CheckInActivity, f"{where} ORDER BY id", program_id)


async def by_codes(program_id: UUID, _: datetime, codes: Sequence[str]) -> dict[str, activity.CheckInActivity]:
    """Activities by their codes."""
    return await rows.by_keys(activity.CheckInActivity, program_id, "code", codes)


# A member in an activity.
Place = tuple[UUID, UUID]


async def streaks(program_id: UUID, _: datetime, places: Sequence[Place]) -> dict[Place, streak.Streak]:
    """Streaks by member and activity."""
    ids = {streak.streak_id(*place): place for place in places}
    found = await rows.by_ids(streak.Streak, program_id, ids)
    return {ids[key]: row for key, row in found.items()}


async def cards_of(program_id: UUID, _: datetime, member_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many make-up cards members have; who never had any is left out."""
    found = await rows.by_ids(cards.MakeUpCards, program_id, member_ids)
    return {key: row.cards for key, row in found.items()}


class Month(NamedTuple):
    """A month of a member in an activity, by its first date."""

    member_id: UUID
    activity_id: UUID
    first: date


async def of_months(
    program_id: UUID, _: datetime, months: Sequence[Month]
) -> dict[Month, dict[date, check_in.CheckIn]]:
    """The check-ins of months, by date, in one statement."""
    years = [check_in.year_of(month.member_id, month.activity_id, month.first.year) for month in months]
    found = await rows.select(
        check_in.CheckIn,
        "program_id = $1 AND (year_id, date_trunc('month', day)::date) IN"
        " (SELECT * FROM unnest($2::uuid[], $3::date[])) AND year_id = ANY($2::uuid[])",
        program_id,
        years,
        [month.first for month in months],
    )
    by_month: dict[Month, dict[date, check_in.CheckIn]] = {}
    for row in found:
        by_month.setdefault(Month(row.member_id, row.activity_id, row.day.replace(day=1)), {})[row.day] = row
    return by_month
