"""`tessera redis rebuild`, and the relay's loop: what Redis keeps is made anew, and kept, by itself."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from redis import asyncio as aioredis

from api import rebuilding, relaying
from domain.leaderboards.board import BEGINNING, BoardMetric, BoardWindow, Leaderboard
from domain.leaderboards.commands import CreateLeaderboard
from persistence import connection
from persistence.leaderboards import sorted_sets
from persistence.live import Hub
from persistence.relay import Relay
from tests.persistence import engines
from tests.persistence.relays import away
from tests.process import tessera

pytestmark = pytest.mark.asyncio

SECONDS_MAX = 30


@dataclass
class Place:
    """A shop with a board of three members."""

    url: str
    redis: Any
    shop: engines.Shop
    board: Leaderboard

    def relay(self, redis: Any = None) -> Relay:
        """A relay with every projection."""
        return relaying.make(connection.parse_url(self.url), redis or self.redis)

    async def size(self) -> int:
        """How many are on the board in Redis."""
        count: int = await self.redis.zcard(sorted_sets.place(self.shop.program_id, self.board.id, BEGINNING))
        return count

    async def wait_for(self, size: int) -> None:
        """Until so many are."""
        async with asyncio.timeout(SECONDS_MAX):
            while await self.size() != size:  # noqa: ASYNC110 - it is another process that changes it
                await asyncio.sleep(0.02)


@pytest_asyncio.fixture
async def place(fresh_database_url: str, redis_url: str) -> AsyncIterator[Place]:
    redis = aioredis.Redis.from_url(redis_url)
    await redis.flushdb()
    engine = engines.make(fresh_database_url)
    await engine.start()
    shop = await engines.open_shop(engine)
    command = CreateLeaderboard(code="ever", name="Ever", metric=BoardMetric.PURCHASES, window=BoardWindow.ALL_TIME)
    made = Place(fresh_database_url, redis, shop, await shop.run(command))
    for _ in range(3):
        await shop.run(engines.buy(await shop.enroll(), engines.key()))
    yield made
    await engine.stop()
    await redis.aclose()


async def test_the_loop_delivers_and_heals_by_itself(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after it lost its session, and while Redis has lost everything."""
    monkeypatch.setattr(relaying, "MEND_SECONDS", 0.05)
    monkeypatch.setattr(relaying, "LOST_SECONDS", 0.05)
    async with relaying.running(connection.parse_url(place.url), place.redis, Hub(None)) as relay:
        await place.wait_for(3)
        await place.shop.run(engines.buy(await place.shop.enroll(), engines.key()))
        await place.wait_for(4)
        await place.redis.flushdb()
        await place.wait_for(4)
        assert relay._own is not None
        relay._own.terminate()
        await place.shop.run(engines.buy(await place.shop.enroll(), engines.key()))
        await place.wait_for(5)


async def test_once_through_all_there_is(place: Place) -> None:
    relay = place.relay()
    await relaying.run_until_idle(relay)
    assert await place.size() == 3
    await relay.close()
    without = place.relay(away())
    await place.shop.run(engines.buy(await place.shop.enroll(), engines.key()))
    await relaying.run_until_idle(without)
    await without.close()
    assert await place.size() == 3


async def test_rebuild_tells_how_much_was_built(place: Place) -> None:
    relay = place.relay()
    built = await rebuilding.build(relay, await relay.programs(), from_facts=True)
    await relay.close()
    assert (built.programs, built.entries, built.is_interrupted) == (1, 3, False)
    assert await place.size() == 3


async def test_the_command_builds_everything_and_says_so(place: Place, redis_url: str, tmp_path: Any) -> None:
    """In a process of its own, again and again."""
    for arguments in (("--from-facts",), ()):
        await place.redis.flushdb()
        told = await asyncio.to_thread(
            tessera.run,
            tmp_path / "data",
            "redis",
            "rebuild",
            *arguments,
            DATABASE_URL=place.url,
            REDIS_URL=redis_url,
        )
        assert told.returncode == 0, told.stderr
        last = told.stdout.splitlines()[-1]
        assert last.startswith("Built anew: 3 entries, ")
        assert last.endswith(" a second; programs: 1.")
        assert await place.size() == 3
