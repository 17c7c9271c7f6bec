"""The simulated life led again on PostgreSQL, through the engine: the same answers, and the very same rows.

In memory a life is led from a seed, one command after the other; its commands, clock and first ids are
then told to an engine, one by one, or many at once so that they share batches and the lanes overlap.
"""

import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
import pytest

from domain.enrollments import Enrollment
from domain.kernel import Decision, Outcome, Refusal, Row, State
from persistence import connection
from persistence.engine import Engine
from persistence.registry import KIND_ORDER
from tests.domain import memory, simulation
from tests.domain.memory import PROGRAM_ID
from tests.persistence import engines, stumbling

COUNT: Final = int(os.environ.get("REPLAY_COUNT", "2000"))
SEED: Final = int(os.environ.get("REPLAY_SEED", "20260116"))


class Told(NamedTuple):
    """A step of the life, and what became of it in memory."""

    step: simulation.Step
    answer: object


@dataclass(slots=True)
class Life:
    """A life led in memory. Its clock moves on with every `group` of commands, which are told together later."""

    group: int
    state: State = field(default_factory=lambda: State(PROGRAM_ID, is_complete=True))
    told: list[Told] = field(default_factory=list)

    def live(self, count: int) -> None:
        steps = simulation.commands(SEED, count)
        step = next(steps)
        for number in range(1, count + 1):
            if number % self.group != 1 % self.group:
                step = step._replace(now=self.told[-1].step.now)
            self.told.append(Told(step, self.run(number, step)))
            if number < count:
                step = steps.send(self.told[-1].answer)

    def run(self, number: int, step: simulation.Step) -> object:
        self.state.begin(
            now=step.now,
            first_id=memory.first_id(number),
            actor=step.actor,
            idempotency_key=step.idempotency_key,
        )
        try:
            decision: Decision[Any] = step.command.decide(self.state)
        except Refusal as refusal:
            return refusal
        self.state.keep(decision.save)
        return decision.result

    def groups(self) -> Iterator[list[Told]]:
        """What is told together."""
        for first in range(0, len(self.told), self.group):
            yield self.told[first : first + self.group]


class Clock:
    """The life's clock, and ids by the number of the command that is told."""

    def __init__(self) -> None:
        self.now = memory.START
        self.numbers = itertools.count(1)

    def __call__(self) -> datetime:
        return self.now

    def next_first_id(self, _: datetime) -> int:
        return memory.first_id(next(self.numbers))


def submit(engine: Engine, step: simulation.Step) -> Any:
    key = step.idempotency_key
    return engine.submit(step.command, program_id=PROGRAM_ID, actor=step.actor, idempotency_key=key)


def is_same(told: Told, answer: object) -> bool:
    """Whether PostgreSQL's answer is memory's: the same rows and figures, or the same refusal in the same words."""
    if isinstance(told.answer, Refusal):
        same_kind = isinstance(answer, Refusal) and type(answer) is type(told.answer)
        return same_kind and str(answer) == str(told.answer)
    return isinstance(answer, Outcome) and answer.result == told.answer and not answer.is_replay


def by_id(rows: tuple[Row, ...]) -> dict[UUID, Row]:
    return {row.id: row for row in rows}


async def compare(url: str, life: Life) -> None:
    """Prove that the database holds what memory does, row by row, and that its books balance."""
    own: asyncpg.Connection = await connection.connect(connection.parse_url(url))
    try:
        books = await engines.books(own, PROGRAM_ID)
        for kind in KIND_ORDER:
            assert by_id(books.of(kind)) == by_id(life.state.rows(kind)), kind
        assert books.check() == sum(isinstance(told.answer, Enrollment) for told in life.told)
    finally:
        await own.close()


@pytest.mark.parametrize(
    ("group", "batch_max", "faults"),
    [
        (1, 256, ()),
        (64, 256, ()),
        (COUNT // 4, 16, ()),
        (COUNT // 4, 3, ()),
        (COUNT // 4, 3, stumbling.every(7, lambda: asyncpg.DeadlockDetectedError("broken"))),
    ],
    ids=[
        "one by one",
        "in batches",
        "in batches that overlap",
        "in small batches that overlap",
        "in small batches that overlap and stumble",
    ],
)
async def test_a_life_told_to_postgresql_is_the_same(
    fresh_database_url: str, group: int, batch_max: int, faults: Iterable[stumbling.Fault | None]
) -> None:
    life, clock = Life(group), Clock()
    life.live(COUNT)
    connect = stumbling.connecting(fresh_database_url, faults)
    engine = Engine(connect, now=clock, next_first_id=clock.next_first_id, batch_max=batch_max)
    await engine.start()
    try:
        for told in life.groups():
            clock.now = told[0].step.now
            answers = await engines.all_answers([submit(engine, each.step) for each in told])
            wrong = [pair for pair in zip(told, answers, strict=True) if not is_same(*pair)]
            assert wrong == []
    finally:
        await engine.stop()
    await compare(fresh_database_url, life)
