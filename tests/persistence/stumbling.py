"""Connections on which batches stumble: a COMMIT fails after its batch was decided, and the next one is deciding."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Final

import asyncpg

from persistence import connection

# How long the next batch has, to come to wait for the locks of the one that is about to fail.
NEXT_SECONDS: Final = 0.01

Fault = Callable[[], Exception]


def every(number: int, fault: Fault) -> Iterator[Fault | None]:
    """A fault at every `number`-th COMMIT, for ever."""
    for count in itertools.count(1):
        yield None if count % number else fault


class Stumbling:
    """A connection that meets a fault, or none, at each COMMIT; with all others of its database it shares the list."""

    def __init__(self, inner: asyncpg.Connection, faults: Iterator[Fault | None]) -> None:
        self.inner = inner
        self.faults = faults

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def execute(self, statement: str, *arguments: Any) -> str:
        """Run a statement. A fault leaves the transaction to be rolled back, or the connection lost."""
        fault = next(self.faults, None) if statement == "COMMIT" else None
        if fault is not None:
            await asyncio.sleep(NEXT_SECONDS)
            raised = fault()
            if isinstance(raised, asyncpg.PostgresConnectionError):
                self.inner.terminate()
            raise raised
        return str(await self.inner.execute(statement, *arguments))


def connecting(url: str, faults: Iterable[Fault | None]) -> Callable[[], Awaitable[Any]]:
    """What an engine connects with, to meet these faults, one at each COMMIT, and then no more."""
    coming = iter(faults)

    async def connect() -> Any:
        return Stumbling(await connection.connect(connection.parse_url(url)), coming)

    return connect
