"""One run of an import, from its options to its exit status."""

import itertools
import signal
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from api import engines
from api import settings as configuration
from api.founding import choosing
from api.imports import files, reports
from api.imports.files import FileUnusable, Source
from api.imports.telling import Tally, Telling
from api.interruptions import Interruption
from domain import imports
from domain.imports import Columns, Reading
from domain.programs import Program
from domain.stores import Channel
from persistence import imports as stored
from persistence.engine import Engine

_REQUIRED: Final = frozenset({"purchase_id", "member", "occurred_at", "amount"})
_OPTIONAL: Final = frozenset({"freight", "store", "channel", "currency"})
# What one value of the command line may say for all rows.
_FIXABLE: Final = frozenset({"store", "channel"})


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
class Plan:
    """How a file is to be read: where its columns stand, and which values of the command line hold for all rows."""

    columns: Columns
    width: int
    fixed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Done:
    """How an import ended: what became of the rows, after how many seconds, and whether it was interrupted."""

    tally: Tally
    seconds: float
    is_interrupted: bool = False


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
        chosen = plan(options, source.header)

        async def work(engine: Engine) -> Done:
            program = await choosing.program(options.program)
            reading = await reading_of(program, chosen)
            batch_max = engines.batch_max(settings)
            telling = Telling(engine, program.id, reading, report, batch_max=batch_max, enrolls=options.enrolls)
            return await tell(telling, source, label=f"Importing {options.path.name}")

        done = engines.do(settings, work)
    return _say(done, report_path)


def plan(options: Options, header: Sequence[str]) -> Plan:
    """How a file with this header is read. Raises `FileUnusable`."""
    known = {name.strip() for name in header}
    fixed = {field: name for field, name in options.names.items() if field in _FIXABLE and name not in known}
    channel = fixed.get("channel")
    if channel is not None and imports.channel_of(channel) is None:
        raise FileUnusable(f"--channel: {channel!r} is neither a column of {options.path} nor {_one_of(Channel)}.")
    names = {field: options.names.get(field, field) for field in _REQUIRED | _OPTIONAL if field not in fixed}
    try:
        columns = imports.find_columns(header, names, required=_REQUIRED | options.names.keys())
    except imports.HeaderInvalid as invalid:
        raise FileUnusable(f"{options.path}: {invalid}.") from invalid
    return Plan(columns, len(header), fixed)


async def reading_of(program: Program, chosen: Plan) -> Reading:
    """A plan with what it takes of a program. Raises `FileUnusable` for a store that there is not."""
    stores = await stored.stores(program.id)
    store = chosen.fixed.get("store")
    if store is not None and store not in stores:
        raise FileUnusable(f"--store: {store!r} is neither a column of the file nor a store of {program.name}.")
    return Reading(
        columns=chosen.columns,
        width=chosen.width,
        currency_code=program.currency_code,
        time_zone=program.time_zone,
        stores=stores,
        store_id=None if store is None else stores[store],
        channel=imports.channel_of(chosen.fixed.get("channel", "")) or Channel.ONLINE,
    )


async def tell(telling: Telling, source: Source, *, label: str) -> Done:
    """Tell a whole file, with a progress bar where somebody watches, until its end or a signal to stop."""
    began = time.perf_counter()
    interruption = Interruption()
    records = source.records()
    with (
        interruption.noted(),
        click.progressbar(length=source.size_bytes, label=label, file=sys.stderr, item_show_func=_state) as bar,
    ):
        try:
            while not interruption.is_told and (batch := list(itertools.islice(records, telling.batch_max))):
                await telling.tell(batch)
                bar.update(source.position_bytes - bar.pos, telling.tally)
            await telling.finish()
        finally:
            await telling.abandon()
    return Done(telling.tally, time.perf_counter() - began, interruption.is_told)


def _state(tally: Tally | None) -> str:
    return "" if tally is None else f"{tally.rows - tally.refused:,} rows, {tally.refused:,} refused"


def _one_of(names: Iterable[str]) -> str:
    return f"one of {', '.join(names)}"


def _say(done: Done, report: Path) -> int:
    tally = done.tally
    told = tally.recorded + tally.repeated
    lines = (
        ("Rows", f"{tally.rows:,}"),
        ("Recorded", f"{tally.recorded:,}"),
        ("Already there", f"{tally.repeated:,}"),
        ("Refused", f"{tally.refused:,}"),
        ("Members enrolled", f"{tally.enrolled:,}"),
        ("Points earned", f"{tally.points:,}"),
        ("Seconds", f"{done.seconds:.1f}"),
        ("Purchases/second", f"{told / done.seconds:,.0f}"),
    )
    click.echo("\n".join(f"{name:<18}{value:>12}" for name, value in lines))
    if tally.refused:
        click.echo(f"The rows that were refused, and why: {report}", err=True)
    if done.is_interrupted:
        click.echo("Interrupted. Run the same command again to continue.", err=True)
        return 128 + signal.SIGINT
    return 1 if tally.refused else 0
