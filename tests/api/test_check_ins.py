"""Sign-in through the API: activities, signing in, days made up, cards, and what a member sees of it all."""

from typing import Any

import pytest

from domain.access import Role
from tests.api.shops import Shop, World, global_id, key, local
from tests.api.stages import kept
from tests.api.statements import counted

pytestmark = pytest.mark.asyncio

STANDING = """streak longest checkIns today isSignedToday lastDay makeUpsLeft makeUpCards
    missedDays { day points takesCards } nextReward { day points milestones { day } }
    nextMilestone { day daysLeft milestone { day cards prize { kind points } } }"""
SIGNED = f"""checkIn {{ day length base points madeUpFor cost attained {{ day on points cards wasGiven }} }}
    alreadySigned isReplay member {{ account {{ available }} }} checkIns {{ {STANDING} }}"""
MADE_UP = SIGNED.replace("alreadySigned", "")
HUNDRED = {"day": 3, "prize": {"kind": "POINTS", "points": 100}, "cards": 1}
MAKE_UP = {"days": 7, "perMonth": 2, "points": 20, "takesCards": True}


async def open_page(shop: Shop, code: str = "daily", **told: Any) -> str:
    """An activity of 10 a day and 100 on the third; its id."""
    given = {"code": code, "name": "Daily", "ladder": [10], "milestones": [HUNDRED], "makeUp": MAKE_UP, **told}
    return str((await shop.do("checkInActivitySave", "activity { id }", **given))["activity"]["id"])


async def sign(shop: Shop, member: str, token: str | None = None, **told: Any) -> Any:
    """Sign a member in."""
    given = {"member": {"id": member}, "activity": "daily", "idempotencyKey": key(), **told}
    return await shop.do("checkInCreate", SIGNED, token, **given)


async def sign_days(world: World, shop: Shop, member: str, *days: int) -> list[Any]:
    """Sign in at noon of days of March."""
    found = []
    for day in days:
        world.clock.put(f"2027-03-{day:02}T12:00")
        found.append(await sign(shop, member))
    return found


async def opened(world: World, **told: Any) -> tuple[Shop, str]:
    """A shop with an activity and a member, on the 1st of March."""
    shop = await world.open_shop()
    world.clock.put("2027-03-01T09:00")
    await open_page(shop, **told)
    return shop, await shop.enroll()


async def test_a_member_signs_itself_in_and_the_answer_has_all_that_is_new(world: World) -> None:
    shop, member = await opened(world)
    token = shop.member_token(member)
    given = {"activity": "daily", "idempotencyKey": "once"}
    payload = await shop.do("checkInCreate", SIGNED, token, **given)
    assert payload == {
        "checkIn": {
            "day": "2027-03-01",
            "length": 1,
            "base": 10,
            "points": 10,
            "madeUpFor": None,
            "cost": 0,
            "attained": [],
        },
        "alreadySigned": False,
        "isReplay": False,
        "member": {"account": {"available": 10}},
        "checkIns": {
            "streak": 1,
            "longest": 1,
            "checkIns": 1,
            "today": "2027-03-01",
            "isSignedToday": True,
            "lastDay": "2027-03-01",
            "makeUpsLeft": 2,
            "makeUpCards": 0,
            "missedDays": [],
            "nextReward": {"day": "2027-03-02", "points": 10, "milestones": []},
            "nextMilestone": {
                "day": "2027-03-03",
                "daysLeft": 2,
                "milestone": {"day": 3, "cards": 1, "prize": {"kind": "POINTS", "points": 100}},
            },
        },
        "userErrors": [],
    }
    replay = await shop.do("checkInCreate", SIGNED, token, **given)
    assert replay == payload | {"isReplay": True}
    again = await shop.do("checkInCreate", SIGNED, token, activity="daily", idempotencyKey="other")
    assert again == payload | {"alreadySigned": True}


async def test_days_missed_are_made_up_for_points_and_with_a_card(world: World) -> None:
    shop, member = await opened(world)
    await sign_days(world, shop, member, 1, 2)
    world.clock.put("2027-03-05T12:00")
    document = f'query ($id: ID!) {{ member(ref: {{id: $id}}) {{ checkIns(activity: "daily") {{ {STANDING} }} }} }}'
    shown = (await shop.ask(document, id=member))["member"]["checkIns"]
    assert (shown["streak"], shown["longest"], shown["isSignedToday"]) == (0, 2, False)
    both = {"points": 20, "takesCards": True}
    assert shown["missedDays"] == [{"day": "2027-03-04", **both}, {"day": "2027-03-03", **both}]
    once = {"member": {"id": member}, "activity": "daily"}
    made = await shop.do("checkInMakeUp", MADE_UP, **once, day="2027-03-03", payment="POINTS", idempotencyKey=key())
    assert made["checkIn"] == {
        "day": "2027-03-03",
        "length": 3,
        "base": 10,
        "points": 110,
        "madeUpFor": "POINTS",
        "cost": 20,
        "attained": [{"day": 3, "on": "2027-03-03", "points": 100, "cards": 1, "wasGiven": True}],
    }
    assert made["member"]["account"]["available"] == 20 - 20 + 110
    assert (made["checkIns"]["makeUpCards"], made["checkIns"]["makeUpsLeft"]) == (1, 1)
    card = {**once, "day": "2027-03-04", "payment": "CARD", "idempotencyKey": key()}
    assert (await shop.do("checkInMakeUp", MADE_UP, shop.member_token(member), **card | {"member": None}))["checkIns"][
        "makeUpCards"
    ] == 0
    signed = await sign(shop, member)
    assert (signed["checkIn"]["length"], signed["checkIns"]["streak"]) == (5, 5)


