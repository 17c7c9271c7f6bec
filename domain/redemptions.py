"""Redemptions: a member's taking of a reward, from the points that pay it to its end."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain import checks, members, stores
from domain.kernel import FAMILY, Command, Decision, Event, Refusal, Row, State, Want
from domain.members import MemberRef
from domain.points.account import LotDraw, PointsAccount, SourceType
from domain.points.book import Source
from domain.points.posting import Returned, open_posting, wants_to_draw
from domain.rewards import QUANTITY_MAX, Reward, RewardStock
from domain.stores import Channel


class RedemptionState(StrEnum):
    """Where a redemption is in its life."""

    PLACED = "PLACED"
    FULFILLED = "FULFILLED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption(Row):
    """A member's taking of a reward. `points` is what all of it cost."""

    parent: ClassVar[str | None] = "member_id"
    guard: ClassVar[type[Row] | None] = PointsAccount

    member_id: UUID
    reward_id: UUID
    quantity: int
    points: int
    state: RedemptionState = RedemptionState.PLACED
    # The REDEEM transaction, whose lots a cancellation returns points to.
    transaction_id: UUID
    channel: Channel
    store_id: UUID | None = None
    reason: str | None = None
    placed_at: datetime
    # When it was fulfilled or cancelled.
    closed_at: datetime | None = None
    actor: str

    @property
    def is_open(self) -> bool:
        """Cancelled redemptions no longer count towards a member's limit."""
        return self.state is not RedemptionState.CANCELLED


class RewardUnavailable(Refusal):
    """The reward is not active, or not yet or no longer redeemable."""

    code = "REWARD_UNAVAILABLE"
    text = "The reward cannot be redeemed now: {why}."


class LimitReached(Refusal):
    """The member would have more of the reward than allowed. Details: `limit`, `taken`, `requested`."""

    code = "LIMIT_REACHED"
    text = "A member may have {limit} of this reward; this one has {taken} and requests {requested}."


class RedemptionNotOpen(Refusal):
    """A redemption was fulfilled or cancelled already. Details: `state`."""

    code = "REDEMPTION_NOT_OPEN"
    text = "The redemption is {state}."


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardRedeemed(Event):
    """A member redeemed a reward."""

    redemption_id: UUID
    reward_id: UUID
    quantity: int
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionClosed(Event):
    """A redemption was fulfilled or cancelled."""

    redemption_id: UUID
    state: RedemptionState


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """A redemption and the account after it; on a cancellation, how the points came back (L4)."""

    redemption: Redemption
    account: PointsAccount
    points_returned: int = 0
    points_replaced: int = 0
    points_forfeited: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemReward(Command[Redeemed]):
    """Spend points on a reward and take it from stock, in one step.

    Refuses, in this order: a bad quantity, an unknown member or reward, a frozen member, an unknown
    or closed store, `RewardUnavailable`, `LimitReached`, `SoldOut`, `DebtOutstanding`, `InsufficientPoints`.
    """

    member: MemberRef
    reward_id: UUID
    quantity: int = 1
    channel: Channel = Channel.ONLINE
    store_id: UUID | None = None

    def decide(self, state: State) -> Decision[Redeemed]:
        checks.number("quantity", self.quantity, minimum=1, maximum=QUANTITY_MAX)
        member_id = members.resolve(state, self.member)
        state.need(
            *wants_to_draw(state, member_id),
            Want(Reward, self.reward_id),
            Want(RewardStock, self.reward_id, is_locked=True),
        )
        posting = open_posting(state, member_id)
        reward = state.get(Reward, self.reward_id)
        posting.require_active()
        stores.open_store(state, self.store_id)
        _require_available(reward, state.now)
        self._require_within_limit(state, reward, member_id)
        before = state.get(RewardStock, self.reward_id)
        stock = before.take(self.quantity)
        redemption_id = state.new_id()
        points = checks.points("points", reward.points * self.quantity)
        transaction = posting.redeem(points, Source(SourceType.REDEMPTION, redemption_id))
        redemption = Redemption(
            id=redemption_id,
            program_id=state.program_id,
            member_id=member_id,
            reward_id=reward.id,
            quantity=self.quantity,
            points=points,
            transaction_id=transaction.id,
            channel=self.channel,
            store_id=self.store_id,
            placed_at=state.now,
            actor=state.actor,
        )
        rows = posting.close()
        redeemed = RewardRedeemed(
            member_id=member_id,
            redemption_id=redemption_id,
            reward_id=reward.id,
            quantity=self.quantity,
            points=points,
        )
        stocks = () if stock is before else (stock,)
        return Decision(
            Redeemed(redemption=redemption, account=posting.account),
            save=(*rows, *stocks, redemption),
            events=(redeemed, *posting.events),
        )

    def _require_within_limit(self, state: State, reward: Reward, member_id: UUID) -> None:
        if reward.limit_per_member is None:
            return
        taken = sum(
            redemption.quantity
            for redemption in state.all(Redemption, of=member_id)
            if redemption.reward_id == reward.id
        )
        if taken + self.quantity > reward.limit_per_member:
            raise LimitReached(limit=reward.limit_per_member, taken=taken, requested=self.quantity)


