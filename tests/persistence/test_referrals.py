"""What referrals are in the database: hashes that nobody reads, a count for leaderboards, and no question too many."""

from datetime import timedelta

import asyncpg
import pytest

from domain.identities import IdentityKind
from domain.referrals.settling import SettleReferral
from persistence import clock
from persistence.referrals import SQL_REWARDED
from persistence.tables import TABLES
from tests.api.statements import counted
from tests.persistence import engines, friends
from tests.persistence.engines import Shop

SECRETS = {
    IdentityKind.DEVICE: "device-0a1b2c",
    IdentityKind.OPENID: "openid-3d4e5f",
    IdentityKind.PAYMENT_ACCOUNT: "payer-6a7b8c",
    IdentityKind.ADDRESS: "77 Heron Street",
    IdentityKind.NETWORK: "198.51.100.23",
    IdentityKind.PHONE: "+8613912345678",
}


async def test_p1_no_identity_can_be_read_in_the_database(shop: Shop, own: asyncpg.Connection) -> None:
    await friends.promise(shop)
    code = await friends.code(shop, await shop.enroll())
    told = [friends.seen(shop, value, kind) for kind, value in SECRETS.items()]
    friend = await friends.bring(shop, code, told[:3])
    await shop.run(friends.buy(friend, identified=told))
    kept = []
    for table in (*(table.name for table in TABLES.values()), "outbox", "receipts"):
        statement = f"SELECT t::text AS kept FROM {table} AS t WHERE program_id = $1"
        kept.extend(record["kept"] for record in await own.fetch(statement, shop.program_id))
    everything = "\n".join(kept).lower()
    hidden = {*SECRETS.values(), "heronstreet", "198.51.100", "13912345678"}
    assert [secret for secret in hidden if secret.lower() in everything] == []
    assert await own.fetchval("SELECT count(*) FROM member_identities WHERE program_id = $1", shop.program_id) == 6


async def test_who_was_not_brought_buys_with_no_question_more(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = await shop.enroll()
    await shop.run(friends.buy(stranger))
    with counted(monkeypatch) as plain:
        await shop.run(friends.buy(stranger))
    await friends.promise(shop)
    referrer = await shop.enroll()
    friend = await friends.bring(shop, await friends.code(shop, referrer))
    with counted(monkeypatch) as qualifying:
        await shop.run(friends.buy(friend))
    assert any(" referrals " in statement for statement in qualifying)
    for member in (stranger, referrer, friend):
        await shop.run(friends.buy(member))
        with counted(monkeypatch) as seen:
            await shop.run(friends.buy(member))
        assert [statement.split(" FROM ")[1] for statement in seen] == [each.split(" FROM ")[1] for each in plain]
        assert not any("referral" in statement.split(" FROM ")[1] for statement in seen)


async def test_rewarded_friends_are_counted_whether_or_not_the_worker_was_there(
    shop: Shop, own: asyncpg.Connection
) -> None:
    await friends.promise(shop, refund_days=1)
    referrer = await shop.enroll()
    code = await friends.code(shop, referrer)
    for number in range(4):
        friend = await friends.bring(shop, code)
        bought = await shop.run(friends.buy(friend))
        if number == 0:
            await shop.run(engines.refund(bought.purchase.id))
    await friends.bring(shop, code)
    now = clock.now()
    tomorrow = now + timedelta(days=1)
    board = (
        f"SELECT referrer_id, count(*) FROM referrals WHERE {SQL_REWARDED} AND rewards_at >= $3 AND rewards_at < $4"
        " GROUP BY 1"
    )
    found = [await own.fetch(board, shop.program_id, at, now, tomorrow) for at in (now, tomorrow)]
    assert [[tuple(record) for record in records] for records in found] == [[], [(referrer, 3)]]


async def test_a_referral_is_settled_by_the_clock_alone(shop: Shop, own: asyncpg.Connection) -> None:
    await friends.promise(shop, refund_days=0)
    friend = await friends.bring(shop, await friends.code(shop, await shop.enroll()))
    await shop.run(friends.buy(friend))
    row_id = await own.fetchval("SELECT id FROM referrals WHERE program_id = $1", shop.program_id)
    before = await own.fetchval("SELECT count(*) FROM point_transactions WHERE program_id = $1", shop.program_id)
    done = await shop.run(SettleReferral(referral_id=row_id))
    assert (done.referral.state, done.is_repeat) == ("REWARDED", False)
    after = await own.fetchval("SELECT count(*) FROM point_transactions WHERE program_id = $1", shop.program_id)
    assert after == before, "the points became available by themselves"
