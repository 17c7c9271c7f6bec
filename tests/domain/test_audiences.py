"""Who an offer is for: by tier, tag and segment; what is not told is not asked."""

from uuid import UUID

import pytest

from domain import audiences
from domain.audiences import EVERYBODY, Audience

GOLD, SILVER = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("audience", "tier_id", "tags", "segments", "why"),
    [
        (EVERYBODY, None, (), (), None),
        (Audience(tiers=(GOLD, SILVER)), SILVER, (), (), None),
        (Audience(tiers=(GOLD,)), SILVER, (), (), "tiers"),
        (Audience(tiers=(GOLD,)), None, (), (), "tiers"),
        (Audience(tags=("a", "b")), None, ("b", "c"), (), None),
        (Audience(tags=("a", "b")), None, ("c",), (), "tags"),
        (Audience(without_tags=("a", "b")), None, ("c",), (), None),
        (Audience(without_tags=("a", "b")), None, ("c", "b"), (), "withoutTags"),
        (Audience(tags=("a",), without_tags=("b",)), None, ("a", "b"), (), "withoutTags"),
        (Audience(segments=("s", "t")), None, (), ("t",), None),
        (Audience(segments=("s", "t")), None, (), ("u",), "segments"),
        (Audience(tiers=(GOLD,), tags=("a",), segments=("s",)), GOLD, ("a",), ("s",), None),
        (Audience(tiers=(GOLD,), tags=("a",), segments=("s",)), GOLD, ("a",), (), "segments"),
    ],
)
def test_s51_what_keeps_a_member_out(
    audience: Audience, tier_id: UUID | None, tags: tuple[str, ...], segments: tuple[str, ...], why: str | None
) -> None:
    assert audiences.keeps_out(audience, tier_id, tags, segments) == why
