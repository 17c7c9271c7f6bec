"""Segments: saved, listed, archived; a member shows those it is in, and members are found by one."""

from datetime import timedelta
from typing import Any, Final

import pytest

from api import context
from api import segments as shown
from tests.api.shops import Shop, World, global_id, key
from tests.api.statements import counted

pytestmark = pytest.mark.asyncio

SEGMENT: Final = "segment { id code name archivedAt }"
CRITERIA: Final = """segment { criteria {
    tiers { name } tags withoutTags genders channels stores { code } enrolledWithinDays enrolledBeforeDays
    birthdayMonths ageMin ageMax purchasesMin purchasesMax
    spendMin { amount currencyCode } spendMax { amount currencyCode }
    boughtWithinDays notBoughtForDays availableMin availableMax } }"""
LIST: Final = """query ($filter: MemberFilterInput, $search: String, $first: Int! = 100, $after: String) {
    members(filter: $filter, search: $search, first: $first, after: $after) {
        nodes { externalId } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
OF_MEMBER: Final = "query ($id: ID!) { member(ref: {id: $id}) { segments { code } } }"


async def save(shop: Shop, code: str, **criteria: Any) -> dict[str, Any]:
    """Save a segment."""
    payload = await shop.do("segmentSave", SEGMENT, code=code, name=f"Segment {code.strip()}", criteria=criteria)
    segment: dict[str, Any] = payload["segment"]
    return segment


async def page(shop: Shop, segment: str, **variables: Any) -> tuple[list[str], dict[str, Any]]:
    """A page of the members in a segment, and where it stands."""
    told = {"filter": {"segment": segment} | variables.pop("filter", {}), **variables}
    members = (await shop.ask(LIST, **told))["members"]
    return [node["externalId"] for node in members["nodes"]], members["pageInfo"]


async def codes(shop: Shop, member: str) -> list[str]:
    """The codes of the segments that a member is in."""
    found = (await shop.ask(OF_MEMBER, id=member))["member"]["segments"]
    return [segment["code"] for segment in found]


async def test_a_segment_is_saved_replaced_and_archived(shop: Shop) -> None:
    """By its code; saving it again takes it out of the archive."""
    saved = await save(shop, " vip ", tags=["vip"])
    assert saved == {"id": saved["id"], "code": "vip", "name": "Segment vip", "archivedAt": None}
    other = await save(shop, "new", enrolledWithinDays=7)
    replaced = (await shop.do("segmentSave", SEGMENT, code="vip", name="Regulars", criteria={}))["segment"]
    assert replaced == saved | {"name": "Regulars"}
    archived = (await shop.do("segmentArchive", SEGMENT, code="vip"))["segment"]
    assert archived["archivedAt"] is not None
    assert (await shop.do("segmentArchive", SEGMENT, code="vip"))["segment"] == archived
    listing = "query ($isArchived: Boolean) { segments(isArchived: $isArchived) { nodes { id } } }"
    for is_archived, expected in ((None, [saved, other]), (False, [other]), (True, [saved])):
        nodes = (await shop.ask(listing, isArchived=is_archived))["segments"]["nodes"]
        assert nodes == [{"id": each["id"]} for each in expected]
    assert (await save(shop, "vip"))["archivedAt"] is None


async def test_criteria_are_shown_as_they_were_told(shop: Shop) -> None:
    """Each once, with the tiers and stores that they name; what was not told is empty or null."""
    tier = (await shop.do("tierCreate", "tier { id }", name="Gold", rank=1, threshold=10))["tier"]["id"]
    store = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    plain = {
        "tags": ["tea"],
        "withoutTags": ["vip"],
        "genders": ["FEMALE"],
        "channels": ["IN_STORE", "PHONE"],
        "enrolledWithinDays": 30,
        "enrolledBeforeDays": 7,
        "birthdayMonths": [2, 12],
        "ageMin": 18,
        "ageMax": 65,
        "purchasesMin": 1,
        "purchasesMax": 9,
        "spendMin": shop.money("0.01"),
        "spendMax": shop.money("90071992547409.91"),
        "boughtWithinDays": 90,
        "notBoughtForDays": 30,
        "availableMin": 0,
        "availableMax": 2**53 - 1,
    }
    given = {"code": "all", "name": "All", "criteria": plain | {"tierIds": [tier, tier], "storeIds": [store]}}
    told = (await shop.do("segmentSave", CRITERIA, **given))["segment"]["criteria"]
    assert told == plain | {"tiers": [{"name": "Gold"}], "stores": [{"code": "s1"}]}
    nothing = (await shop.do("segmentSave", CRITERIA, code="none", name="None", criteria={}))["segment"]["criteria"]
    lists = {"tiers", "tags", "withoutTags", "genders", "channels", "stores", "birthdayMonths"}
    assert nothing == {name: [] if name in lists else None for name in told}


@pytest.mark.parametrize(
    ("criteria", "code", "field"),
    [
        ({"tierIds": [global_id("Tier")]}, "NOT_FOUND", ["criteria", "tierIds"]),
        ({"tierIds": [global_id("Store")]}, "NOT_FOUND", ["criteria", "tierIds"]),
        ({"storeIds": [global_id("Store")]}, "NOT_FOUND", ["criteria", "storeIds"]),
        ({"storeIds": ["x"]}, "NOT_FOUND", ["criteria", "storeIds"]),
        ({"birthdayMonths": [13]}, "NUMBER_INVALID", ["criteria", "birthdayMonths"]),
        ({"ageMin": 40, "ageMax": 39}, "CRITERIA_CONTRADICTORY", ["criteria", "ageMin"]),
        ({"notBoughtForDays": 8, "boughtWithinDays": 7}, "CRITERIA_CONTRADICTORY", ["criteria", "notBoughtForDays"]),
        ({"availableMin": -1}, "POINTS_INVALID", ["criteria", "availableMin"]),
        ({"spendMin": {"amount": "1", "currencyCode": "USD"}}, "CURRENCY_MISMATCH", ["criteria", "spendMin"]),
        ({"spendMin": {"amount": "0.001", "currencyCode": "CNY"}}, "AMOUNT_INVALID", ["criteria", "spendMin"]),
        ({"tags": ["a"] * 101}, "TOO_MANY", ["criteria", "tags"]),
        ({"tags": ["a\x01"]}, "TEXT_INVALID", ["criteria", "tags"]),
    ],
)
async def test_impossible_criteria_are_refused(
    shop: Shop, criteria: dict[str, Any], code: str, field: list[str]
) -> None:
    """And nothing is saved."""
    refused = await shop.refused("segmentSave", code="vip", name="Regulars", criteria=criteria)
    assert (refused["code"], refused["field"]) == (code, field)
    assert (await shop.ask("{ segments { nodes { id } } }"))["segments"]["nodes"] == []


async def test_a_missing_segment_is_not_archived(shop: Shop) -> None:
    """The error names the code."""
    refused = await shop.refused("segmentArchive", code="vip")
    assert (refused["code"], refused["field"]) == ("NOT_FOUND", ["code"])
    assert refused["details"] == {"kind": "Segment", "key": "vip"}


async def test_a_segment_is_found_by_its_id(shop: Shop) -> None:
    """By staff; an archived one too."""
    segment = (await save(shop, "vip"))["id"]
    await shop.do("segmentArchive", SEGMENT, code="vip")
    document = "query ($id: ID!) { node(id: $id) { ... on Segment { code criteria { ageMin } } } }"
    assert (await shop.ask(document, id=segment))["node"] == {"code": "vip", "criteria": {"ageMin": None}}
    assert (await shop.ask(document, shop.publishable, id=segment))["node"] is None


async def test_a_member_shows_the_segments_it_is_in(shop: Shop) -> None:
    """The oldest first; members are found by the same ones, together with every other condition."""
    tier = (await shop.do("tierCreate", "tier { id }", name="Gold", rank=1, threshold=10))["tier"]["id"]
    store = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    first = await shop.enroll("a", tags=["vip"], gender="FEMALE", birthday="1990-02-28", name="Li Lei")
    second = await shop.enroll("b", tags=["vip", "new"], storeId=store, channel="IN_STORE")
    third = await shop.enroll("c")
    await shop.buy(third, "10")
    await save(shop, "everybody")
    await save(shop, "vip", tags=["vip"], withoutTags=["new"])
    await save(shop, "river", storeIds=[store], channels=["IN_STORE"])
    await save(shop, "gold", tierIds=[tier], availableMin=10)
    await save(shop, "women", genders=["FEMALE"], ageMin=18, birthdayMonths=[2])
    await save(shop, "lost", tags=["vip"], notBoughtForDays=365, purchasesMax=0)
    await save(shop, "gone")
    await shop.do("segmentArchive", SEGMENT, code="gone")
    assert await codes(shop, first) == ["everybody", "vip", "women", "lost"]
    assert await codes(shop, second) == ["everybody", "river", "lost"]
    assert await codes(shop, third) == ["everybody", "gold"]
    for segment, expected in (
        ("everybody", ["c", "b", "a"]),
        (" vip ", ["a"]),
        ("river", ["b"]),
        ("gold", ["c"]),
        ("women", ["a"]),
        ("lost", ["b", "a"]),
        ("gone", []),
    ):
        assert (await page(shop, segment))[0] == expected, segment
    for unknown in ("none", "", "a\x01", "x" * 500):
        assert await shop.error(LIST, filter={"segment": unknown}) == "BAD_USER_INPUT", unknown
    assert (await page(shop, "everybody", filter={"tag": "vip"}))[0] == ["b", "a"]
    assert (await page(shop, "everybody", filter={"tag": "vip"}, search="li"))[0] == ["a"]
    assert await shop.error(LIST, filter={"segment": "everybody", "tierId": "x"}) == "BAD_USER_INPUT"


async def test_points_are_those_of_now(world: World) -> None:
    """Whether or not the clock's work was done: what has lapsed meanwhile counts as it is shown."""
    shop = await world.open_shop(hold_minutes=10)
    member = await shop.enroll("a")
    await shop.grant(member, 100)
    await shop.do("pointsHold", "isReplay", member={"id": member}, points=1, idempotencyKey=key())
    await save(shop, "rich", availableMin=100)
    assert (await codes(shop, member), (await page(shop, "rich"))[0]) == ([], [])
    world.clock.ahead = timedelta(minutes=11)
    assert (await codes(shop, member), (await page(shop, "rich"))[0]) == (["rich"], ["a"])


