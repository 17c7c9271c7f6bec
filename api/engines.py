"""An engine for one piece of work of the command line."""

import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar

from api import assembly, serve
from api.settings import Settings, identity_key, signing_key
from persistence import connection, embedded, memory
from persistence import engine as persisting
from persistence.engine import DISCONNECTED, Engine, Unavailable
from persistence.startup import StartupError

Result = TypeVar("Result")

# One for what is read, and one that holds a lock meanwhile.
_POOL_SIZE: Final = 2
# Whoever works here bounds what is on its way by itself, and has nobody to turn away.
_QUEUE_MAX: Final = 1_000_000
# Nobody waits for one answer here, so that twice the server's batch, and half its commits, cost nobody anything. More
# would keep members locked for longer, for whom a server may wait on the same database.
_BATCH_FACTOR: Final = 2
# A full disk under a report is an OSError too, and no fault of PostgreSQL's.
_LOST: Final = (Unavailable, ConnectionError, *(kind for kind in DISCONNECTED if kind is not OSError))


def batch_max(settings: Settings) -> int:
    """How many commands are committed together at most."""
    return _BATCH_FACTOR * settings.engine_batch_max


@contextlib.asynccontextmanager
async def running(settings: Settings, stores: embedded.Servers) -> AsyncIterator[Engine]:
    """An engine over a database that is up to date, with the pool that reads use; stopped at the end of the block.

    Raises `StartupError` if the database cannot be used, or is lost on the way.
    """
    await assembly.migrate(settings, stores)
    try:
        async with (
            connection.open_database(stores.database_url, pool_size=_POOL_SIZE) as address,
            persisting.running(
                address,
                batch_max=batch_max(settings),
                queue_max=_QUEUE_MAX,
                retry_max=settings.engine_retry_max,
            ) as engine,
        ):
            engine.identity_key = identity_key(signing_key(settings))
            memory.spare_the_collector()
            yield engine
    except _LOST as lost:
        raise StartupError("PostgreSQL was lost on the way. What was answered is kept; run the same again.") from lost


def do(settings: Settings, work: Callable[[Engine], Awaitable[Result]]) -> Result:
    """What `work` comes to, on the stores of these settings.

    Raises `StartupError` if they cannot be had, and KeyboardInterrupt if it was told to stop.
    """

    if settings.log_level != "debug":
        # Drivers tell of a lost connection in tracebacks; whoever waits for this reads one sentence.
        logging.getLogger("asyncpg").setLevel(logging.CRITICAL)
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)

    async def whole(settings: Settings, stores: embedded.Servers) -> Result:
        async with running(settings, stores) as engine:
            return await work(engine)

    return serve.run_once(settings, whole)
