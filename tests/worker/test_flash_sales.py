"""What waits for the clock in flash sales: claims that are not paid are lapsed, and openings are told, each once."""

from datetime import timedelta

import asyncpg

from domain.claims import Claim, ClaimState
from domain.duties import Work
from domain.flash_sales.commands import ItemTerms, SaveFlashSale
from domain.flash_sales.reminders import FlashSaleReminder, RemindOfFlashSale
from domain.flash_sales.sale import Daily, FlashSale
from domain.schedules import Schedule
from tests.persistence import engines, malls, selling
from tests.persistence.engines import Shop
from tests.worker.clockwork import World, events, members, open_shop

# The 1st of March 2026 is a Sunday; the first Thursday is four days later.
THURSDAYS = Daily(schedule=Schedule(weekdays=(4,)), local_time="20:00", minutes=60)


async def test_what_was_not_paid_in_time_is_lapsed_once(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world)
    member_id = await shop.member_with(100)
    item_id = await selling.offer(shop, now=world.now, cash_minor=100)
    claimed = [(await shop.run(selling.claim(member_id, item_id))).claim.id for _ in range(3)]
    await shop.run(selling.pay(claimed[0]))
    assert (await world.work())[Work.FLASH_SALE_CLAIMS] == 0
    world.later(minutes=15)
    assert (await world.work())[Work.FLASH_SALE_CLAIMS] == 2
    assert (await world.work())[Work.FLASH_SALE_CLAIMS] == 0
    books = await engines.books(own, shop.program_id)
    selling.check(books)
    states = [books.state.get(Claim, claim_id).state for claim_id in claimed]
    assert states == [ClaimState.CONFIRMED, ClaimState.LAPSED, ClaimState.LAPSED]
    assert (selling.stock(books, item_id), books.account(member_id).available) == ((1, 0, 9), 90)
    assert len(await events(own, "ClaimClosed")) == 2


async def _weekly(shop: Shop, world: World, **told: object) -> FlashSale:
    terms = ItemTerms(reward_id=await malls.reward(shop, 1), points=1, stock=1)
    given = {"starts_at": world.now, "ends_at": world.now + timedelta(days=28), "daily": THURSDAYS, **told}
    saved: FlashSale = await shop.run(SaveFlashSale(code="thursdays", name="Thursdays", items=(terms,), **given))
    return saved


async def test_s37_openings_are_told_every_thursday_ten_minutes_before_and_once(
    world: World, own: asyncpg.Connection
) -> None:
    shop = await open_shop(world)
    sale = await _weekly(shop, world)
    who = await members(shop, 3)
    for member_id in who[:2]:
        await shop.run(RemindOfFlashSale(member=engines.ref(member_id), sale_id=sale.id, minutes=10))
    await shop.run(RemindOfFlashSale(member=engines.ref(who[1]), sale_id=sale.id, is_wanted=False))
    opens_at = world.now + timedelta(days=4, hours=8)
    for week in range(4):
        world.now = opens_at + timedelta(days=7 * week, minutes=-11)
        await world.work()
        assert len(await events(own, "FlashSaleOpening")) == week
        world.later(minutes=1)
        for _ in range(2):
            await world.work()
        assert len(await events(own, "FlashSaleOpening")) == week + 1
    assert {event["member_id"] for event in await events(own, "FlashSaleOpening")} == {str(who[0])}
    world.later(days=30)
    assert (await world.work())[Work.FLASH_SALE_REMINDERS] == 0


async def test_whoever_asked_is_reckoned_again_when_the_sale_is_moved(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world)
    sale = await _weekly(shop, world)
    who = await members(shop, 3)
    for member_id in who:
        await shop.run(RemindOfFlashSale(member=engines.ref(member_id), sale_id=sale.id, minutes=0))
    assert (await world.work())[Work.FLASH_SALE_REMINDERS] == 0
    opens_at = world.now + timedelta(minutes=30)
    await _weekly(shop, world, daily=Daily(schedule=Schedule(), local_time="12:30", minutes=5))
    # A duty looks again after a second.
    world.later(seconds=1)
    assert (await world.work())[Work.FLASH_SALE_REMINDERS] == 3
    world.later(seconds=1)
    assert (await world.work())[Work.FLASH_SALE_REMINDERS] == 0
    due = {row.due_at for row in await engines.rows(own, FlashSaleReminder, shop.program_id)}
    assert due == {opens_at}
    world.later(minutes=30)
    assert (await world.work())[Work.FLASH_SALE_REMINDERS] == 3
    assert len(await events(own, "FlashSaleOpening")) == 3
