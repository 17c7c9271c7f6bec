"""Referrals: who brought whom and what came of it, to bind a friend, and to decide what is strange."""

from datetime import datetime
from typing import Any, Final, Self

import strawberry

from api import access, connections, identities, ids, inputs, payloads, scalars, shapes
from api.connections import Connection
from api.context import Context, Info
from api.identities import IDENTITIES, IdentityInput
from api.inputs import MemberRefInput
from api.members import Member
from api.purchases.purchase import Purchase
from api.vouchers.voucher import Voucher
from domain import members
from domain.access import Scope
from domain.identities import TOLD_MAX
from domain.kernel import Refusal
from domain.purchases import purchase as purchases
from domain.referrals import binding, settling
from domain.referrals import referral as referring
from domain.vouchers import voucher as vouchers
from persistence import referrals as stored

shapes.named(referring.ReferralState, referring.ReviewState, referring.Signal, referring.RejectReason)

_STAFF: Final = access.staff(Scope.MEMBERS_READ)
_WRITES: Final = access.staff(Scope.MEMBERS_WRITE)


@shapes.shape()
class ReferralReward:
    """What one side was given: points at once, pending until the order stands, and a voucher then."""

    points: scalars.Points
    requested: scalars.Points = strawberry.field(description="What would have been given without caps.")
    limited_by: str | None = strawberry.field(description="The cap or budget that bit.")
    voucher: Voucher | None = shapes.linked(vouchers.Voucher, "voucher_id")
    no_voucher: str | None = strawberry.field(description="Why a voucher that was promised could not be given.")
    points_taken_back: scalars.Points


def _state(parent: strawberry.Parent[referring.Referral], info: Info) -> referring.ReferralState:
    return parent.state_at(info.context.now)


async def _friend_name(parent: strawberry.Parent[referring.Referral], info: Info) -> Any:
    friend = await info.context.loaders.row(members.Member, parent.referee_id)
    return None if friend is None or friend.name is None else members.masked(friend.name)


@shapes.shape(referring.Referral)
class Referral(shapes.Node):
    """One member brought another, its friend. What it looked like to whom, only staff sees."""

    referrer: Member = shapes.linked(members.Member, "referrer_id")
    referee: Member = access.resolved_by(_STAFF, shapes.linking(members.Member, "referee_id"))
    friend_name: str | None = strawberry.field(resolver=_friend_name, description="A mask such as 李*.")
    state: referring.ReferralState = strawberry.field(resolver=_state)
    bound_at: datetime
    expires_at: datetime = strawberry.field(description="Before when the friend must qualify.")
    qualified_at: datetime | None = strawberry.field(description="When the friend bought what counts.")
    rewards_at: datetime | None = strawberry.field(description="When that order stands, and points become available.")
    ended_at: datetime | None
    referrer_reward: ReferralReward | None
    referee_reward: ReferralReward | None = access.guarded(_STAFF, "referee_reward")
    purchase: Purchase | None = access.resolved_by(_STAFF, shapes.linking(purchases.Purchase, "purchase_id"))
    review: referring.ReviewState | None = access.guarded(_STAFF, "review", description="Where staff's look at it is.")
    signals: list[referring.Signal] = access.guarded(_STAFF, "signals", description="What is strange about it.")
    reason: referring.RejectReason | None = access.guarded(_STAFF, "reason", description="Why it was rejected.")
    note: str | None = access.guarded(_STAFF, "note", description="What staff said about it.")
    reviewer: str | None = access.guarded(_STAFF, "reviewer")
    actor: str = access.guarded(_STAFF, "actor", description="Who bound it.")


@shapes.given()
class ReferralBindInput(inputs.KeyedInput):
    """Who was brought, and the code of who brought it, or of what that member shared.

    A member leaves `member` out and says it of itself. Only the shop says whom it saw.
    """

    member: MemberRefInput | None = None
    code: str
    identities: list[IdentityInput] | None = inputs.bounded(
        TOLD_MAX, default=None, policy=_WRITES, description=IDENTITIES
    )

    def command(self, context: Context) -> binding.BindReferral:
        """The command for the domain. Refuses what is no identity."""
        return binding.BindReferral(
            member=inputs.member(context, self.member),
            code=self.code,
            identified=identities.hashed(context, self.identities),
        )


