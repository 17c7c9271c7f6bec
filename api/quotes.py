"""Signed quotes: what an order was told it would cost, so that nobody but us can say it (JWT, HMAC with SHA-256)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import jwt

from domain.kernel import Refusal
from domain.offsets import Bill
from domain.stores import Channel

_ALGORITHM: Final = "HS256"
_KIND: Final = "quote"
_LENGTH_MAX: Final = 2000


class QuoteInvalid(Refusal):
    """A quote is not ours, was changed, or is another member's."""

    code = "QUOTE_INVALID"
    text = "The quote is not one of ours for this member, or was changed; ask for a new one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """What a quote says: whose order it is, and so many points for so much money until then.

    `reference`, `store_id` and `channel` are the order's, where they were told.
    """

    id: UUID
    program_id: UUID
    member_id: UUID
    fingerprint: str
    points: int
    amount_minor: int
    bill: Bill
    expires_at: datetime
    reference: str | None = None
    store_id: UUID | None = None
    channel: Channel | None = None


class Quotes:
    """Signs quotes and reads them back, under a key that no other kind of token is signed with."""

    def __init__(self, signing_key: str) -> None:
        self._signing_key = f"{_KIND}:{signing_key}"

    def signed(self, quoted: Quoted) -> str:
        """A quote as text."""
        claims = {
            "typ": _KIND,
            "jti": str(quoted.id),
            "prg": str(quoted.program_id),
            "sub": str(quoted.member_id),
            "ord": quoted.fingerprint,
            "pts": quoted.points,
            "amt": quoted.amount_minor,
            "gds": quoted.bill.goods_minor,
            "due": quoted.bill.payable_minor,
            "til": int(quoted.expires_at.timestamp()),
            "ref": quoted.reference,
            "sto": None if quoted.store_id is None else str(quoted.store_id),
            "cha": quoted.channel,
        }
        return jwt.encode(claims, self._signing_key, algorithm=_ALGORITHM)

    def read(self, told: str) -> Quoted:
        """What a quote says, whether or not its time is over. Refuses `QuoteInvalid`."""
        try:
            claims = jwt.decode(told[:_LENGTH_MAX], self._signing_key, algorithms=[_ALGORITHM])
            if claims["typ"] != _KIND:
                raise QuoteInvalid(field=("quote",))
            store_id, channel = claims["sto"], claims["cha"]
            return Quoted(
                id=UUID(claims["jti"]),
                program_id=UUID(claims["prg"]),
                member_id=UUID(claims["sub"]),
                fingerprint=claims["ord"],
                points=claims["pts"],
                amount_minor=claims["amt"],
                bill=Bill(goods_minor=claims["gds"], payable_minor=claims["due"]),
                expires_at=datetime.fromtimestamp(claims["til"], UTC),
                reference=claims["ref"],
                store_id=None if store_id is None else UUID(store_id),
                channel=None if channel is None else Channel(channel),
            )
        except (jwt.InvalidTokenError, ValueError, TypeError, KeyError):
            raise QuoteInvalid(field=("quote",)) from None
