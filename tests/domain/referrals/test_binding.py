"""Binding: the first counts, before the first order, and nobody refers itself, alone or in a ring (R1, R2)."""

from typing import Any
from uuid import UUID

import pytest

from domain.enrollments import EnrollMember
from domain.identities import Identity, IdentityKind
from domain.kernel import NotFound
from domain.members import MemberExists, MemberRef, Profile
from domain.points.account import MemberFrozen
from domain.referrals.binding import CHAIN_MAX, BindReferral
from domain.referrals.code import MakeReferralCode, ReferralCode, ReferralCodeMade
from domain.referrals.policy import ReferralsClosed
from domain.referrals.referral import (
    AlreadyReferred,
    RefereeHasBought,
    Referral,
    ReferralChanged,
    ReferralCodeUnknown,
    ReferralRing,
    ReferralState,
    ReferrerFrozen,
    ReviewState,
    SelfReferral,
    Signal,
)
from domain.topics import Subject, topic
from tests.domain.friends import TERMS, Club, seen
from tests.domain.memory import START, ref
from tests.domain.shop import Shop, local

NOBODY = UUID(int=99)
PERSONAL = (
    (IdentityKind.PHONE, "+8613800138000"),
    (IdentityKind.OPENID, "o-1"),
    (IdentityKind.UNIONID, "u-1"),
    (IdentityKind.DEVICE, "d-1"),
    (IdentityKind.PAYMENT_ACCOUNT, "p-1"),
    (IdentityKind.ADDRESS, "1 Lake Road"),
)


@pytest.fixture
def club() -> Club:
    return Club()


def referrer_seen_with(club: Club, *identified: Identity) -> UUID:
    """A member that was seen with these when it joined."""
    profile = Profile(external_id=f"referrer-{club.number}")
    return club.run(EnrollMember(profile=profile, identified=identified)).member.id


# R1.


def test_r1_a_friend_is_bound_for_30_local_days_and_both_are_told(club: Club) -> None:
    referrer, friend = club.enroll(), club.enroll()
    bound = club.bind(friend, referrer)
    assert bound.referral == Referral(
        id=bound.referral.id,
        program_id=bound.referral.program_id,
        referrer_id=referrer,
        referee_id=friend,
        bound_at=START,
        expires_at=local("2026-02-15 00:00"),
        due_at=local("2026-02-15 00:00"),
        actor="till",
    )
    assert bound.referral.state is ReferralState.BOUND
    assert (bound.account.referral_id, bound.is_repeat) == (bound.referral.id, False)
    (told,) = club.events
    assert told == ReferralChanged(
        member_id=referrer, referral_id=bound.referral.id, referee_id=friend, state=ReferralState.BOUND, review=None
    )
    assert set(told.topics()) == {topic(Subject.MEMBER, referrer), topic(Subject.MEMBER, friend)}


def test_r1_who_enrolls_with_a_code_is_bound_at_once(club: Club) -> None:
    referrer, friend = club.pair()
    assert club.referral(friend).referrer_id == referrer
    assert club.account(friend).referral_id == club.referral(friend).id


def test_r1_the_window_is_the_policy_s_and_its_end_needs_no_clock(club: Club) -> None:
    club.promise(**TERMS, window_days=3)
    _, friend = club.pair()
    club.now = local("2026-01-18 23:59")
    assert club.state_of(friend) is ReferralState.BOUND
    club.now = local("2026-01-19 00:00")
    assert club.state_of(friend) is ReferralState.EXPIRED
    assert club.buy(friend, 10_000).account.pending == 0
    assert club.referral(friend).state is ReferralState.EXPIRED, "the purchase made it permanent"
    assert club.account(friend).referral_id is None


def test_r1_the_clock_makes_an_expiry_permanent_once(club: Club) -> None:
    _, friend = club.pair()
    assert club.settle_referral(friend).is_repeat
    club.later(days=31)
    done = club.settle_referral(friend)
    assert (done.referral.state, done.referral.ended_at) == (ReferralState.EXPIRED, club.now)
    assert (done.referral.due_at, club.account(friend).referral_id) == (None, None)
    again = club.settle_referral(friend)
    assert (again.is_repeat, club.decision.save) == (True, ())


def test_r1_the_first_valid_binding_wins_for_ever(club: Club) -> None:
    referrer, friend = club.pair()
    other = club.enroll()
    code = club.code(other)
    for days in (0, 40):
        club.later(days=days)
        with pytest.raises(AlreadyReferred) as refused:
            club.run(BindReferral(member=ref(friend), code=code))
        assert refused.value.details == {"bound_at": START.isoformat()}
    again = club.bind(friend, referrer)
    assert (again.is_repeat, again.referral, club.decision.save) == (True, club.referral(friend), ())


def test_r1_what_is_refused_binds_nobody_and_the_next_may(club: Club) -> None:
    device = seen(IdentityKind.DEVICE, "d-1")
    first, second, friend = referrer_seen_with(club, device), club.enroll(), club.enroll()
    with pytest.raises(SelfReferral):
        club.bind(friend, first, device)
    assert club.bind(friend, second, device).referral.referrer_id == second


