"""Holding, capturing, releasing: points set aside cannot be spent, and end with their hold (L10)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import checks
from domain.kernel import NotFound
from domain.points import commands
from domain.points.account import (
    Hold,
    HoldNotOpen,
    HoldState,
    InsufficientPoints,
    LotState,
    MemberFrozen,
    TransactionKind,
)
from domain.policies import ExpiryKind, ExpiryPolicy
from domain.programs import HOLD_MINUTES_MAX
from tests.domain.memory import START, ref
from tests.domain.shop import Shop

DAYS_30 = ExpiryPolicy(kind=ExpiryKind.DAYS, count=30)
OVER = datetime(2026, 2, 14, 16, tzinfo=UTC)  # when points earned at START under DAYS_30 are over
INSTANT = timedelta(microseconds=1)
NOBODY = UUID(int=99)


def test_l10_held_points_stay_in_their_lots_and_cannot_be_spent_or_transferred(shop: Shop) -> None:
    member, other = shop.enroll(100), shop.enroll()
    held = shop.hold(member, 60)
    (lot,) = shop.lots(member)
    assert shop.figures(member) == (40, 0, 60, 0)
    assert (lot.remaining, lot.held, lot.free) == (100, 60, 40)
    assert shop.draws(held.hold.transaction_id) == [(lot.id, 60)]
    for attempt in (
        lambda: shop.spend(member, 41),
        lambda: shop.transfer(member, other, 41),
        lambda: shop.hold(member, 41),
        lambda: shop.adjust(member, -41),
    ):
        with pytest.raises(InsufficientPoints) as refused:
            attempt()
        assert refused.value.details == {"required": 41, "available": 40}
    shop.spend(member, 40)
    shop.replay(member)


def test_l10_a_captured_hold_is_spent(shop: Shop) -> None:
    member = shop.enroll(100)
    held = shop.hold(member, 60)
    captured = shop.capture(held.hold.id)
    assert (captured.hold.state, captured.hold.captured) == (HoldState.CAPTURED, 60)
    assert shop.figures(member) == (40, 0, 0, 0)
    assert captured.account.lifetime_spent == 60
    assert shop.history(member) == [("ADJUST", 100), ("HOLD", -60), ("CAPTURE", -60)]
    assert [row.available_after for row in shop.transactions(member)] == [100, 40, 40]
    shop.replay(member)


def test_l10_what_a_capture_leaves_of_a_hold_is_released() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    shop.buy(member, 1_000, occurred_at=START - timedelta(days=1))
    shop.buy(member, 1_000)
    held = shop.hold(member, 15)
    captured = shop.capture(held.hold.id, 12)
    assert (captured.hold.amount, captured.hold.captured) == (15, 12)
    assert shop.figures(member) == (8, 0, 0, 0)
    first, second = shop.lots(member)
    assert (first.remaining, first.state) == (0, LotState.EXHAUSTED)
    assert (second.remaining, second.held) == (8, 0)
    capture, release = shop.transactions(member)[-2:]
    assert (capture.kind, capture.amount) == (TransactionKind.CAPTURE, -12)
    assert (release.kind, release.amount) == (TransactionKind.RELEASE, 3)
    assert shop.draws(capture.id) == [(first.id, 10), (second.id, 2)]
    assert shop.draws(release.id) == [(second.id, -3)]
    shop.replay(member)


def test_l10_a_released_hold_is_available_again(shop: Shop) -> None:
    member = shop.enroll(100)
    released = shop.release(shop.hold(member, 60).hold.id)
    assert released.hold.state is HoldState.RELEASED
    assert shop.figures(member) == (100, 0, 0, 0)
    assert shop.account(member).lifetime_spent == 0
    shop.replay(member)


def test_l10_a_hold_ends_once(shop: Shop) -> None:
    member = shop.enroll(100)
    captured, released = shop.hold(member, 10).hold.id, shop.hold(member, 10).hold.id
    shop.capture(captured, 5)
    shop.release(released)
    for hold_id, state in ((captured, "CAPTURED"), (released, "RELEASED")):
        for attempt in (shop.capture, shop.release):
            with pytest.raises(HoldNotOpen) as refused:
                attempt(hold_id)
            assert refused.value.details == {"state": state}


def test_l10_a_hold_lapses_at_its_time_and_not_before(shop: Shop) -> None:
    member = shop.enroll(100)
    hold = shop.hold(member, 60, minutes=20).hold
    assert hold.lapses_at == START + timedelta(minutes=20)
    shop.now = hold.lapses_at - INSTANT
    assert shop.settle(member).held == 60
    shop.now = hold.lapses_at
    assert shop.settle(member).available == 100
    assert shop.row(Hold, hold.id).state is HoldState.LAPSED
    release = shop.transactions(member)[-1]
    assert (release.kind, release.amount, release.occurred_at) == (TransactionKind.RELEASE, 60, hold.lapses_at)
    shop.replay(member)


def test_l10_a_capture_in_time_wins_and_one_too_late_finds_the_hold_lapsed(shop: Shop) -> None:
    member = shop.enroll(100)
    in_time, too_late = shop.hold(member, 10).hold, shop.hold(member, 10).hold
    shop.now = in_time.lapses_at - INSTANT
    assert shop.capture(in_time.id).hold.state is HoldState.CAPTURED
    shop.now = too_late.lapses_at
    for attempt in (shop.capture, shop.release):
        with pytest.raises(HoldNotOpen) as refused:
            attempt(too_late.id)
        assert refused.value.details == {"state": "LAPSED"}
    assert shop.settle(member).available == 90


def test_l10_held_points_do_not_expire_before_the_hold_ends_and_expire_when_it_does() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    shop.buy(member, 10_000)
    shop.now = OVER - timedelta(hours=1)
    hold = shop.hold(member, 60, minutes=180).hold
    shop.now = OVER + timedelta(hours=1)
    account = shop.settle(member)
    assert (account.available, account.held, account.lifetime_expired) == (0, 60, 40)
    (lot,) = shop.lots(member)
    assert (lot.remaining, lot.held, lot.state) == (60, 60, LotState.ACTIVE)
    shop.release(hold.id)
    assert shop.figures(member) == (0, 0, 0, 0)
    assert shop.lots(member)[0].state is LotState.EXPIRED
    assert shop.history(member)[-2:] == [("RELEASE", 60), ("EXPIRE", -60)]
    assert [row.occurred_at for row in shop.transactions(member)[-3:]] == [OVER, shop.now, shop.now]
    shop.replay(member)


def test_l10_points_whose_hold_lapses_after_their_expiry_expire_at_the_lapse() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    shop.buy(member, 10_000)
    shop.now = OVER - timedelta(hours=1)
    hold = shop.hold(member, 60, minutes=180).hold
    shop.later(days=9)
    shop.settle(member)
    assert shop.history(member)[-3:] == [("EXPIRE", -40), ("RELEASE", 60), ("EXPIRE", -60)]
    times = [row.occurred_at for row in shop.transactions(member)[-3:]]
    assert times == [OVER, hold.lapses_at, hold.lapses_at]
    shop.replay(member)


def test_l10_held_points_may_be_captured_after_their_expiry_and_what_is_left_of_them_is_over() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    shop.buy(member, 10_000)
    shop.now = OVER - timedelta(hours=1)
    hold = shop.hold(member, 60, minutes=180).hold
    shop.now = OVER + timedelta(hours=1)
    captured = shop.capture(hold.id, 50)
    assert shop.figures(member) == (0, 0, 0, 0)
    assert (captured.account.lifetime_spent, captured.account.lifetime_expired) == (50, 50)
    shop.replay(member)


def test_l10_many_holds_of_one_lot_end_independently(shop: Shop) -> None:
    member = shop.enroll(100)
    holds = [shop.hold(member, points, minutes=10 * points).hold for points in (1, 2, 3, 4)]
    shop.capture(holds[1].id, 1)
    shop.later(minutes=30)
    account = shop.settle(member)
    assert (account.available, account.held) == (95, 4)
    states = [shop.row(Hold, hold.id).state.value for hold in holds]
    assert states == ["LAPSED", "CAPTURED", "LAPSED", "HELD"]
    shop.replay(member)


def test_l10_the_program_says_how_long_a_hold_lasts_unless_the_caller_does() -> None:
    shop = Shop(hold_minutes=45)
    member = shop.enroll(10)
    assert shop.hold(member, 1).hold.lapses_at == START + timedelta(minutes=45)
    assert shop.hold(member, 1, minutes=1).hold.lapses_at == START + timedelta(minutes=1)


def test_what_is_wrong_with_a_hold_is_told_in_order(shop: Shop) -> None:
    frozen, poor = shop.enroll(10), shop.enroll()
    shop.freeze(frozen)

    def hold(**told: Any) -> None:
        everything_wrong = {"member": ref(NOBODY), "points": 0, "reference": "", "minutes": 0}
        shop.run(commands.HoldPoints(**{**everything_wrong, **told}))

    with pytest.raises(checks.PointsInvalid):
        hold()
    with pytest.raises(checks.TextInvalid):
        hold(points=1)
    with pytest.raises(checks.NumberInvalid):
        hold(points=1, reference="cart")
    with pytest.raises(checks.NumberInvalid):
        hold(points=1, reference="cart", minutes=HOLD_MINUTES_MAX + 1)
    with pytest.raises(NotFound):
        hold(points=1, reference="cart", minutes=1)
    with pytest.raises(MemberFrozen):
        hold(points=11, reference="cart", minutes=1, member=ref(frozen))
    with pytest.raises(InsufficientPoints):
        hold(points=1, reference="cart", minutes=1, member=ref(poor))


def test_what_is_wrong_with_a_capture_is_told_in_order(shop: Shop) -> None:
    member = shop.enroll(10)
    hold = shop.hold(member, 5).hold
    with pytest.raises(NotFound):
        shop.capture(NOBODY, 0)
    for points in (0, 6):
        with pytest.raises(checks.PointsInvalid):
            shop.capture(hold.id, points)
    shop.freeze(member)
    with pytest.raises(MemberFrozen):
        shop.capture(hold.id)
    assert shop.release(hold.id).hold.state is HoldState.RELEASED, "a frozen member's hold may be released"
    shop.freeze(member, is_frozen=False)
    with pytest.raises(HoldNotOpen):
        shop.capture(hold.id)
    with pytest.raises(NotFound):
        shop.release(NOBODY)


def test_l10_many_holds_that_lapse_at_once_are_loaded_in_a_few_rounds_and_not_in_one_each() -> None:
    """`Memory.run` proves it: it loads on demand, and allows no more rounds than a few."""
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    for days_ago in range(15):
        shop.earn(member, 10, days_ago=days_ago)
    for _ in range(15):
        shop.hold(member, 10)
    shop.later(days=1)
    assert shop.settle(member).available == 150
    shop.replay(member)
