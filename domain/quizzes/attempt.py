"""A member's attempts at a quiz: begun and answered once each, within the time that the server measures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain import checks, members
from domain.earning.rules import EarningKind, EarningRule, Trigger
from domain.kernel import FAMILY, Command, Decision, Event, NotFound, Refusal, Row, State, Want, derived_id
from domain.members import MemberRef
from domain.points.account import PointsAccount
from domain.points.posting import Posting, open_posting
from domain.programs import Program
from domain.quizzes.quiz import QUESTIONS_MAX, Quiz, QuizUnknown
from domain.tiers.tier import Tier

# Under what the points of a score stand in the ledger.
REWARD_RULE: Final = "quiz-reward"


class QuizAttemptState(StrEnum):
    """Where an attempt is."""

    RUNNING = "RUNNING"  # begun, and there is time left
    ANSWERED = "ANSWERED"
    LAPSED = "LAPSED"  # not answered in time; it counts as an attempt all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Which options were chosen for a question, all by their numbers in the quiz, from 1."""

    question: int
    options: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuizAttempt(Row):
    """One attempt of a member. `order` are the numbers of the questions as this member sees them.

    Its id comes of the quiz, the member and its number. `rewarded` are the points that its score was worth beyond
    those of earlier attempts; `points` all that rules gave for it.
    """

    parent: ClassVar[str | None] = "member_id"
    guard: ClassVar[type[Row] | None] = PointsAccount

    member_id: UUID
    quiz_id: UUID
    number: int
    order: tuple[int, ...]
    started_at: datetime
    answer_by: datetime
    answers: tuple[Answer, ...] = ()
    answered_at: datetime | None = None
    milliseconds: int | None = None
    score: int = 0
    correct: int = 0
    rewarded: int = 0
    points: int = 0

    def state_at(self, now: datetime) -> QuizAttemptState:
        """The state as it is at an instant."""
        if self.answered_at is not None:
            return QuizAttemptState.ANSWERED
        return QuizAttemptState.RUNNING if now < self.answer_by else QuizAttemptState.LAPSED


@dataclass(frozen=True, slots=True, kw_only=True)
class QuizStanding(Row):
    """A member's best attempt: the highest score, then the shortest time, then the earliest answer.

    `lost` is what is missing to the highest score there is: the fewer the better, like the milliseconds.
    """

    quiz_id: UUID
    member_id: UUID
    attempt_id: UUID
    lost: int
    score: int
    milliseconds: int
    answered_at: datetime


class QuizClosed(Refusal):
    """The quiz is not active, has not begun, or is over. Details: `quiz`, `why`."""

    code = "QUIZ_CLOSED"
    text = "The quiz {quiz!r} cannot be begun: {why}."


class QuizAttemptsUsed(Refusal):
    """The member has begun the quiz as often as it may. Details: `quiz`, `attempts_max`."""

    code = "QUIZ_ATTEMPTS_USED"
    text = "The quiz {quiz!r} may be begun {attempts_max} times; this member has done so."


class QuizLate(Refusal):
    """The answers came after the time was over. Details: `seconds` there were, `seconds_taken`."""

    code = "QUIZ_LATE"
    text = "There were {seconds} seconds to answer; the answers came after {seconds_taken}."


class QuizAnswered(Refusal):
    """The attempt was answered before, otherwise."""

    code = "QUIZ_ANSWERED"
    text = "The attempt was answered before, with other answers; the first ones count."


class AnswersInvalid(Refusal):
    """An answer names a question or an option that there is not, or one twice. Details: `why`."""

    code = "ANSWERS_INVALID"
    text = "The answers cannot be so: {why}."


@dataclass(frozen=True, slots=True, kw_only=True)
class QuizStarted(Event):
    """A member began a quiz."""

    quiz: str
    attempt_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class QuizScored(Event):
    """A member answered a quiz."""

    quiz: str
    attempt_id: UUID
    score: int
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """An attempt and the account after it. `is_repeat`: it had been begun, or answered just so, before."""

    attempt: QuizAttempt
    quiz: Quiz
    account: PointsAccount
    is_repeat: bool = False


def attempt_id(quiz_id: UUID, member_id: UUID, number: int) -> UUID:
    """The id of a member's `number`-th attempt: two that would begin it meet in it."""
    return derived_id(quiz_id, f"{member_id}|{number}")


def standing_id(quiz_id: UUID, member_id: UUID) -> UUID:
    """The id of a member's standing in a quiz."""
    return derived_id(quiz_id, f"{member_id}|best")


