"""A shop floor with flash sales: short words for sales, claims and what is left."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from domain.claims import Claim, FlashSaleHold, FlashSaleStock, stock_id
from domain.flash_sales import counters, rounds
from domain.flash_sales.claiming import Claimed, ClaimFlashSale
from domain.flash_sales.commands import ItemTerms, SaveFlashSale
from domain.flash_sales.ending import LapseClaim, PayClaim, ReleaseClaim
from domain.flash_sales.sale import FlashSale, FlashSaleItem
from domain.points.tiers import SetTier
from domain.redemptions.ending import CancelRedemption
from domain.redemptions.redemption import Redeemed, Redemption
from domain.rewards.reward import Reward
from domain.tiers.tier import CreateTier
from tests.domain.mall import Mall
from tests.domain.memory import START, ref

UNTIL = date(2026, 12, 31)
HOUR = timedelta(hours=1)
OPENS = START + HOUR
ENDS = OPENS + HOUR


class Floor(Mall):
    """A mall that sells in a flash, from one hour after the start for an hour, unless it is told otherwise."""

    def tier(self, name: str, rank: int) -> UUID:
        return self.run(CreateTier(name=name, rank=rank, threshold=rank * 10**6)).id

    def member_of(self, tier_id: UUID | None, points: int = 1_000) -> UUID:
        member_id = self.enroll(points)
        if tier_id is not None:
            self.run(SetTier(member=ref(member_id), tier_id=tier_id, until=UNTIL, reason="test"))
        return member_id

    def save(self, *items: ItemTerms, **told: Any) -> FlashSale:
        given: dict[str, Any] = {"code": "thursday", "name": "Thursday", "starts_at": OPENS, "ends_at": ENDS, **told}
        return self.run(SaveFlashSale(items=items, **given))

    def terms_of(self, reward: Reward | None = None, **told: Any) -> ItemTerms:
        """An item: 100 points, ten units, unless it is told otherwise."""
        offered = reward or self.reward(1)
        return ItemTerms(**{"reward_id": offered.id, "points": 100, "stock": 10, **told})

    def offer(self, reward: Reward | None = None, **told: Any) -> FlashSaleItem:
        """The only item of a new sale; what is told is the item's, or the sale's if only a sale has it."""
        of_sale = {name: told.pop(name) for name in tuple(told) if name in SaveFlashSale.__dataclass_fields__}
        sale = self.save(self.terms_of(reward, **told), **{"code": f"sale-{self.number}", **of_sale})
        (item,) = self.items(sale)
        return item

    def items(self, sale: FlashSale) -> list[FlashSaleItem]:
        return sorted(self.state.all(FlashSaleItem, of=sale.id), key=lambda item: item.position)

    def sale_of(self, item: FlashSaleItem) -> FlashSale:
        return self.row(FlashSale, item.sale_id)

    def open(self) -> None:
        """Let it be a minute after the opening."""
        self.now = OPENS + timedelta(minutes=1)

    def claim(self, member_id: UUID, item: FlashSaleItem, **told: Any) -> Claimed:
        return self.run(ClaimFlashSale(member=ref(member_id), item_id=item.id, **told))

    def pay_claim(self, claimed: Claimed, amount_minor: int | None = None, reference: str = "pay-1") -> Claimed:
        claim = claimed.claim
        amount = claim.cash_minor if amount_minor is None else amount_minor
        return self.run(PayClaim(claim_id=claim.id, amount_minor=amount, currency_code="CNY", reference=reference))

    def release_claim(self, claimed: Claimed, **told: Any) -> Claimed:
        return self.run(ReleaseClaim(claim_id=claimed.claim.id, **told))

    def lapse_claim(self, claimed: Claimed) -> Claimed:
        return self.run(LapseClaim(claim_id=claimed.claim.id))

    def redemption_of(self, claimed: Claimed) -> Redemption:
        redemption_id = self.row(Claim, claimed.claim.id).redemption_id
        assert redemption_id is not None
        return self.row(Redemption, redemption_id)

    def cancel_of(self, claimed: Claimed) -> Redeemed:
        redemption_id = self.redemption_of(claimed).id
        return self.run(CancelRedemption(redemption_id=redemption_id, reason="changed my mind"))

    def stock(self, item: FlashSaleItem, tier_id: UUID | None = None, opens_at: Any = OPENS) -> tuple[int, int, int]:
        """What of a round's stock is sold, held and left; all of it before anybody claimed."""
        found = self.state.find(FlashSaleStock, stock_id(item.id, opens_at, tier_id))
        if found is None:
            return 0, 0, item.allotments()[tier_id]
        assert found.sold + found.held + found.left == found.total
        return found.sold, found.held, found.left

    def left_for(self, member_id: UUID, item: FlashSaleItem) -> int:
        """How many are left for a member now, as a read would tell it: what lapsed is put back."""
        tier_id = self.account(member_id).tier_id
        moment = rounds.moment(self.sale_of(item), tier_id, self.now, self.program.time_zone)
        stocks = [
            stock.given_back(sum(hold.lapses_at <= self.now for hold in self.state.all(FlashSaleHold, of=stock.id)))
            for stock in self.state.rows(FlashSaleStock)
            if moment.round is not None and (stock.item_id, stock.opens_at) == (item.id, moment.round.opens_at)
        ]
        return counters.left_for(item, stocks, tier_id, moment)

    def terms_again(self, item: FlashSaleItem, **told: Any) -> ItemTerms:
        """An item as it was told, with changes."""
        before = ItemTerms(
            reward_id=item.reward_id,
            points=item.points,
            stock=item.stock,
            cash_minor=item.cash_minor,
            limit_per_member=item.limit_per_member,
            shares=item.shares,
        )
        return replace(before, **told)

    def save_again(self, item: FlashSaleItem, *terms: ItemTerms, **told: Any) -> FlashSale:
        """The sale of an item, told once more with changes."""
        sale = self.sale_of(item)
        kept = ("code", "name", "starts_at", "ends_at", "daily", "head_starts", "audience", "pay_minutes", "is_active")
        given = {name: getattr(sale, name) for name in kept}
        return self.save(*(terms or (self.terms_again(item),)), **(given | told))
