"""What a rule may give and for what: its trigger, kind, numbers, caps and policies must agree with each other."""

from typing import Final

from domain import checks, money, policies, schedules
from domain.earning.rules import (
    BY_THE_CLOCK,
    MULTIPLIER_BP_MAX,
    OF_PURCHASES,
    Anniversary,
    Cap,
    CapPolicy,
    EarningKind,
    EarningRule,
    Ordinal,
    Trigger,
)
from domain.kernel import Refusal
from domain.policies import ExpiryKind, PendingKind

CODE_MAX: Final = 50
POINTS_OF_RULE_MAX: Final = 10**9
ORDINAL_MAX: Final = 10_000
QUANTITY_MAX: Final = 1_000_000
_NOWHERE: Final = BY_THE_CLOCK | {
    Trigger.TIER_REACHED,
    Trigger.CHALLENGE,
    Trigger.QUIZ,
    Trigger.REFERRAL,
    Trigger.REFERRED,
    Trigger.SHARE,
}
# What settings give beside rules, as rules of their own, is called so: the ledger must not take one for the other.
GIFT_SUFFIX: Final = "-gift"
SIGN_UP_RULE: Final = "sign_up"
# The value that each kind alone has, what it is when it is not told, and what is right instead.
_GIVES_POINTS: Final = frozenset({EarningKind.PER_AMOUNT, EarningKind.BONUS_AT, EarningKind.FIXED})
# What gives the same points each time.
_ALL_AT_ONCE: Final = frozenset({EarningKind.BONUS_AT, EarningKind.FIXED})
_OWN_VALUES: Final = (
    ("points", "points", 0, _GIVES_POINTS),
    ("amount", "amount_minor", 0, frozenset({EarningKind.PER_AMOUNT, EarningKind.BONUS_AT})),
    ("multiplierBp", "multiplier_bp", money.BASIS, frozenset({EarningKind.MULTIPLIER})),
    ("bands", "bands", (), frozenset({EarningKind.TIERED})),
)


class RuleInvalid(Refusal):
    """A rule, or the list of rules, contradicts itself. Details: `rule`, `why`."""

    code = "RULE_INVALID"
    text = "The earning rule {rule!r}: {why}"


def contradiction(rule: EarningRule, field: str, why: str) -> RuleInvalid:
    """The refusal of a rule, naming the field at fault."""
    return RuleInvalid(field=(field,), rule=rule.code, why=why)


def gives_all_or_nothing(rule: EarningRule) -> bool:
    """Whether a bound below its points leaves nothing of a rule; with REDUCE it gives what there is."""
    return rule.cap_policy is CapPolicy.REJECT and rule.kind in _ALL_AT_ONCE


# What for.


def check_code(rule: EarningRule) -> None:
    """Refuses a code by which the ledger knows what settings give."""
    if rule.code == SIGN_UP_RULE:
        raise contradiction(rule, "code", f"{SIGN_UP_RULE} is the bonus that the program's signUpPoints give.")
    if rule.code.endswith(GIFT_SUFFIX):
        raise contradiction(rule, "code", f"codes that end with {GIFT_SUFFIX} are of what the program's settings give.")


def check_trigger(rule: EarningRule) -> None:
    """Refuses a kind, a type of activity or a place that the trigger cannot have, and a member day without a day."""
    trigger, when = rule.trigger, rule.when
    if trigger is Trigger.ACTIVITY and rule.activity_type is None:
        raise contradiction(rule, "activityType", "with the trigger ACTIVITY it must say which type of activity.")
    if trigger is not Trigger.ACTIVITY and rule.activity_type is not None:
        raise contradiction(rule, "activityType", f"only the trigger ACTIVITY has a type of activity, not {trigger}.")
    if trigger not in OF_PURCHASES and rule.kind is not EarningKind.FIXED:
        why = f"without a purchase only FIXED points can be given; with the trigger {trigger} it cannot be {rule.kind}."
        raise contradiction(rule, "kind", why)
    if trigger is Trigger.MEMBER_DAY and not schedules.has_days(when.schedule):
        raise contradiction(rule, "conditions.schedule", "a member day needs a schedule that says which days.")
    if trigger in BY_THE_CLOCK and schedules.has_hours(when.schedule):
        raise contradiction(rule, "conditions.schedule", f"{trigger} is given once a day and cannot have hours.")
    if trigger in _NOWHERE and (when.stores or when.without_stores or when.channels):
        raise contradiction(rule, "conditions", f"{trigger} happens in no store and through no channel.")
    if trigger is Trigger.ENROLLMENT and (when.audience.tiers or when.anniversary is Anniversary.ENROLLMENT):
        why = "who is joining has no tier and no anniversary yet, so it can never match."
        raise contradiction(rule, "conditions", why)


def check_conditions(rule: EarningRule) -> None:
    """Refuses numbers out of bounds, and what only a purchase has where there is none."""
    when = rule.when
    if rule.trigger not in OF_PURCHASES and _asks_of_purchase(rule):
        raise contradiction(rule, "conditions", "only a purchase has amounts, products, quantities and a number.")
    if when.quantity_min is not None:
        checks.number("conditions.quantityMin", when.quantity_min, minimum=1, maximum=QUANTITY_MAX)
    if when.new_for_days is not None:
        checks.number("conditions.newForDays", when.new_for_days, minimum=0, maximum=3650)
    if when.ordinal is not None:
        _check_ordinal(rule, when.ordinal)


