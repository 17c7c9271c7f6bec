"""Grants: what the rules gave for occasions of the program's own, such as a birthday; each occasion once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.earning.facts import Earned, Facts
from domain.earning.rules import Trigger
from domain.kernel import Row, derived_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(Row):
    """What rules gave a member for an occasion, and by which facts. `occasion` names it, such as a year or day."""

    is_fact: ClassVar[bool] = True

    member_id: UUID
    trigger: Trigger
    occasion: str
    rule_version: int
    facts: Facts
    earned: tuple[Earned, ...]
    points: int
    occurred_at: datetime
    recorded_at: datetime
    actor: str


def grant_id(member_id: UUID, trigger: Trigger, occasion: str) -> UUID:
    """The id of a grant: an occasion has one, for ever. That of an enrollment is the member's own."""
    return member_id if trigger is Trigger.ENROLLMENT else derived_id(member_id, f"{trigger}|{occasion}")


@dataclass(frozen=True, slots=True)
class Given:
    """What rules gave for one occasion: by rule, in which version, and the first transaction of it."""

    earned: Sequence[Earned]
    rule_version: int
    earning_id: UUID | None = None

    @property
    def points(self) -> int:
        """The sum."""
        return sum(item.points for item in self.earned)
