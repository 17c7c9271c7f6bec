"""The terms of the usual rules of a shop, word by word."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

import pytest

from domain.audiences import Audience
from domain.earning.rules import (
    Anniversary,
    Band,
    Campaign,
    Cap,
    CapPolicy,
    Conditions,
    EarningKind,
    EarningRule,
    Ordinal,
    Period,
    Trigger,
)
from domain.policies import ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from domain.schedules import Schedule
from domain.stores import Channel
from domain.terms import rules
from domain.terms.naming import Naming
from domain.terms.wording import Terms

SILVER, GOLD, HARBOUR, AIRPORT = (UUID(int=number) for number in range(1, 5))
NATIONAL_DAY: Final = Campaign(
    code="national-day",
    name="国庆",
    starts_at=datetime(2026, 9, 30, 16, tzinfo=UTC),
    ends_at=datetime(2026, 10, 7, 16, tzinfo=UTC),
    audience=Audience(tiers=(GOLD,)),
    budget=100_000,
)
NAMING: Final = Naming(
    currency_code="CNY",
    time_zone="Asia/Shanghai",
    tiers={SILVER: "银卡", GOLD: "金卡"},
    stores={HARBOUR: "港湾店", AIRPORT: "机场店"},
    segments={"sleepers": "沉睡会员"},
    campaigns={NATIONAL_DAY.code: NATIONAL_DAY},
    activities={"share": "分享"},
)
# What is said of every purchase rule, with amounts and without.
BY_AMOUNT: Final = Terms(
    "金额按商品实付（已减优惠券和积分抵扣）计算，不含运费。",
    "The amount is what you pay for goods after vouchers and points; freight does not count.",
)
SOMETHING: Final = Terms(
    "须有商品实付金额（已减优惠券和积分抵扣），不含运费。",
    "Something must be paid for goods after vouchers and points; freight does not count.",
)
IN_PROPORTION: Final = Terms(
    "积分按金额比例计算，乘以等级和活动的倍数后，不足1积分的部分一次舍去。",
    "Points are in proportion to the amount, times all multipliers of tiers and offers, and rounded down once to whole"
    " points.",
)
FACTORS: Final = Terms(
    "倍数只用于按金额所得的积分，多项倍数相乘，最后不足1积分的部分一次舍去。",
    "The factor is for points earned by the amount; several factors multiply each other, and points are rounded down"
    " once to whole points.",
)


def rule(kind: EarningKind = EarningKind.FIXED, **told: Any) -> EarningRule:
    """A rule; conditions may be told beside its own fields."""
    own = {name: value for name, value in told.items() if name in EarningRule.__dataclass_fields__}
    when = {name: value for name, value in told.items() if name not in own}
    return EarningRule(code="rule", kind=kind, when=Conditions(**when), **own)


def per_yuan(**told: Any) -> EarningRule:
    """One point for each yuan."""
    return rule(EarningKind.PER_AMOUNT, points=1, amount_minor=100, **told)


def double(**told: Any) -> EarningRule:
    """Twice the points."""
    return rule(EarningKind.MULTIPLIER, multiplier_bp=20_000, **told)


def check(subject: EarningRule, chinese: str, english: str, *small_print: Terms) -> None:
    """The terms are these and the small print, to the letter."""
    told = rules.of_rule(subject, NAMING)
    assert told.chinese == "".join((chinese, *(text.chinese for text in small_print)))
    assert told.english == " ".join((english, *(text.english for text in small_print)))


# The usual figures.


def test_1_yuan_is_1_point() -> None:
    check(per_yuan(), "每消费1元得1积分。", "Earn 1 point for every 1 yuan paid.", BY_AMOUNT, IN_PROPORTION)


def test_10_yuan_is_1_point() -> None:
    subject = replace(per_yuan(), amount_minor=1_000)
    check(subject, "每消费10元得1积分。", "Earn 1 point for every 10 yuan paid.", BY_AMOUNT, IN_PROPORTION)


def test_50_more_at_300_yuan() -> None:
    check(
        rule(EarningKind.BONUS_AT, points=50, amount_minor=30_000),
        "单笔满300元加赠50积分。",
        "Earn a bonus of 50 points when you pay 300 yuan or more in one purchase.",
        BY_AMOUNT,
    )


def test_double_points_on_thursdays() -> None:
    check(
        double(schedule=Schedule(weekdays=(4,))),
        "每周四，消费得双倍积分。",
        "Earn double points (×2) every Thursday.",
        SOMETHING,
        FACTORS,
    )


def test_a_member_day_every_8th() -> None:
    eighth = Schedule(month_days=(8,))
    chinese, english = "每月8日，消费得双倍积分。", "Earn double points (×2) on the 8th of every month."
    check(double(schedule=eighth), chinese, english, SOMETHING, FACTORS)
    check(
        rule(points=20, trigger=Trigger.MEMBER_DAY, schedule=eighth),
        "每月8日会员日得20积分。",
        "Earn 20 points on the member day, on the 8th of every month.",
    )


def test_birthdays() -> None:
    check(
        rule(points=200, trigger=Trigger.BIRTHDAY),
        "每年生日当天得200积分。",
        "Earn 200 points on your birthday every year.",
    )
    check(
        double(anniversary=Anniversary.BIRTHDAY_MONTH),
        "生日当月，消费得双倍积分。",
        "Earn double points (×2) in the month of your birthday.",
        SOMETHING,
        FACTORS,
    )


def test_sharing_5_times_a_day() -> None:
    share = rule(points=5, trigger=Trigger.ACTIVITY, activity_type="share", caps=(Cap(period=Period.DAY, times=5),))
    check(
        share,
        "每完成一次“分享”得5积分。每位会员每天最多5次。",
        "Earn 5 points for each “分享”. At most 5 times a day, for each member.",
    )


def test_a_first_purchase() -> None:
    subject = rule(points=100, trigger=Trigger.FIRST_PURCHASE)
    check(subject, "首次消费得100积分。", "Earn 100 points on your first purchase.", SOMETHING)


@pytest.mark.parametrize(
    "trigger, chinese, english",
    [
        (Trigger.ENROLLMENT, "入会即得50积分。", "Earn 50 points when you join."),
        (Trigger.CHECK_IN, "每日签到得50积分。", "Earn 50 points for each day's check-in."),
        (
            Trigger.REFERRAL,
            "每成功推荐一位好友得50积分。",
            "Earn 50 points for each friend you bring who qualifies.",
        ),
        (
            Trigger.REFERRED,
            "受好友推荐并达成条件时得50积分。",
            "Earn 50 points when you qualify, brought by a friend.",
        ),
        (
            Trigger.SHARE,
            "每次分享带来足够访问时得50积分。",
            "Earn 50 points for each share that enough people visit.",
        ),
        (
            Trigger.TIER_REACHED,
            "达到会员等级时（同一等级每个周期限一次）得50积分。",
            "Earn 50 points on reaching a tier, once for each tier and period.",
        ),
        (Trigger.CHALLENGE, "每完成一项任务得50积分。", "Earn 50 points for each challenge you complete."),
        (Trigger.QUIZ, "每参加一次答题得50积分。", "Earn 50 points for each quiz you answer."),
    ],
)
def test_what_is_not_of_purchases(trigger: Trigger, chinese: str, english: str) -> None:
    check(rule(points=50, trigger=trigger), chinese, english)


# For whom, of what, where and when.


def test_for_silver_and_gold_members_only() -> None:
    check(
        per_yuan(audience=Audience(tiers=(SILVER, GOLD))),
        "每消费1元得1积分。限银卡、金卡会员。",
        "Earn 1 point for every 1 yuan paid. Only for 银卡 and 金卡 members.",
        BY_AMOUNT,
        IN_PROPORTION,
    )


def test_members_is_not_said_twice() -> None:
    naming = replace(NAMING, tiers={SILVER: "银卡会员", GOLD: "金卡会员"})
    told = rules.of_rule(per_yuan(audience=Audience(tiers=(SILVER, GOLD))), naming)
    assert told.chinese.startswith("每消费1元得1积分。限银卡会员、金卡会员。")


def test_by_tag_segment_and_time_since_joining() -> None:
    audience = Audience(tags=("VIP", "教师"), without_tags=("员工",), segments=("sleepers",))
    check(
        rule(points=50, trigger=Trigger.CHECK_IN, audience=audience, new_for_days=30),
        "每日签到得50积分。限带有“VIP”或“教师”标签的会员。带有“员工”标签的会员除外。限“沉睡会员”人群。"
        "限入会30天内（含第30天）的新会员。",
        "Earn 50 points for each day's check-in. Only for members tagged “VIP” or “教师”. Not for members tagged"
        " “员工”. Only for members of the segment “沉睡会员”. Only for new members, through the 30th day after"
        " joining.",
    )


def test_a_category() -> None:
    check(
        double(categories=("咖啡",)),
        "购买“咖啡”类商品，消费得双倍积分。须有参加商品的实付金额（已减优惠券和积分抵扣），不含运费。"
        "倍数只用于按金额所得的积分（运费所得除外），多项倍数相乘，最后不足1积分的部分一次舍去。",
        "Earn double points (×2) for goods of the category “咖啡”."
        " Something must be paid for the goods that count after vouchers and points; freight does not count."
        " The factor is for points earned by the amount, not for those earned by freight; several factors multiply each"
        " other, and points are rounded down once to whole points.",
    )


def test_a_basket() -> None:
    check(
        rule(
            points=30,
            categories=("咖啡", "茶"),
            products=("A1",),
            without_products=("B1", "B2"),
            quantity_min=2,
            minimum_minor=1_050,
            maximum_minor=100_000,
            includes_freight=True,
        ),
        "购买“咖啡”或“茶”类商品中的商品“A1”，单笔购满2件、满10.50元、不超过1000元，每次消费得30积分。"
        "商品“B1”、“B2”不计入。金额按参加商品的实付（已减优惠券和积分抵扣）计算，含运费。",
        "Earn 30 points on every purchase, with the product “A1” among goods of the category “咖啡” or “茶”, if you buy"
        " at least 2 items, pay at least 10.50 yuan and pay at most 1,000 yuan. Purchases of “B1” and “B2” do not"
        " count. The amount is what you pay for the goods that count after vouchers and points; freight counts.",
    )


def test_stores_and_channels() -> None:
    check(
        rule(points=5, stores=(HARBOUR, AIRPORT), channels=(Channel.ONLINE, Channel.IN_STORE)),
        "每次消费得5积分。限港湾店、机场店。限线上、门店渠道。",
        "Earn 5 points on every purchase. Only at 港湾店 and 机场店. Only online and in store.",
        SOMETHING,
    )


def test_opening_hours() -> None:
    check(
        per_yuan(schedule=Schedule(weekdays=(1, 2, 3, 4, 5), from_hour=10, until_hour=12)),
        "每周一至周五10:00–12:00，每消费1元得1积分。",
        "Earn 1 point for every 1 yuan paid every Monday to Friday from 10:00 to 12:00.",
        BY_AMOUNT,
        IN_PROPORTION,
    )


@pytest.mark.parametrize(
    "ordinal, chinese, english",
    [
        (Ordinal(number=3, period=Period.MONTH), "当月第3笔消费", "on your 3rd purchase of the month"),
        (Ordinal(number=2, onwards=True), "累计第2笔消费起", "from your 2nd purchase on"),
        (
            Ordinal(number=5, period=Period.YEAR, repeats=True),
            "当年每第5笔消费（第5、10、15笔，依此类推）",
            "on every 5th purchase of the year",
        ),
    ],
)
def test_which_purchase(ordinal: Ordinal, chinese: str, english: str) -> None:
    check(rule(points=9, ordinal=ordinal), f"{chinese}得9积分。", f"Earn 9 points {english}.", SOMETHING)


# How much, and in what order.


@pytest.mark.parametrize(
    "is_marginal, chinese, english",
    [
        (True, "各档比例只用于该档内的金额", "each rate is for the part of the amount within its band"),
        (
            False,
            "全部金额按所达到的最高一档计算",
            "the rate of the highest band reached is for the whole amount",
        ),
    ],
)
def test_bands(is_marginal: bool, chinese: str, english: str) -> None:
    bands = (Band(from_minor=0, points=1, amount_minor=100), Band(from_minor=100_000, points=2, amount_minor=100))
    check(
        rule(EarningKind.TIERED, bands=bands, bands_are_marginal=is_marginal),
        f"按单笔消费金额分档：0元起每消费1元得1积分，1000元起每消费1元得2积分（{chinese}）。",
        "Earn by the amount paid in one purchase: 1 point for every 1 yuan from 0 yuan on, 2 points for every 1 yuan"
        f" from 1,000 yuan on ({english}).",
        BY_AMOUNT,
        IN_PROPORTION,
    )


@pytest.mark.parametrize(
    "policy, chinese, english",
    [
        (CapPolicy.REDUCE, "超出上限的部分不再赠送。", "What exceeds the limit is not given."),
        (
            CapPolicy.REJECT,
            "一次所得超出上限时，该次不赠送积分。",
            "What would exceed the limit is not given at all, not even in part.",
        ),
    ],
)
def test_caps(policy: CapPolicy, chinese: str, english: str) -> None:
    caps = (Cap(period=Period.DAY, times=1, points=50), Cap(period=Period.MONTH, points=1_000))
    check(
        rule(points=5, trigger=Trigger.CHECK_IN, caps=caps, cap_policy=policy),
        f"每日签到得5积分。每位会员每天最多1次、50积分，每自然月最多1000积分。{chinese}",
        "Earn 5 points for each day's check-in. At most once and 50 points a day, at most 1,000 points a calendar"
        f" month, for each member. {english}",
    )


def test_a_campaign_with_a_budget() -> None:
    check(
        double(campaign="national-day"),
        "消费得双倍积分。仅限“国庆”活动：2026年10月1日至2026年10月7日（含）。限金卡会员。"
        "活动期间全体会员合计最多100000积分，发完即止。超出上限的部分不再赠送。",
        "Earn double points (×2). Only in the campaign “国庆”: from 1 October 2026 through 7 October 2026."
        " Only for 金卡 members. All members together receive at most 100,000 points in the campaign."
        " What exceeds the limit is not given.",
        SOMETHING,
        FACTORS,
    )


def test_validity_and_policies_of_its_own() -> None:
    check(
        rule(
            points=5,
            trigger=Trigger.CHECK_IN,
            starts_at=datetime(2025, 12, 31, 16, tzinfo=UTC),
            pending=PendingPolicy(PendingKind.ON_DATE, on_date=date(2026, 5, 1)),
            expiry=ExpiryPolicy(ExpiryKind.END_OF_YEAR, 1),
        ),
        "每日签到得5积分。有效期：自2026年1月1日起。所得积分自2026年5月1日起可用。所得积分有效期至获得次年年底（含当日）。",
        "Earn 5 points for each day's check-in. Valid from 1 January 2026 on. These points can be spent from 1 May 2026"
        " on. These points are valid through the end of the year after the one in which they are earned.",
    )


def test_offers_that_exclude_each_other() -> None:
    check(
        rule(points=5, exclusive_group="每日礼", trigger=Trigger.CHECK_IN, priority=2),
        "每日签到得5积分。不与“每日礼”组的其他优惠同享：优先级高者有效，同级时取所得较多者（本项优先级2）。",
        "Earn 5 points for each day's check-in. Not together with other offers of the group “每日礼”: the one with the"
        " higher priority, or else the one that gives more, counts (the priority of this one is 2).",
    )


def test_other_currencies_have_their_decimals_and_their_code() -> None:
    dollars, yen = (replace(NAMING, currency_code=code) for code in ("USD", "JPY"))
    assert rules.of_rule(per_yuan(), dollars).chinese.startswith("每消费1 USD得1积分。")
    assert rules.of_rule(per_yuan(), yen).english.startswith("Earn 1 point for every 100 JPY paid.")


def test_what_has_no_name_is_told_by_its_code() -> None:
    bare = Naming(currency_code="CNY", time_zone="Asia/Shanghai")
    told = rules.of_rule(rule(points=5, trigger=Trigger.ACTIVITY, activity_type="share", stores=(HARBOUR,)), bare)
    assert told.english == f"Earn 5 points for each “share”. Only at {HARBOUR}."


def test_braces_of_the_shop_s_own_are_only_text() -> None:
    told = rules.of_rule(rule(points=5, trigger=Trigger.ACTIVITY, activity_type="{points}"), NAMING)
    assert told.chinese == "每完成一次“{points}”得5积分。"
