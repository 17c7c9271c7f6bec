"""Telling whoever has not signed in yet that a streak ends tonight, once a local evening."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from domain import calendars
from domain.check_ins.activity import CheckInActivity
from domain.check_ins.eligibility import closed_why
from domain.check_ins.streak import Streak
from domain.kernel import Command, Decision, Event, State, Want
from domain.points.account import AccountStatus, PointsAccount
from domain.programs import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class StreakEnding(Event):
    """A member's streak of `length` days ends at `ends_at`, unless it signs in before."""

    activity_id: UUID
    length: int
    day: date
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RemindOfStreak(Command[Streak]):
    """Tell, as an event, that a streak ends with a local date; nothing if it was signed meanwhile, or the date is over.

    Nothing to who is frozen, or for an activity that cannot be signed in to. Refuses `NotFound`.
    """

    streak_id: UUID
    day: date

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """What is surely needed."""
        return Want(Program, program_id), Want(Streak, self.streak_id, is_locked=True)

    def decide(self, state: State) -> Decision[Streak]:
        streak = state.get(Streak, self.streak_id)
        account = state.get(PointsAccount, streak.member_id)
        activity = state.get(CheckInActivity, streak.activity_id)
        zone_name = state.get(Program, state.program_id).time_zone
        is_today = calendars.local_date(state.now, zone_name) == self.day
        ends_tonight = is_today and streak.last_day == calendars.before(self.day)
        is_open = account.status is AccountStatus.ACTIVE and closed_why(activity, state.now) is None
        if not (ends_tonight and is_open):
            return Decision(streak)
        ending = StreakEnding(
            member_id=streak.member_id,
            activity_id=activity.id,
            length=streak.length,
            day=self.day,
            ends_at=calendars.end_of(self.day, zone_name),
        )
        return Decision(streak, events=(ending,))
