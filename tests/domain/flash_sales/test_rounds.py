"""When sales are open: rounds on the program's clock, head starts, and clocks that are put forward or back (F4)."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import calendars
from domain.flash_sales import rounds
from domain.flash_sales.rounds import Moment, Phase, Round
from domain.flash_sales.sale import Daily, FlashSale, HeadStart
from domain.schedules import Schedule
from tests.domain.memory import PROGRAM_ID, START
from tests.domain.shop import SHANGHAI, local

GOLD, SILVER = UUID(int=1), UUID(int=2)
THURSDAYS = Daily(schedule=Schedule(weekdays=(4,)), local_time="20:00", minutes=60)
BERLIN = "Europe/Berlin"
INSTANT = timedelta(microseconds=1)


def sale(
    first: str = "2026-01-01 00:00", until: str = "2026-04-01 00:00", zone: str = SHANGHAI, **more: Any
) -> FlashSale:
    told = {"starts_at": local(first, zone), "ends_at": local(until, zone), **more}
    return FlashSale(id=UUID(int=9), program_id=PROGRAM_ID, code="s", name="S", created_at=START, **told)


def at(told: FlashSale, when: str | datetime, tier_id: UUID | None = None, zone: str = SHANGHAI) -> Moment:
    now = when if isinstance(when, datetime) else local(when, zone)
    return rounds.moment(told, tier_id, now, zone)


def test_one_round_is_on_from_its_start_until_before_its_end() -> None:
    told = sale("2026-01-15 20:00", "2026-01-15 21:00")
    only = Round(told.starts_at, told.ends_at)
    opens = told.starts_at
    assert at(told, opens - INSTANT) == Moment(phase=Phase.UPCOMING, round=only, opens_at=opens)
    assert at(told, opens) == Moment(phase=Phase.OPEN, round=only, opens_at=opens)
    assert at(told, told.ends_at - INSTANT).phase is Phase.OPEN
    assert at(told, told.ends_at) == Moment(phase=Phase.ENDED, round=None, opens_at=None)


def test_f4_a_tier_may_claim_so_many_minutes_before_everybody() -> None:
    told = sale("2026-01-15 20:00", "2026-01-15 21:00", head_starts=(HeadStart(tier_id=GOLD, minutes=10),))
    opens = told.starts_at
    early = opens - timedelta(minutes=10)
    assert at(told, early - INSTANT, GOLD).phase is Phase.UPCOMING
    assert at(told, early, GOLD) == Moment(phase=Phase.EARLY_ACCESS, round=Round(opens, told.ends_at), opens_at=early)
    assert at(told, opens - INSTANT, GOLD).phase is Phase.EARLY_ACCESS
    for other in (SILVER, None):
        assert at(told, early, other) == Moment(phase=Phase.UPCOMING, round=Round(opens, told.ends_at), opens_at=opens)
    assert at(told, opens, GOLD) == Moment(phase=Phase.OPEN, round=Round(opens, told.ends_at), opens_at=early)


def test_s37_every_thursday_is_a_round_of_its_own() -> None:
    told = sale(daily=THURSDAYS)
    # The 15th of January 2026 is a Thursday.
    first = Round(local("2026-01-15 20:00"), local("2026-01-15 21:00"))
    second = Round(local("2026-01-22 20:00"), local("2026-01-22 21:00"))
    assert at(told, "2026-01-15 19:59") == Moment(phase=Phase.UPCOMING, round=first, opens_at=first.opens_at)
    assert at(told, "2026-01-15 20:00").phase is Phase.OPEN
    assert at(told, "2026-01-15 21:00") == Moment(phase=Phase.UPCOMING, round=second, opens_at=second.opens_at)
    assert rounds.next_round(told, first.opens_at, SHANGHAI) == second
    assert at(told, "2026-03-26 20:30").phase is Phase.OPEN
    assert at(told, "2026-03-26 21:00") == Moment(phase=Phase.ENDED, round=None, opens_at=None)


def test_a_round_begins_and_ends_within_its_sale() -> None:
    told = sale("2026-01-15 20:30", "2026-01-22 20:30", daily=THURSDAYS)
    # The first Thursday's opening is before the sale's; the second's end is the sale's.
    assert at(told, "2026-01-15 20:45").phase is Phase.UPCOMING
    last = Round(local("2026-01-22 20:00"), local("2026-01-22 20:30"))
    assert at(told, "2026-01-22 20:15").round == last
    assert at(told, "2026-01-22 20:30").phase is Phase.ENDED


def test_a_round_may_go_past_midnight_and_ends_when_the_next_one_opens() -> None:
    late = Daily(schedule=Schedule(weekdays=(4, 5)), local_time="23:00", minutes=1440)
    told = sale(daily=late)
    thursday = Round(local("2026-01-15 23:00"), local("2026-01-16 23:00"))
    assert at(told, "2026-01-16 12:00").round == thursday
    assert at(told, "2026-01-16 23:00").round == Round(local("2026-01-16 23:00"), local("2026-01-17 23:00"))
    assert at(told, "2026-01-17 22:59").phase is Phase.OPEN
    assert at(told, "2026-01-17 23:00").phase is Phase.UPCOMING


def test_a_round_that_is_on_goes_before_the_head_start_of_the_next() -> None:
    daily = Daily(schedule=Schedule(), local_time="20:00", minutes=1440)
    told = sale(daily=daily, head_starts=(HeadStart(tier_id=GOLD, minutes=60),))
    today = Round(local("2026-01-15 20:00"), local("2026-01-16 20:00"))
    assert at(told, "2026-01-16 19:30", GOLD) == Moment(
        phase=Phase.OPEN, round=today, opens_at=local("2026-01-15 19:00")
    )


def test_a_holiday_that_is_four_years_away_is_found() -> None:
    leap = Daily(schedule=Schedule(dates=("02-29",)), local_time="08:00", minutes=10)
    told = sale("2025-01-01 00:00", "2029-01-01 00:00", daily=leap)
    assert at(told, "2025-03-01 00:00").opens_at == local("2028-02-29 08:00")


@pytest.mark.parametrize(
    ("day", "utc_hour"),
    [("2026-03-26", 19), ("2026-04-02", 18), ("2026-10-22", 18), ("2026-10-29", 19)],
)
def test_eight_in_the_evening_is_eight_by_the_local_clock_across_daylight_saving(day: str, utc_hour: int) -> None:
    told = sale("2026-01-01 00:00", "2027-01-01 00:00", BERLIN, daily=THURSDAYS)
    opens = datetime.fromisoformat(f"{day}T{utc_hour}:00+00:00")
    assert at(told, opens - INSTANT, zone=BERLIN).opens_at == opens
    assert at(told, opens, zone=BERLIN) == Moment(
        phase=Phase.OPEN, round=Round(opens, opens + timedelta(hours=1)), opens_at=opens
    )


def test_a_time_that_the_clocks_leave_out_is_an_hour_later_and_one_that_there_is_twice_the_first() -> None:
    nightly = Daily(schedule=Schedule(weekdays=(7,)), local_time="02:30", minutes=30)
    told = sale("2026-01-01 00:00", "2027-01-01 00:00", BERLIN, daily=nightly)
    # The 29th of March has no 02:30, the 25th of October has it twice; there is one round on each.
    assert at(told, "2026-03-29 00:00", zone=BERLIN).opens_at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    october = at(told, "2026-10-25 00:00", zone=BERLIN)
    assert october.opens_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    following = rounds.next_round(told, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), BERLIN)
    assert following is not None
    assert calendars.local_date(following.opens_at, BERLIN).isoformat() == "2026-11-01"


def test_a_round_of_a_day_is_never_two_when_the_clocks_change() -> None:
    daily = Daily(schedule=Schedule(), local_time="12:00", minutes=1440)
    told = sale("2026-03-01 00:00", "2026-11-15 00:00", BERLIN, daily=daily)
    now, seen = told.starts_at + timedelta(hours=12), []
    while (found := rounds.next_round(told, now, BERLIN)) is not None:
        seen.append(found)
        now = found.opens_at
    assert len(seen) == len({found.opens_at for found in seen})
    assert all(one.ends_at <= other.opens_at for one, other in itertools.pairwise(seen))
    assert all(rounds.current_round(told, found.opens_at, BERLIN) == found for found in seen)


def test_somebody_may_claim_from_the_longest_head_start_on() -> None:
    starts = (HeadStart(tier_id=GOLD, minutes=10), HeadStart(tier_id=SILVER, minutes=5))
    told = sale("2026-01-15 20:00", "2026-01-15 21:00", head_starts=starts)
    only = Round(told.starts_at, told.ends_at)
    assert rounds.running(told, told.starts_at - timedelta(minutes=10, microseconds=1), SHANGHAI) is None
    assert rounds.running(told, told.starts_at - timedelta(minutes=10), SHANGHAI) == only
    assert rounds.running(told, told.ends_at - INSTANT, SHANGHAI) == only
    assert rounds.running(told, told.ends_at, SHANGHAI) is None
