"""Members are found, searched for and listed, each list in one statement for all of its parents."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from api.context import NODES_MAX
from tests.api.shops import Shop, World, global_id, key
from tests.api.statements import counted

pytestmark = pytest.mark.asyncio

LIST = """query ($filter: MemberFilterInput, $search: String, $first: Int! = 100, $after: String) {
    members(filter: $filter, search: $search, first: $first, after: $after) {
        nodes { externalId } pageInfo { hasNextPage endCursor } } }"""


async def listed(shop: Shop, **variables: Any) -> list[str]:
    """The shop's names for the members that a list shows."""
    nodes = (await shop.ask(LIST, **variables))["members"]["nodes"]
    return [node["externalId"] for node in nodes]


async def busy(world: World, members: int) -> Shop:
    """A shop in which everybody has bought, redeemed, and holds points."""
    shop = await world.open_shop()
    await shop.do("tierCreate", "tier { id }", name="Silver", rank=1, threshold=10)
    reward = await shop.make_reward(1)
    store = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    ids = await asyncio.gather(*(shop.enroll(f"m-{n}", storeId=store, name=f"Li {n}") for n in range(members)))
    for member in ids:
        for number in range(3):
            await shop.buy(member, "10", f"{member}-{number}", storeId=store)
        redeem = {"member": {"id": member}, "rewardId": reward, "storeId": store}
        await shop.do("rewardRedeem", "isReplay", **redeem, idempotencyKey=key())
        await shop.do("pointsHold", "isReplay", member={"id": member}, points=1, idempotencyKey=key())
        told = {"purchase": {"externalId": f"{member}-0"}, "refundId": "r", "amount": shop.money("1")}
        await shop.do("purchaseRefund", "isReplay", **told, idempotencyKey=key())
    return shop


@pytest.mark.parametrize(
    ("selection", "statements"),
    [
        ("id externalId", 1),
        ("account { available }", 2),
        ("account { tier { name } }", 3),
        ("store { code }", 3),
        ("pointTransactions(first: 2) { nodes { kind } }", 2),
        ("purchases(first: 2) { nodes { pointsEarned } }", 2),
        ("purchases { nodes { store { code } tier { name } } }", 4),
        ("purchases { nodes { member { externalId } } }", 3),
        ("purchases { nodes { refunds { nodes { amount { amount } } } } }", 3),
        ("redemptions { nodes { reward { code stock } store { code } } }", 5),
        ("lots { nodes { remaining } }", 6),
        ("lots { nodes { remaining } } holds { nodes { amount } } expiringPoints(within: 30) { points }", 7),
        ("a: purchases(first: 1) { nodes { id } } b: purchases(first: 2) { nodes { id } }", 3),
    ],
)
async def test_a_list_costs_the_same_for_one_and_for_many(
    world: World, monkeypatch: pytest.MonkeyPatch, selection: str, statements: int
) -> None:
    """The number of statements depends on what is asked, and not on how many answer."""
    shop = await busy(world, 3)
    document = f"query ($first: Int!) {{ members(first: $first) {{ nodes {{ {selection} }} }} }}"
    for first in (1, 3):
        with counted(monkeypatch) as seen:
            nodes = (await shop.ask(document, first=first))["members"]["nodes"]
        assert len(nodes) == first
        assert len(seen) == statements, seen


