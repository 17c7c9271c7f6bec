"""One purchase over HTTP beside a mutation that does nothing, in the same real server; its start and its memory."""

import asyncio
import contextlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from api import minting
from benchmarks import measure, shop
from benchmarks.report import Line
from domain.access import CreateApiKey, KeyKind, Scope

CONNECTIONS = 64


@dataclass(slots=True)
class Server:
    """A running server, and how long it took from its process's start to its first answer."""

    port: int
    process: asyncio.subprocess.Process
    start_seconds: float

    @property
    def resident_mib(self) -> float:
        """Memory of the serving process."""
        return psutil.Process(self.process.pid).memory_info().rss / 2**20


@contextlib.asynccontextmanager
async def serving(module: str, **environment: str) -> AsyncIterator[Server]:
    """A server process on any free port, stopped afterwards."""
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *module.split()),
        env={**os.environ, "PORT": "0", **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        port = 0
        while not port:
            line = await asyncio.wait_for(process.stdout.readline(), 60)
            found = re.search(rb"http://[^:]+:(\d+)/graphql", line)
            port = int(found[1]) if found else 0
        async with httpx.AsyncClient() as client:
            (await client.get(f"http://127.0.0.1:{port}/readyz")).raise_for_status()
        yield Server(port, process, time.perf_counter() - started)
    finally:
        process.terminate()
        await process.communicate()


async def key_of(place: shop.Shop) -> str:
    """A secret key with every scope."""
    minted = minting.new_key(KeyKind.SECRET, place.program_id)
    await place.tell(
        CreateApiKey(
            name="bench", kind=KeyKind.SECRET, secret_hash=minted.secret_hash, hint=minted.hint, scopes=tuple(Scope)
        )
    )
    return minted.secret


async def mutations(place: shop.Shop, *, rounds: int, count: int) -> tuple[list[Line], float]:
    """`purchaseRecord` beside mutations that do nothing, and the server's resident memory after it all, in MiB."""
    token = await key_of(place)
    async with serving("benchmarks.server", **stores(place)) as server, serving("benchmarks.plain_server") as plain:
        asked = {"purchase": (server, "purchase"), "nothing": (server, "nothing"), "plain": (plain, "nothing")}
        rates: dict[str, list[float]] = {name: [] for name in asked}
        # The first round only warms up.
        for turn in range(rounds + 1):
            for name, (at, kind) in asked.items():
                rate = await _load(at, kind, count, token)
                if turn:
                    rates[name].append(rate)
        memory = server.resident_mib
    figures = {name: measure.Figure(name, tuple(values)) for name, values in rates.items()}
    what = f"`purchaseRecord` over HTTP, {CONNECTIONS} connections"
    return [
        Line(what, "doing nothing, same server", figures["purchase"], figures["nothing"], 0.6),
        Line(what, "doing nothing, Strawberry with caches", figures["purchase"], figures["plain"], 0.6),
    ], memory


async def _load(server: Server, kind: str, count: int, token: str) -> float:
    """Requests a second, measured by the client between its first request and its last answer."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.load"),
        *(str(server.port), str(CONNECTIONS), str(count // CONNECTIONS), kind, token),
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the load was not answered well")
    return float(told)


def stores(place: shop.Shop) -> dict[str, str]:
    """The environment of a server on the same stores."""
    return {"DATABASE_URL": place.database_url, "REDIS_URL": place.redis_url, "DATA_DIR": str(place.directory)}


async def start() -> float:
    """Seconds from `tessera serve` to the first answer, with an existing embedded database."""
    directory = Path(tempfile.mkdtemp(prefix="tessera-start-"))
    try:
        async with serving("api.cli serve", DATA_DIR=str(directory)):
            pass
        async with serving("api.cli serve", DATA_DIR=str(directory)) as server:
            return server.start_seconds
    finally:
        shutil.rmtree(directory, ignore_errors=True)
