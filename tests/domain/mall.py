"""A shop with a mall: short words for vouchers, stores and quotes."""

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from domain import stores, trade
from domain.checkout import Choice, Quote, quote
from domain.kernel import derived_id
from domain.members import Profile
from domain.offsets import HoldOffset, Offset, Offsetting, default_policy
from domain.points.account import PointsAccount
from domain.profiles import UpdateMember
from domain.purchases.paying import Line
from domain.purchases.recording import Recorded
from domain.redemptions import ending
from domain.redemptions.placing import RedeemReward
from domain.redemptions.redemption import Delivery, Redeemed
from domain.rewards.commands import RewardTerms
from domain.rewards.reward import Reward
from domain.rewards.stock import RewardStock
from domain.vouchers import commands, pool, template
from domain.vouchers.discounts import Candidate, Cart, CartLine
from domain.vouchers.pool import Supply, VoucherPool
from domain.vouchers.template import VoucherKind, VoucherTemplate, VoucherTerms
from domain.vouchers.using import candidate_of
from domain.vouchers.voucher import Voucher
from tests.domain.memory import PROGRAM_ID, ref
from tests.domain.shop import Shop

TEN_OFF: Final = VoucherTerms(kind=VoucherKind.AMOUNT_OFF, amount_minor=1_000)
# 100 points = 10 yuan.
POINT_VALUE_BP: Final = 100_000


def percent(percent_bp: int, **more: Any) -> VoucherTerms:
    return VoucherTerms(kind=VoucherKind.PERCENT_OFF, percent_bp=percent_bp, **more)


def off(amount_minor: int, **more: Any) -> VoucherTerms:
    return VoucherTerms(kind=VoucherKind.AMOUNT_OFF, amount_minor=amount_minor, **more)


def cart(*amounts: int, freight: int = 0) -> Cart:
    """A cart of lines without products."""
    return Cart(lines=tuple(CartLine(amount_minor=amount) for amount in amounts), freight_minor=freight)


