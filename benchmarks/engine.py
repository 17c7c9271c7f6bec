"""The engine beside one transaction a request through the ORM, and beside pgbench."""

import asyncio
import itertools
import re
from pathlib import Path

from benchmarks import measure, naive, shop
from benchmarks.report import Line
from domain.members import MemberRef
from domain.redemptions.placing import RedeemReward
from persistence import rows
from persistence.embedded import postgres

CALLERS = 32
HOT_CALLERS = 256
SCRIPT = Path(__file__).parent / "purchase.pgbench.sql"

_keys = itertools.count()


async def purchases(place: shop.Shop, *, rounds: int, count: int) -> list[Line]:
    """`purchaseRecord` at 32 callers: ledger row, lot, balance, receipt and event, durable."""

    async def engine() -> int:
        await shop.callers(CALLERS, count // CALLERS, lambda n: place.tell(shop.purchase(n), f"k{next(_keys)}"))
        return count

    async def orm() -> int:
        few = count // 8
        await shop.callers(CALLERS, few // CALLERS, lambda n: _by_orm(place, n))
        return few

    # Without statistics the plans of both references would be those of empty tables.
    await rows.fetch("ANALYZE")

    async def bare() -> int:
        return await by_pgbench(place, count // CALLERS)

    figures = await measure.in_turn((("engine", engine), ("orm", orm), ("pgbench", bare)), rounds=rounds)
    by_name = {figure.name: figure for figure in figures}
    return [
        Line("engine, 32 callers", "one transaction each, ORM", by_name["engine"], by_name["orm"], 4),
        Line("engine, 32 callers", "pgbench, 32 clients", by_name["engine"], by_name["pgbench"], 1),
    ]


async def _by_orm(place: shop.Shop, number: int) -> None:
    told = shop.purchase(number)
    key = f"k{next(_keys)}"
    await naive.record_purchase(place.program_id, told.member.external_id or "", told.external_id, key)


async def by_pgbench(place: shop.Shop, each: int) -> int:
    """`each` transactions of each of 32 clients, by pgbench's own count; timed from outside, as the other ways are."""
    process = await asyncio.create_subprocess_exec(
        str(postgres.program_path("pgbench")),
        *("--no-vacuum", "--client", str(CALLERS), "--jobs", "2", "--protocol", "prepared"),
        *("--transactions", str(each), "-D", f"program={place.program_id}", "--file", str(SCRIPT)),
        place.database_url,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, complaint = await process.communicate()
    done = re.search(rb"actually processed: (\d+)/", told)
    if process.returncode or done is None:
        raise RuntimeError(complaint.decode())
    return int(done[1])


async def hot_reward(place: shop.Shop, *, rounds: int, count: int) -> list[Line]:
    """256 callers on one reward: the row everybody wants. Stock ends exactly where it must."""
    few = count // 16 // HOT_CALLERS * HOT_CALLERS
    hot = await shop.reward(place, stock=(count + few) * rounds, points=1)

    async def engine() -> int:
        await shop.callers(
            HOT_CALLERS, count // HOT_CALLERS, lambda n: place.tell(_redeem(place, n, hot), f"k{next(_keys)}")
        )
        return count

    async def orm() -> int:
        ids = place.member_ids
        await shop.callers(
            HOT_CALLERS,
            few // HOT_CALLERS,
            lambda n: naive.redeem(place.program_id, ids[n % len(ids)], hot, f"k{next(_keys)}"),
        )
        return few

    fast, slow = await measure.in_turn((("engine", engine), ("orm", orm)), rounds=rounds)
    left = await rows.fetch('SELECT "left" FROM reward_stocks WHERE id = $1', hot)
    if left[0]["left"] != 0:
        raise AssertionError(f"the stock should have ended at 0; {left[0]['left']} are left")
    return [Line("engine, 256 callers, one hot reward", "one transaction each, ORM", fast, slow, 10)]


def _redeem(place: shop.Shop, number: int, reward_id: object) -> RedeemReward:
    member = place.member_ids[number % len(place.member_ids)]
    return RedeemReward(member=MemberRef(id=member), reward_id=reward_id)  # type: ignore[arg-type]
