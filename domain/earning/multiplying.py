"""What proportional rules give, times the tier's factor and the multipliers of each line, floored once (L6)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from domain import money
from domain.earning.facts import BasisLine, Facts, Occasion
from domain.earning.matching import Counts
from domain.earning.rules import PROPORTIONAL, Band, EarningKind, EarningRule


@dataclass(slots=True)
class Applying:
    """A rule that applies, with the lines that count for it and what was paid for them (and freight, if it counts)."""

    rule: EarningRule
    counts: Counts | None
    lines: tuple[BasisLine, ...]
    freight_minor: int
    paid_minor: int


def alone(item: Applying, facts: Facts) -> int:
    """What a rule gives without multipliers."""
    if item.rule.kind not in PROPORTIONAL:
        return item.rule.points
    numerator, denominator = _rate(item.rule, item.paid_minor)
    return money.floor_ratio(facts.multiplier_bp, numerator, denominator * money.BASIS)


class Factors:
    """The product of the multipliers so far of each line, and of freight, over one denominator: nothing is rounded."""

    def __init__(self, occasion: Occasion) -> None:
        # By identity, which is quicker than by value; a line that is told twice is multiplied once.
        self._told = {id(line): line for line in occasion.lines}
        self.lines = dict.fromkeys(self._told, 1)
        self.freight = 1
        self.denominator = 1

    def take(self, multiplier: Applying) -> None:
        """Multiply what a multiplier is for."""
        common = math.gcd(multiplier.rule.multiplier_bp, money.BASIS)
        times, once = multiplier.rule.multiplier_bp // common, money.BASIS // common
        for key, line in self._told.items():
            self.lines[key] *= times if _counts(multiplier, line) else once
        self.freight *= times if _multiplies_freight(multiplier.rule) else once
        self.denominator *= once


@dataclass(frozen=True, slots=True)
class Proportion:
    """What a proportional rule gives for each minor unit of its basis, as a fraction, the tier's factor in it."""

    item: Applying
    numerator: int
    denominator: int

    @property
    def code(self) -> str:
        return self.item.rule.code

    def points(self, factors: Factors) -> int:
        """The rule's points times all factors, line by line, floored once (L6)."""
        weighed = self.item.freight_minor * factors.freight
        of_line = factors.lines
        for line in self.item.lines:
            weighed += line.paid_minor * of_line[id(line)]
        return money.floor_ratio(weighed, self.numerator, self.denominator * factors.denominator)


def proportion(item: Applying, facts: Facts) -> Proportion:
    numerator, denominator = _rate(item.rule, item.paid_minor)
    return Proportion(item, numerator * facts.multiplier_bp, denominator * item.paid_minor * money.BASIS)


def _counts(item: Applying, line: BasisLine) -> bool:
    return item.counts is None or item.counts(line)


def _multiplies_freight(rule: EarningRule) -> bool:
    """A multiplier that names goods is for those goods only."""
    return not (rule.when.products or rule.when.categories)


def _rate(rule: EarningRule, paid_minor: int) -> tuple[int, int]:
    """What a proportional rule gives on an amount, as a fraction: nothing is rounded yet."""
    if rule.kind is EarningKind.PER_AMOUNT:
        return paid_minor * rule.points, rule.amount_minor
    reached = [band for band in rule.bands if band.from_minor <= paid_minor]
    if not reached:
        return 0, 1
    if not rule.bands_are_marginal:
        return paid_minor * reached[-1].points, reached[-1].amount_minor
    return _marginal(reached, paid_minor)


def _marginal(reached: Sequence[Band], paid_minor: int) -> tuple[int, int]:
    numerator, denominator = 0, 1
    ends = [*(band.from_minor for band in reached[1:]), paid_minor]
    for band, end in zip(reached, ends, strict=True):
        part = (end - band.from_minor) * band.points
        numerator, denominator = numerator * band.amount_minor + part * denominator, denominator * band.amount_minor
    return numerator, denominator
