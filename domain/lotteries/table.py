"""The table of a lottery as a text: all that a player relies on, whose hash is published before the first draw (D4).

Lines end with a line feed and parts are told apart by tabs; neither stands in any part, for names are of one line. The
first line is `tessera-lottery` and the version of this form, 1; then come lines of a word and its value, what is not
told being empty; then a line a prize, in order: `prize`, code, weight, rank, stock, daily stock, what it is, how much
or which of it, value in minor units, name.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from domain import schedules
from domain.lotteries import fairness
from domain.lotteries.lottery import Lottery, LotteryPrize
from domain.prizes import Prize, PrizeKind

_HEAD = "tessera-lottery\t1"


def text_of(lottery: Lottery) -> str:
    """The table of a lottery."""
    return "".join(f"{line}\n" for line in (_HEAD, *_terms(lottery), *map(_prize, lottery.prizes)))


def hash_of(lottery: Lottery) -> str:
    """The SHA-256 of its table in UTF-8."""
    return fairness.digest(text_of(lottery).encode())


def _terms(lottery: Lottery) -> Iterator[str]:
    told: dict[str, object] = {
        "lottery": lottery.id,
        "code": lottery.code,
        "kind": lottery.kind,
        "name": lottery.name,
        "rules-sha256": fairness.digest(lottery.rules.encode()),
        "points": lottery.points,
        "free-per-day": lottery.free_per_day,
        "limits": " ".join(f"{limit.period}={limit.draws}" for limit in lottery.limits),
        "starts-at": _instant(lottery.starts_at),
        "ends-at": _instant(lottery.ends_at),
        "schedule": _schedule(lottery),
        "audience": _audience(lottery),
        "stock-out": lottery.stock_out,
        "fallback": lottery.fallback,
        "guarantee-every": lottery.guarantee_every,
        "guarantee-rank": lottery.guarantee_rank,
        "wins-per-member": lottery.wins_per_member,
    }
    for word, value in told.items():
        yield f"{word}\t{'' if value is None else value}"


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()


def _schedule(lottery: Lottery) -> str:
    schedule = lottery.schedule
    if schedule == schedules.ALWAYS:
        return ""
    days = (*(f"w{day}" for day in schedule.weekdays), *(f"m{day}" for day in schedule.month_days), *schedule.dates)
    first = 0 if schedule.from_hour is None else schedule.from_hour
    last = 24 if schedule.until_hour is None else schedule.until_hour
    return " ".join((*days, f"{first}-{last}h"))


def _audience(lottery: Lottery) -> str:
    audience = lottery.audience
    parts = {
        "tier": [str(tier) for tier in audience.tiers],
        "tag": audience.tags,
        "without": audience.without_tags,
        "segment": audience.segments,
    }
    # Names of tags may hold anything: their hashes do not.
    return " ".join(f"{part}={fairness.digest(name.encode())[:16]}" for part, names in parts.items() for name in names)


def _prize(prize: LotteryPrize) -> str:
    told = (
        prize.code,
        prize.weight,
        prize.rank,
        prize.stock,
        prize.daily_stock,
        prize.prize.kind,
        _content(prize.prize),
        prize.value_minor,
        prize.name,
    )
    return "\t".join(("prize", *("" if part is None else str(part) for part in told)))


def _content(prize: Prize) -> object:
    """How much or which of it: the one part that its kind tells."""
    return {
        PrizeKind.POINTS: prize.points,
        PrizeKind.CHANCE: prize.chances,
        PrizeKind.VOUCHER: prize.pool_id,
        PrizeKind.ITEM: prize.reward_id,
    }.get(prize.kind)
