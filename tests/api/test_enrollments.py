"""Members are enrolled, keep their profile, are frozen and set free."""

from datetime import timedelta
from typing import Any

import pytest

from domain.access import KeyKind, Scope
from persistence import clock
from tests.api.shops import Shop, global_id, key

pytestmark = pytest.mark.asyncio

PROFILE = """id externalId phone cardNumber email name birthday gender attributes tags channel enrolledAt
    consents { purpose isGranted version at } store { code } account { status available lifetimeEarned }"""
ALL = "{ members(first: 100) { nodes { id } } }"


def consent(at: str = "2026-01-01T00:00:00+08:00", **told: Any) -> dict[str, Any]:
    """A member's consent to be written to."""
    return {"purpose": "marketing", "isGranted": True, "version": "1", "at": at, **told}


async def test_a_member_is_enrolled_with_all_that_is_told(shop: Shop) -> None:
    """And the sign-up bonus is in the account at once."""
    await shop.do("programUpdate", "program { id }", signUpPoints=88)
    store = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    told = {
        "externalId": " m-1 ",
        "phone": "+8613812345678",
        "cardNumber": "0001",
        "email": "Li@EXAMPLE.com",
        "name": "李雷 🍵",
        "birthday": "1990-02-28",
        "gender": "MALE",
        "attributes": {"taste": "oolong", "visits": 3, "vip": True},
        "tags": ["tea", "tea", "regular"],
    }
    given = told | {"consents": [consent()], "channel": "IN_STORE", "storeId": store, "idempotencyKey": key()}
    member = (await shop.do("memberEnroll", f"member {{ {PROFILE} }}", **given))["member"]
    assert member == told | {
        "id": member["id"],
        "externalId": "m-1",
        "email": "Li@example.com",
        "tags": ["tea", "regular"],
        "consents": [consent(at="2025-12-31T16:00:00Z")],
        "channel": "IN_STORE",
        "enrolledAt": member["enrolledAt"],
        "store": {"code": "s1"},
        "account": {"status": "ACTIVE", "available": 88, "lifetimeEarned": 88},
    }
    assert member["enrolledAt"].endswith("Z")
    query = f"query ($ref: MemberRef!) {{ member(ref: $ref) {{ {PROFILE} }} }}"
    for ref in ({"id": member["id"]}, {"externalId": "m-1"}, {"phone": "+8613812345678"}, {"cardNumber": "0001"}):
        assert (await shop.ask(query, ref=ref))["member"] == member


async def test_the_same_key_enrolls_once(shop: Shop) -> None:
    """With the same input it answers the first result, with other input it is refused."""
    given = {"externalId": "m-1", "idempotencyKey": "enroll-1"}
    first = await shop.do("memberEnroll", "member { id } isReplay", **given)
    again = await shop.do("memberEnroll", "member { id externalId } isReplay", **given)
    assert first["isReplay"] is False
    assert again == {"member": {**first["member"], "externalId": "m-1"}, "isReplay": True, "userErrors": []}
    refused = await shop.refused("memberEnroll", **(given | {"externalId": "m-2"}))
    assert refused["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    assert len((await shop.ask(ALL))["members"]["nodes"]) == 1


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        ({"externalId": None}, "MEMBER_KEY_MISSING", ["externalId"]),
        ({"externalId": ""}, "TEXT_INVALID", ["externalId"]),
        ({"externalId": "x" * 201}, "TEXT_INVALID", ["externalId"]),
        ({"phone": "13812345678"}, "PHONE_INVALID", ["phone"]),
        ({"phone": "+86 138"}, "PHONE_INVALID", ["phone"]),
        ({"phone": "+٨٦١٣٨١٢٣٤٥٦٧٨"}, "PHONE_INVALID", ["phone"]),
        ({"cardNumber": "9" * 51}, "TEXT_INVALID", ["cardNumber"]),
        ({"email": "li.example.com"}, "EMAIL_INVALID", ["email"]),
        ({"email": "li@" + "x" * 200 + ".com"}, "EMAIL_INVALID", ["email"]),
        ({"birthday": "2999-01-01"}, "BIRTHDAY_INVALID", ["birthday"]),
        ({"birthday": "1801-01-01"}, "BIRTHDAY_INVALID", ["birthday"]),
        ({"attributes": {"a": 1.5}}, "ATTRIBUTE_INVALID", ["attributes", "a"]),
        ({"attributes": {"a": {"b": 1}}}, "ATTRIBUTE_INVALID", ["attributes", "a"]),
        ({"attributes": {"a": "x" * 501}}, "ATTRIBUTE_INVALID", ["attributes", "a"]),
        ({"attributes": {"a": 2**53}}, "ATTRIBUTE_INVALID", ["attributes", "a"]),
        ({"attributes": {"": 1}}, "ATTRIBUTE_INVALID", ["attributes", ""]),
        ({"attributes": {str(n): n for n in range(51)}}, "TOO_MANY", ["attributes"]),
        ({"tags": ["x"] * 51}, "TOO_MANY", ["tags"]),
        ({"tags": [""]}, "TEXT_INVALID", ["tags"]),
        ({"consents": [consent()] * 21}, "TOO_MANY", ["consents"]),
        ({"consents": [consent(purpose="")]}, "TEXT_INVALID", ["consents", "purpose"]),
        ({"consents": [consent(at="2999-01-01T00:00:00Z")]}, "TIME_INVALID", ["consents", "at"]),
        ({"storeId": global_id("Store")}, "NOT_FOUND", None),
        ({"storeId": global_id("Tier")}, "NOT_FOUND", ["storeId"]),
        ({"idempotencyKey": ""}, "TEXT_INVALID", ["idempotencyKey"]),
        ({"idempotencyKey": "k" * 201}, "TEXT_INVALID", ["idempotencyKey"]),
    ],
)
async def test_malformed_members_are_refused(
    shop: Shop, told: dict[str, Any], code: str, field: list[str] | None
) -> None:
    """And nobody is enrolled."""
    refused = await shop.refused("memberEnroll", **({"externalId": "m-1", "idempotencyKey": key()} | told))
    assert (refused["code"], refused["field"]) == (code, field)
    assert (await shop.ask(ALL))["members"]["nodes"] == []


