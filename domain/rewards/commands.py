"""Putting rewards into the mall, editing them, and remembering which of them a member likes."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from urllib.parse import urlsplit
from uuid import UUID

from domain import audiences, checks, members
from domain.audiences import Audience
from domain.kernel import Command, Decision, Event, Row, State
from domain.members import MemberRef
from domain.points.account import PointsAccount
from domain.points.posting import open_posting
from domain.rewards.reward import (
    CATEGORIES_MAX,
    DESCRIPTION_MAX,
    LIMITS_MAX,
    PAY_MINUTES_MAX,
    PICTURES_MAX,
    PRICES_MAX,
    QUANTITY_MAX,
    STORES_MAX,
    TRANSLATIONS_MAX,
    DeliveryKind,
    LanguageInvalid,
    PeriodLimit,
    Picture,
    Price,
    Reward,
    RewardCodeTaken,
    RewardInvalid,
    RewardKind,
    RewardSaved,
    Translation,
    UrlInvalid,
    WindowInvalid,
)
from domain.rewards.standing import check_audience
from domain.rewards.stock import STOCK_MAX, RewardStock
from domain.stores import Store

URL_MAX: Final = 2000
FAVOURITES_MAX: Final = 500
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
# What RFC 3986 lets stand in an address as it is; a percent sign begins an octet.
_ADDRESS = re.compile(r"([A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stocked:
    """A reward with its stock."""

    reward: Reward
    stock: RewardStock


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardTerms:
    """What else may be told of a reward; None leaves it as it is."""

    kind: RewardKind | None = None
    categories: tuple[str, ...] | None = None
    pictures: tuple[Picture, ...] | None = None
    translations: tuple[Translation, ...] | None = None
    cash_minor: int | None = None
    pay_minutes: int | None = None
    prices: tuple[Price, ...] | None = None
    audience: Audience | None = None
    unlock_points: int | None = None
    limits: tuple[PeriodLimit, ...] | None = None
    daily_stock: int | None = None
    deliveries: tuple[DeliveryKind, ...] | None = None
    store_ids: tuple[UUID, ...] | None = None
    pool_id: UUID | None = None
    visible_from: datetime | None = None
    visible_until: datetime | None = None

    def told(self) -> dict[str, object]:
        """What is told, by the reward's fields."""
        names = RewardTerms.__dataclass_fields__
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


