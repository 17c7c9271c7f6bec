"""Whatever members, payments and clocks do: sold, held and left are always the whole, and points agree (F1, F3)."""

import contextlib
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.claims import Claim, ClaimState, FlashSaleHold, FlashSaleStock
from domain.flash_sales.claiming import Claimed
from domain.flash_sales.sale import FlashSaleItem, HeadStart, Share
from domain.kernel import Refusal
from domain.redemptions.redemption import Redemption
from tests.domain.flash_sales.floor import OPENS, Floor

STOCK, SHARE, LIMIT, POINTS = 6, 2, 3, 10
MEMBERS = 4

DEEDS = st.lists(
    st.tuples(
        st.sampled_from(("claim", "claim", "claim", "claim", "pay", "release", "lapse", "cancel", "wait")),
        st.integers(min_value=0, max_value=30),
    ),
    max_size=60,
)


class Life:
    """A few members and one scarce item, half of whose units cost money beside; from the head start on."""

    def __init__(self, cash_minor: int) -> None:
        self.floor = floor = Floor()
        gold = floor.tier("Gold", 1)
        self.item: FlashSaleItem = floor.offer(
            points=POINTS,
            cash_minor=cash_minor,
            stock=STOCK,
            limit_per_member=LIMIT,
            pay_minutes=3,
            head_starts=(HeadStart(tier_id=gold, minutes=5),),
            shares=(Share(tier_id=gold, quantity=SHARE),),
        )
        self.members = [floor.member_of(gold if number % 2 else None, 25) for number in range(MEMBERS)]
        self.claimed: list[Claimed] = []
        floor.now = OPENS - timedelta(minutes=4)

    def do(self, deed: str, number: int) -> None:
        if deed == "wait":
            self.floor.later(seconds=number * 10)
            return
        with contextlib.suppress(Refusal):
            self._attempt(deed, number)

    def _attempt(self, deed: str, number: int) -> None:
        floor = self.floor
        if deed == "claim":
            self.claimed.append(floor.claim(self.members[number % MEMBERS], self.item))
        elif self.claimed:
            claimed = self.claimed[number % len(self.claimed)]
            ends: dict[str, Any] = {
                "pay": floor.pay_claim,
                "release": floor.release_claim,
                "lapse": floor.lapse_claim,
                "cancel": self._cancel,
            }
            ends[deed](claimed)

    def _cancel(self, claimed: Claimed) -> None:
        if self.floor.row(Claim, claimed.claim.id).redemption_id is not None:
            self.floor.cancel_of(claimed)

    def check(self) -> None:
        state, now = self.floor.state, self.floor.now
        claims = state.rows(Claim)
        sold = Counter(claim.stock_id for claim in claims if claim.state is ClaimState.CONFIRMED)
        for stock in state.rows(FlashSaleStock):
            held = state.all(FlashSaleHold, of=stock.id)
            assert (stock.sold, stock.held) == (sold[stock.id], len(held))
            assert min(stock.left, stock.sold, stock.held) >= 0
        assert sum(stock.total for stock in state.rows(FlashSaleStock)) <= STOCK
        alive = [claim for claim in claims if claim.is_open and not claim.has_lapsed(now)]
        assert max(Counter(claim.member_id for claim in alive).values(), default=0) <= LIMIT
        self._check_points(alive)

    def _check_points(self, alive: list[Claim]) -> None:
        kept = Counter(claim.member_id for claim in alive if claim.state is ClaimState.CONFIRMED)
        for member in self.members:
            account = self.floor.settle(member)
            held = sum(claim.points for claim in alive if claim.member_id == member and claim.redemption_id is None)
            assert (account.available + held + POINTS * kept[member], account.held) == (25, held)
            self.floor.replay(member)
        redeemed = [row for row in self.floor.state.rows(Redemption) if row.is_open]
        assert sorted(row.origin_id or UUID(int=0) for row in redeemed) == sorted(
            claim.id for claim in alive if claim.redemption_id is not None
        )


@given(cash_minor=st.sampled_from((0, 100)), deeds=DEEDS)
def test_f1_sold_held_and_left_are_the_whole_whatever_happens(cash_minor: int, deeds: list[tuple[str, int]]) -> None:
    life = Life(cash_minor)
    for deed, number in deeds:
        life.do(deed, number)
        if deed != "wait":
            life.check()
    life.check()
