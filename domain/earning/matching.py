"""Which rules apply to an occasion: each rule's conditions compiled once into the few questions that it asks.

A rule set may hold a thousand rules, so that what a rule does not ask costs nothing, and each question is one call.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from domain import audiences, calendars, schedules
from domain.earning.facts import BasisLine, Facts, Need, Occasion
from domain.earning.rules import (
    BY_THE_CLOCK,
    OF_PURCHASES,
    Anniversary,
    Campaign,
    Conditions,
    EarningRule,
    Ordinal,
    Period,
    Trigger,
)
from domain.schedules import Schedule


class Skip(StrEnum):
    """Why a rule gave nothing."""

    NOT_STARTED = "NOT_STARTED"  # its validity begins later
    ENDED = "ENDED"  # its validity is over
    CAMPAIGN = "CAMPAIGN"  # its campaign is not on, or not for this member
    SCHEDULE = "SCHEDULE"  # not on this day, or not at this hour
    ACTIVITY_TYPE = "ACTIVITY_TYPE"  # for activities of another type
    CHANNEL = "CHANNEL"  # not through this channel
    STORE = "STORE"  # not at this store
    TIER = "TIER"  # for members of other tiers
    TAG = "TAG"  # the member lacks a tag, or has one that keeps it out
    SEGMENT = "SEGMENT"  # for members of other segments
    NEW_MEMBER = "NEW_MEMBER"  # only for members who joined lately
    ORDINAL = "ORDINAL"  # for another purchase of the period
    ANNIVERSARY = "ANNIVERSARY"  # not on this day of the member's year
    LINES = "LINES"  # no line counts for it
    BELOW_MINIMUM = "BELOW_MINIMUM"  # less was paid for what counts
    ABOVE_MAXIMUM = "ABOVE_MAXIMUM"  # more was paid for what counts
    QUANTITY = "QUANTITY"  # fewer items count
    EXCLUDED = "EXCLUDED"  # another rule of its exclusive group gave
    NOTHING_TO_GIVE = "NOTHING_TO_GIVE"  # it comes to less than a point, or there is nothing to multiply


_SECOND: Final = {Trigger.PURCHASE: (Trigger.FIRST_PURCHASE,)}
_OF_AUDIENCE: Final = {"tiers": Skip.TIER, "tags": Skip.TAG, "withoutTags": Skip.TAG, "segments": Skip.SEGMENT}


@dataclass(frozen=True, slots=True)
class Moment:
    """An occasion with what many rules ask of it, worked out once. `campaigns` are those that are on."""

    occasion: Occasion
    facts: Facts
    local: datetime
    campaigns: frozenset[str]


# Why the rule does not apply; None if, as far as this question goes, it does.
Question = Callable[[Moment], Skip | None]
# Whether a line counts for the rule.
Counts = Callable[[BasisLine], bool]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule with its questions, and the lines that it chooses; None if it takes all."""

    rule: EarningRule
    questions: tuple[Question, ...]
    counts: Counts | None


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule set ready to be asked: the candidates of each trigger by falling priority, and what facts they need."""

    candidates: Mapping[Trigger, tuple[Candidate, ...]]
    campaigns: tuple[Campaign, ...]
    needs: Mapping[Trigger, frozenset[Need]]
    rules: Mapping[str, EarningRule]
    # The codes of the rules that caps or a campaign's budget bound (L13).
    bounded: frozenset[str]
    # What campaigns may give in all, by code.
    budgets: Mapping[str, int]
    # Whether what a purchase earns depends on more than its tier, so that the facts are kept with it.
    keeps_facts: bool


def compiled(rules: Iterable[EarningRule], campaigns: Iterable[Campaign]) -> Compiled:
    """A rule set made ready."""
    frames = {campaign.code: campaign for campaign in campaigns}
    budgets = {code: campaign.budget for code, campaign in frames.items() if campaign.budget is not None}
    by_trigger: dict[Trigger, list[Candidate]] = {trigger: [] for trigger in Trigger}
    needs: dict[Trigger, set[Need]] = {trigger: set() for trigger in Trigger}
    ordered = sorted(rules, key=lambda rule: -rule.priority)
    for rule in ordered:
        by_trigger[rule.trigger].append(Candidate(rule, tuple(_questions(rule)), _choice(rule.when)))
        needs[rule.trigger].update(_needs(rule, None if rule.campaign is None else frames.get(rule.campaign)))
    return Compiled(
        candidates={trigger: tuple(found) for trigger, found in by_trigger.items()},
        campaigns=tuple(frames.values()),
        needs={
            trigger: frozenset(found).union(*(needs[other] for other in _SECOND.get(trigger, ())))
            for trigger, found in needs.items()
        },
        rules={rule.code: rule for rule in ordered},
        bounded=frozenset(rule.code for rule in ordered if rule.caps or rule.campaign in budgets),
        budgets=budgets,
        keeps_facts=any(needs[trigger] for trigger in OF_PURCHASES)
        or bool(by_trigger[Trigger.FIRST_PURCHASE])
        or any(_looks_at_facts(rule) for rule in ordered)
        or any(campaign.schedule != schedules.ALWAYS for campaign in frames.values()),
    )


def _looks_at_facts(rule: EarningRule) -> bool:
    """Whether a rule asks which purchase it is, or for the local day, which the facts keep."""
    return rule.when.ordinal is not None or rule.when.schedule != schedules.ALWAYS or bool(rule.caps)


def moment(rules: Compiled, occasion: Occasion, facts: Facts) -> Moment:
    """An occasion as the rules ask about it."""
    local = occasion.local
    running = frozenset(
        campaign.code
        for campaign in rules.campaigns
        if is_on(campaign, occasion, local)
        and audiences.keeps_out(campaign.audience, facts.tier_id, facts.tags, facts.segments) is None
    )
    return Moment(occasion, facts, local, running)


def is_on(campaign: Campaign, occasion: Occasion, local: datetime) -> bool:
    """Whether a campaign runs at the time of an occasion, which is `local` on the program's clock."""
    is_valid = _not_within(campaign.starts_at, campaign.ends_at, occasion) is None
    return is_valid and schedules.meets(campaign.schedule, local)


