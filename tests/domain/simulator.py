"""Leads a simulated life in memory, and balances the books after every command."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from domain.kernel import Refusal, State
from tests.domain import invariants, memory, rooms, simulation
from tests.domain.memory import PROGRAM_ID

# Every so many commands: prove that rows loaded on demand lead to the same decision; replay every member.
PROOF_EVERY: Final = 40
REPLAY_EVERY: Final = 25_000


def begin(state: State, number: int, step: simulation.Step) -> None:
    """Tell a state what the `number`-th step (from 1) sees."""
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
    books: invariants.Books = field(default_factory=invariants.Books)

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
        rooms.check(state, step.command, decision.save)
        state.keep(decision.save)
        invariants.check_saved(state, decision.save, self.books)
        self.done[type(step.command).__name__] += 1
        return decision.result
