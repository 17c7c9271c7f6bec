"""A member's points: figures, transactions, lots and holds, shown as the clock leaves them at the moment of asking."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import strawberry

from api import access, explanations, ids, moneys, scalars, shapes
from api.context import Info
from api.explanations import Explanation
from api.moneys import Money
from api.tiers import Tier
from domain.access import Scope
from domain.points import account
from domain.tiers import tier as tiers
from persistence import pages

shapes.named(
    account.AccountStatus,
    account.HoldState,
    account.LotState,
    account.PointType,
    account.SourceType,
    account.TransactionKind,
)

_STAFF: Final = access.staff(Scope.MEMBERS_READ)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
# What a source is in the contract. A source that is no object of its own keeps the name of its type.
_SOURCES: Final = {
    account.SourceType.PURCHASE: "Purchase",
    account.SourceType.REFUND: "Refund",
    account.SourceType.REDEMPTION: "Redemption",
    account.SourceType.SIGN_UP: "Member",
    account.SourceType.HOLD: "Hold",
    account.SourceType.LOT: "Lot",
    account.SourceType.ACTIVITY: "Activity",
    account.SourceType.GRANT: "Grant",
}

HOLD_KEYSET: Final = pages.Keyset(("lapses_at", "id"), (datetime, UUID))


@dataclass(frozen=True, slots=True)
class SpendKeyset:
    """The order in which lots are drawn: soonest expiry first, then the oldest, then by id (L4)."""

    types: tuple[type, ...] = (datetime, datetime, UUID)

    def place(self, lot: account.Lot) -> pages.Place:
        """Where a lot stands."""
        return (lot.expires_at or _NEVER, lot.earned_at, lot.id)


SPEND_KEYSET: Final = SpendKeyset()


@shapes.shape()
class PointsAccount:
    """A member's points. Points are available, pending (earned, not yet usable), held (set aside), or owed (debt)."""

    status: account.AccountStatus
    available: scalars.Points
    pending: scalars.Points
    held: scalars.Points
    debt: scalars.Points = strawberry.field(description="Paid by the next points earned; until then none can be spent.")
    lifetime_earned: scalars.Points
    lifetime_spent: scalars.Points
    lifetime_expired: scalars.Points
    qualifying_points: scalars.Points = strawberry.field(description="Earned and never spent: they reach tiers.")
    spend: Money = moneys.field("spend_minor", description="Paid for goods in all, refunds taken off.")
    purchases: int = strawberry.field(description="Without those that were refunded as a whole.")
    tier: Tier | None = shapes.linked(tiers.Tier, "tier_id")


def _source_id(parent: strawberry.Parent[account.PointTransaction | account.Lot]) -> strawberry.ID:
    return ids.encode(_SOURCES.get(parent.source_type, parent.source_type), parent.source_id)


async def _explanation(parent: strawberry.Parent[account.PointTransaction], info: Info) -> Any:
    return await explanations.of_transaction(info.context, parent)


@shapes.shape(account.PointTransaction)
class PointTransaction(shapes.Node):
    """One append-only signed row of a member's ledger. A correction is a further row that names what it reverses."""

    sequence: scalars.Points = strawberry.field(description="1, 2, 3, … within the account, without a gap.")
    point_type: account.PointType
    kind: account.TransactionKind
    amount: scalars.Points = strawberry.field(description="Signed, in the member's view.")
    available_after: scalars.Points
    source_type: account.SourceType
    source_id: strawberry.ID = strawberry.field(resolver=_source_id, description="What the transaction is about.")
    rule: str = strawberry.field(description="The code of the earning rule; empty if none.")
    rule_version: int | None
    reverses: strawberry.ID | None = shapes.reference("PointTransaction", "reverses")
    reason: str | None
    explanation: Explanation | None = strawberry.field(
        resolver=_explanation, description="Which rules gave this, by which inputs, and which did not and why."
    )
    actor: str = access.guarded(_STAFF, "actor", description="Who caused it.")
    occurred_at: datetime
    recorded_at: datetime


@shapes.shape()
class Lot:
    """Points credited together, which become available and expire together."""

    id: strawberry.ID = shapes.id_field()
    source_type: account.SourceType
    source_id: strawberry.ID = strawberry.field(resolver=_source_id)
    state: account.LotState
    amount: scalars.Points
    remaining: scalars.Points = strawberry.field(description="What is neither spent nor over.")
    held: scalars.Points = strawberry.field(description="What of the remaining points is set aside by holds.")
    available_at: datetime | None = strawberry.field(description="Null while the shop has yet to say when.")
    expires_at: datetime | None = strawberry.field(
        description="The first instant at which the points no longer count, as things stand; null for never."
    )
    earned_at: datetime


@shapes.shape()
class Hold:
    """Points set aside until they are captured or released, or the hold lapses."""

    id: strawberry.ID = shapes.id_field()
    state: account.HoldState
    amount: scalars.Points
    captured: scalars.Points
    reference: str | None
    held_at: datetime
    lapses_at: datetime


@shapes.shape()
class ExpiringPoints:
    """Available points that expire together."""

    expires_at: datetime = strawberry.field(description="The first instant at which they no longer count.")
    points: scalars.Points
