"""A referral: one member brought another; its states, what both were given for it, and how it is refused (R1)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.identities import IdentityKind
from domain.kernel import Event, Refusal, Row
from domain.points.account import PointsAccount
from domain.topics import Subject, topic


class ReferralState(StrEnum):
    """Where a referral is in its life (R1)."""

    BOUND = "BOUND"  # the friend came, and has not bought yet
    QUALIFIED = "QUALIFIED"  # the friend has bought; what is given waits until the order stands
    REWARDED = "REWARDED"  # the order stands, and both have what they were given
    REJECTED = "REJECTED"  # it was none; the reason says why
    EXPIRED = "EXPIRED"  # the friend did not buy in time
    CLAWED_BACK = "CLAWED_BACK"  # the order was refunded, and both gave back


class ReviewState(StrEnum):
    """Where staff's look at a referral is."""

    HELD = "HELD"  # something is strange: nothing is given until staff has decided
    APPROVED = "APPROVED"  # staff says that it is one
    DENIED = "DENIED"  # staff says that it is none


class Signal(StrEnum):
    """What is strange about a referral, and proves nothing (R2)."""

    SAME_ADDRESS = "SAME_ADDRESS"  # orders of both go to one address, which the program looks into
    SAME_NETWORK = "SAME_NETWORK"  # both came from one network
    TOO_FAST = "TOO_FAST"  # the referrer brought more friends in an hour than people do
    LONG_CHAIN = "LONG_CHAIN"  # it is the end of a chain too long to be followed to its beginning
    REFERRER_FROZEN = "REFERRER_FROZEN"  # the referrer was frozen when the friend bought


class RejectReason(StrEnum):
    """Why a referral is none (R2)."""

    SAME_PHONE = "SAME_PHONE"
    SAME_OPENID = "SAME_OPENID"
    SAME_UNIONID = "SAME_UNIONID"
    SAME_DEVICE = "SAME_DEVICE"
    SAME_PAYMENT_ACCOUNT = "SAME_PAYMENT_ACCOUNT"
    SAME_ADDRESS = "SAME_ADDRESS"
    ALREADY_BOUGHT = "ALREADY_BOUGHT"  # the friend had bought before it was brought, as was told later
    DENIED = "DENIED"  # staff says so


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralReward:
    """What one side was given: `points` of the `requested`, and a voucher of a pool once the order stands.

    `limited_by` is the cap that bit (L13). `no_voucher` is why there is none: the pool was empty, or closed.
    """

    points: int = 0
    requested: int = 0
    limited_by: str | None = None
    grant_id: UUID | None = None
    # The first transaction of the grant, which a clawback reverses.
    earning_id: UUID | None = None
    pool_id: UUID | None = None
    voucher_id: UUID | None = None
    no_voucher: str | None = None
    points_taken_back: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral(Row):
    """One member, the referrer, brought another, the referee. A member is brought once, by whoever was first (R1).

    Until `expires_at` the friend must qualify; until `rewards_at` what is given waits. `minimum_minor` is what had to
    be paid when it qualified, by which refunds are judged.
    """

    parent: ClassVar[str | None] = "referee_id"
    guard: ClassVar[type[Row] | None] = PointsAccount
    keys: ClassVar[tuple[str, ...]] = ("referee_id",)

    referrer_id: UUID
    referee_id: UUID
    # The share by which the friend came, if it was one.
    share_id: UUID | None = None
    state: ReferralState = ReferralState.BOUND
    review: ReviewState | None = None
    signals: tuple[Signal, ...] = ()
    reason: RejectReason | None = None
    # What staff said, and who did.
    note: str | None = None
    reviewer: str | None = None
    bound_at: datetime
    expires_at: datetime
    purchase_id: UUID | None = None
    minimum_minor: int = 0
    qualified_at: datetime | None = None
    rewards_at: datetime | None = None
    referrer_reward: ReferralReward | None = None
    referee_reward: ReferralReward | None = None
    # When the clock ends the state it is in; None if nothing waits for it.
    due_at: datetime | None = None
    ended_at: datetime | None = None
    actor: str

    def state_at(self, now: datetime) -> ReferralState:
        """The state as it is at an instant, whether or not the clock's work was done yet."""
        if self.due_at is None or self.due_at > now:
            return self.state
        return ReferralState.EXPIRED if self.state is ReferralState.BOUND else ReferralState.REWARDED


class SelfReferral(Refusal):
    """Referrer and friend are one person. Details: `same`: MEMBER, or the kind of identity that both have."""

    code = "SELF_REFERRAL"
    text = "Nobody refers itself: the friend has the same {same} as the referrer."


class ReferralRing(Refusal):
    """The friend brought the referrer, itself or through others. Details: `length`, the members of the ring."""

    code = "REFERRAL_RING"
    text = "The friend brought the referrer, in a ring of {length} members."


class RefereeHasBought(Refusal):
    """The friend has bought before."""

    code = "REFEREE_HAS_BOUGHT"
    text = "A member is brought before its first purchase; this one has bought already."


class AlreadyReferred(Refusal):
    """Another member has brought the friend. Details: `bound_at`."""

    code = "ALREADY_REFERRED"
    text = "The member was brought by another one on {bound_at}; the first counts."


class ReferralCodeUnknown(Refusal):
    """No member of the program has the code. Details: `given`."""

    code = "REFERRAL_CODE_UNKNOWN"
    text = "No member of this program has the code {given!r}."


class ReferrerFrozen(Refusal):
    """The member whose code it is, is frozen."""

    code = "REFERRER_FROZEN"
    text = "The member whose code this is brings nobody now."


class ReferralNotOpen(Refusal):
    """A referral is over, so that there is nothing to decide. Details: `state`."""

    code = "REFERRAL_NOT_OPEN"
    text = "The referral is {state}: there is nothing to decide."


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralChanged(Event):
    """A referral was made, or came to another state; the member is the referrer."""

    referral_id: UUID
    referee_id: UUID
    state: ReferralState
    review: ReviewState | None

    def topics(self) -> tuple[str, ...]:
        """Both members listen."""
        return *Event.topics(self), topic(Subject.MEMBER, self.referee_id)


def told(referral: Referral) -> ReferralChanged:
    """What is told of a referral as it is now."""
    return ReferralChanged(
        member_id=referral.referrer_id,
        referral_id=referral.id,
        referee_id=referral.referee_id,
        state=referral.state,
        review=referral.review,
    )


def same(kind: IdentityKind) -> RejectReason:
    """The reason to reject a referral whose two sides have an identity of a kind in common."""
    return RejectReason(f"SAME_{kind}")
