"""A program: the loyalty scheme of one shop or chain, and the tenant everything else belongs to."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID
from zoneinfo import ZoneInfoNotFoundError

from domain import calendars, checks, earning
from domain.kernel import Command, Decision, Event, Refusal, Row, State

HOLD_MINUTES_MAX: Final = 60 * 24 * 30
_CURRENCY = re.compile(r"[A-Z]{3}")


class PendingKind(StrEnum):
    """When earned points may be spent (L3)."""

    IMMEDIATE = "IMMEDIATE"  # at once
    AFTER = "AFTER"  # a number of days after the purchase
    ON_EVENT = "ON_EVENT"  # when the shop says that the order was received
    ON_DATE = "ON_DATE"  # at the start of a local date


@dataclass(frozen=True, slots=True)
class PendingPolicy:
    """How long earned points are pending: `days` with AFTER, `on_date` with ON_DATE."""

    kind: PendingKind = PendingKind.IMMEDIATE
    days: int | None = None
    on_date: date | None = None


class ExpiryKind(StrEnum):
    """When points expire (L5), in the program's time zone, the last local day inclusive."""

    NEVER = "NEVER"
    FIXED_DATE = "FIXED_DATE"  # after the local date `on_date`
    DAYS = "DAYS"  # after `count` days
    END_OF_MONTH = "END_OF_MONTH"  # with the month that is `count` months later
    END_OF_QUARTER = "END_OF_QUARTER"  # with the quarter that is `count` quarters later
    END_OF_YEAR = "END_OF_YEAR"  # with the year that is `count` years later
    INACTIVITY = "INACTIVITY"  # after `count` days in which the member neither earned nor spent


@dataclass(frozen=True, slots=True)
class ExpiryPolicy:
    """How long points last. `count` is 1 to 3,650 with DAYS and INACTIVITY, 0 to 120 periods with END_OF_*."""

    kind: ExpiryKind = ExpiryKind.NEVER
    count: int | None = None
    on_date: date | None = None


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
    # The earning rules that new purchases earn under, and their version (`EarningRules` keeps every one).
    rules: tuple[earning.EarningRule, ...]
    rule_version: int
    sign_up_points: int = 0
    pending: PendingPolicy = PendingPolicy()
    expiry: ExpiryPolicy = ExpiryPolicy()
    shortfall_policy: ShortfallPolicy = ShortfallPolicy.DEBT
    return_policy: ReturnPolicy = ReturnPolicy.REPLACE
    replacement_days: int = 7
    hold_minutes: int = 15
    # What one point is worth, in basis points of a minor unit: 100 points = 10 yuan is 10 fen, 100,000 bp.
    point_value_bp: int = 100_000
    created_at: datetime


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


class PolicyInvalid(Refusal):
    """A policy lacks the number or date that its kind needs."""

    code = "POLICY_INVALID"
    text = "A policy of kind {kind} needs {needs}."


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
        check_pending(settings.pending)
    if settings.expiry is not None:
        check_expiry(settings.expiry)
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


def check_time_zone(name: str) -> None:
    """Refuses `TimeZoneInvalid`."""
    try:
        calendars.zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise TimeZoneInvalid(field=("timeZone",), given=name) from None


def check_pending(policy: PendingPolicy) -> None:
    """Refuses `PolicyInvalid` or `NumberInvalid`."""
    if policy.kind is PendingKind.AFTER and policy.days is None:
        raise PolicyInvalid(field=("pending",), kind=policy.kind, needs="a number of days")
    if policy.kind is PendingKind.ON_DATE and policy.on_date is None:
        raise PolicyInvalid(field=("pending",), kind=policy.kind, needs="a date")
    if policy.days is not None:
        checks.number("pending.days", policy.days, minimum=1, maximum=3650)


def check_expiry(policy: ExpiryPolicy) -> None:
    """Refuses `PolicyInvalid` or `NumberInvalid`."""
    if policy.kind is ExpiryKind.NEVER:
        return
    if policy.kind is ExpiryKind.FIXED_DATE:
        if policy.on_date is None:
            raise PolicyInvalid(field=("expiry",), kind=policy.kind, needs="a date")
        return
    if policy.count is None:
        raise PolicyInvalid(field=("expiry",), kind=policy.kind, needs="a count")
    if policy.kind in (ExpiryKind.DAYS, ExpiryKind.INACTIVITY):
        checks.number("expiry.count", policy.count, minimum=1, maximum=3650)
    else:
        checks.number("expiry.count", policy.count, minimum=0, maximum=120)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateProgram(Command[Program]):
    """Found a program under an id that was made beforehand. Refuses bad settings."""

    program_id: UUID
    name: str
    currency_code: str
    time_zone: str = "Asia/Shanghai"
    settings: ProgramSettings = ProgramSettings()
    rules: tuple[earning.EarningRule, ...] = earning.ONE_POINT_A_UNIT

    def decide(self, state: State) -> Decision[Program]:
        if not _CURRENCY.fullmatch(self.currency_code):
            raise CurrencyInvalid(field=("currencyCode",), given=self.currency_code)
        check_time_zone(self.time_zone)
        told = _check_settings(self.settings)
        earning.check_rules(self.rules)
        program = Program(
            id=self.program_id,
            program_id=self.program_id,
            name=checks.text("name", self.name),
            currency_code=self.currency_code,
            time_zone=self.time_zone,
            rules=self.rules,
            rule_version=1,
            created_at=state.now,
        )
        program = replace(program, **told)  # type: ignore[arg-type]
        rule_set = earning.rule_set(state, version=1, rules=self.rules)
        return Decision(program, save=(program, rule_set), events=(ProgramUpdated(),))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProgram(Command[Program]):
    """Change settings; new earning rules become the next version, and older purchases keep theirs (L7)."""

    settings: ProgramSettings
    rules: tuple[earning.EarningRule, ...] | None = None

    def decide(self, state: State) -> Decision[Program]:
        told = _check_settings(self.settings)
        program = replace(state.change(Program, state.program_id), **told)  # type: ignore[arg-type]
        if self.rules is None:
            return Decision(program, save=(program,), events=(ProgramUpdated(),))
        earning.check_rules(self.rules)
        program = replace(program, rules=self.rules, rule_version=program.rule_version + 1)
        rule_set = earning.rule_set(state, version=program.rule_version, rules=self.rules)
        return Decision(program, save=(program, rule_set), events=(ProgramUpdated(),))
