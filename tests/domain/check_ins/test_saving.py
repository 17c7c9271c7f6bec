"""Saving activities: what is out of bounds or contradicts itself is refused, by the input's own name."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.check_ins.activity import (
    CheckInActivityInvalid,
    CheckInActivityLimitReached,
    CheckInActivitySaved,
    CheckInCycle,
    MakeUpTerms,
    Milestone,
)
from domain.check_ins.saving import CheckInTerms, SaveCheckInActivity
from domain.kernel import Refusal
from domain.prizes import Prize, PrizeKind
from tests.domain.check_ins.pages import FIRST, Page, days_from, points_on

GOOD = CheckInTerms(ladder=(1, 1, 2), milestones=(points_on(3, 5),), make_up=MakeUpTerms(days=3, per_month=1, points=0))
AT = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "field", "code"),
    [
        ({"ladder": ()}, ("ladder",), "CHECK_IN_ACTIVITY_INVALID"),
        ({"ladder": (2, 1)}, ("ladder",), "CHECK_IN_ACTIVITY_INVALID"),
        ({"ladder": (-1,)}, ("ladder",), "POINTS_INVALID"),
        ({"ladder": (1,) * 367}, ("ladder",), "TOO_MANY"),
        ({"milestones": (points_on(0, 1),)}, ("milestones", "0", "day"), "NUMBER_INVALID"),
        ({"milestones": (points_on(1, 1), points_on(367, 1))}, ("milestones", "1", "day"), "NUMBER_INVALID"),
        ({"milestones": (points_on(1, 0),)}, ("milestones", "0", "prize.points"), "POINTS_INVALID"),
        ({"milestones": (points_on(1, 1, cards=-1),)}, ("milestones", "0", "cards"), "NUMBER_INVALID"),
        ({"milestones": (Milestone(day=1),)}, ("milestones", "0", "prize"), "CHECK_IN_ACTIVITY_INVALID"),
        ({"milestones": (points_on(1, 1), points_on(1, 2))}, ("milestones",), "CHECK_IN_ACTIVITY_INVALID"),
        ({"milestones": tuple(points_on(day, 1) for day in range(1, 22))}, ("milestones",), "TOO_MANY"),
        (
            {"milestones": (Milestone(day=1, prize=Prize(kind=PrizeKind.VOUCHER, pool_id=UUID(int=1))),)},
            ("milestones", "0"),
            "NOT_FOUND",
        ),
        ({"cycle_days": 2}, ("cycleDays",), "CHECK_IN_ACTIVITY_INVALID"),
        ({"cycle_days": 0}, ("cycleDays",), "NUMBER_INVALID"),
        ({"cycle_days": 7, "cycle": CheckInCycle.MONTH}, ("cycleDays",), "CHECK_IN_ACTIVITY_INVALID"),
        (
            {"milestones": (points_on(32, 1),), "cycle": CheckInCycle.MONTH},
            ("milestones",),
            "CHECK_IN_ACTIVITY_INVALID",
        ),
        ({"make_up": MakeUpTerms(days=32, per_month=1, points=1)}, ("makeUp", "days"), "NUMBER_INVALID"),
        ({"make_up": MakeUpTerms(days=1, per_month=0, points=1)}, ("makeUp", "perMonth"), "NUMBER_INVALID"),
        ({"make_up": MakeUpTerms(days=1, per_month=1, points=-1)}, ("makeUp", "points"), "POINTS_INVALID"),
        ({"make_up": MakeUpTerms(days=1, per_month=1)}, ("makeUp", "points"), "CHECK_IN_ACTIVITY_INVALID"),
        ({"reminder_hour": 24}, ("reminderHour",), "NUMBER_INVALID"),
        ({"starts_at": AT, "ends_at": AT}, ("endsAt",), "WINDOW_INVALID"),
        ({"starts_at": AT.replace(tzinfo=None)}, ("startsAt",), "WINDOW_INVALID"),
    ],
)
def test_what_cannot_be_is_refused(told: dict[str, Any], field: tuple[str, ...], code: str) -> None:
    page = Page()
    with pytest.raises(Refusal) as refusal:
        page.run(SaveCheckInActivity(code="new", name="New", terms=replace(GOOD, **told)))
    assert (refusal.value.code, refusal.value.field) == (code, field)


def test_g4_a_ladder_that_falls_is_refused_and_says_what_would_be_right() -> None:
    page = Page()
    with pytest.raises(CheckInActivityInvalid) as refusal:
        page.save("new", ladder=(5, 10, 5))
    assert refusal.value.message == (
        "The check-in activity cannot be so: day 2 gives 10 points and day 3 only 5, so that to break the streak would"
        " pay; what one day gives besides is a milestone."
    )


def test_an_activity_is_replaced_by_its_code_and_streaks_go_on() -> None:
    page = Page()
    member = page.enroll()
    page.sign(member, *days_from(FIRST, 3))
    before = page.activity
    after = page.save(" daily ", ladder=(1, 2, 3, 4), milestones=())
    assert (after.id, after.created_at, after.cycle_days) == (before.id, before.created_at, 1)
    assert page.events == (CheckInActivitySaved(activity_id=before.id),)
    page.at(days_from(FIRST, 4)[-1])
    (signed,) = page.sign(member)
    assert (signed.check_in.length, signed.check_in.points) == (4, 4)


def test_milestones_are_kept_by_their_days() -> None:
    saved = Page().save("new", milestones=(points_on(7, 70), points_on(3, 30)), cycle_days=9)
    assert [milestone.day for milestone in saved.milestones] == [3, 7]
    assert saved.cycle_days == 9


def test_a_program_has_at_most_twenty() -> None:
    page = Page()
    for number in range(19):
        page.save(f"a{number}")
    with pytest.raises(CheckInActivityLimitReached) as refusal:
        page.save("one more")
    assert refusal.value.message == "A program has at most 20 check-in activities: edit one of them instead."
    page.save("daily", ladder=(3,))
