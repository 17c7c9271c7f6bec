"""Points that are earned and not yet usable: shown, never spent, and cancelled without harm (L3)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.points.account import (
    InsufficientPoints,
    LotState,
    TransactionKind,
)
from domain.policies import PendingKind, PendingPolicy
from tests.domain.memory import START
from tests.domain.shop import Shop

ON_EVENT = PendingPolicy(PendingKind.ON_EVENT)
AFTER_7 = PendingPolicy(PendingKind.AFTER, days=7)


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
