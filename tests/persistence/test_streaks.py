"""Streaks in Redis are what PostgreSQL says, whatever is lost, doubled or late, and without Redis it answers itself."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest_asyncio
from redis import asyncio as aioredis

from domain.check_ins.activity import CheckInActivity
from persistence import clock, connection, streaks
from persistence.engine import Engine
from persistence.relay import Delivery, Happened, Relay, key, version_key
from persistence.streaks import Leader, StreakReader, Streaks
from tests.persistence import engines, relays, sign_ins
from tests.persistence.engines import Shop

DAYS: Final = 4


@dataclass
class Town:
    """A database and a Redis of their own, a clock that is some days back, and a relay that is told when to go."""

    url: str
    redis: Any
    own: asyncpg.Connection
    engine: Engine
    back: list[timedelta]
    relays: list[Relay] = field(default_factory=list)

    def relay(self, redis: Any = None, **told: Any) -> Relay:
        """Another relay, as another process would have it."""
        address = connection.parse_url(self.url)
        made = Relay(lambda: connection.connect(address), redis or self.redis, [Streaks()], **told)
        self.relays.append(made)
        return made

    async def run(self, made: Relay | None = None) -> None:
        """Build what Redis lacks, and deliver all there is."""
        made = made or self.relay()
        while await made.mend():
            pass
        while await made.step():
            pass

    def ago(self, days: int) -> date:
        """Set the engine's clock back by so many days; the local date then."""
        self.back[0] = timedelta(days=days)
        return sign_ins.yesterday(days)

    async def kept(self, page: CheckInActivity) -> dict[UUID, tuple[int, date]]:
        """What Redis has: length and last day by member."""
        lengths = await self.redis.zrange(key(page.program_id, "streak", page.id, "length"), 0, -1, withscores=True)
        lasts = await self.redis.zrange(key(page.program_id, "streak", page.id, "last"), 0, -1, withscores=True)
        assert sorted(member for member, _ in lengths) == sorted(member for member, _ in lasts)
        last = dict(lasts)
        return {UUID(member.decode()): (int(score), date.fromordinal(int(last[member]))) for member, score in lengths}

    async def true(self, page: CheckInActivity, days: int = 3) -> dict[UUID, tuple[int, date]]:
        """What PostgreSQL has of streaks that ended at most so many days ago."""
        found = await self.own.fetch(
            "SELECT member_id, length, last_day FROM streaks WHERE activity_id = $1 AND last_day >= $2",
            page.id,
            sign_ins.yesterday(days),
        )
        return {UUID(str(row["member_id"])): (row["length"], row["last_day"]) for row in found}


@pytest_asyncio.fixture
async def town(fresh_database_url: str, redis_url: str) -> AsyncIterator[Town]:
    """A database and a Redis that no other test has seen."""
    redis = aioredis.Redis.from_url(redis_url)
    await redis.flushdb()
    back = [timedelta(0)]
    now: Callable[[], datetime] = lambda: clock.now() - back[0]  # noqa: E731
    engine = engines.make(fresh_database_url, now=now)
    await engine.start()
    async with connection.open_database(fresh_database_url, pool_size=2):
        own = await connection.connect(connection.parse_url(fresh_database_url))
        made = Town(fresh_database_url, redis, own, engine, back)
        yield made
        for each in made.relays:
            await each.close()
        await own.close()
    await engine.stop()
    await redis.aclose()


async def furnish(town: Town) -> tuple[Shop, CheckInActivity, list[UUID]]:
    """Seven members: of the last days, the n-th signed the first n, but for the last, who signed the last two only."""
    town.ago(DAYS)
    shop = await engines.open_shop(town.engine)
    page = await sign_ins.open_page(shop)
    members = sorted([await shop.enroll() for _ in range(7)])
    for number in range(DAYS + 1):
        town.ago(DAYS - number)
        for place, member_id in enumerate(members[:6]):
            if number <= place:
                await shop.run(sign_ins.sign(member_id))
        if number >= DAYS - 1:
            await shop.run(sign_ins.sign(members[6]))
    return shop, page, members


async def test_the_sets_are_the_current_lengths_and_the_last_days(town: Town) -> None:
    shop, page, members = await furnish(town)
    await town.run()
    assert await town.kept(page) == await town.true(page)
    assert (await town.kept(page))[members[6]] == (2, sign_ins.today())
    # Who ended long ago is not kept: the first signed four days ago.
    assert members[0] not in await town.kept(page)
    town.ago(0)
    await shop.run(sign_ins.sign(members[3]))
    await town.run()
    assert (await town.kept(page))[members[3]] == (5, sign_ins.today())


async def test_a_day_made_up_heals_what_redis_says(town: Town) -> None:
    shop, page, members = await furnish(town)
    await town.run()
    assert (await town.kept(page))[members[2]] == (3, sign_ins.yesterday(2))
    await shop.run(engines.adjust(members[2], 100))
    await shop.run(sign_ins.make_up(members[2], sign_ins.yesterday(1)))
    await shop.run(sign_ins.sign(members[2]))
    await town.run()
    assert (await town.kept(page))[members[2]] == (5, sign_ins.today())


