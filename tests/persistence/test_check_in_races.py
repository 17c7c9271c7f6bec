"""Twenty clicks, two processes, one payment: races of sign-ins with exact counts on a real PostgreSQL (G1, G3)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.check_ins.cards import MakeUpCardEntry, MakeUpCards
from domain.check_ins.check_in import CheckIn, MakeUpPayment
from domain.check_ins.streak import Streak
from domain.earning.grants import Grant
from domain.kernel import Command
from domain.points.account import TransactionKind
from persistence import clock
from persistence.engine import Engine
from tests.persistence import engines, sign_ins
from tests.persistence.conftest import Starting
from tests.persistence.engines import Shop

ROUNDS = 5
CLICKS = 20


@pytest.fixture(params=["one engine", "two engines"])
def shops(request: pytest.FixtureRequest, shop: Shop, other_engine: Engine) -> tuple[Shop, ...]:
    """The same shop through one engine, or through two."""
    return (shop,) if request.param == "one engine" else (shop, shop.at(other_engine))


async def race(shops: tuple[Shop, ...], commands: list[Command[Any]]) -> list[Any]:
    """Tell all commands at once, in turns to each engine. What became of each."""
    told = [shops[number % len(shops)].submit(command) for number, command in enumerate(commands)]
    return await engines.all_answers(told)


async def test_g1_twenty_sign_ins_in_one_click_are_one(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    await sign_ins.open_page(shop)
    for _ in range(ROUNDS):
        member_id = await shop.enroll()
        answers = await race(shops, [sign_ins.sign(member_id)] * CLICKS)
        assert sorted(answer.result.already_signed for answer in answers) == [False] + [True] * (CLICKS - 1)
        assert len({answer.result.check_in.id for answer in answers}) == 1
        books = await engines.books(own, shop.program_id)
        assert [row.amount for row in books.transactions(member_id)] == [10]
        assert [row.member_id for row in books.of(CheckIn)].count(member_id) == 1
    assert (len(books.of(Grant)), len(books.of(Streak))) == (ROUNDS, ROUNDS)
    assert books.check() == ROUNDS


async def test_l11_the_same_key_is_a_replay_and_another_is_told_that_the_day_is_signed(shop: Shop) -> None:
    await sign_ins.open_page(shop)
    sign = sign_ins.sign(await shop.enroll())
    first, again = await shop.outcome(sign, key="once"), await shop.outcome(sign, key="once")
    other = await shop.outcome(sign, key="other")
    assert [one.is_replay for one in (first, again, other)] == [False, True, False]
    assert [one.result.already_signed for one in (first, again, other)] == [False, False, True]
    assert len({one.result.check_in.id for one in (first, again, other)}) == 1


async def test_g3_a_day_is_made_up_once_and_paid_for_once(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    await _page_of_last_month(shop, own)
    for _ in range(ROUNDS):
        member_id = await _old_member(shop, own)
        await shop.run(engines.adjust(member_id, 100))
        await shop.run(sign_ins.give_cards(member_id, 3))
        day = sign_ins.yesterday()
        payments = [MakeUpPayment.POINTS, MakeUpPayment.CARD] * 5
        answers = await race(shops, [sign_ins.make_up(member_id, day, payment) for payment in payments])
        assert engines.tally(answers) == {"done": 1, "DAY_SIGNED": 9}
        books = await engines.books(own, shop.program_id)
        (row,) = [row for row in books.of(CheckIn) if row.member_id == member_id]
        spent = [row.amount for row in books.transactions(member_id) if row.kind is TransactionKind.REDEEM]
        cards = books.state.get(MakeUpCards, member_id).cards
        assert (spent, cards) in (([-5], 3), ([], 2))
        assert (row.made_up_for is MakeUpPayment.CARD) == (cards == 2)
        assert books.account(member_id).available == 110 + sum(spent)
    books.check()


async def test_g3_the_last_card_is_spent_on_one_of_many_days(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    await _page_of_last_month(shop, own)
    member_id = await _old_member(shop, own)
    await shop.run(sign_ins.give_cards(member_id, 2))
    days = [sign_ins.yesterday(ago) for ago in range(1, 8)]
    answers = await race(shops, [sign_ins.make_up(member_id, day, MakeUpPayment.CARD) for day in days])
    assert engines.tally(answers) == {"done": 2, "NO_MAKE_UP_CARD": 5}
    books = await engines.books(own, shop.program_id)
    entries = [row for row in books.of(MakeUpCardEntry) if row.member_id == member_id]
    assert sorted(row.cards for row in entries) == [-1, -1, 2]
    assert books.state.get(MakeUpCards, member_id).cards == 0
    (streak,) = books.of(Streak)
    assert streak.check_ins == 2


async def test_a_sign_in_and_the_day_before_made_up_are_one_streak_whichever_is_first(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    await _page_of_last_month(shop, own)
    for number in range(ROUNDS * 2):
        member_id = await _old_member(shop, own)
        await shop.run(engines.adjust(member_id, 5))
        told: list[Command[Any]] = [
            sign_ins.sign(member_id),
            sign_ins.make_up(member_id, sign_ins.yesterday()),
        ]
        await race(shops, told if number % 2 else told[::-1])
        books = await engines.books(own, shop.program_id)
        (streak,) = [row for row in books.of(Streak) if row.member_id == member_id]
        assert (streak.length, streak.check_ins, streak.earlier) == (2, 2, ())
        assert books.account(member_id).available == 20


async def test_g1_two_processes_on_either_side_of_midnight_sign_two_days(
    starting: Starting, own: asyncpg.Connection
) -> None:
    """Whoever is first: each process has the date of its own clock."""
    midnight = datetime(2026, 3, 1, 16, tzinfo=UTC)
    async with (
        starting(now=lambda: midnight - timedelta(milliseconds=1)) as before,
        starting(now=lambda: midnight) as after,
    ):
        shop = await engines.open_shop(before)
        await sign_ins.open_page(shop)
        for _ in range(ROUNDS):
            member_id = await shop.enroll()
            answers = await race((shop, shop.at(after)), [sign_ins.sign(member_id)] * 10)
            assert sorted(answer.result.already_signed for answer in answers) == [False] * 2 + [True] * 8
            books = await engines.books(own, shop.program_id)
            (streak,) = [row for row in books.of(Streak) if row.member_id == member_id]
            assert (streak.length, books.account(member_id).available) == (2, 20)


async def _page_of_last_month(shop: Shop, own: asyncpg.Connection) -> None:
    """An activity that has been there for long."""
    page = await sign_ins.open_page(shop)
    then = clock.now() - timedelta(days=30)
    await own.execute("UPDATE check_in_activities SET created_at = $2 WHERE id = $1", page.id, then)


async def _old_member(shop: Shop, own: asyncpg.Connection) -> UUID:
    member_id = await shop.enroll()
    then = clock.now() - timedelta(days=30)
    await own.execute("UPDATE points_accounts SET enrolled_at = $2 WHERE id = $1", member_id, then)
    return member_id
