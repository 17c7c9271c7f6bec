"""A voucher in a member's hand: issued, locked for a purchase, used, returned, expired or void (C3)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain.kernel import Event, Refusal, Row
from domain.points.account import PointsAccount
from domain.stores import Channel


class VoucherState(StrEnum):
    """Where a voucher is in its life."""

    ISSUED = "ISSUED"
    LOCKED = "LOCKED"  # for a purchase that is being paid, until its time is over
    USED = "USED"
    RETURNED = "RETURNED"  # its purchase was refunded: it is good again
    EXPIRED = "EXPIRED"
    VOID = "VOID"  # taken back by the shop


class VoucherOrigin(StrEnum):
    """How a member came to a voucher."""

    GRANT = "GRANT"  # the shop gave it
    CLAIM = "CLAIM"  # the member took it, or brought its code
    REDEMPTION = "REDEMPTION"  # for points
    PRIZE = "PRIZE"  # won, or given for an achievement


_GOOD: Final = frozenset({VoucherState.ISSUED, VoucherState.RETURNED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """How, where and for what a voucher is issued."""

    kind: VoucherOrigin
    channel: Channel = Channel.ONLINE
    store_id: UUID | None = None
    redemption_id: UUID | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher(Row):
    """A single-use code of a member. It is good in `[starts_at, expires_at)`; None: for ever.

    `due_at` is when the clock acts on it next: its lock is over, or it expires.
    """

    parent: ClassVar[str | None] = "member_id"
    guard: ClassVar[type[Row] | None] = PointsAccount
    keys: ClassVar[tuple[str, ...]] = ("code",)

    member_id: UUID
    template_id: UUID
    pool_id: UUID
    code: str
    state: VoucherState = VoucherState.ISSUED
    origin: VoucherOrigin
    redemption_id: UUID | None = None
    # Where it was issued.
    channel: Channel
    store_id: UUID | None = None
    starts_at: datetime
    expires_at: datetime | None = None
    # The order it is locked for, and until when; what it was before is what it is when the lock is over.
    locked_for: str | None = None
    locked_until: datetime | None = None
    has_returned: bool = False
    purchase_id: UUID | None = None
    used_at: datetime | None = None
    # Where it was used, and what it took off.
    used_channel: Channel | None = None
    used_store_id: UUID | None = None
    discount_minor: int = 0
    reason: str | None = None
    issued_at: datetime
    due_at: datetime | None = None
    actor: str

    @property
    def is_open(self) -> bool:
        """A void one no longer counts towards a member's limit."""
        return self.state is not VoucherState.VOID

    def state_at(self, now: datetime) -> VoucherState:
        """The state as it is at an instant, whether or not the clock's work was done yet."""
        state = self.state
        if state is VoucherState.LOCKED and self.locked_until is not None and self.locked_until <= now:
            state = VoucherState.RETURNED if self.has_returned else VoucherState.ISSUED
        if state in _GOOD and self.expires_at is not None and self.expires_at <= now:
            return VoucherState.EXPIRED
        return state


class VoucherUnknown(Refusal):
    """No voucher of this program, or of this member, has the code. Details: `voucher_code`."""

    code = "NOT_FOUND"
    text = "There is no voucher {voucher_code!r}."


class VoucherExpired(Refusal):
    """The voucher has expired. Details: `expired_at`."""

    code = "VOUCHER_EXPIRED"
    text = "The voucher expired at {expired_at}."


class VoucherUsed(Refusal):
    """The voucher was used. Details: `used_at`."""

    code = "VOUCHER_USED"
    text = "The voucher was used at {used_at}."


class VoucherVoid(Refusal):
    """The shop took the voucher back."""

    code = "VOUCHER_VOID"
    text = "The voucher was taken back by the shop."


class VoucherLocked(Refusal):
    """The voucher is locked for another purchase. Details: `locked_until`."""

    code = "VOUCHER_LOCKED"
    text = "The voucher is locked for another purchase until {locked_until}."


class VoucherNotYetValid(Refusal):
    """The voucher is not good yet. Details: `starts_at`."""

    code = "VOUCHER_NOT_YET_VALID"
    text = "The voucher is good from {starts_at}."


class VoucherNotLocked(Refusal):
    """The voucher is not locked. Details: `state`."""

    code = "VOUCHER_NOT_LOCKED"
    text = "The voucher is {state}; only a locked one is released."


class VoucherNotUsed(Refusal):
    """The voucher was not used, so that it cannot come back. Details: `state`."""

    code = "VOUCHER_NOT_USED"
    text = "The voucher is {state}; only a used one comes back."


class VoucherNotHere(Refusal):
    """The voucher is not taken at this store or in this channel. Details: `store`, `channel`."""

    code = "VOUCHER_NOT_HERE"
    text = "The voucher is not taken in the channel {channel}."


class VoucherNeedsStore(VoucherNotHere):
    """Like `VoucherNotHere`, where a store is asked for and none is told."""

    code = "VOUCHER_NOT_HERE"
    text = "The voucher is taken at stores of its own only, and no store was told."


class VoucherNotAtStore(VoucherNotHere):
    """Like `VoucherNotHere`, where a store is told."""

    code = "VOUCHER_NOT_HERE"
    text = "The voucher is not taken at the store {store!r} in the channel {channel}."


class VoucherMinimum(Refusal):
    """Less is bought of what the voucher covers than it asks for. Details: `required`, `spent`, in minor units."""

    code = "VOUCHER_MINIMUM"
    text = "The voucher asks for {required} minor units of what it covers; these are {spent}."


class VoucherWithoutEffect(Refusal):
    """The voucher takes nothing off this purchase. Details: `voucher_code`."""

    code = "VOUCHER_WITHOUT_EFFECT"
    text = "The voucher {voucher_code!r} takes nothing off this purchase."


class VouchersNotCombinable(Refusal):
    """These vouchers are not used together. Details: `voucher_code`, `other`."""

    code = "VOUCHERS_NOT_COMBINABLE"
    text = "The vouchers {voucher_code!r} and {other!r} are not used together."


class VoucherAlreadyClaimed(Refusal):
    """The code was claimed before. Details: `voucher_code`."""

    code = "VOUCHER_ALREADY_CLAIMED"
    text = "The code {voucher_code!r} was claimed before."


class VoucherLimitReached(Refusal):
    """The member would have more of these vouchers than allowed. Details: `limit`, `taken`, `requested`."""

    code = "LIMIT_REACHED"
    text = "A member may have {limit} of these vouchers; this one has {taken} and requests {requested}."


class VoucherNotClaimable(Refusal):
    """Members do not take vouchers out of this pool. Details: `pool`."""

    code = "VOUCHER_NOT_CLAIMABLE"
    text = "Members take no vouchers out of {pool!r} themselves."


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherIssued(Event):
    """A member was given a voucher, or took one."""

    voucher_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherChanged(Event):
    """A voucher was locked, released, used, returned, voided, or has expired."""

    voucher_id: UUID
    state: VoucherState


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """A voucher and its member's account. `is_repeat`: the same had been done before."""

    voucher: Voucher
    account: PointsAccount
    is_repeat: bool = False
