"""When points may be spent and how long they last: a program's policies, which a rule may replace for what it gives."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from domain import calendars, checks
from domain.kernel import Refusal


class PendingKind(StrEnum):
    """When earned points may be spent (L3)."""

    IMMEDIATE = "IMMEDIATE"  # at once
    AFTER = "AFTER"  # a number of days after the purchase
    ON_EVENT = "ON_EVENT"  # when the shop says that the order was received
    ON_DATE = "ON_DATE"  # at the start of a local date


@dataclass(frozen=True, slots=True)
class PendingPolicy:
    """How long earned points are pending: `days` with AFTER, `on_date` with ON_DATE."""

    kind: PendingKind = PendingKind.IMMEDIATE
    days: int | None = None
    on_date: date | None = None


class ExpiryKind(StrEnum):
    """When points expire (L5), in the program's time zone, the last local day inclusive."""

    NEVER = "NEVER"
    FIXED_DATE = "FIXED_DATE"  # after the local date `on_date`
    DAYS = "DAYS"  # after `count` days
    END_OF_MONTH = "END_OF_MONTH"  # with the month that is `count` months later
    END_OF_QUARTER = "END_OF_QUARTER"  # with the quarter that is `count` quarters later
    END_OF_YEAR = "END_OF_YEAR"  # with the year that is `count` years later
    INACTIVITY = "INACTIVITY"  # after `count` days in which the member neither earned nor spent


@dataclass(frozen=True, slots=True)
class ExpiryPolicy:
    """How long points last. `count` is 1 to 3,650 with DAYS and INACTIVITY, 0 to 120 periods with END_OF_*."""

    kind: ExpiryKind = ExpiryKind.NEVER
    count: int | None = None
    on_date: date | None = None


AT_ONCE: Final = PendingPolicy()
FOR_EVER: Final = ExpiryPolicy()


class PolicyInvalid(Refusal):
    """A policy lacks the number or date that its kind needs."""

    code = "POLICY_INVALID"
    text = "A policy of kind {kind} needs {needs}."


def check_pending(policy: PendingPolicy) -> None:
    """Refuses `PolicyInvalid` or `NumberInvalid`."""
    if policy.kind is PendingKind.AFTER and policy.days is None:
        raise PolicyInvalid(field=("pending",), kind=policy.kind, needs="a number of days")
    if policy.kind is PendingKind.ON_DATE and policy.on_date is None:
        raise PolicyInvalid(field=("pending",), kind=policy.kind, needs="a date")
    if policy.days is not None:
        checks.number("pending.days", policy.days, minimum=1, maximum=3650)


def check_expiry(policy: ExpiryPolicy) -> None:
    """Refuses `PolicyInvalid` or `NumberInvalid`."""
    if policy.kind is ExpiryKind.NEVER:
        return
    if policy.kind is ExpiryKind.FIXED_DATE:
        if policy.on_date is None:
            raise PolicyInvalid(field=("expiry",), kind=policy.kind, needs="a date")
        return
    if policy.count is None:
        raise PolicyInvalid(field=("expiry",), kind=policy.kind, needs="a count")
    if policy.kind in (ExpiryKind.DAYS, ExpiryKind.INACTIVITY):
        checks.number("expiry.count", policy.count, minimum=1, maximum=3650)
    else:
        checks.number("expiry.count", policy.count, minimum=0, maximum=120)


def available_at(policy: PendingPolicy, occurred_at: datetime, zone_name: str) -> datetime | None:
    """When points earned at `occurred_at` may be spent; None until the shop says so (L3)."""
    if policy.kind is PendingKind.ON_EVENT:
        return None
    if policy.kind is PendingKind.AFTER and policy.days is not None:
        return occurred_at + timedelta(days=policy.days)
    if policy.kind is PendingKind.ON_DATE and policy.on_date is not None:
        is_past = policy.on_date <= calendars.local_date(occurred_at, zone_name)
        return occurred_at if is_past else calendars.start_of(policy.on_date, zone_name)
    return occurred_at


