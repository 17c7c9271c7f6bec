"""What bounds what rules give on one occasion: caps by period, the budget of a campaign, the room of a store (L13)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from domain.earning.evaluation import BUDGET, Room
from domain.earning.facts import Earned
from domain.earning.limits import EarningCount
from domain.earning.rules import Cap, EarningRule
from domain.values import changed

# What took from what rules would have given, where the store or channel bounds that.
STORE: Final = "store"


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds one rule on one occasion: its counts by period, and its campaign with what its budget has left."""

    counts: tuple[EarningCount, ...]
    campaign: str | None
    budget_left: int | None

    def rooms(self, rule: EarningRule) -> list[Room]:
        """What each bound has left."""
        found = [
            Room(cap.period, room)
            for cap, count in zip(rule.caps, self.counts, strict=True)
            for room in _rooms_of(cap, count)
        ]
        return found if self.budget_left is None else [*found, Room(BUDGET, self.budget_left)]


def _rooms_of(cap: Cap, count: EarningCount) -> Iterable[int]:
    if cap.points is not None:
        yield cap.points - count.points
    if cap.times is not None and count.times >= cap.times:
        yield 0


def within(earned: Sequence[Earned], room: int | None) -> tuple[Earned, ...]:
    """What rules give where the store leaves so much room: what comes last is cut first. None: any."""
    if room is None:
        return tuple(earned)
    kept: list[Earned] = []
    for item in earned:
        points = min(item.points, room)
        room -= points
        kept.append(item if points == item.points else changed(item, points=points, limited_by=STORE))
    return tuple(kept)
