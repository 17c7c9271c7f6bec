"""A member's standing through the API: its progress in every phase of a year's tier, history, and tiers by hand."""

from typing import Any

import pytest
import pytest_asyncio

from domain.points.commands import SettleAccount
from tests.api.shops import Shop, World, global_id, key, key_of, local
from tests.api.stages import kept
from tests.api.statements import counted

pytestmark = pytest.mark.asyncio

PROGRESS = """query ($id: ID!) { member(ref: {id: $id}) { tierProgress { metric metricKind windowFirst windowLast
    tier { name } isSetByHand nextTier { name } gap keepGap validUntil graceUntil projectedTier { name } } } }"""
HISTORY = """query ($id: ID!) { member(ref: {id: $id}) { account { tier { name } } tierHistory { nodes {
    cause tier { name } tierBefore { name } metric validUntil reason actor occurredAt } } } }"""
NOTHING: dict[str, Any] = {
    "metric": 0,
    "metricKind": "QUALIFYING_POINTS",
    "windowFirst": "2027-01-01",
    "windowLast": "2027-12-31",
    "tier": None,
    "isSetByHand": False,
    "nextTier": "Silver",
    "gap": 100,
    "keepGap": 0,
    "validUntil": None,
    "graceUntil": None,
    "projectedTier": None,
}
IN_2028 = {"windowFirst": "2028-01-01", "windowLast": "2028-12-31"}
IN_2029 = {"windowFirst": "2029-01-01", "windowLast": "2029-12-31"}
END_OF_2028, END_OF_2029 = "2028-12-31T16:00:00Z", "2029-12-31T16:00:00Z"


@pytest_asyncio.fixture
async def club(world: World) -> Shop:
    """In March 2027, a shop with Silver from 100 and Gold from 400 on (kept by 300) in a calendar year, and grace."""
    shop = await world.open_shop()
    world.clock.put("2027-03-01T15:00")
    policy = {"window": "CALENDAR_YEAR", "downgrade": "FULL", "graceDays": 30}
    await shop.do("programUpdate", "program { id }", tierPolicy=policy)
    benefits = {"discountBp": 500}
    silver = {"name": "Silver", "rank": 1, "threshold": 100, "multiplierBp": 12_000, "benefits": benefits}
    await shop.do("tierCreate", "tier { id }", **silver)
    gold = {"name": "Gold", "rank": 2, "threshold": 400, "keepThreshold": 300, "benefits": {"discountBp": 1000}}
    await shop.do("tierCreate", "tier { id }", **gold)
    return shop


async def progress(shop: Shop, member: str, token: str | None = None) -> dict[str, Any]:
    """Where a member stands, tiers by their names."""
    found = (await shop.ask(PROGRESS, token, id=member))["member"]["tierProgress"]
    return {name: value["name"] if isinstance(value, dict) else value for name, value in found.items()}


async def history(shop: Shop, member: str) -> list[tuple[Any, ...]]:
    """A member's steps, the oldest first: why, to which tier from which, and until when."""
    nodes = (await shop.ask(HISTORY, id=member))["member"]["tierHistory"]["nodes"]
    return [
        (node["cause"], *(node[name] and node[name]["name"] for name in ("tier", "tierBefore")), node["validUntil"])
        for node in reversed(nodes)
    ]


async def tier_id(shop: Shop, name: str) -> str:
    """The id of a tier."""
    tiers = {tier["name"]: tier["id"] for tier in (await shop.ask("{ tiers { id name } }"))["tiers"]}
    return str(tiers[name])


