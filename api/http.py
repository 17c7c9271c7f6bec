"""GraphQL over HTTP: the front door, through which every query and mutation comes.

It follows the GraphQL-over-HTTP specification; where that leaves a choice, it was made like this:

- A request that is no GraphQL request (JSON, shape, method, media type, size) is answered with its 4xx status.
- A request that is refused as a whole before execution (credentials, rights, rate) is answered with 401, 403 or 429,
  whatever media type the client accepts, so that proxies, browsers and client libraries see it without reading it.
- A document that fails (parsing, validation, limits, choice of operation, variables) is answered with 400 to clients
  that accept ``application/graphql-response+json``, and with 200 to those that only know ``application/json``.
- Once execution has begun the status is 200: what went wrong stands in ``errors``, with the path of the field.
- GET runs queries only, and there is no page for browsers: this is a headless product.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from inspect import isawaitable
from typing import Any, NamedTuple

import orjson
import strawberry
from graphql import OperationType
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.routing import Route, WebSocketRoute
from starlette.types import Lifespan, Receive, Scope, Send

from api import errors, execution, health, limits, parameters, subscriptions, wire

BODY_MAX_BYTES = 102_400
PATH = "/graphql"


class Answer(NamedTuple):
    """A response before it is encoded: status, JSON content, and headers beyond the usual ones."""

    status: int
    content: dict[str, Any]
    headers: Mapping[str, str] = {}


class Endpoint:
    """The ASGI application behind ``/graphql`` for HTTP."""

    def __init__(self, runner: execution.Runner, context_getter: execution.ContextGetter, body_max_bytes: int) -> None:
        self._runner = runner
        self._context_getter = context_getter
        self._body_max_bytes = body_max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = wire.read_head(scope)
        scope["request_id"] = head.request_id
        try:
            answer = await self._answer(scope, receive, head)
            body = orjson.dumps(answer.content)
        except errors.ApiError as error:
            answer = _refusal(error, head)
            body = orjson.dumps(answer.content)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001
            # The one place where anything unforeseen ends, so that nothing of it reaches a client.
            errors.log_unexpected(error, head.request_id)
            answer = Answer(500, {"errors": [errors.internal(head.request_id)]})
            body = orjson.dumps(answer.content)
        await wire.send_answer(send, head, answer.status, body, answer.headers)

    async def _answer(self, scope: Scope, receive: Receive, head: wire.Head) -> Answer:
        method = scope["method"]
        request = await self._parameters(method, scope, receive, head)
        # Credentials and rate come before the document: reading one costs milliseconds.
        context = await self._context_getter(Request(scope, receive))
        try:
            return Answer(200, await self._execute(request, context, method, head.request_id))
        except errors.DocumentError as refused:
            status = 400 if head.media_type is wire.GRAPHQL_JSON else 200
            return Answer(status, {"errors": errors.stamped(refused.faults, head.request_id)})

    async def _parameters(self, method: str, scope: Scope, receive: Receive, head: wire.Head) -> parameters.Parameters:
        if method == "POST":
            wire.require_json(head)
            return parameters.from_body(await wire.read_body(receive, head, self._body_max_bytes))
        if method == "GET":
            wire.require_short(scope["query_string"], self._body_max_bytes)
            return parameters.from_query_string(scope["query_string"])
        raise _method_not_allowed("GraphQL is served by POST, and queries by GET.", "GET, POST")

    async def _execute(
        self, request: parameters.Parameters, context: object, method: str, request_id: str
    ) -> dict[str, Any]:
        require = _require_query if method == "GET" else _require_no_subscription
        result = self._runner.prepare(request, context, require).run()
        if isawaitable(result):
            result = await result
        return execution.content(result, request_id)


def create_app(
    schema: strawberry.Schema,
    *,
    context_getter: execution.ContextGetter,
    readiness: Mapping[str, health.Check],
    degradable: Collection[str] = (),
    lifespan: Lifespan[Starlette] | None = None,
    bounds: limits.Limits | None = None,
    body_max_bytes: int = BODY_MAX_BYTES,
    cors_origins: Sequence[str] = (),
) -> Starlette:
    """Build the whole HTTP face: ``/graphql`` (HTTP and WebSocket), ``/healthz`` and ``/readyz``.

    ``context_getter`` is awaited once for every request and every subscription. ``readiness`` names the checks of
    ``/readyz``; those also named in ``degradable`` are reported but do not make it fail. ``body_max_bytes`` bounds a
    body and a socket message. Browsers of ``cors_origins`` may call (``*``: of any origin; never with cookies).

    Raises ValueError for a schema that ``execution.Runner`` refuses.
    """
    runner = execution.Runner(schema, bounds or limits.Limits())
    routes = [
        Route(PATH, Endpoint(runner, context_getter, body_max_bytes)),
        WebSocketRoute(PATH, subscriptions.Endpoint(schema, runner, context_getter, body_max_bytes, cors_origins)),
        *health.routes(readiness, degradable),
    ]
    return Starlette(routes=routes, middleware=_cors(cors_origins), lifespan=lifespan)


def request_id(connection: HTTPConnection) -> str:
    """Give the id under which this request is logged and answered."""
    return str(connection.scope["request_id"])


def _cors(origins: Sequence[str]) -> list[Middleware]:
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=("GET", "POST"),
            allow_headers=("Authorization", "Content-Type", "X-Request-Id"),
            expose_headers=("X-Request-Id", "Retry-After"),
        )
    ]


def _require_query(operation: OperationType) -> None:
    _require_no_subscription(operation)
    if operation is OperationType.MUTATION:
        raise _method_not_allowed("Mutations must be sent by POST.", "POST")


def _require_no_subscription(operation: OperationType) -> None:
    if operation is OperationType.SUBSCRIPTION:
        raise errors.ApiError(
            "Subscriptions are served over WebSocket, by the protocol graphql-transport-ws.",
            errors.ErrorCode.BAD_REQUEST,
        )


def _method_not_allowed(message: str, allowed: str) -> errors.ApiError:
    return errors.ApiError(message, errors.ErrorCode.BAD_REQUEST, status=405, headers={"allow": allowed})


def _refusal(error: errors.ApiError, head: wire.Head) -> Answer:
    headers = dict(error.headers)
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    retry_after = error.facts.get("retryAfterSeconds")
    if isinstance(retry_after, (int, float)):
        headers["retry-after"] = str(math.ceil(retry_after))
    return Answer(error.status, {"errors": [errors.from_refusal(error, head.request_id)]}, headers)
