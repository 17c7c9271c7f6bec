"""How this process collects garbage."""

import gc
from typing import Final

# Decisions make many short-lived values and no cycles; the defaults search for cycles every 700 of them.
_THRESHOLDS: Final = (100_000, 50, 100)


def spare_the_collector() -> None:
    """Look for reference cycles less often, and never again among what start-up made. Call it once, when started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
