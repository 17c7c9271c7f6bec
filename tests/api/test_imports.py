"""Importing purchases: what becomes of the rows of a file, and what is said of those refused."""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from api.imports import files, reports, running
from api.imports.files import FileUnusable, Record
from api.imports.running import Options
from api.imports.telling import Tally, Telling
from domain.members import Member, MemberRef
from domain.points.commands import FreezeMember
from domain.programs import Program
from domain.stores import Channel, CreateStore, UpdateStore
from domain.tiers.tier import CreateTier
from persistence import purchases, rows
from tests.api import shops

HEADER: Final = "purchase_id,member,occurred_at,amount\n"
TABLES: Final = ("members", "points_accounts", "purchases", "point_transactions", "lots", "receipts", "outbox")
# Small, so that even short files take several batches.
BATCH_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: the tally, and of each refused row its line, code, message and text."""

    tally: Tally
    refused: list[tuple[int, str, str, str]]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Recorded, already there, refused."""
        return self.tally.recorded, self.tally.repeated, self.tally.refused

    @property
    def codes(self) -> list[tuple[int, str]]:
        """Line and code of each refused row."""
        return [(line, code) for line, code, _, _ in self.refused]


@dataclass(slots=True)
class Importer:
    """A shop and a directory to import from."""

    shop: shops.Shop
    directory: Path

    async def bring(
        self, text: str | bytes, *, enrolls: bool = True, encoding: str = "utf-8-sig", **names: str
    ) -> Imported:
        """Import a file with this content."""
        path = self.directory / "purchases.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        delimiter = names.pop("delimiter", ",")
        options = Options(path=path, names=names)
        report_path = path.with_suffix(".report.csv")
        found = await rows.by_ids(Program, self.shop.program_id, [self.shop.program_id])
        with (
            files.opened(path, encoding=encoding, delimiter=delimiter) as source,
            reports.opened(report_path, of=path) as report,
        ):
            plan = running.plan(options, source.header)
            reading = await running.reading_of(found[self.shop.program_id], plan)
            engine = self.shop.world.backend.engine
            telling = Telling(engine, self.shop.program_id, reading, report, batch_max=BATCH_MAX, enrolls=enrolls)
            done = await running.tell(telling, source, label="")
        return Imported(done.tally, listed(report_path))

    async def counts(self) -> dict[str, int]:
        """How many rows each table has of this program."""
        found = {}
        for table in TABLES:
            (record,) = await rows.fetch(
                f"SELECT count(*) AS count FROM {table} WHERE program_id = $1", self.shop.program_id
            )
            found[table] = record["count"]
        return found

    async def execute(self, command: Any) -> Any:
        """Run a command in the shop's program."""
        return await self.shop.world.execute(command, self.shop.program_id)

    async def points(self) -> dict[str, int]:
        """What each purchase earned."""
        found = await rows.fetch(
            "SELECT external_id, points_earned FROM purchases WHERE program_id = $1", self.shop.program_id
        )
        return {record["external_id"]: record["points_earned"] for record in found}


@pytest.fixture
def importer(shop: shops.Shop, tmp_path: Path) -> Importer:
    """A shop to import into."""
    return Importer(shop, tmp_path)


def listed(report: Path) -> list[tuple[int, str, str, str]]:
    """The rows of a report; none if there is no report."""
    if not report.exists():
        return []
    with report.open(encoding="utf-8-sig", newline="") as file:
        header, *told = csv.reader(file)
    assert header == ["line", "code", "message", "row"]
    return [(int(line), code, message, row) for line, code, message, row in told]


def lines(*numbers: int) -> str:
    """Good rows with these numbers, each of a member of its own."""
    return "".join(f"P-{number},m{number},2026-03-01,10.50\n" for number in numbers)


async def test_every_row_is_recorded_once_however_often_the_file_is_imported(importer: Importer) -> None:
    text = HEADER + lines(*range(1, 20)) + "P-20,m1,2026-03-01,10.50\n"
    first = await importer.bring(text)
    assert asdict(first.tally) == {
        "rows": 20,
        "recorded": 20,
        "repeated": 0,
        "refused": 0,
        "enrolled": 19,
        "points": 200,
    }
    before = await importer.counts()
    assert before == {
        "members": 19,
        "points_accounts": 19,
        "purchases": 20,
        "point_transactions": 20,
        "lots": 20,
        # Enrollments have keys; a purchase has its order number.
        "receipts": 19,
        # One more each for the program and its two keys.
        "outbox": 42,
    }
    second = await importer.bring(text)
    assert asdict(second.tally) == {"rows": 20, "recorded": 0, "repeated": 20, "refused": 0, "enrolled": 0, "points": 0}
    assert await importer.counts() == before


