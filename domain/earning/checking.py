"""What rules and campaigns must be to be saved: a bad one is refused with its field, its fault and what is right."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from domain import audiences, calendars, checks, policies, references, schedules
from domain.audiences import Audience
from domain.earning import effects, framing
from domain.earning.effects import CODE_MAX, RuleInvalid, contradiction
from domain.earning.rules import BY_THE_CLOCK, CAMPAIGNS_MAX, RULES_MAX, Campaign, Conditions, EarningRule
from domain.kernel import Refusal
from domain.policies import ExpiryPolicy, PendingPolicy
from domain.schedules import Schedule, Window

AnyItem = TypeVar("AnyItem")

PRIORITY_MAX: Final = 1000
BANDS_MAX: Final = 20
CAPS_MAX: Final = 10
ITEMS_MAX: Final = 200
# Validities lie within these years, where every calendar still has a day before and after.
YEAR_MIN: Final = 1900
YEAR_MAX: Final = 2999
# Whatever recurs in how long points last, such as ends of years, does so within these.
_YEAR_DAYS: Final = 366
_LISTS: Final = ("products", "without_products", "categories", "without_categories", "stores", "without_stores")


class CampaignInvalid(Refusal):
    """A campaign contradicts itself, or rules need it. Details: `campaign`, `why`."""

    code = "CAMPAIGN_INVALID"
    text = "The campaign {campaign!r}: {why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What rules may name: the program's own lists."""

    time_zone: str
    today: date
    categories: Collection[str] = ()
    tiers: Collection[UUID] = ()
    stores: Collection[UUID] = ()
    segments: Collection[str] = ()
    pending: PendingPolicy = policies.AT_ONCE
    expiry: ExpiryPolicy = policies.FOR_EVER


class Span(NamedTuple):
    """The local days, first and last (None for no end), on which a rule or campaign can be on, and the instants."""

    first: date
    last: date | None
    window: Window


def check_all(rules: Sequence[EarningRule], campaigns: Sequence[Campaign]) -> None:
    """What holds between rules: there are not too many, and every code is one rule's or one campaign's own."""
    checks.at_most("rules", rules, RULES_MAX)
    checks.at_most("campaigns", campaigns, CAMPAIGNS_MAX)
    why = "it is told twice; each needs a code of its own."
    for code in _twice(rules):
        raise RuleInvalid(field=("rules",), rule=code, why=why)
    for code in _twice(campaigns):
        raise CampaignInvalid(field=("campaigns",), campaign=code, why=why)


def _twice(items: Sequence[EarningRule] | Sequence[Campaign]) -> Iterator[str]:
    seen: set[str] = set()
    for item in items:
        code = item.code.strip()
        if code in seen:
            yield code[:CODE_MAX]
        seen.add(code)


def check_campaign(campaign: Campaign, known: Known) -> Campaign:
    """The campaign with its texts trimmed. Refuses a frame without a day, and unknown tiers and segments."""
    code = checks.text("code", campaign.code, length_max=CODE_MAX)

    def refused(field: str, why: str) -> CampaignInvalid:
        return CampaignInvalid(field=(field,), campaign=code, why=why)

    check_times(campaign.starts_at, campaign.ends_at, refused)
    if campaign.budget is not None:
        checks.points("budget", campaign.budget)
    span = _span(campaign.starts_at, campaign.ends_at, known)
    return replace(
        campaign,
        code=code,
        name=checks.text("name", campaign.name),
        description=checks.optional_text("description", campaign.description, length_max=1000),
        schedule=_checked_schedule("schedule", campaign.schedule, span),
        audience=checked_audience("audience", campaign.audience, known, refused),
    )


