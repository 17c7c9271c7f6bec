"""The order of batches: one is decided while the one ahead of it is written, and written when that one is kept."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from domain.kernel import Command, Outcome, Want
from persistence.journal import Journal

# PostgreSQL sees no circle that goes through this process; after so long, locks are let go in case there is one.
FOLLOW_SECONDS_MAX: Final = 1.0


@dataclass(slots=True)
class Waiting:
    """A command on its way through the engine."""

    command: Command[Any]
    program_id: UUID
    actor: str
    idempotency_key: str | None
    first_id: int
    answer: asyncio.Future[Outcome[Any]]
    asked_at: float
    receipt_id: UUID | None = None
    input_hash: bytes = b""


class Overtaking(Exception):
    """A batch would be decided before the one ahead of it: it must begin again behind that one."""

    def __init__(self, ahead: "Turn") -> None:
        super().__init__()
        self.ahead = ahead


@dataclass(slots=True, eq=False)
class Turn:
    """The place of a batch in the order told, over all of its attempts.

    `ahead` are the turns of its program that were under way when it came, each of them decided. It is decided
    while they are written, and written when they are kept.
    """

    commands: Sequence[Waiting]
    ahead: tuple["Turn", ...]
    # What the attempt that is decided writes.
    journal: Journal | None = None
    is_decided: asyncio.Event = field(default_factory=asyncio.Event)
    # Kept, or stumbled.
    is_settled: asyncio.Event = field(default_factory=asyncio.Event)
    # No attempt follows: what is kept is seen by all.
    is_over: asyncio.Event = field(default_factory=asyncio.Event)
    # An attempt failed after it was decided: the turns behind it were decided from what is not kept.
    has_stumbled: bool = False

    @property
    def program_id(self) -> UUID:
        return self.commands[0].program_id

    async def come(self) -> None:
        """Wait for turns ahead that have stumbled. Those that are over are no longer ahead."""
        while stumbled := [other for other in self.ahead if other.has_stumbled and not other.is_over.is_set()]:
            await stumbled[0].is_over.wait()
        self.ahead = tuple(other for other in self.ahead if not other.is_over.is_set())

    def check(self, wants: Iterable[Want] = (), receipt_ids: Iterable[UUID] = ()) -> None:
        """Raises `Overtaking` if a turn ahead is writing what is asked for, or has stumbled."""
        for other in self.ahead:
            if other.has_stumbled or other.hides(wants, receipt_ids):
                raise Overtaking(other)

    def hides(self, wants: Iterable[Want], receipt_ids: Iterable[UUID]) -> bool:
        """Whether something would be answered without what this turn is writing."""
        if self.journal is None or self.is_over.is_set():
            return False
        return any(map(self.journal.hides, wants)) or any(map(self.journal.has_receipt, receipt_ids))

    def decide(self, journal: Journal) -> None:
        """An attempt is decided: the next turn may be."""
        self.journal = journal
        self.is_decided.set()

    async def follow(self) -> None:
        """Wait until those ahead are kept, with locks in hand and nothing written: they never wait for what is not.

        Raises `Overtaking` if one stumbles, or takes so long that it may be waiting for a lock of this one.
        """
        for other in self.ahead:
            try:
                async with asyncio.timeout(FOLLOW_SECONDS_MAX):
                    await other.is_settled.wait()
            except TimeoutError:
                raise Overtaking(other) from None
        self.check()

    def stumble(self) -> None:
        """An attempt failed."""
        if self.is_decided.is_set():
            self.has_stumbled = True
            self.is_settled.set()

    def end(self) -> None:
        """Let those behind go on; the chain of turns is cut, so that no turn is remembered for ever."""
        self.ahead = ()
        for moment in (self.is_decided, self.is_settled, self.is_over):
            moment.set()
