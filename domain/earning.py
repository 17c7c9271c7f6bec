"""What a purchase earns: one pure function over a list of rules, and the versions those rules are kept in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from domain import checks, money
from domain.kernel import Refusal, Row, State

RULES_MAX: Final = 100
# Hundredfold: beyond any campaign seen in the field, and a typing error rather than an offer.
MULTIPLIER_BP_MAX: Final = 1_000_000


class EarningKind(StrEnum):
    """What a rule gives."""

    PER_AMOUNT = "PER_AMOUNT"  # `points` for every `amount_minor` of the basis, times the tier's multiplier
    BONUS_AT = "BONUS_AT"  # `points` once when the basis reaches `amount_minor`


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningRule:
    """One rule of a program: data, so that it can be kept in versions and explained.

    The basis is what was paid for goods, net of vouchers and points (L6); `includes_freight` adds
    the freight to it. Below `minimum_minor` the rule gives nothing.
    """

    code: str
    kind: EarningKind
    points: int
    amount_minor: int
    includes_freight: bool = False
    minimum_minor: int = 0


ONE_POINT_A_UNIT: Final = (EarningRule(code="base", kind=EarningKind.PER_AMOUNT, points=1, amount_minor=100),)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningRules(Row):
    """The rules of a program in one version, for ever: a refund reckons by the version of its purchase (L7)."""

    is_fact: ClassVar[bool] = True
    is_configuration: ClassVar[bool] = True
    parent: ClassVar[str | None] = "program_id"
    keys: ClassVar[tuple[str, ...]] = ("version",)

    version: int
    rules: tuple[EarningRule, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a purchase earns on: net paid for goods and for freight in minor units, and the tier's factor."""

    goods_minor: int
    freight_minor: int = 0
    multiplier_bp: int = money.BASIS


@dataclass(frozen=True, slots=True)
class Earned:
    """What one rule gave."""

    rule: str
    points: int


class RuleInvalid(Refusal):
    """The list of earning rules is empty, too long, or names one code twice."""

    code = "RULE_INVALID"
    text = "Earning rules: {why}"


def earn(rules: Sequence[EarningRule], basis: Basis) -> tuple[Earned, ...]:
    """What each rule gives on a basis, in the rules' order, without those that give nothing (L6).

    Points are floored once, after multiplying.
    """
    return tuple(Earned(rule.code, given) for rule in rules if (given := _points_of(rule, basis)) > 0)


def total(rules: Sequence[EarningRule], basis: Basis) -> int:
    """The sum of what the rules give on a basis."""
    return sum(item.points for item in earn(rules, basis))


def _points_of(rule: EarningRule, basis: Basis) -> int:
    paid = basis.goods_minor + (basis.freight_minor if rule.includes_freight else 0)
    if paid < rule.minimum_minor:
        return 0
    if rule.kind is EarningKind.BONUS_AT:
        return rule.points if paid >= rule.amount_minor else 0
    return money.floor_ratio(paid, rule.points * basis.multiplier_bp, rule.amount_minor * money.BASIS)


def check_rules(rules: Sequence[EarningRule]) -> None:
    """Refuses `RuleInvalid`, and `PointsInvalid` or `AmountInvalid` for a rule's numbers."""
    checks.at_most("earningRules", rules, RULES_MAX)
    if len({rule.code for rule in rules}) != len(rules):
        raise RuleInvalid(field=("earningRules",), why="every rule needs a code of its own.")
    for rule in rules:
        checks.text("earningRules.code", rule.code, length_max=50)
        checks.points("earningRules.points", rule.points, maximum=10**9)
        checks.amount("earningRules.amount", rule.amount_minor, minimum=1)
        checks.amount("earningRules.minimum", rule.minimum_minor)


def rule_set(state: State, *, version: int, rules: tuple[EarningRule, ...]) -> EarningRules:
    """A new version of the program's rules."""
    return EarningRules(
        id=state.new_id(),
        program_id=state.program_id,
        version=version,
        rules=rules,
        created_at=state.now,
    )


def rules_of(state: State, version: int) -> tuple[EarningRule, ...]:
    """The rules of a version of this program."""
    found = state.find_by(EarningRules, "version", version)
    assert found is not None, "a purchase or program names a rule version that was saved with it"
    return found.rules
