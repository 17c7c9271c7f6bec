"""What must be true of a member's rows after every command (L2), checked without trusting how they were made."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
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
from domain.points.qualifying import Qualified, QualifyingEntry, year_of
from domain.points.tiering import tier_due_at
from domain.tiers.standing import TierChange, tier_at


@dataclass(slots=True)
class Books:
    """What is remembered of every account from its append-only rows alone, so that checking a command stays cheap."""

    sequences: dict[UUID, int] = field(default_factory=dict)
    counted: dict[UUID, Qualified] = field(default_factory=dict)
    tiers: dict[UUID, TierChange] = field(default_factory=dict)


def check_saved(state: State, saved: Sequence[Row], books: Books) -> None:
    """Check every account that a command saved."""
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
        check_transactions(transactions, books.sequences.get(account.id, 0), drawn, opened)
        books.sequences[account.id] = account.sequence
        assert account.sequence == (transactions[-1].sequence if transactions else account.sequence)
        assert not transactions or transactions[-1].available_after == account.available
        check_account(state, account, state.now)
    assert not made, "transactions were saved without their account"
    check_tiers(accounts, saved, books)


def check_tiers(accounts: Sequence[PointsAccount], saved: Sequence[Row], books: Books) -> None:
    """What counts is the sum of the entries (K1), and the tier in force is where the history has come to (K4)."""
    for row in saved:
        if isinstance(row, QualifyingEntry):
            assert row.counted != Qualified(), "an entry says nothing"
            assert row.year_id == year_of(row.member_id, row.day.year)
            books.counted[row.member_id] = books.counted.get(row.member_id, Qualified()) + row.counted
        elif isinstance(row, TierChange):
            before = books.tiers.get(row.member_id)
            assert row.tier_id_before == (None if before is None else before.tier_id), "the history has a gap"
            earned_before = None if before is None else before.earned_tier_id
            assert row.earned_tier_id_before == earned_before, "the history of what is earned has a gap"
            if row.tier_id != row.tier_id_before:
                last = before if before is None or before.tier_id != before.tier_id_before else None
                assert last is None or last.occurred_at <= row.occurred_at, "a tier was in force before the last one"
            books.tiers[row.member_id] = row
    for account in accounts:
        total = books.counted.get(account.id, Qualified())
        assert (account.qualifying_points, account.spend_minor, account.purchases) == total, "entries do not sum up"
        last = books.tiers.get(account.id)
        assert account.tier_id == (None if last is None else last.tier_id), "the history is of another tier"
        earned = (None, None) if last is None else (last.earned_tier_id, last.earned_valid_until)
        assert (account.earned_tier_id, account.tier_valid_until) == earned, "another tier was earned"


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
    assert min(account.qualifying_points, account.spend_minor, account.purchases) >= 0
    check_tier(account)


def check_tier(account: PointsAccount) -> None:
    """The tier in force is the one set by hand, else the one earned; ends belong to tiers, and the clock knows them."""
    assert account.tier_id == (account.manual_tier_id or account.earned_tier_id)
    assert (account.manual_tier_id is None) == (account.manual_tier_until is None)
    assert account.earned_tier_id is not None or account.tier_valid_until is None
    grace, valid = account.tier_grace_until, account.tier_valid_until
    assert grace is None or (valid is not None and valid < grace)
    ends = tier_due_at(account)
    assert ends is None or (account.due_at is not None and account.due_at <= ends), "the clock would miss a tier's end"


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
    replay_tiers(state, wanted)
    for member_id in wanted:
        replayed = replay.replay(transactions[member_id], draws[member_id], lots[member_id], shortfalls[member_id])
        account = state.get(PointsAccount, member_id)
        assert replay.differences(account, lots[member_id], shortfalls[member_id], replayed) == ()
    return len(wanted)


def replay_tiers(state: State, wanted: Iterable[UUID]) -> None:
    """What counts for members, and their tiers, from their entries and histories alone."""
    counted: dict[UUID, Qualified] = defaultdict(Qualified)
    for entry in state.rows(QualifyingEntry):
        counted[entry.member_id] += entry.counted
    histories: dict[UUID, list[TierChange]] = defaultdict(list)
    for change in state.rows(TierChange):
        histories[change.member_id].append(change)
    for member_id in wanted:
        account = state.get(PointsAccount, member_id)
        assert (account.qualifying_points, account.spend_minor, account.purchases) == counted[member_id]
        history = histories[member_id]
        if account.tier_since is None:
            assert account.tier_id is None
        else:
            assert tier_at(history, None, account.tier_since) == account.tier_id
            assert max(change.occurred_at for change in history if change.tier_id != change.tier_id_before) == (
                account.tier_since
            )
