"""A redemption's life over the wire: paid or lapsed, sent, handed out for a code, cancelled and returned in parts."""

from datetime import timedelta
from typing import Any

import pytest

from domain.access import KeyKind, Role, Scope
from tests.api.shops import Shop, global_id, key

pytestmark = pytest.mark.asyncio

TAKEN = """redemption { id state quantity fulfilled cancelled returned points cash { amount } payBy paidAt
    trackingNumber carrier delivery { kind address { city } store { code } } fulfilledStore { code } }
    member { account { available held } }"""
HOME = {"name": "Li", "phone": "+8613800138000", "countryCode": "CN", "city": "Hangzhou", "street": "1 Lake Road"}


async def taken(shop: Shop, points: int = 10, quantity: int = 1, /, **told: Any) -> Any:
    """A redemption of a new reward by a new member."""
    member = await shop.enroll(key())
    await shop.grant(member, 1_000)
    given = {name: told.pop(name) for name in ("delivery", "storeId", "channel") if name in told}
    reward = await shop.make_reward(points, **told)
    token = shop.member_token(member)
    return await shop.do(
        "rewardRedeem", TAKEN, token, rewardId=reward, quantity=quantity, idempotencyKey=key(), **given
    )


async def test_cash_is_paid_within_its_time(shop: Shop) -> None:
    """Points are held meanwhile; a payment told twice is one."""
    payload = await taken(shop, 10, 2, cash=shop.money("9.90"), stock=3)
    redemption = payload["redemption"]
    assert (redemption["cash"]["amount"], redemption["state"], redemption["paidAt"]) == ("19.80", "PLACED", None)
    assert payload["member"]["account"] == {"available": 980, "held": 20}
    told = {"redemptionId": redemption["id"], "amount": shop.money("19.80"), "reference": "wx-1"}
    refused = await shop.refused("redemptionPay", **(told | {"amount": shop.money("19.79")}), idempotencyKey=key())
    assert (refused["code"], refused["details"]) == ("PAYMENT_MISMATCH", {"due": 1980, "paid": 1979})
    paid = await shop.do("redemptionPay", f"isRepeat {TAKEN}", **told, idempotencyKey=key())
    assert (paid["redemption"]["state"], paid["isRepeat"]) == ("PAID", False)
    assert paid["member"]["account"] == {"available": 980, "held": 0}
    assert (await shop.do("redemptionPay", "isRepeat", **told, idempotencyKey=key()))["isRepeat"] is True


async def test_what_is_not_paid_in_time_is_shown_as_lapsed(shop: Shop) -> None:
    """Whether or not the clock's work was done."""
    redemption = (await taken(shop, cash=shop.money("1")))["redemption"]
    document = "query ($id: ID!) { node(id: $id) { ... on Redemption { state } } }"
    assert (await shop.ask(document, id=redemption["id"]))["node"] == {"state": "PLACED"}
    shop.world.clock.ahead = timedelta(minutes=15)
    assert (await shop.ask(document, id=redemption["id"]))["node"] == {"state": "LAPSED"}
    told = {"redemptionId": redemption["id"], "amount": shop.money("1"), "reference": "wx-1", "idempotencyKey": key()}
    refused = await shop.refused("redemptionPay", **told)
    assert (refused["code"], set(refused["details"])) == ("REDEMPTION_LAPSED", {"payBy"})
    shop.world.clock.ahead = timedelta(0)


async def test_an_item_is_sent_in_parts(shop: Shop) -> None:
    """To an address that only its member and the shop see."""
    delivery = {"kind": "SHIPPING", "address": HOME}
    redemption = (await taken(shop, 10, 3, deliveries=["SHIPPING"], delivery=delivery))["redemption"]
    assert redemption["delivery"] == {"kind": "SHIPPING", "address": {"city": "Hangzhou"}, "store": None}
    told = {"redemptionId": redemption["id"], "quantity": 2, "carrier": "SF", "trackingNumber": "SF1"}
    first = (await shop.do("redemptionFulfill", TAKEN, **told))["redemption"]
    assert (first["state"], first["fulfilled"], first["trackingNumber"]) == ("PLACED", 2, "SF1")
    second = (await shop.do("redemptionFulfill", TAKEN, redemptionId=redemption["id"]))["redemption"]
    assert (second["state"], second["fulfilled"], second["carrier"]) == ("FULFILLED", 3, "SF")


@pytest.mark.parametrize(
    ("delivery", "code"),
    [
        (None, "DELIVERY_INVALID"),
        ({"kind": "PICK_UP"}, "DELIVERY_INVALID"),
        ({"kind": "SHIPPING"}, "DELIVERY_INVALID"),
        ({"kind": "SHIPPING", "address": HOME | {"phone": "1"}}, "PHONE_INVALID"),
        ({"kind": "PICK_UP", "storeId": global_id("Tier")}, "NOT_FOUND"),
    ],
)
async def test_impossible_deliveries_are_refused(shop: Shop, delivery: Any, code: str) -> None:
    """And no point is spent."""
    member = await shop.enroll()
    await shop.grant(member, 100)
    reward = await shop.make_reward(10, deliveries=["SHIPPING"])
    given = {"rewardId": reward, "delivery": delivery, "idempotencyKey": key()}
    assert (await shop.refused("rewardRedeem", shop.member_token(member), **given))["code"] == code
    assert (await shop.account(member))["available"] == 100


