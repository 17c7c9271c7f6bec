"""Standings in PostgreSQL, read in their order: what answers where Redis does not."""

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from domain.leaderboards import standing as standings
from domain.leaderboards.standing import OwnStanding, Ranked, Standing


class Named(NamedTuple):
    """A period of a board, by what its standings are kept under."""

    program_id: UUID
    leaderboard_id: UUID
    starts_at: datetime


async def top(reader: asyncpg.Connection, named: Named, first: int) -> list[Standing]:
    """The first so many."""
    return _read(await reader.fetch(f"{_STANDINGS} ORDER BY {_ORDER} LIMIT $4", *named, first))


async def around(reader: asyncpg.Connection, named: Named, member_id: UUID, count: int) -> list[Ranked]:
    """A member with so many before and after it; none if it has no place."""
    own = await _find(reader, named, member_id)
    if own is None:
        return []
    before = _read(await reader.fetch(_SQL_BEFORE, *named, *_place(own), count))
    after = _read(await reader.fetch(_SQL_FROM, *named, *_place(own), count + 1))
    return await _ranked(reader, named, [*reversed(before), *after])


async def own(reader: asyncpg.Connection, named: Named, member_id: UUID, size: int) -> OwnStanding:
    """Where a member stands on a board that shows `size` places."""
    standing = await _find(reader, named, member_id)
    found = None if standing is None else (await _ranked(reader, named, [standing]))[0]
    record = await reader.fetchrow(_SQL_GAPS, *named, 0 if standing is None else standing.score, size - 1)
    assert record is not None, "it selects one row"
    return standings.own(member_id, found, next_score=record["next"], last_shown=record["last"], size=size)


def _read(records: list[Any]) -> list[Standing]:
    return [Standing(member_id=record[0], score=record[1], reached_at=record[2]) for record in records]


def _place(standing: Standing) -> tuple[int, datetime, UUID]:
    return standing.score, standing.reached_at, standing.member_id


async def _find(reader: asyncpg.Connection, named: Named, member_id: UUID) -> Standing | None:
    found = _read(await reader.fetch(f"{_STANDINGS} AND member_id = $4", *named, member_id))
    return found[0] if found else None


async def _ranked(reader: asyncpg.Connection, named: Named, found: list[Standing]) -> list[Ranked]:
    """Standings that follow each other, with the place and the rank of the first."""
    first = found[0]
    before = await reader.fetchval(f"SELECT count(*) {_WHERE} AND {_BEFORE}", *named, *_place(first))
    higher = await reader.fetchval(f"SELECT count(*) {_WHERE} AND score > $4", *named, first.score)
    return standings.ranked(found, first_place=before + 1, first_rank=higher + 1)


_WHERE: Final = "FROM standings WHERE program_id = $1 AND leaderboard_id = $2 AND starts_at = $3"
_STANDINGS: Final = f"SELECT member_id, score, reached_at {_WHERE}"
_ORDER: Final = "score DESC, reached_at, member_id"
# Who comes before a place: who has more, or as much earlier, or the smaller id.
_BEFORE: Final = "score >= $4 AND (score > $4 OR (reached_at, member_id) < ($5, $6))"
_SQL_BEFORE: Final = f"{_STANDINGS} AND {_BEFORE} ORDER BY score, reached_at DESC, member_id DESC LIMIT $7"
_SQL_FROM: Final = f"{_STANDINGS} AND score <= $4 AND NOT ({_BEFORE}) ORDER BY {_ORDER} LIMIT $7"
_SQL_GAPS: Final = (
    f"SELECT (SELECT min(score) {_WHERE} AND score > $4) AS next,"
    f" (SELECT score {_WHERE} ORDER BY {_ORDER} OFFSET $5 LIMIT 1) AS last"
)
