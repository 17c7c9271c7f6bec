"""Reading rows as the domain's dataclasses: one statement for many keys, never a lock."""

from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from domain.kernel import Row
from persistence import connection
from persistence.tables import TABLES

AnyRow = TypeVar("AnyRow", bound=Row)


async def fetch(statement: str, *arguments: Any) -> list[asyncpg.Record]:
    """The records a statement answers with."""
    async with connection.acquire() as reader:
        records: list[asyncpg.Record] = await reader.fetch(statement, *arguments)
    return records


async def select(kind: type[AnyRow], where: str, *arguments: Any) -> list[AnyRow]:
    """Rows of a kind; `where` is what follows WHERE, with ORDER BY and LIMIT, and leads with the program."""
    table = TABLES[kind]
    records = await fetch(f"SELECT {table.sql_columns} FROM {table.name} WHERE {where}", *arguments)
    return [table.decode(record) for record in records]  # type: ignore[misc]


async def by_ids(kind: type[AnyRow], program_id: UUID, ids: Iterable[UUID]) -> dict[UUID, AnyRow]:
    """Rows of a program by id; ids of other programs, or of nothing, are left out."""
    found = await select(kind, 'program_id = $1 AND "id" = ANY($2::uuid[])', program_id, list(ids))
    return {row.id: row for row in found}


async def first(kind: type[AnyRow], where: str, *arguments: Any) -> AnyRow | None:
    """The first row that `where` selects."""
    found = await select(kind, f"{where} LIMIT 1", *arguments)
    return found[0] if found else None
