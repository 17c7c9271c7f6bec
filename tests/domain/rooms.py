"""Caps and budgets: nothing is given beyond them, and what they count is what was earned and not taken back (L13)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from domain import activities
from domain.activities import Activity, ReverseActivity
from domain.earning import rule_sets
from domain.earning.facts import Earned, Occasion
from domain.earning.grants import Grant
from domain.earning.limits import CampaignBudget, EarningCount, budget_id, empty_count
from domain.earning.rule_sets import EarningRules
from domain.kernel import Command, Row, State
from domain.programs import Program
from domain.purchases.purchase import Purchase
from domain.purchases.refund import Refund, RefundPurchase
from domain.purchases.remaining import rest_of


def check(state: State, command: Command[Any], saved: Iterable[Row]) -> None:
    """Before what a command saves is kept: it gave nothing beyond the caps and budgets in force.

    What a refund leaves is reckoned by the rules of the purchase, whose caps may have been others.
    """
    if isinstance(command, RefundPurchase | ReverseActivity):
        return
    for row in saved:
        if isinstance(row, EarningCount):
            _check_count(state, row, state.find(EarningCount, row.id))
        elif isinstance(row, CampaignBudget):
            before = state.find(CampaignBudget, row.id)
            budgets = {frame.code: frame.budget for frame in _in_force(state).campaigns}
            if row.points > (0 if before is None else before.points):
                assert row.points <= (budgets[row.campaign] or 0), "more was given than a budget allows"


def _check_count(state: State, count: EarningCount, before: EarningCount | None) -> None:
    if count.points <= (0 if before is None else before.points):
        return
    (rule,) = [rule for rule in _in_force(state).rules if rule.code == count.rule]
    (cap,) = [cap for cap in rule.caps if cap.period is count.period]
    assert cap.points is None or count.points <= cap.points, "more was given than a cap allows"
    assert cap.times is None or count.times <= cap.times, "it was given more often than a cap allows"


def _in_force(state: State) -> EarningRules:
    return rule_sets.of_version(state, state.get(Program, state.program_id).rule_version)


def prove(state: State) -> int:
    """Count everything again: what remains of each purchase, grants, and activities that stand. Returns how many."""
    counted: Counter[UUID] = Counter()
    times: Counter[UUID] = Counter()
    zone_name = state.get(Program, state.program_id).time_zone
    for purchase in state.rows(Purchase):
        rest = rest_of(state, purchase, state.all(Refund, of=purchase.id), zone_name)
        _add(state, purchase, rest.earned, rest.occasion.local.date(), counted, times)
    for grant in state.rows(Grant):
        occasion = Occasion(trigger=grant.trigger, occurred_at=grant.occurred_at, time_zone=grant.facts.time_zone or "")
        _add(state, grant, grant.earned, occasion.local.date(), counted, times)
    for activity in state.rows(Activity):
        if activity.reversed_at is None:
            day = activities.occasion_of(activity, zone_name).local.date()
            _add(state, activity, activity.earned, day, counted, times)
    counts, budgets = state.rows(EarningCount), state.rows(CampaignBudget)
    for count in counts:
        assert (count.points, count.times) == (counted.pop(count.id, 0), times.pop(count.id, 0)), count
    for budget in budgets:
        assert budget.points == counted.pop(budget.id, 0), budget
    assert not +counted, "what was given under a cap or budget is counted nowhere"
    return len(counts) + len(budgets)


def _add(
    state: State,
    what: Purchase | Grant | Activity,
    earned: Sequence[Earned],
    day: date,
    counted: Counter[UUID],
    times: Counter[UUID],
) -> None:
    rule_set = rule_sets.of_version(state, what.rule_version)
    rules = {rule.code: rule for rule in rule_set.rules}
    funded = {frame.code for frame in rule_set.campaigns if frame.budget is not None}
    for item in earned:
        rule = rules.get(item.rule)
        if rule is None or not item.points:
            continue
        for cap in rule.caps:
            key = empty_count(state.program_id, what.member_id, rule, cap.period, day).id
            counted[key] += item.points
            times[key] += 1
        if rule.campaign in funded and rule.campaign is not None:
            counted[budget_id(state.program_id, rule.campaign)] += item.points
