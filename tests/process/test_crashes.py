"""kill -9 under load: what was answered is there once, the rest whole or not at all, and told again it is once."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import httpx
import psutil
import pytest

from domain.points.account import PointTransaction, TransactionKind
from domain.purchases.purchase import Purchase
from tests.persistence.engines import Books
from tests.process import shopfront, tessera
from tests.process.shopfront import Founded, Load, Mutation
from tests.process.tessera import Child

CALLERS: Final = 24
MEMBERS: Final = 6
POINTS: Final = 1000
MUTATIONS: Final = 480
# Killed in the midst of it, when so many have been answered.
ANSWERED: Final = 150


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory that does not exist yet."""
    return tmp_path / "data"


def plan(founded: Founded) -> list[Mutation]:
    """Purchases and adjustments in turn, over a few members, so that callers meet."""
    told = []
    for number in range(MUTATIONS):
        member_id = founded.member_ids[number % MEMBERS]
        key = f"k-{number}"
        is_purchase = number % 3 > 0
        told.append(
            shopfront.buying(member_id, f"o-{number}", key) if is_purchase else shopfront.adjusting(member_id, 2, key)
        )
    return told


def keys_of(books: Books) -> list[str]:
    """The idempotency keys under which points moved since the shop was founded."""
    return sorted(row.idempotency_key for row in books.of(PointTransaction) if row.idempotency_key is not None)


def check(books: Books, receipts: list[str]) -> None:
    """Every row of a command is there or none is; the figures are what the rows say."""
    assert books.check() == MEMBERS
    assert keys_of(books) == sorted(receipts)
    orders = {row.id for row in books.of(Purchase)}
    earned = [row.source_id for row in books.of(PointTransaction) if row.kind is TransactionKind.EARN]
    assert sorted(earned) == sorted(orders)


async def kill_under_load(child: Child, url: str, kill: Callable[[], Awaitable[None]]) -> tuple[Load, list[Mutation]]:
    """Found a shop, tell it everything, and kill in the midst of it."""
    founded = await shopfront.found(url, members=MEMBERS, points=POINTS, stock=1)
    load, mutations = Load(founded), plan(founded)
    telling = asyncio.create_task(load.tell([child.url], mutations, callers=CALLERS))
    await load.until_answered(ANSWERED)
    await kill()
    await telling
    assert len(load.answers) + len(load.unanswered) == MUTATIONS
    assert len(load.answers) >= ANSWERED
    return load, mutations


async def prove(child: Child, url: str, load: Load, mutations: list[Mutation]) -> None:
    """Prove the promises after the restart; then tell everything again, twice."""
    program_id = load.founded.program_id
    receipts = await shopfront.receipt_keys(url, program_id)
    check(await shopfront.books(url, program_id), receipts)
    assert load.refusals() == {"done": len(load.answers)}
    assert set(load.answers) <= set(receipts)
    for _ in range(2):
        again = Load(load.founded)
        await again.tell([child.url], mutations, callers=CALLERS)
        assert (again.unanswered, again.refusals()) == ([], {"done": MUTATIONS})
        assert all(again.answers[key]["isReplay"] for key in receipts)
        receipts = await shopfront.receipt_keys(url, program_id)
        for key, payload in load.answers.items():
            assert again.answers[key] == payload | {"isReplay": True}
    books = await shopfront.books(url, program_id)
    check(books, receipts)
    assert sorted(receipts) == sorted(mutation.key for mutation in mutations)
    each = MUTATIONS // MEMBERS
    purchases = {number: each if number % 3 else 0 for number in range(MEMBERS)}
    for number, member_id in enumerate(load.founded.member_ids):
        assert books.account(member_id).available == POINTS + (purchases[number] or 2 * each)


def test_killed_under_load_it_has_every_answered_mutation_once(data_dir: Path) -> None:
    with tessera.serving(data_dir) as child:
        url = shopfront.store_url(child, "PostgreSQL")

        async def kill() -> None:
            os.kill(child.process.pid, signal.SIGKILL)

        load, mutations = asyncio.run(kill_under_load(child, url, kill))
        assert child.process.wait(tessera.END_SECONDS_MAX) == -signal.SIGKILL
        assert len(load.answers) < MUTATIONS
    with tessera.serving(data_dir) as child:
        asyncio.run(prove(child, shopfront.store_url(child, "PostgreSQL"), load, mutations))
        assert child.stop(signal.SIGTERM) == 0


def postmaster(child: Child) -> psutil.Process:
    """The first process of the server's PostgreSQL."""
    (path,) = child.data_dir.rglob("postmaster.pid")
    process = psutil.Process(int(path.read_text().split()[0]))
    assert process.ppid() == child.process.pid
    return process


def await_readiness(child: Child) -> None:
    """Return once the server says that it is ready again, by itself."""
    deadline = time.monotonic() + tessera.READY_SECONDS_MAX
    while httpx.get(f"{child.url}/readyz").status_code != 200:
        assert time.monotonic() < deadline, "it does not mend itself"
        time.sleep(0.1)


def test_postgresql_killed_under_load_loses_nothing_answered(data_dir: Path) -> None:
    with tessera.serving(data_dir) as child:
        url = shopfront.store_url(child, "PostgreSQL")
        killed = postmaster(child)

        async def kill() -> None:
            killed.kill()

        load, mutations = asyncio.run(kill_under_load(child, url, kill))
        # PostgreSQL is started again while callers wait; who waited too long was told, and nobody waited for ever.
        assert set(load.errors) <= {"INTERNAL_SERVER_ERROR"}
        await_readiness(child)
        assert postmaster(child).pid != killed.pid
        # All of it told again, to the very same server, is there once; and it still is after a restart.
        asyncio.run(prove(child, url, load, mutations))
        assert child.stop(signal.SIGTERM) == 0
    with tessera.serving(data_dir) as child:
        asyncio.run(prove(child, shopfront.store_url(child, "PostgreSQL"), load, mutations))
        assert child.stop(signal.SIGTERM) == 0