async def test_accounts_that_wait_for_the_clock_cost_five_statements_in_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And two for the program and its tiers, once."""
    shop = await busy(world, 3)
    world.clock.ahead = timedelta(hours=1)
    await shop.ask("{ program { name } }")
    with counted(monkeypatch) as seen:
        nodes = (await shop.ask("{ members { nodes { account { available held } } } }"))["members"]["nodes"]
    assert [node["account"] for node in nodes] == [{"available": 28, "held": 0}] * 3
    assert len(seen) == 9, seen


@pytest.mark.parametrize("list_name", ["pointTransactions", "purchases", "redemptions", "lots", "holds"])
async def test_pages_of_a_member_follow_each_other(world: World, list_name: str) -> None:
    """Every item once, in the order of the whole list."""
    shop = await world.open_shop()
    member = await shop.enroll()
    reward = await shop.make_reward(1)
    for number in range(5):
        await shop.buy(member, "10", f"o-{number}", occurredAt=f"2026-01-0{5 - number}T00:00:00Z")
        await shop.do("rewardRedeem", "isReplay", member={"id": member}, rewardId=reward, idempotencyKey=key())
        await shop.do("pointsHold", "isReplay", member={"id": member}, points=1, idempotencyKey=key())
    document = f"""query ($id: ID!, $first: Int!, $after: String) {{ member(ref: {{id: $id}}) {{
        page: {list_name}(first: $first, after: $after) {{
            nodes {{ id }} edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage endCursor }} }} }} }}"""
    whole = (await shop.ask(document, id=member, first=100))["member"]["page"]
    assert [edge["node"] for edge in whole["edges"]] == whole["nodes"]
    found: list[dict[str, str]] = []
    after, more = None, True
    while more:
        page = (await shop.ask(document, id=member, first=2, after=after))["member"]["page"]
        found.extend(page["nodes"])
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert len(found) >= 5
    assert found == whole["nodes"]


async def test_members_are_found_by_what_is_known_of_them(shop: Shop) -> None:
    """A key as it is written, or a part of the name; all conditions hold."""
    store = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    tier = (await shop.do("tierCreate", "tier { id }", name="Gold", rank=1, threshold=10))["tier"]["id"]
    await shop.enroll("a", name="Li Lei", phone="+8613800000001", storeId=store, channel="IN_STORE")
    await shop.enroll("b", name="李雷", email="li@example.com", tags=["tea", "vip"])
    gold = await shop.enroll("c", name="100% _Han_", cardNumber="7", tags=["tea"])
    await shop.buy(gold, "10")
    await shop.do("memberFreeze", "member { id }", member={"externalId": "b"}, reason="test")
    for variables, expected in (
        ({}, ["c", "b", "a"]),
        ({"search": ""}, ["c", "b", "a"]),
        ({"search": "a"}, ["c", "a"]),
        ({"search": "+8613800000001"}, ["a"]),
        ({"search": "+86138"}, []),
        ({"search": "li@example.com"}, ["b"]),
        ({"search": "7"}, ["c"]),
        ({"search": "li "}, ["a"]),
        ({"search": "lI lEI"}, ["a"]),
        ({"search": "雷"}, ["b"]),
        ({"search": "%"}, ["c"]),
        ({"search": "_"}, ["c"]),
        ({"search": "'; DROP TABLE members; --"}, []),
        ({"search": "x" * 500}, []),
        ({"filter": {"tag": "tea"}}, ["c", "b"]),
        ({"filter": {"tag": 'te"a'}}, []),
        ({"filter": {"tag": "tea", "status": "ACTIVE"}}, ["c"]),
        ({"filter": {"status": "FROZEN"}}, ["b"]),
        ({"filter": {"tierId": tier}}, ["c"]),
        ({"filter": {"storeId": store}}, ["a"]),
        ({"filter": {"channel": "IN_STORE"}, "search": "b"}, []),
    ):
        assert await listed(shop, **variables) == expected, variables


async def test_a_filter_that_names_what_is_not_there_is_refused(shop: Shop) -> None:
    """A slip of the pen is told, and is no empty list; ids are shown as they were told."""
    nowhere = global_id("Store")
    tier = global_id("Tier")
    await shop.do("segmentSave", "segment { id }", code="vips", name="VIPs", criteria={})
    for given, message in (
        ({"storeId": nowhere}, f"This program has no store {nowhere!r}; create it first."),
        ({"tierId": tier}, f"This program has no tier {tier!r}; create it first."),
        ({"tierId": nowhere}, f"{nowhere!r} is no id of a Tier; ids are taken as they are from this API's answers."),
        ({"segment": "vip"}, "This program has no segment 'vip'; did you mean 'vips'?"),
    ):
        (error,) = (await shop.send(LIST, filter=given))["errors"]
        assert (error["extensions"]["code"], error["message"]) == ("BAD_USER_INPUT", message)


async def test_members_are_listed_by_pages(shop: Shop) -> None:
    """The last enrolled first."""
    for number in range(5):
        await shop.enroll(f"m-{number}")
    first = (await shop.ask(LIST, first=3))["members"]
    assert [node["externalId"] for node in first["nodes"]] == ["m-4", "m-3", "m-2"]
    assert await listed(shop, first=3, after=first["pageInfo"]["endCursor"]) == ["m-1", "m-0"]


async def test_a_member_is_null_to_those_who_may_not_see_it(shop: Shop) -> None:
    """A member sees itself by any of its keys, and nobody else."""
    member, other = await shop.enroll("m-1", phone="+8613800000001"), await shop.enroll("m-2")
    token = shop.member_token(member)
    document = "query ($ref: MemberRef!) { member(ref: $ref) { id } }"
    for ref in ({"id": member}, {"externalId": "m-1"}, {"phone": "+8613800000001"}):
        assert (await shop.ask(document, token, ref=ref))["member"] == {"id": member}
    for ref in ({"id": other}, {"externalId": "m-2"}, {"cardNumber": "1"}, {"id": "x"}, {"id": global_id("Tier")}):
        assert (await shop.ask(document, token, ref=ref))["member"] is None
    assert (await shop.ask("{ me { id externalId } }", token))["me"] == {"id": member, "externalId": "m-1"}
    assert await shop.error("{ me { tags } }", token) == "FORBIDDEN"


async def test_a_request_asks_for_a_bounded_number_of_items(world: World) -> None:
    """However its lists are nested: five members with 2,400 each are more than it may ask for, four are not."""
    shop = await world.open_shop()
    lists = " ".join(f"p{number}: purchases(first: 100) {{ nodes {{ id }} }}" for number in range(24))
    document = f"{{ members(first: 100) {{ nodes {{ {lists} }} }} }}"
    for number in range(4):
        await shop.enroll(f"m-{number}")
    assert len((await shop.ask(document))["members"]["nodes"]) == 4
    await shop.enroll("m-4")
    answer = await shop.send(document)
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"QUERY_TOO_COMPLEX"}
    assert answer["errors"][0]["extensions"]["nodesMax"] == NODES_MAX
