"""Campaigns in the API, the calendar of what is coming, and the editing of rules."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Final, Self

import strawberry

from api import access, inputs, payloads, scalars, shapes, terms
from api.context import Context, Info
from api.earning import Audience, AudienceInput, EarningRule, EarningRuleInput, audience_of
from api.errors import ApiError, ErrorCode
from api.schedules import Schedule, ScheduleInput
from api.terms import Terms
from domain import calendars, campaigns, checks
from domain.access import Scope
from domain.earning import rules
from domain.earning.effects import contradiction
from domain.kernel import Refusal
from domain.schedules import ALWAYS
from domain.terms import campaigns as campaign_terms

_STAFF: Final = access.staff(Scope.PROGRAM_READ)
_WRITES: Final = access.staff(Scope.PROGRAM_WRITE)


async def _terms(parent: strawberry.Parent[rules.Campaign], info: Info) -> Any:
    rule_set = await info.context.loaders.rule_set(parent.version)
    return campaign_terms.of_campaign(parent, await terms.naming(info.context, rule_set))


async def _rules(parent: strawberry.Parent[rules.Campaign], info: Info) -> Any:
    rule_set = await info.context.loaders.rule_set((await info.context.loaders.program()).rule_version)
    found = [rule for rule in rule_set.rules if rule.campaign == parent.code]
    info.context.take_nodes(len(found))
    return found


async def _spent(parent: strawberry.Parent[rules.Campaign], info: Info) -> Any:
    return None if parent.budget is None else (await info.context.loaders.budgets()).get(parent.code, 0)


@shapes.shape()
class Campaign:
    """A dated frame that switches rules on, on the days and hours of its schedule, for its audience."""

    code: str
    name: str
    description: str | None
    starts_at: datetime
    ends_at: datetime = strawberry.field(description="The first instant at which it is over.")
    schedule: Schedule
    audience: Audience = access.guarded(_STAFF, "audience")
    budget: scalars.Points | None = access.guarded(_STAFF, "budget", description="What its rules give in all.")
    points_given: scalars.Points | None = access.resolved_by(
        _STAFF, _spent, description="Of the budget, what was taken back by refunds taken off; null without a budget."
    )
    is_public: bool
    version: int = strawberry.field(description="The version of the rules in which it was last changed.")
    rules: list[EarningRule] = strawberry.field(resolver=_rules, description="The rules that it switches on.")
    terms: Terms = strawberry.field(resolver=_terms)


@shapes.shape()
class CalendarDay:
    """A local day, and the public campaigns that run on it."""

    day: date
    campaigns: list[Campaign]


@shapes.shape()
class CampaignQueries:
    """What can be asked about campaigns."""

    @access.field(_STAFF)
    async def campaigns(self, info: Info) -> list[Campaign]:
        """Every campaign, past ones too until they are removed; at most 200."""
        program = await info.context.loaders.program()
        rule_set = await info.context.loaders.rule_set(program.rule_version)
        info.context.take_nodes(len(rule_set.campaigns))
        return [shapes.shown(campaign) for campaign in rule_set.campaigns]

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def calendar(
        self, info: Info, from_: Annotated[date | None, strawberry.argument(name="from")] = None, days: int = 7
    ) -> list[CalendarDay]:
        """Which public campaigns run on each of so many days (1 to 92) from a local day on, today unless told."""
        program = await info.context.loaders.program()
        rule_set = await info.context.loaders.rule_set(program.rule_version)
        today = calendars.local_date(info.context.now, program.time_zone)
        try:
            shown = campaigns.calendar(rule_set, program.time_zone, from_ or today, days)
        except Refusal as refusal:
            raise ApiError(refusal.message, ErrorCode.BAD_USER_INPUT) from None
        info.context.take_nodes(sum(1 + len(day.campaigns) for day in shown))
        return [shapes.shown(day) for day in shown]


# Editing.


@shapes.given()
class CampaignInput:
    """A campaign, named by its code: from `startsAt` to `endsAt`, on the days and hours of its schedule."""

    code: str
    name: str
    starts_at: datetime
    ends_at: datetime
    description: str | None = None
    schedule: ScheduleInput | None = None
    audience: AudienceInput | None = None
    budget: scalars.Points | None = None
    is_public: bool = True

    def campaign(self) -> rules.Campaign:
        """The campaign for the domain. Refuses ids that are none of tiers."""
        return rules.Campaign(
            code=self.code,
            name=self.name,
            description=self.description,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            schedule=ALWAYS if self.schedule is None else self.schedule.schedule(),
            audience=audience_of(self.audience, "audience"),
            budget=self.budget,
            is_public=self.is_public,
        )


def _rules_of(context: Context, given: Sequence[EarningRuleInput]) -> tuple[rules.EarningRule, ...]:
    """The rules for the domain; a fault names its place in the list, as the domain's own do."""
    return checks.each("rules", given, lambda rule: rule.rule(context))


@shapes.given()
class EarningRuleSaveInput(inputs.RepeatableInput):
    """A rule to save: in place of the one with its code, or as a new one. It holds from now on."""

    PATHS: ClassVar[payloads.Paths] = {("rules", "0"): "rule"}

    rule: EarningRuleInput

    def command(self, context: Context) -> campaigns.EditRules:
        """The command for the domain. Refuses malformed ids and another currency than the program's."""
        return campaigns.EditRules(rules=_rules_of(context, [self.rule]))


@shapes.given()
class EarningRuleRemoveInput(inputs.RepeatableInput):
    """A rule that is to give nothing from now on. What it gave stays explained by its version."""

    code: str

    def command(self, _: Context) -> campaigns.EditRules:
        """The command for the domain."""
        return campaigns.EditRules(without_rules=(self.code,))


