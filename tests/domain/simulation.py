"""A shop's life from a seed: commands as they would come, step by step, each from what the ones before answered.

`commands` is a generator. It yields a `Step` and is sent what became of it (a result or a `Refusal`),
so the very same life can be led in memory and on PostgreSQL: same seed, same clock, same first ids
(`memory.first_id` of the step's number), same rows in the end.
"""

import random
from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from domain.activities import ActivityResult
from domain.enrollments import EnrollMember, Enrollment
from domain.grants import Granted
from domain.kernel import Command
from domain.members import Gender, MemberRef, Profile
from domain.points import commands as moves
from domain.points.account import PointsAccount
from domain.profiles import UpdateMember
from domain.purchases.paying import Line, Offset
from domain.purchases.purchase import Purchase
from domain.purchases.recording import ConfirmPurchase, Recorded, RecordPurchase
from domain.purchases.refund import LineAmount, PurchaseRef, Refunded, RefundPurchase
from domain.redemptions.placing import RedeemReward
from domain.redemptions.redemption import Redeemed
from domain.rewards.commands import UpdateReward
from domain.stores import Channel
from tests.domain import simulated_mall, simulated_settings
from tests.domain.memory import START
from tests.domain.simulated_deeds import Deeds
from tests.domain.simulated_mall import Person
from tests.domain.simulated_rules import CATEGORIES, TAGS

# How many members are busy at a time, and for how many commands: a life has regulars.
FOCUS_MEMBERS: Final = 12
FOCUS_COMMANDS: Final = 400


class Step(NamedTuple):
    """One command of a simulated life, and what the engine would tell the decision beside it."""

    now: datetime
    command: Command[Any]
    actor: str
    idempotency_key: str | None


