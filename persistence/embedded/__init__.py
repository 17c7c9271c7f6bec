"""Our own real PostgreSQL and Valkey under a data directory, on unix sockets, for as long as the program runs."""

import contextlib
import fcntl
import hashlib
import os
import re
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from persistence.embedded import postgres, processes, valkey
from persistence.startup import StartupError

# The kernel's limit for the path of a unix socket, less its closing NUL: 108 on Linux, 104 elsewhere.
SOCKET_PATH_BYTES_MAX: Final = 103
# A predecessor that was told to stop may still be on its way out.
LOCK_SECONDS_MAX: Final = 3.0
# Another process that holds the directory may still be making its cluster or recovering from a crash.
JOIN_SECONDS_MAX: Final = 60.0
POLL_SECONDS: Final = 0.05

# PostgreSQL and asyncpg read a comma as a separator, and other signs have a meaning in one address or the other.
_PLAIN_PATH = re.compile(r"[\w./+@=-]+")


class DataDirectoryInUse(StartupError):
    """Another process runs the servers of this data directory."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Where PostgreSQL and Valkey are, and the end of those that were started for it."""

    database_url: str
    redis_url: str
    _ending: contextlib.ExitStack = field(default_factory=contextlib.ExitStack, repr=False)
    _running: list[processes.Running] = field(default_factory=list, repr=False)

    def mend(self) -> tuple[str, ...]:
        """Start those again that ended by themselves, killed or crashed; they recover what was committed.

        The names of those started, once they answer. Raises `StartupError` if one does not start. Call it from the
        main thread, as `start`.
        """
        mended = []
        for place, each in enumerate(self._running):
            if processes.is_gone(each.process):
                account = processes.account_for(each.program.directory)
                (self._running[place],) = processes.start([each.program], account)
                mended.append(each.program.process_name)
        return tuple(mended)

    def stop(self) -> None:
        """Stop what was started and let go of the data directory. Returns when all is gone; may be called twice."""
        self._ending.close()


@contextlib.contextmanager
def servers(
    data_dir: Path, *, database_url: str = "", redis_url: str = "", durable: bool = True, joining: bool = False
) -> Iterator[Servers]:
    """What `start` starts, stopped at the end of the block."""
    running = start(data_dir, database_url=database_url, redis_url=redis_url, durable=durable, joining=joining)
    try:
        yield running
    finally:
        running.stop()


def start(
    data_dir: Path, *, database_url: str = "", redis_url: str = "", durable: bool = True, joining: bool = False
) -> Servers:
    """Start, side by side, the servers whose URL is not given, and return when they answer.

    `joining` means to use the servers that another process runs in `data_dir`, if one does; otherwise that
    raises `DataDirectoryInUse`. Without `durable` a crash of the machine may lose everything. Call it from the
    main thread: the kernel stops the servers when the thread that started them ends. Raises `StartupError` with
    nothing left running.
    """
    if database_url and redis_url:
        return Servers(database_url, redis_url)
    places = _Places.below(data_dir)
    addresses = (database_url or postgres.url(places.sockets), redis_url or valkey.url(places.sockets))
    programs = {
        "postgres": postgres.program(places.cluster, places.sockets, places.postgres_log, durable=durable),
        "valkey": valkey.program(places.valkey, places.sockets, places.valkey_log),
    }
    wanted = [name for name, given in (("postgres", database_url), ("valkey", redis_url)) if not given]
    try:
        running: list[processes.Running] = []
        with contextlib.ExitStack() as ending:
            if _lock_or_join(places, [programs[name] for name in wanted] if joining else [], ending):
                running = _start_locked(places, programs, wanted, ending, durable=durable)
            return Servers(*addresses, ending.pop_all(), running)
    except OSError as error:
        raise StartupError(f"The data directory {places.data_dir} cannot be used: {error.strerror}.") from error


