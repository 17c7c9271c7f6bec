"""Running a document by plans gives exactly what Strawberry gives, whatever the document, the values and the faults."""

import asyncio
import dataclasses
from typing import Any

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLUnionType,
    execute,
    get_named_type,
    is_leaf_type,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from api import documents, limits, plans
from tests.api import wide_schema

GRAPHQL_SCHEMA = wide_schema.schema._schema
ANY_SIZE = limits.Limits(*[10**9] * len(dataclasses.fields(limits.Limits)))
KNOWN = documents.Documents(GRAPHQL_SCHEMA, ANY_SIZE)


def planned(query: str) -> plans.OperationPlan:
    """Give the plan of a document's first operation."""
    document = KNOWN.get(query)
    assert document.faults == ()
    operation = next(iter(document.operations.values()))
    assert document.node is not None
    return plans.OperationPlan(wide_schema.schema, document.node, operation, document.conditions())


async def by_plan(plan: plans.OperationPlan, variables: dict[str, Any]) -> tuple[Any, list[Any]]:
    """Run a plan and give its data and its formatted errors."""
    executor = plan.executor({"count": 0}, variables, None)
    if isinstance(executor, list):
        return None, formatted(executor)
    result: Any = executor.run()
    if asyncio.iscoroutine(result):
        result = await result
    return result.data, formatted(result.errors)


async def by_strawberry(query: str, variables: dict[str, Any]) -> tuple[Any, list[Any]]:
    """Run a document as Strawberry does, without what it does around it."""
    node = KNOWN.get(query).node
    assert node is not None
    result: Any = execute(
        GRAPHQL_SCHEMA,
        node,
        context_value={"count": 0},
        variable_values=variables,
        executor_class=wide_schema.schema.execution_context_class,
        operation_extensions=None,
    )
    if asyncio.iscoroutine(result):
        result = await result
    return result.data, formatted(result.errors)


def formatted(errors: Any) -> list[Any]:
    """Give errors in an order that does not depend on which of several concurrent fields came first."""
    return sorted((error.formatted for error in errors or ()), key=str)


async def same(query: str, *all_variables: dict[str, Any]) -> None:
    """Assert that both ways agree, for every set of variables in turn and then once more."""
    plan = planned(query)
    for variables in (*all_variables, *all_variables) or ({}, {}):
        expected = await by_strawberry(query, variables)
        assert await by_plan(plan, variables) == expected


LEAF = "{ text number ratio flag tone moment amount maybe names grid inner { text guarded } many { number tone } }"


@pytest.mark.parametrize("index", range(len(wide_schema.BROKEN)))
async def test_each_broken_value_is_the_same_fault(index: int) -> None:
    await same(f"{{ broken(index: {index}) {{ leaf {LEAF} leaves {LEAF} }} good {LEAF} }}")
    await same(f"{{ broken(index: {index}) {{ awaited {LEAF} }} }}")
    await same(f"{{ broken(index: {index}) {{ loaded {LEAF} either {{ ... on Leaf {LEAF} }} named {{ name }} }} }}")
    await same(f"{{ broken(index: {index}) {{ branches {{ again {{ leaf {LEAF} }} }} }} }}")


@pytest.mark.parametrize(
    "query",
    [
        "{ __typename branch { __typename leaf { kind: __typename name } } }",
        "{ __schema { queryType { name fields { name args { name defaultValue } } } } good { name } }",
        '{ __type(name: "Leaf") { interfaces { name } } }',
        "{ branch { fails failsHard good: leaf { name } } }",
        "{ branch { branches(count: 3) { fails again { failsHard } } } }",
        "{ branch { givesError { name } } }",
        '{ branch { shouted a: shouted(word: "b", tone: WARM) guarded b: guarded(times: 1) leaf { guarded } } }',
        "{ a: branch { fromParent } b: branch { fromParent } }",
        "{ branch { ...f ...f again { ...f } } } fragment f on Named { name ... on Branch { leaf { text } } }",
        "{ branch { leaf { text } ... on Branch { leaf { number inner { flag } } leaf { inner { text } } } } }",
        "mutation { a: count b: count(by: 2) c: count(by: -1) }",
    ],
)
async def test_documents_without_variables(query: str) -> None:
    await same(query)


async def test_directives_with_variables_are_planned_for_each_combination() -> None:
    query = """
        query ($a: Boolean!, $b: Boolean = true, $n: Int) {
            branch {
                leaf @include(if: $a) { text number @skip(if: $b) ...more @include(if: $b) }
                ... @skip(if: $a) { name }
                branches(count: $n) { name @include(if: $a) }
            }
        }
        fragment more on Leaf { maybe inner { text @skip(if: $a) } }
    """
    await same(
        query,
        *({"a": a, "b": b, "n": 1} for a in (True, False) for b in (True, False)),
        {"a": True},
        {"a": False, "n": 3},
        {"a": True, "b": None},
        {"a": False, "b": None},
        {},
        {"a": 1},
    )


async def test_a_directive_without_a_value_at_the_root() -> None:
    await same("query ($a: Boolean = true) { good @include(if: $a) { name } }", {"a": None}, {}, {"a": False})


async def test_more_combinations_than_are_remembered() -> None:
    names = "abcde"
    variables = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: name @skip(if: ${name})" for name in names)
    combinations = [{name: bool(number >> bit & 1) for bit, name in enumerate(names)} for number in range(32)]
    await same(f"query ({variables}) {{ good {{ text {fields} }} }}", *combinations)


