"""Challenges, badges and quizzes on a real PostgreSQL: one of everything, and short words for more."""

from typing import Any
from uuid import UUID

from domain.achievements.badging import AwardBadge, RevokeBadge
from domain.achievements.claiming import ClaimChallenge
from domain.achievements.editing import SaveBadge, SaveChallenge
from domain.challenges.badges import MemberBadge
from domain.challenges.challenge import Badge, Challenge, ChallengeReward, Recurrence, Step
from domain.challenges.challenge_sets import ChallengeSet
from domain.challenges.progress import ChallengeCompletion, ChallengeMark, ChallengeProgress
from domain.purchases.recording import RecordPurchase
from domain.purchases.refund import PurchaseRef, RefundPurchase
from domain.quizzes.attempt import Answer, AnswerQuiz, Attempted, QuizAttempt, QuizStanding, StartQuiz
from domain.quizzes.quiz import Question, Quiz, QuizReward, QuizTerms, SaveQuiz
from tests.domain.goals import acts, asks, buys, gives, spends
from tests.persistence import engines, malls
from tests.persistence.engines import Shop

# The kinds whose tables are those of challenges and quizzes.
NEW_KINDS = (
    ChallengeSet,
    ChallengeProgress,
    ChallengeCompletion,
    ChallengeMark,
    MemberBadge,
    Quiz,
    QuizAttempt,
    QuizStanding,
)


async def challenge(shop: Shop, code: str, *steps: Step, reward: ChallengeReward | None = None, **more: Any) -> None:
    """Save a challenge."""
    told = Challenge(code=code, name=code, steps=steps, reward=reward or gives(10), **more)
    await shop.run(SaveChallenge(challenge=told))


def buy(member_id: UUID, external_id: str, amount_minor: int = 1_000) -> RecordPurchase:
    """A purchase."""
    return RecordPurchase(
        member=engines.ref(member_id), external_id=external_id, amount_minor=amount_minor, currency_code="CNY"
    )


def refund(external_id: str, number: str = "r") -> RefundPurchase:
    """All of a purchase back."""
    return RefundPurchase(purchase=PurchaseRef(external_id=external_id), external_id=number)


def claim(member_id: UUID, code: str) -> ClaimChallenge:
    """Claim a challenge."""
    return ClaimChallenge(member=engines.ref(member_id), code=code)


def answering(begun: Attempted, *options: int) -> AnswerQuiz:
    """Answer a quiz, one option each."""
    answers = tuple(Answer(question=number, options=(option,)) for number, option in enumerate(options, start=1))
    return AnswerQuiz(attempt_id=begun.attempt.id, answers=answers)


async def quiz(shop: Shop, *questions: Question, code: str = "tea", **more: Any) -> Quiz:
    """Save a quiz."""
    terms = QuizTerms(code=code, name="Tea", questions=questions or (asks(1), asks(2)), seconds=60, **more)
    saved: Quiz = await shop.run(SaveQuiz(terms=terms))
    return saved


async def furnish(shop: Shop, member_id: UUID) -> None:
    """One of every kind, with every field told somewhere."""
    await shop.run(SaveBadge(badge=Badge(code="patron", name="Patron", description="x", unlock_points=10**9)))
    await shop.run(SaveBadge(badge=Badge(code="friend", name="Friend", picture_url="https://example.com/x.png")))
    pool = await malls.open_pool(shop)
    growth = (buys(1, qualifying_points=5, name="buy"), spends(500))
    await challenge(shop, "growth", *growth, qualifying_points=7, reward=gives(3, badge="patron"))
    await challenge(
        shop,
        "again",
        spends(400),
        requires=("growth",),
        recurrence=Recurrence.REPEATABLE,
        rounds_max=5,
        is_automatic=False,
        reward=gives(2, pool_id=pool.id),
    )
    await challenge(shop, "daily", acts("share"), recurrence=Recurrence.DAILY)
    await shop.run(buy(member_id, "goal-1"))
    await shop.run(buy(member_id, "goal-2"))
    await shop.run(claim(member_id, "again"))
    await shop.run(refund("goal-2"))
    member = engines.ref(member_id)
    await shop.run(AwardBadge(member=member, badge="friend", reason="kind"))
    await shop.run(RevokeBadge(member=member, badge="friend", reason="mistake"))
    await quiz(shop, asks(1), asks(2), attempts_max=2, rewards=(QuizReward(score_min=1, points=4),))
    begun: Attempted = await shop.run(StartQuiz(member=member, code="tea"))
    await shop.run(answering(begun, 1, 1))
    await shop.run(StartQuiz(member=member, code="tea"))
