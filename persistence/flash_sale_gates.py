"""Gates: what is sold out is remembered in Redis for less than a second, so that late callers need not queue (F2).

A gate decides nothing: it only says earlier what PostgreSQL has just said. It is shut by whoever was refused there, and
by nobody else; it opens when a unit comes back, and by itself within a second, even if that was never told. A caller
whose key did something before is never turned away. Without Redis everybody goes to PostgreSQL.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from redis import asyncio as aioredis
from redis import exceptions

from domain.claims import ClaimClosed
from domain.flash_sales.sale import FlashSaleSaved
from domain.kernel import Event
from persistence import receipts, rows

logger = logging.getLogger("tessera.flash_sale_gates")

# Together with what a process remembers and how long an answer may take, less than a second.
SHUT_MS: Final = 700
REMEMBERED_SECONDS: Final = 0.1
_ANSWER_SECONDS_MAX: Final = 0.1
# A Redis that does not answer is left alone for so long.
_AWAY_SECONDS: Final = 1.0
_GATES_MAX: Final = 10_000
# Callers who are turned away are looked up together.
_GATHER_SECONDS: Final = 0.005
_LOST: Final = (exceptions.RedisError, OSError, TimeoutError)

Place = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class _Known:
    is_shut: bool
    until: float


class Gates:
    """The gates of the items of all programs, as this process knows them."""

    def __init__(self, redis: aioredis.Redis | None) -> None:
        self.turned_away = 0
        self._redis: Any = redis
        self._known: dict[Place, _Known] = {}
        self._asking: dict[Place, asyncio.Task[bool]] = {}
        self._shutting: set[Place] = set()
        self._telling: set[asyncio.Task[None]] = set()
        self._told = _Told()
        self._away_until = 0.0

    async def turns_away(self, program_id: UUID, item_id: UUID, *, actor: str, idempotency_key: str) -> bool:
        """Whether a claim need not be tried: its item is sold out for everybody, and its key has done nothing yet."""
        if not await self.is_shut(program_id, item_id):
            return False
        if await self._told.has(receipts.receipt_id(program_id, actor, idempotency_key.strip())):
            return False
        self.turned_away += 1
        return True

    async def is_shut(self, program_id: UUID, item_id: UUID) -> bool:
        """Whether a gate is shut: asked of Redis at most once for all who ask at a time."""
        place = (program_id, item_id)
        known = self._known.get(place)
        if known is not None and _clock() < known.until:
            return known.is_shut
        if not self._may_ask():
            return False
        asking = self._asking.get(place)
        if asking is None:
            asking = self._asking[place] = asyncio.create_task(self._ask(place))
            asking.add_done_callback(lambda _: self._asking.pop(place, None))
        # One who gives up waiting takes nothing from the others.
        return await asyncio.shield(asking)

    async def _ask(self, place: Place) -> bool:
        left_ms = await self._answer(lambda: self._redis.pttl(_key(place)))
        is_shut = left_ms is not None and left_ms > 0
        self._remember(place, is_shut=is_shut, seconds=left_ms / 1000 if is_shut else REMEMBERED_SECONDS)
        return is_shut

    async def shut(self, program_id: UUID, item_id: UUID, *, until: datetime, now: datetime) -> None:
        """PostgreSQL has just said that an item is sold out for everybody, in a round that ends at `until`."""
        place = (program_id, item_id)
        shut_ms = min(SHUT_MS, int((until - now).total_seconds() * 1000))
        if shut_ms <= 0 or place in self._shutting or not self._may_ask():
            return
        self._shutting.add(place)
        try:
            if await self._answer(lambda: self._redis.set(_key(place), 1, px=shut_ms)):
                self._remember(place, is_shut=True, seconds=shut_ms / 1000)
        finally:
            self._shutting.discard(place)

    def kept(self, program_id: UUID, events: Sequence[Event]) -> None:
        """What a batch that is committed made happen: where a unit came back, the gate is opened at once."""
        items = {item_id for event in events for item_id in _items_back(event)}
        if items:
            self.open(program_id, items)

    def open(self, program_id: UUID, item_ids: Iterable[UUID]) -> None:
        """Open gates. Whoever asks in this process is let in from now on, in others in a moment."""
        places = [(program_id, item_id) for item_id in item_ids]
        for place in places:
            self._known.pop(place, None)
        if self._may_ask():
            telling = asyncio.get_running_loop().create_task(self._delete(places))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    async def _delete(self, places: Sequence[Place]) -> None:
        await self._answer(lambda: self._redis.delete(*map(_key, places)))

    def _remember(self, place: Place, *, is_shut: bool, seconds: float) -> None:
        if len(self._known) >= _GATES_MAX:
            self._known.clear()
        self._known[place] = _Known(is_shut, _clock() + min(seconds, REMEMBERED_SECONDS))

    def _may_ask(self) -> bool:
        return self._redis is not None and _clock() >= self._away_until

    async def _answer(self, ask: Any) -> Any:
        """What Redis answers; None if it does not, and then it is left alone for a moment."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS_MAX):
                return await ask()
        except _LOST as fault:
            logger.warning("Redis is away, no flash sale turns anybody away: %s", type(fault).__name__)
            self._away_until = _clock() + _AWAY_SECONDS
            self._known.clear()
            return None


class _Told:
    """Which idempotency keys have done something, asked together for all who ask within a moment."""

    def __init__(self) -> None:
        self._gathering: dict[UUID, None] = {}
        self._asking: asyncio.Task[frozenset[UUID]] | None = None

    async def has(self, receipt_id: UUID) -> bool:
        """Whether there is a receipt."""
        self._gathering[receipt_id] = None
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return receipt_id in await asyncio.shield(self._asking)

    async def _ask(self) -> frozenset[UUID]:
        await asyncio.sleep(_GATHER_SECONDS)
        asked, self._gathering, self._asking = list(self._gathering), {}, None
        found = await rows.fetch("SELECT id FROM receipts WHERE id = ANY($1::uuid[])", asked)
        return frozenset(record["id"] for record in found)


def _items_back(event: Event) -> tuple[UUID, ...]:
    """The items of which units may have come back."""
    if isinstance(event, ClaimClosed):
        return (event.item_id,)
    return event.item_ids if isinstance(event, FlashSaleSaved) else ()


def _clock() -> float:
    return asyncio.get_running_loop().time()


def _key(place: Place) -> str:
    program_id, item_id = place
    return f"{{{program_id}}}:flash-sale-gate:{item_id}"
