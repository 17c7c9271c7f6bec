"""What rules and campaigns must be to be saved: a bad one is refused with its field, its fault and what is right."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, TypeVar
from uuid import UUID

from domain import audiences, calendars, checks, references, schedules
from domain.audiences import Audience
from domain.earning import effects
from domain.earning.effects import BY_THE_CLOCK, CODE_MAX, RuleInvalid, contradiction
from domain.earning.rules import CAMPAIGNS_MAX, RULES_MAX, Campaign, Conditions, EarningRule
from domain.kernel import Refusal

AnyItem = TypeVar("AnyItem")

PRIORITY_MAX: Final = 1000
BANDS_MAX: Final = 20
CAPS_MAX: Final = 10
ITEMS_MAX: Final = 200
# Validities lie within these years, where every calendar still has a day before and after.
YEAR_MIN: Final = 1900
YEAR_MAX: Final = 2999
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
    first = calendars.local_date(campaign.starts_at, known.time_zone)
    return replace(
        campaign,
        code=code,
        name=checks.text("name", campaign.name),
        description=checks.optional_text("description", campaign.description, length_max=1000),
        schedule=schedules.check("schedule", campaign.schedule, first, _last_day(campaign.ends_at, known)),
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
    window = check_window(rule, campaigns, known)
    return replace(rule, when=_checked_conditions(rule, window, known))


# When.


def check_window(rule: EarningRule, campaigns: Mapping[str, Campaign], known: Known) -> tuple[date, date | None]:
    """The local days on which a rule can match at all, by its validity and its campaign's; refuses none."""

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
    first, last = _days(starts_at, ends_at, known)
    if campaign is not None:
        frames = (rule.when.schedule, campaign.schedule)
        window = schedules.Window(starts_at, ends_at, known.time_zone)
        if not schedules.have_time(frames, first, last, window):
            why = f"its schedule and that of its campaign {campaign.code!r} have no time in common."
            raise refused("conditions.schedule", why)
        if rule.trigger in BY_THE_CLOCK and schedules.has_hours(campaign.schedule):
            why = f"{rule.trigger} is given once a day, at no hour, and its campaign {campaign.code!r} has hours."
            raise refused("campaign", why)
    return first, last


def check_times(starts_at: datetime | None, ends_at: datetime | None, refused: Callable[[str, str], Refusal]) -> None:
    """Refuses times without a zone or far from today, and an end that is not after the start."""
    for field, at in (("startsAt", starts_at), ("endsAt", ends_at)):
        if at is not None and (at.tzinfo is None or not YEAR_MIN <= at.year <= YEAR_MAX):
            raise refused(field, f"a time has a time zone and a year from {YEAR_MIN} to {YEAR_MAX}.")
    if starts_at is not None and ends_at is not None and starts_at >= ends_at:
        raise refused("endsAt", "it must end after it starts.")


def _days(starts_at: datetime | None, ends_at: datetime | None, known: Known) -> tuple[date, date | None]:
    """The local days of a validity. What has no start may have ended long ago: staff ends a rule so."""
    last = None if ends_at is None else _last_day(ends_at, known)
    if starts_at is not None:
        return calendars.local_date(starts_at, known.time_zone), last
    return (known.today if last is None or last >= known.today else date(YEAR_MIN, 1, 1)), last


def _last_day(ends_at: datetime, known: Known) -> date:
    """The last local date that has an instant before a half-open end."""
    day = calendars.local_date(ends_at, known.time_zone)
    return calendars.before(day) if calendars.start_of(day, known.time_zone) == ends_at else day


# To whom, where and of what.


def _checked_conditions(rule: EarningRule, window: tuple[date, date | None], known: Known) -> Conditions:
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
        schedule=schedules.check("conditions.schedule", when.schedule, *window),
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
