"""Activities through the API: whatever a shop reports, each once, earning by the rules of its type, and reversed."""

from typing import Any

import pytest

from tests.api.shops import Shop, World, global_id, key, local
from tests.api.stages import kept
from tests.api.statements import counted
from tests.api.test_earning import base, rule

pytestmark = pytest.mark.asyncio

ACTIVITY = """activity { type externalId channel data pointsEarned pointsTakenBack reversedAt reason ruleVersion
    occurredAt store { code } member { externalId } actor } member { account { available debt } } isRepeat isReplay"""


def shared(points: int = 5, **told: Any) -> dict[str, Any]:
    """A rule for shares."""
    return rule("shared", points=points, trigger="ACTIVITY", activityType="share", **told)


async def test_an_activity_is_recorded_with_what_it_earned(world: World) -> None:
    """With the shop's own values, at its own time; a type that no rule waits for earns nothing and is kept all the
    same."""
    shop = await world.open_shop()
    world.clock.put("2027-03-04T15:00")
    store = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    await shop.set_rules(base(shop), shared())
    await shop.enroll(enrolledAt=local("2027-01-01T00:00"))
    told = {
        "member": {"externalId": "m-1"},
        "type": " share ",
        "externalId": " s-1 ",
        "storeId": store,
        "channel": "IN_STORE",
        "data": {"network": "weibo", "reach": 120, "isPublic": True},
        "occurredAt": local("2027-03-01T12:00"),
    }
    payload = await shop.do("activityRecord", ACTIVITY, **told, idempotencyKey=key())
    assert payload["activity"].pop("actor").startswith("secret_key:")
    assert payload == {
        "activity": {
            "type": "share",
            "externalId": "s-1",
            "channel": "IN_STORE",
            "data": {"network": "weibo", "reach": 120, "isPublic": True},
            "pointsEarned": 5,
            "pointsTakenBack": 0,
            "reversedAt": None,
            "reason": None,
            "ruleVersion": 2,
            "occurredAt": "2027-03-01T04:00:00Z",
            "store": {"code": "s1"},
            "member": {"externalId": "m-1"},
        },
        "member": {"account": {"available": 5, "debt": 0}},
        "isRepeat": False,
        "isReplay": False,
        "userErrors": [],
    }
    other = await shop.do("activityRecord", ACTIVITY, **(told | {"type": "review"}), idempotencyKey=key())
    assert (other["activity"]["pointsEarned"], other["activity"]["externalId"]) == (0, "s-1")


async def test_the_same_activity_earns_once(shop: Shop) -> None:
    """Whatever the key: the shop's own number of its type says which it is."""
    await shop.set_rules(shared())
    member, other = await shop.enroll("a"), await shop.enroll("b")
    once = key()
    first = await shop.report(member, "share", "s-1", idempotencyKey=once)
    assert (first["activity"]["pointsEarned"], first["isRepeat"], first["isReplay"]) == (5, False, False)
    replay = await shop.report(member, "share", "s-1", idempotencyKey=once)
    assert (replay["activity"], replay["isRepeat"], replay["isReplay"]) == (first["activity"], False, True)
    repeat = await shop.report(member, "share", "s-1")
    assert (repeat["activity"], repeat["isRepeat"], repeat["isReplay"]) == (first["activity"], True, False)
    before = await kept(shop)
    told = {"member": {"id": other}, "type": "share", "externalId": "s-1", "idempotencyKey": key()}
    refused = await shop.refused("activityRecord", **told)
    assert (refused["code"], refused["field"]) == ("ACTIVITY_CONFLICT", ["externalId"])
    assert refused["details"] == {"type": "share", "externalId": "s-1"}
    assert await kept(shop) == before
    assert (await shop.account(member))["available"] == 5


async def test_a_cap_by_the_day_is_for_shares_too(world: World) -> None:
    """Five for a share, at most twice a local day."""
    shop = await world.open_shop()
    world.clock.put("2027-03-04T23:50")
    await shop.set_rules(shared(caps=[{"period": "DAY", "times": 2}]))
    member = await shop.enroll()
    points = [(await shop.report(member, "share"))["activity"]["pointsEarned"] for _ in range(3)]
    assert points == [5, 5, 0]
    world.clock.put("2027-03-05T00:00")
    assert (await shop.report(member, "share"))["activity"]["pointsEarned"] == 5


