"""What rules give for an occasion: a pure function, floored once, whose items are the total (L6)."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.earning import evaluation, matching
from domain.earning.evaluation import Evaluation
from domain.earning.facts import BasisLine, Facts, Occasion
from domain.earning.matching import Skip
from domain.earning.rules import Conditions, EarningKind, EarningRule, Trigger
from tests.domain.memory import START
from tests.domain.shop import SHANGHAI, bonus_at, fixed, per_amount, tiered, times

NO_TIER: Final = Facts()
TIER_BY_HALF: Final = Facts(tier_id=UUID(int=1), multiplier_bp=15_000)
TEA, CAKE = (Conditions(categories=(category,)) for category in ("tea", "cake"))


def line(paid_minor: int, category: str = "tea", product_id: str = "a", quantity: int = 1) -> BasisLine:
    return BasisLine(paid_minor=paid_minor, category=category, product_id=product_id, quantity=quantity)


def evaluated(
    rules: Sequence[EarningRule], *lines: BasisLine | int, freight: int = 0, facts: Facts = NO_TIER
) -> Evaluation:
    occasion = Occasion(
        trigger=Trigger.PURCHASE,
        occurred_at=START,
        time_zone=SHANGHAI,
        lines=tuple(line(each) if isinstance(each, int) else each for each in lines),
        freight_minor=freight,
    )
    return evaluation.evaluate(matching.compiled(rules, ()), occasion, facts)


def points(*told: Any, **more: Any) -> dict[str, int]:
    """What each rule gives."""
    return {item.rule.code: item.points for item in evaluated(*told, **more).requested}


def skips(*told: Any, **more: Any) -> dict[str, Skip]:
    return {item.rule.code: item.why for item in evaluated(*told, **more).skipped}


# Vectors.


@pytest.mark.parametrize(
    ("rules", "paid", "facts", "expected"),
    [
        ((per_amount(1, 100),), 19_990, Facts(), {"base": 199}),
        ((per_amount(1, 1_000),), 19_990, Facts(), {"base": 19}),
        ((per_amount(1, 1_000), times(20_000)), 19_990, Facts(), {"base": 19, "double": 20}),
        ((per_amount(1, 100),), 19_990, TIER_BY_HALF, {"base": 299}),
        ((per_amount(1, 100), times(20_000)), 19_990, TIER_BY_HALF, {"base": 299, "double": 300}),
        ((per_amount(1, 100, minimum_minor=19_991),), 19_990, Facts(), {}),
        ((per_amount(1, 100, minimum_minor=19_990),), 19_990, Facts(), {"base": 199}),
        ((bonus_at(30_000, 50),), 29_999, Facts(), {}),
        ((bonus_at(30_000, 50),), 30_000, Facts(), {"bonus": 50}),
        ((bonus_at(30_000, 50), times(20_000)), 30_000, TIER_BY_HALF, {"bonus": 50}),
        ((fixed(7), times(20_000)), 1, TIER_BY_HALF, {"fixed": 7}),
        ((per_amount(1, 100),), 99, Facts(), {}),
        ((per_amount(1, 100), fixed(5)), 0, Facts(), {}),
    ],
)
def test_l6_vectors(rules: tuple[EarningRule, ...], paid: int, facts: Facts, expected: dict[str, int]) -> None:
    assert points(rules, paid, facts=facts) == expected


def test_l6_a_double_day_is_39_in_all_not_38() -> None:
    assert sum(points((per_amount(1, 1_000), times(20_000)), 19_990).values()) == 39


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((line(10_000), line(20_000, "cake")), {"base": 300, "double": 100}),
        ((line(150), line(150, "cake")), {"base": 3, "double": 1}),
        ((line(20_000, "cake"),), {"base": 200}),
        ((line(10_000),), {"base": 100, "double": 100}),
    ],
)
def test_l6_a_multiplier_of_some_goods_multiplies_those_lines_only(
    lines: tuple[BasisLine, ...], expected: dict[str, int]
) -> None:
    assert points((per_amount(1, 100), times(20_000, when=TEA)), *lines) == expected


def test_l6_freight_counts_only_for_rules_that_include_it() -> None:
    both = (per_amount(1, 100), per_amount(1, 100, "with-freight", includes_freight=True))
    assert points(both, 9_000, freight=1_000) == {"base": 90, "with-freight": 100}


def test_l6_freight_reaches_a_threshold_only_for_rules_that_include_it() -> None:
    both = (bonus_at(10_000, 5), bonus_at(10_000, 7, "with-freight", includes_freight=True))
    assert points(both, 9_500, freight=500) == {"with-freight": 7}
    assert points(both, freight=10_000) == {"with-freight": 7}
    least = (fixed(5, minimum_minor=9_999), fixed(7, "with-freight", minimum_minor=9_999, includes_freight=True))
    assert points(least, 9_500, freight=499) == {"with-freight": 7}
    most = fixed(5, includes_freight=True, when=Conditions(maximum_minor=9_999))
    assert points((most,), 9_500, freight=500) == {}


def test_l6_a_multiplier_multiplies_freight_too_unless_it_is_for_some_goods() -> None:
    base = per_amount(1, 100, includes_freight=True)
    assert points((base, times(20_000)), 9_000, freight=1_000) == {"base": 100, "double": 100}
    assert points((base, times(20_000, when=TEA)), 9_000, freight=1_000) == {"base": 100, "double": 90}
    leaves_out = Conditions(without_categories=("cake",))
    assert points((base, times(20_000, when=leaves_out)), 9_000, freight=1_000) == {"base": 100, "double": 100}


def test_l6_multipliers_multiply_each_other_and_each_item_is_what_it_adds() -> None:
    rules = (per_amount(1, 100), times(20_000, "two"), times(15_000, "half", priority=-1))
    assert points(rules, 9_900) == {"base": 99, "two": 99, "half": 99}
    assert points(rules, 333) == {"base": 3, "two": 3, "half": 3}, "3.33 × 3 is 9.99, floored once"
    assert [item.rule.code for item in evaluated(rules, 9_900).requested] == ["base", "two", "half"]


def test_l6_lines_that_are_alike_are_multiplied_each_once() -> None:
    same = line(5_000)
    assert points((per_amount(1, 100), times(20_000)), same, same, line(5_000)) == {"base": 150, "double": 150}


def test_l6_a_multiplier_below_its_own_minimum_does_nothing() -> None:
    rules = (per_amount(1, 100), times(20_000, minimum_minor=20_000, when=TEA))
    assert points(rules, line(19_999), line(50_000, "cake")) == {"base": 699}
    assert points(rules, line(20_000), line(50_000, "cake")) == {"base": 700, "double": 200}


def test_l6_a_multiplier_alone_has_nothing_to_multiply() -> None:
    assert points((times(20_000),), 10_000) == {}
    assert skips((times(20_000),), 10_000) == {"double": Skip.NOTHING_TO_GIVE}


BANDS: Final = ((0, 1, 100), (10_000, 2, 100), (50_000, 3, 100))


@pytest.mark.parametrize(
    ("paid", "marginal", "whole"),
    [
        (9_999, 99, 99),
        (10_000, 100, 200),
        (10_050, 101, 201),
        (49_999, 899, 999),
        (50_000, 900, 1_500),
        (60_000, 1_200, 1_800),
    ],
)
def test_s14_bands_are_marginal_or_the_highest_is_for_all(paid: int, marginal: int, whole: int) -> None:
    assert points((tiered(*BANDS),), paid) == {"tiered": marginal}
    assert points((tiered(*BANDS, bands_are_marginal=False),), paid) == {"tiered": whole}


def test_s14_below_the_first_band_nothing_is_given() -> None:
    assert points((tiered((10_000, 1, 100)),), 9_999) == {}
    assert points((tiered((10_000, 1, 100)),), 10_100) == {"tiered": 1}


def test_l6_bands_of_different_fractions_are_added_before_they_are_floored() -> None:
    thirds = tiered((0, 1, 300), (1_000, 1, 700))
    # 1000/300 + 1000/700 = 3.33 + 1.43 = 4.76; with the tier's half more 7.14.
    assert points((thirds,), 2_000) == {"tiered": 4}
    assert points((thirds,), 2_000, facts=TIER_BY_HALF) == {"tiered": 7}


# Which apply.


def test_items_come_by_falling_priority_and_else_in_the_order_of_the_rules() -> None:
    rules = (fixed(1, "late", priority=-5), fixed(2, "b"), fixed(3, "a"), fixed(4, "first", priority=5))
    assert list(points(rules, 100)) == ["first", "b", "a", "late"]


@pytest.mark.parametrize(
    ("rule", "lines", "why"),
    [
        (fixed(1, minimum_minor=101), (100,), Skip.BELOW_MINIMUM),
        (bonus_at(101, 1), (100,), Skip.BELOW_MINIMUM),
        (fixed(1, when=Conditions(maximum_minor=99)), (100,), Skip.ABOVE_MAXIMUM),
        (fixed(1, when=Conditions(quantity_min=3)), (line(100, quantity=2),), Skip.QUANTITY),
        (fixed(1, when=CAKE), (100,), Skip.LINES),
        (fixed(1, when=Conditions(products=("b",))), (100,), Skip.LINES),
        (fixed(1, when=Conditions(without_products=("a",))), (100,), Skip.LINES),
        (fixed(1, when=Conditions(without_categories=("tea",))), (100,), Skip.LINES),
        (fixed(1), (0,), Skip.NOTHING_TO_GIVE),
        (per_amount(1, 1_000), (100,), Skip.NOTHING_TO_GIVE),
    ],
)
def test_a_rule_that_gives_nothing_says_why(rule: EarningRule, lines: tuple[BasisLine | int, ...], why: Skip) -> None:
    found = evaluated((rule,), *lines)
    assert (found.requested, [(item.rule, item.why) for item in found.skipped]) == ((), [(rule, why)])


def test_amounts_and_quantities_are_of_the_lines_that_count() -> None:
    rule = fixed(9, minimum_minor=200, when=Conditions(categories=("tea",), quantity_min=3, maximum_minor=300))
    assert points((rule,), line(200, quantity=3), line(900, "cake", quantity=9)) == {"fixed": 9}
    assert points((rule,), line(199, quantity=3), line(900, "cake", quantity=9)) == {}
    assert points((rule,), line(200, quantity=2), line(900, "cake", quantity=9)) == {}
    assert points((rule,), line(301, quantity=3)) == {}
    assert points((rule,), line(150, quantity=1), line(150, quantity=2)) == {"fixed": 9}


def test_a_product_is_chosen_by_its_id_and_left_out_by_its_category_at_once() -> None:
    rule = per_amount(1, 100, when=Conditions(products=("a", "b"), without_categories=("cake",)))
    assert points((rule,), line(500), line(700, "cake", "b"), line(900, "tea", "c")) == {"base": 5}


def test_a_line_without_category_or_product_is_none_of_those_that_are_named() -> None:
    bare = BasisLine(paid_minor=500)
    assert points((per_amount(1, 100, when=TEA),), bare) == {}
    assert points((per_amount(1, 100, when=Conditions(without_categories=("tea",))),), bare) == {"base": 5}


# Exclusive groups.


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((fixed(5, "a"), fixed(9, "b"), fixed(9, "c")), "b"),
        ((fixed(5, "a", priority=1), fixed(9, "b")), "a"),
        ((per_amount(1, 100, "a"), fixed(99, "b")), "a"),
        ((per_amount(1, 100, "a"), fixed(101, "b")), "b"),
        ((per_amount(1, 100, "a"), bonus_at(20_000, 900, "b")), "a"),
        ((tiered((0, 1, 200), code="a"), per_amount(1, 100, "b")), "b"),
    ],
)
def test_of_an_exclusive_group_one_gives_by_priority_then_by_what_it_gives_then_by_code(
    rules: tuple[EarningRule, ...], expected: str
) -> None:
    grouped = tuple(EarningRule(**{**_values(rule), "exclusive_group": "g"}) for rule in rules)
    assert list(points(grouped, 10_000)) == [expected]
    assert list(points(tuple(reversed(grouped)), 10_000)) == [expected]


def test_a_rule_of_a_group_in_which_another_gave_says_so() -> None:
    assert skips((fixed(5, "a", exclusive_group="g"), fixed(9, "b", exclusive_group="g")), 100) == {"a": Skip.EXCLUDED}


def _values(rule: EarningRule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in EarningRule.__dataclass_fields__}


def test_what_a_rule_gives_in_its_group_is_with_the_tiers_factor() -> None:
    rules = (per_amount(1, 100, "a", exclusive_group="g"), fixed(120, "b", exclusive_group="g"))
    assert points(rules, 10_000) == {"b": 120}
    assert points(rules, 10_000, facts=TIER_BY_HALF) == {"a": 150}


def test_a_multiplier_is_worth_in_its_group_what_it_adds_not_how_large_its_factor_is() -> None:
    rules = (
        per_amount(1, 100),
        times(30_000, "triple-cake", exclusive_group="g", when=CAKE),
        times(20_000, "double", exclusive_group="g"),
    )
    assert points(rules, line(10_000), line(1_000, "cake")) == {"base": 110, "double": 110}
    assert points(rules, line(1_000), line(10_000, "cake")) == {"base": 110, "triple-cake": 200}


def test_a_multiplier_and_a_bonus_in_one_group_are_weighed_by_points() -> None:
    rules = (per_amount(1, 100), times(20_000, exclusive_group="g"), fixed(99, exclusive_group="g"))
    assert points(rules, 10_000) == {"base": 100, "double": 100}
    assert points(rules, 9_800) == {"base": 98, "fixed": 99}


def test_a_multiplier_does_not_multiply_a_rule_that_it_excludes() -> None:
    rules = (per_amount(1, 100, exclusive_group="g"), times(30_000, exclusive_group="g"))
    assert points(rules, 10_000) == {"base": 100}
    first = (rules[0], times(20_000, exclusive_group="g", priority=1))
    assert points(first, 10_000) == {}, "what has the higher priority gives, though it has nothing to multiply"


def test_rules_of_different_groups_and_of_none_all_give() -> None:
    rules = (fixed(1, "a", exclusive_group="g"), fixed(2, "b", exclusive_group="h"), fixed(3, "c"))
    assert points(rules, 100) == {"a": 1, "b": 2, "c": 3}


# Against an independent model.

AMOUNTS = st.integers(0, 60_000)
CATEGORIES = st.sampled_from(["tea", "cake", "mug"])
LINES = st.lists(st.builds(line, AMOUNTS, CATEGORIES, st.sampled_from("ab"), st.integers(1, 3)), max_size=5)
WHEN = st.builds(
    Conditions,
    maximum_minor=st.none() | st.integers(1, 90_000),
    quantity_min=st.none() | st.integers(1, 4),
    products=st.just(()) | st.just(("a",)),
    without_products=st.just(()) | st.just(("b",)),
    categories=st.just(()) | st.just(("tea",)) | st.just(("tea", "cake")),
    without_categories=st.just(()) | st.just(("mug",)),
)
MORE = {
    "code": st.uuids().map(str),
    "includes_freight": st.booleans(),
    "minimum_minor": st.just(0) | st.integers(0, 30_000),
    "priority": st.integers(-2, 2),
    "when": st.just(Conditions()) | WHEN,
}
PER_AMOUNT = st.builds(per_amount, st.integers(1, 50), st.integers(1, 3_000), **MORE)
BONUS = st.builds(bonus_at, st.integers(1, 60_000), st.integers(1, 500), **MORE)
FIXED = st.builds(fixed, st.integers(1, 500), **MORE)
MULTIPLIER = st.builds(times, st.integers(10_001, 50_000), **MORE)
BAND_LISTS = st.lists(
    st.tuples(st.integers(0, 50_000), st.integers(0, 9), st.integers(1, 900)),
    min_size=1,
    max_size=4,
    unique_by=lambda band: band[0],
).map(sorted)
TIERED = st.builds(lambda bands, **more: tiered(*bands, **more), BAND_LISTS, bands_are_marginal=st.booleans(), **MORE)
RULES = st.lists(PER_AMOUNT | BONUS | FIXED | MULTIPLIER | TIERED, max_size=6)


def model(rules: Sequence[EarningRule], lines: Sequence[BasisLine], freight: int, tier_bp: int) -> int:
    """The total by exact fractions: each rule by the amount is floored once, with all that multiplies it."""
    applying = [rule for rule in rules if _applies(rule, lines, freight)]
    total = 0
    for rule in applying:
        if rule.kind in (EarningKind.FIXED, EarningKind.BONUS_AT):
            total += rule.points
        elif rule.kind is not EarningKind.MULTIPLIER:
            paid = _paid(rule, lines, freight)
            average = _value(rule, paid) / paid
            parts = [Fraction(each.paid_minor) * _factors(applying, each) for each in lines if _takes(rule, each)]
            parts.append(Fraction(freight if rule.includes_freight else 0) * _factors(applying, None))
            total += int(sum(parts, Fraction(0)) * average * Fraction(tier_bp, 10_000))
    return total


def _takes(rule: EarningRule, each: BasisLine) -> bool:
    when = rule.when
    wanted = (not when.products or each.product_id in when.products) and (
        not when.categories or each.category in when.categories
    )
    return wanted and each.product_id not in when.without_products and each.category not in when.without_categories


def _paid(rule: EarningRule, lines: Sequence[BasisLine], freight: int) -> int:
    return sum(each.paid_minor for each in lines if _takes(rule, each)) + (freight if rule.includes_freight else 0)


def _applies(rule: EarningRule, lines: Sequence[BasisLine], freight: int) -> bool:
    taken = [each for each in lines if _takes(rule, each)]
    when, paid = rule.when, _paid(rule, lines, freight)
    chooses = when.products or when.categories or when.without_products or when.without_categories
    least = max(rule.minimum_minor, rule.amount_minor if rule.kind is EarningKind.BONUS_AT else 0, 1)
    most = paid if when.maximum_minor is None else when.maximum_minor
    return (
        bool(taken or not chooses)
        and least <= paid <= most
        and sum(each.quantity for each in taken) >= (when.quantity_min or 0)
    )


def _value(rule: EarningRule, paid: int) -> Fraction:
    if rule.kind is EarningKind.PER_AMOUNT:
        return Fraction(paid * rule.points, rule.amount_minor)
    if not rule.bands_are_marginal:
        reached = [band for band in rule.bands if band.from_minor <= paid]
        return Fraction(paid * reached[-1].points, reached[-1].amount_minor) if reached else Fraction(0)
    total = Fraction(0)
    for number, band in enumerate(rule.bands):
        end = rule.bands[number + 1].from_minor if number + 1 < len(rule.bands) else paid
        total += Fraction(max(0, min(paid, end) - band.from_minor) * band.points, band.amount_minor)
    return total


def _factors(applying: Sequence[EarningRule], each: BasisLine | None) -> Fraction:
    factor = Fraction(1)
    for rule in applying:
        if rule.kind is EarningKind.MULTIPLIER:
            names_goods = rule.when.products or rule.when.categories
            if (not names_goods) if each is None else _takes(rule, each):
                factor *= Fraction(rule.multiplier_bp, 10_000)
    return factor


@given(RULES, LINES, st.integers(0, 3_000), st.integers(1, 30_000))
def test_l6_items_are_exactly_the_total_of_an_independent_model(
    rules: list[EarningRule], lines: list[BasisLine], freight: int, tier_bp: int
) -> None:
    found = evaluated(rules, *lines, freight=freight, facts=Facts(multiplier_bp=tier_bp))
    assert sum(item.points for item in found.requested) == model(rules, lines, freight, tier_bp)
    assert all(item.points > 0 for item in found.requested)
    told = [item.rule.code for item in found.requested] + [item.rule.code for item in found.skipped]
    assert sorted(told) == sorted(rule.code for rule in rules), "every rule either gives or says why not"


@given(st.lists(PER_AMOUNT | BONUS | FIXED | MULTIPLIER, max_size=6), AMOUNTS, st.integers(1, 10**5))
def test_l7_without_upper_bounds_more_paid_never_earns_less(rules: list[EarningRule], paid: int, more: int) -> None:
    open_ended = [EarningRule(**{**_values(rule), "when": Conditions()}) for rule in rules]
    assert sum(points(open_ended, paid).values()) <= sum(points(open_ended, paid + more).values())
