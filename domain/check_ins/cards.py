"""Make-up cards: how many a member has, and every change of that with its reason (G3)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain import checks, members
from domain.check_ins.activity import CARDS_MAX
from domain.check_ins.check_in import NoMakeUpCard
from domain.checks import NumberInvalid
from domain.kernel import Command, Decision, Event, Refusal, Row, State
from domain.members import MemberRef
from domain.points.account import PointsAccount
from domain.points.posting import open_posting
from domain.values import changed


class CardSource(StrEnum):
    """Why a member has more or fewer make-up cards."""

    GRANT = "GRANT"  # staff gave them, or took them back
    MILESTONE = "MILESTONE"  # given for a milestone; the id is that of the check-in
    MAKE_UP = "MAKE_UP"  # spent on a day; the id is that of the check-in


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeUpCards(Row):
    """How many make-up cards a member has. Its id is the member's, and the account's row guards it."""

    cards: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeUpCardEntry(Row):
    """One change of a member's make-up cards; append-only, so that their sum is what the member has."""

    is_fact: ClassVar[bool] = True

    member_id: UUID
    source: CardSource
    source_id: UUID
    cards: int
    cards_after: int
    reason: str | None = None
    recorded_at: datetime
    actor: str


class CardsGrantInvalid(NumberInvalid):
    """Neither cards to give nor cards to take back, or too many. Details: `number`, `minimum`, `maximum`."""

    code = "NUMBER_INVALID"
    text = "{name} must be from 1 to {maximum}, or from -1 to {minimum} to take some back; it is {number}."


class CardsInvalid(Refusal):
    """A member would have more make-up cards than it may, or fewer than none. Details: `cards`, `cards_max`."""

    code = "MAKE_UP_CARDS_INVALID"
    text = "A member has from 0 to {cards_max} make-up cards; it would have {cards}."


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeUpCardsGranted(Event):
    """Staff gave a member make-up cards, or with a negative number took some back."""

    cards: int
    cards_after: int


class Deck:
    """A member's make-up cards within one command, and the entries that explain how they change."""

    def __init__(self, state: State, member_id: UUID) -> None:
        self._state = state
        held = state.find(MakeUpCards, member_id)
        self.held = held or MakeUpCards(id=member_id, program_id=state.program_id)
        self._entries: dict[tuple[CardSource, UUID], MakeUpCardEntry] = {}

    @property
    def cards(self) -> int:
        """How many there are now."""
        return self.held.cards

    @property
    def save(self) -> tuple[Row, ...]:
        """The rows to save; none if nothing changed."""
        return (self.held, *self._entries.values()) if self._entries else ()

    def add(self, cards: int, source: CardSource, source_id: UUID, *, reason: str | None = None) -> None:
        """Add cards, or take them away. Refuses `CardsInvalid`."""
        after = self.cards + cards
        if not 0 <= after <= CARDS_MAX:
            raise CardsInvalid(field=("cards",), cards=after, cards_max=CARDS_MAX)
        self.held = changed(self.held, cards=after)
        known = self._entries.get((source, source_id))
        if known is not None:
            # What is about the same thing is one entry.
            self._entries[(source, source_id)] = changed(known, cards=known.cards + cards, cards_after=after)
            return
        self._entries[(source, source_id)] = MakeUpCardEntry(
            id=self._state.new_id(),
            program_id=self._state.program_id,
            member_id=self.held.id,
            source=source,
            source_id=source_id,
            cards=cards,
            cards_after=after,
            reason=reason,
            recorded_at=self._state.now,
            actor=self._state.actor,
        )

    def take(self, source_id: UUID) -> None:
        """Spend a card on a day. Refuses `NoMakeUpCard`."""
        if not self.cards:
            raise NoMakeUpCard(field=("payment",))
        self.add(-1, CardSource.MAKE_UP, source_id)

    def win(self, cards: int, source_id: UUID) -> int:
        """Add the cards of a milestone, as far as there is room for them: a check-in is never refused for those."""
        won = min(cards, CARDS_MAX - self.cards)
        if won:
            self.add(won, CardSource.MILESTONE, source_id)
        return won


@dataclass(frozen=True, slots=True, kw_only=True)
class CardsGranted:
    """The account, and how many make-up cards its member has now."""

    account: PointsAccount
    cards: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantMakeUpCards(Command[CardsGranted]):
    """Give a member make-up cards by hand, with a reason; a negative number takes some back.

    Refuses `CardsGrantInvalid` of zero and of too many, `CardsInvalid`, and unknown members.
    """

    member: MemberRef
    cards: int
    reason: str

    def decide(self, state: State) -> Decision[CardsGranted]:
        reason = checks.reason(self.reason)
        if not 1 <= abs(self.cards) <= CARDS_MAX:
            raise CardsGrantInvalid(
                field=("cards",), name="cards", number=self.cards, minimum=-CARDS_MAX, maximum=CARDS_MAX
            )
        posting = open_posting(state, members.resolve(state, self.member))
        deck = Deck(state, posting.account.id)
        deck.add(self.cards, CardSource.GRANT, state.new_id(), reason=reason)
        granted = MakeUpCardsGranted(member_id=posting.account.id, cards=self.cards, cards_after=deck.cards)
        rows = posting.close()
        return Decision(
            CardsGranted(account=posting.account, cards=deck.cards),
            save=(*rows, *deck.save),
            events=(granted, *posting.events),
        )
