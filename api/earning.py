"""Earning rules in the API: what gives points, as data and in words."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import strawberry

from api import access, ids, inputs, moneys, scalars, shapes, terms
from api.context import Context, Info
from api.inputs import MoneyInput
from api.moneys import Money
from api.policies import ExpiryPolicy, ExpiryPolicyInput, PendingPolicy, PendingPolicyInput
from api.schedules import Schedule, ScheduleInput
from api.stores import Store
from api.terms import Terms
from api.tiers import Tier
from domain import audiences, money, stores
from domain.access import Scope
from domain.earning import checking, rules
from domain.kernel import Row
from domain.schedules import ALWAYS
from domain.stores import Channel
from domain.tiers import tier as tiers

shapes.named(rules.Anniversary, rules.CapPolicy, rules.EarningKind, rules.Period, rules.Trigger)

_STAFF: Final = access.staff(Scope.PROGRAM_READ)


def _rows(kind: type[Row], attribute: str, description: str) -> Any:
    """A field that shows the rows whose ids are in an attribute."""

    async def resolve(parent: strawberry.Parent[Any], info: Info) -> Any:
        keys = getattr(parent, attribute)
        info.context.take_nodes(len(keys))
        return await info.context.loaders.rows(kind, keys)

    return strawberry.field(resolver=resolve, description=description)


def _stores(attribute: str, description: str) -> Any:
    return _rows(stores.Store, attribute, description)


@shapes.shape()
class Audience:
    """Who an offer is for. What is empty is not asked, and everything else must hold."""

    tiers: list[Tier] = _rows(tiers.Tier, "tiers", "One of these tiers.")
    tags: list[str] = strawberry.field(description="Any of these tags.")
    without_tags: list[str] = strawberry.field(description="None of these tags.")
    segments: list[str] = strawberry.field(description="Any of the segments with these codes.")


@shapes.shape()
class Band:
    """From an amount on: `points` for every `amount`."""

    from_amount: Money = moneys.field("from_minor", name="from")
    points: scalars.Points
    amount: Money = moneys.field("amount_minor")


@shapes.shape()
class Cap:
    """At most so many points, and so many times, for one member by one rule in a period of the local calendar."""

    period: rules.Period
    points: scalars.Points | None
    times: int | None


@shapes.shape()
class Ordinal:
    """Which purchase of a period: the n-th, every n-th (`repeats`), or from the n-th on (`onwards`)."""

    number: int
    period: rules.Period
    repeats: bool
    onwards: bool


@shapes.shape()
class RuleConditions:
    """What must hold for a rule to give. What is empty is not asked; lists name alternatives."""

    maximum: Money | None = moneys.field("maximum_minor")
    quantity_min: int | None
    products: list[str]
    without_products: list[str]
    categories: list[str]
    without_categories: list[str]
    stores: list[Store] = _stores("stores", "At one of these.")
    without_stores: list[Store] = _stores("without_stores", "At none of these.")
    channels: list[Channel]
    audience: Audience
    new_for_days: int | None
    ordinal: Ordinal | None
    anniversary: rules.Anniversary | None
    schedule: Schedule


async def _terms(parent: strawberry.Parent[rules.EarningRule], info: Info) -> Any:
    return await terms.of_rule(info.context, parent)


@shapes.shape()
class EarningRule:
    """One rule: what it waits for, what must hold, what it gives and how much at most.

    PER_AMOUNT gives `points` for every `amount`, TIERED by bands, both times all multipliers, floored once; BONUS_AT
    gives once from `amount` on; FIXED gives `points`; MULTIPLIER multiplies what the others give on the same lines.
    """

    code: str
    name: str | None
    trigger: rules.Trigger
    kind: rules.EarningKind
    points: scalars.Points
    amount: Money = moneys.field("amount_minor")
    multiplier_bp: scalars.BasisPoints
    bands: list[Band]
    bands_are_marginal: bool = strawberry.field(
        description="Whether a band's rate is for the part of the amount within it; else the highest is for all of it."
    )
    includes_freight: bool
    minimum: Money = moneys.field("minimum_minor", description="Below this the rule gives nothing.")
    activity_type: str | None
    conditions: RuleConditions = access.guarded(_STAFF, "when")
    starts_at: datetime | None
    ends_at: datetime | None
    campaign: str | None = strawberry.field(description="The code of the campaign that switches the rule on.")
    pending: PendingPolicy | None = strawberry.field(description="In place of the program's policy.")
    expiry: ExpiryPolicy | None = strawberry.field(description="In place of the program's policy.")
    caps: list[Cap]
    cap_policy: rules.CapPolicy
    priority: int
    exclusive_group: str | None = strawberry.field(
        description="Of the rules of one group only one gives: that of highest priority, else the one that gives more."
    )
    version: int = strawberry.field(description="The version of the rules in which this one was last changed.")
    terms: Terms = strawberry.field(resolver=_terms)


# What is told.


@shapes.given()
class AudienceInput:
    """Who an offer is for. What is left out is not asked; segments are named by their codes."""

    tier_ids: list[strawberry.ID] | None = inputs.bounded(audiences.ITEMS_MAX, default=None)
    tags: list[str] | None = inputs.bounded(audiences.ITEMS_MAX, default=None)
    without_tags: list[str] | None = inputs.bounded(audiences.ITEMS_MAX, default=None)
    segments: list[str] | None = inputs.bounded(audiences.ITEMS_MAX, default=None)

    def audience(self, field: str) -> audiences.Audience:
        """The audience for the domain. Refuses ids that are none of tiers."""
        return audiences.Audience(
            tiers=_keys("Tier", self.tier_ids, f"{field}.tierIds"),
            tags=tuple(self.tags or ()),
            without_tags=tuple(self.without_tags or ()),
            segments=tuple(self.segments or ()),
        )


def audience_of(given: AudienceInput | None, field: str) -> audiences.Audience:
    """The audience that is told, or everybody."""
    return audiences.EVERYBODY if given is None else given.audience(field)


def _keys(kind: str, given: list[strawberry.ID] | None, field: str) -> tuple[UUID, ...]:
    return tuple(ids.require(kind, each, field) for each in given or ())


@shapes.given()
class BandInput:
    """From an amount on: `points` for every `amount`."""

    from_amount: MoneyInput = strawberry.field(name="from")
    points: scalars.Points
    amount: MoneyInput

    def band(self, context: Context) -> rules.Band:
        """The band for the domain."""
        return rules.Band(
            from_minor=self.from_amount.minor(context, "bands.from"),
            points=self.points,
            amount_minor=self.amount.minor(context, "bands.amount"),
        )


@shapes.given()
class CapInput:
    """At most so many points, or so many times, for one member in a period."""

    period: rules.Period
    points: scalars.Points | None = None
    times: int | None = None

    def cap(self) -> rules.Cap:
        """The cap for the domain."""
        return rules.Cap(period=self.period, points=self.points, times=self.times)


@shapes.given()
class OrdinalInput:
    """Which purchase of a period: the n-th, every n-th (`repeats`), or from the n-th on (`onwards`)."""

    number: int
    period: rules.Period = rules.Period.LIFETIME
    repeats: bool = False
    onwards: bool = False

    def ordinal(self) -> rules.Ordinal:
        """The ordinal for the domain."""
        return rules.Ordinal(number=self.number, period=self.period, repeats=self.repeats, onwards=self.onwards)


@shapes.given()
class RuleConditionsInput:
    """What must hold. What is left out is not asked; lists name alternatives, at most 200 items each."""

    maximum: MoneyInput | None = None
    quantity_min: int | None = None
    products: list[str] | None = inputs.bounded(checking.ITEMS_MAX, default=None)
    without_products: list[str] | None = inputs.bounded(checking.ITEMS_MAX, default=None)
    categories: list[str] | None = inputs.bounded(checking.ITEMS_MAX, default=None)
    without_categories: list[str] | None = inputs.bounded(checking.ITEMS_MAX, default=None)
    store_ids: list[strawberry.ID] | None = inputs.bounded(checking.ITEMS_MAX, default=None)
    without_store_ids: list[strawberry.ID] | None = inputs.bounded(checking.ITEMS_MAX, default=None)
    channels: list[Channel] | None = inputs.bounded(len(Channel), default=None)
    audience: AudienceInput | None = None
    new_for_days: int | None = None
    ordinal: OrdinalInput | None = None
    anniversary: rules.Anniversary | None = None
    schedule: ScheduleInput | None = None

    def conditions(self, context: Context) -> rules.Conditions:
        """The conditions for the domain. Refuses malformed ids and another currency than the program's."""
        return rules.Conditions(
            maximum_minor=None if self.maximum is None else self.maximum.minor(context, "conditions.maximum"),
            quantity_min=self.quantity_min,
            products=tuple(self.products or ()),
            without_products=tuple(self.without_products or ()),
            categories=tuple(self.categories or ()),
            without_categories=tuple(self.without_categories or ()),
            stores=_keys("Store", self.store_ids, "conditions.storeIds"),
            without_stores=_keys("Store", self.without_store_ids, "conditions.withoutStoreIds"),
            channels=tuple(dict.fromkeys(self.channels or ())),
            audience=audience_of(self.audience, "conditions.audience"),
            new_for_days=self.new_for_days,
            ordinal=None if self.ordinal is None else self.ordinal.ordinal(),
            anniversary=self.anniversary,
            schedule=ALWAYS if self.schedule is None else self.schedule.schedule(),
        )


