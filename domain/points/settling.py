"""What the clock does to an account: holds lapse, pending lots activate, lots expire; and debt is paid."""

import heapq
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.kernel import FAMILY, Want
from domain.points import lots
from domain.points.account import (
    Hold,
    HoldState,
    Lot,
    LotDraw,
    LotState,
    Shortfall,
    SourceType,
    TransactionKind,
)
from domain.points.book import Book, Changes, Source, closed_if_empty
from domain.tiers import Tier


class SettlingBook(Book):
    """A book that can catch up with the clock, each due thing at its own time, in order."""

    def settle(self) -> None:
        """Let the clock catch up: lapse holds, activate and expire lots, each at its own time, in order.

        Debt is paid as soon as something can pay it, so that a late clock comes to the same end as
        a punctual one.
        """
        self._need_waiting()
        holds = {hold.id.int: hold for hold in self._open_holds()}
        queue = [(at, item.id.int) for at, item in self._waiting()]
        heapq.heapify(queue)
        while queue and queue[0][0] <= self.state.now:
            at, key = heapq.heappop(queue)
            changed = self._lapse(holds.pop(key), at) if key in holds else self._happen(UUID(int=key), at)
            self.pay_debt(at)
            for lot in changed:
                again = self._due_time(self._lot(lot.id))
                if again is not None:
                    heapq.heappush(queue, (again, lot.id.int))
        self.account = replace(self.account, due_at=self._soonest())

    def activate(self, lot: Lot, at: datetime) -> None:
        """Make a pending lot's points available (L3)."""
        transaction = self._record(
            TransactionKind.ACTIVATE,
            lot.remaining,
            Source(SourceType.LOT, lot.id),
            Changes(available=lot.remaining, pending=-lot.remaining),
            occurred_at=at,
        )
        self._keep_draw(transaction, lot, lot.remaining)
        self._put_lot(replace(lot, state=LotState.ACTIVE, available_at=at))

    def find_hold(self, hold_id: UUID) -> Hold:
        """A hold of this member as this posting leaves it. Refuses `NotFound`."""
        saved = self._saved.get(hold_id)
        if isinstance(saved, Hold):
            return saved
        return self.state.get(Hold, hold_id)

    def _lapse(self, hold: Hold, at: datetime) -> Sequence[Lot]:
        """Release a hold by the clock. Returns the lots whose time may have come with it."""
        draws = self._draws_of(hold.transaction_id)
        self._give_free(hold, draws, hold.amount, at)
        self._saved[hold.id] = replace(hold, state=HoldState.LAPSED)
        return [lot for lot, _ in draws]

    def _happen(self, lot_id: UUID, at: datetime) -> Sequence[Lot]:
        """Activate or expire a lot, unless what happened before left nothing to do. Returns it if it lives on."""
        lot = self._lot(lot_id)
        if self._due_time(lot) != at:
            return ()
        if lot.state is LotState.PENDING:
            self.activate(lot, at)
            return (lot,)
        self._expire(lot, at)
        return ()

    def _expire(self, lot: Lot, at: datetime) -> None:
        over = lot.free
        transaction = self._record(
            TransactionKind.EXPIRE,
            -over,
            Source(SourceType.LOT, lot.id),
            Changes(available=-over),
            occurred_at=at,
        )
        self._keep_draw(transaction, lot, over)
        used = replace(lot, remaining=lot.remaining - over)
        self._put_lot(closed_if_empty(used, LotState.EXPIRED))

    def _give_free(self, hold: Hold, draws: lots.Draws, amount: int, at: datetime) -> None:
        transaction = self._record(
            TransactionKind.RELEASE,
            amount,
            Source(SourceType.HOLD, hold.id),
            Changes(available=amount, held=-amount),
            occurred_at=at,
        )
        for lot, freed in draws:
            current = self._lot(lot.id)
            self._freed_at[lot.id] = at
            self._put_lot(replace(current, held=current.held - freed))
            self._keep_draw(transaction, lot, -freed)

    def _draws_of(self, transaction_id: UUID) -> lots.Draws:
        """What a stored transaction drew, in the order it did, with the lots as this posting leaves them."""
        self.state.need(Want(LotDraw, transaction_id, FAMILY), Want(Lot, self.account.id, FAMILY))
        drawn = sorted(self.state.all(LotDraw, of=transaction_id), key=lambda draw: draw.id.int)
        known = self._all_lots()
        # Lots that are used up are in no family: ask for all of them at once.
        self.state.need(*(Want(Lot, draw.lot_id, is_locked=True) for draw in drawn if draw.lot_id not in known))
        return tuple((self._lot(draw.lot_id), draw.amount) for draw in drawn)

    def _need_waiting(self) -> None:
        """Ask at once for all that the clock may act on."""
        if self._is_new:
            return
        member_id = self.account.id
        wants = [Want(Lot, member_id, FAMILY), Want(Hold, member_id, FAMILY)]
        if self.account.debt:
            wants.append(Want(Shortfall, member_id, FAMILY))
        if self.account.pending:
            wants.append(Want(Tier, self.state.program_id, FAMILY))
        self.state.need(*wants)
        lapsing = [hold for hold in self.state.all(Hold, of=member_id) if hold.lapses_at <= self.state.now]
        self.state.need(*(Want(LotDraw, hold.transaction_id, FAMILY) for hold in lapsing))

    def _open_holds(self) -> tuple[Hold, ...]:
        stored = () if self._is_new else self.state.all(Hold, of=self.account.id)
        holds = {hold.id: hold for hold in stored}
        holds.update({row.id: row for row in self._saved.values() if isinstance(row, Hold)})
        return tuple(hold for hold in holds.values() if hold.is_open)

    def _waiting(self) -> list[tuple[datetime, Lot | Hold]]:
        waiting: list[tuple[datetime, Lot | Hold]] = [(hold.lapses_at, hold) for hold in self._open_holds()]
        for lot in self.open_lots:
            at = self._due_time(lot)
            if at is not None:
                waiting.append((at, lot))
        return waiting

    def _soonest(self) -> datetime | None:
        return min((at for at, _ in self._waiting()), default=None)

    def pay_debt(self, at: datetime) -> None:
        """Available points pay what is owed, the oldest first, before anything can spend them (L8)."""
        if not (self.account.debt and self.account.available):
            return
        self.state.need(Want(Shortfall, self.account.id, FAMILY), Want(Lot, self.account.id, FAMILY))
        owed = {row.id: row for row in self.state.all(Shortfall, of=self.account.id)}
        owed.update({row.id: row for row in self._saved.values() if isinstance(row, Shortfall)})
        for shortfall in sorted(owed.values(), key=lambda row: row.id.int):
            paid = min(shortfall.remaining, self.account.available)
            if not paid:
                continue
            draws = lots.choose(self.open_lots, self.account, paid)
            transaction = self._record(
                TransactionKind.REVERSE,
                -paid,
                Source(SourceType.SHORTFALL, shortfall.id),
                Changes(available=-paid, debt=-paid),
                reverses=shortfall.reverses,
                occurred_at=at,
            )
            self._draw(transaction, draws)
            self._saved[shortfall.id] = replace(shortfall, remaining=shortfall.remaining - paid)
