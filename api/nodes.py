"""`node(id)`: any row by its global id, under the policy of its kind. Missing, foreign and forbidden are all null."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import strawberry

from api import access, ids, shapes
from api.context import Info
from domain import access as domain_access
from domain import activities, claims, members, offsets, programs, segments, stores, trade
from domain.access import Scope
from domain.challenges.badges import MemberBadge
from domain.challenges.progress import ChallengeProgress
from domain.check_ins import activity as check_in_activity
from domain.check_ins import check_in
from domain.flash_sales import sale
from domain.group_deals import deal, group
from domain.kernel import Row
from domain.leaderboards.board import Leaderboard
from domain.leaderboards.closing import LeaderboardAward
from domain.lotteries import draw, lottery
from domain.points import account
from domain.purchases import purchase, refund
from domain.quizzes.attempt import QuizAttempt
from domain.quizzes.quiz import Quiz
from domain.redemptions import redemption
from domain.referrals import code, referral, sharing
from domain.rewards import reward
from domain.tiers.tier import Tier
from domain.vouchers import pool, template, voucher


@dataclass(frozen=True, slots=True)
class _Kind:
    """How rows of a kind are found: under which policy, and which attribute names the member they belong to."""

    row: type[Row]
    policy: access.Requires
    member: str | None = None


_PERSONAL: Final = access.staff_or_member(Scope.MEMBERS_READ)
_PUBLIC: Final = access.everyone(Scope.PROGRAM_READ)
_SETTINGS: Final = access.staff(Scope.PROGRAM_READ)
_OWNERS: Final = access.staff(Scope.KEYS_WRITE)
_KINDS: Final = {
    kind.row.__name__: kind
    for kind in (
        _Kind(programs.Program, _PUBLIC),
        _Kind(stores.Store, _PUBLIC),
        _Kind(Tier, _PUBLIC),
        _Kind(stores.StoreGroup, _PUBLIC),
        _Kind(reward.Reward, _PUBLIC),
        _Kind(sale.FlashSale, _PUBLIC),
        _Kind(sale.FlashSaleItem, _PUBLIC),
        _Kind(Leaderboard, _PUBLIC),
        _Kind(LeaderboardAward, access.staff(Scope.MEMBERS_READ)),
        _Kind(lottery.Lottery, _PUBLIC),
        _Kind(draw.Draw, _PERSONAL, "member_id"),
        _Kind(deal.GroupDeal, _PUBLIC),
        _Kind(group.DealGroup, _PUBLIC),
        _Kind(segments.Segment, _SETTINGS),
        _Kind(check_in_activity.CheckInActivity, _PUBLIC),
        _Kind(check_in.CheckIn, _PERSONAL, "member_id"),
        _Kind(members.Member, _PERSONAL, "id"),
        _Kind(account.PointTransaction, _PERSONAL, "member_id"),
        _Kind(activities.Activity, _PERSONAL, "member_id"),
        _Kind(purchase.Purchase, _PERSONAL, "member_id"),
        _Kind(refund.Refund, _PERSONAL, "member_id"),
        _Kind(redemption.Redemption, _PERSONAL, "member_id"),
        _Kind(claims.Claim, _PERSONAL, "member_id"),
        _Kind(voucher.Voucher, _PERSONAL, "member_id"),
        _Kind(ChallengeProgress, _PERSONAL, "member_id"),
        _Kind(MemberBadge, _PERSONAL, "member_id"),
        _Kind(QuizAttempt, _PERSONAL, "member_id"),
        _Kind(Quiz, _PUBLIC),
        _Kind(group.DealSeat, _PERSONAL, "member_id"),
        _Kind(offsets.PointsOffset, _PERSONAL, "member_id"),
        _Kind(referral.Referral, _PERSONAL, "referrer_id"),
        _Kind(code.ReferralCode, _PERSONAL, "member_id"),
        _Kind(sharing.Share, _PERSONAL, "member_id"),
        _Kind(template.VoucherTemplate, _SETTINGS),
        _Kind(pool.VoucherPool, _SETTINGS),
        _Kind(trade.TradeRule, _SETTINGS),
        _Kind(domain_access.ApiKey, _OWNERS),
        _Kind(domain_access.Operator, _OWNERS),
    )
}


@shapes.shape()
class NodeQueries:
    """What can be asked about anything."""

    @access.field(access.everyone())
    async def node(self, info: Info, id: strawberry.ID) -> shapes.Node | None:  # noqa: A002
        """A thing by its global id; null if there is none that the caller may see."""
        decoded = ids.decode(id)
        kind = _KINDS.get(decoded[0]) if decoded else None
        if decoded is None or kind is None or not access.permits(kind.policy, info.context.caller):
            return None
        row = await info.context.loaders.row(kind.row, decoded[1])
        return shapes.as_shape(shapes.Node, row if _is_visible(kind, row, info.context.caller) else None)


def _is_visible(kind: _Kind, row: Row | None, caller: access.Caller) -> bool:
    if isinstance(row, lottery.Lottery) and row.published_at is None:
        return caller.is_staff
    if row is None or not caller.is_member or kind.member is None:
        return row is not None
    owner: UUID = getattr(row, kind.member)
    return owner == caller.id
