"""The import of a file, the way `tessera import purchases` does it, beside pgbench."""

import itertools
from pathlib import Path
from uuid import uuid4

from api.imports import files, reports, running
from api.imports.telling import Telling
from benchmarks import engine, measure, shop
from benchmarks.report import Line
from domain.programs import Program
from persistence import rows

ROWS = 16_384
# As many as `tessera import` commits together by default.
BATCH_MAX = 512

_files = itertools.count()


async def purchases(place: shop.Shop, *, rounds: int) -> list[Line]:
    """A file of `ROWS` purchases nobody has recorded, read, decided and committed."""
    program = (await rows.by_ids(Program, place.program_id, [place.program_id]))[place.program_id]
    await rows.fetch("ANALYZE")

    async def told() -> int:
        return await _import(place, program)

    async def bare() -> int:
        return await engine.by_pgbench(place, 200)

    imported, reference = await measure.in_turn((("import", told), ("pgbench", bare)), rounds=rounds)
    return [Line("import of a file", "pgbench, 32 clients", imported, reference, 3)]


async def _import(place: shop.Shop, program: Program) -> int:
    path = _written(place.directory)
    options = running.Options(path=path, names={})
    with (
        files.opened(path, encoding="utf-8", delimiter=",") as source,
        reports.opened(path.with_suffix(".report"), of=path) as report,
    ):
        reading = await running.reading_of(program, running.plan(options, source.header))
        telling = Telling(place.engine, place.program_id, reading, report, batch_max=BATCH_MAX, enrolls=False)
        done = await running.tell(telling, source, label="Importing")
    if done.tally.recorded != ROWS:
        raise AssertionError(f"{ROWS} purchases should have been recorded: {done.tally}")
    return ROWS


def _written(directory: Path) -> Path:
    path = directory / f"purchases-{next(_files)}.csv"
    mark = uuid4().hex
    lines = (
        f"{mark}-{number},m{number * 7919 % shop.MEMBERS},1997-01-01T12:00:00+08:00,199.90\n" for number in range(ROWS)
    )
    path.write_text("purchase_id,member,occurred_at,amount\n" + "".join(lines))
    return path
