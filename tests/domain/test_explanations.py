"""Why something earned what it did, told again from what was kept of it (S64)."""

from datetime import timedelta

import pytest

from domain import explanations
from domain.earning import rule_sets
from domain.earning.evaluation import Skipped
from domain.earning.matching import Skip
from domain.earning.rules import Cap, EarningKind, EarningRule, Period, Trigger
from domain.explanations import PREVIEW_DAYS_MAX, Applied, PreviewTooFar
from domain.purchases.purchase import facts_of, occasion_of
from tests.domain.memory import START
from tests.domain.shop import SHANGHAI, Shop, bonus_at, per_amount


def test_s64_a_purchase_is_explained_by_the_rules_of_its_time() -> None:
    base = per_amount(1, 100, caps=(Cap(period=Period.DAY, points=80),))
    shop = Shop(rules=(base, bonus_at(30_000, 50)))
    purchase = shop.buy(shop.enroll(), 10_000).purchase
    shop.update(rules=())
    rule_set = rule_sets.of_version(shop.state, purchase.rule_version)
    occasion = occasion_of(purchase, SHANGHAI, purchase.lines, purchase.freight_minor)
    told = explanations.explain(rule_set, occasion, facts_of(purchase), purchase.earned)
    assert told.rule_version == 1
    assert told.applied == (Applied(rule=base, points=80, requested=100, limited_by="DAY"),)
    assert told.skipped == (Skipped(bonus_at(30_000, 50), Skip.BELOW_MINIMUM),)
    assert (told.occasion, told.facts) == (occasion, facts_of(purchase))


def test_s64_a_gift_of_the_settings_is_explained_though_it_stands_in_no_version() -> None:
    shop = Shop(rules=(), sign_up_points=20)
    member = shop.enroll()
    (row,) = shop.transactions(member)
    rule_set = rule_sets.of_version(shop.state, 1)
    purchase = shop.buy(member, 100).purchase
    occasion = occasion_of(purchase, SHANGHAI, purchase.lines, 0)
    from_settings = shop.grant(member).earned
    told = explanations.explain(rule_set, occasion, facts_of(purchase), from_settings)
    assert told.applied == (
        Applied(
            rule=EarningRule(code=row.rule, kind=EarningKind.FIXED, points=20),
            points=20,
            requested=20,
            limited_by=None,
        ),
    )
    assert shop.grant(member).trigger is Trigger.ENROLLMENT


def test_a_preview_is_for_the_next_year_at_most() -> None:
    explanations.check_preview_time(None, START)
    explanations.check_preview_time(START + timedelta(days=PREVIEW_DAYS_MAX), START)
    with pytest.raises(PreviewTooFar) as refused:
        explanations.check_preview_time(START + timedelta(days=PREVIEW_DAYS_MAX, microseconds=1), START)
    assert (refused.value.field, refused.value.details) == (("at",), {"days_max": 366})
