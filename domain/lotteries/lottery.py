"""Lotteries: what can be won, at which odds, for whom and when; frozen as soon as it is published (D1, D4)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final, NamedTuple
from uuid import UUID

from domain import audiences, schedules
from domain.audiences import Audience
from domain.chances import LotteryRun
from domain.earning.rules import Period
from domain.kernel import Event, Refusal, Row, derived_id
from domain.prizes import Prize
from domain.schedules import Schedule

PRIZES_MAX: Final = 50
LIMITS_MAX: Final = 5
WEIGHT_MAX: Final = 10**9
STOCK_MAX: Final = 10**9
RANK_MAX: Final = 100
PLAYED_MAX: Final = 100_000
GUARANTEE_MAX: Final = 10_000
POINTS_A_DRAW_MAX: Final = 10**9
RULES_MAX: Final = 10_000
# How many tickets of a lottery may win, all prizes together.
WINNERS_MAX: Final = 1_000


class LotteryKind(StrEnum):
    """How a lottery is played."""

    INSTANT = "INSTANT"  # each draw wins, or not, at once
    TICKETED = "TICKETED"  # members collect tickets; winning ones are drawn when it ends


class StockOut(StrEnum):
    """What becomes of the odds of a prize that is out of stock; declared before the first draw (D1)."""

    RENORMALISE = "RENORMALISE"  # it is taken out, and what is left is drawn among by its weights
    FALLBACK = "FALLBACK"  # whoever draws it wins the fallback prize


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawLimit:
    """How often a member may draw, or take a ticket, in a period of the program's calendar."""

    period: Period
    draws: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LotteryPrize:
    """Something that can be won. Its odds are its `weight` over the sum of all weights.

    `rank` orders prizes by what they are worth to members, the higher the better; 0 is for NOTHING. `stock` is how
    many there are, `daily_stock` how many of them may be won on one local day; None: no bound. Of a ticketed lottery,
    the stock is how many tickets win it, and weights are not looked at. `value_minor` is what an item is worth;
    `exceeds_cap_by` is who let it be worth more than the program's cap (D5).
    """

    code: str
    name: str
    prize: Prize
    rank: int = 0
    weight: int = 1
    stock: int | None = None
    daily_stock: int | None = None
    value_minor: int = 0
    exceeds_cap_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lottery(Row):
    """A game of chance. Once it is published nothing of it changes: `LotteryRun` has what does.

    A draw, or a ticket, costs `points` once its player has no chance left that costs none: chances won, `free_per_day`,
    chances given; without `points` it takes a chance. With a guarantee, the `guarantee_every`-th draw in a row without
    a prize of the `guarantee_rank` or better wins one (D3).
    """

    is_configuration: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("code",)

    code: str
    name: str
    kind: LotteryKind
    rules: str
    prizes: tuple[LotteryPrize, ...]
    points: int | None = None
    free_per_day: int = 0
    limits: tuple[DrawLimit, ...] = ()
    audience: Audience = audiences.EVERYBODY
    # The local days and hours at which it is open, from `starts_at` on and before `ends_at`, if they are told.
    schedule: Schedule = schedules.ALWAYS
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    stock_out: StockOut = StockOut.RENORMALISE
    # The code of the prize that stands in for others.
    fallback: str | None = None
    guarantee_every: int | None = None
    guarantee_rank: int | None = None
    # How many tickets of one member may win.
    wins_per_member: int = 1
    created_at: datetime
    # None while it is a draft.
    published_at: datetime | None = None
    seed_hash: str | None = None
    table_hash: str | None = None

    @property
    def is_ticketed(self) -> bool:
        """Whether winners are drawn at the end."""
        return self.kind is LotteryKind.TICKETED

    def prize_of(self, code: str) -> LotteryPrize:
        """The prize with a code, which must be one of this lottery's."""
        return next(prize for prize in self.prizes if prize.code == code)


