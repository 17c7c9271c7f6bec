"""Quizzes: one running attempt, the server's clock, scores, rewards for the best attempt, and standings."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.challenges.challenge import Step, StepKind
from domain.checks import NumberInvalid, TooMany
from domain.earning.rules import Cap, Period, Trigger
from domain.kernel import NotFound
from domain.points.account import MemberFrozen
from domain.quizzes.attempt import (
    Answer,
    AnswerQuiz,
    AnswersInvalid,
    QuizAnswered,
    QuizAttemptState,
    QuizAttemptsUsed,
    QuizClosed,
    QuizLate,
    QuizScored,
    QuizStanding,
    QuizStarted,
    may_show_answers,
    shuffled,
)
from domain.quizzes.quiz import Question, QuizInvalid, QuizReward, QuizUnknown
from tests.domain.goals import Goals, asks
from tests.domain.memory import PROGRAM_ID
from tests.domain.shop import fixed

THREE = (asks(1), asks(2, score=2), asks(3, score=3))
WORTH = (QuizReward(score_min=3, points=10), QuizReward(score_min=6, points=30))


@pytest.fixture
def goals() -> Goals:
    """A shop without rules of its own, so that every point is a quiz's."""
    return Goals(rules=())


def test_s39_answers_are_scored_and_the_score_is_worth_points(goals: Goals) -> None:
    goals.quiz(*THREE, rewards=WORTH)
    member = goals.enroll()
    begun = goals.start(member)
    assert goals.events == (QuizStarted(member_id=member, quiz="tea", attempt_id=begun.attempt.id),)
    goals.later(seconds=12)
    done = goals.answer(begun, 1, 2, 1)
    attempt = done.attempt
    assert (attempt.score, attempt.correct, attempt.milliseconds, attempt.points) == (3, 2, 12_000, 10)
    assert done.account.available == 10
    assert goals.events == (QuizScored(member_id=member, quiz="tea", attempt_id=attempt.id, score=3, points=10),)
    assert [(row.rule, row.amount) for row in goals.transactions(member)] == [("quiz-reward", 10)]
    assert goals.answer(begun, 1, 2, 1).is_repeat
    with pytest.raises(QuizAnswered):
        goals.answer(begun, 1, 2, 3)
    assert goals.account(member).available == 10


def test_of_several_options_all_and_only_the_right_ones_count(goals: Goals) -> None:
    both = Question(text="Which two?", options=("a", "b", "c"), correct=(1, 3), score=5)
    goals.quiz(both, attempts_max=4)
    member = goals.enroll()
    scores = []
    for options in ((1,), (1, 2, 3), (3, 1), ()):
        begun = goals.start(member)
        answers = (Answer(question=1, options=options),)
        scores.append(goals.run(AnswerQuiz(attempt_id=begun.attempt.id, answers=answers)).attempt.score)
    assert scores == [0, 0, 5, 0]


def test_the_server_s_clock_decides(goals: Goals) -> None:
    goals.quiz(*THREE, seconds=30, attempts_max=2)
    member = goals.enroll()
    begun = goals.start(member)
    assert begun.attempt.answer_by == goals.now + timedelta(seconds=30)
    goals.later(seconds=29, milliseconds=999)
    goals.answer(begun, 1)
    late = goals.start(member)
    goals.later(seconds=30)
    with pytest.raises(QuizLate) as refused:
        goals.answer(late, 1, 2, 3)
    assert refused.value.details == {"seconds": 30, "seconds_taken": 30}
    assert late.attempt.state_at(goals.now) is QuizAttemptState.LAPSED
    with pytest.raises(QuizAttemptsUsed) as used:
        goals.start(member)
    assert used.value.details == {"quiz": "tea", "attempts_max": 2}


def test_one_attempt_runs_at_a_time(goals: Goals) -> None:
    goals.quiz(*THREE, attempts_max=2)
    member = goals.enroll()
    first = goals.start(member)
    goals.later(seconds=10)
    again = goals.start(member)
    assert (again.is_repeat, again.attempt) == (True, first.attempt)
    goals.later(seconds=50)
    second = goals.start(member)
    assert (second.is_repeat, second.attempt.number) == (False, 2)


