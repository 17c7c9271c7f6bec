"""Group deals over the wire: opened, joined with a code, filled, failed, and in few statements."""

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from domain.access import KeyKind, Role, Scope
from tests.api import stages
from tests.api.shops import Shop, World, global_id, key
from tests.api.statements import counted

pytestmark = pytest.mark.asyncio

SEATED = """group { id code state taken missing size points lapsesAt endedAt } seat { id state isOpener
    redemption { id state points origin } } member { account { available held } }"""
GROUP = (
    "query ($code: String!) { dealGroup(code: $code) { state taken missing endedAt members { maskedName isOpener } } }"
)


@pytest_asyncio.fixture
async def members(shop: Shop) -> list[str]:
    """Four members with 100 points each."""
    found = [await shop.enroll(f"m-{number}", name=name) for number, name in enumerate(("李雷", "Ann", "王芳", "Bo"))]
    for member in found:
        await shop.grant(member, 100)
    return found


async def make_deal(shop: Shop, **told: Any) -> str:
    """A deal of a new reward: 60 points each for 3 within the hour."""
    given = {"code": key(), "name": "Together", "points": 60, "size": 3, "minutes": 60, **told}
    given.setdefault("rewardId", await shop.make_reward(100))
    return str((await shop.do("groupDealCreate", "deal { id }", **given))["deal"]["id"])


async def opened(shop: Shop, member: str, deal: str) -> Any:
    """A new group of a member."""
    return await shop.do("groupDealOpen", SEATED, shop.member_token(member), dealId=deal, idempotencyKey=key())


async def joined(shop: Shop, member: str, code: str) -> Any:
    """A member joins with a code, as a friend would."""
    token = shop.member_token(member)
    return await shop.do("groupDealJoin", SEATED, token, group={"code": code}, idempotencyKey=key())


async def test_friends_fill_a_group_with_its_code(shop: Shop, members: list[str]) -> None:
    """The answer to the last one has the group, filled, with the redemption and the balance after it."""
    deal = await make_deal(shop, units=3)
    first = await opened(shop, members[0], deal)
    assert {name: first["group"][name] for name in ("state", "taken", "missing", "size", "points")} == {
        "state": "OPEN",
        "taken": 1,
        "missing": 2,
        "size": 3,
        "points": 60,
    }
    assert first["member"]["account"] == {"available": 40, "held": 60}
    assert first["seat"] | {"id": 0} == {"id": 0, "state": "HELD", "isOpener": True, "redemption": None}
    code = first["group"]["code"]
    await joined(shop, members[1], code)
    last = await joined(shop, members[2], code.lower())
    assert (last["group"]["state"], last["group"]["missing"]) == ("FILLED", 0)
    assert last["seat"]["redemption"] | {"id": 0} == {"id": 0, "state": "PLACED", "points": 60, "origin": "GROUP_DEAL"}
    assert last["member"]["account"] == {"available": 40, "held": 0}
    # Everybody's points are spent in that very command.
    assert (await shop.account(members[0]))["held"] == 0
    group = (await shop.ask(GROUP, shop.publishable, code=code))["dealGroup"]
    assert group["members"] == [
        {"maskedName": "李*", "isOpener": True},
        {"maskedName": "A*", "isOpener": False},
        {"maskedName": "王*", "isOpener": False},
    ]
    # What was redeemed is chosen a delivery for, cancelled and returned like anything else.
    cancelled = await shop.do(
        "redemptionCancel",
        "pointsReturned member { account { available } }",
        shop.member_token(members[2]),
        redemptionId=last["seat"]["redemption"]["id"],
        reason="too late",
        idempotencyKey=key(),
    )
    assert cancelled == {"pointsReturned": 60, "member": {"account": {"available": 100}}, "userErrors": []}


