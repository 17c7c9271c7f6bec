"""Flash sales: what is shown of one and of its items, and what they are to whoever asks."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import strawberry

from api import moneys, payloads, scalars, shapes
from api.context import Info
from api.earning import Audience
from api.inputs import MemberRefInput
from api.moneys import Money
from api.payloads import UserError
from api.rewards import standings
from api.rewards.reward import Reward
from api.rewards.standings import Somebody
from api.schedules import Schedule
from api.tiers import Tier
from domain.claims import FlashSaleStock
from domain.flash_sales import claiming, counters, rounds, sale
from domain.flash_sales.rounds import Moment, Phase
from domain.kernel import Refusal
from domain.rewards.reward import Reward as OfferedReward
from domain.tiers import tier as tiers
from persistence import flash_sales as stored

shapes.named(Phase)

For = Annotated[MemberRefInput | None, strawberry.argument(name="for")]
# What a phase of a round is when nothing is left.
_SELLS: Final = frozenset({Phase.EARLY_ACCESS, Phase.OPEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a sale, or an item of it, is to somebody at the server's instant."""

    server_time: datetime
    moment: Moment
    left: int
    following: datetime | None = None
    taken: int | None = None
    refusals: tuple[Refusal, ...] | None = None

    @property
    def phase(self) -> Phase:
        """The phase; one in which nothing is left is SOLD_OUT."""
        is_empty = self.moment.phase in _SELLS and not self.left
        return Phase.SOLD_OUT if is_empty else self.moment.phase

    @property
    def opens_at(self) -> datetime | None:
        """When the round opens, or opened, for whoever asks."""
        return self.moment.opens_at

    @property
    def opens_for_all_at(self) -> datetime | None:
        """When it does for everybody."""
        return None if self.moment.round is None else self.moment.round.opens_at

    @property
    def ends_at(self) -> datetime | None:
        """When it ends."""
        return None if self.moment.round is None else self.moment.round.ends_at

    @property
    def can_claim(self) -> bool | None:
        """Whether nothing is in the way; None if nobody asks."""
        return None if self.refusals is None else not self.refusals

    @property
    def obstacles(self) -> list[UserError]:
        """What is in the way, with its numbers."""
        return [payloads.user_error(refusal) for refusal in self.refusals or ()]


@shapes.shape()
class FlashSaleRound:
    """The round that is on, or the next, as it is to whoever asks. Only the server's clock counts."""

    server_time: datetime = strawberry.field(description="The instant by which all of this was judged.")
    phase: Phase
    opens_at: datetime | None = strawberry.field(description="For whoever asks, its head start reckoned in.")
    opens_for_all_at: datetime | None
    ends_at: datetime | None
    next_opens_at: datetime | None = strawberry.field(
        resolver=lambda root: root.following, description="When the round after it opens for everybody."
    )


@shapes.shape()
class FlashSaleAvailability:
    """Whether a member can claim a unit now, and if not exactly why."""

    server_time: datetime = strawberry.field(description="The instant by which all of this was judged.")
    phase: Phase
    opens_at: datetime | None = strawberry.field(description="For whoever asks, its head start reckoned in.")
    ends_at: datetime | None
    left: int = strawberry.field(description="Units for whoever asks: in a head start, those its tier may take.")
    taken: int | None = strawberry.field(description="Units of the round that the member has; null if nobody asks.")
    can_claim: bool | None = strawberry.field(description="Null if nobody asks.")
    obstacles: list[UserError] = strawberry.field(
        description="Everything that is in the way, with its numbers; a claim would be refused with the first."
    )


@shapes.shape()
class FlashSaleHeadStart:
    """So many minutes before everybody else members of a tier may claim."""

    tier: Tier | None = shapes.linked(tiers.Tier, "tier_id")
    minutes: int


@shapes.shape()
class FlashSaleShare:
    """Units reserved for the head start of a tier; what is left of them is everybody's afterwards."""

    tier: Tier | None = shapes.linked(tiers.Tier, "tier_id")
    quantity: int


@shapes.shape()
class FlashSaleDaily:
    """Rounds on every day of a schedule, from a local time of the program on, for so many minutes."""

    schedule: Schedule
    local_time: str
    minutes: int


async def _sale_of(parent: sale.FlashSaleItem, info: Info) -> sale.FlashSale:
    found = await info.context.loaders.row(sale.FlashSale, parent.sale_id)
    assert found is not None, "an item belongs to a sale"
    return found


async def _moment(parent: sale.FlashSale, info: Info, who: Somebody | None) -> Moment:
    program = await info.context.loaders.program()
    tier_id = None if who is None else who.standing.account.tier_id
    return rounds.moment(parent, tier_id, info.context.now, program.time_zone)


async def _stocks(item: sale.FlashSaleItem, info: Info, moment: Moment) -> list[FlashSaleStock]:
    if moment.round is None:
        return []
    return await info.context.loaders.keyed(stored.stocks, (item.id, moment.round.opens_at)) or []


