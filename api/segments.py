"""Segments in the API, and the members that are in one."""

from datetime import datetime
from typing import Any, Final, Self

import strawberry

from api import access, connections, ids, inputs, moneys, payloads, scalars, shapes
from api.connections import Connection
from api.context import Context, Info
from api.inputs import MoneyInput
from api.moneys import Money
from api.stores import Store
from api.tiers import Tier
from domain import checks, members, references, segments, stores
from domain.access import Scope
from domain.kernel import Refusal
from domain.points import segmenting
from domain.stores import Channel
from domain.tiers import tier as tiers
from persistence import members as stored_members
from persistence import pages
from persistence import segments as stored

# Here and not beside members, whose module imports this one: an enumeration is named before it is first used.
shapes.named(members.Gender)

# Who is in a segment is told by the domain alone, of one member after the other: how many are read at a time, and how
# many a request looks at before it says where it got to.
READ_AT_ONCE: Final = 500
LOOKED_AT_MAX: Final = 5_000

_WRITES: Final = access.staff(Scope.PROGRAM_WRITE)


async def _tiers(parent: strawberry.Parent[segments.Criteria], info: Info) -> Any:
    info.context.take_nodes(len(parent.tiers))
    return await info.context.loaders.rows(tiers.Tier, parent.tiers)


async def _stores(parent: strawberry.Parent[segments.Criteria], info: Info) -> Any:
    info.context.take_nodes(len(parent.stores))
    return await info.context.loaders.rows(stores.Store, parent.stores)


@shapes.shape()
class SegmentCriteria:
    """What is asked of members: an empty list or null is not asked, and everything else must hold.

    Days are local days of the program, counted back from today, which is 0.
    """

    tiers: list[Tier] = strawberry.field(resolver=_tiers, description="One of these tiers.")
    tags: list[str] = strawberry.field(description="Any of these tags.")
    without_tags: list[str] = strawberry.field(description="None of these tags.")
    genders: list[members.Gender]
    channels: list[Channel] = strawberry.field(description="Enrolled through one of these.")
    stores: list[Store] = strawberry.field(resolver=_stores, description="Enrolled at one of these.")
    enrolled_within_days: int | None = strawberry.field(description="Enrolled at most so many days ago.")
    enrolled_before_days: int | None = strawberry.field(description="Enrolled at least so many days ago.")
    birthday_months: list[int] = strawberry.field(description="Born in one of these months, 1 to 12.")
    age_min: int | None = strawberry.field(description="In full years.")
    age_max: int | None
    purchases_min: int | None
    purchases_max: int | None
    spend_min: Money | None = moneys.field("spend_min_minor", description="Over the member's life, net of refunds.")
    spend_max: Money | None = moneys.field("spend_max_minor")
    bought_within_days: int | None = strawberry.field(description="Bought at most so many days ago.")
    not_bought_for_days: int | None = strawberry.field(
        description="The last purchase is at least so many days ago, or there is none."
    )
    available_min: scalars.Points | None = strawberry.field(description="Points that may be spent now.")
    available_max: scalars.Points | None


@shapes.shape(segments.Segment)
class Segment(shapes.Node):
    """A saved selection of members. Who is in it is told anew whenever it is asked."""

    code: str = strawberry.field(description="The shop's own name for it, unique in the program.")
    name: str
    criteria: SegmentCriteria
    created_at: datetime
    archived_at: datetime | None = strawberry.field(description="Since then nobody is in it.")


@shapes.shape()
class SegmentQueries:
    """What can be asked about segments."""

    @access.field(access.staff(Scope.PROGRAM_READ))
    async def segments(
        self,
        info: Info,
        is_archived: bool | None = None,  # noqa: FBT001 - GraphQL names every argument
        first: int = connections.FIRST_DEFAULT,
        after: str | None = None,
    ) -> Connection[Segment]:
        """Segments of the program, the oldest first; at most 200 are not archived."""
        part = connections.asked(info.context, stored.KEYSET, first, after)
        found = await stored.page(info.context.caller.program_id, part, is_archived=is_archived)
        return connections.page(found, stored.KEYSET, part)


async def members_in(context: Context, code: str, which: stored_members.Filter, part: pages.Slice) -> Connection[Any]:
    """A page of the members in a segment, among those that a filter of the store finds.

    Reads more of them at a time until the page is full or `LOOKED_AT_MAX` were looked at; then it says where it got to.
    """
    segment = await _open_segment(context, code)
    if segment is None:
        return connections.page((), stored_members.KEYSET, part)
    found: list[members.Member] = []
    size, left, after = part.count, LOOKED_AT_MAX, part.after
    while left and len(found) < part.count:
        count = min(size, left)
        read = await stored_members.page(context.caller.program_id, which, pages.Slice(count, after))
        found.extend(await _included(context, segment.criteria, read))
        if len(read) < count:
            return connections.page(found, stored_members.KEYSET, part)
        # Twice as many the next time: for a full page of a common segment a few are enough.
        size, left, after = min(2 * size, READ_AT_ONCE), left - count, stored_members.KEYSET.place(read[-1])
    if len(found) >= part.count:
        return connections.page(found, stored_members.KEYSET, part)
    assert after is not None, "some were looked at, and the last of them has a place"
    return connections.page_so_far(found, stored_members.KEYSET, part, after)


async def require(context: Context, code: str) -> None:
    """Refuses `ReferenceUnknown` for the code of a segment that the program never had."""
    told = code.strip()
    is_code = 0 < len(told) <= segments.CODE_MAX and told.isprintable()
    if not is_code or await context.loaders.segment(told) is None:
        known = [segment.code for segment in await context.loaders.segments()]
        raise references.unknown("segment", told, known, field="filter.segment")


