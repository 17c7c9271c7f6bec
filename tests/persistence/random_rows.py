"""Rows of any kind with any values that their types and columns allow, from a seed."""

import random
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any, Final, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from domain.kernel import AnyRow
from persistence.tables import TABLES

# Quotes, what JSON and COPY escape, other scripts, beyond the basic plane, and nothing at all.
TEXTS: Final = ("", "a", "O'Brien", '"x"', "\\N", "\\", "a\tb\nc\r", "茶馆", "👩‍🍳", "{}", "null", "\x01\x7f", "é" * 20)
INTEGER_MAX: Final = 2**31 - 1
BIGINT_MAX: Final = 2**63 - 1
# Columns that take no other length.
LENGTHS: Final = {"currency_code": 3, "secret_hash": 64, "token_hash": 64}
# The first and the last instant that Python has are the driver's words for infinity; the API takes neither.
EDGES: Final = (
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1, 1, 2, tzinfo=UTC),
    datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2024, 2, 29, 23, 59, 59, 1, tzinfo=UTC),
)


class Source:
    """Random values."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def row(self, kind: type[AnyRow], **given: Any) -> AnyRow:
        """A row of a kind; `given` fields are as told."""
        sql_types = TABLES[kind].sql_types
        hints = get_type_hints(kind)
        values = {field.name: self._column(hints[field.name], sql_types[field.name]) for field in fields(kind)}
        for column, length in LENGTHS.items():
            if column in values:
                values[column] = f"{self.random.getrandbits(256):064x}"[:length]
        return kind(**(values | given))

    def _column(self, hint: Any, sql_type: str) -> Any:
        value = self.value(hint)
        if sql_type == "integer" and value is not None:
            return self.random.choice((0, 1, -1, INTEGER_MAX, -INTEGER_MAX, abs(value) % 1000))
        return value

    def value(self, hint: Any) -> Any:
        """Any value of a type."""
        if hint is None or hint is types.NoneType:
            return None
        if get_origin(hint) in (Union, types.UnionType):
            return self.value(self.random.choice(get_args(hint)))
        if get_origin(hint) is tuple:
            return tuple(self.value(get_args(hint)[0]) for _ in range(self.random.randint(0, 3)))
        if get_origin(hint) is Mapping or (isinstance(hint, type) and get_origin(hint) is not None):
            key, value = get_args(hint)
            return {self.value(key): self.value(value) for _ in range(self.random.randint(0, 3))}
        if is_dataclass(hint):
            return self._dataclass(hint)
        if issubclass(hint, Enum):
            return self.random.choice(list(hint))
        return self._simple[hint]()

    def _dataclass(self, hint: Any) -> Any:
        hints = get_type_hints(hint)
        return hint(**{field.name: self.value(hints[field.name]) for field in fields(hint)})

    @property
    def _simple(self) -> dict[type, Callable[[], Any]]:
        return {
            UUID: lambda: UUID(int=self.random.getrandbits(128)),
            str: lambda: self.random.choice(TEXTS) + str(self.random.getrandbits(40)),
            int: lambda: self.random.choice((0, -1, BIGINT_MAX, -BIGINT_MAX, self.random.getrandbits(40))),
            bool: lambda: self.random.random() < 0.5,
            datetime: self._instant,
            date: lambda: self._instant().date(),
        }

    def _instant(self) -> datetime:
        span = timedelta(microseconds=self.random.getrandbits(50))
        return self.random.choice((*EDGES, EDGES[0] + span, EDGES[0] - span))
