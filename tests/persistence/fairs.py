"""Lotteries on a real PostgreSQL: one of everything, and short words for more."""

from datetime import datetime
from typing import Any
from uuid import UUID

from domain import chances
from domain.audiences import Audience
from domain.chances import GrantChances
from domain.earning.rules import Period
from domain.lotteries.draw import Draw
from domain.lotteries.drawing import DrawLottery
from domain.lotteries.lottery import DrawLimit, Lottery, LotteryKind, LotteryPrize, LotterySeed, PrizeStock
from domain.lotteries.saving import PublishLottery, SaveLottery
from domain.lotteries.tickets import LotteryTicket, TakeTickets
from domain.prizes import Prize, PrizeKind
from domain.schedules import Schedule
from tests.domain.lotteries.hall import nothing, points
from tests.persistence import engines, malls
from tests.persistence.engines import Shop

# The kinds whose tables are the lotteries'.
NEW_KINDS = (
    Lottery,
    LotterySeed,
    chances.LotteryRun,
    PrizeStock,
    chances.LotteryStanding,
    chances.ChanceGrant,
    LotteryTicket,
    Draw,
)


async def draft(shop: Shop, *prizes: LotteryPrize, **terms: Any) -> Lottery:
    """A draft under a code of its own, one point a draw."""
    told: dict[str, Any] = {
        "code": engines.key()[:20],
        "name": "Spring draw",
        "kind": LotteryKind.INSTANT,
        "rules": "Draw and win.",
        "points": 1,
        **terms,
    }
    made: Lottery = await shop.run(SaveLottery(prizes=prizes, **told))
    return made


async def lottery(shop: Shop, *prizes: LotteryPrize, **terms: Any) -> Lottery:
    """A lottery that is published."""
    made = await draft(shop, *prizes, **terms)
    published: Lottery = await shop.run(PublishLottery(lottery_id=made.id))
    return published


async def raffle(shop: Shop, ends_at: datetime, *prizes: LotteryPrize, **terms: Any) -> Lottery:
    """A ticketed lottery that is published."""
    return await lottery(shop, *prizes, kind=LotteryKind.TICKETED, ends_at=ends_at, **terms)


def play(member_id: UUID, lottery_id: UUID, client_seed: str | None = None) -> DrawLottery:
    """A draw."""
    return DrawLottery(member=engines.ref(member_id), lottery_id=lottery_id, client_seed=client_seed)


def take(member_id: UUID, lottery_id: UUID, count: int = 1) -> TakeTickets:
    """Tickets."""
    return TakeTickets(member=engines.ref(member_id), lottery_id=lottery_id, count=count)


def grant(member_id: UUID, lottery_id: UUID, count: int = 1) -> GrantChances:
    """Chances."""
    return GrantChances(member=engines.ref(member_id), lottery_id=lottery_id, chances=count, reason="test")


async def furnish(shop: Shop, member_id: UUID, now: datetime) -> None:
    """One of every row, and of every kind of prize; `now` is when the engine's clock stands."""
    await shop.run(engines.adjust(member_id, 1_000))
    pool = await malls.open_pool(shop)
    reward_id = await malls.reward(shop, 100)
    prizes = (
        LotteryPrize(
            code="voucher", name="Ten off", prize=Prize(kind=PrizeKind.VOUCHER, pool_id=pool.id), rank=2, stock=9
        ),
        LotteryPrize(
            code="kettle",
            name="水壶",
            prize=Prize(kind=PrizeKind.ITEM, reward_id=reward_id),
            rank=3,
            daily_stock=9,
            value_minor=9_900,
        ),
        LotteryPrize(code="again", name="Again", prize=Prize(kind=PrizeKind.CHANCE, chances=1), rank=1),
        points(5),
        nothing(),
    )
    whole = await lottery(
        shop,
        *prizes,
        free_per_day=1,
        limits=(DrawLimit(period=Period.MONTH, draws=100),),
        audience=Audience(without_tags=("banned",)),
        schedule=Schedule(weekdays=tuple(range(1, 8))),
        guarantee_every=5,
        guarantee_rank=2,
    )
    await draft(shop, nothing())
    await shop.run(grant(member_id, whole.id))
    for _ in range(20):
        await shop.run(play(member_id, whole.id, "lucky"))
    waiting = await raffle(shop, now.replace(year=now.year + 1), points(5, stock=2))
    await shop.run(take(member_id, waiting.id, 3))


async def raffle_that_ends(shop: Shop, member_id: UUID, ends_at: datetime) -> UUID:
    """A ticketed lottery whose only winner can be drawn from `ends_at` on; its id."""
    over = await raffle(shop, ends_at, points(5, stock=1))
    await shop.run(take(member_id, over.id))
    return over.id
