"""Purchases and refunds through the API."""

from datetime import timedelta
from typing import Any

import pytest

from domain.access import KeyKind, Scope
from persistence import clock
from persistence import connection as stored_connection
from tests.api.shops import Shop, global_id, key, mutation

pytestmark = pytest.mark.asyncio

PURCHASE = """purchase { id externalId pointsEarned pointsSpent multiplierBp ruleVersion channel occurredAt confirmedAt
    amount { amount currencyCode } freight { amount } offset { amount } refunded { amount }
    lines { number productId quantity amount { amount } offset { amount } points earns }
    store { code } member { externalId } } member { account { available pending } } isRepeat isReplay"""


def given(shop: Shop, member_id: str, paid: str = "199.90", /, **told: Any) -> dict[str, Any]:
    """A purchase to record."""
    ordinary = {"member": {"id": member_id}, "externalId": "o-1", "amount": shop.money(paid)}
    return ordinary | {"idempotencyKey": key()} | told


def shown_line(number: int, amount: str, **told: Any) -> dict[str, Any]:
    """A line of which points paid nothing."""
    ordinary = {
        "number": number,
        "amount": {"amount": amount},
        "offset": {"amount": "0.00"},
        "points": 0,
        "earns": True,
    }
    return ordinary | told


async def recorded(shop: Shop) -> list[str]:
    """The order numbers that there are."""
    document = "{ members { nodes { purchases(first: 100) { nodes { externalId } } } } }"
    members = (await shop.ask(document))["members"]["nodes"]
    return [purchase["externalId"] for member in members for purchase in member["purchases"]["nodes"]]


async def test_a_purchase_earns_and_is_shown_whole(shop: Shop) -> None:
    """199.90 at one point a yuan are 199 points (L6)."""
    store = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    member = await shop.enroll()
    lines = [
        {"amount": shop.money("150"), "productId": "p-1", "name": "Kettle", "category": "ware", "quantity": 2},
        {"amount": shop.money("39.9"), "earns": True},
    ]
    told = {"lines": lines, "freight": shop.money("10"), "storeId": store, "channel": "IN_STORE"}
    payload = await shop.do(
        "purchaseRecord", PURCHASE, **given(shop, member, occurredAt="2026-01-01T08:00:00+08:00", **told)
    )
    purchase = payload["purchase"]
    assert payload["member"] == {"account": {"available": 189, "pending": 0}}
    assert purchase == {
        "id": purchase["id"],
        "externalId": "o-1",
        "pointsEarned": 189,
        "pointsSpent": 0,
        "multiplierBp": 10_000,
        "ruleVersion": 1,
        "channel": "IN_STORE",
        "occurredAt": "2026-01-01T00:00:00Z",
        "confirmedAt": None,
        "amount": {"amount": "199.90", "currencyCode": "CNY"},
        "freight": {"amount": "10.00"},
        "offset": {"amount": "0.00"},
        "refunded": {"amount": "0.00"},
        "lines": [
            shown_line(1, "150.00", productId="p-1", quantity=2),
            shown_line(2, "39.90", productId=None, quantity=1),
        ],
        "store": {"code": "s1"},
        "member": {"externalId": "m-1"},
    }
    query = "query ($ref: PurchaseRef!) { purchase(ref: $ref) { id pointsEarned } }"
    for ref in ({"externalId": "o-1"}, {"id": purchase["id"]}):
        assert (await shop.ask(query, ref=ref))["purchase"] == {"id": purchase["id"], "pointsEarned": 189}
    for ref in ({"externalId": "o-2"}, {"id": global_id("Purchase")}, {"id": member}, {"externalId": ""}):
        assert (await shop.ask(query, ref=ref))["purchase"] is None


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        ({"amount": {"amount": "-1", "currencyCode": "CNY"}}, "AMOUNT_INVALID", ["amount"]),
        ({"amount": {"amount": "1.999", "currencyCode": "CNY"}}, "AMOUNT_INVALID", ["amount"]),
        ({"amount": {"amount": "10000000000.01", "currencyCode": "CNY"}}, "AMOUNT_INVALID", ["amount"]),
        ({"amount": {"amount": "1", "currencyCode": "USD"}}, "CURRENCY_MISMATCH", ["amount"]),
        ({"amount": {"amount": "1", "currencyCode": "cny"}}, "CURRENCY_MISMATCH", ["amount"]),
        ({"freight": {"amount": "1", "currencyCode": "JPY"}}, "CURRENCY_MISMATCH", ["freight"]),
        ({"freight": {"amount": "200", "currencyCode": "CNY"}}, "LINES_INVALID", ["freight"]),
        ({"lines": [{"amount": {"amount": "1", "currencyCode": "CNY"}}]}, "LINES_INVALID", ["lines"]),
        ({"lines": [{"amount": {"amount": "-1", "currencyCode": "CNY"}}]}, "AMOUNT_INVALID", ["lines", "amount"]),
        ({"lines": [{"amount": {"amount": "1", "currencyCode": "USD"}}]}, "CURRENCY_MISMATCH", ["lines", "amount"]),
        (
            {"lines": [{"amount": {"amount": "1", "currencyCode": "CNY"}, "quantity": 0}]},
            "NUMBER_INVALID",
            ["lines", "quantity"],
        ),
        (
            {"lines": [{"amount": {"amount": "1", "currencyCode": "CNY"}, "productId": ""}]},
            "TEXT_INVALID",
            ["lines", "productId"],
        ),
        ({"lines": [{"amount": {"amount": "1", "currencyCode": "CNY"}}] * 201}, "TOO_MANY", ["lines"]),
        ({"externalId": ""}, "TEXT_INVALID", ["externalId"]),
        ({"externalId": "x" * 101}, "TEXT_INVALID", ["externalId"]),
        ({"occurredAt": "2999-01-01T00:00:00Z"}, "TIME_INVALID", ["occurredAt"]),
        ({"storeId": global_id("Store")}, "NOT_FOUND", None),
        ({"storeId": "x"}, "NOT_FOUND", ["storeId"]),
        ({"member": {"id": global_id("Member")}}, "NOT_FOUND", None),
        ({"member": {"externalId": "nobody"}}, "NOT_FOUND", ["member", "externalId"]),
        (
            {"offset": {"holdId": global_id("Hold"), "amount": {"amount": "1", "currencyCode": "CNY"}}},
            "NOT_FOUND",
            None,
        ),
        ({"idempotencyKey": ""}, "TEXT_INVALID", ["idempotencyKey"]),
    ],
)
async def test_impossible_purchases_are_refused(
    shop: Shop, told: dict[str, Any], code: str, field: list[str] | None
) -> None:
    """And nothing is recorded."""
    member = await shop.enroll()
    refused = await shop.refused("purchaseRecord", **given(shop, member, **told))
    assert (refused["code"], refused["field"]) == (code, field)
    assert await recorded(shop) == []
    assert (await shop.account(member))["available"] == 0


