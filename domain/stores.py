"""Stores of a program, physical or online, and the groups they belong to."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain import checks
from domain.kernel import Command, Decision, Event, Refusal, Row, State


class Channel(StrEnum):
    """Where something happened (S1, S59)."""

    ONLINE = "ONLINE"  # website, app or mini-program
    PHONE = "PHONE"  # a call
    IN_STORE = "IN_STORE"  # at a till


class StoreGroupKind(StrEnum):
    """How the stores of a group belong to the program (S59)."""

    CHAIN = "CHAIN"  # its own
    FRANCHISE = "FRANCHISE"  # others', under its name


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreGroup(Row):
    """Stores that belong together: a chain, or a franchisee's."""

    is_configuration: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("code",)

    code: str
    name: str
    kind: StoreGroupKind
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Store(Row):
    """A store. `code` is the shop's own name for it, unique in the program; a closed store takes no purchases."""

    is_configuration: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("code",)

    code: str
    name: str
    group_id: UUID | None = None
    is_closed: bool = False
    created_at: datetime


class StoreCodeTaken(Refusal):
    """Another store of the program has this code. Details: `code`."""

    code = "STORE_CODE_TAKEN"
    text = "Another store of this program has the code {code!r}."


class StoreGroupCodeTaken(Refusal):
    """Another group of stores of the program has this code. Details: `code`."""

    code = "STORE_GROUP_CODE_TAKEN"
    text = "Another group of stores of this program has the code {code!r}."


class StoreClosed(Refusal):
    """The store is closed. Details: `storeCode`."""

    code = "STORE_CLOSED"
    text = "The store {storeCode!r} is closed."


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSaved(Event):
    """A store was opened, renamed or closed."""

    store_id: UUID


def open_store(state: State, store_id: UUID | None) -> Store | None:
    """The store a purchase names, if it names one. Refuses `NotFound` or `StoreClosed`."""
    if store_id is None:
        return None
    store = state.get(Store, store_id)
    if store.is_closed:
        raise StoreClosed(field=("storeId",), storeCode=store.code)
    return store


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateStore(Command[Store]):
    """Open a store. Refuses a code that is taken."""

    code: str
    name: str
    group_id: UUID | None = None

    def decide(self, state: State) -> Decision[Store]:
        code = checks.text("code", self.code, length_max=50)
        name = checks.text("name", self.name)
        if state.find_by(Store, "code", code) is not None:
            raise StoreCodeTaken(field=("code",), code=code)
        if self.group_id is not None:
            state.get(StoreGroup, self.group_id)
        store = Store(
            id=state.new_id(),
            program_id=state.program_id,
            code=code,
            name=name,
            group_id=self.group_id,
            created_at=state.now,
        )
        return Decision(store, save=(store,), events=(StoreSaved(store_id=store.id),))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateStore(Command[Store]):
    """Rename, close or open a store again, or move it to another group; None leaves a value as it is."""

    store_id: UUID
    name: str | None = None
    group_id: UUID | None = None
    is_closed: bool | None = None

    def decide(self, state: State) -> Decision[Store]:
        name = checks.optional_text("name", self.name)
        store = state.change(Store, self.store_id)
        if self.group_id is not None:
            state.get(StoreGroup, self.group_id)
        store = replace(
            store,
            name=store.name if name is None else name,
            group_id=store.group_id if self.group_id is None else self.group_id,
            is_closed=store.is_closed if self.is_closed is None else self.is_closed,
        )
        return Decision(store, save=(store,), events=(StoreSaved(store_id=store.id),))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreGroupSaved(Event):
    """A group of stores was made."""

    group_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateStoreGroup(Command[StoreGroup]):
    """Name a group of stores. Refuses a code that is taken."""

    code: str
    name: str
    kind: StoreGroupKind = StoreGroupKind.CHAIN

    def decide(self, state: State) -> Decision[StoreGroup]:
        code = checks.text("code", self.code, length_max=50)
        name = checks.text("name", self.name)
        if state.find_by(StoreGroup, "code", code) is not None:
            raise StoreGroupCodeTaken(field=("code",), code=code)
        group = StoreGroup(
            id=state.new_id(),
            program_id=state.program_id,
            code=code,
            name=name,
            kind=self.kind,
            created_at=state.now,
        )
        return Decision(group, save=(group,), events=(StoreGroupSaved(group_id=group.id),))
