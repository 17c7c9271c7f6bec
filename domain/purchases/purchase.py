"""A purchase: what was paid, what it earned, by which rules and facts; and what of it counts for what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.earning.facts import BasisLine, Earned, Facts, Occasion
from domain.earning.rules import Trigger
from domain.kernel import Row
from domain.points.qualifying import Qualified
from domain.stores import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseLine:
    """A line of a purchase. `amount_minor` is its value after discounts and before points were used as money.

    `offset_minor` of it was covered by `points`; both are frozen with the purchase, so that refunds
    split exactly (L9). `discount_minor` is what vouchers took off before (C4).
    """

    number: int
    product_id: str | None = None
    name: str | None = None
    category: str | None = None
    quantity: int = 1
    amount_minor: int
    earns: bool = True
    offset_minor: int = 0
    points: int = 0
    discount_minor: int = 0

    @property
    def paid_minor(self) -> int:
        """What was paid in money."""
        return self.amount_minor - self.offset_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase(Row):
    """An order paid at a store. `external_id` is the shop's order number, unique in the program (L11).

    `amount_minor` is the value of all lines and freight, after discounts and vouchers; `offset_minor`
    of it was covered by `points_spent`. Rule version, facts, tier and its benefits are those at the
    time of the purchase, by which refunds reckon (L7, K4); `earned` is what each rule gave.
    """

    keys: ClassVar[tuple[str, ...]] = ("external_id",)

    member_id: UUID
    external_id: str
    store_id: UUID | None = None
    channel: Channel
    amount_minor: int
    freight_minor: int = 0
    offset_minor: int = 0
    lines: tuple[PurchaseLine, ...]
    # The vouchers that were used, and what they took off: off the lines, and off the freight.
    voucher_ids: tuple[UUID, ...] = ()
    discount_minor: int = 0
    freight_discount_minor: int = 0
    points_spent: int = 0
    # The CAPTURE whose lots a refund returns points to.
    spending_id: UUID | None = None
    rule_version: int
    tier_id: UUID | None = None
    multiplier_bp: int
    discount_bp: int = 0
    # What else the rules of this version ask of the member, as it was then; None if they ask nothing.
    facts: Facts | None = None
    earned: tuple[Earned, ...] = ()
    points_earned: int
    # The first EARN transaction, which clawbacks name; None if nothing was earned.
    earning_id: UUID | None = None
    refunded_minor: int = 0
    points_clawed: int = 0
    points_returned: int = 0
    # The referral that this purchase qualified, which a refund takes back.
    referral_id: UUID | None = None
    confirmed_at: datetime | None = None
    occurred_at: datetime
    recorded_at: datetime
    actor: str


def basis_of(lines: Sequence[PurchaseLine]) -> tuple[BasisLine, ...]:
    """What lines earn on: the money paid for those that earn (L6)."""
    return tuple(
        BasisLine(
            paid_minor=line.paid_minor, product_id=line.product_id, category=line.category, quantity=line.quantity
        )
        for line in lines
        if line.earns
    )


def paid_minor(lines: Sequence[PurchaseLine]) -> int:
    """What was paid in money for goods, whether or not they earn."""
    return sum(line.paid_minor for line in lines)


def counted(lines: Sequence[PurchaseLine]) -> Qualified:
    """What a purchase of these lines counts for tiers: the money paid for what earns, and itself if it is any (K1)."""
    spend_minor = sum(line.paid_minor for line in lines if line.earns)
    return Qualified(spend_minor=spend_minor, purchases=1 if spend_minor else 0)


def occasion_of(purchase: Purchase, time_zone: str, lines: Sequence[PurchaseLine], freight_minor: int) -> Occasion:
    """A recorded purchase, or what remains of it, as its rules look at it (L7).

    `time_zone` is the program's today; that of the purchase goes before it.
    """
    return Occasion(
        trigger=Trigger.PURCHASE,
        occurred_at=purchase.occurred_at,
        time_zone=facts_of(purchase).time_zone or time_zone,
        lines=basis_of(lines),
        freight_minor=freight_minor,
        store_id=purchase.store_id,
        channel=purchase.channel,
    )


def facts_of(purchase: Purchase) -> Facts:
    """The member as it was at a purchase (K4)."""
    if purchase.facts is not None:
        return purchase.facts
    return Facts(tier_id=purchase.tier_id, multiplier_bp=purchase.multiplier_bp)
