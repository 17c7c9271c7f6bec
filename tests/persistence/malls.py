"""A mall on a real PostgreSQL: one of everything that a simulated life does not make, and short words for more."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from domain import checkout, offsets, programs, stores, trade
from domain.audiences import Audience
from domain.purchases.paying import Line
from domain.purchases.recording import RecordPurchase
from domain.redemptions.placing import RedeemReward
from domain.redemptions.redemption import Address, Delivery, Redeemed
from domain.rewards import commands as mall
from domain.rewards.reward import DeliveryKind, LimitPeriod, PeriodLimit, Picture, Price, RewardKind, Translation
from domain.rewards.stock import StockHold
from domain.vouchers import commands, pool, template
from domain.vouchers.discounts import Cart, CartLine
from domain.vouchers.pool import Supply, VoucherPool
from domain.vouchers.template import VoucherKind, VoucherScope, VoucherTerms
from domain.vouchers.voucher import Voucher
from tests.persistence import engines
from tests.persistence.engines import Shop

# The kinds whose tables are the mall's.
NEW_KINDS = (
    stores.StoreGroup,
    trade.TradeRule,
    trade.TradeAllowance,
    offsets.OffsetPolicy,
    offsets.PointsOffset,
    template.VoucherTemplate,
    VoucherPool,
    pool.VoucherCode,
    Voucher,
    mall.RewardFavourite,
    StockHold,
)
TEN_OFF = VoucherTerms(kind=VoucherKind.AMOUNT_OFF, amount_minor=1_000)


async def reward(shop: Shop, points: int = 10, stock: int | None = None, **terms: Any) -> UUID:
    """Put a reward with such terms into the mall; its id."""
    told = mall.RewardTerms(**terms)
    command = mall.CreateReward(code=engines.key()[:20], name="Cup", points=points, stock=stock, terms=told)
    made: mall.Stocked = await shop.run(command)
    return made.reward.id


async def open_pool(
    shop: Shop, supply: Supply = Supply.ON_DEMAND, terms: VoucherTerms = TEN_OFF, **told: Any
) -> VoucherPool:
    """A pool of a new template; `limit` is the template's."""
    limit = told.pop("limit", None)
    made = await shop.run(
        template.CreateVoucherTemplate(code=engines.key()[:20], name="Off", terms=terms, limit_per_member=limit)
    )
    opened: VoucherPool = await shop.run(
        pool.CreateVoucherPool(template_id=made.id, name="Pool", supply=supply, **told)
    )
    return opened


async def grant(shop: Shop, member_id: UUID, pool_id: UUID) -> Voucher:
    """Give a member a voucher."""
    granted: commands.Vouched = await shop.run(commands.GrantVoucher(pool_id=pool_id, member=engines.ref(member_id)))
    return granted.voucher


def redeem(member_id: UUID, reward_id: UUID, **told: Any) -> RedeemReward:
    """Take a reward."""
    return RedeemReward(member=engines.ref(member_id), reward_id=reward_id, **told)


def buy_with(member_id: UUID, voucher: Voucher, external_id: str, discount_minor: int = 1_000) -> RecordPurchase:
    """A purchase of 50 yuan less a voucher."""
    line = Line(amount_minor=5_000 - discount_minor, discount_minor=discount_minor)
    return RecordPurchase(
        member=engines.ref(member_id),
        external_id=external_id,
        amount_minor=line.amount_minor,
        currency_code="CNY",
        lines=(line,),
        voucher_codes=(voucher.code,),
    )


async def offset(
    shop: Shop, member_id: UUID, points: int = 10, *, value: int = 10, **told: Any
) -> offsets.PointsOffset:
    """Hold points, each worth so many minor units, as money for the order that `buy_offset` records."""
    worth = points * value
    bill = offsets.Bill(goods_minor=5_000, payable_minor=5_000)
    until = datetime(2999, 1, 1, tzinfo=UTC)
    held: offsets.Offset = await shop.run(
        offsets.HoldOffset(
            quote_id=engines.new_id(),
            member=engines.ref(member_id),
            points=points,
            amount_minor=worth,
            bill=bill,
            fingerprint=checkout.fingerprint(Cart(lines=(CartLine(amount_minor=5_000),)), ()),
            quoted_until=until,
            **told,
        )
    )
    return held.offset