async def test_progress_is_told_in_every_phase_of_a_year_s_tier(club: Shop) -> None:
    """Below the first, reached, to be kept, in grace, and kept in it: whether or not the worker has been there."""
    member = await club.enroll()
    assert await progress(club, member) == NOTHING
    await club.buy(member, "60")
    assert await progress(club, member) == NOTHING | {"metric": 60, "gap": 40}
    await club.buy(member, "440")
    gold = NOTHING | {"tier": "Gold", "nextTier": None, "gap": 0, "keepGap": 300, "validUntil": END_OF_2028}
    assert await progress(club, member) == gold | {"metric": 500}
    club.world.clock.put("2028-06-01T12:00")
    assert await progress(club, member) == gold | IN_2028
    await club.buy(member, "250")
    kept_by_50 = {"keepGap": 50, "projectedTier": "Silver"}
    assert await progress(club, member) == gold | IN_2028 | kept_by_50 | {"metric": 250}
    club.world.clock.put("2028-12-31T23:59")
    assert await progress(club, member) == gold | IN_2028 | kept_by_50 | {"metric": 250}
    club.world.clock.put("2029-01-01T00:00")
    in_grace = gold | IN_2029 | kept_by_50 | {"graceUntil": "2029-01-30T16:00:00Z"}
    assert await progress(club, member) == in_grace
    await club.buy(member, "49")
    assert await progress(club, member) == in_grace | {"metric": 49, "keepGap": 1}
    await club.buy(member, "1")
    renewed = gold | IN_2029 | {"metric": 50, "keepGap": 250, "validUntil": END_OF_2029}
    assert await progress(club, member) == renewed
    assert await history(club, member) == [
        ("REACHED", "Gold", None, END_OF_2028),
        ("GRACE", "Gold", "Gold", END_OF_2028),
        ("KEPT", "Gold", "Gold", END_OF_2029),
    ]


async def test_a_tier_that_is_not_kept_is_lost_after_its_grace(club: Shop) -> None:
    """By what the year came to: from Gold to Silver, and then to none; a member reads it before the worker came."""
    member = await club.enroll()
    await club.buy(member, "500")
    club.world.clock.put("2028-06-01T12:00")
    await club.buy(member, "150")
    club.world.clock.put("2029-01-30T23:59")
    assert (await progress(club, member))["tier"] == "Gold"
    club.world.clock.put("2029-01-31T00:00")
    silver = {"tier": "Silver", "nextTier": "Gold", "gap": 400, "keepGap": 100, "validUntil": END_OF_2029}
    assert await progress(club, member, club.member_token(member)) == NOTHING | IN_2029 | silver
    account = "{ me { account { tier { name } } } }"
    assert (await club.ask(account, club.member_token(member)))["me"] == {"account": {"tier": {"name": "Silver"}}}
    await club.world.execute(SettleAccount(member_id=key_of(member)), club.program_id)
    steps = [
        ("REACHED", "Gold", None, END_OF_2028),
        ("GRACE", "Gold", "Gold", END_OF_2028),
        ("LOST", "Silver", "Gold", END_OF_2029),
    ]
    assert await history(club, member) == steps
    club.world.clock.put("2030-02-01T12:00")
    in_2030 = {"windowFirst": "2030-01-01", "windowLast": "2030-12-31"}
    assert await progress(club, member) == NOTHING | in_2030


async def test_progress_counts_in_the_metric_of_the_policy(club: Shop) -> None:
    """Money in minor units, or purchases; refunds count against it."""
    member = await club.enroll()
    await club.buy(member, "60.50", "o-1")
    await club.do("programUpdate", "program { id }", tierPolicy={"metric": "NET_SPEND", "window": "CALENDAR_YEAR"})
    assert {**await progress(club, member), "gap": 0} == NOTHING | {"metricKind": "NET_SPEND", "metric": 6050, "gap": 0}
    refund = {"purchase": {"externalId": "o-1"}, "refundId": "r-1", "amount": club.money("10")}
    await club.do("purchaseRefund", "isReplay", **refund, idempotencyKey=key())
    assert (await progress(club, member))["metric"] == 5050
    policy = {"metric": "PURCHASES", "window": "ANNIVERSARY"}
    await club.do("programUpdate", "program { id }", tierPolicy=policy)
    found = await progress(club, member)
    window = {"windowFirst": "2027-03-01", "windowLast": "2028-02-29"}
    assert found == NOTHING | window | {"metricKind": "PURCHASES", "metric": 1, "gap": 99}


