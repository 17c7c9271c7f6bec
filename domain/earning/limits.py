"""What was given under caps and budgets so far, by the program's local calendar (L13)."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain import calendars
from domain.earning.rules import EarningRule, Period
from domain.kernel import Row, derived_id


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningCount(Row):
    """What one rule gave one member in one period that it caps: points, and how many times. Guarded by the account."""

    member_id: UUID
    rule: str
    period: Period
    starts_on: date
    points: int = 0
    times: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignBudget(Row):
    """What the rules of a campaign gave in all, refunds taken off. It guards itself."""

    campaign: str
    points: int = 0


def count_id(member_id: UUID, rule: str, period: Period, starts_on: date) -> UUID:
    """The id of a count, always the same, so that two that would begin it meet in the primary key."""
    return derived_id(member_id, f"{period}|{starts_on}|{rule}")


def budget_id(program_id: UUID, campaign: str) -> UUID:
    """The id of a campaign's budget in use."""
    return derived_id(program_id, f"budget|{campaign}")


def empty_count(program_id: UUID, member_id: UUID, rule: EarningRule, period: Period, day: date) -> EarningCount:
    """The count of a rule in the period of a day, before anything was given."""
    starts_on = calendars.start_of_period(day, period.value)
    return EarningCount(
        id=count_id(member_id, rule.code, period, starts_on),
        program_id=program_id,
        member_id=member_id,
        rule=rule.code,
        period=period,
        starts_on=starts_on,
    )
