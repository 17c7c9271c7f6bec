"""`tessera demo`: 18 months of a real shop through the same engine as everything else, and what came of them."""

from datetime import date
from pathlib import Path
from typing import Final
from uuid import UUID

import click

from api import engines
from api.imports import files, reports, running
from api.imports.running import Done, Options
from api.imports.telling import Telling
from api.settings import Settings
from domain import money
from domain.kernel import Command
from domain.programs import CreateProgram, Program
from domain.tiers.tier import CreateTier
from persistence import demo as stored
from persistence.demo import Figures
from persistence.engine import Engine, Result

# Its own for ever, so that a second demonstration finds the first.
PROGRAM_ID: Final = UUID("01941f29-7c00-7000-8000-0000000cd001")
CURRENCY: Final = "USD"
TIME_ZONE: Final = "America/New_York"
# Name, qualifying points from which it is reached, and factor on earning in basis points.
TIERS: Final = (("Member", 0, 10_000), ("Silver", 200, 12_000), ("Gold", 500, 15_000))
FILE: Final = Path(__file__).parents[1] / "examples" / "cdnow_sample.csv"
FIRST_DAY: Final = date(1997, 1, 1)
LAST_DAY: Final = date(1998, 6, 30)

_ACTOR: Final = "demo"
_COLUMNS: Final = {
    "purchase_id": "purchase_id",
    "member": "member_external_id",
    "occurred_at": "occurred_on",
    "amount": "amount_usd",
}


def run(settings: Settings) -> None:
    """Record the purchases of `examples/cdnow_sample.csv` in a program of their own, and print what came of them.

    It runs on servers of its own, whose data is in `DATA_DIR/demo`, so that it never touches the shop's. Again, it
    finds everything there. Raises `StartupError` if it cannot be done.
    """
    own = settings.model_copy(update={"data_dir": settings.data_dir / "demo", "database_url": None, "redis_url": None})
    with files.opened(FILE, encoding="utf-8", delimiter=",") as source:
        done, figures = engines.do(own, lambda engine: demonstrate(engine, source, own))
    click.echo(_told(done, figures))
    if done.is_interrupted:
        raise KeyboardInterrupt


async def demonstrate(engine: Engine, source: files.Source, settings: Settings) -> tuple[Done, Figures]:
    """Make the program if it is not there, record the file, and reckon."""
    program = await _found(engine)
    chosen = running.plan(Options(path=FILE, names=_COLUMNS), source.header)
    reading = await running.reading_of(program, chosen)
    with reports.opened(settings.data_dir / "demo.report.csv", of=FILE) as report:
        batch_max = engines.batch_max(settings)
        telling = Telling(engine, PROGRAM_ID, reading, report, batch_max=batch_max, enrolls=True)
        done = await running.tell(telling, source, label="Recording 18 months of purchases")
    return done, await stored.figures(PROGRAM_ID)


async def _found(engine: Engine) -> Program:
    program = await _tell(
        engine,
        "program",
        CreateProgram(program_id=PROGRAM_ID, name="CDNOW", currency_code=CURRENCY, time_zone=TIME_ZONE),
    )
    for rank, (name, points, multiplier_bp) in enumerate(TIERS, start=1):
        tier = CreateTier(name=name, rank=rank, threshold=points, multiplier_bp=multiplier_bp)
        await _tell(engine, f"tier:{name}", tier)
    return program


async def _tell(engine: Engine, what: str, command: Command[Result]) -> Result:
    outcome = await engine.execute(command, program_id=PROGRAM_ID, actor=_ACTOR, idempotency_key=f"demo:{what}")
    return outcome.result


def _told(done: Done, figures: Figures) -> str:
    tally = done.tally
    amount = money.major_units(figures.amount_minor, CURRENCY)
    new = (
        f"{tally.recorded:,} purchases of {tally.enrolled:,} new members"
        if tally.recorded
        else "nothing: all was there"
    )
    tiers = ", ".join(f"{name or 'none yet'} {count:,}" for name, count in figures.tiers)
    facts = (
        ("Members", f"{figures.members:,}"),
        ("Purchases", f"{figures.purchases:,} from {FIRST_DAY} to {LAST_DAY}, {amount:,} {CURRENCY} in all"),
        ("Points issued", f"{figures.points:,}"),
        ("Tiers reached", tiers),
        ("Recorded now", f"{new}, in {done.seconds:.1f} s ({tally.rows / done.seconds:,.0f} purchases/s)"),
    )
    table = "\n".join(f"  {name:<16}{value}" for name, value in facts)
    top = "\n".join(
        f"  {place:>4}  {member.external_id:<8}{member.points:>8,} points  {member.tier or '':<8}"
        f"{member.purchases:>4} purchases"
        for place, member in enumerate(figures.top, start=1)
    )
    return f"\nCDNOW, {figures.members:,} members of a real shop.\n\n{table}\n\n  The top ten members\n{top}\n"