async def test_a_purchase_keeps_the_benefits_of_its_time(club: Shop) -> None:
    """Multiplier and discount stand with the order, though the tier is edited; a till that is late is not favoured."""
    member = await club.enroll(enrolledAt=local("2027-01-01T00:00"))
    selection = "purchase { id multiplierBp discountBp pointsEarned tier { name } }"
    found = []
    for number, told in enumerate(({}, {}, {"occurredAt": local("2027-02-01T12:00")})):
        given = {"member": {"id": member}, "amount": club.money("100"), "externalId": f"o-{number}"}
        payload = await club.do("purchaseRecord", selection, **given, **told, idempotencyKey=key())
        found.append(payload["purchase"])
    shown = [(each["multiplierBp"], each["discountBp"], each["pointsEarned"], each["tier"]) for each in found]
    assert shown == [(10_000, 0, 100, None), (12_000, 500, 120, {"name": "Silver"}), (10_000, 0, 100, None)]
    edited = {"tierId": await tier_id(club, "Silver"), "multiplierBp": 20_000, "benefits": {"discountBp": 9999}}
    payload = await club.do(
        "tierUpdate", "tier { multiplierBp benefits { discountBp birthdayPoints perks } }", **edited
    )
    benefits = {"discountBp": 9999, "birthdayPoints": 0, "perks": []}
    assert payload["tier"] == {"multiplierBp": 20_000, "benefits": benefits}
    document = "query ($id: ID!) { node(id: $id) { ... on Purchase { multiplierBp discountBp } } }"
    again = (await club.ask(document, id=found[1]["id"]))["node"]
    assert again == {"multiplierBp": 12_000, "discountBp": 500}


# By hand.


async def test_staff_gives_a_tier_and_ends_it(club: Shop) -> None:
    """With a reason; it goes before the earned one until its last day, inclusive."""
    member = await club.enroll()
    await club.buy(member, "100")
    given = {"member": {"id": member}, "tierId": await tier_id(club, "Gold"), "until": "2027-03-31", "reason": "guest"}
    selection = "member { account { tier { name } } tierProgress { tier { name } isSetByHand validUntil gap } }"
    payload = await club.do("memberTierSet", selection, **given)
    gold = {"tier": {"name": "Gold"}, "isSetByHand": True, "validUntil": "2027-03-31T16:00:00Z", "gap": 0}
    assert payload["member"] == {"account": {"tier": {"name": "Gold"}}, "tierProgress": gold}
    by_hand = {"tier": "Gold", "isSetByHand": True, "nextTier": None, "gap": 0, "validUntil": gold["validUntil"]}
    after = {"keepGap": None, "projectedTier": "Silver"}
    assert await progress(club, member) == NOTHING | by_hand | after | {"metric": 100}
    ended = await club.do("memberTierEnd", selection, member={"id": member}, reason="over")
    silver = {"tier": {"name": "Silver"}, "isSetByHand": False, "validUntil": END_OF_2028, "gap": 300}
    assert ended["member"] == {"account": {"tier": {"name": "Silver"}}, "tierProgress": silver}
    nodes = (await club.ask(HISTORY, id=member))["member"]["tierHistory"]["nodes"]
    assert [(node["cause"], node["reason"]) for node in nodes] == [
        ("SET_ENDED", "over"),
        ("SET", "guest"),
        ("REACHED", None),
    ]
    assert nodes[0]["actor"].startswith("secret_key:")
    assert [node["metric"] for node in nodes] == [100, 100, 100]
    await club.do("memberTierSet", "member { id }", **given)
    club.world.clock.put("2027-03-31T23:59")
    assert (await progress(club, member))["tier"] == "Gold"
    club.world.clock.put("2027-04-01T00:00")
    assert (await progress(club, member))["tier"] == "Silver"
    await club.buy(member, "1")
    assert (await history(club, member))[-1] == ("SET_ENDED", "Silver", "Gold", END_OF_2028)


