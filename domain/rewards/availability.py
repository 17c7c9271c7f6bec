"""Whether a member can have a reward, at which price, and if not exactly why: one judgement for asking and taking."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from domain import audiences, calendars
from domain.checks import NumberInvalid
from domain.kernel import Refusal
from domain.points.account import (
    AccountStatus,
    DebtOutstanding,
    InsufficientPoints,
    MemberFrozen,
    PointsAccount,
)
from domain.rewards.reward import QUANTITY_MAX, Price, Reward, is_within
from domain.rewards.stock import RewardStock


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What of a member decides about rewards: its account as of now, its tags, and the segments it is in."""

    account: PointsAccount
    tags: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()


class Taken(NamedTuple):
    """A redemption of the reward that still counts: when it was placed, and how many of it were kept."""

    at: datetime
    quantity: int


class RewardUnavailable(Refusal):
    """The reward is not active, or not yet or no longer redeemable. Details: `why`, `starts_at`, `ends_at`."""

    code = "REWARD_UNAVAILABLE"
    text = "The reward cannot be redeemed now: {why}."


class NotEligible(Refusal):
    """The reward is for others: by tier, tags or segments. Details: `why`, which names the condition."""

    code = "NOT_ELIGIBLE"
    text = "The reward is not for this member, by its {why}."


class NotInAudience(NotEligible):
    """Like `NotEligible`. Details: also `expected`, a list of the tiers, tags or segments that its audience names."""

    code = "NOT_ELIGIBLE"
    text = "The reward is not for this member, by its {why}: {expected}."


class RewardLocked(Refusal):
    """The member has not earned enough in all to unlock the reward (S32). Details: `required`, `earned`."""

    code = "REWARD_LOCKED"
    text = "The reward opens at {required} points earned in all; this member has earned {earned}."


class LimitReached(Refusal):
    """The member would have more of the reward than allowed. Details: `limit`, `taken`, `requested`."""

    code = "LIMIT_REACHED"
    text = "A member may have {limit} of this reward; this one has {taken} and requests {requested}."


class PeriodLimitReached(LimitReached):
    """Like `LimitReached`, within a period of the program's calendar. Details: also `period`."""

    code = "LIMIT_REACHED"
    text = "A member may have {limit} of this reward a {period}; this one has {taken} and requests {requested}."


def price_for(reward: Reward, standing: Standing, now: datetime) -> Price:
    """The best price of one for a member now: the fewest points, then the least cash, then the one told first."""
    open_prices = [price for price in reward.prices if _is_for(price, standing, now)]
    own = Price(points=reward.points, cash_minor=reward.cash_minor)
    return min((own, *open_prices), key=lambda price: (price.points, price.cash_minor))


def _is_for(price: Price, standing: Standing, now: datetime) -> bool:
    account = standing.account
    if not is_within(price.starts_at, price.ends_at, now):
        return False
    return audiences.keeps_out(price.audience, account.tier_id, standing.tags, standing.segments) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who wants how many of a reward, and when; `taken` is what of it the member has."""

    standing: Standing
    quantity: int
    now: datetime
    time_zone: str
    taken: Sequence[Taken] = ()

    @property
    def today(self) -> date:
        """The local date."""
        return calendars.local_date(self.now, self.time_zone)


def obstacles(reward: Reward, stock: RewardStock, asking: Asking) -> Iterator[Refusal]:
    """Everything that keeps a member from a reward, in the order in which it is told (F1, F5).

    A bad quantity, and nothing else then; frozen, not open, not for this member, locked, limits (in all, then by
    period), stock (in all, then today), debt, points.
    """
    if not 1 <= asking.quantity <= QUANTITY_MAX:
        yield NumberInvalid(
            field=("quantity",), name="quantity", number=asking.quantity, minimum=1, maximum=QUANTITY_MAX
        )
        return
    account = asking.standing.account
    if account.status is AccountStatus.FROZEN:
        yield MemberFrozen()
    yield from _closed(reward, asking.now)
    yield from _not_for(reward, asking.standing)
    yield from _limits(reward, asking)
    lacking = stock.refusal(asking.quantity, today=asking.today, daily_stock=reward.daily_stock)
    if lacking is not None:
        yield lacking
    yield from _short(reward, asking)


def _closed(reward: Reward, now: datetime) -> Iterator[Refusal]:
    starts_at = None if reward.starts_at is None else reward.starts_at.isoformat()
    ends_at = None if reward.ends_at is None else reward.ends_at.isoformat()
    if not reward.is_active:
        yield RewardUnavailable(why="it is not active", starts_at=starts_at, ends_at=ends_at)
    if reward.starts_at is not None and now < reward.starts_at:
        yield RewardUnavailable(why=f"it starts at {starts_at}", starts_at=starts_at, ends_at=ends_at)
    if reward.ends_at is not None and now >= reward.ends_at:
        yield RewardUnavailable(why=f"it ended at {ends_at}", starts_at=starts_at, ends_at=ends_at)


def _not_for(reward: Reward, standing: Standing) -> Iterator[Refusal]:
    account = standing.account
    why = audiences.keeps_out(reward.audience, account.tier_id, standing.tags, standing.segments)
    if why is not None:
        yield NotInAudience(why=why, expected=audiences.expected(reward.audience, why))
    if account.lifetime_earned < reward.unlock_points:
        yield RewardLocked(required=reward.unlock_points, earned=account.lifetime_earned)


def _limits(reward: Reward, asking: Asking) -> Iterator[Refusal]:
    requested = asking.quantity
    has = sum(taken.quantity for taken in asking.taken)
    if reward.limit_per_member is not None and has + requested > reward.limit_per_member:
        yield LimitReached(limit=reward.limit_per_member, taken=has, requested=requested)
    for limit in reward.limits:
        since = calendars.start_of(calendars.start_of_period(asking.today, limit.period), asking.time_zone)
        has = sum(taken.quantity for taken in asking.taken if taken.at >= since)
        if has + requested > limit.quantity:
            yield PeriodLimitReached(limit=limit.quantity, taken=has, requested=requested, period=limit.period.lower())


def _short(reward: Reward, asking: Asking) -> Iterator[Refusal]:
    account = asking.standing.account
    if account.debt > 0:
        yield DebtOutstanding(debt=account.debt)
    required = price_for(reward, asking.standing, asking.now).points * asking.quantity
    if required > account.available:
        yield InsufficientPoints(required=required, available=account.available)
