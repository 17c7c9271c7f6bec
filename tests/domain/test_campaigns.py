"""Editing rules and campaigns: all at once or not at all, in versions; and the calendar of what comes (S27, S42)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import campaigns, checks
from domain.audiences import Audience
from domain.campaigns import CalendarDay, EditRules, RulesEdited
from domain.earning import rule_sets
from domain.earning.checking import CampaignInvalid
from domain.earning.effects import RuleInvalid
from domain.earning.rule_sets import EarningRules
from domain.earning.rules import CAMPAIGNS_MAX, RULES_MAX, Campaign, CapPolicy, Conditions, EarningRule, Trigger
from domain.kernel import NotFound, Refusal
from domain.references import ReferenceUnknown
from domain.schedules import Schedule, ScheduleInvalid
from domain.segments import Criteria, SaveSegment
from domain.stores import CreateStore
from domain.tiers.tier import CreateTier
from tests.domain.shop import SHANGHAI, Shop, campaign, fixed, local, per_amount

BASE = per_amount(1, 100)
NOWHERE = UUID(int=99)


def in_force(shop: Shop) -> EarningRules:
    return rule_sets.of_version(shop.state, shop.program.rule_version)


def versions(shop: Shop) -> tuple[dict[str, int], dict[str, int]]:
    """The version of every rule and of every campaign."""
    now = in_force(shop)
    return {rule.code: rule.version for rule in now.rules}, {frame.code: frame.version for frame in now.campaigns}


# Saving and removing.


def test_s27_rules_and_campaigns_are_saved_by_their_codes_in_one_version(shop: Shop) -> None:
    edited = shop.edit(rules=(fixed(5, campaign="spring"),), campaigns=(campaign(),))
    assert (edited.rule_set.version, edited.program.rule_version) == (2, 2)
    assert edited.rule_set.rules == (BASE, fixed(5, campaign="spring", version=2))
    assert edited.rule_set.campaigns == (campaign(version=2),)
    assert edited.rule_set.created_at == shop.now
    assert (edited.program, edited.rule_set) == (shop.program, in_force(shop))
    assert shop.events == (RulesEdited(version=2),)


def test_s27_what_is_told_takes_the_place_of_what_has_its_code() -> None:
    shop = Shop(rules=(fixed(1, "a"), fixed(2, "b"), fixed(3, "c")))
    edited = shop.edit(rules=(fixed(9, "b"), fixed(4, "d")))
    assert [(rule.code, rule.points, rule.version) for rule in edited.rule_set.rules] == [
        ("a", 1, 1),
        ("b", 9, 2),
        ("c", 3, 1),
        ("d", 4, 2),
    ]


def test_s27_rules_are_removed_or_replaced() -> None:
    shop = Shop(rules=(fixed(1, "a"), fixed(2, "b"), fixed(3, "c")))
    assert [rule.code for rule in shop.edit(without_rules=("a",)).rule_set.rules] == ["b", "c"]
    replaced = shop.edit(rules=(fixed(3, "c"), fixed(4, "d")), replaces=True).rule_set
    assert [(rule.code, rule.version) for rule in replaced.rules] == [("c", 1), ("d", 3)]
    assert shop.edit(replaces=True).rule_set.rules == ()


def test_s27_an_edit_that_changes_nothing_makes_no_version() -> None:
    shop = Shop(rules=(fixed(1, "a"), BASE))
    shop.edit(campaigns=(campaign(),))
    before = in_force(shop)
    edits: list[dict[str, Any]] = [
        {},
        {"rules": (fixed(1, " a "),)},
        {"rules": (BASE, fixed(1, "a", version=77)), "replaces": True},
        {"campaigns": (campaign(version=9),)},
        {"campaigns": (campaign(name=" Spring "),)},
    ]
    for told in edits:
        edited = shop.edit(**told)
        assert edited.rule_set == before
        assert (shop.decision.save, shop.events) == ((), ())
    assert len(shop.state.rows(EarningRules)) == 2


def test_l7_a_rule_keeps_its_version_until_it_changes() -> None:
    shop = Shop(rules=(fixed(1, "a"), fixed(2, "b")))
    shop.edit(rules=(fixed(1, "a"), fixed(3, "b")))
    assert versions(shop)[0] == {"a": 1, "b": 2}
    shop.edit(rules=(fixed(9, "a"),))
    shop.edit(rules=(fixed(1, "a"),))
    assert versions(shop)[0] == {"a": 4, "b": 2}, "what it was before is another change"


def test_l7_a_campaign_that_changes_is_a_change_of_its_rules(shop: Shop) -> None:
    shop.edit(rules=(fixed(5, campaign="spring"),), campaigns=(campaign(), campaign("summer")))
    shop.edit(campaigns=(campaign("summer", is_public=False),))
    assert versions(shop) == ({"base": 1, "fixed": 2}, {"spring": 2, "summer": 3})
    shop.edit(campaigns=(campaign(budget=5),))
    assert versions(shop) == ({"base": 1, "fixed": 4}, {"spring": 4, "summer": 3})


def test_what_stands_may_be_told_again_when_its_days_are_over(shop: Shop) -> None:
    """A shop that applies its file of rules again is not refused for last year's holiday."""
    holiday = fixed(5, when=Conditions(schedule=Schedule(dates=("2026-02-17",))))
    shop.edit(rules=(holiday,))
    shop.later(days=400)
    assert shop.edit(rules=(BASE, holiday), replaces=True).rule_set.version == 2
    assert shop.edit(rules=(BASE, holiday, fixed(1, "new")), replaces=True).rule_set.version == 3
    with pytest.raises(ScheduleInvalid):
        shop.edit(rules=(replace(holiday, points=6),))


