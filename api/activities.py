"""Activities in the API: whatever else a shop reports of a member, and what it earned."""

from datetime import datetime
from typing import Final, Self

import strawberry

from api import access, ids, inputs, payloads, scalars, shapes
from api.context import Context, Info
from api.inputs import MemberRefInput
from api.members import Member
from api.stores import Store
from domain import activities, members, stores
from domain.access import Scope
from domain.stores import Channel

_STAFF: Final = access.staff(Scope.MEMBERS_READ)
_WRITES: Final = access.staff(Scope.ACTIVITIES_WRITE)


@shapes.shape(activities.Activity)
class Activity(shapes.Node):
    """Something a member did beside buying: a share, a review, a booking, a completed profile."""

    member: Member = shapes.linked(members.Member, "member_id")
    type: str
    external_id: str = strawberry.field(description="The shop's own id for it, unique among those of its type.")
    store: Store | None = shapes.linked(stores.Store, "store_id")
    channel: Channel
    data: scalars.JSONObject
    rule_version: int
    points_earned: scalars.Points
    points_taken_back: scalars.Points = strawberry.field(description="When it was reversed.")
    reversed_at: datetime | None
    reason: str | None = access.guarded(_STAFF, "reason", description="Why it was reversed.")
    occurred_at: datetime
    recorded_at: datetime
    actor: str = access.guarded(_STAFF, "actor", description="Who recorded it.")


@shapes.given()
class ActivityRecordInput(inputs.KeyedInput):
    """Something that a member did. `type` is the shop's own word (at most 50 characters), such as `review` or `share`.

    `externalId` is the shop's own id for it (at most 100 characters): the same activity earns once, whatever the
    idempotency key. Signing in and bringing friends are no activities: see `checkInCreate` and `referralBind`. `data`
    holds up to 50 values of the shop's own. `occurredAt` lies in the past; left out, it is now.
    """

    member: MemberRefInput
    type: str
    external_id: str
    store_id: strawberry.ID | None = None
    channel: Channel = Channel.ONLINE
    data: scalars.JSONObject | None = None
    occurred_at: datetime | None = None

    def command(self, context: Context) -> activities.RecordActivity:
        """The command for the domain. Refuses malformed ids."""
        return activities.RecordActivity(
            member=inputs.member(context, self.member),
            type=self.type,
            external_id=self.external_id,
            store_id=ids.optional("Store", self.store_id, "storeId"),
            channel=self.channel,
            # The domain looks at every value.
            data=self.data,  # type: ignore[arg-type]
            occurred_at=self.occurred_at,
        )


@shapes.given()
class ActivityReverseInput(inputs.KeyedInput):
    """An activity that did not stand, such as a review that was deleted: what it earned is taken back."""

    activity_id: strawberry.ID
    reason: str

    def command(self, _: Context) -> activities.ReverseActivity:
        """The command for the domain. Refuses an id that is none of an activity."""
        activity_id = ids.require("Activity", self.activity_id, "activityId")
        return activities.ReverseActivity(activity_id=activity_id, reason=self.reason)


@shapes.shape()
class _ActivityPayload(payloads.KeyedPayload):
    activity: Activity | None = None
    member: Member | None = None
    is_repeat: bool = payloads.repeat()

    @classmethod
    def of(cls, result: activities.ActivityResult) -> Self:
        """The payload of an activity."""
        return cls(
            activity=shapes.shown(result.activity), member=shapes.shown(result.account), is_repeat=result.is_repeat
        )


@shapes.shape()
class ActivityRecordPayload(_ActivityPayload):
    """The activity with what it earned, and the member after it."""


@shapes.shape()
class ActivityReversePayload(_ActivityPayload):
    """The activity with what was taken back, and the member after it."""


@shapes.shape()
class ActivityMutations:
    """What can be done with activities."""

    @access.field(_WRITES)
    async def activity_record(self, info: Info, input: ActivityRecordInput) -> ActivityRecordPayload:  # noqa: A002
        """Record what a member did, and credit what the rules give for it."""
        return await payloads.run(info, input, ActivityRecordPayload)

    @access.field(_WRITES)
    async def activity_reverse(self, info: Info, input: ActivityReverseInput) -> ActivityReversePayload:  # noqa: A002
        """Take an activity back, and what it earned. Again changes nothing."""
        return await payloads.run(info, input, ActivityReversePayload)
