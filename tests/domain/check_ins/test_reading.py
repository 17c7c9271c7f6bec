"""What a member sees: its streak, what comes next, a month's calendar, and the days that may be made up."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain import calendars
from domain.check_ins.activity import CheckInCycle, MakeUpTerms
from domain.check_ins.reading import CalendarDay, CheckInDayState, NextMilestone, NextReward
from tests.domain.check_ins.pages import FIRST, FREE, Page, days_from, points_on

State = CheckInDayState


def march(day: int) -> date:
    return date(2026, 3, day)


def month(page: Page, member: UUID, number: int = 3) -> dict[int, CalendarDay]:
    """A month's calendar, by the day."""
    days = days_from(date(2026, number, 1), calendars.end_of_month(date(2026, number, 1)).day)
    signed = {day: found for day in days if (found := page.check_in(member, day)) is not None}
    shown = page.standing(member).calendar(2026, number, signed)
    assert [one.day for one in shown] == days
    return {one.day.day: one for one in shown}


def test_the_calendar_of_a_month_says_what_each_day_is() -> None:
    page = Page(make_up=MakeUpTerms(days=3, per_month=2, points=0), first=march(2))
    member = page.enroll()
    page.sign(member, march(2), march(3), march(6))
    page.at(march(8))
    page.make_up(member, march(5))
    shown = month(page, member)
    assert [shown[day].state for day in range(1, 10)] == [
        State.BEFORE,
        State.SIGNED,
        State.SIGNED,
        State.MISSED,
        State.MADE_UP,
        State.SIGNED,
        State.MISSED,
        State.TODAY,
        State.AHEAD,
    ]
    assert [shown[day].can_be_made_up for day in (4, 7, 8, 9)] == [False, True, False, False]
    assert shown[3] == CalendarDay(day=march(3), state=State.SIGNED, points=10, length=2)
    assert {one.state for one in month(page, member, 4).values()} == {State.AHEAD}
    assert {one.state for one in month(page, member, 2).values()} == {State.BEFORE}


def test_the_days_that_may_be_made_up_are_the_missed_ones_of_the_last_m_and_none_when_none_are_left() -> None:
    page = Page(make_up=MakeUpTerms(days=5, per_month=1, points=9), milestones=())
    member = page.enroll(100)
    page.at(march(3))
    assert page.standing(member).missed_days == (march(2), march(1))
    page.sign(member, march(8))
    page.at(march(10))
    standing = page.standing(member)
    assert standing.missed_days == (march(9), march(7), march(6), march(5))
    assert standing.make_ups_left == 1
    page.make_up(member, march(9))
    assert (page.standing(member).missed_days, page.standing(member).make_ups_left) == ((), 0)
    assert (page.standing(member).check_ins, page.standing(member).last_day) == (2, march(9))


def test_without_make_up_days_there_are_none() -> None:
    page = Page()
    member = page.enroll()
    page.at(march(3))
    assert (page.standing(member).missed_days, page.standing(member).make_ups_left) == ((), 0)


def test_what_comes_next_is_today_s_or_tomorrow_s() -> None:
    page = Page(ladder=(1, 2, 3), milestones=(points_on(3, 30),))
    member = page.enroll()
    hundred = page.activity.milestones[0]
    assert page.standing(member).next_reward == NextReward(day=march(1), points=1, milestones=())
    assert page.standing(member).next_milestone == NextMilestone(milestone=hundred, day=march(3), days_left=3)
    page.sign(member, march(1), march(2))
    assert page.standing(member).next_reward == NextReward(day=march(3), points=3, milestones=(hundred,))
    assert page.standing(member).next_milestone == NextMilestone(milestone=hundred, day=march(3), days_left=1)
    page.at(march(4))
    # The streak is over.
    assert page.standing(member).next_reward == NextReward(day=march(4), points=1, milestones=())


def test_where_a_milestone_replaces_its_rung_that_is_not_promised_beside_it() -> None:
    page = Page(replaces_base=True, milestones=(points_on(2, 30),))
    member = page.enroll()
    page.sign(member, march(1))
    assert page.standing(member).next_reward.points == 0


def test_a_milestone_that_comes_never_again_is_not_promised() -> None:
    page = Page(cycle=CheckInCycle.ONCE, milestones=(points_on(2, 30),))
    member = page.enroll()
    page.sign(member, march(1), march(2))
    assert page.standing(member).next_milestone is None
    assert page.standing(page.enroll()).next_milestone is not None
    page.save(milestones=())
    assert page.standing(page.enroll()).next_milestone is None


@pytest.mark.parametrize("cycle", CheckInCycle)
@given(data=some.data(), pattern=some.lists(some.booleans(), min_size=1, max_size=40))
def test_g4_the_milestone_that_is_promised_is_the_one_that_comes(
    cycle: CheckInCycle, data: some.DataObject, pattern: list[bool]
) -> None:
    """Whoever signs every day from now on reaches it on that date, and nothing before."""
    days = sorted(data.draw(some.sets(some.integers(1, 31), min_size=1, max_size=3)))
    page = Page(
        first=data.draw(some.sampled_from((FIRST, date(2026, 1, 20), date(2028, 2, 1)))),
        ladder=(0,),
        milestones=tuple(points_on(day, day) for day in days),
        cycle=cycle,
        cycle_days=data.draw(some.integers(days[-1], 40)) if cycle is CheckInCycle.DAYS else None,
        make_up=FREE,
    )
    member = page.enroll()
    first = page.today
    for day, is_signed in zip(days_from(first, len(pattern)), pattern, strict=True):
        page.at(day)
        if is_signed:
            page.sign(member)
    if data.draw(some.booleans()) and page.standing(member).missed_days:
        page.make_up(member, data.draw(some.sampled_from(page.standing(member).missed_days)))
    standing = page.standing(member)
    promised = standing.next_milestone
    for number, day in enumerate(days_from(standing.next_reward.day, 100), start=1):
        (signed,) = page.sign(member, day)
        if signed.check_in.attained:
            assert promised is not None
            assert (promised.day, promised.days_left) == (day, number)
            assert promised.milestone.day == signed.check_in.attained[0].day
            return
    assert promised is None
