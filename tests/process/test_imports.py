"""`tessera import purchases` as its user sees it: killed and continued, beside a server, and told wrong things."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
import pytest

from tests import servers
from tests.process import tessera

ROWS: Final = 4000
MEMBERS: Final = 50
# What every row earns.
POINTS: Final = 10


@dataclass(frozen=True, slots=True)
class Place:
    """An empty database, and a directory to work in."""

    directory: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def data_dir(self) -> Path:
        """Where the embedded servers would be, if there were any."""
        return self.directory / "data"

    @property
    def report(self) -> Path:
        """Where refused rows are listed."""
        return self.directory / "purchases.csv.report.csv"

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run `tessera` to its end."""
        return tessera.run(self.data_dir, *arguments, **self.settings, **settings)

    def bring(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Import the file."""
        return self.run("import", "purchases", "purchases.csv", "--enroll", *arguments, **settings)

    def write(self, *lines: str) -> None:
        """Make the file of these rows under the usual header."""
        text = "\n".join(("purchase_id,member,occurred_at,amount", *lines, ""))
        (self.directory / "purchases.csv").write_text(text)

    def figures(self) -> tuple[int, ...]:
        """How many members, purchases, transactions and lots there are, and how many points all of them have."""
        statement = (
            "SELECT (SELECT count(*) FROM members), (SELECT count(*) FROM purchases),"
            " (SELECT count(*) FROM point_transactions), (SELECT count(*) FROM lots),"
            " (SELECT coalesce(sum(available), 0) FROM points_accounts)"
        )
        told = servers.query(self.settings["DATABASE_URL"], statement)
        return tuple(int(value) for value in told.split("|"))


@pytest.fixture
def place(fresh_database_url: str, redis_url: str, tmp_path: Path) -> Place:
    """A shop on the servers of the tests."""
    place = Place(tmp_path, {"DATABASE_URL": fresh_database_url, "REDIS_URL": redis_url})
    assert place.run("program", "create", "Tea House", "--currency", "CNY").returncode == 0
    return place
