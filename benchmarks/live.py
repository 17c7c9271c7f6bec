"""Thousands of sockets on one serving process: how long a change takes to reach all of them, and what one costs."""

import asyncio
import json
import sys
from dataclasses import dataclass
from statistics import median

from benchmarks import http, shop

LISTENERS = 5_000
CHANGES = 5


@dataclass(frozen=True, slots=True)
class Heard:
    """Seconds from a change's request until the last and the median listener has the answer; KiB a listener."""

    last_seconds: float
    median_seconds: float
    kib: float


async def listeners(place: shop.Shop, count: int = LISTENERS) -> Heard:
    """Everybody listens to one member, whose balance changes a few times; the slowest of all answers counts."""
    token = await http.key_of(place)
    async with http.serving("benchmarks.server", **http.stores(place)) as server:
        before = server.resident_mib
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.listeners", str(server.port), str(count), str(CHANGES), token),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert client.stdin is not None
        assert client.stdout is not None
        if not await client.stdout.readline():
            raise RuntimeError("not everybody could listen")
        kib = (server.resident_mib - before) * 1024 / count
        client.stdin.write(b"go on\n")
        told = json.loads(await client.stdout.readline())
        await client.wait()
    return Heard(last_seconds=max(told["last"]), median_seconds=median(told["median"]), kib=kib)
