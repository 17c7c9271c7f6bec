"""Redemptions in the API: a member's taking of a reward, and how it goes on and ends."""

from datetime import datetime
from typing import Final, Self

import strawberry

from api import access, ids, inputs, moneys, payloads, scalars, shapes
from api.context import Context, Info
from api.inputs import MemberRefInput, MoneyInput
from api.members import Member
from api.moneys import Money
from api.rewards.reward import Reward
from api.stores import Store
from domain import members, stores
from domain.access import Scope
from domain.redemptions import delivering, ending, placing
from domain.redemptions import redemption as taking
from domain.rewards import reward as offering
from domain.stores import Channel

shapes.named(taking.RedemptionState, taking.RedemptionOrigin)

_STAFF: Final = access.staff(Scope.MEMBERS_READ)
_WRITES: Final = access.staff(Scope.REDEMPTIONS_WRITE)
_COUNTER: Final = access.staff_or_member(Scope.REDEMPTIONS_WRITE)


@shapes.shape()
class Address:
    """Where something is sent."""

    name: str
    phone: str
    country_code: str
    region: str | None
    city: str
    street: str
    postal_code: str | None


@shapes.shape()
class Delivery:
    """How a redemption gets to its member."""

    kind: offering.DeliveryKind
    address: Address | None
    store: Store | None = shapes.linked(stores.Store, "store_id")


def _state(parent: strawberry.Parent[taking.Redemption], info: Info) -> taking.RedemptionState:
    return parent.state_at(info.context.now)


@shapes.shape(taking.Redemption)
class Redemption(shapes.Node):
    """A member's taking of a reward. Of its quantity, parts may be fulfilled, cancelled and returned."""

    member: Member = shapes.linked(members.Member, "member_id")
    reward: Reward = shapes.linked(offering.Reward, "reward_id")
    quantity: int
    fulfilled: int = strawberry.field(description="How many the member has, or had.")
    cancelled: int
    returned: int = strawberry.field(description="How many of the fulfilled ones came back.")
    points: scalars.Points = strawberry.field(description="What all of it cost.")
    cash: Money = moneys.field("cash_minor", description="What all of it cost in money beside.")
    state: taking.RedemptionState = strawberry.field(resolver=_state)
    pay_by: datetime | None = strawberry.field(description="Before when the money must be paid, where some is due.")
    paid_at: datetime | None
    payment_reference: str | None = access.guarded(_STAFF, "payment_reference")
    delivery: Delivery | None
    pickup_code: str | None = access.veiled(
        access.server_or_member(Scope.MEMBERS_READ),
        "pickup_code",
        description="Shown at a store, once. Null to operators, who are shown it by the member.",
    )
    carrier: str | None
    tracking_number: str | None
    origin: taking.RedemptionOrigin = strawberry.field(description="How the member came to it.")
    channel: Channel
    store: Store | None = shapes.linked(stores.Store, "store_id")
    fulfilled_store: Store | None = shapes.linked(stores.Store, "fulfilled_store_id")
    reason: str | None = strawberry.field(description="Why it was cancelled or returned.")
    placed_at: datetime
    closed_at: datetime | None = strawberry.field(description="When nothing of it was open any more.")
    actor: str = access.guarded(_STAFF, "actor", description="Who placed it.")


@shapes.given()
class AddressInput:
    """Where something is sent. `phone` is in E.164, `countryCode` two letters of ISO 3166."""

    name: str
    phone: str
    country_code: str
    region: str | None = None
    city: str
    street: str
    postal_code: str | None = None

    def address(self) -> taking.Address:
        """The address for the domain."""
        return taking.Address(
            name=self.name,
            phone=self.phone,
            country_code=self.country_code,
            region=self.region,
            city=self.city,
            street=self.street,
            postal_code=self.postal_code,
        )


@shapes.given()
class DeliveryInput:
    """One of the ways that the reward offers: sent to an address, or picked up at a store."""

    kind: offering.DeliveryKind
    address: AddressInput | None = None
    store_id: strawberry.ID | None = None

    def delivery(self) -> taking.Delivery:
        """The delivery for the domain. Refuses an id that is none of a store."""
        return taking.Delivery(
            kind=self.kind,
            address=None if self.address is None else self.address.address(),
            store_id=ids.optional("Store", self.store_id, "delivery.storeId"),
        )


