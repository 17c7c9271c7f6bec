"""Putting the program together: stores that are up to date, the engine over them, and the application that answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

import strawberry
from redis import asyncio as aioredis
from starlette.applications import Starlette

from api import context, http, limits, relaying, schema, seed, worker
from api import settings as configuration
from persistence import connection, embedded, live, memory, migrations, reachability, rows
from persistence.engine import Engine, running

Contract = Callable[[], strawberry.Schema]
# Nothing that must be right waits for Redis.
REDIS_SECONDS_MAX: Final = 2.0


async def migrate(_: configuration.Settings, stores: embedded.Servers) -> None:
    """Bring the database up to date. Raises `StartupError` if a store cannot be used."""
    await asyncio.gather(reachability.check_database(stores.database_url), reachability.check_redis(stores.redis_url))
    await migrations.migrate(connection.parse_url(stores.database_url))


@contextlib.asynccontextmanager
async def assemble(
    settings: configuration.Settings, stores: embedded.Servers, contract: Contract = schema.build
) -> AsyncIterator[Starlette]:
    """Everything between the stores and the socket, ready to answer; taken apart at the end of the block."""
    await migrate(settings, stores)
    async with (
        connection.open_database(stores.database_url, pool_size=settings.database_pool_size) as address,
        running(
            address,
            batch_max=settings.engine_batch_max,
            queue_max=settings.engine_queue_max,
            retry_max=settings.engine_retry_max,
        ) as engine,
        open_redis(stores) as redis,
        live.running(redis) as hub,
    ):
        # Whoever brings a database of their own is asked first: `tessera seed`.
        if settings.database_url is None:
            await seed.ensure(engine, settings.data_dir)
        application = _application(settings, engine, redis, hub, contract)
        memory.spare_the_collector()
        async with contextlib.AsyncExitStack() as beside:
            if settings.works:
                await beside.enter_async_context(worker.running(engine, address))
                await beside.enter_async_context(relaying.running(address, redis, hub))
            yield application


def open_redis(stores: embedded.Servers) -> "aioredis.Redis":
    """A client of Redis, to be closed by whoever asks for it. It answers soon, or raises."""
    return aioredis.Redis.from_url(
        stores.redis_url, socket_timeout=REDIS_SECONDS_MAX, socket_connect_timeout=REDIS_SECONDS_MAX
    )


def _application(
    settings: configuration.Settings, engine: Engine, redis: "aioredis.Redis", hub: live.Hub, contract: Contract
) -> Starlette:
    shared = context.backend(settings, engine, redis, signing_key=configuration.signing_key(settings), hub=hub)

    async def redis_answers() -> None:
        await redis.ping()

    return http.create_app(
        contract(),
        context_getter=context.context_getter(shared),
        readiness={"postgresql": _database_answers, "redis": redis_answers, "migrations": _is_up_to_date},
        # Without Redis earning and spending go on.
        degradable={"redis"},
        bounds=_bounds(settings),
        body_max_bytes=settings.request_body_max_bytes,
    )


def _bounds(settings: configuration.Settings) -> limits.Limits:
    return limits.Limits(
        depth_max=settings.query_depth_max,
        tokens_max=settings.query_tokens_max,
        aliases_max=settings.query_aliases_max,
        root_fields_max=settings.query_root_fields_max,
        directives_max=settings.query_directives_max,
    )


async def _database_answers() -> None:
    await rows.fetch("SELECT 1")


async def _is_up_to_date() -> None:
    async with connection.acquire() as reader:
        if await migrations.latest(reader) != migrations.LATEST:
            raise RuntimeError("the database is not at the latest migration")
