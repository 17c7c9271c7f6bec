"""`tessera serve`: from a directory and a port to a server that answers, and back without leaving anything behind."""

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager
from types import FrameType
from typing import Final, TypeVar

import click
import uvicorn
import uvloop

from api import assembly, banner, schema, sockets
from api.settings import Settings, revealed
from persistence import embedded, reachability
from persistence.startup import StartupError

# A predecessor that was told to stop may still hold the port.
PORT_SECONDS_MAX: Final = 2.0
POLL_SECONDS: Final = 0.05
# Requests under way, and subscriptions, have this long once we are told to stop.
GRACE_SECONDS_MAX: Final = 10
# How often we look whether our own servers still run.
MEND_SECONDS: Final = 1.0

logger = logging.getLogger("tessera.serve")

Result = TypeVar("Result")


def run(settings: Settings, contract: assembly.Contract = schema.build) -> int:
    """Serve until SIGINT or SIGTERM. The status to exit with: 130 for the first, 0 for the second.

    Raises `StartupError` if it cannot begin.
    """
    logging.basicConfig(level=settings.log_level.upper(), stream=sys.stderr, format=logging.BASIC_FORMAT)
    stopping = Stopping()
    with stopping.on_signals(), contextlib.suppress(_Stopped):
        _serve(settings, stopping, contract)
    return 0 if stopping.received == signal.SIGTERM else 128 + signal.SIGINT


def run_once(settings: Settings, work: Callable[[Settings, embedded.Servers], Coroutine[None, None, Result]]) -> Result:
    """What `work` returns, done with the stores of a server that runs on the data directory, or with its own.

    Raises `StartupError` if there are none to be had, and KeyboardInterrupt if it was told to stop.
    """
    stopping = Stopping()
    try:
        with (
            stopping.on_signals(),
            _stores(settings, joining=True) as stores,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            return runner.run(work(settings, stores))
    except _Stopped:
        raise KeyboardInterrupt from None


class Stopping:
    """What the first signal to stop does: while things are being made it breaks off; later it is only noted.

    Later means that uvicorn serves and looks after it, or that we are stopping already.
    """

    def __init__(self) -> None:
        """Nothing has been received, and the first signal breaks off."""
        self.received: int | None = None
        self.breaks_off = True

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Receive SIGINT and SIGTERM in the block."""
        previous = {number: signal.signal(number, self._receive) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _receive(self, number: int, _: FrameType | None) -> None:
        self.received = self.received or number
        if self.breaks_off:
            self.breaks_off = False
            raise _Stopped


class _Stopped(BaseException):
    """Breaks off whatever is being made. Like KeyboardInterrupt, no handler of errors may swallow it."""


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens, before anything else is begun. Raises `StartupError` if the address is not to be had."""
    deadline = time.monotonic() + PORT_SECONDS_MAX
    while True:
        try:
            family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
            listener = socket.create_server(address[:2], family=family)
            break
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
                raise StartupError(f"HOST {host} and PORT {port} cannot be served: {reason}.") from error
            if time.monotonic() > deadline:
                raise StartupError(f"Port {port} of {host} is taken; stop what uses it, or set PORT.") from error
            time.sleep(POLL_SECONDS)
    with listener:
        yield listener


def _stores(settings: Settings, *, joining: bool = False) -> AbstractContextManager[embedded.Servers]:
    return embedded.servers(
        settings.data_dir,
        database_url=revealed(settings.database_url),
        redis_url=revealed(settings.redis_url),
        joining=joining,
    )


def _serve(settings: Settings, stopping: Stopping, contract: assembly.Contract) -> None:
    with (
        listening(settings.host, settings.port) as listener,
        _stores(settings) as stores,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(_answer(settings, stores, listener, stopping, contract))


async def _answer(
    settings: Settings,
    stores: embedded.Servers,
    listener: socket.socket,
    stopping: Stopping,
    contract: assembly.Contract,
) -> None:
    async with assembly.assemble(settings, stores, contract) as application:
        config = uvicorn.Config(
            application,
            http="httptools",
            lifespan="on",
            log_config=None,
            access_log=False,
            ws=sockets.Protocol,
            ws_max_size=settings.request_body_max_bytes,
            # Live answers are small, and a compressor for each socket would cost more than all the rest of it.
            ws_per_message_deflate=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS_MAX,
        )
        address = banner.base_url(settings.host, listener.getsockname()[1])
        # Beside a database of the operator's own, kept keys may be another database's.
        demo = None if settings.database_url else banner.recall(settings.data_dir)
        greeting = banner.text(address, _places(settings, stores), demo)
        stopping.breaks_off = False
        mending = asyncio.create_task(_keep_whole(stores))
        await _Server(config, greeting, stopping).serve(sockets=[listener])
        mending.cancel()


async def _keep_whole(stores: embedded.Servers) -> None:
    """See that our own servers run. While one is started again nothing else is done: nothing could be."""
    while True:
        await asyncio.sleep(MEND_SECONDS)
        try:
            for name in stores.mend():
                logger.warning("%s had ended by itself, and was started again.", name)
        except StartupError as error:
            logger.error("What had ended by itself does not start again: %s", error)


def _places(settings: Settings, stores: embedded.Servers) -> tuple[tuple[str, str], ...]:
    # The embedded ones have no password, and their address is of use to whoever looks around with psql.
    postgres = reachability.shown(stores.database_url) if settings.database_url else stores.database_url
    redis = reachability.shown(stores.redis_url) if settings.redis_url else stores.redis_url
    return (("PostgreSQL", postgres), ("Redis" if settings.redis_url else "Valkey", redis))


class _Server(uvicorn.Server):
    """Greets once it accepts connections."""

    def __init__(self, config: uvicorn.Config, greeting: str, stopping: Stopping) -> None:
        super().__init__(config)
        self._greeting = greeting
        self._stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # A signal may have come between `breaks_off` and uvicorn's own handler.
        self.should_exit = self.should_exit or self._stopping.received is not None
        if not self.should_exit:
            click.echo(self._greeting)
