"""Redemptions that begin otherwise than in the mall: a prize, a claim that is paid, a seat in a full group.

From there on they live like any other: delivered or picked up, cancelled, returned. Their units are not from the
reward's shelf: what is set aside for a sale or as a prize is an allotment of its own.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.kernel import Row, State
from domain.redemptions import delivering
from domain.redemptions.redemption import Delivery, Redemption, RedemptionOrigin, RedemptionState
from domain.rewards.reward import Reward
from domain.stores import Channel
from domain.vouchers import issuing
from domain.vouchers.pool import VoucherPool
from domain.vouchers.voucher import Origin, VoucherOrigin


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a redemption is the end of, and what all of it cost; the cost is paid. `delivery` must be checked.

    `redemption_id` is told where the points were spent under it.
    """

    origin: RedemptionOrigin
    origin_id: UUID
    points: int = 0
    cash_minor: int = 0
    transaction_id: UUID | None = None
    redemption_id: UUID | None = None
    paid_at: datetime | None = None
    payment_reference: str | None = None
    channel: Channel = Channel.ONLINE
    store_id: UUID | None = None
    delivery: Delivery | None = None


def begin(
    state: State,
    member_id: UUID,
    reward: Reward,
    beginning: Beginning,
    *,
    quantity: int = 1,
    pool: VoucherPool | None = None,
) -> tuple[Redemption, tuple[Row, ...]]:
    """A redemption and all that is to be saved of it. What comes from a pool is in the member's hand at once.

    `pool` is its pool as an earlier redemption of the same command left it. The member's account must be locked.
    Refuses what `issuing.issue` does, if it is a voucher.
    """
    redemption = Redemption(
        id=beginning.redemption_id or state.new_id(),
        program_id=state.program_id,
        member_id=member_id,
        reward_id=reward.id,
        quantity=quantity,
        points=beginning.points,
        cash_minor=beginning.cash_minor,
        state=RedemptionState.PAID if beginning.cash_minor else RedemptionState.PLACED,
        transaction_id=beginning.transaction_id,
        paid_at=beginning.paid_at,
        payment_reference=beginning.payment_reference,
        delivery=beginning.delivery,
        pickup_code=delivering.pickup_code(state, reward, beginning.delivery),
        origin=beginning.origin,
        origin_id=beginning.origin_id,
        channel=beginning.channel,
        store_id=beginning.store_id,
        placed_at=state.now,
        actor=state.actor,
    )
    redemption, issued = handed_over(state, redemption, reward, pool)
    return redemption, (*issued, redemption)


def handed_over(
    state: State, redemption: Redemption, reward: Reward, pool: VoucherPool | None = None
) -> tuple[Redemption, tuple[Row, ...]]:
    """What comes from a pool is in the member's hand at once. Refuses a pool that is empty."""
    if reward.pool_id is None:
        return redemption, ()
    origin = Origin(
        kind=VoucherOrigin.REDEMPTION,
        redemption_id=redemption.id,
        channel=redemption.channel,
        store_id=redemption.store_id,
    )
    count = redemption.quantity
    issued = issuing.issue(state, reward.pool_id, redemption.member_id, origin, count=count, pool=pool)
    after = replace(redemption, state=RedemptionState.FULFILLED, fulfilled=redemption.quantity, closed_at=state.now)
    return after, issued.save
