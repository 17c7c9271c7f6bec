"""Check-in activities in the API: what signing in gives, who leads, and whose streaks end tonight."""

from datetime import datetime
from typing import Any, Final, Self

import strawberry

from api import access, inputs, payloads, scalars, shapes
from api.context import Context, Info
from api.earning import Audience, AudienceInput, audience_of
from api.errors import ApiError, ErrorCode
from api.members import Member
from api.prizes import Prize, PrizeInput
from domain import calendars, checks, members
from domain.access import Scope
from domain.check_ins import activity as offering
from domain.check_ins import saving
from persistence import check_ins as stored
from persistence import streaks

shapes.named(offering.CheckInCycle)

LEADERS_DEFAULT: Final = 10

_STAFF: Final = access.staff(Scope.MEMBERS_READ)


@shapes.shape(name="CheckInMilestone")
class Milestone:
    """What a member is given when its streak reaches so many days: a prize, and make-up cards."""

    day: int
    prize: Prize
    cards: int


@shapes.shape()
class MakeUpTerms:
    """Which missed days may be made up: those of the last `days`, `perMonth` in a calendar month, and what for."""

    days: int
    per_month: int
    points: scalars.Points | None = strawberry.field(description="What a day costs; null: only a card is taken.")
    takes_cards: bool = strawberry.field(description="Whether a make-up card pays for a day.")


@shapes.shape()
class StreakLeader:
    """A member with one of the longest streaks that go on."""

    rank: int = strawberry.field(description="1, 2, 2, 4: equal streaks share one.")
    member: Member | None = shapes.linked(members.Member, "member_id")
    length: int = strawberry.field(description="In days.")


def _audience(parent: strawberry.Parent[offering.CheckInActivity], info: Info) -> Any:  # noqa: ARG001
    return parent.audience


async def _leaders(
    parent: strawberry.Parent[offering.CheckInActivity], info: Info, first: int = LEADERS_DEFAULT
) -> Any:
    context = info.context
    if not 1 <= first <= streaks.LEADERS_MAX:
        raise ApiError(f"first must be from 1 to {streaks.LEADERS_MAX}; it is {first}.", ErrorCode.BAD_USER_INPUT)
    context.take_nodes(first)
    today = calendars.local_date(context.now, (await context.loaders.program()).time_zone)
    found = await context.backend.streaks.leaders(parent.program_id, parent.id, today, first)
    return streaks.ranked(found)


async def _ending(parent: strawberry.Parent[offering.CheckInActivity], info: Info) -> Any:
    context = info.context
    today = calendars.local_date(context.now, (await context.loaders.program()).time_zone)
    return await context.backend.streaks.ending(parent.program_id, parent.id, today)


@shapes.shape(offering.CheckInActivity)
class CheckInActivity(shapes.Node):
    """Something to sign in to once a local day. Day k of a streak gives rung ((k − 1) mod L) + 1 of L rungs."""

    code: str = strawberry.field(description="The shop's own name for it, unique in the program.")
    name: str
    ladder: list[scalars.Points] = strawberry.field(description="Points by the day of the streak, over and over.")
    milestones: list[Milestone] = strawberry.field(description="By their days.")
    replaces_base: bool = strawberry.field(description="Whether a milestone is given in place of its day's rung.")
    cycle: offering.CheckInCycle = strawberry.field(description="Over which window a milestone pays once.")
    cycle_days: int = strawberry.field(description="The length of a cycle of DAYS.")
    make_up: MakeUpTerms | None = strawberry.field(description="Null: missed days stay missed.")
    audience: Audience = access.resolved_by(access.staff(Scope.PROGRAM_READ), _audience)
    reminder_hour: int | None = strawberry.field(
        description="At which full local hour members are told that a streak ends tonight."
    )
    is_active: bool
    starts_at: datetime | None
    ends_at: datetime | None
    leaders: list[StreakLeader] = access.resolved_by(
        _STAFF, _leaders, description="The longest streaks that go on, at most 100."
    )
    streaks_ending_tonight: int = access.resolved_by(
        _STAFF, _ending, description="How many streaks end with the local day unless their members sign in."
    )


