"""Duties: what the clock asks of a program, each with the time at which it is due next, and how far it is done."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain import calendars, schedules
from domain.earning.rule_sets import EarningRules, ready
from domain.earning.rules import Trigger
from domain.points.reminders import REMINDER_DAYS
from domain.tiers.standing import WARNING_DAYS
from domain.tiers.tier import Tier

# How soon after nothing was due a duty without a time of its own looks again.
LOOK_AGAIN: Final = timedelta(seconds=1)


class Work(StrEnum):
    """What a duty does."""

    SETTLE = "SETTLE"  # activate and expire lots, lapse holds, end tiers: every account that is due
    REDEMPTIONS = "REDEMPTIONS"  # lapse what was not paid in time: every redemption that is due
    VOUCHERS = "VOUCHERS"  # end locks and expire: every voucher that is due
    FLASH_SALE_CLAIMS = "FLASH_SALE_CLAIMS"  # lapse what was not paid in time: every claim that is due
    FLASH_SALE_REMINDERS = "FLASH_SALE_REMINDERS"  # tell of flash sales that open to whoever asked
    LEADERBOARDS = "LEADERBOARDS"  # close periods that are over: every leaderboard that is due
    LEADERBOARD_AWARDS = "LEADERBOARD_AWARDS"  # give what places won: every prize that is due
    LOTTERIES = "LOTTERIES"  # draw winning tickets, close and tell the seed: every lottery that is over
    REFERRALS = "REFERRALS"  # expire and reward: every referral that is due
    GROUP_DEALS = "GROUP_DEALS"  # fail what was not filled in time: every group that is due
    BIRTHDAYS = "BIRTHDAYS"  # give for birthdays, each local day
    MEMBER_DAYS = "MEMBER_DAYS"  # give on member days, each local day that is one
    TIER_WARNINGS = "TIER_WARNINGS"  # tell of tiers that end, each local day
    EXPIRY_REMINDERS = "EXPIRY_REMINDERS"  # tell of points that expire, each local day
    STREAK_REMINDERS = "STREAK_REMINDERS"  # tell of streaks that end tonight, each local day, hour by hour
    TIER_REVIEW = "TIER_REVIEW"  # look at every member again after tiers or their policy changed


# A daily duty may look some days ahead, a part of the day for each.
DAYS_AHEAD: Final = {
    Work.BIRTHDAYS: (0,),
    Work.MEMBER_DAYS: (0,),
    Work.TIER_WARNINGS: WARNING_DAYS,
    Work.EXPIRY_REMINDERS: REMINDER_DAYS,
}
HOURS: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One duty of a program, and how far it is.

    `day` is the local day that is being done, `part` which part of it, `after` the last subject that was; `version` is
    that of the tiers under which every member was looked at.
    """

    id: UUID
    program_id: UUID
    work: Work
    due_at: datetime
    day: date | None = None
    part: int = 0
    after: UUID | None = None
    version: int | None = None


def went_on(duty: Duty, last: UUID | None, now: datetime) -> Duty:
    """A duty that has more to do, after the subject `last`."""
    return replace(duty, after=last, due_at=now)


def looked(duty: Duty, now: datetime, *, version: int | None = None) -> Duty:
    """A duty that found nothing more, and looks again soon."""
    return replace(duty, after=None, version=duty.version if version is None else version, due_at=now + LOOK_AGAIN)


def day_of(duty: Duty, now: datetime, zone_name: str) -> date:
    """The local day that a daily duty is at; one that never ran begins today."""
    return duty.day or calendars.local_date(now, zone_name)


def begins_at(duty: Duty, day: date, zone_name: str) -> datetime:
    """When the part of a local day that a daily duty is at begins: with the day, or with its hour."""
    if duty.work is Work.STREAK_REMINDERS:
        return calendars.hour_of(day, duty.part, zone_name)
    return calendars.start_of(day, zone_name)


def part_done(duty: Duty, day: date, zone_name: str, now: datetime) -> Duty:
    """A daily duty that is done with a part of a day; if it is late with the last, the next day is due already."""
    parts = HOURS if duty.work is Work.STREAK_REMINDERS else len(DAYS_AHEAD[duty.work])
    if duty.part + 1 < parts:
        following_part = replace(duty, day=day, part=duty.part + 1, after=None)
        return replace(following_part, due_at=max(now, begins_at(following_part, day, zone_name)))
    following = calendars.add_days(day, 1)
    return replace(duty, day=following, part=0, after=None, due_at=calendars.start_of(following, zone_name))


def gives_on_birthdays(rule_set: EarningRules, ladder: list[Tier]) -> bool:
    """Whether anything is given for birthdays."""
    rules = ready(rule_set).candidates[Trigger.BIRTHDAY]
    return bool(rules) or any(tier.benefits.birthday_points for tier in ladder)


def is_member_day(rule_set: EarningRules, day: date, zone_name: str) -> bool:
    """Whether a local day is a member day by any rule that may hold on it."""
    rules = (candidate.rule for candidate in ready(rule_set).candidates[Trigger.MEMBER_DAY])
    return any(
        schedules.meets_day(rule.when.schedule, day)
        and calendars.has_part_of(day, rule.starts_at, rule.ends_at, zone_name)
        for rule in rules
    )


def birthdays_on(day: date) -> tuple[int, ...]:
    """The birthdays celebrated on a day, as 100 × month + day: in a year without one, the 29th of February too."""
    found = [100 * day.month + day.day]
    if (day.month, day.day) == (2, 28) and calendars.end_of_month(day) == day:
        found.append(229)
    return tuple(found)
