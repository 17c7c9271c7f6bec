"""A shop with tiers: Silver from 100, Gold from 300 and Platinum from 1,000 points, one point a yuan, in Shanghai."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final
from uuid import UUID

from domain import calendars
from domain.earning.grants import Grant
from domain.earning.rules import Trigger
from domain.kernel import Event
from domain.members import MemberRef
from domain.points import reading
from domain.points.account import Hold, Lot, LotDraw, PointsAccount, Shortfall
from domain.points.qualifying import QualifyingEntry, year_of
from domain.points.reading import Ledger
from domain.points.tiering import years_of
from domain.points.tiers import EndSetTier, ReviewTier, SetTier, WarnOfTier
from domain.policies import Downgrade, TierPolicy, TierWindow
from domain.programs import Program
from domain.tiers.standing import TierChange, TierProgress
from domain.tiers.tier import CreateTier, Tier, TierBenefits, UpdateTier
from tests.domain.memory import PROGRAM_ID
from tests.domain.shop import SHANGHAI, Shop

THRESHOLDS: Final[Mapping[str, int]] = {"Silver": 100, "Gold": 300, "Platinum": 1_000}


class Club(Shop):
    """A shop whose members come to tiers. Days are local; the clock stands at noon of `day`."""

    def __init__(
        self,
        policy: TierPolicy,
        *,
        day: date = date(2026, 3, 10),
        thresholds: Mapping[str, int] = THRESHOLDS,
        keep: Mapping[str, int] | None = None,
        gifts: Mapping[str, int] | None = None,
        time_zone: str = SHANGHAI,
        **told: Any,
    ) -> None:
        super().__init__(time_zone=time_zone, now=calendars.noon_of(day, time_zone), **{"tier_policy": policy, **told})
        self.tiers: dict[str, UUID] = {}
        for rank, (name, threshold) in enumerate(thresholds.items(), start=1):
            tier = self.run(
                CreateTier(
                    name=name,
                    rank=rank,
                    threshold=threshold,
                    keep_threshold=(keep or {}).get(name),
                    benefits=TierBenefits(upgrade_points=(gifts or {}).get(name, 0)),
                )
            )
            self.tiers[name] = tier.id

    # The clock.

    @property
    def zone_name(self) -> str:
        return self.program.time_zone

    def noon(self, year: int, month: int, day: int) -> datetime:
        """Noon of a local day."""
        return calendars.noon_of(date(year, month, day), self.zone_name)

    def local(self, year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
        """A local time."""
        return datetime.combine(date(year, month, day), time(hour, minute), calendars.zone(self.zone_name))

    def go(self, year: int, month: int, day: int) -> datetime:
        """Move the clock to noon of a later local day."""
        later = self.noon(year, month, day)
        assert later >= self.now, "the clock goes on"
        self.now = later
        return later

    # What staff and the clock do.

    def edit_tier(self, name: str, **told: Any) -> Tier:
        """Edit a tier, by its name at first."""
        return self.run(UpdateTier(tier_id=self.tiers[name], **told))

    def set_tier(self, member: UUID, name: str, until: date, reason: str = "a friend of the house") -> PointsAccount:
        return self.run(SetTier(member=MemberRef(id=member), tier_id=self.tiers[name], until=until, reason=reason))

    def end_set_tier(self, member: UUID, reason: str = "no longer") -> PointsAccount:
        return self.run(EndSetTier(member=MemberRef(id=member), reason=reason))

    def review(self, member: UUID) -> PointsAccount:
        return self.run(ReviewTier(member_id=member))

    def warn(self, member: UUID, days: int) -> tuple[Event, ...]:
        self.run(WarnOfTier(member_id=member, days=days))
        return self.events

    # What tests look at.

    @property
    def ladder(self) -> tuple[Tier, ...]:
        return self.state.all(Tier, of=PROGRAM_ID)

    def name_of(self, tier_id: UUID | None) -> str | None:
        return next((name for name, known in self.tiers.items() if known == tier_id), None)

    def tier(self, member: UUID) -> str | None:
        """The name of the tier in force."""
        return self.name_of(self.account(member).tier_id)

    def last_day(self, member: UUID) -> date | None:
        """The last local day of the tier that is earned, grace not counted."""
        valid_until = self.account(member).tier_valid_until
        return None if valid_until is None else calendars.before(calendars.local_date(valid_until, self.zone_name))

    def last_day_of_grace(self, member: UUID) -> date | None:
        until = self.account(member).tier_grace_until
        return None if until is None else calendars.before(calendars.local_date(until, self.zone_name))

    def changes(self, member: UUID) -> tuple[TierChange, ...]:
        return self._of_member(TierChange, member)

    def steps(self, member: UUID) -> list[tuple[str, str | None]]:
        """A member's history as cause and tier in force."""
        return [(change.cause.value, self.name_of(change.tier_id)) for change in self.changes(member)]

    def days(self, member: UUID) -> list[tuple[str, str | None, str]]:
        """A member's history as cause, tier in force and local day."""
        return [
            (change.cause.value, self.name_of(change.tier_id), str(self.day_of(change.occurred_at)))
            for change in self.changes(member)
        ]

    def day_of(self, at: datetime) -> date:
        return calendars.local_date(at, self.zone_name)

    def counted(self, member: UUID) -> dict[str, tuple[int, int, int]]:
        """What counts by local day: points, money in minor units and purchases; without days that come to nothing."""
        sums: dict[str, tuple[int, int, int]] = {}
        for entry in self._of_member(QualifyingEntry, member):
            before = sums.get(str(entry.day), (0, 0, 0))
            added = (entry.points, entry.spend_minor, entry.purchases)
            sums[str(entry.day)] = (before[0] + added[0], before[1] + added[1], before[2] + added[2])
        return {day: sums[day] for day in sorted(sums) if any(sums[day])}

    def gifts(self, member: UUID) -> list[int]:
        """The points of each gift for a tier."""
        return [grant.points for grant in self.grants(member)]

    def grants(self, member: UUID) -> list[Grant]:
        """What was given for tiers, in the order of time."""
        of_member = [grant for grant in self.state.rows(Grant) if grant.member_id == member]
        return [grant for grant in of_member if grant.trigger is Trigger.TIER_REACHED]

    def ledger(self, member: UUID) -> Ledger:
        """What a store answers: the account with what is open of it, and what decides about its tier."""
        return ledger_of(self, member)

    def progress(self, member: UUID) -> TierProgress:
        return reading.tier_progress(self.ledger(member), self.program, self.ladder, self.now)


