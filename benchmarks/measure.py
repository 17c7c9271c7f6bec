"""Measuring in ratios: every figure is taken beside its reference, in turn, in the same run."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median

Way = Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Figure:
    """How often a second each way did its work, a value a round."""

    name: str
    rates: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.rates)


async def in_turn(ways: Sequence[tuple[str, Way]], *, rounds: int) -> list[Figure]:
    """Run every way once a round, one after the other, so that a noisy neighbour meets them all alike."""
    rates: dict[str, list[float]] = {name: [] for name, _ in ways}
    for _ in range(rounds):
        for name, way in ways:
            started = time.perf_counter()
            count = await way()
            rates[name].append(count / (time.perf_counter() - started))
    return [Figure(name, tuple(values)) for name, values in rates.items()]


def ratio(one: Figure, other: Figure) -> float:
    """The median of the ratios round by round."""
    return median(a / b for a, b in zip(one.rates, other.rates, strict=True))
