"""Membership in the API: to enroll a member, to keep its profile, to freeze it and to lift that."""

from datetime import date, datetime
from typing import Any, Final, Self

import strawberry

from api import access, identities, ids, inputs, payloads, scalars, shapes
from api.context import Context, Info
from api.identities import IDENTITIES, IdentityInput
from api.inputs import MemberRefInput
from api.members import Member
from domain import enrollments, members, profiles
from domain.access import Scope
from domain.identities import TOLD_MAX
from domain.points import account, commands
from domain.stores import Channel

_STAFF: Final = access.staff(Scope.MEMBERS_WRITE)


def _by_staff(description: str | None = None) -> Any:
    """What of a profile a member may not say of itself: what names it, and what the shop thinks of it."""
    return strawberry.field(default=None, directives=[_STAFF], description=description)


@shapes.given()
class ConsentInput:
    """What the member agreed to (or no longer agrees to) at a time, for one purpose."""

    purpose: str
    is_granted: bool
    version: str
    at: datetime

    def consent(self) -> members.Consent:
        """The consent for the domain."""
        return members.Consent(purpose=self.purpose, is_granted=self.is_granted, version=self.version, at=self.at)


@shapes.given()
class ProfileInput:
    """What is told of a member; what is left out stays as it is."""

    external_id: str | None = _by_staff("The shop's own name for the member, unique in the program.")
    phone: str | None = _by_staff("E.164, such as +8613812345678; unique in the program.")
    card_number: str | None = _by_staff("Unique in the program.")
    email: str | None = _by_staff("Unique in the program.")
    attributes: scalars.JSONObject | None = _by_staff(
        "At most 50 by name, each a text of at most 500 characters, a whole number, true or false; null removes one."
    )
    tags: list[str] | None = inputs.bounded(members.TAGS_MAX, default=None, policy=_STAFF)
    name: str | None = None
    birthday: date | None = None
    gender: members.Gender | None = None
    consents: list[ConsentInput] | None = inputs.bounded(members.CONSENTS_MAX, default=None)

    def profile(self) -> members.Profile:
        """The profile for the domain."""
        attributes: Any = self.attributes
        return members.Profile(
            external_id=self.external_id,
            phone=self.phone,
            card_number=self.card_number,
            email=self.email,
            name=self.name,
            birthday=self.birthday,
            gender=self.gender,
            attributes=attributes,
            tags=None if self.tags is None else tuple(self.tags),
            consents=None if self.consents is None else tuple(consent.consent() for consent in self.consents),
        )


@shapes.given()
class MemberEnrollInput(inputs.KeyedInput, ProfileInput):
    """A person who becomes a member, with at least one of externalId, phone, cardNumber and email."""

    channel: Channel = Channel.ONLINE
    store_id: strawberry.ID | None = None
    enrolled_at: datetime | None = strawberry.field(
        default=None, description="In the past, for members who move in from another system; left out, it is now."
    )
    referral_code: str | None = strawberry.field(
        default=None, description="Of the member who brought this one, or of what that member shared."
    )
    identities: list[IdentityInput] | None = inputs.bounded(TOLD_MAX, default=None, description=IDENTITIES)

    def command(self, context: Context) -> enrollments.EnrollMember:
        """The command for the domain. Refuses an id that is none of a store."""
        return enrollments.EnrollMember(
            profile=self.profile(),
            channel=self.channel,
            store_id=ids.optional("Store", self.store_id, "storeId"),
            enrolled_at=self.enrolled_at,
            referral_code=self.referral_code,
            identified=identities.hashed(context, self.identities),
        )


@shapes.given()
class MemberUpdateInput(inputs.RepeatableInput, ProfileInput):
    """What to change of a profile. A member leaves `member` out and changes its own."""

    member: MemberRefInput | None = None

    def command(self, context: Context) -> profiles.UpdateMember:
        """The command for the domain."""
        return profiles.UpdateMember(member=inputs.member(context, self.member), profile=self.profile())


@shapes.given()
class _StatusInput(inputs.RepeatableInput):
    member: MemberRefInput
    reason: str


@shapes.given()
class MemberFreezeInput(_StatusInput):
    """Whom to freeze, and why (at most 500 characters)."""

    def command(self, context: Context) -> commands.FreezeMember:
        """The command for the domain."""
        return commands.FreezeMember(member=inputs.member(context, self.member), is_frozen=True, reason=self.reason)


@shapes.given()
class MemberUnfreezeInput(_StatusInput):
    """Whom to set free again, and why (at most 500 characters)."""

    def command(self, context: Context) -> commands.FreezeMember:
        """The command for the domain."""
        return commands.FreezeMember(member=inputs.member(context, self.member), is_frozen=False, reason=self.reason)


@shapes.shape()
class _MemberPayload(payloads.KeyedPayload):
    member: Member | None = None

    @classmethod
    def of(cls, result: members.Member | account.PointsAccount | enrollments.Enrollment) -> Self:
        """The payload of a member, by whichever of its rows the command gives."""
        shown = result.account if isinstance(result, enrollments.Enrollment) else result
        return cls(member=shapes.shown(shown))


@shapes.shape()
class MemberEnrollPayload(_MemberPayload):
    """The new member, its sign-up bonus in the account."""


@shapes.shape()
class MemberUpdatePayload(_MemberPayload):
    """The member as it is now."""


@shapes.shape()
class MemberFreezePayload(_MemberPayload):
    """The member, which neither earns nor spends until it is set free."""


@shapes.shape()
class MemberUnfreezePayload(_MemberPayload):
    """The member, free to earn and spend."""


@shapes.shape()
class EnrollmentMutations:
    """What can be done with members."""

    @access.field(_STAFF)
    async def member_enroll(self, info: Info, input: MemberEnrollInput) -> MemberEnrollPayload:  # noqa: A002
        """Enroll a member. Refuses malformed fields, keys that are taken, and a closed or unknown store.

        With a referral code it also refuses what `referralBind` does, and nobody is enrolled.
        """
        return await payloads.run(info, input, MemberEnrollPayload)

    @access.field(access.staff_or_member(Scope.MEMBERS_WRITE))
    async def member_update(self, info: Info, input: MemberUpdateInput) -> MemberUpdatePayload:  # noqa: A002
        """Change what is told of a profile. Refuses malformed fields and keys that are taken."""
        return await payloads.run(info, input, MemberUpdatePayload)

    @access.field(_STAFF)
    async def member_freeze(self, info: Info, input: MemberFreezeInput) -> MemberFreezePayload:  # noqa: A002
        """Freeze a member: it neither earns nor spends, and its tokens change nothing any more."""
        payload = await payloads.run(info, input, MemberFreezePayload)
        _forget(info, payload)
        return payload

    @access.field(_STAFF)
    async def member_unfreeze(self, info: Info, input: MemberUnfreezeInput) -> MemberUnfreezePayload:  # noqa: A002
        """Set a frozen member free."""
        payload = await payloads.run(info, input, MemberUnfreezePayload)
        _forget(info, payload)
        return payload


def _forget(info: Info, payload: _MemberPayload) -> None:
    """Let this process at once know a member's tokens by its new status; others learn it within seconds."""
    shown: Any = payload.member
    if shown is not None:
        info.context.backend.credentials.forget(shown.id)
