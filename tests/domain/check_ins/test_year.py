"""A year of random check-ins with days made up, of many members, against a model that walks through all dates anew.

The model knows nothing of runs, of what is remembered, or of rows: it has a set of dates and a list of payments.
"""

import calendar
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from domain.check_ins.activity import CheckInCycle, MakeUpTerms, Milestone
from domain.check_ins.check_in import CheckIn, MakeUpPayment
from domain.kernel import Command, Refusal
from tests.domain.check_ins.pages import Page, points_on
from tests.domain.memory import Result

DAY: Final = timedelta(days=1)
MEMBERS: Final = 12
# Leap day and all.
START: Final = date(2027, 8, 1)


@dataclass
class Model:
    """A member as a page of arithmetic sees it."""

    terms: dict[str, Any]
    joined: date
    balance: int = 0
    dates: set[date] = field(default_factory=set)
    paid: list[tuple[int, date]] = field(default_factory=list)
    bases: dict[date, int] = field(default_factory=dict)
    made_up: dict[tuple[int, int], int] = field(default_factory=dict)
    cards: int = 0
    longest: int = 0

    def run(self, day: date) -> int:
        """How many dates in a row end with a day."""
        length = 0
        while day in self.dates:
            length, day = length + 1, day - DAY
        return length

    def streak(self, today: date) -> int:
        return self.run(today) or self.run(today - DAY)

    def month_run(self, day: date) -> int:
        return sum(1 for number in range(self.run(day)) if (day - number * DAY).month == day.month and number < day.day)

    def is_free(self, milestone: int, day: date) -> bool:
        """Whether no payment shares the cycle of a day."""
        others = [on for number, on in self.paid if number == milestone]
        if self.terms["cycle"] is CheckInCycle.ONCE:
            return not others
        if self.terms["cycle"] is CheckInCycle.MONTH:
            return all((on.year, on.month) != (day.year, day.month) for on in others)
        return all(abs((on - day).days) >= self.terms["cycle_days"] for on in others)

    def sign(self, day: date) -> int:
        """Sign a date; what it gives."""
        self.dates.add(day)
        ladder = self.terms["ladder"]
        base = ladder[(self.run(day) - 1) % len(ladder)]
        reached: list[tuple[int, date, int]] = []
        for milestone in self.terms["milestones"]:
            on = day
            while on in self.dates:
                length = self.month_run(on) if self.terms["cycle"] is CheckInCycle.MONTH else self.run(on)
                if length >= milestone.day and self.is_free(milestone.day, on):
                    reached.append((milestone.day, on, milestone.prize.points))
                    self.cards += milestone.cards
                    break
                on += DAY
        points = self._points(day, base, reached)
        self.paid += [(number, on) for number, on, _ in reached]
        self.balance += points
        self.longest = max(self.longest, *(self.run(one) for one in self.dates if one + DAY not in self.dates))
        return points

    def _points(self, day: date, base: int, reached: list[tuple[int, date, int]]) -> int:
        if not self.terms["replaces_base"]:
            self.bases[day] = base
            return base + sum(points for _, _, points in reached)
        own = [points for _, on, points in reached if on == day]
        self.bases[day] = 0 if own else base
        points = sum(own) + self.bases[day]
        for on in {on for _, on, _ in reached if on != day}:
            parts = [points for _, other, points in reached if other == on]
            settled = any(other == on for _, other in self.paid)
            points += max(0, parts[0] - (0 if settled else self.bases[on])) + sum(parts[1:])
        return points

    def make_up(self, day: date, today: date, payment: MakeUpPayment) -> int | None:
        """What making a day up gives; None if it is refused."""
        terms: MakeUpTerms = self.terms["make_up"]
        month = (today.year, today.month)
        is_missed = self.joined <= day < today and day >= today - terms.days * DAY and day not in self.dates
        if not is_missed or self.made_up.get(month, 0) >= terms.per_month:
            return None
        if payment is MakeUpPayment.CARD:
            if not self.cards:
                return None
            self.cards -= 1
        elif self.balance < (terms.points or 0):
            return None
        else:
            self.balance -= terms.points or 0
        self.made_up[month] = self.made_up.get(month, 0) + 1
        return self.sign(day)


class SwiftPage(Page):
    """A page that proves nothing of its commands on the way: other tests do, and a year has many."""

    def run(self, command: Command[Result], *, actor: str = "till", key: str | None = None) -> Result:
        """Run a command now. Raises its `Refusal`."""
        self.number += 1
        self._begin(self.state, actor, key)
        self.decision = command.decide(self.state)
        self.state.keep(self.decision.save)
        result: Result = self.decision.result
        return result


