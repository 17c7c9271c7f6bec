"""Policies in the API: when points may be spent, how long they last, and how tiers are kept."""

from datetime import date

import strawberry

from api import shapes
from domain import policies

shapes.named(
    policies.Downgrade,
    policies.ExpiryKind,
    policies.PendingKind,
    policies.TierWindow,
)


@shapes.shape()
class PendingPolicy:
    """When earned points may be spent: `days` with AFTER, `onDate` with ON_DATE."""

    kind: policies.PendingKind
    days: int | None
    on_date: date | None


@shapes.shape()
class ExpiryPolicy:
    """When points expire, the last local day inclusive: `count` days or periods, or `onDate` with FIXED_DATE."""

    kind: policies.ExpiryKind
    count: int | None
    on_date: date | None


@shapes.shape()
class TierPolicy:
    """How tiers are reached, last and are lost.

    A tier lasts to the end of the window in which it was reached and one window more, or `validityDays` local days.
    """

    metric: policies.TierMetric
    window: policies.TierWindow
    months: int | None = strawberry.field(description="How long a ROLLING window is.")
    validity_days: int | None
    downgrade: policies.Downgrade
    grace_days: int = strawberry.field(description="Days after its end in which a tier can still be kept.")


@shapes.given()
class PendingPolicyInput:
    """When earned points may be spent: `days` (1 to 3,650) with AFTER, `onDate` with ON_DATE."""

    kind: policies.PendingKind
    days: int | None = None
    on_date: date | None = None

    def policy(self) -> policies.PendingPolicy:
        """The policy for the domain."""
        return policies.PendingPolicy(kind=self.kind, days=self.days, on_date=self.on_date)


@shapes.given()
class ExpiryPolicyInput:
    """When points expire: `count` days (1 to 3,650) or periods (0 to 120), or `onDate` with FIXED_DATE."""

    kind: policies.ExpiryKind
    count: int | None = None
    on_date: date | None = None

    def policy(self) -> policies.ExpiryPolicy:
        """The policy for the domain."""
        return policies.ExpiryPolicy(kind=self.kind, count=self.count, on_date=self.on_date)


@shapes.given()
class TierPolicyInput:
    """How tiers are reached, last and are lost: `months` (1 to 120) with ROLLING; `graceDays` 0 to 366."""

    metric: policies.TierMetric = policies.TierMetric.QUALIFYING_POINTS
    window: policies.TierWindow = policies.TierWindow.LIFETIME
    months: int | None = None
    validity_days: int | None = None
    downgrade: policies.Downgrade = policies.Downgrade.NONE
    grace_days: int = 0

    def policy(self) -> policies.TierPolicy:
        """The policy for the domain."""
        return policies.TierPolicy(
            metric=self.metric,
            window=self.window,
            months=self.months,
            validity_days=self.validity_days,
            downgrade=self.downgrade,
            grace_days=self.grace_days,
        )
