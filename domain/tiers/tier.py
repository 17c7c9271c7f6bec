"""Tiers: a member's standing, reached by a metric that is earned and never spent (K1), and what each gives (K4)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from domain import checks, money
from domain.earning.rules import MULTIPLIER_BP_MAX, EarningKind, EarningRule, Trigger
from domain.kernel import Command, Decision, Event, Refusal, Row, State
from domain.programs import Program

PERKS_MAX: Final = 20
HEAD_START_MINUTES_MAX: Final = 60 * 24 * 30
# The codes of what tiers give by themselves, beside the program's own rules.
BIRTHDAY_GIFT: Final = "tier-birthday-gift"
UPGRADE_GIFT: Final = "tier-upgrade-gift"


@dataclass(frozen=True, slots=True, kw_only=True)
class TierBenefits:
    """What a tier gives beside its factor on earning, as data that shops and storefronts act on (K4).

    `discount_bp` is what the shop takes off a price; `birthday_points` and `upgrade_points` are given by the program,
    the latter once a tier and window (K5); members see a flash sale `head_start_minutes` early; perks are texts.
    """

    discount_bp: int = 0
    birthday_points: int = 0
    upgrade_points: int = 0
    head_start_minutes: int = 0
    perks: tuple[str, ...] = ()


NO_BENEFITS: Final = TierBenefits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier(Row):
    """A tier. `rank` orders tiers upwards, unique in the program; `multiplier_bp` is its factor on earning.

    `threshold` and `keep_threshold` count in the metric of the program's tier policy: points, minor units or purchases.
    """

    is_configuration: ClassVar[bool] = True
    parent: ClassVar[str | None] = "program_id"
    keys: ClassVar[tuple[str, ...]] = ("rank", "name")

    name: str
    rank: int
    # Reached as soon as a member's metric comes to this.
    threshold: int
    # Kept by this much (保级); None: as much as it is reached by.
    keep_threshold: int | None = None
    multiplier_bp: int = money.BASIS
    benefits: TierBenefits = NO_BENEFITS
    created_at: datetime

    @property
    def keeps_at(self) -> int:
        """What the metric must come to for the tier to be kept (K3)."""
        return self.threshold if self.keep_threshold is None else self.keep_threshold


class TierTaken(Refusal):
    """Another tier of the program has this name or rank."""

    code = "TIER_TAKEN"
    text = "Another tier of this program has this {what}: {value}."


class TierOrderInvalid(Refusal):
    """A higher tier must need more than every lower one."""

    code = "TIER_ORDER_INVALID"
    text = "A tier of higher rank needs more than the lower ones, to be reached and to be kept; {tier!r} contradicts."


@dataclass(frozen=True, slots=True, kw_only=True)
class TierSaved(Event):
    """A tier was made or edited."""

    tier_id: UUID


def reached(ladder: Sequence[Tier], metric: int) -> Tier | None:
    """The highest tier that a metric reaches; None below them all."""
    within = [tier for tier in ladder if tier.threshold <= metric]
    return max(within, key=rank_of, default=None)


def left_with(ladder: Sequence[Tier], metric: int) -> Tier | None:
    """The highest tier that a metric reaches or would have kept: what remains of a higher one that is lost."""
    within = [tier for tier in ladder if min(tier.threshold, tier.keeps_at) <= metric]
    return max(within, key=rank_of, default=None)


def current(ladder: Sequence[Tier], tier_id: UUID | None) -> Tier | None:
    """The tier with this id among the program's."""
    return next((tier for tier in ladder if tier.id == tier_id), None)


def next_above(ladder: Sequence[Tier], tier: Tier | None) -> Tier | None:
    """The tier that comes after a tier; the lowest after none."""
    above = [other for other in ladder if other.rank > rank_of(tier)]
    return min(above, key=rank_of, default=None)


def next_below(ladder: Sequence[Tier], tier: Tier) -> Tier | None:
    """The tier that comes before a tier; None before the lowest."""
    return max((other for other in ladder if other.rank < tier.rank), key=rank_of, default=None)


def rank_of(tier: Tier | None) -> int:
    """A tier's rank; 0 without a tier, below every rank."""
    return 0 if tier is None else tier.rank


def multiplier_bp(tier: Tier | None) -> int:
    """A tier's factor on earning in basis points; 10,000 without a tier."""
    return money.BASIS if tier is None else tier.multiplier_bp


