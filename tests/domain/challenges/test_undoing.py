"""What refunds and reversals take back of challenges: exactly what was counted, and what it had completed (L8)."""

from uuid import UUID

import pytest

from domain.challenges.badges import BadgeRevoked
from domain.challenges.challenge import ChallengeUndone, Recurrence, UndoPolicy
from domain.earning.rules import Cap, Conditions, Period, Trigger
from domain.points.account import LotState
from domain.points.qualifying import QualifyingEntry
from domain.purchases.paying import Line
from domain.redemptions.redemption import Redemption, RedemptionState
from domain.vouchers.voucher import Voucher, VoucherState
from tests.domain.goals import Goals, acts, buys, gives, spends
from tests.domain.shop import fixed


@pytest.fixture
def goals() -> Goals:
    """A shop without rules of its own, so that every point is a challenge's."""
    return Goals(rules=())


def available(goals: Goals, member: UUID) -> int:
    return goals.account(member).available


def test_a_full_refund_takes_back_what_the_purchase_counted_and_what_it_completed(goals: Goals) -> None:
    goals.challenge("three", buys(3), points=30)
    member = goals.enroll()
    bought = [goals.buy(member, 100).purchase for _ in range(3)]
    assert available(goals, member) == 30
    goals.refund(bought[0])
    assert (goals.counts(member, "three"), goals.stands(member, "three")) == ((2,), (0, 0))
    assert (available(goals, member), goals.lots(member)[0].state) == (0, LotState.EXHAUSTED)
    assert ChallengeUndone(member_id=member, challenge="three", round=1, points=30) in goals.events
    goals.replay(member)


def test_completing_again_pays_again_and_never_twice_net(goals: Goals) -> None:
    goals.challenge("two", buys(2), points=30)
    member = goals.enroll()
    first = goals.buy(member, 100).purchase
    goals.buy(member, 100)
    goals.refund(first)
    goals.buy(member, 100)
    goals.buy(member, 100)
    assert (available(goals, member), goals.stands(member, "two")) == (30, (1, 1))
    assert [(row.number, row.undone_at is None) for row in goals.completions(member, "two")] == [(1, False), (2, True)]
    goals.replay(member)


def test_a_partial_refund_lowers_what_was_paid_step_by_step(goals: Goals) -> None:
    goals.challenge("rich", spends(20_000), points=20)
    member = goals.enroll()
    purchase = goals.buy(member, 25_000, freight_minor=1_000).purchase
    assert goals.counts(member, "rich") == (24_000,)
    purchase = goals.refund(purchase, lines={1: 4_000}).purchase
    assert (goals.counts(member, "rich"), available(goals, member)) == ((20_000,), 20)
    purchase = goals.refund(purchase, lines={1: 1}).purchase
    assert (goals.counts(member, "rich"), available(goals, member)) == ((19_999,), 0)
    goals.refund(purchase)
    assert goals.counts(member, "rich") == (0,)


def test_a_purchase_that_falls_below_its_minimum_counts_no_longer(goals: Goals) -> None:
    goals.challenge("big", buys(1, minimum_minor=5_000), points=9)
    member = goals.enroll()
    purchase = goals.buy(member, 6_000).purchase
    purchase = goals.refund(purchase, 1_000).purchase
    assert goals.stands(member, "big") == (1, 1)
    goals.refund(purchase, 1)
    assert (goals.stands(member, "big"), available(goals, member)) == ((0, 0), 0)


def test_the_rest_counts_for_no_more_than_the_whole_did(goals: Goals) -> None:
    goals.challenge("small", buys(9), spends(50_000, when=Conditions(maximum_minor=1_000)))
    member = goals.enroll()
    purchase = goals.buy(member, 3_000).purchase
    goals.refund(purchase, 2_500)
    assert goals.counts(member, "small") == (1, 0)


def test_only_the_lines_that_count_are_taken_off() -> None:
    goals = Goals(rules=(), categories=("tea", "cups"))
    goals.challenge("tea", spends(9_000, when=Conditions(categories=("tea",))))
    member = goals.enroll()
    told = (Line(amount_minor=5_000, category="tea"), Line(amount_minor=5_000, category="cups"))
    purchase = goals.buy(member, 10_000, lines=told).purchase
    purchase = goals.refund(purchase, lines={2: 5_000}).purchase
    assert goals.counts(member, "tea") == (5_000,)
    goals.refund(purchase, lines={1: 1_500})
    assert goals.counts(member, "tea") == (3_500,)


