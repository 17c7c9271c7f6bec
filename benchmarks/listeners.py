"""Many sockets of one client that listen, and how long a change takes until all have heard.

`python -m benchmarks.listeners PORT COUNT CHANGES TOKEN` says `ready` when everybody listens, waits for a line, and
prints the seconds from each change's request until the median and the last socket had its answer. All listen to the
balance of one member; with `--ranks`, each to the rank of a member of its own, m0, m1, …, on the board `ever`: what is
bought puts the last of them before all others, so that every answer is another.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import httpx
import uvloop
from websockets.asyncio.client import ClientConnection, connect

BALANCE = 'subscription { member(ref: {externalId: "m0"}) { account { available } } }'
RANK = (
    'subscription($member: MemberRef!) { leaderboard(code: "ever")'
    " { period { standing(member: $member) { rank gapToNext } } } }"
)
ADJUST = (
    "mutation($input: PointsAdjustInput!) { pointsAdjust(input: $input)"
    " { member { account { available } } userErrors { code } } }"
)
BUY = "mutation($input: PurchaseRecordInput!) { purchaseRecord(input: $input) { userErrors { code } } }"
# So many connect at once: more would only wait in the kernel's queue.
TOGETHER = 100
# More than any member has, and more with every change.
MUCH = 1_000_000


@dataclass(slots=True)
class Ear:
    """A socket that listens, and the answer that it heard last."""

    socket: ClientConnection
    known: Any

    async def heard(self, started: float) -> float:
        """Seconds until there was another answer than the last."""
        while (answer := await self._next()) == self.known:
            pass
        self.known = answer
        return time.perf_counter() - started

    async def _next(self) -> Any:
        return json.loads(await self.socket.recv())["payload"]["data"]


async def listen(port: int, token: str, gate: asyncio.Semaphore, asked: dict[str, Any]) -> Ear:
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
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": asked}))
        ear = Ear(socket, None)
        await ear.heard(0)
    return ear


def question(number: int, *, ranks: bool) -> dict[str, Any]:
    """What a socket asks."""
    return {"query": RANK, "variables": {"member": {"externalId": f"m{number}"}}} if ranks else {"query": BALANCE}


def change(number: int, count: int, *, ranks: bool) -> dict[str, Any]:
    """What changes every answer."""
    if not ranks:
        told: dict[str, Any] = {"member": {"externalId": "m0"}, "points": 1, "reason": "bench"}
        return {"query": ADJUST, "variables": {"input": {**told, "idempotencyKey": f"live-{number}"}}}
    money = {"amount": str(MUCH + number), "currencyCode": "CNY"}
    key = f"rank-{number}"
    told = {"member": {"externalId": f"m{count - 1 - number}"}, "externalId": key, "amount": money}
    return {"query": BUY, "variables": {"input": {**told, "idempotencyKey": key}}}


async def main(port: int, count: int, changes: int, token: str, *, ranks: bool) -> None:
    """Connect, change, listen, print."""
    gate = asyncio.Semaphore(TOGETHER)
    ears = await asyncio.gather(*(listen(port, token, gate, question(number, ranks=ranks)) for number in range(count)))
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    medians, lasts = [], []
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {token}"}) as client:
        for number in range(changes):
            started = time.perf_counter()
            body = change(number, count, ranks=ranks)
            asked = client.post(f"http://127.0.0.1:{port}/graphql", json=body)
            answer, *seconds = await asyncio.gather(asked, *(ear.heard(started) for ear in ears))
            ((_, told),) = answer.json()["data"].items()
            if told["userErrors"]:
                raise RuntimeError(told)
            medians.append(median(seconds))
            lasts.append(max(seconds))
            await asyncio.sleep(1)
    print(json.dumps({"median": medians, "last": lasts}), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("port", "count", "changes"):
        parser.add_argument(name, type=int)
    parser.add_argument("token")
    parser.add_argument("--ranks", action="store_true")
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(given.port, given.count, given.changes, given.token, ranks=given.ranks))