def _start_locked(
    places: "_Places",
    programs: Mapping[str, processes.Program],
    wanted: Sequence[str],
    ending: contextlib.ExitStack,
    *,
    durable: bool,
) -> list[processes.Running]:
    _clear(programs.values())
    account = processes.account_for(places.cluster)
    _prepare(places, account)
    ending.callback(_remove_if_temporary, places)
    if "postgres" in wanted:
        postgres.create_cluster(places.cluster, account, durable=durable)
    running = processes.start([programs[name] for name in wanted], account)
    # The list, for what is mended takes the place of what ended.
    ending.callback(processes.stop, running)
    return running


@dataclass(frozen=True, slots=True)
class _Places:
    data_dir: Path
    sockets: Path

    @classmethod
    def below(cls, data_dir: Path) -> "_Places":
        data_dir = data_dir.absolute()
        return cls(data_dir, _socket_directory(data_dir))

    @property
    def lock(self) -> Path:
        return self.data_dir / "lock"

    @property
    def cluster(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def postgres_log(self) -> Path:
        return self.data_dir / "postgres.log"

    @property
    def valkey(self) -> Path:
        return self.data_dir / "valkey"

    @property
    def valkey_log(self) -> Path:
        return self.data_dir / "valkey.log"


def _socket_directory(data_dir: Path) -> Path:
    """Below the data directory if the sockets' addresses may be written so; else a short one named after it."""
    key = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    candidates = (
        data_dir / "sockets",
        Path(tempfile.gettempdir(), f"tessera-{key}"),
        Path("/tmp", f"tessera-{key}"),
    )
    return next(candidate for candidate in candidates if _is_addressable(candidate))


def _is_addressable(sockets: Path) -> bool:
    longest = os.fsencode(sockets / postgres.SOCKET_NAME) + b".lock"
    return len(longest) <= SOCKET_PATH_BYTES_MAX and _PLAIN_PATH.fullmatch(str(sockets)) is not None


def _lock_or_join(places: _Places, joinable: Sequence[processes.Program], ending: contextlib.ExitStack) -> bool:
    """Whether we hold the data directory until `ending`; not, if all of `joinable` answer without our doing."""
    lock = _open_lock(places)
    ending.callback(os.close, lock)
    deadline = time.monotonic() + (JOIN_SECONDS_MAX if joinable else LOCK_SECONDS_MAX)
    while not _take(lock):
        if joinable and all(program.answers() for program in joinable):
            return False
        if time.monotonic() > deadline:
            holder = os.pread(lock, 32, 0).decode().strip() or "unknown"
            raise DataDirectoryInUse(
                f"Another process ({holder}) already runs on the data directory {places.data_dir}; "
                "stop it, or set DATA_DIR to a directory of its own."
            )
        time.sleep(POLL_SECONDS)
    return True


def _take(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return True


def _open_lock(places: _Places) -> int:
    if not places.data_dir.is_dir():
        places.data_dir.mkdir(parents=True)
        # As root, the servers' account has to pass through; what is secret in here has a mode of its own.
        places.data_dir.chmod(stat.S_IRWXU | (stat.S_IXGRP | stat.S_IXOTH if os.geteuid() == 0 else 0))
    return os.open(places.lock, os.O_RDWR | os.O_CREAT, stat.S_IRUSR | stat.S_IWUSR)


def _clear(programs: Iterable[processes.Program]) -> None:
    """Stop servers that an earlier run left behind and remove what would mislead the next: we hold the lock."""
    programs = list(programs)
    processes.stop([running for running in map(processes.left_behind, programs) if running])
    for program in programs:
        processes.forget_stranger(program)
        if program.log.exists():
            program.log.replace(program.log.with_suffix(".previous.log"))


def _prepare(places: _Places, account: processes.Account | None) -> None:
    processes.make_private(places.valkey, account)
    processes.make_private(places.sockets, account)
    for socket in places.sockets.iterdir():
        socket.unlink()


def _remove_if_temporary(places: _Places) -> None:
    if places.sockets.parent != places.data_dir:
        with contextlib.suppress(OSError):
            places.sockets.rmdir()
