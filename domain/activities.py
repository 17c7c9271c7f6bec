"""Activities: whatever else a shop reports of a member (a share, a review, a booking), each once, and what it earns."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain import checks, members, stores
from domain.achievements import undoing
from domain.earning.facts import Earned, Facts, Occasion
from domain.earning.rules import Trigger
from domain.kernel import Command, Decision, Event, Refusal, Row, State, Want
from domain.members import AttributeValue, MemberRef
from domain.points.account import PointsAccount, SourceType
from domain.points.book import Source
from domain.points.posting import Clawed, Posting, account_wants, open_posting, shortfall_outcome, wants_to_draw
from domain.stores import Channel

TYPE_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity(Row):
    """Something a member did. `key` is its type and the shop's own id for it, unique in the program for ever (L11).

    Version, facts and what each rule gave are those of its own time, as with a purchase.
    """

    keys: ClassVar[tuple[str, ...]] = ("key",)

    member_id: UUID
    key: str
    type: str
    external_id: str
    store_id: UUID | None = None
    channel: Channel
    data: Mapping[str, AttributeValue] = field(default_factory=dict[str, AttributeValue])
    rule_version: int
    facts: Facts
    earned: tuple[Earned, ...] = ()
    points_earned: int = 0
    earning_id: UUID | None = None
    points_taken_back: int = 0
    reversed_at: datetime | None = None
    reason: str | None = None
    occurred_at: datetime
    recorded_at: datetime
    actor: str


class ActivityConflict(Refusal):
    """The activity was recorded before, of another member. Details: `type`, `externalId`."""

    code = "ACTIVITY_CONFLICT"
    text = "The activity {externalId!r} of type {type!r} was recorded before, of another member."


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRecorded(Event):
    """A member did something; `points` is what it earned."""

    activity_id: UUID
    type: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityReversed(Event):
    """What a member did was taken back by the shop; `points` of it were, too."""

    activity_id: UUID
    type: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityResult:
    """An activity and the account after it. `is_repeat`: it had been recorded, or reversed, before."""

    activity: Activity
    account: PointsAccount
    is_repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordActivity(Command[ActivityResult]):
    """Record what a member did and credit what the rules give for it.

    The same `type` and `external_id` told twice of the same member answer the first (`is_repeat`). An activity that
    is called `check_in` or `referral` is just an activity. Refuses unknown or frozen members,
    closed stores, texts and times out of bounds, and `ActivityConflict`.
    """

    member: MemberRef
    type: str
    external_id: str
    store_id: UUID | None = None
    channel: Channel = Channel.ONLINE
    data: Mapping[str, AttributeValue] | None = None
    occurred_at: datetime | None = None

    def wants(self, program_id: UUID) -> tuple[Want, ...]:  # noqa: ARG002
        """What finds the member and an activity told before."""
        key = _key(self.type.strip(), self.external_id.strip())
        return (*account_wants(self.member), Want(Activity, key, "key", is_locked=True))

    def decide(self, state: State) -> Decision[ActivityResult]:
        kind = checks.text("type", self.type, length_max=TYPE_MAX)
        external_id = checks.text("externalId", self.external_id, length_max=100)
        occurred_at = checks.past("occurredAt", self.occurred_at, state.now)
        data = members.checked_attributes("data", self.data) or {}
        member_id = members.resolve(state, self.member)
        before = state.find_by(Activity, "key", _key(kind, external_id))
        if before is not None:
            return _repeated(state, before, member_id)
        stores.open_store(state, self.store_id)
        posting = open_posting(state, member_id)
        posting.require_active()
        activity = Activity(
            id=state.new_id(),
            program_id=state.program_id,
            member_id=posting.account.id,
            key=_key(kind, external_id),
            type=kind,
            external_id=external_id,
            store_id=self.store_id,
            channel=self.channel,
            data=data,
            rule_version=posting.program.rule_version,
            facts=posting.facts(Trigger.ACTIVITY, occurred_at),
            occurred_at=occurred_at,
            recorded_at=state.now,
            actor=state.actor,
        )
        activity = _earned(posting, activity)
        rows = posting.close()
        recorded = ActivityRecorded(
            member_id=activity.member_id, activity_id=activity.id, type=kind, points=activity.points_earned
        )
        return Decision(
            ActivityResult(activity=activity, account=posting.account),
            save=(*rows, activity),
            events=(recorded, *posting.events),
        )


def _earned(posting: Posting, activity: Activity) -> Activity:
    """The activity with what the rules give for it."""
    occasion = occasion_of(activity, posting.program.time_zone)
    given = posting.earn(occasion, activity.facts, Source(SourceType.ACTIVITY, activity.id))
    return replace(activity, earned=tuple(given.earned), points_earned=given.points, earning_id=given.earning_id)


def _key(kind: str, external_id: str) -> str:
    # Neither holds a control character, so that no two pairs have one key.
    return f"{kind}\x1f{external_id}"


def _repeated(state: State, before: Activity, member_id: UUID) -> Decision[ActivityResult]:
    if before.member_id != member_id:
        raise ActivityConflict(field=("externalId",), type=before.type, externalId=before.external_id)
    account = open_posting(state, before.member_id).account
    return Decision(ActivityResult(activity=before, account=account, is_repeat=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseActivity(Command[ActivityResult]):
    """Take back an activity that did not stand (a deleted review), and what it earned (L8). Again changes nothing."""

    activity_id: UUID
    reason: str

    def decide(self, state: State) -> Decision[ActivityResult]:
        reason = checks.reason(self.reason)
        activity = state.get(Activity, self.activity_id)
        state.need(*wants_to_draw(state, activity.member_id))
        posting = open_posting(state, activity.member_id)
        if activity.reversed_at is not None:
            return Decision(ActivityResult(activity=activity, account=posting.account, is_repeat=True))
        clawed = _take_back(posting, activity)
        undoing.lessen(posting, activity.id)
        activity = replace(
            activity,
            reversed_at=state.now,
            reason=reason,
            points_taken_back=clawed.cancelled + clawed.reversed,
        )
        rows = posting.close()
        happened = ActivityReversed(
            member_id=activity.member_id,
            activity_id=activity.id,
            type=activity.type,
            points=activity.points_taken_back,
        )
        return Decision(
            ActivityResult(activity=activity, account=posting.account),
            save=(*rows, activity),
            events=(happened, *posting.events),
        )


def _take_back(posting: Posting, activity: Activity) -> Clawed:
    if activity.earning_id is None:
        return Clawed(cancelled=0, reversed=0, short=0)
    source = Source(SourceType.ACTIVITY, activity.id)
    clawed = posting.claw_back(
        activity.points_earned,
        source,
        earned_by=activity.id,
        reverses=activity.earning_id,
        earned_at=activity.occurred_at,
    )
    if clawed.short:
        outcome = shortfall_outcome(posting.program.shortfall_policy, has_refund=False)
        posting.fall_short(clawed.short, outcome, source, reverses=activity.earning_id)
    occasion = occasion_of(activity, posting.program.time_zone)
    posting.give_back_room(activity.earned, (), activity.rule_version, occasion)
    return clawed


def occasion_of(activity: Activity, time_zone: str) -> Occasion:
    """A recorded activity as its rules look at it; `time_zone` is the program's today, its own goes before it."""
    return Occasion(
        trigger=Trigger.ACTIVITY,
        occurred_at=activity.occurred_at,
        time_zone=activity.facts.time_zone or time_zone,
        store_id=activity.store_id,
        channel=activity.channel,
        activity_type=activity.type,
    )
