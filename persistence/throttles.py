"""Bounds on how often something is tried, counted in Redis. Without Redis everything is allowed."""

import asyncio
import hashlib
import logging
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from redis import asyncio as aioredis
from redis import exceptions

logger = logging.getLogger("tessera.throttles")

_ANSWER_SECONDS_MAX: Final = 1
# The count lives as long as the window that its first attempt began.
_COUNT: Final = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('TTL', KEYS[1])}
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count_max` attempts in windows of `seconds`."""

    name: str
    count_max: int
    seconds: int


class Throttle:
    """Counts attempts per program and subject. A subject, such as an e-mail address, is kept only as a hash."""

    def __init__(self, redis: aioredis.Redis | None) -> None:
        self._redis: Any = redis

    async def wait_seconds(self, limit: Limit, program_id: UUID, subject: str) -> int:
        """Count an attempt: 0 if it is within the limit, otherwise how long to wait for the next window."""
        if self._redis is None:
            return 0
        try:
            async with asyncio.timeout(_ANSWER_SECONDS_MAX):
                count, left = await self._redis.eval(_COUNT, 1, _key(limit, program_id, subject), limit.seconds)
        except (exceptions.RedisError, OSError) as fault:
            logger.warning("Redis is away, %s is not limited: %s", limit.name, type(fault).__name__)
            return 0
        return 0 if count <= limit.count_max else max(1, left)

    async def reset(self, limit: Limit, program_id: UUID, subject: str) -> None:
        """Forget the attempts, after one succeeded."""
        if self._redis is None:
            return
        try:
            async with asyncio.timeout(_ANSWER_SECONDS_MAX):
                await self._redis.delete(_key(limit, program_id, subject))
        except (exceptions.RedisError, OSError) as fault:
            logger.warning("Redis is away, %s is not limited: %s", limit.name, type(fault).__name__)


def _key(limit: Limit, program_id: UUID, subject: str) -> str:
    digest = hashlib.sha256(subject.encode()).hexdigest()
    return f"{{{program_id}}}:throttle:{limit.name}:{digest}"
