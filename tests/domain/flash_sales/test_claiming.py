"""Claiming: what a unit costs, from which stock it is, who is refused, and in which order that is told (F1, F4, F5)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.audiences import Audience
from domain.claims import Claim, ClaimState, FlashSaleClaimed, FlashSaleStock
from domain.flash_sales import rounds
from domain.flash_sales.claiming import Asking, ClaimFlashSale, obstacles
from domain.flash_sales.rounds import Phase
from domain.flash_sales.sale import (
    Daily,
    Ended,
    FlashSaleItem,
    FlashSaleOff,
    HeadStart,
    NotStarted,
    RoundSoldOut,
    Share,
)
from domain.kernel import NotFound
from domain.points.account import DebtOutstanding, InsufficientPoints, MemberFrozen, SourceType, TransactionKind
from domain.points.commands import FreezeMember
from domain.redemptions.redemption import Redemption, RedemptionOrigin, RedemptionState
from domain.rewards.availability import LimitReached, NotEligible, NotInAudience, Standing
from domain.rewards.reward import RewardKind
from domain.rewards.stock import RewardStock
from domain.schedules import Schedule
from domain.stores import Channel, StoreClosed, UpdateStore
from domain.trade import CreateTradeRule, RedeemingRefused, TradeEffect, TradeKind
from domain.vouchers.pool import PoolEmpty
from domain.vouchers.voucher import Voucher
from tests.domain.flash_sales.floor import ENDS, HOUR, OPENS, Floor
from tests.domain.memory import PROGRAM_ID, START, ref

MINUTE = timedelta(minutes=1)
INSTANT = timedelta(microseconds=1)


def test_f1_points_alone_buy_a_unit_in_one_step(floor: Floor) -> None:
    item, member = floor.offer(points=300), floor.enroll(1_000)
    floor.open()
    claimed = floor.run(ClaimFlashSale(member=ref(member), item_id=item.id), actor="app")
    redemption = floor.redemption_of(claimed)
    transaction = floor.transactions(member)[-1]
    assert claimed.claim == Claim(
        id=claimed.claim.id,
        program_id=PROGRAM_ID,
        member_id=member,
        sale_id=item.sale_id,
        item_id=item.id,
        opens_at=OPENS,
        stock_id=claimed.claim.stock_id,
        points=300,
        state=ClaimState.CONFIRMED,
        redemption_id=redemption.id,
        channel=Channel.ONLINE,
        claimed_at=floor.now,
        actor="app",
    )
    assert redemption == Redemption(
        id=redemption.id,
        program_id=PROGRAM_ID,
        member_id=member,
        reward_id=item.reward_id,
        quantity=1,
        points=300,
        state=RedemptionState.PLACED,
        transaction_id=transaction.id,
        origin=RedemptionOrigin.FLASH_SALE,
        origin_id=claimed.claim.id,
        channel=Channel.ONLINE,
        placed_at=floor.now,
        actor="app",
    )
    assert (transaction.kind, transaction.amount) == (TransactionKind.REDEEM, -300)
    assert (transaction.source_type, transaction.source_id) == (SourceType.REDEMPTION, redemption.id)
    assert (floor.figures(member), floor.stock(item)) == ((700, 0, 0, 0), (1, 0, 9))
    told = FlashSaleClaimed(
        member_id=member, sale_id=item.sale_id, item_id=item.id, claim_id=claimed.claim.id, state=ClaimState.CONFIRMED
    )
    assert floor.events == (told,)
    assert told.topics() == (f"member:{member}", f"flash_sale:{item.sale_id}")
    floor.replay(member)


def test_f3_where_money_is_due_points_and_unit_are_held_for_fifteen_minutes(floor: Floor) -> None:
    item, member = floor.offer(points=300, cash_minor=990), floor.enroll(1_000)
    floor.open()
    claim = floor.claim(member, item).claim
    assert (claim.state, claim.cash_minor, claim.redemption_id) == (ClaimState.HELD, 990, None)
    assert claim.pay_by == claim.due_at == floor.now + 15 * MINUTE
    assert (floor.figures(member), floor.stock(item)) == ((700, 0, 300, 0), (0, 1, 9))
    assert floor.state.rows(Redemption) == ()
    other = floor.offer(points=1, cash_minor=1, pay_minutes=5)
    assert floor.claim(member, other).claim.pay_by == floor.now + 5 * MINUTE


def test_f1_a_sale_sells_exactly_what_it_has(floor: Floor) -> None:
    item = floor.offer(points=1, stock=3)
    members = [floor.enroll(10) for _ in range(5)]
    floor.open()
    for member in members[:3]:
        floor.claim(member, item)
    for member in members[3:]:
        with pytest.raises(RoundSoldOut) as refused:
            floor.claim(member, item)
        assert refused.value.details == {
            "requested": 1,
            "left": 0,
            "phase": Phase.OPEN,
            "ends_at": ENDS.isoformat(),
        }
        assert floor.figures(member) == (10, 0, 0, 0)
    assert floor.stock(item) == (3, 0, 0)


def test_the_shelf_of_the_reward_is_not_touched(floor: Floor) -> None:
    reward = floor.reward(500, stock=2)
    item, member = floor.offer(reward, points=1, stock=5), floor.enroll(100)
    floor.open()
    for _ in range(5):
        floor.claim(member, item)
    assert floor.row(RewardStock, reward.id).left == 2


def test_a_reward_need_not_be_offered_in_the_mall(floor: Floor) -> None:
    reward = floor.reward(500, ends_at=START)
    item, member = floor.offer(reward, points=1), floor.enroll(100)
    floor.open()
    assert floor.claim(member, item).claim.state is ClaimState.CONFIRMED


def test_f1_claims_are_taken_from_the_opening_until_before_the_end_by_our_clock(floor: Floor) -> None:
    item, member = floor.offer(points=1), floor.enroll(100)
    floor.now = OPENS - INSTANT
    with pytest.raises(NotStarted) as early:
        floor.claim(member, item)
    assert early.value.details == {"opens_at": OPENS.isoformat()}
    for at in (OPENS, ENDS - INSTANT):
        floor.now = at
        floor.claim(member, item)
    floor.now = ENDS
    with pytest.raises(Ended):
        floor.claim(member, item)
    assert floor.stock(item) == (2, 0, 8)


def test_s37_every_round_has_its_own_stock_and_its_own_limit(floor: Floor) -> None:
    weekly = Daily(schedule=Schedule(weekdays=(4,)), local_time="20:00", minutes=60)
    item = floor.offer(
        points=1, stock=1, limit_per_member=1, starts_at=START, ends_at=START + timedelta(days=30), daily=weekly
    )
    member, other = floor.enroll(10), floor.enroll(10)
    floor.now = START + 8 * HOUR
    floor.claim(member, item)
    with pytest.raises(RoundSoldOut):
        floor.claim(other, item)
    floor.later(days=6)
    with pytest.raises(NotStarted):
        floor.claim(other, item)
    floor.later(days=1)
    floor.claim(member, item)
    assert [stock.sold for stock in floor.state.rows(FlashSaleStock)] == [1, 1]


# Head starts and shares.


@pytest.fixture
def tiers(floor: Floor) -> tuple[UUID, UUID, UUID]:
    return floor.tier("Silver", 1), floor.tier("Gold", 2), floor.tier("Platinum", 3)


def early_offer(floor: Floor, tiers: tuple[UUID, UUID, UUID], **told: Any) -> FlashSaleItem:
    """Ten units: two reserved for Gold and three for Platinum; Silver has a head start without a share."""
    silver, gold, platinum = tiers
    starts = tuple(
        HeadStart(tier_id=tier, minutes=minutes) for tier, minutes in ((silver, 5), (gold, 10), (platinum, 30))
    )
    shares = (Share(tier_id=gold, quantity=2), Share(tier_id=platinum, quantity=3))
    return floor.offer(**{"points": 1, "head_starts": starts, "shares": shares, **told})


def test_f4_in_its_head_start_a_tier_takes_from_its_own_share_only(
    floor: Floor, tiers: tuple[UUID, UUID, UUID]
) -> None:
    _, gold, platinum = tiers
    item = early_offer(floor, tiers)
    member, best, common = floor.member_of(gold), floor.member_of(platinum), floor.enroll(100)
    floor.now = OPENS - 30 * MINUTE
    floor.claim(best, item)
    with pytest.raises(NotStarted) as early:
        floor.claim(member, item)
    assert early.value.details == {"opens_at": (OPENS - 10 * MINUTE).isoformat()}
    floor.now = OPENS - 10 * MINUTE
    floor.claim(member, item)
    floor.claim(member, item)
    with pytest.raises(RoundSoldOut) as refused:
        floor.claim(member, item)
    assert refused.value.details["phase"] is Phase.EARLY_ACCESS
    with pytest.raises(NotStarted):
        floor.claim(common, item)
    assert [floor.stock(item, tier) for tier in (gold, platinum, None)] == [(2, 0, 0), (1, 0, 2), (0, 0, 5)]
    assert [floor.left_for(one, item) for one in (member, best, common)] == [0, 2, 0]


def test_f4_a_tier_without_a_share_takes_from_the_common_units_early(
    floor: Floor, tiers: tuple[UUID, UUID, UUID]
) -> None:
    item, member = early_offer(floor, tiers), floor.member_of(tiers[0])
    floor.now = OPENS - 5 * MINUTE
    for _ in range(5):
        floor.claim(member, item)
    with pytest.raises(RoundSoldOut):
        floor.claim(member, item)
    assert floor.stock(item) == (5, 0, 0)


def test_f4_what_is_left_of_shares_is_everybodys_at_the_opening_common_units_first(
    floor: Floor, tiers: tuple[UUID, UUID, UUID]
) -> None:
    _, gold, platinum = tiers
    item, member, common = early_offer(floor, tiers), floor.member_of(gold), floor.enroll(100)
    floor.now = OPENS - MINUTE
    floor.claim(member, item)
    floor.now = OPENS
    assert [floor.left_for(one, item) for one in (member, common)] == [9, 9]
    seen = []
    for _ in range(9):
        claim = floor.claim(common, item).claim
        seen.append(floor.row(FlashSaleStock, claim.stock_id).tier_id)
    assert seen == [None] * 5 + [gold] + [platinum] * 3
    with pytest.raises(RoundSoldOut):
        floor.claim(member, item)


# Limits.


def test_f5_the_limit_counts_what_is_held_and_sold_and_not_what_is_over(floor: Floor) -> None:
    item, member = floor.offer(points=1, cash_minor=1, limit_per_member=2), floor.enroll(100)
    floor.open()
    first, second = floor.claim(member, item), floor.claim(member, item)
    with pytest.raises(LimitReached) as refused:
        floor.claim(member, item)
    assert refused.value.details == {"limit": 2, "taken": 2, "requested": 1}
    floor.pay_claim(first)
    floor.release_claim(second)
    third = floor.claim(member, item)
    with pytest.raises(LimitReached):
        floor.claim(member, item)
    # It lapses by itself, before any worker came.
    floor.now = third.claim.pay_by or START
    fourth = floor.claim(member, item)
    floor.pay_claim(fourth, reference="pay-4")
    with pytest.raises(LimitReached):
        floor.claim(member, item)
    floor.cancel_of(first)
    floor.claim(member, item)


def test_f5_the_limit_is_of_an_item_and_a_member(floor: Floor) -> None:
    sale = floor.save(floor.terms_of(points=1, limit_per_member=1), floor.terms_of(points=1, limit_per_member=1))
    one, two = floor.items(sale)
    floor.open()
    member = floor.enroll(100)
    for item in (one, two):
        floor.claim(member, item)
        floor.claim(floor.enroll(10), item)
        with pytest.raises(LimitReached):
            floor.claim(member, item)


# Refusals.


def test_what_keeps_a_member_from_a_unit_is_told_in_order(floor: Floor) -> None:
    item = floor.offer(points=50, stock=0, limit_per_member=1, audience=Audience(tags=("vip",)), is_active=False)
    sale, member = floor.sale_of(item), floor.enroll()
    debtor = floor.enroll()
    purchase = floor.buy(debtor, 100).purchase
    floor.spend(debtor, 1)
    floor.refund(purchase)
    account = floor.run(FreezeMember(member=ref(debtor), is_frozen=True, reason="test"))

    def told(now: Any) -> list[type[Exception]]:
        moment = rounds.moment(sale, None, now, floor.program.time_zone)
        asking = Asking(standing=Standing(account=account), moment=moment, left=0, taken=1)
        return [type(refusal) for refusal in obstacles(sale, item, asking)]

    rest = [LimitReached, DebtOutstanding, InsufficientPoints]
    assert told(OPENS) == [MemberFrozen, FlashSaleOff, NotInAudience, RoundSoldOut, *rest]
    assert told(OPENS - MINUTE) == [MemberFrozen, FlashSaleOff, NotStarted, NotInAudience, *rest]
    assert told(ENDS) == [MemberFrozen, FlashSaleOff, Ended, NotInAudience, *rest]
    floor.open()
    with pytest.raises(FlashSaleOff) as off:
        floor.claim(member, item)
    assert off.value.details == {"what": "sale"}


def test_each_refusal_says_what_is_wrong(floor: Floor) -> None:
    vip = floor.offer(points=50, audience=Audience(tags=("vip",)))
    item, poor, frozen = floor.offer(points=50), floor.enroll(49), floor.enroll(100)
    floor.freeze(frozen)
    floor.open()
    with pytest.raises(InsufficientPoints) as short:
        floor.claim(poor, item)
    assert short.value.details == {"required": 50, "available": 49}
    with pytest.raises(NotEligible) as kept_out:
        floor.claim(floor.enroll(100), vip)
    assert kept_out.value.details == {"why": "tags", "expected": "vip"}
    with pytest.raises(MemberFrozen):
        floor.claim(frozen, item)
    with pytest.raises(NotFound):
        floor.run(ClaimFlashSale(member=ref(UUID(int=99)), item_id=item.id))
    with pytest.raises(NotFound):
        floor.run(ClaimFlashSale(member=ref(poor), item_id=UUID(int=99)))
    floor.claim(floor.tagged(100, "vip"), vip)


def test_a_withdrawn_item_is_not_claimed(floor: Floor) -> None:
    item, member = floor.offer(points=1), floor.enroll(100)
    floor.open()
    floor.save_again(item, floor.terms_of())
    with pytest.raises(FlashSaleOff) as off:
        floor.claim(member, item)
    assert off.value.details == {"what": "item"}


def test_stores_and_rules_for_redeeming_are_asked(floor: Floor) -> None:
    item, member, store = floor.offer(points=1), floor.enroll(100), floor.store()
    floor.open()
    claim = floor.claim(member, item, channel=Channel.IN_STORE, store_id=store.id).claim
    assert (claim.channel, claim.store_id) == (Channel.IN_STORE, store.id)
    floor.run(CreateTradeRule(kind=TradeKind.REDEEMING, effect=TradeEffect.REFUSED, channel=Channel.PHONE))
    with pytest.raises(RedeemingRefused):
        floor.claim(member, item, channel=Channel.PHONE)
    floor.run(UpdateStore(store_id=store.id, is_closed=True))
    with pytest.raises(StoreClosed):
        floor.claim(member, item, store_id=store.id)
    assert floor.stock(item) == (1, 0, 9)


def test_a_voucher_comes_from_its_pool_at_once_or_is_refused_whole(floor: Floor) -> None:
    pool = floor.stocked(1)
    reward = floor.terms(100, kind=RewardKind.VOUCHER, pool_id=pool.id)
    item, member = floor.offer(reward, points=10), floor.enroll(100)
    floor.open()
    claimed = floor.claim(member, item)
    (voucher,) = floor.state.rows(Voucher)
    assert (voucher.member_id, voucher.redemption_id) == (member, floor.redemption_of(claimed).id)
    assert floor.redemption_of(claimed).state is RedemptionState.FULFILLED
    with pytest.raises(PoolEmpty):
        floor.claim(member, item)
    assert (floor.stock(item), floor.figures(member)) == ((1, 0, 9), (90, 0, 0, 0))
