"""Earning rules and campaigns: what gives points, to whom, when and how many, as data."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain import audiences, money, schedules
from domain.audiences import Audience
from domain.policies import ExpiryPolicy, PendingPolicy
from domain.schedules import Schedule
from domain.stores import Channel

RULES_MAX: Final = 1000
CAMPAIGNS_MAX: Final = 200
# Hundredfold: beyond any campaign seen in the field, and a typing error rather than an offer.
MULTIPLIER_BP_MAX: Final = 1_000_000


class Trigger(StrEnum):
    """What a rule waits for."""

    PURCHASE = "PURCHASE"  # a purchase, each time
    FIRST_PURCHASE = "FIRST_PURCHASE"  # the member's first purchase
    ENROLLMENT = "ENROLLMENT"  # a person becomes a member
    ACTIVITY = "ACTIVITY"  # the shop reports an activity of the rule's type
    CHECK_IN = "CHECK_IN"  # the member signs in for the day
    REFERRAL = "REFERRAL"  # a friend whom the member brought qualifies
    REFERRED = "REFERRED"  # the member, whom a friend brought, qualifies
    SHARE = "SHARE"  # enough people came by a link that the member shared
    BIRTHDAY = "BIRTHDAY"  # the member's birthday, once a year
    MEMBER_DAY = "MEMBER_DAY"  # each day of the rule's schedule, given by the clock
    TIER_REACHED = "TIER_REACHED"  # the member reaches a tier, once a tier and window (K5)
    CHALLENGE = "CHALLENGE"  # the member completes a challenge, each time it is rewarded
    QUIZ = "QUIZ"  # the member answers a quiz, each attempt


class EarningKind(StrEnum):
    """What a rule gives."""

    PER_AMOUNT = "PER_AMOUNT"  # `points` for every `amount_minor` of the basis, times all multipliers
    BONUS_AT = "BONUS_AT"  # `points` once when the basis reaches `amount_minor`
    FIXED = "FIXED"  # `points`, once for each time the trigger happens
    MULTIPLIER = "MULTIPLIER"  # what PER_AMOUNT and TIERED rules give on the same lines, times `multiplier_bp`
    TIERED = "TIERED"  # by `bands` of the amount, times all multipliers


# What gives points on an amount; only these are multiplied, and only for purchases.
PROPORTIONAL: Final = frozenset({EarningKind.PER_AMOUNT, EarningKind.TIERED})
OF_PURCHASES: Final = frozenset({Trigger.PURCHASE, Trigger.FIRST_PURCHASE})
# What the program's own clock gives, once a day: for the day as a whole, at no hour, in no store, through no channel.
BY_THE_CLOCK: Final = frozenset({Trigger.BIRTHDAY, Trigger.MEMBER_DAY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """From `from_minor` of the amount on: `points` for every `amount_minor`."""

    from_minor: int
    points: int
    amount_minor: int


class Period(StrEnum):
    """A stretch of the program's local calendar (L13)."""

    DAY = "DAY"
    WEEK = "WEEK"  # of ISO 8601, from Monday
    MONTH = "MONTH"
    YEAR = "YEAR"
    LIFETIME = "LIFETIME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most `points`, and at most `times`, for one member by one rule in a period (L13)."""

    period: Period
    points: int | None = None
    times: int | None = None


class CapPolicy(StrEnum):
    """What a cap or a budget does with what is too much (L13)."""

    REDUCE = "REDUCE"  # gives what is left
    REJECT = "REJECT"  # gives nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordinal:
    """Which purchase of a period: the `number`-th; with `repeats`, every `number`-th; with `onwards`, from it on."""

    number: int
    period: Period = Period.LIFETIME
    repeats: bool = False
    onwards: bool = False


class Anniversary(StrEnum):
    """A yearly occasion of the member's own."""

    BIRTHDAY = "BIRTHDAY"  # on the day itself
    BIRTHDAY_WEEK = "BIRTHDAY_WEEK"  # in the ISO week of the birthday
    BIRTHDAY_MONTH = "BIRTHDAY_MONTH"  # in the month of the birthday
    ENROLLMENT = "ENROLLMENT"  # on the day of the year on which the member joined, from the first year on


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What must hold. What is not told is not asked; lists name alternatives.

    Products and categories choose the lines that count; amounts and quantities are of those lines. `new_for_days`
    asks that the member joined at most so many local days ago.
    """

    maximum_minor: int | None = None
    quantity_min: int | None = None
    products: tuple[str, ...] = ()
    without_products: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    without_categories: tuple[str, ...] = ()
    stores: tuple[UUID, ...] = ()
    without_stores: tuple[UUID, ...] = ()
    channels: tuple[Channel, ...] = ()
    audience: Audience = audiences.EVERYBODY
    new_for_days: int | None = None
    ordinal: Ordinal | None = None
    anniversary: Anniversary | None = None
    schedule: Schedule = schedules.ALWAYS


NONE: Final = Conditions()


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningRule:
    """One rule of a program: data, so that it can be kept in versions, explained and published.

    The basis is what was paid for goods, net of vouchers and points (L6); `includes_freight` adds the freight to it.
    Below `minimum_minor` the rule gives nothing. Of the rules with one `exclusive_group` that apply, the one with the
    highest priority gives, else the one that gives more, else the first by code; rules without a group all give.
    Caps and budgets leave their room to rules of higher priority first. `pending` and `expiry` replace the program's
    policies for what the rule gives. `version` is the version of the rule set in which the rule was last changed.
    """

    code: str
    kind: EarningKind
    points: int = 0
    amount_minor: int = 0
    includes_freight: bool = False
    minimum_minor: int = 0
    name: str | None = None
    trigger: Trigger = Trigger.PURCHASE
    activity_type: str | None = None
    multiplier_bp: int = money.BASIS
    bands: tuple[Band, ...] = ()
    # A band's rate is for the part of the amount within it; if not, the highest band reached is for all of it.
    bands_are_marginal: bool = True
    when: Conditions = NONE
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    campaign: str | None = None
    pending: PendingPolicy | None = None
    expiry: ExpiryPolicy | None = None
    caps: tuple[Cap, ...] = ()
    cap_policy: CapPolicy = CapPolicy.REDUCE
    priority: int = 0
    exclusive_group: str | None = None
    version: int = 1


ONE_POINT_A_UNIT: Final = (EarningRule(code="base", kind=EarningKind.PER_AMOUNT, points=1, amount_minor=100),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A dated frame that switches rules on: from `starts_at` to `ends_at`, half-open, on the days of a schedule.

    `budget` bounds the points that all its rules give together. A public campaign is shown in the calendar of
    what is coming.
    """

    code: str
    name: str
    starts_at: datetime
    ends_at: datetime
    description: str | None = None
    schedule: Schedule = schedules.ALWAYS
    audience: Audience = audiences.EVERYBODY
    budget: int | None = None
    is_public: bool = True
    version: int = 1
