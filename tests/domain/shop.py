"""A shop to test with: a `Memory` with a program in it, and short words for what a shop does."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.activities import ActivityResult, RecordActivity, ReverseActivity
from domain.campaigns import Edited, EditRules
from domain.earning.grants import Grant
from domain.earning.limits import CampaignBudget, EarningCount
from domain.earning.rules import ONE_POINT_A_UNIT, Band, Campaign, EarningKind, EarningRule
from domain.enrollments import EnrollMember
from domain.members import Profile
from domain.points import commands, replay
from domain.points.account import LotDraw, PointsAccount, Shortfall
from domain.programs import CreateProgram, Program, ProgramSettings, UpdateProgram
from domain.purchases.paying import Line, Offset
from domain.purchases.purchase import Purchase
from domain.purchases.recording import Recorded, RecordPurchase
from domain.purchases.refund import LineAmount, PurchaseRef, Refunded, RefundPurchase
from domain.redemptions.ending import CancelRedemption
from domain.redemptions.placing import RedeemReward
from domain.redemptions.redemption import Redeemed
from domain.rewards.commands import CreateReward
from domain.rewards.reward import Reward
from tests.domain.memory import PROGRAM_ID, START, Memory, ref

SHANGHAI: Final = "Asia/Shanghai"


def per_amount(points: int, amount_minor: int, code: str = "base", **more: Any) -> EarningRule:
    """`points` for every `amount_minor` of the basis."""
    return EarningRule(code=code, kind=EarningKind.PER_AMOUNT, points=points, amount_minor=amount_minor, **more)


def bonus_at(amount_minor: int, points: int, code: str = "bonus", **more: Any) -> EarningRule:
    """`points` once, from `amount_minor` on."""
    return EarningRule(code=code, kind=EarningKind.BONUS_AT, points=points, amount_minor=amount_minor, **more)


def fixed(points: int, code: str = "fixed", **more: Any) -> EarningRule:
    """`points` each time."""
    return EarningRule(code=code, kind=EarningKind.FIXED, points=points, **more)


def times(multiplier_bp: int, code: str = "double", **more: Any) -> EarningRule:
    """What is given on the amount, times a factor in basis points."""
    return EarningRule(code=code, kind=EarningKind.MULTIPLIER, multiplier_bp=multiplier_bp, **more)


def tiered(*bands: tuple[int, int, int], code: str = "tiered", **more: Any) -> EarningRule:
    """By bands: from an amount on, so many points for every other amount."""
    told = tuple(Band(from_minor=start, points=points, amount_minor=amount) for start, points, amount in bands)
    return EarningRule(code=code, kind=EarningKind.TIERED, bands=told, **more)


def local(told: str, zone_name: str = "Asia/Shanghai") -> datetime:
    """An instant by the clock of a zone: `local("2026-03-01 08:00")`."""
    return datetime.fromisoformat(told).replace(tzinfo=ZoneInfo(zone_name)).astimezone(UTC)


def campaign(code: str = "spring", first: str = "2026-01-01", until: str = "2026-07-01", **more: Any) -> Campaign:
    """A campaign from one local midnight of Shanghai to another."""
    told = {"name": code.title(), "starts_at": local(first), "ends_at": local(until), **more}
    return Campaign(code=code, **told)


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
        """Change settings, and replace the rules if they are told."""
        program = self.run(UpdateProgram(settings=ProgramSettings(**settings)))
        return program if rules is None else self.edit(rules=tuple(rules), replaces=True).program

    def edit(self, **edits: Any) -> Edited:
        """Edit rules and campaigns."""
        return self.run(EditRules(**edits))

    def enroll(self, points: int = 0) -> UUID:
        """A new member, with `points` that staff gave it."""
        enrolled = self.run(EnrollMember(profile=Profile(external_id=f"member-{self.number}")))
        if points:
            self.adjust(enrolled.member.id, points)
        return enrolled.member.id

    def join(self, **profile: Any) -> UUID:
        """A new member of this profile."""
        told: dict[str, Any] = {"external_id": f"member-{self.number}", **profile}
        return self.run(EnrollMember(profile=Profile(**told))).member.id

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

    def act(self, member_id: UUID, kind: str = "review", external_id: str | None = None, **more: Any) -> ActivityResult:
        """Something a member did, under the next number."""
        self.orders += 1
        told = external_id or f"activity-{self.orders}"
        return self.run(RecordActivity(member=ref(member_id), type=kind, external_id=told, **more))

    def reverse(self, done: ActivityResult) -> ActivityResult:
        return self.run(ReverseActivity(activity_id=done.activity.id, reason="deleted"))

    def counted(self, member_id: UUID) -> dict[tuple[str, str, str], tuple[int, int]]:
        """What is counted under caps: points and times by rule, period and its first day."""
        return {
            (row.rule, row.period.value, str(row.starts_on)): (row.points, row.times)
            for row in self._of_member(EarningCount, member_id)
        }

    def budget_used(self, code: str = "spring") -> int:
        """What a campaign's rules have given."""
        return sum(row.points for row in self.state.rows(CampaignBudget) if row.campaign == code)

    def grant(self, member_id: UUID) -> Grant:
        """What a member was given for joining."""
        return self.row(Grant, member_id)

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
