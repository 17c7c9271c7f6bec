"""Lotteries the whole way: made, published, played, shown, closed, and verified by anybody."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.access import KeyKind, Role, Scope
from domain.lotteries.ending import EndLottery
from tests.api import statements
from tests.api.lottery_stage import NOTHING, POINTS, lottery, publish
from tests.api.shops import Shop, global_id, key, key_of
from tests.api.stages import kept

pytestmark = pytest.mark.asyncio

# What the verifiers in examples/ take; docs/lotteries.md tells it.
FOR_VERIFIERS = """query ($code: String!) { lottery(code: $code) { seed seedHash tableHash tableText
    draws(first: 100) { nodes { number clientSeed nonce among total point drawnCode prizeCode ticket } } } }"""
VERIFY = """query ($id: ID!) { drawVerify(id: $id) { message seed isSeed isTable isPoint isPrize isGenuine skipped
    draw { number prizeCode } } }"""
DRAWN = "draw { id number clientSeed prizeCode payment points pointsWon } member { account { available } } isReplay"


async def draw(shop: Shop, token: str, lottery_id: str, **told: Any) -> Any:
    """A member draws for itself."""
    given = {"lotteryId": lottery_id, "idempotencyKey": key(), **told}
    return await shop.do("lotteryDraw", DRAWN, token, **given)


def verify(path: Path) -> tuple[int, list[str]]:
    """What the program of nobody's says of a file: its exit status and its lines."""
    program = Path(__file__).parents[2] / "examples" / "verify_draw.py"
    done = subprocess.run([sys.executable, program, path], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


async def player(shop: Shop, points: int = 1_000, external_id: str = "m-1") -> tuple[str, str]:
    """A member with points, and its token."""
    member = await shop.enroll(external_id)
    await shop.grant(member, points)
    return member, shop.member_token(member)


SHOWN = """query { lottery(code: "spring") { name points limits { period draws } stockOut fallback guaranteeEvery
    schedule { weekdays } audience { withoutTags } seed seedHash closedAt drawCount ticketCount
    prizes { code rank weight stock dailyStock left leftToday won value { amount } prize { kind points } }
    odds { code weight total probability } } lotteries { nodes { code } } }"""


def shown_prize(told: dict[str, Any], value: str, **left: Any) -> dict[str, Any]:
    """A prize as it is shown before anybody drew."""
    prize = {"points": 0, **told["prize"]}
    rest = {"stock": None, "dailyStock": None, "left": None, "leftToday": None, "won": 0, **left}
    return (
        {"code": told["code"], "rank": told.get("rank", 0), "weight": told["weight"], "prize": prize}
        | rest
        | {"value": {"amount": value}}
    )


async def test_a_lottery_is_made_published_and_shown(shop: Shop) -> None:
    """With its odds, and what is left of every prize. A draft is staff's own."""
    terms = {
        "limits": [{"period": "DAY", "draws": 3}],
        "schedule": {"weekdays": [1, 2, 3, 4, 5, 6, 7]},
        "audience": {"withoutTags": ["banned"]},
    }
    stocked = {**POINTS, "stock": 5, "dailyStock": 2, "value": shop.money("1")}
    told = lottery(stocked, NOTHING, code="spring", guaranteeEvery=10, guaranteeRank=1, **terms)
    made = (await shop.do("lotterySave", "lottery { id publishedAt seedHash }", **told))["lottery"]
    assert (made["publishedAt"], made["seedHash"]) == (None, None)
    _, token = await player(shop)
    for other in (token, shop.publishable):
        assert await shop.ask(SHOWN, other) == {"lottery": None, "lotteries": {"nodes": []}}
    assert (await shop.ask(SHOWN))["lottery"]["odds"][0]["probability"] == "0.100000000000"
    await shop.do("lotteryPublish", "lottery { id }", lotteryId=made["id"])
    found = (await shop.ask(SHOWN, shop.publishable))["lottery"]
    assert len(found.pop("seedHash")) == 64
    assert found.pop("prizes") == [
        shown_prize(POINTS, "1.00", stock=5, dailyStock=2, left=5, leftToday=2),
        shown_prize(NOTHING, "0.00"),
    ]
    assert found.pop("odds") == [
        {"code": "points", "weight": 1, "total": 10, "probability": "0.100000000000"},
        {"code": "none", "weight": 9, "total": 10, "probability": "0.900000000000"},
    ]
    assert found == terms | {
        "name": "Spring draw",
        "points": 1,
        "stockOut": "RENORMALISE",
        "fallback": None,
        "guaranteeEvery": 10,
        "seed": None,
        "closedAt": None,
        "drawCount": 0,
        "ticketCount": 0,
    }


async def test_d2_a_member_draws_and_the_same_key_gives_the_same_prize(shop: Shop) -> None:
    _, token = await player(shop)
    lottery_id = await publish(shop, {**POINTS, "weight": 1}, freePerDay=1)
    first = await draw(shop, token, lottery_id, clientSeed="lucky", idempotencyKey="once")
    assert first["draw"]["clientSeed"] == "lucky"
    assert (first["draw"]["payment"], first["draw"]["pointsWon"], first["isReplay"]) == ("FREE", 10, False)
    again = await draw(shop, token, lottery_id, clientSeed="lucky", idempotencyKey="once")
    assert (again["draw"], again["isReplay"]) == (first["draw"], True)
    other = {"lotteryId": lottery_id, "clientSeed": "other", "idempotencyKey": "once"}
    assert (await shop.refused("lotteryDraw", token, **other))["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    assert first["member"]["account"]["available"] == 1_010


STANDING = """query ($for: MemberRef) { lottery(code: "spring") { standing(for: $for) { freeLeft chances wonChances
    limits { period draws left } drawsToGuarantee played tickets wins points canPlay obstacles { code details } } } }"""
STANDS: dict[str, Any] = {
    "freeLeft": 1,
    "chances": 1,
    "wonChances": 0,
    "limits": [{"period": "DAY", "draws": 3, "left": 3}],
    "drawsToGuarantee": 3,
    "played": 0,
    "tickets": 0,
    "wins": 0,
    "points": 0,
    "canPlay": True,
    "obstacles": [],
}


async def test_where_a_member_stands(shop: Shop) -> None:
    """Free draws, chances, limits left, the guarantee, and all that is in the way."""
    member, token = await player(shop, 2)
    terms = {"points": 5, "freePerDay": 1, "limits": [{"period": "DAY", "draws": 3}]}
    rare = {**NOTHING, "weight": 10**9}
    told = {"code": "spring", "guaranteeEvery": 3, "guaranteeRank": 1, **terms}
    lottery_id = await publish(shop, {**POINTS, "weight": 1}, rare, **told)
    chance = {"member": {"id": member}, "lotteryId": lottery_id, "chances": 1, "reason": "a task"}
    given = await shop.do("lotteryChanceGrant", "chances member { id }", **chance, idempotencyKey=key())
    assert given == {"chances": 1, "member": {"id": member}, "userErrors": []}
    assert (await shop.ask(STANDING, token))["lottery"]["standing"] == STANDS
    assert (await shop.ask(STANDING, **{"for": {"id": member}}))["lottery"]["standing"] == STANDS
    assert (await shop.ask(STANDING, shop.publishable))["lottery"]["standing"] is None
    for _ in range(2):
        await draw(shop, token, lottery_id)
    assert (await shop.ask(STANDING, token))["lottery"]["standing"] == {
        **STANDS,
        "freeLeft": 0,
        "chances": 0,
        "limits": [{"period": "DAY", "draws": 3, "left": 1}],
        "drawsToGuarantee": 1,
        "played": 2,
        "points": 5,
        "canPlay": False,
        "obstacles": [{"code": "INSUFFICIENT_POINTS", "details": {"required": 5, "available": 2}}],
    }
    await shop.grant(member, 100)
    last = await draw(shop, token, lottery_id)
    assert (last["draw"]["prizeCode"], last["draw"]["payment"]) == ("points", "POINTS")
    refused = await shop.refused("lotteryDraw", token, lotteryId=lottery_id, idempotencyKey=key())
    assert (refused["code"], refused["details"]["period"]) == ("LIMIT_REACHED", "day")
    assert refused["message"] == "A member may play 3 times in the day; this one has 3 times and asks for 1."


async def test_d4_the_seed_is_told_when_the_lottery_is_closed_and_never_before(shop: Shop) -> None:
    """Not by any field, to any caller, nor kept anywhere that is told of."""
    _, token = await player(shop)
    lottery_id = await publish(shop, code="spring")
    drawn = (await draw(shop, token, lottery_id))["draw"]
    seed = (await kept(shop))["lottery_seeds"][0].rpartition(",")[2].rstrip(")")
    assert len(seed) == 64
    callers = (shop.secret, shop.publishable, token, await shop.make_operator(Role.OWNER))
    for caller in callers:
        assert (await shop.ask('{ lottery(code: "spring") { seed } }', caller))["lottery"]["seed"] is None
        verified = (await shop.ask(VERIFY, caller, id=drawn["id"]))["drawVerify"]
        assert (verified["seed"], verified["isGenuine"]) == (None, None)
        node = await shop.ask("query ($id: ID!) { node(id: $id) { id } }", caller, id=global_id("LotterySeed"))
        assert node["node"] is None
    everything = await kept(shop)
    assert [name for name, found in everything.items() if seed in str(found)] == ["lottery_seeds"]
    await shop.do("lotteryClose", "lottery { seed }", lotteryId=lottery_id, reason="test")
    for caller in callers:
        assert (await shop.ask('{ lottery(code: "spring") { seed } }', caller))["lottery"]["seed"] == seed
    refused = await shop.refused("lotteryDraw", token, lotteryId=lottery_id, idempotencyKey=key())
    assert refused["code"] == "LOTTERY_NOT_OPEN"


async def test_d4_when_it_is_over_and_nobody_closed_it_yet_the_seed_is_still_secret(shop: Shop) -> None:
    """A process whose clock is late could still draw by a seed that another told."""
    ends_at = (shop.world.clock() + timedelta(hours=1)).isoformat()
    await publish(shop, code="spring", endsAt=ends_at)
    shop.world.clock.ahead = timedelta(hours=2)
    assert (await shop.ask('{ lottery(code: "spring") { seed } }'))["lottery"]["seed"] is None
    shop.world.clock.ahead = timedelta(0)


async def test_d4_anybody_verifies_every_draw(shop: Shop, tmp_path: Path) -> None:
    """By our query, and by a program that needs nothing of ours and takes what the contract shows."""
    member, token = await player(shop)
    told = {"code": "spring", "guaranteeEvery": 4, "guaranteeRank": 1, "freePerDay": 3}
    lottery_id = await publish(shop, {**POINTS, "stock": 3}, {**POINTS, "code": "more"}, NOTHING, **told)
    drawn = [(await draw(shop, token, lottery_id, clientSeed=f"幸运:{number}"))["draw"] for number in range(20)]
    await shop.do("lotteryClose", "lottery { id }", lotteryId=lottery_id, reason="test")
    for each in drawn:
        verified = (await shop.ask(VERIFY, shop.publishable, id=each["id"]))["drawVerify"]
        assert verified["draw"] == {"number": each["number"], "prizeCode": each["prizeCode"]}
        answers = [verified[name] for name in ("isSeed", "isTable", "isPoint", "isPrize", "isGenuine")]
        assert answers == [True] * 5
    shown = await shop.ask(FOR_VERIFIERS, shop.publishable, code="spring")
    path = tmp_path / "lottery.json"
    path.write_text(json.dumps(shown["lottery"]), encoding="utf-8")
    code, lines = verify(path)
    assert (code, lines[-1], len(lines)) == (0, "Everything agrees.", 21)
    assert (await shop.ask(VERIFY, id=global_id("Draw")))["drawVerify"] is None
    assert (await shop.ask(VERIFY, id=member))["drawVerify"] is None


async def test_a_ticketed_lottery_from_its_tickets_to_its_winners(shop: Shop) -> None:
    members = [await player(shop, external_id=f"m-{number}") for number in range(4)]
    ends_at = (shop.world.clock() + timedelta(hours=1)).isoformat()
    raffle = await publish(shop, {**POINTS, "stock": 2}, code="raffle", kind="TICKETED", points=5, endsAt=ends_at)
    first = 1
    for _, token in members:
        given = {"lotteryId": raffle, "count": 3, "idempotencyKey": key()}
        taken = await shop.do("lotteryTicketsTake", "first count member { account { available } }", token, **given)
        assert (taken["first"], taken["count"], taken["member"]["account"]["available"]) == (first, 3, 985)
        first += 3
    shop.world.clock.ahead = timedelta(hours=2)
    given = {"lotteryId": raffle, "idempotencyKey": key()}
    # Old tokens are over too.
    refused = await shop.refused("lotteryTicketsTake", member={"externalId": "m-1"}, **given)
    assert refused["code"] == "LOTTERY_NOT_OPEN"
    for step in (1, 2, 3):
        await shop.world.execute(EndLottery(lottery_id=key_of(raffle), step=step), shop.program_id)
    found = (await shop.ask(FOR_VERIFIERS, code="raffle"))["lottery"]
    assert len(found["seed"]) == 64
    assert [node["prizeCode"] for node in found["draws"]["nodes"]] == ["points", "points"]
    document = """{ lottery(code: "raffle") { drawCount ticketCount audit { draws } odds { code }
        draws { nodes { id ticket member { externalId } } } } }"""
    shown = (await shop.ask(document))["lottery"]
    assert (shown["drawCount"], shown["ticketCount"], shown["audit"], shown["odds"]) == (2, 12, None, [])
    for node in shown["draws"]["nodes"]:
        verified = (await shop.ask(VERIFY, id=node["id"]))["drawVerify"]
        assert verified["isGenuine"] is True
        assert node["member"]["externalId"] == f"m-{(node['ticket'] - 1) // 3}"
    winner = shown["draws"]["nodes"][0]["member"]["externalId"]
    own = """query ($id: String!) { member(ref: {externalId: $id}) {
        draws { nodes { prizeCode } } lotteryTickets(first: 2) { nodes { number payment points } } } }"""
    mine = (await shop.ask(own, id=winner))["member"]
    assert mine["draws"]["nodes"] == [{"prizeCode": "points"}]
    assert [node["payment"] for node in mine["lotteryTickets"]["nodes"]] == ["POINTS"] * 2
    shop.world.clock.ahead = timedelta(0)


async def test_draws_are_public_and_name_nobody(shop: Shop) -> None:
    """Who it was is for the member and for the shop."""
    member, token = await player(shop)
    _, other = await player(shop, external_id="m-2")
    lottery_id = await publish(shop, {**POINTS}, code="spring")
    await draw(shop, token, lottery_id)
    document = """{ lottery(code: "spring") { draws { nodes { number prizeCode member { id } voucher { id }
        redemption { id } } } } }"""
    nothing = {"voucher": None, "redemption": None}
    for caller, who in (
        (shop.secret, {"id": member}),
        (token, {"id": member}),
        (other, None),
        (shop.publishable, None),
    ):
        (node,) = (await shop.ask(document, caller))["lottery"]["draws"]["nodes"]
        assert node == {"number": 1, "prizeCode": "points", "member": who, **nothing}


async def test_d1_the_audit_is_shown_to_staff(shop: Shop) -> None:
    _, token = await player(shop)
    lottery_id = await publish(shop, {**POINTS, "weight": 1}, {**NOTHING, "weight": 1}, code="spring")
    for _ in range(40):
        await draw(shop, token, lottery_id)
    document = '{ lottery(code: "spring") { audit { draws prizes { code expected observed } freedom pValue } } }'
    audit = (await shop.ask(document))["lottery"]["audit"]
    assert (audit["draws"], audit["freedom"]) == (40, 1)
    assert [each["expected"] for each in audit["prizes"]] == [20.0, 20.0]
    assert sum(each["observed"] for each in audit["prizes"]) == 40
    assert 1e-6 < audit["pValue"] <= 1
    assert await shop.error(document, token) == "FORBIDDEN"


async def test_d5_only_who_may_says_that_an_item_is_worth_more_than_the_cap(shop: Shop) -> None:
    reward = await shop.make_reward(10)
    car = {
        "code": "car",
        "name": "Car",
        "rank": 5,
        "prize": {"kind": "ITEM", "rewardId": reward},
        "value": shop.money("50000.01"),
    }
    refused = await shop.refused("lotterySave", **lottery(car))
    assert (refused["code"], refused["field"]) == ("PRIZE_ABOVE_CAP", ["prizes", "0", "value"])
    assert refused["details"] == {"prize": "car", "value": 5_000_001, "valueMax": 5_000_000}
    document = "mutation ($input: LotterySaveInput!) { lotterySave(input: $input) { userErrors { code } } }"
    rest = await shop.make_key(KeyKind.SECRET, tuple(set(Scope) - {Scope.PRIZES_ABOVE_CAP}))
    manager, owner = await shop.make_operator(Role.MANAGER), await shop.make_operator(Role.OWNER)
    for token in (rest, manager):
        assert await shop.error(document, token, input=lottery(car, exceedsCap=True)) == "FORBIDDEN"
    assert await shop.ask(document, manager, input=lottery()) == {"lotterySave": {"userErrors": []}}
    made = await shop.do("lotterySave", "lottery { prizes { exceedsCapBy } }", owner, **lottery(car, exceedsCap=True))
    assert made["lottery"]["prizes"][0]["exceedsCapBy"].startswith("operator:")
    await shop.do("programUpdate", "program { prizeValueMax { amount } }", prizeValueMax=shop.money("60000"))
    await shop.do("lotterySave", "lottery { id }", manager, **lottery(car))


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        ({"points": 0}, "POINTS_INVALID", ["points"]),
        ({"code": "a b"}, "LOTTERY_INVALID", ["code"]),
        ({"prizes": []}, "LOTTERY_INVALID", ["prizes"]),
        ({"prizes": [{**NOTHING, "weight": 0}]}, "NUMBER_INVALID", ["prizes", "0", "weight"]),
        (
            {"prizes": [NOTHING, {**NOTHING, "prize": {"kind": "ITEM", "rewardId": "x"}}]},
            "NOT_FOUND",
            ["prizes", "1", "prize", "rewardId"],
        ),
        ({"prizes": [NOTHING] * 51}, "TOO_MANY", ["prizes"]),
        ({"kind": "TICKETED"}, "LOTTERY_INVALID", ["endsAt"]),
        ({"schedule": {"weekdays": [8]}}, "NUMBER_INVALID", ["schedule", "weekdays"]),
    ],
)
async def test_impossible_lotteries_are_refused(shop: Shop, told: dict[str, Any], code: str, field: list[str]) -> None:
    """And nothing is made."""
    refused = await shop.refused("lotterySave", **{**lottery(), **told})
    assert (refused["code"], refused["field"]) == (code, field)
    assert (await shop.ask("{ lotteries { nodes { id } } }"))["lotteries"]["nodes"] == []


