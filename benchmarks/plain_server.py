"""The mutation that does nothing on Strawberry's own executor and view, with its two caches: what most would run."""

import sys

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

from api import serve


@strawberry.input
class NothingInput:
    """As much input as a purchase has."""

    member: str
    external_id: str
    amount: str
    idempotency_key: str


@strawberry.type
class UserError:
    """None is ever given."""

    code: str
    message: str


@strawberry.type
class NothingPayload:
    """Nothing was done."""

    is_done: bool = True
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class Query:
    """A schema must have one."""

    is_there: bool = True


@strawberry.type
class Mutation:
    """The one mutation."""

    @strawberry.mutation
    async def nothing(self, input: NothingInput) -> NothingPayload:  # noqa: A002, ARG002
        """Do nothing."""
        return NothingPayload()


def main() -> None:
    """Serve on any free port, and say which."""
    schema = strawberry.Schema(Query, Mutation, extensions=[ParserCache(maxsize=100), ValidationCache(maxsize=100)])

    def ready(_: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/readyz", ready), Route("/graphql", GraphQL[object, object](schema))])
    with serve.listening("127.0.0.1", 0) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/graphql", flush=True)
        config = uvicorn.Config(app, http="httptools", loop="uvloop", access_log=False, log_config=None)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
