"""Challenges and badges over the API: progress in the same answer, claims, what is refused and changes nothing."""

from typing import Any

import pytest

from tests.api.shops import Shop, key, local
from tests.api.stages import kept
from tests.api.statements import counted

FOLLOW = {"kind": "ACTIVITY", "activityType": "follow"}
MESSAGE = {"kind": "ACTIVITY", "activityType": "message"}
STANDING = """standing(for: {id: $id}) { state isEligible rounds roundsRewarded startsOn resetsAt completedAt
    steps { count paid { amount } isReached step { target amount { amount } } } }"""
CHALLENGES = f"query ($id: ID!) {{ challenges(for: {{id: $id}}) {{ code {STANDING} }} }}"
WORTH_FIVE = {"points": 5}


async def save(shop: Shop, code: str, *steps: dict[str, Any], **told: Any) -> Any:
    given = {"code": code, "name": code.title(), "steps": list(steps), **told}
    return (await shop.do("challengeSave", "challenge { code version } challengeVersion", **given))["challenge"]


async def standings(shop: Shop, member: str) -> dict[str, Any]:
    found = (await shop.ask(CHALLENGES, id=member))["challenges"]
    return {challenge["code"]: challenge["standing"] for challenge in found}


async def available(shop: Shop, member: str) -> int:
    points: int = (await shop.account(member))["available"]
    return points


async def test_s20_following_and_a_message_are_five_points(shop: Shop) -> None:
    await save(shop, "follow", FOLLOW, MESSAGE, reward=WORTH_FIVE)
    member = await shop.enroll()
    await shop.report(member, "follow")
    standing = (await standings(shop, member))["follow"]
    assert standing | {"steps": None} == {
        "state": "OPEN",
        "isEligible": True,
        "rounds": 0,
        "roundsRewarded": 0,
        "startsOn": None,
        "resetsAt": None,
        "completedAt": None,
        "steps": None,
    }
    assert [(step["count"], step["isReached"], step["step"]["target"]) for step in standing["steps"]] == [
        (1, True, 1),
        (0, False, 1),
    ]
    await shop.report(member, "message")
    assert ((await standings(shop, member))["follow"]["state"], await available(shop, member)) == ("CLAIMED", 5)
    assert await shop.earned(member) == [("challenge-reward", 5)]


async def test_the_answer_of_a_purchase_carries_the_progress(shop: Shop) -> None:
    await save(shop, "rich", {"kind": "SPEND", "amount": shop.money("300")}, reward={"points": 50})
    member = await shop.enroll()
    given = {"member": {"id": member}, "externalId": "o-1", "amount": shop.money("199.90"), "idempotencyKey": key()}
    selection = """member { challenges { nodes { id state rounds roundsRewarded challenge { code score }
        steps { count paid { amount } isReached } } } }"""
    payload = await shop.do("purchaseRecord", selection, **given)
    (node,) = payload["member"]["challenges"]["nodes"]
    assert (node["state"], node["challenge"]) == ("OPEN", {"code": "rich", "score": 1})
    assert node["steps"] == [{"count": None, "paid": {"amount": "199.90"}, "isReached": False}]
    bought = await shop.buy(member, "100.10")
    assert bought["member"]["account"]["available"] == 199 + 100 + 50
    refund = {"purchase": {"id": bought["purchase"]["id"]}, "refundId": "r-1", "amount": shop.money("0.01")}
    payload = await shop.do(
        "purchaseRefund",
        "member { account { available } challenges { nodes { state } } }",
        **refund,
        idempotencyKey=key(),
    )
    assert payload["member"]["account"]["available"] == 199 + 100
    assert payload["member"]["challenges"]["nodes"] == [{"state": "OPEN"}]
    document = "query ($id: ID!) { node(id: $id) { ... on ChallengeProgress { challenge { code } rounds } } }"
    assert (await shop.ask(document, id=node["id"]))["node"] == {"challenge": {"code": "rich"}, "rounds": 0}


