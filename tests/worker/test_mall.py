"""What waits for the clock in the mall is lapsed, unlocked and expired by the worker, each once."""

import asyncpg

from domain.duties import Work
from domain.redemptions.redemption import Redemption, RedemptionState
from domain.rewards.stock import RewardStock
from domain.vouchers.commands import LockVoucher
from domain.vouchers.template import VoucherKind, VoucherTerms
from domain.vouchers.voucher import Voucher, VoucherState
from tests.persistence import engines, malls
from tests.worker.clockwork import World, open_shop


async def test_what_was_not_paid_in_time_is_lapsed_once(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world)
    member_id = await shop.member_with(100)
    reward_id = await malls.reward(shop, 10, 5, cash_minor=100)
    redemption_id = (await shop.run(malls.redeem(member_id, reward_id, quantity=2))).redemption.id
    assert (await world.work())[Work.REDEMPTIONS] == 0
    world.later(minutes=15)
    assert (await world.work())[Work.REDEMPTIONS] == 1
    assert (await world.work())[Work.REDEMPTIONS] == 0
    books = await engines.books(own, shop.program_id)
    books.check()
    assert books.state.get(Redemption, redemption_id).state is RedemptionState.LAPSED
    assert books.state.get(RewardStock, reward_id).left == 5
    assert books.account(member_id).available == 100


async def test_locks_and_vouchers_that_are_over_are_settled_once(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world)
    member_id = await shop.enroll()
    ending = VoucherTerms(kind=VoucherKind.AMOUNT_OFF, amount_minor=1, ends_at=world.now.replace(hour=5))
    over = await malls.grant(shop, member_id, (await malls.open_pool(shop, terms=ending)).id)
    locked = await malls.grant(shop, member_id, (await malls.open_pool(shop)).id)
    await shop.run(LockVoucher(code=locked.code, reference="o-1"))
    assert (await world.work())[Work.VOUCHERS] == 0
    world.later(hours=1)
    assert (await world.work())[Work.VOUCHERS] == 2
    assert (await world.work())[Work.VOUCHERS] == 0
    books = await engines.books(own, shop.program_id)
    states = [books.state.get(Voucher, row.id).state for row in (over, locked)]
    assert states == [VoucherState.EXPIRED, VoucherState.ISSUED]
