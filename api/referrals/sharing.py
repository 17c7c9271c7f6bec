"""Shares: what members pass on, who came by it, and what that gave."""

from datetime import date, datetime
from typing import Final, Self

import strawberry

from api import access, identities, inputs, payloads, scalars, shapes
from api.context import Context, Info
from api.inputs import MemberRefInput
from api.members import Member
from api.referrals.codes import ReferralCode
from domain import members
from domain.access import Scope
from domain.identities import IdentityKind
from domain.members import MemberRef
from domain.referrals import code as codes
from domain.referrals import sharing

shapes.named(sharing.ShareKind)

_SHARES: Final = access.staff_or_member(Scope.ACTIVITIES_WRITE)


@shapes.shape(sharing.Share)
class Share(shapes.Node):
    """Something that a member shared on a local day. It pays once, when enough different people have come by it."""

    member: Member = shapes.linked(members.Member, "member_id")
    referral_code: ReferralCode = shapes.linked(codes.ReferralCode, "id")
    kind: sharing.ShareKind
    target: str
    shared_on: date
    visitors: int = strawberry.field(description="Different people, without the member itself; at most 1,000.")
    rewarded_at: datetime | None = strawberry.field(description="When enough had come.")
    points: scalars.Points = strawberry.field(description="What that gave.")
    limited_by: str | None = strawberry.field(description="The cap that left less.")
    created_at: datetime


@shapes.given()
class ShareCreateInput(inputs.KeyedInput):
    """What is shared: a page, by what the storefront calls it (at most 200 characters), a reward or campaign by code.

    A member leaves `member` out.
    """

    member: MemberRefInput | None = None
    kind: sharing.ShareKind = sharing.ShareKind.PAGE
    target: str

    def command(self, context: Context) -> sharing.CreateShare:
        """The command for the domain."""
        return sharing.CreateShare(member=inputs.member(context, self.member), kind=self.kind, target=self.target)


@shapes.given()
class ShareVisitInput(inputs.KeyedInput):
    """The code by which somebody came, and the storefront's own name for the visitor (its device, 500 characters).

    If the visitor is a member who is signed in, the shop says so; a member's own token says it by itself.
    """

    code: str
    visitor_id: str
    member: MemberRefInput | None = strawberry.field(
        default=None, directives=[access.staff_or_member(Scope.ACTIVITIES_WRITE)]
    )

    def command(self, context: Context) -> sharing.VisitShare:
        """The command for the domain. Refuses a visitor without a name."""
        caller = context.caller
        itself = MemberRef(id=caller.id) if caller.is_member else None
        return sharing.VisitShare(
            code=self.code,
            visitor=identities.hashed_one(context, IdentityKind.DEVICE, self.visitor_id, "visitorId"),
            member=itself if self.member is None else inputs.member(context, self.member),
        )


@shapes.shape()
class ShareCreatePayload(payloads.KeyedPayload):
    """The share with its code, and the member."""

    share: Share | None = None
    member: Member | None = None
    is_repeat: bool = payloads.repeat("the member had shared the same today")

    @classmethod
    def of(cls, shared: sharing.Shared) -> Self:
        """The payload of a share."""
        return cls(share=shapes.shown(shared.share), member=shapes.shown(shared.account), is_repeat=shared.is_repeat)


@shapes.shape()
class ShareTarget:
    """What was shared, so that the storefront can show it."""

    kind: sharing.ShareKind
    target: str


@shapes.shape()
class ShareVisitPayload(payloads.KeyedPayload):
    """What was shared, and whether the visit counted: the visitor was new, and not the member who shared."""

    target: ShareTarget | None = None
    is_counted: bool = False

    @classmethod
    def of(cls, visited: sharing.Visited) -> Self:
        """The payload of a visit."""
        return cls(target=shapes.as_shape(ShareTarget, visited.share), is_counted=visited.is_counted)


@shapes.shape()
class ShareMutations:
    """What can be done with shares."""

    @access.field(_SHARES)
    async def share_create(self, info: Info, input: ShareCreateInput) -> ShareCreatePayload:  # noqa: A002
        """Share something, by a link of its own. The same on the same local day is one share."""
        return await payloads.run(info, input, ShareCreatePayload)

    @access.field(access.everyone(Scope.ACTIVITIES_WRITE))
    async def share_visit(self, info: Info, input: ShareVisitInput) -> ShareVisitPayload:  # noqa: A002
        """Say that somebody came by a share. A device counts once, and a member once on all its devices."""
        return await payloads.run(info, input, ShareVisitPayload)
