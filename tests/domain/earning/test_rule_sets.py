"""Versions of rules: each is kept for ever, compiled once, and found by what a purchase kept of it (L7)."""

import pytest

from domain.earning import rule_sets
from domain.earning.rule_sets import EarningRules
from domain.earning.rules import ONE_POINT_A_UNIT
from tests.domain.memory import PROGRAM_ID, START
from tests.domain.shop import Shop, campaign, fixed


def test_l7_every_version_is_kept_for_ever(shop: Shop) -> None:
    shop.edit(rules=(fixed(5),), campaigns=(campaign(),))
    shop.edit(replaces=True, without_campaigns=("spring",))
    kept = [rule_sets.of_version(shop.state, version) for version in (1, 2, 3)]
    assert kept[0].rules == ONE_POINT_A_UNIT
    assert kept[1].rules == (*ONE_POINT_A_UNIT, fixed(5, version=2))
    assert [each.campaigns for each in kept] == [(), (campaign(version=2),), ()]
    assert kept[2].rules == ()
    with pytest.raises(AssertionError):
        rule_sets.of_version(shop.state, 4)


def test_a_version_is_made_with_its_number_program_and_time(shop: Shop) -> None:
    shop.later(days=1)
    edited = shop.edit(rules=(fixed(5),))
    assert edited.rule_set == EarningRules(
        id=edited.rule_set.id,
        program_id=PROGRAM_ID,
        version=2,
        rules=(*ONE_POINT_A_UNIT, fixed(5, version=2)),
        campaigns=(),
        created_at=shop.now,
    )
    assert edited.rule_set.created_at > START


def test_a_version_is_compiled_once(shop: Shop) -> None:
    first = rule_sets.of_version(shop.state, 1)
    assert rule_sets.ready(first) is rule_sets.ready(first)
    shop.edit(rules=(fixed(5),))
    second = rule_sets.ready(rule_sets.of_version(shop.state, 2))
    assert sorted(second.rules) == ["base", "fixed"]
    assert sorted(rule_sets.ready(first).rules) == ["base"]
