"""The one door through which points move: crediting, spending, giving back, and what each leaves (L1, L2, L4)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain import checks
from domain.points.account import (
    DebtOutstanding,
    LotState,
    PointsAccount,
    PointsOverflow,
    PointTransaction,
    PointType,
    SourceType,
    TransactionKind,
)
from domain.policies import ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from domain.programs import ReturnPolicy
from tests.domain.memory import START
from tests.domain.shop import Shop

DAYS_30 = ExpiryPolicy(kind=ExpiryKind.DAYS, count=30)
AFTER_7 = PendingPolicy(PendingKind.AFTER, days=7)


# L1


def test_l1_a_transaction_says_what_happened_to_whom_when_why_and_by_whom(shop: Shop) -> None:
    member = shop.enroll()
    purchase = shop.buy(member, 10_000, occurred_at=START - timedelta(hours=1)).purchase
    (earned,) = shop.transactions(member)
    assert earned == PointTransaction(
        id=earned.id,
        program_id=shop.program.id,
        member_id=member,
        sequence=1,
        point_type=PointType.SPENDABLE,
        kind=TransactionKind.EARN,
        amount=100,
        available_after=100,
        source_type=SourceType.PURCHASE,
        source_id=purchase.id,
        rule="base",
        rule_version=1,
        reverses=None,
        reason=None,
        idempotency_key=None,
        actor="till",
        occurred_at=START - timedelta(hours=1),
        recorded_at=START,
    )


def test_l1_every_kind_of_transaction_is_made_by_some_command() -> None:
    shop = Shop(pending=AFTER_7, expiry=DAYS_30)
    member, other = shop.enroll(1000), shop.enroll()
    cancelled = shop.buy(member, 10_000).purchase
    shop.refund(cancelled)
    shop.buy(member, 20_000)
    shop.later(days=7)
    redeemed = shop.spend(member, 50)
    shop.cancel(redeemed)
    shop.transfer(member, other, 10)
    held = shop.hold(member, 30)
    shop.capture(held.hold.id, 20)
    reversed_later = shop.buy(member, 5_000, occurred_at=shop.now - timedelta(days=7)).purchase
    shop.refund(reversed_later)
    shop.later(days=40)
    shop.settle(member)
    kinds = {row.kind for key in (member, other) for row in shop.transactions(key)}
    assert kinds == set(TransactionKind)
    shop.replay(member)
    shop.replay(other)


def test_l1_a_correction_names_what_it_reverses(shop: Shop) -> None:
    member = shop.enroll()
    purchase = shop.buy(member, 10_000).purchase
    shop.refund(purchase)
    redeemed = shop.redeem(shop.enroll(10), shop.reward(10))
    shop.cancel(redeemed)
    earned, clawed = shop.transactions(member)
    assert clawed.kind is TransactionKind.REVERSE
    assert clawed.reverses == earned.id == purchase.earning_id
    refunded = shop.transactions(redeemed.redemption.member_id)[-1]
    assert refunded.reverses == redeemed.redemption.transaction_id


# L2


def test_l2_a_credit_opens_a_lot_and_a_debit_stores_its_draws(shop: Shop) -> None:
    member = shop.enroll(100)
    redeemed = shop.spend(member, 30)
    (lot,) = shop.lots(member)
    assert (lot.amount, lot.remaining, lot.held, lot.state) == (100, 70, 0, LotState.ACTIVE)
    assert lot.transaction_id == shop.transactions(member)[0].id
    assert shop.draws(redeemed.redemption.transaction_id) == [(lot.id, 30)]
    shop.spend(member, 70)
    (lot,) = shop.lots(member)
    assert (lot.remaining, lot.state) == (0, LotState.EXHAUSTED)


def test_l2_sequences_have_no_gap_and_available_after_is_the_running_sum(shop: Shop) -> None:
    member = shop.enroll(100)
    for points in (10, 20, 30):
        shop.spend(member, points)
    assert [row.sequence for row in shop.transactions(member)] == [1, 2, 3, 4]
    assert [row.available_after for row in shop.transactions(member)] == [100, 90, 70, 40]
    shop.replay(member)


def test_l2_an_account_holds_no_more_points_than_a_reader_keeps_exactly(shop: Shop) -> None:
    member = shop.enroll(checks.POINTS_MAX)
    with pytest.raises(PointsOverflow) as refused:
        shop.adjust(member, 1)
    assert refused.value.details == {"points_max": checks.POINTS_MAX}
    shop.spend(member, 1)
    shop.adjust(member, 1)


def test_l2_held_and_pending_points_count_towards_the_most_an_account_holds(shop: Shop) -> None:
    member = shop.enroll(checks.POINTS_MAX)
    shop.hold(member, 10)
    with pytest.raises(PointsOverflow):
        shop.adjust(member, 1)


# L4


def test_l4_points_are_spent_soonest_expiry_first_and_the_split_is_stored() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    shop.earn(member, 10, days_ago=0)
    shop.earn(member, 10, days_ago=5)
    shop.update(expiry=ExpiryPolicy())
    shop.earn(member, 10, days_ago=20)
    young, old, never = shop.lots(member)
    redeemed = shop.spend(member, 25)
    assert shop.draws(redeemed.redemption.transaction_id) == [(old.id, 10), (young.id, 10), (never.id, 5)]
    shop.replay(member)


def test_l4_returned_points_come_back_to_the_same_lots_with_their_expiry() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    shop.earn(member, 10, days_ago=5)
    shop.earn(member, 10, days_ago=0)
    before = [(lot.id, lot.remaining, lot.state, lot.expires_at) for lot in shop.lots(member)]
    redeemed = shop.spend(member, 15)
    shop.later(days=3)
    cancelled = shop.cancel(redeemed)
    assert (cancelled.points_returned, cancelled.points_replaced, cancelled.points_forfeited) == (15, 0, 0)
    assert [(lot.id, lot.remaining, lot.state, lot.expires_at) for lot in shop.lots(member)] == before
    refunded = shop.transactions(member)[-1]
    old, young = (lot.id for lot in shop.lots(member))
    assert shop.draws(refunded.id) == [(young, -5), (old, -10)]
    assert shop.account(member).lifetime_spent == 0
    shop.replay(member)


def test_l4_points_of_an_expired_lot_come_back_in_a_replacement_for_seven_days_and_it_says_so() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    shop.earn(member, 10, days_ago=20)
    shop.earn(member, 10, days_ago=0)
    redeemed = shop.spend(member, 15)
    shop.later(days=15)
    cancelled = shop.cancel(redeemed)
    assert (cancelled.points_returned, cancelled.points_replaced, cancelled.points_forfeited) == (5, 10, 0)
    _, alive, replacement = shop.lots(member)
    assert (alive.remaining, replacement.remaining, replacement.state) == (10, 10, LotState.ACTIVE)
    # Seven local days from 30 January, the last inclusive: until midnight after 6 February in Shanghai.
    assert replacement.expires_at == datetime(2026, 2, 6, 16, tzinfo=UTC)
    assert shop.transactions(member)[-1].amount == 15
    shop.replay(member)
    shop.now = replacement.expires_at - timedelta(microseconds=1)
    assert shop.settle(member).available == 20
    shop.now = replacement.expires_at
    assert shop.settle(member).available == 10


def test_l4_the_program_says_how_long_a_replacement_lasts() -> None:
    shop = Shop(expiry=DAYS_30, replacement_days=1)
    member = shop.enroll()
    shop.earn(member, 10, days_ago=0)
    redeemed = shop.spend(member, 10)
    shop.later(days=31)
    shop.cancel(redeemed)
    assert shop.lots(member)[-1].expires_at == datetime(2026, 2, 16, 16, tzinfo=UTC)


def test_l4_points_of_an_expired_lot_are_forfeited_by_policy_and_it_says_so() -> None:
    shop = Shop(expiry=DAYS_30, return_policy=ReturnPolicy.FORFEIT)
    member = shop.enroll()
    shop.earn(member, 10, days_ago=20)
    shop.earn(member, 10, days_ago=0)
    redeemed = shop.spend(member, 15)
    shop.later(days=15)
    cancelled = shop.cancel(redeemed)
    assert (cancelled.points_returned, cancelled.points_replaced, cancelled.points_forfeited) == (5, 0, 10)
    assert shop.figures(member) == (10, 0, 0, 0)
    assert shop.account(member).lifetime_spent == 10
    shop.replay(member)


def test_l4_when_everything_is_forfeited_nothing_is_recorded() -> None:
    shop = Shop(expiry=DAYS_30, return_policy=ReturnPolicy.FORFEIT)
    member = shop.enroll()
    shop.earn(member, 10, days_ago=0)
    redeemed = shop.spend(member, 10)
    shop.later(days=31)
    assert shop.cancel(redeemed).points_forfeited == 10
    assert shop.history(member) == [("EARN", 10), ("REDEEM", -10)]


def test_l4_lots_that_are_used_up_are_loaded_in_one_round_and_not_in_one_each() -> None:
    """`Memory.run` proves it: it loads on demand, and allows no more rounds than a few."""
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    for days_ago in range(15):
        shop.earn(member, 10, days_ago=days_ago)
    redeemed = shop.spend(member, 150)
    assert shop.cancel(redeemed).points_returned == 150
    shop.replay(member)


def test_l4_points_come_back_to_a_lot_whose_rest_has_expired_only_as_a_replacement() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    shop.earn(member, 10, days_ago=0)
    redeemed = shop.spend(member, 4)
    shop.later(days=31)
    assert shop.settle(member).available == 0
    assert shop.lots(member)[0].state is LotState.EXPIRED
    assert shop.cancel(redeemed).points_replaced == 4
    assert shop.lots(member)[0].remaining == 0
    shop.replay(member)


# The account's own figures.


def test_k1_spending_never_lowers_qualifying_points_and_a_refund_of_a_purchase_does(shop: Shop) -> None:
    member = shop.enroll()
    purchase = shop.buy(member, 30_000).purchase
    shop.spend(member, 250)
    assert shop.account(member).qualifying_points == 300
    shop.refund(purchase, 10_000)
    assert shop.account(member).qualifying_points == 200
    assert shop.account(member).lifetime_earned == 300


def test_adjusted_points_do_not_qualify_and_are_not_earned(shop: Shop) -> None:
    account = shop.account(shop.enroll(100))
    assert (account.qualifying_points, account.lifetime_earned) == (0, 0)


def test_a_posting_that_moves_nothing_leaves_the_account_as_it_was(shop: Shop) -> None:
    member = shop.enroll()
    before = shop.account(member)
    shop.settle(member)
    assert shop.account(member) == before
    assert shop.decision.save == ()


def test_k1_a_purchase_that_earns_nothing_still_counts_for_what_was_paid(shop: Shop) -> None:
    member = shop.enroll()
    before = shop.account(member)
    shop.buy(member, 99)
    assert shop.account(member) == replace(before, spend_minor=99, purchases=1, last_purchase_at=START)
    assert shop.transactions(member) == ()


def test_due_at_is_the_soonest_time_at_which_the_clock_must_act() -> None:
    shop = Shop(pending=AFTER_7, expiry=DAYS_30)
    member = shop.enroll()
    assert shop.account(member).due_at is None
    shop.buy(member, 10_000)
    assert shop.account(member).due_at == START + timedelta(days=7)
    shop.later(days=7)
    shop.settle(member)
    assert shop.account(member).due_at == datetime(2026, 2, 14, 16, tzinfo=UTC)
    held = shop.hold(member, 100, minutes=60).hold
    assert shop.account(member).due_at == held.lapses_at
    shop.capture(held.id)
    shop.later(days=30)
    assert shop.settle(member).due_at is None


def test_l8_debt_blocks_spending_before_the_balance_does() -> None:
    shop = Shop()
    member = shop.enroll()
    purchase = shop.buy(member, 10_000).purchase
    shop.spend(member, 100)
    shop.refund(purchase)
    assert shop.figures(member) == (0, 0, 0, 100)
    with pytest.raises(DebtOutstanding) as refused:
        shop.spend(member, 1)
    assert refused.value.details == {"debt": 100}


def test_l12_figures_are_a_value_and_the_old_one_stays_what_it_was(shop: Shop) -> None:
    member = shop.enroll(10)
    before = shop.account(member)
    shop.spend(member, 10)
    assert before.available == 10
    assert isinstance(before, PointsAccount)
    assert shop.account(member) == replace(before, available=0, lifetime_spent=10, sequence=2)
