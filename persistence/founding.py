"""What only the command line asks, because every other caller's credential names its program."""

import contextlib
from collections.abc import AsyncIterator
from typing import Final

from domain.programs import Program
from persistence import connection, rows
from persistence.tables import TABLES

_FOUNDING_LOCK: Final = 0x7E55E7B


async def programs(count: int, *, name: str | None = None) -> list[Program]:
    """The oldest programs of the database, at most `count`; with a name, those that bear it."""
    table = TABLES[Program]
    where = "TRUE" if name is None else "name = $2"
    told = () if name is None else (name,)
    statement = f"SELECT {table.sql_columns} FROM {table.name} WHERE {where} ORDER BY id LIMIT $1"
    records = await rows.fetch(statement, count, *told)
    return [program for record in records if isinstance(program := table.decode(record), Program)]


@contextlib.asynccontextmanager
async def one_at_a_time() -> AsyncIterator[None]:
    """Of all processes on the database, one at a time is in the block."""
    # The lock ends with the transaction, and that with the connection, whatever happens.
    async with connection.acquire() as own, own.transaction(readonly=True):
        await own.execute("SELECT pg_advisory_xact_lock($1)", _FOUNDING_LOCK)
        yield
