"""Whom an offer is for."""

from collections.abc import Iterator

from domain.audiences import Audience
from domain.terms import wording
from domain.terms.naming import Naming
from domain.terms.wording import Terms


def of_audience(audience: Audience, naming: Naming) -> Iterator[Terms]:
    """A sentence for each thing that is asked of a member."""
    if audience.tiers:
        yield wording.said("限{members}", "only for {members}", members=naming.members_of(audience.tiers))
    if audience.tags:
        tags = wording.quoted(audience.tags)
        yield wording.said("限带有{tags}标签的会员", "only for members tagged {tags}", tags=tags)
    if audience.without_tags:
        tags = wording.quoted(audience.without_tags)
        yield wording.said("带有{tags}标签的会员除外", "not for members tagged {tags}", tags=tags)
    if audience.segments:
        segments = naming.segments_of(audience.segments)
        yield wording.said("限{segments}人群", "only for members of the segment {segments}", segments=segments)


def of_new_members(days: int | None) -> Iterator[Terms]:
    """How long ago a member may have joined, the last local day inclusive."""
    if days == 0:
        yield Terms("限入会当天", "only on the day of joining")
    elif days is not None:
        yield Terms(
            f"限入会{days}天内（含第{days}天）的新会员",
            f"only for new members, through the {wording.nth(days)} day after joining",
        )
