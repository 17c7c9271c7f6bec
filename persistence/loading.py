"""Answering what a batch's decisions want: one query for each kind and way of asking, locks in the order of ids."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from domain.kernel import FAMILY, Row, State, Want
from persistence.lasting import LASTING
from persistence.registry import KIND_ORDER
from persistence.tables import TABLES, Record, Table, column_of

Asking = tuple[type[Row], str | None, bool]


async def load(connection: asyncpg.Connection, state: State, wants: Iterable[Want], *, is_locking: bool = True) -> None:
    """Load what is wanted into the state. Waits for rows that another transaction has locked.

    A snapshot that nobody writes from needs no locks: without `is_locking`, rows are admitted as if they had them.
    """
    by_asking: dict[Asking, dict[object, Want]] = defaultdict(dict)
    for want in wants:
        row = LASTING.find(state.program_id, want)
        if row is not None:
            state.admit(want, row)
        else:
            by_asking[(want.kind, want.by, want.is_locked)][want.value] = want
    chained: dict[Want, None] = {}
    for asking in sorted(by_asking, key=_place):
        asked = list(by_asking[asking].values())
        found = await _ask(connection, state, asked, is_locking=is_locking)
        chained.update(dict.fromkeys(_brought_along(state, asked)))
        chained.update((want, None) for row in found for want in row.companions() if state.is_missing(want))
    if chained:
        await load(connection, state, chained, is_locking=is_locking)


def _brought_along(state: State, wants: Iterable[Want]) -> Iterator[Want]:
    for want in wants:
        key = state.key_of(want)
        if want.then is not None and key is not None:
            brought = Want(want.then, key, is_locked=True)
            if state.is_missing(brought):
                yield brought


def _place(asking: Asking) -> tuple[int, str, bool]:
    kind, index, is_locked = asking
    return KIND_ORDER[kind], index or "", is_locked


async def _ask(connection: asyncpg.Connection, state: State, wants: list[Want], *, is_locking: bool) -> Iterable[Row]:
    """Load what one way of asking answers, and give the rows that were asked for by themselves."""
    first = wants[0]
    table = TABLES[first.kind]
    told = (state.program_id, [want.value for want in wants])
    is_locked = first.is_locked and is_locking
    if is_locked and first.kind.guard is not None:
        # Whoever has the guard changes what it guards: to lock that first is to meet halfway, and wait in a circle.
        _admit_guards(state, first.kind.guard, await connection.fetch(table.sql_load_guards(first.by), *told))
    records = await connection.fetch(table.sql_load(first.by, is_locked=is_locked), *told)
    if first.by == FAMILY:
        _admit_families(state, table, wants, records)
        return ()
    return _admit_rows(state, table, wants, records)


def _admit_guards(state: State, kind: type[Row], records: Sequence[Record]) -> None:
    for row in map(TABLES[kind].decode, records):
        state.admit(Want(kind, row.id, is_locked=True), row)


def _admit_rows(state: State, table: Table, wants: list[Want], records: Sequence[Record]) -> Iterable[Row]:
    column = column_of(wants[0])
    found = {getattr(row := table.decode(record), column): row for record in records}
    for want in wants:
        answer = found.get(want.value)
        state.admit(want, answer)
        if answer is not None:
            LASTING.keep(state.program_id, want, answer)
    return found.values()


def _admit_families(state: State, table: Table, wants: list[Want], records: Sequence[Record]) -> None:
    parent = column_of(wants[0])
    families: dict[Any, list[Row]] = defaultdict(list)
    for record in records:
        row = table.decode(record)
        families[getattr(row, parent)].append(row)
    for want in wants:
        assert isinstance(want.value, UUID)
        state.admit_family(table.kind, want.value, families[want.value])
