"""Tiers in the API."""

from datetime import date, datetime
from typing import Any, Final, Self

import strawberry

from api import access, ids, inputs, payloads, scalars, shapes, terms
from api.context import Context, Info
from api.terms import Terms
from domain import money, policies
from domain.access import Scope
from domain.tiers import standing
from domain.tiers import tier as tiers

shapes.named(standing.TierCause, policies.TierMetric)


async def _terms(parent: strawberry.Parent[tiers.Tier], info: Info) -> Any:
    program = await info.context.loaders.program()
    rule_set = await info.context.loaders.rule_set(program.rule_version)
    return terms.of_tier(parent, program.tier_policy, await terms.naming(info.context, rule_set))


@shapes.shape()
class TierBenefits:
    """What a tier gives beside its factor on earning."""

    discount_bp: scalars.BasisPoints = strawberry.field(description="What the shop takes off a price.")
    birthday_points: scalars.Points
    upgrade_points: scalars.Points = strawberry.field(description="Given on reaching it, once a window.")
    head_start_minutes: int = strawberry.field(description="How much earlier its members may take part in a sale.")
    perks: list[str]


@shapes.shape(tiers.Tier)
class Tier(shapes.Node):
    """A member's standing, reached by the metric of the program's tier policy, which is never spent."""

    name: str
    rank: int = strawberry.field(description="Orders the tiers upwards, from 1 to 100.")
    threshold: scalars.MetricValue = strawberry.field(description="A member that comes to this reaches the tier.")
    keep_threshold: scalars.MetricValue | None = strawberry.field(
        description="What keeps the tier at its end; null: as much as reaches it."
    )
    multiplier_bp: scalars.BasisPoints = strawberry.field(description="The tier's factor on earning.")
    benefits: TierBenefits
    terms: Terms = strawberry.field(resolver=_terms)


def _window_first(parent: strawberry.Parent[standing.TierProgress]) -> date | None:
    return parent.window.first


def _window_last(parent: strawberry.Parent[standing.TierProgress]) -> date:
    return parent.window.last


_PROJECTED: Final = (
    "In force after the tier in force ends, grace included, if nothing more is earned; after one set by hand that is"
    " what is left then of the tier that is earned."
)


@shapes.shape()
class TierProgress:
    """Where a member stands: what counts in the window of today, and how far it is to keep the tier or to rise.

    All of it is about the tier in force, which is the one that staff set by hand as long as there is one.
    """

    metric: scalars.MetricValue
    metric_kind: policies.TierMetric
    window_first: date | None = strawberry.field(
        resolver=_window_first, description="The first local day that counts; null: ever since."
    )
    window_last: date = strawberry.field(resolver=_window_last)
    tier: Tier | None = strawberry.field(description="The tier in force.")
    is_set_by_hand: bool
    next_tier: Tier | None = strawberry.field(description="The lowest tier above the one in force.")
    gap: scalars.MetricValue = strawberry.field(
        description="What is missing to the next tier; 0 if there is none, or it waits for one set by hand to end."
    )
    keep_gap: scalars.MetricValue | None = strawberry.field(
        description="What is missing to keep the tier at its end; null while it is set by hand: nothing keeps it."
    )
    valid_until: datetime | None = strawberry.field(description="The first instant at which the tier is over.")
    grace_until: datetime | None = strawberry.field(description="Until then the tier can still be kept.")
    projected_tier: Tier | None = strawberry.field(description=_PROJECTED)


@shapes.shape()
class TierChange:
    """One step of a member's history of tiers, append-only.

    `tier`, `tierBefore` and `validUntil` are of the tier in force. What is earned under a tier set by hand leaves that
    in force: `earnedTier`, `earnedTierBefore` and `earnedValidUntil` tell of it, and of every other step.
    """

    id: strawberry.ID = shapes.id_field()
    tier: Tier | None = shapes.linked(tiers.Tier, "tier_id")
    tier_before: Tier | None = shapes.linked(tiers.Tier, "tier_id_before")
    cause: standing.TierCause
    metric: scalars.MetricValue = strawberry.field(
        description="What counted then; of steps by hand, in the window of their day."
    )
    valid_until: datetime | None
    earned_tier: Tier | None = shapes.linked(tiers.Tier, "earned_tier_id")
    earned_tier_before: Tier | None = shapes.linked(tiers.Tier, "earned_tier_id_before")
    earned_valid_until: datetime | None
    reason: str | None = access.guarded(access.staff(Scope.MEMBERS_READ), "reason")
    occurred_at: datetime
    recorded_at: datetime
    actor: str = access.guarded(access.staff(Scope.MEMBERS_READ), "actor")


