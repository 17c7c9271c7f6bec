"""Points through the API: moved by hand, between members and by holds, and shown as they stand now."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.points.reading import WITHIN_DAYS_MAX
from tests.api.shops import Shop, World, global_id, key

pytestmark = pytest.mark.asyncio

ACCOUNT = "account { available pending held debt }"
LEDGER = """query ($id: ID!, $first: Int! = 100) { member(ref: {id: $id}) {
    account { available pending held debt lifetimeExpired lifetimeSpent }
    pointTransactions(first: $first) { nodes { sequence kind amount availableAfter sourceType reason rule } }
    lots(first: $first) { nodes { id amount remaining held state expiresAt sourceType } }
    holds(first: $first) { nodes { id state amount reference } }
    expiringPoints(within: 400) { expiresAt points } } }"""


async def ledger(shop: Shop, member: str) -> dict[str, Any]:
    """All there is to see of a member's points."""
    found: dict[str, Any] = (await shop.ask(LEDGER, id=member))["member"]
    return found


async def test_points_are_adjusted_with_a_reason(shop: Shop) -> None:
    """Up and down; the transaction says so."""
    member = await shop.enroll()
    given = {"member": {"externalId": "m-1"}, "points": 100, "reason": "sorry", "idempotencyKey": key()}
    selection = f"member {{ id {ACCOUNT} }} transaction {{ kind amount availableAfter reason sequence actor }}"
    up = await shop.do("pointsAdjust", selection, **given)
    assert up["member"] == {"id": member, "account": {"available": 100, "pending": 0, "held": 0, "debt": 0}}
    transaction = up["transaction"]
    assert transaction.pop("actor").startswith("secret_key:")
    assert transaction == {"kind": "ADJUST", "amount": 100, "availableAfter": 100, "reason": "sorry", "sequence": 1}
    down = await shop.do("pointsAdjust", selection, **(given | {"points": -30, "idempotencyKey": key()}))
    assert (down["transaction"]["amount"], down["transaction"]["availableAfter"]) == (-30, 70)


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        ({"points": 0}, "POINTS_INVALID", ["points"]),
        ({"points": -101}, "INSUFFICIENT_POINTS", None),
        ({"points": 2**53 - 1}, "POINTS_OVERFLOW", None),
        ({"reason": ""}, "TEXT_INVALID", ["reason"]),
        ({"reason": "x" * 501}, "TEXT_INVALID", ["reason"]),
        ({"member": {"id": global_id("Member")}}, "NOT_FOUND", None),
        ({"member": {"phone": "+8613812345678"}}, "NOT_FOUND", ["member", "phone"]),
        ({"idempotencyKey": " "}, "TEXT_INVALID", ["idempotencyKey"]),
    ],
)
async def test_impossible_adjustments_are_refused(
    shop: Shop, told: dict[str, Any], code: str, field: list[str] | None
) -> None:
    """And change nothing."""
    member = await shop.enroll()
    await shop.grant(member, 100)
    before = await ledger(shop, member)
    given = {"member": {"id": member}, "points": 1, "reason": "test", "idempotencyKey": key()} | told
    refused = await shop.refused("pointsAdjust", **given)
    assert (refused["code"], refused["field"]) == (code, field)
    assert await ledger(shop, member) == before


@pytest.mark.parametrize("points", [2**53, -(2**53), 1.0, 1.5, "1", True, None, 10**30])
async def test_points_are_exact_integers(shop: Shop, points: object) -> None:
    """A float, a string and what JSON readers would round are bad input."""
    member = await shop.enroll()
    document = "mutation ($input: PointsAdjustInput!) { pointsAdjust(input: $input) { userErrors { code } } }"
    given = {"member": {"id": member}, "points": points, "reason": "test", "idempotencyKey": key()}
    assert await shop.bad_input(document, input=given)
    assert (await ledger(shop, member))["pointTransactions"]["nodes"] == []


async def test_refusals_carry_their_numbers(shop: Shop) -> None:
    """In camel case, and in the message."""
    member = await shop.enroll()
    await shop.grant(member, 100)
    given = {"member": {"id": member}, "points": -101, "reason": "test", "idempotencyKey": key()}
    assert await shop.refused("pointsAdjust", **given) == {
        "code": "INSUFFICIENT_POINTS",
        "message": "This needs 101 points; 100 are available.",
        "field": None,
        "details": {"required": 101, "available": 100},
    }
    given["points"] = 0
    assert (await shop.refused("pointsAdjust", **given))["details"] == {
        "name": "points",
        "points": 0,
        "pointsMin": 1,
        "pointsMax": 2**53 - 1,
    }


