"""Migrations, by Tortoise's own mechanism: one module a step, up and down."""

from tortoise.migrations.api.migrate import migrate as run_migrations

from persistence.connection import Address, parse_url, tortoise_config

# What `tortoise -c persistence.migrations.TORTOISE_ORM makemigrations` reads; it connects to nothing.
TORTOISE_ORM = tortoise_config(parse_url("postgresql:///tessera"))
LATEST = "0002_promises"


async def migrate(address: Address, *, target: str | None = None) -> None:
    """Bring a database to a migration by its name, the latest if none is told; back down too."""
    await run_migrations(config=tortoise_config(address), target=None if target is None else f"tessera.{target}")
