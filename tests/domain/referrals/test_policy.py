"""The policy: saved as a whole, within bounds, and without what contradicts itself."""

from dataclasses import replace
from typing import Any

import pytest

from domain import checks
from domain.earning.rules import Cap, Period
from domain.kernel import NotFound
from domain.prizes import PrizeInvalid
from domain.referrals.policy import ReferralPolicy, ReferralPolicyInvalid, ReferralPolicySaved, default_policy
from domain.vouchers.pool import Supply
from tests.domain.friends import Club
from tests.domain.memory import PROGRAM_ID


@pytest.fixture
def club() -> Club:
    return Club(terms={})


def test_a_policy_is_saved_as_a_whole(club: Club) -> None:
    told: dict[str, Any] = {
        "window_days": 14,
        "minimum_minor": 9_900,
        "referrer_points": 88,
        "link": " https://shop.example/i/{code} ",
        "caps": (Cap(period=Period.DAY, times=3), Cap(period=Period.MONTH, points=900)),
    }
    saved = club.promise(**told)
    assert saved == replace(
        default_policy(PROGRAM_ID), is_active=True, **{**told, "link": "https://shop.example/i/{code}"}
    )
    assert club.events == (ReferralPolicySaved(),)
    assert saved.link_to("ABC") == "https://shop.example/i/ABC"
    saved = club.promise(referee_points=5)
    assert (saved.window_days, saved.referrer_points, saved.caps, saved.link_to("ABC")) == (30, 0, (), None)
    assert len(club.state.rows(ReferralPolicy)) == 1


@pytest.mark.parametrize(
    "refusal, field, told",
    [
        (checks.NumberInvalid, "windowDays", {"window_days": 0}),
        (checks.NumberInvalid, "windowDays", {"window_days": 366}),
        (checks.AmountInvalid, "minimum", {"minimum_minor": -1}),
        (checks.NumberInvalid, "refundDays", {"refund_days": 181}),
        (checks.PointsInvalid, "referrerPoints", {"referrer_points": -1}),
        (checks.PointsInvalid, "refereePoints", {"referee_points": 10**9 + 1}),
        (checks.PointsInvalid, "sharePoints", {"share_points": -1}),
        (checks.PointsInvalid, "salePoints", {"sale_points": -1}),
        (checks.NumberInvalid, "shareVisitors", {"share_visitors": 0}),
        (checks.NumberInvalid, "shareDailyMax", {"share_daily_max": 0}),
        (checks.NumberInvalid, "hourlyMax", {"hourly_max": 0}),
        (ReferralPolicyInvalid, "caps", {"caps": (Cap(period=Period.WEEK, times=1),)}),
        (ReferralPolicyInvalid, "caps", {"caps": (Cap(period=Period.DAY, times=1), Cap(period=Period.DAY, points=1))}),
        (ReferralPolicyInvalid, "caps", {"caps": (Cap(period=Period.DAY),)}),
        (checks.NumberInvalid, "caps.times", {"caps": (Cap(period=Period.DAY, times=0),)}),
        (checks.PointsInvalid, "caps.points", {"caps": (Cap(period=Period.DAY, points=0),)}),
        (ReferralPolicyInvalid, "link", {"link": "https://shop.example/i/"}),
        (ReferralPolicyInvalid, "link", {"link": "https://shop.example/{code}/{code}"}),
        (ReferralPolicyInvalid, "link", {"link": "shop.example/{code}"}),
        (ReferralPolicyInvalid, "link", {"link": "https://shop.example/my code/{code}"}),
        (checks.TextInvalid, "link", {"link": "https://" + "x" * 200}),
    ],
)
def test_what_is_out_of_bounds_is_refused_and_named(
    club: Club, refusal: type[Exception], field: str, told: dict[str, Any]
) -> None:
    before = club.state.rows(ReferralPolicy)
    with pytest.raises(refusal) as refused:
        club.promise(**told)
    assert refused.value.field == (field,)  # type: ignore[attr-defined]
    assert club.state.rows(ReferralPolicy) == before


def test_vouchers_come_from_pools_of_the_program_one_for_each_side(club: Club) -> None:
    pool = club.pool()
    with pytest.raises(ReferralPolicyInvalid) as refused:
        club.promise(referrer_pool_id=pool.id, referee_pool_id=pool.id)
    assert refused.value.field == ("refereePoolId",)
    with pytest.raises(NotFound):
        club.promise(referrer_pool_id=PROGRAM_ID)
    with pytest.raises(PrizeInvalid):
        club.promise(referee_pool_id=club.pool(supply=Supply.BROUGHT).id)
    assert club.promise(referrer_pool_id=pool.id).referrer_pool_id == pool.id
