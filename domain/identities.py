"""Identities: what tells two members to be one person, kept only as keyed hashes that nobody can read back (P1)."""

import hashlib
import hmac
import ipaddress
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain import checks
from domain.kernel import FAMILY, Refusal, Row, State, Want, derived_id
from domain.points.account import PointsAccount

# Told at once, and kept of one member: what is told beyond that is compared, and not kept.
TOLD_MAX: Final = 10
KEPT_MAX: Final = 100
VALUE_MAX: Final = 500
# What of an internet address is a network: a household or an office, not a machine in it.
_PREFIXES: Final = {4: 24, 6: 48}
# What people write between the digits of a phone number; what they write for the plus; and the zero of +44 (0)20 …,
# which nobody dials from abroad.
_BETWEEN_DIGITS: Final = re.compile(r"[\s.\-\u2010-\u2015\u2212()]+")
_INTERNATIONAL: Final = re.compile(r"^00")
_TRUNK_ZERO: Final = re.compile(r"\(0\)")


class IdentityKind(StrEnum):
    """What an identity is."""

    PHONE = "PHONE"  # a phone number with its country, which is kept in E.164
    OPENID = "OPENID"  # of an app within WeChat or its like
    UNIONID = "UNIONID"  # of all apps of one owner there
    DEVICE = "DEVICE"  # the storefront's name for a machine or browser
    PAYMENT_ACCOUNT = "PAYMENT_ACCOUNT"  # who paid, as the payment service names it
    ADDRESS = "ADDRESS"  # where an order goes, in one line
    NETWORK = "NETWORK"  # an internet address, of which only the network counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """An identity as a command is told it: hashed."""

    kind: IdentityKind
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberIdentity(Row):
    """That a member was once seen with an identity. The id follows from both, so that it is kept once."""

    is_fact: ClassVar[bool] = True
    parent: ClassVar[str | None] = "member_id"
    guard: ClassVar[type[Row] | None] = PointsAccount

    member_id: UUID
    kind: IdentityKind
    digest: str
    seen_at: datetime


class IdentityInvalid(Refusal):
    """An identity is empty, too long, or not what its kind is. Details: `kind`, `why`."""

    code = "IDENTITY_INVALID"
    text = "This is no identity of the kind {kind}: {why}."


def hashed(key: bytes, program_id: UUID, kind: IdentityKind, value: str) -> Identity:
    """An identity of a value, however that was written. Refuses `IdentityInvalid`.

    The hash is keyed, and other in every program: without the key nobody can try values out, or compare shops.
    """
    return Identity(kind=kind, digest=digest(key, program_id, kind, _normalised(kind, value)))


def digest(key: bytes, program_id: UUID, kind: str, plain: str) -> str:
    """The keyed hash of something of a kind, in hexadecimal digits."""
    told = b"\0".join((program_id.bytes, kind.encode(), plain.encode()))
    return hmac.new(key, told, hashlib.sha256).hexdigest()


def _normalised(kind: IdentityKind, value: str) -> str:
    plain = value.strip()
    if not 0 < len(plain) <= VALUE_MAX:
        raise _invalid(kind, f"it has 1 to {VALUE_MAX} characters")
    match kind:
        case IdentityKind.PHONE:
            return _phone(plain)
        case IdentityKind.NETWORK:
            return _network(plain)
        case IdentityKind.ADDRESS:
            return _address(plain)
        case _:
            return plain


def _phone(plain: str) -> str:
    """In E.164. A number without its country is none: which one is meant, only who wrote it knows."""
    written = _TRUNK_ZERO.sub("", unicodedata.normalize("NFKC", plain))
    digits = _INTERNATIONAL.sub("+", _BETWEEN_DIGITS.sub("", written))
    try:
        return checks.phone(digits)
    except checks.PhoneInvalid:
        why = "a phone number is written with its country, like +8613812345678, +86 138-1234-5678 or 008613812345678"
        raise _invalid(IdentityKind.PHONE, why) from None


def _network(plain: str) -> str:
    try:
        address = ipaddress.ip_address(plain)
    except ValueError:
        raise _invalid(IdentityKind.NETWORK, "an internet address is written like 203.0.113.7 or 2001:db8::7") from None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, _PREFIXES[address.version]), strict=False))


def _address(plain: str) -> str:
    """Letters and digits alone: blanks, commas, case and width are how one writes, not where one lives."""
    kept = "".join(letter for letter in unicodedata.normalize("NFKC", plain).casefold() if letter.isalnum())
    if not kept:
        raise _invalid(IdentityKind.ADDRESS, "an address has letters or digits")
    return kept


def _invalid(kind: IdentityKind, why: str) -> IdentityInvalid:
    return IdentityInvalid(kind=kind, why=why)


def wants_of(*member_ids: UUID) -> tuple[Want, ...]:
    """What loads the identities of members whose accounts are asked for with them."""
    return tuple(Want(MemberIdentity, member_id, FAMILY) for member_id in member_ids)


def of_member(state: State, member_id: UUID) -> frozenset[tuple[IdentityKind, str]]:
    """Every identity that a member was seen with. The member's account is locked."""
    return frozenset((row.kind, row.digest) for row in state.all(MemberIdentity, of=member_id))


def is_known(state: State, member_id: UUID, told: Identity) -> bool:
    """Whether a member was seen with an identity."""
    return state.find(MemberIdentity, identity_id(member_id, told)) is not None


def noted(
    state: State, member_id: UUID, told: Iterable[Identity], known: Collection[tuple[IdentityKind, str]]
) -> tuple[MemberIdentity, ...]:
    """The rows that keep what a member was not seen with before, as far as there is room."""
    fresh = {(identity.kind, identity.digest): identity for identity in told}
    rows = [
        MemberIdentity(
            id=identity_id(member_id, identity),
            program_id=state.program_id,
            member_id=member_id,
            kind=identity.kind,
            digest=identity.digest,
            seen_at=state.now,
        )
        for pair, identity in fresh.items()
        if pair not in known
    ]
    return tuple(rows[: max(0, KEPT_MAX - len(known))])


def identity_id(member_id: UUID, told: Identity) -> UUID:
    """The id of the row that keeps an identity of a member."""
    return derived_id(member_id, f"{told.kind}|{told.digest}")
