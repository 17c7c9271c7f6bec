"""Streaks in Redis: sorted sets of current lengths and last days, which follow from PostgreSQL and may be lost.

Of each activity there are two, `{program}:streak:<activity>:length` and `…:last`, with the members' ids; a last day is
its number in the calendar, counted from the first day of year 1. A streak that was broken stays for a few days, until
the next delivery takes it out, so that readers look at both. Whoever finds no sets asks PostgreSQL.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, ClassVar, Final, NamedTuple, TypeVar
from uuid import UUID

import asyncpg
from redis import asyncio as aioredis

from domain import calendars
from domain.check_ins.check_in import CheckedIn
from persistence import rows
from persistence.relay import (
    REDIS_AWAY,
    Chunk,
    Delivery,
    Projection,
    RedisCommand,
    key,
    known_version,
    version_key,
)

logger = logging.getLogger("tessera.streaks")

Answer = TypeVar("Answer")

CHUNK: Final = 2000
LEADERS_MAX: Final = 100
# A streak that is broken is looked past, up to so many a question.
_BROKEN_MAX: Final = 1000
_ANSWER_SECONDS_MAX: Final = 1
# A program that moves to another time zone may go back by two dates: what was broken may go on.
_KEPT_DAYS: Final = 3
# Take what ended before a day out of both sets, as long as a script may run.
_FORGET: Final = """
local broken = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
if #broken > 0 then redis.call('ZREM', KEYS[1], unpack(broken)); redis.call('ZREM', KEYS[2], unpack(broken)) end
return #broken
"""


class Leader(NamedTuple):
    """A member with a streak that goes on, and its length in days."""

    member_id: UUID
    length: int


class Ranked(NamedTuple):
    """A leader and its rank: 1, 2, 2, 4."""

    rank: int
    member_id: UUID
    length: int


def ranked(leaders: Sequence[Leader]) -> list[Ranked]:
    """Leaders, the longest streak first, with their ranks: equal lengths share one (B2)."""
    found: list[Ranked] = []
    for place, leader in enumerate(leaders, start=1):
        is_equal = bool(found) and found[-1].length == leader.length
        found.append(Ranked(found[-1].rank if is_equal else place, *leader))
    return found


def _keys(program_id: UUID, activity_id: UUID) -> tuple[str, str]:
    return key(program_id, "streak", activity_id, "length"), key(program_id, "streak", activity_id, "last")


class Streaks(Projection):
    """The sets of all activities of a program."""

    name: ClassVar[str] = "streak"

    async def apply(self, own: asyncpg.Connection, delivery: Delivery) -> Sequence[RedisCommand]:
        """The streaks of whom checked in, as they are now, and away with what ended some days ago."""
        told = [event.member_id for event in delivery.happened if event.name == CheckedIn.__name__]
        if not told:
            return ()
        found = await own.fetch(f"{_SQL_STREAKS} AND member_id = ANY($2::uuid[])", delivery.program_id, told)
        at = datetime.fromtimestamp(delivery.version / 1_000_000, UTC)
        since = await _kept_since(own, delivery.program_id, at)
        commands = _told(delivery.program_id, found)
        for activity_id in {record["activity_id"] for record in found}:
            keys = _keys(delivery.program_id, activity_id)
            commands.append(("EVAL", _FORGET, 2, *keys, since.toordinal(), _BROKEN_MAX))
        return commands

    async def count(self, own: asyncpg.Connection, program_id: UUID) -> int:
        """Two entries a streak that goes on."""
        since = await _kept_since(own, program_id, await own.fetchval("SELECT now()"))
        sql = "SELECT 2 * count(*) FROM streaks WHERE program_id = $1 AND last_day >= $2"
        counted: int = await own.fetchval(sql, program_id, since)
        return counted

    async def rebuild(self, own: asyncpg.Connection, program_id: UUID) -> AsyncIterator[Chunk]:
        """All streaks that go on, by their ids."""
        activities = await own.fetch("SELECT id FROM check_in_activities WHERE program_id = $1", program_id)
        yield Chunk([("DEL", *_keys(program_id, record["id"])) for record in activities], 0)
        since = await _kept_since(own, program_id, await own.fetchval("SELECT now()"))
        after: UUID | None = None
        while True:
            found = await own.fetch(
                f"{_SQL_STREAKS} AND last_day >= $2 AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4",
                program_id,
                since,
                after,
                CHUNK,
            )
            if not found:
                return
            after = found[-1]["id"]
            yield Chunk(_told(program_id, found), 2 * len(found))


_SQL_STREAKS: Final = "SELECT id, member_id, activity_id, length, last_day FROM streaks WHERE program_id = $1"


async def _kept_since(own: asyncpg.Connection, program_id: UUID, at: datetime) -> date:
    zone_name = await own.fetchval("SELECT time_zone FROM programs WHERE id = $1", program_id)
    return calendars.add_days(calendars.local_date(at, zone_name), -_KEPT_DAYS)


def _told(program_id: UUID, records: Iterable[asyncpg.Record]) -> list[RedisCommand]:
    by_activity: dict[UUID, list[asyncpg.Record]] = defaultdict(list)
    for record in records:
        by_activity[record["activity_id"]].append(record)
    commands: list[RedisCommand] = []
    for activity_id, found in by_activity.items():
        lengths, lasts = _keys(program_id, activity_id)
        commands.append(
            ("ZADD", lengths, *(part for each in found for part in (each["length"], str(each["member_id"]))))
        )
        days = (part for each in found for part in (each["last_day"].toordinal(), str(each["member_id"])))
        commands.append(("ZADD", lasts, *days))
    return commands


class StreakReader:
    """Answers from the sets; from PostgreSQL when Redis is away, or has lost them."""

    def __init__(self, redis: "aioredis.Redis | None") -> None:
        self._redis: Any = redis

    async def leaders(self, program_id: UUID, activity_id: UUID, today: date, count: int) -> list[Leader]:
        """Who has the longest streaks that go on, at most `LEADERS_MAX`; of equal ones, the greater id first."""
        assert 0 < count <= LEADERS_MAX, "a list has a bound"
        found = await self._asked(program_id, lambda: self._leaders(program_id, activity_id, today, count))
        return await _stored_leaders(program_id, activity_id, today, count) if found is None else found

    async def ending(self, program_id: UUID, activity_id: UUID, today: date) -> int:
        """How many streaks end tonight: those whose last day was yesterday."""
        yesterday = calendars.before(today)
        number = yesterday.toordinal()
        _, lasts = _keys(program_id, activity_id)
        found: int | None = await self._asked(program_id, lambda: self._redis.zcount(lasts, number, number))
        return await _stored_ending(program_id, activity_id, yesterday) if found is None else found

    async def _asked(self, program_id: UUID, question: Callable[[], Awaitable[Answer | None]]) -> Answer | None:
        """What Redis answers; None if it is away, or knows no version."""
        if self._redis is None:
            return None
        try:
            async with asyncio.timeout(_ANSWER_SECONDS_MAX):
                known = known_version(await self._redis.get(version_key(program_id, Streaks.name)))
                return None if known is None else await question()
        except (*REDIS_AWAY, TimeoutError) as fault:
            logger.warning("Redis is away, PostgreSQL answers for streaks: %s", type(fault).__name__)
            return None

    async def _leaders(self, program_id: UUID, activity_id: UUID, today: date, count: int) -> list[Leader] | None:
        """Page by page past what is broken; None if that would be too much."""
        lengths, lasts = _keys(program_id, activity_id)
        since, found = calendars.before(today).toordinal(), list[Leader]()
        for first in range(0, _BROKEN_MAX, LEADERS_MAX):
            page = await self._redis.zrevrange(lengths, first, first + LEADERS_MAX - 1, withscores=True)
            days = await self._redis.zmscore(lasts, [member for member, _ in page]) if page else ()
            found.extend(
                Leader(UUID(member.decode()), int(length))
                for (member, length), last in zip(page, days, strict=True)
                if last is not None and last >= since
            )
            if len(found) >= count or len(page) < LEADERS_MAX:
                return found[:count]
        return None


async def _stored_leaders(program_id: UUID, activity_id: UUID, today: date, count: int) -> list[Leader]:
    records = await rows.fetch(
        "SELECT member_id, length FROM streaks WHERE program_id = $1 AND activity_id = $2 AND last_day >= $3"
        " ORDER BY length DESC, member_id DESC LIMIT $4",
        program_id,
        activity_id,
        calendars.before(today),
        count,
    )
    return [Leader(*record) for record in records]


async def _stored_ending(program_id: UUID, activity_id: UUID, yesterday: date) -> int:
    (record,) = await rows.fetch(
        "SELECT count(*) AS count FROM streaks WHERE program_id = $1 AND activity_id = $2 AND last_day = $3",
        program_id,
        activity_id,
        yesterday,
    )
    count: int = record["count"]
    return count
