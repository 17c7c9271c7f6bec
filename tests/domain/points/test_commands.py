"""Adjusting, transferring, holding, capturing, releasing, settling, freezing (L10, L12)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import checks, tiers
from domain.enrollments import EnrollMember
from domain.kernel import NotFound
from domain.members import MemberRef, MemberRefInvalid, Profile
from domain.points import commands
from domain.points.account import (
    AccountStatus,
    DebtOutstanding,
    Hold,
    HoldNotOpen,
    HoldState,
    InsufficientPoints,
    LotState,
    MemberFrozen,
    PointsOverflow,
    SourceType,
    TransactionKind,
)
from domain.programs import HOLD_MINUTES_MAX, ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from tests.domain.memory import START, ref
from tests.domain.shop import Shop

DAYS_30 = ExpiryPolicy(kind=ExpiryKind.DAYS, count=30)
IDLE_30 = ExpiryPolicy(kind=ExpiryKind.INACTIVITY, count=30)
OVER = datetime(2026, 2, 14, 16, tzinfo=UTC)  # when points earned at START under DAYS_30 are over
INSTANT = timedelta(microseconds=1)
NOBODY = UUID(int=99)


# Adjusting.


def test_p1_an_adjustment_keeps_its_reason_its_actor_and_a_source_of_its_own(shop: Shop) -> None:
    member = shop.enroll()
    moved = shop.run(commands.AdjustPoints(member=ref(member), points=100, reason="  sorry  "), actor="li")
    assert (moved.transaction.reason, moved.transaction.actor) == ("sorry", "li")
    assert moved.transaction.source_type is SourceType.ADJUSTMENT
    again = shop.adjust(member, 1)
    assert again.transaction.source_id != moved.transaction.source_id
    assert again.account.available == 101


def test_a_credit_by_hand_is_available_at_once_and_expires_like_points_earned_today() -> None:
    shop = Shop(expiry=DAYS_30, pending=PendingPolicy(PendingKind.AFTER, days=7))
    member = shop.enroll(100)
    (lot,) = shop.lots(member)
    assert (lot.state, lot.available_at, lot.expires_at) == (LotState.ACTIVE, START, OVER)


def test_a_credit_by_hand_counts_as_activity() -> None:
    shop = Shop(expiry=IDLE_30)
    member = shop.enroll(100)
    (lot,) = shop.lots(member)
    assert (lot.expires_at, lot.expires_when_idle) == (None, True)
    assert shop.account(member).idle_expires_at == OVER


def test_a_debit_by_hand_draws_in_spend_order_and_is_not_spending(shop: Shop) -> None:
    member = shop.enroll(100)
    moved = shop.adjust(member, -30)
    assert (moved.transaction.kind, moved.transaction.amount) == (TransactionKind.ADJUST, -30)
    assert shop.draws(moved.transaction.id) == [(shop.lots(member)[0].id, 30)]
    assert moved.account.lifetime_spent == 0
    with pytest.raises(InsufficientPoints) as refused:
        shop.adjust(member, -71)
    assert refused.value.details == {"required": 71, "available": 70}
    shop.replay(member)


@pytest.mark.parametrize("points", [0, checks.POINTS_MAX + 1, -checks.POINTS_MAX - 1])
def test_an_adjustment_is_within_bounds(shop: Shop, points: int) -> None:
    with pytest.raises(checks.PointsInvalid):
        shop.adjust(shop.enroll(), points)


def test_what_is_wrong_with_an_adjustment_is_told_in_order(shop: Shop) -> None:
    def adjust(**told: Any) -> None:
        shop.run(commands.AdjustPoints(**{"member": ref(NOBODY), "points": 0, "reason": "", **told}))

    with pytest.raises(checks.TextInvalid):
        adjust()
    with pytest.raises(checks.PointsInvalid):
        adjust(reason="why")
    with pytest.raises(NotFound):
        adjust(reason="why", points=-1)
    with pytest.raises(InsufficientPoints):
        adjust(reason="why", points=-1, member=ref(shop.enroll()))
    with pytest.raises(checks.TextInvalid):
        adjust(reason="y" * 501)


# Transferring.


def test_transferred_points_keep_their_expiry_one_lot_for_each() -> None:
    shop = Shop(expiry=DAYS_30)
    sender, recipient = shop.enroll(), shop.enroll()
    shop.buy(sender, 1_000, occurred_at=START - timedelta(days=5))
    shop.buy(sender, 1_000)
    shop.buy(sender, 500)
    transferred = shop.transfer(sender, recipient, 22)
    old, young = shop.lots(recipient)
    assert (old.amount, old.expires_at) == (10, OVER - timedelta(days=5))
    assert (young.amount, young.expires_at) == (12, OVER)
    assert old.state is young.state is LotState.ACTIVE
    assert (transferred.outgoing.amount, transferred.incoming.amount) == (-22, 22)
    assert transferred.outgoing.source_id == transferred.incoming.source_id
    assert (transferred.sender.available, transferred.recipient.available) == (3, 22)
    shop.replay(sender)
    shop.replay(recipient)


def test_transferred_points_that_expire_by_inactivity_keep_the_senders_date() -> None:
    shop = Shop(expiry=IDLE_30)
    sender, recipient = shop.enroll(100), shop.enroll()
    shop.transfer(sender, recipient, 100)
    shop.later(days=20)
    shop.buy(recipient, 1_000)
    (given, _) = shop.lots(recipient)
    assert (given.expires_at, given.expires_when_idle) == (OVER, False)


def test_a_transfer_neither_qualifies_nor_is_earned_or_spent(shop: Shop) -> None:
    sender, recipient = shop.enroll(100), shop.enroll()
    shop.transfer(sender, recipient, 100)
    for member in (sender, recipient):
        account = shop.account(member)
        assert (account.qualifying_points, account.lifetime_earned, account.lifetime_spent) == (0, 0, 0)


def test_what_is_wrong_with_a_transfer_is_told_in_order(shop: Shop) -> None:
    poor, rich, frozen = shop.enroll(), shop.enroll(100), shop.enroll(100)
    shop.freeze(frozen)
    with pytest.raises(checks.PointsInvalid):
        shop.transfer(NOBODY, NOBODY, 0)
    with pytest.raises(commands.TransferToSelf):
        shop.transfer(NOBODY, NOBODY, 1)
    with pytest.raises(NotFound):
        shop.transfer(NOBODY, frozen, 1)
    with pytest.raises(NotFound):
        shop.transfer(frozen, NOBODY, 1)
    with pytest.raises(MemberFrozen):
        shop.transfer(frozen, rich, 1)
    with pytest.raises(MemberFrozen):
        shop.transfer(poor, frozen, 1)
    with pytest.raises(InsufficientPoints):
        shop.transfer(poor, rich, 1)
    shop.adjust(poor, checks.POINTS_MAX)
    with pytest.raises(PointsOverflow):
        shop.transfer(rich, poor, 1)


def test_a_transfer_to_oneself_is_refused_however_the_member_is_named(shop: Shop) -> None:
    enrolled = shop.run(EnrollMember(profile=Profile(external_id="li", phone="+8613812345678")))
    with pytest.raises(commands.TransferToSelf):
        shop.run(
            commands.TransferPoints(
                sender=MemberRef(phone="+8613812345678"), recipient=ref(enrolled.member.id), points=1
            )
        )


def test_transferred_points_pay_the_recipients_debt_first() -> None:
    shop = Shop()
    rich, debtor = shop.enroll(100), shop.enroll()
    purchase = shop.buy(debtor, 3_000).purchase
    shop.spend(debtor, 30)
    shop.refund(purchase)
    shop.transfer(rich, debtor, 50)
    assert shop.figures(debtor) == (20, 0, 0, 0)
    assert shop.history(debtor)[-2:] == [("TRANSFER_IN", 50), ("REVERSE", -30)]
    shop.replay(debtor)


# Holding, capturing, releasing (L10).


def test_l10_held_points_stay_in_their_lots_and_cannot_be_spent_or_transferred(shop: Shop) -> None:
    member, other = shop.enroll(100), shop.enroll()
    held = shop.hold(member, 60)
    (lot,) = shop.lots(member)
    assert shop.figures(member) == (40, 0, 60, 0)
    assert (lot.remaining, lot.held, lot.free) == (100, 60, 40)
    assert shop.draws(held.hold.transaction_id) == [(lot.id, 60)]
    for attempt in (
        lambda: shop.spend(member, 41),
        lambda: shop.transfer(member, other, 41),
        lambda: shop.hold(member, 41),
        lambda: shop.adjust(member, -41),
    ):
        with pytest.raises(InsufficientPoints) as refused:
            attempt()
        assert refused.value.details == {"required": 41, "available": 40}
    shop.spend(member, 40)
    shop.replay(member)


def test_l10_a_captured_hold_is_spent(shop: Shop) -> None:
    member = shop.enroll(100)
    held = shop.hold(member, 60)
    captured = shop.capture(held.hold.id)
    assert (captured.hold.state, captured.hold.captured) == (HoldState.CAPTURED, 60)
    assert shop.figures(member) == (40, 0, 0, 0)
    assert captured.account.lifetime_spent == 60
    assert shop.history(member) == [("ADJUST", 100), ("HOLD", -60), ("CAPTURE", -60)]
    assert [row.available_after for row in shop.transactions(member)] == [100, 40, 40]
    shop.replay(member)


def test_l10_what_a_capture_leaves_of_a_hold_is_released() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    shop.buy(member, 1_000, occurred_at=START - timedelta(days=1))
    shop.buy(member, 1_000)
    held = shop.hold(member, 15)
    captured = shop.capture(held.hold.id, 12)
    assert (captured.hold.amount, captured.hold.captured) == (15, 12)
    assert shop.figures(member) == (8, 0, 0, 0)
    first, second = shop.lots(member)
    assert (first.remaining, first.state) == (0, LotState.EXHAUSTED)
    assert (second.remaining, second.held) == (8, 0)
    capture, release = shop.transactions(member)[-2:]
    assert (capture.kind, capture.amount) == (TransactionKind.CAPTURE, -12)
    assert (release.kind, release.amount) == (TransactionKind.RELEASE, 3)
    assert shop.draws(capture.id) == [(first.id, 10), (second.id, 2)]
    assert shop.draws(release.id) == [(second.id, -3)]
    shop.replay(member)


def test_l10_a_released_hold_is_available_again(shop: Shop) -> None:
    member = shop.enroll(100)
    released = shop.release(shop.hold(member, 60).hold.id)
    assert released.hold.state is HoldState.RELEASED
    assert shop.figures(member) == (100, 0, 0, 0)
    assert shop.account(member).lifetime_spent == 0
    shop.replay(member)


def test_l10_a_hold_ends_once(shop: Shop) -> None:
    member = shop.enroll(100)
    captured, released = shop.hold(member, 10).hold.id, shop.hold(member, 10).hold.id
    shop.capture(captured, 5)
    shop.release(released)
    for hold_id, state in ((captured, "CAPTURED"), (released, "RELEASED")):
        for attempt in (shop.capture, shop.release):
            with pytest.raises(HoldNotOpen) as refused:
                attempt(hold_id)
            assert refused.value.details == {"state": state}


def test_l10_a_hold_lapses_at_its_time_and_not_before(shop: Shop) -> None:
    member = shop.enroll(100)
    hold = shop.hold(member, 60, minutes=20).hold
    assert hold.lapses_at == START + timedelta(minutes=20)
    shop.now = hold.lapses_at - INSTANT
    assert shop.settle(member).held == 60
    shop.now = hold.lapses_at
    assert shop.settle(member).available == 100
    assert shop.row(Hold, hold.id).state is HoldState.LAPSED
    release = shop.transactions(member)[-1]
    assert (release.kind, release.amount, release.occurred_at) == (TransactionKind.RELEASE, 60, hold.lapses_at)
    shop.replay(member)


def test_l10_a_capture_in_time_wins_and_one_too_late_finds_the_hold_lapsed(shop: Shop) -> None:
    member = shop.enroll(100)
    in_time, too_late = shop.hold(member, 10).hold, shop.hold(member, 10).hold
    shop.now = in_time.lapses_at - INSTANT
    assert shop.capture(in_time.id).hold.state is HoldState.CAPTURED
    shop.now = too_late.lapses_at
    for attempt in (shop.capture, shop.release):
        with pytest.raises(HoldNotOpen) as refused:
            attempt(too_late.id)
        assert refused.value.details == {"state": "LAPSED"}
    assert shop.settle(member).available == 90


def test_l10_held_points_do_not_expire_before_the_hold_ends_and_expire_when_it_does() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    shop.buy(member, 10_000)
    shop.now = OVER - timedelta(hours=1)
    hold = shop.hold(member, 60, minutes=180).hold
    shop.now = OVER + timedelta(hours=1)
    account = shop.settle(member)
    assert (account.available, account.held, account.lifetime_expired) == (0, 60, 40)
    (lot,) = shop.lots(member)
    assert (lot.remaining, lot.held, lot.state) == (60, 60, LotState.ACTIVE)
    shop.release(hold.id)
    assert shop.figures(member) == (0, 0, 0, 0)
    assert shop.lots(member)[0].state is LotState.EXPIRED
    assert shop.history(member)[-2:] == [("RELEASE", 60), ("EXPIRE", -60)]
    assert [row.occurred_at for row in shop.transactions(member)[-3:]] == [OVER, shop.now, shop.now]
    shop.replay(member)


def test_l10_points_whose_hold_lapses_after_their_expiry_expire_at_the_lapse() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    shop.buy(member, 10_000)
    shop.now = OVER - timedelta(hours=1)
    hold = shop.hold(member, 60, minutes=180).hold
    shop.later(days=9)
    shop.settle(member)
    assert shop.history(member)[-3:] == [("EXPIRE", -40), ("RELEASE", 60), ("EXPIRE", -60)]
    times = [row.occurred_at for row in shop.transactions(member)[-3:]]
    assert times == [OVER, hold.lapses_at, hold.lapses_at]
    shop.replay(member)


def test_l10_held_points_may_be_captured_after_their_expiry_and_what_is_left_of_them_is_over() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    shop.buy(member, 10_000)
    shop.now = OVER - timedelta(hours=1)
    hold = shop.hold(member, 60, minutes=180).hold
    shop.now = OVER + timedelta(hours=1)
    captured = shop.capture(hold.id, 50)
    assert shop.figures(member) == (0, 0, 0, 0)
    assert (captured.account.lifetime_spent, captured.account.lifetime_expired) == (50, 50)
    shop.replay(member)


def test_l10_many_holds_of_one_lot_end_independently(shop: Shop) -> None:
    member = shop.enroll(100)
    holds = [shop.hold(member, points, minutes=10 * points).hold for points in (1, 2, 3, 4)]
    shop.capture(holds[1].id, 1)
    shop.later(minutes=30)
    account = shop.settle(member)
    assert (account.available, account.held) == (95, 4)
    states = [shop.row(Hold, hold.id).state.value for hold in holds]
    assert states == ["LAPSED", "CAPTURED", "LAPSED", "HELD"]
    shop.replay(member)


def test_l10_the_program_says_how_long_a_hold_lasts_unless_the_caller_does() -> None:
    shop = Shop(hold_minutes=45)
    member = shop.enroll(10)
    assert shop.hold(member, 1).hold.lapses_at == START + timedelta(minutes=45)
    assert shop.hold(member, 1, minutes=1).hold.lapses_at == START + timedelta(minutes=1)


def test_what_is_wrong_with_a_hold_is_told_in_order(shop: Shop) -> None:
    frozen, poor = shop.enroll(10), shop.enroll()
    shop.freeze(frozen)

    def hold(**told: Any) -> None:
        everything_wrong = {"member": ref(NOBODY), "points": 0, "reference": "", "minutes": 0}
        shop.run(commands.HoldPoints(**{**everything_wrong, **told}))

    with pytest.raises(checks.PointsInvalid):
        hold()
    with pytest.raises(checks.TextInvalid):
        hold(points=1)
    with pytest.raises(checks.NumberInvalid):
        hold(points=1, reference="cart")
    with pytest.raises(checks.NumberInvalid):
        hold(points=1, reference="cart", minutes=HOLD_MINUTES_MAX + 1)
    with pytest.raises(NotFound):
        hold(points=1, reference="cart", minutes=1)
    with pytest.raises(MemberFrozen):
        hold(points=11, reference="cart", minutes=1, member=ref(frozen))
    with pytest.raises(InsufficientPoints):
        hold(points=1, reference="cart", minutes=1, member=ref(poor))


def test_what_is_wrong_with_a_capture_is_told_in_order(shop: Shop) -> None:
    member = shop.enroll(10)
    hold = shop.hold(member, 5).hold
    with pytest.raises(NotFound):
        shop.capture(NOBODY, 0)
    for points in (0, 6):
        with pytest.raises(checks.PointsInvalid):
            shop.capture(hold.id, points)
    shop.freeze(member)
    with pytest.raises(MemberFrozen):
        shop.capture(hold.id)
    assert shop.release(hold.id).hold.state is HoldState.RELEASED, "a frozen member's hold may be released"
    shop.freeze(member, is_frozen=False)
    with pytest.raises(HoldNotOpen):
        shop.capture(hold.id)
    with pytest.raises(NotFound):
        shop.release(NOBODY)


# Freezing.


def test_a_frozen_member_neither_earns_nor_spends_and_is_as_before_when_it_thaws(shop: Shop) -> None:
    member, other = shop.enroll(100), shop.enroll(100)
    reward = shop.reward(1)
    account = shop.freeze(member)
    assert account.status is AccountStatus.FROZEN
    for attempt in (
        lambda: shop.buy(member, 100),
        lambda: shop.redeem(member, reward),
        lambda: shop.hold(member, 1),
        lambda: shop.transfer(member, other, 1),
        lambda: shop.transfer(other, member, 1),
    ):
        with pytest.raises(MemberFrozen):
            attempt()
    assert shop.freeze(member, is_frozen=False).status is AccountStatus.ACTIVE
    shop.redeem(member, reward)
    assert shop.figures(member) == (99, 0, 0, 0)


def test_the_clock_and_refunds_act_on_a_frozen_member_too() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    purchase = shop.buy(member, 10_000).purchase
    redeemed = shop.spend(member, 10)
    shop.freeze(member)
    shop.refund(purchase, 5_000)
    shop.cancel(redeemed)
    assert shop.figures(member) == (50, 0, 0, 0)
    shop.now = OVER
    assert shop.settle(member).available == 0
    shop.replay(member)


def test_freezing_says_why_and_lets_the_clock_catch_up() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll(10)
    shop.later(days=40)
    assert shop.freeze(member).available == 0
    (changed,) = shop.events
    assert changed == commands.MemberStatusChanged(member_id=member, is_frozen=True, reason="test")
    with pytest.raises(checks.TextInvalid):
        shop.run(commands.FreezeMember(member=ref(member), is_frozen=True, reason=" "))
    with pytest.raises(NotFound):
        shop.freeze(NOBODY)


# Naming, settling, telling.


def test_a_member_is_named_by_exactly_one_key(shop: Shop) -> None:
    for named in (MemberRef(), MemberRef(id=NOBODY, phone="+8613812345678")):
        with pytest.raises(MemberRefInvalid):
            shop.run(commands.HoldPoints(member=named, points=1))


def test_settling_an_unknown_member_is_refused(shop: Shop) -> None:
    with pytest.raises(NotFound):
        shop.settle(NOBODY)


def test_settling_tells_how_many_transactions_the_clock_made() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll(10)
    shop.later(days=40)
    shop.settle(member)
    assert shop.events == (commands.AccountSettled(member_id=member, transactions=1),)


def test_every_move_tells_of_a_tier_that_the_clock_let_the_member_reach_on_the_way() -> None:
    shop = Shop(pending=PendingPolicy(PendingKind.AFTER, days=1))
    tier = shop.run(tiers.CreateTier(name="Silver", rank=1, qualifying_points=100))
    other, reward = shop.enroll(100), shop.reward(1)

    def moves(member: UUID, hold_id: UUID) -> dict[str, Callable[[], object]]:
        return {
            "adjust": lambda: shop.adjust(member, 1),
            "transfer out": lambda: shop.transfer(member, other, 1),
            "transfer in": lambda: shop.transfer(other, member, 1),
            "hold": lambda: shop.hold(member, 1),
            "capture": lambda: shop.capture(hold_id),
            "release": lambda: shop.release(hold_id),
            "freeze": lambda: shop.freeze(member),
            "redeem": lambda: shop.redeem(member, reward),
            "settle": lambda: shop.settle(member),
        }

    for name in moves(other, other):
        member = shop.enroll(10)
        shop.buy(member, 10_000)
        hold_id = shop.hold(member, 5, minutes=60 * 24 * 2).hold.id
        shop.later(days=1)
        moves(member, hold_id)[name]()
        assert shop.account(member).tier_id == tier.id, name
        reached = tiers.TierReached(member_id=member, tier_id=tier.id, tier_id_before=None)
        assert shop.events.count(reached) == 1, name


# L12, as far as one state goes.


def test_l12_fifty_spends_of_a_balance_for_ten_give_ten_successes_and_balance_zero(shop: Shop) -> None:
    member = shop.enroll(100)
    reward = shop.reward(10)
    for _ in range(10):
        shop.redeem(member, reward)
    for _ in range(40):
        with pytest.raises(InsufficientPoints) as refused:
            shop.redeem(member, reward)
        assert refused.value.details == {"required": 10, "available": 0}
    assert shop.figures(member) == (0, 0, 0, 0)
    shop.replay(member)


def test_l8_a_hold_is_refused_while_points_are_owed(shop: Shop) -> None:
    member = shop.enroll()
    purchase = shop.buy(member, 1_000).purchase
    shop.spend(member, 10)
    shop.refund(purchase)
    for attempt in (lambda: shop.hold(member, 1), lambda: shop.adjust(member, -1)):
        with pytest.raises(DebtOutstanding):
            attempt()
