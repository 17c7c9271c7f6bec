"""Leaderboards come to what the facts say: after refunds, floods, rebuilds, and deliveries out of order and twice."""

import os
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest_asyncio
from redis import asyncio as aioredis
from tortoise import Tortoise

from domain.campaigns import EditRules
from domain.enrollments import EnrollMember
from domain.leaderboards import board as boards
from domain.leaderboards.board import BoardMetric, BoardScope, BoardWindow, Leaderboard, LeaderboardClock
from domain.leaderboards.participation import ExcludeFromLeaderboards
from domain.leaderboards.standing import OwnStanding, Ranked
from domain.members import Member, Profile
from domain.points.commands import TransferPoints
from domain.policies import PendingKind, PendingPolicy
from domain.profiles import UpdateMember
from domain.programs import ProgramSettings, UpdateProgram
from domain.segments import Criteria, SaveSegment
from domain.stores import CreateStore
from domain.tiers.tier import CreateTier
from persistence import clock, connection
from persistence.engine import DISCONNECTED
from persistence.leaderboards import sorted_sets
from persistence.leaderboards.reading import Boards, Which
from tests.persistence import boards_life, engines, relays
from tests.persistence.boards import Arena, expected
from tests.persistence.boards_life import Life

# Events after which nothing is built anew: every delivery of them is told.
SQL_NOT_UPSETTING = "SELECT id FROM outbox WHERE name NOT IN ('LeaderboardSaved', 'ProgramUpdated')"
ZONE = "Asia/Shanghai"
EVENTS = int(os.environ.get("LEADERBOARD_EVENTS", "3000"))


@pytest_asyncio.fixture
async def arena(fresh_database_url: str, redis_url: str) -> AsyncIterator[Arena]:
    """A shop on a database and a Redis that no other test has seen."""
    redis = aioredis.Redis.from_url(redis_url)
    await redis.flushdb()
    own = await connection.connect(connection.parse_url(fresh_database_url))
    engine = engines.make(fresh_database_url)
    await engine.start()
    async with connection.open_database(fresh_database_url, pool_size=4):
        shop = await engines.open_shop(engine)
        made = Arena(fresh_database_url, redis, own, engine, shop)
        yield made
        for each in made.relays:
            await each.close()
        await engine.stop()
        await own.close()
        await redis.aclose()
        await Tortoise.close_connections()


async def which(arena: Arena, board: Leaderboard) -> Which:
    """The period that is running."""
    found = await engines.stored(arena.own, LeaderboardClock, board.id)
    assert isinstance(found, LeaderboardClock)
    *_, period = boards.open_periods(board, found, clock.now(), ZONE)
    return Which(board, period)


async def test_the_order_of_a_board(arena: Arena) -> None:
    """B2: 1, 2, 2, 4; ties by who got there first."""
    board = await arena.board()
    members = [await arena.shop.enroll() for _ in range(5)]
    for member, yuan in zip(members, (300, 200, 200, 100, 0), strict=True):
        if yuan:
            await arena.shop.run(engines.buy(member, engines.key(), yuan * 100))
    await arena.settle()
    found = await arena.shown(await which(arena, board))
    assert [(each.rank, each.place, each.score, each.member_id) for each in found] == [
        (1, 1, 300, members[0]),
        (2, 2, 200, members[1]),
        (2, 3, 200, members[2]),
        (4, 4, 100, members[3]),
    ]


# What is counted is what the facts say.


WINDOWS = (
    (BoardMetric.POINTS_EARNED, BoardWindow.DAY),
    (BoardMetric.POINTS_EARNED, BoardWindow.WEEK),
    (BoardMetric.POINTS_EARNED, BoardWindow.MONTH),
    (BoardMetric.POINTS_EARNED, BoardWindow.ALL_TIME),
    (BoardMetric.SPEND, BoardWindow.WEEK),
    (BoardMetric.SPEND, BoardWindow.ALL_TIME),
    (BoardMetric.PURCHASES, BoardWindow.MONTH),
)


async def open_boards(arena: Arena) -> list[Leaderboard]:
    made = [await arena.board(window, metric=metric) for metric, window in WINDOWS]
    now = clock.now()
    made.append(
        await arena.board(BoardWindow.CAMPAIGN, starts_at=now - timedelta(days=20), ends_at=now + timedelta(days=1))
    )
    return made


