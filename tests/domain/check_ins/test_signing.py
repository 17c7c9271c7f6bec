"""Signing in: each local date once, what it gives by ladder and milestone, and when a streak is one (G1, G2)."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.audiences import Audience
from domain.check_ins.activity import CheckInClosed, CheckInNotEligible
from domain.check_ins.check_in import CheckedIn, MilestoneReached
from domain.check_ins.signing import CreateCheckIn
from domain.earning.grants import Grant
from domain.earning.rules import Cap, Period, Trigger
from domain.kernel import NotFound
from domain.members import MemberRef
from domain.points.account import MemberFrozen
from domain.points.commands import FreezeMember
from domain.points.reminders import PointsExpiring
from tests.domain.check_ins.pages import FIRST, Page, days_from, points_on
from tests.domain.memory import ref
from tests.domain.shop import fixed


def test_g2_ten_a_day_and_100_on_day_20_are_300_points_after_20_days() -> None:
    page = Page()
    member = page.enroll()
    signed = page.sign(member, *days_from(FIRST, 20))
    assert [one.check_in.points for one in signed] == [10] * 19 + [110]
    assert page.account(member).available == 300


def test_g2_and_290_where_the_milestone_replaces_its_day() -> None:
    page = Page(replaces_base=True)
    member = page.enroll()
    signed = page.sign(member, *days_from(FIRST, 20))
    assert [one.check_in.points for one in signed] == [10] * 19 + [100]
    assert page.account(member).available == 290


def test_g1_the_second_call_of_a_day_answers_the_first_and_gives_nothing() -> None:
    page = Page()
    member = page.enroll()
    (first,) = page.sign(member)
    page.at(FIRST, 23)
    again = page.run(CreateCheckIn(member=ref(member), activity=" daily "))
    assert (first.already_signed, again.already_signed) == (False, True)
    assert again.check_in == first.check_in
    assert page.events == ()
    assert page.earned(member) == 10
    assert len([row for row in page.state.rows(Grant) if row.trigger is Trigger.CHECK_IN]) == 1


def test_g1_what_was_signed_is_answered_even_to_who_is_frozen_and_when_it_is_over() -> None:
    page = Page()
    member = page.enroll()
    page.sign(member)
    page.run(FreezeMember(member=ref(member), is_frozen=True, reason="test"))
    page.save(is_active=False)
    assert page.sign(member)[0].already_signed


def test_s17_what_was_given_is_told_by_rule_and_explained() -> None:
    page = Page(rules=(fixed(3, "own", trigger=Trigger.CHECK_IN, caps=(Cap(period=Period.WEEK, times=1),)),))
    member = page.enroll()
    page.sign(member, *days_from(FIRST, 20))
    given = [(row.rule, row.amount) for row in page.transactions(member)]
    assert given[:4] == [("own", 3), ("check-in:daily", 10), ("own", 3), ("check-in:daily", 10)]
    assert given[-2:] == [("check-in:daily", 10), ("check-in:daily:20", 100)]
    (last,) = [row for row in page.state.rows(Grant) if row.occasion == f"{page.activity.id}|2026-03-20"]
    assert [(item.rule, item.points, item.limited_by) for item in last.earned] == [
        ("own", 0, "WEEK"),
        ("check-in:daily", 10, None),
        ("check-in:daily:20", 100, None),
    ]
    assert page.events == (
        CheckedIn(
            member_id=member,
            activity_id=page.activity.id,
            check_in_id=page.check_in(member, date(2026, 3, 20)).id,  # type: ignore[union-attr]
            day=date(2026, 3, 20),
            is_made_up=False,
            points=110,
            length=20,
            last_day=date(2026, 3, 20),
            longest=20,
            check_ins=20,
        ),
        MilestoneReached(
            member_id=member,
            activity_id=page.activity.id,
            check_in_id=page.check_in(member, date(2026, 3, 20)).id,  # type: ignore[union-attr]
            day=20,
            points=100,
            cards=0,
        ),
    )


def test_g2_day_k_of_a_streak_gives_rung_k_over_and_over() -> None:
    page = Page(ladder=(1, 2, 5), milestones=())
    member = page.enroll()
    assert [one.check_in.points for one in page.sign(member, *days_from(FIRST, 8))] == [1, 2, 5, 1, 2, 5, 1, 2]
    page.at(date(2026, 3, 10))
    assert page.sign(member)[0].check_in.points == 1


@pytest.mark.parametrize(
    ("first", "count"),
    [
        (date(2026, 1, 30), 5),  # a month's end
        (date(2026, 12, 30), 5),  # a year's
        (date(2028, 2, 27), 5),  # a leap day
        (date(2027, 2, 26), 5),  # none
        (date(2100, 2, 26), 5),  # none either
    ],
)
def test_g2_streaks_go_on_across_months_years_and_leap_days(first: date, count: int) -> None:
    page = Page(first=first)
    member = page.enroll()
    signed = page.sign(member, *days_from(first, count))
    assert [one.check_in.length for one in signed] == [1, 2, 3, 4, 5]
    assert page.streak(member).longest == 5


def test_g2_a_streak_is_the_run_that_ends_today_or_yesterday() -> None:
    page = Page()
    member = page.enroll()
    assert page.standing(member).length == 0
    page.sign(member, *days_from(FIRST, 3))
    for later, length in ((0, 3), (1, 3), (2, 0)):
        page.at(date(2026, 3, 3 + later))
        assert page.standing(member).length == length
    assert page.sign(member)[0].check_in.length == 1
    streak = page.streak(member)
    assert (streak.length, streak.longest, streak.check_ins) == (1, 3, 4)


@pytest.mark.parametrize(
    "changes",
    [date(2026, 3, 8), date(2026, 11, 1)],  # when New York's clocks go forward, and back
)
def test_g1_days_of_23_and_of_25_hours_are_days(changes: date) -> None:
    page = Page(zone="America/New_York", first=date(changes.year, changes.month, changes.day))
    page.at(changes, 0)
    member = page.enroll()
    days = days_from(changes, 3)
    lengths = []
    for day in days:
        for hour in (0, 1, 3, 23):
            page.at(day, hour)
            lengths.append(page.sign(member)[0].check_in.length)
    assert lengths == [1] * 4 + [2] * 4 + [3] * 4
    assert page.streak(member).check_ins == 3
    assert page.earned(member) == 30


def test_g1_the_date_is_that_of_the_program_not_of_greenwich() -> None:
    page = Page()
    member = page.enroll()
    page.now = datetime(2026, 3, 1, 15, 59, tzinfo=UTC)
    page.sign(member)
    page.now = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
    assert page.sign(member)[0].check_in.day == date(2026, 3, 2)
    assert page.streak(member).length == 2


def test_g1_a_program_that_moves_east_and_back_west_counts_each_date_once() -> None:
    page = Page(zone="America/New_York")
    member = page.enroll()
    page.at(FIRST, 20)
    page.sign(member)
    page.move("Asia/Shanghai")
    # It is the morning of the 2nd in Shanghai.
    assert page.sign(member)[0].check_in.day == date(2026, 3, 2)
    page.move("America/New_York")
    # And the 1st again in New York, whose streak has its last day tomorrow.
    assert page.sign(member)[0].already_signed
    assert page.standing(member).length == 2
    page.later(days=1)
    assert page.sign(member)[0].already_signed
    page.later(days=1)
    assert page.sign(member)[0].check_in.length == 3
    assert page.earned(member) == 30


def test_g1_a_date_that_a_move_leaves_behind_is_joined_when_it_is_signed_after_all() -> None:
    page = Page()
    member = page.enroll()
    page.sign(member)
    page.move("America/New_York")
    (back,) = page.sign(member)
    assert (back.check_in.day, back.check_in.length, back.streak.length) == (date(2026, 2, 28), 1, 2)


def test_activities_of_a_program_are_apart() -> None:
    page = Page()
    summer = page.save("summer", ladder=(7,), milestones=(points_on(2, 50),))
    member = page.enroll()
    for day in days_from(FIRST, 2):
        page.sign(member, day)
        page.sign(member, code="summer")
    assert (page.streak(member).length, page.streak(member, summer).length) == (2, 2)
    assert page.earned(member) == 20 + 14 + 50


def refused(page: Page, member: Any, kind: type[Any], code: str = "daily") -> Any:
    with pytest.raises(kind) as refusal:
        page.run(CreateCheckIn(member=member, activity=code))
    return refusal.value


def test_refusals_in_their_order() -> None:
    page = Page(
        audience=Audience(tags=("vip",)),
        starts_at=page_time(2),
        ends_at=page_time(4),
    )
    member = page.enroll()
    nobody = MemberRef(external_id="nobody")
    assert refused(page, nobody, NotFound, "none").details == {"kind": "CheckInActivity", "key": "none"}
    assert refused(page, nobody, NotFound).details["kind"] == "Member"
    page.run(FreezeMember(member=ref(member), is_frozen=True, reason="test"))
    refused(page, ref(member), MemberFrozen)
    other = page.join(external_id="other")
    early = refused(page, ref(other), CheckInClosed)
    assert early.message == "'daily' cannot be signed in to now: it begins later."
    assert early.details["at"] == page_time(2).isoformat()
    page.at(date(2026, 3, 3))
    outside = refused(page, ref(other), CheckInNotEligible)
    assert outside.message == "'daily' is not for this member, by its tags."
    inside = page.join(external_id="vip", tags=("vip",))
    assert page.sign(inside)[0].check_in.length == 1
    page.at(date(2026, 3, 6))
    assert refused(page, ref(inside), CheckInClosed).details["why"] == "it is over"
    page.save(is_active=False)
    assert (
        refused(page, ref(inside), CheckInClosed).message == "'daily' cannot be signed in to now: it is switched off."
    )


def page_time(days: int) -> datetime:
    """Noon, so many days after the first."""
    return datetime(2026, 3, 1 + days, 4, tzinfo=UTC)


def test_a_check_in_that_gives_nothing_is_one_all_the_same() -> None:
    page = Page(ladder=(0,), milestones=())
    member = page.enroll()
    signed = page.sign(member, *days_from(FIRST, 2))
    assert [(one.check_in.points, one.check_in.length) for one in signed] == [(0, 1), (0, 2)]
    assert page.history(member) == []
    assert not any(isinstance(event, PointsExpiring) for event in page.events)
