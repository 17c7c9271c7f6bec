"""Replaying a member's ledger from empty: the rows alone must explain every figure and every lot (L2).

Pure and independent of how the figures were made: it knows what each kind of transaction means, and
takes nothing from the account, and from a lot only what never changes (its id, who opened it, and how
many points it opened with). Tests, the simulation and audits compare the outcome with what is stored.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from domain.points.account import (
    Lot,
    LotDraw,
    LotState,
    PointsAccount,
    PointTransaction,
    Shortfall,
    ShortfallOutcome,
    SourceType,
    TransactionKind,
)

# Which state a lot is left in by the kind that takes its last point.
_EMPTIED_BY: Final = {TransactionKind.EXPIRE: LotState.EXPIRED, TransactionKind.CANCEL: LotState.CANCELLED}
# Kinds whose draws set points of a lot aside or free them again; the others take points or give them back.
_HOLDING: Final = frozenset({TransactionKind.HOLD, TransactionKind.RELEASE})


class LedgerBroken(Exception):
    """Rows of a ledger contradict each other. `sequence` is the transaction's at fault, 0 if it is none."""

    def __init__(self, sequence: int, why: str) -> None:
        super().__init__(f"transaction {sequence}: {why}")
        self.sequence = sequence
        self.why = why


@dataclass(slots=True)
class LotFigures:
    """What the rows say of a lot."""

    remaining: int
    state: LotState
    held: int = 0


@dataclass(slots=True)
class Replayed:
    """What the rows say of an account, in points, and of its lots."""

    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    sequence: int = 0
    lots: dict[UUID, LotFigures] = field(default_factory=dict)
    owed: dict[UUID, int] = field(default_factory=dict)


def replay(
    transactions: Sequence[PointTransaction],
    draws: Iterable[LotDraw],
    lots: Iterable[Lot],
    shortfalls: Iterable[Shortfall],
) -> Replayed:
    """Rebuild an account from empty. `transactions` are all of a member, in the order of their sequence.

    Raises `LedgerBroken` where a row contradicts those before it.
    """
    drawn: dict[UUID, list[LotDraw]] = defaultdict(list)
    for draw in draws:
        drawn[draw.transaction_id].append(draw)
    opened: dict[UUID, list[Lot]] = defaultdict(list)
    for lot in lots:
        opened[lot.transaction_id].append(lot)
    debts = [row for row in shortfalls if row.outcome is ShortfallOutcome.DEBT]
    replayed = Replayed(owed={row.id: row.amount for row in debts}, debt=sum(row.amount for row in debts))
    for transaction in transactions:
        _apply(replayed, transaction, opened.pop(transaction.id, []), drawn.pop(transaction.id, []))
    if opened or drawn:
        raise LedgerBroken(0, "lots or draws name a transaction that the member does not have")
    return replayed


def differences(
    account: PointsAccount, lots: Iterable[Lot], shortfalls: Iterable[Shortfall], replayed: Replayed
) -> tuple[str, ...]:
    """Where what is stored is not what the rows say; empty when the books balance."""
    found = [
        f"{name} is {stored}, the ledger says {said}"
        for name in ("available", "pending", "held", "debt", "sequence")
        if (stored := getattr(account, name)) != (said := getattr(replayed, name))
    ]
    for lot in lots:
        said = replayed.lots[lot.id]
        if (lot.remaining, lot.held, lot.state) != (said.remaining, said.held, said.state):
            stored = LotFigures(remaining=lot.remaining, held=lot.held, state=lot.state)
            found.append(f"lot {lot.id} is {stored}, the ledger says {said}")
    for shortfall in shortfalls:
        owed = replayed.owed.get(shortfall.id, 0)
        if shortfall.remaining != owed:
            found.append(f"of shortfall {shortfall.id} {shortfall.remaining} remain, the ledger says {owed}")
    sums = figures_of(replayed.lots)
    if sums != (replayed.available, replayed.pending, replayed.held):
        found.append(f"the lots sum to {sums} available, pending and held points")
    return tuple(found)


