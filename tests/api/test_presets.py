"""The demo program's rules give what the shops they were taken from give: each figure of theirs is a test."""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

import pytest

from api import presets
from domain.activities import RecordActivity
from domain.check_ins.signing import CreateCheckIn
from domain.enrollments import EnrollMember
from domain.grants import GrantBirthday, GrantMemberDay
from domain.identities import IdentityKind, hashed
from domain.members import Profile
from domain.purchases.recording import Line
from domain.referrals.code import MakeReferralCode
from domain.referrals.sharing import CreateShare, ShareKind, VisitShare
from tests.domain.memory import PROGRAM_ID, ref
from tests.domain.shop import Shop

# A Monday, noon in Shanghai; the double-points days begin a week later.
MONDAY: Final = datetime(2026, 3, 2, 4, tzinfo=UTC)


@pytest.fixture
def demo() -> Shop:
    """The demo program's tiers and rules, with a member that has bought before."""
    shop = Shop(now=MONDAY, tier_policy=presets.TIER_POLICY, categories=presets.CATEGORIES)
    for tier in presets.TIERS:
        shop.run(tier)
    shop.run(presets.demo(MONDAY, "Asia/Shanghai"))
    shop.run(presets.CHECK_IN)
    return shop


@pytest.fixture
def member(demo: Shop) -> UUID:
    """A member whose first purchase is behind it."""
    enrolled = demo.run(EnrollMember(profile=Profile(external_id="li", birthday=date(1990, 3, 10))))
    demo.buy(enrolled.member.id, 100)
    return enrolled.member.id


def report(shop: Shop, member: UUID, kind: str, times: int = 1) -> list[int]:
    """What an activity earns, reported so many times."""
    earned = []
    for _ in range(times):
        shop.orders += 1
        told = RecordActivity(member=ref(member), type=kind, external_id=f"{kind}-{shop.orders}")
        earned.append(shop.run(told).activity.points_earned)
    return earned


def test_s13_one_yuan_is_a_point_and_of_digital_goods_ten(demo: Shop, member: UUID) -> None:
    assert demo.buy(member, 19_990).purchase.points_earned == 199
    digital = Line(amount_minor=19_990, category=presets.DIGITAL)
    assert demo.buy(member, 19_990, lines=[digital]).purchase.points_earned == 19
    mixed = [Line(amount_minor=19_990, category="茶叶"), digital]
    assert demo.buy(member, 39_980, lines=mixed).purchase.points_earned == 199 + 19 + 50


def test_s14_from_300_yuan_on_there_are_50_more(demo: Shop, member: UUID) -> None:
    assert demo.buy(member, 29_999).purchase.points_earned == 299
    assert demo.buy(member, 30_000).purchase.points_earned == 300 + 50


def test_s22_a_first_purchase_earns_100(demo: Shop) -> None:
    who = demo.enroll()
    assert [demo.buy(who, 10_000).purchase.points_earned for _ in range(2)] == [200, 100]


def test_s15_thursdays_are_double_from_the_second_week_on(demo: Shop, member: UUID) -> None:
    demo.later(days=3)
    assert demo.buy(member, 10_000).purchase.points_earned == 100
    demo.later(days=7)
    assert demo.buy(member, 10_000).purchase.points_earned == 200
    digital = Line(amount_minor=19_990, category=presets.DIGITAL)
    # Floored once after multiplying: twice 19.99 is 39.98.
    assert demo.buy(member, 19_990, lines=[digital]).purchase.points_earned == 39


def test_s18_s41_a_friend_who_buys_earns_both_and_a_share_that_is_visited_five(demo: Shop, member: UUID) -> None:
    demo.run(presets.referrals(PROGRAM_ID))
    code = demo.run(MakeReferralCode(member=ref(member))).code.code
    before = demo.account(member)
    friend = demo.run(EnrollMember(profile=Profile(external_id="friend"), referral_code=code)).member.id
    demo.buy(friend, 4_999)
    assert demo.account(member).pending == 0
    demo.buy(friend, 5_000)
    assert (demo.account(member).pending, demo.account(friend).pending) == (100, 50)
    demo.later(days=7)
    assert demo.settle(member).available == before.available + 100
    shared = demo.run(CreateShare(member=ref(member), kind=ShareKind.PAGE, target="/tea"))
    visitor = hashed(b"key", PROGRAM_ID, IdentityKind.DEVICE, "phone-1")
    assert demo.run(VisitShare(code=shared.code.code, visitor=visitor)).share.points == 5


def test_s18_to_s24_activities_earn_what_they_do_and_no_more_than_they_may(demo: Shop, member: UUID) -> None:
    assert report(demo, member, "share", 6) == [5, 5, 5, 5, 5, 0]
    assert report(demo, member, "review", 4) == [20, 20, 20, 0]
    assert report(demo, member, "follow", 2) == [5, 0]
    assert report(demo, member, "booking", 2) == [10, 0]
    assert report(demo, member, "survey", 2) == [20, 0]
    assert report(demo, member, "story", 3) == [50, 50, 0]
    assert report(demo, member, "profile", 2) == [30, 0]
    demo.later(days=1)
    assert report(demo, member, "share") + report(demo, member, "follow") == [5, 0]


def test_s17_twenty_days_of_signing_in_are_300_points_and_twenty_more_600(demo: Shop, member: UUID) -> None:
    earned = []
    for _ in range(40):
        signed = [demo.run(CreateCheckIn(member=ref(member), activity="daily")) for _ in range(2)]
        assert [one.already_signed for one in signed] == [False, True]
        earned.append(signed[0].check_in.points)
        demo.later(days=1)
    assert (sum(earned[:20]), sum(earned)) == (300, 600)


def test_s25_birthdays_are_50_and_more_in_higher_tiers(demo: Shop, member: UUID) -> None:
    demo.now = datetime(2026, 3, 10, 4, tzinfo=UTC)
    assert demo.run(GrantBirthday(member_id=member, day=date(2026, 3, 10))).points == 50
    demo.buy(member, 200_000)
    demo.now += timedelta(days=365)
    assert demo.run(GrantBirthday(member_id=member, day=date(2027, 3, 10))).points == 50 + 100


def test_s26_every_8th_everybody_gets_8(demo: Shop, member: UUID) -> None:
    demo.now = datetime(2026, 3, 8, 4, tzinfo=UTC)
    assert demo.run(GrantMemberDay(member_id=member, day=date(2026, 3, 8))).points == 8
    demo.later(days=1)
    assert demo.run(GrantMemberDay(member_id=member, day=date(2026, 3, 9))).points == 0


def test_s6_and_s7_silver_and_gold_earn_more_and_give_for_being_reached(demo: Shop, member: UUID) -> None:
    silver = demo.buy(member, 100_000)
    assert (silver.purchase.points_earned, silver.account.available) == (1050, 1 + 100 + 1050 + 100)
    second = demo.buy(member, 400_000)
    # Silver earns 1.2 times, and gold gives 300 for being reached.
    assert second.purchase.points_earned == 4800 + 50
    assert demo.buy(member, 10_000).purchase.points_earned == 150
    assert demo.buy(member, 10_000).purchase.discount_bp == 1000
