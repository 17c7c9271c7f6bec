"""`tessera worker`: the worker as a process of its own, until it is stopped, or once through all that is due."""

import sys
import time
from collections import Counter
from typing import Final

import click
from redis import asyncio as aioredis

from api import assembly, engines, relaying, serve
from api.interruptions import Interruption
from api.settings import Settings
from api.worker import Worker
from domain.duties import Work
from persistence import connection, embedded, live
from persistence.engine import Engine

_PROGRESS_SECONDS: Final = 1.0
# What each kind of work is called in what is printed.
_CALLED: Final = {
    Work.SETTLE: "accounts settled",
    Work.REDEMPTIONS: "redemptions lapsed",
    Work.VOUCHERS: "vouchers settled",
    Work.FLASH_SALE_CLAIMS: "flash sale claims lapsed",
    Work.FLASH_SALE_REMINDERS: "flash sale reminders looked at",
    Work.LEADERBOARDS: "periods of leaderboards closed",
    Work.LEADERBOARD_AWARDS: "prizes of leaderboards given",
    Work.LOTTERIES: "steps of ending lotteries done",
    Work.REFERRALS: "referrals expired or rewarded",
    Work.GROUP_DEALS: "groups failed",
    Work.BIRTHDAYS: "birthdays looked at",
    Work.MEMBER_DAYS: "members looked at on a member day",
    Work.TIER_WARNINGS: "ends of tiers looked at",
    Work.EXPIRY_REMINDERS: "expiries looked at",
    Work.STREAK_REMINDERS: "streaks looked at that end tonight",
    Work.TIER_REVIEW: "members looked at for new tiers",
}


def run(settings: Settings, *, once: bool) -> None:
    """Work until SIGINT or SIGTERM; with `once`, until nothing is due.

    What is under way is finished first. Raises `StartupError` if the stores cannot be had, and KeyboardInterrupt if it
    was told to stop.
    """

    async def work(settings: Settings, stores: embedded.Servers) -> bool:
        async with engines.running(settings, stores) as engine, assembly.open_redis(stores) as redis:
            return await _work(engine, connection.parse_url(stores.database_url), redis, once=once)

    if serve.run_once(settings, work):
        raise KeyboardInterrupt


async def _work(engine: Engine, address: connection.Address, redis: "aioredis.Redis", *, once: bool) -> bool:
    """Do the work; whether it was told to stop."""
    worker = Worker(engine, lambda: connection.connect(address))
    interruption = Interruption()
    progress = _Progress(worker.done)
    with interruption.noted():
        if once:
            click.echo(_told(await worker.run_until_idle(lambda: progress.told() and not interruption.is_told)))
            await worker.close()
            await _relay_once(address, redis)
        else:
            click.echo("The worker runs. Ctrl-C stops it; what it has not done is done when it runs again.")
            async with live.running(redis) as hub, relaying.running(address, redis, hub):
                await worker.run(lambda: not interruption.is_told)
    return interruption.is_told


async def _relay_once(address: connection.Address, redis: "aioredis.Redis") -> None:
    relay = relaying.make(address, redis)
    await relaying.run_until_idle(relay)
    await relay.close()


class _Progress:
    """Tells on the terminal, at most once a second, how far the work is."""

    def __init__(self, done: Counter[Work]) -> None:
        self._done = done
        self._told_at = time.monotonic()

    def told(self) -> bool:
        """Tell, if it is time to and somebody watches; true in any case."""
        if sys.stderr.isatty() and time.monotonic() - self._told_at > _PROGRESS_SECONDS:
            self._told_at = time.monotonic()
            click.echo(f"  {_told(self._done)}", err=True)
        return True


def _told(done: Counter[Work]) -> str:
    parts = [f"{count:,} {_CALLED[work]}" for work, count in done.items() if count]
    return f"Done: {', '.join(parts)}." if parts else "Nothing was due."
