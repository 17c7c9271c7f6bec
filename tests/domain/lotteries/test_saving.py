"""Making lotteries: drafts, what contradicts itself, the value cap, publishing, and closing (D1, D4, D5)."""

import inspect
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.chances import LotteryClosed
from domain.earning.rules import Period
from domain.kernel import NotFound, Refusal
from domain.lotteries import table
from domain.lotteries.lottery import (
    DrawLimit,
    Lottery,
    LotteryAlreadyPublished,
    LotteryEnded,
    LotteryInvalid,
    LotteryKind,
    LotteryNotOpen,
    LotteryPrize,
    LotteryPublished,
    PrizeAboveCap,
    PrizeStock,
    StockOut,
)
from domain.lotteries.saving import CloseLottery, PublishLottery, SaveLottery
from domain.prizes import Prize, PrizeKind
from tests.domain.lotteries.hall import Hall, again, nothing, points

TICKETED = {"kind": LotteryKind.TICKETED}
MILLION = 5_000_001


def test_a_draft_is_edited_as_a_whole(hall: Hall) -> None:
    first = hall.draft(nothing(), code="spring", free_per_day=3)
    second = hall.draft(points(), nothing(), code="spring", name=" New \t name ")
    assert second.id == first.id
    assert (second.name, second.free_per_day, len(second.prizes)) == ("New name", 0, 2)
    assert second.created_at == first.created_at


def test_d4_what_is_published_changes_no_more(hall: Hall) -> None:
    lottery = hall.lottery(nothing(), code="spring")
    (told,) = hall.events
    assert told == LotteryPublished(
        lottery_id=lottery.id, seed_hash=str(lottery.seed_hash), table_hash=str(lottery.table_hash)
    )
    with pytest.raises(LotteryAlreadyPublished):
        hall.draft(nothing(), points(), code="spring")
    assert hall.run(PublishLottery(lottery_id=lottery.id)) == lottery
    assert hall.row(Lottery, lottery.id) == lottery
    assert [stock.left for stock in hall.state.rows(PrizeStock)] == [None]


def test_what_has_ended_is_not_published(hall: Hall) -> None:
    draft = hall.draft(nothing(), ends_at=hall.now + timedelta(days=1))
    hall.later(days=1)
    with pytest.raises(LotteryInvalid, match="it ended at"):
        hall.run(PublishLottery(lottery_id=draft.id))
    with pytest.raises(NotFound):
        hall.run(PublishLottery(lottery_id=UUID(int=5)))


def test_d5_an_item_above_the_cap_needs_whoever_may_say_so(hall: Hall) -> None:
    kettle, car = hall.item(5_000_000), hall.item(MILLION)
    assert hall.draft(kettle, code="kettles").prizes[0].exceeds_cap_by is None
    with pytest.raises(PrizeAboveCap) as refused:
        hall.draft(car, code="cars")
    assert refused.value.field == ("prizes", "0", "value")
    assert refused.value.details == {"prize": "kettle", "value": MILLION, "value_max": 5_000_000}
    draft = hall.draft(car, kettle_of(kettle), code="cars", exceeds_cap=True)
    # Who it was is kept, where it was needed.
    assert [prize.exceeds_cap_by for prize in draft.prizes] == ["till", None]
    hall.run(PublishLottery(lottery_id=draft.id))


def kettle_of(prize: LotteryPrize) -> LotteryPrize:
    return replace(prize, code="other")


def test_d5_the_cap_is_a_setting_and_is_looked_at_again_when_published(hall: Hall) -> None:
    draft = hall.draft(hall.item(1_000))
    hall.update(prize_value_max_minor=999)
    with pytest.raises(PrizeAboveCap):
        hall.run(PublishLottery(lottery_id=draft.id))
    hall.update(prize_value_max_minor=1_000)
    hall.run(PublishLottery(lottery_id=draft.id))


def test_d5_points_and_vouchers_have_no_cap(hall: Hall) -> None:
    told = points(10**6)
    hall.draft(told, replace(told, code="worth", value_minor=10**9))


