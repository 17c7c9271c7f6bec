"""`tessera redis rebuild`: everything that Redis keeps, made anew from PostgreSQL."""

import sys
import time
from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import click

from api import assembly, relaying, serve
from api.interruptions import Interruption
from api.settings import Settings
from persistence import connection, embedded
from persistence.engine import DISCONNECTED
from persistence.relay import REDIS_AWAY, Overtaken, Relay
from persistence.startup import StartupError

_LOST: Final = (Overtaken, *REDIS_AWAY, *DISCONNECTED)


class Built(NamedTuple):
    """What was built anew: entries of so many programs, in so many seconds."""

    programs: int
    entries: int
    seconds: float
    is_interrupted: bool


def run(settings: Settings, *, from_facts: bool = False) -> None:
    """Build everything anew, program by program, and say how much that was.

    It may be run again, and beside servers that answer: what is not built yet they ask of PostgreSQL. Raises
    `StartupError` if a store cannot be used or is lost, and KeyboardInterrupt if it was told to stop.
    """

    async def work(settings: Settings, stores: embedded.Servers) -> Built:
        return await _work(settings, stores, from_facts=from_facts)

    built = serve.run_once(settings, work)
    rate = built.entries / built.seconds if built.seconds else 0.0
    click.echo(f"Built anew: {built.entries:,} entries, {rate:,.0f} a second; programs: {built.programs:,}.")
    if built.is_interrupted:
        click.echo("Interrupted. Run it again; until then PostgreSQL answers, and a worker builds the rest.", err=True)
        raise KeyboardInterrupt


async def _work(settings: Settings, stores: embedded.Servers, *, from_facts: bool) -> Built:
    await assembly.migrate(settings, stores)
    async with assembly.open_redis(stores) as redis:
        relay = relaying.make(connection.parse_url(stores.database_url), redis)
        try:
            return await build(relay, await relay.programs(), from_facts=from_facts)
        except _LOST as lost:
            raise StartupError("A store was lost on the way. Run the same again.") from lost
        finally:
            await relay.close()


async def build(relay: Relay, programs: Sequence[UUID], *, from_facts: bool = False) -> Built:
    """Build programs anew, with a progress bar where somebody watches, until the end or a signal to stop."""
    began = time.perf_counter()
    interruption = Interruption()
    total = sum([await relay.count(program_id) for program_id in programs])
    done = 0
    with (
        interruption.noted(),
        click.progressbar(length=total, label="Building anew", file=sys.stderr) as bar,
    ):

        def progress(count: int) -> bool:
            bar.update(count)
            return not interruption.is_told

        for program_id in programs:
            if not await relay.rebuild(program_id, progress, from_facts=from_facts):
                break
            done += 1
    return Built(done, bar.pos, time.perf_counter() - began, interruption.is_told)