@dataclass(frozen=True, slots=True, kw_only=True)
class LotterySeed(Row):
    """The secret of a published lottery, 32 bytes in hexadecimal letters; its id is the lottery's.

    Nobody is shown it before the lottery is closed, and nothing can be drawn after (D4).
    """

    is_fact: ClassVar[bool] = True
    is_configuration: ClassVar[bool] = True

    seed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrizeStock(Row):
    """How many of a prize are left, and how many were won in all and on the local date `day`."""

    parent: ClassVar[str | None] = "lottery_id"
    guard: ClassVar[type[Row] | None] = LotteryRun

    lottery_id: UUID
    code: str
    left: int | None = None
    won: int = 0
    day: date | None = None
    day_won: int = 0

    def won_on(self, today: date) -> int:
        """How many were won on a local date."""
        return self.day_won if self.day == today else 0

    def is_there(self, prize: LotteryPrize, today: date) -> bool:
        """Whether one can be won today."""
        has_any = self.left is None or self.left > 0
        return has_any and (prize.daily_stock is None or self.won_on(today) < prize.daily_stock)

    def taken(self, today: date) -> "PrizeStock":
        """One less, which must be there."""
        return replace(
            self,
            left=None if self.left is None else self.left - 1,
            won=self.won + 1,
            day=today,
            day_won=self.won_on(today) + 1,
        )


def stock_id(lottery_id: UUID, code: str) -> UUID:
    """The id of a prize's stock."""
    return derived_id(lottery_id, f"prize|{code}")


class Playing(NamedTuple):
    """A published lottery, how it goes, and the stocks of its prizes by their codes."""

    lottery: Lottery
    run: LotteryRun
    stocks: dict[str, PrizeStock]

    def live(self, today: date) -> tuple[int, ...]:
        """The places, from 1, of the prizes that can be won today, in the order of the table."""
        return tuple(
            place
            for place, prize in enumerate(self.lottery.prizes, start=1)
            if self.stocks[prize.code].is_there(prize, today)
        )


def by_code(stocks: Sequence[PrizeStock]) -> dict[str, PrizeStock]:
    """Stocks by the codes of their prizes."""
    return {stock.code: stock for stock in stocks}


class LotteryAlreadyPublished(Refusal):
    """The code is that of a published lottery, which does not change. Details: `taken`."""

    code = "LOTTERY_PUBLISHED"
    text = "The lottery {taken!r} is published, and no longer changes; it can only be closed."


class LotteryInvalid(Refusal):
    """Parts of a lottery contradict each other. Details: `why`."""

    code = "LOTTERY_INVALID"
    text = "The lottery cannot be so: {why}."


class PrizeAboveCap(Refusal):
    """An item is worth more than the program lets a prize be (D5). Details: `prize`, `value`, `value_max`."""

    code = "PRIZE_ABOVE_CAP"
    text = (
        "The prize {prize!r} is worth {value} minor units, and a prize of this program at most {value_max};"
        " only who may exceed that can say that it is meant so."
    )


class LotteryNotOpen(Refusal):
    """The lottery is not open now. Details: `why`."""

    code = "LOTTERY_NOT_OPEN"
    text = "The lottery is not open: {why}."


class LotteryOfOtherKind(Refusal):
    """Tickets are for ticketed lotteries, draws for instant ones. Details: `kind`, `right`."""

    code = "LOTTERY_OF_OTHER_KIND"
    text = "The lottery is {kind}: {right}."


@dataclass(frozen=True, slots=True, kw_only=True)
class LotterySaved(Event):
    """A draft of a lottery was made or edited."""

    lottery_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LotteryPublished(Event):
    """A lottery was published, with the hashes that hold it to its seed and its table."""

    lottery_id: UUID
    seed_hash: str
    table_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LotteryEnded(Event):
    """A lottery was closed: its seed can be read."""

    lottery_id: UUID
