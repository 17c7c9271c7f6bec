"""Binding: a member says who brought it, and whatever speaks against that is refused or looked into (R1, R2)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain import calendars, identities, members
from domain.identities import Identity, IdentityKind
from domain.kernel import Command, Decision, Event, Row, State, Want
from domain.members import Member, MemberRef
from domain.points.account import AccountStatus, PointsAccount
from domain.points.posting import Posting, open_posting
from domain.programs import Program
from domain.referrals import code as referral_codes
from domain.referrals import policy as policies
from domain.referrals.code import ReferralCode
from domain.referrals.policy import ReferralPolicy
from domain.referrals.referral import (
    AlreadyReferred,
    RefereeHasBought,
    Referral,
    ReferralRing,
    ReferrerFrozen,
    ReviewState,
    SelfReferral,
    Signal,
    told,
)
from domain.values import changed

# So many referrers are looked at upwards; what is at the end of a longer chain is looked into by staff.
CHAIN_MAX: Final = 8
# What one person alone has. Two may live at one address or in one network.
_PERSONAL: Final = (
    IdentityKind.PHONE,
    IdentityKind.OPENID,
    IdentityKind.UNIONID,
    IdentityKind.DEVICE,
    IdentityKind.PAYMENT_ACCOUNT,
)

Pairs = Collection[tuple[IdentityKind, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What referrer and friend have in common: an identity that shows that they are one, and what is only strange."""

    same: IdentityKind | None = None
    signals: tuple[Signal, ...] = ()


def likeness(policy: ReferralPolicy, mine: Pairs, theirs: Pairs) -> Likeness:
    """What two members have in common (R2)."""
    common = {kind for kind, _ in set(mine) & set(theirs)}
    refused = (*_PERSONAL, *(() if policy.reviews_address else (IdentityKind.ADDRESS,)))
    same = next((kind for kind in refused if kind in common), None)
    strange = {IdentityKind.ADDRESS: Signal.SAME_ADDRESS, IdentityKind.NETWORK: Signal.SAME_NETWORK}
    return Likeness(same=same, signals=tuple(signal for kind, signal in strange.items() if kind in common))


def pairs(identified: Sequence[Identity]) -> frozenset[tuple[IdentityKind, str]]:
    """Identities as they are compared."""
    return frozenset((identity.kind, identity.digest) for identity in identified)


