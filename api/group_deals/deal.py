"""Group deals: what is shown of one, and what staff sets."""

from datetime import datetime
from typing import Annotated, Any, Final, Self

import strawberry

from api import access, connections, ids, inputs, payloads, scalars, shapes
from api.connections import Connection
from api.context import Context, Info
from api.earning import Audience, AudienceInput, audience_of
from api.rewards.reward import Reward
from domain.access import Scope
from domain.group_deals import deal, editing
from domain.rewards import reward
from persistence import group_deals as stored

shapes.named(editing.DealBound)

# Groups know their deal.
LaterGroup = Annotated["DealGroup", strawberry.lazy("api.group_deals.group")]  # type: ignore[name-defined]  # noqa: F821

_WRITES: Final = access.staff(Scope.REWARDS_WRITE)
_STAFF: Final = access.staff(Scope.PROGRAM_READ)


async def _stock(parent: deal.GroupDeal, info: Info) -> deal.GroupDealStock:
    found: deal.GroupDealStock | None = await info.context.loaders.keyed(stored.stocks, parent.id)
    assert found is not None, "a deal has units, or no end of them"
    return found


async def _units(parent: strawberry.Parent[deal.GroupDeal], info: Info) -> Any:
    return (await _stock(parent, info)).units


async def _sold(parent: strawberry.Parent[deal.GroupDeal], info: Info) -> Any:
    return (await _stock(parent, info)).sold


async def _held(parent: strawberry.Parent[deal.GroupDeal], info: Info) -> Any:
    return (await _stock(parent, info)).held


async def _left(parent: strawberry.Parent[deal.GroupDeal], info: Info) -> Any:
    return (await _stock(parent, info)).left


def _is_running(parent: strawberry.Parent[deal.GroupDeal], info: Info) -> bool:
    return parent.is_running(info.context.now)


async def _open_groups(
    parent: strawberry.Parent[deal.GroupDeal],
    info: Info,
    first: int = connections.FIRST_DEFAULT,
    after: str | None = None,
) -> Any:
    part = connections.asked(info.context, stored.OPEN_KEYSET, first, after)
    found = await info.context.loaders.keyed(stored.open_groups, (parent.id, part))
    return connections.page(found or (), stored.OPEN_KEYSET, part)


@shapes.shape(deal.GroupDeal)
class GroupDeal(shapes.Node):
    """A reward for fewer points to members who want it together: `size` of them within `minutes`, or nobody."""

    code: str = strawberry.field(description="The shop's own name for it, unique in the program.")
    name: str
    reward: Reward = shapes.linked(reward.Reward, "reward_id")
    points: scalars.Points = strawberry.field(description="What each member spends, if the group is filled.")
    size: int = strawberry.field(description="How many members fill a group.")
    minutes: int = strawberry.field(description="How long a group waits for them; never beyond `endsAt`.")
    audience: Audience
    limit_per_member: int | None = strawberry.field(description="In how many groups a member may be.")
    is_active: bool
    is_running: bool = strawberry.field(resolver=_is_running, description="Whether groups are opened and joined now.")
    starts_at: datetime | None
    ends_at: datetime | None
    units_left: int | None = strawberry.field(
        resolver=_left, description="For how many seats a group can still be opened; null for no end."
    )
    units: int | None = access.resolved_by(_STAFF, _units, description="In all; null for no end.")
    units_held: int = access.resolved_by(_STAFF, _held, description="For the seats of groups that are open.")
    units_sold: int = access.resolved_by(_STAFF, _sold, description="In groups that were filled.")
    open_groups: Connection[LaterGroup] = strawberry.field(
        resolver=_open_groups, description="Groups that wait for members, those that lapse soonest first."
    )


@shapes.given()
class GroupDealCreateInput(inputs.RepeatableInput):
    """A group deal: 2 to 50 members within 1 to 43,200 minutes. Without `units` there is no end of them."""

    code: str
    name: str
    reward_id: strawberry.ID
    points: scalars.Points
    size: int
    minutes: int
    units: int | None = None
    limit_per_member: int | None = None
    audience: AudienceInput | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def command(self, _: Context) -> editing.CreateGroupDeal:
        """The command for the domain. Refuses malformed ids."""
        return editing.CreateGroupDeal(
            code=self.code,
            name=self.name,
            reward_id=ids.require("Reward", self.reward_id, "rewardId"),
            points=self.points,
            size=self.size,
            minutes=self.minutes,
            units=self.units,
            limit_per_member=self.limit_per_member,
            audience=audience_of(self.audience, "audience"),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )


@shapes.given()
class GroupDealUpdateInput(inputs.RepeatableInput):
    """What to change of a deal; what is left out stays, and `lifts` takes bounds away.

    Groups that are open stay what they were opened with. `units` is how many there are in all.
    """

    deal_id: strawberry.ID
    name: str | None = None
    points: scalars.Points | None = None
    size: int | None = None
    minutes: int | None = None
    units: int | None = None
    limit_per_member: int | None = None
    audience: AudienceInput | None = None
    is_active: bool | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    lifts: list[editing.DealBound] | None = inputs.bounded(len(editing.DealBound), default=None)

    def command(self, _: Context) -> editing.UpdateGroupDeal:
        """The command for the domain. Refuses malformed ids."""
        return editing.UpdateGroupDeal(
            deal_id=ids.require("GroupDeal", self.deal_id, "dealId"),
            name=self.name,
            points=self.points,
            size=self.size,
            minutes=self.minutes,
            units=self.units,
            limit_per_member=self.limit_per_member,
            audience=None if self.audience is None else self.audience.audience("audience"),
            is_active=self.is_active,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            lifts=tuple(self.lifts or ()),
        )


@shapes.shape()
class _DealPayload(payloads.KeyedPayload):
    deal: GroupDeal | None = None

    @classmethod
    def of(cls, dealt: editing.Dealt) -> Self:
        """The payload of a deal."""
        return cls(deal=shapes.shown(dealt.deal))


@shapes.shape()
class GroupDealCreatePayload(_DealPayload):
    """The new deal."""


@shapes.shape()
class GroupDealUpdatePayload(_DealPayload):
    """The deal as it is now."""


@shapes.shape()
class GroupDealMutations:
    """What staff does with group deals."""

    @access.field(_WRITES)
    async def group_deal_create(self, info: Info, input: GroupDealCreateInput) -> GroupDealCreatePayload:  # noqa: A002
        """Offer a reward for fewer points to those who want it together. Refuses a code that is taken."""
        return await payloads.run(info, input, GroupDealCreatePayload)

    @access.field(_WRITES)
    async def group_deal_update(self, info: Info, input: GroupDealUpdateInput) -> GroupDealUpdatePayload:  # noqa: A002
        """Edit a deal, or how many units it has."""
        return await payloads.run(info, input, GroupDealUpdatePayload)
