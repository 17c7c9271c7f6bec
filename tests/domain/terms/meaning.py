"""Which fields the computation looks at, with legal values of each, and which it does not, and why."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from domain.audiences import Audience
from domain.check_ins.activity import CheckInActivity, CheckInCycle, MakeUpTerms, Milestone
from domain.earning.rules import (
    NONE,
    Anniversary,
    Band,
    Campaign,
    Cap,
    CapPolicy,
    Conditions,
    EarningKind,
    EarningRule,
    Ordinal,
    Period,
    Trigger,
)
from domain.policies import ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from domain.prizes import Prize, PrizeKind
from domain.referrals.policy import ReferralPolicy
from domain.schedules import Schedule
from domain.stores import Channel
from domain.terms.tiers import TierTerms
from tests.domain.terms.test_catalogue import (
    AIRPORT,
    BANDS,
    CAMPAIGNS,
    COFFEES,
    GOLD,
    HARBOUR,
    MUG,
    SILVER,
    TEAS,
    WHEEL,
    on,
)

Key = tuple[type, str]

# Two legal values for every field that the computation looks at. A field that is missing here fails the tests: say in
# the terms what it does, and add it.
VALUES: Final[Mapping[Key, tuple[Any, ...]]] = {
    (EarningRule, "kind"): tuple(EarningKind),
    (EarningRule, "points"): (70, 90),
    (EarningRule, "amount_minor"): (20_000, 19_990),
    (EarningRule, "includes_freight"): (False, True),
    (EarningRule, "minimum_minor"): (10_000, 0),
    (EarningRule, "trigger"): tuple(Trigger),
    (EarningRule, "activity_type"): ("share", "review"),
    (EarningRule, "multiplier_bp"): (15_000, 20_000),
    (EarningRule, "bands"): (BANDS[:1], (*BANDS, Band(from_minor=80_000, points=3, amount_minor=100))),
    (EarningRule, "bands_are_marginal"): (True, False),
    (EarningRule, "when"): (NONE, Conditions(schedule=Schedule(weekdays=(1, 2)))),
    (EarningRule, "starts_at"): (on(3, 5), on(3, 5, 12), on(3, 5, 13), on(3, 6, 12)),
    (EarningRule, "ends_at"): (on(4, 5), on(4, 5, 12), on(4, 5, 13), on(4, 6, 12)),
    (EarningRule, "campaign"): ("spring", "summer"),
    (EarningRule, "pending"): (PendingPolicy(PendingKind.ON_EVENT), PendingPolicy(PendingKind.AFTER, days=15)),
    (EarningRule, "expiry"): (ExpiryPolicy(ExpiryKind.END_OF_YEAR, count=1), ExpiryPolicy(ExpiryKind.DAYS, count=30)),
    (EarningRule, "caps"): ((Cap(period=Period.YEAR, points=10),), (Cap(period=Period.LIFETIME, times=1),)),
    (EarningRule, "cap_policy"): tuple(CapPolicy),
    (EarningRule, "priority"): (5, -5),
    (EarningRule, "exclusive_group"): ("one", "other"),
    (Band, "from_minor"): (10_000, 20_000),
    (Band, "points"): (7, 9),
    (Band, "amount_minor"): (1_000, 2_000),
    (Cap, "period"): tuple(Period),
    (Cap, "points"): (70, 90),
    (Cap, "times"): (2, 4),
    (Ordinal, "number"): (2, 4),
    (Ordinal, "period"): tuple(Period),
    (Ordinal, "repeats"): (False, True),
    (Ordinal, "onwards"): (False, True),
    (Conditions, "maximum_minor"): (70_000, 80_000),
    (Conditions, "quantity_min"): (3, 4),
    (Conditions, "products"): (("C",), ("C", "D")),
    (Conditions, "without_products"): (("E",), ("E", "F")),
    (Conditions, "categories"): (("cake",), ("cake", "coffee")),
    (Conditions, "without_categories"): (("cake",), ("cake", "tea")),
    (Conditions, "stores"): ((HARBOUR,), (AIRPORT,), ()),
    (Conditions, "without_stores"): ((AIRPORT,), (HARBOUR,), ()),
    (Conditions, "channels"): (tuple(Channel), (Channel.PHONE,)),
    (Conditions, "audience"): (Audience(tiers=(SILVER, GOLD)), Audience()),
    (Conditions, "new_for_days"): (0, 7, 8),
    (Conditions, "ordinal"): (Ordinal(number=2), Ordinal(number=2, period=Period.WEEK)),
    (Conditions, "anniversary"): tuple(Anniversary),
    (Conditions, "schedule"): (Schedule(weekdays=(4, 5)), Schedule(until_hour=20)),
    (Audience, "tiers"): ((SILVER,), (SILVER, GOLD)),
    (Audience, "tags"): (("a",), ("a", "b")),
    (Audience, "without_tags"): (("c",), ("c", "d")),
    (Audience, "segments"): (("fans",), ("fans", "sleepers")),
    (Schedule, "weekdays"): ((4, 5, 6), (3, 4, 5, 6), (4, 5, 6, 7), (4, 7)),
    (Schedule, "month_days"): ((8, 18), (9,)),
    (Schedule, "dates"): (("03-12", "03-19"), ("03-12",), ("04-02",), ("04-09",), ("2026-03-12",)),
    (Schedule, "from_hour"): (9, 11),
    (Schedule, "until_hour"): (21, 22),
    (PendingPolicy, "kind"): tuple(PendingKind),
    (PendingPolicy, "days"): (3, 4),
    (PendingPolicy, "on_date"): (date(2026, 6, 1), date(2026, 7, 1)),
    (ExpiryPolicy, "kind"): tuple(ExpiryKind),
    (ExpiryPolicy, "count"): (1, 2),
    (ExpiryPolicy, "on_date"): (date(2027, 6, 1), date(2027, 7, 1)),
    (Campaign, "name"): ("Sakura", "May"),
    (Campaign, "starts_at"): (on(2, 20), on(2, 20, 4)),
    (Campaign, "ends_at"): (on(5, 20), on(5, 20, 4)),
    (Campaign, "schedule"): (Schedule(weekdays=(4,)), Schedule()),
    (Campaign, "audience"): (Audience(tiers=(GOLD,)), Audience()),
    (Campaign, "budget"): (7_000, None),
    (TierTerms, "name"): ("Silver", "Platinum"),
    (TierTerms, "threshold"): (2_000, 3_000),
    (TierTerms, "metric"): ("QUALIFYING_POINTS", "NET_SPEND", "PURCHASES"),
    (TierTerms, "window"): ("CALENDAR_YEAR", "ROLLING", "ANNIVERSARY", "LIFETIME"),
    (TierTerms, "months"): (6, 3),
    (TierTerms, "validity_days"): (100, 200),
    (TierTerms, "keep_threshold"): (500, 600),
    (TierTerms, "downgrade"): ("NONE", "ONE_LEVEL", "FULL"),
    (TierTerms, "grace_days"): (7, 14),
    (TierTerms, "multiplier_bp"): (20_000, 12_000),
    (TierTerms, "discount_bp"): (1_000, 1_250),
    (TierTerms, "birthday_points"): (200, 0),
    (TierTerms, "upgrade_points"): (500, 0),
    (TierTerms, "head_start_minutes"): (60, 0),
    (TierTerms, "perks"): (("tea",), ("tea", "cake")),
    (CheckInActivity, "name"): ("Sakura", "May"),
    (CheckInActivity, "ladder"): ((20,), (1, 2), (1, 2, 2), (1, 1, 2), (0, 2), (0,)),
    (CheckInActivity, "milestones"): ((), (Milestone(day=5, cards=1),), (Milestone(day=5, cards=2),)),
    (CheckInActivity, "replaces_base"): (False, True),
    (CheckInActivity, "cycle"): tuple(CheckInCycle),
    (CheckInActivity, "cycle_days"): (15, 366),
    (CheckInActivity, "make_up"): (None, MakeUpTerms(days=3, per_month=2, points=0)),
    (CheckInActivity, "audience"): (Audience(tiers=(SILVER,)), Audience()),
    (CheckInActivity, "starts_at"): (on(3, 5), on(3, 5, 12), None),
    (CheckInActivity, "ends_at"): (on(4, 15), on(4, 15, 12), None),
    (Milestone, "day"): (1, 8),
    (Milestone, "prize"): (Prize(kind=PrizeKind.POINTS, points=9), Prize(kind=PrizeKind.ITEM, reward_id=MUG)),
    (Milestone, "cards"): (1, 3),
    (Prize, "kind"): tuple(PrizeKind),
    (Prize, "points"): (70, 90),
    (Prize, "pool_id"): (COFFEES, TEAS),
    (Prize, "reward_id"): (MUG, COFFEES),
    (Prize, "chances"): (1, 5),
    (Prize, "lottery_id"): (WHEEL, TEAS),
    (MakeUpTerms, "days"): (2, 31),
    (MakeUpTerms, "per_month"): (1, 2, 5),
    (MakeUpTerms, "points"): (1, 30, None),
    (MakeUpTerms, "takes_cards"): (False, True),
    (ReferralPolicy, "window_days"): (1, 365),
    (ReferralPolicy, "minimum_minor"): (0, 990),
    (ReferralPolicy, "refund_days"): (0, 1, 30),
    (ReferralPolicy, "referrer_points"): (0, 1, 70),
    (ReferralPolicy, "referee_points"): (0, 1, 70),
    (ReferralPolicy, "referrer_pool_id"): (None, COFFEES, TEAS),
    (ReferralPolicy, "referee_pool_id"): (None, COFFEES, TEAS),
    (ReferralPolicy, "caps"): ((), (Cap(period=Period.DAY, times=1),), (Cap(period=Period.MONTH, points=9),)),
    (ReferralPolicy, "cap_policy"): tuple(CapPolicy),
    (ReferralPolicy, "share_points"): (0, 1, 7),
    (ReferralPolicy, "share_visitors"): (1, 2),
    (ReferralPolicy, "share_daily_max"): (1, 2, 9),
    (ReferralPolicy, "sale_points"): (0, 1, 7),
}

# Fields that are no matter of terms, and why.
NO_MATTER: Final[Mapping[Key, str]] = {
    (EarningRule, "code"): "the shop's key of the rule; it decides only between two offers that give the same",
    (EarningRule, "name"): "the heading over the terms; nothing is computed from it",
    (EarningRule, "version"): "when the rule was last changed; the terms are of the rule as it is",
    (Campaign, "code"): "the shop's key of the campaign; members know it by name",
    (Campaign, "description"): "the shop's own words beside the terms; nothing is computed from it",
    (Campaign, "is_public"): "whether the calendar shows the campaign beforehand; it gives the same either way",
    (CheckInActivity, "id"): "the row's",
    (CheckInActivity, "program_id"): "the row's",
    (CheckInActivity, "code"): "the shop's key of the activity; members know it by name",
    (CheckInActivity, "reminder_hour"): "when a member is reminded; it is given the same either way",
    (CheckInActivity, "is_active"): "one that is switched off is not published",
    (CheckInActivity, "created_at"): "a day before there was an activity was not missed",
    (ReferralPolicy, "id"): "the row's",
    (ReferralPolicy, "program_id"): "the row's",
    (ReferralPolicy, "is_active"): "one that is switched off is not published",
    (ReferralPolicy, "hourly_max"): "what is looked into is told to nobody who might go round it",
    (ReferralPolicy, "reviews_address"): "what is looked into is told to nobody who might go round it",
    (ReferralPolicy, "link"): "where the shop's links lead; nothing is computed from it",
    (Campaign, "version"): "when the campaign was last changed; the terms are of the campaign as it is",
}


def overlooked(value: Any) -> frozenset[str]:
    """The fields that the computation does not look at, as the others stand."""
    match value:
        case EarningRule():
            return frozenset(_overlooked_in_rule(value))
        case Ordinal(repeats=True):
            return frozenset({"onwards"})
        case TierTerms():
            return frozenset(_overlooked_in_tier(value))
        case CheckInActivity():
            return frozenset(_overlooked_in_check_in(value))
        case ReferralPolicy():
            return frozenset(_overlooked_in_referrals(value))
        case _:
            return frozenset(_overlooked_by_kind(value))


# What a value of a kind has besides, by the kind.
OF_KINDS: Final[Mapping[type, Mapping[Any, set[str]]]] = {
    PendingPolicy: {PendingKind.AFTER: {"days"}, PendingKind.ON_DATE: {"on_date"}},
    ExpiryPolicy: {kind: {"count"} for kind in ExpiryKind}
    | {ExpiryKind.FIXED_DATE: {"on_date"}, ExpiryKind.NEVER: set()},
    Prize: {
        PrizeKind.POINTS: {"points"},
        PrizeKind.VOUCHER: {"pool_id"},
        PrizeKind.ITEM: {"reward_id"},
        PrizeKind.CHANCE: {"chances", "lottery_id"},
    },
}


def _overlooked_by_kind(value: Any) -> set[str]:
    named = OF_KINDS.get(type(value), {})
    return set().union(*named.values()) - named.get(getattr(value, "kind", None), set())


def _overlooked_in_rule(rule: EarningRule) -> Iterator[str]:
    if rule.kind is not EarningKind.MULTIPLIER:
        yield "multiplier_bp"
    if rule.kind is not EarningKind.TIERED:
        yield from ("bands", "bands_are_marginal")
    else:
        yield from ("points", "amount_minor")
    if rule.kind is EarningKind.MULTIPLIER:
        yield from ("points", "amount_minor")
    if rule.kind is EarningKind.FIXED:
        yield "amount_minor"
    budget = None if rule.campaign is None else CAMPAIGNS[rule.campaign].budget
    if budget is None and all(cap.points is None for cap in rule.caps):
        # A cap of times leaves all or nothing, so that there is no part to give or to keep.
        yield "cap_policy"


def _overlooked_in_tier(tier: TierTerms) -> Iterator[str]:
    if not tier.can_be_lost:
        # By which of the three it is safe makes no difference: it has no end, needs nothing, or is never taken away.
        yield from ("validity_days", "keep_threshold", "downgrade", "grace_days")
    is_everybodys = tier.threshold == 0 and not tier.can_be_lost
    if is_everybodys:
        yield "metric"
    if is_everybodys and not tier.upgrade_points:
        yield "window"
    if tier.window != "ROLLING" or (is_everybodys and not tier.upgrade_points):
        yield "months"


def _overlooked_in_check_in(activity: CheckInActivity) -> Iterator[str]:
    if not activity.milestones:
        yield from ("replaces_base", "cycle")
    if not activity.milestones or activity.cycle is not CheckInCycle.DAYS:
        yield "cycle_days"


def _overlooked_in_referrals(policy: ReferralPolicy) -> Iterator[str]:
    gives_points = policy.referrer_points > 0
    gives = (gives_points, policy.referee_points > 0, policy.sale_points > 0)
    if not any(gives) and policy.referrer_pool_id is None and policy.referee_pool_id is None:
        yield from ("window_days", "minimum_minor", "refund_days")
    if not gives_points:
        yield "caps"
    if not gives_points or all(cap.points is None for cap in policy.caps):
        yield "cap_policy"
    if not policy.share_points:
        yield from ("share_visitors", "share_daily_max")
