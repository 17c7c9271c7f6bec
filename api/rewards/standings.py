"""Whom a question about rewards is about: a member for itself, or whomever the shop names."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from api import access
from api.context import Context
from api.inputs import MemberRefInput
from api.members import find_member
from domain.access import Scope
from domain.kernel import Refusal
from domain.points import reading
from domain.rewards import standing as standings
from domain.rewards.availability import Standing
from persistence import rewards as stored

_PERSONAL: Final = access.staff_or_member(Scope.MEMBERS_READ)


@dataclass(frozen=True, slots=True)
class Somebody:
    """A member as rewards see it, and the time zone its days are in."""

    standing: Standing
    time_zone: str

    @property
    def id(self) -> UUID:
        """The member's."""
        return self.standing.account.id


async def somebody(context: Context, given: MemberRefInput | None) -> Somebody | None:
    """Whom a question is about; None if nobody is named, or nobody is found. Raises `FORBIDDEN`."""
    caller = context.caller
    if not caller.is_member and given is None:
        return None
    access.require(_PERSONAL, caller)
    member_id = caller.id if given is None else await _named(context, given)
    if caller.is_member:
        access.require_itself(caller, member_id)
    whole = None if member_id is None else await context.loaders.keyed(stored.whole_members, member_id)
    if whole is None:
        return None
    kept = whole.account
    if reading.is_due(kept, context.now):
        kept = await context.loaders.account(kept.id)
    codes = standings.segments_of(whole.segments, whole.member, kept, now=context.now, time_zone=whole.time_zone)
    standing = Standing(account=kept, tags=frozenset(whole.member.tags), segments=codes)
    return Somebody(standing, whole.time_zone)


async def _named(context: Context, given: MemberRefInput) -> UUID | None:
    try:
        found = await find_member(context, given.ref())
    except Refusal:
        return None
    return None if found is None else found.id
