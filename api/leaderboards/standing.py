"""Who stands where: the places of a period, those around a member, and where a member stands itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import strawberry

from api import scalars, shapes
from api.context import Context, Info
from api.members import Member
from api.prizes import Prize
from domain import members
from domain.leaderboards.participation import LeaderboardParticipation
from domain.leaderboards.standing import OwnStanding, Ranked, shown_name
from domain.prizes import Prize as PrizeValue
from persistence.leaderboards.reading import BoardStore, Found, FoundOwn, Which

strawberry.enum(BoardStore, name="LeaderboardStore", description=shapes.description_of(BoardStore))

_SCORE: Final = "Points, minor units of money, or purchases, by the metric of the board."
_AS_OF: Final = "Until when what happened is counted in this answer."


@dataclass(frozen=True, slots=True)
class Shown:
    """A place, as callers ask for it."""

    which: Which
    ranked: Ranked
    won: Mapping[UUID, PrizeValue | None] | None = None

    @property
    def member_id(self) -> Any:
        """Whose place it is."""
        return self.ranked.member_id

    @property
    def rank(self) -> int:
        """Shared by those with the same score."""
        return self.ranked.rank

    @property
    def place(self) -> int:
        """1, 2, 3, …"""
        return self.ranked.place

    @property
    def score(self) -> int:
        """What it has."""
        return self.ranked.score

    @property
    def reached_at(self) -> datetime:
        """Since when."""
        return self.ranked.reached_at

    @property
    def prize(self) -> PrizeValue | None:
        """What the place wins; of a closed period, what it won."""
        if self.won is not None:
            return self.won.get(self.ranked.member_id)
        return self.which.board.prize_of(self.ranked.place)


async def _name(parent: strawberry.Parent[Shown], info: Info) -> str | None:
    loaders = info.context.loaders
    member = await loaders.row(members.Member, parent.member_id)
    part = await loaders.row(LeaderboardParticipation, parent.member_id)
    return shown_name(
        None if member is None else member.name,
        is_shown=part is None or part.is_shown,
        masks=parent.which.board.masks_names,
        is_revealed=_is_revealed(info.context, parent),
    )


def _member(parent: strawberry.Parent[Shown], info: Info) -> Any:
    return info.context.loaders.row(members.Member, parent.member_id) if _is_revealed(info.context, parent) else None


def _is_me(parent: strawberry.Parent[Shown], info: Info) -> bool:
    return bool(info.context.caller.member_id == parent.member_id)


def _is_revealed(context: Context, parent: Shown) -> bool:
    return context.caller.is_staff or context.caller.member_id == parent.member_id


@shapes.shape()
class LeaderboardStanding:
    """A place on a leaderboard."""

    rank: int = strawberry.field(description="Those with the same score share it, and the next ones skip: 1, 2, 2, 4.")
    place: int = strawberry.field(
        description="1, 2, 3, …: with the same score who reached it first comes first. Prizes are for places."
    )
    score: scalars.Points = strawberry.field(description=_SCORE)
    reached_at: datetime = strawberry.field(description="When it first had this score.")
    name: str | None = strawberry.field(
        resolver=_name,
        description="To others a mask such as 李*, if the board masks names; null if the member will not be shown.",
    )
    member: Member | None = strawberry.field(
        resolver=_member, description="Shown to the shop, and to the member itself; null to others."
    )
    is_me: bool = strawberry.field(resolver=_is_me, description="Whether it is the member who asks.")
    prize: Prize | None = strawberry.field(description="What the place wins.")


@shapes.shape()
class LeaderboardStandings:
    """Places that follow each other."""

    standings: list[LeaderboardStanding]
    as_of: datetime = strawberry.field(description=_AS_OF)
    store: BoardStore = strawberry.field(description="Which store answered.")


@shapes.shape()
class LeaderboardOwnStanding:
    """Where a member stands. Who has nothing yet, or is taken off the board, has neither rank nor place."""

    score: scalars.Points = strawberry.field(description=_SCORE)
    rank: int | None
    place: int | None
    gap_to_next: scalars.Points | None = strawberry.field(
        description="What is missing to the next higher score; null for who has the highest."
    )
    gap_to_enter: scalars.Points | None = strawberry.field(
        description="What is missing to be among the places that the board shows; null for who is."
    )
    is_visible: bool = strawberry.field(description="Whether others see its name.")
    is_excluded: bool = strawberry.field(description="Whether the shop took it off all leaderboards.")
    as_of: datetime = strawberry.field(description=_AS_OF)
    store: BoardStore = strawberry.field(description="Which store answered.")


def standings(which: Which, found: Found) -> LeaderboardStandings:
    """What was found, in its shape."""
    shown: Any = [Shown(which, each, found.won) for each in found.standings]
    return LeaderboardStandings(standings=shown, as_of=found.origin.as_of, store=found.origin.store)


def own(found: FoundOwn, part: LeaderboardParticipation | None) -> LeaderboardOwnStanding:
    """Where a member stands, in its shape."""
    mine: OwnStanding = found.standing
    return LeaderboardOwnStanding(
        score=scalars.Points(mine.score),
        rank=mine.rank,
        place=mine.place,
        gap_to_next=None if mine.gap_to_next is None else scalars.Points(mine.gap_to_next),
        gap_to_enter=None if mine.gap_to_enter is None else scalars.Points(mine.gap_to_enter),
        is_visible=part is None or part.is_shown,
        is_excluded=part is not None and part.is_excluded,
        as_of=found.origin.as_of,
        store=found.origin.store,
    )
