"""Drawing, line by line of D1 to D3: odds, limits, what is paid with, stock, the guarantee, all in one step."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audiences import Audience
from domain.chances import ChancesTooMany, LotteryClosed, Payment
from domain.earning.rules import Period
from domain.kernel import NotFound
from domain.lotteries import odds
from domain.lotteries.draw import LotteryDrawn
from domain.lotteries.drawing import DrawLottery
from domain.lotteries.lottery import DrawLimit, LotteryNotOpen, LotteryOfOtherKind, StockOut
from domain.lotteries.playing import DrawsReached, NoChances, NotForMember, NothingLeft
from domain.points.account import DebtOutstanding, InsufficientPoints, MemberFrozen
from domain.points.commands import FreezeMember
from domain.redemptions.redemption import Redemption, RedemptionOrigin
from domain.schedules import Schedule
from domain.vouchers.voucher import Voucher, VoucherOrigin
from tests.domain.lotteries.hall import Hall, again, nothing, points
from tests.domain.memory import ref

ONCE_A_DAY = (DrawLimit(period=Period.DAY, draws=1),)


def test_d2_a_draw_pays_draws_takes_from_stock_gives_and_records(hall: Hall, member: UUID) -> None:
    lottery = hall.lottery(points(30, stock=2), points=5)
    draw = hall.draw(member, lottery, client_seed="lucky")
    assert hall.history(member) == [("ADJUST", 1_000), ("REDEEM", -5), ("EARN", 30)]
    assert (draw.payment, draw.points, draw.prize, draw.points_won) == (Payment.POINTS, 5, "points", 30)
    assert (draw.number, draw.client_seed, draw.drawn_at) == (1, "lucky", hall.now)
    spent, earned = hall.transactions(member)[1:]
    assert (spent.source_id, earned.source_id, draw.transaction_id) == (draw.id, draw.id, spent.id)
    assert (hall.stock(lottery, "points").left, hall.stock(lottery, "points").won) == (1, 1)
    assert hall.goes(lottery).draws == 1
    (told,) = (event for event in hall.events if isinstance(event, LotteryDrawn))
    assert (told.member_id, told.prize, told.rank) == (member, "points", 1)


def test_d4_the_nonce_is_the_member_s_own_and_counts_its_draws(hall: Hall, member: UUID) -> None:
    """What a client seed wins for somebody wins nothing for whoever copies it, and no draw is left out."""
    lottery, other = hall.lottery(nothing()), hall.enroll(10)
    found = [hall.draw(player, lottery, client_seed="same").nonce for player in (member, other, member, member)]
    mine, its = (hall.stands(player, lottery).id.hex for player in (member, other))
    assert found == [f"{mine}-1", f"{its}-1", f"{mine}-2", f"{mine}-3"]
    assert member.hex not in "".join(found)


def test_d2_every_kind_of_prize_is_given(hall: Hall, member: UUID) -> None:
    only = {"item": hall.item(), "voucher": hall.voucher(), "again": again(2), "none": nothing()}
    drawn = {name: hall.draw(member, hall.lottery(prize)) for name, prize in only.items()}
    redemption = hall.row(Redemption, drawn["item"].redemption_id or member)
    assert (redemption.origin, redemption.origin_id) == (RedemptionOrigin.PRIZE, drawn["item"].id)
    assert (redemption.points, redemption.member_id) == (0, member)
    voucher = hall.row(Voucher, drawn["voucher"].voucher_id or member)
    assert (voucher.origin, voucher.member_id) == (VoucherOrigin.PRIZE, member)
    assert drawn["again"].chances_won == 2
    assert drawn["none"].points_won == 0
    assert hall.account(member).available == 996


def test_d2_chances_go_before_points_won_ones_first(hall: Hall, member: UUID) -> None:
    """Won, free today, given, points."""
    lottery = hall.lottery(again(), points=5, free_per_day=1)
    hall.chance(member, lottery)
    paid = [hall.draw(member, lottery).payment for _ in range(3)]
    assert paid == [Payment.FREE, Payment.WON, Payment.WON]
    hall.later(days=1)
    assert hall.draw(member, lottery).payment is Payment.WON
    other = hall.lottery(nothing(), points=5, free_per_day=1)
    hall.chance(member, other)
    assert [draw.payment for draw in hall.play(member, other, 3)] == [Payment.FREE, Payment.CHANCE, Payment.POINTS]
    assert hall.account(member).available == 995
    hall.later(days=1)
    assert hall.draw(member, other).payment is Payment.FREE


def test_d2_a_chance_that_was_won_counts_against_no_limit(hall: Hall, member: UUID) -> None:
    lottery = hall.lottery(again(), limits=ONCE_A_DAY)
    first, second = hall.play(member, lottery, 2)
    assert (first.payment, second.payment) == (Payment.POINTS, Payment.WON)
    assert hall.stands(member, lottery).won_chances == 1


@pytest.mark.parametrize(
    ("period", "until"),
    [
        (Period.DAY, timedelta(days=1)),
        (Period.WEEK, timedelta(days=4)),
        (Period.MONTH, timedelta(days=17)),
        (Period.YEAR, timedelta(days=351)),
    ],
)
def test_d2_limits_are_of_the_program_s_calendar(hall: Hall, member: UUID, period: Period, until: timedelta) -> None:
    """It is noon of Thursday, the 15th of January 2026, in Shanghai."""
    lottery = hall.lottery(nothing(), limits=(DrawLimit(period=period, draws=2),))
    hall.play(member, lottery, 2)
    with pytest.raises(DrawsReached) as refused:
        hall.draw(member, lottery)
    assert refused.value.details == {"limit": 2, "taken": 2, "requested": 1, "period": period.lower()}
    # The first instant of the next one.
    hall.now = hall.now + until - timedelta(hours=12, microseconds=1)
    with pytest.raises(DrawsReached):
        hall.draw(member, lottery)
    hall.now += timedelta(microseconds=1)
    hall.play(member, lottery, 2)


def test_d2_a_limit_in_all_is_for_ever(hall: Hall, member: UUID) -> None:
    lottery = hall.lottery(nothing(), limits=(DrawLimit(period=Period.LIFETIME, draws=3),))
    hall.play(member, lottery, 3)
    hall.later(days=4_000)
    with pytest.raises(DrawsReached):
        hall.draw(member, lottery)


def test_s38_one_lottery_a_month_is_a_schedule_and_a_limit(hall: Hall, member: UUID) -> None:
    lottery = hall.lottery(
        nothing(),
        schedule=Schedule(month_days=(8,), from_hour=10, until_hour=20),
        limits=(DrawLimit(period=Period.MONTH, draws=1),),
    )
    opened = []
    for hour in range(24 * 60):
        try:
            hall.draw(member, lottery)
        except (LotteryNotOpen, DrawsReached):
            pass
        else:
            opened.append(hall.now.isoformat())
        hall.later(hours=1)
        assert hour < 24 * 60
    assert opened == ["2026-02-08T02:00:00+00:00", "2026-03-08T02:00:00+00:00"]


def test_d1_a_prize_out_of_stock_is_drawn_no_more(hall: Hall, member: UUID) -> None:
    lottery = hall.lottery(points(weight=9, stock=3), nothing())
    hall.play(member, lottery, 40)
    assert hall.won(lottery) == {"points": 3, "none": 37}
    kept = hall.kept(lottery)
    last = max(draw.number for draw in kept if draw.prize == "points")
    assert {draw.among for draw in kept if draw.number <= last} == {(1, 2)}
    assert {(draw.among, draw.total) for draw in kept if draw.number > last} == {((2,), 1)}


def test_d1_the_fallback_stands_in_for_what_is_out_of_stock(hall: Hall, member: UUID) -> None:
    lottery = hall.lottery(points(weight=9, stock=3), nothing(), stock_out=StockOut.FALLBACK, fallback="none")
    hall.play(member, lottery, 40)
    kept = hall.kept(lottery)
    assert hall.won(lottery) == {"points": 3, "none": 37}
    assert {(draw.among, draw.total) for draw in kept} == {((1, 2), 10)}
    assert any(draw.drawn == "points" and draw.prize == "none" for draw in kept)


def test_d1_a_day_s_stock_is_of_the_local_day(hall: Hall, member: UUID) -> None:
    lottery = hall.lottery(points(weight=10**9, daily_stock=2), nothing())
    for _ in range(3):
        hall.play(member, lottery, 5)
        hall.later(days=1)
    assert hall.won(lottery) == {"points": 6, "none": 9}


def test_d1_when_nothing_is_left_nothing_is_paid(hall: Hall, member: UUID) -> None:
    lottery = hall.lottery(points(stock=1))
    hall.draw(member, lottery)
    with pytest.raises(NothingLeft):
        hall.draw(member, lottery)
    assert hall.account(member).available == 1_009


def test_d1_a_voucher_that_cannot_be_given_is_out_of_stock(hall: Hall, member: UUID) -> None:
    """Its pool is emptier than the lottery thinks: the draw is made again without it, and says so."""
    lottery = hall.lottery(hall.voucher(left=2, weight=10**9), nothing())
    draws = hall.play(member, lottery, 4)
    assert [draw.prize for draw in draws] == ["voucher", "voucher", "none", "none"]
    assert [draw.among for draw in draws] == [(1, 2), (1, 2), (2,), (2,)]
    with pytest.raises(NothingLeft):
        hall.draw(member, hall.lottery(hall.voucher(left=0)))
    fallen = hall.lottery(hall.voucher(left=0, weight=10**9), nothing(), stock_out=StockOut.FALLBACK, fallback="none")
    draw = hall.draw(member, fallen)
    assert (draw.drawn, draw.prize, draw.among) == ("voucher", "none", (1, 2))


def test_d3_the_nth_draw_in_a_row_without_the_rank_wins_it(hall: Hall, member: UUID) -> None:
    lottery = hall.lottery(
        nothing(weight=10**9), points(5), points(500, code="grand", rank=2), guarantee_every=5, guarantee_rank=2
    )
    draws = hall.play(member, lottery, 20)
    assert [draw.prize for draw in draws] == (["none"] * 4 + ["grand"]) * 4
    assert [draw.is_guaranteed for draw in draws] == ([False] * 4 + [True]) * 4
    assert {draw.among for draw in draws if draw.is_guaranteed} == {(3,)}


def test_d3_a_win_by_luck_begins_the_count_again(hall: Hall, member: UUID) -> None:
    lottery = hall.lottery(nothing(), points(weight=1), guarantee_every=3, guarantee_rank=1)
    dry = 0
    for _ in range(60):
        shown = odds.draws_to_guarantee(lottery, dry)
        draw = hall.draw(member, lottery)
        assert draw.is_guaranteed == (shown == 1)
        dry = 0 if draw.prize == "points" else dry + 1
        assert hall.stands(member, lottery).dry_draws == dry < 3


def test_d3_the_guarantee_is_of_each_member_and_time_changes_nothing(hall: Hall, member: UUID) -> None:
    other = hall.enroll(100)
    lottery = hall.lottery(nothing(weight=10**9), points(), guarantee_every=3, guarantee_rank=1)
    hall.play(member, lottery, 2)
    hall.draw(other, lottery)
    hall.later(days=400)
    assert hall.draw(member, lottery).is_guaranteed
    assert not hall.draw(other, lottery).is_guaranteed


def test_d3_while_the_rank_is_out_of_stock_the_guarantee_waits(hall: Hall, member: UUID) -> None:
    lottery = hall.lottery(nothing(weight=10**9), points(daily_stock=1), guarantee_every=2, guarantee_rank=1, points=1)
    assert [draw.prize for draw in hall.play(member, lottery, 5)] == ["none", "points", "none", "none", "none"]
    hall.later(days=1)
    draw = hall.draw(member, lottery)
    assert (draw.prize, draw.is_guaranteed) == ("points", True)


def test_d3_a_guaranteed_draw_is_only_among_what_is_in_stock(hall: Hall, member: UUID) -> None:
    lottery = hall.lottery(
        nothing(weight=10**9),
        points(5, code="small", rank=1),
        points(50, code="big", rank=2, stock=1),
        points(60, code="bigger", rank=3, stock=1),
        guarantee_every=2,
        guarantee_rank=2,
        stock_out=StockOut.FALLBACK,
        fallback="none",
    )
    draws = hall.play(member, lottery, 6)
    guaranteed = [draw.among for draw in draws if draw.is_guaranteed]
    first = draws[1].prize
    assert guaranteed == [(3, 4), (4,) if first == "big" else (3,)]
    assert hall.won(lottery) == {"none": 4, "big": 1, "bigger": 1}


# What is refused, in its order, and has cost nothing: `Memory` proves that nothing changed.


def test_a_lottery_that_is_not_open_is_not_drawn_in(hall: Hall, member: UUID) -> None:
    draft = hall.draft(nothing())
    with pytest.raises(LotteryNotOpen, match="not published"):
        hall.draw(member, draft)
    start, end = hall.now + timedelta(hours=1), hall.now + timedelta(hours=2)
    lottery = hall.lottery(nothing(), starts_at=start, ends_at=end)
    with pytest.raises(LotteryNotOpen, match="starts at"):
        hall.draw(member, lottery)
    hall.now = start
    hall.draw(member, lottery)
    hall.now = end - timedelta(microseconds=1)
    hall.draw(member, lottery)
    hall.now = end
    with pytest.raises(LotteryNotOpen, match="it ended at"):
        hall.draw(member, lottery)
    endless = hall.lottery(nothing())
    hall.close(endless)
    with pytest.raises(LotteryNotOpen, match="it ended at"):
        hall.draw(member, endless)


def test_gates_by_tag(hall: Hall) -> None:
    lottery = hall.lottery(nothing(), points=None, free_per_day=1, audience=Audience(tags=("vip",)))
    hall.draw(hall.join(tags=("vip",)), lottery)
    with pytest.raises(NotForMember) as refused:
        hall.draw(hall.join(), lottery)
    assert refused.value.details == {"why": "tags"}


def test_refusals_come_in_their_order(hall: Hall) -> None:
    """Frozen, not open, not for this member, limits, nothing left, debt, points; each mended, the next is told."""
    member = hall.enroll()
    lottery = hall.lottery(points(stock=1), points=50, limits=ONCE_A_DAY, starts_at=hall.now + timedelta(days=1))
    other = hall.enroll(100)
    hall.run(FreezeMember(member=ref(member), is_frozen=True, reason="test"))
    seen: list[str] = []

    def refused() -> None:
        with pytest.raises(Exception) as told:  # noqa: PT011 - which one is what is told
            hall.draw(member, lottery)
        seen.append(type(told.value).__name__)

    refused()
    hall.run(FreezeMember(member=ref(member), is_frozen=False, reason="test"))
    refused()
    hall.later(days=1)
    refused()
    hall.draw(other, lottery)
    refused()
    assert seen == [MemberFrozen.__name__, LotteryNotOpen.__name__, InsufficientPoints.__name__, NothingLeft.__name__]


def test_debt_and_points(hall: Hall) -> None:
    lottery = hall.lottery(nothing(), points=5)
    poor = hall.enroll(4)
    with pytest.raises(InsufficientPoints) as refused:
        hall.draw(poor, lottery)
    assert refused.value.details == {"required": 5, "available": 4}
    owing = hall.enroll()
    bought = hall.buy(owing, 10_000)
    hall.adjust(owing, -100)
    hall.refund(bought.purchase)
    with pytest.raises(DebtOutstanding):
        hall.draw(owing, lottery)
    hall.chance(owing, lottery)
    assert hall.draw(owing, lottery).payment is Payment.CHANCE


def test_without_points_it_takes_a_chance(hall: Hall, member: UUID) -> None:
    lottery = hall.lottery(nothing(), points=None)
    with pytest.raises(NoChances) as refused:
        hall.draw(member, lottery)
    assert refused.value.details == {"required": 1, "left": 0}
    hall.chance(member, lottery, 2)
    hall.play(member, lottery, 2)
    with pytest.raises(NoChances):
        hall.draw(member, lottery)


def test_what_is_not_there_or_of_the_other_kind(hall: Hall, member: UUID) -> None:
    with pytest.raises(NotFound):
        hall.run(DrawLottery(member=ref(member), lottery_id=UUID(int=5)))
    raffle = hall.raffle(points(stock=1))
    with pytest.raises(LotteryOfOtherKind, match="ticketed"):
        hall.draw(member, raffle)


def test_chances_are_given_while_the_lottery_is_open(hall: Hall, member: UUID) -> None:
    lottery = hall.lottery(nothing(), ends_at=hall.now + timedelta(days=1))
    assert hall.chance(member, lottery, 1_000).chances == 1_000
    for _ in range(999):
        hall.chance(member, lottery, 1_000)
    with pytest.raises(ChancesTooMany):
        hall.chance(member, lottery)
    hall.later(days=1)
    with pytest.raises(LotteryClosed):
        hall.chance(member, lottery)
    with pytest.raises(NotFound):
        hall.chance(member, hall.draft(nothing()))


@given(
    stocks=st.lists(st.one_of(st.none(), st.integers(0, 4)), min_size=1, max_size=5),
    is_fallback=st.booleans(),
    count=st.integers(1, 25),
    every=st.one_of(st.none(), st.integers(2, 4)),
)
def test_whatever_is_drawn_stock_and_books_agree(
    stocks: list[int | None], is_fallback: bool, count: int, every: int | None
) -> None:
    hall = Hall()
    member = hall.enroll(1_000)
    prizes = [points(number, code=f"p{number}", stock=stock) for number, stock in enumerate(stocks, start=1)]
    terms: dict[str, Any] = {"guarantee_every": every, "guarantee_rank": None if every is None else 1}
    if is_fallback:
        terms |= {"stock_out": StockOut.FALLBACK, "fallback": "none"}
    lottery = hall.lottery(*prizes, nothing(), **terms)
    hall.play(member, lottery, count)
    won = hall.won(lottery)
    assert won.total() == count == hall.goes(lottery).draws
    for prize in lottery.prizes:
        stock = hall.stock(lottery, prize.code)
        assert stock.won == won[prize.code]
        assert stock.left == (None if prize.stock is None else prize.stock - won[prize.code])
    assert hall.account(member).available == 1_000 - count + sum(draw.points_won for draw in hall.kept(lottery))