@pytest.mark.parametrize(
    ("prizes", "terms", "field"),
    [
        ((), {}, ("prizes",)),
        ((nothing(),) * 51, {}, ("prizes",)),
        ((nothing(), nothing()), {}, ("prizes",)),
        ((nothing(),), {"code": "two words"}, ("code",)),
        ((nothing(),), {"name": " "}, ("name",)),
        ((nothing(),), {"rules": ""}, ("rules",)),
        ((nothing(code="a\tb"),), {}, ("prizes", "0", "code")),
        ((points(), nothing(0)), {}, ("prizes", "1", "weight")),
        ((points(stock=-1),), {}, ("prizes", "0", "stock")),
        ((points(daily_stock=-1),), {}, ("prizes", "0", "dailyStock")),
        ((points(rank=0),), {}, ("prizes", "0", "rank")),
        ((nothing(rank=1),), {}, ("prizes", "0", "rank")),
        ((points(rank=101),), {}, ("prizes", "0", "rank")),
        ((points(0),), {}, ("prizes", "0", "prize.points")),
        ((again(0),), {}, ("prizes", "0", "prize.chances")),
        ((nothing(),), {"points": 0}, ("points",)),
        ((nothing(),), {"free_per_day": -1}, ("freePerDay",)),
        ((nothing(),), {"limits": (DrawLimit(period=Period.DAY, draws=0),)}, ("limits", "0", "draws")),
        ((nothing(),), {"limits": (DrawLimit(period=Period.DAY, draws=1),) * 2}, ("limits",)),
        ((points(),), {"guarantee_every": 1, "guarantee_rank": 1}, ("guaranteeEvery",)),
        ((points(),), {"guarantee_every": 5}, ("guaranteeEvery",)),
        ((points(),), {"guarantee_every": 5, "guarantee_rank": 2}, ("guaranteeRank",)),
        ((points(),), {"stock_out": StockOut.FALLBACK}, ("fallback",)),
        ((points(), nothing()), {"fallback": "none"}, ("fallback",)),
        ((points(),), {"stock_out": StockOut.FALLBACK, "fallback": "none"}, ("fallback",)),
        ((points(stock=5),), {"stock_out": StockOut.FALLBACK, "fallback": "points"}, ("fallback",)),
        ((points(daily_stock=5),), {"stock_out": StockOut.FALLBACK, "fallback": "points"}, ("fallback",)),
        ((points(stock=1),), TICKETED, ("endsAt",)),
        ((points(stock=1),), TICKETED | {"days": 1, "guarantee_every": 5, "guarantee_rank": 1}, ("kind",)),
        ((points(),), TICKETED | {"days": 1}, ("prizes",)),
        ((nothing(stock=1),), TICKETED | {"days": 1}, ("prizes",)),
        ((points(stock=1, daily_stock=1),), TICKETED | {"days": 1}, ("prizes",)),
        ((points(stock=1_001),), TICKETED | {"days": 1}, ("prizes",)),
        ((points(stock=1),), TICKETED | {"days": 1, "wins_per_member": 0}, ("winsPerMember",)),
        ((nothing(),), {"days": -1}, ("endsAt",)),
    ],
)
def test_what_contradicts_itself_is_refused_by_its_field(
    hall: Hall, prizes: tuple[LotteryPrize, ...], terms: dict[str, Any], field: tuple[str, ...]
) -> None:
    told = dict(terms)
    if "days" in told:
        told |= {"starts_at": hall.now, "ends_at": hall.now + timedelta(days=told.pop("days"))}
    with pytest.raises(Refusal) as refused:
        hall.draft(*prizes, **told)
    assert refused.value.field == field


def test_prizes_that_cannot_be_given_are_refused(hall: Hall) -> None:
    lottery = hall.lottery(nothing())
    item = Prize(kind=PrizeKind.ITEM, reward_id=hall.reward(5).id)
    for prize, field in (
        (Prize(kind=PrizeKind.VOUCHER, pool_id=UUID(int=5)), None),
        (Prize(kind=PrizeKind.ITEM, reward_id=UUID(int=5)), None),
        (item, ("prizes", "0", "value")),
        (Prize(kind=PrizeKind.CHANCE, chances=1, lottery_id=lottery.id), ("prizes", "0", "prize", "lotteryId")),
    ):
        worth = 100 if prize is not item else 0
        with pytest.raises(Refusal) as refused:
            hall.draft(LotteryPrize(code="a", name="A", prize=prize, rank=1, value_minor=worth))
        if field is not None:
            assert refused.value.field == field


# Closing.


def test_d4_a_lottery_is_closed_once(hall: Hall, member: UUID) -> None:
    lottery = hall.lottery(nothing())
    hall.draw(member, lottery)
    run = hall.close(lottery)
    assert (run.closed_at, run.closed_by, run.reason, run.due_at) == (hall.now, "till", "test", None)
    assert hall.events == (LotteryEnded(lottery_id=lottery.id),)
    with pytest.raises(LotteryClosed):
        hall.close(lottery)


def test_drafts_and_tickets_are_not_closed_by_hand(hall: Hall) -> None:
    with pytest.raises(LotteryNotOpen, match="not published"):
        hall.close(hall.draft(nothing()))
    with pytest.raises(LotteryNotOpen, match="wait for their draw"):
        hall.close(hall.raffle(points(stock=1)))
    with pytest.raises(NotFound):
        hall.run(CloseLottery(lottery_id=UUID(int=5), reason="test"))


def test_every_part_of_a_draft_is_told(hall: Hall) -> None:
    """Whoever adds a part to a lottery adds it to the command and to the table that is hashed."""
    own = {"id", "program_id", "created_at", "published_at", "seed_hash", "table_hash"}
    parts, told = ({field.name for field in fields(kind)} for kind in (Lottery, SaveLottery))
    assert parts - own == told - {"exceeds_cap"}
    for name in parts - own:
        assert f"lottery.{name}" in inspect.getsource(table), name