def test_a_refund_finds_what_was_counted_whatever_the_challenge_is_by_now(goals: Goals) -> None:
    goals.challenge("a", buys(1), points=10)
    goals.challenge("b", buys(1), points=10)
    goals.challenge("c", buys(1), points=10)
    member = goals.enroll()
    purchase = goals.buy(member, 100).purchase
    goals.challenge("a", buys(1), points=99, is_active=False)
    goals.remove("b")
    goals.challenge("c", buys(1), points=99, ends_at=goals.later(days=1))
    goals.later(days=1)
    goals.refund(purchase)
    assert available(goals, member) == 0
    assert [row.undone_at is None for code in "abc" for row in goals.completions(member, code)] == [False] * 3


def test_a_challenge_that_was_removed_and_saved_again_is_another_one(goals: Goals) -> None:
    goals.challenge("again", buys(1), points=10)
    member = goals.enroll()
    goals.buy(member, 100)
    goals.remove("again")
    goals.challenge("again", buys(2), points=5)
    goals.buy(member, 100)
    assert (goals.counts(member, "again"), available(goals, member)) == ((1,), 10)
    goals.buy(member, 100)
    assert available(goals, member) == 15


def test_a_reversed_activity_counts_no_longer_and_reversing_again_changes_nothing(goals: Goals) -> None:
    goals.challenge("reviews", acts("review", 2), points=8)
    member = goals.enroll()
    done = [goals.act(member) for _ in range(2)]
    assert available(goals, member) == 8
    goals.reverse(done[0])
    goals.reverse(done[0])
    assert (goals.counts(member, "reviews"), available(goals, member)) == ((1,), 0)
    goals.act(member)
    assert available(goals, member) == 8


def test_what_the_shop_keeps_stays_and_pays_no_second_time(goals: Goals) -> None:
    goals.challenge("kept", buys(1), points=10, undo_policy=UndoPolicy.KEEP)
    member = goals.enroll()
    goals.refund(goals.buy(member, 100).purchase)
    assert (goals.counts(member, "kept"), goals.stands(member, "kept")) == ((0,), (1, 1))
    goals.buy(member, 100)
    goals.buy(member, 100)
    assert (available(goals, member), len(goals.completions(member, "kept"))) == (10, 1)


def test_l8_what_was_spent_is_owed(goals: Goals) -> None:
    goals.challenge("one", buys(1), points=30)
    member = goals.enroll()
    purchase = goals.buy(member, 100).purchase
    goals.spend(member, 20)
    goals.refund(purchase)
    assert goals.figures(member) == (0, 0, 0, 20)
    goals.buy(member, 100)
    assert goals.figures(member) == (10, 0, 0, 0)
    goals.replay(member)


def test_rounds_are_undone_from_the_last_one(goals: Goals) -> None:
    goals.challenge("again", spends(1_000), points=10, recurrence=Recurrence.REPEATABLE, rounds_max=9)
    member = goals.enroll()
    large = goals.buy(member, 5_000).purchase
    goals.later(days=1)
    goals.buy(member, 2_000)
    assert (goals.stands(member, "again"), available(goals, member)) == ((7, 7), 70)
    goals.refund(large, 4_500)
    assert (goals.stands(member, "again"), available(goals, member)) == ((2, 2), 20)
    standing = [row.round for row in goals.completions(member, "again") if row.is_open]
    assert standing == [1, 2]


def test_many_rounds_on_many_days_under_a_cap_are_undone_at_once() -> None:
    """In as many rounds of loading as one is."""
    bonus = fixed(1, "bonus", trigger=Trigger.CHALLENGE, caps=(Cap(period=Period.DAY, times=1),))
    goals = Goals(rules=(bonus,))
    goals.challenge("again", spends(1_000), points=10, recurrence=Recurrence.REPEATABLE, rounds_max=50)
    member = goals.enroll()
    large = goals.buy(member, 20_000).purchase
    for _ in range(20):
        goals.later(days=1)
        goals.buy(member, 1_000)
    assert available(goals, member) == 40 * 10 + 21
    goals.refund(large)
    assert (goals.stands(member, "again"), available(goals, member)) == ((20, 20), 201)
    assert sum(points for points, _ in goals.counted(member).values()) == 1


