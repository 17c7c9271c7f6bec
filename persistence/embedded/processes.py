"""Starting a server program, recognising one that a killed parent left behind, and stopping either."""

import contextlib
import ctypes
import os
import pwd
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

import psutil

from persistence.startup import StartupError

# Crash recovery of a large write-ahead log takes its time; nothing else comes near this.
START_SECONDS_MAX: Final = 300.0
# How long each signal of `Program.stop_signals` may take before the next, harsher one is sent.
STOP_SECONDS_MAX: Final = 20.0
POLL_SECONDS: Final = 0.01
REPLY_SECONDS_MAX: Final = 2.0
# A server that finds remains of its predecessor still in memory gives up at once; those are gone a moment later.
START_ATTEMPTS_MAX: Final = 3
START_PAUSE_SECONDS: Final = 0.5
TAIL_BYTES_MAX: Final = 4096

# From <linux/prctl.h>, <linux/securebits.h> and <linux/capability.h>.
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_SECUREBITS: Final = 28
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_RAISE: Final = 2
_SECBIT_NO_SETUID_FIXUP: Final = 4
_CAP_DAC_OVERRIDE: Final = 1
_CAPABILITY_VERSION_3: Final = 0x20080522

# Not the complaint about our own asking too early, "FATAL:  the database system is starting up".
_COMPLAINT = re.compile(r"(FATAL|PANIC|[Ee]rror|ERROR)(?!.*is starting up)")

_linux = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class _EndedAtOnce(StartupError):
    """A server ended before it answered."""


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system's account that servers run under when we are root: PostgreSQL refuses to be root."""

    name: str
    user_id: int
    group_id: int


@dataclass(frozen=True, slots=True)
class Program:
    """A server program: how to run it, how to see that it answers, how to stop it.

    `directory` is its working directory from start to end, which also tells our process from a stranger's.
    """

    title: str
    process_name: str
    command: tuple[str, ...]
    directory: Path
    pid_file: Path
    log: Path
    answers: Callable[[], bool]
    stop_signals: tuple[signal.Signals, ...]


@dataclass(frozen=True, slots=True)
class Running:
    """A program and its process: a child of ours, or what an earlier run left behind."""

    program: Program
    process: psutil.Process


def account_for(directory: Path) -> Account | None:
    """The account for servers that keep data in `directory`: none unless we are root, then its owner if it exists."""
    if os.geteuid() != 0:
        return None
    if directory.exists() and (owner := directory.stat().st_uid) != 0:
        return _account(pwd.getpwuid(owner))
    for name in ("postgres", "nobody"):
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    message = "PostgreSQL does not run as root and this machine has no account named postgres or nobody."
    raise StartupError(f"{message} Start as another user, or set DATABASE_URL and REDIS_URL.")


def make_private(directory: Path, account: Account | None) -> None:
    """Make `directory` (if need be) one that only the servers' account and we may enter.

    Raises `StartupError` if it lies where anybody may write and a stranger made it first.
    """
    directory.mkdir(mode=stat.S_IRWXU, exist_ok=True)
    status, is_public = directory.lstat(), directory.parent.stat().st_mode & stat.S_IWOTH
    expected = {os.geteuid(), account.user_id if account else os.geteuid()}
    if not stat.S_ISDIR(status.st_mode) or (is_public and status.st_uid not in expected):
        raise StartupError(f"{directory} belongs to someone else; remove it or choose another DATA_DIR.")
    directory.chmod(stat.S_IRWXU)
    if account:
        os.chown(directory, account.user_id, account.group_id)


def run(command: tuple[str, ...], *, account: Account | None, directory: Path, text: str = "") -> None:
    """Run a short program to its end with `text` as its input. Raises `StartupError` with its last words."""
    with _explained(command, account):
        ended = subprocess.run(
            command,
            input=text.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            **_circumstances(command, account, directory, signal.SIGKILL),
        )
    if ended.returncode != 0:
        raise StartupError(f"{Path(command[0]).name} failed: {_last_words(ended.stdout)}")


def start(programs: Sequence[Program], account: Account | None) -> list[Running]:
    """Start all programs side by side and return when each answers. Raises `StartupError` with none left running."""
    for attempt in range(1, START_ATTEMPTS_MAX):
        try:
            return _start_once(programs, account)
        except _EndedAtOnce:
            time.sleep(START_PAUSE_SECONDS * attempt)
    return _start_once(programs, account)


def left_behind(program: Program) -> Running | None:
    """The process of an earlier run whose parent died, if it lives: the right name in the right directory."""
    try:
        process = psutil.Process(int(program.pid_file.read_text().split()[0]))
        is_ours = process.name() == program.process_name and program.directory.samefile(process.cwd())
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    return Running(program, process) if is_ours else None


