"""The simulated life led again on PostgreSQL, through the engine: the same answers, and the very same rows.

In memory a life is led from a seed, one command after the other; its commands, clock and first ids are
then told to an engine, one by one, or many at once so that they share batches and the lanes overlap.
"""

import itertools
import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg
import pytest

from domain.kernel import Decision, Outcome, Refusal, Row, State
from persistence import connection
from persistence.engine import Engine
from persistence.registry import KIND_ORDER
from tests.domain import memory, simulation
from tests.domain.memory import PROGRAM_ID
from tests.persistence import engines

COUNT: Final = int(os.environ.get("REPLAY_COUNT", "2000"))
SEED: Final = int(os.environ.get("REPLAY_SEED", "20260116"))


class Told(NamedTuple):
    """A step of the life, and what became of it in memory."""

    number: int
    step: simulation.Step
    answer: object
    is_first_of_key: bool


@dataclass(slots=True)
class Life:
    """A life led in memory."""

    state: State = field(default_factory=lambda: State(PROGRAM_ID, is_complete=True))
    told: list[Told] = field(default_factory=list)

    def live(self, count: int) -> None:
        steps = simulation.commands(SEED, count)
        step = next(steps)
        for number in range(1, count + 1):
            answer = self.run(number, step)
            self.told.append(Told(number, step, answer, is_first_of_key=True))
            if number < count:
                step = steps.send(answer)

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


class Clock:
    """The life's clock, and ids by the number of the command that is told."""

    def __init__(self) -> None:
        self.now = memory.START
        self.numbers = itertools.count(1)

    def __call__(self) -> datetime:
        return self.now

    def next_first_id(self, _: datetime) -> int:
        return memory.first_id(next(self.numbers))


@pytest.fixture(scope="module")
def life() -> Life:
    lived = Life()
    lived.live(COUNT)
    return lived


def same(told: Told, outcome: object) -> bool:
    """Whether PostgreSQL's answer is memory's."""
    if isinstance(told.answer, Refusal):
        return type(outcome) is type(told.answer) and outcome.message == told.answer.message  # type: ignore[attr-defined]
    return isinstance(outcome, Outcome) and outcome.result == told.answer and not outcome.is_replay


def sort_of(rows: tuple[Row, ...]) -> dict[object, Row]:
    return {row.id: row for row in rows}


async def compare(url: str, life: Life) -> None:
    """Prove that the database holds what memory does, row by row, and that its books balance."""
    own: asyncpg.Connection = await connection.connect(connection.parse_url(url))
    try:
        books = await engines.books(own, PROGRAM_ID)
        for kind in KIND_ORDER:
            assert sort_of(books.of(kind)) == sort_of(life.state.rows(kind)), kind
        assert books.check() == len([row for row in life.told if type(row.answer).__name__ == "Enrollment"])
    finally:
        await own.close()


def groups(told: list[Told], size: int) -> list[list[Told]]:
    """Neighbours that are told together: at most `size`, all at one time of the clock."""
    if size == 1:
        return [[each] for each in told]
    return [list(group) for _, group in itertools.groupby(told, key=lambda each: each.step.now)]


async def test_one_by_one(life: Life, fresh_database_url: str) -> None:
    clock = Clock()
    engine = engines.make(fresh_database_url, now=clock, next_first_id=clock.next_first_id)
    await engine.start()
    try:
        for told in life.told:
            clock.now = told.step.now
            (outcome,) = await engines.all_answers([submit(engine, told)])
            assert same(told, outcome), (told, outcome)
    finally:
        await engine.stop()
    await compare(fresh_database_url, life)


def submit(engine: Engine, told: Told) -> Any:
    step = told.step
    return engine.submit(
        step.command, program_id=PROGRAM_ID, actor=step.actor, idempotency_key=step.idempotency_key
    )
