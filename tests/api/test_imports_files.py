"""Files to import: records and their lines, encodings, reports, and what cannot be read at all."""

from pathlib import Path
from typing import Final

import pytest

from api.imports import files, reports, running
from api.imports.files import FileUnusable, Record
from api.imports.running import Options

HEADER: Final = "purchase_id,member,occurred_at,amount\n"


def records(directory: Path, text: str | bytes, *, encoding: str = "utf-8-sig", delimiter: str = ",") -> list[Record]:
    """All records of a file, the header too."""
    path = directory / "file.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with files.opened(path, encoding=encoding, delimiter=delimiter) as source:
        return [Record(1, "", source.header), *source.records()]


def test_records_know_the_line_in_which_they_begin(tmp_path: Path) -> None:
    text = 'a,b\r\n1,2\r\n\r\n"three\r\nlines\r\n",4\r\n5,"6 ""x"""\r\n7,8'
    found = records(tmp_path, text)[1:]
    assert [(record.line, record.cells) for record in found] == [
        (2, ["1", "2"]),
        (4, ["three\r\nlines\r\n", "4"]),
        (7, ["5", '6 "x"']),
        (8, ["7", "8"]),
    ]
    assert found[1].text == '"three\r\nlines\r\n",4'


def test_a_quote_that_is_never_closed_costs_its_own_line(tmp_path: Path) -> None:
    found = records(tmp_path, 'a,b\n1,"2\n3,4\n5,6\n')[1:]
    assert [(record.line, record.cells) for record in found] == [(2, []), (3, ["3", "4"]), (4, ["5", "6"])]
    assert found[0].text == '1,"2'
    assert found[0].fault == "A quoted field does not end as it should: unexpected end of data."


def test_a_quote_that_is_closed_by_the_next_ones_opening_costs_both_no_more(tmp_path: Path) -> None:
    found = records(tmp_path, 'a,b\n1,"2\n3,4\n5,"six"\n7,8\n')[1:]
    assert [(record.line, record.cells) for record in found] == [
        (2, []),
        (3, ["3", "4"]),
        (4, ["5", "six"]),
        (5, ["7", "8"]),
    ]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("编号,名\n1,李\n".encode("gb18030"), "gb18030"),
        ("编号,名\n1,李\n".encode(), "utf-8-sig"),
        ("编号,名\n1,李\n".encode("utf-8-sig"), "utf-8-sig"),
        ("编号,名\r\n1,李\r\n".encode("utf-16"), "utf-16"),
    ],
)
def test_files_are_read_in_their_encoding(tmp_path: Path, text: bytes, encoding: str) -> None:
    assert [record.cells for record in records(tmp_path, text, encoding=encoding)] == [["编号", "名"], ["1", "李"]]


@pytest.mark.parametrize("count", [0, 1, 20_000])
def test_a_wrong_encoding_is_named_with_the_line(tmp_path: Path, count: int) -> None:
    text = b"a,b\n" + b"1,2\n" * count + "李,2\n".encode("gb18030")
    with pytest.raises(FileUnusable) as unusable:
        records(tmp_path, text)
    assert str(unusable.value) == (
        f"{tmp_path / 'file.csv'} is not written in utf-8-sig (line {count + 2}); name its encoding with --encoding,"
        " for example --encoding gb18030."
    )
    assert unusable.value.exit_status == 2


def test_other_delimiters_separate_fields(tmp_path: Path) -> None:
    assert records(tmp_path, "a;b\n1,5;2\n", delimiter=";")[1].cells == ["1,5", "2"]


def test_what_goes_on_for_ever_is_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "RECORD_CHARACTERS_MAX", 100)
    for text in ('a,b\n1,"2\n' + "3,4\n" * 50, "a,b\n1,2\n" + "x" * 500):
        with pytest.raises(FileUnusable, match=r"what begins in line [23] goes on for more than 100 characters"):
            records(tmp_path, text)


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_has_no_columns(tmp_path: Path, text: str) -> None:
    with pytest.raises(FileUnusable, match=r"is empty; its first line must name the columns\.$"):
        records(tmp_path, text)


def test_what_cannot_be_opened_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileUnusable, match=r"cannot be read: Is a directory\.$"):
        files.opened(tmp_path, encoding="utf-8", delimiter=",").__enter__()
    with pytest.raises(FileUnusable, match=r"cannot be read: No such file or directory\.$"):
        files.opened(tmp_path / "nothing", encoding="utf-8", delimiter=",").__enter__()
    (tmp_path / "file").touch()
    with pytest.raises(FileUnusable, match=r"^--encoding: 'klingon' is no encoding of text that Python knows\.$"):
        files.opened(tmp_path / "file", encoding="klingon", delimiter=",").__enter__()


def test_a_report_never_overwrites_the_file_it_reports_on(tmp_path: Path) -> None:
    path = tmp_path / "purchases.csv"
    path.write_text(HEADER)
    with pytest.raises(FileUnusable, match="the file that is imported"), reports.opened(path, of=path):
        pass
    assert path.read_text() == HEADER


def test_a_report_without_rows_is_not_kept(tmp_path: Path) -> None:
    path, imported = tmp_path / "report.csv", tmp_path / "purchases.csv"
    path.write_text("of yesterday")
    imported.touch()
    with reports.opened(path, of=imported):
        assert path.read_text(encoding="utf-8-sig") == "line,code,message,row\n"
    assert not path.exists()


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ({"amount": "sum"}, "it has no column 'sum'; --amount names one of 'purchase_id', 'member', "),
        ({"freight": "post"}, "it has no column 'post'; --freight names one of "),
        ({"channel": "wechat"}, "--channel: 'wechat' is neither a column of f.csv nor one of ONLINE, PHONE, IN_STORE."),
    ],
)
def test_a_column_that_is_not_there_is_told_before_anything_is_done(names: dict[str, str], sentence: str) -> None:
    with pytest.raises(FileUnusable) as unusable:
        running.plan(Options(path=Path("f.csv"), names=names), HEADER.strip().split(","))
    assert sentence in str(unusable.value)
