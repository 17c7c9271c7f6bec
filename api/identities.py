"""What a shop sees of who somebody is, hashed before anything else is done with it."""

from typing import Final

from api import shapes
from api.context import Context
from domain import checks, identities
from domain.identities import Identity

shapes.named(identities.IdentityKind)

IDENTITIES: Final = (
    "Who the shop saw: at most 10. They are compared with whoever brought the member, and only hashes of them are kept."
)


@shapes.given()
class IdentityInput:
    """Something by which a person is known, at most 500 characters; blanks around it do not count.

    A PHONE is written with its country, after a plus or 00, with or without blanks, hyphens, dots and brackets:
    +8613812345678, +86 138-1234-5678 and 008613812345678 are one. An ADDRESS is one however it is spaced, punctuated
    and capitalised. A NETWORK is an internet address. Any other is compared letter by letter.
    """

    kind: identities.IdentityKind
    value: str


def hashed(context: Context, given: list[IdentityInput] | None) -> tuple[Identity, ...]:
    """Identities for the domain. Refuses what is none of its kind, naming its place."""
    return checks.each("identities", given or (), lambda told: hashed_one(context, told.kind, told.value, "value"))


def hashed_one(context: Context, kind: identities.IdentityKind, value: str, field: str) -> Identity:
    """An identity for the domain. Refuses what is none of its kind, naming the input's field."""
    try:
        return identities.hashed(context.backend.identity_key, context.caller.program_id, kind, value)
    except identities.IdentityInvalid as invalid:
        invalid.field = (field,)
        raise