class Life(simulated_mall.Mall):
    """Thinks of the next command, and learns from the answers."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = START
        self.number = 0
        self.people: dict[UUID, Person] = {}
        self.focus: list[Person] = []
        self.settings = simulated_settings.Settings(self.random)
        self.last_purchase: RecordPurchase | None = None
        self.last_refund: RefundPurchase | None = None
        self.deeds = Deeds(self)
        ideas = self._ideas()
        self._ideas_of_life = tuple(idea for idea, _ in ideas)
        self._weights = tuple(weight for _, weight in ideas)

    def _ideas(self) -> tuple[tuple[Callable[[], Command[Any] | None], int], ...]:
        return (
            (self.buy, 200),
            (self.buy_with_points, 60),
            (self.buy_again, 30),
            (self.refund_some, 70),
            (self.refund_lines, 40),
            (self.refund_all, 40),
            (self.refund_again, 15),
            (self.confirm, 50),
            (self.adjust, 50),
            (self.transfer, 60),
            (self.hold, 90),
            (self.capture, 50),
            (self.release, 25),
            (self.redeem, 110),
            (self.cancel, 45),
            (self.fulfill, 25),
            (self.pay, 25),
            (self.lapse, 12),
            (self.give_back, 20),
            (self.settle, 40),
            (self.freeze, 6),
            (self.edit_member, 6),
            (self.restock, 10),
            (lambda: self.settings.change(self.now), 10),
            (self.deeds.nonsense, 10),
            (self.deeds.act, 45),
            (self.deeds.reverse, 10),
            (self.deeds.set_tier, 8),
            (self.deeds.end_set_tier, 3),
            (self.deeds.review, 12),
            (self.deeds.warn, 8),
            (self.deeds.celebrate, 14),
            (self.deeds.give_member_day, 14),
        )

    # The clock.

    def pass_time(self) -> None:
        """Mostly seconds; now and then hours or days; rarely a year."""
        dice = self.random.random()
        if dice < 0.0001:
            self.now += timedelta(days=self.random.randint(200, 800))
        elif dice < 0.004:
            self.now += timedelta(days=self.random.randint(1, 12))
        elif dice < 0.025:
            self.now += timedelta(minutes=self.random.randint(5, 600))
        else:
            self.now += timedelta(seconds=self.random.randint(0, 90))

    # Thinking of something.

    def next(self) -> Command[Any]:
        """The next command. Programs, tiers, stores and rewards come first, then members, then life."""
        founding = self.settings.founding(self.now)
        if founding is not None:
            return founding
        if len(self.people) < FOCUS_MEMBERS or self.random.random() < 0.02:
            return self.enroll()
        if self.number % FOCUS_COMMANDS == 0 or not self.focus:
            self.focus = self.random.sample(list(self.people.values()), FOCUS_MEMBERS)
        while True:
            (idea,) = self.random.choices(self._ideas_of_life, self._weights)
            command = idea()
            if command is not None:
                return command

    def someone(self) -> Person:
        return self.random.choice(self.focus)

    def named(self, person: Person) -> MemberRef:
        """A member by its id, or by the shop's own number."""
        if self.random.random() < 0.2:
            return MemberRef(external_id=person.external_id)
        return MemberRef(id=person.id)

    def some_points(self, person: Person) -> int:
        """Mostly within what the person has, sometimes all of it, sometimes more."""
        dice = self.random.random()
        if dice < 0.1:
            return max(1, person.available)
        if dice < 0.15:
            return person.available + self.random.randint(1, 50)
        return self.random.randint(1, max(1, person.available // 2))

    def enroll(self) -> Command[Any]:
        gender = self.random.choice((None, *Gender))
        birthday = self.random.choice((None, date(self.random.randint(1950, 2008), 2, 28), self.a_birthday()))
        profile = Profile(external_id=f"m{self.number}", gender=gender, birthday=birthday, tags=self.some_tags())
        return EnrollMember(profile=profile, channel=self.random.choice(tuple(Channel)))

    def a_birthday(self) -> date:
        return date(self.random.randint(1950, 2008), self.random.randint(1, 12), self.random.randint(1, 28))

    def some_tags(self) -> tuple[str, ...]:
        return tuple(self.random.sample(TAGS, self.random.choice((0, 0, 1, 2))))

    def buy(self) -> Command[Any]:
        person = self.someone()
        goods = self.random.choice((self.random.randint(0, 2_000), self.random.randint(0, 60_000)))
        freight = self.random.choice((0, 0, 0, self.random.randint(1, 1_500)))
        days_ago = self.random.choice((0, 0, 0, 0, 0, 0, self.random.randint(0, 3), self.random.randint(0, 500)))
        self.last_purchase = RecordPurchase(
            member=self.named(person),
            external_id=f"o{self.number}",
            amount_minor=goods + freight,
            currency_code="CNY",
            freight_minor=freight,
            lines=self.lines(goods),
            store_id=self.random.choice((None, self.random.choice(self.settings.stores))),
            channel=self.random.choice(tuple(Channel)),
            occurred_at=None if days_ago == 0 else self.now - timedelta(days=days_ago),
        )
        return self.last_purchase

    def lines(self, goods: int) -> tuple[Line, ...]:
        if goods < 10 or self.random.random() < 0.5:
            return ()
        cuts = sorted(self.random.randint(0, goods) for _ in range(self.random.randint(1, 3)))
        amounts = [high - low for low, high in zip((0, *cuts), (*cuts, goods), strict=True)]
        return tuple(
            Line(
                amount_minor=amount,
                earns=self.random.random() < 0.9,
                category=self.random.choice((None, *CATEGORIES)),
                product_id=f"p{self.random.randint(1, 9)}",
                quantity=self.random.randint(1, 3),
            )
            for amount in amounts
        )

    def buy_with_points(self) -> Command[Any] | None:
        person = self.someone()
        if not person.holds:
            return None
        command = self.buy()
        assert isinstance(command, RecordPurchase)
        goods = command.amount_minor - command.freight_minor
        offset = Offset(hold_id=person.holds.pop(), amount_minor=self.random.randint(1, goods + 1))
        self.last_purchase = replace(command, member=MemberRef(id=person.id), offset=offset, occurred_at=None)
        return self.last_purchase

    def buy_again(self) -> Command[Any] | None:
        """The last order told again: by a till that did not hear the answer, or by a careless one."""
        last = self.last_purchase
        if last is None or self.random.random() < 0.8:
            return last
        return replace(last, amount_minor=last.amount_minor + 1, lines=())

    def a_purchase(self) -> Purchase | None:
        purchases = self.someone().purchases
        return self.random.choice(purchases) if purchases else None

    def refunding(self, purchase: Purchase | None, **told: Any) -> Command[Any] | None:
        if purchase is None:
            return None
        reference = PurchaseRef(id=purchase.id)
        if self.random.random() < 0.2:
            reference = PurchaseRef(external_id=purchase.external_id)
        self.last_refund = RefundPurchase(purchase=reference, external_id=f"r{self.number}", **told)
        return self.last_refund

    def refund_some(self) -> Command[Any] | None:
        purchase = self.a_purchase()
        rest = 0 if purchase is None else purchase.amount_minor - purchase.refunded_minor
        return self.refunding(purchase, amount_minor=self.random.randint(1, max(1, rest * 6 // 10 + 1)))

    def refund_lines(self) -> Command[Any] | None:
        purchase = self.a_purchase()
        if purchase is None:
            return None
        chosen = self.random.sample(purchase.lines, self.random.randint(1, len(purchase.lines)))
        lines = tuple(
            LineAmount(number=line.number, amount_minor=self.random.randint(1, max(1, line.amount_minor)))
            for line in chosen
        )
        freight = self.random.choice((None, self.random.randint(0, purchase.freight_minor)))
        return self.refunding(purchase, lines=lines, freight_minor=freight)

    def refund_all(self) -> Command[Any] | None:
        return self.refunding(self.a_purchase())

    def refund_again(self) -> Command[Any] | None:
        last = self.last_refund
        if last is None or self.random.random() < 0.8:
            return last
        return replace(last, amount_minor=123_456_789, lines=(), freight_minor=None)

    def confirm(self) -> Command[Any] | None:
        purchase = self.a_purchase()
        return None if purchase is None else ConfirmPurchase(purchase_id=purchase.id)

    def adjust(self) -> Command[Any]:
        person = self.someone()
        points = self.random.choice((self.random.randint(1, 300), -self.some_points(person)))
        return moves.AdjustPoints(member=self.named(person), points=points, reason="simulated")

    def transfer(self) -> Command[Any]:
        sender, recipient = self.someone(), self.someone()
        return moves.TransferPoints(
            sender=self.named(sender), recipient=self.named(recipient), points=self.some_points(sender)
        )

    def hold(self) -> Command[Any]:
        person = self.someone()
        minutes = self.random.choice((None, self.random.randint(1, 60), self.random.randint(60, 40_000)))
        return moves.HoldPoints(member=self.named(person), points=self.some_points(person), minutes=minutes)

    def a_hold(self) -> UUID | None:
        """A hold that seems to be open; one in ten is remembered although it is about to end."""
        holds = self.someone().holds
        if not holds:
            return None
        place = self.random.randrange(len(holds))
        return holds[place] if self.random.random() < 0.1 else holds.pop(place)

    def capture(self) -> Command[Any] | None:
        hold_id = self.a_hold()
        points = self.random.choice((None, self.random.randint(1, 40)))
        return None if hold_id is None else moves.CaptureHold(hold_id=hold_id, points=points)

    def release(self) -> Command[Any] | None:
        hold_id = self.a_hold()
        return None if hold_id is None else moves.ReleaseHold(hold_id=hold_id)

    def redeem(self) -> Command[Any]:
        person = self.someone()
        affordable = [reward for reward in self.settings.rewards if reward.points <= person.available]
        reward = self.random.choice(affordable or self.settings.rewards)
        quantity = self.random.choice((1, 1, 1, 2, 3))
        return RedeemReward(member=self.named(person), reward_id=reward.id, quantity=quantity)

    def settle(self) -> Command[Any]:
        people = self.focus if self.random.random() < 0.5 else list(self.people.values())
        return moves.SettleAccount(member_id=self.random.choice(people).id)

    def freeze(self) -> Command[Any]:
        is_frozen = self.random.random() < 0.25
        return moves.FreezeMember(member=self.named(self.someone()), is_frozen=is_frozen, reason="simulated")

    def edit_member(self) -> Command[Any]:
        attributes = {"colour": self.random.choice(("red", "green", None))}
        profile = Profile(attributes=attributes, tags=self.random.choice((None, self.some_tags())))
        return UpdateMember(member=self.named(self.someone()), profile=profile)

    def restock(self) -> Command[Any]:
        reward = self.random.choice(self.settings.rewards)
        return UpdateReward(reward_id=reward.id, stock=self.random.randint(0, 500))

    # Learning from answers.

    def learn(self, answer: object) -> None:
        """Remember what a result says; a refusal teaches nothing."""
        match answer:
            case Recorded() | Refunded():
                self.remember_purchase(answer.purchase)
                self.see(answer.account)
            case moves.Held() | Redeemed() | moves.Moved():
                self.remember_what_is_open(answer)
                self.see(answer.account)
            case ActivityResult() | Granted():
                self.remember_activity(answer)
                self.see(answer.account)
            case moves.Transferred(sender=sender, recipient=recipient):
                self.see(sender)
                self.see(recipient)
            case PointsAccount():
                self.see(answer)
            case Enrollment(member=member, account=account):
                person = Person(member.id, str(member.external_id), account.available, member.birthday)
                self.people[member.id] = person
            case other:
                self.settings.learn(other)

    def see(self, account: PointsAccount) -> None:
        self.people[account.id].available = account.available

    def remember_what_is_open(self, answer: moves.Held | Redeemed | moves.Moved) -> None:
        """Keep a hold or a redemption that can still be ended."""
        person = self.people[answer.account.id]
        if isinstance(answer, moves.Held) and answer.hold.is_open:
            person.holds.append(answer.hold.id)
        if isinstance(answer, Redeemed):
            redemption = answer.redemption
            if redemption.closed_at is None:
                person.redemptions.append(redemption.id)
            if redemption.due_at is not None:
                person.unpaid.append(redemption)
            if redemption.fulfilled > redemption.returned:
                person.fulfilled.append(redemption.id)

    def remember_activity(self, answer: ActivityResult | Granted) -> None:
        """Keep an activity that can still be reversed."""
        if isinstance(answer, ActivityResult) and answer.activity.reversed_at is None and not answer.is_repeat:
            self.people[answer.activity.member_id].activities.append(answer.activity.id)

    def remember_purchase(self, purchase: Purchase) -> None:
        """Keep the last few purchases of a person as they are now."""
        purchases = self.people[purchase.member_id].purchases
        for place, known in enumerate(purchases):
            if known.id == purchase.id:
                purchases[place] = purchase
                return
        purchases.append(purchase)
        del purchases[:-8]


def commands(seed: int, count: int) -> Generator[Step, object, None]:
    """`count` steps of the life with this seed. Send each step's result, or its refusal, to get the next."""
    life = Life(seed)
    for life.number in range(1, count + 1):
        life.pass_time()
        key = None if life.random.random() < 0.1 else f"simulated-{life.number}"
        actor = life.random.choice(("till", "app", "staff"))
        answer = yield Step(life.now, life.next(), actor, key)
        life.learn(answer)
