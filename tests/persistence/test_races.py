"""Races with exact counts, within one engine and between two, which are to each other what two processes are."""

import random
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.kernel import Command
from domain.points import commands as moves
from domain.points.account import Hold, HoldState, LotState, PointTransaction, TransactionKind
from domain.purchases.purchase import Purchase
from domain.purchases.refund import Refund
from domain.redemptions.ending import CancelRedemption, FulfillRedemption
from domain.redemptions.placing import RedeemReward
from domain.redemptions.redemption import Redemption
from domain.rewards.stock import RewardStock
from persistence.engine import Engine
from tests.persistence import engines
from tests.persistence.engines import Shop

SEED = 20260115


@pytest.fixture(params=["one engine", "two engines"])
def shops(request: pytest.FixtureRequest, shop: Shop, other_engine: Engine) -> tuple[Shop, ...]:
    """The same shop through one engine, or through two."""
    return (shop,) if request.param == "one engine" else (shop, shop.at(other_engine))


async def race(shops: tuple[Shop, ...], commands: list[Command[Any]], *, has_keys: bool = True) -> list[Any]:
    """Tell all commands at once, in turns to each engine. What became of each."""
    return await engines.all_answers(
        [
            shops[number % len(shops)].submit(command, key=f"race-{number}" if has_keys else None)
            for number, command in enumerate(commands)
        ]
    )


