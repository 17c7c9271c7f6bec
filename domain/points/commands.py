"""Commands on points alone: adjust, transfer, hold, capture, release, settle, freeze."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain import checks, members, policies
from domain.kernel import FAMILY, Command, Decision, Event, Refusal, State, Want
from domain.members import MemberRef
from domain.points import lots
from domain.points.account import (
    AccountStatus,
    Hold,
    LotDraw,
    PointsAccount,
    PointTransaction,
    SourceType,
    TransactionKind,
)
from domain.points.book import Opening, Source
from domain.points.posting import AccountSettled, Posting, open_posting, wants_to_draw, wants_to_settle
from domain.policies import ExpiryKind
from domain.programs import HOLD_MINUTES_MAX
from domain.values import changed


class TransferToSelf(Refusal):
    """Points were to go from a member to the same member."""

    code = "TRANSFER_TO_SELF"
    text = "Points go from one member to another; both are the same here."


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsMoved(Event):
    """Points moved by an adjustment, a transfer, or a hold; `transaction_id` says how."""

    transaction_id: UUID
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberStatusChanged(Event):
    """A member was frozen or unfrozen."""

    is_frozen: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """An account after a move, and the transaction of it."""

    account: PointsAccount
    transaction: PointTransaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred:
    """Both accounts after a transfer, and its two transactions."""

    sender: PointsAccount
    recipient: PointsAccount
    outgoing: PointTransaction
    incoming: PointTransaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An account and one of its holds."""

    account: PointsAccount
    hold: Hold


