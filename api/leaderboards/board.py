"""Leaderboards and their periods: the one that runs, those that are over, and who stood where."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import strawberry

from api import access, connections, ids, shapes
from api.connections import Connection
from api.context import Context, Info
from api.errors import ApiError, ErrorCode
from api.inputs import MemberRefInput
from api.leaderboards import standing
from api.leaderboards.standing import LeaderboardOwnStanding, LeaderboardStandings
from api.members import Member, find_member
from api.prizes import Prize
from api.segments import Segment
from api.stores import Store
from api.tiers import Tier
from domain import members, segments, stores
from domain.access import Scope
from domain.kernel import Refusal
from domain.leaderboards import board as boards
from domain.leaderboards import closing
from domain.leaderboards.participation import LeaderboardParticipation
from domain.tiers import tier as tiers
from persistence.leaderboards import reading
from persistence.leaderboards.reading import Which

shapes.named(boards.BoardMetric, boards.BoardWindow, boards.BoardScope, closing.AwardState)

AROUND_DEFAULT: Final = 5
AROUND_MAX: Final = 50
_STAFF: Final = access.staff(Scope.PROGRAM_READ)
_PUBLIC: Final = access.everyone(Scope.PROGRAM_READ)
_PERSONAL: Final = access.staff_or_member(Scope.MEMBERS_READ)


class PeriodState(StrEnum):
    """Where a period is."""

    RUNNING = "RUNNING"
    SETTLING = "SETTLING"  # over; what still comes of it is waited for
    CLOSED = "CLOSED"  # nothing changes of it any more; its prizes are given


strawberry.enum(PeriodState, name="LeaderboardPeriodState", description=shapes.description_of(PeriodState))


@shapes.shape()
class LeaderboardPrizes:
    """A prize for each place of a range."""

    first: int
    last: int
    prize: Prize


@shapes.shape(closing.LeaderboardAward)
class LeaderboardAward(shapes.Node):
    """The prize of a place of a closed period, given once."""

    member: Member | None = shapes.linked(members.Member, "member_id")
    prize: Prize
    state: closing.AwardState
    refused: str | None = strawberry.field(
        description="Why it could not be given the last time; it is tried again every hour."
    )
    paid_at: datetime | None


def _state(parent: strawberry.Parent[Which], info: Info) -> PeriodState:
    if parent.closed is not None:
        return PeriodState.CLOSED
    is_over = parent.ends_at is not None and parent.ends_at <= info.context.now
    return PeriodState.SETTLING if is_over else PeriodState.RUNNING


async def _top(parent: strawberry.Parent[Which], info: Info, first: int = connections.FIRST_DEFAULT) -> Any:
    if not 1 <= first <= connections.FIRST_MAX:
        raise ApiError(f"first must be from 1 to {connections.FIRST_MAX}; it is {first}.", ErrorCode.BAD_USER_INPUT)
    info.context.take_nodes(first)
    found = await info.context.backend.boards.top(parent, min(first, parent.board.size))
    return standing.standings(parent, found)


async def _around(
    parent: strawberry.Parent[Which],
    info: Info,
    member: MemberRefInput | None = None,
    count: int = AROUND_DEFAULT,
) -> Any:
    if not 0 <= count <= AROUND_MAX:
        raise ApiError(f"count must be from 0 to {AROUND_MAX}; it is {count}.", ErrorCode.BAD_USER_INPUT)
    info.context.take_nodes(2 * count + 1)
    member_id = await _asked(info.context, member)
    if member_id is None:
        return None
    return standing.standings(parent, await info.context.backend.boards.around(parent, member_id, count))


async def _standing(parent: strawberry.Parent[Which], info: Info, member: MemberRefInput | None = None) -> Any:
    member_id = await _asked(info.context, member)
    if member_id is None:
        return None
    loaders = info.context.loaders
    found = await loaders.keyed(info.context.backend.boards.owns, (parent, member_id))
    part = await loaders.row(LeaderboardParticipation, member_id)
    return standing.own(found, part)


async def _asked(context: Context, given: MemberRefInput | None) -> UUID | None:
    """Whom a question is about: a member itself, or whom the shop names; None for nobody. Raises `FORBIDDEN`."""
    if context.caller.is_member:
        itself = context.caller.id if given is None else ids.find("Member", given.id or None)
        access.require_itself(context.caller, itself)
        return itself
    found = None if given is None else await _named(context, given)
    return None if found is None else found.id


async def _named(context: Context, given: MemberRefInput) -> members.Member | None:
    try:
        return await find_member(context, given.ref())
    except Refusal:
        return None


async def _awards(
    parent: strawberry.Parent[Which], info: Info, first: int = connections.FIRST_DEFAULT, after: str | None = None
) -> Any:
    part = connections.asked(info.context, reading.AWARDS, first, after)
    found = await info.context.loaders.family(reading.awards, part, parent.id) if parent.closed else []
    return connections.page(found, reading.AWARDS, part)


@shapes.shape()
class LeaderboardPeriod:
    """A period of a leaderboard, from `startsAt` up to `endsAt`."""

    starts_at: datetime
    ends_at: datetime | None = strawberry.field(description="Null if it never ends.")
    state: PeriodState = strawberry.field(resolver=_state)
    closed_at: datetime | None
    top: LeaderboardStandings = strawberry.field(
        resolver=_top, description="The first places, at most as many as the board shows."
    )
    around: LeaderboardStandings | None = access.resolved_by(
        _PERSONAL,
        _around,
        description="A member with `count` (at most 50) before and after it; nobody if it is not on the board. A member"
        " need not say whom; null if nobody is found.",
    )
    standing: LeaderboardOwnStanding | None = access.resolved_by(
        _PERSONAL,
        _standing,
        description="Where a member stands. A member need not say whom; null if nobody is found.",
    )
    awards: Connection[LeaderboardAward] = access.resolved_by(
        access.staff(Scope.MEMBERS_READ), _awards, description="The prizes of a closed period, by place."
    )


async def _period(parent: strawberry.Parent[boards.Leaderboard], info: Info, at: datetime | None = None) -> Any:
    loaders = info.context.loaders
    clock, program = await loaders.row(boards.LeaderboardClock, parent.id), await loaders.program()
    assert clock is not None, "a board has a clock"
    return await reading.period_at(parent, clock, at or info.context.now, info.context.now, program.time_zone)


async def _periods(
    parent: strawberry.Parent[boards.Leaderboard],
    info: Info,
    first: int = connections.FIRST_DEFAULT,
    after: str | None = None,
) -> Any:
    part = connections.asked(info.context, reading.PERIODS, first, after)
    found = await info.context.loaders.family(reading.closed_periods, part, parent.id)
    return connections.page([reading.of_closed(parent, row) for row in found], reading.PERIODS, part)


@shapes.shape(boards.Leaderboard)
class Leaderboard(shapes.Node):
    """An ordered board of members, by what they did in a period."""

    code: str = strawberry.field(description="The shop's own name for it, unique in the program.")
    name: str
    metric: boards.BoardMetric
    window: boards.BoardWindow
    scope: boards.BoardScope
    store: Store | None = shapes.linked(stores.Store, "store_id")
    tier: Tier | None = shapes.linked(tiers.Tier, "tier_id")
    segment: Segment | None = access.resolved_by(_STAFF, shapes.linking(segments.Segment, "segment_id"))
    starts_at: datetime | None = strawberry.field(description="Of a campaign.")
    ends_at: datetime | None = strawberry.field(description="Of a campaign.")
    size: int = strawberry.field(description="How many places it shows.")
    settle_minutes: int = strawberry.field(
        description="How long after the end of a period what still comes of it is waited for."
    )
    prizes: list[LeaderboardPrizes] = strawberry.field(description="What places win, by place.")
    masks_names: bool = strawberry.field(description="Whether others see 李* for 李雷.")
    is_active: bool
    period: LeaderboardPeriod | None = strawberry.field(
        resolver=_period, description="The period that runs, or the one that an instant is in; null if there is none."
    )
    periods: Connection[LeaderboardPeriod] = strawberry.field(
        resolver=_periods, description="The closed periods, the latest first."
    )


@shapes.shape()
class LeaderboardQueries:
    """What can be asked about leaderboards."""

    @access.field(_PUBLIC)
    async def leaderboards(
        self,
        info: Info,
        is_active: bool | None = None,  # noqa: FBT001 - an argument of GraphQL has a name
        first: int = connections.FIRST_DEFAULT,
        after: str | None = None,
    ) -> Connection[Leaderboard]:
        """The program's leaderboards, the oldest first."""
        part = connections.asked(info.context, reading.KEYSET, first, after)
        found = await reading.page(info.context.caller.program_id, part, is_active=is_active)
        return connections.page(found, reading.KEYSET, part)

    @access.field(_PUBLIC)
    async def leaderboard(self, info: Info, code: str) -> Leaderboard | None:
        """A leaderboard by its code; null if there is none."""
        found = await reading.by_code(info.context.caller.program_id, code)
        return shapes.as_shape(Leaderboard, found)
