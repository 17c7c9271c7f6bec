"""Groups and the seats in them: what everybody sees of a group, what a member sees of its seat, and how it is taken."""

from datetime import datetime
from typing import Any, Final, Self

import strawberry

from api import access, connections, ids, inputs, payloads, scalars, shapes
from api.connections import Connection
from api.context import Context, Info
from api.group_deals.deal import GroupDeal
from api.inputs import MemberRefInput
from api.members import Member
from api.redemptions import Redemption
from api.rewards.reward import Reward
from api.stores import Store
from domain import codes, members, stores
from domain.access import Scope
from domain.group_deals import deal as dealing
from domain.group_deals import ending, joining
from domain.group_deals import group as grouping
from domain.redemptions import redemption as taking
from domain.rewards import reward
from domain.stores import Channel
from persistence import group_deals as stored

shapes.named(grouping.GroupState, grouping.SeatState)

_STAFF: Final = access.staff(Scope.MEMBERS_READ)
_EVERYBODY: Final = access.everyone(Scope.PROGRAM_READ)
_COUNTER: Final = access.staff_or_member(Scope.REDEMPTIONS_WRITE)


async def _masked_name(parent: strawberry.Parent[grouping.DealSeat], info: Info) -> Any:
    member = await info.context.loaders.row(members.Member, parent.member_id)
    return members.masked(None if member is None else member.name)


@shapes.shape()
class DealGroupMember:
    """Somebody in a group, as everybody sees it: no more than the first letter of the name."""

    masked_name: str = strawberry.field(resolver=_masked_name)
    is_opener: bool
    joined_at: datetime
    member: Member = access.resolved_by(_STAFF, shapes.linking(members.Member, "member_id"))


def _group_state(parent: strawberry.Parent[grouping.DealGroup], info: Info) -> grouping.GroupState:
    return parent.state_at(info.context.now)


def _ended_at(parent: strawberry.Parent[grouping.DealGroup], info: Info) -> datetime | None:
    return parent.ended_by(info.context.now)


async def _people(parent: strawberry.Parent[grouping.DealGroup], info: Info) -> Any:
    info.context.take_nodes(len(parent.member_ids))
    keys = [grouping.seat_id(parent.id, member_id) for member_id in parent.member_ids]
    return await info.context.loaders.rows(grouping.DealSeat, keys)


@shapes.shape(grouping.DealGroup)
class DealGroup(shapes.Node):
    """Members who want a deal's reward together. Filled, everybody's points are spent; else all of them come back.

    What it was opened with (reward, points, size, deadline) stays its own, whatever becomes of the deal.
    """

    code: str = strawberry.field(description="Told to friends: whoever has it joins with it.")
    deal: GroupDeal = shapes.linked(dealing.GroupDeal, "deal_id")
    reward: Reward = shapes.linked(reward.Reward, "reward_id")
    points: scalars.Points = strawberry.field(description="What each member spends, if it is filled.")
    size: int
    taken: int = strawberry.field(description="How many seats are taken.")
    missing: int = strawberry.field(description="How many more members it needs.")
    state: grouping.GroupState = strawberry.field(resolver=_group_state)
    members: list[DealGroupMember] = strawberry.field(resolver=_people, description="In the order in which they came.")
    opened_at: datetime
    lapses_at: datetime = strawberry.field(description="Before when it must be full.")
    ended_at: datetime | None = strawberry.field(resolver=_ended_at, description="When it was filled, or failed.")


def _seat_state(parent: strawberry.Parent[grouping.DealSeat], info: Info) -> grouping.SeatState:
    return parent.state_at(info.context.now)


@shapes.shape(grouping.DealSeat)
class DealSeat(shapes.Node):
    """A member's seat in a group: its points are held until the group is filled or fails, or the member leaves."""

    member: Member = shapes.linked(members.Member, "member_id")
    group: DealGroup = shapes.linked(grouping.DealGroup, "group_id")
    state: grouping.SeatState = strawberry.field(resolver=_seat_state)
    is_opener: bool
    channel: Channel
    store: Store | None = shapes.linked(stores.Store, "store_id")
    redemption: Redemption | None = shapes.linked(taking.Redemption, "redemption_id")
    joined_at: datetime
    ended_at: datetime | None
    actor: str = access.guarded(_STAFF, "actor", description="Who took it.")