def test_a_campaign_and_what_names_it_come_and_go_together(shop: Shop) -> None:
    rule = fixed(5, campaign="spring")
    shop.edit(rules=(rule,), campaigns=(campaign(),))
    with pytest.raises(CampaignInvalid) as refused:
        shop.edit(without_campaigns=("spring",))
    assert refused.value.details == {
        "campaign": "spring",
        "why": "it cannot be removed while the rule 'fixed' is in it.",
    }
    assert versions(shop) == ({"base": 1, "fixed": 2}, {"spring": 2})
    shop.edit(without_rules=("fixed",), without_campaigns=("spring",))
    assert versions(shop) == ({"base": 1}, {})
    shop.edit(rules=(rule,), campaigns=(campaign(),))
    shop.edit(without_campaigns=("spring",), with_their_rules=True)
    assert versions(shop) == ({"base": 1}, {})
    shop.edit(rules=(rule,), campaigns=(campaign(),))
    shop.edit(rules=(fixed(5),), without_campaigns=("spring",))
    assert versions(shop) == ({"base": 1, "fixed": 7}, {})


def test_a_rule_is_told_with_a_campaign_of_the_same_edit_or_one_that_stands(shop: Shop) -> None:
    with pytest.raises(ReferenceUnknown):
        shop.edit(rules=(fixed(5, campaign="spring"),))
    shop.edit(campaigns=(campaign(),))
    assert shop.edit(rules=(fixed(5, campaign="spring"),)).rule_set.version == 3
    with pytest.raises(ReferenceUnknown):
        shop.edit(rules=(fixed(6, campaign="spring"),), without_campaigns=("spring",))


def test_what_is_saved_first_is_named(shop: Shop) -> None:
    edited = shop.edit(rules=(fixed(1, " a "), fixed(2, "b")), campaigns=(campaign(),))
    assert (edited.rule, edited.campaign) == ("a", "spring")
    again = shop.edit(rules=(fixed(1, "a"),))
    assert (again.rule, again.campaign, again.rule_set.version) == ("a", None, 2)


