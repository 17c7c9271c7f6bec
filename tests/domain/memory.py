"""A program in memory: a complete `State`, a clock that is moved by hand, ids that are always the same.

`Memory.run` is the engine of these tests. It keeps what a command decided, and on the way it proves
what the engine relies on: a decision is pure, it is the same when its rows are loaded on demand and
locked, and a refused command changes nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import pytest

from domain.kernel import FAMILY, AnyRow, Command, Decision, Event, NotLoaded, Refusal, Row, State, Want
from domain.members import MemberRef
from domain.points.account import Hold, Lot, LotDraw, PointsAccount, PointTransaction, Shortfall

Result = TypeVar("Result")

PROGRAM_ID: Final = UUID("019d0000-0000-7000-8000-000000000001")
# Hashes identities, in every state of these tests and by whoever tells them.
IDENTITY_KEY: Final = b"a key of tests"
# A UUIDv7 whose random part is 0; a command's ids count on from its own multiple of 65,536.
FIRST_ID: Final = UUID("019d0000-0001-7000-8000-000000000000").int
START: Final = datetime(2026, 1, 15, 4, 0, tzinfo=UTC)  # noon in Shanghai
# More rounds than any decision needs, and fewer than the engine allows; one more means that a decision asks for ever.
ROUNDS_MAX: Final = 12
_INPUTS: Final = frozenset({"now", "actor", "idempotency_key", "_first_id", "_ids_given"})


def first_id(number: int) -> int:
    """The number before the first id of the `number`-th command."""
    return FIRST_ID + (number << 16)


class Memory:
    """One program, its clock, and every command that was run on it."""

    def __init__(self, now: datetime = START) -> None:
        self.state = State(PROGRAM_ID, is_complete=True, identity_key=IDENTITY_KEY)
        self.now = now
        self.number = 0
        self.decision: Decision[Any] = Decision(None)

    @property
    def events(self) -> tuple[Event, ...]:
        """What the last command that was not refused made happen."""
        return self.decision.events

    def later(self, **duration: int) -> datetime:
        """Move the clock on: `later(days=1)`."""
        self.now += timedelta(**duration)
        return self.now

    def run(self, command: Command[Result], *, actor: str = "till", key: str | None = None) -> Result:
        """Run a command now. Raises its `Refusal` after proving that nothing changed."""
        self.number += 1
        self._begin(self.state, actor, key)
        before = contents(self.state)
        try:
            decision = command.decide(self.state)
        except Refusal as refusal:
            assert contents(self.state) == before, "a refused command changed something"
            self._prove_refused_on_demand(command, refusal, actor, key)
            raise
        assert contents(self.state) == before, "a decision changed the state before it was kept"
        self._begin(self.state, actor, key)
        assert command.decide(self.state) == decision, "a decision that is run again decides the same"
        partial = self._partial(actor, key)
        assert decide_on_demand(self.state, partial, command) == decision, "a decision needs no complete state"
        partial.keep(decision.save)
        self.state.keep(decision.save)
        self.decision = decision
        return decision.result

    def _begin(self, state: State, actor: str, key: str | None) -> None:
        state.begin(now=self.now, first_id=first_id(self.number), actor=actor, idempotency_key=key)

    def _partial(self, actor: str, key: str | None) -> State:
        partial = State(PROGRAM_ID, identity_key=IDENTITY_KEY)
        self._begin(partial, actor, key)
        return partial

    def _prove_refused_on_demand(self, command: Command[Any], refusal: Refusal, actor: str, key: str | None) -> None:
        with pytest.raises(type(refusal)) as again:
            decide_on_demand(self.state, self._partial(actor, key), command)
        assert again.value.message == refusal.message

    # What tests look at.

    def account(self, member_id: UUID) -> PointsAccount:
        return self.state.get(PointsAccount, member_id)

    def row(self, kind: type[AnyRow], key: UUID) -> AnyRow:
        return self.state.get(kind, key)

    def lots(self, member_id: UUID) -> tuple[Lot, ...]:
        """Every lot of a member, the closed ones too, in the order they were opened."""
        return self._of_member(Lot, member_id)

    def holds(self, member_id: UUID) -> tuple[Hold, ...]:
        return self._of_member(Hold, member_id)

    def shortfalls(self, member_id: UUID) -> tuple[Shortfall, ...]:
        return self._of_member(Shortfall, member_id)

    def transactions(self, member_id: UUID) -> tuple[PointTransaction, ...]:
        """A member's transactions in the order of their sequence."""
        return tuple(sorted(self._of_member(PointTransaction, member_id), key=lambda row: row.sequence))

    def history(self, member_id: UUID) -> list[tuple[str, int]]:
        """A member's transactions as kind and amount."""
        return [(row.kind.value, row.amount) for row in self.transactions(member_id)]

    def draws(self, transaction_id: UUID) -> list[tuple[UUID, int]]:
        """A transaction's draws as lot and amount, in the order they were made."""
        drawn = sorted(self.state.all(LotDraw, of=transaction_id), key=lambda draw: draw.id.int)
        return [(draw.lot_id, draw.amount) for draw in drawn]

    def figures(self, member_id: UUID) -> tuple[int, int, int, int]:
        """Available, pending, held and debt."""
        account = self.account(member_id)
        return account.available, account.pending, account.held, account.debt

    def _of_member(self, kind: type[AnyRow], member_id: UUID) -> tuple[AnyRow, ...]:
        found = [row for row in self.state.rows(kind) if getattr(row, "member_id", None) == member_id]
        return tuple(sorted(found, key=lambda row: row.id.int))


