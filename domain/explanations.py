"""Why something earned what it did: its rules, facts and version, evaluated again the same way (S64)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.earning import evaluation, rule_sets
from domain.earning.evaluation import Skipped
from domain.earning.facts import Earned, Facts, Occasion
from domain.earning.rule_sets import EarningRules
from domain.earning.rules import EarningKind, EarningRule, Trigger
from domain.kernel import Refusal

# Beyond a year nobody knows the rules, nor when the member will have bought what.
PREVIEW_DAYS_MAX: Final = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A rule that gave, or would have if no cap or budget had been used up: `points` of the `requested` (L13)."""

    rule: EarningRule
    points: int
    requested: int
    limited_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What the rules of a version made of an occasion: which applied, which did not and why, by which inputs."""

    rule_version: int
    occasion: Occasion
    facts: Facts
    applied: tuple[Applied, ...]
    skipped: tuple[Skipped, ...]


def explain(rule_set: EarningRules, occasion: Occasion, facts: Facts, earned: Sequence[Earned]) -> Explanation:
    """What was earned then, explained by the rules as they were then."""
    rules = rule_sets.ready(rule_set)
    evaluated = evaluation.evaluate(rules, occasion, facts)
    return Explanation(
        rule_version=rule_set.version,
        occasion=occasion,
        facts=facts,
        applied=tuple(_applied(earned, rules.rules, occasion.trigger)),
        skipped=evaluated.skipped,
    )


def _applied(earned: Sequence[Earned], rules: Mapping[str, EarningRule], trigger: Trigger) -> Iterable[Applied]:
    for item in earned:
        # A tier's gift and the sign-up bonus are rules of settings, and stand in no version.
        rule = rules.get(item.rule) or EarningRule(
            code=item.rule, kind=EarningKind.FIXED, points=item.requested, trigger=trigger
        )
        yield Applied(rule=rule, points=item.points, requested=item.requested, limited_by=item.limited_by)


class PreviewTooFar(Refusal):
    """A preview is asked for a time more than a year ahead. Details: `days_max`."""

    code = "PREVIEW_TOO_FAR"
    text = "What is coming can be computed for at most {days_max} days from now."


def check_preview_time(at: datetime | None, now: datetime) -> None:
    """Refuses `PreviewTooFar`."""
    if at is not None and at > now + timedelta(days=PREVIEW_DAYS_MAX):
        raise PreviewTooFar(field=("at",), days_max=PREVIEW_DAYS_MAX)
