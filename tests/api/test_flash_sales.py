"""Flash sales over the wire: what is offered, what it is to whom, claims and their end, and the gate (S8, S34, S37)."""

import asyncio
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from domain.access import Role
from tests.api.shops import Shop, World, global_id, key, local
from tests.api.stages import kept
from tests.api.statements import counted

pytestmark = pytest.mark.asyncio

ROUND = "round { serverTime phase opensAt opensForAllAt endsAt nextOpensAt }"
JUDGED = "availability { serverTime phase opensAt endsAt left taken canClaim obstacles { code details } }"
SALE = f"""id code name description isActive startsAt endsAt payMinutes reminderMinutes {ROUND}
    daily {{ schedule {{ weekdays }} localTime minutes }} headStarts {{ tier {{ name }} minutes }}
    items {{ id points cash {{ amount }} stock left limitPerMember isWithdrawn reward {{ name }}
        shares {{ tier {{ name }} quantity }} {JUDGED} }}"""
CLAIM = """claim { id state points cash { amount } payBy opensAt claimedAt closedAt sale { code } item { left }
    redemption { id state origin points } } member { account { available held } }"""
OF_SALE = f"query ($id: ID!) {{ flashSale(id: $id) {{ {SALE} }} }}"


def at(instant: str) -> datetime:
    return datetime.fromisoformat(instant)


@pytest_asyncio.fixture
async def shop(world: World) -> Any:
    """A shop whose clock stands at eight in the evening of a Thursday, and is put back afterwards."""
    world.clock.put("2027-03-04T20:00")
    yield await world.open_shop()
    world.clock.ahead = timedelta(0)


async def save(shop: Shop, *items: dict[str, Any], **told: Any) -> dict[str, Any]:
    """A sale of these items, or of ten units for ten points each, from seven to nine."""
    offered = [{"rewardId": await shop.make_reward(1), "points": 10, "stock": 10, **item} for item in items or ({},)]
    span = {"startsAt": local("2027-03-04T19:00"), "endsAt": local("2027-03-04T21:00")}
    given = {"code": key()[:20], "name": "Thursday", "items": offered, **span, **told}
    saved: dict[str, Any] = (await shop.do("flashSaleSave", f"flashSale {{ {SALE} }}", **given))["flashSale"]
    return saved


async def rich(shop: Shop, points: int = 1_000) -> tuple[str, str]:
    """A member with points, and its token."""
    member = await shop.enroll(key())
    await shop.grant(member, points)
    return member, shop.member_token(member)


async def claim(shop: Shop, token: str, item: str, **told: Any) -> Any:
    return await shop.attempt("flashSaleClaim", CLAIM, token, **({"itemId": item, "idempotencyKey": key()} | told))


def code_of(payload: dict[str, Any]) -> str | None:
    return payload["userErrors"][0]["code"] if payload["userErrors"] else None


async def test_a_sale_is_told_whole_and_shown_to_everybody(shop: Shop) -> None:
    tier = (await shop.do("tierCreate", "tier { id }", name="Gold", rank=1, threshold=10**6))["tier"]["id"]
    thursdays = {"schedule": {"weekdays": [4]}, "localTime": "20:00", "minutes": 60}
    saved = await save(
        shop,
        {"cash": shop.money("9.90"), "limitPerMember": 1, "shares": [{"tierId": tier, "quantity": 3}]},
        code="thursdays",
        description="tea",
        startsAt=local("2027-03-01T00:00"),
        endsAt=local("2027-04-01T00:00"),
        daily=thursdays,
        headStarts=[{"tierId": tier, "minutes": 30}],
    )
    (item,) = saved["items"]
    assert (saved["code"], saved["description"], saved["isActive"], saved["payMinutes"]) == (
        "thursdays",
        "tea",
        True,
        15,
    )
    assert saved["daily"] == {"schedule": {"weekdays": [4]}, "localTime": "20:00", "minutes": 60}
    assert saved["headStarts"] == [{"tier": {"name": "Gold"}, "minutes": 30}]
    assert item["shares"] == [{"tier": {"name": "Gold"}, "quantity": 3}]
    assert (item["points"], item["cash"]["amount"], item["stock"], item["left"]) == (10, "9.90", 10, 10)
    found = await shop.ask(f'{{ flashSale(code: "thursdays") {{ id {ROUND} }} }}', shop.publishable)
    told = found["flashSale"]["round"]
    assert at(told.pop("serverTime")) - shop.world.clock() < timedelta(seconds=5)
    assert {name: value if name == "phase" else at(value) for name, value in told.items()} == {
        "phase": "OPEN",
        "opensAt": at("2027-03-04T12:00:00Z"),
        "opensForAllAt": at("2027-03-04T12:00:00Z"),
        "endsAt": at("2027-03-04T13:00:00Z"),
        "nextOpensAt": at("2027-03-11T12:00:00Z"),
    }
    node = "query ($id: ID!) { node(id: $id) { __typename id } }"
    for kind, told_id in (("FlashSale", saved["id"]), ("FlashSaleItem", item["id"])):
        assert (await shop.ask(node, id=told_id))["node"] == {"__typename": kind, "id": told_id}


