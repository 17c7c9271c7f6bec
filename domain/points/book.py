"""The bookkeeping of one account within one command: its figures, its lots, and the rows that explain them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from domain import calendars, checks
from domain.kernel import Event, Row, State
from domain.points import lots
from domain.points.account import (
    DebtOutstanding,
    InsufficientPoints,
    Lot,
    LotDraw,
    LotState,
    PointsAccount,
    PointsOverflow,
    PointTransaction,
    SourceType,
    TransactionKind,
)
from domain.points.qualifying import Qualified, QualifyingEntry, year_of
from domain.programs import Program
from domain.values import changed

# What raises the points that tiers are reached by, once they are available (K1, L3).
_QUALIFYING: Final = frozenset({TransactionKind.EARN, TransactionKind.ACTIVATE})
# What `lifetime_spent` counts; a refund of spending takes it off again.
_SPENDING: Final = frozenset({TransactionKind.REDEEM, TransactionKind.CAPTURE, TransactionKind.REFUND})


class Source(NamedTuple):
    """What a move is about."""

    type: SourceType
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A lot to be opened: points and when they become available (None: when the shop says so) and expire."""

    amount: int
    available_at: datetime | None
    expires_at: datetime | None = None
    expires_when_idle: bool = False


class Changes(NamedTuple):
    """How a transaction changes the account's figures."""

    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0


