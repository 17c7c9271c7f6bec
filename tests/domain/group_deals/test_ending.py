"""How groups end: filled or not by whoever cannot take the reward, left, or failed by the clock alone."""

from datetime import timedelta

import pytest

from domain.group_deals.deal import GroupDealStock
from domain.group_deals.group import (
    DealGroupFailed,
    DealGroupLeft,
    GroupExpired,
    GroupFilled,
    GroupState,
    NotJoined,
    SeatState,
)
from domain.redemptions.redemption import Redemption, RedemptionState
from domain.rewards.reward import RewardKind
from domain.vouchers.commands import GrantVoucher
from domain.vouchers.pool import PoolEmpty
from domain.vouchers.voucher import Voucher, VoucherLimitReached
from tests.domain.deals import Deals, check_groups, check_points
from tests.domain.memory import ref


@pytest.fixture
def shop() -> Deals:
    return Deals()


# Whoever cannot take the reward when the group would be filled.


def test_a_frozen_member_is_dropped_when_the_group_would_be_filled(shop: Deals) -> None:
    """It neither spends nor keeps the others from it: its points come back, and the group waits for another."""
    members, deal = [shop.enroll(60) for _ in range(4)], shop.deal(units=3)
    group = shop.open(members[0], deal).group
    shop.come(members[1], group)
    shop.freeze(members[0])
    waiting = shop.come(members[2], group)
    assert (waiting.group.state, waiting.group.member_ids) == (GroupState.OPEN, (members[1], members[2]))
    assert waiting.seat.state is SeatState.HELD
    assert shop.seat(group, members[0]).state is SeatState.DROPPED
    assert shop.figures(members[0]) == (60, 0, 0, 0)
    assert DealGroupLeft(member_id=members[0], deal_id=deal.id, group_id=group.id, is_dropped=True) in shop.events
    assert shop.units(deal) == (3, 0, 0)
    # Unfrozen it may come back, to its own seat.
    shop.freeze(members[0], is_frozen=False)
    full = shop.come(members[0], group)
    assert (full.group.state, full.seat.is_opener) == (GroupState.FILLED, True)
    assert full.group.member_ids == (members[1], members[2], members[0])
    check_groups(shop.state)
    check_points(shop.state)


@pytest.mark.parametrize("ending", ["released", "captured"])
def test_a_seat_whose_points_are_no_longer_held_is_dropped(shop: Deals, ending: str) -> None:
    """The shop may have ended the hold by hand: nothing is given back twice."""
    members, deal = [shop.enroll(60) for _ in range(3)], shop.deal(size=2)
    seated = shop.open(members[0], deal)
    (shop.release if ending == "released" else shop.capture)(seated.seat.hold_id)
    waiting = shop.come(members[1], seated.group)
    assert waiting.group.member_ids == (members[1],)
    assert shop.figures(members[0]) == (60 if ending == "released" else 0, 0, 0, 0)
    assert shop.come(members[2], seated.group).group.state is GroupState.FILLED
    check_groups(shop.state)
    check_points(shop.state)


def test_a_group_whose_points_another_clock_gave_back_has_expired(shop: Deals) -> None:
    """A process whose clock is ahead may have lapsed a member's hold: then nobody's is captured."""
    members, deal = [shop.enroll(60) for _ in range(2)], shop.deal(size=2)
    group = shop.open(members[0], deal).group
    shop.later(minutes=60)
    shop.settle(members[0])
    shop.now -= timedelta(minutes=1)
    with pytest.raises(GroupExpired) as refused:
        shop.come(members[1], group)
    assert refused.value.details == {"size": 2, "taken": 1, "ended_at": group.lapses_at.isoformat()}
    assert [shop.figures(member) for member in members] == [(60, 0, 0, 0)] * 2


def test_vouchers_of_a_pool_are_handed_out_to_all_at_once(shop: Deals) -> None:
    pool = shop.stocked(3)
    deal = shop.deal(shop.terms(100, kind=RewardKind.VOUCHER, pool_id=pool.id))
    members = [shop.enroll(60) for _ in range(3)]
    group = shop.filled(deal, *members)
    vouchers = shop.state.rows(Voucher)
    assert [voucher.member_id for voucher in vouchers] == members
    assert len({voucher.code for voucher in vouchers}) == 3
    for member in members:
        redemption_id = shop.seat(group, member).redemption_id
        assert redemption_id is not None
        assert shop.row(Redemption, redemption_id).state is RedemptionState.FULFILLED
    found = shop.row(type(pool), pool.id)
    assert (found.left, found.given) == (0, 3)


def test_a_pool_that_ran_out_keeps_the_last_out_and_the_group_open(shop: Deals) -> None:
    pool = shop.stocked(2)
    deal = shop.deal(shop.terms(100, kind=RewardKind.VOUCHER, pool_id=pool.id))
    members = [shop.enroll(60) for _ in range(3)]
    group = shop.filled(deal, *members[:2])
    with pytest.raises(PoolEmpty):
        shop.come(members[2], group)
    assert shop.group(group).taken == 2


