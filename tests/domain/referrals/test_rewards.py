"""Rewards: for the first order that is large enough, pending until it stands, capped, and taken back with it (R3)."""

from datetime import timedelta

import pytest

from domain.earning.grants import Grant
from domain.earning.rules import Cap, CapPolicy, Period, Trigger
from domain.identities import IdentityKind
from domain.points.account import Lot, LotState
from domain.policies import PendingKind, PendingPolicy
from domain.referrals.policy import REFEREE_GIFT, REFERRER_GIFT
from domain.referrals.referral import ReferralReward, ReferralState, RejectReason
from domain.vouchers.commands import LockVoucher
from domain.vouchers.pool import Supply
from domain.vouchers.voucher import Voucher, VoucherState
from tests.domain.friends import TERMS, Club, order_of, seen
from tests.domain.shop import fixed, local, per_amount

# Qualifying.


def test_r3_the_first_order_of_the_minimum_qualifies_and_both_are_pending(club: Club) -> None:
    referrer, friend = club.pair()
    club.later(days=2)
    bought = club.buy(friend, 5_000)
    referral = club.referral(friend)
    assert (referral.state, referral.purchase_id) == (ReferralState.QUALIFIED, bought.purchase.id)
    assert (bought.purchase.referral_id, bought.account.referral_id) == (referral.id, None)
    assert (referral.qualified_at, referral.rewards_at) == (club.now, club.now + timedelta(days=7))
    assert (referral.minimum_minor, referral.due_at) == (5_000, referral.rewards_at)
    assert (club.figures(referrer), club.figures(friend)) == ((0, 100, 0, 0), (0, 50, 0, 0))
    (earned,) = club.transactions(referrer)
    (grant,) = (row for row in club.state.rows(Grant) if row.member_id == referrer)
    assert (earned.rule, earned.source_id, grant.trigger) == (REFERRER_GIFT, grant.id, Trigger.REFERRAL)
    assert referral.referrer_reward == ReferralReward(
        points=100, requested=100, grant_id=grant.id, earning_id=earned.id
    )
    assert referral.referee_reward is not None
    assert referral.referee_reward.points == 50
    assert [row.rule for row in club.transactions(friend)] == [REFEREE_GIFT]
    assert [event.member_id for event in club.events] == [friend, referrer]


def test_r3_both_are_available_when_the_order_stands_whether_or_not_the_clock_comes(club: Club) -> None:
    referrer, friend = club.pair()
    club.buy(friend, 5_000)
    club.later(days=7, seconds=-1)
    assert club.state_of(friend) is ReferralState.QUALIFIED
    assert [club.settle(member).available for member in (referrer, friend)] == [0, 0]
    club.later(seconds=1)
    assert club.state_of(friend) is ReferralState.REWARDED
    assert [club.settle(member).available for member in (referrer, friend)] == [100, 50]
    assert club.referral(friend).state is ReferralState.QUALIFIED
    done = club.settle_referral(friend).referral
    assert (done.state, done.ended_at, done.due_at) == (ReferralState.REWARDED, done.rewards_at, None)
    assert club.settle_referral(friend).is_repeat
    for member in (referrer, friend):
        club.replay(member)


@pytest.mark.parametrize("amount_minor, qualifies", [(4_999, False), (5_000, True)])
def test_r3_the_minimum_is_of_what_is_paid_for_goods(club: Club, amount_minor: int, qualifies: bool) -> None:
    referrer, friend = club.pair()
    club.buy(friend, amount_minor + 1_000, freight_minor=1_000)
    assert club.account(referrer).pending == (100 if qualifies else 0)


def test_r3_what_points_paid_for_is_not_paid(club: Club) -> None:
    referrer, friend = club.pair()
    club.adjust(friend, 10)
    hold = club.hold(friend, 10).hold
    club.buy(friend, 5_099, offset=(hold.id, 100))
    assert club.account(referrer).pending == 0
    club.buy(friend, 5_000)
    assert club.account(referrer).pending == 100


