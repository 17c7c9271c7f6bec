"""Putting group deals into the mall, and editing them: what groups were opened with stays theirs."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain import audiences, checks
from domain.audiences import Audience
from domain.group_deals.deal import (
    CODE_MAX,
    LIMIT_MAX,
    MINUTES_MAX,
    SIZE_MAX,
    SIZE_MIN,
    UNITS_MAX,
    DealCodeTaken,
    GroupDeal,
    GroupDealSaved,
    GroupDealStock,
    UnitsInUse,
)
from domain.group_deals.group import DealGroup, take_back
from domain.kernel import Command, Decision, State, Want
from domain.rewards.commands import check_window
from domain.rewards.reward import Reward
from domain.rewards.standing import check_audience


class DealBound(StrEnum):
    """What can be lifted from a deal, because leaving it out leaves it as it is."""

    UNITS = "UNITS"
    LIMIT_PER_MEMBER = "LIMIT_PER_MEMBER"
    STARTS_AT = "STARTS_AT"
    ENDS_AT = "ENDS_AT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """A deal with its units."""

    deal: GroupDeal
    stock: GroupDealStock


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateGroupDeal(Command[Dealt]):
    """Offer a reward for fewer points to those who want it together. Refuses a code that is taken.

    `size` is from 2 to 50, `minutes` from 1 to 43,200 (30 days). Without `units` there is no end of them.
    """

    code: str
    name: str
    reward_id: UUID
    points: int
    size: int
    minutes: int
    units: int | None = None
    limit_per_member: int | None = None
    audience: Audience = audiences.EVERYBODY
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def decide(self, state: State) -> Decision[Dealt]:
        code = checks.text("code", self.code, length_max=CODE_MAX)
        audience = check_audience(state, "audience", self.audience)
        deal = _checked(
            GroupDeal(
                id=state.new_id(),
                program_id=state.program_id,
                code=code,
                name=self.name,
                reward_id=state.get(Reward, self.reward_id).id,
                points=self.points,
                size=self.size,
                minutes=self.minutes,
                audience=audience,
                limit_per_member=self.limit_per_member,
                starts_at=self.starts_at,
                ends_at=self.ends_at,
                created_at=state.now,
            )
        )
        if self.units is not None:
            checks.number("units", self.units, minimum=0, maximum=UNITS_MAX)
        if state.find_by(GroupDeal, "code", code) is not None:
            raise DealCodeTaken(field=("code",), taken=code)
        return _saved(deal, GroupDealStock(id=deal.id, program_id=state.program_id, units=self.units))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateGroupDeal(Command[Dealt]):
    """Edit a deal; None leaves a value as it is, `lifts` takes bounds away. Groups that are open stay what they are.

    `units` is how many there are in all; refuses `UnitsInUse` below what is sold and held. An inactive
    deal's groups are neither opened nor joined: those that are open fail at their deadline.
    """

    deal_id: UUID
    name: str | None = None
    points: int | None = None
    size: int | None = None
    minutes: int | None = None
    units: int | None = None
    limit_per_member: int | None = None
    audience: Audience | None = None
    is_active: bool | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    lifts: tuple[DealBound, ...] = ()

    def decide(self, state: State) -> Decision[Dealt]:
        state.need(Want(GroupDeal, self.deal_id, is_locked=True), Want(GroupDealStock, self.deal_id, is_locked=True))
        names = (
            *("name", "points", "size", "minutes", "limit_per_member"),
            *("audience", "is_active", "starts_at", "ends_at"),
        )
        if self.audience is not None:
            check_audience(state, "audience", self.audience)
        told = {name: value for name in names if (value := getattr(self, name)) is not None}
        lifted = {bound.lower(): None for bound in self.lifts if bound is not DealBound.UNITS}
        deal = _checked(replace(state.change(GroupDeal, self.deal_id), **lifted | told))
        return _saved(deal, *self._bounded(state))

    def _bounded(self, state: State) -> tuple[GroupDealStock, tuple[DealGroup, ...]]:
        """The units as they are bounded now, with those of failed groups taken back if that makes room."""
        before = state.get(GroupDealStock, self.deal_id)
        if self.units is None:
            return (replace(before, units=None) if DealBound.UNITS in self.lifts else before), ()
        units = checks.number("units", self.units, minimum=0, maximum=UNITS_MAX)
        stock = before
        failed: tuple[DealGroup, ...] = ()
        if units < before.sold + before.held:
            stock, failed = take_back(state, before)
        if units < stock.sold + stock.held:
            raise UnitsInUse(field=("units",), units=units, sold=stock.sold, held=stock.held)
        return replace(stock, units=units), failed


def _saved(deal: GroupDeal, stock: GroupDealStock, failed: tuple[DealGroup, ...] = ()) -> Decision[Dealt]:
    saved = GroupDealSaved(deal_id=deal.id)
    return Decision(Dealt(deal=deal, stock=stock), save=(deal, stock, *failed), events=(saved,))


def _checked(deal: GroupDeal) -> GroupDeal:
    """The deal with its texts trimmed. Refuses what is out of bounds, naming the field."""
    checks.points("points", deal.points)
    checks.number("size", deal.size, minimum=SIZE_MIN, maximum=SIZE_MAX)
    checks.number("minutes", deal.minutes, minimum=1, maximum=MINUTES_MAX)
    if deal.limit_per_member is not None:
        checks.number("limitPerMember", deal.limit_per_member, minimum=1, maximum=LIMIT_MAX)
    check_window("startsAt", deal.starts_at, "endsAt", deal.ends_at)
    return replace(deal, name=checks.text("name", deal.name), audience=audiences.check("audience", deal.audience))
