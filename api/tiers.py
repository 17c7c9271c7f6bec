"""Tiers in the API."""

from typing import Self

import strawberry

from api import access, ids, inputs, payloads, scalars, shapes
from api.context import Context, Info
from domain import money, tiers
from domain.access import Scope


@shapes.shape(tiers.Tier)
class Tier(shapes.Node):
    """A member's standing, reached by qualifying points, which are earned and never spent."""

    name: str
    rank: int = strawberry.field(description="Orders the tiers upwards, from 1 to 100.")
    qualifying_points: scalars.Points = strawberry.field(description="A member that comes to this reaches the tier.")
    multiplier_bp: scalars.BasisPoints = strawberry.field(description="The tier's factor on earning.")


@shapes.shape()
class TierQueries:
    """What can be asked about tiers."""

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def tiers(self, info: Info) -> list[Tier]:
        """Every tier, the lowest first; at most 100."""
        return [shapes.shown(tier) for tier in await info.context.loaders.ladder()]


@shapes.given()
class TierCreateInput(inputs.RepeatableInput):
    """A tier to add."""

    name: str
    rank: int
    qualifying_points: scalars.Points
    multiplier_bp: scalars.BasisPoints = scalars.BasisPoints(money.BASIS)

    def command(self, _: Context) -> tiers.CreateTier:
        """The command for the domain."""
        return tiers.CreateTier(
            name=self.name,
            rank=self.rank,
            qualifying_points=self.qualifying_points,
            multiplier_bp=self.multiplier_bp,
        )


@shapes.given()
class TierUpdateInput(inputs.RepeatableInput):
    """What to change of a tier; what is left out stays. Members keep the tier they have reached."""

    tier_id: strawberry.ID
    name: str | None = None
    rank: int | None = None
    qualifying_points: scalars.Points | None = None
    multiplier_bp: scalars.BasisPoints | None = None

    def command(self, _: Context) -> tiers.UpdateTier:
        """The command for the domain. Refuses an id that is none of a tier."""
        return tiers.UpdateTier(
            tier_id=ids.require("Tier", self.tier_id, "tierId"),
            name=self.name,
            rank=self.rank,
            qualifying_points=self.qualifying_points,
            multiplier_bp=self.multiplier_bp,
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
        """Edit a tier."""
        return await payloads.run(info, input, TierUpdatePayload)
