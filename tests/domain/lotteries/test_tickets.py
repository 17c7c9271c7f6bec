"""Ticketed lotteries: tickets are numbered, taken until the end and no later, and win at most once (D2, D4)."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chances import Payment
from domain.earning.rules import Period
from domain.kernel import NotFound
from domain.lotteries import ending, significance
from domain.lotteries.ending import EndLottery
from domain.lotteries.lottery import DrawLimit, LotteryNotOpen, LotteryOfOtherKind
from domain.lotteries.playing import DrawsReached
from domain.lotteries.significance import Cell
from domain.lotteries.tickets import LotteryTicket
from domain.points.account import InsufficientPoints
from tests.domain.lotteries.hall import Hall, nothing, points


def test_tickets_are_numbered_as_they_are_taken(hall: Hall, member: UUID) -> None:
    other = hall.enroll(100)
    lottery = hall.raffle(points(stock=1), points=3, free_per_day=1)
    hall.chance(member, lottery, 2)
    first, second, third = (
        hall.tickets(member, lottery, 5),
        hall.tickets(other, lottery, 1),
        hall.tickets(member, lottery, 1),
    )
    assert [(taken.first, taken.count) for taken in (first, second, third)] == [(1, 5), (6, 1), (7, 1)]
    assert (hall.account(member).available, hall.account(other).available) == (1_000 - 9, 100)
    kept = sorted(hall.state.rows(LotteryTicket), key=lambda row: row.number)
    assert [row.number for row in kept] == [1, 2, 3, 4, 5, 6, 7]
    assert [(row.payment, row.points) for row in kept] == [
        (Payment.FREE, 0),
        (Payment.CHANCE, 0),
        (Payment.CHANCE, 0),
        (Payment.POINTS, 3),
        (Payment.POINTS, 3),
        (Payment.FREE, 0),
        (Payment.POINTS, 3),
    ]
    assert {row.transaction_id is None for row in kept if row.payment is Payment.POINTS} == {False}
    assert hall.goes(lottery).tickets == 7


def test_tickets_are_taken_all_or_none(hall: Hall) -> None:
    member = hall.enroll(10)
    lottery = hall.raffle(points(stock=1), points=3, limits=(DrawLimit(period=Period.DAY, draws=4),))
    with pytest.raises(InsufficientPoints):
        hall.tickets(member, lottery, 4)
    with pytest.raises(DrawsReached):
        hall.tickets(member, lottery, 5)
    assert hall.goes(lottery).tickets == 0
    hall.tickets(member, lottery, 3)
    with pytest.raises(LotteryOfOtherKind, match="instant"):
        hall.tickets(member, hall.lottery(nothing()))


def test_nobody_takes_a_ticket_after_the_end_however_late_the_draw_is(hall: Hall, member: UUID) -> None:
    lottery = hall.raffle(points(stock=1), days=1)
    hall.later(hours=24)
    with pytest.raises(LotteryNotOpen):
        hall.tickets(member, lottery)
    hall.later(days=5)
    with pytest.raises(LotteryNotOpen):
        hall.tickets(member, lottery)
    assert hall.end(lottery) == []
    with pytest.raises(LotteryNotOpen):
        hall.tickets(member, lottery)


def test_winners_are_drawn_at_the_end_and_not_before(hall: Hall, member: UUID) -> None:
    lottery = hall.raffle(hall.item(stock=1), points(50, stock=2, code="fifty"))
    players = [member, *(hall.enroll(10) for _ in range(5))]
    for player in players:
        hall.tickets(player, lottery, 2)
    assert hall.run(EndLottery(lottery_id=lottery.id, step=1)).run.draws == 0
    hall.later(days=7)
    winners = hall.end(lottery)
    # The first prize of the table to the first that is drawn.
    assert [draw.prize for draw in winners] == ["kettle", "fifty", "fifty"]
    assert [draw.number for draw in winners] == [1, 2, 3]
    assert len({draw.member_id for draw in winners}) == 3
    assert winners[0].redemption_id is not None
    assert [hall.account(draw.member_id).lifetime_earned for draw in winners[1:]] == [50, 50]
    run = hall.goes(lottery)
    assert (run.draws, run.closed_at, run.due_at, run.closed_by) == (3, hall.now, None, "till")
    assert {hall.stock(lottery, code).left for code in ("kettle", "fifty")} == {0}


def test_a_step_that_was_done_changes_nothing(hall: Hall, member: UUID) -> None:
    lottery = hall.raffle(points(stock=2), wins_per_member=2)
    hall.tickets(member, lottery, 5)
    hall.later(days=7)
    for step, draws in ((1, 1), (1, 1), (2, 2), (1, 2), (3, 2), (3, 2), (4, 2)):
        assert hall.run(EndLottery(lottery_id=lottery.id, step=step)).run.draws == draws
    assert hall.goes(lottery).closed_at == hall.now
    with pytest.raises(NotFound):
        hall.run(EndLottery(lottery_id=UUID(int=5), step=1))


def test_when_no_ticket_can_win_any_more_the_lottery_ends(hall: Hall, member: UUID) -> None:
    """One member has all tickets, and wins once."""
    lottery = hall.raffle(points(stock=5))
    hall.tickets(member, lottery, 100)
    hall.later(days=7)
    assert [draw.member_id for draw in hall.end(lottery)] == [member]
    assert hall.stock(lottery, "points").left == 4
    run = hall.goes(lottery)
    assert (run.tickets, run.spent_tickets) == (100, 100)


def test_where_hardly_any_ticket_can_win_the_search_goes_on_step_by_step(
    hall: Hall, member: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "_LOOKED_UP", (2, 6))
    rare = hall.enroll(10)
    lottery = hall.raffle(points(stock=2))
    for _ in range(2):
        hall.tickets(member, lottery, 100)
    hall.tickets(rare, lottery, 1)
    hall.later(days=7)
    winners = hall.end(lottery, steps=400)
    assert {draw.member_id for draw in winners} == {member, rare}
    assert hall.goes(lottery).steps > 3


def test_a_prize_that_cannot_be_given_is_owed(hall: Hall, member: UUID) -> None:
    """A draw cannot be made again: it stands, and says what the shop owes."""
    lottery = hall.raffle(hall.voucher(left=0, stock=1))
    hall.tickets(member, lottery, 1)
    hall.later(days=7)
    (winner,) = hall.end(lottery)
    assert (winner.member_id, winner.owed, winner.voucher_id) == (member, "VOUCHERS_SOLD_OUT", None)


def test_who_is_frozen_meanwhile_wins_all_the_same(hall: Hall, member: UUID) -> None:
    lottery = hall.raffle(points(50, stock=1))
    hall.tickets(member, lottery, 1)
    hall.freeze(member)
    hall.later(days=7)
    (winner,) = hall.end(lottery)
    assert (winner.owed, winner.points_won, hall.account(member).available) == (None, 50, 1_049)


@given(held=st.lists(st.integers(1, 6), min_size=1, max_size=5), stock=st.integers(1, 12), wins=st.integers(1, 4))
def test_a_ticket_wins_once_and_a_member_no_more_than_it_may(held: list[int], stock: int, wins: int) -> None:
    hall = Hall()
    players = [hall.enroll(10) for _ in held]
    lottery = hall.raffle(points(1, stock=stock), wins_per_member=wins)
    for player, count in zip(players, held, strict=True):
        hall.tickets(player, lottery, count)
    hall.later(days=7)
    winners = hall.end(lottery)
    assert len({draw.ticket for draw in winners}) == len(winners)
    by_member = Counter(draw.member_id for draw in winners)
    assert max(by_member.values()) <= wins
    # As many as can win at all.
    possible = sum(min(count, wins) for count in held)
    assert len(winners) == min(stock, possible)
    run = hall.goes(lottery)
    assert run.spent_tickets <= run.tickets == sum(held)
    for player in players:
        assert hall.stands(player, lottery).wins == by_member[player]
    owners = {row.number: row.member_id for row in hall.state.rows(LotteryTicket)}
    assert {draw.member_id == owners[draw.ticket or 0] for draw in winners} <= {True}


def test_each_ticket_is_as_likely_as_any_other(hall: Hall) -> None:
    """By ten thousand attempts, as the clock makes them."""
    seed = bytes(range(32))
    found = Counter(ending.point_of(seed, attempt, 9) for attempt in range(1, 10_001))
    assert significance.chi_square(Cell(10_000 / 9, found[ticket]) for ticket in range(9)).p_value > 0.01


def test_the_end_is_not_the_shop_s_to_choose(hall: Hall, member: UUID) -> None:
    """However late and in however many steps the winners are drawn, they are the same."""
    lottery = hall.raffle(points(stock=3), ends_at=hall.now + timedelta(days=1), wins_per_member=3)
    hall.tickets(member, lottery, 30)
    seed, total = bytes.fromhex(hall.seed(lottery)), 30
    hall.later(days=99)
    expected: list[int] = []
    attempt = 0
    while len(expected) < 3:
        attempt += 1
        ticket = ending.point_of(seed, attempt, total) + 1
        if ticket not in expected:
            expected.append(ticket)
    assert [draw.ticket for draw in hall.end(lottery)] == expected
