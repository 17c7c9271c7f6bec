"""Every projection that the relay keeps, in the order in which it counts what happened."""

from typing import Final

from persistence.leaderboards.projection import Leaderboards
from persistence.relay import Projection
from persistence.streaks import Streaks

ALL: Final[tuple[Projection, ...]] = (Leaderboards(), Streaks())
