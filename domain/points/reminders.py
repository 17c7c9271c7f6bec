"""Reminders of points that are about to expire (S28), as events."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain import calendars
from domain.kernel import Command, Decision, Event, State, Want
from domain.points.account import PointsAccount
from domain.points.lots import expiry_of
from domain.points.posting import open_posting, wants_to_settle

REMINDER_DAYS: Final = (30, 7, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsExpiring(Event):
    """Available points of a member expire together in `days` days, at `expires_at`."""

    points: int
    days: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RemindOfExpiry(Command[PointsAccount]):
    """Tell, as an event, what of a member's points expires at an instant; nothing if none does any more."""

    member_id: UUID
    expires_at: datetime

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """All that the clock's commands need, in one round."""
        return wants_to_settle(program_id, self.member_id)

    def decide(self, state: State) -> Decision[PointsAccount]:
        posting = open_posting(state, self.member_id)
        account, zone_name = posting.account, posting.program.time_zone
        points = sum(lot.free for lot in posting.open_lots if expiry_of(lot, account) == self.expires_at)
        if points:
            left = calendars.local_date(self.expires_at, zone_name) - calendars.local_date(state.now, zone_name)
            posting.events.append(
                PointsExpiring(member_id=account.id, points=points, days=left.days, expires_at=self.expires_at)
            )
        rows = posting.close()
        return Decision(posting.account, save=rows, events=posting.settled_events())
