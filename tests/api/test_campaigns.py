"""Campaigns through the API: dated frames with rules, budgets and caps, the calendar, and the terms in words."""

from typing import Any

import pytest
import pytest_asyncio

from tests.api.shops import Shop, World, key, local
from tests.api.stages import kept
from tests.api.statements import counted
from tests.api.test_earning import base, rule

pytestmark = pytest.mark.asyncio

CAMPAIGNS = """{ campaigns { code name startsAt endsAt budget pointsGiven isPublic version rules { code version }
    audience { tags } schedule { weekdays } } }"""
CALENDAR = """query ($first: Date, $days: Int! = 7) { calendar(from: $first, days: $days) {
    day campaigns { code name rules { code } terms { chinese english } } } }"""
TERMS = "{ program { rules { topic code chinese english } } }"
DOUBLE: dict[str, Any] = {"code": "double", "kind": "MULTIPLIER", "multiplierBp": 20_000}


def campaign(code: str = "thursdays", **told: Any) -> dict[str, Any]:
    """A campaign of March and April 2027, on Thursdays unless told otherwise."""
    frame = {"startsAt": local("2027-03-01T00:00"), "endsAt": local("2027-05-01T00:00")}
    return {"code": code, "name": "双倍星期四", "schedule": {"weekdays": [4]}, **frame, **told}


@pytest_asyncio.fixture
async def march(world: World) -> Shop:
    """A shop on Monday, the 1st of March 2027, at three in the afternoon."""
    shop = await world.open_shop()
    world.clock.put("2027-03-01T15:00")
    return shop


async def coming(shop: Shop, token: str | None = None, **variables: Any) -> dict[str, list[str]]:
    """The days on which campaigns run, with their codes."""
    days = (await shop.ask(CALENDAR, token, **variables))["calendar"]
    return {day["day"]: [each["code"] for each in day["campaigns"]] for day in days if day["campaigns"]}


async def words(shop: Shop) -> dict[str, tuple[str, str]]:
    """The published terms of rules, in Chinese and English."""
    told = (await shop.ask(TERMS, shop.publishable))["program"]["rules"]
    return {each["code"]: (each["chinese"], each["english"]) for each in told if each["topic"] == "EARNING"}


async def given_points(shop: Shop) -> dict[str, Any]:
    """What each campaign gave of its budget."""
    return {each["code"]: each["pointsGiven"] for each in (await shop.ask(CAMPAIGNS))["campaigns"]}


# Saving.