def phone_of(state: State, member: Member) -> frozenset[tuple[IdentityKind, str]]:
    """The phone of a member's profile as it is compared: it is no less the member's than one that it was seen with."""
    if member.phone is None:
        return frozenset()
    return pairs((identities.hashed(state.identity_key, state.program_id, IdentityKind.PHONE, member.phone),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A referral, the friend's account after it, and whether it had been bound before."""

    referral: Referral
    account: PointsAccount
    is_repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What is to be saved beside the posting of a member who joins, and what happened."""

    save: tuple[Row, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding(Joined):
    """A referral that was decided, or had been before."""

    referral: Referral
    is_repeat: bool = False


def bind(posting: Posting, code: ReferralCode, identified: Sequence[Identity]) -> Binding:
    """Bind the member of a posting to whoever has a code, and keep what it is identified by.

    The posting's account notes it. Refuses, in this order: `SelfReferral` for the member itself, `AlreadyReferred`,
    a frozen member, `ReferrerFrozen`, `RefereeHasBought`, `SelfReferral` for what both have, and `ReferralRing`.
    """
    state, friend, referrer_id = posting.state, posting.account, code.member_id
    is_new = posting.member is not None
    policy = policies.policy_of(state)
    if friend.id == referrer_id:
        raise SelfReferral(same="MEMBER")
    before = None if is_new else state.find_by(Referral, "referee_id", friend.id)
    if before is not None:
        if before.referrer_id != referrer_id:
            raise AlreadyReferred(bound_at=before.bound_at.isoformat())
        return Binding(referral=before, is_repeat=True)
    posting.require_active()
    _require_fit(state, friend, referrer_id)
    known = pairs(()) if is_new else identities.of_member(state, friend.id)
    alike = likeness(
        policy,
        known | pairs(identified) | phone_of(state, posting.member or state.get(Member, friend.id)),
        identities.of_member(state, referrer_id) | phone_of(state, state.get(Member, referrer_id)),
    )
    if alike.same is not None:
        raise SelfReferral(same=alike.same)
    pace = referral_codes.pace_of(state, referrer_id).friend_at(state.now)
    is_long = _climb(state, friend.id, referrer_id)
    signals = list(alike.signals)
    signals.extend([Signal.TOO_FAST] if pace.friends > policy.hourly_max else [])
    signals.extend([Signal.LONG_CHAIN] if is_long else [])
    referral = _referral(posting, code, policy, tuple(signals))
    posting.account = changed(friend, referral_id=referral.id)
    seen = identities.noted(state, friend.id, identified, known)
    return Binding(referral=referral, save=(pace, *seen, referral), events=(told(referral),))


def _require_fit(state: State, friend: PointsAccount, referrer_id: UUID) -> None:
    if state.get(PointsAccount, referrer_id).status is AccountStatus.FROZEN:
        raise ReferrerFrozen
    if friend.last_purchase_at is not None:
        raise RefereeHasBought


def _referral(posting: Posting, code: ReferralCode, policy: ReferralPolicy, signals: tuple[Signal, ...]) -> Referral:
    state = posting.state
    ends = calendars.end_after(state.now, policy.window_days, posting.program.time_zone)
    return Referral(
        id=state.new_id(),
        program_id=state.program_id,
        referrer_id=code.member_id,
        referee_id=posting.account.id,
        share_id=code.share_id,
        review=ReviewState.HELD if signals else None,
        signals=signals,
        bound_at=state.now,
        expires_at=ends,
        due_at=ends,
        actor=state.actor,
    )


def _climb(state: State, friend_id: UUID, referrer_id: UUID) -> bool:
    """Look upwards, from referrer to referrer; whether there are too many. Refuses `ReferralRing` (R2).

    Each of them is locked: two who would close a ring at once, from two sides, meet on the way.
    """
    member_id = referrer_id
    for height in range(CHAIN_MAX):
        state.need(*_wants_above(member_id))
        above = state.find_by(Referral, "referee_id", member_id)
        if above is None:
            return False
        member_id = above.referrer_id
        if member_id == friend_id:
            raise ReferralRing(length=height + 2)
    return True


def _wants_above(member_id: UUID) -> tuple[Want, ...]:
    return Want(PointsAccount, member_id, is_locked=True), Want(Referral, member_id, "referee_id", is_locked=True)


def wants_to_bind(code: ReferralCode, friend_id: UUID | None) -> tuple[Want, ...]:
    """What binding needs, both members at once, so that they are locked in the order of ids (L12)."""
    referrer_id = code.member_id
    wants = (
        *_wants_above(referrer_id),
        *identities.wants_of(referrer_id),
        Want(referral_codes.ReferralPace, referrer_id, is_locked=True),
        Want(Member, referrer_id),
    )
    if friend_id is None:
        return wants
    return (*wants, *_wants_above(friend_id), *identities.wants_of(friend_id), Want(Member, friend_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class BindReferral(Command[Bound]):
    """A member was brought by whoever has a code, its own or that of a share. Told again it answers the first.

    Refuses `ReferralsClosed`, `ReferralCodeUnknown`, an unknown member, and what `bind` does.
    """

    member: MemberRef
    code: str
    identified: tuple[Identity, ...] = ()

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """What says who the two are."""
        return Want(Program, program_id), Want(ReferralPolicy, program_id), *referral_codes.wants(self.code)

    def decide(self, state: State) -> Decision[Bound]:
        policies.require_open(state)
        code = referral_codes.find(state, "code", self.code)
        friend_id = members.resolve(state, self.member)
        state.need(*wants_to_bind(code, friend_id))
        posting = open_posting(state, friend_id)
        binding = bind(posting, code, self.identified)
        if binding.is_repeat:
            return Decision(Bound(referral=binding.referral, account=posting.account, is_repeat=True))
        rows = posting.close()
        return Decision(
            Bound(referral=binding.referral, account=posting.account),
            save=(*rows, *binding.save),
            events=(*binding.events, *posting.events),
        )
