"""Taking earned points back: from which lots, and what becomes of what is no longer there (L8)."""

from datetime import timedelta
from uuid import UUID

from domain.points.account import LotState, ShortfallOutcome, TransactionKind
from domain.policies import ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from domain.programs import ShortfallPolicy
from domain.purchases.purchase import Purchase
from domain.purchases.recording import ConfirmPurchase
from tests.domain.memory import START
from tests.domain.shop import Shop, bonus_at, per_amount

ON_EVENT = PendingPolicy(PendingKind.ON_EVENT)
DAYS_30 = ExpiryPolicy(kind=ExpiryKind.DAYS, count=30)
WITH_BONUS = (per_amount(1, 100), bonus_at(30_000, 50))


def test_l8_clawback_takes_the_orders_own_points_before_others_that_expire_sooner() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    shop.buy(member, 4_000, occurred_at=START - timedelta(days=20))
    purchase = shop.buy(member, 10_000).purchase
    sooner, own = shop.lots(member)
    shop.refund(purchase, 9_000)
    assert shop.draws(shop.transactions(member)[-1].id) == [(own.id, 90)]
    assert [lot.remaining for lot in shop.lots(member)] == [40, 10]
    shop.spend(member, 45)
    assert [lot.remaining for lot in shop.lots(member)] == [0, 5]
    assert shop.lots(member)[0].id == sooner.id
    refund = shop.refund(purchase).refund
    assert (refund.points_reversed, refund.points_short) == (5, 5)
    shop.replay(member)


def test_l8_points_still_pending_are_cancelled_and_nothing_else_is_touched() -> None:
    shop = Shop(pending=ON_EVENT, rules=WITH_BONUS)
    member = shop.enroll(1_000)
    purchase = shop.buy(member, 30_000).purchase
    refund = shop.refund(purchase, 10_000).refund
    assert (refund.points_cancelled, refund.points_reversed, refund.points_short) == (150, 0, 0)
    assert shop.figures(member) == (1_000, 200, 0, 0)
    base, bonus = shop.lots(member)[1:]
    assert (base.remaining, base.state, bonus.remaining) == (150, LotState.PENDING, 50)
    assert shop.draws(shop.transactions(member)[-1].id) == [(base.id, 150)]
    assert shop.account(member).qualifying_points == 0
    shop.replay(member)


def test_l8_other_points_are_taken_in_spend_order_when_the_orders_own_are_gone() -> None:
    shop = Shop()
    member = shop.enroll()
    purchase = shop.buy(member, 10_000).purchase
    shop.spend(member, 70)
    shop.update(expiry=DAYS_30)
    shop.buy(member, 2_000)
    shop.buy(member, 2_500, occurred_at=START - timedelta(days=5))
    own, late, soon = shop.lots(member)
    refund = shop.refund(purchase).refund
    assert (refund.points_reversed, refund.points_short) == (75, 25)
    reverse = next(row for row in shop.transactions(member) if row.kind is TransactionKind.REVERSE)
    assert (reverse.amount, reverse.reverses) == (-75, purchase.earning_id)
    assert shop.draws(reverse.id) == [(own.id, 30), (soon.id, 25), (late.id, 20)]
    shop.replay(member)


def test_l8_held_points_are_not_clawed_back(shop: Shop) -> None:
    member = shop.enroll()
    purchase = shop.buy(member, 10_000).purchase
    shop.hold(member, 60)
    refund = shop.refund(purchase).refund
    assert (refund.points_reversed, refund.points_short) == (40, 60)
    assert shop.figures(member) == (0, 0, 60, 60)
    shop.replay(member)


def short_by_60(shop: Shop) -> tuple[UUID, Purchase]:
    """A member who has 40 of 100 points left that a purchase of 100 yuan earned."""
    member = shop.enroll()
    purchase = shop.buy(member, 10_000).purchase
    shop.spend(member, 60)
    return member, purchase


