"""A draw: what was won, and all from which anybody can reckon it again once the seed is told (D4)."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.chances import LotteryStanding, Payment
from domain.kernel import Event, Row
from domain.lotteries.lottery import LotteryPrize
from domain.points.account import PointsAccount
from domain.prizes import Won


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw(Row):
    """One play of an instant lottery, or one winning ticket of a ticketed one.

    The message `client_seed:nonce` makes a `point` from 0 to below `total`. Of an instant lottery the total is the sum
    of the weights at the places `among`, and what is `drawn` is what was won, unless it was out of stock and the
    fallback stood in for it. Of a ticketed one it is how many tickets there were, and the ticket of the number one
    above the point won; its nonce counts attempts, for tickets that had won already, and those of members who had won
    enough, were passed over.
    """

    is_fact: ClassVar[bool] = True

    member_id: UUID
    lottery_id: UUID
    # 1, 2, 3, … within the lottery: of a ticketed one, in the order in which winners were drawn.
    number: int
    client_seed: str
    nonce: str
    among: tuple[int, ...] = ()
    total: int
    point: int
    # The codes of the prizes.
    drawn: str
    prize: str
    is_guaranteed: bool = False
    # What it was paid with, and how many points; of a winning ticket, its purchase says that.
    payment: Payment | None = None
    points: int = 0
    transaction_id: UUID | None = None
    ticket: int | None = None
    # What was given.
    points_won: int = 0
    chances_won: int = 0
    voucher_id: UUID | None = None
    redemption_id: UUID | None = None
    # Why the prize of a winning ticket could not be given by itself, as the code of the refusal: the shop owes it.
    owed: str | None = None
    drawn_at: datetime
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LotteryDrawn(Event):
    """A member drew, or one of its tickets won; `prize` is the code of what it won."""

    lottery_id: UUID
    draw_id: UUID
    prize: str
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A draw, where its member stands in the lottery now, and its account."""

    draw: Draw
    standing: LotteryStanding
    account: PointsAccount


def with_won(draw: Draw, won: Won) -> Draw:
    """The draw with what was given."""
    return replace(
        draw,
        points_won=won.points,
        chances_won=won.prize.chances,
        voucher_id=None if won.voucher is None else won.voucher.id,
        redemption_id=None if won.redemption is None else won.redemption.id,
    )


def told_of(draw: Draw, prize: LotteryPrize) -> LotteryDrawn:
    """What happened."""
    return LotteryDrawn(
        member_id=draw.member_id, lottery_id=draw.lottery_id, draw_id=draw.id, prize=prize.code, rank=prize.rank
    )
