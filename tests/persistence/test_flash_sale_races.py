"""Flash sales under pressure, in one engine and in two, which are to each other like processes (F1, F2, F3)."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.claims import Claim, ClaimState, FlashSaleHold, FlashSaleStock
from domain.flash_sales.ending import LapseClaim, ReleaseClaim
from domain.flash_sales.sale import HeadStart, Share
from domain.kernel import Command
from domain.points.account import HoldState
from domain.redemptions.ending import CancelRedemption
from domain.redemptions.redemption import Redemption
from domain.tiers.tier import CreateTier
from persistence import clock
from persistence.engine import Engine
from tests.persistence import engines, selling
from tests.persistence.conftest import Starting
from tests.persistence.engines import Shop

ROUNDS = 10
MEMBERS = 5_000
UNITS = 100


@pytest.fixture(params=["one engine", "two engines"])
def shops(request: pytest.FixtureRequest, shop: Shop, other_engine: Engine) -> tuple[Shop, ...]:
    """The same shop through one engine, or through two."""
    return (shop,) if request.param == "one engine" else (shop, shop.at(other_engine))


async def race(shops: tuple[Shop, ...], commands: list[Command[Any]]) -> list[Any]:
    """Tell all commands at once, in turns to each engine. What became of each."""
    told = [shops[number % len(shops)].submit(command) for number, command in enumerate(commands)]
    return await engines.all_answers(told)


async def crowd(shop: Shop, count: int, points: int = 100) -> list[UUID]:
    """So many new members with points."""
    members = [answer.result.member.id for answer in await engines.all_answers(shop.enrolling(count))]
    await engines.all_answers([shop.submit(engines.adjust(member, points)) for member in members])
    return members


async def test_f1_five_thousand_members_claim_a_hundred_units(
    engine: Engine, other_engine: Engine, own: asyncpg.Connection
) -> None:
    shop = await engines.open_shop(engine, sign_up_points=10)
    members = [answer.result.member.id for answer in await engines.all_answers(shop.enrolling(MEMBERS))]
    item_id = await selling.offer(shop, stock=UNITS, limit_per_member=1)
    pair = (shop, shop.at(other_engine))
    answers = await race(pair, [selling.claim(member, item_id) for member in members])
    assert engines.tally(answers) == {"done": UNITS, "SOLD_OUT": MEMBERS - UNITS}
    books = await engines.books(own, shop.program_id)
    assert selling.stock(books, item_id) == (UNITS, 0, 0)
    assert len(books.of(Claim)) == len(books.of(Redemption)) == UNITS
    assert Counter(books.account(member).available for member in members) == {0: UNITS, 10: MEMBERS - UNITS}
    selling.check(books)


async def test_f1_the_first_claims_of_a_round_meet_in_the_key_of_its_stock(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    members = await crowd(shop, 8)
    for _ in range(ROUNDS):
        item_id = await selling.offer(shop, points=1, stock=5)
        answers = await race(shops, [selling.claim(member, item_id) for member in members])
        assert engines.tally(answers) == {"done": 5, "SOLD_OUT": 3}
    books = await engines.books(own, shop.program_id)
    assert [(row.total, row.sold) for row in books.of(FlashSaleStock)] == [(5, 5)] * ROUNDS
    selling.check(books)


async def test_f5_a_member_has_no_more_than_its_limit(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    member_id = await shop.member_with(1_000)
    item_id = await selling.offer(shop, limit_per_member=3)
    answers = await race(shops, [selling.claim(member_id, item_id)] * 12)
    assert engines.tally(answers) == {"done": 3, "LIMIT_REACHED": 9}
    assert selling.stock(await engines.books(own, shop.program_id), item_id) == (3, 0, 7)


async def test_f1_points_are_spent_once_however_many_sales_they_would_buy(shops: tuple[Shop, ...]) -> None:
    shop = shops[0]
    member_id = await shop.member_with(30)
    items = [await selling.offer(shop) for _ in range(8)]
    answers = await race(shops, [selling.claim(member_id, item_id) for item_id in items])
    assert engines.tally(answers) == {"done": 3, "INSUFFICIENT_POINTS": 5}


async def test_f4_common_units_and_shares_are_sold_out_exactly(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    tiers = [await shop.run(CreateTier(name=f"T{rank}", rank=rank, threshold=10**9 + rank)) for rank in range(1, 4)]
    starts = tuple(HeadStart(tier_id=tier.id, minutes=5) for tier in tiers)
    shares = tuple(Share(tier_id=tier.id, quantity=4) for tier in tiers)
    members = await crowd(shop, 40)
    for _ in range(3):
        item_id = await selling.offer(shop, points=1, stock=20, head_starts=starts, shares=shares)
        answers = await race(shops, [selling.claim(member, item_id) for member in members])
        assert engines.tally(answers) == {"done": 20, "SOLD_OUT": 20}
    books = await engines.books(own, shop.program_id)
    assert sorted((row.total, row.sold) for row in books.of(FlashSaleStock)) == [(4, 4)] * 9 + [(8, 8)] * 3
    selling.check(books)


async def test_f3_a_payment_and_a_timeout_race_and_one_of_them_wins(
    shop: Shop, starting: Starting, own: asyncpg.Connection
) -> None:
    outcomes: Counter[ClaimState] = Counter()
    async with starting(now=lambda: clock.now() + timedelta(minutes=15)) as ahead:
        late = shop.at(ahead)
        member_id = await shop.member_with(1_000)
        item_id = await selling.offer(shop, stock=40, cash_minor=100)
        for number in range(30):
            claim_id = (await shop.run(selling.claim(member_id, item_id))).claim.id
            told = [shop.submit(selling.pay(claim_id)), late.submit(LapseClaim(claim_id=claim_id))]
            if number % 2:
                told.reverse()
                told.append(late.submit(LapseClaim(claim_id=claim_id)))
            await engines.all_answers(told)
            books = await engines.books(own, shop.program_id)
            state, hold = books.state.get(Claim, claim_id).state, books.state.get(FlashSaleHold, claim_id).state
            assert (state, hold) in (
                (ClaimState.CONFIRMED, HoldState.CAPTURED),
                (ClaimState.LAPSED, HoldState.LAPSED),
            )
            outcomes[state] += 1
    books = await engines.books(own, shop.program_id)
    paid = outcomes[ClaimState.CONFIRMED]
    assert outcomes.total() == 30
    assert selling.stock(books, item_id) == (paid, 0, 40 - paid)
    assert (books.account(member_id).available, books.account(member_id).held) == (1_000 - 10 * paid, 0)
    selling.check(books)


async def test_f2_whoever_wants_what_lapsed_takes_it_against_the_late_payment(
    shop: Shop, starting: Starting, own: asyncpg.Connection
) -> None:
    async with starting(now=lambda: clock.now() + timedelta(minutes=15)) as ahead:
        late = shop.at(ahead)
        first, second = await shop.member_with(100), await shop.member_with(100)
        for _ in range(ROUNDS):
            item_id = await selling.offer(shop, points=1, stock=1, cash_minor=100)
            claim_id = (await shop.run(selling.claim(first, item_id))).claim.id
            answers = await engines.all_answers(
                [shop.submit(selling.pay(claim_id)), late.submit(selling.claim(second, item_id))]
            )
            assert engines.tally(answers) in ({"done": 1, "SOLD_OUT": 1}, {"done": 1, "CLAIM_LAPSED": 1})
            sold, held, left = selling.stock(await engines.books(own, shop.program_id), item_id)
            assert (sold + held, left) == (1, 0)


async def test_f3_a_payment_told_many_times_pays_once(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    member_id = await shop.member_with(1_000)
    item_id = await selling.offer(shop, cash_minor=100)
    for _ in range(ROUNDS):
        claim_id = (await shop.run(selling.claim(member_id, item_id))).claim.id
        answers = await race(shops, [selling.pay(claim_id)] * 3)
        assert [answer.result.is_repeat for answer in answers].count(False) == 1
    books = await engines.books(own, shop.program_id)
    assert (selling.stock(books, item_id), books.account(member_id).available) == ((10, 0, 0), 900)
    selling.check(books)


async def test_f3_a_claim_is_paid_or_released(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    member_id = await shop.member_with(1_000)
    item_id = await selling.offer(shop, stock=40, cash_minor=100)
    for number in range(ROUNDS):
        claim_id = (await shop.run(selling.claim(member_id, item_id))).claim.id
        told: list[Command[Any]] = [selling.pay(claim_id), ReleaseClaim(claim_id=claim_id)]
        told += told if number % 2 else reversed(told)
        answers = [answer for answer in await race(shops, told) if not isinstance(answer, Exception)]
        assert sum(not answer.result.is_repeat for answer in answers) == 1
    selling.check(await engines.books(own, shop.program_id))


async def test_f5_a_redemption_is_cancelled_once_and_its_unit_is_there_once(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    member_id = await shop.member_with(1_000)
    item_id = await selling.offer(shop, stock=1)
    for _ in range(ROUNDS):
        claim = (await shop.run(selling.claim(member_id, item_id))).claim
        cancel = CancelRedemption(redemption_id=claim.redemption_id, reason="no")
        assert engines.tally(await race(shops, [cancel] * 3)) == {"done": 1, "REDEMPTION_NOT_OPEN": 2}
        assert selling.stock(await engines.books(own, shop.program_id), item_id) == (0, 0, 1)
    selling.check(await engines.books(own, shop.program_id))


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = clock.now()

    def __call__(self) -> datetime:
        return self.now


async def test_a_sale_that_ends_within_a_batch_sells_to_whom_was_decided_before(
    starting: Starting, own: asyncpg.Connection
) -> None:
    """A batch is decided at one instant. What then waits for a lock beyond the end was in time; the rest is late."""
    told = Clock()
    async with starting(now=told) as engine:
        shop = await engines.open_shop(engine)
        members = await crowd(shop, 60)
        item_id = await selling.offer(shop, now=told.now, points=1, stock=100)
        await shop.run(selling.claim(members[0], item_id))
        ends_at = told.now + selling.HOUR
        told.now = ends_at - timedelta(microseconds=1)
        async with own.transaction():
            await own.execute("SELECT FROM flash_sale_stocks WHERE item_id = $1 FOR UPDATE", item_id)
            early = [shop.submit(selling.claim(member, item_id)) for member in members[:30]]
            while not await _waits(own):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            told.now = ends_at
            late = [shop.submit(selling.claim(member, item_id)) for member in members[30:]]
            await asyncio.sleep(0.05)
        assert engines.tally(await engines.all_answers(early)) == {"done": 30}
        assert engines.tally(await engines.all_answers(late)) == {"ENDED": 30}
    books = await engines.books(own, shop.program_id)
    assert max(claim.claimed_at for claim in books.of(Claim)) < ends_at
    assert selling.stock(books, item_id) == (31, 0, 69)


async def _waits(own: asyncpg.Connection) -> bool:
    """Whether somebody waits for a lock in this database."""
    count = await own.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    return bool(count)


@pytest.mark.parametrize("change", ["sold = sold + 1", "held = held + 1", "total = total - 1", "sold = -1"])
async def test_f1_the_database_itself_does_not_oversell(shop: Shop, own: asyncpg.Connection, change: str) -> None:
    item_id = await selling.offer(shop, stock=1)
    await shop.run(selling.claim(await shop.member_with(100), item_id))
    with pytest.raises(asyncpg.CheckViolationError, match="flash_sale_stocks_never_oversold"):
        await own.execute(f"UPDATE flash_sale_stocks SET {change} WHERE item_id = $1", item_id)
