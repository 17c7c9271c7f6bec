"""What only the command line asks, because every other caller's credential names its program."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import asyncpg

from domain.programs import Program
from persistence import rows
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
async def one_at_a_time(connect: Callable[[], Awaitable[asyncpg.Connection]]) -> AsyncIterator[None]:
    """Of all processes on the database, and of all tasks in them, one at a time is in the block."""
    # Of its own: who waits must not keep a reader of the pool from the one that is in the block.
    own = await connect()
    try:
        await own.execute("SELECT pg_advisory_lock($1)", _FOUNDING_LOCK)
        yield
    finally:
        # The lock ends with the session, whatever happens.
        await own.close()
