"""The marketing people of a simulated shop: rules of every kind, campaigns with budgets, and segments."""

import random
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from domain.audiences import EVERYBODY, Audience
from domain.campaigns import EditRules
from domain.earning.rules import (
    Anniversary,
    Band,
    Campaign,
    Cap,
    CapPolicy,
    Conditions,
    EarningKind,
    EarningRule,
    Ordinal,
    Period,
    Trigger,
)
from domain.kernel import Command
from domain.policies import ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from domain.schedules import Schedule
from domain.segments import Criteria, SaveSegment
from domain.stores import Channel

CATEGORIES: Final = ("tea", "cups", "books")
TAGS: Final = ("vip", "staff", "pilot")
ACTIVITIES: Final = ("review", "share", "referral")
MEMBER_DAYS: Final = (8, 18, 28)
CAMPAIGNS: Final = ("sale", "fair")
SEGMENTS: Final = {
    "spenders": Criteria(spend_min_minor=50_000),
    "sleepers": Criteria(not_bought_for_days=30),
    "pilots": Criteria(tags=("pilot",), available_min=1),
}


class Rules:
    """Thinks of rules that are sound on their own; what does not fit the program's time is refused."""

    def __init__(self, source: random.Random) -> None:
        self.random = source
        self.ideas = (
            self._base,
            self._bonus,
            self._bands,
            self._double,
            self._capped,
            self._first,
            self._nth,
            self._slow,
            self._grouped,
            self._for_some,
            self._in_campaign,
            self._activity,
            self._check_in,
            self._birthday,
            self._birthday_month,
            self._member_day,
            self._reached,
            self._joined,
        )

    def segments(self) -> list[Command[Any]]:
        return [SaveSegment(code=code, name=code, criteria=criteria) for code, criteria in SEGMENTS.items()]

    def founding(self, now: datetime, tiers: list[UUID]) -> Command[Any]:
        """Rules of every kind at once."""
        rules = {rule.code: rule for rule in (idea(tiers) for idea in self.ideas)}
        return EditRules(rules=tuple(rules.values()), campaigns=tuple(self._campaign(code, now) for code in CAMPAIGNS))

    def edit(self, now: datetime, tiers: list[UUID]) -> Command[Any]:
        """A few new rules, or campaigns that begin now, or some that end."""
        dice = self.random.random()
        if dice < 0.15:
            return EditRules(campaigns=(self._campaign(self.random.choice(CAMPAIGNS), now),))
        if dice < 0.3:
            return EditRules(without_rules=(self.random.choice(("bonus", "double", "capped", "slow", "bands")),))
        ideas = self.random.sample(self.ideas, self.random.randint(1, 4))
        rules = {rule.code: rule for rule in (idea(tiers) for idea in ideas)}
        return EditRules(rules=tuple(rules.values()))

    def _campaign(self, code: str, now: datetime) -> Campaign:
        starts_at = now - timedelta(days=self.random.randint(0, 40))
        return Campaign(
            code=code,
            name=code,
            starts_at=starts_at,
            ends_at=now + timedelta(days=self.random.randint(1, 120)),
            audience=self.random.choice((EVERYBODY, EVERYBODY, Audience(without_tags=("staff",)))),
            budget=self.random.choice((None, 300, 3_000, 40_000)),
        )

    def _points(self, most: int = 60) -> int:
        return self.random.randint(1, most)

    def _caps(self) -> tuple[Cap, ...]:
        periods = self.random.sample(tuple(Period), self.random.randint(1, 3))
        times = self.random.choice((None, 1, 2, 5))
        return tuple(Cap(period=period, points=self.random.randint(1, 400), times=times) for period in periods)

    def _cap_policy(self) -> CapPolicy:
        return self.random.choice((CapPolicy.REDUCE, CapPolicy.REDUCE, CapPolicy.REJECT))

    def _base(self, _: list[UUID]) -> EarningRule:
        return EarningRule(
            code="base",
            kind=EarningKind.PER_AMOUNT,
            points=self._points(5),
            amount_minor=self.random.choice((100, 333, 1_000)),
            includes_freight=self.random.random() < 0.3,
            minimum_minor=self.random.choice((0, 0, 2_500)),
        )

    def _bonus(self, _: list[UUID]) -> EarningRule:
        amount = self.random.randint(1, 40_000)
        return EarningRule(code="bonus", kind=EarningKind.BONUS_AT, points=self._points(80), amount_minor=amount)

    def _bands(self, _: list[UUID]) -> EarningRule:
        return EarningRule(
            code="bands",
            kind=EarningKind.TIERED,
            bands=(
                Band(from_minor=0, points=1, amount_minor=500),
                Band(from_minor=20_000, points=self._points(4), amount_minor=300),
            ),
            bands_are_marginal=self.random.random() < 0.5,
            when=Conditions(categories=("books",)),
        )

    def _double(self, _: list[UUID]) -> EarningRule:
        weekdays = tuple(sorted(self.random.sample(range(1, 8), 3)))
        when = self.random.choice((Conditions(schedule=Schedule(weekdays=weekdays)), Conditions(categories=("tea",))))
        factor = self.random.choice((15_000, 20_000, 33_333))
        return EarningRule(
            code="double", kind=EarningKind.MULTIPLIER, multiplier_bp=factor, when=when, priority=self._points(9)
        )

    def _capped(self, _: list[UUID]) -> EarningRule:
        return EarningRule(
            code="capped",
            kind=EarningKind.PER_AMOUNT,
            points=self._points(9),
            amount_minor=100,
            caps=self._caps(),
            cap_policy=self._cap_policy(),
            priority=self.random.randint(-3, 3),
        )

    def _first(self, _: list[UUID]) -> EarningRule:
        points = self._points()
        return EarningRule(code="first", kind=EarningKind.FIXED, points=points, trigger=Trigger.FIRST_PURCHASE)

    def _nth(self, _: list[UUID]) -> EarningRule:
        ordinal = Ordinal(
            number=self.random.randint(2, 4),
            period=self.random.choice(tuple(Period)),
            repeats=self.random.random() < 0.5,
        )
        return EarningRule(code="nth", kind=EarningKind.FIXED, points=self._points(), when=Conditions(ordinal=ordinal))

    def _slow(self, _: list[UUID]) -> EarningRule:
        return EarningRule(
            code="slow",
            kind=EarningKind.FIXED,
            points=self._points(),
            pending=PendingPolicy(PendingKind.AFTER, days=self.random.randint(1, 30)),
            expiry=ExpiryPolicy(kind=ExpiryKind.DAYS, count=self.random.randint(1, 60)),
            when=Conditions(channels=(self.random.choice(tuple(Channel)),)),
        )

    def _grouped(self, _: list[UUID]) -> EarningRule:
        code = self.random.choice(("this", "that"))
        maximum = self.random.choice((None, 30_000))
        return EarningRule(
            code=code,
            kind=EarningKind.FIXED,
            points=self._points(),
            exclusive_group="either",
            when=Conditions(maximum_minor=maximum, new_for_days=self.random.choice((None, 90))),
            caps=self._caps() if code == "that" else (),
        )

    def _for_some(self, tiers: list[UUID]) -> EarningRule:
        audience = self.random.choice(
            (
                Audience(tiers=tuple(self.random.sample(tiers, 2))),
                Audience(segments=(self.random.choice(tuple(SEGMENTS)),)),
                Audience(tags=("vip",), without_tags=("staff",)),
            )
        )
        return EarningRule(
            code="for-some", kind=EarningKind.FIXED, points=self._points(20), when=Conditions(audience=audience)
        )

    def _in_campaign(self, _: list[UUID]) -> EarningRule:
        campaign = self.random.choice(CAMPAIGNS)
        return EarningRule(
            code=f"of-{campaign}",
            kind=EarningKind.PER_AMOUNT,
            points=self._points(6),
            amount_minor=200,
            campaign=campaign,
            cap_policy=self._cap_policy(),
            caps=self.random.choice(((), (Cap(period=Period.DAY, points=150),))),
        )

    def _activity(self, _: list[UUID]) -> EarningRule:
        kind = self.random.choice(("review", "share"))
        return EarningRule(
            code=f"for-{kind}",
            kind=EarningKind.FIXED,
            points=self._points(),
            trigger=Trigger.ACTIVITY,
            activity_type=kind,
            caps=(Cap(period=Period.WEEK, times=self.random.randint(1, 4)),),
            campaign=self.random.choice((None, None, CAMPAIGNS[0])),
        )

    def _check_in(self, _: list[UUID]) -> EarningRule:
        caps = (Cap(period=Period.DAY, times=1),)
        trigger = self.random.choice((Trigger.CHECK_IN, Trigger.REFERRAL))
        return EarningRule(
            code=trigger.lower(), kind=EarningKind.FIXED, points=self._points(9), trigger=trigger, caps=caps
        )

    def _birthday(self, _: list[UUID]) -> EarningRule:
        return EarningRule(code="birthday", kind=EarningKind.FIXED, points=self._points(), trigger=Trigger.BIRTHDAY)

    def _birthday_month(self, _: list[UUID]) -> EarningRule:
        anniversary = self.random.choice(tuple(Anniversary))
        return EarningRule(
            code="anniversary",
            kind=EarningKind.MULTIPLIER,
            multiplier_bp=20_000,
            when=Conditions(anniversary=anniversary),
        )

    def _member_day(self, _: list[UUID]) -> EarningRule:
        return EarningRule(
            code="member-day",
            kind=EarningKind.FIXED,
            points=self._points(9),
            trigger=Trigger.MEMBER_DAY,
            when=Conditions(schedule=Schedule(month_days=MEMBER_DAYS)),
            campaign=self.random.choice((None, None, CAMPAIGNS[1])),
        )

    def _reached(self, tiers: list[UUID]) -> EarningRule:
        audience = Audience(tiers=(self.random.choice(tiers),))
        return EarningRule(
            code="reached",
            kind=EarningKind.FIXED,
            points=self._points(200),
            trigger=Trigger.TIER_REACHED,
            when=self.random.choice((Conditions(), Conditions(audience=audience))),
        )

    def _joined(self, _: list[UUID]) -> EarningRule:
        return EarningRule(code="joined", kind=EarningKind.FIXED, points=self._points(), trigger=Trigger.ENROLLMENT)