@pytest.mark.parametrize(
    "told",
    [
        {"amount": {"amount": 199.9, "currencyCode": "CNY"}},
        {"amount": {"amount": 199, "currencyCode": "CNY"}},
        {"amount": {"amount": "1e3", "currencyCode": "CNY"}},
        {"amount": {"amount": "NaN", "currencyCode": "CNY"}},
        {"amount": {"amount": "", "currencyCode": "CNY"}},
        {"amount": {"amount": "١", "currencyCode": "CNY"}},
        {"amount": {"amount": "9" * 40, "currencyCode": "CNY"}},
        {"amount": {"amount": "1", "currencyCode": "C" * 11}},
        {"occurredAt": "2026-01-01T00:00:00"},
        {"occurredAt": "2026-01-01 00:00:00Z"},
        {"occurredAt": 0},
        {"lines": [{"amount": {"amount": "1", "currencyCode": "CNY"}, "quantity": 2**31}]},
        {"externalId": "a\0"},
    ],
)
async def test_what_is_no_value_of_its_type_is_bad_input(shop: Shop, told: dict[str, Any]) -> None:
    """Before anything is looked at."""
    member = await shop.enroll()
    assert await shop.bad_input(mutation("purchaseRecord", "isReplay"), input=given(shop, member, **told))
    assert await recorded(shop) == []


async def test_an_order_number_earns_once_under_whatever_key(shop: Shop) -> None:
    """Told again it is the first; with other content it is refused, naming the first (L11)."""
    member = await shop.enroll()
    first = await shop.do("purchaseRecord", PURCHASE, **given(shop, member))
    again = await shop.do("purchaseRecord", PURCHASE, **given(shop, member))
    assert (first["isRepeat"], again["isRepeat"], again["isReplay"]) == (False, True, False)
    assert again["purchase"] == first["purchase"]
    refused = await shop.refused("purchaseRecord", **given(shop, member, "200"))
    assert (refused["code"], refused["field"]) == ("PURCHASE_CONFLICT", ["externalId"])
    assert refused["details"] == {"externalId": "o-1", "purchaseId": first["purchase"]["id"]}
    assert (await shop.account(member))["available"] == 199


