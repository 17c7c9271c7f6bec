"""Keys: made, shown once, revoked; and what comes of a credential that is no good."""

from datetime import timedelta

import httpx
import pytest

from api.credentials import Credentials
from domain.access import KeyKind, Role, Scope
from tests.api.shops import Shop, World, global_id, mutation

pytestmark = pytest.mark.asyncio

KEY = "apiKey { id name kind hint scopes revokedAt } secret"
PROGRAM = "{ program { name } }"


async def test_a_key_is_made_shown_once_and_revoked(shop: Shop) -> None:
    """It is refused as soon as it is revoked."""
    owner = await shop.make_operator(Role.OWNER)
    payload = await shop.do("apiKeyCreate", KEY, owner, name="till", kind="SECRET", scopes=["PROGRAM_READ"])
    key, secret = payload["apiKey"], payload["secret"]
    assert secret.startswith("tsk_")
    assert key == {
        "id": key["id"],
        "name": "till",
        "kind": "SECRET",
        "hint": secret[-4:],
        "scopes": ["PROGRAM_READ"],
        "revokedAt": None,
    }
    assert (await shop.ask(PROGRAM, secret))["program"] == {"name": "Tea House"}
    revoked = await shop.do("apiKeyRevoke", "apiKey { id revokedAt }", owner, apiKeyId=key["id"])
    assert revoked["apiKey"]["revokedAt"] is not None
    assert await shop.error(PROGRAM, secret) == "UNAUTHENTICATED"
    again = await shop.do("apiKeyRevoke", "apiKey { id revokedAt }", owner, apiKeyId=key["id"])
    assert again == revoked
    nodes = (await shop.ask("{ apiKeys(first: 100) { nodes { name revokedAt } } }", owner))["apiKeys"]["nodes"]
    assert nodes[-1] == {"name": "till", "revokedAt": revoked["apiKey"]["revokedAt"]}


async def test_a_revoked_key_is_forgotten_elsewhere_within_seconds(world: World) -> None:
    """Another process may know it for as long as it remembers credentials, and no longer."""
    shop = await world.open_shop()
    other = Credentials(world.backend.tokens, cache_seconds=5, now=world.clock)
    secret = await shop.make_key(KeyKind.SECRET, (Scope.PROGRAM_READ,))
    header = f"Bearer {secret}"
    key_id = (await other.caller(header)).id
    document = "{ apiKeys(first: 100) { nodes { id hint } } }"
    keys = (await shop.ask(document))["apiKeys"]["nodes"]
    (global_key,) = (key["id"] for key in keys if key["hint"] == secret[-4:])
    await shop.do("apiKeyRevoke", "apiKey { id }", apiKeyId=global_key)
    assert (await other.caller(header)).id == key_id
    world.clock.ahead = timedelta(seconds=6)
    with pytest.raises(Exception, match="revoked"):
        await other.caller(header)


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        ({"name": ""}, "TEXT_INVALID", "name"),
        ({"scopes": []}, "SCOPES_INVALID", "scopes"),
        ({"scopes": None}, "SCOPES_INVALID", "scopes"),
        ({"scopes": ["PROGRAM_READ"] * 14}, "TOO_MANY", "scopes"),
        ({"kind": "PUBLISHABLE"}, "SCOPES_INVALID", "scopes"),
    ],
)
async def test_impossible_keys_are_refused(shop: Shop, told: dict[str, object], code: str, field: str) -> None:
    """And none is made."""
    document = "{ apiKeys(first: 100) { nodes { id } } }"
    before = await shop.ask(document)
    given = {"name": "till", "kind": "SECRET", "scopes": ["PROGRAM_READ"]} | told
    refused = await shop.refused("apiKeyCreate", **given)
    assert (refused["code"], refused["field"]) == (code, [field])
    assert await shop.ask(document) == before
    for key_id in (global_id("ApiKey"), global_id("Store"), "x"):
        assert (await shop.refused("apiKeyRevoke", apiKeyId=key_id))["code"] == "NOT_FOUND"


async def test_nobody_gives_scopes_that_they_do_not_have(shop: Shop) -> None:
    """A key that may make keys does not thereby get what it lacks."""
    keys = await shop.make_key(KeyKind.SECRET, (Scope.KEYS_WRITE,))
    given = {"name": "more", "kind": "SECRET", "scopes": ["POINTS_ADJUST"]}
    assert await shop.error(mutation("apiKeyCreate", "secret"), keys, input=given) == "FORBIDDEN"
    await shop.do("apiKeyCreate", "secret", keys, name="same", kind="SECRET", scopes=["KEYS_WRITE"])


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "tsk_x", "Bearer tsk_x", "Bearer tpk_", "Bearer x", "Bearer a.b.c"],
)
async def test_a_credential_that_is_no_good_refuses_the_whole_request(shop: Shop, header: str) -> None:
    """With 401, whatever is asked, even what is open to nobody in particular."""
    transport = httpx.ASGITransport(app=shop.world.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        response = await client.post("/graphql", json={"query": "{ __typename }"}, headers={"authorization": header})
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_key_is_of_the_program_it_names(world: World) -> None:
    """The rest of another key behind one's own program opens nothing."""
    shop, other = await world.open_shop(), await world.open_shop()
    forged = other.secret[:26] + shop.secret[26:]
    assert await shop.error(PROGRAM, forged) == "UNAUTHENTICATED"
    assert await shop.error(PROGRAM, shop.secret[:-1]) == "UNAUTHENTICATED"
    assert await shop.error(PROGRAM, shop.secret.replace("tsk_", "tpk_")) != "FORBIDDEN"
