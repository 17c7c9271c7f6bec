"""The one door through which points move: crediting, spending, giving back, and what each leaves behind (L1-L5)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from domain import checks
from domain.points.account import (
    DebtOutstanding,
    InsufficientPoints,
    LotState,
    PointsAccount,
    PointsOverflow,
    PointTransaction,
    PointType,
    SourceType,
    TransactionKind,
)
from domain.programs import ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy, ReturnPolicy
from tests.domain.memory import START
from tests.domain.shop import Shop, per_amount

DAYS_30 = ExpiryPolicy(kind=ExpiryKind.DAYS, count=30)
IDLE_30 = ExpiryPolicy(kind=ExpiryKind.INACTIVITY, count=30)
ON_EVENT = PendingPolicy(PendingKind.ON_EVENT)
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


# L3


def test_l3_pending_points_are_shown_and_cannot_be_spent_held_or_transferred() -> None:
    shop = Shop(pending=AFTER_7)
    member, other = shop.enroll(), shop.enroll()
    shop.buy(member, 10_000)
    assert shop.figures(member) == (0, 100, 0, 0)
    for attempt in (
        lambda: shop.spend(member, 1),
        lambda: shop.hold(member, 1),
        lambda: shop.transfer(member, other, 1),
        lambda: shop.adjust(member, -1),
    ):
        with pytest.raises(InsufficientPoints) as refused:
            attempt()
        assert refused.value.details == {"required": 1, "available": 0}


def test_l3_points_become_available_after_their_days_to_the_instant() -> None:
    shop = Shop(pending=AFTER_7)
    member = shop.enroll()
    shop.buy(member, 10_000)
    shop.now = START + timedelta(days=7) - timedelta(microseconds=1)
    assert shop.settle(member).pending == 100
    shop.now = START + timedelta(days=7)
    account = shop.settle(member)
    assert (account.available, account.pending) == (100, 0)
    _, activated = shop.transactions(member)
    assert (activated.kind, activated.amount, activated.available_after) == (TransactionKind.ACTIVATE, 100, 100)
    assert activated.occurred_at == START + timedelta(days=7)
    assert shop.draws(activated.id) == [(shop.lots(member)[0].id, 100)]
    shop.replay(member)


def test_l3_a_late_clock_activates_at_the_time_it_should_have() -> None:
    shop = Shop(pending=AFTER_7)
    member = shop.enroll()
    shop.buy(member, 10_000)
    shop.later(days=20)
    shop.spend(member, 100)
    activated = shop.transactions(member)[1]
    assert activated.occurred_at == START + timedelta(days=7)
    assert activated.recorded_at == START + timedelta(days=20)
    assert shop.lots(member)[0].available_at == START + timedelta(days=7)


def test_l3_points_on_a_date_become_available_with_its_local_midnight() -> None:
    shop = Shop(pending=PendingPolicy(PendingKind.ON_DATE, on_date=date(2026, 2, 1)))
    member = shop.enroll()
    shop.buy(member, 10_000)
    shop.now = datetime(2026, 1, 31, 15, 59, 59, tzinfo=UTC)
    assert shop.settle(member).available == 0
    shop.now = datetime(2026, 1, 31, 16, tzinfo=UTC)
    assert shop.settle(member).available == 100


def test_l3_a_purchase_told_late_whose_wait_is_over_is_available_at_once() -> None:
    shop = Shop(pending=AFTER_7)
    member = shop.enroll()
    shop.buy(member, 10_000, occurred_at=START - timedelta(days=7))
    assert shop.figures(member) == (100, 0, 0, 0)
    assert shop.history(member) == [("EARN", 100)]
    shop.replay(member)


def test_l3_cancelling_before_activation_costs_the_member_nothing_else() -> None:
    shop = Shop(pending=ON_EVENT)
    member = shop.enroll(40)
    purchase = shop.buy(member, 10_000).purchase
    before = shop.account(member)
    shop.refund(purchase)
    after = shop.account(member)
    assert (after.available, after.pending, after.debt) == (40, 0, 0)
    assert after.qualifying_points == before.qualifying_points == 0
    assert shop.lots(member)[-1].state is LotState.CANCELLED
    assert shop.history(member)[-1] == ("CANCEL", -100)
    shop.replay(member)


def test_l3_pending_points_do_not_qualify_until_they_are_available() -> None:
    shop = Shop(pending=AFTER_7)
    member = shop.enroll()
    shop.buy(member, 10_000)
    assert shop.account(member).qualifying_points == 0
    assert shop.account(member).lifetime_earned == 100
    shop.later(days=7)
    assert shop.settle(member).qualifying_points == 100


def test_l3_a_sign_up_bonus_does_not_wait_for_an_order_that_does_not_exist() -> None:
    shop = Shop(pending=ON_EVENT, sign_up_points=50)
    assert shop.figures(shop.enroll()) == (50, 0, 0, 0)


def test_l3_a_sign_up_bonus_waits_its_days() -> None:
    shop = Shop(pending=AFTER_7, sign_up_points=50)
    assert shop.figures(shop.enroll()) == (0, 50, 0, 0)


# L4


def earn_on(shop: Shop, member_id: object, points: int, days_ago: int) -> None:
    shop.buy(member_id, points * 100, occurred_at=shop.now - timedelta(days=days_ago))  # type: ignore[arg-type]


def test_l4_points_are_spent_soonest_expiry_first_and_the_split_is_stored() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    earn_on(shop, member, 10, days_ago=0)
    earn_on(shop, member, 10, days_ago=5)
    shop.update(expiry=ExpiryPolicy())
    earn_on(shop, member, 10, days_ago=20)
    young, old, never = shop.lots(member)
    redeemed = shop.spend(member, 25)
    assert shop.draws(redeemed.redemption.transaction_id) == [(old.id, 10), (young.id, 10), (never.id, 5)]
    shop.replay(member)


def test_l4_returned_points_come_back_to_the_same_lots_with_their_expiry() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    earn_on(shop, member, 10, days_ago=5)
    earn_on(shop, member, 10, days_ago=0)
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
    earn_on(shop, member, 10, days_ago=20)
    earn_on(shop, member, 10, days_ago=0)
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
    earn_on(shop, member, 10, days_ago=0)
    redeemed = shop.spend(member, 10)
    shop.later(days=31)
    shop.cancel(redeemed)
    assert shop.lots(member)[-1].expires_at == datetime(2026, 2, 16, 16, tzinfo=UTC)


def test_l4_points_of_an_expired_lot_are_forfeited_by_policy_and_it_says_so() -> None:
    shop = Shop(expiry=DAYS_30, return_policy=ReturnPolicy.FORFEIT)
    member = shop.enroll()
    earn_on(shop, member, 10, days_ago=20)
    earn_on(shop, member, 10, days_ago=0)
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
    earn_on(shop, member, 10, days_ago=0)
    redeemed = shop.spend(member, 10)
    shop.later(days=31)
    assert shop.cancel(redeemed).points_forfeited == 10
    assert shop.history(member) == [("EARN", 10), ("REDEEM", -10)]


def test_l4_points_come_back_to_a_lot_whose_rest_has_expired_only_as_a_replacement() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    earn_on(shop, member, 10, days_ago=0)
    redeemed = shop.spend(member, 4)
    shop.later(days=31)
    assert shop.settle(member).available == 0
    assert shop.lots(member)[0].state is LotState.EXPIRED
    assert shop.cancel(redeemed).points_replaced == 4
    assert shop.lots(member)[0].remaining == 0
    shop.replay(member)


# L5


def test_l5_points_count_through_the_last_instant_of_the_local_day_and_no_longer() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    earn_on(shop, member, 10, days_ago=0)
    over = datetime(2026, 2, 14, 16, tzinfo=UTC)  # midnight after 14 February in Shanghai
    assert shop.lots(member)[0].expires_at == over
    shop.now = over - timedelta(microseconds=1)
    shop.spend(member, 4)
    shop.now = over
    account = shop.settle(member)
    assert (account.available, account.lifetime_expired) == (0, 6)
    expired = shop.transactions(member)[-1]
    assert (expired.kind, expired.amount, expired.occurred_at) == (TransactionKind.EXPIRE, -6, over)
    assert (expired.source_type, expired.source_id) == (SourceType.LOT, shop.lots(member)[0].id)
    assert shop.lots(member)[0].state is LotState.EXPIRED
    shop.replay(member)


def test_l5_an_expired_lot_is_never_spent_even_if_nothing_settled_it_yet() -> None:
    shop = Shop(expiry=DAYS_30)
    member, other = shop.enroll(), shop.enroll()
    earn_on(shop, member, 10, days_ago=0)
    shop.later(days=60)
    assert shop.account(member).available == 10, "nobody settled"
    for attempt in (
        lambda: shop.spend(member, 1),
        lambda: shop.hold(member, 1),
        lambda: shop.transfer(member, other, 1),
        lambda: shop.adjust(member, -1),
    ):
        with pytest.raises(InsufficientPoints) as refused:
            attempt()
        assert refused.value.details == {"required": 1, "available": 0}


def test_l5_no_answer_counts_an_expired_lot_even_if_nothing_settled_it_yet() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    purchase = shop.buy(member, 1_000, external_id="first").purchase
    shop.refund(purchase, 100, external_id="some")
    shop.later(days=60)
    assert shop.account(member).available == 9
    assert shop.buy(member, 1_000, external_id="first").account.available == 0
    assert shop.refund(purchase, 100, external_id="some").account.available == 0


def test_l5_settling_again_changes_nothing() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    earn_on(shop, member, 10, days_ago=0)
    shop.later(days=31)
    shop.settle(member)
    before = shop.history(member)
    shop.settle(member)
    assert shop.decision.save == ()
    assert shop.events == ()
    assert shop.history(member) == before == [("EARN", 10), ("EXPIRE", -10)]


def test_l5_expiry_by_inactivity_moves_with_every_earning_and_spending() -> None:
    shop = Shop(expiry=IDLE_30)
    member = shop.enroll()
    shop.buy(member, 10_000)
    assert shop.account(member).idle_expires_at == datetime(2026, 2, 14, 16, tzinfo=UTC)
    shop.later(days=20)
    shop.spend(member, 10)
    assert shop.account(member).idle_expires_at == datetime(2026, 3, 6, 16, tzinfo=UTC)
    shop.later(days=20)
    shop.buy(member, 100)
    assert shop.account(member).idle_expires_at == datetime(2026, 3, 26, 16, tzinfo=UTC)
    shop.now = datetime(2026, 3, 26, 16, tzinfo=UTC) - timedelta(microseconds=1)
    assert shop.settle(member).available == 91
    shop.now = datetime(2026, 3, 26, 16, tzinfo=UTC)
    assert shop.settle(member).available == 0
    shop.replay(member)


def test_l5_a_purchase_told_late_does_not_shorten_what_inactivity_leaves() -> None:
    shop = Shop(expiry=IDLE_30)
    member = shop.enroll()
    shop.buy(member, 10_000)
    before = shop.account(member).idle_expires_at
    shop.buy(member, 100, occurred_at=START - timedelta(days=10))
    assert shop.account(member).idle_expires_at == before


def test_l5_a_hold_alone_is_no_activity_and_its_capture_is() -> None:
    shop = Shop(expiry=IDLE_30)
    member = shop.enroll()
    shop.buy(member, 10_000)
    shop.later(days=10)
    held = shop.hold(member, 10).hold
    assert shop.account(member).idle_expires_at == datetime(2026, 2, 14, 16, tzinfo=UTC)
    shop.capture(held.id)
    assert shop.account(member).idle_expires_at == datetime(2026, 2, 24, 16, tzinfo=UTC)


def test_l5_points_of_a_purchase_told_too_late_are_credited_and_over_at_once() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    recorded = shop.buy(member, 10_000, occurred_at=START - timedelta(days=40))
    assert recorded.purchase.points_earned == 100
    assert recorded.account.available == 0
    assert shop.history(member) == [("EARN", 100), ("EXPIRE", -100)]
    expired = shop.transactions(member)[-1]
    assert expired.occurred_at == datetime(2026, 1, 5, 16, tzinfo=UTC)
    assert recorded.account.due_at is None
    shop.replay(member)


def test_l5_points_that_are_over_before_they_were_earned_expire_when_they_were_earned() -> None:
    shop = Shop(expiry=ExpiryPolicy(kind=ExpiryKind.FIXED_DATE, on_date=date(2025, 12, 31)), sign_up_points=5)
    member = shop.enroll()
    assert shop.figures(member) == (0, 0, 0, 0)
    assert shop.history(member) == [("EARN", 5), ("EXPIRE", -5)]
    assert shop.transactions(member)[-1].occurred_at == START
    shop.replay(member)


def test_l5_pending_points_that_are_over_when_they_activate_expire_then() -> None:
    shop = Shop(pending=PendingPolicy(PendingKind.AFTER, days=30), expiry=ExpiryPolicy(kind=ExpiryKind.DAYS, count=10))
    member = shop.enroll()
    shop.buy(member, 10_000)
    shop.later(days=60)
    shop.settle(member)
    assert shop.history(member) == [("EARN", 100), ("ACTIVATE", 100), ("EXPIRE", -100)]
    assert [row.occurred_at for row in shop.transactions(member)[1:]] == [START + timedelta(days=30)] * 2
    shop.replay(member)


@pytest.mark.parametrize("kind", list(ExpiryKind))
def test_l5_every_kind_of_expiry_takes_points_at_its_lots_time_and_not_before(kind: ExpiryKind) -> None:
    shop = Shop(expiry=ExpiryPolicy(kind=kind, count=2, on_date=date(2026, 3, 3)))
    member = shop.enroll()
    shop.buy(member, 10_000)
    account, (lot,) = shop.account(member), shop.lots(member)
    over = account.idle_expires_at if kind is ExpiryKind.INACTIVITY else lot.expires_at
    assert account.due_at == over
    if over is None:
        assert kind is ExpiryKind.NEVER
        shop.later(days=36_500)
        assert shop.settle(member).available == 100
        return
    shop.now = over - timedelta(microseconds=1)
    assert shop.settle(member).available == 100
    shop.now = over
    assert shop.settle(member).available == 0


def test_l5_new_settings_leave_lots_that_were_opened_before_as_they_are() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    earn_on(shop, member, 10, days_ago=0)
    before = shop.lots(member)
    shop.update(expiry=ExpiryPolicy(), time_zone="America/New_York", rules=(per_amount(5, 100),))
    earn_on(shop, member, 10, days_ago=0)
    assert shop.lots(member)[:1] == before
    assert shop.lots(member)[1].expires_at is None
    assert shop.lots(member)[1].amount == 50


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
    shop.buy(member, 99)
    assert shop.account(member) == before
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
