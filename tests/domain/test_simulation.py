"""A hundred thousand commands from a seed, with the books balanced after every one of them (L2)."""

import os
from collections import Counter
from typing import Any, Final

import pytest

from domain.earning.grants import Grant
from domain.earning.rules import Period, Trigger
from domain.kernel import Command, Decision, NotLoaded, Refusal, Row, State
from domain.points.account import Hold, HoldState, Lot, LotState, PointsAccount, PointTransaction, TransactionKind
from domain.purchases.purchase import Purchase
from domain.tiers.standing import TierCause, TierChange
from tests.domain import invariants, memory, rooms, simulation
from tests.domain.memory import PROGRAM_ID
from tests.domain.simulator import Simulation, begin

COUNT: Final = int(os.environ.get("SIMULATION_COUNT", "100000"))
SEED: Final = int(os.environ.get("SIMULATION_SEED", "20260115"))
DONE: Final = {
    "EditRules",
    "EndSetTier",
    "GrantBirthday",
    "GrantMemberDay",
    "RecordActivity",
    "ReverseActivity",
    "ReviewTier",
    "SetTier",
    "UpdateTier",
    "WarnOfTier",
}
EXPECTED_REFUSALS: Final = {
    "ACTIVITY_CONFLICT",
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
    "TIER_END_INVALID",
    "TIER_NOT_SET",
    "TRANSFER_TO_SELF",
}


def test_l2_a_hundred_thousand_commands_leave_the_books_balanced_and_every_member_replays_from_empty() -> None:
    life = Simulation()
    life.live(SEED, COUNT)
    assert life.done.total() + life.refused.total() == COUNT
    assert invariants.replay_members(life.state) == life.done["EnrollMember"]
    assert rooms.prove(life.state) > COUNT // 100
    prove_that_points_are_conserved(life)
    prove_that_it_was_rich(life)
    prove_that_tiers_came_and_went(life)


def prove_that_points_are_conserved(life: Simulation) -> None:
    """Over the whole shop: only rows bring points in or out, and a transfer neither makes nor loses any."""
    moved: Counter[TransactionKind] = Counter()
    for row in life.state.rows(PointTransaction):
        moved[row.kind] += row.amount
    assert moved[TransactionKind.TRANSFER_OUT] == -moved[TransactionKind.TRANSFER_IN]
    for kind in (TransactionKind.ACTIVATE, TransactionKind.HOLD, TransactionKind.RELEASE):
        del moved[kind]
    there = sum(row.available + row.pending + row.held for row in life.state.rows(PointsAccount))
    assert moved.total() == there


def prove_that_it_was_rich(life: Simulation) -> None:
    """A life in which little happened would prove little."""
    kinds = Counter(row.kind for row in life.state.rows(PointTransaction))
    assert set(kinds) == set(TransactionKind)
    assert min(kinds.values()) > COUNT // 500
    assert {lot.state for lot in life.state.rows(Lot)} == set(LotState)
    assert {hold.state for hold in life.state.rows(Hold)} == set(HoldState)
    assert life.done.total() > COUNT * 3 // 5
    assert set(life.refused) >= EXPECTED_REFUSALS


def prove_that_tiers_came_and_went(life: Simulation) -> None:
    causes = Counter(row.cause for row in life.state.rows(TierChange))
    assert set(causes) == set(TierCause)
    grants = Counter(row.trigger for row in life.state.rows(Grant))
    assert set(grants) == {Trigger.ENROLLMENT, Trigger.BIRTHDAY, Trigger.MEMBER_DAY, Trigger.TIER_REACHED}
    limits = {item.limited_by for row in life.state.rows(Purchase) for item in row.earned}
    assert limits >= {None, "BUDGET", *Period}
    assert set(life.done) >= DONE


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
        memory.answer_beforehand(self.store, self.partial, command)
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
