"""A catalogue of rules, campaigns and tiers for the other tests here: what a program would save, each kind once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

import pytest

from domain import policies
from domain.audiences import Audience
from domain.check_ins.activity import CheckInActivity, CheckInCycle, MakeUpTerms, Milestone
from domain.earning import checking
from domain.earning.checking import Known
from domain.earning.rules import (
    Anniversary,
    Band,
    Campaign,
    Cap,
    Conditions,
    EarningKind,
    EarningRule,
    Ordinal,
    Period,
    Trigger,
)
from domain.kernel import Refusal
from domain.policies import ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from domain.prizes import Prize, PrizeKind
from domain.referrals.policy import ReferralPolicy
from domain.schedules import Schedule
from domain.stores import Channel
from domain.terms.naming import Naming
from domain.terms.tiers import TierTerms

SILVER, GOLD, HARBOUR, AIRPORT, COFFEES, TEAS, MUG, WHEEL = (UUID(int=number) for number in range(1, 9))


def on(month: int, day: int, hour: int = 16) -> datetime:
    """An instant of 2026; by default a midnight in Shanghai."""
    return datetime(2026, month, day, hour, tzinfo=UTC)


WHEN_FULL: Final = Conditions(
    maximum_minor=90_000,
    quantity_min=2,
    products=("A",),
    without_products=("B",),
    categories=("coffee",),
    without_categories=("tea",),
    stores=(HARBOUR,),
    without_stores=(AIRPORT,),
    channels=(Channel.ONLINE,),
    audience=Audience(tiers=(GOLD,), tags=("vip",), without_tags=("staff",), segments=("sleepers",)),
    new_for_days=30,
    ordinal=Ordinal(number=3, period=Period.MONTH),
    anniversary=Anniversary.BIRTHDAY_MONTH,
    schedule=Schedule(weekdays=(4,), from_hour=10, until_hour=20),
)
SPRING: Final = Campaign(
    code="spring",
    name="Spring",
    starts_at=on(3, 1),
    ends_at=on(5, 1),
    schedule=Schedule(weekdays=(4, 5), from_hour=8),
    audience=Audience(tiers=(SILVER, GOLD)),
    budget=100_000,
)
SUMMER: Final = Campaign(code="summer", name="Summer", starts_at=on(2, 1), ends_at=on(8, 1))
CAMPAIGNS: Final = {campaign.code: campaign for campaign in (SPRING, SUMMER)}
NAMING: Final = Naming(
    currency_code="CNY",
    time_zone="Asia/Shanghai",
    tiers={SILVER: "银卡", GOLD: "金卡"},
    stores={HARBOUR: "Harbour", AIRPORT: "Airport"},
    segments={"sleepers": "Sleepers", "fans": "Fans"},
    campaigns=CAMPAIGNS,
    vouchers={COFFEES: "Coffee", TEAS: "Tea"},
    rewards={MUG: "Mug", COFFEES: "Beans"},
    lotteries={WHEEL: "Wheel"},
)
KNOWN: Final = Known(
    time_zone="Asia/Shanghai",
    today=date(2026, 1, 1),
    categories=("coffee", "tea", "cake"),
    tiers=(SILVER, GOLD),
    stores=(HARBOUR, AIRPORT),
    segments=("sleepers", "fans"),
)

BANDS: Final = (Band(from_minor=0, points=1, amount_minor=100), Band(from_minor=50_000, points=2, amount_minor=100))
AFTER_A_WEEK: Final = PendingPolicy(PendingKind.AFTER, days=7)
ONE_YEAR: Final = ExpiryPolicy(ExpiryKind.DAYS, count=365)
PER_YUAN: Final = EarningRule(code="base", kind=EarningKind.PER_AMOUNT, points=1, amount_minor=100)
FIXED: Final = EarningRule(code="fixed", kind=EarningKind.FIXED, points=50)

RULES: Final[Mapping[str, EarningRule]] = {
    "one point a yuan": PER_YUAN,
    "with everything": replace(
        PER_YUAN,
        includes_freight=True,
        minimum_minor=5_000,
        when=WHEN_FULL,
        starts_at=on(3, 10),
        ends_at=on(4, 10),
        campaign="spring",
        pending=AFTER_A_WEEK,
        expiry=ONE_YEAR,
        caps=(Cap(period=Period.DAY, points=100, times=3), Cap(period=Period.MONTH, points=900)),
        priority=1,
        exclusive_group="main",
    ),
    "bonus": EarningRule(code="bonus", kind=EarningKind.BONUS_AT, points=50, amount_minor=30_000),
    "double": EarningRule(code="double", kind=EarningKind.MULTIPLIER, multiplier_bp=30_000),
    "double for some": EarningRule(code="some", kind=EarningKind.MULTIPLIER, multiplier_bp=25_000, when=WHEN_FULL),
    "tiered": EarningRule(code="tiered", kind=EarningKind.TIERED, bands=BANDS, bands_are_marginal=True),
    "each purchase": FIXED,
    "every third purchase": replace(FIXED, when=Conditions(ordinal=Ordinal(number=3, repeats=True))),
    "from the third purchase on": replace(FIXED, when=Conditions(ordinal=Ordinal(number=3, onwards=True))),
    "days of many kinds": replace(FIXED, when=Conditions(schedule=Schedule(weekdays=(1,), month_days=(8,)))),
    "first purchase": replace(FIXED, trigger=Trigger.FIRST_PURCHASE),
    "joining": replace(FIXED, trigger=Trigger.ENROLLMENT, pending=PendingPolicy(), expiry=ExpiryPolicy()),
    "activity": replace(
        FIXED, trigger=Trigger.ACTIVITY, activity_type="booking", caps=(Cap(period=Period.DAY, times=5),)
    ),
    "signing in": replace(FIXED, trigger=Trigger.CHECK_IN),
    "referral": replace(
        FIXED, trigger=Trigger.REFERRAL, pending=PendingPolicy(PendingKind.ON_DATE, on_date=date(2026, 5, 1))
    ),
    "referred": replace(FIXED, trigger=Trigger.REFERRED),
    "share visited": replace(FIXED, trigger=Trigger.SHARE),
    "birthday": replace(FIXED, trigger=Trigger.BIRTHDAY, expiry=ExpiryPolicy(ExpiryKind.END_OF_MONTH, count=0)),
    "member day": replace(FIXED, trigger=Trigger.MEMBER_DAY, when=Conditions(schedule=Schedule(month_days=(8,)))),
    "challenge": replace(FIXED, trigger=Trigger.CHALLENGE),
    "quiz": replace(FIXED, trigger=Trigger.QUIZ, caps=(Cap(period=Period.DAY, times=1),)),
    "tier reached": replace(
        FIXED, trigger=Trigger.TIER_REACHED, expiry=ExpiryPolicy(ExpiryKind.FIXED_DATE, on_date=date(2026, 12, 31))
    ),
}
TIERS: Final[Mapping[str, TierTerms]] = {
    "everybody's": TierTerms(name="Basic", threshold=0),
    "for ever": TierTerms(name="Gold", threshold=1_000),
    "of a year": TierTerms(
        name="Gold",
        threshold=1_000,
        window="CALENDAR_YEAR",
        keep_threshold=800,
        downgrade="ONE_LEVEL",
        grace_days=30,
        multiplier_bp=15_000,
        discount_bp=500,
        birthday_points=100,
        upgrade_points=300,
        head_start_minutes=30,
        perks=("cake",),
    ),
    "rolling": TierTerms(
        name="Gold", threshold=1_000_00, metric="NET_SPEND", window="ROLLING", months=12, downgrade="FULL"
    ),
    "for some days": TierTerms(
        name="Gold", threshold=5, metric="PURCHASES", validity_days=365, downgrade="FULL", upgrade_points=9
    ),
    "kept by nothing": TierTerms(
        name="Gold", threshold=5, window="ANNIVERSARY", keep_threshold=0, downgrade="ONE_LEVEL"
    ),
    "everybody's until it is lost": TierTerms(
        name="Basic", threshold=0, window="ROLLING", months=6, keep_threshold=10, downgrade="ONE_LEVEL"
    ),
}
DAILY: Final = CheckInActivity(
    id=SILVER, program_id=GOLD, code="daily", name="Daily", ladder=(10,), created_at=on(1, 1)
)
CHECK_INS: Final[Mapping[str, CheckInActivity]] = {
    "the same every day": DAILY,
    "a ladder with milestones": replace(
        DAILY,
        ladder=(1, 2, 5, 5, 5, 9),
        milestones=(
            Milestone(day=3, prize=Prize(kind=PrizeKind.POINTS, points=50)),
            Milestone(day=5, prize=Prize(kind=PrizeKind.CHANCE, chances=3, lottery_id=WHEEL)),
            Milestone(day=7, prize=Prize(kind=PrizeKind.VOUCHER, pool_id=COFFEES), cards=2),
            Milestone(day=9, prize=Prize(kind=PrizeKind.ITEM, reward_id=MUG)),
        ),
        cycle_days=10,
        make_up=MakeUpTerms(days=7, per_month=3, points=20, takes_cards=True),
        audience=Audience(tiers=(GOLD,), tags=("vip",), without_tags=("staff",), segments=("sleepers",)),
        starts_at=on(3, 10),
        ends_at=on(4, 10),
    ),
    "a month": replace(
        DAILY,
        milestones=(Milestone(day=20, prize=Prize(kind=PrizeKind.POINTS, points=100)),),
        replaces_base=True,
        cycle=CheckInCycle.MONTH,
        make_up=MakeUpTerms(days=1, per_month=1, takes_cards=True),
    ),
}
REFERRALS: Final[Mapping[str, ReferralPolicy]] = {
    "both sides": ReferralPolicy(
        id=GOLD,
        program_id=GOLD,
        minimum_minor=5_000,
        referrer_points=100,
        referee_points=50,
        referrer_pool_id=COFFEES,
        referee_pool_id=TEAS,
        caps=(Cap(period=Period.DAY, points=300), Cap(period=Period.MONTH, times=10)),
        share_visitors=3,
    ),
    "shares alone": ReferralPolicy(id=GOLD, program_id=GOLD, sale_points=0),
}
SUBJECTS: Final = {**RULES, "spring": SPRING, "summer": SUMMER, **TIERS, **CHECK_INS, **REFERRALS}


def _is_milestone(milestone: Milestone) -> bool:
    prize = milestone.prize
    needed = {
        PrizeKind.NOTHING: milestone.cards,
        PrizeKind.POINTS: prize.points,
        PrizeKind.VOUCHER: prize.pool_id,
        PrizeKind.ITEM: prize.reward_id,
        PrizeKind.CHANCE: prize.chances and prize.lottery_id,
    }
    return bool(needed[prize.kind])


def _is_priced(terms: MakeUpTerms | None) -> bool:
    return terms is None or terms.points is not None or terms.takes_cards


def is_legal(value: Any) -> bool:
    """Whether the program would save it."""
    try:
        _check(value)
    except Refusal:
        return False
    match value:
        case TierTerms(window="ROLLING", months=None):
            return False
        case CheckInActivity():
            return all(map(_is_milestone, value.milestones)) and _is_priced(value.make_up)
        case ReferralPolicy():
            # One that gives nothing has no terms.
            return value.gives_for_friends or value.share_points > 0
        case _:
            return True


def _check(value: Any) -> None:
    match value:
        case EarningRule():
            checking.check_rule(value, CAMPAIGNS, KNOWN)
        case Campaign():
            checking.check_campaign(value, KNOWN)
        case PendingPolicy():
            policies.check_pending(value)
        case ExpiryPolicy():
            policies.check_expiry(value)


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_the_catalogue_is_what_a_program_would_save(subject: Any) -> None:
    assert is_legal(subject)


def test_the_catalogue_has_every_trigger_and_every_kind() -> None:
    assert {rule.trigger for rule in RULES.values()} == set(Trigger)
    assert {rule.kind for rule in RULES.values()} == set(EarningKind)
