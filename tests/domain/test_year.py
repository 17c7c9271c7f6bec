"""A year of a program's life, night by night: the clock does what is due, and all books balance each morning.

2,000 members buy, refund and redeem from the 1st of July 2027, so that the year has an end of tiers with grace, and a
29th of February. What a night does is what the worker does. Tiers are compared with a small model that shares no code.
"""

import os
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from domain import calendars, schedules
from domain.campaigns import EditRules
from domain.earning.grants import Grant
from domain.earning.rules import Campaign, Cap, Conditions, EarningKind, EarningRule, Period, Trigger
from domain.enrollments import EnrollMember
from domain.grants import GrantBirthday, GrantMemberDay
from domain.kernel import Command, Refusal, State
from domain.members import MemberRef, Profile
from domain.points.account import PointsAccount, PointTransaction, TransactionKind
from domain.points.commands import SettleAccount
from domain.points.tiers import WarnOfTier
from domain.policies import (
    Downgrade,
    ExpiryKind,
    ExpiryPolicy,
    PendingKind,
    PendingPolicy,
    TierMetric,
    TierPolicy,
    TierWindow,
)
from domain.programs import CreateProgram, ProgramSettings
from domain.purchases.purchase import Purchase
from domain.purchases.recording import RecordPurchase
from domain.purchases.refund import PurchaseRef, RefundPurchase
from domain.redemptions.placing import RedeemReward
from domain.rewards.commands import CreateReward
from domain.schedules import Schedule
from domain.tiers.standing import WARNING_DAYS, TierCause, TierChange, TierExpiring
from domain.tiers.tier import CreateTier, TierBenefits
from tests.domain import invariants, memory, rooms
from tests.domain.memory import PROGRAM_ID

MEMBERS: Final = int(os.environ.get("YEAR_MEMBERS", "2000"))
DAYS: Final = int(os.environ.get("YEAR_DAYS", "366"))
SEED: Final = int(os.environ.get("YEAR_SEED", "20270701"))
ZONE: Final = "Asia/Shanghai"
FIRST: Final = date(2027, 7, 1)
GRACE_DAYS: Final = 31
# Tiers by the money that was paid: to reach, and to keep.
LADDER: Final = (("Silver", 20_000, 20_000), ("Gold", 60_000, 45_000), ("Platinum", 150_000, 150_000))
MEMBER_DAYS: Final = ("11-11", "02-29")
TIERS: Final = TierPolicy(
    metric=TierMetric.NET_SPEND,
    window=TierWindow.CALENDAR_YEAR,
    downgrade=Downgrade.ONE_LEVEL,
    grace_days=GRACE_DAYS,
)
RULES: Final = (
    EarningRule(code="base", kind=EarningKind.PER_AMOUNT, points=1, amount_minor=100),
    EarningRule(code="birthday", kind=EarningKind.FIXED, points=66, trigger=Trigger.BIRTHDAY),
    EarningRule(
        code="member-day",
        kind=EarningKind.FIXED,
        points=5,
        trigger=Trigger.MEMBER_DAY,
        when=Conditions(schedule=Schedule(dates=MEMBER_DAYS)),
    ),
    EarningRule(
        code="autumn",
        kind=EarningKind.PER_AMOUNT,
        points=1,
        amount_minor=200,
        campaign="autumn",
        pending=PendingPolicy(PendingKind.AFTER, days=7),
        caps=(Cap(period=Period.MONTH, points=150),),
    ),
)
AUTUMN: Final = Campaign(
    code="autumn",
    name="Autumn",
    starts_at=datetime(2027, 9, 1, tzinfo=UTC),
    ends_at=datetime(2027, 11, 1, tzinfo=UTC),
    budget=30 * MEMBERS,
)


@dataclass(slots=True)
class Model:
    """What tier one member has, by the plainest means: money by day, and what happens on which day."""

    paid: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    rank: int = 0
    until: date | None = None  # the last day of the tier
    is_in_grace: bool = False
    lost: tuple[int, date] | None = None  # the rank that was lost last, and the last day on which that was held

    def between(self, first: date, last: date) -> int:
        return sum(amount for day, amount in self.paid.items() if first <= day <= last)

    def dawn(self, today: date) -> None:
        """What ended with yesterday."""
        while self.until is not None:
            last = self.until + timedelta(days=GRACE_DAYS) if self.is_in_grace else self.until
            if last >= today:
                return
            if self.between(date(self.until.year, 1, 1), last) >= LADDER[self.rank - 1][2]:
                self.until, self.is_in_grace = date(self.until.year + 1, 12, 31), False
            elif not self.is_in_grace:
                self.is_in_grace = True
            else:
                self.lost = (self.rank, self.until)
                self.rank -= 1
                self.until, self.is_in_grace = (date(self.until.year + 1, 12, 31) if self.rank else None), False

    def pay(self, day: date, amount: int) -> None:
        """Money paid, or given back, for what was bought on a day."""
        self.paid[day] += amount
        if amount <= 0:
            return
        reached = sum(needed <= self.between(date(day.year, 1, 1), date(day.year, 12, 31)) for _, needed, _ in LADDER)
        given_back = self._given_back(day)
        if reached > max(self.rank, given_back):
            self.rank, self.until, self.is_in_grace, self.lost = reached, date(day.year + 1, 12, 31), False, None
        elif given_back and self.lost is not None:
            self.rank, self.until, self.lost = given_back, date(self.lost[1].year + 1, 12, 31), None
        elif self.is_in_grace and self.until is not None:
            counted = self.between(date(self.until.year, 1, 1), self.until + timedelta(days=GRACE_DAYS))
            if counted >= LADDER[self.rank - 1][2]:
                self.until, self.is_in_grace = date(self.until.year + 1, 12, 31), False

    def _given_back(self, day: date) -> int:
        """The rank that was lost and would have been kept, had this been known."""
        if self.lost is None:
            return 0
        rank, until = self.lost
        first, last = date(until.year, 1, 1), until + timedelta(days=GRACE_DAYS)
        return rank if first <= day <= last and self.between(first, last) >= LADDER[rank - 1][2] else 0


