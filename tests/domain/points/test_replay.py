"""The replayer finds what is right, and every way in which rows can be wrong (L2)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.points import replay
from domain.points.account import (
    Lot,
    LotDraw,
    LotState,
    PointsAccount,
    PointTransaction,
    Shortfall,
    SourceType,
    TransactionKind,
)
from domain.policies import PendingKind, PendingPolicy
from tests.domain import invariants, simulation
from tests.domain.shop import Shop
from tests.domain.simulator import Simulation

Tampering = Callable[["Books"], object]
Books = tuple[PointsAccount, list[PointTransaction], list[LotDraw], list[Lot], list[Shortfall]]


@pytest.fixture
def books() -> Books:
    """A member's rows with every kind of move in them, and debt that is paid in part."""
    shop = Shop()
    member = shop.enroll(100)
    purchase = shop.buy(member, 10_000).purchase
    shop.capture(shop.hold(member, 30).hold.id, 20)
    shop.hold(member, 10)
    redeemed = shop.spend(member, 150)
    shop.refund(purchase)
    shop.adjust(member, 40)
    shop.cancel(redeemed)
    shop.update(pending=PendingPolicy(PendingKind.ON_EVENT))
    waiting = shop.buy(member, 5_000).purchase
    shop.refund(waiting, 1_000)
    shop.replay(member)
    transactions = list(shop.transactions(member))
    draws = [draw for row in transactions for draw in shop.state.all(LotDraw, of=row.id)]
    return shop.account(member), transactions, draws, list(shop.lots(member)), list(shop.shortfalls(member))


def rebuild(books: Books) -> replay.Replayed:
    _, transactions, draws, lots, shortfalls = books
    return replay.replay(transactions, draws, lots, shortfalls)


def test_l2_an_account_without_rows_has_nothing() -> None:
    assert replay.replay((), (), (), ()) == replay.Replayed()


def test_l2_rows_alone_rebuild_the_account_and_its_lots(books: Books) -> None:
    account, transactions, _, lots, shortfalls = books
    replayed = rebuild(books)
    assert replay.differences(account, lots, shortfalls, replayed) == ()
    assert (replayed.available, replayed.pending, replayed.held) == replay.figures_of(replayed.lots)
    assert replayed.sequence == len(transactions)
    assert replayed.owed == {shortfall.id: 0 for shortfall in shortfalls}


def test_l2_replaying_takes_nothing_from_what_a_lot_is_now(books: Books) -> None:
    """A lot's remaining, held, state and times may change; what it opened with may not."""
    account, transactions, draws, lots, shortfalls = books
    blank = [replace(lot, remaining=0, held=0, state=LotState.EXPIRED, available_at=None) for lot in lots]
    replayed = replay.replay(transactions, draws, blank, shortfalls)
    assert replay.differences(account, lots, shortfalls, replayed) == ()


@pytest.mark.parametrize("figure", ["available", "pending", "held", "debt", "sequence"])
def test_l2_a_figure_that_is_not_what_the_rows_say_is_told(books: Books, figure: str) -> None:
    account, _, _, lots, shortfalls = books
    wrong: dict[str, Any] = {figure: getattr(account, figure) + 1}
    (told,) = replay.differences(replace(account, **wrong), lots, shortfalls, rebuild(books))
    assert told == f"{figure} is {wrong[figure]}, the ledger says {getattr(account, figure)}"


def test_l2_a_lot_or_shortfall_that_is_not_what_the_rows_say_is_told(books: Books) -> None:
    account, _, _, lots, shortfalls = books
    for change in ({"remaining": 77}, {"held": 7}, {"state": LotState.CANCELLED}):
        wrong = [replace(lots[0], **change), *lots[1:]]
        (told,) = replay.differences(account, wrong, shortfalls, rebuild(books))
        assert str(lots[0].id) in told
    (told,) = replay.differences(account, lots, [replace(shortfalls[0], remaining=3)], rebuild(books))
    assert told == f"of shortfall {shortfalls[0].id} 3 remain, the ledger says 0"