async def test_the_history_shows_what_is_earned_under_a_tier_set_by_hand(club: Shop) -> None:
    """The tier in force stays; which one was reached, and until when it lasts, is told beside it."""
    member = await club.enroll()
    given = {"member": {"id": member}, "tierId": await tier_id(club, "Gold"), "until": "2027-03-31", "reason": "guest"}
    await club.do("memberTierSet", "member { id }", **given)
    await club.buy(member, "100")
    document = """query ($id: ID!) { member(ref: {id: $id}) { tierHistory { nodes { cause tier { name } metric
        validUntil earnedTier { name } earnedTierBefore { name } earnedValidUntil } } } }"""
    reached, was_set = (await club.ask(document, id=member))["member"]["tierHistory"]["nodes"]
    gold = {"tier": {"name": "Gold"}, "validUntil": "2027-03-31T16:00:00Z", "earnedTierBefore": None}
    silver = {"metric": 100, "earnedTier": {"name": "Silver"}, "earnedValidUntil": END_OF_2028}
    assert reached == gold | silver | {"cause": "REACHED"}
    assert was_set == gold | {"cause": "SET", "metric": 0, "earnedTier": None, "earnedValidUntil": None}


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        ({"until": "2027-02-28"}, "TIER_END_INVALID", ["until"]),
        ({"until": "2037-03-02"}, "TIER_END_INVALID", ["until"]),
        ({"reason": " "}, "TEXT_INVALID", ["reason"]),
        ({"reason": "x" * 501}, "TEXT_INVALID", ["reason"]),
        ({"tierId": global_id("Tier")}, "NOT_FOUND", None),
        ({"tierId": "x"}, "NOT_FOUND", ["tierId"]),
        ({"member": {"externalId": "nobody"}}, "NOT_FOUND", ["member", "externalId"]),
    ],
)
async def test_impossible_tiers_by_hand_are_refused(
    club: Shop, told: dict[str, Any], code: str, field: list[str] | None
) -> None:
    """And nothing changes; neither does ending what was not set."""
    member = await club.enroll()
    given = {"member": {"id": member}, "tierId": await tier_id(club, "Gold"), "until": "2027-03-31", "reason": "guest"}
    before = await kept(club)
    refused = await club.refused("memberTierSet", **(given | told))
    assert (refused["code"], refused["field"]) == (code, field)
    not_set = await club.refused("memberTierEnd", member={"id": member}, reason="over")
    assert (not_set["code"], not_set["field"]) == ("TIER_NOT_SET", None)
    assert await kept(club) == before


# What it costs.


async def test_standings_cost_the_same_for_one_and_for_many(club: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five statements for the ledgers and one for what counted; histories, program and tiers are one each."""
    for number in range(3):
        await club.buy(await club.enroll(f"m-{number}"), "500")
    steps = "tierHistory { nodes { cause tier { name } tierBefore { name } } }"
    standing = "tierProgress { metric tier { name } nextTier { name } projectedTier { name } }"
    for at in ("2027-03-01T16:00", "2029-01-10T12:00"):
        club.world.clock.put(at)
        await club.ask("{ program { name } }")
        for selection, statements in ((steps, 3), (standing, 9), (f"{standing} lots {{ nodes {{ amount }} }}", 9)):
            document = f"query ($first: Int!) {{ members(first: $first) {{ nodes {{ {selection} }} }} }}"
            for first in (1, 3):
                with counted(monkeypatch) as seen:
                    assert len((await club.ask(document, first=first))["members"]["nodes"]) == first
                assert len(seen) == statements, seen


async def test_a_window_costs_one_statement_more_where_the_clock_is_waited_for(
    club: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counted in it; lots alone cost what they cost where tiers last for life."""
    for number in range(3):
        await club.buy(await club.enroll(f"m-{number}"), "500")
    document = "{ members { nodes { %s } } }"
    for at, selection, statements in (
        ("2027-03-01T16:00", "lots { nodes { remaining } }", 6),
        ("2027-03-01T16:00", "account { available }", 2),
        ("2029-01-10T12:00", "account { available }", 10),
    ):
        club.world.clock.put(at)
        await club.ask("{ program { name } }")
        with counted(monkeypatch) as seen:
            await club.ask(document % selection)
        assert len(seen) == statements, seen
