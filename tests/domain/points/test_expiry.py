"""Points end with their last local day, by every policy, and nothing ever counts them after it (L5)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.points.account import (
    InsufficientPoints,
    LotState,
    SourceType,
    TransactionKind,
)
from domain.policies import ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from tests.domain.memory import START
from tests.domain.shop import Shop, per_amount

DAYS_30 = ExpiryPolicy(kind=ExpiryKind.DAYS, count=30)
IDLE_30 = ExpiryPolicy(kind=ExpiryKind.INACTIVITY, count=30)


def test_l5_points_count_through_the_last_instant_of_the_local_day_and_no_longer() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    shop.earn(member, 10, days_ago=0)
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
    shop.earn(member, 10, days_ago=0)
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
    shop.earn(member, 10, days_ago=0)
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
    shop.earn(member, 10, days_ago=0)
    before = shop.lots(member)
    shop.update(expiry=ExpiryPolicy(), time_zone="America/New_York", rules=(per_amount(5, 100),))
    shop.earn(member, 10, days_ago=0)
    assert shop.lots(member)[:1] == before
    assert shop.lots(member)[1].expires_at is None
    assert shop.lots(member)[1].amount == 50
