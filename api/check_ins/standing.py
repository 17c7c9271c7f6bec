"""A member's check-ins in an activity: its streak, what comes next, a month's calendar, and what may be made up."""

from datetime import date, datetime
from typing import Any, Final

import strawberry

from api import access, scalars, shapes
from api.check_ins.activity import CheckInActivity, Milestone
from api.context import Info
from api.errors import ApiError, ErrorCode
from api.members import Member
from api.prizes import Prize
from api.redemptions import Redemption
from api.vouchers.voucher import Voucher
from domain import members
from domain.access import Scope
from domain.check_ins import activity as offering
from domain.check_ins import check_in as signing
from domain.check_ins import reading
from domain.redemptions import redemption
from domain.vouchers import voucher
from persistence import check_ins as stored

shapes.named(reading.CheckInDayState, signing.MakeUpPayment)

# Far enough for whoever signed in ever, and where calendars have years.
_YEAR_MIN: Final = 2000
_YEAR_MAX: Final = 2999
_MONTHS: Final = 12


@shapes.shape(name="CheckInMilestoneAttained")
class MilestoneAttained:
    """A milestone that a check-in reached, and what was given for it.

    `on` is the date by which the streak had so many days: the check-in's own, or a later one where a day made up joins
    it to what follows. Where the prize had run out, `wasGiven` is false, and the streak's next day tries again.
    """

    day: int
    on: date
    prize: Prize
    points: scalars.Points
    cards: int
    voucher: Voucher | None = shapes.linked(voucher.Voucher, "voucher_id")
    redemption: Redemption | None = shapes.linked(redemption.Redemption, "redemption_id")
    was_given: bool


@shapes.shape(signing.CheckIn)
class CheckIn(shapes.Node):
    """A local date for which a member signed in, or that it made up."""

    member: Member = shapes.linked(members.Member, "member_id")
    activity: CheckInActivity = shapes.linked(offering.CheckInActivity, "activity_id")
    day: date
    length: int = strawberry.field(description="Which day of the streak it was then, counted from 1.")
    base: scalars.Points = strawberry.field(description="What its rung gave.")
    points: scalars.Points = strawberry.field(description="All that was given, milestones and earning rules included.")
    attained: list[MilestoneAttained]
    made_up_for: signing.MakeUpPayment | None = strawberry.field(description="Null: it was signed on its day.")
    cost: scalars.Points
    occurred_at: datetime
    actor: str = access.guarded(access.staff(Scope.MEMBERS_READ), "actor", description="Who told of it.")


@shapes.shape()
class CheckInDay:
    """A date of a month: what it is to the member, and what was given for it."""

    day: date
    state: reading.CheckInDayState
    points: scalars.Points
    length: int | None = strawberry.field(description="Which day of the streak it was when it was signed.")
    can_be_made_up: bool


@shapes.shape(name="NextCheckInReward")
class NextReward:
    """What signing in gives next: today, or tomorrow if today is signed."""

    day: date
    points: scalars.Points = strawberry.field(description="Of its rung, beside what milestones and earning rules give.")
    milestones: list[Milestone]


@shapes.shape(name="NextCheckInMilestone")
class NextMilestone:
    """The milestone that comes first if every day is signed from now on."""

    milestone: Milestone
    day: date
    days_left: int = strawberry.field(description="How many days are to be signed until then.")


@shapes.shape()
class MissedDay:
    """A date that may be made up now, and what for."""

    day: date
    points: scalars.Points | None = strawberry.field(description="What it costs; null: only a card is taken.")
    takes_cards: bool


def _length(parent: strawberry.Parent[reading.Standing]) -> int:
    return parent.length


def _missed(parent: strawberry.Parent[reading.Standing]) -> Any:
    terms = parent.activity.make_up
    if terms is None:
        return ()
    points = None if terms.points is None else scalars.Points(terms.points)
    return [MissedDay(day=day, points=points, takes_cards=terms.takes_cards) for day in parent.missed_days]


async def _calendar(parent: strawberry.Parent[reading.Standing], info: Info, year: int, month: int) -> Any:
    if not (_YEAR_MIN <= year <= _YEAR_MAX and 1 <= month <= _MONTHS):
        message = f"A month has a year from {_YEAR_MIN} to {_YEAR_MAX} and a number from 1 to 12."
        raise ApiError(message, ErrorCode.BAD_USER_INPUT)
    info.context.take_nodes(31)
    asked = stored.Month(parent.member_id, parent.activity.id, date(year, month, 1))
    signed = await info.context.loaders.keyed(stored.of_months, asked)
    return parent.calendar(year, month, signed or {})


async def _cards(parent: strawberry.Parent[reading.Standing], info: Info) -> Any:
    return await info.context.loaders.keyed(stored.cards_of, parent.member_id) or 0


@shapes.shape()
class CheckIns:
    """A member in an activity, as of now."""

    activity: CheckInActivity
    streak: int = strawberry.field(resolver=_length, description="In days; 0 if it ended before yesterday.")
    longest: int = strawberry.field(description="The longest streak ever, in days.")
    check_ins: int = strawberry.field(description="How many days were signed or made up in all.")
    today: date = strawberry.field(description="The local date of the program.")
    is_signed_today: bool
    last_day: date | None = strawberry.field(description="The last date that was signed.")
    next_reward: NextReward
    next_milestone: NextMilestone | None = strawberry.field(description="Null: there is none, or none comes again.")
    make_ups_left: int = strawberry.field(description="How many days may still be made up this calendar month.")
    make_up_cards: int = strawberry.field(resolver=_cards)
    missed_days: list[MissedDay] = strawberry.field(
        resolver=_missed, description="Dates that may be made up now, the latest first; none when none are left."
    )
    calendar: list[CheckInDay] = strawberry.field(resolver=_calendar, description="Every date of a month.")
