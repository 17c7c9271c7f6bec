"""What happens to vouchers outside of purchases: granted, claimed, locked, released, returned, voided, expired."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain import calendars, checks, codes, members, stores
from domain.kernel import Command, Decision, Refusal, State
from domain.members import MemberRef
from domain.points.account import PointsAccount
from domain.points.posting import open_posting
from domain.programs import Program
from domain.stores import Channel, Store
from domain.vouchers import issuing
from domain.vouchers.pool import VoucherCode, VoucherPool
from domain.vouchers.template import LOCK_MINUTES_MAX, ReturnTerms, VoucherTemplate, VoucherTerms
from domain.vouchers.voucher import (
    Origin,
    Vouched,
    Voucher,
    VoucherAlreadyClaimed,
    VoucherChanged,
    VoucherExpired,
    VoucherLocked,
    VoucherNeedsStore,
    VoucherNotAtStore,
    VoucherNotClaimable,
    VoucherNotHere,
    VoucherNotLocked,
    VoucherNotUsed,
    VoucherNotYetValid,
    VoucherOrigin,
    VoucherState,
    VoucherUnknown,
    VoucherUsed,
    VoucherVoid,
)


class ClaimInvalid(Refusal):
    """A claim tells neither a pool nor a code, or both. Details: `told`, how many of the two."""

    code = "VOUCHER_CLAIM_INVALID"
    text = "A voucher is claimed out of a pool or with a code: exactly one of poolId and code is told, not {told}."


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantVoucher(Command[Vouched]):
    """Give a member a voucher of a pool. Refuses what `issuing.issue` does, and a frozen member."""

    pool_id: UUID
    member: MemberRef
    reason: str | None = None
    channel: Channel = Channel.ONLINE
    store_id: UUID | None = None

    def decide(self, state: State) -> Decision[Vouched]:
        reason = checks.optional_text("reason", self.reason, length_max=checks.REASON_MAX)
        origin = Origin(kind=VoucherOrigin.GRANT, channel=self.channel, store_id=self.store_id, reason=reason)
        return _issued(state, self.member, self.pool_id, origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimVoucher(Command[Vouched]):
    """Take a voucher out of a claimable pool, or with a `code` that was told outside: exactly one of the two is told.

    Refuses `ClaimInvalid`, `VoucherUnknown`, `VoucherAlreadyClaimed`, `VoucherNotClaimable`, and what `GrantVoucher`
    does.
    """

    member: MemberRef
    pool_id: UUID | None = None
    code: str | None = None
    channel: Channel = Channel.ONLINE
    store_id: UUID | None = None

    def decide(self, state: State) -> Decision[Vouched]:
        if (self.code is None) == (self.pool_id is None):
            raise ClaimInvalid(field=("code",), told=0 if self.code is None else 2)
        origin = Origin(kind=VoucherOrigin.CLAIM, channel=self.channel, store_id=self.store_id)
        if self.code is not None:
            brought = _brought(state, self.code)
            return _issued(state, self.member, brought.pool_id, origin, brought.code)
        assert self.pool_id is not None, "one of the two is told"
        pool = state.get(VoucherPool, self.pool_id)
        if not pool.is_claimable:
            raise VoucherNotClaimable(field=("poolId",), pool=pool.name)
        return _issued(state, self.member, pool.id, origin)


def _brought(state: State, told: str) -> VoucherCode:
    """A code in stock that members bring and nobody has claimed."""
    code = codes.read("code", told)
    stocked = state.find_by(VoucherCode, "code", code)
    if stocked is None:
        raise VoucherUnknown(field=("code",), voucher_code=code)
    # The pool's lock comes first: whoever claimed the code before has written it by then.
    if not state.get(VoucherPool, stocked.pool_id).is_brought:
        # To whoever guesses, a code that waits for its turn does not exist.
        raise VoucherUnknown(field=("code",), voucher_code=code)
    if state.find_by(Voucher, "code", code) is not None:
        raise VoucherAlreadyClaimed(field=("code",), voucher_code=code)
    return stocked


def _issued(
    state: State, member: MemberRef, pool_id: UUID, origin: Origin, code: str | None = None
) -> Decision[Vouched]:
    posting = open_posting(state, members.resolve(state, member))
    posting.require_active()
    stores.open_store(state, origin.store_id)
    if code is None and state.get(VoucherPool, pool_id).is_brought:
        raise VoucherNotClaimable(field=("poolId",), pool=state.get(VoucherPool, pool_id).name)
    issued = issuing.issue(state, pool_id, posting.account.id, origin, code=code)
    (voucher,) = issued.vouchers
    return Decision(Vouched(voucher=voucher, account=posting.account), save=issued.save, events=issued.events)


def due_at(voucher: Voucher) -> datetime | None:
    """When the clock acts on a voucher next."""
    if voucher.state is VoucherState.LOCKED:
        return voucher.locked_until
    return voucher.expires_at if voucher.state in (VoucherState.ISSUED, VoucherState.RETURNED) else None


def as_of(voucher: Voucher, now: datetime) -> Voucher:
    """A voucher with the clock's work done."""
    state = voucher.state_at(now)
    if state is voucher.state:
        return voucher
    settled = replace(voucher, state=state, locked_for=None, locked_until=None)
    return replace(settled, due_at=due_at(settled))


