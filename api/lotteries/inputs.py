"""What is told of lotteries, and the commands that it makes."""

from datetime import datetime
from typing import Final

import strawberry

from api import access, ids, inputs, scalars, shapes
from api.context import Context
from api.earning import AudienceInput, audience_of
from api.inputs import MemberRefInput, MoneyInput
from api.prizes import PrizeInput
from api.schedules import ScheduleInput
from domain import checks, schedules
from domain.access import Scope
from domain.chances import GrantChances
from domain.earning.rules import Period
from domain.lotteries import drawing, saving, tickets
from domain.lotteries import lottery as lotteries

_EXCEEDS_CAP: Final = access.staff(Scope.PRIZES_ABOVE_CAP)


@shapes.given()
class DrawLimitInput:
    """How often a member may draw, or take a ticket, in a period of the program's calendar."""

    period: Period
    draws: int


@shapes.given()
class LotteryPrizeInput:
    """Something that can be won. Its odds are its weight, 1 to 1,000,000,000, over the sum of all weights.

    `rank` orders prizes, 1 to 100, the higher the better, and 0 for NOTHING. Of a ticketed lottery `stock` is how many
    tickets win it. An item needs its `value`. CHANCE is another chance in this lottery: it names no `lotteryId`.
    """

    code: str
    name: str
    prize: PrizeInput
    rank: int = 0
    weight: int = 1
    stock: int | None = None
    daily_stock: int | None = None
    value: MoneyInput | None = None

    def of(self, context: Context) -> lotteries.LotteryPrize:
        """The prize for the domain. Refuses malformed ids and another currency."""
        return lotteries.LotteryPrize(
            code=self.code,
            name=self.name,
            prize=self.prize.prize(),
            rank=self.rank,
            weight=self.weight,
            stock=self.stock,
            daily_stock=self.daily_stock,
            value_minor=0 if self.value is None else self.value.minor(context, "value"),
        )


@shapes.given()
class LotterySaveInput(inputs.RepeatableInput):
    """A draft of a lottery, as a whole: it takes the place of the draft with its code.

    Without `points` a draw takes a chance. With FALLBACK, `fallback` is the code of the prize that stands in for what
    is out of stock. The `guaranteeEvery`-th draw in a row without a prize of `guaranteeRank` or better wins one.
    """

    code: str
    name: str
    kind: lotteries.LotteryKind
    rules: str
    prizes: list[LotteryPrizeInput] = inputs.bounded(lotteries.PRIZES_MAX)
    points: scalars.Points | None = None
    free_per_day: int = 0
    limits: list[DrawLimitInput] | None = inputs.bounded(lotteries.LIMITS_MAX, default=None)
    audience: AudienceInput | None = None
    schedule: ScheduleInput | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    stock_out: lotteries.StockOut = lotteries.StockOut.RENORMALISE
    fallback: str | None = None
    guarantee_every: int | None = None
    guarantee_rank: int | None = None
    wins_per_member: int = 1
    exceeds_cap: bool | None = strawberry.field(
        default=None,
        directives=[_EXCEEDS_CAP],
        description="That items may be worth more than the program's cap; who says so is kept.",
    )

    def command(self, context: Context) -> saving.SaveLottery:
        """The command for the domain. Refuses malformed ids and another currency."""
        return saving.SaveLottery(
            code=self.code,
            name=self.name,
            kind=self.kind,
            rules=self.rules,
            prizes=checks.each("prizes", self.prizes, lambda prize: prize.of(context)),
            points=self.points,
            free_per_day=self.free_per_day,
            limits=tuple(lotteries.DrawLimit(period=each.period, draws=each.draws) for each in self.limits or ()),
            audience=audience_of(self.audience, "audience"),
            schedule=schedules.ALWAYS if self.schedule is None else self.schedule.schedule(),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            stock_out=self.stock_out,
            fallback=self.fallback,
            guarantee_every=self.guarantee_every,
            guarantee_rank=self.guarantee_rank,
            wins_per_member=self.wins_per_member,
            exceeds_cap=bool(self.exceeds_cap),
        )


@shapes.given()
class LotteryPublishInput(inputs.RepeatableInput):
    """Which draft to publish."""

    lottery_id: strawberry.ID

    def command(self, _: Context) -> saving.PublishLottery:
        """The command for the domain. Refuses an id that is none of a lottery."""
        return saving.PublishLottery(lottery_id=ids.require("Lottery", self.lottery_id, "lotteryId"))


@shapes.given()
class LotteryCloseInput(inputs.RepeatableInput):
    """Which instant lottery to close, and why (at most 500 characters)."""

    lottery_id: strawberry.ID
    reason: str

    def command(self, _: Context) -> saving.CloseLottery:
        """The command for the domain. Refuses an id that is none of a lottery."""
        return saving.CloseLottery(lottery_id=ids.require("Lottery", self.lottery_id, "lotteryId"), reason=self.reason)


@shapes.given()
class LotteryDrawInput(inputs.KeyedInput):
    """Where to draw. A member leaves `member` out and draws for itself.

    `clientSeed` is any text of 1 to 64 characters that the member likes, and everybody can read; the lottery's code if
    it is left out.
    """

    member: MemberRefInput | None = None
    lottery_id: strawberry.ID
    client_seed: str | None = None

    def command(self, context: Context) -> drawing.DrawLottery:
        """The command for the domain. Refuses malformed ids."""
        return drawing.DrawLottery(
            member=inputs.member(context, self.member),
            lottery_id=ids.require("Lottery", self.lottery_id, "lotteryId"),
            client_seed=self.client_seed,
        )


@shapes.given()
class LotteryTicketsTakeInput(inputs.KeyedInput):
    """How many tickets to take, 1 to 100, all or none. A member leaves `member` out and takes them for itself."""

    member: MemberRefInput | None = None
    lottery_id: strawberry.ID
    count: int = 1

    def command(self, context: Context) -> tickets.TakeTickets:
        """The command for the domain. Refuses malformed ids."""
        return tickets.TakeTickets(
            member=inputs.member(context, self.member),
            lottery_id=ids.require("Lottery", self.lottery_id, "lotteryId"),
            count=self.count,
        )


@shapes.given()
class LotteryChanceGrantInput(inputs.KeyedInput):
    """How many chances to give a member, 1 to 1,000, and why (at most 500 characters)."""

    member: MemberRefInput
    lottery_id: strawberry.ID
    chances: int
    reason: str

    def command(self, _: Context) -> GrantChances:
        """The command for the domain. Refuses malformed ids."""
        return GrantChances(
            member=self.member.ref(),
            lottery_id=ids.require("Lottery", self.lottery_id, "lotteryId"),
            chances=self.chances,
            reason=self.reason,
        )
