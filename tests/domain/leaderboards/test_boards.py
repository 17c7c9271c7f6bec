"""Boards: periods by the program's calendar, what may be told, closing and prizes (B1, B3)."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from domain.kernel import Command, NotFound, Refusal
from domain.leaderboards import board as boards
from domain.leaderboards.board import (
    BoardMetric,
    BoardScope,
    BoardWindow,
    Leaderboard,
    LeaderboardClock,
    LeaderboardCodeTaken,
    LeaderboardInvalid,
    LeaderboardLimitReached,
    PrizeRange,
)
from domain.leaderboards.closing import (
    AwardState,
    CloseLeaderboardPeriod,
    LeaderboardAward,
    LeaderboardPeriod,
    LeaderboardPlace,
    PayLeaderboardAward,
    PeriodNotOver,
)
from domain.leaderboards.commands import CreateLeaderboard, UpdateLeaderboard
from domain.leaderboards.participation import (
    ExcludeFromLeaderboards,
    LeaderboardParticipation,
    LeaderboardParticipationChanged,
    ShowOnLeaderboards,
)
from domain.leaderboards.standing import Standing
from domain.points.commands import FreezeMember
from domain.prizes import Prize, PrizeInvalid, PrizeKind
from domain.vouchers.pool import Supply
from tests.domain.mall import Mall
from tests.domain.memory import PROGRAM_ID, ref
from tests.domain.shop import local

NOBODY = UUID(int=99)
POINTS = Prize(kind=PrizeKind.POINTS, points=50)


def places(first: int, last: int, prize: Prize = POINTS) -> PrizeRange:
    return PrizeRange(first=first, last=last, prize=prize)


def make(mall: Mall, window: BoardWindow = BoardWindow.WEEK, **told: Any) -> Leaderboard:
    told = {"code": "best", "name": "Best", "metric": BoardMetric.POINTS_EARNED} | told
    return mall.run(CreateLeaderboard(window=window, **told))


def refused(mall: Mall, command: Command[Any], kind: type[Refusal]) -> Refusal:
    """Run a command that is to be refused so; `Memory` proves that it changed nothing."""
    with pytest.raises(kind) as caught:
        mall.run(command)
    return caught.value


def clock_of(mall: Mall, board: Leaderboard) -> LeaderboardClock:
    return mall.row(LeaderboardClock, board.id)


def top(mall: Mall, *members: UUID) -> tuple[Standing, ...]:
    return tuple(
        Standing(member_id=member, score=100 - place, reached_at=mall.now) for place, member in enumerate(members)
    )


def close(mall: Mall, board: Leaderboard, *members: UUID) -> Any:
    command = CloseLeaderboardPeriod(
        leaderboard_id=board.id, starts_at=clock_of(mall, board).open_since, standings=top(mall, *members)
    )
    return mall.run(command)


def pass_period(mall: Mall, board: Leaderboard) -> None:
    due_at = clock_of(mall, board).due_at
    assert due_at is not None
    mall.now = due_at


# Windows.


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [
        (BoardWindow.DAY, "2026-03-01", "2026-03-02"),
        (BoardWindow.WEEK, "2026-02-23", "2026-03-02"),
        (BoardWindow.MONTH, "2026-03-01", "2026-04-01"),
    ],
)
def test_b1_windows_are_half_open_and_of_the_program_s_calendar(window: BoardWindow, start: str, end: str) -> None:
    """Sunday, the 1st of March in Shanghai is still February in London."""
    mall = Mall(now=local("2026-03-01 00:00"))
    board = make(mall, window)
    (period,) = boards.open_periods(board, clock_of(mall, board), mall.now, "Asia/Shanghai")
    assert period == (local(f"{start} 00:00"), local(f"{end} 00:00"))
    assert clock_of(mall, board) == LeaderboardClock(
        id=board.id, program_id=PROGRAM_ID, open_since=period[0], due_at=local(f"{end} 01:00")
    )


def test_b1_a_day_with_summer_time_is_as_long_as_it_is() -> None:
    mall = Mall(now=local("2026-03-08 12:00", "America/New_York"), time_zone="America/New_York")
    board = make(mall, BoardWindow.DAY)
    period = boards.first_period(board, mall.now, "America/New_York")
    assert period.ends_at == local("2026-03-09 00:00", "America/New_York")
    assert period.ends_at - period.starts_at == timedelta(hours=23)


def test_b1_a_campaign_is_one_period_and_all_time_never_ends() -> None:
    mall = Mall(now=local("2026-03-01 00:00"))
    span = {"starts_at": local("2026-03-05 08:00"), "ends_at": local("2026-03-20 20:00")}
    campaign = make(mall, BoardWindow.CAMPAIGN, **span)
    clock = clock_of(mall, campaign)
    assert list(boards.open_periods(campaign, clock, mall.now, "Asia/Shanghai")) == []
    assert list(boards.open_periods(campaign, clock, span["starts_at"], "Asia/Shanghai")) == [tuple(span.values())]
    assert clock.due_at == span["ends_at"] + timedelta(minutes=60)
    ever = make(mall, BoardWindow.ALL_TIME, code="ever")
    assert list(boards.open_periods(ever, clock_of(mall, ever), mall.now, "Asia/Shanghai")) == [
        (boards.BEGINNING, None)
    ]
    assert clock_of(mall, ever).due_at is None


def test_periods_follow_each_other_without_a_gap_also_where_the_calendar_changes() -> None:
    mall = Mall(now=local("2026-03-01 10:00"))
    board = make(mall, BoardWindow.DAY)
    clock = clock_of(mall, board)
    found = list(boards.open_periods(board, clock, mall.now + timedelta(days=3), "America/New_York"))
    assert found[0].starts_at == clock.open_since
    assert all(one.ends_at == other.starts_at for one, other in pairwise(found))
    assert found[-1].ends_at is not None
    assert found[-1].ends_at > mall.now + timedelta(days=3)


def test_only_so_many_periods_are_counted_at_once(mall: Mall) -> None:
    board = make(mall, BoardWindow.DAY)
    late = mall.now + timedelta(days=1000)
    found = list(boards.open_periods(board, clock_of(mall, board), late, "Asia/Shanghai"))
    assert len(found) == boards.PERIODS_MAX


# What may be told.


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"scope": BoardScope.STORE}, "storeId"),
        ({"scope": BoardScope.TIER, "store_id": NOBODY, "tier_id": NOBODY}, "storeId"),
        ({"segment_id": NOBODY}, "segmentId"),
        ({"window": BoardWindow.CAMPAIGN}, "startsAt"),
        ({"starts_at": datetime.fromisoformat("2026-03-01T00:00Z")}, "startsAt"),
    ],
)
def test_what_window_and_scope_have_must_be_told_and_nothing_else(mall: Mall, told: dict[str, Any], field: str) -> None:
    refusal = refused(mall, _creation(**told), LeaderboardInvalid)
    assert refusal.field == (field,)


def _creation(**told: Any) -> CreateLeaderboard:
    base = {"code": "best", "name": "Best", "metric": BoardMetric.SPEND, "window": BoardWindow.DAY}
    return CreateLeaderboard(**(base | told))


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"scope": BoardScope.STORE, "store_id": NOBODY}, "NOT_FOUND"),
        ({"size": 0}, "NUMBER_INVALID"),
        ({"size": 1001}, "NUMBER_INVALID"),
        ({"settle_minutes": -1}, "NUMBER_INVALID"),
        ({"code": " "}, "TEXT_INVALID"),
        (
            {"prizes": (places(1, 3, POINTS), places(3, 4, POINTS))},
            "LEADERBOARD_INVALID",
        ),
        ({"prizes": (places(0, 3, POINTS),)}, "NUMBER_INVALID"),
        ({"prizes": (places(3, 2, POINTS),)}, "NUMBER_INVALID"),
        ({"prizes": (places(1, 1, Prize(kind=PrizeKind.POINTS)),)}, "POINTS_INVALID"),
    ],
)
def test_what_cannot_be_is_refused(mall: Mall, told: dict[str, Any], code: str) -> None:
    assert refused(mall, _creation(**told), Refusal).code == code
    assert mall.state.rows(Leaderboard) == ()


def test_codes_are_unique_and_boards_bounded(mall: Mall, monkeypatch: pytest.MonkeyPatch) -> None:
    make(mall)
    refused(mall, _creation(), LeaderboardCodeTaken)
    monkeypatch.setattr(boards, "LEADERBOARDS_MAX", 1)
    refused(mall, _creation(code="other"), LeaderboardLimitReached)


def test_a_board_is_edited_switched_off_and_on(mall: Mall) -> None:
    board = make(mall, BoardWindow.DAY)
    since = clock_of(mall, board).open_since
    edited = mall.run(UpdateLeaderboard(leaderboard_id=board.id, size=10, settle_minutes=0))
    assert (edited.size, edited.name) == (10, "Best")
    due_at = clock_of(mall, board).due_at
    assert due_at == since + timedelta(days=1)
    mall.run(UpdateLeaderboard(leaderboard_id=board.id, is_active=False))
    assert clock_of(mall, board).due_at is None
    mall.now += timedelta(days=10)
    mall.run(UpdateLeaderboard(leaderboard_id=board.id, is_active=True))
    assert clock_of(mall, board).open_since == since + timedelta(days=10)
    assert mall.run(UpdateLeaderboard(leaderboard_id=board.id, name="Best")) == mall.row(Leaderboard, board.id)


# Closing.


def test_b3_a_period_is_closed_after_the_settle_delay_and_not_before(mall: Mall) -> None:
    member = mall.enroll()
    board = make(mall)
    clock = clock_of(mall, board)
    assert clock.due_at is not None
    mall.now = clock.due_at - timedelta(microseconds=1)
    command = CloseLeaderboardPeriod(leaderboard_id=board.id, starts_at=clock.open_since, standings=top(mall, member))
    refusal = refused(mall, command, PeriodNotOver)
    assert refusal.details == {"due_at": clock.due_at.isoformat()}
    mall.now = clock.due_at
    closed = mall.run(command)
    assert (closed.period.starts_at, closed.period.ends_at) == (clock.open_since, clock.open_since + timedelta(days=7))
    assert clock_of(mall, board).open_since == closed.period.ends_at
    assert clock_of(mall, board).due_at == clock.due_at + timedelta(days=7)


def test_b3_closing_again_with_other_standings_changes_nothing(mall: Mall) -> None:
    one, other = mall.enroll(), mall.enroll()
    board = make(mall, prizes=(places(1, 1),))
    pass_period(mall, board)
    starts_at = clock_of(mall, board).open_since
    first = close(mall, board, one)
    again = mall.run(
        CloseLeaderboardPeriod(leaderboard_id=board.id, starts_at=starts_at, standings=top(mall, other, one))
    )
    assert (first.is_repeat, again.is_repeat, again.period) == (False, True, first.period)
    (place,) = mall.state.rows(LeaderboardPlace)
    assert (place.member_id, place.place, place.rank, place.prize) == (one, 1, 1, POINTS)
    assert len(mall.state.rows(LeaderboardAward)) == 1


def test_b3_places_that_are_shown_or_win_are_kept_with_what_they_win(mall: Mall) -> None:
    members = [mall.enroll() for _ in range(6)]
    second = Prize(kind=PrizeKind.POINTS, points=5)
    told = (places(2, 4, second), places(1, 1))
    board = make(mall, size=2, prizes=told)
    assert board.places_kept == 4
    pass_period(mall, board)
    close(mall, board, *members)
    found = mall.state.rows(LeaderboardPlace)
    assert [(each.member_id, each.prize) for each in found] == [
        (members[0], POINTS),
        *((member, second) for member in members[1:4]),
    ]
    assert [award.member_id for award in mall.state.rows(LeaderboardAward)] == members[:4]


def test_a_board_of_a_campaign_is_over_when_it_is_closed() -> None:
    mall = Mall(now=local("2026-03-01 00:00"))
    board = make(mall, BoardWindow.CAMPAIGN, starts_at=local("2026-03-02 00:00"), ends_at=local("2026-03-03 00:00"))
    pass_period(mall, board)
    close(mall, board)
    clock = clock_of(mall, board)
    assert (clock.open_since, clock.due_at) == (board.ends_at, None)
    assert list(boards.open_periods(board, clock, mall.now, "Asia/Shanghai")) == []
    mall.run(UpdateLeaderboard(leaderboard_id=board.id, settle_minutes=1))
    assert clock_of(mall, board).due_at is None


# Prizes.


def prized(mall: Mall, prize: Prize, member: UUID) -> LeaderboardAward:
    board = make(mall, prizes=(places(1, 1, prize),))
    pass_period(mall, board)
    close(mall, board, member)
    (award,) = mall.state.rows(LeaderboardAward)
    assert (award.state, award.due_at) == (AwardState.DUE, mall.now)
    return award


def test_b3_a_prize_is_paid_once_through_the_ledger(mall: Mall) -> None:
    member = mall.enroll()
    award = prized(mall, POINTS, member)
    for _ in range(3):
        paid = mall.run(PayLeaderboardAward(award_id=award.id))
    transaction = mall.transactions(member)[-1]
    assert (transaction.kind, transaction.amount, transaction.source_id) == ("EARN", 50, award.id)
    assert (paid.state, paid.points, paid.transaction_id, paid.due_at) == (AwardState.PAID, 50, transaction.id, None)
    assert len(mall.transactions(member)) == 1


def test_b3_a_prize_that_cannot_be_given_is_tried_again(mall: Mall) -> None:
    member = mall.enroll()
    award = prized(mall, POINTS, member)
    mall.run(FreezeMember(member=ref(member), is_frozen=True, reason="test"))
    waiting = mall.run(PayLeaderboardAward(award_id=award.id))
    assert (waiting.state, waiting.refused) == (AwardState.DUE, "MEMBER_FROZEN")
    assert waiting.due_at == mall.now + timedelta(hours=1)
    mall.run(FreezeMember(member=ref(member), is_frozen=False, reason="test"))
    # Not before it is due again, whoever asks.
    assert mall.run(PayLeaderboardAward(award_id=award.id)) == waiting
    mall.now = waiting.due_at
    assert mall.run(PayLeaderboardAward(award_id=award.id)).state is AwardState.PAID
    assert mall.figures(member) == (50, 0, 0, 0)


def test_vouchers_and_items_are_won_too(mall: Mall) -> None:
    one, other = mall.enroll(), mall.enroll()
    pool_id = mall.pool(supply=Supply.ON_DEMAND).id
    reward = mall.terms(10)
    told = (
        places(1, 1, Prize(kind=PrizeKind.VOUCHER, pool_id=pool_id)),
        places(2, 2, Prize(kind=PrizeKind.ITEM, reward_id=reward.id)),
        places(3, 3, Prize(kind=PrizeKind.NOTHING)),
    )
    board = make(mall, prizes=told)
    pass_period(mall, board)
    close(mall, board, one, other, mall.enroll())
    paid = [mall.run(PayLeaderboardAward(award_id=award.id)) for award in mall.state.rows(LeaderboardAward)]
    assert [(award.member_id, award.voucher_id is None, award.redemption_id is None) for award in paid] == [
        (one, False, True),
        (other, True, False),
    ]


def test_prizes_that_cannot_be_given_are_not_promised(mall: Mall) -> None:
    prize = Prize(kind=PrizeKind.POINTS, points=5, reward_id=NOBODY)
    refused(mall, _creation(prizes=(places(1, 1, prize),)), PrizeInvalid)


def test_a_board_that_never_ends_promises_no_prizes(mall: Mall) -> None:
    prizes = (places(1, 1, Prize(kind=PrizeKind.POINTS, points=5)),)
    refused(mall, _creation(window=BoardWindow.ALL_TIME, prizes=prizes), LeaderboardInvalid)
    board = mall.run(_creation(window=BoardWindow.ALL_TIME))
    refused(mall, UpdateLeaderboard(leaderboard_id=board.id, prizes=prizes), LeaderboardInvalid)


# Taking part.


def test_b3_members_opt_out_and_staff_exclude(mall: Mall) -> None:
    member = mall.enroll()
    mall.run(ShowOnLeaderboards(member=ref(member), is_shown=False))
    assert mall.events == (LeaderboardParticipationChanged(member_id=member, is_shown=False, is_excluded=False),)
    mall.run(ExcludeFromLeaderboards(member=ref(member), is_excluded=True, reason="cheats"))
    part = mall.row(LeaderboardParticipation, member)
    assert (part.is_shown, part.is_excluded, part.reason) == (False, True, "cheats")
    mall.run(ShowOnLeaderboards(member=ref(member), is_shown=False))
    assert mall.events == ()
    mall.run(ExcludeFromLeaderboards(member=ref(member), is_excluded=False, reason="was wrong"))
    assert replace(part, is_excluded=False, reason="was wrong") == mall.row(LeaderboardParticipation, member)
    refused(mall, ShowOnLeaderboards(member=ref(NOBODY), is_shown=False), NotFound)


def test_a_closed_period_is_found_by_its_start() -> None:
    at = local("2026-03-01 00:00")
    one = boards.period_id(UUID(int=1), at)
    assert one == boards.period_id(UUID(int=1), at)
    assert len({one, boards.period_id(UUID(int=2), at), boards.period_id(UUID(int=1), at + timedelta(days=1))}) == 3
    assert LeaderboardPeriod.is_fact
    assert LeaderboardPlace.is_fact
