"""Lotteries: what is shown of one, its odds as they are now, and where a member stands in it."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, NamedTuple

import strawberry

from api import access, connections, moneys, payloads, scalars, shapes
from api.connections import Connection
from api.context import Info
from api.earning import Audience
from api.inputs import MemberRefInput
from api.moneys import Money
from api.payloads import UserError
from api.prizes import Prize
from api.rewards import standings
from api.schedules import Schedule
from domain import calendars, chances
from domain.access import Scope
from domain.chances import LotteryStanding as Standing
from domain.earning.rules import Period
from domain.lotteries import lottery as lotteries
from domain.lotteries import odds, playing, table, verifying
from domain.lotteries.lottery import LotteryPrize as PrizeOf
from domain.lotteries.lottery import Playing, PrizeStock
from persistence import lotteries as stored

shapes.named(lotteries.LotteryKind, lotteries.StockOut, chances.Payment)

# Draws know lotteries.
LaterDraw = Annotated["Draw", strawberry.lazy("api.lotteries.draw")]  # type: ignore[name-defined]  # noqa: F821

_STAFF: Final = access.staff(Scope.PROGRAM_READ)


@dataclass(frozen=True, slots=True)
class ShownPrize:
    """A prize with what is left of it; without a stock while the lottery is a draft."""

    prize: PrizeOf
    stock: PrizeStock | None
    today: date

    @property
    def left(self) -> int | None:
        """How many are left in all; None for no bound."""
        return self.prize.stock if self.stock is None else self.stock.left

    @property
    def left_today(self) -> int | None:
        """How many can be won today; None for no bound."""
        if self.prize.daily_stock is None:
            return self.left
        won = 0 if self.stock is None else self.stock.won_on(self.today)
        of_day = max(0, self.prize.daily_stock - won)
        return of_day if self.left is None else min(self.left, of_day)

    @property
    def won(self) -> int:
        """How often it was won."""
        return 0 if self.stock is None else self.stock.won


def _of(attribute: str, *, description: str | None = None) -> Any:
    """A field that shows an attribute of the prize itself."""

    def resolve(parent: strawberry.Parent[ShownPrize]) -> Any:
        return getattr(parent.prize, attribute)

    return strawberry.field(resolver=resolve, description=description)


def _value(parent: strawberry.Parent[ShownPrize], info: Info) -> Any:
    return moneys.of(parent.prize.value_minor, info)


def _exceeds_cap_by(parent: strawberry.Parent[ShownPrize], info: Info) -> Any:  # noqa: ARG001 - the policy looks at it
    return parent.prize.exceeds_cap_by


@shapes.shape()
class LotteryPrize:
    """Something that can be won, and how much of it is left."""

    code: str = _of("code")
    name: str = _of("name")
    prize: Prize = _of("prize", description="What is given.")
    rank: int = _of("rank", description="The higher, the better; 0 for nothing.")
    weight: int = _of("weight", description="The odds are this over the sum of all weights.")
    stock: int | None = _of("stock", description="How many there were; null for no bound.")
    daily_stock: int | None = _of("daily_stock", description="How many may be won on one local day.")
    left: int | None = strawberry.field(description="How many are left in all; null for no bound.")
    left_today: int | None = strawberry.field(description="How many can be won today; null for no bound.")
    won: int = strawberry.field(description="How often it was won.")
    value: Money = strawberry.field(resolver=_value, description="What one is worth.")
    exceeds_cap_by: str | None = access.resolved_by(
        _STAFF, _exceeds_cap_by, description="Who let it be worth more than the program's cap."
    )


def _code(parent: strawberry.Parent[odds.Odds]) -> str:
    return parent.prize.code


@shapes.shape()
class LotteryOdds:
    """The odds of winning a prize: `weight` out of `total`."""

    code: str = strawberry.field(resolver=_code)
    weight: scalars.Points
    total: scalars.Points
    probability: Decimal = strawberry.field(description="The same as a decimal number, of twelve places.")


@shapes.shape()
class DrawLimit:
    """How often a member may draw, or take a ticket, in a period of the program's calendar."""

    period: Period
    draws: int


@shapes.shape()
class DrawLimitLeft:
    """A limit, and how often the member may still play in the period that it is."""

    period: Period
    draws: int
    left: int


@shapes.shape()
class PrizeAudit:
    """How often a prize was drawn, and how often the odds of each draw had it."""

    code: str
    expected: float
    observed: int


def _of_test(attribute: str) -> Any:
    def resolve(parent: strawberry.Parent[verifying.Audit]) -> Any:
        return getattr(parent.test, attribute)

    return strawberry.field(resolver=resolve)


