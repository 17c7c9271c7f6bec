"""Claiming: each completed round once, what was promised when it was completed, and prizes with it."""

from datetime import timedelta

import pytest

from domain import calendars
from domain.challenges.challenge import (
    ChallengeInvalid,
    ChallengeRewarded,
    ChallengeUnknown,
    ProfileField,
    Recurrence,
    Step,
    StepKind,
)
from domain.challenges.progress import (
    ChallengeClaimed,
    ChallengeLocked,
    ChallengeNotCompleted,
    ChallengeState,
    resets_at,
    state_of,
)
from domain.kernel import NotFound
from domain.points.account import MemberFrozen
from domain.redemptions.redemption import Redemption, RedemptionOrigin
from domain.vouchers.pool import PoolEmpty, Supply
from domain.vouchers.voucher import Voucher, VoucherOrigin
from tests.domain.goals import Goals, acts, buys, gives, spends
from tests.domain.memory import PROGRAM_ID
from tests.domain.shop import SHANGHAI, local


@pytest.fixture
def goals() -> Goals:
    """A shop without rules of its own, so that every point is a challenge's."""
    return Goals(rules=())


def test_what_is_not_automatic_waits_to_be_claimed_and_is_claimed_once(goals: Goals) -> None:
    goals.challenge("three", buys(2), points=30, is_automatic=False)
    member = goals.enroll()
    goals.buy(member, 100)
    with pytest.raises(ChallengeNotCompleted) as missing:
        goals.claim(member, "three")
    assert missing.value.details == {"challenge": "three", "steps_missing": 1}
    goals.buy(member, 100)
    assert (goals.account(member).available, goals.stands(member, "three")) == (0, (1, 0))
    claimed = goals.claim(member, "three")
    assert (claimed.rounds, claimed.points, claimed.account.available) == (1, 30, 30)
    assert ChallengeRewarded(member_id=member, challenge="three", round=1, points=30, badge=None) in goals.events
    with pytest.raises(ChallengeClaimed) as again:
        goals.claim(member, "three")
    assert again.value.details == {"challenge": "three", "rounds": 1}
    assert goals.account(member).available == 30


def test_every_round_that_waits_is_claimed_at_once(goals: Goals) -> None:
    more = {"recurrence": Recurrence.REPEATABLE, "rounds_max": 5, "is_automatic": False}
    goals.challenge("again", spends(1_000), points=10, **more)
    member = goals.enroll()
    goals.buy(member, 3_500)
    assert goals.claim(member, "again").rounds == 3
    with pytest.raises(ChallengeNotCompleted):
        goals.claim(member, "again")
    goals.buy(member, 500)
    claimed = goals.claim(member, "again")
    assert (claimed.rounds, claimed.account.available) == (1, 40)


def test_what_was_promised_on_completion_is_given(goals: Goals) -> None:
    goals.challenge("one", buys(1), points=30, is_automatic=False)
    member, late = goals.enroll(), goals.enroll()
    goals.buy(member, 100)
    goals.challenge("one", buys(1), points=5, is_automatic=False)
    goals.buy(late, 100)
    assert (goals.claim(member, "one").points, goals.claim(late, "one").points) == (30, 5)


def test_what_falls_before_it_is_claimed_cannot_be_claimed(goals: Goals) -> None:
    goals.challenge("one", buys(1), points=30, is_automatic=False)
    member = goals.enroll()
    goals.refund(goals.buy(member, 100).purchase)
    with pytest.raises(ChallengeNotCompleted):
        goals.claim(member, "one")
    assert goals.account(member).sequence == 0


def test_a_claimed_reward_is_taken_back_when_it_falls(goals: Goals) -> None:
    goals.challenge("one", buys(1), points=30, is_automatic=False)
    member = goals.enroll()
    purchase = goals.buy(member, 100).purchase
    goals.claim(member, "one")
    goals.refund(purchase)
    assert (goals.account(member).available, goals.stands(member, "one")) == (0, (0, 0))
    goals.buy(member, 100)
    assert goals.claim(member, "one").account.available == 30


def test_a_locked_challenge_names_what_is_to_be_completed_first(goals: Goals) -> None:
    goals.challenge("one", acts("one"))
    goals.challenge("two", acts("two"))
    goals.challenge("chain", acts("share"), requires=("one", "two"), points=1, is_automatic=False)
    member = goals.enroll()
    with pytest.raises(ChallengeLocked) as locked:
        goals.claim(member, "chain")
    assert locked.value.details == {"challenge": "chain", "requires": "one, two"}
    assert "to be completed first, each in its present period: one, two." in locked.value.message
    goals.act(member, "one")
    with pytest.raises(ChallengeLocked) as locked:
        goals.claim(member, "chain")
    assert locked.value.details["requires"] == "two"
    goals.act(member, "two")
    with pytest.raises(ChallengeNotCompleted) as missing:
        goals.claim(member, "chain")
    assert missing.value.message == "The challenge 'chain' is not completed yet; steps that are missing: 1."
    goals.act(member, "share")
    assert goals.claim(member, "chain").points == 1


