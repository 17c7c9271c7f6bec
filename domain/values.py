"""Changing frozen values: a change is a new value, and making it should cost little."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

AnyValue = TypeVar("AnyValue")

_copiers: dict[type, Callable[[Any], Any]] = {}


def changed(value: AnyValue, **changes: object) -> AnyValue:
    """A frozen, slotted value with some fields changed: `dataclasses.replace` at a quarter of its cost.

    An account alone is changed several times a command. Fields that there are not fail as they do there.
    """
    kind = type(value)
    copy = _copiers.get(kind)
    if copy is None:
        copy = _copiers[kind] = _copier(kind)
    made: AnyValue = copy(value)
    for name, item in changes.items():
        object.__setattr__(made, name, item)
    return made


def _copier(kind: type) -> Callable[[Any], Any]:
    """A function that copies a slotted dataclass field by field, compiled once a kind."""
    sets = "; ".join(f"put(made, {field.name!r}, value.{field.name})" for field in fields(kind))
    names: dict[str, Any] = {"kind": kind, "new": object.__new__, "put": object.__setattr__}
    exec(f"def copy(value):\n    made = new(kind); {sets}\n    return made", names)
    copier: Callable[[Any], Any] = names["copy"]
    return copier