async def test_a_campaign_is_saved_with_its_rules_changed_and_removed(march: Shop) -> None:
    """All at once; its rules get a new version with it, and are removed with it only if that is said."""
    saved = await march.do("campaignSave", "campaign { code version } ruleVersion", campaign=campaign(), rules=[DOUBLE])
    assert saved == {"campaign": {"code": "thursdays", "version": 2}, "ruleVersion": 2, "userErrors": []}
    assert (await march.ask(CAMPAIGNS))["campaigns"] == [
        {
            "code": "thursdays",
            "name": "双倍星期四",
            "startsAt": "2027-02-28T16:00:00Z",
            "endsAt": "2027-04-30T16:00:00Z",
            "budget": None,
            "pointsGiven": None,
            "isPublic": True,
            "version": 2,
            "rules": [{"code": "double", "version": 2}],
            "audience": {"tags": []},
            "schedule": {"weekdays": [4]},
        }
    ]
    again = await march.do("campaignSave", "ruleVersion", campaign=campaign(), rules=[DOUBLE])
    assert again["ruleVersion"] == 2
    longer = campaign(endsAt=local("2027-06-01T00:00"), audience={"tags": ["vip"]}, budget=5000)
    await march.do("campaignSave", "ruleVersion", campaign=longer)
    (shown,) = (await march.ask(CAMPAIGNS))["campaigns"]
    assert (shown["version"], shown["rules"]) == (3, [{"code": "double", "version": 3}])
    assert (shown["budget"], shown["pointsGiven"], shown["audience"]) == (5000, 0, {"tags": ["vip"]})
    refused = await march.refused("campaignRemove", code="thursdays")
    assert (refused["code"], refused["field"]) == ("CAMPAIGN_INVALID", ["code"])
    assert refused["message"] == ("The campaign 'thursdays': it cannot be removed while the rule 'double' is in it.")
    removed = await march.do("campaignRemove", "ruleVersion", code="thursdays", removesRules=True)
    assert removed["ruleVersion"] == 4
    document = "{ campaigns { code } program { earningRules { code } } }"
    assert await march.ask(document) == {"campaigns": [], "program": {"earningRules": [{"code": "base"}]}}
    assert (await march.refused("campaignRemove", code="thursdays"))["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("told", "code", "path", "message"),
    [
        ({"code": ""}, "TEXT_INVALID", "code", "code must have 1 to 50 characters"),
        ({"name": " "}, "TEXT_INVALID", "name", "name must have 1 to 200 characters"),
        ({"endsAt": local("2027-03-01T00:00")}, "CAMPAIGN_INVALID", "endsAt", "it must end after it starts."),
        ({"endsAt": local("2027-03-03T00:00")}, "SCHEDULE_INVALID", "schedule", "no day from 2027-03-01 to 2027-03-02"),
        ({"schedule": {"dates": ["12-24"]}}, "SCHEDULE_INVALID", "schedule", "no day from 2027-03-01 to 2027-04-30"),
        ({"schedule": {"weekdays": [0]}}, "NUMBER_INVALID", "schedule.weekdays", "must be from 1 to 7; it is 0."),
        ({"budget": 0}, "POINTS_INVALID", "budget", "budget must be from 1 to"),
        ({"budget": -1}, "POINTS_INVALID", "budget", "it is -1."),
        ({"audience": {"segments": ["x"]}}, "RULE_REFERENCE_UNKNOWN", "audience.segments", "no segment 'x'"),
        ({"audience": {"tierIds": ["x"]}}, "NOT_FOUND", "audience.tierIds", "'x' is no id of a Tier"),
        ({"audience": {"tags": ["a"], "withoutTags": ["a"]}}, "CAMPAIGN_INVALID", "audience.tags", "'a' is both"),
        (
            {"audience": {"tags": ["a"] * 101}},
            "TOO_MANY",
            "audience.tags",
            "tags may have at most 100 items; it has 101.",
        ),
    ],
)
async def test_impossible_campaigns_are_refused(
    march: Shop, told: dict[str, Any], code: str, path: str, message: str
) -> None:
    """With the field and in words, and nothing changes."""
    before = await kept(march)
    refused = await march.refused("campaignSave", campaign=campaign(**told), rules=[DOUBLE])
    assert (refused["code"], refused["field"]) == (code, ["campaign", *path.split(".")])
    assert message in refused["message"], refused
    assert await kept(march) == before


async def test_a_campaign_that_leaves_no_time_to_a_rule_is_refused(march: Shop) -> None:
    """The rule stands; it is the campaign that is at fault."""
    fridays = DOUBLE | {"conditions": {"schedule": {"weekdays": [4, 5]}}}
    await march.do("campaignSave", "ruleVersion", campaign=campaign(), rules=[fridays])
    before = await kept(march)
    refused = await march.refused("campaignSave", campaign=campaign(schedule={"weekdays": [6]}))
    assert (refused["code"], refused["field"]) == ("RULE_INVALID", ["campaign"])
    assert refused["message"] == (
        "The earning rule 'double': its schedule and that of its campaign 'thursdays' have no time in common."
    )
    assert await kept(march) == before


async def test_a_rule_that_names_another_campaign_is_not_saved_with_this_one(march: Shop) -> None:
    """Nor with the other, which nobody meant to change; one that names this one is."""
    await march.do("campaignSave", "ruleVersion", campaign=campaign("c4"))
    before = await kept(march)
    told = [DOUBLE, rule("mine", campaign="c6"), rule("theirs", campaign="c4")]
    refused = await march.refused("campaignSave", campaign=campaign("c6"), rules=told)
    assert (refused["code"], refused["field"]) == ("RULE_INVALID", ["rules", "2", "campaign"])
    assert refused["message"] == (
        "The earning rule 'theirs': it names the campaign 'c4' and is saved with 'c6'; leave it out, or save the rule"
        " by itself."
    )
    assert await kept(march) == before
    selection = "campaign { rules { code campaign } }"
    saved = await march.do("campaignSave", selection, campaign=campaign(" c6 "), rules=told[:2])
    assert saved["campaign"]["rules"] == [{"code": code, "campaign": "c6"} for code in ("double", "mine")]


# What is coming.