def contents(state: State) -> Mapping[str, object]:
    """All that a state holds, copied deep enough to be compared later: everything but what `begin` sets."""
    return {
        name: {key: dict(value) if isinstance(value, dict) else value for key, value in held.items()}
        if isinstance(held, dict)
        else set(held)
        if isinstance(held, set)
        else held
        for name, held in vars(state).items()
        if name not in _INPUTS
    }


def answer(store: State, partial: State, wants: Iterable[Want]) -> None:
    """Give `partial` what it wants out of the whole store."""
    for want in wants:
        kind: type[Row] = want.kind
        if want.by is None:
            partial.admit(want, store.find(kind, _id(want)))
        elif want.by == FAMILY:
            partial.admit_family(kind, _id(want), store.all(kind, of=_id(want)))
        else:
            partial.admit(want, store.find_by(kind, want.by, want.value))


def answer_beforehand(store: State, partial: State, command: Command[Any]) -> None:
    """Give `partial` what a command says that it will need, as the engine does before the first try."""
    wants = [want for want in command.wants(partial.program_id) if partial.is_missing(want)]
    answer(store, partial, wants)
    brought = [(want, partial.key_of(want)) for want in wants if want.then is not None]
    answer(store, partial, [Want(want.then, key, is_locked=True) for want, key in brought if want.then and key])


def _id(want: Want) -> UUID:
    assert isinstance(want.value, UUID)
    return want.value


def decide_on_demand(store: State, partial: State, command: Command[Result]) -> Decision[Result]:
    """Decide on `partial`, which is given from `store` only what the decision asks for, as the engine does."""
    answer_beforehand(store, partial, command)
    for _ in range(ROUNDS_MAX):
        partial.begin(
            now=store.now,
            first_id=first_id_of(store),
            actor=store.actor,
            idempotency_key=store.idempotency_key,
        )
        try:
            return command.decide(partial)
        except NotLoaded as missing:
            answer(store, partial, missing.wants)
    raise AssertionError(f"{type(command).__name__} still misses rows after {ROUNDS_MAX} rounds")


def first_id_of(state: State) -> int:
    """The first id that `begin` gave a state."""
    value = vars(state)["_first_id"]
    assert isinstance(value, int)
    return value


def ref(member_id: UUID) -> MemberRef:
    """A member by its id."""
    return MemberRef(id=member_id)
