"""Leaderboards: what they measure, over which windows, for whom, and how far each is (B1, B3)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, NamedTuple
from uuid import UUID

from domain import calendars, checks
from domain.kernel import Event, Refusal, Row, derived_id
from domain.prizes import Prize

# How many a program has that are active: every change of a member is counted on each of them.
LEADERBOARDS_MAX: Final = 50
CODE_MAX: Final = 50
# How many places a list shows, and how many are kept as facts and may win.
SIZE_MAX: Final = 1000
SIZE_DEFAULT: Final = 100
SETTLE_MINUTES_MAX: Final = 30 * 24 * 60
SETTLE_MINUTES_DEFAULT: Final = 60
# Ranges of places with a prize.
PRIZES_MAX: Final = 20
# A campaign is no longer than ten years.
CAMPAIGN_DAYS_MAX: Final = 3650
# What ran for ever begins before everything.
BEGINNING: Final = checks.OCCURRED_MIN
# So many periods of one board are counted at most: more are waiting only where no worker has run for long.
PERIODS_MAX: Final = 100


class BoardMetric(StrEnum):
    """What is measured. What a refund takes back no longer counts, in the window in which it had counted (B1)."""

    POINTS_EARNED = "POINTS_EARNED"  # points that rules and prizes gave, once available
    SPEND = "SPEND"  # money paid for what earns, in minor units, at the time of the purchase
    PURCHASES = "PURCHASES"  # purchases of which something paid remains
    CHECK_IN_STREAK = "CHECK_IN_STREAK"  # the longest run of days of the window that were signed or made up
    REFERRALS = "REFERRALS"  # friends who were brought, once that is rewarded
    CHALLENGE_SCORE = "CHALLENGE_SCORE"  # the scores of challenges that were completed


class BoardWindow(StrEnum):
    """The time of one period, by the program's calendar: from its first instant up to that of the next (B1)."""

    DAY = "DAY"
    WEEK = "WEEK"  # from Monday
    MONTH = "MONTH"
    ALL_TIME = "ALL_TIME"  # one period that never ends
    CAMPAIGN = "CAMPAIGN"  # one period, from `starts_at` up to `ends_at`


class BoardScope(StrEnum):
    """Who is on the board."""

    PROGRAM = "PROGRAM"  # every member
    STORE = "STORE"  # who enrolled at a store
    TIER = "TIER"  # who is in a tier now
    SEGMENT = "SEGMENT"  # who is in a segment


@dataclass(frozen=True, slots=True, kw_only=True)
class PrizeRange:
    """A prize for each of the places `first` to `last`."""

    first: int
    last: int
    prize: Prize


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard(Row):
    """A board. What it measures, over which window and for whom is settled for good; the rest may be edited.

    `size` is how many places it shows; `settle_minutes` how long after a period's end it waits for what still comes.
    """

    is_configuration: ClassVar[bool] = True
    parent: ClassVar[str | None] = "program_id"
    keys: ClassVar[tuple[str, ...]] = ("code",)

    code: str
    name: str
    metric: BoardMetric
    window: BoardWindow
    scope: BoardScope = BoardScope.PROGRAM
    store_id: UUID | None = None
    tier_id: UUID | None = None
    segment_id: UUID | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    size: int = SIZE_DEFAULT
    settle_minutes: int = SETTLE_MINUTES_DEFAULT
    prizes: tuple[PrizeRange, ...] = ()
    masks_names: bool = True
    is_active: bool = True
    created_at: datetime

    @property
    def is_open(self) -> bool:
        return self.is_active

    @property
    def places_kept(self) -> int:
        """How many places of a closed period are kept as facts: those shown, and those that win."""
        return max(self.size, *(prizes.last for prizes in self.prizes), 1)

    def prize_of(self, place: int) -> Prize | None:
        """What a place wins."""
        return next((each.prize for each in self.prizes if each.first <= place <= each.last), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardClock(Row):
    """How far a board is: its id is the board's. Periods before `open_since` are closed.

    `due_at` is when the first period that is not closed may be; None if there is none, or it never ends.
    """

    open_since: datetime
    due_at: datetime | None


class Period(NamedTuple):
    """A half-open time; `ends_at` None never ends."""

    starts_at: datetime
    ends_at: datetime | None


class LeaderboardInvalid(Refusal):
    """A board tells what its window or scope does not have, lacks what it has, or has prizes that overlap. Details:
    `why`."""

    code = "LEADERBOARD_INVALID"
    text = "The leaderboard cannot be so: {why}."


class LeaderboardCodeTaken(Refusal):
    """Another board has this code. Details: `given`."""

    code = "LEADERBOARD_CODE_TAKEN"
    text = "Another leaderboard has the code {given!r}."


class LeaderboardLimitReached(Refusal):
    """The program has as many active boards as it may. Details: `leaderboards_max`."""

    code = "LEADERBOARD_LIMIT_REACHED"
    text = "A program has at most {leaderboards_max} active leaderboards; end one that is no longer used."


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardSaved(Event):
    """A board was made or edited, so that what is counted for it may be missing."""

    leaderboard_id: UUID


def first_period(board: Leaderboard, now: datetime, zone_name: str) -> Period:
    """The period that a board begins with: the one that is running, or will run."""
    match board.window:
        case BoardWindow.CAMPAIGN:
            assert board.starts_at is not None, "a campaign has its time"
            return Period(board.starts_at, board.ends_at)
        case BoardWindow.ALL_TIME:
            return Period(BEGINNING, None)
        case _:
            day = calendars.start_of_period(calendars.local_date(now, zone_name), board.window)
            return Period(calendars.start_of(day, zone_name), end_of(board, now, zone_name))


def end_of(board: Leaderboard, at: datetime, zone_name: str) -> datetime | None:
    """The end of the period that an instant is in, by the calendar as it is now."""
    if board.window in (BoardWindow.ALL_TIME, BoardWindow.CAMPAIGN):
        return board.ends_at
    day = calendars.start_of_period(calendars.local_date(at, zone_name), board.window)
    last = {
        BoardWindow.DAY: day,
        BoardWindow.WEEK: calendars.add_days(day, 6),
        BoardWindow.MONTH: calendars.end_of_month(day),
    }
    return calendars.end_of(last[board.window], zone_name)


def open_periods(board: Leaderboard, clock: LeaderboardClock, now: datetime, zone_name: str) -> Iterator[Period]:
    """The periods that have begun and are not closed, the oldest first; at most `PERIODS_MAX`."""
    starts_at = clock.open_since
    for _ in range(PERIODS_MAX):
        period = Period(starts_at, end_of(board, starts_at, zone_name))
        is_over_for_good = period.ends_at is not None and period.ends_at <= starts_at
        if starts_at > now or is_over_for_good:
            return
        yield period
        if period.ends_at is None or board.window is BoardWindow.CAMPAIGN:
            return
        starts_at = period.ends_at


def due_at(board: Leaderboard, period: Period) -> datetime | None:
    """When a period may be closed: when what still came has settled (B3)."""
    if period.ends_at is None or not board.is_active:
        return None
    return period.ends_at + timedelta(minutes=board.settle_minutes)


def period_id(board_id: UUID, starts_at: datetime) -> UUID:
    """The id of a board's period that starts at an instant: whoever closes it twice meets himself (B3)."""
    return derived_id(board_id, str(int(starts_at.timestamp() * 1_000_000)))
