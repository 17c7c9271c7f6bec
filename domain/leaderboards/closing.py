"""Closing a period: places are kept as facts, and prizes paid, each once (B3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import ClassVar, Final
from uuid import UUID

from domain import prizes
from domain.kernel import Command, Decision, Event, Refusal, Row, State
from domain.leaderboards import board as boards
from domain.leaderboards.board import Leaderboard, LeaderboardClock, Period
from domain.leaderboards.standing import Ranked, Standing, ranked
from domain.points.account import SourceType
from domain.points.book import Source
from domain.points.posting import open_posting
from domain.prizes import Prize, PrizeKind, Won
from domain.programs import Program

# How long after a prize could not be given it is tried again.
TRY_AGAIN: Final = timedelta(hours=1)
# What makes the business key of points that are won whole, with the award (L11).
RULE: Final = "leaderboard"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardPeriod(Row):
    """A period that is closed. Its id follows from the board and its start."""

    is_fact: ClassVar[bool] = True

    leaderboard_id: UUID
    starts_at: datetime
    ends_at: datetime
    closed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardPlace(Row):
    """A place of a closed period, and what it won; those that the board shows or that win are kept so."""

    is_fact: ClassVar[bool] = True

    leaderboard_id: UUID
    period_id: UUID
    place: int
    rank: int
    member_id: UUID
    score: int
    reached_at: datetime
    prize: Prize | None = None


class AwardState(StrEnum):
    """Where a prize is."""

    DUE = "DUE"  # not given yet; where that was refused, it is tried again
    PAID = "PAID"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardAward(Row):
    """The prize of a place, whose id it has: given once. `refused` is why it could not be given the last time."""

    leaderboard_id: UUID
    period_id: UUID
    member_id: UUID
    prize: Prize
    state: AwardState = AwardState.DUE
    due_at: datetime | None
    refused: str | None = None
    points: int = 0
    transaction_id: UUID | None = None
    voucher_id: UUID | None = None
    redemption_id: UUID | None = None
    paid_at: datetime | None = None


class PeriodNotOver(Refusal):
    """The period has not ended, or what still comes has not settled. Details: `due_at`."""

    code = "PERIOD_NOT_OVER"
    text = "The period may be closed from {due_at} on."


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardClosed(Event):
    """A period was closed; from now on nothing changes of it."""

    leaderboard_id: UUID
    period_id: UUID
    starts_at: datetime
    places: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardPrizeWon(Event):
    """A member was given what its place won."""

    leaderboard_id: UUID
    period_id: UUID
    award_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A period that is closed; `is_repeat` if it had been before."""

    period: LeaderboardPeriod
    is_repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseLeaderboardPeriod(Command[Closed]):
    """Keep the first of a period for good, and owe them their prizes.

    `standings` are those of the first places in their order, as they were reckoned when nothing more could come. A
    period that is closed stays as it is. Refuses `PeriodNotOver`.
    """

    leaderboard_id: UUID
    starts_at: datetime
    standings: tuple[Standing, ...]

    def decide(self, state: State) -> Decision[Closed]:
        clock = state.get(LeaderboardClock, self.leaderboard_id)
        known = state.find(LeaderboardPeriod, boards.period_id(self.leaderboard_id, self.starts_at))
        if known is not None:
            return Decision(Closed(period=known, is_repeat=True))
        if clock.due_at is None or clock.due_at > state.now or clock.open_since != self.starts_at:
            raise PeriodNotOver(due_at=None if clock.due_at is None else clock.due_at.isoformat())
        board = state.get(Leaderboard, self.leaderboard_id)
        zone_name = state.get(Program, state.program_id).time_zone
        period = self._period(state, board, zone_name)
        rows = _places(state, board, period, ranked(self.standings[: board.places_kept]))
        told = LeaderboardClosed(
            leaderboard_id=board.id, period_id=period.id, starts_at=period.starts_at, places=len(rows)
        )
        awards = [award for place in rows if (award := _award(place, state.now)) is not None]
        save = (_gone_on(board, clock, period.ends_at, zone_name), period, *rows, *awards)
        return Decision(Closed(period=period), save=save, events=(told,))

    def _period(self, state: State, board: Leaderboard, zone_name: str) -> LeaderboardPeriod:
        ends_at = boards.end_of(board, self.starts_at, zone_name)
        assert ends_at is not None, "what is due ends"
        return LeaderboardPeriod(
            id=boards.period_id(board.id, self.starts_at),
            program_id=state.program_id,
            leaderboard_id=board.id,
            starts_at=self.starts_at,
            ends_at=ends_at,
            closed_at=state.now,
        )


def _places(
    state: State, board: Leaderboard, period: LeaderboardPeriod, found: Sequence[Ranked]
) -> tuple[LeaderboardPlace, ...]:
    assert all(one.order < other.order for one, other in pairwise(found)), "in their order"
    return tuple(
        LeaderboardPlace(
            id=state.new_id(),
            program_id=state.program_id,
            leaderboard_id=board.id,
            period_id=period.id,
            place=each.place,
            rank=each.rank,
            member_id=each.member_id,
            score=each.score,
            reached_at=each.reached_at,
            prize=board.prize_of(each.place),
        )
        for each in found
    )


def _award(place: LeaderboardPlace, now: datetime) -> LeaderboardAward | None:
    if place.prize is None or place.prize.kind is PrizeKind.NOTHING:
        return None
    return LeaderboardAward(
        id=place.id,
        program_id=place.program_id,
        leaderboard_id=place.leaderboard_id,
        period_id=place.period_id,
        member_id=place.member_id,
        prize=place.prize,
        due_at=now,
    )


def _gone_on(board: Leaderboard, clock: LeaderboardClock, since: datetime, zone_name: str) -> LeaderboardClock:
    """The clock at the next period; a campaign has none."""
    period = Period(since, boards.end_of(board, since, zone_name))
    if period.ends_at is None or period.ends_at <= since:
        return replace(clock, open_since=since, due_at=None)
    return replace(clock, open_since=since, due_at=boards.due_at(board, period))


@dataclass(frozen=True, slots=True, kw_only=True)
class PayLeaderboardAward(Command[LeaderboardAward]):
    """Give a member what its place won. What cannot be given now, such as from an empty pool, is tried again later.

    A prize that is paid is not paid again.
    """

    award_id: UUID

    def decide(self, state: State) -> Decision[LeaderboardAward]:
        award = state.get(LeaderboardAward, self.award_id)
        if award.due_at is None or award.due_at > state.now:
            return Decision(award)
        posting = open_posting(state, award.member_id)
        try:
            posting.require_active()
            won = prizes.give(posting, award.prize, Source(SourceType.PRIZE, award.id), rule=RULE)
        except Refusal as refusal:
            award = replace(award, due_at=state.now + TRY_AGAIN, refused=refusal.code)
            return Decision(award, save=(award,))
        award = _paid(award, won, state.now)
        told = LeaderboardPrizeWon(
            member_id=award.member_id,
            leaderboard_id=award.leaderboard_id,
            period_id=award.period_id,
            award_id=award.id,
        )
        rows = (*posting.close(), *won.save, award)
        return Decision(award, save=rows, events=(told, *won.events, *posting.events))


def _paid(award: LeaderboardAward, won: Won, now: datetime) -> LeaderboardAward:
    return replace(
        award,
        state=AwardState.PAID,
        due_at=None,
        refused=None,
        points=won.points,
        transaction_id=won.transaction_id,
        voucher_id=None if won.voucher is None else won.voucher.id,
        redemption_id=None if won.redemption is None else won.redemption.id,
        paid_at=now,
    )