def test_r3_without_a_minimum_something_must_be_paid() -> None:
    club = Club(terms={"referrer_points": 100})
    referrer, friend = club.pair()
    club.buy(friend, 0)
    assert club.account(referrer).pending == 0
    club.buy(friend, 1)
    assert club.account(referrer).pending == 100


def test_r3_only_one_order_qualifies_and_what_follows_asks_for_nothing(club: Club) -> None:
    referrer, friend = club.pair()
    for amount_minor in (100, 5_000, 9_000):
        club.buy(friend, amount_minor)
    assert (club.figures(referrer), club.figures(friend)) == ((0, 100, 0, 0), (0, 50, 0, 0))
    assert order_of(club, friend).amount_minor == 5_000


def test_r2_an_order_from_before_the_binding_shows_that_the_friend_was_none(club: Club) -> None:
    referrer, friend = club.pair()
    club.later(days=1)
    club.buy(friend, 5_000, occurred_at=club.now - timedelta(days=2))
    referral = club.referral(friend)
    assert (referral.state, referral.reason) == (ReferralState.REJECTED, RejectReason.ALREADY_BOUGHT)
    assert (referral.ended_at, referral.due_at, club.account(friend).referral_id) == (club.now, None, None)
    club.buy(friend, 5_000)
    assert club.figures(referrer) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "kind, value, reason",
    [
        (IdentityKind.PAYMENT_ACCOUNT, "p-1", RejectReason.SAME_PAYMENT_ACCOUNT),
        (IdentityKind.DEVICE, "d-1", RejectReason.SAME_DEVICE),
        (IdentityKind.ADDRESS, "1 Lake Road", RejectReason.SAME_ADDRESS),
        (IdentityKind.PHONE, "+8613800138000", RejectReason.SAME_PHONE),
    ],
)
def test_r2_what_both_have_at_the_order_rejects_and_the_order_stands(
    club: Club, kind: IdentityKind, value: str, reason: RejectReason
) -> None:
    referrer = club.join(phone="+8613800138000")
    club.buy(referrer, 100, identified=(seen(kind, value),))
    friend = club.bring(referrer)
    assert not club.buy(friend, 5_000, identified=(seen(kind, value),)).is_repeat
    referral = club.referral(friend)
    assert (referral.state, referral.reason, referral.purchase_id) == (ReferralState.REJECTED, reason, None)
    assert (club.figures(referrer), club.figures(friend)) == ((0, 0, 0, 0), (0, 0, 0, 0))


@pytest.mark.parametrize("is_friend_s", [True, False])
def test_r2_either_profile_s_phone_at_the_order_rejects_though_it_was_not_told_with_it(is_friend_s: bool) -> None:
    """The one was seen with the phone before the order, and the other has it in its profile."""
    club = Club()
    phone = "+8613800138000"
    referrer = club.enroll() if is_friend_s else club.join(phone=phone)
    friend = club.bring(referrer, **({"phone": phone} if is_friend_s else {}))
    club.buy(referrer if is_friend_s else friend, 100, identified=(seen(IdentityKind.PHONE, phone),))
    club.buy(friend, 5_000)
    assert club.referral(friend).reason is RejectReason.SAME_PHONE


def test_r2_what_a_small_order_showed_counts_when_a_larger_one_qualifies(club: Club) -> None:
    referrer, friend = club.pair()
    paid_by = seen(IdentityKind.PAYMENT_ACCOUNT, "p-1")
    club.buy(friend, 100, identified=(paid_by,))
    club.buy(referrer, 100, identified=(paid_by,))
    club.buy(friend, 5_000)
    assert club.referral(friend).reason is RejectReason.SAME_PAYMENT_ACCOUNT


# Rules give too.


