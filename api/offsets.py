"""Points as money: how a program takes them, and how they are held for an order."""

from datetime import datetime
from typing import Any, Final, Self

import strawberry

from api import access, ids, inputs, moneys, payloads, scalars, shapes
from api.context import Context, Info
from api.inputs import MoneyInput
from api.members import Member
from api.moneys import Money
from api.points.account import Hold
from api.quotes import QuoteInvalid
from api.stores import Store
from domain import members, offsets, stores
from domain.access import Scope
from domain.members import MemberRef
from domain.points import account
from domain.stores import Channel
from persistence import offsets as stored

_HOLDS: Final = access.staff_or_member(Scope.POINTS_WRITE)


@shapes.shape()
class OffsetPolicy:
    """How points are used as money: so many an order, of a part of its goods, in steps and from a minimum on."""

    is_active: bool
    points_max: scalars.Points | None = strawberry.field(description="Of one order; null for no bound.")
    percent_bp: scalars.BasisPoints = strawberry.field(description="The part of the goods that points may pay.")
    step: scalars.Points
    minimum: scalars.Points
    leaves: Money = moneys.field("leaves_minor", description="What is left to be paid in money at least.")
    quote_minutes: int = strawberry.field(description="How long a quote is good.")


@shapes.shape(offsets.PointsOffset)
class PointsOffset(shapes.Node):
    """Points held as money for one order. When the order is recorded they are spent; else they come back."""

    member: Member = shapes.linked(members.Member, "member_id")
    hold: Hold = shapes.linked(account.Hold, "hold_id")
    points: scalars.Points
    amount: Money = moneys.field("amount_minor", description="What the points are worth.")
    reference: str | None = strawberry.field(description="The number of its order, where the quote told one.")
    store: Store | None = shapes.linked(stores.Store, "store_id")
    channel: Channel | None
    held_at: datetime
    lapses_at: datetime


@shapes.shape()
class OffsetQueries:
    """What can be asked about points as money."""

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def offset_policy(self, info: Info) -> OffsetPolicy:
        """How points are used as money in the program."""
        return shapes.as_shape(OffsetPolicy, await stored.policy(info.context.caller.program_id))


@shapes.given()
class OffsetPolicySetInput(inputs.RepeatableInput):
    """What to change of the policy; what is left out stays. `isUnbounded` lifts the bound of an order."""

    is_active: bool | None = None
    points_max: scalars.Points | None = None
    is_unbounded: bool = False
    percent_bp: scalars.BasisPoints | None = None
    step: scalars.Points | None = None
    minimum: scalars.Points | None = None
    leaves: MoneyInput | None = None
    quote_minutes: int | None = None

    def command(self, context: Context) -> offsets.SetOffsetPolicy:
        """The command for the domain. Refuses another currency than the program's."""
        terms = offsets.OffsetPolicyTerms(
            is_active=self.is_active,
            points_max=self.points_max,
            percent_bp=self.percent_bp,
            step=self.step,
            minimum=self.minimum,
            leaves_minor=None if self.leaves is None else self.leaves.minor(context, "leaves"),
            quote_minutes=self.quote_minutes,
        )
        return offsets.SetOffsetPolicy(terms=terms, is_unbounded=self.is_unbounded)


@shapes.given()
class OffsetHoldInput(inputs.KeyedInput):
    """The token of a quote: its points are held once, for its order and for no other."""

    quote: str

    def command(self, context: Context) -> offsets.HoldOffset:
        """The command for the domain. Refuses a quote that is not ours, or is another member's."""
        quoted = context.backend.quotes.read(self.quote)
        caller = context.caller
        is_anothers = caller.is_member and quoted.member_id != caller.id
        if quoted.program_id != caller.program_id or is_anothers:
            raise QuoteInvalid(field=("quote",))
        return offsets.HoldOffset(
            quote_id=quoted.id,
            member=MemberRef(id=quoted.member_id),
            points=quoted.points,
            amount_minor=quoted.amount_minor,
            bill=quoted.bill,
            fingerprint=quoted.fingerprint,
            quoted_until=quoted.expires_at,
            reference=quoted.reference,
            store_id=quoted.store_id,
            channel=quoted.channel,
        )


@shapes.given()
class OffsetReleaseInput(inputs.KeyedInput):
    """Points held for an order that is given up."""

    offset_id: strawberry.ID

    def command(self, context: Context) -> offsets.ReleaseOffset:
        """The command for the domain. Refuses an id that is none of such points."""
        return offsets.ReleaseOffset(
            offset_id=ids.require("PointsOffset", self.offset_id, "offsetId"),
            member_id=context.caller.member_id,
        )


@shapes.shape()
class OffsetPolicySetPayload(payloads.KeyedPayload):
    """The policy as it is now."""

    policy: OffsetPolicy | None = None

    @classmethod
    def of(cls, policy: offsets.OffsetPolicy) -> Self:
        """The payload of a policy."""
        return cls(policy=shapes.shown(policy))


@shapes.shape()
class _OffsetPayload(payloads.KeyedPayload):
    offset: PointsOffset | None = None
    member: Member | None = None

    @classmethod
    def of(cls, result: Any) -> Self:
        """The payload of points held."""
        return cls(offset=shapes.shown(result.offset), member=shapes.shown(result.account))


@shapes.shape()
class OffsetHoldPayload(_OffsetPayload):
    """The points held, and the member after it."""


@shapes.shape()
class OffsetReleasePayload(_OffsetPayload):
    """The points that came back, and the member after it."""


@shapes.shape()
class OffsetMutations:
    """What can be done with points as money."""

    @access.field(access.staff(Scope.PROGRAM_WRITE))
    async def offset_policy_set(self, info: Info, input: OffsetPolicySetInput) -> OffsetPolicySetPayload:  # noqa: A002
        """Say how points are used as money."""
        return await payloads.run(info, input, OffsetPolicySetPayload)

    @access.field(_HOLDS)
    async def offset_hold(self, info: Info, input: OffsetHoldInput) -> OffsetHoldPayload:  # noqa: A002
        """Hold the points of a quote for its order. Refuses a quote that is over, and what has changed since."""
        return await payloads.run(info, input, OffsetHoldPayload)

    @access.field(_HOLDS)
    async def offset_release(self, info: Info, input: OffsetReleaseInput) -> OffsetReleasePayload:  # noqa: A002
        """Give up points held for an order."""
        return await payloads.run(info, input, OffsetReleasePayload)
