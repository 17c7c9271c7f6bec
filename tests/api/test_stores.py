"""Stores: opened, renamed, closed, listed by pages."""

import pytest

from tests.api.shops import Shop, global_id

pytestmark = pytest.mark.asyncio

STORE = "store { id code name isClosed }"
PAGE = """query ($first: Int!, $after: String) { stores(first: $first, after: $after) {
    nodes { code } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


async def test_a_store_is_opened_renamed_and_closed(shop: Shop) -> None:
    """What is left out stays as it is."""
    opened = (await shop.do("storeCreate", STORE, code="s1", name="  River 店 🍵 "))["store"]
    assert opened == {"id": opened["id"], "code": "s1", "name": "River 店 🍵", "isClosed": False}
    closed = (await shop.do("storeUpdate", STORE, storeId=opened["id"], isClosed=True))["store"]
    assert closed == opened | {"isClosed": True}
    assert (await shop.ask("{ stores { nodes { id code name isClosed } } }"))["stores"]["nodes"] == [closed]


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        ("", "Store", "TEXT_INVALID"),
        ("c" * 51, "Store", "TEXT_INVALID"),
        ("c", " ", "TEXT_INVALID"),
        ("c", "n" * 201, "TEXT_INVALID"),
        ("c\x01", "Store", "TEXT_INVALID"),
    ],
)
async def test_malformed_stores_are_refused(shop: Shop, code: str, name: str, expected: str) -> None:
    """And nothing is opened."""
    assert (await shop.refused("storeCreate", code=code, name=name))["code"] == expected
    assert (await shop.ask("{ stores { nodes { id } } }"))["stores"]["nodes"] == []


async def test_a_code_is_taken_once(shop: Shop) -> None:
    """The error names the field and carries the code."""
    await shop.do("storeCreate", STORE, code="s1", name="River")
    assert await shop.refused("storeCreate", code="s1", name="Hill") == {
        "code": "STORE_CODE_TAKEN",
        "message": "Another store of this program has the code 's1'.",
        "field": ["code"],
        "details": {"code": "s1"},
    }


@pytest.mark.parametrize("store_id", ["", "x", "ÿ", "U3RvcmU6eA==", global_id("Tier"), "a" * 200])
async def test_what_is_no_id_of_a_store_is_not_found(shop: Shop, store_id: str) -> None:
    """Malformed ids and ids of other kinds get one clear answer."""
    refused = await shop.refused("storeUpdate", storeId=store_id, name="Hill")
    assert (refused["code"], refused["field"]) == ("NOT_FOUND", ["storeId"])
    assert "is no id of a Store" in refused["message"]


async def test_a_missing_store_is_not_found(shop: Shop) -> None:
    """The message shows the id that was given."""
    refused = await shop.refused("storeUpdate", storeId=global_id("Store"), name="Hill")
    assert refused["code"] == "NOT_FOUND"
    assert refused["message"] == f"There is no Store {global_id('Store')!r} in this program."
    assert refused["details"] == {"kind": "Store", "key": global_id("Store")}


async def test_pages_follow_each_other(shop: Shop) -> None:
    """By keyset: what is opened meanwhile appears at the end and shifts nothing."""
    for number in range(5):
        await shop.do("storeCreate", STORE, code=f"s{number}", name="Store")
    first = (await shop.ask(PAGE, first=2))["stores"]
    assert [node["code"] for node in first["nodes"]] == ["s0", "s1"]
    assert first["pageInfo"]["hasNextPage"] is True
    assert first["pageInfo"]["hasPreviousPage"] is False
    assert [edge["cursor"] for edge in first["edges"]] == [
        first["pageInfo"]["startCursor"],
        first["pageInfo"]["endCursor"],
    ]
    await shop.do("storeCreate", STORE, code="s5", name="Store")
    rest = (await shop.ask(PAGE, first=100, after=first["pageInfo"]["endCursor"]))["stores"]
    assert [node["code"] for node in rest["nodes"]] == ["s2", "s3", "s4", "s5"]
    assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)


@pytest.mark.parametrize(
    ("first", "after"),
    [(0, None), (-1, None), (101, None), (1, "x"), (1, "e30="), (1, "WzFd"), (1, "WyJ4Il0="), (1, "W10="), (1, "ÿ")],
)
async def test_impossible_pages_are_refused(shop: Shop, first: int, after: str | None) -> None:
    """At the top level: it is the document that is wrong."""
    assert await shop.error(PAGE, first=first, after=after) == "BAD_USER_INPUT"
