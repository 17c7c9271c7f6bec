"""Boards of streaks, friends and challenges: what a few members did is what they show, also after it is taken back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest_asyncio

from domain import calendars
from domain.achievements.editing import SaveChallenge
from domain.activities import RecordActivity, ReverseActivity
from domain.challenges.challenge import Challenge, ChallengeReward, Difficulty, Step, StepKind
from domain.check_ins.activity import MakeUpTerms
from domain.check_ins.check_in import MakeUpPayment
from domain.check_ins.saving import CheckInTerms, SaveCheckInActivity
from domain.check_ins.signing import CreateCheckIn, MakeUpCheckIn
from domain.enrollments import EnrollMember
from domain.leaderboards.board import BoardMetric, BoardWindow, Leaderboard
from domain.members import Profile
from domain.purchases.recording import RecordPurchase
from domain.referrals.code import MakeReferralCode
from domain.referrals.policy import ReferralPolicy, SaveReferralPolicy
from persistence import clock
from tests.persistence import engines
from tests.persistence.boards import ZONE, Arena


async def scores(arena: Arena, board: Leaderboard) -> dict[UUID, int]:
    """What members have on a board."""
    await arena.settle()
    shown = await arena.shown(await arena.which(board))
    return {row.member_id: row.score for row in shown}


@pytest_asyncio.fixture
async def people(arena: Arena) -> AsyncIterator[list[UUID]]:
    """Three members who have been there for a month."""
    joined = clock.now() - timedelta(days=40)
    found = [
        await arena.shop.run(EnrollMember(profile=Profile(external_id=name), enrolled_at=joined))
        for name in ("a", "b", "c")
    ]
    yield [enrolled.member.id for enrolled in found]


async def test_b1_a_streak_is_the_longest_run_of_its_window(arena: Arena, people: list[UUID]) -> None:
    """Days that were made up count in their own window; a run is cut where the window is."""
    make_up = MakeUpTerms(days=10, per_month=31, points=0)
    for code in ("daily", "other"):
        begun = clock.now() - timedelta(days=30)
        terms = CheckInTerms(ladder=(1,), make_up=make_up, starts_at=begun)
        await arena.shop.run(SaveCheckInActivity(code=code, name=code.title(), terms=terms))
    ever = await arena.board(metric=BoardMetric.CHECK_IN_STREAK)
    of_day = await arena.board(BoardWindow.DAY, metric=BoardMetric.CHECK_IN_STREAK)
    first, second, third = people
    today = calendars.local_date(clock.now(), ZONE)
    for member, activity, back in (
        (first, "daily", (0, 1, 2, 4)),
        (second, "daily", (1, 2)),
        (second, "other", (0, 3, 4, 5, 6)),
        (third, "daily", (0,)),
    ):
        for days in back:
            about = {"member": engines.ref(member), "activity": activity}
            day = calendars.add_days(today, -days)
            await arena.shop.run(
                CreateCheckIn(**about) if days == 0 else MakeUpCheckIn(**about, day=day, payment=MakeUpPayment.POINTS)
            )
    assert await scores(arena, ever) == {first: 3, second: 4, third: 1}
    assert await scores(arena, of_day) == {first: 1, second: 1, third: 1}


async def test_r3_friends_count_once_rewarded_and_not_after_a_refund(arena: Arena, people: list[UUID]) -> None:
    policy = ReferralPolicy(id=arena.shop.program_id, program_id=arena.shop.program_id, refund_days=0)
    await arena.shop.run(SaveReferralPolicy(policy=policy))
    board = await arena.board(metric=BoardMetric.REFERRALS)
    referrer = people[0]
    code = (await arena.shop.run(MakeReferralCode(member=engines.ref(referrer)))).code.code
    bought = []
    for number in range(3):
        friend = await arena.shop.run(EnrollMember(profile=Profile(external_id=f"f{number}"), referral_code=code))
        if number < 2:
            bought.append(await arena.shop.run(purchase(friend.member.id)))
    assert await scores(arena, board) == {referrer: 2}
    await arena.shop.run(engines.refund(bought[0].purchase.id))
    assert await scores(arena, board) == {referrer: 1}


def purchase(member_id: UUID) -> RecordPurchase:
    return RecordPurchase(
        member=engines.ref(member_id), external_id=engines.key(), amount_minor=10_000, currency_code="CNY"
    )


async def test_challenges_count_by_their_score_until_they_are_undone(arena: Arena, people: list[UUID]) -> None:
    step = Step(kind=StepKind.ACTIVITY, activity_type="review", target=1)
    reward = ChallengeReward(points=5)
    hard = Challenge(code="review", name="Review", steps=(step,), reward=reward, difficulty=Difficulty.HARD)
    saved = await arena.shop.run(SaveChallenge(challenge=hard))
    board = await arena.board(metric=BoardMetric.CHALLENGE_SCORE)
    done = [
        await arena.shop.run(RecordActivity(member=engines.ref(member), type="review", external_id=str(member)))
        for member in people[:2]
    ]
    score = saved.challenge.score
    assert score > 0
    assert await scores(arena, board) == {people[0]: score, people[1]: score}
    await arena.shop.run(ReverseActivity(activity_id=done[0].activity.id, reason="removed"))
    assert await scores(arena, board) == {people[1]: score}