FILTERS: list[Any] = [
    None,
    {"text": "a"},
    {"text": "a", "tone": "WARM", "tags": ["x"], "amounts": ["1.5", 2], "since": "2030-01-01"},
    {"text": "a", "tags": None, "since": None, "owner": "TGVhZjox", "reference": {"id": "1"}},
    {"text": "a", "reference": {"number": 1}, "change": None, "children": [{"text": "b", "change": "c"}]},
    {"text": "a", "tags": "one", "children": {"text": "b", "children": []}},
    {"text": "a", "reference": {"id": "1", "number": 1}},
    {"text": "a", "reference": {"id": None}},
    {"text": "a", "reference": {}},
    {"text": "a", "owner": "nonsense"},
    {"text": "a", "tone": "LUKEWARM"},
    {"text": "a", "since": "tomorrow"},
    {"text": "a", "amounts": None},
    {"text": "a", "unknown": 1},
    {"text": None},
    {},
    [],
    "x",
]


@pytest.mark.parametrize("value", FILTERS)
async def test_input_objects(value: Any) -> None:
    await same("query ($f: Filter) { describe(filter: $f) }", {"f": value})
    await same('query ($f: Filter! = {text: "default"}) { describe(filter: $f) }', {"f": value}, {})
    await same('query ($f: [Filter!]) { describe(filter: {text: "a", children: $f}) }', {"f": value})


async def test_other_arguments() -> None:
    query = """
        query ($n: [Int!], $m: [Int!]! = [5], $t: Tone, $k: UUID, $o: ID, $c: Int) {
            a: describe(numbers: $m, tone: $t, key: $k, owner: $o, change: $c)
            b: describe(numbers: [1, 7], tone: $t)
            c: describe(tone: null, key: "00000000-0000-0000-0000-000000000001")
            d: describe(numbers: $m) e: describe f: describe(filter: {text: "a", tags: ["b"]})
        }
    """.replace("$n: [Int!], ", "")
    await same(
        query,
        {},
        {"m": [1], "t": "COLD", "k": "00000000-0000-0000-0000-000000000001", "o": "TGVhZjox", "c": 3},
        {"m": 4, "t": None, "k": None, "o": None},
        {"c": None},
        {"o": "nonsense"},
        {"k": "nonsense"},
        {"m": None},
        {"m": [None]},
        {"t": "warm", "k": 1, "o": []},
    )
    await same("query ($m: [Int!] = [5]) { describe(numbers: $m) }", {}, {"m": [1]}, {"m": None})


# Any document


def composites(type_: GraphQLNamedType) -> list[GraphQLObjectType]:
    """Give the object types that a value of this type may have."""
    if isinstance(type_, (GraphQLInterfaceType, GraphQLUnionType)):
        return list(GRAPHQL_SCHEMA.get_possible_types(type_))
    assert isinstance(type_, GraphQLObjectType)
    return [type_]


@st.composite
def selections(draw: st.DrawFn, type_: GraphQLOutputType, depth: int) -> str:
    """Draw a selection set for a type, at most so deep."""
    named = get_named_type(type_)
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        if depth and draw(st.integers(0, 4)) == 0:
            target = draw(st.sampled_from(composites(named)))
            parts.append(f"... on {target.name}{draw(directives)} {draw(selections(target, depth - 1))}")
        else:
            parts.append(draw(fields(named, depth)))
    return "{ " + " ".join(parts) + " }"


@st.composite
def fields(draw: st.DrawFn, type_: GraphQLNamedType, depth: int) -> str:
    """Draw one field; its alias is made of its name and arguments, so that equal aliases mean equal fields."""
    if isinstance(type_, GraphQLUnionType):
        return "__typename"
    assert isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType))
    candidates = [name for name, field in type_.fields.items() if depth or is_leaf_type(get_named_type(field.type))]
    name = draw(st.sampled_from([*candidates, "__typename"]))
    if name == "__typename":
        return "__typename" + draw(directives)
    index = draw(st.integers(0, len(wide_schema.BROKEN) - 1))
    number = draw(st.sampled_from(["$n", "1", "3"]))
    given_arguments = {"broken": f"(index: {index})", "branches": f"(count: {number})"}.get(name, "")
    alias = f"{name}{index}: " if name == "broken" else f"{name}_{number.strip('$')}: " if name == "branches" else ""
    field_type = type_.fields[name].type
    nested = "" if is_leaf_type(get_named_type(field_type)) else " " + draw(selections(field_type, depth - 1))
    return f"{alias}{name}{given_arguments}{draw(directives)}{nested}"


directives = st.sampled_from(["", "", "", " @include(if: $a)", " @skip(if: $a)", " @include(if: true)"])


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_document(data: st.DataObject) -> None:
    assert GRAPHQL_SCHEMA.query_type is not None
    body = data.draw(selections(GRAPHQL_SCHEMA.query_type, 4))
    query = f"query ($a: Boolean! = false, $n: Int! = 2) {{ u: describe(numbers: [$n]) @skip(if: $a) ... {body} }}"
    variables = [{"a": data.draw(st.booleans()), "n": data.draw(st.integers(0, 3))} for _ in range(2)]
    asyncio.run(same(query, {}, *variables))