def forget_stranger(program: Program) -> None:
    """Remove a pid file whose number now belongs to another process, which the server would take for itself.

    A number that belongs to nobody stays: PostgreSQL then makes further checks of its own.
    """
    try:
        number = int(program.pid_file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return
    if psutil.pid_exists(number):
        program.pid_file.unlink()


def stop(running: Iterable[Running]) -> None:
    """Stop processes side by side, with ever harsher signals. Returns when all are gone."""
    remaining = list(running)
    for harshness in range(max((len(each.program.stop_signals) for each in remaining), default=0)):
        for each in remaining:
            _send(each.process, each.program.stop_signals[harshness])
        remaining = _wait_until_gone(remaining)


def end_with(parent: int, death_signal: signal.Signals) -> None:
    """Have the kernel send us `death_signal` when `parent`, our parent, dies, however it dies. Only Linux does that."""
    if _linux is not None:
        _demand(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            os._exit(1)


def exchange(address: Path, request: bytes, *, count: int, farewell: bytes = b"") -> bytes:
    """The first `count` bytes that the server on a unix socket replies to `request`; none if nobody is there."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(REPLY_SECONDS_MAX)
            connection.connect(str(address))
            connection.sendall(request)
            reply = connection.recv(count)
            connection.sendall(farewell)
            return reply
    except OSError:
        return b""


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(name=entry.pw_name, user_id=entry.pw_uid, group_id=entry.pw_gid)


def _start_once(programs: Sequence[Program], account: Account | None) -> list[Running]:
    started: list[Running] = []
    try:
        for program in programs:
            started.append(_launch(program, account))  # noqa: PERF401 - a failure must find the ones before it
        for each in started:
            _wait_until_answering(each)
    except BaseException:
        stop(started)
        raise
    return started


def _launch(program: Program, account: Account | None) -> Running:
    with program.log.open("ab") as log, _explained(program.command, account):
        process = psutil.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **_circumstances(program.command, account, program.directory, program.stop_signals[0]),
        )
    return Running(program, process)


def _wait_until_answering(running: Running) -> None:
    program, deadline = running.program, time.monotonic() + START_SECONDS_MAX
    while not program.answers():
        if is_gone(running.process):
            raise _EndedAtOnce(f"{program.title} did not start: {_last_words(_tail(program.log))}")
        if time.monotonic() > deadline:
            raise StartupError(f"{program.title} did not answer in {START_SECONDS_MAX:.0f} s; see {program.log}.")
        time.sleep(POLL_SECONDS)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    # psutil compares the start time first, so a number that was given to someone else is never signalled.
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _wait_until_gone(running: Sequence[Running]) -> list[Running]:
    """Those still alive after `STOP_SECONDS_MAX`."""
    remaining, deadline = list(running), time.monotonic() + STOP_SECONDS_MAX
    while remaining and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        remaining = [each for each in remaining if not is_gone(each.process)]
    return remaining


def is_gone(process: psutil.Process) -> bool:
    """Whether it has ended; a child of ours is also reaped, another's zombie counts as gone."""
    if isinstance(process, psutil.Popen):
        return process.poll() is not None
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _tail(log: Path) -> bytes:
    with log.open("rb") as lines:
        lines.seek(max(0, log.stat().st_size - TAIL_BYTES_MAX))
        return lines.read()


def _last_words(said: bytes) -> str:
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    complaints = [line for line in lines if _COMPLAINT.search(line)]
    return (complaints or lines or ["it said nothing."])[-1]


@contextlib.contextmanager
def _explained(command: tuple[str, ...], account: Account | None) -> Iterator[None]:
    name = Path(command[0]).name
    try:
        yield
    except subprocess.SubprocessError as error:
        who = account.name if account else "us"
        hint = f"Root may not hand its rights over here, and {who} may not reach the program or its data."
        raise StartupError(f"{name} cannot run as {who}. {hint} Start as another user than root.") from error
    except OSError as error:
        raise StartupError(f"{name} cannot run: {error}.") from error


class _Circumstances(TypedDict):
    cwd: Path
    env: dict[str, str]
    start_new_session: bool
    preexec_fn: Callable[[], None]


def _circumstances(
    command: tuple[str, ...], account: Account | None, directory: Path, death_signal: signal.Signals
) -> _Circumstances:
    passing = account is not None and not all(_is_open_to_all(path) for path in (Path(command[0]), directory.parent))
    parent = os.getpid()

    def prepare() -> None:
        if account:
            _become(account, passing=passing)
        end_with(parent, death_signal)

    # A session of its own keeps the terminal's Ctrl-C away: the servers stop after the last request, not before it.
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    return {"cwd": directory, "env": environment, "start_new_session": True, "preexec_fn": prepare}


def _is_open_to_all(path: Path) -> bool:
    path = path.resolve()
    return all(each.stat().st_mode & stat.S_IXOTH for each in (path, *path.parents))


def _become(account: Account, *, passing: bool) -> None:
    """Give root up for `account`; with `passing`, keep the one right to pass directories closed to it.

    A checkout below `/root` or in a directory made by `mktemp -d` is closed to every account but root's. Opening
    it to all would outlive us and concern files that are not ours; this right ends with the process.
    """
    if passing:
        # Else access(2), which initdb relies on, would look at the account alone.
        _demand(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setgid(account.group_id)
    os.setuid(account.user_id)
    if passing:
        _keep_only(_CAP_DAC_OVERRIDE)
        _demand(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE)


def _keep_only(capability: int) -> None:
    # Two structures of capget(2): version and process (0 is the caller), then effective, permitted, inheritable
    # as low words and again as high words.
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(*[1 << capability] * 3, 0, 0, 0)
    if _linux is None or _linux.capset(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def _demand(option: int, *arguments: int) -> None:
    if _linux is None or _linux.prctl(option, *(*arguments, 0, 0, 0, 0)[:4]) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
