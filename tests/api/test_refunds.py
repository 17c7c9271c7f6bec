"""Refunds through the API: what is given back, what is taken back, and what is owed."""

from typing import Any

import pytest

from tests.api.shops import Shop, global_id, key

pytestmark = pytest.mark.asyncio

REFUND = """refund { externalId amount { amount } cash { amount } deducted { amount } freight { amount } reason
    pointsDue pointsReversed pointsCancelled pointsShort shortOutcome pointsReturned
    lines { number amount { amount } points } purchase { externalId } }
    purchase { refunded { amount } pointsClawed } member { account { available debt } } isRepeat isReplay"""


async def test_a_partial_refund_takes_back_what_the_rest_does_not_earn(shop: Shop) -> None:
    """300 yuan at 1:1 with 50 more from 300 on: refund 100, and 150 go; refund the rest, and 200 go (L7)."""
    bonus = {"code": "big", "kind": "BONUS_AT", "points": 50, "amount": shop.money("300")}
    base = {"code": "base", "kind": "PER_AMOUNT", "points": 1, "amount": shop.money("1")}
    await shop.do("earningRulesReplace", "ruleVersion", rules=[base, bonus])
    member = await shop.enroll()
    await shop.buy(member, "300", "o-1")
    told = {"purchase": {"externalId": "o-1"}, "refundId": "r-1", "amount": shop.money("100"), "reason": "broken"}
    first = await shop.do("purchaseRefund", REFUND, **told, idempotencyKey=key())
    assert first["refund"] == {
        "externalId": "r-1",
        "amount": {"amount": "100.00"},
        "cash": {"amount": "100.00"},
        "deducted": {"amount": "0.00"},
        "freight": {"amount": "0.00"},
        "reason": "broken",
        "pointsDue": 150,
        "pointsReversed": 150,
        "pointsCancelled": 0,
        "pointsShort": 0,
        "shortOutcome": None,
        "pointsReturned": 0,
        "lines": [{"number": 1, "amount": {"amount": "100.00"}, "points": 0}],
        "purchase": {"externalId": "o-1"},
    }
    assert first["purchase"] == {"refunded": {"amount": "100.00"}, "pointsClawed": 150}
    assert first["member"] == {"account": {"available": 200, "debt": 0}}
    again = await shop.do("purchaseRefund", REFUND, **told, idempotencyKey=key())
    assert (again["isRepeat"], again["refund"]) == (True, first["refund"])
    conflict = told | {"amount": shop.money("99")}
    assert (await shop.refused("purchaseRefund", **conflict, idempotencyKey=key()))["code"] == "REFUND_CONFLICT"
    rest = {"purchase": {"externalId": "o-1"}, "refundId": "r-2"}
    second = await shop.do("purchaseRefund", REFUND, **rest, idempotencyKey=key())
    assert second["refund"]["pointsReversed"] == 200
    document = """{ purchase(ref: {externalId: "o-1"}) { refunded { amount }
        refunds { nodes { externalId amount { amount } } } } }"""
    assert (await shop.ask(document))["purchase"] == {
        "refunded": {"amount": "300.00"},
        "refunds": {
            "nodes": [
                {"externalId": "r-1", "amount": {"amount": "100.00"}},
                {"externalId": "r-2", "amount": {"amount": "200.00"}},
            ]
        },
    }
    empty = rest | {"refundId": "r-3"}
    assert (await shop.refused("purchaseRefund", **empty, idempotencyKey=key()))["code"] == "REFUND_EMPTY"


async def test_what_cannot_be_taken_back_is_owed(shop: Shop) -> None:
    """And the next earning pays it (L8)."""
    member = await shop.enroll()
    await shop.buy(member, "100", "o-1")
    reward = await shop.make_reward(80)
    await shop.do("rewardRedeem", "isReplay", member={"id": member}, rewardId=reward, idempotencyKey=key())
    told = {"purchase": {"externalId": "o-1"}, "refundId": "r-1", "idempotencyKey": key()}
    refunded = await shop.do("purchaseRefund", REFUND, **told)
    assert (refunded["refund"]["pointsShort"], refunded["refund"]["shortOutcome"]) == (80, "DEBT")
    assert refunded["member"]["account"] == {"available": 0, "debt": 80}
    redeem = {"member": {"id": member}, "rewardId": reward, "idempotencyKey": key()}
    assert (await shop.refused("rewardRedeem", **redeem))["code"] == "DEBT_OUTSTANDING"
    assert (await shop.buy(member, "100", "o-2"))["member"]["account"] == {"available": 20, "pending": 0, "debt": 0}


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        ({"amount": {"amount": "100.01", "currencyCode": "CNY"}}, "REFUND_EXCEEDS_REMAINING", ["amount"]),
        ({"amount": {"amount": "0", "currencyCode": "CNY"}}, "AMOUNT_INVALID", ["amount"]),
        ({"amount": {"amount": "-1", "currencyCode": "CNY"}}, "AMOUNT_INVALID", ["amount"]),
        ({"amount": {"amount": "1", "currencyCode": "USD"}}, "CURRENCY_MISMATCH", ["amount"]),
        ({"lines": [{"number": 2, "amount": {"amount": "1", "currencyCode": "CNY"}}]}, "LINE_UNKNOWN", ["lines"]),
        (
            {"lines": [{"number": 1, "amount": {"amount": "101", "currencyCode": "CNY"}}]},
            "REFUND_EXCEEDS_REMAINING",
            ["lines"],
        ),
        ({"lines": [{"number": 1, "amount": {"amount": "1", "currencyCode": "CNY"}}] * 201}, "TOO_MANY", ["lines"]),
        ({"freight": {"amount": "1", "currencyCode": "CNY"}}, "REFUND_EXCEEDS_REMAINING", ["freight"]),
        (
            {
                "amount": {"amount": "1", "currencyCode": "CNY"},
                "freight": {"amount": "1", "currencyCode": "CNY"},
            },
            "REFUND_AMBIGUOUS",
            ["amount"],
        ),
        ({"refundId": ""}, "TEXT_INVALID", ["refundId"]),
        ({"reason": "x" * 501}, "TEXT_INVALID", ["reason"]),
        ({"occurredAt": "2999-01-01T00:00:00Z"}, "TIME_INVALID", ["occurredAt"]),
        ({"purchase": {"externalId": "o-2"}}, "NOT_FOUND", ["purchase"]),
        ({"purchase": {"id": global_id("Purchase")}}, "NOT_FOUND", None),
        ({"purchase": {"id": global_id("Member")}}, "NOT_FOUND", ["purchase", "id"]),
        ({"purchase": {"externalId": " "}}, "TEXT_INVALID", ["purchase", "externalId"]),
    ],
)
async def test_impossible_refunds_are_refused(
    shop: Shop, told: dict[str, Any], code: str, field: list[str] | None
) -> None:
    """And nothing is given or taken."""
    member = await shop.enroll()
    await shop.buy(member, "100", "o-1")
    ordinary = {"purchase": {"externalId": "o-1"}, "refundId": "r-1", "idempotencyKey": key()}
    refused = await shop.refused("purchaseRefund", **(ordinary | told))
    assert (refused["code"], refused["field"]) == (code, field)
    assert (await shop.account(member))["available"] == 100
    document = '{ purchase(ref: {externalId: "o-1"}) { refunded { amount } refunds { nodes { id } } } }'
    assert (await shop.ask(document))["purchase"] == {"refunded": {"amount": "0.00"}, "refunds": {"nodes": []}}
