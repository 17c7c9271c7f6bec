"""What waits for the clock is found by its time, and what is done about it is done once."""

from datetime import timedelta

import asyncpg

from domain.redemptions.ending import LapseRedemption
from domain.redemptions.redemption import RedemptionState
from domain.vouchers.commands import LockVoucher, SettleVoucher
from domain.vouchers.template import VoucherKind, VoucherTerms
from domain.vouchers.voucher import Voucher, VoucherState
from persistence import clock, connection, redemptions, vouchers
from tests.persistence import engines, malls
from tests.persistence.conftest import Starting
from tests.persistence.engines import Shop

QUARTER = timedelta(minutes=15)


async def test_what_was_not_paid_in_time_is_found_and_lapsed_once(
    shop: Shop, starting: Starting, database_url: str
) -> None:
    member_id = await shop.member_with(100)
    reward_id = await malls.reward(shop, 10, 5, cash_minor=100)
    redemption_id = (await shop.run(malls.redeem(member_id, reward_id))).redemption.id
    async with connection.open_database(database_url, pool_size=1):
        due = redemptions.Due(shop.program_id, redemption_id)
        assert due not in await redemptions.due(clock.now(), 1_000)
        assert due in await redemptions.due(clock.now() + QUARTER, 1_000)
        async with starting(now=lambda: clock.now() + QUARTER) as ahead:
            for is_repeat in (False, True):
                lapsed = await shop.at(ahead).run(LapseRedemption(redemption_id=redemption_id))
                assert (lapsed.redemption.state, lapsed.is_repeat) == (RedemptionState.LAPSED, is_repeat)
        assert due not in await redemptions.due(clock.now() + QUARTER, 1_000)


async def test_locks_and_vouchers_that_are_over_are_found_and_settled_once(
    shop: Shop, starting: Starting, database_url: str, own: asyncpg.Connection
) -> None:
    member_id = await shop.enroll()
    until = clock.now() + timedelta(minutes=10)
    ending = VoucherTerms(kind=VoucherKind.AMOUNT_OFF, amount_minor=1, ends_at=until)
    over = await malls.grant(shop, member_id, (await malls.open_pool(shop, terms=ending)).id)
    locked = await malls.grant(shop, member_id, (await malls.open_pool(shop)).id)
    await shop.run(LockVoucher(code=locked.code, reference="o-1"))
    wanted = {vouchers.Due(shop.program_id, row.id) for row in (over, locked)}
    async with connection.open_database(database_url, pool_size=1):
        assert not wanted & set(await vouchers.due(clock.now(), 1_000))
        assert wanted <= set(await vouchers.due(clock.now() + QUARTER, 1_000))
        async with starting(now=lambda: clock.now() + QUARTER) as ahead:
            for row in (over, locked):
                await shop.at(ahead).run(SettleVoucher(voucher_id=row.id))
        assert not wanted & set(await vouchers.due(clock.now() + QUARTER, 1_000))
    books = await engines.books(own, shop.program_id)
    states = [books.state.get(Voucher, row.id).state for row in (over, locked)]
    assert states == [VoucherState.EXPIRED, VoucherState.ISSUED]
