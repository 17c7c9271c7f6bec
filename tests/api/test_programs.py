"""The program: its terms for everybody, its settings for staff."""

from typing import Any

import pytest

from domain.access import KeyKind, Scope
from tests.api.shops import Shop
from tests.api.stages import kept

pytestmark = pytest.mark.asyncio

TERMS = """{ program { name currencyCode timeZone signUpPoints replacementDays returnPolicy pointValueBp
    pending { kind days onDate } expiry { kind count onDate }
    tierPolicy { metric window months validityDays downgrade graceDays } categories
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
        "tierPolicy": {
            "metric": "QUALIFYING_POINTS",
            "window": "LIFETIME",
            "months": None,
            "validityDays": None,
            "downgrade": "NONE",
            "graceDays": 0,
        },
        "categories": [],
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


async def test_settings_change(shop: Shop) -> None:
    """What is left out stays, the rules and their version, too."""
    policy = {"metric": "NET_SPEND", "window": "ROLLING", "months": 12, "downgrade": "ONE_LEVEL", "graceDays": 30}
    await shop.do(
        "programUpdate",
        "program { id }",
        signUpPoints=88,
        expiry={"kind": "END_OF_YEAR", "count": 1},
        pending={"kind": "AFTER", "days": 7},
        shortfallPolicy="CLAMP",
        tierPolicy=policy,
        categories=[" tea ", "cups", "tea"],
    )
    program = (await shop.ask(TERMS))["program"]
    assert (program["signUpPoints"], program["replacementDays"]) == (88, 7)
    assert program["expiry"] == {"kind": "END_OF_YEAR", "count": 1, "onDate": None}
    assert program["pending"] == {"kind": "AFTER", "days": 7, "onDate": None}
    assert program["tierPolicy"] == policy | {"validityDays": None}
    assert program["categories"] == ["tea", "cups"]
    assert (await shop.ask(INTERNAL))["program"] == {"ruleVersion": 1, "shortfallPolicy": "CLAMP", "holdMinutes": 15}


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
        ({"tierPolicy": {"window": "ROLLING"}}, "POLICY_INVALID", ["tierPolicy"]),
        ({"tierPolicy": {"window": "ROLLING", "months": 0}}, "NUMBER_INVALID", ["tierPolicy", "months"]),
        ({"tierPolicy": {"validityDays": 0}}, "NUMBER_INVALID", ["tierPolicy", "validityDays"]),
        ({"tierPolicy": {"graceDays": 367}}, "NUMBER_INVALID", ["tierPolicy", "graceDays"]),
        ({"categories": [""]}, "TEXT_INVALID", ["categories"]),
        ({"categories": ["tea"] * 501}, "TOO_MANY", ["categories"]),
    ],
)
async def test_impossible_settings_are_refused(shop: Shop, told: dict[str, Any], code: str, field: list[str]) -> None:
    """And nothing changes."""
    before = await kept(shop)
    refused = await shop.refused("programUpdate", **told)
    assert (refused["code"], refused["field"]) == (code, field)
    assert await kept(shop) == before


async def test_published_terms_tell_the_policies_and_the_tiers(shop: Shop) -> None:
    """Beside the rules, in both languages, and as the data is at the moment."""
    document = "{ program { rules { topic code chinese english } } }"
    await shop.do("programUpdate", "program { id }", expiry={"kind": "END_OF_YEAR", "count": 1})
    tier = {"name": "金卡", "rank": 1, "threshold": 1000, "multiplierBp": 15_000, "benefits": {"perks": ["免费包邮"]}}
    saved = (await shop.do("tierCreate", "tier { id terms { chinese english } }", **tier))["tier"]
    told = (await shop.ask(document, shop.publishable))["program"]["rules"]
    assert [(each["topic"], each["code"]) for each in told] == [
        ("EARNING", "base"),
        ("POINTS", "points"),
        ("TIER", "金卡"),
    ]
    assert "次年年底" in told[1]["chinese"]
    assert "the end of the year after the one in which they are earned" in told[1]["english"]
    assert {name: told[2][name] for name in ("chinese", "english")} == saved["terms"]
    assert "免费包邮" in told[2]["chinese"]
    await shop.do("tierUpdate", "tier { id }", tierId=saved["id"], threshold=2000)
    changed = (await shop.ask(document, shop.publishable))["program"]["rules"]
    assert changed[:2] == told[:2]
    assert ("2,000" in changed[2]["english"], "2,000" in told[2]["english"]) == (True, False)


async def test_published_terms_tell_what_signing_in_and_friends_give(shop: Shop) -> None:
    """Each while it goes on, with the names that members know prizes by."""
    document = "{ program { rules { topic code chinese english } } }"

    async def told() -> dict[str, tuple[str, str]]:
        found = (await shop.ask(document, shop.publishable))["program"]["rules"]
        offers = [each for each in found if each["topic"] in ("CHECK_IN", "REFERRAL")]
        return {f"{each['topic']} {each['code']}": (each["chinese"], each["english"]) for each in offers}

    assert await told() == {}
    terms = {"kind": "AMOUNT_OFF", "amount": shop.money("1")}
    template = await shop.do("voucherTemplateCreate", "template { id }", code="coffee", name="咖啡", terms=terms)
    given = {"templateId": template["template"]["id"], "name": "stock", "supply": "ON_DEMAND"}
    pool = await shop.do("voucherPoolCreate", "pool { id }", **given)
    gift = {"day": 3, "prize": {"kind": "VOUCHER", "poolId": pool["pool"]["id"]}}
    activity = {"code": "daily", "name": "签到", "ladder": [10], "milestones": [gift]}
    await shop.do("checkInActivitySave", "activity { id }", **activity, endsAt="2027-04-01T00:00:00Z")
    await shop.do("referralPolicySave", "policy { windowDays }", referrerPoints=100, sharePoints=0, salePoints=0)
    found = await told()
    assert set(found) == {"CHECK_IN daily", "REFERRAL referrals"}
    assert found["CHECK_IN daily"][0].startswith("“签到”：每天签到得10积分。连续签到满3天，另得优惠券“咖啡”。")
    assert "Earn 100 points for each friend you bring who qualifies." in found["REFERRAL referrals"][1]
    await shop.do("referralPolicySave", "policy { windowDays }", referrerPoints=100, isActive=False)
    shop.world.clock.put("2027-04-02T00:00")
    assert await told() == {}


async def test_a_key_without_the_scope_sees_no_program(shop: Shop) -> None:
    """A secret key has what its scopes say, and not what a storefront has."""
    key = await shop.make_key(KeyKind.SECRET, (Scope.MEMBERS_READ,))
    assert await shop.error("{ program { name } }", key) == "FORBIDDEN"