@shapes.given()
class ReferralReviewInput(inputs.KeyedInput):
    """What staff decides about a referral, and why (at most 500 characters)."""

    referral_id: strawberry.ID
    is_approved: bool
    reason: str

    def command(self, _: Context) -> settling.ReviewReferral:
        """The command for the domain. Refuses an id that is none of a referral."""
        return settling.ReviewReferral(
            referral_id=ids.require("Referral", self.referral_id, "referralId"),
            is_approved=self.is_approved,
            reason=self.reason,
        )


@shapes.shape()
class ReferralBindPayload(payloads.KeyedPayload):
    """The referral, and the friend after it."""

    referral: Referral | None = None
    member: Member | None = None
    is_repeat: bool = payloads.repeat("the same was bound")

    @classmethod
    def of(cls, bound: binding.Bound) -> Self:
        """The payload of a binding."""
        return cls(referral=shapes.shown(bound.referral), member=shapes.shown(bound.account), is_repeat=bound.is_repeat)


@shapes.shape()
class ReferralReviewPayload(payloads.KeyedPayload):
    """The referral as it was decided."""

    referral: Referral | None = None
    is_repeat: bool = payloads.repeat("the same was decided")

    @classmethod
    def of(cls, decided: settling.Decided) -> Self:
        """The payload of a decision."""
        return cls(referral=shapes.shown(decided.referral), is_repeat=decided.is_repeat)


@shapes.given()
class ReferralFilterInput:
    """Which referrals: those for which everything that is told holds."""

    state: referring.ReferralState | None = None
    review: referring.ReviewState | None = strawberry.field(default=None, description="HELD: what waits for staff.")
    referrer_id: strawberry.ID | None = None
    referee_id: strawberry.ID | None = None

    def filter(self) -> stored.Filter:
        """The filter for the store. Refuses ids that are none of members."""
        return stored.Filter(
            state=self.state,
            review=self.review,
            referrer_id=ids.optional("Member", self.referrer_id, "referrerId"),
            referee_id=ids.optional("Member", self.referee_id, "refereeId"),
        )


@shapes.shape()
class ReferralQueries:
    """What can be asked about referrals."""

    @access.field(_STAFF)
    async def referrals(
        self,
        info: Info,
        filter: ReferralFilterInput | None = None,  # noqa: A002
        first: int = connections.FIRST_DEFAULT,
        after: str | None = None,
    ) -> Connection[Referral]:
        """Referrals of the program, the latest first."""
        context = info.context
        part = connections.asked(context, stored.KEYSET, first, after)
        which = stored.Filter() if filter is None else _which(filter)
        found = [] if which is None else await stored.page(context.caller.program_id, context.now, which, part)
        return connections.page(found, stored.KEYSET, part)


def _which(given: ReferralFilterInput) -> stored.Filter | None:
    """The filter for the store; None if nothing can match it."""
    try:
        return given.filter()
    except Refusal:
        return None


@shapes.shape()
class ReferralMutations:
    """What can be done with referrals."""

    @access.field(access.staff_or_member(Scope.MEMBERS_WRITE))
    async def referral_bind(self, info: Info, input: ReferralBindInput) -> ReferralBindPayload:  # noqa: A002
        """Say who brought a member, before it first buys. The first counts; what shows one person twice is refused."""
        return await payloads.run(info, input, ReferralBindPayload)

    @access.field(_WRITES)
    async def referral_review(self, info: Info, input: ReferralReviewInput) -> ReferralReviewPayload:  # noqa: A002
        """Approve a referral that is held, so that it is rewarded; or deny any, which takes back what it gave."""
        return await payloads.run(info, input, ReferralReviewPayload)