@pytest.mark.parametrize(
    "told",
    [
        {"birthday": "1990-02-30"},
        {"birthday": "19900228"},
        {"birthday": "0001-01-01"},
        {"attributes": [1]},
        {"attributes": "x"},
        {"externalId": 1},
        {"externalId": "a\0b"},
        {"name": "\ud800"},
        {"gender": "DRAGON"},
        {"consents": [consent(at="2026-01-01T00:00:00")]},
        {"consents": [consent(at="2026-01-01")]},
        {"consents": [consent(at="9999-12-31T23:59:59Z")]},
        {"consents": [consent(at="tomorrow")]},
    ],
)
async def test_what_is_no_value_of_its_type_is_bad_input(shop: Shop, told: dict[str, Any]) -> None:
    """At the top level, before anything is looked at."""
    document = "mutation ($input: MemberEnrollInput!) { memberEnroll(input: $input) { userErrors { code } } }"
    given = {"externalId": "m-1", "idempotencyKey": key()} | told
    assert await shop.bad_input(document, input=given)
    assert (await shop.ask(ALL))["members"]["nodes"] == []


async def test_keys_belong_to_one_member(shop: Shop) -> None:
    """The error names the key and its value."""
    await shop.enroll("m-1", phone="+8613812345678")
    refused = await shop.refused("memberEnroll", phone="+8613812345678", idempotencyKey=key())
    assert (refused["code"], refused["field"]) == ("MEMBER_EXISTS", ["phone"])
    assert refused["details"] == {"key": "phone", "value": "+8613812345678"}


async def test_a_closed_store_enrolls_nobody(shop: Shop) -> None:
    """It is closed."""
    store = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
    await shop.do("storeUpdate", "store { id }", storeId=store, isClosed=True)
    refused = await shop.refused("memberEnroll", externalId="m-1", storeId=store, idempotencyKey=key())
    assert (refused["code"], refused["details"]) == ("STORE_CLOSED", {"storeCode": "s1"})


async def test_a_profile_changes_in_part(shop: Shop) -> None:
    """Attributes are merged, null removes one; tags are replaced; what is left out stays."""
    member = await shop.enroll(name="Li", attributes={"taste": "oolong", "visits": 3}, tags=["tea"])
    told = {"member": {"externalId": "m-1"}, "attributes": {"visits": None, "size": "L"}, "tags": []}
    selection = "member { id name attributes tags account { available } }"
    assert (await shop.do("memberUpdate", selection, **told))["member"] == {
        "id": member,
        "name": "Li",
        "attributes": {"taste": "oolong", "size": "L"},
        "tags": [],
        "account": {"available": 0},
    }


async def test_a_member_changes_its_own_profile_and_not_what_names_it(shop: Shop) -> None:
    """With its token it need not say who it is, and may say nobody else."""
    member, other = await shop.enroll("m-1"), await shop.enroll("m-2")
    token = shop.member_token(member)
    changed = await shop.do("memberUpdate", "member { id name }", token, name="Mei", gender="FEMALE")
    assert changed["member"] == {"id": member, "name": "Mei"}
    changed = await shop.do("memberUpdate", "member { id name }", token, member={"id": member}, name="Han")
    assert changed["member"] == {"id": member, "name": "Han"}
    document = "mutation ($input: MemberUpdateInput!) { memberUpdate(input: $input) { member { id } } }"
    forbidden: list[dict[str, Any]] = [
        {"member": {"id": other}, "name": "Eve"},
        {"member": {"externalId": "m-2"}, "name": "Eve"},
        {"externalId": "m-3"},
        {"phone": "+8613812345678"},
        {"cardNumber": "1"},
        {"email": "eve@example.com"},
        {"tags": ["gold"]},
        {"attributes": {"vip": True}},
    ]
    for told in forbidden:
        assert await shop.error(document, token, input=told) == "FORBIDDEN"
    query = "query ($id: ID!) { member(ref: {id: $id}) { externalId name phone tags attributes } }"
    assert (await shop.ask(query, id=other))["member"]["name"] is None
    assert (await shop.ask(query, id=member))["member"] == {
        "externalId": "m-1",
        "name": "Han",
        "phone": None,
        "tags": [],
        "attributes": {},
    }


