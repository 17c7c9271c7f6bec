"""The scalars of the contract: what they accept is narrow, and refused in words a client's author can use."""

import decimal
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Final, NewType, TypeVar

import strawberry
from strawberry.types.scalar import ScalarDefinition

Points = NewType("Points", int)
BasisPoints = NewType("BasisPoints", int)
MetricValue = NewType("MetricValue", int)
CurrencyCode = NewType("CurrencyCode", str)
JSONObject = NewType("JSONObject", object)

AnyDate = TypeVar("AnyDate", bound=date)

# The largest integer that JSON readers everywhere keep exactly.
_INTEGER_MAX: Final = 2**53 - 1
# Beyond these a date is a typing error, and calendars could not count on from it.
_YEAR_MIN: Final = 1800
_YEAR_MAX: Final = 2999

_WHOLE_DIGITS_MAX: Final = 15
_FRACTION_DIGITS_MAX: Final = 10

_DECIMAL = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _integer(name: str) -> Callable[[object], int]:
    def parse(value: object) -> int:
        # A truth value is an int to Python, and never one to a client.
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"{name} must be a JSON integer, neither a string nor a number with a fraction.")
        if abs(value) > _INTEGER_MAX:
            raise ValueError(f"{name} must be within ±{_INTEGER_MAX}, which JSON readers keep exactly.")
        return value

    return parse


def _decimal(value: object) -> decimal.Decimal:
    found = _DECIMAL.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('A Decimal must be a string of digits such as "199.90", so that no reader rounds it.')
    if len(found[1]) > _WHOLE_DIGITS_MAX or len(found[2] or "") > _FRACTION_DIGITS_MAX:
        raise ValueError(
            f"A Decimal must have at most {_WHOLE_DIGITS_MAX} digits before the point and {_FRACTION_DIGITS_MAX}"
            f" after it; this one has {len(found[1])} and {len(found[2] or '')}."
        )
    return decimal.Decimal(found[0])


def _currency_code(value: object) -> str:
    if not isinstance(value, str) or len(value) > 10:
        raise ValueError('A CurrencyCode must be the three capital letters of ISO 4217, such as "CNY".')
    return value


def _date(value: object) -> date:
    told = value if isinstance(value, str) and _DATE.fullmatch(value) else ""
    try:
        return _bounded(date.fromisoformat(told))
    except ValueError:
        raise ValueError(f'A Date must be one such as "2026-05-01", of the years {_YEAR_MIN} to {_YEAR_MAX}.') from None


def _date_time(value: object) -> datetime:
    told = value.upper() if isinstance(value, str) and _DATE_TIME.fullmatch(value) else ""
    try:
        return _bounded(datetime.fromisoformat(told)).astimezone(UTC)
    except ValueError:
        raise ValueError(
            'A DateTime must be an instant of RFC 3339 with its zone, such as "2026-05-01T12:00:00Z" or'
            f' "2026-05-01T20:00:00+08:00", of the years {_YEAR_MIN} to {_YEAR_MAX}.'
        ) from None


def _bounded(value: AnyDate) -> AnyDate:
    if not _YEAR_MIN <= value.year <= _YEAR_MAX:
        raise ValueError
    return value


def _in_utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _json_object(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError("A JSON value must be an object here: names and their values.")
    return value


SCALARS: Final[Mapping[object, ScalarDefinition]] = {
    Points: strawberry.scalar(
        name="Points",
        description="Points: a JSON integer within ±(2^53 − 1), never a float or a string.",
        parse_value=_integer("Points"),
    ),
    BasisPoints: strawberry.scalar(
        name="BasisPoints",
        description="A rate as a JSON integer: 10,000 basis points are 1.",
        parse_value=_integer("BasisPoints"),
    ),
    MetricValue: strawberry.scalar(
        name="MetricValue",
        description="A JSON integer of what tiers are reached by: points, minor units of money, or purchases.",
        parse_value=_integer("MetricValue"),
    ),
    decimal.Decimal: strawberry.scalar(
        name="Decimal",
        description='A decimal number as a string of digits, such as "199.90".',
        parse_value=_decimal,
        serialize="{:f}".format,
    ),
    CurrencyCode: strawberry.scalar(
        name="CurrencyCode",
        description="A currency as its three capital letters.",
        specified_by_url="https://www.iso.org/iso-4217-currency-codes.html",
        parse_value=_currency_code,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar day, in the program's time zone, such as 2026-05-01.",
        parse_value=_date,
        serialize=date.isoformat,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant of RFC 3339. A zone is required; answers are in UTC, with Z.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        parse_value=_date_time,
        serialize=_in_utc,
    ),
    JSONObject: strawberry.scalar(
        name="JSON",
        description="A JSON object: names and their values.",
        parse_value=_json_object,
    ),
}
