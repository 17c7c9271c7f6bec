"""Whether the stores that the operator named are there, told in one sentence that keeps their passwords."""

import re
from typing import Final

import asyncpg
from redis import asyncio as aioredis
from redis.exceptions import RedisError

from persistence.startup import StartupError

CONNECT_SECONDS_MAX: Final = 5.0
POSTGRES_MAJOR_MIN: Final = 15


# Without an @, "user:password" would read as a place: a port is a number, and a unix socket has no host.
_PLACE = re.compile(r"[^:/]*(:[0-9]{1,5})?(/.*)?")


class Unreachable(StartupError):
    """A store cannot be used under the URL that was given for it."""


async def check_database(url: str) -> None:
    """Connect to the PostgreSQL at `url` once. Raises `Unreachable` in at most `CONNECT_SECONDS_MAX`."""
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS_MAX)
        major = connection.get_server_version().major
        await connection.close()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise Unreachable(f"DATABASE_URL: no session with {shown(url)}: {_reason(error)}") from error
    if major < POSTGRES_MAJOR_MIN:
        raise Unreachable(f"DATABASE_URL: {shown(url)} is PostgreSQL {major}; it takes {POSTGRES_MAJOR_MIN} or later.")


async def check_redis(url: str) -> None:
    """Ping the Redis or Valkey at `url` once. Raises `Unreachable` in at most `CONNECT_SECONDS_MAX`."""
    try:
        async with aioredis.from_url(
            url, socket_connect_timeout=CONNECT_SECONDS_MAX, socket_timeout=CONNECT_SECONDS_MAX
        ) as client:
            await client.ping()
    except (OSError, RedisError, ValueError) as error:
        raise Unreachable(f"REDIS_URL: no answer from {shown(url)}: {_reason(error)}") from error


def shown(url: str) -> str:
    """The URL without its user, password and query, or no URL where it is unclear which part those are."""
    address, _, query = url.partition("?")
    scheme, _, rest = address.partition("://")
    credentials, has_credentials, place = rest.rpartition("@")
    is_clear = "@" not in query and not set("#/") & set(credentials)
    if not is_clear or not (has_credentials or _PLACE.fullmatch(place)):
        return "the given address"
    return f"{scheme}://{place}"


def _reason(error: Exception) -> str:
    # A ValueError quotes what it could not read, which may be half a password.
    if isinstance(error, ValueError):
        return "it is not a valid URL."
    if isinstance(error, TimeoutError):
        return f"nobody answered within {CONNECT_SECONDS_MAX:.0f} seconds."
    return f"{str(error).strip().rstrip('.') or type(error).__name__}."
