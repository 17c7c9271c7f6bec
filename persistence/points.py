"""The ledger's tables. Their constraints repeat what the domain promises, so that no bug can commit a lie."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg
from tortoise import fields
from tortoise.indexes import Index, PartialIndex
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.models import Model

from domain.kernel import FAMILY, Row
from domain.points import account, qualifying, reading, tiering
from domain.programs import Program
from domain.tiers import standing
from persistence import connection, pages
from persistence.tables import TABLES, describes

AnyRow = TypeVar("AnyRow", bound=Row)


@describes(account.PointsAccount)
class PointsAccountTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    status = fields.CharEnumField(account.AccountStatus, max_length=30)
    available = fields.BigIntField()
    pending = fields.BigIntField()
    held = fields.BigIntField()
    debt = fields.BigIntField()
    lifetime_earned = fields.BigIntField()
    lifetime_spent = fields.BigIntField()
    lifetime_expired = fields.BigIntField()
    qualifying_points = fields.BigIntField()
    spend_minor = fields.BigIntField()
    purchases = fields.IntField()
    last_purchase_at = fields.DatetimeField(null=True)
    tier_id = fields.UUIDField(null=True)
    tier_since = fields.DatetimeField(null=True)
    earned_tier_id = fields.UUIDField(null=True)
    tier_valid_until = fields.DatetimeField(null=True)
    tier_grace_until = fields.DatetimeField(null=True)
    manual_tier_id = fields.UUIDField(null=True)
    manual_tier_until = fields.DatetimeField(null=True)
    referral_id = fields.UUIDField(null=True)
    sequence = fields.BigIntField()
    idle_expires_at = fields.DatetimeField(null=True)
    due_at = fields.DatetimeField(null=True)
    enrolled_at = fields.DatetimeField()

    class Meta:
        table = "points_accounts"
        unique_together = (("program_id", "id"),)
        # What waits for the clock: only accounts where something does are in the index.
        indexes = (
            Index(fields=("program_id", "due_at"), name="points_accounts_due"),
            # Whose tier ends soon is warned of it.
            Index(fields=("program_id", "tier_valid_until"), name="points_accounts_tier_ends"),
        )
        constraints = (
            CheckConstraint(
                check="available >= 0 AND pending >= 0 AND held >= 0 AND debt >= 0",
                name="points_accounts_not_negative",
            ),
            CheckConstraint(check="NOT (available > 0 AND debt > 0)", name="points_accounts_debt_is_paid_first"),
            CheckConstraint(
                check="lifetime_earned >= 0 AND lifetime_spent >= 0 AND lifetime_expired >= 0"
                " AND qualifying_points >= 0 AND sequence >= 0",
                name="points_accounts_lifetime",
            ),
            CheckConstraint(check="spend_minor >= 0 AND purchases >= 0", name="points_accounts_purchases"),
            CheckConstraint(
                check="tier_id IS NOT DISTINCT FROM coalesce(manual_tier_id, earned_tier_id)",
                name="points_accounts_tier_in_force",
            ),
        )


@describes(account.PointTransaction)
class PointTransactionTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    sequence = fields.BigIntField()
    point_type = fields.CharEnumField(account.PointType, max_length=30)
    kind = fields.CharEnumField(account.TransactionKind, max_length=30)
    amount = fields.BigIntField()
    available_after = fields.BigIntField()
    source_type = fields.CharEnumField(account.SourceType, max_length=30)
    source_id = fields.UUIDField()
    rule = fields.TextField()
    rule_version = fields.IntField(null=True)
    reverses = fields.UUIDField(null=True)
    reason = fields.TextField(null=True)
    idempotency_key = fields.TextField(null=True)
    actor = fields.TextField()
    occurred_at = fields.DatetimeField()
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "point_transactions"
        # One writer at a time (L12): two writers would take the same place in the account's order.
        unique_together = (("program_id", "member_id", "sequence"), ("program_id", "id"))
        constraints = (
            CheckConstraint(check="amount <> 0", name="point_transactions_amount"),
            CheckConstraint(check="available_after >= 0", name="point_transactions_available_after"),
            # The business key, for ever (L11): nothing earns twice under one rule.
            UniqueConstraint(
                fields=("program_id", "source_id", "rule"),
                name="point_transactions_earn_once",
                condition="kind = 'EARN'",
            ),
        )


@describes(account.Lot, is_open="state IN ('PENDING', 'ACTIVE')")
class LotTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    transaction_id = fields.UUIDField()
    source_type = fields.CharEnumField(account.SourceType, max_length=30)
    source_id = fields.UUIDField()
    amount = fields.BigIntField()
    remaining = fields.BigIntField()
    held = fields.BigIntField()
    state = fields.CharEnumField(account.LotState, max_length=30)
    available_at = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField(null=True)
    expires_when_idle = fields.BooleanField()
    earned_at = fields.DatetimeField()

    class Meta:
        table = "lots"
        unique_together = (("program_id", "id"),)
        indexes = (Index(fields=("program_id", "member_id", "id"), name="lots_member"),)
        constraints = (
            CheckConstraint(
                check="amount > 0 AND held >= 0 AND remaining >= held AND remaining <= amount",
                name="lots_remaining",
            ),
            CheckConstraint(
                check="(state IN ('PENDING', 'ACTIVE')) = (remaining > 0)",
                name="lots_closed_when_empty",
            ),
        )


@describes(account.LotDraw)
class LotDrawTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    transaction_id = fields.UUIDField()
    lot_id = fields.UUIDField()
    amount = fields.BigIntField()

    class Meta:
        table = "lot_draws"
        indexes = (Index(fields=("program_id", "transaction_id"), name="lot_draws_transaction"),)
        constraints = (CheckConstraint(check="amount <> 0", name="lot_draws_amount"),)


@describes(account.Hold, is_open="state = 'HELD'")
class HoldTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    transaction_id = fields.UUIDField()
    amount = fields.BigIntField()
    captured = fields.BigIntField()
    state = fields.CharEnumField(account.HoldState, max_length=30)
    reference = fields.TextField(null=True)
    held_at = fields.DatetimeField()
    lapses_at = fields.DatetimeField()

    class Meta:
        table = "holds"
        unique_together = (("program_id", "id"),)
        indexes = (
            PartialIndex(fields=("program_id", "member_id"), name="holds_open_of_member", condition={"state": "HELD"}),
        )
        constraints = (
            CheckConstraint(check="amount > 0 AND captured >= 0 AND captured <= amount", name="holds_captured"),
            CheckConstraint(check="(captured > 0) = (state = 'CAPTURED')", name="holds_state"),
        )


@describes(account.Shortfall, is_open="remaining > 0")
class ShortfallTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    source_type = fields.CharEnumField(account.SourceType, max_length=30)
    source_id = fields.UUIDField()
    reverses = fields.UUIDField()
    outcome = fields.CharEnumField(account.ShortfallOutcome, max_length=30)
    amount = fields.BigIntField()
    remaining = fields.BigIntField()
    occurred_at = fields.DatetimeField()
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "shortfalls"
        indexes = (Index(fields=("program_id", "member_id"), name="shortfalls_member"),)
        constraints = (
            CheckConstraint(check="amount > 0 AND remaining >= 0 AND remaining <= amount", name="shortfalls_remaining"),
            CheckConstraint(check="remaining = 0 OR outcome = 'DEBT'", name="shortfalls_owed"),
        )


@describes(qualifying.QualifyingEntry)
class QualifyingEntryTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    year_id = fields.UUIDField()
    day = fields.DateField()
    points = fields.BigIntField()
    spend_minor = fields.BigIntField()
    purchases = fields.IntField()

    class Meta:
        table = "qualifying_entries"
        indexes = (Index(fields=("program_id", "year_id"), name="qualifying_entries_year"),)


TRANSACTION_KEYSET: Final = pages.Keyset(("sequence",), (int,), is_descending=True)


async def transactions_of(
    program_id: UUID, member_ids: Sequence[UUID], part: pages.Slice
) -> dict[UUID, list[account.PointTransaction]]:
    """The same page of each member's transactions, the latest first."""
    return await pages.of_parents(
        account.PointTransaction, TRANSACTION_KEYSET, part, program_id, "member_id", member_ids
    )


