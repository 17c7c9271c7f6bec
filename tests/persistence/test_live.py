"""Live updates between processes: what one hub is told, the others hear through a real Redis."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest_asyncio
from asyncpg.pgproto import pgproto
from redis import asyncio as aioredis

from domain.members import MemberUpdated
from domain.topics import Subject, topic
from persistence import live
from persistence.live import Hub, Listener

# As the driver gives them.
SHOP, OTHER = (pgproto.UUID(str(uuid.uuid4())) for _ in range(2))
MEMBER, STRANGER = topic(Subject.MEMBER, UUID(int=1)), topic(Subject.MEMBER, UUID(int=2))


async def hears(listener: Listener, seconds: float = 3.0) -> bool:
    """Whether something is heard soon."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await listener.changed()
        return True
    return False


@pytest_asyncio.fixture
async def pair(redis_url: str) -> AsyncIterator[tuple[Hub, Hub]]:
    """The hubs of two processes, connected."""
    async with (
        aioredis.Redis.from_url(redis_url) as redis,
        aioredis.Redis.from_url(redis_url) as another,
        live.running(redis) as first,
        live.running(another) as second,
    ):
        while (await redis.pubsub_numsub(live.CHANNEL))[0][1] < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        yield first, second


async def test_what_is_told_is_heard_here_and_elsewhere_by_whom_it_concerns(pair: tuple[Hub, Hub]) -> None:
    first, second = pair
    with (
        first.listening(SHOP, [MEMBER]) as here,
        second.listening(SHOP, [MEMBER, "board:1"]) as there,
        second.listening(SHOP, [STRANGER]) as somebody,
        second.listening(OTHER, [MEMBER]) as elsewhere,
    ):
        first.kept(SHOP, [MemberUpdated(member_id=UUID(int=1))])
        assert await hears(here, 0.1)
        assert await hears(there)
        second.tell(SHOP, ["board:1"])
        assert await hears(there, 0.1)
        assert not await hears(here, 0.2)
        assert not await hears(somebody, 0.1)
        assert not await hears(elsewhere, 0.1)


async def test_however_much_is_told_a_listener_has_one_mark(pair: tuple[Hub, Hub]) -> None:
    first, second = pair
    with second.listening(SHOP, [MEMBER]) as there:
        for _ in range(5_000):
            first.tell(SHOP, [MEMBER])
        assert await hears(there)
        await asyncio.sleep(0.2)
        await hears(there, 0.1)
        assert not await hears(there, 0.1)


async def test_what_others_say_on_the_channel_does_no_harm(pair: tuple[Hub, Hub], redis_url: str) -> None:
    first, second = pair
    async with aioredis.Redis.from_url(redis_url) as redis:
        for rubbish in ("no json", "[]", '{"from": "x", "topics": [["no id", "member:1"]]}', '{"topics": 1}'):
            await redis.publish(live.CHANNEL, rubbish)
    with second.listening(SHOP, [MEMBER]) as there:
        first.tell(SHOP, [MEMBER])
        assert await hears(there)


async def test_who_stops_listening_is_forgotten() -> None:
    hub = Hub(None)
    with hub.listening(SHOP, [MEMBER]), hub.listening(SHOP, [MEMBER, STRANGER]):
        assert len(hub) == 2
    assert len(hub) == 0
    assert not vars(hub)["_listeners"]


async def test_a_listener_that_hears_nothing_looks_again() -> None:
    """A message may be lost: with a commit whose answer was, or with a process."""
    with Hub(None, refresh_seconds=0.05).listening(SHOP, [MEMBER]) as listener:
        assert await hears(listener, 1.0)


async def test_an_event_of_nobody_tells_nobody() -> None:
    hub = Hub(None)
    hub.kept(SHOP, [MemberUpdated()])
    assert hub.told == 0


class Away:
    """A Redis that is away, then back."""

    def __init__(self, redis: aioredis.Redis) -> None:
        self.redis = redis
        self.is_away = True

    def pubsub(self) -> Any:
        if self.is_away:
            raise ConnectionError
        return self.redis.pubsub()

    async def publish(self, *told: Any) -> None:
        if self.is_away:
            raise ConnectionError
        await self.redis.publish(*told)


async def test_when_redis_is_back_everybody_looks_again(redis_url: str) -> None:
    """What was told meanwhile was lost, and is made good; while it is away this process is heard."""
    async with aioredis.Redis.from_url(redis_url) as redis:
        away: Any = Away(redis)
        async with live.running(away) as hub:
            with hub.listening(SHOP, [MEMBER]) as listener:
                hub.tell(SHOP, [MEMBER])
                assert await hears(listener, 0.1)
                assert not await hears(listener, 0.2)
                away.is_away = False
                assert await hears(listener)
