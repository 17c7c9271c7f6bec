"""Quizzes: what is shown of one, of a member's attempts, and of who answered best."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import strawberry

from api import access, connections, scalars, shapes
from api.connections import Connection
from api.context import Context, Info
from api.inputs import MemberRefInput
from api.members import Member
from api.rewards import standings
from domain import members
from domain.access import Scope
from domain.leaderboards.participation import LeaderboardParticipation
from domain.leaderboards.standing import shown_name
from domain.quizzes import attempt as trying
from domain.quizzes import quiz as asking
from persistence import quizzes as stored

shapes.named(trying.QuizAttemptState)

_SETTINGS: Final = access.staff(Scope.PROGRAM_READ)
_STAFF: Final = access.staff(Scope.MEMBERS_READ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question as somebody sees it; the right options are told only to whom they help no more."""

    number: int
    question: asking.Question
    are_right_shown: bool

    @property
    def text(self) -> str:
        """The question."""
        return self.question.text

    @property
    def options(self) -> tuple[str, ...]:
        """What can be chosen."""
        return self.question.options

    @property
    def score(self) -> int:
        """What answering it right scores."""
        return self.question.score

    @property
    def correct_options(self) -> tuple[int, ...] | None:
        """The numbers of the right options."""
        return self.question.correct if self.are_right_shown else None


@shapes.shape()
class QuizQuestion:
    """A question, with its number in the quiz and its options, numbered from 1."""

    number: int
    text: str
    options: list[str]
    score: int = strawberry.field(description="What choosing just the right options scores.")
    correct_options: list[int] | None = strawberry.field(
        description="To staff; to a member once it can answer no more, or the quiz is over; else null."
    )


@shapes.shape()
class QuizReward:
    """From a score on: so many points for the best attempt."""

    score_min: int
    points: scalars.Points


async def attempts_of(context: Context, quiz: asking.Quiz, member_id: UUID) -> list[trying.QuizAttempt]:
    """The attempts that a member has begun, the first one first."""
    keys = [trying.attempt_id(quiz.id, member_id, number) for number in range(1, quiz.attempts_max + 1)]
    found = await context.loaders.rows(trying.QuizAttempt, keys)
    return [attempt for attempt in found if attempt is not None]


def _questions_of_quiz(parent: strawberry.Parent[asking.Quiz], info: Info) -> Any:  # noqa: ARG001 - the policy looks
    return [
        Asked(number=number, question=question, are_right_shown=True)
        for number, question in enumerate(parent.questions, start=1)
    ]


def _question_count(parent: strawberry.Parent[asking.Quiz]) -> Any:
    return len(parent.questions)


async def _quiz(parent: strawberry.Parent[trying.QuizAttempt], info: Info) -> Any:
    return await info.context.loaders.row(asking.Quiz, parent.quiz_id)


async def _questions(parent: strawberry.Parent[trying.QuizAttempt], info: Info) -> Any:
    context = info.context
    quiz = await context.loaders.row(asking.Quiz, parent.quiz_id)
    assert quiz is not None, "an attempt is of a quiz"
    are_shown = context.caller.is_staff
    if not are_shown:
        are_shown = trying.may_show_answers(quiz, await attempts_of(context, quiz, parent.member_id), context.now)
    return [
        Asked(number=number, question=quiz.questions[number - 1], are_right_shown=are_shown) for number in parent.order
    ]


def _state(parent: strawberry.Parent[trying.QuizAttempt], info: Info) -> Any:
    return parent.state_at(info.context.now)


LaterQuiz = Annotated["Quiz", strawberry.lazy("api.quizzes.quiz")]


@shapes.shape()
class QuizAnswer:
    """Which options were chosen for a question, by their numbers."""

    question: int
    options: list[int]


