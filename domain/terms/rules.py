"""The terms of an earning rule: everything that the computation looks at, and nothing else."""

from collections.abc import Iterator

from domain.earning.rules import EarningKind, EarningRule, Trigger
from domain.terms import audiences, campaigns, effects, limits, policies, purchases, times, wording
from domain.terms.naming import Naming
from domain.terms.wording import Terms


def of_rule(rule: EarningRule, naming: Naming) -> Terms:
    """A rule as members read it: first what it gives and when, then for whom and where, then the small print."""
    return wording.paragraph(_sentences(rule, naming))


def _sentences(rule: EarningRule, naming: Naming) -> Iterator[Terms]:
    campaign = None if rule.campaign is None else naming.campaign(rule.campaign)
    yield _offer(rule, naming)
    yield from purchases.of_exclusions(rule.when)
    yield from purchases.of_places(rule.when, naming)
    yield from audiences.of_audience(rule.when.audience, naming)
    yield from audiences.of_new_members(rule.when.new_for_days)
    span = times.of_span(rule.starts_at, rule.ends_at, naming.time_zone)
    if span is not None:
        yield wording.said("有效期：{span}", "valid {span}", span=span)
    if campaign is not None:
        yield from campaigns.of_frame(campaign, naming)
    yield from limits.of_limits(rule, campaign)
    yield from limits.of_others(rule)
    yield from policies.of_overrides(rule.pending, rule.expiry)
    yield from purchases.of_basis(rule)
    yield from effects.of_rounding(rule)


def _offer(rule: EarningRule, naming: Naming) -> Terms:
    """The sentence that says what is given: 每周四，消费得双倍积分 / earn double points (×2) every Thursday."""
    basket = tuple(purchases.of_basket(rule, naming))
    conditions = [*_recurring(rule), *([wording.joined(basket)] if basket else []), *effects.of_occasion(rule, naming)]
    is_fixed = rule.kind is EarningKind.FIXED
    return wording.offered(conditions, effects.of_effect(rule, naming), is_close=is_fixed)


def _recurring(rule: EarningRule) -> Iterator[Terms]:
    days = times.of_schedule(rule.when.schedule)
    # A member day is itself the occasion.
    if days is not None and rule.trigger is not Trigger.MEMBER_DAY:
        yield days
    if rule.when.anniversary is not None:
        yield times.ANNIVERSARIES[rule.when.anniversary]
