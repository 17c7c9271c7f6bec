"""A member's standing: pure decisions of when a tier is reached, kept, in grace and lost (K2, K3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain import calendars
from domain.kernel import Event, Row
from domain.policies import Downgrade, TierMetric, TierPolicy
from domain.tiers import tier as tiers
from domain.tiers.tier import Tier
from domain.tiers.windows import Days, last_day, window_of

WARNING_DAYS: Final = (30, 7, 1)


class TierCause(StrEnum):
    """Why a member's tier changed, or how long it lasts."""

    REACHED = "REACHED"  # the metric came to the threshold
    KEPT = "KEPT"  # at its expiry, or in the grace that followed, the metric was enough
    STAYED = "STAYED"  # it was not, and the program takes no tier away
    GRACE = "GRACE"  # it was not, and the member has some days to make up for it
    LOST = "LOST"  # it was not
    SET = "SET"  # staff gave a tier by hand
    SET_ENDED = "SET_ENDED"  # that is over
    REVIEWED = "REVIEWED"  # the program's tiers or their policy changed


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChange(Row):
    """One step of a member's history of tiers, append-only (K4). Ids are those of the tier in force, None for none.

    `metric` is what counted then; `valid_until` the first instant at which the tier is over, None for never.

    The same of the earned tier stands beside it, since that moves on under a tier that staff set; steps of before it
    was kept have None there.
    """

    is_fact: ClassVar[bool] = True
    parent: ClassVar[str | None] = "member_id"

    member_id: UUID
    tier_id: UUID | None
    tier_id_before: UUID | None
    cause: TierCause
    metric: int
    valid_until: datetime | None
    earned_tier_id: UUID | None = None
    earned_tier_id_before: UUID | None = None
    earned_valid_until: datetime | None = None
    reason: str | None = None
    actor: str
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TierReached(Event):
    """A member came to a higher tier."""

    tier_id: UUID
    tier_id_before: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TierKept(Event):
    """A member keeps its tier, `valid_until` then."""

    tier_id: UUID
    valid_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TierInGrace(Event):
    """A member's tier has expired; its benefits stay `until` then, and `gap` more keep it."""

    tier_id: UUID
    gap: int
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TierLost(Event):
    """A member came to a lower tier, or to none."""

    tier_id: UUID | None
    tier_id_before: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TierExpiring(Event):
    """A member's tier ends in `days` days unless its metric rises by `gap` (K3).

    `gap` is None for a tier that was set by hand, which ends in any case. `tier_id_after` is the tier in force after
    that, and after grace if there is one, if nothing more is earned; None for none.
    """

    tier_id: UUID
    days: int
    gap: int | None
    valid_until: datetime
    tier_id_after: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """The tier a member has earned, and until when: `valid_until` and `grace_until` are first instants without it."""

    tier: Tier | None = None
    valid_until: datetime | None = None
    grace_until: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        """When the clock acts on it next."""
        return self.grace_until or self.valid_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What decides about one member: the program's tiers and policy, its calendar, and the day the member joined.

    `metric_of` sums the member's metric over days.
    """

    ladder: Sequence[Tier]
    policy: TierPolicy
    zone_name: str
    joined: date
    metric_of: Callable[[Days], int]

    def day_of(self, at: datetime) -> date:
        """The local date of an instant."""
        return calendars.local_date(at, self.zone_name)

    def metric_on(self, day: date) -> int:
        """The metric of the window that a day belongs to."""
        return self.metric_of(window_of(self.policy, day, self.joined))

    def until(self, day: date, tier: Tier | None) -> datetime | None:
        """When a tier is over that is reached or kept on a day; what needs nothing is never over."""
        last = last_day(self.policy, day, self.joined)
        needs_nothing = tier is None or max(tier.threshold, tier.keeps_at) == 0
        return None if last is None or needs_nothing else calendars.end_of(last, self.zone_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a decision comes to: the holding after it, why, and the metric that counted."""

    holding: Holding
    cause: TierCause
    metric: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A tier that was not kept: the last day on which it was valid, and the last that counted to keep it."""

    tier: Tier
    ended: date
    counted_until: date


def after_earning(terms: Terms, holding: Holding, at: datetime, now: datetime, lost: Lost | None = None) -> Step | None:
    """A higher tier is reached at once (K2), and in grace the keep threshold renews (K3); None if nothing changes.

    What was earned counts in the window of `at`; a tier that would be over by `now` is not reached any more. What is
    told late may be enough to have kept the tier that was `lost` last.
    """
    day = terms.day_of(at)
    metric = terms.metric_on(day)
    found = tiers.reached(terms.ladder, metric)
    kept = _kept_after_all(terms, holding, lost, day, now)
    beaten = kept.holding if kept is not None else holding
    if found is not None and found.rank > tiers.rank_of(beaten.tier):
        valid_until = terms.until(day, found)
        if valid_until is None or valid_until > now:
            return Step(holding=Holding(tier=found, valid_until=valid_until), cause=TierCause.REACHED, metric=metric)
    if kept is None and holding.grace_until is not None:
        return _kept(terms, holding, now)
    return kept


def after_expiry(terms: Terms, holding: Holding) -> Step:
    """What the clock does at `holding.due_at`: keep, give grace, or take the tier away by the program's policy (K3)."""
    tier, due_at = holding.tier, holding.due_at
    assert tier is not None, "only a tier expires"
    assert due_at is not None, "a tier without an end is not due"
    kept = _kept(terms, holding, due_at)
    if kept is not None:
        return kept
    policy, ended = terms.policy, _last_day_of(terms, holding)
    metric = terms.metric_of(keep_days(terms, holding))
    if policy.downgrade is Downgrade.NONE:
        return Step(holding=_lasting(terms, tier, ended, due_at), cause=TierCause.STAYED, metric=metric)
    if holding.grace_until is None and policy.grace_days:
        until = calendars.end_of(ended + timedelta(days=policy.grace_days), terms.zone_name)
        return Step(holding=replace(holding, grace_until=until), cause=TierCause.GRACE, metric=metric)
    if policy.downgrade is Downgrade.ONE_LEVEL:
        lower = tiers.next_below(terms.ladder, tier)
    else:
        lower = tiers.left_with([other for other in terms.ladder if other.rank < tier.rank], metric)
    return Step(holding=_lasting(terms, lower, ended, due_at), cause=TierCause.LOST, metric=metric)


