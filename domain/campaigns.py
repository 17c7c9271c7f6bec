"""Editing rules and campaigns: every edit is a new version of the set, and what earned before keeps its own (L7)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, TypeVar

from domain import calendars, checks, schedules
from domain.earning import checking, framing, rule_sets
from domain.earning.checking import CampaignInvalid, Known
from domain.earning.effects import RuleInvalid
from domain.earning.rule_sets import EarningRules
from domain.earning.rules import Campaign, Conditions, EarningRule
from domain.kernel import FAMILY, Command, Decision, Event, NotFound, State, Want
from domain.programs import Program
from domain.segments import Segment
from domain.stores import Store
from domain.tiers.tier import Tier

Versioned = TypeVar("Versioned", bound=EarningRule | Campaign)

# A storefront shows a week or a month of what is coming.
CALENDAR_DAYS_MAX: Final = 92


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesEdited(Event):
    """Rules or campaigns changed: `version` is in force from now on."""

    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The program and its rules after an edit; `rule` and `campaign` are the codes of what was saved first."""

    program: Program
    rule_set: EarningRules
    rule: str | None = None
    campaign: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRules(Command[Edited]):
    """Save rules and campaigns by their codes, and remove others, all at once or not at all.

    `replaces` removes every rule that is not saved, `with_their_rules` those of the campaigns that are removed. What is
    the same already stays as it is, with its version; a campaign that changes is a change of its rules.
    Refuses `NotFound` for a code to remove, a campaign that rules still name, and whatever `checking` refuses.
    """

    rules: tuple[EarningRule, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    without_rules: tuple[str, ...] = ()
    without_campaigns: tuple[str, ...] = ()
    replaces: bool = False
    with_their_rules: bool = False

    def decide(self, state: State) -> Decision[Edited]:
        state.need(Want(Tier, state.program_id, FAMILY), Want(Segment, state.program_id, FAMILY))
        checking.check_all(self.rules, self.campaigns)
        program = state.change(Program, state.program_id)
        before = rule_sets.of_version(state, program.rule_version)
        known = known_to(state, program, (rule.when for rule in self.rules))
        framed = _checked(
            "campaigns", before.campaigns, self.campaigns, lambda each: checking.check_campaign(each, known)
        )
        campaigns = _saved(before.campaigns, framed, before.version + 1)
        campaigns = _without("Campaign", campaigns, self.without_campaigns)
        frames = {campaign.code: campaign for campaign in campaigns}
        told = _checked("rules", before.rules, self.rules, lambda each: checking.check_rule(each, frames, known))
        rules = _saved(self._kept(before), told, before.version + 1)
        rules = _without("EarningRule", rules, self.without_rules)
        if self.with_their_rules:
            rules = tuple(rule for rule in rules if rule.campaign not in self.without_campaigns)
        rules = _renewed(rules, before.campaigns, frames, before.version + 1)
        checking.check_all(rules, campaigns)
        _check_frames(rules, frames, self.campaigns, known)
        saved = {"rule": _first_code(self.rules), "campaign": _first_code(self.campaigns)}
        if (rules, campaigns) == (before.rules, before.campaigns):
            return Decision(Edited(program=program, rule_set=before, **saved))
        rule_set = rule_sets.next_version(state, before, rules, campaigns)
        program = replace(program, rule_version=rule_set.version)
        edited = RulesEdited(version=rule_set.version)
        return Decision(Edited(program=program, rule_set=rule_set, **saved), save=(program, rule_set), events=(edited,))

    def _kept(self, before: EarningRules) -> tuple[EarningRule, ...]:
        """The rules that stand beside those that are told."""
        codes = {rule.code.strip() for rule in self.rules}
        return tuple(rule for rule in before.rules if not self.replaces or rule.code in codes)


def known_to(state: State, program: Program, conditions: Iterable[Conditions]) -> Known:
    """What rules with these conditions may name."""
    stores = {store_id for when in conditions for store_id in (*when.stores, *when.without_stores)}
    state.need(*(Want(Store, store_id) for store_id in sorted(stores, key=lambda store_id: store_id.int)))
    return Known(
        time_zone=program.time_zone,
        today=calendars.local_date(state.now, program.time_zone),
        categories=program.categories,
        tiers={tier.id for tier in state.all(Tier, of=state.program_id)},
        pending=program.pending,
        expiry=program.expiry,
        stores={store_id for store_id in stores if state.find(Store, store_id) is not None},
        segments={segment.code for segment in state.all(Segment, of=state.program_id)},
    )


def _changed(before: Sequence[Versioned], told: Sequence[Versioned]) -> Iterator[Versioned]:
    """What is told otherwise than it stands: what stays need not be right for today, such as a holiday that is over."""
    known = {item.code: item for item in before}
    for item in told:
        same = known.get(item.code)
        if same is None or replace(item, version=same.version) != same:
            yield item


def _checked(
    name: str, before: Sequence[Versioned], told: Sequence[Versioned], check: Callable[[Versioned], Versioned]
) -> list[Versioned]:
    """What is told otherwise than it stands, looked at. A fault names its place in the list, from 0."""
    places = {item.code: str(place) for place, item in enumerate(told)}
    checked: list[Versioned] = []
    for item in _changed(before, told):
        with checks.below(name, places[item.code]):
            checked.append(check(item))
    return checked


def _saved(before: Sequence[Versioned], told: Iterable[Versioned], version: int) -> tuple[Versioned, ...]:
    """What stands with what is told in its place, or after it; what comes to the same keeps its version."""
    by_code = {item.code: item for item in before}
    by_code |= {item.code: replace(item, version=version) for item in _changed(before, tuple(told))}
    return tuple(by_code.values())


def _renewed(
    rules: Sequence[EarningRule], before: Sequence[Campaign], frames: Mapping[str, Campaign], version: int
) -> tuple[EarningRule, ...]:
    """The rules, those of campaigns that changed in this version: a rule's own version says all about it."""
    same = {campaign.code for campaign in before if frames.get(campaign.code) == campaign}
    return tuple(
        rule if rule.campaign is None or rule.campaign in same else replace(rule, version=version) for rule in rules
    )


def _first_code(items: Sequence[EarningRule] | Sequence[Campaign]) -> str | None:
    return items[0].code.strip() if items else None


def _without(kind: str, items: Sequence[Versioned], codes: Sequence[str]) -> tuple[Versioned, ...]:
    known = {item.code for item in items}
    for code in codes:
        if code not in known:
            raise NotFound(field=("code",), kind=kind, key=code[: checks.TEXT_MAX])
    return tuple(item for item in items if item.code not in codes)


def _check_frames(
    rules: Sequence[EarningRule], frames: Mapping[str, Campaign], changed: Sequence[Campaign], known: Known
) -> None:
    """A campaign that is changed must still leave a time, members and room to every rule in it; one that rules name
    must be there."""
    places = {campaign.code.strip(): str(place) for place, campaign in enumerate(changed)}
    for rule in rules:
        if rule.campaign is None:
            continue
        if rule.campaign not in frames:
            why = f"it cannot be removed while the rule {rule.code!r} is in it."
            raise CampaignInvalid(field=("code",), campaign=rule.campaign, why=why)
        if rule.campaign in places:
            try:
                checking.check_window(rule, frames, known)
                framing.check_in_campaign(rule, frames[rule.campaign])
            except RuleInvalid as refusal:
                # The rule was right before: it is the campaign that was told otherwise.
                refusal.field = ("campaigns", places[rule.campaign])
                raise


# What is coming.


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """A local date and the public campaigns that run on it, in the order of the rule set (S42)."""

    day: date
    campaigns: tuple[Campaign, ...]


def calendar(rule_set: EarningRules, zone_name: str, first: date, days: int) -> tuple[CalendarDay, ...]:
    """The public campaigns of each of so many days (1 to 92) from `first` on. Refuses `NumberInvalid`."""
    checks.number("days", days, minimum=1, maximum=CALENDAR_DAYS_MAX)
    checks.number("from.year", first.year, minimum=checking.YEAR_MIN, maximum=checking.YEAR_MAX)
    public = [campaign for campaign in rule_set.campaigns if campaign.is_public]
    return tuple(
        CalendarDay(day=day, campaigns=tuple(campaign for campaign in public if _runs_on(campaign, day, zone_name)))
        for day in (first + timedelta(days=number) for number in range(days))
    )


def _runs_on(campaign: Campaign, day: date, zone_name: str) -> bool:
    """Whether a campaign runs at any time of a local day."""
    window = schedules.Window(campaign.starts_at, campaign.ends_at, zone_name)
    return schedules.have_time_on((campaign.schedule,), day, window)
