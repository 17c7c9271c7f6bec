"""A board of a million members: building it anew in Redis, its top, and those around a member."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any, Final
from uuid import UUID

from redis import asyncio as aioredis

from benchmarks import shop
from domain.leaderboards.board import BEGINNING, BoardMetric, BoardWindow, Leaderboard, Period
from domain.leaderboards.commands import CreateLeaderboard
from persistence import clock, connection
from persistence.leaderboards import sorted_sets
from persistence.leaderboards.projection import Leaderboards
from persistence.leaderboards.reading import Boards, BoardStore, Which
from persistence.relay import Relay

MEMBERS: Final = 1_000_000
TOP: Final = 100
AROUND: Final = 50
QUESTIONS: Final = 500
REBUILT_MIN: Final = 50_000
REDIS_MS_MAX: Final = 1.0
BARE_MAX: Final = 3.0
_CHUNK: Final = 50_000
_LATER: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question took: in Redis, as it counts itself; through the read function; and as bare commands."""

    what: str
    redis_ms: float
    read_ms: float
    bare_ms: float

    @property
    def times_bare(self) -> float:
        """How often the bare commands' time the read function took."""
        return self.read_ms / self.bare_ms


@dataclass(frozen=True, slots=True)
class Measured:
    """A board's figures: standings a second built anew by the relay, and put in by `ZADD` of the driver alone."""

    members: int
    rebuilt: float
    bare: float
    asked: tuple[Asked, ...]


async def board(place: shop.Shop, *, members: int = MEMBERS, questions: int = QUESTIONS) -> Measured:
    """Fill a board, build it anew in Redis, and ask it."""
    made = await place.tell(
        CreateLeaderboard(code="ever", name="Ever", metric=BoardMetric.POINTS_EARNED, window=BoardWindow.ALL_TIME)
    )
    ids = await _filled(place, made, members)
    async with aioredis.Redis.from_url(place.redis_url) as redis:
        bare = await _bare_rate(redis, ids[: members // 5])
        relay = Relay(lambda: connection.connect(place.address), redis, [Leaderboards()])
        started = time.perf_counter()
        if not await relay.rebuild(place.program_id, lambda _: True):
            raise AssertionError("nobody stopped it")
        rebuilt = members / (time.perf_counter() - started)
        await relay.close()
        asked = await _ask(redis, made, ids, questions)
    return Measured(members, rebuilt, bare, asked)


async def _filled(place: shop.Shop, made: Leaderboard, members: int) -> list[UUID]:
    """Standings as the relay would have counted them; a hundred members share a score."""
    ids = [UUID(int=place.program_id.int + number) for number in range(members)]
    at = clock.now()
    own = await connection.connect(place.address)
    for first in range(0, members, _CHUNK):
        records = [
            (
                shop.new_id(),
                place.program_id,
                made.id,
                BEGINNING,
                ids[number],
                number // 100 + 1,
                at + timedelta(microseconds=number),
            )
            for number in range(first, min(members, first + _CHUNK))
        ]
        columns = ("id", "program_id", "leaderboard_id", "starts_at", "member_id", "score", "reached_at")
        await own.copy_records_to_table("standings", records=records, columns=columns)
    await own.execute("VACUUM ANALYZE standings")
    await own.close()
    return ids


async def _bare_rate(redis: Any, ids: list[UUID]) -> float:
    """How many members a second the driver alone puts into a sorted set, 5,000 by a command."""
    started = time.perf_counter()
    for first in range(0, len(ids), 5_000):
        await redis.zadd("bare", {member.bytes: number for number, member in enumerate(ids[first : first + 5_000])})
    await redis.unlink("bare")
    return len(ids) / (time.perf_counter() - started)


async def _ask(redis: Any, made: Leaderboard, ids: list[UUID], questions: int) -> tuple[Asked, ...]:
    boards, which = Boards(redis), Which(made, Period(BEGINNING, None))
    key = sorted_sets.place(made.program_id, made.id, BEGINNING)
    who = [ids[number * 7919 % len(ids)] for number in range(questions)]

    async def top(_: UUID) -> int:
        found = await boards.top(which, TOP)
        return len(found.standings) if found.origin.store is BoardStore.REDIS else 0

    async def bare_top(_: UUID) -> int:
        return len(await redis.zrange(key, 0, TOP - 1, withscores=True))

    async def around(member: UUID) -> int:
        found = await boards.around(which, member, AROUND)
        return len(found.standings) if found.origin.store is BoardStore.REDIS else 0

    async def bare_around(member: UUID) -> int:
        at = await redis.hget(sorted_sets.times(key), member.bytes)
        rank = await redis.zrank(key, at + member.bytes)
        found = await redis.zrange(key, max(0, rank - AROUND), rank + AROUND, withscores=True)
        await redis.zcount(key, "-inf", f"({int(found[0][1])}")
        return len(found)

    return (
        await _timed(redis, f"top {TOP}", top, bare_top, who),
        await _timed(redis, f"{AROUND} before and after a member", around, bare_around, who),
    )


Question = Callable[[UUID], Awaitable[int]]


async def _timed(redis: Any, what: str, read: Question, bare: Question, who: list[UUID]) -> Asked:
    """Both ways in turn; then the read function alone, timed by Redis itself."""
    taken: dict[Question, list[float]] = {read: [], bare: []}
    for member in who:
        for way in (read, bare):
            started = time.perf_counter()
            if not await way(member):
                raise AssertionError("the board should have answered, from Redis")
            taken[way].append(time.perf_counter() - started)
    return Asked(what, await _in_redis(redis, read, who), median(taken[read]) * 1000, median(taken[bare]) * 1000)


async def _in_redis(redis: Any, read: Question, who: list[UUID]) -> float:
    """The median of what Redis says that the script took."""
    before = await redis.config_get("slowlog-*")
    await redis.config_set("slowlog-log-slower-than", 0)
    await redis.config_set("slowlog-max-len", 10 * len(who))
    await redis.slowlog_reset()
    for member in who:
        await read(member)
    entries = await redis.slowlog_get(10 * len(who))
    for name in ("slowlog-log-slower-than", "slowlog-max-len"):
        await redis.config_set(name, before[name])
    return median(entry["duration"] for entry in entries if entry["command"].startswith(b"EVAL")) / 1000
