"""How held claims end: paid, released, or lapsed. Points and unit end together, once (F3)."""

from dataclasses import dataclass, replace
from uuid import UUID

from domain import checks, claims, programs
from domain.claims import Claim, ClaimConfirmed, ClaimState, FlashSaleHold, FlashSaleStock
from domain.flash_sales.claiming import Claimed
from domain.flash_sales.sale import FlashSaleItem
from domain.kernel import FAMILY, Command, Decision, NotFound, Refusal, Row, State, Want
from domain.points.account import Hold, HoldState, LotDraw
from domain.points.posting import Posting, open_posting, wants_to_draw
from domain.programs import Program
from domain.redemptions import handing
from domain.redemptions.handing import Beginning
from domain.redemptions.redemption import PaymentMismatch, Redemption, RedemptionOrigin
from domain.rewards.reward import Reward


class ClaimNotOpen(Refusal):
    """The claim is not held: it was confirmed or released. Details: `state`."""

    code = "CLAIM_NOT_OPEN"
    text = "The claim is {state}; only one that is HELD can be paid or released. A confirmed one is a redemption."


class ClaimLapsed(Refusal):
    """The claim was not paid in time. Details: `pay_by`."""

    code = "CLAIM_LAPSED"
    text = "The claim was to be paid before {pay_by}; its points and its unit were given back."


def find(state: State, claim_id: UUID, member_id: UUID | None = None) -> Claim:
    """A claim, locked. Refuses `NotFound`; another member's is not found either."""
    claim = state.find(Claim, claim_id)
    if claim is None or member_id not in (None, claim.member_id):
        raise NotFound(kind="Claim", key=str(claim_id))
    return claim


def lapsed(claim: Claim) -> ClaimLapsed:
    """The refusal of what was not paid in time."""
    assert claim.pay_by is not None, "only what had to be paid lapses"
    return ClaimLapsed(pay_by=claim.pay_by.isoformat())


def _require_held(claim: Claim, state: State) -> None:
    if claim.has_lapsed(state.now):
        raise lapsed(claim)
    if claim.state is not ClaimState.HELD:
        raise ClaimNotOpen(state=claim.state)


def _wants(state: State, claim: Claim) -> tuple[Want, ...]:
    """What ends with a claim: its points and its unit."""
    told = (
        *wants_to_draw(state, claim.member_id),
        Want(FlashSaleItem, claim.item_id),
        Want(FlashSaleStock, claim.stock_id, is_locked=True),
    )
    if claim.hold_id is None:
        return told
    return *told, Want(Hold, claim.hold_id, is_locked=True), Want(FlashSaleHold, claim.id, is_locked=True)


def _held_points(state: State, posting: Posting, claim: Claim) -> Hold:
    assert claim.hold_id is not None, "what is held holds points"
    hold = posting.find_hold(claim.hold_id)
    state.need(Want(LotDraw, hold.transaction_id, FAMILY))
    return hold


@dataclass(frozen=True, slots=True, kw_only=True)
class PayClaim(Command[Claimed]):
    """The cash was paid: the held points are spent, the unit is sold, and the claim becomes a redemption (F3).

    Told again under the same payment reference it answers the same (`is_repeat`). Refuses another amount than is due,
    `ClaimLapsed` and `ClaimNotOpen`.
    """

    claim_id: UUID
    amount_minor: int
    currency_code: str
    reference: str

    def decide(self, state: State) -> Decision[Claimed]:
        reference = checks.text("reference", self.reference)
        claim = find(state, self.claim_id)
        programs.check_currency(state.get(Program, state.program_id), self.currency_code)
        state.need(*_wants(state, claim))
        posting = open_posting(state, claim.member_id)
        if _was_paid_under(state, claim, reference):
            return Decision(Claimed(claim=claim, account=posting.account, is_repeat=True))
        _require_held(claim, state)
        if self.amount_minor != claim.cash_minor:
            raise PaymentMismatch(field=("amount",), due=claim.cash_minor, paid=self.amount_minor)
        hold = _held_points(state, posting, claim)
        unit = claims.end_hold(state, claim, HoldState.CAPTURED)
        if not hold.is_open or not unit:
            # Another process whose clock is ahead of ours gave points or unit back.
            raise lapsed(claim)
        posting.require_active()
        _, transaction = posting.capture(hold, hold.amount)
        claim, made = _confirmed(state, claim, transaction.id, reference)
        assert claim.redemption_id is not None, "just made"
        told = ClaimConfirmed(
            member_id=claim.member_id,
            sale_id=claim.sale_id,
            item_id=claim.item_id,
            claim_id=claim.id,
            redemption_id=claim.redemption_id,
        )
        rows = posting.close()
        return Decision(
            Claimed(claim=claim, account=posting.account),
            save=(*rows, *unit, *made, claim),
            events=(told, *posting.events),
        )