async def test_what_is_over_or_off_is_shown_to_staff_alone_if_asked(shop: Shop) -> None:
    on, off = await save(shop), await save(shop, isActive=False)
    over = await save(shop, startsAt=local("2027-03-04T19:00"), endsAt=local("2027-03-04T20:10"))
    shop.world.clock.ahead += timedelta(minutes=11)
    listed = "query ($current: Boolean!) { flashSales(isCurrent: $current) { nodes { id } } }"

    async def ids(token: str, *, current: bool) -> set[str]:
        return {node["id"] for node in (await shop.ask(listed, token, current=current))["flashSales"]["nodes"]}

    assert await ids(shop.publishable, current=True) == {on["id"]}
    assert await ids(shop.publishable, current=False) == {on["id"], over["id"]}
    assert await ids(shop.secret, current=True) == {on["id"], off["id"]}
    one = "query ($id: ID!) { flashSale(id: $id) { id } }"
    assert (await shop.ask(one, shop.publishable, id=off["id"]))["flashSale"] is None
    assert (await shop.ask(one, id=off["id"]))["flashSale"] == {"id": off["id"]}
    none = "{ flashSales(isActive: false) { nodes { id } } }"
    assert (await shop.ask(none, shop.publishable))["flashSales"]["nodes"] == []
    assert [node["id"] for node in (await shop.ask(none))["flashSales"]["nodes"]] == [off["id"]]
    for nothing in (global_id("FlashSale"), "nonsense"):
        assert (await shop.ask(one, id=nothing))["flashSale"] is None


async def test_points_alone_buy_a_unit_at_once(shop: Shop) -> None:
    (item,) = (await save(shop))["items"]
    _, token = await rich(shop)
    payload = await claim(shop, token, item["id"])
    made = payload["claim"]
    assert (made["state"], made["points"], made["payBy"], made["item"]) == ("CONFIRMED", 10, None, {"left": 9})
    assert (made["redemption"]["state"], made["redemption"]["origin"]) == ("PLACED", "FLASH_SALE")
    assert payload["member"]["account"] == {"available": 990, "held": 0}
    cancel = {"redemptionId": made["redemption"]["id"], "reason": "no", "idempotencyKey": key()}
    await shop.do("redemptionCancel", "refundable { amount }", token, **cancel)
    document = "query ($id: ID!) { node(id: $id) { ... on Claim { state item { left } } } }"
    assert (await shop.ask(document, token, id=made["id"]))["node"] == {"state": "RELEASED", "item": {"left": 10}}