# Refusals, after which everything is as it was (`Memory.run` proves it).


@pytest.mark.parametrize(
    ("told", "kind", "key"),
    [
        ({"without_rules": ("nothing",)}, "EarningRule", "nothing"),
        ({"without_campaigns": ("nothing",)}, "Campaign", "nothing"),
        ({"without_rules": ("base", "x" * 999)}, "EarningRule", "x" * 200),
        ({"replaces": True, "without_rules": ("base",)}, "EarningRule", "base"),
    ],
)
def test_what_is_not_there_is_not_removed(shop: Shop, told: dict[str, Any], kind: str, key: str) -> None:
    with pytest.raises(NotFound) as refused:
        shop.edit(**told)
    assert (refused.value.field, refused.value.details) == (("code",), {"kind": kind, "key": key})
    assert versions(shop) == ({"base": 1}, {})


def test_one_fault_refuses_the_whole_edit(shop: Shop) -> None:
    with pytest.raises(checks.PointsInvalid):
        shop.edit(rules=(fixed(1, "good"), fixed(0, "bad")), campaigns=(campaign(),))
    with pytest.raises(RuleInvalid):
        shop.edit(rules=(fixed(1, "good"), fixed(2, " good ")))
    assert (versions(shop), shop.program.rule_version) == (({"base": 1}, {}), 1)


def test_there_are_only_so_many_rules_and_campaigns_in_all(shop: Shop) -> None:
    shop.edit(rules=tuple(fixed(1, f"r{number}") for number in range(RULES_MAX - 1)))
    with pytest.raises(checks.TooMany) as rules:
        shop.edit(rules=(fixed(1, "more"),))
    assert rules.value.details == {"name": "rules", "count": 1_001, "count_max": 1_000}
    assert shop.edit(rules=(fixed(1, "more"),), without_rules=("r0",)).rule_set.version == 3
    shop.edit(campaigns=tuple(campaign(f"c{number}") for number in range(CAMPAIGNS_MAX)))
    with pytest.raises(checks.TooMany) as frames:
        shop.edit(campaigns=(campaign("more"),))
    assert frames.value.details == {"name": "campaigns", "count": 201, "count_max": 200}


@pytest.mark.parametrize(
    "frame",
    [
        campaign(first="2026-03-01"),
        campaign(schedule=Schedule(weekdays=(2,))),
        campaign(" spring ", first="2026-03-01"),
    ],
)
def test_a_campaign_that_changes_leaves_a_time_to_its_rules(shop: Shop, frame: Campaign) -> None:
    rule = fixed(5, campaign="spring", ends_at=local("2026-02-01"), when=Conditions(schedule=Schedule(weekdays=(1, 3))))
    shop.edit(rules=(rule,), campaigns=(campaign(),))
    with pytest.raises(RuleInvalid) as refused:
        shop.edit(campaigns=(frame,))
    assert (refused.value.field, refused.value.details["rule"]) == (("campaigns", "0"), "fixed")
    assert versions(shop) == ({"base": 1, "fixed": 2}, {"spring": 2})


def test_rules_name_the_stores_tiers_segments_and_categories_of_the_program(shop: Shop) -> None:
    store = shop.run(CreateStore(code="S1", name="Tea house"))
    tier = shop.run(CreateTier(name="Gold", rank=1, threshold=100))
    shop.run(SaveSegment(code="fans", name="Fans", criteria=Criteria(purchases_min=5)))
    shop.update(categories=("tea",))
    whole = Conditions(stores=(store.id,), categories=("tea",), audience=Audience(tiers=(tier.id,), segments=("fans",)))
    rule = fixed(5, when=whole)
    assert shop.edit(rules=(rule,)).rule_set.rules[1] == replace(rule, version=2)
    unknown: list[EarningRule] = [
        fixed(6, when=replace(whole, stores=(NOWHERE,))),
        fixed(6, when=replace(whole, without_stores=(NOWHERE,))),
        fixed(6, when=replace(whole, categories=("coffee",))),
        fixed(6, when=replace(whole, audience=Audience(tiers=(NOWHERE,)))),
        fixed(6, when=replace(whole, audience=Audience(segments=("foes",)))),
    ]
    for bad in unknown:
        with pytest.raises(ReferenceUnknown):
            shop.edit(rules=(bad,))
    assert shop.program.rule_version == 2


