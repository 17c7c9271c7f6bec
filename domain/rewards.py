"""Rewards of the mall and their stock."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from domain import checks
from domain.kernel import Command, Decision, Event, Refusal, Row, State

DESCRIPTION_MAX: Final = 2000
QUANTITY_MAX: Final = 1000
STOCK_MAX: Final = 10**9
REASON_MAX: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward(Row):
    """Something points buy. `points` is the price of one; it may be redeemed in `[starts_at, ends_at)`."""

    is_configuration: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("code",)

    code: str
    name: str
    description: str | None = None
    points: int
    # How many a member may have in all, cancelled ones not counted; None: any number.
    limit_per_member: int | None = None
    is_active: bool = True
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardStock(Row):
    """How many of a reward are left; its id is the reward's. None: unlimited, and never written on a sale."""

    left: int | None = None

    def take(self, quantity: int) -> "RewardStock":
        """Less `quantity`. Refuses `SoldOut`."""
        if self.left is None:
            return self
        if quantity > self.left:
            raise SoldOut(requested=quantity, left=self.left)
        return replace(self, left=self.left - quantity)

    def put_back(self, quantity: int) -> "RewardStock":
        """More by `quantity`."""
        return self if self.left is None else replace(self, left=self.left + quantity)


class SoldOut(Refusal):
    """Fewer are left than requested. Details: `requested`, `left`."""

    code = "SOLD_OUT"
    text = "{requested} requested; {left} left."


class RewardCodeTaken(Refusal):
    """Another reward of the program has this code. Details: `taken`."""

    code = "REWARD_CODE_TAKEN"
    text = "Another reward of this program has the code {taken!r}."


class WindowInvalid(Refusal):
    """A window ends before it starts, or one of its times has no time zone."""

    code = "WINDOW_INVALID"
    text = "A window ends after it starts, and both of its times have a time zone."


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardSaved(Event):
    """A reward was made or edited."""

    reward_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Stocked:
    """A reward with its stock."""

    reward: Reward
    stock: RewardStock


def _check_reward(reward: Reward) -> Reward:
    checks.points("points", reward.points)
    if reward.limit_per_member is not None:
        checks.number("limitPerMember", reward.limit_per_member, minimum=1, maximum=QUANTITY_MAX)
    _check_window(reward.starts_at, reward.ends_at)
    return replace(
        reward,
        name=checks.text("name", reward.name),
        description=checks.optional_text("description", reward.description, length_max=DESCRIPTION_MAX),
    )


def _check_window(starts_at: datetime | None, ends_at: datetime | None) -> None:
    for name, at in (("startsAt", starts_at), ("endsAt", ends_at)):
        if at is not None and at.tzinfo is None:
            raise WindowInvalid(field=(name,))
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        raise WindowInvalid(field=("endsAt",))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateReward(Command[Stocked]):
    """Put a reward into the mall. Refuses a code that is taken."""

    code: str
    name: str
    points: int
    description: str | None = None
    stock: int | None = None
    limit_per_member: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def decide(self, state: State) -> Decision[Stocked]:
        code = checks.text("code", self.code, length_max=50)
        reward = _check_reward(
            Reward(
                id=state.new_id(),
                program_id=state.program_id,
                code=code,
                name=self.name,
                description=self.description,
                points=self.points,
                limit_per_member=self.limit_per_member,
                starts_at=self.starts_at,
                ends_at=self.ends_at,
                created_at=state.now,
            )
        )
        if self.stock is not None:
            checks.number("stock", self.stock, minimum=0, maximum=STOCK_MAX)
        if state.find_by(Reward, "code", code) is not None:
            raise RewardCodeTaken(field=("code",), taken=code)
        stock = RewardStock(id=reward.id, program_id=state.program_id, left=self.stock)
        return Decision(
            Stocked(reward=reward, stock=stock),
            save=(reward, stock),
            events=(RewardSaved(reward_id=reward.id),),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateReward(Command[Stocked]):
    """Edit a reward; None leaves a value as it is. `stock` sets what is left; `is_unlimited` lifts the bound."""

    reward_id: UUID
    name: str | None = None
    description: str | None = None
    points: int | None = None
    stock: int | None = None
    is_unlimited: bool = False
    limit_per_member: int | None = None
    is_active: bool | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def decide(self, state: State) -> Decision[Stocked]:
        names = ("name", "description", "points", "limit_per_member", "is_active", "starts_at", "ends_at")
        told = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        reward = _check_reward(replace(state.change(Reward, self.reward_id), **told))
        stock = state.get(RewardStock, self.reward_id)
        if self.stock is not None:
            left = checks.number("stock", self.stock, minimum=0, maximum=STOCK_MAX)
            stock = replace(stock, left=left)
        if self.is_unlimited:
            stock = replace(stock, left=None)
        return Decision(
            Stocked(reward=reward, stock=stock),
            save=(reward, stock),
            events=(RewardSaved(reward_id=reward.id),),
        )
