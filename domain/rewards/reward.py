"""Rewards of the mall: what they are and what they cost. Their stock is a row of its own."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain import audiences
from domain.audiences import Audience
from domain.kernel import Event, Refusal, Row

DESCRIPTION_MAX: Final = 2000
QUANTITY_MAX: Final = 1000
CATEGORIES_MAX: Final = 20
PICTURES_MAX: Final = 20
TRANSLATIONS_MAX: Final = 20
PRICES_MAX: Final = 20
LIMITS_MAX: Final = 4
STORES_MAX: Final = 200
PAY_MINUTES_MAX: Final = 60 * 24 * 7


class RewardKind(StrEnum):
    """What a member takes."""

    ITEM = "ITEM"  # something to hold, sent or picked up
    SERVICE = "SERVICE"  # a service or an experience at a store, for its pick-up code
    VOUCHER = "VOUCHER"  # a voucher of a pool, at once
    GIFT_CARD = "GIFT_CARD"  # a card's code, of a pool or sent by the shop
    EVENT = "EVENT"  # entry to an event, for its pick-up code
    TRIAL = "TRIAL"  # a new product to try


class LimitPeriod(StrEnum):
    """Over which span of the program's calendar a limit counts."""

    DAY = "DAY"
    WEEK = "WEEK"  # from Monday
    MONTH = "MONTH"
    YEAR = "YEAR"


class DeliveryKind(StrEnum):
    """How something gets to the member."""

    SHIPPING = "SHIPPING"  # to an address
    PICK_UP = "PICK_UP"  # at a store, for a one-time code


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """Name and description in another language, by its tag (BCP 47), such as `en` or `zh-Hant`."""

    language: str
    name: str
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture at an https address, and what it shows for those who do not see it."""

    url: str
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Another price for one, for some members (S33) or for some time (S34): in `[starts_at, ends_at)`."""

    points: int
    cash_minor: int = 0
    audience: Audience = audiences.EVERYBODY
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodLimit:
    """How many a member may have within a day, week, month or year of the program's calendar."""

    period: LimitPeriod
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward(Row):
    """Something points buy. `points` and `cash_minor` are the price of one; `prices` are better ones for some.

    It is shown in `[visible_from, visible_until)` and may be redeemed in `[starts_at, ends_at)`: two
    different things, so that what comes can be seen before it can be had.
    """

    is_configuration: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("code",)

    code: str
    name: str
    description: str | None = None
    kind: RewardKind = RewardKind.ITEM
    categories: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    translations: tuple[Translation, ...] = ()
    points: int
    cash_minor: int = 0
    # Paid within so many minutes, or it lapses (F3); only where cash is due.
    pay_minutes: int = 15
    prices: tuple[Price, ...] = ()
    audience: Audience = audiences.EVERYBODY
    # Points a member must have earned in all before the reward opens to it (S32).
    unlock_points: int = 0
    # How many a member may have in all, cancelled ones not counted; None: any number.
    limit_per_member: int | None = None
    limits: tuple[PeriodLimit, ...] = ()
    # How many are given out on one local day; None: no bound.
    daily_stock: int | None = None
    # Ways to get it, of which whoever redeems chooses one; none: nothing is to be delivered.
    deliveries: tuple[DeliveryKind, ...] = ()
    # Where it can be had; none: at every store.
    store_ids: tuple[UUID, ...] = ()
    # The pool that its vouchers or gift cards come from.
    pool_id: UUID | None = None
    is_active: bool = True
    visible_from: datetime | None = None
    visible_until: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    created_at: datetime

    def is_visible(self, now: datetime) -> bool:
        """Whether members see it."""
        return self.is_active and is_within(self.visible_from, self.visible_until, now)


def is_within(starts_at: datetime | None, ends_at: datetime | None, now: datetime) -> bool:
    """Whether an instant lies in a half-open window; what is not told has no bound."""
    return (starts_at is None or starts_at <= now) and (ends_at is None or now < ends_at)


class RewardCodeTaken(Refusal):
    """Another reward of the program has this code. Details: `taken`."""

    code = "REWARD_CODE_TAKEN"
    text = "Another reward of this program has the code {taken!r}."


class WindowInvalid(Refusal):
    """A window ends before it starts, or one of its times has no time zone."""

    code = "WINDOW_INVALID"
    text = "A window ends after it starts, and both of its times have a time zone."


class UrlInvalid(Refusal):
    """A picture's address is no https URL. Details: `given`."""

    code = "URL_INVALID"
    text = (
        "A picture's address is an https URL of at most 2,000 characters, all others percent-encoded;"
        " {given!r} is none."
    )


class LanguageInvalid(Refusal):
    """A language has no tag of that shape, or is told twice. Details: `given`."""

    code = "LANGUAGE_INVALID"
    text = "A language is told once, by its tag such as en or zh-Hant; this is {given!r}."


class RewardInvalid(Refusal):
    """Parts of a reward contradict each other. Details: `why`."""

    code = "REWARD_INVALID"
    text = "The reward cannot be so: {why}."


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardSaved(Event):
    """A reward was made or edited."""

    reward_id: UUID
