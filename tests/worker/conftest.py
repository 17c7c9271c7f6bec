"""What tests of the worker may ask for: a database with a clock, and a connection to look around with."""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio
from tortoise import Tortoise

from persistence import connection
from tests.worker.clockwork import World


@pytest_asyncio.fixture
async def world(fresh_database_url: str) -> AsyncIterator[World]:
    """A database that no other test has seen, at noon of the 1st of March in Shanghai."""
    async with connection.open_database(fresh_database_url, pool_size=4):
        made = World(fresh_database_url)
        yield made
        for worker in made.workers:
            await worker.close()
        for engine in made.running:
            await engine.stop()
        await Tortoise.close_connections()


@pytest_asyncio.fixture
async def own(world: World) -> AsyncIterator[asyncpg.Connection]:
    """A connection to look around with."""
    opened = await connection.connect(connection.parse_url(world.url))
    yield opened
    await opened.close()
