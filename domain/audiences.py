"""Who an offer is for: by tier, tag and segment. What is not told is not asked."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain import checks

ITEMS_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Members of one of the `tiers`, with one of the `tags` and none of `without_tags`, in one of the `segments`.

    `without_tags` keeps members out whatever else holds. Segments are named by their codes.
    """

    tiers: tuple[UUID, ...] = ()
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()


EVERYBODY: Final = Audience()


def keeps_out(audience: Audience, tier_id: UUID | None, tags: Collection[str], segments: Collection[str]) -> str | None:
    """Why an audience has no place for a member, in one word of the input; None if it has."""
    if audience.tiers and tier_id not in audience.tiers:
        return "tiers"
    if audience.tags and not any(tag in tags for tag in audience.tags):
        return "tags"
    if any(tag in tags for tag in audience.without_tags):
        return "withoutTags"
    if audience.segments and not any(segment in segments for segment in audience.segments):
        return "segments"
    return None


def expected(audience: Audience, why: str) -> str:
    """What an audience asks for, or with `withoutTags` keeps out, by the word that `keeps_out` answered: a list."""
    asked: dict[str, Collection[object]] = {
        "tiers": audience.tiers,
        "tags": audience.tags,
        "withoutTags": audience.without_tags,
        "segments": audience.segments,
    }
    return ", ".join(map(str, asked[why]))


def check(name: str, audience: Audience) -> Audience:
    """The audience with its texts trimmed. Refuses `TooMany` and `TextInvalid`, naming the field."""
    told = {
        "tierIds": audience.tiers,
        "tags": audience.tags,
        "withoutTags": audience.without_tags,
        "segments": audience.segments,
    }
    for part, items in told.items():
        checks.at_most(f"{name}.{part}", items, ITEMS_MAX)
    return Audience(
        tiers=tuple(dict.fromkeys(audience.tiers)),
        tags=checks.texts(f"{name}.tags", audience.tags),
        without_tags=checks.texts(f"{name}.withoutTags", audience.without_tags),
        segments=checks.texts(f"{name}.segments", audience.segments),
    )
