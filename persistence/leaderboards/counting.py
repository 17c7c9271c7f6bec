"""Counting: the standings of members, reckoned anew from the facts, in one statement a metric."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from domain import segments
from domain.kernel import AnyRow
from domain.leaderboards.board import BoardMetric, BoardScope, Leaderboard, LeaderboardClock, Period, open_periods
from domain.members import Member
from domain.points.account import PointsAccount
from domain.points.segmenting import figures_of
from domain.programs import Program
from domain.segments import Segment
from persistence.leaderboards.metrics import FACTS
from persistence.tables import TABLES

# So many members are counted by one statement at most.
MEMBERS_AT_ONCE: Final = 2000
_ENDLESS: Final = datetime(9999, 12, 31, tzinfo=UTC)


class Counted(NamedTuple):
    """What became of a member's standing; score and `reached_at` None if it has none any more."""

    leaderboard_id: UUID
    starts_at: datetime
    member_id: UUID
    score: int | None
    reached_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenBoard:
    """A board with its periods that are not closed, and the segment that it is for, if it is."""

    board: Leaderboard
    periods: tuple[Period, ...]
    segment: Segment | None


@dataclass(frozen=True, slots=True)
class Boards:
    """The open boards of a program as of now, and what counting for them needs to know."""

    program: Program
    now: datetime
    open: tuple[OpenBoard, ...]

    def of(self, is_wanted: Callable[[Leaderboard], bool]) -> "Boards":
        """Some of the boards."""
        return Boards(self.program, self.now, tuple(each for each in self.open if is_wanted(each.board)))

    def without(self, others: "Boards") -> "Boards":
        """The boards that are not among the others."""
        ids = {each.board.id for each in others.open}
        return self.of(lambda board: board.id not in ids)

    def only(self, leaderboard_id: UUID, starts_at: datetime | None = None) -> "Boards":
        """One of the boards; one period of it, if told."""
        kept = tuple(
            OpenBoard(
                each.board,
                tuple(period for period in each.periods if starts_at in (None, period.starts_at)),
                each.segment,
            )
            for each in self.open
            if each.board.id == leaderboard_id
        )
        return Boards(self.program, self.now, kept)


async def open_boards(own: asyncpg.Connection, program_id: UUID, now: datetime) -> Boards:
    """The boards of a program that count something now."""
    (program,) = await _rows(own, Program, "id = $2", program_id, program_id)
    found = await _rows(own, Leaderboard, "is_active ORDER BY id", program_id)
    clocks = {clock.id: clock for clock in await _rows(own, LeaderboardClock, "TRUE", program_id)} if found else {}
    asked = [board.segment_id for board in found if board.segment_id is not None]
    known = {row.id: row for row in await _rows(own, Segment, "id = ANY($2::uuid[])", program_id, asked)}
    boards = [
        OpenBoard(
            board,
            tuple(open_periods(board, clocks[board.id], now, program.time_zone)),
            None if board.segment_id is None else known[board.segment_id],
        )
        for board in found
    ]
    return Boards(program, now, tuple(each for each in boards if each.periods))


async def count(own: asyncpg.Connection, boards: Boards, member_ids: Sequence[UUID]) -> list[Counted]:
    """Reckon the standings of some members on boards anew, and keep them; those that have become others than before."""
    if not boards.open or not member_ids:
        return []
    # Few rows of large tables, found by key, are joined to each other: how many they are no statistics tell.
    await own.execute("SET LOCAL enable_hashjoin = on; SET LOCAL enable_nestloop = off")
    included = await _included(own, boards, member_ids)
    found: list[Counted] = []
    by_metric: dict[BoardMetric, list[OpenBoard]] = defaultdict(list)
    for each in boards.open:
        by_metric[each.board.metric].append(each)
    for metric, measured in by_metric.items():
        since = min(period.starts_at for each in measured for period in each.periods)
        told = (boards.program.id, list(member_ids), *_windows(measured), *included, since)
        records = await own.fetch(_SQL_COUNT.format(facts=FACTS[metric]), *told)
        found.extend(Counted(*record) for record in records)
    return found


async def count_all(own: asyncpg.Connection, boards: Boards) -> AsyncIterator[int]:
    """Reckon the standings of every member anew, part by part; how many members each part had."""
    after: UUID | None = None
    while boards.open:
        records = await own.fetch(
            "SELECT id FROM members WHERE program_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3",
            boards.program.id,
            after,
            MEMBERS_AT_ONCE,
        )
        await count(own, boards, [record["id"] for record in records])
        yield len(records)
        if len(records) < MEMBERS_AT_ONCE:
            return
        after = records[-1]["id"]


def _windows(measured: Sequence[OpenBoard]) -> list[list[object]]:
    """Periods of boards, as the arrays that the statement takes."""
    rows = [
        (
            each.board.id,
            period.starts_at,
            period.ends_at or _ENDLESS,
            each.board.store_id,
            each.board.tier_id,
            each.board.scope is BoardScope.SEGMENT,
        )
        for each in measured
        for period in each.periods
    ]
    return [list(column) for column in zip(*rows, strict=True)]


