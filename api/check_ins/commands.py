"""Signing in and making days up in the API, and giving make-up cards."""

from datetime import date
from typing import Any, Final, Self

import strawberry

from api import access, inputs, payloads, shapes
from api.check_ins import finding
from api.check_ins.standing import CheckIn, CheckIns
from api.context import Context, Info
from api.inputs import MemberRefInput
from api.members import Member
from domain.access import Scope
from domain.check_ins import activity as offering
from domain.check_ins import cards as dealing
from domain.check_ins import signing
from domain.check_ins.check_in import CheckInResult, MakeUpPayment
from persistence import check_ins as stored

_COUNTER: Final = access.staff_or_member(Scope.ACTIVITIES_WRITE)


@shapes.given()
class CheckInCreateInput(inputs.KeyedInput):
    """What to sign in to, by the activity's code. A member leaves `member` out and signs itself in."""

    activity: str
    member: MemberRefInput | None = None

    def command(self, context: Context) -> signing.CreateCheckIn:
        """The command for the domain."""
        return signing.CreateCheckIn(member=inputs.member(context, self.member), activity=self.activity)


@shapes.given()
class CheckInMakeUpInput(inputs.KeyedInput):
    """A missed local date, and what to pay for it with. A member leaves `member` out and makes up its own."""

    activity: str
    day: date
    payment: MakeUpPayment
    member: MemberRefInput | None = None

    def command(self, context: Context) -> signing.MakeUpCheckIn:
        """The command for the domain."""
        return signing.MakeUpCheckIn(
            member=inputs.member(context, self.member), activity=self.activity, day=self.day, payment=self.payment
        )


@shapes.given()
class MakeUpCardGrantInput(inputs.KeyedInput):
    """How many make-up cards to give (at most 1,000), and why; a negative number takes some back."""

    member: MemberRefInput
    cards: int
    reason: str

    def command(self, context: Context) -> dealing.GrantMakeUpCards:
        """The command for the domain."""
        return dealing.GrantMakeUpCards(
            member=inputs.member(context, self.member), cards=self.cards, reason=self.reason
        )


async def _standing(parent: strawberry.Parent[Any], info: Info) -> Any:
    result: CheckInResult | None = parent.result
    if result is None:
        return None
    context, place = info.context, (result.streak.member_id, result.streak.activity_id)
    # What the command answered need not be read again.
    context.loaders.know(stored.streaks, place, result.streak)
    context.loaders.know(stored.cards_of, place[0], result.cards)
    activity = await context.loaders.row(offering.CheckInActivity, place[1])
    assert activity is not None, "a streak is in an activity"
    return await finding.standing(context, place[0], activity)


@shapes.shape()
class _CheckInPayload(payloads.KeyedPayload):
    result: strawberry.Private[CheckInResult | None] = None
    check_in: CheckIn | None = None
    check_ins: CheckIns | None = strawberry.field(
        resolver=_standing, description="The member in the activity, after it."
    )
    member: Member | None = None

    @classmethod
    def of(cls, result: CheckInResult) -> Self:
        """The payload of a check-in."""
        return cls(result=result, check_in=shapes.shown(result.check_in), member=shapes.shown(result.account))


@shapes.shape()
class CheckInCreatePayload(_CheckInPayload):
    """The check-in with what it gave, and the member after it."""

    already_signed: bool = strawberry.field(
        default=False, description="Whether the day had been signed before: the first check-in is shown, nothing given."
    )

    @classmethod
    def of(cls, result: CheckInResult) -> Self:
        """The payload of a check-in."""
        payload = super().of(result)
        payload.already_signed = result.already_signed
        return payload


@shapes.shape()
class CheckInMakeUpPayload(_CheckInPayload):
    """The check-in of the missed day with what it gave, and the member after it."""


@shapes.shape()
class MakeUpCardGrantPayload(payloads.KeyedPayload):
    """The member, and how many make-up cards it has."""

    member: Member | None = None
    cards: int | None = None

    @classmethod
    def of(cls, granted: dealing.CardsGranted) -> Self:
        """The payload of a grant."""
        return cls(member=shapes.shown(granted.account), cards=granted.cards)


@shapes.shape()
class CheckInMutations:
    """What can be done with check-ins."""

    @access.field(_COUNTER)
    async def check_in_create(self, info: Info, input: CheckInCreateInput) -> CheckInCreatePayload:  # noqa: A002
        """Sign a member in for the program's local date of now: once a date, however often it is told."""
        return await payloads.run(info, input, CheckInCreatePayload)

    @access.field(_COUNTER)
    async def check_in_make_up(self, info: Info, input: CheckInMakeUpInput) -> CheckInMakeUpPayload:  # noqa: A002
        """Make a missed day up, which heals the streak. Refuses days that are not missed or may not be made up."""
        return await payloads.run(info, input, CheckInMakeUpPayload)

    @access.field(access.staff(Scope.POINTS_ADJUST))
    async def make_up_card_grant(self, info: Info, input: MakeUpCardGrantInput) -> MakeUpCardGrantPayload:  # noqa: A002
        """Give a member make-up cards by hand, or take some back."""
        return await payloads.run(info, input, MakeUpCardGrantPayload)
