"""When points may be spent, and when they expire."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from domain.policies import ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from domain.terms import times, wording
from domain.terms.naming import Naming
from domain.terms.wording import Terms

POINTS: Final = Terms("积分", "points")
THESE_POINTS: Final = Terms("所得积分", "these points")

# The period in which points are earned, the next one, and the one that is so many later.
_PERIODS: Final = {
    ExpiryKind.END_OF_MONTH: ("当月", "次月", "后第{count}个月", "月底", "month"),
    ExpiryKind.END_OF_QUARTER: ("当季", "下一季度", "后第{count}个季度", "季末", "quarter"),
    ExpiryKind.END_OF_YEAR: ("当年", "次年", "后第{count}年", "年底", "year"),
}
_ZONES: Final = {"Asia/Shanghai": Terms("北京时间", "Beijing time")}


def of_policies(pending: PendingPolicy, expiry: ExpiryPolicy, naming: Naming) -> Terms:
    """A program's own policies: when points may be spent, and through which local day they are valid (L3, L5)."""
    return wording.paragraph((of_pending(pending, POINTS), of_expiry(expiry, POINTS), _clock(naming)))


def _clock(naming: Naming) -> Terms:
    """The sentence that says whose days and hours all terms of the program are told in."""
    zone = naming.time_zone
    clock = _ZONES.get(zone, Terms(f"{zone}时区的时间", f"the time of {zone}"))
    return wording.said("日期和时间以{clock}为准", "dates and hours are in {clock}", clock=clock)


def of_overrides(pending: PendingPolicy | None, expiry: ExpiryPolicy | None) -> Iterator[Terms]:
    """Sentences for what a rule has instead of the program's policies."""
    if pending is not None:
        yield of_pending(pending, THESE_POINTS)
    if expiry is not None:
        yield of_expiry(expiry, THESE_POINTS)


def of_pending(policy: PendingPolicy, subject: Terms) -> Terms:
    """The sentence that says when points may be spent."""
    return wording.said("{subject}{when}可用", "{subject} can be spent {when}", subject=subject, when=_since(policy))


def _since(policy: PendingPolicy) -> Terms:
    match policy.kind:
        case PendingKind.IMMEDIATE:
            return Terms("即时", "at once")
        case PendingKind.AFTER:
            days = wording.counted(policy.days or 0, "天", "day")
            return wording.said("在获得满{days}后", "{days} after they are earned", days=days)
        case PendingKind.ON_EVENT:
            # Only a purchase is ever received; other points would wait for ever.
            return Terms(
                "在订单确认收货后（非消费所得的即时）", "once the order is received, or at once if there is no order"
            )
        case PendingKind.ON_DATE:
            assert policy.on_date is not None, "check_pending holds this"
            return wording.said("自{day}起", "from {day} on", day=times.of_date(policy.on_date))


def of_expiry(policy: ExpiryPolicy, subject: Terms) -> Terms:
    """The sentence that says through which local day points are valid."""
    last = _last_day(policy)
    if last is None:
        return wording.said("{subject}长期有效", "{subject} never expire", subject=subject)
    return wording.said(
        "{subject}有效期至{last}（含当日）", "{subject} are valid through {last}", subject=subject, last=last
    )


def _last_day(policy: ExpiryPolicy) -> Terms | None:
    count = policy.count or 0
    match policy.kind:
        case ExpiryKind.NEVER:
            return None
        case ExpiryKind.FIXED_DATE:
            assert policy.on_date is not None, "check_expiry holds this"
            # As some write "never"; the ledger reads it so too.
            return None if policy.on_date == date.max else times.of_date(policy.on_date)
        case ExpiryKind.DAYS:
            return Terms(f"获得之日后第{count}天", f"the {wording.nth(count)} day after the day they are earned")
        case ExpiryKind.INACTIVITY:
            return Terms(
                f"最近一次获得或使用积分之日后第{count}天",
                f"the {wording.nth(count)} day after the day you last earned or spent points",
            )
        case ExpiryKind.END_OF_MONTH | ExpiryKind.END_OF_QUARTER | ExpiryKind.END_OF_YEAR:
            return _end_of(policy.kind, count)


def _end_of(kind: ExpiryKind, count: int) -> Terms:
    this, following, later, end, period = _PERIODS[kind]
    if count == 0:
        return Terms(f"获得{this}{end}", f"the end of the {period} in which they are earned")
    if count == 1:
        return Terms(f"获得{following}{end}", f"the end of the {period} after the one in which they are earned")
    which = later.format(count=count)
    return Terms(
        f"获得{which}{end}", f"the end of the {wording.nth(count)} {period} after the one in which they are earned"
    )
