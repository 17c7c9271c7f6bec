"""When points may be spent and when they expire, word by word."""

from dataclasses import replace
from datetime import date
from typing import Final

import pytest

from domain.policies import AT_ONCE, FOR_EVER, ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from domain.terms import policies
from domain.terms.naming import Naming
from domain.terms.wording import Terms

NAMING: Final = Naming(currency_code="CNY", time_zone="Asia/Shanghai")


def test_at_once_and_for_ever() -> None:
    assert policies.of_policies(AT_ONCE, FOR_EVER, NAMING) == Terms(
        "积分即时可用。积分长期有效。日期和时间以北京时间为准。",
        "Points can be spent at once. Points never expire. Dates and hours are in Beijing time.",
    )


def test_the_clock_is_the_program_s() -> None:
    told = policies.of_policies(AT_ONCE, FOR_EVER, replace(NAMING, time_zone="Europe/Paris"))
    assert told.chinese.endswith("日期和时间以Europe/Paris时区的时间为准。")
    assert told.english.endswith("Dates and hours are in the time of Europe/Paris.")


@pytest.mark.parametrize(
    "policy, chinese, english",
    [
        (PendingPolicy(PendingKind.AFTER, 1), "在获得满1天后", "1 day after they are earned"),
        (PendingPolicy(PendingKind.AFTER, 15), "在获得满15天后", "15 days after they are earned"),
        (
            PendingPolicy(PendingKind.ON_EVENT),
            "在订单确认收货后（非消费所得的即时）",
            "once the order is received, or at once if there is no order",
        ),
        (PendingPolicy(PendingKind.ON_DATE, on_date=date(2026, 11, 1)), "自2026年11月1日起", "from 1 November 2026 on"),
    ],
)
def test_pending(policy: PendingPolicy, chinese: str, english: str) -> None:
    told = policies.of_pending(policy, policies.POINTS)
    assert told == Terms(f"积分{chinese}可用", f"points can be spent {english}")


@pytest.mark.parametrize(
    "policy, chinese, english",
    [
        (ExpiryPolicy(ExpiryKind.FIXED_DATE, on_date=date(2026, 12, 31)), "2026年12月31日", "31 December 2026"),
        (
            ExpiryPolicy(ExpiryKind.DAYS, 365),
            "获得之日后第365天",
            "the 365th day after the day they are earned",
        ),
        (
            ExpiryPolicy(ExpiryKind.INACTIVITY, 180),
            "最近一次获得或使用积分之日后第180天",
            "the 180th day after the day you last earned or spent points",
        ),
        (
            ExpiryPolicy(ExpiryKind.END_OF_MONTH, 0),
            "获得当月月底",
            "the end of the month in which they are earned",
        ),
        (
            ExpiryPolicy(ExpiryKind.END_OF_YEAR, 1),
            "获得次年年底",
            "the end of the year after the one in which they are earned",
        ),
        (
            ExpiryPolicy(ExpiryKind.END_OF_QUARTER, 2),
            "获得后第2个季度季末",
            "the end of the 2nd quarter after the one in which they are earned",
        ),
    ],
)
def test_expiry(policy: ExpiryPolicy, chinese: str, english: str) -> None:
    told = policies.of_expiry(policy, policies.THESE_POINTS)
    assert told == Terms(f"所得积分有效期至{chinese}（含当日）", f"these points are valid through {english}")


def test_the_last_date_of_all_is_never_as_the_ledger_reads_it() -> None:
    policy = ExpiryPolicy(ExpiryKind.FIXED_DATE, on_date=date.max)
    assert policies.of_expiry(policy, policies.POINTS) == Terms("积分长期有效", "points never expire")
