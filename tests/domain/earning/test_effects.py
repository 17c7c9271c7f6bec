"""Rules that contradict themselves, give nothing or never match are refused, with their field and what is right."""

from dataclasses import replace
from typing import Any, Final

import pytest

from domain.audiences import Audience
from domain.checks import AmountInvalid, NumberInvalid, PointsInvalid, TooMany
from domain.earning import checking
from domain.earning.rules import (
    Anniversary,
    Band,
    Cap,
    CapPolicy,
    Conditions,
    EarningKind,
    EarningRule,
    Ordinal,
    Period,
    Trigger,
)
from domain.kernel import Refusal
from domain.schedules import Schedule
from domain.stores import Channel
from tests.domain.earning.saving import GOLD, HARBOUR, KNOWN, contradicts, refused
from tests.domain.shop import bonus_at, fixed, per_amount, tiered, times


def when(trigger: Trigger, **conditions: Any) -> EarningRule:
    kind = "review" if trigger is Trigger.ACTIVITY else None
    return fixed(1, trigger=trigger, activity_type=kind, when=Conditions(**conditions))


# What for.


def test_an_activity_has_a_type_and_nothing_else_has() -> None:
    assert contradicts(fixed(1, trigger=Trigger.ACTIVITY)) == (
        "activityType",
        "with the trigger ACTIVITY it must say which type of activity.",
    )
    assert contradicts(fixed(1, trigger=Trigger.CHECK_IN, activity_type="check_in")) == (
        "activityType",
        "only the trigger ACTIVITY has a type of activity, not CHECK_IN.",
    )


@pytest.mark.parametrize("rule", [per_amount(1, 100), bonus_at(100, 1), times(20_000), tiered((0, 1, 100))])
@pytest.mark.parametrize(
    "trigger", [trigger for trigger in Trigger if trigger not in (Trigger.PURCHASE, Trigger.FIRST_PURCHASE)]
)
def test_without_a_purchase_only_fixed_points_are_given(rule: EarningRule, trigger: Trigger) -> None:
    kind = "review" if trigger is Trigger.ACTIVITY else None
    told = {name: getattr(rule, name) for name in EarningRule.__dataclass_fields__}
    changed = EarningRule(**{**told, "trigger": trigger, "activity_type": kind})
    assert contradicts(changed) == (
        "kind",
        f"without a purchase only FIXED points can be given; with the trigger {trigger} it cannot be {rule.kind}.",
    )


@pytest.mark.parametrize("schedule", [Schedule(), Schedule(from_hour=9)])
def test_s26_a_member_day_needs_days(schedule: Schedule) -> None:
    assert contradicts(when(Trigger.MEMBER_DAY, schedule=schedule)) == (
        "conditions.schedule",
        "a member day needs a schedule that says which days.",
    )


@pytest.mark.parametrize(
    "rule",
    [
        when(Trigger.MEMBER_DAY, schedule=Schedule(month_days=(8,), from_hour=9)),
        when(Trigger.BIRTHDAY, schedule=Schedule(until_hour=20)),
    ],
)
def test_what_the_clock_gives_has_no_hours(rule: EarningRule) -> None:
    assert contradicts(rule) == ("conditions.schedule", f"{rule.trigger} is given once a day and cannot have hours.")


@pytest.mark.parametrize(
    "trigger",
    [Trigger.BIRTHDAY, Trigger.TIER_REACHED, Trigger.REFERRAL, Trigger.REFERRED, Trigger.SHARE],
)
@pytest.mark.parametrize(
    "place", [{"stores": (HARBOUR,)}, {"without_stores": (HARBOUR,)}, {"channels": (Channel.ONLINE,)}]
)
def test_what_happens_nowhere_has_no_store_and_no_channel(trigger: Trigger, place: dict[str, Any]) -> None:
    assert contradicts(when(trigger, **place)) == (
        "conditions",
        f"{trigger} happens in no store and through no channel.",
    )


