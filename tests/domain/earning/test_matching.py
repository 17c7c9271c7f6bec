"""Which rules apply: validity, campaign, schedule, place, audience, and which purchase it is of the member's."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from domain.audiences import Audience
from domain.earning import evaluation, matching
from domain.earning.facts import BasisLine, Facts, Need, Occasion
from domain.earning.matching import Skip
from domain.earning.rules import Anniversary, Campaign, Cap, Conditions, EarningRule, Ordinal, Period, Trigger
from domain.schedules import Schedule
from domain.stores import Channel
from tests.domain.memory import START
from tests.domain.shop import SHANGHAI, campaign, fixed, local, per_amount

GOLD, SILVER, HARBOUR, AIRPORT = (UUID(int=number) for number in range(1, 5))


def why(
    rule: EarningRule,
    *,
    at: datetime = START,
    facts: Facts | None = None,
    campaigns: Sequence[Campaign] = (),
    trigger: Trigger = Trigger.PURCHASE,
    **place: Any,
) -> Skip | None:
    """Why the rule gives nothing for 1 yuan; None if it gives."""
    occasion = Occasion(
        trigger=trigger, occurred_at=at, time_zone=SHANGHAI, lines=(BasisLine(paid_minor=100),), **place
    )
    found = evaluation.evaluate(matching.compiled((rule,), campaigns), occasion, facts or Facts())
    assert len(found.requested) + len(found.skipped) == 1
    return found.skipped[0].why if found.skipped else None


def when(**conditions: Any) -> EarningRule:
    return fixed(1, when=Conditions(**conditions))


# Time.


def test_a_validity_is_half_open() -> None:
    rule = fixed(1, starts_at=START, ends_at=START + timedelta(hours=1))
    instant = timedelta(microseconds=1)
    assert why(rule, at=START - instant) is Skip.NOT_STARTED
    assert why(rule, at=START) is None
    assert why(rule, at=rule.ends_at - instant if rule.ends_at else START) is None
    assert why(rule, at=START + timedelta(hours=1)) is Skip.ENDED


def test_a_campaign_is_half_open_and_switches_its_rules_on() -> None:
    frame = campaign(first="2026-01-15", until="2026-01-16")
    rule = fixed(1, campaign="spring")
    for told, expected in (
        ("2026-01-14 23:59:59.999999", Skip.CAMPAIGN),
        ("2026-01-15 00:00", None),
        ("2026-01-15 23:59:59.999999", None),
        ("2026-01-16 00:00", Skip.CAMPAIGN),
    ):
        assert why(rule, at=local(told), campaigns=(frame,)) is expected
        assert why(fixed(1), at=local(told), campaigns=(frame,)) is None


@pytest.mark.parametrize(
    ("schedule", "on", "off"),
    [
        (Schedule(weekdays=(4,)), "2026-01-15 00:00", "2026-01-16 00:00"),
        (Schedule(weekdays=(4,)), "2026-01-15 23:59", "2026-01-14 23:59"),
        (Schedule(month_days=(8,)), "2026-02-08 12:00", "2026-02-09 00:00"),
        (Schedule(dates=("05-01",)), "2031-05-01 00:00", "2031-05-02 00:00"),
        (Schedule(dates=("2026-10-01",)), "2026-10-01 23:59", "2027-10-01 12:00"),
        (Schedule(from_hour=18, until_hour=20), "2026-01-15 18:00", "2026-01-15 20:00"),
        (Schedule(from_hour=18, until_hour=20), "2026-01-15 19:59:59", "2026-01-15 17:59:59"),
    ],
)
def test_s26_schedules_are_of_the_programs_clock(schedule: Schedule, on: str, off: str) -> None:
    rule, in_campaign = when(schedule=schedule), fixed(1, campaign="spring")
    frames = (campaign(first="2020-01-01", until="2040-01-01", schedule=schedule),)
    assert (why(rule, at=local(on)), why(rule, at=local(off))) == (None, Skip.SCHEDULE)
    assert why(in_campaign, at=local(on), campaigns=frames) is None
    assert why(in_campaign, at=local(off), campaigns=frames) is Skip.CAMPAIGN


# Place.


def test_s59_a_store_that_is_named_or_left_out() -> None:
    assert why(when(stores=(HARBOUR,)), store_id=HARBOUR) is None
    assert why(when(stores=(HARBOUR,)), store_id=AIRPORT) is Skip.STORE
    assert why(when(stores=(HARBOUR,))) is Skip.STORE
    assert why(when(without_stores=(HARBOUR,)), store_id=HARBOUR) is Skip.STORE
    assert why(when(without_stores=(HARBOUR,)), store_id=AIRPORT) is None
    assert why(when(without_stores=(HARBOUR,))) is None


def test_s59_a_channel_is_one_of_those_that_are_named() -> None:
    rule = when(channels=(Channel.ONLINE, Channel.PHONE))
    assert why(rule, channel=Channel.PHONE) is None
    assert why(rule, channel=Channel.IN_STORE) is Skip.CHANNEL
    assert why(rule) is Skip.CHANNEL


# Audience.


@pytest.mark.parametrize(
    ("audience", "facts", "expected"),
    [
        (Audience(tiers=(GOLD,)), Facts(tier_id=GOLD), None),
        (Audience(tiers=(GOLD,)), Facts(tier_id=SILVER), Skip.TIER),
        (Audience(tiers=(GOLD,)), Facts(), Skip.TIER),
        (Audience(tags=("vip", "press")), Facts(tags=("press",)), None),
        (Audience(tags=("vip",)), Facts(tags=("press",)), Skip.TAG),
        (Audience(without_tags=("staff",)), Facts(tags=("staff",)), Skip.TAG),
        (Audience(without_tags=("staff",)), Facts(), None),
        (Audience(segments=("sleepers",)), Facts(segments=("fans", "sleepers")), None),
        (Audience(segments=("sleepers",)), Facts(segments=("fans",)), Skip.SEGMENT),
    ],
)
def test_s51_an_audience_of_a_rule_or_of_its_campaign(audience: Audience, facts: Facts, expected: Skip | None) -> None:
    assert why(when(audience=audience), facts=facts) is expected
    framed = why(fixed(1, campaign="spring"), facts=facts, campaigns=(campaign(audience=audience),))
    assert framed is (None if expected is None else Skip.CAMPAIGN)


# The member's own time.


def test_s22_new_members_joined_at_most_so_many_local_days_ago() -> None:
    facts = Facts(enrolled_on=date(2026, 1, 15))
    rule = when(new_for_days=1)
    assert why(rule, at=local("2026-01-16 23:59"), facts=facts) is None
    assert why(rule, at=local("2026-01-17 00:00"), facts=facts) is Skip.NEW_MEMBER
    assert why(when(new_for_days=0), at=local("2026-01-15 00:00"), facts=facts) is None
    assert why(rule, at=local("2026-01-14 23:59"), facts=facts) is Skip.NEW_MEMBER, "bought before joining, told late"
    assert why(rule, facts=Facts()) is Skip.NEW_MEMBER


@pytest.mark.parametrize(
    ("anniversary", "told", "days", "others"),
    [
        (Anniversary.BIRTHDAY, date(1990, 3, 9), ("2026-03-09",), ("2026-03-08", "2026-03-10")),
        (Anniversary.BIRTHDAY, date(1992, 2, 29), ("2028-02-29", "2027-02-28"), ("2028-02-28", "2027-03-01")),
        (Anniversary.BIRTHDAY_WEEK, date(1990, 3, 9), ("2026-03-09", "2026-03-15"), ("2026-03-08", "2026-03-16")),
        (Anniversary.BIRTHDAY_WEEK, date(1990, 1, 1), ("2025-12-29", "2026-01-04"), ("2025-12-28", "2026-01-05")),
        (Anniversary.BIRTHDAY_WEEK, date(1992, 2, 29), ("2027-02-22", "2027-02-28"), ("2027-02-21", "2027-03-01")),
        (Anniversary.BIRTHDAY_MONTH, date(1992, 2, 29), ("2027-02-01", "2027-02-28"), ("2027-01-31", "2027-03-01")),
        (Anniversary.ENROLLMENT, date(2024, 2, 29), ("2025-02-28", "2028-02-29"), ("2024-02-29", "2028-02-28")),
        (Anniversary.ENROLLMENT, date(2025, 6, 1), ("2026-06-01",), ("2025-06-01", "2026-06-02")),
    ],
)
def test_s25_anniversaries(
    anniversary: Anniversary, told: date, days: tuple[str, ...], others: tuple[str, ...]
) -> None:
    is_of_birth = anniversary is not Anniversary.ENROLLMENT
    facts = Facts(birthday=told) if is_of_birth else Facts(enrolled_on=told)
    rule = when(anniversary=anniversary)
    for day in days:
        assert why(rule, at=local(f"{day} 00:00"), facts=facts) is None
        assert why(rule, at=local(f"{day} 23:59"), facts=facts) is None
        assert why(rule, at=local(f"{day} 12:00"), facts=Facts()) is Skip.ANNIVERSARY
    for day in others:
        assert why(rule, at=local(f"{day} 12:00"), facts=facts) is Skip.ANNIVERSARY


# Which purchase it is.


@pytest.mark.parametrize(
    ("ordinal", "numbers"),
    [
        (Ordinal(number=3), [3]),
        (Ordinal(number=3, repeats=True), [3, 6, 9]),
        (Ordinal(number=7, onwards=True), [7, 8, 9]),
        (Ordinal(number=1), [1]),
    ],
)
def test_s14_ordinals(ordinal: Ordinal, numbers: list[int]) -> None:
    for period in Period:
        rule = when(ordinal=replace(ordinal, period=period))
        met = [number for number in range(10) if why(rule, facts=Facts(ordinals={period.value: number})) is None]
        assert met == numbers
        assert why(rule, facts=Facts(ordinals={"OTHER": numbers[0]})) is Skip.ORDINAL


# What an occasion also is.


def given(rules: Sequence[EarningRule], trigger: Trigger, facts: Facts | None = None, **more: Any) -> list[str]:
    occasion = Occasion(
        trigger=trigger, occurred_at=START, time_zone=SHANGHAI, lines=(BasisLine(paid_minor=100),), **more
    )
    found = evaluation.evaluate(matching.compiled(rules, ()), occasion, facts or Facts())
    return [item.rule.code for item in found.requested]


EACH: Final = tuple(
    fixed(1, trigger.value, trigger=trigger, activity_type="review" if trigger is Trigger.ACTIVITY else None)
    for trigger in Trigger
)


def test_s22_a_first_purchase_meets_rules_of_both_triggers_by_priority() -> None:
    assert given(EACH, Trigger.PURCHASE, Facts(ordinals={"LIFETIME": 2})) == ["PURCHASE"]
    first = Facts(ordinals={"LIFETIME": 1})
    assert given(EACH, Trigger.PURCHASE, first) == ["PURCHASE", "FIRST_PURCHASE"]
    welcome = replace(EACH[1], priority=1)
    assert welcome.trigger is Trigger.FIRST_PURCHASE
    assert given((EACH[0], welcome), Trigger.PURCHASE, first) == ["FIRST_PURCHASE", "PURCHASE"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("review", ["ACTIVITY"]), ("share", []), ("check_in", []), ("referral", [])],
)
def test_s17_s18_signing_in_and_bringing_friends_are_no_activities(kind: str, expected: list[str]) -> None:
    assert given(EACH, Trigger.ACTIVITY, activity_type=kind) == expected


@pytest.mark.parametrize("trigger", [each for each in Trigger if each not in (Trigger.PURCHASE, Trigger.ACTIVITY)])
def test_every_other_occasion_meets_the_rules_of_its_own_trigger(trigger: Trigger) -> None:
    assert given(EACH, trigger) == [trigger.value]


def test_a_rule_of_another_activity_says_so() -> None:
    rule = fixed(1, trigger=Trigger.ACTIVITY, activity_type="review")
    assert why(rule, trigger=Trigger.ACTIVITY, activity_type="share") is Skip.ACTIVITY_TYPE


# What is looked up of the member.


@pytest.mark.parametrize(
    ("rule", "needs"),
    [
        (fixed(1), set[Need]()),
        (when(audience=Audience(tiers=(GOLD,))), set[Need]()),
        (when(audience=Audience(tags=("vip",))), {Need.PROFILE}),
        (when(audience=Audience(without_tags=("vip",))), {Need.PROFILE}),
        (when(new_for_days=3), {Need.PROFILE}),
        (when(anniversary=Anniversary.BIRTHDAY), {Need.PROFILE}),
        (when(audience=Audience(segments=("fans",))), {Need.SEGMENTS}),
        (when(ordinal=Ordinal(number=2)), set[Need]()),
        (when(ordinal=Ordinal(number=2, period=Period.WEEK)), {Need.WEEK}),
        (fixed(1, campaign="spring"), {Need.PROFILE}),
        (fixed(1, trigger=Trigger.FIRST_PURCHASE, when=Conditions(new_for_days=3)), {Need.PROFILE}),
        (fixed(1, trigger=Trigger.BIRTHDAY, when=Conditions(new_for_days=3)), set[Need]()),
    ],
)
def test_what_no_rule_of_the_occasion_asks_for_is_not_looked_up(rule: EarningRule, needs: set[Need]) -> None:
    frames = (campaign(audience=Audience(tags=("vip",))),)
    assert matching.compiled((rule,), frames).needs[Trigger.PURCHASE] == needs


@pytest.mark.parametrize(
    ("rule", "keeps"),
    [
        (fixed(1), False),
        (when(audience=Audience(tiers=(GOLD,)), stores=(HARBOUR,)), False),
        (fixed(1, trigger=Trigger.BIRTHDAY, when=Conditions(new_for_days=3)), False),
        (when(new_for_days=3), True),
        (when(ordinal=Ordinal(number=2)), True),
        (when(schedule=Schedule(weekdays=(1,))), True),
        (fixed(1, caps=(Cap(period=Period.DAY, points=1),)), True),
        (fixed(1, trigger=Trigger.FIRST_PURCHASE), True),
    ],
)
def test_l7_facts_are_kept_with_purchases_if_any_rule_looks_at_them(rule: EarningRule, keeps: bool) -> None:
    assert matching.compiled((per_amount(1, 100), rule), ()).keeps_facts is keeps


def test_l7_facts_are_kept_for_the_schedule_of_a_campaign() -> None:
    assert not matching.compiled((), (campaign(),)).keeps_facts
    assert matching.compiled((), (campaign(schedule=Schedule(weekdays=(1,))),)).keeps_facts
