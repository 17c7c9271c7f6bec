"""What a refund takes back of a referral: both rewards, in the order of L8, once (R3)."""

from hypothesis import given
from hypothesis import strategies as st

from domain.achievements.editing import SaveChallenge
from domain.challenges.challenge import Challenge, Step, StepKind
from domain.challenges.progress import ChallengeProgress
from domain.points.account import ShortfallOutcome
from domain.programs import ShortfallPolicy
from domain.referrals.referral import ReferralState
from tests.domain.friends import TERMS, Club, order_of
from tests.domain.goals import gives


def test_r3_a_refund_takes_both_back_while_they_are_pending(club: Club) -> None:
    referrer, friend = club.pair()
    club.buy(friend, 5_000)
    refunded = club.refund(order_of(club, friend))
    referral = club.referral(friend)
    assert (referral.state, referral.ended_at) == (ReferralState.CLAWED_BACK, club.now)
    assert [club.history(member)[-1] for member in (referrer, friend)] == [("CANCEL", -100), ("CANCEL", -50)]
    assert club.transactions(referrer)[-1].source_id == refunded.refund.id
    assert (refunded.refund.points_due, refunded.account.pending) == (0, 0)
    assert [event.member_id for event in club.events] == [friend, referrer]
    club.later(days=30)
    assert [club.settle(member).available for member in (referrer, friend)] == [0, 0]


def test_r3_a_refund_takes_both_back_after_they_were_rewarded_in_the_order_of_l8(club: Club) -> None:
    referrer, friend = club.pair()
    club.buy(friend, 5_000)
    club.later(days=7)
    club.settle_referral(friend)
    club.adjust(referrer, 30)
    club.spend(referrer, 60)
    club.refund(order_of(club, friend))
    assert club.referral(friend).state is ReferralState.CLAWED_BACK
    assert (club.figures(referrer), club.figures(friend)) == ((0, 0, 0, 30), (0, 0, 0, 0))
    shortfall = club.shortfall(referrer)
    assert (shortfall.amount, shortfall.outcome) == (30, ShortfallOutcome.DEBT)
    reward = club.referral(friend).referrer_reward
    assert reward is not None
    assert reward.points_taken_back == 70
    for member in (referrer, friend):
        club.replay(member)


def test_l8_what_the_referrer_has_spent_goes_by_the_program_s_policy() -> None:
    club = Club(shortfall_policy=ShortfallPolicy.CLAMP)
    referrer, friend = club.pair()
    club.buy(friend, 5_000)
    club.later(days=7)
    club.settle(referrer)
    club.spend(referrer, 100)
    club.refund(order_of(club, friend))
    assert club.figures(referrer) == (0, 0, 0, 0)
    assert club.shortfall(referrer).outcome is ShortfallOutcome.WRITTEN_OFF


def test_r3_a_partial_refund_takes_back_when_less_than_the_minimum_remains_and_once(club: Club) -> None:
    referrer, friend = club.pair()
    club.buy(friend, 6_000)
    club.refund(order_of(club, friend), 1_000)
    assert club.referral(friend).state is ReferralState.QUALIFIED
    assert club.account(referrer).pending == 100
    club.refund(order_of(club, friend), 1)
    assert (club.account(referrer).pending, club.account(friend).pending) == (0, 0)
    before = club.history(referrer)
    club.refund(order_of(club, friend), 1)
    club.refund(order_of(club, friend))
    assert club.history(referrer) == before, "once"


def test_l7_the_minimum_is_that_of_the_time_of_the_order(club: Club) -> None:
    referrer, friend = club.pair()
    club.buy(friend, 6_000)
    club.promise(**{**TERMS, "minimum_minor": 100})
    club.refund(order_of(club, friend), 2_000)
    assert club.account(referrer).pending == 0


def test_r3_a_refund_of_another_order_takes_nothing(club: Club) -> None:
    referrer, friend = club.pair()
    small = club.buy(friend, 100).purchase
    club.buy(friend, 5_000)
    club.refund(small)
    assert club.account(referrer).pending == 100


def test_r3_what_was_taken_back_is_not_earned_again(club: Club) -> None:
    referrer, friend = club.pair()
    club.buy(friend, 5_000)
    club.refund(order_of(club, friend))
    club.buy(friend, 9_000)
    assert (club.account(referrer).pending, club.account(friend).pending) == (0, 0)


def test_r3_a_frozen_referrer_gives_back_too(club: Club) -> None:
    referrer, friend = club.pair()
    club.buy(friend, 5_000)
    club.freeze(referrer)
    club.refund(order_of(club, friend))
    assert club.figures(referrer) == (0, 0, 0, 0)


@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=6), st.integers(0, 9))
def test_r3_however_an_order_is_refunded_each_side_has_all_or_nothing(parts: list[int], days: int) -> None:
    club = Club()
    referrer, friend = club.pair()
    club.buy(friend, 8_000)
    club.later(days=days)
    left = 8_000
    for part in parts:
        refunded = min(part, left)
        if refunded:
            club.refund(order_of(club, friend), refunded)
        left -= refunded
        given = (100, 50) if left >= 5_000 else (0, 0)
        figures = (club.settle(referrer), club.settle(friend))
        assert tuple(account.available + account.pending for account in figures) == given
    for member in (referrer, friend):
        club.replay(member)


def test_a_challenge_counts_a_friend_no_longer_whose_order_is_refunded(club: Club) -> None:
    step = Step(kind=StepKind.REFERRAL, target=1)
    club.run(SaveChallenge(challenge=Challenge(code="friends", name="Friends", steps=(step,), reward=gives(4))))
    referrer, friend = club.pair()
    club.buy(friend, 5_000)
    assert (club.account(referrer).available, club.account(referrer).pending) == (4, 100)
    club.refund(order_of(club, friend))
    assert (club.account(referrer).available, club.account(referrer).pending) == (0, 0)
    (progress,) = club.state.rows(ChallengeProgress)
    assert progress.counts == (0,)
