"""Flash sales, their items, the stock of their rounds, members' claims, and who wants to be reminded."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain import claims, stores
from domain.flash_sales import reminders, sale
from domain.points import account
from persistence import pages, rows
from persistence.tables import TABLES, describes


@describes(sale.FlashSale)
class FlashSaleTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    code = fields.TextField()
    name = fields.TextField()
    description = fields.TextField(null=True)
    audience: fields.JSONField[object] = fields.JSONField()
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    daily: fields.JSONField[object] = fields.JSONField(null=True)
    head_starts: fields.JSONField[object] = fields.JSONField()
    pay_minutes = fields.IntField()
    is_active = fields.BooleanField()
    timing = fields.IntField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "flash_sales"
        unique_together = (("program_id", "code"), ("program_id", "id"))
        constraints = (
            CheckConstraint(check="starts_at < ends_at AND pay_minutes > 0 AND timing > 0", name="flash_sales_times"),
        )


@describes(sale.FlashSaleItem, is_open="NOT is_closed")
class FlashSaleItemTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    sale_id = fields.UUIDField()
    reward_id = fields.UUIDField()
    position = fields.IntField()
    points = fields.BigIntField()
    cash_minor = fields.BigIntField()
    stock = fields.BigIntField()
    limit_per_member = fields.IntField(null=True)
    shares: fields.JSONField[object] = fields.JSONField()
    is_closed = fields.BooleanField()

    class Meta:
        table = "flash_sale_items"
        unique_together = (("program_id", "sale_id", "reward_id"), ("program_id", "id"))
        constraints = (
            CheckConstraint(
                check="points > 0 AND cash_minor >= 0 AND stock >= 0 AND position > 0 AND limit_per_member > 0",
                name="flash_sale_items_bounds",
            ),
        )


@describes(claims.FlashSaleStock)
class FlashSaleStockTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    item_id = fields.UUIDField()
    opens_at = fields.DatetimeField()
    tier_id = fields.UUIDField(null=True)
    total = fields.BigIntField()
    sold = fields.BigIntField()
    held = fields.BigIntField()

    class Meta:
        table = "flash_sale_stocks"
        unique_together = (("program_id", "id"),)
        indexes = (Index(fields=("program_id", "item_id", "opens_at"), name="flash_sale_stocks_round"),)
        # The database itself does not oversell (F1).
        constraints = (
            CheckConstraint(
                check="sold >= 0 AND held >= 0 AND sold + held <= total", name="flash_sale_stocks_never_oversold"
            ),
        )


@describes(claims.FlashSaleHold, is_open="state = 'HELD'")
class FlashSaleHoldTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    stock_id = fields.UUIDField()
    state = fields.CharEnumField(account.HoldState, max_length=30)
    lapses_at = fields.DatetimeField()

    class Meta:
        table = "flash_sale_holds"
        indexes = (Index(fields=("program_id", "stock_id", "state"), name="flash_sale_holds_stock"),)


@describes(claims.Claim, is_open="state IN ('HELD', 'CONFIRMED')")
class ClaimTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    sale_id = fields.UUIDField()
    item_id = fields.UUIDField()
    opens_at = fields.DatetimeField()
    stock_id = fields.UUIDField()
    points = fields.BigIntField()
    cash_minor = fields.BigIntField()
    state = fields.CharEnumField(claims.ClaimState, max_length=30)
    hold_id = fields.UUIDField(null=True)
    pay_by = fields.DatetimeField(null=True)
    due_at = fields.DatetimeField(null=True)
    redemption_id = fields.UUIDField(null=True)
    channel = fields.CharEnumField(stores.Channel, max_length=30)
    store_id = fields.UUIDField(null=True)
    claimed_at = fields.DatetimeField()
    closed_at = fields.DatetimeField(null=True)
    actor = fields.TextField()

    class Meta:
        table = "claims"
        unique_together = (("program_id", "id"),)
        indexes = (
            Index(fields=("program_id", "member_id", "id"), name="claims_member"),
            # What waits for the clock.
            Index(fields=("program_id", "due_at"), name="claims_due"),
        )
        constraints = (
            CheckConstraint(check="points > 0 AND cash_minor >= 0", name="claims_amounts"),
            CheckConstraint(
                check="(state = 'HELD') = (due_at IS NOT NULL) AND (cash_minor > 0) = (hold_id IS NOT NULL)"
                " AND (cash_minor > 0) = (pay_by IS NOT NULL)",
                name="claims_held",
            ),
            CheckConstraint(
                check="(state IN ('HELD', 'CONFIRMED')) = (closed_at IS NULL)"
                " AND (state <> 'CONFIRMED' OR redemption_id IS NOT NULL)"
                " AND (state IN ('CONFIRMED', 'RELEASED') OR redemption_id IS NULL)",
                name="claims_closed",
            ),
        )


@describes(reminders.FlashSaleReminder)
class FlashSaleReminderTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    sale_id = fields.UUIDField()
    minutes = fields.IntField()
    is_wanted = fields.BooleanField()
    told_for = fields.DatetimeField(null=True)
    timing = fields.IntField()
    due_at = fields.DatetimeField(null=True)

    class Meta:
        table = "flash_sale_reminders"
        unique_together = (("program_id", "member_id", "sale_id"),)
        indexes = (
            Index(fields=("program_id", "due_at"), name="flash_sale_reminders_due"),
            # Those that were reckoned by other times than the sale's.
            Index(fields=("program_id", "sale_id", "timing"), name="flash_sale_reminders_timing"),
        )
        constraints = (
            CheckConstraint(check="minutes >= 0 AND (is_wanted OR due_at IS NULL)", name="flash_sale_reminders_wanted"),
        )


NEWEST: Final = pages.Keyset(("id",), is_descending=True)
# An item and the opening of a round of it.
Place = tuple[UUID, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which sales: every condition that is told."""

    is_active: bool | None = None
    # With a round that is on or to come.
    is_current: bool = False


