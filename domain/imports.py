"""A row of another system's export as a command, or the reason why it is none."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final
from uuid import UUID

from domain import calendars, checks, money
from domain.kernel import NotFound
from domain.members import MemberRef
from domain.purchases.recording import RecordPurchase
from domain.stores import Channel

# ASCII digits and a point: no thousands separators, no exponents, nothing that could be read in two ways.
_AMOUNT = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,8})?")
_DATE_LENGTH: Final = len("2026-01-31")
_TIMES: Final = "2026-01-31, 2026-01-31 18:30:00 or 2026-01-31T18:30:00+08:00"
_SHOWN_MAX: Final = 60
_HEADER_SHOWN_MAX: Final = 20


class RowInvalid(Exception):
    """A row cannot be read. `code` is its reason in one word, `message` in one sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class HeaderInvalid(Exception):
    """A column that the file must have is missing or stands twice; the message says which, as part of a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where in a row each value stands, counted from 0; None: the file does not tell it."""

    purchase_id: int
    member: int
    occurred_at: int
    amount: int
    freight: int | None = None
    store: int | None = None
    channel: int | None = None
    currency: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the rows of a file are read: its columns, the program's money and calendar, and what holds for all rows."""

    columns: Columns
    width: int
    currency_code: str
    time_zone: str
    stores: Mapping[str, UUID]
    store_id: UUID | None = None
    channel: Channel = Channel.ONLINE


def purchase(row: Sequence[str], reading: Reading) -> RecordPurchase:
    """What a row records. Raises `RowInvalid` for a value that is malformed, and a `Refusal` for one out of bounds.

    An amount is in major units with a point (199.90). A time is a date, which is the start of that day, or a date
    and time; without an offset both are the program's local time. What may be empty: freight is 0 then, and store,
    channel and currency are those of all rows.
    """
    if len(row) != reading.width:
        raise RowInvalid("ROW_INVALID", f"The row has {len(row)} fields, the header has {reading.width}.")
    columns = reading.columns
    currency_code = _optional(row, columns.currency) or reading.currency_code
    return RecordPurchase(
        member=MemberRef(external_id=checks.text("member", row[columns.member])),
        external_id=checks.text("purchaseId", row[columns.purchase_id]),
        amount_minor=_amount("amount", row[columns.amount], currency_code),
        currency_code=currency_code,
        freight_minor=_amount("freight", _optional(row, columns.freight) or "0", currency_code),
        store_id=_store(_optional(row, columns.store), reading),
        channel=_channel(_optional(row, columns.channel), reading),
        occurred_at=_instant(row[columns.occurred_at].strip(), reading.time_zone),
    )


def find_columns(header: Sequence[str], names: Mapping[str, str], *, required: Collection[str]) -> Columns:
    """Where the columns of these names stand; `names` by the field of `Columns`. Raises `HeaderInvalid`."""
    told = [name.strip().removeprefix("\ufeff") for name in header]
    places: dict[str, int] = {}
    for field, name in names.items():
        count = told.count(name)
        if count > 1:
            raise HeaderInvalid(f"the column {_shown(name)} stands {count} times in its header")
        if count:
            places[field] = told.index(name)
        elif field in required:
            has = ", ".join(map(_shown, told[:_HEADER_SHOWN_MAX]))
            raise HeaderInvalid(f"it has no column {_shown(name)}; --{field.replace('_', '-')} names one of {has}")
    return Columns(**places)


def channel_of(name: str) -> Channel | None:
    """The channel of this name, in capitals or not."""
    return Channel.__members__.get(name.upper())


def _optional(row: Sequence[str], place: int | None) -> str:
    return "" if place is None else row[place].strip()


def _amount(name: str, text: str, currency_code: str) -> int:
    stripped = text.strip()
    if not _AMOUNT.fullmatch(stripped):
        raise RowInvalid("AMOUNT_INVALID", f"The {name} must be a number such as 199.90; it is {_shown(stripped)}.")
    return money.minor_units(name, Decimal(stripped), currency_code)


def _store(code: str, reading: Reading) -> UUID | None:
    if not code:
        return reading.store_id
    store_id = reading.stores.get(code)
    if store_id is None:
        raise NotFound(kind="Store", key=code[:_SHOWN_MAX])
    return store_id


def _channel(name: str, reading: Reading) -> Channel:
    channel = channel_of(name) if name else reading.channel
    if channel is None:
        known = ", ".join(Channel)
        raise RowInvalid("CHANNEL_INVALID", f"The channel must be one of {known}; it is {_shown(name)}.")
    return channel


# The rows of a file are mostly in the order of time, and those of one day follow each other.
@lru_cache(maxsize=1024)
def _instant(text: str, time_zone: str) -> datetime:
    try:
        return _local_time(text, time_zone)
    except (ValueError, OverflowError):
        raise RowInvalid("TIME_INVALID", f"The time must be written {_TIMES}; it is {_shown(text)}.") from None


def _local_time(text: str, time_zone: str) -> datetime:
    if len(text) == _DATE_LENGTH:
        return calendars.start_of(date.fromisoformat(text), time_zone)
    told = datetime.fromisoformat(text)
    return (told if told.tzinfo else told.replace(tzinfo=calendars.zone(time_zone))).astimezone(UTC)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…")
