"""Previews: what a purchase would earn, for anybody who may ask, now or at another time, and nothing is kept."""

import random
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from domain.access import KeyKind, Scope
from tests.api.shops import Shop, World, global_id, key, local
from tests.api.stages import kept
from tests.api.test_campaigns import DOUBLE, campaign
from tests.api.test_earning import base, rule

pytestmark = pytest.mark.asyncio

PREVIEW = """query ($input: EarningPreviewInput!) { earningPreview(input: $input) {
    pointsEarned tierAfter { name } explanation { ruleVersion localTime multiplierBp paid { amount }
        applied { rule { code } points requested limitedBy } skipped { rule { code } why } tier { name } }
    userErrors { code field message details } } }"""


@pytest_asyncio.fixture
async def march(world: World) -> Shop:
    """A shop on Monday, the 1st of March 2027, at three in the afternoon, with double points on Thursdays."""
    shop = await world.open_shop()
    world.clock.put("2027-03-01T15:00")
    await shop.do("campaignSave", "ruleVersion", campaign=campaign(), rules=[DOUBLE])
    return shop


async def preview(shop: Shop, sum_: str = "100", token: str | None = None, **told: Any) -> dict[str, Any]:
    """What a purchase would earn; nothing is written, whatever comes of it."""
    before = await kept(shop)
    answer = await shop.ask(PREVIEW, token, input={"amount": shop.money(sum_), **told})
    assert await kept(shop) == before
    found: dict[str, Any] = answer["earningPreview"]
    return found


async def points(shop: Shop, amount: str = "100", token: str | None = None, **told: Any) -> int:
    """The points of a preview that is not refused."""
    found = await preview(shop, amount, token, **told)
    assert found["userErrors"] == [], found
    earned: int = found["pointsEarned"]
    return earned


async def test_next_thursday_a_purchase_will_earn_twice_as_much(march: Shop) -> None:
    """And today it does not: the preview says so, and why."""
    member = {"id": await march.enroll()}
    found = await preview(march, "99.90", member=member, at=local("2027-03-04T12:00"))
    assert found["pointsEarned"] == 199
    assert found["explanation"] == {
        "ruleVersion": 2,
        "localTime": "2027-03-04T12:00:00+08:00",
        "multiplierBp": 10_000,
        "paid": {"amount": "99.90"},
        "applied": [
            {"rule": {"code": "base"}, "points": 99, "requested": 99, "limitedBy": None},
            {"rule": {"code": "double"}, "points": 100, "requested": 100, "limitedBy": None},
        ],
        "skipped": [],
        "tier": None,
    }
    today = await preview(march, "99.90", member=member)
    assert today["pointsEarned"] == 99
    assert today["explanation"]["skipped"] == [{"rule": {"code": "double"}, "why": "CAMPAIGN"}]
    march.world.clock.put("2027-03-04T12:00")
    assert (await march.buy(member["id"], "99.90"))["purchase"]["pointsEarned"] == 199


async def test_a_storefront_asks_for_a_newcomer(march: Shop) -> None:
    """Who joins for the purchase, and so makes a first one; what only members of a tier get is skipped."""
    gold = (await march.do("tierCreate", "tier { id }", name="Gold", rank=1, threshold=50))["tier"]["id"]
    await march.do("earningRuleSave", "ruleVersion", rule=rule("first", points=20, trigger="FIRST_PURCHASE"))
    await march.do("earningRuleSave", "ruleVersion", rule=rule("new", points=5, conditions={"newForDays": 0}))
    only = rule("gold", points=9, conditions={"audience": {"tierIds": [gold]}})
    await march.do("earningRuleSave", "ruleVersion", rule=only)
    found = await preview(march, "100", march.publishable)
    assert (found["pointsEarned"], found["tierAfter"]) == (125, {"name": "Gold"})
    assert {"rule": {"code": "gold"}, "why": "TIER"} in found["explanation"]["skipped"]
    for at in ("2027-03-04T12:00", "2026-12-24T12:00"):
        assert await points(march, "100", march.publishable, at=local(at)) == (225 if "03-04" in at else 125)
    member = await march.enroll(enrolledAt=local("2027-01-01T00:00"))
    await march.buy(member, "10")
    assert await points(march, "100", member={"id": member}) == 100


