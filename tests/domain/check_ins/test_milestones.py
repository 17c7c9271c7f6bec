"""Milestones: once a cycle, however streaks break, begin anew and are healed (G2, G4)."""

from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain.check_ins.activity import CheckInCycle, Milestone
from domain.check_ins.check_in import CheckInResult
from domain.prizes import Prize, PrizeKind
from domain.redemptions.redemption import Redemption, RedemptionOrigin
from domain.rewards.commands import CreateReward
from domain.vouchers.discounts import VoucherKind
from domain.vouchers.pool import CreateVoucherPool, GenerateVoucherCodes, Supply
from domain.vouchers.template import CreateVoucherTemplate, VoucherTerms
from domain.vouchers.voucher import Voucher
from tests.domain.check_ins.pages import FIRST, FREE, Page, days_from, points_on

# Nothing but milestones is given.
BARE: Final[dict[str, Any]] = {"ladder": (0,)}


def dates_of(signed: list[CheckInResult]) -> list[tuple[int, int]]:
    """When which milestone was reached: the day of the month, and of the streak."""
    return [(one.on.day, one.day) for each in signed for one in each.check_in.attained]


def test_g2_milestones_come_again_with_every_cycle_of_an_unbroken_streak() -> None:
    page = Page(**BARE, milestones=(points_on(3, 30), points_on(7, 70)))
    member = page.enroll()
    assert page.activity.cycle_days == 7
    assert dates_of(page.sign(member, *days_from(FIRST, 21))) == [(3, 3), (7, 7), (10, 3), (14, 7), (17, 3), (21, 7)]


def test_g4_to_break_a_streak_and_begin_anew_gives_no_milestone_again_in_its_cycle() -> None:
    page = Page(ladder=(1,), milestones=(points_on(3, 30), points_on(20, 200)))
    member = page.enroll()
    # Three days, one missed, over and over: for three weeks.
    days = [day for number, day in enumerate(days_from(FIRST, 24)) if number % 4 != 3]
    signed = page.sign(member, *days)
    # Once in any 20 days: the 3rd, and 20 days later, when the sixth run has three days.
    assert dates_of(signed) == [(3, 3), (23, 3)]
    assert page.earned(member) == len(days) + 30 + 30


def test_a_milestone_of_a_calendar_month_counts_the_month_s_own_days_and_the_streak_goes_on() -> None:
    page = Page(**BARE, first=date(2026, 1, 25), cycle=CheckInCycle.MONTH, milestones=(points_on(5, 50),))
    member = page.enroll()
    signed = page.sign(member, *days_from(date(2026, 1, 25), 40))
    assert [(one.on, one.day) for each in signed for one in each.check_in.attained] == [
        (date(2026, 1, 29), 5),
        (date(2026, 2, 5), 5),
        (date(2026, 3, 5), 5),
    ]
    assert page.streak(member).length == 40
    # Broken and begun anew within the month, it gives nothing more (G4).
    assert dates_of(page.sign(member, *days_from(date(2026, 3, 10), 15))) == []


def test_a_milestone_of_once_is_given_once_for_ever() -> None:
    page = Page(**BARE, cycle=CheckInCycle.ONCE, milestones=(points_on(3, 30),))
    member = page.enroll()
    assert dates_of(page.sign(member, *days_from(FIRST, 40))) == [(3, 3)]
    assert dates_of(page.sign(member, *days_from(FIRST + timedelta(days=400), 10))) == []


def test_a_milestone_that_a_streak_has_passed_when_it_is_made_is_given_with_the_next_day() -> None:
    page = Page(**BARE, milestones=())
    member = page.enroll()
    page.sign(member, *days_from(FIRST, 5))
    page.save(**BARE, milestones=(points_on(3, 30), points_on(6, 60)))
    assert dates_of(page.sign(member, date(2026, 3, 6))) == [(6, 3), (6, 6)]


def test_milestones_give_make_up_cards_and_more_than_a_member_may_have_are_none() -> None:
    page = Page(**BARE, milestones=(Milestone(day=2, cards=3), points_on(3, 30, cards=2)))
    member = page.enroll()
    signed = page.sign(member, *days_from(FIRST, 3))
    assert [one.cards for one in signed] == [0, 3, 5]
    assert page.cards(member) == 5
    page.give_cards(member, 994)
    page.sign(member, *days_from(date(2026, 3, 4), 2))
    assert page.cards(member) == 1000
    assert page.check_in(member, date(2026, 3, 5)).attained[0].cards == 1  # type: ignore[union-attr]