def buy_offset(member_id: UUID, held: offsets.PointsOffset, external_id: str) -> RecordPurchase:
    """The order that points were held for."""
    return RecordPurchase(
        member=engines.ref(member_id),
        external_id=external_id,
        amount_minor=5_000,
        currency_code="CNY",
        lines=(Line(amount_minor=5_000),),
        offset_id=held.id,
    )


async def furnish(shop: Shop, member_id: UUID) -> None:
    """One of every kind of the mall, with every field told somewhere."""
    group = await shop.run(stores.CreateStoreGroup(code="river", name="River stores"))
    store = await shop.run(stores.CreateStore(code="river-1", name="River", group_id=group.id))
    await shop.run(trade.CreateTradeRule(kind=trade.TradeKind.EARNING, effect=trade.TradeEffect.ALLOWED))
    await shop.run(
        trade.CreateTradeRule(
            kind=trade.TradeKind.REDEEMING, effect=trade.TradeEffect.CAPPED, store_id=store.id, points_max=10**6
        )
    )
    await shop.run(offsets.SetOffsetPolicy(terms=offsets.OffsetPolicyTerms(points_max=10**6, leaves_minor=1)))
    await shop.run(engines.adjust(member_id, 10_000))
    reward_id = await _told_whole(shop, store.id)
    home = Address(name="Li", phone="+8613800138000", country_code="CN", city="Hangzhou", street="1 Lake Road")
    sent = Delivery(kind=DeliveryKind.SHIPPING, address=home)
    await shop.run(redeem(member_id, reward_id, store_id=store.id, delivery=sent))
    picked = Delivery(kind=DeliveryKind.PICK_UP, store_id=store.id)
    taken: Redeemed = await shop.run(redeem(member_id, reward_id, delivery=picked))
    assert taken.redemption.pickup_code is not None
    await shop.run(mall.LikeReward(member=engines.ref(member_id), reward_id=reward_id))
    await shop.run(programs.UpdateProgram(settings=programs.ProgramSettings(point_value_bp=100_000)))
    await offset(shop, member_id)
    await offset(shop, member_id, reference="o-2", store_id=store.id, channel=stores.Channel.IN_STORE)
    await _vouchers(shop, member_id, store.id)


async def _told_whole(shop: Shop, store_id: UUID) -> UUID:
    return await reward(
        shop,
        100,
        50,
        categories=("tea", "gifts"),
        pictures=(Picture(url="https://example.com/cup.png", text="a cup"),),
        translations=(Translation(language="en", name="Cup", description="A cup"),),
        cash_minor=990,
        prices=(Price(points=90, cash_minor=500, audience=Audience(tags=("vip",), without_tags=("x",))),),
        audience=Audience(without_tags=("banned",)),
        limits=(PeriodLimit(period=LimitPeriod.DAY, quantity=9),),
        daily_stock=40,
        deliveries=tuple(DeliveryKind),
        store_ids=(store_id,),
    )


async def _vouchers(shop: Shop, member_id: UUID, store_id: UUID) -> None:
    terms = VoucherTerms(
        kind=VoucherKind.AMOUNT_OFF, amount_minor=1_000, scope=VoucherScope(store_ids=(store_id,)), days=7
    )
    stock = await open_pool(shop, Supply.STOCK, terms)
    await shop.run(pool.GenerateVoucherCodes(pool_id=stock.id, count=3))
    locked = await grant(shop, member_id, stock.id)
    await shop.run(commands.LockVoucher(code=locked.code, reference="o-1", store_id=store_id))
    endless = await open_pool(shop)
    await shop.run(redeem(member_id, await reward(shop, 100, kind=RewardKind.VOUCHER, pool_id=endless.id)))
    used = await grant(shop, member_id, endless.id)
    await shop.run(buy_with(member_id, used, "voucher-1"))
    void = await grant(shop, member_id, endless.id)
    await shop.run(commands.VoidVoucher(voucher_id=void.id, reason="mistake"))