def test_the_best_attempt_is_worth_what_it_is_and_no_more(goals: Goals) -> None:
    goals.quiz(*THREE, rewards=WORTH, attempts_max=4)
    member = goals.enroll()
    tried = ((1, 2, 1), (1, 2, 1), (1, 2, 3), (1, 2, 3))
    given = [goals.answer(goals.start(member), *answers).attempt.points for answers in tried]
    assert (given, goals.account(member).available) == ([10, 0, 20, 0], 30)


def test_rules_and_challenges_wait_for_quizzes_too() -> None:
    daily = fixed(1, "daily", trigger=Trigger.QUIZ, caps=(Cap(period=Period.DAY, times=1),))
    goals = Goals(rules=(daily,))
    goals.challenge("scholar", Step(kind=StepKind.QUIZ, target=2), points=5)
    goals.quiz(*THREE, attempts_max=2)
    member = goals.enroll()
    goals.answer(goals.start(member), 1)
    goals.answer(goals.start(member), 1)
    assert (goals.counts(member, "scholar"), goals.account(member).available) == ((2,), 6)


def test_standings_are_by_score_then_time_then_the_first(goals: Goals) -> None:
    goals.quiz(*THREE, attempts_max=2)
    slow, quick, late, poor = (goals.enroll() for _ in range(4))
    for member, seconds, answers in (
        (slow, 20, (1, 2, 3)),
        (quick, 10, (1, 2, 3)),
        (late, 10, (1, 2, 3)),
        (poor, 1, (1,)),
        (slow, 15, (1, 2, 3)),
        (quick, 5, (1, 2)),
    ):
        begun = goals.start(member)
        goals.later(seconds=seconds)
        goals.answer(begun, *answers)
    rows = sorted(goals.state.rows(QuizStanding), key=lambda row: (row.lost, row.milliseconds, row.answered_at))
    assert [row.member_id for row in rows] == [quick, late, slow, poor]
    assert [(row.lost, row.milliseconds) for row in rows] == [(0, 10_000), (0, 10_000), (0, 15_000), (5, 1_000)]


def test_when_and_for_whom_it_is_closed(goals: Goals) -> None:
    starts = goals.now + timedelta(days=1)
    goals.quiz(*THREE, starts_at=starts, ends_at=starts + timedelta(days=1))
    member, frozen = goals.enroll(), goals.enroll()
    goals.freeze(frozen)
    with pytest.raises(QuizClosed, match="it starts at"):
        goals.start(member)
    goals.later(days=1)
    with pytest.raises(MemberFrozen):
        goals.start(frozen)
    with pytest.raises(QuizUnknown):
        goals.start(member, "coffee")
    with pytest.raises(NotFound):
        goals.start(PROGRAM_ID)
    goals.later(days=1)
    with pytest.raises(QuizClosed, match="it ended at"):
        goals.start(member)
    goals.quiz(*THREE, starts_at=starts, is_active=False)
    with pytest.raises(QuizClosed, match="it is not active"):
        goals.start(member)


def test_who_begins_just_before_the_end_may_answer_after_it(goals: Goals) -> None:
    quiz = goals.quiz(*THREE, ends_at=goals.now + timedelta(seconds=1))
    member = goals.enroll()
    begun = goals.start(member)
    goals.later(seconds=59)
    assert not quiz.has_ended(goals.now)
    assert goals.answer(begun, 1, 2, 3).attempt.score == 6
    goals.later(seconds=2)
    assert quiz.has_ended(goals.now)


def test_answers_are_shown_only_when_they_help_nobody(goals: Goals) -> None:
    quiz = goals.quiz(*THREE, attempts_max=2, ends_at=goals.now + timedelta(days=1))
    member = goals.enroll()
    assert not may_show_answers(quiz, (), goals.now)
    first = goals.answer(goals.start(member), 1).attempt
    assert not may_show_answers(quiz, (first,), goals.now)
    running = goals.start(member).attempt
    assert not may_show_answers(quiz, (first, running), goals.now)
    assert may_show_answers(quiz, (first, running), running.answer_by)
    assert may_show_answers(quiz, (), goals.now + timedelta(days=1, minutes=1))


