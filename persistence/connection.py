"""The way to PostgreSQL: one pool for reads through Tortoise, and single connections for the engine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg
from tortoise import Tortoise, connections
from tortoise.backends.asyncpg.client import AsyncpgDBClient

MODEL_MODULES = (
    "persistence.programs",
    "persistence.earning",
    "persistence.stores",
    "persistence.tiers",
    "persistence.segments",
    "persistence.lotteries",
    "persistence.members",
    "persistence.points",
    "persistence.purchases",
    "persistence.activities",
    "persistence.check_ins",
    "persistence.rewards",
    "persistence.redemptions",
    "persistence.flash_sales",
    "persistence.group_deals",
    "persistence.vouchers",
    "persistence.offsets",
    "persistence.trade",
    "persistence.challenges",
    "persistence.quizzes",
    "persistence.identities",
    "persistence.referrals",
    "persistence.access",
    "persistence.receipts",
    "persistence.duties",
    "persistence.relay",
    "persistence.leaderboards.tables",
)
CONNECT_SECONDS_MAX = 10


class DatabaseUrlInvalid(ValueError):
    """A database URL that is none of PostgreSQL's. The message never holds the URL, which may hold a password."""


class PlainConnection(asyncpg.Connection):
    """A pooled connection without the reset query between uses: this program leaves no session state behind."""

    def get_reset_query(self) -> str:
        return ""


class Client(AsyncpgDBClient):
    """Tortoise's client over such connections."""

    connection_class = PlainConnection  # type: ignore[assignment]


# Tortoise takes a module as a backend and looks for this name in it.
client_class = Client


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is. The password stays out of its representation."""

    host: str
    port: int
    user: str
    database: str
    password: str | None = field(default=None, repr=False)
    ssl: str | None = None

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for asyncpg."""
        told = {name: getattr(self, name) for name in ("host", "port", "user", "database", "password", "ssl")}
        return {name: value for name, value in told.items() if value is not None}


def parse_url(url: str) -> Address:
    """`postgresql://user:password@host:port/database?host=/socket/directory&sslmode=require` as an address.

    Raises `DatabaseUrlInvalid` with a sentence that says what is missing.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise DatabaseUrlInvalid("The database URL cannot be read; its port must be a number.") from None
    if parts.scheme not in ("postgresql", "postgres", "asyncpg"):
        raise DatabaseUrlInvalid("A database URL begins with postgresql://.")
    options = dict(parse_qsl(parts.query))
    database = unquote(parts.path.lstrip("/"))
    if not database:
        raise DatabaseUrlInvalid("The database URL names no database after the host.")
    return Address(
        host=options.get("host") or parts.hostname or "127.0.0.1",
        port=int(options.get("port") or port or 5432),
        user=unquote(parts.username or options.get("user") or "postgres"),
        database=database,
        password=unquote(parts.password) if parts.password else None,
        ssl=options.get("sslmode"),
    )


def tortoise_config(address: Address, *, pool_size: int = 10) -> dict[str, Any]:
    """What Tortoise is started with; also by its migrations."""
    credentials = address.arguments() | {
        "minsize": 1,
        "maxsize": pool_size,
        "timeout": CONNECT_SECONDS_MAX,
        # Reads are planned for the keys they are given: a plan that is kept from when a table was small goes through
        # all of it when it is large.
        "server_settings": {"application_name": "tessera", "jit": "off", "plan_cache_mode": "force_custom_plan"},
    }
    credentials.setdefault("password", None)
    return {
        "connections": {"default": {"engine": "persistence.connection", "credentials": credentials}},
        "apps": {
            "tessera": {
                "models": list(MODEL_MODULES),
                "default_connection": "default",
                "migrations": "persistence.migrations",
            }
        },
        "use_tz": True,
    }


@asynccontextmanager
async def open_database(url: str, *, pool_size: int = 10) -> AsyncIterator[Address]:
    """The pool that reads use, for as long as the context lasts. Raises `DatabaseUrlInvalid` or what asyncpg does."""
    address = parse_url(url)
    # Without the fallback, what Starlette's lifespan initialises is invisible to its requests.
    await Tortoise.init(config=tortoise_config(address, pool_size=pool_size), _enable_global_fallback=True)
    try:
        yield address
    finally:
        # This also forgets the global context, without which a process could not open another database.
        await Tortoise.close_connections()


async def connect(address: Address) -> asyncpg.Connection:
    """A connection of one's own, for the engine and for tools. It reads and writes by key alone."""
    return await asyncpg.connect(
        **address.arguments(),
        timeout=CONNECT_SECONDS_MAX,
        server_settings={
            "application_name": "tessera",
            "jit": "off",
            # Plans of statements and of foreign keys are kept; one made while a table was empty would scan it for ever.
            "enable_seqscan": "off",
            "enable_hashjoin": "off",
            "enable_mergejoin": "off",
        },
    )


def acquire() -> Any:
    """A raw asyncpg connection of the pool, as an asynchronous context."""
    return connections.get("default").acquire_connection()