def test_r3_rules_of_both_triggers_give_and_wait_too() -> None:
    at_once = PendingPolicy(PendingKind.IMMEDIATE)
    rules = (
        per_amount(1, 100),
        fixed(7, "brought", trigger=Trigger.REFERRAL, pending=at_once),
        fixed(3, "came", trigger=Trigger.REFERRED, caps=(Cap(period=Period.DAY, points=2),)),
    )
    club = Club(rules=rules)
    referrer, friend = club.pair()
    club.buy(friend, 5_000)
    assert (club.figures(referrer), club.figures(friend)) == ((0, 107, 0, 0), (50, 52, 0, 0))
    assert club.referral(friend).referee_reward == ReferralReward(
        points=52,
        requested=53,
        limited_by="DAY",
        grant_id=club.referral(friend).referee_reward.grant_id,  # type: ignore[union-attr]
        earning_id=club.referral(friend).referee_reward.earning_id,  # type: ignore[union-attr]
    )
    club.refund(order_of(club, friend))
    assert (club.figures(referrer), club.figures(friend)) == ((0, 0, 0, 0), (0, 0, 0, 0))
    assert club.counted(friend)[("came", "DAY", "2026-01-15")] == (0, 0)


def test_r3_a_policy_that_gives_nothing_leaves_it_to_rules() -> None:
    club = Club(terms={}, rules=(fixed(7, "brought", trigger=Trigger.REFERRAL),))
    referrer, friend = club.pair()
    club.buy(friend, 100)
    referral = club.referral(friend)
    assert (club.account(referrer).pending, referral.referee_reward) == (7, ReferralReward())
    club.refund(order_of(club, friend))
    assert club.referral(friend).state is ReferralState.CLAWED_BACK


def test_r3_a_refund_window_of_no_days_rewards_at_once() -> None:
    club = Club(terms={**TERMS, "refund_days": 0})
    referrer, friend = club.pair()
    club.buy(friend, 5_000)
    assert (club.state_of(friend), club.account(referrer).available) == (ReferralState.REWARDED, 100)


# Caps (L13).


def bring_and_buy(club: Club, referrer: object, at: str) -> int:
    """A friend who is brought and buys at a local time; what the referrer was given for it."""
    club.now = local(at)
    friend = club.bring(referrer)  # type: ignore[arg-type]
    club.buy(friend, 5_000)
    reward = club.referral(friend).referrer_reward
    assert reward is not None
    return reward.points


def test_l13_a_cap_of_a_day_ends_with_the_day_of_the_program() -> None:
    club = Club(terms={**TERMS, "caps": (Cap(period=Period.DAY, times=2),)})
    referrer = club.enroll()
    days = ("2026-01-20 00:00", "2026-01-20 12:00", "2026-01-20 23:59", "2026-01-21 00:00")
    assert [bring_and_buy(club, referrer, at) for at in days] == [100, 100, 0, 100]


def test_l13_a_cap_of_a_month_ends_with_the_month_of_the_program() -> None:
    caps = (Cap(period=Period.MONTH, points=250),)
    for policy, expected in ((CapPolicy.REDUCE, [100, 100, 50, 0, 100]), (CapPolicy.REJECT, [100, 100, 0, 0, 100])):
        club = Club(terms={**TERMS, "caps": caps, "cap_policy": policy})
        referrer = club.enroll()
        days = (*("2026-01-16 08:00", "2026-01-20 08:00", "2026-01-31 08:00"), "2026-01-31 23:59", "2026-02-01 00:00")
        assert [bring_and_buy(club, referrer, at) for at in days] == expected


def test_l13_a_cap_of_the_referrer_leaves_the_friend_its_own_and_says_so() -> None:
    club = Club(terms={**TERMS, "caps": (Cap(period=Period.DAY, times=1),)})
    referrer = club.enroll()
    friends = [club.bring(referrer) for _ in range(2)]
    for friend in friends:
        club.buy(friend, 5_000)
    assert [club.account(friend).pending for friend in friends] == [50, 50]
    reward = club.referral(friends[1]).referrer_reward
    assert reward is not None
    assert (reward.points, reward.requested, reward.limited_by, reward.earning_id) == (0, 100, "DAY", None)


