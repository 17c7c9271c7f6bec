"""Leaderboards come to what the facts say: after refunds, floods, rebuilds, and deliveries out of order and twice."""

import os
import random
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from redis import asyncio as aioredis

from domain.leaderboards.standing import OwnStanding, Ranked
from domain.members import Member
from persistence import clock
from persistence.engine import DISCONNECTED
from persistence.leaderboards import sorted_sets
from persistence.leaderboards.reading import Boards
from tests.persistence import engines, relays
from tests.persistence.boards import Arena, expected, standing
from tests.persistence.boards_life import Life, check, lead

# Events after which nothing is built anew: every delivery of them is told.
SQL_NOT_UPSETTING = "SELECT id FROM outbox WHERE name NOT IN ('LeaderboardSaved', 'ProgramUpdated')"
# A hundred thousand where there is time for it, as before a change is accepted.
EVENTS = int(os.environ.get("LEADERBOARD_EVENTS", "10000"))


async def test_the_order_of_a_board(arena: Arena) -> None:
    """B2: 1, 2, 2, 4; ties by who got there first."""
    board = await arena.board()
    members = [await arena.shop.enroll() for _ in range(5)]
    for member, yuan in zip(members, (300, 200, 200, 100, 0), strict=True):
        if yuan:
            await arena.shop.run(engines.buy(member, engines.key(), yuan * 100))
    await arena.settle()
    found = await arena.shown(await arena.which(board))
    assert [(each.rank, each.place, each.score, each.member_id) for each in found] == [
        (1, 1, 300, members[0]),
        (2, 2, 200, members[1]),
        (2, 3, 200, members[2]),
        (4, 4, 100, members[3]),
    ]


# What is counted is what the facts say.


