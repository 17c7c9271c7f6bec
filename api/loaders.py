"""One question at a time: what a request reads, it reads for all its fields together, and once."""

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from domain import programs, tiers
from domain.kernel import Row
from domain.points import reading
from domain.points.account import PointsAccount
from persistence import pages, points, rows
from persistence import tiers as stored_tiers

AnyRow = TypeVar("AnyRow", bound=Row)
FamilyReader = Callable[[UUID, Sequence[UUID], pages.Slice], Awaitable[dict[UUID, list[Any]]]]


class Loaders:
    """The loaders of one request in one program. Accounts and ledgers are shown as the clock leaves them (L5).

    `told` is a command's result: the rows in it are known without being read.
    """

    def __init__(self, program_id: UUID, now: datetime, told: object = None) -> None:
        self._program_id = program_id
        self._now = now
        self._told = _rows_in(told)
        self._rows: dict[type[Row], DataLoader[UUID, Any]] = {}
        self._families: dict[tuple[FamilyReader, pages.Slice], DataLoader[UUID, list[Any]]] = {}
        self._accounts = DataLoader(self._read_accounts)
        self._ledgers = DataLoader(self._read_ledgers)
        self._ladders = DataLoader(self._read_ladders)

    def row(self, kind: type[AnyRow], key: UUID) -> Awaitable[AnyRow | None]:
        """A row by its id; None if this program has none."""
        loader = self._rows.get(kind)
        if loader is None:
            loader = self._rows[kind] = DataLoader(self._reader_of(kind))
            loader.prime_many({told.id: told for told in self._told if isinstance(told, kind)})
        return loader.load(key)

    def account(self, member_id: UUID) -> Awaitable[PointsAccount | None]:
        """A member's account as of now."""
        return self._accounts.load(member_id)

    def ledger(self, member_id: UUID) -> Awaitable[reading.Ledger | None]:
        """A member's account with its open lots and holds as of now."""
        return self._ledgers.load(member_id)

    def ladder(self) -> Awaitable[list[tiers.Tier]]:
        """Every tier of the program, the lowest first."""
        return self._ladders.load(self._program_id)

    async def program(self) -> programs.Program:
        """The caller's program."""
        found = await self.row(programs.Program, self._program_id)
        assert found is not None, "a credential names a program that exists"
        return found

    def family(self, read: FamilyReader, part: pages.Slice, parent: UUID) -> Awaitable[list[Any]]:
        """A page of what belongs to a parent, read for all parents of whom the same page is asked."""
        loader = self._families.get((read, part))
        if loader is None:

            async def load(parents: list[UUID]) -> list[list[Any]]:
                found = await read(self._program_id, parents, part)
                return [found.get(parent, []) for parent in parents]

            loader = self._families[(read, part)] = DataLoader(load)
        return loader.load(parent)

    def _reader_of(self, kind: type[AnyRow]) -> Callable[[list[UUID]], Awaitable[list[AnyRow | None]]]:
        async def read(keys: list[UUID]) -> list[AnyRow | None]:
            found = await rows.by_ids(kind, self._program_id, keys)
            return [found.get(key) for key in keys]

        return read

    async def _read_accounts(self, keys: list[UUID]) -> list[PointsAccount | None]:
        found = await rows.by_ids(PointsAccount, self._program_id, keys)
        due = [key for key, row in found.items() if reading.is_due(row, self._now)]
        if due:
            ledgers = await self._ledgers.load_many(due)
            found.update({ledger.account.id: ledger.account for ledger in ledgers if ledger is not None})
        return [found.get(key) for key in keys]

    async def _read_ledgers(self, keys: list[UUID]) -> list[reading.Ledger | None]:
        found = await points.ledgers(self._program_id, keys)
        if any(reading.is_due(ledger.account, self._now) for ledger in found.values()):
            program, ladder = await self.program(), await self.ladder()
            found = {key: reading.settled(ledger, program, ladder, self._now) for key, ledger in found.items()}
        return [found.get(key) for key in keys]

    async def _read_ladders(self, keys: list[UUID]) -> list[list[tiers.Tier]]:
        return [await stored_tiers.ladder(key) for key in keys]


def _rows_in(told: object) -> tuple[Row, ...]:
    """The rows in a command's result: itself, or the fields of it."""
    if isinstance(told, Row):
        return (told,)
    if not dataclasses.is_dataclass(told):
        return ()
    values = (getattr(told, field.name) for field in dataclasses.fields(told))
    return tuple(value for value in values if isinstance(value, Row))
