"""Live answers over sockets: at once, after changes, for whom the policy names, and not to who does not read."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from api import live, plans, schema, subscriptions
from domain.members import MemberRef
from domain.points.commands import AdjustPoints
from domain.topics import Subject, topic
from tests.api import statements, tiny_schema
from tests.api.shops import Shop, key, key_of
from tests.api.stages import policies

BALANCE = "subscription { member { account { available } } }"
OF = "subscription ($id: ID!) { member(ref: {id: $id}) { account { available tier { name } } } }"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two answers a second are few for a test."""
    monkeypatch.setattr(live, "PAUSE_SECONDS", 0.01)


@contextlib.asynccontextmanager
async def listening(shop: Shop, token: str, query: str, **variables: Any) -> AsyncIterator[tiny_schema.Socket]:
    """A socket on which a subscription runs."""
    async with tiny_schema.connect(shop.world.app, authorization=f"Bearer {token}") as socket:
        await socket.start()
        socket.subscribe(query, variables=variables)
        yield socket


async def available(socket: tiny_schema.Socket) -> int:
    message = await socket.message()
    assert message["type"] == "next", message
    points: int = message["payload"]["data"]["member"]["account"]["available"]
    return points


async def refused(socket: tiny_schema.Socket) -> str:
    message = await socket.message()
    assert message["type"] == "error", message
    return str(message["payload"][0]["extensions"]["code"])


async def test_a_credential_that_is_no_text_is_refused_like_any_bad_one(shop: Shop) -> None:
    """Not taken for none, which would let its sender in without knowing."""
    async with tiny_schema.connect(shop.world.app) as socket:
        assert (await socket.event())["type"] == "websocket.accept"
        socket.send({"type": "connection_init", "payload": {"authorization": 5}})
        assert (await socket.event())["code"] == 4403


async def test_a_member_sees_its_balance_now_and_after_every_change(shop: Shop) -> None:
    member = await shop.enroll()
    await shop.enroll("m-2")
    async with listening(shop, shop.member_token(member), BALANCE) as socket:
        assert await available(socket) == 0
        await shop.grant(member, 70)
        assert await available(socket) == 70
        await shop.buy(member, "30")
        assert await available(socket) == 100


async def test_changes_of_others_are_not_told(shop: Shop) -> None:
    member, other = await shop.enroll(), await shop.enroll("m-2")
    async with listening(shop, shop.secret, OF, id=member) as socket:
        assert await available(socket) == 0
        await shop.grant(other, 10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.message(), 0.3)


async def test_a_member_listens_to_itself_only_and_keys_without_scope_to_nobody(shop: Shop) -> None:
    member, other = await shop.enroll(), await shop.enroll("m-2")
    async with listening(shop, shop.member_token(other), OF, id=member) as socket:
        assert await refused(socket) == "FORBIDDEN"
    async with listening(shop, shop.publishable, OF, id=member) as socket:
        assert await refused(socket) == "FORBIDDEN"


async def test_nobody_is_found_for_an_unknown_id(shop: Shop) -> None:
    async with listening(shop, shop.secret, OF, id=await shop.make_reward(1)) as socket:
        assert (await socket.message())["payload"] == {"data": {"member": None}}
    stranger = 'subscription { member(ref: {externalId: "nobody"}) { id } }'
    async with listening(shop, shop.secret, stranger) as socket:
        assert (await socket.message())["payload"] == {"data": {"member": None}}
        assert (await socket.message())["type"] == "complete"


