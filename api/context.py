"""What a request has at hand: the caller, the loaders, and the way to the engine."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import strawberry
from redis import asyncio as aioredis
from starlette.requests import HTTPConnection

from api import settings
from api.access import Caller
from api.credentials import Credentials
from api.errors import ApiError, ErrorCode
from api.loaders import Loaders
from api.passwords import Passwords
from api.quotes import Quotes
from api.tokens import Tokens
from domain import checks
from domain.kernel import Command, Event, Outcome
from domain.points.account import MemberFrozen
from persistence import clock
from persistence.engine import Engine, QueueFull, Unavailable
from persistence.flash_sale_gates import Gates
from persistence.leaderboards.reading import Boards
from persistence.live import Hub
from persistence.streaks import StreakReader
from persistence.throttles import Throttle

Result = TypeVar("Result")

IDEMPOTENCY_KEY_MAX: Final = 200
# How many rows the connections of one request may ask for in all, whether or not there are so many.
NODES_MAX: Final = 10_000
# Those who are woken by the same change read together; what they read is at most so old.
_TOGETHER: Final = timedelta(seconds=0.25)
_PROGRAMS_MAX: Final = 1_000
# So many live answers are made at once: enough to be read together, few enough that requests come between them.
ANSWERED_TOGETHER: Final = 100


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read as of one instant for everybody whom the same change woke, and what was answered from it.

    `told` is how much the hub had been told by then. The same question of the same caller has one answer.
    """

    now: datetime
    told: int
    loaders: Loaders
    answers: dict[Hashable, asyncio.Future[Any]] = field(default_factory=dict[Hashable, "asyncio.Future[Any]"])


class Readings:
    """The last reading of each program: who is woken by the same change reads, and is answered, together."""

    def __init__(self, hub: Hub, now: Callable[[], datetime]) -> None:
        self._hub = hub
        self._now = now
        self._kept: dict[UUID, Reading] = {}
        # Whoever makes a live answer has one of these meanwhile.
        self.turns = asyncio.Semaphore(ANSWERED_TOGETHER)

    def of(self, program_id: UUID) -> Reading:
        """What is read of a program as of now."""
        now = self._now()
        kept = self._kept.get(program_id)
        if kept is None or kept.told != self._hub.told or not timedelta(0) <= now - kept.now < _TOGETHER:
            if len(self._kept) >= _PROGRAMS_MAX:
                self._kept.clear()
            kept = self._kept[program_id] = Reading(now, self._hub.told, Loaders(program_id, now))
        return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """What all requests of a process share."""

    engine: Engine
    tokens: Tokens
    credentials: Credentials
    passwords: Passwords
    quotes: Quotes
    # Hashes what people are identified by; no token is signed with it.
    identity_key: bytes
    throttle: Throttle
    boards: Boards
    hub: Hub
    readings: Readings
    gates: Gates
    streaks: StreakReader
    now: Callable[[], datetime]

    def kept(self, program_id: UUID, events: Sequence[Event]) -> None:
        """What a batch that is committed made happen, for those who wait for it."""
        self.hub.kept(program_id, events)
        self.gates.kept(program_id, events)


def backend(
    chosen: settings.Settings,
    engine: Engine,
    redis: aioredis.Redis | None,
    *,
    signing_key: str,
    hub: Hub | None = None,
    now: Callable[[], datetime] = clock.now,
) -> Backend:
    """Put together what requests share. `signing_key` signs tokens and hashes identities.

    Without Redis logins are not limited; without a hub of its own, only this process hears what changes.
    """
    tokens = Tokens(
        signing_key, member_minutes=chosen.member_token_minutes, operator_minutes=chosen.operator_token_minutes
    )
    heard = Hub(None) if hub is None else hub
    shared = Backend(
        engine=engine,
        tokens=tokens,
        credentials=Credentials(tokens, cache_seconds=chosen.api_key_cache_seconds, now=now),
        passwords=Passwords(),
        quotes=Quotes(signing_key),
        identity_key=settings.identity_key(signing_key),
        throttle=Throttle(redis),
        boards=Boards(redis),
        hub=heard,
        readings=Readings(heard, now),
        gates=Gates(redis),
        streaks=StreakReader(redis),
        now=now,
    )
    engine.on_kept = shared.kept
    engine.identity_key = shared.identity_key
    return shared