class Book:
    """An account's figures, lots and new rows. Every transaction is made by `_record`, so that they agree (L2)."""

    def __init__(self, state: State, account: PointsAccount) -> None:
        self.state = state
        self.account = account
        self.program = state.get(Program, state.program_id)
        self.transactions: list[PointTransaction] = []
        self.events: list[Event] = []
        # An account without transactions has no lots and no holds, and while it is being made no row to lock for them.
        self._is_new = account.sequence == 0
        self._lots: dict[UUID, Lot] | None = {} if self._is_new else None
        self._opened: dict[UUID, Lot] = {}
        # The time the book has come to: before the clock's while it catches up.
        self.now = state.now
        # Lots whose due time may be another now, for the clock that catches up.
        self._stirred: set[UUID] = set()
        self._saved: dict[UUID, Row] = {}
        self._draws: list[LotDraw] = []
        # When points of a lot stopped being held: they expire no earlier than that (L10).
        self._freed_at: dict[UUID, datetime] = {}
        # What counts for tiers, by the day it was earned on (K1), and when the latest of it was that may reach one.
        self._qualified: dict[date, Qualified] = {}
        self._may_rise_at: datetime | None = None

    @property
    def open_lots(self) -> tuple[Lot, ...]:
        """The member's open lots as this posting leaves them."""
        return tuple(lot for lot in self._all_lots().values() if lot.is_open)

    def touch(self, at: datetime) -> None:
        """Note that the member earned or spent: what expires by inactivity lasts from here (L5)."""
        later = lots.idle_expires_at(self.program.expiry, at, self.program.time_zone)
        before = self.account.idle_expires_at
        if later is not None and (before is None or later > before):
            self.account = changed(self.account, idle_expires_at=later)

    def credit(
        self,
        kind: TransactionKind,
        source: Source,
        openings: Sequence[Opening],
        *,
        rule: str = "",
        rule_version: int | None = None,
        reverses: UUID | None = None,
        reason: str | None = None,
        occurred_at: datetime | None = None,
    ) -> PointTransaction:
        """Open lots and credit their sum. Refuses `PointsOverflow`."""
        amount = sum(opening.amount for opening in openings)
        pending = sum(opening.amount for opening in openings if self._is_pending(opening))
        transaction = self._record(
            kind,
            amount,
            source,
            Changes(available=amount - pending, pending=pending),
            rule=rule,
            rule_version=rule_version,
            reverses=reverses,
            reason=reason,
            occurred_at=occurred_at,
        )
        self._open_lots(transaction, openings)
        return transaction

    def _all_lots(self) -> dict[UUID, Lot]:
        if self._lots is None:
            self._lots = {lot.id: lot for lot in self.state.all(Lot, of=self.account.id)}
            self._lots.update(self._opened)
        return self._lots

    def _lot(self, lot_id: UUID) -> Lot:
        known = self._all_lots().get(lot_id)
        return self.state.get(Lot, lot_id) if known is None else known

    def _put_lot(self, lot: Lot) -> None:
        (self._opened if self._lots is None else self._lots)[lot.id] = lot
        self._saved[lot.id] = lot
        self._stirred.add(lot.id)
        self._wait_for(self._due_time(lot))

    def _is_pending(self, opening: Opening) -> bool:
        return opening.available_at is None or opening.available_at > self.now

    def _record(
        self,
        kind: TransactionKind,
        amount: int,
        source: Source,
        changes: Changes,
        *,
        rule: str = "",
        rule_version: int | None = None,
        reverses: UUID | None = None,
        reason: str | None = None,
        occurred_at: datetime | None = None,
        earned_at: datetime | None = None,
    ) -> PointTransaction:
        account, state = self.account, self.state
        self.account = self._moved(kind, amount, changes)
        if kind in _QUALIFYING and changes.available:
            self.qualify(Qualified(points=changes.available), earned_at or occurred_at or state.now)
        transaction = PointTransaction(
            id=state.new_id(),
            program_id=account.program_id,
            member_id=account.id,
            sequence=account.sequence + 1,
            kind=kind,
            amount=amount,
            available_after=self.account.available,
            source_type=source.type,
            source_id=source.id,
            rule=rule,
            rule_version=rule_version,
            reverses=reverses,
            reason=reason,
            idempotency_key=state.idempotency_key,
            actor=state.actor,
            occurred_at=occurred_at or state.now,
            recorded_at=state.now,
        )
        self.transactions.append(transaction)
        return transaction

    def _moved(self, kind: TransactionKind, amount: int, changes: Changes) -> PointsAccount:
        """The account after a transaction. Refuses `PointsOverflow`."""
        account = self.account
        available = account.available + changes.available
        pending = account.pending + changes.pending
        held = account.held + changes.held
        debt = account.debt + changes.debt
        assert min(available, pending, held, debt) >= 0, "no figure of an account is negative (L2)"
        if available + pending + held > checks.POINTS_MAX:
            raise PointsOverflow(points_max=checks.POINTS_MAX)
        return changed(
            account,
            available=available,
            pending=pending,
            held=held,
            debt=debt,
            lifetime_earned=account.lifetime_earned + (amount if kind is TransactionKind.EARN else 0),
            lifetime_spent=account.lifetime_spent - (amount if kind in _SPENDING else 0),
            lifetime_expired=account.lifetime_expired - (amount if kind is TransactionKind.EXPIRE else 0),
            sequence=account.sequence + 1,
        )

    def _open_lots(self, transaction: PointTransaction, openings: Sequence[Opening]) -> None:
        for opening in openings:
            is_pending = self._is_pending(opening)
            self._put_lot(
                Lot(
                    id=self.state.new_id(),
                    program_id=self.account.program_id,
                    member_id=self.account.id,
                    transaction_id=transaction.id,
                    source_type=transaction.source_type,
                    source_id=transaction.source_id,
                    amount=opening.amount,
                    remaining=opening.amount,
                    state=LotState.PENDING if is_pending else LotState.ACTIVE,
                    available_at=opening.available_at,
                    expires_at=opening.expires_at,
                    expires_when_idle=opening.expires_when_idle,
                    earned_at=transaction.occurred_at,
                )
            )

    def _draws_for(self, amount: int) -> lots.Draws:
        if self.account.debt > 0:
            raise DebtOutstanding(debt=self.account.debt)
        if amount > self.account.available:
            raise InsufficientPoints(required=amount, available=self.account.available)
        return lots.choose(self.open_lots, self.account, amount)

    def _draw(self, transaction: PointTransaction, draws: lots.Draws) -> None:
        for lot, taken in draws:
            used = changed(lot, remaining=lot.remaining - taken)
            self._put_lot(closed_if_empty(used, LotState.EXHAUSTED))
            self._keep_draw(transaction, lot, taken)

    def _keep_draw(self, transaction: PointTransaction, lot: Lot, amount: int) -> None:
        draw = LotDraw(
            id=self.state.new_id(),
            program_id=self.account.program_id,
            transaction_id=transaction.id,
            lot_id=lot.id,
            amount=amount,
        )
        self._draws.append(draw)

    def qualify(self, change: Qualified, at: datetime) -> None:
        """Count for tiers what was earned, paid and bought at a business time, or take it off again (K1)."""
        account = self.account
        self.account = changed(
            account,
            qualifying_points=account.qualifying_points + change.points,
            spend_minor=account.spend_minor + change.spend_minor,
            purchases=account.purchases + change.purchases,
        )
        figures = (self.account.qualifying_points, self.account.spend_minor, self.account.purchases)
        assert min(figures) >= 0, "no more is taken off than was counted"
        day = calendars.local_date(at, self.program.time_zone)
        self._qualified[day] = self._qualified.get(day, Qualified()) + change
        # A new member has the lowest tier if that needs nothing; otherwise only more than before reaches one.
        may_rise = min(change) >= 0 and (self._is_new or max(change) > 0)
        if may_rise and (self._may_rise_at is None or at > self._may_rise_at):
            self._may_rise_at = at

    def _qualifying_entries(self) -> list[QualifyingEntry]:
        return [
            QualifyingEntry(
                id=self.state.new_id(),
                program_id=self.account.program_id,
                member_id=self.account.id,
                year_id=year_of(self.account.id, day.year),
                day=day,
                points=counted.points,
                spend_minor=counted.spend_minor,
                purchases=counted.purchases,
            )
            for day, counted in self._qualified.items()
            if counted != Qualified()
        ]

    def _due_time(self, lot: Lot) -> datetime | None:
        """When the clock acts on a lot next: nothing expires before it is available, or while it is held."""
        if lot.state is LotState.PENDING:
            return lot.available_at
        expiry = lots.expiry_of(lot, self.account) if lot.free else None
        if expiry is None:
            return None
        return max(expiry, lot.available_at or expiry, self._freed_at.get(lot.id, expiry))

    def _wait_for(self, at: datetime | None) -> None:
        due_at = self.account.due_at
        if at is not None and (due_at is None or at < due_at):
            self.account = changed(self.account, due_at=at)


def closed_if_empty(lot: Lot, state: LotState) -> Lot:
    return lot if lot.remaining else changed(lot, state=state)
