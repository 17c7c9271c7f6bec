"""What bounds an offer: caps, the budget of its campaign, and other offers."""

from collections.abc import Iterator, Sequence
from typing import Final

from domain.earning.rules import Campaign, Cap, CapPolicy, EarningRule
from domain.terms import times, wording
from domain.terms.wording import Terms

_TOO_MUCH: Final = {
    CapPolicy.REDUCE: Terms("超出上限的部分不再赠送", "what exceeds the limit is not given"),
    CapPolicy.REJECT: Terms(
        "一次所得超出上限时，该次不赠送积分", "what would exceed the limit is not given at all, not even in part"
    ),
}


def of_limits(rule: EarningRule, campaign: Campaign | None) -> Iterator[Terms]:
    """Sentences for a rule's caps, and for what happens to what exceeds them or the campaign's budget (L13)."""
    yield from of_caps(rule.caps, rule.cap_policy, has_budget=campaign is not None and campaign.budget is not None)


def of_caps(caps: Sequence[Cap], policy: CapPolicy, *, has_budget: bool = False) -> Iterator[Terms]:
    """Sentences for what each member is given at most, and for what exceeds that or a budget."""
    if caps:
        most = wording.joined([_cap(cap) for cap in caps])
        yield wording.said("每位会员{caps}", "{caps}, for each member", caps=most)
    # A cap of times leaves either all or nothing.
    if has_budget or any(cap.points is not None for cap in caps):
        yield _TOO_MUCH[policy]


def _cap(cap: Cap) -> Terms:
    most = [
        *([] if cap.times is None else [wording.times(cap.times)]),
        *([] if cap.points is None else [wording.points(cap.points)]),
    ]
    return wording.said("{per}最多{most}", "at most {most} {per}", per=times.PER[cap.period], most=wording.listed(most))


def of_others(rule: EarningRule) -> Iterator[Terms]:
    """Sentences for how an offer stands to others: its exclusive group, and a priority other than the usual."""
    priority = wording.number(rule.priority)
    if rule.exclusive_group is not None:
        yield wording.said(
            "不与{group}组的其他优惠同享：优先级高者有效，同级时取所得较多者（本项优先级{priority}）",
            "not together with other offers of the group {group}: the one with the higher priority, or else the one"
            " that gives more, counts (the priority of this one is {priority})",
            group=wording.quoted([rule.exclusive_group]),
            priority=priority,
        )
    elif rule.priority:
        yield wording.said(
            "与其他优惠共用的额度不足时，优先级高者先得（本项优先级{priority}）",
            "where offers share what is too little for all, the one with the higher priority comes first (the priority"
            " of this one is {priority})",
            priority=priority,
        )
