"""Badges by hand and by points earned in all."""

import pytest

from domain.challenges.badges import (
    BadgeAlreadyAwarded,
    BadgeAwarded,
    BadgeNotAwarded,
    BadgeOrigin,
    BadgeRevoked,
)
from domain.challenges.challenge import BadgeUnknown
from domain.kernel import NotFound
from tests.domain.goals import Goals, buys, gives
from tests.domain.memory import PROGRAM_ID
from tests.domain.shop import ONE_POINT_A_UNIT


@pytest.fixture
def goals() -> Goals:
    return Goals(rules=ONE_POINT_A_UNIT)


def test_staff_gives_a_badge_once_and_takes_it_with_a_reason(goals: Goals) -> None:
    goals.badge("friend")
    member = goals.enroll()
    badge = goals.award(member, "friend").member_badge
    assert (badge.origin, badge.reason, badge.awarded_by) == (BadgeOrigin.STAFF, "by hand", "till")
    assert goals.events == (BadgeAwarded(member_id=member, badge="friend"),)
    with pytest.raises(BadgeAlreadyAwarded) as again:
        goals.award(member, "friend")
    assert (again.value.field, again.value.details) == (("badge",), {"badge": "friend"})
    assert goals.revoke(member, "friend").member_badge.revoked_reason == "by hand"
    assert goals.events == (BadgeRevoked(member_id=member, badge="friend"),)
    with pytest.raises(BadgeNotAwarded):
        goals.revoke(member, "friend")
    goals.award(member, "friend")
    assert goals.wears(member, "friend")


def test_what_cannot_be_given(goals: Goals) -> None:
    goals.badge("friend")
    member = goals.enroll()
    with pytest.raises(BadgeUnknown):
        goals.award(member, "enemy")
    with pytest.raises(NotFound):
        goals.award(PROGRAM_ID, "friend")


def test_s32_points_earned_in_all_unlock_badges(goals: Goals) -> None:
    goals.badge("silver", unlock_points=100)
    goals.badge("gold", unlock_points=300)
    member = goals.enroll()
    purchase = goals.buy(member, 9_900).purchase
    assert not goals.wears(member, "silver")
    goals.buy(member, 100)
    assert (goals.wears(member, "silver"), goals.wears(member, "gold")) == (True, False)
    goals.adjust(member, 1_000)
    assert not goals.wears(member, "gold"), "what staff gives was not earned"
    goals.buy(member, 20_000)
    assert goals.wears(member, "gold")
    goals.refund(purchase)
    assert goals.wears(member, "gold"), "what was earned was earned"


def test_points_of_a_challenge_unlock_badges_too_and_at_joining(goals: Goals) -> None:
    goals.badge("silver", unlock_points=100)
    goals.challenge("one", buys(1), reward=gives(99))
    member = goals.enroll()
    goals.buy(member, 100)
    assert goals.wears(member, "silver")
    goals.update(sign_up_points=100)
    assert goals.wears(goals.enroll(), "silver")


def test_a_badge_that_staff_took_is_not_unlocked_again(goals: Goals) -> None:
    goals.badge("silver", unlock_points=100)
    member = goals.enroll()
    goals.award(member, "silver")
    goals.revoke(member, "silver")
    goals.buy(member, 10_000)
    assert not goals.wears(member, "silver")
