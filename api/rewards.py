"""Rewards of the mall and redemptions in the API."""

from datetime import datetime
from typing import Any, Final, Self

import strawberry

from api import access, connections, ids, inputs, payloads, scalars, shapes
from api.connections import Connection
from api.context import Context, Info
from api.inputs import MemberRefInput
from api.members import Member
from api.stores import Store
from domain import members, redemptions, rewards, stores
from domain.access import Scope
from domain.stores import Channel
from persistence import rewards as stored

shapes.named(redemptions.RedemptionState)

_STAFF: Final = access.staff(Scope.MEMBERS_READ)
_WRITES: Final = access.staff(Scope.REWARDS_WRITE)
_COUNTER: Final = access.staff_or_member(Scope.REDEMPTIONS_WRITE)


async def _stock(parent: strawberry.Parent[rewards.Reward], info: Info) -> Any:
    stock = await info.context.loaders.row(rewards.RewardStock, parent.id)
    return None if stock is None else stock.left


@shapes.shape(rewards.Reward)
class Reward(shapes.Node):
    """Something points buy. It may be redeemed while it is active, from `startsAt` until before `endsAt`."""

    code: str = strawberry.field(description="The shop's own name for it, unique in the program.")
    name: str
    description: str | None
    points: scalars.Points = strawberry.field(description="The price of one.")
    stock: int | None = strawberry.field(resolver=_stock, description="How many are left; null for no end.")
    limit_per_member: int | None
    is_active: bool
    starts_at: datetime | None
    ends_at: datetime | None


@shapes.shape(redemptions.Redemption)
class Redemption(shapes.Node):
    """A member's taking of a reward."""

    member: Member = shapes.linked(members.Member, "member_id")
    reward: Reward = shapes.linked(rewards.Reward, "reward_id")
    quantity: int
    points: scalars.Points = strawberry.field(description="What all of it cost.")
    state: redemptions.RedemptionState
    channel: Channel
    store: Store | None = shapes.linked(stores.Store, "store_id")
    reason: str | None = strawberry.field(description="Why it was cancelled.")
    placed_at: datetime
    closed_at: datetime | None = strawberry.field(description="When it was fulfilled or cancelled.")
    actor: str = access.guarded(_STAFF, "actor", description="Who placed it.")


@shapes.shape()
class RewardQueries:
    """What can be asked about rewards."""

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def rewards(
        self,
        info: Info,
        is_active: bool | None = None,  # noqa: FBT001 - GraphQL names every argument
        first: int = connections.FIRST_DEFAULT,
        after: str | None = None,
    ) -> Connection[Reward]:
        """Rewards, the oldest first. Whoever is not staff sees the active ones only."""
        part = connections.asked(info.context, stored.KEYSET, first, after)
        caller = info.context.caller
        if not caller.is_staff and is_active is False:
            return connections.page([], stored.KEYSET, part)
        which = is_active if caller.is_staff else True
        found = await stored.page(caller.program_id, part, is_active=which)
        return connections.page(found, stored.KEYSET, part)


@shapes.given()
class RewardCreateInput(inputs.RepeatableInput):
    """A reward to put into the mall. Without `stock` there is no end of it."""

    code: str
    name: str
    points: scalars.Points
    description: str | None = None
    stock: int | None = None
    limit_per_member: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def command(self, _: Context) -> rewards.CreateReward:
        """The command for the domain."""
        return rewards.CreateReward(
            code=self.code,
            name=self.name,
            points=self.points,
            description=self.description,
            stock=self.stock,
            limit_per_member=self.limit_per_member,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )


@shapes.given()
class RewardUpdateInput(inputs.RepeatableInput):
    """What to change of a reward; what is left out stays. `stock` sets what is left; `isUnlimited` lifts the bound."""

    reward_id: strawberry.ID
    name: str | None = None
    points: scalars.Points | None = None
    description: str | None = None
    stock: int | None = None
    is_unlimited: bool = False
    limit_per_member: int | None = None
    is_active: bool | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def command(self, _: Context) -> rewards.UpdateReward:
        """The command for the domain. Refuses an id that is none of a reward."""
        return rewards.UpdateReward(
            reward_id=ids.require("Reward", self.reward_id, "rewardId"),
            name=self.name,
            points=self.points,
            description=self.description,
            stock=self.stock,
            is_unlimited=self.is_unlimited,
            limit_per_member=self.limit_per_member,
            is_active=self.is_active,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )


@shapes.given()
class RewardRedeemInput(inputs.KeyedInput):
    """What to redeem, 1 to 1,000 of it. A member leaves `member` out and redeems for itself."""

    member: MemberRefInput | None = None
    reward_id: strawberry.ID
    quantity: int = 1
    channel: Channel = Channel.ONLINE
    store_id: strawberry.ID | None = None

    def command(self, context: Context) -> redemptions.RedeemReward:
        """The command for the domain. Refuses malformed ids."""
        return redemptions.RedeemReward(
            member=inputs.member(context, self.member),
            reward_id=ids.require("Reward", self.reward_id, "rewardId"),
            quantity=self.quantity,
            channel=self.channel,
            store_id=ids.optional("Store", self.store_id, "storeId"),
        )


