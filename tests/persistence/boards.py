"""Leaderboards on a real PostgreSQL and a real Redis, and what they must come to, reckoned another way."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from domain.leaderboards.board import (
    BoardMetric,
    BoardWindow,
    Leaderboard,
    LeaderboardClock,
    Period,
    open_periods,
)
from domain.leaderboards.commands import CreateLeaderboard
from domain.leaderboards.standing import OwnStanding, Ranked, Standing, ranked
from domain.points.account import Lot, LotState, PointTransaction, Shortfall, SourceType, TransactionKind
from domain.purchases.purchase import Purchase
from domain.purchases.refund import Refund
from domain.purchases.remaining import _kept
from persistence import clock, connection, relay
from persistence.engine import Engine
from persistence.leaderboards.projection import NAME, Leaderboards
from persistence.leaderboards.reading import Boards, Which
from persistence.relay import Relay
from tests.persistence import engines

ZONE = "Asia/Shanghai"
Amount = tuple[datetime, UUID, int]
# A machine may be slow, and a life long.
SETTLE_SECONDS_MAX = 300


@dataclass
class Arena:
    """A shop with boards, a Redis, and a relay between them."""

    url: str
    redis: Any
    own: asyncpg.Connection
    engine: Engine
    shop: engines.Shop
    now: Callable[[], datetime] = clock.now
    relays: list[Relay] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.boards = Boards(self.redis)
        self.fallback = Boards(None)
        self.relay = self.another()

    def another(self, redis: Any = None, **told: Any) -> Relay:
        """Another relay, as another process would have it."""
        address = connection.parse_url(self.url)
        made = Relay(lambda: connection.connect(address), redis or self.redis, [Leaderboards(self.now)], **told)
        self.relays.append(made)
        return made

    async def settle(self) -> None:
        """Deliver all that happened, and build what Redis lacks; a session that was killed lets go in a moment."""
        async with asyncio.timeout(SETTLE_SECONDS_MAX):
            while await self.own.fetchval("SELECT EXISTS (SELECT FROM outbox WHERE relayed_at IS NULL)"):
                if not await self.relay.step():
                    await asyncio.sleep(0.01)
            while await self._is_behind():
                await self.relay.mend()

    async def _is_behind(self) -> bool:
        known = await self.redis.get(relay.version_key(self.shop.program_id, NAME))
        version = await self.own.fetchval("SELECT version FROM relays WHERE id = $1", self.shop.program_id)
        return bool(relay.known_version(known) != version)

    async def board(self, window: BoardWindow = BoardWindow.ALL_TIME, **told: Any) -> Leaderboard:
        """Make a board."""
        metric = told.pop("metric", BoardMetric.POINTS_EARNED)
        command = CreateLeaderboard(code=engines.key(), name="Board", metric=metric, window=window, **told)
        made: Leaderboard = await self.shop.run(command)
        return made

    async def which(self, board: Leaderboard) -> Which:
        """The period of a board that is running."""
        found = await engines.stored(self.own, LeaderboardClock, board.id)
        assert isinstance(found, LeaderboardClock)
        *_, period = open_periods(board, found, clock.now(), ZONE)
        return Which(board, period)

    async def shown(self, which: Which, count: int = 1000) -> list[Ranked]:
        """The whole board, which Redis and PostgreSQL show alike."""
        of_redis = await self.boards.top(which, count)
        of_postgresql = await self.fallback.top(which, count)
        assert (of_redis.origin.store, of_postgresql.origin.store) == ("REDIS", "POSTGRESQL")
        assert of_redis.standings == of_postgresql.standings
        assert of_redis.origin.as_of == of_postgresql.origin.as_of
        return of_redis.standings


async def standing(store: Boards, which: Which, member_id: UUID) -> OwnStanding:
    """Where a member stands, by one store."""
    asked = (which, member_id)
    return (await store.owns(which.board.program_id, clock.now(), [asked]))[asked].standing


# What boards must come to, from every row of the program, in plain Python.


def expected(books: engines.Books, board: Leaderboard, period: Period, *, without: Iterable[UUID] = ()) -> list[Ranked]:
    """The order of a period."""
    found = []
    for member_id, amounts in _amounts(books, board.metric).items():
        standing = _standing(member_id, amounts, period)
        if standing is not None and member_id not in without:
            found.append(standing)
    return ranked(sorted(found, key=lambda standing: standing.order))


def _standing(member_id: UUID, amounts: list[Amount], period: Period) -> Standing | None:
    inside = sorted(
        amount
        for amount in amounts
        if period.starts_at <= amount[0] and (period.ends_at is None or amount[0] < period.ends_at)
    )
    score = sum(amount for _, _, amount in inside)
    if score <= 0:
        return None
    total = 0
    for at, _, amount in inside:
        total += amount
        if total >= score:
            return Standing(member_id=UUID(int=member_id.int), score=score, reached_at=at)
    raise AssertionError("the total reaches itself")


def _amounts(books: engines.Books, metric: BoardMetric) -> dict[UUID, list[Amount]]:
    return _points(books) if metric is BoardMetric.POINTS_EARNED else _purchases(books, metric)


def _points(books: engines.Books) -> dict[UUID, list[Amount]]:
    transactions = {row.id: row for row in books.of(PointTransaction)}
    earnings = {key: row for key, row in transactions.items() if row.kind is TransactionKind.EARN}
    activated = {row.source_id: row.amount for row in transactions.values() if row.kind is TransactionKind.ACTIVATE}
    taken = _taken(books, transactions)
    by_source: dict[UUID, list[Lot]] = defaultdict(list)
    for lot in books.of(Lot):
        if lot.transaction_id in earnings and lot.state not in (LotState.PENDING, LotState.CANCELLED):
            by_source[lot.source_id].append(lot)
    found: dict[UUID, list[Amount]] = defaultdict(list)
    for source_id, lots in by_source.items():
        left = taken[source_id]
        for lot in sorted(lots, key=lambda lot: (lot.available_at, lot.id.int)):  # type: ignore[return-value,arg-type]
            earned = activated.get(lot.id, lot.amount)
            assert lot.available_at is not None
            lost = min(left, earned)
            left -= lost
            if earned > lost:
                found[lot.member_id].append((lot.available_at, lot.id, earned - lost))
        assert left == 0, "no more is taken back than was earned and available"
    return found


def _taken(books: engines.Books, transactions: dict[UUID, PointTransaction]) -> dict[UUID, int]:
    """What clawbacks took or should have taken, by what had earned it."""
    taken: dict[UUID, int] = defaultdict(int)
    for row in transactions.values():
        if row.kind is TransactionKind.REVERSE and row.source_type is not SourceType.SHORTFALL:
            taken[transactions[row.reverses].source_id] -= row.amount  # type: ignore[index]
    for short in books.of(Shortfall):
        taken[transactions[short.reverses].source_id] += short.amount
    return taken


def _purchases(books: engines.Books, metric: BoardMetric) -> dict[UUID, list[Amount]]:
    refunds: dict[UUID, list[Refund]] = defaultdict(list)
    for refund in books.of(Refund):
        refunds[refund.purchase_id].append(refund)
    found: dict[UUID, list[Amount]] = defaultdict(list)
    for purchase in books.of(Purchase):
        rest = _kept(purchase, refunds[purchase.id])
        spent = sum(line.paid_minor for line in rest if line.earns)
        if spent:
            amount = spent if metric is BoardMetric.SPEND else 1
            found[purchase.member_id].append((purchase.occurred_at, purchase.id, amount))
    return found
