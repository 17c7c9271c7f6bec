"""A group that fills up before its deadline, and the seats in it, each of which holds its member's points."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain import codes
from domain.group_deals.deal import GroupDealStock
from domain.kernel import Event, Refusal, Row, State, Want, derived_id
from domain.points.account import Hold, PointsAccount
from domain.rewards.stock import SoldOut
from domain.stores import Channel
from domain.values import changed


class GroupState(StrEnum):
    """Where a group is in its life."""

    OPEN = "OPEN"  # it waits for members
    FILLED = "FILLED"  # everybody's points were spent, and everybody has the reward
    FAILED = "FAILED"  # its time was over, or everybody left; all points came back


class SeatState(StrEnum):
    """Where a seat is in its life."""

    HELD = "HELD"  # points are set aside
    REDEEMED = "REDEEMED"  # the group was filled
    LEFT = "LEFT"  # the member left before
    DROPPED = "DROPPED"  # when the group would have been filled, the member could not take the reward
    LAPSED = "LAPSED"  # the group failed


@dataclass(frozen=True, slots=True, kw_only=True)
class DealGroup(Row):
    """Members who want a deal's reward together. What it was opened with is its own: reward, points, size, deadline.

    `member_ids` are those in it, in the order in which they joined. Units for all its seats are held from its
    opening on, so that whoever finds a seat finds a unit too. From `lapses_at` on, an open group has failed
    for everybody, whether or not the clock's work was done yet; `due_at` stands until it is.
    """

    parent: ClassVar[str | None] = "deal_id"
    guard: ClassVar[type[Row] | None] = GroupDealStock
    keys: ClassVar[tuple[str, ...]] = ("code",)

    deal_id: UUID
    # Told to friends: whoever has it joins.
    code: str
    reward_id: UUID
    points: int
    size: int
    member_ids: tuple[UUID, ...]
    state: GroupState = GroupState.OPEN
    opened_at: datetime
    lapses_at: datetime
    # When it was filled, or failed.
    ended_at: datetime | None = None
    due_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether its units are still held."""
        return self.state is GroupState.OPEN

    @property
    def taken(self) -> int:
        """How many seats are taken."""
        return len(self.member_ids)

    @property
    def missing(self) -> int:
        """How many more are needed."""
        return self.size - self.taken

    def state_at(self, now: datetime) -> GroupState:
        """The state as it is at an instant, whether or not the clock's work was done yet."""
        return GroupState.FAILED if self.is_open and self.lapses_at <= now else self.state

    def ended_by(self, now: datetime) -> datetime | None:
        """When it was filled or failed, as of an instant."""
        return self.lapses_at if self.is_open and self.lapses_at <= now else self.ended_at


@dataclass(frozen=True, slots=True, kw_only=True)
class DealSeat(Row):
    """A member's seat in a group: one for both, whose id comes of theirs; who left and comes back takes it again."""

    parent: ClassVar[str | None] = "member_id"
    guard: ClassVar[type[Row] | None] = PointsAccount

    member_id: UUID
    group_id: UUID
    deal_id: UUID
    state: SeatState = SeatState.HELD
    is_opener: bool
    hold_id: UUID
    channel: Channel
    store_id: UUID | None = None
    redemption_id: UUID | None = None
    joined_at: datetime
    lapses_at: datetime
    ended_at: datetime | None = None
    actor: str

    @property
    def is_open(self) -> bool:
        """What was given up no longer counts towards a member's limit."""
        return self.state in (SeatState.HELD, SeatState.REDEEMED)

    def state_at(self, now: datetime) -> SeatState:
        """The state as it is at an instant, whether or not the clock's work was done yet."""
        return SeatState.LAPSED if self.state is SeatState.HELD and self.lapses_at <= now else self.state

    def counts_at(self, now: datetime) -> bool:
        """Whether it counts towards its member's limit."""
        return self.state_at(now) in (SeatState.HELD, SeatState.REDEEMED)

    def companions(self) -> tuple[Want, ...]:
        """The hold, which whoever ends a seat ends with it."""
        return (Want(Hold, self.hold_id, is_locked=True),) if self.state is SeatState.HELD else ()


