"""How groups end that are not filled: members leave, or the time is over."""

from dataclasses import dataclass
from uuid import UUID

from domain import members
from domain.group_deals.deal import GroupDealStock
from domain.group_deals.filling import Place, given_up, places_of, wants_of_others
from domain.group_deals.group import (
    DealGroup,
    DealGroupFailed,
    DealGroupLeft,
    DealSeat,
    GroupFilled,
    GroupRef,
    GroupState,
    NotJoined,
    Seated,
    SeatState,
    expired,
    find,
    seat_id,
    wants_of,
)
from domain.kernel import Command, Decision, Event, State, Want
from domain.members import MemberRef
from domain.points.posting import open_posting, wants_to_draw
from domain.values import changed


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveDealGroup(Command[Seated]):
    """Leave an open group, whoever opened it: the points come back. With the last who leaves the group has failed.

    A frozen member may leave too. Refuses, in this order: an unknown group or member, `NotJoined`,
    `GroupFilled`, `GroupExpired`.
    """

    group: GroupRef
    member: MemberRef

    def wants(self, program_id: UUID) -> tuple[Want, ...]:  # noqa: ARG002
        """The group, whose lock comes before any account's."""
        return wants_of(self.group)

    def decide(self, state: State) -> Decision[Seated]:
        group = find(state, self.group)
        member_id = members.resolve(state, self.member)
        state.need(*wants_to_draw(state, member_id), Want(DealSeat, seat_id(group.id, member_id), is_locked=True))
        posting = open_posting(state, member_id)
        if member_id not in group.member_ids:
            raise NotJoined
        current = group.state_at(state.now)
        if current is GroupState.FILLED:
            assert group.ended_at is not None, "what was filled ended"
            raise GroupFilled(filled_at=group.ended_at.isoformat())
        if current is GroupState.FAILED:
            raise expired(group, state.now)
        place = Place(seat=state.get(DealSeat, seat_id(group.id, member_id)), posting=posting)
        seat = given_up(place, SeatState.LEFT)
        after = changed(group, member_ids=tuple(other for other in group.member_ids if other != member_id))
        left: list[Event] = [DealGroupLeft(member_id=member_id, deal_id=group.deal_id, group_id=group.id)]
        stocks: tuple[GroupDealStock, ...] = ()
        if not after.member_ids:
            after = changed(after, state=GroupState.FAILED, ended_at=state.now, due_at=None)
            stocks = (state.get(GroupDealStock, group.deal_id).moved(held=-group.size),)
            left.append(DealGroupFailed(member_id=member_id, deal_id=group.deal_id, group_id=group.id))
        rows = posting.close()
        return Decision(
            Seated(group=after, seat=seat, account=posting.account),
            save=(*rows, *stocks, after, seat),
            events=(*left, *posting.events),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LapseDealGroup(Command[DealGroup]):
    """The time to fill a group is over: points and units are given back, once. Changes nothing before, or again."""

    group_id: UUID

    def wants(self, program_id: UUID) -> tuple[Want, ...]:  # noqa: ARG002
        """The group, whose lock comes before any account's."""
        return (Want(DealGroup, self.group_id, is_locked=True),)

    def decide(self, state: State) -> Decision[DealGroup]:
        group = state.get(DealGroup, self.group_id)
        if group.due_at is None or group.due_at > state.now:
            return Decision(group)
        state.need(*wants_of_others(state, group))
        # The accounts' own clocks lapse the holds of the points when they are opened.
        places = places_of(state, group, group.member_ids)
        seats = [changed(place.seat, state=SeatState.LAPSED, ended_at=group.lapses_at) for place in places]
        stocks: tuple[GroupDealStock, ...] = ()
        if group.is_open:
            # Else whoever needed the units took them back before.
            stocks = (state.get(GroupDealStock, group.deal_id).moved(held=-group.size),)
        after = changed(group, state=GroupState.FAILED, ended_at=group.lapses_at, due_at=None)
        rows = [row for place in places for row in place.posting.close()]
        failed = [
            DealGroupFailed(member_id=member_id, deal_id=group.deal_id, group_id=group.id)
            for member_id in group.member_ids
        ]
        moved = [event for place in places for event in place.posting.events]
        return Decision(after, save=(*rows, *stocks, after, *seats), events=(*failed, *moved))
