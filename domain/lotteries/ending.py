"""The end of a lottery, step by step, by the clock: winning tickets are drawn one after the other, then it is closed.

The attempts 1, 2, 3, … make the messages `draw:1`, `draw:2`, … of which each names a ticket; one that has won already,
or whose member has won enough, is passed over. The first prize of the table goes to the first tickets that win.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple
from uuid import UUID

from domain import chances, prizes
from domain.chances import LotteryRun, LotteryStanding
from domain.kernel import FAMILY, Command, Decision, State, Want, derived_id
from domain.lotteries import fairness
from domain.lotteries.draw import Draw, told_of, with_won
from domain.lotteries.drawing import GONE
from domain.lotteries.lottery import Lottery, LotteryEnded, LotteryPrize, LotterySeed, Playing, PrizeStock, by_code
from domain.lotteries.saving import Ended, closed
from domain.lotteries.tickets import LotteryTicket, ticket_id
from domain.points.account import PointsOverflow, SourceType
from domain.points.book import Source
from domain.points.posting import Posting, open_posting, wants_to_settle
from domain.prizes import Won

CLIENT_SEED: Final = "draw"
# So many attempts are made in one step, looked up together: mostly the first wins. If none does, the next step goes on.
_LOOKED_UP: Final = (8, 56)


class _Winner(NamedTuple):
    """A ticket that won: on which attempt, from which point, and where its member stood before."""

    ticket: LotteryTicket
    attempt: int
    point: int
    standing: LotteryStanding


@dataclass(frozen=True, slots=True, kw_only=True)
class EndLottery(Command[Ended]):
    """Do the next step of ending a lottery that is over: draw a winner, or close it when there is none to draw.

    Changes nothing before it is over, after it was closed, and when so many steps were done already.
    """

    lottery_id: UUID
    step: int

    def decide(self, state: State) -> Decision[Ended]:
        state.need(
            Want(Lottery, self.lottery_id),
            Want(LotterySeed, self.lottery_id),
            Want(LotteryRun, self.lottery_id, is_locked=True),
            Want(PrizeStock, self.lottery_id, FAMILY),
        )
        lottery, run = state.get(Lottery, self.lottery_id), state.get(LotteryRun, self.lottery_id)
        is_over = run.due_at is not None and run.due_at <= state.now
        if not is_over or self.step <= run.steps:
            return Decision(Ended(lottery=lottery, run=run))
        playing = Playing(lottery, replace(run, steps=self.step), by_code(state.all(PrizeStock, of=self.lottery_id)))
        prize = _next_prize(playing)
        if prize is None or run.spent_tickets >= run.tickets:
            run = closed(playing.run, state)
            return Decision(Ended(lottery=lottery, run=run), save=(run,), events=(LotteryEnded(lottery_id=lottery.id),))
        return _drawn(state, playing, prize)


def _next_prize(playing: Playing) -> LotteryPrize | None:
    """The prize that the next ticket wins; None for a lottery without tickets, or when all are won."""
    if not playing.lottery.is_ticketed:
        return None
    return next((prize for prize in playing.lottery.prizes if playing.stocks[prize.code].left), None)


def _drawn(state: State, playing: Playing, prize: LotteryPrize) -> Decision[Ended]:
    lottery, run = playing.lottery, playing.run
    winner = _winner(state, playing)
    if winner is None:
        run = replace(run, attempts=run.attempts + sum(_LOOKED_UP))
        return Decision(Ended(lottery=lottery, run=run), save=(run,))
    state.need(*wants_to_settle(state.program_id, winner.ticket.member_id))
    posting = open_posting(state, winner.ticket.member_id)
    standing = replace(winner.standing, wins=winner.standing.wins + 1)
    posting.put(standing)
    draw = _draw(state, playing, prize, winner)
    won, owed = _given(posting, prize, draw)
    draw = replace(with_won(draw, won), owed=owed)
    # With its last win, all that is left of a member's tickets can win no more.
    has_enough = standing.wins >= lottery.wins_per_member
    run = replace(
        run,
        draws=draw.number,
        attempts=winner.attempt,
        spent_tickets=run.spent_tickets + (standing.tickets - winner.standing.wins if has_enough else 1),
    )
    # The day of the end, however late the clock is: of tickets no day's stock is bounded.
    stock = replace(playing.stocks[prize.code], left=(playing.stocks[prize.code].left or 0) - 1)
    rows = posting.close()
    return Decision(
        Ended(lottery=lottery, run=run),
        save=(*rows, run, replace(stock, won=stock.won + 1), *won.save, draw),
        events=(told_of(draw, prize), *won.events, *posting.events),
    )


def _winner(state: State, playing: Playing) -> _Winner | None:
    """The next ticket that wins; None if none of so many attempts is one that may."""
    seed = bytes.fromhex(state.get(LotterySeed, playing.lottery.id).seed)
    first = playing.run.attempts + 1
    for count in _LOOKED_UP:
        for winner in _candidates(state, playing, seed, range(first, first + count)):
            has_won = state.find(Draw, _draw_id(winner.ticket)) is not None
            if not has_won and winner.standing.wins < playing.lottery.wins_per_member:
                return winner
        first += count
    return None


def _candidates(state: State, playing: Playing, seed: bytes, attempts: range) -> Iterator[_Winner]:
    """The tickets that some attempts name, with all that says whether they may win, asked for at once."""
    lottery_id = playing.lottery.id
    points = {attempt: point_of(seed, attempt, playing.run.tickets) for attempt in attempts}
    keys = {attempt: ticket_id(lottery_id, point + 1) for attempt, point in points.items()}
    state.need(*(Want(LotteryTicket, key, is_locked=True) for key in keys.values()))
    tickets = {attempt: state.get(LotteryTicket, key) for attempt, key in keys.items()}
    state.need(
        *(chances.wants_of(ticket.member_id, lottery_id) for ticket in tickets.values()),
        *(Want(Draw, _draw_id(ticket), is_locked=True) for ticket in tickets.values()),
    )
    for attempt, ticket in tickets.items():
        standing = state.get(LotteryStanding, chances.standing_id(ticket.member_id, lottery_id))
        yield _Winner(ticket, attempt, points[attempt], standing)


def point_of(seed: bytes, attempt: int, tickets: int) -> int:
    """The point that an attempt makes, one below the number of the ticket."""
    return fairness.point(seed, fairness.message_of(CLIENT_SEED, str(attempt)), tickets)


def _draw_id(ticket: LotteryTicket) -> UUID:
    """The id of a ticket's win: a ticket has one."""
    return derived_id(ticket.id, "won")


def _draw(state: State, playing: Playing, prize: LotteryPrize, winner: _Winner) -> Draw:
    return Draw(
        id=_draw_id(winner.ticket),
        program_id=state.program_id,
        member_id=winner.ticket.member_id,
        lottery_id=playing.lottery.id,
        number=playing.run.draws + 1,
        client_seed=CLIENT_SEED,
        nonce=str(winner.attempt),
        total=playing.run.tickets,
        point=winner.point,
        drawn=prize.code,
        prize=prize.code,
        ticket=winner.ticket.number,
        drawn_at=state.now,
        actor=state.actor,
    )


def _given(posting: Posting, prize: LotteryPrize, draw: Draw) -> tuple[Won, str | None]:
    """Give a winner its prize; what cannot be given by itself the shop owes, under the code of why."""
    try:
        return prizes.give(posting, prize.prize, Source(SourceType.PRIZE, draw.id)), None
    except (*GONE, PointsOverflow) as refusal:
        return Won(prize=prize.prize), refusal.code
