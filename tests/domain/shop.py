"""A shop to test with: a `Memory` with a program in it, and short words for what a shop does."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from domain.earning import ONE_POINT_A_UNIT, EarningKind, EarningRule
from domain.enrollments import EnrollMember
from domain.members import Profile
from domain.points import commands, replay
from domain.points.account import LotDraw, PointsAccount, Shortfall
from domain.programs import CreateProgram, Program, ProgramSettings, UpdateProgram
from domain.purchases.purchase import Line, Offset, Purchase, Recorded, RecordPurchase
from domain.purchases.refund import LineAmount, PurchaseRef, Refunded, RefundPurchase
from domain.redemptions import CancelRedemption, Redeemed, RedeemReward
from domain.rewards import CreateReward, Reward
from tests.domain.memory import PROGRAM_ID, START, Memory, ref

SHANGHAI: Final = "Asia/Shanghai"


def per_amount(points: int, amount_minor: int, **more: Any) -> EarningRule:
    """`points` for every `amount_minor` of the basis."""
    return EarningRule(code="base", kind=EarningKind.PER_AMOUNT, points=points, amount_minor=amount_minor, **more)


def bonus_at(amount_minor: int, points: int) -> EarningRule:
    """`points` once, from `amount_minor` on."""
    return EarningRule(code="bonus", kind=EarningKind.BONUS_AT, points=points, amount_minor=amount_minor)


class Shop(Memory):
    """A program with one point a yuan and whatever settings a test needs."""

    def __init__(
        self,
        *,
        rules: Sequence[EarningRule] = ONE_POINT_A_UNIT,
        time_zone: str = SHANGHAI,
        now: datetime = START,
        **settings: Any,
    ) -> None:
        super().__init__(now)
        self.orders = 0
        self.run(
            CreateProgram(
                program_id=PROGRAM_ID,
                name="Tea house",
                currency_code="CNY",
                time_zone=time_zone,
                settings=ProgramSettings(**settings),
                rules=tuple(rules),
            )
        )

    @property
    def program(self) -> Program:
        return self.row(Program, PROGRAM_ID)

    def update(self, *, rules: Sequence[EarningRule] | None = None, **settings: Any) -> Program:
        told = None if rules is None else tuple(rules)
        return self.run(UpdateProgram(settings=ProgramSettings(**settings), rules=told))

    def enroll(self, points: int = 0) -> UUID:
        """A new member, with `points` that staff gave it."""
        enrolled = self.run(EnrollMember(profile=Profile(external_id=f"member-{self.number}")))
        if points:
            self.adjust(enrolled.member.id, points)
        return enrolled.member.id

    def adjust(self, member_id: UUID, points: int) -> commands.Moved:
        return self.run(commands.AdjustPoints(member=ref(member_id), points=points, reason="test"))

    def buy(self, member_id: UUID, amount_minor: int, **more: Any) -> Recorded:
        """A purchase under the next order number. `offset=(hold_id, amount_minor)` pays with points."""
        self.orders += 1
        if "offset" in more:
            hold_id, covered = more.pop("offset")
            more["offset"] = Offset(hold_id=hold_id, amount_minor=covered)
        if "lines" in more:
            more["lines"] = tuple(
                line if isinstance(line, Line) else Line(amount_minor=line) for line in more.pop("lines")
            )
        told: dict[str, Any] = {
            "external_id": f"order-{self.orders}",
            "currency_code": "CNY",
            "amount_minor": amount_minor,
            **more,
        }
        return self.run(RecordPurchase(member=ref(member_id), **told))

    def earn(self, member_id: UUID, points: int, *, days_ago: int) -> None:
        """Buy for so many yuan, so many days ago."""
        self.buy(member_id, points * 100, occurred_at=self.now - timedelta(days=days_ago))

    def refund(self, purchase: Purchase, amount_minor: int | None = None, **more: Any) -> Refunded:
        """A refund under the next number. `lines={1: 500}` names lines."""
        self.orders += 1
        if "lines" in more:
            lines = more.pop("lines").items()
            more["lines"] = tuple(LineAmount(number=number, amount_minor=amount) for number, amount in lines)
        told: dict[str, Any] = {"external_id": f"refund-{self.orders}", "amount_minor": amount_minor, **more}
        return self.run(RefundPurchase(purchase=PurchaseRef(id=purchase.id), **told))

    def hold(self, member_id: UUID, points: int, minutes: int | None = None) -> commands.Held:
        return self.run(commands.HoldPoints(member=ref(member_id), points=points, minutes=minutes))

    def capture(self, hold_id: UUID, points: int | None = None) -> commands.Held:
        return self.run(commands.CaptureHold(hold_id=hold_id, points=points))

    def release(self, hold_id: UUID) -> commands.Held:
        return self.run(commands.ReleaseHold(hold_id=hold_id))

    def transfer(self, sender: UUID, recipient: UUID, points: int) -> commands.Transferred:
        return self.run(commands.TransferPoints(sender=ref(sender), recipient=ref(recipient), points=points))

    def freeze(self, member_id: UUID, *, is_frozen: bool = True) -> PointsAccount:
        return self.run(commands.FreezeMember(member=ref(member_id), is_frozen=is_frozen, reason="test"))

    def settle(self, member_id: UUID) -> PointsAccount:
        return self.run(commands.SettleAccount(member_id=member_id))

    def reward(self, points: int, **more: Any) -> Reward:
        code = f"reward-{self.number}"
        return self.run(CreateReward(code=code, name="Cup", points=points, **more)).reward

    def redeem(self, member_id: UUID, reward: Reward, quantity: int = 1) -> Redeemed:
        return self.run(RedeemReward(member=ref(member_id), reward_id=reward.id, quantity=quantity))

    def spend(self, member_id: UUID, points: int) -> Redeemed:
        """Redeem a new reward that costs `points`."""
        return self.redeem(member_id, self.reward(points))

    def cancel(self, redeemed: Redeemed) -> Redeemed:
        return self.run(CancelRedemption(redemption_id=redeemed.redemption.id, reason="changed my mind"))

    def replay(self, member_id: UUID) -> replay.Replayed:
        """Rebuild a member from empty, and prove that it is what is stored (L2)."""
        lots, shortfalls = self.lots(member_id), self.shortfalls(member_id)
        transactions = self.transactions(member_id)
        made = {transaction.id for transaction in transactions}
        draws = [draw for draw in self.state.rows(LotDraw) if draw.transaction_id in made]
        replayed = replay.replay(transactions, draws, lots, shortfalls)
        assert replay.differences(self.account(member_id), lots, shortfalls, replayed) == ()
        return replayed

    def shortfall(self, member_id: UUID) -> Shortfall:
        """The one shortfall of a member."""
        (only,) = self.shortfalls(member_id)
        return only