def seat_id(group_id: UUID, member_id: UUID) -> UUID:
    """The id of a member's seat in a group: nobody has two."""
    return derived_id(group_id, str(member_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRef:
    """How a caller names a group: by its id, or by the code that its members tell."""

    id: UUID | None = None
    code: str | None = None


class GroupUnknown(Refusal):
    """No group of this program has the code. Details: `group_code`."""

    code = "NOT_FOUND"
    text = "No group of this program has the code {group_code!r}."


class AlreadyJoined(Refusal):
    """The member has a seat in the group. Details: `size`, `taken`."""

    code = "ALREADY_JOINED"
    text = "The member is in this group already: {taken} of {size} seats are taken."


class NotJoined(Refusal):
    """The member has no seat in the group that it could leave."""

    code = "NOT_JOINED"
    text = "The member has no seat in this group that it could leave."


class GroupFull(Refusal):
    """The group was filled. Details: `size`, `filled_at`."""

    code = "GROUP_FULL"
    text = "The group of {size} was filled at {filled_at}; open one, or join another."


class GroupFilled(Refusal):
    """Nobody leaves a group that was filled: what was redeemed may be cancelled. Details: `filled_at`."""

    code = "GROUP_FILLED"
    text = "The group was filled at {filled_at}; its redemptions can be cancelled, its seats are taken for good."


class GroupExpired(Refusal):
    """The group was not filled in time, or everybody left it. Details: `size`, `taken`, `ended_at`."""

    code = "GROUP_EXPIRED"
    text = "The group ended at {ended_at} with {taken} of {size} seats taken; all points came back."


class GroupLimitReached(Refusal):
    """The member would be in more groups of the deal than allowed. Details: `limit`, `taken`."""

    code = "LIMIT_REACHED"
    text = "A member may be in {limit} groups of this deal; this one is in {taken}."


@dataclass(frozen=True, slots=True, kw_only=True)
class DealGroupOpened(Event):
    """A member opened a group."""

    deal_id: UUID
    group_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DealGroupJoined(Event):
    """A member joined a group, of whose `size` seats `taken` are taken then."""

    deal_id: UUID
    group_id: UUID
    taken: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DealGroupLeft(Event):
    """A member left a group, or (`is_dropped`) lost its seat when the group would have been filled."""

    deal_id: UUID
    group_id: UUID
    is_dropped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DealGroupFilled(Event):
    """A group was filled: told for each of its members, with its redemption."""

    deal_id: UUID
    group_id: UUID
    redemption_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DealGroupFailed(Event):
    """A group was not filled in time: told for each who was in it."""

    deal_id: UUID
    group_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Seated:
    """A group, a member's seat in it, and the member's account after it."""

    group: DealGroup
    seat: DealSeat
    account: PointsAccount


def find(state: State, ref: GroupRef) -> DealGroup:
    """A group, locked, with its deal's units. Refuses `NotFound` and `GroupUnknown`."""
    if ref.id is not None:
        return state.get(DealGroup, ref.id)
    assert ref.code is not None, "a group is named by its id or its code"
    told = codes.find(ref.code)
    group = None if told is None else state.find_by(DealGroup, "code", told)
    if group is None:
        raise GroupUnknown(field=("group", "code"), group_code=ref.code[: codes.CODE_MAX])
    return group


def wants_of(ref: GroupRef) -> tuple[Want, ...]:
    """What finds a group. Its lock, which brings that of its deal's units, comes before any account's."""
    if ref.id is not None:
        return (Want(DealGroup, ref.id, is_locked=True),)
    told = codes.find(ref.code or "")
    return () if told is None else (Want(DealGroup, told, "code", is_locked=True),)


def expired(group: DealGroup, now: datetime) -> GroupExpired:
    """The refusal of a group that failed."""
    ended_at = group.ended_by(now)
    assert ended_at is not None, "what failed ended"
    return GroupExpired(size=group.size, taken=group.taken, ended_at=ended_at.isoformat())


def take_back(state: State, stock: GroupDealStock) -> tuple[GroupDealStock, tuple[DealGroup, ...]]:
    """A deal's units with those of groups that have failed put back, and these groups, failed.

    Whoever finds too few units does it, so that none is lost to a late clock. The clock's own work, which
    tells everybody, is still to be done: `due_at` stays.
    """
    over = [group for group in state.all(DealGroup, of=stock.id) if group.lapses_at <= state.now]
    failed = tuple(changed(group, state=GroupState.FAILED, ended_at=group.lapses_at) for group in over)
    return stock.moved(held=-sum(group.size for group in over)), failed


def hold_units(state: State, deal_id: UUID, size: int) -> tuple[GroupDealStock, tuple[DealGroup, ...]]:
    """Units for every seat of a new group, and the groups of which they had to be taken back. Refuses `SoldOut`."""
    stock = state.get(GroupDealStock, deal_id)
    failed: tuple[DealGroup, ...] = ()
    if stock.left is not None and stock.left < size:
        stock, failed = take_back(state, stock)
    if stock.left is not None and stock.left < size:
        raise SoldOut(requested=size, left=stock.left)
    return stock.moved(held=size), failed
