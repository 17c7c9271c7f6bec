"""Rewards are put into the mall, redeemed, fulfilled and cancelled."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from persistence import clock
from tests.api.shops import Shop, global_id, key

pytestmark = pytest.mark.asyncio

REWARD = "reward { id code name description points stock limitPerMember isActive startsAt endsAt }"
REDEMPTION = """redemption { id quantity points state channel reason closedAt reward { code } member { externalId } }
    member { account { available lifetimeSpent } }"""
MALL = "query ($isActive: Boolean) { rewards(isActive: $isActive) { nodes { code stock } } }"


async def test_a_reward_is_put_into_the_mall_and_edited(shop: Shop) -> None:
    """What is left out stays; the stock is set, or without end."""
    told = {"code": "cup", "name": "Cup 杯", "points": 100, "stock": 3, "limitPerMember": 2}
    reward = (await shop.do("rewardCreate", REWARD, **told))["reward"]
    assert reward == told | {
        "id": reward["id"],
        "description": None,
        "isActive": True,
        "startsAt": None,
        "endsAt": None,
    }
    edited = await shop.do("rewardUpdate", REWARD, rewardId=reward["id"], points=90, stock=5)
    assert edited["reward"] == reward | {"points": 90, "stock": 5}
    endless = await shop.do("rewardUpdate", REWARD, rewardId=reward["id"], isUnlimited=True)
    assert endless["reward"] == reward | {"points": 90, "stock": None}


async def test_a_storefront_sees_active_rewards_only(shop: Shop) -> None:
    """Staff sees all of them, or those it asks for."""
    await shop.make_reward(code="new", stock=3)
    old = await shop.make_reward(code="old")
    await shop.do("rewardUpdate", REWARD, rewardId=old, isActive=False)
    member = shop.member_token(await shop.enroll())
    new, retired = {"code": "new", "stock": 3}, {"code": "old", "stock": None}
    for token, is_active, expected in (
        (shop.publishable, None, [new]),
        (shop.publishable, False, []),
        (member, None, [new]),
        (member, True, [new]),
        (shop.secret, None, [new, retired]),
        (shop.secret, True, [new]),
        (shop.secret, False, [retired]),
    ):
        assert (await shop.ask(MALL, token, isActive=is_active))["rewards"]["nodes"] == expected


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        ({"code": "cup"}, "REWARD_CODE_TAKEN", ["code"]),
        ({"code": ""}, "TEXT_INVALID", ["code"]),
        ({"name": "n" * 201}, "TEXT_INVALID", ["name"]),
        ({"description": "d" * 2001}, "TEXT_INVALID", ["description"]),
        ({"points": 0}, "POINTS_INVALID", ["points"]),
        ({"points": -5}, "POINTS_INVALID", ["points"]),
        ({"stock": -1}, "NUMBER_INVALID", ["stock"]),
        ({"stock": 10**9 + 1}, "NUMBER_INVALID", ["stock"]),
        ({"limitPerMember": 0}, "NUMBER_INVALID", ["limitPerMember"]),
        ({"startsAt": "2026-02-01T00:00:00Z", "endsAt": "2026-02-01T00:00:00Z"}, "WINDOW_INVALID", ["endsAt"]),
    ],
)
async def test_impossible_rewards_are_refused(shop: Shop, told: dict[str, Any], code: str, field: list[str]) -> None:
    """And nothing is put into the mall."""
    await shop.make_reward(code="cup", stock=1)
    refused = await shop.refused("rewardCreate", **({"code": "pot", "name": "Pot", "points": 100} | told))
    assert (refused["code"], refused["field"]) == (code, field)
    assert (await shop.ask(MALL))["rewards"]["nodes"] == [{"code": "cup", "stock": 1}]


async def test_a_member_redeems_for_itself(shop: Shop) -> None:
    """Points and stock go down in one step, and the answer shows both."""
    member = await shop.enroll()
    await shop.grant(member, 500)
    reward = await shop.make_reward(100, code="cup", stock=3)
    token = shop.member_token(member)
    given = {"rewardId": reward, "quantity": 2, "idempotencyKey": key()}
    payload = await shop.do("rewardRedeem", REDEMPTION, token, **given)
    redemption = payload["redemption"]
    assert redemption == {
        "id": redemption["id"],
        "quantity": 2,
        "points": 200,
        "state": "PLACED",
        "channel": "ONLINE",
        "reason": None,
        "closedAt": None,
        "reward": {"code": "cup"},
        "member": {"externalId": "m-1"},
    }
    assert payload["member"]["account"] == {"available": 300, "lifetimeSpent": 200}
    assert (await shop.ask(MALL))["rewards"]["nodes"] == [{"code": "cup", "stock": 1}]
    again = await shop.do("rewardRedeem", f"isReplay {REDEMPTION}", token, **given)
    assert (again["isReplay"], again["redemption"]) == (True, redemption)
    history = "{ me { redemptions { nodes { id state } } } }"
    nodes = (await shop.ask(history, token))["me"]["redemptions"]["nodes"]
    assert nodes == [{"id": redemption["id"], "state": "PLACED"}]


async def test_a_member_redeems_and_cancels_for_nobody_else(shop: Shop) -> None:
    """Another's redemption is not found, as if there were none."""
    member, other = await shop.enroll("m-1"), await shop.enroll("m-2")
    await shop.grant(other, 500)
    reward = await shop.make_reward(100)
    token = shop.member_token(member)
    document = "mutation ($input: RewardRedeemInput!) { rewardRedeem(input: $input) { isReplay } }"
    for ref in ({"id": other}, {"externalId": "m-2"}):
        given = {"member": ref, "rewardId": reward, "idempotencyKey": key()}
        assert await shop.error(document, token, input=given) == "FORBIDDEN"
    redeemed = await shop.do("rewardRedeem", REDEMPTION, member={"id": other}, rewardId=reward, idempotencyKey=key())
    given = {"redemptionId": redeemed["redemption"]["id"], "reason": "mine", "idempotencyKey": key()}
    assert (await shop.refused("redemptionCancel", token, **given))["code"] == "NOT_FOUND"
    assert (await shop.account(other))["available"] == 400


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"quantity": 0}, "NUMBER_INVALID"),
        ({"quantity": 1001}, "NUMBER_INVALID"),
        ({"quantity": 4}, "LIMIT_REACHED"),
        ({"quantity": 3}, "SOLD_OUT"),
        ({"quantity": 2}, "INSUFFICIENT_POINTS"),
        ({"rewardId": global_id("Reward")}, "NOT_FOUND"),
        ({"rewardId": global_id("Member")}, "NOT_FOUND"),
        ({"member": {"externalId": "nobody"}}, "NOT_FOUND"),
        ({"member": None}, "MEMBER_REF_INVALID"),
        ({"storeId": global_id("Store")}, "NOT_FOUND"),
    ],
)
async def test_impossible_redemptions_are_refused(shop: Shop, told: dict[str, Any], code: str) -> None:
    """And neither points nor stock change."""
    member = await shop.enroll()
    await shop.grant(member, 150)
    reward = await shop.make_reward(100, code="cup", stock=2, limitPerMember=3)
    given = {"member": {"id": member}, "rewardId": reward, "idempotencyKey": key()} | told
    assert (await shop.refused("rewardRedeem", **given))["code"] == code
    assert (await shop.account(member))["available"] == 150
    assert (await shop.ask(MALL))["rewards"]["nodes"] == [{"code": "cup", "stock": 2}]


