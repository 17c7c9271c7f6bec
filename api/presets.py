"""What real shops give points for, with the figures they use: the demo program's rules and games, and a start."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain import calendars
from domain.achievements.editing import SaveChallenge
from domain.campaigns import EditRules
from domain.challenges.challenge import Challenge, ChallengeReward, Recurrence, Step, StepKind
from domain.check_ins.activity import MakeUpTerms, Milestone
from domain.check_ins.saving import CheckInTerms, SaveCheckInActivity
from domain.earning.rules import (
    Campaign,
    Cap,
    Conditions,
    EarningKind,
    EarningRule,
    Period,
    Trigger,
)
from domain.leaderboards.board import BoardMetric, BoardWindow, PrizeRange
from domain.leaderboards.commands import CreateLeaderboard
from domain.lotteries.lottery import DrawLimit, LotteryKind, LotteryPrize
from domain.lotteries.saving import SaveLottery
from domain.policies import Downgrade, TierMetric, TierPolicy, TierWindow
from domain.prizes import Prize, PrizeKind
from domain.referrals import policy as referral_policies
from domain.referrals.policy import SaveReferralPolicy
from domain.schedules import Schedule
from domain.tiers.tier import CreateTier, TierBenefits

DIGITAL: Final = "数码"
CATEGORIES: Final = ("茶叶", "茶具", DIGITAL)
THURSDAY: Final = "double-thursday"
_CAMPAIGN_DAYS: Final = 365
# Announced a week ahead, as the calendar shows it.
_AHEAD_DAYS: Final = 7

# Twelve months to reach a tier, and twelve to keep it; who does not goes down by one, after 30 days of grace (S6, S11).
TIER_POLICY: Final = TierPolicy(
    metric=TierMetric.QUALIFYING_POINTS,
    window=TierWindow.ROLLING,
    months=12,
    downgrade=Downgrade.ONE_LEVEL,
    grace_days=30,
)
TIERS: Final = (
    CreateTier(name="普通", rank=1, threshold=0),
    CreateTier(
        name="银卡",
        rank=2,
        threshold=1000,
        keep_threshold=800,
        multiplier_bp=12_000,
        benefits=TierBenefits(
            discount_bp=500, birthday_points=100, upgrade_points=100, head_start_minutes=10, perks=("专属客服",)
        ),
    ),
    CreateTier(
        name="金卡",
        rank=3,
        threshold=5000,
        keep_threshold=4000,
        multiplier_bp=15_000,
        benefits=TierBenefits(
            discount_bp=1000,
            birthday_points=200,
            upgrade_points=300,
            head_start_minutes=30,
            perks=("专属客服", "生日到店礼", "新品品鉴会"),
        ),
    ),
)


def _gift(code: str, name: str, points: int, trigger: Trigger, cap: Cap | None = None) -> EarningRule:
    caps = () if cap is None else (cap,)
    return EarningRule(code=code, name=name, kind=EarningKind.FIXED, points=points, trigger=trigger, caps=caps)


def _activity(kind: str, name: str, points: int, cap: Cap | None = None) -> EarningRule:
    return EarningRule(
        code=kind,
        name=name,
        kind=EarningKind.FIXED,
        points=points,
        trigger=Trigger.ACTIVITY,
        activity_type=kind,
        caps=() if cap is None else (cap,),
    )


PURCHASES: Final = (
    # 1 yuan = 1 point, and 10 yuan = 1 point for what has little margin (S13, S14).
    EarningRule(
        code="base",
        name="消费积分",
        kind=EarningKind.PER_AMOUNT,
        points=1,
        amount_minor=100,
        when=Conditions(without_categories=(DIGITAL,)),
    ),
    EarningRule(
        code="digital",
        name="数码积分",
        kind=EarningKind.PER_AMOUNT,
        points=1,
        amount_minor=1000,
        when=Conditions(categories=(DIGITAL,)),
    ),
    EarningRule(code="full-300", name="满额加赠", kind=EarningKind.BONUS_AT, points=50, amount_minor=30_000),
    _gift("first-purchase", "首单礼", 100, Trigger.FIRST_PURCHASE),
)
ACTIVITIES: Final = (
    _gift("referral", "推荐好友", 100, Trigger.REFERRAL, Cap(period=Period.MONTH, times=10)),
    _gift("birthday", "生日礼", 50, Trigger.BIRTHDAY),
    _activity("share", "分享", 5, Cap(period=Period.DAY, times=5)),
    _activity("review", "评价", 20, Cap(period=Period.DAY, times=3)),
    _activity("follow", "关注公众号并留言", 5, Cap(period=Period.LIFETIME, times=1)),
    _activity("booking", "预约到店", 10, Cap(period=Period.WEEK, times=1)),
    _activity("survey", "问卷", 20, Cap(period=Period.MONTH, times=1)),
    _activity("story", "购物故事", 50, Cap(period=Period.MONTH, times=2)),
    _activity("profile", "完善资料", 30, Cap(period=Period.LIFETIME, times=1)),
)

# 10 a day, and 100 more for every 20 days in a row; of the last week, two days a month may be made up (S17).
CHECK_IN: Final = SaveCheckInActivity(
    code="daily",
    name="每日签到",
    terms=CheckInTerms(
        ladder=(10,),
        milestones=(Milestone(day=20, prize=Prize(kind=PrizeKind.POINTS, points=100)),),
        make_up=MakeUpTerms(days=7, per_month=2, points=20, takes_cards=True),
        reminder_hour=20,
    ),
)

# Points earned this month: its first three are given 100 more (S19, S20).
BOARD: Final = CreateLeaderboard(
    code="month",
    name="本月积分榜",
    metric=BoardMetric.POINTS_EARNED,
    window=BoardWindow.MONTH,
    prizes=(PrizeRange(first=1, last=3, prize=Prize(kind=PrizeKind.POINTS, points=100)),),
)
# Whoever buys three times in a month is given 50 (S14).
CHALLENGE: Final = SaveChallenge(
    challenge=Challenge(
        code="three-a-month",
        name="月度三单",
        steps=(Step(kind=StepKind.PURCHASES, target=3),),
        recurrence=Recurrence.MONTHLY,
        reward=ChallengeReward(points=50),
    )
)


def wheel(pool_id: UUID, founded_at: datetime) -> SaveLottery:
    """One draw a day is free, further ones cost 10 points; one of ten in a row wins at the latest. For a year."""
    return SaveLottery(
        code="wheel",
        name="幸运转盘",
        kind=LotteryKind.INSTANT,
        rules="每天免费抽一次，之后每次10积分，每天最多五次；连续九次未中，第十次必中。",
        points=10,
        free_per_day=1,
        limits=(DrawLimit(period=Period.DAY, draws=5),),
        prizes=(
            LotteryPrize(
                code="voucher",
                name="10 元优惠券",
                rank=2,
                weight=5,
                daily_stock=20,
                prize=Prize(kind=PrizeKind.VOUCHER, pool_id=pool_id),
            ),
            LotteryPrize(
                code="points", name="20 积分", rank=1, weight=20, prize=Prize(kind=PrizeKind.POINTS, points=20)
            ),
            LotteryPrize(code="none", name="谢谢参与", weight=75, prize=Prize(kind=PrizeKind.NOTHING)),
        ),
        guarantee_every=10,
        guarantee_rank=1,
        starts_at=founded_at,
        ends_at=founded_at + timedelta(days=_CAMPAIGN_DAYS),
    )


def demo(founded_at: datetime, zone_name: str) -> EditRules:
    """The rules of the demo program; what has days begins with the day on which it was founded."""
    founded_at = calendars.start_of(calendars.local_date(founded_at, zone_name), zone_name)
    double = Campaign(
        code=THURSDAY,
        name="周四双倍积分日",
        starts_at=founded_at + timedelta(days=_AHEAD_DAYS),
        ends_at=founded_at + timedelta(days=_CAMPAIGN_DAYS),
        schedule=Schedule(weekdays=(4,)),
    )
    doubled = EarningRule(code=THURSDAY, kind=EarningKind.MULTIPLIER, multiplier_bp=20_000, campaign=THURSDAY)
    member_day = EarningRule(
        code="member-day",
        name="会员日",
        kind=EarningKind.FIXED,
        points=8,
        trigger=Trigger.MEMBER_DAY,
        when=Conditions(schedule=Schedule(month_days=(8,))),
        starts_at=founded_at,
    )
    return EditRules(rules=(*PURCHASES, doubled, *ACTIVITIES, member_day), campaigns=(double,), replaces=True)


def referrals(program_id: UUID) -> SaveReferralPolicy:
    """Who brings a friend has 100 points by the rule `referral`, and the friend 50; a share has 5 (S18, S41)."""
    policy = replace(
        referral_policies.default_policy(program_id),
        is_active=True,
        minimum_minor=5_000,
        referee_points=50,
        link="https://shop.example/i/{code}",
    )
    return SaveReferralPolicy(policy=policy)
