"""What a quiz is (答题竞赛): its questions, how long there is to answer them, and what a score is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import ClassVar, Final

from domain import checks
from domain.earning import checking
from domain.earning.effects import CODE_MAX, POINTS_OF_RULE_MAX
from domain.kernel import Command, Decision, Event, Refusal, Row, State
from domain.rewards.reward import DESCRIPTION_MAX

QUESTIONS_MAX: Final = 50
OPTIONS_MAX: Final = 10
SCORE_MAX: Final = 1000
SECONDS_MAX: Final = 24 * 60 * 60
ATTEMPTS_MAX: Final = 20
REWARDS_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question with its options, numbered from 1. Whoever chooses just the `correct` ones has its `score`."""

    text: str
    options: tuple[str, ...]
    correct: tuple[int, ...]
    score: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class QuizReward:
    """From a score on: so many points for the best attempt."""

    score_min: int
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiz(Row):
    """A quiz, from `starts_at` until before `ends_at`: all questions at once, in an order of the member's own.

    `seconds` are measured by the server from the start of an attempt. The highest of the `rewards` that a member's
    score reaches is what its attempts give together.
    """

    is_configuration: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("code",)

    code: str
    name: str
    description: str | None = None
    questions: tuple[Question, ...]
    seconds: int
    attempts_max: int = 1
    rewards: tuple[QuizReward, ...] = ()
    starts_at: datetime
    ends_at: datetime | None = None
    is_active: bool = True
    created_at: datetime

    @property
    def score_max(self) -> int:
        """What answering everything right scores."""
        return sum(question.score for question in self.questions)

    def has_ended(self, now: datetime) -> bool:
        """Whether nobody may begin it any more, nor be at it still: the last may begin just before the end."""
        return self.ends_at is not None and (now - self.ends_at).total_seconds() >= self.seconds

    def points_for(self, score: int) -> int:
        """What a score is worth."""
        return max((reward.points for reward in self.rewards if reward.score_min <= score), default=0)

    def score_of(self, answers: Mapping[int, Sequence[int]]) -> tuple[int, int]:
        """The score of answers, by the numbers of questions from 1, and how many questions they answer right."""
        right = [
            question
            for number, question in enumerate(self.questions, start=1)
            if set(answers.get(number, ())) == set(question.correct)
        ]
        return sum(question.score for question in right), len(right)


class QuizInvalid(Refusal):
    """A quiz contradicts itself, or cannot be changed so. Details: `quiz`, `why`."""

    code = "QUIZ_INVALID"
    text = "The quiz {quiz!r}: {why}"


class QuizUnknown(Refusal):
    """No quiz of this program has the code. Details: `quiz`."""

    code = "QUIZ_UNKNOWN"
    text = "This program has no quiz {quiz!r}."


