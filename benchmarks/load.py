"""A bounded load on a server of this machine: raw HTTP/1.1 over kept connections, so that the client costs little.

`python -m benchmarks.load PORT CONNECTIONS EACH KIND TOKEN` prints how many requests a second were answered,
all of them well.
"""

import asyncio
import json
import secrets
import sys
import time
from typing import cast

import uvloop

PURCHASE = (
    "mutation($input: PurchaseRecordInput!) { purchaseRecord(input: $input)"
    " { purchase { id pointsEarned } userErrors { code message } } }"
)
NOTHING = "mutation($input: NothingInput!) { nothing(input: $input) { isDone userErrors { code message } } }"
MEMBERS = 2000


class Connection(asyncio.Protocol):
    """One kept connection that asks one thing after the other."""

    def __init__(self, requests: list[bytes]) -> None:
        self.requests = requests
        self.done = asyncio.get_running_loop().create_future()
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask the first."""
        # uvloop's transports are none of asyncio's classes.
        self.transport = cast(asyncio.Transport, transport)
        self.ask()

    def ask(self) -> None:
        """Ask the next, if there is one."""
        if self.requests:
            self.transport.write(self.requests.pop())
        else:
            self.transport.close()
            self.done.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Check the answer and go on."""
        self.received += data
        head, _, body = self.received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or -1)
        if len(body) != length:
            return
        self.received = b""
        if not head.startswith(b"HTTP/1.1 200") or b'"userErrors":[]' not in body.replace(b" ", b""):
            self.done.set_exception(RuntimeError(body.decode()))
            self.transport.close()
            return
        self.ask()


def request(kind: str, token: str, run: str, number: int) -> bytes:
    """A request of its own: no two have the same key."""
    key = f"{run}-{number}"
    if kind == "purchase":
        told = {
            "member": {"externalId": f"m{number * 7919 % MEMBERS}"},
            "externalId": key,
            "amount": {"amount": "199.90", "currencyCode": "CNY"},
            "idempotencyKey": key,
        }
        body = {"query": PURCHASE, "variables": {"input": told}}
    else:
        told = {"member": "m1", "externalId": key, "amount": "199.90", "idempotencyKey": key}
        body = {"query": NOTHING, "variables": {"input": told}}
    content = json.dumps(body).encode()
    head = (
        f"POST /graphql HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {token}\r\ncontent-length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def main(port: int, connections: int, each: int, kind: str, token: str) -> float:
    """Requests a second, all of them answered well."""
    run = secrets.token_hex(6)
    asked = [
        [request(kind, token, run, connection * each + turn) for turn in range(each)]
        for connection in range(connections)
    ]
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    made = [
        (await loop.create_connection(lambda: Connection(asked.pop()), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.done for connection in made))
    return connections * each / (time.perf_counter() - started)


if __name__ == "__main__":
    port, connections, each, kind, token = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(main(int(port), int(connections), int(each), kind, token)))
