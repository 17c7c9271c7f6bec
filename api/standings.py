"""A member's tier in the API: where it stands, its history, and what staff does about it by hand."""

from datetime import date
from typing import Final, Self

import strawberry

from api import access, ids, inputs, payloads, shapes
from api.context import Context, Info
from api.inputs import MemberRefInput
from api.members import Member
from domain.access import Scope
from domain.points import account
from domain.points import tiers as commands

_WRITES: Final = access.staff(Scope.MEMBERS_WRITE)


@shapes.given()
class MemberTierSetInput(inputs.RepeatableInput):
    """A tier to give by hand, until a local day, inclusive: it goes before the earned one until then."""

    member: MemberRefInput
    tier_id: strawberry.ID
    until: date
    reason: str

    def command(self, context: Context) -> commands.SetTier:
        """The command for the domain. Refuses an id that is none of a tier."""
        return commands.SetTier(
            member=inputs.member(context, self.member),
            tier_id=ids.require("Tier", self.tier_id, "tierId"),
            until=self.until,
            reason=self.reason,
        )


@shapes.given()
class MemberTierEndInput(inputs.RepeatableInput):
    """A member whose tier is to be the earned one again."""

    member: MemberRefInput
    reason: str

    def command(self, context: Context) -> commands.EndSetTier:
        """The command for the domain."""
        return commands.EndSetTier(member=inputs.member(context, self.member), reason=self.reason)


@shapes.shape()
class _MemberTierPayload(payloads.KeyedPayload):
    member: Member | None = None

    @classmethod
    def of(cls, member: account.PointsAccount) -> Self:
        """The payload of a member."""
        return cls(member=shapes.shown(member))


@shapes.shape()
class MemberTierSetPayload(_MemberTierPayload):
    """The member with its tier."""


@shapes.shape()
class MemberTierEndPayload(_MemberTierPayload):
    """The member with its tier."""


@shapes.shape()
class StandingMutations:
    """What can be done with the tier of a member."""

    @access.field(_WRITES)
    async def member_tier_set(self, info: Info, input: MemberTierSetInput) -> MemberTierSetPayload:  # noqa: A002
        """Give a member a tier by hand, with a reason and an end."""
        return await payloads.run(info, input, MemberTierSetPayload)

    @access.field(_WRITES)
    async def member_tier_end(self, info: Info, input: MemberTierEndInput) -> MemberTierEndPayload:  # noqa: A002
        """End a tier that was given by hand."""
        return await payloads.run(info, input, MemberTierEndPayload)
