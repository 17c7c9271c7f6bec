"""The catalogue as members see it: shown, filtered, sorted, priced, and judged, in few statements."""

from datetime import timedelta
from typing import Any

import pytest

from persistence import clock
from tests.api import statements
from tests.api.shops import Shop, global_id, key

pytestmark = pytest.mark.asyncio

CATALOGUE = """query ($for: MemberRef, $filter: RewardFilterInput, $sort: RewardSort! = OLDEST, $first: Int! = 20,
    $after: String) { rewards(for: $for, filter: $filter, sort: $sort, first: $first, after: $after) {
    nodes { code } pageInfo { hasNextPage endCursor } } }"""
WHOLE = """query ($for: MemberRef) { rewards(for: $for, first: 100) { nodes { code name points stock
    availability(for: $for) { canRedeem quantity points cash { amount } obstacles { code details } }
    isFavourite(for: $for) } } }"""


async def codes(shop: Shop, token: str | None = None, /, **asked: Any) -> list[str]:
    """The codes of the rewards that are found."""
    found = await shop.ask(CATALOGUE, token or shop.secret, **asked)
    return [node["code"] for node in found["rewards"]["nodes"]]


async def test_a_reward_is_shown_with_all_that_was_told_of_it(shop: Shop) -> None:
    """In the language that is asked for, where there is a translation."""
    store = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    reward = await shop.make_reward(
        100,
        kind="ITEM",
        categories=["tea"],
        pictures=[{"url": "https://example.com/a.png", "text": "cup"}],
        translations=[
            {"language": "en", "name": "Cup", "description": "A cup"},
            {"language": "fr-CA", "name": "Tasse"},
        ],
        cash=shop.money("9.90"),
        prices=[{"points": 90, "audience": {"tags": ["vip"]}}],
        limits=[{"period": "DAY", "quantity": 1}],
        dailyStock=5,
        deliveries=["SHIPPING"],
        storeIds=[store],
    )
    document = """query ($id: ID!) { node(id: $id) { ... on Reward { kind categories pictures { url text }
        en: name(language: "en-GB") fr: name(language: "fr-CA") wide: name(language: "fr")
        other: name(language: "de") name
        description(language: "en") cash { amount } payMinutes prices { points cash { amount } audience { tags } }
        audience { tiers { id } tags } limits { period quantity } dailyStock deliveries stores { code }
        pool { id } } } }"""
    assert (await shop.ask(document, id=reward))["node"] == {
        "kind": "ITEM",
        "categories": ["tea"],
        "pictures": [{"url": "https://example.com/a.png", "text": "cup"}],
        "en": "Cup",
        "fr": "Tasse",
        "wide": "Tasse",
        "other": "Tea cup",
        "name": "Tea cup",
        "description": "A cup",
        "cash": {"amount": "9.90"},
        "payMinutes": 15,
        "prices": [{"points": 90, "cash": {"amount": "0.00"}, "audience": {"tags": ["vip"]}}],
        "audience": {"tiers": [], "tags": []},
        "limits": [{"period": "DAY", "quantity": 1}],
        "dailyStock": 5,
        "deliveries": ["SHIPPING"],
        "stores": [{"code": "s1"}],
        "pool": None,
    }


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        ({"pictures": [{"url": "http://example.com/a.png"}]}, "URL_INVALID", ["pictures", "url"]),
        ({"pictures": [{"url": "javascript:alert(1)"}]}, "URL_INVALID", ["pictures", "url"]),
        ({"translations": [{"language": "?", "name": "a"}]}, "LANGUAGE_INVALID", ["translations", "language"]),
        ({"kind": "VOUCHER"}, "REWARD_INVALID", ["poolId"]),
        ({"storeIds": [global_id("Store")]}, "NOT_FOUND", None),
        ({"poolId": global_id("Store")}, "NOT_FOUND", ["poolId"]),
        ({"limits": [{"period": "DAY", "quantity": 0}]}, "NUMBER_INVALID", ["limits", "quantity"]),
        ({"categories": ["a"] * 21}, "TOO_MANY", ["categories"]),
        ({"cash": {"amount": "1", "currencyCode": "EUR"}}, "CURRENCY_MISMATCH", ["cash"]),
    ],
)
async def test_impossible_terms_are_refused(shop: Shop, told: dict[str, Any], code: str, field: Any) -> None:
    """And nothing is put into the mall."""
    refused = await shop.refused("rewardCreate", code="cup", name="Cup", points=1, **told)
    assert (refused["code"], refused["field"]) == (code, field)
    assert await codes(shop) == []


