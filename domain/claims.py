"""Claims: places in flash sales, the units of a round they are taken from, and how units come back (F1, F3, F5).

They stand below redemptions, which give a unit back to its round when they are cancelled or returned.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import ClassVar
from uuid import UUID

from domain.kernel import Event, Row, State, Want, derived_id
from domain.points.account import HoldState, PointsAccount
from domain.stores import Channel
from domain.topics import Subject, topic
from domain.values import changed


class ClaimState(StrEnum):
    """Where a claim is in its life."""

    HELD = "HELD"  # points and a unit are set aside until the cash is paid
    CONFIRMED = "CONFIRMED"  # the unit is the member's, by its redemption
    RELEASED = "RELEASED"  # given up, or its redemption was cancelled or returned
    LAPSED = "LAPSED"  # not paid in time


@dataclass(frozen=True, slots=True, kw_only=True)
class FlashSaleStock(Row):
    """The units of an item in one round: the common ones, or those reserved for a tier. It guards itself.

    What is neither sold nor held is left; the database holds `sold + held <= total` too (F1).
    """

    item_id: UUID
    # The round, known by when it opens for everybody.
    opens_at: datetime
    # Whose share it is; None for the common units.
    tier_id: UUID | None = None
    total: int
    sold: int = 0
    held: int = 0

    @property
    def left(self) -> int:
        """Units that can be claimed."""
        return self.total - self.sold - self.held

    def of_size(self, total: int) -> "FlashSaleStock":
        """The stock as the sale has it now; never less than what is gone already."""
        wanted = max(total, self.sold + self.held)
        return self if wanted == self.total else changed(self, total=wanted)

    def taken(self, *, is_held: bool) -> "FlashSaleStock":
        """One unit less: sold, or set aside."""
        assert self.left > 0, "nobody takes what is not there"
        return changed(self, held=self.held + 1) if is_held else changed(self, sold=self.sold + 1)

    def paid(self) -> "FlashSaleStock":
        """A unit that was set aside is sold."""
        return changed(self, held=self.held - 1, sold=self.sold + 1)

    def given_back(self, count: int = 1) -> "FlashSaleStock":
        """Units that were set aside are there again."""
        return changed(self, held=self.held - count)

    def returned(self) -> "FlashSaleStock":
        """A unit that was sold is there again."""
        return changed(self, sold=self.sold - 1)


@lru_cache(maxsize=4096)
def stock_id(item_id: UUID, opens_at: datetime, tier_id: UUID | None) -> UUID:
    """The id of a round's stock: two who would make it first meet in the primary key."""
    return derived_id(item_id, f"{opens_at.astimezone(UTC).isoformat()}|{tier_id or ''}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlashSaleHold(Row):
    """A unit set aside for a claim that is not paid yet; its id is the claim's.

    Whoever finds nothing left takes back what lapsed, so that no unit is lost to a late clock (F2).
    """

    parent: ClassVar[str | None] = "stock_id"
    guard: ClassVar[type[Row] | None] = FlashSaleStock

    stock_id: UUID
    state: HoldState = HoldState.HELD
    lapses_at: datetime

    @property
    def is_open(self) -> bool:
        return self.state is HoldState.HELD


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(Row):
    """A member's place in a flash sale: one unit of an item in a round, for so many points and so much cash."""

    parent: ClassVar[str | None] = "member_id"
    guard: ClassVar[type[Row] | None] = PointsAccount

    member_id: UUID
    sale_id: UUID
    item_id: UUID
    # The round, known by when it opens for everybody, and the stock that the unit is of.
    opens_at: datetime
    stock_id: UUID
    points: int
    cash_minor: int = 0
    state: ClaimState
    # Where cash is due: the points that are held, and before when it must be paid.
    hold_id: UUID | None = None
    pay_by: datetime | None = None
    # The same while it waits for that, so that a worker finds what has lapsed.
    due_at: datetime | None = None
    # What it became once it was confirmed.
    redemption_id: UUID | None = None
    channel: Channel
    store_id: UUID | None = None
    claimed_at: datetime
    # When it was released or lapsed.
    closed_at: datetime | None = None
    actor: str

    @property
    def is_open(self) -> bool:
        """What is over no longer counts towards a member's limit (F5)."""
        return self.state in (ClaimState.HELD, ClaimState.CONFIRMED)

    def has_lapsed(self, now: datetime) -> bool:
        """Whether the time to pay is over, whether or not the clock's work was done yet."""
        return self.state is ClaimState.LAPSED or (self.due_at is not None and self.due_at <= now)

    def state_at(self, now: datetime) -> ClaimState:
        """The state as it is at an instant."""
        return ClaimState.LAPSED if self.has_lapsed(now) else self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimEvent(Event):
    """Something that happened to a claim, which changes what is left of its item."""

    sale_id: UUID
    item_id: UUID
    claim_id: UUID

    def topics(self) -> tuple[str, ...]:
        """The member, and the sale."""
        return *Event.topics(self), topic(Subject.FLASH_SALE, self.sale_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlashSaleClaimed(ClaimEvent):
    """A member claimed a unit: it is the member's, or held until it is paid."""

    state: ClaimState


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimConfirmed(ClaimEvent):
    """A claim was paid: it became a redemption."""

    redemption_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimClosed(ClaimEvent):
    """A claim was released or has lapsed; its unit may be left again."""

    state: ClaimState


def closed(claim: Claim) -> ClaimClosed:
    """The event of a claim's end."""
    return ClaimClosed(
        member_id=claim.member_id,
        sale_id=claim.sale_id,
        item_id=claim.item_id,
        claim_id=claim.id,
        state=claim.state,
    )


def end_hold(state: State, claim: Claim, outcome: HoldState) -> tuple[Row, ...]:
    """End a hold on a unit: CAPTURED sells it, any other puts it back. Again changes nothing (F3)."""
    state.need(Want(FlashSaleStock, claim.stock_id, is_locked=True), Want(FlashSaleHold, claim.id, is_locked=True))
    hold = state.get(FlashSaleHold, claim.id)
    if not hold.is_open:
        return ()
    stock = state.get(FlashSaleStock, claim.stock_id)
    after = stock.paid() if outcome is HoldState.CAPTURED else stock.given_back()
    return after, changed(hold, state=outcome)


def take_back(stock: FlashSaleStock, holds: Iterable[FlashSaleHold], now: datetime) -> tuple[FlashSaleStock, list[Row]]:
    """The stock with what was not paid in time, and the holds that lapsed with it."""
    over: list[Row] = [changed(hold, state=HoldState.LAPSED) for hold in holds if hold.lapses_at <= now]
    return stock.given_back(len(over)), over


@dataclass(frozen=True, slots=True)
class Undone:
    """What a cancelled or returned redemption changes in its sale."""

    save: tuple[Row, ...]
    event: ClaimClosed


def undo(state: State, claim_id: UUID, *, is_restocked: bool) -> Undone:
    """Release a confirmed claim whose redemption was given up; its unit is left again in its round (F5).

    A unit that is not to be restocked stays sold.
    """
    claim = state.get(Claim, claim_id)
    assert claim.state is ClaimState.CONFIRMED, "a redemption is given up once"
    after = changed(claim, state=ClaimState.RELEASED, closed_at=state.now)
    stocks = (state.get(FlashSaleStock, claim.stock_id).returned(),) if is_restocked else ()
    return Undone((*stocks, after), closed(after))