def test_what_is_wrong_with_an_edit_is_told_in_order(shop: Shop) -> None:
    told: dict[str, Any] = {
        "rules": (fixed(0, "bad", campaign="spring"),) * 2,
        "campaigns": (campaign(budget=0),),
        "without_campaigns": ("nothing",),
        "without_rules": ("nothing",),
    }
    precedence: list[tuple[type[Refusal], dict[str, Any]]] = [
        (RuleInvalid, {"rules": (fixed(0, "bad", campaign="sprang"),)}),
        (checks.PointsInvalid, {"campaigns": (campaign(),)}),
        (NotFound, {"without_campaigns": ()}),
        (checks.PointsInvalid, {"rules": (fixed(1, "bad", campaign="sprang"),)}),
        (ReferenceUnknown, {"rules": (fixed(1, "good", campaign="spring"),)}),
        (NotFound, {"without_rules": ()}),
    ]
    for refusal, mended in precedence:
        with pytest.raises(refusal) as refused:
            shop.run(EditRules(**told))
        assert type(refused.value) is refusal
        told |= mended
    assert shop.run(EditRules(**told)).rule_set.version == 2


def test_a_campaign_that_leaves_a_rule_no_members_or_no_room_is_refused_at_its_own_place(shop: Shop) -> None:
    silver = shop.run(CreateTier(name="Silver", rank=1, threshold=0)).id
    gold = shop.run(CreateTier(name="Gold", rank=2, threshold=500)).id
    rules = (
        fixed(100, "vip", campaign="spring", when=Conditions(audience=Audience(tags=("vip",)))),
        fixed(100, "silver", campaign="spring", when=Conditions(audience=Audience(tiers=(silver,)))),
        fixed(100, "whole", campaign="spring", cap_policy=CapPolicy.REJECT),
    )
    shop.edit(rules=rules, campaigns=(campaign(),))
    for told, rule in (
        ({"audience": Audience(without_tags=("vip",))}, "vip"),
        ({"audience": Audience(tiers=(gold,))}, "silver"),
        ({"budget": 99}, "whole"),
    ):
        with pytest.raises(RuleInvalid) as refused:
            shop.edit(campaigns=(campaign("other"), campaign(**told)))
        assert (refused.value.field, refused.value.details["rule"]) == (("campaigns", "1"), rule)
    assert shop.edit(campaigns=(campaign(audience=Audience(tiers=(silver,)), budget=100),)).rule_set.version == 3
    joins = fixed(100, "joins", campaign="spring", trigger=Trigger.ENROLLMENT)
    with pytest.raises(RuleInvalid) as refused:
        shop.edit(rules=(joins,))
    assert refused.value.field == ("rules", "0", "campaign")


# What is coming.


def coming(shop: Shop, first: str, days: int) -> list[tuple[int, list[str]]]:
    found = campaigns.calendar(in_force(shop), SHANGHAI, date.fromisoformat(first), days)
    return [(each.day.day, [frame.code for frame in each.campaigns]) for each in found]


