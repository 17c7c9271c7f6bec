"""One run of an import, from its options to its exit status."""

import contextlib
import itertools
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

import click

from api import engines, serve
from api import settings as configuration
from api.founding import choosing
from api.imports import files, reports
from api.imports.files import FileUnusable, Source
from api.imports.telling import Tally, Telling
from api.settings import Settings
from domain import imports
from domain.imports import Columns, Reading
from domain.programs import Program
from domain.stores import Channel
from persistence import embedded
from persistence import imports as stored
from persistence.engine import Engine

REQUIRED: Final = frozenset({"purchase_id", "member", "occurred_at", "amount"})
# What may hold for all rows instead of being told in each.
_FIXABLE: Final = ("store", "channel")
_NAMES_SHOWN_MAX: Final = 20
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says. `names` are the columns by the field of `Columns`; those not told have defaults."""

    path: Path
    names: Mapping[str, str]
    program: str | None = None
    delimiter: str = ","
    encoding: str = "utf-8-sig"
    enrolls: bool = False
    report: Path | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """How an import ended: what became of the rows, after how many seconds, and whether it was interrupted."""

    tally: Tally
    seconds: float
    is_interrupted: bool = False


class Interruption:
    """Notes the first signal to stop, so that what is on its way is finished; the next one breaks off as before."""

    def __init__(self) -> None:
        self.is_told = False
        self._previous = {number: signal.getsignal(number) for number in _SIGNALS}

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Note signals in the block."""
        for number in _SIGNALS:
            signal.signal(number, self._note)
        try:
            yield
        finally:
            self._restore()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.is_told = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)


def run(options: Options) -> int:
    """Import a file and say what became of it. The status to exit with: 1 if rows were refused, 130 if interrupted.

    Raises `StartupError` if it cannot be done at all.
    """
    settings = configuration.load()
    report_path = options.report or Path(f"{options.path}.report.csv")
    with (
        files.opened(options.path, encoding=options.encoding, delimiter=options.delimiter) as source,
        reports.opened(report_path, of=options.path) as report,
    ):
        columns, fixed = _columns(options, source)

        async def work(settings: Settings, stores: embedded.Servers) -> Done:
            async with engines.running(settings, stores) as engine:
                program = await choosing.program(options.program)
                reading = await _reading(program, columns, fixed, source)
                telling = Telling(
                    engine, program.id, reading, report, batch_max=settings.engine_batch_max, enrolls=options.enrolls
                )
                return await told(telling, source, settings.engine_batch_max)

        done = serve.run_once(settings, work)
    return _say(done, report_path)
