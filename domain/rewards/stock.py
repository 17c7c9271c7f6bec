"""How many of a reward are left, in all and today, and what is set aside for those who have yet to pay (F1, F3)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import ClassVar, Final
from uuid import UUID

from domain.kernel import FAMILY, Refusal, Row, State, Want
from domain.points.account import HoldState
from domain.rewards.reward import Reward

STOCK_MAX: Final = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardStock(Row):
    """How many of a reward are left; its id is the reward's. None: unlimited.

    `day_taken` counts what was given out on the local date `day`, where the reward bounds that. A
    reward without any bound is never written on a sale.
    """

    left: int | None = None
    day: date | None = None
    day_taken: int = 0

    def take(self, quantity: int, *, today: date, daily_stock: int | None = None) -> "RewardStock":
        """Less `quantity`. Refuses `SoldOut` and `SoldOutToday`."""
        refusal = self.refusal(quantity, today=today, daily_stock=daily_stock)
        if refusal is not None:
            raise refusal
        after = self if self.left is None else replace(self, left=self.left - quantity)
        if daily_stock is None:
            return after
        return replace(after, day=today, day_taken=self.taken_on(today) + quantity)

    def refusal(self, quantity: int, *, today: date, daily_stock: int | None = None) -> Refusal | None:
        """Why so many cannot be taken today; None if they can."""
        if self.left is not None and quantity > self.left:
            return SoldOut(requested=quantity, left=self.left)
        if daily_stock is None:
            return None
        left_today = max(0, daily_stock - self.taken_on(today))
        if quantity > left_today:
            return SoldOutToday(requested=quantity, left=left_today, daily=daily_stock)
        return None

    def taken_on(self, today: date) -> int:
        """What was given out on this day."""
        return self.day_taken if self.day == today else 0

    def put_back(self, quantity: int, *, day: date | None = None) -> "RewardStock":
        """More by `quantity`; what was taken on `day` may be taken on that day again."""
        after = self if self.left is None else replace(self, left=self.left + quantity)
        if day is None or self.day != day:
            return after
        return replace(after, day_taken=max(0, self.day_taken - quantity))


@dataclass(frozen=True, slots=True, kw_only=True)
class StockHold(Row):
    """Units set aside for a redemption that is not paid yet; its id is the redemption's.

    Whoever finds too few left takes back what lapsed, so that stock is never lost to a late clock.
    """

    parent: ClassVar[str | None] = "reward_id"
    guard: ClassVar[type[Row] | None] = RewardStock

    reward_id: UUID
    quantity: int
    day: date | None = None
    state: HoldState = HoldState.HELD
    lapses_at: datetime

    @property
    def is_open(self) -> bool:
        return self.state is HoldState.HELD


class SoldOut(Refusal):
    """Fewer are left than requested. Details: `requested`, `left`."""

    code = "SOLD_OUT"
    text = "{requested} requested; {left} left."


class SoldOutToday(Refusal):
    """Fewer are left for today than requested. Details: `requested`, `left`, `daily`."""

    code = "SOLD_OUT_TODAY"
    text = "{requested} requested; {left} of {daily} a day are left for today."


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A reward's stock as a decision leaves it, with the holds it took back; `save` is what changed."""

    stock: RewardStock
    lapsed: tuple[StockHold, ...] = ()
    before: RewardStock

    @property
    def save(self) -> tuple[Row, ...]:
        changed = () if self.stock == self.before else (self.stock,)
        return (*changed, *self.lapsed)


def open_shelf(state: State, reward: Reward, quantity: int, today: date) -> Shelf:
    """The stock, locked; where it is too little, with what lapsed taken back first."""
    before = state.get(RewardStock, reward.id)
    if before.refusal(quantity, today=today, daily_stock=reward.daily_stock) is None:
        return Shelf(stock=before, before=before)
    state.need(Want(StockHold, reward.id, FAMILY))
    over = [hold for hold in state.all(StockHold, of=reward.id) if hold.lapses_at <= state.now]
    stock = with_lapsed(before, over)
    return Shelf(stock=stock, lapsed=tuple(replace(hold, state=HoldState.LAPSED) for hold in over), before=before)


def with_lapsed(stock: RewardStock, lapsed: Iterable[StockHold]) -> RewardStock:
    """The stock with what lapsed put back."""
    for hold in lapsed:
        stock = stock.put_back(hold.quantity, day=hold.day)
    return stock


def end_hold(state: State, redemption_id: UUID, reward_id: UUID, outcome: HoldState) -> tuple[Row, ...]:
    """End a hold on stock: CAPTURED keeps the units taken, any other puts them back. Again changes nothing."""
    state.need(Want(RewardStock, reward_id, is_locked=True), Want(StockHold, redemption_id, is_locked=True))
    hold = state.get(StockHold, redemption_id)
    if not hold.is_open:
        return ()
    ended = replace(hold, state=outcome)
    if outcome is HoldState.CAPTURED:
        return (ended,)
    before = state.get(RewardStock, reward_id)
    stock = before.put_back(hold.quantity, day=hold.day)
    return (ended,) if stock == before else (stock, ended)