def test_l13_what_is_taken_back_makes_room_again() -> None:
    club = Club(terms={**TERMS, "caps": (Cap(period=Period.DAY, times=1), Cap(period=Period.MONTH, times=2))})
    referrer = club.enroll()
    first, second, third = (club.bring(referrer) for _ in range(3))
    club.buy(first, 5_000)
    club.buy(second, 5_000)
    club.refund(order_of(club, second))
    assert club.counted(referrer)[(REFERRER_GIFT, "DAY", "2026-01-15")] == (100, 1), "nothing was counted for it"
    club.refund(order_of(club, first))
    assert club.counted(referrer)[(REFERRER_GIFT, "MONTH", "2026-01-01")] == (0, 0)
    club.buy(third, 5_000)
    assert club.account(referrer).pending == 100


# Vouchers (S41).


def voucher_club() -> Club:
    """A club that gives each side a voucher as well."""
    club = Club()
    pools = [club.pool() for _ in range(2)]
    club.promise(**TERMS, referrer_pool_id=pools[0].id, referee_pool_id=pools[1].id)
    return club


def vouchers_of(club: Club, member: object) -> list[VoucherState]:
    return [row.state for row in club.state.rows(Voucher) if row.member_id == member]


def test_s41_each_side_has_its_voucher_when_the_order_stands() -> None:
    club = voucher_club()
    referrer, friend = club.pair()
    club.buy(friend, 5_000)
    assert vouchers_of(club, referrer) == []
    club.later(days=7)
    done = club.settle_referral(friend).referral
    assert (vouchers_of(club, referrer), vouchers_of(club, friend)) == ([VoucherState.ISSUED], [VoucherState.ISSUED])
    for member, reward in ((referrer, done.referrer_reward), (friend, done.referee_reward)):
        assert reward is not None
        assert reward.voucher_id is not None
        assert club.row(Voucher, reward.voucher_id).member_id == member
    club.settle_referral(friend)
    assert len(club.state.rows(Voucher)) == 2


def test_s41_r3_a_refund_takes_vouchers_back_that_were_not_used() -> None:
    club = voucher_club()
    referrer, friend = club.pair()
    club.buy(friend, 5_000)
    club.later(days=7)
    club.settle_referral(friend)
    (locked,) = (row for row in club.state.rows(Voucher) if row.member_id == friend)
    club.run(LockVoucher(code=locked.code, reference="o-1"))
    club.refund(order_of(club, friend))
    assert (vouchers_of(club, referrer), vouchers_of(club, friend)) == ([VoucherState.VOID], [VoucherState.VOID])


def test_s41_r3_a_refund_before_the_order_stands_leaves_no_voucher() -> None:
    club = voucher_club()
    _, friend = club.pair()
    club.buy(friend, 5_000)
    club.refund(order_of(club, friend))
    club.later(days=7)
    assert club.settle_referral(friend).is_repeat
    assert club.state.rows(Voucher) == ()


def test_s41_an_empty_pool_keeps_nothing_else_back() -> None:
    club = Club()
    empty, full = club.pool(supply=Supply.STOCK), club.pool()
    club.promise(**TERMS, referrer_pool_id=empty.id, referee_pool_id=full.id)
    referrer, friend = club.pair()
    club.buy(friend, 5_000)
    club.later(days=7)
    done = club.settle_referral(friend).referral
    assert done.referrer_reward is not None
    assert (done.state, done.referrer_reward.no_voucher) == (ReferralState.REWARDED, "VOUCHERS_SOLD_OUT")
    assert (vouchers_of(club, referrer), vouchers_of(club, friend)) == ([], [VoucherState.ISSUED])
    assert club.settle(referrer).available == 100


def test_the_lots_of_a_referral_wait_for_its_order(club: Club) -> None:
    referrer, friend = club.pair()
    club.buy(friend, 5_000)
    (lot,) = (row for row in club.state.rows(Lot) if row.member_id == referrer)
    assert (lot.state, lot.available_at) == (LotState.PENDING, club.now + timedelta(days=7))
