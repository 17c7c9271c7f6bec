"""Groups and rules of stores, and what was done at each."""

from datetime import timedelta
from typing import Any

import pytest

from persistence import clock
from tests.api.shops import Shop, global_id, key
from tests.api.test_vouchers import grant, open_pool

pytestmark = pytest.mark.asyncio

RULE = "rule { id kind effect store { code } group { code } channel pointsMax isActive }"


async def test_stores_are_grouped(shop: Shop) -> None:
    """As a chain or a franchise."""
    group = (await shop.do("storeGroupCreate", "group { id kind }", code="g", name="River", kind="FRANCHISE"))["group"]
    store = await shop.do("storeCreate", "store { id group { code } }", code="s", name="S", groupId=group["id"])
    assert store["store"]["group"] == {"code": "g"}
    assert (await shop.refused("storeGroupCreate", code="g", name="Hill"))["code"] == "STORE_GROUP_CODE_TAKEN"
    assert (await shop.refused("storeCreate", code="t", name="T", groupId=global_id("StoreGroup")))[
        "code"
    ] == "NOT_FOUND"
    nodes = (await shop.ask("{ storeGroups { nodes { code kind } } }"))["storeGroups"]["nodes"]
    assert nodes == [{"code": "g", "kind": "FRANCHISE"}]


async def test_a_franchise_that_gives_points_and_takes_none(shop: Shop) -> None:
    """Until the rule ends."""
    group = (await shop.do("storeGroupCreate", "group { id }", code="g", name="River", kind="FRANCHISE"))["group"]["id"]
    store = (await shop.do("storeCreate", "store { id }", code="s", name="S", groupId=group))["store"]["id"]
    told = {"kind": "REDEEMING", "effect": "REFUSED", "groupId": group}
    rule = (await shop.do("tradeRuleCreate", RULE, **told))["rule"]
    assert (rule["group"], rule["effect"], rule["isActive"]) == ({"code": "g"}, "REFUSED", True)
    member = await shop.enroll()
    assert (await shop.buy(member, "100", storeId=store))["purchase"]["pointsEarned"] == 100
    given = {"member": {"id": member}, "rewardId": await shop.make_reward(10), "storeId": store}
    refused = await shop.refused("rewardRedeem", **given, idempotencyKey=key())
    assert (refused["code"], refused["details"]) == ("REDEEMING_REFUSED", {"store": "s", "channel": "ONLINE"})
    assert len((await shop.ask("{ tradeRules { nodes { id } } }"))["tradeRules"]["nodes"]) == 1
    await shop.do("tradeRuleEnd", RULE, ruleId=rule["id"])
    await shop.do("rewardRedeem", "redemption { id }", **given, idempotencyKey=key())
    assert (await shop.ask("{ tradeRules { nodes { id } } }"))["tradeRules"]["nodes"] == []


async def test_earning_is_capped_or_refused(shop: Shop) -> None:
    """The purchase shows what it did earn."""
    store = (await shop.do("storeCreate", "store { id }", code="s", name="S"))["store"]["id"]
    await shop.do("tradeRuleCreate", RULE, kind="EARNING", effect="CAPPED", pointsMax=150, storeId=store)
    await shop.do("tradeRuleCreate", RULE, kind="EARNING", effect="REFUSED", channel="PHONE")
    member = await shop.enroll()
    earned = [(await shop.buy(member, "100", storeId=store))["purchase"]["pointsEarned"] for _ in range(3)]
    assert earned == [100, 50, 0]
    assert (await shop.buy(member, "100", channel="PHONE"))["purchase"]["pointsEarned"] == 0
    asked = """{ member(ref: {id: "%s"}) { purchases(first: 9) { nodes {
        explanation { applied { points requested limitedBy } } } } } }"""
    nodes = (await shop.ask(asked % member))["member"]["purchases"]["nodes"]
    applied = sorted(one["points"] for node in nodes for one in node["explanation"]["applied"])
    assert applied == [0, 0, 50, 100]
    limits = {one["limitedBy"] for node in nodes for one in node["explanation"]["applied"] if one["points"] < 100}
    assert limits == {"STORE"}


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"effect": "CAPPED"}, "TRADE_RULE_INVALID"),
        ({"effect": "REFUSED", "pointsMax": 5}, "TRADE_RULE_INVALID"),
        ({"effect": "CAPPED", "pointsMax": 0}, "POINTS_INVALID"),
        ({"effect": "REFUSED", "storeId": global_id("Store")}, "NOT_FOUND"),
        ({"effect": "REFUSED", "groupId": "x"}, "NOT_FOUND"),
    ],
)
async def test_impossible_rules_are_refused(shop: Shop, told: dict[str, Any], code: str) -> None:
    """And nothing is ruled."""
    assert (await shop.refused("tradeRuleCreate", kind="EARNING", **told))["code"] == code
    assert (await shop.ask("{ tradeRules { nodes { id } } }"))["tradeRules"]["nodes"] == []


async def test_figures_of_a_store(shop: Shop) -> None:
    """Of the days that are asked for, in the program's time zone; for many stores in one statement."""
    stores = [
        (await shop.do("storeCreate", "store { id }", code=code, name=code))["store"]["id"] for code in ("s1", "s2")
    ]
    member = await shop.enroll()
    voucher = await grant(shop, member, await open_pool(shop))
    bought = await shop.buy(
        member,
        "90",
        storeId=stores[0],
        lines=[{"amount": shop.money("90"), "discount": shop.money("10")}],
        voucherCodes=[voucher["code"]],
    )
    refund = {"purchase": {"id": bought["purchase"]["id"]}, "refundId": "r", "amount": shop.money("40")}
    await shop.do("purchaseRefund", "refund { id }", **refund, idempotencyKey=key())
    given = {"member": {"id": member}, "rewardId": await shop.make_reward(10), "storeId": stores[0]}
    taken = [await shop.do("rewardRedeem", "redemption { id }", **given, idempotencyKey=key()) for _ in range(2)]
    cancel = {"redemptionId": taken[1]["redemption"]["id"], "reason": "no", "idempotencyKey": key()}
    await shop.do("redemptionCancel", "redemption { id }", **cancel)
    today = clock.now().date()
    document = """query ($from: Date!, $to: Date!) { stores { nodes { code figures(from: $from, to: $to) { purchases
        amount { amount } refunded { amount } pointsEarned pointsSpent redemptions pointsRedeemed vouchersUsed
        discount { amount } } } } }"""
    days = {"from": str(today - timedelta(days=1)), "to": str(today + timedelta(days=1))}
    nodes = {node["code"]: node["figures"] for node in (await shop.ask(document, **days))["stores"]["nodes"]}
    assert nodes["s1"] == {
        "purchases": 1,
        "amount": {"amount": "90.00"},
        "refunded": {"amount": "40.00"},
        "pointsEarned": 90,
        "pointsSpent": 0,
        "redemptions": 1,
        "pointsRedeemed": 10,
        "vouchersUsed": 1,
        "discount": {"amount": "10.00"},
    }
    assert nodes["s2"]["purchases"] == 0
    before = {"from": "2020-01-01", "to": "2020-12-31"}
    assert (await shop.ask(document, **before))["stores"]["nodes"][0]["figures"]["purchases"] == 0
    for wrong in ({"from": "2020-01-02", "to": "2020-01-01"}, {"from": "2020-01-01", "to": "2021-01-01"}):
        answer = await shop.send(document, **wrong)
        assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_USER_INPUT"}
