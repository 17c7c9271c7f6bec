"""What a decision knows of a member who wants a reward: loaded only as far as the reward asks."""

from collections.abc import Iterable

from domain.audiences import Audience
from domain.kernel import State
from domain.members import Member
from domain.points.account import PointsAccount
from domain.rewards.availability import Standing
from domain.rewards.reward import Reward


def audiences_of(reward: Reward) -> Iterable[Audience]:
    """Everybody a reward speaks of: whom it is for, and whom its prices are for."""
    return (reward.audience, *(price.audience for price in reward.prices))


def standing_of(state: State, account: PointsAccount, reward: Reward) -> Standing:
    """A member as a reward sees it. Tags and segments are read only where an audience asks for them."""
    asked = tuple(audiences_of(reward))
    if not any(audience.tags or audience.without_tags or audience.segments for audience in asked):
        return Standing(account=account)
    member = state.get(Member, account.id)
    is_segmented = any(audience.segments for audience in asked)
    return Standing(
        account=account,
        tags=frozenset(member.tags),
        segments=segments_of(member, account) if is_segmented else frozenset(),
    )


def segments_of(member: Member, account: PointsAccount) -> frozenset[str]:  # noqa: ARG001
    """The codes of the segments a member is in. No segment is kept yet, so that nobody is in any."""
    return frozenset()