@shapes.shape(trying.QuizAttempt)
class QuizAttempt(shapes.Node):
    """One attempt of a member at a quiz."""

    quiz: LaterQuiz = strawberry.field(resolver=_quiz)
    member: Member = shapes.linked(members.Member, "member_id")
    number: int = strawberry.field(description="Counted from 1.")
    state: trying.QuizAttemptState = strawberry.field(resolver=_state)
    questions: list[QuizQuestion] = strawberry.field(resolver=_questions, description="In this member's own order.")
    started_at: datetime
    answer_by: datetime = strawberry.field(description="The first instant at which answers come too late.")
    answers: list[QuizAnswer]
    answered_at: datetime | None
    milliseconds: int | None = strawberry.field(description="How long it took, by the server's clock.")
    score: int
    correct: int = strawberry.field(description="How many questions were answered right.")
    points: scalars.Points = strawberry.field(description="What rules gave for it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A standing with its rank, as it is shown."""

    ranked: stored.Ranked
    is_own: bool

    @property
    def rank(self) -> int:
        """From 1."""
        return self.ranked.rank

    @property
    def member_id(self) -> UUID:
        """Whose it is."""
        return self.ranked.standing.member_id

    @property
    def score(self) -> int:
        """The best score."""
        return self.ranked.standing.score

    @property
    def milliseconds(self) -> int:
        """How long it took."""
        return self.ranked.standing.milliseconds

    @property
    def answered_at(self) -> datetime:
        """When it was answered."""
        return self.ranked.standing.answered_at


async def _masked_name(parent: strawberry.Parent[Placed], info: Info) -> Any:
    loaders = info.context.loaders
    member = await loaders.row(members.Member, parent.member_id)
    part = await loaders.row(LeaderboardParticipation, parent.member_id)
    return shown_name(
        None if member is None else member.name,
        is_shown=part is None or part.is_shown or parent.is_own or info.context.caller.is_staff,
        masks=True,
        is_revealed=False,
    )


@shapes.shape()
class QuizStanding:
    """A member's best attempt at a quiz, and how many are better. Whom the shop takes off leaderboards has none."""

    rank: int = strawberry.field(description="From 1: by the score, then the time, then who was first.")
    masked_name: str | None = strawberry.field(
        resolver=_masked_name, description="A mask such as 李*; to others null if the member will not be shown."
    )
    is_own: bool = strawberry.field(description="Whether it is that of the member who asks.")
    member: Member = access.resolved_by(_STAFF, shapes.linking(members.Member, "member_id"))
    score: int
    milliseconds: int
    answered_at: datetime


def placed(context: Context, ranked: stored.Ranked) -> Placed:
    """A standing as the caller sees it."""
    return Placed(ranked=ranked, is_own=ranked.standing.member_id == context.caller.member_id)


@dataclass(frozen=True, slots=True)
class PlacedKeyset:
    """The order of standings, for those that are shown."""

    types: tuple[type, ...] = stored.RANKS.types

    def place(self, row: Placed) -> tuple[Any, ...]:
        """Where a standing stands."""
        return stored.RANKS.place(row.ranked.standing)


PLACED: Final = PlacedKeyset()


async def page_of_standings(context: Context, quiz_id: UUID | None, first: int, after: str | None) -> Connection[Any]:
    """A page of who answered best."""
    part = connections.asked(context, PLACED, first, after)
    found = [] if quiz_id is None else await stored.standings(context.caller.program_id, quiz_id, part)
    return connections.page([placed(context, ranked) for ranked in found], PLACED, part)


async def _standings(
    parent: strawberry.Parent[asking.Quiz],
    info: Info,
    first: int = connections.FIRST_DEFAULT,
    after: str | None = None,
) -> Any:
    return await page_of_standings(info.context, parent.id, first, after)


_For = Annotated[MemberRefInput | None, strawberry.argument(name="for")]


async def _attempts(parent: strawberry.Parent[asking.Quiz], info: Info, for_: _For = None) -> Any:
    who = await standings.somebody(info.context, for_)
    found = [] if who is None else await attempts_of(info.context, parent, who.id)
    info.context.take_nodes(len(found))
    return found


async def _standing(parent: strawberry.Parent[asking.Quiz], info: Info, for_: _For = None) -> Any:
    who = await standings.somebody(info.context, for_)
    ranked = None if who is None else await info.context.loaders.keyed(stored.own_standings, (parent.id, who.id))
    return None if ranked is None else placed(info.context, ranked)


@shapes.shape(asking.Quiz)
class Quiz(shapes.Node):
    """A quiz, from `startsAt` until before `endsAt`. Members see its questions when they begin it."""

    code: str = strawberry.field(description="The shop's own name for it, unique in the program.")
    name: str
    description: str | None
    questions: list[QuizQuestion] = access.resolved_by(_SETTINGS, _questions_of_quiz)
    question_count: int = strawberry.field(resolver=_question_count)
    score_max: int = strawberry.field(description="What answering everything right scores.")
    seconds: int = strawberry.field(description="How long there is to answer all questions.")
    attempts_max: int = strawberry.field(description="How often a member may begin it.")
    rewards: list[QuizReward] = strawberry.field(description="The highest that the best attempt reaches is given.")
    starts_at: datetime
    ends_at: datetime | None = strawberry.field(description="When it can be begun no more.")
    is_active: bool
    attempts: list[QuizAttempt] = strawberry.field(
        resolver=_attempts, description="A member's: its own, or `for` whomever the shop names; empty if nobody is."
    )
    standings: Connection[QuizStanding] = strawberry.field(resolver=_standings, description="The best first.")
    standing: QuizStanding | None = strawberry.field(
        resolver=_standing, description="A member's: its own, or `for` whomever the shop names; null if it has none."
    )
