"""Mutations on points alone: adjust, transfer, hold, capture, release."""

from typing import Final, Self

import strawberry

from api import access, ids, inputs, payloads, scalars, shapes
from api.context import Context, Info
from api.inputs import MemberRefInput
from api.members import Member
from api.points.account import Hold, PointTransaction
from domain.access import Scope
from domain.points import commands

_MOVES: Final = access.staff(Scope.POINTS_WRITE)


@shapes.given()
class PointsAdjustInput(inputs.KeyedInput):
    """Whose points to correct by hand: credit a positive number, debit a negative one, and say why."""

    member: MemberRefInput
    points: scalars.Points
    reason: str

    def command(self, context: Context) -> commands.AdjustPoints:
        """The command for the domain."""
        ref = inputs.member(context, self.member)
        return commands.AdjustPoints(member=ref, points=self.points, reason=self.reason)


@shapes.given()
class PointsTransferInput(inputs.KeyedInput):
    """Points to give from one member to another; they keep their expiry."""

    sender: MemberRefInput
    recipient: MemberRefInput
    points: scalars.Points
    reason: str | None = None

    def command(self, context: Context) -> commands.TransferPoints:
        """The command for the domain."""
        return commands.TransferPoints(
            sender=inputs.member(context, self.sender),
            recipient=inputs.member(context, self.recipient),
            points=self.points,
            reason=self.reason,
        )


@shapes.given()
class PointsHoldInput(inputs.KeyedInput):
    """Points to set aside, for so many minutes (1 to 43,200; the program's default if left out)."""

    member: MemberRefInput
    points: scalars.Points
    minutes: int | None = None
    reference: str | None = None

    def command(self, context: Context) -> commands.HoldPoints:
        """The command for the domain."""
        return commands.HoldPoints(
            member=inputs.member(context, self.member),
            points=self.points,
            minutes=self.minutes,
            reference=self.reference,
        )


@shapes.given()
class PointsCaptureInput(inputs.KeyedInput):
    """A hold to spend: all of it, or so many points and the rest is released."""

    hold_id: strawberry.ID
    points: scalars.Points | None = None

    def command(self, _: Context) -> commands.CaptureHold:
        """The command for the domain. Refuses an id that is none of a hold."""
        return commands.CaptureHold(hold_id=ids.require("Hold", self.hold_id, "holdId"), points=self.points)


@shapes.given()
class PointsReleaseInput(inputs.KeyedInput):
    """A hold to give up."""

    hold_id: strawberry.ID

    def command(self, _: Context) -> commands.ReleaseHold:
        """The command for the domain. Refuses an id that is none of a hold."""
        return commands.ReleaseHold(hold_id=ids.require("Hold", self.hold_id, "holdId"))


@shapes.shape()
class PointsAdjustPayload(payloads.KeyedPayload):
    """The member after it, and the transaction of it."""

    member: Member | None = None
    transaction: PointTransaction | None = None

    @classmethod
    def of(cls, moved: commands.Moved) -> Self:
        """The payload of a move."""
        return cls(member=shapes.shown(moved.account), transaction=shapes.shown(moved.transaction))


@shapes.shape()
class PointsTransferPayload(payloads.KeyedPayload):
    """Both members after it, and its two transactions."""

    sender: Member | None = None
    recipient: Member | None = None
    outgoing: PointTransaction | None = None
    incoming: PointTransaction | None = None

    @classmethod
    def of(cls, transferred: commands.Transferred) -> Self:
        """The payload of a transfer."""
        return cls(
            sender=shapes.shown(transferred.sender),
            recipient=shapes.shown(transferred.recipient),
            outgoing=shapes.shown(transferred.outgoing),
            incoming=shapes.shown(transferred.incoming),
        )


@shapes.shape()
class _HoldPayload(payloads.KeyedPayload):
    member: Member | None = None
    hold: Hold | None = None

    @classmethod
    def of(cls, held: commands.Held) -> Self:
        """The payload of a hold."""
        return cls(member=shapes.shown(held.account), hold=shapes.shown(held.hold))


@shapes.shape()
class PointsHoldPayload(_HoldPayload):
    """The member after it, and the new hold."""


@shapes.shape()
class PointsCapturePayload(_HoldPayload):
    """The member after it, and the hold that is spent."""


@shapes.shape()
class PointsReleasePayload(_HoldPayload):
    """The member after it, and the hold that is given up."""


@shapes.shape()
class PointsMutations:
    """What can be done with points."""

    @access.field(access.staff(Scope.POINTS_ADJUST))
    async def points_adjust(self, info: Info, input: PointsAdjustInput) -> PointsAdjustPayload:  # noqa: A002
        """Credit or debit points by hand, with a reason. Refuses 0 and more than is available."""
        return await payloads.run(info, input, PointsAdjustPayload)

    @access.field(_MOVES)
    async def points_transfer(self, info: Info, input: PointsTransferInput) -> PointsTransferPayload:  # noqa: A002
        """Give points to another member. Refuses frozen members and more than is available."""
        return await payloads.run(info, input, PointsTransferPayload)

    @access.field(_MOVES)
    async def points_hold(self, info: Info, input: PointsHoldInput) -> PointsHoldPayload:  # noqa: A002
        """Set points aside for a purchase that is being paid. Refuses more than is available."""
        return await payloads.run(info, input, PointsHoldPayload)

    @access.field(_MOVES)
    async def points_capture(self, info: Info, input: PointsCaptureInput) -> PointsCapturePayload:  # noqa: A002
        """Spend held points. Refuses a hold that is no longer open."""
        return await payloads.run(info, input, PointsCapturePayload)

    @access.field(_MOVES)
    async def points_release(self, info: Info, input: PointsReleaseInput) -> PointsReleasePayload:  # noqa: A002
        """Make held points available again. Refuses a hold that is no longer open."""
        return await payloads.run(info, input, PointsReleasePayload)