def _not_within(starts_at: datetime | None, ends_at: datetime | None, occasion: Occasion) -> Skip | None:
    """Why an occasion is not within a validity. One of the clock's is its whole local day, of which any part is enough:
    so it matters neither when the clock looks nor when the member joined."""
    at, until = occasion.occurred_at, occasion.occurred_at
    if occasion.trigger in BY_THE_CLOCK:
        day = occasion.local.date()
        at = calendars.start_of(day, occasion.time_zone)
        until = calendars.end_of(day, occasion.time_zone) - timedelta.resolution
    if starts_at is not None and until < starts_at:
        return Skip.NOT_STARTED
    return Skip.ENDED if ends_at is not None and at >= ends_at else None


def candidates(rules: Compiled, occasion: Occasion, facts: Facts) -> Sequence[Candidate]:
    """The rules that wait for an occasion, by falling priority; those of a second trigger if it is one of that too."""
    own = rules.candidates[occasion.trigger]
    also = rules.candidates[second] if (second := _second_trigger(occasion, facts)) is not None else ()
    return sorted((*own, *also), key=lambda candidate: -candidate.rule.priority) if also else own


def _second_trigger(occasion: Occasion, facts: Facts) -> Trigger | None:
    """A first purchase is a purchase too."""
    is_first = occasion.trigger is Trigger.PURCHASE and facts.ordinals.get(Period.LIFETIME, 0) == 1
    return Trigger.FIRST_PURCHASE if is_first else None


def _needs(rule: EarningRule, campaign: Campaign | None) -> Iterable[Need]:
    found = [rule.when.audience, *([] if campaign is None else [campaign.audience])]
    if any(audience.segments for audience in found):
        yield Need.SEGMENTS
    asks_profile = any(audience.tags or audience.without_tags for audience in found)
    if asks_profile or rule.when.new_for_days is not None or rule.when.anniversary is not None:
        yield Need.PROFILE
    ordinal = rule.when.ordinal
    if ordinal is not None and ordinal.period is not Period.LIFETIME:
        yield Need(ordinal.period)


