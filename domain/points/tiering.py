"""The tier of one account: reached at once by what counts, ended by the clock, or set by staff (K1 to K5)."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from domain import calendars
from domain.earning.grants import Grant, grant_id
from domain.earning.rules import Trigger
from domain.kernel import Event, Want
from domain.points.account import PointsAccount
from domain.points.granting import GrantingBook
from domain.points.qualifying import Qualified, QualifyingEntry
from domain.policies import TierWindow
from domain.programs import Program
from domain.tiers import standing
from domain.tiers import tier as tiers
from domain.tiers.standing import Holding, Lost, Step, Terms, TierCause, TierChange
from domain.tiers.tier import Tier
from domain.tiers.windows import Days, gift_window, window_of
from domain.values import changed

# No decision rises through more tiers than a program may have.
_RISES_MAX: Final = 100


def holding_of(account: PointsAccount, ladder: Sequence[Tier]) -> Holding:
    """The tier that an account has earned."""
    return Holding(
        tier=tiers.current(ladder, account.earned_tier_id),
        valid_until=account.tier_valid_until,
        grace_until=account.tier_grace_until,
    )


def by_hand(account: PointsAccount, ladder: Sequence[Tier]) -> tuple[Tier | None, datetime] | None:
    """The tier that staff set, and until when; None if the earned one is in force."""
    if account.manual_tier_id is None:
        return None
    assert account.manual_tier_until is not None, "a tier that is set by hand has an end"
    return tiers.current(ladder, account.manual_tier_id), account.manual_tier_until


def terms_of(
    account: PointsAccount, program: Program, ladder: Sequence[Tier], metric_of: Callable[[Days], int]
) -> Terms:
    """What decides about the tier of an account."""
    return Terms(
        ladder=ladder,
        policy=program.tier_policy,
        zone_name=program.time_zone,
        joined=calendars.local_date(account.enrolled_at, program.time_zone),
        metric_of=metric_of,
    )


def tier_due_at(account: PointsAccount) -> datetime | None:
    """When the clock acts on the tier next."""
    ends = (account.tier_grace_until or account.tier_valid_until, account.manual_tier_until)
    return min((at for at in ends if at is not None), default=None)


def counted(entries: Iterable[QualifyingEntry], days: Days) -> Qualified:
    """What counted on these days."""
    total = Qualified()
    for entry in entries:
        if entry.day in days:
            total += entry.counted
    return total


class TieringBook(GrantingBook):
    """A book whose member may come to another tier."""

    # Reading shows what the clock left; what rules give for it is given when it is kept.
    gives: bool = True

    def rise(self) -> None:
        """Reach what the metric reaches now (K2); what is given for that may reach the next."""
        for _ in range(_RISES_MAX):
            at, self._may_rise_at = self._may_rise_at, None
            if at is None:
                return
            ladder = self.state.all(Tier, of=self.state.program_id)
            if not ladder:
                return
            for moment in self._moments(at):
                lost = self._lost_after(moment, ladder)
                holding = holding_of(self.account, ladder)
                step = standing.after_earning(self.terms(ladder), holding, moment, self.now, lost)
                if step is not None:
                    self._take(step, moment)

    def _moments(self, at: datetime) -> tuple[datetime, ...]:
        """When what was earned at a business time may reach a tier: then, and now, if it counts in both windows."""
        is_rolling = self.program.tier_policy.window is TierWindow.ROLLING
        return (at, self.now) if is_rolling and at < self.now else (at,)

    def _lost_after(self, at: datetime, ladder: Sequence[Tier]) -> Lost | None:
        """The tier that was lost after a business time, if that is the last thing that happened to it."""
        since = self.account.tier_since
        if since is None or at >= since or self.account.manual_tier_id is not None:
            return None
        return standing.lost_last(self.history(), ladder, self.program.time_zone)

    def review_tier(self) -> None:
        """Look at the tier anew after the program's tiers or their policy changed."""
        ladder = self.state.all(Tier, of=self.state.program_id)
        step = standing.review(self.terms(ladder), holding_of(self.account, ladder), self.state.now)
        if step is not None:
            self._take(step, self.state.now)

    def set_tier(self, tier: Tier, until: datetime, reason: str) -> None:
        """Put a tier in force by hand (K4)."""
        before = self.account
        self.account = changed(before, manual_tier_id=tier.id, manual_tier_until=until)
        self._put_in_force(TierCause.SET, self._metric_at(self.state.now), self.state.now, before, reason=reason)
        self._wait_for(until)

    def end_set_tier(self, at: datetime, reason: str | None = None) -> None:
        """Put the earned tier in force again."""
        before = self.account
        self.account = changed(before, manual_tier_id=None, manual_tier_until=None)
        self._put_in_force(TierCause.SET_ENDED, self._metric_at(at), at, before, reason=reason)

    def _end_tier(self, at: datetime) -> None:
        """What the clock does at the tier's due time."""
        if self.account.manual_tier_until == at:
            self.end_set_tier(at)
            return
        ladder = self.state.all(Tier, of=self.state.program_id)
        self._take(standing.after_expiry(self.terms(ladder), holding_of(self.account, ladder)), at)

    def _metric_at(self, at: datetime) -> int:
        """What counts in the window of an instant."""
        terms = self.terms(self.state.all(Tier, of=self.state.program_id))
        return terms.metric_on(terms.day_of(at))

    def _take(self, step: Step, at: datetime) -> None:
        holding, before = step.holding, self.account
        self.account = changed(
            before,
            earned_tier_id=None if holding.tier is None else holding.tier.id,
            tier_valid_until=holding.valid_until,
            tier_grace_until=holding.grace_until,
        )
        self._wait_for(holding.due_at)
        self._put_in_force(step.cause, step.metric, at, before)
        if holding.tier is not None:
            self._tell(step, holding.tier)
        # Who earns a tier below one that staff set by hand has earned what is given for it, too.
        if step.cause is TierCause.REACHED and self.gives and holding.tier is not None:
            self._give_for(holding.tier, at)

    def _tell(self, step: Step, tier: Tier) -> None:
        """Tell what happened to a tier that stays the same, if it is the one in force."""
        holding, member_id = step.holding, self.account.id
        if self.account.manual_tier_id is not None:
            return
        if step.cause is TierCause.GRACE and holding.grace_until is not None:
            gap = tier.keeps_at - step.metric
            self.events.append(
                standing.TierInGrace(member_id=member_id, tier_id=tier.id, gap=gap, until=holding.grace_until)
            )
        elif step.cause in (TierCause.KEPT, TierCause.STAYED):
            self.events.append(standing.TierKept(member_id=member_id, tier_id=tier.id, valid_until=holding.valid_until))

    def _give_for(self, tier: Tier, at: datetime) -> None:
        """What is given for a tier, once a tier and window, also after down and up again (K5)."""
        day = calendars.local_date(at, self.program.time_zone)
        joined = calendars.local_date(self.account.enrolled_at, self.program.time_zone)
        first = gift_window(self.program.tier_policy, day, joined)
        since = "ever" if first is None else str(first)
        if self.member is None:
            # What is given may reach the next tier, and so on: all of them are looked up in one round.
            ladder = self.state.all(Tier, of=self.state.program_id)
            above = [one for one in ladder if one.rank >= tier.rank and self.may_give(Trigger.TIER_REACHED, one)]
            keys = [grant_id(self.account.id, Trigger.TIER_REACHED, f"{other.id} {since}") for other in above]
            self.state.need(*(Want(Grant, key, is_locked=True) for key in keys))
        self.give(Trigger.TIER_REACHED, f"{tier.id} {since}", at, tier=tier)

    def _put_in_force(
        self, cause: TierCause, metric: int, at: datetime, was: PointsAccount, *, reason: str | None = None
    ) -> None:
        """Append the step from the account as it `was` to the history. No tier is in force before the one that it
        follows: what is told late is in force from then on."""
        account = self.account
        before, after = was.tier_id, account.manual_tier_id or account.earned_tier_id
        if before != after:
            at = at if account.tier_since is None else max(at, account.tier_since)
            account = changed(account, tier_id=after, tier_since=at)
            self.account = account
        change = TierChange(
            id=self.state.new_id(),
            program_id=account.program_id,
            member_id=account.id,
            tier_id=after,
            tier_id_before=before,
            cause=cause,
            metric=metric,
            valid_until=account.manual_tier_until if account.manual_tier_id else account.tier_valid_until,
            earned_tier_id=account.earned_tier_id,
            earned_tier_id_before=was.earned_tier_id,
            earned_valid_until=account.tier_valid_until,
            reason=reason,
            actor=self.state.actor,
            occurred_at=at,
            recorded_at=self.state.now,
        )
        self._saved[change.id] = change
        if before != after:
            self.events.append(self._changed(before, after))

    def _changed(self, before: UUID | None, after: UUID | None) -> Event:
        """What is told of another tier in force."""
        ladder = self.state.all(Tier, of=self.state.program_id)
        is_rise = tiers.rank_of(tiers.current(ladder, after)) > tiers.rank_of(tiers.current(ladder, before))
        if after is not None and (is_rise or before is None):
            return standing.TierReached(member_id=self.account.id, tier_id=after, tier_id_before=before)
        assert before is not None, "a tier is not lost by who has none"
        return standing.TierLost(member_id=self.account.id, tier_id=after, tier_id_before=before)

    def terms(self, ladder: Sequence[Tier]) -> Terms:
        """What decides about the member's tier."""
        return terms_of(self.account, self.program, ladder, self._metric_of)

    def _metric_of(self, days: Days) -> int:
        metric = self.program.tier_policy.metric
        if days.first is None:
            account = self.account
            return Qualified(account.qualifying_points, account.spend_minor, account.purchases).of(metric)
        return counted(self.entries(days.first, days.last), days).of(metric) + sum(
            amount.of(metric) for day, amount in self._qualified.items() if day in days
        )