async def test_the_same_key_moves_points_once(shop: Shop) -> None:
    """A replay shows the member as it stands now; a refused call does not burn its key (L11)."""
    member = await shop.enroll()
    given = {"member": {"id": member}, "points": -50, "reason": "test", "idempotencyKey": "adjust-1"}
    assert (await shop.refused("pointsAdjust", **given))["code"] == "INSUFFICIENT_POINTS"
    await shop.grant(member, 100)
    selection = f"isReplay transaction {{ id }} member {{ {ACCOUNT} }}"
    first = await shop.do("pointsAdjust", selection, **given)
    await shop.grant(member, 7)
    again = await shop.do("pointsAdjust", selection, **given)
    assert (first["isReplay"], again["isReplay"]) == (False, True)
    assert again["transaction"] == first["transaction"]
    assert (first["member"]["account"]["available"], again["member"]["account"]["available"]) == (50, 57)
    refused = await shop.refused("pointsAdjust", **(given | {"points": -49}))
    assert refused["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    assert (await shop.account(member))["available"] == 57


async def test_points_are_given_from_one_member_to_another(shop: Shop) -> None:
    """Both are shown with what they have after it."""
    sender, recipient = await shop.enroll("m-1"), await shop.enroll("m-2")
    await shop.grant(sender, 100)
    given = {
        "sender": {"externalId": "m-1"},
        "recipient": {"id": recipient},
        "points": 30,
        "reason": "gift",
        "idempotencyKey": key(),
    }
    selection = """sender { account { available } } recipient { account { available } }
        outgoing { kind amount } incoming { kind amount }"""
    payload = await shop.do("pointsTransfer", selection, **given)
    assert payload == {
        "sender": {"account": {"available": 70}},
        "recipient": {"account": {"available": 30}},
        "outgoing": {"kind": "TRANSFER_OUT", "amount": -30},
        "incoming": {"kind": "TRANSFER_IN", "amount": 30},
        "userErrors": [],
    }
    for told, code in (
        ({"points": 0}, "POINTS_INVALID"),
        ({"points": -1}, "POINTS_INVALID"),
        ({"points": 71}, "INSUFFICIENT_POINTS"),
        ({"recipient": {"id": sender}}, "TRANSFER_TO_SELF"),
        ({"recipient": {"id": global_id("Member")}}, "NOT_FOUND"),
    ):
        refused = await shop.refused("pointsTransfer", **(given | {"idempotencyKey": key()} | told))
        assert refused["code"] == code
    assert [(await shop.account(member))["available"] for member in (sender, recipient)] == [70, 30]


async def test_a_hold_is_captured_in_part(shop: Shop) -> None:
    """The rest is released; again it is no longer open."""
    member = await shop.enroll()
    await shop.grant(member, 100)
    given = {"member": {"id": member}, "points": 60, "reference": "cart 7", "idempotencyKey": key()}
    selection = f"hold {{ id state amount captured reference }} member {{ {ACCOUNT} }}"
    held = await shop.do("pointsHold", selection, **given)
    assert held["member"]["account"] == {"available": 40, "pending": 0, "held": 60, "debt": 0}
    hold = held["hold"]
    assert hold == {"id": hold["id"], "state": "HELD", "amount": 60, "captured": 0, "reference": "cart 7"}
    nodes = (await ledger(shop, member))["holds"]["nodes"]
    assert nodes == [{"id": hold["id"], "state": "HELD", "amount": 60, "reference": "cart 7"}]
    more = {"holdId": hold["id"], "points": 61, "idempotencyKey": key()}
    assert (await shop.refused("pointsCapture", **more))["code"] == "POINTS_INVALID"
    captured = await shop.do("pointsCapture", selection, **(more | {"points": 50}))
    assert captured["hold"] == hold | {"state": "CAPTURED", "captured": 50}
    assert captured["member"]["account"] == {"available": 50, "pending": 0, "held": 0, "debt": 0}
    refused = await shop.refused("pointsRelease", holdId=hold["id"], idempotencyKey=key())
    assert (refused["code"], refused["details"]) == ("HOLD_NOT_OPEN", {"state": "CAPTURED"})
    assert (await ledger(shop, member))["holds"]["nodes"] == []


async def test_a_hold_is_released(shop: Shop) -> None:
    """And the points are available again."""
    member = await shop.enroll()
    await shop.grant(member, 100)
    held = await shop.do("pointsHold", "hold { id }", member={"id": member}, points=60, idempotencyKey=key())
    selection = f"hold {{ state }} member {{ {ACCOUNT} }}"
    released = await shop.do("pointsRelease", selection, holdId=held["hold"]["id"], idempotencyKey=key())
    assert released["hold"] == {"state": "RELEASED"}
    assert released["member"]["account"] == {"available": 100, "pending": 0, "held": 0, "debt": 0}


@pytest.mark.parametrize(
    ("name", "told", "code"),
    [
        ("pointsHold", {"points": 0}, "POINTS_INVALID"),
        ("pointsHold", {"points": -5}, "POINTS_INVALID"),
        ("pointsHold", {"points": 101}, "INSUFFICIENT_POINTS"),
        ("pointsHold", {"minutes": 0}, "NUMBER_INVALID"),
        ("pointsHold", {"minutes": 43_201}, "NUMBER_INVALID"),
        ("pointsHold", {"reference": ""}, "TEXT_INVALID"),
        ("pointsCapture", {"holdId": global_id("Hold")}, "NOT_FOUND"),
        ("pointsCapture", {"holdId": global_id("Lot")}, "NOT_FOUND"),
        ("pointsRelease", {"holdId": "nothing"}, "NOT_FOUND"),
    ],
)
async def test_impossible_holds_are_refused(shop: Shop, name: str, told: dict[str, Any], code: str) -> None:
    """And change nothing."""
    member = await shop.enroll()
    await shop.grant(member, 100)
    before = await ledger(shop, member)
    given = {"member": {"id": member}, "points": 1} if name == "pointsHold" else {}
    assert (await shop.refused(name, **(given | told | {"idempotencyKey": key()})))["code"] == code
    assert await ledger(shop, member) == before


# What the clock does is shown even if no job has done it (L5).


async def test_an_expired_lot_never_counts(world: World) -> None:
    """Figures, lots and buckets are those of now, though nothing has run."""
    shop = await world.open_shop()
    await shop.do("programUpdate", "program { id }", expiry={"kind": "DAYS", "count": 30})
    member = await shop.enroll()
    await shop.grant(member, 100)
    world.clock.ahead = timedelta(days=10)
    await shop.grant(member, 40)
    before = await ledger(shop, member)
    assert [bucket["points"] for bucket in before["expiringPoints"]] == [100, 40]
    assert [lot["remaining"] for lot in before["lots"]["nodes"]] == [100, 40]
    world.clock.ahead = timedelta(days=31, hours=1)
    after = await ledger(shop, member)
    assert after["account"] == before["account"] | {"available": 40, "lifetimeExpired": 100}
    assert after["lots"]["nodes"] == before["lots"]["nodes"][1:]
    assert after["expiringPoints"] == before["expiringPoints"][1:]
    # Nothing was written: the transactions are those that the engine knows of.
    assert after["pointTransactions"] == before["pointTransactions"]
    world.clock.ahead = timedelta(days=60)
    assert (await ledger(shop, member))["account"]["available"] == 0
    many = await shop.ask("{ members { nodes { account { available } } } }")
    assert many["members"]["nodes"] == [{"account": {"available": 0}}]


async def test_pending_points_become_available_by_the_clock(world: World) -> None:
    """And pay what is owed before they can be spent."""
    shop = await world.open_shop()
    await shop.do("programUpdate", "program { id }", pending={"kind": "AFTER", "days": 7})
    member = await shop.enroll()
    bought = await shop.buy(member, "100")
    assert bought["member"]["account"] == {"available": 0, "pending": 100, "debt": 0}
    world.clock.ahead = timedelta(days=7, minutes=1)
    account = await shop.account(member)
    assert (account["available"], account["pending"], account["qualifyingPoints"]) == (100, 0, 100)


async def test_a_lapsed_hold_is_no_longer_held(world: World) -> None:
    """Its points are available, and it is not among the open ones."""
    shop = await world.open_shop()
    member = await shop.enroll()
    await shop.grant(member, 100)
    await shop.do("pointsHold", "hold { id }", member={"id": member}, points=60, minutes=5, idempotencyKey=key())
    world.clock.ahead = timedelta(minutes=6)
    found = await ledger(shop, member)
    assert (found["account"]["available"], found["account"]["held"]) == (100, 0)
    assert found["holds"]["nodes"] == []


async def test_an_answer_shows_a_repeated_purchase_with_the_figures_of_now(world: World) -> None:
    """Even if a lot has expired since it was recorded."""
    shop = await world.open_shop()
    await shop.do("programUpdate", "program { id }", expiry={"kind": "DAYS", "count": 1})
    member = await shop.enroll()
    given = {"external_id": "o-1", "occurredAt": None}
    assert (await shop.buy(member, "100", **given))["member"]["account"]["available"] == 100
    world.clock.ahead = timedelta(days=3)
    again = await shop.buy(member, "100", **given)
    assert (again["isRepeat"], again["member"]["account"]["available"]) == (True, 0)


async def test_reading_beside_writing_sees_one_instant(world: World) -> None:
    """A ledger that the clock has work on is settled from rows of one snapshot, whatever is written meanwhile."""
    shop = await world.open_shop()
    await shop.do("programUpdate", "program { id }", expiry={"kind": "DAYS", "count": 1})
    member = await shop.enroll()
    document = "query ($id: ID!) { member(ref: {id: $id}) { lots(first: 100) { nodes { remaining held } } } }"

    async def write(number: int) -> None:
        world.clock.ahead += timedelta(hours=5)
        await shop.grant(member, number)
        hold = {"member": {"id": member}, "points": number, "minutes": 60, "idempotencyKey": key()}
        await shop.do("pointsHold", "hold { id }", **hold)

    async def read() -> None:
        for _ in range(20):
            lots = (await shop.ask(document, id=member))["member"]["lots"]["nodes"]
            assert all(0 <= lot["held"] <= lot["remaining"] for lot in lots)

    async def write_all() -> None:
        for number in range(1, 20):
            await write(number)

    await asyncio.gather(write_all(), read(), read())
    world.clock.ahead += timedelta(days=3)
    assert (await shop.account(member))["available"] == 0


async def test_mutations_of_one_document_each_show_what_they_left(shop: Shop) -> None:
    """What the first one read is not what the second one shows."""
    member = await shop.enroll()
    document = """mutation ($a: PointsAdjustInput!, $b: MemberUpdateInput!, $c: PointsAdjustInput!) {
        a: memberUpdate(input: $b) { member { account { available } } }
        b: pointsAdjust(input: $a) { member { id } }
        c: memberUpdate(input: $b) { member { account { available } } }
        d: pointsAdjust(input: $c) { member { name account { available } } } }"""
    move = {"member": {"id": member}, "points": 5, "reason": "test"}
    answer = await shop.ask(
        document,
        a=move | {"idempotencyKey": "a"},
        b={"member": {"id": member}, "name": "Li"},
        c=move | {"idempotencyKey": "c"},
    )
    assert [answer[name]["member"].get("account") for name in "abcd"] == [
        {"available": 0},
        None,
        {"available": 5},
        {"available": 10},
    ]
    assert answer["d"]["member"]["name"] == "Li"


async def test_buckets_reach_as_far_as_they_are_asked_for(world: World) -> None:
    """In local days, the last inclusive."""
    shop = await world.open_shop()
    await shop.do("programUpdate", "program { id }", expiry={"kind": "DAYS", "count": 30})
    member = await shop.enroll()
    await shop.grant(member, 100)
    document = (
        "query ($id: ID!, $within: Int!) { member(ref: {id: $id}) { expiringPoints(within: $within) { points } } }"
    )
    for within, points in ((29, []), (30, [100]), (WITHIN_DAYS_MAX, [100])):
        found = (await shop.ask(document, id=member, within=within))["member"]["expiringPoints"]
        assert [bucket["points"] for bucket in found] == points
    for within in (0, -1, WITHIN_DAYS_MAX + 1):
        assert await shop.error(document, id=member, within=within) == "BAD_USER_INPUT"


async def test_lots_come_in_the_order_in_which_they_are_spent(world: World) -> None:
    """Soonest expiry first, those that never expire last, page after page."""
    shop = await world.open_shop()
    member = await shop.enroll()
    await shop.grant(member, 1)
    for count, points in ((90, 3), (30, 2)):
        await shop.do("programUpdate", "program { id }", expiry={"kind": "DAYS", "count": count})
        await shop.grant(member, points)
    document = """query ($id: ID!, $after: String) { member(ref: {id: $id}) { lots(first: 2, after: $after) {
        nodes { amount expiresAt } pageInfo { hasNextPage endCursor } } } }"""
    first = (await shop.ask(document, id=member))["member"]["lots"]
    assert [lot["amount"] for lot in first["nodes"]] == [2, 3]
    assert datetime.fromisoformat(first["nodes"][0]["expiresAt"]) > world.clock()
    assert first["pageInfo"]["hasNextPage"] is True
    rest = (await shop.ask(document, id=member, after=first["pageInfo"]["endCursor"]))["member"]["lots"]
    assert rest["nodes"] == [{"amount": 1, "expiresAt": None}]
    assert rest["pageInfo"]["hasNextPage"] is False
