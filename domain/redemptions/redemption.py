"""What a redemption is: its row, its states, what becomes of its parts, and how it is refused."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain import money
from domain.kernel import Event, Refusal, Row, State
from domain.points.account import PointsAccount
from domain.rewards.reward import DeliveryKind
from domain.stores import Channel


class RedemptionState(StrEnum):
    """Where a redemption is in its life."""

    PLACED = "PLACED"  # taken; where cash is due, not paid yet
    PAID = "PAID"  # the cash that was due is paid
    FULFILLED = "FULFILLED"  # the member has all that was not cancelled
    CANCELLED = "CANCELLED"  # all of it, before the member had it
    RETURNED = "RETURNED"  # all that the member had came back
    LAPSED = "LAPSED"  # not paid in time


class RedemptionOrigin(StrEnum):
    """How a member came to a redemption."""

    REWARD = "REWARD"  # taken from the mall, for its price; its units are from the reward's shelf
    PRIZE = "PRIZE"  # won or given: it cost nothing
    FLASH_SALE = "FLASH_SALE"  # a claim of a flash sale that is paid
    GROUP_DEAL = "GROUP_DEAL"  # a seat in a group that is full


_OPEN: Final = frozenset({RedemptionState.PLACED, RedemptionState.PAID})
_GONE: Final = frozenset({RedemptionState.CANCELLED, RedemptionState.RETURNED, RedemptionState.LAPSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where something is sent."""

    name: str
    phone: str
    country_code: str
    region: str | None = None
    city: str
    street: str
    postal_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How a redemption gets to its member: sent to an address, or picked up at a store."""

    kind: DeliveryKind
    address: Address | None = None
    store_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption(Row):
    """A member's taking of a reward. `points` and `cash_minor` are what all of it cost.

    Of `quantity`, so many are `fulfilled` (the member has or had them), of which so many were
    `returned`, and so many `cancelled`; the rest is open. While cash is due, points are held until
    `due_at`.
    """

    parent: ClassVar[str | None] = "member_id"
    guard: ClassVar[type[Row] | None] = PointsAccount
    keys: ClassVar[tuple[str, ...]] = ("pickup_code",)

    member_id: UUID
    reward_id: UUID
    quantity: int
    points: int
    cash_minor: int = 0
    state: RedemptionState = RedemptionState.PLACED
    fulfilled: int = 0
    cancelled: int = 0
    returned: int = 0
    # The REDEEM or CAPTURE transaction, whose lots points come back to; while they are held, the HOLD transaction.
    # None where it cost no points.
    transaction_id: UUID | None = None
    hold_id: UUID | None = None
    # Before when the cash must be paid, where some is due.
    pay_by: datetime | None = None
    # The same while it waits for that, so that a worker finds what has lapsed.
    due_at: datetime | None = None
    paid_at: datetime | None = None
    payment_reference: str | None = None
    delivery: Delivery | None = None
    # Shown at a store, once; None where nothing is picked up.
    pickup_code: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    # What it is the end of, where it was not taken from the mall: the claim, the seat, or what it was won in.
    origin: RedemptionOrigin = RedemptionOrigin.REWARD
    origin_id: UUID | None = None
    channel: Channel
    store_id: UUID | None = None
    # Where it was handed out, if it was at a store.
    fulfilled_store_id: UUID | None = None
    reason: str | None = None
    placed_at: datetime
    # When nothing of it was open any more.
    closed_at: datetime | None = None
    actor: str

    @property
    def is_open(self) -> bool:
        """What is gone no longer counts towards a member's limit."""
        return self.state not in _GONE

    @property
    def remaining(self) -> int:
        """How many are neither handed out nor cancelled."""
        return self.quantity - self.fulfilled - self.cancelled

    @property
    def kept(self) -> int:
        """How many the member has or is to have."""
        return self.quantity - self.cancelled - self.returned

    def has_lapsed(self, now: datetime) -> bool:
        """Whether the time to pay is over, whether or not the clock's work was done yet."""
        return self.state is RedemptionState.LAPSED or (self.due_at is not None and self.due_at <= now)

    def state_at(self, now: datetime) -> RedemptionState:
        """The state as it is at an instant."""
        return RedemptionState.LAPSED if self.has_lapsed(now) else self.state


