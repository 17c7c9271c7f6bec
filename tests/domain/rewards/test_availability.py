"""Whether a member can have a reward, at which price, and if not why: asking and taking agree (S32, S33, S34)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import calendars
from domain.audiences import Audience
from domain.checks import NumberInvalid
from domain.kernel import Refusal
from domain.members import Member
from domain.points.account import AccountStatus, DebtOutstanding, InsufficientPoints, MemberFrozen
from domain.references import ReferenceUnknown
from domain.rewards.availability import (
    Asking,
    LimitReached,
    NotEligible,
    NotInAudience,
    PeriodLimitReached,
    RewardLocked,
    RewardUnavailable,
    Standing,
    Taken,
    obstacles,
    price_for,
)
from domain.rewards.commands import CreateReward, RewardTerms, UpdateReward
from domain.rewards.reward import LimitPeriod, PeriodLimit, Price, Reward
from domain.rewards.stock import RewardStock, SoldOut, SoldOutToday
from domain.segments import ArchiveSegment, Criteria, SaveSegment
from domain.tiers.tier import CreateTier
from tests.domain.mall import Mall
from tests.domain.memory import START

DAY = timedelta(days=1)


def standing(mall: Mall, member: UUID, *segments: str) -> Standing:
    tags = frozenset(mall.row(Member, member).tags)
    return Standing(account=mall.account(member), tags=tags, segments=frozenset(segments))


def asked(mall: Mall, member: UUID, reward: Reward, quantity: int = 1, *taken: Taken) -> list[Refusal]:
    asking = Asking(
        standing=standing(mall, member), quantity=quantity, now=mall.now, time_zone="Asia/Shanghai", taken=taken
    )
    return list(obstacles(reward, mall.row(RewardStock, reward.id), asking))


def test_nothing_is_in_the_way_of_who_can_have_it(mall: Mall) -> None:
    member, reward = mall.enroll(100), mall.reward(100, stock=1)
    assert asked(mall, member, reward) == []


def test_everything_in_the_way_is_told_in_order_with_its_numbers(mall: Mall) -> None:
    member = mall.enroll()
    purchase = mall.buy(member, 5_000).purchase
    mall.spend(member, 50)
    mall.refund(purchase)
    mall.freeze(member)
    reward = mall.terms(
        80,
        stock=1,
        audience=Audience(tags=("vip",)),
        unlock_points=1_000,
        limits=(PeriodLimit(period=LimitPeriod.MONTH, quantity=2),),
    )
    told = [
        (type(refusal), refusal.details)
        for refusal in asked(mall, member, reward, 2, Taken(START - timedelta(days=1), 1))
    ]
    assert told == [
        (MemberFrozen, {}),
        (NotInAudience, {"why": "tags", "expected": "vip"}),
        (RewardLocked, {"required": 1_000, "earned": 50}),
        (PeriodLimitReached, {"limit": 2, "taken": 1, "requested": 2, "period": "month"}),
        (SoldOut, {"requested": 2, "left": 1}),
        (DebtOutstanding, {"debt": 50}),
        (InsufficientPoints, {"required": 160, "available": 0}),
    ]
    assert mall.account(member).status is AccountStatus.FROZEN


@pytest.mark.parametrize(
    ("audience", "why", "expected"),
    [
        (Audience(tags=("vip", "gold")), "tags", "vip, gold"),
        (Audience(without_tags=("tea",)), "withoutTags", "tea"),
        (Audience(segments=("rich",)), "segments", "rich"),
    ],
)
def test_who_is_not_meant_is_told_by_what(mall: Mall, audience: Audience, why: str, expected: str) -> None:
    mall.run(SaveSegment(code="rich", name="Rich", criteria=Criteria(available_min=500)))
    member = mall.tagged(100, "tea")
    reward = mall.terms(1, audience=audience)
    with pytest.raises(NotEligible) as refused:
        mall.take(member, reward)
    assert refused.value.details == {"why": why, "expected": expected}
    assert mall.figures(member) == (100, 0, 0, 0)


def test_who_is_of_no_such_tier_is_told_of_which(mall: Mall) -> None:
    tiers = [mall.run(CreateTier(name=name, rank=rank, threshold=50 * rank)) for rank, name in enumerate("AB", 1)]
    reward = mall.terms(1, audience=Audience(tiers=tuple(tier.id for tier in tiers)))
    with pytest.raises(NotEligible) as refused:
        mall.take(mall.enroll(100), reward)
    assert refused.value.details == {"why": "tiers", "expected": f"{tiers[0].id}, {tiers[1].id}"}


def test_f7_an_audience_names_tiers_and_segments_that_there_are(mall: Mall) -> None:
    """Whether it is the reward's or a price's; and an edit of something else is not refused for it."""
    mall.run(SaveSegment(code="rich", name="Rich", criteria=Criteria(available_min=500)))
    reward = mall.terms(1, audience=Audience(segments=("rich",)))
    unknown: list[tuple[dict[str, Any], str]] = [
        ({"audience": Audience(segments=("ritch",))}, "audience.segments"),
        ({"audience": Audience(tiers=(UUID(int=7),))}, "audience.tierIds"),
        ({"prices": (Price(points=1, audience=Audience(segments=("x",))),)}, "prices.audience.segments"),
    ]
    for told, field in unknown:
        for command in (
            CreateReward(code="new", name="New", points=1, terms=RewardTerms(**told)),
            UpdateReward(reward_id=reward.id, terms=RewardTerms(**told)),
        ):
            with pytest.raises(ReferenceUnknown) as refused:
                mall.run(command)
            assert refused.value.field == (field,)
    mall.run(ArchiveSegment(code="rich"))
    assert mall.run(UpdateReward(reward_id=reward.id, name="Pot")).reward.audience == reward.audience


@pytest.mark.parametrize("quantity", [0, -1, 1_001, 1_000_000])
def test_f6_a_bad_quantity_is_the_only_obstacle(mall: Mall, quantity: int) -> None:
    member, reward = mall.enroll(), mall.reward(10, stock=5)
    (only,) = asked(mall, member, reward, quantity)
    assert isinstance(only, NumberInvalid)
    assert only.details == {"name": "quantity", "number": quantity, "minimum": 1, "maximum": 1_000}


def test_who_is_meant_by_tag_or_tier_can_have_it(mall: Mall) -> None:
    tier = mall.run(CreateTier(name="Gold", rank=1, threshold=50))
    member = mall.tagged(100, "tea", "vip")
    mall.buy(member, 5_000)
    mall.take(member, mall.terms(1, audience=Audience(tags=("vip",), tiers=(tier.id,))))


def test_s51_who_is_in_a_segment_can_have_what_is_for_it_and_at_its_price(mall: Mall) -> None:
    mall.run(SaveSegment(code="rich", name="Rich", criteria=Criteria(available_min=500)))
    mall.run(SaveSegment(code="other", name="Other", criteria=Criteria(available_min=10**6)))
    reward = mall.terms(100, audience=Audience(segments=("rich", "other")))
    cheap = mall.terms(100, prices=(Price(points=1, audience=Audience(segments=("rich",))),))
    rich, poor = mall.enroll(1_000), mall.enroll(100)
    mall.take(rich, reward)
    with pytest.raises(NotEligible):
        mall.take(poor, reward)
    assert [mall.take(member, cheap).redemption.points for member in (rich, poor)] == [1, 100]
    mall.run(ArchiveSegment(code="rich"))
    with pytest.raises(NotEligible):
        mall.take(rich, reward)


def test_s32_points_earned_in_all_unlock_a_reward_even_when_they_are_spent(mall: Mall) -> None:
    member, reward = mall.enroll(), mall.terms(10, unlock_points=100)
    mall.buy(member, 9_900)
    with pytest.raises(RewardLocked) as refused:
        mall.take(member, reward)
    assert refused.value.details == {"required": 100, "earned": 99}
    mall.buy(member, 100)
    mall.spend(member, 90)
    mall.take(member, reward)


def test_s33_the_best_price_is_the_member_s(mall: Mall) -> None:
    mall.run(SaveSegment(code="lapsed", name="Lapsed", criteria=Criteria(available_min=10**6)))
    reward = mall.terms(
        100,
        cash_minor=500,
        prices=(
            Price(points=90, cash_minor=900, audience=Audience(tags=("vip",))),
            Price(points=90, cash_minor=100, audience=Audience(tags=("vip",))),
            Price(points=10, audience=Audience(segments=("lapsed",))),
            Price(points=120),
        ),
    )
    anybody, vip = mall.tagged(200), mall.tagged(200, "vip")
    assert price_for(reward, standing(mall, anybody), START) == Price(points=100, cash_minor=500)
    assert price_for(reward, standing(mall, vip), START) == reward.prices[1]
    assert price_for(reward, standing(mall, anybody, "lapsed"), START) == reward.prices[2]
    redemption = mall.take(vip, reward, 2).redemption
    assert (redemption.points, redemption.cash_minor) == (180, 200)


def test_s34_a_price_has_its_time(mall: Mall) -> None:
    member = mall.enroll(1_000)
    reward = mall.terms(100, prices=(Price(points=10, starts_at=START + DAY, ends_at=START + 2 * DAY),))
    paid = []
    for days in range(3):
        mall.now = START + days * DAY
        paid.append(mall.take(member, reward).redemption.points)
    assert paid == [100, 10, 100]


@pytest.mark.parametrize(
    ("period", "first"),
    [
        (LimitPeriod.DAY, "2026-01-15"),
        (LimitPeriod.WEEK, "2026-01-12"),
        (LimitPeriod.MONTH, "2026-01-01"),
        (LimitPeriod.YEAR, "2026-01-01"),
    ],
)
def test_periods_are_those_of_the_program_s_calendar(period: LimitPeriod, first: str) -> None:
    today = calendars.local_date(START, "Asia/Shanghai")
    assert calendars.start_of_period(today, period).isoformat() == first


def test_a_limit_of_a_day_ends_with_the_local_day(mall: Mall) -> None:
    member = mall.enroll(100)
    reward = mall.terms(1, limits=(PeriodLimit(period=LimitPeriod.DAY, quantity=1),))
    mall.take(member, reward)
    mall.now = calendars.end_of(calendars.local_date(START, "Asia/Shanghai"), "Asia/Shanghai") - timedelta(seconds=1)
    with pytest.raises(PeriodLimitReached) as refused:
        mall.take(member, reward)
    assert refused.value.details == {"limit": 1, "taken": 1, "requested": 1, "period": "day"}
    mall.later(seconds=1)
    mall.take(member, reward)


def test_what_was_cancelled_in_part_counts_no_longer(mall: Mall) -> None:
    from domain.redemptions.ending import CancelRedemption

    member, reward = mall.enroll(100), mall.reward(1, limit_per_member=3)
    redeemed = mall.take(member, reward, 3)
    mall.end(CancelRedemption, redeemed, reason="two", quantity=2)
    mall.take(member, reward, 2)
    with pytest.raises(LimitReached) as refused:
        mall.take(member, reward)
    assert refused.value.details == {"limit": 3, "taken": 3, "requested": 1}


def test_daily_stock_is_given_out_each_local_day(mall: Mall) -> None:
    member, reward = mall.enroll(100), mall.terms(1, daily_stock=2)
    mall.take(member, reward, 2)
    with pytest.raises(SoldOutToday) as refused:
        mall.take(member, reward)
    assert refused.value.details == {"requested": 1, "left": 0, "daily": 2}
    mall.later(hours=12)
    mall.take(member, reward)
    stock = mall.row(RewardStock, reward.id)
    assert (stock.left, stock.day_taken, str(stock.day)) == (None, 1, "2026-01-16")


def test_what_is_not_open_is_said_when_it_is(mall: Mall) -> None:
    member = mall.enroll(100)
    told: tuple[dict[str, Any], ...] = ({"starts_at": START + DAY}, {"ends_at": START})
    for window in told:
        (refusal,) = asked(mall, member, mall.reward(1, **window))
        assert isinstance(refusal, RewardUnavailable)
        assert "2026-01-1" in str(refusal.details["why"])
