"""A rush on one item of a flash sale, over kept connections to several servers of this machine.

`python -m benchmarks.rush PORTS CONNECTIONS MEMBERS MUTATION ITEM TOKEN` has members m0, m1, … claim a unit each, and
prints as JSON how many a second were answered, after how many milliseconds at most 99 % of them, and what they were.
"""

import asyncio
import json
import secrets
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import uvloop

DOCUMENT = (
    "mutation($input: FlashSaleClaimInput!) {{ {name}(input: $input) {{ claim {{ id }} userErrors {{ code }} }} }}"
)


@dataclass
class Seen:
    """What was answered, and how long each answer took."""

    outcomes: Counter[str] = field(default_factory=Counter)
    latencies_ms: list[float] = field(default_factory=list)


class Caller(asyncio.Protocol):
    """One kept connection that asks one thing after the other."""

    def __init__(self, requests: list[bytes], seen: Seen) -> None:
        self.requests = requests
        self.seen = seen
        self.done = asyncio.get_running_loop().create_future()
        self.received = b""
        self.asked_at = 0.0

    def connection_made(self, transport: Any) -> None:
        """Ask the first."""
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        """Ask the next, if there is one."""
        if not self.requests:
            self.transport.close()
            self.done.set_result(None)
            return
        self.asked_at = time.perf_counter()
        self.transport.write(self.requests.pop())

    def data_received(self, data: bytes) -> None:
        """Note the answer and go on."""
        self.received += data
        head, _, body = self.received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or -1)
        if len(body) != length:
            return
        self.received = b""
        self.seen.latencies_ms.append((time.perf_counter() - self.asked_at) * 1000)
        self.seen.outcomes[_outcome(body)] += 1
        self.ask()


def _outcome(body: bytes) -> str:
    told = json.loads(body)
    if "errors" in told:
        return str(told["errors"][0]["extensions"]["code"])
    (payload,) = told["data"].values()
    return str(payload["userErrors"][0]["code"]) if payload["userErrors"] else "done"


def _request(document: str, item: str, token: str, run: str, number: int) -> bytes:
    given = {"member": {"externalId": f"m{number}"}, "itemId": item, "idempotencyKey": f"{run}-{number}"}
    content = json.dumps({"query": document, "variables": {"input": given}}).encode()
    head = (
        f"POST /graphql HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {token}\r\ncontent-length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def main(ports: list[int], connections: int, members: int, name: str, item: str, token: str) -> dict[str, Any]:
    """The rush, from the first connection to the last answer."""
    run, seen, loop = secrets.token_hex(6), Seen(), asyncio.get_running_loop()
    document = DOCUMENT.format(name=name)
    asked: list[list[bytes]] = [[] for _ in range(connections)]
    for number in range(members):
        asked[number % connections].append(_request(document, item, token, run, number))
    started = time.perf_counter()
    made = [
        await loop.create_connection(lambda: Caller(asked.pop(), seen), "127.0.0.1", ports[number % len(ports)])
        for number in range(connections)
    ]
    await asyncio.gather(*(caller.done for _, caller in made))
    seconds = time.perf_counter() - started
    ordered = sorted(seen.latencies_ms)
    p99 = ordered[int(len(ordered) * 0.99)]
    return {"rate": members / seconds, "p99_ms": p99, "outcomes": dict(seen.outcomes)}


if __name__ == "__main__":
    ports, connections, members, name, item, token = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        told = main([int(port) for port in ports.split(",")], int(connections), int(members), name, item, token)
        print(json.dumps(runner.run(told)))