@shapes.shape()
class GroupDealQueries:
    """What can be asked about group deals."""

    @access.field(_EVERYBODY)
    async def group_deals(
        self,
        info: Info,
        *,
        reward_id: strawberry.ID | None = None,
        is_current: bool | None = None,
        first: int = connections.FIRST_DEFAULT,
        after: str | None = None,
    ) -> Connection[GroupDeal]:
        """Group deals, of a reward if one is told, the oldest first. Whoever is not staff sees those that are active
        and not over; staff sees all, or with `isCurrent` those too.
        """
        context = info.context
        part = connections.asked(context, stored.DEAL_KEYSET, first, after)
        key = None if reward_id is None else ids.find("Reward", reward_id)
        if reward_id is not None and key is None:
            return connections.page([], stored.DEAL_KEYSET, part)
        found = await stored.page(
            context.caller.program_id,
            context.now,
            part,
            is_current=bool(is_current) or not context.caller.is_staff,
            reward_id=key,
        )
        return connections.page(found, stored.DEAL_KEYSET, part)

    @access.field(_EVERYBODY)
    async def group_deal(self, info: Info, code: str) -> GroupDeal | None:
        """The group deal with a code of the shop's; null if there is none."""
        return shapes.as_shape(GroupDeal, await stored.find(info.context.caller.program_id, code))

    @access.field(_EVERYBODY)
    async def deal_group(self, info: Info, code: str) -> DealGroup | None:
        """The group with a code that its members told; null if there is none."""
        told = codes.find(code)
        found = None if told is None else await stored.find_group(info.context.caller.program_id, told)
        return shapes.as_shape(DealGroup, found)


@shapes.given("DealGroupRef", one_of=True)
class DealGroupRefInput:
    """How a group is named: by exactly one of these."""

    id: strawberry.ID | None = strawberry.UNSET
    code: str | None = strawberry.UNSET

    def ref(self) -> grouping.GroupRef:
        """The reference for the domain. Refuses an id that is none of a group."""
        if self.id:
            return grouping.GroupRef(id=ids.require("DealGroup", self.id, "group.id"))
        return grouping.GroupRef(code=self.code or "")


@shapes.given()
class GroupDealOpenInput(inputs.KeyedInput):
    """The deal to open a group of. A member leaves `member` out and opens for itself."""

    member: MemberRefInput | None = None
    deal_id: strawberry.ID
    channel: Channel = Channel.ONLINE
    store_id: strawberry.ID | None = None

    def command(self, context: Context) -> joining.OpenDealGroup:
        """The command for the domain. Refuses malformed ids."""
        return joining.OpenDealGroup(
            member=inputs.member(context, self.member),
            deal_id=ids.require("GroupDeal", self.deal_id, "dealId"),
            channel=self.channel,
            store_id=ids.optional("Store", self.store_id, "storeId"),
        )


@shapes.given()
class GroupDealJoinInput(inputs.KeyedInput):
    """The group to join. A member leaves `member` out and joins for itself."""

    member: MemberRefInput | None = None
    group: DealGroupRefInput
    channel: Channel = Channel.ONLINE
    store_id: strawberry.ID | None = None

    def command(self, context: Context) -> joining.JoinDealGroup:
        """The command for the domain. Refuses malformed ids."""
        return joining.JoinDealGroup(
            member=inputs.member(context, self.member),
            group=self.group.ref(),
            channel=self.channel,
            store_id=ids.optional("Store", self.store_id, "storeId"),
        )


@shapes.given()
class GroupDealLeaveInput(inputs.KeyedInput):
    """The group to leave. A member leaves `member` out and speaks for itself."""

    member: MemberRefInput | None = None
    group: DealGroupRefInput

    def command(self, context: Context) -> ending.LeaveDealGroup:
        """The command for the domain. Refuses malformed ids."""
        return ending.LeaveDealGroup(member=inputs.member(context, self.member), group=self.group.ref())


@shapes.shape()
class _SeatPayload(payloads.KeyedPayload):
    group: DealGroup | None = None
    seat: DealSeat | None = None
    member: Member | None = None

    @classmethod
    def of(cls, seated: grouping.Seated) -> Self:
        """The payload of a seat."""
        return cls(
            group=shapes.shown(seated.group), seat=shapes.shown(seated.seat), member=shapes.shown(seated.account)
        )


@shapes.shape()
class GroupDealOpenPayload(_SeatPayload):
    """The new group, its first seat, and the member after it."""


@shapes.shape()
class GroupDealJoinPayload(_SeatPayload):
    """The group, filled if it was the last seat; the member's seat, and the member after it."""


@shapes.shape()
class GroupDealLeavePayload(_SeatPayload):
    """The group without the member, the seat that was left, and the member with its points back."""


@shapes.shape()
class DealGroupMutations:
    """What members do with groups."""

    @access.field(_COUNTER)
    async def group_deal_open(self, info: Info, input: GroupDealOpenInput) -> GroupDealOpenPayload:  # noqa: A002
        """Open a group: its first seat holds the member's points, and units are set aside for all of them."""
        return await payloads.run(info, input, GroupDealOpenPayload)

    @access.field(_COUNTER)
    async def group_deal_join(self, info: Info, input: GroupDealJoinInput) -> GroupDealJoinPayload:  # noqa: A002
        """Join a group: the seat holds the member's points. With the last one all are spent, for a reward each."""
        return await payloads.run(info, input, GroupDealJoinPayload)

    @access.field(_COUNTER)
    async def group_deal_leave(self, info: Info, input: GroupDealLeaveInput) -> GroupDealLeavePayload:  # noqa: A002
        """Leave a group that is still open: the points come back."""
        return await payloads.run(info, input, GroupDealLeavePayload)