async def test_a_mutation_shows_the_segments_after_it(shop: Shop) -> None:
    """In the same answer."""
    member = await shop.enroll("a")
    await save(shop, "rich", availableMin=100)
    given = {"member": {"id": member}, "points": 100, "reason": "test", "idempotencyKey": key()}
    payload = await shop.do("pointsAdjust", "member { segments { code } }", **given)
    assert payload["member"]["segments"] == [{"code": "rich"}]


async def test_members_do_not_see_their_segments(shop: Shop) -> None:
    """They are what the shop thinks of them."""
    token = shop.member_token(await shop.enroll("a"))
    assert await shop.error("{ me { segments { code } } }", token) == "FORBIDDEN"


async def crowd(world: World, count: int) -> Shop:
    """A shop with members of whom every third is tagged, and three segments."""
    shop = await world.open_shop()
    for number in range(count):
        await shop.enroll(f"m-{number}", tags=["third"] if number % 3 == 0 else [])
    await save(shop, "everybody")
    await save(shop, "third", tags=["third"])
    await save(shop, "nobody", ageMin=18)
    return shop


async def test_segments_of_members_cost_the_same_for_one_and_for_many(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list, the segments, the program, the members and their accounts."""
    shop = await crowd(world, 4)
    document = "query ($first: Int!) { members(first: $first) { nodes { segments { code } account { available } } } }"
    for first in (1, 4):
        with counted(monkeypatch) as seen:
            nodes = (await shop.ask(document, first=first))["members"]["nodes"]
        assert [len(node["segments"]) for node in nodes] == [2, 1, 1, 2][:first]
        assert len(seen) == 5, seen


async def test_criteria_of_segments_cost_the_same_for_one_and_for_many(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list, their tiers, and their stores."""
    shop = await world.open_shop()
    tier = (await shop.do("tierCreate", "tier { id }", name="Gold", rank=1, threshold=10))["tier"]["id"]
    store = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    for code in ("a", "b", "c"):
        await save(shop, code, tierIds=[tier], storeIds=[store])
    document = "query ($first: Int!) { segments(first: $first) { nodes { criteria { tiers { id } stores { id } } } } }"
    for first in (1, 3):
        with counted(monkeypatch) as seen:
            nodes = (await shop.ask(document, first=first))["segments"]["nodes"]
        assert nodes == [{"criteria": {"tiers": [{"id": tier}], "stores": [{"id": store}]}}] * first
        assert len(seen) == 3, seen


@pytest.mark.parametrize(
    ("segment", "first", "expected", "statements"),
    [
        # The segment and the program, and for each reading the members and their accounts.
        ("everybody", 1, [8], 2 + 2),
        ("everybody", 8, [8, 7, 6, 5, 4, 3, 2, 1], 2 + 2),
        ("everybody", 9, [8, 7, 6, 5, 4, 3, 2, 1, 0], 2 + 2),
        ("third", 100, [6, 3, 0], 2 + 2),
        # Two members and then four: the third member of every three.
        ("third", 1, [6], 2 + 2 * 2),
        # Two, four, and the last three of eight that would be read.
        ("nobody", 1, [], 2 + 3 * 2),
    ],
)
async def test_members_of_a_segment_are_read_until_the_page_is_full(
    world: World, monkeypatch: pytest.MonkeyPatch, segment: str, first: int, expected: list[int], statements: int
) -> None:
    """More of them each time, and no statement for each member."""
    shop = await crowd(world, 9)
    with counted(monkeypatch) as seen:
        found, info = await page(shop, segment, first=first)
    assert found == [f"m-{number}" for number in expected]
    assert len(seen) == statements, seen
    rest = {"everybody": 9, "third": 3}.get(segment, 0) - len(expected)
    assert info["hasNextPage"] == (rest > 0)


async def pages(shop: Shop, segment: str, first: int) -> list[list[str]]:
    """All pages of a segment, one after the other."""
    found, info = await page(shop, segment, first=first)
    shown = [found]
    while info["hasNextPage"]:
        found, info = await page(shop, segment, first=first, after=info["endCursor"])
        shown.append(found)
    return shown


async def test_pages_of_a_segment_follow_each_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every member once, however few a request may read at a time."""
    shop = await crowd(world, 9)
    assert await pages(shop, "third", 2) == [["m-6", "m-3"], ["m-0"]]
    monkeypatch.setattr(shown, "READ_AT_ONCE", 2)
    assert await pages(shop, "third", 2) == [["m-6", "m-3"], ["m-0"]]
    assert await pages(shop, "everybody", 4) == [
        ["m-8", "m-7", "m-6", "m-5"],
        ["m-4", "m-3", "m-2", "m-1"],
        ["m-0"],
    ]


async def test_a_request_looks_at_so_many_members_and_says_where_it_got_to(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its page may be short or empty, and the next one looks on from there."""
    assert (shown.READ_AT_ONCE, shown.LOOKED_AT_MAX) == (500, 5000)
    shop = await crowd(world, 9)
    monkeypatch.setattr(shown, "LOOKED_AT_MAX", 4)
    assert await pages(shop, "third", 5) == [["m-6"], ["m-3"], ["m-0"]]
    assert await pages(shop, "nobody", 5) == [[], [], []]
    assert await pages(shop, "everybody", 3) == [["m-8", "m-7", "m-6"], ["m-5", "m-4", "m-3"], ["m-2", "m-1", "m-0"]]
    with counted(monkeypatch) as seen:
        found, info = await page(shop, "nobody", first=100)
    assert (found, info["hasNextPage"], info["startCursor"]) == ([], True, None)
    assert info["endCursor"] is not None
    assert len(seen) == 4, seen


async def test_segments_count_among_the_items_of_a_request(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what their criteria name: lists within lists are bounded, whether or not they are connections."""
    shop = await crowd(world, 3)
    store = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    await save(shop, "river", storeIds=[store], withoutTags=["third"])
    for document, count in (
        # Three members, who are in two segments, one and one.
        ("{ members(first: 3) { nodes { segments { code } } } }", 3 + 4),
        # Five segments are asked for, and one of them names a store.
        ("{ segments(first: 5) { nodes { criteria { stores { code } tiers { name } } } } }", 5 + 1),
    ):
        monkeypatch.setattr(context, "NODES_MAX", count)
        await shop.ask(document)
        monkeypatch.setattr(context, "NODES_MAX", count - 1)
        assert await shop.error(document) == "QUERY_TOO_COMPLEX"