@pytest.mark.parametrize("amount_minor", [1, 0])
def test_r1_only_before_the_first_order(club: Club, amount_minor: int) -> None:
    referrer, friend = club.enroll(), club.enroll()
    bought = club.buy(friend, amount_minor)
    if amount_minor:
        club.refund(bought.purchase)
    with pytest.raises(RefereeHasBought):
        club.bind(friend, referrer)


# R2.


def test_r2_nobody_refers_itself(club: Club) -> None:
    member = club.enroll()
    with pytest.raises(SelfReferral) as refused:
        club.bind(member, member)
    assert refused.value.details == {"same": "MEMBER"}
    assert refused.value.message == "Nobody refers itself: the friend has the same MEMBER as the referrer."


@pytest.mark.parametrize("kind, value", PERSONAL)
def test_r2_the_same_identity_is_refused_and_named(club: Club, kind: IdentityKind, value: str) -> None:
    told = seen(kind, value)
    referrer, friend = referrer_seen_with(club, told), club.enroll()
    with pytest.raises(SelfReferral) as refused:
        club.bind(friend, referrer, seen(IdentityKind.NETWORK, "203.0.113.7"), told)
    assert refused.value.details == {"same": kind}
    code = club.code(referrer)
    with pytest.raises(SelfReferral):
        club.run(EnrollMember(profile=Profile(external_id="x"), referral_code=code, identified=(told,)))
    with pytest.raises(SelfReferral):
        club.bind(referrer_seen_with(club, told), referrer)


def test_r2_a_phone_of_the_friend_s_order_may_be_the_referrer_s_own(club: Club) -> None:
    referrer = club.join(phone="+8613800138000")
    friend = club.enroll()
    with pytest.raises(SelfReferral) as refused:
        club.bind(friend, referrer, seen(IdentityKind.PHONE, "+8613800138000"))
    assert refused.value.details == {"same": IdentityKind.PHONE}
    assert not club.bind(friend, referrer, seen(IdentityKind.PHONE, "+8613800138001")).is_repeat


def test_r2_a_phone_that_the_referrer_was_seen_with_may_be_the_friend_s_own(club: Club) -> None:
    """Whether the friend enrolls with the code, or is bound later; and it need not be told again."""
    referrer = referrer_seen_with(club, seen(IdentityKind.PHONE, "+8613800138000"))
    with pytest.raises(SelfReferral) as refused:
        club.bring(referrer, phone="+8613800138000")
    assert refused.value.details == {"same": IdentityKind.PHONE}
    with pytest.raises(SelfReferral):
        club.bind(club.join(phone="+8613800138000"), referrer)
    assert club.bring(referrer, phone="+8613800138001")


def test_r2_two_members_never_have_one_phone(club: Club) -> None:
    club.join(phone="+8613800138000")
    with pytest.raises(MemberExists):
        club.bring(club.enroll(), phone="+8613800138000")


def test_r2_what_was_learnt_of_the_referrer_from_its_purchases_counts_too(club: Club) -> None:
    referrer, friend = club.enroll(), club.enroll()
    paid_by = seen(IdentityKind.PAYMENT_ACCOUNT, "p-1")
    club.buy(referrer, 100, identified=(paid_by,))
    with pytest.raises(SelfReferral):
        club.bind(friend, referrer, paid_by)


@pytest.mark.parametrize("others", range(CHAIN_MAX))
def test_r2_a_ring_is_refused_however_many_are_in_it(club: Club, others: int) -> None:
    """A brings B brings C …, and the last would bring A."""
    first = last = club.enroll()
    for _ in range(others + 1):
        friend = club.enroll()
        club.bind(friend, last)
        last = friend
    with pytest.raises(ReferralRing) as refused:
        club.bind(first, last)
    assert refused.value.details == {"length": others + 2}


def test_r2_a_ring_is_refused_after_its_links_have_expired(club: Club) -> None:
    referrer, friend = club.pair()
    club.later(days=40)
    club.settle_referral(friend)
    with pytest.raises(ReferralRing):
        club.bind(referrer, friend)


def test_r2_what_is_at_the_end_of_a_longer_chain_is_looked_into(club: Club) -> None:
    """So a ring too long to be followed pays nothing that nobody has seen."""
    first = last = club.enroll()
    for _ in range(CHAIN_MAX):
        friend = club.enroll()
        assert club.bind(friend, last).referral.signals == ()
        last = friend
    friend = club.enroll()
    for member, referrer in ((friend, last), (first, friend)):
        bound = club.bind(member, referrer).referral
        assert (bound.signals, bound.review) == ((Signal.LONG_CHAIN,), ReviewState.HELD)


# Soft signals.


def test_r2_one_network_is_looked_into_and_not_denied(club: Club) -> None:
    referrer = referrer_seen_with(club, seen(IdentityKind.NETWORK, "203.0.113.7"))
    bound = club.bind(club.enroll(), referrer, seen(IdentityKind.NETWORK, "203.0.113.99")).referral
    assert (bound.state, bound.review, bound.signals) == (
        ReferralState.BOUND,
        ReviewState.HELD,
        (Signal.SAME_NETWORK,),
    )


