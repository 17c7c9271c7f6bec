"""Commands on the tier of one member: set by hand, ended, looked at again, warned of its end."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from domain import calendars, checks, members
from domain.kernel import Command, Decision, Refusal, State, Want
from domain.members import MemberRef
from domain.points.account import PointsAccount
from domain.points.posting import Posting, open_posting, wants_to_settle
from domain.points.tiering import by_hand, holding_of
from domain.tiers import standing
from domain.tiers import tier as tiers
from domain.tiers.standing import WARNING_DAYS, TierExpiring, TierProgress
from domain.tiers.tier import Tier


class TierEndInvalid(Refusal):
    """A tier set by hand must end on a later day, at most 10 years on. Details: `until`."""

    code = "TIER_END_INVALID"
    text = "A tier set by hand ends on a day from today on, within 10 years; {until} is none."


class TierNotSet(Refusal):
    """No tier was set by hand."""

    code = "TIER_NOT_SET"
    text = "The member's tier is the one it has earned; none was set by hand."


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTier(Command[PointsAccount]):
    """Give a member a tier by hand, `until` a local day, inclusive; it goes before the earned one until then (K4)."""

    member: MemberRef
    tier_id: UUID
    until: date
    reason: str

    def decide(self, state: State) -> Decision[PointsAccount]:
        reason = checks.reason(self.reason)
        posting = open_posting(state, members.resolve(state, self.member))
        zone_name = posting.program.time_zone
        today = calendars.local_date(state.now, zone_name)
        if not today <= self.until <= calendars.add_years(today, 10):
            raise TierEndInvalid(field=("until",), until=str(self.until))
        posting.set_tier(state.get(Tier, self.tier_id), calendars.end_of(self.until, zone_name), reason)
        return _closed(posting)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSetTier(Command[PointsAccount]):
    """End a tier that was set by hand; the earned one is in force again. Refuses `TierNotSet`."""

    member: MemberRef
    reason: str

    def decide(self, state: State) -> Decision[PointsAccount]:
        reason = checks.reason(self.reason)
        posting = open_posting(state, members.resolve(state, self.member))
        if posting.account.manual_tier_id is None:
            raise TierNotSet
        posting.end_set_tier(state.now, reason)
        return _closed(posting)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewTier(Command[PointsAccount]):
    """Look at a member again after tiers or their policy changed: it may rise, and keeps what it has (K3)."""

    member_id: UUID

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """All that the clock's commands need, in one round."""
        return wants_to_settle(program_id, self.member_id)

    def decide(self, state: State) -> Decision[PointsAccount]:
        posting = open_posting(state, self.member_id)
        posting.review_tier()
        return _closed(posting)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarnOfTier(Command[PointsAccount]):
    """Tell, as an event, that the tier in force of a member ends within `days` days, with the exact gap (K3).

    Nothing is told once enough counts to keep it, when it does not end so soon after all, or is never taken away. A
    tier that was set by hand is told of unless what is earned follows it with a tier as high.
    """

    member_id: UUID
    days: int

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """All that the clock's commands need, in one round."""
        return wants_to_settle(program_id, self.member_id)

    def decide(self, state: State) -> Decision[PointsAccount]:
        assert self.days in WARNING_DAYS, "warnings have their days"
        posting = open_posting(state, self.member_id)
        ladder = state.all(Tier, of=state.program_id)
        holding, set_tier = holding_of(posting.account, ladder), by_hand(posting.account, ladder)
        now = standing.progress(posting.terms(ladder), holding, set_tier, state.now)
        if now.tier is None or now.valid_until is None or now.grace_until is not None:
            return _closed(posting)
        left = _days_between(state.now, now.valid_until, posting.program.time_zone)
        if left <= self.days and _may_be_lost(now):
            posting.events.append(
                TierExpiring(
                    member_id=posting.account.id,
                    tier_id=now.tier.id,
                    days=left,
                    gap=now.keep_gap,
                    valid_until=now.valid_until,
                    tier_id_after=None if now.projected_tier is None else now.projected_tier.id,
                )
            )
        return _closed(posting)


def _may_be_lost(now: TierProgress) -> bool:
    if now.is_set_by_hand:
        return tiers.rank_of(now.projected_tier) < tiers.rank_of(now.tier)
    return bool(now.keep_gap)


def _days_between(first: datetime, last: datetime, zone_name: str) -> int:
    return (calendars.local_date(last, zone_name) - calendars.local_date(first, zone_name)).days


def _closed(posting: Posting) -> Decision[PointsAccount]:
    """Save what changed, if anything did: these commands look at very many members."""
    rows = posting.close()
    stored = posting.state.get(PointsAccount, posting.account.id)
    saved = () if rows == (stored,) else rows
    return Decision(posting.account, save=saved, events=posting.settled_events())
