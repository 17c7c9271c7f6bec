"""Subscriptions over a socket: the protocol, and the same refusals and masks as over HTTP."""

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette

from tests.api import tiny_schema


@pytest.fixture
def app() -> Starlette:
    """Build the application anew."""
    return tiny_schema.build_app(body_max_bytes=1_000)


def code(message: Any) -> str:
    """Give the code of the only fault of an ``error`` message."""
    assert (message["id"], message["type"]) == ("1", "error")
    (fault,) = message["payload"]
    assert len(fault["extensions"]["requestId"]) == 24
    return str(fault["extensions"]["code"])


async def test_a_subscription_from_its_start_to_its_end(app: Starlette) -> None:
    async with tiny_schema.connect(app, authorization="key") as socket:
        await socket.start()
        socket.subscribe("subscription ($to: Int!) { count(to: $to) }", variables={"to": 2})
        assert await socket.message() == {"id": "1", "type": "next", "payload": {"data": {"count": "key0"}}}
        assert await socket.message() == {"id": "1", "type": "next", "payload": {"data": {"count": "key1"}}}
        assert await socket.message() == {"id": "1", "type": "complete"}
        socket.subscribe("subscription { count(to: 0) }")
        assert await socket.message() == {"id": "1", "type": "complete"}


async def test_the_credential_may_come_with_the_first_message(app: Starlette) -> None:
    async with tiny_schema.connect(app, authorization="header") as socket:
        await socket.start({"Authorization": "message"})
        socket.subscribe("subscription { count(to: 1) }")
        assert (await socket.message())["payload"] == {"data": {"count": "message0"}}


async def test_a_bad_credential_closes_the_socket(app: Starlette) -> None:
    async with tiny_schema.connect(app) as socket:
        assert (await socket.event())["type"] == "websocket.accept"
        socket.send({"type": "connection_init", "payload": {"authorization": "expired"}})
        assert (await socket.event())["code"] == 4403


async def test_only_one_protocol_is_spoken(app: Starlette) -> None:
    socket = tiny_schema.Socket(app, {}, ["graphql-ws"])
    async with socket:
        assert (await socket.event())["subprotocol"] is None
        assert (await socket.event())["code"] == 4406


async def test_pages_of_other_origins_cannot_connect(app: Starlette) -> None:
    async with tiny_schema.connect(app, origin="https://elsewhere.example") as socket:
        assert (await socket.event())["type"] == "websocket.close"
    app = tiny_schema.build_app(cors_origins=["https://shop.example"])
    async with tiny_schema.connect(app, origin="https://shop.example") as socket:
        await socket.start()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ node { name } }", "BAD_REQUEST"),
        ('mutation { note(input: {text: "a"}) { text } }', "BAD_REQUEST"),
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription ($to: Int!) { count(to: $to) }", "BAD_USER_INPUT"),
        ("subscription { forever " + "@skip(if: true) " * 51 + "}", "QUERY_TOO_COMPLEX"),
    ],
)
async def test_what_is_refused(app: Starlette, query: str, expected: str) -> None:
    async with tiny_schema.connect(app) as socket:
        await socket.start()
        socket.subscribe(query)
        assert code(await socket.message()) == expected
        socket.subscribe("subscription { count(to: 0) }")
        assert await socket.message() == {"id": "1", "type": "complete"}


async def test_a_stream_that_fails_is_masked_and_logged(app: Starlette, caplog: pytest.LogCaptureFixture) -> None:
    async with tiny_schema.connect(app) as socket:
        await socket.start()
        socket.subscribe("subscription { boom }")
        assert (await socket.message())["payload"] == {"data": {"boom": 1}}
        message = await socket.message()
        assert code(message) == "INTERNAL_SERVER_ERROR"
        assert tiny_schema.SECRET not in str(message)
        assert tiny_schema.SECRET in caplog.text


async def test_a_source_that_cannot_start_is_masked(app: Starlette, caplog: pytest.LogCaptureFixture) -> None:
    async with tiny_schema.connect(app) as socket:
        await socket.start()
        socket.subscribe("subscription { never }")
        assert code(await socket.message()) == "INTERNAL_SERVER_ERROR"
        assert "must return AsyncIterable" in caplog.text


async def test_a_client_ends_a_subscription(app: Starlette) -> None:
    async with tiny_schema.connect(app) as socket:
        await socket.start()
        socket.subscribe("subscription { forever }")
        assert (await socket.message())["payload"] == {"data": {"forever": 1}}
        socket.send({"id": "1", "type": "complete"})
        socket.send({"type": "ping"})
        assert await socket.message() == {"type": "pong"}


async def test_a_socket_runs_twenty_subscriptions(app: Starlette) -> None:
    async with tiny_schema.connect(app) as socket:
        await socket.start()
        for number in range(20):
            payload = {"query": "subscription { forever }"}
            socket.send({"id": str(number), "type": "subscribe", "payload": payload})
            assert (await socket.message())["id"] == str(number)
        socket.send({"id": "20", "type": "subscribe", "payload": payload})
        assert (await socket.message())["type"] == "error"


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "[]",
        '"subscribe"',
        {"type": "unknown"},
        {"type": ["subscribe"]},
        {"type": "subscribe", "payload": {"query": "subscription { forever }"}},
        {"type": "subscribe", "id": 1, "payload": {"query": "subscription { forever }"}},
        {"type": "subscribe", "id": "1", "payload": []},
        {"type": "subscribe", "id": "1", "payload": {}},
        {"type": "complete", "id": []},
        {"type": "ping", "payload": {"text": "x" * 1_000}},
        {"type": "ping", "payload": {"text": "\0"}},
    ],
)
async def test_a_message_of_the_wrong_shape_closes_the_socket(app: Starlette, message: object) -> None:
    async with tiny_schema.connect(app) as socket:
        await socket.start()
        socket.send(message)
        assert (await socket.event())["code"] == 4400


async def test_a_binary_message_closes_the_socket(app: Starlette) -> None:
    async with tiny_schema.connect(app) as socket:
        await socket.start()
        socket.send_bytes(b"{}")
        assert (await socket.event())["code"] == 4400


async def test_a_socket_that_says_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.subscriptions.CONNECTION_INIT_SECONDS_MAX", 0.01)
    async with tiny_schema.connect(tiny_schema.build_app()) as socket:
        assert (await socket.event())["type"] == "websocket.accept"
        await asyncio.sleep(0.02)
        assert (await socket.event())["code"] == 4408


async def test_the_context_is_built_for_every_subscription() -> None:
    credentials = iter(["fresh", "fresh", "expired"])

    async def context_of(connection: Any) -> object:
        connection.scope["headers"] = [(b"authorization", next(credentials).encode())]
        return await tiny_schema.context_of(connection)

    async with tiny_schema.connect(tiny_schema.build_app(context_getter=context_of)) as socket:
        await socket.start()
        socket.subscribe("subscription { count(to: 0) }")
        assert await socket.message() == {"id": "1", "type": "complete"}
        socket.subscribe("subscription { count(to: 0) }")
        assert code(await socket.message()) == "UNAUTHENTICATED"
