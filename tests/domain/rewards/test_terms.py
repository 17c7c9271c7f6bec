"""What may be told of a reward, and what contradicts itself."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import checks
from domain.audiences import Audience
from domain.kernel import NotFound
from domain.rewards.commands import (
    FAVOURITES_MAX,
    CreateReward,
    LikeReward,
    RewardBound,
    RewardFavourite,
    RewardTerms,
    UpdateReward,
)
from domain.rewards.reward import (
    PAY_MINUTES_MAX,
    DeliveryKind,
    LanguageInvalid,
    LimitPeriod,
    PeriodLimit,
    Picture,
    Price,
    RewardInvalid,
    RewardKind,
    Translation,
    UrlInvalid,
    WindowInvalid,
)
from tests.domain.mall import Mall
from tests.domain.memory import START, ref

NOBODY = UUID(int=99)
HOUR = timedelta(hours=1)


def test_a_reward_keeps_all_that_is_told_of_it(mall: Mall) -> None:
    store = mall.store()
    terms = RewardTerms(
        kind=RewardKind.ITEM,
        categories=(" tea ", "tea", "gifts"),
        pictures=(Picture(url=" https://example.com/cup.png ", text="a cup"),),
        translations=(Translation(language="en", name=" Cup ", description=None),),
        cash_minor=990,
        pay_minutes=30,
        prices=(Price(points=80, audience=Audience(tags=("vip",))),),
        audience=Audience(tags=("tea",)),
        unlock_points=10,
        limits=(PeriodLimit(period=LimitPeriod.DAY, quantity=1),),
        daily_stock=5,
        deliveries=(DeliveryKind.SHIPPING, DeliveryKind.SHIPPING, DeliveryKind.PICK_UP),
        store_ids=(store.id, store.id),
        visible_from=START - HOUR,
        visible_until=START + HOUR,
    )
    reward = mall.run(CreateReward(code="cup", name="Cup", points=100, terms=terms)).reward
    assert reward.categories == ("tea", "gifts")
    assert reward.pictures == (Picture(url="https://example.com/cup.png", text="a cup"),)
    assert reward.translations == (Translation(language="en", name="Cup"),)
    assert (reward.cash_minor, reward.pay_minutes, reward.unlock_points, reward.daily_stock) == (990, 30, 10, 5)
    assert (reward.prices, reward.audience, reward.limits) == (terms.prices, terms.audience, terms.limits)
    assert (reward.deliveries, reward.store_ids) == ((DeliveryKind.SHIPPING, DeliveryKind.PICK_UP), (store.id,))
    edited = mall.run(UpdateReward(reward_id=reward.id, terms=RewardTerms(categories=(), cash_minor=0))).reward
    assert edited == replace(reward, categories=(), cash_minor=0)


def test_a_reward_is_shown_and_redeemed_at_two_different_times(mall: Mall) -> None:
    reward = mall.reward(
        1,
        starts_at=START + 2 * HOUR,
        terms=RewardTerms(visible_from=START + HOUR, visible_until=START + 3 * HOUR),
    )
    shown = [reward.is_visible(START + hours * HOUR) for hours in range(5)]
    assert shown == [False, True, True, False, False]
    assert not replace(reward, is_active=False).is_visible(START + HOUR)


def test_bounds_are_lifted_by_name(mall: Mall) -> None:
    reward = mall.reward(
        1,
        stock=5,
        limit_per_member=1,
        starts_at=START,
        ends_at=START + HOUR,
        description="cup",
        terms=RewardTerms(daily_stock=1, visible_from=START, visible_until=START + HOUR),
    )
    stocked = mall.run(UpdateReward(reward_id=reward.id, lifts=tuple(RewardBound)))
    assert stocked.stock.left is None
    lifted = ("limit_per_member", "starts_at", "ends_at", "description", "daily_stock", "visible_from", "visible_until")
    assert [getattr(stocked.reward, name) for name in lifted] == [None] * 7


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.png",
        "https://",
        "https:///a.png",
        "example.com/a.png",
        "ftp://example.com/a.png",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "https://user:secret@example.com/a.png",
        "https://user@example.com/a.png",
        "https://example.com/a b.png",
        "https://example.com/a\nb.png",
        "https://[::1/a.png",
        'https://example.com/"><script>',
        "https://example.com/a'\"b.png",
        "https://example.com/<a>.png",
        "https://example.com/a\\b.png",
        "https://example.com/`a`.png",
        "https://example.com/{a}.png",
        "https://example.com/茶.png",
        "https://example.com/%zz.png",
        "https://example.com/100%",
        "https://example.com:99999/a.png",
        "https://example.com:0/a.png",
        "https://example.com:x/a.png",
        "https://example.com/" + "a" * 2_000,
        "",
    ],
)
def test_f9_a_picture_is_at_an_https_address(mall: Mall, url: str) -> None:
    with pytest.raises(UrlInvalid) as refused:
        mall.terms(1, pictures=(Picture(url=url),))
    assert refused.value.field == ("pictures", "url")
    assert refused.value.details == {"given": url.strip()[:100]}


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com:8443/a.png?width=80&x=(1)#top",
        "https://example.com/%E8%8C%B6.png",
        "https://[::1]/a.png",
        "https://xn--fiq228c.example/a_b~c/@2x.png",
    ],
)
def test_f9_what_an_address_may_hold_is_kept_as_it_is(mall: Mall, url: str) -> None:
    assert mall.terms(1, pictures=(Picture(url=url),)).pictures == (Picture(url=url),)


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        ({"cash_minor": -1}, checks.AmountInvalid),
        ({"pay_minutes": 0}, checks.NumberInvalid),
        ({"pay_minutes": PAY_MINUTES_MAX + 1}, checks.NumberInvalid),
        ({"unlock_points": -1}, checks.PointsInvalid),
        ({"daily_stock": -1}, checks.NumberInvalid),
        ({"limits": (PeriodLimit(period=LimitPeriod.DAY, quantity=0),)}, checks.NumberInvalid),
        ({"limits": (PeriodLimit(period=LimitPeriod.DAY, quantity=1),) * 2}, RewardInvalid),
        ({"limits": (PeriodLimit(period=LimitPeriod.DAY, quantity=1),) * 5}, checks.TooMany),
        ({"categories": ("",)}, checks.TextInvalid),
        ({"categories": ("a",) * 21}, checks.TooMany),
        ({"pictures": (Picture(url="https://example.com/a.png"),) * 21}, checks.TooMany),
        ({"translations": (Translation(language="en", name="a"),) * 2}, LanguageInvalid),
        ({"translations": (Translation(language="english!", name="a"),)}, LanguageInvalid),
        ({"translations": (Translation(language="en", name=""),)}, checks.TextInvalid),
        ({"prices": (Price(points=0),)}, checks.PointsInvalid),
        ({"prices": (Price(points=1, cash_minor=-1),)}, checks.AmountInvalid),
        ({"prices": (Price(points=1, starts_at=START, ends_at=START),)}, WindowInvalid),
        ({"prices": (Price(points=1),) * 21}, checks.TooMany),
        ({"audience": Audience(tags=("a",) * 101)}, checks.TooMany),
        ({"visible_from": START, "visible_until": START}, WindowInvalid),
        ({"visible_from": START.replace(tzinfo=None)}, WindowInvalid),
        ({"store_ids": (NOBODY,)}, NotFound),
        ({"store_ids": (NOBODY,) * 201}, checks.TooMany),
        ({"kind": RewardKind.VOUCHER}, RewardInvalid),
    ],
)
def test_what_cannot_be_is_refused(mall: Mall, told: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        mall.terms(1, **told)


def test_what_comes_from_a_pool_is_a_voucher_or_a_card_for_points_alone(mall: Mall) -> None:
    pool = mall.pool()
    kept = mall.terms(1, kind=RewardKind.VOUCHER, pool_id=pool.id)
    assert (kept.kind, kept.pool_id) == (RewardKind.VOUCHER, pool.id)
    for told in (
        {"kind": RewardKind.ITEM},
        {"kind": RewardKind.VOUCHER, "cash_minor": 1},
        {"kind": RewardKind.VOUCHER, "prices": (Price(points=1, cash_minor=1),)},
        {"kind": RewardKind.GIFT_CARD, "deliveries": (DeliveryKind.SHIPPING,)},
    ):
        with pytest.raises(RewardInvalid):
            mall.terms(1, pool_id=pool.id, **told)


def test_a_member_likes_a_reward_once_and_no_longer(mall: Mall) -> None:
    member, reward = mall.enroll(), mall.reward(1)
    like = LikeReward(member=ref(member), reward_id=reward.id)
    unlike = replace(like, is_favourite=False)
    assert mall.run(unlike).reward == reward
    assert mall.decision.save == ()
    mall.run(like)
    (row,) = mall.state.rows(RewardFavourite)
    assert (row.member_id, row.reward_id, row.is_favourite) == (member, reward.id, True)
    mall.run(like)
    assert mall.decision.save == ()
    mall.later(hours=1)
    mall.run(unlike)
    mall.run(like)
    assert mall.state.rows(RewardFavourite) == (replace(row, changed_at=mall.now),)
    with pytest.raises(NotFound):
        mall.run(replace(like, reward_id=NOBODY))


def test_a_member_has_at_most_five_hundred_favourites(mall: Mall) -> None:
    member, reward = mall.enroll(), mall.reward(1)
    mall.state.keep(
        RewardFavourite(
            id=UUID(int=number),
            program_id=reward.program_id,
            member_id=member,
            reward_id=UUID(int=number),
            is_favourite=False,
            changed_at=START,
        )
        for number in range(1, FAVOURITES_MAX + 1)
    )
    with pytest.raises(checks.TooMany):
        mall.run(LikeReward(member=ref(member), reward_id=reward.id))