def check_rule(rule: EarningRule, campaigns: Mapping[str, Campaign], known: Known) -> EarningRule:
    """The rule with its texts trimmed. Refuses whatever could never match, give nothing, or names what is not there."""
    rule = replace(
        rule,
        code=checks.text("code", rule.code, length_max=CODE_MAX),
        name=checks.optional_text("name", rule.name),
        activity_type=checks.optional_text("activityType", rule.activity_type, length_max=CODE_MAX),
        exclusive_group=checks.optional_text("exclusiveGroup", rule.exclusive_group, length_max=CODE_MAX),
    )
    checks.at_most("bands", rule.bands, BANDS_MAX)
    checks.at_most("caps", rule.caps, CAPS_MAX)
    effects.check_code(rule)
    effects.check_trigger(rule)
    effects.check_effect(rule)
    effects.check_caps(rule)
    checks.number("priority", rule.priority, minimum=-PRIORITY_MAX, maximum=PRIORITY_MAX)
    effects.check_policies(rule)
    schedule = schedules.well_formed("conditions.schedule", rule.when.schedule)
    rule = replace(rule, when=replace(rule.when, schedule=schedule))
    span = check_window(rule, campaigns, known)
    _check_lasting(rule, span, known)
    rule = replace(rule, when=_checked_conditions(rule, span, known))
    if rule.campaign is not None:
        framing.check_in_campaign(rule, campaigns[rule.campaign])
    return rule


# When.


def check_window(rule: EarningRule, campaigns: Mapping[str, Campaign], known: Known) -> Span:
    """When a rule can match at all, by its validity and its campaign's; refuses never."""

    def refused(field: str, why: str) -> RuleInvalid:
        return contradiction(rule, field, why)

    check_times(rule.starts_at, rule.ends_at, refused)
    starts_at, ends_at = rule.starts_at, rule.ends_at
    campaign = None
    if rule.campaign is not None:
        campaign = campaigns.get(rule.campaign)
        if campaign is None:
            raise references.unknown("campaign", rule.campaign, campaigns, field="campaign")
        starts_at = max(campaign.starts_at, starts_at or campaign.starts_at)
        ends_at = min(campaign.ends_at, ends_at or campaign.ends_at)
        if starts_at >= ends_at:
            why = f"its validity and that of its campaign {campaign.code!r} do not overlap, so it can never match."
            raise refused("campaign", why)
    span = _span(starts_at, ends_at, known)
    if campaign is not None:
        if not schedules.have_time((rule.when.schedule, campaign.schedule), *span):
            why = f"its schedule and that of its campaign {campaign.code!r} have no time in common."
            raise refused("conditions.schedule", why)
        if rule.trigger in BY_THE_CLOCK and schedules.has_hours(campaign.schedule):
            why = f"{rule.trigger} is given once a day, at no hour, and its campaign {campaign.code!r} has hours."
            raise refused("campaign", why)
    return span


def check_times(starts_at: datetime | None, ends_at: datetime | None, refused: Callable[[str, str], Refusal]) -> None:
    """Refuses times without a zone or far from today, and an end that is not after the start."""
    for field, at in (("startsAt", starts_at), ("endsAt", ends_at)):
        if at is not None and (at.tzinfo is None or not YEAR_MIN <= at.year <= YEAR_MAX):
            raise refused(field, f"a time has a time zone and a year from {YEAR_MIN} to {YEAR_MAX}.")
    if starts_at is not None and ends_at is not None and starts_at >= ends_at:
        raise refused("endsAt", "it must end after it starts.")


def _span(starts_at: datetime | None, ends_at: datetime | None, known: Known) -> Span:
    """The local days of a validity. What has no start and ends by today may long have been: staff ends a rule so."""
    window = Window(starts_at, ends_at, known.time_zone)
    last = None if ends_at is None else _last_day(ends_at, known)
    if starts_at is not None:
        return Span(calendars.local_date(starts_at, known.time_zone), last, window)
    return Span(known.today if last is None or last > known.today else date(YEAR_MIN, 1, 1), last, window)


def _last_day(ends_at: datetime, known: Known) -> date:
    """The last local date that has an instant before a half-open end."""
    day = calendars.local_date(ends_at, known.time_zone)
    return calendars.before(day) if calendars.start_of(day, known.time_zone) == ends_at else day


