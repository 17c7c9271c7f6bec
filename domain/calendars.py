"""The program's calendar: business days are local dates, and a day's end is the next local midnight.

Instants are half-open: what ends with a local day is valid up to and including its last instant,
so the moment stored is the first instant of the following day (L5).
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """The IANA time zone `name`. Raises `ZoneInfoNotFoundError` or `ValueError` if there is none."""
    return ZoneInfo(name)


def local_date(at: datetime, zone_name: str) -> date:
    """The local date of an instant."""
    return at.astimezone(zone(zone_name)).date()


def start_of(day: date, zone_name: str) -> datetime:
    """The first instant of a local date, in UTC, across daylight saving (a midnight that does not exist
    is the first instant after the gap)."""
    midnight = datetime.combine(day, time(), zone(zone_name))
    instant = midnight.astimezone(UTC)
    # In a gap, fold 0 reads the clock before the change; coming back shows the shift.
    if instant.astimezone(zone(zone_name)).date() < day:
        instant = midnight.replace(fold=1).astimezone(UTC)
    return instant


def end_of(day: date, zone_name: str) -> datetime:
    """The instant at which a local date is over: the first one of the next date."""
    return start_of(day + timedelta(days=1), zone_name)


def has_part_of(day: date, starts_at: datetime | None, ends_at: datetime | None, zone_name: str) -> bool:
    """Whether a half-open validity (None for no bound) has any instant of a local date."""
    has_begun = starts_at is None or starts_at < end_of(day, zone_name)
    return has_begun and (ends_at is None or start_of(day, zone_name) < ends_at)


def end_after(at: datetime, days: int, zone_name: str) -> datetime:
    """The local midnight that ends the day so many days after an instant's."""
    return end_of(local_date(at, zone_name) + timedelta(days=days), zone_name)


def end_of_month(day: date, months_later: int = 0) -> date:
    """The last date of the month `months_later` months after that of `day`."""
    months = day.year * 12 + day.month - 1 + months_later + 1
    return date(months // 12, months % 12 + 1, 1) - timedelta(days=1)


def end_of_quarter(day: date, quarters_later: int = 0) -> date:
    """The last date of the quarter `quarters_later` quarters after that of `day`."""
    return end_of_month(day, (3 - day.month) % 3 + 3 * quarters_later)


def end_of_year(day: date, years_later: int = 0) -> date:
    """The last date of the year `years_later` years after that of `day`."""
    return date(day.year + years_later, 12, 31)


def before(day: date) -> date:
    """The date before a date."""
    return day - timedelta(days=1)


def add_months(day: date, months: int) -> date:
    """The same day so many months later (or earlier); the last of the month where it has no such day."""
    last = end_of_month(day, months)
    return last.replace(day=min(day.day, last.day))


def add_years(day: date, years: int) -> date:
    """The same day so many years later; the 29th of February is the 28th in other years."""
    return add_months(day, 12 * years)


def start_of_period(day: date, period: str) -> date:
    """The first date of the DAY, WEEK (from Monday), MONTH, YEAR or LIFETIME that a date belongs to."""
    match period:
        case "WEEK":
            return day - timedelta(days=day.isoweekday() - 1)
        case "MONTH":
            return day.replace(day=1)
        case "YEAR":
            return day.replace(month=1, day=1)
        case "LIFETIME":
            return date.min
        case _:
            assert period == "DAY", "a period is one of five"
            return day


def noon_of(day: date, zone_name: str) -> datetime:
    """Noon of a local date, in UTC."""
    return datetime.combine(day, time(12), zone(zone_name)).astimezone(UTC)


def instant_of(day: date, local_time: str, zone_name: str) -> datetime:
    """A local time such as 20:00 of a date, in UTC. One that daylight saving leaves out is as much later by the new
    clock (02:30 is 03:30); of one that there is twice it is the first."""
    return datetime.combine(day, time.fromisoformat(local_time), zone(zone_name)).astimezone(UTC)


def hour_of(day: date, hour: int, zone_name: str) -> datetime:
    """When the clock shows a full hour of a local date, for the first time; an hour that it skips is the next one."""
    return instant_of(day, f"{hour:02}:00", zone_name)


def starts_of_hour(day: date, hour: int, zone_name: str) -> tuple[datetime, ...]:
    """Where a full hour of a local date may begin: twice if the clock is put back over it, else one instant twice.

    An hour that the clock skips has an instant of another hour; ask for the local time of each.
    """
    told = datetime.combine(day, time(hour), zone(zone_name))
    return told.astimezone(UTC), told.replace(fold=1).astimezone(UTC)


def add_days(day: date, days: int) -> date:
    """The date so many days later."""
    return day + timedelta(days=days)
