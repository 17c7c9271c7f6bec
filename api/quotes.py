"""Signed quotes: what an order was told it would cost, so that nobody but us can say it (JWT, HMAC with SHA-256)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import jwt

from domain.kernel import Refusal
from domain.offsets import Bill

_ALGORITHM: Final = "HS256"
_KIND: Final = "quote"
_LENGTH_MAX: Final = 2000


class QuoteInvalid(Refusal):
    """A quote is not ours, was changed, or is another member's."""

    code = "QUOTE_INVALID"
    text = "The quote is not one of ours for this member, or was changed; ask for a new one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """What a quote says: whose order it is, and so many points for so much money until then."""

    program_id: UUID
    member_id: UUID
    fingerprint: str
    points: int
    amount_minor: int
    bill: Bill
    expires_at: datetime


class Quotes:
    """Signs quotes and reads them back, under a key that no other kind of token is signed with."""

    def __init__(self, signing_key: str) -> None:
        self._signing_key = f"{_KIND}:{signing_key}"

    def signed(self, quoted: Quoted) -> str:
        """A quote as text."""
        claims = {
            "typ": _KIND,
            "prg": str(quoted.program_id),
            "sub": str(quoted.member_id),
            "ord": quoted.fingerprint,
            "pts": quoted.points,
            "amt": quoted.amount_minor,
            "gds": quoted.bill.goods_minor,
            "due": quoted.bill.payable_minor,
            "til": int(quoted.expires_at.timestamp()),
        }
        return jwt.encode(claims, self._signing_key, algorithm=_ALGORITHM)

    def read(self, told: str) -> Quoted:
        """What a quote says, whether or not its time is over. Refuses `QuoteInvalid`."""
        try:
            claims = jwt.decode(told[:_LENGTH_MAX], self._signing_key, algorithms=[_ALGORITHM])
            if claims["typ"] != _KIND:
                raise QuoteInvalid(field=("quote",))
            return Quoted(
                program_id=UUID(claims["prg"]),
                member_id=UUID(claims["sub"]),
                fingerprint=claims["ord"],
                points=claims["pts"],
                amount_minor=claims["amt"],
                bill=Bill(goods_minor=claims["gds"], payable_minor=claims["due"]),
                expires_at=datetime.fromtimestamp(claims["til"], UTC),
            )
        except (jwt.InvalidTokenError, ValueError, TypeError, KeyError):
            raise QuoteInvalid(field=("quote",)) from None