async def test_money_is_paid_within_its_time(shop: Shop) -> None:
    (item,) = (await save(shop, {"cash": shop.money("9.90")}, payMinutes=5))["items"]
    _, token = await rich(shop)
    made = (await claim(shop, token, item["id"]))["claim"]
    assert (made["state"], made["redemption"]) == ("HELD", None)
    assert at(made["payBy"]) - at(made["claimedAt"]) == timedelta(minutes=5)
    told = {"claimId": made["id"], "amount": shop.money("9.90"), "reference": "wx-1"}
    short = await shop.refused("flashSaleClaimPay", **(told | {"amount": shop.money("9")}), idempotencyKey=key())
    assert (short["code"], short["field"], short["details"]) == (
        "PAYMENT_MISMATCH",
        ["amount"],
        {"due": 990, "paid": 900},
    )
    paid = await shop.do("flashSaleClaimPay", f"isRepeat {CLAIM}", **told, idempotencyKey=key())
    assert (paid["claim"]["state"], paid["claim"]["redemption"]["state"], paid["isRepeat"]) == (
        "CONFIRMED",
        "PAID",
        False,
    )
    assert paid["member"]["account"] == {"available": 990, "held": 0}
    assert (await shop.do("flashSaleClaimPay", "isRepeat", **told, idempotencyKey=key()))["isRepeat"] is True
    late = (await claim(shop, token, item["id"]))["claim"]
    shop.world.clock.ahead += timedelta(minutes=5)
    refused = await shop.refused("flashSaleClaimPay", **(told | {"claimId": late["id"]}), idempotencyKey=key())
    assert (refused["code"], set(refused["details"])) == ("CLAIM_LAPSED", {"payBy"})
    shown = "{ me { account { available held } claims { nodes { id state item { left } } } } }"
    me = (await shop.ask(shown, token))["me"]
    assert me["account"] == {"available": 990, "held": 0}
    states = [(node["id"], node["state"], node["item"]["left"]) for node in me["claims"]["nodes"]]
    assert states == [(late["id"], "LAPSED", 9), (made["id"], "CONFIRMED", 9)]


async def test_a_claim_is_given_up_by_its_member(shop: Shop) -> None:
    (item,) = (await save(shop, {"cash": shop.money("1")}))["items"]
    _, token = await rich(shop)
    _, stranger = await rich(shop)
    made = (await claim(shop, token, item["id"]))["claim"]
    told = {"claimId": made["id"], "idempotencyKey": key()}
    before = await kept(shop)
    assert (await shop.refused("flashSaleClaimRelease", stranger, **told))["code"] == "NOT_FOUND"
    assert await kept(shop) == before
    document = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await shop.ask(document, stranger, id=made["id"]))["node"] is None
    released = await shop.do("flashSaleClaimRelease", CLAIM, token, **told)
    assert (released["claim"]["state"], released["claim"]["item"]["left"]) == ("RELEASED", 10)
    assert released["member"]["account"] == {"available": 1_000, "held": 0}
    again = await shop.refused("flashSaleClaimRelease", token, **(told | {"idempotencyKey": key()}))
    assert (again["code"], again["details"]) == ("CLAIM_NOT_OPEN", {"state": "RELEASED"})


async def test_s8_a_tier_is_told_when_it_opens_for_it(shop: Shop) -> None:
    tier = (await shop.do("tierCreate", "tier { id }", name="Gold", rank=1, threshold=10**6))["tier"]["id"]
    sale = await save(
        shop,
        {"shares": [{"tierId": tier, "quantity": 2}]},
        startsAt=local("2027-03-04T20:10"),
        endsAt=local("2027-03-04T21:00"),
        headStarts=[{"tierId": tier, "minutes": 30}],
    )
    member, gold = await rich(shop)
    _, common = await rich(shop)
    given = {"member": {"id": member}, "tierId": tier, "until": "2027-12-31", "reason": "test"}
    await shop.do("memberTierSet", "member { id }", **given)
    early, late = at("2027-03-04T11:40:00Z"), at("2027-03-04T12:10:00Z")

    async def seen(token: str) -> tuple[Any, ...]:
        found = (await shop.ask(OF_SALE, token, id=sale["id"]))["flashSale"]
        judged = found["items"][0]["availability"]
        assert at(judged["opensAt"]) == at(found["round"]["opensAt"])
        assert at(found["round"]["opensForAllAt"]) == late
        codes = [obstacle["code"] for obstacle in judged["obstacles"]]
        return found["round"]["phase"], at(found["round"]["opensAt"]), judged["left"], judged["canClaim"], codes

    assert await seen(gold) == ("EARLY_ACCESS", early, 2, True, [])
    assert await seen(common) == ("UPCOMING", late, 0, False, ["NOT_STARTED"])
    item = sale["items"][0]["id"]
    refused = (await claim(shop, common, item))["userErrors"][0]
    assert (refused["code"], at(refused["details"]["opensAt"])) == ("NOT_STARTED", late)
    for _ in range(2):
        assert code_of(await claim(shop, gold, item)) is None
    assert await seen(gold) == ("SOLD_OUT", early, 0, False, ["SOLD_OUT"])
    named = await shop.ask(
        "query ($id: ID!, $who: MemberRef!) { flashSale(id: $id) { round(for: $who) { phase } } }",
        id=sale["id"],
        who={"id": member},
    )
    assert named["flashSale"]["round"] == {"phase": "SOLD_OUT"}
    shop.world.clock.ahead += timedelta(minutes=10)
    assert await seen(common) == ("OPEN", late, 8, True, [])


