"""What a lottery may be: its parts must agree with each other, and with what the program lets a prize be worth."""

import re
from dataclasses import replace
from typing import Final

from domain import calendars, checks, prizes, schedules
from domain.kernel import State
from domain.lotteries import lottery as lotteries
from domain.lotteries.lottery import Lottery, LotteryInvalid, LotteryPrize, PrizeAboveCap, StockOut
from domain.prizes import PrizeInvalid, PrizeKind
from domain.programs import Program
from domain.rewards.commands import check_window
from domain.rewards.standing import check_audience

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,49}")
# What never runs out, so that it can stand in for what has.
_ENDLESS: Final = frozenset({PrizeKind.NOTHING, PrizeKind.POINTS, PrizeKind.CHANCE})


def code(field: tuple[str, ...], given: str) -> str:
    """A code of a lottery or a prize, which stands in the table that is hashed. Refuses `LotteryInvalid`."""
    if not _CODE.fullmatch(given):
        why = f"a code has 1 to 50 letters, digits, hyphens and underscores; {given[:50]!r} has not"
        raise LotteryInvalid(field=field, why=why)
    return given


def checked(state: State, program: Program, lottery: Lottery, *, exceeds_cap: bool) -> Lottery:
    """The lottery with its texts of one line and trimmed. Refuses what is out of bounds or contradicts itself."""
    _check_numbers(lottery)
    check_window("startsAt", lottery.starts_at, "endsAt", lottery.ends_at)
    first = calendars.local_date(lottery.starts_at or state.now, program.time_zone)
    last = None if lottery.ends_at is None else calendars.local_date(lottery.ends_at, program.time_zone)
    checks.at_most("prizes", lottery.prizes, lotteries.PRIZES_MAX)
    told = replace(
        lottery,
        name=one_line("name", lottery.name),
        rules=checks.text("rules", lottery.rules, length_max=lotteries.RULES_MAX),
        audience=check_audience(state, "audience", lottery.audience),
        schedule=schedules.check("schedule", lottery.schedule, first, last),
        prizes=tuple(
            _prize(state, program, lottery, place, exceeds_cap=exceeds_cap) for place in range(len(lottery.prizes))
        ),
    )
    _check_together(told)
    (_check_tickets if told.is_ticketed else _check_draws)(told)
    return told


def one_line(name: str, value: str) -> str:
    """A text whose blanks are single spaces: it stands in a line of the table."""
    return checks.text(name, " ".join(value.split()))


def _check_numbers(lottery: Lottery) -> None:
    if lottery.points is not None:
        checks.points("points", lottery.points, maximum=lotteries.POINTS_A_DRAW_MAX)
    checks.number("freePerDay", lottery.free_per_day, minimum=0, maximum=lotteries.PLAYED_MAX)
    checks.number("winsPerMember", lottery.wins_per_member, minimum=1, maximum=lotteries.WINNERS_MAX)
    checks.at_most("limits", lottery.limits, lotteries.LIMITS_MAX)
    for place, limit in enumerate(lottery.limits):
        with checks.below("limits", str(place)):
            checks.number("draws", limit.draws, minimum=1, maximum=lotteries.PLAYED_MAX)
    if len({limit.period for limit in lottery.limits}) != len(lottery.limits):
        raise LotteryInvalid(field=("limits",), why="each period has one limit")
    if lottery.guarantee_every is not None:
        checks.number("guaranteeEvery", lottery.guarantee_every, minimum=2, maximum=lotteries.GUARANTEE_MAX)
    if lottery.guarantee_rank is not None:
        checks.number("guaranteeRank", lottery.guarantee_rank, minimum=1, maximum=lotteries.RANK_MAX)


def _prize(state: State, program: Program, lottery: Lottery, place: int, *, exceeds_cap: bool) -> LotteryPrize:
    prize = lottery.prizes[place]
    with checks.below("prizes", str(place)):
        code(("code",), prize.code)
        checks.number("rank", prize.rank, minimum=0, maximum=lotteries.RANK_MAX)
        checks.number("weight", prize.weight, minimum=1, maximum=lotteries.WEIGHT_MAX)
        for name, stock in (("stock", prize.stock), ("dailyStock", prize.daily_stock)):
            if stock is not None:
                checks.number(name, stock, minimum=0, maximum=lotteries.STOCK_MAX)
        checks.amount("value", prize.value_minor)
        _check_content(state, prize)
        name = one_line("name", prize.name)
        return replace(prize, name=name, exceeds_cap_by=_over_cap(program, prize, state.actor if exceeds_cap else None))


