"""Days that are made up heal the streak, for points or a card, and of no day is anything given twice (G2, G3)."""

from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from domain.audiences import Audience
from domain.check_ins.activity import CheckInClosed, CheckInCycle, CheckInNotEligible, MakeUpTerms
from domain.check_ins.cards import CardsGrantInvalid, CardsInvalid, CardSource, MakeUpCardEntry, MakeUpCardsGranted
from domain.check_ins.check_in import (
    CheckedIn,
    DaySigned,
    MakeUpImpossible,
    MakeUpLimitReached,
    MakeUpPayment,
    MakeUpPaymentInvalid,
    NoMakeUpCard,
)
from domain.check_ins.streak import Run
from domain.earning.rules import Cap, Period, Trigger
from domain.points.account import InsufficientPoints, MemberFrozen, SourceType, TransactionKind
from domain.points.commands import FreezeMember
from tests.domain.check_ins.pages import FIRST, FREE, Page, days_from, points_on
from tests.domain.memory import ref
from tests.domain.shop import fixed

DEAR: Final = MakeUpTerms(days=7, per_month=2, points=20, takes_cards=True)
CARD: Final = MakeUpPayment.CARD


def march(day: int) -> date:
    return date(2026, 3, day)


def test_g2_a_day_made_up_heals_the_streak_and_costs_what_the_activity_asks() -> None:
    page = Page(make_up=DEAR)
    member = page.enroll(100)
    page.sign(member, march(1), march(2), march(4), march(5))
    assert page.standing(member).length == 2
    made = page.make_up(member, march(3))
    assert (made.check_in.length, made.streak.length, made.streak.first_day) == (3, 5, march(1))
    assert (made.check_in.cost, made.check_in.made_up_for, made.check_in.points) == (20, MakeUpPayment.POINTS, 10)
    (spent,) = [row for row in page.transactions(member) if row.kind is TransactionKind.REDEEM]
    assert (spent.amount, spent.source_type, spent.source_id) == (-20, SourceType.CHECK_IN, made.check_in.id)
    assert made.account.available == 100 - 20 + 50
    (told,) = [event for event in page.events if isinstance(event, CheckedIn)]
    assert (told.is_made_up, told.length, told.check_ins) == (True, 5, 5)


def test_g3_it_pays_its_rung_and_a_milestone_that_the_healed_run_reaches() -> None:
    page = Page(make_up=FREE, ladder=(1, 2, 3), milestones=(points_on(5, 50),))
    member = page.enroll()
    page.sign(member, march(1), march(2), march(4), march(5), march(6))
    made = page.make_up(member, march(3))
    # Rung 3 of the 3rd, and the 5th day of the run is the 5th.
    assert made.check_in.points == 3 + 50
    assert [(one.day, one.on) for one in made.check_in.attained] == [(5, march(5))]
    # What came after it was paid by the streak of its own time, and stays so.
    assert page.earned(member) == (1 + 2 + 1 + 2 + 3) + 3 + 50
    assert page.sign(member, march(7))[0].check_in.length == 7


def test_g3_a_milestone_given_in_the_cycle_is_not_given_again_by_healing() -> None:
    page = Page(make_up=FREE, ladder=(0,), milestones=(points_on(3, 30),), cycle_days=10)
    member = page.enroll()
    page.sign(member, march(1), march(2), march(4), march(5), march(6))
    assert page.earned(member) == 30
    assert page.make_up(member, march(3)).check_in.points == 0
    # The cycle is counted from the day that reached it.
    signed = page.sign(member, *days_from(march(7), 10))
    assert [one.check_in.day for one in signed if one.check_in.points] == [march(16)]


def test_g2_where_a_milestone_replaces_its_day_healing_gives_what_it_is_more() -> None:
    page = Page(make_up=FREE, replaces_base=True)
    member = page.enroll()
    days = days_from(FIRST, 20)
    page.sign(member, *days[:4], *days[5:])
    made = page.make_up(member, days[4])
    # The 20th had given its 10.
    assert made.check_in.points == 10 + 100 - 10
    assert page.earned(member) == 290


