"""Commit and reveal: what is published before the first draw, and how every draw follows from it, byte by byte (D4).

Before: the SHA-256 of 32 secret bytes, the seed, and the SHA-256 of the table of prizes as a text. For a draw, the
message is `clientSeed:memberNonce` in UTF-8, and its HMAC-SHA256 under the seed is read as an integer of 256 bits, the
first byte the highest. Integers from the largest multiple of the total on are not used, for they would favour the
first places: the message with `#1`, `#2`, … behind it makes the next one. What is left when the total divides the
integer is the point, and the prize is the first whose weights, summed in the order of the table, exceed it.
After: the seed. `examples/verify_draw.py` and `verify_draw.mjs` say the same again with nothing of ours.
"""

import hashlib
import hmac
from collections.abc import Iterator
from itertools import count
from typing import Final
from uuid import UUID

SEED_BYTES: Final = 32
_SPAN: Final = 1 << 256


def digest(content: bytes) -> str:
    """The SHA-256 of some bytes in hexadecimal letters: how seed and table are published."""
    return hashlib.sha256(content).hexdigest()


def nonce_of(standing_id: UUID, number: int) -> str:
    """What makes a member's draw its own: the id of the member's standing in the lottery, and the number of the draw.

    No two members share one, so that what a client seed won for somebody wins nothing for whoever copies it; and the
    numbers of a member's draws follow each other, so that the shop can leave none out.
    """
    return f"{standing_id.hex}-{number}"


def message_of(client_seed: str, nonce: str) -> str:
    """The message of a draw. No nonce has a colon, so that no two pairs have one message."""
    return f"{client_seed}:{nonce}"


def point(seed: bytes, message: str, total: int) -> int:
    """A number from 0 to below `total`, each as likely as any other."""
    told = message.encode()
    return below(total, int.from_bytes(hmac.digest(seed, told, "sha256")), _further(seed, told))


def below(total: int, first: int, further: Iterator[int]) -> int:
    """The first of some integers of 256 bits that favours nobody, brought below `total`."""
    limit = _SPAN - _SPAN % total
    number = first
    while number >= limit:
        number = next(further)
    return number % total


def _further(seed: bytes, told: bytes) -> Iterator[int]:
    for number in count(1):
        yield int.from_bytes(hmac.digest(seed, told + b"#%d" % number, "sha256"))
