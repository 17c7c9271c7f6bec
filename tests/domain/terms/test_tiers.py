"""The terms of tiers, word by word."""

from typing import Final

import pytest

from domain.terms import tiers
from domain.terms.naming import Naming
from domain.terms.tiers import TierTerms
from domain.terms.wording import Terms

NAMING: Final = Naming(currency_code="CNY", time_zone="Asia/Shanghai")


def test_the_first_tier_is_everybody_s() -> None:
    told = tiers.of_tier(TierTerms(name="普通会员", threshold=0, birthday_points=50), NAMING)
    assert told == Terms(
        "入会即为普通会员。长期有效。会员权益：每年生日赠50积分。",
        "Every member is 普通会员 from joining on. It lasts for ever. It gives 50 points on your birthday every year.",
    )


def test_a_tier_of_a_calendar_year_with_all_it_gives() -> None:
    gold = TierTerms(
        name="金卡",
        threshold=1_000,
        window="CALENDAR_YEAR",
        keep_threshold=800,
        downgrade="ONE_LEVEL",
        grace_days=30,
        multiplier_bp=15_000,
        discount_bp=500,
        birthday_points=200,
        upgrade_points=500,
        head_start_minutes=30,
        perks=("生日蛋糕", "专属客服"),
    )
    assert tiers.of_tier(gold, NAMING) == Terms(
        "一个自然年内成长值满1000，即升为金卡。有效期至升级次年12月31日（含当日）。"
        "到期当年内成长值满800即可保级，再续一年；未达标则降一级。"
        "到期后有30天宽限期，期间权益保留，达到保级条件即可续级。"
        "会员权益：消费得1.5倍积分、商品9.5折、每年生日赠200积分、升级赠500积分（每个自然年限一次）、限时抢购提前30分钟。"
        "另享：生日蛋糕、专属客服。",
        "You become 金卡 as soon as you have earned 1,000 qualifying points within a calendar year."
        " It lasts through 31 December of the year after you reach it."
        " You keep it for a year more if you have earned 800 qualifying points within the calendar year in which it"
        " ends; if you miss that, you go down by one tier."
        " For 30 days after its end you still have it, and can still renew it."
        " It gives 1.5 times the points (×1.5) on purchases, 5% off, 200 points on your birthday every year, 500 points"
        " when you reach it (once a calendar year) and a head start of 30 minutes in flash sales."
        " Besides: 生日蛋糕 and 专属客服.",
    )


def test_a_tier_by_spending_within_twelve_months() -> None:
    tier = TierTerms(
        name="黑卡", threshold=1_000_000, metric="NET_SPEND", window="ROLLING", months=12, downgrade="FULL"
    )
    assert tiers.of_tier(tier, NAMING) == Terms(
        "最近12个月内商品净消费（扣除退款）满10000元，即升为黑卡。有效期至升级12个月后的同一日（含当日）。"
        "到期前12个月内商品净消费（扣除退款）满10000元即可保级，再续12个月；未达标则降至当时数值能达到或保住的较低等级。",
        "You become 黑卡 as soon as you have spent 10,000 yuan on goods, net of refunds, within the last 12 months."
        " It lasts through the same day 12 months after you reach it."
        " You keep it for 12 months more if you have spent 10,000 yuan on goods, net of refunds, within the 12 months"
        " to its end; if you miss that, you go down to the highest lower tier that what you have reaches or keeps.",
    )


def test_a_tier_by_purchases_for_ever() -> None:
    tier = TierTerms(name="银卡", threshold=1, metric="PURCHASES", upgrade_points=50)
    assert tiers.of_tier(tier, NAMING) == Terms(
        "入会以来消费满1笔（全额退款的不计），即升为银卡。长期有效。会员权益：升级赠50积分（仅限一次）。",
        "You become 银卡 as soon as you have made 1 purchase, not counting those refunded as a whole, since you joined."
        " It lasts for ever. It gives 50 points when you reach it (only once).",
    )


def test_a_tier_of_a_membership_year_that_lasts_some_days() -> None:
    tier = TierTerms(
        name="银卡",
        threshold=1_000,
        window="ANNIVERSARY",
        validity_days=365,
        downgrade="ONE_LEVEL",
        multiplier_bp=20_000,
    )
    assert tiers.of_tier(tier, NAMING) == Terms(
        "一个入会年度内成长值满1000，即升为银卡。有效期至升级之日后第365天（含当日）。"
        "到期所在的入会年度内成长值满1000即可保级，再续365天；未达标则降一级。会员权益：消费得双倍积分。",
        "You become 银卡 as soon as you have earned 1,000 qualifying points within a year of your membership."
        " It lasts through the 365th day after you reach it."
        " You keep it for 365 days more if you have earned 1,000 qualifying points within the year of your membership"
        " in which it ends; if you miss that, you go down by one tier."
        " It gives double points (×2) on purchases.",
    )


def test_what_is_never_taken_away_is_for_ever() -> None:
    tier = TierTerms(name="银卡", threshold=1_000, window="CALENDAR_YEAR", downgrade="NONE", grace_days=30)
    assert tiers.of_tier(tier, NAMING).chinese == "一个自然年内成长值满1000，即升为银卡。长期有效。"


@pytest.mark.parametrize(
    "discount_bp, chinese, english",
    [
        (500, "9.5折", "5% off"),
        (1_000, "9折", "10% off"),
        (1_250, "8.75折", "12.5% off"),
        (5_000, "5折", "50% off"),
    ],
)
def test_discounts_are_told_as_each_language_does(discount_bp: int, chinese: str, english: str) -> None:
    told = tiers.of_tier(TierTerms(name="银卡", threshold=0, discount_bp=discount_bp), NAMING)
    assert told == Terms(
        f"入会即为银卡。长期有效。会员权益：商品{chinese}。",
        f"Every member is 银卡 from joining on. It lasts for ever. It gives {english}.",
    )