async def test_flushed_and_built_anew_the_sets_are_the_same(town: Town, monkeypatch: Any) -> None:
    monkeypatch.setattr(streaks, "CHUNK", 2)
    _, page, _ = await furnish(town)
    await town.run()
    before = await town.kept(page)
    assert len(before) == 6
    await town.redis.flushdb()
    assert await town.kept(page) == {}
    await town.run()
    assert await town.kept(page) == before
    # What does not belong there goes with building anew.
    place = key(page.program_id, "streak", page.id, "length")
    await town.redis.zadd(place, {str(UUID(int=1)): 99})
    counted: list[int] = []
    await town.relay().rebuild(page.program_id, lambda count: counted.append(count) is None)
    assert await town.kept(page) == before
    assert sum(counted) == await town.relay().count(page.program_id) == 12


async def test_a_delivery_that_comes_twice_late_or_out_of_order_changes_nothing(town: Town) -> None:
    shop, page, members = await furnish(town)
    await town.run()
    before = await town.kept(page)
    # What happened is delivered anew, the last first, as after a crash between Redis and PostgreSQL.
    records = await town.own.fetch("SELECT id FROM outbox WHERE name = 'CheckedIn' ORDER BY id DESC")
    relay = town.relay(delivery_max=3)
    for record in records:
        await town.own.execute("UPDATE outbox SET relayed_at = NULL WHERE id = $1", record["id"])
        assert await relay.step()
        assert await town.kept(page) == before
    # And all of it at once, in any order: what is told is how it stands.
    happened = tuple(Happened(record["id"], "CheckedIn", members[5], {}, clock.now()) for record in records)
    delivery = Delivery(shop.program_id, round(clock.now().timestamp() * 1_000_000), happened)
    for command in await Streaks().apply(town.own, delivery):
        await town.redis.execute_command(*command)
    assert await town.kept(page) == before


async def test_what_ended_some_days_ago_is_forgotten_with_the_next_delivery(town: Town) -> None:
    shop, page, members = await furnish(town)
    await town.run()
    stale = sign_ins.yesterday(9)
    place = key(page.program_id, "streak", page.id, "last")
    await town.redis.zadd(place, {str(members[1]): stale.toordinal()})
    await shop.run(sign_ins.sign(members[4]))
    await shop.run(sign_ins.sign(await shop.enroll()))
    await town.run()
    assert members[1] not in await town.kept(page)
    assert await town.redis.zscore(key(page.program_id, "streak", page.id, "length"), str(members[1])) is None


async def test_the_leaders_are_those_whose_streaks_go_on_the_longest_first(town: Town) -> None:
    shop, page, members = await furnish(town)
    await town.run()
    today = sign_ins.today()
    expected = [
        Leader(members[5], 5),
        Leader(members[4], 5),
        Leader(members[3], 4),
        Leader(members[6], 2),
    ]
    for redis in (town.redis, None, relays.away()):
        reader = StreakReader(redis)
        assert await reader.leaders(shop.program_id, page.id, today, 10) == expected
        assert await reader.leaders(shop.program_id, page.id, today, 2) == expected[:2]
        assert await reader.ending(shop.program_id, page.id, today) == 1
        assert await reader.ending(shop.program_id, page.id, today + timedelta(days=1)) == 3
    ranked = streaks.ranked(expected)
    assert [(one.rank, one.length) for one in ranked] == [(1, 5), (1, 5), (3, 4), (4, 2)]


async def test_sets_without_a_version_are_not_asked(town: Town) -> None:
    shop, page, _ = await furnish(town)
    await town.run()
    reader = StreakReader(town.redis)
    await town.redis.delete(key(page.program_id, "streak", page.id, "length"))
    assert await reader.leaders(shop.program_id, page.id, sign_ins.today(), 10) == []
    await town.redis.delete(version_key(shop.program_id, Streaks.name))
    assert len(await reader.leaders(shop.program_id, page.id, sign_ins.today(), 10)) == 4


async def test_past_a_thousand_broken_streaks_postgresql_is_asked(town: Town) -> None:
    shop, page, members = await furnish(town)
    await town.run()
    lengths, lasts = (key(page.program_id, "streak", page.id, part) for part in ("length", "last"))
    broken = {str(UUID(int=number)): 50 for number in range(1000)}
    await town.redis.zadd(lengths, broken)
    await town.redis.zadd(lasts, dict.fromkeys(broken, sign_ins.yesterday(2).toordinal()))
    found = await StreakReader(town.redis).leaders(shop.program_id, page.id, sign_ins.today(), 3)
    assert [leader.member_id for leader in found] == [members[5], members[4], members[3]]
