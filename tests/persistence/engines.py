"""Engines on a real PostgreSQL, and shops in programs of their own to run commands for."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg

from domain import enrollments, members, programs
from domain.kernel import AnyRow, Command, Outcome, Refusal, Row, State
from domain.points import commands as moves
from domain.points.account import Lot, PointsAccount, PointTransaction
from domain.purchases import recording
from domain.purchases import refund as refunds
from domain.rewards import commands as mall
from persistence import clock, connection
from persistence.engine import Engine
from persistence.registry import KIND_ORDER
from persistence.tables import TABLES
from tests.domain import invariants

_ids: Final = clock.Ids()


def make(url: str, **told: Any) -> Engine:
    """An engine on a database, not started yet."""
    address = connection.parse_url(url)
    return Engine(lambda: connection.connect(address), **told)


def new_id() -> UUID:
    """An id that nothing else has."""
    return clock.make_id(_ids.next_first(clock.now()))


def key() -> str:
    """An idempotency key that nothing else has."""
    return uuid.uuid4().hex


def ref(member_id: UUID) -> members.MemberRef:
    """A member by its id."""
    return members.MemberRef(id=member_id)


@dataclass(slots=True)
class Shop:
    """One program on one engine; `at` is the same shop on another engine, as another process would serve it."""

    engine: Engine
    program_id: UUID

    def at(self, other: Engine) -> "Shop":
        """The same program through another engine."""
        return Shop(other, self.program_id)

    def submit(self, command: Command[Any], *, actor: str = "till", key: str | None = None) -> asyncio.Future[Any]:
        """Submit a command; its outcome is awaited later."""
        return self.engine.submit(command, program_id=self.program_id, actor=actor, idempotency_key=key)

    async def outcome(self, command: Command[Any], *, actor: str = "till", key: str | None = None) -> Outcome[Any]:
        """Run a command; its outcome."""
        return await self.engine.execute(command, program_id=self.program_id, actor=actor, idempotency_key=key)

    async def run(self, command: Command[Any], *, actor: str = "till", key: str | None = None) -> Any:
        """Run a command; its result."""
        return (await self.outcome(command, actor=actor, key=key)).result

    async def enroll(self, external_id: str | None = None) -> UUID:
        """Enroll a member; its id."""
        enrolled: enrollments.Enrollment = await self.run(enroll(external_id or key()))
        return enrolled.member.id

    def enrolling(self, count: int) -> list[asyncio.Future[Any]]:
        """Submit that many new members."""
        return [self.submit(enroll(key())) for _ in range(count)]

    async def member_with(self, points: int) -> UUID:
        """Enroll a member that has points to spend; its id."""
        member_id = await self.enroll()
        await self.run(adjust(member_id, points))
        return member_id

    async def reward(self, *, points: int, stock: int | None) -> UUID:
        """Put a reward into the mall; its id."""
        command = mall.CreateReward(code=key()[:20], name="Cup", points=points, stock=stock)
        stocked: mall.Stocked = await self.run(command)
        return stocked.reward.id


def enroll(external_id: str) -> enrollments.EnrollMember:
    """A new member."""
    return enrollments.EnrollMember(profile=members.Profile(external_id=external_id))


def adjust(member_id: UUID, points: int, reason: str = "test") -> moves.AdjustPoints:
    """Credit or debit points by hand."""
    return moves.AdjustPoints(member=ref(member_id), points=points, reason=reason)


def buy(member_id: UUID, external_id: str, amount_minor: int = 10_000) -> recording.RecordPurchase:
    """A purchase; at one point a yuan, 10,000 fen earn 100 points."""
    return recording.RecordPurchase(
        member=ref(member_id), external_id=external_id, amount_minor=amount_minor, currency_code="CNY"
    )


async def open_shop(on: Engine, **settings: Any) -> Shop:
    """Found a program."""
    shop = Shop(on, new_id())
    chosen = programs.ProgramSettings(**settings)
    command = programs.CreateProgram(program_id=shop.program_id, name="Tea House", currency_code="CNY", settings=chosen)
    await shop.run(command)
    return shop


async def all_answers(futures: Iterable[Any]) -> list[Any]:
    """What became of each: its outcome, or the exception it raised."""
    return await asyncio.gather(*futures, return_exceptions=True)


def tally(answers: Iterable[Any]) -> Counter[str]:
    """How many were done, and how many were refused or failed with which code or exception."""
    return Counter(_name(answer) for answer in answers)


def _name(answer: object) -> str:
    if isinstance(answer, Refusal):
        return answer.code
    return type(answer).__name__ if isinstance(answer, BaseException) else "done"


class Books:
    """All that PostgreSQL has of a program."""

    def __init__(self, state: State) -> None:
        self.state = state

    def of(self, kind: type[AnyRow]) -> tuple[AnyRow, ...]:
        """Every row of a kind, in the order of ids."""
        return self.state.rows(kind)

    def account(self, member_id: UUID) -> PointsAccount:
        """A member's account."""
        return self.state.get(PointsAccount, member_id)

    def transactions(self, member_id: UUID) -> list[PointTransaction]:
        """A member's transactions in the order of their sequence."""
        found = [row for row in self.of(PointTransaction) if row.member_id == member_id]
        return sorted(found, key=lambda row: row.sequence)

    def lots(self, member_id: UUID) -> list[Lot]:
        """A member's lots, the closed ones too."""
        return [row for row in self.of(Lot) if row.member_id == member_id]

    def check(self) -> int:
        """Prove the promises of L2 for every member from the stored rows alone. How many members there are."""
        for each in self.of(PointsAccount):
            invariants.check_promises(self.state, each)
        return invariants.replay_members(self.state)


async def books(own: asyncpg.Connection, program_id: UUID, kinds: Iterable[type[Row]] = KIND_ORDER) -> Books:
    """Read every row of a program, or those of some kinds, at one instant."""
    state = State(program_id, is_complete=True)
    async with own.transaction(isolation="repeatable_read", readonly=True):
        for kind in kinds:
            found = await rows(own, kind, program_id)
            # Ids are made when a command is told, sequences when it is decided; engines tell at the same time.
            state.keep(sorted(found, key=lambda row: getattr(row, "sequence", 0)))
    return Books(state)


async def rows(own: asyncpg.Connection, kind: type[AnyRow], program_id: UUID) -> list[AnyRow]:
    """Every row of a kind in a program, in the order of ids."""
    table = TABLES[kind]
    records = await own.fetch(
        f"SELECT {table.sql_columns} FROM {table.name} WHERE program_id = $1 ORDER BY id", program_id
    )
    return [table.decode(record) for record in records]  # type: ignore[misc]


async def stored(own: asyncpg.Connection, kind: type[Row], row_id: UUID) -> Row | None:
    """A row by its id, whatever program it is of."""
    table = TABLES[kind]
    record = await own.fetchrow(f"SELECT {table.sql_columns} FROM {table.name} WHERE id = $1", row_id)
    return None if record is None else table.decode(record)


def confirm(purchase_id: UUID) -> recording.ConfirmPurchase:
    """The order was received."""
    return recording.ConfirmPurchase(purchase_id=purchase_id)


def refund(purchase_id: UUID, external_id: str = "r-1", amount_minor: int | None = None) -> refunds.RefundPurchase:
    """A refund, of all that is left unless an amount is told."""
    reference = refunds.PurchaseRef(id=purchase_id)
    return refunds.RefundPurchase(purchase=reference, external_id=external_id, amount_minor=amount_minor)
