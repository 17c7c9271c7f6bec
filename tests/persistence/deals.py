"""Group deals on a real PostgreSQL: short words for them, and one of each kind."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.audiences import Audience
from domain.group_deals.deal import GroupDeal, GroupDealStock
from domain.group_deals.editing import CreateGroupDeal
from domain.group_deals.ending import LeaveDealGroup
from domain.group_deals.group import DealGroup, DealSeat, GroupRef, GroupState, Seated
from domain.group_deals.joining import JoinDealGroup, OpenDealGroup
from tests.domain import deals
from tests.persistence import engines, malls
from tests.persistence.engines import Books, Shop

NEW_KINDS = (GroupDeal, GroupDealStock, DealGroup, DealSeat)


async def make(shop: Shop, size: int = 2, **told: Any) -> GroupDeal:
    """A deal of a new reward: 60 points each, within the hour."""
    reward_id = told.pop("reward_id", None) or await malls.reward(shop, 100)
    given: dict[str, Any] = {"code": engines.key()[:20], "name": "Together", "points": 60, "minutes": 60}
    deal: GroupDeal = (await shop.run(CreateGroupDeal(reward_id=reward_id, size=size, **(given | told)))).deal
    return deal


def opening(member_id: UUID, deal: GroupDeal, **told: Any) -> OpenDealGroup:
    """Open a group."""
    return OpenDealGroup(member=engines.ref(member_id), deal_id=deal.id, **told)


def joining(member_id: UUID, group: DealGroup, **told: Any) -> JoinDealGroup:
    """Join a group."""
    return JoinDealGroup(member=engines.ref(member_id), group=GroupRef(id=group.id), **told)


def leaving(member_id: UUID, group: DealGroup) -> LeaveDealGroup:
    """Leave a group."""
    return LeaveDealGroup(member=engines.ref(member_id), group=GroupRef(id=group.id))


async def opened(shop: Shop, member_id: UUID, deal: GroupDeal) -> DealGroup:
    """A new group of a member."""
    seated: Seated = await shop.run(opening(member_id, deal))
    return seated.group


def check(books: Books) -> Counter[GroupState]:
    """What must be true of units, seats and points, from the stored rows alone."""
    books.check()
    return deals.check_groups(books.state)


async def furnish(shop: Shop, member_id: UUID) -> None:
    """Groups that are filled, open, left and failed, with every field told somewhere."""
    other = await shop.member_with(1_000)
    now = (await shop.run(engines.adjust(member_id, 1_000))).transaction.recorded_at
    deal = await make(
        shop,
        units=20,
        limit_per_member=9,
        audience=Audience(without_tags=("banned",)),
        starts_at=now - timedelta(days=1),
        ends_at=now + timedelta(days=1),
    )
    full = await opened(shop, member_id, deal)
    await shop.run(joining(other, full))
    left = await opened(shop, member_id, deal)
    await shop.run(leaving(member_id, left))
    await opened(shop, member_id, deal)
