"""Time, ids and chance, which a command cannot make for itself. They enter through the engine and nowhere else."""

import hashlib
import hmac
import os
import secrets
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from asyncpg.pgproto import pgproto

# Of this process, told to nobody and kept nowhere: what makes seeds unguessable.
_SECRET: Final = secrets.token_bytes(32)


def now() -> datetime:
    """The instant, in UTC."""
    return datetime.now(UTC)


def make_id(number: int) -> UUID:
    """A number as an id, of the driver's own kind of UUID, which hashes and compares ten times faster."""
    return pgproto.UUID(number.to_bytes(16))


def make_seed(number: int) -> bytes:
    """32 bytes that only this process can tell from the number, and the same for it every time: a command that is
    run again makes the codes it made before."""
    return hmac.digest(_SECRET, number.to_bytes(16), hashlib.sha256)


def _random_numbers() -> Iterator[int]:
    """Numbers of 46 random bits, of which the system is asked for a thousand at once: a call costs it microseconds."""
    while True:
        for (number,) in struct.iter_unpack("=Q", os.urandom(8 * 1024)):
            yield number >> 18


class Ids:
    """UUIDv7 (RFC 9562): 48 bits of milliseconds, 12 that count within one, 46 random ones, 16 for the command.

    They grow from command to command within a process, and index pages fill in order.
    """

    def __init__(self) -> None:
        self._last_ms = 0
        self._count = 0
        self._random = _random_numbers()

    def next_first(self, at: datetime) -> int:
        """The number before a command's first id."""
        ms = max(int(at.timestamp() * 1000), self._last_ms)
        self._count = self._count + 1 if ms == self._last_ms else 0
        if self._count >= 1 << 12:
            ms, self._count = ms + 1, 0
        self._last_ms = ms
        return ms << 80 | 7 << 76 | self._count << 64 | 2 << 62 | next(self._random) << 16
