"""Races of group deals with exact counts, within one engine and between two, which are to each other like processes."""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.group_deals.deal import GroupDeal, GroupDealStock
from domain.group_deals.ending import LapseDealGroup
from domain.group_deals.group import DealGroup, DealSeat, GroupState, SeatState
from domain.kernel import Command
from domain.points.account import Hold, HoldState, PointsAccount
from domain.points.commands import FreezeMember, TransferPoints
from domain.redemptions.redemption import Redemption
from domain.rewards.reward import RewardKind
from domain.vouchers.pool import GenerateVoucherCodes, Supply, VoucherPool
from domain.vouchers.voucher import Voucher
from persistence import clock
from persistence.engine import Engine
from tests.persistence import deals, engines, malls, stumbling
from tests.persistence.conftest import Starting
from tests.persistence.engines import Shop


@pytest.fixture(params=["one engine", "two engines"])
def shops(request: pytest.FixtureRequest, shop: Shop, other_engine: Engine) -> tuple[Shop, ...]:
    """The same shop through one engine, or through two."""
    return (shop,) if request.param == "one engine" else (shop, shop.at(other_engine))


async def race(shops: tuple[Shop, ...], commands: list[Command[Any]]) -> list[Any]:
    """Tell all commands at once, in turns to each engine. What became of each."""
    told = [shops[number % len(shops)].submit(command) for number, command in enumerate(commands)]
    return await engines.all_answers(told)


async def crowd(shop: Shop, count: int, points: int = 60) -> list[UUID]:
    """So many new members with so many points each."""
    members = [answer.result.member.id for answer in await engines.all_answers(shop.enrolling(count))]
    await engines.all_answers([shop.submit(engines.adjust(member, points)) for member in members])
    return members


