"""What a rule gives, what for, and how it is reckoned."""

from collections.abc import Iterator
from typing import Final

from domain.earning.rules import PROPORTIONAL, Band, EarningKind, EarningRule, Trigger
from domain.terms import purchases, times, wording
from domain.terms.naming import Naming
from domain.terms.wording import Terms

_FIRST: Final = Terms("首次消费", "on your first purchase")
_EVERY: Final = Terms("每次消费", "on every purchase")
_OCCASIONS: Final = {
    Trigger.ENROLLMENT: Terms("入会即", "when you join"),
    Trigger.CHECK_IN: Terms("每日签到", "for each day's check-in"),
    Trigger.REFERRAL: Terms("每成功推荐一位好友", "for each friend you bring who qualifies"),
    Trigger.REFERRED: Terms("受好友推荐并达成条件时", "when you qualify, brought by a friend"),
    Trigger.SHARE: Terms("每次分享带来足够访问时", "for each share that enough people visit"),
    Trigger.BIRTHDAY: Terms("每年生日当天", "on your birthday every year"),
    Trigger.TIER_REACHED: Terms(
        "达到会员等级时（同一等级每个周期限一次）", "on reaching a tier, once for each tier and period"
    ),
    Trigger.CHALLENGE: Terms("每完成一项任务", "for each challenge you complete"),
    Trigger.QUIZ: Terms("每参加一次答题", "for each quiz you answer"),
}


# What for.


def of_occasion(rule: EarningRule, naming: Naming) -> Iterator[Terms]:
    """Clauses for what the rule waits for; that points by the amount are of purchases goes without saying."""
    if rule.when.ordinal is not None:
        yield purchases.of_ordinal(rule.when.ordinal)
    if rule.trigger is Trigger.PURCHASE:
        if rule.kind is EarningKind.FIXED and rule.when.ordinal is None:
            yield _EVERY
    elif rule.trigger is Trigger.FIRST_PURCHASE:
        yield _FIRST
    elif rule.trigger is Trigger.ACTIVITY:
        activity = naming.activity(rule.activity_type or "")
        yield wording.said("每完成一次{activity}", "for each {activity}", activity=activity)
    elif rule.trigger is Trigger.MEMBER_DAY:
        days = times.of_schedule(rule.when.schedule)
        assert days is not None, "a member day has a schedule"
        yield wording.said("{days}会员日", "on the member day, {days}", days=days)
    else:
        yield _OCCASIONS[rule.trigger]


# What.


def of_effect(rule: EarningRule, naming: Naming) -> Terms:
    """The clause that says what is given."""
    match rule.kind:
        case EarningKind.PER_AMOUNT:
            rate = _rate(rule.points, rule.amount_minor, naming)
            return wording.said("{rate}", "earn {rate} paid", rate=rate)
        case EarningKind.BONUS_AT:
            return wording.said(
                "单笔满{amount}加赠{points}",
                "earn a bonus of {points} when you pay {amount} or more in one purchase",
                amount=naming.amount(rule.amount_minor),
                points=wording.points(rule.points),
            )
        case EarningKind.FIXED:
            return wording.said("得{points}", "earn {points}", points=wording.points(rule.points))
        case EarningKind.MULTIPLIER:
            return wording.said("消费得{points}", "earn {points}", points=wording.multiplied(rule.multiplier_bp))
        case EarningKind.TIERED:
            return _by_bands(rule, naming)


def _rate(points: int, amount_minor: int, naming: Naming) -> Terms:
    return wording.said(
        "每消费{amount}得{points}",
        "{points} for every {amount}",
        amount=naming.amount(amount_minor),
        points=wording.points(points),
    )


def _by_bands(rule: EarningRule, naming: Naming) -> Terms:
    bands = [_band(band, naming) for band in rule.bands]
    scope = (
        Terms("各档比例只用于该档内的金额", "each rate is for the part of the amount within its band")
        if rule.bands_are_marginal
        else Terms("全部金额按所达到的最高一档计算", "the rate of the highest band reached is for the whole amount")
    )
    return wording.said(
        "按单笔消费金额分档：{bands}（{scope}）",
        "earn by the amount paid in one purchase: {bands} ({scope})",
        bands=wording.joined(bands),
        scope=scope,
    )


def _band(band: Band, naming: Naming) -> Terms:
    return wording.said(
        "{start}起{rate}",
        "{rate} from {start} on",
        start=naming.amount(band.from_minor),
        rate=_rate(band.points, band.amount_minor, naming),
    )


# How it is reckoned.


def of_rounding(rule: EarningRule) -> Iterator[Terms]:
    """A sentence for what is multiplied, and that points are rounded down once, at the end (L6)."""
    if rule.kind in PROPORTIONAL:
        yield Terms(
            "积分按金额比例计算，乘以等级和活动的倍数后，不足1积分的部分一次舍去",
            "points are in proportion to the amount, times all multipliers of tiers and offers, and rounded down once"
            " to whole points",
        )
    elif rule.kind is EarningKind.MULTIPLIER:
        # A factor that is for some goods only leaves the freight alone.
        is_of_some = bool(rule.when.products or rule.when.categories)
        yield wording.said(
            "倍数只用于按金额所得的积分{without}，多项倍数相乘，最后不足1积分的部分一次舍去",
            "the factor is for points earned by the amount{without}; several factors multiply each other, and points"
            " are rounded down once to whole points",
            without=Terms("（运费所得除外）", ", not for those earned by freight") if is_of_some else Terms("", ""),
        )