async def test_the_same_key_takes_one_seat(shop: Shop, members: list[str]) -> None:
    """And answers it again, as it stands then."""
    deal, once = await make_deal(shop), key()
    told = {"dealId": deal, "idempotencyKey": once}
    token = shop.member_token(members[0])
    first = await shop.do("groupDealOpen", f"isReplay {SEATED}", token, **told)
    again = await shop.do("groupDealOpen", f"isReplay {SEATED}", token, **told)
    assert (first["isReplay"], again["isReplay"]) == (False, True)
    assert (first["group"]["id"], first["seat"]["id"]) == (again["group"]["id"], again["seat"]["id"])
    assert (await shop.account(members[0]))["held"] == 60


async def test_a_group_that_is_late_has_failed_in_every_answer(shop: Shop, members: list[str]) -> None:
    """Whether or not the clock's work was done: the group, its seats, its units, and the points."""
    deal = await make_deal(shop, units=3)
    group = (await opened(shop, members[0], deal))["group"]
    shop.world.clock.ahead = timedelta(minutes=60)
    try:
        shown = (await shop.ask(GROUP, code=group["code"]))["dealGroup"]
        assert (shown["state"], shown["endedAt"], shown["taken"]) == ("FAILED", group["lapsesAt"], 1)
        document = """query ($member: ID!, $deal: ID!) {
            member(ref: {id: $member}) { account { available held } dealSeats { nodes { state group { state } } } }
            deal: node(id: $deal) { ... on GroupDeal { unitsLeft unitsHeld openGroups { nodes { id } } } } }"""
        found = await shop.ask(document, member=members[0], deal=deal)
        assert found["member"]["account"] == {"available": 100, "held": 0}
        assert found["member"]["dealSeats"]["nodes"] == [{"state": "LAPSED", "group": {"state": "FAILED"}}]
        assert found["deal"] == {"unitsLeft": 3, "unitsHeld": 0, "openGroups": {"nodes": []}}
        told = {"group": {"code": group["code"]}, "idempotencyKey": key()}
        refused = await shop.refused("groupDealJoin", shop.member_token(members[1]), **told)
        assert refused["code"] == "GROUP_EXPIRED"
        assert refused["details"] == {"size": 3, "taken": 1, "endedAt": _offset(group["lapsesAt"])}
    finally:
        shop.world.clock.ahead = timedelta(0)


def _offset(instant: str) -> str:
    """An instant as details tell it."""
    return instant.replace("Z", "+00:00")


async def test_refusals_carry_their_numbers_and_change_nothing(shop: Shop, members: list[str]) -> None:
    deal = await make_deal(shop, size=2, units=3, limitPerMember=1)
    group = (await opened(shop, members[0], deal))["group"]
    poor = await shop.enroll("poor")
    await shop.grant(poor, 59)
    before = await stages.kept(shop)
    by_id, by_code = {"group": {"id": group["id"]}}, {"group": {"code": group["code"]}}
    for name, who, given, code, details in (
        ("groupDealJoin", members[0], by_id, "ALREADY_JOINED", {"size": 2, "taken": 1}),
        ("groupDealOpen", members[0], {"dealId": deal}, "LIMIT_REACHED", {"limit": 1, "taken": 1}),
        ("groupDealOpen", members[1], {"dealId": deal}, "SOLD_OUT", {"requested": 2, "left": 1}),
        ("groupDealJoin", poor, by_code, "INSUFFICIENT_POINTS", {"required": 60, "available": 59}),
        ("groupDealLeave", members[1], by_id, "NOT_JOINED", None),
        ("groupDealJoin", members[1], {"group": {"code": "NOSUCHCODE"}}, "NOT_FOUND", {"groupCode": "NOSUCHCODE"}),
        ("groupDealOpen", members[1], {"dealId": global_id("Reward")}, "NOT_FOUND", None),
    ):
        refused = await shop.refused(name, shop.member_token(who), **given, idempotencyKey=key())
        assert refused["code"] == code, refused
        assert details is None or refused["details"] == details
    await joined(shop, members[1], group["code"])
    filled = await stages.kept(shop)
    assert filled != before
    refused = await shop.refused("groupDealJoin", shop.member_token(members[2]), **by_id, idempotencyKey=key())
    assert (refused["code"], set(refused["details"])) == ("GROUP_FULL", {"size", "filledAt"})
    refused = await shop.refused("groupDealLeave", shop.member_token(members[0]), **by_id, idempotencyKey=key())
    assert (refused["code"], set(refused["details"])) == ("GROUP_FILLED", {"filledAt"})
    assert await stages.kept(shop) == filled


