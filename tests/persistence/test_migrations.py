"""Migrations: up, down, up again with data, and the tables they make are the models'."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import orjson
import pytest
import pytest_asyncio
from tortoise import Tortoise
from tortoise.indexes import Index
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.models import Model

from domain import policies
from domain.activities import Activity
from domain.earning.grants import Grant
from domain.earning.limits import CampaignBudget, EarningCount
from domain.earning.rule_sets import EarningRules
from domain.kernel import Row
from domain.points.account import PointsAccount
from domain.points.qualifying import Qualified, QualifyingEntry, year_of
from domain.programs import Program
from domain.purchases.purchase import Purchase
from domain.purchases.refund import Refund
from domain.redemptions.redemption import Redemption
from domain.rewards.reward import Reward
from domain.rewards.stock import RewardStock
from domain.segments import Segment
from domain.stores import Store
from domain.tiers.standing import TierChange
from domain.tiers.tier import NO_BENEFITS, Tier
from persistence import connection, migrations
from persistence.duties import DutyTable
from persistence.leaderboards.tables import StandingTable
from persistence.receipts import OutboxTable, ReceiptTable
from persistence.relay import RelayTable
from persistence.startup import StartupError
from persistence.tables import TABLES
from tests import servers
from tests.persistence import boards_filling, catalog, deals, fairs, filling, friends, goals, malls, selling, sign_ins
from tests.persistence.filling import Filled

# Kinds whose tables later migrations than the first made.
LATER: Final = (
    Segment,
    Activity,
    CampaignBudget,
    EarningCount,
    Grant,
    QualifyingEntry,
    TierChange,
    *malls.NEW_KINDS,
    *selling.NEW_KINDS,
    *boards_filling.NEW_KINDS,
    *sign_ins.NEW_KINDS,
    *fairs.NEW_KINDS,
    *goals.NEW_KINDS,
    *friends.NEW_KINDS,
    *deals.NEW_KINDS,
)
# What has columns of the mall's; another test looks at those.
OF_THE_MALL: Final = (Store, Reward, RewardStock, Redemption, Refund)
# Kinds with columns that later migrations made, and what those hold when they come back.
CHANGED: Final[dict[type[Row], dict[str, Any]]] = {
    Program: {
        "tier_policy": policies.TIERS_FOR_LIFE,
        "ladder_version": 1,
        "categories": (),
        "prize_value_max_minor": 5_000_000,
        "challenge_version": 0,
    },
    EarningRules: {"campaigns": ()},
    Tier: {"keep_threshold": None, "benefits": NO_BENEFITS},
    Purchase: {"facts": None, "discount_bp": 0},
    PointsAccount: {
        "referral_id": None,
        "tier_since": None,
        "tier_valid_until": None,
        "tier_grace_until": None,
        "manual_tier_id": None,
        "manual_tier_until": None,
    },
}
# What Tortoise writes for its fields, and what PostgreSQL calls it.
_NAMES = {
    "UUID": "uuid",
    "TEXT": "text",
    "INT": "integer",
    "BIGINT": "bigint",
    "BOOL": "boolean",
    "TIMESTAMPTZ": "timestamp with time zone",
    "DATE": "date",
    "JSONB": "jsonb",
    "BYTEA": "bytea",
}
# What redemptions in newer states are to a program that does not know them.
BEFORE_THE_MALL = {"PAID": "PLACED", "RETURNED": "CANCELLED", "LAPSED": "CANCELLED"}


@pytest.fixture
def copied_url(server_url: str, filled_url: str, filled: Filled) -> Iterator[str]:
    """A copy of the filled database, to be changed."""
    name = f"{urlsplit(filled_url).path[1:]}_copy"
    servers.sql(server_url, f"CREATE DATABASE {name} TEMPLATE {urlsplit(filled_url).path[1:]}")
    url = urlunsplit(urlsplit(filled_url)._replace(path=f"/{name}"))
    yield url
    servers.drop_database(server_url, url)


@pytest_asyncio.fixture
async def fresh(fresh_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a migrated database."""
    opened = await connection.connect(connection.parse_url(fresh_database_url))
    yield opened
    await opened.close()


