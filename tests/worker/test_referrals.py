"""Referrals that wait for the clock expire, or are rewarded with their vouchers, by the worker and each once."""

import asyncpg

from domain.duties import Work
from domain.referrals.referral import Referral, ReferralState
from domain.vouchers.voucher import Voucher, VoucherState
from tests.persistence import engines, friends, malls
from tests.worker.clockwork import World, events, open_shop


async def test_what_is_due_is_settled_once(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world)
    pools = [await malls.open_pool(shop) for _ in range(2)]
    await friends.promise(shop, referrer_pool_id=pools[0].id, referee_pool_id=pools[1].id, hourly_max=3)
    referrer = await shop.enroll()
    code = await friends.code(shop, referrer)
    buyer, loiterer, _, held = [await friends.bring(shop, code) for _ in range(4)]
    for friend in (buyer, held):
        await shop.run(friends.buy(friend))
    assert (await world.work())[Work.REFERRALS] == 0
    world.later(days=7)
    assert (await world.work())[Work.REFERRALS] == 1
    world.later(days=30)
    assert (await world.work())[Work.REFERRALS] == 2
    assert (await world.work())[Work.REFERRALS] == 0
    books = await engines.books(own, shop.program_id)
    states = {row.referee_id: row.state for row in books.of(Referral)}
    assert (states[buyer], states[loiterer], states[held]) == (
        ReferralState.REWARDED,
        ReferralState.EXPIRED,
        ReferralState.QUALIFIED,
    )
    assert sorted((row.member_id, row.state) for row in books.of(Voucher)) == sorted(
        (member, VoucherState.ISSUED) for member in (referrer, buyer)
    )
    assert (books.account(referrer).available, books.account(buyer).available) == (100, 100)
    told = [body["state"] for body in await events(own, "ReferralChanged")]
    assert told == ["BOUND"] * 4 + ["QUALIFIED"] * 2 + ["REWARDED"] + ["EXPIRED"] * 2
    books.check()
