"""A rule and its campaign are for the same members, and the budget has room: what leaves none is refused."""

from dataclasses import replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from domain.audiences import Audience
from domain.earning import checking
from domain.earning.checking import Known
from domain.earning.effects import RuleInvalid
from domain.earning.rules import CapPolicy, Conditions, EarningRule, Trigger
from tests.domain.shop import SHANGHAI, campaign, fixed

GOLD, SILVER = UUID(int=1), UUID(int=2)
KNOWN: Final = Known(time_zone=SHANGHAI, today=date(2026, 1, 15), tiers=(GOLD, SILVER))


def when(**conditions: Any) -> EarningRule:
    return fixed(1, when=Conditions(**conditions))


def in_spring(rule: EarningRule, **frame: Any) -> tuple[str, str] | None:
    """Why a rule cannot be in a campaign: the field and the words; None if it can."""
    try:
        checking.check_rule(replace(rule, campaign="spring"), {"spring": campaign(**frame)}, KNOWN)
    except RuleInvalid as refusal:
        return ".".join(refusal.field or ()), str(refusal.details["why"])
    return None


def test_a_rule_and_its_campaign_have_a_tier_in_common() -> None:
    gold = when(audience=Audience(tiers=(GOLD,)))
    assert in_spring(gold, audience=Audience(tiers=(SILVER,))) == (
        "conditions.audience.tierIds",
        "none of its tiers is one of its campaign 'spring', so it can never match.",
    )
    assert in_spring(gold, audience=Audience(tiers=(SILVER, GOLD))) is None
    assert in_spring(gold) is None
    assert in_spring(fixed(1), audience=Audience(tiers=(SILVER,))) is None


def test_a_rule_and_its_campaign_do_not_keep_out_whom_the_other_asks_for() -> None:
    vip, no_vip = Audience(tags=("vip",)), Audience(without_tags=("staff", "vip"))
    assert in_spring(when(audience=no_vip), audience=vip) == (
        "conditions.audience.withoutTags",
        "its campaign 'spring' asks for the tag 'vip', so it can never match.",
    )
    assert in_spring(when(audience=vip), audience=no_vip) == (
        "conditions.audience.tags",
        "its campaign 'spring' keeps out the tag 'vip', so it can never match.",
    )
    either = Audience(tags=("vip", "fan"))
    assert in_spring(when(audience=no_vip), audience=either) is None
    assert in_spring(when(audience=either), audience=no_vip) is None
    assert in_spring(when(audience=Audience(tags=("fan",))), audience=vip) is None, "a member may have both"


def test_who_is_joining_is_in_no_campaign_for_tiers() -> None:
    rule = fixed(1, trigger=Trigger.ENROLLMENT)
    assert in_spring(rule, audience=Audience(tiers=(GOLD,))) == (
        "campaign",
        "who is joining has no tier yet, and its campaign 'spring' is for tiers, so it can never match.",
    )
    assert in_spring(rule, audience=Audience(tags=("vip",))) is None


def test_l13_what_is_given_all_at_once_or_not_at_all_is_within_the_budget() -> None:
    rule = fixed(100, cap_policy=CapPolicy.REJECT)
    assert in_spring(rule, budget=50) == (
        "campaign",
        "with REJECT it gives 100 points or none, and the budget of its campaign 'spring' is 50, so it can never give.",
    )
    assert in_spring(rule, budget=100) is None
    assert in_spring(rule) is None
    assert in_spring(fixed(100), budget=50) is None
