"""The kernel: a command decides, purely, from a state; the engine keeps what it decided.

Nothing here reads a clock, a random source or a store. What a decision needs and memory does not
hold is raised as `NotLoaded`; whoever runs the command loads it and runs the decision again.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Generic, NamedTuple, TypeVar
from uuid import UUID

from domain.topics import Subject, topic

DetailValue = int | str | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A stored value. Every row has an id of ours (UUIDv7) and belongs to one program.

    `parent` names the field whose value groups rows for `State.all`; `guard` is the kind of the
    row that must be locked before such a family may be read (the parent's own row). `keys` names
    the fields that are unique within a program, by which `State.find_by` looks a row up.
    """

    parent: ClassVar[str | None] = None
    guard: ClassVar["type[Row] | None"] = None
    keys: ClassVar[tuple[str, ...]] = ()
    # A fact is appended once and never edited; the engine inserts it and never updates it.
    is_fact: ClassVar[bool] = False
    # Configuration is edited by staff and read by everybody: read without a lock, unless the
    # command says `State.change`.
    is_configuration: ClassVar[bool] = False

    id: UUID
    program_id: UUID

    @property
    def is_open(self) -> bool:
        """Whether the row still takes part in its family: `State.all` yields open rows only."""
        return True

    def companions(self) -> "tuple[Want, ...]":
        """What whoever reads this row will surely ask for next, so that it is loaded with it. A hint."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, told after commit to whoever listens. Subclasses are named in the past tense."""

    # Which part of the schema the event is about, so that consumers can filter without parsing.
    member_id: UUID | None = None

    def topics(self) -> "tuple[str, ...]":
        """What it changed of the program, for those who listen to that live."""
        return () if self.member_id is None else (topic(Subject.MEMBER, self.member_id),)


AnyRow = TypeVar("AnyRow", bound=Row)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Decision(Generic[Result]):
    """What a command decided: its answer, the rows to save, and the events that happened."""

    result: Result
    save: tuple[Row, ...] = ()
    events: tuple[Event, ...] = ()


class Refusal(Exception):
    """A named business "no". It carries its numbers, and it means that nothing was changed.

    `code` is the name a client can act on; `text` is a sentence with `{placeholders}` that are
    filled from the details; `field` is the path of the input at fault, if one is.
    """

    code: ClassVar[str] = "REFUSED"
    text: ClassVar[str] = "The command was refused."

    def __init__(self, *, field: tuple[str, ...] | None = None, **details: DetailValue) -> None:
        super().__init__(self.text.format(**details))
        self.field = field
        self.details = details

    @property
    def message(self) -> str:
        return str(self.args[0])


class NotFound(Refusal):
    """No such row in this program. A row of another program is not found either."""

    code = "NOT_FOUND"
    text = "There is no {kind} {key!r} in this program."


class Want(NamedTuple):
    """One thing a decision needs from the store.

    With `by` None, `value` is an id; `by` "*" asks for the open rows whose parent is
    `value`; any other is one of the kind's unique keys.
    """

    kind: type[Row]
    value: object
    by: str | None = None
    is_locked: bool = False
    # The kind whose row of the same id is wanted too, locked: a member found by a key brings its account.
    then: type[Row] | None = None


class NotLoaded(Exception):
    """Raised by `State` for what memory does not hold. Only the engine catches it."""

    def __init__(self, *wants: Want) -> None:
        super().__init__(wants)
        self.wants = wants


FAMILY: Final = "*"
_UNKNOWN: Final = object()


def derived_id(of: UUID, what: str) -> UUID:
    """An id that follows from another one and a name: two who would make the same row meet in its primary key."""
    return UUID(bytes=hashlib.sha256(of.bytes + what.encode()).digest()[:16])


def _uuid(number: int) -> UUID:
    return UUID(int=number)


def _seed(number: int) -> bytes:
    return number.to_bytes(32)


