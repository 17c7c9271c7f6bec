"""How members take part in leaderboards and ranks of quizzes: whether others see them and the shop lets them (B3)."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain import checks, members
from domain.kernel import Command, Decision, Event, NotFound, Row, State
from domain.members import Member, MemberRef


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardParticipation(Row):
    """What a member chose, and what staff decided; its id is the member's. Who has none takes part, and is shown.

    Who is not shown keeps its place, without a name. Who is excluded is on no board, and its place is the next one's.
    """

    is_shown: bool = True
    is_excluded: bool = False
    reason: str | None = None
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardParticipationChanged(Event):
    """A member is shown on leaderboards or not any more, or takes part in them or not any more."""

    is_shown: bool
    is_excluded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowOnLeaderboards(Command[Member]):
    """Let others see a member on leaderboards, or no longer."""

    member: MemberRef
    is_shown: bool

    def decide(self, state: State) -> Decision[Member]:
        member, before = _of(state, self.member)
        return _changed(state, member, before, replace(before, is_shown=self.is_shown))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludeFromLeaderboards(Command[Member]):
    """Take a member off all leaderboards, or with `is_excluded` False back on, with a reason.

    Periods that are closed stay as they are.
    """

    member: MemberRef
    is_excluded: bool
    reason: str

    def decide(self, state: State) -> Decision[Member]:
        reason = checks.reason(self.reason)
        member, before = _of(state, self.member)
        return _changed(state, member, before, replace(before, is_excluded=self.is_excluded, reason=reason))


def _of(state: State, ref: MemberRef) -> tuple[Member, LeaderboardParticipation]:
    member_id: UUID = members.resolve(state, ref)
    member = state.find(Member, member_id)
    if member is None:
        raise NotFound(field=("member",), kind="Member", key=str(member_id))
    known = state.find(LeaderboardParticipation, member_id)
    return member, known or LeaderboardParticipation(id=member_id, program_id=state.program_id, changed_at=state.now)


def _changed(
    state: State, member: Member, before: LeaderboardParticipation, after: LeaderboardParticipation
) -> Decision[Member]:
    if after == before:
        return Decision(member)
    after = replace(after, changed_at=state.now)
    told = LeaderboardParticipationChanged(member_id=member.id, is_shown=after.is_shown, is_excluded=after.is_excluded)
    return Decision(member, save=(after,), events=(told,))
