"""A redemption's whole life: paid or lapsed, sent or picked up, in parts, cancelled and returned (L9, F3)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import checks, programs
from domain.kernel import NotFound
from domain.points.account import Hold, HoldState, MemberFrozen
from domain.policies import ExpiryKind, ExpiryPolicy
from domain.redemptions.ending import (
    CancelRedemption,
    FulfillRedemption,
    LapseRedemption,
    PayRedemption,
    PickUpRedemption,
    ReturnRedemption,
)
from domain.redemptions.redemption import (
    Address,
    Delivery,
    PaymentMismatch,
    Redeemed,
    RedemptionLapsed,
    RedemptionNotOpen,
    RedemptionPaid,
    RedemptionState,
    RedemptionUnpaid,
    part,
)
from domain.rewards.reward import DeliveryKind, Reward, RewardKind
from domain.rewards.stock import RewardStock, SoldOut, StockHold
from domain.vouchers.issuing import VouchersNotReturnable
from domain.vouchers.pool import PoolEmpty
from domain.vouchers.voucher import Voucher, VoucherState
from tests.domain.mall import Mall
from tests.domain.memory import START

NOBODY = UUID(int=99)
HOME = Address(name="Li Lei", phone="+8613800138000", country_code="CN", city="Hangzhou", street="1 Lake Road")
SHIPPED = Delivery(kind=DeliveryKind.SHIPPING, address=HOME)


@pytest.fixture
def member(mall: Mall) -> UUID:
    return mall.enroll(1_000)


@pytest.fixture
def cup(mall: Mall) -> Reward:
    """100 points and 9.90 yuan, five of them."""
    return mall.terms(100, stock=5, cash_minor=990)


def state(mall: Mall, redeemed: Redeemed) -> RedemptionState:
    return mall.row(type(redeemed.redemption), redeemed.redemption.id).state_at(mall.now)


# Paid in time, or not.


def test_f3_points_and_stock_are_held_until_the_cash_is_paid(mall: Mall, member: UUID, cup: Reward) -> None:
    redeemed = mall.take(member, cup, 2)
    redemption = redeemed.redemption
    assert (redemption.points, redemption.cash_minor, redemption.state) == (200, 1_980, RedemptionState.PLACED)
    assert redemption.pay_by == redemption.due_at == START + timedelta(minutes=15)
    assert (mall.figures(member), mall.left(cup)) == ((800, 0, 200, 0), 3)
    (held,) = mall.state.rows(StockHold)
    assert (held.id, held.quantity, held.state) == (redemption.id, 2, HoldState.HELD)
    mall.later(minutes=14)
    paid = mall.pay(redeemed).redemption
    assert mall.events == (RedemptionPaid(member_id=member, redemption_id=redemption.id),)
    assert (paid.state, paid.paid_at, paid.due_at, paid.payment_reference) == (
        RedemptionState.PAID,
        mall.now,
        None,
        "pay-1",
    )
    assert (mall.figures(member), mall.left(cup)) == ((800, 0, 0, 0), 3)
    assert mall.row(StockHold, redemption.id).state is HoldState.CAPTURED
    assert mall.account(member).lifetime_spent == 200
    assert mall.lapse(redeemed).is_repeat
    mall.replay(member)


def test_a_payment_told_twice_is_one(mall: Mall, member: UUID, cup: Reward) -> None:
    redeemed = mall.take(member, cup)
    first = mall.pay(redeemed)
    again = mall.pay(redeemed)
    assert (again.is_repeat, again.redemption) == (True, first.redemption)
    with pytest.raises(RedemptionNotOpen) as refused:
        mall.pay(redeemed, reference="pay-2")
    assert refused.value.details == {"state": "PAID"}


def test_what_is_wrong_with_a_payment_is_told_in_order(mall: Mall, member: UUID, cup: Reward) -> None:
    redeemed, free = mall.take(member, cup), mall.take(member, mall.reward(1))
    told = {"redemption_id": redeemed.redemption.id, "amount_minor": 990, "currency_code": "CNY", "reference": "p"}

    def refused(refusal: type[Exception], **other: Any) -> Any:
        with pytest.raises(refusal) as raised:
            mall.run(PayRedemption(**(told | other)))
        return raised.value

    refused(checks.TextInvalid, reference="", redemption_id=NOBODY)
    refused(NotFound, redemption_id=NOBODY, currency_code="EUR")
    refused(programs.CurrencyMismatch, currency_code="EUR", amount_minor=1)
    assert refused(PaymentMismatch, amount_minor=989).details == {"due": 990, "paid": 989}
    refused(RedemptionNotOpen, redemption_id=free.redemption.id)
    mall.freeze(member)
    refused(MemberFrozen)


def test_f3_what_is_not_paid_in_time_gives_points_and_stock_back_once(mall: Mall, member: UUID, cup: Reward) -> None:
    redeemed = mall.take(member, cup, 2)
    assert mall.lapse(redeemed).is_repeat
    assert state(mall, redeemed) is RedemptionState.PLACED
    mall.later(minutes=15)
    assert state(mall, redeemed) is RedemptionState.LAPSED
    pay_by = {"pay_by": (START + timedelta(minutes=15)).isoformat()}
    for attempt in (
        lambda: mall.pay(redeemed),
        lambda: mall.end(CancelRedemption, redeemed, reason="late"),
        lambda: mall.end(FulfillRedemption, redeemed),
    ):
        with pytest.raises(RedemptionLapsed) as refused:
            attempt()
        assert refused.value.details == pay_by
    lapsed = mall.lapse(redeemed)
    assert (lapsed.redemption.state, lapsed.redemption.due_at) == (RedemptionState.LAPSED, None)
    assert (mall.figures(member), mall.left(cup)) == ((1_000, 0, 0, 0), 5)
    assert mall.lapse(redeemed).is_repeat
    with pytest.raises(RedemptionLapsed) as again:
        mall.pay(redeemed)
    assert again.value.details == pay_by
    assert mall.left(cup) == 5
    mall.replay(member)


def test_f2_stock_that_lapsed_is_there_without_any_clock(mall: Mall, member: UUID) -> None:
    """Whoever comes next finds it, and the late clock gives it back no second time."""
    cup = mall.terms(10, stock=2, cash_minor=100, daily_stock=2)
    lapsing = mall.take(member, cup, 2)
    other = mall.enroll(100)
    with pytest.raises(SoldOut):
        mall.take(other, cup)
    mall.later(minutes=15)
    taken = mall.take(other, cup)
    assert (mall.left(cup), mall.row(RewardStock, cup.id).day_taken) == (1, 1)
    assert mall.row(StockHold, lapsing.redemption.id).state is HoldState.LAPSED
    assert mall.lapse(lapsing).redemption.state is RedemptionState.LAPSED
    assert mall.left(cup) == 1
    mall.pay(taken)
    assert (mall.left(cup), mall.figures(member)) == (1, (1_000, 0, 0, 0))


def test_lapsed_redemptions_do_not_count_towards_a_limit(mall: Mall, member: UUID) -> None:
    cup = mall.reward(10, limit_per_member=1, terms=mall.cash_terms(100))
    mall.take(member, cup)
    mall.later(minutes=15)
    mall.take(member, cup)


def test_another_process_whose_clock_is_ahead_has_lapsed_it_first(mall: Mall, member: UUID) -> None:
    cup = mall.terms(10, stock=1, cash_minor=100)
    redeemed = mall.take(member, cup)
    hold = mall.row(StockHold, redeemed.redemption.id)
    mall.state.keep((replace(hold, state=HoldState.LAPSED),))
    with pytest.raises(RedemptionLapsed):
        mall.pay(redeemed)


def test_an_unpaid_redemption_is_cancelled_whole(mall: Mall, member: UUID, cup: Reward) -> None:
    redeemed = mall.take(member, cup, 2)
    with pytest.raises(checks.NumberInvalid):
        mall.end(CancelRedemption, redeemed, reason="one", quantity=1)
    cancelled = mall.end(CancelRedemption, redeemed, reason="changed my mind")
    assert (cancelled.points_returned, cancelled.cash_minor) == (200, 0)
    assert (cancelled.redemption.state, cancelled.redemption.cancelled) == (RedemptionState.CANCELLED, 2)
    assert (mall.figures(member), mall.left(cup)) == ((1_000, 0, 0, 0), 5)
    (hold,) = (row for row in mall.state.rows(Hold))
    assert hold.state is HoldState.RELEASED


def test_nothing_is_handed_out_before_it_is_paid(mall: Mall, member: UUID) -> None:
    store = mall.store()
    cup = mall.terms(1, cash_minor=500, deliveries=(DeliveryKind.PICK_UP,))
    redeemed = mall.picking_up(member, cup, Delivery(kind=DeliveryKind.PICK_UP, store_id=store.id))
    code = redeemed.redemption.pickup_code or ""
    for command in (
        FulfillRedemption(redemption_id=redeemed.redemption.id),
        PickUpRedemption(pickup_code=code, store_id=store.id),
    ):
        with pytest.raises(RedemptionUnpaid) as refused:
            mall.run(command)
        assert refused.value.details == {"due": 500}
    mall.pay(redeemed)
    assert mall.run(PickUpRedemption(pickup_code=code, store_id=store.id)).redemption.fulfilled == 1


# Cancelled and returned, in parts.


def test_l9_parts_give_back_the_whole_and_no_more(mall: Mall, member: UUID) -> None:
    """3 for 101 points each by a price that does not divide: every share is exact in the end."""
    cup = mall.terms(33, stock=10, cash_minor=333)
    redeemed = mall.take(member, cup, 3)
    mall.pay(redeemed)
    mall.end(FulfillRedemption, redeemed, quantity=1)
    returned = mall.end(ReturnRedemption, redeemed, reason="broken")
    cancelled = mall.end(CancelRedemption, redeemed, reason="one", quantity=1)
    last = mall.end(CancelRedemption, redeemed, reason="two")
    assert [one.points_returned for one in (returned, cancelled, last)] == [33, 33, 33]
    assert [one.cash_minor for one in (returned, cancelled, last)] == [333, 333, 333]
    assert last.redemption.state is RedemptionState.RETURNED
    assert (mall.figures(member), mall.left(cup)) == ((1_000, 0, 0, 0), 10)
    assert mall.account(member).lifetime_spent == 0
    mall.replay(member)


def test_l9_shares_of_what_does_not_divide_sum_to_the_whole() -> None:
    assert [part(100, before, before + 1, 3) for before in range(3)] == [33, 33, 34]
    assert part(100, 0, 3, 3) == 100
    assert sum(part(7, before, before + 1, 1_000) for before in range(1_000)) == 7


def test_what_came_back_can_be_left_off_the_shelf(mall: Mall, member: UUID) -> None:
    cup = mall.reward(10, stock=5)
    redeemed = mall.take(member, cup, 2)
    mall.end(FulfillRedemption, redeemed)
    returned = mall.end(ReturnRedemption, redeemed, reason="broken", quantity=1, is_restocked=False)
    assert (returned.redemption.state, returned.redemption.returned) == (RedemptionState.FULFILLED, 1)
    assert (returned.points_returned, mall.left(cup)) == (10, 3)
    whole = mall.end(ReturnRedemption, redeemed, reason="broken")
    assert (whole.redemption.state, mall.left(cup)) == (RedemptionState.RETURNED, 4)
    with pytest.raises(RedemptionNotOpen) as refused:
        mall.end(ReturnRedemption, redeemed, reason="broken")
    assert refused.value.details == {"state": "RETURNED"}


def test_l4_points_of_a_return_come_back_with_their_expiry(mall: Mall) -> None:
    mall.update(expiry=ExpiryPolicy(kind=ExpiryKind.DAYS, count=10))
    member = mall.enroll(100)
    redeemed = mall.take(member, mall.reward(100))
    mall.end(FulfillRedemption, redeemed)
    mall.later(days=3)
    assert mall.end(ReturnRedemption, redeemed, reason="no").points_returned == 100
    mall.later(days=8)
    assert mall.settle(member).available == 0
    mall.replay(member)


# Vouchers for points.


def test_s30_a_hundred_points_are_a_voucher_of_ten_yuan_at_once(mall: Mall, member: UUID) -> None:
    pool = mall.pool(left=2)
    reward = mall.terms(100, kind=RewardKind.VOUCHER, pool_id=pool.id)
    redeemed = mall.take(member, reward, 2)
    assert (redeemed.redemption.state, redeemed.redemption.fulfilled) == (RedemptionState.FULFILLED, 2)
    vouchers = mall.state.rows(Voucher)
    assert [(row.member_id, row.redemption_id) for row in vouchers] == [(member, redeemed.redemption.id)] * 2
    with pytest.raises(PoolEmpty) as refused:
        mall.take(member, reward)
    assert refused.value.details == {"requested": 1, "left": 0}
    assert mall.figures(member) == (800, 0, 0, 0)
    back = mall.end(ReturnRedemption, redeemed, reason="no", quantity=1)
    assert (back.points_returned, back.redemption.state) == (100, RedemptionState.FULFILLED)
    assert [row.state for row in mall.state.rows(Voucher)] == [VoucherState.ISSUED, VoucherState.VOID]


def test_a_used_voucher_does_not_come_back_for_points(mall: Mall, member: UUID) -> None:
    reward = mall.terms(100, kind=RewardKind.VOUCHER, pool_id=mall.pool().id)
    redeemed = mall.take(member, reward)
    (voucher,) = mall.state.rows(Voucher)
    mall.lock(voucher)
    with pytest.raises(VouchersNotReturnable) as refused:
        mall.end(ReturnRedemption, redeemed, reason="no")
    assert refused.value.details == {"requested": 1, "unused": 0}
    assert mall.figures(member) == (900, 0, 0, 0)


def test_lapsing_what_is_not_there_is_refused(mall: Mall) -> None:
    with pytest.raises(NotFound):
        mall.run(LapseRedemption(redemption_id=NOBODY))
