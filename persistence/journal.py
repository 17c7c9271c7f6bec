"""What one batch writes: rows, receipts and events, one statement a kind."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import asyncpg

from domain.kernel import FAMILY, Event, Row, Want
from persistence import codec
from persistence.receipts import Receipt
from persistence.registry import KIND_ORDER
from persistence.tables import TABLES, transposed

_OUTBOX_COLUMNS = ("id", "program_id", "name", "member_id", "body", "recorded_at")
_RECEIPT_COLUMNS = tuple(field.name for field in fields(Receipt))
_receipt_values = attrgetter(*_RECEIPT_COLUMNS)


class Journal:
    """The writes of a batch, gathered while its commands decide. The last version of a row is the one written."""

    def __init__(self, program_id: UUID) -> None:
        self.program_id = program_id
        self._new: dict[type[Row], dict[UUID, Row]] = defaultdict(dict)
        self._changed: dict[type[Row], dict[UUID, Row]] = defaultdict(dict)
        self._receipts: dict[UUID, Receipt] = {}
        self._events: list[tuple[UUID, Event]] = []
        self._unseen: set[tuple[type[Row], str | None, object]] | None = None

    def save(self, row: Row, *, is_new: bool) -> None:
        """Gather a row; `is_new` if the store does not have it."""
        kind, key = type(row), row.id
        to_insert = self._new[kind]
        if is_new or key in to_insert:
            to_insert[key] = row
        else:
            self._changed[kind][key] = row

    def add_receipt(self, receipt: Receipt) -> None:
        """Gather what answers the same key later."""
        self._receipts[receipt.id] = receipt

    def add_event(self, key: UUID, event: Event) -> None:
        """Gather an event for the outbox."""
        self._events.append((key, event))

    @property
    def events(self) -> list[Event]:
        """What happened, in order."""
        return [event for _, event in self._events]

    def hides(self, want: Want) -> bool:
        """Whether another transaction that asks for this would not see it, and not wait either, before the commit.

        Rows that are changed are locked, and whoever wants them locked waits. New rows are not, and
        configuration is read without a lock.
        """
        if want.kind.is_configuration and self._changed.get(want.kind):
            return True
        if self._unseen is None:
            self._unseen = {asked for rows in self._new.values() for row in rows.values() for asked in _answering(row)}
        return (want.kind, want.by, want.value) in self._unseen

    def has_receipt(self, key: UUID) -> bool:
        """Whether a command was decided under this key, whose receipt nobody else sees before the commit."""
        return key in self._receipts

    async def write(self, connection: asyncpg.Connection, now: datetime) -> None:
        """Write it all, parents before children: new rows by COPY, changed ones in one statement a kind."""
        for kind in sorted(self._new.keys() | self._changed.keys(), key=KIND_ORDER.__getitem__):
            table = TABLES[kind]
            if new := self._new[kind]:
                await _copy(connection, table.name, table.columns, map(table.encode, new.values()))
            if changed := self._changed[kind]:
                await connection.execute(table.sql_change, *transposed(table, changed.values()))
        if self._receipts:
            await _copy(connection, "receipts", _RECEIPT_COLUMNS, map(_receipt_values, self._receipts.values()))
        if self._events:
            told = (self._outbox_record(key, event, now) for key, event in self._events)
            await _copy(connection, "outbox", _OUTBOX_COLUMNS, told)

    def _outbox_record(self, key: UUID, event: Event, now: datetime) -> tuple[Any, ...]:
        return key, self.program_id, type(event).__name__, event.member_id, codec.dumps(event), now


def _answering(row: Row) -> Iterator[tuple[type[Row], str | None, object]]:
    """What a new row answers: its id, its keys, and its family if no other row's lock guards that."""
    kind = type(row)
    yield kind, None, row.id
    for key in kind.keys:
        yield kind, key, getattr(row, key)
    if kind.parent is not None and kind.guard is None:
        yield kind, FAMILY, getattr(row, kind.parent)


async def _copy(
    connection: asyncpg.Connection, table: str, columns: Sequence[str], records: Iterable[tuple[Any, ...]]
) -> None:
    """COPY takes a batch's rows at a fraction of what an INSERT costs, and meets the same constraints."""
    await connection.copy_records_to_table(table, columns=columns, records=records)
