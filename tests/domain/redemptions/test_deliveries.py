"""How redemptions get to members: sent in parts to an address, or handed out at a store for a one-time code (S29)."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain import checks, codes
from domain.kernel import NotFound
from domain.redemptions.ending import (
    CancelRedemption,
    FulfillRedemption,
    PickUpRedemption,
    ReturnRedemption,
)
from domain.redemptions.redemption import (
    Address,
    Delivery,
    DeliveryInvalid,
    PickupCodeUnknown,
    RedemptionClosed,
    RedemptionNotOpen,
    RedemptionState,
    WrongStore,
)
from domain.rewards.reward import DeliveryKind, RewardKind
from domain.stores import StoreClosed, UpdateStore
from tests.domain.mall import Mall
from tests.domain.memory import START

NOBODY = UUID(int=99)
HOME = Address(name="Li Lei", phone="+8613800138000", country_code="CN", city="Hangzhou", street="1 Lake Road")
SHIPPED = Delivery(kind=DeliveryKind.SHIPPING, address=HOME)


@pytest.fixture
def member(mall: Mall) -> UUID:
    return mall.enroll(1_000)


# Sent.


def test_an_item_is_sent_in_parts_with_a_tracking_number(mall: Mall, member: UUID) -> None:
    cup = mall.terms(10, deliveries=(DeliveryKind.SHIPPING,))
    redeemed = mall.take(member, cup, 3, delivery=SHIPPED)
    assert redeemed.redemption.delivery == SHIPPED
    assert redeemed.redemption.pickup_code is None
    first = mall.end(FulfillRedemption, redeemed, quantity=2, carrier="SF", tracking_number="SF1").redemption
    assert (first.state, first.fulfilled, first.remaining, first.closed_at) == (RedemptionState.PLACED, 2, 1, None)
    second = mall.end(FulfillRedemption, redeemed, tracking_number="SF2").redemption
    assert (second.state, second.fulfilled, second.closed_at) == (RedemptionState.FULFILLED, 3, START)
    assert (second.carrier, second.tracking_number) == ("SF", "SF2")
    assert mall.events == (
        RedemptionClosed(member_id=member, redemption_id=second.id, state=RedemptionState.FULFILLED),
    )


@pytest.mark.parametrize("quantity", [0, 4, 10**6])
def test_no_more_is_fulfilled_cancelled_or_returned_than_there_is(mall: Mall, member: UUID, quantity: int) -> None:
    redeemed = mall.take(member, mall.reward(10), 3)
    for command, told in ((FulfillRedemption, {}), (CancelRedemption, {"reason": "no"})):
        with pytest.raises(checks.NumberInvalid) as refused:
            mall.end(command, redeemed, quantity=quantity, **told)
        assert refused.value.details["maximum"] == 3
    mall.end(FulfillRedemption, redeemed)
    with pytest.raises(checks.NumberInvalid):
        mall.end(ReturnRedemption, redeemed, reason="no", quantity=quantity)


@pytest.mark.parametrize("quantity", [0, -1, 1_001, 10**6])
def test_impossible_quantities_are_refused(mall: Mall, member: UUID, quantity: int) -> None:
    with pytest.raises(checks.NumberInvalid):
        mall.take(member, mall.reward(1), quantity)


@pytest.mark.parametrize(
    ("delivery", "field"),
    [
        (None, ("delivery",)),
        (Delivery(kind=DeliveryKind.PICK_UP, store_id=NOBODY), ("delivery", "kind")),
        (Delivery(kind=DeliveryKind.SHIPPING), ("delivery", "address")),
    ],
)
def test_a_delivery_is_one_of_those_offered(
    mall: Mall, member: UUID, delivery: Delivery | None, field: tuple[str, ...]
) -> None:
    cup = mall.terms(10, deliveries=(DeliveryKind.SHIPPING,))
    with pytest.raises(DeliveryInvalid) as refused:
        mall.take(member, cup, delivery=delivery)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        ({"name": ""}, checks.TextInvalid),
        ({"phone": "138"}, checks.PhoneInvalid),
        ({"country_code": "CHN"}, checks.TextInvalid),
        ({"city": " "}, checks.TextInvalid),
        ({"street": "x" * 201}, checks.TextInvalid),
        ({"postal_code": "1" * 21}, checks.TextInvalid),
    ],
)
def test_an_address_is_whole(mall: Mall, member: UUID, told: dict[str, str], refusal: type[Exception]) -> None:
    cup = mall.terms(10, deliveries=(DeliveryKind.SHIPPING,))
    with pytest.raises(refusal):
        mall.take(member, cup, delivery=replace(SHIPPED, address=replace(HOME, **told)))


# Picked up.


def test_a_pick_up_code_is_good_once_and_at_its_store(mall: Mall, member: UUID) -> None:
    river, hill = mall.store("S1"), mall.store("S2")
    cup = mall.terms(10, deliveries=(DeliveryKind.PICK_UP,))
    redeemed = mall.picking_up(member, cup, Delivery(kind=DeliveryKind.PICK_UP, store_id=river.id), 2)
    code = redeemed.redemption.pickup_code
    assert code is not None
    assert len(code) == 10
    assert set(code) <= set(codes.ALPHABET)
    with pytest.raises(WrongStore) as refused:
        mall.run(PickUpRedemption(pickup_code=code, store_id=hill.id))
    assert refused.value.details == {"store": "S2", "expected": "S1"}
    picked = mall.run(PickUpRedemption(pickup_code=f" {code.lower()} ", store_id=river.id)).redemption
    assert (picked.state, picked.fulfilled, picked.fulfilled_store_id) == (RedemptionState.FULFILLED, 2, river.id)
    with pytest.raises(RedemptionNotOpen) as again:
        mall.run(PickUpRedemption(pickup_code=code, store_id=river.id))
    assert again.value.details == {"state": "FULFILLED"}


@pytest.mark.parametrize("code", ["", "short", "NOSUCHCODE", "not a code!"])
def test_a_code_that_nobody_has_is_unknown(mall: Mall, code: str) -> None:
    store = mall.store()
    with pytest.raises(PickupCodeUnknown) as refused:
        mall.run(PickUpRedemption(pickup_code=code, store_id=store.id))
    assert refused.value.details == {"pickup_code": code}


def test_a_closed_store_hands_out_nothing(mall: Mall, member: UUID) -> None:
    store = mall.store()
    show = mall.terms(10, kind=RewardKind.SERVICE)
    code = mall.take(member, show).redemption.pickup_code or ""
    mall.run(UpdateStore(store_id=store.id, is_closed=True))
    with pytest.raises(StoreClosed):
        mall.run(PickUpRedemption(pickup_code=code, store_id=store.id))


@pytest.mark.parametrize("kind", [RewardKind.SERVICE, RewardKind.EVENT])
def test_services_and_events_have_a_code_for_the_stores_they_are_at(mall: Mall, member: UUID, kind: RewardKind) -> None:
    river, hill = mall.store("S1"), mall.store("S2")
    show = mall.terms(10, kind=kind, store_ids=(river.id,))
    with pytest.raises(WrongStore):
        mall.take(member, show, store_id=hill.id)
    code = mall.take(member, show, store_id=river.id).redemption.pickup_code or ""
    with pytest.raises(WrongStore) as refused:
        mall.run(PickUpRedemption(pickup_code=code, store_id=hill.id))
    assert refused.value.details == {"store": "S2", "expected": "S1"}
    assert mall.run(PickUpRedemption(pickup_code=code, store_id=river.id)).redemption.fulfilled == 1


def test_pick_up_is_at_a_store_that_has_it(mall: Mall, member: UUID) -> None:
    river, hill = mall.store("S1"), mall.store("S2")
    cup = mall.terms(10, deliveries=(DeliveryKind.PICK_UP,), store_ids=(river.id,))
    with pytest.raises(DeliveryInvalid):
        mall.picking_up(member, cup, Delivery(kind=DeliveryKind.PICK_UP))
    with pytest.raises(WrongStore):
        mall.picking_up(member, cup, Delivery(kind=DeliveryKind.PICK_UP, store_id=hill.id))
    with pytest.raises(NotFound):
        mall.picking_up(member, cup, Delivery(kind=DeliveryKind.PICK_UP, store_id=NOBODY))
