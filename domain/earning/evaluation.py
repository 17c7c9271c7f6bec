"""What an occasion earns: one pure function, occasion + facts of the member + rules → an itemised result (L6, L13)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.earning import matching, multiplying
from domain.earning.facts import BasisLine, Earned, Facts, Occasion
from domain.earning.matching import Candidate, Compiled, Counts, Skip
from domain.earning.multiplying import Applying, Factors
from domain.earning.rules import OF_PURCHASES, PROPORTIONAL, CapPolicy, EarningKind, EarningRule

BUDGET: Final = "BUDGET"


class Requested(NamedTuple):
    """What a rule would give, before caps and budgets."""

    rule: EarningRule
    points: int


class Skipped(NamedTuple):
    """A rule that waited for the occasion and gave nothing, and why."""

    rule: EarningRule
    why: Skip


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every rule that waited for the occasion: what it would give, by falling priority, or why it gives nothing."""

    requested: tuple[Requested, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """How many points a cap or budget has left; `limit` is its period, or BUDGET."""

    limit: str
    points: int


class Summed(NamedTuple):
    """Lines, what was paid for them in minor units, and how many items they are."""

    lines: tuple[BasisLine, ...]
    paid_minor: int
    quantity: int


_NOTHING: Final = Summed((), 0, 0)


class Basket:
    """What was bought, summed once for the many rules that take all of it."""

    def __init__(self, occasion: Occasion) -> None:
        self.freight_minor = occasion.freight_minor
        self.whole = _summed(occasion.lines)

    def chosen(self, counts: Counts) -> Summed:
        """The lines that a rule chooses."""
        lines = tuple([line for line in self.whole.lines if counts(line)])
        return _summed(lines) if lines else _NOTHING


def _summed(lines: tuple[BasisLine, ...]) -> Summed:
    return Summed(lines, sum(line.paid_minor for line in lines), sum(line.quantity for line in lines))


def evaluate(rules: Compiled, occasion: Occasion, facts: Facts) -> Evaluation:
    """What each rule of a set gives for an occasion (L6).

    Points are floored once, after multiplying: what a multiplier adds is the difference that it makes to the floored
    total, so that all items together are the total.
    """
    applying, skipped = matched(rules, occasion, facts)
    kept = _without_excluded(applying, occasion, facts, skipped)
    requested = _requested(kept, occasion, facts)
    given = {request.rule.code for request in requested}
    skipped.extend(Skipped(item.rule, Skip.NOTHING_TO_GIVE) for item in kept if item.rule.code not in given)
    return Evaluation(tuple(requested), tuple(skipped))


def matched(rules: Compiled, occasion: Occasion, facts: Facts) -> tuple[list[Applying], list[Skipped]]:
    """The rules that wait for an occasion: those that apply to it, with what counts for them, and the others."""
    moment = matching.moment(rules, occasion, facts)
    applying: list[Applying] = []
    skipped: list[Skipped] = []
    basket = Basket(occasion) if occasion.trigger in OF_PURCHASES else None
    for candidate in matching.candidates(rules, occasion, facts):
        why: Skip | None = None
        for question in candidate.questions:
            why = question(moment)
            if why is not None:
                break
        else:
            found = Applying(candidate.rule, None, (), 0, 0) if basket is None else _basis(candidate, basket)
            why = found if isinstance(found, Skip) else None
            if not isinstance(found, Skip):
                applying.append(found)
        if why is not None:
            skipped.append(Skipped(candidate.rule, why))
    return applying, skipped


def remaining(candidate: Candidate, occasion: Occasion) -> Applying | None:
    """What of the rest of a purchase still counts for a rule that applied to it; None if nothing does."""
    found = _basis(candidate, Basket(occasion))
    return None if isinstance(found, Skip) else found


def limited(requested: Iterable[Requested], rooms: Mapping[str, Sequence[Room]]) -> tuple[Earned, ...]:
    """What rules give when their caps and budgets have only so much room left; `rooms` by rule code (L13).

    One after the other: the rules of a campaign share its budget. A rule whose policy is REJECT gives nothing when it
    cannot give all.
    """
    given: dict[str, int] = {}
    earned: list[Earned] = []
    for request in requested:
        campaign = request.rule.campaign or ""
        earned.append(_limited(request, rooms.get(request.rule.code, ()), given.get(campaign, 0)))
        given[campaign] = given.get(campaign, 0) + earned[-1].points
    return tuple(earned)


def _limited(request: Requested, rooms: Sequence[Room], of_budget: int) -> Earned:
    """What a rule gives of a budget of which `of_budget` points are given already."""
    code = request.rule.code
    left = [(room.points - (of_budget if room.limit == BUDGET else 0), room.limit) for room in rooms]
    points, limit = min(left, key=lambda room: room[0], default=(request.points, None))
    if points >= request.points:
        return Earned(rule=code, points=request.points, requested=request.points)
    points = 0 if request.rule.cap_policy is CapPolicy.REJECT else max(0, points)
    return Earned(rule=code, points=points, requested=request.points, limited_by=limit)


def again(rules: Compiled, occasion: Occasion, facts: Facts, before: Sequence[Earned]) -> tuple[Earned, ...]:
    """What remains of an occasion earns, by the same rules and facts, and in the room that there was then (L7).

    A rule that caps or a budget bound gives no more than it gave then: nothing, if it gave nothing.
    """
    return tuple(_again(rules, occasion, facts, {item.rule: item.points for item in before}))


def _again(rules: Compiled, occasion: Occasion, facts: Facts, gave: Mapping[str, int]) -> Iterator[Earned]:
    for request in evaluate(rules, occasion, facts).requested:
        code, points = request.rule.code, request.points
        if code in rules.bounded:
            points = min(points, gave.get(code, 0))
        if points:
            yield Earned(rule=code, points=points, requested=request.points)


def total(earned: Iterable[Earned]) -> int:
    """The sum of what rules gave."""
    return sum(item.points for item in earned)


# What a rule is reckoned on.


def _basis(candidate: Candidate, basket: Basket) -> Applying | Skip:
    """The lines that count for a rule, or why it does not apply to what was paid."""
    rule, counts = candidate.rule, candidate.counts
    lines, paid, quantity = basket.whole if counts is None else basket.chosen(counts)
    if not lines and counts is not None:
        return Skip.LINES
    freight = 0
    if rule.includes_freight:
        freight = basket.freight_minor
        paid += freight
    if paid < rule.minimum_minor or (rule.kind is EarningKind.BONUS_AT and paid < rule.amount_minor):
        return Skip.BELOW_MINIMUM
    when = rule.when
    if when.maximum_minor is not None and paid > when.maximum_minor:
        return Skip.ABOVE_MAXIMUM
    if when.quantity_min is not None and quantity < when.quantity_min:
        return Skip.QUANTITY
    # Where nothing was paid, or all of it was given back, there is no purchase to reward.
    return Applying(rule, counts, lines, freight, paid) if paid > 0 else Skip.NOTHING_TO_GIVE


# Which of an exclusive group gives.


def _without_excluded(
    applying: list[Applying], occasion: Occasion, facts: Facts, skipped: list[Skipped]
) -> list[Applying]:
    """The rules that give: of each exclusive group the first by priority, else by what it gives, else by code."""
    grouped = [item for item in applying if item.rule.exclusive_group is not None]
    if not grouped:
        return applying
    giving = [item for item in grouped if item.rule.kind is not EarningKind.MULTIPLIER]
    worth = {item.rule.code: multiplying.alone(item, facts) for item in giving}
    best = _best(giving, worth)
    # A multiplier is worth what it adds to what gives without it.
    bases = [item for item in applying if item.rule.kind in PROPORTIONAL and _gives(item, best)]
    for item in grouped:
        if item.rule.kind is EarningKind.MULTIPLIER:
            others = [base for base in bases if base.rule.exclusive_group != item.rule.exclusive_group]
            factors = Factors(occasion)
            factors.take(item)
            worth[item.rule.code] = sum(
                multiplying.proportion(other, facts).points(factors) - multiplying.alone(other, facts)
                for other in others
            )
    best = _best(grouped, worth)
    skipped.extend(Skipped(item.rule, Skip.EXCLUDED) for item in grouped if not _gives(item, best))
    return [item for item in applying if _gives(item, best)]


def _best(grouped: Iterable[Applying], worth: Mapping[str, int]) -> dict[str, str]:
    """The code of the rule that gives, by group."""
    best: dict[str, EarningRule] = {}
    for item in grouped:
        rule, group = item.rule, item.rule.exclusive_group or ""
        if group not in best or _precedence(rule, worth) < _precedence(best[group], worth):
            best[group] = rule
    return {group: rule.code for group, rule in best.items()}


def _precedence(rule: EarningRule, worth: Mapping[str, int]) -> tuple[int, int, str]:
    return (-rule.priority, -worth[rule.code], rule.code)


def _gives(item: Applying, best: Mapping[str, str]) -> bool:
    group = item.rule.exclusive_group
    return group is None or best.get(group) == item.rule.code


# Giving.


def _requested(kept: Sequence[Applying], occasion: Occasion, facts: Facts) -> list[Requested]:
    """What every rule that gives would give, by falling priority."""
    factors = Factors(occasion)
    proportional = [multiplying.proportion(item, facts) for item in kept if item.rule.kind in PROPORTIONAL]
    points = {each.code: each.points(factors) for each in proportional}
    before = sum(points.values())
    for item in kept:
        if item.rule.kind is EarningKind.MULTIPLIER:
            factors.take(item)
            after = sum(each.points(factors) for each in proportional)
            points[item.rule.code], before = after - before, after
        elif item.rule.kind not in PROPORTIONAL:
            points[item.rule.code] = item.rule.points
    return [Requested(item.rule, points[item.rule.code]) for item in kept if points[item.rule.code] > 0]
