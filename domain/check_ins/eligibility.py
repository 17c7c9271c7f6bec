"""Whether a member can sign in to an activity now, and which of its missed days it may make up."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from domain import audiences, calendars, checks
from domain.audiences import Audience
from domain.check_ins.activity import CODE_MAX, CheckInActivity, CheckInClosed, CheckInNotEligible
from domain.check_ins.streak import Streak
from domain.kernel import NotFound, State
from domain.members import Member
from domain.points.account import PointsAccount
from domain.rewards.standing import segments_of
from domain.segments import Segment


def activity_of(state: State, code: str) -> CheckInActivity:
    """The activity with a code. Refuses `NotFound`."""
    code = checks.text("activity", code, length_max=CODE_MAX)
    activity = state.find_by(CheckInActivity, "code", code)
    if activity is None:
        raise NotFound(field=("activity",), kind="CheckInActivity", key=code)
    return activity


def closed_why(activity: CheckInActivity, now: datetime) -> tuple[str, datetime | None] | None:
    """Why an activity cannot be signed in to, and the time at fault, if one is; None if it can."""
    if not activity.is_active:
        return "it is switched off", None
    if activity.starts_at is not None and now < activity.starts_at:
        return "it begins later", activity.starts_at
    if activity.ends_at is not None and activity.ends_at <= now:
        return "it is over", activity.ends_at
    return None


def require_open(activity: CheckInActivity, now: datetime) -> None:
    """Refuses `CheckInClosed`."""
    why = closed_why(activity, now)
    if why is not None:
        at = None if why[1] is None else why[1].isoformat()
        raise CheckInClosed(field=("activity",), activity=activity.code, why=why[0], at=at)


def require_for(state: State, account: PointsAccount, activity: CheckInActivity, time_zone: str) -> None:
    """Refuses `CheckInNotEligible`."""
    why = _kept_out_by(state, account, activity.audience, time_zone)
    if why is not None:
        raise CheckInNotEligible(field=("activity",), activity=activity.code, why=why)


def _kept_out_by(state: State, account: PointsAccount, audience: Audience, time_zone: str) -> str | None:
    """What keeps a member out of an audience; tags and segments are read only where it asks for them."""
    if not (audience.tags or audience.without_tags or audience.segments):
        return audiences.keeps_out(audience, account.tier_id, (), ())
    member = state.get(Member, account.id)
    found: frozenset[str] = frozenset()
    if audience.segments:
        criteria = {segment.code: segment.criteria for segment in state.all(Segment, of=state.program_id)}
        found = segments_of(criteria, member, account, now=state.now, time_zone=time_zone)
    return audiences.keeps_out(audience, account.tier_id, member.tags, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missable:
    """The local dates that a member may make up, if it missed them: from `first` to `last`, both inclusive (G3).

    `began` is the first on which it could have signed in at all; empty if `first` is later than `last`.
    """

    began: date
    first: date
    last: date

    def missed(self, streak: Streak | None) -> Iterator[date]:
        """Those that were missed, the latest first."""
        for back in range((self.last - self.first).days + 1):
            day = calendars.add_days(self.last, -back)
            if streak is None or not streak.has(day):
                yield day


def missable(activity: CheckInActivity, enrolled_at: datetime, zone_name: str, today: date) -> Missable:
    """Which dates a member may make up in an activity; of one without make-up days, none."""
    began = activity.first_day(enrolled_at, zone_name)
    days = 0 if activity.make_up is None else activity.make_up.days
    return Missable(began=began, first=max(began, calendars.add_days(today, -days)), last=calendars.before(today))