@pytest.mark.parametrize("conditions", [{"audience": Audience(tiers=(GOLD,))}, {"anniversary": Anniversary.ENROLLMENT}])
def test_who_is_joining_has_no_tier_and_no_anniversary(conditions: dict[str, Any]) -> None:
    assert contradicts(when(Trigger.ENROLLMENT, **conditions)) == (
        "conditions",
        "who is joining has no tier and no anniversary yet, so it can never match.",
    )


OF_A_PURCHASE: Final[list[dict[str, Any]]] = [
    {"minimum_minor": 1},
    {"includes_freight": True},
    {"when": Conditions(maximum_minor=1)},
    {"when": Conditions(quantity_min=1)},
    {"when": Conditions(ordinal=Ordinal(number=1))},
    {"when": Conditions(products=("a",))},
    {"when": Conditions(without_products=("a",))},
    {"when": Conditions(categories=("tea",))},
    {"when": Conditions(without_categories=("tea",))},
]


@pytest.mark.parametrize("told", OF_A_PURCHASE)
def test_only_a_purchase_has_amounts_and_goods(told: dict[str, Any]) -> None:
    checking.check_rule(fixed(1, **told), {}, KNOWN)
    assert contradicts(fixed(1, trigger=Trigger.CHECK_IN, **told)) == (
        "conditions",
        "only a purchase has amounts, products, quantities and a number.",
    )


def test_an_ordinal_repeats_or_goes_on() -> None:
    both = Conditions(ordinal=Ordinal(number=3, repeats=True, onwards=True))
    assert contradicts(fixed(1, when=both)) == (
        "conditions.ordinal",
        "it repeats (every n-th purchase) or goes on (all from the n-th on), not both.",
    )


def test_s22_a_first_purchase_has_its_number() -> None:
    second = Conditions(ordinal=Ordinal(number=2))
    assert contradicts(fixed(1, trigger=Trigger.FIRST_PURCHASE, when=second)) == (
        "conditions.ordinal",
        "a first purchase is the first; a number is for PURCHASE.",
    )


# What.


@pytest.mark.parametrize(
    ("rule", "field", "why"),
    [
        (
            fixed(1, amount_minor=30_000),
            "amount",
            "its kind FIXED does not look at amount, which is for BONUS_AT, PER_AMOUNT.",
        ),
        (
            times(20_000, points=5),
            "points",
            "its kind MULTIPLIER does not look at points, which is for BONUS_AT, FIXED, PER_AMOUNT.",
        ),
        (
            tiered((0, 1, 100), points=5),
            "points",
            "its kind TIERED does not look at points, which is for BONUS_AT, FIXED, PER_AMOUNT.",
        ),
        (
            per_amount(1, 100, multiplier_bp=20_000),
            "multiplierBp",
            "its kind PER_AMOUNT does not look at multiplierBp, which is for MULTIPLIER.",
        ),
        (
            bonus_at(100, 1, bands=(Band(from_minor=0, points=1, amount_minor=1),)),
            "bands",
            "its kind BONUS_AT does not look at bands, which is for TIERED.",
        ),
    ],
)
def test_a_number_of_another_kind_was_meant_for_something(rule: EarningRule, field: str, why: str) -> None:
    assert contradicts(rule) == (field, why)


@pytest.mark.parametrize("bad", [0, -1, 10**9 + 1])
@pytest.mark.parametrize("rule", [per_amount, lambda points, _: bonus_at(100, points), lambda points, _: fixed(points)])
def test_points_are_from_1_to_a_billion(rule: Any, bad: int) -> None:
    found = refused(rule(bad, 100), PointsInvalid)
    assert found.field == ("points",)
    assert found.details == {"name": "points", "points": bad, "points_min": 1, "points_max": 10**9}
    assert found.message == f"points must be from 1 to 1000000000; it is {bad}."


