"""Lives of group deals from seeds: after every command units, seats, holds and points agree (F1, L2)."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from domain.group_deals.deal import GroupDeal
from domain.group_deals.group import DealGroup, GroupState, Seated
from domain.kernel import Refusal
from domain.points.account import Hold, HoldState
from tests.domain.deals import Deals, check_groups, check_points

COUNT = 260
# What happens in such a life, whatever the seed.
REFUSALS = {
    "ALREADY_JOINED",
    "GROUP_EXPIRED",
    "GROUP_FULL",
    "INSUFFICIENT_POINTS",
    "LIMIT_REACHED",
    "MEMBER_FROZEN",
    "SOLD_OUT",
}


class Life:
    """Members who come and go, a clock that is late or punctual, and staff that edits."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.shop = Deals()
        self.members = [
            self.shop.enroll(points) for points in (40, 130, 200, 400, 400, 900, 900, 900, 900, 2000, 2000, 2000)
        ]
        self.deals = [
            self.shop.deal(units=7, limit_per_member=2),
            self.shop.deal(size=2, minutes=10),
            self.shop.deal(size=4, points=50, units=40, minutes=30),
        ]
        self.groups: list[DealGroup] = []
        self.refused: Counter[str] = Counter()

    def live(self) -> Counter[GroupState]:
        deeds = (self.open, *(self.join,) * 9, self.leave, self.fail, self.freeze, self.edit, self.end_hold, self.earn)
        for _ in range(COUNT):
            self.shop.now += timedelta(seconds=self.random.choice((1, 5, 20, 60, 500)))
            self.try_to(self.random.choice(deeds))
            check_groups(self.shop.state)
        return check_groups(self.shop.state)

    def try_to(self, deed: Callable[[], object]) -> None:
        try:
            done = deed()
        except Refusal as refusal:
            self.refused[refusal.code] += 1
        else:
            if isinstance(done, Seated) and done.group not in self.groups:
                self.groups.append(done.group)

    def someone(self) -> UUID:
        return self.random.choice(self.members)

    def some_deal(self) -> GroupDeal:
        return self.random.choice(self.deals)

    def some_group(self) -> DealGroup:
        """Mostly one of the latest."""
        if not self.groups:
            return self.shop.open(self.members[-1], self.deals[0]).group
        return self.random.choice(self.groups[-3:] if self.random.random() < 0.8 else self.groups)

    def open(self) -> object:
        return self.shop.open(self.someone(), self.some_deal())

    def join(self) -> object:
        return self.shop.come(self.someone(), self.some_group())

    def leave(self) -> object:
        return self.shop.leave(self.someone(), self.some_group())

    def fail(self) -> object:
        return self.shop.fail(self.some_group())

    def freeze(self) -> object:
        return self.shop.freeze(self.someone(), is_frozen=self.random.random() < 0.3)

    def edit(self) -> object:
        size, units = self.random.choice((2, 3)), self.random.choice((None, None, 10, 30))
        return self.shop.edit_deal(self.some_deal(), size=size, units=units)

    def earn(self) -> object:
        return self.shop.adjust(self.someone(), 60)

    def end_hold(self) -> object:
        """By hand, as a shop may."""
        holds = [hold for hold in self.shop.state.rows(Hold) if hold.state is HoldState.HELD]
        if not holds or self.random.random() < 0.7:
            return None
        return self.random.choice((self.shop.release, self.shop.capture))(self.random.choice(holds).id)


@pytest.mark.parametrize("seed", range(6))
def test_f1_units_seats_and_points_agree_after_every_command(seed: int) -> None:
    life = Life(seed)
    life.live()
    assert check_points(life.shop.state) == len(life.members)
    # Once the clock has done its work, nothing of any group is left held.
    life.shop.later(days=1)
    for group in life.shop.state.rows(DealGroup):
        life.shop.fail(group)
    for member in life.members:
        life.shop.settle(member)
    assert check_groups(life.shop.state)[GroupState.OPEN] == 0
    assert {life.shop.figures(member)[2] for member in life.members} == {0}
    assert {life.shop.units(deal)[0] for deal in life.deals} == {0}


def test_such_lives_are_rich() -> None:
    refused: Counter[str] = Counter()
    states: Counter[GroupState] = Counter()
    for seed in range(3):
        life = Life(seed)
        states += life.live()
        refused += life.refused
    assert min(states[GroupState.FILLED], states[GroupState.FAILED]) > 5
    assert set(refused) >= REFUSALS
