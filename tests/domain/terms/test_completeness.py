"""The terms say all that the computation looks at, and nothing else, in both languages: proved field by field."""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date
from typing import Any

import pytest

from domain.check_ins.activity import CheckInActivity
from domain.earning.rules import (
    PROPORTIONAL,
    Campaign,
    EarningKind,
    EarningRule,
)
from domain.policies import AT_ONCE, FOR_EVER, ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from domain.referrals.policy import ReferralPolicy
from domain.terms import campaigns, check_ins, policies, referrals, rules, tiers
from domain.terms.tiers import TierTerms
from domain.terms.wording import Terms
from tests.domain.terms.meaning import NO_MATTER, VALUES, Key, overlooked
from tests.domain.terms.test_catalogue import (
    CAMPAIGNS,
    NAMING,
    PER_YUAN,
    RULES,
    SPRING,
    SUBJECTS,
    is_legal,
)


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
        case CheckInActivity():
            return check_ins.of_activity(value, NAMING)
        case ReferralPolicy():
            return referrals.of_policy(value, NAMING)
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