def keep_days(terms: Terms, holding: Holding) -> Days:
    """The days that count to keep a tier: the window in which its validity ends, left open while there is grace."""
    window = window_of(terms.policy, _last_day_of(terms, holding), terms.joined)
    due_at = holding.due_at
    assert due_at is not None, "what has no end need not be kept"
    return Days(window.first, calendars.before(terms.day_of(due_at)))


def _kept(terms: Terms, holding: Holding, at: datetime) -> Step | None:
    """The tier renewed for one validity more, if enough counts to keep it."""
    assert holding.tier is not None, "only a tier is kept"
    metric = terms.metric_of(keep_days(terms, holding))
    if metric < holding.tier.keeps_at:
        return None
    renewed = _lasting(terms, holding.tier, _last_day_of(terms, holding), at)
    return Step(holding=renewed, cause=TierCause.KEPT, metric=metric)


def _lasting(terms: Terms, tier: Tier | None, ended: date, at: datetime) -> Holding:
    """The holding of a tier after the one that ended with a day: for one validity more, or as many as last beyond `at`.

    A grace that is longer than a validity must not leave a tier that is over already.
    """
    valid_until = terms.until(ended, tier)
    while valid_until is not None and valid_until <= at:
        valid_until = terms.until(calendars.before(terms.day_of(valid_until)), tier)
    return Holding(tier=tier, valid_until=valid_until)


def _last_day_of(terms: Terms, holding: Holding) -> date:
    """The last local date on which a tier is valid, grace not counted."""
    assert holding.valid_until is not None, "a tier without an end has no last day"
    return calendars.before(terms.day_of(holding.valid_until))


def lost_last(history: Sequence[TierChange], ladder: Sequence[Tier], zone_name: str) -> Lost | None:
    """The tier that a member lost, if that is the last thing that happened to it."""
    steps = sorted(history, key=lambda change: change.id.int)
    if not steps or steps[-1].cause is not TierCause.LOST:
        return None
    tier = tiers.current(ladder, steps[-1].tier_id_before)
    if tier is None or steps[-1].tier_id == tier.id:
        return None
    counted_until = ended = calendars.before(calendars.local_date(steps[-1].occurred_at, zone_name))
    before = steps[-2] if len(steps) > 1 else None
    if before is not None and before.cause is TierCause.GRACE and before.valid_until is not None:
        ended = calendars.before(calendars.local_date(before.valid_until, zone_name))
    return Lost(tier=tier, ended=ended, counted_until=counted_until)


def _kept_after_all(terms: Terms, holding: Holding, lost: Lost | None, day: date, now: datetime) -> Step | None:
    """The tier that was lost, given back for as long as it would still last, if what is told late would have kept it.

    So a till that is a few days late with purchases of the old year takes no tier away (K2).
    """
    if lost is None or lost.tier.rank <= tiers.rank_of(holding.tier):
        return None
    days = Days(window_of(terms.policy, lost.ended, terms.joined).first, lost.counted_until)
    valid_until = terms.until(lost.ended, lost.tier)
    if day not in days or (valid_until is not None and valid_until <= now):
        return None
    metric = terms.metric_of(days)
    if metric < lost.tier.keeps_at:
        return None
    return Step(holding=Holding(tier=lost.tier, valid_until=valid_until), cause=TierCause.KEPT, metric=metric)


