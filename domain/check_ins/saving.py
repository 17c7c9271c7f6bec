"""Saving check-in activities: what contradicts itself is refused, and with it what could be farmed (G4)."""

import itertools
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from domain import audiences, checks, prizes
from domain.audiences import Audience
from domain.check_ins.activity import (
    ACTIVITIES_MAX,
    CARDS_MAX,
    CODE_MAX,
    DAYS_MAX,
    MAKE_UP_DAYS_MAX,
    MILESTONES_MAX,
    CheckInActivity,
    CheckInActivityInvalid,
    CheckInActivityLimitReached,
    CheckInActivitySaved,
    CheckInCycle,
    MakeUpTerms,
    Milestone,
)
from domain.kernel import FAMILY, Command, Decision, State, Want
from domain.prizes import PrizeKind
from domain.programs import Program
from domain.rewards.commands import check_window
from domain.rewards.standing import check_audience

_MONTH_DAYS_MAX: Final = 31
_LAST_HOUR: Final = 23


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInTerms:
    """What an activity gives, when, and to whom. Without `cycle_days`, a cycle is as long as the last milestone."""

    ladder: tuple[int, ...]
    milestones: tuple[Milestone, ...] = ()
    replaces_base: bool = False
    cycle: CheckInCycle = CheckInCycle.DAYS
    cycle_days: int | None = None
    make_up: MakeUpTerms | None = None
    audience: Audience = audiences.EVERYBODY
    reminder_hour: int | None = None
    is_active: bool = True
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveCheckInActivity(Command[CheckInActivity]):
    """Make a check-in activity, or replace the terms of the one with this code; streaks go on.

    Refuses texts, numbers and windows out of bounds, `CheckInActivityInvalid` (a ladder that falls, a milestone beyond
    its cycle), prizes that cannot be given, and `CheckInActivityLimitReached`.
    """

    code: str
    name: str
    terms: CheckInTerms

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """Whoever saves one has the program's row, so that no two make the last one that there is room for."""
        return Want(Program, program_id, is_locked=True), Want(CheckInActivity, program_id, FAMILY)

    def decide(self, state: State) -> Decision[CheckInActivity]:
        code = checks.text("code", self.code, length_max=CODE_MAX)
        name = checks.text("name", self.name)
        terms = _checked(state, self.terms)
        state.need(*self.wants(state.program_id), Want(CheckInActivity, code, "code", is_locked=True))
        before = state.find_by(CheckInActivity, "code", code)
        if before is None:
            _require_room(state)
        kept = None if before is None else state.change(CheckInActivity, before.id)
        activity = CheckInActivity(
            id=state.new_id() if kept is None else kept.id,
            program_id=state.program_id,
            code=code,
            name=name,
            ladder=terms.ladder,
            milestones=terms.milestones,
            replaces_base=terms.replaces_base,
            cycle=terms.cycle,
            cycle_days=terms.cycle_days or 1,
            make_up=terms.make_up,
            audience=terms.audience,
            reminder_hour=terms.reminder_hour,
            is_active=terms.is_active,
            starts_at=terms.starts_at,
            ends_at=terms.ends_at,
            created_at=state.now if kept is None else kept.created_at,
        )
        return Decision(activity, save=(activity,), events=(CheckInActivitySaved(activity_id=activity.id),))


def _require_room(state: State) -> None:
    state.get(Program, state.program_id)
    if len(state.all(CheckInActivity, of=state.program_id)) >= ACTIVITIES_MAX:
        raise CheckInActivityLimitReached(field=("code",), activities_max=ACTIVITIES_MAX)


def _checked(state: State, terms: CheckInTerms) -> CheckInTerms:
    _check_ladder(terms.ladder)
    milestones = _checked_milestones(state, terms)
    last = max((milestone.day for milestone in milestones), default=1)
    cycle_days = last if terms.cycle_days is None else terms.cycle_days
    _check_cycle(terms, cycle_days, last)
    if terms.make_up is not None:
        _check_make_up(terms.make_up)
    if terms.reminder_hour is not None:
        checks.number("reminderHour", terms.reminder_hour, minimum=0, maximum=_LAST_HOUR)
    check_window("startsAt", terms.starts_at, "endsAt", terms.ends_at)
    audience = check_audience(state, "audience", terms.audience)
    return replace(terms, milestones=milestones, cycle_days=cycle_days, audience=audience)


def _check_ladder(ladder: tuple[int, ...]) -> None:
    checks.at_most("ladder", ladder, DAYS_MAX)
    if not ladder:
        raise CheckInActivityInvalid(field=("ladder",), why="a ladder has a rung; one is the same every day, 0 is none")
    for points in ladder:
        checks.points("ladder", points, minimum=0)
    for day, (lower, upper) in enumerate(itertools.pairwise(ladder), start=1):
        if lower > upper:
            why = (
                f"day {day} gives {lower} points and day {day + 1} only {upper}, so that to break the streak would pay;"
                " what one day gives besides is a milestone"
            )
            raise CheckInActivityInvalid(field=("ladder",), why=why)


def _checked_milestones(state: State, terms: CheckInTerms) -> tuple[Milestone, ...]:
    checks.at_most("milestones", terms.milestones, MILESTONES_MAX)
    for place, milestone in enumerate(terms.milestones):
        with checks.below("milestones", str(place)):
            checks.number("day", milestone.day, minimum=1, maximum=DAYS_MAX)
            checks.number("cards", milestone.cards, minimum=0, maximum=CARDS_MAX)
            prizes.check(state, "prize", milestone.prize)
            if milestone.prize.kind is PrizeKind.NOTHING and not milestone.cards:
                raise CheckInActivityInvalid(field=("prize",), why="a milestone gives a prize, or make-up cards")
    days = [milestone.day for milestone in terms.milestones]
    if len(set(days)) != len(days):
        raise CheckInActivityInvalid(field=("milestones",), why="a day has one milestone")
    return tuple(sorted(terms.milestones, key=lambda milestone: milestone.day))


def _check_cycle(terms: CheckInTerms, cycle_days: int, last: int) -> None:
    checks.number("cycleDays", cycle_days, minimum=1, maximum=DAYS_MAX)
    if terms.cycle is CheckInCycle.DAYS and last > cycle_days:
        why = f"a cycle of {cycle_days} days ends before its milestone on day {last}"
        raise CheckInActivityInvalid(field=("cycleDays",), why=why)
    if terms.cycle is CheckInCycle.MONTH and last > _MONTH_DAYS_MAX:
        raise CheckInActivityInvalid(field=("milestones",), why=f"no month has a day {last}")
    if terms.cycle is not CheckInCycle.DAYS and terms.cycle_days is not None:
        raise CheckInActivityInvalid(field=("cycleDays",), why=f"the cycle {terms.cycle} has no number of days")


def _check_make_up(terms: MakeUpTerms) -> None:
    with checks.below("makeUp"):
        checks.number("days", terms.days, minimum=1, maximum=MAKE_UP_DAYS_MAX)
        checks.number("perMonth", terms.per_month, minimum=1, maximum=MAKE_UP_DAYS_MAX)
        if terms.points is not None:
            checks.points("points", terms.points, minimum=0)
        elif not terms.takes_cards:
            why = "a day is made up for points (0 is free), with a card, or for either"
            raise CheckInActivityInvalid(field=("points",), why=why)
