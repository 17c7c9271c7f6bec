"""Reading rows as the domain's dataclasses: one statement for many keys, never a lock."""

from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from domain.kernel import Row, Want
from persistence import connection
from persistence.lasting import LASTING
from persistence.tables import TABLES, column_of

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
    return await _by(kind, program_id, {row_id: Want(kind, row_id) for row_id in ids})


async def by_keys(kind: type[AnyRow], program_id: UUID, key: str, values: Iterable[Any]) -> dict[Any, AnyRow]:
    """Rows of a program by one of their unique keys, such as `version`; values that no row has are left out."""
    return await _by(kind, program_id, {value: Want(kind, value, key) for value in values})


async def _by(kind: type[AnyRow], program_id: UUID, wants: dict[Any, Want]) -> dict[Any, AnyRow]:
    """What answers wants that ask in one way, by what they ask for. Rows that last are read once a process."""
    found: dict[Any, Any] = {
        value: row for value, want in wants.items() if (row := LASTING.find(program_id, want)) is not None
    }
    unknown = [value for value in wants if value not in found]
    if unknown:
        column = column_of(wants[unknown[0]])
        where = f'program_id = $1 AND "{column}" = ANY($2::{TABLES[kind].sql_types[column]}[])'
        for row in await select(kind, where, program_id, unknown):
            value = getattr(row, column)
            LASTING.keep(program_id, wants[value], row)
            found[value] = row
    return found


async def first(kind: type[AnyRow], where: str, *arguments: Any) -> AnyRow | None:
    """The first row that `where` selects."""
    found = await select(kind, f"{where} LIMIT 1", *arguments)
    return found[0] if found else None
