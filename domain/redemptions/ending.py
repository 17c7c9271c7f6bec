"""How redemptions go on and end: paid, fulfilled, picked up, cancelled, returned, or lapsed. Each part ends once."""

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from domain import checks, claims, codes, programs, stores
from domain.claims import Claim
from domain.kernel import FAMILY, Command, Decision, Event, Row, State, Want
from domain.points.account import Hold, HoldState, LotDraw, SourceType
from domain.points.book import Source
from domain.points.posting import Posting, Returned, open_posting, wants_to_draw
from domain.programs import Program
from domain.redemptions.delivering import require_store
from domain.redemptions.redemption import (
    PaymentMismatch,
    PickupCodeUnknown,
    Redeemed,
    Redemption,
    RedemptionClosed,
    RedemptionNotOpen,
    RedemptionOrigin,
    RedemptionPaid,
    RedemptionState,
    RedemptionUnpaid,
    WrongStore,
    find,
    lapsed,
    part,
    require_open,
    state_of,
)
from domain.rewards.reward import Reward
from domain.rewards.stock import RewardStock, end_hold
from domain.stores import Store
from domain.vouchers import issuing

TRACKING_MAX: Final = 100


def _closed(redemption: Redemption) -> RedemptionClosed:
    return RedemptionClosed(member_id=redemption.member_id, redemption_id=redemption.id, state=redemption.state)


def _require_some(name: str, quantity: int | None, most: int) -> int:
    """How many of what is left; all of it if not told. Refuses `NumberInvalid`."""
    return most if quantity is None else checks.number(name, quantity, minimum=1, maximum=most)


