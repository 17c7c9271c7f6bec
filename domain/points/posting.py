"""A posting: everything one command does to one member's account, checked and ready to save.

It is the one door through which points move. It opens on the member's locked account, first lets
the clock catch up (lots that became available or expired, holds that lapsed), then takes the
command's moves, and closes into the rows to save with debt paid and tiers reached.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.kernel import FAMILY, AnyRow, Event, NotFound, Row, State, Want
from domain.members import Member, MemberRef
from domain.points import lots
from domain.points.account import (
    AccountStatus,
    Hold,
    HoldNotOpen,
    HoldState,
    Lot,
    LotState,
    MemberFrozen,
    PointsAccount,
    PointTransaction,
    Shortfall,
    ShortfallOutcome,
    SourceType,
    TransactionKind,
)
from domain.points.book import Changes, Opening, Source, closed_if_empty
from domain.points.challenging import ChallengingBook
from domain.points.qualifying import Qualified
from domain.programs import Program, ReturnPolicy, ShortfallPolicy
from domain.tiers.tier import Tier
from domain.values import changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Clawed:
    """What a clawback took: from pending points, from available ones, and what it could not take (L8)."""

    cancelled: int
    reversed: int
    short: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """How spent points came back: to their lots, to replacement lots, or not at all (L4)."""

    to_lots: int
    replaced: int
    forfeited: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettled(Event):
    """The clock acted on an account: lots activated or expired, or holds lapsed."""

    transactions: int


class Posting(ChallengingBook):
    """The moves of one command on one account. Make one with `open_posting`."""

    def catch_up(self) -> None:
        """Let the clock catch up, if anything is due."""
        if self.account.due_at is not None and self.account.due_at <= self.state.now:
            self.settle()

    def require_active(self) -> None:
        """Refuses `MemberFrozen`."""
        if self.account.status is AccountStatus.FROZEN:
            raise MemberFrozen

    def latest(self, kind: type[AnyRow], key: UUID) -> AnyRow | None:
        """A row of the member as this posting leaves it; None if there is none."""
        return self._latest(kind, key)

    def put(self, row: Row) -> None:
        """Keep a row of the member to be saved with the posting, in place of an earlier version of it."""
        self._saved[row.id] = row

    def spend(
        self,
        kind: TransactionKind,
        amount: int,
        source: Source,
        *,
        reason: str | None = None,
    ) -> lots.Draws:
        """Take available points in spend order (L4). Refuses `DebtOutstanding` and `InsufficientPoints`."""
        draws = self._draws_for(amount)
        transaction = self._record(kind, -amount, source, Changes(available=-amount), reason=reason)
        self._draw(transaction, draws)
        return draws

    def redeem(self, amount: int, source: Source) -> PointTransaction:
        """Spend points on something; counts as activity. Refuses like `spend`."""
        self.spend(TransactionKind.REDEEM, amount, source)
        self.touch(self.state.now)
        return self.transactions[-1]

    def hold(self, amount: int, *, reference: str | None, lapses_at: datetime) -> Hold:
        """Set points aside (L10). Refuses like `spend`."""
        draws = self._draws_for(amount)
        hold_id = self.state.new_id()
        transaction = self._record(
            TransactionKind.HOLD,
            -amount,
            Source(SourceType.HOLD, hold_id),
            Changes(available=-amount, held=amount),
        )
        for lot, taken in draws:
            self._put_lot(changed(lot, held=lot.held + taken))
            self._keep_draw(transaction, lot, taken)
        hold = Hold(
            id=hold_id,
            program_id=self.account.program_id,
            member_id=self.account.id,
            transaction_id=transaction.id,
            amount=amount,
            reference=reference,
            held_at=self.state.now,
            lapses_at=lapses_at,
        )
        self._saved[hold.id] = hold
        self._wait_for(lapses_at)
        return hold

    def capture(self, hold: Hold, amount: int) -> tuple[Hold, PointTransaction]:
        """Spend held points; what the capture leaves of the hold is released (L10). Refuses `HoldNotOpen`."""
        self._require_open(hold)
        draws = self._draws_of(hold.transaction_id)
        captured = _first(draws, amount)
        transaction = self._record(
            TransactionKind.CAPTURE,
            -amount,
            Source(SourceType.HOLD, hold.id),
            Changes(held=-amount),
        )
        for lot, taken in captured:
            used = changed(lot, held=lot.held - taken, remaining=lot.remaining - taken)
            self._put_lot(closed_if_empty(used, LotState.EXHAUSTED))
            self._keep_draw(transaction, lot, taken)
        self.touch(self.state.now)
        if amount < hold.amount:
            self._give_free(hold, _after(draws, amount), hold.amount - amount, self.state.now)
        hold = changed(hold, state=HoldState.CAPTURED, captured=amount)
        self._saved[hold.id] = hold
        return hold, transaction

    def release(self, hold: Hold) -> Hold:
        """Make held points available again; those that expired meanwhile expire now (L10). Refuses `HoldNotOpen`."""
        self._require_open(hold)
        self._give_free(hold, self._draws_of(hold.transaction_id), hold.amount, self.state.now)
        hold = changed(hold, state=HoldState.RELEASED)
        self._saved[hold.id] = hold
        return hold

    def give_back(self, spending: UUID, source: Source, amount: int, *, returned_before: int = 0) -> Returned:
        """Return points of a spending to the lots they came from, with their expiry (L4, L9).

        Points of a lot that has expired go by the program's return policy. `returned_before` is
        how many points of the same spending came back earlier.
        """
        backwards = lots.giving_back(self._draws_of(spending), returned_before, amount)
        alive = [(lot, given) for lot, given in backwards if not self._is_over(lot)]
        lost = sum(given for lot, given in backwards if self._is_over(lot))
        replaced = lost if self.program.return_policy is ReturnPolicy.REPLACE else 0
        to_lots = amount - lost
        if to_lots + replaced:
            self._refund(alive, replaced, to_lots, source, spending)
        return Returned(to_lots=to_lots, replaced=replaced, forfeited=lost - replaced)

    def note_purchase(self, at: datetime) -> None:
        """Note when the member last bought."""
        before = self.account.last_purchase_at
        if before is None or at > before:
            self.account = changed(self.account, last_purchase_at=at)

    def claw_back(self, amount: int, source: Source, *, earned_by: UUID, reverses: UUID, earned_at: datetime) -> Clawed:
        """Take earned points back: those of pending lots of what earned them, of its active ones, then others (L8).

        `earned_by` is the purchase or activity, `reverses` its earning, `earned_at` when it was. What cannot be taken
        is `short`.
        """
        own = sorted((lot for lot in self.open_lots if lot.source_id == earned_by), key=lambda lot: lot.id.int)
        pending = [lot for lot in own if lot.state is LotState.PENDING]
        cancelled = self._cancel(pending, amount, source, reverses)
        rest = amount - cancelled
        drawn = self._claw_draws(own, rest)
        taken = sum(points for _, points in drawn)
        if taken:
            transaction = self._record(
                TransactionKind.REVERSE,
                -taken,
                source,
                Changes(available=-taken),
                reverses=reverses,
            )
            self._draw(transaction, drawn)
        # What could not be taken lowers the metric too: what earned it no longer counts (K1).
        self.qualify(Qualified(points=-min(rest, self.account.qualifying_points)), earned_at)
        return Clawed(cancelled=cancelled, reversed=taken, short=rest - taken)

    def fall_short(self, amount: int, outcome: ShortfallOutcome, source: Source, *, reverses: UUID) -> Shortfall:
        """Keep what a clawback could not take as a row of its own; a DEBT is owed from now on (L8)."""
        is_debt = outcome is ShortfallOutcome.DEBT
        shortfall = Shortfall(
            id=self.state.new_id(),
            program_id=self.account.program_id,
            member_id=self.account.id,
            source_type=source.type,
            source_id=source.id,
            reverses=reverses,
            outcome=outcome,
            amount=amount,
            remaining=amount if is_debt else 0,
            occurred_at=self.state.now,
            recorded_at=self.state.now,
        )
        self._saved[shortfall.id] = shortfall
        if is_debt:
            self.account = changed(self.account, debt=self.account.debt + amount)
        return shortfall

    def close(self) -> tuple[Row, ...]:
        """Reach tiers, settle what this posting made due, pay debt, and hand over the rows to save."""
        self.rise()
        self.catch_up()
        self.pay_debt(self.state.now)
        if self.program.challenge_version:
            self.unlock_badges()
        entries = self._qualifying_entries()
        return (self.account, *self.transactions, *self._saved.values(), *self._draws, *entries)

    def settled_events(self) -> tuple[Event, ...]:
        """What to tell of a posting that has closed, where the clock may have been all that moved points."""
        told = (AccountSettled(member_id=self.account.id, transactions=len(self.transactions)),)
        return (*(told if self.transactions else ()), *self.events)

    def _require_open(self, hold: Hold) -> None:
        if hold.state is not HoldState.HELD:
            raise HoldNotOpen(state=hold.state)

    def _refund(
        self,
        alive: Sequence[tuple[Lot, int]],
        replaced: int,
        to_lots: int,
        source: Source,
        spending: UUID,
    ) -> None:
        back = to_lots + replaced
        transaction = self._record(TransactionKind.REFUND, back, source, Changes(available=back), reverses=spending)
        for lot, given in alive:
            current = self._lot(lot.id)
            self._put_lot(changed(current, remaining=current.remaining + given, state=LotState.ACTIVE))
            self._keep_draw(transaction, lot, -given)
        if replaced:
            ends = lots.replacement_expires_at(self.program, self.state.now)
            self._open_lots(
                transaction,
                (Opening(amount=replaced, available_at=self.state.now, expires_at=ends),),
            )

    def _is_over(self, lot: Lot) -> bool:
        expiry = lots.expiry_of(lot, self.account)
        return lot.state is LotState.EXPIRED or (expiry is not None and expiry <= self.state.now)

    def _cancel(self, pending: Sequence[Lot], amount: int, source: Source, reverses: UUID) -> int:
        taken = min(amount, sum(lot.remaining for lot in pending))
        if not taken:
            return 0
        transaction = self._record(TransactionKind.CANCEL, -taken, source, Changes(pending=-taken), reverses=reverses)
        for lot, part in _first(tuple((lot, lot.remaining) for lot in pending), taken):
            used = changed(lot, remaining=lot.remaining - part)
            self._put_lot(closed_if_empty(used, LotState.CANCELLED))
            self._keep_draw(transaction, lot, part)
        return taken

    def _claw_draws(self, own: Sequence[Lot], amount: int) -> lots.Draws:
        of_own = min(amount, sum(lot.free for lot in own))
        drawn = lots.choose(own, self.account, of_own)
        owned = {lot.id for lot in own}
        others = [lot for lot in self.open_lots if lot.id not in owned]
        of_others = min(amount - of_own, sum(lot.free for lot in others))
        return drawn + lots.choose(others, self.account, of_others)


def wants_to_settle(program_id: UUID, member_id: UUID) -> tuple[Want, ...]:
    """What the clock's commands need of a member, so that it is loaded in one round."""
    return (
        Want(Program, program_id),
        Want(Tier, program_id, FAMILY),
        Want(PointsAccount, member_id, is_locked=True),
        Want(Lot, member_id, FAMILY),
        Want(Hold, member_id, FAMILY),
    )


