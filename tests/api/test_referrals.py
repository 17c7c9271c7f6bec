"""Referrals and shares the whole way: codes with pictures, friends, what staff decides, and who sees what of it."""

import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from tests.api.shops import Shop, World, key
from tests.api.stages import kept
from tests.api.statements import counted

CODE = "referralCode { id code link qrSvg }"
REFERRAL = "referral { id state friendName boundAt expiresAt rewardsAt referrerReward { points limitedBy } }"


@pytest.fixture
async def club(shop: Shop) -> Shop:
    """A shop that rewards referrals: 100 and 50 points for an order of 50 yuan."""
    policy = {"minimum": shop.money("50"), "referrerPoints": 100, "refereePoints": 50}
    await shop.do("referralPolicySave", "policy { windowDays }", link="https://shop.example/i/{code}", **policy)
    return shop


async def code_of(shop: Shop, member: str) -> str:
    """A member's code."""
    made = await shop.do("referralCodeCreate", CODE, member={"id": member})
    return str(made["referralCode"]["code"])


async def bind(shop: Shop, friend: str, code: str, **told: Any) -> Any:
    """Bind a friend to whoever has a code."""
    given = {"member": {"id": friend}, "code": code, "idempotencyKey": key(), **told}
    return await shop.do("referralBind", f"{REFERRAL} isRepeat", **given)


async def test_s18_a_code_has_a_link_and_a_picture_of_it(club: Shop) -> None:
    """The picture is SVG of bounded size; a code is made once, and shown by the member."""
    member = await club.enroll()
    token = club.member_token(member)
    asked = f"{{ me {{ {CODE} }} }}"
    assert (await club.ask(asked, token))["me"]["referralCode"] is None
    made = (await club.do("referralCodeCreate", CODE, token))["referralCode"]
    assert made["link"] == f"https://shop.example/i/{made['code']}"
    picture = ElementTree.fromstring(made["qrSvg"])
    assert picture.tag == "svg"
    assert len(made["qrSvg"]) < 12_000
    assert (await club.ask(asked, token))["me"]["referralCode"] == made
    assert (await club.do("referralCodeCreate", CODE, token))["referralCode"] == made


async def test_the_longest_link_makes_a_picture_of_bounded_size(club: Shop) -> None:
    """200 characters, with the code in them."""
    link = "https://shop.example/" + "x" * (200 - 21 - 6) + "{code}"
    await club.do("referralPolicySave", "policy { link }", link=link)
    made = (await club.do("referralCodeCreate", CODE, member={"id": await club.enroll()}))["referralCode"]
    assert 3_000 < len(made["qrSvg"]) < 12_000


async def test_without_a_link_there_is_no_picture(shop: Shop) -> None:
    """And the code is there all the same."""
    await shop.do("referralPolicySave", "policy { link }")
    made = (await shop.do("referralCodeCreate", CODE, member={"id": await shop.enroll()}))["referralCode"]
    assert (made["link"], made["qrSvg"]) == (None, None)
    assert len(made["code"]) == 12


async def test_the_policy_is_shown_as_it_was_saved(club: Shop) -> None:
    """As a whole: what is left out is the default."""
    policy = """policy { isActive windowDays minimum { amount } refundDays referrerPoints refereePoints sharePoints
        shareVisitors shareDailyMax salePoints hourlyMax reviewsAddress link capPolicy caps { period times points } }"""
    told = {"caps": [{"period": "DAY", "times": 3}], "capPolicy": "REJECT", "reviewsAddress": True}
    saved = (await club.do("referralPolicySave", policy, **told))["policy"]
    assert saved == {
        "isActive": True,
        "windowDays": 30,
        "minimum": {"amount": "0.00"},
        "refundDays": 7,
        "referrerPoints": 0,
        "refereePoints": 0,
        "sharePoints": 5,
        "shareVisitors": 1,
        "shareDailyMax": 5,
        "salePoints": 5,
        "hourlyMax": 20,
        "reviewsAddress": True,
        "link": None,
        "capPolicy": "REJECT",
        "caps": [{"period": "DAY", "times": 3, "points": None}],
    }
    shown = await club.ask("{ referralPolicy { windowDays caps { times } } }", club.publishable)
    assert shown["referralPolicy"] == {"windowDays": 30, "caps": [{"times": 3}]}
    assert await club.error("{ referralPolicy { hourlyMax } }", club.publishable) == "FORBIDDEN"
    refused = await club.refused("referralPolicySave", link="shop.example")
    assert (refused["code"], refused["field"]) == ("REFERRAL_POLICY_INVALID", ["link"])


