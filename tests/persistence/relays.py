"""A projection to try the relay with, and a place where it runs."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from redis import asyncio as aioredis

from persistence import connection, relay
from persistence.engine import Engine
from persistence.relay import Chunk, Delivery, RedisCommand, Relay
from tests.persistence import engines

CHUNK = 10


@dataclass
class Balances(relay.Projection):
    """Available points of members, in a sorted set; and in memory what was counted."""

    name = "balances"
    counted: list[tuple[str, ...]] = field(default_factory=list)
    fault: Exception | None = None

    is_upset: bool = False

    async def apply(self, own: asyncpg.Connection, delivery: Delivery) -> Sequence[RedisCommand] | None:
        self.counted.append(tuple(event.name for event in delivery.happened))
        if self.fault is not None:
            raise self.fault
        if self.is_upset:
            return None
        found = await own.fetch(
            "SELECT id, available FROM points_accounts WHERE program_id = $1 AND id = ANY($2::uuid[])",
            delivery.program_id,
            delivery.member_ids,
        )
        return [("ZADD", place(delivery.program_id), row["available"], str(row["id"])) for row in found]

    async def count(self, own: asyncpg.Connection, program_id: UUID) -> int:
        found: int = await own.fetchval("SELECT count(*) FROM points_accounts WHERE program_id = $1", program_id)
        return found

    async def rebuild(self, own: asyncpg.Connection, program_id: UUID) -> AsyncIterator[Chunk]:
        yield Chunk([("UNLINK", place(program_id))], 0)
        found = await own.fetch("SELECT id, available FROM points_accounts WHERE program_id = $1", program_id)
        for start in range(0, len(found), CHUNK):
            part = found[start : start + CHUNK]
            yield Chunk(
                [("ZADD", place(program_id), row["available"], str(row["id"])) for row in part],
                len(part),
            )


def place(program_id: UUID) -> str:
    return relay.key(program_id, "balances")


@dataclass
class Town:
    """A database of its own, shops in it, a Redis, and relays between them."""

    url: str
    redis: Any
    own: asyncpg.Connection
    engine: Engine
    balances: Balances = field(default_factory=Balances)
    relays: list[Relay] = field(default_factory=list)

    def relay(self, redis: Any = None, **told: Any) -> Relay:
        """Another relay, as another process would have it."""
        made = Relay(
            lambda: connection.connect(connection.parse_url(self.url)), redis or self.redis, [self.balances], **told
        )
        self.relays.append(made)
        return made

    async def run(self, made: Relay | None = None) -> int:
        """Deliver all there is; how many events that were."""
        made = made or self.relay()
        before = made.delivered
        while await made.step():
            pass
        return made.delivered - before

    async def waiting(self) -> int:
        found: int = await self.own.fetchval("SELECT count(*) FROM outbox WHERE relayed_at IS NULL")
        return found

    async def kept(self, program_id: UUID) -> dict[UUID, int]:
        """What Redis has."""
        found = await self.redis.zrange(place(program_id), 0, -1, withscores=True)
        return {UUID(member.decode()): int(score) for member, score in found}

    async def true(self, program_id: UUID) -> dict[UUID, int]:
        """What PostgreSQL has."""
        found = await self.own.fetch("SELECT id, available FROM points_accounts WHERE program_id = $1", program_id)
        return {UUID(str(row["id"])): row["available"] for row in found}

    async def version(self, program_id: UUID) -> int | None:
        """The version that Redis knows."""
        return relay.known_version(await self.redis.get(relay.version_key(program_id, "balances")))


class Stumbling:
    """A Redis that does something in the middle of a write, such as losing the writer's session to PostgreSQL."""

    def __init__(self, redis: Any, *, before: Any = None, after: Any = None) -> None:
        self._redis = redis
        self.before = before
        self.after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._redis, name)

    def pipeline(self) -> contextlib.AbstractAsyncContextManager[Any]:
        pipe = self._redis.pipeline()
        execute = pipe.execute

        async def stumble() -> Any:
            if self.before is not None:
                await self.before()
            done = await execute()
            if self.after is not None:
                await self.after()
            return done

        pipe.execute = stumble
        return pipe  # type: ignore[no-any-return]


def away() -> Any:
    """A Redis that does not answer."""
    return aioredis.Redis.from_url("unix:///nowhere/at/all.sock")


@contextlib.asynccontextmanager
async def stage(database_url: str, redis_url: str) -> AsyncIterator[tuple[Any, asyncpg.Connection, Engine]]:
    """A Redis without anything, a session and an engine of a database, all gone at the end of the block."""
    redis = aioredis.Redis.from_url(redis_url)
    await redis.flushdb()
    own = await connection.connect(connection.parse_url(database_url))
    engine = engines.make(database_url)
    await engine.start()
    yield redis, own, engine
    await engine.stop()
    await own.close()
    await redis.aclose()