def _was_paid_under(state: State, claim: Claim, reference: str) -> bool:
    if claim.redemption_id is None or claim.hold_id is None:
        return False
    return state.get(Redemption, claim.redemption_id).payment_reference == reference


def _confirmed(state: State, claim: Claim, transaction_id: UUID, reference: str) -> tuple[Claim, tuple[Row, ...]]:
    """The claim as the redemption that it becomes."""
    reward = state.get(Reward, state.get(FlashSaleItem, claim.item_id).reward_id)
    beginning = Beginning(
        origin=RedemptionOrigin.FLASH_SALE,
        origin_id=claim.id,
        points=claim.points,
        cash_minor=claim.cash_minor,
        transaction_id=transaction_id,
        paid_at=state.now,
        payment_reference=reference,
        channel=claim.channel,
        store_id=claim.store_id,
    )
    redemption, made = handing.begin(state, claim.member_id, reward, beginning)
    return replace(claim, state=ClaimState.CONFIRMED, redemption_id=redemption.id, due_at=None), made


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseClaim(Command[Claimed]):
    """Give up a claim that is not paid: its points and its unit are there again.

    `member_id`, where told, must be the claim's. Refuses `NotFound`, `ClaimLapsed`, and `ClaimNotOpen`: what is
    confirmed is given up by cancelling its redemption.
    """

    claim_id: UUID
    member_id: UUID | None = None

    def decide(self, state: State) -> Decision[Claimed]:
        claim = find(state, self.claim_id, self.member_id)
        state.need(*_wants(state, claim))
        posting = open_posting(state, claim.member_id)
        _require_held(claim, state)
        hold = _held_points(state, posting, claim)
        unit = claims.end_hold(state, claim, HoldState.RELEASED)
        if not hold.is_open or not unit:
            raise lapsed(claim)
        posting.release(hold)
        return _ended(state, posting, claim, ClaimState.RELEASED, unit)


def _ended(
    state: State, posting: Posting, claim: Claim, outcome: ClaimState, unit: tuple[Row, ...]
) -> Decision[Claimed]:
    claim = replace(claim, state=outcome, due_at=None, closed_at=state.now)
    rows = posting.close()
    return Decision(
        Claimed(claim=claim, account=posting.account),
        save=(*rows, *unit, claim),
        events=(claims.closed(claim), *posting.events),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LapseClaim(Command[Claimed]):
    """The time to pay is over: points and unit are given back, once. Changes nothing before, or again (F3)."""

    claim_id: UUID

    def decide(self, state: State) -> Decision[Claimed]:
        claim = find(state, self.claim_id)
        state.need(*_wants(state, claim))
        posting = open_posting(state, claim.member_id)
        if claim.due_at is None or claim.due_at > state.now:
            return Decision(Claimed(claim=claim, account=posting.account, is_repeat=True))
        # The account's own clock lapsed the hold of the points when the posting was opened.
        return _ended(state, posting, claim, ClaimState.LAPSED, claims.end_hold(state, claim, HoldState.LAPSED))
