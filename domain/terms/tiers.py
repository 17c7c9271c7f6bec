"""The terms of a tier: how it is reached, how long it lasts, how it is kept, and what it gives."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from domain import money
from domain.terms import wording
from domain.terms.naming import Naming
from domain.terms.wording import Terms

Metric = Literal["QUALIFYING_POINTS", "NET_SPEND", "PURCHASES"]
Window = Literal["CALENDAR_YEAR", "ROLLING", "ANNIVERSARY", "LIFETIME"]
Downgrade = Literal["NONE", "ONE_LEVEL", "FULL"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TierTerms:
    """A tier in plain values (K1, K2, K3).

    `threshold` and `keep_threshold` are of the metric: points, minor units of money, or purchases; without a threshold
    to keep it, it is kept by what reaches it. `months` are of a ROLLING window. A tier lasts through the window after
    that in which it was reached, or for `validity_days`. `discount_bp` is taken off prices.
    """

    name: str
    threshold: int
    metric: Metric = "QUALIFYING_POINTS"
    window: Window = "LIFETIME"
    months: int | None = None
    validity_days: int | None = None
    keep_threshold: int | None = None
    downgrade: Downgrade = "NONE"
    grace_days: int = 0
    multiplier_bp: int = money.BASIS
    discount_bp: int = 0
    birthday_points: int = 0
    upgrade_points: int = 0
    head_start_minutes: int = 0
    perks: tuple[str, ...] = ()

    @property
    def keeps_at(self) -> int:
        """What the metric must come to for the tier to be kept (K3)."""
        return self.threshold if self.keep_threshold is None else self.keep_threshold

    @property
    def can_be_lost(self) -> bool:
        """Whether the tier ends, needs something to be kept, and is taken away without it (K3)."""
        has_end = self.window != "LIFETIME" or self.validity_days is not None
        return has_end and self.keeps_at > 0 and self.downgrade != "NONE"


_FOR_EVER: Final = Terms("长期有效", "it lasts for ever")
_DROPS: Final[dict[Downgrade, Terms]] = {
    "ONE_LEVEL": Terms("未达标则降一级", "if you miss that, you go down by one tier"),
    "FULL": Terms(
        "未达标则降至当时数值能达到或保住的较低等级",
        "if you miss that, you go down to the highest lower tier that what you have reaches or keeps",
    ),
}


def of_tier(tier: TierTerms, naming: Naming) -> Terms:
    """A tier as members read it."""
    return wording.paragraph(_sentences(tier, naming))


def _sentences(tier: TierTerms, naming: Naming) -> Iterator[Terms]:
    yield _reached(tier, naming)
    if tier.can_be_lost:
        yield from _kept(tier, naming)
    else:
        yield _FOR_EVER
    gifts = tuple(_gifts(tier))
    if gifts:
        yield wording.said("会员权益：{gifts}", "it gives {gifts}", gifts=wording.listed(gifts))
    if tier.perks:
        perks = wording.listed([wording.name(perk) for perk in tier.perks])
        yield wording.said("另享：{perks}", "besides: {perks}", perks=perks)


# Reaching.


def _reached(tier: TierTerms, naming: Naming) -> Terms:
    name = wording.name(tier.name)
    if tier.threshold == 0:
        return wording.said("入会即为{name}", "every member is {name} from joining on", name=name)
    return wording.said(
        "{within}{measure}，即升为{name}",
        "you become {name} as soon as you have {measure} {within}",
        name=name,
        within=_within(tier),
        measure=_measure(tier.metric, tier.threshold, naming),
    )


def _measure(metric: Metric, threshold: int, naming: Naming) -> Terms:
    match metric:
        case "QUALIFYING_POINTS":
            points = Terms(str(threshold), wording.counted(threshold, "", "qualifying point").english)
            return wording.said("成长值满{points}", "earned {points}", points=points)
        case "NET_SPEND":
            amount = naming.amount(threshold)
            return wording.said(
                "商品净消费（扣除退款）满{amount}", "spent {amount} on goods, net of refunds,", amount=amount
            )
        case "PURCHASES":
            return wording.said(
                "消费满{purchases}（全额退款的不计）",
                "made {purchases}, not counting those refunded as a whole,",
                purchases=wording.counted(threshold, "笔", "purchase"),
            )


def _months(tier: TierTerms) -> Terms:
    return wording.counted(tier.months or 1, "个月", "month")


def _within(tier: TierTerms) -> Terms:
    match tier.window:
        case "CALENDAR_YEAR":
            return Terms("一个自然年内", "within a calendar year")
        case "ROLLING":
            return wording.said("最近{months}内", "within the last {months}", months=_months(tier))
        case "ANNIVERSARY":
            return Terms("一个入会年度内", "within a year of your membership")
        case "LIFETIME":
            return Terms("入会以来", "since you joined")


# Lasting and keeping.


def _kept(tier: TierTerms, naming: Naming) -> Iterator[Terms]:
    yield _lasting(tier)
    yield wording.said(
        "{within}{measure}即可保级，再续{more}；{drop}",
        "you keep it for {more} more if you have {measure} {within}; {drop}",
        within=_within_at_end(tier),
        measure=_measure(tier.metric, tier.keeps_at, naming),
        more=_more(tier),
        drop=_DROPS[tier.downgrade],
    )
    if tier.grace_days:
        yield wording.said(
            "到期后有{days}宽限期，期间权益保留，达到保级条件即可续级",
            "for {days} after its end you still have it, and can still renew it",
            days=wording.counted(tier.grace_days, "天", "day"),
        )


def _lasting(tier: TierTerms) -> Terms:
    days = tier.validity_days
    if days is not None:
        return Terms(
            f"有效期至升级之日后第{days}天（含当日）",
            f"it lasts through the {wording.nth(days)} day after you reach it",
        )
    match tier.window:
        case "CALENDAR_YEAR":
            return Terms(
                "有效期至升级次年12月31日（含当日）", "it lasts through 31 December of the year after you reach it"
            )
        case "ROLLING":
            return wording.said(
                "有效期至升级{months}后的同一日（含当日）",
                "it lasts through the same day {months} after you reach it",
                months=_months(tier),
            )
        case "ANNIVERSARY":
            return Terms(
                "有效期至升级后的下一个入会年度结束",
                "it lasts through the year of your membership after the one in which you reach it",
            )
        case "LIFETIME":
            return _FOR_EVER


def _within_at_end(tier: TierTerms) -> Terms:
    """The window that counts to keep a tier: that in which its validity ends."""
    match tier.window:
        case "CALENDAR_YEAR":
            return Terms("到期当年内", "within the calendar year in which it ends")
        case "ROLLING":
            return wording.said("到期前{months}内", "within the {months} to its end", months=_months(tier))
        case "ANNIVERSARY":
            return Terms("到期所在的入会年度内", "within the year of your membership in which it ends")
        case "LIFETIME":
            return Terms("入会以来", "since you joined")


def _more(tier: TierTerms) -> Terms:
    """What a tier that is kept is kept for."""
    if tier.validity_days is not None:
        return wording.counted(tier.validity_days, "天", "day")
    return _months(tier) if tier.window == "ROLLING" else Terms("一年", "a year")


# Giving.


def _gifts(tier: TierTerms) -> Iterator[Terms]:
    if tier.multiplier_bp != money.BASIS:
        points = wording.multiplied(tier.multiplier_bp)
        yield wording.said("消费得{points}", "{points} on purchases", points=points)
    if tier.discount_bp:
        yield _discount(tier.discount_bp)
    if tier.birthday_points:
        points = wording.points(tier.birthday_points)
        yield wording.said("每年生日赠{points}", "{points} on your birthday every year", points=points)
    if tier.upgrade_points:
        points = wording.points(tier.upgrade_points)
        yield wording.said(
            "升级赠{points}（{once}）", "{points} when you reach it ({once})", points=points, once=_once(tier)
        )
    if tier.head_start_minutes:
        minutes = wording.counted(tier.head_start_minutes, "分钟", "minute")
        yield wording.said("限时抢购提前{minutes}", "a head start of {minutes} in flash sales", minutes=minutes)


def _once(tier: TierTerms) -> Terms:
    """How often what is given for reaching a tier is given: once a window (K5)."""
    match tier.window:
        case "CALENDAR_YEAR":
            return Terms("每个自然年限一次", "once a calendar year")
        case "ROLLING":
            months = _months(tier)
            return wording.said("自入会起每{months}限一次", "once in every {months} from joining on", months=months)
        case "ANNIVERSARY":
            return Terms("每个入会年度限一次", "once a year of your membership")
        case "LIFETIME":
            return Terms("仅限一次", "only once")


def _discount(discount_bp: int) -> Terms:
    """5% off is 9.5折: Chinese tells what remains to be paid, in tenths."""
    remains = wording.decimal(money.BASIS - discount_bp, 3)
    return Terms(f"商品{remains}折", f"{wording.decimal(discount_bp, 2)}% off")
