"""Prizes: what a member may be given besides by rules: points, a voucher, an item of the mall, chances, or nothing."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain import chances, checks
from domain.kernel import Event, Refusal, Row, State
from domain.points.book import Source
from domain.points.posting import Posting
from domain.redemptions import handing
from domain.redemptions.handing import Beginning
from domain.redemptions.redemption import Redemption, RedemptionOrigin
from domain.rewards.reward import Reward
from domain.vouchers import issuing
from domain.vouchers.pool import Supply, VoucherPool
from domain.vouchers.voucher import Origin, Voucher, VoucherOrigin


class PrizeKind(StrEnum):
    """What a prize is."""

    NOTHING = "NOTHING"
    POINTS = "POINTS"  # `points`, through the ledger
    VOUCHER = "VOUCHER"  # a voucher of the pool `pool_id`
    ITEM = "ITEM"  # the reward `reward_id`, as a redemption that cost nothing
    CHANCE = "CHANCE"  # `chances` in the lottery `lottery_id`; as a prize of a lottery, in that one


@dataclass(frozen=True, slots=True, kw_only=True)
class Prize:
    """What is given. Only what its kind names is told."""

    kind: PrizeKind
    points: int = 0
    pool_id: UUID | None = None
    reward_id: UUID | None = None
    chances: int = 0
    lottery_id: UUID | None = None


class PrizeInvalid(Refusal):
    """A prize tells what its kind does not have, or lacks what it has. Details: `why`."""

    code = "PRIZE_INVALID"
    text = "The prize cannot be so: {why}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Won:
    """What a member was given, as rows to save and events; the points are in the posting."""

    prize: Prize
    points: int = 0
    transaction_id: UUID | None = None
    voucher: Voucher | None = None
    redemption: Redemption | None = None
    save: tuple[Row, ...] = ()
    events: tuple[Event, ...] = field(default=())


def check(state: State, name: str, prize: Prize) -> Prize:
    """A prize that can be given. Refuses `PrizeInvalid`, and a pool or reward that is not of the program."""
    if prize.kind is PrizeKind.POINTS:
        checks.points(f"{name}.points", prize.points)
    if prize.kind is PrizeKind.CHANCE:
        check_chances(name, prize)
    _require_only(name, prize)
    if prize.kind is PrizeKind.CHANCE:
        assert prize.lottery_id is not None, "just required"
        chances.require_published(state, prize.lottery_id, (name, "lotteryId"))
    if prize.kind is PrizeKind.VOUCHER:
        assert prize.pool_id is not None, "just required"
        pool = state.get(VoucherPool, prize.pool_id)
        if pool.supply is Supply.BROUGHT:
            raise PrizeInvalid(field=(name, "poolId"), why="the codes of this pool are brought by members, not given")
    if prize.kind is PrizeKind.ITEM:
        assert prize.reward_id is not None, "just required"
        reward = state.get(Reward, prize.reward_id)
        if reward.pool_id is not None:
            raise PrizeInvalid(field=(name, "rewardId"), why="a voucher is given from its pool: tell poolId")
    return prize


def check_chances(name: str, prize: Prize) -> None:
    """Refuses `NumberInvalid` unless a prize has chances to give."""
    checks.number(f"{name}.chances", prize.chances, minimum=1, maximum=chances.GRANT_MAX)


_PARTS: Final = {
    PrizeKind.NOTHING: (),
    PrizeKind.POINTS: ("points",),
    PrizeKind.VOUCHER: ("poolId",),
    PrizeKind.ITEM: ("rewardId",),
    PrizeKind.CHANCE: ("chances", "lotteryId"),
}


def _require_only(name: str, prize: Prize) -> None:
    asked = _PARTS[prize.kind]
    told = {
        "points": prize.points != 0,
        "poolId": prize.pool_id is not None,
        "rewardId": prize.reward_id is not None,
        "chances": prize.chances != 0,
        "lotteryId": prize.lottery_id is not None,
    }
    for part, is_told in told.items():
        if is_told and part not in asked:
            raise PrizeInvalid(field=(name, part), why=f"{prize.kind} has no {part}")
        if part in asked and not is_told:
            raise PrizeInvalid(field=(name, part), why=f"{prize.kind} needs {part}")


def give(posting: Posting, prize: Prize, source: Source, *, rule: str = "") -> Won:
    """Give a member a prize for what `source` names; the business key of points is the source with `rule` (L11).

    The points move in the posting, whose rows are saved with `Won.save`. Refuses what has run out: an empty pool.
    """
    state, member_id = posting.state, posting.account.id
    match prize.kind:
        case PrizeKind.NOTHING:
            return Won(prize=prize)
        case PrizeKind.POINTS:
            transaction = posting.award(prize.points, source, rule=rule)
            return Won(prize=prize, points=prize.points, transaction_id=transaction.id)
        case PrizeKind.VOUCHER:
            assert prize.pool_id is not None, "prizes are checked when they are kept"
            issued = issuing.issue(state, prize.pool_id, member_id, Origin(kind=VoucherOrigin.PRIZE))
            return Won(prize=prize, voucher=issued.vouchers[0], save=issued.save, events=issued.events)
        case PrizeKind.ITEM:
            assert prize.reward_id is not None, "prizes are checked when they are kept"
            beginning = Beginning(origin=RedemptionOrigin.PRIZE, origin_id=source.id)
            redemption, rows = handing.begin(state, member_id, state.get(Reward, prize.reward_id), beginning)
            return Won(prize=prize, redemption=redemption, save=rows)
        case PrizeKind.CHANCE:
            assert prize.lottery_id is not None, "prizes are checked when they are kept"
            granted = chances.grant(posting, prize.lottery_id, prize.chances, f"prize of {source.type} {source.id}")
            return Won(prize=prize, events=(granted,))
