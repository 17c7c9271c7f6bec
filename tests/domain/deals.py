"""A shop with group deals: short words for groups and seats, and what must be true of them after every command."""

from collections import Counter
from typing import Any
from uuid import UUID

from domain.group_deals.deal import GroupDeal, GroupDealStock
from domain.group_deals.editing import CreateGroupDeal, Dealt, UpdateGroupDeal
from domain.group_deals.ending import LapseDealGroup, LeaveDealGroup
from domain.group_deals.group import DealGroup, DealSeat, GroupRef, GroupState, Seated, SeatState, seat_id
from domain.group_deals.joining import JoinDealGroup, OpenDealGroup
from domain.kernel import State
from domain.points.account import Hold, HoldState, PointsAccount
from domain.redemptions.redemption import Redemption, RedemptionOrigin
from domain.rewards.reward import Reward
from tests.domain import invariants
from tests.domain.mall import Mall
from tests.domain.memory import ref


class Deals(Mall):
    """A mall with group deals."""

    def deal(self, reward: Reward | None = None, **told: Any) -> GroupDeal:
        """A deal of a new reward: 60 points in place of 100, for 3 within the hour."""
        offered = reward or self.reward(100)
        given: dict[str, Any] = {"code": f"deal-{self.number}", "name": "Together", "points": 60, "size": 3}
        return self.run(CreateGroupDeal(reward_id=offered.id, **({"minutes": 60} | given | told))).deal

    def edit_deal(self, deal: GroupDeal, **told: Any) -> Dealt:
        return self.run(UpdateGroupDeal(deal_id=deal.id, **told))

    def open(self, member: UUID, deal: GroupDeal, **told: Any) -> Seated:
        return self.run(OpenDealGroup(member=ref(member), deal_id=deal.id, **told))

    def come(self, member: UUID, group: DealGroup, **told: Any) -> Seated:
        """Join a group."""
        return self.run(JoinDealGroup(member=ref(member), group=GroupRef(id=group.id), **told))

    def leave(self, member: UUID, group: DealGroup) -> Seated:
        return self.run(LeaveDealGroup(member=ref(member), group=GroupRef(id=group.id)))

    def fail(self, group: DealGroup) -> DealGroup:
        """Do the clock's work on a group."""
        return self.run(LapseDealGroup(group_id=group.id))

    def group(self, known: DealGroup) -> DealGroup:
        return self.row(DealGroup, known.id)

    def seat(self, group: DealGroup, member: UUID) -> DealSeat:
        return self.row(DealSeat, seat_id(group.id, member))

    def units(self, deal: GroupDeal) -> tuple[int, int, int | None]:
        """Held, sold and left."""
        stock = self.row(GroupDealStock, deal.id)
        return stock.held, stock.sold, stock.left

    def filled(self, deal: GroupDeal, *members: UUID) -> DealGroup:
        """A group of these members."""
        first, *others = members
        group = self.open(first, deal).group
        for member in others:
            self.come(member, group)
        return self.group(group)


def check_groups(state: State) -> Counter[GroupState]:
    """What must be true of groups, seats, units and points after every command. How many groups are in each state."""
    groups = {group.id: group for group in state.rows(DealGroup)}
    seats = state.rows(DealSeat)
    for stock in state.rows(GroupDealStock):
        own = [group for group in groups.values() if group.deal_id == stock.id]
        sizes: Counter[GroupState] = Counter()
        for group in own:
            sizes[group.state] += group.size
        # F1: sold + held + left = units.
        assert (stock.held, stock.sold) == (sizes[GroupState.OPEN], sizes[GroupState.FILLED])
        assert stock.left is None or stock.left >= 0
    for group in groups.values():
        _check_group(state, group, [seat for seat in seats if seat.group_id == group.id])
    _check_holds(state, seats)
    redemptions = [row for row in state.rows(Redemption) if row.origin is RedemptionOrigin.GROUP_DEAL]
    assert sorted(str(row.origin_id) for row in redemptions) == sorted(
        str(seat.id) for seat in seats if seat.state is SeatState.REDEEMED
    ), "a seat has one redemption, and none that was given up"
    return Counter(group.state for group in groups.values())


def _check_group(state: State, group: DealGroup, seats: list[DealSeat]) -> None:
    counted = Counter(seat.state for seat in seats)
    inside = {seat.member_id for seat in seats if seat.is_open or seat.state is SeatState.LAPSED}
    assert inside == set(group.member_ids), "the group and its seats disagree on who is in it"
    match group.state:
        case GroupState.FILLED:
            assert counted[SeatState.REDEEMED] == group.taken == group.size
            assert counted[SeatState.HELD] == counted[SeatState.LAPSED] == 0
            for seat in seats:
                if seat.state is SeatState.REDEEMED:
                    assert seat.redemption_id is not None
                    taken = state.get(Redemption, seat.redemption_id)
                    assert (taken.points, taken.member_id) == (group.points, seat.member_id)
        case GroupState.OPEN:
            assert 0 < counted[SeatState.HELD] == group.taken < group.size
            assert counted[SeatState.REDEEMED] == 0
        case GroupState.FAILED:
            assert counted[SeatState.REDEEMED] == 0
            assert group.taken < group.size


def _check_holds(state: State, seats: tuple[DealSeat, ...]) -> None:
    """Each seat's points are where its state says, and there once."""
    outcomes = {
        SeatState.REDEEMED: (HoldState.CAPTURED,),
        SeatState.LEFT: (HoldState.RELEASED, HoldState.CAPTURED),
        SeatState.DROPPED: (HoldState.RELEASED, HoldState.CAPTURED),
        SeatState.LAPSED: (HoldState.LAPSED, HoldState.RELEASED, HoldState.CAPTURED),
        SeatState.HELD: tuple(HoldState),
    }
    for seat in seats:
        assert state.get(Hold, seat.hold_id).state in outcomes[seat.state]


def check_points(state: State) -> int:
    """Every account's sums, and the replay of it from empty. How many members there are."""
    for account in state.rows(PointsAccount):
        invariants.check_promises(state, account)
    return invariants.replay_members(state)
