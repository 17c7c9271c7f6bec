"""The report of an import: a CSV file with the rows that were refused, and why."""

import contextlib
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from api.imports.files import FileUnusable, Record

# Enough to recognise a row by; the line number says where the whole of it is.
ROW_CHARACTERS_MAX: Final = 2000
_HEADER: Final = ("line", "code", "message", "row")


class Report:
    """Rows that were refused, in the order in which that became known."""

    def __init__(self, path: Path, file: io.TextIOWrapper) -> None:
        self.path = path
        self.count = 0
        self._writer = csv.writer(file)
        self._writer.writerow(_HEADER)

    def refuse(self, record: Record, code: str, message: str) -> None:
        """List a row with its reason, in one word and in one sentence."""
        self.count += 1
        text = record.text
        shown = text if len(text) <= ROW_CHARACTERS_MAX else text[:ROW_CHARACTERS_MAX] + "…"
        self._writer.writerow((record.line, code, message, shown))


@contextlib.contextmanager
def opened(path: Path, *, of: Path) -> Iterator[Report]:
    """A new report; one without rows is removed at the end. Raises `FileUnusable` if it cannot be written."""
    try:
        if path.exists() and path.samefile(of):
            raise FileUnusable(f"The report cannot be {path}, the file that is imported; choose another with --report.")
        # With its signature, spreadsheets read the names of people right.
        file = path.open("w", encoding="utf-8-sig", newline="", buffering=1)
    except OSError as error:
        raise FileUnusable(f"The report {path} cannot be written: {error.strerror}; choose another.") from error
    with file:
        report = Report(path, file)
        try:
            yield report
        finally:
            if not report.count:
                path.unlink(missing_ok=True)