async def test_members_see_what_is_shown_now(shop: Shop) -> None:
    """What is not redeemable yet may be shown; staff sees everything."""
    now = clock.now()
    later, earlier = (now + timedelta(hours=1)).isoformat(), (now - timedelta(hours=1)).isoformat()
    await shop.make_reward(code="shown", startsAt=later)
    await shop.make_reward(code="hidden", visibleFrom=later)
    await shop.make_reward(code="over", visibleUntil=earlier)
    member = shop.member_token(await shop.enroll())
    assert await codes(shop, member) == await codes(shop, shop.publishable) == ["shown"]
    assert await codes(shop) == ["shown", "hidden", "over"]
    assert await codes(shop, member, filter={"isRedeemable": True}) == []


async def test_rewards_are_filtered_and_sorted_for_a_member(shop: Shop) -> None:
    """By its own price, its tags, what it has and what it likes."""
    member = await shop.enroll("m-1", tags=["vip"])
    await shop.grant(member, 100)
    cup = await shop.make_reward(50, code="cup", categories=["tea"])
    await shop.make_reward(120, code="pot", categories=["tea"], prices=[{"points": 80, "audience": {"tags": ["vip"]}}])
    await shop.make_reward(500, code="set", categories=["tea", "gifts"])
    await shop.make_reward(10, code="card", kind="GIFT_CARD", categories=["gifts"], stock=0)
    await shop.make_reward(20, code="other", audience={"withoutTags": ["vip"]})
    await shop.make_reward(30, code="far", unlockPoints=1000)
    token = shop.member_token(member)
    await shop.do("rewardLike", "reward { code }", token, rewardId=cup)
    for told, expected in (
        ({"category": "gifts"}, ["set", "card"]),
        ({"kind": "GIFT_CARD"}, ["card"]),
        ({"pointsMin": 60, "pointsMax": 90}, ["pot"]),
        ({"pointsMin": 100}, ["set"]),
        ({"isAffordable": True}, ["cup", "pot", "card", "other", "far"]),
        ({"isEligible": True}, ["cup", "pot", "set", "card"]),
        ({"isAffordable": True, "isEligible": True, "isRedeemable": True}, ["cup", "pot"]),
        ({"isFavourite": True}, ["cup"]),
    ):
        assert await codes(shop, token, filter=told) == expected, told
        assert await codes(shop, filter=told, **{"for": {"externalId": "m-1"}}) == expected, told
    assert await codes(shop, filter={"pointsMin": 100, "pointsMax": 120}) == ["pot"]
    assert await codes(shop, filter={"isAffordable": True}) == []
    assert await codes(shop, **{"for": {"externalId": "nobody"}}) == []
    for sort, expected in (
        ("CHEAPEST", ["card", "other", "far", "cup", "pot", "set"]),
        ("DEAREST", ["set", "pot", "cup", "far", "other", "card"]),
        ("NEWEST", ["far", "other", "card", "set", "pot", "cup"]),
    ):
        assert await codes(shop, token, sort=sort) == expected
    await shop.do("rewardUnlike", "reward { code }", token, rewardId=cup)
    assert await codes(shop, token, filter={"isFavourite": True}) == []


async def test_segments_say_for_whom_and_at_which_price(shop: Shop) -> None:
    """And in no statement more."""
    await shop.do("segmentSave", "segment { id }", code="rich", name="Rich", criteria={"availableMin": 500})
    rich, poor = await shop.enroll("m-1"), await shop.enroll("m-2")
    await shop.grant(rich, 1_000)
    await shop.grant(poor, 100)
    await shop.make_reward(200, code="club", audience={"segments": ["rich"]})
    await shop.make_reward(200, code="cheap", prices=[{"points": 50, "audience": {"segments": ["rich"]}}])
    for member, eligible, affordable in ((rich, ["club", "cheap"], ["club", "cheap"]), (poor, ["cheap"], [])):
        token = shop.member_token(member)
        assert await codes(shop, token, filter={"isEligible": True}) == eligible
        assert await codes(shop, token, filter={"isAffordable": True}) == affordable
    assert await codes(shop, shop.member_token(rich), filter={"pointsMax": 60}) == ["cheap"]


async def test_nobody_asks_for_another_member(shop: Shop) -> None:
    """Nor a storefront for any."""
    member, other = await shop.enroll("m-1"), await shop.enroll("m-2")
    asked = {"for": {"id": other}}
    assert await shop.error(CATALOGUE, shop.member_token(member), **asked) == "FORBIDDEN"
    assert await shop.error(CATALOGUE, shop.publishable, **asked) == "FORBIDDEN"