async def test_a_replay_is_told_apart_from_a_repeat(shop: Shop) -> None:
    """The same key with the same input, and with other input."""
    member = await shop.enroll()
    told = given(shop, member, idempotencyKey="p-1")
    await shop.do("purchaseRecord", PURCHASE, **told)
    again = await shop.do("purchaseRecord", PURCHASE, **told)
    assert (again["isReplay"], again["isRepeat"]) == (True, False)
    refused = await shop.refused("purchaseRecord", **(told | {"externalId": "o-2"}))
    assert refused["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    assert await recorded(shop) == ["o-1"]


async def test_a_clock_a_little_ahead_is_forgiven(shop: Shop) -> None:
    """A till may be five minutes ahead; the purchase then happened now."""
    member = await shop.enroll()
    ahead = (clock.now() + timedelta(minutes=4)).isoformat()
    payload = await shop.do("purchaseRecord", PURCHASE, **given(shop, member, occurredAt=ahead))
    assert payload["purchase"]["occurredAt"] < ahead


async def test_what_a_till_asks_needs_no_further_statement(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to a purchase is in what the command gives."""
    member = await shop.enroll()
    told = given(shop, member)
    asked: list[str] = []
    acquire = stored_connection.acquire

    def counted() -> Any:
        asked.append("a connection")
        return acquire()

    document = mutation("purchaseRecord", "purchase { id pointsEarned } member { id account { available pending } }")
    await shop.ask("{ program { name } }")
    monkeypatch.setattr(stored_connection, "acquire", counted)
    payload = (await shop.ask(document, input=told))["purchaseRecord"]
    assert payload["member"]["account"] == {"available": 199, "pending": 0}
    assert asked == []


async def test_points_pay_a_part(shop: Shop) -> None:
    """A hold is captured with the purchase, which earns on what was paid in money."""
    member = await shop.enroll()
    await shop.grant(member, 1000)
    hold = (await shop.do("pointsHold", "hold { id }", member={"id": member}, points=500, idempotencyKey=key()))["hold"]
    offset = {"holdId": hold["id"], "amount": shop.money("50")}
    payload = await shop.do("purchaseRecord", PURCHASE, **given(shop, member, "200", offset=offset))
    assert (payload["purchase"]["pointsSpent"], payload["purchase"]["pointsEarned"]) == (500, 150)
    assert payload["purchase"]["offset"] == {"amount": "50.00"}
    assert payload["member"]["account"]["available"] == 650
    refunded = await shop.do(
        "purchaseRefund",
        "refund { cash { amount } pointsReturned } member { account { available debt } }",
        purchase={"externalId": "o-1"},
        refundId="r",
        idempotencyKey=key(),
    )
    assert (refunded["refund"]["cash"], refunded["refund"]["pointsReturned"]) == ({"amount": "150.00"}, 500)
    assert refunded["member"]["account"] == {"available": 1000, "debt": 0}


async def test_a_confirmed_purchase_frees_its_points(shop: Shop) -> None:
    """Points that wait for the order to be received (L3); again changes nothing."""
    await shop.do("programUpdate", "program { id }", pending={"kind": "ON_EVENT"})
    member = await shop.enroll()
    payload = await shop.do("purchaseRecord", PURCHASE, **given(shop, member))
    assert payload["member"]["account"] == {"available": 0, "pending": 199}
    told = {"purchaseId": payload["purchase"]["id"]}
    confirmed = await shop.do("purchaseConfirm", PURCHASE, **told, idempotencyKey=key())
    assert confirmed["member"]["account"] == {"available": 199, "pending": 0}
    assert confirmed["purchase"]["confirmedAt"] is not None
    again = await shop.do("purchaseConfirm", PURCHASE, **told, idempotencyKey=key())
    assert (again["isRepeat"], again["purchase"]) == (True, confirmed["purchase"])
    for purchase_id in (global_id("Purchase"), global_id("Store"), "x"):
        refused = await shop.refused("purchaseConfirm", purchaseId=purchase_id, idempotencyKey=key())
        assert refused["code"] == "NOT_FOUND"


# Many at once.


async def test_many_purchases_each_have_their_own_outcome(shop: Shop) -> None:
    """One that is refused keeps none of the others back; told again, all are answered from their keys."""
    member = await shop.enroll()
    rows = [given(shop, member, "1", externalId=f"o-{number}") for number in range(20)]
    rows[3]["member"] = {"externalId": "nobody"}
    rows[4]["amount"] = {"amount": "1", "currencyCode": "USD"}
    rows[5]["externalId"] = "o-1"
    rows[6]["amount"] = shop.money("2")
    selection = "results { purchase { externalId } isReplay isRepeat userErrors { code } }"
    results = (await shop.do("purchasesRecord", selection, rows=rows))["results"]
    assert [result["userErrors"] for result in results[3:5]] == [
        [{"code": "NOT_FOUND"}],
        [{"code": "CURRENCY_MISMATCH"}],
    ]
    assert (results[5]["purchase"], results[5]["isRepeat"]) == ({"externalId": "o-1"}, True)
    done = [result["purchase"]["externalId"] for result in results if result["purchase"]]
    assert done == [row["externalId"] for index, row in enumerate(rows) if index not in (3, 4)]
    assert (await shop.account(member))["available"] == 18
    again = (await shop.do("purchasesRecord", selection, rows=rows))["results"]
    assert [result["isReplay"] for result in again if result["purchase"]] == [True] * 18
    assert (await shop.account(member))["available"] == 18


async def test_points_beyond_all_bounds_are_refused_in_an_answer_that_can_be_written(shop: Shop) -> None:
    """No writer of JSON takes integers of more than 64 bits: the other rows' answers must not be lost with them."""
    rich = {"code": "rich", "kind": "PER_AMOUNT", "points": 10**9, "amount": shop.money("0.01")}
    await shop.do("earningRulesReplace", "ruleVersion", rules=[rich])
    member = await shop.enroll()
    rows = [given(shop, member, paid, externalId=paid) for paid in ("0.01", "9999999999.00")]
    selection = "results { purchase { externalId } userErrors { code message field details } }"
    done, refused = (await shop.do("purchasesRecord", selection, rows=rows))["results"]
    assert done == {"purchase": {"externalId": "0.01"}, "userErrors": []}
    (error,) = refused["userErrors"]
    points = "999999999900000000000"
    assert (error["code"], error["field"]) == ("POINTS_INVALID", None)
    assert error["details"] == {
        "name": "What the rules give together",
        "points": points,
        "pointsMin": 0,
        "pointsMax": 2**53 - 1,
    }
    assert error["message"] == f"What the rules give together must be from 0 to {2**53 - 1}; it is {points}."
    assert (await shop.account(member))["available"] == 10**9


async def test_five_hundred_purchases_are_taken_and_501_are_not(shop: Shop) -> None:
    """One clear error, and nothing done."""
    member = await shop.enroll("m")
    rows = [
        {
            "member": {"externalId": "m"},
            "externalId": str(number),
            "amount": shop.money("1"),
            "idempotencyKey": str(number),
        }
        for number in range(501)
    ]
    assert await shop.refused("purchasesRecord", rows=rows) == {
        "code": "TOO_MANY",
        "message": "rows may have at most 500 items; it has 501.",
        "field": ["rows"],
        "details": {"name": "rows", "count": 501, "countMax": 500},
    }
    assert (await shop.account(member))["available"] == 0
    results = (await shop.do("purchasesRecord", "results { userErrors { code } }", rows=rows[:500]))["results"]
    assert results == [{"userErrors": []}] * 500
    assert (await shop.account(member))["available"] == 500


async def test_a_till_without_members_read_sees_figures_only(shop: Shop) -> None:
    """Whoever may record purchases may not read profiles through them."""
    member = await shop.enroll()
    secret = await shop.make_key(KeyKind.SECRET, (Scope.PURCHASES_WRITE,))
    document = mutation("purchaseRecord", "purchase { member { phone } } member { id account { available } }")
    answer = await shop.send(document, secret, input=given(shop, member))
    assert answer["data"]["purchaseRecord"]["member"] == {"id": member, "account": {"available": 199}}
    assert answer["data"]["purchaseRecord"]["purchase"] == {"member": {"phone": None}}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
