"""Placing a redemption: points and stock in one step; where cash is due, both are held until it is paid (F3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from domain import calendars, checks, members, stores, trade
from domain.kernel import FAMILY, Command, Decision, Event, Row, State, Want
from domain.members import MemberRef
from domain.points.account import SourceType
from domain.points.book import Source
from domain.points.posting import Posting, open_posting, wants_to_draw
from domain.redemptions import delivering
from domain.redemptions.handing import handed_over
from domain.redemptions.redemption import Delivery, Redeemed, Redemption, RedemptionOrigin, RewardRedeemed
from domain.rewards.availability import Asking, Taken, obstacles, price_for
from domain.rewards.reward import QUANTITY_MAX, Price, Reward
from domain.rewards.standing import standing_of
from domain.rewards.stock import RewardStock, StockHold, open_shelf
from domain.stores import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemReward(Command[Redeemed]):
    """Take a reward: spend its points, or hold them while cash is due, and take it from stock, in one step.

    Refuses, in this order: a bad quantity, an unknown member or reward, a frozen member, an unknown or
    closed store or one where it cannot be had, a delivery that is missing or not offered, then what
    `availability.obstacles` finds, and what the rules for redeeming at stores and in channels refuse.
    """

    member: MemberRef
    reward_id: UUID
    quantity: int = 1
    channel: Channel = Channel.ONLINE
    store_id: UUID | None = None
    delivery: Delivery | None = None

    def decide(self, state: State) -> Decision[Redeemed]:
        checks.number("quantity", self.quantity, minimum=1, maximum=QUANTITY_MAX)
        member_id = members.resolve(state, self.member)
        state.need(
            *wants_to_draw(state, member_id),
            Want(Reward, self.reward_id),
            Want(RewardStock, self.reward_id, is_locked=True),
            Want(trade.TradeRule, state.program_id, FAMILY),
        )
        posting = open_posting(state, member_id)
        reward = state.get(Reward, self.reward_id)
        posting.require_active()
        store = stores.open_store(state, self.store_id)
        delivery = delivering.checked(state, reward, self.delivery, store)
        today = calendars.local_date(state.now, posting.program.time_zone)
        shelf = open_shelf(state, reward, self.quantity, today)
        price = self._judged(state, posting, reward, shelf.stock)
        redemption = self._placed(state, posting, reward, price, delivery)
        limited = trade.redeem(state, store, self.channel, redemption.points, today)
        shelf = replace(shelf, stock=shelf.stock.take(self.quantity, today=today, daily_stock=reward.daily_stock))
        held = _held(redemption, today)
        redemption, issued = handed_over(state, redemption, reward)
        rows = posting.close()
        return Decision(
            Redeemed(redemption=redemption, account=posting.account),
            save=(*rows, *shelf.save, *held, *limited, *issued, redemption),
            events=(_told(redemption), *posting.events),
        )

    def _judged(self, state: State, posting: Posting, reward: Reward, stock: RewardStock) -> Price:
        """The price of one for this member. Refuses with the first obstacle."""
        standing = standing_of(state, posting.account, reward, posting.program.time_zone)
        asking = Asking(
            standing=standing,
            quantity=self.quantity,
            now=state.now,
            time_zone=posting.program.time_zone,
            taken=_taken(state, reward, posting.account.id),
        )
        price = price_for(reward, standing, state.now)
        checks.points("points", price.points * self.quantity)
        for refusal in obstacles(reward, stock, asking):
            raise refusal
        return price

    def _placed(
        self, state: State, posting: Posting, reward: Reward, price: Price, delivery: Delivery | None
    ) -> Redemption:
        redemption_id = state.new_id()
        points = price.points * self.quantity
        cash = checks.amount("cash", price.cash_minor * self.quantity)
        due_at = state.now + timedelta(minutes=reward.pay_minutes) if cash else None
        hold_id, transaction_id = _paid_with_points(posting, redemption_id, points, due_at)
        return Redemption(
            id=redemption_id,
            program_id=state.program_id,
            member_id=posting.account.id,
            reward_id=reward.id,
            quantity=self.quantity,
            points=points,
            cash_minor=cash,
            transaction_id=transaction_id,
            hold_id=hold_id,
            pay_by=due_at,
            due_at=due_at,
            delivery=delivery,
            pickup_code=delivering.pickup_code(state, reward, delivery),
            channel=self.channel,
            store_id=self.store_id,
            placed_at=state.now,
            actor=state.actor,
        )


def _paid_with_points(
    posting: Posting, redemption_id: UUID, points: int, due_at: datetime | None
) -> tuple[UUID | None, UUID]:
    """Spend the points, or hold them until the cash is paid. The hold, and the transaction."""
    if due_at is None:
        return None, posting.redeem(points, Source(SourceType.REDEMPTION, redemption_id)).id
    hold = posting.hold(points, reference=f"redemption {redemption_id}", lapses_at=due_at)
    return hold.id, hold.transaction_id


def _held(redemption: Redemption, today: date) -> tuple[Row, ...]:
    if redemption.due_at is None:
        return ()
    return (
        StockHold(
            id=redemption.id,
            program_id=redemption.program_id,
            reward_id=redemption.reward_id,
            quantity=redemption.quantity,
            day=today,
            lapses_at=redemption.due_at,
        ),
    )


def _taken(state: State, reward: Reward, member_id: UUID) -> Sequence[Taken]:
    if reward.limit_per_member is None and not reward.limits:
        return ()
    return [
        Taken(redemption.placed_at, redemption.kept)
        for redemption in state.all(Redemption, of=member_id)
        if redemption.reward_id == reward.id
        and redemption.origin is RedemptionOrigin.REWARD
        and not redemption.has_lapsed(state.now)
    ]


def _told(redemption: Redemption) -> Event:
    return RewardRedeemed(
        member_id=redemption.member_id,
        redemption_id=redemption.id,
        reward_id=redemption.reward_id,
        quantity=redemption.quantity,
        points=redemption.points,
    )
