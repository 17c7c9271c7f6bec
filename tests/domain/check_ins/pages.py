"""A shop with something to sign in to, and short words for what members do there day by day."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from domain import calendars
from domain.check_ins.activity import CheckInActivity, MakeUpTerms, Milestone
from domain.check_ins.cards import GrantMakeUpCards, MakeUpCardEntry, MakeUpCards
from domain.check_ins.check_in import CheckIn, CheckInResult, MakeUpPayment, check_in_id
from domain.check_ins.reading import Standing
from domain.check_ins.saving import CheckInTerms, SaveCheckInActivity
from domain.check_ins.signing import CreateCheckIn, MakeUpCheckIn
from domain.check_ins.streak import Streak, streak_id
from domain.points.account import TransactionKind
from domain.prizes import Prize, PrizeKind
from tests.domain.memory import ref
from tests.domain.shop import SHANGHAI, Shop

FIRST = date(2026, 3, 1)
FREE = MakeUpTerms(days=31, per_month=31, points=0)


def points_on(day: int, points: int, *, cards: int = 0) -> Milestone:
    """A milestone of points."""
    return Milestone(day=day, prize=Prize(kind=PrizeKind.POINTS, points=points), cards=cards)


class Page(Shop):
    """A shop whose only points are those of its sign-in page `daily`: 10 a day and 100 on day 20, unless told."""

    def __init__(self, *, zone: str = SHANGHAI, first: date = FIRST, rules: Any = (), **terms: Any) -> None:
        self.zone = zone
        super().__init__(rules=rules, time_zone=zone, now=self.noon(first))
        self.activity = self.save(**terms)

    def noon(self, day: date) -> datetime:
        """Noon of a local date."""
        return calendars.noon_of(day, self.zone)

    def save(self, code: str = "daily", **terms: Any) -> CheckInActivity:
        """Save an activity."""
        told: dict[str, Any] = {"ladder": (10,), "milestones": (points_on(20, 100),), **terms}
        return self.run(SaveCheckInActivity(code=code, name="Daily", terms=CheckInTerms(**told)))

    def at(self, day: date, hour: int | None = None) -> None:
        """Set the clock to an hour of a local date, noon unless told."""
        local = datetime.combine(day, time(12 if hour is None else hour), calendars.zone(self.zone))
        self.now = local.astimezone(UTC)

    def move(self, zone: str) -> None:
        """Move the program to another time zone."""
        self.update(time_zone=zone)
        self.zone = zone

    def sign(self, member: UUID, *days: date, code: str = "daily") -> list[CheckInResult]:
        """Sign in on these dates, one after the other; with none, now."""
        results = []
        for day in days or (self.today,):
            if days:
                self.at(day)
            results.append(self.run(CreateCheckIn(member=ref(member), activity=code)))
        return results

    def make_up(
        self, member: UUID, day: date, payment: MakeUpPayment = MakeUpPayment.POINTS, code: str = "daily"
    ) -> CheckInResult:
        """Make a day up now."""
        return self.run(MakeUpCheckIn(member=ref(member), activity=code, day=day, payment=payment))

    def give_cards(self, member: UUID, cards: int) -> int:
        """Give cards by hand; how many there are then."""
        return self.run(GrantMakeUpCards(member=ref(member), cards=cards, reason="sorry")).cards

    @property
    def today(self) -> date:
        """The local date of now."""
        return calendars.local_date(self.now, self.program.time_zone)

    def streak(self, member: UUID, activity: CheckInActivity | None = None) -> Streak:
        """A member's streak."""
        return self.row(Streak, streak_id(member, (activity or self.activity).id))

    def standing(self, member: UUID, activity: CheckInActivity | None = None) -> Standing:
        """A member as it is shown now."""
        asked = activity or self.activity
        return Standing(
            activity=self.row(CheckInActivity, asked.id),
            member_id=member,
            enrolled_at=self.account(member).enrolled_at,
            streak=self.state.find(Streak, streak_id(member, asked.id)),
            time_zone=self.program.time_zone,
            today=self.today,
        )

    def check_in(self, member: UUID, day: date) -> CheckIn | None:
        """What was signed for a date."""
        return self.state.find(CheckIn, check_in_id(member, self.activity.id, day))

    def cards(self, member: UUID) -> int:
        """How many cards there are; the entries of them say the same."""
        held = self.state.find(MakeUpCards, member)
        entries = self._of_member(MakeUpCardEntry, member)
        cards = 0 if held is None else held.cards
        assert cards == sum(entry.cards for entry in entries)
        return cards

    def earned(self, member: UUID) -> int:
        """All that was ever given in points."""
        return sum(row.amount for row in self.transactions(member) if row.kind is TransactionKind.EARN)


def days_from(first: date, count: int) -> list[date]:
    """So many consecutive dates."""
    return [first + timedelta(days=number) for number in range(count)]