def _moved(posting: Posting, transaction: PointTransaction) -> Event:
    return PointsMoved(member_id=posting.account.id, transaction_id=transaction.id, points=transaction.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustPoints(Command[Moved]):
    """Credit or debit points by hand, with a reason (P1). Refuses 0 and more than is available.

    A credit expires as points earned today would, and is available at once.
    """

    member: MemberRef
    points: int
    reason: str

    def decide(self, state: State) -> Decision[Moved]:
        reason = checks.reason(self.reason)
        checks.points("points", abs(self.points))
        posting = open_posting(state, members.resolve(state, self.member))
        source = Source(SourceType.ADJUSTMENT, state.new_id())
        if self.points > 0:
            expiry, zone_name = posting.program.expiry, posting.program.time_zone
            posting.touch(state.now)
            opening = Opening(
                amount=self.points,
                available_at=state.now,
                expires_at=policies.expires_at(expiry, state.now, zone_name),
                expires_when_idle=expiry.kind is ExpiryKind.INACTIVITY,
            )
            posting.credit(TransactionKind.ADJUST, source, (opening,), reason=reason)
        else:
            posting.spend(TransactionKind.ADJUST, -self.points, source, reason=reason)
        transaction = posting.transactions[-1]
        rows = posting.close()
        result = Moved(account=posting.account, transaction=transaction)
        return Decision(result, save=rows, events=(_moved(posting, transaction), *posting.events))


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferPoints(Command[Transferred]):
    """Give points to another member; they keep their expiry. Refuses frozen members and what is not available."""

    sender: MemberRef
    recipient: MemberRef
    points: int
    reason: str | None = None

    def decide(self, state: State) -> Decision[Transferred]:
        checks.points("points", self.points)
        reason = checks.optional_text("reason", self.reason, length_max=checks.REASON_MAX)
        sender_id = members.resolve(state, self.sender)
        recipient_id = members.resolve(state, self.recipient)
        if sender_id == recipient_id:
            raise TransferToSelf(field=("recipient",))
        # Both accounts are asked for at once, so that they are locked together, in the order of ids (L12).
        state.need(*wants_to_draw(state, sender_id), Want(PointsAccount, recipient_id, is_locked=True))
        sender, recipient = open_posting(state, sender_id), open_posting(state, recipient_id)
        sender.require_active()
        recipient.require_active()
        source = Source(SourceType.TRANSFER, state.new_id())
        draws = sender.spend(TransactionKind.TRANSFER_OUT, self.points, source, reason=reason)
        outgoing = sender.transactions[-1]
        incoming = recipient.credit(TransactionKind.TRANSFER_IN, source, _transferred(draws, sender), reason=reason)
        rows = (*sender.close(), *recipient.close())
        result = Transferred(
            sender=sender.account,
            recipient=recipient.account,
            outgoing=outgoing,
            incoming=incoming,
        )
        moves = (_moved(sender, outgoing), _moved(recipient, incoming))
        events = (*moves, *sender.events, *recipient.events)
        return Decision(result, save=rows, events=events)


def _transferred(draws: lots.Draws, sender: Posting) -> tuple[Opening, ...]:
    """One lot for each expiry among what was drawn: a transfer makes no point last longer."""
    by_expiry: dict[datetime | None, int] = defaultdict(int)
    for lot, points in draws:
        by_expiry[lots.expiry_of(lot, sender.account)] += points
    return tuple(
        Opening(amount=points, available_at=sender.state.now, expires_at=expires_at)
        for expires_at, points in by_expiry.items()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPoints(Command[Held]):
    """Set points aside for `minutes` (the program's default if not told; at most 30 days) (L10)."""

    member: MemberRef
    points: int
    minutes: int | None = None
    reference: str | None = None

    def decide(self, state: State) -> Decision[Held]:
        checks.points("points", self.points)
        reference = checks.optional_text("reference", self.reference)
        if self.minutes is not None:
            checks.number("minutes", self.minutes, minimum=1, maximum=HOLD_MINUTES_MAX)
        member_id = members.resolve(state, self.member)
        state.need(*wants_to_draw(state, member_id))
        posting = open_posting(state, member_id)
        posting.require_active()
        minutes = posting.program.hold_minutes if self.minutes is None else self.minutes
        lapses_at = state.now + timedelta(minutes=minutes)
        hold = posting.hold(self.points, reference=reference, lapses_at=lapses_at)
        transaction = posting.transactions[-1]
        rows = posting.close()
        result = Held(account=posting.account, hold=hold)
        return Decision(result, save=rows, events=(_moved(posting, transaction), *posting.events))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureHold(Command[Held]):
    """Spend held points; all of them, or `points` and release the rest. Refuses `HoldNotOpen`."""

    hold_id: UUID
    points: int | None = None

    def decide(self, state: State) -> Decision[Held]:
        hold = state.get(Hold, self.hold_id)
        points = hold.amount if self.points is None else self.points
        checks.points("points", points, maximum=hold.amount)
        state.need(*wants_to_draw(state, hold.member_id), Want(LotDraw, hold.transaction_id, FAMILY))
        posting = open_posting(state, hold.member_id)
        posting.require_active()
        hold, transaction = posting.capture(posting.find_hold(hold.id), points)
        rows = posting.close()
        result = Held(account=posting.account, hold=hold)
        return Decision(result, save=rows, events=(_moved(posting, transaction), *posting.events))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseHold(Command[Held]):
    """Make held points available again. Refuses `HoldNotOpen`."""

    hold_id: UUID

    def decide(self, state: State) -> Decision[Held]:
        hold = state.get(Hold, self.hold_id)
        state.need(*wants_to_draw(state, hold.member_id), Want(LotDraw, hold.transaction_id, FAMILY))
        posting = open_posting(state, hold.member_id)
        hold = posting.release(posting.find_hold(hold.id))
        transaction = posting.transactions[-1]
        rows = posting.close()
        result = Held(account=posting.account, hold=hold)
        return Decision(result, save=rows, events=(_moved(posting, transaction), *posting.events))


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleAccount(Command[PointsAccount]):
    """Let the clock catch up on one account. Changes nothing if nothing is due."""

    member_id: UUID

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """All that the clock's commands need, in one round."""
        return wants_to_settle(program_id, self.member_id)

    def decide(self, state: State) -> Decision[PointsAccount]:
        posting = open_posting(state, self.member_id)
        rows = posting.close()
        if rows == (state.get(PointsAccount, self.member_id),):
            return Decision(posting.account)
        settled = AccountSettled(member_id=self.member_id, transactions=len(posting.transactions))
        return Decision(posting.account, save=rows, events=(settled, *posting.events))


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeMember(Command[PointsAccount]):
    """Freeze a member, or with `is_frozen` False lift it. A frozen member neither earns nor spends."""

    member: MemberRef
    is_frozen: bool
    reason: str

    def decide(self, state: State) -> Decision[PointsAccount]:
        reason = checks.reason(self.reason)
        posting = open_posting(state, members.resolve(state, self.member))
        status = AccountStatus.FROZEN if self.is_frozen else AccountStatus.ACTIVE
        posting.account = changed(posting.account, status=status)
        told = MemberStatusChanged(member_id=posting.account.id, is_frozen=self.is_frozen, reason=reason)
        rows = posting.close()
        return Decision(posting.account, save=rows, events=(told, *posting.events))
