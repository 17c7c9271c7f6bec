"""The terms say all that the computation looks at, and nothing else, in both languages: proved field by field."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date
from typing import Any, Final

import pytest

from domain.audiences import Audience
from domain.earning.rules import (
    NONE,
    PROPORTIONAL,
    Anniversary,
    Band,
    Campaign,
    Cap,
    CapPolicy,
    Conditions,
    EarningKind,
    EarningRule,
    Ordinal,
    Period,
    Trigger,
)
from domain.policies import AT_ONCE, FOR_EVER, ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from domain.schedules import Schedule
from domain.stores import Channel
from domain.terms import campaigns, policies, rules, tiers
from domain.terms.tiers import TierTerms
from domain.terms.wording import Terms
from tests.domain.terms.test_catalogue import (
    AIRPORT,
    BANDS,
    CAMPAIGNS,
    GOLD,
    HARBOUR,
    NAMING,
    PER_YUAN,
    RULES,
    SILVER,
    SPRING,
    SUBJECTS,
    is_legal,
    on,
)

Key = tuple[type, str]

# Two legal values for every field that the computation looks at. A field that is missing here fails the tests: say in
# the terms what it does, and add it.
VALUES: Final[Mapping[Key, tuple[Any, ...]]] = {
    (EarningRule, "kind"): tuple(EarningKind),
    (EarningRule, "points"): (70, 90),
    (EarningRule, "amount_minor"): (20_000, 19_990),
    (EarningRule, "includes_freight"): (False, True),
    (EarningRule, "minimum_minor"): (10_000, 0),
    (EarningRule, "trigger"): tuple(Trigger),
    (EarningRule, "activity_type"): ("share", "review"),
    (EarningRule, "multiplier_bp"): (15_000, 20_000),
    (EarningRule, "bands"): (BANDS[:1], (*BANDS, Band(from_minor=80_000, points=3, amount_minor=100))),
    (EarningRule, "bands_are_marginal"): (True, False),
    (EarningRule, "when"): (NONE, Conditions(schedule=Schedule(weekdays=(1, 2)))),
    (EarningRule, "starts_at"): (on(3, 5), on(3, 5, 12), on(3, 5, 13), on(3, 6, 12)),
    (EarningRule, "ends_at"): (on(4, 5), on(4, 5, 12), on(4, 5, 13), on(4, 6, 12)),
    (EarningRule, "campaign"): ("spring", "summer"),
    (EarningRule, "pending"): (PendingPolicy(PendingKind.ON_EVENT), PendingPolicy(PendingKind.AFTER, days=15)),
    (EarningRule, "expiry"): (ExpiryPolicy(ExpiryKind.END_OF_YEAR, count=1), ExpiryPolicy(ExpiryKind.DAYS, count=30)),
    (EarningRule, "caps"): ((Cap(period=Period.YEAR, points=10),), (Cap(period=Period.LIFETIME, times=1),)),
    (EarningRule, "cap_policy"): tuple(CapPolicy),
    (EarningRule, "priority"): (5, -5),
    (EarningRule, "exclusive_group"): ("one", "other"),
    (Band, "from_minor"): (10_000, 20_000),
    (Band, "points"): (7, 9),
    (Band, "amount_minor"): (1_000, 2_000),
    (Cap, "period"): tuple(Period),
    (Cap, "points"): (70, 90),
    (Cap, "times"): (2, 4),
    (Ordinal, "number"): (2, 4),
    (Ordinal, "period"): tuple(Period),
    (Ordinal, "repeats"): (False, True),
    (Ordinal, "onwards"): (False, True),
    (Conditions, "maximum_minor"): (70_000, 80_000),
    (Conditions, "quantity_min"): (3, 4),
    (Conditions, "products"): (("C",), ("C", "D")),
    (Conditions, "without_products"): (("E",), ("E", "F")),
    (Conditions, "categories"): (("cake",), ("cake", "coffee")),
    (Conditions, "without_categories"): (("cake",), ("cake", "tea")),
    (Conditions, "stores"): ((HARBOUR,), (AIRPORT,), ()),
    (Conditions, "without_stores"): ((AIRPORT,), (HARBOUR,), ()),
    (Conditions, "channels"): (tuple(Channel), (Channel.PHONE,)),
    (Conditions, "audience"): (Audience(tiers=(SILVER, GOLD)), Audience()),
    (Conditions, "new_for_days"): (0, 7, 8),
    (Conditions, "ordinal"): (Ordinal(number=2), Ordinal(number=2, period=Period.WEEK)),
    (Conditions, "anniversary"): tuple(Anniversary),
    (Conditions, "schedule"): (Schedule(weekdays=(4, 5)), Schedule(until_hour=20)),
    (Audience, "tiers"): ((SILVER,), (SILVER, GOLD)),
    (Audience, "tags"): (("a",), ("a", "b")),
    (Audience, "without_tags"): (("c",), ("c", "d")),
    (Audience, "segments"): (("fans",), ("fans", "sleepers")),
    (Schedule, "weekdays"): ((4, 5, 6), (3, 4, 5, 6), (4, 5, 6, 7), (4, 7)),
    (Schedule, "month_days"): ((8, 18), (9,)),
    (Schedule, "dates"): (("03-12", "03-19"), ("03-12",), ("04-02",), ("04-09",), ("2026-03-12",)),
    (Schedule, "from_hour"): (9, 11),
    (Schedule, "until_hour"): (21, 22),
    (PendingPolicy, "kind"): tuple(PendingKind),
    (PendingPolicy, "days"): (3, 4),
    (PendingPolicy, "on_date"): (date(2026, 6, 1), date(2026, 7, 1)),
    (ExpiryPolicy, "kind"): tuple(ExpiryKind),
    (ExpiryPolicy, "count"): (1, 2),
    (ExpiryPolicy, "on_date"): (date(2027, 6, 1), date(2027, 7, 1)),
    (Campaign, "name"): ("Sakura", "May"),
    (Campaign, "starts_at"): (on(2, 20), on(2, 20, 4)),
    (Campaign, "ends_at"): (on(5, 20), on(5, 20, 4)),
    (Campaign, "schedule"): (Schedule(weekdays=(4,)), Schedule()),
    (Campaign, "audience"): (Audience(tiers=(GOLD,)), Audience()),
    (Campaign, "budget"): (7_000, None),
    (TierTerms, "name"): ("Silver", "Platinum"),
    (TierTerms, "threshold"): (2_000, 3_000),
    (TierTerms, "metric"): ("QUALIFYING_POINTS", "NET_SPEND", "PURCHASES"),
    (TierTerms, "window"): ("CALENDAR_YEAR", "ROLLING", "ANNIVERSARY", "LIFETIME"),
    (TierTerms, "months"): (6, 3),
    (TierTerms, "validity_days"): (100, 200),
    (TierTerms, "keep_threshold"): (500, 600),
    (TierTerms, "downgrade"): ("NONE", "ONE_LEVEL", "FULL"),
    (TierTerms, "grace_days"): (7, 14),
    (TierTerms, "multiplier_bp"): (20_000, 12_000),
    (TierTerms, "discount_bp"): (1_000, 1_250),
    (TierTerms, "birthday_points"): (200, 0),
    (TierTerms, "upgrade_points"): (500, 0),
    (TierTerms, "head_start_minutes"): (60, 0),
    (TierTerms, "perks"): (("tea",), ("tea", "cake")),
}

# Fields that are no matter of terms, and why.
NO_MATTER: Final[Mapping[Key, str]] = {
    (EarningRule, "code"): "the shop's key of the rule; it decides only between two offers that give the same",
    (EarningRule, "name"): "the heading over the terms; nothing is computed from it",
    (EarningRule, "version"): "when the rule was last changed; the terms are of the rule as it is",
    (Campaign, "code"): "the shop's key of the campaign; members know it by name",
    (Campaign, "description"): "the shop's own words beside the terms; nothing is computed from it",
    (Campaign, "is_public"): "whether the calendar shows the campaign beforehand; it gives the same either way",
    (Campaign, "version"): "when the campaign was last changed; the terms are of the campaign as it is",
}


def overlooked(value: Any) -> frozenset[str]:
    """The fields that the computation does not look at, as the others stand."""
    match value:
        case EarningRule():
            return frozenset(_overlooked_in_rule(value))
        case Ordinal(repeats=True):
            return frozenset({"onwards"})
        case PendingPolicy(kind=kind):
            needed = {PendingKind.AFTER: "days", PendingKind.ON_DATE: "on_date"}.get(kind)
            return frozenset({"days", "on_date"} - {needed})
        case ExpiryPolicy(kind=kind):
            needed = {ExpiryKind.FIXED_DATE: "on_date", ExpiryKind.NEVER: None}.get(kind, "count")
            return frozenset({"count", "on_date"} - {needed})
        case TierTerms():
            return frozenset(_overlooked_in_tier(value))
        case _:
            return frozenset()


def _overlooked_in_rule(rule: EarningRule) -> Iterator[str]:
    if rule.kind is not EarningKind.MULTIPLIER:
        yield "multiplier_bp"
    if rule.kind is not EarningKind.TIERED:
        yield from ("bands", "bands_are_marginal")
    else:
        yield from ("points", "amount_minor")
    if rule.kind is EarningKind.MULTIPLIER:
        yield from ("points", "amount_minor")
    if rule.kind is EarningKind.FIXED:
        yield "amount_minor"
    budget = None if rule.campaign is None else CAMPAIGNS[rule.campaign].budget
    if budget is None and all(cap.points is None for cap in rule.caps):
        # A cap of times leaves all or nothing, so that there is no part to give or to keep.
        yield "cap_policy"


def _overlooked_in_tier(tier: TierTerms) -> Iterator[str]:
    if not tier.can_be_lost:
        # By which of the three it is safe makes no difference: it has no end, needs nothing, or is never taken away.
        yield from ("validity_days", "keep_threshold", "downgrade", "grace_days")
    is_everybodys = tier.threshold == 0 and not tier.can_be_lost
    if is_everybodys:
        yield "metric"
    if is_everybodys and not tier.upgrade_points:
        yield "window"
    if tier.window != "ROLLING" or (is_everybodys and not tier.upgrade_points):
        yield "months"


def meaning(value: Any) -> Any:
    """All of a value that the computation sees."""
    if isinstance(value, tuple):
        return tuple(meaning(item) for item in value)
    if not is_dataclass(value):
        return value
    names = [field.name for field in fields(value) if (type(value), field.name) not in NO_MATTER]
    return tuple((name, meaning(getattr(value, name))) for name in names if name not in overlooked(value))


def variants(value: Any) -> Iterator[tuple[Key, Any]]:
    """The value with any one field changed, however deep."""
    for field in fields(value):
        key = (type(value), field.name)
        if key in NO_MATTER:
            continue
        assert key in VALUES, f"{key} is told in no terms: make the texts tell it, and give two values here"
        current = getattr(value, field.name)
        yield from ((key, replace(value, **{field.name: other})) for other in VALUES[key] if other != current)
        yield from ((deep, replace(value, **{field.name: part})) for deep, part in _within(current))


def _within(current: Any) -> Iterator[tuple[Key, Any]]:
    if is_dataclass(current):
        yield from variants(current)
    elif isinstance(current, tuple):
        for place, item in enumerate(current):
            if is_dataclass(item):
                for key, changed in variants(item):
                    yield key, (*current[:place], changed, *current[place + 1 :])


def legal(value: Any) -> list[tuple[Key, Any]]:
    """The variants that the program would save."""
    return [(key, changed) for key, changed in variants(value) if is_legal(changed)]


def check_told(subject: Any, changes: list[tuple[Key, Any]], terms_of: Callable[[Any], Terms]) -> None:
    """In each language, a subject and its variants read alike if, and only if, they mean the same."""
    for language in ("chinese", "english"):
        texts = {meaning(subject): getattr(terms_of(subject), language)}
        meanings = {texts[meaning(subject)]: meaning(subject)}
        for key, changed in changes:
            text = getattr(terms_of(changed), language)
            assert meanings.setdefault(text, meaning(changed)) == meaning(changed), f"{key} is not told: {text}"
            assert texts.setdefault(meaning(changed), text) == text, f"{key} is not computed with, and told: {text}"


def terms(value: Any) -> Terms:
    """The terms of anything that has some."""
    match value:
        case EarningRule():
            return rules.of_rule(value, NAMING)
        case Campaign():
            return campaigns.of_campaign(value, NAMING)
        case TierTerms():
            return tiers.of_tier(value, NAMING)
        case _:
            raise AssertionError(value)


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_s64_all_that_is_computed_with_is_told_in_both_languages_and_nothing_else(subject: Any) -> None:
    check_told(subject, legal(subject), terms)


def test_s64_the_terms_of_a_rule_tell_the_frame_of_its_campaign() -> None:
    rule = RULES["with everything"]

    def of_rule_within(campaign: Campaign) -> Terms:
        return rules.of_rule(rule, replace(NAMING, campaigns={**CAMPAIGNS, "spring": campaign}))

    check_told(SPRING, legal(SPRING), of_rule_within)


@pytest.mark.parametrize("kind", PendingKind)
def test_s64_when_points_may_be_spent_is_told_in_both_languages(kind: PendingKind) -> None:
    policy = PendingPolicy(kind, days=7, on_date=date(2026, 5, 1))
    check_told(policy, legal(policy), lambda pending: policies.of_policies(pending, FOR_EVER, NAMING))


@pytest.mark.parametrize("kind", ExpiryKind)
def test_s64_when_points_expire_is_told_in_both_languages(kind: ExpiryKind) -> None:
    policy = ExpiryPolicy(kind, count=30, on_date=date(2027, 1, 1))
    check_told(policy, legal(policy), lambda expiry: policies.of_policies(AT_ONCE, expiry, NAMING))


def test_s64_no_field_is_forgotten_and_none_is_only_said_to_be_tried() -> None:
    """Every field of every part of terms has values or a reason, and every one with values is changed by some rule."""
    kinds = {kind for kind, _ in VALUES}
    known = {(kind, field.name) for kind in kinds for field in fields(kind)}
    assert known == set(VALUES) | set(NO_MATTER)
    assert not set(VALUES) & set(NO_MATTER)
    changes = ((subject, key, changed) for subject in SUBJECTS.values() for key, changed in legal(subject))
    assert {key for subject, key, changed in changes if meaning(changed) != meaning(subject)} == set(VALUES)


def test_s64_fields_that_are_no_matter_of_terms_are_not_told() -> None:
    rule = replace(PER_YUAN, code="other", name="Anything", version=9)
    assert rules.of_rule(rule, NAMING) == rules.of_rule(PER_YUAN, NAMING)
    campaign = replace(SPRING, code="other", description="Anything", is_public=False, version=9)
    assert campaigns.of_campaign(campaign, NAMING) == campaigns.of_campaign(SPRING, NAMING)


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_s64_no_template_is_left_unfilled(subject: Any) -> None:
    for _, changed in [*legal(subject), (None, subject)]:
        told = terms(changed)
        assert not set("{}") & set(told.chinese + told.english)
        assert told.chinese.endswith("。")
        assert told.english.endswith(".")
        assert not any(slip in told.english for slip in ("  ", ",.", ",,", " ,", " ."))
        assert not any(slip in told.chinese for slip in ("，。", "，，", "。。"))


def test_only_amounts_are_proportional() -> None:
    """What the table of overlooked fields above rests on."""
    assert {EarningKind.PER_AMOUNT, EarningKind.TIERED} == PROPORTIONAL