class Mall(Shop):
    """A shop with rewards, vouchers and stores."""

    def store(self, code: str = "S1", **more: Any) -> stores.Store:
        return self.run(stores.CreateStore(code=code, name=f"Store {code}", **more))

    def terms(self, points: int, stock: int | None = None, **told: Any) -> Reward:
        """A reward with other terms."""
        return self.reward(points, stock=stock, terms=RewardTerms(**told))

    def cash_terms(self, cash_minor: int) -> RewardTerms:
        return RewardTerms(cash_minor=cash_minor)

    def tagged(self, points: int, *tags: str) -> UUID:
        member = self.enroll(points)
        self.retag(member, *tags)
        return member

    def retag(self, member: UUID, *tags: str) -> None:
        self.run(UpdateMember(member=ref(member), profile=Profile(tags=tags)))

    def take(self, member: UUID, reward: Reward, quantity: int = 1, **more: Any) -> Redeemed:
        return self.run(RedeemReward(member=ref(member), reward_id=reward.id, quantity=quantity, **more))

    def picking_up(self, member: UUID, reward: Reward, delivery: Delivery, quantity: int = 1) -> Redeemed:
        return self.take(member, reward, quantity, delivery=delivery)

    def left(self, reward: Reward) -> int | None:
        return self.row(RewardStock, reward.id).left

    def pay(self, redeemed: Redeemed, amount_minor: int | None = None, reference: str = "pay-1") -> Redeemed:
        redemption = redeemed.redemption
        amount = redemption.cash_minor if amount_minor is None else amount_minor
        return self.run(
            ending.PayRedemption(
                redemption_id=redemption.id, amount_minor=amount, currency_code="CNY", reference=reference
            )
        )

    def lapse(self, redeemed: Redeemed) -> Redeemed:
        return self.run(ending.LapseRedemption(redemption_id=redeemed.redemption.id))

    def end(self, command: type[Any], redeemed: Redeemed, **told: Any) -> Redeemed:
        result: Redeemed = self.run(command(redemption_id=redeemed.redemption.id, **told))
        return result

    # Vouchers.

    def template(self, terms: VoucherTerms = TEN_OFF, **more: Any) -> VoucherTemplate:
        return self.run(template.CreateVoucherTemplate(code=f"template-{self.number}", name="Off", terms=terms, **more))

    def pool(self, terms: VoucherTerms = TEN_OFF, supply: Supply = Supply.ON_DEMAND, **more: Any) -> VoucherPool:
        """A pool of a new template; `limit` is the template's."""
        limit = more.pop("limit", None)
        made = self.template(terms, limit_per_member=limit)
        return self.run(pool.CreateVoucherPool(template_id=made.id, name="Pool", supply=supply, **more))

    def stocked(self, count: int, terms: VoucherTerms = TEN_OFF, supply: Supply = Supply.STOCK) -> VoucherPool:
        made = self.pool(terms, supply)
        return self.run(pool.GenerateVoucherCodes(pool_id=made.id, count=count)).pool

    def grant(self, member: UUID, source: VoucherPool | VoucherTerms = TEN_OFF, **more: Any) -> Voucher:
        given = source if isinstance(source, VoucherPool) else self.pool(source)
        return self.run(commands.GrantVoucher(pool_id=given.id, member=ref(member), **more)).voucher

    def lock(self, voucher: Voucher, reference: str = "o-1", **more: Any) -> Voucher:
        return self.run(commands.LockVoucher(code=voucher.code, reference=reference, **more)).voucher

    def voucher(self, known: Voucher) -> Voucher:
        return self.row(Voucher, known.id)

    def candidate(self, known: Voucher) -> Candidate:
        return candidate_of(known, self.row(VoucherTemplate, known.template_id).terms)

    # Money.

    def offsetting(self, member: UUID, **policy: Any) -> Offsetting:
        account: PointsAccount = self.account(member)
        return Offsetting(
            policy=self.policy(**policy), point_value_bp=self.program.point_value_bp, available=account.available
        )

    def policy(self, **told: Any) -> Any:
        return replace(default_policy(PROGRAM_ID), **told)

    def quote(self, member: UUID, told: Cart, *vouchers: Voucher, points: int = 0, is_best: bool = True) -> Quote:
        candidates = tuple(self.candidate(known) for known in vouchers)
        choice = Choice(candidates=candidates, is_best=is_best, points=points)
        return quote(told, choice, self.offsetting(member), self.now)

    def hold_offset(self, member: UUID, quoted: Quote, **more: Any) -> Offset:
        told: dict[str, Any] = {
            "quote_id": derived_id(member, f"quote {self.number}"),
            "member": ref(member),
            "points": quoted.points,
            "amount_minor": quoted.offset_minor,
            "bill": quoted.bill,
            "fingerprint": quoted.fingerprint,
            "quoted_until": quoted.expires_at,
        }
        return self.run(HoldOffset(**(told | more)))

    def buy_quoted(self, member: UUID, quoted: Quote, told: Cart, **more: Any) -> Recorded:
        """Record the purchase of a quote, as a shop would."""
        lines = tuple(
            Line(
                amount_minor=line.amount_minor - line.discount_minor,
                discount_minor=line.discount_minor,
                product_id=sold.product_id,
                category=sold.category,
                quantity=sold.quantity,
            )
            for line, sold in zip(quoted.lines, told.lines, strict=True)
        )
        freight = quoted.freight_minor - quoted.freight_discount_minor
        amount = sum(line.amount_minor for line in lines) + freight
        given: dict[str, Any] = {
            "lines": lines,
            "freight_minor": freight,
            "freight_discount_minor": quoted.freight_discount_minor,
            "voucher_codes": tuple(taken.candidate.code for taken in quoted.combination.taken),
        }
        return self.buy(member, amount, **(given | more))

    def rule(self, kind: trade.TradeKind, effect: trade.TradeEffect, **more: Any) -> trade.TradeRule:
        return self.run(trade.CreateTradeRule(kind=kind, effect=effect, **more))
