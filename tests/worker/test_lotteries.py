"""Lotteries that are over are ended by the worker: winners drawn one by one, each once, then closed."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from domain.chances import LotteryRun
from domain.duties import Work
from domain.kernel import Decision, State
from domain.lotteries.draw import Draw
from domain.lotteries.ending import EndLottery
from domain.lotteries.saving import Ended
from tests.domain.lotteries.hall import nothing, points
from tests.persistence import engines, fairs
from tests.worker.clockwork import World, events, open_shop

pytestmark = pytest.mark.asyncio


async def test_an_instant_lottery_is_closed_at_its_end_once(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world)
    lottery = await fairs.lottery(shop, nothing(), ends_at=world.now + timedelta(hours=1))
    endless = await fairs.lottery(shop, nothing())
    assert (await world.work())[Work.LOTTERIES] == 0
    world.later(hours=1)
    assert (await world.work())[Work.LOTTERIES] == 1
    assert (await world.work())[Work.LOTTERIES] == 0
    books = await engines.books(own, shop.program_id)
    run = books.state.get(LotteryRun, lottery.id)
    assert (run.closed_at, run.closed_by, run.due_at) == (world.now, "worker", None)
    assert books.state.get(LotteryRun, endless.id).closed_at is None
    assert [told["lottery_id"] for told in await events(own, "LotteryEnded")] == [str(lottery.id)]


async def test_two_workers_at_once_draw_every_winner_once(world: World, own: asyncpg.Connection) -> None:
    """More winners than one claim draws, of more lotteries than one."""
    shop = await open_shop(world)
    members = [await shop.member_with(100) for _ in range(30)]
    raffles = [
        await fairs.raffle(shop, world.now + timedelta(days=1), points(1, stock=70), wins_per_member=3)
        for _ in range(2)
    ]
    for raffle in raffles:
        await asyncio.gather(*(shop.submit(fairs.take(member, raffle.id, 5)) for member in members))
    world.later(days=1)
    first, second = await world.worker(), await world.worker()
    await asyncio.gather(first.run_until_idle(), second.run_until_idle())
    world.later(seconds=2)
    await first.run_until_idle()
    books = await engines.books(own, shop.program_id)
    for raffle in raffles:
        draws = [row for row in books.of(Draw) if row.lottery_id == raffle.id]
        assert sorted(row.number for row in draws) == list(range(1, 71))
        assert len({row.ticket for row in draws}) == 70
        assert books.state.get(LotteryRun, raffle.id).closed_at is not None
    assert first.done[Work.LOTTERIES] + second.done[Work.LOTTERIES] == 2 * 71
    assert len(await events(own, "LotteryDrawn")) == 140
    assert books.check() == 30


async def test_a_lottery_that_cannot_be_ended_keeps_no_other_waiting(
    world: World, own: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await open_shop(world)
    ends_at = world.now + timedelta(hours=1)
    broken, other = [await fairs.lottery(shop, nothing(), ends_at=ends_at) for _ in range(2)]
    decide = EndLottery.decide

    def fail(self: EndLottery, state: State) -> Decision[Ended]:
        if self.lottery_id == broken.id:
            raise RuntimeError("what nobody foresaw")
        return decide(self, state)

    monkeypatch.setattr(EndLottery, "decide", fail)
    world.later(hours=1)
    assert (await world.work())[Work.LOTTERIES] == 1
    books = await engines.books(own, shop.program_id)
    assert books.state.get(LotteryRun, broken.id).closed_at is None
    assert books.state.get(LotteryRun, other.id).closed_at == world.now
    monkeypatch.undo()
    world.later(seconds=2)
    # Another worker, or this one after a restart, finds it.
    assert (await world.work())[Work.LOTTERIES] == 1
