"""A period that is over, reckoned a last time, while nothing more is counted (B3)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import asyncpg

from domain.leaderboards.closing import CloseLeaderboardPeriod
from persistence import relay
from persistence.leaderboards import counting, ordered
from persistence.leaderboards.ordered import Named


@asynccontextmanager
async def settled(
    own: asyncpg.Connection, program_id: UUID, board_id: UUID, now: datetime
) -> AsyncIterator[CloseLeaderboardPeriod | None]:
    """What closes the first open period of a board; None if it is closed already. No relay counts for the program
    until the block ends.

    Everybody is reckoned anew from the facts, also who moved into or out of the board's scope without an event. That
    is committed first: should the closing be lost, standings are as right as before.
    """
    async with own.transaction():
        await relay.lock(own, program_id)
        async for _ in counting.count_all(own, await _first(own, program_id, board_id, now)):
            pass
    async with own.transaction():
        await relay.lock(own, program_id)
        boards = await _first(own, program_id, board_id, now)
        if not boards.open:
            yield None
            return
        (each,) = boards.open
        starts_at = each.periods[0].starts_at
        found = await ordered.top(own, Named(program_id, board_id, starts_at), each.board.places_kept)
        yield CloseLeaderboardPeriod(leaderboard_id=board_id, starts_at=starts_at, standings=tuple(found))


async def _first(own: asyncpg.Connection, program_id: UUID, board_id: UUID, now: datetime) -> counting.Boards:
    """The board with its first open period."""
    boards = await counting.open_boards(own, program_id, now)
    starts_at = next((each.periods[0].starts_at for each in boards.open if each.board.id == board_id), None)
    return boards.only(board_id, starts_at)
