"""What must be true of a member's rows after every command (L2), checked without trusting how they were made."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from domain.kernel import Row, State
from domain.points import lots as expiries
from domain.points import replay
from domain.points.account import (
    Hold,
    Lot,
    LotDraw,
    LotState,
    PointsAccount,
    PointTransaction,
    Shortfall,
    TransactionKind,
)


def check_saved(state: State, saved: Sequence[Row], sequences: dict[UUID, int]) -> None:
    """Check every account that a command saved; `sequences` remembers how far each account's rows had come."""
    drawn: dict[UUID, int] = defaultdict(int)
    opened: dict[UUID, int] = defaultdict(int)
    made: dict[UUID, list[PointTransaction]] = defaultdict(list)
    accounts: list[PointsAccount] = []
    for row in saved:
        if isinstance(row, PointTransaction):
            made[row.member_id].append(row)
        elif isinstance(row, LotDraw):
            drawn[row.transaction_id] += row.amount
        elif isinstance(row, Lot):
            opened[row.transaction_id] += row.amount
        elif isinstance(row, PointsAccount):
            accounts.append(row)
    for account in accounts:
        transactions = made.pop(account.id, [])
        check_transactions(transactions, sequences.get(account.id, 0), drawn, opened)
        sequences[account.id] = account.sequence
        assert account.sequence == (transactions[-1].sequence if transactions else account.sequence)
        assert not transactions or transactions[-1].available_after == account.available
        check_account(state, account, state.now)
    assert not made, "transactions were saved without their account"


def check_transactions(
    transactions: Sequence[PointTransaction], sequence: int, drawn: dict[UUID, int], opened: dict[UUID, int]
) -> None:
    """Sequences go on without a gap, and each row's lots and draws are its amount."""
    for transaction in transactions:
        sequence += 1
        assert transaction.sequence == sequence, "the sequence has a gap"
        is_credit = transaction.amount > 0 and drawn[transaction.id] <= 0
        opens = opened[transaction.id] if is_credit else 0
        taken = drawn[transaction.id]
        moved = taken if transaction.kind is TransactionKind.ACTIVATE else opens - taken
        assert moved == transaction.amount != 0, f"{transaction.kind}: its lots and draws are not its amount"


def check_account(state: State, account: PointsAccount, now: datetime) -> None:
    """The sums of L2, and that nothing is due of which `due_at` does not know."""
    active = pending = held = 0
    due_at = account.due_at
    assert due_at is None or due_at > now, "something is due and was not done"
    for lot in state.all(Lot, of=account.id):
        assert 0 <= lot.held <= lot.remaining <= lot.amount
        assert lot.remaining > 0, "an open lot is empty"
        if lot.state is LotState.ACTIVE:
            active += lot.remaining
            held += lot.held
            due = expiries.expiry_of(lot, account) if lot.free else None
        else:
            assert lot.held == 0
            pending += lot.remaining
            due = lot.available_at
        assert due is None or (due_at is not None and due_at <= due), "the clock would come too late for a lot"
    assert account.available == active - held >= 0
    assert account.pending == pending
    assert account.held == held
    check_promises(state, account)


def check_promises(state: State, account: PointsAccount) -> None:
    """Held is what open holds hold; debt is what shortfalls have left; available and debt never meet."""
    holds = state.all(Hold, of=account.id)
    assert account.held == sum(hold.amount for hold in holds)
    assert all(account.due_at is not None and account.due_at <= hold.lapses_at for hold in holds)
    assert account.debt == sum(shortfall.remaining for shortfall in state.all(Shortfall, of=account.id)) >= 0
    assert not (account.available and account.debt), "a member who owes has points to spend"
    assert min(account.lifetime_earned, account.lifetime_spent, account.lifetime_expired) >= 0
    assert account.qualifying_points >= 0


def replay_members(state: State, member_ids: Iterable[UUID] | None = None) -> int:
    """Rebuild members (all, if none are named) from empty and compare with what is stored. Returns how many."""
    wanted = {row.id for row in state.rows(PointsAccount)} if member_ids is None else set(member_ids)
    transactions: dict[UUID, list[PointTransaction]] = defaultdict(list)
    owner: dict[UUID, UUID] = {}
    for transaction in state.rows(PointTransaction):
        if transaction.member_id in wanted:
            transactions[transaction.member_id].append(transaction)
            owner[transaction.id] = transaction.member_id
    draws: dict[UUID, list[LotDraw]] = defaultdict(list)
    for draw in state.rows(LotDraw):
        if draw.transaction_id in owner:
            draws[owner[draw.transaction_id]].append(draw)
    lots: dict[UUID, list[Lot]] = defaultdict(list)
    for lot in state.rows(Lot):
        lots[lot.member_id].append(lot)
    shortfalls: dict[UUID, list[Shortfall]] = defaultdict(list)
    for shortfall in state.rows(Shortfall):
        shortfalls[shortfall.member_id].append(shortfall)
    for member_id in wanted:
        replayed = replay.replay(transactions[member_id], draws[member_id], lots[member_id], shortfalls[member_id])
        account = state.get(PointsAccount, member_id)
        assert replay.differences(account, lots[member_id], shortfalls[member_id], replayed) == ()
    return len(wanted)
