"""The program: its terms for everybody, its settings for staff."""

from typing import Any

import pytest

from domain.access import KeyKind, Scope
from tests.api.shops import Shop

pytestmark = pytest.mark.asyncio

TERMS = """{ program { name currencyCode timeZone signUpPoints replacementDays returnPolicy pointValueBp
    pending { kind days onDate } expiry { kind count onDate }
    earningRules { code kind points amount { amount currencyCode } minimum { amount } includesFreight } } }"""
INTERNAL = "{ program { ruleVersion shortfallPolicy holdMinutes } }"


async def test_a_storefront_reads_the_terms(shop: Shop) -> None:
    """With a publishable key; what concerns staff alone is refused to it."""
    program = (await shop.ask(TERMS, shop.publishable))["program"]
    assert program == {
        "name": "Tea House",
        "currencyCode": "CNY",
        "timeZone": "Asia/Shanghai",
        "signUpPoints": 0,
        "replacementDays": 7,
        "returnPolicy": "REPLACE",
        "pointValueBp": 100_000,
        "pending": {"kind": "IMMEDIATE", "days": None, "onDate": None},
        "expiry": {"kind": "NEVER", "count": None, "onDate": None},
        "earningRules": [
            {
                "code": "base",
                "kind": "PER_AMOUNT",
                "points": 1,
                "amount": {"amount": "1.00", "currencyCode": "CNY"},
                "minimum": {"amount": "0.00"},
                "includesFreight": False,
            }
        ],
    }
    answer = await shop.send(INTERNAL, shop.publishable)
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"FORBIDDEN"}


async def test_settings_change_and_rules_get_a_version(shop: Shop) -> None:
    """What is left out stays."""
    rules = [
        {"code": "base", "kind": "PER_AMOUNT", "points": 1, "amount": shop.money("10")},
        {"code": "big", "kind": "BONUS_AT", "points": 50, "amount": shop.money("300.00")},
    ]
    await shop.do(
        "programUpdate",
        "program { id }",
        signUpPoints=88,
        expiry={"kind": "END_OF_YEAR", "count": 1},
        pending={"kind": "AFTER", "days": 7},
        shortfallPolicy="CLAMP",
        earningRules=rules,
    )
    program = (await shop.ask(TERMS))["program"]
    assert (program["signUpPoints"], program["replacementDays"]) == (88, 7)
    assert program["expiry"] == {"kind": "END_OF_YEAR", "count": 1, "onDate": None}
    assert program["pending"] == {"kind": "AFTER", "days": 7, "onDate": None}
    assert [rule["amount"]["amount"] for rule in program["earningRules"]] == ["10.00", "300.00"]
    assert (await shop.ask(INTERNAL))["program"] == {"ruleVersion": 2, "shortfallPolicy": "CLAMP", "holdMinutes": 15}


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        ({"name": ""}, "TEXT_INVALID", ["name"]),
        ({"timeZone": "Mars/Olympus"}, "TIME_ZONE_INVALID", ["timeZone"]),
        ({"timeZone": "../../etc/passwd"}, "TIME_ZONE_INVALID", ["timeZone"]),
        ({"timeZone": ""}, "TIME_ZONE_INVALID", ["timeZone"]),
        ({"signUpPoints": -1}, "POINTS_INVALID", ["signUpPoints"]),
        ({"replacementDays": 0}, "NUMBER_INVALID", ["replacementDays"]),
        ({"holdMinutes": 0}, "NUMBER_INVALID", ["holdMinutes"]),
        ({"pointValueBp": -1}, "NUMBER_INVALID", ["pointValueBp"]),
        ({"pending": {"kind": "AFTER"}}, "POLICY_INVALID", ["pending"]),
        ({"pending": {"kind": "AFTER", "days": 4000}}, "NUMBER_INVALID", ["pending", "days"]),
        ({"expiry": {"kind": "FIXED_DATE"}}, "POLICY_INVALID", ["expiry"]),
        ({"expiry": {"kind": "DAYS", "count": 0}}, "NUMBER_INVALID", ["expiry", "count"]),
        ({"earningRules": [{}] * 101}, "TOO_MANY", ["earningRules"]),
        ({"earningRules": [{"code": ""}]}, "TEXT_INVALID", ["earningRules", "code"]),
        ({"earningRules": [{"code": "a"}, {"code": "a"}]}, "RULE_INVALID", ["earningRules"]),
        ({"earningRules": [{"points": 0}]}, "POINTS_INVALID", ["earningRules", "points"]),
        ({"earningRules": [{"amount": {"amount": "0", "currencyCode": "CNY"}}]}, "AMOUNT_INVALID", None),
        ({"earningRules": [{"amount": {"amount": "1", "currencyCode": "USD"}}]}, "CURRENCY_MISMATCH", None),
    ],
)
async def test_impossible_settings_are_refused(
    shop: Shop, told: dict[str, Any], code: str, field: list[str] | None
) -> None:
    """And nothing changes."""
    before = await shop.ask(TERMS), await shop.ask(INTERNAL)
    rule = {"code": "base", "kind": "PER_AMOUNT", "points": 1, "amount": shop.money("1")}
    if "earningRules" in told:
        told = told | {"earningRules": [rule | given for given in told["earningRules"]]}
    refused = await shop.refused("programUpdate", **told)
    assert refused["code"] == code
    assert refused["field"] == (field or ["earningRules", "amount"])
    assert (await shop.ask(TERMS), await shop.ask(INTERNAL)) == before


async def test_amounts_have_the_decimals_of_their_currency(shop: Shop) -> None:
    """Yen have none and dinars three; what has more is refused, what has fewer is filled up."""
    rule = {"code": "base", "kind": "PER_AMOUNT", "points": 1}
    for currency, amount, shown in (("JPY", "100", "100"), ("KWD", "1.5", "1.500"), ("CNY", "1", "1.00")):
        other = await shop.world.open_shop(currency)
        other.currency_code = currency
        await other.do("programUpdate", "program { id }", earningRules=[rule | {"amount": other.money(amount)}])
        rules = (await other.ask(TERMS))["program"]["earningRules"]
        assert rules[0]["amount"] == {"amount": shown, "currencyCode": currency}
        refused = await other.refused("programUpdate", earningRules=[rule | {"amount": other.money("1.0001")}])
        assert refused["code"] == "AMOUNT_INVALID"
        assert refused["details"]["amount"] == "1.0001"


async def test_a_key_without_the_scope_sees_no_program(shop: Shop) -> None:
    """A secret key has what its scopes say, and not what a storefront has."""
    key = await shop.make_key(KeyKind.SECRET, (Scope.MEMBERS_READ,))
    assert await shop.error("{ program { name } }", key) == "FORBIDDEN"
