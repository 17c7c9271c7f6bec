"""What the clock does to an account: holds lapse, pending lots activate, lots expire; and debt is paid."""

import heapq
from datetime import UTC, datetime
from typing import Final
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
from domain.points.book import Changes, Source, closed_if_empty
from domain.points.qualifying import QualifyingEntry, year_of
from domain.points.tiering import TieringBook, tier_due_at, years_of
from domain.tiers.tier import Tier
from domain.values import changed

# What the tier's end is queued under: no lot or hold has this id.
_TIER: Final = 0


class SettlingBook(TieringBook):
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
        self._stirred.clear()
        self._queue_tier(queue)
        come_to = datetime.min.replace(tzinfo=UTC)
        while queue and queue[0][0] <= self.state.now:
            at, key = heapq.heappop(queue)
            self.now = come_to = max(come_to, at)
            if key == _TIER:
                self._end_tier_if_due(at)
            elif key in holds:
                self._lapse(holds.pop(key), at)
            else:
                self._happen(UUID(int=key), at)
            self.pay_debt(at)
            self.rise()
            self._queue_tier(queue)
            self._queue_stirred(queue)
        self.now = self.state.now
        self.account = changed(self.account, due_at=self._soonest())

    def _queue_tier(self, queue: list[tuple[datetime, int]]) -> None:
        """Queue the tier's end, unless it is queued for the same time."""
        at = tier_due_at(self.account)
        if at is not None and (at, _TIER) not in queue:
            heapq.heappush(queue, (at, _TIER))

    def _queue_stirred(self, queue: list[tuple[datetime, int]]) -> None:
        """Queue the lots that were opened or changed for when they are due then."""
        for lot_id in self._stirred:
            at = self._due_time(self._lot(lot_id))
            if at is not None:
                heapq.heappush(queue, (at, lot_id.int))
        self._stirred.clear()

    def _end_tier_if_due(self, at: datetime) -> None:
        # What was earned meanwhile may have given it more time.
        if tier_due_at(self.account) == at:
            self._end_tier(at)

    def activate(self, lot: Lot, at: datetime) -> None:
        """Make a pending lot's points available (L3)."""
        transaction = self._record(
            TransactionKind.ACTIVATE,
            lot.remaining,
            Source(SourceType.LOT, lot.id),
            Changes(available=lot.remaining, pending=-lot.remaining),
            occurred_at=at,
            earned_at=lot.earned_at,
        )
        self._keep_draw(transaction, lot, lot.remaining)
        self._put_lot(changed(lot, state=LotState.ACTIVE, available_at=at))

    def find_hold(self, hold_id: UUID) -> Hold:
        """A hold of this member as this posting leaves it. Refuses `NotFound`."""
        saved = self._saved.get(hold_id)
        if isinstance(saved, Hold):
            return saved
        return self.state.get(Hold, hold_id)

    def _lapse(self, hold: Hold, at: datetime) -> None:
        """Release a hold by the clock."""
        self._give_free(hold, self._draws_of(hold.transaction_id), hold.amount, at)
        self._saved[hold.id] = changed(hold, state=HoldState.LAPSED)

    def _happen(self, lot_id: UUID, at: datetime) -> None:
        """Activate or expire a lot, unless what happened before left nothing to do, or put it off."""
        lot = self._lot(lot_id)
        if self._due_time(lot) != at:
            self._stirred.add(lot_id)
        elif lot.state is LotState.PENDING:
            self.activate(lot, at)
        else:
            self._expire(lot, at)

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
        used = changed(lot, remaining=lot.remaining - over)
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
            self._put_lot(changed(current, held=current.held - freed))
            self._keep_draw(transaction, lot, -freed)

    def _draws_of(self, transaction_id: UUID) -> lots.Draws:
        """What a transaction drew, in the order it did, with the lots as this posting leaves them."""
        drawn = [draw for draw in self._draws if draw.transaction_id == transaction_id]
        if not drawn:
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
        tier_ends = tier_due_at(self.account)
        may_change_tier = self.account.pending > 0 or (tier_ends is not None and tier_ends <= self.state.now)
        if may_change_tier:
            wants.append(Want(Tier, self.state.program_id, FAMILY))
        self.state.need(*wants)
        lapsing = [hold for hold in self.state.all(Hold, of=member_id) if hold.lapses_at <= self.state.now]
        wants = [Want(LotDraw, hold.transaction_id, FAMILY) for hold in lapsing]
        if may_change_tier:
            earned_at = [lot.earned_at for lot in self.open_lots if lot.state is LotState.PENDING]
            years = years_of(self.program, self.account, self.state.now, earned_at)
            wants.extend(Want(QualifyingEntry, year_of(member_id, year), FAMILY) for year in years)
        self.state.need(*wants)

    def _open_holds(self) -> tuple[Hold, ...]:
        stored = () if self._is_new else self.state.all(Hold, of=self.account.id)
        saved = {row.id: row for row in self._saved.values() if isinstance(row, Hold)}
        if not saved:
            return stored
        holds = {hold.id: hold for hold in stored} | saved
        return tuple(hold for hold in holds.values() if hold.is_open)

    def _waiting(self) -> list[tuple[datetime, Lot | Hold]]:
        waiting: list[tuple[datetime, Lot | Hold]] = [(hold.lapses_at, hold) for hold in self._open_holds()]
        for lot in self.open_lots:
            at = self._due_time(lot)
            if at is not None:
                waiting.append((at, lot))
        return waiting

    def _soonest(self) -> datetime | None:
        ends = [at for at, _ in self._waiting()]
        tier_ends = tier_due_at(self.account)
        return min((*ends, *(() if tier_ends is None else (tier_ends,))), default=None)

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
            self._saved[shortfall.id] = changed(shortfall, remaining=shortfall.remaining - paid)
