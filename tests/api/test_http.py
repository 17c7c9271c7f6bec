"""The front door: what each kind of request is answered, and what never comes out."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from strawberry.extensions import SchemaExtension

from api import http
from tests.api import tiny_schema

pytestmark = pytest.mark.asyncio

JSON = {"content-type": "application/json"}
GRAPHQL = {"accept": "application/graphql-response+json"}
NODE = '{"query": "{ node { name } }"}'


@pytest.fixture
def app() -> Starlette:
    """Build the application anew, so that no test meets what another left in memory."""
    return tiny_schema.build_app()


async def send(app: Starlette, method: str = "POST", path: str = "/graphql", **options: Any) -> httpx.Response:
    """Send a request that need not make sense."""
    async with tiny_schema.client(app) as client:
        return await client.request(method, path, **options)


def code(response: httpx.Response) -> str:
    """Give the code of the only error of a response without data, which bears the response's request id."""
    content = response.json()
    assert list(content) == ["errors"]
    (error,) = content["errors"]
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    assert error["message"]
    return str(error["extensions"]["code"])


# Answers


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/html,*/*;q=0.8", "application/json"),
        ("text/html", "application/json"),
        ("application/graphql-response+json", "application/graphql-response+json"),
        ("Application/GraphQL-Response+JSON; charset=utf-8, application/json", "application/graphql-response+json"),
        ("application/json, application/graphql-response+json", "application/graphql-response+json"),
        ("application/json, application/graphql-response+json;q=0.9", "application/json"),
        ("application/graphql-response+json;q=0", "application/json"),
        ("application/graphql-response+json;q=x", "application/json"),
        (", ".join(["text/plain"] * 50 + ["application/graphql-response+json"]), "application/graphql-response+json"),
    ],
)
async def test_the_media_type_of_an_answer(app: Starlette, accept: str, expected: str) -> None:
    response = await send(app, content=NODE, headers=JSON | {"accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{expected}; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {"data": {"node": {"name": "root"}}}


async def test_a_mutation_with_variables_and_a_name(app: Starlette) -> None:
    query = "query A { node { name } } mutation B($input: NoteInput!) { note(input: $input) { text authorization } }"
    response = await tiny_schema.post(
        app,
        query,
        operationName="B",
        variables={"input": {"text": "你好"}},
        extensions={"anything": 1},
        headers={"authorization": "key"},
    )
    assert response.status_code == 200
    assert response.json() == {"data": {"note": {"text": "你好", "authorization": "key"}}}


async def test_a_query_by_get(app: Starlette) -> None:
    params = {"query": "query Q($t: String!) { echo(text: $t) }", "variables": '{"t": "a"}', "operationName": "Q"}
    response = await send(app, "GET", params=params)
    assert response.json() == {"data": {"echo": "a"}}


async def test_the_request_id_of_the_client_is_kept_if_it_is_sane(app: Starlette) -> None:
    response = await send(app, content=NODE, headers=JSON | {"x-request-id": "Order-1.a_b"})
    assert response.headers["x-request-id"] == "Order-1.a_b"


@pytest.mark.parametrize("odd", ["", "a b", "x" * 65, "é", "a\tb"])
async def test_an_odd_request_id_is_replaced(app: Starlette, odd: str) -> None:
    response = await send(app, content=NODE, headers=JSON | {"x-request-id": odd.encode("latin-1")})
    assert response.headers["x-request-id"] != odd
    assert len(response.headers["x-request-id"]) == 24


# Requests that are no GraphQL requests


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def test_other_methods(app: Starlette, method: str) -> None:
    response = await send(app, method)
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/graphql"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
async def test_other_content_types(app: Starlette, headers: dict[str, str]) -> None:
    response = await send(app, content=NODE, headers=headers)
    assert response.status_code == 415
    assert code(response) == "BAD_REQUEST"


@pytest.mark.parametrize("content_type", ["application/json;charset=UTF-8", 'Application/JSON ; charset="utf-8"'])
async def test_utf_8_may_be_said(app: Starlette, content_type: str) -> None:
    assert (await send(app, content=NODE, headers={"content-type": content_type})).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b'{"query": "{ node { name } }\xff"}',
        b'{"query": "a\x00"}',
        b"[" + NODE.encode() + b"]",
        b'"{ node { name } }"',
        b"null",
        b"{}",
        b'{"query": null}',
        b'{"query": 1}',
        b'{"query": "{ node { name } }", "variables": []}',
        b'{"query": "{ node { name } }", "operationName": 1}',
        b'{"query": "{ node { name } }", "extensions": "x"}',
        b'{"query": "{ node { name } }", "variables": {"x": ' + b"[" * 80 + b"]" * 80 + b"}}",
        b"[" * 5000 + b"]" * 5000,
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_bodies_that_are_no_request(app: Starlette, body: bytes, accept: str) -> None:
    response = await send(app, content=body, headers=JSON | {"accept": accept})
    assert response.status_code == 400
    assert code(response) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "query=",
        "variables=%7B%7D",
        "query=%7Bnode%7Bname%7D%7D&variables=%7B",
        "a=1&" * 30,
        "query=%7Ba&variables=1",
    ],
)
async def test_query_strings_that_are_no_request(app: Starlette, query_string: str) -> None:
    response = await send(app, "GET", f"/graphql?{query_string}", headers=GRAPHQL)
    assert response.status_code == 400
    assert code(response) in {"BAD_REQUEST", "GRAPHQL_PARSE_FAILED"}


async def test_a_browser_gets_no_page(app: Starlette) -> None:
    response = await send(app, "GET", headers={"accept": "text/html,application/xhtml+xml"})
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


async def test_mutations_need_post(app: Starlette) -> None:
    query = 'mutation { note(input: {text: "a"}) { text } }'
    response = await send(app, "GET", params={"query": query})
    assert (response.status_code, code(response), response.headers["allow"]) == (405, "BAD_REQUEST", "POST")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_subscriptions_need_a_socket(app: Starlette, method: str) -> None:
    parameters = {"query": "subscription { boom }"}
    place: dict[str, Any] = {"params": parameters} if method == "GET" else {"json": parameters}
    response = await send(app, method, **place)
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


# Size


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    """Send a body in pieces of a thousand bytes, without announcing its length."""
    for start in range(0, len(body), 1_000):
        yield body[start : start + 1_000]


def padded(size: int) -> bytes:
    """Give a good request of exactly this many bytes."""
    return NODE.encode() + b" " * (size - len(NODE))


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_may_have_102400_bytes_and_not_one_more(app: Starlette, chunked: bool) -> None:  # noqa: FBT001
    for size, status in ((102_400, 200), (102_401, 413)):
        body = padded(size)
        response = await send(app, content=chunks(body) if chunked else body, headers=JSON)
        assert response.status_code == status
    assert code(response) == "BAD_REQUEST"
    assert response.json()["errors"][0]["extensions"]["maximum"] == 102_400


async def test_a_query_string_has_the_same_bound(app: Starlette) -> None:
    response = await send(app, "GET", "/graphql?query=" + "%20" * 40_000, headers=GRAPHQL)
    assert (response.status_code, code(response)) == (414, "BAD_REQUEST")


async def test_an_announced_length_is_refused_without_reading() -> None:
    async def receive() -> Any:
        pytest.fail("the body was read")

    sent: list[Any] = []

    async def keep(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"9" * 5_000)],
    }
    await tiny_schema.build_app()(scope, receive, keep)
    assert sent[0]["status"] == 413


async def test_a_client_that_leaves_is_not_answered() -> None:
    messages = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(messages)

    async def keep(message: Any) -> None:
        pytest.fail(f"answered {message}")

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    await tiny_schema.build_app()(scope, receive, keep)


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
            assert code(response) == expected


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
    assert code(response) in {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}
    assert tiny_schema.SECRET not in response.text
    assert tiny_schema.SECRET in caplog.text


@pytest.mark.parametrize(
    "text", [r'"a\u0000b"', r'"\ud800"', r'"\udc00x"', r'"\ud83d\ud83d"', r'{"\u0000": 1}', r'[["\u0000"]]']
)
async def test_strings_that_no_database_can_store(app: Starlette, text: str) -> None:
    body = '{"query": "query ($v: String!) { echo(text: $v) }", "variables": {"v": ' + text + "}}"
    response = await send(app, content=body, headers=JSON | GRAPHQL)
    assert response.status_code == 400
    assert code(response) == "BAD_USER_INPUT"
    query_string = {"query": "query ($v: String!) { echo(text: $v) }", "variables": '{"v": ' + text + "}"}
    assert code(await send(app, "GET", params=query_string)) == "BAD_USER_INPUT"


async def test_strings_that_only_look_like_them(app: Starlette) -> None:
    text = "\\u0000 \\ud800 😀"
    response = await tiny_schema.post(app, "query ($v: String!) { echo(text: $v) }", variables={"v": text})
    assert response.json() == {"data": {"echo": text}}


async def test_a_bad_global_id_is_bad_input(app: Starlette) -> None:
    response = await tiny_schema.post(app, '{ member(id: "nonsense") }')
    (error,) = response.json()["errors"]
    assert (response.status_code, response.json()["data"]) == (200, None)
    assert (error["extensions"]["code"], error["path"]) == ("BAD_USER_INPUT", ["member"])


# Stored documents


async def test_a_document_may_be_named_by_its_hash_once_it_was_sent(app: Starlette) -> None:
    query = "{ node { name } }"
    digest = hashlib.sha256(query.encode()).hexdigest()
    only_hash = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}
    response = await send(app, json=only_hash, headers=GRAPHQL)
    assert (response.status_code, code(response)) == (400, "PERSISTED_QUERY_NOT_FOUND")
    assert (await send(app, json=only_hash)).status_code == 200
    both = await send(app, json={"query": query, **only_hash})
    assert both.json() == (await send(app, json=only_hash)).json() == {"data": {"node": {"name": "root"}}}


@pytest.mark.parametrize("persisted", [1, {}, {"sha256Hash": 1}, {"sha256Hash": "0" * 64}])
async def test_a_hash_that_is_not_the_documents(app: Starlette, persisted: object) -> None:
    response = await tiny_schema.post(app, "{ node { name } }", extensions={"persistedQuery": persisted})
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


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
    headers = JSON | {"authorization": authorization, "accept": accept}
    response = await send(app, content=NODE, headers=headers)
    assert (response.status_code, code(response)) == (status, expected)
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


# The application around it


async def test_a_schema_with_extensions_is_refused() -> None:
    schema = tiny_schema.build_schema(extensions=[SchemaExtension])
    with pytest.raises(ValueError, match="no extensions"):
        http.create_app(schema, context_getter=tiny_schema.context_of, readiness={})


async def test_alive_and_ready(app: Starlette) -> None:
    assert (await send(app, "GET", "/healthz")).json() == {"status": "ok"}
    assert (await send(app, "GET", "/readyz")).json() == {"status": "ok", "checks": {}}
    assert (await send(app, "GET", "/nowhere")).status_code == 404


async def test_readiness_says_what_failed_and_not_why(monkeypatch: pytest.MonkeyPatch) -> None:
    async def well() -> None:
        pass

    async def broken() -> None:
        raise OSError(tiny_schema.SECRET)

    async def stuck() -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("api.health.CHECK_SECONDS_MAX", 0.01)
    checks = {"postgresql": well, "redis": broken}
    app = tiny_schema.build_app(readiness=checks)
    response = await send(app, "GET", "/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "checks": {"postgresql": "ok", "redis": "failed"}}
    app = tiny_schema.build_app(readiness=checks, degradable=["redis"])
    response = await send(app, "GET", "/readyz")
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    response = await send(tiny_schema.build_app(readiness={"migrations": stuck}), "GET", "/readyz")
    assert response.json() == {"status": "unavailable", "checks": {"migrations": "timeout"}}


async def test_other_origins_are_allowed_by_settings_only(app: Starlette) -> None:
    headers = JSON | {"origin": "https://shop.example"}
    assert "access-control-allow-origin" not in (await send(app, content=NODE, headers=headers)).headers
    app = tiny_schema.build_app(cors_origins=["https://shop.example"])
    response = await send(app, content=NODE, headers=headers)
    assert response.headers["access-control-allow-origin"] == "https://shop.example"
    preflight = headers | {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    response = await send(app, "OPTIONS", headers=preflight)
    assert (response.status_code, response.headers["access-control-allow-methods"]) == (200, "GET, POST")
    other = preflight | {"origin": "https://elsewhere.example"}
    assert (await send(app, "OPTIONS", headers=other)).status_code == 400


async def test_introspection_is_answered(app: Starlette) -> None:
    response = await tiny_schema.post(app, '{ __schema { queryType { name } } __type(name: "Node") { kind } }')
    assert response.json() == {"data": {"__schema": {"queryType": {"name": "Query"}}, "__type": {"kind": "OBJECT"}}}
    assert orjson.loads(response.content)