async def _left(parent: strawberry.Parent[sale.FlashSaleItem], info: Info) -> int:
    moment = await _moment(await _sale_of(parent, info), info, None)
    return counters.left_in_all(parent, await _stocks(parent, info, moment))


async def _availability(parent: strawberry.Parent[sale.FlashSaleItem], info: Info, for_: For = None) -> Any:
    who = await standings.somebody(info.context, for_)
    of_sale = await _sale_of(parent, info)
    moment = await _moment(of_sale, info, who)
    tier_id = None if who is None else who.standing.account.tier_id
    left = counters.left_for(parent, await _stocks(parent, info, moment), tier_id, moment)
    if who is None:
        return Judged(server_time=info.context.now, moment=moment, left=left)
    taken = await _taken(parent, info, who.id, moment)
    asking = claiming.Asking(standing=who.standing, moment=moment, left=left, taken=taken)
    refusals = tuple(claiming.obstacles(of_sale, parent, asking))
    return Judged(server_time=info.context.now, moment=moment, left=left, taken=taken, refusals=refusals)


async def _taken(item: sale.FlashSaleItem, info: Info, member_id: UUID, moment: Moment) -> int:
    if moment.round is None:
        return 0
    return await info.context.loaders.keyed(stored.taken, (member_id, item.id, moment.round.opens_at)) or 0


@shapes.shape(sale.FlashSaleItem)
class FlashSaleItem(shapes.Node):
    """What a sale offers: units of a reward at a price of the sale's own. One claim takes one unit."""

    reward: Reward = shapes.linked(OfferedReward, "reward_id")
    points: scalars.Points = strawberry.field(description="The price of a unit.")
    cash: Money = moneys.field("cash_minor", description="What a unit costs in money beside its points.")
    stock: int = strawberry.field(description="Units of each round.")
    left: int = strawberry.field(
        resolver=_left, description="Units left of the round that is on, or of the next, reserved ones too."
    )
    limit_per_member: int | None = strawberry.field(description="How many of a round a member may have.")
    shares: list[FlashSaleShare]
    is_withdrawn: bool = strawberry.field(resolver=lambda root: root.is_closed)
    availability: FlashSaleAvailability = strawberry.field(
        resolver=_availability,
        description="Whether a member can claim a unit: itself, or `for` whomever the shop names.",
    )


async def _items(parent: strawberry.Parent[sale.FlashSale], info: Info) -> Any:
    found = await info.context.loaders.keyed(stored.items, parent.id) or []
    # No connection, but rows of a list all the same, of which a request may have so many in all.
    info.context.take_nodes(len(found))
    return found


async def _round(parent: strawberry.Parent[sale.FlashSale], info: Info, for_: For = None) -> Any:
    who = await standings.somebody(info.context, for_)
    moment = await _moment(parent, info, who)
    tier_id = None if who is None else who.standing.account.tier_id
    left = 0
    if moment.is_on:
        items = await info.context.loaders.keyed(stored.items, parent.id) or []
        shelves = await asyncio.gather(*(_stocks(item, info, moment) for item in items))
        left = sum(counters.left_for(*pair, tier_id, moment) for pair in zip(items, shelves, strict=True))
    following = None
    if moment.round is not None:
        program = await info.context.loaders.program()
        following = rounds.next_round(parent, moment.round.opens_at, program.time_zone)
    opens_at = None if following is None else following.opens_at
    return Judged(server_time=info.context.now, moment=moment, left=left, following=opens_at)


async def _reminder(parent: strawberry.Parent[sale.FlashSale], info: Info, for_: For = None) -> Any:
    who = await standings.somebody(info.context, for_)
    return None if who is None else await info.context.loaders.keyed(stored.reminded, (who.id, parent.id))


@shapes.shape(sale.FlashSale)
class FlashSale(shapes.Node):
    """A timed scarce offer: one round from `startsAt` until before `endsAt`, or within that the rounds of `daily`."""

    code: str = strawberry.field(description="The shop's own name for it, unique in the program.")
    name: str
    description: str | None
    audience: Audience = strawberry.field(description="Whom it is for.")
    starts_at: datetime
    ends_at: datetime
    daily: FlashSaleDaily | None
    head_starts: list[FlashSaleHeadStart]
    pay_minutes: int = strawberry.field(description="Within how many minutes the money of a claim must be paid.")
    is_active: bool
    items: list[FlashSaleItem] = strawberry.field(resolver=_items, description="What it offers, in its order.")
    round: FlashSaleRound = strawberry.field(
        resolver=_round, description="What it is now to whoever asks: itself, or `for` whomever the shop names."
    )
    reminder_minutes: int | None = strawberry.field(
        resolver=_reminder,
        description="How many minutes before a round the member is told of it; null if it did not ask to be.",
    )
