"""A flash sale: 5,000 members claim 100 units, by the engine alone and over HTTP from two servers.

Beside it, in the same run, the usual code: one transaction a request through the ORM. Every round must end exactly.
"""

import asyncio
import contextlib
import itertools
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any, Final
from uuid import UUID

from api import ids
from benchmarks import http, measure, naive, shop
from benchmarks.report import Line
from domain import claims, enrollments, members
from domain.flash_sales.claiming import ClaimFlashSale
from domain.flash_sales.commands import ItemTerms, SaveFlashSale
from domain.kernel import Refusal, derived_id
from domain.members import MemberRef
from domain.points.commands import AdjustPoints
from domain.rewards.commands import CreateReward
from persistence import clock, rows

MEMBERS: Final = 5_000
UNITS: Final = 100
# The usual code has a rush a fifth as large, of the same kind: its rate is what is compared.
FEW: Final = 5
CALLERS: Final = 256
CONNECTIONS: Final = 128
ENGINE_GOAL: Final = 10
HTTP_GOAL: Final = 5

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Rush:
    """What a rush over HTTP came to."""

    rate: float
    p99_ms: float


async def furnished(place: shop.Shop) -> str:
    """Five thousand members with points enough for every round, and a key; without statistics no plan is fair."""
    more = range(shop.MEMBERS, MEMBERS)
    await asyncio.gather(
        *(place.tell(enrollments.EnrollMember(profile=members.Profile(external_id=f"m{number}"))) for number in more)
    )
    await asyncio.gather(
        *(
            place.tell(AdjustPoints(member=MemberRef(external_id=f"m{number}"), points=1_000, reason="bench"))
            for number in range(MEMBERS)
        )
    )
    await rows.fetch("ANALYZE")
    return await http.key_of(place)


async def _offer(place: shop.Shop, units: int) -> UUID:
    """A sale that is on, of one item; the stock of its round is there, for the usual code makes none."""
    code = f"rush-{next(_numbers)}"
    reward = (await place.tell(CreateReward(code=code, name="Rush", points=1))).reward
    now = clock.now()
    terms = ItemTerms(reward_id=reward.id, points=1, stock=units, limit_per_member=1)
    opens_at = now - timedelta(hours=1)
    told = SaveFlashSale(code=code, name="Rush", starts_at=opens_at, ends_at=now + timedelta(hours=1), items=(terms,))
    item_id = derived_id((await place.tell(told)).id, reward.id.hex)
    await rows.fetch(
        "INSERT INTO flash_sale_stocks (id, program_id, item_id, opens_at, total, sold, held)"
        " VALUES ($1, $2, $3, $4, $5, 0, 0)",
        claims.stock_id(item_id, opens_at, None),
        place.program_id,
        item_id,
        opens_at,
        units,
    )
    return item_id


async def _require_sold(item_id: UUID, units: int) -> None:
    found = await rows.fetch(
        "SELECT sold, held, total, (SELECT count(*) FROM claims WHERE item_id = $1 AND state = 'CONFIRMED') AS claimed"
        " FROM flash_sale_stocks WHERE item_id = $1",
        item_id,
    )
    told = dict(found[0])
    if told != {"sold": units, "held": 0, "total": units, "claimed": units}:
        raise AssertionError(f"{units} units should have been sold: {told}")


async def engine(place: shop.Shop, *, rounds: int) -> list[Line]:
    """The claims alone, by 256 callers."""

    async def through(claim: Callable[[UUID, int], Awaitable[bool]], count: int, units: int) -> int:
        item_id = await _offer(place, units)
        sold: Counter[bool] = Counter()
        numbers = iter(range(count))

        async def one() -> None:
            for number in numbers:
                sold[await claim(item_id, number)] += 1

        await asyncio.gather(*(one() for _ in range(CALLERS)))
        if sold != {True: units, False: count - units}:
            raise AssertionError(f"{units} of {count} should have been sold: {sold}")
        await _require_sold(item_id, units)
        return count

    async def ours(item_id: UUID, number: int) -> bool:
        command = ClaimFlashSale(member=MemberRef(external_id=f"m{number}"), item_id=item_id)
        try:
            await place.tell(command, f"e{next(_numbers)}")
        except Refusal:
            return False
        return True

    async def usual(item_id: UUID, number: int) -> bool:
        return await naive.claim(place.program_id, f"m{number}", item_id, f"n{next(_numbers)}")

    fast, slow = await measure.in_turn(
        (
            ("engine", lambda: through(ours, MEMBERS, UNITS)),
            ("orm", lambda: through(usual, MEMBERS // FEW, UNITS // FEW)),
        ),
        rounds=rounds,
    )
    what = f"engine, {CALLERS} callers, {MEMBERS:,} members and {UNITS} units"
    return [Line(what, "one transaction each, ORM", fast, slow, ENGINE_GOAL)]


async def over_http(place: shop.Shop, token: str, *, rounds: int) -> list[Line]:
    """The same through GraphQL, from many connections to two server processes."""
    module, stores = "benchmarks.flash_server", http.stores(place)
    async with contextlib.AsyncExitStack() as stack:
        gated = [await stack.enter_async_context(http.serving(module, **stores)) for _ in range(2)]
        open_ones = [await stack.enter_async_context(http.serving(module, GATE="off", **stores)) for _ in range(2)]
        ways = {
            "gate": (gated, "flashSaleClaim", MEMBERS, UNITS),
            "no gate": (open_ones, "flashSaleClaim", MEMBERS, UNITS),
            "usual": (gated, "naiveClaim", MEMBERS // FEW, UNITS // FEW),
        }
        seen: dict[str, list[Rush]] = {name: [] for name in ways}
        # The first round only warms up.
        for turn in range(rounds + 1):
            for name, (servers, mutation, count, units) in ways.items():
                rush = await _rush(place, servers, token, mutation, count, units)
                if turn:
                    seen[name].append(rush)
    figures = {name: measure.Figure(name, tuple(rush.rate for rush in found)) for name, found in seen.items()}
    p99 = {name: f"99 % within {median(rush.p99_ms for rush in found):.0f} ms" for name, found in seen.items()}
    usual = f"one transaction each, ORM, over HTTP; {p99['usual']}"
    what = f"{MEMBERS:,} members and {UNITS} units over HTTP, two servers, {CONNECTIONS} connections"
    return [
        Line(f"{what}, with the gate; {p99['gate']}", usual, figures["gate"], figures["usual"], HTTP_GOAL),
        Line(f"{what}, without; {p99['no gate']}", usual, figures["no gate"], figures["usual"], HTTP_GOAL),
    ]


async def _rush(
    place: shop.Shop, servers: list[http.Server], token: str, mutation: str, count: int, units: int
) -> Rush:
    item_id = await _offer(place, units)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.rush", ",".join(str(server.port) for server in servers)),
        *(str(CONNECTIONS), str(count), mutation, ids.encode("FlashSaleItem", item_id), token),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the rush was not answered")
    told: dict[str, Any] = json.loads(said)
    if told["outcomes"] != {"done": units, "SOLD_OUT": count - units}:
        raise AssertionError(f"{units} should have been sold and everybody else told so: {told['outcomes']}")
    await _require_sold(item_id, units)
    return Rush(told["rate"], told["p99_ms"])


async def measured(rounds: int) -> list[Line]:
    """All of it, on servers of its own."""
    async with shop.opened() as place:
        token = await furnished(place)
        return [*await engine(place, rounds=rounds), *await over_http(place, token, rounds=rounds)]