@shapes.given()
class RewardRedeemInput(inputs.KeyedInput):
    """What to redeem, 1 to 1,000 of it. A member leaves `member` out and redeems for itself."""

    member: MemberRefInput | None = None
    reward_id: strawberry.ID
    quantity: int = 1
    channel: Channel = Channel.ONLINE
    store_id: strawberry.ID | None = None
    delivery: DeliveryInput | None = None

    def command(self, context: Context) -> placing.RedeemReward:
        """The command for the domain. Refuses malformed ids."""
        return placing.RedeemReward(
            member=inputs.member(context, self.member),
            reward_id=ids.require("Reward", self.reward_id, "rewardId"),
            quantity=self.quantity,
            channel=self.channel,
            store_id=ids.optional("Store", self.store_id, "storeId"),
            delivery=None if self.delivery is None else self.delivery.delivery(),
        )


@shapes.given()
class RedemptionDeliverInput(inputs.RepeatableInput):
    """How an open redemption is to come, of which nothing is on its way yet. A member chooses for its own."""

    redemption_id: strawberry.ID
    delivery: DeliveryInput

    def command(self, context: Context) -> delivering.ChooseDelivery:
        """The command for the domain. Refuses malformed ids."""
        return delivering.ChooseDelivery(
            redemption_id=ids.require("Redemption", self.redemption_id, "redemptionId"),
            delivery=self.delivery.delivery(),
            member_id=context.caller.member_id,
        )


@shapes.given()
class RedemptionPayInput(inputs.KeyedInput):
    """The money that was due, and the shop's own reference of the payment: the same one pays once."""

    redemption_id: strawberry.ID
    amount: MoneyInput
    reference: str

    def command(self, context: Context) -> ending.PayRedemption:
        """The command for the domain. Refuses an id that is none of a redemption, and another currency."""
        return ending.PayRedemption(
            redemption_id=ids.require("Redemption", self.redemption_id, "redemptionId"),
            amount_minor=self.amount.minor(context, "amount"),
            currency_code=self.amount.currency_code,
            reference=self.reference,
        )


@shapes.given()
class RedemptionCancelInput(inputs.KeyedInput):
    """What to cancel, all that is open or so many, and why (at most 500 characters). A member cancels its own."""

    redemption_id: strawberry.ID
    reason: str
    quantity: int | None = None

    def command(self, context: Context) -> ending.CancelRedemption:
        """The command for the domain. Refuses an id that is none of a redemption."""
        caller = context.caller
        return ending.CancelRedemption(
            redemption_id=ids.require("Redemption", self.redemption_id, "redemptionId"),
            reason=self.reason,
            quantity=self.quantity,
            member_id=caller.member_id,
        )


@shapes.given()
class RedemptionReturnInput(inputs.KeyedInput):
    """What came back, all that the member had or so many, and why. `isRestocked` puts it on the shelf again."""

    redemption_id: strawberry.ID
    reason: str
    quantity: int | None = None
    is_restocked: bool = True

    def command(self, _: Context) -> ending.ReturnRedemption:
        """The command for the domain. Refuses an id that is none of a redemption."""
        return ending.ReturnRedemption(
            redemption_id=ids.require("Redemption", self.redemption_id, "redemptionId"),
            reason=self.reason,
            quantity=self.quantity,
            is_restocked=self.is_restocked,
        )


@shapes.given()
class RedemptionFulfillInput(inputs.RepeatableInput):
    """What the member has now, all that is open or so many, and how it was sent."""

    redemption_id: strawberry.ID
    quantity: int | None = None
    carrier: str | None = None
    tracking_number: str | None = None

    def command(self, _: Context) -> ending.FulfillRedemption:
        """The command for the domain. Refuses an id that is none of a redemption."""
        return ending.FulfillRedemption(
            redemption_id=ids.require("Redemption", self.redemption_id, "redemptionId"),
            quantity=self.quantity,
            carrier=self.carrier,
            tracking_number=self.tracking_number,
        )


@shapes.given()
class RedemptionPickUpInput(inputs.RepeatableInput):
    """The code that a member shows, and the store it is shown at."""

    pickup_code: str
    store_id: strawberry.ID

    def command(self, _: Context) -> ending.PickUpRedemption:
        """The command for the domain. Refuses an id that is none of a store."""
        store_id = ids.require("Store", self.store_id, "storeId")
        return ending.PickUpRedemption(pickup_code=self.pickup_code, store_id=store_id)


@shapes.shape()
class _RedemptionPayload(payloads.KeyedPayload):
    redemption: Redemption | None = None
    member: Member | None = None

    @classmethod
    def of(cls, redeemed: taking.Redeemed) -> Self:
        """The payload of a redemption."""
        return cls(redemption=shapes.shown(redeemed.redemption), member=shapes.shown(redeemed.account))


