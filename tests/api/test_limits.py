"""What one document may ask for, and that saying no costs milliseconds."""

import gc
import time

import pytest
from graphql import get_introspection_query, parse

from api import documents, errors, limits
from tests.api import tiny_schema

ANSWER_SECONDS_MAX = 0.25
"""Of processor time: ten times what the slowest document below needs; the defect this guards against takes seconds."""


def read(query: str, bounds: limits.Limits | None = None) -> documents.Document:
    """Read a document within a time that no bomb may exceed.

    Without the collector: what a full collection costs is up to everything that the tests before this one left behind.
    """
    known = documents.Documents(tiny_schema.build_schema()._schema, bounds or limits.Limits())
    gc.disable()
    try:
        started = time.process_time()
        document = known.get(query)
        assert time.process_time() - started < ANSWER_SECONDS_MAX
    finally:
        gc.enable()
    return document


def refusal(query: str, bounds: limits.Limits | None = None) -> dict[str, object] | None:
    """Read a document, and give the extensions of its first fault."""
    document = read(query, bounds)
    return document.faults[0]["extensions"] if document.faults else None


def too_complex(limit: str, value: int, maximum: int) -> dict[str, object]:
    """Give the extensions of a refusal."""
    code = errors.ErrorCode.QUERY_TOO_COMPLEX
    return {"code": code, "requestId": "", "limit": limit, "value": value, "maximum": maximum}


def nested(depth: int) -> str:
    """Give a document of this depth."""
    return "{ node " + "{ child " * (depth - 2) + "{ name }" + " }" * (depth - 1)


def doubled_fragments(count: int, leaf: str) -> str:
    """Give fragments of which each spreads the next twice."""
    chain = "".join(f"fragment f{n} on Node {{...f{n + 1} ...f{n + 1}}}" for n in range(count))
    return f"{{ node {{ ...f0 }} }} {chain} fragment f{count} on Node {{ {leaf} }}"


def test_a_document_is_measured_with_its_fragments_expanded() -> None:
    query = """
        query ($deep: Boolean! = true @skip(if: true)) {
            a: node { ...pair }
            ... on Query { node { child { ...pair } } }
            ...root @include(if: $deep)
        }
        fragment root on Query { b: node { name } echo(text: "x") }
        fragment pair on Node { c: name @include(if: $deep) child { d: name } }
    """
    sizes, comparisons = limits.measure(parse(query))
    assert sizes == [limits.Size(depth=4, root_fields=4, fields=12, aliases=6, directives=4)]
    # Names: a, b, c, d, echo once; node once, name once, child twice; three spreads.
    assert comparisons == 7 * 1 + 2**2 + 3**2


def test_every_operation_is_measured() -> None:
    sizes, _ = limits.measure(parse('query A { node { name } } query B { echo(text: "") }'))
    assert [size.depth for size in sizes] == [2, 1]


@pytest.mark.parametrize(("depth", "expected"), [(16, None), (17, too_complex("depth", 17, 16))])
def test_depth(depth: int, expected: object) -> None:
    assert refusal(nested(depth)) == expected


def test_depth_through_fragments() -> None:
    chain = "".join(f"fragment f{n} on Node {{ child {{ ...f{n + 1} }} }}" for n in range(20))
    query = f"{{ node {{ ...f0 }} }} {chain} fragment f20 on Node {{ name }}"
    assert refusal(query) == too_complex("depth", 22, 16)


def test_nesting_that_the_parser_itself_refuses() -> None:
    assert refusal(nested(250)) == too_complex("nesting", 201, 200)


@pytest.mark.parametrize(("count", "expected"), [(30, None), (31, too_complex("aliases", 31, 30))])
def test_aliases(count: int, expected: object) -> None:
    aliases = " ".join(f"a{n}: name" for n in range(count))
    assert refusal(f"{{ node {{ {aliases} }} }}") == expected


def test_a_hundred_aliases_of_a_root_field() -> None:
    query = "{" + " ".join(f"a{n}: node {{ name }}" for n in range(100)) + "}"
    assert refusal(query) == too_complex("rootFields", 100, 20)


@pytest.mark.parametrize(("count", "expected"), [(50, None), (51, too_complex("directives", 51, 50))])
def test_directives(count: int, expected: object) -> None:
    fields = " ".join("name @skip(if: false)" for _ in range(count))
    assert refusal(f"{{ node {{ {fields} }} }}") == expected


def test_a_flood_of_directives_on_one_field() -> None:
    query = "{ node { name " + "@a" * 400 + " } }"
    assert refusal(query) == too_complex("directives", 400, 50)


def test_tokens_stop_the_parser() -> None:
    assert refusal("{ node { " + "name " * 10_000 + "} }") == too_complex("tokens", 2_001, 2_000)


def test_comments_are_tokens() -> None:
    assert refusal("#\n" * 10_000 + "{ node { name } }") == too_complex("tokens", 2_001, 2_000)


def test_one_name_selected_again_and_again() -> None:
    fields = "child { name } " * 150
    assert refusal(f"{{ node {{ {fields} }} }}") == too_complex("comparisons", 2 * 150**2 + 1, 20_000)


@pytest.mark.parametrize("leaf", ["name", "a: name", "name @skip(if: true)"])
def test_doubled_fragments(leaf: str) -> None:
    query = doubled_fragments(20, leaf)
    assert len(query) < 800
    assert refusal(query) == too_complex("fields", 2**20 + 1, 1_000)


def test_doubled_fragments_beyond_what_json_can_count() -> None:
    bounds = limits.Limits(comparisons_max=10**9)
    assert refusal(doubled_fragments(70, "name"), bounds) == too_complex("fields", 10**9, 1_000)


@pytest.mark.parametrize(
    "fragments",
    [
        "fragment f0 on Node { ...f0 }",
        "fragment f0 on Node { ...f1 ...f1 } fragment f1 on Node { child { ...f0 ...f0 } }",
        "fragment f0 on Node { ...missing }",
    ],
)
def test_cyclic_and_missing_fragments_are_left_to_validation(fragments: str) -> None:
    found = refusal("{ node { ...f0 name } } " + fragments)
    assert found == {"code": errors.ErrorCode.GRAPHQL_VALIDATION_FAILED, "requestId": ""}


@pytest.mark.parametrize("thorough", [False, True])
def test_the_introspection_query_of_the_common_tools_passes(thorough: bool) -> None:
    query = get_introspection_query(
        specified_by_url=thorough,
        directive_is_repeatable=thorough,
        schema_description=thorough,
        input_value_deprecation=thorough,
        one_of=thorough,
    )
    assert refusal(query) is None


@pytest.mark.parametrize(
    "query",
    [
        "mutation { note(input: {" + " ".join(f"a{n}: 1" for n in range(600)) + "}) { text } }",
        "{ node {" + " ".join("x" * 90 + str(n) for n in range(900)) + "} }",
        "{ node { children(first: " + "9" * 50_000 + ") { name } } }",
    ],
)
def test_what_a_document_gets_wrong_is_quoted_in_small_doses(query: str) -> None:
    faults = read(query).faults
    assert 1 <= len(faults) <= errors.FAULTS_MAX + 1
    assert all(len(fault["message"]) <= errors.QUOTED_CHARACTERS_MAX + 1 for fault in faults)