@pytest.mark.parametrize(
    "answers",
    [
        (Answer(question=4, options=(1,)),),
        (Answer(question=0, options=(1,)),),
        (Answer(question=1, options=(1,)), Answer(question=1, options=(2,))),
        (Answer(question=1, options=(4,)),),
        (Answer(question=1, options=(1, 1)),),
    ],
)
def test_answers_name_what_there_is_each_once(goals: Goals, answers: tuple[Answer, ...]) -> None:
    goals.quiz(*THREE)
    member = goals.enroll()
    begun = goals.start(member)
    with pytest.raises(AnswersInvalid):
        goals.run(AnswerQuiz(attempt_id=begun.attempt.id, answers=answers))
    goals.answer(begun, 1)


def test_another_s_attempt_is_not_found(goals: Goals) -> None:
    goals.quiz(*THREE)
    member, other = goals.enroll(), goals.enroll()
    begun = goals.start(member)
    with pytest.raises(NotFound):
        goals.answer(begun, 1, member_id=other)
    with pytest.raises(NotFound):
        goals.run(AnswerQuiz(attempt_id=PROGRAM_ID, answers=()))
    assert goals.answer(begun, 1, member_id=member).attempt.score == 1


@given(st.binary(min_size=32, max_size=32), st.integers(1, 50))
def test_every_question_is_asked_once_in_an_order_of_the_seed(seed: bytes, count: int) -> None:
    order = shuffled(count, seed)
    assert sorted(order) == list(range(1, count + 1))
    assert order == shuffled(count, seed)


def test_every_order_of_three_questions_comes_as_often() -> None:
    seen = Counter(shuffled(3, number.to_bytes(32)) for number in range(600))
    assert set(seen.values()) == {100}
    assert len(seen) == 6


BAD_QUESTIONS = {
    "one option": (Question(text="?", options=("a",), correct=(1,)), ("questions", "0", "options")),
    "an option twice": (Question(text="?", options=("a", "a"), correct=(1,)), ("questions", "0", "options")),
    "nothing right": (Question(text="?", options=("a", "b"), correct=()), ("questions", "0", "correctOptions")),
    "what is not there": (Question(text="?", options=("a", "b"), correct=(3,)), ("questions", "0", "correctOptions")),
}


@pytest.mark.parametrize("bad", BAD_QUESTIONS)
def test_a_question_that_cannot_be_answered_is_refused(goals: Goals, bad: str) -> None:
    question, field = BAD_QUESTIONS[bad]
    with pytest.raises(QuizInvalid) as refused:
        goals.quiz(question)
    assert refused.value.field == field


def test_what_else_is_refused(goals: Goals) -> None:
    with pytest.raises(QuizInvalid, match="at least one question"):
        goals.quiz()
    with pytest.raises(TooMany):
        goals.quiz(*(asks() for _ in range(51)))
    with pytest.raises(NumberInvalid):
        goals.quiz(*THREE, seconds=4)
    with pytest.raises(QuizInvalid, match="worth more points"):
        goals.quiz(*THREE, rewards=(QuizReward(score_min=1, points=5), QuizReward(score_min=2, points=5)))
    with pytest.raises(NumberInvalid):
        goals.quiz(*THREE, rewards=(QuizReward(score_min=7, points=5),))


def test_questions_are_fixed_once_it_has_begun(goals: Goals) -> None:
    soon = goals.now + timedelta(days=1)
    goals.quiz(*THREE, starts_at=soon)
    quiz = goals.quiz(asks(), starts_at=soon)
    goals.later(days=1)
    for field, questions, more in (
        ("questions", THREE, {}),
        ("seconds", quiz.questions, {"seconds": 61}),
        ("startsAt", quiz.questions, {"starts_at": goals.now + timedelta(days=1)}),
    ):
        with pytest.raises(QuizInvalid, match="has begun") as refused:
            goals.quiz(*questions, **more)  # type: ignore[arg-type]
        assert refused.value.field == (field,)
    goals.quiz(*quiz.questions, attempts_max=3, rewards=(QuizReward(score_min=1, points=1),))
    with pytest.raises(QuizInvalid, match="fewer than 3"):
        goals.quiz(*quiz.questions, attempts_max=2)
