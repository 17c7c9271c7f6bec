"""The relay's loop: what happened is delivered as it happens, and what Redis has lost is built anew."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Final

from redis import asyncio as aioredis

from domain.topics import Subject, topic
from persistence import connection, projections
from persistence.engine import DISCONNECTED
from persistence.live import Hub
from persistence.relay import REDIS_AWAY, Relay

logger = logging.getLogger("tessera.relay")

# How soon after nothing was to be delivered it is looked again.
IDLE_SECONDS: Final = 0.2
# How often it is looked whether Redis has all that it should.
MEND_SECONDS: Final = 5.0
LOST_SECONDS: Final = 2.0


def make(address: connection.Address, redis: "aioredis.Redis", hub: Hub | None = None) -> Relay:
    """A relay with every projection; what it delivers is told to those who listen through the hub."""
    relay = Relay(lambda: connection.connect(address), redis, projections.ALL)
    if hub is not None:
        relay.on_delivered = lambda program_id: hub.tell(program_id, (topic(Subject.LEADERBOARDS, program_id),))
    return relay


async def run(relay: Relay, goes_on: Callable[[], bool] = lambda: True) -> None:
    """Deliver and mend while it `goes_on`. A store that is lost is waited for; nothing is forgotten meanwhile."""
    clock = asyncio.get_running_loop().time
    mend_at = clock()
    try:
        while goes_on():
            try:
                if clock() >= mend_at:
                    has_more = await _mend(relay)
                    mend_at = clock() + (0 if has_more else MEND_SECONDS)
                if not await relay.step():
                    await asyncio.sleep(IDLE_SECONDS)
            except DISCONNECTED as fault:
                logger.warning("the relay waits: %s", type(fault).__name__)
                await relay.close()
                await asyncio.sleep(LOST_SECONDS)
    finally:
        await relay.close()


async def run_until_idle(relay: Relay) -> None:
    """Deliver all that has happened, and build anew what Redis lacks."""
    while await relay.step():
        pass
    while await _mend(relay):
        pass


@contextlib.asynccontextmanager
async def running(address: connection.Address, redis: "aioredis.Redis", hub: Hub) -> AsyncIterator[Relay]:
    """A relay beside whatever the block does."""
    relay = make(address, redis, hub)
    task = asyncio.create_task(run(relay), name="relay")
    try:
        yield relay
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _mend(relay: Relay) -> bool:
    """Whether there is more to look at soon."""
    try:
        return await relay.mend()
    except REDIS_AWAY as fault:
        logger.warning("Redis is away, and is looked for again soon: %s", type(fault).__name__)
        return False