async def test_fifty_who_join_a_group_of_ten_take_exactly_ten_seats(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    members = await crowd(shop, 50)
    deal = await deals.make(shop, 10, units=10)
    group = await deals.opened(shop, members[0], deal)
    answers = await race(shops, [deals.joining(member, group) for member in members[1:]])
    assert engines.tally(answers) == {"done": 9, "GROUP_FULL": 40}
    books = await engines.books(own, shop.program_id)
    assert deals.check(books) == {GroupState.FILLED: 1}
    stock = books.state.get(GroupDealStock, deal.id)
    assert (stock.held, stock.sold, stock.left) == (0, 10, 0)
    assert Counter(row.available for row in books.of(PointsAccount)) == {0: 10, 60: 40}
    assert {row.held for row in books.of(PointsAccount)} == {0}
    assert len(books.of(Redemption)) == 10
    assert Counter(row.state for row in books.of(Hold)) == {HoldState.CAPTURED: 10}


async def test_a_crowd_that_opens_and_joins_sells_whole_groups_and_never_too_many(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    """Forty open groups at once of which units are there for four; then everybody joins any of them."""
    shop = shops[0]
    members = await crowd(shop, 40, points=120)
    deal = await deals.make(shop, 5, units=20, limit_per_member=1)
    opened = await race(shops, [deals.opening(member, deal) for member in members])
    assert engines.tally(opened) == {"done": 4, "SOLD_OUT": 36}
    groups = [answer.result.group for answer in opened if not isinstance(answer, Exception)]
    joining: list[Command[Any]] = [deals.joining(member, group) for member in members for group in groups]
    random.Random(7).shuffle(joining)
    told = engines.tally(await race(shops, joining))
    assert told["done"] == 16
    assert set(told) == {"done", "GROUP_FULL", "ALREADY_JOINED", "LIMIT_REACHED"}
    books = await engines.books(own, shop.program_id)
    assert deals.check(books) == {GroupState.FILLED: 4}
    stock = books.state.get(GroupDealStock, deal.id)
    assert (stock.held, stock.sold, stock.left) == (0, 20, 0)
    assert Counter(row.available for row in books.of(PointsAccount)) == {60: 20, 120: 20}


async def test_members_of_many_groups_at_once_come_to_no_standstill(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    """Each group's last seat locks everybody's account, in one order, while they spend and transfer elsewhere (L12)."""
    shop = shops[0]
    members = await crowd(shop, 8, points=1_000)
    several = [await deals.make(shop, 4, points=10) for _ in range(3)]
    groups = [await deals.opened(shop, members[number % 8], several[number % 3]) for number in range(9)]
    told: list[Command[Any]] = [deals.joining(member, group) for group in groups for member in members]
    told.extend(
        TransferPoints(sender=engines.ref(one), recipient=engines.ref(other), points=1)
        for one, other in zip(members, reversed(members), strict=True)
    )
    random.Random(11).shuffle(told)
    answers = await asyncio.wait_for(race(shops, told), 30)
    tally = engines.tally(answers)
    assert set(tally) == {"done", "GROUP_FULL", "ALREADY_JOINED"}
    assert tally["done"] == 9 * 3 + 8
    books = await engines.books(own, shop.program_id)
    assert deals.check(books) == {GroupState.FILLED: 9}
    assert sum(row.available for row in books.of(PointsAccount)) == 8_000 - 9 * 4 * 10


async def test_of_filling_and_the_deadline_exactly_one_wins(
    shop: Shop, starting: Starting, own: asyncpg.Connection
) -> None:
    """One process whose clock is an hour ahead ends the group that another one fills."""
    async with starting(now=lambda: clock.now() + timedelta(hours=1)) as ahead:
        late = shop.at(ahead)
        members = await crowd(shop, 3, points=3_000)
        deal = await deals.make(shop, 3, units=300)
        states: Counter[GroupState] = Counter()
        for number in range(30):
            group = await deals.opened(shop, members[0], deal)
            await shop.run(deals.joining(members[1], group))
            told = [shop.submit(deals.joining(members[2], group)), late.submit(LapseDealGroup(group_id=group.id))]
            await engines.all_answers(reversed(told) if number % 2 else told)
            books = await engines.books(own, shop.program_id)
            states[await _ended(books, group)] += 1
        books = await engines.books(own, shop.program_id)
        filled = states[GroupState.FILLED]
        assert states.total() == 30
        assert filled > 0
        stock = books.state.get(GroupDealStock, deal.id)
        assert (stock.held, stock.sold) == (0, 3 * filled)
        for member in members:
            account = books.account(member)
            assert (account.available, account.held) == (3_000 - 60 * filled, 0)
        deals.check(books)


async def _ended(books: engines.Books, group: DealGroup) -> GroupState:
    """How a group ended: every seat and every hold in the same way."""
    state = books.state.get(DealGroup, group.id).state
    seats = [row for row in books.of(DealSeat) if row.group_id == group.id]
    found = {(row.state, books.state.get(Hold, row.hold_id).state) for row in seats}
    if state is GroupState.FILLED:
        assert found == {(SeatState.REDEEMED, HoldState.CAPTURED)}
    else:
        assert state is GroupState.FAILED
        assert found == {(SeatState.LAPSED, HoldState.LAPSED)}
    return state


async def test_a_group_lapses_once_whoever_tells_it(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    """The clock's work, told again and again, and by whoever needs the units meanwhile."""
    shop = shops[0]
    members = await crowd(shop, 3)
    deal = await deals.make(shop, 3, units=3, minutes=1)
    group = await deals.opened(shop, members[0], deal)
    await shop.run(deals.joining(members[1], group))
    await own.execute("UPDATE deal_groups SET lapses_at = now(), due_at = now() WHERE id = $1", group.id)
    await own.execute("UPDATE deal_seats SET lapses_at = now() WHERE group_id = $1", group.id)
    await own.execute("UPDATE holds SET lapses_at = now() WHERE program_id = $1", shop.program_id)
    await own.execute("UPDATE points_accounts SET due_at = now() WHERE program_id = $1 AND held > 0", shop.program_id)
    lapse = LapseDealGroup(group_id=group.id)
    answers = await race(
        shops, [lapse, deals.opening(members[2], deal), lapse, deals.joining(members[2], group), lapse]
    )
    assert engines.tally(answers) == {"done": 4, "GROUP_EXPIRED": 1}
    books = await engines.books(own, shop.program_id)
    assert deals.check(books) == {GroupState.FAILED: 1, GroupState.OPEN: 1}
    stock = books.state.get(GroupDealStock, deal.id)
    assert (stock.held, stock.sold, stock.left) == (3, 0, 0)
    assert [books.account(member).available for member in members] == [60, 60, 0]


async def test_of_leaving_and_the_last_seat_one_wins(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    members = await crowd(shop, 2, points=1_200)
    deal = await deals.make(shop, 2)
    ends: Counter[str] = Counter()
    for number in range(20):
        group = await deals.opened(shop, members[0], deal)
        told: list[Command[Any]] = [deals.joining(members[1], group), deals.leaving(members[0], group)]
        answers = engines.tally(await race(shops, told if number % 2 else told[::-1]))
        assert answers in ({"done": 1, "GROUP_FILLED": 1}, {"done": 1, "GROUP_EXPIRED": 1})
        ends.update(answers)
    books = await engines.books(own, shop.program_id)
    states = deals.check(books)
    assert states == {GroupState.FILLED: ends["GROUP_FILLED"], GroupState.FAILED: ends["GROUP_EXPIRED"]}
    assert {row.available for row in books.of(PointsAccount)} == {1_200 - 60 * ends["GROUP_FILLED"]}


async def test_freezing_meets_the_last_seat_before_it_or_after(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    deal = await deals.make(shop, 2)
    for _ in range(10):
        first, second = await crowd(shop, 2)
        group = await deals.opened(shop, first, deal)
        freeze = FreezeMember(member=engines.ref(first), is_frozen=True, reason="test")
        assert engines.tally(await race(shops, [deals.joining(second, group), freeze])) == {"done": 2}
        books = await engines.books(own, shop.program_id)
        found = books.state.get(DealGroup, group.id)
        assert found.member_ids in ((first, second), (second,))
        assert books.account(first).available == (0 if found.state is GroupState.FILLED else 60)
    deals.check(await engines.books(own, shop.program_id))


async def test_the_pool_s_last_vouchers_fill_one_of_two_groups(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    pool = await malls.open_pool(shop, Supply.STOCK)
    await shop.run(GenerateVoucherCodes(pool_id=pool.id, count=3))
    reward_id = await malls.reward(shop, 100, kind=RewardKind.VOUCHER, pool_id=pool.id)
    deal = await deals.make(shop, 2, reward_id=reward_id)
    members = await crowd(shop, 4)
    groups = [await deals.opened(shop, member, deal) for member in members[:2]]
    joining: list[Command[Any]] = [
        deals.joining(member, group) for member, group in zip(members[2:], groups, strict=True)
    ]
    assert engines.tally(await race(shops, joining)) == {"done": 1, "VOUCHERS_SOLD_OUT": 1}
    books = await engines.books(own, shop.program_id)
    assert books.state.get(VoucherPool, pool.id).left == 1
    assert len({row.code for row in books.of(Voucher)}) == 2
    assert deals.check(books) == {GroupState.FILLED: 1, GroupState.OPEN: 1}


async def test_a_seat_that_was_told_again_after_a_lost_answer_is_taken_once(
    shop: Shop, own: asyncpg.Connection
) -> None:
    members = await crowd(shop, 2)
    deal: GroupDeal = await deals.make(shop, 2)
    group = await deals.opened(shop, members[0], deal)
    join = deals.joining(members[1], group)
    first, second = await shop.outcome(join, key="once"), await shop.outcome(join, key="once")
    assert (first.is_replay, second.is_replay) == (False, True)
    assert first.result.seat.id == second.result.seat.id
    assert second.result.group.state is GroupState.FILLED
    assert deals.check(await engines.books(own, shop.program_id)) == {GroupState.FILLED: 1}


async def test_while_commits_are_lost_groups_are_filled_whole_or_not_at_all(
    shop: Shop, starting: Starting, database_url: str, own: asyncpg.Connection
) -> None:
    """Every third COMMIT loses its connection, with everything that was told in it; what had a key is done once."""
    members = await crowd(shop, 12, points=600)
    deal = await deals.make(shop, 4, units=40)
    faults = stumbling.every(3, lambda: asyncpg.ConnectionDoesNotExistError("gone"))
    failing = Engine(stumbling.connecting(database_url, faults), batch_max=5)
    async with starting(failing):
        frail = shop.at(failing)
        for number in range(10):
            group = await deals.opened(shop, members[number], deal)
            told = [frail.submit(deals.joining(member, group), key=engines.key()) for member in members]
            assert engines.tally(await engines.all_answers(told)) == {"done": 3, "ALREADY_JOINED": 1, "GROUP_FULL": 8}
    assert failing.figures.retries > 5
    books = await engines.books(own, shop.program_id)
    assert deals.check(books) == {GroupState.FILLED: 10}
    assert sum(row.available for row in books.of(PointsAccount)) == 12 * 600 - 40 * 60
    assert books.state.get(GroupDealStock, deal.id).left == 0
