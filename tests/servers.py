"""One real PostgreSQL and one real Valkey for a whole run of the tests, whatever number of workers it has."""

import asyncio
import contextlib
import fcntl
import itertools
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from api import assembly, settings
from persistence import embedded
from persistence.embedded import postgres

_PREFIX: Final = "tessera-tests-"
# A run that is just starting may have made its lock and not yet taken it.
_FRESH_SECONDS: Final = 60.0

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Run:
    """The servers of this run. Their database `tessera` is migrated, empty, and only ever copied."""

    servers: embedded.Servers
    directory: Path


def begin() -> Run:
    """Start both servers and migrate the database that all others are copied from. They keep nothing safe."""
    _remove_remains()
    directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
    running = embedded.start(directory, durable=False)
    try:
        asyncio.run(assembly.migrate(settings.load(_env_file=None), running))
    except BaseException:
        end(Run(running, directory))
        raise
    return Run(running, directory)


def end(run: Run) -> None:
    """Stop both servers and remove what they kept."""
    run.servers.stop()
    shutil.rmtree(run.directory)


def create_database(server_url: str, name: str) -> str:
    """Copy the migrated database, in some 20 ms. The copy's URL."""
    number = next(_numbers)
    sql(server_url, f"CREATE DATABASE {name}_{number} TEMPLATE {postgres.NAME}")
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}_{number}"))


def drop_database(server_url: str, url: str) -> None:
    """Drop a database that `create_database` made, and end the sessions in it."""
    sql(server_url, f"DROP DATABASE {urlsplit(url).path[1:]} WITH (FORCE)")


def sql(server_url: str, statement: str) -> str:
    """Run a statement outside of any transaction, apart from the tested code. What it returns, a row a line."""
    # Copying a database needs that nobody, not even we, is connected to it.
    url = urlunsplit(urlsplit(server_url)._replace(path="/postgres"))
    command = (
        str(postgres.program_path("psql")),
        "--no-psqlrc",
        "-qtAX",
        "-v",
        "ON_ERROR_STOP=1",
        "-c",
        statement,
        url,
    )
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _remove_remains() -> None:
    """Remove what runs that were killed have left. A directory in use is locked, and stays."""
    for lock in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/lock"):
        with contextlib.suppress(OSError), lock.open("r+") as held:
            if time.time() - lock.stat().st_mtime < _FRESH_SECONDS:
                continue
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent)
