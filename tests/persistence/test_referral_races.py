"""Races of referrals with exact counts, within one engine and between two, which are to each other like processes."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.earning.grants import Grant
from domain.earning.rules import Cap, Period
from domain.kernel import Command
from domain.points import commands as moves
from domain.purchases.purchase import Purchase
from domain.referrals.code import MakeReferralCode, ReferralCode
from domain.referrals.referral import Referral, ReferralState
from domain.referrals.settling import ReviewReferral, SettleReferral
from domain.referrals.sharing import CreateShare, Share, ShareKind, ShareVisit, VisitShare
from persistence import clock
from persistence.engine import Engine
from tests.persistence import engines, friends
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


async def members(shop: Shop, count: int) -> list[UUID]:
    """So many new members."""
    return [answer.result.member.id for answer in await engines.all_answers(shop.enrolling(count))]


async def test_r1_of_two_who_bind_one_friend_at_once_exactly_one_wins(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    await friends.promise(shop)
    referrers = await members(shop, 4)
    codes = [await friends.code(shop, each) for each in referrers]
    for friend in await members(shop, ROUNDS):
        answers = await race(shops, [friends.bind(friend, code) for code in codes])
        assert engines.tally(answers) == {"done": 1, "ALREADY_REFERRED": 3}
    rows = await engines.rows(own, Referral, shop.program_id)
    assert len(rows) == len({row.referee_id for row in rows}) == ROUNDS


async def test_r2_a_ring_is_closed_by_nobody_even_from_all_sides_at_once(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    """Each of four would be brought by the next: the last to come, and at least it, is refused."""
    shop = shops[0]
    await friends.promise(shop)
    for size in (2, 3, 4, 4, 4, 5):
        ring = await members(shop, size)
        codes = [await friends.code(shop, each) for each in ring]
        links = [friends.bind(each, codes[(place + 1) % size]) for place, each in enumerate(ring)]
        answers = engines.tally(await race(shops, list(links)))
        assert answers == {"done": size - 1, "REFERRAL_RING": 1}
    above = {row.referee_id: row.referrer_id for row in await engines.rows(own, Referral, shop.program_id)}
    for member_id in above:
        seen, at = {member_id}, above.get(member_id)
        while at is not None:
            assert at not in seen, "no ring is kept"
            seen.add(at)
            at = above.get(at)


async def test_r3_one_friend_who_buys_at_many_tills_at_once_qualifies_once(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    await friends.promise(shop)
    referrer = await shop.enroll()
    code = await friends.code(shop, referrer)
    for _ in range(ROUNDS):
        friend = await friends.bring(shop, code)
        assert engines.tally(await race(shops, [friends.buy(friend) for _ in range(6)])) == {"done": 6}
    books = await engines.books(own, shop.program_id)
    assert Counter(row.referral_id is not None for row in books.of(Purchase)) == {True: ROUNDS, False: 5 * ROUNDS}
    assert books.account(referrer).pending == 100 * ROUNDS
    assert len([row for row in books.of(Grant) if row.member_id == referrer]) == ROUNDS
    assert books.check() == 1 + ROUNDS


async def test_l13_friends_who_buy_at_once_stay_within_the_cap_of_the_one_who_brought_them(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    await friends.promise(shop, caps=(Cap(period=Period.MONTH, times=7),))
    referrer = await shop.enroll()
    code = await friends.code(shop, referrer)
    brought = [await friends.bring(shop, code) for _ in range(20)]
    assert engines.tally(await race(shops, [friends.buy(friend) for friend in brought])) == {"done": 20}
    books = await engines.books(own, shop.program_id)
    assert books.account(referrer).pending == 700
    assert sum(books.account(friend).pending for friend in brought) == 20 * 50
    assert {row.state for row in books.of(Referral)} == {ReferralState.QUALIFIED}


async def test_r3_a_refund_told_many_times_takes_back_once(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    await friends.promise(shop)
    referrer = await shop.enroll()
    code = await friends.code(shop, referrer)
    for _ in range(ROUNDS):
        friend = await friends.bring(shop, code)
        bought = await shop.run(friends.buy(friend))
        parts = [engines.refund(bought.purchase.id, f"r-{number}", 1_000) for number in range(5)]
        assert engines.tally(await race(shops, list(parts))) == {"done": 5}
    books = await engines.books(own, shop.program_id)
    assert {row.state for row in books.of(Referral)} == {ReferralState.CLAWED_BACK}
    assert (books.account(referrer).pending, books.account(referrer).debt) == (0, 0)
    kinds = Counter(row.kind.value for row in books.transactions(referrer))
    assert kinds == {"EARN": ROUNDS, "CANCEL": ROUNDS}
    assert books.check() == 1 + ROUNDS


async def test_l12_purchases_of_friends_and_transfers_to_and_fro_end_exactly(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    """Who buys locks itself and then whoever brought it; transfers lock both in order: a deadlock is run again."""
    shop = shops[0]
    await friends.promise(shop)
    referrer = await shop.member_with(1_000)
    code = await friends.code(shop, referrer)
    brought = [await friends.bring(shop, code) for _ in range(12)]
    given = [
        moves.TransferPoints(sender=engines.ref(referrer), recipient=engines.ref(friend), points=10)
        for friend in brought
    ]
    mixed: list[Command[Any]] = [each for pair in zip(given, map(friends.buy, brought), strict=True) for each in pair]
    assert engines.tally(await race(shops, mixed)) == {"done": 24}
    books = await engines.books(own, shop.program_id)
    assert (books.account(referrer).available, books.account(referrer).pending) == (880, 1_200)
    assert {(books.account(each).available, books.account(each).pending) for each in brought} == {(60, 50)}
    assert books.check() == 13


async def test_r2_of_two_who_decide_exactly_one_does(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    await friends.promise(shop, hourly_max=1)
    referrer = await shop.enroll()
    code = await friends.code(shop, referrer)
    await friends.bring(shop, code)
    for _ in range(ROUNDS):
        friend = await friends.bring(shop, code)
        await shop.run(friends.buy(friend))
    held = [row for row in await engines.rows(own, Referral, shop.program_id) if row.review is not None]
    assert len(held) == ROUNDS
    for row in held:
        decisions = [
            ReviewReferral(referral_id=row.id, is_approved=is_approved, reason="race") for is_approved in (True, False)
        ]
        answers = await race(shops, list(decisions))
        # What was approved may still be denied; what was denied is over.
        assert engines.tally(answers) in ({"done": 2}, {"done": 1, "REFERRAL_NOT_OPEN": 1})
    books = await engines.books(own, shop.program_id)
    assert {books.state.get(Referral, row.id).state for row in held} == {ReferralState.REJECTED}
    assert (books.account(referrer).pending, books.account(referrer).available) == (0, 0)
    books.check()


async def test_r1_of_an_order_and_an_expiry_exactly_one_wins(
    shop: Shop, starting: Starting, own: asyncpg.Connection
) -> None:
    """One process whose clock is a month ahead expires what another takes an order for."""
    await friends.promise(shop)
    referrer = await shop.enroll()
    code = await friends.code(shop, referrer)
    async with starting(now=lambda: clock.now() + timedelta(days=31)) as ahead:
        for _ in range(ROUNDS):
            friend = await friends.bring(shop, code)
            (row,) = (row for row in await engines.rows(own, Referral, shop.program_id) if row.referee_id == friend)
            await asyncio.gather(shop.run(friends.buy(friend)), shop.at(ahead).run(SettleReferral(referral_id=row.id)))
    books = await engines.books(own, shop.program_id)
    states = Counter(row.state for row in books.of(Referral))
    assert set(states) <= {ReferralState.QUALIFIED, ReferralState.EXPIRED, ReferralState.REWARDED}
    # An order that came first may have been rewarded by the clock that is ahead; its points are pending or available.
    qualified = states.total() - states[ReferralState.EXPIRED]
    account = books.account(referrer)
    assert account.pending + account.available == 100 * qualified
    assert all(books.account(row.referee_id).referral_id is None for row in books.of(Referral))
    books.check()


async def test_a_first_code_asked_for_twice_at_once_is_one(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    await friends.promise(shop)
    for member_id in await members(shop, ROUNDS):
        answers = await race(shops, [MakeReferralCode(member=engines.ref(member_id)) for _ in range(4)])
        assert len({answer.result.code.code for answer in answers}) == 1
    assert len(await engines.rows(own, ReferralCode, shop.program_id)) == ROUNDS


async def test_r3_visitors_who_come_at_once_pay_a_share_once(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    await friends.promise(shop, share_visitors=3, share_daily_max=4)
    sharer = await shop.enroll()
    for number in range(6):
        shared = await shop.run(CreateShare(member=engines.ref(sharer), kind=ShareKind.PAGE, target=f"/{number}"))
        visits = [VisitShare(code=shared.code.code, visitor=friends.seen(shop, f"v-{n % 5}")) for n in range(15)]
        answers = await race(shops, list(visits))
        assert [answer.result.is_counted for answer in answers].count(True) == 5
    books = await engines.books(own, shop.program_id)
    assert {row.visitors for row in books.of(Share)} == {5}
    assert len(books.of(ShareVisit)) == 30
    assert books.account(sharer).available == 4 * 5, "so many a day"
    assert books.check() == 1