async def test_rewards_have_their_time(shop: Shop) -> None:
    """Before it, after it, and when they are not active, they are unavailable."""
    member = await shop.enroll()
    await shop.grant(member, 500)
    now = clock.now()
    later, earlier = (now + timedelta(hours=1)).isoformat(), (now - timedelta(hours=1)).isoformat()
    retired = await shop.make_reward(100)
    await shop.do("rewardUpdate", "reward { id }", rewardId=retired, isActive=False)
    for reward in (await shop.make_reward(100, startsAt=later), await shop.make_reward(100, endsAt=earlier), retired):
        given = {"member": {"id": member}, "rewardId": reward, "idempotencyKey": key()}
        assert (await shop.refused("rewardRedeem", **given))["code"] == "REWARD_UNAVAILABLE"


async def test_a_redemption_is_fulfilled_or_cancelled_once(shop: Shop) -> None:
    """A cancelled one gives points and stock back."""
    member = await shop.enroll()
    await shop.grant(member, 200)
    reward = await shop.make_reward(100, code="cup", stock=2)
    taken = [
        (await shop.do("rewardRedeem", REDEMPTION, member={"id": member}, rewardId=reward, idempotencyKey=key()))
        for _ in range(2)
    ]
    first, second = (payload["redemption"]["id"] for payload in taken)
    fulfilled = await shop.do("redemptionFulfill", REDEMPTION, redemptionId=first)
    assert (fulfilled["redemption"]["state"], fulfilled["member"]["account"]["available"]) == ("FULFILLED", 0)
    cancel = {"redemptionId": second, "reason": "broken", "idempotencyKey": key()}
    selection = f"{REDEMPTION} pointsReturned pointsReplaced pointsForfeited"
    cancelled = await shop.do("redemptionCancel", selection, **cancel)
    assert (cancelled["redemption"]["state"], cancelled["redemption"]["reason"]) == ("CANCELLED", "broken")
    assert cancelled["member"]["account"] == {"available": 100, "lifetimeSpent": 100}
    assert [cancelled[name] for name in ("pointsReturned", "pointsReplaced", "pointsForfeited")] == [100, 0, 0]
    assert (await shop.ask(MALL))["rewards"]["nodes"] == [{"code": "cup", "stock": 1}]
    for redemption, state in ((first, "FULFILLED"), (second, "CANCELLED")):
        refused = await shop.refused("redemptionFulfill", redemptionId=redemption)
        assert (refused["code"], refused["details"]) == ("REDEMPTION_NOT_OPEN", {"state": state})
        again = {"redemptionId": redemption, "reason": "twice", "idempotencyKey": key()}
        assert (await shop.refused("redemptionCancel", **again))["code"] == "REDEMPTION_NOT_OPEN"
    for redemption in (global_id("Redemption"), global_id("Reward"), ""):
        refused = await shop.refused("redemptionFulfill", redemptionId=redemption)
        assert refused["code"] == "NOT_FOUND"


async def test_the_last_one_is_sold_once(shop: Shop) -> None:
    """To one of twenty who want it at once."""
    reward = await shop.make_reward(1, code="cup", stock=1)
    members = [await shop.enroll(f"m-{number}") for number in range(20)]
    await asyncio.gather(*(shop.grant(member, 1) for member in members))
    attempts = [
        shop.attempt("rewardRedeem", "member { id }", member={"id": member}, rewardId=reward, idempotencyKey=key())
        for member in members
    ]
    payloads = await asyncio.gather(*attempts)
    codes = [error["code"] for payload in payloads for error in payload["userErrors"]]
    assert codes == ["SOLD_OUT"] * 19
    assert (await shop.ask(MALL))["rewards"]["nodes"] == [{"code": "cup", "stock": 0}]
