"""What is told of a reward, and the commands that it makes."""

from datetime import datetime
from uuid import UUID

import strawberry

from api import ids, inputs, scalars, shapes
from api.context import Context
from api.earning import AudienceInput
from api.inputs import MoneyInput
from domain import audiences
from domain.rewards import commands, reward
from domain.rewards.commands import RewardBound, RewardTerms

shapes.named(RewardBound)


@shapes.given()
class RewardPictureInput:
    """A picture at an https address."""

    url: str
    text: str | None = None


@shapes.given()
class RewardTranslationInput:
    """Name and description in another language, by its tag such as `en` or `zh-Hant`."""

    language: str
    name: str
    description: str | None = None


@shapes.given()
class RewardPriceInput:
    """A better price of one, for an audience or for some time."""

    points: scalars.Points
    cash: MoneyInput | None = None
    audience: AudienceInput | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def price(self, context: Context) -> reward.Price:
        """The price for the domain."""
        return reward.Price(
            points=self.points,
            cash_minor=0 if self.cash is None else self.cash.minor(context, "prices.cash"),
            audience=audiences.EVERYBODY if self.audience is None else self.audience.audience("prices.audience"),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )


@shapes.given()
class RewardLimitInput:
    """How many a member may have within a period."""

    period: reward.LimitPeriod
    quantity: int


@shapes.given()
class _RewardTermsInput(inputs.RepeatableInput):
    description: str | None = None
    kind: reward.RewardKind | None = None
    categories: list[str] | None = inputs.bounded(reward.CATEGORIES_MAX, default=None)
    pictures: list[RewardPictureInput] | None = inputs.bounded(reward.PICTURES_MAX, default=None)
    translations: list[RewardTranslationInput] | None = inputs.bounded(reward.TRANSLATIONS_MAX, default=None)
    cash: MoneyInput | None = None
    pay_minutes: int | None = None
    prices: list[RewardPriceInput] | None = inputs.bounded(reward.PRICES_MAX, default=None)
    audience: AudienceInput | None = None
    unlock_points: scalars.Points | None = None
    stock: int | None = None
    daily_stock: int | None = None
    limit_per_member: int | None = None
    limits: list[RewardLimitInput] | None = inputs.bounded(reward.LIMITS_MAX, default=None)
    deliveries: list[reward.DeliveryKind] | None = inputs.bounded(2, default=None)
    store_ids: list[strawberry.ID] | None = inputs.bounded(reward.STORES_MAX, default=None)
    pool_id: strawberry.ID | None = None
    visible_from: datetime | None = None
    visible_until: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def terms(self, context: Context) -> RewardTerms:
        """What is told, for the domain. Refuses malformed ids and another currency than the program's."""
        return RewardTerms(
            kind=self.kind,
            categories=None if self.categories is None else tuple(self.categories),
            pictures=_pictures(self.pictures),
            translations=_translations(self.translations),
            cash_minor=None if self.cash is None else self.cash.minor(context, "cash"),
            pay_minutes=self.pay_minutes,
            prices=None if self.prices is None else tuple(price.price(context) for price in self.prices),
            audience=None if self.audience is None else self.audience.audience("audience"),
            unlock_points=self.unlock_points,
            limits=_limits(self.limits),
            daily_stock=self.daily_stock,
            deliveries=None if self.deliveries is None else tuple(self.deliveries),
            store_ids=_store_ids(self.store_ids),
            pool_id=ids.optional("VoucherPool", self.pool_id, "poolId"),
            visible_from=self.visible_from,
            visible_until=self.visible_until,
        )


def _pictures(told: list[RewardPictureInput] | None) -> tuple[reward.Picture, ...] | None:
    return None if told is None else tuple(reward.Picture(url=one.url, text=one.text) for one in told)


def _translations(told: list[RewardTranslationInput] | None) -> tuple[reward.Translation, ...] | None:
    if told is None:
        return None
    return tuple(reward.Translation(language=one.language, name=one.name, description=one.description) for one in told)


def _limits(told: list[RewardLimitInput] | None) -> tuple[reward.PeriodLimit, ...] | None:
    if told is None:
        return None
    return tuple(reward.PeriodLimit(period=one.period, quantity=one.quantity) for one in told)


def _store_ids(told: list[strawberry.ID] | None) -> tuple[UUID, ...] | None:
    return None if told is None else tuple(ids.require("Store", store, "storeIds") for store in told)


@shapes.given()
class RewardCreateInput(_RewardTermsInput):
    """A reward to put into the mall. Without `stock` there is no end of it; its kind is ITEM if none is told."""

    code: str
    name: str
    points: scalars.Points

    def command(self, context: Context) -> commands.CreateReward:
        """The command for the domain. Refuses malformed ids and another currency than the program's."""
        return commands.CreateReward(
            code=self.code,
            name=self.name,
            points=self.points,
            description=self.description,
            stock=self.stock,
            limit_per_member=self.limit_per_member,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            terms=self.terms(context),
        )


@shapes.given()
class RewardUpdateInput(_RewardTermsInput):
    """What to change of a reward; what is left out stays. `stock` sets what is left, lists replace what there was, and
    `lifts` takes bounds away; `isUnlimited` is the same as lifting STOCK.
    """

    reward_id: strawberry.ID
    name: str | None = None
    points: scalars.Points | None = None
    is_unlimited: bool = False
    is_active: bool | None = None
    lifts: list[RewardBound] | None = inputs.bounded(len(RewardBound), default=None)

    def command(self, context: Context) -> commands.UpdateReward:
        """The command for the domain. Refuses malformed ids and another currency than the program's."""
        return commands.UpdateReward(
            reward_id=ids.require("Reward", self.reward_id, "rewardId"),
            name=self.name,
            points=self.points,
            description=self.description,
            stock=self.stock,
            is_unlimited=self.is_unlimited,
            limit_per_member=self.limit_per_member,
            is_active=self.is_active,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            terms=self.terms(context),
            lifts=tuple(self.lifts or ()),
        )


@shapes.given()
class _LikeInput(inputs.RepeatableInput):
    member: inputs.MemberRefInput | None = None
    reward_id: strawberry.ID

    def _command(self, context: Context, *, is_favourite: bool) -> commands.LikeReward:
        return commands.LikeReward(
            member=inputs.member(context, self.member),
            reward_id=ids.require("Reward", self.reward_id, "rewardId"),
            is_favourite=is_favourite,
        )


@shapes.given()
class RewardLikeInput(_LikeInput):
    """A reward that a member likes. A member leaves `member` out and speaks for itself."""

    def command(self, context: Context) -> commands.LikeReward:
        """The command for the domain. Refuses an id that is none of a reward."""
        return self._command(context, is_favourite=True)


@shapes.given()
class RewardUnlikeInput(_LikeInput):
    """A reward that a member no longer likes. A member leaves `member` out and speaks for itself."""

    def command(self, context: Context) -> commands.LikeReward:
        """The command for the domain. Refuses an id that is none of a reward."""
        return self._command(context, is_favourite=False)
