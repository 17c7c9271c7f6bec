"""Earning rules through the API: every trigger and effect earns, bad rules are refused in words, edits get versions."""

from datetime import date
from typing import Any

import pytest

from domain.grants import GrantBirthday, GrantMemberDay
from tests.api.shops import Shop, World, global_id, key, key_of, local
from tests.api.stages import kept

pytestmark = pytest.mark.asyncio

RULE = """rule { code name trigger kind points amount { amount currencyCode } multiplierBp
    bands { from { amount } points amount { amount } } bandsAreMarginal includesFreight minimum { amount } activityType
    conditions { maximum { amount } quantityMin products withoutProducts categories withoutCategories
        stores { code } withoutStores { code } channels audience { tiers { name } tags withoutTags segments } newForDays
        ordinal { number period repeats onwards } anniversary
        schedule { weekdays monthDays dates fromHour untilHour } }
    startsAt endsAt campaign pending { kind days } expiry { kind count } caps { period points times } capPolicy
    priority exclusiveGroup version } ruleVersion"""
NOTHING_ASKED: dict[str, Any] = {
    "products": [],
    "withoutProducts": [],
    "categories": [],
    "withoutCategories": [],
    "withoutStores": [],
}
SHOWN: dict[str, Any] = {
    "code": "night",
    "name": "夜猫",
    "trigger": "PURCHASE",
    "kind": "FIXED",
    "points": 5,
    "amount": {"amount": "0.00", "currencyCode": "CNY"},
    "multiplierBp": 10_000,
    "bands": [],
    "bandsAreMarginal": True,
    "includesFreight": False,
    "minimum": {"amount": "0.00"},
    "activityType": None,
    "conditions": NOTHING_ASKED
    | {
        "maximum": None,
        "quantityMin": 2,
        "stores": [{"code": "s1"}],
        "channels": ["IN_STORE"],
        "audience": {"tiers": [{"name": "Gold"}], "tags": ["vip"], "withoutTags": ["staff"], "segments": []},
        "newForDays": 30,
        "ordinal": {"number": 3, "period": "MONTH", "repeats": True, "onwards": False},
        "anniversary": "BIRTHDAY_MONTH",
        "schedule": {"weekdays": [1, 4], "monthDays": [], "dates": [], "fromHour": 9, "untilHour": None},
    },
    "startsAt": "2026-12-31T16:00:00Z",
    "endsAt": "2027-12-31T16:00:00Z",
    "campaign": None,
    "pending": None,
    "expiry": None,
    "caps": [{"period": "DAY", "points": None, "times": 2}],
    "capPolicy": "REJECT",
    "priority": 0,
    "exclusiveGroup": None,
    "version": 2,
}
CODES = "{ program { ruleVersion earningRules { code version } } }"


def rule(code: str, kind: str = "FIXED", **told: Any) -> dict[str, Any]:
    """A rule; FIXED ones give 1 unless told."""
    return {"code": code, "kind": kind, **({"points": 1} if kind == "FIXED" else {}), **told}


def base(shop: Shop, amount: str = "1") -> dict[str, Any]:
    """A point for every amount."""
    return rule("base", "PER_AMOUNT", points=1, amount=shop.money(amount))


def band(shop: Shop, start: str, points: int, amount: str = "1") -> dict[str, Any]:
    """From an amount on, points for every amount."""
    return {"from": shop.money(start), "points": points, "amount": shop.money(amount)}


async def codes(shop: Shop) -> tuple[int, dict[str, int]]:
    """The version in force, and its rules with the versions in which each was last changed."""
    program = (await shop.ask(CODES))["program"]
    return program["ruleVersion"], {rule["code"]: rule["version"] for rule in program["earningRules"]}


# Effects and triggers.


async def test_every_effect_gives_what_it_says(shop: Shop) -> None:
    """On 299.99: by the amount, in bands, once from an amount on, fixed; a multiplier gives what it adds."""
    bands = [band(shop, "0", 1), band(shop, "100", 2)]
    for told, given in (
        ([base(shop)], {"base": 299}),
        ([base(shop, "10")], {"base": 29}),
        ([rule("bonus", "BONUS_AT", points=50, amount=shop.money("200"))], {"bonus": 50}),
        ([rule("bonus", "BONUS_AT", points=50, amount=shop.money("300"))], {}),
        ([rule("fixed", points=7)], {"fixed": 7}),
        ([base(shop), rule("double", "MULTIPLIER", multiplierBp=20_000)], {"base": 299, "double": 300}),
        ([rule("double", "MULTIPLIER", multiplierBp=20_000)], {}),
        ([rule("bands", "TIERED", bands=bands)], {"bands": 499}),
        ([rule("bands", "TIERED", bands=bands, bandsAreMarginal=False)], {"bands": 599}),
        ([rule("fixed", minimum=shop.money("300"))], {}),
        ([rule("fixed", conditions={"maximum": shop.money("299.98")})], {}),
        ([rule("a", points=3, exclusiveGroup="g"), rule("b", points=5, exclusiveGroup="g")], {"b": 5}),
        ([rule("a", points=3, exclusiveGroup="g", priority=1), rule("b", points=5, exclusiveGroup="g")], {"a": 3}),
    ):
        await shop.set_rules(*told)
        member = await shop.enroll(key())
        assert (await shop.buy(member, "299.99"))["purchase"]["pointsEarned"] == sum(given.values()), told
        assert dict(await shop.earned(member)) == given, told


