"""An engine for one piece of work of the command line."""

import contextlib
from collections.abc import AsyncIterator
from typing import Final

from api import assembly
from api.settings import Settings
from persistence import connection, embedded
from persistence.engine import DISCONNECTED, Engine, Unavailable
from persistence.startup import StartupError

# One reader at a time, and one to spare while a connection is made anew.
_POOL_SIZE: Final = 2
# Whoever works here bounds what is on its way by itself, and has nobody to turn away.
_QUEUE_MAX: Final = 1_000_000
# A full disk under a report is an OSError too, and no fault of PostgreSQL's.
_LOST: Final = (Unavailable, ConnectionError, *(kind for kind in DISCONNECTED if kind is not OSError))


@contextlib.asynccontextmanager
async def running(settings: Settings, stores: embedded.Servers) -> AsyncIterator[Engine]:
    """An engine over a database that is up to date, with the pool that reads use; stopped at the end of the block.

    Raises `StartupError` if the database cannot be used, or is lost on the way.
    """
    await assembly.migrate(settings, stores)
    try:
        async with connection.open_database(stores.database_url, pool_size=_POOL_SIZE) as address:
            engine = Engine(
                lambda: connection.connect(address),
                batch_max=settings.engine_batch_max,
                queue_max=_QUEUE_MAX,
                retry_max=settings.engine_retry_max,
            )
            await engine.start()
            try:
                yield engine
            finally:
                await engine.stop()
    except _LOST as lost:
        raise StartupError("PostgreSQL was lost on the way. What was answered is kept; run the same again.") from lost
