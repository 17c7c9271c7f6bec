"""What counts for tiers, kept by the local day on which it was earned, so that any window can be summed (K1, K2)."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, NamedTuple
from uuid import UUID

from domain.kernel import Row, derived_id
from domain.policies import TierMetric


class Qualified(NamedTuple):
    """An amount of each metric: points, money paid for goods in minor units, purchases."""

    points: int = 0
    spend_minor: int = 0
    purchases: int = 0

    def __add__(self, other: tuple[object, ...]) -> "Qualified":
        """The sum, metric by metric."""
        assert isinstance(other, Qualified), "amounts of metrics are added to each other"
        return Qualified(
            self.points + other.points, self.spend_minor + other.spend_minor, self.purchases + other.purchases
        )

    def __sub__(self, other: "Qualified") -> "Qualified":
        """The difference, metric by metric."""
        return Qualified(
            self.points - other.points, self.spend_minor - other.spend_minor, self.purchases - other.purchases
        )

    def of(self, metric: TierMetric) -> int:
        """The amount of one metric."""
        match metric:
            case TierMetric.QUALIFYING_POINTS:
                return self.points
            case TierMetric.NET_SPEND:
                return self.spend_minor
            case TierMetric.PURCHASES:
                return self.purchases


@dataclass(frozen=True, slots=True, kw_only=True)
class QualifyingEntry(Row):
    """What one command counted for a member on a local day, negative where a refund took it off; append-only (K1).

    A refund is counted on the day of its purchase, whenever it happens. Entries are read by member and year.
    """

    is_fact: ClassVar[bool] = True
    parent: ClassVar[str | None] = "year_id"

    member_id: UUID
    year_id: UUID
    day: date
    points: int
    spend_minor: int
    purchases: int

    @property
    def counted(self) -> Qualified:
        """The entry's amounts."""
        return Qualified(self.points, self.spend_minor, self.purchases)


def year_of(member_id: UUID, year: int) -> UUID:
    """What a member's entries of a year belong to: always the same, so that it need not be looked up."""
    return derived_id(member_id, str(year))
