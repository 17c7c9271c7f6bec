"""Challenges: what is shown of one, and where a member is with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import strawberry

from api import access, moneys, scalars, shapes
from api.badges import Badge, badge_of
from api.context import Context, Info
from api.earning import Audience, RuleConditions
from api.inputs import MemberRefInput
from api.moneys import Money
from api.prizes import Prize
from api.rewards import standings
from api.rewards.standings import Somebody
from domain import audiences, calendars
from domain.access import Scope
from domain.achievements import checking
from domain.challenges import challenge as goals
from domain.challenges import progress
from domain.challenges.challenge_sets import ChallengeSet
from domain.challenges.progress import ChallengeProgress as Progress
from persistence import challenges as stored

_STAFF: Final = access.staff(Scope.PROGRAM_READ)


def _target(parent: strawberry.Parent[goals.Step]) -> Any:
    return None if parent.kind is goals.StepKind.SPEND else parent.target


def _amount(parent: strawberry.Parent[goals.Step], info: Info) -> Any:
    return moneys.of(parent.target, info) if parent.kind is goals.StepKind.SPEND else None


@shapes.shape()
class ChallengeStep:
    """What counts for a challenge, and how much of it is the goal."""

    kind: goals.StepKind
    name: str | None
    target: int | None = strawberry.field(
        resolver=_target, description="How many times, or with PROFILE how many fields; null with SPEND."
    )
    amount: Money | None = strawberry.field(resolver=_amount, description="With SPEND: how much is to be paid.")
    activity_type: str | None
    minimum: Money = moneys.field("minimum_minor", description="A purchase of less does not count.")
    conditions: RuleConditions = access.guarded(_STAFF, "when")
    fields: list[goals.ProfileField] = strawberry.field(description="Of the profile, with PROFILE.")
    attributes: list[str] = strawberry.field(description="Of the shop's own, with PROFILE.")
    qualifying_points: scalars.Points = strawberry.field(description="Raised when this step is reached.")


async def _badge(parent: strawberry.Parent[goals.ChallengeReward], info: Info) -> Any:
    return None if parent.badge is None else await badge_of(info.context, parent.badge)


def _prize(parent: strawberry.Parent[goals.ChallengeReward]) -> Any:
    return checking.prize_of(parent)


@shapes.shape()
class ChallengeReward:
    """What completing a challenge gives."""

    points: scalars.Points = strawberry.field(description="Through the earning rules, which may add to them.")
    badge: Badge | None = strawberry.field(resolver=_badge)
    prize: Prize | None = strawberry.field(resolver=_prize, description="A voucher or an item, given when claimed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStanding:
    """How far a member is with a step."""

    step: goals.Step
    counted: int
    is_reached: bool

    @property
    def count(self) -> int | None:
        """How many times."""
        return None if self.step.kind is goals.StepKind.SPEND else self.counted

    @property
    def paid_minor(self) -> int | None:
        """How much was paid."""
        return self.counted if self.step.kind is goals.StepKind.SPEND else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a member is with a challenge in a period."""

    challenge: goals.Challenge
    row: Progress | None
    is_unlocked: bool
    is_eligible: bool
    starts_on: date | None
    resets_at: datetime | None

    @property
    def state(self) -> progress.ChallengeState:
        """The state."""
        return progress.state_of(self.challenge, self.row, is_unlocked=self.is_unlocked)

    @property
    def rounds(self) -> int:
        """How often it is completed."""
        return 0 if self.row is None else self.row.completed

    @property
    def rounds_rewarded(self) -> int:
        """For how many of them the member has the reward."""
        return 0 if self.row is None else self.row.rewarded

    @property
    def completed_at(self) -> datetime | None:
        """When it was completed last."""
        return None if self.row is None else self.row.completed_at

    @property
    def steps(self) -> list[StepStanding]:
        """How far the member is towards the round that is next, or the last one."""
        counts = (0,) * len(self.challenge.steps) if self.row is None else self.row.counts
        wanted = min(self.rounds + 1, self.challenge.rounds_max)
        return [
            StepStanding(step=step, counted=count, is_reached=count >= step.target * wanted)
            for step, count in zip(self.challenge.steps, counts, strict=True)
        ]


@shapes.shape()
class ChallengeStepStanding:
    """How far a member is with a step: all that was counted in the period, beyond the target too."""

    step: ChallengeStep
    count: int | None = strawberry.field(description="How many times; null with SPEND.")
    paid: Money | None = moneys.field("paid_minor", description="With SPEND: how much was paid, refunds taken off.")
    is_reached: bool = strawberry.field(description="For the round that is next.")


@shapes.shape()
class ChallengeStanding:
    """Where a member is with a challenge in the current period."""

    state: progress.ChallengeState
    is_eligible: bool = strawberry.field(description="Whether the challenge is for this member.")
    rounds: int = strawberry.field(description="How often it is completed in this period.")
    rounds_rewarded: int = strawberry.field(description="For how many of them the member has the reward.")
    steps: list[ChallengeStepStanding]
    starts_on: date | None = strawberry.field(description="The first local day of the period; null for one for ever.")
    resets_at: datetime | None = strawberry.field(description="When the member begins anew; null for never.")
    completed_at: datetime | None


