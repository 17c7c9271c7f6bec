"""The relay: carries what happened from the outbox to what is kept for fast reading, in PostgreSQL and in Redis.

A projection is something that follows from facts and is kept beside them, such as the standings of leaderboards. For
each program one relay at a time, who has locked its row of `relays`, takes a bounded delivery of what happened, lets
every projection count it, and marks it, in one transaction. Ids become visible out of order, so each event is marked
by itself. The same delivery may come twice: whatever is written is absolute, reckoned from the facts as they stand.

Redis may be away, or have lost everything, and nothing waits for it. Beside what a projection has in Redis stands the
version of the last delivery that it knows, written in the same transaction of Redis. Where that is another one than
PostgreSQL has committed, the projection is built anew from there; whoever was slow, and finds a later one than its
own, writes nothing. Readers who find no version ask PostgreSQL.
"""

import contextlib
import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

import asyncpg
import orjson
from redis import asyncio as aioredis
from redis import exceptions
from tortoise import fields
from tortoise.models import Model

from persistence.engine import DISCONNECTED

logger = logging.getLogger("tessera.relay")

# So many events are one delivery at most.
DELIVERY_MAX: Final = 2000
# So many programs are looked at for what Redis has lost at a time.
LOOKED_AT_MAX: Final = 500
# A program whose events cannot be counted is left aside by this relay, so that it keeps no other waiting.
_ASIDE_MAX: Final = 1000
REDIS_AWAY: Final = (exceptions.RedisError, OSError)

RedisCommand = tuple[str | bytes | int | float, ...]
# Told how many entries more are written; false to stop.
Progress = Callable[[int], bool]


class RelayTable(Model):
    """How far a program's events are delivered; the id is the program's, and its lock makes one the relay."""

    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    version = fields.BigIntField(db_default=0)

    class Meta:
        table = "relays"


