"""Vouchers: templates, pools and their codes, and what members have of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain import stores
from domain.vouchers import pool, template, voucher
from persistence import pages, rows
from persistence.tables import describes


@describes(template.VoucherTemplate)
class VoucherTemplateTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    code = fields.TextField()
    name = fields.TextField()
    description = fields.TextField(null=True)
    terms: fields.JSONField[object] = fields.JSONField()
    limit_per_member = fields.IntField(null=True)
    is_active = fields.BooleanField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "voucher_templates"
        unique_together = (("program_id", "code"), ("program_id", "id"))


@describes(pool.VoucherPool)
class VoucherPoolTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    template_id = fields.UUIDField()
    name = fields.TextField()
    supply = fields.CharEnumField(pool.Supply, max_length=30)
    left = fields.BigIntField(null=True)
    stocked = fields.BigIntField()
    given = fields.BigIntField()
    is_claimable = fields.BooleanField()
    is_closed = fields.BooleanField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "voucher_pools"
        unique_together = (("program_id", "id"),)
        indexes = (Index(fields=("program_id", "template_id"), name="voucher_pools_template"),)
        constraints = (
            CheckConstraint(check='"left" >= 0 AND stocked >= 0 AND given >= 0', name="voucher_pools_counts"),
            # Whoever sells a code that is not there breaks this.
            CheckConstraint(check="supply = 'ON_DEMAND' OR stocked = \"left\" + given", name="voucher_pools_are_whole"),
        )


@describes(pool.VoucherCode)
class VoucherCodeTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    pool_id = fields.UUIDField()
    ordinal = fields.IntField()
    code = fields.TextField()

    class Meta:
        table = "voucher_codes"
        unique_together = (("program_id", "code"),)
        constraints = (CheckConstraint(check="ordinal > 0", name="voucher_codes_ordinal"),)


@describes(voucher.Voucher, is_open="state <> 'VOID'")
class VoucherTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    template_id = fields.UUIDField()
    pool_id = fields.UUIDField()
    code = fields.TextField()
    state = fields.CharEnumField(voucher.VoucherState, max_length=30)
    origin = fields.CharEnumField(voucher.VoucherOrigin, max_length=30)
    redemption_id = fields.UUIDField(null=True)
    channel = fields.CharEnumField(stores.Channel, max_length=30)
    store_id = fields.UUIDField(null=True)
    starts_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    locked_for = fields.TextField(null=True)
    locked_until = fields.DatetimeField(null=True)
    has_returned = fields.BooleanField()
    purchase_id = fields.UUIDField(null=True)
    used_at = fields.DatetimeField(null=True)
    used_channel = fields.CharEnumField(stores.Channel, max_length=30, null=True)
    used_store_id = fields.UUIDField(null=True)
    discount_minor = fields.BigIntField()
    reason = fields.TextField(null=True)
    issued_at = fields.DatetimeField()
    due_at = fields.DatetimeField(null=True)
    actor = fields.TextField()

    class Meta:
        table = "vouchers"
        unique_together = (("program_id", "code"), ("program_id", "id"))
        indexes = (
            Index(fields=("program_id", "member_id", "id"), name="vouchers_member"),
            # What waits for the clock.
            Index(fields=("program_id", "due_at"), name="vouchers_due"),
            Index(fields=("program_id", "used_store_id", "used_at"), name="vouchers_used_store"),
        )
        constraints = (
            CheckConstraint(check="(state = 'USED') = (used_at IS NOT NULL)", name="vouchers_used"),
            CheckConstraint(check="(state = 'LOCKED') = (locked_until IS NOT NULL)", name="vouchers_locked"),
            CheckConstraint(check="discount_minor >= 0", name="vouchers_discount"),
        )


KEYSET: Final = pages.Keyset(("id",), is_descending=True)
TEMPLATE_KEYSET: Final = pages.Keyset(("id",))
POOL_KEYSET: Final = pages.Keyset(("id",))


async def templates(program_id: UUID, part: pages.Slice) -> list[template.VoucherTemplate]:
    """Templates of a program, the oldest first."""
    return await pages.select(template.VoucherTemplate, TEMPLATE_KEYSET, part, "program_id = $1", (program_id,))


async def pools(
    program_id: UUID, template_ids: Sequence[UUID], part: pages.Slice
) -> dict[UUID, list[pool.VoucherPool]]:
    """The same page of each template's pools, the oldest first."""
    return await pages.of_parents(pool.VoucherPool, POOL_KEYSET, part, program_id, "template_id", template_ids)


async def of_members(
    program_id: UUID, member_ids: Sequence[UUID], part: pages.Slice
) -> dict[UUID, list[voucher.Voucher]]:
    """The same page of each member's vouchers, the latest first."""
    return await pages.of_parents(voucher.Voucher, KEYSET, part, program_id, "member_id", member_ids)


async def find(program_id: UUID, code: str) -> voucher.Voucher | None:
    """The voucher with a code."""
    return await rows.first(voucher.Voucher, "program_id = $1 AND code = $2", program_id, code)


async def good_of(program_id: UUID, member_id: UUID, now: datetime, count: int) -> list[voucher.Voucher]:
    """Vouchers that a member may use now, or that are locked, those that expire soonest in front."""
    return await rows.select(
        voucher.Voucher,
        "program_id = $1 AND member_id = $2 AND state IN ('ISSUED', 'RETURNED', 'LOCKED') AND starts_at <= $3"
        " AND (expires_at IS NULL OR expires_at > $3 OR locked_until > $3)"
        " ORDER BY expires_at NULLS LAST, id LIMIT $4",
        program_id,
        member_id,
        now,
        count,
    )


async def given(program_id: UUID, _: datetime, pairs: Sequence[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], int]:
    """How many vouchers members were given, voided ones not counted, by member and template."""
    records = await rows.fetch(
        "SELECT kept.member_id, kept.template_id, count(*) AS given FROM vouchers AS kept"
        " JOIN unnest($2::uuid[], $3::uuid[]) AS asked (member_id, template_id)"
        " ON kept.member_id = asked.member_id AND kept.template_id = asked.template_id"
        " WHERE kept.program_id = $1 AND kept.state <> 'VOID' GROUP BY 1, 2",
        program_id,
        [member_id for member_id, _ in pairs],
        [template_id for _, template_id in pairs],
    )
    return {(record["member_id"], record["template_id"]): record["given"] for record in records}
