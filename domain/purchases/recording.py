"""Recording a purchase: what was paid, what it earned, and under which rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain import checks, members, money, programs, stores
from domain.earning import rule_sets
from domain.earning.facts import Occasion
from domain.earning.rules import Trigger
from domain.kernel import FAMILY, Command, Decision, Event, Refusal, State, Want
from domain.members import MemberRef
from domain.points.account import Lot, LotState, PointsAccount, SourceType
from domain.points.book import Source
from domain.points.posting import Posting, account_wants, open_posting, wants_to_draw
from domain.programs import Program
from domain.purchases.purchase import Purchase, PurchaseLine, basis_of, counted
from domain.stores import Channel
from domain.tiers.tier import Tier
from domain.values import changed

LINES_MAX: Final = 200
QUANTITY_MAX: Final = 1_000_000


class PurchaseConflict(Refusal):
    """The order number was recorded before, with other content. Details: `externalId`, `purchaseId`."""

    code = "PURCHASE_CONFLICT"
    text = "The purchase {externalId!r} was recorded before with other content; it is {purchaseId}."


class LinesInvalid(Refusal):
    """Lines and freight do not sum to the amount. Details: `amount`, `sum`."""

    code = "LINES_INVALID"
    text = "Lines and freight sum to {sum} minor units, the amount is {amount}; they must be equal."


class OffsetInvalid(Refusal):
    """Points cover more than the goods cost, or the hold is another member's. Details: `offset`, `goods`."""

    code = "OFFSET_INVALID"
    text = "Points may cover at most the goods, {goods} minor units, from a hold of the same member; this is {offset}."


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseRecorded(Event):
    """A purchase was recorded; `points` is what it earned."""

    purchase_id: UUID
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseConfirmed(Event):
    """The shop said that the order was received; points waiting for that became available."""

    purchase_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A purchase and the account after it. `is_repeat`: the same order had been recorded before."""

    purchase: Purchase
    account: PointsAccount
    is_repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """Points used as money: a hold to capture whole, and the money it covers."""

    hold_id: UUID
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line as the shop tells it."""

    amount_minor: int
    product_id: str | None = None
    name: str | None = None
    category: str | None = None
    quantity: int = 1
    earns: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPurchase(Command[Recorded]):
    """Record a purchase and credit what it earns.

    Without `lines` the purchase has one line, the amount less freight. The same order told twice
    with the same content answers the first (`is_repeat`); with other content it is refused with
    `PurchaseConflict`. Refuses also unknown or frozen members, closed stores, wrong currency,
    amounts and times out of bounds.
    """

    member: MemberRef
    external_id: str
    amount_minor: int
    currency_code: str
    freight_minor: int = 0
    lines: tuple[Line, ...] = ()
    offset: Offset | None = None
    store_id: UUID | None = None
    channel: Channel = Channel.ONLINE
    occurred_at: datetime | None = None

    def decide(self, state: State) -> Decision[Recorded]:
        external_id = self._checked()
        occurred_at = checks.past("occurredAt", self.occurred_at, state.now)
        programs.check_currency(state.get(Program, state.program_id), self.currency_code)
        member_id = members.resolve(state, self.member)
        before = state.find_by(Purchase, "external_id", external_id)
        if before is not None:
            return self._repeated(state, before, member_id)
        stores.open_store(state, self.store_id)
        posting = open_posting(state, member_id)
        posting.require_active()
        purchase = self._purchase(state, posting, external_id, occurred_at)
        rows = posting.close()
        recorded = PurchaseRecorded(member_id=member_id, purchase_id=purchase.id, points=purchase.points_earned)
        return Decision(
            Recorded(purchase=purchase, account=posting.account),
            save=(*rows, purchase),
            events=(recorded, *posting.events),
        )

    def _checked(self) -> str:
        checks.amount("amount", self.amount_minor)
        checks.amount("freight", self.freight_minor)
        checks.at_most("lines", self.lines, LINES_MAX)
        for line in self.lines:
            checks.amount("lines.amount", line.amount_minor)
            checks.number("lines.quantity", line.quantity, minimum=1, maximum=QUANTITY_MAX)
            for name in ("product_id", "name", "category"):
                checks.optional_text(f"lines.{name}", getattr(line, name))
        goods = sum(line.amount_minor for line in self.lines)
        if self.lines and goods + self.freight_minor != self.amount_minor:
            raise LinesInvalid(field=("lines",), sum=goods + self.freight_minor, amount=self.amount_minor)
        if self.freight_minor > self.amount_minor:
            raise LinesInvalid(field=("freight",), sum=self.freight_minor, amount=self.amount_minor)
        return checks.text("externalId", self.external_id, length_max=100)

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """All that can be asked for beforehand, so that it is loaded in one round."""
        wants = [
            Want(Program, program_id),
            Want(Purchase, self.external_id.strip(), "external_id", is_locked=True),
            *account_wants(self.member),
        ]
        if self.store_id is not None:
            wants.append(Want(stores.Store, self.store_id))
        wants.append(Want(Tier, program_id, FAMILY))
        return tuple(wants)

    def _repeated(self, state: State, before: Purchase, member_id: UUID) -> Decision[Recorded]:
        told = (
            member_id,
            self.amount_minor,
            self.freight_minor,
            0 if self.offset is None else self.offset.amount_minor,
            self._goods(),
        )
        kept = (
            before.member_id,
            before.amount_minor,
            before.freight_minor,
            before.offset_minor,
            tuple((line.amount_minor, line.earns) for line in before.lines),
        )
        if told != kept:
            raise PurchaseConflict(field=("externalId",), externalId=before.external_id, purchaseId=str(before.id))
        account = open_posting(state, before.member_id).account
        return Decision(Recorded(purchase=before, account=account, is_repeat=True))

    def _goods(self) -> tuple[tuple[int, bool], ...]:
        return tuple((line.amount_minor, line.earns) for line in self._told_lines())

    def _told_lines(self) -> tuple[Line, ...]:
        return self.lines or (Line(amount_minor=self.amount_minor - self.freight_minor),)

    def _purchase(self, state: State, posting: Posting, external_id: str, occurred_at: datetime) -> Purchase:
        purchase_id = state.new_id()
        points_spent, spending_id = self._spend(posting)
        lines = self._lines(points_spent)
        facts = posting.facts(Trigger.PURCHASE, occurred_at)
        occasion = Occasion(
            trigger=Trigger.PURCHASE,
            occurred_at=occurred_at,
            time_zone=posting.program.time_zone,
            lines=basis_of(lines),
            freight_minor=self.freight_minor,
            store_id=self.store_id,
            channel=self.channel,
        )
        given = posting.earn(occasion, facts, Source(SourceType.PURCHASE, purchase_id))
        tier = posting.tier_at(occurred_at)
        purchase = Purchase(
            id=purchase_id,
            program_id=state.program_id,
            member_id=posting.account.id,
            external_id=external_id,
            store_id=self.store_id,
            channel=self.channel,
            amount_minor=self.amount_minor,
            freight_minor=self.freight_minor,
            offset_minor=sum(line.offset_minor for line in lines),
            lines=lines,
            points_spent=points_spent,
            spending_id=spending_id,
            rule_version=given.rule_version,
            tier_id=facts.tier_id,
            multiplier_bp=facts.multiplier_bp,
            discount_bp=0 if tier is None else tier.benefits.discount_bp,
            facts=facts if rule_sets.ready(rule_sets.of_version(state, given.rule_version)).keeps_facts else None,
            earned=tuple(given.earned),
            points_earned=given.points,
            earning_id=given.earning_id,
            occurred_at=occurred_at,
            recorded_at=state.now,
            actor=state.actor,
        )
        posting.qualify(counted(lines), occurred_at)
        posting.note_purchase(occurred_at)
        return purchase

    def _spend(self, posting: Posting) -> tuple[int, UUID | None]:
        if self.offset is None:
            return 0, None
        goods = self.amount_minor - self.freight_minor
        hold = posting.find_hold(self.offset.hold_id)
        if hold.member_id != posting.account.id or not 0 < self.offset.amount_minor <= goods:
            raise OffsetInvalid(field=("offset",), offset=self.offset.amount_minor, goods=goods)
        _, transaction = posting.capture(hold, hold.amount)
        return hold.amount, transaction.id

    def _lines(self, points_spent: int) -> tuple[PurchaseLine, ...]:
        told = self._told_lines()
        offset = 0 if self.offset is None else self.offset.amount_minor
        offsets = _within(offset, [line.amount_minor for line in told])
        points = money.shares(points_spent, offsets)
        return tuple(
            PurchaseLine(
                number=number,
                product_id=checks.optional_text("lines.product_id", line.product_id),
                name=checks.optional_text("lines.name", line.name),
                category=checks.optional_text("lines.category", line.category),
                quantity=line.quantity,
                amount_minor=line.amount_minor,
                earns=line.earns,
                offset_minor=offset_minor,
                points=line_points,
            )
            for number, (line, offset_minor, line_points) in enumerate(zip(told, offsets, points, strict=True), start=1)
        )


