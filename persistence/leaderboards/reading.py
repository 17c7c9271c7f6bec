"""Reading a board: the first, those around a member, and where a member stands, from Redis or from PostgreSQL.

Redis is asked first, and answers from one instant. Where it is away, or does not have all of the program, PostgreSQL
answers the same from the standings that the relay keeps there; of closed periods, from what was kept for good.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
from redis import asyncio as aioredis

from domain.leaderboards import standing as standings
from domain.leaderboards.board import Leaderboard, LeaderboardClock, Period, open_periods, period_id
from domain.leaderboards.closing import LeaderboardAward, LeaderboardPeriod, LeaderboardPlace
from domain.leaderboards.standing import OwnStanding, Ranked, Standing
from domain.prizes import Prize
from persistence import connection, pages, relay, rows
from persistence.leaderboards import ordered, sorted_sets
from persistence.leaderboards.projection import NAME

logger = logging.getLogger("tessera.leaderboards")

_ANSWER_SECONDS_MAX: Final = 1
# So many members are asked for at once: no script keeps others from Redis for long.
_OWN_TOGETHER: Final = 200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class BoardStore(StrEnum):
    """Where an answer comes from."""

    REDIS = "REDIS"
    POSTGRESQL = "POSTGRESQL"  # while Redis is away or is being filled; and always of closed periods


class Origin(NamedTuple):
    """Where an answer comes from, and until when what happened is in it."""

    store: BoardStore
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Which:
    """A period of a board; `closed` if it is."""

    board: Leaderboard
    period: Period
    closed: LeaderboardPeriod | None = None

    @property
    def id(self) -> UUID:
        """The id that the period has, or will have once it is closed."""
        return period_id(self.board.id, self.period.starts_at)

    def __hash__(self) -> int:
        return hash((self.board.id, self.period.starts_at))

    @property
    def starts_at(self) -> datetime:
        """When it starts."""
        return self.period.starts_at

    @property
    def ends_at(self) -> datetime | None:
        """When it ends; None for never."""
        return self.period.ends_at

    @property
    def closed_at(self) -> datetime | None:
        """When it was closed, if it is."""
        return None if self.closed is None else self.closed.closed_at


class Found(NamedTuple):
    """Standings that follow each other, where they come from, and what members won, of a period that is closed."""

    standings: list[Ranked]
    origin: Origin
    won: Mapping[UUID, Prize | None] | None = None


class FoundOwn(NamedTuple):
    """Where a member stands, and where that comes from."""

    standing: OwnStanding
    origin: Origin


class Boards:
    """Reads boards of any program."""

    def __init__(self, redis: aioredis.Redis | None) -> None:
        self._redis: Any = redis

    async def top(self, which: Which, first: int) -> Found:
        """The first so many places; of a closed period, those that were kept for good."""
        if which.closed is not None:
            return await _closed_top(which.closed, first)
        answer = await self._ask(which, sorted_sets.TOP, first - 1)
        if answer is None:
            async with _snapshot(which) as (reader, origin):
                return Found(standings.ranked(await ordered.top(reader, _named(which), first)), origin)
        version, entries = answer
        return Found(standings.ranked(_standings(entries)), _of_redis(version))

    async def around(self, which: Which, member_id: UUID, count: int) -> Found:
        """A member with so many before and after it, also among those with its score (B2); none if it has no place."""
        answer = await self._ask(which, sorted_sets.AROUND, member_id.bytes, count)
        if answer is None:
            async with _snapshot(which) as (reader, origin):
                around = await ordered.around(reader, _named(which), member_id, count)
            return Found(around, origin, await _won(which, around))
        version, entries, before, higher = answer
        found = standings.ranked(_standings(entries), first_place=before + 1, first_rank=higher + 1)
        return Found(found, _of_redis(version))

    async def owns(
        self, _program_id: UUID, _now: datetime, asked: Sequence[tuple[Which, UUID]]
    ) -> dict[tuple[Which, UUID], FoundOwn]:
        """Where members stand, and what is missing to the next: all that a request or its like ask together."""
        members: dict[Which, list[UUID]] = defaultdict(list)
        for which, member_id in asked:
            members[which].append(member_id)
        found: dict[tuple[Which, UUID], FoundOwn] = {}
        for which, ids in members.items():
            for first in range(0, len(ids), _OWN_TOGETHER):
                part = await self._owns(which, ids[first : first + _OWN_TOGETHER])
                found.update({(which, member_id): own for member_id, own in part.items()})
        return found

    async def _owns(self, which: Which, member_ids: Sequence[UUID]) -> dict[UUID, FoundOwn]:
        size = which.board.size
        answer = await self._ask(which, sorted_sets.OWN, size, *(member_id.bytes for member_id in member_ids))
        if answer is None:
            async with _snapshot(which) as (reader, origin):
                named = _named(which)
                return {key: FoundOwn(await ordered.own(reader, named, key, size), origin) for key in member_ids}
        version, last, *entries = answer
        origin, last_shown = _of_redis(version), _score(last)
        return {
            member_id: FoundOwn(_own(member_id, entry, last_shown, size), origin)
            for member_id, entry in zip(member_ids, entries, strict=True)
        }

    async def _ask(self, which: Which, script: str, *arguments: Any) -> Any:
        """What a script answers; None if Redis is away, or does not have all of the program."""
        if self._redis is None or which.closed is not None:
            return None
        board = sorted_sets.place(*_named(which))
        keys = (relay.version_key(which.board.program_id, NAME), board, sorted_sets.times(board))
        try:
            async with asyncio.timeout(_ANSWER_SECONDS_MAX):
                answer = await self._redis.eval(script, len(keys), *keys, *arguments)
        except (*relay.REDIS_AWAY, TimeoutError) as fault:
            logger.warning("Redis is away, and PostgreSQL answers: %s", type(fault).__name__)
            return None
        return answer or None


async def _closed_top(closed: LeaderboardPeriod, first: int) -> Found:
    where = "program_id = $1 AND period_id = $2 ORDER BY place LIMIT $3"
    kept = await rows.select(LeaderboardPlace, where, closed.program_id, closed.id, first)
    standing = [Standing(member_id=each.member_id, score=each.score, reached_at=each.reached_at) for each in kept]
    won = {each.member_id: each.prize for each in kept}
    return Found(standings.ranked(standing), Origin(BoardStore.POSTGRESQL, closed.closed_at), won)


async def _won(which: Which, found: Sequence[Ranked]) -> Mapping[UUID, Prize | None] | None:
    """What members won of a closed period; who has no place that was kept won nothing."""
    if which.closed is None:
        return None
    where = "program_id = $1 AND period_id = $2 AND member_id = ANY($3::uuid[])"
    asked = [each.member_id for each in found]
    kept = await rows.select(LeaderboardPlace, where, which.closed.program_id, which.closed.id, asked)
    return {each.member_id: each.prize for each in kept}


def _named(which: Which) -> ordered.Named:
    return ordered.Named(which.board.program_id, which.board.id, which.period.starts_at)


@contextlib.asynccontextmanager
async def _snapshot(which: Which) -> AsyncIterator[tuple[asyncpg.Connection, Origin]]:
    """A session that sees one instant, and which."""
    async with connection.acquire() as reader, reader.transaction(isolation="repeatable_read", readonly=True):
        if which.closed is not None:
            yield reader, Origin(BoardStore.POSTGRESQL, which.closed.closed_at)
            return
        version = await reader.fetchval("SELECT version FROM relays WHERE id = $1", which.board.program_id) or 0
        yield reader, Origin(BoardStore.POSTGRESQL, _EPOCH + timedelta(microseconds=version))


def _own(member_id: UUID, entry: Sequence[Any], last_shown: int | None, size: int) -> OwnStanding:
    """A member's standing, of what Redis answers about it."""
    mine, before, higher, next_score = entry
    found = standings.ranked(_standings(mine), first_place=before + 1, first_rank=higher + 1)
    return standings.own(
        member_id, found[0] if found else None, next_score=_score(next_score), last_shown=last_shown, size=size
    )


