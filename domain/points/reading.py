"""Reading an account: what it shows at an instant, whether or not the clock's work was done yet (L5)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain import calendars, checks
from domain.kernel import Row, State
from domain.points import lots
from domain.points.account import Hold, Lot, LotDraw, PointsAccount, Shortfall
from domain.points.posting import Posting
from domain.points.qualifying import QualifyingEntry
from domain.points.tiering import progress_of
from domain.programs import Program
from domain.tiers.standing import TierChange, TierProgress
from domain.tiers.tier import Tier
from domain.values import changed

WITHIN_DAYS_MAX: Final = 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """An account with what is open of it, all of one instant: lots, holds with their draws, and what is owed.

    `entries` are what counted in the years that decide about the tier (`tiering.years_of`), and `history` is that of
    the tier; a reader whose members have neither a tier nor pending points may leave both empty.
    """

    account: PointsAccount
    lots: tuple[Lot, ...] = ()
    holds: tuple[Hold, ...] = ()
    draws: tuple[LotDraw, ...] = ()
    shortfalls: tuple[Shortfall, ...] = ()
    entries: tuple[QualifyingEntry, ...] = ()
    history: tuple[TierChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiring:
    """Available points that expire together, at `expires_at`: the first instant at which they no longer count."""

    expires_at: datetime
    points: int


def is_due(account: PointsAccount, now: datetime) -> bool:
    """Whether the clock has anything to do on an account, so that its figures are not to be shown as they are."""
    return account.due_at is not None and account.due_at <= now


def settled(ledger: Ledger, program: Program, ladder: Sequence[Tier], now: datetime) -> Ledger:
    """The ledger as the clock would leave it now: the decision of `SettleAccount`, kept nowhere.

    What rules would give for a tier that is reached on the way is not shown before it is given.
    """
    if not is_due(ledger.account, now):
        return ledger
    state = State(program.id, is_complete=True)
    rows: tuple[Row, ...] = (*ledger.lots, *ledger.holds, *ledger.draws, *ledger.shortfalls)
    state.keep((program, *ladder, ledger.account, *rows, *ledger.entries, *ledger.history))
    state.begin(now=now, first_id=0, actor="reader", idempotency_key=None)
    posting = Posting(state, ledger.account)
    posting.gives = False
    posting.catch_up()
    state.keep(posting.close())
    return Ledger(
        account=posting.account,
        lots=posting.open_lots,
        holds=state.all(Hold, of=ledger.account.id),
        draws=ledger.draws,
        shortfalls=state.all(Shortfall, of=ledger.account.id),
        entries=state.rows(QualifyingEntry),
        history=state.rows(TierChange),
    )


def tier_progress(ledger: Ledger, program: Program, ladder: Sequence[Tier], now: datetime) -> TierProgress:
    """Where a member stands now, whether or not the clock's work was done yet (K4)."""
    shown = settled(ledger, program, ladder, now)
    return progress_of(shown.account, program, ladder, shown.entries, now)


def shown_lots(ledger: Ledger) -> tuple[Lot, ...]:
    """The open lots, those that would be drawn first in front (L4), each with its expiry as things stand."""
    account = ledger.account
    ordered = sorted(ledger.lots, key=lambda lot: lots.spend_order(lot, account))
    return tuple(changed(lot, expires_at=lots.expiry_of(lot, account)) for lot in ordered)


def expiring(ledger: Ledger, within_days: int, zone_name: str, now: datetime) -> tuple[Expiring, ...]:
    """Every bucket of available points that expires within so many local days, soonest first (L5).

    Held points are not counted: a hold ends before they expire. Refuses `NumberInvalid` (1 to 3,650 days).
    """
    checks.number("within", within_days, minimum=1, maximum=WITHIN_DAYS_MAX)
    until = calendars.end_after(now, within_days, zone_name)
    points: dict[datetime, int] = defaultdict(int)
    for lot in ledger.lots:
        expires_at = lots.expiry_of(lot, ledger.account)
        if lot.free and expires_at is not None and expires_at <= until:
            points[expires_at] += lot.free
    return tuple(Expiring(expires_at=at, points=points[at]) for at in sorted(points))