async def test_a_longer_file_continues_where_the_shorter_one_ended(importer: Importer) -> None:
    await importer.bring(HEADER + lines(1, 2, 3))
    longer = await importer.bring(HEADER + lines(*range(1, 10)))
    assert (longer.counts, longer.tally.enrolled) == ((6, 3, 0), 6)


async def test_rows_of_a_member_are_recorded_in_the_order_of_the_file(importer: Importer) -> None:
    await importer.execute(CreateTier(name="Silver", rank=1, threshold=10, multiplier_bp=20_000))
    text = HEADER + "".join(f"P-{number},li,2026-03-01,5.00\n" for number in range(1, 10))
    assert (await importer.bring(text)).tally.points == 5 + 5 + 7 * 10
    earned = await importer.points()
    assert [earned[f"P-{number}"] for number in range(1, 10)] == [5, 5, 10, 10, 10, 10, 10, 10, 10]


async def test_bad_rows_are_listed_with_their_lines_and_the_others_are_recorded(importer: Importer) -> None:
    bad = (
        "P-2,m2,2026-03-01,-1.00",
        "P-3,m3,2026-03-01,1.001",
        "P-4,m4,2026-02-30,1",
        "P-5,m5,2999-01-01,1",
        "P-6,,2026-03-01,1",
        "P-7,m7,2026-03-01",
        "P-8,m8,2026-03-01,1,2",
        "P-\0,m9,2026-03-01,1",
        "P-10,m\0,2026-03-01,1",
        f"P-11,{'m' * 300_000},2026-03-01,1",
        'P-12,"m"12,2026-03-01,1',
        f"{'P' * 101},m13,2026-03-01,1",
    )
    imported = await importer.bring(HEADER + lines(1) + "\n".join(bad) + "\n" + lines(99))
    assert dict(imported.codes) == {
        3: "AMOUNT_INVALID",
        4: "AMOUNT_INVALID",
        5: "TIME_INVALID",
        6: "TIME_INVALID",
        7: "TEXT_INVALID",
        8: "ROW_INVALID",
        9: "ROW_INVALID",
        10: "TEXT_INVALID",
        11: "TEXT_INVALID",
        12: "TEXT_INVALID",
        13: "ROW_INVALID",
        14: "TEXT_INVALID",
    }
    assert imported.counts == (2, 0, 12)
    assert sorted(await importer.points()) == ["P-1", "P-99"]
    texts = {line: text for line, _, _, text in imported.refused}
    assert texts[3] == bad[0]
    assert len(texts[12]) == reports.ROW_CHARACTERS_MAX + 1


async def test_what_the_program_refuses_is_listed_too(importer: Importer) -> None:
    frozen = await importer.shop.enroll("frozen")
    await importer.execute(FreezeMember(member=MemberRef(id=shops.key_of(frozen)), is_frozen=True, reason="test"))
    closed = await importer.execute(CreateStore(code="CLOSED", name="Gone"))
    await importer.execute(UpdateStore(store_id=closed.id, is_closed=True))
    await importer.shop.enroll("li")
    text = (
        "purchase_id,member,occurred_at,amount,store,currency\n"
        "P-1,li,2026-03-01,10,,\n"
        "P-2,frozen,2026-03-01,10,,\n"
        "P-3,nobody,2026-03-01,10,,\n"
        "P-4,li,2026-03-01,10,CLOSED,\n"
        "P-5,li,2026-03-01,10,NONE,\n"
        "P-6,li,2026-03-01,10,,USD\n"
        "P-1,li,2026-03-01,11,,\n"
        "P-1,li,2026-03-01,10,,\n"
    )
    imported = await importer.bring(text, enrolls=False)
    assert dict(imported.codes) == {
        3: "MEMBER_FROZEN",
        4: "NOT_FOUND",
        5: "STORE_CLOSED",
        6: "NOT_FOUND",
        7: "CURRENCY_MISMATCH",
        8: "PURCHASE_CONFLICT",
    }
    assert imported.counts == (1, 1, 6)
    again = await importer.bring(text, enrolls=False)
    assert (again.counts, sorted(again.codes)) == ((0, 2, 6), sorted(imported.codes))