async def test_the_calendar_shows_next_week_to_a_storefront(march: Shop) -> None:
    """The local days on which public campaigns run, with what they give in both languages."""
    await march.do("campaignSave", "ruleVersion", campaign=campaign(), rules=[DOUBLE])
    flash = campaign("flash", startsAt=local("2027-03-08T22:00"), endsAt=local("2027-03-09T02:00"), schedule=None)
    await march.do("campaignSave", "ruleVersion", campaign=flash)
    await march.do("campaignSave", "ruleVersion", campaign=campaign("secret", isPublic=False))
    token = march.publishable
    assert await coming(march, token) == {"2027-03-04": ["thursdays"]}
    expected = {"2027-03-08": ["flash"], "2027-03-09": ["flash"], "2027-03-11": ["thursdays"]}
    assert await coming(march, token, first="2027-03-08") == expected
    assert await coming(march, token, first="2027-04-30", days=92) == {}
    days = (await march.ask(CALENDAR, token, first="2027-03-11", days=1))["calendar"]
    assert days == [
        {
            "day": "2027-03-11",
            "campaigns": [
                {
                    "code": "thursdays",
                    "name": "双倍星期四",
                    "rules": [{"code": "double"}],
                    "terms": {
                        "chinese": "“双倍星期四”活动：2027年3月1日至2027年4月30日（含），每周四。",
                        "english": ("Campaign “双倍星期四”: from 1 March 2027 through 30 April 2027, every Thursday."),
                    },
                }
            ],
        }
    ]
    for bad in ({"days": 0}, {"days": 93}, {"first": "1899-12-31"}):
        assert await march.error(CALENDAR, token, **bad) == "BAD_USER_INPUT"


async def test_a_campaign_that_is_not_public_is_a_surprise(march: Shop) -> None:
    """Its rules give, and staff sees them; no storefront and no member does, neither as data nor in words."""
    secret = campaign("secret", isPublic=False)
    await march.do("campaignSave", "ruleVersion", campaign=secret, rules=[DOUBLE | {"code": "surprise"}])
    document = "{ program { earningRules { code } rules { code } } }"
    for token, is_shown in ((march.secret, True), (march.publishable, False)):
        program = (await march.ask(document, token))["program"]
        assert ({"code": "surprise"} in program["earningRules"], {"code": "surprise"} in program["rules"]) == (
            is_shown,
            is_shown,
        )


async def test_a_calendar_counts_what_it_shows(march: Shop) -> None:
    """A storefront cannot have a server write thousands of terms at once."""
    everyday = campaign("daily", schedule=None, endsAt=local("2028-05-01T00:00"))
    await march.do("campaignSave", "ruleVersion", campaign=everyday, rules=[rule(f"r{n}") for n in range(200)])
    document = "query ($days: Int!) { calendar(days: $days) { campaigns { rules { code } } } }"
    assert len((await march.ask(document, march.publishable, days=49))["calendar"]) == 49
    assert await march.error(document, march.publishable, days=50) == "QUERY_TOO_COMPLEX"


