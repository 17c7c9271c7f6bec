"""The command line: quick to explain itself, and never a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.process import tessera

# What takes long to import, and what `--help` therefore has to do without.
HEAVY = ("asyncpg", "pydantic", "redis", "starlette", "strawberry", "tortoise", "uvicorn")


def test_help_loads_nothing_of_the_program() -> None:
    program = f"import sys, api.cli; sys.exit(bool(set(sys.modules) & set({HEAVY!r})))"
    subprocess.run((sys.executable, "-c", program), check=True, cwd=tessera.ROOT)


@pytest.mark.parametrize("arguments", [("--help",), ("serve", "--help"), ("migrate", "--help")])
def test_help_is_there(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    explained = tessera.run(tmp_path / "data", *arguments)
    assert explained.returncode == 0
    assert explained.stdout.startswith("Usage: tessera ")


@pytest.mark.parametrize("arguments", [("serf",), ("serve", "--port"), ("import", "nothing")])
def test_wrong_arguments_end_with_status_two(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    refused = tessera.run(tmp_path / "data", *arguments)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stdout


FAULT = """
import sys
from api import cli, settings
def load():
    raise KeyError("nobody foresaw this")
settings.load = load
sys.argv = ["tessera", "migrate"]
cli.main()
"""


@pytest.mark.parametrize(("level", "has_traceback"), [("warning", False), ("debug", True)])
def test_a_fault_is_one_sentence_unless_its_author_asks(level: str, *, has_traceback: bool) -> None:
    ended = subprocess.run(
        (sys.executable, "-c", FAULT),
        env={"LOG_LEVEL": level, "PATH": ""},
        cwd=tessera.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    sentence = "tessera: an unforeseen fault, KeyError: 'nobody foresaw this'. LOG_LEVEL=debug shows where."
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == sentence
    assert ("Traceback" in ended.stderr) is has_traceback