def test_l8_debt_is_the_default_and_is_owed_until_earnings_have_paid_it(shop: Shop) -> None:
    member, purchase = short_by_60(shop)
    refunded = shop.refund(purchase)
    assert (refunded.refund.points_reversed, refunded.refund.points_short) == (40, 60)
    assert refunded.refund.short_outcome is ShortfallOutcome.DEBT
    assert (refunded.refund.cash_minor, refunded.refund.deducted_minor) == (10_000, 0)
    assert shop.figures(member) == (0, 0, 0, 60)
    assert shop.history(member)[-1] == ("REVERSE", -40), "the ledger's row is what was really taken"
    shortfall = shop.shortfall(member)
    assert (shortfall.amount, shortfall.remaining, shortfall.outcome) == (60, 60, ShortfallOutcome.DEBT)
    assert (shortfall.source_id, shortfall.reverses) == (refunded.refund.id, purchase.earning_id)
    shop.replay(member)


def test_l8_clamp_writes_the_loss_off(shop: Shop) -> None:
    shop.update(shortfall_policy=ShortfallPolicy.CLAMP)
    member, purchase = short_by_60(shop)
    refund = shop.refund(purchase).refund
    assert (refund.points_short, refund.short_outcome) == (60, ShortfallOutcome.WRITTEN_OFF)
    assert (refund.cash_minor, refund.deducted_minor) == (10_000, 0)
    assert shop.figures(member) == (0, 0, 0, 0)
    shortfall = shop.shortfall(member)
    assert (shortfall.amount, shortfall.remaining) == (60, 0)
    assert shop.adjust(member, 10).account.available == 10
    shop.replay(member)


def test_l8_deduct_keeps_the_points_worth_back_from_the_money(shop: Shop) -> None:
    shop.update(shortfall_policy=ShortfallPolicy.DEDUCT_FROM_REFUND)
    member, purchase = short_by_60(shop)
    refund = shop.refund(purchase).refund
    assert (refund.points_short, refund.short_outcome) == (60, ShortfallOutcome.DEDUCTED)
    assert (refund.cash_minor, refund.deducted_minor) == (9_400, 600), "100 points are worth 10 yuan"
    assert shop.figures(member) == (0, 0, 0, 0)
    assert shop.shortfall(member).remaining == 0
    shop.replay(member)


def test_l8_no_more_is_deducted_than_there_is_money(shop: Shop) -> None:
    shop.update(shortfall_policy=ShortfallPolicy.DEDUCT_FROM_REFUND, point_value_bp=10_000_000)
    _, purchase = short_by_60(shop)
    refund = shop.refund(purchase).refund
    assert (refund.cash_minor, refund.deducted_minor) == (0, 10_000)


def test_l8_partial_refunds_owe_only_what_is_due_so_far(shop: Shop) -> None:
    member, purchase = short_by_60(shop)
    assert shop.refund(purchase, 5_000).refund.points_short == 10
    assert shop.refund(purchase).refund.points_short == 50
    assert shop.figures(member) == (0, 0, 0, 60)
    assert [row.amount for row in shop.shortfalls(member)] == [10, 50]
    shop.replay(member)


def test_l8_points_that_come_back_with_the_refund_pay_for_what_it_takes(shop: Shop) -> None:
    member = shop.enroll(100)
    hold = shop.hold(member, 100).hold
    purchase = shop.buy(member, 20_000, offset=(hold.id, 1_000)).purchase
    shop.spend(member, 190)
    refund = shop.refund(purchase).refund
    assert (refund.points_returned, refund.points_due, refund.points_reversed) == (100, 190, 100)
    assert shop.figures(member) == (0, 0, 0, 90)
    shop.replay(member)


def test_l3_l8_a_confirmed_and_spent_order_is_clawed_back_from_what_is_available() -> None:
    shop = Shop(pending=ON_EVENT)
    member = shop.enroll(30)
    purchase = shop.buy(member, 10_000).purchase
    shop.run(ConfirmPurchase(purchase_id=purchase.id))
    assert shop.refund(purchase).refund.points_reversed == 100
    assert shop.figures(member) == (30, 0, 0, 0)
    shop.replay(member)


def test_l7_a_purchase_told_late_whose_points_are_over_can_be_refunded(shop: Shop) -> None:
    """What has expired is owed like what was spent: L8 names no exception; CLAMP is there for shops that forgive."""
    shop.update(expiry=DAYS_30)
    member = shop.enroll(30)
    purchase = shop.buy(member, 10_000, occurred_at=START - timedelta(days=60)).purchase
    assert shop.history(member) == [("ADJUST", 30), ("EARN", 100), ("EXPIRE", -100)]
    refund = shop.refund(purchase).refund
    assert (refund.points_due, refund.points_reversed, refund.points_short) == (100, 30, 70)
    shop.replay(member)