def wants_to_draw(state: State, member_id: UUID) -> tuple[Want, ...]:
    """What a posting that draws from lots needs, so that a command can ask for it in one round with its own."""
    return (
        Want(PointsAccount, member_id, is_locked=True),
        Want(Program, state.program_id),
        Want(Lot, member_id, FAMILY),
    )


def account_wants(ref: MemberRef) -> tuple[Want, ...]:
    """What finds and locks the account of the member a caller names, in one round."""
    if ref.id is not None:
        return (Want(PointsAccount, ref.id, is_locked=True),)
    keys = ("external_id", "phone", "card_number")
    return tuple(
        Want(Member, value, key, then=PointsAccount) for key in keys if (value := getattr(ref, key)) is not None
    )


def open_posting(state: State, member_id: UUID) -> Posting:
    """Lock a member's account and let the clock catch up on it. Refuses `NotFound`."""
    state.need(Want(PointsAccount, member_id, is_locked=True), Want(Program, state.program_id))
    account = state.find(PointsAccount, member_id)
    if account is None:
        raise NotFound(kind="Member", key=str(member_id))
    posting = Posting(state, account)
    posting.catch_up()
    return posting


def shortfall_outcome(policy: ShortfallPolicy, *, has_refund: bool) -> ShortfallOutcome:
    """What becomes of points that cannot be taken back, by the program's policy (L8).

    Where no money is refunded there is none to keep them back from, and they are owed.
    """
    if policy is ShortfallPolicy.CLAMP:
        return ShortfallOutcome.WRITTEN_OFF
    if policy is ShortfallPolicy.DEDUCT_FROM_REFUND and has_refund:
        return ShortfallOutcome.DEDUCTED
    return ShortfallOutcome.DEBT


def _first(draws: lots.Draws, amount: int) -> lots.Draws:
    """The draws that make up the first `amount` points."""
    chosen: list[tuple[Lot, int]] = []
    missing = amount
    for lot, points in draws:
        part = min(points, missing)
        if part:
            chosen.append((lot, part))
        missing -= part
    return tuple(chosen)


def _after(draws: lots.Draws, amount: int) -> lots.Draws:
    """The draws that remain after the first `amount` points."""
    chosen: list[tuple[Lot, int]] = []
    to_skip = amount
    for lot, points in draws:
        part = max(0, points - to_skip)
        to_skip = max(0, to_skip - points)
        if part:
            chosen.append((lot, part))
    return tuple(chosen)
