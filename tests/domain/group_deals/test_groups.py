"""Groups: opened, joined, filled in one command, left, or failed by the clock alone."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.audiences import Audience
from domain.group_deals.deal import DealNotOpen
from domain.group_deals.group import (
    AlreadyJoined,
    DealGroupFilled,
    DealGroupJoined,
    DealGroupOpened,
    GroupFull,
    GroupLimitReached,
    GroupRef,
    GroupState,
    GroupUnknown,
    SeatState,
)
from domain.group_deals.joining import JoinDealGroup, OpenDealGroup
from domain.kernel import NotFound, Refusal
from domain.points.account import DebtOutstanding, HoldState, InsufficientPoints, MemberFrozen
from domain.redemptions.ending import CancelRedemption, FulfillRedemption, ReturnRedemption
from domain.redemptions.redemption import Redemption, RedemptionOrigin, RedemptionState, RewardRedeemed, WrongStore
from domain.rewards.availability import NotEligible, NotInAudience
from domain.rewards.commands import UpdateReward
from domain.rewards.reward import RewardKind
from domain.rewards.stock import RewardStock, SoldOut
from domain.stores import StoreClosed, UpdateStore
from domain.trade import EndTradeRule, RedeemingCapped, TradeEffect, TradeKind
from domain.vouchers.pool import GenerateVoucherCodes, PoolEmpty, Supply
from tests.domain.deals import Deals, check_groups, check_points
from tests.domain.memory import START, ref


@pytest.fixture
def shop() -> Deals:
    return Deals()


# Opening and joining.


def test_who_opens_a_group_holds_its_points_and_units_for_all(shop: Deals) -> None:
    member, deal = shop.enroll(100), shop.deal(units=10)
    seated = shop.open(member, deal)
    group, seat = seated.group, seated.seat
    assert (group.state, group.taken, group.missing, group.member_ids) == (GroupState.OPEN, 1, 2, (member,))
    assert group.lapses_at == group.due_at == seat.lapses_at == START + timedelta(minutes=60)
    assert (seat.state, seat.is_opener, seat.redemption_id) == (SeatState.HELD, True, None)
    assert len(group.code) == 10
    assert shop.figures(member) == (40, 0, 60, 0)
    assert shop.units(deal) == (3, 0, 7)
    assert shop.events == (DealGroupOpened(member_id=member, deal_id=deal.id, group_id=group.id),)


def test_whoever_comes_in_between_holds_its_points_too(shop: Deals) -> None:
    members, deal = [shop.enroll(60) for _ in range(2)], shop.deal(units=3)
    group = shop.open(members[0], deal).group
    seated = shop.run(JoinDealGroup(member=ref(members[1]), group=GroupRef(code=f" {group.code.lower()} ")))
    assert (seated.group.state, seated.group.member_ids) == (GroupState.OPEN, tuple(members))
    assert not seated.seat.is_opener
    assert [shop.figures(member) for member in members] == [(0, 0, 60, 0)] * 2
    assert shop.units(deal) == (3, 0, 0)
    assert shop.events == (DealGroupJoined(member_id=members[1], deal_id=deal.id, group_id=group.id, taken=2, size=3),)


def test_the_last_to_come_makes_redemptions_of_all_seats_in_the_same_command(shop: Deals) -> None:
    members, reward = [shop.enroll(100) for _ in range(3)], shop.reward(100, stock=5)
    deal = shop.deal(reward, units=3)
    group = shop.open(members[0], deal).group
    shop.come(members[1], group)
    last = shop.come(members[2], group)
    assert (last.group.state, last.group.ended_at, last.group.due_at) == (GroupState.FILLED, START, None)
    assert (last.account.available, last.account.held) == (40, 0)
    assert [shop.figures(member) for member in members] == [(40, 0, 0, 0)] * 3
    assert shop.units(deal) == (0, 3, 0)
    for member in members:
        seat = shop.seat(group, member)
        assert (seat.state, seat.ended_at) == (SeatState.REDEEMED, START)
        assert [hold.state for hold in shop.holds(member)] == [HoldState.CAPTURED]
        assert shop.history(member)[-2:] == [("HOLD", -60), ("CAPTURE", -60)]
        assert seat.redemption_id is not None
        redemption = shop.row(Redemption, seat.redemption_id)
        assert (redemption.origin, redemption.origin_id) == (RedemptionOrigin.GROUP_DEAL, seat.id)
        assert (redemption.points, redemption.cash_minor, redemption.quantity) == (60, 0, 1)
        assert redemption.state is RedemptionState.PLACED
    # The units are the deal's own: the reward's shelf is as it was.
    assert shop.row(RewardStock, reward.id).left == 5
    check_groups(shop.state)
    assert check_points(shop.state) == 3


def test_everybody_is_told_that_a_group_is_filled(shop: Deals) -> None:
    members, deal = [shop.enroll(100) for _ in range(2)], shop.deal(size=2)
    group = shop.filled(deal, *members)
    redemptions = [shop.seat(group, member).redemption_id for member in members]
    joined, *told = shop.events
    assert joined == DealGroupJoined(member_id=members[1], deal_id=deal.id, group_id=group.id, taken=2, size=2)
    filled = [event for event in told if isinstance(event, DealGroupFilled)]
    assert [(event.member_id, event.redemption_id) for event in filled] == list(zip(members, redemptions, strict=True))
    redeemed = [event for event in told if isinstance(event, RewardRedeemed)]
    assert [(event.member_id, event.points, event.quantity) for event in redeemed] == [
        (member, 60, 1) for member in members
    ]


def test_a_group_of_fifty_is_filled_in_one_command(shop: Deals) -> None:
    members, deal = [shop.enroll(60) for _ in range(50)], shop.deal(size=50, units=50)
    group = shop.filled(deal, *members)
    assert (group.state, group.taken) == (GroupState.FILLED, 50)
    assert {shop.figures(member) for member in members} == {(0, 0, 0, 0)}
    assert shop.units(deal) == (0, 50, 0)
    check_groups(shop.state)


def test_what_a_seat_bought_is_cancelled_like_any_redemption(shop: Deals) -> None:
    members, deal = [shop.enroll(60) for _ in range(2)], shop.deal(size=2, units=2)
    group = shop.filled(deal, *members)
    for member, command in zip(members, (CancelRedemption, ReturnRedemption), strict=True):
        redemption_id = shop.seat(group, member).redemption_id
        assert redemption_id is not None
        if command is ReturnRedemption:
            shop.run(FulfillRedemption(redemption_id=redemption_id))
        returned = shop.run(command(redemption_id=redemption_id, reason="no"))
        assert (returned.points_returned, returned.account.available) == (60, 60)
    # The group stays filled, and its units sold.
    assert (shop.group(group).state, shop.units(deal)) == (GroupState.FILLED, (0, 2, 0))


# What is refused, and in which order.


def test_a_group_is_full_for_whoever_comes_after_the_last(shop: Deals) -> None:
    deal = shop.deal(size=2)
    group = shop.filled(deal, shop.enroll(60), shop.enroll(60))
    with pytest.raises(GroupFull) as refused:
        shop.come(shop.enroll(60), group)
    assert refused.value.details == {"size": 2, "filled_at": START.isoformat()}


def test_a_member_has_one_seat_in_a_group(shop: Deals) -> None:
    member, deal = shop.enroll(200), shop.deal()
    group = shop.open(member, deal).group
    with pytest.raises(AlreadyJoined) as refused:
        shop.come(member, group)
    assert refused.value.details == {"size": 3, "taken": 1}
    other = shop.filled(deal, *(shop.enroll(60) for _ in range(2)), member)
    with pytest.raises(AlreadyJoined):
        shop.come(member, other)


def test_the_last_instant_before_the_deadline_counts(shop: Deals) -> None:
    members, deal = [shop.enroll(60) for _ in range(2)], shop.deal(size=2)
    group = shop.open(members[0], deal).group
    shop.now = group.lapses_at - timedelta(microseconds=1)
    assert shop.come(members[1], group).group.state is GroupState.FILLED


def test_deals_open_and_close(shop: Deals) -> None:
    starts_at, ends_at = START + timedelta(hours=1), START + timedelta(hours=2)
    member, other, deal = shop.enroll(200), shop.enroll(200), shop.deal(starts_at=starts_at, ends_at=ends_at)
    numbers = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
    with pytest.raises(DealNotOpen) as early:
        shop.open(member, deal)
    assert early.value.details == {"why": f"it starts at {starts_at.isoformat()}", **numbers}
    shop.later(minutes=90)
    group = shop.open(member, deal).group
    # No group waits beyond the end of its deal.
    assert group.lapses_at == ends_at
    shop.edit_deal(deal, is_active=False)
    for attempt in (lambda: shop.open(other, deal), lambda: shop.come(other, group)):
        with pytest.raises(DealNotOpen) as closed:
            attempt()
        assert closed.value.details["why"] == "it is not active"
    shop.edit_deal(deal, is_active=True)
    shop.run(UpdateReward(reward_id=deal.reward_id, is_active=False))
    with pytest.raises(DealNotOpen) as without:
        shop.come(other, group)
    assert without.value.details["why"] == "its reward is not active"
    shop.run(UpdateReward(reward_id=deal.reward_id, is_active=True))
    shop.now = ends_at
    with pytest.raises(DealNotOpen) as late:
        shop.open(other, deal)
    assert late.value.details["why"] == f"it ended at {ends_at.isoformat()}"


def test_a_deal_is_for_its_audience(shop: Deals) -> None:
    deal = shop.deal(audience=Audience(tags=("vip",)))
    with pytest.raises(NotEligible):
        shop.open(shop.enroll(100), deal)
    group = shop.open(shop.tagged(100, "vip"), deal).group
    with pytest.raises(NotEligible):
        shop.come(shop.enroll(100), group)
    shop.come(shop.tagged(100, "vip"), group)


def test_a_member_is_in_no_more_groups_than_allowed(shop: Deals) -> None:
    member, deal = shop.enroll(1000), shop.deal(size=2, limit_per_member=2)
    shop.filled(deal, member, shop.enroll(60))
    failing = shop.open(member, deal).group
    with pytest.raises(GroupLimitReached) as refused:
        shop.open(member, deal)
    assert refused.value.details == {"limit": 2, "taken": 2}
    other = shop.open(shop.enroll(60), deal).group
    with pytest.raises(GroupLimitReached):
        shop.come(member, other)
    # What failed or was left no longer counts, and another deal has a limit of its own.
    shop.leave(member, failing)
    shop.open(member, shop.deal())
    shop.open(member, deal)
    shop.later(minutes=60)
    shop.open(member, deal)


def test_units_are_sold_out_when_no_whole_group_is_left(shop: Deals) -> None:
    deal = shop.deal(units=5)
    group = shop.open(shop.enroll(60), deal).group
    with pytest.raises(SoldOut) as refused:
        shop.open(shop.enroll(60), deal)
    assert refused.value.details == {"requested": 3, "left": 2}
    # Whoever finds a seat finds a unit too.
    shop.come(shop.enroll(60), group)
    assert shop.come(shop.enroll(60), group).group.state is GroupState.FILLED
    assert shop.units(deal) == (0, 3, 2)


def test_points_that_are_not_there_are_not_held(shop: Deals) -> None:
    poor, deal = shop.enroll(59), shop.deal()
    group = shop.open(shop.enroll(60), deal).group
    for attempt in (lambda: shop.open(poor, deal), lambda: shop.come(poor, group)):
        with pytest.raises(InsufficientPoints) as refused:
            attempt()
        assert refused.value.details == {"required": 60, "available": 59}
    debtor = shop.enroll()
    bought = shop.buy(debtor, 10_000).purchase
    shop.spend(debtor, 100)
    shop.refund(bought)
    with pytest.raises(DebtOutstanding):
        shop.come(debtor, group)


def test_refusals_come_in_their_order(shop: Deals) -> None:
    """Each obstacle that is cleared away leaves the next one."""
    vip = Audience(tags=("vip",))
    pool = shop.pool(supply=Supply.STOCK)
    reward = shop.terms(100, kind=RewardKind.VOUCHER, pool_id=pool.id)
    deal = shop.deal(reward, audience=vip, size=2, limit_per_member=1, units=1)
    member, store = shop.tagged(0, "other"), shop.store()
    shop.run(UpdateStore(store_id=store.id, is_closed=True))
    shop.freeze(member)
    shop.edit_deal(deal, is_active=False)
    told = OpenDealGroup(member=ref(member), deal_id=deal.id, store_id=store.id)

    def refused() -> type[Refusal]:
        with pytest.raises(Refusal) as found:
            shop.run(told)
        return found.type

    order: list[type[Refusal]] = [refused()]
    shop.freeze(member, is_frozen=False)
    order.append(refused())
    shop.edit_deal(deal, is_active=True)
    order.append(refused())
    shop.retag(member, "vip")
    order.append(refused())
    shop.run(GenerateVoucherCodes(pool_id=pool.id, count=5))
    order.append(refused())
    shop.run(UpdateStore(store_id=store.id, is_closed=False))
    rule = shop.rule(TradeKind.REDEEMING, TradeEffect.CAPPED, points_max=10)
    order.append(refused())
    shop.run(EndTradeRule(rule_id=rule.id))
    order.append(refused())
    shop.edit_deal(deal, units=2)
    order.append(refused())
    shop.adjust(member, 60)
    shop.run(told)
    order.append(refused())
    assert order == [
        MemberFrozen,
        DealNotOpen,
        NotInAudience,
        PoolEmpty,
        StoreClosed,
        RedeemingCapped,
        SoldOut,
        InsufficientPoints,
        GroupLimitReached,
    ]


def test_who_or_what_is_unknown_is_not_found(shop: Deals) -> None:
    member, deal = shop.enroll(100), shop.deal()
    nobody = UUID(int=7)
    with pytest.raises(NotFound):
        shop.run(OpenDealGroup(member=ref(member), deal_id=nobody))
    with pytest.raises(NotFound):
        shop.open(nobody, deal)
    for unknown in (GroupRef(code="NOSUCHCODE"), GroupRef(code="?")):
        with pytest.raises(GroupUnknown):
            shop.run(JoinDealGroup(member=ref(member), group=unknown))
    with pytest.raises(NotFound):
        shop.run(JoinDealGroup(member=ref(member), group=GroupRef(id=nobody)))
    group = shop.open(member, deal).group
    with pytest.raises(NotFound):
        shop.come(nobody, group)


def test_rules_for_redeeming_and_the_reward_s_stores_count_when_a_seat_is_taken(shop: Deals) -> None:
    shop.rule(TradeKind.REDEEMING, TradeEffect.CAPPED, points_max=100)
    here, there = shop.store("S1"), shop.store("S2")
    deal = shop.deal(shop.terms(100, store_ids=(here.id,)))
    with pytest.raises(WrongStore):
        shop.open(shop.enroll(60), deal, store_id=there.id)
    group = shop.open(shop.enroll(60), deal, store_id=here.id).group
    with pytest.raises(RedeemingCapped) as refused:
        shop.come(shop.enroll(60), group, store_id=here.id)
    assert refused.value.details == {"limit": 100, "used": 60, "requested": 60}
