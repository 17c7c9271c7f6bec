"""Challenges and badges as data: goals with steps, how often they come again, and what reaching them is worth."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain import audiences
from domain.audiences import Audience
from domain.earning import rules
from domain.earning.rules import Conditions, Trigger
from domain.kernel import Event, Refusal

CHALLENGES_MAX: Final = 200
BADGES_MAX: Final = 200
STEPS_MAX: Final = 10
FIELDS_MAX: Final = 20
REQUIRES_MAX: Final = 10
ROUNDS_MAX: Final = 100


class Difficulty(StrEnum):
    """How hard a challenge is; completing it scores so much."""

    EASY = "EASY"  # scores 1
    MEDIUM = "MEDIUM"  # scores 2
    HARD = "HARD"  # scores 3


# The id of what has none yet.
NOT_SAVED: Final = UUID(int=0)


SCORES: Final = {Difficulty.EASY: 1, Difficulty.MEDIUM: 2, Difficulty.HARD: 3}


class StepKind(StrEnum):
    """What a step counts."""

    ACTIVITY = "ACTIVITY"  # activities of one type
    PURCHASES = "PURCHASES"  # purchases
    SPEND = "SPEND"  # what is paid for goods, in minor units
    CHECK_IN = "CHECK_IN"  # days signed in
    REFERRAL = "REFERRAL"  # friends brought who qualify
    QUIZ = "QUIZ"  # quizzes answered
    PROFILE = "PROFILE"  # fields of the profile that are filled


# What brings each kind of step on; a profile is no occasion, but looked at as it is.
TRIGGERS: Final = {
    StepKind.ACTIVITY: Trigger.ACTIVITY,
    StepKind.PURCHASES: Trigger.PURCHASE,
    StepKind.SPEND: Trigger.PURCHASE,
    StepKind.CHECK_IN: Trigger.CHECK_IN,
    StepKind.REFERRAL: Trigger.REFERRAL,
    StepKind.QUIZ: Trigger.QUIZ,
}


class ProfileField(StrEnum):
    """A part of a member's profile that a step may ask for."""

    NAME = "NAME"
    PHONE = "PHONE"
    EMAIL = "EMAIL"
    BIRTHDAY = "BIRTHDAY"
    GENDER = "GENDER"
    CARD_NUMBER = "CARD_NUMBER"


class Recurrence(StrEnum):
    """How often a challenge may be completed, by the program's local calendar."""

    ONCE = "ONCE"
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"  # from Monday
    MONTHLY = "MONTHLY"
    REPEATABLE = "REPEATABLE"  # again and again, up to `rounds_max` times


class UndoPolicy(StrEnum):
    """What becomes of a completed challenge that a refund or a reversal brings below its target."""

    TAKE_BACK = "TAKE_BACK"  # it is open again, and what it gave is taken back
    KEEP = "KEEP"  # it stays completed, and gives nothing again for the same round


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What counts, and how much of it is the goal: times; minor units with SPEND; with PROFILE, all that is named.

    Conditions and the minimum are those of earning rules. `qualifying_points` are raised when the step is reached:
    a challenge whose steps have them is a growth plan (S10).
    """

    kind: StepKind
    target: int = 1
    name: str | None = None
    activity_type: str | None = None
    minimum_minor: int = 0
    when: Conditions = rules.NONE
    fields: tuple[ProfileField, ...] = ()
    attributes: tuple[str, ...] = ()
    qualifying_points: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeReward:
    """What completing a challenge gives: points, a badge, and a voucher of a pool or a reward of the mall."""

    points: int = 0
    badge: str | None = None
    pool_id: UUID | None = None
    reward_id: UUID | None = None


NO_REWARD: Final = ChallengeReward()


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A goal with steps (任务), all of which are to be reached, from `starts_at` until before `ends_at`.

    It opens when those it `requires` are completed, each in its own period of that time. Its id stays when it is
    edited. `qualifying_points` are raised on completion. What is not automatic is claimed by the member. `version` is
    that of the set in which it was last changed. Id and start are given to it when it is saved, if they are not told.
    """

    id: UUID = NOT_SAVED
    code: str
    name: str
    steps: tuple[Step, ...]
    description: str | None = None
    difficulty: Difficulty = Difficulty.EASY
    recurrence: Recurrence = Recurrence.ONCE
    rounds_max: int = 1
    requires: tuple[str, ...] = ()
    audience: Audience = audiences.EVERYBODY
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    reward: ChallengeReward = NO_REWARD
    qualifying_points: int = 0
    is_automatic: bool = True
    undo_policy: UndoPolicy = UndoPolicy.TAKE_BACK
    is_active: bool = True
    version: int = 1

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that its steps name."""
        named = (each for step in self.steps for each in (*step.when.categories, *step.when.without_categories))
        return tuple(dict.fromkeys(named))

    @property
    def score(self) -> int:
        """What completing it once scores."""
        return SCORES[self.difficulty]


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A sign that a member may wear. `unlock_points`: whoever has earned so many in all is given it (S32)."""

    code: str
    name: str
    description: str | None = None
    picture_url: str | None = None
    unlock_points: int | None = None
    version: int = 1


class ChallengeInvalid(Refusal):
    """A challenge contradicts itself, or cannot be changed so. Details: `challenge`, `why`."""

    code = "CHALLENGE_INVALID"
    text = "The challenge {challenge!r}: {why}"


class BadgeUnknown(Refusal):
    """No badge of this program has the code. Details: `badge`."""

    code = "BADGE_UNKNOWN"
    text = "This program has no badge {badge!r}; save it first."


class ChallengeUnknown(Refusal):
    """No challenge of this program has the code. Details: `challenge`."""

    code = "CHALLENGE_UNKNOWN"
    text = "This program has no challenge {challenge!r}."


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengesEdited(Event):
    """Challenges or badges changed: `version` is in force from now on."""

    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeAdvanced(Event):
    """A member came nearer to a challenge, or farther from it; `counts` and `targets` are of each step."""

    challenge: str
    counts: tuple[int, ...]
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeCompleted(Event):
    """A member completed a challenge; what is not automatic waits to be claimed."""

    challenge: str
    round: int
    is_automatic: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeRewarded(Event):
    """A member was given what a completed challenge promises."""

    challenge: str
    round: int
    points: int
    badge: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeUndone(Event):
    """A completed challenge fell below its target; `points` of its reward were to be taken back."""

    challenge: str
    round: int
    points: int
