"""Group deals, their units, the groups that fill up, and the seats in them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain import stores
from domain.group_deals import deal, group
from persistence import pages, rows
from persistence.tables import TABLES, describes


@describes(deal.GroupDeal)
class GroupDealTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    code = fields.TextField()
    name = fields.TextField()
    reward_id = fields.UUIDField()
    points = fields.BigIntField()
    size = fields.IntField()
    minutes = fields.IntField()
    audience: fields.JSONField[object] = fields.JSONField()
    limit_per_member = fields.IntField(null=True)
    is_active = fields.BooleanField()
    starts_at = fields.DatetimeField(null=True)
    ends_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "group_deals"
        unique_together = (("program_id", "code"), ("program_id", "id"))
        constraints = (
            CheckConstraint(check="points > 0 AND size BETWEEN 2 AND 50 AND minutes > 0", name="group_deals_bounds"),
        )


@describes(deal.GroupDealStock)
class GroupDealStockTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    units = fields.BigIntField(null=True)
    held = fields.BigIntField()
    sold = fields.BigIntField()

    class Meta:
        table = "group_deal_stocks"
        constraints = (
            # Whoever sells a unit that is not there breaks this.
            CheckConstraint(
                check="held >= 0 AND sold >= 0 AND (units IS NULL OR held + sold <= units)",
                name="group_deal_stocks_are_whole",
            ),
        )


@describes(group.DealGroup, is_open="state = 'OPEN'")
class DealGroupTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    deal_id = fields.UUIDField()
    code = fields.TextField()
    reward_id = fields.UUIDField()
    points = fields.BigIntField()
    size = fields.IntField()
    member_ids: fields.JSONField[object] = fields.JSONField()
    state = fields.CharEnumField(group.GroupState, max_length=30)
    opened_at = fields.DatetimeField()
    lapses_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)
    due_at = fields.DatetimeField(null=True)

    class Meta:
        table = "deal_groups"
        unique_together = (("program_id", "code"), ("program_id", "id"))
        indexes = (
            Index(fields=("program_id", "deal_id", "state", "lapses_at", "id"), name="deal_groups_open"),
            # What waits for the clock.
            Index(fields=("program_id", "due_at"), name="deal_groups_due"),
        )
        constraints = (
            # Nobody has an eleventh seat of ten, and nothing is filled with fewer.
            CheckConstraint(
                check="points > 0 AND CASE state WHEN 'FILLED' THEN jsonb_array_length(member_ids) = size"
                " WHEN 'OPEN' THEN jsonb_array_length(member_ids) BETWEEN 1 AND size - 1"
                " ELSE jsonb_array_length(member_ids) < size END",
                name="deal_groups_seats",
            ),
            CheckConstraint(
                check="(state = 'OPEN') = (ended_at IS NULL) AND (state <> 'OPEN' OR due_at IS NOT NULL)"
                " AND (state <> 'FILLED' OR due_at IS NULL)",
                name="deal_groups_ended",
            ),
        )


@describes(group.DealSeat, is_open="state IN ('HELD', 'REDEEMED')")
class DealSeatTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    group_id = fields.UUIDField()
    deal_id = fields.UUIDField()
    state = fields.CharEnumField(group.SeatState, max_length=30)
    is_opener = fields.BooleanField()
    hold_id = fields.UUIDField()
    channel = fields.CharEnumField(stores.Channel, max_length=30)
    store_id = fields.UUIDField(null=True)
    redemption_id = fields.UUIDField(null=True)
    joined_at = fields.DatetimeField()
    lapses_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)
    actor = fields.TextField()

    class Meta:
        table = "deal_seats"
        unique_together = (
            ("program_id", "group_id", "member_id"),
            # One hold keeps one seat, and one redemption is the end of one.
            ("program_id", "hold_id"),
            ("program_id", "redemption_id"),
        )
        indexes = (Index(fields=("program_id", "member_id", "id"), name="deal_seats_member"),)
        constraints = (
            CheckConstraint(
                check="(state = 'REDEEMED') = (redemption_id IS NOT NULL) AND (state = 'HELD') = (ended_at IS NULL)",
                name="deal_seats_ended",
            ),
        )


DEAL_KEYSET: Final = pages.Keyset(("id",))
# Those that lapse soonest first.
OPEN_KEYSET: Final = pages.Keyset(("lapses_at", "id"), (datetime, UUID))
SEAT_KEYSET: Final = pages.Keyset(("joined_at", "id"), (datetime, UUID), is_descending=True)


async def page(
    program_id: UUID, now: datetime, part: pages.Slice, *, is_current: bool, reward_id: UUID | None
) -> list[deal.GroupDeal]:
    """Deals of a program, of a reward if one is told, the oldest first; those that are not over, or all."""
    where = "program_id = $1"
    told: list[object] = [program_id]
    if is_current:
        told.append(now)
        where += " AND is_active AND (ends_at IS NULL OR ends_at > $2)"
    if reward_id is not None:
        told.append(reward_id)
        where += f" AND reward_id = ${len(told)}"
    return await pages.select(deal.GroupDeal, DEAL_KEYSET, part, where, told)


async def find(program_id: UUID, code: str) -> deal.GroupDeal | None:
    """The deal with a code."""
    return (await rows.by_keys(deal.GroupDeal, program_id, "code", [code])).get(code)


async def find_group(program_id: UUID, code: str) -> group.DealGroup | None:
    """The group with a code."""
    return (await rows.by_keys(group.DealGroup, program_id, "code", [code])).get(code)


async def stocks(program_id: UUID, now: datetime, deal_ids: Sequence[UUID]) -> dict[UUID, deal.GroupDealStock]:
    """Deals' units as they are at an instant: those of groups that have failed are put back."""
    records = await rows.fetch(
        "SELECT kept.id, kept.program_id, kept.units, kept.held - coalesce(failed.units, 0), kept.sold"
        " FROM group_deal_stocks AS kept LEFT JOIN LATERAL (SELECT sum(size)::bigint AS units FROM deal_groups"
        " WHERE program_id = kept.program_id AND deal_id = kept.id AND state = 'OPEN' AND lapses_at <= $2)"
        " AS failed ON true WHERE kept.program_id = $1 AND kept.id = ANY($3::uuid[])",
        program_id,
        now,
        list(deal_ids),
    )
    decode = TABLES[deal.GroupDealStock].decode
    return {found.id: found for found in map(decode, records)}  # type: ignore[misc]


