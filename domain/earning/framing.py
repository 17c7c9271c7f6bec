"""What a rule needs in its campaign to give at all: somebody whom both are for, and room in the budget."""

from domain.checks import TEXT_MAX
from domain.earning.effects import contradiction, gives_all_or_nothing
from domain.earning.rules import Campaign, EarningRule, Trigger


def check_in_campaign(rule: EarningRule, campaign: Campaign) -> None:
    """Refuses `RuleInvalid` for a rule to which its campaign leaves no member, or no room."""
    _check_tiers(rule, campaign)
    _check_tags(rule, campaign)
    _check_budget(rule, campaign)


def _check_tiers(rule: EarningRule, campaign: Campaign) -> None:
    theirs, own = campaign.audience.tiers, rule.when.audience.tiers
    if theirs and own and not set(theirs) & set(own):
        why = f"none of its tiers is one of its campaign {campaign.code!r}, so it can never match."
        raise contradiction(rule, "conditions.audience.tierIds", why)
    if rule.trigger is Trigger.ENROLLMENT and theirs:
        why = f"who is joining has no tier yet, and its campaign {campaign.code!r} is for tiers, so it can never match."
        raise contradiction(rule, "campaign", why)


def _check_tags(rule: EarningRule, campaign: Campaign) -> None:
    """Where each may ask for one of several tags, one that is not kept out is enough."""
    for field, asked, kept_out, who in (
        ("withoutTags", campaign.audience.tags, rule.when.audience.without_tags, "asks for"),
        ("tags", rule.when.audience.tags, campaign.audience.without_tags, "keeps out"),
    ):
        if asked and set(asked) <= set(kept_out):
            which = repr(min(asked)[:TEXT_MAX])
            why = f"its campaign {campaign.code!r} {who} the tag {which}, so it can never match."
            raise contradiction(rule, f"conditions.audience.{field}", why)


def _check_budget(rule: EarningRule, campaign: Campaign) -> None:
    if gives_all_or_nothing(rule) and campaign.budget is not None and rule.points > campaign.budget:
        why = (
            f"with REJECT it gives {rule.points} points or none, and the budget of its campaign {campaign.code!r} is"
            f" {campaign.budget}, so it can never give."
        )
        raise contradiction(rule, "campaign", why)
