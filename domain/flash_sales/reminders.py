"""Reminders: a member asks to be told, as an event, so many minutes before each round opens for its tier."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final, NamedTuple
from uuid import UUID

from domain import checks, members
from domain.flash_sales import rounds
from domain.flash_sales.rounds import Round
from domain.flash_sales.sale import Ended, FlashSale
from domain.kernel import Command, Decision, Event, Row, State, Want, derived_id
from domain.members import MemberRef
from domain.points.account import PointsAccount
from domain.points.posting import Posting, account_wants, open_posting
from domain.values import changed

MINUTES_MAX: Final = 60 * 24 * 7


@dataclass(frozen=True, slots=True, kw_only=True)
class FlashSaleReminder(Row):
    """That a member wants to be told of a sale, once a round. One of a member and a sale."""

    parent: ClassVar[str | None] = "member_id"
    guard: ClassVar[type[Row] | None] = PointsAccount

    member_id: UUID
    sale_id: UUID
    minutes: int
    is_wanted: bool = True
    # The opening of the last round it was told of, or that was open already when it was asked for.
    told_for: datetime | None = None
    # The `timing` of the sale by which `due_at` was reckoned.
    timing: int
    # When it is to be looked at next; None if no round is to come.
    due_at: datetime | None = None


def reminder_id(member_id: UUID, sale_id: UUID) -> UUID:
    """The id of a member's reminder of a sale."""
    return derived_id(sale_id, f"reminder {member_id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlashSaleOpening(Event):
    """A round opens for the member at `opens_at`: its head start is reckoned in."""

    sale_id: UUID
    opens_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded:
    """A reminder and its member's account."""

    reminder: FlashSaleReminder
    account: PointsAccount


class _Asked(NamedTuple):
    """What a reminder is reckoned from."""

    sale: FlashSale
    tier_id: UUID | None
    now: datetime
    zone_name: str

    @classmethod
    def of(cls, posting: Posting, sale: FlashSale) -> "_Asked":
        return cls(sale, posting.account.tier_id, posting.state.now, posting.program.time_zone)

    def open_since(self) -> datetime | None:
        """The round that the member may claim in now, by when it opens for everybody."""
        moment = rounds.moment(self.sale, self.tier_id, self.now, self.zone_name)
        return moment.round.opens_at if moment.is_on and moment.round is not None else None

    def coming(self, told_for: datetime | None) -> Round | None:
        """The round to tell of next: one that is on and was not told of, or the first to come."""
        current = rounds.current_round(self.sale, self.now, self.zone_name)
        if current is not None and (told_for is None or told_for < current.opens_at):
            return current
        after = self.now if told_for is None else max(self.now, told_for)
        return rounds.next_round(self.sale, after, self.zone_name)


def _reckoned(reminder: FlashSaleReminder, asked: _Asked) -> FlashSaleReminder:
    """When to look at it next. Somebody may rise to a tier meanwhile: it is looked at for the longest head start."""
    coming = asked.coming(reminder.told_for) if reminder.is_wanted and asked.sale.is_active else None
    due_at = None
    if coming is not None:
        ahead = timedelta(minutes=reminder.minutes)
        due_at = coming.opens_at - asked.sale.longest_head_start - ahead
        if due_at <= asked.now:
            due_at = coming.opens_at - asked.sale.head_start(asked.tier_id) - ahead
    return changed(reminder, due_at=due_at, timing=asked.sale.timing)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemindOfFlashSale(Command[Reminded]):
    """Ask to be told so many minutes before each round, or with `is_wanted` False no longer. Again changes nothing.

    Refuses `NotFound`, and `Ended` when no round is to come.
    """

    member: MemberRef
    sale_id: UUID
    minutes: int = 10
    is_wanted: bool = True

    def wants(self, program_id: UUID) -> tuple[Want, ...]:  # noqa: ARG002 - as the kernel asks
        """The member and the sale."""
        return *account_wants(self.member), Want(FlashSale, self.sale_id)

    def decide(self, state: State) -> Decision[Reminded]:
        minutes = checks.number("minutes", self.minutes, minimum=0, maximum=MINUTES_MAX)
        posting = open_posting(state, members.resolve(state, self.member))
        asked = _Asked.of(posting, state.get(FlashSale, self.sale_id))
        key = reminder_id(posting.account.id, asked.sale.id)
        before = state.find(FlashSaleReminder, key)
        open_since = asked.open_since()
        if self.is_wanted and asked.coming(open_since) is None:
            raise Ended(field=("flashSaleId",))
        reminder = before or FlashSaleReminder(
            id=key,
            program_id=state.program_id,
            member_id=posting.account.id,
            sale_id=asked.sale.id,
            minutes=minutes,
            is_wanted=False,
            timing=asked.sale.timing,
        )
        if self.is_wanted and not reminder.is_wanted:
            # What is open already needs no reminder, and what was told of is told of once.
            told_for = max((at for at in (reminder.told_for, open_since) if at is not None), default=None)
            reminder = changed(reminder, told_for=told_for)
        reminder = _reckoned(changed(reminder, minutes=minutes, is_wanted=self.is_wanted), asked)
        save = () if reminder == before else (reminder,)
        return Decision(Reminded(reminder=reminder, account=posting.account), save=save)


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfFlashSale(Command[FlashSaleReminder]):
    """The clock came to a reminder: tell of the round if it is time to, once, and reckon when to look again.

    Told late it tells of a round that is still on; what is over is not told of any more.
    """

    reminder_id: UUID

    def decide(self, state: State) -> Decision[FlashSaleReminder]:
        reminder = state.get(FlashSaleReminder, self.reminder_id)
        posting = open_posting(state, reminder.member_id)
        asked = _Asked.of(posting, state.get(FlashSale, reminder.sale_id))
        told_for = reminder.told_for
        if reminder.timing != asked.sale.timing and told_for is not None and told_for > state.now:
            # It was told of an opening that may be another now.
            told_for = None
        after = _reckoned(changed(reminder, told_for=told_for), asked)
        events: tuple[Event, ...] = ()
        if after.due_at is not None and after.due_at <= state.now:
            coming = asked.coming(told_for)
            assert coming is not None, "it is due for a round"
            opens_at = coming.opens_at - asked.sale.head_start(asked.tier_id)
            events = (FlashSaleOpening(member_id=reminder.member_id, sale_id=reminder.sale_id, opens_at=opens_at),)
            after = _reckoned(changed(after, told_for=coming.opens_at), asked)
        return Decision(after, save=() if after == reminder else (after,), events=events)
