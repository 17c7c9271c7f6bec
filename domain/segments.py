"""Segments: saved selections of members, by who they are and by the figures of their accounts (S51)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import ClassVar, Final, NamedTuple
from uuid import UUID

from domain import calendars, checks
from domain.challenges import challenge_sets
from domain.earning import rule_sets
from domain.kernel import FAMILY, Command, Decision, Event, NotFound, Refusal, Row, State, Want
from domain.members import Gender, Member
from domain.programs import Program
from domain.stores import Channel, Store
from domain.tiers.tier import Tier

# How many a program has that are not archived: a member is held against each of them.
SEGMENTS_MAX: Final = 200
CODE_MAX: Final = 50
# Of tiers, stores and tags in one segment.
ITEMS_MAX: Final = 100
MONTHS: Final = 12
AGE_MAX: Final = 150
DAYS_MAX: Final = 36_500
PURCHASES_MAX: Final = 10**9
_FEBRUARY_29: Final = (2, 29)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What is asked of a member. What is not told is not asked; what is told must all hold.

    Tags: any of `tags`, none of `without_tags`. Stores and channels are those of the enrollment. Days are the
    program's local days, counted back from today, which is 0; ages are full years on the local day, and months are 1
    to 12. Spend is in minor units, over the member's life and net of refunds. Who never bought has not bought for any
    number of days; who tells no birthday has no age and no month.
    """

    tiers: tuple[UUID, ...] = ()
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    genders: tuple[Gender, ...] = ()
    channels: tuple[Channel, ...] = ()
    stores: tuple[UUID, ...] = ()
    enrolled_within_days: int | None = None
    enrolled_before_days: int | None = None
    birthday_months: tuple[int, ...] = ()
    age_min: int | None = None
    age_max: int | None = None
    purchases_min: int | None = None
    purchases_max: int | None = None
    spend_min_minor: int | None = None
    spend_max_minor: int | None = None
    bought_within_days: int | None = None
    not_bought_for_days: int | None = None
    available_min: int | None = None
    available_max: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of a member's account that criteria ask for; `spend_minor` is net of refunds."""

    tier_id: UUID | None
    available: int
    purchases: int
    spend_minor: int
    last_purchase_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment(Row):
    """A saved selection of members. `code` is the shop's own name for it; nobody is in an archived one."""

    is_configuration: ClassVar[bool] = True
    parent: ClassVar[str | None] = "program_id"
    keys: ClassVar[tuple[str, ...]] = ("code",)

    code: str
    name: str
    criteria: Criteria
    created_at: datetime
    archived_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.archived_at is None


class CriteriaContradictory(Refusal):
    """Two criteria exclude each other: nobody meets both. Details: `why`; of numbers, `minimum` and `maximum`."""

    code = "CRITERIA_CONTRADICTORY"
    text = "Nobody can be in this segment: {why}"


class SegmentLimitReached(Refusal):
    """The program has as many segments as it may. Details: `segmentsMax`."""

    code = "SEGMENT_LIMIT_REACHED"
    text = "A program has at most {segmentsMax} segments; archive one that is no longer used."


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSaved(Event):
    """A segment was made, replaced, or taken out of the archive."""

    segment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentArchived(Event):
    """A segment was archived: nobody is in it any more."""

    segment_id: UUID


# Who is in a segment.


def includes(criteria: Criteria, member: Member, figures: Figures, *, now: datetime, time_zone: str) -> bool:
    """Whether a member meets all the criteria now, by the local dates of the program."""
    today = calendars.local_date(now, time_zone)
    return (
        _meets_profile(criteria, member)
        and _meets_figures(criteria, figures)
        and _meets_birthday(criteria, member.birthday, today)
        and _meets_days(criteria, member.enrolled_at, figures.last_purchase_at, today, time_zone)
    )


def of_member(
    segments: Iterable[Segment], member: Member, figures: Figures, *, now: datetime, time_zone: str
) -> tuple[Segment, ...]:
    """Those of the segments that a member is in now."""
    return tuple(
        segment
        for segment in segments
        if segment.is_open and includes(segment.criteria, member, figures, now=now, time_zone=time_zone)
    )


def age(birthday: date, day: date) -> int:
    """Full years on a day. Who was born on the 29th of February is a year older on the 28th in other years."""
    told = (birthday.month, birthday.day)
    if told == _FEBRUARY_29:
        told = (2, calendars.end_of_month(day.replace(month=2, day=1)).day)
    return day.year - birthday.year - ((day.month, day.day) < told)


