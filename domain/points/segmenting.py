"""What segments ask of an account: the one place where its figures become theirs."""

from domain import segments
from domain.points.account import PointsAccount


def figures_of(account: PointsAccount) -> segments.Figures:
    """The figures of an account by which its member is in a segment or not."""
    return segments.Figures(
        tier_id=account.tier_id,
        available=account.available,
        # An account does not count purchases yet: until it has `purchases`, `spend_minor` and `last_purchase_at`,
        # every member is one who has not bought.
        purchases=0,
        spend_minor=0,
        last_purchase_at=None,
    )
