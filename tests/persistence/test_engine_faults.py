"""What goes wrong under the engine: poisoned commands, locks, lost connections. Each has a bound, and none spreads."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain import stores
from domain.kernel import Command, Decision, NotLoaded, State, Want
from domain.points import commands as moves
from domain.points.account import Lot, LotState, PointsAccount, SourceType
from persistence import connection, engine
from persistence.engine import Engine, Unavailable
from tests.persistence import engines
from tests.persistence.conftest import Starting
from tests.persistence.engines import Shop

# How long an engine has surely come to wait for a lock.
LOCK_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug(Command[stores.Store]):
    """A decision with a mistake in it."""

    def decide(self, state: State) -> Decision[stores.Store]:
        raise ZeroDivisionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Endless(Command[stores.Store]):
    """A decision that asks for ever for what it was given."""

    def decide(self, state: State) -> Decision[stores.Store]:
        raise NotLoaded(Want(PointsAccount, UUID(int=7), is_locked=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie(Command[PointsAccount]):
    """A decision that no table takes: the account with other figures."""

    member_id: UUID
    name: str
    value: Any

    def decide(self, state: State) -> Decision[PointsAccount]:
        row = state.get(PointsAccount, self.member_id)
        told: Any = {self.name: 2**70 if self.value == "huge" else self.value}
        return Decision(row, save=(replace(row, **told),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgery(Command[Lot]):
    """A new row that no table takes: a lot of a transaction that is not there, or with a remaining that cannot be."""

    member_id: UUID
    remaining: Any

    def decide(self, state: State) -> Decision[Lot]:
        account = state.get(PointsAccount, self.member_id)
        lot = Lot(
            id=state.new_id(),
            program_id=state.program_id,
            member_id=account.id,
            transaction_id=account.id,
            source_type=SourceType.LOT,
            source_id=account.id,
            amount=5,
            remaining=self.remaining,
            state=LotState.ACTIVE,
            available_at=state.now,
            earned_at=state.now,
        )
        return Decision(lot, save=(lot,))


@pytest.mark.parametrize(
    ("bad", "fault", "isolations"),
    [
        (lambda _: Bug(), "ZeroDivisionError", 0),
        (lambda _: Endless(), "Unending", 1),
        (lambda who: Lie(member_id=who, name="available", value=-1), "CheckViolationError", 1),
        (lambda who: Lie(member_id=who, name="debt", value=5), "CheckViolationError", 1),
        (lambda who: Lie(member_id=who, name="available", value="huge"), "DataError", 1),
        (lambda who: Lie(member_id=who, name="sequence", value=None), "NotNullViolationError", 1),
        (lambda who: Lie(member_id=who, name="tier_id", value=who), "CheckViolationError", 1),
        (lambda who: Forgery(member_id=who, remaining=6), "CheckViolationError", 1),
        (lambda who: Forgery(member_id=who, remaining=5), "ForeignKeyViolationError", 1),
        (lambda who: Forgery(member_id=who, remaining="many"), "TypeError", 1),
    ],
)
@pytest.mark.parametrize("key", [None, "poison"])
async def test_a_poisoned_command_fails_alone(
    shop: Shop, own: asyncpg.Connection, bad: Any, fault: str, isolations: int, key: str | None
) -> None:
    member_id = await shop.member_with(7)
    before = await engines.stored(own, PointsAccount, member_id)
    neighbour = await shop.enroll()
    good = [engines.adjust(neighbour, 1, f"{number}") for number in range(20)]
    figures = shop.engine.figures
    assert (figures.faults, figures.isolations) == (0, 0)
    told = [*good[:10], bad(member_id), *good[10:]]
    answers = await engines.all_answers(
        [shop.submit(command, key=key and f"{key}-{n}") for n, command in enumerate(told)]
    )
    assert engines.tally(answers) == {"done": 20, fault: 1}
    assert isinstance(answers[10], Exception)
    assert (figures.faults, figures.isolations) == (1, isolations)
    assert await engines.stored(own, PointsAccount, member_id) == before
    books = await engines.books(own, shop.program_id)
    assert [row.reason for row in books.transactions(neighbour)] == [f"{number}" for number in range(20)]
    # The key of what failed is not burnt either.
    if key is not None:
        assert (await shop.run(engines.adjust(member_id, 1), key=f"{key}-10")).account.available == 8


async def test_two_engines_that_make_the_same_thing_make_it_once(shop: Shop, other_engine: Engine) -> None:
    elsewhere = shop.at(other_engine)
    for number in range(20):
        command = stores.CreateStore(code=f"store-{number}", name="Store")
        answers = await engines.all_answers([each.submit(command) for each in (shop, elsewhere)])
        assert engines.tally(answers) == {"done": 1, "STORE_CODE_TAKEN": 1}


def patient(url: str, *settings: str, **told: Any) -> Engine:
    """An engine whose sessions have settings of their own."""

    async def connect() -> asyncpg.Connection:
        opened = await connection.connect(connection.parse_url(url))
        for setting in settings:
            await opened.execute(f"SET {setting}")
        return opened

    return Engine(connect, **told)


@contextlib.asynccontextmanager
async def holding(own: asyncpg.Connection, member_id: UUID) -> AsyncIterator[None]:
    """Hold the lock of a member's account."""
    await own.execute("SET deadlock_timeout = '1h'")
    async with own.transaction():
        await lock(own, member_id)
        yield


