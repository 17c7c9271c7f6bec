"""Vouchers over the wire: templates, pools, codes, and each voucher's life."""

import re
from typing import Any

import pytest

from domain import codes
from tests.api.shops import Shop, global_id, key

pytestmark = pytest.mark.asyncio

VOUCHER = "voucher { id code state origin lockedFor lockedUntil discount { amount } template { code } }"


async def open_pool(shop: Shop, supply: str = "ON_DEMAND", terms: dict[str, Any] | None = None, **told: Any) -> str:
    """A pool of a new template; its id."""
    limit = {"limitPerMember": told.pop("limit")} if "limit" in told else {}
    given = {"kind": "AMOUNT_OFF", "amount": shop.money("10")} | (terms or {})
    made = await shop.do("voucherTemplateCreate", "template { id }", code=key(), name="Off", terms=given, **limit)
    opened = {"templateId": made["template"]["id"], "name": "Pool", "supply": supply, **told}
    return str((await shop.do("voucherPoolCreate", "pool { id }", **opened))["pool"]["id"])


async def grant(shop: Shop, member: str, pool: str) -> Any:
    """A voucher of a pool."""
    given = {"member": {"id": member}, "poolId": pool, "idempotencyKey": key()}
    return (await shop.do("voucherGrant", VOUCHER, **given))["voucher"]


async def test_a_template_is_shown_with_its_terms(shop: Shop) -> None:
    """Which never change."""
    store = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    terms = {
        "kind": "PERCENT_OFF",
        "percentBp": 1500,
        "cap": shop.money("20"),
        "minimum": shop.money("100"),
        "scope": {"productIds": ["cup"], "categories": ["tea"], "storeIds": [store], "channels": ["IN_STORE"]},
        "days": 7,
        "isCombinable": True,
        "stackGroup": "goods",
        "refundTerms": "REDUCE",
    }
    selection = """template { id code name isActive limitPerMember terms { kind amount { amount } percentBp
        cap { amount } minimum { amount } scope { productIds categories storeIds channels } startsAt endsAt days
        isCombinable stackGroup lockMinutes returnTerms returnDays refundTerms } }"""
    made = (await shop.do("voucherTemplateCreate", selection, code="t", name="15 %", terms=terms))["template"]
    assert made["terms"] == {
        "kind": "PERCENT_OFF",
        "amount": {"amount": "0.00"},
        "percentBp": 1500,
        "cap": {"amount": "20.00"},
        "minimum": {"amount": "100.00"},
        "scope": {"productIds": ["cup"], "categories": ["tea"], "storeIds": [store], "channels": ["IN_STORE"]},
        "startsAt": None,
        "endsAt": None,
        "days": 7,
        "isCombinable": True,
        "stackGroup": "goods",
        "lockMinutes": 15,
        "returnTerms": "EXTEND",
        "returnDays": 7,
        "refundTerms": "REDUCE",
    }
    told = {"templateId": made["id"], "name": "Less", "isActive": False, "limitPerMember": 3}
    edited = (await shop.do("voucherTemplateUpdate", selection, **told))["template"]
    assert edited == made | {"name": "Less", "isActive": False, "limitPerMember": 3}
    nodes = (await shop.ask("{ voucherTemplates { nodes { code } } }"))["voucherTemplates"]["nodes"]
    assert nodes == [{"code": "t"}]


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"terms": {"kind": "AMOUNT_OFF"}}, "VOUCHER_TERMS_INVALID"),
        ({"terms": {"kind": "PERCENT_OFF", "percentBp": 10_001}}, "NUMBER_INVALID"),
        ({"terms": {"kind": "ITEM", "scope": {"storeIds": ["x"]}}}, "NOT_FOUND"),
        ({"terms": {"kind": "ITEM", "scope": {"productIds": ["a"] * 201}}}, "TOO_MANY"),
        ({"terms": {"kind": "ITEM"}, "code": "taken"}, "VOUCHER_TEMPLATE_CODE_TAKEN"),
        ({"terms": {"kind": "ITEM"}, "limitPerMember": 0}, "NUMBER_INVALID"),
    ],
)
async def test_impossible_templates_are_refused(shop: Shop, told: dict[str, Any], code: str) -> None:
    """And none is made."""
    await shop.do("voucherTemplateCreate", "template { id }", code="taken", name="Off", terms={"kind": "ITEM"})
    refused = await shop.refused("voucherTemplateCreate", **({"code": "t", "name": "Off"} | told))
    assert refused["code"] == code
    assert len((await shop.ask("{ voucherTemplates { nodes { id } } }"))["voucherTemplates"]["nodes"]) == 1