def _within(total: int, amounts: Sequence[int]) -> tuple[int, ...]:
    """Shares of `total` by amount; no share is more than its amount, because the total is not."""
    return money.shares(total, amounts) if total else (0,) * len(amounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmPurchase(Command[Recorded]):
    """The order was received: points that waited for it become available (L3, ON_EVENT). Again changes nothing."""

    purchase_id: UUID

    def decide(self, state: State) -> Decision[Recorded]:
        purchase = state.get(Purchase, self.purchase_id)
        state.need(*wants_to_draw(state, purchase.member_id))
        posting = open_posting(state, purchase.member_id)
        if purchase.confirmed_at is not None:
            return Decision(Recorded(purchase=purchase, account=posting.account, is_repeat=True))
        for lot in sorted(posting.open_lots, key=lambda lot: lot.id.int):
            if _awaits(lot, purchase):
                posting.activate(lot, state.now)
        purchase = changed(purchase, confirmed_at=state.now)
        rows = posting.close()
        confirmed = PurchaseConfirmed(member_id=purchase.member_id, purchase_id=purchase.id)
        return Decision(
            Recorded(purchase=purchase, account=posting.account),
            save=(*rows, purchase),
            events=(confirmed, *posting.events),
        )


def _awaits(lot: Lot, purchase: Purchase) -> bool:
    is_its = lot.source_id == purchase.id
    return is_its and lot.state is LotState.PENDING and lot.available_at is None
