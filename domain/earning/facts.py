"""What an evaluation of rules looks at: what happened, and what is known of the member at that time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from domain import calendars, money
from domain.earning.rules import Trigger
from domain.stores import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisLine:
    """A line that earns: what was paid for it in minor units, net of vouchers and points (L6)."""

    paid_minor: int
    product_id: str | None = None
    category: str | None = None
    quantity: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Something that may earn. `occurred_at` is business time; the local time is that of the program's zone.

    Lines and freight are of purchases; an occasion of any other kind has none.
    """

    trigger: Trigger
    occurred_at: datetime
    time_zone: str
    lines: tuple[BasisLine, ...] = ()
    freight_minor: int = 0
    store_id: UUID | None = None
    channel: Channel | None = None
    activity_type: str | None = None

    @property
    def local(self) -> datetime:
        """The time on the program's own clock."""
        return self.occurred_at.astimezone(calendars.zone(self.time_zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A member at the time of an occasion, kept with it, so that a refund and an explanation reckon by the same (L7).

    `ordinals` says which purchase of each period this one is, counted from 1, by `Period`. `time_zone` is the
    program's at that time: a day that was Thursday stays one when the program moves.
    """

    tier_id: UUID | None = None
    multiplier_bp: int = money.BASIS
    tags: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    enrolled_on: date | None = None
    birthday: date | None = None
    ordinals: Mapping[str, int] = field(default_factory=dict[str, int])
    time_zone: str | None = None


class Need(StrEnum):
    """A part of the facts that some rule of a set asks for; what none asks for is not looked up."""

    PROFILE = "PROFILE"  # tags, birthday, day of enrollment
    SEGMENTS = "SEGMENTS"
    DAY = "DAY"  # which purchase of the day, and so on
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """What one rule gave: `points` of the `requested`. `limited_by` names the cap or budget that bit (L13)."""

    rule: str
    points: int
    requested: int
    limited_by: str | None = None