async def test_b1_boards_are_what_the_facts_say_after_random_events_with_refunds(arena: Arena) -> None:
    life, made = await lead(arena, EVENTS, members=max(60, EVENTS // 100))
    assert min(life.told.values()) > EVENTS // 50
    assert await check(arena, made) > 200
    # Nothing is left of what was refunded in full, and ties there are many.
    found = await arena.shown(await arena.which(made[-2]))
    assert len({each.rank for each in found}) < len(found)


async def test_b1_after_a_flush_and_a_rebuild(arena: Arena) -> None:
    _, made = await lead(arena, 600)
    before = await check(arena, made)
    await arena.redis.flushdb()
    assert (await arena.boards.top(await arena.which(made[0]), 10)).origin.store == "POSTGRESQL"
    # The relay heals it by itself; and so does whoever asks for it, also of standings that are lost or wrong.
    await arena.settle()
    assert await check(arena, made) == before
    await arena.own.execute("DELETE FROM standings WHERE score % 2 = 0")
    await arena.own.execute("UPDATE standings SET score = score + 1")
    await arena.redis.flushdb()
    assert await arena.relay.rebuild(arena.shop.program_id, lambda _: True, from_facts=True)
    assert await check(arena, made) == before


async def test_b1_after_deliveries_out_of_order_and_twice(arena: Arena) -> None:
    _, made = await lead(arena, 300)
    chance = random.Random(3)
    small = arena.another(delivery_max=7)
    for _ in range(3):
        await Life(chance.randint(0, 99), [each.id for each in await _members(arena)]).lead(arena.shop, 100)
        ids = [row["id"] for row in await arena.own.fetch(SQL_NOT_UPSETTING)]
        hidden = chance.sample(ids, len(ids) // 2)
        # Half of all is not to be seen yet, what was delivered long ago comes once more; then the rest.
        await arena.own.execute("UPDATE outbox SET relayed_at = now() WHERE id = ANY($1::uuid[])", hidden)
        while await small.step():
            pass
        await arena.own.execute("UPDATE outbox SET relayed_at = NULL WHERE id = ANY($1::uuid[])", hidden)
        while await small.step():
            pass
        await check(arena, made)


async def test_b1_while_a_relay_is_killed_again_and_again(arena: Arena) -> None:
    _, made = await lead(arena, 100)

    async def kill() -> None:
        for each in arena.relays[1:]:
            if each._own is not None:
                each._own.terminate()

    killed = 0
    for number in range(6):
        await Life(number, [each.id for each in await _members(arena)]).lead(arena.shop, 40)
        # What was told and never committed is built anew; then the next is told again.
        await arena.relay.mend()
        when = {"after" if number % 2 else "before": kill}
        try:
            await arena.another(relays.Stumbling(arena.redis, **when), delivery_max=11).step()
        except DISCONNECTED:
            killed += 1
    assert killed == 6
    await arena.settle()
    await check(arena, made)


async def _members(arena: Arena) -> list[Member]:
    return await engines.rows(arena.own, Member, arena.shop.program_id)


# Where one stands.


async def test_b2_around_a_member_and_its_own_standing_are_the_same_from_both_stores(arena: Arena) -> None:
    """Also among those who stand level, for everybody, and at both ends."""
    _, made = await lead(arena, 800, members=50)
    stranger = await arena.shop.enroll()
    for board in (made[0], made[6]):
        period = await arena.which(replace(board, size=9))
        whole = await arena.shown(period)
        assert len(whole) > 20
        for each in whole:
            for count in (0, 2, 60):
                first = max(0, each.place - 1 - count)
                around = [await store.around(period, each.member_id, count) for store in (arena.boards, arena.fallback)]
                assert around[0].standings == around[1].standings == whole[first : each.place + count]
        own = {None: [await standing(store, period, stranger) for store in (arena.boards, arena.fallback)]}
        own |= {
            each.member_id: [await standing(store, period, each.member_id) for store in (arena.boards, arena.fallback)]
            for each in whole
        }
        for member_id, (one, other) in own.items():
            assert one == other
            _check_own(one, whole, member_id)
        assert (await arena.boards.around(period, stranger, 3)).standings == []
        assert (await arena.fallback.around(period, stranger, 3)).standings == []


def _check_own(own: OwnStanding, whole: list[Ranked], member_id: UUID) -> None:
    mine = next((each for each in whole if each.member_id == member_id), None)
    score = 0 if mine is None else mine.score
    assert (own.rank, own.place, own.score) == (mine and mine.rank, mine and mine.place, score)
    higher = [each.score for each in whole if each.score > score]
    assert own.gap_to_next == (min(higher) - score if higher else None)
    is_shown = mine is not None and mine.place <= 9
    assert own.gap_to_enter == (None if is_shown else whole[8].score - score + 1)


async def test_without_redis_postgresql_answers_and_says_so(arena: Arena) -> None:
    _, made = await lead(arena, 100, members=10)
    period = await arena.which(made[3])
    away = Boards(relays.away())
    found = await away.top(period, 5)
    assert found.origin.store == "POSTGRESQL"
    assert found.standings == (await arena.boards.top(period, 5)).standings
    # Events go on being counted meanwhile.
    without = arena.another(relays.away())
    before = found.origin.as_of
    await Life(5, [each.id for each in await _members(arena)]).lead(arena.shop, 50)
    while await without.step():
        pass
    found = await away.top(period, 1000)
    assert found.origin.as_of > before
    books = await engines.books(arena.own, arena.shop.program_id)
    assert found.standings == expected(books, made[3], period.period)


async def test_an_empty_board_has_nobody_and_one_point_is_missing(arena: Arena) -> None:
    board = await arena.board()
    member = await arena.shop.enroll()
    await arena.settle()
    period = await arena.which(board)
    for store in (arena.boards, arena.fallback):
        assert (await store.top(period, 10)).standings == []
        own = await standing(store, period, member)
        assert (own.rank, own.place, own.score, own.gap_to_next, own.gap_to_enter) == (None, None, 0, None, 1)


async def test_scores_up_to_the_largest_are_exact_in_redis(redis_url: str) -> None:
    """Whole numbers up to 2^53 are exact in a double; the order among equals is that of time, then id."""
    redis = aioredis.Redis.from_url(redis_url)
    program, board, now = UUID(int=1), UUID(int=2), clock.now()
    rows = [
        (board, now, UUID(int=number), score, now + timedelta(microseconds=late))
        for number, (score, late) in enumerate(((2**53 - 1, 5), (2**53 - 2, 0), (2**53 - 1, 4), (1, 9), (1, 9)), 1)
    ]
    for command in sorted_sets.adding(program, rows):
        await redis.execute_command(*command)
    found = await redis.zrange(sorted_sets.place(program, board, now), 0, -1, withscores=True)
    read = [sorted_sets.standing(member, score) for member, score in found]
    assert [(each.member_id.int, each.score) for each in read] == [
        (3, 2**53 - 1),
        (1, 2**53 - 1),
        (2, 2**53 - 2),
        (4, 1),
        (5, 1),
    ]
    assert read == sorted(read, key=lambda each: each.order)
    await redis.flushdb()
    await redis.aclose()
