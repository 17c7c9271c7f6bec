"""Signing in for today, and making a missed day up: each date once, whatever it is told by (G1, G3)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from domain import calendars, members, prizes
from domain.check_ins.activity import CheckInActivity, MakeUpTerms
from domain.check_ins.cards import Deck, MakeUpCards
from domain.check_ins.check_in import (
    Attained,
    CheckedIn,
    CheckIn,
    CheckInResult,
    DaySigned,
    MakeUpImpossible,
    MakeUpLimitReached,
    MakeUpPayment,
    MakeUpPaymentInvalid,
    MilestoneReached,
    check_in_id,
    year_of,
)
from domain.check_ins.eligibility import activity_of, missable, require_for, require_open
from domain.check_ins.streak import (
    Paid,
    Reached,
    Run,
    Streak,
    reached,
    remembered,
    still_asked,
    streak_id,
    with_day,
)
from domain.earning.rules import EarningKind, EarningRule, Trigger
from domain.kernel import Command, Decision, Event, Row, State, Want
from domain.members import MemberRef
from domain.points.account import SourceType
from domain.points.book import Source
from domain.points.posting import Posting, account_wants, open_posting, wants_to_draw
from domain.prizes import PrizeKind
from domain.programs import Program
from domain.values import changed
from domain.vouchers.pool import PoolClosed, PoolEmpty
from domain.vouchers.voucher import VoucherExpired, VoucherLimitReached

# Nobody's check-in is refused because a prize has run out.
_OUT: Final = (PoolClosed, PoolEmpty, VoucherExpired, VoucherLimitReached)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCheckIn(Command[CheckInResult]):
    """Sign a member in for today's local date, and give what the activity and the program's rules give for it.

    The second time on a date answers the first check-in, `already_signed`, and gives nothing (G1). Refuses unknown
    members and activities, frozen members, `CheckInClosed`, `CheckInNotEligible`.
    """

    member: MemberRef
    activity: str

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """What finds the member and the activity."""
        return (*account_wants(self.member), *_activity_wants(program_id, self.activity))

    def decide(self, state: State) -> Decision[CheckInResult]:
        activity = activity_of(state, self.activity)
        posting = open_posting(state, members.resolve(state, self.member))
        today = calendars.local_date(state.now, posting.program.time_zone)
        signing = Signing(state, posting, activity, day=today, today=today)
        if signing.before is not None:
            return Decision(signing.again(signing.before))
        posting.require_active()
        require_open(activity, state.now)
        require_for(state, posting.account, activity, posting.program.time_zone)
        return signing.signed(at=state.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeUpCheckIn(Command[CheckInResult]):
    """Make a missed day up, for points or with a card: it gives its rung, and milestones that the healed run reaches.

    Of the same day nothing is given twice (G3). Refuses what `CreateCheckIn` does, then `MakeUpImpossible` (a day that
    is not missed, or too long ago), `DaySigned`, `MakeUpLimitReached`, `MakeUpPaymentInvalid`, and whoever cannot pay.
    """

    member: MemberRef
    activity: str
    day: date
    payment: MakeUpPayment

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """What finds the member and the activity."""
        return (*account_wants(self.member), *_activity_wants(program_id, self.activity))

    def decide(self, state: State) -> Decision[CheckInResult]:
        activity = activity_of(state, self.activity)
        member_id = members.resolve(state, self.member)
        state.need(*wants_to_draw(state, member_id))
        posting = open_posting(state, member_id)
        posting.require_active()
        require_open(activity, state.now)
        require_for(state, posting.account, activity, posting.program.time_zone)
        zone_name = posting.program.time_zone
        today = calendars.local_date(state.now, zone_name)
        terms = _require_missed(activity, posting, self.day, today)
        signing = Signing(state, posting, activity, day=self.day, today=today)
        if signing.before is not None:
            raise DaySigned(field=("day",), day=str(self.day))
        if signing.made_up >= terms.per_month:
            raise MakeUpLimitReached(field=("day",), limit=terms.per_month)
        signing.pay(terms, self.payment)
        # For its own day, as if it had been signed then: rules with days and caps of days look at that one.
        noon = calendars.noon_of(self.day, zone_name)
        return signing.signed(at=min(state.now, max(noon, posting.account.enrolled_at)))


def _activity_wants(program_id: UUID, code: str) -> tuple[Want, ...]:
    return Want(Program, program_id), Want(CheckInActivity, code.strip(), "code")


def _require_missed(activity: CheckInActivity, posting: Posting, day: date, today: date) -> MakeUpTerms:
    """The terms by which a day may be made up. Refuses `MakeUpImpossible` for one that may not (G3)."""
    terms = activity.make_up
    if terms is None:
        raise MakeUpImpossible(field=("activity",), day=str(day), why="the activity has no days that are made up")
    may = missable(activity, posting.account.enrolled_at, posting.program.time_zone, today)
    why = None
    if day > today:
        why = "it has not begun"
    elif day == today:
        why = "it is today, for which one signs in"
    elif day < may.began:
        why = "the member, or the activity, came later"
    elif day < may.first:
        why = f"only the last {terms.days} days are"
    if why is not None:
        raise MakeUpImpossible(field=("day",), day=str(day), why=why, first=str(may.first), last=str(may.last))
    return terms


@dataclass(slots=True, eq=False)
class Signing:
    """One date of one member and activity, on its way to be signed."""

    state: State
    posting: Posting
    activity: CheckInActivity
    day: date
    today: date
    id: UUID = field(init=False)
    before: CheckIn | None = field(init=False)
    streak: Streak | None = field(init=False)
    deck: Deck = field(init=False)
    _made_up_for: MakeUpPayment | None = None
    _cost: int = 0
    _transaction_id: UUID | None = None
    _save: list[Row] = field(default_factory=list[Row])
    _events: list[Event] = field(default_factory=list[Event])
    # Dates whose rung a milestone of this command has replaced.
    _replaced: set[date] = field(default_factory=set[date])

    def __post_init__(self) -> None:
        member_id = self.posting.account.id
        self.id = check_in_id(member_id, self.activity.id, self.day)
        key = streak_id(member_id, self.activity.id)
        self.state.need(
            Want(CheckIn, self.id, is_locked=True),
            Want(Streak, key, is_locked=True),
            Want(MakeUpCards, member_id, is_locked=True),
        )
        self.before = self.state.find(CheckIn, self.id)
        self.streak = self.state.find(Streak, key)
        self.deck = Deck(self.state, member_id)

    @property
    def made_up(self) -> int:
        """How many days were made up this month."""
        return 0 if self.streak is None else self.streak.made_up_in(self.today)

    @property
    def _paid(self) -> tuple[Paid, ...]:
        return () if self.streak is None else self.streak.paid

    def again(self, before: CheckIn) -> CheckInResult:
        """The answer to whoever signs in a second time."""
        assert self.streak is not None, "whoever checked in has a streak"
        return CheckInResult(
            check_in=before,
            streak=self.streak,
            account=self.posting.account,
            cards=self.deck.cards,
            already_signed=True,
        )

    def pay(self, terms: MakeUpTerms, payment: MakeUpPayment) -> None:
        """Pay for a day. Refuses `MakeUpPaymentInvalid`, `NoMakeUpCard`, and what spending points does."""
        self._made_up_for = payment
        accepted = {MakeUpPayment.POINTS: terms.points is not None, MakeUpPayment.CARD: terms.takes_cards}
        if not accepted[payment]:
            told = " or ".join(kind for kind, is_accepted in accepted.items() if is_accepted)
            raise MakeUpPaymentInvalid(field=("payment",), given=payment, accepted=told)
        if payment is MakeUpPayment.CARD:
            self.deck.take(self.id)
        elif terms.points:
            self._cost = terms.points
            source = Source(SourceType.CHECK_IN, self.id)
            self._transaction_id = self.posting.redeem(terms.points, source).id

    def signed(self, *, at: datetime) -> Decision[CheckInResult]:
        """Sign the day, and give its rung, the milestones it reaches, and what the program's rules give for it."""
        runs, run = with_day(() if self.streak is None else self.streak.runs, self.day)
        found = reached(self.activity, run, self.day, self._paid)
        # What is given in another shape than points comes first: a milestone that is out replaces nothing.
        attained = tuple(self._attained(found))
        base = self._base(run.until(self.day), attained)
        points = self._give(base, attained, at)
        now_paid = [Paid(day=one.day, on=one.on) for one in attained if one.was_given]
        streak = self._streak_after(runs, (*self._paid, *now_paid))
        check_in = CheckIn(
            id=self.id,
            program_id=self.state.program_id,
            member_id=self.posting.account.id,
            activity_id=self.activity.id,
            year_id=year_of(self.posting.account.id, self.activity.id, self.day.year),
            day=self.day,
            length=run.until(self.day),
            base=base,
            points=points,
            attained=attained,
            made_up_for=self._made_up_for,
            cost=self._cost,
            transaction_id=self._transaction_id,
            occurred_at=self.state.now,
            actor=self.state.actor,
        )
        return self._decided(check_in, streak)

    # What is given.

    def _attained(self, found: Sequence[Reached]) -> Iterator[Attained]:
        has_voucher = False
        for each in found:
            milestone, prize = each.milestone, each.milestone.prize
            attained = Attained(day=milestone.day, on=each.on, prize=prize)
            won = None
            if prize.kind in (PrizeKind.VOUCHER, PrizeKind.ITEM):
                # One pool gives one voucher a command; a second waits for the streak's next day.
                is_out = has_voucher and prize.kind is PrizeKind.VOUCHER
                won = None if is_out else self._won(each)
                if won is None:
                    yield changed(attained, was_given=False)
                    continue
                has_voucher = has_voucher or won.voucher is not None
                self._save.extend(won.save)
                self._events.extend(won.events)
            yield changed(
                attained,
                cards=self.deck.win(milestone.cards, self.id),
                points=self._points_of(each),
                voucher_id=None if won is None or won.voucher is None else won.voucher.id,
                redemption_id=None if won is None or won.redemption is None else won.redemption.id,
            )

    def _won(self, each: Reached) -> prizes.Won | None:
        """A voucher or an item; None if there is none left."""
        try:
            return prizes.give(self.posting, each.milestone.prize, Source(SourceType.CHECK_IN, self.id))
        except _OUT:
            return None

    def _points_of(self, each: Reached) -> int:
        """The points of a milestone: where it replaces a day's rung that was given already, what it is more."""
        points = each.milestone.points
        is_settled = each.on in self._replaced or any(one.on == each.on for one in self._paid)
        if not self.activity.replaces_base or each.on == self.day or is_settled:
            return points
        self._replaced.add(each.on)
        key = check_in_id(self.posting.account.id, self.activity.id, each.on)
        return max(0, points - self.state.get(CheckIn, key).base)

    def _base(self, length: int, attained: Sequence[Attained]) -> int:
        is_replaced = self.activity.replaces_base and any(one.was_given and one.on == self.day for one in attained)
        return 0 if is_replaced else self.activity.rung(length)

    def _give(self, base: int, attained: Sequence[Attained], at: datetime) -> int:
        """Credit it all as one occasion, through the rules, with caps and explanation. The points given."""
        told = [(self._code(), base), *((self._code(one.day), one.points) for one in attained)]
        gifts = tuple(
            EarningRule(code=code, kind=EarningKind.FIXED, points=points, trigger=Trigger.CHECK_IN)
            for code, points in told
            if points
        )
        occasion = f"{self.activity.id}|{self.day}"
        grant = self.posting.give(Trigger.CHECK_IN, occasion, at, gifts=gifts)
        return 0 if grant is None else grant.points

    def _code(self, milestone: int | None = None) -> str:
        """What a transaction names as its rule: `check-in:daily`, and `check-in:daily:20` for a milestone."""
        part = "" if milestone is None else f":{milestone}"
        return f"check-in:{self.activity.code}{part}"

    # What remains.

    def _streak_after(self, runs: Sequence[Run], paid: Sequence[Paid]) -> Streak:
        """The streak with the day in it."""
        before, latest = self.streak, runs[-1]
        return Streak(
            id=streak_id(self.posting.account.id, self.activity.id),
            program_id=self.state.program_id,
            member_id=self.posting.account.id,
            activity_id=self.activity.id,
            first_day=latest.first,
            last_day=latest.last,
            length=latest.length,
            longest=max(0 if before is None else before.longest, *(run.length for run in runs)),
            check_ins=1 if before is None else before.check_ins + 1,
            earlier=remembered(runs[:-1], self.today),
            paid=still_asked(paid, self.today),
            made_up_month=self.today.replace(day=1),
            made_up=self.made_up + (self._made_up_for is not None),
        )

    def _decided(self, check_in: CheckIn, streak: Streak) -> Decision[CheckInResult]:
        told = CheckedIn(
            member_id=check_in.member_id,
            activity_id=self.activity.id,
            check_in_id=check_in.id,
            day=self.day,
            is_made_up=check_in.made_up_for is not None,
            points=check_in.points,
            length=streak.length,
            last_day=streak.last_day,
            longest=streak.longest,
            check_ins=streak.check_ins,
        )
        milestones = [
            MilestoneReached(
                member_id=check_in.member_id,
                activity_id=self.activity.id,
                check_in_id=check_in.id,
                day=one.day,
                points=one.points,
                cards=one.cards,
                voucher_id=one.voucher_id,
                redemption_id=one.redemption_id,
            )
            for one in check_in.attained
            if one.was_given
        ]
        rows = self.posting.close()
        result = CheckInResult(check_in=check_in, streak=streak, account=self.posting.account, cards=self.deck.cards)
        return Decision(
            result,
            save=(*rows, *self._save, *self.deck.save, streak, check_in),
            events=(told, *milestones, *self._events, *self.posting.events),
        )
