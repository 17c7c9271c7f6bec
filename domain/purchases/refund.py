"""Refunds: cumulative, by the rules of the purchase, and never a point given or taken twice (L7, L8, L9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain import checks, money
from domain.achievements import undoing
from domain.earning import evaluation
from domain.earning.rule_sets import EarningRules
from domain.kernel import FAMILY, Command, Decision, Event, Refusal, Row, State, Want
from domain.points.account import LotDraw, PointsAccount, ShortfallOutcome, SourceType
from domain.points.book import Source
from domain.points.posting import Clawed, Posting, Returned, open_posting, shortfall_outcome, wants_to_draw
from domain.purchases import rest
from domain.purchases.purchase import Purchase, counted, paid_minor
from domain.purchases.remaining import refunded_by_line, rest_of
from domain.purchases.rest import RefundLine
from domain.referrals import qualifying
from domain.referrals.referral import Referral
from domain.values import changed
from domain.vouchers.voucher import Voucher


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund(Row):
    """Money and points given back for a purchase. `external_id` is unique among the purchase's refunds.

    `cash_minor` is what the shop owes the member in money, `deducted_minor` already taken off.
    `points_due` should have been taken back; `points_cancelled` (pending) and `points_reversed`
    were, `points_short` could not be, with `short_outcome`. `points_returned` of spent points came
    back to their lots, `points_replaced` to a new one, `points_forfeited` not at all.
    """

    parent: ClassVar[str | None] = "purchase_id"
    guard: ClassVar[type[Row] | None] = Purchase

    purchase_id: UUID
    member_id: UUID
    external_id: str
    lines: tuple[RefundLine, ...]
    freight_minor: int
    amount_minor: int
    cash_minor: int
    deducted_minor: int = 0
    # Taken off the money because a voucher's minimum is no longer met; negative: given back with the rest (C4).
    discount_lost_minor: int = 0
    points_due: int = 0
    points_cancelled: int = 0
    points_reversed: int = 0
    points_short: int = 0
    short_outcome: ShortfallOutcome | None = None
    points_returned: int = 0
    points_replaced: int = 0
    points_forfeited: int = 0
    reason: str | None = None
    actor: str
    occurred_at: datetime
    recorded_at: datetime


class RefundExceeds(Refusal):
    """More is to be refunded than remains. Details: `requested`, `remaining`, in minor units."""

    code = "REFUND_EXCEEDS_REMAINING"
    text = "{requested} minor units are to be refunded; {remaining} remain."


class RefundEmpty(Refusal):
    """Nothing is to be refunded, or nothing remains."""

    code = "REFUND_EMPTY"
    text = "There is nothing to refund: the purchase is refunded already, or every amount is 0."


class RefundConflict(Refusal):
    """The refund number was recorded before with other content. Details: `externalId`, `refundId`."""

    code = "REFUND_CONFLICT"
    text = "The refund {externalId!r} was recorded before with other content; it is {refundId}."


class LineUnknown(Refusal):
    """A line number that the purchase does not have, or has been given twice. Details: `number`."""

    code = "LINE_UNKNOWN"
    text = "The purchase has no line {number}, or it is named twice."


class RefundAmbiguous(Refusal):
    """A refund tells an amount and lines at once."""

    code = "REFUND_AMBIGUOUS"
    text = "A refund tells either an amount or lines (and freight); with neither, all that remains is refunded."


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseRefunded(Event):
    """A purchase was refunded in part or whole."""

    purchase_id: UUID
    refund_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """A refund, its purchase and the account after it. `is_repeat`: it had been recorded before."""

    refund: Refund
    purchase: Purchase
    account: PointsAccount
    is_repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineAmount:
    """How much of a line is to be refunded, in minor units of its value."""

    number: int
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseRef:
    """How a caller names a purchase: by its id or by the shop's order number."""

    id: UUID | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPurchase(Command[Refunded]):
    """Refund an amount, lines, or all that remains.

    Takes back what the refunded part had earned, by the rule version of the purchase (L7), from the
    lots in the order of L8, and returns the points that had been spent on it (L9). An amount
    without lines is spread over the goods by what remains of each, then over freight.
    """

    purchase: PurchaseRef
    external_id: str
    amount_minor: int | None = None
    lines: tuple[LineAmount, ...] = ()
    freight_minor: int | None = None
    reason: str | None = None
    occurred_at: datetime | None = None

    def decide(self, state: State) -> Decision[Refunded]:
        external_id, reason = self._checked()
        occurred_at = checks.past("occurredAt", self.occurred_at, state.now)
        purchase = find_purchase(state, self.purchase)
        state.need(*_wants(state, purchase))
        earlier = state.all(Refund, of=purchase.id)
        same = next((refund for refund in earlier if refund.external_id == external_id), None)
        remaining = _remaining(purchase, earlier, same)
        if same is not None:
            return self._repeated(state, purchase, same, remaining)
        amounts, freight = self._split(purchase, remaining)
        posting = open_posting(state, purchase.member_id)
        refund = Refund(
            id=state.new_id(),
            program_id=state.program_id,
            purchase_id=purchase.id,
            member_id=purchase.member_id,
            external_id=external_id,
            lines=_refund_lines(purchase, earlier, amounts),
            freight_minor=freight,
            amount_minor=sum(amounts) + freight,
            cash_minor=0,
            reason=reason,
            actor=state.actor,
            occurred_at=occurred_at,
            recorded_at=state.now,
        )
        purchase, refund = _apply(posting, purchase, refund, earlier)
        vouchers = rest.vouchers_back(state, purchase, posting.program.time_zone)
        brought = _brought(posting, purchase, (*earlier, refund))
        rows = posting.close()
        refunded = PurchaseRefunded(member_id=purchase.member_id, purchase_id=purchase.id, refund_id=refund.id)
        return Decision(
            Refunded(refund=refund, purchase=purchase, account=posting.account),
            save=(*rows, *vouchers, *brought.save, purchase, refund),
            events=(refunded, *brought.events, *posting.events),
        )

    def _checked(self) -> tuple[str, str | None]:
        if self.amount_minor is not None:
            checks.amount("amount", self.amount_minor, minimum=1)
            if self.lines or self.freight_minor is not None:
                raise RefundAmbiguous(field=("amount",))
        if self.freight_minor is not None:
            checks.amount("freight", self.freight_minor)
        checks.at_most("lines", self.lines, 200)
        for line in self.lines:
            checks.amount("lines.amount", line.amount_minor, minimum=1)
        reason = checks.optional_text("reason", self.reason, length_max=checks.REASON_MAX)
        return checks.text("refundId", self.external_id, length_max=100), reason

    def _repeated(self, state: State, purchase: Purchase, same: Refund, remaining: "_Remaining") -> Decision[Refunded]:
        conflict = RefundConflict(field=("refundId",), externalId=same.external_id, refundId=str(same.id))
        try:
            amounts, freight = self._split(purchase, remaining)
        except (RefundExceeds, LineUnknown):
            raise conflict from None
        told = {line.number: amount for line, amount in zip(purchase.lines, amounts, strict=True) if amount}
        if told != {line.number: line.amount_minor for line in same.lines} or freight != same.freight_minor:
            raise conflict
        account = open_posting(state, purchase.member_id).account
        return Decision(Refunded(refund=same, purchase=purchase, account=account, is_repeat=True))

    def _split(self, purchase: Purchase, remaining: "_Remaining") -> tuple[tuple[int, ...], int]:
        """How much of each line and of freight is refunded. Refuses what exceeds the rest."""
        if self.amount_minor is not None:
            return _spread(self.amount_minor, remaining)
        if not self.lines and self.freight_minor is None:
            return remaining.lines, remaining.freight
        by_number = {line.number: line.amount_minor for line in self.lines}
        numbers = [line.number for line in purchase.lines]
        for line in self.lines:
            if line.number not in numbers or len(by_number) != len(self.lines):
                raise LineUnknown(field=("lines",), number=line.number)
        amounts = tuple(by_number.get(number, 0) for number in numbers)
        for amount, left in zip(amounts, remaining.lines, strict=True):
            _refuse_above(amount, left, "lines")
        freight = self.freight_minor or 0
        _refuse_above(freight, remaining.freight, "freight")
        return amounts, freight


