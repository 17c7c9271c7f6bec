"""Badges in the API: what there are, and who wears them."""

from datetime import datetime
from typing import Any, ClassVar, Final, Self

import strawberry

from api import access, inputs, payloads, scalars, shapes
from api.context import Context, Info
from api.inputs import MemberRefInput
from api.members import Member
from domain.access import Scope
from domain.achievements import badging, editing
from domain.challenges import badges
from domain.challenges import challenge as goals
from persistence import challenges as stored

shapes.named(badges.BadgeOrigin)

_STAFF: Final = access.staff(Scope.MEMBERS_READ)
_SETTINGS: Final = access.staff(Scope.PROGRAM_WRITE)
_WRITES: Final = access.staff(Scope.MEMBERS_WRITE)


@shapes.shape()
class Badge:
    """A sign that a member may wear."""

    code: str = strawberry.field(description="The shop's own name for it, unique in the program.")
    name: str
    description: str | None
    picture_url: str | None
    unlock_points: scalars.Points | None = strawberry.field(
        description="Whoever comes to so many points earned in all is given it."
    )
    version: int = strawberry.field(description="The version of the challenges in which it was last changed.")


async def known_badges(context: Context) -> tuple[goals.Badge, ...]:
    """Every badge of the program."""
    version = (await context.loaders.program()).challenge_version
    found = await context.loaders.keyed(stored.sets, version) if version else None
    return () if found is None else found.badges


async def badge_of(context: Context, code: str) -> goals.Badge | None:
    """A badge by its code."""
    return next((badge for badge in await known_badges(context) if badge.code == code), None)


async def _badge(parent: strawberry.Parent[badges.MemberBadge], info: Info) -> Any:
    return await badge_of(info.context, parent.badge)


@shapes.shape(badges.MemberBadge)
class MemberBadge(shapes.Node):
    """A badge that a member wears, or wore until `revokedAt`."""

    badge: Badge = strawberry.field(resolver=_badge)
    origin: badges.BadgeOrigin
    reason: str | None = access.guarded(_STAFF, "reason", description="Why staff gave it.")
    awarded_at: datetime
    awarded_by: str = access.guarded(_STAFF, "awarded_by")
    revoked_at: datetime | None
    revoked_reason: str | None = access.guarded(_STAFF, "revoked_reason", description="Why staff took it.")


@shapes.shape()
class BadgeQueries:
    """What can be asked about badges."""

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def badges(self, info: Info) -> list[Badge]:
        """Every badge that there is; at most 200."""
        found = await known_badges(info.context)
        info.context.take_nodes(len(found))
        return [shapes.shown(badge) for badge in found]


@shapes.given()
class BadgeSaveInput(inputs.RepeatableInput):
    """A badge to save: in place of the one with its code, or as a new one."""

    code: str
    name: str
    description: str | None = None
    picture_url: str | None = None
    unlock_points: scalars.Points | None = None

    def command(self, _: Context) -> editing.SaveBadge:
        """The command for the domain."""
        badge = goals.Badge(
            code=self.code,
            name=self.name,
            description=self.description,
            picture_url=self.picture_url,
            unlock_points=self.unlock_points,
        )
        return editing.SaveBadge(badge=badge)


@shapes.given()
class BadgeAwardInput(inputs.RepeatableInput):
    """A badge to give to a member by hand, and why."""

    PATHS: ClassVar[payloads.Paths] = {("badge",): "code"}

    member: MemberRefInput
    code: str
    reason: str

    def command(self, context: Context) -> badging.AwardBadge:
        """The command for the domain. Refuses malformed ids."""
        return badging.AwardBadge(member=inputs.member(context, self.member), badge=self.code, reason=self.reason)


@shapes.given()
class BadgeRevokeInput(inputs.RepeatableInput):
    """A badge to take from a member, and why."""

    PATHS: ClassVar[payloads.Paths] = {("badge",): "code"}

    member: MemberRefInput
    code: str
    reason: str

    def command(self, context: Context) -> badging.RevokeBadge:
        """The command for the domain. Refuses malformed ids."""
        return badging.RevokeBadge(member=inputs.member(context, self.member), badge=self.code, reason=self.reason)


@shapes.shape()
class BadgeSavePayload(payloads.KeyedPayload):
    """The badge as it is now."""

    badge: Badge | None = None

    @classmethod
    def of(cls, edited: editing.Edited) -> Self:
        """The payload of an edit."""
        return cls(badge=shapes.shown(edited.badge))


@shapes.shape()
class _MemberBadgePayload(payloads.KeyedPayload):
    member_badge: MemberBadge | None = None
    member: Member | None = None

    @classmethod
    def of(cls, badged: badging.Badged) -> Self:
        """The payload of a member's badge."""
        return cls(member_badge=shapes.shown(badged.member_badge), member=shapes.shown(badged.account))


@shapes.shape()
class BadgeAwardPayload(_MemberBadgePayload):
    """The badge, and the member who wears it."""


@shapes.shape()
class BadgeRevokePayload(_MemberBadgePayload):
    """The badge, and the member who wore it."""


@shapes.shape()
class BadgeMutations:
    """What can be done with badges."""

    @access.field(_SETTINGS)
    async def badge_save(self, info: Info, input: BadgeSaveInput) -> BadgeSavePayload:  # noqa: A002
        """Save a badge. Badges are never removed."""
        return await payloads.run(info, input, BadgeSavePayload)

    @access.field(_WRITES)
    async def badge_award(self, info: Info, input: BadgeAwardInput) -> BadgeAwardPayload:  # noqa: A002
        """Give a member a badge by hand. Refuses one that the member has."""
        return await payloads.run(info, input, BadgeAwardPayload)

    @access.field(_WRITES)
    async def badge_revoke(self, info: Info, input: BadgeRevokeInput) -> BadgeRevokePayload:  # noqa: A002
        """Take a badge from a member; only staff gives it again."""
        return await payloads.run(info, input, BadgeRevokePayload)