async def test_every_condition_is_asked(shop: Shop) -> None:
    """Each rule gives a power of two of its own, so that the sum says which of them gave."""
    store = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    await shop.do("programUpdate", "program { id }", categories=["tea", "cups"])
    criteria = {"tags": ["vip"]}
    await shop.do("segmentSave", "segment { id }", code="fans", name="Fans", criteria=criteria)
    conditions: list[dict[str, Any]] = [
        {"products": ["p1"]},
        {"withoutProducts": ["p1", "p2"]},
        {"categories": ["tea"]},
        {"withoutCategories": ["tea", "cups"]},
        {"quantityMin": 3},
        {"storeIds": [store]},
        {"withoutStoreIds": [store]},
        {"channels": ["IN_STORE"]},
        {"audience": {"tags": ["vip"]}},
        {"audience": {"withoutTags": ["vip"]}},
        {"audience": {"segments": ["fans"]}},
        {"newForDays": 0},
        {"ordinal": {"number": 2, "period": "DAY"}},
    ]
    await shop.set_rules(*(rule(f"r{n}", points=2**n, conditions=told) for n, told in enumerate(conditions)))
    lines = [
        {"amount": shop.money("10"), "productId": "p1", "category": "tea", "quantity": 1},
        {"amount": shop.money("20"), "productId": "p2", "category": "cups", "quantity": 2},
    ]
    plain, vip = await shop.enroll("plain"), await shop.enroll("vip", tags=["vip"])
    whole: dict[str, Any] = {"lines": lines, "storeId": store, "channel": "IN_STORE"}
    for member, told, given in (
        (plain, {}, (1, 3, 6, 9, 11)),
        (plain, whole, (0, 2, 4, 5, 7, 9, 11, 12)),
        (vip, whole, (0, 2, 4, 5, 7, 8, 10, 11)),
    ):
        points = (await shop.buy(member, "30", **told))["purchase"]["pointsEarned"]
        assert points == sum(2**number for number in given), bin(points)


async def bring_a_friend(shop: Shop, member: str) -> None:
    """A friend comes by the member's code and buys; and somebody looks at what the member shared."""
    await shop.do("referralPolicySave", "policy { isActive }", sharePoints=0, refundDays=0)
    made = await shop.do("referralCodeCreate", "referralCode { code }", member={"id": member})
    friend = await shop.enroll("friend", referralCode=made["referralCode"]["code"])
    await shop.buy(friend, "10")
    reached = [("joined", 100), ("member-day", 8), ("base", 10), ("first", 20), ("came", 30)]
    assert await shop.earned(friend) == reached
    given = {"member": {"id": member}, "target": "/tea", "idempotencyKey": key()}
    shared = await shop.do("shareCreate", "share { referralCode { code } }", **given)
    code = shared["share"]["referralCode"]["code"]
    await shop.do("shareVisit", "isCounted", code=code, visitorId="v", idempotencyKey=key())


