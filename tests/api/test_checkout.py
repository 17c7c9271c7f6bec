"""Quotes over the wire: signed, deterministic, taken up once; vouchers and points in purchases and refunds."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.shops import Shop, global_id, key
from tests.api.test_vouchers import grant, open_pool

pytestmark = pytest.mark.asyncio

QUOTE = """query ($input: CheckoutQuoteInput!) { checkoutQuote(input: $input) { token quote {
    lines { number amount { amount } discount { amount } offset { amount } points paid { amount } }
    vouchers { voucher { code } discount { amount } } goods { amount } discount { amount } freight { amount }
    freightDiscount { amount } pointsMax points offset { amount } payable { amount } expiresAt }
    userErrors { code field details } } }"""


async def ask(shop: Shop, token: str | None = None, /, **told: Any) -> Any:
    """A quote, or why there is none."""
    given = {"lines": [{"amount": shop.money("95")}]} | told
    return (await shop.ask(QUOTE, token or shop.secret, input=given))["checkoutQuote"]


async def rich(shop: Shop, points: int = 1_000) -> tuple[str, str]:
    """A new member with points, and its token."""
    member = await shop.enroll(key())
    if points:
        await shop.grant(member, points)
    return member, shop.member_token(member)


async def test_a_thousand_points_on_an_order_of_95_yuan_use_950(shop: Shop) -> None:
    """100 points are 10 yuan; the member chooses, and may choose less."""
    _, token = await rich(shop)
    quote = (await ask(shop, token))["quote"]
    assert (quote["pointsMax"], quote["points"], quote["payable"]["amount"]) == (950, 0, "95.00")
    quote = (await ask(shop, token, points=950))["quote"]
    assert (quote["offset"]["amount"], quote["payable"]["amount"]) == ("95.00", "0.00")
    assert (await ask(shop, token, points=7))["quote"]["offset"]["amount"] == "0.70"
    (error,) = (await ask(shop, token, points=951))["userErrors"]
    assert (error["code"], error["details"]["pointsMax"]) == ("OFFSET_NOT_ALLOWED", 950)


async def test_the_best_vouchers_are_chosen_and_the_same_every_time(shop: Shop) -> None:
    """Goods and freight together beat the one that takes more off the goods alone."""
    member, token = await rich(shop, 0)
    alone = await open_pool(shop, terms={"amount": shop.money("12")})
    goods = await open_pool(shop, terms={"isCombinable": True})
    freight = await open_pool(
        shop, terms={"kind": "FREE_SHIPPING", "amount": None, "isCombinable": True, "stackGroup": "freight"}
    )
    codes = [(await grant(shop, member, pool))["code"] for pool in (alone, goods, freight)]
    first = await ask(shop, token, freight=shop.money("8"))
    assert [used["voucher"]["code"] for used in first["quote"]["vouchers"]] == codes[1:]
    assert (first["quote"]["discount"]["amount"], first["quote"]["freightDiscount"]["amount"]) == ("18.00", "8.00")
    again = await ask(shop, token, freight=shop.money("8"))
    assert again["quote"] | {"expiresAt": ""} == first["quote"] | {"expiresAt": ""}
    assert [used["voucher"]["code"] for used in (await ask(shop, token))["quote"]["vouchers"]] == codes[:1]
    chosen = await ask(shop, token, voucherCodes=[codes[1]])
    assert chosen["quote"]["payable"]["amount"] == "85.00"
    assert (await ask(shop, token, voucherCodes=[]))["quote"]["payable"]["amount"] == "95.00"
    (error,) = (await ask(shop, token, voucherCodes=codes[:2]))["userErrors"]
    assert error["code"] == "VOUCHERS_NOT_COMBINABLE"


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"lines": []}, "NUMBER_INVALID"),
        ({"lines": [{"amount": {"amount": "1", "currencyCode": "CNY"}, "quantity": 0}]}, "NUMBER_INVALID"),
        ({"lines": [{"amount": {"amount": "1", "currencyCode": "CNY"}, "quantity": 10**6 + 1}]}, "NUMBER_INVALID"),
        ({"lines": [{"amount": {"amount": "1", "currencyCode": "EUR"}}]}, "CURRENCY_MISMATCH"),
        ({"lines": [{"amount": {"amount": "-1", "currencyCode": "CNY"}}]}, "AMOUNT_INVALID"),
        ({"lines": [{"amount": {"amount": "1", "currencyCode": "CNY"}}] * 201}, "TOO_MANY"),
        ({"member": {"externalId": "nobody"}}, "NOT_FOUND"),
        ({"storeId": global_id("Store")}, "NOT_FOUND"),
        ({"storeId": global_id("Tier")}, "NOT_FOUND"),
        ({"voucherCodes": ["NOSUCHCODE12"]}, "NOT_FOUND"),
        ({"voucherCodes": ["?"]}, "NOT_FOUND"),
        ({"voucherCodes": ["A"] * 11}, "TOO_MANY"),
        ({"points": -1}, "OFFSET_NOT_ALLOWED"),
    ],
)
async def test_impossible_carts_are_refused(shop: Shop, told: dict[str, Any], code: str) -> None:
    """With data, not with errors."""
    await shop.enroll("m-1")
    (error,) = (await ask(shop, **({"member": {"externalId": "m-1"}} | told)))["userErrors"]
    assert error["code"] == code


async def test_vouchers_that_are_no_good_are_named_or_left_out(shop: Shop) -> None:
    """Chosen ones are refused with the reason; of the best, they are simply none."""
    member, token = await rich(shop, 0)
    store = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    here = await grant(shop, member, await open_pool(shop, terms={"scope": {"storeIds": [store]}}))
    high = await grant(shop, member, await open_pool(shop, terms={"minimum": shop.money("100")}))
    early = await grant(shop, member, await open_pool(shop, terms={"startsAt": "2999-01-01T00:00:00Z"}))
    over = await grant(shop, member, await open_pool(shop, terms={"days": 0}))
    shop.world.clock.ahead = timedelta(days=2)
    token = shop.member_token(member)
    assert (await ask(shop, token))["quote"]["vouchers"] == []
    for voucher, code in (
        (here, "VOUCHER_NOT_HERE"),
        (high, "VOUCHER_MINIMUM"),
        (early, "VOUCHER_NOT_YET_VALID"),
        (over, "VOUCHER_EXPIRED"),
    ):
        (error,) = (await ask(shop, token, voucherCodes=[voucher["code"]]))["userErrors"]
        assert error["code"] == code
    assert len((await ask(shop, token, storeId=store))["quote"]["vouchers"]) == 1
    shop.world.clock.ahead = timedelta(0)


async def test_a_quote_is_taken_up_by_its_member_for_its_order(shop: Shop) -> None:
    """Points are held, spent with the purchase, and come back as points with its refund."""
    member, token = await rich(shop)
    voucher = await grant(shop, member, await open_pool(shop))
    lines = [{"amount": shop.money("60")}, {"amount": shop.money("35")}]
    quoted = await ask(shop, token, lines=lines, points=500)
    quote = quoted["quote"]
    assert (quote["discount"]["amount"], quote["offset"]["amount"]) == ("10.00", "50.00")
    selection = "offset { id points amount { amount } hold { state } } member { account { available held } }"
    held = await shop.do("offsetHold", selection, token, quote=quoted["token"], idempotencyKey=key())
    assert held["member"]["account"] == {"available": 500, "held": 500}
    bought = await shop.do(
        "purchaseRecord",
        """purchase { id discount { amount } offset { amount } pointsSpent pointsEarned vouchers { code state }
            lines { amount { amount } discount { amount } offset { amount } points } }""",
        member={"id": member},
        externalId="o-1",
        amount=shop.money("85"),
        lines=[
            {"amount": shop.money("53.68"), "discount": shop.money("6.32")},
            {"amount": shop.money("31.32"), "discount": shop.money("3.68")},
        ],
        voucherCodes=[voucher["code"]],
        offsetId=held["offset"]["id"],
        idempotencyKey=key(),
    )
    purchase = bought["purchase"]
    assert purchase["vouchers"] == [{"code": voucher["code"], "state": "USED"}]
    assert (purchase["pointsSpent"], purchase["pointsEarned"]) == (500, 35)
    assert [line["discount"]["amount"] for line in purchase["lines"]] == ["6.32", "3.68"]
    assert [line["discount"] for line in quote["lines"]] == [line["discount"] for line in purchase["lines"]]
    assert [line["points"] for line in quote["lines"]] == [line["points"] for line in purchase["lines"]]
    refund = {"purchase": {"id": purchase["id"]}, "refundId": "r", "idempotencyKey": key()}
    refunded = await shop.do(
        "purchaseRefund", "refund { cash { amount } pointsReturned discountLost { amount } }", **refund
    )
    assert refunded["refund"] == {
        "cash": {"amount": "35.00"},
        "pointsReturned": 500,
        "discountLost": {"amount": "0.00"},
    }
    asked = "query ($code: String!) { voucher(code: $code) { state } }"
    assert (await shop.ask(asked, code=voucher["code"]))["voucher"] == {"state": "RETURNED"}


async def test_a_quote_that_is_not_ours_or_not_theirs_holds_nothing(shop: Shop) -> None:
    """Changed, another member's, another program's, or over."""
    member, token = await rich(shop)
    _, stranger = await rich(shop)
    signed = (await ask(shop, token, points=100))["token"]
    other = await shop.world.open_shop()
    head, body, signature = signed.split(".")
    for told, caller, of in (
        ("nonsense", token, shop),
        (f"{head}.{body}.{signature[:-2]}AA", token, shop),
        (f"{head}.{body[:-2]}AA.{signature}", token, shop),
        (signed, stranger, shop),
        (signed, other.secret, other),
        (token, token, shop),
    ):
        assert (await of.refused("offsetHold", caller, quote=told, idempotencyKey=key()))["code"] == "QUOTE_INVALID"
    shop.world.clock.ahead = timedelta(minutes=16)
    refused = await shop.refused("offsetHold", shop.member_token(member), quote=signed, idempotencyKey=key())
    assert (refused["code"], set(refused["details"])) == ("QUOTE_EXPIRED", {"expiredAt"})
    shop.world.clock.ahead = timedelta(0)
    assert (await shop.account(member))["held"] == 0


async def test_a_quote_is_taken_up_once_whatever_the_key(shop: Shop) -> None:
    """The same key answers the first again; another one is refused, also when the points came back."""
    member, token = await rich(shop)
    signed, once = (await ask(shop, token, points=100))["token"], key()
    held = await shop.do("offsetHold", "offset { id } isReplay", token, quote=signed, idempotencyKey=once)
    again = await shop.do("offsetHold", "offset { id } isReplay", token, quote=signed, idempotencyKey=once)
    assert (again["offset"], again["isReplay"]) == (held["offset"], True)
    for _ in range(2):
        refused = await shop.refused("offsetHold", token, quote=signed, idempotencyKey=key())
        assert (refused["code"], set(refused["details"])) == ("QUOTE_USED", {"heldAt"})
        if (await shop.account(member))["held"]:
            await shop.do("offsetRelease", "offset { id }", token, offsetId=held["offset"]["id"], idempotencyKey=key())
    assert (await shop.account(member))["available"] == 1_000
    # A new quote of the same cart is another.
    signed = (await ask(shop, token, points=100))["token"]
    await shop.do("offsetHold", "offset { id }", token, quote=signed, idempotencyKey=key())


async def test_points_are_for_the_order_that_the_quote_told_of(shop: Shop) -> None:
    """Its number, its store and its channel; an offset that is not there is named by its global id."""
    member, token = await rich(shop)
    store = (await shop.do("storeCreate", "store { id }", code=key(), name="River"))["store"]["id"]
    lines = [{"amount": shop.money("95")}]
    quoted = await ask(shop, token, lines=lines, points=100, reference="o-7", storeId=store, channel="IN_STORE")
    selection = "offset { id reference store { id } channel }"
    held = await shop.do("offsetHold", selection, token, quote=quoted["token"], idempotencyKey=key())
    offset = held["offset"].pop("id")
    assert held["offset"] == {"reference": "o-7", "store": {"id": store}, "channel": "IN_STORE"}
    order = {"member": {"id": member}, "amount": shop.money("95"), "lines": lines, "offsetId": offset}
    right = {"externalId": "o-7", "storeId": store, "channel": "IN_STORE"}
    for other, what in (
        ({"externalId": "o-8"}, "reference"),
        ({"storeId": None}, "store"),
        ({"channel": "ONLINE"}, "channel"),
        ({"amount": shop.money("96"), "lines": [{"amount": shop.money("96")}]}, "cart"),
    ):
        refused = await shop.refused("purchaseRecord", **(order | right | other), idempotencyKey=key())
        assert (refused["code"], refused["field"], refused["details"]) == (
            "ORDER_CHANGED",
            ["offsetId"],
            {"what": what},
        )
    await shop.do("purchaseRecord", "purchase { id }", **order, **right, idempotencyKey=key())
    spent = await shop.refused("purchaseRecord", **order, externalId="o-9", idempotencyKey=key())
    assert (spent["code"], spent["details"]) == ("NOT_FOUND", {"pointsOffset": offset})
    assert repr(offset) in spent["message"]


async def test_a_quote_reckons_with_the_rules_for_redeeming(shop: Shop) -> None:
    """What is refused or capped where the order is placed is so in the quote already."""
    _, token = await rich(shop)
    store = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    await shop.do("tradeRuleCreate", "rule { id }", kind="REDEEMING", effect="REFUSED", storeId=store)
    await shop.do("tradeRuleCreate", "rule { id }", kind="REDEEMING", effect="CAPPED", pointsMax=300)
    assert (await ask(shop, token, storeId=store))["quote"]["pointsMax"] == 0
    (error,) = (await ask(shop, token, storeId=store, points=1))["userErrors"]
    assert (error["code"], error["details"]) == ("REDEEMING_REFUSED", {"store": "s1", "channel": "ONLINE"})
    assert (await ask(shop, token))["quote"]["pointsMax"] == 300
    reward = await shop.make_reward(50)
    await shop.do("rewardRedeem", "redemption { id }", token, rewardId=reward, idempotencyKey=key())
    quoted = await ask(shop, token, points=250)
    assert quoted["quote"]["pointsMax"] == 250
    (error,) = (await ask(shop, token, points=251))["userErrors"]
    assert (error["code"], error["details"]["pointsMax"]) == ("OFFSET_NOT_ALLOWED", 250)
    await shop.do("rewardRedeem", "redemption { id }", token, rewardId=reward, idempotencyKey=key())
    refused = await shop.refused("offsetHold", token, quote=quoted["token"], idempotencyKey=key())
    assert (refused["code"], refused["details"]["pointsMax"]) == ("OFFSET_NOT_ALLOWED", 200)


async def test_vouchers_that_are_no_good_are_told_as_the_input_calls_them(shop: Shop) -> None:
    """In a quote and in a purchase alike."""
    member, token = await rich(shop, 0)
    pool = await open_pool(shop, terms={"scope": {"channels": ["IN_STORE"]}})
    voucher = await grant(shop, member, pool)
    (error,) = (await ask(shop, token, voucherCodes=[voucher["code"]]))["userErrors"]
    assert (error["code"], error["field"]) == ("VOUCHER_NOT_HERE", ["voucherCodes"])
    line = {"amount": shop.money("85"), "discount": shop.money("10")}
    given = {"member": {"id": member}, "externalId": "o", "amount": shop.money("85"), "lines": [line]}
    refused = await shop.refused("purchaseRecord", **given, voucherCodes=[voucher["code"]], idempotencyKey=key())
    assert (refused["code"], refused["field"]) == ("VOUCHER_NOT_HERE", ["voucherCodes"])
    assert refused["message"] == "The voucher is not taken in the channel ONLINE."


async def test_points_held_are_released_by_their_member(shop: Shop) -> None:
    """Once, and by nobody else."""
    member, token = await rich(shop)
    _, stranger = await rich(shop)
    signed = (await ask(shop, token, points=100))["token"]
    held = await shop.do("offsetHold", "offset { id }", token, quote=signed, idempotencyKey=key())
    told = {"offsetId": held["offset"]["id"]}
    assert (await shop.refused("offsetRelease", stranger, **told, idempotencyKey=key()))["code"] == "NOT_FOUND"
    await shop.do("offsetRelease", "offset { id }", token, **told, idempotencyKey=key())
    assert (await shop.refused("offsetRelease", token, **told, idempotencyKey=key()))["code"] == "HOLD_NOT_OPEN"
    assert (await shop.account(member))["available"] == 1_000


async def test_the_policy_bounds_what_is_used(shop: Shop) -> None:
    """A cap, a part of the order, steps, a minimum, and something left to pay."""
    _, token = await rich(shop)
    assert (await shop.ask("{ offsetPolicy { step percentBp } }"))["offsetPolicy"] == {"step": 1, "percentBp": 10_000}
    for told, most in (
        ({"percentBp": 5000}, 475),
        ({"step": 100}, 400),
        ({"pointsMax": 250}, 200),
        ({"isUnbounded": True, "percentBp": 10000, "leaves": shop.money("0.01")}, 900),
        ({"minimum": 1000}, 0),
    ):
        await shop.do("offsetPolicySet", "policy { step }", **told)
        assert (await ask(shop, token))["quote"]["pointsMax"] == most, told
    assert (await shop.refused("offsetPolicySet", step=0))["code"] == "POINTS_INVALID"
