"""What is asked about quizzes, and what shops and members do with them."""

from datetime import datetime
from typing import Final, Self

import strawberry

from api import access, connections, ids, inputs, payloads, scalars, shapes
from api.connections import Connection
from api.context import Context, Info
from api.inputs import MemberRefInput
from api.members import Member
from api.quizzes.quiz import Quiz, QuizAttempt, QuizStanding, page_of_standings
from domain.access import Scope
from domain.quizzes import attempt as trying
from domain.quizzes import quiz as asking
from persistence import quizzes as stored
from persistence import rows

_SETTINGS: Final = access.staff(Scope.PROGRAM_WRITE)
_PERSONAL: Final = access.staff_or_member(Scope.ACTIVITIES_WRITE)


async def _of_code(context: Context, code: str) -> asking.Quiz | None:
    """A quiz by its code; None if there is none that the caller may see."""
    found = (await rows.by_keys(asking.Quiz, context.caller.program_id, "code", [code])).get(code)
    is_shown = found is not None and (context.caller.is_staff or stored.is_shown(found, context.now))
    return found if is_shown else None


@shapes.shape()
class QuizQueries:
    """What can be asked about quizzes."""

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def quizzes(
        self, info: Info, first: int = connections.FIRST_DEFAULT, after: str | None = None
    ) -> Connection[Quiz]:
        """Quizzes, the newest first. Whoever is not staff sees those that are active and have begun."""
        context = info.context
        part = connections.asked(context, stored.KEYSET, first, after)
        is_staff = context.caller.is_staff
        found = await stored.page(context.caller.program_id, part, is_staff=is_staff, now=context.now)
        return connections.page(found, stored.KEYSET, part)

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def quiz(self, info: Info, code: str) -> Quiz | None:
        """A quiz by its code; null if there is none that the caller may see."""
        return shapes.as_shape(Quiz, await _of_code(info.context, code.strip()))

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def quiz_standings(
        self, info: Info, code: str, first: int = connections.FIRST_DEFAULT, after: str | None = None
    ) -> Connection[QuizStanding]:
        """Who answered a quiz best: by score, then time, then who was first. Empty if there is no such quiz."""
        found = await _of_code(info.context, code.strip())
        return await page_of_standings(info.context, None if found is None else found.id, first, after)


@shapes.given()
class QuizQuestionInput:
    """A question with 2 to 10 options, and the numbers, from 1, of those that are right."""

    text: str
    options: list[str] = inputs.bounded(asking.OPTIONS_MAX)
    correct_options: list[int] = inputs.bounded(asking.OPTIONS_MAX)
    score: int = 1

    def question(self) -> asking.Question:
        """The question for the domain."""
        return asking.Question(
            text=self.text, options=tuple(self.options), correct=tuple(self.correct_options), score=self.score
        )


@shapes.given()
class QuizRewardInput:
    """From a score on: so many points for the best attempt."""

    score_min: int
    points: scalars.Points

    def reward(self) -> asking.QuizReward:
        """The reward for the domain."""
        return asking.QuizReward(score_min=self.score_min, points=self.points)


@shapes.given()
class QuizSaveInput(inputs.RepeatableInput):
    """A quiz to save: in place of the one with its code, or as a new one. It begins now, unless told.

    Once it has begun, questions, seconds and start are fixed.
    """

    code: str
    name: str
    questions: list[QuizQuestionInput] = inputs.bounded(asking.QUESTIONS_MAX)
    seconds: int
    description: str | None = None
    attempts_max: int = 1
    rewards: list[QuizRewardInput] | None = inputs.bounded(asking.REWARDS_MAX, default=None)
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    is_active: bool = True

    def command(self, _: Context) -> asking.SaveQuiz:
        """The command for the domain."""
        terms = asking.QuizTerms(
            code=self.code,
            name=self.name,
            questions=tuple(question.question() for question in self.questions),
            seconds=self.seconds,
            description=self.description,
            attempts_max=self.attempts_max,
            rewards=tuple(reward.reward() for reward in self.rewards or ()),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            is_active=self.is_active,
        )
        return asking.SaveQuiz(terms=terms)


@shapes.given()
class QuizStartInput(inputs.RepeatableInput):
    """A quiz that a member begins. A member leaves `member` out and speaks for itself."""

    member: MemberRefInput | None = None
    code: str

    def command(self, context: Context) -> trying.StartQuiz:
        """The command for the domain. Refuses malformed ids."""
        return trying.StartQuiz(member=inputs.member(context, self.member), code=self.code)


@shapes.given()
class QuizAnswerGivenInput:
    """Which options are chosen for a question, all by their numbers."""

    question: int
    options: list[int] = inputs.bounded(asking.OPTIONS_MAX)


@shapes.given()
class QuizAnswerInput(inputs.KeyedInput):
    """The answers of an attempt, all at once; what is left out is answered wrong."""

    attempt_id: strawberry.ID
    answers: list[QuizAnswerGivenInput] = inputs.bounded(asking.QUESTIONS_MAX)

    def command(self, context: Context) -> trying.AnswerQuiz:
        """The command for the domain. Refuses an id that is none of an attempt."""
        return trying.AnswerQuiz(
            attempt_id=ids.require("QuizAttempt", self.attempt_id, "attemptId"),
            answers=tuple(
                trying.Answer(question=given.question, options=tuple(given.options)) for given in self.answers
            ),
            member_id=context.caller.member_id,
        )


@shapes.shape()
class QuizSavePayload(payloads.KeyedPayload):
    """The quiz as it is now."""

    quiz: Quiz | None = None

    @classmethod
    def of(cls, quiz: asking.Quiz) -> Self:
        """The payload of a quiz."""
        return cls(quiz=shapes.shown(quiz))


@shapes.shape()
class _AttemptPayload(payloads.KeyedPayload):
    attempt: QuizAttempt | None = None
    member: Member | None = None
    is_repeat: bool = payloads.repeat()

    @classmethod
    def of(cls, attempted: trying.Attempted) -> Self:
        """The payload of an attempt."""
        return cls(
            attempt=shapes.shown(attempted.attempt),
            member=shapes.shown(attempted.account),
            is_repeat=attempted.is_repeat,
        )


@shapes.shape()
class QuizStartPayload(_AttemptPayload):
    """The attempt with its questions; with `isRepeat` the one that is running already."""


@shapes.shape()
class QuizAnswerPayload(_AttemptPayload):
    """The attempt with its score, and the member after it."""


@shapes.shape()
class QuizMutations:
    """What can be done with quizzes."""

    @access.field(_SETTINGS)
    async def quiz_save(self, info: Info, input: QuizSaveInput) -> QuizSavePayload:  # noqa: A002
        """Save a quiz. Refuses questions that nobody can answer, and other ones once it has begun."""
        return await payloads.run(info, input, QuizSavePayload)

    @access.field(_PERSONAL)
    async def quiz_start(self, info: Info, input: QuizStartInput) -> QuizStartPayload:  # noqa: A002
        """Begin an attempt: the server's clock runs. While one is running, it is answered again."""
        return await payloads.run(info, input, QuizStartPayload)

    @access.field(_PERSONAL)
    async def quiz_answer(self, info: Info, input: QuizAnswerInput) -> QuizAnswerPayload:  # noqa: A002
        """Answer all questions of an attempt at once. Refuses answers that come too late, with the seconds."""
        return await payloads.run(info, input, QuizAnswerPayload)