@shapes.shape()
class RewardRedeemPayload(_RedemptionPayload):
    """The redemption, and the member after it."""


@shapes.shape()
class RedemptionDeliverPayload(_RedemptionPayload):
    """The redemption with its delivery, and the member after it."""


@shapes.shape()
class RedemptionPayPayload(_RedemptionPayload):
    """The redemption, paid, and the member after it."""

    is_repeat: bool = payloads.repeat("this payment was told")

    @classmethod
    def of(cls, redeemed: taking.Redeemed) -> Self:
        """The payload of a payment."""
        payload = super().of(redeemed)
        payload.is_repeat = redeemed.is_repeat
        return payload


@shapes.shape()
class RedemptionFulfillPayload(_RedemptionPayload):
    """The redemption, and its member."""


@shapes.shape()
class RedemptionPickUpPayload(_RedemptionPayload):
    """The redemption that was handed out, and its member."""


@shapes.shape()
class _BackPayload(_RedemptionPayload):
    points_returned: scalars.Points | None = strawberry.field(default=None, description="To their lots.")
    points_replaced: scalars.Points | None = strawberry.field(default=None, description="With a new expiry.")
    points_forfeited: scalars.Points | None = strawberry.field(default=None, description="They had expired meanwhile.")
    cash_minor: strawberry.Private[int] = 0
    refundable: Money = moneys.field("cash_minor", description="What the shop owes the member in money.")

    @classmethod
    def of(cls, redeemed: taking.Redeemed) -> Self:
        """The payload of what came back."""
        payload = super().of(redeemed)
        payload.points_returned = scalars.Points(redeemed.points_returned)
        payload.points_replaced = scalars.Points(redeemed.points_replaced)
        payload.points_forfeited = scalars.Points(redeemed.points_forfeited)
        payload.cash_minor = redeemed.cash_minor
        return payload


@shapes.shape()
class RedemptionCancelPayload(_BackPayload):
    """The redemption, the member after it, and how the points came back."""


@shapes.shape()
class RedemptionReturnPayload(_BackPayload):
    """The redemption, the member after it, and how the points came back."""


@shapes.shape()
class RedemptionMutations:
    """What can be done with redemptions."""

    @access.field(_COUNTER)
    async def reward_redeem(self, info: Info, input: RewardRedeemInput) -> RewardRedeemPayload:  # noqa: A002
        """Take a reward: spend its points, or hold them while money is due, and take it from stock, in one step."""
        return await payloads.run(info, input, RewardRedeemPayload)

    @access.field(_COUNTER)
    async def redemption_deliver(self, info: Info, input: RedemptionDeliverInput) -> RedemptionDeliverPayload:  # noqa: A002
        """Choose how an open redemption comes: what was won waits for this."""
        return await payloads.run(info, input, RedemptionDeliverPayload)

    @access.field(_WRITES)
    async def redemption_pay(self, info: Info, input: RedemptionPayInput) -> RedemptionPayPayload:  # noqa: A002
        """Say that the money was paid, in time: the held points are spent. Refuses another amount than is due."""
        return await payloads.run(info, input, RedemptionPayPayload)

    @access.field(_COUNTER)
    async def redemption_cancel(self, info: Info, input: RedemptionCancelInput) -> RedemptionCancelPayload:  # noqa: A002
        """Cancel what is open of a redemption: its points come back, once, and the stock with them."""
        return await payloads.run(info, input, RedemptionCancelPayload)

    @access.field(_WRITES)
    async def redemption_fulfill(self, info: Info, input: RedemptionFulfillInput) -> RedemptionFulfillPayload:  # noqa: A002
        """Say that the member has the reward, or a part of it."""
        return await payloads.run(info, input, RedemptionFulfillPayload)

    @access.field(_WRITES)
    async def redemption_pick_up(self, info: Info, input: RedemptionPickUpInput) -> RedemptionPickUpPayload:  # noqa: A002
        """Hand out what a pick-up code is good for, at a store and once."""
        return await payloads.run(info, input, RedemptionPickUpPayload)

    @access.field(_WRITES)
    async def redemption_return(self, info: Info, input: RedemptionReturnInput) -> RedemptionReturnPayload:  # noqa: A002
        """Take back what the member had: its points come back, to the lots they came from."""
        return await payloads.run(info, input, RedemptionReturnPayload)