async def _included(
    own: asyncpg.Connection, boards: Boards, member_ids: Sequence[UUID]
) -> tuple[list[UUID], list[UUID]]:
    """Who of the members is in the segment of a board, as pairs of board and member."""
    asked = [(each.board.id, each.segment) for each in boards.open if each.segment is not None]
    if not asked:
        return [], []
    members = await _rows(own, Member, "id = ANY($2::uuid[])", boards.program.id, list(member_ids))
    accounts = await _rows(own, PointsAccount, "id = ANY($2::uuid[])", boards.program.id, list(member_ids))
    figures = {account.id: figures_of(account) for account in accounts}
    pairs = [
        (board_id, member.id)
        for board_id, segment in asked
        for member in members
        if segment.is_open
        and segments.includes(
            segment.criteria, member, figures[member.id], now=boards.now, time_zone=boards.program.time_zone
        )
    ]
    return [board_id for board_id, _ in pairs], [member_id for _, member_id in pairs]


async def _rows(
    own: asyncpg.Connection, kind: type[AnyRow], where: str, program_id: UUID, *arguments: object
) -> list[AnyRow]:
    """Rows of a program as of now: not those that a process keeps, which may be older than what is counted."""
    table = TABLES[kind]
    column = "id" if kind is Program else "program_id"
    records = await own.fetch(
        f"SELECT {table.sql_columns} FROM {table.name} WHERE {column} = $1 AND {where}", program_id, *arguments
    )
    return [table.decode(record) for record in records]  # type: ignore[misc]


# The running total of a member in a window, and when it first was what it is now. Who has nothing, is excluded or is
# not whom the board is for has no standing; what did not change is not written, and not told.
_SQL_COUNT: Final = """
WITH windows AS (
    SELECT * FROM unnest($3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::uuid[], $7::uuid[], $8::boolean[])
        AS told (leaderboard_id, starts_at, ends_at, store_id, tier_id, is_for_segment)
), people AS (
    SELECT members.id, members.store_id, accounts.tier_id
    FROM members JOIN points_accounts AS accounts ON accounts.id = members.id AND accounts.id = ANY($2::uuid[])
    LEFT JOIN leaderboard_participations AS part ON part.id = members.id AND part.id = ANY($2::uuid[])
    WHERE members.program_id = $1 AND members.id = ANY($2::uuid[]) AND NOT coalesce(part.is_excluded, FALSE)
), facts AS ({facts}
), running AS (
    SELECT windows.leaderboard_id, windows.starts_at, facts.member_id, facts.at,
        sum(facts.amount) OVER (
            PARTITION BY windows.leaderboard_id, windows.starts_at, facts.member_id ORDER BY facts.at, facts.id
        ) AS total,
        sum(facts.amount) OVER (PARTITION BY windows.leaderboard_id, windows.starts_at, facts.member_id) AS score
    FROM facts JOIN people ON people.id = facts.member_id
    JOIN windows ON facts.at >= windows.starts_at AND facts.at < windows.ends_at
        AND (facts.of_starts_at IS NULL
            OR (facts.of_starts_at, facts.of_ends_at) = (windows.starts_at, windows.ends_at))
        AND (windows.store_id IS NULL OR windows.store_id = people.store_id)
        AND (windows.tier_id IS NULL OR windows.tier_id = people.tier_id)
        AND (NOT windows.is_for_segment OR (windows.leaderboard_id, people.id) IN (
            SELECT * FROM unnest($9::uuid[], $10::uuid[])))
    WHERE facts.amount <> 0
), scored AS (
    SELECT leaderboard_id, starts_at, member_id, score::bigint AS score,
        min(at) FILTER (WHERE total >= score) AS reached_at
    FROM running WHERE score > 0 GROUP BY leaderboard_id, starts_at, member_id, score
), gone AS (
    DELETE FROM standings
    WHERE standings.program_id = $1 AND standings.leaderboard_id = ANY($3::uuid[])
        AND standings.starts_at = ANY($4::timestamptz[]) AND standings.member_id = ANY($2::uuid[])
        AND (standings.leaderboard_id, standings.starts_at) IN (SELECT leaderboard_id, starts_at FROM windows)
        AND NOT EXISTS (
            SELECT FROM scored WHERE scored.leaderboard_id = standings.leaderboard_id
            AND scored.starts_at = standings.starts_at AND scored.member_id = standings.member_id)
    RETURNING standings.leaderboard_id, standings.starts_at, standings.member_id
), kept AS (
    INSERT INTO standings AS before (id, program_id, leaderboard_id, starts_at, member_id, score, reached_at)
    SELECT gen_random_uuid(), $1, leaderboard_id, starts_at, member_id, score, reached_at FROM scored
    ON CONFLICT (program_id, leaderboard_id, starts_at, member_id)
    DO UPDATE SET score = excluded.score, reached_at = excluded.reached_at
    WHERE (before.score, before.reached_at) IS DISTINCT FROM (excluded.score, excluded.reached_at)
    RETURNING leaderboard_id, starts_at, member_id, score, reached_at
)
SELECT leaderboard_id, starts_at, member_id, score, reached_at FROM kept
UNION ALL SELECT leaderboard_id, starts_at, member_id, NULL, NULL FROM gone
"""