def _meets_profile(criteria: Criteria, member: Member) -> bool:
    return (
        (not criteria.tags or any(tag in criteria.tags for tag in member.tags))
        and not any(tag in criteria.without_tags for tag in member.tags)
        and (not criteria.genders or member.gender in criteria.genders)
        and (not criteria.channels or member.channel in criteria.channels)
        and (not criteria.stores or member.store_id in criteria.stores)
    )


def _meets_figures(criteria: Criteria, figures: Figures) -> bool:
    return (
        (not criteria.tiers or figures.tier_id in criteria.tiers)
        and _is_between(figures.purchases, criteria.purchases_min, criteria.purchases_max)
        and _is_between(figures.spend_minor, criteria.spend_min_minor, criteria.spend_max_minor)
        and _is_between(figures.available, criteria.available_min, criteria.available_max)
    )


def _meets_birthday(criteria: Criteria, birthday: date | None, today: date) -> bool:
    if birthday is None:
        return not criteria.birthday_months and criteria.age_min is None and criteria.age_max is None
    is_month = not criteria.birthday_months or birthday.month in criteria.birthday_months
    return is_month and _is_between(age(birthday, today), criteria.age_min, criteria.age_max)


def _meets_days(
    criteria: Criteria, enrolled_at: datetime, last_purchase_at: datetime | None, today: date, time_zone: str
) -> bool:
    enrolled_days = (today - calendars.local_date(enrolled_at, time_zone)).days
    if not _is_between(enrolled_days, criteria.enrolled_before_days, criteria.enrolled_within_days):
        return False
    if last_purchase_at is None:
        return criteria.bought_within_days is None
    bought_days = (today - calendars.local_date(last_purchase_at, time_zone)).days
    return _is_between(bought_days, criteria.not_bought_for_days, criteria.bought_within_days)


def _is_between(value: int, least: int | None, most: int | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)


# What criteria may be.


class _Bounds(NamedTuple):
    """The two criteria that bound one number from below and from above, and what either may be at most."""

    least: str
    most: str
    check: Callable[..., int]
    maximum: int


_BOUNDS: Final = (
    _Bounds("enrolled_before_days", "enrolled_within_days", checks.number, DAYS_MAX),
    _Bounds("age_min", "age_max", checks.number, AGE_MAX),
    _Bounds("purchases_min", "purchases_max", checks.number, PURCHASES_MAX),
    _Bounds("spend_min_minor", "spend_max_minor", checks.amount, checks.POINTS_MAX),
    _Bounds("not_bought_for_days", "bought_within_days", checks.number, DAYS_MAX),
    _Bounds("available_min", "available_max", checks.points, checks.POINTS_MAX),
)
_LENGTHS_MAX: Final = {
    "tiers": ITEMS_MAX,
    "tags": ITEMS_MAX,
    "without_tags": ITEMS_MAX,
    "genders": len(Gender),
    "channels": len(Channel),
    "stores": ITEMS_MAX,
    "birthday_months": MONTHS,
}
# What a client calls a criterion, where it is not only written another way.
_INPUT_NAMES: Final = {
    "tiers": "tierIds",
    "stores": "storeIds",
    "spend_min_minor": "spendMin",
    "spend_max_minor": "spendMax",
}


def _input_name(criterion: str) -> str:
    first, *rest = criterion.split("_")
    return "criteria." + _INPUT_NAMES.get(criterion, first + "".join(part.capitalize() for part in rest))


def checked(criteria: Criteria) -> Criteria:
    """The criteria with texts trimmed and nothing told twice.

    Refuses lists that are too long, numbers out of bounds, and `CriteriaContradictory`, naming the field. Whether
    tiers and stores exist is not asked here.
    """
    for criterion, length_max in _LENGTHS_MAX.items():
        checks.at_most(_input_name(criterion), getattr(criteria, criterion), length_max)
    for month in criteria.birthday_months:
        checks.number(_input_name("birthday_months"), month, minimum=1, maximum=MONTHS)
    for bounds in _BOUNDS:
        _check_bounds(criteria, bounds)
    tags, without_tags = _texts(criteria, "tags"), _texts(criteria, "without_tags")
    if tags and set(tags) <= set(without_tags):
        raise CriteriaContradictory(field=(_input_name("tags"),), why="withoutTags has every tag of tags.")
    return replace(
        criteria,
        tiers=tuple(dict.fromkeys(criteria.tiers)),
        tags=tags,
        without_tags=without_tags,
        genders=tuple(dict.fromkeys(criteria.genders)),
        channels=tuple(dict.fromkeys(criteria.channels)),
        stores=tuple(dict.fromkeys(criteria.stores)),
        birthday_months=tuple(sorted(set(criteria.birthday_months))),
    )


