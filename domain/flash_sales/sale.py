"""What a flash sale is: when its rounds are, for whom, and the items it offers. Their stock is another row (F1)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID

from domain import audiences
from domain.audiences import Audience
from domain.kernel import Event, Refusal, Row, Want
from domain.rewards.reward import Reward
from domain.rewards.stock import SoldOut
from domain.schedules import Schedule
from domain.topics import Subject, topic

DESCRIPTION_MAX: Final = 2000
ITEMS_MAX: Final = 50
TIERS_MAX: Final = 20
HEAD_START_MINUTES_MAX: Final = 60 * 24 * 7
ROUND_MINUTES_MAX: Final = 60 * 24
PAY_MINUTES_MAX: Final = 60 * 24


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadStart:
    """So many minutes before everybody else members of a tier may claim (F4)."""

    tier_id: UUID
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Units reserved for the head start of a tier; what is left of them joins the common ones afterwards (F4)."""

    tier_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """Rounds on every day of a schedule: from a local time such as 20:00, for so many minutes (S37)."""

    schedule: Schedule
    local_time: str
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FlashSale(Row):
    """A timed scarce offer: one round in `[starts_at, ends_at)`, or within it a round on each day of `daily`.

    Rounds are reckoned on the clock of the program's time zone. `is_active` switches claims off and on.
    """

    is_configuration: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("code",)

    code: str
    name: str
    description: str | None = None
    audience: Audience = audiences.EVERYBODY
    starts_at: datetime
    ends_at: datetime
    daily: Daily | None = None
    head_starts: tuple[HeadStart, ...] = ()
    # Paid within so many minutes, or it lapses (F3); only where cash is due.
    pay_minutes: int = 15
    is_active: bool = True
    # Counts the changes of its times: who asked to be reminded is reckoned again after each.
    timing: int = 1
    created_at: datetime

    def head_start(self, tier_id: UUID | None) -> timedelta:
        """How long before everybody else a member of a tier may claim."""
        found = [start.minutes for start in self.head_starts if start.tier_id == tier_id]
        return timedelta(minutes=found[0] if found else 0)

    @property
    def longest_head_start(self) -> timedelta:
        """How long before it opens for everybody it opens for anybody."""
        return timedelta(minutes=max((start.minutes for start in self.head_starts), default=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class FlashSaleItem(Row):
    """What a sale offers: `stock` units a round of a reward, each for points or points and cash.

    Name, pictures and delivery are the reward's; price, stock and limit are the sale's own.
    """

    is_configuration: ClassVar[bool] = True
    parent: ClassVar[str | None] = "sale_id"

    sale_id: UUID
    reward_id: UUID
    # Its place in the sale, from 1.
    position: int
    points: int
    cash_minor: int = 0
    stock: int
    # How many a member may have of a round, what is over not counted (F5); None: any number.
    limit_per_member: int | None = None
    shares: tuple[Share, ...] = ()
    # Withdrawn: no longer offered.
    is_closed: bool = False

    @property
    def is_open(self) -> bool:
        return not self.is_closed

    def companions(self) -> tuple[Want, ...]:
        """Its sale and its reward."""
        return Want(FlashSale, self.sale_id), Want(Reward, self.reward_id)

    def share(self, tier_id: UUID | None) -> Share | None:
        """What is reserved for a tier."""
        return next((share for share in self.shares if share.tier_id == tier_id), None)

    def allotments(self) -> dict[UUID | None, int]:
        """How many units of a round each stock has: the common one first, then shares in the order told."""
        common = self.stock - sum(share.quantity for share in self.shares)
        return {None: common} | {share.tier_id: share.quantity for share in self.shares}


class FlashSaleInvalid(Refusal):
    """Parts of a sale contradict each other. Details: `why`."""

    code = "FLASH_SALE_INVALID"
    text = "The flash sale cannot be so: {why}."


class FlashSaleRunning(Refusal):
    """What a running round stands on is to be changed. Details: `what`, `until`."""

    code = "FLASH_SALE_RUNNING"
    text = "A round is on until {until}, and {what} cannot be changed before; a sale is stopped by isActive: false."


class FlashSaleOff(Refusal):
    """The sale is switched off, or the item was withdrawn. Details: `what`."""

    code = "FLASH_SALE_OFF"
    text = "The {what} is not offered at present."


class NotStarted(Refusal):
    """No round is open for this member yet. Details: `opens_at`, for this member."""

    code = "NOT_STARTED"
    text = "The flash sale opens for this member at {opens_at}."


class RoundSoldOut(SoldOut):
    """Nothing is left for this member. Details: also the `phase` it is in, and when the round `ends_at`."""

    code = "SOLD_OUT"
    text = "Nothing is left; the round is {phase} and ends at {ends_at}. What is not paid in time is left again."


class Ended(Refusal):
    """The sale has no further round."""

    code = "ENDED"
    text = "The flash sale is over: no further round is to come."


@dataclass(frozen=True, slots=True, kw_only=True)
class FlashSaleSaved(Event):
    """A flash sale was made or edited; `item_ids` are what it offers or has withdrawn."""

    sale_id: UUID
    item_ids: tuple[UUID, ...]

    def topics(self) -> tuple[str, ...]:
        """The sale."""
        return (topic(Subject.FLASH_SALE, self.sale_id),)