async def test_a_member_claims_once_with_a_voucher_and_a_badge(shop: Shop) -> None:
    made = await shop.do("voucherTemplateCreate", "template { id }", code="t", name="Off", terms=_off(shop))
    pool = {"templateId": made["template"]["id"], "name": "Pool", "supply": "ON_DEMAND"}
    pool_id = (await shop.do("voucherPoolCreate", "pool { id }", **pool))["pool"]["id"]
    await shop.do("badgeSave", "badge { code }", code="fan", name="Fan", pictureUrl="https://example.com/fan.png")
    reward = {"points": 5, "badge": "fan", "prize": {"kind": "VOUCHER", "poolId": pool_id}}
    await save(shop, "follow", FOLLOW, reward=reward, isAutomatic=False)
    member = await shop.enroll()
    token = shop.member_token(member)
    before = await kept(shop)
    refused = await shop.refused("challengeClaim", token, code="follow", idempotencyKey=key())
    assert (refused["code"], refused["details"]) == (
        "CHALLENGE_NOT_COMPLETED",
        {"challenge": "follow", "stepsMissing": 1},
    )
    assert await kept(shop) == before
    await shop.report(member, "follow")
    assert (await standings(shop, member))["follow"]["state"] == "COMPLETED"
    once = key()
    selection = """points rounds isReplay progress { state } member { account { available }
        vouchers { nodes { state } } badges { nodes { origin badge { name pictureUrl } } } }"""
    claimed = await shop.do("challengeClaim", selection, token, code="follow", idempotencyKey=once)
    assert claimed | {"member": None} == {
        "points": 5,
        "rounds": 1,
        "isReplay": False,
        "progress": {"state": "CLAIMED"},
        "member": None,
        "userErrors": [],
    }
    assert claimed["member"] == {
        "account": {"available": 5},
        "vouchers": {"nodes": [{"state": "ISSUED"}]},
        "badges": {
            "nodes": [{"origin": "CHALLENGE", "badge": {"name": "Fan", "pictureUrl": "https://example.com/fan.png"}}]
        },
    }
    assert (await shop.do("challengeClaim", "points isReplay", token, code="follow", idempotencyKey=once))["isReplay"]
    again = await shop.refused("challengeClaim", token, code="follow", idempotencyKey=key())
    assert (again["code"], again["field"]) == ("CHALLENGE_CLAIMED", ["code"])
    assert await available(shop, member) == 5


def _off(shop: Shop) -> dict[str, Any]:
    return {"kind": "AMOUNT_OFF", "amount": shop.money("1")}


async def test_a_daily_challenge_resets_at_local_midnight(shop: Shop) -> None:
    shop.world.clock.put("2027-03-04T23:00")
    await save(shop, "daily", FOLLOW, recurrence="DAILY", reward=WORTH_FIVE)
    member = await shop.enroll()
    await shop.report(member, "follow")
    standing = (await standings(shop, member))["daily"]
    assert (standing["startsOn"], standing["resetsAt"]) == ("2027-03-04", "2027-03-04T16:00:00Z")
    assert standing["state"] == "CLAIMED"
    shop.world.clock.put("2027-03-05T00:00")
    standing = (await standings(shop, member))["daily"]
    assert (standing["state"], standing["startsOn"]) == ("OPEN", "2027-03-05")


async def test_a_full_profile_and_a_chain(shop: Shop) -> None:
    profile = {"kind": "PROFILE", "fields": ["NAME"], "attributes": ["job"]}
    await save(shop, "profile", profile, reward={"points": 30}, difficulty="HARD")
    await save(shop, "follow", FOLLOW, requires=["profile"], reward=WORTH_FIVE)
    member = await shop.enroll()
    assert (await standings(shop, member))["follow"]["state"] == "LOCKED"
    selection = "member { account { available } challenges { nodes { rounds challenge { code score } } } }"
    told = {"member": {"id": member}, "name": "Li", "attributes": {"job": "baker"}}
    updated = await shop.do("memberUpdate", selection, **told)
    assert updated["member"] == {
        "account": {"available": 30},
        "challenges": {"nodes": [{"rounds": 1, "challenge": {"code": "profile", "score": 3}}]},
    }
    assert (await standings(shop, member))["follow"]["state"] == "OPEN"
    await shop.report(member, "follow")
    assert await available(shop, member) == 35