@dataclass(slots=True)
class Person:
    """A member of the town, with its model; `zeal` is how often it buys."""

    id: UUID
    birthday: date
    zeal: float
    model: Model = field(default_factory=Model)
    purchases: list[Purchase] = field(default_factory=list)


class Town:
    """A program with its members, its clock and its worker."""

    def __init__(self) -> None:
        self.random = random.Random(SEED)
        self.state = State(PROGRAM_ID, is_complete=True)
        self.books = invariants.Books()
        self.now = calendars.noon_of(FIRST, ZONE)
        self.number = 0
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.warned: Counter[int] = Counter()
        # Over all members, from the rows alone: every point that there is, and all that counts.
        self.points = 0
        self.paid = 0
        self.people: list[Person] = []
        self.tiers: dict[UUID, int] = {}

    @property
    def today(self) -> date:
        return calendars.local_date(self.now, ZONE)

    def run(self, command: Command[Any]) -> Any:
        """Run a command and balance the books of whom it touched; None if it was refused."""
        self.number += 1
        first_id = memory.first_id(self.number)
        self.state.begin(now=self.now, first_id=first_id, actor="town", idempotency_key=None)
        try:
            decision = command.decide(self.state)
        except Refusal as refusal:
            self.refused[refusal.code] += 1
            return None
        rooms.check(self.state, command, decision.save)
        self.state.keep(decision.save)
        invariants.check_saved(self.state, decision.save, self.books)
        self.done[type(command).__name__] += 1
        for row in decision.save:
            if isinstance(row, PointTransaction) and row.kind not in STILL:
                self.points += row.amount
        self.warned.update(event.days for event in decision.events if isinstance(event, TierExpiring))
        return decision.result

    def found(self) -> None:
        settings = ProgramSettings(
            sign_up_points=10,
            tier_policy=TIERS,
            expiry=ExpiryPolicy(kind=ExpiryKind.END_OF_QUARTER, count=1),
        )
        command = CreateProgram(
            program_id=PROGRAM_ID, name="Town", currency_code="CNY", time_zone=ZONE, settings=settings
        )
        self.run(command)
        for rank, (name, threshold, keep) in enumerate(LADDER, start=1):
            benefits = TierBenefits(upgrade_points=20 * rank, birthday_points=10 * rank)
            told = {"name": name, "rank": rank, "threshold": threshold, "keep_threshold": keep, "benefits": benefits}
            tier = self.run(CreateTier(multiplier_bp=10_000 + 1_000 * rank, **told))
            self.tiers[tier.id] = rank
        self.run(EditRules(rules=RULES, campaigns=(AUTUMN,)))
        self.reward = self.run(CreateReward(code="cup", name="Cup", points=80)).reward

    def enroll(self) -> None:
        """Everybody joins on the first day, and the shop tells what most of them bought in 2026."""
        for number in range(MEMBERS):
            # Every 50th was born on a 29th of February.
            birthday = date(1988, 2, 29) if number % 50 == 0 else date(1990, 1, 1) + timedelta(days=number % 365)
            profile = Profile(external_id=f"m{number}", birthday=birthday)
            member = self.run(EnrollMember(profile=profile)).member
            person = Person(member.id, birthday, self.random.expovariate(1 / 5.5))
            self.people.append(person)
            if self.random.random() < 0.6:
                on = date(2026, 1, 1) + timedelta(days=self.random.randrange(365))
                self.buy(person, self.random.randint(5_000, 180_000), on)

    # By day.

    def live_day(self) -> None:
        """Purchases at noon; some are told some days late, and some are given back in part or whole."""
        for person in self.people:
            if self.random.random() < person.zeal / 365:
                days_late = self.random.choice((0,) * 17 + (1, 3, 5))
                on = max(self.today - timedelta(days=days_late), date(2026, 12, 1))
                self.buy(person, self.random.randint(500, 50_000), on)
                if self.random.random() < 0.1:
                    self.refund(person)
                if self.random.random() < 0.2:
                    self.run(RedeemReward(member=MemberRef(id=person.id), reward_id=self.reward.id, quantity=1))

    def buy(self, person: Person, amount_minor: int, on: date) -> None:
        command = RecordPurchase(
            member=MemberRef(id=person.id),
            external_id=f"o{self.number}",
            amount_minor=amount_minor,
            currency_code="CNY",
            occurred_at=calendars.noon_of(on, ZONE),
        )
        person.purchases.append(self.run(command).purchase)
        person.model.pay(on, amount_minor)
        self.paid += amount_minor

    def refund(self, person: Person) -> None:
        place = self.random.randrange(len(person.purchases))
        rest = person.purchases[place].amount_minor - person.purchases[place].refunded_minor
        if not rest:
            return
        amount = self.random.choice((rest, self.random.randint(1, rest)))
        reference = PurchaseRef(id=person.purchases[place].id)
        told = self.run(RefundPurchase(purchase=reference, external_id=f"r{self.number}", amount_minor=amount))
        person.purchases[place] = told.purchase
        person.model.pay(calendars.local_date(told.purchase.occurred_at, ZONE), -amount)
        self.paid -= amount

    # By night, as the worker does.

    def live_night(self) -> None:
        """Just after midnight: settle what is due, then what the new day brings."""
        self.now = calendars.start_of(self.today + timedelta(days=1), ZONE)
        for account in self.accounts():
            if account.due_at is not None and account.due_at <= self.now:
                self.run(SettleAccount(member_id=account.id))
        self.now += timedelta(minutes=1)
        is_member_day = any(str(self.today).endswith(day) for day in MEMBER_DAYS)
        for person in self.people:
            if schedules.falls_on(person.birthday, self.today):
                self.run(GrantBirthday(member_id=person.id, day=self.today))
            if is_member_day:
                self.run(GrantMemberDay(member_id=person.id, day=self.today))
        self.warn()

    def warn(self) -> None:
        for days in WARNING_DAYS:
            ends_at = calendars.start_of(self.today + timedelta(days=days), ZONE)
            for account in self.accounts():
                if account.tier_valid_until == ends_at:
                    self.run(WarnOfTier(member_id=account.id, days=days))

    def accounts(self) -> list[PointsAccount]:
        return [self.state.get(PointsAccount, person.id) for person in self.people]

    def check_all(self) -> None:
        """Every morning, for every member; whoever was touched was checked in full when it was."""
        points = paid = 0
        for person, account in zip(self.people, self.accounts(), strict=True):
            assert account.due_at is None or account.due_at > self.now, "something is due and was not done"
            assert not (account.available and account.debt)
            points += account.available + account.pending + account.held
            paid += account.spend_minor
            model = person.model
            model.dawn(self.today)
            assert self.tiers.get(account.tier_id, 0) == model.rank, (person, account)  # type: ignore[arg-type]
            assert last_day(account.tier_valid_until) == model.until
            assert (account.tier_grace_until is not None) == model.is_in_grace
        assert (points, paid) == (self.points, self.paid)


