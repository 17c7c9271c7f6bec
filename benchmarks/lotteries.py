"""A million draws in the domain: how long they take, whether they have the published odds, and what HMAC takes."""

import hmac
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from domain.lotteries import fairness, odds, significance
from domain.lotteries.lottery import Lottery, LotteryKind, LotteryPrize
from domain.lotteries.significance import Cell
from domain.prizes import Prize, PrizeKind

DRAWS = 1_000_000
SECONDS_MAX = 20
# The seed is always the same, so that the p-value is too.
_SEED = bytes(range(32))
_STANDING = UUID(int=7)
_WEIGHTS = (1, 4, 20, 75, 400, 1_500, 3_000, 5_000)


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds for a million draws, and for as many bare `hmac.digest`; and the p-value of what was drawn."""

    seconds: float
    bare_seconds: float
    p_value: float


def million() -> Measured:
    """Draw a million times among eight prizes, by a message of its own each, as a member's draws have."""
    lottery = _lottery()
    drawn: Counter[int] = Counter()
    places = tuple(range(1, len(_WEIGHTS) + 1))

    def draw(number: int) -> None:
        table = odds.table_for(lottery, places, 0)
        assert table is not None
        message = fairness.message_of("lucky", fairness.nonce_of(_STANDING, number))
        drawn[table.won(odds.draw(_SEED, message, table.among)[1])] += 1

    def bare(number: int) -> None:
        hmac.digest(_SEED, b"lucky:00000000000000000000000000000007-%d" % number, "sha256")

    seconds, bare_seconds = _seconds(draw), _seconds(bare)
    cells = (
        Cell(DRAWS * each.weight / each.total, drawn[place])
        for place, each in enumerate(odds.published(lottery), start=1)
    )
    return Measured(seconds, bare_seconds, significance.chi_square(cells).p_value)


def _seconds(do: Callable[[int], None]) -> float:
    started = time.perf_counter()
    for number in range(1, DRAWS + 1):
        do(number)
    return time.perf_counter() - started


def _lottery() -> Lottery:
    prizes = tuple(
        LotteryPrize(
            code=f"p{weight}", name="Points", prize=Prize(kind=PrizeKind.POINTS, points=1), rank=1, weight=weight
        )
        for weight in _WEIGHTS
    )
    return Lottery(
        id=UUID(int=1),
        program_id=UUID(int=2),
        code="spring",
        name="Spring",
        kind=LotteryKind.INSTANT,
        rules="Draw and win.",
        prizes=prizes,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
