"""Secrets that are shown once: how keys and refresh tokens are made, and what of them is kept.

A key says which program it is of, so that looking it up stays within that program.
"""

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.access import KeyKind

_PREFIXES: Final = {KeyKind.PUBLISHABLE: "tpk_", KeyKind.SECRET: "tsk_"}
_REFRESH_PREFIX: Final = "trt_"
_PREFIX_LENGTH: Final = 4
_PROGRAM_LENGTH: Final = 22
_HINT_LENGTH: Final = 4


@dataclass(frozen=True, slots=True)
class Minted:
    """A new secret, its SHA-256 in hexadecimal, and its last characters, by which people tell keys apart."""

    secret: str
    secret_hash: str
    hint: str


def new_key(kind: KeyKind, program_id: UUID) -> Minted:
    """A key of a program: `tpk_` or `tsk_`, the program, and 256 random bits."""
    program = base64.urlsafe_b64encode(program_id.bytes).decode().rstrip("=")
    return _minted(_PREFIXES[kind] + program)


def new_refresh_token() -> Minted:
    """A member's refresh token: `trt_` and 256 random bits."""
    return _minted(_REFRESH_PREFIX)


def is_key(token: str) -> bool:
    """Whether a token has the form of a key."""
    return token.startswith(tuple(_PREFIXES.values()))


def program_of(key: str) -> UUID | None:
    """The program a key says it is of; None if it is no key."""
    encoded = key[_PREFIX_LENGTH : _PREFIX_LENGTH + _PROGRAM_LENGTH]
    try:
        return UUID(bytes=base64.urlsafe_b64decode(f"{encoded}=="))
    except (binascii.Error, ValueError):
        return None


def hashed(secret: str) -> str:
    """What is kept of a secret. It is random and long, so that a plain hash is enough."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _minted(prefix: str) -> Minted:
    secret = prefix + secrets.token_urlsafe(32)
    return Minted(secret, hashed(secret), secret[-_HINT_LENGTH:])
