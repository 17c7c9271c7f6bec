"""Opening and joining groups: a seat holds its member's points, and the last one makes redemptions of them all."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain import audiences, calendars, codes, members, stores, trade
from domain.group_deals import filling
from domain.group_deals.deal import GroupDeal, GroupDealStock, require_running
from domain.group_deals.filling import Place
from domain.group_deals.group import (
    AlreadyJoined,
    DealGroup,
    DealGroupJoined,
    DealGroupOpened,
    DealSeat,
    GroupFull,
    GroupLimitReached,
    GroupRef,
    GroupState,
    Seated,
    expired,
    find,
    hold_units,
    seat_id,
    wants_of,
)
from domain.kernel import FAMILY, Command, Decision, Refusal, Row, State, Want
from domain.members import MemberRef
from domain.points.posting import Posting, account_wants, open_posting, wants_to_draw
from domain.redemptions import delivering
from domain.rewards.availability import NotInAudience
from domain.rewards.reward import Reward
from domain.rewards.standing import standing_for
from domain.stores import Channel
from domain.values import changed
from domain.vouchers import issuing

GROUP_CODE_LENGTH: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coming(Command[Seated]):
    """Who comes into a group, and where."""

    member: MemberRef
    channel: Channel = Channel.ONLINE
    store_id: UUID | None = None

    def _admitted(self, posting: Posting, deal: GroupDeal, points: int) -> tuple[Row, ...]:
        """The rows that count the points where rules for redeeming ask for it. Refuses whoever may not come in."""
        state = posting.state
        reward = state.get(Reward, deal.reward_id)
        for refusal in _obstacles(posting, deal, reward):
            raise refusal
        store = stores.open_store(state, self.store_id)
        if store is not None:
            delivering.require_store(state, reward, store)
        today = calendars.local_date(state.now, posting.program.time_zone)
        return trade.redeem(state, store, self.channel, points, today)

    def _place(self, posting: Posting, group: DealGroup, *, is_opener: bool) -> Place:
        """A seat that holds the member's points. Refuses what spending does."""
        state = posting.state
        hold = posting.hold(group.points, reference=f"group {group.id}", lapses_at=group.lapses_at)
        seat = DealSeat(
            id=seat_id(group.id, posting.account.id),
            program_id=state.program_id,
            member_id=posting.account.id,
            group_id=group.id,
            deal_id=group.deal_id,
            is_opener=is_opener,
            hold_id=hold.id,
            channel=self.channel,
            store_id=self.store_id,
            joined_at=state.now,
            lapses_at=group.lapses_at,
            actor=state.actor,
        )
        return Place(seat=seat, posting=posting)


