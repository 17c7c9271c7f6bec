"""How the domain's values take the shape of GraphQL types: a type's fields name the attributes of what it shows."""

import inspect
import re
from collections.abc import Callable
from enum import EnumMeta
from typing import Any, TypeVar, cast, dataclass_transform

import strawberry
from strawberry.types.field import StrawberryField

from api import ids
from api.context import Info
from domain.kernel import Row

_REFERENCE = re.compile(r" \([A-Z]\d+(, [A-Z]\d+)*(, [A-Z_]+)?\)")

Shape = TypeVar("Shape", bound=type)
AnyShape = TypeVar("AnyShape")


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field, StrawberryField))
def shape(*kinds: type, name: str | None = None) -> Callable[[Shape], Shape]:
    """Make a class a GraphQL type described by its docstring; one that is a `Node` names the `kinds` it shows."""

    def decorate(kind: Shape) -> Shape:
        if kinds:
            kind.is_type_of = classmethod(lambda _, value, __: isinstance(value, kinds))  # type: ignore[attr-defined]
        return strawberry.type(kind, name=name, description=description_of(kind))

    return decorate


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field, StrawberryField))
def given(name: str | None = None, *, one_of: bool = False) -> Callable[[Shape], Shape]:
    """Make a class a GraphQL input described by its docstring; of `one_of`, a caller tells exactly one field."""

    def decorate(kind: Shape) -> Shape:
        return strawberry.input(kind, name=name, one_of=one_of, description=description_of(kind))

    return decorate


def description_of(kind: type) -> str | None:
    """The docstring, without its references to our semantics, which say nothing to clients."""
    docstring = inspect.getdoc(kind)
    return docstring and _REFERENCE.sub("", docstring)


def shown(value: object) -> Any:
    """A value of the domain where its shape is expected: Strawberry reads it by the attributes they share."""
    return value


def as_shape(_: type[AnyShape], value: object) -> AnyShape:
    """Like `shown`, for a resolver whose result has the shape."""
    return cast("AnyShape", value)


def named(*enumerations: EnumMeta) -> None:
    """Make enumerations of the domain part of the contract, described by their docstrings."""
    for enumeration in enumerations:
        strawberry.enum(enumeration, description=description_of(enumeration))


def _id(parent: strawberry.Parent[Row]) -> strawberry.ID:
    return ids.of(parent)


def id_field() -> Any:
    """The global id of the row that a type shows."""
    return strawberry.field(resolver=_id)


@strawberry.interface(description="A thing with a global id, by which `node` finds it again.")
class Node:
    """What a type implements whose rows `node(id)` finds."""

    id: strawberry.ID = id_field()


def linking(kind: type[Row], attribute: str) -> Callable[..., Any]:
    """A resolver to the row whose id is in an attribute, loaded once a request with all others of its kind."""

    def resolve(parent: strawberry.Parent[object], info: Info) -> Any:
        key = getattr(parent, attribute)
        return None if key is None else info.context.loaders.row(kind, key)

    return resolve


def linked(kind: type[Row], attribute: str) -> Any:
    """A field that shows the row whose id is in an attribute."""
    return strawberry.field(resolver=linking(kind, attribute))


def reference(kind: str, attribute: str) -> Any:
    """A field that shows a global id of the thing whose key is in an attribute."""

    def resolve(parent: strawberry.Parent[object]) -> Any:
        key = getattr(parent, attribute)
        return None if key is None else ids.encode(kind, key)

    return strawberry.field(resolver=resolve)