async def test_a_surprise_is_not_told_by_what_it_did_not_give(march: Shop) -> None:
    """Rules of campaigns that are not public are skipped in silence, unless staff asks; those that give are shown."""
    secret = campaign("secret", isPublic=False)
    vip = rule("vip", points=7, conditions={"audience": {"tags": ["vip"]}})
    await march.do("campaignSave", "ruleVersion", campaign=secret, rules=[rule("surprise", points=5), vip])
    member = await march.enroll()
    for at, applied, skipped in (
        ("2027-03-03T12:00", ["base"], ["double", "surprise", "vip"]),
        ("2027-03-04T12:00", ["base", "double", "surprise"], ["vip"]),
    ):
        for token, hidden in ((march.secret, set()), (march.publishable, {"surprise", "vip"})):
            shown = (await preview(march, "100", token, at=local(at)))["explanation"]
            assert [item["rule"]["code"] for item in shown["applied"]] == applied
            assert [item["rule"]["code"] for item in shown["skipped"]] == [
                code for code in skipped if code not in hidden
            ]
    mine = (await preview(march, "100", march.member_token(member)))["explanation"]
    assert [item["rule"]["code"] for item in mine["skipped"]] == ["double"]


async def test_a_member_asks_for_itself_and_for_nobody_else(march: Shop) -> None:
    """It need not say who it is; who names a member needs the right to look at it."""
    gold = {"name": "Gold", "rank": 1, "threshold": 100, "multiplierBp": 15_000}
    await march.do("tierCreate", "tier { id }", **gold)
    member, other = await march.enroll("a"), await march.enroll("b")
    await march.buy(member, "100")
    token = march.member_token(member)
    assert await points(march, "10", token) == 15
    assert await points(march, "10", token, member={"id": member}) == 15
    assert await points(march, "10", march.member_token(other)) == 10
    blind = await march.make_key(KeyKind.SECRET, (Scope.PROGRAM_READ, Scope.PURCHASES_WRITE))
    assert await points(march, "10", blind) == 10
    given = {"amount": march.money("10"), "member": {"id": other}}
    for caller in (token, march.publishable, blind):
        assert await march.error(PREVIEW, caller, input=given) == "FORBIDDEN"
    given["member"] = {"externalId": "b"}
    assert await march.error(PREVIEW, token, input=given) == "FORBIDDEN"


async def test_the_future_is_reckoned_as_it_will_be(march: Shop) -> None:
    """Points that are pending today count by then, a tier that ends before is over."""
    await march.do("programUpdate", "program { id }", pending={"kind": "AFTER", "days": 7})
    gold = {"name": "Gold", "rank": 1, "threshold": 100, "multiplierBp": 20_000}
    await march.do("tierCreate", "tier { id }", **gold)
    member = await march.enroll()
    await march.buy(member, "100")
    assert await points(march, "10", member={"id": member}) == 10
    assert await points(march, "10", member={"id": member}, at=local("2027-03-08T14:59")) == 10
    assert await points(march, "10", member={"id": member}, at=local("2027-03-09T00:01")) == 20
    tier = (await march.ask("{ tiers { id } }"))["tiers"][0]["id"]
    other = await march.enroll("m-2")
    by_hand = {"member": {"id": other}, "tierId": tier, "until": "2027-03-05", "reason": "guest"}
    await march.do("memberTierSet", "member { id }", **by_hand)
    assert await points(march, "10", member={"id": other}, at=local("2027-03-05T23:59")) == 20
    assert await points(march, "10", member={"id": other}, at=local("2027-03-06T00:00")) == 10


async def test_the_past_is_reckoned_as_it_was(march: Shop) -> None:
    """As a purchase that is told late: by the tier of that time, and no rule that had not begun."""
    gold = {"name": "Gold", "rank": 1, "threshold": 100, "multiplierBp": 20_000}
    await march.do("tierCreate", "tier { id }", **gold)
    await march.do("earningRuleSave", "ruleVersion", rule=rule("new", startsAt=local("2027-03-01T00:00")))
    member = await march.enroll(enrolledAt=local("2027-01-01T00:00"))
    await march.buy(member, "100")
    assert await points(march, "10", member={"id": member}) == 21
    assert await points(march, "10", member={"id": member}, at=local("2027-02-28T12:00")) == 10


