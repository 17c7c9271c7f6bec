"""Many sockets of one client that listen to the same member, and what a change costs until all have heard.

`python -m benchmarks.listeners PORT COUNT CHANGES TOKEN` says `ready` when everybody listens, waits for a line, and
prints the seconds from each change's request until the median and the last socket had its answer.
"""

import asyncio
import json
import sys
import time
from statistics import median

import httpx
import uvloop
from websockets.asyncio.client import ClientConnection, connect

LISTEN = 'subscription { member(ref: {externalId: "m0"}) { account { available } } }'
CHANGE = (
    "mutation($input: PointsAdjustInput!) { pointsAdjust(input: $input)"
    " { member { account { available } } userErrors { code } } }"
)
# So many connect at once: more would only wait in the kernel's queue.
TOGETHER = 100


async def listen(port: int, token: str, gate: asyncio.Semaphore) -> ClientConnection:
    """A socket that has had its first answer."""
    async with gate:
        socket = await connect(
            f"ws://127.0.0.1:{port}/graphql",
            subprotocols=["graphql-transport-ws"],
            compression=None,
            ping_interval=None,
        )
        await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
        await socket.recv()
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": LISTEN}}))
        await socket.recv()
    return socket


async def heard(socket: ClientConnection, available: int, started: float) -> float:
    """Seconds until a socket knows the balance."""
    while json.loads(await socket.recv())["payload"]["data"]["member"]["account"]["available"] != available:
        pass
    return time.perf_counter() - started


async def main(port: int, count: int, changes: int, token: str) -> None:
    """Connect, change, listen, print."""
    gate = asyncio.Semaphore(TOGETHER)
    sockets = await asyncio.gather(*(listen(port, token, gate) for _ in range(count)))
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    medians, lasts = [], []
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {token}"}) as client:
        for number in range(changes):
            told = {"member": {"externalId": "m0"}, "points": 1, "reason": "bench", "idempotencyKey": f"live-{number}"}
            started = time.perf_counter()
            body = {"query": CHANGE, "variables": {"input": told}}
            answer = (await client.post(f"http://127.0.0.1:{port}/graphql", json=body)).json()
            available = answer["data"]["pointsAdjust"]["member"]["account"]["available"]
            seconds = await asyncio.gather(*(heard(socket, available, started) for socket in sockets))
            medians.append(median(seconds))
            lasts.append(max(seconds))
            await asyncio.sleep(1)
    print(json.dumps({"median": medians, "last": lasts}), flush=True)


if __name__ == "__main__":
    port, count, changes, token = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(port), int(count), int(changes), token))
