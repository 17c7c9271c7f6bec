"""Programs: their settings, the bounds of them, and rules in versions (L3, L5, L7, L8)."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from domain import checks
from domain.earning import rule_sets
from domain.earning.effects import RuleInvalid
from domain.earning.rule_sets import EarningRules
from domain.earning.rules import ONE_POINT_A_UNIT, Conditions, EarningRule
from domain.policies import ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy, PolicyInvalid, TierPolicy, TierWindow
from domain.programs import (
    CATEGORIES_MAX,
    HOLD_MINUTES_MAX,
    CategoryInUse,
    CreateProgram,
    CurrencyInvalid,
    CurrencyMismatch,
    Program,
    ProgramSettings,
    ProgramUpdated,
    ReturnPolicy,
    ShortfallPolicy,
    TimeZoneInvalid,
    check_currency,
)
from domain.references import ReferenceUnknown
from tests.domain.memory import PROGRAM_ID, START, Memory
from tests.domain.shop import Shop, per_amount


def found(**told: Any) -> Program:
    return Memory().run(CreateProgram(**{"program_id": PROGRAM_ID, "name": "Tea", "currency_code": "CNY", **told}))


def test_a_program_starts_with_one_point_a_unit_at_once_and_for_ever() -> None:
    memory = Memory()
    program = memory.run(CreateProgram(program_id=PROGRAM_ID, name="Tea", currency_code="CNY"))
    (rule_set,) = memory.state.rows(EarningRules)
    assert (rule_set.version, rule_set.rules, rule_set.campaigns) == (1, ONE_POINT_A_UNIT, ())
    assert program == Program(
        id=PROGRAM_ID,
        program_id=PROGRAM_ID,
        name="Tea",
        currency_code="CNY",
        time_zone="Asia/Shanghai",
        rule_version=1,
        sign_up_points=0,
        pending=PendingPolicy(PendingKind.IMMEDIATE),
        expiry=ExpiryPolicy(ExpiryKind.NEVER),
        shortfall_policy=ShortfallPolicy.DEBT,
        return_policy=ReturnPolicy.REPLACE,
        replacement_days=7,
        hold_minutes=15,
        point_value_bp=100_000,
        created_at=START,
    )


def test_settings_that_are_not_told_stay(shop: Shop) -> None:
    before = shop.program
    after = shop.update(name=" New ", hold_minutes=30)
    assert after == replace(before, name="New", hold_minutes=30)
    assert shop.events == (ProgramUpdated(),)


def test_l7_new_rules_are_a_new_version_and_other_settings_are_not(shop: Shop) -> None:
    assert shop.update(sign_up_points=5).rule_version == 1
    rules = (per_amount(2, 100),)
    after = shop.update(rules=rules)
    assert after.rule_version == 2
    assert rule_sets.of_version(shop.state, 1).rules == ONE_POINT_A_UNIT
    assert rule_sets.of_version(shop.state, 2).rules == (replace(rules[0], version=2),)


@pytest.mark.parametrize("given", ["", "cny", "CN", "CNYX", "C1Y", "CNY\n"])
def test_a_currency_is_three_capital_letters(given: str) -> None:
    with pytest.raises(CurrencyInvalid) as refused:
        found(currency_code=given)
    assert refused.value.details == {"given": given}


def test_money_of_a_program_is_in_its_currency(shop: Shop) -> None:
    check_currency(shop.program, "CNY")
    with pytest.raises(CurrencyMismatch) as refused:
        check_currency(shop.program, "USD")
    assert refused.value.details == {"expected": "CNY", "given": "USD"}


@pytest.mark.parametrize(
    "given", ["", "Shanghai", "../etc/passwd", "/etc/localtime", "Asia", "UTC+8", "Asia/Shanghai\0"]
)
def test_a_time_zone_is_one_of_the_iana_database(given: str) -> None:
    with pytest.raises(TimeZoneInvalid):
        found(time_zone=given)
    with pytest.raises(TimeZoneInvalid):
        Shop().update(time_zone=given)


@pytest.mark.parametrize(
    ("settings", "refusal"),
    [
        ({"name": " "}, checks.TextInvalid),
        ({"sign_up_points": -1}, checks.PointsInvalid),
        ({"sign_up_points": checks.POINTS_MAX + 1}, checks.PointsInvalid),
        ({"replacement_days": 0}, checks.NumberInvalid),
        ({"replacement_days": 3651}, checks.NumberInvalid),
        ({"hold_minutes": 0}, checks.NumberInvalid),
        ({"hold_minutes": HOLD_MINUTES_MAX + 1}, checks.NumberInvalid),
        ({"point_value_bp": -1}, checks.NumberInvalid),
        ({"pending": PendingPolicy(PendingKind.AFTER)}, PolicyInvalid),
        ({"pending": PendingPolicy(PendingKind.AFTER, days=0)}, checks.NumberInvalid),
        ({"pending": PendingPolicy(PendingKind.AFTER, days=3651)}, checks.NumberInvalid),
        ({"pending": PendingPolicy(PendingKind.ON_DATE)}, PolicyInvalid),
        ({"expiry": ExpiryPolicy(ExpiryKind.FIXED_DATE)}, PolicyInvalid),
        ({"expiry": ExpiryPolicy(ExpiryKind.DAYS)}, PolicyInvalid),
        ({"expiry": ExpiryPolicy(ExpiryKind.DAYS, count=0)}, checks.NumberInvalid),
        ({"expiry": ExpiryPolicy(ExpiryKind.INACTIVITY, count=3651)}, checks.NumberInvalid),
        ({"expiry": ExpiryPolicy(ExpiryKind.END_OF_YEAR, count=-1)}, checks.NumberInvalid),
        ({"expiry": ExpiryPolicy(ExpiryKind.END_OF_MONTH, count=121)}, checks.NumberInvalid),
    ],
)
def test_settings_have_bounds(settings: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        found(settings=ProgramSettings(**settings))
    with pytest.raises(refusal):
        Shop().update(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"sign_up_points": 0},
        {"replacement_days": 3650, "hold_minutes": HOLD_MINUTES_MAX, "point_value_bp": 0},
        {"pending": PendingPolicy(PendingKind.ON_DATE, on_date=date(2026, 2, 1))},
        {"expiry": ExpiryPolicy(ExpiryKind.END_OF_QUARTER, count=0)},
        {"expiry": ExpiryPolicy(ExpiryKind.FIXED_DATE, on_date=date(2026, 12, 31))},
        {"shortfall_policy": ShortfallPolicy.CLAMP, "return_policy": ReturnPolicy.FORFEIT},
    ],
)
def test_settings_within_bounds_are_kept(settings: dict[str, Any]) -> None:
    program = Shop().update(**settings)
    assert {name: getattr(program, name) for name in settings} == settings


def test_bad_rules_are_refused_before_anything_is_founded() -> None:
    with pytest.raises(RuleInvalid):
        found(rules=(per_amount(1, 100), per_amount(2, 100)))


def test_what_is_wrong_with_a_program_is_told_in_order() -> None:
    told: dict[str, Any] = {
        "currency_code": "x",
        "time_zone": "x",
        "settings": ProgramSettings(hold_minutes=0),
        "rules": (per_amount(0, 1),),
        "name": "",
    }
    precedence: list[tuple[type[Exception], dict[str, Any]]] = [
        (CurrencyInvalid, {"currency_code": "CNY"}),
        (TimeZoneInvalid, {"time_zone": "UTC"}),
        (checks.NumberInvalid, {"settings": ProgramSettings()}),
        (checks.PointsInvalid, {"rules": ONE_POINT_A_UNIT}),
        (checks.TextInvalid, {"name": "Tea"}),
    ]
    for refusal, mended in precedence:
        with pytest.raises(refusal):
            found(**told)
        told |= mended
    assert found(**told).time_zone == "UTC"


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ((per_amount(1, 100), per_amount(2, 100)), "it is told twice; each needs a code of its own."),
        ((per_amount(1, 100, campaign="spring"),), None),
        ((per_amount(1, 100, when=Conditions(stores=(UUID(int=9),))),), None),
        ((per_amount(1, 100, when=Conditions(categories=("coffee",))),), None),
    ],
)
def test_the_first_rules_are_checked_like_all_others_and_nothing_is_founded(
    rules: tuple[EarningRule, ...], why: str | None
) -> None:
    memory = Memory()
    with pytest.raises(RuleInvalid if why else ReferenceUnknown) as refused:
        memory.run(
            CreateProgram(
                program_id=PROGRAM_ID,
                name="Tea",
                currency_code="CNY",
                settings=ProgramSettings(categories=("tea",)),
                rules=rules,
            )
        )
    assert why is None or refused.value.details == {"rule": "base", "why": why}
    assert (memory.state.rows(Program), memory.state.rows(EarningRules)) == ((), ())


def test_the_first_rules_may_name_the_categories_that_are_told_with_them() -> None:
    rule = per_amount(1, 100, when=Conditions(categories=("tea",)))
    assert found(settings=ProgramSettings(categories=(" tea ", "tea", "cake")), rules=(rule,)).categories == (
        "tea",
        "cake",
    )


def test_k2_another_tier_policy_is_another_ladder_and_other_settings_are_not(shop: Shop) -> None:
    assert shop.update(hold_minutes=30).ladder_version == 1
    yearly = TierPolicy(window=TierWindow.CALENDAR_YEAR)
    assert shop.update(tier_policy=yearly).ladder_version == 2
    assert shop.update(tier_policy=yearly).ladder_version == 2


@pytest.mark.parametrize(
    ("policy", "refusal"),
    [
        (TierPolicy(window=TierWindow.ROLLING), PolicyInvalid),
        (TierPolicy(window=TierWindow.ROLLING, months=0), checks.NumberInvalid),
        (TierPolicy(window=TierWindow.ROLLING, months=121), checks.NumberInvalid),
        (TierPolicy(validity_days=0), checks.NumberInvalid),
        (TierPolicy(validity_days=3651), checks.NumberInvalid),
        (TierPolicy(grace_days=-1), checks.NumberInvalid),
        (TierPolicy(grace_days=367), checks.NumberInvalid),
    ],
)
def test_k2_a_tier_policy_out_of_bounds_is_refused(policy: TierPolicy, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        Shop().update(tier_policy=policy)


def test_categories_are_trimmed_told_once_and_bounded(shop: Shop) -> None:
    assert shop.update(categories=(" tea ", "tea", "cake")).categories == ("tea", "cake")
    with pytest.raises(checks.TooMany) as refused:
        shop.update(categories=tuple(str(number) for number in range(CATEGORIES_MAX + 1)))
    assert refused.value.details == {"name": "categories", "count": 501, "count_max": 500}
    with pytest.raises(checks.TextInvalid):
        shop.update(categories=(" ",))
    assert shop.program.categories == ("tea", "cake")


def test_a_category_that_a_rule_names_is_not_removed(shop: Shop) -> None:
    shop.update(categories=("tea", "cups"))
    shop.edit(rules=(replace(ONE_POINT_A_UNIT[0], when=Conditions(categories=("tea",))),))
    with pytest.raises(CategoryInUse) as refused:
        shop.update(categories=("cups",))
    assert refused.value.details == {"category": "tea", "rule": "base"}
    assert shop.program.categories == ("tea", "cups")
    assert shop.update(categories=("tea",)).categories == ("tea",)