class State:
    """The rows a batch of commands has in memory, with everything they have saved so far.

    A `complete` state holds the whole store (the simulation's): what it does not have does not
    exist. Otherwise a missing row raises `NotLoaded`, and the engine admits it from PostgreSQL.
    """

    def __init__(
        self,
        program_id: UUID,
        *,
        is_complete: bool = False,
        make_id: Callable[[int], UUID] = _uuid,
        make_seed: Callable[[int], bytes] = _seed,
        identity_key: bytes = b"",
    ) -> None:
        self.program_id = program_id
        self.is_complete = is_complete
        self._make_id = make_id
        self._make_seed = make_seed
        self.identity_key = identity_key  # hashes what people are identified by
        self._rows: dict[tuple[type[Row], UUID], Row | None] = {}
        self._locked: set[tuple[type[Row], UUID]] = set()
        self._families: dict[tuple[type[Row], UUID], dict[UUID, Row]] = {}
        self._keys: dict[tuple[type[Row], str, object], UUID | None] = {}
        self._saved_children: dict[tuple[type[Row], UUID], dict[UUID, Row]] = {}
        self.now: datetime
        self.actor = "system"
        self.idempotency_key: str | None = None
        self._first_id = 0
        self._ids_given = 0

    # What enters: the engine calls `begin` before every run of a command's `decide`.

    def begin(self, *, now: datetime, first_id: int, actor: str, idempotency_key: str | None) -> None:
        """Set what one command sees. Running it again with the same values gives the same ids."""
        self.now = now
        self.actor = actor
        self.idempotency_key = idempotency_key
        self._first_id = first_id
        self._ids_given = 0

    def begin_again(self) -> None:
        """Let the command that has begun be run again, with the same ids."""
        self._ids_given = 0

    def new_id(self) -> UUID:
        """The next id of this command: the same one again when the decision is run again."""
        self._ids_given += 1
        return self._make_id(self._first_id + self._ids_given)

    def new_seed(self) -> bytes:
        """32 bytes that nobody can guess, for a code: the same again when the decision is run again.

        Chance enters with whoever runs the command; what is simulated has seeds that are always the same.
        """
        return self._make_seed(self.new_id().int)

    # What decisions ask.

    def find(self, kind: type[AnyRow], key: UUID) -> AnyRow | None:
        """The row with this id, locked unless its kind is configuration; None if there is none."""
        return self._find(kind, key, is_locked=not kind.is_configuration)

    def get(self, kind: type[AnyRow], key: UUID) -> AnyRow:
        """Like `find`. Refuses with `NotFound`."""
        row = self._find(kind, key, is_locked=not kind.is_configuration)
        if row is None:
            raise NotFound(kind=kind.__name__, key=str(key))
        return row

    def change(self, kind: type[AnyRow], key: UUID) -> AnyRow:
        """A configuration row, locked because the command means to save it. Refuses with `NotFound`."""
        row = self._find(kind, key, is_locked=True)
        if row is None:
            raise NotFound(kind=kind.__name__, key=str(key))
        return row

    def find_by(self, kind: type[AnyRow], index: str, value: object) -> AnyRow | None:
        """The row whose unique key `index` has this value within the program; None if there is none."""
        assert index in kind.keys, f"{kind.__name__} has no unique key {index}"
        is_locked = not kind.is_configuration
        key = self._keys.get((kind, index, value), _UNKNOWN)
        if key is _UNKNOWN and not self.is_complete:
            raise NotLoaded(Want(kind, value, index, is_locked))
        if key is None or key is _UNKNOWN:
            return None
        return self._find(kind, key, is_locked=is_locked)  # type: ignore[arg-type]

    def all(self, kind: type[AnyRow], *, of: UUID) -> tuple[AnyRow, ...]:
        """The open rows of `kind` whose parent is `of`; the parent's row is locked first."""
        assert kind.parent is not None, f"{kind.__name__} has no parent"
        if kind.guard is not None and self.is_missing(Want(kind.guard, of, is_locked=True)):
            raise NotLoaded(Want(kind.guard, of, is_locked=True))
        family = self._families.get((kind, of))
        if family is None:
            if not self.is_complete:
                raise NotLoaded(Want(kind, of, FAMILY))
            return ()
        return tuple(family.values())  # type: ignore[arg-type]

    def need(self, *wants: Want) -> None:
        """Ask for several things at once, so that they are loaded in one round."""
        missing = [want for want in wants if self.is_missing(want)]
        if missing:
            raise NotLoaded(*missing)

    def _find(self, kind: type[AnyRow], key: UUID, *, is_locked: bool) -> AnyRow | None:
        slot = (kind, key)
        row: Any = self._rows.get(slot, _UNKNOWN)
        if row is None:
            return None
        # A row that does not exist cannot be locked; the unique constraint decides a race to make it.
        if row is _UNKNOWN or (is_locked and slot not in self._locked):
            if not self.is_complete:
                raise NotLoaded(Want(kind, key, None, is_locked))
            if row is _UNKNOWN:
                return None
        found: AnyRow = row
        assert found.program_id == self.program_id, "a row of another program was loaded"
        return found

    def key_of(self, want: Want) -> UUID | None:
        """The id of the row that answers a want, once it is admitted; None if there is none."""
        if want.by is None:
            return None if self._rows.get((want.kind, want.value)) is None else want.value  # type: ignore[arg-type,return-value]
        return self._keys.get((want.kind, want.by, want.value))

    def is_missing(self, want: Want) -> bool:
        """Whether memory does not hold, or does not hold locked, what is wanted."""
        kind, value, index, is_locked, _ = want
        if self.is_complete:
            return False
        if index == FAMILY:
            return (kind, value) not in self._families
        if index is not None:
            value = self._keys.get((kind, index, value), _UNKNOWN)
            if value is None or value is _UNKNOWN:
                return value is _UNKNOWN
        slot: Any = (kind, value)
        row: Any = self._rows.get(slot, _UNKNOWN)
        return row is _UNKNOWN or (row is not None and is_locked and slot not in self._locked)

    # What the engine admits and keeps.

    def admit(self, want: Want, row: Row | None) -> None:
        """Take in what the store answered to `want`. A row already saved by this batch is newer and stays."""
        if want.by is not None:
            key = (want.kind, want.by, want.value)
            self._keys[key] = self._key_holder(want, row)
        if row is None:
            if want.by is None:
                self._rows.setdefault((want.kind, want.value), None)  # type: ignore[arg-type]
            return
        slot = (want.kind, row.id)
        # What was read before its lock was taken may be old by now; what this batch saved is locked.
        if self._rows.get(slot) is None or (want.is_locked and slot not in self._locked):
            self._rows[slot] = row
        if want.is_locked:
            self._locked.add(slot)

    def _key_holder(self, want: Want, row: Row | None) -> UUID | None:
        assert want.by is not None
        if row is None:
            return None
        saved = self._rows.get((want.kind, row.id))
        if saved is not None and getattr(saved, want.by) != want.value:
            return None
        return row.id

    def admit_family(self, kind: type[Row], parent: UUID, rows: Iterable[Row]) -> None:
        """Take in every open row of a parent; what this batch has saved already is newer."""
        family = {row.id: row for row in rows}
        for row in family.values():
            slot = (kind, row.id)
            self._rows.setdefault(slot, row)
            if kind.guard is not None:
                # Nobody else can change it: the guard's row is locked.
                self._locked.add(slot)
        for row in self._saved_children.get((kind, parent), {}).values():
            family.pop(row.id, None)
            if row.is_open:
                family[row.id] = row
        self._families[(kind, parent)] = family

    def has(self, row: Row) -> bool:
        """Whether a row with this kind and id was loaded or saved before."""
        return self._rows.get((type(row), row.id)) is not None

    def keep(self, rows: Iterable[Row]) -> None:
        """Make a decision's rows what the next command of the batch sees."""
        for row in rows:
            self._keep_row(row)

    def _keep_row(self, row: Row) -> None:
        kind = type(row)
        slot = (kind, row.id)
        before = self._rows.get(slot)
        assert before is None or not kind.is_fact, f"{kind.__name__} is a fact and is never edited"
        assert before is None or self.is_complete or slot in self._locked, (
            f"{kind.__name__} is saved without its lock: use State.change"
        )
        self._rows[slot] = row
        self._locked.add(slot)
        for index in kind.keys:
            self._keep_key(kind, index, before, row)
        if kind.parent is not None:
            self._keep_child(row, kind, getattr(row, kind.parent))

    def _keep_key(self, kind: type[Row], index: str, before: Row | None, row: Row) -> None:
        value = getattr(row, index)
        if before is not None and getattr(before, index) != value:
            self._keys[(kind, index, getattr(before, index))] = None
        if value is not None:
            self._keys[(kind, index, value)] = row.id

    def _keep_child(self, row: Row, kind: type[Row], parent: UUID) -> None:
        if self.is_complete:
            self._families.setdefault((kind, parent), {})
        else:
            self._saved_children.setdefault((kind, parent), {})[row.id] = row
        family = self._families.get((kind, parent))
        if family is None:
            return
        if row.is_open:
            family[row.id] = row
        else:
            family.pop(row.id, None)

    def rows(self, kind: type[AnyRow]) -> tuple[AnyRow, ...]:
        """Every row of a kind in memory, in the order it came: for simulations and tests."""
        return tuple(
            row  # type: ignore[misc]
            for (row_kind, _), row in self._rows.items()
            if row_kind is kind and row is not None
        )


class Command(ABC, Generic[Result]):
    """Something that changes the program's rows: a frozen dataclass with one pure decision."""

    __slots__ = ()

    def wants(self, program_id: UUID) -> Iterable[Want]:  # noqa: ARG002
        """What the decision will surely need, so that it is loaded before the first try. A hint: it may be empty."""
        return ()

    @abstractmethod
    def decide(self, state: State) -> Decision[Result]:
        """Decide from `state`, or raise a `Refusal`. Pure: it may be run again at will."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Result]):
    """What a caller gets: the result, and whether an earlier call with the same key made it."""

    result: Result
    is_replay: bool = False