def test_a_growth_plan_is_taken_back_on_the_day_on_which_it_was_counted(goals: Goals) -> None:
    goals.challenge("growth", buys(2, qualifying_points=10), qualifying_points=100)
    member = goals.enroll()
    first = goals.buy(member, 100).purchase
    goals.buy(member, 100)
    assert goals.account(member).qualifying_points == 110
    goals.later(days=400)
    goals.refund(first)
    assert goals.account(member).qualifying_points == 0
    days = [(row.day.isoformat(), row.points) for row in goals.state.rows(QualifyingEntry) if row.points]
    assert days == [("2026-01-15", 110), ("2026-01-15", -110)]


def test_a_chained_challenge_locks_again_and_keeps_what_it_was(goals: Goals) -> None:
    goals.challenge("first", buys(1), points=1)
    goals.challenge("second", acts("share", 2), points=2, requires=("first",))
    member = goals.enroll()
    purchase = goals.buy(member, 100).purchase
    goals.act(member, "share")
    goals.refund(purchase)
    goals.act(member, "share")
    assert (goals.counts(member, "second"), available(goals, member)) == ((1,), 0)
    goals.buy(member, 100)
    goals.act(member, "share")
    assert (goals.counts(member, "second"), available(goals, member)) == ((2,), 3)


# Badges and prizes.


def test_a_badge_goes_with_its_challenge_and_comes_again(goals: Goals) -> None:
    goals.badge("patron")
    goals.challenge("one", buys(1), reward=gives(badge="patron"))
    member = goals.enroll()
    purchase = goals.buy(member, 100).purchase
    assert goals.wears(member, "patron")
    goals.refund(purchase)
    assert not goals.wears(member, "patron")
    assert BadgeRevoked(member_id=member, badge="patron") in goals.events
    goals.buy(member, 100)
    assert goals.wears(member, "patron")


def test_a_badge_of_staff_stays_and_what_staff_took_stays_taken(goals: Goals) -> None:
    goals.badge("patron")
    goals.challenge("one", buys(1), reward=gives(badge="patron"))
    member, other = goals.enroll(), goals.enroll()
    goals.award(member, "patron")
    goals.refund(goals.buy(member, 100).purchase)
    assert goals.wears(member, "patron"), "it was not given for the challenge"
    purchase = goals.buy(other, 100).purchase
    goals.revoke(other, "patron")
    goals.refund(purchase)
    goals.buy(other, 100)
    assert not goals.wears(other, "patron")
    goals.award(other, "patron")
    assert goals.wears(other, "patron")


def test_a_prize_that_was_not_used_is_taken_back(goals: Goals) -> None:
    pool = goals.pool()
    cup = goals.reward(100)
    goals.challenge("voucher", buys(1), reward=gives(pool_id=pool.id), is_automatic=False)
    goals.challenge("cup", buys(1), reward=gives(reward_id=cup.id), is_automatic=False)
    member = goals.enroll()
    purchase = goals.buy(member, 100).purchase
    goals.claim(member, "voucher")
    goals.claim(member, "cup")
    goals.refund(purchase)
    assert [row.state for row in goals.state.rows(Voucher)] == [VoucherState.VOID]
    (redemption,) = goals.state.rows(Redemption)
    assert (redemption.state, redemption.cancelled) == (RedemptionState.CANCELLED, 1)


def test_a_prize_that_was_used_stays_used(goals: Goals) -> None:
    pool = goals.pool()
    goals.challenge("voucher", buys(1), reward=gives(5, pool_id=pool.id), is_automatic=False)
    member = goals.enroll()
    purchase = goals.buy(member, 100).purchase
    goals.claim(member, "voucher")
    (voucher,) = goals.state.rows(Voucher)
    line = Line(amount_minor=4_000, discount_minor=1_000)
    goals.buy(member, 4_000, lines=(line,), voucher_codes=(voucher.code,))
    goals.refund(purchase)
    assert goals.stands(member, "voucher") == (1, 1), "the second purchase completes it still"
    assert goals.row(Voucher, voucher.id).state is VoucherState.USED


def test_one_of_two_steps_that_falls_undoes_the_challenge(goals: Goals) -> None:
    goals.challenge("two", acts("share"), acts("share", 2), points=3)
    member = goals.enroll()
    done = [goals.act(member, "share") for _ in range(2)]
    assert available(goals, member) == 3
    goals.reverse(done[1])
    assert (goals.counts(member, "two"), available(goals, member)) == ((1, 1), 0)
