"""Review: what is strange waits for staff, which approves or denies, each once and with a reason (R2)."""

from uuid import UUID

import pytest

from domain import checks
from domain.enrollments import EnrollMember
from domain.identities import IdentityKind
from domain.members import Profile
from domain.points.account import MemberFrozen
from domain.referrals.referral import ReferralNotOpen, ReferralState, RejectReason, ReviewState, Signal
from domain.referrals.settling import ReviewReferral
from tests.domain.friends import Club, seen

HOME = seen(IdentityKind.NETWORK, "203.0.113.7")


@pytest.fixture
def club() -> Club:
    return Club()


def held_pair(club: Club) -> tuple[UUID, UUID]:
    """A referrer, and a friend in its network, which staff is to look at."""
    profile = Profile(external_id=f"referrer-{club.number}")
    referrer = club.run(EnrollMember(profile=profile, identified=(HOME,))).member.id
    friend = club.bring(referrer, HOME)
    assert club.referral(friend).review is ReviewState.HELD
    return referrer, friend


def test_r2_what_is_held_qualifies_and_gives_nothing(club: Club) -> None:
    referrer, friend = held_pair(club)
    club.buy(friend, 5_000)
    referral = club.referral(friend)
    assert (referral.state, referral.review, referral.due_at) == (ReferralState.QUALIFIED, ReviewState.HELD, None)
    assert (referral.referrer_reward, club.figures(referrer), club.figures(friend)) == (
        None,
        (0, 0, 0, 0),
        (0, 0, 0, 0),
    )
    club.later(days=300)
    assert club.state_of(friend) is ReferralState.QUALIFIED, "it waits for staff, however long"


def test_r2_what_is_approved_first_goes_on_as_any(club: Club) -> None:
    referrer, friend = held_pair(club)
    done = club.review(friend, is_approved=True).referral
    assert (done.state, done.review, done.note, done.reviewer) == (
        ReferralState.BOUND,
        ReviewState.APPROVED,
        "looked at",
        "operator:li",
    )
    club.buy(friend, 5_000, identified=(HOME,))
    assert club.account(referrer).pending == 100, "what had been strange before is known"


@pytest.mark.parametrize("days", [3, 20])
def test_r2_what_is_approved_later_is_given_then_and_available_when_the_order_stands(club: Club, days: int) -> None:
    referrer, friend = held_pair(club)
    club.buy(friend, 5_000)
    club.later(days=days)
    club.review(friend, is_approved=True)
    figures = (100, 0) if days > 7 else (0, 100)
    assert (club.account(referrer).available, club.account(referrer).pending) == figures
    assert club.state_of(friend) is (ReferralState.REWARDED if days > 7 else ReferralState.QUALIFIED)
    club.later(days=7)
    assert club.settle_referral(friend).referral.state is ReferralState.REWARDED
    assert (club.settle(referrer).available, club.settle(friend).available) == (100, 50)
    again = club.review(friend, is_approved=True)
    assert (again.is_repeat, club.decision.save) == (True, ())
    club.replay(referrer)


def test_r2_what_is_denied_gives_nothing_ever(club: Club) -> None:
    referrer, friend = held_pair(club)
    done = club.review(friend, is_approved=False).referral
    assert (done.state, done.reason, done.review) == (
        ReferralState.REJECTED,
        RejectReason.DENIED,
        ReviewState.DENIED,
    )
    assert (done.due_at, done.ended_at, club.account(friend).referral_id) == (None, club.now, None)
    club.buy(friend, 5_000)
    assert club.figures(referrer) == (0, 0, 0, 0)
    assert club.review(friend, is_approved=False).is_repeat
    with pytest.raises(ReferralNotOpen) as refused:
        club.review(friend, is_approved=True)
    assert refused.value.details == {"state": ReferralState.REJECTED}


@pytest.mark.parametrize("days", [0, 10])
def test_r2_what_was_given_already_is_taken_back_when_staff_denies(club: Club, days: int) -> None:
    referrer, friend = club.pair()
    club.buy(friend, 5_000)
    club.later(days=days)
    done = club.review(friend, is_approved=False).referral
    assert done.state is ReferralState.REJECTED
    assert (club.figures(referrer), club.figures(friend)) == ((0, 0, 0, 0), (0, 0, 0, 0))
    assert done.referrer_reward is not None
    assert (done.referrer_reward.points_taken_back, len(club.events)) == (100, 1)
    taken = club.history(referrer)
    purchase_id = done.purchase_id
    assert purchase_id is not None
    club.refund(club.purchase(purchase_id))
    assert club.history(referrer) == taken, "a refund takes nothing twice"
    for member in (referrer, friend):
        club.replay(member)


def test_r3_a_refund_ends_what_is_held(club: Club) -> None:
    _, friend = held_pair(club)
    bought = club.buy(friend, 5_000)
    club.refund(bought.purchase)
    referral = club.referral(friend)
    assert (referral.state, referral.review) == (ReferralState.CLAWED_BACK, None)
    with pytest.raises(ReferralNotOpen):
        club.review(friend, is_approved=True)


def test_r1_what_is_held_expires_too(club: Club) -> None:
    _, friend = held_pair(club)
    club.later(days=31)
    for is_approved in (True, False):
        with pytest.raises(ReferralNotOpen) as refused:
            club.review(friend, is_approved=is_approved)
        assert refused.value.details == {"state": ReferralState.EXPIRED}
    assert club.settle_referral(friend).referral.review is None


def test_r2_a_referrer_that_is_frozen_when_the_friend_buys_waits(club: Club) -> None:
    referrer, friend = club.pair()
    club.freeze(referrer)
    club.buy(friend, 5_000)
    assert club.referral(friend).signals == (Signal.REFERRER_FROZEN,)
    with pytest.raises(MemberFrozen):
        club.review(friend, is_approved=True)
    club.freeze(referrer, is_frozen=False)
    club.review(friend, is_approved=True)
    assert club.account(referrer).pending == 100


def test_r2_what_is_strange_only_at_the_order_is_held_then(club: Club) -> None:
    referrer, friend = club.pair()
    club.buy(referrer, 100, identified=(HOME,))
    club.buy(friend, 5_000, identified=(HOME,))
    referral = club.referral(friend)
    assert (referral.review, referral.signals) == (ReviewState.HELD, (Signal.SAME_NETWORK,))


def test_a_decision_needs_a_reason(club: Club) -> None:
    _, friend = held_pair(club)
    referral_id = club.referral(friend).id
    with pytest.raises(checks.TextInvalid):
        club.run(ReviewReferral(referral_id=referral_id, is_approved=True, reason=" "))