async def open_groups(
    program_id: UUID, now: datetime, asked: Sequence[tuple[UUID, pages.Slice]]
) -> dict[tuple[UUID, pages.Slice], list[group.DealGroup]]:
    """Pages of deals' open groups, those that lapse soonest first; one statement for all that ask for the same page."""
    deals: dict[pages.Slice, list[UUID]] = defaultdict(list)
    for deal_id, part in asked:
        deals[part].append(deal_id)
    found: dict[tuple[UUID, pages.Slice], list[group.DealGroup]] = defaultdict(list)
    for part, deal_ids in deals.items():
        for row in await _open_groups(program_id, now, deal_ids, part):
            found[(row.deal_id, part)].append(row)
    return found


async def _open_groups(
    program_id: UUID, now: datetime, deal_ids: Sequence[UUID], part: pages.Slice
) -> list[group.DealGroup]:
    table = TABLES[group.DealGroup]
    after = "" if part.after is None else f" AND {OPEN_KEYSET.sql_after(group.DealGroup, 5)}"
    records = await rows.fetch(
        "SELECT page.* FROM unnest($3::uuid[]) AS parents (key) CROSS JOIN LATERAL ("
        f"SELECT {table.sql_columns} FROM deal_groups WHERE program_id = $1 AND deal_id = parents.key"
        f" AND state = 'OPEN' AND lapses_at > $2{after} ORDER BY {OPEN_KEYSET.sql_order()} LIMIT $4) AS page",
        program_id,
        now,
        list(deal_ids),
        part.count,
        *(part.after or ()),
    )
    return [table.decode(record) for record in records]  # type: ignore[misc]


async def of_members(
    program_id: UUID, member_ids: Sequence[UUID], part: pages.Slice
) -> dict[UUID, list[group.DealSeat]]:
    """The same page of each member's seats, the latest first."""
    return await pages.of_parents(group.DealSeat, SEAT_KEYSET, part, program_id, "member_id", member_ids)