async def page(program_id: UUID, which: Filter, now: datetime, part: pages.Slice) -> list[sale.FlashSale]:
    """Sales, the latest first."""
    where, told = ["program_id = $1"], [program_id]
    if which.is_active is not None:
        where.append("is_active" if which.is_active else "NOT is_active")
    if which.is_current:
        told.append(now)  # type: ignore[arg-type]
        where.append("ends_at > $2")
    return await pages.select(sale.FlashSale, NEWEST, part, " AND ".join(where), told)


async def items(program_id: UUID, _: datetime, sale_ids: Sequence[UUID]) -> dict[UUID, list[sale.FlashSaleItem]]:
    """What sales offer, in the order told."""
    found: dict[UUID, list[sale.FlashSaleItem]] = defaultdict(list)
    where = "program_id = $1 AND sale_id = ANY($2::uuid[]) AND NOT is_closed ORDER BY position, id"
    for item in await rows.select(sale.FlashSaleItem, where, program_id, list(sale_ids)):
        found[item.sale_id].append(item)
    return found


async def stocks(program_id: UUID, now: datetime, places: Sequence[Place]) -> dict[Place, list[claims.FlashSaleStock]]:
    """The stocks of rounds as they are at an instant: what was not paid in time is put back.

    One statement for all; a round of which nobody has claimed yet has none.
    """
    table = TABLES[claims.FlashSaleStock]
    records = await rows.fetch(
        f"SELECT {table.sql_columns_of('kept')}, (SELECT count(*) FROM flash_sale_holds AS hold"
        " WHERE hold.program_id = $1 AND hold.stock_id = kept.id AND hold.state = 'HELD' AND hold.lapses_at <= $2)"
        " FROM flash_sale_stocks AS kept JOIN unnest($3::uuid[], $4::timestamptz[]) AS asked (item_id, opens_at)"
        " ON kept.item_id = asked.item_id AND kept.opens_at = asked.opens_at WHERE kept.program_id = $1",
        program_id,
        now,
        [item_id for item_id, _ in places],
        [opens_at for _, opens_at in places],
    )
    found: dict[Place, list[claims.FlashSaleStock]] = defaultdict(list)
    for told in map(tuple, records):
        stock: claims.FlashSaleStock = table.decode(told[:-1])  # type: ignore[assignment]
        found[(stock.item_id, stock.opens_at)].append(stock.given_back(told[-1]))
    return found


async def taken(
    program_id: UUID, now: datetime, places: Sequence[tuple[UUID, UUID, datetime]]
) -> dict[tuple[UUID, UUID, datetime], int]:
    """How many units members have, by member, item and round (F5), in one statement."""
    records = await rows.fetch(
        "SELECT kept.member_id, kept.item_id, kept.opens_at, count(*) AS taken FROM claims AS kept"
        " JOIN unnest($2::uuid[], $3::uuid[], $4::timestamptz[]) AS asked (member_id, item_id, opens_at)"
        " ON kept.member_id = asked.member_id AND kept.item_id = asked.item_id AND kept.opens_at = asked.opens_at"
        " WHERE kept.program_id = $1 AND kept.state IN ('HELD', 'CONFIRMED')"
        " AND (kept.due_at IS NULL OR kept.due_at > $5) GROUP BY 1, 2, 3",
        program_id,
        *(list(column) for column in zip(*places, strict=True)),
        now,
    )
    return {(record["member_id"], record["item_id"], record["opens_at"]): record["taken"] for record in records}


async def of_members(program_id: UUID, member_ids: Sequence[UUID], part: pages.Slice) -> dict[UUID, list[claims.Claim]]:
    """The same page of each member's claims, the latest first."""
    return await pages.of_parents(claims.Claim, NEWEST, part, program_id, "member_id", member_ids)


async def reminded(program_id: UUID, _: datetime, pairs: Sequence[tuple[UUID, UUID]]) -> dict[Any, int]:
    """How many minutes before a round members want to be told of a sale, by member and sale."""
    keys = [reminders.reminder_id(*pair) for pair in pairs]
    found = await rows.by_ids(reminders.FlashSaleReminder, program_id, keys)
    return {(row.member_id, row.sale_id): row.minutes for row in found.values() if row.is_wanted}