@shapes.given()
class EarningRuleInput:
    """A rule, named by its code. Which of its values are needed depends on its kind and trigger."""

    code: str
    kind: rules.EarningKind
    points: scalars.Points = scalars.Points(0)
    amount: MoneyInput | None = None
    multiplier_bp: scalars.BasisPoints = scalars.BasisPoints(money.BASIS)
    bands: list[BandInput] | None = inputs.bounded(checking.BANDS_MAX, default=None)
    bands_are_marginal: bool = True
    includes_freight: bool = False
    minimum: MoneyInput | None = None
    name: str | None = None
    trigger: rules.Trigger = rules.Trigger.PURCHASE
    activity_type: str | None = None
    conditions: RuleConditionsInput | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    campaign: str | None = None
    pending: PendingPolicyInput | None = None
    expiry: ExpiryPolicyInput | None = None
    caps: list[CapInput] | None = inputs.bounded(checking.CAPS_MAX, default=None)
    cap_policy: rules.CapPolicy = rules.CapPolicy.REDUCE
    priority: int = 0
    exclusive_group: str | None = None

    def rule(self, context: Context) -> rules.EarningRule:
        """The rule for the domain. Refuses malformed ids and another currency than the program's."""
        return rules.EarningRule(
            code=self.code,
            kind=self.kind,
            points=self.points,
            amount_minor=0 if self.amount is None else self.amount.minor(context, "amount"),
            multiplier_bp=self.multiplier_bp,
            bands=tuple(band.band(context) for band in self.bands or ()),
            bands_are_marginal=self.bands_are_marginal,
            includes_freight=self.includes_freight,
            minimum_minor=0 if self.minimum is None else self.minimum.minor(context, "minimum"),
            name=self.name,
            trigger=self.trigger,
            activity_type=self.activity_type,
            when=rules.NONE if self.conditions is None else self.conditions.conditions(context),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            campaign=self.campaign,
            pending=None if self.pending is None else self.pending.policy(),
            expiry=None if self.expiry is None else self.expiry.policy(),
            caps=tuple(cap.cap() for cap in self.caps or ()),
            cap_policy=self.cap_policy,
            priority=self.priority,
            exclusive_group=self.exclusive_group,
        )
