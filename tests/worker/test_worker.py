"""The worker: what the clock asks is done once, whoever does it, and whoever was killed half way."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import date
from typing import Any

import asyncpg
import pytest

from domain.campaigns import EditRules
from domain.duties import Work
from domain.earning.rules import Trigger
from domain.kernel import Decision, State
from domain.points.commands import HoldPoints, SettleAccount
from domain.policies import (
    PendingKind,
    PendingPolicy,
)
from tests.persistence import engines
from tests.worker.clockwork import (
    POINTS_FOR_A_MONTH,
    World,
    buy,
    gift,
    kinds,
    members,
    open_shop,
)

pytestmark = pytest.mark.asyncio


async def test_two_workers_at_once_settle_every_account_once(world: World, own: asyncpg.Connection) -> None:
    """Expired lots, pending ones that are available, holds that lapse: each once, whoever does it."""
    shop = await open_shop(world, pending=PendingPolicy(kind=PendingKind.AFTER, days=7), **POINTS_FOR_A_MONTH)
    who = await members(shop, 400)
    await buy(shop, who)
    world.later(days=8)
    first, second = await world.worker(batch_max=50), await world.worker(batch_max=50)
    await asyncio.gather(first.run_until_idle(), second.run_until_idle())
    assert first.done[Work.SETTLE] + second.done[Work.SETTLE] == 400
    assert await kinds(own, shop) == {"EARN": 400, "ACTIVATE": 400}
    held = await asyncio.gather(
        *(shop.submit(HoldPoints(member=engines.ref(each), points=40, minutes=10)) for each in who)
    )
    assert len(held) == 400
    world.later(days=30)
    await asyncio.gather(first.run_until_idle(), second.run_until_idle())
    assert await kinds(own, shop) == {"EARN": 400, "ACTIVATE": 400, "HOLD": 400, "RELEASE": 400, "EXPIRE": 400}
    assert await own.fetchval("SELECT count(*) FROM points_accounts WHERE available <> 0 OR held <> 0") == 0
    assert await own.fetchval("SELECT count(*) FROM points_accounts WHERE due_at <= $1", world.now) == 0


async def test_again_there_is_nothing_to_do(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world, **POINTS_FOR_A_MONTH)
    await buy(shop, await members(shop, 20))
    world.later(days=40)
    assert (await world.work())[Work.SETTLE] == 20
    before = await kinds(own, shop)
    world.later(seconds=2)
    assert (await world.work())[Work.SETTLE] == 0
    assert await kinds(own, shop) == before == {"EARN": 20, "EXPIRE": 20}


async def test_l5_what_has_expired_never_counts_though_no_worker_ran(world: World) -> None:
    shop = await open_shop(world, **POINTS_FOR_A_MONTH)
    (member,) = await members(shop, 1)
    await buy(shop, [member])
    world.later(days=31)
    refused = engines.tally(await engines.all_answers([shop.submit(HoldPoints(member=engines.ref(member), points=1))]))
    assert refused == {"INSUFFICIENT_POINTS": 1}


async def test_an_account_that_cannot_be_settled_keeps_nobody_waiting(
    world: World, own: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await open_shop(world, **POINTS_FOR_A_MONTH)
    who = await members(shop, 30)
    await buy(shop, who)
    world.later(days=40)
    broken, decide = who[3], SettleAccount.decide

    def fail(self: SettleAccount, state: State) -> Decision[Any]:
        if self.member_id == broken:
            raise RuntimeError("a row that nobody foresaw")
        return decide(self, state)

    monkeypatch.setattr(SettleAccount, "decide", fail)
    worker = await world.worker(batch_max=10)
    assert (await worker.run_until_idle())[Work.SETTLE] == 29
    assert await own.fetch("SELECT id FROM points_accounts WHERE due_at <= $1", world.now) == [(broken,)]
    monkeypatch.undo()
    world.later(seconds=2)
    # Another worker, or this one after a restart, finds it.
    assert (await world.work())[Work.SETTLE] == 1
    assert await kinds(own, shop) == {"EARN": 30, "EXPIRE": 30}


# A worker that ends half way.


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what it waits for sets no event
        await asyncio.sleep(0.001)


async def test_a_worker_whose_session_is_ended_half_way_leaves_its_duty_to_the_next(
    world: World, own: asyncpg.Connection
) -> None:
    shop = await open_shop(world, **POINTS_FOR_A_MONTH)
    await buy(shop, await members(shop, 300))
    world.later(days=40)
    first = await world.worker(batch_max=20)
    working = asyncio.create_task(first.run_until_idle())
    await _until(lambda: first.done[Work.SETTLE] >= 60)
    # As the kernel does to the session of a process that is killed.
    await own.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_class ON pg_class.oid = relation"
        " JOIN pg_database ON pg_database.oid = database AND datname = current_database()"
        " WHERE relname = 'duties' AND pid <> pg_backend_pid()"
    )
    with contextlib.suppress(Exception):
        await working
    await first.close()
    second = await world.worker(batch_max=20)
    await second.run_until_idle()
    assert await kinds(own, shop) == {"EARN": 300, "EXPIRE": 300}
    assert await own.fetchval("SELECT count(*) FROM points_accounts WHERE due_at <= $1", world.now) == 0


async def test_what_a_lost_claim_had_done_is_told_again_and_changes_nothing(
    world: World, own: asyncpg.Connection
) -> None:
    """The engine had committed, and the claim that would have said so was lost."""
    shop = await open_shop(world)
    await shop.run(EditRules(rules=(gift("cake", Trigger.BIRTHDAY, 200),)))
    await members(shop, 25, birthday=date(1990, 3, 1))
    worker = await world.worker(batch_max=10)
    await worker.run_until_idle()
    assert worker.done[Work.BIRTHDAYS] == 25
    await own.execute("UPDATE duties SET due_at = $1, day = $2, after = NULL", world.now, date(2026, 3, 1))
    again = await world.worker(batch_max=10)
    await again.run_until_idle()
    assert again.done[Work.BIRTHDAYS] == 0
    assert await kinds(own, shop) == {"EARN": 25}


async def test_it_runs_until_it_is_stopped_and_survives_its_database(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world, **POINTS_FOR_A_MONTH)
    await buy(shop, await members(shop, 10))
    worker = await world.worker()
    running = asyncio.create_task(worker.run())
    await _until(lambda: worker.done.total() >= 0 and worker._own is not None)
    await own.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    world.later(days=40)
    async with asyncio.timeout(30):
        await _until(lambda: worker.done[Work.SETTLE] == 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await kinds(own, shop) == {"EARN": 10, "EXPIRE": 10}
