"""Badges by hand: staff gives one, or takes one away, and says why."""

from dataclasses import dataclass, replace

from domain import checks, members
from domain.achievements.editing import set_in_force
from domain.challenges import badges
from domain.challenges.badges import BadgeAlreadyAwarded, BadgeNotAwarded, BadgeOrigin, BadgeRevoked, MemberBadge
from domain.challenges.challenge import BadgeUnknown
from domain.earning.effects import CODE_MAX
from domain.kernel import Command, Decision, State
from domain.members import MemberRef
from domain.points.account import PointsAccount
from domain.points.posting import open_posting


@dataclass(frozen=True, slots=True, kw_only=True)
class Badged:
    """A member's badge, as it is now, and the member's account."""

    member_badge: MemberBadge
    account: PointsAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardBadge(Command[Badged]):
    """Give a member a badge by hand. Refuses `BadgeUnknown` and `BadgeAlreadyAwarded`."""

    member: MemberRef
    badge: str
    reason: str

    def decide(self, state: State) -> Decision[Badged]:
        reason = checks.reason(self.reason)
        posting = open_posting(state, members.resolve(state, self.member))
        code = self.badge.strip()
        if code not in {badge.code for badge in set_in_force(state, posting.program).badges}:
            raise BadgeUnknown(field=("badge",), badge=code[:CODE_MAX])
        key = badges.badge_id(posting.account.id, code)
        before = posting.known(MemberBadge, key)
        if before is not None and before.revoked_at is None:
            raise BadgeAlreadyAwarded(field=("badge",), badge=code)
        awarded = MemberBadge(
            id=key,
            program_id=state.program_id,
            member_id=posting.account.id,
            badge=code,
            origin=BadgeOrigin.STAFF,
            reason=reason,
            awarded_at=state.now,
            awarded_by=state.actor,
        )
        posting.put_badge(awarded)
        rows = posting.close()
        return Decision(Badged(member_badge=awarded, account=posting.account), save=rows, events=tuple(posting.events))


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeBadge(Command[Badged]):
    """Take a badge from a member, for good unless staff gives it again. Refuses `BadgeNotAwarded`."""

    member: MemberRef
    badge: str
    reason: str

    def decide(self, state: State) -> Decision[Badged]:
        reason = checks.reason(self.reason)
        posting = open_posting(state, members.resolve(state, self.member))
        code = self.badge.strip()
        before = posting.known(MemberBadge, badges.badge_id(posting.account.id, code))
        if before is None or before.revoked_at is not None:
            raise BadgeNotAwarded(field=("badge",), badge=code[:CODE_MAX])
        revoked = replace(before, revoked_at=state.now, revoked_reason=reason)
        posting.keep(revoked)
        rows = posting.close()
        told = BadgeRevoked(member_id=before.member_id, badge=code)
        return Decision(
            Badged(member_badge=revoked, account=posting.account), save=rows, events=(told, *posting.events)
        )