def test_a_voucher_s_limit_keeps_its_own_member_out_and_nobody_else(shop: Deals) -> None:
    pool = shop.pool(limit=1)
    deal = shop.deal(shop.terms(100, kind=RewardKind.VOUCHER, pool_id=pool.id), size=2)
    had, first, second = shop.enroll(60), shop.enroll(60), shop.enroll(60)
    group = shop.open(had, deal).group
    shop.run(GrantVoucher(pool_id=pool.id, member=ref(had)))
    assert shop.come(first, group).group.member_ids == (first,)
    assert shop.seat(group, had).state is SeatState.DROPPED
    with pytest.raises(VoucherLimitReached):
        shop.come(had, group)
    assert shop.come(second, group).group.state is GroupState.FILLED


# Leaving, and the clock.


def test_who_leaves_an_open_group_has_its_points_back(shop: Deals) -> None:
    members, deal = [shop.enroll(60) for _ in range(3)], shop.deal(units=3)
    group = shop.open(members[0], deal).group
    shop.come(members[1], group)
    left = shop.leave(members[0], group)
    assert (left.group.state, left.group.member_ids, left.seat.state) == (
        GroupState.OPEN,
        (members[1],),
        SeatState.LEFT,
    )
    assert (left.account.available, left.account.held) == (60, 0)
    assert shop.events == (DealGroupLeft(member_id=members[0], deal_id=deal.id, group_id=group.id),)
    with pytest.raises(NotJoined):
        shop.leave(members[0], group)
    # Whoever comes back takes its own seat again.
    again = shop.come(members[0], group)
    assert again.seat.id == left.seat.id
    assert shop.come(members[2], group).group.state is GroupState.FILLED
    check_groups(shop.state)


def test_a_frozen_member_may_leave(shop: Deals) -> None:
    member, deal = shop.enroll(60), shop.deal()
    group = shop.open(member, deal).group
    shop.freeze(member)
    assert shop.leave(member, group).account.available == 60


def test_with_the_last_who_leaves_a_group_has_failed(shop: Deals) -> None:
    member, deal = shop.enroll(60), shop.deal(units=3)
    group = shop.open(member, deal).group
    shop.later(minutes=1)
    left = shop.leave(member, group)
    assert (left.group.state, left.group.ended_at, left.group.due_at) == (GroupState.FAILED, shop.now, None)
    assert shop.units(deal) == (0, 0, 3)
    assert shop.events[1] == DealGroupFailed(member_id=member, deal_id=deal.id, group_id=group.id)
    with pytest.raises(GroupExpired) as refused:
        shop.come(shop.enroll(60), group)
    assert refused.value.details == {"size": 3, "taken": 0, "ended_at": shop.now.isoformat()}
    assert shop.fail(group) == left.group


def test_nobody_leaves_a_filled_group(shop: Deals) -> None:
    members, deal = [shop.enroll(60) for _ in range(2)], shop.deal(size=2)
    group = shop.filled(deal, *members)
    with pytest.raises(GroupFilled):
        shop.leave(members[0], group)
    with pytest.raises(NotJoined):
        shop.leave(shop.enroll(), group)


def test_the_clock_s_work_gives_back_once_and_tells_everybody(shop: Deals) -> None:
    members, deal = [shop.enroll(60) for _ in range(2)], shop.deal(units=3)
    group = shop.open(members[0], deal).group
    shop.come(members[1], group)
    assert shop.fail(group) == shop.group(group)
    assert shop.group(group).state is GroupState.OPEN
    shop.later(minutes=60)
    failed = shop.fail(group)
    assert (failed.state, failed.ended_at, failed.due_at) == (GroupState.FAILED, group.lapses_at, None)
    assert failed.member_ids == tuple(members)
    assert shop.units(deal) == (0, 0, 3)
    assert [shop.figures(member) for member in members] == [(60, 0, 0, 0)] * 2
    assert [shop.seat(group, member).state for member in members] == [SeatState.LAPSED] * 2
    assert [event for event in shop.events if isinstance(event, DealGroupFailed)] == [
        DealGroupFailed(member_id=member, deal_id=deal.id, group_id=group.id) for member in members
    ]
    before = shop.transactions(members[0])
    assert shop.fail(group) == failed
    assert shop.events == ()
    assert shop.transactions(members[0]) == before
    assert shop.row(GroupDealStock, deal.id).held == 0
    check_groups(shop.state)
    check_points(shop.state)


def test_from_its_deadline_on_a_group_has_failed_without_any_clock(shop: Deals) -> None:
    """For every command: whatever the worker has not done yet."""
    members, deal = [shop.enroll(60) for _ in range(3)], shop.deal(units=3)
    group = shop.open(members[0], deal).group
    shop.come(members[1], group)
    shop.later(minutes=60)
    for refused_one in (members[2], members[1]):
        with pytest.raises(GroupExpired) as refused:
            shop.come(refused_one, group)
        assert refused.value.details == {"size": 3, "taken": 2, "ended_at": group.lapses_at.isoformat()}
    with pytest.raises(GroupExpired):
        shop.leave(members[0], group)
    assert shop.group(group).state_at(shop.now) is GroupState.FAILED
    assert shop.seat(group, members[0]).state_at(shop.now) is SeatState.LAPSED
    # Points and units are there for whatever comes next.
    assert shop.spend(members[0], 60).account.available == 0
    assert shop.open(members[1], deal).group.state is GroupState.OPEN
    assert shop.units(deal) == (3, 0, 0)
    check_groups_but_late(shop, group)


def check_groups_but_late(shop: Deals, late: object) -> None:
    """What holds once the clock's work is done."""
    assert shop.fail(late).due_at is None  # type: ignore[arg-type]
    check_groups(shop.state)
    check_points(shop.state)
