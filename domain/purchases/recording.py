"""Recording a purchase: what was paid, what it earned, and under which rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain import checks, members, money, programs, stores, trade
from domain.earning.facts import Occasion
from domain.earning.rules import Trigger
from domain.identities import Identity
from domain.kernel import FAMILY, Command, Decision, Event, Refusal, Row, State, Want
from domain.members import MemberRef
from domain.points.account import Lot, LotState, PointsAccount, SourceType
from domain.points.book import Source
from domain.points.posting import Posting, account_wants, open_posting, wants_to_draw
from domain.programs import Program
from domain.purchases import paying
from domain.purchases.paying import Line, Offset
from domain.purchases.purchase import Purchase, PurchaseLine, basis_of, counted, paid_minor
from domain.referrals import qualifying
from domain.stores import Channel
from domain.tiers import tier as tiers
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
    # Points held for this very order, in place of `offset`.
    offset_id: UUID | None = None
    voucher_codes: tuple[str, ...] = ()
    freight_discount_minor: int = 0
    store_id: UUID | None = None
    channel: Channel = Channel.ONLINE
    occurred_at: datetime | None = None
    # Who the shop saw buying: compared with whoever brought the member (R2).
    identified: tuple[Identity, ...] = ()

    def decide(self, state: State) -> Decision[Recorded]:
        external_id = self._checked()
        occurred_at = checks.past("occurredAt", self.occurred_at, state.now)
        programs.check_currency(state.get(Program, state.program_id), self.currency_code)
        member_id = members.resolve(state, self.member)
        before = state.find_by(Purchase, "external_id", external_id)
        if before is not None:
            return self._repeated(state, before, member_id)
        store = stores.open_store(state, self.store_id)
        posting = open_posting(state, member_id)
        posting.require_active()
        settled = paying.settle(state, posting, self._means(external_id, store), state.new_id())
        purchase, counted_here = self._purchase(state, posting, settled, occurred_at)
        brought = qualifying.on_purchase(posting, self._order(purchase))
        purchase = changed(purchase, referral_id=brought.referral_id)
        rows = posting.close()
        recorded = PurchaseRecorded(member_id=member_id, purchase_id=purchase.id, points=purchase.points_earned)
        return Decision(
            Recorded(purchase=purchase, account=posting.account),
            save=(*rows, *settled.rows, *counted_here, *brought.save, purchase),
            events=(recorded, *settled.events, *brought.events, *posting.events),
        )

    def _means(self, external_id: str, store: stores.Store | None) -> paying.Means:
        return paying.Means(
            reference=external_id,
            lines=self._told_lines(),
            freight_minor=self.freight_minor,
            freight_discount_minor=self.freight_discount_minor,
            voucher_codes=self.voucher_codes,
            offset=self.offset,
            offset_id=self.offset_id,
            store=store,
            channel=self.channel,
        )

    def _order(self, purchase: Purchase) -> qualifying.Order:
        return qualifying.Order(
            id=purchase.id,
            paid_minor=paid_minor(purchase.lines),
            occurred_at=purchase.occurred_at,
            identified=self.identified,
        )

    def _checked(self) -> str:
        checks.amount("amount", self.amount_minor)
        checks.amount("freight", self.freight_minor)
        checks.at_most("lines", self.lines, LINES_MAX)
        for line in self.lines:
            checks.amount("lines.amount", line.amount_minor)
            checks.amount("lines.discount", line.discount_minor)
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
        wants.append(Want(trade.TradeRule, program_id, FAMILY))
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

    def _purchase(
        self, state: State, posting: Posting, settled: paying.Settled, occurred_at: datetime
    ) -> tuple[Purchase, tuple[Row, ...]]:
        """The purchase, and the rows that count what its store and channel give."""
        lines = self._lines(settled)
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
        room = paying.room(state, posting, settled.means, occurred_at)
        given = posting.earn(occasion, facts, Source(SourceType.PURCHASE, settled.purchase_id), room=room.points)
        tier = tiers.current(state.all(Tier, of=state.program_id), facts.tier_id)
        purchase = Purchase(
            id=settled.purchase_id,
            program_id=state.program_id,
            member_id=posting.account.id,
            external_id=settled.means.reference,
            store_id=self.store_id,
            channel=self.channel,
            amount_minor=self.amount_minor,
            freight_minor=self.freight_minor,
            offset_minor=sum(line.offset_minor for line in lines),
            lines=lines,
            voucher_ids=tuple(voucher.id for voucher in settled.vouchers),
            discount_minor=sum(line.discount_minor for line in lines) + self.freight_discount_minor,
            freight_discount_minor=self.freight_discount_minor,
            points_spent=settled.points,
            spending_id=settled.spending_id,
            rule_version=given.rule_version,
            tier_id=facts.tier_id,
            multiplier_bp=facts.multiplier_bp,
            discount_bp=0 if tier is None else tier.benefits.discount_bp,
            facts=facts if posting.rules.keeps_facts else None,
            earned=tuple(given.earned),
            points_earned=given.points,
            earning_id=given.earning_id,
            occurred_at=occurred_at,
            recorded_at=state.now,
            actor=state.actor,
        )
        posting.qualify(counted(lines), occurred_at)
        posting.note_purchase(occurred_at)
        return purchase, room.used(given.points)

    def _lines(self, settled: paying.Settled) -> tuple[PurchaseLine, ...]:
        told = self._told_lines()
        offsets = _within(settled.offset_minor, [line.amount_minor for line in told])
        points = money.shares(settled.points, offsets)
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
                discount_minor=line.discount_minor,
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