async def ledgers(
    program_id: UUID, member_ids: Sequence[UUID], now: datetime, program: Program | None = None
) -> tuple[dict[UUID, reading.Ledger], Program | None]:
    """Members' accounts with what is open of them, as they stood at one instant, in five statements.

    With a program, a sixth brings what counts for their tiers, where these do not last for life; so it does, after one
    for the program, where an account waits for the clock. Gives the program back, if it was needed.
    """
    # One snapshot: an account and lots of different instants would not agree.
    async with connection.acquire() as reader, reader.transaction(isolation="repeatable_read", readonly=True):
        table = TABLES[account.PointsAccount]
        records = await reader.fetch(table.sql_load(None, is_locked=False), program_id, member_ids)
        lots = await _open_of(reader, account.Lot, program_id, member_ids)
        holds = await _open_of(reader, account.Hold, program_id, member_ids)
        held_by = [hold.transaction_id for family in holds.values() for hold in family]
        draws = await _open_of(reader, account.LotDraw, program_id, held_by)
        shortfalls = await _open_of(reader, account.Shortfall, program_id, member_ids)
        accounts: list[Any] = [table.decode(record) for record in records]
        if program is None and any(reading.is_due(row, now) for row in accounts):
            program = await _program(reader, program_id)
        years = {row.id: [] if program is None else _years(program, row, lots[row.id], now) for row in accounts}
        wanted = [year_id for of_member in years.values() for year_id in of_member]
        entries = await _open_of(reader, qualifying.QualifyingEntry, program_id, wanted) if wanted else {}
        told_late = [row.id for row in accounts if reading.is_due(row, now) and _may_regain(row, lots[row.id])]
        history = await _open_of(reader, standing.TierChange, program_id, told_late) if told_late else {}
    found = {
        row.id: reading.Ledger(
            account=row,
            lots=tuple(lots[row.id]),
            holds=tuple(holds[row.id]),
            draws=tuple(draw for hold in holds[row.id] for draw in draws[hold.transaction_id]),
            shortfalls=tuple(shortfalls[row.id]),
            entries=tuple(entry for year_id in years[row.id] for entry in entries.get(year_id, ())),
            history=tuple(history.get(row.id, ())),
        )
        for row in accounts
    }
    return found, program