def _require_available(reward: Reward, now: datetime) -> None:
    if not reward.is_active:
        raise RewardUnavailable(why="it is not active")
    if reward.starts_at is not None and now < reward.starts_at:
        raise RewardUnavailable(why=f"it starts at {reward.starts_at.isoformat()}")
    if reward.ends_at is not None and now >= reward.ends_at:
        raise RewardUnavailable(why=f"it ended at {reward.ends_at.isoformat()}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRedemption(Command[Redeemed]):
    """Cancel a placed redemption: points come back to their lots, once, and the stock with them (L9).

    `member_id`, where told, must be the redemption's: another member's is not found.
    """

    redemption_id: UUID
    reason: str
    member_id: UUID | None = None

    def decide(self, state: State) -> Decision[Redeemed]:
        reason = checks.reason(self.reason)
        redemption = _placed(state, self.redemption_id, self.member_id)
        state.need(
            *wants_to_draw(state, redemption.member_id),
            Want(LotDraw, redemption.transaction_id, FAMILY),
            Want(RewardStock, redemption.reward_id, is_locked=True),
        )
        posting = open_posting(state, redemption.member_id)
        source = Source(SourceType.REDEMPTION, redemption.id)
        returned = posting.give_back(redemption.transaction_id, source, redemption.points)
        redemption = replace(redemption, state=RedemptionState.CANCELLED, reason=reason, closed_at=state.now)
        before = state.get(RewardStock, redemption.reward_id)
        stock = before.put_back(redemption.quantity)
        rows = posting.close()
        stocks = () if stock is before else (stock,)
        closed = RedemptionClosed(member_id=redemption.member_id, redemption_id=redemption.id, state=redemption.state)
        return Decision(
            _cancelled(redemption, posting.account, returned),
            save=(*rows, *stocks, redemption),
            events=(closed, *posting.events),
        )


def _cancelled(redemption: Redemption, account: PointsAccount, returned: Returned) -> Redeemed:
    return Redeemed(
        redemption=redemption,
        account=account,
        points_returned=returned.to_lots,
        points_replaced=returned.replaced,
        points_forfeited=returned.forfeited,
    )


def _placed(state: State, redemption_id: UUID, member_id: UUID | None) -> Redemption:
    """A redemption that is neither fulfilled nor cancelled. Refuses `NotFound` and `RedemptionNotOpen`."""
    redemption = state.get(Redemption, redemption_id)
    if member_id is not None and redemption.member_id != member_id:
        raise RedemptionUnknown(redemption=str(redemption_id))
    if redemption.state is not RedemptionState.PLACED:
        raise RedemptionNotOpen(state=redemption.state)
    return redemption


class RedemptionUnknown(Refusal):
    """The redemption is another member's. Details: `redemption`."""

    code = "NOT_FOUND"
    text = "There is no Redemption {redemption!r} in this program."


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfillRedemption(Command[Redeemed]):
    """The member has the reward. Refuses `NotFound` and `RedemptionNotOpen`."""

    redemption_id: UUID

    def decide(self, state: State) -> Decision[Redeemed]:
        redemption = _placed(state, self.redemption_id, None)
        account = open_posting(state, redemption.member_id).account
        redemption = replace(redemption, state=RedemptionState.FULFILLED, closed_at=state.now)
        closed = RedemptionClosed(member_id=redemption.member_id, redemption_id=redemption.id, state=redemption.state)
        return Decision(
            Redeemed(redemption=redemption, account=account),
            save=(redemption,),
            events=(closed,),
        )
