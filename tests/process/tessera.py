"""A `tessera` of its own process, as an operator would start it."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil

ROOT: Final = Path(__file__).parents[2]
READY: Final = "Ctrl-C stops it."
READY_SECONDS_MAX: Final = 240.0
END_SECONDS_MAX: Final = 120.0
POLL_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True)
class Child:
    """A `tessera serve` that answers."""

    process: subprocess.Popen[bytes]
    data_dir: Path
    output: Path
    started_after_seconds: float

    @property
    def url(self) -> str:
        """Where it answers, as its banner says."""
        line = next(line for line in self.output.read_text().splitlines() if "GraphQL" in line)
        return line.split()[1].removesuffix("/graphql")

    def answers(self) -> bool:
        """Whether it says that it is well."""
        return httpx.get(f"{self.url}/healthz").status_code == 200

    def servers(self) -> list[psutil.Process]:
        """The processes of PostgreSQL and Valkey that it started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: int) -> int:
        """Send a signal and wait. The status it ended with."""
        self.process.send_signal(number)
        return self.process.wait(END_SECONDS_MAX)


@contextlib.contextmanager
def serving(data_dir: Path, *arguments: str, **settings: str) -> Iterator[Child]:
    """`tessera serve` on `data_dir` and a free port, killed at the end of the block if it still runs."""
    output = data_dir.with_suffix(".output")
    before = time.monotonic()
    with output.open("wb") as file:
        process = launch(data_dir, "serve", *arguments, output=file.fileno(), **settings)
    try:
        while READY not in output.read_text():
            assert process.poll() is None, output.read_text()
            assert time.monotonic() - before < READY_SECONDS_MAX, output.read_text()
            time.sleep(POLL_SECONDS)
        yield Child(process, data_dir, output, time.monotonic() - before)
    finally:
        process.kill()
        process.wait()


def run(data_dir: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself. Its status and all it said, in `stdout`."""
    process = launch(data_dir, *arguments, output=subprocess.PIPE, **settings)
    said, _ = process.communicate(timeout=READY_SECONDS_MAX)
    return subprocess.CompletedProcess(arguments, process.returncode, said.decode())


def launch(data_dir: Path, *arguments: str, output: int, **settings: str) -> subprocess.Popen[bytes]:
    """Start `tessera` with no settings but these, away from the checkout and its `.env`."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PORT": "0", "DATA_DIR": str(data_dir)}
    return subprocess.Popen(
        (sys.executable, "-m", "api.cli", *arguments),
        cwd=data_dir.parent,
        env=environment | settings,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def copy(stopped: Path, data_dir: Path) -> Path:
    """A copy of a data directory that nobody runs on, with the owners that PostgreSQL insists on."""
    subprocess.run(("cp", "-a", str(stopped), str(data_dir)), check=True)
    return data_dir


def wait_until_gone(processes: list[psutil.Process]) -> None:
    """Wait until none of the processes runs."""
    deadline = time.monotonic() + END_SECONDS_MAX
    while not all(_is_gone(process) for process in processes):
        assert time.monotonic() < deadline, processes
        time.sleep(POLL_SECONDS)


def _is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
