"""What a prize is, in words."""

from collections.abc import Mapping
from uuid import UUID

from domain.prizes import Prize, PrizeKind
from domain.terms import wording
from domain.terms.naming import Naming
from domain.terms.wording import Terms


def of_prize(prize: Prize, naming: Naming) -> Terms:
    """A prize that is something: 100积分 / 100 points; 优惠券“咖啡” / a voucher “Coffee”."""
    match prize.kind:
        case PrizeKind.POINTS:
            return wording.points(prize.points)
        case PrizeKind.VOUCHER:
            return of_voucher(prize.pool_id, naming)
        case PrizeKind.ITEM:
            return wording.said("“{item}”", "“{item}”", item=_called(prize.reward_id, naming.rewards))
        case PrizeKind.CHANCE:
            chances = wording.counted(prize.chances, "次", "chance")
            lottery = _called(prize.lottery_id, naming.lotteries)
            return wording.said(
                "{chances}“{lottery}”抽奖机会", "{chances} in “{lottery}”", chances=chances, lottery=lottery
            )
        case PrizeKind.NOTHING:
            raise AssertionError("what gives nothing is not told")


def of_voucher(pool_id: UUID | None, naming: Naming) -> Terms:
    """A voucher out of a pool, by the name that members know it by."""
    return wording.said("优惠券“{voucher}”", "a voucher “{voucher}”", voucher=_called(pool_id, naming.vouchers))


def _called(key: UUID | None, names: Mapping[UUID, str]) -> Terms:
    assert key is not None, "a prize has what its kind names"
    return wording.name(names.get(key, str(key)))