async def test_words_cost_the_same_for_one_and_for_many(march: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program, its tiers, segments, check-in activities, referral policy, and the stores that rules name; a version
    is read once a process."""
    store = (await march.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    rules = [rule(f"r{number}", conditions={"storeIds": [store]}) for number in range(30)]
    document = "{ program { rules { english } earningRules { terms { chinese } conditions { stores { code } } } } }"
    for count in (1, 30):
        await march.set_rules(*rules[:count])
        await march.ask(document)
        with counted(monkeypatch) as seen:
            assert len((await march.ask(document))["program"]["earningRules"]) == count
        assert len(seen) == 6, seen


# Giving.


async def test_points_are_doubled_on_thursdays_only(march: Shop) -> None:
    """By the program's own clock: Thursday begins and ends at local midnight; what is told late counts then."""
    await march.do("campaignSave", "ruleVersion", campaign=campaign(), rules=[DOUBLE])
    member = await march.enroll(enrolledAt=local("2027-01-01T00:00"))
    march.world.clock.put("2027-03-12T12:00")
    for at, points in (
        ("2027-03-03T23:59:59", 10),
        ("2027-03-04T00:00:00", 20),
        ("2027-03-04T23:59:59", 20),
        ("2027-03-05T00:00:00", 10),
        ("2027-02-25T12:00:00", 10),
    ):
        bought = await march.buy(member, "10.50", occurredAt=f"{at}+08:00")
        assert bought["purchase"]["pointsEarned"] == points + (points == 20), at


async def test_a_budget_is_for_all_members_and_refunds_make_room(march: Shop) -> None:
    """REDUCE gives what is left, and nothing afterwards; what is refunded can be given again."""
    frame = campaign(schedule=None, budget=100)
    await march.do("campaignSave", "ruleVersion", campaign=frame, rules=[rule("gift", points=60)])
    await march.set_rules(base(march), rule("gift", points=60, campaign="thursdays"))
    first, second, third = [await march.enroll(name) for name in ("a", "b", "c")]
    one = await march.buy(first, "10", "o-1")
    two = await march.buy(second, "10", "o-2")
    assert (one["purchase"]["pointsEarned"], two["purchase"]["pointsEarned"]) == (70, 50)
    assert await given_points(march) == {"thursdays": 100}
    assert (await march.buy(third, "10"))["purchase"]["pointsEarned"] == 10
    refund = {"purchase": {"externalId": "o-2"}, "refundId": "r-1", "idempotencyKey": key()}
    assert (await march.do("purchaseRefund", "refund { pointsDue }", **refund))["refund"] == {"pointsDue": 50}
    assert await given_points(march) == {"thursdays": 60}
    assert (await march.buy(third, "10"))["purchase"]["pointsEarned"] == 50


async def test_caps_reduce_or_reject_by_the_local_day(march: Shop) -> None:
    """Per member and rule; times and points; a new local day has new room."""
    points, times = [{"period": "DAY", "points": 25}], [{"period": "DAY", "times": 2}]
    await march.set_rules(
        rule("reduces", points=10, caps=points),
        rule("rejects", points=10, caps=points, capPolicy="REJECT"),
        rule("twice", points=1, caps=times),
    )
    member, other = await march.enroll("a"), await march.enroll("b")
    found = [(await march.buy(member, "10"))["purchase"]["pointsEarned"] for _ in range(4)]
    assert found == [10 + 10 + 1, 10 + 10 + 1, 5, 0]
    assert (await march.buy(other, "10"))["purchase"]["pointsEarned"] == 21
    march.world.clock.put("2027-03-02T00:00")
    assert (await march.buy(member, "10"))["purchase"]["pointsEarned"] == 21


async def test_a_refund_reckons_by_the_rules_of_its_purchase(march: Shop) -> None:
    """Though they were changed, and the campaign is gone (L7)."""
    await march.do("campaignSave", "ruleVersion", campaign=campaign(schedule=None), rules=[DOUBLE])
    member = await march.enroll()
    assert (await march.buy(member, "100", "o-1"))["purchase"]["pointsEarned"] == 200
    await march.do("campaignRemove", "ruleVersion", code="thursdays", removesRules=True)
    await march.set_rules(base(march, "10"))
    refund = {"purchase": {"externalId": "o-1"}, "amount": march.money("30")}
    selection = "refund { pointsDue } member { account { available } }"
    payload = await march.do("purchaseRefund", selection, **refund, refundId="r-1", idempotencyKey=key())
    assert payload["refund"] == {"pointsDue": 60}
    assert payload["member"] == {"account": {"available": 140}}


# In words.


async def test_published_terms_change_with_the_data_and_never_show_what_has_ended(march: Shop) -> None:
    """In plain Chinese and English, to a storefront; what is coming is published, too."""
    before = await words(march)
    assert set(before) == {"base"}
    await march.set_rules(base(march, "10"))
    for told, (chinese, english) in ((before, ("1元", "1 yuan")), (await words(march), ("10元", "10 yuan"))):
        assert told["base"][0].startswith(f"每消费{chinese}得1积分")
        assert told["base"][1].startswith(f"Earn 1 point for every {english} paid")
    await march.do("campaignSave", "ruleVersion", campaign=campaign(), rules=[DOUBLE])
    ends = rule("bonus", "BONUS_AT", points=50, amount=march.money("300"), endsAt=local("2027-03-10T00:00"))
    await march.do("earningRuleSave", "ruleVersion", rule=ends)
    chinese, english = (await words(march))["double"]
    assert "双倍积分" in chinese
    assert "每周四" in chinese
    assert "double points" in english
    assert "every Thursday" in english
    holiday = rule("holiday", points=8, conditions={"schedule": {"dates": ["2027-03-08"]}})
    await march.do("earningRuleSave", "ruleVersion", rule=holiday)
    march.world.clock.put("2027-03-08T23:59")
    assert set(await words(march)) == {"base", "double", "bonus", "holiday"}
    march.world.clock.put("2027-03-09T23:59")
    assert set(await words(march)) == {"base", "double", "bonus"}
    march.world.clock.put("2027-03-10T00:00")
    assert set(await words(march)) == {"base", "double"}
    march.world.clock.put("2027-04-29T23:59")
    assert set(await words(march)) == {"base", "double"}
    # The campaign ends with April, and its last Thursday is over.
    march.world.clock.put("2027-04-30T00:00")
    assert set(await words(march)) == {"base"}
