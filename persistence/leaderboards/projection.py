"""What the relay keeps for leaderboards: standings in PostgreSQL, and the same in sorted sets."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID

import asyncpg

from persistence import clock
from persistence.leaderboards import counting, sorted_sets
from persistence.relay import Chunk, Delivery, Projection, RedisCommand

NAME: Final = "leaderboards"
_CHUNK_MAX: Final = 5000
# Whoever wrote what is counted may have been ahead of our clock, in a period that has not begun here.
_AHEAD: Final = timedelta(minutes=5)
# Where a board itself or whom it is for has changed, anybody's standing on it may have: events, and which field of
# theirs names a board or a segment. With the program its zone may have changed, and with that all windows.
_UPSETTING: Final = {
    "LeaderboardSaved": "leaderboard_id",
    "SegmentSaved": "segment_id",
    "SegmentArchived": "segment_id",
    "ProgramUpdated": None,
}


class Leaderboards(Projection):
    """Standings of all periods that are not closed."""

    name: ClassVar[str] = NAME

    def __init__(self, now: Callable[[], datetime] = clock.now) -> None:
        self._now = now

    async def apply(self, own: asyncpg.Connection, delivery: Delivery) -> Sequence[RedisCommand] | None:
        """Count everybody to whom something happened, and all members on boards that an edit has upset."""
        boards = await self._boards(own, delivery.program_id)
        upset = _upset(boards, delivery)
        if upset.open:
            await _recount(own, upset)
            await counting.count(own, boards.without(upset), delivery.member_ids)
            return None
        counted = await counting.count(own, boards, delivery.member_ids)
        over = [
            (UUID(event.body["leaderboard_id"]), datetime.fromisoformat(event.body["starts_at"]))
            for event in delivery.happened
            if event.name == "LeaderboardClosed"
        ]
        return [
            *sorted_sets.changing(delivery.program_id, counted),
            *(sorted_sets.removing(delivery.program_id, *which) for which in over),
        ]

    async def count(self, own: asyncpg.Connection, program_id: UUID) -> int:
        """How many standings are in open periods."""
        found: int = await own.fetchval(f"SELECT count(*) {_SQL_OPEN}", program_id, *await self._open(own, program_id))
        return found

    async def rebuild(self, own: asyncpg.Connection, program_id: UUID) -> AsyncIterator[Chunk]:
        """Every standing of the open periods."""
        ids, starts = await self._open(own, program_id)
        closed = await own.fetch(_SQL_CLOSED, program_id, _CHUNK_MAX)
        removed = [*zip(ids, starts, strict=True), *((record[0], record[1]) for record in closed)]
        yield Chunk([sorted_sets.removing(program_id, *which) for which in removed], 0)
        cursor = await own.cursor(f"SELECT {_COLUMNS} {_SQL_OPEN}", program_id, ids, starts)
        while records := await cursor.fetch(_CHUNK_MAX):
            yield Chunk(sorted_sets.adding(program_id, records), len(records))

    async def recount(self, own: asyncpg.Connection, program_id: UUID) -> None:
        """Reckon every standing of the open periods anew."""
        await _recount(own, await self._boards(own, program_id))

    async def _boards(self, own: asyncpg.Connection, program_id: UUID) -> counting.Boards:
        return await counting.open_boards(own, program_id, self._now() + _AHEAD)

    async def _open(self, own: asyncpg.Connection, program_id: UUID) -> tuple[list[UUID], list[datetime]]:
        boards = await self._boards(own, program_id)
        pairs = [(each.board.id, period.starts_at) for each in boards.open for period in each.periods]
        return [board_id for board_id, _ in pairs], [starts_at for _, starts_at in pairs]


async def _recount(own: asyncpg.Connection, boards: counting.Boards) -> None:
    async for _ in counting.count_all(own, boards):
        pass


def _upset(boards: counting.Boards, delivery: Delivery) -> counting.Boards:
    """The boards on which anybody's standing may have changed."""
    edited = [event for event in delivery.happened if event.name in _UPSETTING]
    if any(_UPSETTING[event.name] is None for event in edited):
        return boards
    ids = {UUID(event.body[field]) for event in edited if (field := _UPSETTING[event.name]) is not None}
    return boards.of(lambda each: each.id in ids or each.segment_id in ids)


_COLUMNS: Final = "leaderboard_id, starts_at, member_id, score, reached_at"
# The last ones: what Redis has of them was to go when they were closed, and may not have.
_SQL_CLOSED: Final = (
    "SELECT leaderboard_id, starts_at FROM leaderboard_periods WHERE program_id = $1 ORDER BY starts_at DESC LIMIT $2"
)
_SQL_OPEN: Final = (
    "FROM unnest($2::uuid[], $3::timestamptz[]) AS open (leaderboard_id, starts_at)"
    " JOIN standings USING (leaderboard_id, starts_at) WHERE standings.program_id = $1"
)