class RedemptionNotOpen(Refusal):
    """A redemption was fulfilled, cancelled, returned or has lapsed already. Details: `state`."""

    code = "REDEMPTION_NOT_OPEN"
    text = "The redemption is {state}."


class RedemptionLapsed(Refusal):
    """The redemption was not paid in time. Details: `pay_by`."""

    code = "REDEMPTION_LAPSED"
    text = "The redemption was to be paid before {pay_by}; its points and its stock were given back."


class RedemptionUnpaid(Refusal):
    """Cash is due before anything can be handed out. Details: `due` in minor units."""

    code = "REDEMPTION_UNPAID"
    text = "{due} minor units are to be paid before the redemption can be fulfilled."


class RedemptionUnknown(Refusal):
    """The redemption is another member's. Details: `redemption`."""

    code = "NOT_FOUND"
    text = "There is no Redemption {redemption!r} in this program."


class PickupCodeUnknown(Refusal):
    """No redemption of this program has the pick-up code. Details: `pickup_code`."""

    code = "PICKUP_CODE_UNKNOWN"
    text = "No redemption of this program has the pick-up code {pickup_code!r}."


class WrongStore(Refusal):
    """It cannot be had at this store. Details: `store`, and `expected` if it is one other."""

    code = "WRONG_STORE"
    text = "It cannot be had at the store {store!r}; it can at {expected}."


class DeliveryInvalid(Refusal):
    """A delivery is missing, is not offered, or lacks what it needs. Details: `why`."""

    code = "DELIVERY_INVALID"
    text = "The delivery cannot be so: {why}."


class PaymentMismatch(Refusal):
    """Another amount was paid than is due. Details: `due`, `paid`, in minor units."""

    code = "PAYMENT_MISMATCH"
    text = "{due} minor units are due; {paid} were paid."


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardRedeemed(Event):
    """A member redeemed a reward."""

    redemption_id: UUID
    reward_id: UUID
    quantity: int
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionPaid(Event):
    """The cash of a redemption was paid."""

    redemption_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionClosed(Event):
    """A redemption was fulfilled, cancelled or returned, or has lapsed: in part if it is still open."""

    redemption_id: UUID
    state: RedemptionState


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """A redemption and the account after it; when points came back, how (L4), and the cash the shop owes.

    `is_repeat`: the same had been done before.
    """

    redemption: Redemption
    account: PointsAccount
    points_returned: int = 0
    points_replaced: int = 0
    points_forfeited: int = 0
    cash_minor: int = 0
    is_repeat: bool = False


def part(whole: int, before: int, after: int, quantity: int) -> int:
    """What of `whole` falls to the units from `before` to `after`, so that all units together are the whole (L9)."""
    return money.floor_ratio(whole, after, quantity) - money.floor_ratio(whole, before, quantity)


def find(state: State, redemption_id: UUID, member_id: UUID | None = None) -> Redemption:
    """A redemption, locked. Refuses `NotFound`; another member's is not found either."""
    redemption = state.get(Redemption, redemption_id)
    if member_id is not None and redemption.member_id != member_id:
        raise RedemptionUnknown(redemption=str(redemption_id))
    return redemption


def lapsed(redemption: Redemption) -> RedemptionLapsed:
    """The refusal of what was not paid in time."""
    assert redemption.pay_by is not None, "only what had to be paid lapses"
    return RedemptionLapsed(pay_by=redemption.pay_by.isoformat())


def require_open(redemption: Redemption, now: datetime) -> Redemption:
    """A redemption of which something is open. Refuses `RedemptionLapsed` and `RedemptionNotOpen`."""
    if redemption.has_lapsed(now):
        raise lapsed(redemption)
    if redemption.state not in _OPEN:
        raise RedemptionNotOpen(state=redemption.state)
    return redemption


def state_of(redemption: Redemption) -> RedemptionState:
    """The state that its counts make it."""
    if redemption.remaining:
        return redemption.state
    if redemption.fulfilled == 0:
        return RedemptionState.CANCELLED
    return RedemptionState.FULFILLED if redemption.fulfilled > redemption.returned else RedemptionState.RETURNED