def test_g3_joining_streaks_and_beginning_one_by_a_day_made_up() -> None:
    page = Page(make_up=FREE, milestones=())
    member = page.enroll()
    page.at(march(6))
    assert page.make_up(member, march(3)).streak.length == 1
    assert page.standing(member).length == 0
    assert page.make_up(member, march(5)).streak.length == 1
    assert page.streak(member).earlier == (Run(first=march(3), last=march(3)),)
    assert page.sign(member)[0].check_in.length == 2
    healed = page.make_up(member, march(4))
    assert (healed.streak.length, healed.streak.longest, healed.streak.earlier) == (4, 4, ())


def test_g3_what_the_program_s_rules_give_a_day_they_give_for_the_missed_one() -> None:
    """As if it had been signed then: a cap of a day is that day's."""
    page = Page(
        rules=(fixed(3, "own", trigger=Trigger.CHECK_IN, caps=(Cap(period=Period.DAY, times=1),)),),
        make_up=FREE,
        ladder=(0,),
        milestones=(),
    )
    member = page.enroll()
    page.sign(member, march(1), march(3))
    assert page.make_up(member, march(2)).check_in.points == 3
    assert page.earned(member) == 9


def why(
    page: Page, member: UUID, day: date, kind: type[Any] = MakeUpImpossible, payment: Any = MakeUpPayment.POINTS
) -> str:
    with pytest.raises(kind) as refusal:
        page.make_up(member, day, payment)
    return str(refusal.value.message)


def test_g3_only_missed_days_of_the_last_m_that_were_the_member_s() -> None:
    page = Page(make_up=DEAR)
    page.at(march(10))
    member = page.enroll(1000)
    page.sign(member)
    page.at(march(13))
    assert why(page, member, march(14)) == "2026-03-14 cannot be made up: it has not begun."
    assert why(page, member, march(13)) == "2026-03-13 cannot be made up: it is today, for which one signs in."
    assert why(page, member, march(9)) == "2026-03-09 cannot be made up: the member, or the activity, came later."
    assert why(page, member, march(10), DaySigned) == (
        "2026-03-10 is signed already: only a day that was missed is made up."
    )
    page.at(march(18))
    assert why(page, member, march(10)) == "2026-03-10 cannot be made up: only the last 7 days are."
    assert page.make_up(member, march(11)).check_in.length == 2


def test_g3_never_before_the_activity_began() -> None:
    page = Page(make_up=FREE, first=march(10))
    member = page.enroll()
    early = page.save("early", make_up=FREE, starts_at=page.noon(march(12)))
    page.at(march(20))
    assert "came later" in why(page, member, march(9))
    assert page.make_up(member, march(10)).check_in.day == march(10)
    with pytest.raises(MakeUpImpossible):
        page.make_up(member, march(11), code=early.code)
    assert page.make_up(member, march(12), code=early.code).check_in.day == march(12)


def test_g3_at_most_k_a_month_of_the_program_s_calendar() -> None:
    page = Page(make_up=DEAR)
    member = page.enroll(1000)
    page.at(date(2026, 3, 31))
    for day in (29, 30):
        page.make_up(member, march(day))
    assert page.standing(member).make_ups_left == 0
    assert page.standing(member).missed_days == ()
    assert why(page, member, march(28), MakeUpLimitReached) == (
        "At most 2 days may be made up in a calendar month, and so many were."
    )
    page.at(date(2026, 4, 1))
    assert page.standing(member).make_ups_left == 2
    assert page.make_up(member, march(28)).check_in.length == 1
    assert page.streak(member).length == 3


