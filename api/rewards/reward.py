"""Rewards: what is shown of one, and whether and at which price a member can have it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import strawberry

from api import access, moneys, payloads, scalars, shapes
from api.context import Info
from api.earning import Audience
from api.inputs import MemberRefInput
from api.moneys import Money
from api.payloads import UserError
from api.rewards import standings
from api.stores import Store
from domain import languages, stores
from domain.access import Scope
from domain.checks import POINTS_MAX
from domain.kernel import Refusal
from domain.rewards import reward
from domain.rewards.availability import Asking, obstacles, price_for
from domain.rewards.reward import QUANTITY_MAX, Price, Translation
from domain.rewards.stock import RewardStock
from domain.vouchers import issuing, pool, template
from persistence import rewards as stored
from persistence import vouchers as stored_vouchers

shapes.named(reward.RewardKind, reward.LimitPeriod, reward.DeliveryKind)

# Pools know vouchers, which know redemptions, which know rewards.
LaterPool = Annotated["VoucherPool", strawberry.lazy("api.vouchers.pool")]  # type: ignore[name-defined]  # noqa: F821

_STAFF: Final = access.staff(Scope.PROGRAM_READ)
# No language's tag is longer.
_TAG_MAX: Final = 50


async def _shelf(parent: reward.Reward, info: Info) -> RewardStock:
    found: RewardStock | None = await info.context.loaders.keyed(stored.stocks, parent.id)
    assert found is not None, "a reward has a stock"
    return found


async def _stock(parent: strawberry.Parent[reward.Reward], info: Info) -> Any:
    return (await _shelf(parent, info)).left


def _in_language(parent: reward.Reward, language: str | None) -> Translation | None:
    """The translation that suits a language, told by its tag."""
    if language is None:
        return None
    by_tag = {translation.language: translation for translation in parent.translations}
    found = languages.lookup(language[:_TAG_MAX], by_tag)
    return None if found is None else by_tag[found]


def _name(parent: strawberry.Parent[reward.Reward], language: str | None = None) -> str:
    translation = _in_language(parent, language)
    return parent.name if translation is None else translation.name


def _description(parent: strawberry.Parent[reward.Reward], language: str | None = None) -> str | None:
    translation = _in_language(parent, language)
    return parent.description if translation is None else translation.description


async def _stores(parent: strawberry.Parent[reward.Reward], info: Info) -> Any:
    found = [await info.context.loaders.row(stores.Store, store_id) for store_id in parent.store_ids]
    return [store for store in found if store is not None]


@shapes.shape()
class RewardTranslation:
    """Name and description in another language, by its tag such as `en` or `zh-Hant`."""

    language: str
    name: str
    description: str | None


@shapes.shape()
class RewardPicture:
    """A picture at an https address, and what it shows for those who do not see it."""

    url: str
    text: str | None


@shapes.shape()
class RewardLimit:
    """How many a member may have within a day, week, month or year of the program's calendar."""

    period: reward.LimitPeriod
    quantity: int


