"""What a purchase would earn, now or at another time: the same decision as recording it, kept nowhere."""

import secrets
from datetime import datetime
from typing import Any, Final, Self

import strawberry

from api import access, explanations, ids, inputs, payloads, scalars, shapes
from api.context import Context, Info
from api.explanations import Explanation
from api.inputs import MemberRefInput, MoneyInput
from api.purchases.purchase import PurchaseLineInput
from api.tiers import Tier
from domain import checks
from domain.access import Scope
from domain.enrollments import EnrollMember
from domain.explanations import check_preview_time
from domain.members import MemberRef, Profile
from domain.purchases import recording
from domain.stores import Channel
from domain.tiers import tier as tiers
from persistence import previews

_PERSONAL: Final = access.staff_or_member(Scope.MEMBERS_READ)


@shapes.given()
class EarningPreviewInput:
    """A purchase that might be: what it would earn is computed, and nothing is kept.

    Without a member it is that of somebody who joins for it; a member's own token need not name the member. `at` is
    any time up to 366 days ahead, or in the past; left out, it is now.
    """

    amount: MoneyInput
    member: MemberRefInput | None = None
    freight: MoneyInput | None = None
    lines: list[PurchaseLineInput] | None = inputs.bounded(recording.LINES_MAX, default=None)
    store_id: strawberry.ID | None = None
    channel: Channel = Channel.ONLINE
    at: datetime | None = None

    def names_member(self, context: Context) -> bool:
        """Whether a member is meant. Raises `FORBIDDEN` if the caller may not look at it."""
        if self.member is None and not context.caller.is_member:
            return False
        access.require(_PERSONAL, context.caller)
        return True

    def command(self, context: Context, newcomer: EnrollMember | None) -> recording.RecordPurchase:
        """The command that would record it. Refuses malformed ids and another currency than the program's."""
        at = self.at
        named = None if newcomer is None else MemberRef(external_id=newcomer.profile.external_id)
        return recording.RecordPurchase(
            member=inputs.member(context, self.member) if named is None else named,
            external_id=f"preview-{secrets.token_hex(16)}",
            amount_minor=self.amount.minor(context, "amount"),
            currency_code=self.amount.currency_code,
            freight_minor=0 if self.freight is None else self.freight.minor(context, "freight"),
            lines=tuple(line.line(context) for line in self.lines or ()),
            store_id=ids.optional("Store", self.store_id, "storeId"),
            channel=self.channel,
            occurred_at=_past(at, context.now),
        )


async def _explanation(parent: strawberry.Parent[Any], info: Info) -> Any:
    return None if parent.recorded is None else await explanations.of_purchase(info.context, parent.recorded.purchase)


async def _tier_after(parent: strawberry.Parent[Any], info: Info) -> Any:
    tier_id = None if parent.recorded is None else parent.recorded.account.tier_id
    return None if tier_id is None else await info.context.loaders.row(tiers.Tier, tier_id)


@shapes.shape()
class EarningPreview(payloads.Payload):
    """What a purchase would earn, and why."""

    recorded: strawberry.Private[recording.Recorded | None] = None
    points_earned: scalars.Points | None = None
    tier_after: Tier | None = strawberry.field(resolver=_tier_after, description="The member's tier after it.")
    explanation: Explanation | None = strawberry.field(resolver=_explanation)

    @classmethod
    def of(cls, result: recording.Recorded) -> Self:
        """The preview of a purchase."""
        return cls(recorded=result, points_earned=scalars.Points(result.purchase.points_earned))


@shapes.shape()
class PreviewQueries:
    """What can be asked about what might be."""

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def earning_preview(self, info: Info, input: EarningPreviewInput) -> EarningPreview:  # noqa: A002
        """What a purchase would earn: computed exactly as if it were recorded, and kept nowhere."""
        return await payloads.answered(EarningPreview, _preview(info.context, input))


async def _preview(context: Context, given: EarningPreviewInput) -> EarningPreview:
    inputs.check(context, given)
    check_preview_time(given.at, context.now)
    newcomer = None if given.names_member(context) else _newcomer(_past(given.at, context.now))
    result = await previews.preview(
        given.command(context, newcomer),
        program_id=context.caller.program_id,
        actor=context.caller.actor,
        now=context.now if given.at is None else max(given.at, context.now),
        after=() if newcomer is None else (newcomer,),
        identity_key=context.backend.identity_key,
    )
    return EarningPreview.of(result)


def _newcomer(enrolled_at: datetime | None) -> EnrollMember:
    """Somebody who joins for the purchase, under a name that nobody has."""
    return EnrollMember(profile=Profile(external_id=f"preview-{secrets.token_hex(16)}"), enrolled_at=enrolled_at)


def _past(at: datetime | None, now: datetime) -> datetime | None:
    """The business time to tell for a purchase at `at`; None for now, and for what lies ahead, where now will be.

    Refuses `TimeInvalid`.
    """
    return checks.past("at", at, now) if at is not None and at < now else None