def _check_content(state: State, prize: LotteryPrize) -> None:
    kind = prize.prize.kind
    if (kind is PrizeKind.NOTHING) != (prize.rank == 0):
        raise PrizeInvalid(field=("rank",), why="NOTHING has the rank 0, and whatever is something a higher one")
    if kind is PrizeKind.ITEM and not prize.value_minor:
        raise PrizeInvalid(field=("value",), why="an item needs its value, which the law bounds")
    if kind is not PrizeKind.CHANCE:
        prizes.check(state, "prize", prize.prize)
        return
    if prize.prize.lottery_id is not None:
        raise PrizeInvalid(field=("prize", "lotteryId"), why="another chance is one in the same lottery: leave it out")
    prizes.check_chances("prize", prize.prize)


def _over_cap(program: Program, prize: LotteryPrize, allowed_by: str | None) -> str | None:
    """Who lets an item be worth more than it may; None where it is not. Refuses `PrizeAboveCap` (D5)."""
    value_max = program.prize_value_max_minor
    if prize.prize.kind is not PrizeKind.ITEM or prize.value_minor <= value_max:
        return None
    if allowed_by is None:
        raise PrizeAboveCap(field=("value",), prize=prize.code, value=prize.value_minor, value_max=value_max)
    return allowed_by


def require_within_cap(program: Program, lottery: Lottery) -> None:
    """Refuses `PrizeAboveCap` where the program's cap was lowered since the draft was saved."""
    for prize in lottery.prizes:
        if prize.exceeds_cap_by is None:
            _over_cap(program, prize, None)


def _check_together(lottery: Lottery) -> None:
    if not lottery.prizes:
        raise LotteryInvalid(field=("prizes",), why="a lottery has something to win")
    if len({prize.code for prize in lottery.prizes}) != len(lottery.prizes):
        raise LotteryInvalid(field=("prizes",), why="each prize has a code of its own")


def _check_draws(lottery: Lottery) -> None:
    """What an instant lottery must have."""
    if (lottery.stock_out is StockOut.FALLBACK) != (lottery.fallback is not None):
        raise LotteryInvalid(field=("fallback",), why="the policy FALLBACK names a prize, and no other policy does")
    if lottery.fallback is not None:
        _check_fallback(lottery, lottery.fallback)
    every, rank = lottery.guarantee_every, lottery.guarantee_rank
    if (every is None) != (rank is None):
        why = "a guarantee says after how many draws it is for which rank: both, or neither"
        raise LotteryInvalid(field=("guaranteeEvery",), why=why)
    if rank is not None and all(prize.rank < rank for prize in lottery.prizes):
        raise LotteryInvalid(field=("guaranteeRank",), why="no prize has such a rank")


def _check_fallback(lottery: Lottery, told: str) -> None:
    found = [prize for prize in lottery.prizes if prize.code == told]
    if not any(prize.prize.kind in _ENDLESS and prize.stock is prize.daily_stock is None for prize in found):
        why = "the fallback is one of the prizes, without a stock, and neither a voucher nor an item"
        raise LotteryInvalid(field=("fallback",), why=why)


def _check_tickets(lottery: Lottery) -> None:
    """What a ticketed lottery must have, and what only draws have."""
    if lottery.ends_at is None:
        raise LotteryInvalid(field=("endsAt",), why="winning tickets are drawn when it ends, so it needs an end")
    if lottery.guarantee_every is not None or lottery.guarantee_rank is not None or lottery.fallback is not None:
        raise LotteryInvalid(field=("kind",), why="guarantee and fallback are for instant draws")
    for prize in lottery.prizes:
        is_something = prize.prize.kind not in (PrizeKind.NOTHING, PrizeKind.CHANCE)
        if not is_something or not prize.stock or prize.daily_stock is not None:
            why = f"the prize {prize.code!r} needs a stock, for so many tickets win it, and is something"
            raise LotteryInvalid(field=("prizes",), why=why)
    winners = sum(prize.stock or 0 for prize in lottery.prizes)
    if winners > lotteries.WINNERS_MAX:
        why = f"{winners} tickets would win, and at most {lotteries.WINNERS_MAX} may"
        raise LotteryInvalid(field=("prizes",), why=why)