@shapes.given()
class EarningRulesReplaceInput(inputs.RepeatableInput):
    """All the rules that the program is to have from now on."""

    rules: list[EarningRuleInput] = inputs.bounded(rules.RULES_MAX)

    def command(self, context: Context) -> campaigns.EditRules:
        """The command for the domain."""
        return campaigns.EditRules(rules=_rules_of(context, self.rules), replaces=True)


@shapes.given()
class CampaignSaveInput(inputs.RepeatableInput):
    """A campaign to save, and rules to save with it, all at once or not at all.

    The rules need not name the campaign, and can name no other.
    """

    PATHS: ClassVar[payloads.Paths] = {("campaigns", "0"): "campaign"}

    campaign: CampaignInput
    rules: list[EarningRuleInput] | None = inputs.bounded(rules.RULES_MAX, default=None)

    def command(self, context: Context) -> campaigns.EditRules:
        """The command for the domain. Refuses malformed ids, another currency, and rules of another campaign."""
        with checks.below("campaign"):
            campaign = self.campaign.campaign()
        code = self.campaign.code.strip()
        told = checks.each("rules", self.rules or (), lambda rule: _named(rule.rule(context), code))
        return campaigns.EditRules(campaigns=(campaign,), rules=told)


def _named(rule: rules.EarningRule, code: str) -> rules.EarningRule:
    """A rule that is saved with a campaign, as one of it. Refuses `RuleInvalid` if it names another."""
    if rule.campaign and rule.campaign.strip() != code:
        told = rule.campaign[: checks.TEXT_MAX]
        why = f"it names the campaign {told!r} and is saved with {code!r}; leave it out, or save the rule by itself."
        raise contradiction(rule, "campaign", why)
    return replace(rule, campaign=code)


@shapes.given()
class CampaignRemoveInput(inputs.RepeatableInput):
    """A campaign to remove. While rules are in it that is refused, unless they are to be removed with it."""

    code: str
    removes_rules: bool = False

    def command(self, _: Context) -> campaigns.EditRules:
        """The command for the domain."""
        return campaigns.EditRules(without_campaigns=(self.code,), with_their_rules=self.removes_rules)


@shapes.shape()
class _RulesPayload(payloads.KeyedPayload):
    rule_version: int | None = strawberry.field(default=None, description="The version in force from now on.")

    @classmethod
    def of(cls, edited: campaigns.Edited) -> Self:
        """The payload of an edit."""
        return cls(rule_version=edited.rule_set.version)


@shapes.shape()
class EarningRuleSavePayload(_RulesPayload):
    """The rule as it is now."""

    rule: EarningRule | None = None

    @classmethod
    def of(cls, edited: campaigns.Edited) -> Self:
        """The payload of an edit."""
        rule = next((rule for rule in edited.rule_set.rules if rule.code == edited.rule), None)
        return cls(rule_version=edited.rule_set.version, rule=shapes.shown(rule))


@shapes.shape()
class EarningRuleRemovePayload(_RulesPayload):
    """The rules without it."""


@shapes.shape()
class EarningRulesReplacePayload(_RulesPayload):
    """The rules as they are now."""

    rules: list[EarningRule] | None = None

    @classmethod
    def of(cls, edited: campaigns.Edited) -> Self:
        """The payload of an edit."""
        return cls(rule_version=edited.rule_set.version, rules=[shapes.shown(rule) for rule in edited.rule_set.rules])


@shapes.shape()
class CampaignSavePayload(_RulesPayload):
    """The campaign as it is now, with its rules."""

    campaign: Campaign | None = None

    @classmethod
    def of(cls, edited: campaigns.Edited) -> Self:
        """The payload of an edit."""
        frame = next((frame for frame in edited.rule_set.campaigns if frame.code == edited.campaign), None)
        return cls(rule_version=edited.rule_set.version, campaign=shapes.shown(frame))


@shapes.shape()
class CampaignRemovePayload(_RulesPayload):
    """The rules without it and its own."""


@shapes.shape()
class CampaignMutations:
    """What can be done with campaigns and rules."""

    @access.field(_WRITES)
    async def earning_rule_save(self, info: Info, input: EarningRuleSaveInput) -> EarningRuleSavePayload:  # noqa: A002
        """Save a rule. Refuses one that could never match or give, contradicts itself, or names what is not there."""
        return await payloads.run(info, input, EarningRuleSavePayload)

    @access.field(_WRITES)
    async def earning_rule_remove(
        self,
        info: Info,
        input: EarningRuleRemoveInput,  # noqa: A002
    ) -> EarningRuleRemovePayload:
        """Remove a rule; what it gave stays."""
        return await payloads.run(info, input, EarningRuleRemovePayload)

    @access.field(_WRITES)
    async def earning_rules_replace(
        self,
        info: Info,
        input: EarningRulesReplaceInput,  # noqa: A002
    ) -> EarningRulesReplacePayload:
        """Put other rules in place of all that there are. Refuses like `earningRuleSave`, for any of them."""
        return await payloads.run(info, input, EarningRulesReplacePayload)

    @access.field(_WRITES)
    async def campaign_save(self, info: Info, input: CampaignSaveInput) -> CampaignSavePayload:  # noqa: A002
        """Save a campaign, and rules with it. Refuses a frame in which a rule could never match or give."""
        return await payloads.run(info, input, CampaignSavePayload)

    @access.field(_WRITES)
    async def campaign_remove(self, info: Info, input: CampaignRemoveInput) -> CampaignRemovePayload:  # noqa: A002
        """Remove a campaign."""
        return await payloads.run(info, input, CampaignRemovePayload)
