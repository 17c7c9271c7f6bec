"""Operators: made by owners, signed in with a password, bounded in their attempts."""

import asyncio
from datetime import timedelta

import pytest

from api.operators import LOGINS
from domain.access import Role
from persistence.throttles import Throttle
from tests.api.shops import PASSWORD, Shop, World, mutation

pytestmark = pytest.mark.asyncio

LOGIN = "token expiresAt operator { email role }"
OPERATORS = "{ operators { nodes { email name role isDisabled } } }"


async def owned(world: World) -> tuple[Shop, str]:
    """A shop and a token of its owner."""
    shop = await world.open_shop()
    return shop, await shop.make_operator(Role.OWNER, "owner@example.com")


async def test_an_operator_signs_in(world: World) -> None:
    """Whatever the case of its address; the token ends after an hour."""
    shop, owner = await owned(world)
    told = {"email": "Lin@Example.com", "name": "Lin", "password": PASSWORD, "role": "CLERK"}
    made = await shop.do("operatorCreate", "operator { email role name }", owner, **told)
    assert made["operator"] == {"email": "lin@example.com", "role": "CLERK", "name": "Lin"}
    nodes = (await shop.ask(OPERATORS, owner))["operators"]["nodes"]
    assert [node["email"] for node in nodes] == ["owner@example.com", "lin@example.com"]
    login = {"email": " LIN@example.com ", "password": PASSWORD}
    payload = await shop.do("operatorLogin", LOGIN, shop.publishable, **login)
    assert payload["operator"] == {"email": "lin@example.com", "role": "CLERK"}
    assert (await shop.ask("{ members { nodes { id } } }", payload["token"]))["members"]["nodes"] == []
    assert await shop.error(OPERATORS, payload["token"]) == "FORBIDDEN"
    world.clock.ahead = timedelta(minutes=61)
    assert await shop.error("{ program { name } }", payload["token"]) == "UNAUTHENTICATED"


async def test_wrong_and_unknown_are_told_alike(world: World) -> None:
    """And an operator of another program is unknown."""
    shop, owner = await owned(world)
    other = await world.open_shop()
    told = {"email": "lin@example.com", "name": "Lin", "password": PASSWORD, "role": "VIEWER"}
    await shop.do("operatorCreate", "operator { email }", owner, **told)
    answers = []
    for key, email, password in (
        (shop.publishable, "lin@example.com", "wrong password"),
        (shop.publishable, "lin@example.com", ""),
        (shop.publishable, "lin@example.com", PASSWORD + "x" * 300),
        (shop.publishable, "han@example.com", PASSWORD),
        (shop.publishable, "", PASSWORD),
        (other.publishable, "lin@example.com", PASSWORD),
    ):
        answers.append(await shop.refused("operatorLogin", key, email=email, password=password))
    assert answers == [answers[0]] * 6
    assert answers[0]["code"] == "CREDENTIALS_WRONG"


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        ({"email": "owner@example.com"}, "OPERATOR_EXISTS", "email"),
        ({"email": "OWNER@example.com"}, "OPERATOR_EXISTS", "email"),
        ({"email": "lin"}, "EMAIL_INVALID", "email"),
        ({"name": ""}, "TEXT_INVALID", "name"),
        ({"password": "short"}, "PASSWORD_INVALID", "password"),
        ({"password": "x" * 201}, "PASSWORD_INVALID", "password"),
    ],
)
async def test_impossible_operators_are_refused(world: World, told: dict[str, str], code: str, field: str) -> None:
    """And none is made."""
    shop, owner = await owned(world)
    given = {"email": "lin@example.com", "name": "Lin", "password": PASSWORD, "role": "CLERK"} | told
    refused = await shop.refused("operatorCreate", owner, **given)
    assert (refused["code"], refused["field"]) == (code, [field])
    assert len((await shop.ask(OPERATORS, owner))["operators"]["nodes"]) == 1


async def test_a_manager_makes_no_operators(world: World) -> None:
    """Nor does a secret key, whatever its scopes: only an owner does."""
    shop, _ = await owned(world)
    given = {"email": "lin@example.com", "name": "Lin", "password": PASSWORD, "role": "VIEWER"}
    document = mutation("operatorCreate", "operator { email }")
    manager = await shop.make_operator(Role.MANAGER)
    assert await shop.error(document, manager, input=given) == "FORBIDDEN"
    assert await shop.error(document, shop.secret, input=given) == "FORBIDDEN"


async def test_attempts_are_bounded(world_with_redis: World) -> None:
    """Ten in fifteen minutes for an address of a program; a success begins anew."""
    shop, owner = await owned(world_with_redis)
    other = await world_with_redis.open_shop()
    told = {"email": "lin@example.com", "name": "Lin", "password": PASSWORD, "role": "CLERK"}
    await shop.do("operatorCreate", "operator { email }", owner, **told)
    wrong = {"email": "lin@example.com", "password": "wrong password"}
    document = mutation("operatorLogin", "token")
    for _ in range(9):
        assert (await shop.refused("operatorLogin", shop.publishable, **wrong))["code"] == "CREDENTIALS_WRONG"
    await shop.do("operatorLogin", "token", shop.publishable, email="Lin@example.com", password=PASSWORD)
    for _ in range(10):
        assert (await shop.refused("operatorLogin", shop.publishable, **wrong))["code"] == "CREDENTIALS_WRONG"
    answer = await shop.send(document, shop.publishable, input=wrong | {"password": PASSWORD})
    assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert 0 < answer["errors"][0]["extensions"]["retryAfterSeconds"] <= 900
    assert (await shop.refused("operatorLogin", other.publishable, **wrong))["code"] == "CREDENTIALS_WRONG"


async def test_without_redis_nobody_is_locked_out(world: World) -> None:
    """A login is worth more than its limit."""

    class Away:
        async def eval(self, *_: object) -> None:
            raise ConnectionError

        async def delete(self, *_: object) -> None:
            await asyncio.sleep(60)

    shop = await world.open_shop()
    throttle = Throttle(Away())  # type: ignore[arg-type]
    assert await throttle.wait_seconds(LOGINS, shop.program_id, "lin@example.com") == 0
    await throttle.reset(LOGINS, shop.program_id, "lin@example.com")
