"""Arguments of resolvers, prepared when a document is first run: from coerced GraphQL values to Python's.

Strawberry works out names and types anew for every call. What they are depends on the schema and the document only,
so here they become one function for each argument. Whatever has no function here is left to Strawberry's own.
"""

from collections.abc import Callable
from dataclasses import MISSING
from typing import Any

from graphql import FieldNode, GraphQLField, Undefined, VariableNode, is_non_null_type
from graphql.execution.values import VariableValues, get_argument_values
from graphql.utilities.coerce_input_value import coerce_default_value
from strawberry import UNSET, Schema, relay
from strawberry.scalars import is_scalar
from strawberry.types.arguments import convert_argument
from strawberry.types.base import StrawberryList, StrawberryMaybe, StrawberryOptional, has_object_definition
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField

Reader = Callable[[VariableValues], dict[str, Any]]
"""Gives a field's arguments by their GraphQL names, coerced but not converted."""

Converter = Callable[[Any], Any]
"""Gives the Python value of a coerced value."""


def reader(field: GraphQLField, node: FieldNode) -> Reader:
    """Give the function that reads the arguments of one selected field.

    The way that clients write, one variable for each argument, costs a look-up; all else goes through graphql-core.
    """
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    if not all(isinstance(value, VariableNode) for value in given.values()):
        return lambda variables: get_argument_values(field, node, variables)
    sources = tuple(
        (name, _variable(given.get(name)), coerce_default_value(argument), is_non_null_type(argument.type))
        for name, argument in field.args.items()
    )

    def read(variables: VariableValues) -> dict[str, Any]:
        values = {}
        for name, variable, default, required in sources:
            value = variables.coerced.get(variable, default)
            if value is Undefined and not required:
                continue
            if required and (value is None or value is Undefined):
                # graphql-core knows what to say about it.
                return get_argument_values(field, node, variables)
            values[name] = value
        return values

    return read


def converters(schema: Schema, field: StrawberryField) -> tuple[tuple[str, str, Converter], ...]:
    """Give, for each argument, its GraphQL name, its Python name and its converter."""
    name_of = schema.config.name_converter.from_argument
    return tuple(
        (name_of(argument), argument.python_name, _converter(schema, argument.type)) for argument in field.arguments
    )


def _variable(value: object) -> str:
    # No variable is called by the empty name, so it stands for an argument that is not given.
    return value.name.value if isinstance(value, VariableNode) else ""


def _converter(schema: Schema, type_: object) -> Converter:
    if isinstance(type_, StrawberryOptional) and not isinstance(type_, StrawberryMaybe):
        return _converter(schema, type_.of_type)
    if isinstance(type_, StrawberryList):
        return _list_converter(_converter(schema, type_.of_type))
    if isinstance(type_, StrawberryEnumDefinition) or _is_plain_scalar(schema, type_):
        return _unchanged
    if isinstance(type_, type) and _is_plain_input(type_):
        return _input_converter(schema, type_)
    registry, config = schema.schema_converter.scalar_registry, schema.config
    return lambda value: convert_argument(value, type_, registry, config)  # type: ignore[arg-type]


def _unchanged(value: Any) -> Any:
    return value


def _is_plain_scalar(schema: Schema, type_: object) -> bool:
    return type_ is not relay.GlobalID and is_scalar(type_, schema.schema_converter.scalar_registry)


def _is_plain_input(type_: type) -> bool:
    return has_object_definition(type_) and type_.__strawberry_definition__.from_input is None


def _list_converter(item: Converter) -> Converter:
    # A list is copied even if its items stay: graphql-core gives one default list to every request.
    return lambda value: value if value is None or value is UNSET else [item(element) for element in value]


def _input_converter(schema: Schema, type_: type) -> Converter:
    """Give the function that builds an input object. Its fields are looked at on first use: inputs may be recursive."""
    definition = type_.__strawberry_definition__  # type: ignore[attr-defined]
    fields: list[tuple[str, str, Converter]] = []
    absent: dict[str, None] = {}

    def prepare() -> None:
        for field in definition.fields:
            converter = _converter(schema, field.resolve_type(type_definition=definition))
            fields.append((schema.config.name_converter.from_field(field), field.python_name, converter))
            if field.default_value is MISSING and field.default_factory is MISSING:
                absent[field.python_name] = None

    def convert(value: Any) -> Any:
        if value is None or value is UNSET:
            return value
        if not fields:
            prepare()
        given = {python: converter(value[name]) for name, python, converter in fields if name in value}
        return type_(**(absent | given))

    return convert