@dataclass(frozen=True, slots=True, kw_only=True)
class QuizSaved(Event):
    """A quiz was made or edited."""

    quiz: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuizTerms:
    """What staff tells of a quiz. Without a start it begins when it is saved first."""

    code: str
    name: str
    questions: tuple[Question, ...]
    seconds: int
    description: str | None = None
    attempts_max: int = 1
    rewards: tuple[QuizReward, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveQuiz(Command[Quiz]):
    """Save a quiz: in place of the one with its code, or as a new one.

    Once it has begun, questions and time are fixed, so that all answer the same. Refuses `QuizInvalid`.
    """

    terms: QuizTerms

    def decide(self, state: State) -> Decision[Quiz]:
        terms = _checked(self.terms)
        before = state.find_by(Quiz, "code", terms.code)
        if before is not None:
            before = state.change(Quiz, before.id)
        starts_at = terms.starts_at or (state.now if before is None else before.starts_at)
        checking.check_times(starts_at, terms.ends_at, lambda field, why: _contradiction(terms.code, field, why))
        if before is not None and before.starts_at <= state.now:
            _refuse_other_questions(before, terms, starts_at)
        quiz = Quiz(
            id=state.new_id() if before is None else before.id,
            program_id=state.program_id,
            code=terms.code,
            name=terms.name,
            description=terms.description,
            questions=terms.questions,
            seconds=terms.seconds,
            attempts_max=terms.attempts_max,
            rewards=terms.rewards,
            starts_at=starts_at,
            ends_at=terms.ends_at,
            is_active=terms.is_active,
            created_at=state.now if before is None else before.created_at,
        )
        if quiz == before:
            return Decision(quiz)
        return Decision(quiz, save=(quiz,), events=(QuizSaved(quiz=quiz.code),))


def _contradiction(code: str, field: str, why: str) -> QuizInvalid:
    return QuizInvalid(field=(field,), quiz=code, why=why)


def _refuse_other_questions(before: Quiz, terms: QuizTerms, starts_at: datetime) -> None:
    remedy = "end it, and save another one under its own code."
    told = {"questions": terms.questions, "seconds": terms.seconds, "startsAt": starts_at}
    kept = {"questions": before.questions, "seconds": before.seconds, "startsAt": before.starts_at}
    for field, value in told.items():
        if value != kept[field]:
            raise _contradiction(before.code, field, f"it has begun, and its {field} cannot change any more: {remedy}")
    if terms.attempts_max < before.attempts_max:
        why = f"it has begun, and its attempts cannot become fewer than {before.attempts_max}: {remedy}"
        raise _contradiction(before.code, "attemptsMax", why)


def _checked(terms: QuizTerms) -> QuizTerms:
    code = checks.text("code", terms.code, length_max=CODE_MAX)
    checks.number("seconds", terms.seconds, minimum=5, maximum=SECONDS_MAX)
    checks.number("attemptsMax", terms.attempts_max, minimum=1, maximum=ATTEMPTS_MAX)
    checks.at_most("questions", terms.questions, QUESTIONS_MAX)
    if not terms.questions:
        raise _contradiction(code, "questions", "it needs at least one question.")
    questions = checks.each("questions", terms.questions, lambda question: _checked_question(code, question))
    return replace(
        terms,
        code=code,
        name=checks.text("name", terms.name),
        description=checks.optional_text("description", terms.description, length_max=DESCRIPTION_MAX),
        questions=questions,
        rewards=_checked_rewards(code, terms.rewards, sum(question.score for question in questions)),
    )


def _checked_question(code: str, question: Question) -> Question:
    options = checks.texts("options", question.options)
    checks.at_most("options", question.options, OPTIONS_MAX)
    if len(options) < 2 or len(options) != len(question.options):
        raise _contradiction(code, "options", "a question has at least two options, each told once.")
    correct = tuple(sorted(set(question.correct)))
    if not correct or not set(correct) <= set(range(1, len(options) + 1)):
        why = f"the correct options are told by their numbers, 1 to {len(options)}, and there is at least one."
        raise _contradiction(code, "correctOptions", why)
    checks.number("score", question.score, minimum=1, maximum=SCORE_MAX)
    return Question(
        text=checks.text("text", question.text, length_max=1000),
        options=options,
        correct=correct,
        score=question.score,
    )


def _checked_rewards(code: str, rewards: tuple[QuizReward, ...], score_max: int) -> tuple[QuizReward, ...]:
    checks.at_most("rewards", rewards, REWARDS_MAX)
    for reward in rewards:
        checks.number("rewards.scoreMin", reward.score_min, minimum=0, maximum=score_max)
        checks.points("rewards.points", reward.points, maximum=POINTS_OF_RULE_MAX)
    ordered = sorted(rewards, key=lambda reward: reward.score_min)
    for lower, upper in pairwise(ordered):
        if lower.score_min == upper.score_min or lower.points >= upper.points:
            raise _contradiction(code, "rewards", "a higher score is worth more points, and each score is told once.")
    return tuple(ordered)
