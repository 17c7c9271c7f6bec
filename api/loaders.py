"""One question at a time: what a request reads, it reads for all its fields together, and once."""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from domain import members, programs
from domain.earning.rule_sets import EarningRules
from domain.kernel import Row
from domain.points import reading, segmenting
from domain.points.account import PointsAccount
from domain.segments import Segment, of_member
from domain.stores import Store
from domain.terms.naming import Naming
from domain.tiers.tier import Tier
from persistence import earning as stored_earning
from persistence import pages, points, rows
from persistence import segments as stored_segments
from persistence import tiers as stored_tiers

AnyRow = TypeVar("AnyRow", bound=Row)
FamilyReader = Callable[[UUID, Sequence[UUID], pages.Slice], Awaitable[dict[UUID, list[Any]]]]
# What a program has at an instant, by keys of any kind.
KeyedReader = Callable[[UUID, datetime, Sequence[Any]], Awaitable[Mapping[Any, Any]]]


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
        self._keyed: dict[KeyedReader, DataLoader[Any, Any]] = {}
        self._accounts = DataLoader(self._read_accounts)
        self._ledgers = DataLoader(self._read_ledgers)
        self._ladders = DataLoader(self._read_ladders)
        self._rule_sets = DataLoader(self._read_rule_sets)
        self._rule_sets.prime_many({row.version: row for row in self._told if isinstance(row, EarningRules)})
        self._namings = DataLoader(self._read_namings)
        self._budgets = DataLoader(self._read_budgets)
        self._segments = DataLoader(self._read_segments)
        self._segments_by_code = DataLoader(self._read_segments_by_code)
        self._segments_of = DataLoader(self._read_segments_of)

    def row(self, kind: type[AnyRow], key: UUID) -> Awaitable[AnyRow | None]:
        """A row by its id; None if this program has none."""
        return self._loader_of(kind).load(key)

    def rows(self, kind: type[AnyRow], keys: Sequence[UUID]) -> Awaitable[list[AnyRow | None]]:
        """Like `row`, for several."""
        return self._loader_of(kind).load_many(keys)

    def _loader_of(self, kind: type[AnyRow]) -> DataLoader[UUID, AnyRow | None]:
        loader = self._rows.get(kind)
        if loader is None:
            loader = self._rows[kind] = DataLoader(self._reader_of(kind))
            loader.prime_many({told.id: told for told in self._told if isinstance(told, kind)})
        return loader

    def account(self, member_id: UUID) -> Awaitable[PointsAccount | None]:
        """A member's account as of now."""
        return self._accounts.load(member_id)

    def accounts(self, member_ids: Sequence[UUID]) -> Awaitable[list[PointsAccount | None]]:
        """Like `account`, for several."""
        return self._accounts.load_many(member_ids)

    def ledger(self, member_id: UUID, *, counts: bool = False) -> Awaitable[reading.Ledger | None]:
        """A member's account with its open lots and holds as of now; with what `counts` for its tier, if asked."""
        return self._ledgers.load((member_id, counts))

    def ladder(self) -> Awaitable[list[Tier]]:
        """Every tier of the program, the lowest first."""
        return self._ladders.load(self._program_id)

    def rule_set(self, version: int) -> Awaitable[EarningRules]:
        """A version of the program's rules and campaigns."""
        return self._rule_sets.load(version)

    def naming(self, version: int) -> Awaitable[Naming]:
        """What the things are called that the rules of a version name."""
        return self._namings.load(version)

    def budgets(self) -> Awaitable[dict[str, int]]:
        """What the rules of each campaign with a budget gave so far, by its code."""
        return self._budgets.load(self._program_id)

    def segments(self) -> Awaitable[list[Segment]]:
        """Every segment of the program that is not archived, the oldest first."""
        return self._segments.load(self._program_id)

    def segment(self, code: str) -> Awaitable[Segment | None]:
        """A segment by its code, archived or not; None if the program has none."""
        return self._segments_by_code.load(code)

    def segments_of(self, member_id: UUID) -> Awaitable[tuple[Segment, ...]]:
        """The segments that a member is in now, the oldest first."""
        return self._segments_of.load(member_id)

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

    def keyed(self, read: KeyedReader, key: object) -> Awaitable[Any]:
        """What `read` answers to a key, asked for all keys of a request together; None if it answers nothing."""
        return self._keyed_by(read).load(key)

    def know(self, read: KeyedReader, key: object, value: object) -> None:
        """Note an answer of `read` that was learnt on another way."""
        self._keyed_by(read).prime(key, value)

    def _keyed_by(self, read: KeyedReader) -> DataLoader[Any, Any]:
        loader = self._keyed.get(read)
        if loader is None:

            async def load(keys: list[Any]) -> list[Any]:
                found = await read(self._program_id, self._now, keys)
                return [found.get(key) for key in keys]

            loader = self._keyed[read] = DataLoader(load)
        return loader

    def _reader_of(self, kind: type[AnyRow]) -> Callable[[list[UUID]], Awaitable[list[AnyRow | None]]]:
        async def read(keys: list[UUID]) -> list[AnyRow | None]:
            found = await rows.by_ids(kind, self._program_id, keys)
            return [found.get(key) for key in keys]

        return read

    async def _read_accounts(self, keys: list[UUID]) -> list[PointsAccount | None]:
        found = await rows.by_ids(PointsAccount, self._program_id, keys)
        due = [key for key, row in found.items() if reading.is_due(row, self._now)]
        if due:
            ledgers = await self._ledgers.load_many([(key, False) for key in due])
            found.update({ledger.account.id: ledger.account for ledger in ledgers if ledger is not None})
        return [found.get(key) for key in keys]

    async def _read_ledgers(self, keys: list[tuple[UUID, bool]]) -> list[reading.Ledger | None]:
        # Only what counts for tiers, and the clock, look at the program.
        program = await self.program() if any(counts for _, counts in keys) else None
        members_asked = list(dict.fromkeys(member_id for member_id, _ in keys))
        found, program = await points.ledgers(self._program_id, members_asked, self._now, program)
        if program is not None and any(reading.is_due(ledger.account, self._now) for ledger in found.values()):
            self._loader_of(programs.Program).prime(program.id, program)
            ladder = await self.ladder()
            found = {key: reading.settled(ledger, program, ladder, self._now) for key, ledger in found.items()}
        return [found.get(member_id) for member_id, _ in keys]

    async def _read_rule_sets(self, versions: list[int]) -> list[EarningRules]:
        found = await rows.by_keys(EarningRules, self._program_id, "version", versions)
        return [found[version] for version in versions]

    async def _read_namings(self, versions: list[int]) -> list[Naming]:
        program, ladder, segments = await self.program(), await self.ladder(), await self.segments()
        namings: list[Naming] = []
        for rule_set in await self._rule_sets.load_many(versions):
            named = {store_id for rule in rule_set.rules for store_id in (*rule.when.stores, *rule.when.without_stores)}
            found = await self.rows(Store, sorted(named, key=lambda store_id: store_id.int))
            namings.append(
                Naming(
                    currency_code=program.currency_code,
                    time_zone=program.time_zone,
                    tiers={tier.id: tier.name for tier in ladder},
                    stores={store.id: store.name for store in found if store is not None},
                    segments={segment.code: segment.name for segment in segments},
                    campaigns={campaign.code: campaign for campaign in rule_set.campaigns},
                )
            )
        return namings

    async def _read_ladders(self, keys: list[UUID]) -> list[list[Tier]]:
        return [await stored_tiers.ladder(key) for key in keys]

    async def _read_budgets(self, keys: list[UUID]) -> list[dict[str, int]]:
        return [await stored_earning.budgets(key) for key in keys]

    async def _read_segments(self, keys: list[UUID]) -> list[list[Segment]]:
        return [await stored_segments.open_ones(key) for key in keys]

    async def _read_segments_by_code(self, codes: list[str]) -> list[Segment | None]:
        found = await rows.by_keys(Segment, self._program_id, "code", codes)
        return [found.get(code) for code in codes]

    async def _read_segments_of(self, keys: list[UUID]) -> list[tuple[Segment, ...]]:
        known = await self.segments()
        if not known:
            return [() for _ in keys]
        program = await self.program()
        pairs = zip(await self.rows(members.Member, keys), await self.accounts(keys), strict=True)
        return [
            ()
            if member is None or account is None
            else of_member(known, member, segmenting.figures_of(account), now=self._now, time_zone=program.time_zone)
            for member, account in pairs
        ]


def _rows_in(told: object) -> tuple[Row, ...]:
    """The rows in a command's result: itself, or the fields of it."""
    if isinstance(told, Row):
        return (told,)
    if not dataclasses.is_dataclass(told):
        return ()
    values = (getattr(told, field.name) for field in dataclasses.fields(told))
    return tuple(value for value in values if isinstance(value, Row))