async def test_r1_to_r3_a_friend_comes_buys_and_both_have_their_points(world: World, club: Shop) -> None:
    """Enrolled with a code, pending with the order, available when it stands; the referrer sees how it goes."""
    world.clock.put("2027-03-01T12:00")
    referrer = await club.enroll("referrer")
    friend = await club.enroll("friend", name="Han Meimei", referralCode=await code_of(club, referrer))
    mine = "{ me { rewardedReferrals referrals { nodes { state friendName referrerReward { points } } } } }"

    async def shown() -> Any:
        return (await club.ask(mine, club.member_token(referrer)))["me"]

    bound = {"state": "BOUND", "friendName": "H*", "referrerReward": None}
    assert await shown() == {"rewardedReferrals": 0, "referrals": {"nodes": [bound]}}
    assert (await club.buy(friend, "50"))["member"]["account"]["pending"] == 50
    assert (await club.account(referrer))["pending"] == 100
    world.clock.put("2027-03-08T11:59")
    given = {"state": "QUALIFIED", "friendName": "H*", "referrerReward": {"points": 100}}
    assert await shown() == {"rewardedReferrals": 0, "referrals": {"nodes": [given]}}
    world.clock.put("2027-03-08T12:01")
    assert await shown() == {"rewardedReferrals": 1, "referrals": {"nodes": [given | {"state": "REWARDED"}]}}
    assert (await club.account(referrer))["available"] == 100


async def test_a_refused_binding_changes_nothing_and_says_what_is_wrong(club: Shop) -> None:
    """Each with its code, its numbers and the field."""
    device = {"kind": "DEVICE", "value": "d-1"}
    referrer = await club.enroll("referrer", identities=[device])
    friend = await club.enroll("friend")
    code = await code_of(club, referrer)
    before = await kept(club)
    for told, expected in (
        ({"code": "NOBODYSCODE"}, ("REFERRAL_CODE_UNKNOWN", ["code"], {"given": "NOBODYSCODE"})),
        ({"code": code, "member": {"id": referrer}}, ("SELF_REFERRAL", None, {"same": "MEMBER"})),
        ({"code": code, "identities": [device]}, ("SELF_REFERRAL", None, {"same": "DEVICE"})),
        (
            {"code": code, "identities": [device, {"kind": "NETWORK", "value": "here"}]},
            (
                "IDENTITY_INVALID",
                ["identities", "1", "value"],
                {
                    "kind": "NETWORK",
                    "why": "an internet address is written like 203.0.113.7 or 2001:db8::7",
                },
            ),
        ),
        ({"code": code, "identities": [device] * 11}, ("TOO_MANY", ["identities"], None)),
    ):
        given = {"member": {"id": friend}, "idempotencyKey": key(), **told}
        refused = await club.refused("referralBind", **given)
        assert (refused["code"], refused["field"]) == expected[:2]
        assert expected[2] is None or refused["details"] == expected[2]
    refused = await club.refused("memberEnroll", externalId="x", referralCode="NOPE", idempotencyKey=key())
    assert (refused["code"], refused["field"]) == ("REFERRAL_CODE_UNKNOWN", ["referralCode"])
    assert await kept(club) == before


async def test_r2_one_phone_is_recognised_whichever_of_the_two_has_it_in_its_profile(club: Shop) -> None:
    """Told of the one, in the profile of the other: refused when it joins, when it is bound, and when it buys."""
    phone = "+8613900000001"
    told = [{"kind": "PHONE", "value": phone}]
    referrer = await club.enroll("referrer", identities=told)
    code = await code_of(club, referrer)
    joining = {"externalId": "f", "phone": phone, "referralCode": code, "idempotencyKey": key()}
    refused = await club.refused("memberEnroll", **joining)
    assert (refused["code"], refused["details"]) == ("SELF_REFERRAL", {"same": "PHONE"})
    twin = await club.enroll("twin", phone=phone)
    refused = await club.refused("referralBind", member={"id": twin}, code=code, idempotencyKey=key())
    assert (refused["code"], refused["details"]) == ("SELF_REFERRAL", {"same": "PHONE"})
    friend = await club.enroll("friend", referralCode=code)
    await club.do("memberUpdate", "member { id }", member={"id": twin}, phone="+8613900000002")
    await club.do("memberUpdate", "member { id }", member={"id": friend}, phone=phone)
    await club.buy(friend, "50")
    nodes = (await club.ask("{ referrals { nodes { state reason } } }"))["referrals"]["nodes"]
    assert nodes == [{"state": "REJECTED", "reason": "SAME_PHONE"}]