def test_g3_the_payment_is_one_that_the_activity_takes_and_the_member_has() -> None:
    page = Page(make_up=DEAR)
    member = page.enroll(19)
    page.sign(member, march(1), march(2), march(4))
    page.adjust(member, -49)
    page.adjust(member, 19)
    assert why(page, member, march(3), InsufficientPoints) == "This needs 20 points; 19 are available."
    assert why(page, member, march(3), NoMakeUpCard, CARD) == "The member has no make-up card left."
    assert page.give_cards(member, 1) == 1
    made = page.make_up(member, march(3), CARD)
    assert (made.cards, made.check_in.cost, made.check_in.made_up_for) == (0, 0, CARD)
    assert page.cards(member) == 0
    page.save(make_up=MakeUpTerms(days=7, per_month=2, points=20))
    page.at(march(6))
    assert why(page, member, march(5), MakeUpPaymentInvalid, CARD) == (
        "Days of this activity are made up for POINTS, not for CARD."
    )
    page.save(make_up=MakeUpTerms(days=7, per_month=2, takes_cards=True))
    assert why(page, member, march(5), MakeUpPaymentInvalid) == (
        "Days of this activity are made up for CARD, not for POINTS."
    )
    page.save()
    assert why(page, member, march(5)) == "2026-03-05 cannot be made up: the activity has no days that are made up."


def test_g3_points_of_the_day_itself_do_not_pay_for_it() -> None:
    page = Page(make_up=MakeUpTerms(days=7, per_month=2, points=5))
    member = page.enroll()
    page.at(march(3))
    why(page, member, march(2), InsufficientPoints)


def test_whoever_may_not_sign_in_makes_nothing_up() -> None:
    page = Page(make_up=FREE)
    member = page.enroll()
    page.at(march(3))
    page.save(make_up=FREE, is_active=False)
    assert "switched off" in why(page, member, march(2), CheckInClosed)
    page.save(make_up=FREE, audience=Audience(tags=("vip",)))
    assert "by its tags" in why(page, member, march(2), CheckInNotEligible)
    page.run(FreezeMember(member=ref(member), is_frozen=True, reason="test"))
    why(page, member, march(2), MemberFrozen)


def test_cards_are_given_and_taken_back_by_hand_with_a_reason() -> None:
    page = Page()
    member = page.enroll()
    assert page.give_cards(member, 3) == 3
    assert page.events == (MakeUpCardsGranted(member_id=member, cards=3, cards_after=3),)
    assert page.give_cards(member, -2) == 1
    with pytest.raises(CardsInvalid) as below:
        page.give_cards(member, -2)
    assert below.value.message == "A member has from 0 to 1000 make-up cards; it would have -1."
    with pytest.raises(CardsInvalid):
        page.give_cards(member, 1000)
    for none_or_too_many in (0, 1001, -1001):
        with pytest.raises(CardsGrantInvalid) as refused:
            page.give_cards(member, none_or_too_many)
        assert refused.value.message == (
            f"cards must be from 1 to 1000, or from -1 to -1000 to take some back; it is {none_or_too_many}."
        )
    entries = page._of_member(MakeUpCardEntry, member)
    assert [(one.source, one.cards, one.cards_after, one.reason) for one in entries] == [
        (CardSource.GRANT, 3, 3, "sorry"),
        (CardSource.GRANT, -2, 1, "sorry"),
    ]
    assert page.cards(member) == 1


def test_what_is_remembered_of_a_streak_is_bounded_by_the_days_that_may_be_made_up() -> None:
    """Two years of every second day: no more runs and payments than the last month asks for."""
    page = Page(make_up=FREE, ladder=(0,), milestones=(points_on(1, 1),), cycle=CheckInCycle.DAYS)
    member = page.enroll()
    page.sign(member, *(FIRST + timedelta(days=2 * number) for number in range(365)))
    streak = page.streak(member)
    assert streak.check_ins == 365
    assert (len(streak.earlier), len(streak.paid)) == (17, 19)
