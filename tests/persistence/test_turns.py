"""The order told holds whatever happens to a batch: those behind it begin again, and nobody waits in a circle."""

import asyncio

import asyncpg
import pytest

from persistence import turns
from persistence.engine import OVERLAP_MIN, Engine
from tests.persistence import engines, stumbling
from tests.persistence.conftest import Starting
from tests.persistence.engines import Shop
from tests.persistence.stumbling import Fault
from tests.persistence.test_engine_faults import LOCK_SECONDS, Forgery

COUNT = OVERLAP_MIN * 4


async def told_in_order(shop: Shop, own: asyncpg.Connection, *, poison: int | None = None) -> None:
    """Tell many commands of one member, and prove that they were decided in that order; every `poison`-th fails."""
    member_id = await shop.enroll()
    expected: list[str] = []
    futures = []
    for number in range(COUNT):
        if poison is not None and number % poison == 0:
            futures.append(shop.submit(Forgery(member_id=member_id, remaining=6)))
        else:
            expected.append(f"{number}")
            command = engines.adjust(member_id, -3 if len(expected) % 2 == 0 else 5, f"{number}")
            futures.append(shop.submit(command, key=f"{member_id}-{number}"))
    answers = await engines.all_answers(futures)
    done = [answer for answer in answers if not isinstance(answer, asyncpg.CheckViolationError)]
    assert [answer.result.transaction.reason for answer in done] == expected
    books = await engines.books(own, shop.program_id)
    assert [row.reason for row in books.transactions(member_id)] == expected
    assert [answer.result.transaction.sequence for answer in done] == list(range(1, len(expected) + 1))


@pytest.mark.parametrize(
    "fault",
    [
        lambda: asyncpg.DeadlockDetectedError("broken"),
        lambda: asyncpg.UniqueViolationError("made by another"),
        lambda: asyncpg.ConnectionDoesNotExistError("lost"),
    ],
    ids=["a deadlock", "a race for a key", "a lost connection"],
)
async def test_order_a_batch_that_is_run_again_is_not_overtaken(
    starting: Starting, database_url: str, own: asyncpg.Connection, fault: Fault
) -> None:
    connect = stumbling.connecting(database_url, stumbling.every(5, fault))
    async with starting(Engine(connect, batch_max=4)) as engine:
        await told_in_order(await engines.open_shop(engine), own)
        # Of every five COMMITs one fails, until all 64 batches and the two before them are through.
        assert (engine.figures.batches, engine.figures.retries) == (66, 16)
        assert engine.figures.faults == engine.figures.isolations == 0


async def test_order_a_batch_that_is_split_is_not_overtaken(starting: Starting, own: asyncpg.Connection) -> None:
    async with starting(batch_max=4) as engine:
        await told_in_order(await engines.open_shop(engine), own, poison=10)
        assert engine.figures.isolations == engine.figures.faults == len(range(0, COUNT, 10))


async def test_order_a_key_that_the_batch_ahead_is_using_is_not_refused(starting: Starting) -> None:
    """The receipt is not there yet, but the points are gone already."""
    async with starting(batch_max=1) as engine:
        shop = await engines.open_shop(engine)
        members = [answer.result.member.id for answer in await engines.all_answers(shop.enrolling(OVERLAP_MIN))]
        await engines.all_answers([shop.submit(engines.adjust(member, 10)) for member in members])
        spend = [shop.submit(engines.adjust(member, -10), key=f"{member}") for member in members for _ in range(2)]
        answers = await engines.all_answers(spend)
        assert engines.tally(answers) == {"done": OVERLAP_MIN * 2}
        assert [answer.is_replay for answer in answers] == [False, True] * OVERLAP_MIN


async def test_a_circle_that_postgresql_cannot_see_is_broken(
    starting: Starting, own: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody holds what the batch ahead waits for, and wants what the one behind has: that one lets go."""
    monkeypatch.setattr(turns, "FOLLOW_SECONDS_MAX", LOCK_SECONDS * 4)
    await own.execute("SET lock_timeout = '5s'")
    async with starting(batch_max=OVERLAP_MIN) as engine:
        shop = await engines.open_shop(engine)
        first, second = await shop.enroll(), await shop.enroll()
        async with own.transaction():
            # A purchase refers to its member, and the check of that waits for a lock of this strength.
            await own.execute("SELECT 1 FROM members WHERE id = $1 FOR UPDATE", first)
            told = [shop.submit(engines.buy(first, f"o-{number}")) for number in range(OVERLAP_MIN)]
            told += [shop.submit(engines.adjust(second, 1)) for _ in range(OVERLAP_MIN)]
            await asyncio.sleep(LOCK_SECONDS)
            await own.execute("SELECT 1 FROM points_accounts WHERE id = $1 FOR UPDATE", second)
            assert not any(answer.done() for answer in told)
        assert engines.tally(await engines.all_answers(told)) == {"done": OVERLAP_MIN * 2}
        assert engine.figures.retries == 0