async def test_a_member_binds_itself_and_says_nothing_of_whom_it_is(club: Shop) -> None:
    """Only the shop says whom it saw."""
    referrer, friend = await club.enroll("referrer"), await club.enroll("friend")
    code, token = await code_of(club, referrer), club.member_token(friend)
    given = {"code": code, "idempotencyKey": key()}
    document = "mutation ($input: ReferralBindInput!) { referralBind(input: $input) { isRepeat } }"
    told = {**given, "identities": [{"kind": "DEVICE", "value": "d"}]}
    assert await club.error(document, token, input=told) == "FORBIDDEN"
    assert (await club.ask(document, token, input=given))["referralBind"] == {"isRepeat": False}
    assert (await club.ask(document, token, input={**given, "idempotencyKey": key()}))["referralBind"]["isRepeat"]


async def test_r2_staff_finds_what_is_held_and_decides(club: Shop) -> None:
    """Approved with a reason, it is given; denied, it is not; members see neither signals nor reasons."""
    network = {"kind": "NETWORK", "value": "203.0.113.7"}
    referrer = await club.enroll("referrer", identities=[network])
    code = await code_of(club, referrer)
    friends = [await club.enroll(f"friend-{number}", referralCode=code, identities=[network]) for number in range(2)]
    held = "{ referrals(filter: {review: HELD}) { nodes { id signals review referee { externalId } } } }"
    nodes = (await club.ask(held))["referrals"]["nodes"]
    assert [(node["signals"], node["referee"]["externalId"]) for node in nodes] == [
        (["SAME_NETWORK"], "friend-1"),
        (["SAME_NETWORK"], "friend-0"),
    ]
    for friend in friends:
        await club.buy(friend, "50")
    assert (await club.account(referrer))["pending"] == 0
    decided = {"idempotencyKey": key(), "referralId": nodes[1]["id"], "isApproved": True, "reason": "a family"}
    selection = "referral { state review note reviewer } isRepeat isReplay"
    done = await club.do("referralReview", selection, **decided)
    assert (done["referral"]["review"], done["referral"]["note"]) == ("APPROVED", "a family")
    assert (await club.do("referralReview", selection, **decided))["isReplay"]
    denied = {"idempotencyKey": key(), "referralId": nodes[0]["id"], "isApproved": False, "reason": "a farm"}
    assert (await club.do("referralReview", selection, **denied))["referral"]["state"] == "REJECTED"
    assert (await club.account(referrer))["pending"] == 100
    assert (await club.ask(held))["referrals"]["nodes"] == []
    document = "{ me { referrals(first: 1) { nodes { reason } } } }"
    assert await club.error(document, club.member_token(referrer)) == "FORBIDDEN"


async def test_referrals_are_found_by_state_as_of_now_and_by_member(world: World, club: Shop) -> None:
    """Whether or not the worker was there; page by page."""
    world.clock.put("2027-03-01T12:00")
    referrer = await club.enroll("referrer")
    code = await code_of(club, referrer)
    first, second, third = [await club.enroll(f"friend-{number}", referralCode=code) for number in range(3)]
    await club.buy(first, "50")
    world.clock.put("2027-03-09T12:00")
    await club.buy(second, "50")
    document = """query ($filter: ReferralFilterInput, $after: String) {
        referrals(filter: $filter, first: 2, after: $after) {
            nodes { state referee { id } } pageInfo { endCursor } } }"""

    async def found(**told: Any) -> list[tuple[str, str]]:
        nodes = (await club.ask(document, filter=told))["referrals"]["nodes"]
        return [(node["state"], node["referee"]["id"]) for node in nodes]

    assert await found(state="REWARDED") == [("REWARDED", first)]
    assert await found(state="QUALIFIED") == [("QUALIFIED", second)]
    assert await found(state="BOUND", referrerId=referrer) == [("BOUND", third)]
    assert await found(refereeId=second) == [("QUALIFIED", second)]
    assert await found(referrerId=first) == []
    assert await found(refereeId="nonsense") == []
    world.clock.put("2027-04-01T00:00")
    assert await found(state="EXPIRED") == [("EXPIRED", third)]
    page = (await club.ask(document))["referrals"]
    assert [node["referee"]["id"] for node in page["nodes"]] == [third, second]
    rest = (await club.ask(document, after=page["pageInfo"]["endCursor"]))["referrals"]
    assert [node["referee"]["id"] for node in rest["nodes"]] == [first]