@shapes.given()
class RedemptionCancelInput(inputs.KeyedInput):
    """What to cancel, and why (at most 500 characters). A member cancels its own."""

    redemption_id: strawberry.ID
    reason: str

    def command(self, context: Context) -> redemptions.CancelRedemption:
        """The command for the domain. Refuses an id that is none of a redemption."""
        caller = context.caller
        return redemptions.CancelRedemption(
            redemption_id=ids.require("Redemption", self.redemption_id, "redemptionId"),
            reason=self.reason,
            member_id=caller.id if caller.is_member else None,
        )


@shapes.given()
class RedemptionFulfillInput(inputs.RepeatableInput):
    """What the member has now."""

    redemption_id: strawberry.ID

    def command(self, _: Context) -> redemptions.FulfillRedemption:
        """The command for the domain. Refuses an id that is none of a redemption."""
        redemption_id = ids.require("Redemption", self.redemption_id, "redemptionId")
        return redemptions.FulfillRedemption(redemption_id=redemption_id)


@shapes.shape()
class _RewardPayload(payloads.KeyedPayload):
    reward: Reward | None = None

    @classmethod
    def of(cls, stocked: rewards.Stocked) -> Self:
        """The payload of a reward."""
        return cls(reward=shapes.shown(stocked.reward))


@shapes.shape()
class RewardCreatePayload(_RewardPayload):
    """The new reward."""


@shapes.shape()
class RewardUpdatePayload(_RewardPayload):
    """The reward as it is now."""


@shapes.shape()
class _RedemptionPayload(payloads.KeyedPayload):
    redemption: Redemption | None = None
    member: Member | None = None

    @classmethod
    def of(cls, redeemed: redemptions.Redeemed) -> Self:
        """The payload of a redemption."""
        return cls(redemption=shapes.shown(redeemed.redemption), member=shapes.shown(redeemed.account))


@shapes.shape()
class RewardRedeemPayload(_RedemptionPayload):
    """The redemption, and the member after it."""


@shapes.shape()
class RedemptionFulfillPayload(_RedemptionPayload):
    """The redemption, and its member."""


@shapes.shape()
class RedemptionCancelPayload(_RedemptionPayload):
    """The redemption, the member after it, and how the points came back."""

    points_returned: scalars.Points | None = strawberry.field(default=None, description="To their lots.")
    points_replaced: scalars.Points | None = strawberry.field(default=None, description="With a new expiry.")
    points_forfeited: scalars.Points | None = strawberry.field(default=None, description="They had expired meanwhile.")

    @classmethod
    def of(cls, redeemed: redemptions.Redeemed) -> Self:
        """The payload of a cancellation."""
        return cls(
            redemption=shapes.shown(redeemed.redemption),
            member=shapes.shown(redeemed.account),
            points_returned=scalars.Points(redeemed.points_returned),
            points_replaced=scalars.Points(redeemed.points_replaced),
            points_forfeited=scalars.Points(redeemed.points_forfeited),
        )


@shapes.shape()
class RewardMutations:
    """What can be done with rewards and redemptions."""

    @access.field(_WRITES)
    async def reward_create(self, info: Info, input: RewardCreateInput) -> RewardCreatePayload:  # noqa: A002
        """Put a reward into the mall. Refuses a code that is taken."""
        return await payloads.run(info, input, RewardCreatePayload)

    @access.field(_WRITES)
    async def reward_update(self, info: Info, input: RewardUpdateInput) -> RewardUpdatePayload:  # noqa: A002
        """Edit a reward, or its stock."""
        return await payloads.run(info, input, RewardUpdatePayload)

    @access.field(_COUNTER)
    async def reward_redeem(self, info: Info, input: RewardRedeemInput) -> RewardRedeemPayload:  # noqa: A002
        """Spend points on a reward and take it from stock, in one step."""
        return await payloads.run(info, input, RewardRedeemPayload)

    @access.field(_COUNTER)
    async def redemption_cancel(self, info: Info, input: RedemptionCancelInput) -> RedemptionCancelPayload:  # noqa: A002
        """Cancel a placed redemption: its points come back, once, and the stock with them."""
        return await payloads.run(info, input, RedemptionCancelPayload)

    @access.field(access.staff(Scope.REDEMPTIONS_WRITE))
    async def redemption_fulfill(self, info: Info, input: RedemptionFulfillInput) -> RedemptionFulfillPayload:  # noqa: A002
        """Say that the member has the reward."""
        return await payloads.run(info, input, RedemptionFulfillPayload)
