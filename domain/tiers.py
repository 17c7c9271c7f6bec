"""Tiers: a member's standing, reached by qualifying points, which are earned and never spent (K1)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain import checks, earning, money
from domain.kernel import Command, Decision, Event, Refusal, Row, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier(Row):
    """A tier. `rank` orders tiers upwards, unique in the program; `multiplier_bp` is its factor on earning."""

    is_configuration: ClassVar[bool] = True
    parent: ClassVar[str | None] = "program_id"
    keys: ClassVar[tuple[str, ...]] = ("rank", "name")

    name: str
    rank: int
    # Reached as soon as a member's qualifying points come to this.
    qualifying_points: int
    multiplier_bp: int = money.BASIS
    created_at: datetime


class TierTaken(Refusal):
    """Another tier of the program has this name or rank."""

    code = "TIER_TAKEN"
    text = "Another tier of this program has this {what}: {value}."


class TierOrderInvalid(Refusal):
    """A higher tier must need at least as many qualifying points as every lower one."""

    code = "TIER_ORDER_INVALID"
    text = "A tier of higher rank needs more qualifying points than the lower ones; {tier!r} contradicts."


@dataclass(frozen=True, slots=True, kw_only=True)
class TierSaved(Event):
    """A tier was made or edited."""

    tier_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TierReached(Event):
    """A member reached a higher tier."""

    tier_id: UUID
    tier_id_before: UUID | None


def reached(tiers: Sequence[Tier], qualifying_points: int) -> Tier | None:
    """The highest tier that these qualifying points reach; None below them all."""
    within = [tier for tier in tiers if tier.qualifying_points <= qualifying_points]
    return max(within, key=lambda tier: tier.rank, default=None)


def current(tiers: Sequence[Tier], tier_id: UUID | None) -> Tier | None:
    """The tier with this id among the program's."""
    return next((tier for tier in tiers if tier.id == tier_id), None)


def multiplier_bp(tier: Tier | None) -> int:
    """A tier's factor on earning in basis points; 10,000 without a tier."""
    return money.BASIS if tier is None else tier.multiplier_bp


def _check_order(tiers: Sequence[Tier], changed: Tier) -> None:
    for other in tiers:
        if other.id == changed.id:
            continue
        if other.name == changed.name:
            raise TierTaken(field=("name",), what="name", value=other.name)
        if other.rank == changed.rank:
            raise TierTaken(field=("rank",), what="rank", value=other.rank)
        is_higher = other.rank > changed.rank
        needs_more = other.qualifying_points > changed.qualifying_points
        if is_higher != needs_more or other.qualifying_points == changed.qualifying_points:
            raise TierOrderInvalid(field=("qualifyingPoints",), tier=other.name)


def _checked(tier: Tier) -> Tier:
    checks.number("rank", tier.rank, minimum=1, maximum=100)
    checks.points("qualifyingPoints", tier.qualifying_points, minimum=0)
    checks.number("multiplierBp", tier.multiplier_bp, minimum=1, maximum=earning.MULTIPLIER_BP_MAX)
    return replace(tier, name=checks.text("name", tier.name, length_max=50))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTier(Command[Tier]):
    """Add a tier. Refuses a taken name or rank and an order that contradicts the ranks."""

    name: str
    rank: int
    qualifying_points: int
    multiplier_bp: int = money.BASIS

    def decide(self, state: State) -> Decision[Tier]:
        tier = _checked(
            Tier(
                id=state.new_id(),
                program_id=state.program_id,
                name=self.name,
                rank=self.rank,
                qualifying_points=self.qualifying_points,
                multiplier_bp=self.multiplier_bp,
                created_at=state.now,
            )
        )
        _check_order(state.all(Tier, of=state.program_id), tier)
        return Decision(tier, save=(tier,), events=(TierSaved(tier_id=tier.id),))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateTier(Command[Tier]):
    """Edit a tier; None leaves a value as it is. Members keep the tier they have reached."""

    tier_id: UUID
    name: str | None = None
    rank: int | None = None
    qualifying_points: int | None = None
    multiplier_bp: int | None = None

    def decide(self, state: State) -> Decision[Tier]:
        told = {
            name: getattr(self, name)
            for name in ("name", "rank", "qualifying_points", "multiplier_bp")
            if getattr(self, name) is not None
        }
        tier = _checked(replace(state.change(Tier, self.tier_id), **told))
        _check_order(state.all(Tier, of=state.program_id), tier)
        return Decision(tier, save=(tier,), events=(TierSaved(tier_id=tier.id),))
