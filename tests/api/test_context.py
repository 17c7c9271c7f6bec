"""A request's way to the engine, when the engine cannot take it."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from api import context, http
from persistence.engine import QueueFull, Unavailable
from tests.api.conftest import SCHEMA
from tests.api.shops import Shop, World, key, mutation

pytestmark = pytest.mark.asyncio


class Failing:
    """An engine that does what the real one does, but for some commands."""

    def __init__(self, engine: Any, faults: dict[int, BaseException]) -> None:
        self._engine = engine
        self._faults = faults
        self._count = 0

    def submit(self, command: Any, **told: Any) -> Any:
        """Let the n-th command fail as the real one would, at once or later, or hand it on."""
        self._count += 1
        fault = self._faults.get(self._count)
        if isinstance(fault, QueueFull):
            raise fault
        if fault is not None:
            answer = asyncio.get_running_loop().create_future()
            answer.set_exception(fault)
            return answer
        return self._engine.submit(command, **told)

    async def execute(self, command: Any, **told: Any) -> Any:
        """As the real one."""
        return await self._engine.execute(command, **told)


async def failing(world: World, faults: dict[int, BaseException]) -> Shop:
    """A shop in an application whose engine fails."""
    shop = await world.open_shop()
    backend = replace(world.backend, engine=Failing(world.backend.engine, faults))  # type: ignore[arg-type]
    app = http.create_app(SCHEMA, context_getter=context.context_getter(backend), readiness={})
    shop.world = World(app, backend, world.clock)
    return shop


async def test_a_full_queue_throttles(world: World) -> None:
    """And says when to come back."""
    shop = await failing(world, {1: QueueFull()})
    given = {"code": "s1", "name": "River"}
    answer = await shop.send(mutation("storeCreate", "store { id }"), input=given)
    extensions = answer["errors"][0]["extensions"]
    assert (extensions["code"], extensions["retryAfterSeconds"]) == ("THROTTLED", 1)
    await shop.do("storeCreate", "store { id }", **given)


async def test_a_lost_database_is_said_in_words(world: World) -> None:
    """And nothing of its own."""
    shop = await failing(world, {1: Unavailable()})
    answer = await shop.send(mutation("storeCreate", "store { id }"), input={"code": "s1", "name": "River"})
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert answer["errors"][0]["message"].startswith("The database is away.")


async def test_many_that_fail_in_part_can_be_told_again(world: World) -> None:
    """What was recorded is answered from its keys, and the rest is recorded then."""
    shop = await failing(world, {4: QueueFull()})
    member = await shop.enroll()
    rows = [
        {
            "member": {"id": member},
            "externalId": str(number),
            "amount": shop.money("1"),
            "idempotencyKey": key(),
        }
        for number in range(5)
    ]
    document = mutation("purchasesRecord", "results { isReplay userErrors { code } }")
    assert await shop.error(document, input={"rows": rows}) == "THROTTLED"
    again = (await shop.ask(document, input={"rows": rows}))["purchasesRecord"]["results"]
    assert [result["isReplay"] for result in again] == [True, True, False, True, True]
    assert (await shop.account(member))["available"] == 5
