"""Whose streak ends tonight is told of it once, at the activity's own local hour."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from domain.duties import Work
from tests.persistence import sign_ins
from tests.persistence.engines import Shop
from tests.worker.clockwork import World, events, members, open_shop


async def told(own: asyncpg.Connection) -> list[tuple[UUID, int, str]]:
    """Who was reminded: member, length, and of which day."""
    return [(UUID(event["member_id"]), event["length"], event["day"]) for event in await events(own, "StreakEnding")]


async def furnish(world: World, hour: int | None = 20, count: int = 3, **settings: Any) -> tuple[Shop, list[UUID]]:
    """Members who signed in at noon, which is of the 1st of March unless it is told."""
    shop = await open_shop(world, **settings)
    await sign_ins.open_page(shop, reminder_hour=hour)
    who = sorted(await members(shop, count))
    for member_id in who:
        await shop.run(sign_ins.sign(member_id))
    return shop, who


async def test_at_its_hour_of_the_next_day_and_not_before(world: World, own: asyncpg.Connection) -> None:
    shop, who = await furnish(world)
    await world.work()
    world.later(days=1, hours=7)
    await shop.run(sign_ins.sign(who[0]))
    assert (await world.work())[Work.STREAK_REMINDERS] == 0
    assert await told(own) == []
    world.later(hours=1)
    assert (await world.work())[Work.STREAK_REMINDERS] == 2
    assert sorted(await told(own)) == [(who[1], 1, "2026-03-02"), (who[2], 1, "2026-03-02")]
    (first, _) = await events(own, "StreakEnding")
    assert datetime.fromisoformat(first["ends_at"]) == datetime(2026, 3, 2, 16, tzinfo=UTC)
    for _ in range(3):
        world.later(hours=1)
        assert (await world.work())[Work.STREAK_REMINDERS] == 0
    # The first one's ends the night after.
    world.later(days=1)
    await world.work()
    assert (await told(own))[2:] == [(who[0], 2, "2026-03-03")]


async def test_in_bounded_batches_and_again_after_a_crash_each_once(world: World, own: asyncpg.Connection) -> None:
    _, who = await furnish(world, count=7)
    world.later(days=1, hours=8)
    worker = await world.worker(batch_max=2)
    await worker.run_until_idle()
    # As if how far it was had been lost with the worker.
    await own.execute(
        "UPDATE duties SET part = 20, day = '2026-03-02', after = NULL, due_at = now() - interval '9 years'"
        " WHERE work = 'STREAK_REMINDERS'"
    )
    await world.work()
    assert sorted(member_id for member_id, _, _ in await told(own)) == who


async def test_each_activity_has_its_hour_and_one_without_tells_nobody(world: World, own: asyncpg.Connection) -> None:
    shop, (member_id, *_) = await furnish(world, hour=None)
    await sign_ins.open_page(shop, "morning", reminder_hour=8)
    await sign_ins.open_page(shop, "night", reminder_hour=23)
    for code in ("morning", "night"):
        await shop.run(sign_ins.sign(member_id, code))
    await world.work()
    world.later(days=1, hours=-3)
    await world.work()
    assert len(await told(own)) == 1
    world.later(hours=14)
    await world.work()
    assert len(await told(own)) == 2


async def test_a_worker_that_was_away_does_not_tell_of_nights_that_are_over(
    world: World, own: asyncpg.Connection
) -> None:
    shop, who = await furnish(world)
    await world.work()
    world.later(days=5, hours=2)
    await shop.run(sign_ins.sign(who[0]))
    # Nine in the evening of the 7th: an hour late, and early enough.
    world.later(days=1, hours=7)
    await world.work()
    assert await told(own) == [(who[0], 1, "2026-03-07")]


async def test_on_the_day_the_clocks_go_forward_it_is_the_local_hour(world: World, own: asyncpg.Connection) -> None:
    world.now = datetime(2026, 3, 7, 17, tzinfo=UTC)  # noon in New York
    _, who = await furnish(world, hour=20, time_zone="America/New_York")
    world.now = datetime(2026, 3, 8, 23, 59, tzinfo=UTC)
    await world.work()
    assert await told(own) == []
    world.now = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)
    await world.work()
    assert sorted(member_id for member_id, _, _ in await told(own)) == who
