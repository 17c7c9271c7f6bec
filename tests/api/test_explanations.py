"""Explanations: why points were earned, by which rules and inputs, and which rules gave nothing and why."""

from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio

from domain.grants import GrantBirthday
from tests.api.shops import Shop, World, key, key_of, local
from tests.api.statements import counted
from tests.api.test_campaigns import DOUBLE, campaign
from tests.api.test_earning import base, rule

pytestmark = pytest.mark.asyncio

EXPLAINED = """explanation { ruleVersion localTime channel activityType multiplierBp ordinals
    store { code } tier { name } paid { amount } freight { amount }
    applied { rule { code points version } points requested limitedBy } skipped { rule { code } why } }"""
LEDGER = """query ($id: ID!) { member(ref: {id: $id}) { pointTransactions(first: 100) { nodes {
    kind rule amount %s } } } }"""


@pytest_asyncio.fixture
async def march(world: World) -> Shop:
    """A shop on Thursday, the 4th of March 2027, at three in the afternoon."""
    shop = await world.open_shop()
    world.clock.put("2027-03-04T15:00")
    return shop


async def ledger(shop: Shop, member: str, selection: str = EXPLAINED, token: str | None = None) -> list[dict[str, Any]]:
    """A member's transactions, the oldest first."""
    nodes = (await shop.ask(LEDGER % selection, token, id=member))["member"]["pointTransactions"]["nodes"]
    return list(reversed(nodes))


def applied(code: str, points: int, of_rule: int, version: int, **told: Any) -> dict[str, Any]:
    """A rule that gave all that it would give, unless told otherwise."""
    shown = {"rule": {"code": code, "points": of_rule, "version": version}, "points": points, "requested": points}
    return {**shown, "limitedBy": None, **told}


# Why each rule gives nothing for the purchase below.
SKIPPED = {
    "over": "ENDED",
    "coming": "NOT_STARTED",
    "fridays": "SCHEDULE",
    "phone": "CHANNEL",
    "elsewhere": "STORE",
    "vip": "TAG",
    "second": "ORDINAL",
    "big": "BELOW_MINIMUM",
    "small": "ABOVE_MAXIMUM",
    "many": "QUANTITY",
    "sencha": "LINES",
    "born": "ANNIVERSARY",
    "a": "EXCLUDED",
    "tiny": "NOTHING_TO_GIVE",
}


def one_of_everything(shop: Shop, store: str) -> list[dict[str, Any]]:
    """A rule for every reason to give nothing, one that gives, and two whose caps are used up by a purchase before."""
    return [
        base(shop) | {"includesFreight": True},
        rule("capped", points=50, caps=[{"period": "WEEK", "points": 30}]),
        rule("used-up", points=9, caps=[{"period": "MONTH", "times": 1}]),
        rule("over", endsAt=local("2027-03-04T15:00")),
        rule("coming", startsAt=local("2027-03-05T00:00")),
        rule("fridays", conditions={"schedule": {"weekdays": [5]}}),
        rule("phone", conditions={"channels": ["PHONE"]}),
        rule("elsewhere", conditions={"withoutStoreIds": [store]}),
        rule("vip", conditions={"audience": {"tags": ["vip"]}}),
        rule("second", conditions={"ordinal": {"number": 1, "period": "DAY"}}),
        rule("big", minimum=shop.money("1000")),
        rule("small", conditions={"maximum": shop.money("5")}),
        rule("many", conditions={"quantityMin": 9}),
        rule("sencha", conditions={"products": ["sencha"]}),
        rule("born", conditions={"anniversary": "BIRTHDAY_MONTH"}),
        rule("a", points=3, exclusiveGroup="g"),
        rule("b", points=5, exclusiveGroup="g"),
        rule("tiny", "PER_AMOUNT", points=1, amount=shop.money("5000")),
    ]


