"""Races of challenges and quizzes with exact counts, within one engine and between two, like processes."""

from typing import Any

import asyncpg
import pytest

from domain.achievements.badging import AwardBadge
from domain.achievements.editing import SaveBadge
from domain.activities import RecordActivity
from domain.challenges.badges import MemberBadge
from domain.challenges.challenge import Badge, Recurrence
from domain.challenges.progress import ChallengeCompletion, ChallengeMark, ChallengeProgress
from domain.kernel import Command
from domain.quizzes.attempt import QuizAttempt, QuizStanding, StartQuiz
from domain.quizzes.quiz import QuizReward
from persistence.engine import Engine
from tests.domain.goals import acts, buys, gives, spends
from tests.persistence import engines, goals, malls
from tests.persistence.engines import Shop

ROUNDS = 10


@pytest.fixture(params=["one engine", "two engines"])
def shops(request: pytest.FixtureRequest, shop: Shop, other_engine: Engine) -> tuple[Shop, ...]:
    """The same shop through one engine, or through two."""
    return (shop,) if request.param == "one engine" else (shop, shop.at(other_engine))


async def race(shops: tuple[Shop, ...], commands: list[Command[Any]]) -> list[Any]:
    """Tell all commands at once, in turns to each engine. What became of each."""
    told = [shops[number % len(shops)].submit(command) for number, command in enumerate(commands)]
    return await engines.all_answers(told)


async def test_purchases_that_complete_a_challenge_at_once_are_rewarded_once(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    await goals.challenge(shop, "two", buys(2), reward=gives(1_000))
    members = [await shop.enroll() for _ in range(ROUNDS)]
    for number, member in enumerate(members):
        bought: list[Command[Any]] = [goals.buy(member, f"o-{number}-{till}", 100) for till in range(4)]
        assert engines.tally(await race(shops, bought)) == {"done": 4}
    books = await engines.books(own, shop.program_id)
    assert {(row.counts, row.completed, row.rewarded, row.made) for row in books.of(ChallengeProgress)} == {
        ((4,), 1, 1, 1)
    }
    assert (len(books.of(ChallengeCompletion)), len(books.of(ChallengeMark))) == (ROUNDS, 4 * ROUNDS)
    # One point a yuan, and the reward once.
    assert {books.account(member).available for member in members} == {1_004}
    assert books.check() == ROUNDS


async def test_a_challenge_is_claimed_once(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    pool = await malls.open_pool(shop)
    await goals.challenge(shop, "one", acts("share"), reward=gives(50, pool_id=pool.id), is_automatic=False)
    members = [await shop.enroll() for _ in range(ROUNDS)]
    for number, member in enumerate(members):
        shared = RecordActivity(member=engines.ref(member), type="share", external_id=f"a-{number}")
        await shop.run(shared)
        answers = await race(shops, [goals.claim(member, "one")] * 4)
        assert engines.tally(answers) == {"done": 1, "CHALLENGE_CLAIMED": 3}
    books = await engines.books(own, shop.program_id)
    assert {books.account(member).available for member in members} == {50}
    completions = books.of(ChallengeCompletion)
    assert len({row.voucher_id for row in completions}) == ROUNDS
    assert books.check() == ROUNDS


async def test_purchases_and_refunds_at_once_come_to_what_stands(
    shops: tuple[Shop, ...], own: asyncpg.Connection
) -> None:
    shop = shops[0]
    again = {"recurrence": Recurrence.REPEATABLE, "rounds_max": 100}
    await goals.challenge(shop, "again", spends(1_000), reward=gives(7), **again)
    member = await shop.enroll()
    await engines.all_answers([shop.submit(goals.buy(member, f"before-{number}")) for number in range(20)])
    told: list[Command[Any]] = []
    for number in range(20):
        told += [
            goals.refund(f"before-{number}"),
            goals.buy(member, f"after-{number}"),
            goals.refund(f"before-{number}"),
        ]
    answers = await race(shops, told)
    assert engines.tally(answers) == {"done": 60}
    books = await engines.books(own, shop.program_id)
    (row,) = books.of(ChallengeProgress)
    assert (row.counts, row.completed, row.rewarded) == ((20_000,), 20, 20)
    completions = books.of(ChallengeCompletion)
    assert sum(each.is_open for each in completions) == 20
    assert row.made == len(completions)
    account = books.account(member)
    assert account.available - account.debt == 20 * 10 + 20 * 7
    assert books.check() == 1


async def test_a_badge_is_given_once(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    await shop.run(SaveBadge(badge=Badge(code="friend", name="Friend", unlock_points=15)))
    for number in range(ROUNDS):
        member = await shop.enroll()
        award = AwardBadge(member=engines.ref(member), badge="friend", reason="kind")
        answers = await race(shops, [award, goals.buy(member, f"o-{number}", 2_000), award])
        tally = engines.tally(answers)
        assert tally in ({"done": 2, "BADGE_ALREADY_AWARDED": 1}, {"done": 1, "BADGE_ALREADY_AWARDED": 2})
    badges = (await engines.books(own, shop.program_id)).of(MemberBadge)
    assert (len(badges), len({row.member_id for row in badges})) == (ROUNDS, ROUNDS)


async def test_one_attempt_is_begun_and_answered_once(shops: tuple[Shop, ...], own: asyncpg.Connection) -> None:
    shop = shops[0]
    await goals.quiz(shop, attempts_max=3, rewards=(QuizReward(score_min=2, points=20),))
    members = [await shop.enroll() for _ in range(ROUNDS)]
    for member in members:
        start = StartQuiz(member=engines.ref(member), code="tea")
        begun = await race(shops, [start] * 4)
        assert sorted(answer.result.is_repeat for answer in begun) == [False, True, True, True]
        assert len({answer.result.attempt.id for answer in begun}) == 1
        right = goals.answering(begun[0].result, 1, 2)
        wrong = goals.answering(begun[0].result, 2, 1)
        answers = await race(shops, [right, right, wrong, right])
        tally = engines.tally(answers)
        assert tally in ({"done": 3, "QUIZ_ANSWERED": 1}, {"done": 1, "QUIZ_ANSWERED": 3})
    books = await engines.books(own, shop.program_id)
    attempts, standings = books.of(QuizAttempt), books.of(QuizStanding)
    assert (len(attempts), len(standings)) == (ROUNDS, ROUNDS)
    for attempt in attempts:
        assert attempt.points == (20 if attempt.score == 2 else 0) == books.account(attempt.member_id).available
    assert books.check() == ROUNDS