# What moves points within an account makes none and loses none.
STILL: Final = frozenset({TransactionKind.ACTIVATE, TransactionKind.HOLD, TransactionKind.RELEASE})


def last_day(valid_until: datetime | None) -> date | None:
    return None if valid_until is None else calendars.before(calendars.local_date(valid_until, ZONE))


def test_a_year_of_two_thousand_members_balances_every_morning() -> None:
    town = Town()
    town.found()
    town.enroll()
    for _ in range(DAYS):
        town.live_day()
        town.live_night()
        town.check_all()
        town.now = calendars.noon_of(town.today, ZONE)
    assert town.today == FIRST + timedelta(days=DAYS)
    assert invariants.replay_members(town.state) == MEMBERS
    assert rooms.prove(town.state) > 1
    if DAYS >= 366 and MEMBERS >= 500:
        prove_that_it_was_a_whole_year(town)


def prove_that_it_was_a_whole_year(town: Town) -> None:
    """Tiers were reached, kept, in grace and lost; everybody had a birthday once; the budget was used up."""
    causes = Counter(change.cause for change in town.state.rows(TierChange))
    for cause in (TierCause.REACHED, TierCause.KEPT, TierCause.GRACE, TierCause.LOST):
        assert causes[cause] >= MEMBERS // 20, causes
    assert set(town.warned) == set(WARNING_DAYS)
    assert town.warned[30] >= town.warned[7] >= town.warned[1] > 0, "who has enough meanwhile is warned no more"
    grants = Counter(grant.trigger for grant in town.state.rows(Grant))
    # Who joined on its birthday was given for it then, and a year later.
    twice = sum(schedules.falls_on(person.birthday, FIRST) for person in town.people)
    assert grants[Trigger.BIRTHDAY] == MEMBERS + twice
    assert grants[Trigger.MEMBER_DAY] == 2 * MEMBERS
    assert grants[Trigger.ENROLLMENT] == MEMBERS
    limits = {item.limited_by for purchase in town.state.rows(Purchase) for item in purchase.earned}
    assert limits == {None, "BUDGET", Period.MONTH}
    assert set(town.refused) <= {"INSUFFICIENT_POINTS", "DEBT_OUTSTANDING"}
