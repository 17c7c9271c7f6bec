"""Subscriptions over WebSocket, by the protocol ``graphql-transport-ws``; nothing else runs here.

Queries and mutations are refused on a socket: each must pass the front door of HTTP, where credentials, rate and size
are checked for every single one. ``connection_init`` may carry ``authorization``, which browsers cannot send as a
header; it then stands in the place of that header. The context is built anew for every subscription, so a credential
that has expired meanwhile opens no new one.
"""

import asyncio
import functools
import logging
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta
from inspect import isawaitable
from typing import Any, cast

import orjson
import starlette.websockets
import strawberry
from graphql import ExecutionResult, GraphQLFormattedError, OperationType
from graphql.execution import (
    Executor,
    create_source_event_stream,
    map_source_to_response_event,
)
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import NonJsonMessageReceived, WebSocketDisconnected
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import Message, NextMessagePayload
from strawberry.types.unset import UNSET, UnsetType

from api import errors, execution, parameters, plans, sockets, wire

CONNECTION_INIT_SECONDS_MAX = 10
SUBSCRIPTIONS_MAX = 20
"""Running at once on one socket."""
SEND_SECONDS_MAX = 10
"""How long one answer may wait for a client to read it."""
CLOSE_SECONDS_MAX = 1

logger = logging.getLogger("tessera.live")

# Of a socket that is closed, by the other side or by another of its subscriptions.
_GONE = (WebSocketDisconnected, starlette.websockets.WebSocketDisconnected)


class TooSlow(Exception):
    """A client does not read what is sent to it."""


class Connection:
    """One socket: its handshake, and ``connection_params``, which ``connection_init`` brings."""

    def __init__(self, handshake: HTTPConnection) -> None:
        self.handshake = handshake
        self.connection_params: Mapping[str, object] = {}

    def credentials(self) -> HTTPConnection:
        """Give the handshake as if it had been sent with the ``authorization`` of ``connection_init``."""
        scope = self.handshake.scope
        given = {key.lower(): value for key, value in self.connection_params.items()}
        authorization = given.get("authorization")
        if authorization is None:
            return HTTPConnection(scope)
        headers = [header for header in scope["headers"] if header[0] != b"authorization"]
        # What is no text is no good credential either, and is refused as such.
        headers.append((b"authorization", str(authorization).encode()))
        return HTTPConnection({**scope, "headers": headers})


class Handler(BaseGraphQLTransportWSHandler[Connection, None]):
    """One socket's conversation; every subscription is a task of its own."""

    view: "Endpoint"

    async def handle_message(self, message: Message) -> None:
        """Close the socket with 4400 on a message of the wrong shape, instead of failing on it."""
        if _is_well_formed(message):
            await super().handle_message(message)
        else:
            await self.handle_invalid_message("Failed to parse message")

    async def run_operation(self, operation: Operation[Connection, None]) -> None:
        """Send what the subscription yields, until it completes or fails."""
        request_id = self.context.handshake.scope["request_id"]
        try:
            async with aclosing(self._contents(operation, request_id)) as contents:
                async for content in contents:
                    await self._send(operation, content)
            await operation.send_operation_message({"id": operation.id, "type": "complete"})
        except _GONE:
            return
        except TooSlow:
            await self._drop()
        except errors.DocumentError as refused:
            await self._fail(operation, errors.stamped(refused.faults, request_id))
        except errors.ApiError as error:
            await self._fail(operation, [errors.from_refusal(error, request_id)])
        except Exception as error:  # noqa: BLE001
            # Nothing above catches for this task: what is not sent here leaves the client waiting for ever.
            errors.log_unexpected(error, request_id, "a subscription")
            await self._fail(operation, [errors.internal(request_id)])

    async def _send(self, operation: Operation[Connection, None], content: dict[str, Any]) -> None:
        """Send an answer. Raises `TooSlow` for a client that does not read what it asked for."""
        try:
            async with asyncio.timeout(SEND_SECONDS_MAX):
                await operation.send_operation_message(
                    {"id": operation.id, "type": "next", "payload": cast(NextMessagePayload, content)}
                )
        except TimeoutError:
            raise TooSlow from None

    async def _drop(self) -> None:
        """Close the socket of a client that does not read; cut it off if even that is not read."""
        logger.info("a client was dropped: it did not read its live answers")
        try:
            async with asyncio.timeout(CLOSE_SECONDS_MAX):
                await self.websocket.close(code=1013, reason="The client reads too slowly; connect again.")
        except (TimeoutError, *_GONE):
            sockets.cut_off(self.context.handshake.scope)

    async def _contents(
        self, operation: Operation[Connection, None], request_id: str
    ) -> AsyncGenerator[dict[str, Any], None]:
        request = parameters.from_object(
            {
                "query": operation.query,
                "operationName": operation.operation_name,
                "variables": operation.variables,
            }
        )
        context = await self.view.context_getter(self.context.credentials())
        executor = self.view.runner.prepare(request, context, _require_subscription)
        source = await _source(executor)
        if isinstance(source, ExecutionResult):
            raise errors.DocumentError(*errors.from_execution(source.errors or (), request_id))
        run = functools.partial(_answered_once, context, orjson.dumps([*request], option=orjson.OPT_SORT_KEYS))
        async with aclosing(map_source_to_response_event(executor, source, run)) as results:
            async for result in results:
                yield execution.content(result, request_id)

    async def _fail(self, operation: Operation[Connection, None], faults: list[errors.Fault]) -> None:
        # The entries of ``errors`` are plain JSON; the library's type for them is a TypedDict of the same keys.
        await operation.send_operation_message(
            {"id": operation.id, "type": "error", "payload": cast(list[GraphQLFormattedError], faults)}
        )


