"""What is told of challenges, and the commands that it makes."""

from datetime import date, datetime

from api import inputs, scalars, shapes
from api.context import Context
from api.earning import AudienceInput, RuleConditionsInput, audience_of
from api.inputs import MemberRefInput, MoneyInput
from api.prizes import PrizeInput
from domain import checks
from domain.achievements import claiming, editing
from domain.challenges import challenge as goals
from domain.challenges.challenge import ChallengeInvalid, StepKind
from domain.earning import rules
from domain.prizes import PrizeInvalid, PrizeKind


@shapes.given()
class ChallengeStepInput:
    """What counts, and how much of it is the goal: `target` times, one if it is not told; with SPEND an `amount`; with
    PROFILE all `fields` and `attributes` that are named. Conditions are those of earning rules, without an audience.
    """

    kind: goals.StepKind
    target: int | None = None
    amount: MoneyInput | None = None
    name: str | None = None
    activity_type: str | None = None
    minimum: MoneyInput | None = None
    conditions: RuleConditionsInput | None = None
    fields: list[goals.ProfileField] | None = inputs.bounded(goals.FIELDS_MAX, default=None)
    attributes: list[str] | None = inputs.bounded(goals.FIELDS_MAX, default=None)
    qualifying_points: scalars.Points = scalars.Points(0)

    def step(self, context: Context, code: str) -> goals.Step:
        """The step for the domain. Refuses malformed ids, another currency, and a goal that its kind does not have."""
        return goals.Step(
            kind=self.kind,
            target=self._goal(context, code),
            name=self.name,
            activity_type=self.activity_type,
            minimum_minor=0 if self.minimum is None else self.minimum.minor(context, "minimum"),
            when=rules.NONE if self.conditions is None else self.conditions.conditions(context),
            fields=tuple(self.fields or ()),
            attributes=tuple(self.attributes or ()),
            qualifying_points=self.qualifying_points,
        )

    def _goal(self, context: Context, code: str) -> int:
        is_spend = self.kind is StepKind.SPEND
        strange, field = (self.target, "target") if is_spend else (self.amount, "amount")
        if strange is not None or (is_spend and self.amount is None):
            right = "SPEND has an amount and no target" if is_spend else f"{self.kind} has a target and no amount"
            raise ChallengeInvalid(
                field=("amount" if strange is None else field,), challenge=code[: checks.TEXT_MAX], why=f"{right}."
            )
        if self.amount is not None:
            return self.amount.minor(context, "amount")
        return 1 if self.target is None else self.target


@shapes.given()
class ChallengeRewardInput:
    """What completing a challenge gives. A prize, a VOUCHER or an ITEM, is given only where it is claimed."""

    points: scalars.Points = scalars.Points(0)
    badge: str | None = None
    prize: PrizeInput | None = None

    def reward(self) -> goals.ChallengeReward:
        """The reward for the domain. Refuses malformed ids, and points that are told as a prize."""
        prize = None if self.prize is None else self.prize.prize()
        if prize is None:
            return goals.ChallengeReward(points=self.points, badge=self.badge)
        if prize.kind not in (PrizeKind.VOUCHER, PrizeKind.ITEM):
            why = f"a challenge's prize is a VOUCHER or an ITEM, not {prize.kind}; points are told as points"
            raise PrizeInvalid(field=("prize", "kind"), why=why)
        if (prize.pool_id, prize.reward_id) == (None, None) or prize.points:
            raise PrizeInvalid(field=("prize",), why="a VOUCHER tells poolId, an ITEM tells rewardId, and no more")
        return goals.ChallengeReward(
            points=self.points, badge=self.badge, pool_id=prize.pool_id, reward_id=prize.reward_id
        )


@shapes.given()
class ChallengeSaveInput(inputs.RepeatableInput):
    """A challenge to save: in place of the one with its code, or as a new one. It begins now, unless told.

    With REPEATABLE, `roundsMax` (2 to 100) says how often it may be completed. `requires` are codes of challenges that
    are completed first. Once it has begun, steps, recurrence and start are fixed.
    """

    code: str
    name: str
    steps: list[ChallengeStepInput] = inputs.bounded(goals.STEPS_MAX)
    description: str | None = None
    difficulty: goals.Difficulty = goals.Difficulty.EASY
    recurrence: goals.Recurrence = goals.Recurrence.ONCE
    rounds_max: int = 1
    requires: list[str] | None = inputs.bounded(goals.REQUIRES_MAX, default=None)
    audience: AudienceInput | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    reward: ChallengeRewardInput | None = None
    qualifying_points: scalars.Points = scalars.Points(0)
    is_automatic: bool = True
    undo_policy: goals.UndoPolicy = goals.UndoPolicy.TAKE_BACK
    is_active: bool = True

    def command(self, context: Context) -> editing.SaveChallenge:
        """The command for the domain. Refuses malformed ids and another currency than the program's."""
        with checks.below("reward"):
            reward = goals.NO_REWARD if self.reward is None else self.reward.reward()
        challenge = goals.Challenge(
            code=self.code,
            name=self.name,
            steps=checks.each("steps", self.steps, lambda step: step.step(context, self.code)),
            description=self.description,
            difficulty=self.difficulty,
            recurrence=self.recurrence,
            rounds_max=self.rounds_max,
            requires=tuple(self.requires or ()),
            audience=audience_of(self.audience, "audience"),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            reward=reward,
            qualifying_points=self.qualifying_points,
            is_automatic=self.is_automatic,
            undo_policy=self.undo_policy,
            is_active=self.is_active,
        )
        return editing.SaveChallenge(challenge=challenge)


@shapes.given()
class ChallengeRemoveInput(inputs.RepeatableInput):
    """A challenge to remove: nothing counts for it any more, and what waits to be claimed is lost. To end it, save it
    with an end.
    """

    code: str

    def command(self, _: Context) -> editing.RemoveChallenge:
        """The command for the domain."""
        return editing.RemoveChallenge(code=self.code)


@shapes.given()
class ChallengeClaimInput(inputs.KeyedInput):
    """A completed challenge whose reward a member takes. A member leaves `member` out and speaks for itself.

    `day` is a local day of the period that is meant; today's if it is not told.
    """

    member: MemberRefInput | None = None
    code: str
    day: date | None = None

    def command(self, context: Context) -> claiming.ClaimChallenge:
        """The command for the domain. Refuses malformed ids."""
        return claiming.ClaimChallenge(member=inputs.member(context, self.member), code=self.code, day=self.day)