def _check_ordinal(rule: EarningRule, ordinal: Ordinal) -> None:
    checks.number("conditions.ordinal.number", ordinal.number, minimum=1, maximum=ORDINAL_MAX)
    if ordinal.repeats and ordinal.onwards:
        why = "it repeats (every n-th purchase) or goes on (all from the n-th on), not both."
        raise contradiction(rule, "conditions.ordinal", why)
    if rule.trigger is Trigger.FIRST_PURCHASE:
        raise contradiction(rule, "conditions.ordinal", "a first purchase is the first; a number is for PURCHASE.")


def _asks_of_purchase(rule: EarningRule) -> bool:
    when = rule.when
    asked = (when.maximum_minor, when.quantity_min, when.ordinal, rule.minimum_minor or None)
    return any(each is not None for each in asked) or bool(
        when.products or when.without_products or when.categories or when.without_categories or rule.includes_freight
    )


# What.


def check_effect(rule: EarningRule) -> None:
    """Refuses numbers out of bounds, those that another kind has, and what gives nothing."""
    _refuse_strange_values(rule)
    if rule.kind in _GIVES_POINTS:
        checks.points("points", rule.points, maximum=POINTS_OF_RULE_MAX)
    if rule.kind in (EarningKind.PER_AMOUNT, EarningKind.BONUS_AT):
        checks.amount("amount", rule.amount_minor, minimum=1)
    if rule.kind is EarningKind.MULTIPLIER:
        # A factor of 1 does nothing, and one below would take away what another rule has promised.
        checks.number("multiplierBp", rule.multiplier_bp, minimum=money.BASIS + 1, maximum=MULTIPLIER_BP_MAX)
    if rule.kind is EarningKind.TIERED:
        _check_bands(rule)
    checks.amount("minimum", rule.minimum_minor)
    if rule.when.maximum_minor is not None:
        _check_maximum(rule, rule.when.maximum_minor)


def _check_maximum(rule: EarningRule, maximum_minor: int) -> None:
    checks.amount("conditions.maximum", maximum_minor, minimum=1)
    if maximum_minor < _least(rule):
        why = "no amount is at least what the rule needs and at most this, so it can never give."
        raise contradiction(rule, "conditions.maximum", why)


def _refuse_strange_values(rule: EarningRule) -> None:
    """What another kind would look at was meant for something: FIXED with an amount would give on every purchase."""
    for field, attribute, untold, kinds in _OWN_VALUES:
        if rule.kind not in kinds and getattr(rule, attribute) != untold:
            why = f"its kind {rule.kind} does not look at {field}, which is for {', '.join(sorted(kinds))}."
            raise contradiction(rule, field, why)


def _least(rule: EarningRule) -> int:
    """The smallest amount on which a rule can give."""
    least = rule.minimum_minor
    if rule.kind is EarningKind.BONUS_AT:
        least = max(least, rule.amount_minor)
    if rule.kind is EarningKind.TIERED:
        least = max(least, min(band.from_minor for band in rule.bands if band.points))
    return least


def _check_bands(rule: EarningRule) -> None:
    starts = [band.from_minor for band in rule.bands]
    if not rule.bands or starts != sorted(set(starts)):
        raise contradiction(rule, "bands", "TIERED needs bands, each beginning above the one before.")
    for band in rule.bands:
        checks.amount("bands.from", band.from_minor)
        checks.points("bands.points", band.points, minimum=0, maximum=POINTS_OF_RULE_MAX)
        checks.amount("bands.amount", band.amount_minor, minimum=1)
    if not any(band.points for band in rule.bands):
        raise contradiction(rule, "bands", "none of its bands gives any points.")


# How much at most, and for how long.


def check_caps(rule: EarningRule) -> None:
    """Refuses two caps of one period, numbers out of bounds, and a cap within which the rule can never give."""
    if len({cap.period for cap in rule.caps}) != len(rule.caps):
        raise contradiction(rule, "caps", "two caps are for the same period; one cap may bound both points and times.")
    for cap in rule.caps:
        _check_cap(rule, cap)


def _check_cap(rule: EarningRule, cap: Cap) -> None:
    if cap.points is None and cap.times is None:
        raise contradiction(rule, "caps", "a cap bounds points or times.")
    if cap.points is not None:
        checks.points("caps.points", cap.points)
        if gives_all_or_nothing(rule) and cap.points < rule.points:
            why = f"with REJECT it gives {rule.points} points or none, and a cap is {cap.points}, so it can never give."
            raise contradiction(rule, "caps.points", why)
    if cap.times is not None:
        checks.number("caps.times", cap.times, minimum=1, maximum=ORDINAL_MAX)


def check_policies(rule: EarningRule) -> None:
    """Refuses policies that lack a number, and those that cannot be one rule's own."""
    if rule.pending is not None:
        policies.check_pending(rule.pending)
        if rule.pending.kind is PendingKind.ON_EVENT and rule.trigger not in OF_PURCHASES:
            raise contradiction(rule, "pending", "only the points of a purchase can wait until an order is received.")
    if rule.expiry is not None:
        policies.check_expiry(rule.expiry)
        if rule.expiry.kind is ExpiryKind.INACTIVITY:
            why = "a member is inactive as a whole: expiry by inactivity is a setting of the program, not of a rule."
            raise contradiction(rule, "expiry", why)
