"""Tiers: ordered by rank and by what they need; reached at once and never lost by spending (K1, K2, K4)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain import checks
from domain.kernel import NotFound, Refusal
from domain.tiers.standing import TierReached
from domain.tiers.tier import (
    NO_BENEFITS,
    CreateTier,
    Tier,
    TierBenefits,
    TierOrderInvalid,
    TierSaved,
    TierTaken,
    UpdateTier,
    current,
    left_with,
    multiplier_bp,
    next_above,
    next_below,
    rank_of,
    reached,
)
from tests.domain.memory import PROGRAM_ID, START
from tests.domain.shop import Shop


def tier(shop: Shop, name: str, rank: int, points: int, **more: Any) -> Tier:
    return shop.run(CreateTier(name=name, rank=rank, threshold=points, **more))


def update(shop: Shop, changed: Tier, **told: Any) -> Tier:
    return shop.run(UpdateTier(tier_id=changed.id, **told))


def test_a_tier_is_kept_as_it_was_told(shop: Shop) -> None:
    silver = tier(shop, " Silver ", 1, 100, multiplier_bp=15_000)
    assert silver == Tier(
        id=silver.id,
        program_id=PROGRAM_ID,
        name="Silver",
        rank=1,
        threshold=100,
        multiplier_bp=15_000,
        created_at=START,
    )
    assert shop.events == (TierSaved(tier_id=silver.id),)
    assert update(shop, silver) == silver
    assert update(shop, silver, name="Argent", threshold=50).threshold == 50


def test_the_highest_tier_within_the_points_is_reached(shop: Shop) -> None:
    silver, gold = tier(shop, "Silver", 1, 100), tier(shop, "Gold", 2, 300)
    ladder = (gold, silver)
    assert [reached(ladder, points) for points in (0, 99, 100, 299, 300, 10**9)] == [
        None,
        None,
        silver,
        silver,
        gold,
        gold,
    ]
    assert current(ladder, gold.id) == gold
    assert current(ladder, None) is None
    assert (multiplier_bp(None), multiplier_bp(silver)) == (10_000, 10_000)
    assert (rank_of(None), rank_of(gold)) == (0, 2)
    assert [next_above(ladder, each) for each in (None, silver, gold)] == [silver, gold, None]
    assert [next_below(ladder, each) for each in (silver, gold)] == [None, silver]


def test_k3_what_is_left_of_a_lost_tier_is_what_the_metric_reaches_or_would_have_kept(shop: Shop) -> None:
    silver = tier(shop, "Silver", 1, 100, keep_threshold=60)
    gold = tier(shop, "Gold", 2, 300, keep_threshold=500)
    found = [left_with((gold, silver), metric) for metric in (59, 60, 299, 300)]
    assert found == [None, silver, silver, gold]


def test_k3_a_tier_is_kept_by_its_own_threshold_or_by_as_much_as_it_is_reached_by(shop: Shop) -> None:
    kept = [tier(shop, "Silver", 1, 100), tier(shop, "Gold", 2, 300, keep_threshold=150)]
    kept.append(tier(shop, "Platinum", 3, 400, keep_threshold=900))
    assert [each.keeps_at for each in kept] == [100, 150, 900]
    with pytest.raises(TierOrderInvalid) as refused:
        update(shop, kept[1], keep_threshold=99)
    assert (refused.value.field, refused.value.details) == (("keepThreshold",), {"tier": "Silver"})
    assert update(shop, kept[1], keep_threshold=100).keeps_at == 100


def test_benefits_are_kept_as_they_were_told_and_have_bounds(shop: Shop) -> None:
    benefits = TierBenefits(
        discount_bp=500, birthday_points=88, upgrade_points=10, head_start_minutes=30, perks=(" Lounge ",)
    )
    silver = tier(shop, "Silver", 1, 100, benefits=benefits)
    assert silver.benefits == replace(benefits, perks=("Lounge",))
    assert update(shop, silver, benefits=NO_BENEFITS).benefits == NO_BENEFITS
    for name, value in (
        ("discount_bp", 10_001),
        ("discount_bp", -1),
        ("birthday_points", -1),
        ("upgrade_points", 10**9 + 1),
        ("head_start_minutes", 43_201),
        ("perks", ("",)),
        ("perks", ("x",) * 21),
    ):
        with pytest.raises(Refusal) as refused:
            update(shop, silver, benefits=replace(NO_BENEFITS, **{name: value}))  # type: ignore[arg-type]
        assert refused.value.field is not None
        assert refused.value.field[0].startswith("benefits"), name


def test_a_tier_of_higher_rank_needs_more_points(shop: Shop) -> None:
    tier(shop, "Silver", 1, 100)
    gold = tier(shop, "Gold", 3, 300)
    for rank, points in ((2, 300), (2, 301), (2, 99), (4, 299)):
        with pytest.raises(TierOrderInvalid):
            tier(shop, "Other", rank, points)
    with pytest.raises(TierOrderInvalid) as refused:
        update(shop, gold, threshold=50)
    assert refused.value.details == {"tier": "Silver"}
    assert tier(shop, "Other", 2, 200).rank == 2


def test_two_tiers_never_need_the_same_points(shop: Shop) -> None:
    tier(shop, "Silver", 1, 100)
    with pytest.raises(TierOrderInvalid):
        tier(shop, "Gold", 2, 100)


def test_a_name_and_a_rank_belong_to_one_tier(shop: Shop) -> None:
    silver = tier(shop, "Silver", 1, 100)
    gold = tier(shop, "Gold", 2, 200)
    attempts: list[tuple[str, str | int, Callable[[], Tier]]] = [
        ("name", "Silver", lambda: tier(shop, "Silver", 3, 300)),
        ("name", "Silver", lambda: update(shop, gold, name="Silver")),
        ("rank", 1, lambda: tier(shop, "Other", 1, 300)),
        ("rank", 2, lambda: update(shop, silver, rank=2)),
    ]
    for what, value, attempt in attempts:
        with pytest.raises(TierTaken) as taken:
            attempt()
        assert taken.value.details == {"what": what, "value": value}


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        ({"name": ""}, checks.TextInvalid),
        ({"rank": 0}, checks.NumberInvalid),
        ({"rank": 101}, checks.NumberInvalid),
        ({"threshold": -1}, checks.PointsInvalid),
        ({"multiplier_bp": 0}, checks.NumberInvalid),
        ({"multiplier_bp": 1_000_001}, checks.NumberInvalid),
    ],
)
def test_a_tiers_numbers_have_bounds(shop: Shop, told: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        shop.run(CreateTier(**{"name": "Silver", "rank": 1, "threshold": 1, **told}))
    with pytest.raises(refusal):
        update(shop, tier(shop, "Silver", 1, 1), **told)


def test_an_unknown_tier_cannot_be_edited(shop: Shop) -> None:
    with pytest.raises(NotFound):
        shop.run(UpdateTier(tier_id=UUID(int=99)))


def test_k2_a_tier_is_reached_at_once_and_several_may_be_skipped(shop: Shop) -> None:
    silver, gold = tier(shop, "Silver", 1, 100), tier(shop, "Gold", 2, 300)
    member = shop.enroll()
    shop.buy(member, 9_900)
    assert shop.account(member).tier_id is None
    shop.buy(member, 100)
    assert shop.account(member).tier_id == silver.id
    rich = shop.enroll()
    shop.buy(rich, 30_000)
    assert shop.account(rich).tier_id == gold.id
    assert shop.events[-1] == TierReached(member_id=rich, tier_id=gold.id, tier_id_before=None)


def test_k1_neither_spending_nor_a_refund_takes_a_tier_away_at_once(shop: Shop) -> None:
    silver = tier(shop, "Silver", 1, 100)
    member = shop.enroll()
    purchase = shop.buy(member, 10_000).purchase
    shop.spend(member, 100)
    assert shop.account(member).tier_id == silver.id
    shop.refund(purchase)
    account = shop.account(member)
    assert (account.tier_id, account.qualifying_points) == (silver.id, 0)


def test_k1_a_member_who_stands_higher_does_not_fall_when_it_earns(shop: Shop) -> None:
    tier(shop, "Silver", 1, 100)
    gold = tier(shop, "Gold", 2, 300)
    member = shop.enroll()
    shop.buy(member, 30_000)
    update(shop, gold, threshold=10_000)
    shop.buy(member, 100)
    assert shop.account(member).tier_id == gold.id
    assert not [event for event in shop.events if isinstance(event, TierReached)]