def review(terms: Terms, holding: Holding, at: datetime) -> Step | None:
    """Look at a member anew because tiers or their policy changed: what it has it keeps until that expires (K3)."""
    day = terms.day_of(at)
    metric = terms.metric_on(day)
    found = tiers.reached(terms.ladder, metric)
    if tiers.rank_of(found) > tiers.rank_of(holding.tier):
        return Step(
            holding=Holding(tier=found, valid_until=terms.until(day, found)), cause=TierCause.REACHED, metric=metric
        )
    expected = terms.until(day, holding.tier)
    if (holding.valid_until is None) == (expected is None):
        return None
    # A policy that had no end has one now, which begins today; or there is none any more.
    return Step(holding=Holding(tier=holding.tier, valid_until=expected), cause=TierCause.REVIEWED, metric=metric)


def tier_at(history: Sequence[TierChange], current_id: UUID | None, at: datetime) -> UUID | None:
    """The tier a member had at an instant, by its history (K4). Steps that left it in force say nothing of it."""
    changes = [change for change in history if change.tier_id != change.tier_id_before]
    steps = sorted(changes, key=lambda change: (change.occurred_at, change.recorded_at, change.id.int))
    before = [change for change in steps if change.occurred_at <= at]
    if before:
        return before[-1].tier_id
    return steps[0].tier_id_before if steps else current_id


@dataclass(frozen=True, slots=True, kw_only=True)
class TierProgress:
    """Where a member stands (K4): its metric in the window of today, and how far it is to keep its tier or rise.

    All of it is about the tier in force: `gap` is to `next_tier`, the lowest above it; `projected_tier` is in force
    after it ends, grace included, if nothing more is earned. `keep_gap` is what still keeps it, None for a tier that is
    set by hand: nothing keeps that one, and what is earned by then follows it.
    """

    metric: int
    metric_kind: TierMetric
    window: Days
    tier: Tier | None
    is_set_by_hand: bool
    next_tier: Tier | None
    gap: int
    keep_gap: int | None
    valid_until: datetime | None
    grace_until: datetime | None
    projected_tier: Tier | None


def progress(
    terms: Terms, holding: Holding, by_hand: tuple[Tier | None, datetime] | None, now: datetime
) -> TierProgress:
    """Where a member stands now; `by_hand` is the tier that staff gave, and until when."""
    today = terms.day_of(now)
    window = window_of(terms.policy, today, terms.joined)
    metric = terms.metric_of(window)
    tier, valid_until = (holding.tier, holding.valid_until) if by_hand is None else by_hand
    following = tiers.next_above(terms.ladder, tier)
    return TierProgress(
        metric=metric,
        metric_kind=terms.policy.metric,
        window=window,
        tier=tier,
        is_set_by_hand=by_hand is not None,
        next_tier=following,
        gap=0 if following is None else max(0, following.threshold - metric),
        keep_gap=keep_gap(terms, holding) if by_hand is None else None,
        valid_until=valid_until,
        grace_until=holding.grace_until if by_hand is None else None,
        projected_tier=projected(terms, holding) if by_hand is None else earned_at(terms, holding, by_hand[1]),
    )


def keep_gap(terms: Terms, holding: Holding) -> int:
    """How much more of the metric keeps a tier at its next expiry, as things stand; 0 if it cannot be lost."""
    if holding.tier is None or holding.valid_until is None or terms.policy.downgrade is Downgrade.NONE:
        return 0
    return max(0, holding.tier.keeps_at - terms.metric_of(keep_days(terms, holding)))


def projected(terms: Terms, holding: Holding) -> Tier | None:
    """The tier after the next expiry and its grace, if nothing more is earned until then."""
    if holding.valid_until is None or holding.tier is None:
        return holding.tier
    step = after_expiry(terms, holding)
    if step.cause is TierCause.GRACE:
        step = after_expiry(terms, step.holding)
    return step.holding.tier


def earned_at(terms: Terms, holding: Holding, at: datetime) -> Tier | None:
    """The tier that is earned at a later instant, if nothing more is until then: what ends by then has ended."""
    while holding.due_at is not None and holding.due_at <= at:
        # What is never taken away need not be followed through its renewals.
        if terms.policy.downgrade is Downgrade.NONE or (holding.tier is not None and not holding.tier.keeps_at):
            break
        holding = after_expiry(terms, holding).holding
    return holding.tier
