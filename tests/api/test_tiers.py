"""Tiers: added and edited in an order that never contradicts itself."""

from typing import Any

import pytest

from tests.api.shops import Shop, global_id

pytestmark = pytest.mark.asyncio

TIER = "tier { id name rank qualifyingPoints multiplierBp }"
LADDER = "{ tiers { name rank qualifyingPoints multiplierBp } }"


async def test_tiers_are_listed_from_the_lowest(shop: Shop) -> None:
    """Whatever the order in which they came; a multiplier is 1 unless it is told."""
    gold = {"name": "Gold", "rank": 2, "qualifyingPoints": 1000, "multiplierBp": 15_000}
    await shop.do("tierCreate", TIER, **gold)
    await shop.do("tierCreate", TIER, name="Silver", rank=1, qualifyingPoints=100)
    silver = {"name": "Silver", "rank": 1, "qualifyingPoints": 100, "multiplierBp": 10_000}
    assert (await shop.ask(LADDER))["tiers"] == [silver, gold]


async def test_a_tier_is_edited(shop: Shop) -> None:
    """What is left out stays."""
    tier = (await shop.do("tierCreate", TIER, name="Silver", rank=1, qualifyingPoints=100))["tier"]
    edited = (await shop.do("tierUpdate", TIER, tierId=tier["id"], multiplierBp=12_000))["tier"]
    assert edited == tier | {"multiplierBp": 12_000}


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        ({"name": ""}, "TEXT_INVALID", "name"),
        ({"rank": 0}, "NUMBER_INVALID", "rank"),
        ({"rank": 101}, "NUMBER_INVALID", "rank"),
        ({"rank": 1}, "TIER_TAKEN", "rank"),
        ({"name": "Silver"}, "TIER_TAKEN", "name"),
        ({"qualifyingPoints": -1}, "POINTS_INVALID", "qualifyingPoints"),
        ({"qualifyingPoints": 50}, "TIER_ORDER_INVALID", "qualifyingPoints"),
        ({"multiplierBp": 0}, "NUMBER_INVALID", "multiplierBp"),
        ({"multiplierBp": 1_000_001}, "NUMBER_INVALID", "multiplierBp"),
    ],
)
async def test_impossible_tiers_are_refused(shop: Shop, told: dict[str, Any], code: str, field: str) -> None:
    """And nothing is added."""
    await shop.do("tierCreate", TIER, name="Silver", rank=1, qualifyingPoints=100)
    before = await shop.ask(LADDER)
    refused = await shop.refused("tierCreate", **({"name": "Gold", "rank": 2, "qualifyingPoints": 1000} | told))
    assert (refused["code"], refused["field"]) == (code, [field])
    assert await shop.ask(LADDER) == before


async def test_a_missing_tier_is_not_found(shop: Shop) -> None:
    """Whether the id is of nothing or of something else."""
    assert (await shop.refused("tierUpdate", tierId=global_id("Tier"), name="Gold"))["code"] == "NOT_FOUND"
    assert (await shop.refused("tierUpdate", tierId=global_id("Store"), name="Gold"))["code"] == "NOT_FOUND"


async def test_a_purchase_reaches_a_tier_and_the_next_one_earns_by_it(shop: Shop) -> None:
    """The account shows the tier at once, and the purchase which tier and multiplier it earned by."""
    await shop.do("tierCreate", TIER, name="Gold", rank=1, qualifyingPoints=100, multiplierBp=20_000)
    member = await shop.enroll()
    given = {"member": {"id": member}, "amount": shop.money("100")}
    selection = "purchase { pointsEarned multiplierBp tier { name } } member { account { tier { name } } }"
    first = await shop.do("purchaseRecord", selection, externalId="o-1", idempotencyKey="1", **given)
    assert first["purchase"] == {"pointsEarned": 100, "multiplierBp": 10_000, "tier": None}
    assert first["member"]["account"]["tier"] == {"name": "Gold"}
    second = await shop.do("purchaseRecord", selection, externalId="o-2", idempotencyKey="2", **given)
    assert second["purchase"] == {"pointsEarned": 200, "multiplierBp": 20_000, "tier": {"name": "Gold"}}