@pytest.mark.parametrize(
    ("ref", "code"),
    [
        ({"id": global_id("Member")}, "NOT_FOUND"),
        ({"id": global_id("Store")}, "NOT_FOUND"),
        ({"externalId": "nobody"}, "NOT_FOUND"),
        ({"phone": "nobody"}, "NOT_FOUND"),
        ({"externalId": "x" * 300}, "TEXT_INVALID"),
        (None, "MEMBER_REF_INVALID"),
    ],
)
async def test_nobody_is_updated(shop: Shop, ref: dict[str, str] | None, code: str) -> None:
    """A reference that names nobody is refused."""
    assert (await shop.refused("memberUpdate", member=ref, name="Li"))["code"] == code


@pytest.mark.parametrize("ref", [{}, {"id": "x", "phone": "y"}, {"id": None}])
async def test_a_reference_has_exactly_one_key(shop: Shop, ref: dict[str, Any]) -> None:
    """The type itself says so."""
    document = "mutation ($input: MemberUpdateInput!) { memberUpdate(input: $input) { member { id } } }"
    assert await shop.bad_input(document, input={"member": ref, "name": "Li"})


async def test_a_frozen_member_neither_earns_nor_acts(shop: Shop) -> None:
    """Its token, too, changes nothing any more, at once; it still reads, and is free again later."""
    member = await shop.enroll()
    token = shop.member_token(member)
    assert (await shop.ask("{ me { name account { status } } }", token))["me"]["account"] == {"status": "ACTIVE"}
    ref = {"member": {"id": member}, "reason": "fraud"}
    frozen = await shop.do("memberFreeze", "member { account { status } }", **ref)
    assert frozen["member"]["account"] == {"status": "FROZEN"}
    assert (await shop.ask("{ me { account { status } } }", token))["me"]["account"] == {"status": "FROZEN"}
    assert (await shop.refused("memberUpdate", token, name="Eve"))["code"] == "MEMBER_FROZEN"
    given = {"member": {"id": member}, "externalId": "o-1", "amount": shop.money("1"), "idempotencyKey": key()}
    assert (await shop.refused("purchaseRecord", **given))["code"] == "MEMBER_FROZEN"
    await shop.do("memberUnfreeze", "member { account { status } }", **ref)
    assert (await shop.do("memberUpdate", "member { name }", token, name="Li"))["member"] == {"name": "Li"}
    assert (await shop.refused("memberFreeze", **(ref | {"reason": " "})))["code"] == "TEXT_INVALID"


async def test_a_key_without_members_read_sees_the_figures_only(shop: Shop) -> None:
    """Who may enroll may not read profiles."""
    secret = await shop.make_key(KeyKind.SECRET, (Scope.MEMBERS_WRITE,))
    given = {"externalId": "m-1", "idempotencyKey": key()}
    document = """mutation ($input: MemberEnrollInput!) { memberEnroll(input: $input) {
        member { id account { available } externalId } userErrors { code } } }"""
    answer = await shop.send(document, secret, input=given)
    payload = answer["data"]["memberEnroll"]
    assert payload["member"] == {"id": payload["member"]["id"], "account": {"available": 0}, "externalId": None}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


async def test_consents_replace_the_earlier_one_of_their_purpose(shop: Shop) -> None:
    """A later consent is the one that counts."""
    await shop.enroll(consents=[consent()])
    at = (clock.now() - timedelta(minutes=1)).isoformat()
    told = {"member": {"externalId": "m-1"}, "consents": [consent(at=at, isGranted=False, version="2")]}
    changed = await shop.do("memberUpdate", "member { consents { purpose isGranted version } }", **told)
    assert changed["member"]["consents"] == [{"purpose": "marketing", "isGranted": False, "version": "2"}]


async def test_who_moves_in_from_another_system_joined_before(shop: Shop) -> None:
    """The sign-up bonus is of that time, too; nobody joins in the future."""
    await shop.do("programUpdate", "program { id }", signUpPoints=100, expiry={"kind": "DAYS", "count": 3650})
    member = await shop.enroll(enrolledAt="2026-01-05T12:00:00+08:00")
    document = """query ($id: ID!) { member(ref: {id: $id}) { enrolledAt account { available }
        lots { nodes { earnedAt expiresAt } } } }"""
    assert (await shop.ask(document, id=member))["member"] == {
        "enrolledAt": "2026-01-05T04:00:00Z",
        "account": {"available": 100},
        "lots": {"nodes": [{"earnedAt": "2026-01-05T04:00:00Z", "expiresAt": "2036-01-03T16:00:00Z"}]},
    }
    given = {"externalId": "m-2", "enrolledAt": "2099-01-01T00:00:00Z", "idempotencyKey": key()}
    refused = await shop.refused("memberEnroll", **given)
    assert (refused["code"], refused["field"]) == ("TIME_INVALID", ["enrolledAt"])
