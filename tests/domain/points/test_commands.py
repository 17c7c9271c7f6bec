"""Adjusting, transferring, settling, freezing (L12, P1)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import checks
from domain.enrollments import EnrollMember
from domain.kernel import NotFound
from domain.members import MemberRef, MemberRefInvalid, Profile
from domain.points import commands
from domain.points.account import (
    AccountStatus,
    DebtOutstanding,
    InsufficientPoints,
    LotState,
    MemberFrozen,
    PointsOverflow,
    SourceType,
    TransactionKind,
)
from domain.points.posting import AccountSettled
from domain.policies import ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from domain.tiers.standing import TierReached
from domain.tiers.tier import CreateTier
from tests.domain.memory import START, ref
from tests.domain.shop import Shop

DAYS_30 = ExpiryPolicy(kind=ExpiryKind.DAYS, count=30)
IDLE_30 = ExpiryPolicy(kind=ExpiryKind.INACTIVITY, count=30)
OVER = datetime(2026, 2, 14, 16, tzinfo=UTC)  # when points earned at START under DAYS_30 are over
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
    assert shop.events == (AccountSettled(member_id=member, transactions=1),)


def test_every_move_tells_of_a_tier_that_the_clock_let_the_member_reach_on_the_way() -> None:
    shop = Shop(pending=PendingPolicy(PendingKind.AFTER, days=1))
    tier = shop.run(CreateTier(name="Silver", rank=1, threshold=100))
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
        reached = TierReached(member_id=member, tier_id=tier.id, tier_id_before=None)
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
