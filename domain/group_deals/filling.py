"""Filling a group: every hold is captured and every redemption made, all in the command of whoever came last."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.gathering import each
from domain.group_deals.deal import GroupDealStock
from domain.group_deals.group import (
    DealGroup,
    DealGroupFilled,
    DealGroupLeft,
    DealSeat,
    GroupState,
    SeatState,
    expired,
    seat_id,
)
from domain.kernel import Event, Row, State, Want
from domain.points.account import AccountStatus, HoldState
from domain.points.posting import Posting, open_posting, wants_to_settle
from domain.redemptions import handing
from domain.redemptions.handing import Beginning
from domain.redemptions.redemption import RedemptionOrigin, RewardRedeemed
from domain.rewards.reward import Reward
from domain.values import changed
from domain.vouchers import issuing
from domain.vouchers.pool import VoucherPool
from domain.vouchers.voucher import VoucherLimitReached


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A seat, and what is done to its member's account."""

    seat: DealSeat
    posting: Posting


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """A group that came to its last seat, that seat, and all that is to be saved and told."""

    group: DealGroup
    seat: DealSeat
    save: tuple[Row, ...]
    events: tuple[Event, ...]


def wants_of_others(state: State, group: DealGroup) -> tuple[Want, ...]:
    """The accounts of everybody in a group, to be locked together in the order of their ids (L12), and their seats."""
    return tuple(
        want
        for member_id in group.member_ids
        for want in (
            *wants_to_settle(state.program_id, member_id),
            Want(DealSeat, seat_id(group.id, member_id), is_locked=True),
        )
    )


def places_of(state: State, group: DealGroup, member_ids: Sequence[UUID]) -> list[Place]:
    """Seats of a group, and the accounts of their members, opened."""
    return each(member_ids, lambda member_id: _place(state, group, member_id))


def _place(state: State, group: DealGroup, member_id: UUID) -> Place:
    posting = open_posting(state, member_id)
    return Place(seat=state.get(DealSeat, seat_id(group.id, member_id)), posting=posting)


def fill(state: State, group: DealGroup, last: Place) -> Full:
    """End a group of which `last` is the last to come; or drop whoever cannot take the reward, and wait for others.

    Refuses `GroupExpired` if the clock of another process has given points back already, and what is in the
    way of its vouchers.
    """
    reward = state.get(Reward, group.reward_id)
    before = changed(group, member_ids=group.member_ids[:-1])
    others = places_of(state, before, before.member_ids)
    ready = each(others, lambda place: may_take(place, before, reward))
    dropped = [place for place, is_ready in zip(others, ready, strict=True) if not is_ready]
    if dropped:
        return _waiting(group, last, dropped)
    return _filled(state, group, reward, (*others, last))


def may_take(place: Place, group: DealGroup, reward: Reward) -> bool:
    """Whether a member can take the reward: it is not frozen, its points are still held, and its vouchers no limit.

    Refuses `GroupExpired` where the clock has lapsed the hold.
    """
    posting = place.posting
    hold = posting.find_hold(place.seat.hold_id)
    if hold.state is HoldState.LAPSED:
        raise expired(group, group.lapses_at)
    if posting.account.status is AccountStatus.FROZEN or not hold.is_open:
        return False
    if reward.pool_id is None:
        return True
    in_the_way = issuing.in_the_way(posting.state, reward.pool_id, posting.account.id)
    return not any(isinstance(refusal, VoucherLimitReached) for refusal in in_the_way)


def _waiting(group: DealGroup, last: Place, dropped: Sequence[Place]) -> Full:
    """The group without those who are dropped; their points come back."""
    gone = {place.posting.account.id for place in dropped}
    group = changed(group, member_ids=tuple(member_id for member_id in group.member_ids if member_id not in gone))
    seats = each(dropped, lambda place: given_up(place, SeatState.DROPPED))
    rows = [row for place in (*dropped, last) for row in place.posting.close()]
    left = [
        DealGroupLeft(member_id=seat.member_id, deal_id=group.deal_id, group_id=group.id, is_dropped=True)
        for seat in seats
    ]
    moved = [event for place in (*dropped, last) for event in place.posting.events]
    return Full(group=group, seat=last.seat, save=(*rows, *seats, last.seat, group), events=(*left, *moved))


def given_up(place: Place, state: SeatState) -> DealSeat:
    """A seat that is given up; its points come back, if they are still held."""
    hold = place.posting.find_hold(place.seat.hold_id)
    if hold.is_open:
        place.posting.release(hold)
    return changed(place.seat, state=state, ended_at=place.posting.state.now)


def _filled(state: State, group: DealGroup, reward: Reward, places: Sequence[Place]) -> Full:
    stock = state.get(GroupDealStock, group.deal_id).moved(held=-group.size, sold=group.size)
    group = changed(group, state=GroupState.FILLED, ended_at=state.now, due_at=None)
    pool = None if reward.pool_id is None else state.get(VoucherPool, reward.pool_id)
    if pool is not None:
        state.need(*issuing.wants_of_codes(pool, len(places)))
    spent = each(places, _captured)
    # By id, for each voucher that is given leaves the pool anew.
    rows: dict[UUID, Row] = {}
    seats: list[DealSeat] = []
    events: list[Event] = []
    for place, transaction_id in zip(places, spent, strict=True):
        seat = place.seat
        beginning = Beginning(
            origin=RedemptionOrigin.GROUP_DEAL,
            origin_id=seat.id,
            points=group.points,
            transaction_id=transaction_id,
            channel=seat.channel,
            store_id=seat.store_id,
        )
        redemption, made = handing.begin(state, seat.member_id, reward, beginning, pool=pool)
        rows.update({row.id: row for row in made})
        pool = next((row for row in made if isinstance(row, VoucherPool)), pool)
        seats.append(changed(seat, state=SeatState.REDEEMED, redemption_id=redemption.id, ended_at=state.now))
        events.extend(_told(group, seat.member_id, redemption.id))
    moved = [row for place in places for row in place.posting.close()]
    events.extend(event for place in places for event in place.posting.events)
    return Full(group=group, seat=seats[-1], save=(*moved, *rows.values(), stock, group, *seats), events=tuple(events))


def _captured(place: Place) -> UUID:
    """Spend what a seat holds; the transaction that did."""
    hold = place.posting.find_hold(place.seat.hold_id)
    _, transaction = place.posting.capture(hold, hold.amount)
    return transaction.id


def _told(group: DealGroup, member_id: UUID, redemption_id: UUID) -> tuple[Event, ...]:
    return (
        DealGroupFilled(member_id=member_id, deal_id=group.deal_id, group_id=group.id, redemption_id=redemption_id),
        RewardRedeemed(
            member_id=member_id,
            redemption_id=redemption_id,
            reward_id=group.reward_id,
            quantity=1,
            points=group.points,
        ),
    )
