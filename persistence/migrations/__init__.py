"""Migrations, by Tortoise's own mechanism: one module a step, up and down."""

from typing import Final

import asyncpg
from tortoise import Tortoise
from tortoise.exceptions import OperationalError
from tortoise.migrations.api.migrate import migrate as run_migrations

from persistence import connection, frugality
from persistence.startup import StartupError

# What `tortoise -c persistence.migrations.TORTOISE_ORM makemigrations` reads; it connects to nothing.
TORTOISE_ORM: Final = connection.tortoise_config(connection.parse_url("postgresql:///tessera"))
LATEST: Final = "0017_tiers_by_hand"
EXTENSIONS: Final = ("pg_trgm", "btree_gin")
# Processes that start together migrate one after the other.
_LOCK: Final = 0x7E55E7A


async def migrate(address: connection.Address, *, target: str | None = None) -> None:
    """Bring a database to a migration by its name, the latest if none is told; back down too.

    Raises `StartupError` if the server lacks an extension that every PostgreSQL's contrib has.
    """
    own = await connection.connect(address)
    try:
        await own.execute("SELECT pg_advisory_lock($1)", _LOCK)
        if target is None and await latest(own) == LATEST:
            return
        await _require_extensions(own)
        config = connection.tortoise_config(address)
        try:
            with frugality.frugal():
                await run_migrations(config=config, target=None if target is None else f"tessera.{target}")
        finally:
            await Tortoise.close_connections()
    except OperationalError as fault:
        raise StartupError(f"The database could not be brought up to date: {fault}") from fault
    finally:
        await own.close()


async def latest(own: asyncpg.Connection) -> str | None:
    """The newest migration a database has; None if it has none."""
    if await own.fetchval("SELECT to_regclass('tortoise_migrations')") is None:
        return None
    name: str | None = await own.fetchval("SELECT max(name) FROM tortoise_migrations WHERE app = 'tessera'")
    return name


async def _require_extensions(own: asyncpg.Connection) -> None:
    offered = await own.fetch("SELECT name FROM pg_available_extensions WHERE name = ANY($1)", list(EXTENSIONS))
    missing = sorted(set(EXTENSIONS) - {record["name"] for record in offered})
    if missing:
        raise StartupError(f"PostgreSQL lacks {' and '.join(missing)}; install its contrib package.")
