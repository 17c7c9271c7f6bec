"""Commands of the clock that give by rule: birthdays and member days, each occasion once for every member."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain import calendars, schedules
from domain.earning.grants import Grant
from domain.earning.rules import Trigger
from domain.kernel import Command, Decision, Event, State, Want
from domain.members import Member
from domain.points.account import AccountStatus, PointsAccount
from domain.points.posting import Posting, open_posting, wants_to_settle


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsGranted(Event):
    """Rules gave points for an occasion."""

    trigger: Trigger
    occasion: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The account after a grant, and the points of it; 0 if nothing was given, or it had been before."""

    account: PointsAccount
    points: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantBirthday(Command[Granted]):
    """Give a member what rules and its tier give for its birthday, once a year (S25).

    `day` is a local date that is or was today. Nothing is given when it is not the birthday (any more), or to who is
    frozen, or joined later.
    """

    member_id: UUID
    day: date

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """All that the clock's commands need, in one round."""
        return wants_to_settle(program_id, self.member_id)

    def decide(self, state: State) -> Decision[Granted]:
        member = state.get(Member, self.member_id)
        posting = open_posting(state, self.member_id)
        celebrates = member.birthday is not None and schedules.falls_on(member.birthday, self.day)
        return _given(posting, Trigger.BIRTHDAY, str(self.day.year), self.day, is_due=celebrates)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantMemberDay(Command[Granted]):
    """Give a member what rules give on a member day, once a day (S26). Nothing to who is frozen or joined later."""

    member_id: UUID
    day: date

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """All that the clock's commands need, in one round."""
        return wants_to_settle(program_id, self.member_id)

    def decide(self, state: State) -> Decision[Granted]:
        posting = open_posting(state, self.member_id)
        return _given(posting, Trigger.MEMBER_DAY, str(self.day), self.day, is_due=True)


def _given(posting: Posting, trigger: Trigger, occasion: str, day: date, *, is_due: bool) -> Decision[Granted]:
    account, zone_name = posting.account, posting.program.time_zone
    joined = calendars.local_date(account.enrolled_at, zone_name)
    grant: Grant | None = None
    has_come = joined <= day <= calendars.local_date(posting.state.now, zone_name)
    if is_due and has_come and account.status is AccountStatus.ACTIVE:
        # At noon, so that a rule with hours of the day is for purchases, and the clock's lateness changes nothing.
        at = min(posting.state.now, max(calendars.noon_of(day, zone_name), account.enrolled_at))
        tier = posting.tier_at(at) if trigger is Trigger.BIRTHDAY else None
        grant = posting.give(trigger, occasion, at, tier=tier)
    if grant is None:
        # Most members on most days: nothing is written for them.
        return Decision(Granted(account=account))
    rows = posting.close()
    granted = PointsGranted(member_id=account.id, trigger=trigger, occasion=occasion, points=grant.points)
    # Where a cap or budget left nothing, the occasion is over all the same.
    events = (granted, *posting.events) if grant.points else posting.settled_events()
    return Decision(Granted(account=posting.account, points=grant.points), save=rows, events=events)
