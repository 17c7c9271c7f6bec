"""Leaderboards over the wire: boards, places, one's own standing, and who may see whose name."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import pytest
import pytest_asyncio
from redis import asyncio as aioredis

from api import relaying
from api.worker import Worker
from persistence import clock, connection
from tests.api import statements
from tests.api.shops import Shop, World, global_id, key

pytestmark = pytest.mark.asyncio

PLACE = "rank place score name isMe member { externalId } prize { kind points }"
TOP = f"top(first: 10) {{ store standings {{ {PLACE} }} }}"
OWN = "score rank place gapToNext gapToEnter isVisible isExcluded"
Count = Callable[[Shop], Awaitable[None]]


@pytest_asyncio.fixture
async def count(database_url: str, redis_url: str) -> AsyncIterator[Count]:
    """Count for a shop all that happened so far."""
    async with counting(database_url, redis_url) as whole:
        yield whole


@contextlib.asynccontextmanager
async def counting(database_url: str, redis_url: str) -> AsyncIterator[Count]:
    """What counts for shops of a database."""
    redis = aioredis.Redis.from_url(redis_url)
    relay = relaying.make(connection.parse_url(database_url), redis)

    async def whole(shop: Shop) -> None:
        assert await relay.rebuild(shop.program_id, lambda _: True, from_facts=True)

    yield whole
    await relay.close()
    await redis.aclose()


async def make(shop: Shop, **told: Any) -> str:
    """A board; its id."""
    given = {"code": "best", "name": "Best", "metric": "POINTS_EARNED", "window": "MONTH"} | told
    return str((await shop.do("leaderboardCreate", "leaderboard { id }", **given))["leaderboard"]["id"])


async def ask(shop: Shop, selection: str, token: str | None = None, code: str = "best") -> Any:
    """The period of a board that runs."""
    document = f'query {{ leaderboard(code: "{code}") {{ period {{ {selection} }} }} }}'
    return (await shop.ask(document, token))["leaderboard"]["period"]


async def members(shop: Shop, *names: tuple[str, int]) -> list[str]:
    """Members with names, who bought for so many yuan."""
    found = []
    for number, (name, yuan) in enumerate(names):
        member = await shop.enroll(f"m-{number}", name=name)
        if yuan:
            await shop.buy(member, str(yuan))
        found.append(member)
    return found


async def test_a_board_is_made_edited_and_found(shop: Shop) -> None:
    tier = (await shop.do("tierCreate", "tier { id }", name="Gold", rank=1, threshold=10))["tier"]["id"]
    prizes = [{"first": 1, "last": 3, "prize": {"kind": "POINTS", "points": 100}}]
    selection = """leaderboard { id code name metric window scope tier { name } store { id } segment { id } startsAt
        endsAt size settleMinutes masksNames isActive prizes { first last prize { kind points } } }"""
    given = {"code": "gold", "name": "Gold", "metric": "SPEND", "window": "WEEK", "scope": "TIER", "tierId": tier}
    made = (await shop.do("leaderboardCreate", selection, **given, size=20, prizes=prizes))["leaderboard"]
    assert made | {"id": None} == {
        "id": None,
        "code": "gold",
        "name": "Gold",
        "metric": "SPEND",
        "window": "WEEK",
        "scope": "TIER",
        "tier": {"name": "Gold"},
        "store": None,
        "segment": None,
        "startsAt": None,
        "endsAt": None,
        "size": 20,
        "settleMinutes": 60,
        "masksNames": True,
        "isActive": True,
        "prizes": prizes,
    }
    told = {"leaderboardId": made["id"], "size": 5, "prizes": [], "isActive": False}
    edited = (await shop.do("leaderboardUpdate", selection, **told))["leaderboard"]
    assert edited == made | {"size": 5, "prizes": [], "isActive": False}
    nodes = "{ nodes { code } }"
    found = await shop.ask(f"{{ all: leaderboards {nodes} active: leaderboards(isActive: true) {nodes} }}")
    assert found == {"all": {"nodes": [{"code": "gold"}]}, "active": {"nodes": []}}
    assert (await shop.ask('{ leaderboard(code: "none") { id } }'))["leaderboard"] is None


PLACE: Final = {"first": 1, "last": 1, "prize": {"kind": "POINTS", "points": 1}}


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        ({"window": "CAMPAIGN"}, "LEADERBOARD_INVALID", ["startsAt"]),
        ({"scope": "STORE"}, "LEADERBOARD_INVALID", ["storeId"]),
        ({"scope": "STORE", "storeId": global_id("Store")}, "NOT_FOUND", None),
        ({"scope": "STORE", "storeId": "x"}, "NOT_FOUND", ["storeId"]),
        ({"size": 0}, "NUMBER_INVALID", ["size"]),
        ({"prizes": [PLACE | {"prize": {"kind": "ITEM"}}]}, "PRIZE_INVALID", ["prizes", "0", "prize", "rewardId"]),
        ({"prizes": [PLACE | {"prize": {"kind": "POINTS"}}]}, "POINTS_INVALID", ["prizes", "0", "prize", "points"]),
        (
            {"prizes": [PLACE, PLACE | {"prize": {"kind": "VOUCHER", "poolId": "x"}}]},
            "NOT_FOUND",
            ["prizes", "1", "prize", "poolId"],
        ),
        # By the place in the input, whatever the order of the ranges.
        ({"prizes": [PLACE | {"first": 5, "last": 2}, PLACE]}, "NUMBER_INVALID", ["prizes", "0", "last"]),
        ({"prizes": [PLACE, PLACE]}, "LEADERBOARD_INVALID", ["prizes", "1", "first"]),
        ({"code": "taken"}, "LEADERBOARD_CODE_TAKEN", ["code"]),
    ],
)
async def test_impossible_boards_are_refused(
    shop: Shop, told: dict[str, Any], code: str, field: list[str] | None
) -> None:
    """And nothing is made."""
    await make(shop, code="taken")
    given = {"code": "best", "name": "Best", "metric": "POINTS_EARNED", "window": "DAY"}
    refused = await shop.refused("leaderboardCreate", **(given | told))
    assert (refused["code"], refused["field"]) == (code, field)
    assert len((await shop.ask("{ leaderboards { nodes { id } } }"))["leaderboards"]["nodes"]) == 1


async def test_the_top_with_ranks_prizes_and_names(world_with_redis: World, count: Count) -> None:
    shop = await world_with_redis.open_shop()
    _, second, _ = await members(shop, ("李雷", 300), ("Ann", 200), ("Bob", 200))
    prizes = [{"first": 2, "last": 2, "prize": {"kind": "POINTS", "points": 9}}]
    await make(shop, prizes=prizes)
    await count(shop)
    found = (await ask(shop, TOP))["top"]
    assert found["store"] == "REDIS"
    prize = {"kind": "POINTS", "points": 9}
    assert found["standings"] == [
        _place(1, 1, 300, "李雷", "m-0"),
        _place(2, 2, 200, "Ann", "m-1", prize=prize),
        _place(2, 3, 200, "Bob", "m-2"),
    ]
    # A member sees masks, and itself; a storefront masks alone.
    mine = (await ask(shop, TOP, shop.member_token(second)))["top"]["standings"]
    assert mine == [
        _place(1, 1, 300, "李*", None),
        _place(2, 2, 200, "Ann", "m-1", prize=prize, is_me=True),
        _place(2, 3, 200, "B*", None),
    ]
    public = (await ask(shop, "top { standings { name member { externalId } } }", shop.publishable))["top"]
    assert [each["name"] for each in public["standings"]] == ["李*", "A*", "B*"]
    assert {each["member"] for each in public["standings"]} == {None}


def _place(
    rank: int, place: int, score: int, name: str, external_id: str | None, *, prize: Any = None, is_me: bool = False
) -> dict[str, Any]:
    member = None if external_id is None else {"externalId": external_id}
    told = {"rank": rank, "place": place, "score": score, "name": name}
    return told | {"member": member, "prize": prize, "isMe": is_me}


async def test_who_opts_out_keeps_its_place_without_a_name(world_with_redis: World, count: Count) -> None:
    shop = await world_with_redis.open_shop()
    one, other = await members(shop, ("Ann", 200), ("Bob", 100))
    await make(shop, masksNames=False)
    token = shop.member_token(one)
    payload = await shop.do("leaderboardVisibilitySet", "member { externalId }", token, isVisible=False)
    assert payload["member"] == {"externalId": "m-0"}
    await count(shop)
    seen = await ask(shop, "top { standings { rank name } }", shop.member_token(other))
    assert seen["top"]["standings"] == [{"rank": 1, "name": None}, {"rank": 2, "name": "Bob"}]
    own = await ask(shop, f"standing {{ {OWN} }} top {{ standings {{ name }} }}", token)
    assert (own["standing"]["isVisible"], own["standing"]["rank"]) == (False, 1)
    assert own["top"]["standings"][0]["name"] == "Ann"


async def test_where_a_member_stands_and_who_is_around_it(world_with_redis: World, count: Count) -> None:
    shop = await world_with_redis.open_shop()
    names = [(f"{number}", 100 * (5 - number)) for number in range(5)]
    found = await members(shop, *names, ("nobody", 0))
    await make(shop, size=2)
    await count(shop)
    asked = f"standing {{ {OWN} }} around(count: 1) {{ standings {{ rank score isMe }} }}"
    third = await ask(shop, asked, shop.member_token(found[2]))
    assert third["standing"] == {
        "score": 300,
        "rank": 3,
        "place": 3,
        "gapToNext": 100,
        "gapToEnter": 101,
        "isVisible": True,
        "isExcluded": False,
    }
    around = [(each["rank"], each["score"], each["isMe"]) for each in third["around"]["standings"]]
    assert around == [(2, 400, False), (3, 300, True), (4, 200, False)]
    unranked = await ask(shop, asked, shop.member_token(found[5]))
    assert unranked["around"]["standings"] == []
    assert unranked["standing"] == {
        "score": 0,
        "rank": None,
        "place": None,
        "gapToNext": 100,
        "gapToEnter": 401,
        "isVisible": True,
        "isExcluded": False,
    }
    # The shop names whom it means; a member means itself, and nobody else.
    named = await ask(shop, 'standing(member: {externalId: "m-4"}) { rank }')
    assert named["standing"] == {"rank": 5}
    assert (await ask(shop, "standing { rank } around { store }")) == {"standing": None, "around": None}
    other = (
        f'query {{ leaderboard(code: "best") {{ period {{ standing(member: {{id: "{found[0]}"}}) {{ rank }} }} }} }}'
    )
    assert await shop.error(other, shop.member_token(found[1])) == "FORBIDDEN"
    for wrong in ("top(first: 101) { store }", "around(count: 51) { store }"):
        assert await shop.error(f'query {{ leaderboard(code: "best") {{ period {{ {wrong} }} }} }}') == "BAD_USER_INPUT"


async def test_whom_the_shop_excludes_is_on_no_board(world_with_redis: World, count: Count) -> None:
    shop = await world_with_redis.open_shop()
    one, _ = await members(shop, ("Ann", 200), ("Bob", 100))
    await make(shop)
    told = {"member": {"id": one}, "isExcluded": True}
    assert (await shop.refused("leaderboardExclusionSet", **told, reason=" "))["code"] == "TEXT_INVALID"
    await shop.do("leaderboardExclusionSet", "member { id }", **told, reason="buys from itself")
    await count(shop)
    found = await ask(shop, f'top {{ standings {{ rank name }} }} standing(member: {{id: "{one}"}}) {{ {OWN} }}')
    assert found["top"]["standings"] == [{"rank": 1, "name": "Bob"}]
    assert (found["standing"]["rank"], found["standing"]["isExcluded"]) == (None, True)


async def test_without_redis_postgresql_answers_and_says_so(shop: Shop, count: Count) -> None:
    await members(shop, ("Ann", 200))
    await make(shop)
    await count(shop)
    found = await ask(shop, 'top { store standings { score } } standing(member: {externalId: "m-0"}) { rank store }')
    assert found == {
        "top": {"store": "POSTGRESQL", "standings": [{"score": 200}]},
        "standing": {"rank": 1, "store": "POSTGRESQL"},
    }


async def test_periods_that_are_over(world_alone: World, fresh_database_url: str, redis_url: str) -> None:
    """One settles, then it is closed, its places stay, and its prizes are paid."""
    shop, world = await world_alone.open_shop(), world_alone
    member, _ = await members(shop, ("Ann", 200), ("Bob", 100))
    prizes = [{"first": 1, "last": 1, "prize": {"kind": "POINTS", "points": 77}}]
    await make(shop, window="DAY", prizes=prizes)
    async with counting(fresh_database_url, redis_url) as count:
        await count(shop)
    state = 'query ($at: DateTime!) { leaderboard(code: "best") { period(at: $at) { state startsAt closedAt } } }'
    at = clock.now().isoformat()
    running = (await shop.ask(state, at=at))["leaderboard"]["period"]
    assert (running["state"], running["closedAt"]) == ("RUNNING", None)
    try:
        world.clock.ahead = timedelta(days=1)
        while (await shop.ask(state, at=at))["leaderboard"]["period"]["state"] == "RUNNING":
            world.clock.ahead += timedelta(minutes=10)
        assert (await shop.ask(state, at=at))["leaderboard"]["period"]["state"] == "SETTLING"
        world.clock.ahead += timedelta(hours=2)
        address = connection.parse_url(fresh_database_url)
        worker = Worker(world.backend.engine, lambda: connection.connect(address), now=world.clock)
        await worker.run_until_idle()
        world.clock.ahead += timedelta(seconds=5)
        await worker.run_until_idle()
        await worker.close()
        closed = (await shop.ask(state, at=at))["leaderboard"]["period"]
        assert (closed["state"], closed["startsAt"]) == ("CLOSED", running["startsAt"])
        # What the board promises from now on is nothing that was won.
        board = (await shop.ask('{ leaderboard(code: "best") { id } }'))["leaderboard"]["id"]
        await shop.do("leaderboardUpdate", "leaderboard { id }", leaderboardId=board, prizes=[])
        document = f"""{{ leaderboard(code: "best") {{ periods(first: 1) {{ nodes {{ state {TOP}
            around(member: {{id: "{member}"}}) {{ standings {{ prize {{ points }} }} }}
            awards {{ nodes {{ member {{ externalId }} state refused paidAt prize {{ points }} }} }} }} }} }} }}"""
        (period,) = (await shop.ask(document))["leaderboard"]["periods"]["nodes"]
        assert [each["score"] for each in period["top"]["standings"]] == [200, 100]
        assert period["top"]["store"] == "POSTGRESQL"
        assert [each["prize"] for each in period["around"]["standings"]] == [{"points": 77}, None]
        (award,) = period["awards"]["nodes"]
        assert award["member"] == {"externalId": "m-0"}
        assert (award["state"], award["refused"], award["prize"]["points"]) == ("PAID", None, 77)
        assert (await shop.account(member))["available"] == 277
        early = (await shop.ask(state, at="2020-01-01T00:00:00Z"))["leaderboard"]["period"]
        assert early is None
    finally:
        world.clock.ahead = timedelta(0)


async def test_names_of_many_places_are_read_together(
    shop: Shop, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = f'{{ leaderboard(code: "best") {{ period {{ {TOP} }} }} }}'
    await make(shop)
    seen = {}
    for many in (2, 9):
        for _ in range(many):
            await shop.buy(await shop.enroll(key(), name="Ann"), "10")
        await count(shop)
        await shop.ask(document)
        with statements.counted(monkeypatch) as asked:
            await shop.ask(document)
        seen[many] = len(asked)
    assert seen[2] == seen[9], seen


async def test_boards_of_another_program_are_not_seen(world: World, shop: Shop) -> None:
    board = await make(shop)
    other = await world.open_shop()
    assert (await other.ask('{ leaderboard(code: "best") { id } }'))["leaderboard"] is None
    assert (await other.ask("query ($id: ID!) { node(id: $id) { id } }", id=board))["node"] is None
    assert (await other.refused("leaderboardUpdate", leaderboardId=board, size=5))["code"] == "NOT_FOUND"