@shapes.shape()
class CheckInActivityQueries:
    """What can be asked about check-in activities."""

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def check_in_activities(
        self,
        info: Info,
        is_active: bool | None = None,  # noqa: FBT001 - GraphQL names every argument
    ) -> list[CheckInActivity]:
        """Check-in activities, the oldest first; at most 20. Whoever is not staff sees those that are active."""
        caller = info.context.caller
        if not caller.is_staff and is_active is False:
            return []
        found = await stored.activities(caller.program_id, is_active=is_active if caller.is_staff else True)
        info.context.take_nodes(len(found))
        return shapes.shown(found)  # type: ignore[no-any-return]


@shapes.given("CheckInMilestoneInput")
class MilestoneInput:
    """What is given when a streak reaches `day` days (1 to 366): a prize, make-up cards (at most 1,000), or both."""

    day: int
    prize: PrizeInput | None = None
    cards: int = 0

    def milestone(self) -> offering.Milestone:
        """The milestone for the domain. Refuses malformed ids."""
        prize = offering.NO_PRIZE if self.prize is None else self.prize.prize()
        return offering.Milestone(day=self.day, prize=prize, cards=self.cards)


@shapes.given()
class MakeUpTermsInput:
    """Days that may be made up: those of the last `days` (1 to 31), `perMonth` (1 to 31) in a calendar month.

    A day costs `points` (0 is free), or with `takesCards` a make-up card; without points it costs a card.
    """

    days: int
    per_month: int
    points: scalars.Points | None = None
    takes_cards: bool = False

    def terms(self) -> offering.MakeUpTerms:
        """The terms for the domain."""
        return offering.MakeUpTerms(
            days=self.days, per_month=self.per_month, points=self.points, takes_cards=self.takes_cards
        )


@shapes.given()
class CheckInActivitySaveInput(inputs.RepeatableInput):
    """A check-in activity to make, or to replace as a whole; streaks go on. `code` has at most 50 characters.

    `ladder` has 1 to 366 rungs, none lower than the one before: one rung is the same every day, and what one day gives
    besides is a milestone. A milestone is given beside its day's rung, or with `replacesBase` in its place; once in
    any `cycleDays` days in a row (left out, as many as the last milestone's), once a calendar MONTH, or ONCE for ever.
    `reminderHour` is from 0 to 23.
    """

    code: str
    name: str
    ladder: list[scalars.Points] = inputs.bounded(offering.DAYS_MAX)
    milestones: list[MilestoneInput] | None = inputs.bounded(offering.MILESTONES_MAX, default=None)
    replaces_base: bool = False
    cycle: offering.CheckInCycle = offering.CheckInCycle.DAYS
    cycle_days: int | None = None
    make_up: MakeUpTermsInput | None = None
    audience: AudienceInput | None = None
    reminder_hour: int | None = None
    is_active: bool = True
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def command(self, _: Context) -> saving.SaveCheckInActivity:
        """The command for the domain. Refuses malformed ids."""
        terms = saving.CheckInTerms(
            ladder=tuple(self.ladder),
            milestones=checks.each("milestones", self.milestones or (), MilestoneInput.milestone),
            replaces_base=self.replaces_base,
            cycle=self.cycle,
            cycle_days=self.cycle_days,
            make_up=None if self.make_up is None else self.make_up.terms(),
            audience=audience_of(self.audience, "audience"),
            reminder_hour=self.reminder_hour,
            is_active=self.is_active,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )
        return saving.SaveCheckInActivity(code=self.code, name=self.name, terms=terms)


@shapes.shape()
class CheckInActivitySavePayload(payloads.KeyedPayload):
    """The activity as it is now."""

    activity: CheckInActivity | None = None

    @classmethod
    def of(cls, activity: offering.CheckInActivity) -> Self:
        """The payload of an activity."""
        return cls(activity=shapes.shown(activity))


@shapes.shape()
class CheckInActivityMutations:
    """What can be done with check-in activities."""

    @access.field(access.staff(Scope.PROGRAM_WRITE))
    async def check_in_activity_save(
        self,
        info: Info,
        input: CheckInActivitySaveInput,  # noqa: A002
    ) -> CheckInActivitySavePayload:
        """Make a check-in activity, or replace the one with this code. Refuses what could be farmed."""
        return await payloads.run(info, input, CheckInActivitySavePayload)