def _brought(posting: Posting, purchase: Purchase, refunds: Sequence[Refund]) -> qualifying.Outcome:
    """What a refund makes of the referral that the purchase qualified."""
    if purchase.referral_id is None:
        return qualifying.NOTHING
    lines = rest_of(posting.state, purchase, refunds, posting.program.time_zone).lines
    return qualifying.on_refund(posting, purchase.referral_id, refunds[-1].id, paid_minor(lines))


@dataclass(frozen=True, slots=True)
class _Remaining:
    """What of a purchase is not refunded yet, in minor units of value."""

    lines: tuple[int, ...]
    freight: int


def _wants(state: State, purchase: Purchase) -> tuple[Want, ...]:
    """All that a refund of this purchase needs, so that it is loaded in one round."""
    wants = (
        *wants_to_draw(state, purchase.member_id),
        *(Want(Voucher, voucher_id, is_locked=True) for voucher_id in purchase.voucher_ids),
        Want(Refund, purchase.id, FAMILY),
        Want(EarningRules, purchase.rule_version, "version"),
    )
    if purchase.referral_id is not None:
        wants = (*wants, Want(Referral, purchase.referral_id, is_locked=True))
    return wants if purchase.spending_id is None else (*wants, Want(LotDraw, purchase.spending_id, FAMILY))


