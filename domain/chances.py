"""Where a member stands in a lottery: chances that cost no points, what it drew so far, and how a lottery goes.

Whoever gives chances (a prize, a task, a person) needs no more of a lottery than this.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final, NamedTuple
from uuid import UUID

from domain import calendars, checks, members
from domain.earning.rules import Period
from domain.kernel import Command, Decision, Event, NotFound, Refusal, Row, State, Want, derived_id
from domain.members import MemberRef
from domain.points.account import PointsAccount
from domain.points.posting import Posting, open_posting

CHANCES_MAX: Final = 1_000_000
GRANT_MAX: Final = 1_000


class Payment(StrEnum):
    """What a draw or a ticket was paid with, in the order in which it is used up (D2)."""

    WON = "WON"  # a chance that an earlier draw won; counts against no limit
    FREE = "FREE"  # one of the day's free ones
    CHANCE = "CHANCE"  # a chance that was given
    POINTS = "POINTS"


class Paid(NamedTuple):
    """How many draws or tickets are paid with what."""

    won: int = 0
    free: int = 0
    chances: int = 0
    points: int = 0

    def each(self) -> tuple[Payment, ...]:
        """What each one is paid with, in order."""
        return (
            *(Payment.WON,) * self.won,
            *(Payment.FREE,) * self.free,
            *(Payment.CHANCE,) * self.chances,
            *(Payment.POINTS,) * self.points,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LotteryRun(Row):
    """How a published lottery goes; its id is the lottery's, and whoever draws in it locks this row.

    `draws` numbers the draws, or the tickets that won; `tickets` numbers the tickets, of which `spent_tickets` can win
    no more; `attempts` is how far the drawing of winners is, and `steps` how far the clock's work. At `due_at` it is
    over; once it is closed, the seed is told.
    """

    draws: int = 0
    tickets: int = 0
    attempts: int = 0
    spent_tickets: int = 0
    steps: int = 0
    published_at: datetime
    due_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    reason: str | None = None

    def over_since(self, now: datetime) -> datetime | None:
        """Since when it is over, though nobody may have closed it yet; None while it is not."""
        if self.closed_at is not None:
            return self.closed_at
        return self.due_at if self.due_at is not None and self.due_at <= now else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LotteryStanding(Row):
    """Where a member stands in a lottery. Guarded by the account.

    `chances` and `won_chances` are left to be used; `dry_draws` were made since the last prize of the guaranteed rank
    (D3). What counts for limits is of the local date `day` and the periods around it; `played` is of all time.
    """

    member_id: UUID
    lottery_id: UUID
    chances: int = 0
    won_chances: int = 0
    # The number of the latest draw, which the next one's nonce is one more than; tickets have numbers of their own.
    draws: int = 0
    dry_draws: int = 0
    tickets: int = 0
    wins: int = 0
    day: date | None = None
    free_used: int = 0
    day_played: int = 0
    week_played: int = 0
    month_played: int = 0
    year_played: int = 0
    played: int = 0

    def on(self, today: date) -> "LotteryStanding":
        """The standing as it is on a local date: what counted for periods that are over is 0."""
        if self.day == today:
            return self

        def kept(period: Period, played: int) -> int:
            is_same = self.day is not None and _start(self.day, period) == _start(today, period)
            return played if is_same else 0

        return replace(
            self,
            day=today,
            free_used=0,
            day_played=0,
            week_played=kept(Period.WEEK, self.week_played),
            month_played=kept(Period.MONTH, self.month_played),
            year_played=kept(Period.YEAR, self.year_played),
        )

    def played_in(self, period: Period) -> int:
        """How often the member played in the period that `day` is in, as far as limits count."""
        return {
            Period.DAY: self.day_played,
            Period.WEEK: self.week_played,
            Period.MONTH: self.month_played,
            Period.YEAR: self.year_played,
            Period.LIFETIME: self.played,
        }[period]

    def paying(self, count: int, free_per_day: int) -> Paid:
        """What so many draws of the day are paid with: chances won, the day's free ones, those given, then points."""
        won = min(count, self.won_chances)
        free = min(count - won, max(0, free_per_day - self.free_used))
        chances = min(count - won - free, self.chances)
        return Paid(won, free, chances, count - won - free - chances)

    def after(self, paid: Paid) -> "LotteryStanding":
        """The standing with chances used up, and counted what limits count."""
        counted = paid.free + paid.chances + paid.points
        return replace(
            self,
            won_chances=self.won_chances - paid.won,
            free_used=self.free_used + paid.free,
            chances=self.chances - paid.chances,
            day_played=self.day_played + counted,
            week_played=self.week_played + counted,
            month_played=self.month_played + counted,
            year_played=self.year_played + counted,
            played=self.played + counted,
        )


