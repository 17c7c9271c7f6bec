"""When a flash sale is open, and for whom: rounds on the program's clock, and what they are to one caller (F4, S37)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from domain import calendars, schedules
from domain.flash_sales.sale import Daily, FlashSale

# A round of a day that lasts a day may, across daylight saving, still be on two dates later.
_DAYS_BACK: Final = 2


class Phase(StrEnum):
    """What a sale is to whoever asks, at the server's instant."""

    UPCOMING = "UPCOMING"  # a round is to come
    EARLY_ACCESS = "EARLY_ACCESS"  # open for this member's tier, not yet for everybody
    OPEN = "OPEN"  # open for everybody
    SOLD_OUT = "SOLD_OUT"  # it would be open, but nothing is left for whoever asks
    ENDED = "ENDED"  # no further round is to come


_ON: Final = frozenset({Phase.EARLY_ACCESS, Phase.OPEN})


class Round(NamedTuple):
    """One time that a sale is on for everybody: `[opens_at, ends_at)`."""

    opens_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What a sale is at an instant to members of a tier, whatever is left: the round that is on, or else the next."""

    phase: Phase
    round: Round | None
    # When that round opens, or opened, for this tier.
    opens_at: datetime | None

    @property
    def is_on(self) -> bool:
        """Whether units of the round may be claimed."""
        return self.phase in _ON


def moment(sale: FlashSale, tier_id: UUID | None, now: datetime, zone_name: str) -> Moment:
    """What the sale is now for a member of a tier. A round that is on goes before the head start of the next."""
    head_start = sale.head_start(tier_id)
    current = current_round(sale, now, zone_name)
    if current is not None:
        return Moment(phase=Phase.OPEN, round=current, opens_at=current.opens_at - head_start)
    following = next_round(sale, now, zone_name)
    if following is None:
        return Moment(phase=Phase.ENDED, round=None, opens_at=None)
    opens_at = following.opens_at - head_start
    phase = Phase.EARLY_ACCESS if opens_at <= now else Phase.UPCOMING
    return Moment(phase=phase, round=following, opens_at=opens_at)


def running(sale: FlashSale, now: datetime, zone_name: str) -> Round | None:
    """The round in which somebody may claim now, be it by the longest head start."""
    current = current_round(sale, now, zone_name)
    if current is not None:
        return current
    following = next_round(sale, now, zone_name)
    if following is None or now < following.opens_at - sale.longest_head_start:
        return None
    return following


def current_round(sale: FlashSale, now: datetime, zone_name: str) -> Round | None:
    """The round that is open for everybody."""
    return next((found for found in _around(sale, now, zone_name) if found.opens_at <= now < found.ends_at), None)


def next_round(sale: FlashSale, after: datetime, zone_name: str) -> Round | None:
    """The first round that opens after an instant."""
    daily = sale.daily
    if daily is None:
        return Round(sale.starts_at, sale.ends_at) if after < sale.starts_at else None
    first = calendars.local_date(max(after, sale.starts_at), zone_name)
    last = calendars.local_date(sale.ends_at, zone_name)
    while (day := schedules.next_day(daily.schedule, first, last)) is not None:
        found = _on_day(sale, daily, day, zone_name)
        if found is not None and found.opens_at > after:
            return found
        first = calendars.add_days(day, 1)
    return None


def _around(sale: FlashSale, now: datetime, zone_name: str) -> Iterator[Round]:
    """The rounds that may be on now."""
    if sale.daily is None:
        yield Round(sale.starts_at, sale.ends_at)
        return
    today = calendars.local_date(now, zone_name)
    for back in range(_DAYS_BACK + 1):
        day = calendars.add_days(today, -back)
        found = _on_day(sale, sale.daily, day, zone_name)
        if found is not None:
            yield found


def _on_day(sale: FlashSale, daily: Daily, day: date, zone_name: str) -> Round | None:
    """The round that opens on a local date: over when the sale is, and before that of the next day opens."""
    if not schedules.meets_day(daily.schedule, day):
        return None
    opens_at = calendars.instant_of(day, daily.local_time, zone_name)
    if not sale.starts_at <= opens_at < sale.ends_at:
        return None
    ends_at = min(opens_at + timedelta(minutes=daily.minutes), sale.ends_at)
    following = calendars.add_days(day, 1)
    if schedules.meets_day(daily.schedule, following):
        ends_at = min(ends_at, calendars.instant_of(following, daily.local_time, zone_name))
    return Round(opens_at, ends_at)