async def _open_segment(context: Context, code: str) -> segments.Segment | None:
    try:
        found = await context.loaders.segment(checks.text("segment", code, length_max=segments.CODE_MAX))
    except Refusal:
        return None
    return found if found is not None and found.is_open else None


async def _included(context: Context, criteria: segments.Criteria, read: list[members.Member]) -> list[members.Member]:
    program = await context.loaders.program()
    accounts = await context.loaders.accounts([member.id for member in read])
    return [
        member
        for member, account in zip(read, accounts, strict=True)
        if account is not None
        and segments.includes(
            criteria, member, segmenting.figures_of(account), now=context.now, time_zone=program.time_zone
        )
    ]


@shapes.given()
class SegmentCriteriaInput:
    """What to ask of members: what is left out is not asked, and everything else must hold.

    Days (at most 36,500) are local days of the program, counted back from today, which is 0; ages are full years.
    Stores and channels are those of the enrollment, spend is over the member's life and net of refunds. Whoever never
    bought has not bought for any number of days.
    """

    tier_ids: list[strawberry.ID] | None = inputs.bounded(segments.ITEMS_MAX, default=None)
    tags: list[str] | None = inputs.bounded(segments.ITEMS_MAX, default=None)
    without_tags: list[str] | None = inputs.bounded(segments.ITEMS_MAX, default=None)
    genders: list[members.Gender] | None = inputs.bounded(len(members.Gender), default=None)
    channels: list[Channel] | None = inputs.bounded(len(Channel), default=None)
    store_ids: list[strawberry.ID] | None = inputs.bounded(segments.ITEMS_MAX, default=None)
    enrolled_within_days: int | None = None
    enrolled_before_days: int | None = None
    birthday_months: list[int] | None = inputs.bounded(segments.MONTHS, default=None)
    age_min: int | None = None
    age_max: int | None = None
    purchases_min: int | None = None
    purchases_max: int | None = None
    spend_min: MoneyInput | None = None
    spend_max: MoneyInput | None = None
    bought_within_days: int | None = None
    not_bought_for_days: int | None = None
    available_min: scalars.Points | None = None
    available_max: scalars.Points | None = None

    def criteria(self, context: Context) -> segments.Criteria:
        """The criteria for the domain. Refuses malformed ids and another currency than the program's."""
        return segments.Criteria(
            tiers=tuple(ids.require("Tier", given, "criteria.tierIds") for given in self.tier_ids or ()),
            tags=tuple(self.tags or ()),
            without_tags=tuple(self.without_tags or ()),
            genders=tuple(self.genders or ()),
            channels=tuple(self.channels or ()),
            stores=tuple(ids.require("Store", given, "criteria.storeIds") for given in self.store_ids or ()),
            enrolled_within_days=self.enrolled_within_days,
            enrolled_before_days=self.enrolled_before_days,
            birthday_months=tuple(self.birthday_months or ()),
            age_min=self.age_min,
            age_max=self.age_max,
            purchases_min=self.purchases_min,
            purchases_max=self.purchases_max,
            spend_min_minor=_minor(context, self.spend_min, "criteria.spendMin"),
            spend_max_minor=_minor(context, self.spend_max, "criteria.spendMax"),
            bought_within_days=self.bought_within_days,
            not_bought_for_days=self.not_bought_for_days,
            available_min=self.available_min,
            available_max=self.available_max,
        )


def _minor(context: Context, given: MoneyInput | None, field: str) -> int | None:
    return None if given is None else given.minor(context, field)


@shapes.given()
class SegmentSaveInput(inputs.RepeatableInput):
    """A segment to make, or to replace as a whole. `code` has at most 50 characters; `{}` as criteria is everybody."""

    code: str
    name: str
    criteria: SegmentCriteriaInput

    def command(self, context: Context) -> segments.SaveSegment:
        """The command for the domain. Refuses malformed ids and another currency than the program's."""
        return segments.SaveSegment(code=self.code, name=self.name, criteria=self.criteria.criteria(context))


@shapes.given()
class SegmentArchiveInput(inputs.RepeatableInput):
    """Which segment to archive."""

    code: str

    def command(self, _: Context) -> segments.ArchiveSegment:
        """The command for the domain."""
        return segments.ArchiveSegment(code=self.code)


@shapes.shape()
class _SegmentPayload(payloads.KeyedPayload):
    segment: Segment | None = None

    @classmethod
    def of(cls, segment: segments.Segment) -> Self:
        """The payload of a segment."""
        return cls(segment=shapes.shown(segment))


@shapes.shape()
class SegmentSavePayload(_SegmentPayload):
    """The segment as it is now."""


@shapes.shape()
class SegmentArchivePayload(_SegmentPayload):
    """The archived segment."""


@shapes.shape()
class SegmentMutations:
    """What can be done with segments."""

    @access.field(_WRITES)
    async def segment_save(self, info: Info, input: SegmentSaveInput) -> SegmentSavePayload:  # noqa: A002
        """Make a segment, or replace the one with this code, archived or not. Refuses what nobody could meet."""
        return await payloads.run(info, input, SegmentSavePayload)

    @access.field(_WRITES)
    async def segment_archive(self, info: Info, input: SegmentArchiveInput) -> SegmentArchivePayload:  # noqa: A002
        """Archive a segment: nobody is in it any more, until it is saved again."""
        return await payloads.run(info, input, SegmentArchivePayload)
