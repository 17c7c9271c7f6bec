"""The engine: the only place that writes a program's facts.

Commands that wait are decided together, in order, against one state, and committed together: one
query a kind to load, one statement a kind to write, one commit for all (group commit). A refused
command leaves nothing; a command that cannot be written is found and fails alone.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg

from domain.kernel import Command, Event, Outcome, Refusal
from persistence import clock, receipts
from persistence.batches import Batch, KeyUsed
from persistence.connection import Address, connect
from persistence.figures import Figures
from persistence.lasting import LASTING
from persistence.turns import Overtaking, Turn, Waiting

logger = logging.getLogger("tessera.engine")

Result = TypeVar("Result")

# Faults of the moment: the same batch may succeed when it is run again.
PASSING: Final = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    # Another process made the row first; run again, the decision sees it.
    asyncpg.UniqueViolationError,
    KeyUsed,
)
DISCONNECTED: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    # A session that was ended while nobody asked leaves the driver in a state that it takes for a mistake of its own.
    asyncpg.InternalClientError,
    OSError,
)
# While one batch is being written the next may be decided, if so many wait that it is worth its own commit.
LANES: Final = 2
REPLAN_BATCHES: Final = 4096
GATHER_SECONDS: Final = 0.0005
OVERLAP_MIN: Final = 64
RECONNECT_SECONDS: Final = (0.05, 0.1, 0.2, 0.5, 1, 2, 4)


class QueueFull(Exception):
    """Too many commands wait already. The caller may try again in a moment."""


class Unavailable(Exception):
    """PostgreSQL could not be reached, or was lost; a command with a key may be told again safely."""


class EngineStopped(Exception):
    """The engine no longer takes commands."""


@dataclass(slots=True, eq=False)
class Lane:
    """A connection that batches run on, one at a time."""

    connection: asyncpg.Connection | None = None
    # COMMIT is on its way: without an answer, only receipts tell whether it arrived.
    is_in_doubt: bool = False
    batches: int = 0

    def beginning(self) -> str:
        """What begins a transaction. Kept plans are made anew as the tables grow: one made for an empty table
        takes any index for as good as another, and would go through a whole program for ever."""
        self.batches += 1
        has_doubled = self.batches & (self.batches - 1) == 0
        return "DISCARD PLANS; BEGIN" if has_doubled or self.batches % REPLAN_BATCHES == 0 else "BEGIN"


class Engine:
    """Runs commands. One a process; any number of processes share a database.

    `batch_max` commands are committed together at most; `queue_max` may wait before `QueueFull`;
    a batch is run at most `retry_max` times more after passing faults.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        *,
        batch_max: int = 256,
        queue_max: int = 10_000,
        retry_max: int = 5,
        now: Callable[[], datetime] = clock.now,
        next_first_id: Callable[[datetime], int] | None = None,
    ) -> None:
        self.figures = Figures()
        self.connect = connect
        # Told what every batch made happen, once it is kept. Must not fail, and not take long.
        self.on_kept: Callable[[UUID, Sequence[Event]], None] = lambda _program_id, _events: None
        # Hashes what people are identified by, as whoever tells the identities of commands does.
        self.identity_key = b""
        self._batch_max = batch_max
        self._queue_max = queue_max
        self._retry_max = retry_max
        self._now = now
        self._next_first_id = next_first_id or clock.Ids().next_first
        self._queue: deque[Waiting] = deque()
        self._wake = asyncio.Event()
        self._idle = [Lane() for _ in range(LANES)]
        self._turns: list[Turn] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self._expected = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to take commands."""
        LASTING.forget()
        self._task = asyncio.create_task(self._run(), name="engine")

    async def stop(self) -> None:
        """Finish what waits, then take no more."""
        task, self._task = self._task, None
        self._wake.set()
        if task is not None:
            await task
        for lane in self._idle:
            if lane.connection is not None:
                await lane.connection.close()
                lane.connection = None

    async def execute(
        self,
        command: Command[Result],
        *,
        program_id: UUID,
        actor: str,
        idempotency_key: str | None = None,
    ) -> Outcome[Result]:
        """Decide a command, keep what it decided, and answer once that is committed.

        Raises the command's `Refusal` (with nothing changed), `IdempotencyKeyMismatch`, `QueueFull`,
        `Unavailable`, or `EngineStopped`.
        """
        return await self.submit(command, program_id=program_id, actor=actor, idempotency_key=idempotency_key)

    def submit(
        self,
        command: Command[Result],
        *,
        program_id: UUID,
        actor: str,
        idempotency_key: str | None = None,
    ) -> asyncio.Future[Outcome[Result]]:
        """Like `execute`, but the answer is awaited later: for many commands at once, decided in the order told.

        Raises `QueueFull` and `EngineStopped` at once; the rest comes with the answer.
        """
        if self._task is None:
            raise EngineStopped
        if len(self._queue) >= self._queue_max:
            self.figures.throttled += 1
            raise QueueFull
        waiting = Waiting(
            command=command,
            program_id=program_id,
            actor=actor,
            idempotency_key=idempotency_key,
            first_id=self._next_first_id(self._now()),
            answer=asyncio.get_running_loop().create_future(),
            asked_at=time.perf_counter(),
        )
        if idempotency_key is not None:
            waiting.receipt_id = receipts.receipt_id(program_id, actor, idempotency_key)
            waiting.input_hash = receipts.input_hash(command)
        self._queue.append(waiting)
        self._wake.set()
        return waiting.answer

    # The loop.

    async def _run(self) -> None:
        while self._task is not None or self._queue:
            if not self._may_begin():
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._let_gather()
            await self._begin(self._take(), self._idle.pop())
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def _let_gather(self) -> None:
        """Let those share the commit who are about to ask: callers that were just answered often ask again.

        Waits only while more keep coming, and never for more than were answered and waiting a moment ago; a single
        caller never waits.
        """
        await asyncio.sleep(0)
        expected = min(self._expected, self._batch_max)
        before = 0
        while before < len(self._queue) < expected:
            before = len(self._queue)
            await asyncio.sleep(GATHER_SECONDS)

    def _may_begin(self) -> bool:
        is_worth_a_lane = len(self._idle) == LANES or len(self._queue) >= OVERLAP_MIN
        return bool(self._queue and self._idle and is_worth_a_lane)

    async def _begin(self, commands: list[Waiting], lane: Lane) -> None:
        """Start a batch and return when it is decided; its writing goes on beside the next batch's deciding."""
        program_id = commands[0].program_id
        turn = Turn(commands, tuple(other for other in self._turns if other.program_id == program_id))
        self._turns.append(turn)
        task = asyncio.create_task(self._answer(turn, lane))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await turn.is_decided.wait()

    def _take(self) -> list[Waiting]:
        """The commands of the program that has waited longest, in order, as many as a batch may have."""
        program_id = self._queue[0].program_id
        taken: list[Waiting] = []
        others: list[Waiting] = []
        while self._queue and len(taken) < self._batch_max:
            waiting = self._queue.popleft()
            (taken if waiting.program_id == program_id else others).append(waiting)
        self._queue.extendleft(reversed(others))
        return taken

    async def _answer(self, turn: Turn, lane: Lane) -> None:
        """Run a batch until it is committed or known to fail, and answer every caller."""
        self.figures.batches += 1
        self.figures.batch_size.add(len(turn.commands))
        try:
            answers = await self._run_batch(turn, lane)
        except Exception as fault:  # noqa: BLE001 - one batch's fault is its callers', never the engine's end
            answers = await self._isolate(turn, lane, fault)
        finally:
            turn.end()
            self._turns.remove(turn)
            self._idle.append(lane)
            self._expected = len(turn.commands) + len(self._queue)
            self._wake.set()
        for waiting, answer in zip(turn.commands, answers, strict=True):
            self._give(waiting, answer)

    def _give(self, waiting: Waiting, answer: Outcome[Any] | BaseException) -> None:
        figures = self.figures
        figures.commands += 1
        figures.latency_ms.add((time.perf_counter() - waiting.asked_at) * 1000)
        if waiting.answer.done():
            return
        if isinstance(answer, Outcome):
            figures.replays += answer.is_replay
            waiting.answer.set_result(answer)
            return
        figures.refusals += isinstance(answer, Refusal)
        figures.faults += not isinstance(answer, Refusal)
        waiting.answer.set_exception(answer)

    async def _isolate(self, turn: Turn, lane: Lane, fault: Exception) -> list[Outcome[Any] | BaseException]:
        """Batch-mates share a commit, not a fate: run each alone, so that only the bad one fails."""
        if len(turn.commands) == 1 or isinstance(fault, Unavailable):
            if not isinstance(fault, Unavailable):
                logger.error("a command failed: %s", type(turn.commands[0].command).__name__, exc_info=fault)
            return [fault] * len(turn.commands)
        self.figures.isolations += 1
        answers: list[Outcome[Any] | BaseException] = []
        for waiting in turn.commands:
            alone = Turn([waiting], turn.ahead)
            try:
                answers.extend(await self._run_batch(alone, lane))
            except Exception as own:  # noqa: BLE001 - told to its caller
                answers.extend(await self._isolate(alone, lane, own))
        return answers

    async def _run_batch(self, turn: Turn, lane: Lane) -> list[Outcome[Any] | BaseException]:
        """One batch, run again after passing faults and lost connections, a bounded number of times."""
        for attempt in range(self._retry_max + 1):
            try:
                return await self._attempt_in_turn(turn, lane)
            except PASSING:
                if attempt == self._retry_max:
                    raise
                await asyncio.sleep(0.002 * 2**attempt)
            except DISCONNECTED as fault:
                self._lose_connection(turn, lane, fault)
            self.figures.retries += 1
        raise Unavailable

    @staticmethod
    def _lose_connection(turn: Turn, lane: Lane, fault: BaseException) -> None:
        """Drop the connection. Whether a commit arrived is known only to receipts: without one, give up."""
        logger.warning("the engine lost its connection to PostgreSQL: %s", type(fault).__name__)
        connection, lane.connection = lane.connection, None
        if connection is None:
            return
        connection.terminate()
        if lane.is_in_doubt and any(waiting.idempotency_key is None for waiting in turn.commands):
            raise Unavailable from fault

    async def _connected(self, lane: Lane) -> asyncpg.Connection:
        if lane.connection is not None and not lane.connection.is_closed():
            return lane.connection
        for pause in RECONNECT_SECONDS:
            try:
                lane.connection = await self.connect()
            except DISCONNECTED:
                await asyncio.sleep(pause)
            else:
                return lane.connection
        raise Unavailable

    # One attempt: load, decide, write, commit.

    async def _attempt_in_turn(self, turn: Turn, lane: Lane) -> list[Outcome[Any] | BaseException]:
        """One attempt, begun again when it would overtake a turn ahead. No lock is held while it waits for that."""
        while True:
            await turn.come()
            try:
                return await self._attempt(turn, lane)
            except Overtaking as overtaking:
                await overtaking.ahead.is_settled.wait()

    async def _attempt(self, turn: Turn, lane: Lane) -> list[Outcome[Any] | BaseException]:
        connection = await self._connected(lane)
        batch = Batch(turn, self._now(), self.identity_key)
        lane.is_in_doubt = False
        await connection.execute(lane.beginning())
        try:
            await batch.find_receipts(connection)
            await batch.decide(connection)
            turn.decide(batch.journal)
            await turn.follow()
            await batch.journal.write(connection, batch.now)
            lane.is_in_doubt = True
            await connection.execute("COMMIT")
            self.on_kept(turn.program_id, batch.journal.events)
            return await batch.told(connection)
        except BaseException:
            turn.stumble()
            if not connection.is_closed():
                await connection.execute("ROLLBACK")
            raise


@contextlib.asynccontextmanager
async def running(address: Address, *, batch_max: int, queue_max: int, retry_max: int) -> AsyncIterator[Engine]:
    """An engine over a database, for as long as the block lasts; at its end what waits is finished."""
    engine = Engine(lambda: connect(address), batch_max=batch_max, queue_max=queue_max, retry_max=retry_max)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()