async def test_a_group_is_named_in_one_way(shop: Shop, members: list[str]) -> None:
    for given in ({}, {"id": "x", "code": "y"}, {"code": None}):
        assert await shop.bad_input(
            "mutation ($input: GroupDealJoinInput!) { groupDealJoin(input: $input) { userErrors { code } } }",
            input={"group": given, "idempotencyKey": key()},
        )
    token = shop.member_token(members[0])
    refused = await shop.refused("groupDealJoin", token, group={"id": "x"}, idempotencyKey=key())
    assert (refused["code"], refused["field"]) == ("NOT_FOUND", ["group", "id"])


async def test_staff_edits_a_deal_and_sees_its_units(shop: Shop, members: list[str]) -> None:
    deal = await make_deal(shop, units=9, endsAt="2999-01-01T00:00:00Z")
    await opened(shop, members[0], deal)
    selection = "deal { name points size units unitsHeld unitsSold unitsLeft endsAt isRunning }"
    edited = await shop.do("groupDealUpdate", selection, dealId=deal, name="Two", size=2, lifts=["ENDS_AT"])
    assert edited["deal"] == {
        "name": "Two",
        "points": 60,
        "size": 2,
        "units": 9,
        "unitsHeld": 3,
        "unitsSold": 0,
        "unitsLeft": 6,
        "endsAt": None,
        "isRunning": True,
    }
    refused = await shop.refused("groupDealUpdate", dealId=deal, units=2)
    assert (refused["code"], refused["field"], refused["details"]) == (
        "UNITS_IN_USE",
        ["units"],
        {"units": 2, "sold": 0, "held": 3},
    )
    assert (await shop.refused("groupDealCreate", **_deal_with(await shop.make_reward(9), size=51)))["field"] == [
        "size"
    ]


def _deal_with(reward: str, **told: Any) -> dict[str, Any]:
    return {"code": key(), "name": "x", "rewardId": reward, "points": 1, "size": 2, "minutes": 1, **told}


async def test_members_see_the_deals_that_are_not_over(shop: Shop) -> None:
    reward = await shop.make_reward(9)
    told = {
        "now": {},
        "soon": {"startsAt": "2998-01-01T00:00:00Z"},
        "over": {"endsAt": "2020-01-01T00:00:00Z"},
    }
    for code, more in told.items():
        await make_deal(shop, **_deal_with(reward, code=code, **more))
    await make_deal(shop, code="other")
    await shop.do("groupDealUpdate", "deal { id }", dealId=await make_deal(shop, code="off"), isActive=False)
    document = """query ($reward: ID, $current: Boolean) {
        groupDeals(rewardId: $reward, isCurrent: $current) { nodes { code } } }"""

    async def codes(token: str, **asked: Any) -> list[str]:
        return [node["code"] for node in (await shop.ask(document, token, **asked))["groupDeals"]["nodes"]]

    assert await codes(shop.publishable) == ["now", "soon", "other"]
    assert await codes(shop.publishable, current=False, reward=reward) == ["now", "soon"]
    assert await codes(shop.secret) == ["now", "soon", "over", "other", "off"]
    assert await codes(shop.secret, current=True, reward=reward) == ["now", "soon"]
    assert await codes(shop.secret, reward="nonsense") == []
    assert (await shop.ask('{ groupDeal(code: "none") { id } dealGroup(code: "none") { id } }')) == {
        "groupDeal": None,
        "dealGroup": None,
    }