async def lock(own: asyncpg.Connection, member_id: UUID) -> None:
    await own.execute("SELECT 1 FROM points_accounts WHERE id = $1 FOR UPDATE", member_id)


async def test_a_deadlock_is_run_again(starting: Starting, database_url: str, own: asyncpg.Connection) -> None:
    async with starting(patient(database_url, "deadlock_timeout = '100ms'")) as running:
        shop = await engines.open_shop(running)
        first, second = sorted([await shop.member_with(10), await shop.member_with(10)])
        transfer = moves.TransferPoints(sender=engines.ref(first), recipient=engines.ref(second), points=4)
        async with holding(own, second):
            answer = shop.submit(transfer)
            await asyncio.sleep(LOCK_SECONDS)
            # The engine has the first and waits for the second; PostgreSQL breaks the circle at the engine.
            await lock(own, first)
            assert not answer.done()
        assert (await answer).result.sender.available == 6
        assert (running.figures.retries, running.figures.faults) == (1, 0)
        assert (await engines.books(own, shop.program_id)).check() == 2


async def test_a_serialization_failure_is_run_again(
    starting: Starting, database_url: str, own: asyncpg.Connection
) -> None:
    settings = "default_transaction_isolation = 'repeatable read'"
    async with starting(patient(database_url, settings)) as running:
        shop = await engines.open_shop(running)
        member_id = await shop.enroll()
        async with holding(own, member_id):
            answer = shop.submit(engines.adjust(member_id, 1))
            await asyncio.sleep(LOCK_SECONDS)
            await own.execute("UPDATE points_accounts SET lifetime_spent = 3 WHERE id = $1", member_id)
        account = (await answer).result.account
        assert (account.available, account.lifetime_spent) == (1, 3)
        assert (running.figures.retries, running.figures.faults) == (1, 0)


async def test_a_lock_that_is_never_free_is_given_up_after_a_bounded_time(
    starting: Starting, database_url: str, own: asyncpg.Connection
) -> None:
    async with starting(patient(database_url, "lock_timeout = '20ms'", retry_max=2)) as running:
        shop = await engines.open_shop(running)
        member_id, neighbour = await shop.enroll(), await shop.enroll()
        async with holding(own, member_id):
            told = [shop.submit(engines.adjust(who, 1)) for who in (neighbour, member_id, neighbour)]
            assert engines.tally(await engines.all_answers(told)) == {"done": 2, "LockNotAvailableError": 1}
        # Twice again together, and twice again alone.
        assert (running.figures.retries, running.figures.isolations, running.figures.faults) == (4, 1, 1)
        assert (await shop.run(engines.adjust(member_id, 1))).account.available == 1


async def kill_engine(own: asyncpg.Connection) -> int:
    """End every other session on this database, as a restart of PostgreSQL does. How many."""
    ended: int = await own.fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    return ended


@pytest.mark.parametrize("key", [None, "once"])
async def test_a_connection_lost_while_idle_is_made_anew(shop: Shop, own: asyncpg.Connection, key: str | None) -> None:
    member_id = await shop.enroll()
    assert await kill_engine(own) == 1
    outcome = await shop.outcome(engines.adjust(member_id, 1), key=key)
    assert (outcome.is_replay, outcome.result.account.available) == (False, 1)