def test_r2_one_address_is_looked_into_where_the_policy_says_so(club: Club) -> None:
    club.promise(**TERMS, reviews_address=True)
    home = seen(IdentityKind.ADDRESS, "1 Lake Road")
    bound = club.bind(club.enroll(), referrer_seen_with(club, home), home).referral
    assert (bound.review, bound.signals) == (ReviewState.HELD, (Signal.SAME_ADDRESS,))


def test_r2_more_friends_in_an_hour_than_people_bring_are_looked_into(club: Club) -> None:
    club.promise(**TERMS, hourly_max=2)
    referrer = club.enroll()
    held = []
    for minutes in (0, 59, 0, 1, 0, 0):
        club.later(minutes=minutes)
        held.append(club.referral(club.bring(referrer)).signals)
    too_fast = (Signal.TOO_FAST,)
    assert held == [(), (), too_fast, (), (), too_fast], "an hour begins with its first friend"


# Codes.


def test_a_code_is_made_once_and_is_the_member_s_own(club: Club) -> None:
    member, other = club.enroll(), club.enroll()
    made = club.run(MakeReferralCode(member=ref(member)))
    assert made.code == ReferralCode(
        id=member, program_id=made.code.program_id, member_id=member, code=made.code.code, made_at=START
    )
    assert club.events == (ReferralCodeMade(member_id=member, code=made.code.code),)
    assert len(made.code.code) == 12
    again = club.run(MakeReferralCode(member=ref(member)))
    assert (again.is_repeat, again.code, club.decision.save) == (True, made.code, ())
    assert club.code(other) != made.code.code


def test_a_code_is_read_as_people_type_it(club: Club) -> None:
    referrer, friend = club.enroll(), club.enroll()
    code = f" {club.code(referrer).lower()} "
    assert club.run(BindReferral(member=ref(friend), code=code)).referral.referrer_id == referrer


def test_a_program_without_a_policy_takes_none() -> None:
    shop = Shop()
    member = shop.enroll()
    with pytest.raises(ReferralsClosed):
        shop.run(MakeReferralCode(member=ref(member)))
    with pytest.raises(ReferralsClosed):
        shop.run(BindReferral(member=ref(member), code="NOBODYSCODE"))


def test_who_is_bound_stays_so_when_the_program_takes_no_more(club: Club) -> None:
    referrer, friend = club.pair()
    code = club.code(referrer)
    club.promise(**TERMS, is_active=False)
    with pytest.raises(ReferralsClosed):
        club.run(EnrollMember(profile=Profile(external_id="late"), referral_code=code))
    assert club.code(referrer) == code
    with pytest.raises(ReferralsClosed):
        club.code(friend)
    club.buy(friend, 5_000)
    assert club.account(referrer).pending == 100


def test_a_frozen_member_gets_no_code(club: Club) -> None:
    member = club.enroll()
    club.freeze(member)
    with pytest.raises(MemberFrozen):
        club.code(member)


def test_what_is_wrong_with_a_binding_is_told_in_order(club: Club) -> None:
    device = seen(IdentityKind.DEVICE, "d-1")
    referrer, itself, friend, other = referrer_seen_with(club, device), club.enroll(), club.enroll(), club.enroll()
    code, own = club.code(referrer), club.code(itself)
    frozen, bought, below = club.enroll(), club.enroll(), club.enroll()
    club.freeze(frozen)
    club.buy(bought, 100)
    club.bind(friend, other)
    told: dict[str, Any] = {"member": MemberRef(external_id="nobody"), "code": "x", "identified": (device,)}
    precedence: list[tuple[type[Exception], dict[str, Any]]] = [
        (ReferralCodeUnknown, {"code": "NOBODYSCODE"}),
        (ReferralCodeUnknown, {"code": own}),
        (NotFound, {"member": ref(itself)}),
        (SelfReferral, {"member": ref(friend)}),
        (AlreadyReferred, {"member": ref(frozen)}),
        (MemberFrozen, {"member": ref(bought)}),
        (RefereeHasBought, {"member": ref(below), "code": code}),
        (SelfReferral, {"identified": ()}),
    ]
    for refusal, mended in precedence:
        with pytest.raises(refusal):
            club.run(BindReferral(**told))
        told |= mended
    club.bind(referrer, below)
    with pytest.raises(ReferralRing):
        club.run(BindReferral(**told))
    assert club.run(BindReferral(**{**told, "member": ref(itself)})).referral.referrer_id == referrer


def test_a_frozen_member_brings_nobody(club: Club) -> None:
    referrer, friend = club.enroll(), club.enroll()
    code = club.code(referrer)
    club.freeze(referrer)
    with pytest.raises(ReferrerFrozen):
        club.run(BindReferral(member=ref(friend), code=code))


def test_an_unknown_code_names_the_field_of_an_enrollment(club: Club) -> None:
    with pytest.raises(ReferralCodeUnknown) as refused:
        club.run(EnrollMember(profile=Profile(external_id="x"), referral_code="NOBODYSCODE"))
    assert (refused.value.field, refused.value.details) == (("referralCode",), {"given": "NOBODYSCODE"})