async def test_every_refusal_is_data_and_changes_nothing(shop: Shop) -> None:
    sale = await save(shop, {"stock": 2, "limitPerMember": 1}, {"points": 5_000}, {"stock": 0})
    scarce, dear, none = (item["id"] for item in sale["items"])
    (off,) = (await save(shop, isActive=False))["items"]
    (kept_out,) = (await save(shop, audience={"tags": ["vip"]}))["items"]
    (coming,) = (await save(shop, startsAt=local("2027-03-04T20:30")))["items"]
    member, token = await rich(shop)
    assert code_of(await claim(shop, token, scarce)) is None
    before = await kept(shop)
    for item, code in (
        (scarce, "LIMIT_REACHED"),
        (dear, "INSUFFICIENT_POINTS"),
        (none, "SOLD_OUT"),
        (off["id"], "FLASH_SALE_OFF"),
        (kept_out["id"], "NOT_ELIGIBLE"),
        (coming["id"], "NOT_STARTED"),
        (global_id("FlashSaleItem"), "NOT_FOUND"),
        (sale["id"], "NOT_FOUND"),
    ):
        assert code_of(await claim(shop, token, item)) == code
    assert code_of(await claim(shop, token, scarce, idempotencyKey="")) == "TEXT_INVALID"
    shop.world.clock.ahead += timedelta(hours=1)
    assert code_of(await claim(shop, shop.member_token(member), dear)) == "ENDED"
    assert await kept(shop) == before


async def test_what_is_wrong_with_a_sale_is_told_by_its_path(shop: Shop) -> None:
    item = {"rewardId": await shop.make_reward(1), "points": 0, "stock": 1}
    told = {"code": "a", "name": "A", "startsAt": local("2027-03-05T19:00"), "endsAt": local("2027-03-05T20:00")}
    before = await kept(shop)
    for given, code, path in (
        ({"items": [item]}, "POINTS_INVALID", ["items", "0", "points"]),
        ({"items": []}, "FLASH_SALE_INVALID", ["items"]),
        ({"items": [item | {"rewardId": "x"}]}, "NOT_FOUND", ["items", "rewardId"]),
        ({"items": [item] * 51}, "TOO_MANY", ["items"]),
        ({"items": [item | {"points": 1}], "endsAt": local("2027-03-05T18:00")}, "WINDOW_INVALID", ["endsAt"]),
    ):
        refused = await shop.refused("flashSaleSave", **(told | given))
        assert (refused["code"], refused["field"]) == (code, path)
    assert await kept(shop) == before
    running = await save(shop)
    again = {"code": running["code"], "items": [item | {"points": 1}]}
    moved = await shop.refused("flashSaleSave", **(told | again))
    assert (moved["code"], moved["details"]["until"]) == ("FLASH_SALE_RUNNING", "2027-03-04T21:00:00+08:00")


async def test_a_member_is_reminded_and_no_longer(shop: Shop) -> None:
    sale = await save(shop, startsAt=local("2027-03-04T20:30"))
    _, token = await rich(shop)
    shown = "query ($id: ID!) { flashSale(id: $id) { reminderMinutes } }"

    async def minutes() -> int | None:
        found: int | None = (await shop.ask(shown, token, id=sale["id"]))["flashSale"]["reminderMinutes"]
        return found

    assert await minutes() is None
    done = await shop.do("flashSaleRemind", "minutes member { id }", token, flashSaleId=sale["id"], minutes=20)
    assert (done["minutes"], await minutes()) == (20, 20)
    done = await shop.do("flashSaleRemind", "minutes", token, flashSaleId=sale["id"], isWanted=False)
    assert (done["minutes"], await minutes()) == (None, None)
    refused = await shop.refused("flashSaleRemind", token, flashSaleId=sale["id"], minutes=-1)
    assert (refused["code"], refused["field"]) == ("NUMBER_INVALID", ["minutes"])