@shapes.shape()
class TierQueries:
    """What can be asked about tiers."""

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def tiers(self, info: Info) -> list[Tier]:
        """Every tier, the lowest first; at most 100."""
        return [shapes.shown(tier) for tier in await info.context.loaders.ladder()]


@shapes.given()
class TierBenefitsInput:
    """What a tier gives beside its factor on earning; what is left out is nothing."""

    discount_bp: scalars.BasisPoints = scalars.BasisPoints(0)
    birthday_points: scalars.Points = scalars.Points(0)
    upgrade_points: scalars.Points = scalars.Points(0)
    head_start_minutes: int = 0
    perks: list[str] | None = inputs.bounded(tiers.PERKS_MAX, default=None)

    def benefits(self) -> tiers.TierBenefits:
        """The benefits for the domain."""
        return tiers.TierBenefits(
            discount_bp=self.discount_bp,
            birthday_points=self.birthday_points,
            upgrade_points=self.upgrade_points,
            head_start_minutes=self.head_start_minutes,
            perks=tuple(self.perks or ()),
        )


@shapes.given()
class TierCreateInput(inputs.RepeatableInput):
    """A tier to add."""

    name: str
    rank: int
    threshold: scalars.MetricValue
    keep_threshold: scalars.MetricValue | None = None
    multiplier_bp: scalars.BasisPoints = scalars.BasisPoints(money.BASIS)
    benefits: TierBenefitsInput | None = None

    def command(self, _: Context) -> tiers.CreateTier:
        """The command for the domain."""
        return tiers.CreateTier(
            name=self.name,
            rank=self.rank,
            threshold=self.threshold,
            keep_threshold=self.keep_threshold,
            multiplier_bp=self.multiplier_bp,
            benefits=tiers.NO_BENEFITS if self.benefits is None else self.benefits.benefits(),
        )


@shapes.given()
class TierUpdateInput(inputs.RepeatableInput):
    """What to change of a tier; what is left out stays. Members keep what they have reached until that ends."""

    tier_id: strawberry.ID
    name: str | None = None
    rank: int | None = None
    threshold: scalars.MetricValue | None = None
    keep_threshold: scalars.MetricValue | None = None
    multiplier_bp: scalars.BasisPoints | None = None
    benefits: TierBenefitsInput | None = None

    def command(self, _: Context) -> tiers.UpdateTier:
        """The command for the domain. Refuses an id that is none of a tier."""
        return tiers.UpdateTier(
            tier_id=ids.require("Tier", self.tier_id, "tierId"),
            name=self.name,
            rank=self.rank,
            threshold=self.threshold,
            keep_threshold=self.keep_threshold,
            multiplier_bp=self.multiplier_bp,
            benefits=None if self.benefits is None else self.benefits.benefits(),
        )


@shapes.shape()
class _TierPayload(payloads.KeyedPayload):
    tier: Tier | None = None

    @classmethod
    def of(cls, tier: tiers.Tier) -> Self:
        """The payload of a tier."""
        return cls(tier=shapes.shown(tier))


@shapes.shape()
class TierCreatePayload(_TierPayload):
    """The new tier."""


@shapes.shape()
class TierUpdatePayload(_TierPayload):
    """The tier as it is now."""


@shapes.shape()
class TierMutations:
    """What can be done with tiers."""

    @access.field(access.staff(Scope.PROGRAM_WRITE))
    async def tier_create(self, info: Info, input: TierCreateInput) -> TierCreatePayload:  # noqa: A002
        """Add a tier. Refuses a name or rank that is taken, and an order that contradicts the ranks."""
        return await payloads.run(info, input, TierCreatePayload)

    @access.field(access.staff(Scope.PROGRAM_WRITE))
    async def tier_update(self, info: Info, input: TierUpdateInput) -> TierUpdatePayload:  # noqa: A002
        """Edit a tier. Every member is looked at again, in the background: who now reaches a higher tier rises."""
        return await payloads.run(info, input, TierUpdatePayload)
