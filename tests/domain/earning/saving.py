"""A rule that is to be saved, and why it is refused."""

from datetime import date
from typing import Final
from uuid import UUID

import pytest

from domain.earning import checking
from domain.earning.checking import Known
from domain.earning.effects import RuleInvalid
from domain.earning.rules import EarningRule
from domain.kernel import Refusal
from tests.domain.shop import SHANGHAI

GOLD, HARBOUR = UUID(int=1), UUID(int=2)
KNOWN: Final = Known(
    time_zone=SHANGHAI, today=date(2026, 1, 15), categories=("tea", "cake"), tiers=(GOLD,), stores=(HARBOUR,)
)


def refused(rule: EarningRule, kind: type[Refusal] = RuleInvalid) -> Refusal:
    with pytest.raises(kind) as found:
        checking.check_rule(rule, {}, KNOWN)
    assert type(found.value) is kind
    return found.value


def contradicts(rule: EarningRule) -> tuple[str, str]:
    """The field at fault and why."""
    found = refused(rule)
    assert found.field is not None
    assert found.details["rule"] == rule.code
    assert found.message == f"The earning rule {rule.code!r}: {found.details['why']}"
    return ".".join(found.field), str(found.details["why"])
