"""Codes that people read, type and show at a till: upper-case, without letters and digits that look alike."""

import re
from typing import Final

from domain.kernel import Refusal

# No 0 and O, no 1, I and L, no U that is taken for V.
ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 12
CODE_MAX: Final = 64
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{5,63}")


class CodeInvalid(Refusal):
    """A code has other characters than it may, or too few or too many. Details: `given`."""

    code = "CODE_INVALID"
    text = "A code has 6 to 64 capital letters, digits, hyphens and underscores; {given!r} has not."


def made(seed: bytes, length: int = LENGTH) -> str:
    """A code of a seed: each of its `length` characters one of 30, so that 12 are some 59 bits."""
    rest = int.from_bytes(seed)
    letters: list[str] = []
    for _ in range(length):
        rest, place = divmod(rest, len(ALPHABET))
        letters.append(ALPHABET[place])
    return "".join(letters)


def read(name: str, given: str) -> str:
    """A code as it is kept, from what a person typed. Refuses `CodeInvalid`, naming the field."""
    told = find(given)
    if told is None:
        raise CodeInvalid(field=(name,), given=given[:CODE_MAX])
    return told


def find(given: str) -> str | None:
    """Like `read`; None for what is no code."""
    told = given.strip().upper()
    return told if _CODE.fullmatch(told) else None