@shapes.shape()
class LotteryAudit:
    """What was drawn beside the odds it was drawn at: Pearson's chi-square test. Prizes are as drawn, fallbacks apart.

    The p-value is how likely a difference at least as large is by chance alone. One below 0.001 is worth a question.
    """

    draws: int
    prizes: list[PrizeAudit]
    statistic: float = _of_test("statistic")
    freedom: int = _of_test("freedom")
    p_value: float = _of_test("p_value")


class LimitLeft(NamedTuple):
    """A limit with what is left of it."""

    period: Period
    draws: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stands:
    """Where a member stands in a lottery, as it is shown."""

    lottery: lotteries.Lottery
    asking: playing.Asking
    refusals: tuple[Any, ...]

    @property
    def standing(self) -> Standing:
        """The standing as of today."""
        return self.asking.standing


def _stand(attribute: str, *, description: str | None = None) -> Any:
    def resolve(parent: strawberry.Parent[Stands]) -> Any:
        return getattr(parent.standing, attribute)

    return strawberry.field(resolver=resolve, description=description)


def _free_left(parent: strawberry.Parent[Stands]) -> int:
    return max(0, parent.lottery.free_per_day - parent.standing.free_used)


def _points(parent: strawberry.Parent[Stands]) -> scalars.Points:
    return scalars.Points((parent.lottery.points or 0) * parent.asking.paid(parent.lottery).points)


def _limits_left(parent: strawberry.Parent[Stands]) -> Any:
    return [
        LimitLeft(limit.period, limit.draws, max(0, limit.draws - parent.standing.played_in(limit.period)))
        for limit in parent.lottery.limits
    ]


def _guarantee(parent: strawberry.Parent[Stands]) -> int | None:
    return odds.draws_to_guarantee(parent.lottery, parent.standing.dry_draws)


def _obstacles(parent: strawberry.Parent[Stands]) -> Any:
    return [payloads.user_error(refusal) for refusal in parent.refusals]


def _can_play(parent: strawberry.Parent[Stands]) -> bool:
    return not parent.refusals


@shapes.shape()
class LotteryStanding:
    """Where a member stands in a lottery now."""

    free_left: int = strawberry.field(resolver=_free_left, description="Of today's free draws.")
    chances: int = _stand("chances", description="Those given, which cost no points.")
    won_chances: int = _stand("won_chances", description="Those that draws won, which count against no limit.")
    limits: list[DrawLimitLeft] = strawberry.field(resolver=_limits_left)
    draws_to_guarantee: int | None = strawberry.field(
        resolver=_guarantee,
        description="At most so many draws until the guaranteed rank is won, 1 being the next; null without guarantee.",
    )
    played: int = _stand("played", description="How often, in all, as limits count.")
    tickets: int = _stand("tickets", description="Of a ticketed lottery.")
    wins: int = _stand("wins", description="How many of them won.")
    points: scalars.Points = strawberry.field(resolver=_points, description="What the next one costs.")
    can_play: bool = strawberry.field(resolver=_can_play)
    obstacles: list[UserError] = strawberry.field(
        resolver=_obstacles, description="Everything that is in the way; playing would be refused with the first."
    )


async def _playing(parent: lotteries.Lottery, info: Info) -> Playing | None:
    """How a lottery goes; None while it is a draft."""
    found: Playing | None = await info.context.loaders.keyed(stored.playing, parent.id)
    return found


async def _today(info: Info) -> date:
    return calendars.local_date(info.context.now, (await info.context.loaders.program()).time_zone)


async def _prizes(parent: strawberry.Parent[lotteries.Lottery], info: Info) -> Any:
    goes, today = await _playing(parent, info), await _today(info)
    return [ShownPrize(prize, goes.stocks[prize.code] if goes else None, today) for prize in parent.prizes]


async def _odds(parent: strawberry.Parent[lotteries.Lottery], info: Info) -> Any:
    if parent.is_ticketed:
        return []
    goes = await _playing(parent, info)
    return odds.published(parent) if goes is None else odds.live(goes, await _today(info))


def _table_text(parent: strawberry.Parent[lotteries.Lottery]) -> str:
    return table.text_of(parent)


def _goes(attribute: str, *, description: str | None = None, policy: access.Requires | None = None) -> Any:
    """A field that shows an attribute of how a published lottery goes."""

    async def resolve(parent: strawberry.Parent[lotteries.Lottery], info: Info) -> Any:
        goes = await _playing(parent, info)
        return None if goes is None else getattr(goes.run, attribute)

    if policy is not None:
        return access.resolved_by(policy, resolve, description=description)
    return strawberry.field(resolver=resolve, description=description)


async def _seed(parent: strawberry.Parent[lotteries.Lottery], info: Info) -> Any:
    return await revealed(info, parent)


async def revealed(info: Info, lottery: lotteries.Lottery) -> str | None:
    """The seed of a lottery that is closed; None before, for nothing may be drawn by a seed that is known (D4)."""
    goes = await _playing(lottery, info)
    if goes is None or goes.run.closed_at is None:
        return None
    row = await info.context.loaders.row(lotteries.LotterySeed, lottery.id)
    return None if row is None else row.seed