def find(state: State, told: str, member_id: UUID | None = None, *, field: str = "code") -> Voucher:
    """The voucher with a code, locked, as of now. Refuses `VoucherUnknown`; another member's is not known either."""
    code = codes.find(told)
    voucher = None if code is None else state.find_by(Voucher, "code", code)
    if voucher is None or (member_id is not None and voucher.member_id != member_id):
        raise VoucherUnknown(field=(field,), voucher_code=told[: codes.CODE_MAX])
    return as_of(voucher, state.now)


def require_good(voucher: Voucher, now: datetime, reference: str | None, *, field: str = "code") -> None:
    """Refuses `VoucherVoid`, `VoucherUsed`, `VoucherLocked` (for another), `VoucherExpired`, `VoucherNotYetValid`."""
    match voucher.state:
        case VoucherState.VOID:
            raise VoucherVoid(field=(field,))
        case VoucherState.USED:
            assert voucher.used_at is not None, "what is used was used at a time"
            raise VoucherUsed(field=(field,), used_at=voucher.used_at.isoformat())
        case VoucherState.LOCKED if voucher.locked_for != reference:
            assert voucher.locked_until is not None, "a lock has an end"
            raise VoucherLocked(field=(field,), locked_until=voucher.locked_until.isoformat())
        case VoucherState.EXPIRED:
            assert voucher.expires_at is not None, "what expired had an end"
            raise VoucherExpired(field=(field,), expired_at=voucher.expires_at.isoformat())
        case _:
            pass
    if now < voucher.starts_at:
        raise VoucherNotYetValid(field=(field,), starts_at=voucher.starts_at.isoformat())


def require_here(terms: VoucherTerms, store: Store | None, channel: Channel, *, field: str = "code") -> None:
    """Refuses `VoucherNotHere` unless the voucher is taken at the store and in the channel."""
    scope = terms.scope
    is_store = not scope.store_ids or (store is not None and store.id in scope.store_ids)
    is_channel = not scope.channels or channel in scope.channels
    if is_store and is_channel:
        return
    if store is not None:
        raise VoucherNotAtStore(field=(field,), store=store.code, channel=channel)
    refusal = VoucherNotHere if is_store else VoucherNeedsStore
    raise refusal(field=(field,), store=None, channel=channel)


def _changed(voucher: Voucher, account: PointsAccount) -> Decision[Vouched]:
    event = VoucherChanged(member_id=voucher.member_id, voucher_id=voucher.id, state=voucher.state)
    return Decision(Vouched(voucher=voucher, account=account), save=(voucher,), events=(event,))