async def test_who_sees_which_challenges(shop: Shop) -> None:
    shop.world.clock.put("2027-03-04T12:00")
    await save(shop, "all", FOLLOW)
    await save(shop, "vip", FOLLOW, audience={"tags": ["vip"]})
    await save(shop, "off", FOLLOW, isActive=False)
    await save(shop, "over", FOLLOW, startsAt=local("2027-03-01T00:00"), endsAt=local("2027-03-04T12:00"))
    member, vip = await shop.enroll("m-1"), await shop.enroll("m-2", tags=["vip"])
    document = "{ challenges { code standing { state } } }"

    async def codes(token: str) -> list[str]:
        return [each["code"] for each in (await shop.ask(document, token))["challenges"]]

    assert await codes(shop.secret) == ["all", "vip", "off", "over"]
    assert await codes(shop.publishable) == ["all", "vip"]
    assert await codes(shop.member_token(member)) == ["all"]
    assert await codes(shop.member_token(vip)) == ["all", "vip"]
    assert list(await standings(shop, vip)) == ["all", "vip"]
    assert (await shop.ask(CHALLENGES, id=shop.member_token(member)))["challenges"] == []
    one = '{ challenge(code: "off") { name } }'
    assert (await shop.ask(one))["challenge"] == {"name": "Off"}
    assert (await shop.ask(one, shop.publishable))["challenge"] is None
    other = f'{{ challenges(for: {{id: "{vip}"}}) {{ code }} }}'
    assert await shop.error(other, shop.member_token(member)) == "FORBIDDEN"


@pytest.mark.parametrize(
    "given, code, field",
    [
        ({"steps": [{"kind": "SPEND", "target": 3}]}, "CHALLENGE_INVALID", ["steps", "0", "target"]),
        ({"steps": [{"kind": "SPEND"}]}, "CHALLENGE_INVALID", ["steps", "0", "amount"]),
        ({"steps": [FOLLOW, {"kind": "ACTIVITY"}]}, "CHALLENGE_INVALID", ["steps", "1", "activityType"]),
        ({"steps": [FOLLOW | {"target": 0}]}, "NUMBER_INVALID", ["steps", "0", "target"]),
        ({"steps": []}, "CHALLENGE_INVALID", ["steps"]),
        ({"steps": [FOLLOW] * 11}, "TOO_MANY", ["steps"]),
        ({"requires": ["x"]}, "CHALLENGE_INVALID", ["requires"]),
        ({"reward": {"badge": "x"}}, "BADGE_UNKNOWN", ["reward", "badge"]),
        ({"reward": {"prize": {"kind": "POINTS", "points": 5}}}, "PRIZE_INVALID", ["reward", "prize", "kind"]),
        ({"reward": {"prize": {"kind": "ITEM"}}}, "PRIZE_INVALID", ["reward", "prize"]),
        ({"roundsMax": 2}, "CHALLENGE_INVALID", ["roundsMax"]),
        ({"endsAt": "2020-01-01T00:00:00Z"}, "CHALLENGE_INVALID", ["endsAt"]),
        (
            {"steps": [{"kind": "PURCHASES", "conditions": {"audience": {"tags": ["vip"]}}}]},
            "CHALLENGE_INVALID",
            ["steps", "0", "conditions", "audience"],
        ),
        (
            {"steps": [{"kind": "PURCHASES", "conditions": {"categories": ["tea"]}}]},
            "RULE_REFERENCE_UNKNOWN",
            ["steps", "0", "conditions", "categories"],
        ),
    ],
)
async def test_a_bad_challenge_is_refused_at_its_field(
    shop: Shop, given: dict[str, Any], code: str, field: list[str]
) -> None:
    before = await kept(shop)
    refused = await shop.refused("challengeSave", **({"code": "bad", "name": "Bad", "steps": [FOLLOW]} | given))
    assert (refused["code"], refused["field"]) == (code, field)
    assert await kept(shop) == before


async def test_what_has_begun_is_fixed_and_what_is_removed_is_gone(shop: Shop) -> None:
    first = await save(shop, "follow", FOLLOW)
    assert first == {"code": "follow", "version": 1}
    refused = await shop.refused("challengeSave", code="follow", name="Follow", steps=[MESSAGE])
    assert (refused["code"], refused["field"]) == ("CHALLENGE_INVALID", ["steps"])
    assert "has begun" in refused["message"]
    removed = await shop.do("challengeRemove", "challengeVersion", code="follow")
    assert removed["challengeVersion"] == 2
    assert (await shop.refused("challengeRemove", code="follow"))["code"] == "CHALLENGE_UNKNOWN"


