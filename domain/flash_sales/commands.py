"""Making and editing flash sales: a sale is told whole, with its items, under its code."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from domain import audiences, calendars, checks, schedules
from domain.audiences import Audience
from domain.flash_sales import rounds
from domain.flash_sales.sale import (
    DESCRIPTION_MAX,
    HEAD_START_MINUTES_MAX,
    ITEMS_MAX,
    PAY_MINUTES_MAX,
    ROUND_MINUTES_MAX,
    TIERS_MAX,
    Daily,
    FlashSale,
    FlashSaleInvalid,
    FlashSaleItem,
    FlashSaleRunning,
    FlashSaleSaved,
    HeadStart,
    Share,
)
from domain.kernel import Command, Decision, NotFound, State, Want, derived_id
from domain.programs import Program
from domain.rewards.reward import QUANTITY_MAX, Reward, WindowInvalid
from domain.rewards.standing import check_audience
from domain.rewards.stock import STOCK_MAX
from domain.tiers.tier import Tier

_LOCAL_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTerms:
    """An item as it is told: which reward, what a unit costs, and how many units a round has."""

    reward_id: UUID
    points: int
    stock: int
    cash_minor: int = 0
    limit_per_member: int | None = None
    shares: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveFlashSale(Command[FlashSale]):
    """Make a sale, or replace the one with this code, as a whole: items that are not told any more are withdrawn.

    While a round is on, its times, head starts and shares stay, and stock is only raised (`FlashSaleRunning`).
    Refuses what is out of bounds or contradicts itself, and rewards and tiers that the program does not have.
    """

    code: str
    name: str
    starts_at: datetime
    ends_at: datetime
    items: tuple[ItemTerms, ...]
    description: str | None = None
    audience: Audience = audiences.EVERYBODY
    daily: Daily | None = None
    head_starts: tuple[HeadStart, ...] = ()
    pay_minutes: int = 15
    is_active: bool = True

    def decide(self, state: State) -> Decision[FlashSale]:
        code = checks.text("code", self.code, length_max=50)
        state.need(Want(Program, state.program_id), Want(FlashSale, code, "code", is_locked=True))
        found = state.find_by(FlashSale, "code", code)
        before = None if found is None else state.change(FlashSale, found.id)
        sale = self._checked(state, code, before)
        offered = () if before is None else _offered(state, sale)
        items = _items(state, sale, self.items, offered)
        zone_name = state.get(Program, state.program_id).time_zone
        if before is None or _times(sale) != _times(before):
            _require_round(state, sale, zone_name)
        if before is not None:
            _check_running(state, before, sale, items, zone_name)
        saved = FlashSaleSaved(sale_id=sale.id, item_ids=tuple(item.id for item in items))
        return Decision(sale, save=(sale, *items), events=(saved,))

    def _checked(self, state: State, code: str, before: FlashSale | None) -> FlashSale:
        """The sale as it is told. Refuses what is out of bounds, naming the field."""
        sale = FlashSale(
            id=state.new_id() if before is None else before.id,
            program_id=state.program_id,
            code=code,
            name=checks.text("name", self.name),
            description=checks.optional_text("description", self.description, length_max=DESCRIPTION_MAX),
            audience=check_audience(state, "audience", self.audience),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            daily=_checked_daily(self.daily),
            head_starts=_checked_head_starts(state, self.head_starts),
            pay_minutes=checks.number("payMinutes", self.pay_minutes, minimum=1, maximum=PAY_MINUTES_MAX),
            is_active=self.is_active,
            created_at=state.now,
        )
        if sale.starts_at.tzinfo is None or sale.ends_at.tzinfo is None or sale.starts_at >= sale.ends_at:
            raise WindowInvalid(field=("endsAt",))
        if before is None:
            return sale
        is_anew = (sale.is_active, _times(sale)) != (before.is_active, _times(before))
        return replace(sale, created_at=before.created_at, timing=before.timing + is_anew)


def _times(sale: FlashSale) -> tuple[object, ...]:
    return sale.starts_at, sale.ends_at, sale.daily, sale.head_starts


def _checked_daily(daily: Daily | None) -> Daily | None:
    if daily is None:
        return None
    schedule = schedules.well_formed("daily.schedule", daily.schedule)
    if schedules.has_hours(schedule):
        raise FlashSaleInvalid(field=("daily.schedule",), why="hours are told by localTime and minutes")
    if not _LOCAL_TIME.fullmatch(daily.local_time):
        raise FlashSaleInvalid(field=("daily.localTime",), why="a local time is written as 20:00")
    checks.number("daily.minutes", daily.minutes, minimum=1, maximum=ROUND_MINUTES_MAX)
    return replace(daily, schedule=schedule)


def _checked_head_starts(state: State, told: tuple[HeadStart, ...]) -> tuple[HeadStart, ...]:
    checks.at_most("headStarts", told, TIERS_MAX)
    _require_tiers(state, "headStarts", [start.tier_id for start in told])
    for start in told:
        checks.number("headStarts.minutes", start.minutes, minimum=1, maximum=HEAD_START_MINUTES_MAX)
    return told


def _require_tiers(state: State, name: str, tier_ids: Sequence[UUID]) -> None:
    """Refuses `NotFound`, and a tier that is told twice."""
    state.need(*(Want(Tier, tier_id) for tier_id in tier_ids))
    for tier_id in tier_ids:
        if state.find(Tier, tier_id) is None:
            raise NotFound(field=(f"{name}.tierId",), kind="Tier", key=str(tier_id))
    if len(set(tier_ids)) != len(tier_ids):
        raise FlashSaleInvalid(field=(name,), why="each tier is told once")


def _require_round(state: State, sale: FlashSale, zone_name: str) -> None:
    """A sale that could never be claimed from is a mistake."""
    if rounds.current_round(sale, state.now, zone_name) or rounds.next_round(sale, state.now, zone_name):
        return
    if sale.daily is None:
        raise FlashSaleInvalid(field=("endsAt",), why="it would be over already")
    raise FlashSaleInvalid(field=("daily",), why="no day of its schedule is still to come between startsAt and endsAt")


# Items.


def _offered(state: State, sale: FlashSale) -> tuple[FlashSaleItem, ...]:
    """The items that are offered, locked because they may be withdrawn."""
    offered = state.all(FlashSaleItem, of=sale.id)
    state.need(*(Want(FlashSaleItem, item.id, is_locked=True) for item in offered))
    return tuple(state.change(FlashSaleItem, item.id) for item in offered)


def _items(
    state: State, sale: FlashSale, told: Sequence[ItemTerms], before: Sequence[FlashSaleItem]
) -> tuple[FlashSaleItem, ...]:
    """The items as they are told, and those that are withdrawn. An item is known by its sale and its reward."""
    checks.at_most("items", told, ITEMS_MAX)
    if not told:
        raise FlashSaleInvalid(field=("items",), why="it offers nothing")
    if len({terms.reward_id for terms in told}) != len(told):
        raise FlashSaleInvalid(field=("items",), why="each reward is told once")
    keys = [derived_id(sale.id, terms.reward_id.hex) for terms in told]
    # One that was withdrawn may come back.
    state.need(
        *(Want(FlashSaleItem, key, is_locked=True) for key in keys),
        *(Want(Reward, terms.reward_id) for terms in told),
    )
    offered: list[FlashSaleItem] = []
    for place, (key, terms) in enumerate(zip(keys, told, strict=True)):
        with checks.below("items", str(place)):
            offered.append(_item(state, sale, key, place + 1, terms))
    withdrawn = [replace(item, is_closed=True) for item in before if item.id not in keys]
    return (*offered, *withdrawn)


def _item(state: State, sale: FlashSale, key: UUID, position: int, terms: ItemTerms) -> FlashSaleItem:
    reward = state.find(Reward, terms.reward_id)
    if reward is None:
        raise NotFound(field=("rewardId",), kind="Reward", key=str(terms.reward_id))
    if reward.pool_id is not None and terms.cash_minor:
        raise FlashSaleInvalid(field=("cash",), why="what comes from a pool costs points only")
    if terms.limit_per_member is not None:
        checks.number("limitPerMember", terms.limit_per_member, minimum=1, maximum=QUANTITY_MAX)
    return FlashSaleItem(
        id=key,
        program_id=state.program_id,
        sale_id=sale.id,
        reward_id=reward.id,
        position=position,
        points=checks.points("points", terms.points),
        cash_minor=checks.amount("cash", terms.cash_minor),
        stock=checks.number("stock", terms.stock, minimum=0, maximum=STOCK_MAX),
        limit_per_member=terms.limit_per_member,
        shares=_checked_shares(sale, terms),
    )


def _checked_shares(sale: FlashSale, terms: ItemTerms) -> tuple[Share, ...]:
    checks.at_most("shares", terms.shares, TIERS_MAX)
    early = {start.tier_id for start in sale.head_starts}
    for share in terms.shares:
        checks.number("shares.quantity", share.quantity, minimum=1, maximum=terms.stock)
        if share.tier_id not in early:
            raise FlashSaleInvalid(field=("shares.tierId",), why="a share is for a tier that has a head start")
    if len({share.tier_id for share in terms.shares}) != len(terms.shares):
        raise FlashSaleInvalid(field=("shares",), why="each tier is told once")
    if sum(share.quantity for share in terms.shares) > terms.stock:
        raise FlashSaleInvalid(field=("shares",), why="together they are more than the stock")
    return terms.shares


# While a round is on.


def _check_running(
    state: State, before: FlashSale, after: FlashSale, items: Sequence[FlashSaleItem], zone_name: str
) -> None:
    """Units that were promised to a tier, or to everybody, stay promised until the round is over."""
    on = rounds.running(before, state.now, zone_name)
    what = None if on is None else _shaken(state, before, after, items)
    if on is not None and what is not None:
        until = on.ends_at.astimezone(calendars.zone(zone_name)).isoformat()
        raise FlashSaleRunning(what=what, until=until)


def _shaken(state: State, before: FlashSale, after: FlashSale, items: Sequence[FlashSaleItem]) -> str | None:
    """What of a running round would be changed, as the input calls it. A withdrawn item comes back as it was."""
    if _times(after) != _times(before):
        return "startsAt, endsAt, daily or headStarts"
    for item in items:
        was = state.find(FlashSaleItem, item.id)
        if was is not None and item.shares != was.shares:
            return "items.shares"
        if was is not None and item.stock < was.stock:
            return "items.stock, but for more,"
    return None
