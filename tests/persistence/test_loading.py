"""Locks as they are taken: as weak as may be, and the guard before what it guards, so that nobody meets halfway."""

import asyncio

import asyncpg

from domain.points import commands as moves
from tests.persistence import engines
from tests.persistence.conftest import Starting
from tests.persistence.engines import Shop
from tests.persistence.test_engine_faults import LOCK_SECONDS, patient


async def test_a_check_of_a_foreign_key_and_a_lock_do_not_wait_for_each_other(
    shop: Shop, own: asyncpg.Connection
) -> None:
    """Whoever writes a row that refers to a locked one does not mean to change it."""
    member_id = await shop.member_with(10)
    async with own.transaction():
        await own.execute("SELECT 1 FROM points_accounts WHERE id = $1 FOR KEY SHARE", member_id)
        answer = await asyncio.wait_for(shop.outcome(engines.adjust(member_id, -1)), 10)
    assert answer.result.account.available == 9


async def test_who_wants_a_guarded_row_waits_for_the_guard_first(
    starting: Starting, database_url: str, own: asyncpg.Connection
) -> None:
    """Whoever has a member's account changes the member's holds, and meets nobody on the way."""
    async with starting(patient(database_url, "deadlock_timeout = '1h'")) as running:
        shop = await engines.open_shop(running)
        member_id = await shop.member_with(10)
        hold = (await shop.run(moves.HoldPoints(member=engines.ref(member_id), points=4))).hold
        await own.execute("SET lock_timeout = '5s'")
        async with own.transaction():
            await own.execute("SELECT 1 FROM points_accounts WHERE id = $1 FOR NO KEY UPDATE", member_id)
            answer = shop.submit(moves.CaptureHold(hold_id=hold.id))
            await asyncio.sleep(LOCK_SECONDS)
            await own.execute("UPDATE holds SET reference = 'seen' WHERE id = $1", hold.id)
            assert not answer.done()
        assert (await answer).result.hold.reference == "seen"
        assert running.figures.retries == 0