class Overtaken(Exception):
    """Somebody else has gone on with this program in Redis; what was about to be written is old."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of the outbox. `body` has the fields of the event called `name`."""

    id: UUID
    name: str
    member_id: UUID | None
    body: dict[str, Any]
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """What happened in a program. Its version, in microseconds since 1970, is greater than that of any before."""

    program_id: UUID
    version: int
    happened: tuple[Happened, ...]

    @property
    def member_ids(self) -> list[UUID]:
        """The members that something happened to, in the order of their ids."""
        return sorted({event.member_id for event in self.happened if event.member_id is not None})


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a projection being built anew: what to tell Redis, and how many entries that are."""

    commands: Sequence[RedisCommand]
    count: int


class Projection(ABC):
    """Something that follows from facts and is kept for fast reading, in Redis, and in tables of its own if it likes.

    Keys are made by `key`, so that all of a program are in one slot of a Redis Cluster. What a delivery tells Redis
    meets there exactly what the deliveries before have told: otherwise the projection is built anew instead.
    """

    name: ClassVar[str]

    @abstractmethod
    async def apply(self, own: asyncpg.Connection, delivery: Delivery) -> Sequence[RedisCommand] | None:
        """Count a delivery, in the transaction that marks it, and say what to tell Redis: all of it or nothing.

        The facts that `own` reads are those of the delivery or later ones, and the delivery may come again: what is
        written is absolute. None if so much has changed that the projection is better built anew.
        """

    @abstractmethod
    async def count(self, own: asyncpg.Connection, program_id: UUID) -> int:
        """How many entries of a program there are, for whoever watches them being built anew."""

    @abstractmethod
    def rebuild(self, own: asyncpg.Connection, program_id: UUID) -> AsyncIterator[Chunk]:
        """All of a program from what PostgreSQL has, in bounded chunks; what Redis had under the same keys goes."""

    async def recount(self, own: asyncpg.Connection, program_id: UUID) -> None:  # noqa: B027
        """Reckon tables of its own anew from the facts. It has none by default."""


def key(program_id: UUID, *parts: object) -> str:
    """A key of a program: its id is the hash tag."""
    return ":".join((f"{{{program_id}}}", *map(str, parts)))


def version_key(program_id: UUID, projection: str) -> str:
    """Where Redis keeps the version of the last delivery that a projection knows. A reader looks there first."""
    return key(program_id, "relay", projection)


def known_version(value: bytes | None) -> int | None:
    """The version that stands at a `version_key`; None if the projection is missing, or is being built."""
    return int(value) if value is not None and value.isdigit() else None


async def lock(own: asyncpg.Connection, program_id: UUID) -> int:
    """Keep every relay from a program until the end of the transaction; the version of its last delivery."""
    await own.execute(_SQL_ENSURE)
    version: int = await own.fetchval(_SQL_LOCK, program_id)
    return version


class Relay:
    """Delivers what happened in all programs, and builds anew what Redis has lost. Any number may run."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        redis: "aioredis.Redis",
        projections: Sequence[Projection],
        *,
        delivery_max: int = DELIVERY_MAX,
    ) -> None:
        self.delivered = 0
        # Told of every delivery once it is counted. Must not fail, and not take long.
        self.on_delivered: Callable[[UUID], None] = lambda _program_id: None
        self._connect = connect
        self._redis: Any = redis
        self._projections = tuple(projections)
        self._delivery_max = delivery_max
        self._own: asyncpg.Connection | None = None
        self._aside: dict[UUID, None] = {}
        self._looked_at: UUID | None = None

    async def close(self) -> None:
        """End the relay's own session, and with it whatever it was about to write."""
        own, self._own = self._own, None
        if own is not None:
            own.terminate()

    async def step(self) -> bool:
        """Make one delivery. False if there is nothing to deliver that nobody else is delivering."""
        own = await self._session()
        program_id = None
        try:
            async with own.transaction():
                record = await own.fetchrow(_SQL_CLAIM, list(self._aside))
                if record is None:
                    return False
                program_id = record["id"]
                upset = await self._deliver(own, program_id, record["version"])
        except DISCONNECTED:
            raise
        except Exception:
            # Its events stay where they are, and the others' are not kept waiting.
            logger.exception("what happened in program %s could not be delivered", program_id)
        else:
            await self._build_upset(own, upset, program_id)
            self.on_delivered(program_id)
            return True
        if program_id is not None:
            self._set_aside(program_id)
        return True

    async def mend(self) -> bool:
        """Build anew what Redis lacks of the next programs. False once every program has been looked at.

        Raises what redis-py does if Redis is away.
        """
        own = await self._session()
        await own.execute(_SQL_ENSURE)
        found = await own.fetch(_SQL_NEXT, self._looked_at, LOOKED_AT_MAX)
        self._looked_at = found[-1]["id"] if len(found) == LOOKED_AT_MAX else None
        for record in found:
            for projection in self._projections:
                if await self._is_behind(projection, record["id"], record["version"]):
                    await self._mend(own, projection, record["id"])
        # What could not be counted is tried again now and then.
        self._aside.clear()
        return self._looked_at is not None

    async def programs(self) -> list[UUID]:
        """Every program there is."""
        own = await self._session()
        await own.execute(_SQL_ENSURE)
        return [record["id"] for record in await own.fetch("SELECT id FROM relays ORDER BY id")]

    async def count(self, program_id: UUID) -> int:
        """How many entries all projections of a program have."""
        own = await self._session()
        return sum([await projection.count(own, program_id) for projection in self._projections])

    async def rebuild(self, program_id: UUID, progress: Progress, *, from_facts: bool = False) -> bool:
        """Build all projections of a program anew, tables of their own too if asked; false if `progress` stopped it.

        What is not built to its end is asked of PostgreSQL, and a relay builds it anew. Raises what redis-py does if
        Redis is away, and `Overtaken` if it lost its data meanwhile.
        """
        own = await self._session()
        for projection in self._projections:
            async with own.transaction():
                version = await lock(own, program_id)
                if from_facts:
                    await projection.recount(own, program_id)
                if not await self._build(own, projection, program_id, version, progress):
                    return False
        return True

    async def _session(self) -> asyncpg.Connection:
        if self._own is None or self._own.is_closed():
            self._own = await self._connect()
            await self._own.execute(_SQL_ENSURE)
        return self._own

    def _set_aside(self, program_id: UUID) -> None:
        self._aside[program_id] = None
        if len(self._aside) > _ASIDE_MAX:
            self._aside.pop(next(iter(self._aside)))

    async def _deliver(self, own: asyncpg.Connection, program_id: UUID, before: int) -> list[Projection]:
        """Count what happened. The projections for which so much has changed that they are to be built anew."""
        records = await own.fetch(_SQL_HAPPENED, program_id, self._delivery_max)
        happened = tuple(
            Happened(record["id"], record["name"], record["member_id"], orjson.loads(record["body"]), record["at"])
            for record in records
        )
        version = await own.fetchval(_SQL_VERSION, before)
        delivery = Delivery(program_id, version, happened)
        told = [(projection, await projection.apply(own, delivery)) for projection in self._projections]
        for projection, commands in told:
            if commands is not None:
                await self._tell(projection, delivery, before, commands)
        await own.execute(_SQL_MARK, [event.id for event in happened])
        await own.execute("UPDATE relays SET version = $2 WHERE id = $1", program_id, version)
        self.delivered += len(happened)
        return [projection for projection, commands in told if commands is None]

    async def _build_upset(self, own: asyncpg.Connection, upset: Sequence[Projection], program_id: UUID) -> None:
        """Build anew at once what a delivery has upset. Where Redis is away, it is mended when that is back."""
        try:
            for projection in upset:
                await self._mend(own, projection, program_id)
        except REDIS_AWAY as fault:
            logger.warning("Redis is away, and will be built anew: %s", type(fault).__name__)

    async def _tell(
        self, projection: Projection, delivery: Delivery, before: int, commands: Sequence[RedisCommand]
    ) -> None:
        """Tell Redis of a delivery, if it knows just what came before. What it does not know is built anew later."""
        place = version_key(delivery.program_id, projection.name)
        try:
            async with self._redis.pipeline() as pipe:
                await pipe.watch(place)
                known = known_version(await pipe.get(place))
                # Something is missing; or somebody told of what was never committed, and nobody knows of what; or
                # somebody else has gone on, and our session is lost.
                if known != before:
                    return
                await _execute(pipe, [*commands, ("SET", place, delivery.version)])
        except REDIS_AWAY as fault:
            logger.warning("Redis was not told, %s will be built anew: %s", projection.name, type(fault).__name__)

    async def _is_behind(self, projection: Projection, program_id: UUID, version: int) -> bool:
        known = known_version(await self._redis.get(version_key(program_id, projection.name)))
        return known != version

    async def _mend(self, own: asyncpg.Connection, projection: Projection, program_id: UUID) -> None:
        """Build a projection anew, unless somebody has this program, who tells Redis, or finds what we did."""
        async with own.transaction():
            version = await own.fetchval(f"{_SQL_LOCK} SKIP LOCKED", program_id)
            if version is None or not await self._is_behind(projection, program_id, version):
                return
            logger.info("%s of program %s is built anew in Redis", projection.name, program_id)
            with contextlib.suppress(Overtaken):
                await self._build(own, projection, program_id, version, lambda _: True)

    async def _build(
        self, own: asyncpg.Connection, projection: Projection, program_id: UUID, version: int, progress: Progress
    ) -> bool:
        place = version_key(program_id, projection.name)
        # Not a version: readers ask PostgreSQL, and whoever was slow writes nothing any more.
        token = f"building-{secrets.token_hex(8)}".encode()
        await self._redis.set(place, token)
        async for chunk in projection.rebuild(own, program_id):
            await self._tell_chunk(place, token, chunk.commands)
            if not progress(chunk.count):
                return False
        await self._tell_chunk(place, token, [("SET", place, version)])
        return True

    async def _tell_chunk(self, place: str, token: bytes, commands: Sequence[RedisCommand]) -> None:
        try:
            async with self._redis.pipeline() as pipe:
                await pipe.watch(place)
                if await pipe.get(place) != token:
                    raise Overtaken
                await _execute(pipe, commands)
        except exceptions.WatchError:
            raise Overtaken from None


