"""Tickets of a ticketed lottery: numbered 1, 2, 3, … as they are taken, each as likely to win as any other."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from domain import checks, members
from domain.chances import LotteryStanding, Payment
from domain.kernel import Command, Decision, Event, Row, State, Want, derived_id
from domain.lotteries import playing
from domain.lotteries.lottery import LotteryKind
from domain.lotteries.playing import Game
from domain.members import MemberRef
from domain.points.account import PointsAccount, PointTransaction, SourceType
from domain.points.book import Source
from domain.points.posting import account_wants

# So many are taken at once.
TICKETS_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LotteryTicket(Row):
    """A member's ticket. Its id follows from the lottery and its number, so that whoever draws a number finds it."""

    is_fact: ClassVar[bool] = True

    member_id: UUID
    lottery_id: UUID
    number: int
    payment: Payment
    points: int = 0
    transaction_id: UUID | None = None
    taken_at: datetime
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketsTaken(Event):
    """A member took tickets, with the numbers from `first` on."""

    lottery_id: UUID
    first: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Tickets that were taken: the number of the first, and how many; where the member stands, and its account."""

    first: int
    count: int
    standing: LotteryStanding
    account: PointsAccount


def ticket_id(lottery_id: UUID, number: int) -> UUID:
    """The id of the ticket with a number."""
    return derived_id(lottery_id, f"ticket|{number}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeTickets(Command[Taken]):
    """Take 1 to 100 tickets of a ticketed lottery, all or none: chances first, then points (D2).

    Refuses an unknown member or lottery, an instant lottery, and then what `playing.obstacles` finds: nobody takes a
    ticket after the end, however late its draw is.
    """

    member: MemberRef
    lottery_id: UUID
    count: int = 1

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """What finds the member, and with its id all the rest."""
        if self.member.id is None:
            return account_wants(self.member)
        return playing.wants_to_play(program_id, self.member.id, self.lottery_id)

    def decide(self, state: State) -> Decision[Taken]:
        checks.number("count", self.count, minimum=1, maximum=TICKETS_MAX)
        member_id = members.resolve(state, self.member)
        game = playing.begin(state, member_id, self.lottery_id, LotteryKind.TICKETED)
        paid = playing.judged(state, game, self.count)
        first = game.playing.run.tickets + 1
        price = game.playing.lottery.points or 0
        source = Source(SourceType.DRAW, ticket_id(self.lottery_id, first))
        spent = game.posting.redeem(price * paid.points, source) if paid.points else None
        standing = replace(game.standing.after(paid), tickets=game.standing.tickets + self.count)
        game.posting.put(standing)
        tickets = tuple(
            _ticket(state, game, first + place, payment, spent) for place, payment in enumerate(paid.each())
        )
        run = replace(game.playing.run, tickets=game.playing.run.tickets + self.count)
        rows = game.posting.close()
        taken = TicketsTaken(member_id=member_id, lottery_id=run.id, first=first, count=self.count)
        return Decision(
            Taken(first=first, count=self.count, standing=standing, account=game.posting.account),
            save=(*rows, run, *tickets),
            events=(taken, *game.posting.events),
        )


def _ticket(state: State, game: Game, number: int, payment: Payment, spent: PointTransaction | None) -> LotteryTicket:
    is_bought = payment is Payment.POINTS
    return LotteryTicket(
        id=ticket_id(game.playing.lottery.id, number),
        program_id=state.program_id,
        member_id=game.posting.account.id,
        lottery_id=game.playing.lottery.id,
        number=number,
        payment=payment,
        points=(game.playing.lottery.points or 0) if is_bought else 0,
        transaction_id=spent.id if spent is not None and is_bought else None,
        taken_at=state.now,
        actor=state.actor,
    )