def progress_of(
    account: PointsAccount, program: Program, ladder: Sequence[Tier], entries: Sequence[QualifyingEntry], now: datetime
) -> standing.TierProgress:
    """Where a member stands (K4); `entries` are those of the years that its windows reach into."""

    def metric_of(days: Days) -> int:
        metric = program.tier_policy.metric
        if days.first is None:
            return Qualified(account.qualifying_points, account.spend_minor, account.purchases).of(metric)
        return counted(entries, days).of(metric)

    terms = terms_of(account, program, ladder, metric_of)
    return standing.progress(terms, holding_of(account, ladder), by_hand(account, ladder), now)


def years_of(program: Program, account: PointsAccount, now: datetime, earned_at: Iterable[datetime] = ()) -> range:
    """The years whose entries decide about a tier now; none where the metric is that of a life.

    They begin with the window of today, or that of the tier's end if it is earlier; and with those of `earned_at`,
    when the points were earned that are still pending: they count then.
    """
    if program.tier_policy.window is TierWindow.LIFETIME:
        return range(0)
    joined = calendars.local_date(account.enrolled_at, program.time_zone)
    today = calendars.local_date(now, program.time_zone)
    days: list[date] = [today, *(calendars.local_date(at, program.time_zone) for at in earned_at)]
    if account.tier_valid_until is not None:
        days.append(calendars.before(calendars.local_date(account.tier_valid_until, program.time_zone)))
    firsts = [window_of(program.tier_policy, day, joined).first for day in days]
    return range(min(first.year for first in firsts if first is not None), today.year + 1)