async def test_what_is_refused_is_told_as_for_a_purchase(march: Shop) -> None:
    """As data, with the field."""
    store = (await march.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    await march.do("storeUpdate", "store { id }", storeId=store, isClosed=True)
    frozen = await march.enroll("frozen")
    await march.do("memberFreeze", "member { id }", member={"id": frozen}, reason="test")
    line = {"amount": march.money("1")}
    for told, code, field in (
        ({"at": local("2028-03-01T14:59")}, None, None),
        ({"at": local("2028-03-01T15:01")}, "PREVIEW_TOO_FAR", ["at"]),
        ({"at": "1899-12-31T00:00:00Z"}, "TIME_INVALID", ["at"]),
        ({"amount": {"amount": "1", "currencyCode": "USD"}}, "CURRENCY_MISMATCH", ["amount"]),
        ({"amount": march.money("-1")}, "AMOUNT_INVALID", ["amount"]),
        ({"lines": [line]}, "LINES_INVALID", ["lines"]),
        ({"lines": [line] * 201}, "TOO_MANY", ["lines"]),
        ({"lines": [line | {"quantity": 0}]}, "NUMBER_INVALID", ["lines", "quantity"]),
        ({"storeId": store}, "STORE_CLOSED", ["storeId"]),
        ({"storeId": global_id("Store")}, "NOT_FOUND", None),
        ({"storeId": "x"}, "NOT_FOUND", ["storeId"]),
        ({"member": {"id": global_id("Member")}}, "NOT_FOUND", None),
        ({"member": {"id": frozen}}, "MEMBER_FROZEN", None),
    ):
        found = await preview(march, "100", **told)
        errors = [(error["code"], error["field"]) for error in found["userErrors"]]
        assert errors == ([] if code is None else [(code, field)]), told
        if code is not None:
            assert (found["pointsEarned"], found["tierAfter"], found["explanation"]) == (None, None, None)
    far = await preview(march, "100", at=local("2029-01-01T00:00"))
    assert far["userErrors"][0]["message"] == "What is coming can be computed for at most 366 days from now."
    assert far["userErrors"][0]["details"] == {"daysMax": 366}


async def test_a_preview_comes_to_what_recording_then_gives(world: World) -> None:
    """For many carts of two members, at many times, in the midst of caps, tiers and other purchases."""
    shop = await world.open_shop()
    world.clock.put("2027-03-01T15:00")
    await shop.do("programUpdate", "program { id }", categories=["tea", "cups"])
    store = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    for number, name in enumerate(("Silver", "Gold"), start=1):
        tier = {"name": name, "rank": number, "threshold": 300 * number, "multiplierBp": 10_000 + 2_500 * number}
        await shop.do("tierCreate", "tier { id }", **tier, benefits={"upgradePoints": 10})
    weekend = {"schedule": {"weekdays": [4, 6, 7], "fromHour": 10}}
    await shop.set_rules(
        base(shop) | {"includesFreight": True},
        DOUBLE | {"conditions": {"categories": ["tea"]}},
        rule("weekend", points=30, conditions=weekend, caps=[{"period": "WEEK", "points": 70}]),
        rule("third", points=17, conditions={"ordinal": {"number": 3, "period": "MONTH", "repeats": True}}),
        rule("big", "BONUS_AT", points=25, amount=shop.money("150"), exclusiveGroup="g"),
        rule("here", points=26, conditions={"storeIds": [store], "quantityMin": 3}, exclusiveGroup="g"),
    )
    members = [await shop.enroll("a"), await shop.enroll("b", tags=["vip"])]
    dice = random.Random(20270301)
    for _ in range(25):
        shop.world.clock.ahead += timedelta(hours=dice.randrange(1, 40))
        cart = _cart(shop, dice, store)
        member = {"id": dice.choice(members)}
        expected = await preview(shop, member=member, **cart)
        later = shop.world.clock() + timedelta(days=dice.randrange(400))
        await shop.ask(PREVIEW, input={"member": member, **cart, "at": later.isoformat()})
        selection = "purchase { pointsEarned explanation { applied { rule { code } points requested limitedBy } } }"
        given = {"member": member, "externalId": key(), "idempotencyKey": key(), **cart}
        told = await shop.do("purchaseRecord", f"{selection} member {{ account {{ tier {{ name }} }} }}", **given)
        assert told["purchase"]["pointsEarned"] == expected["pointsEarned"]
        assert told["purchase"]["explanation"]["applied"] == expected["explanation"]["applied"]
        assert told["member"]["account"]["tier"] == expected["tierAfter"]


def _cart(shop: Shop, dice: random.Random, store: str) -> dict[str, Any]:
    fens = [dice.randrange(1, 9_999) for _ in range(dice.randrange(1, 4))]
    freight = dice.choice((0, 800))
    lines = [
        {
            "amount": shop.money(f"{fen / 100:.2f}"),
            "category": dice.choice(("tea", "cups", None)),
            "quantity": dice.randrange(1, 4),
            "earns": dice.random() < 0.9,
        }
        for fen in fens
    ]
    return {
        "amount": shop.money(f"{(sum(fens) + freight) / 100:.2f}"),
        "freight": shop.money(f"{freight / 100:.2f}"),
        "lines": lines,
        "storeId": dice.choice((store, None)),
        "channel": dice.choice(("ONLINE", "IN_STORE")),
    }