def _apply(replayed: Replayed, transaction: PointTransaction, opened: Sequence[Lot], drawn: Sequence[LotDraw]) -> None:
    replayed.sequence += 1
    if transaction.sequence != replayed.sequence:
        raise LedgerBroken(transaction.sequence, f"it should be number {replayed.sequence}")
    for lot in opened:
        # What is credited as pending leaves `available` as it was; so the row itself says which it is.
        is_pending = transaction.available_after == replayed.available
        state = LotState.PENDING if is_pending else LotState.ACTIVE
        replayed.lots[lot.id] = LotFigures(remaining=lot.amount, state=state)
    _check_sum(transaction, opened, drawn)
    _move(replayed, transaction)
    for draw in drawn:
        if draw.lot_id not in replayed.lots:
            raise LedgerBroken(transaction.sequence, f"it draws from the lot {draw.lot_id} before that was opened")
        _draw(replayed.lots[draw.lot_id], transaction, draw.amount)
    if transaction.available_after != replayed.available:
        raise LedgerBroken(transaction.sequence, f"it leaves {replayed.available} available")
    if min(replayed.available, replayed.pending, replayed.held, replayed.debt) < 0:
        raise LedgerBroken(transaction.sequence, "it leaves a negative figure")


def _check_sum(transaction: PointTransaction, opened: Sequence[Lot], drawn: Sequence[LotDraw]) -> None:
    """Lots and draws together are the amount; an activation moves its lot's points without changing their number."""
    taken = sum(draw.amount for draw in drawn)
    moved = taken if transaction.kind is TransactionKind.ACTIVATE else sum(lot.amount for lot in opened) - taken
    if moved != transaction.amount:
        raise LedgerBroken(transaction.sequence, f"its lots and draws sum to {moved}, not to {transaction.amount}")


def _move(replayed: Replayed, transaction: PointTransaction) -> None:
    """Change the account's figures as this kind of transaction does."""
    amount = transaction.amount
    match transaction.kind:
        case TransactionKind.EARN if transaction.available_after == replayed.available:
            replayed.pending += amount
        case TransactionKind.ACTIVATE:
            replayed.pending -= amount
            replayed.available += amount
        case TransactionKind.CANCEL:
            replayed.pending += amount
        case TransactionKind.HOLD | TransactionKind.RELEASE:
            replayed.available += amount
            replayed.held -= amount
        case TransactionKind.CAPTURE:
            replayed.held += amount
        case _:
            replayed.available += amount
    if transaction.source_type is SourceType.SHORTFALL:
        _pay(replayed, transaction)


def _pay(replayed: Replayed, transaction: PointTransaction) -> None:
    """A reversal that is about a shortfall pays it."""
    owed = replayed.owed.get(transaction.source_id, 0) + transaction.amount
    if owed < 0:
        raise LedgerBroken(transaction.sequence, "it pays more than is owed")
    replayed.owed[transaction.source_id] = owed
    replayed.debt += transaction.amount


def _draw(lot: LotFigures, transaction: PointTransaction, amount: int) -> None:
    kind = transaction.kind
    if kind is TransactionKind.ACTIVATE:
        if (lot.state, lot.remaining) != (LotState.PENDING, amount):
            raise LedgerBroken(transaction.sequence, "it activates a lot that is not pending, or a part of one")
        lot.state = LotState.ACTIVE
        return
    if (lot.state is LotState.PENDING) != (kind is TransactionKind.CANCEL):
        raise LedgerBroken(transaction.sequence, "it draws from a pending lot, or cancels one that is not pending")
    if lot.state in (LotState.EXPIRED, LotState.CANCELLED):
        raise LedgerBroken(transaction.sequence, f"it moves points of a lot that is {lot.state}")
    if kind in _HOLDING:
        lot.held += amount
    else:
        lot.held -= amount if kind is TransactionKind.CAPTURE else 0
        lot.remaining -= amount
        lot.state = _state_after(lot, kind)
    if not 0 <= lot.held <= lot.remaining:
        raise LedgerBroken(transaction.sequence, f"it leaves {lot.remaining} points of a lot, {lot.held} of them held")


def _state_after(lot: LotFigures, kind: TransactionKind) -> LotState:
    if lot.remaining:
        return LotState.PENDING if lot.state is LotState.PENDING else LotState.ACTIVE
    return _EMPTIED_BY.get(kind, LotState.EXHAUSTED)


def figures_of(lots: Mapping[UUID, LotFigures]) -> tuple[int, int, int]:
    """Available, pending and held points as the sums over lots (L2)."""
    active = [lot for lot in lots.values() if lot.state is LotState.ACTIVE]
    held = sum(lot.held for lot in active)
    pending = sum(lot.remaining for lot in lots.values() if lot.state is LotState.PENDING)
    return sum(lot.remaining for lot in active) - held, pending, held