async def test_the_calendar_of_a_month(world: World) -> None:
    shop, member = await opened(world)
    await sign_days(world, shop, member, 1, 2, 4)
    document = """query ($id: ID!, $year: Int!, $month: Int!) { member(ref: {id: $id}) { checkIns(activity: "daily") {
        calendar(year: $year, month: $month) { day state points length canBeMadeUp } } } }"""
    world.clock.put("2027-03-05T12:00")

    async def month(number: int) -> list[Any]:
        found = await shop.ask(document, id=member, year=2027, month=number)
        return list(found["member"]["checkIns"]["calendar"])

    march = await month(3)
    assert len(march) == 31
    assert march[1] == {"day": "2027-03-02", "state": "SIGNED", "points": 10, "length": 2, "canBeMadeUp": False}
    assert [day["state"] for day in march[:6]] == ["SIGNED", "SIGNED", "MISSED", "SIGNED", "TODAY", "AHEAD"]
    assert [day["day"] for day in march if day["canBeMadeUp"]] == ["2027-03-03"]
    assert {day["state"] for day in await month(2)} == {"BEFORE"}
    assert len(await month(2)) == 28
    for year, number in ((2027, 0), (2027, 13), (1, 1), (9999, 1)):
        assert await shop.error(document, id=member, year=year, month=number) == "BAD_USER_INPUT"


async def test_what_is_refused_says_what_is_wrong_and_changes_nothing(world: World) -> None:
    shop, member = await opened(world, startsAt=local("2027-03-01T00:00"), endsAt=local("2027-04-01T00:00"))
    await sign(shop, member)
    world.clock.put("2027-03-09T12:00")
    before = await kept(shop)
    once: dict[str, Any] = {"member": {"id": member}, "activity": "daily", "payment": "POINTS"}
    for told, code, field in (
        ({"day": "2027-03-10"}, "MAKE_UP_IMPOSSIBLE", ["day"]),
        ({"day": "2027-03-09"}, "MAKE_UP_IMPOSSIBLE", ["day"]),
        ({"day": "2027-03-01"}, "MAKE_UP_IMPOSSIBLE", ["day"]),
        ({"day": "2027-03-08"}, "INSUFFICIENT_POINTS", None),
        ({"day": "2027-03-08", "payment": "CARD"}, "NO_MAKE_UP_CARD", ["payment"]),
        ({"day": "2027-03-08", "activity": "none"}, "NOT_FOUND", ["activity"]),
    ):
        error = await shop.refused("checkInMakeUp", **once | told, idempotencyKey=key())
        assert (error["code"], error["field"]) == (code, field), told
    far = await shop.refused("checkInMakeUp", **once, day="2027-03-01", idempotencyKey=key())
    assert far["message"] == "2027-03-01 cannot be made up: only the last 7 days are."
    assert far["details"] == {
        "day": "2027-03-01",
        "why": "only the last 7 days are",
        "first": "2027-03-02",
        "last": "2027-03-08",
    }
    world.clock.put("2027-04-01T00:00")
    given = {"member": {"id": member}, "activity": "daily", "idempotencyKey": key()}
    over = await shop.refused("checkInCreate", **given)
    assert (over["code"], over["details"]["why"], over["details"]["at"]) == (
        "CHECK_IN_CLOSED",
        "it is over",
        "2027-03-31T16:00:00+00:00",
    )
    assert await kept(shop) == before
    falling = await shop.refused("checkInActivitySave", code="x", name="X", ladder=[2, 1])
    assert (falling["code"], falling["field"]) == ("CHECK_IN_ACTIVITY_INVALID", ["ladder"])
    nothing = {"day": 2, "prize": {"kind": "VOUCHER", "poolId": global_id("VoucherPool")}}
    unknown = await shop.refused("checkInActivitySave", code="x", name="X", ladder=[1], milestones=[HUNDRED, nothing])
    assert (unknown["code"], unknown["field"]) == ("NOT_FOUND", ["milestones", "1"])
    malformed = {"day": 2, "prize": {"kind": "VOUCHER", "poolId": "nonsense"}}
    wrong = await shop.refused("checkInActivitySave", code="x", name="X", ladder=[1], milestones=[malformed])
    assert (wrong["code"], wrong["field"]) == ("NOT_FOUND", ["milestones", "0", "prize", "poolId"])
    assert await kept(shop) == before


