"""A program: the loyalty scheme of one shop or chain, and the tenant everything else belongs to."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID
from zoneinfo import ZoneInfoNotFoundError

from domain import calendars, checks, policies
from domain.challenges import challenge_sets
from domain.challenges.challenge_sets import ChallengeSet
from domain.earning import checking, rule_sets
from domain.earning.checking import Known
from domain.earning.rule_sets import EarningRules
from domain.earning.rules import ONE_POINT_A_UNIT, EarningRule
from domain.kernel import Command, Decision, Event, Refusal, Row, State, Want
from domain.policies import ExpiryPolicy, PendingPolicy, TierPolicy

CATEGORIES_MAX: Final = 500
HOLD_MINUTES_MAX: Final = 60 * 24 * 30
# 50,000 yuan.
PRIZE_VALUE_MAX_MINOR: Final = 5_000_000
_CURRENCY = re.compile(r"[A-Z]{3}")


class ShortfallPolicy(StrEnum):
    """What happens to points that a refund takes back and the member no longer has (L8)."""

    DEBT = "DEBT"  # the member owes them; the next points earned pay first
    CLAMP = "CLAMP"  # the loss is written off
    DEDUCT_FROM_REFUND = "DEDUCT_FROM_REFUND"  # their money value is kept back from the refund


class ReturnPolicy(StrEnum):
    """What happens to points that come back to a lot which has expired meanwhile (L4)."""

    REPLACE = "REPLACE"  # a replacement lot, valid for `replacement_days`
    FORFEIT = "FORFEIT"  # they are lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Program(Row):
    """The settings of a program. The currency and the id never change."""

    is_configuration: ClassVar[bool] = True

    name: str
    currency_code: str
    time_zone: str
    # The version of the rules that whatever happens now earns under (`EarningRules` keeps every one).
    rule_version: int
    sign_up_points: int = 0
    pending: PendingPolicy = policies.AT_ONCE
    expiry: ExpiryPolicy = policies.FOR_EVER
    shortfall_policy: ShortfallPolicy = ShortfallPolicy.DEBT
    return_policy: ReturnPolicy = ReturnPolicy.REPLACE
    replacement_days: int = 7
    hold_minutes: int = 15
    # What one point is worth, in basis points of a minor unit: 100 points = 10 yuan is 10 fen, 100,000 bp.
    point_value_bp: int = 100_000
    tier_policy: TierPolicy = policies.TIERS_FOR_LIFE
    # What an item that is won in a lottery may be worth at most, in minor units (D5).
    prize_value_max_minor: int = PRIZE_VALUE_MAX_MINOR
    # Counts the changes of tiers and of their policy, after each of which every member is looked at again.
    ladder_version: int = 1
    # The version of the challenges and badges in force (`ChallengeSet` keeps every one); 0 while there are none.
    challenge_version: int = 0
    # The categories that rules may name, so that no rule waits for a word that no purchase will have.
    categories: tuple[str, ...] = ()
    created_at: datetime

    def companions(self) -> tuple[Want, ...]:
        """The rules in force, and the challenges."""
        rules = Want(EarningRules, self.rule_version, "version")
        version = self.challenge_version
        return (rules, Want(ChallengeSet, version, "version")) if version else (rules,)


class CurrencyInvalid(Refusal):
    """A currency code is not three capital letters (ISO 4217)."""

    code = "CURRENCY_INVALID"
    text = "A currency is written as its three capital letters (ISO 4217), such as CNY; this is {given!r}."


class CurrencyMismatch(Refusal):
    """Money in another currency than the program's. Details: `expected`, `given`."""

    code = "CURRENCY_MISMATCH"
    text = "This program counts in {expected}; the amount is in {given}."


class TimeZoneInvalid(Refusal):
    """A time zone that the IANA database does not name."""

    code = "TIME_ZONE_INVALID"
    text = "{given!r} is no IANA time zone; one is written like Asia/Shanghai."


class CategoryInUse(Refusal):
    """A category is to be removed that an earning rule names. Details: `category`, `rule`."""

    code = "CATEGORY_IN_USE"
    text = "The earning rule {rule!r} names the category {category!r}; change the rule first."


class CategoryOfChallenge(CategoryInUse):
    """Like `CategoryInUse`, of a challenge. Details: `category`, `challenge`."""

    code = "CATEGORY_IN_USE"
    text = "The challenge {challenge!r} names the category {category!r}; change the challenge first."


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramUpdated(Event):
    """Settings of the program changed."""


