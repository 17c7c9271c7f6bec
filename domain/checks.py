"""What every command asks of its input. A check refuses with the field, what is wrong and what would be right."""

import re
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from domain.kernel import Refusal
from domain.money import AMOUNT_MINOR_MAX

Item = TypeVar("Item")
Made = TypeVar("Made")

# The largest integer that JSON readers everywhere keep exactly.
POINTS_MAX: Final = 2**53 - 1
TEXT_MAX: Final = 200
# Why somebody did something by hand.
REASON_MAX: Final = 500
# Clocks of tills differ; what a till reports may be this far ahead of ours.
CLOCK_SKEW_MAX: Final = timedelta(minutes=5)
# Older than any shop that counts points, and far from where calendars end.
OCCURRED_MIN: Final = datetime(1900, 1, 1, tzinfo=UTC)

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
# Control characters have no place in a name or a reference; PostgreSQL cannot even store NUL.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class TextInvalid(Refusal):
    """A text is empty, too long, or holds control characters. Details: `length`, `length_max`."""

    code = "TEXT_INVALID"
    text = "{name} must have 1 to {length_max} characters and no control characters; it has {length}."


class PhoneInvalid(Refusal):
    """A phone number is not in E.164."""

    code = "PHONE_INVALID"
    text = "A phone number is written in E.164, a plus and 7 to 15 digits, such as +8613812345678."


class EmailInvalid(Refusal):
    """An e-mail address has no shape of one."""

    code = "EMAIL_INVALID"
    text = "An e-mail address has one @ and a domain, such as li@example.com, and at most 200 characters."


class PointsInvalid(Refusal):
    """An amount of points is outside its bounds. Details: `points`, `points_min`, `points_max`."""

    code = "POINTS_INVALID"
    text = "{name} must be from {points_min} to {points_max}; it is {points}."


class NumberInvalid(Refusal):
    """A number other than points or money is outside its bounds. Details: `number`, `minimum`, `maximum`."""

    code = "NUMBER_INVALID"
    text = "{name} must be from {minimum} to {maximum}; it is {number}."


class AmountInvalid(Refusal):
    """An amount of money is negative, zero where it may not be, or too large, in minor units."""

    code = "AMOUNT_INVALID"
    text = "{name} must be from {minimum} to {maximum} minor units; it is {amount}."


class TimeInvalid(Refusal):
    """A business time has no time zone, or lies before 1900 or (beyond a clock skew of five minutes) in the future."""

    code = "TIME_INVALID"
    text = "{name} must have a time zone and lie between 1900 and now; it is {time}."


class TooMany(Refusal):
    """A list is longer than it may be. Details: `count`, `count_max`."""

    code = "TOO_MANY"
    text = "{name} may have at most {count_max} items; it has {count}."


@contextmanager
def below(*path: str) -> Generator[None, None, None]:
    """Put a path before the field of whatever is refused within: a part does not know where in the input it stands."""
    try:
        yield
    except Refusal as refusal:
        refusal.field = (*path, *(refusal.field or ()))
        raise


def each(name: str, items: Iterable[Item], make: Callable[[Item], Made]) -> tuple[Made, ...]:
    """What is made of each item of a list; a refusal of one names its place, from 0."""
    made: list[Made] = []
    for place, item in enumerate(items):
        with below(name, str(place)):
            made.append(make(item))
    return tuple(made)


def text(name: str, value: str, *, length_max: int = TEXT_MAX) -> str:
    """`value` without surrounding blanks. Refuses `TextInvalid`."""
    stripped = value.strip()
    if not 0 < len(stripped) <= length_max or _CONTROL.search(stripped):
        raise TextInvalid(field=(name,), name=name, length=len(stripped), length_max=length_max)
    return stripped


def reason(value: str) -> str:
    """Why something is done by hand. Refuses `TextInvalid`."""
    return text("reason", value, length_max=REASON_MAX)


def optional_text(name: str, value: str | None, *, length_max: int = TEXT_MAX) -> str | None:
    """Like `text`, for what may be absent."""
    return None if value is None else text(name, value, length_max=length_max)


def texts(name: str, values: Sequence[str], *, length_max: int = TEXT_MAX) -> tuple[str, ...]:
    """Like `text`, for a list: each once, in the order they came."""
    return tuple(dict.fromkeys(text(name, value, length_max=length_max) for value in values))


def phone(value: str) -> str:
    """A phone number in E.164. Refuses `PhoneInvalid`."""
    if not _E164.fullmatch(value):
        raise PhoneInvalid(field=("phone",))
    return value


def email(value: str) -> str:
    """An e-mail address, its domain in lower case. Refuses `EmailInvalid`."""
    if len(value) > TEXT_MAX or not _EMAIL.fullmatch(value) or _CONTROL.search(value):
        raise EmailInvalid(field=("email",))
    name, _, domain = value.rpartition("@")
    return f"{name}@{domain.lower()}"


def points(name: str, value: int, *, minimum: int = 1, maximum: int = POINTS_MAX) -> int:
    """An amount of points within its bounds. Refuses `PointsInvalid`."""
    if not minimum <= value <= maximum:
        raise PointsInvalid(field=(name,), name=name, points=value, points_min=minimum, points_max=maximum)
    return value


def number(name: str, value: int, *, minimum: int, maximum: int) -> int:
    """A whole number within its bounds. Refuses `NumberInvalid`."""
    if not minimum <= value <= maximum:
        raise NumberInvalid(field=(name,), name=name, number=value, minimum=minimum, maximum=maximum)
    return value


def amount(name: str, value: int, *, minimum: int = 0, maximum: int = AMOUNT_MINOR_MAX) -> int:
    """An amount of money in minor units within its bounds. Refuses `AmountInvalid`."""
    if not minimum <= value <= maximum:
        raise AmountInvalid(field=(name,), name=name, amount=value, minimum=minimum, maximum=maximum)
    return value


def past(name: str, value: datetime | None, now: datetime) -> datetime:
    """A business time, `now` if it is not told; one within the clock skew is `now`. Refuses `TimeInvalid`."""
    if value is None:
        return now
    if value.tzinfo is None or not OCCURRED_MIN <= value <= now + CLOCK_SKEW_MAX:
        raise TimeInvalid(field=(name,), name=name, time=value.isoformat())
    return min(value, now)


def at_most(name: str, items: Sequence[object], count_max: int) -> None:
    """Bound a list. Refuses `TooMany`."""
    if len(items) > count_max:
        raise TooMany(field=(name,), name=name, count=len(items), count_max=count_max)
