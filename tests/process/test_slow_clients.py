"""Whoever does not read its live answers is dropped: on a real socket, whose buffers hold megabytes."""

import asyncio
import base64
import json
import os
import socket
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import psutil

from api import banner
from tests.process import tessera

# More than the kernel keeps for both sides of a socket.
SUBSCRIPTIONS: Final = 12
LISTS: Final = 20
DROPPED_SECONDS_MAX: Final = 40
_LISTED: Final = " ".join(
    f"a{number}: pointTransactions(first: 100) {{ nodes {{ id reason }} }}" for number in range(LISTS)
)
QUESTION: Final = f'subscription {{ member(ref: {{externalId: "demo-1"}}) {{ {_LISTED} }} }}'
ADJUST: Final = """mutation($key: String!, $reason: String!) { pointsAdjust(input: {
    idempotencyKey: $key, member: {externalId: "demo-1"}, points: 1, reason: $reason }) { userErrors { code } } }"""


def _frame(message: dict[str, Any]) -> bytes:
    """A text frame as a client sends it: masked, with a mask of zeros."""
    content = json.dumps(message).encode()
    length = len(content)
    head = bytes([0x81, 0x80 | length]) if length < 126 else bytes([0x81, 0x80 | 126]) + length.to_bytes(2)
    return head + bytes(4) + content


def _connected(url: str, key: str) -> socket.socket:
    """A socket that asks for more than it will read."""
    place = urlsplit(url)
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    made.connect((place.hostname, place.port))
    nonce = base64.b64encode(os.urandom(16)).decode()
    made.sendall(
        f"GET /graphql HTTP/1.1\r\nhost: {place.netloc}\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        f"sec-websocket-key: {nonce}\r\nsec-websocket-version: 13\r\n"
        f"sec-websocket-protocol: graphql-transport-ws\r\n\r\n".encode()
    )
    assert b"101" in made.recv(4096)
    made.sendall(_frame({"type": "connection_init", "payload": {"authorization": f"Bearer {key}"}}))
    made.recv(4096)
    for number in range(SUBSCRIPTIONS):
        made.sendall(_frame({"id": str(number), "type": "subscribe", "payload": {"query": QUESTION}}))
    return made


async def _fill(url: str, key: str) -> None:
    async with httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {key}"}) as client:
        for number in range(100):
            told = {"key": f"slow-{number}", "reason": "x" * 500}
            answer = await client.post("/graphql", json={"query": ADJUST, "variables": told})
            assert answer.json()["data"]["pointsAdjust"]["userErrors"] == []


def _sockets(server: psutil.Process, port: int) -> int:
    """How many connections of that client's port the server has."""
    return len([each for each in server.net_connections("tcp") if each.raddr and each.raddr.port == port])


async def test_a_client_that_does_not_read_is_cut_off_and_nothing_else_suffers(tmp_path: Path) -> None:
    with tessera.serving(tmp_path) as child:
        access = banner.recall(tmp_path)
        assert access is not None
        await _fill(child.url, access.secret_key)
        with _connected(child.url, access.secret_key) as slow:
            port, server = slow.getsockname()[1], psutil.Process(child.process.pid)
            assert _sockets(server, port) == 1
            async with asyncio.timeout(DROPPED_SECONDS_MAX):
                while _sockets(server, port):
                    assert child.answers()
                    await asyncio.sleep(0.5)
        assert "Traceback" not in child.output.read_text()
