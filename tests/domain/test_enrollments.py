"""Enrollment: a member with an account, and the bonus of the moment (S1, S2)."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from domain import members, stores
from domain.earning.effects import SIGN_UP_RULE
from domain.enrollments import EnrollMember, MemberEnrolled, MemberKeyMissing
from domain.kernel import NotFound
from domain.members import Member, Profile
from domain.points.account import AccountStatus, PointsAccount, SourceType, TransactionKind
from domain.policies import ExpiryKind, ExpiryPolicy
from domain.stores import Channel
from domain.tiers.standing import TierReached
from domain.tiers.tier import CreateTier
from tests.domain.memory import PROGRAM_ID, START
from tests.domain.shop import Shop


def test_s1_a_member_is_enrolled_with_an_empty_account_under_the_same_id(shop: Shop) -> None:
    enrolled = shop.run(EnrollMember(profile=Profile(phone="+8613812345678", name=" Li "), channel=Channel.PHONE))
    member, account = enrolled.member, enrolled.account
    assert member == Member(
        id=member.id,
        program_id=PROGRAM_ID,
        phone="+8613812345678",
        name="Li",
        channel=Channel.PHONE,
        enrolled_at=START,
    )
    assert account == PointsAccount(id=member.id, program_id=PROGRAM_ID, status=AccountStatus.ACTIVE, enrolled_at=START)
    assert shop.row(Member, member.id) == member
    assert shop.events == (MemberEnrolled(member_id=member.id, points=0),)


def test_s2_the_sign_up_bonus_is_an_earning_like_any_other() -> None:
    shop = Shop(sign_up_points=100)
    member = shop.enroll()
    (earned,) = shop.transactions(member)
    assert (earned.kind, earned.amount, earned.rule) == (TransactionKind.EARN, 100, SIGN_UP_RULE)
    assert (earned.source_type, earned.source_id) == (SourceType.SIGN_UP, member)
    account = shop.account(member)
    assert (account.available, account.lifetime_earned, account.qualifying_points) == (100, 100, 100)
    shop.replay(member)


def test_k2_a_bonus_may_reach_a_tier_at_once() -> None:
    shop = Shop(sign_up_points=100)
    tier = shop.run(CreateTier(name="Silver", rank=1, threshold=100))
    member = shop.enroll()
    assert shop.account(member).tier_id == tier.id
    assert shop.events == (
        MemberEnrolled(member_id=member, points=100),
        TierReached(member_id=member, tier_id=tier.id, tier_id_before=None),
    )


def test_l5_a_bonus_that_is_over_already_leaves_an_empty_account() -> None:
    over = ExpiryPolicy(kind=ExpiryKind.FIXED_DATE, on_date=date(2026, 1, 1))
    shop = Shop(sign_up_points=100, expiry=over)
    account = shop.account(shop.enroll())
    assert (account.available, account.lifetime_expired, account.due_at) == (0, 100, None)


def test_s59_the_store_where_a_member_joined_is_kept(shop: Shop) -> None:
    store = shop.run(stores.CreateStore(code="S1", name="Tea house"))
    enrolled = shop.run(EnrollMember(profile=Profile(external_id="li"), channel=Channel.IN_STORE, store_id=store.id))
    assert (enrolled.member.store_id, enrolled.member.channel) == (store.id, Channel.IN_STORE)


def test_what_is_wrong_with_an_enrollment_is_told_in_order(shop: Shop) -> None:
    shop.run(EnrollMember(profile=Profile(external_id="taken")))
    closed = shop.run(stores.CreateStore(code="S1", name="Tea house"))
    shop.run(stores.UpdateStore(store_id=closed.id, is_closed=True))
    nowhere = UUID(int=99)
    told: list[tuple[type[Exception], Profile, UUID]] = [
        (members.BirthdayInvalid, Profile(birthday=(START + timedelta(days=9)).date()), nowhere),
        (MemberKeyMissing, Profile(name="Li"), nowhere),
        (members.MemberExists, Profile(external_id="taken"), nowhere),
        (NotFound, Profile(external_id="li"), nowhere),
        (stores.StoreClosed, Profile(external_id="li"), closed.id),
    ]
    for refusal, profile, store_id in told:
        with pytest.raises(refusal):
            shop.run(EnrollMember(profile=profile, store_id=store_id))
