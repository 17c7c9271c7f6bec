"""Codes by which friends come: what they are, the link that carries each, and its picture."""

from typing import Any, Self

import segno
import strawberry

from api import access, inputs, payloads, shapes
from api.context import Context, Info
from api.inputs import MemberRefInput
from api.members import Member
from domain.access import Scope
from domain.referrals import code as codes
from persistence import referrals as stored


async def _link(parent: strawberry.Parent[codes.ReferralCode], info: Info) -> Any:
    policy = await info.context.loaders.keyed(stored.policies, info.context.caller.program_id)
    return policy.link_to(parent.code)


async def _picture(parent: strawberry.Parent[codes.ReferralCode], info: Info) -> Any:
    link = await _link(parent, info)
    return None if link is None else picture(link)


def picture(link: str) -> str:
    """The QR code of a link as SVG, for a page to show as it is. A link of 212 characters makes less than 12 KB."""
    return segno.make_qr(link, error="m").svg_inline(scale=4)


@shapes.shape(codes.ReferralCode)
class ReferralCode(shapes.Node):
    """A code by which friends come: the member's own, or that of a share."""

    code: str
    link: str | None = strawberry.field(
        resolver=_link, description="Where the program's policy says that links lead; null if it says nothing."
    )
    qr_svg: str | None = strawberry.field(resolver=_picture, description="The link as a QR code: a whole SVG element.")


@shapes.given()
class ReferralCodeCreateInput(inputs.RepeatableInput):
    """Whose code. A member leaves `member` out and gets its own."""

    member: MemberRefInput | None = None

    def command(self, context: Context) -> codes.MakeReferralCode:
        """The command for the domain."""
        return codes.MakeReferralCode(member=inputs.member(context, self.member))


@shapes.shape()
class ReferralCodeCreatePayload(payloads.KeyedPayload):
    """The member with its code: a new one, or the one that it has."""

    referral_code: ReferralCode | None = None
    member: Member | None = None

    @classmethod
    def of(cls, made: codes.CodeOf) -> Self:
        """The payload of a code."""
        return cls(referral_code=shapes.shown(made.code), member=shapes.shown(made.account))


@shapes.shape()
class ReferralCodeMutations:
    """What can be done with codes."""

    @access.field(access.staff_or_member(Scope.MEMBERS_WRITE))
    async def referral_code_create(self, info: Info, input: ReferralCodeCreateInput) -> ReferralCodeCreatePayload:  # noqa: A002
        """Give a member the code by which it brings friends. Again gives the same."""
        return await payloads.run(info, input, ReferralCodeCreatePayload)
