"""Prizes in the API: what a member may be given besides by rules, told and shown the same everywhere."""

from typing import Annotated

import strawberry

from api import ids, scalars, shapes
from api.rewards.reward import Reward
from api.vouchers.pool import VoucherPool
from domain import prizes
from domain.lotteries import lottery as lotteries
from domain.rewards import reward as offering
from domain.vouchers import pool as supplying

shapes.named(prizes.PrizeKind)

# Lotteries know prizes.
LaterLottery = Annotated["Lottery", strawberry.lazy("api.lotteries.lottery")]  # type: ignore[name-defined]  # noqa: F821


@shapes.shape()
class Prize:
    """What a member is given: points, a voucher of a pool, an item of the mall, chances in a lottery, or nothing."""

    kind: prizes.PrizeKind
    points: scalars.Points
    pool: VoucherPool | None = shapes.linked(supplying.VoucherPool, "pool_id")
    reward: Reward | None = shapes.linked(offering.Reward, "reward_id")
    chances: int
    lottery: LaterLottery | None = shapes.linked(lotteries.Lottery, "lottery_id")


@shapes.given()
class PrizeInput:
    """What a member is given: `points` for POINTS, `poolId` for a VOUCHER, `rewardId` for an ITEM, and no more.

    CHANCE gives `chances`, 1 to 1,000, in the published lottery `lotteryId`.
    """

    kind: prizes.PrizeKind
    points: scalars.Points = scalars.Points(0)
    pool_id: strawberry.ID | None = None
    reward_id: strawberry.ID | None = None
    chances: int = 0
    lottery_id: strawberry.ID | None = None

    def prize(self, field: str = "prize") -> prizes.Prize:
        """The prize for the domain. Refuses malformed ids."""
        return prizes.Prize(
            kind=self.kind,
            points=self.points,
            pool_id=ids.optional("VoucherPool", self.pool_id, f"{field}.poolId"),
            reward_id=ids.optional("Reward", self.reward_id, f"{field}.rewardId"),
            chances=self.chances,
            lottery_id=ids.optional("Lottery", self.lottery_id, f"{field}.lotteryId"),
        )
