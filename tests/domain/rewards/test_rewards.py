"""The mall: rewards, their stock, and what becomes of a member's taking of one (L4, L9, F1, F5)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import checks, members, stores
from domain.kernel import NotFound
from domain.members import MemberRef
from domain.points.account import DebtOutstanding, InsufficientPoints, MemberFrozen, SourceType, TransactionKind
from domain.policies import ExpiryKind, ExpiryPolicy
from domain.redemptions.ending import CancelRedemption, FulfillRedemption
from domain.redemptions.placing import RedeemReward
from domain.redemptions.redemption import (
    Redeemed,
    Redemption,
    RedemptionClosed,
    RedemptionNotOpen,
    RedemptionState,
    RedemptionUnknown,
    RewardRedeemed,
)
from domain.rewards.availability import LimitReached, RewardUnavailable
from domain.rewards.commands import CreateReward, Stocked, UpdateReward
from domain.rewards.reward import QUANTITY_MAX, Reward, RewardCodeTaken, RewardSaved, WindowInvalid
from domain.rewards.stock import STOCK_MAX, RewardStock, SoldOut
from domain.stores import Channel
from tests.domain.memory import PROGRAM_ID, START, ref
from tests.domain.shop import Shop

NOBODY = UUID(int=99)
DAY = timedelta(days=1)


def left(shop: Shop, reward: Reward) -> int | None:
    return shop.row(RewardStock, reward.id).left


def fulfill(shop: Shop, redeemed: Redeemed) -> Redeemed:
    return shop.run(FulfillRedemption(redemption_id=redeemed.redemption.id))


def update(shop: Shop, reward: Reward, **told: Any) -> Stocked:
    return shop.run(UpdateReward(reward_id=reward.id, **told))


# Rewards and stock.


def test_a_reward_and_its_stock_are_two_rows_under_one_id(shop: Shop) -> None:
    stocked = shop.run(CreateReward(code=" cup ", name=" Cup ", points=2_999, description=" blue ", stock=10))
    reward = stocked.reward
    assert reward == Reward(
        id=reward.id,
        program_id=PROGRAM_ID,
        code="cup",
        name="Cup",
        description="blue",
        points=2_999,
        created_at=START,
    )
    assert stocked.stock == RewardStock(id=reward.id, program_id=PROGRAM_ID, left=10)
    assert shop.events == (RewardSaved(reward_id=reward.id),)
    with pytest.raises(RewardCodeTaken) as refused:
        shop.run(CreateReward(code="cup", name="Another", points=1))
    assert refused.value.details == {"taken": "cup"}


def test_a_reward_is_edited_and_its_stock_set_or_lifted(shop: Shop) -> None:
    reward = shop.reward(100, stock=5)
    stocked = update(shop, reward, name="Mug", points=90, limit_per_member=2, is_active=False, stock=7)
    assert stocked.reward == replace(reward, name="Mug", points=90, limit_per_member=2, is_active=False)
    assert stocked.stock.left == 7
    assert update(shop, reward).stock.left == 7
    assert update(shop, reward, is_unlimited=True).stock.left is None
    with pytest.raises(NotFound):
        shop.run(UpdateReward(reward_id=NOBODY))


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        ({"points": 0}, checks.PointsInvalid),
        ({"points": checks.POINTS_MAX + 1}, checks.PointsInvalid),
        ({"limit_per_member": 0}, checks.NumberInvalid),
        ({"limit_per_member": QUANTITY_MAX + 1}, checks.NumberInvalid),
        ({"starts_at": START, "ends_at": START}, WindowInvalid),
        ({"starts_at": START.replace(tzinfo=None)}, WindowInvalid),
        ({"ends_at": START.replace(tzinfo=None)}, WindowInvalid),
        ({"name": ""}, checks.TextInvalid),
        ({"description": "x" * 2_001}, checks.TextInvalid),
        ({"stock": -1}, checks.NumberInvalid),
        ({"stock": STOCK_MAX + 1}, checks.NumberInvalid),
    ],
)
def test_a_rewards_values_have_bounds(shop: Shop, told: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        shop.run(CreateReward(**{"code": "cup", "name": "Cup", "points": 1, **told}))
    with pytest.raises(refusal):
        update(shop, shop.reward(1), **told)


# Redeeming.


def test_f1_redeeming_spends_the_points_and_takes_the_stock_in_one_step(shop: Shop) -> None:
    store = shop.run(stores.CreateStore(code="S1", name="Tea house"))
    member, reward = shop.enroll(1_000), shop.reward(100, stock=5)
    redeemed = shop.run(
        RedeemReward(member=ref(member), reward_id=reward.id, quantity=3, channel=Channel.IN_STORE, store_id=store.id),
        actor="li",
    )
    redemption = redeemed.redemption
    transaction = shop.transactions(member)[-1]
    assert redemption == Redemption(
        id=redemption.id,
        program_id=PROGRAM_ID,
        member_id=member,
        reward_id=reward.id,
        quantity=3,
        points=300,
        state=RedemptionState.PLACED,
        transaction_id=transaction.id,
        channel=Channel.IN_STORE,
        store_id=store.id,
        placed_at=START,
        actor="li",
    )
    assert (transaction.kind, transaction.amount) == (TransactionKind.REDEEM, -300)
    assert (transaction.source_type, transaction.source_id) == (SourceType.REDEMPTION, redemption.id)
    assert (redeemed.account.available, redeemed.account.lifetime_spent, left(shop, reward)) == (700, 300, 2)
    told = RewardRedeemed(member_id=member, redemption_id=redemption.id, reward_id=reward.id, quantity=3, points=300)
    assert shop.events == (told,)
    shop.replay(member)


def test_f1_a_hundred_units_are_sold_exactly(shop: Shop) -> None:
    member, reward = shop.enroll(1_000), shop.reward(1, stock=100)
    for _ in range(25):
        shop.redeem(member, reward, 4)
    assert left(shop, reward) == 0
    with pytest.raises(SoldOut) as refused:
        shop.redeem(member, reward)
    assert refused.value.details == {"requested": 1, "left": 0}
    assert shop.figures(member) == (900, 0, 0, 0)


def test_more_than_is_left_is_refused_whole(shop: Shop) -> None:
    member, reward = shop.enroll(1_000), shop.reward(1, stock=2)
    with pytest.raises(SoldOut) as refused:
        shop.redeem(member, reward, 3)
    assert refused.value.details == {"requested": 3, "left": 2}


def test_unlimited_stock_is_never_written(shop: Shop) -> None:
    member, reward = shop.enroll(1_000), shop.reward(1)
    redeemed = shop.redeem(member, reward)
    assert not [row for row in shop.decision.save if isinstance(row, RewardStock)]
    shop.cancel(redeemed)
    assert not [row for row in shop.decision.save if isinstance(row, RewardStock)]
    assert left(shop, reward) is None


def test_a_reward_can_be_redeemed_within_its_window_half_open(shop: Shop) -> None:
    member = shop.enroll(1_000)
    reward = shop.reward(1, starts_at=START + DAY, ends_at=START + 2 * DAY)
    for at, may in ((START, False), (START + DAY, True), (START + 2 * DAY - timedelta(microseconds=1), True)):
        shop.now = at
        if may:
            shop.redeem(member, reward)
        else:
            with pytest.raises(RewardUnavailable):
                shop.redeem(member, reward)
    shop.now = START + 2 * DAY
    with pytest.raises(RewardUnavailable) as refused:
        shop.redeem(member, reward)
    ends_at = "2026-01-17T04:00:00+00:00"
    numbers = {"starts_at": "2026-01-16T04:00:00+00:00", "ends_at": ends_at}
    assert refused.value.details == {"why": f"it ended at {ends_at}", **numbers}


def test_f5_the_limit_counts_what_a_member_has_and_not_what_it_cancelled(shop: Shop) -> None:
    member, reward = shop.enroll(1_000), shop.reward(1, limit_per_member=3)
    shop.redeem(shop.enroll(10), reward, 3)
    shop.redeem(member, shop.reward(1), 3)
    kept, cancelled = shop.redeem(member, reward), shop.redeem(member, reward)
    fulfill(shop, kept)
    with pytest.raises(LimitReached) as refused:
        shop.redeem(member, reward, 2)
    assert refused.value.details == {"limit": 3, "taken": 2, "requested": 2}
    shop.cancel(cancelled)
    shop.redeem(member, reward, 2)
    with pytest.raises(LimitReached):
        shop.redeem(member, reward)


def test_what_is_wrong_with_a_redemption_is_told_in_order(shop: Shop) -> None:
    closed = shop.run(stores.CreateStore(code="S1", name="Tea house"))
    shop.run(stores.UpdateStore(store_id=closed.id, is_closed=True))
    frozen, debtor, poor = shop.enroll(), shop.enroll(), shop.enroll()
    shop.freeze(frozen)
    purchase = shop.buy(debtor, 100).purchase
    shop.spend(debtor, 1)
    shop.refund(purchase)
    reward = shop.reward(10, stock=0, limit_per_member=1)
    update(shop, reward, is_active=False)

    def redeem(member: MemberRef, reward_id: UUID, quantity: int, store_id: UUID | None) -> None:
        shop.run(RedeemReward(member=member, reward_id=reward_id, quantity=quantity, store_id=store_id))

    def refused(
        refusal: type[Exception], member: MemberRef, reward_id: UUID, quantity: int, store: UUID | None
    ) -> None:
        with pytest.raises(refusal) as raised:
            redeem(member, reward_id, quantity, store)
        assert type(raised.value) is refusal

    refused(checks.NumberInvalid, MemberRef(), NOBODY, 0, NOBODY)
    refused(checks.NumberInvalid, MemberRef(), NOBODY, QUANTITY_MAX + 1, NOBODY)
    refused(members.MemberRefInvalid, MemberRef(), NOBODY, 2, NOBODY)
    refused(NotFound, ref(NOBODY), NOBODY, 2, NOBODY)
    refused(NotFound, ref(frozen), NOBODY, 2, NOBODY)
    refused(MemberFrozen, ref(frozen), reward.id, 2, NOBODY)
    refused(NotFound, ref(debtor), reward.id, 2, NOBODY)
    refused(stores.StoreClosed, ref(debtor), reward.id, 2, closed.id)
    refused(RewardUnavailable, ref(debtor), reward.id, 2, None)
    update(shop, reward, is_active=True)
    refused(LimitReached, ref(debtor), reward.id, 2, None)
    refused(SoldOut, ref(debtor), reward.id, 1, None)
    update(shop, reward, stock=1)
    refused(DebtOutstanding, ref(debtor), reward.id, 1, None)
    refused(InsufficientPoints, ref(poor), reward.id, 1, None)


def test_points_beyond_any_account_are_refused(shop: Shop) -> None:
    with pytest.raises(checks.PointsInvalid):
        shop.redeem(shop.enroll(10), shop.reward(checks.POINTS_MAX), 2)


# Cancelling and fulfilling.


def test_l9_a_cancelled_redemption_returns_its_points_and_its_stock_exactly_once(shop: Shop) -> None:
    member, reward = shop.enroll(1_000), shop.reward(100, stock=5)
    redeemed = shop.redeem(member, reward, 3)
    shop.later(hours=1)
    cancelled = shop.cancel(redeemed)
    assert cancelled.redemption == replace(
        redeemed.redemption, state=RedemptionState.CANCELLED, cancelled=3, reason="changed my mind", closed_at=shop.now
    )
    assert (cancelled.points_returned, cancelled.points_replaced, cancelled.points_forfeited) == (300, 0, 0)
    assert (cancelled.account.available, cancelled.account.lifetime_spent, left(shop, reward)) == (1_000, 0, 5)
    assert shop.events == (
        RedemptionClosed(member_id=member, redemption_id=redeemed.redemption.id, state=RedemptionState.CANCELLED),
    )
    with pytest.raises(RedemptionNotOpen) as refused:
        shop.cancel(redeemed)
    assert refused.value.details == {"state": "CANCELLED"}
    assert (shop.figures(member), left(shop, reward)) == ((1_000, 0, 0, 0), 5)
    shop.replay(member)


def test_stock_that_became_unlimited_meanwhile_stays_so(shop: Shop) -> None:
    member, reward = shop.enroll(1_000), shop.reward(100, stock=5)
    redeemed = shop.redeem(member, reward)
    update(shop, reward, is_unlimited=True)
    shop.cancel(redeemed)
    assert left(shop, reward) is None


def test_a_cancelled_redemption_costs_what_it_cost_whatever_the_price_is_now(shop: Shop) -> None:
    member, reward = shop.enroll(1_000), shop.reward(100)
    redeemed = shop.redeem(member, reward, 2)
    update(shop, reward, points=1)
    assert shop.cancel(redeemed).points_returned == 200


def test_a_fulfilled_redemption_is_final(shop: Shop) -> None:
    member, reward = shop.enroll(1_000), shop.reward(100, stock=5)
    redeemed = shop.redeem(member, reward)
    fulfilled = fulfill(shop, redeemed)
    assert fulfilled.redemption == replace(
        redeemed.redemption, state=RedemptionState.FULFILLED, fulfilled=1, closed_at=START
    )
    assert fulfilled.account == redeemed.account
    for attempt in (shop.cancel, lambda redeemed: fulfill(shop, redeemed)):
        with pytest.raises(RedemptionNotOpen) as refused:
            attempt(redeemed)
        assert refused.value.details == {"state": "FULFILLED"}
    assert left(shop, reward) == 4


def test_l5_fulfilling_answers_with_what_the_member_has_now() -> None:
    shop = Shop(expiry=ExpiryPolicy(kind=ExpiryKind.DAYS, count=1))
    member = shop.enroll(100)
    redeemed = shop.spend(member, 10)
    shop.later(days=9)
    assert fulfill(shop, redeemed).account.available == 0


def test_another_members_redemption_is_not_found(shop: Shop) -> None:
    redeemed = shop.redeem(shop.enroll(10), shop.reward(1))
    with pytest.raises(RedemptionUnknown) as refused:
        shop.run(CancelRedemption(redemption_id=redeemed.redemption.id, reason="no", member_id=shop.enroll()))
    assert refused.value.code == NotFound.code
    own = CancelRedemption(redemption_id=redeemed.redemption.id, reason="no", member_id=redeemed.redemption.member_id)
    assert shop.run(own).points_returned == 1


def test_what_is_wrong_with_a_cancellation_is_told_in_order(shop: Shop) -> None:
    redeemed = shop.redeem(shop.enroll(10), shop.reward(1))
    fulfill(shop, redeemed)
    key = redeemed.redemption.id
    told: list[tuple[type[Exception], UUID, str, UUID | None]] = [
        (checks.TextInvalid, NOBODY, " ", NOBODY),
        (NotFound, NOBODY, "no", NOBODY),
        (RedemptionUnknown, key, "no", NOBODY),
        (RedemptionNotOpen, key, "no", None),
    ]
    for refusal, redemption_id, reason, member_id in told:
        with pytest.raises(refusal):
            shop.run(CancelRedemption(redemption_id=redemption_id, reason=reason, member_id=member_id))
    with pytest.raises(NotFound):
        shop.run(FulfillRedemption(redemption_id=NOBODY))