def _texts(criteria: Criteria, criterion: str) -> tuple[str, ...]:
    name, texts = _input_name(criterion), getattr(criteria, criterion)
    return tuple(dict.fromkeys(checks.text(name, text, length_max=CODE_MAX) for text in texts))


def _check_bounds(criteria: Criteria, bounds: _Bounds) -> None:
    least, most = getattr(criteria, bounds.least), getattr(criteria, bounds.most)
    for criterion, value in ((bounds.least, least), (bounds.most, most)):
        if value is not None:
            bounds.check(_input_name(criterion), value, minimum=0, maximum=bounds.maximum)
    if least is not None and most is not None and least > most:
        names = (_input_name(bounds.least), _input_name(bounds.most))
        why = f"{names[0]} is {least}, and {names[1]} is {most}."
        raise CriteriaContradictory(field=(names[0],), why=why, minimum=least, maximum=most)


def _refuse_unknown(state: State, criteria: Criteria) -> None:
    named: tuple[tuple[type[Row], str, tuple[UUID, ...]], ...] = (
        (Tier, "tiers", criteria.tiers),
        (Store, "stores", criteria.stores),
    )
    state.need(*(Want(kind, key) for kind, _, keys in named for key in keys))
    for kind, criterion, keys in named:
        for key in keys:
            if state.find(kind, key) is None:
                raise NotFound(field=(_input_name(criterion),), kind=kind.__name__, key=str(key))


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveSegment(Command[Segment]):
    """Make a segment, or replace the one with this code, archived or not. Criteria that are empty are met by everybody.

    Refuses malformed and contradictory criteria, tiers and stores that the program does not have, and a segment more
    than there may be.
    """

    code: str
    name: str
    criteria: Criteria

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """Whoever saves a segment has the program's row, so that no two make the last one that there is room for."""
        return Want(Program, program_id, is_locked=True), Want(Segment, program_id, FAMILY)

    def decide(self, state: State) -> Decision[Segment]:
        code = checks.text("code", self.code, length_max=CODE_MAX)
        name = checks.text("name", self.name)
        criteria = checked(self.criteria)
        state.need(*self.wants(state.program_id), Want(Segment, code, "code", is_locked=True))
        _refuse_unknown(state, criteria)
        before = state.find_by(Segment, "code", code)
        if before is None:
            segment = Segment(
                id=state.new_id(),
                program_id=state.program_id,
                code=code,
                name=name,
                criteria=criteria,
                created_at=state.now,
            )
        else:
            kept = state.change(Segment, before.id)
            segment = replace(kept, name=name, criteria=criteria, archived_at=None)
        others = [other for other in state.all(Segment, of=state.program_id) if other.id != segment.id]
        if len(others) >= SEGMENTS_MAX:
            raise SegmentLimitReached(field=("code",), segmentsMax=SEGMENTS_MAX)
        return Decision(segment, save=(segment,), events=(SegmentSaved(segment_id=segment.id),))


class SegmentInUse(Refusal):
    """A rule, a campaign or a challenge is for the members of the segment. Details: `segment`, `what`, `named_by`."""

    code = "SEGMENT_IN_USE"
    text = "The {what} {named_by!r} is for members of the segment {segment!r}; change that first."


def _refuse_named(state: State, code: str) -> None:
    program = state.get(Program, state.program_id)
    rule_set = rule_sets.of_version(state, program.rule_version)
    named = [("earning rule", rule.code, rule.when.audience) for rule in rule_set.rules]
    named += [("campaign", campaign.code, campaign.audience) for campaign in rule_set.campaigns]
    if program.challenge_version:
        challenges = challenge_sets.of_version(state, program.challenge_version).challenges
        named += [("challenge", challenge.code, challenge.audience) for challenge in challenges]
    for what, named_by, audience in named:
        if code in audience.segments:
            raise SegmentInUse(field=("code",), what=what, named_by=named_by, segment=code)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSegment(Command[Segment]):
    """Archive a segment: nobody is in it until it is saved again under its code.

    Refuses `NotFound`, and `SegmentInUse` while a rule, a campaign or a challenge in force is for its members.
    """

    code: str

    def decide(self, state: State) -> Decision[Segment]:
        code = checks.text("code", self.code, length_max=CODE_MAX)
        found = state.find_by(Segment, "code", code)
        if found is None:
            raise NotFound(field=("code",), kind="Segment", key=code)
        segment = state.change(Segment, found.id)
        if not segment.is_open:
            return Decision(segment)
        _refuse_named(state, code)
        segment = replace(segment, archived_at=state.now)
        return Decision(segment, save=(segment,), events=(SegmentArchived(segment_id=segment.id),))