async def test_an_activity_that_did_not_stand_is_reversed(shop: Shop) -> None:
    """What it earned is taken back, as debt if it was spent; the room under its cap is there again; twice is once."""
    await shop.set_rules(shared(10, caps=[{"period": "DAY", "times": 1}]))
    member = await shop.enroll()
    activity = (await shop.report(member, "share"))["activity"]["id"]
    reward = await shop.make_reward(4)
    await shop.do("rewardRedeem", "isReplay", member={"id": member}, rewardId=reward, idempotencyKey=key())
    given = {"activityId": activity, "reason": "deleted"}
    payload = await shop.do("activityReverse", ACTIVITY, **given, idempotencyKey=key())
    assert payload["activity"]["reversedAt"] is not None
    assert (payload["activity"]["pointsEarned"], payload["activity"]["pointsTakenBack"]) == (10, 6)
    assert (payload["activity"]["reason"], payload["isRepeat"]) == ("deleted", False)
    assert payload["member"] == {"account": {"available": 0, "debt": 4}}
    again = await shop.do("activityReverse", ACTIVITY, **given, idempotencyKey=key())
    assert (again["activity"], again["isRepeat"]) == (payload["activity"], True)
    assert (await shop.report(member, "share"))["activity"]["pointsEarned"] == 10
    assert (await shop.account(member))["available"] == 6


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        ({"type": " "}, "TEXT_INVALID", ["type"]),
        ({"type": "x" * 51}, "TEXT_INVALID", ["type"]),
        ({"externalId": ""}, "TEXT_INVALID", ["externalId"]),
        ({"externalId": "x" * 101}, "TEXT_INVALID", ["externalId"]),
        ({"data": {str(n): n for n in range(51)}}, "TOO_MANY", ["data"]),
        ({"data": {"a": {"b": 1}}}, "ATTRIBUTE_INVALID", ["data", "a"]),
        ({"occurredAt": "2099-01-01T00:00:00Z"}, "TIME_INVALID", ["occurredAt"]),
        ({"storeId": "x"}, "NOT_FOUND", ["storeId"]),
        ({"member": {"id": global_id("Member")}}, "NOT_FOUND", None),
        ({"idempotencyKey": ""}, "TEXT_INVALID", ["idempotencyKey"]),
    ],
)
async def test_impossible_activities_are_refused(
    shop: Shop, told: dict[str, Any], code: str, field: list[str] | None
) -> None:
    """And nothing is recorded."""
    await shop.set_rules(shared())
    given = {"member": {"id": await shop.enroll()}, "type": "share", "externalId": "s-1", "idempotencyKey": key()}
    before = await kept(shop)
    refused = await shop.refused("activityRecord", **(given | told))
    assert (refused["code"], refused["field"]) == (code, field), refused
    assert await kept(shop) == before


async def test_a_frozen_member_earns_nothing_and_what_is_missing_is_not_reversed(shop: Shop) -> None:
    """And nothing changes."""
    member = await shop.enroll()
    await shop.do("memberFreeze", "member { id }", member={"id": member}, reason="test")
    before = await kept(shop)
    told = {"member": {"id": member}, "type": "share", "externalId": "s-1", "idempotencyKey": key()}
    assert (await shop.refused("activityRecord", **told))["code"] == "MEMBER_FROZEN"
    for missing in (global_id("Activity"), member, "x"):
        given = {"activityId": missing, "reason": "deleted", "idempotencyKey": key()}
        assert (await shop.refused("activityReverse", **given))["code"] == "NOT_FOUND"
    assert await kept(shop) == before


async def test_a_member_sees_its_activities_by_pages(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest first, in one statement for all members; why one was reversed is the shop's."""
    await shop.set_rules(shared())
    member, other = await shop.enroll("a"), await shop.enroll("b")
    for number in range(1, 4):
        when = {"occurredAt": f"2026-01-0{number}T00:00:00Z"}
        await shop.report(member, "share", f"s-{number}", **when)
        await shop.report(other, "share", f"o-{number}", **when)
    document = """query ($after: String) { me { activities(first: 2, after: $after) { nodes { externalId pointsEarned }
        pageInfo { hasNextPage endCursor } } } }"""
    token = shop.member_token(member)
    first = (await shop.ask(document, token))["me"]["activities"]
    assert [node["externalId"] for node in first["nodes"]] == ["s-3", "s-2"]
    rest = (await shop.ask(document, token, after=first["pageInfo"]["endCursor"]))["me"]["activities"]
    assert rest["nodes"] == [{"externalId": "s-1", "pointsEarned": 5}]
    assert await shop.error("{ me { activities(first: 1) { nodes { reason } } } }", token) == "FORBIDDEN"
    listed = "query ($first: Int!) { members(first: $first) { nodes { activities { nodes { store { code } } } } } }"
    for count in (1, 2):
        with counted(monkeypatch) as seen:
            assert len((await shop.ask(listed, first=count))["members"]["nodes"]) == count
        assert len(seen) == 2, seen
