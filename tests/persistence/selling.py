"""Flash sales on a real PostgreSQL: short words for what is offered, claimed and left."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.claims import Claim, ClaimState, FlashSaleHold, FlashSaleStock
from domain.flash_sales import reminders
from domain.flash_sales.claiming import ClaimFlashSale
from domain.flash_sales.commands import ItemTerms, SaveFlashSale
from domain.flash_sales.ending import PayClaim
from domain.flash_sales.sale import Daily, FlashSale, FlashSaleItem, HeadStart, Share
from domain.kernel import derived_id
from domain.schedules import Schedule
from domain.tiers.tier import CreateTier
from persistence import clock
from tests.persistence import engines, malls
from tests.persistence.engines import Books, Shop

# The kinds whose tables are those of flash sales.
NEW_KINDS = (FlashSale, FlashSaleItem, FlashSaleStock, Claim, FlashSaleHold, reminders.FlashSaleReminder)
HOUR = timedelta(hours=1)


async def offer(shop: Shop, **told: Any) -> UUID:
    """The only item of a new sale that is open since an hour, for an hour more: ten units for ten points each."""
    now = told.pop("now", None) or clock.now()
    of_sale = {name: told.pop(name) for name in tuple(told) if name in SaveFlashSale.__dataclass_fields__}
    reward_id = told.pop("reward_id", None) or await malls.reward(shop, 1)
    terms = ItemTerms(**{"reward_id": reward_id, "points": 10, "stock": 10, **told})
    given = {"code": engines.key()[:20], "name": "Sale", "starts_at": now - HOUR, "ends_at": now + HOUR, **of_sale}
    saved: FlashSale = await shop.run(SaveFlashSale(items=(terms,), **given))
    return derived_id(saved.id, reward_id.hex)


def claim(member_id: UUID, item_id: UUID) -> ClaimFlashSale:
    """Take a unit."""
    return ClaimFlashSale(member=engines.ref(member_id), item_id=item_id)


def pay(claim_id: UUID, amount_minor: int = 100, reference: str = "p") -> PayClaim:
    """Its money was paid."""
    return PayClaim(claim_id=claim_id, amount_minor=amount_minor, currency_code="CNY", reference=reference)


def stock(books: Books, item_id: UUID) -> tuple[int, int, int]:
    """What is sold, held and left of an item in all rounds and shares together."""
    found = [row for row in books.of(FlashSaleStock) if row.item_id == item_id]
    return sum(row.sold for row in found), sum(row.held for row in found), sum(row.left for row in found)


def check(books: Books) -> None:
    """Every stock is what its claims say, and every member's points are what its rows say."""
    books.check()
    confirmed = [row for row in books.of(Claim) if row.state is ClaimState.CONFIRMED]
    for row in books.of(FlashSaleStock):
        held = [hold for hold in books.of(FlashSaleHold) if hold.stock_id == row.id and hold.is_open]
        assert (row.sold, row.held) == (sum(one.stock_id == row.id for one in confirmed), len(held))
    assert len({row.redemption_id for row in confirmed}) == len(confirmed)


async def furnish(shop: Shop, member_id: UUID) -> None:
    """One of every kind, with every field told somewhere; the clock is the shop's own."""
    engine_now = shop.engine._now()
    tier = await shop.run(CreateTier(name="Flash", rank=99, threshold=10**9))
    starts, shares = (HeadStart(tier_id=tier.id, minutes=5),), (Share(tier_id=tier.id, quantity=2),)
    await shop.run(engines.adjust(member_id, 1_000))
    whole = await offer(
        shop, now=engine_now, cash_minor=100, limit_per_member=5, description="x", head_starts=starts, shares=shares
    )
    for number in range(3):
        claimed = (await shop.run(claim(member_id, whole))).claim
        if number:
            await shop.run(pay(claimed.id, reference=f"p-{number}"))
    await shop.run(claim(member_id, await offer(shop, now=engine_now)))
    weekly = Daily(schedule=Schedule(weekdays=(4,)), local_time="20:00", minutes=60)
    coming = await offer(shop, now=engine_now, ends_at=engine_now + 400 * HOUR, daily=weekly)
    sale_id = (await item(shop, coming)).sale_id
    await shop.run(reminders.RemindOfFlashSale(member=engines.ref(member_id), sale_id=sale_id))


async def item(shop: Shop, item_id: UUID) -> FlashSaleItem:
    """An item as it is stored."""
    own = await shop.engine.connect()
    try:
        found = await engines.stored(own, FlashSaleItem, item_id)
    finally:
        await own.close()
    assert isinstance(found, FlashSaleItem)
    return found