@pytest.mark.parametrize("bad", [0, -1, 10**12 + 1])
@pytest.mark.parametrize("rule", [lambda amount: per_amount(1, amount), lambda amount: bonus_at(amount, 1)])
def test_the_amount_of_a_rate_or_threshold_is_not_nothing(rule: Any, bad: int) -> None:
    found = refused(rule(bad), AmountInvalid)
    assert found.details == {"name": "amount", "amount": bad, "minimum": 1, "maximum": 10**12}


@pytest.mark.parametrize("bad", [0, 9_999, 10_000, 1_000_001, 10**9])
def test_s15_a_multiplier_is_more_than_1_and_at_most_100(bad: int) -> None:
    found = refused(times(bad), NumberInvalid)
    assert found.field == ("multiplierBp",)
    assert found.details == {"name": "multiplierBp", "number": bad, "minimum": 10_001, "maximum": 1_000_000}


def test_a_rule_at_its_bounds_is_kept() -> None:
    for rule in (times(10_001), times(1_000_000), per_amount(10**9, 10**12), fixed(10**9, priority=-1_000)):
        assert checking.check_rule(rule, {}, KNOWN) == rule


@pytest.mark.parametrize(
    ("rule", "name", "bad"),
    [
        (fixed(1, minimum_minor=-1), "minimum", -1),
        (fixed(1, when=Conditions(maximum_minor=0)), "conditions.maximum", 0),
        (tiered((-1, 1, 100)), "bands.from", -1),
        (tiered((0, 1, 0)), "bands.amount", 0),
    ],
)
def test_amounts_have_bounds(rule: EarningRule, name: str, bad: int) -> None:
    found = refused(rule, AmountInvalid)
    assert (found.field, found.details["name"], found.details["amount"]) == ((name,), name, bad)


@pytest.mark.parametrize(
    "rule",
    [
        fixed(1, minimum_minor=101, when=Conditions(maximum_minor=100)),
        bonus_at(101, 1, when=Conditions(maximum_minor=100)),
        tiered((101, 1, 100), when=Conditions(maximum_minor=100)),
        tiered((0, 0, 100), (101, 1, 100), when=Conditions(maximum_minor=100)),
    ],
)
def test_an_upper_bound_below_what_the_rule_needs_is_refused(rule: EarningRule) -> None:
    assert contradicts(rule) == (
        "conditions.maximum",
        "no amount is at least what the rule needs and at most this, so it can never give.",
    )


def test_an_upper_bound_that_is_just_what_the_rule_needs_is_kept() -> None:
    rule = bonus_at(100, 1, minimum_minor=100, when=Conditions(maximum_minor=100))
    assert checking.check_rule(rule, {}, KNOWN) == rule


@pytest.mark.parametrize(
    ("bands", "why"),
    [
        ((), "TIERED needs bands, each beginning above the one before."),
        (((100, 1, 100), (100, 2, 100)), "TIERED needs bands, each beginning above the one before."),
        (((100, 1, 100), (0, 2, 100)), "TIERED needs bands, each beginning above the one before."),
        (((0, 0, 100),), "none of its bands gives any points."),
    ],
)
def test_s14_bands_rise_and_one_gives_something(bands: tuple[tuple[int, int, int], ...], why: str) -> None:
    assert contradicts(tiered(*bands)) == ("bands", why)


def test_s14_a_band_has_bounds() -> None:
    assert refused(tiered((0, -1, 100)), PointsInvalid).field == ("bands.points",)
    assert refused(tiered((0, 10**9 + 1, 100)), PointsInvalid).field == ("bands.points",)
    found = refused(tiered(*((number, 1, 100) for number in range(21))), TooMany)
    assert found.details == {"name": "bands", "count": 21, "count_max": 20}


# How much at most.


def test_l13_caps_bound_something_once_a_period() -> None:
    assert contradicts(fixed(1, caps=(Cap(period=Period.DAY),))) == ("caps", "a cap bounds points or times.")
    twice = (Cap(period=Period.DAY, points=1), Cap(period=Period.DAY, times=1))
    assert contradicts(fixed(1, caps=twice)) == (
        "caps",
        "two caps are for the same period; one cap may bound both points and times.",
    )
    assert refused(fixed(1, caps=twice * 6), TooMany).details == {"name": "caps", "count": 12, "count_max": 10}


