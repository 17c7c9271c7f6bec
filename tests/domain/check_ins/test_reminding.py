"""Whose streak ends tonight is told of it, if it still does."""

from datetime import date
from uuid import UUID

from domain.check_ins.reminding import RemindOfStreak, StreakEnding
from domain.points.commands import FreezeMember
from tests.domain.check_ins.pages import FIRST, Page, days_from
from tests.domain.memory import ref


def remind(page: Page, member: UUID, day: date) -> int:
    """Whether a member is reminded: 1 or 0."""
    page.run(RemindOfStreak(streak_id=page.streak(member).id, day=day))
    return len(page.events)


def test_a_streak_whose_last_day_was_yesterday_ends_tonight() -> None:
    page = Page(zone="America/New_York", first=date(2026, 3, 6))
    member = page.enroll()
    page.sign(member, date(2026, 3, 6), date(2026, 3, 7))
    # The clocks go forward: the day has 23 hours.
    page.at(date(2026, 3, 8), 20)
    assert remind(page, member, date(2026, 3, 8)) == 1
    ends_at = page.now.replace(hour=4, minute=0, day=9)
    assert page.events == (
        StreakEnding(member_id=member, activity_id=page.activity.id, length=2, day=date(2026, 3, 8), ends_at=ends_at),
    )


def test_nobody_is_told_of_what_was_signed_of_what_is_over_or_cannot_be_signed() -> None:
    page = Page()
    member = page.enroll()
    page.sign(member, *days_from(FIRST, 2))
    assert remind(page, member, date(2026, 3, 2)) == 0
    page.at(date(2026, 3, 3))
    assert remind(page, member, date(2026, 3, 2)) == 0
    assert remind(page, member, date(2026, 3, 3)) == 1
    page.save(is_active=False)
    assert remind(page, member, date(2026, 3, 3)) == 0
    page.save()
    page.run(FreezeMember(member=ref(member), is_frozen=True, reason="test"))
    assert remind(page, member, date(2026, 3, 3)) == 0
    page.at(date(2026, 3, 4))
    assert remind(page, member, date(2026, 3, 4)) == 0