def _checked_schedule(name: str, schedule: Schedule, span: Span) -> Schedule:
    """The schedule, well formed. Refuses one that has no day of the span, or no hour on any of them."""
    checked = schedules.check(name, schedule, span.first, span.last)
    schedules.check_time(name, checked, *span)
    return checked


# For how long.


def _check_lasting(rule: EarningRule, span: Span, known: Known) -> None:
    """Refuses policies by which what the rule gives from now on expires before it can be spent."""
    if rule.pending is None and rule.expiry is None:
        return
    pending, expiry = rule.pending or known.pending, rule.expiry or known.expiry
    # A rule that has ended is kept as it was.
    first = span.first if span.last is not None and span.last <= known.today else max(span.first, known.today)
    last = first + timedelta(days=_YEAR_DAYS)
    last = last if span.last is None else min(last, span.last)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    if not policies.can_be_spent(pending, expiry, days, known.time_zone):
        why = f"points that it gives from {first} on would expire before they can be spent, so it can never give any."
        raise contradiction(rule, "expiry" if rule.expiry is not None else "pending", why)


# To whom, where and of what.


def _checked_conditions(rule: EarningRule, span: Span, known: Known) -> Conditions:
    def refused(field: str, why: str) -> RuleInvalid:
        return contradiction(rule, field, why)

    when = rule.when
    effects.check_conditions(rule)
    for name in _LISTS:
        checks.at_most(f"conditions.{_input_name(name)}", getattr(when, name), ITEMS_MAX)
    _check_known(when, known)
    for name in ("products", "categories", "stores"):
        field = f"conditions.{_input_name(name)}"
        _refuse_both(field, getattr(when, name), getattr(when, f"without_{name}"), refused)
    return replace(
        when,
        products=checks.texts("conditions.products", when.products),
        without_products=checks.texts("conditions.withoutProducts", when.without_products),
        # What is told twice would be published twice.
        categories=_each_once(when.categories),
        without_categories=_each_once(when.without_categories),
        stores=_each_once(when.stores),
        without_stores=_each_once(when.without_stores),
        channels=_each_once(when.channels),
        audience=checked_audience("conditions.audience", when.audience, known, refused),
        schedule=_checked_schedule("conditions.schedule", when.schedule, span),
    )


def _each_once(items: Sequence[AnyItem]) -> tuple[AnyItem, ...]:
    return tuple(dict.fromkeys(items))


def _refuse_both(
    field: str, included: Iterable[object], excluded: Iterable[object], refused: Callable[[str, str], Refusal]
) -> None:
    both = {str(each) for each in included} & {str(each) for each in excluded}
    if both:
        which = "the same store" if field.endswith("Ids") else repr(min(both)[: checks.TEXT_MAX])
        raise refused(field, f"{which} is both included and excluded.")


def _check_known(when: Conditions, known: Known) -> None:
    for name in ("categories", "without_categories"):
        for category in getattr(when, name):
            if category not in known.categories:
                raise references.unknown(
                    "category", category, known.categories, field=f"conditions.{_input_name(name)}"
                )
    for name in ("stores", "without_stores"):
        for store_id in getattr(when, name):
            if store_id not in known.stores:
                raise references.unknown("store", str(store_id), (), field=f"conditions.{_input_name(name)}")


def checked_audience(name: str, audience: Audience, known: Known, refused: Callable[[str, str], Refusal]) -> Audience:
    """The audience with its texts trimmed. Refuses tiers and segments that are not there, and contradictions."""
    checked = audiences.check(name, audience)
    references.require_known(checked, known.tiers, known.segments, field=name)
    _refuse_both(f"{name}.tags", checked.tags, checked.without_tags, refused)
    return checked


def _input_name(name: str) -> str:
    """What the input calls a list of ours; ids are called ids there."""
    first, *rest = name.replace("stores", "store_ids").split("_")
    return first + "".join(part.capitalize() for part in rest)
