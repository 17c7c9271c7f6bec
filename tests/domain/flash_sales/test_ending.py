"""How claims end: paid, released, lapsed, or given up with their redemption; points and unit together (F3, F5)."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain import checks, programs
from domain.claims import Claim, ClaimClosed, ClaimConfirmed, ClaimState, FlashSaleHold
from domain.flash_sales.ending import ClaimLapsed, ClaimNotOpen, LapseClaim, PayClaim, ReleaseClaim
from domain.flash_sales.sale import FlashSaleItem, RoundSoldOut
from domain.kernel import NotFound
from domain.points.account import HoldState, MemberFrozen
from domain.redemptions.delivering import ChooseDelivery
from domain.redemptions.ending import FulfillRedemption, ReturnRedemption
from domain.redemptions.redemption import Delivery, PaymentMismatch, RedemptionState
from domain.rewards.reward import DeliveryKind
from tests.domain.flash_sales.floor import OPENS, Floor

QUARTER = timedelta(minutes=15)
INSTANT = timedelta(microseconds=1)
NOBODY = UUID(int=99)


@pytest.fixture
def item(floor: Floor) -> FlashSaleItem:
    """Two units for 300 points and 9.90 yuan; the sale has just opened."""
    offered = floor.offer(points=300, cash_minor=990, stock=2)
    floor.now = OPENS
    return offered


@pytest.fixture
def member(floor: Floor) -> UUID:
    return floor.enroll(1_000)


def test_f3_a_claim_that_is_paid_is_a_redemption(floor: Floor, item: FlashSaleItem, member: UUID) -> None:
    claimed = floor.claim(member, item)
    floor.later(minutes=14)
    paid = floor.pay_claim(claimed)
    redemption = floor.redemption_of(claimed)
    assert (paid.claim.state, paid.claim.due_at, paid.is_repeat) == (ClaimState.CONFIRMED, None, False)
    assert (redemption.state, redemption.points, redemption.cash_minor) == (RedemptionState.PAID, 300, 990)
    assert (redemption.paid_at, redemption.payment_reference) == (floor.now, "pay-1")
    assert (floor.stock(item), floor.figures(member)) == ((1, 0, 1), (700, 0, 0, 0))
    assert floor.row(FlashSaleHold, claimed.claim.id).state is HoldState.CAPTURED
    assert floor.account(member).lifetime_spent == 300
    assert floor.events == (
        ClaimConfirmed(
            member_id=member,
            sale_id=item.sale_id,
            item_id=item.id,
            claim_id=claimed.claim.id,
            redemption_id=redemption.id,
        ),
    )
    floor.replay(member)


def test_f3_a_payment_told_twice_answers_the_same(floor: Floor, item: FlashSaleItem, member: UUID) -> None:
    claimed = floor.claim(member, item)
    paid = floor.pay_claim(claimed)
    again = floor.pay_claim(claimed)
    assert (again.claim, again.is_repeat, floor.decision.save) == (paid.claim, True, ())
    with pytest.raises(ClaimNotOpen) as other:
        floor.pay_claim(claimed, reference="pay-2")
    assert other.value.details == {"state": ClaimState.CONFIRMED}
    # Even when the redemption is over: that payment was taken.
    floor.cancel_of(claimed)
    assert floor.pay_claim(claimed).is_repeat


def test_f3_what_is_not_paid_in_time_is_over_without_a_clock(floor: Floor, item: FlashSaleItem, member: UUID) -> None:
    claimed = floor.claim(member, item)
    floor.now = OPENS + QUARTER - INSTANT
    assert claimed.claim.state_at(floor.now) is ClaimState.HELD
    floor.now = OPENS + QUARTER
    assert claimed.claim.state_at(floor.now) is ClaimState.LAPSED
    with pytest.raises(ClaimLapsed) as late:
        floor.pay_claim(claimed)
    assert late.value.details == {"pay_by": (OPENS + QUARTER).isoformat()}
    with pytest.raises(ClaimLapsed):
        floor.release_claim(claimed)
    lapsed = floor.lapse_claim(claimed)
    assert lapsed.claim.state is ClaimState.LAPSED
    assert (floor.stock(item), floor.figures(member)) == ((0, 0, 2), (1_000, 0, 0, 0))
    told = ClaimClosed(
        member_id=member,
        sale_id=item.sale_id,
        item_id=item.id,
        claim_id=claimed.claim.id,
        state=ClaimState.LAPSED,
    )
    assert floor.events == (told,)
    floor.replay(member)


def test_f3_the_clock_lapses_nothing_before_its_time_or_twice(floor: Floor, item: FlashSaleItem, member: UUID) -> None:
    claimed, other = floor.claim(member, item), floor.claim(member, item)
    assert floor.lapse_claim(claimed).is_repeat
    floor.pay_claim(other)
    floor.later(minutes=15)
    assert floor.lapse_claim(other).is_repeat
    floor.lapse_claim(claimed)
    again = floor.lapse_claim(claimed)
    assert (again.is_repeat, again.claim.state) == (True, ClaimState.LAPSED)
    assert (floor.stock(item), floor.figures(member)) == ((1, 0, 1), (700, 0, 0, 0))


def test_f2_whoever_finds_nothing_left_takes_back_what_lapsed(floor: Floor, item: FlashSaleItem, member: UUID) -> None:
    kept = floor.claim(member, item)
    floor.later(minutes=5)
    late, eager = floor.claim(member, item), floor.enroll(1_000)
    with pytest.raises(RoundSoldOut):
        floor.claim(eager, item)
    assert floor.left_for(eager, item) == 0
    floor.now = OPENS + QUARTER
    assert floor.left_for(eager, item) == 1
    floor.claim(eager, item)
    assert floor.row(FlashSaleHold, kept.claim.id).state is HoldState.LAPSED
    assert floor.row(FlashSaleHold, late.claim.id).state is HoldState.HELD
    assert floor.stock(item) == (0, 2, 0)
    # The clock comes late, and gives back points alone: the unit is somebody else's by now.
    floor.lapse_claim(kept)
    assert (floor.stock(item), floor.figures(member)) == ((0, 2, 0), (700, 0, 300, 0))


def test_a_claim_that_is_released_gives_all_of_it_back(floor: Floor, item: FlashSaleItem, member: UUID) -> None:
    claimed = floor.claim(member, item)
    released = floor.release_claim(claimed, member_id=member)
    assert (released.claim.state, released.claim.closed_at) == (ClaimState.RELEASED, OPENS)
    assert (floor.stock(item), floor.figures(member)) == ((0, 0, 2), (1_000, 0, 0, 0))
    with pytest.raises(ClaimNotOpen) as again:
        floor.release_claim(claimed)
    assert again.value.details == {"state": ClaimState.RELEASED}
    floor.replay(member)


def test_what_was_bought_is_not_released_but_cancelled(floor: Floor, member: UUID) -> None:
    item = floor.offer(points=10)
    floor.now = OPENS
    claimed = floor.claim(member, item)
    with pytest.raises(ClaimNotOpen):
        floor.release_claim(claimed)
    with pytest.raises(ClaimNotOpen):
        floor.pay_claim(claimed)
    assert floor.lapse_claim(claimed).is_repeat


@pytest.mark.parametrize("is_late", [False, True])
def test_f5_a_cancelled_redemption_puts_its_unit_back_into_its_round(
    floor: Floor, item: FlashSaleItem, member: UUID, is_late: bool
) -> None:
    claimed = floor.claim(member, item)
    floor.pay_claim(claimed)
    if is_late:
        floor.later(days=3)
    cancelled = floor.cancel_of(claimed)
    assert (cancelled.points_returned, cancelled.cash_minor) == (300, 990)
    assert floor.row(Claim, claimed.claim.id).state is ClaimState.RELEASED
    assert (floor.stock(item), floor.figures(member)) == ((0, 0, 2), (1_000, 0, 0, 0))
    assert floor.events[-1] == ClaimClosed(
        member_id=member,
        sale_id=item.sale_id,
        item_id=item.id,
        claim_id=claimed.claim.id,
        state=ClaimState.RELEASED,
    )
    floor.replay(member)


@pytest.mark.parametrize(("is_restocked", "stock"), [(True, (0, 0, 2)), (False, (1, 0, 1))])
def test_f5_a_returned_redemption_puts_it_back_if_it_can_be_sold_again(
    floor: Floor, item: FlashSaleItem, member: UUID, is_restocked: bool, stock: tuple[int, int, int]
) -> None:
    claimed = floor.claim(member, item)
    floor.pay_claim(claimed)
    redemption_id = floor.redemption_of(claimed).id
    floor.run(FulfillRedemption(redemption_id=redemption_id))
    floor.run(ReturnRedemption(redemption_id=redemption_id, reason="broken", is_restocked=is_restocked))
    assert (floor.stock(item), floor.figures(member)) == (stock, (1_000, 0, 0, 0))
    assert floor.row(Claim, claimed.claim.id).state is ClaimState.RELEASED


def test_the_redemption_waits_for_its_delivery(floor: Floor, member: UUID) -> None:
    store = floor.store()
    reward = floor.terms(1, deliveries=(DeliveryKind.PICK_UP,))
    item = floor.offer(reward, points=10)
    floor.now = OPENS
    claimed = floor.claim(member, item)
    picked = Delivery(kind=DeliveryKind.PICK_UP, store_id=store.id)
    redemption_id = floor.redemption_of(claimed).id
    floor.run(ChooseDelivery(redemption_id=redemption_id, delivery=picked, member_id=member))
    assert floor.redemption_of(claimed).delivery == picked
    assert floor.redemption_of(claimed).pickup_code is not None


def test_what_is_wrong_with_a_payment_is_told(floor: Floor, item: FlashSaleItem, member: UUID) -> None:
    claimed = floor.claim(member, item)
    with pytest.raises(PaymentMismatch) as short:
        floor.pay_claim(claimed, 989)
    assert short.value.details == {"due": 990, "paid": 989}
    with pytest.raises(checks.TextInvalid):
        floor.pay_claim(claimed, reference=" ")
    claim_id = claimed.claim.id
    with pytest.raises(programs.CurrencyMismatch):
        floor.run(PayClaim(claim_id=claim_id, amount_minor=990, currency_code="EUR", reference="p"))
    floor.freeze(member)
    with pytest.raises(MemberFrozen):
        floor.pay_claim(claimed)
    assert floor.stock(item) == (0, 1, 1)


def test_a_claim_is_its_members_own(floor: Floor, item: FlashSaleItem, member: UUID) -> None:
    claimed = floor.claim(member, item)
    with pytest.raises(NotFound):
        floor.release_claim(claimed, member_id=floor.enroll())
    for command in (
        ReleaseClaim(claim_id=NOBODY),
        LapseClaim(claim_id=NOBODY),
        PayClaim(claim_id=NOBODY, amount_minor=1, currency_code="CNY", reference="p"),
    ):
        with pytest.raises(NotFound):
            floor.run(command)
