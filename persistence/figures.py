"""What the engine counts of itself, for metrics: totals since the start and coarse distributions."""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

LATENCY_MS_BOUNDS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
BATCH_BOUNDS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


@dataclass(slots=True)
class Distribution:
    """How many values fell into each span up to a bound; the last span is open."""

    bounds: tuple[int, ...]
    counts: list[int] = field(default_factory=list)
    total: float = 0
    count: int = 0
    maximum: float = 0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
        self.count += 1
        self.maximum = max(self.maximum, value)


@dataclass(slots=True)
class Figures:
    """Totals since the engine started. Latency is from a caller's asking to its answer, in milliseconds."""

    commands: int = 0
    refusals: int = 0
    replays: int = 0
    batches: int = 0
    retries: int = 0
    isolations: int = 0
    faults: int = 0
    throttled: int = 0
    latency_ms: Distribution = field(default_factory=lambda: Distribution(LATENCY_MS_BOUNDS))
    batch_size: Distribution = field(default_factory=lambda: Distribution(BATCH_BOUNDS))
