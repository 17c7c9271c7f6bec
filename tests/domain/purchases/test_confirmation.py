"""Purchases whose points wait until the shop says that the order arrived (L3, ON_EVENT)."""

from uuid import UUID

import pytest

from domain.kernel import NotFound
from domain.policies import PendingKind, PendingPolicy
from domain.purchases.recording import ConfirmPurchase, PurchaseConfirmed
from tests.domain.shop import Shop, bonus_at, per_amount

NOBODY = UUID(int=99)
ON_EVENT = PendingPolicy(PendingKind.ON_EVENT)


def test_l3_points_on_event_become_available_when_the_shop_says_that_the_order_arrived() -> None:
    shop = Shop(pending=ON_EVENT, rules=(per_amount(1, 100), bonus_at(10_000, 50)))
    member = shop.enroll()
    purchase = shop.buy(member, 10_000).purchase
    other = shop.buy(member, 500).purchase
    assert shop.figures(member) == (0, 155, 0, 0)
    shop.later(days=400)
    assert shop.settle(member).pending == 155, "no clock ends the wait"
    confirmed = shop.run(ConfirmPurchase(purchase_id=purchase.id))
    assert confirmed.purchase.confirmed_at == shop.now
    assert shop.events == (PurchaseConfirmed(member_id=member, purchase_id=purchase.id),)
    assert shop.figures(member) == (150, 5, 0, 0)
    assert shop.account(member).qualifying_points == 150
    assert shop.history(member)[-2:] == [("ACTIVATE", 100), ("ACTIVATE", 50)]
    assert shop.lots(member)[0].available_at == shop.now
    again = shop.run(ConfirmPurchase(purchase_id=purchase.id))
    assert again.is_repeat
    assert shop.decision.save == ()
    shop.run(ConfirmPurchase(purchase_id=other.id))
    assert shop.figures(member) == (155, 0, 0, 0)
    shop.replay(member)


def test_l3_confirming_does_not_shorten_a_wait_of_days() -> None:
    shop = Shop(pending=PendingPolicy(PendingKind.AFTER, days=7))
    member = shop.enroll()
    shop.run(ConfirmPurchase(purchase_id=shop.buy(member, 10_000).purchase.id))
    assert shop.figures(member) == (0, 100, 0, 0)


def test_l3_confirming_what_was_refunded_gives_only_the_rest() -> None:
    shop = Shop(pending=ON_EVENT)
    member = shop.enroll()
    purchase = shop.buy(member, 10_000).purchase
    shop.refund(purchase, 4_000)
    shop.run(ConfirmPurchase(purchase_id=purchase.id))
    assert shop.figures(member) == (60, 0, 0, 0)
    gone = shop.buy(member, 10_000).purchase
    shop.refund(gone)
    shop.run(ConfirmPurchase(purchase_id=gone.id))
    assert shop.figures(member) == (60, 0, 0, 0)
    shop.replay(member)


def test_l3_confirmed_points_pay_a_debt_first() -> None:
    shop = Shop()
    member = shop.enroll()
    purchase = shop.buy(member, 3_000).purchase
    shop.spend(member, 30)
    shop.refund(purchase)
    shop.update(pending=ON_EVENT)
    waiting = shop.buy(member, 5_000).purchase
    assert shop.figures(member) == (0, 50, 0, 30)
    shop.run(ConfirmPurchase(purchase_id=waiting.id))
    assert shop.figures(member) == (20, 0, 0, 0)
    shop.replay(member)


def test_an_unknown_purchase_cannot_be_confirmed(shop: Shop) -> None:
    with pytest.raises(NotFound):
        shop.run(ConfirmPurchase(purchase_id=NOBODY))