def ledger_of(shop: Any, member: UUID, now: datetime | None = None) -> Ledger:
    """The ledger of a member of anything that has a complete state, at its own time or a later one."""
    state, program = shop.state, shop.state.get(Program, PROGRAM_ID)
    holds = state.all(Hold, of=member)
    lots: Sequence[Lot] = state.all(Lot, of=member)
    account = state.get(PointsAccount, member)
    pending = [lot.earned_at for lot in lots if lot.state == "PENDING"]
    years = years_of(program, account, shop.now if now is None else now, pending)
    return Ledger(
        account=account,
        lots=tuple(lots),
        holds=holds,
        draws=tuple(draw for hold in holds for draw in state.all(LotDraw, of=hold.transaction_id)),
        shortfalls=state.all(Shortfall, of=member),
        entries=tuple(entry for year in years for entry in state.all(QualifyingEntry, of=year_of(member, year))),
        history=state.all(TierChange, of=member),
    )


def year(downgrade: Downgrade = Downgrade.FULL, **told: Any) -> TierPolicy:
    return TierPolicy(window=TierWindow.CALENDAR_YEAR, downgrade=downgrade, **told)


def golden(policy: TierPolicy, **told: Any) -> tuple[Club, UUID]:
    """A member who reached Gold in 2025, so that it is kept or lost at the end of 2026."""
    club = Club(policy, day=date(2025, 6, 1), **told)
    member = club.enroll()
    club.buy(member, 30_000)
    return club, member
