"""The terms of bringing friends and of sharing: what both sides are given, for what, and when it is theirs."""

from collections.abc import Iterator
from uuid import UUID

from domain.referrals.policy import ReferralPolicy
from domain.terms import limits, prizes, wording
from domain.terms.naming import Naming
from domain.terms.wording import Terms


def of_policy(policy: ReferralPolicy, naming: Naming) -> Terms:
    """What a program gives for friends and shares, as members read it (R1, R3); nothing if it gives nothing."""
    return wording.paragraph((*_of_referrals(policy, naming), *_of_shares(policy)))


def _of_referrals(policy: ReferralPolicy, naming: Naming) -> Iterator[Terms]:
    own = _gifts(policy.referrer_points, policy.referrer_pool_id, naming)
    theirs = _gifts(policy.referee_points, policy.referee_pool_id, naming)
    if own:
        yield wording.said(
            "每成功推荐一位好友得{gift}",
            "earn {gift} for each friend you bring who qualifies",
            gift=wording.listed(own),
        )
    if policy.referrer_points:
        yield from limits.of_caps(policy.caps, policy.cap_policy)
    if theirs:
        yield wording.said("受推荐的好友得{gift}", "the friend earns {gift}", gift=wording.listed(theirs))
    if policy.sale_points:
        yield wording.said(
            "好友经您的分享而来的，您另得{points}",
            "earn {points} besides if the friend came by what you shared",
            points=wording.points(policy.sale_points),
        )
    if policy.gives_for_friends:
        yield _condition(policy, naming)
        yield _waiting(policy.refund_days)


def _gifts(points: int, pool_id: UUID | None, naming: Naming) -> list[Terms]:
    return [
        *([wording.points(points)] if points else []),
        *([] if pool_id is None else [prizes.of_voucher(pool_id, naming)]),
    ]


def _condition(policy: ReferralPolicy, naming: Naming) -> Terms:
    """When a friend qualifies: with its first order that is large enough, the last local day inclusive."""
    return wording.said(
        "好友须自接受推荐之日后第{count}天（含）前完成首笔商品实付满{amount}的订单",
        "a friend qualifies with the first order of which {amount} or more is paid for goods, through the {nth} day"
        " after accepting the invitation",
        count=wording.number(policy.window_days),
        nth=wording.name(wording.nth(policy.window_days)),
        amount=naming.amount(policy.threshold_minor),
    )


def _waiting(days: int) -> Terms:
    return wording.said(
        "奖励{when}可用；订单退款后不足该金额的，奖励收回",
        "this can be spent {when}; a refund that leaves less of the order takes it back",
        when=Terms(f"在订单满{days}天后", f"{days:,} {'day' if days == 1 else 'days'} after the order")
        if days
        else Terms("即时", "at once"),
    )


def _of_shares(policy: ReferralPolicy) -> Iterator[Terms]:
    if not policy.share_points:
        return
    yield wording.said(
        "每次分享有{visitors}访问后得{points}，每天最多{times}",
        "earn {points} for each share after visits by {visitors}, at most {times} a day",
        points=wording.points(policy.share_points),
        visitors=wording.counted(policy.share_visitors, "位不同的访客", "different visitor"),
        times=wording.times(policy.share_daily_max),
    )
