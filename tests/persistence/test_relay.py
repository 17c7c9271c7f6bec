"""The relay: each event is counted, whoever was killed half way, and Redis has all of it or is known not to."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

import pytest
import pytest_asyncio

from persistence import relay
from persistence.relay import REDIS_AWAY, Overtaken
from tests.persistence import engines, relays
from tests.persistence.relays import Town

# The program's founding; an enrollment and a correction of each of three members.
EVENTS: Final = 7


@pytest_asyncio.fixture
async def town(fresh_database_url: str, redis_url: str) -> AsyncIterator[Town]:
    """A database and a Redis that no other test has seen."""
    async with relays.stage(fresh_database_url, redis_url) as stage:
        made = Town(fresh_database_url, *stage)
        yield made
        for each in made.relays:
            await each.close()


async def _shop(town: Town, members: int = 3) -> tuple[engines.Shop, list[UUID]]:
    shop = await engines.open_shop(town.engine)
    return shop, [await shop.member_with(100 + number) for number in range(members)]


async def test_what_happened_is_delivered_once_in_bounded_parts(town: Town) -> None:
    shop, _ = await _shop(town)
    made = town.relay(delivery_max=2)
    await made.mend()
    assert await town.waiting() == EVENTS
    assert await town.run(made) == EVENTS
    assert [len(names) for names in town.balances.counted] == [2, 2, 2, 1]
    assert await town.waiting() == 0
    assert await town.kept(shop.program_id) == await town.true(shop.program_id)
    assert await town.run(made) == 0


async def test_an_event_that_becomes_visible_late_is_delivered(town: Town) -> None:
    """Its id is smaller than that of events delivered long ago: who looks only further on never sees it."""
    shop, (member, *_) = await _shop(town)
    made = town.relay()
    await made.mend()
    await town.run(made)
    smallest = await town.own.fetchval("SELECT id FROM outbox ORDER BY id LIMIT 1")
    late = UUID(int=smallest.int - 1)
    await town.own.execute("UPDATE points_accounts SET available = 7 WHERE id = $1", member)
    await town.own.execute(
        "INSERT INTO outbox (id, program_id, name, member_id, body, recorded_at)"
        " VALUES ($1, $2, 'Late', $3, '{}', now())",
        late,
        shop.program_id,
        member,
    )
    assert await town.run(made) == 1
    assert (await town.kept(shop.program_id))[member] == 7


async def test_one_relay_a_program_and_each_program_its_own(town: Town) -> None:
    first, _ = await _shop(town)
    await _shop(town)
    made = town.relay()
    await made.programs()
    async with town.own.transaction():
        await town.own.execute("SELECT FROM relays WHERE id = $1 FOR UPDATE", first.program_id)
        assert await town.run(made) == EVENTS
    left = await town.own.fetch("SELECT DISTINCT program_id FROM outbox WHERE relayed_at IS NULL")
    assert [row["program_id"] for row in left] == [first.program_id]
    assert await town.run(made) == EVENTS


async def test_many_relays_deliver_everything_once(town: Town) -> None:
    shops = [(await _shop(town))[0] for _ in range(5)]
    made = [town.relay(delivery_max=1) for _ in range(4)]
    await made[0].mend()
    done = await asyncio.gather(*(town.run(each) for each in made))
    while await town.waiting():
        done.append(await town.run(made[0]))
    assert sum(done) == 5 * EVENTS
    for shop in shops:
        assert await town.kept(shop.program_id) == await town.true(shop.program_id)


async def test_killed_between_writing_and_marking_it_is_delivered_again(town: Town) -> None:
    shop, (member, *_) = await _shop(town)
    await town.relay().mend()

    async def lose() -> None:
        made._own.terminate()  # type: ignore[union-attr]

    made = town.relay(relays.Stumbling(town.redis, after=lose))
    with pytest.raises(Exception, match=r"closed|connection"):
        await made.step()
    assert await town.waiting() == EVENTS
    told = await town.version(shop.program_id)
    assert told is not None
    assert told > 0, "it was written"
    await shop.run(engines.adjust(member, 50))
    assert await town.run() == EVENTS + 1
    # What was told was never committed, and nobody knows of what it told.
    await town.relay().mend()
    assert await town.kept(shop.program_id) == await town.true(shop.program_id)
    assert await town.version(shop.program_id) == await town.own.fetchval("SELECT version FROM relays")


async def test_whoever_was_slow_writes_nothing(town: Town) -> None:
    """Its session was lost, somebody else has gone on; then what it was about to write arrives, and is refused."""
    shop, (member, *_) = await _shop(town)
    await town.relay().mend()

    async def others_go_on() -> None:
        slow._own.terminate()  # type: ignore[union-attr]
        await asyncio.sleep(0.1)
        await shop.run(engines.adjust(member, 50))
        assert await town.run() == EVENTS + 1

    slow = town.relay(relays.Stumbling(town.redis, before=others_go_on))
    await slow.programs()
    with pytest.raises(Exception, match=r"closed|connection"):
        await slow.step()
    assert await town.kept(shop.program_id) == await town.true(shop.program_id)
    assert (await town.kept(shop.program_id))[member] == 150


async def test_while_redis_is_away_events_are_counted_and_it_is_built_anew_afterwards(town: Town) -> None:
    shop, (member, *_) = await _shop(town)
    made = town.relay()
    await made.mend()
    await town.run(made)
    await shop.run(engines.adjust(member, 50))
    without = town.relay(relays.away())
    assert await town.run(without) == 1
    with pytest.raises(REDIS_AWAY):
        await without.mend()
    # Redis is back, with what it had: it lacks one delivery, which the next one notices, and does not hide.
    await shop.run(engines.adjust(member, 5))
    assert await town.run(made) == 1
    assert (await town.kept(shop.program_id))[member] == 100
    await made.mend()
    assert await town.kept(shop.program_id) == await town.true(shop.program_id)


async def test_what_redis_lost_is_built_anew_by_itself(town: Town) -> None:
    shop, _ = await _shop(town)
    made = town.relay()
    await made.mend()
    await town.run(made)
    await town.redis.flushdb()
    assert await town.version(shop.program_id) is None
    await made.mend()
    assert await town.kept(shop.program_id) == await town.true(shop.program_id)
    assert await town.version(shop.program_id) == await town.own.fetchval("SELECT version FROM relays")


async def test_what_changed_too_much_is_built_anew(town: Town) -> None:
    shop, (member, *_) = await _shop(town)
    made = town.relay()
    await made.mend()
    await shop.run(engines.adjust(member, 50))
    town.balances.is_upset = True
    assert await town.run(made) == EVENTS + 1
    assert await town.kept(shop.program_id) == await town.true(shop.program_id)


async def test_rebuild_tells_how_far_it_is_can_be_stopped_and_run_again(town: Town) -> None:
    shop, _ = await _shop(town, members=25)
    made = town.relay()
    await made.mend()
    await town.run(made)
    await town.redis.zadd(relays.place(shop.program_id), {"nobody": 1})
    assert await made.count(shop.program_id) == 25
    counts: list[int] = []

    def stop(count: int) -> bool:
        counts.append(count)
        return len(counts) < 3

    assert not await made.rebuild(shop.program_id, stop)
    assert counts == [0, 10, 10]
    assert await town.version(shop.program_id) is None, "whoever reads must know that it is not whole"
    for _ in range(2):
        assert await made.rebuild(shop.program_id, lambda _: True)
        assert await town.kept(shop.program_id) == await town.true(shop.program_id)


async def test_redis_that_loses_its_data_in_the_midst_is_not_taken_for_whole(town: Town) -> None:
    shop, _ = await _shop(town, members=25)
    made = town.relay()
    await town.run(made)
    told: list[int] = []

    async def flush() -> None:
        told.append(1)
        if len(told) == 2:
            await town.redis.flushdb()

    broken = town.relay(relays.Stumbling(town.redis, after=flush))
    with pytest.raises(Overtaken):
        await broken.rebuild(shop.program_id, lambda _: True)
    assert await town.version(shop.program_id) is None
    await made.mend()
    assert await town.kept(shop.program_id) == await town.true(shop.program_id)


async def test_what_cannot_be_counted_keeps_no_other_program_waiting(town: Town) -> None:
    await _shop(town)
    made = town.relay()
    await made.programs()
    town.balances.fault = ValueError("nobody foresaw this")
    while await made.step():
        pass
    assert await town.waiting() == EVENTS
    town.balances.fault = None
    await _shop(town)
    await made.mend()  # which also tries again what was left aside
    assert await town.run(made) == 2 * EVENTS


@pytest.mark.parametrize(
    ("value", "version"), [(None, None), (b"17", 17), (b"0", 0), (b"building-ab12", None), (b"", None)]
)
def test_only_a_number_is_a_version(value: bytes | None, version: int | None) -> None:
    assert relay.known_version(value) == version


def test_all_keys_of_a_program_are_in_one_slot() -> None:
    program_id = UUID(int=1)
    assert relay.key(program_id, "board", 7).startswith("{00000000-0000-0000-0000-000000000001}:board:7")