def test_s42_the_calendar_of_next_week_shows_public_campaigns_day_by_day(shop: Shop) -> None:
    shop.edit(
        campaigns=(
            campaign("thursday", schedule=Schedule(weekdays=(4,), from_hour=20)),
            campaign("eighth", schedule=Schedule(month_days=(8, 18))),
            campaign("secret", is_public=False),
            campaign("short", "2026-01-20", "2026-01-22"),
            campaign("over", "2026-01-01", "2026-01-18"),
            campaign("vip", "2026-01-24", "2026-01-25", audience=Audience(tags=("vip",))),
        )
    )
    assert coming(shop, "2026-01-18", 8) == [
        (18, ["eighth"]),
        (19, []),
        (20, ["short"]),
        (21, ["short"]),
        (22, ["thursday"]),
        (23, []),
        (24, ["vip"]),
        (25, []),
    ]


def test_s42_a_campaign_that_runs_for_part_of_a_day_is_on_it() -> None:
    evening = campaign(starts_at=local("2026-01-20 20:00"), ends_at=local("2026-01-21 00:00:01"))
    shop = Shop()
    shop.edit(campaigns=(evening,))
    assert [day for day, codes in coming(shop, "2026-01-18", 7) if codes] == [20, 21]
    (day,) = campaigns.calendar(in_force(shop), SHANGHAI, date(2026, 1, 20), 1)
    assert day == CalendarDay(day=date(2026, 1, 20), campaigns=(replace(evening, version=2),))


def test_s42_a_campaign_is_on_no_day_on_which_its_hours_do_not_come() -> None:
    mornings = campaign(
        starts_at=local("2026-12-01 20:00"),
        ends_at=local("2026-12-03 07:00"),
        schedule=Schedule(from_hour=8, until_hour=10),
    )
    shop = Shop()
    shop.edit(campaigns=(mornings,))
    assert [day for day, codes in coming(shop, "2026-12-01", 3) if codes] == [2]
    shop.edit(campaigns=(replace(mornings, ends_at=local("2026-12-03 08:00:01")),))
    assert [day for day, codes in coming(shop, "2026-12-01", 3) if codes] == [2, 3]
    shop.edit(campaigns=(replace(mornings, starts_at=local("2026-12-01 09:59:59")),))
    assert [day for day, codes in coming(shop, "2026-12-01", 3) if codes] == [1, 2]


@pytest.mark.parametrize(
    ("first", "days", "details"),
    [
        (date(2026, 1, 1), 0, {"name": "days", "number": 0, "minimum": 1, "maximum": 92}),
        (date(2026, 1, 1), 93, {"name": "days", "number": 93, "minimum": 1, "maximum": 92}),
        (date.max, 1, {"name": "from.year", "number": 9_999, "minimum": 1_900, "maximum": 2_999}),
        (date.min, 1, {"name": "from.year", "number": 1, "minimum": 1_900, "maximum": 2_999}),
    ],
)
def test_s42_a_calendar_has_bounds(shop: Shop, first: date, days: int, details: dict[str, Any]) -> None:
    with pytest.raises(checks.NumberInvalid) as refused:
        campaigns.calendar(in_force(shop), SHANGHAI, first, days)
    assert refused.value.details == details


def test_s26_a_weekly_and_a_monthly_campaign_switch_their_rules_on_and_off(shop: Shop) -> None:
    shop.edit(
        rules=(fixed(10, "thursdays", campaign="weekly"), fixed(20, "eighths", campaign="monthly")),
        campaigns=(
            campaign("weekly", schedule=Schedule(weekdays=(4,))),
            campaign("monthly", schedule=Schedule(month_days=(8,)), audience=Audience(tags=("vip",))),
        ),
    )
    member, other = shop.join(tags=("vip",), external_id="a"), shop.join(external_id="b")
    shop.now = local("2026-01-08 00:00")
    assert [shop.buy(who, 100).purchase.points_earned for who in (member, other)] == [31, 11]
    shop.now += timedelta(days=1)
    assert [shop.buy(who, 100).purchase.points_earned for who in (member, other)] == [1, 1]
    shop.now = local("2026-02-08 23:59")
    assert [shop.buy(who, 100).purchase.points_earned for who in (member, other)] == [21, 1]
