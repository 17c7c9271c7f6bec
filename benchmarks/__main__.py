"""`make bench`: every promised figure beside its reference, measured in one run. Minutes, not hours; ends by itself."""

import argparse
import asyncio

import uvloop

from benchmarks import earning, engine, flash_sales, http, imports, leaderboards, live, lotteries, mall, shop
from benchmarks.report import HEAD, Line
from persistence import memory

PURCHASES = 6_400
REDEMPTIONS = 8_192
REQUESTS = 6_400
START_SECONDS_MAX = 3
MEMORY_MIB_MAX = 160
EVALUATION_MS_MAX = 2
LIVE_SECONDS_MAX = 1
MEMBERS_MIN = 5000


def main() -> None:
    """Measure and print. Nothing is asserted here: machines are shared, and the reader sees figure and goal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each way is measured, in turn (default 5)")
    rounds = parser.parse_args().rounds
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_measure(rounds))


async def _measure(rounds: int) -> None:
    print(f"Every rate is a median of {rounds} rounds; every ratio is the median of the ratios round by round.\n")
    print(HEAD, flush=True)
    async with shop.opened() as place:
        memory.spare_the_collector()
        _tell(await engine.purchases(place, rounds=rounds, count=PURCHASES))
    async with shop.opened(batch_max=imports.BATCH_MAX) as place:
        _tell(await imports.purchases(place, rounds=rounds))
    async with shop.opened() as place:
        _tell(await engine.hot_reward(place, rounds=rounds, count=REDEMPTIONS))
    async with shop.opened() as place:
        lines, resident = await http.mutations(place, rounds=rounds, count=REQUESTS)
        _tell(lines)
    _tell(await flash_sales.measured(rounds))
    async with shop.opened() as place:
        bounded = [*await mall.codes(place), *await mall.catalogue(place)]
    async with shop.opened() as place:
        heard = await live.to_one(place)
    async with shop.opened() as place:
        ranked = await live.to_ranks(place)
    async with shop.opened() as place:
        boards = await leaderboards.board(place)
    started = await http.start()
    one_ms, many_ms = earning.evaluate_ms(1), earning.evaluate_ms(earning.RULES)
    drawn = lotteries.million()
    worked = await earning.worker()
    print("\n| what | figure | goal | reached |\n|---|---|---|---|")
    for line in bounded:
        print(line.text())
    print(
        _bounded(
            "start of `tessera serve` with an existing database, to its first answer", started, "s", START_SECONDS_MAX
        )
    )
    print(_bounded("resident memory of the serving process after the load", resident, "MiB", MEMORY_MIB_MAX))
    _tell_live(heard, ranked)
    _tell_boards(boards)
    what = f"{earning.RULES:,} active rules for one purchase, in the domain (one rule: {one_ms:.3f} ms)"
    print(_bounded(what, many_ms, "ms", EVALUATION_MS_MAX))
    what = (
        f"{lotteries.DRAWS:,} draws in the domain, with the published odds at p = {drawn.p_value:.3f}"
        f" ({lotteries.DRAWS:,} bare HMACs: {drawn.bare_seconds:.1f} s)"
    )
    print(_bounded(what, drawn.seconds, "s", lotteries.SECONDS_MAX))
    for what, rate in (("expiry", worked.expiry), ("tier re-evaluation", worked.review)):
        beside = f"pgbench in the same run: {worked.pgbench:,.0f}/s"
        print(_at_least(f"{what} of {earning.MEMBERS:,} members by the worker ({beside})", rate, MEMBERS_MIN))


def _tell(lines: list[Line]) -> None:
    for line in lines:
        print(line.text(), flush=True)


def _tell_live(heard: live.Heard, ranked: live.Heard) -> None:
    who = f"the last of {live.LISTENERS:,} live listeners"
    median = f"the median: {heard.median_seconds:.2f} s"
    print(_bounded(f"a change reaches {who} to one balance ({median})", heard.last_seconds, "s", LIVE_SECONDS_MAX))
    what = f"the same where each listens to a rank of its own, and all ranks change ({ranked.median_seconds:.2f} s)"
    print(f"| {what} | {ranked.last_seconds:.1f} s | | |")
    print(f"| memory of the serving process for each of {live.LISTENERS:,} live listeners | {heard.kib:.0f} KiB | | |")


def _tell_boards(measured: leaderboards.Measured) -> None:
    board = f"a board of {measured.members:,} members"
    for asked in measured.asked:
        print(_bounded(f"{asked.what} of {board}, in Redis", asked.redis_ms, "ms", leaderboards.REDIS_MS_MAX))
        what = f"the same through the read function ({asked.read_ms:.2f} ms; bare commands: {asked.bare_ms:.2f} ms)"
        print(_bounded(what, asked.times_bare, "times", leaderboards.BARE_MAX))
    what = f"standings of {board} built anew in Redis (bare `ZADD`: {measured.bare:,.0f}/s)"
    print(_at_least(what, measured.rebuilt, leaderboards.REBUILT_MIN))


def _at_least(what: str, rate: float, bound: float) -> str:
    return f"| {what} | {rate:,.0f}/s | at least {bound:,}/s | {'yes' if rate >= bound else '**no**'} |"


def _bounded(what: str, value: float, unit: str, bound: float) -> str:
    return f"| {what} | {value:.1f} {unit} | at most {bound} {unit} | {'yes' if value <= bound else '**no**'} |"


if __name__ == "__main__":
    main()