async def test_progress_of_a_removed_challenge_is_shown_as_it_was(shop: Shop) -> None:
    await save(shop, "follow", FOLLOW, MESSAGE)
    member = await shop.enroll()
    await shop.report(member, "follow")
    await shop.do("challengeRemove", "challengeVersion", code="follow")
    document = """query ($id: ID!) { member(ref: {id: $id}) { challenges { nodes { challenge { code }
        steps { count } } } } }"""
    (node,) = (await shop.ask(document, id=member))["member"]["challenges"]["nodes"]
    assert node == {"challenge": {"code": "follow"}, "steps": [{"count": 1}, {"count": 0}]}


async def test_badges_by_hand_and_by_points(shop: Shop) -> None:
    await shop.do("badgeSave", "badge { code version }", code="friend", name="Friend")
    await shop.do("badgeSave", "badge { code version }", code="silver", name="Silver", unlockPoints=100)
    member = await shop.enroll()
    person = {"member": {"id": member}}
    given = await shop.do(
        "badgeAward", "memberBadge { origin reason awardedBy }", **person, code="friend", reason="kind"
    )
    assert (given["memberBadge"]["origin"], given["memberBadge"]["reason"]) == ("STAFF", "kind")
    before = await kept(shop)
    again = await shop.refused("badgeAward", **person, code="friend", reason="kind")
    assert (again["code"], again["field"]) == ("BADGE_ALREADY_AWARDED", ["code"])
    unknown = await shop.refused("badgeAward", **person, code="enemy", reason="kind")
    assert (unknown["code"], unknown["field"], unknown["details"]) == ("BADGE_UNKNOWN", ["code"], {"badge": "enemy"})
    assert await kept(shop) == before
    await shop.buy(member, "100")
    document = "query ($id: ID!) { member(ref: {id: $id}) { badges { nodes { badge { code } } } } }"

    async def worn() -> list[str]:
        nodes = (await shop.ask(document, id=member))["member"]["badges"]["nodes"]
        return [node["badge"]["code"] for node in nodes]

    assert await worn() == ["silver", "friend"]
    revoked = await shop.do("badgeRevoke", "memberBadge { revokedReason }", **person, code="friend", reason="mistake")
    assert revoked["memberBadge"] == {"revokedReason": "mistake"}
    assert await worn() == ["silver"]
    gone = await shop.refused("badgeRevoke", **person, code="friend", reason="mistake")
    assert (gone["code"], gone["field"]) == ("BADGE_NOT_AWARDED", ["code"])
    assert [badge["code"] for badge in (await shop.ask("{ badges { code } }"))["badges"]] == ["friend", "silver"]


async def test_many_members_challenges_and_badges_take_as_many_statements_as_one_s(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.do("badgeSave", "badge { code }", code="fan", name="Fan")
    for code in ("a", "b", "c"):
        await save(shop, code, FOLLOW, reward={"badge": "fan"}, requires=[] if code == "a" else ["a"])
    for number in range(6):
        member = await shop.enroll(f"m-{number}")
        await shop.report(member, "follow")
        await shop.report(member, "follow")
    document = """query ($first: Int!) { members(first: $first) { nodes {
        challenges { nodes { state challenge { code } steps { count } } } badges { nodes { badge { name } } } } } }"""
    counts = []
    for first in (1, 6):
        with counted(monkeypatch) as seen:
            found = await shop.ask(document, first=first)
        nodes = found["members"]["nodes"]
        assert [len(node["challenges"]["nodes"]) for node in nodes] == [3] * first
        assert [len(node["badges"]["nodes"]) for node in nodes] == [1] * first
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 5
    member_token = shop.member_token(member)
    with counted(monkeypatch) as seen:
        found = await shop.ask("{ challenges { code standing { state steps { count } } } }", member_token)
    assert [each["standing"]["state"] for each in found["challenges"]] == ["CLAIMED"] * 3
    assert sum("challenge_progress" in statement for statement in seen) == 1
