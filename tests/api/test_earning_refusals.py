"""Bad earning rules, each refused with its field and in words that a shop owner understands, and nothing saved."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.shops import Shop, local
from tests.api.stages import kept

pytestmark = pytest.mark.asyncio

YUAN = {"amount": "1", "currencyCode": "CNY"}
HUNDRED = {"amount": "100", "currencyCode": "CNY"}
FIXED: dict[str, Any] = {"code": "r", "kind": "FIXED", "points": 1}
PER_AMOUNT: dict[str, Any] = {"code": "r", "kind": "PER_AMOUNT", "points": 1, "amount": YUAN}
DOUBLE: dict[str, Any] = {"code": "r", "kind": "MULTIPLIER", "multiplierBp": 20_000}
BANDS: dict[str, Any] = {"code": "r", "kind": "TIERED"}
SPRING: dict[str, Any] = {
    "code": "spring",
    "name": "Spring",
    "startsAt": local("2027-03-01T00:00"),
    "endsAt": local("2027-04-01T00:00"),
    "schedule": {"weekdays": [4], "untilHour": 12},
}


def band(start: str, points: int) -> dict[str, Any]:
    """A band of an amount."""
    return {"from": {"amount": start, "currencyCode": "CNY"}, "points": points, "amount": YUAN}


def when(**told: Any) -> dict[str, Any]:
    """A fixed rule under a condition."""
    return FIXED | {"conditions": told}


def capped(**cap: Any) -> dict[str, Any]:
    """A fixed rule under a cap."""
    return FIXED | {"caps": [{"period": "DAY", **cap}]}


BAD_NUMBERS = [
    (FIXED | {"code": " "}, "TEXT_INVALID", "code", "code must have 1 to 50 characters"),
    (FIXED | {"points": 0}, "POINTS_INVALID", "points", "points must be from 1 to 1000000000; it is 0."),
    (FIXED | {"points": -5}, "POINTS_INVALID", "points", "points must be from 1 to 1000000000; it is -5."),
    (PER_AMOUNT | {"amount": None}, "AMOUNT_INVALID", "amount", "amount must be from 1 to"),
    (DOUBLE | {"multiplierBp": 0}, "NUMBER_INVALID", "multiplierBp", "multiplierBp must be from 10001 to 1000000"),
    (DOUBLE | {"multiplierBp": 10_000}, "NUMBER_INVALID", "multiplierBp", "it is 10000."),
    (DOUBLE | {"multiplierBp": 10**9}, "NUMBER_INVALID", "multiplierBp", "it is 1000000000."),
    (DOUBLE | {"multiplierBp": 10**13}, "NUMBER_INVALID", "multiplierBp", "it is 10000000000000."),
    (capped(points=-100), "POINTS_INVALID", "caps.points", "caps.points must be from 1 to"),
    (capped(times=0), "NUMBER_INVALID", "caps.times", "caps.times must be from 1 to 10000; it is 0."),
    (capped(), "RULE_INVALID", "caps", "a cap bounds points or times."),
    (
        FIXED | {"caps": [{"period": "DAY", "points": 1}, {"period": "DAY", "times": 1}]},
        "RULE_INVALID",
        "caps",
        "two caps are for the same period; one cap may bound both points and times.",
    ),
    (FIXED | {"caps": [{"period": "DAY", "points": 1}] * 11}, "TOO_MANY", "caps", "caps may have at most 10 items"),
    (FIXED | {"priority": 1001}, "NUMBER_INVALID", "priority", "priority must be from -1000 to 1000; it is 1001."),
    (BANDS, "RULE_INVALID", "bands", "TIERED needs bands, each beginning above the one before."),
    (BANDS | {"bands": [band("10", 1), band("5", 2)]}, "RULE_INVALID", "bands", "each beginning above the one before."),
    (BANDS | {"bands": [band("0", 0)]}, "RULE_INVALID", "bands", "none of its bands gives any points."),
    (BANDS | {"bands": [band("0", -1)]}, "POINTS_INVALID", "bands.points", "bands.points must be from 0 to"),
    (
        BANDS | {"bands": [{**band("0", 1), "amount": {"amount": "1", "currencyCode": "EUR"}}]},
        "CURRENCY_MISMATCH",
        "bands.amount",
        "This program counts in CNY; the amount is in EUR.",
    ),
]
BAD_TIMES = [
    (
        FIXED | {"startsAt": local("2027-03-02T00:00"), "endsAt": local("2027-03-01T00:00")},
        "RULE_INVALID",
        "endsAt",
        "it must end after it starts.",
    ),
    (
        FIXED | {"campaign": "spring", "endsAt": local("2027-02-01T00:00")},
        "RULE_INVALID",
        "campaign",
        "its validity and that of its campaign 'spring' do not overlap, so it can never match.",
    ),
    (
        when(schedule={"weekdays": [5]}) | {"campaign": "spring"},
        "RULE_INVALID",
        "conditions.schedule",
        "its schedule and that of its campaign 'spring' have no time in common.",
    ),
    (
        when(schedule={"fromHour": 12}) | {"campaign": "spring"},
        "RULE_INVALID",
        "conditions.schedule",
        "its schedule and that of its campaign 'spring' have no time in common.",
    ),
    (
        when(schedule={"fromHour": 22, "untilHour": 6}),
        "SCHEDULE_INVALID",
        "conditions.schedule.untilHour",
        "no hour is",
    ),
    (
        when(schedule={"weekdays": [8]}),
        "NUMBER_INVALID",
        "conditions.schedule.weekdays",
        "must be from 1 to 7; it is 8.",
    ),
    (
        when(schedule={"dates": ["02-30"]}),
        "SCHEDULE_INVALID",
        "conditions.schedule.dates",
        "'02-30' is no date; write 05-01 for every year, 2026-10-01 for once.",
    ),
    (
        when(schedule={"monthDays": [31], "dates": ["02-01"]}),
        "SCHEDULE_INVALID",
        "conditions.schedule",
        "is on all of its weekdays, days of the month and dates.",
    ),
    (FIXED | {"trigger": "MEMBER_DAY"}, "RULE_INVALID", "conditions.schedule", "a member day needs a schedule"),
]
BAD_REFERENCES = [
    (
        when(categories=["coffe"]),
        "RULE_REFERENCE_UNKNOWN",
        "conditions.categories",
        "This program has no category 'coffe'; did you mean 'coffee'?",
    ),
    (
        when(categories=["shoes"]),
        "RULE_REFERENCE_UNKNOWN",
        "conditions.categories",
        "This program has no category 'shoes'; add it to the program's categories first.",
    ),
    (
        when(audience={"segments": ["fans"]}),
        "RULE_REFERENCE_UNKNOWN",
        "conditions.audience.segments",
        "This program has no segment 'fans'; create it first.",
    ),
    (
        FIXED | {"campaign": "sprng"},
        "RULE_REFERENCE_UNKNOWN",
        "campaign",
        "This program has no campaign 'sprng'; did you mean 'spring'?",
    ),
]
CONTRADICTIONS = [
    (
        FIXED | {"amount": YUAN},
        "RULE_INVALID",
        "amount",
        "its kind FIXED does not look at amount, which is for BONUS_AT",
    ),
    (PER_AMOUNT | {"multiplierBp": 0}, "RULE_INVALID", "multiplierBp", "which is for MULTIPLIER."),
    (
        PER_AMOUNT | {"trigger": "CHECK_IN"},
        "RULE_INVALID",
        "kind",
        "without a purchase only FIXED points can be given; with the trigger CHECK_IN it cannot be PER_AMOUNT.",
    ),
    (FIXED | {"trigger": "ACTIVITY"}, "RULE_INVALID", "activityType", "it must say which type of activity."),
    (FIXED | {"activityType": "share"}, "RULE_INVALID", "activityType", "only the trigger ACTIVITY has a type"),
    (
        when(quantityMin=2) | {"trigger": "BIRTHDAY"},
        "RULE_INVALID",
        "conditions",
        "only a purchase has amounts, products, quantities and a number.",
    ),
    (
        when(maximum=YUAN) | {"minimum": HUNDRED},
        "RULE_INVALID",
        "conditions.maximum",
        "no amount is at least what the rule needs and at most this, so it can never give.",
    ),
    (
        when(products=["p1"], withoutProducts=["p1"]),
        "RULE_INVALID",
        "conditions.products",
        "'p1' is both included and excluded.",
    ),
    (
        when(ordinal={"number": 2, "repeats": True, "onwards": True}),
        "RULE_INVALID",
        "conditions.ordinal",
        "it repeats (every n-th purchase) or goes on (all from the n-th on), not both.",
    ),
    (
        FIXED | {"expiry": {"kind": "INACTIVITY", "count": 30}},
        "RULE_INVALID",
        "expiry",
        "expiry by inactivity is a setting of the program, not of a rule.",
    ),
    (FIXED | {"expiry": {"kind": "DAYS"}}, "POLICY_INVALID", "expiry", "A policy of kind DAYS needs a count."),
]


@pytest.fixture
def refuses(shop: Shop) -> Callable[..., Any]:
    """A shop with a campaign and categories, and how it refuses a rule."""

    async def check(cases: list[tuple[dict[str, Any], str, str, str]]) -> None:
        await shop.do("programUpdate", "program { id }", categories=["tea", "coffee"])
        await shop.do("campaignSave", "ruleVersion", campaign=SPRING)
        before = await kept(shop)
        for rule, code, path, message in cases:
            refused = await shop.refused("earningRuleSave", rule=rule)
            assert (refused["code"], refused["field"]) == (code, ["rule", *path.split(".")]), rule
            assert message in refused["message"], refused
            is_of_spring = rule.get("campaign") == SPRING["code"]
            frame = SPRING if is_of_spring else SPRING | {"code": "other", "schedule": None}
            together = await shop.refused("campaignSave", campaign=frame, rules=[rule])
            assert together["field"] == ["rules", "0", *path.split(".")], together
        assert await kept(shop) == before

    return check


async def test_numbers_out_of_bounds_are_refused(refuses: Callable[..., Any]) -> None:
    """A multiplier of 0 or 10^9, a negative cap, and every other number."""
    await refuses(BAD_NUMBERS)


async def test_what_can_never_match_is_refused(refuses: Callable[..., Any]) -> None:
    """Windows that do not overlap, schedules without a day or an hour."""
    await refuses(BAD_TIMES)


async def test_what_is_not_there_is_refused_with_what_is_near(refuses: Callable[..., Any]) -> None:
    """Categories, segments and campaigns."""
    await refuses(BAD_REFERENCES)


async def test_contradictions_are_refused(refuses: Callable[..., Any]) -> None:
    """Between the kind, the trigger and the values."""
    await refuses(CONTRADICTIONS)
