"""Gates on a real Valkey: they turn late callers away, decide nothing, and are open within a second (F2)."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from redis import asyncio as aioredis
from tortoise import Tortoise

from domain.claims import ClaimClosed, ClaimState
from domain.flash_sales.sale import FlashSaleSaved
from persistence import clock, connection
from persistence.flash_sale_gates import Gates
from tests.persistence import engines, selling
from tests.persistence.engines import Shop

SHOP, ITEM, OTHER = (uuid.uuid4() for _ in range(3))
HOUR = timedelta(hours=1)


@pytest_asyncio.fixture
async def pair(redis_url: str) -> AsyncIterator[tuple[Gates, Gates]]:
    """The gates of two processes."""
    async with aioredis.Redis.from_url(redis_url) as redis, aioredis.Redis.from_url(redis_url) as another:
        await redis.flushdb()
        yield Gates(redis), Gates(another)


async def shut(gates: Gates, item_id: UUID = ITEM, **ahead: float) -> None:
    now = clock.now()
    await gates.shut(SHOP, item_id, until=now + (timedelta(**ahead) if ahead else HOUR), now=now)


async def opens_after(gates: Gates) -> float:
    """How long it takes until somebody is let in."""
    started = time.perf_counter()
    while await gates.is_shut(SHOP, ITEM):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return time.perf_counter() - started


async def test_what_is_shut_here_is_shut_everywhere_and_nothing_else_is(pair: tuple[Gates, Gates]) -> None:
    first, second = pair
    await shut(first)
    assert [await gates.is_shut(SHOP, ITEM) for gates in pair] == [True, True]
    assert [await gates.is_shut(SHOP, OTHER) for gates in pair] == [False, False]
    assert not await second.is_shut(OTHER, ITEM)


async def test_f2_it_opens_by_itself_within_a_second_though_nobody_said_so(pair: tuple[Gates, Gates]) -> None:
    for gates in pair:
        await shut(pair[0])
        assert 0.4 < await opens_after(gates) < 1


async def test_f2_when_a_unit_comes_back_it_is_open_at_once(pair: tuple[Gates, Gates]) -> None:
    first, second = pair
    closed = ClaimClosed(sale_id=OTHER, item_id=ITEM, claim_id=OTHER, state=ClaimState.RELEASED)
    for event in (closed, FlashSaleSaved(sale_id=OTHER, item_ids=(ITEM,))):
        await shut(first)
        # What the other had remembered is forgotten.
        await asyncio.sleep(0.11)
        assert await second.is_shut(SHOP, ITEM)
        first.kept(SHOP, [event])
        await asyncio.sleep(0.02)
        assert await opens_after(first) < 0.1
        assert await opens_after(second) < 0.3


async def test_it_is_not_shut_beyond_the_end_of_its_round(pair: tuple[Gates, Gates]) -> None:
    await shut(pair[0], seconds=0.2)
    assert await opens_after(pair[1]) < 0.35
    await shut(pair[0], seconds=-1)
    assert not await pair[0].is_shut(SHOP, ITEM)


async def test_whoever_is_refused_by_postgresql_keeps_it_shut(pair: tuple[Gates, Gates]) -> None:
    deadline = time.perf_counter() + 1.5
    while time.perf_counter() < deadline:
        await shut(pair[0])
        await asyncio.sleep(0.05)
        assert await pair[1].is_shut(SHOP, ITEM)


class Counted:
    """A Redis that counts what it is asked."""

    def __init__(self, redis: Any) -> None:
        self.asked: list[str] = []
        self._redis = redis

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self._redis, name)


async def test_all_who_ask_within_a_moment_make_one_trip(redis_url: str) -> None:
    async with aioredis.Redis.from_url(redis_url) as redis:
        await redis.flushdb()
        counted: Any = Counted(redis)
        gates = Gates(counted)
        for is_shut in (False, True):
            counted.asked.clear()
            assert await asyncio.gather(*(gates.is_shut(SHOP, ITEM) for _ in range(500))) == [is_shut] * 500
            assert counted.asked == ([] if is_shut else ["pttl"])
            await asyncio.gather(*(shut(gates) for _ in range(200)))
            assert counted.asked.count("set") == 1


async def test_without_redis_nobody_is_turned_away() -> None:
    gone = aioredis.Redis.from_url("unix:///nowhere/redis.sock")
    for gates in (Gates(None), Gates(gone)):
        await shut(gates)
        gates.open(SHOP, [ITEM])
        await asyncio.sleep(0.01)
        assert not await gates.is_shut(SHOP, ITEM)


@contextlib.asynccontextmanager
async def hanging_redis() -> AsyncIterator[str]:
    """The address of one that takes connections and never answers, and lets go of them at the end."""
    writers: list[asyncio.StreamWriter] = []
    async with await asyncio.start_server(lambda _reader, writer: writers.append(writer), "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"redis://{host}:{port}"
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers))


async def test_a_redis_that_hangs_costs_a_moment_once() -> None:
    async with hanging_redis() as address, aioredis.Redis.from_url(address) as redis:
        gates = Gates(redis)
        started = time.perf_counter()
        assert await asyncio.gather(*(gates.is_shut(SHOP, ITEM) for _ in range(100))) == [False] * 100
        assert time.perf_counter() - started < 0.5
        started = time.perf_counter()
        assert not await gates.is_shut(SHOP, OTHER)
        await shut(gates)
        assert time.perf_counter() - started < 0.05


@pytest_asyncio.fixture
async def reads(database_url: str) -> AsyncIterator[None]:
    """The pool that reads use."""
    async with connection.open_database(database_url, pool_size=2):
        yield
        await Tortoise.close_connections()


@pytest.mark.usefixtures("reads")
async def test_l11_whoever_has_claimed_before_under_this_key_is_let_through(
    pair: tuple[Gates, Gates], shop: Shop
) -> None:
    item_id = await selling.offer(shop, stock=1)
    await shop.outcome(selling.claim(await shop.member_with(10), item_id), actor="app", key="won")
    now = clock.now()
    await pair[0].shut(shop.program_id, item_id, until=now + HOUR, now=now)
    keys = ("won", " won ", "lost", engines.key())
    turned = [await pair[0].turns_away(shop.program_id, item_id, actor="app", idempotency_key=key) for key in keys]
    assert turned == [False, False, True, True]
    assert await pair[0].turns_away(shop.program_id, item_id, actor="other", idempotency_key="won")
    assert pair[0].turned_away == 3