async def test_prizes_of_other_features_may_be_chances(shop: Shop) -> None:
    """As a prize of a lottery a chance is one in the same lottery."""
    lottery_id = await publish(shop, code="spring")
    again = {"code": "again", "name": "Again", "rank": 1, "prize": {"kind": "CHANCE", "chances": 1}}
    await publish(shop, again)
    elsewhere = {**again, "prize": {"kind": "CHANCE", "chances": 1, "lotteryId": lottery_id}}
    refused = await shop.refused("lotterySave", **lottery(elsewhere))
    assert (refused["code"], refused["field"]) == ("PRIZE_INVALID", ["prizes", "0", "prize", "lotteryId"])


async def test_what_is_shown_of_many_lotteries_takes_as_many_statements_as_of_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Odds, stocks, draws, audits and where the member stands."""
    member, token = await player(shop)
    document = """query ($for: MemberRef) { lotteries(first: 10) { nodes { code seed audit { pValue }
        prizes { left } odds { probability } standing(for: $for) { canPlay drawsToGuarantee }
        draws(first: 5) { nodes { prizeCode member { externalId } } } } } }"""
    counts = []
    for number in range(4):
        lottery_id = await publish(shop, code=f"l{number}")
        await draw(shop, token, lottery_id)
        if number in (0, 3):
            with statements.counted(monkeypatch) as seen:
                found = await shop.ask(document, **{"for": {"id": member}})
            assert len(found["lotteries"]["nodes"]) == number + 1
            counts.append(len(seen))
    assert counts == [8, 8]
    own = "query ($id: ID!) { member(ref: {id: $id}) { draws { nodes { lottery { code } prizeCode } } } }"
    with statements.counted(monkeypatch) as seen:
        found = await shop.ask(own, id=member)
    assert [node["lottery"]["code"] for node in found["member"]["draws"]["nodes"]] == ["l3", "l2", "l1", "l0"]
    assert len(seen) == 3
