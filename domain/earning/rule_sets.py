"""The versions that rules and campaigns are kept in: a purchase keeps its own for ever, and refunds reckon by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import ClassVar

from domain.earning import matching
from domain.earning.matching import Compiled
from domain.earning.rules import Campaign, EarningRule
from domain.kernel import Row, State


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningRules(Row):
    """The rules and campaigns of a program in one version, for ever (L7)."""

    is_fact: ClassVar[bool] = True
    is_configuration: ClassVar[bool] = True
    parent: ClassVar[str | None] = "program_id"
    keys: ClassVar[tuple[str, ...]] = ("version",)

    version: int
    rules: tuple[EarningRule, ...]
    campaigns: tuple[Campaign, ...] = ()
    created_at: datetime

    def __hash__(self) -> int:
        """A version never changes: its id says all, where a thousand rules would be hashed for every purchase."""
        return hash(self.id)


@lru_cache(maxsize=256)
def ready(rule_set: EarningRules) -> Compiled:
    """A version made ready to be asked."""
    return matching.compiled(rule_set.rules, rule_set.campaigns)


def of_version(state: State, version: int) -> EarningRules:
    """A version of this program's rules."""
    found = state.find_by(EarningRules, "version", version)
    assert found is not None, "a purchase or program names a rule version that was saved with it"
    return found


def next_version(
    state: State, before: EarningRules, rules: Sequence[EarningRule], campaigns: Sequence[Campaign]
) -> EarningRules:
    """The version after `before`, of these rules and campaigns."""
    return _made(state, before.version + 1, rules, campaigns)


def first_version(state: State, rules: Sequence[EarningRule]) -> EarningRules:
    """The rules with which a program begins."""
    return _made(state, 1, rules, ())


def _made(state: State, version: int, rules: Sequence[EarningRule], campaigns: Sequence[Campaign]) -> EarningRules:
    return EarningRules(
        id=state.new_id(),
        program_id=state.program_id,
        version=version,
        rules=tuple(rules),
        campaigns=tuple(campaigns),
        created_at=state.now,
    )
