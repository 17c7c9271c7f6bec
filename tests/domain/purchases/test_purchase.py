"""Recording purchases: what they earn, what they refuse, and told twice they earn once (L6, L9, L11, K4)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import checks, money, programs, stores
from domain.enrollments import EnrollMember
from domain.kernel import NotFound
from domain.members import MemberRef, MemberRefInvalid, Profile
from domain.points.account import HoldNotOpen, HoldState, LotState, MemberFrozen, SourceType, TransactionKind
from domain.purchases.paying import Line, Offset, OffsetInvalid
from domain.purchases.purchase import Purchase
from domain.purchases.recording import (
    LINES_MAX,
    LinesInvalid,
    PurchaseConflict,
    PurchaseRecorded,
    RecordPurchase,
)
from domain.stores import Channel
from domain.tiers.standing import TierReached
from domain.tiers.tier import CreateTier
from tests.domain.memory import START, ref
from tests.domain.shop import Shop, bonus_at, per_amount

NOBODY = UUID(int=99)


# L6


@pytest.mark.parametrize(
    ("points", "amount_minor", "paid", "earned"),
    [(1, 100, 19_990, 199), (1, 1000, 19_990, 19), (1, 100, 99, 0), (1, 100, 0, 0), (3, 100, 19_990, 599)],
)
def test_l6_points_are_floored(points: int, amount_minor: int, paid: int, earned: int) -> None:
    shop = Shop(rules=(per_amount(points, amount_minor),))
    recorded = shop.buy(shop.enroll(), paid)
    assert recorded.purchase.points_earned == earned
    assert recorded.account.available == earned


def test_l6_a_double_day_floors_once_after_multiplying() -> None:
    shop = Shop(rules=(per_amount(1, 1000),))
    tier = shop.run(CreateTier(name="Gold", rank=1, threshold=1, multiplier_bp=20_000))
    member = shop.enroll()
    shop.buy(member, 1_000)
    recorded = shop.buy(member, 19_990)
    assert recorded.purchase.points_earned == 39, "twice 19.99 is 39.98; flooring first would give 38"
    assert (recorded.purchase.tier_id, recorded.purchase.multiplier_bp) == (tier.id, 20_000)


def test_l6_freight_earns_only_by_a_rule_that_says_so(shop: Shop) -> None:
    member = shop.enroll()
    assert shop.buy(member, 11_000, freight_minor=1_000).purchase.points_earned == 100
    shop.update(rules=(per_amount(1, 100, includes_freight=True),))
    assert shop.buy(member, 11_000, freight_minor=1_000).purchase.points_earned == 110


def test_l6_what_points_paid_for_earns_nothing(shop: Shop) -> None:
    member = shop.enroll(100)
    hold = shop.hold(member, 100).hold
    recorded = shop.buy(member, 30_000, offset=(hold.id, 1_000))
    assert recorded.purchase.points_earned == 290
    assert (recorded.purchase.offset_minor, recorded.purchase.points_spent) == (1_000, 100)


def test_l6_lines_that_do_not_earn_are_left_out(shop: Shop) -> None:
    recorded = shop.buy(shop.enroll(), 30_000, lines=[10_000, Line(amount_minor=20_000, earns=False)])
    assert recorded.purchase.points_earned == 100


def test_l6_every_rule_that_gives_is_a_transaction_and_a_lot_of_its_own() -> None:
    shop = Shop(rules=(per_amount(1, 100), bonus_at(30_000, 50)))
    member = shop.enroll()
    purchase = shop.buy(member, 30_000).purchase
    assert [(row.rule, row.amount) for row in shop.transactions(member)] == [("base", 300), ("bonus", 50)]
    assert [lot.amount for lot in shop.lots(member)] == [300, 50]
    assert purchase.points_earned == 350
    assert purchase.earning_id == shop.transactions(member)[0].id
    assert {(row.source_type, row.source_id) for row in shop.transactions(member)} == {
        (SourceType.PURCHASE, purchase.id)
    }
    assert shop.buy(member, 29_999).purchase.points_earned == 299


def test_k4_the_tier_of_the_moment_is_kept_and_what_the_purchase_itself_reaches_counts_from_the_next(
    shop: Shop,
) -> None:
    silver = shop.run(CreateTier(name="Silver", rank=1, threshold=100, multiplier_bp=15_000))
    member = shop.enroll()
    first = shop.buy(member, 10_000)
    assert (first.purchase.points_earned, first.purchase.tier_id) == (100, None)
    assert first.account.tier_id == silver.id
    assert TierReached(member_id=member, tier_id=silver.id, tier_id_before=None) in shop.events
    assert shop.buy(member, 10_000).purchase.points_earned == 150


# L11


def test_l11_the_same_order_told_again_earns_nothing_twice_under_any_idempotency_key(shop: Shop) -> None:
    member = shop.enroll()
    order = RecordPurchase(member=ref(member), external_id="A-1", amount_minor=10_000, currency_code="CNY")
    first = shop.run(order, key="one")
    again = shop.run(order, key="two")
    assert (first.is_repeat, again.is_repeat) == (False, True)
    assert again.purchase == first.purchase
    assert shop.decision.save == ()
    assert shop.events == ()
    assert shop.history(member) == [("EARN", 100)]
    assert shop.transactions(member)[0].idempotency_key == "one"


def test_l11_the_same_order_told_by_another_name_of_the_member_or_with_its_one_line_is_the_same(shop: Shop) -> None:
    enrolled = shop.run(EnrollMember(profile=Profile(external_id="li", phone="+8613812345678")))
    order = RecordPurchase(
        member=MemberRef(external_id="li"),
        external_id=" A-1 ",
        amount_minor=11_000,
        freight_minor=1_000,
        currency_code="CNY",
    )
    first = shop.run(order)
    by_phone = replace(order, member=MemberRef(phone="+8613812345678"), external_id="A-1")
    with_line = replace(by_phone, lines=(Line(amount_minor=10_000),))
    for again in (by_phone, with_line):
        assert shop.run(again).is_repeat
    assert first.account.id == enrolled.member.id


def test_l11_the_same_order_number_with_other_content_is_refused(shop: Shop) -> None:
    member, other = shop.enroll(100), shop.enroll()
    hold = shop.hold(member, 10).hold
    order = RecordPurchase(
        member=ref(member),
        external_id="A-1",
        amount_minor=10_000,
        currency_code="CNY",
        lines=(Line(amount_minor=4_000), Line(amount_minor=6_000)),
        offset=Offset(hold_id=hold.id, amount_minor=100),
    )
    purchase = shop.run(order).purchase
    assert shop.run(order).is_repeat
    for changed in (
        replace(order, member=ref(other)),
        replace(order, member=ref(NOBODY)),
        replace(order, amount_minor=10_001, lines=()),
        replace(order, freight_minor=100, lines=()),
        replace(order, lines=()),
        replace(order, lines=(Line(amount_minor=6_000), Line(amount_minor=4_000))),
        replace(order, lines=(Line(amount_minor=4_000), Line(amount_minor=6_000, earns=False))),
        replace(order, offset=None),
        replace(order, offset=Offset(hold_id=hold.id, amount_minor=101)),
    ):
        with pytest.raises(PurchaseConflict) as refused:
            shop.run(changed)
        assert refused.value.details == {"externalId": "A-1", "purchaseId": str(purchase.id)}


def test_l11_a_repeat_answers_even_when_the_shop_has_closed_and_the_member_is_frozen(shop: Shop) -> None:
    store = shop.run(stores.CreateStore(code="S1", name="Tea house"))
    member = shop.enroll()
    shop.buy(member, 100, external_id="A-1", store_id=store.id)
    shop.run(stores.UpdateStore(store_id=store.id, is_closed=True))
    shop.freeze(member)
    assert shop.buy(member, 100, external_id="A-1", store_id=store.id).is_repeat


# L9, L10: points as money.


def test_l10_the_hold_of_an_offset_is_captured_whole(shop: Shop) -> None:
    member = shop.enroll(500)
    hold = shop.hold(member, 300).hold
    purchase = shop.buy(member, 10_000, offset=(hold.id, 3_000)).purchase
    assert shop.row(type(hold), hold.id).state is HoldState.CAPTURED
    capture = next(row for row in shop.transactions(member) if row.kind is TransactionKind.CAPTURE)
    assert purchase.spending_id == capture.id
    assert shop.figures(member) == (200 + 70, 0, 0, 0)
    shop.replay(member)


def test_l9_offset_and_points_are_shared_over_lines_by_largest_remainder(shop: Shop) -> None:
    member = shop.enroll(100)
    hold = shop.hold(member, 100).hold
    purchase = shop.buy(member, 1_000, offset=(hold.id, 500), lines=[333, 333, 334]).purchase
    assert [line.offset_minor for line in purchase.lines] == [167, 166, 167]
    assert [line.points for line in purchase.lines] == [34, 33, 33]
    assert [line.number for line in purchase.lines] == [1, 2, 3]


@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=6).filter(lambda amounts: sum(amounts) > 0),
    st.integers(1, 100),
    st.integers(1, 500),
)
def test_l9_the_shares_of_lines_sum_exactly_and_no_line_is_covered_by_more_than_it_costs(
    amounts: list[int], percent: int, points: int
) -> None:
    shop = Shop()
    member = shop.enroll(points)
    hold = shop.hold(member, points).hold
    covered = max(1, sum(amounts) * percent // 100)
    purchase = shop.buy(member, sum(amounts) + 7, freight_minor=7, offset=(hold.id, covered), lines=amounts).purchase
    assert sum(line.offset_minor for line in purchase.lines) == purchase.offset_minor == covered
    assert sum(line.points for line in purchase.lines) == purchase.points_spent == points
    assert all(0 <= line.offset_minor <= line.amount_minor for line in purchase.lines)
    assert all(line.points == 0 for line in purchase.lines if line.offset_minor == 0)


def test_an_offset_covers_at_most_the_goods_from_a_hold_of_the_same_member(shop: Shop) -> None:
    member, other = shop.enroll(100), shop.enroll(100)
    mine, theirs = shop.hold(member, 10).hold, shop.hold(other, 10).hold
    for hold, covered in ((mine, 9_001), (mine, 0), (mine, -1), (theirs, 100)):
        with pytest.raises(OffsetInvalid) as refused:
            shop.buy(member, 10_000, freight_minor=1_000, offset=(hold.id, covered))
        assert refused.value.details == {"offset": covered, "goods": 9_000}
    with pytest.raises(NotFound):
        shop.buy(member, 10_000, offset=(NOBODY, 100))
    shop.now = mine.lapses_at
    with pytest.raises(HoldNotOpen) as lapsed:
        shop.buy(member, 10_000, offset=(mine.id, 100))
    assert lapsed.value.details == {"state": "LAPSED"}


# What is kept, and what is refused.


def test_a_purchase_keeps_what_it_was_told_and_reckoned_by(shop: Shop) -> None:
    store = shop.run(stores.CreateStore(code="S1", name="Tea house"))
    member = shop.enroll()
    recorded = shop.buy(
        member,
        10_500,
        external_id=" A-1 ",
        freight_minor=500,
        store_id=store.id,
        channel=Channel.IN_STORE,
        occurred_at=START - timedelta(days=1),
        lines=[Line(amount_minor=10_000, product_id="p", name="Tea", category="drinks", quantity=3)],
    )
    purchase = recorded.purchase
    assert shop.row(Purchase, purchase.id) == purchase
    assert shop.events == (PurchaseRecorded(member_id=member, purchase_id=purchase.id, points=100),)
    assert (purchase.external_id, purchase.store_id, purchase.channel) == ("A-1", store.id, Channel.IN_STORE)
    assert (purchase.occurred_at, purchase.recorded_at) == (START - timedelta(days=1), START)
    assert (purchase.rule_version, purchase.tier_id, purchase.multiplier_bp) == (1, None, money.BASIS)
    (line,) = purchase.lines
    assert (line.product_id, line.name, line.category, line.quantity, line.paid_minor) == (
        "p",
        "Tea",
        "drinks",
        3,
        10_000,
    )


def test_a_till_whose_clock_runs_ahead_a_little_means_now(shop: Shop) -> None:
    member = shop.enroll()
    recorded = shop.buy(member, 100, occurred_at=START + timedelta(minutes=5))
    assert recorded.purchase.occurred_at == START
    with pytest.raises(checks.TimeInvalid):
        shop.buy(member, 100, occurred_at=START + timedelta(minutes=5, microseconds=1))
    with pytest.raises(checks.TimeInvalid):
        shop.buy(member, 100, occurred_at=START.replace(tzinfo=None))


def test_points_beyond_any_account_are_refused() -> None:
    shop = Shop(rules=(per_amount(10**9, 1),))
    member = shop.enroll()
    with pytest.raises(checks.PointsInvalid):
        shop.buy(member, 10**12)


@pytest.mark.parametrize(
    "told",
    [
        {"lines": [5_000, 4_000]},
        {"lines": [10_000], "freight_minor": 1},
        {"freight_minor": 10_001},
    ],
)
def test_lines_and_freight_sum_to_the_amount(shop: Shop, told: dict[str, Any]) -> None:
    with pytest.raises(LinesInvalid):
        shop.buy(shop.enroll(), 10_000, **told)


def test_what_is_wrong_with_a_purchase_is_told_in_order(shop: Shop) -> None:
    frozen = shop.enroll()
    shop.freeze(frozen)
    store = shop.run(stores.CreateStore(code="S1", name="Tea house"))
    shop.run(stores.UpdateStore(store_id=store.id, is_closed=True))
    hold_of_another = shop.hold(shop.enroll(10), 10).hold
    told: dict[str, Any] = {
        "member": MemberRef(),
        "external_id": "",
        "amount_minor": -1,
        "currency_code": "USD",
        "freight_minor": -1,
        "lines": (Line(amount_minor=-1, quantity=0, name=""),) * (LINES_MAX + 1),
        "occurred_at": START + timedelta(days=1),
        "store_id": NOBODY,
        "offset": Offset(hold_id=hold_of_another.id, amount_minor=1),
    }
    precedence: list[tuple[type[Exception], dict[str, Any]]] = [
        (checks.AmountInvalid, {"amount_minor": 100}),
        (checks.AmountInvalid, {"freight_minor": 0}),
        (checks.TooMany, {"lines": (Line(amount_minor=-1, quantity=0, name=""),)}),
        (checks.AmountInvalid, {"lines": (Line(amount_minor=99, quantity=0, name=""),)}),
        (checks.NumberInvalid, {"lines": (Line(amount_minor=99, name=""),)}),
        (checks.TextInvalid, {"lines": (Line(amount_minor=99),)}),
        (LinesInvalid, {"lines": (Line(amount_minor=100),)}),
        (checks.TextInvalid, {"external_id": "A-1"}),
        (checks.TimeInvalid, {"occurred_at": None}),
        (programs.CurrencyMismatch, {"currency_code": "CNY"}),
        (MemberRefInvalid, {"member": MemberRef(external_id="nobody")}),
        (NotFound, {"member": ref(NOBODY)}),
        (NotFound, {"store_id": store.id}),
        (stores.StoreClosed, {"store_id": None}),
        (NotFound, {"member": ref(frozen)}),
        (MemberFrozen, {"member": ref(shop.enroll())}),
        (OffsetInvalid, {"offset": None}),
    ]
    for refusal, mended in precedence:
        with pytest.raises(refusal) as refused:
            shop.run(RecordPurchase(**told))
        assert type(refused.value) is refusal
        told |= mended
    assert shop.run(RecordPurchase(**told)).purchase.points_earned == 1


def test_a_purchase_of_nothing_is_kept_and_earns_nothing(shop: Shop) -> None:
    member = shop.enroll()
    recorded = shop.buy(member, 0)
    assert (recorded.purchase.points_earned, recorded.purchase.earning_id) == (0, None)
    assert shop.transactions(member) == ()


def test_a_lot_knows_what_it_was_earned_for(shop: Shop) -> None:
    member = shop.enroll()
    purchase = shop.buy(member, 100).purchase
    (lot,) = shop.lots(member)
    assert (lot.source_type, lot.source_id, lot.state) == (SourceType.PURCHASE, purchase.id, LotState.ACTIVE)