async def test_open_groups_are_paged_by_their_deadline(shop: Shop, members: list[str]) -> None:
    deal = await make_deal(shop)
    codes = []
    for number, member in enumerate(members):
        shop.world.clock.ahead = timedelta(minutes=number)
        codes.append((await opened(shop, member, deal))["group"]["code"])
    document = """query ($deal: ID!, $after: String) { node(id: $deal) { ... on GroupDeal {
        openGroups(first: 3, after: $after) { nodes { code } pageInfo { endCursor hasNextPage } } } } }"""
    page = (await shop.ask(document, shop.publishable, deal=deal))["node"]["openGroups"]
    assert ([node["code"] for node in page["nodes"]], page["pageInfo"]["hasNextPage"]) == (codes[:3], True)
    cursor = page["pageInfo"]["endCursor"]
    page = (await shop.ask(document, shop.publishable, deal=deal, after=cursor))["node"]["openGroups"]
    assert ([node["code"] for node in page["nodes"]], page["pageInfo"]["hasNextPage"]) == (codes[3:], False)
    shop.world.clock.ahead = timedelta(0)


async def test_who_is_in_a_group_is_told_to_staff_alone(shop: Shop, members: list[str]) -> None:
    deal = await make_deal(shop)
    code = (await opened(shop, members[0], deal))["group"]["code"]
    document = "query ($code: String!) { dealGroup(code: $code) { members { member { id } } } }"
    assert (await shop.ask(document, code=code))["dealGroup"]["members"] == [{"member": {"id": members[0]}}]
    viewer = await shop.make_operator(Role.VIEWER)
    assert (await shop.ask(document, viewer, code=code))["dealGroup"]["members"] == [{"member": {"id": members[0]}}]
    reader = await shop.make_key(KeyKind.SECRET, (Scope.PROGRAM_READ,))
    for token in (shop.publishable, shop.member_token(members[0]), shop.member_token(members[1]), reader):
        assert await shop.error(document, token, code=code) == "FORBIDDEN"


@pytest.mark.parametrize("count", [1, 4])
async def test_deals_with_their_groups_and_members_take_six_statements(
    world: World, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """However many there are: deals, their rewards, units, open groups, seats, and names."""
    shop = await world.open_shop()
    members = [await shop.enroll(f"m-{number}") for number in range(count)]
    for member in members:
        await shop.grant(member, 1_000)
        deal = await make_deal(shop, limitPerMember=2)
        for _ in range(2):
            await opened(shop, member, deal)
    document = """{ groupDeals { nodes { code reward { name } unitsLeft isRunning
        openGroups(first: 5) { nodes { code state missing members { maskedName joinedAt } } } } } }"""
    await shop.ask(document, shop.publishable)
    with counted(monkeypatch) as seen:
        found = (await shop.ask(document, shop.publishable))["groupDeals"]["nodes"]
    assert [len(node["openGroups"]["nodes"]) for node in found] == [2] * count
    assert len(seen) == 6, seen


async def test_a_member_s_seats_take_a_statement_each_kind(
    shop: Shop, members: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seats, their groups and redemptions, the latest seat first."""
    pairs = await make_deal(shop, size=2, points=10)
    for _ in range(3):
        code = (await opened(shop, members[0], pairs))["group"]["code"]
        await joined(shop, members[1], code)
    document = "{ me { dealSeats { nodes { state joinedAt group { state deal { code } } redemption { points } } } } }"
    token = shop.member_token(members[0])
    await shop.ask(document, token)
    with counted(monkeypatch) as seen:
        nodes = (await shop.ask(document, token))["me"]["dealSeats"]["nodes"]
    assert [node["state"] for node in nodes] == ["REDEEMED"] * 3
    assert [node["joinedAt"] for node in nodes] == sorted((node["joinedAt"] for node in nodes), reverse=True)
    # The member, its seats, their groups, the deals, the redemptions.
    assert len(seen) == 5, seen
