"""A database with a clock that is moved by hand, and engines and workers on it."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg

from api.worker import Worker
from domain.duties import Work
from domain.earning.rules import EarningKind, EarningRule, Trigger
from domain.enrollments import EnrollMember
from domain.members import Profile
from domain.points.account import PointTransaction
from domain.policies import (
    ExpiryKind,
    ExpiryPolicy,
)
from persistence import connection
from persistence.engine import Engine
from tests.persistence import engines

NOON: Final = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)  # in Shanghai
POINTS_FOR_A_MONTH: Final = {"expiry": ExpiryPolicy(kind=ExpiryKind.DAYS, count=30)}


@dataclass(slots=True)
class World:
    """A database with its clock, and whatever runs on it."""

    url: str
    now: datetime = NOON
    running: list[Engine] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    async def engine(self, **told: Any) -> Engine:
        """Another engine, as another process would have it."""
        engine = engines.make(self.url, now=self.clock, **told)
        await engine.start()
        self.running.append(engine)
        return engine

    async def worker(self, engine: Engine | None = None, **told: Any) -> Worker:
        """A worker, on an engine of its own unless it is told."""
        address = connection.parse_url(self.url)
        worker = Worker(engine or await self.engine(), lambda: connection.connect(address), now=self.clock, **told)
        self.workers.append(worker)
        return worker

    async def work(self) -> Counter[Work]:
        """Let a new worker do all that is due now, and end."""
        worker = await self.worker(self.running[0])
        try:
            return await worker.run_until_idle()
        finally:
            await worker.close()

    def later(self, **duration: int) -> None:
        self.now += timedelta(**duration)


async def open_shop(world: World, **settings: Any) -> engines.Shop:
    return await engines.open_shop(await world.engine(), **settings)


async def members(shop: engines.Shop, count: int, **profile: Any) -> list[UUID]:
    """Enroll so many members."""
    told = [EnrollMember(profile=Profile(external_id=engines.key(), **profile)) for _ in range(count)]
    answers = await asyncio.gather(*(shop.submit(command) for command in told))
    return [answer.result.member.id for answer in answers]


async def buy(shop: engines.Shop, who: Sequence[UUID], yuan: int = 100) -> None:
    """A purchase of each."""
    await asyncio.gather(*(shop.submit(engines.buy(each, engines.key(), yuan * 100)) for each in who))


async def kinds(own: asyncpg.Connection, shop: engines.Shop) -> dict[str, int]:
    """How many transactions of each kind there are."""
    books = await engines.books(own, shop.program_id)
    books.check()
    return dict(Counter(row.kind.value for row in books.of(PointTransaction)))


async def events(own: asyncpg.Connection, name: str) -> list[dict[str, Any]]:
    """What was told under a name, in the order it was."""
    records = await own.fetch("SELECT body FROM outbox WHERE name = $1 ORDER BY id", name)
    return [json.loads(record["body"]) for record in records]


def gift(code: str, trigger: Trigger, points: int, **more: Any) -> EarningRule:
    return EarningRule(code=code, kind=EarningKind.FIXED, points=points, trigger=trigger, **more)
