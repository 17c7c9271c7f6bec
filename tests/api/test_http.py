"""The front door: what each kind of request is answered, and what never comes out."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from strawberry.extensions import SchemaExtension

from api import http
from tests.api import tiny_schema


@pytest.fixture
def app() -> Starlette:
    """Build the application anew, so that no test meets what another left in memory."""
    return tiny_schema.build_app()


# Answers


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/html,*/*;q=0.8", "application/json"),
        ("text/html", "application/json"),
        ("application/graphql-response+json", "application/graphql-response+json"),
        (
            "Application/GraphQL-Response+JSON; charset=utf-8, application/json",
            "application/graphql-response+json",
        ),
        ("application/json, application/graphql-response+json", "application/graphql-response+json"),
        ("application/json, application/graphql-response+json;q=0.9", "application/json"),
        ("application/graphql-response+json;q=0", "application/json"),
        ("application/graphql-response+json;q=x", "application/json"),
        (", ".join(["text/plain"] * 50 + ["application/graphql-response+json"]), "application/graphql-response+json"),
    ],
)
async def test_the_media_type_of_an_answer(app: Starlette, accept: str, expected: str) -> None:
    response = await tiny_schema.send(app, content=tiny_schema.NODE, headers=tiny_schema.JSON | {"accept": accept})
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
    response = await tiny_schema.send(app, "GET", params=params)
    assert response.json() == {"data": {"echo": "a"}}


async def test_the_request_id_of_the_client_is_kept_if_it_is_sane(app: Starlette) -> None:
    response = await tiny_schema.send(
        app, content=tiny_schema.NODE, headers=tiny_schema.JSON | {"x-request-id": "Order-1.a_b"}
    )
    assert response.headers["x-request-id"] == "Order-1.a_b"


@pytest.mark.parametrize("odd", ["", "a b", "x" * 65, "é", "a\tb"])
async def test_an_odd_request_id_is_replaced(app: Starlette, odd: str) -> None:
    response = await tiny_schema.send(
        app, content=tiny_schema.NODE, headers=tiny_schema.JSON | {"x-request-id": odd.encode("latin-1")}
    )
    assert response.headers["x-request-id"] != odd
    assert len(response.headers["x-request-id"]) == 24


# Requests that are no GraphQL requests


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def test_other_methods(app: Starlette, method: str) -> None:
    response = await tiny_schema.send(app, method)
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
    response = await tiny_schema.send(app, content=tiny_schema.NODE, headers=headers)
    assert response.status_code == 415
    assert tiny_schema.code(response) == "BAD_REQUEST"


@pytest.mark.parametrize("content_type", ["application/json;charset=UTF-8", 'Application/JSON ; charset="utf-8"'])
async def test_utf_8_may_be_said(app: Starlette, content_type: str) -> None:
    assert (
        await tiny_schema.send(app, content=tiny_schema.NODE, headers={"content-type": content_type})
    ).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b'{"query": "{ node { name } }\xff"}',
        b'{"query": "a\x00"}',
        b"[" + tiny_schema.NODE.encode() + b"]",
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
    response = await tiny_schema.send(app, content=body, headers=tiny_schema.JSON | {"accept": accept})
    assert response.status_code == 400
    assert tiny_schema.code(response) == "BAD_REQUEST"


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
    response = await tiny_schema.send(app, "GET", f"/graphql?{query_string}", headers=tiny_schema.GRAPHQL)
    assert response.status_code == 400
    assert tiny_schema.code(response) in {"BAD_REQUEST", "GRAPHQL_PARSE_FAILED"}


async def test_a_browser_gets_no_page(app: Starlette) -> None:
    response = await tiny_schema.send(app, "GET", headers={"accept": "text/html,application/xhtml+xml"})
    assert (response.status_code, tiny_schema.code(response)) == (400, "BAD_REQUEST")


async def test_mutations_need_post(app: Starlette) -> None:
    query = 'mutation { note(input: {text: "a"}) { text } }'
    response = await tiny_schema.send(app, "GET", params={"query": query})
    assert (response.status_code, tiny_schema.code(response), response.headers["allow"]) == (405, "BAD_REQUEST", "POST")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_subscriptions_need_a_socket(app: Starlette, method: str) -> None:
    parameters = {"query": "subscription { boom }"}
    place: dict[str, Any] = {"params": parameters} if method == "GET" else {"json": parameters}
    response = await tiny_schema.send(app, method, **place)
    assert (response.status_code, tiny_schema.code(response)) == (400, "BAD_REQUEST")


# Size


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    """Send a body in pieces of a thousand bytes, without announcing its length."""
    for start in range(0, len(body), 1_000):
        yield body[start : start + 1_000]


def padded(size: int) -> bytes:
    """Give a good request of exactly this many bytes."""
    return tiny_schema.NODE.encode() + b" " * (size - len(tiny_schema.NODE))


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_may_have_102400_bytes_and_not_one_more(app: Starlette, chunked: bool) -> None:
    for size, status in ((102_400, 200), (102_401, 413)):
        body = padded(size)
        response = await tiny_schema.send(app, content=chunks(body) if chunked else body, headers=tiny_schema.JSON)
        assert response.status_code == status
    assert tiny_schema.code(response) == "BAD_REQUEST"
    assert response.json()["errors"][0]["extensions"]["maximum"] == 102_400


async def test_a_query_string_has_the_same_bound() -> None:
    app = tiny_schema.build_app(body_max_bytes=1_000)
    for size, status in ((1_000, 200), (1_001, 414)):
        query_string = "query={node{name}}"
        response = await tiny_schema.send(app, "GET", f"/graphql?{query_string}&{'x' * (size - len(query_string) - 1)}")
        assert response.status_code == status
    assert tiny_schema.code(response) == "BAD_REQUEST"


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


# Stored documents


async def test_a_document_may_be_named_by_its_hash_once_it_was_sent(app: Starlette) -> None:
    query = "{ node { name } }"
    digest = hashlib.sha256(query.encode()).hexdigest()
    only_hash = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}
    response = await tiny_schema.send(app, json=only_hash, headers=tiny_schema.GRAPHQL)
    assert (response.status_code, tiny_schema.code(response)) == (400, "PERSISTED_QUERY_NOT_FOUND")
    assert (await tiny_schema.send(app, json=only_hash)).status_code == 200
    both = await tiny_schema.send(app, json={"query": query, **only_hash})
    assert both.json() == (await tiny_schema.send(app, json=only_hash)).json() == {"data": {"node": {"name": "root"}}}


@pytest.mark.parametrize("persisted", [1, {}, {"sha256Hash": 1}, {"sha256Hash": "0" * 64}])
async def test_a_hash_that_is_not_the_documents(app: Starlette, persisted: object) -> None:
    response = await tiny_schema.post(app, "{ node { name } }", extensions={"persistedQuery": persisted})
    assert (response.status_code, tiny_schema.code(response)) == (400, "BAD_REQUEST")


# The application around it


async def test_a_schema_with_extensions_is_refused() -> None:
    schema = tiny_schema.build_schema(extensions=[SchemaExtension])
    with pytest.raises(ValueError, match="no extensions"):
        http.create_app(schema, context_getter=tiny_schema.context_of, readiness={})


async def test_other_origins_are_allowed_by_settings_only(app: Starlette) -> None:
    headers = tiny_schema.JSON | {"origin": "https://shop.example"}
    assert (
        "access-control-allow-origin"
        not in (await tiny_schema.send(app, content=tiny_schema.NODE, headers=headers)).headers
    )
    app = tiny_schema.build_app(cors_origins=["https://shop.example"])
    response = await tiny_schema.send(app, content=tiny_schema.NODE, headers=headers)
    assert response.headers["access-control-allow-origin"] == "https://shop.example"
    preflight = headers | {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    response = await tiny_schema.send(app, "OPTIONS", headers=preflight)
    assert (response.status_code, response.headers["access-control-allow-methods"]) == (200, "GET, POST")
    other = preflight | {"origin": "https://elsewhere.example"}
    assert (await tiny_schema.send(app, "OPTIONS", headers=other)).status_code == 400


async def test_introspection_is_answered(app: Starlette) -> None:
    response = await tiny_schema.post(app, '{ __schema { queryType { name } } __type(name: "Node") { kind } }')
    assert response.json() == {"data": {"__schema": {"queryType": {"name": "Query"}}, "__type": {"kind": "OBJECT"}}}
    assert orjson.loads(response.content)
