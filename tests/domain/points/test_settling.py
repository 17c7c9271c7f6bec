"""The clock: each due thing at its own time, in order, to the same end whether it comes early or late (L3, L5, L8)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.kernel import Refusal
from domain.points.account import ShortfallOutcome, SourceType
from domain.policies import ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy
from tests.domain.memory import START
from tests.domain.shop import Shop

DAYS_30 = ExpiryPolicy(kind=ExpiryKind.DAYS, count=30)


def owing(shop: Shop, points: int) -> UUID:
    """A member who owes `points`."""
    pending, expiry = shop.program.pending, shop.program.expiry
    shop.update(pending=PendingPolicy(), expiry=ExpiryPolicy())
    member = shop.enroll()
    purchase = shop.buy(member, points * 100).purchase
    shop.spend(member, points)
    shop.refund(purchase)
    shop.update(pending=pending, expiry=expiry)
    assert shop.figures(member) == (0, 0, 0, points)
    return member


def test_l8_the_next_points_earned_pay_the_debt_first() -> None:
    shop = Shop()
    member = owing(shop, 100)
    earning_id = shop.transactions(member)[0].id
    shop.buy(member, 6_000)
    assert shop.figures(member) == (0, 0, 0, 40)
    paid = shop.transactions(member)[-1]
    assert (paid.kind, paid.amount, paid.reverses) == ("REVERSE", -60, earning_id)
    assert (paid.source_type, paid.source_id) == (SourceType.SHORTFALL, shop.shortfall(member).id)
    assert shop.shortfall(member).remaining == 40
    shop.buy(member, 6_000)
    assert shop.figures(member) == (20, 0, 0, 0)
    assert shop.shortfall(member).remaining == 0
    assert not shop.shortfall(member).is_open
    shop.replay(member)


def test_l8_whatever_credits_points_pays_the_debt() -> None:
    shop = Shop()
    member = owing(shop, 100)
    shop.adjust(member, 30)
    assert shop.figures(member) == (0, 0, 0, 70)
    shop.transfer(shop.enroll(30), member, 30)
    assert shop.figures(member) == (0, 0, 0, 40)
    shop.replay(member)


def test_l8_pending_points_pay_when_they_become_available() -> None:
    shop = Shop(pending=PendingPolicy(PendingKind.AFTER, days=7))
    member = owing(shop, 100)
    shop.buy(member, 12_000)
    assert shop.figures(member) == (0, 120, 0, 100)
    shop.later(days=7)
    shop.settle(member)
    assert shop.figures(member) == (20, 0, 0, 0)
    shop.replay(member)


def test_l8_debts_are_paid_the_oldest_first() -> None:
    shop = Shop()
    member = shop.enroll()
    purchases = [shop.buy(member, 10_000).purchase for _ in range(2)]
    shop.spend(member, 200)
    for purchase in purchases:
        shop.refund(purchase)
    shop.adjust(member, 130)
    first, second = shop.shortfalls(member)
    assert (first.remaining, second.remaining) == (0, 70)
    assert [row.amount for row in shop.transactions(member)[-2:]] == [-100, -30]
    assert shop.figures(member) == (0, 0, 0, 70)
    shop.replay(member)


def test_l8_points_given_back_pay_the_debt_first() -> None:
    shop = Shop()
    member = shop.enroll()
    purchase = shop.buy(member, 10_000).purchase
    redeemed = shop.spend(member, 100)
    shop.refund(purchase)
    shop.cancel(redeemed)
    assert shop.figures(member) == (0, 0, 0, 0)
    shop.replay(member)


def test_l8_points_of_a_hold_that_lapses_pay_the_debt_first() -> None:
    shop = Shop()
    member = shop.enroll()
    purchase = shop.buy(member, 10_000).purchase
    hold = shop.hold(member, 80).hold
    shop.refund(purchase)
    assert shop.figures(member) == (0, 0, 80, 80)
    shop.now = hold.lapses_at
    shop.settle(member)
    assert shop.figures(member) == (0, 0, 0, 0)
    shop.replay(member)


def test_l8_a_late_clock_still_lets_points_pay_the_debt_before_they_expire() -> None:
    """Activated on day 7 and over on day 31: settled on day 60 only, they have paid the debt in between."""
    shop = Shop(pending=PendingPolicy(PendingKind.AFTER, days=7), expiry=DAYS_30)
    member = owing(shop, 100)
    shop.buy(member, 12_000)
    shop.later(days=60)
    shop.settle(member)
    assert shop.figures(member) == (0, 0, 0, 0)
    assert shop.history(member)[-3:] == [("ACTIVATE", 120), ("REVERSE", -100), ("EXPIRE", -20)]
    assert [row.occurred_at for row in shop.transactions(member)[-3:]] == [
        START + timedelta(days=7),
        START + timedelta(days=7),
        datetime(2026, 2, 14, 16, tzinfo=UTC),
    ]
    shop.replay(member)


def test_l8_points_told_too_late_are_over_and_pay_nothing() -> None:
    shop = Shop(expiry=DAYS_30)
    member = owing(shop, 100)
    shop.buy(member, 12_000, occurred_at=START - timedelta(days=90))
    assert shop.figures(member) == (0, 0, 0, 100)
    assert shop.shortfall(member).outcome is ShortfallOutcome.DEBT
    shop.replay(member)


def test_the_clock_acts_in_the_order_of_time_whatever_it_acts_on() -> None:
    shop = Shop(expiry=DAYS_30)
    member = shop.enroll()
    shop.buy(member, 1_000, occurred_at=START - timedelta(days=29))
    shop.buy(member, 2_000, occurred_at=START - timedelta(days=28))
    hold = shop.hold(member, 5, minutes=60 * 24).hold
    shop.update(pending=PendingPolicy(PendingKind.AFTER, days=2))
    shop.buy(member, 3_000)
    shop.later(days=50)
    shop.settle(member)
    told = [(row.kind.value, row.amount) for row in shop.transactions(member)[4:]]
    assert told == [
        ("RELEASE", 5),
        ("EXPIRE", -10),
        ("ACTIVATE", 30),
        ("EXPIRE", -20),
        ("EXPIRE", -30),
    ]
    times = [row.occurred_at for row in shop.transactions(member)[4:]]
    assert times == sorted(times)
    assert times[0] == hold.lapses_at
    shop.replay(member)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "buy old", "refund", "spend", "cancel", "hold", "capture", "adjust"]),
        st.integers(1, 60),
        st.integers(0, 12),
    ),
    max_size=14,
)
POLICIES = st.tuples(
    st.sampled_from(
        [
            PendingPolicy(),
            PendingPolicy(PendingKind.AFTER, days=3),
            PendingPolicy(PendingKind.AFTER, days=20),
        ]
    ),
    st.sampled_from(
        [
            ExpiryPolicy(),
            ExpiryPolicy(kind=ExpiryKind.DAYS, count=9),
            ExpiryPolicy(kind=ExpiryKind.INACTIVITY, count=9),
            ExpiryPolicy(kind=ExpiryKind.END_OF_MONTH, count=0),
        ]
    ),
)


class Walk:
    """One member's random walk. `settles` lets the clock act every six hours, not only when a command comes."""

    def __init__(self, pending: PendingPolicy, expiry: ExpiryPolicy, *, settles: bool) -> None:
        self.shop = Shop(pending=pending, expiry=expiry)
        self.member = self.shop.enroll()
        self.settles = settles
        self.purchases: list[Any] = []
        self.redeemed: list[Any] = []
        self.held: list[Any] = []

    def walk(self, steps: list[tuple[str, int, int]]) -> None:
        for what, points, days in [*steps, ("settle", 0, 40)]:
            for _ in range(days * 4):
                self.shop.later(hours=6)
                if self.settles:
                    self.shop.settle(self.member)
            try:
                self.do(what, points)
            except Refusal:
                continue
        self.shop.settle(self.member)

    def do(self, what: str, points: int) -> None:
        deeds: dict[str, Callable[[int], object]] = {
            "buy": self.buy,
            "buy old": lambda points: self.buy(points, days_ago=points // 3),
            "spend": lambda points: self.redeemed.append(self.shop.spend(self.member, points)),
            "hold": lambda points: self.held.append(self.shop.hold(self.member, points, minutes=points * 300).hold),
            "adjust": lambda points: self.shop.adjust(self.member, points - 20),
            "refund": self.on(self.purchases, lambda purchase: self.shop.refund(purchase, points * 50)),
            "cancel": self.on(self.redeemed, self.shop.cancel),
            "capture": self.on(self.held, lambda hold: self.shop.capture(hold.id, points)),
            "settle": lambda _: self.shop.settle(self.member),
        }
        deeds[what](points)

    def buy(self, points: int, days_ago: int = 0) -> None:
        occurred_at = self.shop.now - timedelta(days=days_ago)
        self.purchases.append(self.shop.buy(self.member, points * 100, occurred_at=occurred_at).purchase)

    def on(self, known: list[Any], deed: Callable[[Any], object]) -> Callable[[int], object]:
        """Do something with one of what is known, if anything is."""
        return lambda points: deed(known[points % len(known)]) if known else None

    def story(self) -> list[tuple[Any, ...]]:
        rows = self.shop.transactions(self.member)
        return [(row.kind, row.amount, row.available_after, row.occurred_at) for row in rows]


@given(POLICIES, STEPS)
def test_a_late_clock_comes_to_the_same_end_as_a_punctual_one(
    policies: tuple[PendingPolicy, ExpiryPolicy], steps: list[tuple[str, int, int]]
) -> None:
    punctual, late = Walk(*policies, settles=True), Walk(*policies, settles=False)
    punctual.walk(steps)
    late.walk(steps)
    assert late.story() == punctual.story()
    assert late.shop.figures(late.member) == punctual.shop.figures(punctual.member)
    late.shop.replay(late.member)