async def test_every_trigger_waits_for_its_own(world: World) -> None:
    """Joining, purchases, the first of them, what is reported, days of the clock, and a tier that is reached."""
    shop = await world.open_shop()
    world.clock.put("2027-03-08T15:00")
    await shop.do("tierCreate", "tier { id }", name="Gold", rank=1, threshold=1000)
    eighth = {"schedule": {"monthDays": [8]}}
    await shop.set_rules(
        base(shop),
        rule("joined", points=100, trigger="ENROLLMENT"),
        rule("first", points=20, trigger="FIRST_PURCHASE"),
        rule("shared", points=5, trigger="ACTIVITY", activityType="share"),
        rule("signed-in", points=1, trigger="CHECK_IN"),
        rule("brought", points=50, trigger="REFERRAL"),
        rule("came", points=30, trigger="REFERRED"),
        rule("visited", points=3, trigger="SHARE"),
        rule("birthday", points=66, trigger="BIRTHDAY"),
        rule("member-day", points=8, trigger="MEMBER_DAY", conditions=eighth),
        rule("reached", points=88, trigger="TIER_REACHED"),
    )
    # The days of the clock are given for at once to who joins on them, and never again for the same day.
    member = await shop.enroll("m-1", birthday="1990-03-08")
    assert await shop.earned(member) == [("joined", 100), ("birthday", 66), ("member-day", 8)]
    await shop.buy(member, "10")
    await shop.buy(member, "10")
    await shop.report(member, "share")
    await shop.do("checkInActivitySave", "activity { id }", code="daily", name="Daily", ladder=[0])
    signed = {"member": {"id": member}, "activity": "daily", "idempotencyKey": key()}
    await shop.do("checkInCreate", "checkIn { points }", **signed)
    for kind in ("referral", "review"):
        await shop.report(member, kind)
    await bring_a_friend(shop, member)
    assert (await shop.earned(member))[3:] == [
        ("base", 10),
        ("first", 20),
        ("base", 10),
        ("shared", 5),
        ("signed-in", 1),
        ("brought", 50),
        ("visited", 3),
    ]
    for command in (GrantBirthday, GrantMemberDay):
        for _ in range(2):
            await world.execute(command(member_id=key_of(member), day=date(2027, 3, 8)), shop.program_id)
    await shop.buy(member, "900")
    assert (await shop.earned(member))[10:] == [("base", 900), ("reached", 88)]
    assert (await shop.account(member))["available"] == 1261


async def test_a_rule_has_its_own_pending_and_expiry(world: World) -> None:
    """In place of the program's, for what it gives."""
    shop = await world.open_shop()
    world.clock.put("2027-03-04T15:00")
    pending, expiry = {"kind": "AFTER", "days": 7}, {"kind": "END_OF_MONTH", "count": 0}
    await shop.set_rules(base(shop), rule("late", points=9, pending=pending, expiry=expiry))
    member = await shop.enroll()
    account = (await shop.buy(member, "10"))["member"]["account"]
    assert (account["available"], account["pending"]) == (10, 9)
    document = (
        """query ($id: ID!) { member(ref: {id: $id}) { lots { nodes { amount state availableAt expiresAt } } } }"""
    )
    lots = (await shop.ask(document, id=member))["member"]["lots"]["nodes"]
    found = {lot["amount"]: (lot["state"], lot["expiresAt"]) for lot in lots}
    assert found == {10: ("ACTIVE", None), 9: ("PENDING", "2027-03-31T16:00:00Z")}


# Saving.


async def test_a_rule_is_shown_as_it_was_told(shop: Shop) -> None:
    """With all its values, and the defaults of those that were left out; texts are trimmed."""
    store = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    tier = (await shop.do("tierCreate", "tier { id }", name="Gold", rank=1, threshold=10))["tier"]["id"]
    conditions = {
        "quantityMin": 2,
        "storeIds": [store],
        "channels": ["IN_STORE", "IN_STORE"],
        "audience": {"tierIds": [tier], "tags": [" vip "], "withoutTags": ["staff"]},
        "newForDays": 30,
        "ordinal": {"number": 3, "period": "MONTH", "repeats": True},
        "anniversary": "BIRTHDAY_MONTH",
        "schedule": {"weekdays": [4, 1], "fromHour": 9},
    }
    told = rule(" night ", points=5, name="夜猫", conditions=conditions, caps=[{"period": "DAY", "times": 2}])
    told |= {"startsAt": local("2027-01-01T00:00"), "endsAt": local("2028-01-01T00:00"), "capPolicy": "REJECT"}
    saved = await shop.do("earningRuleSave", RULE, rule=told)
    assert saved["ruleVersion"] == 2
    assert saved["rule"] == SHOWN


async def test_every_edit_is_a_version_and_what_stays_keeps_its_own(shop: Shop) -> None:
    """Saved, saved the same, changed, removed, and all replaced at once."""
    assert await codes(shop) == (1, {"base": 1})
    await shop.do("earningRuleSave", "ruleVersion", rule=rule("share", trigger="ACTIVITY", activityType="share"))
    assert await codes(shop) == (2, {"base": 1, "share": 2})
    same = await shop.do("earningRuleSave", "ruleVersion", rule=base(shop))
    assert (same["ruleVersion"], await codes(shop)) == (2, (2, {"base": 1, "share": 2}))
    await shop.do("earningRuleSave", "ruleVersion", rule=base(shop, "10"))
    assert await codes(shop) == (3, {"base": 3, "share": 2})
    payload = await shop.do("earningRulesReplace", "rules { code }", rules=[rule("new"), base(shop, "10")])
    assert payload["rules"] == [{"code": "base"}, {"code": "new"}]
    assert await codes(shop) == (4, {"base": 3, "new": 4})
    await shop.do("earningRuleRemove", "ruleVersion", code="new")
    assert await codes(shop) == (5, {"base": 3})
    refused = await shop.refused("earningRuleRemove", code="new")
    assert (refused["code"], refused["field"]) == ("NOT_FOUND", ["code"])
    assert refused["message"] == "There is no EarningRule 'new' in this program."


