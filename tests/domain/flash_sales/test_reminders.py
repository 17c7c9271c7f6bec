"""Reminders: told once a round, so many minutes before it opens for the member's own tier."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import checks
from domain.flash_sales.reminders import (
    FlashSaleOpening,
    FlashSaleReminder,
    Reminded,
    RemindOfFlashSale,
    TellOfFlashSale,
)
from domain.flash_sales.sale import Daily, Ended, FlashSaleItem, HeadStart
from domain.kernel import NotFound
from domain.points.tiers import SetTier
from domain.schedules import Schedule
from tests.domain.flash_sales.floor import ENDS, HOUR, OPENS, UNTIL, Floor
from tests.domain.memory import START, ref

MINUTE = timedelta(minutes=1)
WEEK = timedelta(days=7)
THURSDAYS = Daily(schedule=Schedule(weekdays=(4,)), local_time="20:00", minutes=60)


def remind(floor: Floor, member: UUID, item: FlashSaleItem, **told: Any) -> Reminded:
    return floor.run(RemindOfFlashSale(member=ref(member), sale_id=item.sale_id, **told))


def tell(floor: Floor, reminded: Reminded) -> list[datetime]:
    """Let the clock come to a reminder; the openings that were told."""
    floor.run(TellOfFlashSale(reminder_id=reminded.reminder.id))
    return [event.opens_at for event in floor.events if isinstance(event, FlashSaleOpening)]


def due(floor: Floor, reminded: Reminded) -> datetime | None:
    return floor.row(FlashSaleReminder, reminded.reminder.id).due_at


def test_it_is_told_so_many_minutes_before_and_once(floor: Floor) -> None:
    item, member = floor.offer(), floor.enroll()
    asked = remind(floor, member, item, minutes=10)
    assert due(floor, asked) == OPENS - 10 * MINUTE
    floor.now = OPENS - 11 * MINUTE
    assert tell(floor, asked) == []
    floor.now = OPENS - 10 * MINUTE
    assert tell(floor, asked) == [OPENS]
    assert floor.events == (FlashSaleOpening(member_id=member, sale_id=item.sale_id, opens_at=OPENS),)
    assert due(floor, asked) is None
    assert tell(floor, asked) == []


def test_s37_it_is_told_of_every_round(floor: Floor) -> None:
    item = floor.offer(starts_at=START, ends_at=START + 4 * WEEK, daily=THURSDAYS)
    asked = remind(floor, floor.enroll(), item, minutes=0)
    first = START + 8 * HOUR
    for number in range(4):
        opens = first + number * WEEK
        assert due(floor, asked) == opens
        floor.now = opens
        assert tell(floor, asked) == [opens]
    assert due(floor, asked) is None


def test_f4_it_is_told_before_the_opening_of_the_members_own_tier(floor: Floor) -> None:
    gold = floor.tier("Gold", 1)
    item = floor.offer(head_starts=(HeadStart(tier_id=gold, minutes=30),))
    best, common, rising = floor.member_of(gold), floor.enroll(), floor.enroll()
    told = [remind(floor, member, item, minutes=5) for member in (best, common, rising)]
    early = OPENS - 35 * MINUTE
    # All of them are looked at for the longest head start: whoever has risen meanwhile is not late.
    assert [due(floor, asked) for asked in told] == [early] * 3
    floor.run(SetTier(member=ref(rising), tier_id=gold, until=UNTIL, reason="test"))
    floor.now = early
    assert [tell(floor, asked) for asked in told] == [[OPENS - 30 * MINUTE], [], [OPENS - 30 * MINUTE]]
    assert due(floor, told[1]) == OPENS - 5 * MINUTE
    floor.now = OPENS - 5 * MINUTE
    assert tell(floor, told[1]) == [OPENS]


def test_asked_within_the_minutes_it_is_told_at_once_and_late_while_the_round_is_on(floor: Floor) -> None:
    item, late = floor.offer(), floor.offer()
    asked, waiting = remind(floor, floor.enroll(), item, minutes=120), remind(floor, floor.enroll(), late)
    assert due(floor, asked) == OPENS - 120 * MINUTE
    assert tell(floor, asked) == [OPENS]
    floor.now = ENDS - MINUTE
    assert tell(floor, waiting) == [OPENS]


def test_what_is_over_is_not_told_of(floor: Floor) -> None:
    item, member = floor.offer(), floor.enroll()
    asked = remind(floor, member, item)
    floor.now = ENDS
    assert tell(floor, asked) == []
    assert due(floor, asked) is None
    with pytest.raises(Ended):
        remind(floor, member, item)


def test_what_is_open_needs_no_reminder(floor: Floor) -> None:
    item = floor.offer(starts_at=START, ends_at=START + 2 * WEEK, daily=THURSDAYS)
    once = floor.offer()
    floor.now = START + 8 * HOUR
    asked = remind(floor, floor.enroll(), item, minutes=10)
    assert due(floor, asked) == START + WEEK + 8 * HOUR - 10 * MINUTE
    with pytest.raises(Ended):
        remind(floor, floor.enroll(), once)


def test_it_is_changed_and_no_longer_wanted(floor: Floor) -> None:
    item, member = floor.offer(), floor.enroll()
    remind(floor, member, item)
    asked = remind(floor, member, item, minutes=20)
    assert due(floor, asked) == OPENS - 20 * MINUTE
    assert len(floor.state.rows(FlashSaleReminder)) == 1
    remind(floor, member, item, minutes=20)
    assert floor.decision.save == ()
    remind(floor, member, item, is_wanted=False)
    assert due(floor, asked) is None
    floor.now = OPENS
    assert tell(floor, asked) == []


def test_whoever_asks_again_is_not_told_twice_of_a_round(floor: Floor) -> None:
    item, member = floor.offer(starts_at=START, ends_at=START + 2 * WEEK, daily=THURSDAYS), floor.enroll()
    first = START + 8 * HOUR
    asked = remind(floor, member, item, minutes=10)
    floor.now = first - 10 * MINUTE
    assert tell(floor, asked) == [first]
    remind(floor, member, item, is_wanted=False)
    remind(floor, member, item, minutes=10)
    assert tell(floor, asked) == []
    assert due(floor, asked) == first + WEEK - 10 * MINUTE


def test_whoever_was_told_is_told_again_when_the_sale_is_moved(floor: Floor) -> None:
    item = floor.offer()
    asked = remind(floor, floor.enroll(), item, minutes=60)
    assert tell(floor, asked) == [OPENS]
    sooner = OPENS - HOUR / 2
    floor.save_again(item, starts_at=sooner)
    assert tell(floor, asked) == [sooner]
    assert tell(floor, asked) == []


def test_a_sale_that_is_moved_or_stopped_is_reckoned_again(floor: Floor) -> None:
    item, member = floor.offer(), floor.enroll()
    asked = remind(floor, member, item, minutes=10)
    sooner = OPENS - HOUR / 2
    floor.save_again(item, starts_at=sooner)
    assert floor.row(FlashSaleReminder, asked.reminder.id).timing == 1
    assert tell(floor, asked) == []
    assert floor.row(FlashSaleReminder, asked.reminder.id).timing == 2
    assert due(floor, asked) == sooner - 10 * MINUTE
    floor.save_again(item, starts_at=sooner, is_active=False)
    assert tell(floor, asked) == []
    assert due(floor, asked) is None
    floor.save_again(item, is_active=True)
    floor.now = sooner - 10 * MINUTE
    assert tell(floor, asked) == [sooner]


def test_what_is_wrong_is_told(floor: Floor) -> None:
    item, member = floor.offer(), floor.enroll()
    for minutes in (-1, 10_081):
        with pytest.raises(checks.NumberInvalid):
            remind(floor, member, item, minutes=minutes)
    with pytest.raises(NotFound):
        floor.run(RemindOfFlashSale(member=ref(member), sale_id=UUID(int=99)))
