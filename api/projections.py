"""Plain subtrees of an answer as one Python function: from a domain object to JSON values.

A subtree is plain if every field in it is an attribute of its parent: objects, lists and leaves, no resolver, no
interface. Most of what an API answers is plain. The function assumes that all goes well; where something does not
(a null where none may be, a value of the wrong type, an awaitable) it raises, and the caller runs the subtree through
graphql-core, which finds the same fault and reports it in its place.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLString,
    is_leaf_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList
from strawberry.types.field import StrawberryField

Projection = Callable[[Any], Any]

_EXACT_TYPES: dict[str, type] = {GraphQLString.name: str, GraphQLID.name: str, GraphQLBoolean.name: bool}
"""Python types whose values are their own output; on all other values graphql-core decides."""


class UnusualValueError(Exception):
    """The value does not go the plain way."""


def compile_type(
    executor: Executor[Any], type_: GraphQLOutputType, details: FieldDetailsList, *, nullable: bool = True
) -> Projection | None:
    """Give the function for values of this type and these selections, or None if the subtree is not plain."""
    if isinstance(type_, GraphQLNonNull):
        return compile_type(executor, type_.of_type, details, nullable=False)
    if isinstance(type_, GraphQLList):
        item = compile_type(executor, type_.of_type, details)
        return item and _list(item, nullable=nullable)
    if isinstance(type_, GraphQLObjectType):
        return _object(executor, type_, details, nullable=nullable)
    return _leaf(type_, nullable=nullable) if is_leaf_type(type_) else None


def definition_of(field: GraphQLField) -> StrawberryField | None:
    """Give Strawberry's definition of a field; the meta fields of introspection have none."""
    definition = field.extensions.get("strawberry-definition")
    return definition if isinstance(definition, StrawberryField) else None


def attribute_of(field: GraphQLField) -> Callable[[Any], Any] | None:
    """Give the getter of a field that is only an attribute of its parent.

    A field of another class than Strawberry's own has none, whatever it says about itself: it may guard the attribute.
    """
    definition = definition_of(field)
    if type(definition) is not StrawberryField or not definition.is_basic_field:
        return None
    return attrgetter(definition.python_name) if definition.default_resolver is getattr else None


def _object(
    executor: Executor[Any], type_: GraphQLObjectType, details: FieldDetailsList, *, nullable: bool
) -> Projection | None:
    fields: list[tuple[str, Callable[[Any], Any], Projection]] = []
    for name, selected in executor.collect_subfields(type_, details).grouped_field_set.items():
        field_name = selected[0].node.name.value
        if field_name == "__typename":
            fields.append((name, lambda _: type_.name, str))
            continue
        field = type_.fields[field_name]
        attribute = attribute_of(field)
        project = attribute and compile_type(executor, field.type, selected)
        if attribute is None or project is None:
            return None
        fields.append((name, attribute, project))
    return _record(tuple(fields), nullable=nullable)


def _record(fields: tuple[tuple[str, Callable[[Any], Any], Projection], ...], *, nullable: bool) -> Projection:
    def project(value: Any) -> dict[str, Any] | None:
        if value is None:
            if nullable:
                return None
            raise UnusualValueError
        return {name: leaf(attribute(value)) for name, attribute, leaf in fields}

    return project


def _list(item: Projection, *, nullable: bool) -> Projection:
    def project(value: Any) -> list[Any] | None:
        if value is None:
            if nullable:
                return None
            raise UnusualValueError
        if not isinstance(value, (list, tuple)):
            raise UnusualValueError
        return [item(element) for element in value]

    return project


def _leaf(type_: GraphQLLeafType, *, nullable: bool) -> Projection:
    if isinstance(type_, GraphQLEnumType):
        return _enum(type_, nullable=nullable)
    if type_.name == GraphQLInt.name:
        return _integer(nullable=nullable)
    exact = _EXACT_TYPES.get(type_.name)
    complete = Executor.complete_leaf_value

    def project(value: Any) -> Any:
        if type(value) is exact:
            return value
        if value is None:
            if nullable:
                return None
            raise UnusualValueError
        return complete(type_, value)

    return project


def _integer(*, nullable: bool) -> Projection:
    def project(value: Any) -> Any:
        if type(value) is int and GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT:
            return value
        if value is None and nullable:
            return None
        raise UnusualValueError

    return project


def _enum(type_: GraphQLEnumType, *, nullable: bool) -> Projection:
    # Strawberry's own conversion searches through the members; here each is looked up once.
    names: dict[Any, str] = {}

    def project(value: Any) -> Any:
        name = names.get(value)
        if name is not None:
            return name
        if value is None:
            if nullable:
                return None
            raise UnusualValueError
        name = names[value] = Executor.complete_leaf_value(type_, value)
        return name

    return project