@pytest.mark.parametrize("sort", ["OLDEST", "NEWEST", "CHEAPEST", "DEAREST"])
async def test_pages_follow_each_other_in_every_order(shop: Shop, sort: str) -> None:
    """Each reward once, also among those that cost the same."""
    for number in range(7):
        await shop.make_reward(10 + number // 3, code=f"c{number}")
    whole = await codes(shop, sort=sort)
    seen: list[str] = []
    after = None
    while True:
        page = (await shop.ask(CATALOGUE, first=2, after=after, sort=sort))["rewards"]
        seen.extend(node["code"] for node in page["nodes"])
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == whole
    assert len(seen) == 7


async def test_availability_says_exactly_why_not(shop: Shop) -> None:
    """All that is in the way, with its numbers; redeeming is refused with the first."""
    member = await shop.enroll()
    await shop.grant(member, 10)
    reward = await shop.make_reward(100, code="cup", stock=0, audience={"tags": ["vip"]}, unlockPoints=5)
    token = shop.member_token(member)
    (node,) = (await shop.ask(WHOLE, token))["rewards"]["nodes"]
    assert node["availability"] == {
        "canRedeem": False,
        "quantity": 1,
        "points": 100,
        "cash": {"amount": "0.00"},
        "obstacles": [
            {"code": "NOT_ELIGIBLE", "details": {"why": "tags", "expected": "vip"}},
            {"code": "REWARD_LOCKED", "details": {"required": 5, "earned": 0}},
            {"code": "SOLD_OUT", "details": {"requested": 1, "left": 0}},
            {"code": "INSUFFICIENT_POINTS", "details": {"required": 100, "available": 10}},
        ],
    }
    refused = await shop.refused("rewardRedeem", token, rewardId=reward, idempotencyKey=key())
    assert (refused["code"], refused["details"]) == ("NOT_ELIGIBLE", {"why": "tags", "expected": "vip"})
    assert (await shop.ask(WHOLE))["rewards"]["nodes"][0]["availability"] is None


async def test_a_quantity_out_of_bounds_is_an_obstacle_and_no_silence(shop: Shop) -> None:
    """With its bounds; the price that is told is that of one, and what nobody could ever pay is told all the same."""
    member = await shop.enroll()
    reward = await shop.make_reward(2**53 - 1)
    document = """query ($reward: ID!, $quantity: Int!) { node(id: $reward) { ... on Reward {
        availability(quantity: $quantity) { canRedeem quantity points obstacles { code field details } } } } }"""
    token = shop.member_token(member)
    for quantity in (0, -1, 1_001, 1_000_000):
        found = (await shop.ask(document, token, reward=reward, quantity=quantity))["node"]["availability"]
        assert found == {
            "canRedeem": False,
            "quantity": quantity,
            "points": 2**53 - 1,
            "obstacles": [
                {
                    "code": "NUMBER_INVALID",
                    "field": ["quantity"],
                    "details": {"name": "quantity", "number": quantity, "minimum": 1, "maximum": 1_000},
                }
            ],
        }
    found = (await shop.ask(document, token, reward=reward, quantity=1_000))["node"]["availability"]
    assert (found["points"], [one["code"] for one in found["obstacles"]]) == (2**53 - 1, ["INSUFFICIENT_POINTS"])


async def test_an_audience_that_names_what_is_not_there_is_refused(shop: Shop) -> None:
    """With the nearest that there is, as rules refuse it; a tier as its id was told, also in what a member is told."""
    await shop.do("segmentSave", "segment { id }", code="rich", name="Rich", criteria={"availableMin": 50})
    told = {"code": "cup", "name": "Cup", "points": 1}
    refused = await shop.refused("rewardCreate", **told, audience={"segments": ["ritch"]})
    assert (refused["code"], refused["field"]) == ("RULE_REFERENCE_UNKNOWN", ["audience", "segments"])
    assert refused["message"] == "This program has no segment 'ritch'; did you mean 'rich'?"
    nowhere = global_id("Tier")
    refused = await shop.refused("rewardCreate", **told, audience={"tierIds": [nowhere]})
    assert (refused["field"], refused["details"]["given"]) == (["audience", "tierIds"], nowhere)
    made = await shop.do("tierCreate", "tier { id }", name="Gold", rank=1, threshold=10**6)
    tier = made["tier"]["id"]
    reward = await shop.make_reward(1, audience={"tierIds": [tier]})
    token = shop.member_token(await shop.enroll())
    refused = await shop.refused("rewardRedeem", token, rewardId=reward, idempotencyKey=key())
    assert (refused["code"], refused["details"]) == ("NOT_ELIGIBLE", {"why": "tiers", "expected": tier})


async def test_asking_and_taking_agree_on_limits_and_stock_that_lapsed(shop: Shop) -> None:
    """A redemption that was not paid in time gives its stock back to whoever looks, with no clock's help."""
    member = await shop.enroll()
    await shop.grant(member, 100)
    reward = await shop.make_reward(10, code="cup", stock=1, cash=shop.money("1"), limitPerMember=1)
    token = shop.member_token(member)
    await shop.do("rewardRedeem", "redemption { id }", token, rewardId=reward, idempotencyKey=key())
    (node,) = (await shop.ask(WHOLE, token))["rewards"]["nodes"]
    assert [(one["code"], one["details"]) for one in node["availability"]["obstacles"]] == [
        ("LIMIT_REACHED", {"limit": 1, "taken": 1, "requested": 1}),
        ("SOLD_OUT", {"requested": 1, "left": 0}),
    ]
    assert await codes(shop, token, filter={"isRedeemable": True}) == []
    shop.world.clock.ahead = timedelta(minutes=15)
    assert await codes(shop, shop.member_token(member), filter={"isRedeemable": True}) == ["cup"]
    (node,) = (await shop.ask(WHOLE, shop.member_token(member)))["rewards"]["nodes"]
    assert (node["availability"]["canRedeem"], node["stock"]) == (True, 1)
    await shop.do("rewardRedeem", "redemption { id }", shop.member_token(member), rewardId=reward, idempotencyKey=key())
    shop.world.clock.ahead = timedelta(0)


async def test_the_first_page_for_a_member_takes_three_statements(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks, the rewards with their stock, what the member has of them; filtered, and each one judged."""
    member = await shop.enroll("m-1", tags=["vip"])
    await shop.grant(member, 100)
    await shop.do("segmentSave", "segment { id }", code="rich", name="Rich", criteria={"availableMin": 50})
    for number in range(30):
        await shop.make_reward(
            10 + number, limitPerMember=2, stock=5, prices=[{"points": 5, "audience": {"tags": ["vip"]}}]
        )
    token = shop.member_token(member)
    document = """query ($filter: RewardFilterInput) { rewards(filter: $filter, sort: CHEAPEST) { nodes {
        code name points stock availability { canRedeem points obstacles { code } } } } }"""
    which = {"isAffordable": True, "isEligible": True, "isRedeemable": True}
    await shop.ask(document, token, filter=which)
    with statements.counted(monkeypatch) as seen:
        found = await shop.ask(document, token, filter=which)
    assert len(found["rewards"]["nodes"]) == 20
    assert all(node["availability"]["canRedeem"] for node in found["rewards"]["nodes"])
    assert len(seen) == 3, seen


async def test_favourites_are_shown_to_their_member(shop: Shop) -> None:
    """In one statement more for a whole page."""
    member = await shop.enroll()
    cup, pot = await shop.make_reward(1, code="cup"), await shop.make_reward(1, code="pot")
    token = shop.member_token(member)
    payload = await shop.do("rewardLike", "reward { code } member { id }", token, rewardId=cup)
    assert payload["member"]["id"] == member
    await shop.do("rewardLike", "reward { code }", member={"id": member}, rewardId=pot)
    await shop.do("rewardUnlike", "reward { code }", token, rewardId=pot)
    nodes = (await shop.ask(WHOLE, token))["rewards"]["nodes"]
    assert {node["code"]: node["isFavourite"] for node in nodes} == {"cup": True, "pot": False}
    assert (await shop.refused("rewardLike", token, rewardId=global_id("Reward")))["code"] == "NOT_FOUND"


async def test_bounds_are_lifted(shop: Shop) -> None:
    """By name, for leaving them out leaves them."""
    reward = await shop.make_reward(10, stock=1, limitPerMember=1, dailyStock=1)
    selection = "reward { stock limitPerMember dailyStock }"
    edited = await shop.do("rewardUpdate", selection, rewardId=reward, lifts=["STOCK", "DAILY_STOCK"])
    assert edited["reward"] == {"stock": None, "limitPerMember": 1, "dailyStock": None}
