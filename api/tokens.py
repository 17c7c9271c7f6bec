"""Access tokens of members and operators: short-lived, signed (JWT, HS256), and bound to one program."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import jwt

_ALGORITHM: Final = "HS256"
# Times are compared with the clock of the request, not with the library's.
_OPTIONS: Final[Any] = {
    "require": ["typ", "sub", "prg", "exp"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


class TokenKind(StrEnum):
    """Whose token it is."""

    MEMBER = "member"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Issued:
    """A token and when it ends."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says."""

    kind: TokenKind
    subject_id: UUID
    program_id: UUID
    expires_at_seconds: int


class Tokens:
    """Issues and reads tokens under one signing key of at least 32 characters."""

    def __init__(self, signing_key: str, *, member_minutes: int, operator_minutes: int) -> None:
        self._signing_key = signing_key
        self._lifetimes = {
            TokenKind.MEMBER: timedelta(minutes=member_minutes),
            TokenKind.OPERATOR: timedelta(minutes=operator_minutes),
        }

    def issue(self, kind: TokenKind, subject_id: UUID, program_id: UUID, now: datetime) -> Issued:
        """A token for a member or an operator of a program."""
        expires_at = (now + self._lifetimes[kind]).replace(microsecond=0)
        claims = {
            "typ": kind.value,
            "sub": str(subject_id),
            "prg": str(program_id),
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        return Issued(jwt.encode(claims, self._signing_key, algorithm=_ALGORITHM), expires_at)

    def read(self, token: str, now: datetime) -> Claims | None:
        """What a token says; None if it is not ours, is malformed, or is over."""
        try:
            claims = jwt.decode(token, self._signing_key, algorithms=[_ALGORITHM], options=_OPTIONS)
            read = Claims(TokenKind(claims["typ"]), UUID(claims["sub"]), UUID(claims["prg"]), int(claims["exp"]))
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError):
            return None
        return read if read.expires_at_seconds > now.timestamp() else None