async def test_many_changes_are_few_answers_and_the_last_is_the_truth(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PAUSE_SECONDS", 0.3)
    member = await shop.enroll()
    async with listening(shop, shop.member_token(member), BALANCE) as socket:
        assert await available(socket) == 0
        for _ in range(20):
            await shop.grant(member, 1)
        answers = [await available(socket)]
        while answers[-1] < 20:
            answers.append(await available(socket))
        assert len(answers) < 20
        assert answers == sorted(answers)


async def test_a_subscription_ends_so_that_a_credential_is_shown_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LIVE_SECONDS_MAX", 0.1)
    member = await shop.enroll()
    async with listening(shop, shop.member_token(member), BALANCE) as socket:
        assert await available(socket) == 0
        await asyncio.sleep(0.2)
        await shop.grant(member, 1)
        while (message := await socket.message())["type"] == "next":
            pass
        assert message == {"id": "1", "type": "complete"}


async def test_who_hangs_up_is_listened_for_no_longer(shop: Shop) -> None:
    member = await shop.enroll()
    hub = shop.world.backend.hub
    async with listening(shop, shop.member_token(member), BALANCE) as socket:
        assert await available(socket) == 0
        assert len(hub) == 1
    assert len(hub) == 0


async def test_a_client_that_does_not_read_is_dropped(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept for it meanwhile: one answer waits, the others are skipped."""
    monkeypatch.setattr(subscriptions, "SEND_SECONDS_MAX", 0.1)
    member = await shop.enroll()
    async with listening(shop, shop.member_token(member), BALANCE) as socket:
        assert await available(socket) == 0
        reading = socket.stall()
        await shop.grant(member, 1)
        await asyncio.sleep(0.4)
        assert len(shop.world.backend.hub) == 0
        reading.set()
        while (event := await socket.event())["type"] != "websocket.close":
            pass
        assert event["code"] == 1013


async def test_a_flash_sale_tells_what_is_left_to_everybody_who_looks(shop: Shop) -> None:
    """The one live answer that all viewers of a storefront share."""
    member, now = await shop.enroll(), shop.world.clock()
    await shop.grant(member, 100)
    span = {"startsAt": (now - timedelta(hours=1)).isoformat(), "endsAt": (now + timedelta(hours=1)).isoformat()}
    item = {"rewardId": await shop.make_reward(50), "points": 10, "stock": 3}
    made = await shop.do(
        "flashSaleSave",
        "flashSale { items { id } }",
        code="rush",
        name="Rush",
        items=[item],
        **span,
        idempotencyKey=key(),
    )
    item_id = made["flashSale"]["items"][0]["id"]
    looking = 'subscription { flashSale(code: "rush") { items { left } } }'
    async with listening(shop, shop.publishable, looking) as socket:
        for left in (3, 2, 1):
            message = await socket.message()
            assert message["payload"] == {"data": {"flashSale": {"items": [{"left": left}]}}}
            await shop.do(
                "flashSaleClaim", "claim { state }", member={"id": member}, itemId=item_id, idempotencyKey=key()
            )
    async with listening(shop, shop.publishable, looking.replace("rush", "none")) as socket:
        assert (await socket.message())["payload"] == {"data": {"flashSale": None}}


async def test_a_leaderboard_is_told_when_standings_were_counted(shop: Shop) -> None:
    told = {"code": "points", "name": "Points", "metric": "POINTS_EARNED", "window": "ALL_TIME"}
    await shop.do("leaderboardCreate", "leaderboard { id }", **told)
    member = await shop.enroll()
    hub = shop.world.backend.hub
    looking = 'subscription { leaderboard(code: "points") { period { top(first: 3) { standings { score } } } } }'
    async with listening(shop, shop.member_token(member), looking) as socket:
        assert (await socket.message())["type"] == "next"
        hub.tell(shop.program_id, (topic(Subject.LEADERBOARDS, shop.program_id),))
        assert (await socket.message())["type"] == "next"
    async with listening(shop, shop.publishable, looking.replace("points", "none")) as socket:
        assert (await socket.message())["payload"] == {"data": {"leaderboard": None}}


def test_every_live_answer_prints_its_policy() -> None:
    assert set(policies("Subscription")) == set(schema.build()._schema.subscription_type.fields)  # type: ignore[union-attr]


async def test_nothing_is_done_on_a_socket(shop: Shop) -> None:
    given = {"externalId": key(), "idempotencyKey": key()}
    change = "mutation ($input: MemberEnrollInput!) { memberEnroll(input: $input) { member { id } } }"
    async with listening(shop, shop.secret, change, input=given) as socket:
        assert await refused(socket) == "BAD_REQUEST"


async def test_who_asks_the_same_is_answered_together(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many listen with one credential, what changed is read once; who hangs up takes nothing from the rest."""
    member = await shop.enroll()
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(listening(shop, shop.secret, OF, id=member)) for _ in range(20)]
        await answered(sockets, 0)
        async with listening(shop, shop.secret, OF, id=member) as leaving:
            await answered([leaving], 0)
            await asyncio.sleep(0.05)
            command = AdjustPoints(member=MemberRef(id=key_of(member)), points=7, reason="test")
            executed = counted_executions(monkeypatch)
            with statements.counted(monkeypatch) as seen:
                await shop.world.execute(command, shop.program_id)
                await answered(sockets, 7)
            read = [statement for statement in seen if "points_accounts" in statement and "FOR NO KEY" not in statement]
            assert (len(read), len(executed)) == (1, 1)
        await shop.grant(member, 1)
        await answered(sockets, 8)


def counted_executions(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is executed for events of subscriptions from now on."""
    seen: list[object] = []
    run = plans.Executor.run

    def noted(executor: plans.Executor) -> Any:
        seen.append(executor)
        return run(executor)

    monkeypatch.setattr(plans.Executor, "run", noted)
    return seen


async def answered(sockets: list[tiny_schema.Socket], points: int) -> None:
    """Wait until every socket has been told so many points."""
    for socket in sockets:
        while await available(socket) != points:
            pass
