"""What is told of flash sales and claims, and the commands that it makes."""

from datetime import datetime

import strawberry

from api import ids, inputs, scalars, shapes
from api.context import Context
from api.earning import AudienceInput
from api.inputs import MemberRefInput, MoneyInput
from api.schedules import ScheduleInput
from domain import audiences
from domain.flash_sales import claiming, commands, ending, reminders, sale
from domain.stores import Channel


@shapes.given()
class FlashSaleHeadStartInput:
    """So many minutes (at most 10,080) before everybody else members of a tier may claim."""

    tier_id: strawberry.ID
    minutes: int

    def head_start(self) -> sale.HeadStart:
        """The head start for the domain. Refuses an id that is none of a tier."""
        return sale.HeadStart(tier_id=ids.require("Tier", self.tier_id, "headStarts.tierId"), minutes=self.minutes)


@shapes.given()
class FlashSaleShareInput:
    """Units of each round that are reserved for the head start of a tier."""

    tier_id: strawberry.ID
    quantity: int

    def share(self) -> sale.Share:
        """The share for the domain. Refuses an id that is none of a tier."""
        return sale.Share(tier_id=ids.require("Tier", self.tier_id, "items.shares.tierId"), quantity=self.quantity)


@shapes.given()
class FlashSaleDailyInput:
    """Rounds on every day of a schedule: from a local time such as 20:00 on, for 1 to 1,440 minutes."""

    schedule: ScheduleInput
    local_time: str
    minutes: int

    def daily(self) -> sale.Daily:
        """The rounds for the domain."""
        return sale.Daily(schedule=self.schedule.schedule(), local_time=self.local_time, minutes=self.minutes)


@shapes.given()
class FlashSaleItemInput:
    """A reward to offer: what a unit costs, how many units a round has, and how many of them a member may have."""

    reward_id: strawberry.ID
    points: scalars.Points
    cash: MoneyInput | None = None
    stock: int
    limit_per_member: int | None = None
    shares: list[FlashSaleShareInput] | None = inputs.bounded(sale.TIERS_MAX, default=None)

    def terms(self, context: Context) -> commands.ItemTerms:
        """The item for the domain. Refuses malformed ids and another currency than the program's."""
        return commands.ItemTerms(
            reward_id=ids.require("Reward", self.reward_id, "items.rewardId"),
            points=self.points,
            cash_minor=0 if self.cash is None else self.cash.minor(context, "items.cash"),
            stock=self.stock,
            limit_per_member=self.limit_per_member,
            shares=tuple(share.share() for share in self.shares or ()),
        )


@shapes.given()
class FlashSaleSaveInput(inputs.RepeatableInput):
    """A sale to make, or to put in place of the one with its code, as a whole; what is not told any more is withdrawn.

    One round from `startsAt` until before `endsAt`, or with `daily` many within them. `payMinutes` is from 1 to 1,440.
    """

    code: str
    name: str
    description: str | None = None
    audience: AudienceInput | None = None
    starts_at: datetime
    ends_at: datetime
    daily: FlashSaleDailyInput | None = None
    head_starts: list[FlashSaleHeadStartInput] | None = inputs.bounded(sale.TIERS_MAX, default=None)
    pay_minutes: int = 15
    is_active: bool = True
    items: list[FlashSaleItemInput] = inputs.bounded(sale.ITEMS_MAX)

    def command(self, context: Context) -> commands.SaveFlashSale:
        """The command for the domain. Refuses malformed ids and another currency than the program's."""
        return commands.SaveFlashSale(
            code=self.code,
            name=self.name,
            description=self.description,
            audience=audiences.EVERYBODY if self.audience is None else self.audience.audience("audience"),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            daily=None if self.daily is None else self.daily.daily(),
            head_starts=tuple(start.head_start() for start in self.head_starts or ()),
            pay_minutes=self.pay_minutes,
            is_active=self.is_active,
            items=tuple(item.terms(context) for item in self.items),
        )


@shapes.given()
class FlashSaleClaimInput(inputs.KeyedInput):
    """The item to claim a unit of. A member leaves `member` out and claims for itself."""

    member: MemberRefInput | None = None
    item_id: strawberry.ID
    channel: Channel = Channel.ONLINE
    store_id: strawberry.ID | None = None

    def command(self, context: Context) -> claiming.ClaimFlashSale:
        """The command for the domain. Refuses malformed ids."""
        return claiming.ClaimFlashSale(
            member=inputs.member(context, self.member),
            item_id=ids.require("FlashSaleItem", self.item_id, "itemId"),
            channel=self.channel,
            store_id=ids.optional("Store", self.store_id, "storeId"),
        )


@shapes.given()
class FlashSaleClaimPayInput(inputs.KeyedInput):
    """The money that was due, and the shop's own reference of the payment: the same one pays once."""

    claim_id: strawberry.ID
    amount: MoneyInput
    reference: str

    def command(self, context: Context) -> ending.PayClaim:
        """The command for the domain. Refuses an id that is none of a claim, and another currency."""
        return ending.PayClaim(
            claim_id=ids.require("Claim", self.claim_id, "claimId"),
            amount_minor=self.amount.minor(context, "amount"),
            currency_code=self.amount.currency_code,
            reference=self.reference,
        )


@shapes.given()
class FlashSaleClaimReleaseInput(inputs.KeyedInput):
    """A claim to give up that is not paid yet. A member gives up its own."""

    claim_id: strawberry.ID

    def command(self, context: Context) -> ending.ReleaseClaim:
        """The command for the domain. Refuses an id that is none of a claim."""
        claim_id = ids.require("Claim", self.claim_id, "claimId")
        return ending.ReleaseClaim(claim_id=claim_id, member_id=context.caller.member_id)


@shapes.given()
class FlashSaleRemindInput(inputs.RepeatableInput):
    """A sale to be reminded of: so many minutes (0 to 10,080) before each round opens for the member, or no longer."""

    member: MemberRefInput | None = None
    flash_sale_id: strawberry.ID
    minutes: int = 10
    is_wanted: bool = True

    def command(self, context: Context) -> reminders.RemindOfFlashSale:
        """The command for the domain. Refuses an id that is none of a sale."""
        return reminders.RemindOfFlashSale(
            member=inputs.member(context, self.member),
            sale_id=ids.require("FlashSale", self.flash_sale_id, "flashSaleId"),
            minutes=self.minutes,
            is_wanted=self.is_wanted,
        )