def page_of(dice: random.Random, zone: str) -> tuple[Page, dict[str, Any]]:
    """An activity with terms by chance."""
    milestones = tuple(
        points_on(day, 10 * day, cards=dice.choice((0, 0, 1))) for day in sorted(dice.sample(range(2, 31), 4))
    )
    cycle = dice.choice(tuple(CheckInCycle))
    terms: dict[str, Any] = {
        "ladder": tuple(sorted(dice.choices(range(10), k=dice.choice((1, 7))))),
        "milestones": milestones,
        "replaces_base": dice.random() < 0.3,
        "cycle": cycle,
        "make_up": MakeUpTerms(
            days=dice.choice((3, 7, 31)), per_month=dice.choice((2, 31)), points=5, takes_cards=True
        ),
    }
    days = dice.randint(milestones[-1].day, 60) if cycle is CheckInCycle.DAYS else None
    page = SwiftPage(zone=zone, first=START, **terms, cycle_days=days)
    return page, terms | {"cycle_days": days}


def instant(dice: random.Random, day: date, zone: str) -> datetime:
    """Any time of a local date, its first and last minutes too."""
    minute = dice.choice((0, 1439, dice.randint(0, 1439)))
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=ZoneInfo(zone))
    found = local.astimezone(UTC)
    # An hour that the clocks skip is none of that date's minutes at its end.
    return found if found.astimezone(ZoneInfo(zone)).date() == day else local.replace(hour=12).astimezone(UTC)


@pytest.mark.parametrize("seed", range(6))
def test_a_year_is_what_the_model_says(seed: int) -> None:
    dice = random.Random(seed)
    zone = ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe")[seed % 3]
    page, terms = page_of(dice, zone)
    people: dict[UUID, Model] = {}
    diligence = {}
    for number in range(366):
        day = START + number * DAY
        if len(people) < MEMBERS and number % 3 == 0:
            page.now = instant(dice, day, zone)
            member = page.enroll()
            people[member], diligence[member] = Model(terms, day), dice.choice((0.5, 0.85, 0.97))
        for member, model in people.items():
            page.now = instant(dice, day, zone)
            if dice.random() < 0.2 * (1 - diligence[member]) + 0.05:
                _make_up(page, dice, member, model)
            if dice.random() < diligence[member]:
                (signed,) = page.sign(member)
                was_there = day in model.dates
                assert signed.already_signed == was_there
                assert was_there or signed.check_in.points == model.sign(day), (seed, day)
            _compare(page, member, model, day)
    for member, model in people.items():
        kept = [row for row in page.state.rows(CheckIn) if row.member_id == member]
        assert {row.day for row in kept} == model.dates
        assert len(kept) == len(model.dates)
        assert page.cards(member) == model.cards
        _compare_months(page, member, model)


def _make_up(page: Page, dice: random.Random, member: UUID, model: Model) -> None:
    day = page.today - dice.randint(-1, 9) * DAY
    payment = dice.choice(tuple(MakeUpPayment))
    try:
        given: int | None = page.make_up(member, day, payment).check_in.points
    except Refusal:
        given = None
    assert given == model.make_up(day, page.today, payment), (day, payment)


def _compare(page: Page, member: UUID, model: Model, today: date) -> None:
    standing = page.standing(member)
    assert standing.length == model.streak(today)
    assert (standing.check_ins, standing.longest) == (len(model.dates), model.longest)
    assert standing.is_signed_today == (today in model.dates)
    assert page.account(member).available == model.balance


def _compare_months(page: Page, member: UUID, model: Model) -> None:
    for number in range(12):
        year, month = divmod(START.year * 12 + START.month - 1 + number, 12)
        days = [date(year, month + 1, day) for day in range(1, calendar.monthrange(year, month + 1)[1] + 1)]
        signed = {day: found for day in days if (found := page.check_in(member, day)) is not None}
        shown = page.standing(member).calendar(year, month + 1, signed)
        assert {one.day for one in shown if one.state in ("SIGNED", "MADE_UP")} == model.dates & set(days)
        assert [one.day for one in shown] == days
        assert all(one.length is None or one.length > 0 for one in shown)


def test_the_model_knows_the_figures_of_s17() -> None:
    terms = {
        "ladder": (10,),
        "milestones": (points_on(20, 100),),
        "replaces_base": False,
        "cycle": CheckInCycle.DAYS,
        "cycle_days": 20,
    }
    model = Model(terms, START)
    assert sum(model.sign(START + number * DAY) for number in range(20)) == 300
    replacing = Model({**terms, "replaces_base": True}, START)
    assert sum(replacing.sign(START + number * DAY) for number in range(20)) == 290
    assert isinstance(terms["milestones"], tuple)
    assert isinstance(terms["milestones"][0], Milestone)
