"""A schema with one field for each way a request can go, and clients that call it without a network."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NewType

import httpx
import orjson
import strawberry
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.types import Message
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from api import errors, http, limits

JSON = {"content-type": "application/json"}
GRAPHQL = {"accept": "application/graphql-response+json"}
NODE = '{"query": "{ node { name } }"}'
SECRET = "secret-that-must-not-leak"

Even = NewType("Even", int)
Broken = NewType("Broken", str)


def _even(value: object) -> int:
    if not isinstance(value, int) or value % 2:
        raise ValueError("Even must be an even integer.")
    return value


def _broken(_value: object) -> str:
    raise KeyError(SECRET)


@dataclass
class Context:
    """What a request brought: its credential, and the id it is logged under."""

    authorization: str
    request_id: str


@strawberry.type
class Node:
    """A type that contains itself, for deep documents."""

    name: str

    @strawberry.field
    def child(self) -> "Node":
        return self

    @strawberry.field
    def children(self, first: int = 2) -> list["Node"]:
        return [self] * first

    @strawberry.field
    async def later(self) -> "Node":
        await asyncio.sleep(0)
        return self


@strawberry.input
class NoteInput:
    """An input with a required and an optional field."""

    text: str
    stars: int | None = None


@strawberry.type
class NotePayload:
    """What a mutation answers."""

    text: str
    authorization: str


@strawberry.type
class Query:
    """One field for each way a query can go."""

    @strawberry.field
    def node(self) -> Node:
        return Node(name="root")

    @strawberry.field
    def echo(self, text: str) -> str:
        return text

    @strawberry.field
    def even(self, value: Even) -> Even:
        return value

    @strawberry.field
    def broken(self, value: Broken) -> str:
        return value

    @strawberry.field
    def member(self, id: strawberry.relay.GlobalID) -> str:  # noqa: A002
        return id.node_id

    @strawberry.field
    def boom(self) -> str | None:
        raise RuntimeError(SECRET)

    @strawberry.field
    async def boom_later(self) -> str:
        raise RuntimeError(SECRET)

    @strawberry.field
    def forbidden(self) -> str | None:
        raise errors.ApiError("Staff only.", errors.ErrorCode.FORBIDDEN, facts={"scope": "staff"})

    @strawberry.field
    def wrong_type(self) -> list[str] | None:
        return 42  # type: ignore[return-value]

    @strawberry.field
    def huge(self) -> Even:
        return Even(2**70)


@strawberry.type
class Mutation:
    """One mutation, synchronous in nothing."""

    @strawberry.mutation
    async def note(self, info: strawberry.Info[Context], input: NoteInput) -> NotePayload:  # noqa: A002
        await asyncio.sleep(0)
        return NotePayload(text=input.text, authorization=info.context.authorization)


@strawberry.type
class Subscription:
    """Streams that end, fail at once and fail later."""

    @strawberry.subscription
    async def count(self, info: strawberry.Info[Context], to: int) -> AsyncGenerator[str, None]:
        for number in range(to):
            yield f"{info.context.authorization}{number}"

    @strawberry.subscription
    async def forever(self) -> AsyncGenerator[int, None]:
        yield 1
        await asyncio.sleep(60)

    @strawberry.subscription
    async def boom(self) -> AsyncGenerator[int, None]:
        yield 1
        raise RuntimeError(SECRET)

    @strawberry.subscription
    async def never(self) -> AsyncGenerator[int, None]:
        return None  # type: ignore[return-value]


def build_schema(extensions: Sequence[type[SchemaExtension]] = ()) -> strawberry.Schema:
    """Build the schema; every call gives a new one."""
    scalars: dict[object, ScalarDefinition] = {
        Even: strawberry.scalar(name="Even", serialize=int, parse_value=_even),
        Broken: strawberry.scalar(name="Broken", serialize=str, parse_value=_broken),
    }
    config = StrawberryConfig(scalar_map=scalars)
    return strawberry.Schema(
        query=Query, mutation=Mutation, subscription=Subscription, config=config, extensions=extensions
    )


async def context_of(connection: HTTPConnection) -> Context:
    """Build the context as an application would, with one credential for every way this can go."""
    authorization = connection.headers.get("authorization", "")
    if authorization == "expired":
        raise errors.ApiError("The token has expired.", errors.ErrorCode.UNAUTHENTICATED)
    if authorization == "eager":
        too_many = errors.ErrorCode.THROTTLED
        raise errors.ApiError("Too many requests.", too_many, facts={"retryAfterSeconds": 1.2})
    if authorization == "unlucky":
        raise RuntimeError(SECRET)
    return Context(authorization, http.request_id(connection))


def build_app(*, bounds: limits.Limits | None = None, **options: Any) -> Starlette:
    """Build an application around the schema."""
    return http.create_app(
        build_schema(),
        context_getter=options.pop("context_getter", context_of),
        readiness=options.pop("readiness", {}),
        bounds=bounds,
        **options,
    )


def client(app: Starlette) -> httpx.AsyncClient:
    """Give a client that calls the application in this process."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.test")