async def test_s18_a_share_is_visited_by_anybody_and_pays_once(club: Shop) -> None:
    """By the storefront with its publishable key; the member itself does not count."""
    member, stranger = await club.enroll("sharer"), await club.enroll("stranger")
    token = club.member_token(member)
    selection = "share { target visitors points referralCode { code link } } isRepeat"
    shared = await club.do("shareCreate", selection, token, target="/tea", idempotencyKey=key())
    code = shared["share"]["referralCode"]["code"]
    assert shared["share"]["referralCode"]["link"] == f"https://shop.example/i/{code}"
    visited = "isCounted target { kind target } isReplay"

    async def visit(visitor: str, token: str, **told: Any) -> Any:
        given = {"code": code, "visitorId": visitor, "idempotencyKey": key(), **told}
        return await club.do("shareVisit", visited, token, **given)

    assert not (await visit("own", token))["isCounted"]
    once = key()
    came = [await visit("v-1", club.publishable, idempotencyKey=once) for _ in range(2)]
    assert [each["isReplay"] for each in came] == [False, True]
    assert came[0]["target"] == {"kind": "PAGE", "target": "/tea"}
    assert (came[0]["isCounted"], (await visit("v-1", club.publishable))["isCounted"]) == (True, False)
    assert (await visit("v-2", club.member_token(stranger)))["isCounted"]
    assert not (await visit("v-3", club.secret, member={"id": member}))["isCounted"]
    shown = (await club.ask("{ me { shares { nodes { visitors points } } account { available } } }", token))["me"]
    assert shown == {"shares": {"nodes": [{"visitors": 2, "points": 5}]}, "account": {"available": 5}}
    refused = await club.refused("shareVisit", code=code, visitorId=" ", idempotencyKey=key())
    assert (refused["code"], refused["field"]) == ("IDENTITY_INVALID", ["visitorId"])


async def test_r3_one_member_is_one_visitor_by_its_token_and_by_the_shop_s_word(club: Shop) -> None:
    """A share that pays for two pays only when a second person comes."""
    await club.do("referralPolicySave", "policy { shareVisitors }", shareVisitors=2)
    sharer, visitor = await club.enroll("sharer"), await club.enroll("s3")
    token = club.member_token(sharer)
    shared = await club.do("shareCreate", "share { referralCode { code } }", token, target="/", idempotencyKey=key())
    code = shared["share"]["referralCode"]["code"]

    async def counts(device: str, token: str, **told: Any) -> bool:
        given = {"code": code, "visitorId": device, "idempotencyKey": key(), **told}
        return bool((await club.do("shareVisit", "isCounted", token, **given))["isCounted"])

    mine = club.member_token(visitor)
    assert [await counts(device, mine) for device in ("mm0", "mm1")] == [True, False]
    by_name = {"member": {"externalId": "s3"}}
    assert [await counts(device, club.secret, **by_name) for device in ("d1", "d2")] == [False, False]
    assert not await counts("own", token)
    assert not await counts("own", club.publishable), "its own device, on which it was signed in"
    assert (await club.account(sharer))["available"] == 0
    assert await counts("another's", club.publishable)
    assert (await club.account(sharer))["available"] == 5


async def test_lists_of_many_members_are_read_together(club: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many statements for three members as for one."""
    members = [await club.enroll(f"m-{number}") for number in range(3)]
    for member in members:
        code = await code_of(club, member)
        for number in range(2):
            await club.enroll(f"{member}-{number}", name="Han", referralCode=code)
        await club.do("shareCreate", "share { id }", member={"id": member}, target="/", idempotencyKey=key())
    found = []
    for search in ('search: "m-0", ', ""):
        with counted(monkeypatch) as seen:
            answer = await club.ask(f"query {{ members({search}first: 50) {{ nodes {{ ...f }} }} }} {FRAGMENT}")
        found.append((len(answer["members"]["nodes"]), len(seen)))
    # Members; their codes, friends, counts and shares; the policy; the friends' names; the codes of shares.
    assert found == [(1, 8), (9, 8)]


FRAGMENT = """fragment f on Member { rewardedReferrals referralCode { code link }
    referrals { nodes { friendName state } } shares { nodes { referralCode { link } } } }"""


async def test_two_orders_of_one_device_never_pay_its_owner(club: Shop) -> None:
    """The referrer's device is learnt at its own order, and recognised at its friend's."""
    device = [{"kind": "DEVICE", "value": "one phone"}]
    referrer = await club.enroll("referrer")
    friend = await club.enroll("friend", referralCode=await code_of(club, referrer))
    await club.buy(referrer, "10", identities=device)
    await club.buy(friend, "50", identities=device)
    node = (await club.ask("{ referrals { nodes { state reason } } }"))["referrals"]["nodes"]
    assert node == [{"state": "REJECTED", "reason": "SAME_DEVICE"}]
    assert (await club.account(referrer))["pending"] == 0