class RewardBound(StrEnum):
    """What can be lifted from a reward, because leaving it out leaves it as it is."""

    STOCK = "STOCK"
    DAILY_STOCK = "DAILY_STOCK"
    LIMIT_PER_MEMBER = "LIMIT_PER_MEMBER"
    STARTS_AT = "STARTS_AT"
    ENDS_AT = "ENDS_AT"
    VISIBLE_FROM = "VISIBLE_FROM"
    VISIBLE_UNTIL = "VISIBLE_UNTIL"
    DESCRIPTION = "DESCRIPTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateReward(Command[Stocked]):
    """Put a reward into the mall. Refuses a code that is taken, and terms that contradict each other."""

    code: str
    name: str
    points: int
    description: str | None = None
    stock: int | None = None
    limit_per_member: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    terms: RewardTerms = RewardTerms()

    def decide(self, state: State) -> Decision[Stocked]:
        code = checks.text("code", self.code, length_max=50)
        reward = Reward(
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
        reward = _checked(state, replace(reward, **self.terms.told()))  # type: ignore[arg-type]
        _check_audiences(state, self.terms)
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
    """Edit a reward; None leaves a value as it is. `stock` sets what is left; `lifts` takes bounds away."""

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
    terms: RewardTerms = RewardTerms()
    lifts: tuple[RewardBound, ...] = ()

    def decide(self, state: State) -> Decision[Stocked]:
        names = ("name", "description", "points", "limit_per_member", "is_active", "starts_at", "ends_at")
        told = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        lifted = {bound.lower(): None for bound in self.lifts if bound is not RewardBound.STOCK}
        before = state.change(Reward, self.reward_id)
        reward = replace(before, **lifted, **told | self.terms.told())  # type: ignore[arg-type]
        reward = _checked(state, reward)
        # What was told before may name a segment that was archived since: it keeps everybody out, and no edit.
        _check_audiences(state, self.terms)
        stock = state.get(RewardStock, self.reward_id)
        if self.stock is not None:
            left = checks.number("stock", self.stock, minimum=0, maximum=STOCK_MAX)
            stock = replace(stock, left=left)
        if self.is_unlimited or RewardBound.STOCK in self.lifts:
            stock = replace(stock, left=None)
        return Decision(
            Stocked(reward=reward, stock=stock),
            save=(reward, stock),
            events=(RewardSaved(reward_id=reward.id),),
        )


def _checked(state: State, reward: Reward) -> Reward:
    """The reward with its texts trimmed. Refuses what is out of bounds, naming the field."""
    checks.points("points", reward.points)
    _check_numbers(reward)
    check_window("startsAt", reward.starts_at, "endsAt", reward.ends_at)
    check_window("visibleFrom", reward.visible_from, "visibleUntil", reward.visible_until)
    checks.at_most("categories", reward.categories, CATEGORIES_MAX)
    checks.at_most("storeIds", reward.store_ids, STORES_MAX)
    for store_id in reward.store_ids:
        state.get(Store, store_id)
    _check_whole(reward)
    return replace(
        reward,
        name=checks.text("name", reward.name),
        description=checks.optional_text("description", reward.description, length_max=DESCRIPTION_MAX),
        categories=checks.texts("categories", reward.categories, length_max=50),
        pictures=_checked_pictures(reward.pictures),
        translations=_checked_translations(reward.translations),
        prices=_checked_prices(reward.prices),
        audience=audiences.check("audience", reward.audience),
        deliveries=tuple(dict.fromkeys(reward.deliveries)),
        store_ids=tuple(dict.fromkeys(reward.store_ids)),
    )


def _check_audiences(state: State, terms: RewardTerms) -> None:
    """Refuses `ReferenceUnknown` for tiers and segments that there are not."""
    if terms.audience is not None:
        check_audience(state, "audience", terms.audience)
    for price in terms.prices or ():
        check_audience(state, "prices.audience", price.audience)


def _check_numbers(reward: Reward) -> None:
    checks.amount("cash", reward.cash_minor)
    checks.number("payMinutes", reward.pay_minutes, minimum=1, maximum=PAY_MINUTES_MAX)
    checks.points("unlockPoints", reward.unlock_points, minimum=0)
    if reward.limit_per_member is not None:
        checks.number("limitPerMember", reward.limit_per_member, minimum=1, maximum=QUANTITY_MAX)
    if reward.daily_stock is not None:
        checks.number("dailyStock", reward.daily_stock, minimum=0, maximum=STOCK_MAX)
    checks.at_most("limits", reward.limits, LIMITS_MAX)
    for limit in reward.limits:
        checks.number("limits.quantity", limit.quantity, minimum=1, maximum=QUANTITY_MAX)
    if len({limit.period for limit in reward.limits}) != len(reward.limits):
        raise RewardInvalid(field=("limits",), why="each period has one limit")


def _check_whole(reward: Reward) -> None:
    has_codes = reward.kind in (RewardKind.VOUCHER, RewardKind.GIFT_CARD)
    if reward.pool_id is not None and not has_codes:
        raise RewardInvalid(field=("poolId",), why=f"only vouchers and gift cards come from a pool, not {reward.kind}")
    if reward.kind is RewardKind.VOUCHER and reward.pool_id is None:
        raise RewardInvalid(field=("poolId",), why="a voucher comes from a pool")
    if reward.pool_id is not None and any((reward.cash_minor, *(price.cash_minor for price in reward.prices))):
        raise RewardInvalid(field=("cash",), why="what comes from a pool costs points only")
    if reward.pool_id is not None and reward.deliveries:
        raise RewardInvalid(field=("deliveries",), why="what comes from a pool is there at once")


def check_window(first: str, starts_at: datetime | None, last: str, ends_at: datetime | None) -> None:
    """Refuses `WindowInvalid` with the field of the time at fault."""
    for name, at in ((first, starts_at), (last, ends_at)):
        if at is not None and at.tzinfo is None:
            raise WindowInvalid(field=(name,))
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        raise WindowInvalid(field=(last,))


def _checked_pictures(pictures: tuple[Picture, ...]) -> tuple[Picture, ...]:
    checks.at_most("pictures", pictures, PICTURES_MAX)
    return tuple(
        Picture(
            url=checked_url(picture.url, ("pictures", "url")), text=checks.optional_text("pictures.text", picture.text)
        )
        for picture in pictures
    )


def checked_url(given: str, field: tuple[str, ...]) -> str:
    """An https address with a host, no user, and a port that there is. Refuses `UrlInvalid`, naming the field."""
    url = given.strip()
    refusal = UrlInvalid(field=field, given=url[:100])
    if len(url) > URL_MAX or not _ADDRESS.fullmatch(url):
        raise refusal
    try:
        parts = urlsplit(url)
        host, user, port = parts.hostname, parts.username, parts.port
    except ValueError:
        raise refusal from None
    if parts.scheme != "https" or not host or user is not None or port == 0:
        raise refusal
    return url


def _checked_translations(translations: tuple[Translation, ...]) -> tuple[Translation, ...]:
    checks.at_most("translations", translations, TRANSLATIONS_MAX)
    known: dict[str, Translation] = {}
    for told in translations:
        language = told.language.strip()
        if not _LANGUAGE.fullmatch(language) or language.lower() in known:
            raise LanguageInvalid(field=("translations", "language"), given=language[:50])
        known[language.lower()] = Translation(
            language=language,
            name=checks.text("translations.name", told.name),
            description=checks.optional_text("translations.description", told.description, length_max=DESCRIPTION_MAX),
        )
    return tuple(known.values())


def _checked_prices(prices: tuple[Price, ...]) -> tuple[Price, ...]:
    checks.at_most("prices", prices, PRICES_MAX)
    checked: list[Price] = []
    for price in prices:
        checks.points("prices.points", price.points)
        checks.amount("prices.cash", price.cash_minor)
        check_window("prices.startsAt", price.starts_at, "prices.endsAt", price.ends_at)
        checked.append(replace(price, audience=audiences.check("prices.audience", price.audience)))
    return tuple(checked)


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardFavourite(Row):
    """Whether a member likes a reward."""

    parent: ClassVar[str | None] = "member_id"
    guard: ClassVar[type[Row] | None] = PointsAccount

    member_id: UUID
    reward_id: UUID
    is_favourite: bool
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardLiked(Event):
    """A member made a reward a favourite, or no longer."""

    reward_id: UUID
    is_favourite: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Liked:
    """A reward that a member likes, or no longer, with the member's account."""

    reward: Reward
    account: PointsAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class LikeReward(Command[Liked]):
    """Make a reward a member's favourite, or with `is_favourite` False no longer. Again changes nothing.

    Refuses `NotFound`, and `TooMany` beyond 500 rewards that a member ever liked.
    """

    member: MemberRef
    reward_id: UUID
    is_favourite: bool = True

    def decide(self, state: State) -> Decision[Liked]:
        member_id = members.resolve(state, self.member)
        account = open_posting(state, member_id).account
        reward = state.get(Reward, self.reward_id)
        known = {row.reward_id: row for row in state.all(RewardFavourite, of=member_id)}
        before = known.get(reward.id)
        result = Liked(reward=reward, account=account)
        if (before is not None and before.is_favourite) == self.is_favourite:
            return Decision(result)
        if before is None:
            checks.at_most("favourites", (*known, reward.id), FAVOURITES_MAX)
            before = RewardFavourite(
                id=state.new_id(),
                program_id=state.program_id,
                member_id=member_id,
                reward_id=reward.id,
                is_favourite=True,
                changed_at=state.now,
            )
        row = replace(before, is_favourite=self.is_favourite, changed_at=state.now)
        liked = RewardLiked(member_id=member_id, reward_id=reward.id, is_favourite=self.is_favourite)
        return Decision(result, save=(row,), events=(liked,))
