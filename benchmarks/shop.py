"""A shop to measure in: real embedded servers with full durability, a program, and enrolled members."""

import asyncio
import contextlib
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from domain import enrollments, members, programs
from domain.kernel import Command
from domain.points.commands import AdjustPoints
from domain.purchases.recording import RecordPurchase
from domain.rewards import commands as mall
from persistence import clock, connection, embedded, migrations
from persistence.engine import Engine

MEMBERS = 2000
POOL_SIZE = 32

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Shop:
    """A running engine on a durable database with `MEMBERS` members named m0, m1, …"""

    directory: Path
    database_url: str
    redis_url: str
    address: connection.Address
    engine: Engine
    program_id: UUID
    member_ids: tuple[UUID, ...]

    async def tell(self, command: Command[Any], key: str | None = None) -> Any:
        outcome = await self.engine.execute(command, program_id=self.program_id, actor="bench", idempotency_key=key)
        return outcome.result


def purchase(number: int) -> RecordPurchase:
    """A purchase that nobody has recorded yet, of one of the members."""
    return RecordPurchase(
        member=members.MemberRef(external_id=f"m{number * 7919 % MEMBERS}"),
        external_id=f"order-{next(_numbers)}",
        amount_minor=19_990,
        currency_code="CNY",
    )


@contextlib.asynccontextmanager
async def opened(*, batch_max: int = 256) -> AsyncIterator[Shop]:
    """A shop on servers of its own, gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="tessera-bench-"))
    servers = embedded.start(directory, durable=True)
    try:
        address = connection.parse_url(servers.database_url)
        await migrations.migrate(address)
        async with connection.open_database(servers.database_url, pool_size=POOL_SIZE):
            engine = Engine(lambda: connection.connect(address), batch_max=batch_max)
            await engine.start()
            yield await _stocked(
                Shop(directory, servers.database_url, servers.redis_url, address, engine, new_id(), ())
            )
            await engine.stop()
    finally:
        servers.stop()
        shutil.rmtree(directory, ignore_errors=True)


def new_id() -> UUID:
    """An id that nothing else has."""
    return clock.make_id(clock.Ids().next_first(clock.now()) + 1)


async def _stocked(shop: Shop) -> Shop:
    await shop.tell(programs.CreateProgram(program_id=shop.program_id, name="Bench", currency_code="CNY"))
    enrolled = await asyncio.gather(
        *(
            shop.tell(enrollments.EnrollMember(profile=members.Profile(external_id=f"m{number}")))
            for number in range(MEMBERS)
        )
    )
    return replace(shop, member_ids=tuple(one.member.id for one in enrolled))


async def reward(shop: Shop, *, stock: int, points: int) -> UUID:
    """A reward with a stock, and every member with enough points for it."""
    made = await shop.tell(mall.CreateReward(code=f"hot-{next(_numbers)}", name="Hot", points=points, stock=stock))
    await asyncio.gather(
        *(
            shop.tell(AdjustPoints(member=members.MemberRef(id=member), points=points * 1000, reason="bench"))
            for member in shop.member_ids
        )
    )
    key: UUID = made.reward.id
    return key


async def callers(count: int, each: int, work: Callable[[int], Awaitable[object]]) -> None:
    """`count` callers at once, each of whom asks `each` times, waiting for every answer."""

    async def one(caller: int) -> None:
        for turn in range(each):
            await work(caller * each + turn)

    await asyncio.gather(*(one(caller) for caller in range(count)))
