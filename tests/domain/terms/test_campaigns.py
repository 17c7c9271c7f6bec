"""The terms of a campaign, word by word."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from domain.audiences import Audience
from domain.earning.rules import Campaign
from domain.schedules import Schedule
from domain.terms import campaigns
from domain.terms.naming import Naming
from domain.terms.wording import Terms

GOLD: Final = UUID(int=1)
NAMING: Final = Naming(currency_code="CNY", time_zone="Asia/Shanghai", tiers={GOLD: "金卡"})


def test_a_campaign_with_days_an_audience_and_a_budget() -> None:
    campaign = Campaign(
        code="national-day",
        name="国庆",
        starts_at=datetime(2026, 9, 30, 16, tzinfo=UTC),
        ends_at=datetime(2026, 10, 7, 4, tzinfo=UTC),
        schedule=Schedule(weekdays=(6, 7), from_hour=10),
        audience=Audience(tiers=(GOLD,)),
        budget=5_000,
    )
    assert campaigns.of_campaign(campaign, NAMING) == Terms(
        "“国庆”活动：2026年10月1日至2026年10月7日12:00，每周六、周日10:00–24:00。限金卡会员。"
        "活动期间全体会员合计最多5000积分，发完即止。",
        "Campaign “国庆”: from 1 October 2026 until 12:00 on 7 October 2026, every Saturday and Sunday from 10:00 to"
        " 24:00. Only for 金卡 members. All members together receive at most 5,000 points in the campaign.",
    )


def test_a_campaign_of_one_day() -> None:
    campaign = Campaign(
        code="anniversary",
        name="周年庆",
        starts_at=datetime(2026, 5, 19, 16, tzinfo=UTC),
        ends_at=datetime(2026, 5, 20, 16, tzinfo=UTC),
    )
    told = campaigns.of_campaign(campaign, NAMING)
    assert told == Terms("“周年庆”活动：2026年5月20日当天。", "Campaign “周年庆”: on 20 May 2026.")