async def test_cards_are_given_by_who_may_adjust_and_shown_to_the_member(world: World) -> None:
    shop, member = await opened(world)
    given = {"member": {"id": member}, "cards": 3, "reason": "sorry", "idempotencyKey": "once"}
    for _ in range(2):
        payload = await shop.do("makeUpCardGrant", "cards member { makeUpCards }", **given)
        assert (payload["cards"], payload["member"]["makeUpCards"]) == (3, 3)
    assert await shop.ask("{ me { makeUpCards } }", shop.member_token(member)) == {"me": {"makeUpCards": 3}}
    clerk = await shop.make_operator(Role.CLERK)
    answer = await shop.send(
        "mutation ($input: MakeUpCardGrantInput!) { makeUpCardGrant(input: $input) { cards } }", clerk, input=given
    )
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    error = await shop.refused("makeUpCardGrant", **given | {"cards": -4, "idempotencyKey": key()})
    assert (error["code"], error["details"]) == ("MAKE_UP_CARDS_INVALID", {"cards": -1, "cardsMax": 1000})


async def test_activities_are_shown_to_everybody_while_they_are_active(world: World) -> None:
    shop, member = await opened(world, cycle="MONTH")
    await open_page(shop, "over", isActive=False, milestones=None)
    document = """query ($active: Boolean) { checkInActivities(isActive: $active) { code ladder replacesBase cycle
        cycleDays reminderHour milestones { day } makeUp { days perMonth points takesCards } } }"""
    everything = (await shop.ask(document))["checkInActivities"]
    assert [one["code"] for one in everything] == ["daily", "over"]
    assert everything[0] == {
        "code": "daily",
        "ladder": [10],
        "replacesBase": False,
        "cycle": "MONTH",
        "cycleDays": 3,
        "reminderHour": None,
        "milestones": [{"day": 3}],
        "makeUp": MAKE_UP,
    }
    for token in (shop.publishable, shop.member_token(member)):
        assert [one["code"] for one in (await shop.ask(document, token))["checkInActivities"]] == ["daily"]
        assert (await shop.ask(document, token, active=False))["checkInActivities"] == []
    assert [one["code"] for one in (await shop.ask(document, active=False))["checkInActivities"]] == ["over"]
    of_none = 'query ($id: ID!) { member(ref: {id: $id}) { checkIns(activity: "over") { streak } } }'
    assert (await shop.ask(of_none, id=member))["member"]["checkIns"] == {"streak": 0}
    assert (await shop.ask(of_none, shop.member_token(member), id=member))["member"]["checkIns"] is None
    assert (await shop.ask(of_none.replace("over", " "), id=member))["member"]["checkIns"] is None


async def test_staff_see_who_leads_and_how_many_streaks_end_tonight(world: World) -> None:
    shop, first = await opened(world)
    second, third = await shop.enroll("m-2"), await shop.enroll("m-3")
    await sign_days(world, shop, first, 1, 2, 3)
    await sign_days(world, shop, second, 2, 3)
    world.clock.put("2027-03-04T12:00")
    await sign(shop, first)
    await sign(shop, third)
    document = """{ checkInActivities { streaksEndingTonight leaders(first: 2) {
        rank length member { externalId } } } }"""
    (page,) = (await shop.ask(document))["checkInActivities"]
    assert page == {
        "streaksEndingTonight": 1,
        "leaders": [
            {"rank": 1, "length": 4, "member": {"externalId": "m-1"}},
            {"rank": 2, "length": 2, "member": {"externalId": "m-2"}},
        ],
    }
    assert await shop.error("{ checkInActivities { leaders(first: 101) { rank } } }") == "BAD_USER_INPUT"


async def test_check_ins_of_many_members_are_read_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, first = await opened(world)
    await sign(shop, first)
    document = f"""query ($first: Int!) {{ members(first: $first) {{ nodes {{ makeUpCards checkIns(activity: "daily") {{
        {STANDING} activity {{ code }} calendar(year: 2027, month: 3) {{ state }} }} }} }} }}"""
    counts = []
    for number in (1, 6):
        while len((await shop.ask("{ members(first: 100) { nodes { id } } }"))["members"]["nodes"]) < number:
            await sign(shop, await shop.enroll(key()))
        with counted(monkeypatch) as statements:
            found = await shop.ask(document, first=number)
        assert len(found["members"]["nodes"]) == number
        counts.append(len(statements))
    assert counts == [7, 7]


async def test_a_check_in_is_found_by_its_id_by_whom_it_is_of(world: World) -> None:
    shop, member = await opened(world)
    payload = await shop.do(
        "checkInCreate", "checkIn { id }", member={"id": member}, activity="daily", idempotencyKey=key()
    )
    document = """query ($id: ID!) { node(id: $id) { ... on CheckIn { day activity { code } member { id } } } }"""
    found = await shop.ask(document, shop.member_token(member), id=payload["checkIn"]["id"])
    assert found["node"] == {"day": "2027-03-01", "activity": {"code": "daily"}, "member": {"id": member}}
