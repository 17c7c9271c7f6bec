"""Why points were earned: the rules, their version and the inputs of a transaction, evaluated again the same way."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import strawberry

from api import access, moneys, scalars, shapes, terms
from api.context import Context, Info
from api.earning import EarningRule
from api.moneys import Money
from api.stores import Store
from api.tiers import Tier
from domain import activities, explanations, members, stores
from domain.access import Scope
from domain.earning import matching
from domain.earning.facts import Earned, Facts, Occasion
from domain.earning.grants import Grant
from domain.earning.rules import Trigger
from domain.explanations import Explanation as Explained
from domain.points import bounds
from domain.points.account import PointTransaction, SourceType, TransactionKind
from domain.purchases import purchase
from domain.stores import Channel
from domain.tiers import tier as tiers


class EarningLimit(StrEnum):
    """What took from what a rule would have given: its cap for a period, its campaign's budget, or the store."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"
    LIFETIME = "LIFETIME"
    BUDGET = "BUDGET"
    STORE = bounds.STORE  # what the store or channel may give


shapes.named(EarningLimit, matching.Skip)

_STAFF: Final = access.staff(Scope.MEMBERS_READ)


def _of_occasion(attribute: str) -> Any:
    def resolve(parent: strawberry.Parent[Explained]) -> Any:
        return getattr(parent.occasion, attribute)

    return strawberry.field(resolver=resolve)


def _of_facts(attribute: str) -> Any:
    def resolve(parent: strawberry.Parent[Explained], info: Info) -> Any:  # noqa: ARG001 - the policy looks at it
        return list(getattr(parent.facts, attribute))

    return access.resolved_by(_STAFF, resolve)


def _local_time(parent: strawberry.Parent[Explained]) -> str:
    return parent.occasion.local.isoformat()


def _paid(parent: strawberry.Parent[Explained], info: Info) -> Any:
    return moneys.of(sum(line.paid_minor for line in parent.occasion.lines), info)


def _freight(parent: strawberry.Parent[Explained], info: Info) -> Any:
    return moneys.of(parent.occasion.freight_minor, info)


def _multiplier_bp(parent: strawberry.Parent[Explained]) -> Any:
    return parent.facts.multiplier_bp


async def _tier(parent: strawberry.Parent[Explained], info: Info) -> Any:
    tier_id = parent.facts.tier_id
    return None if tier_id is None else await info.context.loaders.row(tiers.Tier, tier_id)


async def _store(parent: strawberry.Parent[Explained], info: Info) -> Any:
    store_id = parent.occasion.store_id
    return None if store_id is None else await info.context.loaders.row(stores.Store, store_id)


def _ordinals(parent: strawberry.Parent[Explained]) -> Any:
    return dict(parent.facts.ordinals)


@shapes.shape()
class AppliedRule:
    """A rule that gave points, or would have, had its caps and budget left room."""

    rule: EarningRule
    points: scalars.Points
    requested: scalars.Points = strawberry.field(description="Before caps and budgets.")
    limited_by: EarningLimit | None = strawberry.field(description="Null if it gave all that was requested.")


@shapes.shape()
class SkippedRule:
    """A rule that waited for this and gave nothing, and why; those of campaigns that are not public only for staff."""

    rule: EarningRule
    why: matching.Skip


@shapes.shape()
class Explanation:
    """What the rules of a version made of something: which applied, which did not and why, by which inputs."""

    rule_version: int
    applied: list[AppliedRule]
    skipped: list[SkippedRule]
    occurred_at: datetime = _of_occasion("occurred_at")
    local_time: str = strawberry.field(resolver=_local_time, description="On the program's own clock.")
    channel: Channel | None = _of_occasion("channel")
    activity_type: str | None = _of_occasion("activity_type")
    store: Store | None = strawberry.field(resolver=_store)
    paid: Money = strawberry.field(resolver=_paid, description="For goods that earn, net of vouchers and points.")
    freight: Money = strawberry.field(resolver=_freight)
    tier: Tier | None = strawberry.field(resolver=_tier, description="The member's then.")
    multiplier_bp: scalars.BasisPoints = strawberry.field(resolver=_multiplier_bp, description="The tier's factor.")
    ordinals: scalars.JSONObject = strawberry.field(
        resolver=_ordinals, description="Which purchase it was of each period that the rules look at."
    )
    tags: list[str] = _of_facts("tags")
    segments: list[str] = _of_facts("segments")


async def of_transaction(context: Context, transaction: PointTransaction) -> Explained | None:
    """The explanation of what rules gave; None for what no rule gave, such as what is taken back of it."""
    if transaction.kind is not TransactionKind.EARN:
        return None
    reader = {
        SourceType.PURCHASE: _of_purchase,
        SourceType.ACTIVITY: _of_activity,
        SourceType.GRANT: _of_grant,
        SourceType.SIGN_UP: _of_grant,
    }.get(transaction.source_type)
    return None if reader is None else await reader(context, transaction)


async def _of_purchase(context: Context, transaction: PointTransaction) -> Explained | None:
    row = await context.loaders.row(purchase.Purchase, transaction.source_id)
    return None if row is None else await of_purchase(context, row)


async def of_purchase(context: Context, row: purchase.Purchase) -> Explained:
    """What a purchase earned, explained."""
    program = await context.loaders.program()
    occasion = purchase.occasion_of(row, program.time_zone, row.lines, row.freight_minor)
    return await _explained(context, row.rule_version, occasion, purchase.facts_of(row), row.earned)


async def _of_activity(context: Context, transaction: PointTransaction) -> Explained | None:
    row = await context.loaders.row(activities.Activity, transaction.source_id)
    if row is None:
        return None
    program = await context.loaders.program()
    occasion = activities.occasion_of(row, program.time_zone)
    return await _explained(context, row.rule_version, occasion, row.facts, row.earned)


async def _of_grant(context: Context, transaction: PointTransaction) -> Explained | None:
    row = await context.loaders.row(Grant, transaction.source_id)
    if row is None:
        return None
    program = await context.loaders.program()
    # Only joining happens somewhere.
    joined = row.trigger is Trigger.ENROLLMENT
    member = await context.loaders.row(members.Member, row.member_id) if joined else None
    occasion = Occasion(
        trigger=row.trigger,
        occurred_at=row.occurred_at,
        time_zone=row.facts.time_zone or program.time_zone,
        store_id=None if member is None else member.store_id,
        channel=None if member is None else member.channel,
    )
    return await _explained(context, row.rule_version, occasion, row.facts, row.earned)


async def _explained(
    context: Context, version: int, occasion: Occasion, facts: Facts, earned: Sequence[Earned]
) -> Explained:
    rule_set = await context.loaders.rule_set(version)
    found = explanations.explain(rule_set, occasion, facts, earned)
    # A rule that gave is no surprise any more; one that did not stays one.
    hidden = terms.hidden_campaigns(rule_set, context)
    found = replace(found, skipped=tuple(item for item in found.skipped if item.rule.campaign not in hidden))
    # Every rule is evaluated again, so that an explanation costs as much as it has items.
    context.take_nodes(len(found.applied) + len(found.skipped))
    return found