def attempts_of(state: State, quiz: Quiz, member_id: UUID) -> tuple[QuizAttempt, ...]:
    """The attempts that a member has begun, the first one first. The member's account must be locked."""
    keys = [attempt_id(quiz.id, member_id, number) for number in range(1, quiz.attempts_max + 1)]
    state.need(*(Want(QuizAttempt, key, is_locked=True) for key in keys))
    found = (state.find(QuizAttempt, key) for key in keys)
    return tuple(attempt for attempt in found if attempt is not None)


def shuffled(count: int, seed: bytes) -> tuple[int, ...]:
    """The numbers 1 to `count`, in an order that a seed of 32 bytes chooses among all there are, for up to 50."""
    assert count <= QUESTIONS_MAX, "a seed has room for so many"
    left, rest = list(range(1, count + 1)), int.from_bytes(seed)
    order: list[int] = []
    while left:
        rest, place = divmod(rest, len(left))
        order.append(left.pop(place))
    return tuple(order)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartQuiz(Command[Attempted]):
    """Begin an attempt: from now on the server's clock runs. One that is running is answered again (`is_repeat`).

    Refuses unknown or frozen members, `QuizUnknown`, `QuizClosed` and `QuizAttemptsUsed`.
    """

    member: MemberRef
    code: str

    def decide(self, state: State) -> Decision[Attempted]:
        posting = open_posting(state, members.resolve(state, self.member))
        posting.require_active()
        code = self.code.strip()
        quiz = state.find_by(Quiz, "code", code)
        if quiz is None:
            raise QuizUnknown(field=("code",), quiz=code[: checks.TEXT_MAX])
        before = attempts_of(state, quiz, posting.account.id)
        if before and before[-1].state_at(state.now) is QuizAttemptState.RUNNING:
            return Decision(Attempted(attempt=before[-1], quiz=quiz, account=posting.account, is_repeat=True))
        _require_open(quiz, state.now)
        if len(before) >= quiz.attempts_max:
            raise QuizAttemptsUsed(field=("code",), quiz=quiz.code, attempts_max=quiz.attempts_max)
        number = len(before) + 1
        attempt = QuizAttempt(
            id=attempt_id(quiz.id, posting.account.id, number),
            program_id=state.program_id,
            member_id=posting.account.id,
            quiz_id=quiz.id,
            number=number,
            order=shuffled(len(quiz.questions), state.new_seed()),
            started_at=state.now,
            answer_by=state.now + timedelta(seconds=quiz.seconds),
        )
        rows = posting.close()
        started = QuizStarted(member_id=attempt.member_id, quiz=quiz.code, attempt_id=attempt.id)
        result = Attempted(attempt=attempt, quiz=quiz, account=posting.account)
        return Decision(result, save=(*rows, attempt), events=(started, *posting.events))


