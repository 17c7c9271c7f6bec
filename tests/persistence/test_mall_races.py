"""Races of the mall with exact counts, within one engine and between two, which are to each other like processes."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.kernel import Command
from domain.offsets import ReleaseOffset
from domain.points.account import Hold, HoldState
from domain.purchases.purchase import Purchase
from domain.redemptions.ending import CancelRedemption, LapseRedemption, PayRedemption, PickUpRedemption
from domain.redemptions.redemption import Redemption, RedemptionState
from domain.rewards.reward import RewardKind
from domain.rewards.stock import RewardStock, StockHold
from domain.stores import CreateStore
from domain.trade import CreateTradeRule, TradeAllowance, TradeEffect, TradeKind
from domain.vouchers.commands import ClaimVoucher, GrantVoucher, LockVoucher
from domain.vouchers.pool import GenerateVoucherCodes, ImportVoucherCodes, Supply, VoucherCode, VoucherPool
from domain.vouchers.voucher import Voucher, VoucherState
from persistence import clock
from persistence.engine import Engine
from tests.persistence import engines, malls
from tests.persistence.conftest import Starting
from tests.persistence.engines import Shop

ROUNDS = 10


@pytest.fixture(params=["one engine", "two engines"])
def shops(request: pytest.FixtureRequest, shop: Shop, other_engine: Engine) -> tuple[Shop, ...]:
    """The same shop through one engine, or through two."""
    return (shop,) if request.param == "one engine" else (shop, shop.at(other_engine))


async def race(shops: tuple[Shop, ...], commands: list[Command[Any]]) -> list[Any]:
    """Tell all commands at once, in turns to each engine. What became of each."""
    told = [shops[number % len(shops)].submit(command) for number, command in enumerate(commands)]
    return await engines.all_answers(told)


async def crowd(shop: Shop, count: int) -> list[UUID]:
    """So many new members."""
    return [answer.result.member.id for answer in await engines.all_answers(shop.enrolling(count))]


async def test_the_last_of_a_hundred_codes_is_given_once(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    pool = await malls.open_pool(shop, Supply.STOCK, is_claimable=True)
    await shop.run(GenerateVoucherCodes(pool_id=pool.id, count=100))
    members = await crowd(shop, 150)
    answers = await race(shops, [ClaimVoucher(member=engines.ref(member), pool_id=pool.id) for member in members])
    assert engines.tally(answers) == {"done": 100, "VOUCHERS_SOLD_OUT": 50}
    books = await engines.books(own, shop.program_id)
    assert (books.state.get(VoucherPool, pool.id).left, books.state.get(VoucherPool, pool.id).given) == (0, 100)
    assert sorted(row.code for row in books.of(Voucher)) == sorted(row.code for row in books.of(VoucherCode))


async def test_a_code_that_was_told_outside_is_claimed_by_one(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    pool = await malls.open_pool(shop, Supply.BROUGHT)
    told = tuple(f"SPRING-{number}" for number in range(ROUNDS))
    await shop.run(ImportVoucherCodes(pool_id=pool.id, codes=told))
    members = await crowd(shop, 4)
    for code in told:
        answers = await race(shops, [ClaimVoucher(member=engines.ref(member), code=code) for member in members])
        assert engines.tally(answers) == {"done": 1, "VOUCHER_ALREADY_CLAIMED": 3}
    books = await engines.books(own, shop.program_id)
    assert books.state.get(VoucherPool, pool.id).left == 0
    assert len(books.of(Voucher)) == ROUNDS


async def test_one_code_at_two_tills_pays_one_purchase(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    member_id, pool = await shop.enroll(), await malls.open_pool(shop)
    for number in range(ROUNDS):
        voucher = await malls.grant(shop, member_id, pool.id)
        tills = [malls.buy_with(member_id, voucher, f"o-{number}-{till}") for till in range(4)]
        assert engines.tally(await race(shops, list(tills))) == {"done": 1, "VOUCHER_USED": 3}
    books = await engines.books(own, shop.program_id)
    assert len(books.of(Purchase)) == ROUNDS
    assert {(row.state, row.discount_minor) for row in books.of(Voucher)} == {(VoucherState.USED, 1_000)}
    assert books.account(member_id).available == 40 * ROUNDS
    assert books.check() == 1


async def test_one_code_at_two_tills_is_locked_for_one(shops: tuple[Shop, ...]) -> None:
    shop = shops[0]
    member_id, pool = await shop.enroll(), await malls.open_pool(shop)
    for _ in range(ROUNDS):
        voucher = await malls.grant(shop, member_id, pool.id)
        locks = [LockVoucher(code=voucher.code, reference=f"o-{till}") for till in range(4)]
        assert engines.tally(await race(shops, list(locks))) == {"done": 1, "VOUCHER_LOCKED": 3}


async def test_a_member_is_given_no_more_than_its_limit(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    member_id, pool = await shop.enroll(), await malls.open_pool(shop, limit=3)
    grant = GrantVoucher(pool_id=pool.id, member=engines.ref(member_id))
    assert engines.tally(await race(shops, [grant] * 12)) == {"done": 3, "LIMIT_REACHED": 9}
    assert len((await engines.books(own, shop.program_id)).of(Voucher)) == 3


async def test_codes_imported_twice_at_once_are_there_once(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    pools = [await malls.open_pool(shop, Supply.STOCK) for _ in range(2)]
    codes = tuple(f"CODE-{number}" for number in range(200))
    answers = await race(shops, [ImportVoucherCodes(pool_id=pool.id, codes=codes) for pool in pools * 2])
    added = sorted(answer.result.added for answer in answers)
    assert added == [0, 0, 0, 200]
    assert sorted(len(answer.result.duplicates) for answer in answers) == [0, 200, 200, 200]
    assert len((await engines.books(own, shop.program_id)).of(VoucherCode)) == 200


async def test_the_last_unit_is_held_for_one_and_taken_by_whoever_pays(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    members = [await shop.member_with(100) for _ in range(4)]
    for _ in range(ROUNDS):
        reward_id = await malls.reward(shop, 1, 1, cash_minor=100)
        answers = await race(shops, [malls.redeem(member, reward_id) for member in members])
        assert engines.tally(answers) == {"done": 1, "SOLD_OUT": 3}
        (taken,) = [answer.result for answer in answers if not isinstance(answer, Exception)]
        pay = _pay(taken.redemption.id)
        paid = await race(shops, [pay, pay, pay])
        assert [answer.result.is_repeat for answer in paid].count(False) == 1
    books = await engines.books(own, shop.program_id)
    assert {row.left for row in books.of(RewardStock)} == {0}
    assert {row.state for row in books.of(StockHold)} == {HoldState.CAPTURED}
    assert sum(books.account(member).available for member in members) == 400 - ROUNDS
    assert books.check() == 4


def _pay(redemption_id: UUID, reference: str = "p-1") -> PayRedemption:
    return PayRedemption(redemption_id=redemption_id, amount_minor=100, currency_code="CNY", reference=reference)


async def test_f3_of_a_payment_and_a_lapse_exactly_one_wins(
    shop: Shop, starting: Starting, own: asyncpg.Connection
) -> None:
    """One process whose clock is a quarter of an hour ahead lapses what another is paid for."""
    async with starting(now=lambda: clock.now() + timedelta(minutes=15)) as ahead:
        late = shop.at(ahead)
        member_id = await shop.member_with(1_000)
        reward_id = await malls.reward(shop, 10, 40, cash_minor=100)
        outcomes: Counter[str] = Counter()
        for number in range(30):
            redemption_id = (await shop.run(malls.redeem(member_id, reward_id))).redemption.id
            told = [
                shop.submit(_pay(redemption_id)),
                late.submit(LapseRedemption(redemption_id=redemption_id)),
            ]
            if number % 2:
                told.append(late.submit(LapseRedemption(redemption_id=redemption_id)))
            await engines.all_answers(told)
            books = await engines.books(own, shop.program_id)
            state = books.state.get(Redemption, redemption_id).state
            hold = books.state.get(StockHold, redemption_id)
            assert (state, hold.state) in (
                (RedemptionState.PAID, HoldState.CAPTURED),
                (RedemptionState.LAPSED, HoldState.LAPSED),
            )
            outcomes[state] += 1
        books = await engines.books(own, shop.program_id)
        paid = outcomes[RedemptionState.PAID]
        assert outcomes.total() == 30
        assert books.state.get(RewardStock, reward_id).left == 40 - paid
        account = books.account(member_id)
        assert (account.available, account.held) == (1_000 - 10 * paid, 0)
        assert books.check() == 1


async def test_f2_whoever_wants_what_lapsed_takes_it_against_the_late_payment(
    shop: Shop, starting: Starting, own: asyncpg.Connection
) -> None:
    async with starting(now=lambda: clock.now() + timedelta(minutes=15)) as ahead:
        late = shop.at(ahead)
        first, second = await shop.member_with(100), await shop.member_with(100)
        for _ in range(ROUNDS):
            reward_id = await malls.reward(shop, 1, 1, cash_minor=100)
            redemption_id = (await shop.run(malls.redeem(first, reward_id))).redemption.id
            answers = await engines.all_answers(
                [shop.submit(_pay(redemption_id)), late.submit(malls.redeem(second, reward_id))]
            )
            assert engines.tally(answers) in ({"done": 1, "SOLD_OUT": 1}, {"done": 1, "REDEMPTION_LAPSED": 1})
            assert (await engines.books(own, shop.program_id)).state.get(RewardStock, reward_id).left == 0


async def test_l10_points_held_for_an_order_are_captured_or_released(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    member_id = await shop.member_with(1_000)
    captured = 0
    for number in range(ROUNDS):
        held = await malls.offset(shop, member_id)
        tellings: list[Command[Any]] = [
            malls.buy_offset(member_id, held, f"o-{number}"),
            ReleaseOffset(offset_id=held.id),
            malls.buy_offset(member_id, held, f"other-{number}"),
        ]
        answers = await race(shops, tellings)
        assert sum(not isinstance(answer, Exception) for answer in answers) == 1
        captured += sum(
            1 for answer in answers if not isinstance(answer, Exception) and hasattr(answer.result, "purchase")
        )
    books = await engines.books(own, shop.program_id)
    assert len(books.of(Purchase)) == captured
    assert books.account(member_id).held == 0
    assert {row.state for row in books.of(Hold)} <= {HoldState.CAPTURED, HoldState.RELEASED}
    assert books.account(member_id).lifetime_spent == 10 * captured
    assert books.check() == 1


async def test_a_redemption_is_picked_up_or_cancelled(shops: tuple[Shop, ...]) -> None:
    shop = shops[0]
    store = await shop.run(CreateStore(code="s", name="River"))
    member_id = await shop.member_with(1_000)
    reward_id = await malls.reward(shop, 1, 100, kind=RewardKind.SERVICE)
    for _ in range(ROUNDS):
        redemption = (await shop.run(malls.redeem(member_id, reward_id))).redemption
        pick_up = PickUpRedemption(pickup_code=redemption.pickup_code, store_id=store.id)
        endings = [pick_up, CancelRedemption(redemption_id=redemption.id, reason="no"), pick_up]
        assert engines.tally(await race(shops, endings)) == {"done": 1, "REDEMPTION_NOT_OPEN": 2}


async def test_a_day_s_cap_is_exact(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    members = [await shop.member_with(100) for _ in range(20)]
    rule = CreateTradeRule(kind=TradeKind.REDEEMING, effect=TradeEffect.CAPPED, points_max=100)
    await shop.run(rule)
    reward_id = await malls.reward(shop, 10)
    answers = await race(shops, [malls.redeem(member, reward_id) for member in members])
    assert engines.tally(answers) == {"done": 10, "REDEEMING_CAPPED": 10}
    (allowance,) = (await engines.books(own, shop.program_id)).of(TradeAllowance)
    assert allowance.points == 100


async def test_a_command_told_again_after_a_lost_answer_makes_no_new_codes(shop: Shop, own: asyncpg.Connection) -> None:
    pool = await malls.open_pool(shop, Supply.STOCK)
    generate = GenerateVoucherCodes(pool_id=pool.id, count=50)
    first, second = await shop.outcome(generate, key="once"), await shop.outcome(generate, key="once")
    assert (first.is_replay, second.is_replay, second.result.added) == (False, True, 50)
    assert len((await engines.books(own, shop.program_id)).of(VoucherCode)) == 50