async def _audit(parent: strawberry.Parent[lotteries.Lottery], info: Info) -> Any:
    if parent.is_ticketed:
        return None
    tallies = await info.context.loaders.keyed(stored.tallies, parent.id)
    return verifying.audit(parent, tallies or ())


async def _standing(
    parent: strawberry.Parent[lotteries.Lottery],
    info: Info,
    for_: Annotated[MemberRefInput | None, strawberry.argument(name="for")] = None,
) -> Any:
    who = await standings.somebody(info.context, for_)
    goes = await _playing(parent, info)
    if who is None or goes is None:
        return None
    kept = await info.context.loaders.keyed(stored.standings, (who.id, parent.id))
    known = kept or chances.empty_standing(parent.program_id, who.id, parent.id)
    today = calendars.local_date(info.context.now, who.time_zone)
    asking = playing.Asking(
        member=who.standing, standing=known.on(today), count=1, now=info.context.now, time_zone=who.time_zone
    )
    return Stands(lottery=parent, asking=asking, refusals=tuple(playing.obstacles(goes, asking)))


@shapes.shape(lotteries.Lottery)
class Lottery(shapes.Node):
    """A game of chance. Once it is published nothing of it changes; its seed is told when it is closed."""

    code: str = strawberry.field(description="The shop's own name for it, unique in the program.")
    name: str
    kind: lotteries.LotteryKind
    rules: str
    points: scalars.Points | None = strawberry.field(description="What a draw or ticket costs without a chance.")
    free_per_day: int
    limits: list[DrawLimit]
    audience: Audience = strawberry.field(description="Whom it is for.")
    schedule: Schedule
    starts_at: datetime | None
    ends_at: datetime | None = strawberry.field(description="When nobody may play any more, and tickets are drawn.")
    stock_out: lotteries.StockOut = strawberry.field(description="What becomes of odds when a prize is out of stock.")
    fallback: str | None = strawberry.field(description="The code of the prize that stands in for others.")
    guarantee_every: int | None
    guarantee_rank: int | None
    wins_per_member: int = strawberry.field(description="How many tickets of one member may win.")
    prizes: list[LotteryPrize] = strawberry.field(resolver=_prizes, description="In the order of the table.")
    odds: list[LotteryOdds] = strawberry.field(
        resolver=_odds, description="Of the next draw, as stock is now; a guarantee may make them better."
    )
    published_at: datetime | None
    seed_hash: str | None = strawberry.field(description="SHA-256 of the seed, from before the first draw.")
    table_hash: str | None = strawberry.field(description="SHA-256 of the table, from before the first draw.")
    table_text: str = strawberry.field(resolver=_table_text, description="What was hashed, in UTF-8.")
    draw_count: int | None = _goes("draws", description="How many draws there were, or tickets that won.")
    ticket_count: int | None = _goes("tickets", description="How many tickets were taken.")
    closed_at: datetime | None = _goes("closed_at")
    closed_by: str | None = _goes("closed_by", policy=_STAFF)
    reason: str | None = _goes("reason", policy=_STAFF, description="Why it was closed before its end.")
    seed: str | None = strawberry.field(
        resolver=_seed, description="32 bytes in hexadecimal letters, by which every draw can be checked; when closed."
    )
    draws: Connection[LaterDraw] = connections.family(
        stored.draws_of_lotteries, stored.IN_ORDER, description="In their order; of a ticketed lottery, its winners."
    )
    audit: LotteryAudit | None = access.resolved_by(
        _STAFF, _audit, description="What was drawn beside its odds; null for tickets, each of which is like any other."
    )
    standing: LotteryStanding | None = strawberry.field(
        resolver=_standing,
        description="Where a member stands: itself, or `for` whomever the shop names; null if nobody is named.",
    )


@shapes.shape()
class LotteryQueries:
    """What can be asked about lotteries."""

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def lotteries(
        self, info: Info, first: int = connections.FIRST_DEFAULT, after: str | None = None
    ) -> Connection[Lottery]:
        """Lotteries, the latest made first. Drafts are shown to staff alone."""
        context = info.context
        part = connections.asked(context, stored.NEWEST, first, after)
        found = await stored.page(context.caller.program_id, part, has_drafts=context.caller.is_staff)
        return connections.page(found, stored.NEWEST, part)

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def lottery(self, info: Info, code: str) -> Lottery | None:
        """A lottery by its code; null if there is none, and to others than staff if it is a draft."""
        found = await stored.of_code(info.context.caller.program_id, code)
        is_hidden = found is not None and found.published_at is None and not info.context.caller.is_staff
        return None if is_hidden else shapes.as_shape(Lottery, found)