class Endpoint(GraphQL[Connection, None]):
    """The ASGI application behind ``/graphql`` for WebSocket.

    ``body_max_bytes`` bounds a message. Browsers may only connect from the same origin or from ``allowed_origins``.
    """

    graphql_transport_ws_handler_class = Handler

    def __init__(
        self,
        schema: strawberry.Schema,
        runner: execution.Runner,
        context_getter: execution.ContextGetter,
        body_max_bytes: int,
        allowed_origins: Sequence[str],
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=CONNECTION_INIT_SECONDS_MAX),
            max_subscriptions_per_connection=SUBSCRIPTIONS_MAX,
            allowed_origins=allowed_origins,
        )
        self.runner = runner
        self.context_getter = context_getter
        self._body_max_bytes = body_max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket under one request id."""
        scope["request_id"] = wire.read_head(scope).request_id
        await super().__call__(scope, receive, send)

    async def get_context(
        self,
        request: Request | WebSocket,
        response: Response | WebSocket,  # noqa: ARG002
    ) -> Connection:
        """Give the connection; the context of a subscription is built when it starts."""
        return Connection(request)

    async def on_ws_connect(self, context: Connection) -> UnsetType:
        """Refuse a credential that is no good at once, with 4403."""
        try:
            await self.context_getter(context.credentials())
        except errors.ApiError as error:
            raise ConnectionRejectionError from error
        return cast(UnsetType, UNSET)

    def decode_json(self, data: str | bytes) -> object:
        """Decode a message under the same conditions as a body."""
        message = data if isinstance(data, bytes) else data.encode()
        if len(message) > self._body_max_bytes:
            raise NonJsonMessageReceived
        try:
            return parameters.decode(message)
        except errors.ApiError as error:
            raise NonJsonMessageReceived from error

    def encode_json(self, data: object) -> str:
        """Encode a message as text: the protocol knows no binary messages."""
        return orjson.dumps(data).decode()


def _is_well_formed(message: object) -> bool:
    if not isinstance(message, dict):
        return False
    if message.get("type") == "subscribe":
        return isinstance(message.get("id"), str) and isinstance(message.get("payload"), dict)
    return isinstance(message.get("id", ""), str) and isinstance(message.get("payload") or {}, dict)


def _require_subscription(operation: OperationType) -> None:
    if operation is not OperationType.SUBSCRIPTION:
        raise errors.ApiError(
            "Queries and mutations must be sent by POST; sockets serve subscriptions only.",
            errors.ErrorCode.BAD_REQUEST,
        )


def _answered_once(
    context: Any, question: bytes, executor: plans.Executor
) -> ExecutionResult | Awaitable[ExecutionResult]:
    """The answer to an event: one for all who ask the same as the same caller, and read the same."""
    reading = getattr(context, "reading", None)
    if reading is None:
        return executor.run()
    place = (context.caller, question)
    answer = reading.answers.get(place)
    if answer is None:
        answer = reading.answers[place] = asyncio.ensure_future(
            _answered_in_turn(context.backend.readings.turns, executor)
        )
    # Who hangs up meanwhile does not take the answer from the others.
    return asyncio.shield(answer)


async def _answered_in_turn(turns: asyncio.Semaphore, executor: plans.Executor) -> ExecutionResult:
    async with turns:
        result = executor.run()
        return await result if isawaitable(result) else result


async def _source(executor: Executor[Any]) -> AsyncIterable[Any] | ExecutionResult:
    stream = create_source_event_stream(executor)
    return await stream if isawaitable(stream) else stream
