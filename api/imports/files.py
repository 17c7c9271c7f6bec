"""Reading a CSV file record by record, with the number of the line in which each begins, and in bounded memory."""

import contextlib
import csv
import io
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from persistence.startup import StartupError

# No purchase is that long: it is a quote that is never closed, or no CSV file at all.
RECORD_CHARACTERS_MAX: Final = 16 * 2**20


class FileUnusable(StartupError):
    """A file cannot be imported at all, or from some line on; one sentence says why and what to do."""

    exit_status = 2


class Record(NamedTuple):
    """A record: the line in which it begins, counted from 1, its text, and its cells, or why it has none."""

    line: int
    text: str
    cells: list[str]
    fault: str = ""


class Source:
    """A CSV file being read."""

    def __init__(self, path: Path, raw: io.BufferedReader, text: io.TextIOWrapper, *, delimiter: str) -> None:
        """Read the header. Raises `FileUnusable` if there is none."""
        self._raw = raw
        self._lines = _Lines(path, text)
        self._reader = csv.reader(self._lines, delimiter=delimiter, strict=True)
        first = next(self.records(), None)
        if first is None:
            raise FileUnusable(f"{path} is empty; its first line must name the columns.")
        if first.fault:
            raise FileUnusable(f"{path}: {first.fault} This is its header.")
        self.header = first.cells

    @property
    def size_bytes(self) -> int:
        """How long the file is; 0 for what has no length, such as a pipe."""
        return os.fstat(self._raw.fileno()).st_size

    @property
    def position_bytes(self) -> int:
        """Up to where the file has been read, a little ahead of the last record."""
        return self._raw.tell() if self._raw.seekable() else 0

    def records(self) -> Iterator[Record]:
        """The records that follow; empty lines are none. Raises `FileUnusable` where nothing more can be read.

        What is certainly misquoted costs its first line only: the lines after it are read anew.
        """
        lines = self._lines
        while True:
            lines.begin()
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                lines.go_back()
                yield Record(lines.first, lines.text, [], f"A quoted field does not end as it should: {error}.")
                continue
            if cells:
                yield Record(lines.first, lines.text, cells)


@contextlib.contextmanager
def opened(path: Path, *, encoding: str, delimiter: str) -> Iterator[Source]:
    """The file, open, with its header read. Raises `FileUnusable`."""
    # A field is part of a record, which has the same bound.
    csv.field_size_limit(RECORD_CHARACTERS_MAX)
    try:
        raw = path.open("rb")
    except OSError as error:
        raise FileUnusable(f"The file {path} cannot be read: {error.strerror}.") from error
    with raw:
        try:
            text = io.TextIOWrapper(raw, encoding=encoding, newline="")
        except LookupError as error:
            raise FileUnusable(f"--encoding: {encoding!r} is no encoding of text that Python knows.") from error
        yield Source(path, raw, text, delimiter=delimiter)


class _Lines:
    """The lines of a file, numbered, with those of the record that is being read."""

    def __init__(self, path: Path, file: io.TextIOWrapper) -> None:
        self._path = path
        self._file = file
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._length = 0
        self._count = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        if not line:
            raise StopIteration
        self._taken.append(line)
        self._count += 1
        self._length += len(line)
        return line

    @property
    def first(self) -> int:
        """The number of the record's first line."""
        return self._count - len(self._taken) + 1

    @property
    def text(self) -> str:
        """The record as it stands in the file, without the end of its last line."""
        return "".join(self._taken).rstrip("\r\n")

    def begin(self) -> None:
        """A new record begins."""
        self._taken = []
        self._length = 0

    def go_back(self) -> None:
        """Keep the record's first line only, and give the others again."""
        self._again.extendleft(reversed(self._taken[1:]))
        self._count -= len(self._taken) - 1
        del self._taken[1:]

    def _read(self) -> str:
        try:
            line = self._file.readline(RECORD_CHARACTERS_MAX + 1)
        except UnicodeError as error:
            raise FileUnusable(self._undecodable(error)) from error
        except OSError as error:
            raise FileUnusable(f"The file {self._path} cannot be read: {error.strerror}.") from error
        if self._length + len(line) > RECORD_CHARACTERS_MAX:
            raise FileUnusable(
                f"{self._path}: what begins in line {self.first} goes on for more than {RECORD_CHARACTERS_MAX:,}"
                " characters; is a quote never closed, or --delimiter another one?"
            )
        return line

    def _undecodable(self, error: UnicodeError) -> str:
        line = self._count + 1
        if isinstance(error, UnicodeDecodeError):
            # Decoding runs ahead of the lines that were taken.
            line += error.object[: error.start].count(b"\n")
        return (
            f"{self._path} is not written in {self._file.encoding} (line {line}); name its encoding with --encoding,"
            " for example --encoding gb18030."
        )