async def post(app: Starlette, query: str, **parameters: Any) -> httpx.Response:
    """Send one document by POST, accepting ``application/graphql-response+json``."""
    headers = {"accept": "application/graphql-response+json", **parameters.pop("headers", {})}
    async with client(app) as caller:
        return await caller.post("/graphql", json={"query": query, **parameters}, headers=headers)


async def send(app: Starlette, method: str = "POST", path: str = "/graphql", **options: Any) -> httpx.Response:
    """Send a request that need not make sense."""
    async with client(app) as caller:
        return await caller.request(method, path, **options)


def code(response: httpx.Response) -> str:
    """Give the code of the only error of a response without data, which bears the response's request id."""
    content = response.json()
    assert list(content) == ["errors"]
    (error,) = content["errors"]
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    assert error["message"]
    return str(error["extensions"]["code"])


class Socket:
    """The client's end of one WebSocket, over a pair of queues."""

    def __init__(
        self, app: Starlette, headers: Mapping[str, str], protocols: Sequence[str] = ("graphql-transport-ws",)
    ) -> None:
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        scope = {
            "type": "websocket",
            "path": "/graphql",
            "query_string": b"",
            "root_path": "",
            "scheme": "ws",
            "headers": [(name.encode(), value.encode()) for name, value in {"host": "shop.test", **headers}.items()],
            "subprotocols": list(protocols),
        }
        self._reads = asyncio.Event()
        self._reads.set()
        self._task = asyncio.create_task(app(scope, self._to_app.get, self._take))
        self._to_app.put_nowait({"type": "websocket.connect"})

    async def __aenter__(self) -> "Socket":
        return self

    async def __aexit__(self, *_: object) -> None:
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(self._task, 5)

    async def _take(self, message: Message) -> None:
        await self._reads.wait()
        await self._from_app.put(message)

    def stall(self) -> asyncio.Event:
        """Read nothing more until the event is set: what is sent waits, as with a full window of TCP."""
        self._reads.clear()
        return self._reads

    def send(self, message: object) -> None:
        """Send a message as JSON, or a string as it is."""
        text = message if isinstance(message, str) else orjson.dumps(message).decode()
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    def send_bytes(self, message: bytes) -> None:
        """Send a binary message, which the protocol does not know."""
        self._to_app.put_nowait({"type": "websocket.receive", "bytes": message})

    async def event(self) -> Message:
        """Give the next ASGI event: the acceptance, a message or the closing."""
        return await asyncio.wait_for(self._from_app.get(), 5)

    async def message(self) -> Any:
        """Give the next message, decoded."""
        return orjson.loads((await self.event())["text"])

    async def start(self, params: Mapping[str, object] | None = None) -> None:
        """Accept and initialise the connection."""
        assert (await self.event())["type"] == "websocket.accept"
        self.send({"type": "connection_init", "payload": params or {}})
        assert await self.message() == {"type": "connection_ack"}

    def subscribe(self, query: str, **parameters: object) -> None:
        """Start the operation named ``1``."""
        self.send({"id": "1", "type": "subscribe", "payload": {"query": query, **parameters}})


def connect(app: Starlette, **headers: str) -> Socket:
    """Open a socket to the application in this process."""
    return Socket(app, headers)
