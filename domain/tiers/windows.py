"""Qualification windows: over which local days a metric counts, and how long a tier lasts (K2)."""

from dataclasses import dataclass
from datetime import date, timedelta

from domain import calendars
from domain.policies import TierPolicy, TierWindow


@dataclass(frozen=True, slots=True)
class Days:
    """Local days from `first` to `last`, both inclusive; `first` None: ever since."""

    first: date | None
    last: date

    def __contains__(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and day <= self.last


def window_of(policy: TierPolicy, day: date, joined: date) -> Days:
    """The window that a day belongs to, up to its own end; a rolling one ends with the day."""
    match policy.window:
        case TierWindow.LIFETIME:
            return Days(None, day)
        case TierWindow.CALENDAR_YEAR:
            return Days(date(day.year, 1, 1), calendars.end_of_year(day))
        case TierWindow.ROLLING:
            return Days(calendars.add_months(day, -(policy.months or 1)) + timedelta(days=1), day)
        case TierWindow.ANNIVERSARY:
            first = _anniversary(joined, day)
            return Days(first, calendars.before(calendars.add_years(joined, first.year - joined.year + 1)))


def last_day(policy: TierPolicy, day: date, joined: date) -> date | None:
    """The last day of a tier that is reached or kept on a day; None: it lasts for ever."""
    if policy.validity_days is not None:
        return day + timedelta(days=policy.validity_days)
    match policy.window:
        case TierWindow.LIFETIME:
            return None
        case TierWindow.ROLLING:
            return calendars.add_months(day, policy.months or 1)
        case TierWindow.CALENDAR_YEAR:
            return calendars.end_of_year(day, 1)
        case TierWindow.ANNIVERSARY:
            years = _anniversary(joined, day).year - joined.year
            return calendars.before(calendars.add_years(joined, years + 2))


def gift_window(policy: TierPolicy, day: date, joined: date) -> date | None:
    """The first day of the window in which what is given for a tier is given once (K5); None: once for ever.

    A rolling window begins anew every day; for gifts, windows of its length follow each other from the day of joining.
    """
    if policy.window is not TierWindow.ROLLING:
        return window_of(policy, day, joined).first
    months = policy.months or 1
    passed = (day.year - joined.year) * 12 + day.month - joined.month
    number = passed // months
    first = calendars.add_months(joined, number * months)
    return first if first <= day else calendars.add_months(joined, (number - 1) * months)


def _anniversary(joined: date, day: date) -> date:
    """The latest yearly day of joining that is not after `day`."""
    this_year = calendars.add_years(joined, day.year - joined.year)
    return this_year if this_year <= day else calendars.add_years(joined, day.year - joined.year - 1)
