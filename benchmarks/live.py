"""Thousands of sockets on one serving process: how long a change takes to reach all of them, and what one costs."""

import asyncio
import json
import sys
from dataclasses import dataclass
from statistics import median

from redis import asyncio as aioredis

from api import relaying
from benchmarks import http, shop
from domain.enrollments import EnrollMember
from domain.leaderboards.board import BoardMetric, BoardWindow
from domain.leaderboards.commands import CreateLeaderboard
from domain.members import MemberRef, Profile
from domain.purchases.recording import RecordPurchase

LISTENERS = 5_000
CHANGES = 5


@dataclass(frozen=True, slots=True)
class Heard:
    """Seconds from a change's request until the last and the median listener has the answer; KiB a listener."""

    last_seconds: float
    median_seconds: float
    kib: float


async def to_one(place: shop.Shop, count: int = LISTENERS) -> Heard:
    """Everybody listens to one member, whose balance changes a few times; the slowest of all answers counts."""
    return await _heard(place, count)


async def to_ranks(place: shop.Shop, count: int = LISTENERS) -> Heard:
    """Everybody listens to the rank of another member, and each change moves all of them."""
    board = CreateLeaderboard(code="ever", name="Ever", metric=BoardMetric.POINTS_EARNED, window=BoardWindow.ALL_TIME)
    await place.tell(board)
    names = [f"m{number}" for number in range(count)]
    await asyncio.gather(
        *(place.tell(EnrollMember(profile=Profile(external_id=name))) for name in names[shop.MEMBERS :])
    )
    bought = (
        RecordPurchase(
            member=MemberRef(external_id=name),
            external_id=f"listener-{name}",
            amount_minor=100 * (count - number),
            currency_code="CNY",
        )
        for number, name in enumerate(names)
    )
    await asyncio.gather(*map(place.tell, bought))
    async with aioredis.Redis.from_url(place.redis_url) as redis:
        relay = relaying.make(place.address, redis)
        await relaying.run_until_idle(relay)
        await relay.close()
    return await _heard(place, count, "--ranks")


async def _heard(place: shop.Shop, count: int, *told: str) -> Heard:
    token = await http.key_of(place)
    async with http.serving("benchmarks.server", WORKER="on", **http.stores(place)) as server:
        before = server.resident_mib
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.listeners", str(server.port), str(count), str(CHANGES), token, *told),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert client.stdin is not None
        assert client.stdout is not None
        if not await client.stdout.readline():
            raise RuntimeError("not everybody could listen")
        kib = (server.resident_mib - before) * 1024 / count
        client.stdin.write(b"go on\n")
        heard = json.loads(await client.stdout.readline())
        await client.wait()
    return Heard(last_seconds=max(heard["last"]), median_seconds=median(heard["median"]), kib=kib)