async def set_in_force(context: Context) -> ChallengeSet | None:
    """The challenges and badges of now; None if there never were any."""
    version = (await context.loaders.program()).challenge_version
    return await context.loaders.keyed(stored.sets, version) if version else None


def is_for(challenge: goals.Challenge, who: Somebody) -> bool:
    """Whether a challenge is for a member."""
    standing = who.standing
    return audiences.keeps_out(challenge.audience, standing.account.tier_id, standing.tags, standing.segments) is None


def _key(member_id: UUID, challenge: goals.Challenge, day: date) -> UUID:
    return progress.progress_id(member_id, challenge.id, progress.starts_on(challenge, day))


async def standing_of(context: Context, challenge: goals.Challenge, who: Somebody) -> Standing:
    """Where a member is with a challenge today."""
    day = calendars.local_date(context.now, who.time_zone)
    challenge_set = await set_in_force(context)
    required = [] if challenge_set is None else _required(challenge, challenge_set.challenges)
    keys = [_key(who.id, each, day) for each in (challenge, *required)]
    row, *others = await context.loaders.rows(Progress, keys)
    return Standing(
        challenge=challenge,
        row=row,
        is_unlocked=all(progress.is_completed(other) for other in others),
        is_eligible=is_for(challenge, who),
        starts_on=progress.starts_on(challenge, day),
        resets_at=progress.resets_at(challenge, day, who.time_zone),
    )


def _required(challenge: goals.Challenge, known: Sequence[goals.Challenge]) -> list[goals.Challenge]:
    return [other for other in known if other.code in challenge.requires]


async def _standing(
    parent: strawberry.Parent[goals.Challenge],
    info: Info,
    for_: Annotated[MemberRefInput | None, strawberry.argument(name="for")] = None,
) -> Any:
    who = await standings.somebody(info.context, for_)
    return None if who is None else await standing_of(info.context, parent, who)


@shapes.shape()
class Challenge:
    """A goal with steps, all of which are to be reached, from `startsAt` until before `endsAt`."""

    code: str = strawberry.field(description="The shop's own name for it, unique in the program.")
    name: str
    description: str | None
    difficulty: goals.Difficulty
    score: int = strawberry.field(description="What completing it once scores: 1, 2 or 3 by its difficulty.")
    steps: list[ChallengeStep]
    recurrence: goals.Recurrence
    rounds_max: int = strawberry.field(description="How often it may be completed in a period.")
    requires: list[str] = strawberry.field(description="The codes of challenges to be completed first.")
    audience: Audience = access.guarded(_STAFF, "audience")
    starts_at: datetime
    ends_at: datetime | None
    reward: ChallengeReward
    qualifying_points: scalars.Points = strawberry.field(description="Raised when it is completed.")
    is_automatic: bool = strawberry.field(description="Whether its reward is given at once; else it is claimed.")
    undo_policy: goals.UndoPolicy
    is_active: bool
    version: int = strawberry.field(description="The version of the challenges in which it was last changed.")
    standing: ChallengeStanding | None = strawberry.field(
        resolver=_standing,
        description="Where a member is: itself, or `for` whomever the shop names; null if nobody is named.",
    )


async def definition_of(context: Context, row: Progress) -> goals.Challenge:
    """A challenge as it stands; one that was removed as it was when the progress was last touched."""
    now = await set_in_force(context)
    for challenge_set in (now, await context.loaders.keyed(stored.sets, row.version)):
        for challenge in () if challenge_set is None else challenge_set.challenges:
            if challenge.id == row.challenge_id:
                found: goals.Challenge = challenge
                return found
    raise AssertionError("progress names a version that has its challenge")


async def _challenge(parent: strawberry.Parent[Progress], info: Info) -> Any:
    return await definition_of(info.context, parent)


async def _steps(parent: strawberry.Parent[Progress], info: Info) -> Any:
    challenge = await definition_of(info.context, parent)
    shown = Standing(
        challenge=challenge,
        row=parent,
        is_unlocked=True,
        is_eligible=True,
        starts_on=parent.starts_on,
        resets_at=None,
    )
    return shown.steps


async def _state(parent: strawberry.Parent[Progress], info: Info) -> Any:
    return progress.state_of(await definition_of(info.context, parent), parent, is_unlocked=True)


def _rounds(parent: strawberry.Parent[Progress]) -> Any:
    return parent.completed


def _rounds_rewarded(parent: strawberry.Parent[Progress]) -> Any:
    return parent.rewarded


@shapes.shape(Progress)
class ChallengeProgress(shapes.Node):
    """What a member has of a challenge in one period."""

    challenge: Challenge = strawberry.field(resolver=_challenge)
    starts_on: date | None = strawberry.field(description="The first local day of the period; null for one for ever.")
    state: progress.ChallengeState = strawberry.field(
        resolver=_state, description="Whether it is complete, and claimed; LOCKED is told by the challenge's standing."
    )
    rounds: int = strawberry.field(resolver=_rounds, description="How often it is completed.")
    rounds_rewarded: int = strawberry.field(
        resolver=_rounds_rewarded, description="For how many of them the member has the reward."
    )
    steps: list[ChallengeStepStanding] = strawberry.field(resolver=_steps)
    completed_at: datetime | None
    begun_at: datetime