def gifts(tier: Tier | None, trigger: Trigger) -> tuple[EarningRule, ...]:
    """What a tier gives by itself on an occasion, as rules like any other."""
    points = 0
    if tier is not None and trigger is Trigger.BIRTHDAY:
        points = tier.benefits.birthday_points
    elif tier is not None and trigger is Trigger.TIER_REACHED:
        points = tier.benefits.upgrade_points
    if not points:
        return ()
    code = BIRTHDAY_GIFT if trigger is Trigger.BIRTHDAY else UPGRADE_GIFT
    return (EarningRule(code=code, kind=EarningKind.FIXED, points=points, trigger=trigger),)


def _check_order(ladder: Sequence[Tier], changed: Tier) -> None:
    for other in ladder:
        if other.id == changed.id:
            continue
        if other.name == changed.name:
            raise TierTaken(field=("name",), what="name", value=other.name)
        if other.rank == changed.rank:
            raise TierTaken(field=("rank",), what="rank", value=other.rank)
        lower, upper = sorted((other, changed), key=rank_of)
        if lower.threshold >= upper.threshold:
            raise TierOrderInvalid(field=("threshold",), tier=other.name)
        if lower.keeps_at > upper.keeps_at:
            raise TierOrderInvalid(field=("keepThreshold",), tier=other.name)


def _checked(tier: Tier) -> Tier:
    checks.number("rank", tier.rank, minimum=1, maximum=100)
    checks.points("threshold", tier.threshold, minimum=0)
    if tier.keep_threshold is not None:
        checks.points("keepThreshold", tier.keep_threshold, minimum=0)
    checks.number("multiplierBp", tier.multiplier_bp, minimum=1, maximum=MULTIPLIER_BP_MAX)
    return replace(tier, name=checks.text("name", tier.name, length_max=50), benefits=_checked_benefits(tier.benefits))


def _checked_benefits(benefits: TierBenefits) -> TierBenefits:
    checks.number("benefits.discountBp", benefits.discount_bp, minimum=0, maximum=money.BASIS)
    checks.points("benefits.birthdayPoints", benefits.birthday_points, minimum=0, maximum=10**9)
    checks.points("benefits.upgradePoints", benefits.upgrade_points, minimum=0, maximum=10**9)
    checks.number("benefits.headStartMinutes", benefits.head_start_minutes, minimum=0, maximum=HEAD_START_MINUTES_MAX)
    checks.at_most("benefits.perks", benefits.perks, PERKS_MAX)
    return replace(benefits, perks=checks.texts("benefits.perks", benefits.perks))


def _kept(state: State, tier: Tier) -> Decision[Tier]:
    """Save a tier. Members are looked at again by the worker, under the ladder's next version, in batches."""
    _check_order(state.all(Tier, of=state.program_id), tier)
    program = state.change(Program, state.program_id)
    program = replace(program, ladder_version=program.ladder_version + 1)
    return Decision(tier, save=(tier, program), events=(TierSaved(tier_id=tier.id),))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTier(Command[Tier]):
    """Add a tier. Refuses a taken name or rank and an order that contradicts the ranks."""

    name: str
    rank: int
    threshold: int
    keep_threshold: int | None = None
    multiplier_bp: int = money.BASIS
    benefits: TierBenefits = NO_BENEFITS

    def decide(self, state: State) -> Decision[Tier]:
        tier = Tier(
            id=state.new_id(),
            program_id=state.program_id,
            name=self.name,
            rank=self.rank,
            threshold=self.threshold,
            keep_threshold=self.keep_threshold,
            multiplier_bp=self.multiplier_bp,
            benefits=self.benefits,
            created_at=state.now,
        )
        return _kept(state, _checked(tier))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateTier(Command[Tier]):
    """Edit a tier; None leaves a value as it is. Members keep what they have reached until it expires (K3)."""

    tier_id: UUID
    name: str | None = None
    rank: int | None = None
    threshold: int | None = None
    keep_threshold: int | None = None
    multiplier_bp: int | None = None
    benefits: TierBenefits | None = None

    def decide(self, state: State) -> Decision[Tier]:
        told = {
            name: getattr(self, name)
            for name in ("name", "rank", "threshold", "keep_threshold", "multiplier_bp", "benefits")
            if getattr(self, name) is not None
        }
        return _kept(state, _checked(replace(state.change(Tier, self.tier_id), **told)))