async def test_a_row_that_was_changed_since_is_a_conflict_and_changes_nothing(importer: Importer) -> None:
    await importer.bring(HEADER + lines(1, 2))
    before = await importer.counts()
    changed = await importer.bring(HEADER + lines(1, 2).replace("10.50", "99.00", 1))
    assert changed.counts == (0, 1, 1)
    ((line, code, message, text),) = changed.refused
    assert (line, code, text) == (2, "PURCHASE_CONFLICT", "P-1,m1,2026-03-01,99.00")
    assert message.startswith("The purchase 'P-1' was recorded before with other content")
    assert await importer.counts() == before


async def test_lines_are_counted_over_quoted_line_ends(importer: Importer) -> None:
    text = (
        "note,purchase_id,member,occurred_at,amount\r\n"
        '"two\r\nlines",P-1,li,2026-03-01,1\r\n'
        "\r\n"
        '"three\n\nlines",P-2,li,2026-03-01,bad\r\n'
        "plain,P-3,li,2026-03-01,bad\r\n"
    )
    imported = await importer.bring(text)
    assert imported.codes == [(5, "AMOUNT_INVALID"), (8, "AMOUNT_INVALID")]
    assert imported.refused[0][3] == '"three\n\nlines",P-2,li,2026-03-01,bad'


async def test_columns_have_the_names_and_the_file_has_the_encoding_that_are_told(importer: Importer) -> None:
    store = await importer.execute(CreateStore(code="SH-01", name="上海南京路店"))
    text = "单号;会员;时间;金额;运费;门店\nA-1;李娜;2026-03-01 09:00:00;120.00;20;SH-01\n".encode("gb18030")
    imported = await importer.bring(
        text,
        encoding="gb18030",
        delimiter=";",
        purchase_id="单号",
        member="会员",
        occurred_at="时间",
        amount="金额",
        freight="运费",
        store="门店",
        channel="IN_STORE",
    )
    assert (imported.counts, imported.tally.points) == ((1, 0, 0), 100)
    recorded = await purchases.find(importer.shop.program_id, "A-1")
    assert recorded is not None
    assert (recorded.amount_minor, recorded.freight_minor) == (12_000, 2000)
    assert (recorded.store_id, recorded.channel, recorded.actor) == (store.id, Channel.IN_STORE, "import")
    assert recorded.occurred_at.isoformat() == "2026-03-01T01:00:00+00:00"
    (member,) = await rows.select(Member, "program_id = $1 AND external_id = $2", importer.shop.program_id, "李娜")
    assert member.channel is Channel.IN_STORE


async def test_one_store_may_hold_for_all_rows(importer: Importer) -> None:
    store = await importer.execute(CreateStore(code="SH-01", name="Shanghai"))
    await importer.bring(HEADER + lines(1), store="SH-01")
    recorded = await purchases.find(importer.shop.program_id, "P-1")
    assert recorded is not None
    assert recorded.store_id == store.id
    with pytest.raises(FileUnusable, match="'SH-02' is neither a column of the file nor a store of Tea House"):
        await importer.bring(HEADER + lines(2), store="SH-02")


async def test_a_signal_lets_what_is_on_its_way_finish(importer: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Sequence[Record]] = []
    tell = Telling.tell

    async def interrupted(self: Telling, batch: Sequence[Record]) -> None:
        await tell(self, batch)
        told.append(batch)
        if len(told) == 2:
            running.signal.raise_signal(running.signal.SIGINT)

    text = HEADER + lines(*range(1, 31))
    with monkeypatch.context() as patch:
        patch.setattr(Telling, "tell", interrupted)
        assert (await importer.bring(text)).counts == (2 * BATCH_MAX, 0, 0)
    assert (await importer.bring(text)).counts == (30 - 2 * BATCH_MAX, 2 * BATCH_MAX, 0)
