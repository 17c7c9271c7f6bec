"""Putting the program together: stores that are up to date, the engine over them, and the application that answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from api.settings import Settings
from persistence import connection, embedded, migrations, reachability


async def migrate(settings: Settings, stores: embedded.Servers) -> None:  # noqa: ARG001
    """Bring the database up to date. Raises `StartupError` if a store cannot be used."""
    await asyncio.gather(reachability.check_database(stores.database_url), reachability.check_redis(stores.redis_url))
    await migrations.migrate(connection.parse_url(stores.database_url))


@contextlib.asynccontextmanager
async def assemble(settings: Settings, stores: embedded.Servers) -> AsyncIterator[Starlette]:
    """Everything between the stores and the socket, ready to answer; taken apart at the end of the block."""
    await migrate(settings, stores)

    def health(_: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")

    yield Starlette(routes=[Route("/health", health)])