async def test_codes_are_generated_and_imported(shop: Shop) -> None:
    """An import tells what it left out."""
    pool = await open_pool(shop, "STOCK")
    made = await shop.do(
        "voucherCodesGenerate", "added pool { left stocked given }", poolId=pool, count=3, idempotencyKey=key()
    )
    assert (made["added"], made["pool"]) == (3, {"left": 3, "stocked": 3, "given": 0})
    told = {"poolId": pool, "codes": ["spring-1", "SPRING-1", "SPRING-2", "?"], "idempotencyKey": key()}
    imported = await shop.do("voucherCodesImport", "added duplicates malformed isReplay", **told)
    assert (imported["added"], imported["duplicates"], imported["malformed"]) == (2, ["SPRING-1"], ["?"])
    again = await shop.do("voucherCodesImport", "added duplicates malformed isReplay", **told)
    assert again == imported | {"isReplay": True}
    for count in (0, 1001, 10**6):
        refused = await shop.refused("voucherCodesGenerate", poolId=pool, count=count, idempotencyKey=key())
        assert refused["code"] == "NUMBER_INVALID"
    template = await shop.ask("query ($id: ID!) { node(id: $id) { ... on VoucherPool { template { id } } } }", id=pool)
    asked = "query ($id: ID!) { voucherPools(templateId: $id) { nodes { name left } } }"
    nodes = (await shop.ask(asked, id=template["node"]["template"]["id"]))["voucherPools"]["nodes"]
    assert nodes == [{"name": "Pool", "left": 5}]
    assert (await shop.ask(asked, id=global_id("Store")))["voucherPools"]["nodes"] == []


async def test_codes_are_unguessable(shop: Shop) -> None:
    """Twelve of thirty letters and digits, none of which looks like another."""
    pool, member = await open_pool(shop), await shop.enroll()
    given = {(await grant(shop, member, pool))["code"] for _ in range(20)}
    assert len(given) == 20
    assert all(re.fullmatch(f"[{codes.ALPHABET}]{{12}}", code) for code in given)


async def test_a_member_claims_locks_and_releases(shop: Shop) -> None:
    """And sees its vouchers; others do not."""
    pool, member, other = await open_pool(shop, isClaimable=True), await shop.enroll("m-1"), await shop.enroll("m-2")
    token, stranger = shop.member_token(member), shop.member_token(other)
    claimed = (await shop.do("voucherClaim", VOUCHER, token, poolId=pool, idempotencyKey=key()))["voucher"]
    assert (claimed["state"], claimed["origin"]) == ("ISSUED", "CLAIM")
    code = {"code": claimed["code"]}
    locked = await shop.do("voucherLock", VOUCHER, token, **code, reference="o-1", idempotencyKey=key())
    assert (locked["voucher"]["state"], locked["voucher"]["lockedFor"]) == ("LOCKED", "o-1")
    for name, told in (("voucherLock", {"reference": "o-2"}), ("voucherRelease", {})):
        refused = await shop.refused(name, stranger, **code, **told, idempotencyKey=key())
        assert refused["code"] == "NOT_FOUND"
    refused = await shop.refused("voucherLock", **code, reference="o-2", idempotencyKey=key())
    assert (refused["code"], set(refused["details"])) == ("VOUCHER_LOCKED", {"lockedUntil"})
    released = await shop.do("voucherRelease", VOUCHER, token, **code, idempotencyKey=key())
    assert released["voucher"]["state"] == "ISSUED"
    asked = "query ($code: String!) { voucher(code: $code) { state } }"
    assert (await shop.ask(asked, token, **code))["voucher"] == {"state": "ISSUED"}
    assert (await shop.ask(asked, stranger, **code))["voucher"] is None
    assert (await shop.ask(asked, code="?"))["voucher"] is None
    mine = await shop.ask("{ me { vouchers { nodes { code } } } }", token)
    assert mine["me"]["vouchers"]["nodes"] == [code]


async def test_a_code_told_outside_is_claimed_once(shop: Shop) -> None:
    """Whoever comes second is told so."""
    pool, member, other = await open_pool(shop, "BROUGHT"), await shop.enroll("m-1"), await shop.enroll("m-2")
    await shop.do("voucherCodesImport", "added", poolId=pool, codes=["SPRING-1"], idempotencyKey=key())
    token = shop.member_token(member)
    await shop.do("voucherClaim", VOUCHER, token, code="spring-1", idempotencyKey=key())
    for told, expected in (("SPRING-1", "VOUCHER_ALREADY_CLAIMED"), ("SPRING-2", "NOT_FOUND"), ("?", "CODE_INVALID")):
        refused = await shop.refused("voucherClaim", shop.member_token(other), code=told, idempotencyKey=key())
        assert refused["code"] == expected


async def test_a_code_of_another_program_is_not_found(shop: Shop) -> None:
    """At a till as if there were none."""
    voucher = await grant(shop, await shop.enroll(), await open_pool(shop))
    other = await shop.world.open_shop()
    refused = await other.refused("voucherLock", code=voucher["code"], reference="o", idempotencyKey=key())
    assert (refused["code"], refused["details"]) == ("NOT_FOUND", {"voucherCode": voucher["code"]})


