"""Standings: ranks among equals, who comes first, gaps and masks (B2, B3)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import members
from domain.leaderboards.standing import OwnStanding, Ranked, Standing, own, ranked, shown_name

NOON = datetime(2026, 3, 1, 4, tzinfo=UTC)


def standing(number: int, score: int, minutes: int = 0) -> Standing:
    return Standing(member_id=UUID(int=number), score=score, reached_at=NOON + timedelta(minutes=minutes))


def test_b2_ranks_are_1_2_2_4() -> None:
    found = ranked([standing(1, 9), standing(2, 7), standing(3, 7), standing(4, 1)])
    assert [(each.rank, each.place) for each in found] == [(1, 1), (2, 2), (2, 3), (4, 4)]


def test_b2_who_reached_it_first_comes_first_then_the_smaller_id() -> None:
    told = [standing(3, 7, 5), standing(2, 7, 5), standing(9, 7, 1), standing(1, 6, 0)]
    assert [each.member_id.int for each in sorted(told, key=lambda each: each.order)] == [9, 2, 3, 1]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=40), st.data())
def test_b2_ranks_and_places_are_the_same_on_every_page(scores: list[int], data: st.DataObject) -> None:
    """One more than how many have strictly more, wherever a page begins."""
    whole = [standing(number, score) for number, score in enumerate(sorted(scores, reverse=True))]
    found = ranked(whole)
    for each in found:
        assert each.rank == 1 + sum(other.score > each.score for other in whole)
    start = data.draw(st.integers(0, len(whole) - 1))
    page = ranked(whole[start:], first_place=start + 1, first_rank=found[start].rank)
    assert page == found[start:]


def _own(mine: Ranked | None, *, next_score: int | None, last_shown: int | None, size: int = 3) -> OwnStanding:
    return own(UUID(int=1), mine, next_score=next_score, last_shown=last_shown, size=size)


def test_b2_who_is_not_on_the_board_has_no_rank_and_a_gap_to_enter() -> None:
    assert _own(None, next_score=4, last_shown=6) == (UUID(int=1), 0, None, None, 4, 7)
    # Fewer are on the board than it shows: one point is enough.
    assert _own(None, next_score=4, last_shown=None).gap_to_enter == 1
    assert _own(None, next_score=None, last_shown=None) == (UUID(int=1), 0, None, None, None, 1)


def test_b2_gaps_of_who_is_on_the_board() -> None:
    first, _, third, fourth = ranked([standing(1, 9), standing(2, 7), standing(3, 7), standing(4, 5)])
    assert _own(first, next_score=None, last_shown=7) == (first.member_id, 9, 1, 1, None, None)
    # Level with the second, the next higher is the first.
    assert _own(third, next_score=9, last_shown=7)[1:] == (7, 2, 3, 2, None)
    # Who comes to the last score that is shown comes after it: one more is needed.
    assert _own(fourth, next_score=7, last_shown=7)[1:] == (5, 4, 4, 2, 3)


@pytest.mark.parametrize(("name", "mask"), [("李雷", "李*"), ("Ann", "A*"), ("X", "X*"), ("", "*")])
def test_b3_names_are_masked(name: str, mask: str) -> None:
    assert members.masked(name) == mask


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        ({"is_shown": True, "masks": True, "is_revealed": False}, "李*"),
        ({"is_shown": True, "masks": False, "is_revealed": False}, "李雷"),
        ({"is_shown": False, "masks": True, "is_revealed": False}, None),
        ({"is_shown": False, "masks": False, "is_revealed": False}, None),
        ({"is_shown": False, "masks": True, "is_revealed": True}, "李雷"),
    ],
)
def test_b3_who_opted_out_has_no_name_to_others(told: dict[str, bool], seen: str | None) -> None:
    assert shown_name("李雷", **told) == seen
    assert shown_name(None, **told) is None