@dataclass(frozen=True, slots=True, kw_only=True)
class LockVoucher(Command[Vouched]):
    """Keep a voucher for an order that is being paid; for the same order again it answers the lock there is.

    `member_id`, where told, must be the voucher's. Refuses what `require_good` and `require_here` do.
    """

    code: str
    reference: str
    minutes: int | None = None
    channel: Channel = Channel.ONLINE
    store_id: UUID | None = None
    member_id: UUID | None = None

    def decide(self, state: State) -> Decision[Vouched]:
        reference = checks.text("reference", self.reference, length_max=100)
        if self.minutes is not None:
            checks.number("minutes", self.minutes, minimum=1, maximum=LOCK_MINUTES_MAX)
        voucher = find(state, self.code, self.member_id)
        posting = open_posting(state, voucher.member_id)
        posting.require_active()
        store = stores.open_store(state, self.store_id)
        require_good(voucher, state.now, reference)
        terms = state.get(VoucherTemplate, voucher.template_id).terms
        require_here(terms, store, self.channel)
        if voucher.state is VoucherState.LOCKED:
            return Decision(Vouched(voucher=voucher, account=posting.account, is_repeat=True))
        until = state.now + timedelta(minutes=terms.lock_minutes if self.minutes is None else self.minutes)
        voucher = replace(voucher, state=VoucherState.LOCKED, locked_for=reference, locked_until=until, due_at=until)
        return _changed(voucher, posting.account)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseVoucher(Command[Vouched]):
    """Give a lock up. Refuses `VoucherNotLocked`."""

    code: str
    member_id: UUID | None = None

    def decide(self, state: State) -> Decision[Vouched]:
        voucher = find(state, self.code, self.member_id)
        account = open_posting(state, voucher.member_id).account
        if voucher.state is not VoucherState.LOCKED:
            raise VoucherNotLocked(field=("code",), state=voucher.state)
        assert voucher.locked_until is not None, "a lock has an end"
        return _changed(as_of(voucher, voucher.locked_until), account)


def returned(voucher: Voucher, terms: VoucherTerms, now: datetime, time_zone: str) -> Voucher:
    """A used voucher that is good again; one that expired meanwhile is extended or lost, by its terms (C4)."""
    expires_at = voucher.expires_at
    is_over = expires_at is not None and expires_at <= now
    if is_over and terms.return_terms is ReturnTerms.EXTEND:
        expires_at, is_over = calendars.end_after(now, terms.return_days, time_zone), False
    back = replace(
        voucher,
        state=VoucherState.EXPIRED if is_over else VoucherState.RETURNED,
        has_returned=True,
        expires_at=expires_at,
        purchase_id=None,
        used_at=None,
        used_channel=None,
        used_store_id=None,
        discount_minor=0,
        locked_for=None,
        locked_until=None,
    )
    return replace(back, due_at=due_at(back))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnVoucher(Command[Vouched]):
    """Make a used voucher good again, because its purchase was given up. Refuses `VoucherNotUsed`."""

    voucher_id: UUID
    reason: str

    def decide(self, state: State) -> Decision[Vouched]:
        reason = checks.reason(self.reason)
        voucher = as_of(state.get(Voucher, self.voucher_id), state.now)
        account = open_posting(state, voucher.member_id).account
        if voucher.state is not VoucherState.USED:
            raise VoucherNotUsed(state=voucher.state)
        terms = state.get(VoucherTemplate, voucher.template_id).terms
        back = returned(voucher, terms, state.now, state.get(Program, state.program_id).time_zone)
        return _changed(replace(back, reason=reason), account)


def voided(voucher: Voucher, reason: str) -> Voucher:
    """A voucher that is taken back, whether or not it was locked."""
    return replace(voucher, state=VoucherState.VOID, reason=reason, due_at=None, locked_for=None, locked_until=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidVoucher(Command[Vouched]):
    """Take a voucher back that was not used; a lock on it is over. Refuses `VoucherUsed`. Again changes nothing."""

    voucher_id: UUID
    reason: str

    def decide(self, state: State) -> Decision[Vouched]:
        reason = checks.reason(self.reason)
        voucher = as_of(state.get(Voucher, self.voucher_id), state.now)
        account = open_posting(state, voucher.member_id).account
        if voucher.state is VoucherState.VOID:
            return Decision(Vouched(voucher=voucher, account=account, is_repeat=True))
        if voucher.state is VoucherState.USED:
            require_good(voucher, state.now, None)
        return _changed(voided(voucher, reason), account)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleVoucher(Command[Vouched]):
    """Let the clock catch up on a voucher: a lock that is over, or its expiry. Changes nothing if nothing is due."""

    voucher_id: UUID

    def decide(self, state: State) -> Decision[Vouched]:
        voucher = state.get(Voucher, self.voucher_id)
        account = open_posting(state, voucher.member_id).account
        settled = as_of(voucher, state.now)
        if settled is voucher:
            return Decision(Vouched(voucher=voucher, account=account, is_repeat=True))
        return _changed(settled, account)