def test_a_period_that_is_over_may_still_be_claimed_by_one_of_its_days(goals: Goals) -> None:
    goals.challenge("daily", acts("share"), points=5, recurrence=Recurrence.DAILY, is_automatic=False)
    member = goals.enroll()
    goals.act(member, "share")
    day = calendars.local_date(goals.now, SHANGHAI)
    goals.later(days=2)
    with pytest.raises(ChallengeNotCompleted):
        goals.claim(member, "daily")
    assert goals.claim(member, "daily", day=day).points == 5


def test_a_profile_that_was_full_before_is_looked_at_when_it_is_claimed(goals: Goals) -> None:
    member = goals.join(name="Li")
    goals.challenge("profile", Step(kind=StepKind.PROFILE, fields=(ProfileField.NAME,)), points=9, is_automatic=False)
    assert goals.claim(member, "profile").points == 9


def test_a_voucher_and_an_item_are_given_with_the_claim(goals: Goals) -> None:
    pool, cup = goals.pool(), goals.reward(100)
    goals.badge("patron")
    reward = gives(5, badge="patron", pool_id=pool.id)
    goals.challenge("voucher", buys(1), reward=reward, is_automatic=False)
    goals.challenge("cup", buys(1), reward=gives(reward_id=cup.id), is_automatic=False)
    member = goals.enroll()
    goals.buy(member, 100)
    goals.claim(member, "voucher")
    goals.claim(member, "cup")
    (voucher,) = goals.state.rows(Voucher)
    (redemption,) = goals.state.rows(Redemption)
    (first,), (second,) = goals.completions(member, "voucher"), goals.completions(member, "cup")
    assert (voucher.origin, first.voucher_id, first.badge) == (VoucherOrigin.PRIZE, voucher.id, "patron")
    assert (redemption.origin, redemption.origin_id, second.redemption_id) == (
        RedemptionOrigin.PRIZE,
        second.id,
        redemption.id,
    )


def test_a_prize_that_ran_out_refuses_the_claim_and_no_purchase(goals: Goals) -> None:
    pool = goals.pool(supply=Supply.STOCK)
    with pytest.raises(ChallengeInvalid, match="it is claimed, not given by itself"):
        goals.challenge("voucher", buys(1), reward=gives(5, pool_id=pool.id))
    goals.challenge("voucher", buys(1), reward=gives(5, pool_id=pool.id), is_automatic=False)
    member = goals.enroll()
    goals.buy(member, 100)
    with pytest.raises(PoolEmpty):
        goals.claim(member, "voucher")
    assert (goals.stands(member, "voucher"), goals.account(member).available) == ((1, 0), 0)


def test_who_cannot_claim(goals: Goals) -> None:
    goals.challenge("one", buys(1), points=30, is_automatic=False)
    member = goals.enroll()
    with pytest.raises(ChallengeUnknown) as unknown:
        goals.claim(member, "two")
    assert (unknown.value.field, unknown.value.details) == (("code",), {"challenge": "two"})
    with pytest.raises(NotFound):
        goals.claim(PROGRAM_ID, "one")
    goals.buy(member, 100)
    goals.freeze(member)
    with pytest.raises(MemberFrozen):
        goals.claim(member, "one")


def test_states_and_when_they_begin_anew(goals: Goals) -> None:
    goals.challenge("open", acts("open"), is_automatic=False, points=1, recurrence=Recurrence.DAILY)
    chained = goals.challenge("share", acts("share"), requires=("open",), recurrence=Recurrence.WEEKLY)
    member = goals.enroll()
    challenge = goals.of_code("open")
    assert state_of(chained, None, is_unlocked=False) is ChallengeState.LOCKED
    assert state_of(challenge, None, is_unlocked=True) is ChallengeState.OPEN
    goals.act(member, "open")
    assert state_of(challenge, goals.progress(member, "open"), is_unlocked=True) is ChallengeState.COMPLETED
    goals.claim(member, "open")
    assert state_of(challenge, goals.progress(member, "open"), is_unlocked=False) is ChallengeState.CLAIMED
    day = calendars.local_date(goals.now, SHANGHAI)  # Thursday, the 15th
    assert resets_at(challenge, day, SHANGHAI) == local("2026-01-16 00:00")
    assert resets_at(chained, day, SHANGHAI) == local("2026-01-19 00:00")
    monthly = goals.challenge("monthly", acts("x"), recurrence=Recurrence.MONTHLY)
    assert resets_at(monthly, day, SHANGHAI) == local("2026-02-01 00:00")
    once = goals.challenge("once", acts("x"))
    assert resets_at(once, day + timedelta(days=1), SHANGHAI) is None
