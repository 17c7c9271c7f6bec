"""Prizes: what is given, what it costs, and what cannot be promised."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from domain import prizes
from domain.chances import ChanceGrant, LotteryClosed, LotteryStanding, standing_id
from domain.kernel import Command, Decision, NotFound, Refusal, State
from domain.lotteries.lottery import Lottery, LotteryKind, LotteryPrize
from domain.lotteries.saving import CloseLottery, PublishLottery, SaveLottery
from domain.points.account import SourceType
from domain.points.book import Source
from domain.points.posting import open_posting
from domain.prizes import Prize, PrizeInvalid, PrizeKind, Won
from domain.redemptions.delivering import ChooseDelivery
from domain.redemptions.ending import CancelRedemption, FulfillRedemption, ReturnRedemption
from domain.redemptions.redemption import (
    Address,
    Delivery,
    DeliveryInvalid,
    RedemptionOrigin,
    RedemptionState,
    RedemptionUnknown,
)
from domain.rewards.availability import LimitReached
from domain.rewards.reward import DeliveryKind, RewardKind
from domain.rewards.stock import RewardStock
from domain.vouchers.pool import PoolEmpty, Supply, VoucherPool
from domain.vouchers.voucher import VoucherOrigin
from tests.domain.mall import Mall

WON_IN = UUID(int=77)
NOBODY = UUID(int=99)
HOME = Address(name="Li Lei", phone="+8613800138000", country_code="CN", city="Hangzhou", street="1 Lake Road")
SHIPPED = Delivery(kind=DeliveryKind.SHIPPING, address=HOME)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivePrize(Command[Won]):
    """Give a prize, as lotteries, boards and challenges do."""

    member_id: UUID
    prize: Prize

    def decide(self, state: State) -> Decision[Won]:
        prize = prizes.check(state, "prize", self.prize)
        posting = open_posting(state, self.member_id)
        won = prizes.give(posting, prize, Source(SourceType.PRIZE, WON_IN), rule="lottery")
        return Decision(won, save=(*posting.close(), *won.save), events=(*won.events, *posting.events))


@pytest.fixture
def member(mall: Mall) -> UUID:
    return mall.enroll(1_000)


def give(mall: Mall, member: UUID, kind: PrizeKind, **told: Any) -> Won:
    return mall.run(GivePrize(member_id=member, prize=Prize(kind=kind, **told)))


def test_nothing_changes_nothing(mall: Mall, member: UUID) -> None:
    before = mall.account(member)
    assert give(mall, member, PrizeKind.NOTHING) == Won(prize=Prize(kind=PrizeKind.NOTHING))
    assert mall.account(member) == before


def test_points_are_earned_through_the_ledger_and_are_available_at_once(mall: Mall, member: UUID) -> None:
    won = give(mall, member, PrizeKind.POINTS, points=50)
    last = mall.transactions(member)[-1]
    assert (won.points, won.transaction_id) == (50, last.id)
    assert (last.kind, last.amount, last.source_type, last.source_id, last.rule) == (
        "EARN",
        50,
        "PRIZE",
        WON_IN,
        "lottery",
    )
    assert mall.figures(member) == (1_050, 0, 0, 0)


def test_a_voucher_comes_out_of_its_pool(mall: Mall, member: UUID) -> None:
    pool = mall.stocked(1)
    won = give(mall, member, PrizeKind.VOUCHER, pool_id=pool.id)
    assert won.voucher is not None
    assert (won.voucher.member_id, won.voucher.origin) == (member, VoucherOrigin.PRIZE)
    assert (mall.row(VoucherPool, pool.id).left, mall.row(VoucherPool, pool.id).given) == (0, 1)
    with pytest.raises(PoolEmpty):
        give(mall, member, PrizeKind.VOUCHER, pool_id=pool.id)


def test_an_item_is_a_redemption_that_costs_nothing_and_leaves_the_shelf_alone(mall: Mall, member: UUID) -> None:
    cup = mall.terms(10, stock=1, deliveries=(DeliveryKind.SHIPPING,))
    redemption = give(mall, member, PrizeKind.ITEM, reward_id=cup.id).redemption
    assert redemption is not None
    assert (redemption.points, redemption.transaction_id, redemption.state) == (0, None, RedemptionState.PLACED)
    assert (redemption.origin, redemption.origin_id) == (RedemptionOrigin.PRIZE, WON_IN)
    assert (mall.left(cup), mall.figures(member)) == (1, (1_000, 0, 0, 0))


def test_what_was_won_waits_for_an_address_and_then_comes_like_any_other(mall: Mall, member: UUID) -> None:
    cup = mall.terms(10, deliveries=(DeliveryKind.SHIPPING,))
    redemption = give(mall, member, PrizeKind.ITEM, reward_id=cup.id).redemption
    assert redemption is not None
    with pytest.raises(RedemptionUnknown):
        mall.run(ChooseDelivery(redemption_id=redemption.id, delivery=SHIPPED, member_id=NOBODY))
    with pytest.raises(DeliveryInvalid):
        mall.run(ChooseDelivery(redemption_id=redemption.id, delivery=Delivery(kind=DeliveryKind.PICK_UP)))
    chosen = mall.run(ChooseDelivery(redemption_id=redemption.id, delivery=SHIPPED, member_id=member))
    assert chosen.redemption.delivery == SHIPPED
    mall.end(FulfillRedemption, chosen, tracking_number="SF1")
    returned = mall.end(ReturnRedemption, chosen, reason="broken")
    assert (returned.redemption.state, returned.points_returned) == (RedemptionState.RETURNED, 0)
    assert mall.row(RewardStock, cup.id).left is None


def test_what_is_on_its_way_is_not_sent_elsewhere(mall: Mall, member: UUID) -> None:
    cup = mall.terms(10, deliveries=(DeliveryKind.SHIPPING,))
    taken = mall.take(member, cup, 2, delivery=SHIPPED)
    mall.end(FulfillRedemption, taken, quantity=1)
    with pytest.raises(DeliveryInvalid):
        mall.run(ChooseDelivery(redemption_id=taken.redemption.id, delivery=SHIPPED))


def test_a_pick_up_code_is_made_when_a_store_is_chosen_and_stays_when_another_is(mall: Mall, member: UUID) -> None:
    first, second = mall.store("S1"), mall.store("S2")
    cup = mall.terms(10, deliveries=(DeliveryKind.PICK_UP,))
    redemption = give(mall, member, PrizeKind.ITEM, reward_id=cup.id).redemption
    assert redemption is not None
    assert redemption.pickup_code is None
    codes = [
        mall.run(
            ChooseDelivery(redemption_id=redemption.id, delivery=Delivery(kind=DeliveryKind.PICK_UP, store_id=store.id))
        ).redemption.pickup_code
        for store in (first, second)
    ]
    assert codes[0] is not None
    assert codes[0] == codes[1]


def test_a_cancelled_prize_gives_no_points_and_no_stock(mall: Mall, member: UUID) -> None:
    cup = mall.terms(10, stock=5, kind=RewardKind.ITEM)
    redemption = give(mall, member, PrizeKind.ITEM, reward_id=cup.id).redemption
    assert redemption is not None
    cancelled = mall.run(CancelRedemption(redemption_id=redemption.id, reason="declined"))
    assert (cancelled.redemption.state, cancelled.points_returned) == (RedemptionState.CANCELLED, 0)
    assert (mall.left(cup), mall.figures(member)) == (5, (1_000, 0, 0, 0))


@pytest.mark.parametrize(
    ("told", "part"),
    [
        ({"kind": PrizeKind.NOTHING, "points": 5}, "points"),
        ({"kind": PrizeKind.POINTS, "points": 5, "reward_id": WON_IN}, "rewardId"),
        ({"kind": PrizeKind.VOUCHER}, "poolId"),
        ({"kind": PrizeKind.ITEM}, "rewardId"),
        ({"kind": PrizeKind.ITEM, "pool_id": WON_IN}, "poolId"),
    ],
)
def test_a_prize_tells_what_its_kind_has_and_no_more(mall: Mall, member: UUID, told: dict[str, Any], part: str) -> None:
    with pytest.raises(PrizeInvalid) as refused:
        give(mall, member, **told)
    assert refused.value.field == ("prize", part)


def test_what_is_promised_must_be_there(mall: Mall, member: UUID) -> None:
    for kind, part in ((PrizeKind.VOUCHER, "pool_id"), (PrizeKind.ITEM, "reward_id")):
        with pytest.raises(NotFound):
            give(mall, member, kind, **{part: NOBODY})
    brought = mall.stocked(2, supply=Supply.BROUGHT)
    with pytest.raises(PrizeInvalid, match="brought"):
        give(mall, member, PrizeKind.VOUCHER, pool_id=brought.id)
    voucher = mall.terms(10, kind=RewardKind.VOUCHER, pool_id=mall.pool().id)
    with pytest.raises(PrizeInvalid, match="poolId"):
        give(mall, member, PrizeKind.ITEM, reward_id=voucher.id)


# Chances in a lottery.


def test_chances_are_given_in_a_published_lottery(mall: Mall, member: UUID) -> None:
    lottery = published(mall)
    give(mall, member, PrizeKind.CHANCE, chances=3, lottery_id=lottery.id)
    give(mall, member, PrizeKind.CHANCE, chances=2, lottery_id=lottery.id)
    assert mall.row(LotteryStanding, standing_id(member, lottery.id)).chances == 5
    assert [(row.chances, row.reason) for row in mall.state.rows(ChanceGrant)] == [
        (3, f"prize of PRIZE {WON_IN}"),
        (2, f"prize of PRIZE {WON_IN}"),
    ]


def test_two_gifts_of_chances_at_once_are_both_kept(mall: Mall, member: UUID) -> None:
    """In one command, of which the second sees what the first has left."""
    lottery = published(mall)
    prize = Prize(kind=PrizeKind.CHANCE, chances=2, lottery_id=lottery.id)
    mall.run(GiveTwice(member_id=member, prize=prize))
    assert mall.row(LotteryStanding, standing_id(member, lottery.id)).chances == 4


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"chances": 1}, ("prize", "lotteryId")),
        ({"chances": 0, "lottery_id": NOBODY}, ("prize.chances",)),
        ({"chances": 1_001, "lottery_id": NOBODY}, ("prize.chances",)),
        ({"chances": 1, "lottery_id": NOBODY}, ("prize", "lotteryId")),
        ({"chances": 1, "lottery_id": NOBODY, "points": 1}, ("prize", "points")),
    ],
)
def test_chances_that_cannot_be_given(mall: Mall, member: UUID, told: dict[str, Any], field: tuple[str, ...]) -> None:
    with pytest.raises(Refusal) as refused:
        give(mall, member, PrizeKind.CHANCE, **told)
    assert refused.value.field == field


def test_chances_in_a_lottery_that_is_over_are_refused(mall: Mall, member: UUID) -> None:
    lottery = published(mall)
    mall.run(CloseLottery(lottery_id=lottery.id, reason="test"))
    with pytest.raises(LotteryClosed):
        give(mall, member, PrizeKind.CHANCE, chances=1, lottery_id=lottery.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveTwice(Command[Won]):
    """Give the same prize for two things that happen at once."""

    member_id: UUID
    prize: Prize

    def decide(self, state: State) -> Decision[Won]:
        posting = open_posting(state, self.member_id)
        for _ in range(2):
            won = prizes.give(posting, self.prize, Source(SourceType.PRIZE, WON_IN))
        return Decision(won, save=posting.close())


def published(mall: Mall) -> Lottery:
    """A lottery in which chances can be given."""
    nothing = LotteryPrize(code="none", name="Thanks", prize=Prize(kind=PrizeKind.NOTHING))
    told = SaveLottery(code="spring", name="Spring", kind=LotteryKind.INSTANT, rules="Draw.", prizes=(nothing,))
    return mall.run(PublishLottery(lottery_id=mall.run(told).id))


def test_what_was_won_counts_against_no_limit_of_the_mall(mall: Mall, member: UUID) -> None:
    cup = mall.reward(10, limit_per_member=1)
    give(mall, member, PrizeKind.ITEM, reward_id=cup.id)
    mall.take(member, cup)
    with pytest.raises(LimitReached):
        mall.take(member, cup)
