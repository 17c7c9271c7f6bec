"""`tessera import purchases` as its user sees it: killed and continued, beside a server, and told wrong things."""

import asyncio
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg
import pytest

from tests.process import tessera

ROWS: Final = 4000
MEMBERS: Final = 50
# What every row earns.
POINTS: Final = 10
# Members, purchases, transactions, lots and points once every row is recorded.
WHOLE: Final = (MEMBERS, ROWS, ROWS, ROWS, ROWS * POINTS)
WAIT_SECONDS_MAX: Final = 240.0
POLL_SECONDS: Final = 0.02


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
        return figures(self.settings["DATABASE_URL"], statement)


def figures(database_url: str, statement: str) -> tuple[int, ...]:
    """The numbers in the one row that a statement returns."""

    async def session() -> tuple[int, ...]:
        connection = await asyncpg.connect(database_url)
        try:
            record = await connection.fetchrow(statement)
        finally:
            await connection.close()
        assert record is not None
        return tuple(int(value) for value in record.values())

    return asyncio.run(session())


@pytest.fixture
def place(fresh_database_url: str, redis_url: str, tmp_path: Path) -> Place:
    """A shop on the servers of the tests."""
    place = Place(tmp_path, {"DATABASE_URL": fresh_database_url, "REDIS_URL": redis_url})
    assert place.run("program", "create", "Tea House", "--currency", "CNY").returncode == 0
    return place


def good(count: int = ROWS) -> list[str]:
    """Rows that can be recorded."""
    return [f"P-{number},m{number % MEMBERS},2026-03-01,{POINTS}.99" for number in range(count)]


def said(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """The summary at the end, by the names of its lines."""
    found = [line.rsplit(maxsplit=1) for line in done.stdout.splitlines()]
    return {pair[0]: pair[1] for pair in found if len(pair) == 2}


def begun(place: Place) -> subprocess.Popen[bytes]:
    """An import on its way, of which a part is recorded and a part is not."""
    arguments = ("import", "purchases", "purchases.csv", "--enroll")
    # Small batches, so that there are many moments to stop it in.
    settings = place.settings | {"ENGINE_BATCH_MAX": "16"}
    process = tessera.launch(place.data_dir, *arguments, output=subprocess.PIPE, **settings)
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while place.figures()[1] < ROWS // 8:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(POLL_SECONDS)
    return process


def test_killed_half_way_it_continues_and_ends_exactly(place: Place) -> None:
    place.write(*good())
    process = begun(place)
    process.kill()
    process.communicate()
    _, purchases, transactions, lots, points = place.figures()
    assert 0 < purchases < ROWS
    assert (transactions, lots, points) == (purchases, purchases, purchases * POINTS)
    continued = place.bring()
    assert continued.returncode == 0, continued.stdout
    assert place.figures() == WHOLE
    # What was on its way when the process was killed may have been committed after all.
    assert int(said(continued)["Already there"].replace(",", "")) >= purchases
    again = place.bring()
    assert (again.returncode, said(again)["Recorded"], said(again)["Already there"]) == (0, "0", f"{ROWS:,}")
    assert place.figures() == WHOLE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_finishes_what_is_on_its_way_and_says_how_to_continue(place: Place, number: int) -> None:
    place.write(*good())
    process = begun(place)
    process.send_signal(number)
    told, _ = process.communicate(timeout=WAIT_SECONDS_MAX)
    assert process.returncode == 130
    assert told.decode().endswith("Interrupted. Run the same command again to continue.\n")
    recorded = int(said(subprocess.CompletedProcess((), 130, told.decode()))["Recorded"].replace(",", ""))
    assert place.figures() == (MEMBERS, recorded, recorded, recorded, recorded * POINTS)
    assert ROWS // 8 <= recorded < ROWS
    assert place.bring().returncode == 0
    assert place.figures() == WHOLE


def test_bad_rows_end_with_status_one_and_a_report(place: Place) -> None:
    place.write("P-1,li,2026-03-01,10.99", "P-2,li,2026-03-01,ten", "P-3,wu,2026-03-01,10.99")
    imported = place.bring()
    assert imported.returncode == 1
    assert imported.stdout.endswith("The rows that were refused, and why: purchases.csv.report.csv\n")
    told = said(imported)
    names = ("Rows", "Recorded", "Already there", "Refused", "Members enrolled", "Points earned")
    assert [told[name] for name in names] == ["3", "2", "0", "1", "2", "20"]
    assert place.report.read_text(encoding="utf-8-sig").splitlines()[1:] == [
        "3,AMOUNT_INVALID,The amount must be a number such as 199.90; it is 'ten'.,\"P-2,li,2026-03-01,ten\""
    ]
    place.write("P-1,li,2026-03-01,10.99", "P-2,li,2026-03-01,10", "P-3,wu,2026-03-01,10.99")
    mended = place.bring()
    assert (mended.returncode, said(mended)["Recorded"], said(mended)["Already there"]) == (0, "1", "2")
    assert not place.report.exists()
    assert place.figures() == (2, 3, 3, 3, 30)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nothing.csv",), "The file nothing.csv cannot be read: No such file or directory."),
        ((".",), "The file . cannot be read: Is a directory."),
        (("purchases.csv", "--amount", "sum"), "purchases.csv: it has no column 'sum'; --amount names one of "),
        (
            ("purchases.csv", "--encoding", "utf-16"),
            "purchases.csv is not written in utf-16 (line 1); name its encoding",
        ),
        (("purchases.csv", "--program", "Coffee"), "There is no program with the id or name 'Coffee'; "),
        (("purchases.csv", "--store", "SH-01"), "--store: 'SH-01' is neither a column of the file nor a store of Tea"),
        (
            ("purchases.csv", "--report", "purchases.csv"),
            "The report cannot be purchases.csv, the file that is imported",
        ),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_changes_nothing(
    place: Place, arguments: tuple[str, ...], sentence: str
) -> None:
    place.write(*good(3))
    refused = place.run("import", "purchases", *arguments)
    assert refused.returncode == 2
    assert refused.stdout.startswith(f"tessera: {sentence}")
    assert refused.stdout.count("\n") == 1
    assert place.figures() == (0, 0, 0, 0, 0)


def test_a_delimiter_is_one_character(place: Place) -> None:
    refused = place.run("import", "purchases", "purchases.csv", "--delimiter", "ab")
    assert refused.returncode == 2
    assert "it is one character, such as ; or tab." in refused.stdout


def test_it_works_beside_a_server_on_the_same_data_directory(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write(*good(300))
    with tessera.serving(place.data_dir) as child:
        assert place.run("program", "create", "Tea House", "--currency", "CNY").returncode == 0
        imported = place.bring("--program", "Tea House")
        assert (imported.returncode, said(imported)["Recorded"]) == (0, "300"), imported.stdout
        assert child.answers()
    # And without one, on servers of its own.
    again = place.bring("--program", "Tea House")
    assert (again.returncode, said(again)["Already there"]) == (0, "300"), again.stdout


def test_the_demonstration_has_servers_and_data_of_its_own(tmp_path: Path) -> None:
    place = Place(tmp_path)
    for expected in ("6,919 purchases of 2,357 new members", "nothing: all was there"):
        shown = place.run("demo", DATABASE_URL="postgresql://nobody@127.0.0.1:1/shop")
        assert shown.returncode == 0, shown.stdout
        assert "  Points issued   262,306\n" in shown.stdout
        assert f"  Recorded now    {expected}, in " in shown.stdout
    assert [path.name for path in place.data_dir.iterdir()] == ["demo"]