def _require_open(quiz: Quiz, now: datetime) -> None:
    why = None
    if not quiz.is_active:
        why = "it is not active"
    elif now < quiz.starts_at:
        why = f"it starts at {quiz.starts_at.isoformat()}"
    elif quiz.ends_at is not None and now >= quiz.ends_at:
        why = f"it ended at {quiz.ends_at.isoformat()}"
    if why is not None:
        raise QuizClosed(field=("code",), quiz=quiz.code, why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerQuiz(Command[Attempted]):
    """Answer all questions of an attempt at once; what is left out is answered wrong. It is scored, and rewarded.

    `member_id`, where told, must be the attempt's. Told again with the same answers it answers the same. Refuses
    `NotFound`, frozen members, `QuizLate`, `QuizAnswered` and `AnswersInvalid`.
    """

    attempt_id: UUID
    answers: tuple[Answer, ...]
    member_id: UUID | None = None

    def decide(self, state: State) -> Decision[Attempted]:
        attempt = state.get(QuizAttempt, self.attempt_id)
        if self.member_id not in (None, attempt.member_id):
            raise NotFound(kind="QuizAttempt", key=str(self.attempt_id))
        state.need(
            Want(PointsAccount, attempt.member_id, is_locked=True),
            Want(Program, state.program_id),
            Want(Tier, state.program_id, FAMILY),
            Want(Quiz, attempt.quiz_id),
            Want(QuizStanding, standing_id(attempt.quiz_id, attempt.member_id), is_locked=True),
        )
        posting = open_posting(state, attempt.member_id)
        posting.require_active()
        quiz = state.get(Quiz, attempt.quiz_id)
        answers = checked_answers(quiz, self.answers)
        if attempt.answered_at is not None:
            if answers != attempt.answers:
                raise QuizAnswered(field=("answers",))
            return Decision(Attempted(attempt=attempt, quiz=quiz, account=posting.account, is_repeat=True))
        taken = state.now - attempt.started_at
        if state.now >= attempt.answer_by:
            raise QuizLate(field=("attemptId",), seconds=quiz.seconds, seconds_taken=int(taken.total_seconds()))
        score, correct = quiz.score_of({answer.question: answer.options for answer in answers})
        attempt = replace(
            attempt,
            answers=answers,
            answered_at=state.now,
            milliseconds=taken // timedelta(milliseconds=1),
            score=score,
            correct=correct,
        )
        standing = _best(state, quiz, attempt)
        attempt = _rewarded(posting, quiz, attempt)
        rows = posting.close()
        told = QuizScored(
            member_id=attempt.member_id, quiz=quiz.code, attempt_id=attempt.id, score=score, points=attempt.points
        )
        result = Attempted(attempt=attempt, quiz=quiz, account=posting.account)
        return Decision(result, save=(*rows, attempt, *standing), events=(told, *posting.events))


def checked_answers(quiz: Quiz, answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """The answers by question, each with its options in order. Refuses `TooMany` and `AnswersInvalid`."""
    checks.at_most("answers", answers, QUESTIONS_MAX)
    by_number: dict[int, Answer] = {}
    for place, answer in enumerate(answers):
        with checks.below("answers", str(place)):
            if not 1 <= answer.question <= len(quiz.questions) or answer.question in by_number:
                why = f"questions are told by their numbers, 1 to {len(quiz.questions)}, each once"
                raise AnswersInvalid(field=("question",), why=why)
            by_number[answer.question] = replace(answer, options=_checked_options(quiz, answer))
    return tuple(by_number[number] for number in sorted(by_number))


def _checked_options(quiz: Quiz, answer: Answer) -> tuple[int, ...]:
    options = tuple(sorted(set(answer.options)))
    count = len(quiz.questions[answer.question - 1].options)
    if not set(options) <= set(range(1, count + 1)) or len(options) != len(answer.options):
        why = f"the options of question {answer.question} are told by their numbers, 1 to {count}, each once"
        raise AnswersInvalid(field=("options",), why=why)
    return options


def _rewarded(posting: Posting, quiz: Quiz, attempt: QuizAttempt) -> QuizAttempt:
    """Give what the score is worth beyond what earlier attempts gave, through the rules."""
    earlier = attempts_of(posting.state, quiz, attempt.member_id)
    given = sum(other.rewarded for other in earlier if other.id != attempt.id)
    points = max(0, quiz.points_for(attempt.score) - given)
    gifts: tuple[EarningRule, ...] = ()
    if points:
        gifts = (EarningRule(code=REWARD_RULE, kind=EarningKind.FIXED, points=points, trigger=Trigger.QUIZ),)
    # It is answered once, under the account's lock.
    grant = posting.give(Trigger.QUIZ, f"{quiz.code}:{attempt.id}", posting.state.now, gifts=gifts, is_new=True)
    return replace(attempt, rewarded=points, points=0 if grant is None else grant.points)


def _best(state: State, quiz: Quiz, attempt: QuizAttempt) -> tuple[Row, ...]:
    """The member's standing, if this attempt makes it a better one."""
    assert attempt.answered_at is not None, "only what is answered stands"
    assert attempt.milliseconds is not None, "what is answered took its time"
    standing = QuizStanding(
        id=standing_id(quiz.id, attempt.member_id),
        program_id=state.program_id,
        quiz_id=quiz.id,
        member_id=attempt.member_id,
        attempt_id=attempt.id,
        lost=quiz.score_max - attempt.score,
        score=attempt.score,
        milliseconds=attempt.milliseconds,
        answered_at=attempt.answered_at,
    )
    before = state.find(QuizStanding, standing.id)
    is_better = before is None or _place(standing) < _place(before)
    return (standing,) if is_better else ()


def _place(standing: QuizStanding) -> tuple[int, int, datetime]:
    return standing.lost, standing.milliseconds, standing.answered_at


def may_show_answers(quiz: Quiz, attempts: Sequence[QuizAttempt], now: datetime) -> bool:
    """Whether a member may see which options are right: it cannot answer any more, or nobody can."""
    used = sum(attempt.state_at(now) is not QuizAttemptState.RUNNING for attempt in attempts)
    return quiz.has_ended(now) or used >= quiz.attempts_max
