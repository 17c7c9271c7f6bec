"""What rules give on one account: facts are gathered, rules evaluated, caps and budgets kept, points credited."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Final
from uuid import UUID

from domain import calendars, checks, policies, segments
from domain.earning import evaluation, limits, rule_sets
from domain.earning.effects import SIGN_UP_RULE
from domain.earning.evaluation import Requested
from domain.earning.facts import Earned, Facts, Need, Occasion
from domain.earning.grants import Given, Grant, grant_id
from domain.earning.limits import CampaignBudget, EarningCount
from domain.earning.matching import Compiled
from domain.earning.rules import OF_PURCHASES, EarningKind, EarningRule, Period, Trigger
from domain.kernel import FAMILY, AnyRow, Want
from domain.members import Member
from domain.points.account import PointTransaction, SourceType, TransactionKind
from domain.points.book import Book, Opening, Source
from domain.points.bounds import Limits, within
from domain.points.qualifying import QualifyingEntry, year_of
from domain.points.segmenting import figures_of
from domain.policies import AT_ONCE, ExpiryKind, PendingKind
from domain.segments import Segment
from domain.tiers import tier as tiers
from domain.tiers.standing import TierChange, tier_at
from domain.tiers.tier import Tier
from domain.values import changed

# What is asked of the purchases before one.
_OF_ORDINALS: Final = frozenset({Need.DAY, Need.WEEK, Need.MONTH, Need.YEAR})


class GrantingBook(Book):
    """A book on which rules give points."""

    # A member that is just being enrolled: nothing of it is stored yet.
    member: Member | None = None

    @cached_property
    def rules(self) -> Compiled:
        """The program's rules of now, made ready."""
        if self.program.challenge_version:
            # Whatever earns asks for both: in one round.
            self.state.need(*self.program.companions())
        return rule_sets.ready(rule_sets.of_version(self.state, self.program.rule_version))

    def earn(
        self,
        occasion: Occasion,
        facts: Facts,
        source: Source,
        *,
        gifts: Sequence[EarningRule] = (),
        room: int | None = None,
        not_before: datetime | None = None,
    ) -> Given:
        """Credit what the program's rules, and `gifts` beside them, give for an occasion (L3, L5, L6, L13).

        Where the store bounds it, no more than `room`: what comes last is cut first. None of it is available
        `not_before` that instant.
        Each rule is a transaction and a lot of its own. Refuses `PointsInvalid` when the sum is more than can be kept.
        """
        self.touch(occasion.occurred_at)
        rules = self.rules
        requested = evaluation.evaluate(rules, occasion, facts).requested
        requested += tuple(Requested(gift, gift.points) for gift in gifts)
        # Gifts stand in no version of the rules, and may have caps of their own.
        bounded = [request.rule for request in requested if request.rule.code in rules.bounded or request.rule.caps]
        bounds = self._limits(bounded, rules, occasion)
        rooms = {rule.code: bounds[rule.code].rooms(rule) for rule in bounded}
        earned = within(evaluation.limited(requested, rooms), room)
        given = evaluation.total(earned)
        if given > checks.POINTS_MAX:
            # No one place of the input is at fault: rules and amount make it together.
            raise checks.PointsInvalid(
                name="What the rules give together", points=given, points_min=0, points_max=checks.POINTS_MAX
            )
        first = len(self.transactions)
        for request, item in zip(requested, earned, strict=True):
            if item.points:
                opening = self._earned_opening(request.rule, item.points, source, occasion.occurred_at, not_before)
                self._credit(item.rule, opening, source, occasion.occurred_at, self.program.rule_version)
                if item.rule in bounds:
                    self._count(bounds[item.rule], item.points, 1)
        earning_id = self.transactions[first].id if len(self.transactions) > first else None
        return Given(earned, self.program.rule_version, earning_id)

    def award(self, points: int, source: Source, *, rule: str = "") -> PointTransaction:
        """Credit points that were won: at once available, for as long as any. Refuses `PointsOverflow`."""
        program, now = self.program, self.state.now
        self.touch(now)
        opening = Opening(
            amount=points,
            available_at=now,
            expires_at=policies.expires_at(program.expiry, now, program.time_zone),
            expires_when_idle=program.expiry.kind is ExpiryKind.INACTIVITY,
        )
        return self.credit(TransactionKind.EARN, source, (opening,), rule=rule)

    def give(
        self,
        trigger: Trigger,
        occasion: str,
        at: datetime,
        *,
        tier: Tier | None = None,
        gifts: Sequence[EarningRule] = (),
        is_new: bool = False,
        not_before: datetime | None = None,
    ) -> Grant | None:
        """Credit what rules, the member's tier and `gifts` give for an occasion of the program's own, once for ever.

        None of it is available `not_before` that instant. None if it was given before, or nothing gives for it. An
        occasion that `is_new` has only now come to be.
        """
        gifts = (*self._gifts(trigger, tier), *gifts)
        if not gifts and not self.rules.candidates[trigger] and not self.awaits(trigger):
            return None
        key = grant_id(self.account.id, trigger, occasion)
        if self.member is None and not is_new and self._latest(Grant, key) is not None:
            return None
        facts = self.facts(trigger, at)
        happening = self._happening(trigger, at)
        source = Source(SourceType.SIGN_UP if trigger is Trigger.ENROLLMENT else SourceType.GRANT, key)
        given = self.earn(happening, facts, source, gifts=gifts, not_before=not_before)
        if not given.earned:
            return None
        grant = Grant(
            id=key,
            program_id=self.account.program_id,
            member_id=self.account.id,
            trigger=trigger,
            occasion=occasion,
            rule_version=given.rule_version,
            facts=facts,
            earned=tuple(given.earned),
            points=given.points,
            occurred_at=at,
            recorded_at=self.state.now,
            actor=self.state.actor,
        )
        self._saved[grant.id] = grant
        return grant

    def _happening(self, trigger: Trigger, at: datetime) -> Occasion:
        """An occasion of the program's own. Only joining happens somewhere."""
        joining = self.member if trigger is Trigger.ENROLLMENT else None
        return Occasion(
            trigger=trigger,
            occurred_at=at,
            time_zone=self.program.time_zone,
            store_id=None if joining is None else joining.store_id,
            channel=None if joining is None else joining.channel,
        )

    def give_back_room(
        self, before: Sequence[Earned], after: Sequence[Earned], version: int, occasion: Occasion
    ) -> None:
        """Make room again under caps and budgets for what a refund took back of what rules had given (L13).

        What is counted for a rule is always what the rest of everything earns by it.
        """
        compiled = rule_sets.ready(rule_sets.of_version(self.state, version))
        had = {item.rule: item.points for item in before if item.rule in compiled.bounded}
        kept = {item.rule: item.points for item in after if item.rule in compiled.bounded}
        changed = [compiled.rules[code] for code in {**had, **kept} if had.get(code, 0) != kept.get(code, 0)]
        bounds = self._limits(changed, compiled, occasion)
        for rule in changed:
            points, rest = had.get(rule.code, 0), kept.get(rule.code, 0)
            self._count(bounds[rule.code], rest - points, (rest > 0) - (points > 0))

    def uncount(self, gift: Earned, day: date) -> None:
        """Make room again under the caps of a gift that is taken back: it stands in no version of the rules (L13)."""
        starts = {period: calendars.start_of_period(day, period.value) for period in Period}
        ids = [limits.count_id(self.account.id, gift.rule, period, first) for period, first in starts.items()]
        self.state.need(*(Want(EarningCount, count_id, is_locked=True) for count_id in ids))
        for count_id in ids:
            count = self._latest(EarningCount, count_id)
            if count is not None:
                self._saved[count_id] = changed(count, points=count.points - gift.points, times=count.times - 1)

    # What is known of the member.

    def tier_at(self, at: datetime) -> Tier | None:
        """The tier the member had at a business time (K4)."""
        ladder = self.state.all(Tier, of=self.state.program_id)
        tier_id = self.account.tier_id
        if self.account.tier_since is not None and at < self.account.tier_since:
            tier_id = tier_at(self.history(), tier_id, at)
        return tiers.current(ladder, tier_id)

    def history(self) -> tuple[TierChange, ...]:
        """The member's history of tiers as this posting leaves it."""
        stored = self.state.all(TierChange, of=self.account.id) if self.member is None else ()
        return (*stored, *(row for row in self._saved.values() if isinstance(row, TierChange)))

    def facts(self, trigger: Trigger, at: datetime) -> Facts:
        """What the program's rules ask of the member for an occasion at a business time."""
        return self.facts_for(self.rules.needs[trigger], trigger, at)

    def facts_for(self, needs: frozenset[Need], trigger: Trigger, at: datetime) -> Facts:
        """What is asked of the member for an occasion at a business time, and nothing else."""
        tier = self.tier_at(at)
        facts = Facts(
            tier_id=None if tier is None else tier.id,
            multiplier_bp=tiers.multiplier_bp(tier),
            ordinals=self._ordinals(needs, at) if trigger in OF_PURCHASES else {},
            time_zone=self.program.time_zone,
        )
        if Need.PROFILE in needs or Need.SEGMENTS in needs:
            facts = self._with_profile(facts, at)
        return facts

    def _with_profile(self, facts: Facts, at: datetime) -> Facts:
        member_id, program_id = self.account.id, self.state.program_id
        if self.member is None:
            self.state.need(Want(Member, member_id), Want(Segment, program_id, FAMILY))
        member = self.state.get(Member, member_id) if self.member is None else self.member
        figures = changed(figures_of(self.account), tier_id=facts.tier_id)
        zone_name = self.program.time_zone
        found = [
            segment.code
            for segment in self.state.all(Segment, of=program_id)
            if segments.includes(segment.criteria, member, figures, now=at, time_zone=zone_name)
        ]
        return changed(
            facts,
            tags=member.tags,
            segments=tuple(sorted(found)),
            enrolled_on=calendars.local_date(member.enrolled_at, zone_name),
            birthday=member.birthday,
        )

    def _ordinals(self, needs: frozenset[Need], at: datetime) -> Mapping[str, int]:
        """Which purchase of each period that is asked for the next one is, counted from 1 (S14)."""
        ordinals: dict[str, int] = {Period.LIFETIME.value: self.account.purchases + 1}
        asked = needs & _OF_ORDINALS
        if not asked:
            return ordinals
        day = calendars.local_date(at, self.program.time_zone)
        for period in (Period.DAY, Period.WEEK, Period.MONTH, Period.YEAR):
            if Need(period) in asked:
                first = calendars.start_of_period(day, period)
                ordinals[period.value] = 1 + sum(
                    entry.purchases
                    for entry in self.entries(first, day)
                    if calendars.start_of_period(entry.day, period) == first
                )
        return ordinals

    def entries(self, first: date, last: date) -> list[QualifyingEntry]:
        """What was stored as counting for the member in the years of these days."""
        found: list[QualifyingEntry] = []
        if self.member is None:
            years = [year_of(self.account.id, year) for year in range(first.year, last.year + 1)]
            self.state.need(*(Want(QualifyingEntry, year_id, FAMILY) for year_id in years))
            for year_id in years:
                found.extend(self.state.all(QualifyingEntry, of=year_id))
        return found

    # Caps and budgets.

    def _limits(self, rules: Sequence[EarningRule], compiled: Compiled, occasion: Occasion) -> dict[str, Limits]:
        """What bounds each of these rules, asked for at once."""
        if not rules:
            return {}
        day = occasion.local.date()
        budgets = compiled.budgets
        self.state.need(*self._wants_of_limits(rules, compiled, day))
        empty = {rule.code: [self._empty_count(rule, cap.period, day) for cap in rule.caps] for rule in rules}
        funded = _funded(rules, compiled)
        left = {campaign: budgets[campaign] - self._budget(campaign).points for campaign in funded}
        return {
            rule.code: Limits(
                tuple(self._latest(EarningCount, count.id) or count for count in empty[rule.code]),
                rule.campaign,
                left.get(rule.campaign or ""),
            )
            for rule in rules
        }

    def _wants_of_limits(self, rules: Sequence[EarningRule], compiled: Compiled, day: date) -> tuple[Want, ...]:
        program_id = self.state.program_id
        counts = (self._empty_count(rule, cap.period, day).id for rule in rules for cap in rule.caps)
        budgets = (limits.budget_id(program_id, campaign) for campaign in _funded(rules, compiled))
        return (
            *(Want(EarningCount, key, is_locked=True) for key in counts),
            *(Want(CampaignBudget, key, is_locked=True) for key in budgets),
        )

    def wants_of_room(self, earned: Sequence[Earned], version: int, occasion: Occasion) -> tuple[Want, ...]:
        """What `give_back_room` will ask for, so that several are asked for at once."""
        compiled = rule_sets.ready(rule_sets.of_version(self.state, version))
        bounded = [compiled.rules[item.rule] for item in earned if item.rule in compiled.bounded]
        return self._wants_of_limits(bounded, compiled, occasion.local.date())

    def _empty_count(self, rule: EarningRule, period: Period, day: date) -> EarningCount:
        return limits.empty_count(self.account.program_id, self.account.id, rule, period, day)

    def _budget(self, campaign: str) -> CampaignBudget:
        key = limits.budget_id(self.state.program_id, campaign)
        kept = self._latest(CampaignBudget, key)
        return kept or CampaignBudget(id=key, program_id=self.state.program_id, campaign=campaign)

    def _latest(self, kind: type[AnyRow], key: UUID) -> AnyRow | None:
        """A row as this posting leaves it."""
        saved = self._saved.get(key)
        return saved if isinstance(saved, kind) else self.state.find(kind, key)

    def _count(self, bound: Limits, points: int, times: int) -> None:
        for count in bound.counts:
            self._saved[count.id] = changed(count, points=count.points + points, times=count.times + times)
        if bound.budget_left is not None and bound.campaign is not None:
            budget = self._budget(bound.campaign)
            self._saved[budget.id] = changed(budget, points=budget.points + points)

    def awaits(self, trigger: Trigger) -> bool:  # noqa: ARG002 - whoever counts occasions looks at it
        """Whether such an occasion matters beside what rules give for it."""
        return False

    def may_give(self, trigger: Trigger, tier: Tier | None) -> bool:
        """Whether anything could give for such an occasion: if not, nothing more needs to be known of it."""
        return bool(self.rules.candidates[trigger] or self._gifts(trigger, tier))

    def _gifts(self, trigger: Trigger, tier: Tier | None) -> tuple[EarningRule, ...]:
        """What gives beside the program's rules: the tier's benefits, and the sign-up bonus of the settings."""
        if trigger is Trigger.ENROLLMENT:
            return sign_up(self.program.sign_up_points)
        return tiers.gifts(tier, trigger)

    def _credit(self, rule: str, opening: Opening, source: Source, at: datetime, version: int) -> None:
        self.credit(
            TransactionKind.EARN,
            source,
            (opening,),
            rule=rule,
            rule_version=version,
            occurred_at=at,
        )

    def _earned_opening(
        self, rule: EarningRule, points: int, source: Source, at: datetime, not_before: datetime | None
    ) -> Opening:
        program = self.program
        pending = program.pending if rule.pending is None else rule.pending
        expiry = program.expiry if rule.expiry is None else rule.expiry
        # Only a purchase is ever confirmed: other points would wait for an event that never comes.
        if pending.kind is PendingKind.ON_EVENT and source.type is not SourceType.PURCHASE:
            pending = AT_ONCE
        available_at = policies.available_at(pending, at, program.time_zone)
        if not_before is not None and available_at is not None:
            available_at = max(available_at, not_before)
        return Opening(
            amount=points,
            available_at=available_at,
            expires_at=policies.expires_at(expiry, at, program.time_zone),
            expires_when_idle=expiry.kind is ExpiryKind.INACTIVITY,
        )


def _funded(rules: Iterable[EarningRule], compiled: Compiled) -> list[str]:
    """The campaigns of rules that have a budget."""
    return sorted({rule.campaign for rule in rules if rule.campaign is not None and rule.campaign in compiled.budgets})


def sign_up(points: int) -> tuple[EarningRule, ...]:
    """The sign-up bonus of a program's settings as a rule like any other (S2)."""
    if not points:
        return ()
    return (EarningRule(code=SIGN_UP_RULE, kind=EarningKind.FIXED, points=points, trigger=Trigger.ENROLLMENT),)
