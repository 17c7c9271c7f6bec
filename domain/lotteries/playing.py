"""Whether a member may draw or take tickets now, and what it pays: one judgement for asking and for playing (D2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from domain import audiences, calendars, chances, schedules
from domain.chances import LotteryRun, LotteryStanding, Paid
from domain.kernel import FAMILY, Refusal, State, Want
from domain.lotteries.lottery import (
    Lottery,
    LotteryKind,
    LotteryNotOpen,
    LotteryOfOtherKind,
    LotterySeed,
    Playing,
    PrizeStock,
    by_code,
)
from domain.points.account import (
    AccountStatus,
    DebtOutstanding,
    InsufficientPoints,
    Lot,
    MemberFrozen,
    PointsAccount,
)
from domain.points.posting import Posting, open_posting
from domain.programs import Program
from domain.rewards.availability import NotEligible, PeriodLimitReached, Standing
from domain.rewards.standing import standing_for
from domain.rewards.stock import SoldOut


class NotForMember(NotEligible):
    """The lottery is for others: by tier, tags or segments. Details: `why`, which names the condition."""

    code = "NOT_ELIGIBLE"
    text = "The lottery is not for this member, by its {why}."


class DrawsReached(PeriodLimitReached):
    """The member would play more often than allowed. Details: `limit`, `taken`, `requested`, `period`."""

    code = "LIMIT_REACHED"
    text = "A member may play {limit} times in the {period}; this one has {taken} times and asks for {requested}."


class NoChances(Refusal):
    """The lottery takes chances, no points, and the member has fewer than it asks for. Details: `required`, `left`."""

    code = "NO_CHANCES"
    text = "This takes {required} chances; {left} are left, and no points buy more."


class NothingLeft(SoldOut):
    """Every prize is out of stock, or was won as often today as it may be."""

    code = "SOLD_OUT"
    text = "Nothing is left to be won now."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who wants to play how often, and when: as the member is, and as it stands in the lottery today."""

    member: Standing
    standing: LotteryStanding
    count: int
    now: datetime
    time_zone: str

    def paid(self, lottery: Lottery) -> Paid:
        """What it would be paid with."""
        return self.standing.paying(self.count, lottery.free_per_day)


def obstacles(playing: Playing, asking: Asking) -> Iterator[Refusal]:
    """Everything that keeps a member from playing, in the order in which it is told.

    Frozen, not open, not for this member, limits by period, nothing left, no chances, debt, points.
    """
    lottery, account = playing.lottery, asking.member.account
    if account.status is AccountStatus.FROZEN:
        yield MemberFrozen()
    yield from closed(lottery, playing.run, asking.now, asking.time_zone)
    why = audiences.keeps_out(lottery.audience, account.tier_id, asking.member.tags, asking.member.segments)
    if why is not None:
        yield NotForMember(why=why)
    paid = asking.paid(lottery)
    counted = asking.count - paid.won
    for limit in lottery.limits:
        taken = asking.standing.played_in(limit.period)
        if counted and taken + counted > limit.draws:
            yield DrawsReached(limit=limit.draws, taken=taken, requested=counted, period=limit.period.lower())
    today = calendars.local_date(asking.now, asking.time_zone)
    if not lottery.is_ticketed and not playing.live(today):
        yield NothingLeft(requested=asking.count, left=0)
    yield from _short(lottery, paid, asking)


def closed(lottery: Lottery, run: LotteryRun, now: datetime, time_zone: str) -> Iterator[LotteryNotOpen]:
    """Why a lottery is not open at an instant, by its times and by its schedule."""
    over = run.over_since(now)
    if over is not None:
        yield LotteryNotOpen(why=f"it ended at {over.isoformat()}")
    if lottery.starts_at is not None and now < lottery.starts_at:
        yield LotteryNotOpen(why=f"it starts at {lottery.starts_at.isoformat()}")
    if not schedules.meets(lottery.schedule, now.astimezone(calendars.zone(time_zone))):
        yield LotteryNotOpen(why="it is closed at this hour of this day, by its schedule")


def _short(lottery: Lottery, paid: Paid, asking: Asking) -> Iterator[Refusal]:
    account = asking.member.account
    if not paid.points:
        return
    if lottery.points is None:
        yield NoChances(required=asking.count, left=asking.count - paid.points)
        return
    if account.debt > 0:
        yield DebtOutstanding(debt=account.debt)
    required = lottery.points * paid.points
    if required > account.available:
        yield InsufficientPoints(required=required, available=account.available)


@dataclass(frozen=True, slots=True)
class Game:
    """A member at a lottery: everything locked, nothing decided yet."""

    playing: Playing
    posting: Posting
    standing: LotteryStanding
    today: date


def wants_to_play(program_id: UUID, member_id: UUID, lottery_id: UUID) -> tuple[Want, ...]:
    """All that a draw or a ticket needs, in one round."""
    return (
        Want(Program, program_id),
        Want(PointsAccount, member_id, is_locked=True),
        Want(Lot, member_id, FAMILY),
        Want(Lottery, lottery_id),
        Want(LotterySeed, lottery_id),
        Want(LotteryRun, lottery_id, is_locked=True),
        Want(PrizeStock, lottery_id, FAMILY),
        chances.wants_of(member_id, lottery_id),
    )


def begin(state: State, member_id: UUID, lottery_id: UUID, kind: LotteryKind) -> Game:
    """Lock all that a member plays with. Refuses `NotFound`, a draft, and a lottery of the other kind."""
    state.need(*wants_to_play(state.program_id, member_id, lottery_id))
    posting = open_posting(state, member_id)
    lottery = state.get(Lottery, lottery_id)
    run = state.find(LotteryRun, lottery_id)
    if run is None:
        raise LotteryNotOpen(field=("lotteryId",), why="it is not published")
    if lottery.kind is not kind:
        right = "take tickets of it" if lottery.is_ticketed else "draw in it"
        raise LotteryOfOtherKind(field=("lotteryId",), kind=lottery.kind.lower(), right=right)
    today = calendars.local_date(state.now, posting.program.time_zone)
    playing = Playing(lottery, run, by_code(state.all(PrizeStock, of=lottery_id)))
    return Game(playing, posting, chances.standing_of(posting, lottery_id).on(today), today)


def judged(state: State, game: Game, count: int) -> Paid:
    """What so many plays are paid with. Refuses the first obstacle."""
    account, zone_name = game.posting.account, game.posting.program.time_zone
    member = standing_for(state, account, (game.playing.lottery.audience,), zone_name)
    asking = Asking(member=member, standing=game.standing, count=count, now=state.now, time_zone=zone_name)
    for refusal in obstacles(game.playing, asking):
        raise refusal
    return asking.paid(game.playing.lottery)