async def test_statements_are_the_same_for_one_sale_and_for_many(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """And for however many items and claims they have."""
    _, token = await rich(shop)
    document = f"{{ flashSales {{ nodes {{ {SALE} }} }} me {{ claims {{ nodes {{ id item {{ left }} }} }} }} }}"
    counts = []
    for number in (1, 4):
        for _ in range(number):
            sale = await save(shop, *({} for _ in range(number)))
            for item in sale["items"]:
                await claim(shop, token, item["id"])
        with counted(monkeypatch) as statements:
            await shop.ask(document, token)
        counts.append(len(statements))
    assert counts == [12, 12]


# The gate.


@pytest_asyncio.fixture
async def gated(world_with_redis: World) -> Any:
    """A shop with Redis."""
    world_with_redis.clock.put("2027-03-04T20:00")
    yield await world_with_redis.open_shop()
    world_with_redis.clock.ahead = timedelta(0)


async def test_f2_late_callers_are_turned_away_and_let_in_as_soon_as_a_unit_is_back(
    gated: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, gates = gated, gated.world.backend.gates
    (item,) = (await save(shop, {"stock": 1, "cash": shop.money("1")}))["items"]
    (_, winner), (_, loser) = await rich(shop), await rich(shop)
    once = key()
    made = (await claim(shop, winner, item["id"], idempotencyKey=once))["claim"]
    assert code_of(await claim(shop, loser, item["id"])) == "SOLD_OUT"
    assert gates.turned_away == 0
    batches = shop.world.backend.engine.figures.batches
    with counted(monkeypatch) as statements:
        assert code_of(await claim(shop, loser, item["id"])) == "SOLD_OUT"
    # Whether its key did something before is all that PostgreSQL is asked.
    assert (gates.turned_away, len(statements)) == (1, 1)
    assert shop.world.backend.engine.figures.batches == batches
    # Who won and lost the answer is told it again.
    again = await claim(shop, winner, item["id"], idempotencyKey=once)
    assert (again["claim"]["id"], again["userErrors"]) == (made["id"], [])
    released = {"claimId": made["id"], "idempotencyKey": key()}
    await shop.do("flashSaleClaimRelease", "claim { state }", winner, **released)
    await asyncio.sleep(0.02)
    assert code_of(await claim(shop, loser, item["id"])) is None


async def test_f2_what_lapses_is_claimed_within_a_second_though_nobody_says_so(gated: Shop) -> None:
    shop = gated
    (item,) = (await save(shop, {"stock": 1, "cash": shop.money("1")}))["items"]
    (_, winner), (_, loser) = await rich(shop), await rich(shop)
    await claim(shop, winner, item["id"])
    assert code_of(await claim(shop, loser, item["id"])) == "SOLD_OUT"
    shop.world.clock.ahead += timedelta(minutes=15)
    started = time.perf_counter()
    while code_of(await claim(shop, loser, item["id"])) == "SOLD_OUT":  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    assert time.perf_counter() - started < 1
    assert shop.world.backend.gates.turned_away > 0


async def test_f4_a_share_that_is_gone_shuts_no_gate(gated: Shop) -> None:
    shop = gated
    tiers = [
        (await shop.do("tierCreate", "tier { id }", name=name, rank=rank, threshold=rank * 10**6))["tier"]["id"]
        for rank, name in ((1, "Gold"), (2, "Best"))
    ]
    (item,) = (
        await save(
            shop,
            {"stock": 2, "shares": [{"tierId": tier, "quantity": 1} for tier in tiers]},
            startsAt=local("2027-03-04T20:10"),
            headStarts=[{"tierId": tier, "minutes": 30} for tier in tiers],
        )
    )["items"]
    tokens = []
    for tier in tiers:
        member, token = await rich(shop)
        given = {"member": {"id": member}, "tierId": tier, "until": "2027-12-31", "reason": "test"}
        await shop.do("memberTierSet", "member { id }", **given)
        tokens.append(token)
    assert [code_of(await claim(shop, tokens[0], item["id"])) for _ in range(2)] == [None, "SOLD_OUT"]
    assert code_of(await claim(shop, tokens[1], item["id"])) is None
    assert shop.world.backend.gates.turned_away == 0


async def test_operators_see_who_may_do_what(shop: Shop) -> None:
    sale = await save(shop)
    clerk = await shop.make_operator(Role.CLERK)
    member, _ = await rich(shop)
    told = {"member": {"id": member}, "itemId": sale["items"][0]["id"], "idempotencyKey": key()}
    assert (await shop.do("flashSaleClaim", "claim { actor }", clerk, **told))["claim"]["actor"].startswith("operator:")