def place_of(transactions: Sequence[PointTransaction], kind: TransactionKind) -> int:
    return next(place for place, row in enumerate(transactions) if row.kind is kind)


def edit(of: TransactionKind, /, **change: Any) -> Tampering:
    def tamper(books: Books) -> None:
        place = place_of(books[1], of)
        books[1][place] = replace(books[1][place], **change)

    return tamper


def edit_draw_of(of: TransactionKind, /, **change: Any) -> Tampering:
    def tamper(books: Books) -> None:
        transaction = books[1][place_of(books[1], of)]
        place = next(place for place, draw in enumerate(books[2]) if draw.transaction_id == transaction.id)
        books[2][place] = replace(books[2][place], **change)

    return tamper


def edit_lot(**change: Any) -> Tampering:
    def tamper(books: Books) -> None:
        books[3][0] = replace(books[3][0], **change)

    return tamper


TAMPERINGS: list[tuple[str, Tampering]] = [
    ("a row is missing", lambda books: books[1].pop(3)),
    ("a row is there twice", lambda books: books[1].insert(3, books[1][3])),
    ("rows changed places", lambda books: books[1].reverse()),
    ("the amount of a spending was changed", edit(TransactionKind.REDEEM, amount=-1)),
    ("the amount of a hold was changed", edit(TransactionKind.HOLD, amount=-31)),
    ("the balance after a row was changed", edit(TransactionKind.CAPTURE, available_after=1)),
    ("the kind of a row was changed", edit(TransactionKind.CAPTURE, kind=TransactionKind.REDEEM)),
    ("a spending was called a hold", edit(TransactionKind.REDEEM, kind=TransactionKind.HOLD)),
    ("a clawback was said to pay a debt", edit(TransactionKind.REVERSE, source_type=SourceType.SHORTFALL)),
    ("a draw was changed", edit_draw_of(TransactionKind.REDEEM, amount=1)),
    ("a draw names another lot", edit_draw_of(TransactionKind.REDEEM, lot_id=UUID(int=5))),
    ("a draw names another transaction", edit_draw_of(TransactionKind.REDEEM, transaction_id=UUID(int=5))),
    ("a draw is missing", lambda books: books[2].pop(0)),
    ("the amount of a lot was changed", edit_lot(amount=99)),
    ("a lot names another transaction", edit_lot(transaction_id=UUID(int=5))),
    ("a lot is missing", lambda books: books[3].pop(0)),
    ("a debt was forgotten", lambda books: books[4].clear()),
]


@pytest.mark.parametrize("tamper", [tamper for _, tamper in TAMPERINGS], ids=[what for what, _ in TAMPERINGS])
def test_l2_rows_that_contradict_each_other_are_found(books: Books, tamper: Tampering) -> None:
    tamper(books)
    try:
        found = replay.differences(books[0], books[3], books[4], rebuild(books))
    except replay.LedgerBroken as broken:
        found = (broken.why,)
    assert found


def test_a_broken_ledger_names_the_row_at_fault(books: Books) -> None:
    place = place_of(books[1], TransactionKind.REDEEM)
    sequence = books[1][place].sequence
    edit(TransactionKind.REDEEM, amount=-1)(books)
    with pytest.raises(replay.LedgerBroken) as broken:
        rebuild(books)
    assert (broken.value.sequence, broken.value.why) == (sequence, "its lots and draws sum to -150, not to -1")


@given(st.integers(0, 10**6))
def test_l2_replay_is_the_account_after_any_sequence_of_commands(seed: int) -> None:
    life = Simulation()
    life.live(seed, 250)
    assert invariants.replay_members(life.state) == life.done["EnrollMember"]


def test_the_simulation_starts_with_a_program() -> None:
    step = next(simulation.commands(1, 1))
    assert type(step.command).__name__ == "CreateProgram"
