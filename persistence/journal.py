"""What one batch writes: rows, receipts and events, one statement a kind."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from domain.kernel import Event, Row
from persistence import codec
from persistence.receipts import Receipt
from persistence.registry import KIND_ORDER
from persistence.tables import TABLES, transposed

_SAVE_RECEIPTS = """
INSERT INTO receipts (id, program_id, actor, idempotency_key, command, input_hash, result, recorded_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::jsonb[],
                     $8::timestamptz[])
"""
_SAVE_EVENTS = """
INSERT INTO outbox (id, program_id, name, member_id, body, recorded_at)
SELECT id, $1, name, member_id, body, $6
FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::jsonb[]) AS told (id, name, member_id, body)
"""


class Journal:
    """The writes of a batch, gathered while its commands decide. The last version of a row is the one written."""

    def __init__(self, program_id: UUID) -> None:
        self.program_id = program_id
        self._rows: dict[type[Row], dict[UUID, Row]] = defaultdict(dict)
        self._receipts: list[Receipt] = []
        self._events: list[tuple[UUID, Event]] = []

    def save(self, rows: Iterable[Row], events: Iterable[tuple[UUID, Event]], receipt: Receipt | None) -> None:
        """Gather what one command decided."""
        for row in rows:
            self._rows[type(row)][row.id] = row
        self._events.extend(events)
        if receipt is not None:
            self._receipts.append(receipt)

    async def write(self, connection: asyncpg.Connection, now: datetime) -> None:
        """Write it all, parents before children."""
        for kind in sorted(self._rows, key=KIND_ORDER.__getitem__):
            table = TABLES[kind]
            await connection.execute(table.sql_save(), *transposed(table, self._rows[kind].values()))
        if self._receipts:
            await connection.execute(_SAVE_RECEIPTS, *_columns(self._receipts))
        if self._events:
            await self._write_events(connection, now)

    async def _write_events(self, connection: asyncpg.Connection, now: datetime) -> None:
        ids, events = zip(*self._events, strict=True)
        names = [type(event).__name__ for event in events]
        members = [event.member_id for event in events]
        await connection.execute(
            _SAVE_EVENTS, self.program_id, list(ids), names, members, [codec.dumps(event) for event in events], now
        )


_RECEIPT_FIELDS = tuple(field.name for field in fields(Receipt))


def _columns(receipts: Sequence[Receipt]) -> list[list[Any]]:
    return [[getattr(receipt, name) for receipt in receipts] for name in _RECEIPT_FIELDS]
