"""What a decision knows of a member who wants a reward: loaded only as far as the reward asks."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from domain import audiences, references
from domain.audiences import Audience
from domain.kernel import FAMILY, State, Want
from domain.members import Member
from domain.points import segmenting
from domain.points.account import PointsAccount
from domain.rewards.availability import Standing
from domain.rewards.reward import Reward
from domain.segments import Criteria, Segment, includes
from domain.tiers.tier import Tier


def audiences_of(reward: Reward) -> Iterable[Audience]:
    """Everybody a reward speaks of: whom it is for, and whom its prices are for."""
    return (reward.audience, *(price.audience for price in reward.prices))


def check_audience(state: State, field: str, audience: Audience) -> Audience:
    """An audience of tiers and open segments that there are, its texts trimmed. Refuses `ReferenceUnknown`."""
    checked = audiences.check(field, audience)
    if checked.tiers or checked.segments:
        state.need(Want(Tier, state.program_id, FAMILY), Want(Segment, state.program_id, FAMILY))
        tiers = {tier.id for tier in state.all(Tier, of=state.program_id)}
        codes = {segment.code for segment in state.all(Segment, of=state.program_id)}
        references.require_known(checked, tiers, codes, field=field)
    return checked


def standing_of(state: State, account: PointsAccount, reward: Reward, time_zone: str) -> Standing:
    """A member as a reward sees it."""
    return standing_for(state, account, tuple(audiences_of(reward)), time_zone)


def standing_for(state: State, account: PointsAccount, asked: Sequence[Audience], time_zone: str) -> Standing:
    """A member as audiences see it. Tags and segments are read only where one of them asks for them."""
    if not any(audience.tags or audience.without_tags or audience.segments for audience in asked):
        return Standing(account=account)
    member = state.get(Member, account.id)
    criteria: dict[str, Criteria] = {}
    if any(audience.segments for audience in asked):
        criteria = {segment.code: segment.criteria for segment in state.all(Segment, of=state.program_id)}
    return Standing(
        account=account,
        tags=frozenset(member.tags),
        segments=segments_of(criteria, member, account, now=state.now, time_zone=time_zone),
    )


def segments_of(
    criteria: Mapping[str, Criteria], member: Member, account: PointsAccount, *, now: datetime, time_zone: str
) -> frozenset[str]:
    """The codes of the open segments that a member is in now (S51)."""
    figures = segmenting.figures_of(account)
    return frozenset(
        code for code, asked in criteria.items() if includes(asked, member, figures, now=now, time_zone=time_zone)
    )