def _obstacles(posting: Posting, deal: GroupDeal, reward: Reward) -> Iterator[Refusal]:
    """What keeps a member out of a deal's groups, in the order in which it is told."""
    state, account = posting.state, posting.account
    require_running(deal, reward, state.now)
    standing = standing_for(state, account, (deal.audience,), posting.program.time_zone)
    why = audiences.keeps_out(deal.audience, account.tier_id, standing.tags, standing.segments)
    if why is not None:
        yield NotInAudience(why=why, expected=audiences.expected(deal.audience, why))
    if deal.limit_per_member is not None:
        seats = [seat for seat in state.all(DealSeat, of=account.id) if seat.deal_id == deal.id]
        taken = sum(1 for seat in seats if seat.counts_at(state.now))
        if taken >= deal.limit_per_member:
            yield GroupLimitReached(limit=deal.limit_per_member, taken=taken)
    if reward.pool_id is not None:
        yield from issuing.in_the_way(state, reward.pool_id, account.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDealGroup(_Coming):
    """Open a group: the member takes its first seat, and units are held for all of them.

    Refuses, in this order: an unknown deal or member, a frozen member, `DealNotOpen`, `NotEligible`,
    `GroupLimitReached`, what is in the way of a voucher, an unknown or closed store or one where the reward
    cannot be had, what rules for redeeming here refuse, `SoldOut`, and what spending refuses.
    """

    deal_id: UUID

    def wants(self, program_id: UUID) -> tuple[Want, ...]:  # noqa: ARG002
        """The units, whose lock comes before any account's."""
        return Want(GroupDealStock, self.deal_id, is_locked=True), *account_wants(self.member)

    def decide(self, state: State) -> Decision[Seated]:
        deal = state.get(GroupDeal, self.deal_id)
        member_id = members.resolve(state, self.member)
        state.need(
            Want(GroupDealStock, deal.id, is_locked=True),
            *wants_to_draw(state, member_id),
            Want(trade.TradeRule, state.program_id, FAMILY),
        )
        posting = open_posting(state, member_id)
        posting.require_active()
        limited = self._admitted(posting, deal, deal.points)
        stock, failed = hold_units(state, deal.id, deal.size)
        lapses_at = deal.deadline(state.now)
        group = DealGroup(
            id=state.new_id(),
            program_id=state.program_id,
            deal_id=deal.id,
            code=codes.made(state.new_seed(), GROUP_CODE_LENGTH),
            reward_id=deal.reward_id,
            points=deal.points,
            size=deal.size,
            member_ids=(member_id,),
            opened_at=state.now,
            lapses_at=lapses_at,
            due_at=lapses_at,
        )
        place = self._place(posting, group, is_opener=True)
        rows = posting.close()
        opened = DealGroupOpened(member_id=member_id, deal_id=deal.id, group_id=group.id)
        return Decision(
            Seated(group=group, seat=place.seat, account=posting.account),
            save=(*rows, *limited, stock, *failed, group, place.seat),
            events=(opened, *posting.events),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinDealGroup(_Coming):
    """Join a group. With the last seat, in this very command, all holds are captured and all redemptions made.

    Whoever cannot take the reward then (`filling.may_take`) is dropped, and the group waits for others.
    Refuses, in this order: an unknown group or member, a frozen member, `AlreadyJoined`, `GroupFull`,
    `GroupExpired`, and then what opening refuses but `SoldOut`.
    """

    group: GroupRef

    def wants(self, program_id: UUID) -> tuple[Want, ...]:  # noqa: ARG002
        """The group, whose lock comes before any account's."""
        return wants_of(self.group)

    def decide(self, state: State) -> Decision[Seated]:
        group = find(state, self.group)
        member_id = members.resolve(state, self.member)
        own_id = seat_id(group.id, member_id)
        state.need(
            Want(GroupDeal, group.deal_id),
            *wants_to_draw(state, member_id),
            Want(DealSeat, own_id, is_locked=True),
            Want(trade.TradeRule, state.program_id, FAMILY),
            *(filling.wants_of_others(state, group) if group.missing == 1 else ()),
        )
        posting = open_posting(state, member_id)
        posting.require_active()
        before = state.find(DealSeat, own_id)
        _require_joinable(state, group, member_id)
        limited = self._admitted(posting, state.get(GroupDeal, group.deal_id), group.points)
        place = self._place(posting, group, is_opener=before is not None and before.is_opener)
        after = changed(group, member_ids=(*group.member_ids, member_id))
        joined = DealGroupJoined(
            member_id=member_id, deal_id=group.deal_id, group_id=group.id, taken=after.taken, size=group.size
        )
        if after.missing:
            rows = (*posting.close(), place.seat, after)
            seated = Seated(group=after, seat=place.seat, account=posting.account)
            return Decision(seated, save=(*limited, *rows), events=(joined, *posting.events))
        full = filling.fill(state, after, place)
        seated = Seated(group=full.group, seat=full.seat, account=posting.account)
        return Decision(seated, save=(*limited, *full.save), events=(joined, *full.events))


def _require_joinable(state: State, group: DealGroup, member_id: UUID) -> None:
    """Refuses `AlreadyJoined`, `GroupFull` and `GroupExpired`."""
    current = group.state_at(state.now)
    if member_id in group.member_ids and current is not GroupState.FAILED:
        raise AlreadyJoined(size=group.size, taken=group.taken)
    if current is GroupState.FILLED:
        assert group.ended_at is not None, "what was filled ended"
        raise GroupFull(size=group.size, filled_at=group.ended_at.isoformat())
    if current is GroupState.FAILED:
        raise expired(group, state.now)