@pytest.mark.parametrize(
    ("cap", "kind", "field"),
    [
        (Cap(period=Period.DAY, points=0), PointsInvalid, "caps.points"),
        (Cap(period=Period.DAY, points=-1), PointsInvalid, "caps.points"),
        (Cap(period=Period.DAY, points=2**53), PointsInvalid, "caps.points"),
        (Cap(period=Period.DAY, times=0), NumberInvalid, "caps.times"),
        (Cap(period=Period.DAY, times=-1), NumberInvalid, "caps.times"),
        (Cap(period=Period.DAY, times=10_001), NumberInvalid, "caps.times"),
        (Cap(period=Period.DAY, points=1, times=0), NumberInvalid, "caps.times"),
    ],
)
def test_l13_a_cap_is_not_nothing(cap: Cap, kind: type[Refusal], field: str) -> None:
    assert refused(fixed(1, caps=(cap,)), kind).field == (field,)


@pytest.mark.parametrize("rule", [fixed(100), bonus_at(5_000, 100)])
def test_l13_what_is_given_all_at_once_or_not_at_all_fits_under_its_caps(rule: EarningRule) -> None:
    small = replace(rule, caps=(Cap(period=Period.YEAR, points=100), Cap(period=Period.DAY, points=99)))
    assert checking.check_rule(small, {}, KNOWN) == small, "it gives what is left"
    assert contradicts(replace(small, cap_policy=CapPolicy.REJECT)) == (
        "caps.points",
        "with REJECT it gives 100 points or none, and a cap is 99, so it can never give.",
    )
    fits = replace(small, caps=small.caps[:1], cap_policy=CapPolicy.REJECT)
    assert checking.check_rule(fits, {}, KNOWN) == fits


def test_l13_what_depends_on_the_amount_may_have_a_small_cap() -> None:
    rule = per_amount(100, 100, caps=(Cap(period=Period.DAY, points=99),), cap_policy=CapPolicy.REJECT)
    assert checking.check_rule(rule, {}, KNOWN) == rule


@pytest.mark.parametrize(
    ("conditions", "field", "minimum", "maximum", "bad"),
    [
        ({"quantity_min": 0}, "conditions.quantityMin", 1, 1_000_000, 0),
        ({"quantity_min": 1_000_001}, "conditions.quantityMin", 1, 1_000_000, 1_000_001),
        ({"new_for_days": -1}, "conditions.newForDays", 0, 3_650, -1),
        ({"new_for_days": 3_651}, "conditions.newForDays", 0, 3_650, 3_651),
        ({"ordinal": Ordinal(number=0)}, "conditions.ordinal.number", 1, 10_000, 0),
        ({"ordinal": Ordinal(number=10_001)}, "conditions.ordinal.number", 1, 10_000, 10_001),
    ],
)
def test_numbers_of_conditions_have_bounds(
    conditions: dict[str, Any], field: str, minimum: int, maximum: int, bad: int
) -> None:
    found = refused(fixed(1, when=Conditions(**conditions)), NumberInvalid)
    assert found.field == (field,)
    assert found.details == {"name": field, "number": bad, "minimum": minimum, "maximum": maximum}


@pytest.mark.parametrize("bad", [-1_001, 1_001])
def test_a_priority_has_bounds(bad: int) -> None:
    assert refused(fixed(1, priority=bad), NumberInvalid).details == {
        "name": "priority",
        "number": bad,
        "minimum": -1_000,
        "maximum": 1_000,
    }


def test_every_kind_has_its_values_in_the_table_of_what_only_it_looks_at() -> None:
    kinds = {EarningKind.PER_AMOUNT, EarningKind.BONUS_AT, EarningKind.FIXED, EarningKind.MULTIPLIER}
    assert kinds | {EarningKind.TIERED} == set(EarningKind)
