"""Making and editing sales: told whole, checked whole, and nothing taken away that a running round promised."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import checks
from domain.audiences import Audience
from domain.flash_sales.commands import SaveFlashSale
from domain.flash_sales.sale import (
    Daily,
    FlashSale,
    FlashSaleInvalid,
    FlashSaleItem,
    FlashSaleRunning,
    FlashSaleSaved,
    HeadStart,
    RoundSoldOut,
    Share,
)
from domain.kernel import NotFound
from domain.rewards.reward import QUANTITY_MAX, RewardKind, WindowInvalid
from domain.rewards.stock import STOCK_MAX
from domain.schedules import Schedule, ScheduleInvalid
from tests.domain.flash_sales.floor import ENDS, HOUR, OPENS, Floor
from tests.domain.memory import PROGRAM_ID, START

NOBODY = UUID(int=99)
MINUTE = timedelta(minutes=1)


def test_a_sale_is_told_whole_with_its_items(floor: Floor) -> None:
    cup, pot = floor.reward(1), floor.reward(2)
    gold = floor.tier("Gold", 1)
    starts = (HeadStart(tier_id=gold, minutes=10),)
    shares = (Share(tier_id=gold, quantity=3),)
    sale = floor.save(
        floor.terms_of(cup, shares=shares, limit_per_member=2),
        floor.terms_of(pot, points=7, cash_minor=50, stock=0),
        code=" t ",
        name=" Tea ",
        description=" hot ",
        head_starts=starts,
        audience=Audience(tags=("vip",)),
    )
    assert sale == FlashSale(
        id=sale.id,
        program_id=PROGRAM_ID,
        code="t",
        name="Tea",
        description="hot",
        audience=Audience(tags=("vip",)),
        starts_at=OPENS,
        ends_at=ENDS,
        head_starts=starts,
        created_at=START,
    )
    first, second = floor.items(sale)
    assert (first.reward_id, first.position, first.points, first.shares) == (cup.id, 1, 100, shares)
    assert first.allotments() == {None: 7, gold: 3}
    assert (second.reward_id, second.position, second.points, second.cash_minor) == (pot.id, 2, 7, 50)
    assert floor.events == (FlashSaleSaved(sale_id=sale.id, item_ids=(first.id, second.id)),)
    assert floor.events[0].topics() == (f"flash_sale:{sale.id}",)


def test_a_sale_told_again_is_replaced_and_items_keep_their_ids(floor: Floor) -> None:
    cup, pot, jug = floor.reward(1), floor.reward(2), floor.reward(3)
    before = floor.items(floor.save(floor.terms_of(cup), floor.terms_of(pot)))
    sale = floor.save(floor.terms_of(jug), floor.terms_of(cup, points=5), name="Friday")
    assert [(item.reward_id, item.points) for item in floor.items(sale)] == [(jug.id, 100), (cup.id, 5)]
    assert floor.items(sale)[1].id == before[0].id
    assert floor.row(FlashSaleItem, before[1].id).is_closed
    # What was withdrawn comes back under the id it had.
    floor.save(floor.terms_of(pot))
    assert [item.id for item in floor.items(sale)] == [before[1].id]


def test_every_change_of_times_counts(floor: Floor) -> None:
    item = floor.offer()
    assert floor.sale_of(item).timing == 1
    assert floor.save_again(item, name="Other").timing == 1
    assert floor.save_again(item, ends_at=ENDS + HOUR).timing == 2
    assert floor.save_again(item, is_active=False).timing == 3
    assert floor.save_again(item).timing == 3


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        ({"points": 0}, checks.PointsInvalid),
        ({"stock": -1}, checks.NumberInvalid),
        ({"stock": STOCK_MAX + 1}, checks.NumberInvalid),
        ({"cash_minor": -1}, checks.AmountInvalid),
        ({"limit_per_member": 0}, checks.NumberInvalid),
        ({"limit_per_member": QUANTITY_MAX + 1}, checks.NumberInvalid),
        ({"shares": (Share(tier_id=NOBODY, quantity=1),)}, FlashSaleInvalid),
        ({"reward_id": NOBODY}, NotFound),
    ],
)
def test_what_is_wrong_with_an_item_is_told_with_its_place(
    floor: Floor, told: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal) as refused:
        floor.save(floor.terms_of(), floor.terms_of(**told))
    assert refused.value.field is not None  # type: ignore[attr-defined]
    assert refused.value.field[:2] == ("items", "1")  # type: ignore[attr-defined]


def _daily(schedule: Schedule | None = None, local_time: str = "20:00", minutes: int = 60) -> Daily:
    return Daily(schedule=schedule or Schedule(), local_time=local_time, minutes=minutes)


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        ({"name": ""}, checks.TextInvalid),
        ({"code": "x" * 51}, checks.TextInvalid),
        ({"starts_at": ENDS}, WindowInvalid),
        ({"starts_at": OPENS.replace(tzinfo=None)}, WindowInvalid),
        ({"ends_at": ENDS.replace(tzinfo=None)}, WindowInvalid),
        ({"starts_at": START - 2 * HOUR, "ends_at": START}, FlashSaleInvalid),
        ({"pay_minutes": 0}, checks.NumberInvalid),
        ({"pay_minutes": 1441}, checks.NumberInvalid),
        ({"head_starts": (HeadStart(tier_id=NOBODY, minutes=1),)}, NotFound),
        ({"daily": _daily(local_time="8:00")}, FlashSaleInvalid),
        ({"daily": _daily(local_time="24:00")}, FlashSaleInvalid),
        ({"daily": _daily(minutes=0)}, checks.NumberInvalid),
        ({"daily": _daily(minutes=1441)}, checks.NumberInvalid),
        ({"daily": _daily(Schedule(weekdays=(8,)))}, checks.NumberInvalid),
        ({"daily": _daily(Schedule(dates=("13-01",)))}, ScheduleInvalid),
        ({"daily": _daily(Schedule(from_hour=8))}, FlashSaleInvalid),
        # The hour of the sale is not eight in the evening of any day.
        ({"daily": _daily()}, FlashSaleInvalid),
    ],
)
def test_what_is_wrong_with_a_sale_is_told(floor: Floor, told: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        floor.save(floor.terms_of(), **told)


def test_parts_that_contradict_each_other_are_refused(floor: Floor) -> None:
    gold, cup = floor.tier("Gold", 1), floor.reward(1)
    starts = (HeadStart(tier_id=gold, minutes=10),)
    share = Share(tier_id=gold, quantity=6)
    pool = floor.stocked(1)
    voucher = floor.terms(100, kind=RewardKind.VOUCHER, pool_id=pool.id)
    for items, more in (
        ((), {}),
        ((floor.terms_of(cup), floor.terms_of(cup)), {}),
        ((floor.terms_of(cup),), {"head_starts": starts * 2}),
        ((floor.terms_of(cup, shares=(share, share)),), {"head_starts": starts}),
        ((floor.terms_of(cup, stock=5, shares=(share,)),), {"head_starts": starts}),
        ((floor.terms_of(voucher, cash_minor=1),), {}),
    ):
        with pytest.raises((FlashSaleInvalid, checks.NumberInvalid)):
            floor.save(*items, **more)
    with pytest.raises(checks.TooMany):
        floor.save(*(floor.terms_of(cup) for _ in range(51)))
    with pytest.raises(checks.NumberInvalid):
        floor.save(floor.terms_of(cup), head_starts=(HeadStart(tier_id=gold, minutes=10_081),))


# While a round is on.


def test_while_a_round_is_on_nothing_is_taken_away(floor: Floor) -> None:
    gold = floor.tier("Gold", 1)
    share = Share(tier_id=gold, quantity=4)
    item = floor.offer(head_starts=(HeadStart(tier_id=gold, minutes=10),), shares=(share,))
    floor.now = OPENS - 10 * MINUTE
    for terms, more in (
        ({}, {"ends_at": ENDS + HOUR}),
        ({}, {"starts_at": OPENS + MINUTE}),
        ({"shares": ()}, {"head_starts": ()}),
        ({"shares": ()}, {}),
        ({"shares": (Share(tier_id=gold, quantity=5),)}, {}),
        ({"stock": 9}, {}),
    ):
        with pytest.raises(FlashSaleRunning) as refused:
            floor.save_again(item, floor.terms_again(item, **terms), **more)
        assert refused.value.details["until"] == "2026-01-15T14:00:00+08:00"
    floor.save_again(item, floor.terms_again(item, stock=11, points=5, limit_per_member=1), name="Other")
    floor.save_again(item, floor.terms_again(item, stock=11), is_active=False)
    floor.now = ENDS
    floor.save_again(item, floor.terms_again(item, stock=1, shares=()), starts_at=ENDS + HOUR, ends_at=ENDS + 2 * HOUR)


def test_an_item_cannot_be_withdrawn_and_come_back_with_less(floor: Floor) -> None:
    item = floor.offer(stock=5)
    floor.now = OPENS
    floor.save_again(item, floor.terms_of())
    with pytest.raises(FlashSaleRunning):
        floor.save_again(item, floor.terms_again(item, stock=4))
    floor.save_again(item, floor.terms_again(item))


def test_f1_stock_that_is_raised_in_mid_sale_is_there_at_once(floor: Floor) -> None:
    item, member = floor.offer(points=1, stock=1), floor.enroll(10)
    floor.now = OPENS
    floor.claim(member, item)
    with pytest.raises(RoundSoldOut):
        floor.claim(member, item)
    (item,) = floor.items(floor.save_again(item, floor.terms_again(item, stock=2)))
    assert floor.left_for(member, item) == 1
    floor.claim(member, item)
    assert floor.stock(item) == (2, 0, 0)


def test_f1_less_stock_after_a_round_does_not_undo_what_was_sold(floor: Floor) -> None:
    item, member = floor.offer(points=1, stock=5), floor.enroll(10)
    floor.now = OPENS
    claims = [floor.claim(member, item) for _ in range(3)]
    floor.now = ENDS
    floor.save_again(item, floor.terms_again(item, stock=2))
    floor.cancel_of(claims[0])
    assert floor.stock(item) == (2, 0, 3)


def test_a_stopped_sale_goes_on_with_what_it_had(floor: Floor) -> None:
    item, member = floor.offer(points=1, stock=2), floor.enroll(10)
    floor.now = OPENS
    floor.claim(member, item)
    floor.save_again(item, is_active=False)
    floor.save_again(item, is_active=True)
    floor.claim(member, item)
    with pytest.raises(RoundSoldOut):
        floor.claim(member, item)


def test_the_command_is_refused_for_a_reward_of_nobody(floor: Floor) -> None:
    terms = floor.terms_of(reward_id=NOBODY)
    with pytest.raises(NotFound) as refused:
        floor.run(SaveFlashSale(code="a", name="A", starts_at=OPENS, ends_at=ENDS, items=(terms,)))
    assert refused.value.field == ("items", "0", "rewardId")