class Context:
    """One request of one caller. `now` is the instant its answers show."""

    __slots__ = ("_loaders", "_nodes_left", "_told", "backend", "caller", "now", "reading")

    def __init__(self, shared: Backend, caller: Caller) -> None:
        self.backend = shared
        self.caller = caller
        self.now = shared.now()
        self._nodes_left = NODES_MAX
        self._loaders: Loaders | None = None
        self._told: object = None
        # Of a live answer, which shares it with others.
        self.reading: Reading | None = None

    @property
    def loaders(self) -> Loaders:
        """What this request reads through."""
        if self._loaders is None:
            self._loaders = Loaders(self.caller.program_id, self.now, self._told)
        return self._loaders

    def renew(self) -> None:
        """Answer as of now, from a reading that is shared with others."""
        self.reading = self.backend.readings.of(self.caller.program_id)
        self.now = self.reading.now
        self._loaders = self.reading.loaders
        self._nodes_left = NODES_MAX

    def _refresh(self, told: object) -> None:
        """Forget what was read, for something has changed, but for the rows that a command told."""
        self.now = self.backend.now()
        self._loaders = None
        self._told = told

    def take_nodes(self, count: int) -> None:
        """Count rows that a connection asks for. Raises `QUERY_TOO_COMPLEX` when a request asks for too many."""
        self._nodes_left -= count
        if self._nodes_left < 0:
            raise ApiError(
                f"The lists of one request may ask for {NODES_MAX} items in all: take smaller pages.",
                ErrorCode.QUERY_TOO_COMPLEX,
                facts={"nodesMax": NODES_MAX},
            )

    async def execute(self, command: Command[Result], idempotency_key: str | None = None) -> Outcome[Result]:
        """Run a command for the caller. Raises what `submit` and `answer` do."""
        return await self.answer(self.submit(command, idempotency_key))

    def submit(self, command: Command[Result], idempotency_key: str | None = None) -> asyncio.Future[Outcome[Result]]:
        """Hand a command to the engine; `answer` waits for it.

        Raises `TextInvalid` for the key, `MemberFrozen` for a frozen member's own token, and `THROTTLED`.
        """
        if self.caller.is_frozen:
            raise MemberFrozen
        key = checks.optional_text("idempotencyKey", idempotency_key, length_max=IDEMPOTENCY_KEY_MAX)
        try:
            return self.backend.engine.submit(
                command, program_id=self.caller.program_id, actor=self.caller.actor, idempotency_key=key
            )
        except QueueFull:
            raise ApiError(
                "Too many requests are waiting; try again in a moment.",
                ErrorCode.THROTTLED,
                facts={"retryAfterSeconds": 1},
            ) from None

    async def answer(self, submitted: asyncio.Future[Outcome[Result]]) -> Outcome[Result]:
        """Wait for a command. Raises its refusal, or `INTERNAL_SERVER_ERROR` when the database is away."""
        try:
            outcome = await submitted
        except Unavailable:
            raise ApiError(
                "The database is away. What has an idempotency key may be told again safely.",
                ErrorCode.INTERNAL_SERVER_ERROR,
            ) from None
        self._refresh(outcome.result)
        return outcome


Info = strawberry.Info[Context, Any]


def context_getter(shared: Backend) -> Callable[[HTTPConnection], Awaitable[Context]]:
    """How the front door makes the context of a request. Raises `UNAUTHENTICATED` for a credential that is no good."""

    async def get(connection: HTTPConnection) -> Context:
        return Context(shared, await shared.credentials.caller(connection.headers.get("authorization")))

    return get