def _start(day: date, period: Period) -> date:
    return calendars.start_of_period(day, period.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChanceGrant(Row):
    """Chances that were given to a member, by whom and why."""

    is_fact: ClassVar[bool] = True

    member_id: UUID
    lottery_id: UUID
    chances: int
    reason: str
    granted_at: datetime
    actor: str


class LotteryClosed(Refusal):
    """The lottery is over: nothing can be drawn or given any more. Details: `closed_at`."""

    code = "LOTTERY_CLOSED"
    text = "The lottery was closed at {closed_at}."


class ChancesTooMany(Refusal):
    """A member would have more chances than can be kept. Details: `chances_max`."""

    code = "CHANCES_TOO_MANY"
    text = "A member has at most {chances_max} chances in a lottery."


@dataclass(frozen=True, slots=True, kw_only=True)
class ChancesGranted(Event):
    """A member was given chances in a lottery."""

    lottery_id: UUID
    chances: int


def standing_id(member_id: UUID, lottery_id: UUID) -> UUID:
    """The id of a member's standing in a lottery, which tells nobody whose it is."""
    return derived_id(member_id, f"lottery|{lottery_id}")


def wants_of(member_id: UUID, lottery_id: UUID) -> Want:
    """What finds a member's standing, locked."""
    return Want(LotteryStanding, standing_id(member_id, lottery_id), is_locked=True)


def standing_of(posting: Posting, lottery_id: UUID) -> LotteryStanding:
    """Where the member of a posting stands, as the posting leaves it; an empty standing before it ever played."""
    account = posting.account
    known = posting.latest(LotteryStanding, standing_id(account.id, lottery_id))
    return known or empty_standing(account.program_id, account.id, lottery_id)


def empty_standing(program_id: UUID, member_id: UUID, lottery_id: UUID) -> LotteryStanding:
    """The standing of who never played."""
    key = standing_id(member_id, lottery_id)
    return LotteryStanding(id=key, program_id=program_id, member_id=member_id, lottery_id=lottery_id)


def require_published(state: State, lottery_id: UUID, field: tuple[str, ...]) -> LotteryRun:
    """How a published lottery goes. Refuses `NotFound`, and `LotteryClosed` when it is closed or over."""
    run = state.find(LotteryRun, lottery_id)
    if run is None:
        raise NotFound(field=field, kind="Lottery", key=str(lottery_id))
    over = run.over_since(state.now)
    if over is not None:
        raise LotteryClosed(closed_at=over.isoformat())
    return run


def grant(posting: Posting, lottery_id: UUID, chances: int, reason: str) -> ChancesGranted:
    """Give the member of a posting chances in a lottery; what happened. Refuses `ChancesTooMany`."""
    state, account = posting.state, posting.account
    standing = standing_of(posting, lottery_id)
    if standing.chances + chances > CHANCES_MAX:
        raise ChancesTooMany(field=("chances",), chances_max=CHANCES_MAX)
    posting.put(replace(standing, chances=standing.chances + chances))
    posting.put(
        ChanceGrant(
            id=state.new_id(),
            program_id=account.program_id,
            member_id=account.id,
            lottery_id=lottery_id,
            chances=chances,
            reason=reason,
            granted_at=state.now,
            actor=state.actor,
        )
    )
    return ChancesGranted(member_id=account.id, lottery_id=lottery_id, chances=chances)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chanced:
    """A member's standing after it was given chances, with its account."""

    standing: LotteryStanding
    account: PointsAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantChances(Command[Chanced]):
    """Give a member chances in a published lottery, 1 to 1,000 at once, which it uses before points (D2).

    Refuses an unknown member, `NotFound` for a lottery that is not published, `LotteryClosed`, `ChancesTooMany`.
    """

    member: MemberRef
    lottery_id: UUID
    chances: int
    reason: str

    def decide(self, state: State) -> Decision[Chanced]:
        checks.number("chances", self.chances, minimum=1, maximum=GRANT_MAX)
        reason = checks.reason(self.reason)
        posting = open_posting(state, members.resolve(state, self.member))
        require_published(state, self.lottery_id, ("lotteryId",))
        granted = grant(posting, self.lottery_id, self.chances, reason)
        rows = posting.close()
        return Decision(
            Chanced(standing=standing_of(posting, self.lottery_id), account=posting.account),
            save=rows,
            events=(granted, *posting.events),
        )