async def _relations(own: asyncpg.Connection) -> set[str]:
    """Tables and functions of ours."""
    found = await own.fetch(
        """
        SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
        UNION SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'refuse_%'
        """
    )
    return {name for (name,) in found}


async def _shape(own: asyncpg.Connection) -> tuple[object, ...]:
    """All that the catalog says of our tables."""
    return (
        await catalog.columns(own),
        await catalog.checks(own),
        await catalog.references(own),
        await catalog.uniques(own),
        await catalog.fact_tables(own),
        await own.fetch("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname"),
    )


async def test_down_to_nothing_and_up_again(fresh: asyncpg.Connection, fresh_database_url: str) -> None:
    address = connection.parse_url(fresh_database_url)
    before = await _shape(fresh)
    assert await migrations.latest(fresh) == migrations.LATEST
    await migrations.migrate(address, target="__first__")
    assert await _relations(fresh) == {"tortoise_migrations"}
    assert await migrations.latest(fresh) is None
    await migrations.migrate(address)
    assert await _shape(fresh) == before
    assert await migrations.latest(fresh) == migrations.LATEST


async def test_the_promises_go_and_come_back_over_data(copied_url: str, filled: Filled) -> None:
    """What later migrations made goes, and comes back empty or as it follows from the rest; the rest stays."""
    address = connection.parse_url(copied_url)
    kept = {kind: rows for kind, rows in filled.rows.items() if kind not in (*LATER, *CHANGED, *OF_THE_MALL)}
    own = await connection.connect(address)
    try:
        before = await _shape(own)
        await migrations.migrate(address, target="0001_initial")
        assert await migrations.latest(own) == "0001_initial"
        assert (await catalog.references(own), await catalog.fact_tables(own)) == ([], set())
        assert (await filling.read(copied_url, kept)).rows == kept
        await migrations.migrate(address)
        assert await _shape(own) == before
    finally:
        await own.close()
    found = (await filling.read(copied_url)).rows
    for kind, rows in filled.rows.items():
        lost = CHANGED.get(kind, {})
        if kind in OF_THE_MALL:
            continue
        expected = () if kind in LATER else tuple(replace(row, **lost) for row in rows)
        if kind is PointsAccount:
            # Nobody knew of tiers set by hand: what was in force had been earned.
            expected = tuple(replace(row, earned_tier_id=row.tier_id) for row in expected)
        if kind is QualifyingEntry:
            _check_counted_again(found)
        elif kind is not Purchase:
            assert found[kind] == expected, kind
    assert _what_was_earned(found) == _what_was_earned(filled.rows)


def _check_counted_again(found: dict[type[Row], tuple[Any, ...]]) -> None:
    """What counts for tiers is reckoned anew from purchases, refunds and the ledger, and comes to the same sums."""
    sums: dict[UUID, Qualified] = defaultdict(Qualified)
    for entry in found[QualifyingEntry]:
        assert entry.year_id == year_of(entry.member_id, entry.day.year)
        sums[entry.member_id] += entry.counted
    for account in found[PointsAccount]:
        counted = Qualified(account.qualifying_points, account.spend_minor, account.purchases)
        assert sums[account.id] == counted, account.id


def _what_was_earned(rows: dict[type[Row], tuple[Any, ...]]) -> dict[UUID, list[tuple[str, int]]]:
    """What each rule gave for each purchase: the rest of it was not kept before."""
    return {
        purchase.id: sorted((item.rule, item.points) for item in purchase.earned if item.points)
        for purchase in rows[Purchase]
    }


async def _contents(own: asyncpg.Connection) -> dict[str, list[dict[str, object]]]:
    """Every row of every table, by its columns."""
    tables = sorted(await _relations(own) - {"tortoise_migrations", "refuse_change_of_facts"})
    found = {}
    for table in tables:
        records = await own.fetch(f"SELECT to_jsonb(t)::text AS told FROM {table} AS t ORDER BY id")
        found[table] = [orjson.loads(record["told"]) for record in records]
    return found


