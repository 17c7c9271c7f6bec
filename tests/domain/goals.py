"""A shop with challenges, badges and quizzes: short words for them."""

from typing import Any, Final
from uuid import UUID

from domain import calendars
from domain.achievements.badging import AwardBadge, Badged, RevokeBadge
from domain.achievements.claiming import ClaimChallenge, Claimed
from domain.achievements.editing import Edited, RemoveChallenge, SaveBadge, SaveChallenge
from domain.challenges import progress
from domain.challenges.badges import MemberBadge, badge_id
from domain.challenges.challenge import Badge, Challenge, ChallengeReward, Step, StepKind
from domain.challenges.challenge_sets import ChallengeSet
from domain.challenges.progress import ChallengeCompletion, ChallengeProgress
from domain.members import Profile
from domain.profiles import UpdateMember
from domain.quizzes.attempt import Answer, AnswerQuiz, Attempted, StartQuiz
from domain.quizzes.quiz import Question, Quiz, QuizTerms, SaveQuiz
from tests.domain.mall import Mall
from tests.domain.memory import ref

BUY: Final = StepKind.PURCHASES
SPEND: Final = StepKind.SPEND


def acts(kind: str, target: int = 1, **more: Any) -> Step:
    """So many activities of a type."""
    return Step(kind=StepKind.ACTIVITY, activity_type=kind, target=target, **more)


def buys(target: int = 1, **more: Any) -> Step:
    """So many purchases."""
    return Step(kind=StepKind.PURCHASES, target=target, **more)


def spends(minor: int, **more: Any) -> Step:
    """So much paid for goods."""
    return Step(kind=StepKind.SPEND, target=minor, **more)


def gives(points: int = 0, **more: Any) -> ChallengeReward:
    """What a challenge gives."""
    return ChallengeReward(points=points, **more)


def asks(right: int = 1, *, options: int = 3, score: int = 1) -> Question:
    """A question with one right option."""
    told = tuple(f"option {number}" for number in range(1, options + 1))
    return Question(text="Which?", options=told, correct=(right,), score=score)


class Goals(Mall):
    """A mall with goals."""

    def challenge(self, code: str, *steps: Step, points: int = 0, **more: Any) -> Challenge:
        """Save a challenge that gives so many points."""
        reward = more.pop("reward", None) or gives(points)
        told = Challenge(code=code, name=code.title(), steps=steps, reward=reward, **more)
        edited: Edited = self.run(SaveChallenge(challenge=told))
        assert edited.challenge is not None
        return edited.challenge

    def remove(self, code: str) -> Edited:
        return self.run(RemoveChallenge(code=code))

    def badge(self, code: str, **more: Any) -> Edited:
        return self.run(SaveBadge(badge=Badge(code=code, name=code.title(), **more)))

    def challenge_set(self) -> ChallengeSet:
        (found,) = [row for row in self.state.rows(ChallengeSet) if row.version == self.program.challenge_version]
        return found

    def of_code(self, code: str) -> Challenge:
        (found,) = [each for each in self.challenge_set().challenges if each.code == code]
        return found

    def progress(self, member_id: UUID, code: str, day: Any = None) -> ChallengeProgress | None:
        """A member's progress in the period of a local day, today if it is not told."""
        day = day or calendars.local_date(self.now, self.program.time_zone)
        challenge = self.of_code(code)
        starts_on = progress.starts_on(challenge, day)
        return self.state.find(ChallengeProgress, progress.progress_id(member_id, challenge.id, starts_on))

    def counts(self, member_id: UUID, code: str, day: Any = None) -> tuple[int, ...] | None:
        found = self.progress(member_id, code, day)
        return None if found is None else found.counts

    def stands(self, member_id: UUID, code: str) -> tuple[int, int]:
        """How many rounds are completed, and rewarded."""
        found = self.progress(member_id, code)
        return (0, 0) if found is None else (found.completed, found.rewarded)

    def completions(self, member_id: UUID, code: str) -> list[ChallengeCompletion]:
        """Every completion that there was, the first first."""
        rows = [row for row in self._of_member(ChallengeCompletion, member_id) if row.challenge == code]
        return sorted(rows, key=lambda row: row.number)

    def claim(self, member_id: UUID, code: str, **more: Any) -> Claimed:
        return self.run(ClaimChallenge(member=ref(member_id), code=code, **more))

    def tell(self, member_id: UUID, **profile: Any) -> None:
        """Change a member's profile."""
        self.run(UpdateMember(member=ref(member_id), profile=Profile(**profile)))

    def award(self, member_id: UUID, badge: str) -> Badged:
        return self.run(AwardBadge(member=ref(member_id), badge=badge, reason="by hand"))

    def revoke(self, member_id: UUID, badge: str) -> Badged:
        return self.run(RevokeBadge(member=ref(member_id), badge=badge, reason="by hand"))

    def wears(self, member_id: UUID, badge: str) -> bool:
        found = self.state.find(MemberBadge, badge_id(member_id, badge))
        return found is not None and found.revoked_at is None

    # Quizzes.

    def quiz(self, *questions: Question, code: str = "tea", seconds: int = 60, **more: Any) -> Quiz:
        return self.run(SaveQuiz(terms=QuizTerms(code=code, name="Tea", questions=questions, seconds=seconds, **more)))

    def start(self, member_id: UUID, code: str = "tea") -> Attempted:
        return self.run(StartQuiz(member=ref(member_id), code=code))

    def answer(self, begun: Attempted, *options: int, **more: Any) -> Attempted:
        """Answer the questions in the order of the quiz, one option each; 0 leaves a question out."""
        answers = tuple(
            Answer(question=number, options=(option,)) for number, option in enumerate(options, start=1) if option
        )
        return self.run(AnswerQuiz(attempt_id=begun.attempt.id, answers=answers, **more))