def _standings(entries: Sequence[bytes]) -> list[Standing]:
    """Members and scores by turns, as Redis answers them."""
    pairs = zip(entries[::2], entries[1::2], strict=True)
    return [sorted_sets.standing(member, float(score)) for member, score in pairs]


def _score(score: bytes | None) -> int | None:
    return None if score is None else -int(float(score))


def _of_redis(version: bytes) -> Origin:
    return Origin(BoardStore.REDIS, _EPOCH + timedelta(microseconds=int(version)))


# Boards and their periods.

KEYSET: Final = pages.Keyset(("id",))
# Ids of awards are those of places, which were made in their order.
AWARDS: Final = pages.Keyset(("id",))
PERIODS: Final = pages.Keyset(("starts_at", "id"), (datetime, UUID), is_descending=True)


async def page(program_id: UUID, part: pages.Slice, *, is_active: bool | None = None) -> list[Leaderboard]:
    """Boards of a program, the oldest first; all of them, or those that are or are not active."""
    where = "program_id = $1" if is_active is None else f"program_id = $1 AND is_active = {is_active}"
    return await pages.select(Leaderboard, KEYSET, part, where, (program_id,))


async def closed_periods(
    program_id: UUID, board_ids: Sequence[UUID], part: pages.Slice
) -> dict[UUID, list[LeaderboardPeriod]]:
    """The same page of each board's closed periods, the latest first."""
    return await pages.of_parents(LeaderboardPeriod, PERIODS, part, program_id, "leaderboard_id", board_ids)


async def period_at(
    board: Leaderboard, clock: LeaderboardClock, at: datetime, now: datetime, zone_name: str
) -> Which | None:
    """The period that an instant is in, if it has begun: one that is closed, or one that is not."""
    if at < clock.open_since:
        where = "program_id = $1 AND leaderboard_id = $2 AND starts_at <= $3 AND ends_at > $3"
        found = await rows.first(LeaderboardPeriod, where, board.program_id, board.id, at)
        return None if found is None else of_closed(board, found)
    for period in open_periods(board, clock, now, zone_name):
        if period.starts_at <= at and (period.ends_at is None or at < period.ends_at):
            return Which(board, period)
    return None


def of_closed(board: Leaderboard, closed: LeaderboardPeriod) -> Which:
    """A period of a board that is closed."""
    return Which(board, Period(closed.starts_at, closed.ends_at), closed)


async def awards(program_id: UUID, period_ids: Sequence[UUID], part: pages.Slice) -> dict[UUID, list[LeaderboardAward]]:
    """The same page of each closed period's prizes, by place."""
    return await pages.of_parents(LeaderboardAward, AWARDS, part, program_id, "period_id", period_ids)


async def by_code(program_id: UUID, code: str) -> Leaderboard | None:
    """A board by the shop's name for it."""
    return (await rows.by_keys(Leaderboard, program_id, "code", [code])).get(code)
