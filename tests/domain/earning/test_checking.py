"""Rules and campaigns name only what there is, at times that there are, and every fault names its field."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from domain.audiences import Audience
from domain.checks import PointsInvalid, TextInvalid, TooMany
from domain.earning import checking
from domain.earning.checking import CampaignInvalid, Known
from domain.earning.effects import RuleInvalid
from domain.earning.rules import CAMPAIGNS_MAX, RULES_MAX, Campaign, Conditions, EarningRule, Trigger
from domain.kernel import Refusal
from domain.references import ReferenceUnknown
from domain.schedules import Schedule, ScheduleInvalid
from domain.stores import Channel
from tests.domain.shop import SHANGHAI, campaign, fixed, local

GOLD, HARBOUR, NOWHERE = UUID(int=1), UUID(int=2), UUID(int=99)
KNOWN: Final = Known(
    time_zone=SHANGHAI,
    today=date(2026, 1, 15),
    categories=("tea", "cake"),
    tiers=(GOLD,),
    stores=(HARBOUR,),
    segments=("sleepers", "fans"),
)


def check(rule: EarningRule | Campaign, frames: tuple[Campaign, ...] = ()) -> EarningRule | Campaign:
    if isinstance(rule, Campaign):
        return checking.check_campaign(rule, KNOWN)
    return checking.check_rule(rule, {frame.code: frame for frame in frames}, KNOWN)


def refused(
    rule: EarningRule | Campaign, kind: type[Refusal] = RuleInvalid, frames: tuple[Campaign, ...] = ()
) -> Refusal:
    with pytest.raises(kind) as found:
        check(rule, frames)
    assert type(found.value) is kind
    return found.value


def when(**conditions: Any) -> EarningRule:
    return fixed(1, when=Conditions(**conditions))


# Texts.


def test_texts_are_trimmed_and_lists_of_texts_are_told_once() -> None:
    rule = fixed(
        1,
        " gift ",
        name=" Gift ",
        activity_type=" review ",
        exclusive_group=" g ",
        trigger=Trigger.ACTIVITY,
        when=Conditions(audience=Audience(tiers=(GOLD, GOLD), tags=(" vip ", "vip"), segments=("fans", "fans"))),
    )
    kept = checking.check_rule(rule, {}, KNOWN)
    assert (kept.code, kept.name, kept.activity_type, kept.exclusive_group) == ("gift", "Gift", "review", "g")
    assert kept.when.audience == Audience(tiers=(GOLD,), tags=("vip",), segments=("fans",))
    goods = checking.check_rule(when(products=(" a ", "a"), without_products=(" b ",)), {}, KNOWN)
    assert (goods.when.products, goods.when.without_products) == (("a",), ("b",))


def test_what_a_condition_names_twice_is_kept_once_and_published_once() -> None:
    closed = UUID(int=HARBOUR.int + 1)
    twice = when(
        categories=("tea", "tea"),
        without_categories=("cake", "cake"),
        stores=(HARBOUR, HARBOUR),
        without_stores=(closed, closed),
        channels=(Channel.ONLINE, Channel.ONLINE),
    )
    kept = checking.check_rule(twice, {}, replace(KNOWN, stores=(HARBOUR, closed))).when
    assert (kept.categories, kept.without_categories) == (("tea",), ("cake",))
    assert (kept.stores, kept.without_stores, kept.channels) == ((HARBOUR,), (closed,), (Channel.ONLINE,))


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (fixed(1, " "), "code"),
        (fixed(1, "x" * 51), "code"),
        (fixed(1, name=""), "name"),
        (fixed(1, exclusive_group=""), "exclusiveGroup"),
        (fixed(1, activity_type="", trigger=Trigger.ACTIVITY), "activityType"),
        (when(products=("",)), "conditions.products"),
        (when(without_products=("",)), "conditions.withoutProducts"),
        (when(audience=Audience(tags=("",))), "conditions.audience.tags"),
        (when(audience=Audience(without_tags=("",))), "conditions.audience.withoutTags"),
        (campaign(" "), "code"),
        (campaign(name=" "), "name"),
        (campaign(description=" "), "description"),
        (campaign(description="x" * 1_001), "description"),
        (campaign(audience=Audience(tags=("",))), "audience.tags"),
    ],
)
def test_texts_that_are_none_are_refused(rule: EarningRule | Campaign, field: str) -> None:
    assert refused(rule, TextInvalid).field == (field,)


@pytest.mark.parametrize(
    "name", ["products", "without_products", "categories", "without_categories", "stores", "without_stores"]
)
def test_lists_have_at_most_200_items(name: str) -> None:
    found = refused(when(**{name: tuple(str(number) for number in range(201))}), TooMany)
    told = "conditions." + name.replace("_p", "P").replace("_c", "C").replace("_s", "S").replace("tores", "toreIds")
    assert (found.field, found.details) == ((told,), {"name": told, "count": 201, "count_max": 200})


@pytest.mark.parametrize("name", ["tiers", "tags", "without_tags", "segments"])
def test_an_audience_has_at_most_100_items_of_a_kind(name: str) -> None:
    many: dict[str, Any] = {name: tuple(str(number) for number in range(101))}
    told = "audience." + name.replace("_t", "T").replace("tiers", "tierIds")
    assert refused(campaign(audience=Audience(**many)), TooMany).details == {
        "name": told,
        "count": 101,
        "count_max": 100,
    }
    assert refused(when(audience=Audience(**many)), TooMany).field == (f"conditions.{told}",)


# What rules name.


@pytest.mark.parametrize(
    ("rule", "field", "message"),
    [
        (when(categories=("tee",)), "conditions.categories", "no category 'tee'; did you mean 'tea'?"),
        (
            when(without_categories=("shoes",)),
            "conditions.withoutCategories",
            "no category 'shoes'; add it to the program's categories first.",
        ),
        (when(stores=(NOWHERE,)), "conditions.storeIds", f"no store '{NOWHERE}'; create it first."),
        (when(without_stores=(NOWHERE,)), "conditions.withoutStoreIds", f"no store '{NOWHERE}'; create it first."),
        (
            when(audience=Audience(tiers=(NOWHERE,))),
            "conditions.audience.tierIds",
            f"no tier '{NOWHERE}'; create it first.",
        ),
        (
            when(audience=Audience(segments=("sleeper",))),
            "conditions.audience.segments",
            "no segment 'sleeper'; did you mean 'sleepers'?",
        ),
        (fixed(1, campaign="sprng"), "campaign", "no campaign 'sprng'; did you mean 'spring'?"),
        (fixed(1, campaign="x"), "campaign", "no campaign 'x'; create it first."),
        (campaign(audience=Audience(tiers=(NOWHERE,))), "audience.tierIds", f"no tier '{NOWHERE}'; create it first."),
        (campaign(audience=Audience(segments=("fan",))), "audience.segments", "no segment 'fan'; did you mean 'fans'?"),
    ],
)
def test_what_the_program_does_not_have_is_refused_with_the_nearest_that_it_has(
    rule: EarningRule | Campaign, field: str, message: str
) -> None:
    found = refused(rule, ReferenceUnknown, (campaign(),))
    assert (found.field, found.message) == ((field,), f"This program has {message}")


def test_a_long_name_is_told_in_part() -> None:
    found = refused(when(categories=("x" * 9_999,)), ReferenceUnknown)
    assert found.details["given"] == "x" * 200


@pytest.mark.parametrize(
    ("rule", "field", "which"),
    [
        (when(products=("b", "a"), without_products=("a", "b", "c")), "conditions.products", "'a'"),
        (when(categories=("tea",), without_categories=("tea",)), "conditions.categories", "'tea'"),
        (when(stores=(HARBOUR,), without_stores=(HARBOUR,)), "conditions.storeIds", "the same store"),
        (when(audience=Audience(tags=(" vip",), without_tags=("vip",))), "conditions.audience.tags", "'vip'"),
    ],
)
def test_nothing_is_included_and_excluded_at_once(rule: EarningRule, field: str, which: str) -> None:
    found = refused(rule)
    assert (found.field, found.details["why"]) == ((field,), f"{which} is both included and excluded.")


def test_a_campaign_includes_and_excludes_nobody_at_once() -> None:
    found = refused(campaign(audience=Audience(tags=("vip",), without_tags=("vip",))), CampaignInvalid)
    assert found.message == "The campaign 'spring': 'vip' is both included and excluded."
    assert found.field == ("audience.tags",)


# Validity.


def test_a_validity_ends_after_it_starts() -> None:
    at = local("2026-03-01")
    for rule in (fixed(1, starts_at=at, ends_at=at), fixed(1, starts_at=at, ends_at=at - timedelta(days=1))):
        found = refused(rule)
        assert (found.field, found.details["why"]) == (("endsAt",), "it must end after it starts.")
    found = refused(campaign(starts_at=at, ends_at=at), CampaignInvalid)
    assert (found.field, found.message) == (("endsAt",), "The campaign 'spring': it must end after it starts.")


@pytest.mark.parametrize(
    "at",
    [
        datetime(1899, 12, 31, tzinfo=UTC),
        datetime(3000, 1, 1, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
        datetime(2026, 3, 1),  # noqa: DTZ001
    ],
)
def test_times_are_of_a_zone_and_within_calendars(at: datetime) -> None:
    why = "a time has a time zone and a year from 1900 to 2999."
    for field, name in (("startsAt", "starts_at"), ("endsAt", "ends_at")):
        told: dict[str, Any] = {name: at}
        assert (refused(fixed(1, **told)).field, refused(fixed(1, **told)).details["why"]) == ((field,), why)
        assert refused(campaign(**told), CampaignInvalid).details == {"campaign": "spring", "why": why}


def test_a_rule_may_end_in_the_past_for_so_staff_ends_it() -> None:
    for schedule in (Schedule(), Schedule(weekdays=(1,)), Schedule(from_hour=8, until_hour=10)):
        for ends_at in (local("2026-01-14"), local("2026-01-15 06:00")):
            ended = fixed(1, ends_at=ends_at, when=Conditions(schedule=schedule))
            assert checking.check_rule(ended, {}, KNOWN) == ended
    over = campaign(first="2025-01-01", until="2025-02-01")
    assert checking.check_campaign(over, KNOWN) == over


# Validity, campaign and schedule together.


@pytest.mark.parametrize(
    ("starts_at", "ends_at"), [("2026-07-01", None), (None, "2026-01-01"), ("2027-01-01", "2028-01-01")]
)
def test_a_rule_and_its_campaign_overlap(starts_at: str | None, ends_at: str | None) -> None:
    rule = fixed(
        1,
        campaign="spring",
        starts_at=None if starts_at is None else local(starts_at),
        ends_at=None if ends_at is None else local(ends_at),
    )
    found = refused(rule, frames=(campaign(),))
    assert (found.field, found.details["why"]) == (
        ("campaign",),
        "its validity and that of its campaign 'spring' do not overlap, so it can never match.",
    )


@pytest.mark.parametrize(
    ("mine", "frame"),
    [
        (Schedule(weekdays=(1,)), Schedule(weekdays=(2,))),
        (Schedule(from_hour=8, until_hour=10), Schedule(from_hour=10)),
        (Schedule(dates=("05-01",)), Schedule(dates=("10-01",))),
        (Schedule(month_days=(31,)), Schedule(dates=("02-28", "04-30"))),
        (Schedule(dates=("2026-05-01",)), Schedule(weekdays=(1,))),
        (Schedule(dates=("08-01",)), Schedule()),
    ],
)
def test_a_rule_and_its_campaign_have_a_time_in_common(mine: Schedule, frame: Schedule) -> None:
    rule = fixed(1, campaign="spring", when=Conditions(schedule=mine))
    found = refused(rule, frames=(campaign(schedule=frame),))
    assert (found.field, found.details["why"]) == (
        ("conditions.schedule",),
        "its schedule and that of its campaign 'spring' have no time in common.",
    )


def test_a_rule_has_an_hour_of_its_campaign_within_both() -> None:
    rule = fixed(1, campaign="spring", when=Conditions(schedule=Schedule(from_hour=8, until_hour=12)))
    frame = campaign(
        starts_at=local("2026-12-01 10:00"), ends_at=local("2026-12-02 09:00"), schedule=Schedule(until_hour=10)
    )
    assert checking.check_rule(rule, {"spring": frame}, KNOWN) == rule
    found = refused(replace(rule, ends_at=local("2026-12-02 08:00")), frames=(frame,))
    assert found.field == ("conditions.schedule",)
    assert checking.check_rule(replace(rule, ends_at=local("2026-12-02 08:00:01")), {"spring": frame}, KNOWN)


def test_a_rule_of_a_campaign_keeps_a_schedule_that_meets_it_once() -> None:
    rule = fixed(1, campaign="spring", when=Conditions(schedule=Schedule(weekdays=(5,), month_days=(1,))))
    frame = campaign(schedule=Schedule(dates=("05-01",)))
    assert checking.check_rule(rule, {"spring": frame}, KNOWN) == rule
    assert checking.check_window(rule, {"spring": frame}, KNOWN)[:2] == (date(2026, 1, 1), date(2026, 6, 30))


def test_what_the_clock_gives_is_in_no_campaign_with_hours() -> None:
    rule = fixed(1, trigger=Trigger.BIRTHDAY, campaign="spring")
    found = refused(rule, frames=(campaign(schedule=Schedule(from_hour=9)),))
    assert (found.field, found.details["why"]) == (
        ("campaign",),
        "BIRTHDAY is given once a day, at no hour, and its campaign 'spring' has hours.",
    )


@pytest.mark.parametrize(
    ("schedule", "told", "window"),
    [
        (Schedule(dates=("02-29",), month_days=(28,)), {}, "from 2026-01-15 on"),
        (Schedule(dates=("2025-10-01",)), {}, "from 2026-01-15 on"),
        (Schedule(dates=("02-29",)), {"ends_at": local("2027-03-01")}, "from 2026-01-15 to 2027-02-28"),
        (
            Schedule(weekdays=(1,)),
            {"starts_at": local("2026-01-20"), "ends_at": local("2026-01-21")},
            "from 2026-01-20 to 2026-01-20",
        ),
    ],
)
def test_a_schedule_has_a_day_in_the_validity(schedule: Schedule, told: dict[str, Any], window: str) -> None:
    found = refused(fixed(1, when=Conditions(schedule=schedule), **told), ScheduleInvalid)
    why = f"no day {window} is on all of its weekdays, days of the month and dates."
    assert (found.field, found.message) == (("conditions.schedule",), f"The schedule does not work: {why}")


def test_a_campaign_has_a_day_of_its_schedule() -> None:
    frame = campaign(first="2026-01-20", until="2026-01-21", schedule=Schedule(weekdays=(1,)))
    found = refused(frame, ScheduleInvalid)
    assert found.field == ("schedule",)
    assert "from 2026-01-20 to 2026-01-20" in found.message
    tuesday = replace(frame, schedule=Schedule(weekdays=(2,)))
    assert checking.check_campaign(tuesday, KNOWN) == tuesday


NIGHT: Final[dict[str, Any]] = {"starts_at": local("2026-12-01 00:00"), "ends_at": local("2026-12-01 06:00")}
MORNING = Schedule(from_hour=8, until_hour=10)


def test_a_rule_and_a_campaign_have_an_hour_between_start_and_end() -> None:
    why = (
        "The schedule does not work: from its start to its end no day that it has comes to an hour from 8 and before"
        " 10; move the start, the end or the hours."
    )
    found = refused(fixed(1, when=Conditions(schedule=MORNING), **NIGHT), ScheduleInvalid)
    assert (found.field, found.message) == (("conditions.schedule",), why)
    found = refused(campaign(schedule=MORNING, **NIGHT), ScheduleInvalid)
    assert (found.field, found.message) == (("schedule",), why)
    longer = NIGHT | {"ends_at": local("2026-12-01 08:00:01")}
    assert check(fixed(1, when=Conditions(schedule=MORNING), **longer))
    assert check(campaign(schedule=MORNING, **longer))
    mondays = replace(MORNING, weekdays=(1,))
    assert check(fixed(1, when=Conditions(schedule=mondays), **longer | {"starts_at": local("2026-11-30 09:59")}))
    found = refused(
        fixed(1, when=Conditions(schedule=mondays), **longer | {"starts_at": local("2026-11-30 10:00")}),
        ScheduleInvalid,
    )
    assert found.message == why


@pytest.mark.parametrize("bad", [0, -1, 2**53])
def test_l13_a_budget_is_not_nothing(bad: int) -> None:
    assert refused(campaign(budget=bad), PointsInvalid).field == ("budget",)


# All together.


def test_codes_are_told_once_and_lists_are_bounded() -> None:
    why = "it is told twice; each needs a code of its own."
    with pytest.raises(RuleInvalid) as rules:
        checking.check_all((fixed(1, "a"), fixed(1, "b"), fixed(2, " a")), ())
    assert (rules.value.field, rules.value.details) == (("rules",), {"rule": "a", "why": why})
    with pytest.raises(CampaignInvalid) as campaigns:
        checking.check_all((), (campaign(), campaign()))
    assert (campaigns.value.field, campaigns.value.details) == (("campaigns",), {"campaign": "spring", "why": why})
    with pytest.raises(TooMany) as many:
        checking.check_all(tuple(fixed(1, str(number)) for number in range(RULES_MAX + 1)), ())
    assert many.value.details == {"name": "rules", "count": 1_001, "count_max": 1_000}
    with pytest.raises(TooMany) as frames:
        checking.check_all((), tuple(campaign(str(number)) for number in range(CAMPAIGNS_MAX + 1)))
    assert frames.value.details == {"name": "campaigns", "count": 201, "count_max": 200}
    checking.check_all(tuple(fixed(1, str(number)) for number in range(RULES_MAX)), ())


def test_no_rule_has_the_code_of_what_settings_give() -> None:
    found = refused(fixed(1, "referral-gift", trigger=Trigger.REFERRAL))
    assert found.field == ("code",)
    assert found.details["why"] == "codes that end with -gift are of what the program's settings give."
    found = refused(fixed(1, "sign_up", trigger=Trigger.ENROLLMENT))
    assert found.details["why"] == "sign_up is the bonus that the program's signUpPoints give."
    assert check(fixed(1, "gift-of-spring")) == fixed(1, "gift-of-spring")