async def test_l12_fifty_spends_of_a_balance_for_ten(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    member_id = await shops[0].member_with(100)
    answers = await race(shops, [engines.adjust(member_id, -10) for _ in range(50)])
    assert engines.tally(answers) == {"done": 10, "INSUFFICIENT_POINTS": 40}
    books = await engines.books(own, shops[0].program_id)
    assert books.account(member_id).available == 0
    assert [row.available_after for row in books.transactions(member_id)] == [100, *range(90, -1, -10)]
    assert {(row.remaining, row.state) for row in books.lots(member_id)} == {(0, LotState.EXHAUSTED)}
    assert books.check() == 1


async def test_two_hundred_callers_for_a_hundred_cups(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    reward_id = await shop.reward(points=10, stock=100)
    callers = [answer.result.member.id for answer in await engines.all_answers(shop.enrolling(200))]
    await engines.all_answers([shop.submit(engines.adjust(caller, 10)) for caller in callers])
    redeem = [RedeemReward(member=engines.ref(caller), reward_id=reward_id) for caller in callers]
    answers = await race(shops, list(redeem))
    assert engines.tally(answers) == {"done": 100, "SOLD_OUT": 100}
    books = await engines.books(own, shop.program_id)
    assert books.state.get(RewardStock, reward_id).left == 0
    placed = books.of(Redemption)
    assert len({redemption.member_id for redemption in placed}) == len(placed) == 100
    taken = {redemption.member_id for redemption in placed}
    assert all(books.account(caller).available == (0 if caller in taken else 10) for caller in callers)
    assert books.check() == 200


async def test_the_last_cup_goes_to_one(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    first, second = await shop.member_with(10), await shop.member_with(10)
    for _ in range(10):
        reward_id = await shop.reward(points=1, stock=1)
        redeem = [RedeemReward(member=engines.ref(who), reward_id=reward_id) for who in (first, second)]
        assert engines.tally(await race(shops, list(redeem), has_keys=False)) == {"done": 1, "SOLD_OUT": 1}
        assert (await engines.books(own, shop.program_id)).state.get(RewardStock, reward_id).left == 0


async def test_l11_one_purchase_under_many_keys_earns_once(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    member_id = await shop.enroll()
    for number in range(10):
        answers = await race(shops, [engines.buy(member_id, f"o-{number}")] * 6, has_keys=False)
        assert engines.tally(answers) == {"done": 6}
        assert sum(not answer.result.is_repeat for answer in answers) == 1
    books = await engines.books(own, shop.program_id)
    assert len(books.of(Purchase)) == 10
    assert [row.kind for row in books.transactions(member_id)] == [TransactionKind.EARN] * 10
    assert books.account(member_id).available == 1000


async def test_l11_the_same_key_for_two_different_orders_records_one(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    member_id = await shops[0].enroll()
    sent = [
        shops[number % len(shops)].submit(engines.buy(member_id, f"o-{number % 2}"), key="one") for number in range(10)
    ]
    assert engines.tally(await engines.all_answers(sent)) == {"done": 5, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH": 5}
    assert len((await engines.books(own, shops[0].program_id)).of(Purchase)) == 1


async def test_l12_opposite_transfers_lose_no_point(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    first, second = await shop.member_with(1000), await shop.member_with(1000)
    pairs = [(first, second), (second, first)] * 50
    transfers = [
        moves.TransferPoints(sender=engines.ref(sender), recipient=engines.ref(recipient), points=7 + number % 2)
        for number, (sender, recipient) in enumerate(pairs)
    ]
    assert engines.tally(await race(shops, list(transfers))) == {"done": 100}
    books = await engines.books(own, shop.program_id)
    assert (books.account(first).available, books.account(second).available) == (1050, 950)
    assert books.check() == 2


async def test_l9_a_redemption_cancelled_twice_gives_back_once(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    member_id = await shop.member_with(10)
    reward_id = await shop.reward(points=10, stock=1)
    for number in range(1, 11):
        redeemed = await shop.run(RedeemReward(member=engines.ref(member_id), reward_id=reward_id))
        cancel = CancelRedemption(redemption_id=redeemed.redemption.id, reason="test")
        answers = await race(shops, [cancel] * 4, has_keys=False)
        assert engines.tally(answers) == {"done": 1, "REDEMPTION_NOT_OPEN": 3}
        books = await engines.books(own, shop.program_id)
        assert books.account(member_id).available == 10
        assert books.state.get(RewardStock, reward_id).left == 1
        assert [row.kind for row in books.transactions(member_id)].count(TransactionKind.REFUND) == number


async def test_a_redemption_is_cancelled_or_fulfilled(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    member_id = await shop.member_with(1000)
    reward_id = await shop.reward(points=10, stock=100)
    for _ in range(10):
        redeemed = await shop.run(RedeemReward(member=engines.ref(member_id), reward_id=reward_id))
        redemption_id = redeemed.redemption.id
        endings: list[Command[Any]] = [
            CancelRedemption(redemption_id=redemption_id, reason="test"),
            FulfillRedemption(redemption_id=redemption_id),
        ]
        answers = await race(shops, endings, has_keys=False)
        assert engines.tally(answers) == {"done": 1, "REDEMPTION_NOT_OPEN": 1}
    assert (await engines.books(own, shop.program_id)).check() == 1


async def test_l10_a_hold_is_captured_or_released(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    member_id = await shop.member_with(100)
    captured = 0
    for _ in range(10):
        held = await shop.run(moves.HoldPoints(member=engines.ref(member_id), points=10))
        endings: list[Command[Any]] = [
            moves.CaptureHold(hold_id=held.hold.id),
            moves.ReleaseHold(hold_id=held.hold.id),
            moves.CaptureHold(hold_id=held.hold.id, points=3),
        ]
        answers = await race(shops, endings, has_keys=False)
        assert engines.tally(answers) == {"done": 1, "HOLD_NOT_OPEN": 2}
        (ended,) = [answer.result.hold for answer in answers if not isinstance(answer, Exception)]
        captured += ended.captured
    books = await engines.books(own, shop.program_id)
    account = books.account(member_id)
    assert (account.available, account.held, account.lifetime_spent) == (100 - captured, 0, captured)
    assert all(hold.state is not HoldState.HELD for hold in books.of(Hold))
    assert books.check() == 1


async def test_l7_refunds_that_race_take_back_no_more_than_was_earned(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    member_id = await shop.enroll()
    bought = (await shop.run(engines.buy(member_id, "o-1", 10_000))).purchase
    refunds: list[Command[Any]] = [engines.refund(bought.id, f"r-{number}", 2_000) for number in range(12)]
    answers = await race(shops, refunds)
    assert engines.tally(answers) == {"done": 5, "REFUND_EXCEEDS_REMAINING": 7}
    books = await engines.books(own, shop.program_id)
    assert books.account(member_id).available == 0
    assert [row.points_reversed for row in books.of(Refund)] == [20] * 5
    purchase = books.state.get(Purchase, bought.id)
    assert (purchase.refunded_minor, purchase.points_clawed) == (10_000, 100)


async def test_members_with_one_key_are_enrolled_once(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    for number in range(10):
        answers = await race(shops, [engines.enroll(f"m-{number}")] * 4, has_keys=False)
        assert engines.tally(answers) == {"done": 1, "MEMBER_EXISTS": 3}
    assert (await engines.books(own, shops[0].program_id)).check() == 10


def _something(source: random.Random, people: list[UUID], reward_id: UUID, holds: list[UUID]) -> Command[Any]:
    who, other = source.sample(people, 2)
    points = source.randint(1, 40)
    ideas: tuple[Command[Any], ...] = (
        engines.buy(who, f"o-{source.randint(1, 150)}", points * 100),
        engines.adjust(who, source.choice((points, -points))),
        moves.TransferPoints(sender=engines.ref(who), recipient=engines.ref(other), points=points),
        moves.HoldPoints(member=engines.ref(who), points=points),
        moves.CaptureHold(hold_id=source.choice(holds)),
        moves.ReleaseHold(hold_id=source.choice(holds)),
        RedeemReward(member=engines.ref(who), reward_id=reward_id),
    )
    return source.choice(ideas)


async def test_l2_everything_at_once_from_two_engines_and_the_books_balance(
    shop: Shop, other_engine: Engine, own: asyncpg.Connection
) -> None:
    source = random.Random(SEED)
    reward_id = await shop.reward(points=5, stock=60)
    people = [await shop.member_with(200) for _ in range(8)]
    holds = [(await shop.run(moves.HoldPoints(member=engines.ref(who), points=9))).hold.id for who in people * 4]
    commands = [_something(source, people, reward_id, holds) for _ in range(1200)]
    answers = await race((shop, shop.at(other_engine)), commands)
    faults = [answer for answer in answers if isinstance(answer, Exception) and not hasattr(answer, "code")]
    assert faults == []
    books = await engines.books(own, shop.program_id)
    assert books.check() == 8
    done = [command for command, answer in zip(commands, answers, strict=True) if not isinstance(answer, Exception)]
    redeemed = sum(isinstance(command, RedeemReward) for command in done)
    assert books.state.get(RewardStock, reward_id).left == 60 - redeemed == 60 - len(books.of(Redemption))
    orders = {command.external_id for command in done if isinstance(command, type(engines.buy(people[0], "o")))}
    assert {purchase.external_id for purchase in books.of(Purchase)} == orders
    transfers = [row.amount for row in books.of(PointTransaction) if row.kind.value.startswith("TRANSFER")]
    assert sum(transfers) == 0
    # The same again under the same keys changes nothing.
    again = await race((shop.at(other_engine), shop), commands)
    for first, second in zip(answers, again, strict=True):
        assert isinstance(first, Exception) or second.is_replay