@pytest.mark.parametrize("key", [None, "once"])
async def test_a_connection_lost_while_deciding_is_made_anew(
    shop: Shop, own: asyncpg.Connection, key: str | None
) -> None:
    member_id = await shop.enroll()
    async with holding(own, member_id):
        answer = shop.submit(engines.adjust(member_id, 1), key=key)
        await asyncio.sleep(LOCK_SECONDS)
        assert await kill_engine(own) == 1
    outcome = await answer
    assert (outcome.is_replay, outcome.result.account.available) == (False, 1)
    assert shop.engine.figures.retries == 1
    assert (await engines.books(own, shop.program_id)).check() == 1


class Fragile:
    """A connection that breaks when it is told to, before or after PostgreSQL has the COMMIT."""

    def __init__(self, inner: asyncpg.Connection, breaking: list[str]) -> None:
        self.inner = inner
        self.breaking = breaking

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def execute(self, statement: str, *arguments: Any) -> str:
        """Run a statement; break around a COMMIT if that is what comes next."""
        if statement != "COMMIT" or not self.breaking:
            return str(await self.inner.execute(statement, *arguments))
        if self.breaking.pop() == "after":
            await self.inner.execute(statement)
        self.inner.terminate()
        raise asyncpg.ConnectionDoesNotExistError("lost")


@pytest.mark.parametrize(
    ("breaks", "key", "result", "available"),
    [
        ("before", "once", "done", 1),
        ("after", "once", "done", 1),
        # Nobody knows whether it was kept, so nobody may run it again.
        ("before", None, "Unavailable", 0),
        ("after", None, "Unavailable", 1),
    ],
)
async def test_a_commit_whose_answer_is_lost_is_told_from_its_receipt(
    starting: Starting,
    database_url: str,
    own: asyncpg.Connection,
    breaks: str,
    key: str | None,
    result: str,
    available: int,
) -> None:
    breaking: list[str] = []

    async def connect() -> Any:
        return Fragile(await connection.connect(connection.parse_url(database_url)), breaking)

    async with starting(Engine(connect)) as running:
        shop = await engines.open_shop(running)
        member_id = await shop.enroll()
        breaking.append(breaks)
        answers = await engines.all_answers([shop.submit(engines.adjust(member_id, 1), key=key)])
        assert engines.tally(answers) == {result: 1}
        if result == "done":
            assert answers[0].is_replay == (breaks == "after")
        books = await engines.books(own, shop.program_id)
        assert len(books.transactions(member_id)) == books.account(member_id).available == available


async def test_postgresql_that_cannot_be_reached_is_told_and_recovers(
    starting: Starting, database_url: str, own: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "RECONNECT_SECONDS", (0.01, 0.02, 0.03))
    refusing: Iterator[bool] = itertools.repeat(False)

    async def connect() -> asyncpg.Connection:
        if next(refusing):
            raise ConnectionRefusedError
        return await connection.connect(connection.parse_url(database_url))

    async with starting(Engine(connect)) as running:
        shop = await engines.open_shop(running)
        member_id = await shop.enroll()
        refusing = itertools.repeat(True)
        await kill_engine(own)
        lost = [shop.submit(engines.adjust(member_id, 1), key=f"{number}") for number in range(10)]
        assert engines.tally(await engines.all_answers(lost)) == {"Unavailable": 10}
        with pytest.raises(Unavailable):
            await shop.run(engines.adjust(member_id, 1))
        refusing = itertools.chain([True, True], itertools.repeat(False))
        again = [shop.submit(engines.adjust(member_id, 1), key=f"{number}") for number in range(10)]
        answers = await engines.all_answers(again)
        assert engines.tally(answers) == {"done": 10}
        assert not any(answer.is_replay for answer in answers)
        assert (await engines.books(own, shop.program_id)).account(member_id).available == 10


async def test_l11_a_repeat_that_waits_for_its_first_run_elsewhere_is_not_refused(
    shop: Shop, other_engine: Engine, own: asyncpg.Connection
) -> None:
    """It looked for the receipt before there was one, and found the points gone after it had waited for them."""
    member_id = await shop.member_with(10)
    command = engines.adjust(member_id, -10)
    async with holding(own, member_id):
        first = shop.submit(command, key="once")
        await asyncio.sleep(LOCK_SECONDS)
        again = shop.at(other_engine).submit(command, key="once")
        other = shop.at(other_engine).submit(command, key="twice")
        await asyncio.sleep(LOCK_SECONDS)
    answers = await engines.all_answers([first, again, other])
    assert engines.tally(answers) == {"done": 2, "INSUFFICIENT_POINTS": 1}
    assert [answer.is_replay for answer in answers[:2]] == [False, True]
    assert answers[1].result == answers[0].result
