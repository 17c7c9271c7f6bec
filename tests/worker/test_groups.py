"""Groups that were not filled in time are failed by the worker, each once, and everybody in them is told."""

import asyncpg

from domain.duties import Work
from domain.group_deals.deal import GroupDealStock
from domain.group_deals.group import DealGroup, DealSeat, GroupState, SeatState
from tests.persistence import deals, engines
from tests.worker.clockwork import World, events, open_shop


async def test_what_was_not_filled_in_time_fails_once(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world)
    members = [await shop.member_with(300) for _ in range(3)]
    deal = await deals.make(shop, 3, units=6)
    late = await deals.opened(shop, members[0], deal)
    await shop.run(deals.joining(members[1], late))
    world.later(minutes=30)
    later = await deals.opened(shop, members[2], deal)
    assert (await world.work())[Work.GROUP_DEALS] == 0
    world.later(minutes=30)
    assert (await world.work())[Work.GROUP_DEALS] == 1
    assert (await world.work())[Work.GROUP_DEALS] == 0
    books = await engines.books(own, shop.program_id)
    assert deals.check(books) == {GroupState.FAILED: 1, GroupState.OPEN: 1}
    found = books.state.get(DealGroup, late.id)
    assert (found.state, found.ended_at, found.due_at) == (GroupState.FAILED, late.lapses_at, None)
    assert [row.state for row in books.of(DealSeat) if row.group_id == late.id] == [SeatState.LAPSED] * 2
    assert books.state.get(DealGroup, later.id).state is GroupState.OPEN
    stock = books.state.get(GroupDealStock, deal.id)
    assert (stock.held, stock.sold, stock.left) == (3, 0, 3)
    assert [books.account(member).available for member in members] == [300, 300, 240]
    told = await events(own, "DealGroupFailed")
    assert sorted(body["member_id"] for body in told) == sorted(map(str, members[:2]))


async def test_whose_units_were_taken_back_before_is_still_told(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world)
    members = [await shop.member_with(60) for _ in range(2)]
    deal = await deals.make(shop, 2, units=2)
    late = await deals.opened(shop, members[0], deal)
    world.later(minutes=60)
    await deals.opened(shop, members[1], deal)
    found = (await engines.books(own, shop.program_id)).state.get(DealGroup, late.id)
    assert (found.state, found.due_at) == (GroupState.FAILED, late.lapses_at)
    assert (await world.work())[Work.GROUP_DEALS] == 1
    books = await engines.books(own, shop.program_id)
    assert deals.check(books) == {GroupState.FAILED: 1, GroupState.OPEN: 1}
    assert len(await events(own, "DealGroupFailed")) == 1


async def test_two_workers_fail_many_groups_once_each(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world)
    members = [await shop.member_with(3_000) for _ in range(3)]
    deal = await deals.make(shop, 4)
    for _ in range(40):
        group = await deals.opened(shop, members[0], deal)
        for member in members[1:]:
            await shop.run(deals.joining(member, group))
    world.later(minutes=60)
    first, second = await world.worker(batch_max=8), await world.worker(batch_max=8)
    for worker in (first, second, first, second):
        await worker.step()
    await first.run_until_idle()
    await second.run_until_idle()
    assert first.done[Work.GROUP_DEALS] + second.done[Work.GROUP_DEALS] == 40
    books = await engines.books(own, shop.program_id)
    assert deals.check(books) == {GroupState.FAILED: 40}
    assert {books.account(member).available for member in members} == {3_000}
    assert len(await events(own, "DealGroupFailed")) == 120
