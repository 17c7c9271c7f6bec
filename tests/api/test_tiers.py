"""Tiers: added and edited in an order that never contradicts itself."""

from typing import Any

import pytest

from tests.api.shops import Shop, global_id

pytestmark = pytest.mark.asyncio

TIER = "tier { id name rank threshold multiplierBp }"
LADDER = "{ tiers { name rank threshold multiplierBp } }"


async def test_tiers_are_listed_from_the_lowest(shop: Shop) -> None:
    """Whatever the order in which they came; a multiplier is 1 unless it is told."""
    gold = {"name": "Gold", "rank": 2, "threshold": 1000, "multiplierBp": 15_000}
    await shop.do("tierCreate", TIER, **gold)
    await shop.do("tierCreate", TIER, name="Silver", rank=1, threshold=100)
    silver = {"name": "Silver", "rank": 1, "threshold": 100, "multiplierBp": 10_000}
    assert (await shop.ask(LADDER))["tiers"] == [silver, gold]


async def test_a_tier_is_edited(shop: Shop) -> None:
    """What is left out stays."""
    tier = (await shop.do("tierCreate", TIER, name="Silver", rank=1, threshold=100))["tier"]
    edited = (await shop.do("tierUpdate", TIER, tierId=tier["id"], multiplierBp=12_000))["tier"]
    assert edited == tier | {"multiplierBp": 12_000}


async def test_a_tier_shows_its_benefits_and_what_keeps_it(shop: Shop) -> None:
    """What is told of benefits replaces all of them; what is left out of a tier stays."""
    selection = """tier { id keepThreshold
        benefits { discountBp birthdayPoints upgradePoints headStartMinutes perks } }"""
    given = {"discountBp": 500, "birthdayPoints": 66, "upgradePoints": 88, "headStartMinutes": 30}
    gold = {"name": "Gold", "rank": 1, "threshold": 1000, "keepThreshold": 800}
    told = await shop.do("tierCreate", selection, **gold, benefits=given | {"perks": [" lounge ", "lounge"]})
    assert (told["tier"]["keepThreshold"], told["tier"]["benefits"]) == (800, given | {"perks": ["lounge"]})
    tier_id = told["tier"]["id"]
    edited = await shop.do("tierUpdate", selection, tierId=tier_id, threshold=2000)
    assert edited["tier"] == told["tier"]
    edited = await shop.do("tierUpdate", selection, tierId=tier_id, benefits={"discountBp": 100})
    nothing = dict.fromkeys(given, 0) | {"perks": []}
    assert edited["tier"]["benefits"] == nothing | {"discountBp": 100}
    document = "query ($id: ID!) { node(id: $id) { ... on Tier { benefits { discountBp } } } }"
    shown = (await shop.ask(document, shop.publishable, id=tier_id))["node"]
    assert shown == {"benefits": {"discountBp": 100}}


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        ({"name": ""}, "TEXT_INVALID", "name"),
        ({"rank": 0}, "NUMBER_INVALID", "rank"),
        ({"rank": 101}, "NUMBER_INVALID", "rank"),
        ({"rank": 1}, "TIER_TAKEN", "rank"),
        ({"name": "Silver"}, "TIER_TAKEN", "name"),
        ({"threshold": -1}, "POINTS_INVALID", "threshold"),
        ({"threshold": 50}, "TIER_ORDER_INVALID", "threshold"),
        ({"multiplierBp": 0}, "NUMBER_INVALID", "multiplierBp"),
        ({"multiplierBp": 1_000_001}, "NUMBER_INVALID", "multiplierBp"),
        ({"keepThreshold": -1}, "POINTS_INVALID", "keepThreshold"),
        ({"keepThreshold": 99}, "TIER_ORDER_INVALID", "keepThreshold"),
        ({"benefits": {"discountBp": 10_001}}, "NUMBER_INVALID", "benefits.discountBp"),
        ({"benefits": {"birthdayPoints": -1}}, "POINTS_INVALID", "benefits.birthdayPoints"),
        ({"benefits": {"upgradePoints": 10**9 + 1}}, "POINTS_INVALID", "benefits.upgradePoints"),
        ({"benefits": {"headStartMinutes": 43_201}}, "NUMBER_INVALID", "benefits.headStartMinutes"),
        ({"benefits": {"perks": ["x"] * 21}}, "TOO_MANY", "benefits.perks"),
        ({"benefits": {"perks": [""]}}, "TEXT_INVALID", "benefits.perks"),
    ],
)
async def test_impossible_tiers_are_refused(shop: Shop, told: dict[str, Any], code: str, field: str) -> None:
    """And nothing is added."""
    await shop.do("tierCreate", TIER, name="Silver", rank=1, threshold=100)
    before = await shop.ask(LADDER)
    refused = await shop.refused("tierCreate", **({"name": "Gold", "rank": 2, "threshold": 1000} | told))
    assert (refused["code"], refused["field"]) == (code, field.split("."))
    assert await shop.ask(LADDER) == before


async def test_a_missing_tier_is_not_found(shop: Shop) -> None:
    """Whether the id is of nothing or of something else."""
    assert (await shop.refused("tierUpdate", tierId=global_id("Tier"), name="Gold"))["code"] == "NOT_FOUND"
    assert (await shop.refused("tierUpdate", tierId=global_id("Store"), name="Gold"))["code"] == "NOT_FOUND"


async def test_a_purchase_reaches_a_tier_and_the_next_one_earns_by_it(shop: Shop) -> None:
    """The account shows the tier at once, and the purchase which tier and multiplier it earned by."""
    await shop.do("tierCreate", TIER, name="Gold", rank=1, threshold=100, multiplierBp=20_000)
    member = await shop.enroll()
    given = {"member": {"id": member}, "amount": shop.money("100")}
    selection = "purchase { pointsEarned multiplierBp tier { name } } member { account { tier { name } } }"
    first = await shop.do("purchaseRecord", selection, externalId="o-1", idempotencyKey="1", **given)
    assert first["purchase"] == {"pointsEarned": 100, "multiplierBp": 10_000, "tier": None}
    assert first["member"]["account"]["tier"] == {"name": "Gold"}
    second = await shop.do("purchaseRecord", selection, externalId="o-2", idempotencyKey="2", **given)
    assert second["purchase"] == {"pointsEarned": 200, "multiplierBp": 20_000, "tier": {"name": "Gold"}}
