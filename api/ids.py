"""Global ids: opaque to clients, `Type:uuid` in base64 to us."""

import base64
import binascii
from typing import Final
from uuid import UUID

import strawberry

from api.refusals import IdUnknown
from domain.kernel import Row
from domain.points import account

_LENGTH_MAX: Final = 100


def encode(kind: str, key: UUID) -> strawberry.ID:
    """The global id of a thing."""
    return strawberry.ID(base64.urlsafe_b64encode(f"{kind}:{key}".encode()).decode())


def of(row: Row) -> strawberry.ID:
    """The global id of a row. An account stands for its member."""
    return encode(kind_of(row), row.id)


def kind_of(row: Row) -> str:
    """The name of a row's type in the contract: the domain's own, but an account stands for its member."""
    return "Member" if isinstance(row, account.PointsAccount) else type(row).__name__


def decode(given: str) -> tuple[str, UUID] | None:
    """The kind and the key in a global id; None if it is none."""
    if len(given) > _LENGTH_MAX:
        return None
    try:
        kind, _, key = base64.urlsafe_b64decode(given.encode()).decode().partition(":")
        return kind, UUID(key)
    except (binascii.Error, ValueError):
        return None


def find(kind: str, given: str | None) -> UUID | None:
    """The key in a global id of this kind; None if it is not told, malformed, or of another kind."""
    decoded = decode(given) if given else None
    return decoded[1] if decoded and decoded[0] == kind else None


def require(kind: str, given: str, field: str) -> UUID:
    """The key in a global id of this kind. Refuses `IdUnknown` with the input's field."""
    key = find(kind, given)
    if key is None:
        raise IdUnknown(field=(field,), kind=kind, given=given[:_LENGTH_MAX])
    return key


def optional(kind: str, given: str | None, field: str) -> UUID | None:
    """Like `require`, for what may be absent."""
    return None if given is None else require(kind, given, field)
