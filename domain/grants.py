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

    `day` is a local date that is or was today: what is given is the same however late it is asked for. Nothing is given
    when it is not the birthday (any more), or to who is frozen, or joined later.
    """

    member_id: UUID
    day: date

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """All that the clock's commands need, in one round."""
        return wants_to_settle(program_id, self.member_id)

    def decide(self, state: State) -> Decision[Granted]:
        member = state.get(Member, self.member_id)
        posting = open_posting(state, self.member_id)
        return _given(posting, Trigger.BIRTHDAY, self.day, is_due=_celebrates(member, self.day))


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
        return _given(posting, Trigger.MEMBER_DAY, self.day, is_due=True)


def give_today(posting: Posting, member: Member) -> tuple[Event, ...]:
    """Give who is joining what the clock gives for today: the clock may have looked already, and looks only once.

    What is given is what the clock would give, were it late, and it gives none of that again.
    """
    # A gift of the tier is for the tier that joining reaches.
    posting.rise()
    today = calendars.local_date(posting.state.now, posting.program.time_zone)
    triggers = (Trigger.BIRTHDAY, Trigger.MEMBER_DAY) if _celebrates(member, today) else (Trigger.MEMBER_DAY,)
    grants = [grant for trigger in triggers if (grant := _grant(posting, trigger, today)) is not None]
    return tuple(_told(grant) for grant in grants if grant.points)


def _celebrates(member: Member, day: date) -> bool:
    return member.birthday is not None and schedules.falls_on(member.birthday, day)


def _grant(posting: Posting, trigger: Trigger, day: date) -> Grant | None:
    """What is given for a local day, as of its beginning, or of joining on it: of nothing that depends on the clock.

    The rules are asked for the day as a whole, so that it does not matter at what hour of it their validity begins.
    """
    at = max(calendars.start_of(day, posting.program.time_zone), posting.account.enrolled_at)
    if trigger is Trigger.BIRTHDAY:
        return posting.give(trigger, str(day.year), at, tier=posting.tier_at(at))
    return posting.give(trigger, str(day), at)


def _told(grant: Grant) -> PointsGranted:
    return PointsGranted(member_id=grant.member_id, trigger=grant.trigger, occasion=grant.occasion, points=grant.points)


def _given(posting: Posting, trigger: Trigger, day: date, *, is_due: bool) -> Decision[Granted]:
    account, zone_name = posting.account, posting.program.time_zone
    joined = calendars.local_date(account.enrolled_at, zone_name)
    has_come = joined <= day <= calendars.local_date(posting.state.now, zone_name)
    is_given = is_due and has_come and account.status is AccountStatus.ACTIVE
    grant = _grant(posting, trigger, day) if is_given else None
    if grant is None:
        # Most members on most days: nothing is written for them.
        return Decision(Granted(account=account))
    rows = posting.close()
    # Where a cap or budget left nothing, the occasion is over all the same.
    events = (_told(grant), *posting.events) if grant.points else posting.settled_events()
    return Decision(Granted(account=posting.account, points=grant.points), save=rows, events=events)
