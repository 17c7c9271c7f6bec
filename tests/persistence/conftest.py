"""What tests of the engine may ask for: engines on one database, a connection beside them, and a shop."""

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator

import asyncpg
import pytest
import pytest_asyncio

from persistence import connection
from persistence.engine import Engine
from tests import servers
from tests.persistence import engines, filling, relays
from tests.persistence.boards import Arena

Starting = Callable[..., "contextlib.AbstractAsyncContextManager[Engine]"]


@pytest.fixture
def starting(database_url: str) -> Starting:
    """Start an engine of a test's own: `async with starting(batch_max=8) as engine`."""

    @contextlib.asynccontextmanager
    async def start(engine: Engine | None = None, **told: object) -> AsyncIterator[Engine]:
        started = engine or engines.make(database_url, **told)
        await started.start()
        try:
            yield started
        finally:
            await started.stop()

    return start


@pytest_asyncio.fixture
async def engine(starting: Starting) -> AsyncIterator[Engine]:
    """A running engine."""
    async with starting() as running:
        yield running


@pytest_asyncio.fixture
async def other_engine(starting: Starting) -> AsyncIterator[Engine]:
    """A second engine on the same database: what another process is to the first."""
    async with starting() as running:
        yield running


@pytest_asyncio.fixture
async def shop(engine: Engine) -> engines.Shop:
    """A shop in a program of its own."""
    return await engines.open_shop(engine)


@pytest_asyncio.fixture
async def own(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection beside the engine's, to look and to get in the way."""
    opened = await connection.connect(connection.parse_url(database_url))
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def filled_url(server_url: str) -> Iterator[str]:
    """A database with rows of every kind, which nobody changes for good."""
    url = servers.create_database(server_url, f"filled_{os.getpid()}")
    yield url
    servers.drop_database(server_url, url)


@pytest_asyncio.fixture(scope="session")
async def filled(filled_url: str) -> filling.Filled:
    """What the filled database holds."""
    return await filling.fill(filled_url)


@pytest_asyncio.fixture
async def scratch(filled_url: str, filled: filling.Filled) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the filled database in a transaction that is rolled back."""
    opened = await connection.connect(connection.parse_url(filled_url))
    transaction = opened.transaction()
    await transaction.start()
    yield opened
    await transaction.rollback()
    await opened.close()


@pytest_asyncio.fixture
async def arena(fresh_database_url: str, redis_url: str) -> AsyncIterator[Arena]:
    """A shop on a database and a Redis that no other test has seen."""
    async with (
        relays.stage(fresh_database_url, redis_url) as stage,
        connection.open_database(fresh_database_url, pool_size=4),
    ):
        made = Arena(fresh_database_url, *stage, await engines.open_shop(stage[-1]))
        yield made
        for each in made.relays:
            await each.close()