async def test_a_voucher_is_voided_and_then_no_good(shop: Shop) -> None:
    """Again changes nothing."""
    voucher = await grant(shop, await shop.enroll(), await open_pool(shop))
    told = {"voucherId": voucher["id"], "reason": "mistake"}
    assert (await shop.do("voucherVoid", VOUCHER, **told, idempotencyKey=key()))["voucher"]["state"] == "VOID"
    assert (await shop.do("voucherVoid", "isRepeat", **told, idempotencyKey=key()))["isRepeat"] is True
    refused = await shop.refused("voucherLock", code=voucher["code"], reference="o", idempotencyKey=key())
    assert refused["code"] == "VOUCHER_VOID"
    assert (await shop.refused("voucherReturn", **told, idempotencyKey=key()))["code"] == "VOUCHER_NOT_USED"


async def test_members_of_a_filter_are_given_one_each(shop: Shop) -> None:
    """Told again, nobody is given two; who is refused is counted with the reason."""
    pool = await open_pool(shop, limit=1, left=4)
    vips = [await shop.enroll(f"m-{number}", tags=["vip"]) for number in range(5)]
    await shop.enroll("other")
    await grant(shop, vips[0], pool)
    told = {"poolId": pool, "filter": {"tag": "vip"}, "idempotencyKey": "once"}
    selection = "issued refused refusals { code } endCursor"
    issued = await shop.do("vouchersIssue", selection, **told)
    assert (issued["issued"], issued["refused"], issued["endCursor"]) == (3, 2, None)
    assert {error["code"] for error in issued["refusals"]} == {"LIMIT_REACHED", "VOUCHERS_SOLD_OUT"}
    again = await shop.do("vouchersIssue", selection, **told)
    assert (again["issued"], again["refused"]) == (3, 2)
    assert (await shop.refused("vouchersIssue", **(told | {"poolId": "x"})))["code"] == "NOT_FOUND"
    nobody = await shop.do("vouchersIssue", selection, **(told | {"filter": {"tag": "none"}}))
    assert nobody["issued"] == 0


async def test_members_of_a_segment_are_given_one_each(shop: Shop) -> None:
    """Those who are in it when it is asked."""
    pool = await open_pool(shop)
    await shop.do("segmentSave", "segment { id }", code="rich", name="Rich", criteria={"availableMin": 500})
    rich = [await shop.enroll(f"rich-{number}") for number in range(3)]
    for member in rich:
        await shop.grant(member, 500)
    await shop.enroll("poor")
    told = {"poolId": pool, "filter": {"segment": "rich"}, "idempotencyKey": "once"}
    issued = await shop.do("vouchersIssue", "issued refused endCursor", **told)
    assert (issued["issued"], issued["refused"], issued["endCursor"]) == (3, 0, None)
    asked = "query ($ref: MemberRef!) { member(ref: $ref) { vouchers { nodes { state } } } }"
    for member, expected in (({"id": rich[0]}, 1), ({"externalId": "poor"}, 0)):
        found = await shop.ask(asked, ref=member)
        assert len(found["member"]["vouchers"]["nodes"]) == expected
    refused = await shop.refused("vouchersIssue", **(told | {"filter": {"segment": "ritch"}}))
    assert (refused["code"], refused["field"]) == ("RULE_REFERENCE_UNKNOWN", ["filter", "segment"])
    assert refused["details"] == {
        "what": "segment",
        "given": "ritch",
        "known": "rich",
        "hint": "did you mean 'rich'?",
    }


async def test_a_voucher_for_points_is_in_the_member_s_hand_at_once(shop: Shop) -> None:
    """100 points = 10 yuan."""
    pool, member = await open_pool(shop, left=1), await shop.enroll()
    await shop.grant(member, 250)
    reward = await shop.make_reward(100, kind="VOUCHER", poolId=pool)
    token = shop.member_token(member)
    redeemed = await shop.do("rewardRedeem", "redemption { state }", token, rewardId=reward, idempotencyKey=key())
    assert redeemed["redemption"]["state"] == "FULFILLED"
    mine = await shop.ask("{ me { vouchers { nodes { origin redemption { points } } } } }", token)
    assert mine["me"]["vouchers"]["nodes"] == [{"origin": "REDEMPTION", "redemption": {"points": 100}}]
    refused = await shop.refused("rewardRedeem", token, rewardId=reward, idempotencyKey=key())
    assert (refused["code"], refused["details"]) == ("VOUCHERS_SOLD_OUT", {"requested": 1, "left": 0})
    document = "{ rewards { nodes { availability { canRedeem obstacles { code details } } } } }"
    (node,) = (await shop.ask(document, token))["rewards"]["nodes"]
    assert node["availability"] == {
        "canRedeem": False,
        "obstacles": [{"code": "VOUCHERS_SOLD_OUT", "details": {"requested": 1, "left": 0}}],
    }
    assert (await shop.account(member))["available"] == 150