def find_purchase(state: State, ref: PurchaseRef) -> Purchase:
    """The purchase a caller names, locked. Refuses `NotFound`."""
    if ref.id is not None:
        return state.get(Purchase, ref.id)
    purchase = state.find_by(Purchase, "external_id", ref.external_id)
    if purchase is None:
        raise PurchaseUnknown(field=("purchase",), externalId=ref.external_id)
    return purchase


class PurchaseUnknown(Refusal):
    """No purchase of this program has the order number. Details: `externalId`."""

    code = "NOT_FOUND"
    text = "There is no purchase {externalId!r} in this program."


def _refuse_above(requested: int, remaining: int, name: str) -> None:
    if requested > remaining:
        raise RefundExceeds(field=(name,), requested=requested, remaining=remaining)


def _remaining(purchase: Purchase, earlier: Sequence[Refund], same: Refund | None) -> _Remaining:
    """What remains beside earlier refunds; for one told again, what remained when it was first told."""
    counted = [refund for refund in earlier if same is None or refund.id.int < same.id.int]
    refunded = refunded_by_line(counted)
    return _Remaining(
        tuple(line.amount_minor - refunded.get(line.number, 0) for line in purchase.lines),
        purchase.freight_minor - sum(refund.freight_minor for refund in counted),
    )


def _spread(amount: int, remaining: _Remaining) -> tuple[tuple[int, ...], int]:
    goods = sum(remaining.lines)
    _refuse_above(amount, goods + remaining.freight, "amount")
    of_goods = min(amount, goods)
    amounts = money.shares(of_goods, remaining.lines)
    return amounts, amount - of_goods


