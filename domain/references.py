"""What the program's own things are called: whoever names what is not there is told what is, the nearest first."""

import difflib
from collections.abc import Collection
from typing import Final
from uuid import UUID

from domain import checks
from domain.audiences import Audience
from domain.kernel import Refusal

# So many of those that there are, are told.
KNOWN_MAX: Final = 20
_REMEDIES: Final = {"category": "add it to the program's categories first."}


class ReferenceUnknown(Refusal):
    """Something names what the program does not have. Details: `what`, `given`, `known` (a list), `hint`."""

    code = "RULE_REFERENCE_UNKNOWN"
    text = "This program has no {what} {given!r}; {hint}"


def unknown(what: str, given: str, known: Collection[str], *, field: str) -> ReferenceUnknown:
    """The refusal of a name that the program does not have, with those that it has, at most 20, the nearest first."""
    given = given[: checks.TEXT_MAX]
    near = difflib.get_close_matches(given, known, n=KNOWN_MAX, cutoff=0.4)
    told = [*near, *sorted(set(known) - set(near))][:KNOWN_MAX]
    hint = f"did you mean {near[0]!r}?" if near else _REMEDIES.get(what, "create it first.")
    return ReferenceUnknown(field=(field,), what=what, given=given, known=", ".join(told), hint=hint)


def require_known(audience: Audience, tiers: Collection[UUID], segments: Collection[str], *, field: str) -> None:
    """Refuses `ReferenceUnknown` for a tier or segment that is none of these."""
    for tier_id in audience.tiers:
        if tier_id not in tiers:
            raise unknown("tier", str(tier_id), (), field=f"{field}.tierIds")
    for segment in audience.segments:
        if segment not in segments:
            raise unknown("segment", segment, segments, field=f"{field}.segments")
