"""Badges that members have: each once, given for a challenge, for points earned in all, or by staff."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.kernel import Event, Refusal, Row, derived_id


class BadgeOrigin(StrEnum):
    """What a badge was given for."""

    CHALLENGE = "CHALLENGE"  # a challenge that was completed
    POINTS = "POINTS"  # points earned in all
    STAFF = "STAFF"  # by hand, with a reason


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberBadge(Row):
    """A badge that a member has, or had. Its id comes of the member's and the code. Guarded by the account.

    `completion_id` is what it was given for. What staff revoked, with a reason, is given again by staff only.
    """

    member_id: UUID
    badge: str
    origin: BadgeOrigin
    completion_id: UUID | None = None
    reason: str | None = None
    awarded_at: datetime
    awarded_by: str
    revoked_at: datetime | None = None
    revoked_reason: str | None = None


class BadgeAlreadyAwarded(Refusal):
    """The member has the badge. Details: `badge`."""

    code = "BADGE_ALREADY_AWARDED"
    text = "The member has the badge {badge!r} already."


class BadgeNotAwarded(Refusal):
    """The member does not have the badge. Details: `badge`."""

    code = "BADGE_NOT_AWARDED"
    text = "The member does not have the badge {badge!r}."


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeAwarded(Event):
    """A member was given a badge."""

    badge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeRevoked(Event):
    """A badge was taken from a member: by staff, or with the challenge it was given for."""

    badge: str


def badge_id(member_id: UUID, code: str) -> UUID:
    """The id of a member's badge: a member has each once."""
    return derived_id(member_id, f"badge|{code}")