async def test_a_purchase_tells_what_gave_what_did_not_and_by_which_inputs(march: Shop) -> None:
    """With the caps that bit; the transaction tells the same; later edits change nothing of it."""
    store = (await march.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    tier = {"name": "Gold", "rank": 1, "threshold": 0, "multiplierBp": 15_000}
    await march.do("tierCreate", "tier { id }", **tier)
    assert await march.set_rules(*one_of_everything(march, store)) == 2
    member = await march.enroll(tags=["new"])
    first = ["base", "capped", "used-up", "elsewhere", "second", "small", "b"]
    await march.buy(member, "1")
    assert await march.earned(member) == list(zip(first, (1, 30, 9, 1, 1, 1, 5), strict=True))
    told = {"freight": march.money("8"), "storeId": store, "channel": "IN_STORE"}
    purchase = (await march.buy(member, "108", "o-1", **told))["purchase"]["id"]
    await march.set_rules(base(march, "10"))
    document = f"query ($id: ID!) {{ node(id: $id) {{ ... on Purchase {{ {EXPLAINED} }} }} }}"
    shown = (await march.ask(document, id=purchase))["node"]["explanation"]
    assert {each["rule"]["code"]: each["why"] for each in shown.pop("skipped")} == SKIPPED
    assert shown.pop("localTime").startswith("2027-03-04T15:00")
    assert shown == {
        "ruleVersion": 2,
        "channel": "IN_STORE",
        "activityType": None,
        "multiplierBp": 15_000,
        "ordinals": {"LIFETIME": 2, "DAY": 2},
        "store": {"code": "s1"},
        "tier": {"name": "Gold"},
        "paid": {"amount": "100.00"},
        "freight": {"amount": "8.00"},
        "applied": [
            applied("base", 162, 1, 2),
            applied("capped", 0, 50, 2, requested=50, limitedBy="WEEK"),
            applied("used-up", 0, 9, 2, requested=9, limitedBy="MONTH"),
            applied("b", 5, 5, 2),
        ],
    }
    for transaction, given in zip((await ledger(march, member))[-2:], (("base", 162), ("b", 5)), strict=True):
        assert (transaction["rule"], transaction["amount"]) == given
        assert transaction["explanation"]["applied"] == shown["applied"]


async def test_everything_that_rules_give_is_explained(march: Shop) -> None:
    """Joining somewhere, and an activity; what is taken back or moved by hand was given by no rule."""
    store = (await march.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    await march.do("programUpdate", "program { id }", signUpPoints=100)
    here = {"storeIds": [store], "channels": ["IN_STORE"]}
    await march.set_rules(
        rule("joined", points=7, trigger="ENROLLMENT", conditions=here),
        rule("online", points=7, trigger="ENROLLMENT", conditions={"channels": ["ONLINE"]}),
        rule("shared", points=5, trigger="ACTIVITY", activityType="share"),
        rule("reviewed", points=9, trigger="ACTIVITY", activityType="review"),
    )
    member = await march.enroll(storeId=store, channel="IN_STORE")
    activity = (await march.report(member, "share"))["activity"]["id"]
    await march.grant(member, 1000)
    reverse = {"activityId": activity, "reason": "deleted", "idempotencyKey": key()}
    await march.do("activityReverse", "activity { id }", **reverse)
    found = await ledger(march, member)
    told = {
        (each["kind"], each["rule"]): each["explanation"]
        and (
            [(item["rule"]["code"], item["points"]) for item in each["explanation"]["applied"]],
            [(item["rule"]["code"], item["why"]) for item in each["explanation"]["skipped"]],
        )
        for each in found
    }
    joining = ([("joined", 7), ("sign_up", 100)], [("online", "CHANNEL")])
    assert told == {
        ("EARN", "joined"): joining,
        ("EARN", "sign_up"): joining,
        ("EARN", "shared"): ([("shared", 5)], [("reviewed", "ACTIVITY_TYPE")]),
        ("ADJUST", ""): None,
        ("REVERSE", ""): None,
    }
    explanation = found[0]["explanation"]
    assert (explanation["store"], explanation["channel"]) == ({"code": "s1"}, "IN_STORE")


async def test_gifts_of_a_tier_are_explained_as_rules_like_any_other(march: Shop) -> None:
    """Though they stand in no version of the rules; their words say what they are for."""
    benefits = {"birthdayPoints": 66, "upgradePoints": 88}
    await march.do("tierCreate", "tier { id }", name="Gold", rank=1, threshold=100, benefits=benefits)
    fans = rule("fans", points=1, trigger="BIRTHDAY", conditions={"audience": {"tags": ["fan"]}})
    await march.set_rules(base(march), fans)
    member = await march.enroll(birthday="1990-03-04", enrolledAt=local("2027-01-01T00:00"))
    await march.buy(member, "100", occurredAt=local("2027-03-01T12:00"))
    await march.world.execute(GrantBirthday(member_id=key_of(member), day=date(2027, 3, 4)), march.program_id)
    selection = "explanation { applied { rule { code kind trigger points terms { english } } } skipped { why } }"
    found = await ledger(march, member, selection)
    for transaction, code, trigger, points, words, others in (
        (found[1], "tier-upgrade-gift", "TIER_REACHED", 88, "on reaching a tier", []),
        (found[2], "tier-birthday-gift", "BIRTHDAY", 66, "on your birthday every year", [{"why": "TAG"}]),
    ):
        ((item,), skipped) = transaction["explanation"]["applied"], transaction["explanation"]["skipped"]
        assert item["rule"].pop("terms")["english"].startswith(f"Earn {points} points {words}")
        assert item == {"rule": {"code": code, "kind": "FIXED", "trigger": trigger, "points": points}}
        assert skipped == others


async def test_a_budget_that_is_used_up_is_named(march: Shop) -> None:
    """As the limit, with what would have been given."""
    frame = campaign(schedule=None, budget=10)
    await march.do("campaignSave", "ruleVersion", campaign=frame, rules=[DOUBLE])
    member = await march.enroll()
    await march.buy(member, "15")
    (base_given, doubled) = (await ledger(march, member))[0]["explanation"]["applied"]
    assert base_given["limitedBy"] is None
    assert (doubled["points"], doubled["requested"], doubled["limitedBy"]) == (10, 15, "BUDGET")


async def test_a_member_reads_why_but_not_what_the_shop_thinks_of_it(march: Shop) -> None:
    """Tags and segments are the shop's; all else of an explanation is the member's."""
    await march.do("segmentSave", "segment { id }", code="fans", name="Fans", criteria={"tags": ["fan"]})
    await march.set_rules(base(march), rule("fans", points=3, conditions={"audience": {"segments": ["fans"]}}))
    member = await march.enroll(tags=["fan", "tea"])
    await march.buy(member, "10")
    token = march.member_token(member)
    for selection in ("explanation { tags }", "explanation { segments }"):
        assert (await march.send(LEDGER % selection, token, id=member))["errors"][0]["extensions"][
            "code"
        ] == "FORBIDDEN"
    shown = (await ledger(march, member, "explanation { tags segments }"))[0]["explanation"]
    assert shown == {"tags": ["fan", "tea"], "segments": ["fans"]}
    mine = (await ledger(march, member, EXPLAINED, token))[0]["explanation"]
    assert [item["rule"]["code"] for item in mine["applied"]] == ["base", "fans"]


async def test_a_member_reads_nothing_of_surprises_that_it_did_not_get(march: Shop) -> None:
    """Also of those of then: a campaign that is public by now was not when it gave nothing."""
    secret = campaign("secret", isPublic=False, schedule={"weekdays": [5]})
    await march.do("campaignSave", "ruleVersion", campaign=secret, rules=[DOUBLE])
    member = await march.enroll()
    await march.buy(member, "10")
    await march.do("campaignSave", "ruleVersion", campaign=secret | {"isPublic": True})
    for token, expected in ((None, ["double"]), (march.member_token(member), [])):
        shown = (await ledger(march, member, EXPLAINED, token))[0]["explanation"]
        assert [item["rule"]["code"] for item in shown["applied"]] == ["base"]
        assert [item["rule"]["code"] for item in shown["skipped"]] == expected


async def test_explanations_cost_the_same_for_one_and_for_many(march: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """One statement for each kind of thing that is explained, one for the program, and one for a version unread yet."""
    await march.set_rules(base(march), rule("shared", points=5, trigger="ACTIVITY", activityType="share"))
    members = [await march.enroll(f"m-{number}") for number in range(3)]
    for member in members:
        for _ in range(3):
            await march.buy(member, "10")
            await march.report(member, "share")
    document = f"""query ($first: Int!) {{ members(first: $first) {{ nodes {{
        pointTransactions {{ nodes {{ {EXPLAINED} }} }} }} }} }}"""
    await march.ask(document, first=1)
    for first in (1, 3):
        with counted(monkeypatch) as seen:
            nodes = (await march.ask(document, first=first))["members"]["nodes"]
        assert len(nodes) == first
        # Members, transactions, purchases, activities, the program.
        assert len(seen) == 5, seen


async def test_a_request_explains_only_so_much(march: Shop) -> None:
    """Every rule is evaluated again for every transaction: many rules make smaller pages."""
    await march.set_rules(*(rule(f"r{n}", conditions={"quantityMin": 9}) for n in range(999)), base(march))
    member = await march.enroll()
    for _ in range(11):
        await march.buy(member, "10")
    document = """query ($id: ID!, $first: Int!) { member(ref: {id: $id}) { purchases(first: $first) { nodes {
        explanation { ruleVersion } } } } }"""
    assert len((await march.ask(document, id=member, first=9))["member"]["purchases"]["nodes"]) == 9
    assert await march.error(document, id=member, first=10) == "QUERY_TOO_COMPLEX"


async def test_times_are_told_on_the_clock_that_the_program_had(march: Shop) -> None:
    """A program that moves does not move what happened: its Thursday stays one."""
    await march.set_rules(base(march), rule("thursdays", points=3, conditions={"schedule": {"weekdays": [4]}}))
    member = await march.enroll(enrolledAt=local("2027-01-01T00:00"))
    march.world.clock.ahead += timedelta(days=1)
    bought = await march.buy(member, "10", occurredAt=local("2027-03-04T00:30"))
    assert bought["purchase"]["pointsEarned"] == 13
    await march.do("programUpdate", "program { id }", timeZone="Europe/Lisbon")
    document = f"query ($id: ID!) {{ node(id: $id) {{ ... on Purchase {{ {EXPLAINED} }} }} }}"
    shown = (await march.ask(document, id=bought["purchase"]["id"]))["node"]["explanation"]
    assert (shown["localTime"], shown["skipped"]) == ("2027-03-04T00:30:00+08:00", [])
