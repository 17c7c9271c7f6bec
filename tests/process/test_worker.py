"""`tessera worker` as a process of its own: killed half way, beside another one, and inside the server."""

import asyncio
import os
import signal
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import pytest

from domain.earning.rules import ONE_POINT_A_UNIT
from domain.enrollments import EnrollMember
from domain.members import MemberRef, Profile
from domain.points.account import PointTransaction
from domain.policies import ExpiryKind, ExpiryPolicy
from domain.programs import CreateProgram, ProgramSettings
from domain.purchases.recording import RecordPurchase
from persistence import clock, connection
from tests.persistence import engines
from tests.process import shopfront, tessera

MEMBERS: Final = 3000
# Killed in the midst of it, when so many accounts have been settled.
SETTLED: Final = 500
SECONDS_MAX: Final = 240.0


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory that does not exist yet."""
    return tmp_path / "data"


async def found(url: str) -> UUID:
    """A program whose members all bought 40 days ago, for points that lasted 30."""
    engine = engines.make(url, batch_max=512)
    await engine.start()
    program_id = engines.new_id()
    settings = ProgramSettings(expiry=ExpiryPolicy(kind=ExpiryKind.DAYS, count=30))
    command = CreateProgram(
        program_id=program_id, name="Tea House", currency_code="CNY", settings=settings, rules=ONE_POINT_A_UNIT
    )
    await engine.execute(command, program_id=program_id, actor="test")
    bought_at = clock.now() - timedelta(days=25)
    names = [f"m{number}" for number in range(MEMBERS)]
    enrollments = [EnrollMember(profile=Profile(external_id=name)) for name in names]
    purchases = [
        RecordPurchase(
            member=MemberRef(external_id=name),
            external_id=f"o-{name}",
            amount_minor=10_000,
            currency_code="CNY",
            occurred_at=bought_at,
        )
        for name in names
    ]
    for commands in (enrollments, purchases):
        told = [engine.submit(each, program_id=program_id, actor="test") for each in commands]
        await asyncio.gather(*told)
    await engine.stop()
    return program_id


async def make_due(url: str, program_id: UUID) -> None:
    """Let ten days go by for all of them, without anybody noticing: everything they have is ten days older."""
    own = await connection.connect(connection.parse_url(url))
    await own.execute("UPDATE lots SET expires_at = expires_at - interval '10 days' WHERE program_id = $1", program_id)
    await own.execute(
        "UPDATE points_accounts SET due_at = due_at - interval '10 days' WHERE program_id = $1", program_id
    )
    await own.close()


async def count(url: str, statement: str, *arguments: object) -> int:
    own: asyncpg.Connection = await connection.connect(connection.parse_url(url))
    found: int = await own.fetchval(statement, *arguments)
    await own.close()
    return found


async def check(url: str, program_id: UUID) -> None:
    """Every lot expired once, every account balances, and nothing is due any more."""
    books = await shopfront.books(url, program_id)
    assert books.check() == MEMBERS
    kinds = sorted(row.kind.value for row in books.of(PointTransaction))
    assert kinds == ["EARN"] * MEMBERS + ["EXPIRE"] * MEMBERS
    due = "SELECT count(*) FROM points_accounts WHERE due_at <= now()"
    assert await count(url, due) == 0


def expired(url: str) -> int:
    return asyncio.run(count(url, "SELECT count(*) FROM point_transactions WHERE kind = 'EXPIRE'"))


def working(data_dir: Path, url: str) -> subprocess.Popen[bytes]:
    """A worker of its own process on a database."""
    output = data_dir.with_suffix(f".worker-{time.monotonic_ns()}")
    with output.open("wb") as file:
        return tessera.launch(data_dir, "worker", output=file.fileno(), DATABASE_URL=url)


def test_a_worker_killed_half_way_does_nothing_twice_and_forgets_nothing(data_dir: Path) -> None:
    with tessera.serving(data_dir, WORKER="off") as child:
        url = shopfront.store_url(child, "PostgreSQL")
        program_id = asyncio.run(found(url))
        asyncio.run(make_due(url, program_id))
        first = working(data_dir, url)
        deadline = time.monotonic() + SECONDS_MAX
        while (done := expired(url)) < SETTLED:
            assert first.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)
        os.kill(first.pid, signal.SIGKILL)
        assert first.wait(tessera.END_SECONDS_MAX) == -signal.SIGKILL
        assert SETTLED <= done < MEMBERS, "it was killed after it was done"
        # Two at once take over what it left.
        second, third = working(data_dir, url), working(data_dir, url)
        while expired(url) < MEMBERS:
            assert (second.poll(), third.poll()) == (None, None)
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for worker in (second, third):
            worker.send_signal(signal.SIGINT)
            assert worker.wait(tessera.END_SECONDS_MAX) == 130
        asyncio.run(check(url, program_id))
        once = tessera.run(data_dir, "worker", "--once", DATABASE_URL=url)
        assert (once.returncode, once.stdout) == (0, "Nothing was due.\n")
        assert child.stop(signal.SIGTERM) == 0


def test_inside_the_server_it_works_by_itself(data_dir: Path) -> None:
    with tessera.serving(data_dir) as child:
        url = shopfront.store_url(child, "PostgreSQL")
        program_id = asyncio.run(found(url))
        asyncio.run(make_due(url, program_id))
        deadline = time.monotonic() + SECONDS_MAX
        while expired(url) < MEMBERS:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        asyncio.run(check(url, program_id))
        assert child.answers()
        assert child.stop(signal.SIGTERM) == 0
