"""A flash sale between two real servers whose Redis is killed, and one whose server is killed: exact in every case."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import psutil

from domain.claims import Claim
from domain.redemptions.redemption import Redemption
from tests.persistence import engines, selling
from tests.persistence.engines import Books
from tests.process import shopfront, tessera
from tests.process.shopfront import Founded, Load, Mutation
from tests.process.tessera import Child

CALLERS: Final = 24
MEMBERS: Final = 300
UNITS: Final = 60
POINTS: Final = 10


@dataclass(frozen=True, slots=True)
class Offered:
    """A shop with a flash sale that is on."""

    founded: Founded
    item_id: UUID

    def claims(self, prefix: str = "k") -> list[Mutation]:
        """A claim of every member."""
        item = shopfront.global_id("FlashSaleItem", self.item_id)
        return [
            Mutation(
                "flashSaleClaim",
                "claim { id state } isReplay",
                {
                    "member": {"id": shopfront.global_id("Member", member_id)},
                    "itemId": item,
                    "idempotencyKey": f"{prefix}-{number}",
                },
            )
            for number, member_id in enumerate(self.founded.member_ids)
        ]


async def offer(url: str, stock: int = UNITS) -> Offered:
    """Found a shop and open a sale in it, straight in the database."""
    founded = await shopfront.found(url, members=MEMBERS, points=POINTS, stock=1)
    engine = engines.make(url)
    await engine.start()
    try:
        item_id = await selling.offer(engines.Shop(engine, founded.program_id), points=POINTS, stock=stock)
    finally:
        await engine.stop()
    return Offered(founded, item_id)


def check(books: Books, offered: Offered, sold: int) -> None:
    """So many are sold, each to a member who paid for it, and nothing else has changed."""
    selling.check(books)
    assert selling.stock(books, offered.item_id)[0] == sold
    assert len(books.of(Claim)) == len(books.of(Redemption)) == sold
    left = Counter(books.account(member_id).available for member_id in offered.founded.member_ids)
    assert left == Counter({0: sold, POINTS: MEMBERS - sold})


def test_two_servers_sell_exactly_what_there_is_though_redis_is_killed_in_mid_sale(tmp_path: Path) -> None:
    with tessera.serving(tmp_path / "first") as first:
        url = shopfront.store_url(first, "PostgreSQL")
        redis = shopfront.store_url(first, "Valkey")
        with tessera.serving(tmp_path / "second", DATABASE_URL=url, REDIS_URL=redis) as second:

            async def work() -> None:
                offered = await offer(url)
                load = Load(offered.founded)
                telling = asyncio.create_task(load.tell([first.url, second.url], offered.claims(), callers=CALLERS))
                await load.until_answered(30)
                _valkey(first).kill()
                await telling
                assert (load.errors, load.unanswered) == ({}, [])
                assert load.refusals() == {"done": UNITS, "SOLD_OUT": MEMBERS - UNITS}
                check(await shopfront.books(url, offered.founded.program_id), offered, UNITS)

            asyncio.run(work())
            assert second.stop(signal.SIGTERM) == 0
        assert first.stop(signal.SIGTERM) == 0


def _valkey(child: Child) -> psutil.Process:
    """The Valkey that the server started."""
    (found,) = [process for process in child.servers() if "valkey" in process.name()]
    return found


def test_a_server_killed_in_mid_sale_has_sold_what_it_answered_and_goes_on_exactly(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with tessera.serving(data_dir) as child:

        async def kill() -> None:
            os.kill(child.process.pid, signal.SIGKILL)

        offered, load = asyncio.run(_kill_in_mid_sale(child, kill))
        assert child.process.wait(tessera.END_SECONDS_MAX) == -signal.SIGKILL
    with tessera.serving(data_dir) as child:
        asyncio.run(_prove(child, offered, load))
        assert child.stop(signal.SIGTERM) == 0


async def _kill_in_mid_sale(child: Child, kill: Callable[[], Awaitable[None]]) -> tuple[Offered, Load]:
    offered = await offer(shopfront.store_url(child, "PostgreSQL"), stock=200)
    load = Load(offered.founded)
    telling = asyncio.create_task(load.tell([child.url], offered.claims(), callers=CALLERS))
    await load.until_answered(80)
    await kill()
    await telling
    assert load.unanswered
    assert load.refusals() == {"done": len(load.answers)}
    return offered, load


async def _prove(child: Child, offered: Offered, load: Load) -> None:
    url, program_id = shopfront.store_url(child, "PostgreSQL"), offered.founded.program_id
    receipts = await shopfront.receipt_keys(url, program_id)
    won = [key for key in receipts if key.startswith("k-")]
    # All that was answered is there, and what was not is there as a whole or not at all.
    assert set(load.answers) <= set(won)
    check(await shopfront.books(url, program_id), offered, len(won))
    again = Load(offered.founded)
    await again.tell([child.url], offered.claims(), callers=CALLERS)
    assert again.refusals() == {"done": 200, "SOLD_OUT": MEMBERS - 200}
    assert all(again.answers[key]["isReplay"] for key in won)
    assert all(again.answers[key]["claim"] == payload["claim"] for key, payload in load.answers.items())
    check(await shopfront.books(url, program_id), offered, 200)


def test_f2_a_unit_that_is_released_at_one_server_is_claimed_at_the_other_within_a_second(tmp_path: Path) -> None:
    with tessera.serving(tmp_path / "first") as first:
        url = shopfront.store_url(first, "PostgreSQL")
        redis = shopfront.store_url(first, "Valkey")
        with tessera.serving(tmp_path / "second", DATABASE_URL=url, REDIS_URL=redis) as second:
            asyncio.run(_release_and_claim(url, first, second))


async def _release_and_claim(url: str, first: Child, second: Child) -> None:
    offered = await offer(url, stock=1)
    winner, *losers = offered.claims()
    load = Load(offered.founded)
    await load.tell([first.url], [winner], callers=1)
    # Both servers know that nothing is left.
    await load.tell([first.url, second.url], losers[:40], callers=4)
    assert load.refusals() == {"done": 1, "SOLD_OUT": 40}
    books = await shopfront.books(url, offered.founded.program_id)
    (redemption,) = books.of(Redemption)
    given = {"redemptionId": shopfront.global_id("Redemption", redemption.id), "reason": "no", "idempotencyKey": "back"}
    await load.tell([first.url], [Mutation("redemptionCancel", "redemption { state }", given)], callers=1)
    assert load.answers["back"]["userErrors"] == []
    released_at = time.monotonic()
    for number in range(1_000):
        again, asked_at = Load(offered.founded), time.monotonic()
        await again.tell([second.url], [offered.claims(f"again-{number}")[5]], callers=1)
        if again.refusals() == {"done": 1}:
            break
    assert again.refusals() == {"done": 1}
    assert asked_at - released_at < 1