def _require_paid(redemption: Redemption) -> None:
    if redemption.due_at is not None:
        raise RedemptionUnpaid(due=redemption.cash_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayRedemption(Command[Redeemed]):
    """The cash was paid: the held points are spent, and the stock is the member's (F3).

    Told again under the same payment reference it answers the same (`is_repeat`). Refuses another
    amount than is due, `RedemptionLapsed` and `RedemptionNotOpen`.
    """

    redemption_id: UUID
    amount_minor: int
    currency_code: str
    reference: str

    def decide(self, state: State) -> Decision[Redeemed]:
        reference = checks.text("reference", self.reference)
        redemption = find(state, self.redemption_id)
        programs.check_currency(state.get(Program, state.program_id), self.currency_code)
        state.need(*wants_to_draw(state, redemption.member_id), *_wants_of_hold(redemption))
        posting = open_posting(state, redemption.member_id)
        if redemption.paid_at is not None and redemption.payment_reference == reference:
            return Decision(Redeemed(redemption=redemption, account=posting.account, is_repeat=True))
        require_open(redemption, state.now)
        if redemption.due_at is None or redemption.hold_id is None:
            raise RedemptionNotOpen(state=redemption.state)
        if self.amount_minor != redemption.cash_minor:
            raise PaymentMismatch(field=("amount",), due=redemption.cash_minor, paid=self.amount_minor)
        hold = posting.find_hold(redemption.hold_id)
        stock = end_hold(state, redemption.id, redemption.reward_id, HoldState.CAPTURED)
        if not hold.is_open or not stock:
            # Another process whose clock is ahead of ours gave points or stock back.
            raise lapsed(redemption)
        posting.require_active()
        _, transaction = posting.capture(hold, hold.amount)
        redemption = replace(
            redemption,
            state=RedemptionState.PAID,
            transaction_id=transaction.id,
            due_at=None,
            paid_at=state.now,
            payment_reference=reference,
        )
        rows = posting.close()
        paid = RedemptionPaid(member_id=redemption.member_id, redemption_id=redemption.id)
        return Decision(
            Redeemed(redemption=redemption, account=posting.account),
            save=(*rows, *stock, redemption),
            events=(paid, *posting.events),
        )


def _wants_of_hold(redemption: Redemption) -> tuple[Want, ...]:
    if redemption.hold_id is None:
        return ()
    return (Want(Hold, redemption.hold_id, is_locked=True), *_wants_to_give_back(redemption))


def _wants_to_give_back(redemption: Redemption) -> tuple[Want, ...]:
    """The lots that points come back to, and the shelf that units do, or the claim that says which."""
    shelf = Want(RewardStock, redemption.reward_id, is_locked=True)
    if redemption.origin is RedemptionOrigin.FLASH_SALE:
        shelf = Want(Claim, redemption.origin_id, is_locked=True)
    if redemption.transaction_id is None:
        return (shelf,)
    return (Want(LotDraw, redemption.transaction_id, FAMILY), shelf)


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfillRedemption(Command[Redeemed]):
    """The member has the reward, or `quantity` of it. Refuses `NotFound`, `RedemptionNotOpen`, `RedemptionUnpaid`."""

    redemption_id: UUID
    quantity: int | None = None
    carrier: str | None = None
    tracking_number: str | None = None

    def decide(self, state: State) -> Decision[Redeemed]:
        carrier = checks.optional_text("carrier", self.carrier, length_max=TRACKING_MAX)
        tracking = checks.optional_text("trackingNumber", self.tracking_number, length_max=TRACKING_MAX)
        redemption = require_open(find(state, self.redemption_id), state.now)
        _require_paid(redemption)
        quantity = _require_some("quantity", self.quantity, redemption.remaining)
        posting = open_posting(state, redemption.member_id)
        redemption = replace(
            redemption,
            carrier=carrier or redemption.carrier,
            tracking_number=tracking or redemption.tracking_number,
        )
        return _fulfilled(state, posting, redemption, quantity)


def _fulfilled(state: State, posting: Posting, redemption: Redemption, quantity: int) -> Decision[Redeemed]:
    redemption = replace(redemption, fulfilled=redemption.fulfilled + quantity)
    redemption = replace(redemption, state=state_of(redemption))
    if not redemption.remaining:
        redemption = replace(redemption, closed_at=state.now)
    return Decision(
        Redeemed(redemption=redemption, account=posting.account),
        save=(redemption,),
        events=(_closed(redemption),),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PickUpRedemption(Command[Redeemed]):
    """A pick-up code shown at a store: all that is open is handed out, once.

    Refuses `PickupCodeUnknown`, an unknown or closed store, `WrongStore`, `RedemptionNotOpen`,
    `RedemptionLapsed` and `RedemptionUnpaid`.
    """

    pickup_code: str
    store_id: UUID

    def decide(self, state: State) -> Decision[Redeemed]:
        told = codes.find(self.pickup_code)
        redemption = None if told is None else state.find_by(Redemption, "pickup_code", told)
        if redemption is None:
            raise PickupCodeUnknown(field=("pickupCode",), pickup_code=self.pickup_code[: codes.CODE_MAX])
        store = stores.open_store(state, self.store_id)
        assert store is not None, "a store was named"
        _require_pick_up_at(state, redemption, store)
        require_open(redemption, state.now)
        _require_paid(redemption)
        posting = open_posting(state, redemption.member_id)
        redemption = replace(redemption, fulfilled_store_id=store.id)
        return _fulfilled(state, posting, redemption, redemption.remaining)


def _require_pick_up_at(state: State, redemption: Redemption, store: Store) -> None:
    chosen = None if redemption.delivery is None else redemption.delivery.store_id
    if chosen is not None and chosen != store.id:
        expected = state.get(Store, chosen).code
        raise WrongStore(field=("storeId",), store=store.code, expected=expected)
    require_store(state, state.get(Reward, redemption.reward_id), store)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRedemption(Command[Redeemed]):
    """Cancel what is open of a redemption, or `quantity` of it: points come back to their lots, and stock too (L9).

    `member_id`, where told, must be the redemption's: another member's is not found. What is not paid
    yet is cancelled as a whole.
    """

    redemption_id: UUID
    reason: str
    member_id: UUID | None = None
    quantity: int | None = None

    def decide(self, state: State) -> Decision[Redeemed]:
        reason = checks.reason(self.reason)
        redemption = require_open(find(state, self.redemption_id, self.member_id), state.now)
        quantity = _require_some("quantity", self.quantity, redemption.remaining)
        state.need(*wants_to_draw(state, redemption.member_id), *_wants_to_give_back(redemption))
        posting = open_posting(state, redemption.member_id)
        redemption = replace(redemption, reason=reason)
        if redemption.due_at is not None:
            checks.number("quantity", quantity, minimum=redemption.quantity, maximum=redemption.quantity)
            return _released(state, posting, redemption)
        gone = redemption.cancelled + redemption.returned
        after = replace(redemption, cancelled=redemption.cancelled + quantity)
        return _given_back(state, posting, after, gone, is_restocked=True)


def _released(state: State, posting: Posting, redemption: Redemption) -> Decision[Redeemed]:
    """Give back what was only held: nothing was paid."""
    assert redemption.hold_id is not None, "what is due holds points"
    posting.release(posting.find_hold(redemption.hold_id))
    redemption = replace(
        redemption,
        cancelled=redemption.quantity,
        state=RedemptionState.CANCELLED,
        due_at=None,
        closed_at=state.now,
    )
    stock = end_hold(state, redemption.id, redemption.reward_id, HoldState.RELEASED)
    rows = posting.close()
    return Decision(
        Redeemed(redemption=redemption, account=posting.account, points_returned=redemption.points),
        save=(*rows, *stock, redemption),
        events=(_closed(redemption), *posting.events),
    )


def _given_back(
    state: State, posting: Posting, after: Redemption, gone: int, *, is_restocked: bool
) -> Decision[Redeemed]:
    """Give back the points of the units that `after` has less of than before, when `gone` were given back already."""
    now_gone = after.cancelled + after.returned
    points = part(after.points, gone, now_gone, after.quantity)
    cash = part(after.cash_minor, gone, now_gone, after.quantity)
    returned = Returned(to_lots=0, replaced=0, forfeited=0)
    if points:
        assert after.transaction_id is not None, "points were spent in a transaction"
        before = part(after.points, 0, gone, after.quantity)
        source = Source(SourceType.REDEMPTION, after.id)
        returned = posting.give_back(after.transaction_id, source, points, returned_before=before)
    after = replace(after, state=state_of(after))
    if not after.remaining:
        after = replace(after, closed_at=state.now)
    stocks, told = _restocked(state, after, now_gone - gone, is_restocked=is_restocked)
    rows = posting.close()
    result = Redeemed(
        redemption=after,
        account=posting.account,
        points_returned=returned.to_lots,
        points_replaced=returned.replaced,
        points_forfeited=returned.forfeited,
        cash_minor=cash,
    )
    return Decision(result, save=(*rows, *stocks, after), events=(_closed(after), *told, *posting.events))


def _restocked(
    state: State, redemption: Redemption, quantity: int, *, is_restocked: bool
) -> tuple[tuple[Row, ...], tuple[Event, ...]]:
    """Put units back where they came from: on the shelf, or in their round of a flash sale (F5).

    What was set aside as a prize or for a group is not for sale again.
    """
    if redemption.origin is RedemptionOrigin.FLASH_SALE:
        assert redemption.origin_id is not None, "it came of a claim"
        undone = claims.undo(state, redemption.origin_id, is_restocked=is_restocked)
        return undone.save, (undone.event,)
    if redemption.origin is not RedemptionOrigin.REWARD or not is_restocked:
        return (), ()
    stock = state.get(RewardStock, redemption.reward_id)
    put_back = stock.put_back(quantity)
    return () if put_back is stock else (put_back,), ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnRedemption(Command[Redeemed]):
    """What the member had comes back, or `quantity` of it: so do its points, to their lots (L9).

    `is_restocked` puts the units on the shelf again. Vouchers come back unused or not at all. The answer
    says what of the cash the shop owes. Refuses `RedemptionNotOpen` when there is nothing to return.
    """

    redemption_id: UUID
    reason: str
    quantity: int | None = None
    is_restocked: bool = True

    def decide(self, state: State) -> Decision[Redeemed]:
        reason = checks.reason(self.reason)
        redemption = find(state, self.redemption_id)
        had = redemption.fulfilled - redemption.returned
        if not had:
            raise RedemptionNotOpen(state=redemption.state_at(state.now))
        quantity = _require_some("quantity", self.quantity, had)
        state.need(*wants_to_draw(state, redemption.member_id), *_wants_to_give_back(redemption))
        posting = open_posting(state, redemption.member_id)
        voided: tuple[Row, ...] = ()
        if state.get(Reward, redemption.reward_id).pool_id is not None:
            voided = issuing.take_back(state, redemption.member_id, redemption.id, count=quantity, reason=reason)
        gone = redemption.cancelled + redemption.returned
        after = replace(redemption, returned=redemption.returned + quantity, reason=reason)
        decision = _given_back(state, posting, after, gone, is_restocked=self.is_restocked)
        return replace(decision, save=(*decision.save, *voided))


@dataclass(frozen=True, slots=True, kw_only=True)
class LapseRedemption(Command[Redeemed]):
    """The time to pay is over: points and stock are given back, once. Changes nothing before, or again."""

    redemption_id: UUID

    def decide(self, state: State) -> Decision[Redeemed]:
        redemption = find(state, self.redemption_id)
        state.need(*wants_to_draw(state, redemption.member_id), *_wants_of_hold(redemption))
        posting = open_posting(state, redemption.member_id)
        is_due = redemption.due_at is not None and redemption.due_at <= state.now
        if not is_due:
            return Decision(Redeemed(redemption=redemption, account=posting.account, is_repeat=True))
        stock = end_hold(state, redemption.id, redemption.reward_id, HoldState.LAPSED)
        redemption = replace(redemption, state=RedemptionState.LAPSED, due_at=None, closed_at=state.now)
        # The account's own clock lapsed the hold of the points when the posting was opened.
        rows = posting.close()
        return Decision(
            Redeemed(redemption=redemption, account=posting.account),
            save=(*rows, *stock, redemption),
            events=(_closed(redemption), *posting.events),
        )
