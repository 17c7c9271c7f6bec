"""Every stored kind, parents before children: the order in which rows are locked and written."""

from typing import Final

from domain.access import ApiKey, MemberSession, Operator
from domain.activities import Activity
from domain.earning.grants import Grant
from domain.earning.limits import CampaignBudget, EarningCount
from domain.earning.rule_sets import EarningRules
from domain.kernel import Row
from domain.members import Member
from domain.points.account import Hold, Lot, LotDraw, PointsAccount, PointTransaction, Shortfall
from domain.points.qualifying import QualifyingEntry
from domain.programs import Program
from domain.purchases.purchase import Purchase
from domain.purchases.refund import Refund
from domain.redemptions import Redemption
from domain.rewards import Reward, RewardStock
from domain.segments import Segment
from domain.stores import Store
from domain.tiers.standing import TierChange
from domain.tiers.tier import Tier

# A table registers itself when its module is imported.
from persistence import (
    access,
    activities,
    earning,
    members,
    points,
    programs,
    purchases,
    rewards,
    segments,
    stores,
    tiers,
)
from persistence.tables import TABLES

_KINDS: Final[tuple[type[Row], ...]] = (
    Program,
    EarningRules,
    CampaignBudget,
    Store,
    Tier,
    Segment,
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
    Reward,
    RewardStock,
    Redemption,
    ApiKey,
    Operator,
    MemberSession,
)
_MODULES: Final = (access, activities, earning, members, points, programs, purchases, rewards, segments, stores, tiers)

assert set(_KINDS) == set(TABLES), "every table has its place in the order, and nothing else has"
KIND_ORDER: Final = {kind: place for place, kind in enumerate(_KINDS)}
