"""A program's rules in plain words, Chinese and English, made from the data that is computed with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

import strawberry

from api import shapes
from api.context import Context
from domain import calendars, schedules
from domain.earning.rule_sets import EarningRules
from domain.earning.rules import Campaign, EarningRule
from domain.lotteries.lottery import Lottery
from domain.policies import TierPolicy
from domain.programs import Program
from domain.rewards.reward import Reward
from domain.terms import check_ins as check_in_terms
from domain.terms import policies as policy_terms
from domain.terms import referrals as referral_terms
from domain.terms import rules as rule_terms
from domain.terms import tiers as tier_terms
from domain.terms import wording
from domain.terms.naming import Naming
from domain.tiers.tier import Tier
from domain.values import changed
from domain.vouchers.pool import VoucherPool
from domain.vouchers.template import VoucherTemplate
from persistence import check_ins, referrals


@shapes.shape()
class Terms:
    """What the data says, for members to read."""

    chinese: str
    english: str


class Topic(StrEnum):
    """What published terms are about."""

    EARNING = "EARNING"  # a rule that gives points
    POINTS = "POINTS"  # when points may be spent, and how long they last
    TIER = "TIER"  # how a tier is reached and kept, and what it gives
    CHECK_IN = "CHECK_IN"  # what signing in every day gives, and what may be made up
    REFERRAL = "REFERRAL"  # what bringing friends and sharing give


shapes.named(Topic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One of a program's terms in words. `code` is the code of a rule or check-in activity, or a tier's name."""

    topic: Topic
    code: str
    chinese: str
    english: str


@shapes.shape()
class PublishedRule:
    """One of the program's terms, in words made from the data that is computed with, so that the two cannot differ."""

    topic: Topic
    code: str = strawberry.field(description="The code of the rule or check-in activity, or the tier's name.")
    chinese: str
    english: str


async def naming(context: Context, rule_set: EarningRules) -> Naming:
    """What the things are called that rules name, gathered once a request: a thousand rules need one."""
    return await context.loaders.naming(rule_set.version)


async def of_rule(context: Context, rule: EarningRule) -> wording.Terms:
    """A rule in words, in the version in which it was last changed."""
    rule_set = await context.loaders.rule_set(rule.version)
    return rule_terms.of_rule(rule, await naming(context, rule_set))


async def published(context: Context, program: Program) -> list[Published]:
    """All that a member may want to know: what gives points now or later, how long they last, the tiers, and what
    signing in and bringing friends give."""
    rule_set = await context.loaders.rule_set(program.rule_version)
    called = await naming(context, rule_set)
    told = [
        (Topic.EARNING, rule.code, rule_terms.of_rule(rule, called))
        for rule in shown_rules(rule_set, context)
        if not _is_over(rule, called, context)
    ]
    told.append((Topic.POINTS, "points", policy_terms.of_policies(program.pending, program.expiry, called)))
    told.extend(_of_tiers(await context.loaders.ladder(), program.tier_policy, called))
    told.extend(await _of_offers(context, program, called))
    return [Published(topic=topic, code=code, chinese=text.chinese, english=text.english) for topic, code, text in told]


def shown_rules(rule_set: EarningRules, context: Context) -> list[EarningRule]:
    """The rules that the caller may see: those of campaigns that are not public only if it is staff."""
    hidden = hidden_campaigns(rule_set, context)
    return [rule for rule in rule_set.rules if rule.campaign not in hidden]


def hidden_campaigns(rule_set: EarningRules, context: Context) -> set[str]:
    """The campaigns that are kept from the caller: those that are not public, unless it is staff."""
    return set() if context.caller.is_staff else {frame.code for frame in rule_set.campaigns if not frame.is_public}


def _is_over(rule: EarningRule, called: Naming, context: Context) -> bool:
    """Whether a rule can give nothing any more: its validity has ended, or the last of its days has passed."""
    frames: list[EarningRule | Campaign] = [rule]
    if rule.campaign is not None:
        frames.append(called.campaigns[rule.campaign])
    ends_at = min((frame.ends_at for frame in frames if frame.ends_at is not None), default=None)
    if ends_at is not None and ends_at <= context.now:
        return True
    last = None if ends_at is None else calendars.local_date(ends_at - timedelta.resolution, called.time_zone)
    kept = [rule.when.schedule, *(frame.schedule for frame in frames if isinstance(frame, Campaign))]
    return not schedules.have_day(kept, calendars.local_date(context.now, called.time_zone), last)


async def _of_offers(context: Context, program: Program, called: Naming) -> list[tuple[Topic, str, wording.Terms]]:
    """What signing in gives, and what friends and shares do."""
    activities = [
        activity
        for activity in await check_ins.activities(program.id, is_active=True)
        if activity.ends_at is None or context.now < activity.ends_at
    ]
    policy = await referrals.policy_of(program.id)
    told = [milestone.prize for activity in activities for milestone in activity.milestones]
    pools = [*(prize.pool_id for prize in told), policy.referrer_pool_id, policy.referee_pool_id]
    called = changed(
        called,
        vouchers=await _vouchers(context, _ids(pools)),
        rewards=await _names(context, Reward, _ids(prize.reward_id for prize in told)),
        lotteries=await _names(context, Lottery, _ids(prize.lottery_id for prize in told)),
    )
    found = [(Topic.CHECK_IN, each.code, check_in_terms.of_activity(each, called)) for each in activities]
    if policy.is_active and (policy.gives_for_friends or policy.share_points):
        found.append((Topic.REFERRAL, "referrals", referral_terms.of_policy(policy, called)))
    return found


def _ids(told: Iterable[UUID | None]) -> list[UUID]:
    return [key for key in dict.fromkeys(told) if key is not None]


async def _names(context: Context, kind: type[Reward | Lottery | VoucherTemplate], keys: list[UUID]) -> dict[UUID, str]:
    found = await context.loaders.rows(kind, keys)
    return {row.id: row.name for row in found if row is not None}


async def _vouchers(context: Context, pool_ids: list[UUID]) -> dict[UUID, str]:
    """What members know the vouchers of pools by: the name of the template."""
    pools = [pool for pool in await context.loaders.rows(VoucherPool, pool_ids) if pool is not None]
    names = await _names(context, VoucherTemplate, _ids(pool.template_id for pool in pools))
    return {pool.id: names[pool.template_id] for pool in pools}


def _of_tiers(ladder: Iterable[Tier], policy: TierPolicy, called: Naming) -> list[tuple[Topic, str, wording.Terms]]:
    return [(Topic.TIER, tier.name, of_tier(tier, policy, called)) for tier in ladder]


def of_tier(tier: Tier, policy: TierPolicy, called: Naming) -> wording.Terms:
    """A tier in words."""
    benefits = tier.benefits
    told = tier_terms.TierTerms(
        name=tier.name,
        threshold=tier.threshold,
        metric=policy.metric.value,
        window=policy.window.value,
        months=policy.months,
        validity_days=policy.validity_days,
        keep_threshold=tier.keep_threshold,
        downgrade=policy.downgrade.value,
        grace_days=policy.grace_days,
        multiplier_bp=tier.multiplier_bp,
        discount_bp=benefits.discount_bp,
        birthday_points=benefits.birthday_points,
        upgrade_points=benefits.upgrade_points,
        head_start_minutes=benefits.head_start_minutes,
        perks=benefits.perks,
    )
    return tier_terms.of_tier(told, called)