def expires_at(policy: ExpiryPolicy, occurred_at: datetime, zone_name: str) -> datetime | None:
    """The first instant at which points earned at `occurred_at` no longer count; None if no date says so (L5)."""
    day = calendars.local_date(occurred_at, zone_name)
    count = policy.count or 0
    match policy.kind:
        case ExpiryKind.NEVER | ExpiryKind.INACTIVITY:
            return None
        case ExpiryKind.FIXED_DATE:
            assert policy.on_date is not None, "check_expiry holds this"
            if policy.on_date == date.max:
                return None  # 9999-12-31, as some write "never"; no calendar has the instant after it.
            last = policy.on_date
        case ExpiryKind.DAYS:
            last = day + timedelta(days=count)
        case ExpiryKind.END_OF_MONTH:
            last = calendars.end_of_month(day, count)
        case ExpiryKind.END_OF_QUARTER:
            last = calendars.end_of_quarter(day, count)
        case ExpiryKind.END_OF_YEAR:
            last = calendars.end_of_year(day, count)
    return calendars.end_of(last, zone_name)


def can_be_spent(pending: PendingPolicy, expiry: ExpiryPolicy, days: Iterable[date], zone_name: str) -> bool:
    """Whether points earned on some of these local days can be spent before they expire."""
    return any(_lasts(pending, expiry, calendars.start_of(day, zone_name), zone_name) for day in days)


def _lasts(pending: PendingPolicy, expiry: ExpiryPolicy, occurred_at: datetime, zone_name: str) -> bool:
    opens, closes = available_at(pending, occurred_at, zone_name), expires_at(expiry, occurred_at, zone_name)
    # What waits for an event may open at any time.
    return closes is None or max(opens or occurred_at, occurred_at) < closes


class TierMetric(StrEnum):
    """What members qualify for tiers by: never spent, lowered only by refunds (K1)."""

    QUALIFYING_POINTS = "QUALIFYING_POINTS"  # points earned and available
    NET_SPEND = "NET_SPEND"  # money paid for goods, in minor units, refunds taken off
    PURCHASES = "PURCHASES"  # purchases, without those refunded as a whole


class TierWindow(StrEnum):
    """Over which time the metric counts (K2), in local days."""

    LIFETIME = "LIFETIME"  # ever; a tier once reached is kept
    CALENDAR_YEAR = "CALENDAR_YEAR"  # from the 1st of January
    ROLLING = "ROLLING"  # the last `months` months
    ANNIVERSARY = "ANNIVERSARY"  # from the day of the year on which the member joined


class Downgrade(StrEnum):
    """What becomes of a tier that was not kept (K3)."""

    NONE = "NONE"  # it stays
    ONE_LEVEL = "ONE_LEVEL"  # the next lower tier
    FULL = "FULL"  # the tier that the metric of the window reaches or keeps


@dataclass(frozen=True, slots=True, kw_only=True)
class TierPolicy:
    """How tiers are reached, last and are lost (K1 to K3).

    `months` is 1 to 120 with ROLLING. A tier lasts to the end of the window in which it was reached and one window
    more, or `validity_days` (1 to 3,650) local days. `grace_days` (0 to 366) follow, in which it can still be kept,
    unless the program takes no tier away.
    """

    metric: TierMetric = TierMetric.QUALIFYING_POINTS
    window: TierWindow = TierWindow.LIFETIME
    months: int | None = None
    validity_days: int | None = None
    downgrade: Downgrade = Downgrade.NONE
    grace_days: int = 0


TIERS_FOR_LIFE: Final = TierPolicy()


def check_tiers(policy: TierPolicy) -> None:
    """Refuses `PolicyInvalid` or `NumberInvalid`."""
    if policy.window is TierWindow.ROLLING and policy.months is None:
        raise PolicyInvalid(field=("tierPolicy",), kind=policy.window, needs="a number of months")
    if policy.months is not None:
        checks.number("tierPolicy.months", policy.months, minimum=1, maximum=120)
    if policy.validity_days is not None:
        checks.number("tierPolicy.validityDays", policy.validity_days, minimum=1, maximum=3650)
    checks.number("tierPolicy.graceDays", policy.grace_days, minimum=0, maximum=366)
