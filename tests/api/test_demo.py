"""The demonstration: every figure it prints, reckoned a second time from the file alone."""

import csv
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest_asyncio

from api import demo, settings
from api.imports import files
from api.imports.running import Done
from persistence.demo import Figures, TopMember
from tests.api import conftest, shops

NAMES: Final = ("Member", "Silver", "Gold")


@dataclass(slots=True)
class Customer:
    """A member as a few lines of arithmetic see it."""

    points: int = 0
    purchases: int = 0
    rank: int = 0

    def buy(self, cents: int) -> None:
        """One dollar is one point, half as much again in gold and a fifth in silver, rounded down once."""
        self.points += cents * (10, 12, 15)[self.rank] // 1000
        self.purchases += 1
        self.rank = max(self.rank, sum(self.points >= reached for reached in (200, 500)))

    @property
    def tier(self) -> str:
        """The name of the tier."""
        return NAMES[self.rank]


@dataclass(slots=True)
class Reckoned:
    """What the file comes to."""

    customers: dict[str, Customer] = field(default_factory=dict)
    cents: int = 0

    def figures(self) -> Figures:
        """As the demonstration prints them."""
        tiers = Counter(customer.tier for customer in self.customers.values())
        top = sorted(self.customers.items(), key=lambda pair: (-pair[1].points, pair[0]))[:10]
        return Figures(
            members=len(self.customers),
            purchases=sum(customer.purchases for customer in self.customers.values()),
            amount_minor=self.cents,
            points=sum(customer.points for customer in self.customers.values()),
            tiers=tuple((name, tiers[name]) for name in reversed(NAMES)),
            top=tuple(
                TopMember(external_id=key, points=one.points, tier=one.tier, purchases=one.purchases)
                for key, one in top
            ),
        )


def reckoned() -> Reckoned:
    """The file, row by row, in its order."""
    found = Reckoned()
    with demo.FILE.open(newline="") as file:
        for row in csv.DictReader(file):
            dollars, _, cents = row["amount_usd"].partition(".")
            amount = int(dollars) * 100 + int(cents)
            found.customers.setdefault(row["member_external_id"], Customer()).buy(amount)
            found.cents += amount
    return found


@pytest_asyncio.fixture
async def empty(fresh_database_url: str) -> AsyncIterator[shops.World]:
    """A running application on a database without any program."""
    async with conftest._running(fresh_database_url, None) as world:
        yield world


async def demonstrated(world: shops.World, data_dir: Path) -> tuple[Done, Figures]:
    """One demonstration."""
    chosen = settings.Settings(_env_file=None, data_dir=data_dir)
    with files.opened(demo.FILE, encoding="utf-8", delimiter=",") as source:
        return await demo.demonstrate(world.backend.engine, source, chosen)


async def test_its_figures_are_those_of_the_file_and_again_the_same(empty: shops.World, tmp_path: Path) -> None:
    done, figures = await demonstrated(empty, tmp_path)
    assert (done.tally.rows, done.tally.recorded, done.tally.enrolled) == (6919, 6919, 2357)
    assert figures == reckoned().figures()
    assert (figures.members, figures.purchases, figures.amount_minor) == (2357, 6919, 24_409_194)
    assert figures.points == done.tally.points == 262_306
    assert figures.tiers == (("Gold", 84), ("Silver", 192), ("Member", 2081))
    again, same = await demonstrated(empty, tmp_path)
    assert (again.tally.recorded, again.tally.repeated, again.tally.enrolled) == (0, 6919, 0)
    assert same == figures
