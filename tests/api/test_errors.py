"""What cannot be run is refused with a reason; what breaks is logged, and not told."""

import logging
from typing import Any

import pytest
from starlette.applications import Starlette

from tests.api import tiny_schema


@pytest.fixture
def app() -> Starlette:
    """Build the application anew, so that no test meets what another left in memory."""
    return tiny_schema.build_app()


# Documents and variables that cannot be run


@pytest.mark.parametrize(
    ("query", "more", "expected"),
    [
        ("{ node {", {}, "GRAPHQL_PARSE_FAILED"),
        ("", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ even(value: 3) }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("fragment f on Node { name }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("query A { node { name } } query B { node { name } }", {}, "BAD_REQUEST"),
        ("query A { node { name } }", {"operationName": "B"}, "BAD_REQUEST"),
        ("{" + " ".join(f"a{n}: node {{ name }}" for n in range(60)) + "}", {}, "QUERY_TOO_COMPLEX"),
        ("query ($v: Even!) { even(value: $v) }", {}, "BAD_USER_INPUT"),
        ("query ($v: Even!) { even(value: $v) }", {"variables": {"v": 3}}, "BAD_USER_INPUT"),
        ("query ($v: String!) { echo(text: $v) }", {"variables": {"v": 3}}, "BAD_USER_INPUT"),
        ('{ echo(text: "\\u0000") }', {}, "BAD_USER_INPUT"),
        ('{ echo(text: "\\u{0}") }', {}, "BAD_USER_INPUT"),
        ('{ echo(text: "\\uD800") }', {}, "GRAPHQL_PARSE_FAILED"),
    ],
)
async def test_a_document_that_cannot_be_run(app: Starlette, query: str, more: dict[str, Any], expected: str) -> None:
    for accept, status in (("application/graphql-response+json", 400), ("application/json", 200)):
        for _ in ("first", "remembered"):
            response = await tiny_schema.post(app, query, headers={"accept": accept}, **more)
            assert response.status_code == status
            assert tiny_schema.code(response) == expected


async def test_the_error_of_a_variable_says_what_is_wrong(app: Starlette) -> None:
    query = "query ($v: Even!) { even(value: $v) }"
    response = await tiny_schema.post(app, query, variables={"v": 3}, headers={"x-request-id": "r"})
    assert response.json() == {
        "errors": [
            {
                "message": (
                    "Variable '$v' has invalid value: Expected value of type 'Even', "
                    "but encountered error 'Even must be an even integer.'; found: 3."
                ),
                "locations": [{"line": 1, "column": 8}],
                "extensions": {"code": "BAD_USER_INPUT", "requestId": "r"},
            }
        ]
    }


@pytest.mark.parametrize("query", ["query ($v: Broken!) { broken(value: $v) }", '{ broken(value: "a") }'])
async def test_a_scalar_that_breaks_is_not_quoted(app: Starlette, query: str, caplog: pytest.LogCaptureFixture) -> None:
    variables = {"v": "a"} if "$v" in query else {}
    response = await tiny_schema.post(app, query, variables=variables)
    assert response.status_code == 400
    assert tiny_schema.code(response) in {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}
    assert tiny_schema.SECRET not in response.text
    assert tiny_schema.SECRET in caplog.text


@pytest.mark.parametrize(
    "text", [r'"a\u0000b"', r'"\ud800"', r'"\udc00x"', r'"\ud83d\ud83d"', r'{"\u0000": 1}', r'[["\u0000"]]']
)
async def test_strings_that_no_database_can_store(app: Starlette, text: str) -> None:
    body = '{"query": "query ($v: String!) { echo(text: $v) }", "variables": {"v": ' + text + "}}"
    response = await tiny_schema.send(app, content=body, headers=tiny_schema.JSON | tiny_schema.GRAPHQL)
    assert response.status_code == 400
    assert tiny_schema.code(response) == "BAD_USER_INPUT"
    query_string = {"query": "query ($v: String!) { echo(text: $v) }", "variables": '{"v": ' + text + "}"}
    assert tiny_schema.code(await tiny_schema.send(app, "GET", params=query_string)) == "BAD_USER_INPUT"


async def test_strings_that_only_look_like_them(app: Starlette) -> None:
    text = "\\u0000 \\ud800 😀"
    response = await tiny_schema.post(app, "query ($v: String!) { echo(text: $v) }", variables={"v": text})
    assert response.json() == {"data": {"echo": text}}


async def test_a_bad_global_id_is_bad_input(app: Starlette) -> None:
    response = await tiny_schema.post(app, '{ member(id: "nonsense") }')
    (error,) = response.json()["errors"]
    assert (response.status_code, response.json()["data"]) == (200, None)
    assert (error["extensions"]["code"], error["path"]) == ("BAD_USER_INPUT", ["member"])


# Refused requests and failing fields


@pytest.mark.parametrize(
    ("authorization", "status", "expected", "header"),
    [
        ("expired", 401, "UNAUTHENTICATED", ("www-authenticate", "Bearer")),
        ("eager", 429, "THROTTLED", ("retry-after", "2")),
        ("unlucky", 500, "INTERNAL_SERVER_ERROR", ("cache-control", "no-store")),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_a_request_refused_before_execution(
    app: Starlette, authorization: str, status: int, expected: str, header: tuple[str, str], accept: str
) -> None:
    headers = tiny_schema.JSON | {"authorization": authorization, "accept": accept}
    response = await tiny_schema.send(app, content=tiny_schema.NODE, headers=headers)
    assert (response.status_code, tiny_schema.code(response)) == (status, expected)
    assert response.headers[header[0]] == header[1]
    assert tiny_schema.SECRET not in response.text


@pytest.mark.parametrize("field", ["boom", "boomLater", "wrongType", "huge"])
async def test_what_was_not_foreseen_is_logged_and_not_told(
    app: Starlette, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = await tiny_schema.post(app, f"{{ {field} }}", headers={"x-request-id": "find-me"})
    (error,) = response.json()["errors"]
    assert error["message"] == "Internal server error"
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "requestId": "find-me"}
    assert tiny_schema.SECRET not in response.text
    assert "find-me" in caplog.text
    assert "Traceback" in caplog.text


async def test_one_field_fails_and_the_others_are_answered(app: Starlette) -> None:
    response = await tiny_schema.post(app, "{ a: forbidden node { name } }", headers={"x-request-id": "r"})
    assert response.status_code == 200
    assert response.json() == {
        "errors": [
            {
                "message": "Staff only.",
                "locations": [{"line": 1, "column": 3}],
                "path": ["a"],
                "extensions": {"code": "FORBIDDEN", "requestId": "r", "scope": "staff"},
            }
        ],
        "data": {"a": None, "node": {"name": "root"}},
    }


async def test_many_failures_are_logged_ten_times(app: Starlette, caplog: pytest.LogCaptureFixture) -> None:
    query = "{" + " ".join(f"a{n}: boom" for n in range(20)) + "}"
    with caplog.at_level(logging.ERROR, "tessera.api"):
        response = await tiny_schema.post(app, query)
    assert len(response.json()["errors"]) == 20
    assert len(caplog.records) == 10
