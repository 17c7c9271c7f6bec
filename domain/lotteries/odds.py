"""Odds: what can be won now, by how much of the whole, and how a draw is made among it (D1, D3, D4)."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from domain.lotteries import fairness
from domain.lotteries.lottery import Lottery, LotteryPrize, Playing

# So many decimals are shown of a probability.
_PLACES = Decimal("0.000000000001")


class Among(NamedTuple):
    """What a draw is made among: places of the table, from 1, in its order, and the sums of the weights up to each."""

    places: tuple[int, ...]
    sums: tuple[int, ...]

    @property
    def total(self) -> int:
        """The sum of all the weights."""
        return self.sums[-1]

    def at(self, point: int) -> int:
        """The place that a point from 0 to below the total falls on: the first whose sum exceeds it."""
        return self.places[bisect_right(self.sums, point)]


def among(prizes: Sequence[LotteryPrize], places: Sequence[int]) -> Among:
    """Some places of a table, of which there is one, with the sums of their weights."""
    return Among(tuple(places), tuple(accumulate([prizes[place - 1].weight for place in places])))


class Table(NamedTuple):
    """What a draw is made among, and what becomes of it: the place that is drawn, and the place that is won.

    They differ where what is drawn is not among the `live` places, and the fallback stands in for it.
    """

    among: Among
    live: Sequence[int]
    is_guaranteed: bool = False
    fallback: int | None = None

    def won(self, drawn: int) -> int:
        """The place that is won when one is drawn."""
        return drawn if self.fallback is None or drawn in self.live else self.fallback


def table_for(lottery: Lottery, live: Sequence[int], dry_draws: int) -> Table | None:
    """What the next draw of who made so many without the guaranteed rank is made among; None if nothing is left.

    The guaranteed draw is made among prizes of the rank that can be won; while none can, it is one like any other, and
    the guarantee waits (D3).
    """
    prizes = lottery.prizes
    if draws_to_guarantee(lottery, dry_draws) == 1:
        good = [place for place in live if prizes[place - 1].rank >= (lottery.guarantee_rank or 0)]
        if good:
            return Table(among(prizes, good), live, is_guaranteed=True)
    if lottery.fallback is not None:
        everything = range(1, len(prizes) + 1)
        fallback = next(place for place in everything if prizes[place - 1].code == lottery.fallback)
        return Table(among(prizes, everything), live, fallback=fallback)
    return Table(among(prizes, live), live) if live else None


def draws_to_guarantee(lottery: Lottery, dry_draws: int) -> int | None:
    """How many draws it is at most until the guaranteed rank is won, the next one being 1; None without a guarantee."""
    every = lottery.guarantee_every
    return None if every is None else max(1, every - dry_draws)


class Odds(NamedTuple):
    """The odds of winning a prize: `weight` out of `total`."""

    prize: LotteryPrize
    weight: int
    total: int

    @property
    def probability(self) -> Decimal:
        """The same as a decimal number."""
        return (Decimal(self.weight) / Decimal(self.total)).quantize(_PLACES) if self.total else Decimal(0)


def published(lottery: Lottery) -> tuple[Odds, ...]:
    """The odds while everything is in stock: each prize's weight over the sum of all."""
    total = sum(prize.weight for prize in lottery.prizes)
    return tuple(Odds(prize, prize.weight, total) for prize in lottery.prizes)


def live(playing: Playing, today: date) -> tuple[Odds, ...]:
    """The odds of the next draw that no guarantee is for, as stock is now (D1)."""
    table = table_for(playing.lottery, playing.live(today), 0)
    weights = [0] * len(playing.lottery.prizes)
    if table is not None:
        for place in table.among.places:
            weights[table.won(place) - 1] += playing.lottery.prizes[place - 1].weight
    total = sum(weights)
    return tuple(Odds(prize, weight, total) for prize, weight in zip(playing.lottery.prizes, weights, strict=True))


def draw(seed: bytes, message: str, among_what: Among) -> tuple[int, int]:
    """The point of a draw and the place that it falls on."""
    point = fairness.point(seed, message, among_what.total)
    return point, among_what.at(point)
