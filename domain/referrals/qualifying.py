"""What orders make of referrals: the first that is large enough qualifies one, a refund of it takes all back (R3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain import identities
from domain.identities import Identity
from domain.kernel import Event, Row, State, Want
from domain.members import Member
from domain.points.account import AccountStatus, PointsAccount
from domain.points.posting import Posting, open_posting
from domain.referrals import binding, rewarding
from domain.referrals import policy as policies
from domain.referrals.policy import ReferralPolicy
from domain.referrals.referral import (
    Referral,
    ReferralState,
    RejectReason,
    ReviewState,
    Signal,
    same,
    told,
)
from domain.values import changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A purchase as a referral looks at it: what was paid for goods, when, and what its member is identified by."""

    id: UUID
    paid_minor: int
    occurred_at: datetime
    identified: Sequence[Identity] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a purchase or a refund made of a referral: rows to save beside the friend's posting, and what happened.

    `referral_id` is told if the purchase is the one that the referral qualified with.
    """

    save: tuple[Row, ...] = ()
    events: tuple[Event, ...] = ()
    referral_id: UUID | None = None


NOTHING = Outcome()


def on_purchase(posting: Posting, order: Order) -> Outcome:
    """Look whether a purchase qualifies the referral by which its member came; and keep what identifies the member.

    Who was not brought, or has qualified, costs no question: its account knows.
    """
    state, account = posting.state, posting.account
    known: frozenset[tuple[identities.IdentityKind, str]] = frozenset()
    seen: tuple[Row, ...] = ()
    if order.identified:
        known = identities.of_member(state, account.id)
        seen = identities.noted(state, account.id, order.identified, known)
    if account.referral_id is None:
        return Outcome(save=seen)
    state.need(Want(Referral, account.referral_id, is_locked=True), Want(ReferralPolicy, state.program_id))
    referral = state.get(Referral, account.referral_id)
    if referral.state_at(state.now) is ReferralState.EXPIRED:
        outcome = _over(posting, changed(referral, state=ReferralState.EXPIRED))
    elif order.occurred_at < referral.bound_at:
        outcome = _over(posting, _rejected(referral, RejectReason.ALREADY_BOUGHT))
    else:
        policy = policies.policy_of(state)
        if order.paid_minor < policy.threshold_minor:
            return Outcome(save=seen)
        outcome = _qualify(posting, referral, policy, order)
    return Outcome(save=(*seen, *outcome.save), events=outcome.events, referral_id=outcome.referral_id)


def _qualify(posting: Posting, referral: Referral, policy: ReferralPolicy, order: Order) -> Outcome:
    state = posting.state
    referrer_id, friend_id = referral.referrer_id, referral.referee_id
    state.need(
        *rewarding.wants_to_reward(referral),
        *(Want(Member, member_id) for member_id in (referrer_id, friend_id)),
        *identities.wants_of(referrer_id, friend_id),
    )
    mine, theirs = (
        identities.of_member(state, member_id) | binding.phone_of(state, state.get(Member, member_id))
        for member_id in (friend_id, referrer_id)
    )
    alike = binding.likeness(policy, mine | binding.pairs(order.identified), theirs)
    if alike.same is not None:
        return _over(posting, _rejected(referral, same(alike.same)))
    referral = _held(referral, (*alike.signals, *_frozen(state, referrer_id)))
    rewards_at = rewarding.ends_at(policy, order.occurred_at)
    referral = changed(
        referral,
        state=ReferralState.QUALIFIED,
        purchase_id=order.id,
        minimum_minor=policy.threshold_minor,
        qualified_at=order.occurred_at,
        rewards_at=rewards_at,
        due_at=None if referral.review is ReviewState.HELD else rewards_at,
    )
    let_go(posting, referral)
    if referral.review is ReviewState.HELD:
        return Outcome(save=(referral,), events=(told(referral),), referral_id=referral.id)
    referrer = open_posting(state, referrer_id)
    referral = rewarding.reward_both(referrer, posting, referral, policy)
    rows = referrer.close()
    return Outcome(save=(*rows, referral), events=(told(referral), *referrer.events), referral_id=referral.id)


def _frozen(state: State, referrer_id: UUID) -> tuple[Signal, ...]:
    is_frozen = state.get(PointsAccount, referrer_id).status is AccountStatus.FROZEN
    return (Signal.REFERRER_FROZEN,) if is_frozen else ()


def _held(referral: Referral, signals: Sequence[Signal]) -> Referral:
    """What is strange anew is looked into; staff that has approved knew of what had been strange before."""
    fresh = tuple(signal for signal in signals if signal not in referral.signals)
    if not fresh:
        return referral
    return changed(referral, signals=(*referral.signals, *fresh), review=ReviewState.HELD)


def _rejected(referral: Referral, reason: RejectReason) -> Referral:
    return changed(referral, state=ReferralState.REJECTED, reason=reason)


def _over(posting: Posting, referral: Referral) -> Outcome:
    """A referral of which nothing comes any more."""
    referral = over(referral, posting.state.now)
    let_go(posting, referral)
    return Outcome(save=(referral,), events=(told(referral),))


def over(referral: Referral, now: datetime) -> Referral:
    """A referral that ends: nobody need decide about it."""
    review = None if referral.review is ReviewState.HELD else referral.review
    return changed(referral, due_at=None, ended_at=now, review=review)


def let_go(posting: Posting, referral: Referral) -> None:
    """The friend's next purchases need not ask for its referral."""
    if posting.account.referral_id == referral.id:
        posting.account = changed(posting.account, referral_id=None)


def end(posting: Posting, referral: Referral) -> tuple[Referral, tuple[Row, ...]]:
    """End a referral in the state it has been given, and save its friend's account."""
    referral = over(referral, posting.state.now)
    let_go(posting, referral)
    return referral, posting.close()


def on_refund(posting: Posting, referral_id: UUID, refund_id: UUID, remaining_minor: int) -> Outcome:
    """Take back what a referral gave, once, when too little remains of the order that it qualified with (R3, L7)."""
    referral = posting.state.get(Referral, referral_id)
    is_given = referral.state in (ReferralState.QUALIFIED, ReferralState.REWARDED)
    if not is_given or remaining_minor >= referral.minimum_minor:
        return NOTHING
    referral = changed(referral, state=ReferralState.CLAWED_BACK)
    return take_back(posting, over(referral, posting.state.now), refund_id)


def take_back(posting: Posting, referral: Referral, refund_id: UUID | None) -> Outcome:
    """Take from both sides what a referral gave; the friend's posting stays open."""
    state = posting.state
    if referral.referrer_reward is None or referral.referee_reward is None:
        return Outcome(save=(referral,), events=(told(referral),))
    state.need(*rewarding.wants_to_take_back(referral))
    referrer = open_posting(state, referral.referrer_id)
    given, vouchers = rewarding.take_back(referrer, referral.referrer_reward, refund_id)
    taken, more = rewarding.take_back(posting, referral.referee_reward, refund_id)
    referral = changed(referral, referrer_reward=given, referee_reward=taken)
    rows = referrer.close()
    return Outcome(save=(*rows, *vouchers, *more, referral), events=(told(referral), *referrer.events))
