"""Periods of leaderboards are closed when they are due, each once, and their prizes paid, each once (B3)."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.duties import Work
from domain.leaderboards.board import BoardMetric, BoardScope, BoardWindow, Leaderboard, PrizeRange
from domain.leaderboards.closing import LeaderboardAward, LeaderboardPeriod, LeaderboardPlace
from domain.leaderboards.commands import CreateLeaderboard
from domain.leaderboards.participation import ExcludeFromLeaderboards
from domain.points.account import PointTransaction, SourceType
from domain.prizes import Prize, PrizeKind
from domain.segments import Criteria, SaveSegment
from domain.vouchers.pool import GenerateVoucherCodes, Supply
from persistence.leaderboards.reading import Boards, of_closed
from tests.persistence import engines, malls
from tests.persistence.boards import standing
from tests.worker.clockwork import NOON, World, members, open_shop

pytestmark = pytest.mark.asyncio


def points(first: int, last: int, amount: int) -> PrizeRange:
    return PrizeRange(first=first, last=last, prize=Prize(kind=PrizeKind.POINTS, points=amount))


async def make(shop: engines.Shop, window: BoardWindow = BoardWindow.DAY, **told: Any) -> Leaderboard:
    told = {"code": engines.key(), "metric": BoardMetric.POINTS_EARNED} | told
    made: Leaderboard = await shop.run(CreateLeaderboard(name="Best", window=window, **told))
    return made


async def buy(shop: engines.Shop, member: UUID, yuan: int, at: Any = None) -> Any:
    bought = replace(engines.buy(member, engines.key(), yuan * 100), occurred_at=at)
    return (await shop.run(bought)).purchase


async def places(own: asyncpg.Connection, shop: engines.Shop) -> list[tuple[UUID, int, int, int]]:
    found = await engines.rows(own, LeaderboardPlace, shop.program_id)
    return [(each.member_id, each.place, each.rank, each.score) for each in found]


async def won(own: asyncpg.Connection, shop: engines.Shop) -> dict[UUID, list[int]]:
    """What members won of points, from the ledger."""
    found: dict[UUID, list[int]] = {}
    for row in await engines.rows(own, PointTransaction, shop.program_id):
        if row.source_type is SourceType.PRIZE:
            found.setdefault(row.member_id, []).append(row.amount)
    return found


async def test_b3_a_period_is_closed_after_its_settle_delay_and_then_nothing_changes_of_it(
    world: World, own: asyncpg.Connection
) -> None:
    shop = await open_shop(world)
    one, other, third = await members(shop, 3)
    board = await make(shop, settle_minutes=120, prizes=(points(1, 1, 1000), points(2, 2, 500)))
    bought = await buy(shop, one, 300)
    for member, yuan in ((other, 200), (third, 200)):
        await buy(shop, member, yuan)
    world.later(hours=13)  # over for an hour
    assert (await world.work())[Work.LEADERBOARDS] == 0
    # What still comes before it has settled counts, with its own time.
    await buy(shop, third, 150, at=NOON + timedelta(hours=1))
    world.later(hours=1)
    done = await world.work()
    assert (done[Work.LEADERBOARDS], done[Work.LEADERBOARD_AWARDS]) == (1, 2)
    closed = [(third, 1, 1, 350), (one, 2, 2, 300), (other, 3, 3, 200)]
    assert await places(own, shop) == closed
    assert await won(own, shop) == {third: [1000], one: [500]}
    # A late clawback changes nothing of it, nor does another worker.
    await shop.run(engines.refund(bought.id))
    assert (await world.work())[Work.LEADERBOARDS] == 0
    assert await places(own, shop) == closed
    assert await won(own, shop) == {third: [1000], one: [500]}
    (period,) = await engines.rows(own, LeaderboardPeriod, shop.program_id)
    which = of_closed(board, period)
    found = await Boards(None).top(which, 10)
    assert [(each.member_id, each.rank) for each in found.standings] == [(third, 1), (one, 2), (other, 3)]
    assert found.origin == ("POSTGRESQL", period.closed_at)
    assert (await standing(Boards(None), which, one)).rank == 2


@pytest.mark.parametrize("statement", ["UPDATE {} SET program_id = program_id", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["leaderboard_places", "leaderboard_periods"])
async def test_b3_what_is_closed_nobody_can_change(
    world: World, own: asyncpg.Connection, table: str, statement: str
) -> None:
    shop = await open_shop(world)
    await make(shop)
    world.later(days=2)
    await world.work()
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await own.execute(statement.format(table))


async def test_b3_whoever_is_excluded_wins_nothing_and_the_next_one_does(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world)
    one, other, third = await members(shop, 3)
    await make(shop, prizes=(points(1, 2, 10),))
    for member, yuan in ((one, 300), (other, 200), (third, 100)):
        await buy(shop, member, yuan)
    exclude = ExcludeFromLeaderboards(member=engines.ref(one), is_excluded=True, reason="test")
    await shop.run(exclude)
    world.later(days=1)
    await world.work()
    assert await places(own, shop) == [(other, 1, 1, 200), (third, 2, 2, 100)]
    assert await won(own, shop) == {other: [10], third: [10]}


async def test_ties_share_a_rank_and_prizes_are_for_places(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world)
    one, other, third = await members(shop, 3)
    await make(shop, prizes=(points(1, 1, 30), points(2, 2, 20), points(3, 3, 10)))
    for number, member in enumerate((other, one, third)):
        await buy(shop, member, 200, at=NOON - timedelta(minutes=number))
    world.later(days=1)
    await world.work()
    assert await places(own, shop) == [(third, 1, 1, 200), (one, 2, 1, 200), (other, 3, 1, 200)]
    assert await won(own, shop) == {third: [30], one: [20], other: [10]}


async def test_periods_that_were_missed_are_closed_in_order_each_with_its_own(
    world: World, own: asyncpg.Connection
) -> None:
    shop = await open_shop(world)
    (member,) = await members(shop, 1)
    await make(shop, prizes=(points(1, 1, 1),))
    for day in range(5):
        await buy(shop, member, 10 + day)
        world.later(days=1)
    done = await world.work()
    assert (done[Work.LEADERBOARDS], done[Work.LEADERBOARD_AWARDS]) == (5, 5)
    assert [score for *_, score in await places(own, shop)] == [10, 11, 12, 13, 14]
    periods = sorted(await engines.rows(own, LeaderboardPeriod, shop.program_id), key=lambda each: each.starts_at)
    assert all(one.ends_at == other.starts_at for one, other in pairwise(periods))


async def test_two_workers_close_and_pay_once(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world)
    who = await members(shop, 40)
    for code in ("a", "b", "c"):
        await make(shop, code=code, prizes=(points(1, 40, 5),))
    for member in who:
        await buy(shop, member, 10)
    world.later(days=1)
    workers = [await world.worker(batch_max=7) for _ in range(3)]
    for _ in range(3):
        # Prizes may have been looked for before the periods were closed.
        await asyncio.gather(*(worker.run_until_idle() for worker in workers))
        world.later(seconds=2)
    assert await won(own, shop) == {member: [5, 5, 5] for member in who}
    assert len(await engines.rows(own, LeaderboardPeriod, shop.program_id)) == 3
    assert len(await places(own, shop)) == 120


async def test_a_worker_killed_while_it_pays_leaves_nothing_out_and_pays_nothing_twice(
    world: World, own: asyncpg.Connection
) -> None:
    shop = await open_shop(world)
    who = await members(shop, 60)
    await make(shop, prizes=(points(1, 60, 5),))
    for member in who:
        await buy(shop, member, 10)
    world.later(days=1)
    for _ in range(6):
        worker = await world.worker(batch_max=10)
        task = asyncio.create_task(worker.run_until_idle())
        await asyncio.sleep(0.15)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await worker.close()
    await world.work()
    world.later(hours=1)
    await world.work()
    assert await won(own, shop) == {member: [5] for member in who}


async def test_a_prize_of_an_empty_pool_is_given_when_the_pool_is_filled(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world)
    (member,) = await members(shop, 1)
    pool = await malls.open_pool(shop, supply=Supply.STOCK)
    prize = Prize(kind=PrizeKind.VOUCHER, pool_id=pool.id)
    await make(shop, prizes=(PrizeRange(first=1, last=1, prize=prize),))
    await buy(shop, member, 10)
    world.later(days=1)
    await world.work()
    (award,) = await engines.rows(own, LeaderboardAward, shop.program_id)
    assert (award.state, award.refused) == ("DUE", "VOUCHERS_SOLD_OUT")
    await shop.run(GenerateVoucherCodes(pool_id=pool.id, count=1))
    world.later(hours=1)
    await world.work()
    (award,) = await engines.rows(own, LeaderboardAward, shop.program_id)
    assert (award.state, award.refused, award.voucher_id is None) == ("PAID", None, False)


async def test_at_its_end_everybody_is_looked_at_again_for_a_segment(world: World, own: asyncpg.Connection) -> None:
    """Who was in it by a number of days and is no longer, without anything that happened, does not win."""
    shop = await open_shop(world)
    segment = await shop.run(SaveSegment(code="new", name="New", criteria=Criteria(enrolled_within_days=1)))
    (old,) = await members(shop, 1)
    await make(shop, BoardWindow.WEEK, scope=BoardScope.SEGMENT, segment_id=segment.id)
    await buy(shop, old, 10)
    world.later(hours=14)
    # Two hours into the next week, as one who has just joined.
    (young,) = await members(shop, 1)
    await buy(shop, young, 50)
    await world.work()
    assert await places(own, shop) == [(old, 1, 1, 10)]
    world.later(days=6)
    (late,) = await members(shop, 1)
    await buy(shop, late, 1)
    await buy(shop, old, 99)
    world.later(days=1)
    await world.work()
    assert (await places(own, shop))[1:] == [(late, 1, 1, 1)]
