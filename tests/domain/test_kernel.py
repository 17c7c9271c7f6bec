"""The state a decision sees: what it holds, what it says is missing, and what a batch has already changed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar
from uuid import UUID

import pytest

from domain.kernel import FAMILY, NotFound, NotLoaded, Outcome, Refusal, Row, State, Want
from domain.kernel import Command as KernelCommand
from tests.domain.memory import PROGRAM_ID, START

OTHER_PROGRAM = UUID(int=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner(Row):
    keys: ClassVar[tuple[str, ...]] = ("name",)

    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing(Row):
    parent: ClassVar[str | None] = "owner_id"
    guard: ClassVar[type[Row] | None] = Owner

    owner_id: UUID
    is_there: bool = True

    @property
    def is_open(self) -> bool:
        return self.is_there


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Row):
    is_configuration: ClassVar[bool] = True

    value: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Row):
    is_fact: ClassVar[bool] = True


class SomeRefusal(Refusal):
    code = "SOME"
    text = "{name} is {count}."


def owner(number: int = 1, name: str | None = "li") -> Owner:
    return Owner(id=UUID(int=number), program_id=PROGRAM_ID, name=name)


def thing(number: int, *, is_there: bool = True) -> Thing:
    return Thing(id=UUID(int=100 + number), program_id=PROGRAM_ID, owner_id=UUID(int=1), is_there=is_there)


def complete() -> State:
    return State(PROGRAM_ID, is_complete=True)


def missing(ask: Callable[[], object]) -> tuple[Want, ...]:
    """What asking for something raises."""
    with pytest.raises(NotLoaded) as raised:
        ask()
    return raised.value.wants


# Ids and inputs.


def test_ids_count_on_from_the_first_and_are_the_same_when_a_decision_is_run_again() -> None:
    state = complete()
    for _ in range(2):
        state.begin(now=START, first_id=7, actor="li", idempotency_key="k")
        assert [state.new_id().int for _ in range(3)] == [8, 9, 10]
    assert (state.now, state.actor, state.idempotency_key) == (START, "li", "k")


def test_an_engine_may_say_how_ids_are_made() -> None:
    state = State(PROGRAM_ID, make_id=lambda number: UUID(int=number * 2))
    state.begin(now=START, first_id=1, actor="li", idempotency_key=None)
    assert state.new_id() == UUID(int=4)


# A complete state.


def test_a_complete_state_knows_that_what_it_does_not_have_does_not_exist() -> None:
    state = complete()
    assert state.find(Owner, UUID(int=1)) is None
    assert state.find_by(Owner, "name", "li") is None
    assert state.all(Thing, of=UUID(int=1)) == ()
    state.need(Want(Owner, UUID(int=1)), Want(Thing, UUID(int=1), FAMILY))
    for ask in (state.get, state.change):
        with pytest.raises(NotFound) as refused:
            ask(Owner, UUID(int=1))
        assert refused.value.details == {"kind": "Owner", "key": str(UUID(int=1))}


def test_a_complete_state_keeps_rows_keys_and_families_in_step() -> None:
    state = complete()
    state.keep([owner(), thing(1), thing(2)])
    assert state.get(Owner, UUID(int=1)) == state.find_by(Owner, "name", "li") == owner()
    assert state.all(Thing, of=UUID(int=1)) == (thing(1), thing(2))
    state.keep([owner(name="wang"), thing(1, is_there=False)])
    assert state.find_by(Owner, "name", "li") is None
    assert state.find_by(Owner, "name", "wang") == owner(name="wang")
    assert state.all(Thing, of=UUID(int=1)) == (thing(2),)
    assert state.rows(Thing) == (thing(1, is_there=False), thing(2))
    state.keep([owner(name=None), thing(1)])
    assert state.find_by(Owner, "name", "wang") is None
    assert set(state.all(Thing, of=UUID(int=1))) == {thing(1), thing(2)}


def test_a_key_that_one_row_gave_up_belongs_to_the_row_that_took_it() -> None:
    state = complete()
    state.keep([owner(1, "li"), owner(2, "wang")])
    state.keep([owner(1, "chen"), owner(2, "li")])
    assert state.find_by(Owner, "name", "li") == owner(2, "li")
    assert state.find_by(Owner, "name", "wang") is None


def test_a_fact_is_never_edited() -> None:
    state = complete()
    fact = Fact(id=UUID(int=1), program_id=PROGRAM_ID)
    state.keep([fact])
    with pytest.raises(AssertionError, match="is a fact"):
        state.keep([fact])


def test_only_declared_keys_and_parents_can_be_asked_for() -> None:
    with pytest.raises(AssertionError, match="no unique key"):
        complete().find_by(Thing, "owner_id", UUID(int=1))
    with pytest.raises(AssertionError, match="no parent"):
        complete().all(Owner, of=UUID(int=1))


# A partial state.


def test_a_partial_state_says_what_it_misses_and_whether_it_must_be_locked() -> None:
    state = State(PROGRAM_ID)
    key = UUID(int=1)
    assert missing(lambda: state.find(Owner, key)) == (Want(Owner, key, None, True),)
    assert missing(lambda: state.find(Settings, key)) == (Want(Settings, key, None, False),)
    assert missing(lambda: state.find_by(Owner, "name", "li")) == (Want(Owner, "li", "name", True),)


def test_a_family_is_asked_for_only_when_its_guard_is_locked() -> None:
    state = State(PROGRAM_ID)
    key = UUID(int=1)
    assert missing(lambda: state.all(Thing, of=key)) == (Want(Owner, key, None, True),)
    state.admit(Want(Owner, key, None, True), owner())
    assert missing(lambda: state.all(Thing, of=key)) == (Want(Thing, key, FAMILY),)
    state.admit_family(Thing, key, [thing(1)])
    assert state.all(Thing, of=key) == (thing(1),)
    assert state.find(Thing, thing(1).id) == thing(1), "its guard locks it too"


def test_what_does_not_exist_is_known_not_to_and_needs_no_lock() -> None:
    state = State(PROGRAM_ID)
    key = UUID(int=1)
    state.admit(Want(Owner, key, None, True), None)
    state.admit(Want(Owner, "li", "name", True), None)
    assert state.find(Owner, key) is None
    assert state.find_by(Owner, "name", "li") is None
    state.need(Want(Owner, key, None, True), Want(Owner, "li", "name", True))


def test_a_configuration_row_is_locked_only_to_be_changed_and_is_then_read_again() -> None:
    state = State(PROGRAM_ID)
    old = Settings(id=UUID(int=1), program_id=PROGRAM_ID, value=1)
    new = replace(old, value=2)
    state.admit(Want(Settings, old.id), old)
    assert state.get(Settings, old.id) == old
    with pytest.raises(NotLoaded) as raised:
        state.change(Settings, old.id)
    assert raised.value.wants == (Want(Settings, old.id, None, True),)
    state.admit(raised.value.wants[0], new)
    assert state.change(Settings, old.id) == state.get(Settings, old.id) == new


def test_a_row_is_not_saved_without_its_lock() -> None:
    state = State(PROGRAM_ID)
    row = Settings(id=UUID(int=1), program_id=PROGRAM_ID)
    state.admit(Want(Settings, row.id), row)
    with pytest.raises(AssertionError, match="without its lock"):
        state.keep([replace(row, value=1)])


def test_several_things_are_asked_for_at_once_and_only_what_is_missing() -> None:
    state = State(PROGRAM_ID)
    key = UUID(int=1)
    state.admit(Want(Owner, key, None, True), owner())
    wants = (Want(Owner, key, None, True), Want(Thing, key, FAMILY), Want(Owner, "wang", "name", True))
    with pytest.raises(NotLoaded) as raised:
        state.need(*wants)
    assert raised.value.wants == wants[1:]


def test_what_a_batch_has_saved_is_newer_than_what_is_loaded_afterwards() -> None:
    state = State(PROGRAM_ID)
    key = UUID(int=1)
    state.keep([owner(name="new"), thing(1, is_there=False), thing(2)])
    state.admit(Want(Owner, key, None, True), owner(name="old"))
    assert state.get(Owner, key) == owner(name="new")
    state.admit(Want(Owner, "old", "name", True), owner(name="old"))
    assert state.find_by(Owner, "name", "old") is None, "the batch gave the key up"
    state.admit_family(Thing, key, [thing(1), thing(3)])
    assert set(state.all(Thing, of=key)) == {thing(2), thing(3)}


def test_whether_a_row_is_new_is_known_to_the_engine() -> None:
    state = State(PROGRAM_ID)
    assert not state.has(owner())
    state.admit(Want(Owner, UUID(int=1), None, True), None)
    assert not state.has(owner())
    state.keep([owner()])
    assert state.has(owner(name="any"))


def test_a_row_of_another_program_is_never_shown() -> None:
    state = State(PROGRAM_ID)
    foreign = Owner(id=UUID(int=1), program_id=OTHER_PROGRAM)
    state.admit(Want(Owner, foreign.id, None, True), foreign)
    with pytest.raises(AssertionError, match="another program"):
        state.find(Owner, foreign.id)


# Refusals and outcomes.


def test_a_refusal_carries_its_numbers_its_sentence_and_the_field_at_fault() -> None:
    refusal = SomeRefusal(field=("lines", "amount"), name="stock", count=3)
    assert refusal.message == "stock is 3."
    assert refusal.details == {"name": "stock", "count": 3}
    assert refusal.field == ("lines", "amount")
    assert (Refusal().message, Refusal().field, Refusal.code) == ("The command was refused.", None, "REFUSED")


def test_an_outcome_says_whether_an_earlier_call_made_it() -> None:
    assert not Outcome(1).is_replay


def test_a_command_must_decide() -> None:
    with pytest.raises(TypeError):
        KernelCommand()  # type: ignore[abstract]


def test_every_row_is_open_unless_it_says_otherwise() -> None:
    assert owner().is_open