async def test_a_till_hands_out_what_a_code_is_good_for(shop: Shop) -> None:
    """By an operator's or a till's key; the code is seen by the member and the shop's server, never by a clerk."""
    river = (await shop.do("storeCreate", "store { id }", code="river", name="River"))["store"]["id"]
    hill = (await shop.do("storeCreate", "store { id }", code="hill", name="Hill"))["store"]["id"]
    told = {"deliveries": ["PICK_UP"], "delivery": {"kind": "PICK_UP", "storeId": river}}
    redemption = (await taken(shop, **told))["redemption"]
    assert redemption["delivery"]["store"] == {"code": "river"}
    document = "query ($id: ID!) { node(id: $id) { ... on Redemption { pickupCode } } }"
    clerk = await shop.make_operator(Role.CLERK)
    assert (await shop.ask(document, clerk, id=redemption["id"]))["node"] == {"pickupCode": None}
    code = (await shop.ask(document, id=redemption["id"]))["node"]["pickupCode"]
    assert len(code) == 10
    refused = await shop.refused("redemptionPickUp", clerk, pickupCode=code, storeId=hill)
    assert (refused["code"], refused["details"]) == ("WRONG_STORE", {"store": "hill", "expected": "river"})
    unknown = await shop.refused("redemptionPickUp", clerk, pickupCode="NOSUCHCODE", storeId=river)
    assert unknown["code"] == "PICKUP_CODE_UNKNOWN"
    till = await shop.make_key(KeyKind.SECRET, (Scope.REDEMPTIONS_WRITE,))
    picked = await shop.do("redemptionPickUp", "redemption { state fulfilled }", till, pickupCode=code, storeId=river)
    assert picked["redemption"] == {"state": "FULFILLED", "fulfilled": 1}
    again = await shop.refused("redemptionPickUp", till, pickupCode=code, storeId=river)
    assert (again["code"], again["details"]) == ("REDEMPTION_NOT_OPEN", {"state": "FULFILLED"})


async def test_an_operator_who_asks_for_the_code_is_answered_what_was_done(shop: Shop) -> None:
    """The code is null to it, and what it picked up is done: an answer of work that is done must not fail."""
    store = (await shop.do("storeCreate", "store { id }", code=key(), name="River"))["store"]["id"]
    document = "query ($id: ID!) { node(id: $id) { ... on Redemption { pickupCode state } } }"
    redemption = (await taken(shop, kind="SERVICE"))["redemption"]
    code = (await shop.ask(document, id=redemption["id"]))["node"]["pickupCode"]
    clerk = await shop.make_operator(Role.CLERK)
    assert (await shop.ask(document, clerk, id=redemption["id"]))["node"] == {"pickupCode": None, "state": "PLACED"}
    picked = await shop.do("redemptionPickUp", "redemption { pickupCode state }", clerk, pickupCode=code, storeId=store)
    assert picked["redemption"] == {"pickupCode": None, "state": "FULFILLED"}
    assert (await shop.ask(document, id=redemption["id"]))["node"] == {"pickupCode": code, "state": "FULFILLED"}


async def test_a_code_of_another_program_is_unknown(shop: Shop) -> None:
    """As if there were none."""
    redemption = (await taken(shop, kind="EVENT"))["redemption"]
    document = "query ($id: ID!) { node(id: $id) { ... on Redemption { pickupCode } } }"
    code = (await shop.ask(document, id=redemption["id"]))["node"]["pickupCode"]
    other = await shop.world.open_shop()
    store = (await other.do("storeCreate", "store { id }", code="s", name="S"))["store"]["id"]
    assert (await other.refused("redemptionPickUp", pickupCode=code, storeId=store))["code"] == "PICKUP_CODE_UNKNOWN"


async def test_parts_are_cancelled_and_returned_with_what_the_shop_owes(shop: Shop) -> None:
    """Points go back to their lots, money is told."""
    redemption = (await taken(shop, 10, 3, cash=shop.money("1"), stock=3))["redemption"]
    key_of = {"redemptionId": redemption["id"]}
    await shop.do("redemptionPay", "isRepeat", **key_of, amount=shop.money("3"), reference="p", idempotencyKey=key())
    selection = f"pointsReturned refundable {{ amount }} {TAKEN}"
    cancelled = await shop.do("redemptionCancel", selection, **key_of, quantity=1, reason="no", idempotencyKey=key())
    assert (cancelled["pointsReturned"], cancelled["refundable"]["amount"]) == (10, "1.00")
    await shop.do("redemptionFulfill", TAKEN, **key_of)
    returned = await shop.do("redemptionReturn", selection, **key_of, reason="broken", idempotencyKey=key())
    assert (returned["pointsReturned"], returned["refundable"]["amount"]) == (20, "2.00")
    assert returned["redemption"]["state"] == "RETURNED"
    assert returned["member"]["account"] == {"available": 1_000, "held": 0}
    refused = await shop.refused("redemptionReturn", **key_of, reason="broken", idempotencyKey=key())
    assert (refused["code"], refused["details"]) == ("REDEMPTION_NOT_OPEN", {"state": "RETURNED"})