def check_currency(program: Program, currency_code: str) -> None:
    """Money of a program is in its one currency. Refuses `CurrencyMismatch`."""
    if currency_code != program.currency_code:
        raise CurrencyMismatch(expected=program.currency_code, given=currency_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramSettings:
    """What staff may set; None leaves a setting as it is."""

    name: str | None = None
    time_zone: str | None = None
    sign_up_points: int | None = None
    pending: PendingPolicy | None = None
    expiry: ExpiryPolicy | None = None
    shortfall_policy: ShortfallPolicy | None = None
    return_policy: ReturnPolicy | None = None
    replacement_days: int | None = None
    hold_minutes: int | None = None
    point_value_bp: int | None = None
    tier_policy: TierPolicy | None = None
    categories: tuple[str, ...] | None = None
    prize_value_max_minor: int | None = None


def _check_settings(settings: ProgramSettings) -> dict[str, object]:
    """The settings that are told, checked. Refuses what is out of bounds, naming the field."""
    told = {
        name: getattr(settings, name)
        for name in ProgramSettings.__dataclass_fields__
        if getattr(settings, name) is not None
    }
    if settings.name is not None:
        told["name"] = checks.text("name", settings.name)
    if settings.time_zone is not None:
        check_time_zone(settings.time_zone)
    if settings.pending is not None:
        policies.check_pending(settings.pending)
    if settings.expiry is not None:
        policies.check_expiry(settings.expiry)
    if settings.tier_policy is not None:
        policies.check_tiers(settings.tier_policy)
    if settings.categories is not None:
        checks.at_most("categories", settings.categories, CATEGORIES_MAX)
        told["categories"] = checks.texts("categories", settings.categories)
    _check_numbers(settings)
    return told


def _check_numbers(settings: ProgramSettings) -> None:
    if settings.sign_up_points is not None:
        checks.points("signUpPoints", settings.sign_up_points, minimum=0)
    if settings.replacement_days is not None:
        checks.number("replacementDays", settings.replacement_days, minimum=1, maximum=3650)
    if settings.hold_minutes is not None:
        checks.number("holdMinutes", settings.hold_minutes, minimum=1, maximum=HOLD_MINUTES_MAX)
    if settings.point_value_bp is not None:
        checks.number("pointValueBp", settings.point_value_bp, minimum=0, maximum=10**12)
    if settings.prize_value_max_minor is not None:
        checks.amount("prizeValueMax", settings.prize_value_max_minor)


def check_time_zone(name: str) -> None:
    """Refuses `TimeZoneInvalid`."""
    try:
        calendars.zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise TimeZoneInvalid(field=("timeZone",), given=name) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateProgram(Command[Program]):
    """Found a program under an id that was made beforehand. Refuses bad settings."""

    program_id: UUID
    name: str
    currency_code: str
    time_zone: str = "Asia/Shanghai"
    settings: ProgramSettings = ProgramSettings()
    rules: tuple[EarningRule, ...] = ONE_POINT_A_UNIT

    def decide(self, state: State) -> Decision[Program]:
        if not _CURRENCY.fullmatch(self.currency_code):
            raise CurrencyInvalid(field=("currencyCode",), given=self.currency_code)
        check_time_zone(self.time_zone)
        told = _check_settings(self.settings)
        rules = self._checked_rules(state, checks.texts("categories", self.settings.categories or ()))
        program = Program(
            id=self.program_id,
            program_id=self.program_id,
            name=checks.text("name", self.name),
            currency_code=self.currency_code,
            time_zone=self.time_zone,
            rule_version=1,
            created_at=state.now,
        )
        program = replace(program, **told)  # type: ignore[arg-type]
        rule_set = rule_sets.first_version(state, rules)
        return Decision(program, save=(program, rule_set), events=(ProgramUpdated(),))

    def _checked_rules(self, state: State, categories: tuple[str, ...]) -> tuple[EarningRule, ...]:
        """The first rules, which can name nothing of a program that has nothing yet but its categories."""
        known = Known(
            time_zone=self.time_zone,
            today=calendars.local_date(state.now, self.time_zone),
            categories=categories,
            pending=self.settings.pending or policies.AT_ONCE,
            expiry=self.settings.expiry or policies.FOR_EVER,
        )
        checking.check_all(self.rules, ())
        return tuple(checking.check_rule(rule, {}, known) for rule in self.rules)


def _refuse_named(state: State, program: Program, removed: set[str]) -> None:
    """A category that is named stays: what names it would wait in vain. Refuses `CategoryInUse`."""
    if not removed:
        return
    for rule in rule_sets.of_version(state, program.rule_version).rules:
        for category in sorted(removed.intersection((*rule.when.categories, *rule.when.without_categories))):
            raise CategoryInUse(field=("categories",), category=category, rule=rule.code)
    if not program.challenge_version:
        return
    for challenge in challenge_sets.of_version(state, program.challenge_version).challenges:
        for category in sorted(removed.intersection(challenge.categories)):
            raise CategoryOfChallenge(field=("categories",), category=category, challenge=challenge.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProgram(Command[Program]):
    """Change settings. A new tier policy has every member looked at again by the worker, in batches."""

    settings: ProgramSettings

    def decide(self, state: State) -> Decision[Program]:
        told = _check_settings(self.settings)
        before = state.change(Program, state.program_id)
        program = replace(before, **told)  # type: ignore[arg-type]
        _refuse_named(state, before, set(before.categories) - set(program.categories))
        if program.tier_policy != before.tier_policy:
            program = replace(program, ladder_version=before.ladder_version + 1)
        return Decision(program, save=(program,), events=(ProgramUpdated(),))
