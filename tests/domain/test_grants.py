"""What the clock gives by rule: birthdays once a year, member days once a day (S25, S26); and joining (S2)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import duties
from domain.earning.facts import Earned, Facts
from domain.earning.grants import Grant
from domain.earning.rules import Anniversary, Cap, CapPolicy, Conditions, EarningRule, Period, Trigger
from domain.enrollments import EnrollMember, MemberEnrolled
from domain.grants import GrantBirthday, Granted, GrantMemberDay, PointsGranted
from domain.kernel import NotFound
from domain.members import Profile
from domain.points.account import SourceType, TransactionKind
from domain.policies import ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from domain.profiles import UpdateMember
from domain.schedules import Schedule
from domain.stores import Channel, CreateStore
from domain.tiers.tier import BIRTHDAY_GIFT, CreateTier, TierBenefits
from tests.domain.memory import START, ref
from tests.domain.shop import SHANGHAI, Shop, campaign, fixed, local

NOBODY = UUID(int=99)
BIRTHDAY = fixed(100, "cake", trigger=Trigger.BIRTHDAY)
EIGHTH = fixed(8, "eighth", trigger=Trigger.MEMBER_DAY, when=Conditions(schedule=Schedule(month_days=(8,))))


def celebrate(shop: Shop, member: UUID, told: str) -> int:
    return shop.run(GrantBirthday(member_id=member, day=date.fromisoformat(told)), actor="clock").points


def member_day(shop: Shop, member: UUID, told: str) -> int:
    return shop.run(GrantMemberDay(member_id=member, day=date.fromisoformat(told)), actor="clock").points


def on(shop: Shop, told: str) -> Shop:
    """The shop at a local time of Shanghai."""
    shop.now = local(told)
    return shop


# Birthdays.


def test_s25_a_birthday_gives_by_rule_and_keeps_why() -> None:
    shop = Shop(rules=(BIRTHDAY, EIGHTH))
    member = shop.join(birthday=date(1990, 3, 9))
    on(shop, "2026-03-09 20:00")
    granted = shop.run(GrantBirthday(member_id=member, day=date(2026, 3, 9)), actor="clock")
    assert (granted.points, granted.account) == (100, shop.account(member))
    assert granted.account.available == 100
    assert shop.events == (PointsGranted(member_id=member, trigger=Trigger.BIRTHDAY, occasion="2026", points=100),)
    (grant,) = shop.state.rows(Grant)
    assert grant == Grant(
        id=grant.id,
        program_id=grant.program_id,
        member_id=member,
        trigger=Trigger.BIRTHDAY,
        occasion="2026",
        rule_version=1,
        facts=Facts(time_zone=SHANGHAI),
        earned=(Earned(rule="cake", points=100, requested=100),),
        points=100,
        occurred_at=local("2026-03-09 00:00"),
        recorded_at=shop.now,
        actor="clock",
    )
    (earned,) = shop.transactions(member)
    assert (earned.kind, earned.rule, earned.occurred_at) == (TransactionKind.EARN, "cake", local("2026-03-09 00:00"))
    assert (earned.source_type, earned.source_id) == (SourceType.GRANT, grant.id)


def test_s25_a_birthday_is_given_once_a_year_even_if_it_is_edited() -> None:
    shop = Shop(rules=(BIRTHDAY,))
    member = shop.join(birthday=date(1990, 3, 9))
    assert celebrate(on(shop, "2026-03-09 09:00"), member, "2026-03-09") == 100
    assert celebrate(shop, member, "2026-03-09") == 0
    assert (shop.decision.save, shop.events) == ((), ())
    shop.run(UpdateMember(member=ref(member), profile=Profile(birthday=date(1990, 3, 10))))
    assert celebrate(on(shop, "2026-03-10 09:00"), member, "2026-03-10") == 0
    assert celebrate(on(shop, "2027-03-09 09:00"), member, "2027-03-09") == 0, "it is the 10th now"
    assert celebrate(on(shop, "2027-03-10 09:00"), member, "2027-03-10") == 100
    assert shop.history(member) == [("EARN", 100), ("EARN", 100)]


def test_s25_a_leap_day_is_celebrated_on_the_28th_in_other_years() -> None:
    shop = Shop(rules=(BIRTHDAY,))
    member = shop.join(birthday=date(1992, 2, 29))
    assert celebrate(on(shop, "2027-02-28 09:00"), member, "2027-02-28") == 100
    assert celebrate(on(shop, "2027-03-01 09:00"), member, "2027-03-01") == 0
    assert celebrate(on(shop, "2028-02-28 09:00"), member, "2028-02-28") == 0
    assert celebrate(on(shop, "2028-02-29 09:00"), member, "2028-02-29") == 100


@pytest.mark.parametrize("birthday", [None, date(1990, 3, 8)])
def test_s25_nothing_on_a_day_that_is_none(birthday: date | None) -> None:
    shop = Shop(rules=(BIRTHDAY,))
    member = shop.join(birthday=birthday)
    assert celebrate(on(shop, "2026-03-09 09:00"), member, "2026-03-09") == 0
    assert (shop.decision.save, shop.events, shop.history(member)) == ((), (), [])


def test_s25_s26_nothing_before_joining_but_at_once_on_the_day_of_joining() -> None:
    """Whether the clock has looked by then or not: it gives none of it again, and nothing that joining did not."""
    shop = Shop(rules=(BIRTHDAY, fixed(1, "eighth", trigger=Trigger.MEMBER_DAY, when=EIGHTH.when)))
    on(shop, "2026-03-08 23:00")
    member = shop.join(birthday=date(1990, 3, 7))
    assert shop.events[1:] == (
        PointsGranted(member_id=member, trigger=Trigger.MEMBER_DAY, occasion="2026-03-08", points=1),
    )
    born = shop.join(birthday=date(1990, 3, 8), external_id="born")
    assert [(row.rule, row.occurred_at) for row in shop.transactions(born)] == [
        ("cake", local("2026-03-08 23:00")),
        ("eighth", local("2026-03-08 23:00")),
    ]
    shop.later(hours=10)
    assert celebrate(shop, member, "2026-03-07") == 0
    for who, points in ((member, 1), (born, 101)):
        assert (celebrate(shop, who, "2026-03-08"), member_day(shop, who, "2026-03-08")) == (0, 0)
        assert shop.account(who).available == points
        shop.replay(who)


def test_s25_who_moves_in_on_its_birthday_is_given_for_it_once_too() -> None:
    shop = Shop(rules=(BIRTHDAY,))
    on(shop, "2026-03-08 10:00")
    moved = shop.run(
        EnrollMember(profile=Profile(external_id="m", birthday=date(1990, 3, 8)), enrolled_at=local("2025-07-01 00:00"))
    ).member.id
    assert shop.transactions(moved)[0].occurred_at == local("2026-03-08 00:00"), "as the clock gives it"
    assert celebrate(shop, moved, "2026-03-08") == 0


def test_s25_who_joins_on_its_birthday_has_the_gift_of_the_tier_that_needs_nothing() -> None:
    shop = Shop(rules=())
    shop.run(CreateTier(name="Base", rank=1, threshold=0, benefits=TierBenefits(birthday_points=30)))
    on(shop, "2026-03-08 10:00")
    member = shop.join(birthday=date(1990, 3, 8))
    assert [(row.rule, row.amount) for row in shop.transactions(member)] == [(BIRTHDAY_GIFT, 30)]
    assert celebrate(shop, member, "2026-03-08") == 0


def test_s25_nothing_to_who_is_frozen() -> None:
    shop = Shop(rules=(BIRTHDAY, EIGHTH))
    member = shop.join(birthday=date(1990, 3, 8))
    on(shop, "2026-03-08 09:00").freeze(member)
    assert (celebrate(shop, member, "2026-03-08"), member_day(shop, member, "2026-03-08")) == (0, 0)
    shop.freeze(member, is_frozen=False)
    assert (celebrate(shop, member, "2026-03-08"), member_day(shop, member, "2026-03-08")) == (100, 8)


def test_s25_a_late_clock_gives_for_the_day_itself_by_todays_rules() -> None:
    shop = Shop(rules=(fixed(100, trigger=Trigger.BIRTHDAY, expiry=ExpiryPolicy(ExpiryKind.DAYS, count=30)),))
    member = shop.join(birthday=date(1990, 3, 9))
    assert celebrate(on(shop, "2026-03-11 03:00"), member, "2026-03-09") == 100
    (lot,) = shop.lots(member)
    assert (lot.earned_at, lot.expires_at) == (local("2026-03-09 00:00"), local("2026-04-09 00:00"))


def test_s25_an_early_clock_gives_for_what_has_begun() -> None:
    shop = Shop(rules=(BIRTHDAY,))
    member = shop.join(birthday=date(1990, 3, 9))
    assert celebrate(on(shop, "2026-03-09 00:00"), member, "2026-03-09") == 100
    assert shop.transactions(member)[0].occurred_at == local("2026-03-09 00:00")
    other = shop.join(birthday=date(1990, 3, 10))
    assert celebrate(shop, other, "2026-03-10") == 0, "that day has not come"
    assert celebrate(on(shop, "2026-03-10 00:00"), other, "2026-03-10") == 100


def test_s25_the_gift_of_the_tier_is_given_beside_the_rules() -> None:
    cake = fixed(10, "cake", trigger=Trigger.BIRTHDAY)
    shop = Shop(rules=(cake,))
    shop.run(CreateTier(name="Silver", rank=1, threshold=50, benefits=TierBenefits(birthday_points=30)))
    shop.run(CreateTier(name="Gold", rank=2, threshold=500, benefits=TierBenefits(birthday_points=300)))
    member, other = (shop.join(birthday=date(1990, 3, 9), external_id=name) for name in "ab")
    shop.update(rules=(cake, fixed(60, "act", trigger=Trigger.ACTIVITY, activity_type="review")))
    shop.act(member)
    on(shop, "2026-03-09 13:00")
    assert (celebrate(shop, member, "2026-03-09"), celebrate(shop, other, "2026-03-09")) == (40, 10)
    grants = {grant.member_id: [item.rule for item in grant.earned] for grant in shop.state.rows(Grant)}
    assert grants == {member: ["cake", BIRTHDAY_GIFT], other: ["cake"]}
    shop.update(rules=())
    on(shop, "2027-03-09 13:00")
    assert (celebrate(shop, member, "2027-03-09"), celebrate(shop, other, "2027-03-09")) == (30, 0)


def test_s25_conditions_of_a_birthday_rule_hold_on_its_day() -> None:
    rules = (
        fixed(1, "weekend", trigger=Trigger.BIRTHDAY, when=Conditions(schedule=Schedule(weekdays=(6, 7)))),
        fixed(2, "new", trigger=Trigger.BIRTHDAY, when=Conditions(new_for_days=60)),
        fixed(4, "framed", trigger=Trigger.BIRTHDAY, campaign="spring"),
    )
    shop = Shop(rules=rules[:2])
    shop.edit(rules=rules[2:], campaigns=(campaign(first="2026-03-01", until="2026-04-01"),))
    member = shop.join(birthday=date(1990, 3, 9))
    assert celebrate(on(shop, "2026-03-09 23:59"), member, "2026-03-09") == 2 + 4
    other = shop.join(birthday=date(1990, 3, 28))
    assert celebrate(on(shop, "2026-03-28 23:59"), other, "2026-03-28") == 1 + 2 + 4


def test_l13_an_occasion_whose_cap_or_budget_left_nothing_is_over_and_tells_nothing() -> None:
    capped = fixed(100, trigger=Trigger.BIRTHDAY, campaign="spring", cap_policy=CapPolicy.REJECT)
    shop = Shop(rules=())
    shop.edit(rules=(capped,), campaigns=(campaign(budget=150),))
    first, second = (shop.join(birthday=date(1990, 3, 9), external_id=name) for name in "ab")
    on(shop, "2026-03-09 13:00")
    assert celebrate(shop, first, "2026-03-09") == 100
    assert celebrate(shop, second, "2026-03-09") == 0
    assert shop.events == ()
    assert shop.state.rows(Grant)[-1].earned == (Earned(rule="fixed", points=0, requested=100, limited_by="BUDGET"),)
    shop.edit(campaigns=(campaign(budget=1_000),))
    assert celebrate(shop, second, "2026-03-09") == 0


def test_points_of_the_clock_never_wait_for_an_event_that_does_not_come() -> None:
    shop = Shop(rules=(BIRTHDAY,), pending=PendingPolicy(PendingKind.ON_EVENT))
    member = shop.join(birthday=date(1990, 3, 9))
    celebrate(on(shop, "2026-03-09 13:00"), member, "2026-03-09")
    assert shop.figures(member) == (100, 0, 0, 0)


# However late the clock looks.


LOOKS = ("2027-03-08 00:00", "2027-03-08 08:59", "2027-03-08 15:00", "2027-03-09 00:00", "2027-03-12 07:00")


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "points"),
    [
        ("2027-03-08 09:00", "2027-03-09 00:00", 8),
        ("2027-03-08 00:00", "2027-03-08 09:00", 8),
        ("2027-03-08 23:59:59", "2027-03-20 00:00", 8),
        ("2027-03-01 00:00", "2027-03-08 00:00:01", 8),
        ("2027-03-01 00:00", "2027-03-08 00:00", 0),
        ("2027-03-09 00:00", "2027-04-09 00:00", 0),
    ],
)
def test_s25_s26_a_rule_of_any_part_of_the_day_gives_the_same_however_late(
    starts_at: str, ends_at: str, points: int
) -> None:
    """By its own validity or that of its campaign; and the clock looks on every day that it gives on."""
    told: dict[str, Any] = {"starts_at": local(starts_at), "ends_at": local(ends_at)}
    always = Conditions(schedule=Schedule(weekdays=(1, 2, 3, 4, 5, 6, 7)))
    eighth = fixed(8, "eighth", trigger=Trigger.MEMBER_DAY, when=always)
    cake = fixed(8, "cake", trigger=Trigger.BIRTHDAY)
    for rules, frames in (
        ([replace(rule, **told) for rule in (eighth, cake)], ()),
        ([replace(rule, campaign="spring") for rule in (eighth, cake)], (campaign(**told),)),
    ):
        grants: set[tuple[Any, ...]] = set()
        for look in LOOKS:
            shop = Shop(rules=())
            shop.edit(rules=tuple(rules), campaigns=frames)
            member = shop.join(birthday=date(1990, 3, 8))
            on(shop, look)
            assert member_day(shop, member, "2027-03-08") == celebrate(shop, member, "2027-03-08") == points
            grants |= {(row.trigger, row.occurred_at, row.points) for row in shop.state.rows(Grant)}
        at = local("2027-03-08 00:00")
        expected = {(Trigger.MEMBER_DAY, at, points), (Trigger.BIRTHDAY, at, points)} if points else set()
        assert grants == expected
    rule_set = shop.edit(rules=(replace(eighth, **told),), replaces=True).rule_set
    assert duties.is_member_day(rule_set, date(2027, 3, 8), SHANGHAI) is bool(points)


# Member days.


def test_s26_a_member_day_gives_once_a_day_on_its_days() -> None:
    shop = Shop(rules=(EIGHTH,))
    member = shop.enroll()
    assert member_day(on(shop, "2026-02-08 00:05"), member, "2026-02-08") == 8
    assert shop.events == (
        PointsGranted(member_id=member, trigger=Trigger.MEMBER_DAY, occasion="2026-02-08", points=8),
    )
    assert member_day(on(shop, "2026-02-08 23:59"), member, "2026-02-08") == 0
    assert member_day(on(shop, "2026-02-09 00:05"), member, "2026-02-08") == 0
    assert member_day(shop, member, "2026-02-09") == 0
    assert (shop.decision.save, shop.events) == ((), ())
    assert member_day(on(shop, "2026-03-08 00:05"), member, "2026-03-08") == 8


def test_s26_what_is_due_is_done_when_something_is_given_and_left_to_its_own_clock_when_not() -> None:
    shop = Shop(rules=(EIGHTH,), expiry=ExpiryPolicy(ExpiryKind.DAYS, count=10))
    member = shop.enroll()
    member_day(on(shop, "2026-02-08 00:05"), member, "2026-02-08")
    given = shop.run(GrantMemberDay(member_id=member, day=on(shop, "2026-03-01 00:05").now.date()))
    assert given == Granted(account=given.account)
    assert (given.account.available, shop.account(member).available) == (0, 8)
    member_day(on(shop, "2026-03-08 00:05"), member, "2026-03-08")
    assert shop.history(member) == [("EARN", 8), ("EXPIRE", -8), ("EARN", 8)]
    shop.replay(member)


def test_an_unknown_member_is_refused(shop: Shop) -> None:
    for command in (
        GrantBirthday(member_id=NOBODY, day=START.date()),
        GrantMemberDay(member_id=NOBODY, day=START.date()),
    ):
        with pytest.raises(NotFound):
            shop.run(command)


# Joining.


def joining(points: int, code: str, **conditions: Any) -> EarningRule:
    return fixed(points, code, trigger=Trigger.ENROLLMENT, when=Conditions(**conditions))


def test_s2_joining_gives_by_rule_beside_the_bonus_of_the_settings() -> None:
    shop = Shop(rules=(joining(20, "welcome"),), sign_up_points=100)
    member = shop.enroll()
    assert [(row.rule, row.amount) for row in shop.transactions(member)] == [("welcome", 20), ("sign_up", 100)]
    assert {(row.source_type, row.source_id) for row in shop.transactions(member)} == {(SourceType.SIGN_UP, member)}
    assert shop.events == (MemberEnrolled(member_id=member, points=120),)
    (grant,) = shop.state.rows(Grant)
    assert (grant.id, grant.trigger, grant.occasion, grant.points) == (member, Trigger.ENROLLMENT, "enrollment", 120)


def test_s1_s2_where_and_how_somebody_joined_may_be_asked() -> None:
    shop = Shop()
    store = shop.run(CreateStore(code="S1", name="Tea house"))
    shop.update(
        rules=(
            joining(1, "store", stores=(store.id,)),
            joining(2, "phone", channels=(Channel.PHONE,)),
            joining(4, "elsewhere", without_stores=(store.id,)),
        )
    )
    told: list[tuple[dict[str, Any], int]] = [
        ({"store_id": store.id, "channel": Channel.IN_STORE}, 1),
        ({"channel": Channel.PHONE}, 6),
        ({}, 4),
    ]
    for number, (place, points) in enumerate(told):
        enrolled = shop.run(EnrollMember(profile=Profile(external_id=f"m{number}"), **place))
        assert enrolled.account.available == points


def test_s2_who_joins_in_the_month_of_its_birthday() -> None:
    rule = joining(5, "month", anniversary=Anniversary.BIRTHDAY_MONTH)
    shop = Shop(rules=(rule,))
    assert shop.account(shop.join(birthday=date(1990, 1, 31))).available == 5
    assert shop.account(shop.join(birthday=date(1990, 2, 1))).available == 0


def test_l13_a_cap_of_a_rule_for_joining_counts_for_each_member() -> None:
    rule = fixed(20, trigger=Trigger.ENROLLMENT, caps=(Cap(period=Period.LIFETIME, points=15),))
    shop = Shop(rules=(rule,))
    for _ in range(2):
        member = shop.enroll()
        assert shop.account(member).available == 15
        assert shop.counted(member) == {("fixed", "LIFETIME", "0001-01-01"): (15, 1)}
    assert shop.now - START == timedelta()
