"""Verifying: a draw is reckoned again from what was published and the seed, and compared with what is kept (D4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from domain.lotteries import ending, fairness, odds, table
from domain.lotteries.draw import Draw
from domain.lotteries.lottery import Lottery, StockOut
from domain.lotteries.significance import Cell, ChiSquare, chi_square

# So many tickets that were passed over are told.
SKIPPED_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A draw reckoned again. Without the seed nothing is known yet, and each answer is None.

    `is_seed` and `is_table` say whether seed and table are those that were published; `is_point` whether the message
    makes the point; `is_prize` whether the point makes the prize; and `skipped` are the tickets passed over.
    """

    draw: Draw
    lottery: Lottery
    message: str
    seed: str | None = None
    is_seed: bool | None = None
    is_table: bool | None = None
    is_point: bool | None = None
    is_prize: bool | None = None
    skipped: tuple[int, ...] = ()

    @property
    def is_genuine(self) -> bool | None:
        """Whether all of it agrees; None before the seed is told."""
        answers = (self.is_seed, self.is_table, self.is_point, self.is_prize)
        return None if None in answers else all(answers)


@dataclass(frozen=True, slots=True)
class Before:
    """What was drawn before a winning ticket: the last attempt that won, and by ticket how often its member had won.

    `won` are the tickets that had won themselves.
    """

    attempt: int
    wins: Mapping[int, int]
    won: frozenset[int]


def verified(lottery: Lottery, draw: Draw, seed: str | None, before: Before | None) -> Verification:
    """A draw reckoned again; `before` is told of winning tickets."""
    message = fairness.message_of(draw.client_seed, draw.nonce)
    if seed is None:
        return Verification(draw=draw, lottery=lottery, message=message)
    secret = bytes.fromhex(seed)
    skipped = () if before is None else passed_over(secret, draw, before.attempt)
    return Verification(
        draw=draw,
        lottery=lottery,
        message=message,
        seed=seed,
        is_seed=fairness.digest(secret) == lottery.seed_hash,
        is_table=table.hash_of(lottery) == lottery.table_hash,
        is_point=fairness.point(secret, message, draw.total) == draw.point,
        is_prize=_is_prize(lottery, draw) if before is None else _is_winner(lottery, draw, before, skipped),
        skipped=skipped[:SKIPPED_MAX],
    )


def passed_over(seed: bytes, draw: Draw, since: int) -> tuple[int, ...]:
    """The numbers of the tickets between the last attempt that won and a winning one."""
    attempts = range(since + 1, int(draw.nonce))
    return tuple(ending.point_of(seed, attempt, draw.total) + 1 for attempt in attempts)


def _is_prize(lottery: Lottery, draw: Draw) -> bool:
    """Whether the point falls on what was drawn, and what was won follows from that."""
    among = odds.among(lottery.prizes, draw.among)
    if among.total != draw.total or not 0 <= draw.point < draw.total:
        return False
    drawn = lottery.prizes[among.at(draw.point) - 1].code
    stood_in = lottery.stock_out is StockOut.FALLBACK and draw.prize == lottery.fallback
    return drawn == draw.drawn and (draw.prize == drawn or stood_in)


def _is_winner(lottery: Lottery, draw: Draw, before: Before, skipped: Sequence[int]) -> bool:
    """Whether the point names the ticket, and each one that was passed over could win no more."""
    had_enough = all(
        ticket in before.won or before.wins.get(ticket, 0) >= lottery.wins_per_member for ticket in skipped
    )
    return draw.ticket == draw.point + 1 and draw.drawn == draw.prize and had_enough


# What was drawn, beside what the odds promised.


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a prize was drawn among some places of the table."""

    among: tuple[int, ...]
    drawn: str
    count: int


@dataclass(frozen=True, slots=True)
class PrizeAudit:
    """How often a prize was drawn, and how often the odds of each draw had it."""

    code: str
    expected: float
    observed: int


@dataclass(frozen=True, slots=True)
class Audit:
    """A lottery's draws beside its odds, as they were for each draw, and the chi-square test of the two."""

    draws: int
    prizes: tuple[PrizeAudit, ...]
    test: ChiSquare


def audit(lottery: Lottery, tallies: Sequence[Tally]) -> Audit:
    """What was drawn, beside the sum of the odds that each draw was made at (D1)."""
    expected = dict.fromkeys((prize.code for prize in lottery.prizes), 0.0)
    observed = dict.fromkeys(expected, 0)
    for tally in tallies:
        observed[tally.drawn] += tally.count
        among = odds.among(lottery.prizes, tally.among)
        for place in tally.among:
            prize = lottery.prizes[place - 1]
            expected[prize.code] += tally.count * prize.weight / among.total
    prizes = tuple(PrizeAudit(code, expected[code], observed[code]) for code in expected)
    cells = (Cell(each.expected, each.observed) for each in prizes)
    return Audit(sum(tally.count for tally in tallies), prizes, chi_square(cells))