async def _execute(pipe: Any, commands: Sequence[RedisCommand]) -> None:
    """All commands in one transaction of Redis."""
    pipe.multi()
    for command in commands:
        pipe.execute_command(*command)
    await pipe.execute()


_SQL_ENSURE: Final = (
    "INSERT INTO relays (id, program_id) SELECT id, id FROM programs"
    " WHERE NOT EXISTS (SELECT FROM relays WHERE relays.id = programs.id) ON CONFLICT DO NOTHING"
)
# Of those with something to deliver, the one that has waited longest since its last delivery.
_SQL_CLAIM: Final = (
    "SELECT id, version FROM relays WHERE id <> ALL($1::uuid[]) AND EXISTS ("
    "SELECT FROM outbox WHERE outbox.program_id = relays.id AND relayed_at IS NULL)"
    " ORDER BY version LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED"
)
_SQL_NEXT: Final = "SELECT id, version FROM relays WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2"
_SQL_LOCK: Final = "SELECT version FROM relays WHERE id = $1 FOR NO KEY UPDATE"
_SQL_HAPPENED: Final = (
    "SELECT id, name, member_id, body, recorded_at AS at FROM outbox"
    " WHERE program_id = $1 AND relayed_at IS NULL ORDER BY id LIMIT $2"
)
# The database's clock, which all relays share; greater than the version before, whatever the clock does.
_SQL_VERSION: Final = "SELECT greatest($1::bigint + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"
_SQL_MARK: Final = "UPDATE outbox SET relayed_at = clock_timestamp() WHERE id = ANY($1::uuid[])"