def _kept(
    before: dict[str, list[dict[str, object]]], after: dict[str, list[dict[str, object]]]
) -> dict[str, list[dict[str, object]]]:
    """What was there before of the tables and columns that are there after."""
    columns = {table: set(rows[0]) if rows else set() for table, rows in after.items()}
    return {
        table: [{name: value for name, value in row.items() if name in columns[table]} for row in before[table]]
        for table in after
    }


async def test_the_mall_goes_and_comes_back_over_data(copied_url: str, filled: Filled) -> None:
    """Its values go, and come back as they are for old rows; the rest stays as it is."""
    address = connection.parse_url(copied_url)
    own = await connection.connect(address)
    try:
        shape, before = await _shape(own), await _contents(own)
        await migrations.migrate(address, target="0005_duties")
        assert await migrations.latest(own) == "0005_duties"
        down = await _contents(own)
        # What was won cost nothing, and was no redemption then.
        before["redemptions"] = [row for row in before["redemptions"] if row["transaction_id"] is not None]
        for redemption in before["redemptions"]:
            redemption["state"] = BEFORE_THE_MALL.get(str(redemption["state"]), redemption["state"])
        assert down == _kept(before, down)
        await migrations.migrate(address)
        assert await _shape(own) == shape
        assert _kept(await _contents(own), down) == down
    finally:
        await own.close()
    # All of it is read: what was filled in for old rows is what the domain takes.
    assert len((await filling.read(copied_url)).rows) == len(filled.rows)


async def test_promises_that_the_data_breaks_are_not_made(copied_url: str) -> None:
    """Whoever goes back, changes facts and comes up again is told so, and stays where it was."""
    address = connection.parse_url(copied_url)
    own = await connection.connect(address)
    try:
        await migrations.migrate(address, target="0001_initial")
        await own.execute("UPDATE points_accounts SET available = -1")
        with pytest.raises(StartupError, match="could not be brought up to date"):
            await migrations.migrate(address)
        assert await migrations.latest(own) == "0001_initial"
        assert await catalog.references(own) == []
    finally:
        await own.close()


async def test_up_again_changes_nothing(fresh: asyncpg.Connection, fresh_database_url: str) -> None:
    before = await _shape(fresh)
    await migrations.migrate(connection.parse_url(fresh_database_url))
    await migrations.migrate(connection.parse_url(fresh_database_url), target=migrations.LATEST)
    assert await _shape(fresh) == before


async def test_the_columns_are_the_models(fresh: asyncpg.Connection) -> None:
    found = await catalog.columns(fresh)
    expected = {}
    models: list[type[Model]] = [table.model for table in TABLES.values()]
    models += [ReceiptTable, OutboxTable, DutyTable, RelayTable, StandingTable]
    for model in models:
        for name, field in model._meta.fields_map.items():
            told = field.get_for_dialect("postgres", "SQL_TYPE")
            kind = told.replace("VARCHAR", "character varying") if "VARCHAR" in told else _NAMES[told]
            expected[(model._meta.db_table, name)] = (kind, field.null)
    assert found == expected


async def test_the_indexes_of_the_models_are_there(fresh: asyncpg.Connection) -> None:
    found = {name for (name,) in await fresh.fetch("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")}
    for table in TABLES.values():
        assert {index.name for index in table.model._meta.indexes if isinstance(index, Index)} <= found
    uniques = {(unique.table, unique.columns) for unique in await catalog.uniques(fresh)}
    for table in TABLES.values():
        assert {(table.name, columns) for columns in table.model._meta.unique_together} <= uniques


async def test_nothing_is_left_to_be_migrated(fresh_database_url: str) -> None:
    """What `tortoise makemigrations` would find: no model has changed since the last migration."""
    config = connection.tortoise_config(connection.parse_url(fresh_database_url))
    context = await Tortoise.init(config=config, init_connections=False)
    try:
        assert context.apps is not None
        writers = await MigrationAutodetector(context.apps, config["apps"]).changes()
        assert [(writer.name, writer.operations) for writer in writers] == []
    finally:
        await Tortoise.close_connections()
