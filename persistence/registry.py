"""Every stored kind, parents before children: the order in which rows are locked and written."""

from typing import Final

from domain.access import ApiKey, MemberSession, Operator
from domain.activities import Activity
from domain.challenges.badges import MemberBadge
from domain.challenges.challenge_sets import ChallengeSet
from domain.challenges.progress import ChallengeCompletion, ChallengeMark, ChallengeProgress
from domain.chances import ChanceGrant, LotteryRun, LotteryStanding
from domain.check_ins.activity import CheckInActivity
from domain.check_ins.cards import MakeUpCardEntry, MakeUpCards
from domain.check_ins.check_in import CheckIn
from domain.check_ins.streak import Streak
from domain.claims import Claim, FlashSaleHold, FlashSaleStock
from domain.earning.grants import Grant
from domain.earning.limits import CampaignBudget, EarningCount
from domain.earning.rule_sets import EarningRules
from domain.flash_sales.reminders import FlashSaleReminder
from domain.flash_sales.sale import FlashSale, FlashSaleItem
from domain.group_deals.deal import GroupDeal, GroupDealStock
from domain.group_deals.group import DealGroup, DealSeat
from domain.identities import MemberIdentity
from domain.kernel import Row
from domain.leaderboards.board import Leaderboard, LeaderboardClock
from domain.leaderboards.closing import LeaderboardAward, LeaderboardPeriod, LeaderboardPlace
from domain.leaderboards.participation import LeaderboardParticipation
from domain.lotteries.draw import Draw
from domain.lotteries.lottery import Lottery, LotterySeed, PrizeStock
from domain.lotteries.tickets import LotteryTicket
from domain.members import Member
from domain.offsets import OffsetPolicy, PointsOffset
from domain.points.account import Hold, Lot, LotDraw, PointsAccount, PointTransaction, Shortfall
from domain.points.qualifying import QualifyingEntry
from domain.programs import Program
from domain.purchases.purchase import Purchase
from domain.purchases.refund import Refund
from domain.quizzes.attempt import QuizAttempt, QuizStanding
from domain.quizzes.quiz import Quiz
from domain.redemptions.redemption import Redemption
from domain.referrals.code import ReferralCode, ReferralPace
from domain.referrals.policy import ReferralPolicy
from domain.referrals.referral import Referral
from domain.referrals.sharing import Share, ShareVisit
from domain.rewards.commands import RewardFavourite
from domain.rewards.reward import Reward
from domain.rewards.stock import RewardStock, StockHold
from domain.segments import Segment
from domain.stores import Store, StoreGroup
from domain.tiers.standing import TierChange
from domain.tiers.tier import Tier
from domain.trade import TradeAllowance, TradeRule
from domain.vouchers.pool import VoucherCode, VoucherPool
from domain.vouchers.template import VoucherTemplate
from domain.vouchers.voucher import Voucher

# A table registers itself when its module is imported.
from persistence import (
    access,
    activities,
    challenges,
    check_ins,
    earning,
    flash_sales,
    group_deals,
    identities,
    lotteries,
    members,
    offsets,
    points,
    programs,
    purchases,
    quizzes,
    redemptions,
    referrals,
    rewards,
    segments,
    stores,
    tiers,
    trade,
    vouchers,
)
from persistence.leaderboards import tables as leaderboards
from persistence.tables import TABLES

_KINDS: Final[tuple[type[Row], ...]] = (
    Program,
    EarningRules,
    ChallengeSet,
    CampaignBudget,
    StoreGroup,
    Store,
    TradeRule,
    TradeAllowance,
    OffsetPolicy,
    Tier,
    Segment,
    Quiz,
    VoucherTemplate,
    VoucherPool,
    VoucherCode,
    Reward,
    GroupDeal,
    # Groups are locked before the accounts of those who are in them.
    GroupDealStock,
    DealGroup,
    Member,
    PointsAccount,
    PointTransaction,
    Lot,
    LotDraw,
    Hold,
    Shortfall,
    QualifyingEntry,
    TierChange,
    EarningCount,
    Grant,
    Activity,
    Purchase,
    Refund,
    PointsOffset,
    ReferralPolicy,
    MemberIdentity,
    ReferralCode,
    ReferralPace,
    Share,
    ShareVisit,
    Referral,
    RewardStock,
    RewardFavourite,
    Redemption,
    StockHold,
    FlashSale,
    FlashSaleItem,
    FlashSaleStock,
    Claim,
    FlashSaleHold,
    FlashSaleReminder,
    DealSeat,
    Voucher,
    LeaderboardParticipation,
    Leaderboard,
    LeaderboardClock,
    LeaderboardPeriod,
    LeaderboardPlace,
    LeaderboardAward,
    CheckInActivity,
    Streak,
    CheckIn,
    MakeUpCards,
    MakeUpCardEntry,
    Lottery,
    LotterySeed,
    LotteryRun,
    PrizeStock,
    LotteryStanding,
    ChanceGrant,
    LotteryTicket,
    Draw,
    ChallengeProgress,
    ChallengeCompletion,
    ChallengeMark,
    MemberBadge,
    QuizAttempt,
    QuizStanding,
    ApiKey,
    Operator,
    MemberSession,
)
_MODULES: Final = (
    access,
    activities,
    check_ins,
    challenges,
    earning,
    flash_sales,
    leaderboards,
    lotteries,
    identities,
    group_deals,
    members,
    offsets,
    points,
    programs,
    purchases,
    quizzes,
    redemptions,
    referrals,
    rewards,
    segments,
    stores,
    tiers,
    trade,
    vouchers,
)

assert set(_KINDS) == set(TABLES), "every table has its place in the order, and nothing else has"
KIND_ORDER: Final = {kind: place for place, kind in enumerate(_KINDS)}
