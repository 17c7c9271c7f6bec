"""Members."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from domain import members, stores
from domain.points import account
from persistence import pages, rows
from persistence.tables import describes


@describes(members.Member)
class MemberTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    external_id = fields.TextField(null=True)
    phone = fields.TextField(null=True)
    card_number = fields.TextField(null=True)
    email = fields.TextField(null=True)
    name = fields.TextField(null=True)
    birthday = fields.DateField(null=True)
    gender = fields.CharEnumField(members.Gender, max_length=30, null=True)
    attributes: fields.JSONField[object] = fields.JSONField()
    tags: fields.JSONField[object] = fields.JSONField()
    consents: fields.JSONField[object] = fields.JSONField()
    channel = fields.CharEnumField(stores.Channel, max_length=30)
    store_id = fields.UUIDField(null=True)
    enrolled_at = fields.DatetimeField()

    class Meta:
        table = "members"
        unique_together = (
            ("program_id", "id"),
            ("program_id", "external_id"),
            ("program_id", "phone"),
            ("program_id", "card_number"),
            ("program_id", "email"),
        )


KEYSET: Final = pages.Keyset(("id",), is_descending=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which members: every condition that is told. `search` is a key as it is written, or a part of the name."""

    search: str | None = None
    tier_id: UUID | None = None
    status: account.AccountStatus | None = None
    channel: stores.Channel | None = None
    store_id: UUID | None = None
    tag: str | None = None


_CONDITIONS: Final = {
    "search": (
        "(external_id = {0} OR phone = {0} OR card_number = {0} OR email = {0} OR strpos(lower(name), lower({0})) > 0)"
    ),
    "tier_id": "id IN (SELECT id FROM points_accounts WHERE program_id = $1 AND tier_id = {0})",
    "status": "id IN (SELECT id FROM points_accounts WHERE program_id = $1 AND status = {0})",
    "channel": "channel = {0}",
    "store_id": "store_id = {0}",
    "tag": "tags @> jsonb_build_array({0}::text)",
}


async def named(
    program_id: UUID, _now: datetime, names: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], members.Member]:
    """Members by one of their unique keys and its value, such as `("external_id", "u-1")`."""
    values: dict[str, list[str]] = defaultdict(list)
    for key, value in names:
        values[key].append(value)
    found: dict[tuple[str, str], members.Member] = {}
    for key, asked in values.items():
        assert key in members.Member.keys, f"{key} is no unique key of a member"
        rows_of = await rows.by_keys(members.Member, program_id, key, asked)
        found.update({(key, value): row for value, row in rows_of.items()})
    return found


async def page(program_id: UUID, which: Filter, part: pages.Slice) -> list[members.Member]:
    """Members of a program, the last enrolled first."""
    where, arguments = ["program_id = $1"], [program_id]
    for name, condition in _CONDITIONS.items():
        value = getattr(which, name)
        if value is not None:
            arguments.append(value)
            where.append(condition.format(f"${len(arguments)}"))
    return await pages.select(members.Member, KEYSET, part, " AND ".join(where), arguments)