async def test_an_idempotency_key_saves_once(shop: Shop) -> None:
    """Told again, it answers the first result, though the rule was changed meanwhile."""
    given = {"rule": rule("a", points=1), "idempotencyKey": key()}
    first = await shop.do("earningRuleSave", "ruleVersion rule { points } isReplay", **given)
    assert first | {"userErrors": []} == {"ruleVersion": 2, "rule": {"points": 1}, "isReplay": False, "userErrors": []}
    await shop.do("earningRuleSave", "ruleVersion", rule=rule("a", points=2))
    again = await shop.do("earningRuleSave", "ruleVersion rule { points } isReplay", **given)
    assert (again["ruleVersion"], again["rule"], again["isReplay"]) == (2, {"points": 1}, True)
    assert await codes(shop) == (3, {"base": 1, "a": 3})


async def test_amounts_have_the_decimals_of_their_currency(shop: Shop) -> None:
    """Yen have none and dinars three; what has more is refused, what has fewer is filled up."""
    for currency, amount, shown in (("JPY", "100", "100"), ("KWD", "1.5", "1.500"), ("CNY", "1", "1.00")):
        other = await shop.world.open_shop(currency)
        other.currency_code = currency
        saved = await other.do("earningRuleSave", "rule { amount { amount currencyCode } }", rule=base(other, amount))
        assert saved["rule"]["amount"] == {"amount": shown, "currencyCode": currency}
        refused = await other.refused("earningRuleSave", rule=base(other, "1.0001"))
        assert (refused["code"], refused["field"]) == ("AMOUNT_INVALID", ["rule", "amount"])
        assert refused["details"]["amount"] == "1.0001"


async def test_ids_of_nothing_are_refused_where_they_are_told(shop: Shop) -> None:
    """Malformed ones, and those of things that the program does not have; clients read ids as they know them."""
    store, tier = global_id("Store"), global_id("Tier")
    for conditions, path, code, message in (
        ({"storeIds": ["x"]}, ["storeIds"], "NOT_FOUND", "'x' is no id of a Store;"),
        ({"withoutStoreIds": [tier]}, ["withoutStoreIds"], "NOT_FOUND", f"'{tier}' is no id of a Store;"),
        ({"storeIds": [store]}, ["storeIds"], "RULE_REFERENCE_UNKNOWN", f"has no store '{store}'; create it first."),
        (
            {"audience": {"tierIds": [tier]}},
            ["audience", "tierIds"],
            "RULE_REFERENCE_UNKNOWN",
            f"has no tier '{tier}'; create it first.",
        ),
    ):
        refused = await shop.refused("earningRuleSave", rule=rule("a", conditions=conditions))
        assert (refused["code"], refused["field"]) == (code, ["rule", "conditions", *path])
        assert message in refused["message"]
    assert await codes(shop) == (1, {"base": 1})


async def test_a_fault_in_a_list_says_which_rule_it_is(shop: Shop) -> None:
    """By its place from 0, wherever the fault is found; nothing of the list is saved."""
    good = [base(shop), rule("good")]
    before = await kept(shop)
    for bad, code, path in (
        (rule("bad", points=0), "POINTS_INVALID", ["points"]),
        (rule("bad", "PER_AMOUNT", points=1, amount={"amount": "1", "currencyCode": "USD"}), "CURRENCY_MISMATCH", None),
        (rule("bad", conditions={"withoutProducts": ["x"] * 201}), "TOO_MANY", ["conditions", "withoutProducts"]),
        (rule("bad", caps=[{"period": "DAY", "points": -5}]), "POINTS_INVALID", ["caps", "points"]),
    ):
        refused = await shop.refused("earningRulesReplace", rules=[*good, bad])
        assert (refused["code"], refused["field"]) == (code, ["rules", "2", *(path or ["amount"])])
    twice = await shop.refused("earningRulesReplace", rules=[*good, rule(" good ")])
    assert (twice["code"], twice["field"]) == ("RULE_INVALID", ["rules"])
    assert twice["message"] == "The earning rule 'good': it is told twice; each needs a code of its own."
    many = await shop.refused("earningRulesReplace", rules=[rule(str(number)) for number in range(1001)])
    assert (many["code"], many["field"]) == ("TOO_MANY", ["rules"])
    assert many["message"] == "rules may have at most 1000 items; it has 1001."
    assert await kept(shop) == before
