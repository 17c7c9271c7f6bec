"""The terms of signing in: what each day of a streak gives, its milestones, and what may be made up."""

import itertools
from collections.abc import Iterator

from domain.check_ins.activity import CheckInActivity, CheckInCycle, MakeUpTerms, Milestone
from domain.prizes import PrizeKind
from domain.terms import audiences, prizes, times, wording
from domain.terms.naming import Naming
from domain.terms.wording import Terms


def of_activity(activity: CheckInActivity, naming: Naming) -> Terms:
    """A check-in activity as members read it: what it gives, for whom, and when (G2, G3, G4)."""
    return wording.paragraph(_sentences(activity, naming))


def _sentences(activity: CheckInActivity, naming: Naming) -> Iterator[Terms]:
    name = wording.quoted([activity.name])
    yield wording.said("{name}：{days}", "{name}: {days}", name=name, days=_days(activity.ladder))
    for milestone in activity.milestones:
        yield _milestone(milestone, naming, replaces=activity.replaces_base)
    if activity.milestones:
        yield _cycle(activity)
    if activity.make_up is not None:
        yield _make_up(activity.make_up)
    yield from audiences.of_audience(activity.audience, naming)
    span = times.of_span(activity.starts_at, activity.ends_at, naming.time_zone)
    if span is not None:
        yield wording.said("有效期：{span}", "valid {span}", span=span)


# What the days give.


def _days(ladder: tuple[int, ...]) -> Terms:
    """Equal rungs in a row are told once: a year of them is a sentence still."""
    if ladder[0] == ladder[-1]:
        # No rung is lower than the one before: all are the same.
        each = wording.points(ladder[0])
        return wording.said("每天签到得{each}", "earn {each} for each day's check-in", each=each)
    steps: list[Terms] = []
    first = 1
    for points, equal in itertools.groupby(ladder):
        last = first + sum(1 for _ in equal) - 1
        steps.append(_step(points, first, last))
        first = last + 1
    return wording.said(
        "连续签到{steps}，满{length}天后重新从第1天计算",
        "by the days of a streak earn {steps}; after {length_days} it begins again with the 1st",
        steps=wording.listed(steps),
        length=wording.number(len(ladder)),
        length_days=wording.counted(len(ladder), "天", "day"),
    )


def _step(points: int, first: int, last: int) -> Terms:
    given = wording.points(points)
    if first == last:
        return wording.said(f"第{first}天得{{given}}", f"{{given}} on the {wording.nth(first)}", given=given)
    return wording.said(
        f"第{first}至{last}天每天得{{given}}",
        f"{{given}} on each from the {wording.nth(first)} to the {wording.nth(last)}",
        given=given,
    )


# Milestones.


def _milestone(milestone: Milestone, naming: Naming, *, replaces: bool) -> Terms:
    gifts = [
        *([] if milestone.prize.kind is PrizeKind.NOTHING else [prizes.of_prize(milestone.prize, naming)]),
        *([wording.counted(milestone.cards, "张补签卡", "make-up card")] if milestone.cards else []),
    ]
    days, gift = wording.counted(milestone.day, "天", "day"), wording.listed(gifts)
    if replaces:
        return wording.said(
            "连续签到满{days}，当天改得{gift}",
            "on reaching {days} in a row earn {gift} in place of that day's points",
            days=days,
            gift=gift,
        )
    return wording.said(
        "连续签到满{days}，另得{gift}", "on reaching {days} in a row earn {gift} besides", days=days, gift=gift
    )


def _cycle(activity: CheckInActivity) -> Terms:
    """How often a milestone is given (G4)."""
    match activity.cycle:
        case CheckInCycle.DAYS:
            days = wording.counted(activity.cycle_days, "天", "day")
            return wording.said(
                "连续签到奖励自得奖当天起{days}内各限一次",
                "each of these is given once in {days}, counted from the day on which it was given",
                days=days,
            )
        case CheckInCycle.MONTH:
            return Terms(
                "连续签到奖励每自然月各限一次，只计当月内的连续天数",
                "each of these is given once a calendar month, for days in a row that lie in it",
            )
        case CheckInCycle.ONCE:
            return Terms("连续签到奖励各限一次", "each of these is given only once")


# What may be made up.


def _make_up(terms: MakeUpTerms) -> Terms:
    prices = [
        *([] if terms.points is None else [wording.points(terms.points)]),
        *([Terms("1张补签卡", "1 make-up card")] if terms.takes_cards else []),
    ]
    return wording.said(
        "最近{days}内漏签可补签，每自然月最多{times}，每次须用{price}",
        "a day missed within the last {days} can be made up for {price}, at most {times} a calendar month",
        days=wording.counted(terms.days, "天", "day"),
        times=wording.times(terms.per_month),
        price=wording.listed(prices, wording.OR),
    )
