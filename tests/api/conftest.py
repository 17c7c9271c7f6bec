"""What tests of the API may ask for: a running application, and shops in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest_asyncio
from redis import asyncio as aioredis
from tortoise import Tortoise

from api import context, http, schema, settings
from persistence import connection, engine
from tests.api import shops

SCHEMA = schema.build()


@asynccontextmanager
async def _running(database_url: str, redis: Any) -> AsyncIterator[shops.World]:
    clock = shops.Clock()
    chosen = settings.Settings(_env_file=None, api_key_cache_seconds=5)
    async with connection.open_database(database_url, pool_size=4) as address:
        commands = engine.Engine(lambda: connection.connect(address), now=clock)
        await commands.start()
        backend = context.backend(chosen, commands, redis, signing_key=shops.SIGNING_KEY, now=clock)
        app = http.create_app(SCHEMA, context_getter=context.context_getter(backend), readiness={})
        yield shops.World(app, backend, clock)
        await commands.stop()
        # Closing the pool leaves Tortoise's global context behind, and the next test could not open its own.
        await Tortoise.close_connections()


@pytest_asyncio.fixture
async def world(database_url: str) -> AsyncIterator[shops.World]:
    """A running application without Redis."""
    async with _running(database_url, None) as running:
        yield running


@pytest_asyncio.fixture
async def world_with_redis(database_url: str, redis_url: str) -> AsyncIterator[shops.World]:
    """A running application with Redis."""
    redis = aioredis.Redis.from_url(redis_url)
    async with _running(database_url, redis) as running:
        yield running
    await redis.aclose()


@pytest_asyncio.fixture
async def world_alone(fresh_database_url: str, redis_url: str) -> AsyncIterator[shops.World]:
    """A running application with Redis and no other test's programs, for who moves the clock of all that there are."""
    redis = aioredis.Redis.from_url(redis_url)
    async with _running(fresh_database_url, redis) as running:
        yield running
    await redis.aclose()


@pytest_asyncio.fixture
async def shop(world: shops.World) -> shops.Shop:
    """A shop in a program of its own."""
    return await world.open_shop()
