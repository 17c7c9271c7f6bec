"""Two real `tessera serve` on the same PostgreSQL and Valkey, hammered together over HTTP: exact results."""

import asyncio
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from domain.purchases.purchase import Purchase
from domain.redemptions.redemption import Redemption
from domain.rewards.stock import RewardStock
from tests.persistence.engines import Books
from tests.process import shopfront, tessera
from tests.process.shopfront import Founded, Load, Mutation
from tests.process.tessera import Child

CALLERS: Final = 32


@dataclass(frozen=True, slots=True)
class Pair:
    """Two servers, the second on the stores of the first."""

    first: Child
    second: Child
    database_url: str

    @property
    def urls(self) -> list[str]:
        return [self.first.url, self.second.url]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two servers that run."""
    directory = tmp_path_factory.mktemp("pair")
    with tessera.serving(directory / "first") as first:
        database_url = shopfront.store_url(first, "PostgreSQL")
        stores = {"DATABASE_URL": database_url, "REDIS_URL": shopfront.store_url(first, "Valkey")}
        with tessera.serving(directory / "second", **stores) as second:
            yield Pair(first, second, database_url)
            assert second.stop(signal.SIGTERM) == 0
        assert first.stop(signal.SIGTERM) == 0


def hammer(pair: Pair, founded: Founded, mutations: list[Mutation]) -> tuple[Load, Books]:
    """Tell everything to both at once; what was answered, and what is stored."""

    async def work() -> tuple[Load, Books]:
        load = Load(founded)
        await load.tell(pair.urls, mutations, callers=CALLERS)
        assert (load.errors, load.unanswered) == ({}, [])
        books = await shopfront.books(pair.database_url, founded.program_id)
        assert books.check() == len(founded.member_ids)
        return load, books

    return asyncio.run(work())


def found(pair: Pair, *, members: int, points: int, stock: int = 1) -> Founded:
    return asyncio.run(shopfront.found(pair.database_url, members=members, points=points, stock=stock))


def test_l12_spends_through_both_never_overdraw(pair: Pair) -> None:
    founded = found(pair, members=1, points=100)
    (member_id,) = founded.member_ids
    load, books = hammer(pair, founded, [shopfront.adjusting(member_id, -10, f"k-{n}") for n in range(50)])
    assert load.refusals() == {"done": 10, "INSUFFICIENT_POINTS": 40}
    assert books.account(member_id).available == 0


def test_a_reward_sells_out_exactly(pair: Pair) -> None:
    founded = found(pair, members=40, points=50, stock=100)
    told = [shopfront.redeeming(founded.member_ids[n % 40], founded.reward_id, f"k-{n}") for n in range(200)]
    load, books = hammer(pair, founded, told)
    assert load.refusals() == {"done": 100, "SOLD_OUT": 100}
    assert books.state.get(RewardStock, founded.reward_id).left == 0
    assert len(books.of(Redemption)) == 100
    assert sum(books.account(member_id).available for member_id in founded.member_ids) == 40 * 50 - 100 * 10


def test_l11_a_key_told_to_both_is_one_purchase(pair: Pair) -> None:
    founded = found(pair, members=2, points=1)
    told = [shopfront.buying(founded.member_ids[n % 2], f"o-{n}", f"k-{n}") for n in range(30)]
    load, books = hammer(pair, founded, [mutation for mutation in told for _ in range(4)])
    assert load.refusals() == {"done": 30}
    assert len(books.of(Purchase)) == 30
    assert [books.account(member_id).available for member_id in founded.member_ids] == [16, 16]


def test_l11_an_order_told_to_both_under_two_keys_earns_once(pair: Pair) -> None:
    founded = found(pair, members=1, points=1)
    (member_id,) = founded.member_ids
    told = [shopfront.buying(member_id, f"o-{n // 2}", f"k-{n}") for n in range(60)]
    load, books = hammer(pair, founded, told)
    assert load.refusals() == {"done": 60}
    assert len(books.of(Purchase)) == 30
    assert books.account(member_id).available == 31
    for number in range(0, 60, 2):
        first, second = (load.answers[f"k-{each}"]["purchase"]["id"] for each in (number, number + 1))
        assert first == second