async def check(arena: Arena, made: list[Leaderboard], *, without: tuple[UUID, ...] = ()) -> int:
    """Every board, in both stores, is what plain arithmetic comes to. How many standings there are."""
    books = await engines.books(arena.own, arena.shop.program_id)
    count = 0
    for board in made:
        period = await which(arena, board)
        found = await arena.shown(period)
        assert found == expected(books, board, period.period, without=without), (board.metric, board.window)
        count += len(found)
    return count


async def lead(arena: Arena, count: int, *, members: int = 60, seed: int = 7) -> tuple[Life, list[Leaderboard]]:
    await arena.shop.run(EditRules(rules=boards_life.RULES))
    life = Life(seed, await boards_life.enroll(arena.shop, members))
    made = await open_boards(arena)
    await arena.settle()
    await life.lead(arena.shop, count)
    await arena.settle()
    return life, made


async def test_b1_boards_are_what_the_facts_say_after_random_events_with_refunds(arena: Arena) -> None:
    life, made = await lead(arena, EVENTS, members=max(60, EVENTS // 100))
    assert min(life.told.values()) > EVENTS // 50
    assert await check(arena, made) > 200
    # Nothing is left of what was refunded in full, and ties there are many.
    found = await arena.shown(await which(arena, made[-2]))
    assert len({each.rank for each in found}) < len(found)


async def test_b1_after_a_flush_and_a_rebuild(arena: Arena) -> None:
    _, made = await lead(arena, 600)
    before = await check(arena, made)
    await arena.redis.flushdb()
    assert (await arena.boards.top(await which(arena, made[0]), 10)).origin.store == "POSTGRESQL"
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


# Pending points, exclusion, scopes.


async def test_l3_pending_points_rank_once_they_are_available_in_that_window(arena: Arena) -> None:
    later = PendingPolicy(PendingKind.ON_EVENT)
    await arena.shop.run(UpdateProgram(settings=ProgramSettings(pending=later)))
    day, ever = await arena.board(BoardWindow.DAY), await arena.board()
    member = await arena.shop.enroll()
    bought = engines.buy(member, "o-1")
    at = clock.now() - timedelta(days=3)
    purchase = (await arena.shop.run(replace(bought, occurred_at=at))).purchase
    await arena.settle()
    assert await arena.shown(await which(arena, ever)) == []
    await arena.shop.run(engines.confirm(purchase.id))
    await arena.settle()
    for board in (day, ever):
        (found,) = await arena.shown(await which(arena, board))
        assert (found.score, found.reached_at > at + timedelta(days=2)) == (100, True)


async def test_b1_adjustments_and_transfers_count_for_nobody(arena: Arena) -> None:
    board = await arena.board()
    one, other = await arena.shop.enroll(), await arena.shop.enroll()
    await arena.shop.run(engines.adjust(one, 500))
    await arena.shop.run(TransferPoints(sender=engines.ref(one), recipient=engines.ref(other), points=100))
    await arena.settle()
    assert await arena.shown(await which(arena, board)) == []


async def test_l8_what_a_clawback_cannot_take_counts_no_more_and_its_debt_only_once(arena: Arena) -> None:
    board = await arena.board()
    member = await arena.shop.enroll()
    purchase = (await arena.shop.run(engines.buy(member, "o-1"))).purchase
    await arena.shop.run(engines.adjust(member, -80))
    await arena.shop.run(engines.refund(purchase.id))
    await arena.settle()
    assert await arena.shown(await which(arena, board)) == []
    await arena.shop.run(engines.buy(member, "o-2"))
    await arena.settle()
    (found,) = await arena.shown(await which(arena, board))
    assert found.score == 100


async def test_b3_whoever_is_excluded_leaves_every_board_and_comes_back(arena: Arena) -> None:
    life, made = await lead(arena, 200, members=20)
    out = (await arena.shown(await which(arena, made[3])))[0].member_id
    await arena.shop.run(ExcludeFromLeaderboards(member=engines.ref(out), is_excluded=True, reason="test"))
    await arena.settle()
    await check(arena, made, without=(out,))
    await life.lead(arena.shop, 100)
    await arena.settle()
    await check(arena, made, without=(out,))
    await arena.shop.run(ExcludeFromLeaderboards(member=engines.ref(out), is_excluded=False, reason="test"))
    await arena.settle()
    await check(arena, made)


async def test_boards_of_a_store_a_tier_and_a_segment(arena: Arena) -> None:
    shop = arena.shop
    store = await shop.run(CreateStore(code="s", name="River"))
    tier = await shop.run(CreateTier(name="Gold", rank=1, threshold=300))
    segment = await shop.run(SaveSegment(code="vip", name="VIP", criteria=Criteria(tags=("vip",))))
    of_store, plain, tagged = [
        (await shop.run(EnrollMember(profile=Profile(external_id=engines.key(), **profile), **told))).member.id
        for profile, told in (({}, {"store_id": store.id}), ({}, {}), ({"tags": ("vip",)}, {}))
    ]
    made = [
        await arena.board(scope=BoardScope.STORE, store_id=store.id),
        await arena.board(scope=BoardScope.TIER, tier_id=tier.id),
        await arena.board(scope=BoardScope.SEGMENT, segment_id=segment.id),
    ]
    for member, yuan in ((of_store, 10), (plain, 300), (tagged, 20)):
        await shop.run(engines.buy(member, engines.key(), yuan * 100))
    await arena.settle()
    found = [[each.member_id for each in await arena.shown(await which(arena, board))] for board in made]
    assert found == [[of_store], [plain], [tagged]]
    # Who moves into a segment, or whose segment is edited, is counted from then on.
    await shop.run(UpdateMember(member=engines.ref(of_store), profile=Profile(tags=("vip",))))
    await arena.settle()
    assert [each.member_id for each in await arena.shown(await which(arena, made[2]))] == [tagged, of_store]
    await shop.run(SaveSegment(code="vip", name="VIP", criteria=Criteria(without_tags=("vip",))))
    await arena.settle()
    assert [each.member_id for each in await arena.shown(await which(arena, made[2]))] == [plain]


async def test_a_board_counts_what_happened_before_it_was_made(arena: Arena) -> None:
    member = await arena.shop.enroll()
    await arena.shop.run(engines.buy(member, engines.key()))
    await arena.settle()
    board = await arena.board(BoardWindow.MONTH)
    await arena.settle()
    assert [each.score for each in await arena.shown(await which(arena, board))] == [100]


# Where one stands.


async def test_b2_around_a_member_and_its_own_standing_are_the_same_from_both_stores(arena: Arena) -> None:
    """Also among those who stand level, for everybody, and at both ends."""
    _, made = await lead(arena, 800, members=50)
    stranger = await arena.shop.enroll()
    for board in (made[0], made[6]):
        period = await which(arena, replace(board, size=9))
        whole = await arena.shown(period)
        assert len(whole) > 20
        for each in whole:
            for count in (0, 2, 60):
                first = max(0, each.place - 1 - count)
                around = [await store.around(period, each.member_id, count) for store in (arena.boards, arena.fallback)]
                assert around[0].standings == around[1].standings == whole[first : each.place + count]
        own = {None: [await store.own(period, stranger) for store in (arena.boards, arena.fallback)]}
        own |= {
            each.member_id: [await store.own(period, each.member_id) for store in (arena.boards, arena.fallback)]
            for each in whole
        }
        for member_id, (one, other) in own.items():
            assert one.standing == other.standing
            _check_own(one.standing, whole, member_id)
        assert (await arena.boards.around(period, stranger, 3)).standings == []
        assert (await arena.fallback.around(period, stranger, 3)).standings == []


def _check_own(own: OwnStanding, whole: list[Ranked], member_id: UUID | None) -> None:
    mine = next((each for each in whole if each.member_id == member_id), None)
    score = 0 if mine is None else mine.score
    assert (own.rank, own.place, own.score) == (mine and mine.rank, mine and mine.place, score)
    higher = [each.score for each in whole if each.score > score]
    assert own.gap_to_next == (min(higher) - score if higher else None)
    is_shown = mine is not None and mine.place <= 9
    assert own.gap_to_enter == (None if is_shown else whole[8].score - score + 1)


async def test_without_redis_postgresql_answers_and_says_so(arena: Arena) -> None:
    _, made = await lead(arena, 100, members=10)
    period = await which(arena, made[3])
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
    period = await which(arena, board)
    for store in (arena.boards, arena.fallback):
        assert (await store.top(period, 10)).standings == []
        own = (await store.own(period, member)).standing
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