async def _program(reader: asyncpg.Connection, program_id: UUID) -> Program:
    table = TABLES[Program]
    (record,) = await reader.fetch(table.sql_load(None, is_locked=False), program_id, [program_id])
    return table.decode(record)  # type: ignore[return-value]


def _may_regain(row: account.PointsAccount, lots: Sequence[account.Lot]) -> bool:
    """Whether pending points may turn out to have kept a tier that was lost, or is lost only now, in its grace."""
    since = row.tier_since
    pending = [lot for lot in lots if lot.state is account.LotState.PENDING]
    return since is not None and any(row.tier_grace_until is not None or lot.earned_at < since for lot in pending)


def _years(program: Program, row: Any, lots: Sequence[account.Lot], now: datetime) -> list[UUID]:
    """What the entries that decide about a member's tier belong to."""
    pending = [lot.earned_at for lot in lots if lot.state is account.LotState.PENDING]
    return [qualifying.year_of(row.id, year) for year in tiering.years_of(program, row, now, pending)]


async def _open_of(
    reader: asyncpg.Connection, kind: type[AnyRow], program_id: UUID, parents: Sequence[UUID]
) -> dict[UUID, list[AnyRow]]:
    assert kind.parent is not None, f"{kind.__name__} has no parent"
    table = TABLES[kind]
    found: dict[UUID, list[AnyRow]] = defaultdict(list)
    for record in await reader.fetch(table.sql_load(FAMILY, is_locked=False), program_id, parents):
        row: AnyRow = table.decode(record)  # type: ignore[assignment]
        found[getattr(row, kind.parent)].append(row)
    return found
