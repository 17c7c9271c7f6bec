"""Between the domain's values and JSON: what a jsonb column or an idempotency receipt holds."""

import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson

Reader = Callable[[Any], Any]


def dumps(value: object) -> str:
    """A value of the domain as JSON: dataclasses become objects, times RFC 3339, enumerations their values."""
    return orjson.dumps(value, default=_plain).decode()


def digest_source(value: object) -> bytes:
    """A value as JSON whose bytes are the same whenever the value is: for hashing."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def reader(hint: Any, *, is_document: bool) -> Reader | None:
    """How a column's value becomes the domain's; None if it is that already."""
    hint = _without_none(hint)
    if is_document:
        inner = json_reader(hint)
        return orjson.loads if inner is None else lambda text: inner(orjson.loads(text))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint._value2member_map_.__getitem__
    return None


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        inner = [argument for argument in get_args(hint) if argument is not type(None)]
        return inner[0] if len(inner) == 1 else hint
    return hint


def json_reader(hint: Any) -> Reader | None:
    """How a JSON value becomes a value of `hint`; None if it is one already."""
    hint = _without_none(hint)
    if get_origin(hint) is tuple:
        return _tuple_reader(get_args(hint)[0])
    if not isinstance(hint, type):
        return None
    if is_dataclass(hint):
        return _dataclass_reader(hint)
    if issubclass(hint, Enum):
        return hint._value2member_map_.__getitem__
    simple: dict[type, Reader] = {datetime: datetime.fromisoformat, date: date.fromisoformat, UUID: UUID}
    return simple.get(hint)


def _tuple_reader(item: Any) -> Reader:
    inner = json_reader(item)
    if inner is None:
        return tuple
    return lambda values: tuple(map(inner, values))


def _dataclass_reader(kind: type) -> Reader:
    hints = get_type_hints(kind)
    readers = {field.name: inner for field in fields(kind) if (inner := json_reader(hints[field.name])) is not None}

    def read(values: dict[str, Any]) -> Any:
        for name, inner in readers.items():
            if values.get(name) is not None:
                values[name] = inner(values[name])
        return kind(**values)

    return read
