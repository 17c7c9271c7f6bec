"""Races of lotteries with exact counts, within one engine and between two; and what the database holds to by itself."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.chances import LotteryRun, LotteryStanding
from domain.kernel import Command
from domain.lotteries import verifying
from domain.lotteries.draw import Draw
from domain.lotteries.ending import EndLottery
from domain.lotteries.lottery import Lottery, LotterySeed, PrizeStock
from domain.lotteries.saving import CloseLottery
from domain.lotteries.tickets import LotteryTicket
from persistence import clock
from persistence.engine import Engine
from tests.domain.lotteries.hall import nothing, points
from tests.persistence import engines, fairs
from tests.persistence.conftest import Starting
from tests.persistence.engines import Books, Shop

DRAWS = 1_000
MEMBERS = 50


@pytest.fixture(params=["one engine", "two engines"])
def shops(request: pytest.FixtureRequest, shop: Shop, other_engine: Engine) -> tuple[Shop, ...]:
    """The same shop through one engine, or through two."""
    return (shop,) if request.param == "one engine" else (shop, shop.at(other_engine))


async def race(shops: tuple[Shop, ...], commands: list[Command[Any]]) -> list[Any]:
    """Tell all commands at once, in turns to each engine. What became of each."""
    told = [shops[number % len(shops)].submit(command) for number, command in enumerate(commands)]
    return await engines.all_answers(told)


async def crowd(shop: Shop, count: int, each: int) -> list[UUID]:
    """So many members with points."""
    members = [answer.result.member.id for answer in await engines.all_answers(shop.enrolling(count))]
    await engines.all_answers(shop.submit(engines.adjust(member, each)) for member in members)
    return members


def check(books: Books, lottery: Lottery) -> Counter[str]:
    """Prove that draws, stocks, standings and points agree, and that every draw is genuine. What was won how often."""
    draws = [row for row in books.of(Draw) if row.lottery_id == lottery.id]
    won = Counter(row.prize for row in draws)
    assert sorted(row.number for row in draws) == list(range(1, len(draws) + 1))
    assert books.state.get(LotteryRun, lottery.id).draws == len(draws)
    for stock in (row for row in books.of(PrizeStock) if row.lottery_id == lottery.id):
        prize = lottery.prize_of(stock.code)
        assert (stock.won, stock.left) == (
            won[stock.code],
            None if prize.stock is None else prize.stock - won[stock.code],
        )
    for standing in (row for row in books.of(LotteryStanding) if row.lottery_id == lottery.id):
        assert standing.draws == sum(row.member_id == standing.member_id for row in draws)
    seed = books.state.get(LotterySeed, lottery.id).seed
    assert all(verifying.verified(lottery, draw, seed, None).is_genuine for draw in draws)
    return won


async def test_a_prize_with_stock_3_is_won_exactly_3_times_under_1_000_parallel_draws(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    members = await crowd(shop, MEMBERS, DRAWS // MEMBERS)
    rare = points(50, code="rare", rank=2, weight=1, stock=3)
    lottery = await fairs.lottery(shop, rare, points(1, weight=2, code="one"), nothing(weight=3))
    answers = await race(shops, [fairs.play(members[number % MEMBERS], lottery.id) for number in range(DRAWS)])
    # What is won pays for more draws than there was for, and nobody draws for more than it had.
    assert engines.tally(answers) == {"done": DRAWS}
    books = await engines.books(own, shop.program_id)
    won = check(books, lottery)
    assert won["rare"] == 3
    assert won.total() == DRAWS
    assert books.check() == MEMBERS
    spent = sum(row.points_won - row.points for row in books.of(Draw))
    assert sum(books.account(member).available for member in members) == DRAWS + spent


async def test_d2_the_last_chance_and_the_last_points_are_used_once(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    member_id = await shop.member_with(10)
    lottery = await fairs.lottery(shop, nothing(), points=2, free_per_day=1)
    await shop.run(fairs.grant(member_id, lottery.id, 3))
    answers = await race(shops, [fairs.play(member_id, lottery.id)] * 30)
    assert engines.tally(answers) == {"done": 9, "INSUFFICIENT_POINTS": 21}
    books = await engines.books(own, shop.program_id)
    check(books, lottery)
    assert Counter(row.payment for row in books.of(Draw)) == {"FREE": 1, "CHANCE": 3, "POINTS": 5}
    assert books.account(member_id).available == 0
    assert sorted(int(row.nonce.rpartition("-")[2]) for row in books.of(Draw)) == list(range(1, 10))


async def test_d2_one_key_is_one_draw(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    member_id = await shop.member_with(100)
    lottery = await fairs.lottery(shop, points(1), nothing())
    told = [shops[number % len(shops)].submit(fairs.play(member_id, lottery.id), key="once") for number in range(20)]
    answers = await engines.all_answers(told)
    assert {answer.result.draw.id for answer in answers} == {answers[0].result.draw.id}
    assert [answer.is_replay for answer in answers].count(False) == 1
    assert check(await engines.books(own, shop.program_id), lottery).total() == 1


async def test_tickets_have_every_number_once(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    members = await crowd(shop, 20, 100)
    ends_at = clock.now() + timedelta(days=1)
    raffle = await fairs.raffle(shop, ends_at, points(1, stock=5), points=10)
    answers = await race(shops, [fairs.take(members[number % 20], raffle.id, 3) for number in range(100)])
    assert engines.tally(answers) == {"done": 60, "INSUFFICIENT_POINTS": 40}
    books = await engines.books(own, shop.program_id)
    assert sorted(row.number for row in books.of(LotteryTicket)) == list(range(1, 181))
    assert books.state.get(LotteryRun, raffle.id).tickets == 180
    assert books.check() == 20


async def test_winners_that_two_draw_at_once_are_drawn_once(
    shop: Shop, starting: Starting, own: asyncpg.Connection
) -> None:
    """Two workers whose clocks are a day ahead, and who both tell every step."""
    members = await crowd(shop, 20, 10)
    raffle = await fairs.raffle(shop, clock.now() + timedelta(days=1), points(1, stock=8))
    await engines.all_answers(shop.submit(fairs.take(member, raffle.id, 5)) for member in members)

    async with (
        starting(now=lambda: clock.now() + timedelta(days=1)) as first,
        starting(now=lambda: clock.now() + timedelta(days=1)) as second,
    ):
        steps = [EndLottery(lottery_id=raffle.id, step=step) for step in range(1, 10)]
        told = [shop.at(engine).submit(step) for step in steps for engine in (first, second)]
        answers = await engines.all_answers(told)
    assert engines.tally(answers) == {"done": 18}
    books = await engines.books(own, shop.program_id)
    draws = books.of(Draw)
    assert sorted(row.number for row in draws) == list(range(1, 9))
    assert len({row.ticket for row in draws}) == len({row.member_id for row in draws}) == 8
    run = books.state.get(LotteryRun, raffle.id)
    assert (run.draws, run.closed_at is not None) == (8, True)
    assert books.check() == 20


async def test_d4_no_draw_is_made_once_the_seed_can_be_read(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    members = await crowd(shop, 40, 10)
    for _ in range(5):
        lottery = await fairs.lottery(shop, nothing())
        commands: list[Command[Any]] = [fairs.play(member, lottery.id) for member in members]
        commands.insert(20, CloseLottery(lottery_id=lottery.id, reason="test"))
        answers = await race(shops, commands)
        tally = engines.tally(answers)
        assert tally["done"] + tally["LOTTERY_NOT_OPEN"] == 41
        books = await engines.books(own, shop.program_id)
        closed_at = books.state.get(LotteryRun, lottery.id).closed_at
        assert closed_at is not None
        assert check(books, lottery).total() == tally["done"] - 1
        late = await engines.all_answers([shop.submit(fairs.play(members[0], lottery.id))])
        assert engines.tally(late) == {"LOTTERY_NOT_OPEN": 1}


# What the database holds to by itself.


async def test_d4_the_database_keeps_what_was_published(shop: Shop, own: asyncpg.Connection) -> None:
    member_id = await shop.member_with(10)
    lottery = await fairs.lottery(shop, points(5), nothing())
    await shop.run(fairs.play(member_id, lottery.id))
    forged = (
        "UPDATE lotteries SET prizes = '[]' WHERE id = $1",
        "UPDATE lotteries SET seed_hash = 'other' WHERE id = $1",
        "UPDATE lotteries SET published_at = NULL, seed_hash = NULL, table_hash = NULL WHERE id = $1",
        "UPDATE lottery_seeds SET seed = repeat('0', 64) WHERE id = $1",
        "DELETE FROM lottery_seeds WHERE id = $1",
        "UPDATE draws SET prize = 'points' WHERE lottery_id = $1",
        "DELETE FROM draws WHERE lottery_id = $1",
        """UPDATE prize_stocks SET "left" = -1 WHERE lottery_id = $1""",
        "UPDATE lottery_standings SET chances = -1 WHERE lottery_id = $1",
        "UPDATE lottery_runs SET closed_at = now() WHERE id = $1",
    )
    for statement in forged:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await own.execute(statement, lottery.id)
    draft = await fairs.draft(shop, nothing())
    with pytest.raises(asyncpg.CheckViolationError):
        await own.execute("""UPDATE lotteries SET prizes = '[{"weight": 0}]' WHERE id = $1""", draft.id)