def _refund_lines(purchase: Purchase, earlier: Sequence[Refund], amounts: Sequence[int]) -> tuple[RefundLine, ...]:
    """Each line's part of offset and points, reckoned cumulatively so that the parts sum to the whole (L9)."""
    refunded = refunded_by_line(earlier)
    lines: list[RefundLine] = []
    for line, amount in zip(purchase.lines, amounts, strict=True):
        if not amount:
            continue
        before = refunded.get(line.number, 0)
        after = before + amount
        lines.append(
            RefundLine(
                number=line.number,
                amount_minor=amount,
                offset_minor=rest.part(line.offset_minor, before, after, line.amount_minor),
                points=rest.part(line.points, before, after, line.amount_minor),
            )
        )
    return tuple(lines)


def _apply(posting: Posting, purchase: Purchase, refund: Refund, earlier: Sequence[Refund]) -> tuple[Purchase, Refund]:
    if not refund.amount_minor:
        raise RefundEmpty
    source = Source(SourceType.REFUND, refund.id)
    returned = _give_back(posting, purchase, refund, source)
    zone_name = posting.program.time_zone
    before = rest_of(posting.state, purchase, earlier, zone_name)
    after = rest_of(posting.state, purchase, (*earlier, refund), zone_name)
    # What was earned, less what the rest earns, less what was taken before (L7).
    due = max(0, purchase.points_earned - evaluation.total(after.earned) - purchase.points_clawed)
    clawed = _claw_back(posting, purchase, due, source)
    posting.qualify(counted(after.lines) - counted(before.lines), purchase.occurred_at)
    posting.give_back_room(before.earned, after.earned, purchase.rule_version, after.occasion)
    undoing.lessen(posting, purchase.id, after.occasion)
    cash = refund.amount_minor - sum(line.offset_minor for line in refund.lines)
    taken_off = sum(other.discount_lost_minor for other in earlier)
    lost = rest.discount_lost(posting.state, purchase, refunded_by_line((*earlier, refund)), cash, taken_off)
    refund = changed(
        refund,
        cash_minor=cash - lost,
        discount_lost_minor=lost,
        points_due=due,
        points_cancelled=clawed.cancelled,
        points_reversed=clawed.reversed,
        points_short=clawed.short,
        points_returned=returned.to_lots,
        points_replaced=returned.replaced,
        points_forfeited=returned.forfeited,
    )
    if clawed.short:
        refund = _fall_short(posting, purchase, refund, source)
    purchase = changed(
        purchase,
        refunded_minor=purchase.refunded_minor + refund.amount_minor,
        points_clawed=purchase.points_clawed + due,
        points_returned=purchase.points_returned + sum(line.points for line in refund.lines),
    )
    return purchase, refund


def _give_back(posting: Posting, purchase: Purchase, refund: Refund, source: Source) -> Returned:
    points = sum(line.points for line in refund.lines)
    if not points or purchase.spending_id is None:
        return Returned(to_lots=0, replaced=0, forfeited=0)
    return posting.give_back(purchase.spending_id, source, points, returned_before=purchase.points_returned)


def _claw_back(posting: Posting, purchase: Purchase, due: int, source: Source) -> Clawed:
    if not due or purchase.earning_id is None:
        return Clawed(cancelled=0, reversed=0, short=0)
    return posting.claw_back(
        due, source, earned_by=purchase.id, reverses=purchase.earning_id, earned_at=purchase.occurred_at
    )


def _fall_short(posting: Posting, purchase: Purchase, refund: Refund, source: Source) -> Refund:
    """What could not be taken goes by the program's shortfall policy (L8)."""
    assert purchase.earning_id is not None, "only an earning is clawed back"
    outcome = shortfall_outcome(posting.program.shortfall_policy, has_refund=True)
    posting.fall_short(refund.points_short, outcome, source, reverses=purchase.earning_id)
    deducted = 0
    if outcome is ShortfallOutcome.DEDUCTED:
        worth = money.floor_ratio(refund.points_short, posting.program.point_value_bp, money.BASIS)
        deducted = min(refund.cash_minor, worth)
    return changed(
        refund,
        short_outcome=outcome,
        deducted_minor=deducted,
        cash_minor=refund.cash_minor - deducted,
    )
