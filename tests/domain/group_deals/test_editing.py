"""Group deals as staff sets and edits them."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.checks import NumberInvalid, PointsInvalid, TextInvalid
from domain.group_deals.deal import DealCodeTaken, GroupDeal, GroupDealSaved, GroupDealStock, UnitsInUse
from domain.group_deals.editing import CreateGroupDeal, DealBound
from domain.kernel import NotFound
from domain.rewards.reward import WindowInvalid
from tests.domain.deals import Deals
from tests.domain.memory import START


@pytest.fixture
def shop() -> Deals:
    return Deals()


def test_a_deal_is_what_was_told(shop: Deals) -> None:
    reward = shop.reward(100)
    ends_at = START + timedelta(days=7)
    deal = shop.deal(reward, code=" tea ", name=" Tea for three ", units=30, limit_per_member=2, ends_at=ends_at)
    assert (deal.code, deal.name, deal.reward_id, deal.points, deal.size, deal.minutes) == (
        "tea",
        "Tea for three",
        reward.id,
        60,
        3,
        60,
    )
    assert (deal.limit_per_member, deal.ends_at, deal.is_active) == (2, ends_at, True)
    assert shop.row(GroupDealStock, deal.id) == GroupDealStock(id=deal.id, program_id=deal.program_id, units=30)
    assert shop.events == (GroupDealSaved(deal_id=deal.id),)


@pytest.mark.parametrize(
    ("told", "refusal", "field"),
    [
        ({"size": 1}, NumberInvalid, "size"),
        ({"size": 51}, NumberInvalid, "size"),
        ({"points": 0}, PointsInvalid, "points"),
        ({"minutes": 0}, NumberInvalid, "minutes"),
        ({"minutes": 43_201}, NumberInvalid, "minutes"),
        ({"limit_per_member": 0}, NumberInvalid, "limitPerMember"),
        ({"units": -1}, NumberInvalid, "units"),
        ({"name": " "}, TextInvalid, "name"),
        ({"starts_at": START, "ends_at": START}, WindowInvalid, "endsAt"),
        ({"starts_at": datetime(2026, 1, 1)}, WindowInvalid, "startsAt"),  # noqa: DTZ001 - without a zone is the point
    ],
)
def test_what_is_out_of_bounds_is_refused_with_its_field(
    shop: Deals, told: dict[str, object], refusal: type[Exception], field: str
) -> None:
    with pytest.raises(refusal) as refused:
        shop.deal(**told)
    assert refused.value.field == (field,)  # type: ignore[attr-defined]


def test_a_code_is_one_deal_s_own_and_a_reward_is_known(shop: Deals) -> None:
    shop.deal(code="tea")
    with pytest.raises(DealCodeTaken, match="'tea'"):
        shop.deal(code="tea")
    with pytest.raises(NotFound):
        shop.run(CreateGroupDeal(code="x", name="x", reward_id=UUID(int=1), points=1, size=2, minutes=1))


def test_an_edit_changes_what_is_told_and_lifts_bounds(shop: Deals) -> None:
    deal = shop.deal(units=9, limit_per_member=1, ends_at=START + timedelta(days=1))
    edited = shop.edit_deal(deal, name="Two", size=2, points=70, minutes=30)
    assert edited.deal == replace(deal, name="Two", size=2, points=70, minutes=30)
    assert edited.stock.units == 9
    lifted = shop.edit_deal(deal, lifts=tuple(DealBound))
    assert (lifted.deal.limit_per_member, lifted.deal.ends_at, lifted.stock.units) == (None, None, None)


def test_an_open_group_stays_what_it_was_opened_with(shop: Deals) -> None:
    deal, members = shop.deal(), [shop.enroll(100) for _ in range(3)]
    group = shop.open(members[0], deal).group
    shop.edit_deal(deal, points=99, size=5, minutes=1)
    shop.come(members[1], group)
    full = shop.come(members[2], group).group
    assert (full.points, full.size, full.lapses_at) == (60, 3, START + timedelta(minutes=60))
    assert [shop.figures(member)[0] for member in members] == [40, 40, 40]


def test_units_are_never_fewer_than_sold_and_held(shop: Deals) -> None:
    deal, members = shop.deal(units=9), [shop.enroll(100) for _ in range(4)]
    shop.filled(deal, *members[:3])
    group = shop.open(members[3], deal).group
    with pytest.raises(UnitsInUse) as refused:
        shop.edit_deal(deal, units=5)
    assert refused.value.details == {"units": 5, "sold": 3, "held": 3}
    shop.edit_deal(deal, units=6)
    assert shop.units(deal) == (3, 3, 0)
    # What failed is free, whether or not the clock's work was done.
    shop.later(minutes=60)
    shop.edit_deal(deal, units=3)
    assert shop.units(deal) == (0, 3, 0)
    assert shop.fail(group).due_at is None
    assert shop.units(deal) == (0, 3, 0)


def test_a_deal_runs_within_its_window() -> None:
    deal = GroupDeal(
        id=UUID(int=1),
        program_id=UUID(int=2),
        code="x",
        name="x",
        reward_id=UUID(int=3),
        points=1,
        size=2,
        minutes=60,
        starts_at=START,
        ends_at=START + timedelta(minutes=90),
        created_at=START,
    )
    before, last = START - timedelta(microseconds=1), START + timedelta(minutes=90)
    assert [deal.is_running(at) for at in (before, START, last)] == [False, True, False]
    assert deal.deadline(START) == START + timedelta(minutes=60)
    assert deal.deadline(START + timedelta(minutes=31)) == last
