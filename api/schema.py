"""The whole schema: every feature's queries and mutations, under one set of scalars."""

from typing import Final

import strawberry
from graphql import GraphQLArgument, GraphQLInputField, GraphQLInputObjectType, GraphQLObjectType, Undefined
from strawberry.schema.config import StrawberryConfig

from api import (
    activities,
    api_keys,
    badges,
    campaigns,
    checkout,
    enrollments,
    live,
    members,
    nodes,
    offsets,
    operators,
    previews,
    programs,
    redemptions,
    scalars,
    segments,
    sessions,
    standings,
    stores,
    tiers,
    trade,
)
from api.challenges import achieving
from api.check_ins import activity as check_in_activity
from api.check_ins import commands as check_ins
from api.flash_sales import selling
from api.group_deals import deal, group
from api.leaderboards import board as leaderboards
from api.leaderboards import commands as leaderboard_commands
from api.lotteries import draw, lottery
from api.lotteries import playing as lotteries
from api.points import account
from api.points import commands as points
from api.purchases import purchase, refund
from api.quizzes import playing
from api.referrals import codes, referral, sharing
from api.referrals import policy as referral_policy
from api.rewards import mall
from api.vouchers import pool, template, voucher


@strawberry.type(description="What can be asked.")
class Query(
    programs.ProgramQueries,
    stores.StoreQueries,
    tiers.TierQueries,
    campaigns.CampaignQueries,
    previews.PreviewQueries,
    segments.SegmentQueries,
    members.MemberQueries,
    purchase.PurchaseQueries,
    mall.RewardQueries,
    selling.FlashSaleQueries,
    group.GroupDealQueries,
    template.VoucherTemplateQueries,
    pool.VoucherPoolQueries,
    voucher.VoucherQueries,
    lottery.LotteryQueries,
    draw.DrawQueries,
    offsets.OffsetQueries,
    checkout.CheckoutQueries,
    referral_policy.ReferralPolicyQueries,
    referral.ReferralQueries,
    trade.TradeQueries,
    leaderboards.LeaderboardQueries,
    check_in_activity.CheckInActivityQueries,
    achieving.ChallengeQueries,
    badges.BadgeQueries,
    playing.QuizQueries,
    operators.OperatorQueries,
    api_keys.ApiKeyQueries,
    nodes.NodeQueries,
):
    """Every feature's queries."""


@strawberry.type(description="What can be done. What is refused is in `userErrors`, and changed nothing.")
class Mutation(
    programs.ProgramMutations,
    stores.StoreMutations,
    tiers.TierMutations,
    standings.StandingMutations,
    campaigns.CampaignMutations,
    segments.SegmentMutations,
    enrollments.EnrollmentMutations,
    points.PointsMutations,
    activities.ActivityMutations,
    purchase.PurchaseMutations,
    refund.RefundMutations,
    mall.RewardMutations,
    redemptions.RedemptionMutations,
    selling.FlashSaleMutations,
    deal.GroupDealMutations,
    group.DealGroupMutations,
    template.VoucherTemplateMutations,
    pool.VoucherPoolMutations,
    voucher.VoucherMutations,
    lotteries.LotteryMutations,
    offsets.OffsetMutations,
    referral_policy.ReferralPolicyMutations,
    codes.ReferralCodeMutations,
    referral.ReferralMutations,
    sharing.ShareMutations,
    trade.TradeMutations,
    leaderboard_commands.LeaderboardMutations,
    check_in_activity.CheckInActivityMutations,
    check_ins.CheckInMutations,
    achieving.ChallengeMutations,
    badges.BadgeMutations,
    playing.QuizMutations,
    operators.OperatorMutations,
    api_keys.ApiKeyMutations,
    sessions.SessionMutations,
):
    """Every feature's mutations."""


@strawberry.type(description="What can be listened to: answered at once, and again whenever the answer changed.")
class Subscription(live.LiveSubscriptions):
    """Every feature's live answers."""


# Reached by `node` alone, from which no field of the schema leads to them.
_TYPES: Final = (account.PointTransaction, refund.Refund)


def build(*, mutation: type = Mutation, is_sorted: bool = False) -> strawberry.Schema:
    """The schema, ready to be served; sorted it is only fit to be printed. Benchmarks add a mutation of their own.

    Sorting makes new types, which forget that Strawberry gives resolvers the members of enumerations.
    """
    schema = strawberry.Schema(
        Query,
        mutation,
        Subscription,
        types=_TYPES,
        config=StrawberryConfig(sort_schema=is_sorted, scalar_map=scalars.SCALARS),
    )
    _leave_out_null_defaults(schema)
    return schema


def export() -> str:
    """The contract as text: sorted, with every policy and bound."""
    lines = (line.rstrip() for line in build(is_sorted=True).as_str().splitlines())
    return "\n".join(lines) + "\n"


def _leave_out_null_defaults(schema: strawberry.Schema) -> None:
    """What may be left out has no default of null in the contract: it says nothing that the type does not."""
    types = schema._schema.type_map.values()  # noqa: SLF001 - Strawberry has no public name for the schema it built.
    given: list[GraphQLArgument | GraphQLInputField] = []
    for kind in types:
        if isinstance(kind, GraphQLInputObjectType):
            given.extend(kind.fields.values())
        elif isinstance(kind, GraphQLObjectType):
            given.extend(argument for field in kind.fields.values() for argument in field.args.values())
    for place in given:
        if place.default_value is None:
            place.default_value = Undefined
