"""Random things that happen in a shop, and change who stands where."""

import asyncio
import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.campaigns import EditRules
from domain.earning.rules import ONE_POINT_A_UNIT, EarningKind, EarningRule
from domain.kernel import Command, Outcome
from domain.leaderboards.board import BoardMetric, BoardWindow, Leaderboard
from domain.points.commands import TransferPoints
from domain.policies import PendingKind, PendingPolicy
from domain.purchases.recording import Line, RecordPurchase
from domain.purchases.refund import PurchaseRef, RefundPurchase
from persistence import clock
from tests.persistence import engines
from tests.persistence.boards import Arena, expected

# Base points at once, and a bonus that is pending for a week: a refund takes from both (L8).
RULES = (
    *ONE_POINT_A_UNIT,
    EarningRule(code="later", kind=EarningKind.FIXED, points=7, pending=PendingPolicy(PendingKind.AFTER, days=7)),
)
AT_ONCE = 200


class Life:
    """Commands, chosen by chance with a seed."""

    def __init__(self, seed: int, members: list[UUID]) -> None:
        self._chance = random.Random(seed)
        self._members = members
        self._purchases: list[tuple[str, int]] = []
        self.told: Counter[str] = Counter()

    async def lead(self, shop: engines.Shop, count: int) -> None:
        """Let so many things happen; some are refused, as in life."""
        for start in range(0, count, AT_ONCE):
            commands = [self._next() for _ in range(min(AT_ONCE, count - start))]
            answers = await engines.all_answers(shop.submit(command) for command in commands)
            for command, answer in zip(commands, answers, strict=True):
                if isinstance(answer, Outcome):
                    self.told[type(command).__name__] += 1
                    if isinstance(command, RecordPurchase):
                        self._purchases.append((command.external_id, command.amount_minor))

    def _next(self) -> Command[Any]:
        chance = self._chance
        roll = chance.random()
        if roll < 0.25 and self._purchases:
            external_id, amount = chance.choice(self._purchases)
            part = None if chance.random() < 0.4 else chance.randint(1, amount)
            purchase = PurchaseRef(external_id=external_id)
            return RefundPurchase(purchase=purchase, external_id=engines.key(), amount_minor=part)
        if roll < 0.33:
            return engines.adjust(chance.choice(self._members), chance.choice((-30, 40, 500)))
        if roll < 0.40:
            sender, recipient = (engines.ref(each) for each in chance.sample(self._members, 2))
            return TransferPoints(sender=sender, recipient=recipient, points=chance.randint(1, 60))
        return self._purchase()

    def _purchase(self) -> RecordPurchase:
        chance = self._chance
        # Round amounts, so that many stand level.
        lines = tuple(
            Line(amount_minor=1000 * chance.randint(1, 5), earns=chance.random() < 0.8)
            for _ in range(chance.randint(1, 3))
        )
        return RecordPurchase(
            member=engines.ref(chance.choice(self._members)),
            external_id=engines.key(),
            amount_minor=sum(line.amount_minor for line in lines),
            currency_code="CNY",
            lines=lines,
            occurred_at=self._time(),
        )

    def _time(self) -> datetime:
        """Mostly today, and up to forty days ago."""
        chance = self._chance
        minutes = chance.randint(0, 600) if chance.random() < 0.6 else chance.randint(0, 40 * 24 * 60)
        return clock.now() - timedelta(minutes=minutes)


async def enroll(shop: engines.Shop, count: int) -> list[UUID]:
    """Enroll so many members."""
    answers = await asyncio.gather(*shop.enrolling(count))
    return [answer.result.member.id for answer in answers]


WINDOWS = (
    (BoardMetric.POINTS_EARNED, BoardWindow.DAY),
    (BoardMetric.POINTS_EARNED, BoardWindow.WEEK),
    (BoardMetric.POINTS_EARNED, BoardWindow.MONTH),
    (BoardMetric.POINTS_EARNED, BoardWindow.ALL_TIME),
    (BoardMetric.SPEND, BoardWindow.WEEK),
    (BoardMetric.SPEND, BoardWindow.ALL_TIME),
    (BoardMetric.PURCHASES, BoardWindow.MONTH),
)


async def open_boards(arena: Arena) -> list[Leaderboard]:
    """A board of every window, and of several metrics."""
    made = [await arena.board(window, metric=metric) for metric, window in WINDOWS]
    now = clock.now()
    made.append(
        await arena.board(BoardWindow.CAMPAIGN, starts_at=now - timedelta(days=20), ends_at=now + timedelta(days=1))
    )
    return made


async def check(arena: Arena, made: list[Leaderboard], *, without: tuple[UUID, ...] = ()) -> int:
    """Every board, in both stores, is what plain arithmetic comes to. How many standings there are."""
    books = await engines.books(arena.own, arena.shop.program_id)
    count = 0
    for board in made:
        period = await arena.which(board)
        found = await arena.shown(period)
        assert found == expected(books, board, period.period, without=without), (board.metric, board.window)
        count += len(found)
    return count


async def lead(arena: Arena, count: int, *, members: int = 60, seed: int = 7) -> tuple[Life, list[Leaderboard]]:
    """Let so many things happen to so many members, and have all of it counted on such boards."""
    await arena.shop.run(EditRules(rules=RULES))
    life = Life(seed, await enroll(arena.shop, members))
    made = await open_boards(arena)
    await arena.settle()
    await life.lead(arena.shop, count)
    await arena.settle()
    return life, made
