"""What segments ask of an account: the one place where its figures become theirs."""

from domain import segments
from domain.points.account import PointsAccount


def figures_of(account: PointsAccount) -> segments.Figures:
    """The figures of an account by which its member is in a segment or not."""
    return segments.Figures(
        tier_id=account.tier_id,
        available=account.available,
        purchases=account.purchases,
        spend_minor=account.spend_minor,
        last_purchase_at=account.last_purchase_at,
    )