def pool_of(page: Page, codes: int, *, limit: int | None = None) -> UUID:
    """A pool with so many codes."""
    terms = VoucherTerms(kind=VoucherKind.AMOUNT_OFF, amount_minor=1_000)
    made = page.run(CreateVoucherTemplate(code=f"t{page.number}", name="Off", terms=terms, limit_per_member=limit))
    pool = page.run(CreateVoucherPool(template_id=made.id, name="Pool", supply=Supply.STOCK))
    page.run(GenerateVoucherCodes(pool_id=pool.id, count=codes))
    return pool.id


def voucher_on(day: int, pool_id: UUID) -> Milestone:
    return Milestone(day=day, prize=Prize(kind=PrizeKind.VOUCHER, pool_id=pool_id))


def test_a_check_in_is_never_refused_for_a_prize_that_has_run_out_and_the_next_day_tries_again() -> None:
    page = Page(**BARE, milestones=())
    pool_id = pool_of(page, 1)
    page.save(ladder=(1,), replaces_base=True, milestones=(voucher_on(2, pool_id), points_on(10, 50)))
    first, second = page.enroll(), page.enroll()
    page.sign(first, *days_from(FIRST, 2))
    assert len(page._of_member(Voucher, first)) == 1
    signed = page.sign(second, *days_from(FIRST, 3))
    assert [(one.day, one.was_given) for each in signed for one in each.check_in.attained] == [(2, False), (2, False)]
    # What was not given replaces nothing.
    assert [one.check_in.points for one in signed] == [1, 1, 1]
    page.run(GenerateVoucherCodes(pool_id=pool_id, count=1))
    (fourth,) = page.sign(second, date(2026, 3, 4))
    (attained,) = fourth.check_in.attained
    (voucher,) = page._of_member(Voucher, second)
    assert (attained.was_given, attained.on, attained.voucher_id) == (True, date(2026, 3, 4), voucher.id)
    assert fourth.check_in.points == 0
    assert [one.check_in.attained for one in page.sign(second, *days_from(date(2026, 3, 5), 2))] == [(), ()]


def test_two_vouchers_at_once_are_given_one_after_the_other() -> None:
    page = Page(**BARE, milestones=())
    member = page.enroll()
    page.sign(member, *days_from(FIRST, 3))
    pool_id = pool_of(page, 5)
    page.save(**BARE, milestones=(voucher_on(1, pool_id), voucher_on(2, pool_id)), cycle_days=20)
    page.sign(member, *days_from(date(2026, 3, 4), 5))
    vouchers = page._of_member(Voucher, member)
    assert len({voucher.code for voucher in vouchers}) == len(vouchers) == 2


def test_an_item_is_a_redemption_that_cost_nothing() -> None:
    page = Page(**BARE, milestones=())
    reward = page.run(CreateReward(code="cup", name="Cup", points=100)).reward
    page.save(**BARE, milestones=(Milestone(day=2, prize=Prize(kind=PrizeKind.ITEM, reward_id=reward.id)),))
    member = page.enroll()
    (_, second) = page.sign(member, *days_from(FIRST, 2))
    redemption = page.row(Redemption, second.check_in.attained[0].redemption_id)  # type: ignore[arg-type]
    assert (redemption.points, redemption.origin, redemption.origin_id) == (
        0,
        RedemptionOrigin.PRIZE,
        second.check_in.id,
    )
    assert page.history(member) == []


LADDERS = some.lists(some.integers(0, 9), min_size=1, max_size=5).map(lambda rungs: tuple(sorted(rungs)))
PATTERNS = some.lists(some.booleans(), min_size=1, max_size=45)


@pytest.mark.parametrize("cycle", CheckInCycle)
@given(data=some.data(), ladder=LADDERS, pattern=PATTERNS)
def test_g4_no_way_to_break_streaks_and_heal_them_is_given_more_than_signing_every_day(
    cycle: CheckInCycle, data: some.DataObject, ladder: tuple[int, ...], pattern: list[bool]
) -> None:
    """Not even with make-up days that cost nothing, and as many as one likes."""
    days = sorted(data.draw(some.sets(some.integers(1, 12), max_size=3)))
    milestones = tuple(points_on(day, 1000 + day) for day in days)
    cycle_days = data.draw(some.integers(max(days, default=1), 15)) if cycle is CheckInCycle.DAYS else None
    page = Page(ladder=ladder, milestones=milestones, cycle=cycle, cycle_days=cycle_days, make_up=FREE)
    honest, sly = page.enroll(), page.enroll()
    missed: list[date] = []
    for day, is_signed in zip(days_from(FIRST, len(pattern)), pattern, strict=True):
        page.sign(honest, day)
        if is_signed:
            page.sign(sly)
        else:
            missed.append(day)
        open_days = [each for each in missed if each >= day - timedelta(days=31) and each < day]
        if open_days and data.draw(some.booleans()):
            made_up = data.draw(some.sampled_from(open_days))
            page.make_up(sly, made_up)
            missed.remove(made_up)
    assert page.earned(sly) <= page.earned(honest)