@shapes.shape()
class RewardPrice:
    """Another price of one, for an audience or for some time; whom it is for gets the best there is."""

    points: scalars.Points
    cash: Money = moneys.field("cash_minor")
    audience: Audience
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Whether a member can have a reward, as it is shown."""

    quantity: int
    priced: int
    price: Price
    refusals: tuple[Refusal, ...]

    @property
    def can_redeem(self) -> bool:
        """Whether nothing is in the way."""
        return not self.refusals

    @property
    def points(self) -> int:
        """The price of all of it."""
        return min(self.price.points * self.priced, POINTS_MAX)

    @property
    def cash_minor(self) -> int:
        """What of the price is paid in money."""
        return self.price.cash_minor * self.priced

    @property
    def obstacles(self) -> list[UserError]:
        """What is in the way, with its numbers."""
        return [payloads.user_error(refusal) for refusal in self.refusals]


@shapes.shape()
class RewardAvailability:
    """Whether a member can have so many of a reward now, and if not exactly why."""

    can_redeem: bool
    quantity: int
    points: scalars.Points = strawberry.field(
        description="What it costs this member, the best price applied; of one, where so many are refused."
    )
    cash: Money = moneys.field("cash_minor", description="What of the price is paid in money.")
    obstacles: list[UserError] = strawberry.field(
        description="Everything that is in the way, with its numbers; redeeming would be refused with the first."
    )


async def _availability(
    parent: strawberry.Parent[reward.Reward],
    info: Info,
    quantity: int = 1,
    for_: Annotated[MemberRefInput | None, strawberry.argument(name="for")] = None,
) -> Any:
    who = await standings.somebody(info.context, for_)
    if who is None:
        return None
    loaders = info.context.loaders
    is_limited = parent.limit_per_member is not None or parent.limits
    taken = await loaders.keyed(stored.taken, (who.id, parent.id)) if is_limited else ()
    asking = Asking(
        standing=who.standing, quantity=quantity, now=info.context.now, time_zone=who.time_zone, taken=taken or ()
    )
    price = price_for(parent, who.standing, info.context.now)
    refusals = tuple(obstacles(parent, await _shelf(parent, info), asking))
    if not 1 <= quantity <= QUANTITY_MAX:
        # So many have no price; what is told is that of one.
        return Judged(quantity=quantity, priced=1, price=price, refusals=refusals)
    of_pool = await _obstacles_of_pool(parent, info, who.id, quantity)
    return Judged(quantity=quantity, priced=quantity, price=price, refusals=(*refusals, *of_pool))


async def _obstacles_of_pool(parent: reward.Reward, info: Info, member_id: UUID, quantity: int) -> tuple[Refusal, ...]:
    """What is in the way where a reward's vouchers come from."""
    loaders = info.context.loaders
    source = None if parent.pool_id is None else await loaders.row(pool.VoucherPool, parent.pool_id)
    if source is None:
        return ()
    kind = await loaders.row(template.VoucherTemplate, source.template_id)
    assert kind is not None, "a pool has a template"
    key = (member_id, kind.id)
    taken = 0 if kind.limit_per_member is None else await loaders.keyed(stored_vouchers.given, key) or 0
    return tuple(issuing.obstacles(source, kind, quantity, taken, info.context.now))


async def _is_favourite(
    parent: strawberry.Parent[reward.Reward],
    info: Info,
    for_: Annotated[MemberRefInput | None, strawberry.argument(name="for")] = None,
) -> Any:
    who = await standings.somebody(info.context, for_)
    return None if who is None else bool(await info.context.loaders.keyed(stored.liked, (who.id, parent.id)))


@shapes.shape(reward.Reward)
class Reward(shapes.Node):
    """Something points buy.

    It is shown to members from `visibleFrom` until before `visibleUntil`, and may be redeemed while it is active, from
    `startsAt` until before `endsAt`.
    """

    code: str = strawberry.field(description="The shop's own name for it, unique in the program.")
    name: str = strawberry.field(resolver=_name, description="In the language, or the nearest there is: zh has zh-CN.")
    description: str | None = strawberry.field(resolver=_description)
    kind: reward.RewardKind
    categories: list[str]
    pictures: list[RewardPicture]
    translations: list[RewardTranslation]
    points: scalars.Points = strawberry.field(description="The price of one.")
    cash: Money = moneys.field("cash_minor", description="What one costs in money beside its points.")
    pay_minutes: int = strawberry.field(description="Within how many minutes the money must be paid.")
    prices: list[RewardPrice] = access.guarded(_STAFF, "prices", description="Better prices for some members or times.")
    audience: Audience = strawberry.field(description="Whom it is for.")
    unlock_points: scalars.Points = strawberry.field(description="What a member must have earned in all before.")
    stock: int | None = strawberry.field(resolver=_stock, description="How many are left; null for no end.")
    daily_stock: int | None = strawberry.field(description="How many are given out a day; null for no bound.")
    limit_per_member: int | None
    limits: list[RewardLimit]
    deliveries: list[reward.DeliveryKind] = strawberry.field(description="Of which one is chosen when redeeming.")
    stores: list[Store] = strawberry.field(resolver=_stores, description="Where it can be had; empty: everywhere.")
    pool: LaterPool | None = access.resolved_by(
        _STAFF, shapes.linking(pool.VoucherPool, "pool_id"), description="Where its vouchers come from."
    )
    is_active: bool
    visible_from: datetime | None
    visible_until: datetime | None
    starts_at: datetime | None
    ends_at: datetime | None
    availability: RewardAvailability | None = strawberry.field(
        resolver=_availability,
        description="Whether a member can have it: itself, or `for` whomever the shop names; null if nobody is named.",
    )
    is_favourite: bool | None = strawberry.field(
        resolver=_is_favourite, description="Whether a member likes it; null if nobody is named."
    )
