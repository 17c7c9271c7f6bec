"""Stores, their groups, and what was done at each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from domain import stores
from persistence import pages, rows
from persistence.tables import describes


@describes(stores.StoreGroup)
class StoreGroupTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    code = fields.TextField()
    name = fields.TextField()
    kind = fields.CharEnumField(stores.StoreGroupKind, max_length=30)
    created_at = fields.DatetimeField()

    class Meta:
        table = "store_groups"
        unique_together = (("program_id", "code"), ("program_id", "id"))


@describes(stores.Store)
class StoreTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    code = fields.TextField()
    name = fields.TextField()
    group_id = fields.UUIDField(null=True)
    is_closed = fields.BooleanField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "stores"
        unique_together = (("program_id", "code"), ("program_id", "id"))


KEYSET: Final = pages.Keyset(("id",))


async def page(program_id: UUID, part: pages.Slice) -> list[stores.Store]:
    """Stores of a program, the oldest first."""
    return await pages.select(stores.Store, KEYSET, part, "program_id = $1", (program_id,))


async def groups(program_id: UUID, part: pages.Slice) -> list[stores.StoreGroup]:
    """Groups of stores of a program, the oldest first."""
    return await pages.select(stores.StoreGroup, KEYSET, part, "program_id = $1", (program_id,))


@dataclass(frozen=True, slots=True)
class Figures:
    """What was done at a store from one instant until before another. Amounts are minor units."""

    purchases: int = 0
    amount_minor: int = 0
    refunded_minor: int = 0
    points_earned: int = 0
    points_spent: int = 0
    redemptions: int = 0
    points_redeemed: int = 0
    vouchers_used: int = 0
    discount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """A store, and from which instant until before which."""

    store_id: UUID
    since: datetime
    until: datetime


# Purchases by when they happened, redemptions by when they were placed, vouchers by when they were used.
_FIGURES: Final = """
    SELECT asked.store_id, asked.since, asked.until, bought.*, redeemed.*, used.*
    FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) AS asked (store_id, since, until)
    CROSS JOIN LATERAL (
        SELECT count(*) AS purchases, coalesce(sum(amount_minor), 0)::bigint AS amount_minor,
            coalesce(sum(refunded_minor), 0)::bigint AS refunded_minor,
            coalesce(sum(points_earned), 0)::bigint AS points_earned,
            coalesce(sum(points_spent), 0)::bigint AS points_spent
        FROM purchases WHERE program_id = $1 AND store_id = asked.store_id
            AND occurred_at >= asked.since AND occurred_at < asked.until
    ) AS bought CROSS JOIN LATERAL (
        SELECT count(*) AS redemptions, coalesce(sum(points), 0)::bigint AS points_redeemed
        FROM redemptions WHERE program_id = $1 AND store_id = asked.store_id
            AND placed_at >= asked.since AND placed_at < asked.until AND state NOT IN ('CANCELLED', 'LAPSED')
    ) AS redeemed CROSS JOIN LATERAL (
        SELECT count(*) AS vouchers_used, coalesce(sum(discount_minor), 0)::bigint AS discount_minor
        FROM vouchers WHERE program_id = $1 AND used_store_id = asked.store_id
            AND used_at >= asked.since AND used_at < asked.until
    ) AS used"""


async def figures(program_id: UUID, _: datetime, spans: Sequence[Span]) -> dict[Span, Figures]:
    """What was done at stores, in one statement for all of them."""
    records = await rows.fetch(
        _FIGURES,
        program_id,
        [span.store_id for span in spans],
        [span.since for span in spans],
        [span.until for span in spans],
    )
    found = [tuple(record) for record in records]
    return {Span(*told[:3]): Figures(*told[3:]) for told in found}
