"""A mall with lotteries: short words for making one, playing in it, and looking at what came of it."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from domain import chances
from domain.chances import GrantChances, LotteryRun, LotteryStanding
from domain.lotteries import table
from domain.lotteries.draw import Draw, Drawn
from domain.lotteries.drawing import DrawLottery
from domain.lotteries.ending import EndLottery
from domain.lotteries.lottery import Lottery, LotteryKind, LotteryPrize, LotterySeed, Playing, PrizeStock, stock_id
from domain.lotteries.saving import CloseLottery, PublishLottery, SaveLottery
from domain.lotteries.tickets import Taken, TakeTickets
from domain.prizes import Prize, PrizeKind
from tests.domain.mall import POINT_VALUE_BP, Mall
from tests.domain.memory import ref

NOTHING: Final = Prize(kind=PrizeKind.NOTHING)


def nothing(weight: int = 1, code: str = "none", **more: Any) -> LotteryPrize:
    """Nothing, which may be drawn for ever."""
    return LotteryPrize(code=code, name="Thanks for playing", prize=NOTHING, weight=weight, **more)


def points(amount: int = 10, weight: int = 1, code: str = "points", rank: int = 1, **more: Any) -> LotteryPrize:
    """Points."""
    prize = Prize(kind=PrizeKind.POINTS, points=amount)
    return LotteryPrize(code=code, name=f"{amount} points", prize=prize, weight=weight, rank=rank, **more)


def again(count: int = 1, weight: int = 1, code: str = "again") -> LotteryPrize:
    """Another chance."""
    prize = Prize(kind=PrizeKind.CHANCE, chances=count)
    return LotteryPrize(code=code, name="Another chance", prize=prize, weight=weight, rank=1)


class Hall(Mall):
    """A mall in which lotteries are held."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(point_value_bp=POINT_VALUE_BP, **settings)
        self.lotteries = 0

    def item(self, value_minor: int = 100_000, weight: int = 1, code: str = "kettle", **more: Any) -> LotteryPrize:
        """An item of the mall."""
        reward = self.reward(100)
        prize = Prize(kind=PrizeKind.ITEM, reward_id=reward.id)
        told: dict[str, Any] = {"rank": 3, **more}
        return LotteryPrize(code=code, name="Kettle", prize=prize, weight=weight, value_minor=value_minor, **told)

    def voucher(self, left: int | None = None, weight: int = 1, code: str = "voucher", **more: Any) -> LotteryPrize:
        """A voucher of a new pool with so many left."""
        prize = Prize(kind=PrizeKind.VOUCHER, pool_id=self.pool(left=left).id)
        return LotteryPrize(code=code, name="Ten off", prize=prize, weight=weight, rank=2, **more)

    def draft(self, *prizes: LotteryPrize, **terms: Any) -> Lottery:
        """A draft under a code of its own: one point a draw, nothing else told."""
        self.lotteries += 1
        told: dict[str, Any] = {
            "code": f"lottery-{self.lotteries}",
            "name": "Spring draw",
            "kind": LotteryKind.INSTANT,
            "rules": "Draw and win.",
            "points": 1,
            **terms,
        }
        return self.run(SaveLottery(prizes=prizes, **told))

    def lottery(self, *prizes: LotteryPrize, **terms: Any) -> Lottery:
        """A lottery that is published."""
        return self.run(PublishLottery(lottery_id=self.draft(*prizes, **terms).id))

    def raffle(self, *prizes: LotteryPrize, days: int = 7, **terms: Any) -> Lottery:
        """A ticketed lottery that is published and ends in so many days."""
        told: dict[str, Any] = {"kind": LotteryKind.TICKETED, "ends_at": self.now + timedelta(days=days), **terms}
        return self.lottery(*prizes, **told)

    def draw(self, member: UUID, lottery: Lottery, **told: Any) -> Draw:
        drawn: Drawn = self.run(DrawLottery(member=ref(member), lottery_id=lottery.id, **told))
        return drawn.draw

    def play(self, member: UUID, lottery: Lottery, count: int) -> list[Draw]:
        return [self.draw(member, lottery) for _ in range(count)]

    def tickets(self, member: UUID, lottery: Lottery, count: int = 1) -> Taken:
        return self.run(TakeTickets(member=ref(member), lottery_id=lottery.id, count=count))

    def chance(self, member: UUID, lottery: Lottery, count: int = 1) -> LotteryStanding:
        grant = GrantChances(member=ref(member), lottery_id=lottery.id, chances=count, reason="test")
        return self.run(grant).standing

    def close(self, lottery: Lottery) -> LotteryRun:
        return self.run(CloseLottery(lottery_id=lottery.id, reason="test")).run

    def end(self, lottery: Lottery, steps: int = 50) -> list[Draw]:
        """Let the clock do all that it does at the end; the winners in the order they were drawn."""
        before = self.goes(lottery).steps
        for step in range(before + 1, before + steps + 1):
            if self.run(EndLottery(lottery_id=lottery.id, step=step)).run.closed_at is not None:
                return self.kept(lottery)
        raise AssertionError(f"the lottery is not over after {steps} steps")

    # What tests look at.

    def goes(self, lottery: Lottery) -> LotteryRun:
        return self.row(LotteryRun, lottery.id)

    def stock(self, lottery: Lottery, code: str) -> PrizeStock:
        return self.row(PrizeStock, stock_id(lottery.id, code))

    def playing(self, lottery: Lottery) -> Playing:
        return Playing(
            lottery, self.goes(lottery), {prize.code: self.stock(lottery, prize.code) for prize in lottery.prizes}
        )

    def stands(self, member: UUID, lottery: Lottery) -> LotteryStanding:
        return self.row(LotteryStanding, chances.standing_id(member, lottery.id))

    def seed(self, lottery: Lottery) -> str:
        return self.row(LotterySeed, lottery.id).seed

    def kept(self, lottery: Lottery) -> list[Draw]:
        """Every draw of a lottery in their order."""
        return sorted(
            (row for row in self.state.rows(Draw) if row.lottery_id == lottery.id), key=lambda row: row.number
        )

    def won(self, lottery: Lottery) -> Counter[str]:
        return Counter(draw.prize for draw in self.kept(lottery))


def told(hall: Hall, lottery: Lottery) -> dict[str, Any]:
    """What a client reads of a closed lottery, as the verifiers take it."""
    return {
        "seed": hall.seed(lottery),
        "seedHash": lottery.seed_hash,
        "tableHash": lottery.table_hash,
        "tableText": table.text_of(lottery),
        "draws": {"nodes": [shown(draw) for draw in hall.kept(lottery)]},
    }


def shown(draw: Draw) -> dict[str, Any]:
    """A draw as the contract shows it."""
    return {
        "number": draw.number,
        "clientSeed": draw.client_seed,
        "nonce": draw.nonce,
        "among": list(draw.among),
        "total": draw.total,
        "point": draw.point,
        "drawnCode": draw.drawn,
        "prizeCode": draw.prize,
        "ticket": draw.ticket,
    }


def at(day: str) -> datetime:
    """An instant by the clock of Shanghai."""
    return datetime.fromisoformat(f"{day}+08:00")