def _choice(when: Conditions) -> Counts | None:
    if not (when.products or when.without_products or when.categories or when.without_categories):
        return None
    products, without_products = frozenset(when.products), frozenset(when.without_products)
    categories, without_categories = frozenset(when.categories), frozenset(when.without_categories)

    def counts(line: BasisLine) -> bool:
        if products and line.product_id not in products:
            return False
        if categories and line.category not in categories:
            return False
        return line.product_id not in without_products and line.category not in without_categories

    return counts


def _questions(rule: EarningRule) -> Iterable[Question]:
    """The questions of a rule, those that are answered fastest first."""
    if rule.starts_at is not None or rule.ends_at is not None:
        yield _within(rule.starts_at, rule.ends_at)
    if rule.campaign is not None:
        code = rule.campaign
        yield lambda moment: None if code in moment.campaigns else Skip.CAMPAIGN
    if rule.activity_type is not None:
        kind = rule.activity_type
        yield lambda moment: None if moment.occasion.activity_type == kind else Skip.ACTIVITY_TYPE
    yield from _questions_of_place(rule.when)
    yield from _questions_of_member(rule.when)
    if rule.when.schedule != schedules.ALWAYS:
        yield _scheduled(rule.when.schedule)


def _questions_of_place(when: Conditions) -> Iterable[Question]:
    if when.channels:
        channels = frozenset(when.channels)
        yield lambda moment: None if moment.occasion.channel in channels else Skip.CHANNEL
    if when.stores:
        stores = frozenset(when.stores)
        yield lambda moment: None if moment.occasion.store_id in stores else Skip.STORE
    if when.without_stores:
        without = frozenset(when.without_stores)
        yield lambda moment: Skip.STORE if moment.occasion.store_id in without else None


def _questions_of_member(when: Conditions) -> Iterable[Question]:
    if when.audience != audiences.EVERYBODY:
        yield _for_audience(when.audience)
    if when.ordinal is not None:
        yield _for_ordinal(when.ordinal)
    if when.new_for_days is not None:
        yield _for_new_members(when.new_for_days)
    if when.anniversary is not None:
        yield _for_anniversary(when.anniversary)


def _within(starts_at: datetime | None, ends_at: datetime | None) -> Question:
    return lambda moment: _not_within(starts_at, ends_at, moment.occasion)


def _scheduled(schedule: Schedule) -> Question:
    return lambda moment: None if schedules.meets(schedule, moment.local) else Skip.SCHEDULE


def _for_audience(audience: audiences.Audience) -> Question:
    def question(moment: Moment) -> Skip | None:
        facts = moment.facts
        why = audiences.keeps_out(audience, facts.tier_id, facts.tags, facts.segments)
        return None if why is None else _OF_AUDIENCE[why]

    return question


def _for_ordinal(ordinal: Ordinal) -> Question:
    def question(moment: Moment) -> Skip | None:
        number = moment.facts.ordinals.get(ordinal.period, 0)
        if ordinal.repeats:
            is_met = number > 0 and number % ordinal.number == 0
        else:
            is_met = number >= ordinal.number if ordinal.onwards else number == ordinal.number
        return None if is_met else Skip.ORDINAL

    return question


def _for_new_members(days: int) -> Question:
    def question(moment: Moment) -> Skip | None:
        joined = moment.facts.enrolled_on
        # What was bought before joining, and told late, was not bought by a new member.
        is_new = joined is not None and 0 <= (moment.local.date() - joined).days <= days
        return None if is_new else Skip.NEW_MEMBER

    return question


def _for_anniversary(anniversary: Anniversary) -> Question:
    def question(moment: Moment) -> Skip | None:
        return None if _celebrates(anniversary, moment.facts, moment.local.date()) else Skip.ANNIVERSARY

    return question


def _celebrates(anniversary: Anniversary, facts: Facts, day: date) -> bool:
    if anniversary is Anniversary.ENROLLMENT:
        joined = facts.enrolled_on
        return joined is not None and joined.year < day.year and schedules.falls_on(joined, day)
    birthday = facts.birthday
    if birthday is None:
        return False
    if anniversary is Anniversary.BIRTHDAY_MONTH:
        return birthday.month == day.month
    if anniversary is Anniversary.BIRTHDAY:
        return schedules.falls_on(birthday, day)
    return any(schedules.falls_on(birthday, other) for other in schedules.week_of(day))
