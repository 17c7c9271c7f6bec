"""Standings: who stands where on a board, and how far it is to the next place (B2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain import members


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A member's row on a board: its score, and since when it has it."""

    member_id: UUID
    score: int
    reached_at: datetime

    @property
    def order(self) -> tuple[int, datetime, int]:
        """Who comes first: the higher score, then who reached it first, then the smaller id (B2)."""
        return -self.score, self.reached_at, self.member_id.int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked(Standing):
    """A standing with its place, 1, 2, 3, …, and its rank, which those with the same score share: 1, 2, 2, 4 (B2)."""

    place: int
    rank: int


class OwnStanding(NamedTuple):
    """Where a member stands; one that is not on the board has neither rank nor place.

    `gap_to_next` is what is missing to the next higher score; None for who has the highest. `gap_to_enter` is what is
    missing to be among those that the board shows; None for who is.
    """

    member_id: UUID
    score: int
    rank: int | None
    place: int | None
    gap_to_next: int | None
    gap_to_enter: int | None


def ranked(standings: Sequence[Standing], *, first_place: int = 1, first_rank: int = 1) -> list[Ranked]:
    """Standings that follow each other in their order, with places and ranks from those of the first of them."""
    found: list[Ranked] = []
    for place, standing in enumerate(standings, start=first_place):
        is_tied = bool(found) and found[-1].score == standing.score
        rank = found[-1].rank if is_tied else (place if found else first_rank)
        found.append(
            Ranked(
                member_id=standing.member_id,
                score=standing.score,
                reached_at=standing.reached_at,
                place=place,
                rank=rank,
            )
        )
    return found


def own(
    member_id: UUID, standing: Ranked | None, *, next_score: int | None, last_shown: int | None, size: int
) -> OwnStanding:
    """Where a member stands.

    `next_score` is the next higher score, of who is not on the board the lowest; `last_shown` that of the place
    `size`, None if fewer are on the board.
    """
    score = 0 if standing is None else standing.score
    is_shown = standing is not None and standing.place <= size
    # Who comes later to the same score comes after it: one more is needed.
    to_enter = None if is_shown else 1 if last_shown is None else last_shown - score + 1
    return OwnStanding(
        member_id=member_id,
        score=score,
        rank=None if standing is None else standing.rank,
        place=None if standing is None else standing.place,
        gap_to_next=None if next_score is None else next_score - score,
        gap_to_enter=to_enter,
    )


def shown_name(name: str | None, *, is_shown: bool, masks: bool, is_revealed: bool) -> str | None:
    """What a caller sees of a name. It is revealed to staff and to whose it is; who is not shown has none to others."""
    if name is None or is_revealed:
        return name
    if not is_shown:
        return None
    return members.masked(name) if masks else name
