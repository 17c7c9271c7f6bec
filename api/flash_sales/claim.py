"""Claims: members' places in flash sales."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from api import access, moneys, scalars, shapes
from api.context import Info
from api.flash_sales.sale import FlashSale, FlashSaleItem
from api.members import Member
from api.moneys import Money
from api.stores import Store
from domain import claims, members, stores
from domain.access import Scope
from domain.flash_sales import sale as offering
from domain.redemptions.redemption import Redemption as TakenRedemption
from domain.stores import Channel

shapes.named(claims.ClaimState)

_STAFF: Final = access.staff(Scope.MEMBERS_READ)
LaterRedemption = Annotated["Redemption", strawberry.lazy("api.redemptions")]  # type: ignore[name-defined]  # noqa: F821


def _state(parent: strawberry.Parent[claims.Claim], info: Info) -> claims.ClaimState:
    return parent.state_at(info.context.now)


@shapes.shape(claims.Claim)
class Claim(shapes.Node):
    """A member's place in a flash sale: one unit. Confirmed, it is a redemption like any other."""

    member: Member = shapes.linked(members.Member, "member_id")
    sale: FlashSale = shapes.linked(offering.FlashSale, "sale_id")
    item: FlashSaleItem = shapes.linked(offering.FlashSaleItem, "item_id")
    opens_at: datetime = strawberry.field(description="The round, by when it opened for everybody.")
    points: scalars.Points
    cash: Money = moneys.field("cash_minor", description="What it costs in money beside.")
    state: claims.ClaimState = strawberry.field(resolver=_state)
    pay_by: datetime | None = strawberry.field(description="Before when the money must be paid, where some is due.")
    redemption: LaterRedemption | None = strawberry.field(
        resolver=shapes.linking(TakenRedemption, "redemption_id"), description="What it became when it was confirmed."
    )
    channel: Channel
    store: Store | None = shapes.linked(stores.Store, "store_id")
    claimed_at: datetime
    closed_at: datetime | None = strawberry.field(description="When it was released or lapsed.")
    actor: str = access.guarded(_STAFF, "actor", description="Who claimed it.")
