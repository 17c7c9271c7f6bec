"""Members sign in: the shop's server vouches for them, and their app stays signed in."""

from datetime import timedelta

import jwt
import pytest

from api.tokens import TokenKind
from tests.api import shops
from tests.api.shops import Shop, World, global_id, key_of

pytestmark = pytest.mark.asyncio

SESSION = "token expiresAt refreshToken refreshExpiresAt"
ME = "{ me { id } }"


async def test_a_member_is_signed_in_and_stays_signed_in(world: World) -> None:
    """The access token ends; the refresh token gives a fresh one under a publishable key, for thirty days."""
    shop = await world.open_shop()
    member = await shop.enroll()
    session = await shop.do("memberTokenCreate", SESSION, member={"externalId": "m-1"})
    assert (await shop.ask(ME, session["token"]))["me"] == {"id": member}
    world.clock.ahead = timedelta(hours=2)
    assert await shop.error(ME, session["token"]) == "UNAUTHENTICATED"
    given = {"refreshToken": session["refreshToken"]}
    fresh = await shop.do("memberSignIn", "token expiresAt", shop.publishable, **given)
    assert (await shop.ask(ME, fresh["token"]))["me"] == {"id": member}
    world.clock.ahead = timedelta(days=31)
    assert (await shop.refused("memberSignIn", shop.publishable, **given))["code"] == "REFRESH_TOKEN_INVALID"


async def test_a_refresh_token_is_of_one_program(world: World) -> None:
    """Under another program's key it is as wrong as any other text."""
    shop, other = await world.open_shop(), await world.open_shop()
    await shop.enroll()
    session = await shop.do("memberTokenCreate", SESSION, member={"externalId": "m-1"})
    for publishable, token in (
        (other.publishable, session["refreshToken"]),
        (shop.publishable, session["token"]),
        (shop.publishable, ""),
        (shop.publishable, "trt_x"),
        (shop.publishable, "é" * 5000),
    ):
        refused = await shop.refused("memberSignIn", publishable, refreshToken=token)
        assert (refused["code"], refused["field"]) == ("REFRESH_TOKEN_INVALID", ["refreshToken"])


async def test_nobody_is_signed_in(shop: Shop) -> None:
    """A member that is not there cannot be vouched for."""
    for ref in ({"id": global_id("Member")}, {"externalId": "nobody"}, {"id": "x"}):
        refused = await shop.refused("memberTokenCreate", member=ref)
        assert refused["code"] == "NOT_FOUND"


async def test_tokens_cannot_be_made_up(shop: Shop) -> None:
    """Other signatures, algorithms, kinds and programs are refused, and what lacks a claim too."""
    member = key_of(await shop.enroll())
    good = jwt.decode(
        shop.token(TokenKind.MEMBER, member), shops.SIGNING_KEY, algorithms=["HS256"], options={"verify_exp": False}
    )
    assert (await shop.ask(ME, jwt.encode(good, shops.SIGNING_KEY, algorithm="HS256")))["me"] is not None
    other = await shop.world.open_shop()
    for claims, secret, algorithm in (
        (good, "another key of tests, which is long enough for every algorithm of JSON web tokens", "HS256"),
        (good, "", "none"),
        (good, shops.SIGNING_KEY, "HS512"),
        (good | {"typ": "operator"}, shops.SIGNING_KEY, "HS256"),
        (good | {"typ": "admin"}, shops.SIGNING_KEY, "HS256"),
        (good | {"prg": str(other.program_id)}, shops.SIGNING_KEY, "HS256"),
        (good | {"prg": "x"}, shops.SIGNING_KEY, "HS256"),
        (good | {"sub": "x"}, shops.SIGNING_KEY, "HS256"),
        (good | {"exp": 0}, shops.SIGNING_KEY, "HS256"),
        (good | {"exp": "soon"}, shops.SIGNING_KEY, "HS256"),
        ({name: value for name, value in good.items() if name != "exp"}, shops.SIGNING_KEY, "HS256"),
        ({name: value for name, value in good.items() if name != "typ"}, shops.SIGNING_KEY, "HS256"),
    ):
        token = jwt.encode(claims, secret, algorithm=algorithm)
        assert await shop.error(ME, token) == "UNAUTHENTICATED", claims
