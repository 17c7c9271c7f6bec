"""Reading an account: what it shows at an instant, whether or not the clock's work was done yet (L5)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import checks
from domain.earning.grants import Grant
from domain.points import reading
from domain.points.account import PointsAccount
from domain.points.commands import SettleAccount
from domain.points.reading import Expiring
from domain.policies import ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from domain.programs import Program
from domain.tiers.tier import Tier
from tests.domain.memory import PROGRAM_ID, START
from tests.domain.shop import SHANGHAI, Shop
from tests.domain.simulator import Simulation
from tests.domain.tiers.club import ledger_of

DAYS_30 = ExpiryPolicy(kind=ExpiryKind.DAYS, count=30)


def test_l5_a_read_never_counts_an_expired_lot_though_nothing_was_settled() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    shop.buy(member, 10_000)
    stored = ledger_of(shop, member)
    over = datetime(2026, 2, 14, 16, tzinfo=UTC)
    just_before = reading.settled(stored, shop.program, (), over - timedelta(microseconds=1))
    assert just_before == stored
    shown = reading.settled(stored, shop.program, (), over)
    assert (shown.account.available, shown.account.lifetime_expired, shown.lots) == (0, 100, ())
    assert ledger_of(shop, member) == stored, "reading keeps nothing"


def test_l5_expiring_points_are_told_in_every_bucket_to_the_last_day_inclusive() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    for points, days_ago in ((1, 29), (2, 29), (4, 10), (8, 0)):
        shop.buy(member, points * 100, occurred_at=START - timedelta(days=days_ago))
    shop.update(expiry=ExpiryPolicy())
    shop.buy(member, 1_600)
    shop.hold(member, 1)
    ends = [datetime(2026, 1, day, 16, tzinfo=UTC) for day in (16,)]
    ends += [datetime(2026, 2, day, 16, tzinfo=UTC) for day in (4, 14)]
    stored = ledger_of(shop, member)
    told = [Expiring(expires_at=at, points=points) for at, points in zip(ends, (2, 4, 8), strict=True)]
    assert reading.expiring(stored, 30, SHANGHAI, START) == tuple(told)
    assert reading.expiring(stored, 29, SHANGHAI, START) == tuple(told[:2])
    assert reading.expiring(stored, 1, SHANGHAI, START) == tuple(told[:1])
    for days in (0, reading.WITHIN_DAYS_MAX + 1):
        with pytest.raises(checks.NumberInvalid):
            reading.expiring(stored, days, SHANGHAI, START)


def test_l4_lots_are_shown_as_they_would_be_spent_each_with_its_expiry_as_things_stand() -> None:
    shop = Shop(expiry=ExpiryPolicy(kind=ExpiryKind.INACTIVITY, count=30))
    member = shop.enroll(10)
    shop.update(expiry=ExpiryPolicy(kind=ExpiryKind.FIXED_DATE, on_date=date(2026, 1, 20)))
    shop.buy(member, 2_000)
    shop.update(expiry=ExpiryPolicy())
    shop.buy(member, 3_000)
    shown = reading.shown_lots(ledger_of(shop, member))
    assert [(lot.amount, lot.expires_at) for lot in shown] == [
        (20, datetime(2026, 1, 20, 16, tzinfo=UTC)),
        (10, datetime(2026, 2, 14, 16, tzinfo=UTC)),
        (30, None),
    ]


def test_l3_pending_points_that_are_due_are_shown_as_available() -> None:
    shop = Shop(pending=PendingPolicy(PendingKind.AFTER, days=7))
    member = shop.enroll()
    shop.buy(member, 10_000)
    shown = reading.settled(ledger_of(shop, member), shop.program, (), START + timedelta(days=7)).account
    assert (shown.available, shown.pending) == (100, 0)


@given(st.integers(0, 10**6), st.integers(0, 400))
def test_l5_what_is_shown_is_what_settling_would_leave(seed: int, days: int) -> None:
    life = Simulation()
    life.live(seed, 150)
    state = life.state
    now = state.now + timedelta(days=days)
    ladder = state.all(Tier, of=PROGRAM_ID)
    program = state.get(Program, PROGRAM_ID)
    for account in state.rows(PointsAccount)[:6]:
        shown = reading.settled(ledger_of(life, account.id, now), program, ladder, now)
        state.begin(now=now, first_id=1 << 100, actor="clock", idempotency_key=None)
        decision = SettleAccount(member_id=account.id).decide(state)
        settled = decision.result
        # What is given for a tier that is reached on the way is shown when it is kept.
        if any(isinstance(row, Grant) for row in decision.save):
            continue
        assert shown.account == settled
        assert sum(lot.free for lot in shown.lots) == settled.available
        assert sum(hold.amount for hold in shown.holds) == settled.held
        assert sum(shortfall.remaining for shortfall in shown.shortfalls) == settled.debt
