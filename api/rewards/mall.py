"""The mall: the catalogue as a caller sees it, and what the shop and its members do with rewards."""

from enum import StrEnum
from typing import Annotated, Final, Self

import strawberry

from api import access, connections, payloads, scalars, shapes
from api.connections import Connection
from api.context import Context, Info
from api.inputs import MemberRefInput
from api.members import Member
from api.rewards import inputs as told
from api.rewards import standings
from api.rewards.reward import Reward
from domain.access import Scope
from domain.rewards import commands
from domain.rewards.reward import RewardKind
from persistence import rewards as stored

_WRITES: Final = access.staff(Scope.REWARDS_WRITE)
_PERSONAL: Final = access.staff_or_member(Scope.MEMBERS_WRITE)


class RewardSort(StrEnum):
    """The order of a list of rewards; by points it is the price for everybody that counts."""

    OLDEST = "OLDEST"
    NEWEST = "NEWEST"
    CHEAPEST = "CHEAPEST"
    DEAREST = "DEAREST"


shapes.named(RewardSort)
_KEYSETS: Final = {
    RewardSort.OLDEST: stored.OLDEST,
    RewardSort.NEWEST: stored.NEWEST,
    RewardSort.CHEAPEST: stored.CHEAPEST,
    RewardSort.DEAREST: stored.DEAREST,
}


@shapes.given()
class RewardFilterInput:
    """Which rewards: those for which everything that is told holds.

    The last three are about a member: the one who asks, or `for` whomever the shop names; without one, nothing is
    found. With a member, prices are its own.
    """

    kind: RewardKind | None = None
    category: str | None = None
    points_min: scalars.Points | None = None
    points_max: scalars.Points | None = None
    is_redeemable: bool = strawberry.field(default=False, description="Open now and in stock.")
    is_affordable: bool = strawberry.field(default=False, description="For the points that the member has.")
    is_eligible: bool = strawberry.field(default=False, description="For this member, and unlocked.")
    is_favourite: bool = strawberry.field(default=False, description="Those that the member likes.")

    @property
    def is_personal(self) -> bool:
        """Whether it is about a member."""
        return self.is_affordable or self.is_eligible or self.is_favourite


def _which(context: Context, given: RewardFilterInput, is_active: bool | None) -> stored.Filter:  # noqa: FBT001
    is_staff = context.caller.is_staff
    return stored.Filter(
        is_active=is_active if is_staff else None,
        is_visible=not is_staff,
        is_redeemable=given.is_redeemable,
        kind=given.kind,
        category=given.category,
        points_min=given.points_min,
        points_max=given.points_max,
        is_affordable=given.is_affordable,
        is_eligible=given.is_eligible,
        is_favourite=given.is_favourite,
    )


@shapes.shape()
class RewardQueries:
    """What can be asked about rewards."""

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def rewards(
        self,
        info: Info,
        *,
        is_active: bool | None = None,
        filter: RewardFilterInput | None = None,  # noqa: A002
        sort: RewardSort = RewardSort.OLDEST,
        for_: Annotated[MemberRefInput | None, strawberry.argument(name="for")] = None,
        first: int = connections.FIRST_DEFAULT,
        after: str | None = None,
    ) -> Connection[Reward]:
        """Rewards of the mall. Whoever is not staff sees those that are active and shown now."""
        context, keyset = info.context, _KEYSETS[sort]
        part = connections.asked(context, keyset, first, after)
        given = filter or RewardFilterInput()
        who = await standings.somebody(context, for_)
        is_of_nobody = who is None and (given.is_personal or for_ is not None)
        if is_of_nobody or (is_active is False and not context.caller.is_staff):
            return connections.page([], keyset, part)
        listed = await stored.page(
            context.caller.program_id,
            _which(context, given, is_active),
            None if who is None else who.standing,
            context.now,
            keyset=keyset,
            part=part,
        )
        return connections.page(_shown(context, listed), keyset, part)


def _shown(context: Context, listed: list[stored.Listed]) -> list[object]:
    """The rewards of a page, whose stock is known with them."""
    for one in listed:
        context.loaders.know(stored.stocks, one.reward.id, one.stock)
    return [one.reward for one in listed]


@shapes.shape()
class _RewardPayload(payloads.KeyedPayload):
    reward: Reward | None = None

    @classmethod
    def of(cls, stocked: commands.Stocked) -> Self:
        """The payload of a reward."""
        return cls(reward=shapes.shown(stocked.reward))


@shapes.shape()
class RewardCreatePayload(_RewardPayload):
    """The new reward."""


@shapes.shape()
class RewardUpdatePayload(_RewardPayload):
    """The reward as it is now."""


@shapes.shape()
class _LikePayload(payloads.KeyedPayload):
    reward: Reward | None = None
    member: Member | None = None

    @classmethod
    def of(cls, liked: commands.Liked) -> Self:
        """The payload of a favourite."""
        return cls(reward=shapes.shown(liked.reward), member=shapes.shown(liked.account))


@shapes.shape()
class RewardLikePayload(_LikePayload):
    """The reward, and the member who likes it."""


@shapes.shape()
class RewardUnlikePayload(_LikePayload):
    """The reward, and the member who no longer likes it."""


@shapes.shape()
class RewardMutations:
    """What can be done with rewards."""

    @access.field(_WRITES)
    async def reward_create(self, info: Info, input: told.RewardCreateInput) -> RewardCreatePayload:  # noqa: A002
        """Put a reward into the mall. Refuses a code that is taken, and terms that contradict each other."""
        return await payloads.run(info, input, RewardCreatePayload)

    @access.field(_WRITES)
    async def reward_update(self, info: Info, input: told.RewardUpdateInput) -> RewardUpdatePayload:  # noqa: A002
        """Edit a reward, or its stock."""
        return await payloads.run(info, input, RewardUpdatePayload)

    @access.field(_PERSONAL)
    async def reward_like(self, info: Info, input: told.RewardLikeInput) -> RewardLikePayload:  # noqa: A002
        """Make a reward a member's favourite. Again changes nothing."""
        return await payloads.run(info, input, RewardLikePayload)

    @access.field(_PERSONAL)
    async def reward_unlike(self, info: Info, input: told.RewardUnlikeInput) -> RewardUnlikePayload:  # noqa: A002
        """Take a reward from a member's favourites. Again changes nothing."""
        return await payloads.run(info, input, RewardUnlikePayload)
