"""What referrals give to both sides, pending until the order stands, and how that is taken back (R3)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain import prizes
from domain.achievements import undoing
from domain.earning.facts import Occasion
from domain.earning.grants import Grant, grant_id
from domain.earning.rules import EarningRule, Trigger
from domain.kernel import Refusal, Row, State, Want
from domain.points.account import PointsAccount, SourceType
from domain.points.book import Source
from domain.points.posting import Posting, shortfall_outcome, wants_to_settle
from domain.referrals.policy import REFERRER_GIFT, ReferralPolicy, voucher_of
from domain.referrals.referral import Referral, ReferralReward
from domain.values import changed
from domain.vouchers.commands import as_of, voided
from domain.vouchers.voucher import Voucher, VoucherState


def wants_to_reward(referral: Referral) -> tuple[Want, ...]:
    """What rewarding needs of both sides, so that both are locked at once, and loaded in few rounds (L12).

    Their lots are not asked for: whoever brings many friends has many.
    """
    sides = {Trigger.REFERRAL: referral.referrer_id, Trigger.REFERRED: referral.referee_id}
    return (
        *(Want(PointsAccount, side, is_locked=True) for side in sides.values()),
        *(Want(Grant, grant_id(side, trigger, str(referral.id)), is_locked=True) for trigger, side in sides.items()),
    )


def reward_both(referrer: Posting, referee: Posting, referral: Referral, policy: ReferralPolicy) -> Referral:
    """The referral with what both are given, in their postings; available when the order stands (R3)."""
    assert referral.purchase_id is not None, "only what qualifies is rewarded"
    gifts = policy.referrer_gifts(is_shared=referral.share_id is not None)
    given = _reward(referrer, Trigger.REFERRAL, referral, gifts)
    taken = _reward(referee, Trigger.REFERRED, referral, policy.referee_gifts())
    return changed(
        referral,
        referrer_reward=changed(given, pool_id=policy.referrer_pool_id),
        referee_reward=changed(taken, pool_id=policy.referee_pool_id),
    )


def _reward(posting: Posting, trigger: Trigger, referral: Referral, gifts: Sequence[EarningRule]) -> ReferralReward:
    assert referral.qualified_at is not None, "only what qualifies is rewarded"
    first = len(posting.transactions)
    grant = posting.give(trigger, str(referral.id), referral.qualified_at, gifts=gifts, not_before=referral.rewards_at)
    if grant is None:
        return ReferralReward()
    return ReferralReward(
        points=grant.points,
        requested=sum(item.requested for item in grant.earned),
        limited_by=next((item.limited_by for item in grant.earned if item.limited_by is not None), None),
        grant_id=grant.id,
        earning_id=posting.transactions[first].id if grant.points else None,
    )


def wants_to_take_back(referral: Referral) -> tuple[Want, ...]:
    """What taking back needs of both sides, so that both are locked at once, and loaded in few rounds (L12)."""
    rewards = (referral.referrer_reward, referral.referee_reward)
    given = [reward for reward in rewards if reward is not None]
    return (
        *wants_to_settle(referral.program_id, referral.referrer_id),
        *wants_to_settle(referral.program_id, referral.referee_id),
        *(Want(Grant, reward.grant_id, is_locked=True) for reward in given if reward.grant_id is not None),
        *(Want(Voucher, reward.voucher_id, is_locked=True) for reward in given if reward.voucher_id is not None),
    )


def take_back(
    posting: Posting, reward: ReferralReward, refund_id: UUID | None
) -> tuple[ReferralReward, tuple[Row, ...]]:
    """What one side gives back: its points in the order of L8, and its voucher, unless that was used."""
    voucher = _voucher_back(posting.state, reward)
    if reward.grant_id is None:
        return reward, voucher
    grant = posting.state.get(Grant, reward.grant_id)
    gives = SourceType.GRANT if refund_id is None else SourceType.REFUND
    source = Source(gives, reward.grant_id if refund_id is None else refund_id)
    taken = _claw_back(posting, reward, grant, source)
    undoing.lessen(posting, grant.id)
    occasion = _occasion(grant)
    posting.give_back_room(grant.earned, (), grant.rule_version, occasion)
    for item in grant.earned:
        # The only gift that is capped.
        if item.rule == REFERRER_GIFT and item.points:
            posting.uncount(item, occasion.local.date())
    return changed(reward, points_taken_back=taken), voucher


def _claw_back(posting: Posting, reward: ReferralReward, grant: Grant, source: Source) -> int:
    if reward.earning_id is None:
        return 0
    clawed = posting.claw_back(
        reward.points, source, earned_by=grant.id, reverses=reward.earning_id, earned_at=grant.occurred_at
    )
    if clawed.short:
        outcome = shortfall_outcome(posting.program.shortfall_policy, has_refund=False)
        posting.fall_short(clawed.short, outcome, source, reverses=reward.earning_id)
    return clawed.cancelled + clawed.reversed


def _occasion(grant: Grant) -> Occasion:
    zone_name = grant.facts.time_zone
    assert zone_name is not None, "facts keep the zone of their time"
    return Occasion(trigger=grant.trigger, occurred_at=grant.occurred_at, time_zone=zone_name)


def _voucher_back(state: State, reward: ReferralReward) -> tuple[Row, ...]:
    if reward.voucher_id is None:
        return ()
    voucher = as_of(state.get(Voucher, reward.voucher_id), state.now)
    if voucher.state in (VoucherState.USED, VoucherState.EXPIRED, VoucherState.VOID):
        return ()
    return (voided(voucher, "the referral it was for was taken back"),)


def hand_voucher(posting: Posting, reward: ReferralReward | None) -> tuple[ReferralReward | None, tuple[Row, ...]]:
    """The voucher that one side was promised. Where there is none to be had, the reward says why."""
    if reward is None or reward.pool_id is None:
        return reward, ()
    try:
        won = prizes.give(posting, voucher_of(reward.pool_id), Source(SourceType.PRIZE, reward.pool_id))
    except Refusal as refusal:
        return changed(reward, no_voucher=refusal.code), ()
    assert won.voucher is not None, "a voucher was to be given"
    return changed(reward, voucher_id=won.voucher.id), won.save


def ends_at(policy: ReferralPolicy, bought_at: datetime) -> datetime:
    """When an order stands, and what is given for it is available: as the pending policy AFTER reckons (L3)."""
    return bought_at + timedelta(days=policy.refund_days)
