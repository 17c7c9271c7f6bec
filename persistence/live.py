"""Live updates: that something changed is told to whoever listens, here at once and in other processes through Redis.

Only topics are told, never values: whoever listens reads anew. So a message that is lost, late or doubled does no harm,
and a listener that is slow has one mark set and no queue. What is lost with Redis is made good when it is back, and by
looking again every `REFRESH_SECONDS`.
"""

import asyncio
import contextlib
import logging
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from redis import asyncio as aioredis
from redis import exceptions

from domain.kernel import Event

logger = logging.getLogger("tessera.live")

Topic = tuple[UUID, str]

CHANNEL: Final = "tessera:live"
# A listener that heard nothing looks again after so long.
REFRESH_SECONDS: Final = 60.0
RETRY_SECONDS: Final = 0.5
# What waits for a Redis that is away; what is beyond is made good by looking again.
_OUTGOING_MAX: Final = 10_000
_TOPICS_A_MESSAGE_MAX: Final = 1_000
_LOST: Final = (exceptions.RedisError, OSError, TimeoutError)


class Listener:
    """One who listens to topics: marked when one of them changed, however often."""

    __slots__ = ("_hub", "_mark", "topics")

    def __init__(self, hub: "Hub", topics: frozenset[Topic]) -> None:
        self.topics = topics
        self._hub = hub
        self._mark = asyncio.Event()

    def mark(self) -> None:
        """Something changed."""
        self._mark.set()

    async def changed(self) -> None:
        """Wait until something changed since this was last asked, or it is time to look again."""
        again = asyncio.get_running_loop().call_later(self._hub.refresh_seconds, self.mark)
        try:
            await self._mark.wait()
        finally:
            again.cancel()
        self._mark.clear()


class Hub:
    """Who listens in this process, and the way to the others. Without Redis only this process is heard."""

    def __init__(self, redis: aioredis.Redis | None, *, refresh_seconds: float = REFRESH_SECONDS) -> None:
        self.refresh_seconds = refresh_seconds
        # How often something was told here: what was read before may be old.
        self.told = 0
        self._redis: Any = redis
        self._id = uuid.uuid4().hex
        self._listeners: dict[Topic, set[Listener]] = defaultdict(set)
        self._outgoing: dict[Topic, None] = {}
        self._has_outgoing = asyncio.Event()

    def __len__(self) -> int:
        """How many listen."""
        return len({listener for listeners in self._listeners.values() for listener in listeners})

    @contextlib.contextmanager
    def listening(self, program_id: UUID, topics: Iterable[str]) -> Iterator[Listener]:
        """Listen to topics of a program for as long as the block lasts."""
        listener = Listener(self, frozenset((program_id, topic) for topic in topics))
        for topic in listener.topics:
            self._listeners[topic].add(listener)
        try:
            yield listener
        finally:
            for topic in listener.topics:
                self._listeners[topic].discard(listener)
                if not self._listeners[topic]:
                    del self._listeners[topic]

    def kept(self, program_id: UUID, events: Sequence[Event]) -> None:
        """Tell what a batch that is committed changed."""
        self.tell(program_id, {topic for event in events for topic in event.topics()})

    def tell(self, program_id: UUID, names: Iterable[str]) -> None:
        """Tell everybody that topics changed: here at once, elsewhere in a moment."""
        topics = [(program_id, name) for name in names]
        if not topics:
            return
        self._mark(topics)
        if self._redis is None or len(self._outgoing) > _OUTGOING_MAX:
            return
        self._outgoing.update(dict.fromkeys(topics))
        self._has_outgoing.set()

    def _mark(self, topics: Iterable[Topic]) -> None:
        self.told += 1
        for topic in topics:
            for listener in self._listeners.get(topic, ()):
                listener.mark()

    def _mark_all(self) -> None:
        self._mark(list(self._listeners))

    # Between processes.

    async def run(self) -> None:
        """Carry topics to other processes and from them, until cancelled. A Redis that is away is waited for."""
        if self._redis is None:
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish(), name="live publisher")
            tasks.create_task(self._receive(), name="live receiver")

    async def _publish(self) -> None:
        while True:
            await self._has_outgoing.wait()
            self._has_outgoing.clear()
            topics = list(self._outgoing)
            self._outgoing.clear()
            try:
                for start in range(0, len(topics), _TOPICS_A_MESSAGE_MAX):
                    part = [(str(key), name) for key, name in topics[start : start + _TOPICS_A_MESSAGE_MAX]]
                    await self._redis.publish(CHANNEL, orjson.dumps({"from": self._id, "topics": part}))
            except _LOST as fault:
                # Whoever listens elsewhere looks again when Redis is back.
                logger.warning("live updates stay in this process: %s", type(fault).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _receive(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    # Something may have been told while nobody heard it.
                    self._mark_all()
                    while True:
                        self._hear(await channel.get_message(ignore_subscribe_messages=True, timeout=1.0))
            except _LOST as fault:
                logger.warning("live updates of other processes are not heard: %s", type(fault).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    def _hear(self, message: dict[str, Any] | None) -> None:
        if message is None:
            return
        try:
            told = orjson.loads(message["data"])
            topics = [(UUID(program_id), name) for program_id, name in told["topics"]]
        except (ValueError, TypeError, KeyError):
            logger.warning("a message on %s is none of ours", CHANNEL)
            return
        if told["from"] != self._id:
            self._mark(topics)


@contextlib.asynccontextmanager
async def running(redis: aioredis.Redis | None) -> AsyncIterator[Hub]:
    """A hub that is connected for as long as the block lasts."""
    hub = Hub(redis)
    task = asyncio.create_task(hub.run(), name="live")
    try:
        yield hub
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
