"""A hundred thousand commands from a seed, with the books balanced after every one of them (L2)."""

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import pytest

from domain.kernel import Command, Decision, NotLoaded, Refusal, Row, State
from domain.points.account import Hold, HoldState, Lot, LotState, PointsAccount, PointTransaction, TransactionKind
from tests.domain import invariants, memory, simulation
from tests.domain.memory import PROGRAM_ID

COUNT: Final = int(os.environ.get("SIMULATION_COUNT", "100000"))
SEED: Final = int(os.environ.get("SIMULATION_SEED", "20260115"))
# Every so many commands: prove that rows loaded on demand lead to the same decision; replay every member.
PROOF_EVERY: Final = 40
REPLAY_EVERY: Final = 25_000


def begin(state: State, number: int, step: simulation.Step) -> None:
    state.begin(
        now=step.now,
        first_id=memory.first_id(number),
        actor=step.actor,
        idempotency_key=step.idempotency_key,
    )


@dataclass(slots=True)
class Simulation:
    """A life in memory, and what became of it."""

    state: State = field(default_factory=lambda: State(PROGRAM_ID, is_complete=True))
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    sequences: dict[UUID, int] = field(default_factory=dict)

    def live(self, seed: int, count: int) -> None:
        steps = simulation.commands(seed, count)
        step = next(steps)
        for number in range(1, count):
            step = steps.send(self.run(number, step))
            if number % REPLAY_EVERY == 0:
                invariants.replay_members(self.state)
        self.run(count, step)

    def run(self, number: int, step: simulation.Step) -> object:
        """Run one step and check what it touched. Returns its result or its refusal."""
        state = self.state
        begin(state, number, step)
        try:
            decision = step.command.decide(state)
        except Refusal as refusal:
            self.refused[refusal.code] += 1
            return refusal
        if number % PROOF_EVERY == 0:
            assert memory.decide_on_demand(state, State(PROGRAM_ID), step.command) == decision
        state.keep(decision.save)
        invariants.check_saved(state, decision.save, self.sequences)
        self.done[type(step.command).__name__] += 1
        return decision.result


@pytest.fixture(scope="module")
def lived() -> Simulation:
    simulated = Simulation()
    simulated.live(SEED, COUNT)
    return simulated


def test_l2_the_books_balance_after_every_command_and_every_member_replays_from_empty(lived: Simulation) -> None:
    assert lived.done.total() + lived.refused.total() == COUNT
    assert invariants.replay_members(lived.state) == lived.done["EnrollMember"]


def test_the_life_was_rich_enough_to_prove_something(lived: Simulation) -> None:
    kinds = Counter(row.kind for row in lived.state.rows(PointTransaction))
    assert set(kinds) == set(TransactionKind)
    assert min(kinds.values()) > COUNT // 500
    assert {lot.state for lot in lived.state.rows(Lot)} == set(LotState)
    assert lived.done.total() > COUNT * 3 // 5
    expected = {
        "DEBT_OUTSTANDING",
        "HOLD_NOT_OPEN",
        "INSUFFICIENT_POINTS",
        "LIMIT_REACHED",
        "MEMBER_EXISTS",
        "MEMBER_FROZEN",
        "NOT_FOUND",
        "OFFSET_INVALID",
        "POINTS_INVALID",
        "PURCHASE_CONFLICT",
        "REDEMPTION_NOT_OPEN",
        "REFUND_CONFLICT",
        "REFUND_EMPTY",
        "REFUND_EXCEEDS_REMAINING",
        "SOLD_OUT",
        "STORE_CLOSED",
        "TRANSFER_TO_SELF",
    }
    assert expected <= set(lived.refused)


def test_every_hold_ended_in_every_way(lived: Simulation) -> None:
    assert {hold.state for hold in lived.state.rows(Hold)} == set(HoldState)


def test_no_point_appears_or_vanishes_in_a_transfer(lived: Simulation) -> None:
    moved: Counter[TransactionKind] = Counter()
    for row in lived.state.rows(PointTransaction):
        moved[row.kind] += row.amount
    assert moved[TransactionKind.TRANSFER_OUT] == -moved[TransactionKind.TRANSFER_IN]


def test_l2_all_that_was_ever_credited_is_still_there_or_was_taken_by_a_row(lived: Simulation) -> None:
    """The sum over the whole shop: no kind of row but these brings points in or out of what members have."""
    moved = sum(
        row.amount
        for row in lived.state.rows(PointTransaction)
        if row.kind not in (TransactionKind.ACTIVATE, TransactionKind.HOLD, TransactionKind.RELEASE)
    )
    assert moved == sum(row.available + row.pending + row.held for row in lived.state.rows(PointsAccount))


def test_the_same_seed_leads_the_same_life_and_another_one_does_not() -> None:
    lives = [Simulation(), Simulation(), Simulation()]
    for life, seed in zip(lives, (1, 1, 2), strict=True):
        life.live(seed, 1_000)
    first, same, other = (memory.contents(life.state) for life in lives)
    assert first == same != other


def test_a_refused_command_leaves_everything_as_it_was() -> None:
    life = Simulation()
    steps = simulation.commands(SEED + 1, 1_000)
    step = next(steps)
    for number in range(1, 1_000):
        before = memory.contents(life.state)
        answer = life.run(number, step)
        if isinstance(answer, Refusal):
            assert memory.contents(life.state) == before
        step = steps.send(answer)
    assert life.refused.total() > 100


class Batches:
    """The engine's way without PostgreSQL: a batch shares a partial state, which is loaded on demand and kept whole."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.store = State(PROGRAM_ID, is_complete=True)
        self.partial = State(PROGRAM_ID)
        self.saved: list[Row] = []

    def run(self, number: int, step: simulation.Step) -> Decision[Any] | Refusal:
        try:
            decision = self.decide(number, step)
        except Refusal as refusal:
            return refusal
        else:
            self.partial.keep(decision.save)
            self.saved.extend(decision.save)
            return decision
        finally:
            if number % self.size == 0:
                self.commit()

    def commit(self) -> None:
        self.store.keep(self.saved)
        self.saved = []
        self.partial = State(PROGRAM_ID)

    def decide(self, number: int, step: simulation.Step) -> Decision[Any]:
        command: Command[Any] = step.command
        for _ in range(memory.ROUNDS_MAX):
            begin(self.partial, number, step)
            try:
                return command.decide(self.partial)
            except NotLoaded as missing:
                memory.answer(self.store, self.partial, missing.wants)
        raise AssertionError("a decision asks for ever")


@pytest.mark.parametrize("size", [1, 7, 64])
def test_l12_commands_decided_in_batches_come_to_the_same_as_one_by_one(size: int) -> None:
    alone, batches = Simulation(), Batches(size)
    steps = simulation.commands(SEED + size, 3_000)
    step = next(steps)
    for number in range(1, 3_000):
        told = batches.run(number, step)
        answer = alone.run(number, step)
        if isinstance(told, Refusal):
            assert isinstance(answer, Refusal)
            assert (type(told), told.message) == (type(answer), answer.message)
        else:
            assert told.result == answer
        step = steps.send(answer)
    batches.commit()
    assert memory.contents(batches.store) == memory.contents(alone.state)
